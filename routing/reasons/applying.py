"""A repair carried out: the problem with the one thing changed, and the solution with the job in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from routing.errors import ProblemError
from routing.problem import Job, Problem, Shift, Spacing, TimeWindow
from routing.reasons.case import Deadline
from routing.reasons.repairs import Repair, RepairKind, with_shorter_break
from routing.solution import Route, Solution
from routing.timing import schedule


def applied(
    problem: Problem, solution: Solution, repair: Repair, deadline: Deadline | None = None
) -> tuple[Problem, Solution]:
    """The problem and the solution after a repair.

    Args:
        deadline: the job's, where it has one.

    Raises:
        ProblemError: the repair is not one of this solution, or is not enough.
    """
    changed = _changed(problem, solution, repair, deadline)
    orders = {route.shift: list(route.jobs) for route in solution.routes}
    left_out = [id_ for id_ in solution.unassigned if id_ != repair.job]
    if repair.other is not None:
        orders[repair.shift].remove(repair.other)
        if repair.to is None:
            left_out.append(repair.other)
        else:
            order = orders.setdefault(repair.to.shift, [])
            order.insert(0 if repair.to.after is None else order.index(repair.to.after) + 1, repair.other)
    orders.setdefault(repair.shift, []).insert(repair.position, repair.job)
    touched = {repair.shift, *([repair.to.shift] if repair.to else [])}
    before = {route.shift: route for route in solution.routes}
    routes: list[Route] = []
    for shift in changed.shifts:
        if shift.id not in touched:
            routes += [before[shift.id]] if shift.id in before else []
        elif orders[shift.id]:
            routes.append(_timed(changed, shift, orders[shift.id], before.get(shift.id)))
    order_of = {job.id: number for number, job in enumerate(problem.jobs)}
    return changed, Solution(tuple(routes), tuple(sorted(left_out, key=order_of.__getitem__)))


def _timed(problem: Problem, shift: Shift, order: Sequence[str], before: Route | None) -> Route:
    real = shift if before is None else before.shift_in(problem)
    route = schedule(problem, real, [problem.job_by_id[id_] for id_ in order])
    if route is None:
        raise ProblemError(f"shift {shift.id}: the repair is not enough")
    if before is None:
        return route
    return replace(route, lodging_before=before.lodging_before, lodging_after=before.lodging_after)


def _changed(problem: Problem, solution: Solution, repair: Repair, deadline: Deadline | None) -> Problem:
    """The problem with the one thing changed that the repair changes."""
    shift, job, amount = problem.shift_by_id[repair.shift], problem.job_by_id[repair.job], repair.amount
    match repair.kind:
        case RepairKind.END_LATER:
            return _with_shift(problem, replace(shift, end_s=shift.end_s + amount))
        case RepairKind.START_EARLIER:
            return _with_shift(problem, replace(shift, start_s=shift.start_s - amount))
        case RepairKind.SHORTER_BREAK:
            return _with_shift(problem, with_shorter_break(shift, amount))
        case RepairKind.ONE_MORE:
            return _with_shift(problem, replace(shift, max_jobs=(shift.max_jobs or 0) + 1))
        case RepairKind.CAPACITY:
            return _with_shift(problem, replace(shift, capacity=(shift.capacity or 0) + amount))
        case RepairKind.OTHER_VEHICLE:
            return _with_job(problem, replace(job, vehicles=(job.vehicles or frozenset()) | {shift.vehicle}))
        case RepairKind.SKILL:
            learnt = [
                replace(each, skills=each.skills | job.skills) if each.vehicle == shift.vehicle else each
                for each in problem.shifts
            ]
            return replace(problem, shifts=tuple(learnt))
        case RepairKind.CLOSES_LATER | RepairKind.OPENS_EARLIER:
            return _with_job(problem, replace(job, windows=_stretched(job.windows, repair)))
        case RepairKind.LATER_DEADLINE:
            if deadline is None:
                raise ProblemError(f"job {job.id}: it has no deadline")
            return _with_job(problem, replace(job, windows=deadline.windows))
        case RepairKind.TWICE:
            return _with_job(problem, replace(job, group=None))
        case RepairKind.PAY:
            return _with_job(problem, replace(job, penalty_s=repair.price_s + 1))
        case RepairKind.SPACING:
            return replace(
                problem, spacings=tuple(_looser(problem, solution, job, shift, each) for each in problem.spacings)
            )
        case RepairKind.INSERT | RepairKind.MOVE | RepairKind.LEAVE_OUT:
            return problem


def _with_shift(problem: Problem, shift: Shift) -> Problem:
    return replace(problem, shifts=tuple(shift if each.id == shift.id else each for each in problem.shifts))


def _with_job(problem: Problem, job: Job) -> Problem:
    return replace(problem, jobs=tuple(job if each.id == job.id else each for each in problem.jobs))


def _stretched(windows: tuple[TimeWindow, ...], repair: Repair) -> tuple[TimeWindow, ...]:
    """One window reaches further; what it then touches is one with it."""
    number = repair.window or 0
    before, window, after = windows[:number], windows[number], windows[number + 1 :]
    if repair.kind == RepairKind.CLOSES_LATER:
        reached = window.end_s + repair.amount
        met = [each for each in after if each.start_s <= reached]
        return (*before, TimeWindow(window.start_s, max([reached, *(each.end_s for each in met)])), *after[len(met) :])
    reached = window.start_s - repair.amount
    met = [each for each in before if each.end_s >= reached]
    kept = before[: len(before) - len(met)]
    return (*kept, TimeWindow(min([reached, *(each.start_s for each in met)]), window.end_s), *after)


def _looser(problem: Problem, solution: Solution, job: Job, shift: Shift, spacing: Spacing) -> Spacing:
    """The spacing with bounds that let the job in between its repeats."""
    if spacing.series != job.series:
        return spacing
    days = [
        problem.shift_by_id[route.shift].day
        for route in solution.routes
        for id_ in route.jobs
        if problem.job_by_id[id_].series == job.series
    ]
    gaps = [abs(day - shift.day) for day in _beside(days, shift.day)]
    return Spacing(spacing.series, min([spacing.min_days, *gaps]), max([spacing.max_days, *gaps]))


def _beside(days: Sequence[int], day: int) -> list[int]:
    """The nearest day before or on it, and after it."""
    before, after = [each for each in days if each <= day], [each for each in days if each > day]
    return [*([max(before)] if before else []), *([min(after)] if after else [])]
