"""Random days of a few dozen seconds, small enough to try everything that can be tried."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.checks import violations
from routing.insertion import Itinerary
from routing.problem import UNREACHABLE, Break, Job, Problem, Shift, TimeWindow
from routing.solution import Route, Solution
from routing.timing import schedule
from routing.traffic import Change
from routing.travel_times import FanTimes

END = 40
Matrix = list[list[int]]


@dataclass(frozen=True)
class World:
    """Seconds between places, and what they are at other hours; metres are ten times as many."""

    seconds: Matrix
    tables: tuple[Matrix, ...] = ()
    traffic: tuple[Change, ...] = ()

    def problem(self, shift: Shift, jobs: tuple[Job, ...]) -> Problem:
        metres = [[drive * 10 if drive > 0 else drive for drive in row] for row in self.seconds]
        return Problem(jobs, (shift,), self.seconds, metres, tables=self.tables, traffic=self.traffic)

    def route(self, shift: Shift, jobs: tuple[Job, ...]) -> Route | None:
        """The jobs in this order, timed, if that breaks no rule."""
        problem = self.problem(shift, jobs)
        route = schedule(problem, shift, jobs)
        return route if route and not violations(problem, Solution((route,), ())) else None

    def legs(self, places: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Seconds and metres from each place to the next."""
        seconds = tuple(self.seconds[a][b] for a, b in pairwise(places))
        return seconds, tuple(drive * 10 if drive > 0 else drive for drive in seconds)

    def hours(self, places: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The same legs in the other tables."""
        return tuple(tuple(table[a][b] for a, b in pairwise(places)) for table in self.tables)

    def itinerary(self, shift: Shift, *jobs: Job) -> Itinerary:
        places = (shift.start_place, *(job.place for job in jobs), shift.end_place)
        return Itinerary(shift, jobs, *self.legs(places), self.hours(places), self.traffic)

    def fan(self, place: int, places: int) -> FanTimes:
        """Times between one place and the first so many."""

        def lines(matrix: Matrix) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
            to, onward = [matrix[k][place] for k in range(places)], [matrix[place][k] for k in range(places)]
            return np.array(to, dtype=np.int32), np.array(onward, dtype=np.int32)

        (to_s, from_s), tables = lines(self.seconds), tuple(map(lines, self.tables))
        to_m, from_m = (np.where(line > 0, line * 10, line).astype(np.int32) for line in (to_s, from_s))
        return FanTimes(to_s, to_m, from_s, from_m, tables)


@st.composite
def worlds(draw: st.DrawFn, places: int, *, triangle: bool = False) -> World:
    """Not symmetric, now and then without a way; with or without detours that are faster than the way itself."""
    gaps = not triangle and draw(st.booleans())
    drives = st.sampled_from([0, 1, 1, 2, 2, 3, 5, 9, UNREACHABLE] if gaps else [0, 1, 1, 2, 2, 3, 5, 9])
    seconds = [[0 if a == b else draw(drives) for b in range(places)] for a in range(places)]
    if triangle:
        for k in range(places):
            for row in seconds:
                row[:] = [min(direct, row[k] + onward) for direct, onward in zip(row, seconds[k], strict=True)]
    return World(seconds)


@st.composite
def changes(draw: st.DrawFn, tables: int) -> tuple[Change, ...]:
    """One of so many tables after the other."""
    times = sorted({0, *draw(st.lists(st.integers(1, END), max_size=5))})
    return tuple(Change(at, draw(st.integers(0, tables - 1))) for at in times)


@st.composite
def busy_worlds(draw: st.DrawFn, places: int) -> World:
    """Where driving takes another time at other hours, and no way leads wherever none does."""
    world = draw(worlds(places))
    tables = [
        [[drive if drive < 1 else draw(st.integers(1, 12)) for drive in row] for row in world.seconds]
        for _ in range(draw(st.integers(1, 2)))
    ]
    return World(world.seconds, tuple(tables), draw(changes(len(tables) + 1)))


@st.composite
def shifts(draw: st.DrawFn, places: int, number: int = 0) -> Shift:
    start = draw(st.integers(0, 6))
    end = draw(st.integers(start + 1, END) if draw(st.integers(0, 3)) == 0 else st.integers(END - 5, END))
    rest = None
    if draw(st.booleans()):
        opens = draw(st.integers(start, end - 1))
        closes = draw(st.integers(opens + 1, end))
        rest = Break(draw(st.integers(1, min(6, closes - opens))), opens, closes)
    place = st.integers(0, places - 1)
    return Shift(
        f"day{number}",
        draw(st.sampled_from(["ann", "ben"])),
        draw(place),
        draw(place),
        start,
        end,
        rest,
        draw(st.sampled_from([None] * 5 + [2])),
        draw(st.sampled_from([frozenset[str](), frozenset({"x"})])),
        draw(st.sampled_from([None] * 5 + [3])),
    )


@st.composite
def jobs(draw: st.DrawFn, places: int, name: str) -> Job:
    """Free ones, ones with opening hours, and promises of a very time."""
    kind = draw(st.sampled_from(["free", "free", "hours", "promised"]))
    if kind == "free":
        windows: tuple[TimeWindow, ...] = (TimeWindow(0, END),)
    elif kind == "hours":
        bounds = sorted(draw(st.lists(st.integers(0, END), min_size=2, max_size=6, unique=True)))
        windows = tuple(TimeWindow(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False))
    else:
        at = draw(st.integers(0, END))
        windows = (TimeWindow(at, min(END, at + draw(st.integers(0, 3)))),)
    return Job(
        name,
        draw(st.integers(0, places - 1)),
        draw(st.integers(0, 4)),
        windows,
        draw(st.integers(0, 2)),
        vehicles=draw(st.sampled_from([None] * 9 + [frozenset({"ann"})])),
        skills=draw(st.sampled_from([frozenset[str]()] * 9 + [frozenset({"x"})])),
        group=draw(st.sampled_from([None] * 5 + ["account"])),
        demand=draw(st.integers(0, 2)),
    )


def belonging(shift: Shift, sequence: list[Job]) -> tuple[Job, ...]:
    """Those of the jobs that may stand on one day of this shift together, whenever that is."""
    groups: set[str] = set()
    kept = []
    for job in sequence:
        allowed = job.vehicles is None or shift.vehicle in job.vehicles
        if allowed and job.skills <= shift.skills and job.group not in groups:
            kept.append(job)
            groups |= {job.group} if job.group else set()
    return tuple(kept)
