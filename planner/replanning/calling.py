"""The promises of a day that has begun that cannot be kept any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.fieldwork.domain import EventKind
from planner.fieldwork.folding import CALLED_OFF, why_left_out
from planner.slots.alternatives import AgendaVisit
from planner.slots.desk import Desk
from planner.slots.working_order import AgendaDay
from routing.solution import Route

_SAID = f"{why_left_out(EventKind.SKIPPED, '')}: "


@dataclass(frozen=True, slots=True)
class Lost:
    """A promise that cannot be kept: when the visit would begin, if at all, and what is wrong, in words."""

    visit: AgendaVisit
    begin_s: int | None
    why: str


def lost_promises(desk: Desk, route: Route | None, left_out: dict[str, str]) -> Iterator[Lost]:
    """Those of a day of which phones have said something, in the order of the day.

    Who called a visit off knows. A promise that could only be kept by working longer cannot be kept.

    Args:
        route: the timed rest of the day; None where nothing is left.
        left_out: by visit id, why it is not done today.
    """
    day = desk.day
    if day.begun is None:
        return
    steps = {step.job: step for step in route.steps} if route is not None else {}
    for visit in day.listed:
        if not visit.promised:
            continue
        step = steps.get(visit.id)
        if day.begun.sick or step is None:
            yield Lost(visit, None, f"{day.rep.name} is sick")
        elif step.begin_s > latest_begin_s(day, visit):
            yield Lost(visit, step.begin_s, f"it would begin at {day.local(step.begin_s):%H:%M}")
        else:
            home_s, _ = desk.workshop.ways(day.driven).leaving(visit.place, day.working_day.end, step.leave_s)
            end_s = day.itinerary.shift.end_s
            if step.leave_s + home_s > end_s:
                where = "home" if day.working_day.night_after is None else "at the hotel"
                yield Lost(visit, step.begin_s, f"after it nobody is {where} by {day.local(end_s):%H:%M}")
    for visit in day.begun.left_out:
        why = left_out.get(visit.id, "")
        if visit.promised and not why.startswith(CALLED_OFF):
            yield Lost(visit, None, why.removeprefix(_SAID) or "it is left out today")


def latest_begin_s(day: AgendaDay, visit: AgendaVisit) -> int:
    """The last moment at which a promised visit may begin, the customer's hours and the rep's considered."""
    if visit.job.windows:
        return visit.job.windows[-1].end_s
    return day.clock.at_instant(visit.booking.latest_begin) if visit.booking is not None else 0
