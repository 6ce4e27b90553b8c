"""The best order of one day's jobs, proved: all orders are looked at, as sets of jobs and the last of them.

The dynamic programme of Held & Karp (1962, A Dynamic Programming Approach to Sequencing Problems) with the labels of
Dumas, Desrosiers, Gélinas & Solomon (1995, An Optimal Algorithm for the Traveling Salesman Problem with Time Windows):
of the ways to have done a set of jobs and to stand at one of them, with the break owed or taken, those are kept that
drive less or are free earlier than every other. What comes too late for a job that is left, or surely drives more than
an order that is known, is dropped. A day of twelve visits takes some milliseconds where numba is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.native import COMPILED, native, part
from routing.problem import UNREACHABLE, Job, Problem, Shift
from routing.solution import Route, Solution
from routing.timing import NEVER, Timeline, schedule, setup_s

Whole = NDArray[np.int64]

MOST_PROVED = 12 if COMPILED else 8
"""Jobs of a day of which every order is looked at."""
MOST_WAYS = 400_000
"""Ways that are kept at once; a day of twelve jobs in tests/benchmarks/bench_exact.py needs fewer than a tenth."""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """The jobs in their best order and the seconds of driving; `proved` where no order has less."""

    jobs: tuple[Job, ...]
    drive_s: int
    proved: bool


def best_sequence(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> Sequenced | None:
    """An order of all `jobs` that can be driven, with least driving and, of equals, the earliest end; None: there is
    none.

    Time, windows, parking, break, room and reachability decide; whether the shift may do the jobs is not asked. Where
    several tables of `Problem.traffic` hold during the shift, an order is found if there is one, but who is ahead may
    meet the rush hour: that none drives less is not proved then. Of more than MOST_PROVED jobs the order given is
    returned, if it can be driven.
    """
    given = tuple(jobs)
    as_given = Timeline.of(problem, shift, given)
    unchanged = Sequenced(given, as_given.drive_s, not given) if as_given.feasible else None
    if not given or len(given) > MOST_PROVED or not shift.has_room_for(given) or not all(j.windows for j in given):
        return unchanged
    day, order = _Day.of(problem, shift, given), np.zeros(len(given), dtype=np.int64)
    known_s = as_given.drive_s if as_given.feasible and not problem.tables else NEVER
    drive_s, complete = _least_driving(*day, known_s, order)
    if drive_s >= NEVER:
        return unchanged
    proved = bool(complete) and len(_tables_during(problem, shift)) == 1
    return Sequenced(tuple(given[j] for j in order.tolist()), int(drive_s), proved)


def _tables_during(problem: Problem, shift: Shift) -> set[int]:
    tables = {0}
    for change in problem.traffic:
        if change.from_s <= shift.start_s:
            tables = {change.table}
        elif change.from_s < shift.end_s:
            tables.add(change.table)
    return tables


def sequenced(problem: Problem, solution: Solution) -> tuple[Solution, frozenset[str]]:
    """The plan with every day in its best order, and the shifts of which that is proved."""
    routes: list[Route] = []
    proved: set[str] = set()
    for route in solution.routes:
        shift = route.shift_in(problem)
        best = best_sequence(problem, shift, [problem.job_by_id[id_] for id_ in route.jobs])
        if best is not None and best.drive_s < route.drive_s:
            better = schedule(problem, shift, best.jobs)
            if better is not None and better.drive_s < route.drive_s:
                route = replace(better, lodging_before=route.lodging_before, lodging_after=route.lodging_after)
        if best is not None and best.proved and route.drive_s == best.drive_s:
            proved.add(route.shift)
        routes.append(route)
    return Solution(tuple(routes), solution.unassigned), frozenset(proved)


class _Day(NamedTuple):
    """A day in plain numbers: jobs are 0 … n - 1; n is the start place as an origin, the end place as a destination."""

    legs_s: Whole
    """Tables × (n + 1) × (n + 1) seconds of driving, NEVER where no way leads."""
    changes: Whole
    """From when on which of the tables holds, a row each."""
    setup_s: Whole
    """(n + 1) × n: parking, on arriving from another place."""
    service_s: Whole
    opens_s: Whole
    closes_s: Whole
    """Windows: n × the most of any job, the closing -1 behind a job's last."""
    hours_s: Whole
    """When the shift starts and ends; how long its break is (0: none), the earliest and the latest it may start."""

    @classmethod
    def of(cls, problem: Problem, shift: Shift, jobs: tuple[Job, ...]) -> _Day:
        n = len(jobs)
        places = [job.place for job in jobs]
        origins, destinations = [*places, shift.start_place], [*places, shift.end_place]
        legs = np.array(
            [[[table[a][b] for b in destinations] for a in origins] for table in (problem.seconds, *problem.tables)],
            dtype=np.int64,
        )
        legs[legs == UNREACHABLE] = NEVER
        most = max(len(job.windows) for job in jobs)
        opens, closes = np.full((n, most), NEVER), np.full((n, most), -1)
        for j, job in enumerate(jobs):
            opens[j, : len(job.windows)] = [window.start_s for window in job.windows]
            closes[j, : len(job.windows)] = [window.end_s for window in job.windows]
        rest = (
            (shift.break_.duration_s, shift.break_.start_s, shift.break_.latest_start_s) if shift.break_ else (0, 0, 0)
        )
        return cls(
            legs,
            np.array([(change.from_s, change.table) for change in problem.traffic] or [(0, 0)], dtype=np.int64),
            np.array([[setup_s(place, job) for job in jobs] for place in origins], dtype=np.int64),
            np.array([job.service_s for job in jobs], dtype=np.int64),
            opens,
            closes,
            np.array([shift.start_s, shift.end_s, *rest], dtype=np.int64),
        )


