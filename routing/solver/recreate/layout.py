"""A problem as arrays, prepared once: what the compiled loops read. Jobs that no shift may serve are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.problem import DAY_S, MANDATORY_COST_S, UNREACHABLE, Job, Problem
from routing.solver.recreate.state import (
    F_COST,
    F_WINDOW,
    F_WINDOW_END,
    FAR,
    J_CLOSES,
    J_DEMAND,
    J_FIRM,
    J_GROUP,
    J_OPENS,
    J_PLACE,
    J_SERIES,
    J_SERVICE,
    J_SETUP,
    J_SHIFTS,
    J_SHIFTS_END,
    NOWHERE,
    PLENTY,
    S_BEFORE,
    S_DAY,
    S_END,
    S_FROM,
    S_KIND,
    S_LODGINGS,
    S_LODGINGS_END,
    S_MOST,
    S_NEXT,
    S_START,
    S_TO,
    Arrays,
    Ints,
    Longs,
)

NEAR = 200
"""Neighbours kept of each job, for the strings that are taken out; more were not used in a week of 800 visits."""
BESIDE = 40
"""Neighbours in space and time beside which a job is tried, where there are too many shifts to try them all."""
ALIKE = 4
"""Shifts are many and alike where there are so many times as many of them as kinds of them."""
ROWS = 512
"""Rows of large matrices worked on at a time."""


@dataclass(frozen=True)
class Layout:
    """`arrays`, and what leads back to the problem: `job_of[j]` is the problem's number of the job in row j."""

    problem: Problem
    arrays: Arrays
    job_of: tuple[int, ...]
    worth_s: Longs
    """What doing a job saves; a mandatory one saves more than all optional ones together."""
    longest: int
    """Jobs that a shift can hold at most."""
    nearest_s: float
    """Mean driving from a job to the nearest one at another place: the scale of what a change costs."""

    @cached_property
    def row_of(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self.job_of)}

    @property
    def many_alike(self) -> bool:
        """Whether there are so many equal shifts that a job is only tried beside its neighbours."""
        return self.arrays.beside.shape[1] > 0


def laid_out(problem: Problem) -> Layout:
    """The problem as arrays. O(jobs × shifts + jobs × jobs)."""
    tables, changes = _tables(problem)
    shifts = _shifts(problem)
    fit = _fit(problem, tables[0], shifts)
    place_of = np.array([job.place for job in problem.jobs], dtype=np.int64)
    order = _by_nearness(tables[0])
    row = np.argsort(order)
    served = np.flatnonzero((fit[:, :, F_COST] < FAR).any(axis=1))
    served = served[np.argsort(row[place_of[served]], kind="stable")]
    able = [problem.jobs[j] for j in served]
    fit = np.ascontiguousarray(fit[served])
    windows = [(window.start_s, window.end_s) for job in problem.jobs for window in job.windows]
    kinds = _kinds(shifts, fit)
    shifts[:, S_KIND] = kinds
    jobs, may = _jobs(able, fit)
    fit = np.ascontiguousarray(fit[:, np.unique(kinds, return_index=True)[1]])
    groups, series = _related(problem, able, jobs)
    lodgings, stays = _lodgings(problem, shifts)
    places = jobs[:, J_PLACE]
    near = _near(tables[0], places)
    alike = len(able) > BESIDE and len(problem.shifts) >= ALIKE * fit.shape[1]
    beside = _beside(tables[0], jobs) if alike else np.zeros((len(able), 0), dtype=np.int64)
    around, nearest_s = _around(tables[0], places, lodgings), _nearest_s(tables[0], places, near)
    tables = tables[:, order][:, :, order]
    jobs[:, J_PLACE], lodgings[:, 0] = row[places], row[lodgings[:, 0]]
    shifts[:, [S_START, S_END]] = row[shifts[:, [S_START, S_END]]]
    arrays = Arrays(
        jobs,
        shifts,
        fit,
        _array(windows, 2).astype(np.int32),
        np.stack((tables[0], tables[0].T), axis=-1),
        tables if len(changes) > 1 else np.zeros((1, 1, 1), dtype=np.int32),
        changes,
        may,
        near,
        beside,
        groups,
        series,
        lodgings,
        stays,
        around,
    )
    return Layout(problem, arrays, tuple(int(j) for j in served), _worths(able), _longest(jobs, shifts), nearest_s)


def _by_nearness(seconds: Ints) -> Longs:
    """All places, after each the nearest that is left: what is looked at together lies together in the processor's
    cache."""
    far = np.minimum(seconds, seconds.T)
    left = np.zeros(len(far), dtype=np.int32)  # what is added to the ways to places that are not left
    order = np.zeros(len(far), dtype=np.int64)
    for k in range(1, len(far)):
        left[order[k - 1]] = FAR + 1
        order[k] = np.argmin(far[order[k - 1]] + left)
    return order


def _array(rows: Sequence[Sequence[int]], columns: int) -> Longs:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


def _padded(rows: Sequence[Sequence[int]]) -> Longs:
    """Rows of different lengths, filled up with -1."""
    table = np.full((len(rows), max(map(len, rows), default=0)), -1, dtype=np.int64)
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table


