"""Made-up weeks of field reps: homes, towns, owners, deadlines, opening hours and appointments."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import floyd_warshall

from routing.errors import ProblemError
from routing.problem import DAY_S, Break, Job, Problem, Shift, TimeWindow
from routing.timing import Timeline

MOST_REPS, MOST_DAYS, MOST_VISITS = 200, 60, 10_000

HOUR_S = 3600


def field_week(seed: int, reps: int, days: int, visits: int, appointments: int, breaks: bool) -> Problem:
    """Reps at home in a region of 100 × 100 km, three visits of four in towns; owners, deadlines, opening hours.

    Appointments are set so that their rep can keep them all. One seed gives the same week with and without breaks.

    Raises:
        ProblemError: numbers that make no week, or a larger one than is measured.
    """
    for name, number, least, most in (
        ("reps", reps, 1, MOST_REPS),
        ("days", days, 1, MOST_DAYS),
        ("visits", visits, 1, MOST_VISITS),
        ("appointments", appointments, 0, visits),
    ):
        if not least <= number <= most:
            raise ProblemError(f"a field week: {number:,} {name}, not between {least} and {most:,}")
    rng = random.Random(seed)
    homes = [(rng.uniform(10, 90), rng.uniform(10, 90)) for _ in range(reps)]
    towns = [(rng.uniform(0, 100), rng.uniform(0, 100)) for _ in range(25)]
    customers = []
    for _ in range(visits):
        if rng.random() < 0.75:
            x, y = rng.choice(towns)
            customers.append((rng.gauss(x, 4), rng.gauss(y, 4)))
        else:
            customers.append((rng.uniform(0, 100), rng.uniform(0, 100)))
    seconds, metres = _roads(rng, [*homes, *customers])
    rest = Break(45 * 60, int(11.5 * HOUR_S), int(14.25 * HOUR_S)) if breaks else None
    shifts = [
        Shift(
            f"rep{r}-day{d}",
            f"rep{r}",
            r,
            r,
            d * DAY_S + 8 * HOUR_S,
            d * DAY_S + int(17.5 * HOUR_S),
            rest and Break(rest.duration_s, d * DAY_S + rest.start_s, d * DAY_S + rest.end_s),
        )
        for d in range(days)
        for r in range(reps)
    ]
    jobs = [_visit(rng, v, reps + v, reps, days, seconds) for v in range(visits)]
    problem = Problem(tuple(jobs), tuple(shifts), seconds, metres)
    return replace(problem, jobs=tuple(_appointments(rng, problem, appointments)))


def _roads(rng: random.Random, points: list[tuple[float, float]]) -> tuple[list[list[int]], list[list[int]]]:
    xy = np.array(points)
    km = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * 1.3
    speed = np.where(km < 8, 30, np.where(km < 25, 50, 70))
    noise = np.random.default_rng(rng.randrange(1 << 30)).uniform(0.92, 1.12, km.shape)
    seconds = (km / speed * 3600 + 120) * noise
    np.fill_diagonal(seconds, 0)
    whole = np.ceil(floyd_warshall(seconds)).astype(np.int64)  # shortest ways, as on any road network
    return whole.tolist(), (km * 1000).astype(np.int64).tolist()


def _visit(rng: random.Random, number: int, place: int, reps: int, days: int, seconds: list[list[int]]) -> Job:
    near = sorted(range(reps), key=lambda r: seconds[r][place])
    owners = {near[0] if rng.random() < 0.8 else near[min(1, reps - 1)]}
    if rng.random() < 0.4:
        owners.update(near[:2])
    service_s = rng.choice([1800, 1800, 2700, 2700, 3600])
    open_days = list(range(days))
    kind = rng.random()
    if kind < 0.2:
        open_days = open_days[: rng.randint(min(2, days), days)]
    elif kind < 0.3:
        open_days = sorted(rng.sample(open_days, min(3, days)))
    hours = rng.choices([[(8, 17)], [(8, 12)], [(13, 17)], [(9, 12), (14, 17)]], [5, 2, 1, 2])[0]
    windows = tuple(
        TimeWindow(d * DAY_S + a * HOUR_S, d * DAY_S + b * HOUR_S - service_s) for d in open_days for a, b in hours
    )
    worth_s = max(900, min(40_000, int(rng.lognormvariate(8.6, 0.8))))
    return Job(
        f"visit{number}", place, service_s, windows, penalty_s=worth_s, vehicles=frozenset(f"rep{r}" for r in owners)
    )


def _appointments(rng: random.Random, problem: Problem, count: int) -> list[Job]:
    jobs = {job.id: job for job in problem.jobs}
    fixed: dict[str, list[Job]] = defaultdict(list)
    order = [shift for _ in range(40) for shift in rng.sample(problem.shifts, len(problem.shifts))]
    for shift in order:
        if sum(map(len, fixed.values())) >= count:
            break
        day_s = shift.start_s // DAY_S * DAY_S
        job = rng.choice(problem.jobs)
        taken = any(job.id == other.id for others in fixed.values() for other in others)
        if taken or job.vehicles is None or shift.vehicle not in job.vehicles or len(fixed[shift.id]) >= 2:
            continue
        begin_s = day_s + rng.choice([int(9.5 * HOUR_S), 15 * HOUR_S]) + rng.choice([0, 900, 1800])
        firm = replace(
            job, windows=(TimeWindow(begin_s, begin_s),), penalty_s=None, vehicles=frozenset({shift.vehicle})
        )
        with_it = sorted([*fixed[shift.id], firm], key=lambda j: j.windows)
        if Timeline.of(problem, shift, with_it).feasible:
            fixed[shift.id] = with_it
            jobs[job.id] = firm
    return list(jobs.values())
