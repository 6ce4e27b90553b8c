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

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from routing.bound.relaxed import Relaxation, saved_s
from routing.bound.variants import variants
from routing.problem import Problem
from routing.solution import Bound, Solution
from routing.solver.packing_model import Column, job_prices

KIND = "Lagrangian"
FEWEST_ROUNDS, ROUNDS = 7, 40
"""Prices that are tried: after fewer a bound says nothing."""
THREADS = 2
STEP = 0.6
"""How far prices go from the best so far to those of the relaxation."""
STEPS_PER_SECOND = 30_000_000
STEPS_PER_COLUMN = 1_000
"""Steps of the dynamic programmes that one core does in a second, and that the relaxation takes as long as."""
ROUNDING_S = 1.0
"""Taken off in the end for what floating-point numbers lose."""


def lower_bound(
    problem: Problem,
    solution: Solution,
    met: Iterable[Column] = (),
    most_steps: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    on_progress: Callable[[float], object] = lambda share: None,
) -> Bound | None:
    """What no plan costs less than; None where nothing above 0 was found.

    Args:
        solution: a good plan; the better, the better the bound.
        met: more routes that can be driven; many of a search make the bound much better.
        most_steps: about STEPS_PER_SECOND; equal steps give the same bound on every machine. Where they are too few
            there is no bound; None is no limit.
        cancelled: asked between two days; what is known so far is told then.
        on_progress: told between two days which share of the steps or of the rounds is spent, 0 to 1. What it raises
            ends the looking.
    """
    if cancelled():
        return None
    relaxation = Relaxation.of(problem)
    if most_steps is not None and FEWEST_ROUNDS * relaxation.steps_of_a_round > most_steps:
        return None
    of_plan, solution_s = _columns_of(problem, solution), solution.cost_s(problem)
    columns, guessed = [*met, *of_plan], variants(relaxation.days, of_plan)
    best_s, best_prices, steps, step = 0.0, None, 0, STEP
    for number in range(ROUNDS):
        prices = relaxation.by_key(job_prices(problem, [*columns, *guessed]))
        if best_prices is not None:
            prices = best_prices + step * (prices - best_prices)
        cost_s = relaxation.cost_of_nothing_s - float(prices.sum())
        known, before = relaxation.cheapest_known(columns, prices), len(columns)
        steps += STEPS_PER_COLUMN * (before + len(guessed))
        # The loops let others work, and in which order they end is all the same.
        with ThreadPoolExecutor(THREADS) as threads:
            try:
                running = [threads.submit(day.cheapest, prices, known.get(day.number, 0.0)) for day in relaxation.days]
                for day, each in zip(relaxation.days, running, strict=True):
                    on_progress(min(1.0, max(number / ROUNDS, steps / most_steps if most_steps else 0.0)))
                    if cancelled():
                        return _bound(best_s)
                    found = each.result()
                    cost_s += found.cost_s
                    steps += found.steps
                    if found.jobs:
                        columns.append(Column(day.number, found.jobs, round(found.unpriced_s)))
            finally:
                threads.shutdown(cancel_futures=True)
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
        worth_s = sum(saved_s(problem, shift, problem.jobs[j]) for j in jobs)
        columns.append(Column(shift_number[route.shift], jobs, route.drive_s + night_s - worth_s))
    return columns
