"""The search: plan every rep's week on its own, then re-plan small regions of shifts until the budget is spent.

This is a large neighbourhood search over regions (decomposition), in which each region is a routing model of OR-Tools
that starts from what is there and is taken over when the whole plan costs no more. Regions that share no shift and no
job are worked on at the same time. What is looked at, and in which order it is taken over, depends on the seed alone
and not on which process ends first, so that a budget of work gives the same plan everywhere.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace

from routing.problem import MANDATORY_COST_S, Problem
from routing.solution import Solution
from routing.solver.limits import Progress, SearchLimits
from routing.solver.regions.incumbent import Incumbent
from routing.solver.regions.neighbourhoods import Neighbourhoods
from routing.solver.regions.region import Region
from routing.solver.regions.worker import Crew

MOST_WORKERS = 2
IN_FLIGHT = 4
"""Regions handed out at a time, whatever the number of workers: the plan must not depend on that."""
BLOCK_SOLUTIONS = 50
REGION_SOLUTIONS = 30
"""On week 1 of tests/benchmarks/bench_peers.py field a region gained as much in 0.1 s of search as in 0.6 s."""
BLOCK_SECONDS = 1.5
REGION_SECONDS = 0.6
"""What one region may take at most where seconds are the limit; on week 1 it needed about 0.3 s on a busy machine."""
DISTURBANCES = (((0.8, 1.4), 0.0), ((0.8, 1.4), 0.0), ((0.8, 1.4), 0.4), ((1.0, 4.0), 0.0))
"""How a region is disturbed so that another look finds something else: the range of factors on what optional jobs are
worth, and the share of its jobs taken out of the plan that its model starts from."""
TRIES = 20
"""So often a region is picked anew when all its shifts are busy or it has no job to offer."""
POLL_S = 0.1
POLISH_S = 0.25
"""What the last repairs may take once the time is up or the search is cancelled."""


def search(
    problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool], warm_start: Solution | None
) -> Iterator[Progress]:
    """What is known several times a second, and at last what is found.

    Raises:
        RoutingError: a solver process failed or was killed.
    """
    return _Search(problem, limits, cancelled, warm_start).run()


class _Search:
    def __init__(
        self,
        problem: Problem,
        limits: SearchLimits,
        cancelled: Callable[[], bool],
        warm_start: Solution | None,
    ) -> None:
        self._started_s = time.monotonic()
        self._problem = _with_plain_numbers(problem)
        self._limits = limits
        self._cancelled = cancelled
        self._rng = random.Random(limits.seed)
        self._incumbent = Incumbent(self._problem)
        if warm_start:
            self._incumbent.replace(_sequences(self._problem, warm_start))
        self._kept = frozenset(j for j in self._incumbent.shift_of if self._problem.jobs[j].mandatory)
        self._neighbourhoods = Neighbourhoods(self._problem, self._incumbent, self._rng)
        self._submitted = 0
        self._finished = 0
        self._fruitless = 0
        self._improvements = 0
        self._told_s: int | None = None

    def run(self) -> Iterator[Progress]:
        incumbent = self._incumbent
        everything = range(len(self._problem.shifts))
        if any(incumbent.eligible_shifts):
            blocks = deque(self._neighbourhoods.blocks())
            in_flight: deque[tuple[int, Region]] = deque()
            with Crew(
                _at_their_slowest(self._problem), self._limits.workers or min(MOST_WORKERS, os.cpu_count() or 1)
            ) as crew:
                while not self._over():
                    while self._may_submit(len(in_flight)):
                        region = self._next_region(blocks, [region for _, region in in_flight])
                        if region is None:
                            break
                        in_flight.append((crew.submit(region), region))
                        self._submitted += 1
                    if not in_flight:
                        break
                    # Nothing is chosen while waiting: chance must not be drawn more often on a slower machine.
                    number, region = in_flight.popleft()
                    sequences = yield from self._wait_for(crew, number)
                    if sequences is not None:
                        self._take_over(region, sequences, [region for _, region in in_flight])
        deadline_s = time.monotonic() + POLISH_S
        timed = self._limits.seconds is not None or self._cancelled()
        incumbent.make_way_for_the_mandatory()  # a search cut short may not have come to it
        incumbent.improve(everything, enough=lambda: timed and time.monotonic() > deadline_s)
        yield self._report(fraction=1.0)

    def _wait_for(self, crew: Crew, number: int) -> Generator[Progress, None, list[list[int]] | None]:
        """What the region's model found: None if that was nothing, or the search is over before it ended."""
        done, sequences = False, None
        while not done and not self._over():
            done, sequences = crew.result(number, POLL_S)
            yield self._report()
        self._finished += done
        self._fruitless += done
        return sequences

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    def _over(self) -> bool:
        if self._cancelled():
            return True
        patience = 20 + 2 * len(self._problem.jobs)
        if self._fruitless >= patience:
            return True
        if self._limits.seconds is not None:
            return self._elapsed_s() >= self._limits.seconds
        return False

    def _may_submit(self, in_flight: int) -> bool:
        return in_flight < IN_FLIGHT and (self._limits.work is None or self._submitted < self._limits.work)

    def _next_region(
        self, blocks: deque[tuple[tuple[int, ...], list[int]]], in_flight: Sequence[Region]
    ) -> Region | None:
        """The next region that shares nothing with those in flight, or None if there is none just now."""
        if blocks:
            shifts, offered = blocks.popleft()
            # Meanwhile some may have been added elsewhere.
            jobs = [*self._done_on(shifts), *sorted({*offered} & {*self._incumbent.left_out(shifts)})]
            return self._region(shifts, jobs, BLOCK_SOLUTIONS, BLOCK_SECONDS)
        busy_shifts = {k for region in in_flight for k in region.shifts}
        for _ in range(TRIES):
            shifts = self._neighbourhoods.pick(busy_shifts)
            jobs = [
                *self._done_on(shifts),
                *self._neighbourhoods.candidates(shifts, self._busy_jobs(in_flight)),
            ]
            if jobs:
                shake, thin = self._rng.choice(DISTURBANCES)
                return self._region(shifts, jobs, REGION_SOLUTIONS, REGION_SECONDS, shake, thin)
        return None

    def _thinned(self, sequence: tuple[int, ...], thin: float) -> tuple[int, ...]:
        return tuple(j for j in sequence if self._rng.random() >= thin)

    def _done_on(self, shifts: Iterable[int]) -> list[int]:
        return [j for k in shifts for j in self._incumbent.sequences[k]]

    def _region(
        self,
        shifts: tuple[int, ...],
        jobs: list[int],
        solutions: int,
        seconds: float,
        shake: tuple[float, float] = (1.0, 1.0),
        thin: float = 0.0,
    ) -> Region:
        worths_s = [self._incumbent.worth_in_plan_s(j) for j in jobs]
        shaken = [w if w >= MANDATORY_COST_S else int(w * self._rng.uniform(*shake)) for w in worths_s]
        # A model that gave up one of these for another mandatory job would be of no use.
        shaken = [len(jobs) * w if j in self._kept else w for j, w in zip(jobs, shaken, strict=True)]
        sequences = tuple(self._thinned(self._incumbent.sequences[k], thin) for k in shifts)
        refused = self._incumbent.too_near(jobs, shifts)
        region = Region(shifts, sequences, tuple(jobs), tuple(shaken), solutions, refused=refused)
        if self._limits.seconds is None:
            return region
        return replace(region, seconds=min(seconds, max(0.05, self._limits.seconds - self._elapsed_s())))

    def _busy_jobs(self, in_flight: Iterable[Region]) -> set[int]:
        return {rival for region in in_flight for j in region.jobs for rival in self._incumbent.rivals[j]}

    def _take_over(self, region: Region, sequences: list[list[int]], in_flight: Sequence[Region]) -> None:
        """Change to what the region's model found, repaired; back again if the plan costs more, or if it lost what is
        to be kept."""
        incumbent = self._incumbent
        before_s = incumbent.cost_s
        before = list(incumbent.sequences)
        incumbent.replace(dict(zip(region.shifts, sequences, strict=True)))
        incumbent.improve(region.shifts, self._busy_jobs(in_flight))
        if incumbent.cost_s > before_s or not self._kept <= incumbent.shift_of.keys():
            incumbent.replace({k: was for k, was in enumerate(before) if incumbent.sequences[k] != was})
        elif incumbent.cost_s < before_s:
            self._fruitless = 0

    def _report(self, fraction: float | None = None) -> Progress:
        elapsed_s, cost_s = self._elapsed_s(), self._incumbent.cost_s
        if fraction is None:
            if self._limits.seconds is not None:
                fraction = elapsed_s / self._limits.seconds
            else:
                assert self._limits.work is not None
                fraction = self._finished / self._limits.work
        if self._told_s is None or cost_s < self._told_s:
            self._improvements += 1
            self._told_s = cost_s
        served = len(self._incumbent.shift_of)
        return Progress(cost_s, served, elapsed_s, min(1.0, fraction), self._improvements, self._incumbent.solution)


