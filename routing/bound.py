"""What no plan of a problem costs less than: a Lagrangian bound.

That no job is done twice is given up and priced instead: each time a job (or one of its group) is done costs its
price, and all prices are given back once (Geoffrion 1974, Lagrangean Relaxation for Integer Programming). The shifts
then have nothing to do with each other, and the cheapest day of each is found by a dynamic programme in which a job may
come back, only not at once (q-routes without cycles of two: Christofides, Mingozzi & Toth 1981, Exact Algorithms for
the Vehicle Routing Problem). Whatever the prices are, the bound is valid; how good it is depends on them. They come
from the linear relaxation of `routing.solver.packing_model` over the routes that a search has met and the days found
here, on the way from the best so far (Wentges 1997, Weighted Dantzig-Wolfe Decomposition).

What is relaxed beside that, always in favour of a cheaper plan: driving takes as long as in the fastest of the tables,
on the fastest way by way of other stops; a break may be taken while driving; each shift begins and ends at its own
place or at any of its lodgings, whatever the one before it does; spacings, loads and `max_jobs` are not asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.native import native
from routing.problem import UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.solution import Bound, Solution
from routing.solver.packing_model import Column, job_prices
from routing.timing import NEVER

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

KIND = "Lagrangian"
STRETCHES = 600
"""Into so many stretches a shift is cut: a minute each of a day of ten hours. What is done in one is done at once."""
COARSE_S = 900
"""Stretches in which is told beforehand what the rest of a day costs at least."""
ROUNDS = 40
"""Prices that are tried at most, where the steps allow."""
STEP = 0.6
"""How far prices go from the best so far to those of the relaxation."""
STEPS_PER_SECOND = 30_000_000
STEPS_PER_COLUMN = 1_000
"""Steps of the dynamic programmes that one core does in a second, and that the relaxation takes as long as."""
LEAST_GAIN = 1e-6
"""What a job must be worth, its price taken off, to be looked at: removing another never makes a day dearer."""
ROUNDING_S = 1.0
"""Taken off in the end for what floating-point numbers lose."""


def lower_bound(
    problem: Problem,
    solution: Solution,
    met: Iterable[Column] = (),
    most_steps: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Bound | None:
    """What no plan costs less than; None where nothing above 0 was found.

    Args:
        solution: a good plan; the better, the better the bound.
        met: more routes that can be driven; many of a search make the bound much better.
        most_steps: about STEPS_PER_SECOND; equal steps give the same bound on every machine. The first prices
            are looked at in any case; None is no limit.
        cancelled: asked between two days; what is known so far is told then.
    """
    relaxation = _Relaxation.of(problem)
    columns, solution_s = [*met, *_columns_of(problem, solution)], solution.cost_s(problem)
    best_s, best_prices, steps, step = 0.0, None, 0, STEP
    for _ in range(ROUNDS):
        prices = relaxation.by_key(job_prices(problem, columns))
        if best_prices is not None:
            prices = best_prices + step * (prices - best_prices)
        cost_s = relaxation.cost_of_nothing_s - float(prices.sum())
        known, before = relaxation.cheapest_known(columns, prices), len(columns)
        steps += STEPS_PER_COLUMN * before
        for day in relaxation.days:
            if cancelled():
                return _bound(best_s)
            known_s, found = known.get(day.number, 0.0), day.cheapest(prices, known.get(day.number, 0.0))
            cost_s += min(known_s, found.cost_s)
            steps += found.steps
            if found.jobs:
                columns.append(Column(day.number, found.jobs, round(found.unpriced_s)))
        if best_prices is None or cost_s > best_s:
            best_s, best_prices = cost_s, prices
        settled = len(columns) == before  # these prices teach nothing new
        if (settled and step == 1.0) or best_s > solution_s - 1 or (most_steps is not None and steps >= most_steps):
            break
        step = 1.0 if settled else STEP
    return _bound(best_s)


def _bound(cost_s: float) -> Bound | None:
    whole_s = int(np.ceil(cost_s - ROUNDING_S))  # costs are whole seconds
    return Bound(whole_s, KIND) if whole_s > 0 else None


def _columns_of(problem: Problem, solution: Solution) -> list[Column]:
    shift_number = {shift.id: k for k, shift in enumerate(problem.shifts)}
    job_number = {job.id: j for j, job in enumerate(problem.jobs)}
    columns = []
    for route in solution.routes:
        night_s = 0 if route.lodging_after is None else problem.lodging_by_id[route.lodging_after].cost_s
        shift, jobs = problem.shift_by_id[route.shift], tuple(job_number[id_] for id_ in route.jobs)
        saved_s = sum(_saved_s(problem, shift, problem.jobs[j]) for j in jobs)
        columns.append(Column(shift_number[route.shift], jobs, route.drive_s + night_s - saved_s))
    return columns


def _saved_s(problem: Problem, shift: Shift, job: Job) -> int:
    """What a plan's cost falls by when the job is done on the shift, driving aside."""
    seen_s = job.moved_s if job.seen_on == shift.id else 0
    return job.cost_of_leaving_out_s + seen_s - problem.tardiness_s(shift, job)


