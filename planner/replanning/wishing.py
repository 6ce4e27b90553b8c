"""What a wish says, as statements, and what the registers of the day are then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from planner.domain import RecordKind, _check
from planner.errors import InvalidRecordError
from planner.fieldwork.domain import DayProgress, EventKind
from planner.fieldwork.folding import why_left_out
from planner.replanning.domain import Statement, Wish
from planner.repository import UnitOfWork
from planner.slots.desk import Desk
from planner.slots.domain import BookingState
from planner.visit_ids import record_behind

UNSAID_S = 3600
"""Who has not checked in is at home as yet; so long after the first visit was to begin, they go by the plan unsaid."""


def stated(unit: UnitOfWork, desk: Desk, told: DayProgress, wish: Wish, now: datetime) -> Statement:
    """What the phone sends for a wish, before anything is mended.

    Raises:
        InvalidRecordError: the wish makes no sense on this day.
    """
    kind = wish.kind
    match kind:
        case EventKind.LATE:
            after, leave_at = _leaving(desk, wish, now)
            return Statement(kind, "", {"after": after, "leave_at": _iso(leave_at)})
        case EventKind.FINISH:
            return Statement(kind, "", {"by": _iso(wish.finish_by) if wish.finish_by is not None else None})
        case EventKind.SICK:
            _check(wish.sick or told.sick, "sick", "nobody has said so of this day")
            return Statement(kind, "", {"sick": wish.sick})
        case EventKind.ORDER:
            return ordered(desk, wish.order)
        case EventKind.ADDED:
            _check_addable(unit, desk, wish.visit_id)
            return Statement(kind, wish.visit_id)
        case EventKind.RESTORED:
            _check(wish.visit_id in told.left_out, "visit_id", "has not been left out")
            return Statement(kind, wish.visit_id)
        case _:
            _check(wish.visit_id in desk.day.order, "visit_id", "is not among what is left of the day")
            return left_out(kind, wish.visit_id, wish.why)


def left_out(kind: EventKind, visit_id: str, why: str) -> Statement:
    return Statement(kind, visit_id, {"why": why} if why else {})


def ordered(desk: Desk, order: Iterable[str]) -> Statement:
    """What is left in another order."""
    return Statement(EventKind.ORDER, "", {"after": made_last(desk), "order": list(order)})


def said_too(told: DayProgress, statements: Iterable[Statement]) -> DayProgress:
    """The registers as they are once this has been said too: what `planner.fieldwork.folding` makes of the events."""
    for said in statements:
        body, visit = said.body, said.visit_id
        match said.kind:
            case EventKind.LATE:
                told = replace(told, after=body["after"], leave_at=datetime.fromisoformat(body["leave_at"]))
            case EventKind.FINISH:
                told = replace(told, finish_by=datetime.fromisoformat(body["by"]) if body["by"] else None)
            case EventKind.SICK:
                told = replace(told, sick=body["sick"])
            case EventKind.ORDER:
                leave_at = told.leave_at if body["after"] == told.after else None
                told = replace(told, after=body["after"], leave_at=leave_at, order=tuple(body["order"]))
            case EventKind.CANCELLED | EventKind.SKIPPED:
                why = why_left_out(said.kind, body.get("why", ""))
                told = replace(told, left_out={**told.left_out, visit: why})
            case _:
                kept = {id_: why for id_, why in told.left_out.items() if id_ != visit}
                added = (*told.added, visit) if said.kind is EventKind.ADDED else told.added
                told = replace(told, left_out=kept, added=tuple(dict.fromkeys(added)))
    return told


def made_last(desk: Desk) -> str:
    """The visit that the rep is at or has made last; empty for none."""
    made = desk.day.begun.made if desk.day.begun is not None else ()
    return next((each.visit.id for each in reversed(made) if each.driven), "")


def _leaving(desk: Desk, wish: Wish, now: datetime) -> tuple[str, datetime]:
    """After which visit the rep can leave late, and when."""
    day, begun = desk.day, desk.day.begun
    route = desk.timing([visit for visit in day.visits if not visit.held])
    leaves = {step.job: step.leave_s for step in route.steps} if route is not None else {}
    leaves |= {made.visit.id: made.leave_s for made in begun.made} if begun is not None else {}
    now_s = day.clock.at_instant(now)
    after = wish.after
    if after is None:
        after = made_last(desk)
        if not after and route is not None and route.steps and now_s > route.steps[0].begin_s + UNSAID_S:
            after = next(step.job for step in reversed(route.steps) if step.arrive_s <= now_s)
    _check(not after or after in leaves, "after", "is no visit of the day")
    if wish.leave_at is not None:
        return after, wish.leave_at
    start_s = route.depart_s if route is not None else day.itinerary.shift.start_s
    leave_s = leaves[after] if after else max(start_s, now_s)  # nobody leaves home before now
    return after, day.local(leave_s) + timedelta(minutes=wish.minutes or 0)


def _check_addable(unit: UnitOfWork, desk: Desk, visit: str) -> None:
    kind, record_id = record_behind(visit)
    known = kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY) and bool(record_id)
    _check(known, "visit_id", "is neither a customer's nor an opportunity's")
    _check(visit not in desk.day.order, "visit_id", "is among what is left of the day already")
    begun = desk.day.begun
    made = {each.visit.id for each in begun.made} if begun is not None else frozenset[str]()
    _check(visit not in made, "visit_id", "has been visited on this day already")
    if kind == RecordKind.OPPORTUNITY:
        promises = unit.bookings.find(area=desk.area, opportunity_id=record_id, state=BookingState.PROMISED)
        for promise in promises:
            if (promise.rep_id, promise.day) != (desk.day.rep.id, desk.day.working_day.day):
                when = promise.window_text(desk.day.rep.zone)
                raise InvalidRecordError("visit_id", f"is promised for {when}: move that promise instead")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
