"""What may be booked at all, before anybody looks at whether the rep's day has time for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from planner.access import Actor
from planner.domain import Location, Opportunity, RecordKind, _check, parse_opening_hours
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError
from planner.handoffs.moving import check_bookable
from planner.handoffs.state import opportunity_of
from planner.qualification import missing_for_handoff
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.deciding import booking_of
from planner.slots.desk import Desk
from planner.slots.domain import Booking, BookingState, Meaning
from planner.snapshot import zone_of
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.problem import UNREACHABLE


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


def hold_of(
    unit: UnitOfWork, actor: Actor, area: str, ask: HoldAsk, booking_id: str, inside_rep: str, settings: Settings
) -> Booking:
    """The hold that is asked for, if nothing but the rep's day stands in its way."""
    now = unit.now()
    _check(ask.start >= now, "start", "is past")
    if max(ask.day, ask.start.date()) > now.date() + timedelta(days=settings.booking.most_days):
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
        place = place_of(unit, area, deal) or place
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
        check_promisable(unit, booking, deal, settings)
    return booking


def check_day(desk: Desk, booking: Booking) -> None:
    """The window is on its day, which can be booked, and streets lead there and back."""
    zone = desk.day.rep.zone
    last = booking.end - timedelta(seconds=1)
    _check(booking.start.astimezone(zone).date() == booking.day, "start", f"is not on {booking.day} where the rep is")
    _check(last.astimezone(zone).date() == booking.day, "end", f"is not on {booking.day} where the rep is")
    if not desk.opens(booking):
        raise RefusedError(f"{booking.name} is not open then: {booking.hours}")
    home, place = desk.day.working_day, booking.place
    if any(seconds == UNREACHABLE for seconds, _ in desk.workshop.legs.along([home.start, place, home.end], {})):
        raise RefusedError(f"no street leads from where the rep starts to {booking.address}, and back")
    check_able(desk, booking)


def check_able(desk: Desk, booking: Booking) -> None:
    """The rep works on that day, has the skills, and is not done with the customer for it. Raises RefusedError."""
    rep, begun = desk.day.rep, desk.day.begun
    if not desk.day.works:
        raise RefusedError(f"{rep.name} does not work on {booking.day}")
    if begun is not None and begun.sick:
        raise RefusedError(f"{rep.name} is sick")
    if begun is not None and booking.visit_id in begun.aside:
        raise RefusedError(f"{rep.name} has done with {booking.name} for this day: book another day, or another rep")
    if missing := booking.skills - rep.skills:
        raise RefusedError(f"{rep.name} lacks {', '.join(sorted(missing))}")


def check_promisable(unit: UnitOfWork, booking: Booking, deal: Opportunity, settings: Settings) -> None:
    """An opportunity may be booked at all. Raises RefusedError."""
    area = booking.area
    check_unpromised(unit, booking)
    if deal.appointment is not None and deal.appointment_to_come(unit.now(), zone_of(unit.records(area).reps()) or UTC):
        raise RefusedError(
            f"{deal.name} has an appointment on {deal.appointment:%Y-%m-%d %H:%M}: take it out of the record first"
        )
    if settings.booking.only_qualified and (missing := missing_for_handoff(deal, settings.gate)):
        raise RefusedError(f"{deal.name} has not passed the handoff gate: {'; '.join(missing)}")
    if unit.records(area).get(RecordKind.OPPORTUNITY, deal.id) is not None:
        check_bookable(unit, area, deal.id, settings.gate)


def check_few_held(unit: UnitOfWork, actor: Actor, area: str, settings: Settings) -> None:
    """Nobody keeps more times from the others than they can be on the phone about. Raises RefusedError."""
    now, most = unit.now(), settings.booking.holds_per_person
    held = [h for h in unit.bookings.find(area=area, made_by=actor.id, state=BookingState.HELD) if h.live_at(now)]
    if len(held) >= most:
        told = "; ".join(f"{hold.id} ({hold.name}, {hold.day})" for hold in held)
        raise RefusedError(f"{len(held)} times are held by you already: confirm or give back one of them first: {told}")


def check_unpromised(unit: UnitOfWork, booking: Booking) -> None:
    """An opportunity has one promise. Raises RefusedError."""
    if not booking.opportunity_id:
        return
    equal = {"area": booking.area, "opportunity_id": booking.opportunity_id, "state": BookingState.PROMISED}
    for other in unit.bookings.find(**equal):
        if other.id not in (booking.id, booking.replaces):
            raise RefusedError(f"{booking.name} has been promised a visit on {other.day}: move or cancel that one")


def deal_of(unit: UnitOfWork, hold: Booking, given: Opportunity | None, known: bool) -> Opportunity:
    """The opportunity that a hold is for: a new one as it is `given`, another one as its record says now.

    `known` is whether the actor sees the record already.
    """
    if given is None and not hold.opportunity_id:
        raise InvalidRecordError("opportunity_id", "is empty: a promise is made to somebody")
    if given is not None:
        if hold.opportunity_id not in ("", given.id):
            raise InvalidRecordError("opportunity_id", "the hold is for somebody else")
        if unit.records(hold.area).get(RecordKind.OPPORTUNITY, given.id) is None:
            whose = given.inside_rep if given.inside_rep.casefold() == hold.inside_rep else hold.inside_rep
            return replace(given, inside_rep=whose)
        if not known:
            raise NotFoundError(f"area {hold.area} has no opportunity {given.id}")
    deal = opportunity_of(unit, hold.area, given.id if given is not None else hold.opportunity_id)
    if place_of(unit, hold.area, deal) not in (None, hold.place):
        raise RefusedError(f"{deal.name} is at {deal.address}, and the time is held for {hold.address}: hold another")
    return deal


def place_of(unit: UnitOfWork, area: str, deal: Opportunity) -> LatLon | None:
    """Where the records know the customer to be; None where they do not know."""
    location = unit.records(area).location(RecordKind.OPPORTUNITY, deal.id)
    return location.place if location is not None and location.address == deal.address else None


def location_to_save(unit: UnitOfWork, deal: Opportunity, promise: Booking) -> Location | None:
    """Where the customer is, if the records do not know yet."""
    if place_of(unit, promise.area, deal) is not None:
        return None
    return Location(
        RecordKind.OPPORTUNITY, deal.id, deal.address, Verdict.MATCHED, promise.place, 1.0, promise.address, ""
    )
