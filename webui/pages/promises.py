"""A booking's own page: a hold is confirmed or given back, a promise is told to the customer, moved and cancelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field, StringConstraints

from planner.access import Permission, Scope
from planner.calendars import calendar_file, earlier_bookings
from planner.domain import Opportunity, RecordKind
from planner.errors import ConflictError, InvalidRecordError, RefusedError
from planner.intake.cells import parse_phone
from planner.rep_names import told_name
from planner.slots.domain import Booking, BookingState
from planner.slots.holding import cancel, confirm, release
from planner.slots.nearby import RideAlong, ride_alongs
from planner.slots.newcomers import newcomer
from planner.slots.riding import add_ride_along
from routing.area import Area
from routing.errors import RoutingError
from webui.forms import Form, booked_once, read_form
from webui.pages.plans import area_named, settings, sources
from webui.policy import allow, viewer
from webui.presenting.booking import booking_view
from webui.words import duration, sentence

promises = Blueprint("promises", __name__)

MOST_NEARBY = 6

TOLD = frozenset({BookingState.PROMISED, BookingState.CANCELLED, BookingState.DONE})
"""States in which there is something for the customer's calendar."""

_AFTER = TOLD | {BookingState.MOVED}
"""States of what has truly taken a promise's place."""

Answer = Literal["yes", "no", "unknown"]


class Prospect(BaseModel):
    """Who the visit is for, where nobody has written that down yet."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    contact_name: str = Field("", max_length=200)
    contact_email: str = Field("", max_length=254)
    contact_phone: str = Field("", max_length=50)
    need: Answer = "unknown"
    budget: Answer = "unknown"
    authority: Answer = "unknown"
    timeline: str = Field("", max_length=200)
    notes: str = Field("", max_length=10_000)


class Reason(BaseModel):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Nearby:
    """A customer who could be visited on the same trip; the name only for those who may see the customer.

    `moves`: from another day, on which the visit is planned.
    """

    which: str
    name: str
    why: str
    away: str
    moves: bool


@dataclass(frozen=True, slots=True)
class Here:
    """A booking with what is needed to speak of it."""

    area: Area
    booking: Booking
    earlier: tuple[Booking, ...]
    rep: str
    zone: ZoneInfo
    now: datetime


@promises.get("/a/<area>/bookings/<booking>")
@allow(Permission.BOOK)
def promise(area: str, booking: str) -> Any:
    return _page(_here(area, booking))


@promises.get("/a/<area>/bookings/<booking>/visit.ics")
@allow(Permission.BOOK)
def calendar(area: str, booking: str) -> Response:
    """For the customer's calendar; of a promise that was cancelled, the file that takes it out again."""
    here = _here(area, booking)
    if here.booking.state not in TOLD:
        abort(404, description="Only a promise goes into a calendar.")
    response = Response(calendar_file(here.booking, here.earlier, here.rep, here.zone), mimetype="text/calendar")
    response.headers.set("Content-Disposition", "attachment", filename="visit.ics")
    return response


@promises.post("/a/<area>/bookings/<booking>/confirm")
@allow(Permission.BOOK)
def confirm_hold(area: str, booking: str) -> Any:
    here = _here(area, booking)
    opportunity: Opportunity | None = None
    form: Form[Any] = Form({})
    if not here.booking.opportunity_id:
        form = read_form(Prospect)
        if form.values is None:
            return _page(here, form), 422
        try:
            opportunity = _opportunity(here, form.values)
        except InvalidRecordError as error:
            return _page(here, Form(form.typed, errors={error.field: error.message})), 422
    return _done(
        here,
        form,
        lambda also: confirm(
            sources().store, viewer().actor, sources().agendas, here.area.name, here.booking.id, opportunity,
            settings(), also,
        ),
    )  # fmt: skip


@promises.post("/a/<area>/bookings/<booking>/release")
@allow(Permission.BOOK)
def give_back(area: str, booking: str) -> Any:
    here = _here(area, booking)
    given_back = _done(
        here,
        Form({}),
        lambda also: release(
            sources().store, viewer().actor, sources().agendas, here.area.name, here.booking.id, settings(), also
        ),
    )
    return given_back if isinstance(given_back, tuple) else redirect(again(here), 303)


@promises.post("/a/<area>/bookings/<booking>/cancel")
@allow(Permission.BOOK)
def cancel_promise(area: str, booking: str) -> Any:
    here = _here(area, booking)
    form = read_form(Reason)
    if form.values is None:
        return _page(here, form, "cancel"), 422
    reason = form.values.reason
    return _done(
        here,
        form,
        lambda also: cancel(
            sources().store, viewer().actor, sources().agendas, here.area.name, here.booking.id, reason, settings(),
            also,
        ),
    )  # fmt: skip


@promises.post("/a/<area>/bookings/<booking>/ride-along")
@allow(Permission.BOOK)
def ride_along(area: str, booking: str) -> Any:
    """Have a customer nearby visited on the same day."""
    here = _here(area, booking)
    which = request.form.get("which", "")
    chosen = next((near for near in _ride_alongs(here) if _which(here, near) == which), None)
    try:
        if chosen is None:
            raise RefusedError("no such customer is near")
        account_id = chosen.account_id
        booked_once(
            lambda also: add_ride_along(
                sources().store, viewer().actor, sources().agendas, here.area.name, here.booking.id, account_id,
                settings(), also,
            )
        )  # fmt: skip
    except (ConflictError, RefusedError, RoutingError):  # whose words would name a customer
        said = "This customer cannot ride along: the day has no time for it without moving a visit"
        return _page(_here(area, booking), Form({}, errors={"": said})), 409
    return redirect(url_for("promises.promise", area=area, booking=booking), 303)


