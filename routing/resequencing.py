"""A better order for one day: all its jobs are kept, every window is met, least driving.

A dynamic programme over sets of jobs, as Held and Karp (1962) for the travelling salesman and Dumas, Desrosiers,
Gélinas and Solomon (1995, An Optimal Algorithm for the Traveling Salesman Problem with Time Windows) for windows: of
all ways to have done a set of jobs and to stand at one of them, only those are kept that are not worse than another in
driving and in both labels of `routing.timing` (earliest done, break owed and taken). What can reach some job or the
shift's end no more is dropped, so that narrow windows leave little to do. All ways of one length are one set of arrays.

`routing.sequencing` proves the order of short days; this is for longer ones, for days of which not all can be done,
and for those during which driving comes to take longer. There the true times decide what can be done, and driving is
counted by the problem's first table: were it counted by the hour, who is done earlier would not be ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hours import Hours
from routing.native import COMPILED
from routing.problem import UNREACHABLE, Job, Problem, Shift
from routing.sequencing import MOST_PROVED, best_sequence
from routing.timing import NEVER, Timeline, break_ends, setup_s

Whole = NDArray[np.int64]

MOST_STEPS = 70_000
"""Ways × jobs that are looked at for one more job: enough for all ways of a day of twelve jobs. Of longer days, unless
their windows leave few, only the most promising ways are followed, and the result is good, not proven best."""
FEWER_STEPS = MOST_STEPS // 2
"""The same where jobs may be left out: whoever asks stands at a customer's door. Enough for all ways of ten jobs."""
MOST_JOBS = 57
"""A set of jobs and the last of them make one 64-bit number."""

IN_TIME, DONE, LATE_SECOND = 1 << 56, 1 << 50, 1 << 26
"""What a promise is worth that is kept; that is made at all; and what each second loses that one begins too late: each
more than all together of what comes behind it, and all of MOST_JOBS in one 64-bit number."""


