"""Visits promised to customers, by program: slots are offered, held for some minutes, and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Response
from pydantic import BeforeValidator, Field

from planner.access import Permission, Scope
from planner.calendars import calendar_file, earlier_bookings
from planner.domain import Opportunity, parse_opening_hours
from planner.errors import InvalidRecordError, NotFoundError
from planner.intake.cells import parse_phone, parse_skills, parse_timeline
from planner.people.fresh import new_id
from planner.rep_names import told_name
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.holding import HoldAsk, cancel, confirm, hold, release
from planner.slots.newcomers import newcomer
from planner.slots.offering import Slot, SlotQuery, offer_slots
from planner.snapshot import zone_of
from routing.area import Area
from routing.gazetteer import Verdict
from routing.geo import LatLon
from webui.api.operation import OwnWrite, Reply, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import FieldError, invalid, unreadable
from webui.api.record_models import Answer
from webui.api.records import area_named
from webui.api.values import Day, Identifier, Minutes, Model, Moment, Name, Phone, Place, Text
from webui.pages.plans import now, settings, sources
from webui.policy import allow, viewer

ICS = "text/calendar"

Also = Callable[[UnitOfWork, Booking], None]


def _number(value: object) -> object:
    """A query holds texts only."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else value


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Number = BeforeValidator(_number)
Truth = BeforeValidator(_truth)
MeaningField = Annotated[
    Meaning,
    Field(
        strict=False, description="`arrive`: the rep is at the door within the window. `whole`: all of the visit is."
    ),
]


States = Literal["held", "promised", "expired", "released", "cancelled", "moved", "done"]


class SlotsQuery(Model):
    """For which visit times are asked; what is left out is as in the settings."""

    address: Annotated[str, Field(min_length=1, max_length=300, description="As people type it, or `lat,lon`.")]
    minutes: Annotated[int, Number, Field(ge=1, le=1440, description="How long the visit takes.")]
    first_day: Annotated[Day | None, Field(description="Today, if left out or past.")] = None
    days: Annotated[int | None, Number, Field(ge=1, le=366, description="Calendar days that are searched.")] = None
    rep: Annotated[str, Field(max_length=200, description="Only this rep's days.")] = ""
    owner: Annotated[str, Field(max_length=200, description="Only days of the rep who owns the account.")] = ""
    skills: Annotated[str, Field(max_length=1_000, description="That the rep must have, with commas between.")] = ""
    language: Annotated[str, Field(max_length=100, description="That the rep must speak.")] = ""
    hours: Annotated[str, Field(max_length=1_000, description="An opening_hours expression of the customer's.")] = ""
    until: Annotated[Day | None, Field(description="The last day that counts.")] = None
    window_minutes: Annotated[int | None, Number, Field(ge=5, le=1440)] = None
    meaning: Annotated[Literal["arrive", "whole"] | None, Field(description="What a window promises.")] = None
    resequence: Annotated[bool, Truth, Field(description="Days may be put into another order for it.")] = True
    limit: Annotated[int | None, Number, Field(ge=1, le=200)] = None


class SlotRecord(Model):
    """A window that a rep can keep together with everything that anybody was told before."""

    rep_id: str
    rep_name: Annotated[str, Field(description="What customers are told: the first name, and more where two have it.")]
    day: Day
    start: Moment
    end: Moment
    begin: Annotated[Moment, Field(description="When the visit would begin as the day stands now.")]
    added_drive_s: Annotated[int, Field(description="Driving that it adds to the day, seconds.")]
    resequenced: Annotated[bool, Field(description="The day's other visits change their order for it.")]
    effect: Annotated[str, Field(description="What it does to the rest of the day.")]
    grade: Annotated[str, Field(description="A to D; docs/booking.md says what they mean.")]

    @classmethod
    def shown(cls, slot: Slot) -> SlotRecord:
        return cls.of(slot, grade=str(slot.grade))


