"""Handoffs change their state: by what people decide, and by visits that are booked and cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from planner.access import Actor, Role
from planner.domain import MAX_NOTES, Opportunity, RecordKind, Rep, _check, _check_text
from planner.errors import ConflictError, NotFoundError, RefusedError
from planner.handoffs.domain import TO_VISIT, HandoffEvent, HandoffRow, HandoffState, RejectReason, Side
from planner.handoffs.state import field_rep_of, handoff_of, opportunity_of, unowned_handoff_of
from planner.handoffs.transitions import ENDS, STATE_WORDS, Action, Said, Transition, transition
from planner.repository import UnitOfWork
from planner.settings import GateSettings
from planner.slots.domain import Booking, BookingState

EARLY = timedelta(hours=12)
"""A visit is reported so long before the promised window at the earliest."""

KIND_WORDS = {
    RejectReason.CLERICAL: "The record is wrong or incomplete",
    RejectReason.PROCEDURAL: "The agreed rules were not followed",
    RejectReason.WRONG_FIT: "Not an opportunity for a visit",
}

NOBODY = "fieldvisit"
"""By whom an opportunity began: no person."""


class HandoffMovedError(ConflictError):
    """Somebody else has changed the handoff since this one looked; `present` is where it stands now."""

    def __init__(self, name: str, present: HandoffRow) -> None:
        super().__init__(f"somebody else has changed {name} meanwhile: it is {STATE_WORDS[present.state]} now")
        self.present = present


@dataclass(frozen=True, slots=True)
class By:
    """Who does something: an actor's id for the history, the side they are on, and the rep that they are, if any."""

    actor: str
    side: Side
    rep: str = ""

    @classmethod
    def person(cls, actor: Actor, role: Role) -> By:
        """A person with a role; what a field rep does is done as the one rep in their scope."""
        if role is Role.INSIDE_REP:
            return cls(actor.id, Side.INSIDE)
        if role is Role.FIELD_REP:
            return cls(actor.id, Side.FIELD, next(iter(actor.scope.reps or ()), ""))
        return cls(actor.id, Side.MANAGER)


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody wants done, the revision they saw, and what they say with it (see `transitions.Said`)."""

    action: Action
    revision: int
    kind: RejectReason | None = None
    why: str = ""
    learned: str = ""
    rep: str = ""
    shared: bool = False
    """Of an assignment: the inside rep shares the credit."""

    def __post_init__(self) -> None:
        _check_text(self, "why", "learned", limit=MAX_NOTES // 2)
        _check_text(self, "rep")


def move(
    unit: UnitOfWork,
    area: str,
    opportunity_id: str,
    wanted: Move,
    by: By,
    gate: GateSettings,
    zone: ZoneInfo,
    now: datetime,
) -> HandoffRow:
    """Do something with a handoff, in the name of somebody who sees it. Handing off itself is `handing.hand_off`.

    Args:
        zone: the area's, which not everybody sees.

    Raises:
        NotFoundError: there is no such opportunity among those that are seen, or no such rep.
        HandoffMovedError: somebody else has changed it since.
        RefusedError: it may not be done now, or not by them.
        InvalidRecordError: something has to be said with it, or is too long; `field` is that of the move.
    """
    opportunity = opportunity_of(unit, area, opportunity_id)
    present = seen_at(unit, area, opportunity, wanted.revision, gate)
    row = transition(opportunity.name, present.state, wanted.action, by.side)
    if wanted.action is Action.HAND_OFF or row.by is Side.NOBODY or row.after is None:
        raise RefusedError(f"{opportunity.name} is not {row.words} in this way")
    _check_whose(opportunity, present, by)
    _check_said(wanted, row)
    if row.action in ENDS and opportunity.appointment_to_come(now, zone):
        raise RefusedError(
            f"{opportunity.name} has an appointment on {opportunity.appointment:%a %-d %b %H:%M}: agree with them that "
            f"it is off and take it out of the record first, then this can be {row.words}"
        )
    moved = replace(
        _given(unit, opportunity, present, row, wanted, by),
        state=row.after,
        reason=_reason(wanted) if row.action in ENDS else "",
    )
    if wanted.learned.strip():
        moved = replace(moved, learned=wanted.learned.strip())
    if row.action is Action.REPORT:
        if opportunity.appointment_to_come(now + EARLY, zone):
            raise RefusedError(
                f"{opportunity.name} has an appointment on {opportunity.appointment:%a %-d %b %H:%M}, which is still "
                f"to come: report the visit then"
            )
        _end_promises(unit, area, opportunity, now)
    told = [_reason(wanted), wanted.learned.strip() and f"Learned: {wanted.learned.strip()}"]
    if row.action is Action.ASSIGN:
        told.insert(0, f"To {moved.owner}{', who shares the credit with inside sales' if moved.credit else ''}")
    return write(unit, opportunity, present, moved, row.event, by.actor, now, ". ".join(filter(None, told)))


def booked(unit: UnitOfWork, booking: Booking, actor: str, gate: GateSettings) -> None:
    """A visit to an opportunity has been promised: the handoff is the rep's who makes it. Another time is written down.

    Called within the transaction that makes the promise; without an opportunity nothing happens.

    Args:
        actor: the id of whoever promised it, for the history.

    Raises:
        NotFoundError: there is no such opportunity among those that are seen.
        RefusedError: it has to be handed off first, or is over.
    """
    if not booking.opportunity_id:
        return
    opportunity = opportunity_of(unit, booking.area, booking.opportunity_id)
    present = unowned_handoff_of(unit, booking.area, opportunity, gate)
    row = _bookable(opportunity, present)
    moved = replace(
        present,
        state=HandoffState.BOOKED,
        side=Side.FIELD,
        owner=booking.rep_id,
        field_rep=booking.rep_id,
        reason="",
    )
    event = "moved" if booking.replaces else row.event
    write(unit, opportunity, present, moved, event, actor, unit.now(), _words_of(booking))


def check_bookable(unit: UnitOfWork, area: str, opportunity_id: str, gate: GateSettings) -> None:
    """Say before a time is held what `booked` would refuse.

    Raises:
        NotFoundError: there is no such opportunity among those that are seen.
        RefusedError: it has to be handed off first, or is over.
    """
    opportunity = opportunity_of(unit, area, opportunity_id)
    _bookable(opportunity, unowned_handoff_of(unit, area, opportunity, gate))


def unbooked(unit: UnitOfWork, booking: Booking, why: str, actor: str, gate: GateSettings) -> None:
    """A promise has been cancelled: the handoff is again where it was before. Called within the same transaction.

    A promise that was moved to another time is not cancelled: `booked` alone is told of that.
    """
    if not booking.opportunity_id:
        return
    area = booking.area
    opportunity = opportunity_of(unit, area, booking.opportunity_id)
    present = handoff_of(unit, area, opportunity, gate)
    if present.state is not HandoffState.BOOKED:
        return
    text = f"{_words_of(booking)}: {why}" if why else _words_of(booking)
    others = [other for other in _promises(unit, area, opportunity.id) if other.id != booking.id]
    if others:
        moved = replace(present, owner=others[0].rep_id, field_rep=others[0].rep_id)
    else:
        before = _before_booking(unit, present)
        inside = before is HandoffState.DRAFT
        if before in TO_VISIT:  # what a plan had for it was taken out when it was promised, and does not come back
            text += ". The visit waits for the next plan"
        rep = field_rep_of(unit, area, opportunity) if before is HandoffState.HANDED_OFF else present.field_rep
        moved = replace(
            present,
            state=before,
            side=Side.INSIDE if inside else Side.FIELD,
            owner=opportunity.inside_rep if inside else rep or present.field_rep,
            reason=why,
        )
    write(unit, opportunity, present, moved, "unbooked", actor, unit.now(), text)


def write(
    unit: UnitOfWork,
    opportunity: Opportunity,
    present: HandoffRow,
    moved: HandoffRow,
    event: str,
    actor: str,
    now: datetime,
    text: str = "",
    report_id: str = "",
) -> HandoffRow:
    """Store a changed handoff, with what happened as an entry of its history and of the audit log.

    Nobody has brought it to where it began: an import did, and `present.since` is when, if that is known.
    """
    area, number = present.area, unit.handoff_events.count(area=present.area, opportunity_id=opportunity.id)
    if present.revision == 0:
        number += 1
        began = f"It began as {STATE_WORDS[present.state]}"
        at = present.since or now
        unit.handoff_events.put(HandoffEvent(area, opportunity.id, number, at, NOBODY, "began", present.state, began))
    since = present.since if moved.state is present.state and present.since else now
    moved = replace(moved, revision=present.revision + 1, since=since)
    if moved.before == present.before and (moved.state, moved.side, moved.owner) != (
        present.state,
        present.side,
        present.owner,
    ):
        moved = replace(moved, before=None)  # somebody has moved it on from where the field's reports had brought it
    unit.handoffs.put(moved)
    unit.handoff_events.put(
        HandoffEvent(area, opportunity.id, number + 1, now, actor, event, moved.state, text, report_id)
    )
    unit.audit(f"handoff.{event}", opportunity.id, area=area, state=moved.state, revision=moved.revision)
    return moved


def seen_at(unit: UnitOfWork, area: str, opportunity: Opportunity, revision: int, gate: GateSettings) -> HandoffRow:
    """Where a handoff stands, if that is what somebody has seen. Raises HandoffMovedError."""
    present = handoff_of(unit, area, opportunity, gate)
    if present.revision != revision:
        raise HandoffMovedError(opportunity.name, present)
    return present


def _bookable(opportunity: Opportunity, present: HandoffRow) -> Transition:
    if present.state in (HandoffState.REJECTED, HandoffState.RETURNED):
        raise RefusedError(
            f"{opportunity.name} is {STATE_WORDS[present.state]}: hand it off again, then a visit can be booked"
        )
    if present.side is Side.MANAGER:
        raise RefusedError(f"a manager decides first whose {opportunity.name} is, then a visit can be booked")
    return transition(opportunity.name, present.state, Action.BOOK, Side.NOBODY)


def _check_whose(opportunity: Opportunity, present: HandoffRow, by: By) -> None:
    if by.side is not Side.FIELD:
        return
    if present.side is Side.MANAGER:
        raise RefusedError(f"a manager decides first whose {opportunity.name} is")
    if present.side is Side.FIELD and present.owner not in ("", by.rep):
        raise RefusedError(f"{opportunity.name} is another rep's")


def _check_said(wanted: Move, row: Transition) -> None:
    words = {
        Said.KIND: "say whether the reason is clerical, procedural or wrong_fit",
        Said.WHY: "say why",
        Said.LEARNED: "say what was learned, for inside sales",
        Said.REP: "say which rep",
    }
    for said in row.needs:
        value = getattr(wanted, said)
        _check(bool(value.strip() if isinstance(value, str) else value), said, words[said])


def _given(
    unit: UnitOfWork, opportunity: Opportunity, present: HandoffRow, row: Transition, wanted: Move, by: By
) -> HandoffRow:
    """The handoff with its next owner."""
    if row.owner is Side.INSIDE:
        return replace(present, side=Side.INSIDE, owner=opportunity.inside_rep)
    if row.owner is Side.NOBODY:
        return replace(present, side=Side.NOBODY, owner="")
    if present.side is Side.MANAGER and row.action is not Action.ASSIGN:
        raise RefusedError(f"decide first whose {opportunity.name} is")
    rep = wanted.rep if row.action is Action.ASSIGN else by.rep or wanted.rep or present.owner
    if rep != present.owner and not isinstance(unit.records(present.area).get(RecordKind.REP, rep), Rep):
        raise NotFoundError(f"area {present.area} has no rep {rep}")
    if row.action is Action.ASSIGN:
        credit = (opportunity.inside_rep, rep) if wanted.shared and opportunity.inside_rep else ()
        present = replace(present, credit=credit)
    return replace(present, side=Side.FIELD, owner=rep, field_rep=rep)


def _reason(wanted: Move) -> str:
    kind = KIND_WORDS[wanted.kind] if wanted.kind and wanted.action is Action.REJECT else ""
    return ": ".join(filter(None, (kind, wanted.why.strip())))


def _promises(unit: UnitOfWork, area: str, opportunity_id: str) -> list[Booking]:
    found = unit.bookings.find(area=area, opportunity_id=opportunity_id, state=BookingState.PROMISED)
    return sorted(found, key=lambda booking: booking.start)


def _end_promises(unit: UnitOfWork, area: str, opportunity: Opportunity, now: datetime) -> None:
    promises = _promises(unit, area, opportunity.id)
    for promise in promises:
        if promise.start > now + EARLY:
            raise RefusedError(
                f"{opportunity.name} has been promised a visit on {promise.day}, which is still to come: cancel or "
                f"move it first, or report the visit then"
            )
    for promise in promises:
        unit.bookings.put(replace(promise, state=BookingState.DONE, ended_at=now, reason="the visit was reported"))
        day = unit.changed_days.get(area, promise.rep_id, promise.day)
        if day is not None:  # whoever knows the day with the promise reads it again
            unit.changed_days.put(replace(day, revision=day.revision + 1))
        unit.audit("booking.done", promise.id, area=area, opportunity=opportunity.id)


def _before_booking(unit: UnitOfWork, present: HandoffRow) -> HandoffState:
    """The state before the visit was booked, from the history."""
    events = unit.handoff_events.find(area=present.area, opportunity_id=present.opportunity_id)
    states: Iterable[HandoffState] = (event.state for event in reversed(events))
    return next((state for state in states if state is not HandoffState.BOOKED), HandoffState.HANDED_OFF)


def _words_of(booking: Booking) -> str:
    return f"Visit on {booking.day}, {booking.rep_id}"
