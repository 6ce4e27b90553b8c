"""Choosing the best plan among routes that a search has met: set packing, solved through OR-Tools.

A search throws away most of what it finds: a good Tuesday goes with the bad Thursday that it was found beside. Packing
puts the days of all plans together anew (Rochat & Taillard 1995, Probabilistic diversification and intensification in
local search for vehicle routing). The linear relaxation comes first; its reduced costs rule out every route that cannot
be in a plan better than the best known one, and an integer program chooses among the rest. Both solvers release the
interpreter's lock and end within some hundredths of a second when asked, so they run in the caller's process, in a
thread beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from routing.errors import ProblemError
from routing.problem import DAY_S, MANDATORY_COST_S, Problem, Shift

if TYPE_CHECKING:  # OR-Tools brings pandas: it is imported where it is first used
    from ortools.sat.python import cp_model

_T = TypeVar("_T")
_Key = tuple[str | int | None, ...]
"""A rule between routes: what it is about, and which one of these."""

NOWHERE = -1
"""In place of the number of a lodging: the night is spent at the shift's own place."""
ASK_S = 0.02
"""How often `stop` is asked."""
LP_SHARE = 0.5
"""Of the budget, for the relaxation; without its end nothing is ruled out, and nothing chosen."""
SPARE_S = DAY_S // 2
FIRM = "must be done"
FRACTION = 1e-6
"""What a solver's rounding may be off by, in shares of a cost."""


class Column(NamedTuple):
    """A route that may be chosen: a shift and its jobs in order, as numbers of the problem's.

    `cost_s` is what the plan's cost changes by: driving, tardiness and the night after it, less what its jobs are worth
    and what would be due if they were moved. Lodgings are numbers too, or NOWHERE.
    """

    shift: int
    jobs: tuple[int, ...]
    cost_s: int
    lodging_before: int = NOWHERE
    lodging_after: int = NOWHERE


@dataclass(frozen=True, slots=True)
class PackingBudget:
    """How long to pack: `seconds` of wall-clock, or `work`, the solvers' own count of what they did, which is about
    seconds too and the same on every machine.

    Raises:
        ProblemError: not exactly one of the two is set, or it is not positive.
    """

    seconds: float | None = None
    work: float | None = None

    def __post_init__(self) -> None:
        budget = self.seconds if self.work is None else self.work
        if (self.seconds is None) == (self.work is None) or budget is None or budget <= 0:
            raise ProblemError("packing budget: set exactly one of seconds and work, to more than 0")


@dataclass(frozen=True, slots=True)
class Prices:
    """What the relaxation would give for one more of each, none below 0: for a shift's day and for doing a job, by
    their numbers."""

    shift_s: tuple[float, ...]
    job_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """The columns chosen, at most one a shift, and their cost: never more than the incumbent's.

    `bound_s` is what no choice among these columns costs less than, and `prices` are the relaxation's; None where it
    was cut short. `proved`: no choice among these columns is better.
    """

    chosen: tuple[Column, ...]
    cost_s: int
    bound_s: float | None = None
    prices: Prices | None = None
    proved: bool = False


def pack(
    problem: Problem,
    columns: Sequence[Column],
    incumbent: Sequence[Column],
    budget: PackingBudget,
    stop: Callable[[], bool] = lambda: False,
) -> Packed:
    """The cheapest choice of columns that keeps every rule between routes: shifts, jobs, groups, lodgings, spacings.

    Args:
        columns: routes that can be driven; each is trusted to keep the rules within a route.
        incumbent: columns, among these or not, that keep every rule: what is chosen costs no more.
        stop: asked many times a second, from this thread; once true, the best so far is returned at once.
    """
    pool = _Pool.of(problem, [*incumbent, *columns])
    known_s = sum(column.cost_s for column in incumbent)
    clock = _Clock(budget, stop)
    relaxed = _relaxation(pool, clock)
    if relaxed is None:
        return Packed(tuple(incumbent), known_s)
    bound_s, duals, reduced_s = relaxed
    prices = pool.prices(duals)
    slack = 1 + FRACTION * abs(bound_s)
    room_s = known_s - bound_s
    if room_s < 1 - FRACTION * abs(bound_s):  # costs are whole seconds
        return Packed(tuple(incumbent), known_s, bound_s, prices, True)
    promising = pool.chosen(np.flatnonzero(reduced_s <= room_s + slack))
    chosen, proved = _choice(problem, promising, incumbent, clock)
    cost_s = sum(column.cost_s for column in chosen)
    if cost_s >= known_s:
        return Packed(tuple(incumbent), known_s, bound_s, prices, proved)
    return Packed(_with_shifts(promising.kind_of_shift, chosen), cost_s, bound_s, prices, proved)