@part
def _arrives(legs_s: Whole, origin: int, destination: int, changes: Whole, depart_s: int) -> int:
    """When somebody arrives who departs then: `routing.traffic.arrive_s`."""
    k = len(changes) - 1
    while k > 0 and changes[k, 0] > depart_s:
        k -= 1
    of = legs_s[changes[k, 1], origin, destination]
    now, left = depart_s, of
    while k + 1 < len(changes) and now + left > changes[k + 1, 0] and of < NEVER:
        driven = changes[k + 1, 0] - now
        k += 1
        whole = legs_s[changes[k, 1], origin, destination]
        now, left, of = changes[k, 0], -(-(left - driven) * whole // of), whole
    return int(now + left)


@part
def _served(job: int, ready_s: int, service_s: Whole, opens_s: Whole, closes_s: Whole) -> int:
    """When the service is over for somebody ready at the door at `ready_s`, or NEVER."""
    for w in range(closes_s.shape[1]):
        if ready_s <= closes_s[job, w]:
            return int(max(ready_s, opens_s[job, w]) + service_s[job])
    return NEVER


@part
def _rested(free_s: int, hours_s: Whole) -> int:
    """When a break that may start at `free_s` is over, or NEVER."""
    return int(max(free_s, hours_s[3]) + hours_s[2]) if free_s <= hours_s[4] else NEVER


@part
def _kept(state: int, drive_s: int, free_s: int, first: Whole, following: Whole, ways: Whole, count: int) -> bool:
    """Whether a way is nowhere behind another of its state; those that are behind it are let go."""
    before, way = -1, first[state]
    while way >= 0:
        if ways[way, 0] <= drive_s and ways[way, 1] <= free_s:
            return False
        if drive_s <= ways[way, 0] and free_s <= ways[way, 1]:
            if before < 0:
                first[state] = following[way]
            else:
                following[before] = following[way]
        else:
            before = way
        way = following[way]
    following[count] = first[state]
    first[state] = count
    ways[count, 0], ways[count, 1] = drive_s, free_s
    return True


@native
def _least_driving(
    legs_s: Whole,
    changes: Whole,
    setup_s: Whole,
    service_s: Whole,
    opens_s: Whole,
    closes_s: Whole,
    hours_s: Whole,
    known_s: int,
    order: Whole,
) -> tuple[int, bool]:
    """The least driving, and whether all ways were looked at; `order` becomes the jobs of that way.

    Ways that drive more than `known_s` are not followed.
    """
    n = len(service_s)
    owes = hours_s[2] > 0
    everything = (1 << n) - 1
    # A state is a set of jobs done, the last of them, and whether the break is taken: the start has done nothing.
    first = np.full(((everything + 1) * (n + 1)) * 2, -1, dtype=np.int64)
    following = np.empty(MOST_WAYS, dtype=np.int64)
    ways = np.empty((MOST_WAYS, 4), dtype=np.int64)  # driving, when free, the way that it continues, the job
    fastest = np.empty((n + 1, n + 1), dtype=np.int64)
    nearest = np.full(n + 1, NEVER, dtype=np.int64)
    closing = np.empty(n, dtype=np.int64)
    for j in range(n + 1):
        for i in range(n + 1):
            fastest[i, j] = legs_s[:, i, j].min()
            if i != j and (i < n or j < n):
                nearest[j] = min(nearest[j], fastest[i, j])
    for j in range(n):
        closing[j] = closes_s[j].max()
    for k in range(n):  # no way leads from one to another sooner, others between them or not (Floyd and Warshall)
        for i in range(n + 1):
            for j in range(n):
                fastest[i, j] = min(fastest[i, j], fastest[i, k] + fastest[k, j])
    count = 0
    _kept(n * 2, 0, hours_s[0], first, following, ways, count)
    ways[count, 2], ways[count, 3] = -1, n
    count += 1
    if owes and _rested(hours_s[0], hours_s) < NEVER:
        _kept(n * 2 + 1, 0, _rested(hours_s[0], hours_s), first, following, ways, count)
        ways[count, 2], ways[count, 3] = -1, n
        count += 1
    for done in range(everything):
        least_left = nearest[n]
        for j in range(n):
            if not done >> j & 1:
                least_left += nearest[j]
        for state in range(done * (n + 1) * 2, (done + 1) * (n + 1) * 2):
            way = first[state]
            while way >= 0:
                driven, free, last = ways[way, 0], ways[way, 1], ways[way, 3]
                possible = driven + least_left <= known_s
                for j in range(n):
                    if possible and not done >> j & 1:
                        possible = free + fastest[last, j] <= closing[j]
                for j in range(n if possible else 0):
                    if done >> j & 1 or legs_s[0, last, j] >= NEVER:
                        continue
                    there = _arrives(legs_s, last, j, changes, free)
                    ready = there + setup_s[last, j]
                    driving = driven + there - free
                    after = ((done | 1 << j) * (n + 1) + j) * 2
                    over = _served(j, ready, service_s, opens_s, closes_s)
                    rested = NEVER
                    if owes and state % 2 == 0:  # the break at the door, or after service; before the leg is after that
                        rested = _rested(ready, hours_s)
                        rested = min(_served(j, rested, service_s, opens_s, closes_s), _rested(over, hours_s))
                    for to, when in ((after + state % 2, over), (after + 1, rested)):
                        if when <= hours_s[1] and _kept(to, driving, when, first, following, ways, count):
                            ways[count, 2], ways[count, 3] = way, j
                            count += 1
                            if count == MOST_WAYS:
                                return NEVER, False
                way = following[way]
    best_drive, best_end, best_way = NEVER, NEVER, -1
    for state in range(everything * (n + 1) * 2, (everything + 1) * (n + 1) * 2):
        way = first[state]
        while way >= 0:
            last = ways[way, 3]
            if legs_s[0, last, n] < NEVER:
                end = _arrives(legs_s, last, n, changes, ways[way, 1])
                driving = ways[way, 0] + end - ways[way, 1]
                if owes and state % 2 == 0:
                    end = _rested(end, hours_s)
                if end <= hours_s[1] and (driving, end) < (best_drive, best_end):
                    best_drive, best_end, best_way = driving, end, way
            way = following[way]
    way = best_way
    for position in range(n - 1, -1, -1):
        if way >= 0:
            order[position] = ways[way, 3]
            way = ways[way, 2]
    return best_drive, True
