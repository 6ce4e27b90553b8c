"""Aligning units with centres as a mixed-integer program, solved through OR-Tools.

Every unit has one centre. A unit that is not among a centre's seeds may be the centre's only if a neighbour that is
nearer to these is, too, so that every territory is in one piece (Zoltners, Sinha, "Sales territory alignment: a review
and model", Management Science 29, 1983).
"""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from routing.alignment.domain import AlignmentProblem, Numbers

WITHIN = 1e-4
"""The share of the cost that a search for better owners may stop short of."""
SLACK = 1e-6
"""The share by which a bound is lowered, for the solver's rounding."""
LIKELY = 4
"""Centres of each unit with which the relaxation begins."""
MOST_PRICED = 5_000
"""Pairs of a unit and a centre that join the relaxation at a time."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The owners found, None where there are none in time, and what no owners cost less than (0: not known)."""

    owner: Numbers | None
    bound: float


class _Program:
    """The program for some pairs of units and centres; `whole` wants whole units, else they may be divided."""

    def __init__(self, problem: AlignmentProblem, pairs: NDArray[np.bool_], whole: bool) -> None:
        self.problem = problem
        self.model = mathopt.Model()
        self.given: list[dict[int, mathopt.Variable]] = [{} for _ in pairs]
        self.one = [self.model.add_linear_constraint(lb=1.0, ub=1.0) for _ in pairs]
        self.load = [self.model.add_linear_constraint(lb=-fixed, ub=-fixed) for fixed in problem.fixed.tolist()]
        self.whole = whole
        self._unevenness()
        self.add(pairs)
        self._one_piece()

    def add(self, pairs: NDArray[np.bool_]) -> None:
        """Let these pairs be chosen, too."""
        problem, model = self.problem, self.model
        for u, c in np.argwhere(pairs).tolist():
            variable = model.add_variable(lb=0.0, ub=1.0, is_integer=self.whole)
            self.given[u][c] = variable
            self.one[u].set_coefficient(variable, 1.0)
            self.load[c].set_coefficient(variable, float(problem.needed[u, c]))
            model.objective.set_linear_coefficient(variable, float(problem.price[u, c]))

    def _unevenness(self) -> None:
        """What is off the even share by less than the band is not counted."""
        problem, model, band = self.problem, self.model, self.problem.band
        price, there = problem.unevenness_price, problem.there
        loads = [model.add_variable() for _ in there]
        for row, variable in zip(self.load, loads, strict=True):
            row.set_coefficient(variable, -1.0)
        total = mathopt.fast_sum(loads)
        even = total / float(there.sum())
        top, bottom = model.add_variable(lb=0.0), model.add_variable(lb=0.0)
        for load, hours in zip(loads, there.tolist(), strict=True):
            above, below = model.add_variable(lb=0.0), model.add_variable(lb=0.0)
            over, under = load - hours * (1 + band) * even, hours * (1 - band) * even - load
            model.add_linear_constraint(above >= over)
            model.add_linear_constraint(below >= under)
            model.add_linear_constraint(hours * top >= over)
            model.add_linear_constraint(hours * bottom >= under)
            for off in (above, below):
                model.objective.set_linear_coefficient(off, price)
        for off in (top, bottom):
            model.objective.set_linear_coefficient(off, price * float(there.mean()))
        model.objective.offset = problem.fixed_price

    def _one_piece(self) -> None:
        """A unit needs a neighbour that is nearer to the seeds of its centre, if it is none of them."""
        problem, levels = self.problem, self.problem.levels
        touching: list[list[int]] = [[] for _ in self.given]
        for a, b in problem.neighbours.tolist():
            touching[a].append(b)
            touching[b].append(a)
        for u, given in enumerate(self.given):
            for c, variable in given.items():
                if problem.seeds[u, c] or not np.isfinite(levels[u, c]):
                    continue
                nearer = [self.given[v].get(c) for v in touching[u] if levels[v, c] < levels[u, c]]
                row = self.model.add_linear_constraint(ub=0.0)
                row.set_coefficient(variable, 1.0)
                for neighbour in nearer:
                    if neighbour is not None:
                        row.set_coefficient(neighbour, -1.0)


