"""Holding a time of a rep's, promising it, moving and cancelling the promise."""

from __future__ import annotations

from dataclasses import replace

from planner.access import SYSTEM, Actor
from planner.domain import Opportunity, RecordKind
from planner.errors import ConflictError, NotFoundError, SlotGoneError
from planner.handoffs.moving import booked, unbooked
from planner.handoffs.state import opportunity_of
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import Visits
from planner.slots.bookable import (
    HoldAsk,
    check_able,
    check_day,
    check_few_held,
    check_promisable,
    check_unpromised,
    deal_of,
    hold_of,
    location_to_save,
)
from planner.slots.deciding import (
    Also,
    Change,
    booking_of,
    carry_out,
    taken_out_elsewhere,
    without_hold,
    without_visits,
)
from planner.slots.desk import Desk
from planner.slots.domain import Booking, BookingState
from planner.slots.repeating import made_up_for

__all__ = ["HoldAsk", "SlotGoneError", "cancel", "confirm", "expire", "hold", "release"]


def hold(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    ask: HoldAsk,
    booking_id: str,
    inside_rep: str,
    settings: Settings,
    also: Also | None = None,
) -> Booking:
    """Keep a time of a rep's free for some minutes. A hold of that id which is there already is the answer.

    Args:
        booking_id: the new hold's, drawn at random.
        inside_rep: whose the hold is, as `Opportunity.inside_rep`, where the opportunity does not say so.

    Raises:
        NotFoundError: no such rep, opportunity or promise, for this actor.
        SlotGoneError: the time is not free.
        RefusedError: it may not be held: out of reach, the rep is off, the opportunity is promised a visit already, the
            actor holds too many times, …
        InvalidRecordError: a value makes no sense; it names the field.
    """
    with store.read(actor.scope) as unit:
        _check_seen(unit, actor, area, ask)

    def decide(unit: UnitOfWork) -> Change:
        known = unit.bookings.get(area, booking_id)
        if known is not None:
            if known.made_by != actor.id:
                raise ConflictError("this hold has been made by somebody else")
            return Change(known)
        booking = hold_of(unit, actor, area, ask, booking_id, inside_rep, settings)
        desk = Desk.of(unit, agendas, area, booking.rep_id, booking.day, settings, booking.place)
        check_day(desk, booking)
        visit = desk.booked(booking)
        listed = desk.with_visit(desk.day.listed, visit)
        if listed is None and ask.resequence:
            listed = desk.resequenced(desk.day.listed, visit)
        if listed is None:
            raise _gone(desk, booking)
        seen: dict[str, Booking | None] = {booking.id: None}
        if booking.replaces:
            seen[booking.replaces] = unit.bookings.get(area, booking.replaces)
        details = {"rep": booking.rep_id, "day": str(booking.day), "replaces": booking.replaces}
        return Change(
            booking, (booking,), (desk.changed(listed, shown=False),), seen, action="booking.held", details=details,
            check=lambda unit: check_still(unit, booking),
        )  # fmt: skip

    def check_still(unit: UnitOfWork, booking: Booking) -> None:
        check_unpromised(unit, booking)
        check_few_held(unit, actor, area, settings)

    return carry_out(store, actor, area, decide, also)


def confirm(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    booking_id: str,
    opportunity: Opportunity | None,
    settings: Settings,
    also: Also | None = None,
) -> Booking:
    """Make a hold a promise to the customer; the promise that it replaces ends. A promise is returned as it is.

    It counts as the visit to the opportunity's account, too: what the plan had for that is taken out of its day.

    A hold that has run out is promised too if its time is still free.

    Args:
        opportunity: what the visit is for: a record to be added, or one that is there and stays as it is now; None
            where the hold has one.

    Raises:
        NotFoundError: no such booking or opportunity, for this actor.
        SlotGoneError: the hold has run out and its time is taken or past, or it was given back.
        RefusedError: the opportunity has a promise already, is elsewhere than the hold, or the gate does not let it
            through.
        InvalidRecordError: the hold has no opportunity, and none is given.
    """
    with store.read(actor.scope) as unit:
        booking_of(unit, area, booking_id)
        known = opportunity is not None and unit.records(area).get(RecordKind.OPPORTUNITY, opportunity.id) is not None

    def decide(unit: UnitOfWork) -> Change:
        present, now = booking_of(unit, area, booking_id), unit.now()
        if present.state is BookingState.PROMISED:
            return Change(present)
        if present.state not in (BookingState.HELD, BookingState.EXPIRED):
            raise SlotGoneError(f"this hold is over: it was {present.state}")
        if present.latest_begin <= now:
            raise SlotGoneError("the hold has run out, and its time is past")
        deal = deal_of(unit, present, opportunity, known)
        promise = replace(
            present,
            state=BookingState.PROMISED,
            opportunity_id=deal.id,
            name=deal.name,
            address=str(deal.address) or present.address,
            expires_at=None,
            ended_at=None,
            reason="",
        )
        check_promisable(unit, promise, deal, settings)
        desk = Desk.of(unit, agendas, area, promise.rep_id, promise.day, settings, promise.place)
        check_able(desk, promise)
        visit = replace(desk.booked(promise), stop=desk.promised_stop(promise, deal))
        # What the plan or the promise before had for them is made up for, also the visit to the account for itself.
        instead = {promise.visit_id, *made_up_for(unit, agendas, area, deal.account_id, promise.day, settings)}
        others = tuple(each for each in desk.day.listed if each.id not in instead)
        if any(each.id == present.order_id for each in others):
            listed: Visits | None = tuple(visit if each.id == present.order_id else each for each in others)
            listed = listed if listed is not None and desk.keeps(listed) else None
        else:
            listed = desk.with_visit(others, visit)
        if listed is None:
            raise _gone(desk, promise)
        bookings, seen = [promise], {present.id: present}
        days = [desk.changed(listed, shown=True)]
        if promise.replaces:
            old = booking_of(unit, area, promise.replaces)
            if old.state is not BookingState.PROMISED:
                raise ConflictError(f"the promise that this one moves is over: it was {old.state}")
            moved = f"moved to {promise.window_text(desk.day.rep.zone)}"
            bookings.append(replace(old, state=BookingState.MOVED, ended_at=now, reason=moved))
            seen[old.id] = old
        days += taken_out_elsewhere(unit, agendas, promise, instead, settings)
        place = location_to_save(unit, deal, promise)
        is_new = unit.records(area).get(RecordKind.OPPORTUNITY, deal.id) is None

        def write(unit: UnitOfWork) -> None:
            if is_new:
                unit.records(area).save(deal)
            if place is not None:
                unit.records(area).save_locations([place])

        return Change(
            promise, tuple(bookings), tuple(days), dict(seen), action="booking.promised",
            details={"rep": promise.rep_id, "day": str(promise.day), "opportunity": deal.id},
            check=lambda unit: check_unpromised(unit, promise),
            first=write, then=lambda unit: booked(unit, promise, actor.id, settings.gate),
        )  # fmt: skip

    return carry_out(store, actor, area, decide, also)


