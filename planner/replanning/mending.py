"""The rest of a day as a problem to be mended, and the result as visits again."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from planner.slots.alternatives import AgendaVisit
from planner.slots.desk import Desk
from routing.problem import DAY_S, MAX_COST_S, Job, Problem, Shift, TimeWindow
from routing.repairing import repaired
from routing.timing import schedule

WANTED_S = MAX_COST_S // 10
"""What leaving out a visit counts for that the rep wants to make: more than any planned one, less than a promise."""
PLAIN_MINUTES = 40
"""What a visit is worth of which no plan says anything: as one to a customer of segment B on the day that it is due."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What would be done, in which order, and what would not be, with the reason: the promises among it are to be
    called about."""

    order: tuple[AgendaVisit, ...]
    left_out: tuple[tuple[AgendaVisit, str], ...]


def mended(desk: Desk, wanted: AbstractSet[str], loose: AbstractSet[str]) -> Mended:
    """The rest of a day with as few changes as possible.

    What is only held for somebody has no say: the hold cannot be confirmed if it does not fit any more.

    Args:
        wanted: ids of visits that the rep wants to make; loose: of those that may come anywhere.
    """
    visits = [visit for visit in desk.day.visits if not visit.held]
    by_id = {visit.id: visit for visit in visits}
    problem = desk.problem(visits)
    jobs = [
        replace(job, penalty_s=_penalty_s(by_id[job.id], wanted), windows=_windows(desk, by_id[job.id]))
        for job in problem.jobs
    ]
    shift = problem.shifts[0]
    repair = repaired(
        problem, shift, [job for job in jobs if job.id not in loose], [job for job in jobs if job.id in loose]
    )
    late = {job.id for job in repair.late}
    kept = [job for job in repair.order if job.id not in late]
    gone = [(by_id[job.id], _why(problem, shift, kept, job)) for job in repair.left_out]
    gone += [(by_id[job.id], _no_time(desk)) for job in repair.given_up]
    return Mended(tuple(by_id[job.id] for job in repair.order), tuple(gone))


def _windows(desk: Desk, visit: AgendaVisit) -> tuple[TimeWindow, ...]:
    """When a visit may begin. A promise for which the working hours leave no time is late from its beginning on."""
    if visit.job.windows or not visit.promised:
        return visit.job.windows
    opens_s = desk.day.clock.at_instant(visit.booking.start) if visit.booking is not None else 0
    return (TimeWindow(opens_s, opens_s),)


def _no_time(desk: Desk) -> str:
    """Why a promise cannot be kept, nor made later."""
    day = desk.day
    end_s = day.itinerary.shift.end_s
    hours = day.begun.whole if day.begun is not None else day.itinerary.shift
    if end_s < hours.end_s:
        return f"not possible if you finish by {day.local(end_s):%H:%M}"
    return f"not possible within the working hours, which end at {day.local(hours.end_s):%H:%M}"


def _penalty_s(visit: AgendaVisit, wanted: AbstractSet[str]) -> int | None:
    if visit.promised:
        return None
    if visit.id in wanted:
        return WANTED_S
    minutes = visit.stop["worth_minutes"] if visit.stop is not None else None
    return min((PLAIN_MINUTES if minutes is None else minutes) * 60, WANTED_S - 1)


def _why(problem: Problem, shift: Shift, kept: list[Job], job: Job) -> str:
    """Why a visit has no place any more."""
    if not job.windows:
        return "it is closed on this day"
    at_any_time = replace(job, windows=(TimeWindow(0, shift.end_s + DAY_S),))
    orders = ([*kept[:position], at_any_time, *kept[position:]] for position in range(len(kept) + 1))
    if any(schedule(problem, shift, order) is not None for order in orders):
        return "it is not open when there is time for it"
    return "there is no time left for it"