def resequenced(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> tuple[Job, ...] | None:
    """An order of all `jobs` in which everything fits, with least driving and, of equals, the earliest end; or None.

    Exact for days of up to about twelve jobs, and longer ones whose windows are narrow; else the best of what was
    tried, the given order included, and None may then be wrong.
    """
    given = tuple(jobs)
    if not given:
        return ()
    groups = [job.group for job in given if job.group is not None]
    if not shift.has_room_for(given) or not all(shift.allows(job) for job in given) or len(set(groups)) < len(groups):
        return None
    if COMPILED and len(given) <= MOST_PROVED:
        best = best_sequence(problem, shift, given)
        if best is not None and best.proved:
            return best.jobs
    as_given = Timeline.of(problem, shift, given)
    known_s = as_given.drive_s if as_given.feasible else NEVER
    order = _least_driving(_Day.of(problem, shift, given), known_s) if 1 < len(given) <= MOST_JOBS else None
    if order is not None:
        return tuple(given[j] for j in order)
    return given if as_given.feasible else None


@dataclass(frozen=True, slots=True)
class _Day:
    """The jobs as arrays: jobs are 0 … n - 1, the start place is n."""

    shift: Shift
    drive_s: Whole
    """(n + 1) × n, NEVER where no way leads."""
    travel_s: Whole
    """The same with parking."""
    home_s: Whole
    """n: to the end place."""
    hours: Hours | None
    """Where the hour counts; else the next two are not looked at."""
    legs_s: Whole
    """Tables × (n + 1) × (n + 2): to the jobs, the start place and the end place."""
    parking_s: Whole
    """(n + 1) × n."""
    service_s: Whole
    demand: Whole
    """n."""
    opens_s: Whole
    closes_s: Whole
    """Windows: n × the most of any job, -1 where there is none."""
    least_drive_s: Whole
    """n: the least leg to each job from any other place of the day."""
    least_work_s: Whole
    """n: the same with parking and service, at the best of all hours."""
    least_home_s: int
    """From any job, at the best of all hours."""
    at_best_s: Whole
    """(n + 1) × n: no way of the day leads from one to the other sooner, others between them or not."""

    @classmethod
    def of(cls, problem: Problem, shift: Shift, jobs: tuple[Job, ...]) -> _Day:
        n = len(jobs)
        places = [*(job.place for job in jobs), shift.start_place]
        legs = np.array(
            [
                [[table[a][b] for b in (*places, shift.end_place)] for a in places]
                for table in (problem.seconds, *problem.tables)
            ],
            dtype=np.int64,
        )
        seconds, fastest = (np.where(each == UNREACHABLE, NEVER, each) for each in (legs[0], legs.min(axis=0)))
        drive, home = seconds[:, :n], seconds[:n, n + 1]
        parking = np.array([[setup_s(place, job) for job in jobs] for place in places])
        travel = drive + parking
        windows = [[w for w in job.windows if w.start_s <= shift.end_s and w.end_s >= shift.start_s] for job in jobs]
        most = max(1, *(len(each) for each in windows))
        opens, closes = np.full((n, most), -1), np.full((n, most), -1)
        for j, each in enumerate(windows):
            opens[j, : len(each)] = [w.start_s for w in each]
            closes[j, : len(each)] = [w.end_s for w in each]
        service = np.array([job.service_s for job in jobs])
        others = np.eye(n + 1, n, dtype=bool)
        least_travel = np.where(others, NEVER, fastest[:, :n] + parking).min(axis=0)
        # The shortest ways, by way of any of the day's places (Floyd and Warshall), and parking where it is certain.
        shortest = fastest[:, : n + 1].copy()
        for k in range(n + 1):
            shortest = np.minimum(shortest, shortest[:, k, None] + shortest[None, k, :])
        alone = np.array([job.setup_s if places.count(job.place) == 1 else 0 for job in jobs])
        return cls(
            shift,
            drive,
            travel,
            home,
            Hours(problem.traffic) if problem.tables else None,
            legs,
            parking,
            service,
            np.array([job.demand for job in jobs], dtype=np.int64),
            opens,
            closes,
            np.where(others, NEVER, drive).min(axis=0),
            least_travel + service,
            int(fastest[:n, n + 1].min()),
            shortest[:, :n] + alone,
        )

    def at_door(self, last: Whole, job: Whole, free_s: Whole) -> Whole:
        """When somebody who is free at `free_s` stands at the door of each job, parked."""
        if self.hours is None:
            return free_s + self.travel_s[last, job]
        return self._arriving(self.hours, self.legs_s[:, last, job], free_s) + self.parking_s[last, job]

    def at_home(self, last: Whole, free_s: Whole) -> Whole:
        """When somebody who is free at `free_s` is at the end place."""
        if self.hours is None:
            return free_s + self.home_s[last]
        return self._arriving(self.hours, self.legs_s[:, last, -1], free_s)

    @staticmethod
    def _arriving(hours: Hours, legs: Whole, free_s: Whole) -> Whole:
        return np.where(legs[0] == UNREACHABLE, NEVER, hours.arrive_s(legs, free_s))

    def done(self, job: Whole, ready_s: Whole) -> Whole:
        """When service of each job is over for somebody at its door at `ready_s`, or NEVER."""
        begin = np.full_like(ready_s, NEVER)
        for w in range(self.opens_s.shape[1] - 1, -1, -1):
            begin = np.where(ready_s <= self.closes_s[job, w], np.maximum(ready_s, self.opens_s[job, w]), begin)
        return np.where(begin < NEVER, begin + self.service_s[job], NEVER)

    def rested(self, free_s: Whole) -> Whole:
        """When a break that may start at `free_s` is over, or NEVER."""
        rest = self.shift.break_
        if rest is None:
            return free_s
        return np.where(free_s <= rest.latest_start_s, np.maximum(free_s, rest.start_s) + rest.duration_s, NEVER)


class _Ways(NamedTuple):
    """Ways to do some of the jobs: which (bits), the last, the driving, the two labels, the way each continues, and
    what has been done is worth."""

    done: Whole
    last: Whole
    drive_s: Whole
    owed_s: Whole
    taken_s: Whole
    parent: Whole
    worth: Whole

    @classmethod
    def none(cls, day: _Day) -> _Ways:
        """The one way to have done nothing yet."""
        start_s = day.shift.start_s
        values = 0, len(day.service_s), 0, start_s, break_ends(day.shift, start_s), -1, 0
        return cls(*(np.array([value], dtype=np.int64) for value in values))

    def chosen(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> _Ways:
        return _Ways(*(column[which] for column in self))

    def and_those(self, others: _Ways) -> _Ways:
        return _Ways(*(np.concatenate(columns) for columns in zip(self, others, strict=True)))


def _least_driving(day: _Day, known_s: int) -> list[int] | None:
    """The order that drives least and, if it is known that `known_s` can be done, no more than that."""
    ways, layers = _Ways.none(day), []
    for _ in range(len(day.service_s)):
        ways = _followed(day, _promising(day, _not_worse(_longer(day, ways)), known_s))
        if not len(ways.done):
            return None
        layers.append(ways)
    end, drive = _home(day, ways)
    best = int(np.lexsort((end, drive))[0])
    return _order(layers, best) if drive[best] < NEVER else None


def worth_of(job: Job, late_s: int = 0) -> int:
    """What it is worth that a job is done: of promises, those kept count above all, then how late the others are."""
    if not job.mandatory:
        return job.cost_of_leaving_out_s
    return IN_TIME + DONE if not late_s else DONE - LATE_SECOND * late_s


def worthiest(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Those of some jobs that are done, in their order: what is worth most, then drives least, then ends first.

    What is done counts as `worth_of` says: a promise may begin after its windows, nothing else may, and nothing ends
    after the shift. Exact for up to about ten jobs, and more where their windows are narrow; else only the most
    promising ways are followed. No two of the jobs share a group.
    """
    given = tuple(job for job in jobs if job.windows and shift.allows(job))[:MOST_JOBS]
    most = len(given) if shift.max_jobs is None else min(len(given), shift.max_jobs)
    if not most:
        return ()
    day = _Day.of(problem, shift, given)
    worth = np.array([worth_of(job) for job in given], dtype=np.int64)
    closes = np.array([job.windows[-1].end_s if job.mandatory else NEVER for job in given], dtype=np.int64)
    ways, layers = _Ways.none(day), list[_Ways]()
    best: tuple[tuple[int, int, int], int, int] = (0, 0, 0), -1, 0
    for number in range(most):
        in_time = _longer(day, ways)
        in_time = in_time._replace(worth=ways.worth[in_time.parent] + worth[in_time.last])
        ways = _carried(day, in_time.and_those(_longer_late(day, ways, closes)))
        ways = _worthy(day, _not_worse(ways))
        if not len(ways.done):
            break
        layers.append(ways)
        end, drive = _home(day, ways)
        done = np.where(drive < NEVER, ways.worth, -1)
        first = int(np.lexsort((end, drive, -done))[0])
        best = min(best, ((-int(done[first]), int(drive[first]), int(end[first])), number, first))
    _, number, way = best
    return tuple(given[j] for j in _order(layers[: number + 1], way))


def _longer_late(day: _Day, ways: _Ways, closes_s: Whole) -> _Ways:
    """Each way, continued by each job that it lacks and may begin late: after `closes_s`, as soon as somebody is there.

    With the break taken before, or still owed: how late it is depends on that, so that these are two ways.
    """
    missing = _missing(day, ways) & (closes_s < NEVER)
    parent, job = np.nonzero(missing)
    last, closes = ways.last[parent], closes_s[job]
    at_door = day.at_door(last, job, ways.owed_s[parent])
    rested = np.minimum(day.at_door(last, job, ways.taken_s[parent]), day.rested(at_door))
    drive, done = ways.drive_s[parent] + day.drive_s[last, job], ways.done[parent] | (1 << job)
    never = np.full_like(at_door, NEVER)

    def late(begin: Whole, owed: Whole, taken: Whole) -> _Ways:
        which = (begin > closes) & (begin <= day.shift.end_s)
        worth = ways.worth[parent] + DONE - LATE_SECOND * np.where(which, begin - closes, 0)
        return _Ways(done, job, drive, owed, taken, parent, worth).chosen(which)

    over = rested + day.service_s[job]
    if day.shift.break_ is None:
        return late(rested, over, over)
    owed = at_door + day.service_s[job]
    still_owed = np.where(owed <= day.shift.break_.latest_start_s, owed, NEVER)
    return late(rested, never, over).and_those(late(at_door, still_owed, day.rested(owed)))


def _carried(day: _Day, ways: _Ways) -> _Ways:
    """Without those that have loaded more than the shift's capacity."""
    if day.shift.capacity is None:
        return ways
    done = (ways.done[:, None] >> np.arange(len(day.demand))) & 1
    return ways.chosen(done @ day.demand <= day.shift.capacity)


def _worthy(day: _Day, ways: _Ways) -> _Ways:
    """All of them or, of too many, those that have done what is worth most and those that are earliest."""
    ways = ways.chosen(np.minimum(ways.owed_s, ways.taken_s) <= day.shift.end_s)
    most = FEWER_STEPS // len(day.service_s)
    if len(ways.done) <= most:
        return ways
    free = np.minimum(ways.owed_s, ways.taken_s)
    worthy = np.lexsort((free, -ways.worth))[: most // 2]
    early = np.lexsort((-ways.worth, free))[: most // 2]
    return ways.chosen(np.union1d(worthy, early))


def _home(day: _Day, ways: _Ways) -> tuple[Whole, Whole]:
    """When each way is over, the drive home and the break included, and all of its driving; NEVER where that does not
    fit into the shift."""
    home = day.home_s[ways.last]
    end = np.minimum(day.at_home(ways.last, ways.taken_s), day.rested(day.at_home(ways.last, ways.owed_s)))
    return end, np.where(end <= day.shift.end_s, ways.drive_s + home, NEVER)


def _order(layers: Sequence[_Ways], way: int) -> list[int]:
    """The jobs of a way of the last layer."""
    order = []
    for layer in reversed(layers):
        order.append(int(layer.last[way]))
        way = int(layer.parent[way])
    return order[::-1]


def _longer(day: _Day, ways: _Ways) -> _Ways:
    """Each way, continued by each job that it lacks."""
    parent, job = np.nonzero(_missing(day, ways))
    last = ways.last[parent]
    at_door = day.at_door(last, job, ways.owed_s[parent])
    # The break before the leg or earlier; or at the door; or after service: it is owed until then.
    taken = day.done(job, np.minimum(day.at_door(last, job, ways.taken_s[parent]), day.rested(at_door)))
    if day.shift.break_ is None:
        owed = taken
    else:
        owed = day.done(job, at_door)
        taken = np.minimum(taken, day.rested(owed))
        owed = np.where(owed <= day.shift.break_.latest_start_s, owed, NEVER)
    drive = ways.drive_s[parent] + day.drive_s[last, job]
    longer = _Ways(ways.done[parent] | (1 << job), job, drive, owed, taken, parent, ways.worth[parent])
    return longer.chosen(np.minimum(owed, taken) < NEVER)


def _promising(day: _Day, ways: _Ways, known_s: int) -> _Ways:
    """Without those that come too late for some job or for the shift's end, or must drive more than `known_s`."""
    shift = day.shift
    rest_s = shift.break_.duration_s if shift.break_ else 0
    missing = _missing(day, ways)
    free = np.minimum(ways.owed_s, ways.taken_s)
    with_rest = np.minimum(ways.owed_s + rest_s, ways.taken_s)
    fits = with_rest + missing @ day.least_work_s + day.least_home_s <= shift.end_s
    fits &= ways.drive_s + missing @ day.least_drive_s + day.home_s.min() <= known_s
    fits &= np.all(~missing | (free[:, None] + day.at_best_s[ways.last] <= day.closes_s.max(axis=1)), axis=1)
    return ways.chosen(fits)


def _not_worse(ways: _Ways) -> _Ways:
    """Without ways that have done the same, stand at the same place, and are nowhere ahead of another.

    Neighbours in order are compared, not all pairs: a way that is kept without need costs time, not exactness.
    """
    group = (ways.done << 6) | ways.last
    order = np.lexsort((ways.drive_s, -ways.worth, group))
    group, taken, owed = group[order], ways.taken_s[order], ways.owed_s[order]
    worse = np.zeros(len(order), dtype=bool)
    for step in range(1, min(9, len(order))):
        same = group[step:] == group[:-step]
        if not same.any():
            break
        worse[step:] |= same & (taken[:-step] <= taken[step:]) & (owed[:-step] <= owed[step:])
    return ways.chosen(order[~worse])


def _followed(day: _Day, ways: _Ways) -> _Ways:
    """All of them or, of too many, those that drive least and those that are earliest, what is missing included."""
    most = MOST_STEPS // len(day.service_s)
    if len(ways.done) <= most:
        return ways
    missing = _missing(day, ways)
    driving = np.argsort(ways.drive_s + missing @ day.least_drive_s, kind="stable")[: most // 2]
    early = np.argsort(np.minimum(ways.owed_s, ways.taken_s) + missing @ day.least_work_s, kind="stable")[: most // 2]
    return ways.chosen(np.union1d(driving, early))


def _missing(day: _Day, ways: _Ways) -> NDArray[np.bool_]:
    """Ways × jobs: those not done."""
    missing: NDArray[np.bool_] = (ways.done[:, None] >> np.arange(len(day.service_s))) & 1 == 0
    return missing