def _tables(problem: Problem) -> tuple[Ints, Longs]:
    """The tables and the changes; where one table holds all the time, that one alone."""
    tables = (problem.seconds, *problem.tables)
    changes = [(change.from_s, change.table) for change in problem.traffic]
    if len(changes) < 2:
        tables, changes = (tables[changes[0][1] if changes else 0],), [(0, 0)]
    n = len(problem.seconds)
    seconds = np.zeros((len(tables), n, n), dtype=np.int32)
    for k, table in enumerate(tables):
        for row, values in zip(seconds[k], table, strict=True):
            row[:] = values
    seconds[seconds == UNREACHABLE] = FAR
    np.minimum(seconds, FAR, out=seconds)
    return seconds, _array(changes, 2)


def _shifts(problem: Problem) -> Longs:
    shifts = np.full((len(problem.shifts), 15), NOWHERE, dtype=np.int64)
    number = {shift.id: k for k, shift in enumerate(problem.shifts)}
    for k, shift in enumerate(problem.shifts):
        rest = shift.break_
        shifts[k, : S_DAY + 1] = (
            shift.start_place,
            shift.end_place,
            shift.start_s,
            shift.end_s,
            rest.duration_s if rest else 0,
            rest.start_s if rest else 0,
            rest.latest_start_s if rest else 0,
            min(PLENTY if shift.max_jobs is None else shift.max_jobs, PLENTY),
            min(PLENTY if shift.capacity is None else shift.capacity, PLENTY),
            shift.day,
        )
        if shift.next_shift is not None and problem.lodgings_after(shift):
            shifts[k, S_NEXT] = number[shift.next_shift]
            shifts[number[shift.next_shift], S_BEFORE] = k
    return shifts


