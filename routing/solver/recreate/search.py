"""The search as a whole: lanes with different seeds, in rounds; what they have met is packed, and the best goes on.

How hot a lane is depends on the share of the budget that is spent (simulated annealing, Kirkpatrick et al. 1983). A
long search is heated again from the best plan: that gains more than to cool down slowly once. With
a budget of work, that and the ends of the rounds are counted in iterations: nothing depends on how many lanes run at
the same time, nor on which of them is done first.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from itertools import pairwise

import numpy as np

from routing.problem import Problem
from routing.solution import Solution
from routing.solver.limits import Progress, SearchLimits
from routing.solver.packing_model import Column, PackingBudget
from routing.solver.recreate.kernel import FIRST, REACH_S
from routing.solver.recreate.lane import Lane
from routing.solver.recreate.layout import Layout, laid_out
from routing.solver.recreate.plans import Plan, Tour, timed, tours_of
from routing.solver.recreate.pool import MOST, Pool
from routing.solver.recreate.state import (
    J_FIRM,
    J_SERVICE,
    NOWHERE,
    O_BLINK,
    O_CANDIDATES,
    O_EVERYWHERE,
    O_NIGHT,
    O_OPENING,
    O_POOL,
    O_REMOVED,
    O_SKIP,
    O_STRING,
    S_NEXT,
)

LANES, MOST_LANES = 2, 4
"""Searches with different seeds where work is the limit, however many processors there are; and at most."""
SEEDS_APART = 1_000_003
WORK = 4000
"""Iterations that a unit of work is, about a tenth of a second of one core on a week of 800 visits."""
LEAST, PER_JOB = 2000, 100
"""Most iterations of a lane: so many, and so many times the square of the number of jobs. Nothing gets better then."""
CHUNK = 500
"""Iterations between two looks at the clock."""
ROUNDS = 20
"""After each the lanes wait for each other and the best plan is told; a longer search has one a second."""
HOT, COLD, WARM, AGAIN = 8.0, 0.1, 1.0, 3.0
"""Temperatures at the start, at the end, at the start from a plan that is there, and when heated again, in mean drives
to the nearest job."""
ONCE, SEVERAL = (1.0,), (0.4, 0.7, 1.0)
"""Shares of the search after which it is cold: of a short one, and of a long one."""
LONG = 1000
"""A long search has so many iterations for each job and more."""
PACKED_AT = (0.65, 0.88)
"""Shares of the time from hot to cold after which the routes are packed: early enough to go on from, and when it is
cold."""
PACKING_SHARE = 0.05
"""Share of the whole time for each packing at most."""
POOLED_FROM = 0.3
"""From this share of it on, routes are pooled: those before are too hot to be of use."""
BOOST, BOOSTED = 2.0, 0.25
"""Where there are many shifts alike, jobs count for so many times their worth at first, which falls to once until this
share: routes that pay need several jobs at once."""
REMOVED, STRING, BLINK, CANDIDATES, EVERYWHERE, SKIP, OPENING, NIGHT = 10, 10, 0.01, 15, 0.1, 0.03, 0.05, 0.05
"""Of a move: jobs taken out on average, the longest string, the chance to overlook a position, the most jobs left out
that are tried, and the chances to try all shifts, to leave a job out, to open a route at a discount, and to change a
night."""
WAYS_MADE = 8
"""Chunks at the start in which room is made for what must be done, however short the search."""
POLL_S = 0.05
END_S = 0.1
"""What it takes to end."""


def search(
    problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool], warm_start: Solution | None
) -> Iterator[Progress]:
    """What is known several times a second, and at last what is found."""
    return _Search(problem, limits, cancelled, warm_start).run()


class _Search:
    def __init__(
        self, problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool], warm_start: Solution | None
    ) -> None:
        self._began_s = time.monotonic()
        self._limits = limits
        self._cancelled = cancelled
        self._warm_start = warm_start
        self._layout = laid_out(problem)
        self._worth_s = self._layout.worth_s.copy()
        self._base_s = cost_of_nothing_s(problem)
        self._best = Plan((), 0)
        self._improvements = 0
        self._stopped = False
        lanes = LANES
        if limits.seconds is not None:
            lanes = limits.workers or min(MOST_LANES, os.cpu_count() or 1)
        jobs = len(self._layout.job_of)
        self._enough = LEAST + PER_JOB * jobs * jobs
        if limits.work is not None:
            self._enough = min(self._enough, limits.work * WORK // lanes)
        self._done = [0] * lanes
        self._lanes: list[Lane] = []
        self._pools = [Pool(self._layout, MOST // lanes) for _ in range(lanes)]
        self._search_began_s = self._search_seconds = 0.0
        self._settled: set[int] = set()
        self._cold_at: tuple[float, ...] = ONCE

    def run(self) -> Iterator[Progress]:
        if not self._layout.job_of:
            yield self._report(1.0)
            return
        self._begin()
        yield self._report(0.0)
        self._search_began_s = time.monotonic()
        if self._limits.seconds is not None:
            self._search_seconds = self._left_s()
        try:
            with ThreadPoolExecutor(min(len(self._lanes), self._limits.workers or MOST_LANES)) as threads:
                for end, step in self._ends():
                    yield from self._told(threads, [partial(self._advance, k, end) for k in range(len(self._lanes))])
                    self._gather()
                    yield self._report(self._spent())  # however short the round was
                    if step is not None and not self._over():
                        yield from self._told(threads, [step])
                        yield self._report(self._spent())
                    if self._over():
                        break
        finally:
            self._stop()
        yield self._report(1.0)

    def _begin(self) -> None:
        """One plan for all lanes: what still fits of the one to begin with, and then job by job the most worthwhile."""
        jobs = self._layout.arrays.jobs
        first = Lane(self._layout, self._limits.seed)
        if self._warm_start:
            tours = _fitting(self._layout, first, tours_of(self._layout, self._warm_start))
            kept = [j for tour in tours for j in tour.jobs if jobs[j, J_FIRM]]
            # What must be done and is done never gives way to what else must be.
            self._worth_s[kept] *= 1 + len(np.flatnonzero(jobs[:, J_FIRM]))
            first.reprice(self._worth_s)
        value = self._worth_s / (jobs[:, J_SERVICE] + REACH_S)
        self._set_options(first)
        first.construct(np.argsort(-value - FIRST * jobs[:, J_FIRM], kind="stable").tolist())
        for _ in range(WAYS_MADE):
            if not first.firm_left_out:
                break
            first.search(CHUNK, 0.0)
        self._best = self._priced(first.best())
        self._improvements = 1
        for number in range(len(self._done)):
            lane = Lane(self._layout, self._limits.seed * SEEDS_APART + number)
            lane.reprice(self._worth_s)
            lane.set(self._best.tours)
            self._set_options(lane)
            self._lanes.append(lane)

    def _set_options(self, lane: Lane) -> None:
        optional = not self._layout.arrays.jobs[:, J_FIRM].all()
        lane.options[[O_REMOVED, O_STRING, O_BLINK, O_EVERYWHERE, O_NIGHT]] = REMOVED, STRING, BLINK, EVERYWHERE, NIGHT
        lane.options[[O_CANDIDATES, O_SKIP, O_OPENING]] = CANDIDATES, SKIP, OPENING if optional else 0.0

    def _told(self, threads: ThreadPoolExecutor, tasks: Sequence[Callable[[], None]]) -> Iterator[Progress]:
        """Do what is to be done, and tell how far it is meanwhile."""
        running = [threads.submit(task) for task in tasks]
        while wait(running, POLL_S).not_done:
            if self._over():
                self._stop()
            yield self._report(self._spent())
        for each in running:
            each.result()

    def _ends(self) -> Iterator[tuple[float, Callable[[], None] | None]]:
        """Shares of the budget after which the lanes wait for each other, and what is done then."""
        rounds = max(ROUNDS, int(self._limits.seconds or 0), (self._limits.work or 0) // 10)
        yield 1 / rounds, None
        if min(self._enough, self._done[0] * rounds) >= LONG * len(self._layout.job_of):
            self._cold_at = SEVERAL
        steps: dict[float, Callable[[], None] | None] = {k / rounds: None for k in range(2, rounds + 1)}
        for begin, cold in pairwise((0.0, *self._cold_at)):
            for at in PACKED_AT:
                steps[begin + at * (cold - begin)] = partial(self._pack, last=at == PACKED_AT[-1])
            if begin:
                steps[begin] = self._all_from_the_best
        yield from sorted(steps.items(), key=lambda step: step[0])

    def _cooled(self, share: float) -> tuple[float, float]:
        """At this share of the budget: how hot it was last, and which share of the time from there to cold is over."""
        number = min(bisect_right(self._cold_at, share), len(self._cold_at) - 1)
        begin, cold = (0.0, *self._cold_at)[number : number + 2]
        first = WARM if self._warm_start else HOT
        return AGAIN if number else first, (share - begin) / (cold - begin)

    def _advance(self, number: int, until: float) -> None:
        """Search on one lane until this share of the budget is spent."""
        lane, pool = self._lanes[number], self._pools[number]
        boosted = self._layout.many_alike and not self._layout.arrays.jobs[:, J_FIRM].all()
        while (share := self._share(number)) < until and not self._stopped:
            hot, cooled = self._cooled(share)
            if boosted and number not in self._settled:
                factor = max(1.0, BOOST - (BOOST - 1.0) * cooled / BOOSTED)
                lane.reprice(np.rint(self._worth_s * factor).astype(np.int64))
                if factor == 1.0:
                    self._settled.add(number)
            lane.options[O_POOL] = cooled >= POOLED_FROM
            iterations = CHUNK
            if self._limits.work is not None:
                # At least one: a share may be rounded to just below where it ends.
                iterations = max(1, min(CHUNK, math.ceil(until * self._enough) - self._done[number]))
            self._done[number] += lane.search(iterations, self._layout.nearest_s * hot * (COLD / hot) ** cooled)
            pool.add(lane.collected())

    def _gather(self) -> None:
        """The best plan of all; of equals, that of the first lane."""
        for lane in self._lanes:
            plan = self._priced(lane.best())
            if plan.cost_s < self._best.cost_s:
                self._best = plan
                self._improvements += 1

    def _pack(self, last: bool) -> None:
        """Put the best plan together from all that was met; the worst lane goes on from it, and all the `last` time."""
        whole = Pool(self._layout)
        for pool in self._pools:
            whole.take_from(pool)
        if self._limits.seconds is not None:
            budget = PackingBudget(seconds=max(0.01, min(PACKING_SHARE * self._limits.seconds, self._left_s())))
        else:
            budget = PackingBudget(work=PACKING_SHARE * (self._limits.work or 1) / 10)
        plan = whole.packed(self._best, self._worth_s, budget, self._over)
        if plan.cost_s < self._best.cost_s:
            self._best = plan
            self._improvements += 1
        self._pools[0] = whole
        if last:
            self._all_from_the_best()
        else:
            max(self._lanes, key=lambda lane: lane.best_s).set(self._best.tours)

    def _all_from_the_best(self) -> None:
        for lane in self._lanes:
            lane.set(self._best.tours)

    def _priced(self, plan: Plan) -> Plan:
        """The plan with its cost in the worths that count, which those of a lane need not be."""
        cost_s = sum(tour.cost_s - int(self._worth_s[list(tour.jobs)].sum()) for tour in plan.tours)
        return Plan(plan.tours, cost_s)

    def _share(self, number: int) -> float:
        share = self._done[number] / self._enough
        if self._limits.seconds is not None:
            share = max(share, (time.monotonic() - self._search_began_s) / max(self._search_seconds, 1e-9))
        return share

    def _spent(self) -> float:
        if self._limits.seconds is not None:
            return min(1.0, self._elapsed_s() / self._limits.seconds)
        return min(1.0, sum(self._done) / (self._enough * len(self._done)))

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    def _left_s(self) -> float:
        assert self._limits.seconds is not None
        return self._limits.seconds - END_S - self._elapsed_s()

    def _over(self) -> bool:
        return self._stopped or self._cancelled() or (self._limits.seconds is not None and self._left_s() <= 0)

    def _stop(self) -> None:
        self._stopped = True
        for lane in self._lanes:
            lane.stop()

    def _report(self, fraction: float) -> Progress:
        best, jobs, job_of = self._best, self._layout.problem.jobs, self._layout.job_of
        done = [jobs[job_of[j]] for tour in best.tours for j in tour.jobs]
        cost_s = self._base_s + sum(tour.cost_s for tour in best.tours)
        cost_s -= sum(job.cost_of_leaving_out_s for job in done)
        return Progress(
            cost_s,
            len(done),
            self._elapsed_s(),
            fraction,
            self._improvements,
            lambda: timed(self._layout, best),
            self._met,
        )

    def _met(self) -> list[Column]:
        jobs = self._layout.problem.jobs  # what must be done is worth more to the search than to the plan
        worth_s = np.array([jobs[j].cost_of_leaving_out_s for j in self._layout.job_of], dtype=np.int64)
        return [column for pool in self._pools for column in pool.columns(worth_s)]


def cost_of_nothing_s(problem: Problem) -> int:
    """What a plan costs in which nothing is done."""
    missed: dict[str, int] = {}
    for job in problem.jobs:
        key = f"job {job.id}" if job.group is None else f"group {job.group}"
        missed[key] = max(missed.get(key, 0), job.cost_of_leaving_out_s)
    return sum(missed.values()) + sum(job.moved_s for job in problem.jobs if job.seen_on is not None)


def _fitting(layout: Layout, lane: Lane, tours: Sequence[Tour]) -> list[Tour]:
    """Those that can be done, set; nobody comes to a lodging who does not leave it in the morning."""
    left = [tour for tour in tours if len(tour.jobs) <= layout.longest]
    while True:
        lane.set(left)
        fits = lane.fits
        if all(fits[tour.shift] for tour in left):
            return left
        kept = {tour.shift for tour in left if fits[tour.shift]}
        following = layout.arrays.shifts[:, S_NEXT]
        left = [
            tour._replace(after=tour.after if following[tour.shift] in kept else NOWHERE)
            for tour in left
            if tour.shift in kept
        ]