def _with_plain_numbers(problem: Problem) -> Problem:
    """The same problem with lists of int: rows of numpy arrays are slow to ask one by one, and leak their numbers."""

    def rows(matrix: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[int(value) for value in row] for row in matrix]

    tables = tuple(rows(table) for table in problem.tables)
    return replace(problem, seconds=rows(problem.seconds), metres=rows(problem.metres), tables=tables)


def _at_their_slowest(problem: Problem) -> Problem:
    """The problem in which every leg takes as long as at its worst hour, since OR-Tools cannot tell the hour: what can
    be driven so can be driven, and is timed as it is by the incumbent."""
    if not problem.tables:
        return problem
    every = zip(problem.seconds, *problem.tables, strict=True)
    slowest = [[max(leg) for leg in zip(*rows, strict=True)] for rows in every]
    return replace(problem, seconds=slowest, tables=(), traffic=())


def _sequences(problem: Problem, solution: Solution) -> dict[int, list[int]]:
    """Shift -> jobs, by index, of a solution that may name shifts or jobs that are no more."""
    shift_number = {shift.id: k for k, shift in enumerate(problem.shifts)}
    job_number = {job.id: j for j, job in enumerate(problem.jobs)}
    return {
        shift_number[route.shift]: [job_number[id_] for id_ in route.jobs if id_ in job_number]
        for route in solution.routes
        if route.shift in shift_number
    }