def job_prices(problem: Problem, columns: Sequence[Column]) -> tuple[float, ...]:
    """What it costs to have each job done by others, in the relaxation over these columns: prices for `routing.bound`.

    Lodgings and spacings are not asked for, and a column may do a job twice. What must be done can be done beside all
    columns for SPARE_S: without that, any price up to MANDATORY_COST_S would do.
    """
    pool = _Pool.of(problem, columns)
    rules = [(key, row) for key, row in pool.rows.items() if key[0] in ("shift", "job", "group", FIRM)]
    firm = np.array([key[0] == FIRM for key, _ in rules], dtype=np.bool_)
    firm_jobs = [sum(_job_key(problem, j)[0] == FIRM for j in column.jobs) for column in pool.columns]
    costs = [c.cost_s + MANDATORY_COST_S * times for c, times in zip(pool.columns, firm_jobs, strict=True)]
    rows = np.flatnonzero(firm)
    spare = csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(rules), len(rows)))
    program = _LinearProgram(
        np.array([*costs, *[SPARE_S] * len(rows)], dtype=np.float64),
        hstack([_matrix([row for _, row in rules], len(costs)), spare], format="csr"),
        np.where(firm, 1.0, -np.inf),
        np.array([row.high for _, row in rules], dtype=np.float64),
    )
    of_key = {}
    if program.solve():
        prices = np.maximum(np.where(firm, MANDATORY_COST_S, 0) - program.duals, 0.0)
        of_key = {key: price for (key, _), price in zip(rules, prices.tolist(), strict=True)}
    return tuple(of_key.get(_job_key(problem, j), 0.0) for j in range(len(problem.jobs)))


class _Clock:
    """What is left of a budget, and whether to stop."""

    def __init__(self, budget: PackingBudget, stop: Callable[[], bool]) -> None:
        self._left_work = budget.work
        self._until_s = None if budget.seconds is None else monotonic() + budget.seconds
        self._stop = stop

    def left(self) -> float:
        if self._left_work is not None:
            return self._left_work
        assert self._until_s is not None
        return self._until_s - monotonic()

    @property
    def in_work(self) -> bool:
        return self._left_work is not None

    def spend(self, work: float) -> None:
        if self._left_work is not None:
            self._left_work -= work

    def run(self, solve: Callable[[], _T], interrupt: Callable[[], object]) -> _T:
        """What `solve` returns, interrupted once it is time to stop."""
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(solve)
            while not wait([running], ASK_S).done:
                if self._stop():
                    interrupt()
            return running.result()


@dataclass(frozen=True, slots=True)
class _Row:
    """At least, at most and how often each column counts in a rule between routes."""

    low: float
    high: float
    columns: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Columns, the cheapest of each kind of shift, set of jobs and nights, and the rules between them."""

    problem: Problem
    kind_of_shift: tuple[int, ...]
    columns: tuple[Column, ...]
    rows: Mapping[_Key, _Row]

    @classmethod
    def of(cls, problem: Problem, columns: Iterable[Column]) -> _Pool:
        kinds = _kinds(problem)
        cheapest: dict[Hashable, Column] = {}
        for column in columns:
            key = kinds[column.shift], tuple(sorted(column.jobs)), column.lodging_before, column.lodging_after
            if key not in cheapest or column.cost_s < cheapest[key].cost_s:
                cheapest[key] = column
        return cls._ruled(problem, kinds, tuple(cheapest.values()))

    @classmethod
    def _ruled(cls, problem: Problem, kinds: tuple[int, ...], columns: tuple[Column, ...]) -> _Pool:
        return cls(problem, kinds, columns, _rows(problem, kinds, columns))

    def chosen(self, which: NDArray[np.intp]) -> _Pool:
        return self._ruled(self.problem, self.kind_of_shift, tuple(self.columns[c] for c in which))

    def prices(self, duals: NDArray[np.float64]) -> Prices:
        of_row = dict(zip(self.rows, np.maximum(-duals, 0.0).tolist(), strict=True))
        return Prices(
            tuple(of_row.get(("shift", kind), 0.0) for kind in self.kind_of_shift),
            tuple(of_row.get(_job_key(self.problem, j), 0.0) for j in range(len(self.problem.jobs))),
        )


def _job_key(problem: Problem, job: int) -> _Key:
    group = problem.jobs[job].group
    if group is not None:
        return "group", group
    return (FIRM if problem.jobs[job].mandatory else "job"), job


def _kinds(problem: Problem) -> tuple[int, ...]:
    """A number for each shift: shifts that differ in nothing but their names share the first one's."""
    named = {vehicle for job in problem.jobs for vehicle in job.vehicles or ()}
    named.update(vehicle for lodging in problem.lodgings for vehicle in lodging.vehicles or ())
    seen = {job.seen_on for job in problem.jobs}
    followed = {shift.next_shift for shift in problem.shifts}
    first: dict[Shift | str, int] = {}
    kinds = []
    for k, shift in enumerate(problem.shifts):
        alone = shift.vehicle in named or shift.id in seen or shift.id in followed or shift.next_shift is not None
        kind: Shift | str = shift.id if alone else replace(shift, id="", vehicle="")
        kinds.append(first.setdefault(kind, k))
    return tuple(kinds)


