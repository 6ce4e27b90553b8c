"""What the exact models take and give on a made-up week: orders of days, packing, and the bound.

    python tests/benchmarks/bench_exact.py [--seed 1] [--reps 10] [--days 5] [--visits 800] [--seconds 20]

Seconds are of CPU.
"""

from __future__ import annotations

import argparse
import random
import time

from routing.bound import STEPS_PER_SECOND, lower_bound
from routing.instances.field import field_week
from routing.problem import Problem
from routing.sequencing import best_sequence, sequenced
from routing.solver import Progress, SearchLimits, solve
from routing.solver.packing_model import PackingBudget, pack


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("seed", 1), ("reps", 10), ("days", 5), ("visits", 800)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    problem = field_week(asked.seed, asked.reps, asked.days, asked.visits, asked.visits // 8, True)
    last: list[Progress] = []
    plan = solve(problem, SearchLimits(seconds=asked.seconds, seed=asked.seed), on_progress=last.append)
    met = last[-1].met()
    cost_s = plan.cost_s(problem)
    print(f"plan: {cost_s / 60:,.0f} min, {len(plan.routes)} days; the search has kept {len(met):,} routes")
    lower_bound(problem, plan, most_steps=5 * STEPS_PER_SECOND)  # compiled, if it was not
    begun = time.process_time()
    better, proved = sequenced(problem, plan)
    took = time.process_time() - begun
    saved = cost_s - better.cost_s(problem)
    print(f"orders: {len(proved)} of {len(plan.routes)} proved, {saved} s saved, {1000 * took:.0f} ms")
    _twelve(problem, random.Random(asked.seed))
    for budget in (PackingBudget(work=1), PackingBudget(work=5)):
        begun = time.process_time()
        packed = pack(problem, met, [], budget)
        took = time.process_time() - begun
        print(f"packing from nothing, {budget.work:.0f} of work: {took:.1f} s, proved: {packed.proved}")
    for share in (1, 2, 5, 10, 20, 40):
        begun = time.process_time()
        bound = lower_bound(problem, better, met, share * STEPS_PER_SECOND)
        took = time.process_time() - begun
        above = (
            f"{better.cost_s(problem) / bound.cost_s - 1:.1%} above {bound.cost_s / 60:,.0f} min" if bound else "none"
        )
        print(f"bound of {share} s: {above}, {took:.1f} s")
    return 0


def _twelve(problem: Problem, rng: random.Random) -> None:
    """Days of twelve visits near each other, in any order to begin with."""
    times = []
    shift = max(problem.shifts, key=lambda shift: shift.end_s - shift.start_s)
    near = sorted(
        (job for job in problem.jobs if problem.may_serve(shift, job)),
        key=lambda job: problem.seconds[shift.start_place][job.place],
    )
    for _ in range(20):
        jobs = rng.sample(near[:60], 12)
        begun = time.process_time()
        best_sequence(problem, shift, jobs)
        times.append(time.process_time() - begun)
    print(f"twelve visits: {1000 * sum(times) / len(times):.1f} ms, at most {1000 * max(times):.1f} ms")


if __name__ == "__main__":
    raise SystemExit(main())
