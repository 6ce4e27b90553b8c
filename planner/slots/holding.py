"""Holding a time of a rep's, promising it, moving and cancelling the promise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from planner.access import SYSTEM, Actor
from planner.domain import Location, Opportunity, RecordKind, _check, parse_opening_hours
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError, SlotGoneError
from planner.handoffs.moving import booked, check_bookable, unbooked
from planner.handoffs.state import opportunity_of
from planner.qualification import missing_for_handoff
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.deciding import Also, Change, booking_of, carry_out, is_past, taken_out_elsewhere, without_hold
from planner.slots.desk import Desk, Visits
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.riding import add_ride_along
from routing.gazetteer import Verdict
from routing.geo import LatLon

__all__ = ["HoldAsk", "SlotGoneError", "add_ride_along", "cancel", "confirm", "expire", "hold", "release"]


@dataclass(frozen=True, slots=True)
class HoldAsk:
    """A time of a rep's that somebody wants to have kept free.

    Attributes:
        start, end: the window, with their zones; `meaning` is what it will promise.
        place, name, address: where the visit is and to whom; an opportunity that is located counts before them.
        hours: an opening_hours expression that must be open for the whole visit too.
        skills: needed beside those of the opportunity.
        resequence: whether the other visits of the day may be done in another order.
        replaces: the id of the promise that is to be moved here.
    """

    rep_id: str
    day: date
    start: datetime
    end: datetime
    meaning: Meaning
    service_minutes: int
    place: LatLon
    name: str
    address: str
    opportunity_id: str = ""
    hours: str = ""
    skills: frozenset[str] = frozenset()
    resequence: bool = False
    replaces: str = ""

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            _check(getattr(self, name).tzinfo is not None, name, "has no time zone")
        _check(self.start < self.end, "end", "the window is empty")
        _check(self.end - self.start <= timedelta(days=1), "end", "the window is longer than a day")
        _check(bool(self.name.strip()), "name", "is empty")
        if self.hours:
            parse_opening_hours("hours", self.hours)


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
        RefusedError: it may not be held: out of reach, the rep is off, the opportunity is promised a visit already, …
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
        booking = _held(unit, actor, area, ask, booking_id, inside_rep, settings)
        desk = Desk.of(unit, agendas, area, booking.rep_id, booking.day, settings, booking.place)
        _check_day(desk, booking, unit.now(), settings)
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
            check=lambda unit: _check_unpromised(unit, booking),
        )  # fmt: skip

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

    A hold that has run out is promised too if its time is still free.

    Args:
        opportunity: the record that the visit is for, to be added, or to be kept as it is now; None where the hold has
            one.

    Raises:
        NotFoundError: no such booking or opportunity, for this actor.
        SlotGoneError: the hold has run out and its time is taken or past, or it was given back.
        RefusedError: the opportunity has a promise already, or the gate does not let it through.
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
        deal = _deal(unit, present, opportunity, known)
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
        _check_promisable(unit, promise, deal, settings)
        desk = Desk.of(unit, agendas, area, promise.rep_id, promise.day, settings, promise.place)
        _check_able(desk, promise)
        visit = replace(desk.booked(promise), stop=desk.promised_stop(promise, deal))
        # The visit that the plan or the promise before had for them is made now.
        others = tuple(each for each in desk.day.listed if each.id != promise.visit_id)
        held = f"booking:{present.id}"
        if any(each.id == held for each in others):
            listed: Visits | None = tuple(visit if each.id == held else each for each in others)
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
        days += taken_out_elsewhere(unit, agendas, promise, promise.visit_id, settings)
        place = _location_to_save(unit, deal, promise)
        as_it_was = unit.records(area).get(RecordKind.OPPORTUNITY, deal.id)

        def write(unit: UnitOfWork) -> None:
            if as_it_was != deal:
                unit.records(area).save(deal)
            if place is not None:
                unit.records(area).save_locations([place])

        return Change(
            promise, tuple(bookings), tuple(days), dict(seen), action="booking.promised",
            details={"rep": promise.rep_id, "day": str(promise.day), "opportunity": deal.id},
            check=lambda unit: _check_unpromised(unit, promise),
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

    A day that is over keeps its visit.

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
        desk = Desk.of(unit, agendas, area, over.rep_id, over.day, settings)
        listed = tuple(each for each in desk.day.listed if each.id != over.visit_id)
        days = () if is_past(unit, desk.day.rep, over.day) else (desk.changed(listed, shown=True),)
        return Change(
            over, (over,), days, {over.id: present}, action="booking.cancelled",
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


def _held(
    unit: UnitOfWork, actor: Actor, area: str, ask: HoldAsk, booking_id: str, inside_rep: str, settings: Settings
) -> Booking:
    """The hold that is asked for, if nothing but the rep's day stands in its way."""
    now = unit.now()
    _check(ask.start >= now, "start", "is past")
    if ask.start > now + timedelta(days=settings.booking.most_days + 1):
        raise RefusedError(f"visits are booked at most {settings.booking.most_days} days ahead")
    opportunity_id, whose = ask.opportunity_id, actor.scope.inside_rep or inside_rep
    if ask.replaces:
        old = booking_of(unit, area, ask.replaces)
        if old.state is not BookingState.PROMISED:
            raise ConflictError(f"the promise that is to be moved is over: it was {old.state}")
        if opportunity_id not in ("", old.opportunity_id):
            raise InvalidRecordError("opportunity_id", "the promise that is to be moved is to somebody else")
        opportunity_id, whose = old.opportunity_id, old.inside_rep or whose
    name, address, place, skills = ask.name, ask.address, ask.place, ask.skills
    if opportunity_id:
        deal = opportunity_of(unit, area, opportunity_id)
        name, address, whose = deal.name, str(deal.address), deal.inside_rep or whose
        skills = skills | deal.required_skills
        location = unit.records(area).location(RecordKind.OPPORTUNITY, deal.id)
        if location is not None and location.place is not None and location.address == deal.address:
            place = location.place
    booking = Booking(
        area=area,
        id=booking_id,
        rep_id=ask.rep_id,
        day=ask.day,
        state=BookingState.HELD,
        opportunity_id=opportunity_id,
        name=name,
        address=address,
        lat=place.lat,
        lon=place.lon,
        service_minutes=ask.service_minutes,
        start=ask.start.astimezone(UTC),
        end=ask.end.astimezone(UTC),
        meaning=ask.meaning,
        hours=ask.hours,
        skills=skills,
        inside_rep=whose.casefold(),
        made_by=actor.id,
        made_at=now,
        expires_at=now + timedelta(minutes=settings.booking.hold_minutes),
        replaces=ask.replaces,
    )
    if opportunity_id:
        _check_promisable(unit, booking, deal, settings)
    return booking


