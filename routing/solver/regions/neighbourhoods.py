"""Which shifts are looked at together, and with which of the jobs that are left out."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence

from routing.problem import UNREACHABLE, Problem
from routing.solver.regions.incumbent import Incumbent

MOST_SHIFTS = 6
CANDIDATES = 25
"""Shifts of a region at most, and jobs left out that it is offered: chosen on one run of week 1 of
tests/benchmarks/bench_peers.py field, where 150 regions with 25 ended lower than 120 with 40, for a fifth more CPU."""
FAR_S = 10**6
"""What a place that cannot be reached counts as, where the nearest is looked for."""
REACH_S = 1200
"""Driving that a job is reckoned to bring along: jobs are ranked by worth ÷ (service + this)."""
CROWDED = 1.2
"""A block is offered jobs for this many times its working hours, so that the model has a choice."""


class Neighbourhoods:
    """Chooses shifts of a problem, by index, at random from `rng`."""

    def __init__(self, problem: Problem, incumbent: Incumbent, rng: random.Random) -> None:
        self._problem = problem
        self._incumbent = incumbent
        self._rng = rng
        self._weeks: dict[str, list[int]] = defaultdict(list)
        for k, shift in enumerate(problem.shifts):
            self._weeks[shift.vehicle].append(k)
        self._seeds = [j for j, shifts in enumerate(incumbent.eligible_shifts) if shifts]

    def blocks(self) -> list[tuple[tuple[int, ...], list[int]]]:
        """All shifts in blocks of a vehicle's week, and the jobs to begin with in each: near, and not too many.

        Vehicles with few shifts share a block. A job that is not done yet is offered to one block at most.
        """
        blocks: list[list[int]] = []
        for week in self._weeks.values():
            for first in range(0, len(week), MOST_SHIFTS):
                part = week[first : first + MOST_SHIFTS]
                if blocks and len(blocks[-1]) + len(part) <= MOST_SHIFTS:
                    blocks[-1].extend(part)
                else:
                    blocks.append(part)
        block_of = {k: b for b, block in enumerate(blocks) for k in block}
        room_s = [
            CROWDED * sum(self._problem.shifts[k].end_s - self._problem.shifts[k].start_s for k in block)
            for block in blocks
        ]
        offered: list[list[int]] = [[] for _ in blocks]
        jobs = self._problem.jobs
        wanted = [j for j in self._seeds if j not in self._incumbent.shift_of]
        for j in sorted(wanted, key=lambda j: (-self._incumbent.worth_s[j] / (jobs[j].service_s + REACH_S), j)):
            near = sorted((self._way_s(k, j), block_of[k]) for k in self._incumbent.eligible_shifts[j])
            roomy = [(drive_s, b) for drive_s, b in near if room_s[b] > 0 or jobs[j].mandatory]
            if roomy:
                drive_s, b = roomy[0]
                offered[b].append(j)
                room_s[b] -= jobs[j].service_s + jobs[j].setup_s + min(drive_s, REACH_S)
        return [(tuple(block), offer) for block, offer in zip(blocks, offered, strict=True)]

    def pick(self, busy_shifts: Collection[int]) -> tuple[int, ...]:
        """Some shifts that are not busy; none if there are too few."""
        kind = self._rng.random()
        if len(self._weeks) == 1 or len(self._problem.shifts) < 3 * len(self._weeks):
            kind = 1.0 if len(self._weeks) > 1 else 0.0
        if kind < 0.45:
            chosen = self._one_week()
        elif kind < 0.8:
            chosen = self._two_neighbours()
        else:
            chosen = self._round_a_job(busy_shifts)
        return tuple(sorted(k for k in chosen if k not in busy_shifts))

    def candidates(self, shifts: Sequence[int], busy_jobs: Collection[int]) -> list[int]:
        """Some of the jobs left out that may be done on the shifts: all, or the more worthwhile with more chance."""
        jobs, worth_s = self._problem.jobs, self._incumbent.worth_s
        free = [j for j in self._incumbent.left_out(shifts) if j not in busy_jobs]
        return sorted(free, key=lambda j: -worth_s[j] / (jobs[j].service_s + REACH_S) * self._rng.uniform(0.6, 1.4))[
            :CANDIDATES
        ]

    def _one_week(self) -> list[int]:
        return self._part(self._weeks[self._rng.choice(list(self._weeks))], MOST_SHIFTS - 1)

    def _two_neighbours(self) -> list[int]:
        one = self._rng.choice(list(self._weeks))
        home = self._home(one)
        other = min(
            (vehicle for vehicle in self._weeks if vehicle != one),
            key=lambda vehicle: self._drive_s(home, self._home(vehicle)) * self._rng.uniform(0.5, 1.5),
        )
        return [
            k
            for vehicle in (one, other)
            for k in self._rng.sample(self._weeks[vehicle], min(MOST_SHIFTS // 2, len(self._weeks[vehicle])))
        ]

    def _round_a_job(self, busy_shifts: Collection[int]) -> list[int]:
        seed = self._rng.choice(self._seeds)
        place = self._problem.jobs[seed].place
        free = [k for k in self._incumbent.eligible_shifts[seed] if k not in busy_shifts]
        return sorted(free, key=lambda k: (self._distance_s(k, place), k))[: MOST_SHIFTS - 1]

    def _distance_s(self, shift: int, place: int) -> int:
        """From a place to the nearest job of the shift, or to its start."""
        places = [self._problem.jobs[j].place for j in self._incumbent.sequences[shift]]
        return min(self._drive_s(place, other) for other in places or [self._problem.shifts[shift].start_place])

    def _way_s(self, shift: int, job: int) -> int:
        """To a job from where a shift starts, less what is saved where people have seen it on that shift."""
        on, wanted = self._problem.shifts[shift], self._problem.jobs[job]
        return self._drive_s(on.start_place, wanted.place) - (wanted.moved_s if wanted.seen_on == on.id else 0)

    def _part(self, week: list[int], most: int) -> list[int]:
        """All of a week, or some days in a row of something longer."""
        first = self._rng.randrange(max(1, len(week) - most + 1))
        return week[first : first + most]

    def _home(self, vehicle: str) -> int:
        return self._problem.shifts[self._weeks[vehicle][0]].start_place

    def _drive_s(self, a: int, b: int) -> int:
        drive_s = self._problem.seconds[a][b]
        return FAR_S if drive_s == UNREACHABLE else drive_s
