"""A booking's own page: a hold is confirmed or given back, a promise is told to the customer, moved and cancelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from pydantic import BaseModel, Field, StringConstraints

from planner.access import Permission, Scope
from planner.calendars import calendar_file, earlier_bookings
from planner.domain import Address, Opportunity, RecordKind, Rep
from planner.errors import ConflictError, InvalidRecordError, RefusedError
from planner.slots.domain import Booking, BookingState
from planner.slots.holding import cancel, confirm, release
from routing.area import Area
from webui.forms import Form, booked_once, read_form
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.booking import booking_view, first_name

promises = Blueprint("promises", __name__)

TOLD = frozenset({BookingState.PROMISED, BookingState.CANCELLED, BookingState.DONE})
"""States in which there is something for the customer's calendar."""

Answer = Literal["yes", "no", "unknown"]


class Prospect(BaseModel):
    """Who the visit is for, where nobody has written that down yet."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    contact_name: str = Field("", max_length=200)
    contact_email: str = Field("", max_length=254)
    need: Answer = "unknown"
    budget: Answer = "unknown"
    authority: Answer = "unknown"
    timeline: str = Field("", max_length=200)
    notes: str = Field("", max_length=10_000)


class Reason(BaseModel):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class RideAlongForm(BaseModel):
    which: str = Field(max_length=64)


@dataclass(frozen=True, slots=True)
class Nearby:
    """A customer who could be visited on the same trip; the name only for those who may see the customer."""

    which: str
    name: str
    why: str
    minutes: str


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
    try:
        booked_once(
            lambda also: release(
                sources().store, viewer().actor, sources().agendas, here.area.name, here.booking.id, settings(), also
            )
        )
    except ConflictError:
        return redirect(url_for("promises.promise", area=area, booking=booking), 303)
    return redirect(again(here), 303)


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


# --- what they share --------------------------------------------------------------------------------------------------


def _here(area: str, booking_id: str) -> Here:
    """The booking of an address; 404 for one that the viewer does not see."""
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        found = unit.bookings.get(chosen.name, booking_id) or abort(404, description="There is no such booking.")
        earlier = earlier_bookings(unit, found)
        moment = unit.now()
    # Of a rep whom the viewer does not see, the first name and the zone are told all the same.
    with sources().store.read(Scope(area=chosen.name)) as unit:
        rep = unit.records(chosen.name).get(RecordKind.REP, found.rep_id)
    if isinstance(rep, Rep):
        return Here(chosen, found, earlier, first_name(rep.name), rep.zone, moment)
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
    except RefusedError as error:
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
        nearby=[],
        again=again(here),
        opened=opened,
    )


def _opportunity(here: Here, typed: Prospect) -> Opportunity:
    """What is written down of somebody new. Raises InvalidRecordError."""
    booking = here.booking
    return Opportunity(
        id=f"B-{booking.id}",
        name=typed.name,
        address=Address(booking.address),
        contact_name=typed.contact_name,
        contact_email=typed.contact_email,
        need=typed.need,
        budget=typed.budget,
        authority=typed.authority,
        timeline=typed.timeline or "unknown",
        qualified_at=now().astimezone(here.zone).replace(tzinfo=None, second=0, microsecond=0),
        visit_minutes=booking.service_minutes,
        required_skills=booking.skills,
        availability=booking.hours,
        inside_rep=viewer().user.email,
        notes=typed.notes,
    )


def _which(account_id: str) -> str:
    """Stands for a customer whose number is not told to everybody."""
    return hashlib.sha256(f"ride along {account_id}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