class SlotList(Model):
    """Slots, those that add least driving first."""

    place: Place
    address: Annotated[str, Field(description="As the area's addresses have it.")]
    slots: list[SlotRecord]
    why_none: Annotated[str, Field(description="What stands in the way where there are none.")]


class HoldOrder(Model):
    """A slot to be kept free: `resequence` as its `resequenced`, `replaces` the promise that is to be moved.

    An opportunity has its name, address and place from its record, once that is located.
    """

    rep_id: Identifier
    day: Day
    start: Moment
    end: Moment
    meaning: MeaningField = Meaning.ARRIVE
    minutes: Minutes
    place: Place
    name: Name
    address: Name
    opportunity_id: Annotated[str, Field(max_length=200, description="Empty for somebody new.")] = ""
    hours: Annotated[str, Field(max_length=1_000)] = ""
    skills: Annotated[list[Identifier], Field(max_length=100)] = Field(default_factory=list)
    resequence: bool = False
    replaces: Annotated[str, Field(max_length=200)] = ""


class Confirmation(Model):
    """Whom the visit is for, where the hold is for somebody new: they become an opportunity. Else it is `{}`."""

    name: Text = ""
    contact_name: Text = ""
    contact_email: Text = ""
    contact_phone: Phone = ""
    need: Answer = "unknown"
    budget: Answer = "unknown"
    authority: Answer = "unknown"
    timeline: Text = "unknown"
    notes: Annotated[str, Field(max_length=20_000)] = ""


class Cancellation(Model):
    """Why a promise is called off."""

    reason: Name


class BookingRecord(Model):
    """A time that is held for, or promised to, a customer; it stays when it ends."""

    id: str
    state: States
    opportunity_id: str
    rep_id: str
    day: Day
    start: Moment
    end: Moment
    meaning: MeaningField
    minutes: int
    name: str
    address: str
    place: Place
    hours: str
    skills: list[str]
    inside_rep: Annotated[str, Field(description="The e-mail address of who holds it.")]
    made_at: Moment
    expires_at: Annotated[Moment | None, Field(description="Of a hold.")]
    ended_at: Moment | None
    replaces: str
    reason: str

    @classmethod
    def shown(cls, booking: Booking) -> BookingRecord:
        return cls.of(
            booking,
            state=str(booking.state),
            minutes=booking.service_minutes,
            place=Place(lat=booking.lat, lon=booking.lon),
            skills=sorted(booking.skills),
        )


class BookingsQuery(PageQuery):
    """Which bookings are asked for."""

    opportunity_id: Annotated[str, Field(max_length=200, description="Only those for this opportunity.")] = ""
    state: Annotated[States | None, Field(description="Only those in this state.")] = None


class BookingPage(Page):
    """Bookings by their id."""

    bookings: list[BookingRecord]


@operation("GET", "/areas/<area>/slots", {200: SlotList}, tag="bookings", problems=(422,))
@allow(Permission.BOOK)
def list_slots(area: str, query: SlotsQuery) -> Reply:
    """Arrival windows for a visit, those that add least driving first.

    Each can be kept by its rep together with everything that anybody was told before, until somebody else holds it.
    """
    known, rules = area_named(area), settings().booking
    if query.hours:
        try:
            parse_opening_hours("hours", query.hours)
        except InvalidRecordError as error:
            raise unreadable("The hours cannot be read.", FieldError("hours", error.message)) from error
    place, address = _located(known, query.address)
    moment, meaning = now(), Meaning(query.meaning or rules.meaning)
    width = query.window_minutes or rules.window_minutes
    # Whose time is free is told of the whole area: inside reps see nobody's days, and book anybody's.
    with store().read(Scope(area=known.name)) as unit:
        today = moment.astimezone(_zone(unit, known.name)).date()
        wanted = SlotQuery(
            place=place,
            service_minutes=query.minutes,
            first_day=max(query.first_day or today, today),
            days=min(query.days or rules.days, rules.most_days),
            reps=None if viewer().scope.inside_rep is not None else viewer().scope.reps,
            rep_id=query.rep,
            owner_rep_id=query.owner,
            skills=parse_skills(query.skills),
            language=query.language,
            hours=query.hours,
            until=query.until,
            window_minutes=max(width, query.minutes) if meaning is Meaning.WHOLE else width,
            meaning=meaning,
            not_before=moment + timedelta(minutes=rules.notice_minutes),
            resequence=query.resequence,
            limit=query.limit or rules.offers,
        )
        offers = offer_slots(unit, sources().agendas, known.name, wanted, settings(), moment)
    return Reply(
        SlotList(
            place=Place(lat=place.lat, lon=place.lon),
            address=address,
            slots=[SlotRecord.shown(slot) for slot in offers.slots],
            why_none=offers.why_none,
        )
    )


