"""Field-shaped weeks: plain OR-Tools, this solver and VROOM on the same problems, judged by the same `Solution.cost_s`.

    python tests/benchmarks/bench_solver.py --seconds 25 --instances 1 2 [--breaks] [--reps 10 --days 5 --visits 800]

Prints the cost of each in minutes and its ratio to VROOM's, or to plain OR-Tools' where `pyvroom` is not installed.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import defaultdict
from dataclasses import replace

from routing.problem import DAY_S, Break, Job, Problem, Shift, TimeWindow
from routing.solution import Solution
from routing.solver import SearchLimits, solve
from routing.timing import Timeline, schedule

HOUR_S = 3600


def field_week(seed: int, reps: int, days: int, visits: int, appointments: int, breaks: bool) -> Problem:
    """Reps at home in a region of 100 × 100 km, three visits of four in towns; owners, deadlines, opening hours.

    Appointments are set so that their rep can keep them all. One seed gives the same week with and without breaks.
    """
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
    import numpy as np

    xy = np.array(points)
    km = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * 1.3
    speed = np.where(km < 8, 30, np.where(km < 25, 50, 70))
    noise = np.random.default_rng(rng.randrange(1 << 30)).uniform(0.92, 1.12, km.shape)
    seconds = (km / speed * 3600 + 120) * noise
    np.fill_diagonal(seconds, 0)
    for k in range(len(seconds)):  # shortest ways, as on any road network
        seconds = np.minimum(seconds, seconds[:, k : k + 1] + seconds[k : k + 1, :])
    whole = np.ceil(seconds).astype(np.int64)
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


def plain(problem: Problem, seconds: float) -> Solution:
    """One model of OR-Tools for everything, guided local search."""
    import numpy as np

    from routing.solver.regions.assembly import solve_region
    from routing.solver.regions.region import Region

    worths = tuple(job.cost_of_leaving_out_s for job in problem.jobs)
    everything = tuple(range(len(problem.shifts)))
    whole = Region(everything, ((),) * len(everything), tuple(range(len(problem.jobs))), worths, 1 << 40, seconds)
    sequences = solve_region(problem, np.array(problem.seconds), whole) or [[] for _ in everything]
    return _timed(problem, [[problem.jobs[j].id for j in sequence] for sequence in sequences])


def vroom(problem: Problem, seconds: float) -> Solution:
    """VROOM at its highest exploration level, one thread; worth becomes a priority from 0 to 99, 100 is mandatory.

    Its windows bound the begin of service, its breaks the begin of the break, as ours do.
    """
    from datetime import timedelta

    import numpy as np
    import vroom as v  # type: ignore[import-untyped]

    asked = v.Input()
    asked.set_durations_matrix("car", np.array(problem.seconds, dtype=np.uint32))
    skills: dict[frozenset[str], int] = {}
    able: dict[str, set[int]] = defaultdict(set)
    for job in problem.jobs:
        allowed = frozenset(shift.id for shift in problem.eligible_shifts[job.id])
        if allowed not in skills:
            skills[allowed] = len(skills) + 1
            for id_ in allowed:
                able[id_].add(skills[allowed])
    for k, shift in enumerate(problem.shifts):
        rest = shift.break_
        breaks = (
            [v.Break(k + 1, [v.TimeWindow(rest.start_s, rest.latest_start_s)], service=rest.duration_s)] if rest else []
        )
        asked.add_vehicle(
            v.Vehicle(
                k + 1,
                start=shift.start_place,
                end=shift.end_place,
                skills=able[shift.id],
                time_window=v.TimeWindow(shift.start_s, shift.end_s),
                breaks=breaks,
            )
        )
    most = max((job.penalty_s or 0 for job in problem.jobs), default=0) or 1
    for j, job in enumerate(problem.jobs):
        allowed = frozenset(shift.id for shift in problem.eligible_shifts[job.id])
        asked.add_job(
            v.Job(
                j + 1,
                job.place,
                default_service=job.service_s,
                priority=100 if job.penalty_s is None else round(job.penalty_s / most * 99),
                time_windows=[v.TimeWindow(w.start_s, w.end_s) for w in job.windows],
                skills={skills[allowed]},
            )
        )
    found = asked.solve(5, nb_threads=1, timeout=timedelta(seconds=seconds) if seconds else None)
    sequences: list[list[str]] = [[] for _ in problem.shifts]
    for vehicle, kind, id_ in zip(found.routes["vehicle_id"], found.routes["type"], found.routes["id"], strict=True):
        if kind == "job":
            sequences[int(vehicle) - 1].append(problem.jobs[int(id_) - 1].id)
    return _timed(problem, sequences)


def _timed(problem: Problem, sequences: list[list[str]]) -> Solution:
    routes = [
        schedule(problem, shift, [problem.job_by_id[id_] for id_ in sequence])
        for shift, sequence in zip(problem.shifts, sequences, strict=True)
    ]
    lost = [s for s, route in zip(sequences, routes, strict=True) if s and route is None]
    if lost:
        print(f"  ({len(lost)} routes cannot be driven and count as missed)")
    kept = tuple(route for route in routes if route)
    served = {id_ for route in kept for id_ in route.jobs}
    return Solution(kept, tuple(job.id for job in problem.jobs if job.id not in served))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2], help="seeds of the weeks")
    parser.add_argument("--seed", type=int, default=1, help="seed of the search")
    parser.add_argument("--reps", type=int, default=10)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--visits", type=int, default=800)
    parser.add_argument("--appointments", type=int, default=100)
    parser.add_argument("--breaks", action="store_true")
    parser.add_argument("--only", choices=["plain", "ours", "vroom"], nargs="+", default=["plain", "vroom", "ours"])
    given = parser.parse_args()
    solvers = {
        "plain": lambda problem: plain(problem, given.seconds),
        "vroom": lambda problem: vroom(problem, 0),  # to its own end: nothing is gained by stopping it early
        "ours": lambda problem: solve(problem, SearchLimits(seconds=given.seconds, seed=given.seed)),
    }
    for instance in given.instances:
        problem = field_week(instance, given.reps, given.days, given.visits, given.appointments, given.breaks)
        base = None
        for name in given.only:
            began = time.monotonic()
            try:
                solution = solvers[name](problem)
            except ModuleNotFoundError as missing:
                print(f"{name}: not measured, because {missing.name} is not installed (pip install pyvroom)")
                continue
            took = time.monotonic() - began
            cost = solution.cost_s(problem)
            if name == "vroom" or base is None:
                base = cost
            served = len(problem.jobs) - len(solution.unassigned)
            drive = sum(route.drive_s for route in solution.routes)
            firm = sum(problem.job_by_id[id_].mandatory for id_ in solution.unassigned)
            print(
                f"week {instance}{' with breaks' if given.breaks else ''} {name:6s} cost {math.ceil(cost / 60):7d} min"
                f"  ratio {cost / base:.4f}  served {served}  driving {drive // 60} min  mandatory missed {firm}"
                f"  in {took:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