def _rows(problem: Problem, kinds: tuple[int, ...], columns: Sequence[Column]) -> dict[_Key, _Row]:
    """Every rule between routes but the longest time between two jobs of a series, which is for `_too_far_apart`."""
    counts: dict[_Key, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    least_days = {spacing.series: spacing.min_days for spacing in problem.spacings}
    for c, column in enumerate(columns):
        shift = problem.shifts[column.shift]
        counts["shift", kinds[column.shift]][c] += 1
        if column.lodging_after != NOWHERE:
            counts["night", shift.next_shift, column.lodging_after][c] += 1
        if column.lodging_before != NOWHERE:
            counts["night", shift.id, column.lodging_before][c] -= 1
        for j in column.jobs:
            counts[_job_key(problem, j)][c] += 1
            series = problem.jobs[j].series
            if series is not None:
                for first_day in range(shift.day - least_days[series] + 1, shift.day + 1):
                    counts["series", series, first_day][c] += 1
    rows: dict[_Key, _Row] = {}
    for key, of_column in counts.items():
        low = 0.0 if key[0] == "night" else -np.inf
        high = 1
        if key[0] == "night":
            high = 0
        elif key[0] == "shift":
            high = sum(kind == key[1] for kind in kinds)
        rows[key] = _Row(low, high, dict(of_column))
    return rows


def _relaxation(pool: _Pool, clock: _Clock) -> tuple[float, NDArray[np.float64], NDArray[np.float64]] | None:
    """The cost of the linear relaxation, the dual value of each row and the reduced cost of each column."""
    rows = list(pool.rows.values())
    matrix = _matrix(rows, len(pool.columns))
    costs = np.array([column.cost_s for column in pool.columns], dtype=np.float64)
    program = _LinearProgram(
        costs, matrix, np.array([row.low for row in rows]), np.array([row.high for row in rows], dtype=np.float64)
    )
    program.limit("max_deterministic_time" if clock.in_work else "max_time_in_seconds", clock.left() * LP_SHARE)
    if not clock.run(program.solve, program.interrupt):
        return None
    return program.cost, program.duals, costs - program.duals @ matrix


class _LinearProgram:
    """The least cost of columns that are chosen any number of times, each row being between low and high."""

    def __init__(
        self, costs: NDArray[np.float64], matrix: csr_matrix, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        from ortools.linear_solver.python import model_builder

        self._model: Any = model_builder.Model()  # type: ignore[no-untyped-call]
        least, most = np.zeros(len(costs)), np.full(len(costs), np.inf)
        helper: Any = self._model.helper
        helper.fill_model_from_sparse_data(least, most, costs, low, high, matrix)
        self._solver = model_builder.Solver("GLOP")
        self._parameters = "use_dual_simplex:true"
        self._optimal = model_builder.SolveStatus.OPTIMAL
        self.interrupt = self._solver.stop_search

    def limit(self, which: str, value: float) -> None:
        self._parameters += f" {which}:{value}"

    def solve(self) -> bool:
        """Whether the least cost was found."""
        self._solver.set_solver_specific_parameters(self._parameters)
        return bool(self._solver.solve(self._model) == self._optimal)

    @property
    def cost(self) -> float:
        return float(self._solver.objective_value)

    @property
    def duals(self) -> NDArray[np.float64]:
        """Of the rows."""
        return np.asarray(self._solver.dual_values(self._model.get_linear_constraints()), dtype=np.float64)


def _matrix(rows: Sequence[_Row], columns: int) -> csr_matrix:
    ends = np.cumsum([0, *(len(row.columns) for row in rows)])
    where = [c for row in rows for c in row.columns]
    values = [float(times) for row in rows for times in row.columns.values()]
    return csr_matrix((values, where, ends), shape=(len(rows), columns))


def _choice(
    problem: Problem, pool: _Pool, incumbent: Sequence[Column], clock: _Clock
) -> tuple[tuple[Column, ...], bool]:
    """The best columns found, and whether there are none better."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in pool.columns]
    for row in pool.rows.values():
        _add_row(model, chosen, row)
    model.minimize(sum(column.cost_s * variable for column, variable in zip(pool.columns, chosen, strict=True)))
    known = {(pool.kind_of_shift[column.shift], column.jobs) for column in incumbent}
    for column, variable in zip(pool.columns, chosen, strict=True):
        model.add_hint(variable, (pool.kind_of_shift[column.shift], column.jobs) in known)
    while clock.left() > 0:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2  # routes share many jobs: cuts of the relaxation prove most
        if clock.in_work:
            solver.parameters.max_deterministic_time = clock.left()
        else:
            solver.parameters.max_time_in_seconds = clock.left()
        status = clock.run(lambda solver=solver: solver.solve(model), solver.stop_search)  # type: ignore[misc]
        clock.spend(solver.response_proto.deterministic_time)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            break
        found = tuple(
            column for column, variable in zip(pool.columns, chosen, strict=True) if solver.boolean_value(variable)
        )
        too_far = [*_too_far_apart(problem, found)]
        if not too_far:
            return found, status == cp_model.OPTIMAL
        for row in (_closer(pool, *each) for each in too_far):
            _add_row(model, chosen, row)
    return tuple(incumbent), False


def _add_row(model: cp_model.CpModel, chosen: Sequence[cp_model.IntVar], row: _Row) -> None:
    if (row.low, row.high) == (-np.inf, 1) and all(times == 1 for times in row.columns.values()):
        model.add_at_most_one(chosen[c] for c in row.columns)
        return
    total = sum(times * chosen[c] for c, times in row.columns.items())
    model.add(total <= int(row.high))
    if row.low > -np.inf:
        model.add(total >= int(row.low))


def _days_of_series(problem: Problem, columns: Iterable[Column]) -> dict[str, set[int]]:
    days: dict[str, set[int]] = defaultdict(set)
    for column in columns:
        for j in column.jobs:
            series = problem.jobs[j].series
            if series is not None:
                days[series].add(problem.shifts[column.shift].day)
    return days


def _too_far_apart(problem: Problem, columns: Iterable[Column]) -> Iterable[tuple[str, int, int]]:
    """Two days of a series with none of it between, further apart than they may be."""
    most_days = {spacing.series: spacing.max_days for spacing in problem.spacings}
    for series, days in _days_of_series(problem, columns).items():
        for before, after in pairwise(sorted(days)):
            if after - before > most_days[series]:
                yield series, before, after


def _closer(pool: _Pool, series: str, before: int, after: int) -> _Row:
    """Not on both of two days without a day between."""
    counts: dict[int, int] = {}
    for c, column in enumerate(pool.columns):
        day = pool.problem.shifts[column.shift].day
        if before <= day <= after and any(pool.problem.jobs[j].series == series for j in column.jobs):
            counts[c] = 1 if day in (before, after) else -1
    return _Row(-np.inf, 1, counts)


def _with_shifts(kind_of_shift: Sequence[int], chosen: Iterable[Column]) -> tuple[Column, ...]:
    """A shift of its own for each column, among those of its kind; in their order."""
    free: dict[int, list[int]] = defaultdict(list)
    for k, kind in enumerate(kind_of_shift):
        free[kind].append(k)
    given = []
    for column in chosen:
        left = free[kind_of_shift[column.shift]]
        shift = column.shift if column.shift in left else left[0]
        left.remove(shift)
        given.append(column._replace(shift=shift))
    return tuple(sorted(given))