class _Cheapest(NamedTuple):
    """A day at some prices: its cost with and without them, the jobs it does (some twice), and what it took."""

    cost_s: float
    unpriced_s: float
    jobs: tuple[int, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class _Day:
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

    def cheapest(self, prices: Real, known_s: float) -> _Cheapest:
        """The cheapest day, if it costs less than a known one does; else that one's cost, and no jobs."""
        gain = self.saved_s - prices[self.keys]
        active = np.flatnonzero(gain > LEAST_GAIN)
        if not len(active):
            return _Cheapest(0.0, 0.0, (), 0)
        rows = [*active, len(self.jobs)]
        travel, price = self.travel_s[np.ix_(rows, active)], self.drive_s[np.ix_(rows, active)] - gain[active]
        lasts = travel + self.service_s[active]
        lasts[np.arange(len(active)), np.arange(len(active))] = NEVER
        least = int(lasts.min())
        if least < 1:  # jobs that take no time at all could be done for ever
            return _Cheapest(-float(gain[active].sum()), 0.0, (), 0)
        width = max(1, min(int(self.hours_s[1] - self.hours_s[0]) // STRETCHES, least))
        done = np.zeros(len(active), dtype=np.int64)
        cost_s, steps = _cheapest_day(
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
        return _Cheapest(cost_s, unpriced_s, tuple(np.repeat(self.jobs[active], done).tolist()), steps)


@dataclass(frozen=True, slots=True)
class _Relaxation:
    days: list[_Day]
    key_of_job: Whole
    cost_of_nothing_s: int

    @classmethod
    def of(cls, problem: Problem) -> _Relaxation:
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


def _days_of(problem: Problem, numbers: Sequence[int], key_of_job: Whole) -> list[_Day]:
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
    served = [[j for j, job in enumerate(problem.jobs) if _may_be_on(shift, job)] for shift in shifts]
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
    _close(shortest)
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
) -> _Day:
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
    return _Day(
        number,
        np.array(numbers, dtype=np.int64),
        key_of_job[numbers],
        np.array([_saved_s(problem, shift, job) for job in jobs], dtype=np.int64),
        drive,
        drive + parking,
        service,
        home.min(axis=1),
        (home + np.array([cost_s for _, cost_s in ends])).min(axis=1),
        opens,
        closes,
        np.array([shift.start_s, shift.end_s, *rest], dtype=np.int64),
    )


@native
def _close(matrix: Whole) -> None:
    """The shortest ways between all places, by way of others or not (Floyd and Warshall), in place."""
    for k in range(len(matrix)):
        for i in range(len(matrix)):
            by = matrix[i, k]
            if by < NEVER:
                for j in range(len(matrix)):
                    if by + matrix[k, j] < matrix[i, j]:
                        matrix[i, j] = by + matrix[k, j]


# Loops call loops with numbers only: handing over arrays would cost more than what is done with them.


@native
def _at_door(free_s: int, travel_s: int, rests: bool, rest_s: int, rest_from_s: int, rest_by_s: int) -> int:
    """When somebody is at the next door, the break taken on the way or not; NEVER if it is too late for one."""
    if not rests:
        return free_s + travel_s
    return max(free_s + travel_s, rest_from_s) + rest_s if free_s <= rest_by_s else NEVER


@native
def _still_to_go(
    travel_s: Whole,
    price: Real,
    service_s: Whole,
    home_s: Whole,
    home_cost: Real,
    opens_s: Whole,
    closes_s: Whole,
    hours_s: Whole,
    width_s: int,
) -> Real:
    """What the rest of a day costs at least: stretches of `width_s` × jobs × the break owed or taken. In each stretch
    everybody is as early as its begin."""
    n, windows = closes_s.shape
    start, end, rest, rest_from, rest_by = hours_s[0], hours_s[1], hours_s[2], hours_s[3], hours_s[4]
    owed = 0 if rest > 0 else 1
    to_go = np.full(((end - start) // width_s + 1, n, 2), np.inf)
    for stretch in range(len(to_go) - 1, -1, -1):
        free = start + stretch * width_s
        for a in range(n):
            for taken in range(owed, 2):
                if _at_door(free, home_s[a], not taken, rest, rest_from, rest_by) > end:
                    continue
                least = home_cost[a]
                for b in range(n):
                    for after in range(taken, 2):
                        ready = _at_door(free, travel_s[a, b], after > taken, rest, rest_from, rest_by)
                        if a == b or ready > end:
                            break
                        for w in range(windows):
                            if ready <= closes_s[b, w]:
                                when = max(ready, opens_s[b, w]) + service_s[b]
                                if when <= end:
                                    least = min(least, price[a, b] + to_go[(when - start) // width_s, b, after])
                                break
                to_go[stretch, a, taken] = least
    return to_go


@native
def _cheapest_day(
    travel_s: Whole,
    price: Real,
    service_s: Whole,
    home_s: Whole,
    home_cost: Real,
    opens_s: Whole,
    closes_s: Whole,
    hours_s: Whole,
    width_s: int,
    coarse_s: int,
    best: float,
    done: Whole,
) -> tuple[float, int]:
    """The least cost of a day if it is less than `best`, and how many steps that took; `done` counts how often it does
    each job.

    Ways that stand at one job, in one stretch of `width_s`, with the break owed or taken are one: free with the
    earliest of them, as cheap as the cheapest, and as the cheapest that came from elsewhere, so that none goes back at
    once. A way is dropped that surely ends dearer than `best`.
    """
    n, windows = closes_s.shape
    steps = 0
    start, end, rest, rest_from, rest_by = hours_s[0], hours_s[1], hours_s[2], hours_s[3], hours_s[4]
    to_go = _still_to_go(travel_s, price, service_s, home_s, home_cost, opens_s, closes_s, hours_s, coarse_s)
    cells = ((end - start) // width_s + 1) * n * 2
    free_s = np.full(cells + 1, NEVER, dtype=np.int64)
    costs = np.full((cells + 1, 2), np.inf)
    before = np.full((cells + 1, 2), -1, dtype=np.int64)  # a cell and which of its two
    came = np.full((cells + 1, 2), -1, dtype=np.int64)
    lowest = np.full((n, 2, 2), np.inf)
    lowest_came = np.full((n, 2), -1, dtype=np.int64)
    free_s[cells], costs[cells, 0] = start, 0.0
    best_way = -1
    for number in range(-1, cells):
        cell = number if number >= 0 else cells
        if costs[cell, 0] == np.inf:
            continue
        a, taken, free = n, 0 if rest > 0 else 1, free_s[cell]
        if number >= 0:
            a, taken = cell // 2 % n, cell % 2
            ahead = False  # of those that stood there sooner
            for which in range(2):
                cost, from_ = costs[cell, which], came[cell, which]
                if cost < lowest[a, taken, 0]:
                    ahead = True
                    if from_ != lowest_came[a, taken]:
                        lowest[a, taken, 1] = lowest[a, taken, 0]
                    lowest[a, taken, 0], lowest_came[a, taken] = cost, from_
                elif cost < lowest[a, taken, 1] and from_ != lowest_came[a, taken]:
                    ahead = True
                    lowest[a, taken, 1] = cost
            if not ahead or costs[cell, 0] + to_go[(free - start) // coarse_s, a, taken] >= best:
                continue
            if costs[cell, 0] + home_cost[a] < best:
                best, best_way = costs[cell, 0] + home_cost[a], cell * 2
        steps += n
        for b in range(n):
            which = 1 if came[cell, 0] == b else 0
            spent = costs[cell, which] + price[a, b]
            for after in range(taken, 2):
                ready = _at_door(free, travel_s[a, b], after > taken, rest, rest_from, rest_by)
                if a == b or ready > end:
                    break
                when = NEVER
                for w in range(windows):
                    if ready <= closes_s[b, w]:
                        when = max(ready, opens_s[b, w]) + service_s[b]
                        break
                if _at_door(when, home_s[b], not after, rest, rest_from, rest_by) > end:
                    continue
                if spent + to_go[(when - start) // coarse_s, b, after] >= best:
                    continue
                at = ((when - start) // width_s * n + b) * 2 + after
                free_s[at] = min(free_s[at], when)
                if spent < costs[at, 0]:
                    if came[at, 0] != a:
                        costs[at, 1], before[at, 1], came[at, 1] = costs[at, 0], before[at, 0], came[at, 0]
                    costs[at, 0], before[at, 0], came[at, 0] = spent, cell * 2 + which, a
                elif spent < costs[at, 1] and came[at, 0] != a:
                    costs[at, 1], before[at, 1], came[at, 1] = spent, cell * 2 + which, a
    while best_way >= 0 and best_way // 2 < cells:
        done[best_way // 4 % n] += 1
        best_way = before[best_way // 2, best_way % 2]
    return best, steps + n * n * len(to_go)