# --- what they share --------------------------------------------------------------------------------------------------


def _here(area: str, booking_id: str) -> Here:
    """The booking of an address; 404 for one that the viewer does not see."""
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        found = unit.bookings.get(chosen.name, booking_id) or abort(404, description="There is no such booking.")
        earlier = earlier_bookings(unit, found)
        moment = unit.now()
    # Of a rep whom the viewer does not see, the name for customers and the zone are told all the same.
    with sources().store.read(Scope(area=chosen.name)) as unit:
        reps = unit.records(chosen.name).reps()
    for rep in reps:
        if rep.id == found.rep_id:
            return Here(chosen, found, earlier, told_name(rep, reps), rep.zone, moment)
    return Here(chosen, found, earlier, "our rep", ZoneInfo("UTC"), moment)


def again(here: Here) -> str:
    """Where other times for the same visit are looked for."""
    booking = here.booking
    return url_for(
        "booking.book",
        area=here.area.name,
        address=booking.address,
        at=f"{booking.lat:.6f},{booking.lon:.6f}",
        minutes=booking.service_minutes,
        hours=booking.hours or None,
        skills=", ".join(sorted(booking.skills)) or None,
        opportunity=booking.opportunity_id or None,
        move=booking.replaces or None,
    )


def _done(here: Here, form: Form[Any], does: Any) -> Any:
    """Do it once and show what came of it; where it came to nothing, say why beside what was typed."""
    try:
        booked_once(does)
    except ConflictError as error:
        return _page(_here(here.area.name, here.booking.id), Form(form.typed, errors={"": str(error)})), 409
    except (RefusedError, RoutingError) as error:  # streets that cannot be read are an admin's to mend
        return _page(here, Form(form.typed, errors={"": str(error)})), 422
    except InvalidRecordError as error:
        return _page(here, Form(form.typed, errors={error.field: error.message})), 422
    return redirect(url_for("promises.promise", area=here.area.name, booking=here.booking.id), 303)


def _page(here: Here, form: Form[Any] | None = None, opened: str = "") -> str:
    booking = here.booking
    with sources().store.read(viewer().scope) as unit:
        deal = unit.records(here.area.name).get(RecordKind.OPPORTUNITY, booking.opportunity_id)
    contact = deal.contact_name if isinstance(deal, Opportunity) else ""
    shown = booking_view(booking, here.earlier, here.rep, here.zone, here.now, contact)
    return render_template(
        "promise.html",
        area=here.area,
        booking=shown,
        form=form or Form({}),
        nearby=_nearby(here) if shown.stage == "promised" else [],
        again=again(here),
        opened=opened,
        successor=_successor(here) if shown.stage == "moved" else "",
    )


def _successor(here: Here) -> str:
    """The booking of the visit that was moved, as it is now; empty where the viewer does not see it."""
    with sources().store.read(viewer().scope) as unit:
        others = unit.bookings.find(area=here.area.name, opportunity_id=here.booking.opportunity_id)
    after = {other.replaces: other.id for other in others if other.state in _AFTER}
    now = here.booking.id
    for _ in after:
        now = after.get(now, now)
    return now if now != here.booking.id else ""


def _opportunity(here: Here, typed: Prospect) -> Opportunity:
    """What is written down of somebody new. Raises InvalidRecordError."""
    return replace(
        newcomer(here.booking, typed.name, here.now, here.zone),
        contact_name=typed.contact_name,
        contact_email=typed.contact_email,
        contact_phone=parse_phone("contact_phone", typed.contact_phone),
        need=typed.need,
        budget=typed.budget,
        authority=typed.authority,
        timeline=typed.timeline or "unknown",
        notes=typed.notes,
    )


def _ride_alongs(here: Here) -> list[RideAlong]:
    """Customers nearby whom the rep of a promise may visit, and who are not visited on that day anyway."""
    booking = here.booking
    try:
        with sources().store.read(Scope(area=here.area.name)) as unit:
            today = here.now.astimezone(here.zone).date()
            found = ride_alongs(unit, sources().agendas, here.area.name, booking.place, settings(), today)
            deal = unit.records(here.area.name).get(RecordKind.OPPORTUNITY, booking.opportunity_id)
    except RoutingError:  # streets that cannot be read are said where they are needed
        return []
    own = deal.account_id if isinstance(deal, Opportunity) else ""  # the visit is to them
    return [
        near
        for near in found
        if near.account_id != own
        and near.owner_rep_id in ("", booking.rep_id)
        and f"{booking.day:%a %Y-%m-%d}" not in near.planned
    ]


def _nearby(here: Here) -> list[Nearby]:
    if here.booking.latest_begin <= here.now:
        return []
    found = _ride_alongs(here)[:MOST_NEARBY]
    with sources().store.read(viewer().scope) as unit:
        records = [unit.records(here.area.name).get(RecordKind.ACCOUNT, near.account_id) for near in found]
    return [
        Nearby(
            _which(here, near),
            record.name if record else f"A customer of {here.rep}’s" if near.owner_rep_id else "A customer",
            sentence(near.why),
            duration(near.away_s),
            bool(near.planned),
        )
        for near, record in zip(found, records, strict=True)
    ]


def _which(here: Here, near: RideAlong) -> str:
    """Stands for a customer whose number is not told to everybody."""
    text = f"{here.booking.id} {near.account_id}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