def _check_day(desk: Desk, booking: Booking, now: datetime, settings: Settings) -> None:
    """The window is on its day, which can be booked."""
    zone = desk.day.rep.zone
    last = booking.end - timedelta(seconds=1)
    _check(booking.start.astimezone(zone).date() == booking.day, "start", f"is not on {booking.day} where the rep is")
    _check(last.astimezone(zone).date() == booking.day, "end", f"is not on {booking.day} where the rep is")
    if (booking.day - now.astimezone(zone).date()).days > settings.booking.most_days:
        raise RefusedError(f"visits are booked at most {settings.booking.most_days} days ahead")
    if not desk.opens(booking):
        raise RefusedError(f"{booking.name} is not open then: {booking.hours}")
    _check_able(desk, booking)


def _check_able(desk: Desk, booking: Booking) -> None:
    """The rep works on that day and has the skills. Raises RefusedError."""
    rep = desk.day.rep
    if not desk.day.works:
        raise RefusedError(f"{rep.name} does not work on {booking.day}")
    if missing := booking.skills - rep.skills:
        raise RefusedError(f"{rep.name} lacks {', '.join(sorted(missing))}")


def _check_promisable(unit: UnitOfWork, booking: Booking, deal: Opportunity, settings: Settings) -> None:
    """An opportunity may be booked at all. Raises RefusedError."""
    area = booking.area
    _check_unpromised(unit, booking)
    if deal.appointment is not None and deal.appointment.date() >= unit.now().date():
        raise RefusedError(
            f"{deal.name} has an appointment on {deal.appointment:%Y-%m-%d %H:%M}: take it out of the record first"
        )
    if settings.booking.only_qualified and (missing := missing_for_handoff(deal, settings.gate)):
        raise RefusedError(f"{deal.name} has not passed the handoff gate: {'; '.join(missing)}")
    if unit.records(area).get(RecordKind.OPPORTUNITY, deal.id) is not None:
        check_bookable(unit, area, deal.id, settings.gate)


def _check_unpromised(unit: UnitOfWork, booking: Booking) -> None:
    """An opportunity has one promise. Raises RefusedError."""
    if not booking.opportunity_id:
        return
    equal = {"area": booking.area, "opportunity_id": booking.opportunity_id, "state": BookingState.PROMISED}
    for other in unit.bookings.find(**equal):
        if other.id not in (booking.id, booking.replaces):
            raise RefusedError(f"{booking.name} has been promised a visit on {other.day}: move or cancel that one")


def _deal(unit: UnitOfWork, hold: Booking, given: Opportunity | None, known: bool) -> Opportunity:
    """The opportunity that a hold is for, as its record is to be then. `known` is whether the actor sees it already."""
    if given is None:
        if not hold.opportunity_id:
            raise InvalidRecordError("opportunity_id", "is empty: a promise is made to somebody")
        return opportunity_of(unit, hold.area, hold.opportunity_id)
    if hold.opportunity_id not in ("", given.id):
        raise InvalidRecordError("opportunity_id", "the hold is for somebody else")
    present = unit.records(hold.area).get(RecordKind.OPPORTUNITY, given.id)
    if not isinstance(present, Opportunity):
        whose = given.inside_rep if given.inside_rep.casefold() == hold.inside_rep else hold.inside_rep
        return replace(given, inside_rep=whose)
    if not known:
        raise NotFoundError(f"area {hold.area} has no opportunity {given.id}")
    return replace(given, inside_rep=present.inside_rep)


def _location_to_save(unit: UnitOfWork, deal: Opportunity, promise: Booking) -> Location | None:
    """Where the customer is, if the records do not know yet."""
    location = unit.records(promise.area).location(RecordKind.OPPORTUNITY, deal.id)
    if location is not None and location.place is not None and location.address == deal.address:
        return None
    return Location(
        RecordKind.OPPORTUNITY, deal.id, deal.address, Verdict.MATCHED, promise.place, 1.0, promise.address, ""
    )


def _gone(desk: Desk, booking: Booking) -> SlotGoneError:
    rep = desk.day.rep
    return SlotGoneError(f"{rep.name} has no time left for this visit on {booking.window_text(rep.zone)}")
