"""All positions of many timed days at once: what one more job adds at each of them, and when it could begin there.

As in `routing.insertion`, between the labels of `routing.timing` the times at which a job can begin at a position are
at most two spans: with the break taken before its service, and with the break still to come. A position is a row of an
array, a question about a job a few numpy operations over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.hours import Hours
from routing.problem import UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.timing import NEVER, Timeline, break_begins, door_labels

Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Day:
    """A shift, from and to the places that it really begins and ends at, with its jobs in order."""

    shift: Shift
    jobs: tuple[Job, ...]

    def with_job(self, job: Job, position: int) -> Day:
        return Day(self.shift, (*self.jobs[:position], job, *self.jobs[position:]))

    def without(self, position: int) -> Day:
        return Day(self.shift, (*self.jobs[:position], *self.jobs[position + 1 :]))


class Roads:
    """A problem's ways as arrays: whole columns of departures and arrivals. A way that is none takes no time."""

    def __init__(self, problem: Problem) -> None:
        self.seconds = np.asarray(problem.seconds, dtype=np.int64)
        self._tables = [np.asarray(table, dtype=np.int64) for table in problem.tables]
        self._hours = Hours(problem.traffic) if problem.tables else None

    def arrive_s(self, origin: Whole, destination: Whole, depart_s: Whole) -> Whole:
        """As `Problem.arrive_s`."""
        if self._hours is None:
            return depart_s + np.maximum(self.seconds[origin, destination], 0)
        return self._hours.arrive_s(self._legs(origin, destination), depart_s)

    def depart_s(self, origin: Whole, destination: Whole, arrive_by_s: Whole) -> Whole:
        """As `Problem.depart_s`."""
        if self._hours is None:
            return arrive_by_s - np.maximum(self.seconds[origin, destination], 0)
        return self._hours.depart_s(self._legs(origin, destination), arrive_by_s)

    def _legs(self, origin: Whole, destination: Whole) -> Whole:
        return np.stack([np.maximum(table[origin, destination], 0) for table in (self.seconds, *self._tables)])


@dataclass(frozen=True, slots=True)
class Room:
    """For each position: what a job adds there in driving, whether ways lead there and on, and the two spans in which
    it can begin, from the first second to the last."""

    added_s: Whole
    reached: Truth
    taken: tuple[Whole, Whole]
    owed: tuple[Whole, Whole]

    def fits(self, windows: Sequence[TimeWindow] | None) -> Truth:
        """Where the job can begin within one of the windows (None: at any time), if a way leads there."""
        if windows is None:
            return (self.taken[0] <= self.taken[1]) | (self.owed[0] <= self.owed[1])
        if not windows:
            return np.zeros(len(self.added_s), dtype=bool)
        start = np.array([*(window.start_s for window in windows), NEVER], dtype=np.int64)
        end = np.array([window.end_s for window in windows], dtype=np.int64)
        able = np.zeros(len(self.added_s), dtype=bool)
        for first, last in (self.taken, self.owed):
            next_window = np.searchsorted(end, first)
            able |= (first <= last) & (start[next_window] <= last)
        return able


class Positions:
    """An index of days: where one more job fits into any of them. `day` and `position` say what a row is."""

    def __init__(self, problem: Problem, roads: Roads, days: Sequence[Day]) -> None:
        self.days = tuple(days)
        self._roads = roads
        rows = [row for number, day in enumerate(self.days) for row in _rows(problem, number, day)]
        columns = np.array(rows, dtype=np.int64).reshape(len(rows), 13).T
        self.day, self.position, self._before, self._after, self._setup = columns[:5]
        self._free_owed, self._free_taken, self._door_owed, self._door_taken = columns[5:9]
        self._rest_from, self._rest_until, self._rest, drives = columns[9:]
        leg = np.maximum(roads.seconds[self._before, self._after], 0)
        self._leg = np.where(drives == 1, leg, 0)

    def __len__(self) -> int:
        return len(self.day)

    @cached_property
    def first(self) -> Whole:
        """The first row of each day."""
        return np.searchsorted(self.day, np.arange(len(self.days)))

    def rows_of(self, day: int) -> slice:
        first = int(self.first[day])
        return slice(first, first + len(self.days[day].jobs) + 1)

    def room(self, job: Job, rows: slice = slice(None)) -> Room:
        """What the job finds at each position of these rows; of rules only time and ways are looked at."""
        before, after = self._before[rows], self._after[rows]
        place = np.full_like(before, job.place)
        seconds = self._roads.seconds
        to, onward = seconds[before, place], seconds[place, after]
        parking = np.where(before == place, 0, job.setup_s)
        then = np.where(after == place, 0, self._setup[rows])
        door = self._roads.arrive_s(before, place, self._free_owed[rows]) + parking
        rest_from, rest_until, rest = self._rest_from[rows], self._rest_until[rows], self._rest[rows]
        rested = np.maximum(door, rest_from)
        rested = np.where(rested <= rest_until, rested + rest, NEVER)
        first_taken = np.minimum(self._roads.arrive_s(before, place, self._free_taken[rows]) + parking, rested)
        last_taken = self._roads.depart_s(place, after, self._door_taken[rows] - then)
        resting = np.minimum(last_taken - rest, rest_until)
        last_owed = np.maximum(
            self._roads.depart_s(place, after, self._door_owed[rows] - then),
            np.where(resting >= rest_from, resting, -NEVER),
        )
        return Room(
            np.maximum(to, 0) + np.maximum(onward, 0) - self._leg[rows],
            (to != UNREACHABLE) & (onward != UNREACHABLE),
            (first_taken, last_taken - job.service_s),
            (door, last_owed - job.service_s),
        )


def _rows(problem: Problem, number: int, day: Day) -> list[tuple[int, ...]]:
    """One row a position: its day and number; the places before and after and what parking at the latter takes; the
    earliest times to be free before, and the latest at the door after, break owed and taken; the break's earliest and
    latest start and its length; whether the leg from the one place to the other is driven without the job."""
    shift, jobs = day.shift, day.jobs
    timeline = Timeline.of(problem, shift, jobs)
    doors = [door_labels(shift, timeline.latest[k + 1], job) for k, job in enumerate(jobs)]
    doors.append((break_begins(shift, shift.end_s), shift.end_s))
    setups = [*(job.setup_s for job in jobs), 0]
    places = (shift.start_place, *(job.place for job in jobs), shift.end_place)
    rest = shift.break_
    rests = (rest.start_s, rest.latest_start_s, rest.duration_s) if rest else (-NEVER, NEVER, 0)
    return [
        (number, k, places[k], places[k + 1], setups[k], *timeline.earliest[k], *doors[k], *rests, int(bool(jobs)))
        for k in range(len(jobs) + 1)
    ]