def release(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    booking_id: str,
    settings: Settings,
    also: Also | None = None,
) -> Booking:
    """Give a hold back; one that is over stays as it is.

    Raises:
        NotFoundError: no such booking, for this actor.
        ConflictError: it is a promise by now, which is cancelled instead.
    """
    with store.read(actor.scope) as unit:
        booking_of(unit, area, booking_id)

    def decide(unit: UnitOfWork) -> Change:
        present = booking_of(unit, area, booking_id)
        if present.state is BookingState.PROMISED:
            raise ConflictError("it has been promised meanwhile: cancel the promise instead")
        if present.state is not BookingState.HELD:
            return Change(present)
        over = replace(present, state=BookingState.RELEASED, expires_at=None, ended_at=unit.now())
        row = without_hold(unit, present)
        return Change(
            over, (over,), (row,) if row else (), {over.id: present}, action="booking.released",
            details={"rep": over.rep_id, "day": str(over.day)},
        )  # fmt: skip

    return carry_out(store, actor, area, decide, also)


def cancel(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    booking_id: str,
    reason: str,
    settings: Settings,
    also: Also | None = None,
) -> Booking:
    """End a promise; the handoff is where it was before. One that was cancelled before stays as it is.

    What a plan had for it before the promise does not come back: the visit waits for the next plan.

    A day that is over keeps its visit. Cancelling is always possible, also where the day cannot be timed any more.

    Raises:
        NotFoundError: no such booking, for this actor.
        ConflictError: it is a hold, or is over in another way.
    """
    with store.read(actor.scope) as unit:
        booking_of(unit, area, booking_id)

    def decide(unit: UnitOfWork) -> Change:
        present = booking_of(unit, area, booking_id)
        if present.state is BookingState.CANCELLED:
            return Change(present)
        if present.state is not BookingState.PROMISED:
            raise ConflictError(f"this is no promise: it is {present.state}")
        over = replace(present, state=BookingState.CANCELLED, ended_at=unit.now(), reason=reason.strip())
        day = without_visits(unit, agendas, area, over.rep_id, over.day, {over.visit_id}, settings)
        return Change(
            over, (over,), (day,) if day else (), {over.id: present}, action="booking.cancelled",
            details={"rep": over.rep_id, "day": str(over.day), "opportunity": over.opportunity_id},
            then=lambda unit: unbooked(unit, over, over.reason, actor.id, settings.gate),
        )  # fmt: skip

    return carry_out(store, actor, area, decide, also)


def expire(store: Store, limit: int) -> int:
    """Mark holds that have run out, at most so many, and take them out of their days; returns how many they were."""
    with store.read() as unit:
        if not _run_out(unit):
            return 0
    with store.write(SYSTEM) as unit:
        over = _run_out(unit)[:limit]
        for present in over:
            ended = replace(
                present,
                state=BookingState.EXPIRED,
                expires_at=None,
                ended_at=present.expires_at,
                reason="not confirmed in time",
            )
            unit.bookings.put(ended)
            if (row := without_hold(unit, present)) is not None:
                unit.changed_days.put(row)
            unit.audit("booking.expired", present.id, area=present.area)
    return len(over)


def _run_out(unit: UnitOfWork) -> list[Booking]:
    now = unit.now()
    return [hold for hold in unit.bookings.find(state=BookingState.HELD) if not hold.live_at(now)]


def _check_seen(unit: UnitOfWork, actor: Actor, area: str, ask: HoldAsk) -> None:
    """What is asked about is the actor's. Raises NotFoundError."""
    scope = actor.scope
    if not scope.sees(area):
        raise NotFoundError(f"there is no area {area}")
    if scope.inside_rep is None and scope.reps is not None and ask.rep_id not in scope.reps:
        raise NotFoundError(f"area {area} has no rep {ask.rep_id}")
    if ask.opportunity_id:
        opportunity_of(unit, area, ask.opportunity_id)
    if ask.replaces:
        booking_of(unit, area, ask.replaces)


def _gone(desk: Desk, booking: Booking) -> SlotGoneError:
    rep = desk.day.rep
    return SlotGoneError(f"{rep.name} has no time left for this visit on {booking.window_text(rep.zone)}")