def _located(area: Area, address: str) -> tuple[LatLon, str]:
    """The one place of an address; Problem with the candidates where that is not sure."""
    found = sources().gazetteer(area).locate(address)
    if found.verdict is Verdict.MATCHED:
        return found.candidates[0].place, found.candidates[0].address
    likely = "; ".join(f"{near.address} ({near.place.lat},{near.place.lon})" for near in found.candidates)
    said = f"is not sure: {found.reason.rstrip('.')}"
    raise unreadable(
        "The address is not sure.", FieldError("address", f"{said}; it may be {likely}" if likely else said)
    )


@operation("POST", "/areas/<area>/holds", {201: BookingRecord}, tag="bookings", problems=(409,))
@allow(Permission.BOOK)
def hold_slot(area: str, body: HoldOrder) -> OwnWrite:
    """Keep a slot free for some minutes.

    Where somebody was faster, or the time is no longer there, the answer is 409: ask for slots again. With `replaces`
    the hold is for another time of a promise, which stays until the hold is confirmed.
    """
    known, booking_id = area_named(area).name, new_id()
    ask = HoldAsk(
        rep_id=body.rep_id,
        day=body.day,
        start=body.start,
        end=body.end,
        meaning=body.meaning,
        service_minutes=body.minutes,
        place=LatLon(body.place.lat, body.place.lon),
        name=body.name,
        address=body.address,
        opportunity_id=body.opportunity_id,
        hours=body.hours,
        skills=parse_skills(";".join(body.skills)),
        resequence=body.resequence,
        replaces=body.replaces,
    )
    return _writes(
        lambda also: hold(
            store(), viewer().actor, sources().agendas, known, ask, booking_id, viewer().user.email, settings(), also
        ),
        201,
    )


@operation("POST", "/areas/<area>/bookings/<booking_id>/confirm", {200: BookingRecord}, tag="bookings", problems=(409,))
@allow(Permission.BOOK)
def confirm_booking(area: str, booking_id: str, body: Confirmation) -> OwnWrite:
    """Promise to the customer what is held; a promise stays as it is.

    A hold for somebody new needs their name. One that has run out is promised too if its time is still free, and else
    answers 409.
    """
    known = area_named(area).name
    opportunity = _opportunity(known, _booking(known, booking_id), body)
    return _writes(
        lambda also: confirm(
            store(), viewer().actor, sources().agendas, known, booking_id, opportunity, settings(), also
        )
    )


@operation("POST", "/areas/<area>/bookings/<booking_id>/release", {200: BookingRecord}, tag="bookings", problems=(409,))
@allow(Permission.BOOK)
def release_booking(area: str, booking_id: str) -> OwnWrite:
    """Give a hold back; one that is over stays as it is."""
    known = area_named(area).name
    return _writes(
        lambda also: release(store(), viewer().actor, sources().agendas, known, booking_id, settings(), also)
    )


@operation("POST", "/areas/<area>/bookings/<booking_id>/cancel", {200: BookingRecord}, tag="bookings", problems=(409,))
@allow(Permission.BOOK)
def cancel_booking(area: str, booking_id: str, body: Cancellation) -> OwnWrite:
    """Call a promise off; the handoff is where it was before."""
    known = area_named(area).name
    _booking(known, booking_id)
    if not body.reason.strip():
        raise invalid(FieldError("/reason", "is empty"))
    return _writes(
        lambda also: cancel(
            store(), viewer().actor, sources().agendas, known, booking_id, body.reason, settings(), also
        )
    )