def _fit(problem: Problem, seconds: Ints, shifts: Longs) -> Ints:
    """Job × shift, for all jobs of the problem; what `Problem.may_serve` says of each, all at once."""
    fit = np.zeros((len(problem.jobs), len(shifts), 3), dtype=np.int32)
    allowed: dict[tuple[frozenset[str] | None, frozenset[str]], NDArray[np.bool_]] = {}
    number = {shift.id: k for k, shift in enumerate(problem.shifts)}
    begins, ends = shifts[:, S_FROM], shifts[:, S_TO]
    windows = 0
    for job, row in zip(problem.jobs, fit, strict=True):
        key = (job.vehicles, job.skills)
        if key not in allowed:
            allowed[key] = np.array([shift.allows(job) for shift in problem.shifts], dtype=bool)
        opens = np.array([window.start_s for window in job.windows])
        closes = np.array([window.end_s for window in job.windows])
        row[:, F_WINDOW] = np.searchsorted(closes, begins, "left")
        row[:, F_WINDOW_END] = np.searchsorted(opens, ends - job.service_s, "right")
        possible = allowed[key] & (row[:, F_WINDOW] < row[:, F_WINDOW_END])
        possible &= (seconds[shifts[:, S_START], job.place] < FAR) & (seconds[job.place, shifts[:, S_END]] < FAR)
        row[:, :F_COST] += windows
        windows += len(job.windows)
        if job.due_s is not None:
            row[:, F_COST] = np.maximum(-(-(begins - job.due_s) // DAY_S), 0) * job.tardiness_s_per_day
        if job.seen_on in number:
            row[number[job.seen_on], F_COST] -= job.moved_s
        row[~possible, F_COST] = FAR
    return fit


def _kinds(shifts: Longs, fit: Ints) -> Longs:
    """A number for each shift, the same for those that differ in nothing that matters."""
    first: dict[bytes, int] = {}
    kinds = []
    for k, row in enumerate(shifts):
        alone = row[S_NEXT] != NOWHERE or row[S_BEFORE] != NOWHERE
        key = k.to_bytes(4, "big") if alone else row[: S_DAY + 1].tobytes() + fit[:, k].tobytes()
        kinds.append(first.setdefault(key, len(first)))
    return np.array(kinds, dtype=np.int64)


def _jobs(able: Sequence[Job], fit: Ints) -> tuple[Longs, Longs]:
    jobs = np.full((len(able), 11), NOWHERE, dtype=np.int64)
    may: list[int] = []
    for j, job in enumerate(able):
        shifts = np.flatnonzero(fit[j, :, F_COST] < FAR).tolist()
        jobs[j, [J_PLACE, J_SERVICE, J_SETUP]] = job.place, job.service_s, job.setup_s
        jobs[j, J_DEMAND] = min(job.demand, PLENTY)
        jobs[j, [J_OPENS, J_CLOSES]] = job.windows[0].start_s, job.windows[-1].end_s
        jobs[j, [J_SHIFTS, J_SHIFTS_END]] = len(may), len(may) + len(shifts)
        jobs[j, J_FIRM] = job.mandatory
        may += shifts
    return jobs, np.array(may, dtype=np.int64)


def _related(problem: Problem, able: Sequence[Job], jobs: Longs) -> tuple[Longs, Longs]:
    groups: dict[str, list[int]] = defaultdict(list)
    series: dict[str, list[int]] = defaultdict(list)
    for j, job in enumerate(able):
        if job.group is not None:
            groups[job.group].append(j)
        if job.series is not None:
            series[job.series].append(j)
    for column, found in ((J_GROUP, groups), (J_SERIES, series)):
        for k, members in enumerate(found.values()):
            jobs[members, column] = k
    apart = {spacing.series: (spacing.min_days, spacing.max_days) for spacing in problem.spacings}
    return (
        _padded([(0, 0, len(members), *members) for members in groups.values()]),
        _padded([(*apart[name], len(members), *members) for name, members in series.items()]),
    )


def _lodgings(problem: Problem, shifts: Longs) -> tuple[Longs, Longs]:
    number = {lodging.id: k for k, lodging in enumerate(problem.lodgings)}
    stays: list[int] = []
    for row, shift in zip(shifts, problem.shifts, strict=True):
        here = [number[lodging.id] for lodging in problem.lodgings_after(shift)]
        row[S_LODGINGS], row[S_LODGINGS_END] = len(stays), len(stays) + len(here)
        stays += here
    rows = [(lodging.place, lodging.cost_s) for lodging in problem.lodgings]
    return _array(rows, 2), np.array(stays, dtype=np.int64)


def _worths(able: Sequence[Job]) -> Longs:
    firm_s = max(MANDATORY_COST_S, 1 + sum(job.penalty_s or 0 for job in able))
    return np.array([firm_s if job.penalty_s is None else job.penalty_s for job in able], dtype=np.int64)


def _longest(jobs: Longs, shifts: Longs) -> int:
    if not len(jobs) or not len(shifts):
        return 0
    room_s = int((shifts[:, S_TO] - shifts[:, S_FROM]).max())
    shortest = np.cumsum(np.sort(jobs[:, J_SERVICE].astype(np.int64)))
    return int(min(np.searchsorted(shortest, room_s, "right"), shifts[:, S_MOST].max()))


def _first_columns(rows: NDArray[np.int64], columns: int) -> Longs:
    """The columns of the smallest values of each row, smallest first, the lower column first among equals."""
    if columns < rows.shape[1]:
        # Ranks make values different, so that what is kept does not depend on how ties are parted.
        rows = rows * rows.shape[1] + np.arange(rows.shape[1])
        kept = np.argpartition(rows, columns - 1, axis=1)[:, :columns]
        order = np.argsort(np.take_along_axis(rows, kept, axis=1), axis=1)
        rows = np.take_along_axis(kept, order, axis=1)
        return np.ascontiguousarray(rows, dtype=np.int64)
    return np.argsort(rows, axis=1, kind="stable").astype(np.int64)


def _near(seconds: Ints, places: Longs) -> Longs:
    near = np.zeros((len(places), min(NEAR, len(places))), dtype=np.int64)
    for first in range(0, len(places), ROWS):
        some = places[first : first + ROWS]
        drives = np.minimum(seconds[np.ix_(some, places)], seconds[np.ix_(places, some)].T).astype(np.int64)
        drives[np.arange(len(some)), np.arange(first, first + len(some))] = -1
        near[first : first + ROWS] = _first_columns(drives, near.shape[1])
    return near


def _nearest_s(seconds: Ints, places: Longs, near: Longs) -> float:
    drives = seconds[places[:, None], places[near]].astype(np.int64)
    drives[(drives == 0) | (drives >= FAR)] = FAR
    nearest = drives.min(axis=1, initial=FAR)
    return float(nearest[nearest < FAR].mean()) if (nearest < FAR).any() else 1.0


def _beside(seconds: Ints, jobs: Longs) -> Longs:
    """Near and soon after or before: driving, and a fifth of the waiting between the two at least."""
    places, service = jobs[:, J_PLACE], jobs[:, J_SERVICE].astype(np.int64)
    opens, closes = jobs[:, J_OPENS].astype(np.int64), jobs[:, J_CLOSES].astype(np.int64)
    columns = min(BESIDE, len(jobs) - 1)
    beside = np.zeros((len(jobs), columns), dtype=np.int64)

    def after(a: NDArray[np.int64] | slice, b: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        drive = seconds[np.ix_(places[a], places[b])].astype(np.int64)
        wait = opens[b][None] - drive - service[a][:, None] - closes[a][:, None]
        impossible = opens[a][:, None] + service[a][:, None] + drive > closes[b][None]
        return np.where(impossible, FAR, np.minimum(drive + np.maximum(wait, 0) // 5, FAR))

    for first in range(0, len(jobs), ROWS):
        some, all_ = slice(first, min(first + ROWS, len(jobs))), slice(0, len(jobs))
        far = np.minimum(after(some, all_), after(all_, some).T)
        far[np.arange(far.shape[0]), np.arange(first, first + far.shape[0])] = 2 * FAR
        beside[some] = _first_columns(far, columns)
    return beside


def _around(seconds: Ints, places: Longs, lodgings: Longs) -> Longs:
    drives = seconds[np.ix_(lodgings[:, 0], places)].astype(np.int64)
    return _first_columns(drives, min(NEAR, len(places)))