def solve_alignment(
    problem: AlignmentProblem, pairs: NDArray[np.bool_], start: Numbers, seconds: float | None, nodes: int | None
) -> Solved:
    """The best owners among some pairs of units and centres.

    Args:
        pairs: n × m, which centres a unit may have.
        start: owners to begin with.
        seconds: of wall-clock at most. nodes: of the search tree at most, which is the same on every machine.
    """
    program = _Program(problem, pairs, whole=True)
    hint = {variable: float(start[u] == c) for u, given in enumerate(program.given) for c, variable in given.items()}
    result = mathopt.solve(
        program.model,
        mathopt.SolverType.HIGHS,
        params=mathopt.SolveParameters(
            time_limit=_seconds(seconds), node_limit=nodes, relative_gap_tolerance=WITHIN, random_seed=1
        ),
        model_params=mathopt.ModelSolveParameters(solution_hints=[mathopt.SolutionHint(variable_values=hint)]),
    )
    bound = _bound(float(result.termination.objective_bounds.dual_bound))
    if not result.has_primal_feasible_solution():
        return Solved(None, bound)
    values = result.variable_values()
    owner = [max(given, key=lambda c: values[given[c]]) for given in program.given]
    return Solved(np.array(owner, dtype=np.intp), bound)


def bound_alignment(problem: AlignmentProblem, pairs: NDArray[np.bool_], seconds: float | None) -> float:
    """What no owners cost less than, were units divisible.

    Of all pairs only the likely ones begin (the nearest `LIKELY` centres of a unit, and all that such a pair leans on).
    The others join where they would make it cheaper, without having to be in one piece, which can only lower the bound.
    What more could be saved then is taken off: a unit goes to one centre, and so saves at most once. In want of time it
    is what units cost where each is cheapest.
    """
    began = time.monotonic()
    chosen = _likely(problem, pairs)
    program = _Program(problem, chosen, whole=False)
    best = _bound(problem.fixed_price + float(np.where(pairs, problem.price, np.inf).min(axis=1).sum()))
    while seconds is None or time.monotonic() - began < seconds:
        left = None if seconds is None else max(0.1, seconds - (time.monotonic() - began))
        parameters = mathopt.SolveParameters(time_limit=_seconds(left))
        result = mathopt.solve(program.model, mathopt.SolverType.HIGHS, params=parameters)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            break
        duals = result.dual_values()
        one = np.array([duals[row] for row in program.one])
        load = np.array([duals[row] for row in program.load])
        others = pairs & ~chosen
        needed, price = (np.where(others, values, 0.0) for values in (problem.needed, problem.price))
        saved = np.where(others, price - one[:, None] - needed * load, 0.0)
        most = float(np.minimum(saved.min(axis=1), 0.0).sum())
        best = max(best, _bound(result.objective_value() + most))
        if -most <= WITHIN * abs(result.objective_value()):
            break
        more = np.zeros_like(chosen)
        more.flat[np.argsort(saved, axis=None, kind="stable")[:MOST_PRICED]] = True
        more &= saved < 0
        program.add(more)
        chosen |= more
    return best


def _likely(problem: AlignmentProblem, pairs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The nearest centres of each unit, and whatever their territories would need to reach it."""
    levels = np.where(pairs, problem.levels, np.inf)
    rank = np.argsort(np.argsort(levels, axis=1, kind="stable"), axis=1)
    likely: NDArray[np.bool_] = pairs & (rank < LIKELY)
    likely |= pairs & ~np.isfinite(problem.levels)
    a, b = np.concatenate((problem.neighbours, problem.neighbours[:, ::-1])).T
    while True:
        needed = likely.copy()
        leans = likely[a] & (levels[b] < levels[a])
        np.logical_or.at(needed, b, leans)
        if np.array_equal(needed, likely):
            return likely
        likely = needed


def _seconds(seconds: float | None) -> datetime.timedelta | None:
    return None if seconds is None else datetime.timedelta(seconds=seconds)


def _bound(value: float) -> float:
    return max(0.0, value - SLACK * abs(value)) if np.isfinite(value) else 0.0