@operation("GET", "/areas/<area>/bookings", {200: BookingPage}, tag="bookings")
@allow(Permission.BOOK, Permission.SEE_DAYS)
def list_bookings(area: str, query: BookingsQuery) -> Reply:
    """Holds and promises that you see, those that are over too: the history."""
    known = area_named(area).name
    wanted: dict[str, Any] = {"area": known}
    if query.opportunity_id:
        wanted["opportunity_id"] = query.opportunity_id
    if query.state:
        wanted["state"] = BookingState(query.state)
    with store().read(viewer().scope) as unit:
        found = unit.bookings.find(**wanted)
    shown, following = page(query, f"{area}/bookings", found, lambda booking: (booking.id,))
    return Reply(BookingPage(bookings=[BookingRecord.shown(booking) for booking in shown], next=following))


@operation("GET", "/areas/<area>/bookings/<booking_id>", {200: BookingRecord}, tag="bookings")
@allow(Permission.BOOK, Permission.SEE_DAYS)
def get_booking(area: str, booking_id: str) -> Reply:
    """A hold or a promise."""
    return Reply(BookingRecord.shown(_booking(area_named(area).name, booking_id)))


@operation("GET", "/areas/<area>/bookings/<booking_id>/calendar", {200: ICS}, tag="bookings", problems=(422,))
@allow(Permission.BOOK, Permission.SEE_DAYS)
def get_calendar_file(area: str, booking_id: str) -> Response:
    """The calendar file of a promise for the customer; of one that is cancelled, the file that takes it out again."""
    known = area_named(area).name
    booking = _booking(known, booking_id)
    if booking.state not in (BookingState.PROMISED, BookingState.DONE, BookingState.CANCELLED):
        raise invalid(FieldError("booking_id", f"is {booking.state}, and was not promised"))
    with store().read(Scope(area=known)) as unit:
        earlier = earlier_bookings(unit, booking)
        reps = unit.records(known).reps()
    rep = next((rep for rep in reps if rep.id == booking.rep_id), None)
    if rep is None:
        raise NotFoundError(f"the rep of booking {booking_id} is not there any more")
    return Response(calendar_file(booking, earlier, told_name(rep, reps), rep.zone), mimetype=ICS)


def _writes(does: Callable[[Also], Any], status: int = 200) -> OwnWrite:
    def write(kept: Callable[[UnitOfWork, Reply], None]) -> None:
        does(lambda unit, booking: kept(unit, Reply(BookingRecord.shown(booking), status)))

    return OwnWrite(write)


def _booking(area: str, booking_id: str) -> Booking:
    with store().read(viewer().scope) as unit:
        found = unit.bookings.get(area, booking_id)
    if found is None:
        raise NotFoundError(f"area {area} has no booking {booking_id}")
    return found


def _zone(unit: UnitOfWork, area: str) -> ZoneInfo:
    return zone_of(unit.records(area).reps()) or ZoneInfo("UTC")


def _opportunity(area: str, booking: Booking, body: Confirmation) -> Opportunity | None:
    """What is written down of somebody new; None where the hold is for an opportunity. Raises Problem."""
    if booking.opportunity_id:
        return None
    if not body.name.strip():
        raise invalid(FieldError("/name", "is empty: the hold is for somebody new"))
    try:
        phone = parse_phone("contact_phone", body.contact_phone)
    except InvalidRecordError as error:
        raise invalid(FieldError("/contact_phone", error.message)) from error
    with store().read(Scope(area=area)) as unit:
        zone = _zone(unit, area)
    return replace(
        newcomer(booking, body.name.strip(), now(), zone),
        contact_name=body.contact_name,
        contact_email=body.contact_email,
        contact_phone=phone,
        need=body.need,
        budget=body.budget,
        authority=body.authority,
        timeline=parse_timeline(body.timeline),
        notes=body.notes,
    )
