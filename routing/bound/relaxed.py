"""A problem in which each shift has its own jobs, as if no other could do them, and what its cheapest day is at some
prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from routing.bound.loops import Real, Whole, cheapest_day, close
from routing.problem import UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.solver.packing_model import Column
from routing.timing import NEVER

STRETCHES = 600
"""Into so many stretches a shift is cut: a minute each of a day of ten hours. What is done in one is done at once."""
COARSE_S = 900
"""Stretches in which is told beforehand what the rest of a day costs at least."""
LEAST_GAIN = 1e-6
"""What a job must be worth, its price taken off, to be looked at: removing another never makes a day dearer."""


def saved_s(problem: Problem, shift: Shift, job: Job) -> int:
    """What a plan's cost falls by when the job is done on the shift, driving aside."""
    seen_s = job.moved_s if job.seen_on == shift.id else 0
    return job.cost_of_leaving_out_s + seen_s - problem.tardiness_s(shift, job)


class Cheapest(NamedTuple):
    """A day at some prices: its cost with and without them, the jobs it does (some twice), and what it took."""

    cost_s: float
    unpriced_s: float
    jobs: tuple[int, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class Day:
    """A shift with the jobs that may be on it, in plain numbers: 0 … n - 1; n is where it begins."""

    number: int
    jobs: Whole
    """n: their numbers in the problem."""
    keys: Whole
    """n: the numbers of their prices."""
    saved_s: Whole
    """n: what a plan's cost falls by when it is done."""
    drive_s: Whole
    """(n + 1) × n."""
    travel_s: Whole
    """The same with parking."""
    service_s: Whole
    home_s: Whole
    home_cost: Whole
    """n: driving to where the shift may end; the same with what the night costs."""
    opens_s: Whole
    closes_s: Whole
    """Windows: n × the most of any job, the closing -1 behind a job's last."""
    hours_s: Whole
    """When the shift starts and ends; how long its break is (0: none), the earliest and the latest it may start."""

    def cheapest(self, prices: Real, known_s: float) -> Cheapest:
        """The cheapest day, if it costs less than a known one does; else that one's cost, and no jobs."""
        gain = self.saved_s - prices[self.keys]
        active = np.flatnonzero(gain > LEAST_GAIN)
        if not len(active):
            return Cheapest(known_s, 0.0, (), 0)
        rows = [*active, len(self.jobs)]
        travel, price = self.travel_s[np.ix_(rows, active)], self.drive_s[np.ix_(rows, active)] - gain[active]
        lasts = travel + self.service_s[active]
        lasts[np.arange(len(active)), np.arange(len(active))] = NEVER
        least = int(lasts.min())
        if least < 1:  # jobs that take no time at all could be done for ever
            return Cheapest(min(known_s, -float(gain[active].sum())), 0.0, (), 0)
        width = max(1, min(int(self.hours_s[1] - self.hours_s[0]) // STRETCHES, least))
        done = np.zeros(len(active), dtype=np.int64)
        cost_s, steps = cheapest_day(
            travel,
            price,
            self.service_s[active],
            self.home_s[active],
            self.home_cost[active].astype(np.float64),
            self.opens_s[active],
            self.closes_s[active],
            self.hours_s,
            width,
            max(width, min(COARSE_S, least)),
            known_s,
            done,
        )
        unpriced_s = cost_s - float(done @ prices[self.keys[active]])
        return Cheapest(cost_s, unpriced_s, tuple(np.repeat(self.jobs[active], done).tolist()), steps)


@dataclass(frozen=True, slots=True)
class Relaxation:
    days: list[Day]
    key_of_job: Whole
    cost_of_nothing_s: int

    @classmethod
    def of(cls, problem: Problem) -> Relaxation:
        keys: dict[str, int] = {}
        worth: dict[int, int] = defaultdict(int)
        key_of_job = []
        for job in problem.jobs:
            key = keys.setdefault(f"job {job.id}" if job.group is None else f"group {job.group}", len(keys))
            worth[key] = max(worth[key], job.cost_of_leaving_out_s)
            key_of_job.append(key)
        moved_s = sum(job.moved_s for job in problem.jobs if job.seen_on is not None)
        of_vehicle: dict[str, list[int]] = defaultdict(list)
        for number, shift in enumerate(problem.shifts):
            of_vehicle[shift.vehicle].append(number)
        key_of = np.array(key_of_job, dtype=np.int64)
        days = [day for numbers in of_vehicle.values() for day in _days_of(problem, numbers, key_of)]
        return cls(days, key_of, sum(worth.values()) + moved_s)

    @property
    def steps_of_a_round(self) -> int:
        """About as many steps as it takes to find the cheapest day of each shift."""
        return sum(len(day.jobs) ** 2 * int((day.hours_s[1] - day.hours_s[0]) // COARSE_S) for day in self.days)

    def by_key(self, job_prices_s: Sequence[float]) -> Real:
        """Prices of jobs as those of their groups, which are one."""
        prices = np.zeros(int(self.key_of_job.max(initial=-1)) + 1)
        prices[self.key_of_job] = job_prices_s
        return prices

    def cheapest_known(self, columns: Iterable[Column], prices: Real) -> dict[int, float]:
        """What the cheapest known day of each shift costs at these prices; nothing is done for 0."""
        of_job = prices[self.key_of_job].tolist()
        known: dict[int, float] = {}
        for column in columns:
            cost_s = column.cost_s + sum(of_job[j] for j in column.jobs)
            if cost_s < known.get(column.shift, 0.0):
                known[column.shift] = cost_s
        return known


def _days_of(problem: Problem, numbers: Sequence[int], key_of_job: Whole) -> list[Day]:
    """The shifts of one vehicle: the ways between all their places are looked for once."""
    shifts = [problem.shifts[number] for number in numbers]
    follows = {shift.next_shift: shift for shift in shifts if shift.next_shift is not None}
    begins = [
        [shift.start_place, *(at.place for at in problem.lodgings_after(follows[shift.id]))]
        if shift.id in follows
        else [shift.start_place]
        for shift in shifts
    ]
    ends = [
        [(shift.end_place, 0), *((at.place, at.cost_s) for at in problem.lodgings_after(shift))] for shift in shifts
    ]
    allowed = [j for j, job in enumerate(problem.jobs) if any(shift.allows(job) for shift in shifts)]
    served = [[j for j in allowed if _may_be_on(shift, problem.jobs[j])] for shift in shifts]
    places = sorted(
        {problem.jobs[j].place for jobs in served for j in jobs}
        | {place for each in begins for place in each}
        | {place for each in ends for place, _ in each}
    )
    row = {place: k for k, place in enumerate(places)}
    shortest = np.full((len(places), len(places)), NEVER, dtype=np.int64)
    for table in (problem.seconds, *problem.tables):
        seconds = np.array([[table[a][b] for b in places] for a in places], dtype=np.int64)
        seconds[seconds == UNREACHABLE] = NEVER
        shortest = np.minimum(shortest, seconds)
    close(shortest)
    return [
        _day(problem, number, jobs, key_of_job, row, shortest, begin, end)
        for number, jobs, begin, end in zip(numbers, served, begins, ends, strict=True)
        if jobs
    ]


def _may_be_on(shift: Shift, job: Job) -> bool:
    """`Problem.may_serve`, by way of other jobs too."""
    return shift.allows(job) and any(
        window.start_s + job.service_s <= shift.end_s and window.end_s >= shift.start_s for window in job.windows
    )


def _day(
    problem: Problem,
    number: int,
    numbers: list[int],
    key_of_job: Whole,
    row: dict[int, int],
    shortest: Whole,
    begins: list[int],
    ends: list[tuple[int, int]],
) -> Day:
    shift, jobs = problem.shifts[number], [problem.jobs[j] for j in numbers]
    at = np.array([row[job.place] for job in jobs])
    out = shortest[np.ix_(np.array([row[place] for place in begins]), at)].min(axis=0)
    home = shortest[np.ix_(at, np.array([row[place] for place, _ in ends]))]
    drive = np.vstack([shortest[np.ix_(at, at)], out])
    service = np.array([job.service_s for job in jobs], dtype=np.int64)
    setup = np.array([job.setup_s for job in jobs], dtype=np.int64)
    same_door = at[:, None] == at[None, :]
    # Without another job at its door that parked before, a job never takes longer to get to than with it.
    others = np.where(same_door & ~np.eye(len(jobs), dtype=bool), (setup + service)[:, None], NEVER).min(axis=0)
    setup = np.minimum(setup, others)
    at_begin = np.isin(at, [row[place] for place in begins])
    parking = np.vstack([np.where(same_door, 0, setup), np.where(at_begin, 0, setup)])
    windows: list[list[TimeWindow]] = [
        [w for w in job.windows if w.start_s <= shift.end_s and w.end_s >= shift.start_s] for job in jobs
    ]
    most = max(1, *(len(each) for each in windows))
    opens, closes = np.full((len(jobs), most), NEVER), np.full((len(jobs), most), -1)
    for j, each in enumerate(windows):
        for w, window in enumerate(each):
            opens[j, w], closes[j, w] = window.start_s, window.end_s
    rest = (shift.break_.duration_s, shift.break_.start_s, shift.break_.latest_start_s) if shift.break_ else (0, 0, 0)
    return Day(
        number,
        np.array(numbers, dtype=np.int64),
        key_of_job[numbers],
        np.array([saved_s(problem, shift, job) for job in jobs], dtype=np.int64),
        drive,
        drive + parking,
        service,
        home.min(axis=1),
        (home + np.array([cost_s for _, cost_s in ends])).min(axis=1),
        opens,
        closes,
        np.array([shift.start_s, shift.end_s, *rest], dtype=np.int64),
    )
