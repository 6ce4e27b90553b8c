"""The page for a call: an address and a duration become times that can be kept, and one of them is held."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from markupsafe import Markup
from pydantic import BaseModel, BeforeValidator, Field

from planner.access import Permission, Scope
from planner.domain import MAX_MINUTES, Opportunity, RecordKind, parse_opening_hours
from planner.errors import InvalidRecordError, RefusedError
from planner.people.fresh import new_id
from planner.rep_names import told_names
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.holding import HoldAsk, SlotGoneError, hold
from planner.slots.offering import SlotQuery, offer_slots
from planner.snapshot import zone_of
from routing.area import Area
from routing.errors import AreaError, RoutingError
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon
from webui.forms import Form, booked_once, read_form
from webui.maps import MapFragments, bare_map, packed
from webui.pages.plans import area_named, basemap_url, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.booking import OffersView, day_asked, offers_view, slot_asked
from webui.words import sentence

booking = Blueprint("booking", __name__)

SUGGESTIONS = 8
MOST_WHICH = 40
"""So many addresses of a postcode are listed to choose among."""
MOST_DAYS_DRAWN = 16
MOST_WIDTH = 8 * 60

Day = Annotated[date | None, BeforeValidator(lambda text: text or None)]
TimeOfDay = Annotated[time | None, BeforeValidator(lambda text: text or None)]


class Asked(BaseModel):
    """What the form asks for; everything but the address and the minutes may be left out.

    `at` is where the address is, once it was chosen among those of the gazetteer.
    """

    address: str = Field("", max_length=300)
    at: str = Field("", max_length=60)
    minutes: int | None = Field(None, ge=1, le=MAX_MINUTES)
    first_day: Day = None
    days: int | None = Field(None, ge=1, le=366)
    not_before: TimeOfDay = None
    rep: str = Field("", max_length=200)
    owner: str = Field("", max_length=200)
    skills: str = Field("", max_length=1_000)
    language: str = Field("", max_length=100)
    hours: str = Field("", max_length=1_000)
    width: int | None = Field(None, ge=5, le=MOST_WIDTH)
    meaning: Meaning | None = None
    opportunity: str = Field("", max_length=200)
    move: str = Field("", max_length=64)


OPTIONAL_NUMBERS = ("minutes", "days", "width", "meaning")
"""Fields of which nothing typed is no mistake."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers to choose among; of reps only what is told of them."""

    zone: ZoneInfo
    reps: tuple[tuple[str, str], ...]
    skills: tuple[str, ...]
    languages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Found:
    """What came of a search: times, or what stands in their way.

    `address` is the one that was understood, `street` says that of it only the street is known.

    `which` are places that may be meant where the address is not sure, and `why` says so.
    """

    place: LatLon | None = None
    address: str = ""
    street: bool = False
    offers: OffersView | None = None
    which: tuple[Candidate, ...] = ()
    why: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


# --- the address ------------------------------------------------------------------------------------------------------


@booking.get("/a/<area>/addresses.json")
@allow(Permission.HAND_OFF, Permission.BOOK, Permission.WRITE_RECORDS)
def addresses(area: str) -> Response:
    """Addresses that begin like `q`, from the area's own gazetteer; a `street` still wants a number."""
    typed = request.args.get("q", "")
    try:
        found = sources().gazetteer(area_named(area)).complete(typed, SUGGESTIONS)
    except AreaError:
        found = []
    told = [{"text": one.text, "at": f"{one.place.lat:.6f},{one.place.lon:.6f}", "street": one.street} for one in found]
    return Response(json.dumps({"addresses": told}, ensure_ascii=False), mimetype="application/json")


def _locate(area: Area, asked: Asked) -> tuple[Candidate | None, tuple[Candidate, ...], str]:
    """Where the visit is, with the address that was understood; or where it may be, and why that is not sure."""
    if asked.at:
        try:
            lat, lon = (float(part) for part in asked.at.split(","))
            if math.isfinite(lat) and math.isfinite(lon):
                return Candidate(LatLon(lat, lon), asked.address or asked.at, 1.0), (), ""
        except (ValueError, RoutingError):
            pass
    result = sources().gazetteer(area).locate(asked.address)
    if result.verdict is Verdict.MATCHED:
        return result.candidates[0], (), ""
    if result.candidates:
        return None, result.candidates, result.reason
    # Of a postcode alone the gazetteer makes no address, but it knows which begin so.
    doors = [one for one in sources().gazetteer(area).complete(asked.address, MOST_WHICH) if not one.street]
    why = f"“{asked.address}” is more than one address." if len(doors) > 1 else result.reason
    return None, tuple(Candidate(one.place, one.text, 0.5) for one in doors), why


def _is_street(area: Area, where: Candidate) -> bool:
    """Whether an address is but a street, of which some place in the middle is known."""
    try:
        known = sources().gazetteer(area).complete(where.address, SUGGESTIONS)
    except AreaError:
        return False
    return any(one.street and one.text == where.address for one in known)


# --- times ------------------------------------------------------------------------------------------------------------


@booking.get("/a/<area>/book")
@allow(Permission.BOOK)
def book(area: str) -> Any:
    chosen = area_named(area)
    form = _read(_prefilled(chosen, request.args))
    return _page(chosen, form, _search(chosen, form))


@booking.get("/a/<area>/book/slots")
@allow(Permission.BOOK)
def slots(area: str) -> Any:
    """The part of the page that changes while somebody types."""
    chosen = area_named(area)
    form = _read(dict(request.args))
    return render_template("booking_slots.html", area=chosen, form=form, found=_search(chosen, form))


@booking.get("/a/<area>/book/days.json")
@allow(Permission.BOOK)
def days(area: str) -> Response:
    """Days as lines and dots, without names, homes or anything else of whom they are for."""
    chosen = area_named(area)
    try:
        keys = [day_asked(key) for key in request.args.getlist("day")[:MOST_DAYS_DRAWN]]
    except ValueError:
        abort(400, description="That is no day of a rep.")
    drawn = []
    if keys:
        on = [day for _, day in keys]
        if max(on) - min(on) > timedelta(days=settings().booking.most_days):
            abort(400, description="These days are too far apart.")
        with sources().store.read(Scope(area=chosen.name)) as unit:
            agenda = sources().agendas.agenda(unit, chosen.name, min(on), max(on))
        by_key = {(day.rep.id, day.working_day.day): day for day in agenda.days if _may_book(day.rep.id)}
        for rep_id, day in keys:
            known = by_key.get((rep_id, day))
            places = [(visit.place.lat, visit.place.lon) for visit in known.visits] if known else []
            roads = sources().roads_along(chosen, list(dict.fromkeys(places)))
            dots = [[round(lat, 5), round(lon, 5)] for lat, lon in dict.fromkeys(places)]
            drawn.append(
                {"key": json.dumps([rep_id, str(day)]), "lines": [packed(line) for line in roads.lines], "dots": dots}
            )
    return Response(json.dumps({"days": drawn}, separators=(",", ":")), mimetype="application/json")


def _may_book(rep_id: str) -> bool:
    """Inside sales books anybody's time, a manager that of the team."""
    scope = viewer().scope
    return scope.inside_rep is not None or scope.reps is None or rep_id in scope.reps


def _search(area: Area, form: Form[Asked]) -> Found:
    asked = form.values
    if asked is None:
        return Found(errors=form.errors)
    if not (asked.address or asked.at) or asked.minutes is None:
        return Found()
    try:
        where, which, why = _locate(area, asked)
        if where is None:
            return Found(which=which, why=why)
        with sources().store.read(Scope(area=area.name)) as unit:
            zone = zone_of(unit.records(area.name).reps()) or ZoneInfo("UTC")
            query = _query(asked, where.place, zone)
            offers = offer_slots(unit, sources().agendas, area.name, query, settings(), now())
    except InvalidRecordError as error:
        return Found(errors={error.field: error.message})
    except RefusedError as error:
        return Found(errors={"": str(error)})
    except RoutingError as error:
        return Found(why=f"{error}.")
    if not all(_may_book(slot.rep_id) for slot in offers.slots):
        offers = replace(offers, slots=tuple(slot for slot in offers.slots if _may_book(slot.rep_id)))
    offered = offers_view(offers, now().astimezone(zone).date())
    return Found(where.place, where.address, _is_street(area, where), offered)


def _query(asked: Asked, place: LatLon, zone: ZoneInfo) -> SlotQuery:
    """What is asked of the planner. Raises InvalidRecordError where hours do not parse."""
    rules = settings().booking
    present = now()
    earliest = present + timedelta(minutes=rules.notice_minutes)
    first_day = max(asked.first_day or present.astimezone(zone).date(), present.astimezone(zone).date())
    if asked.not_before:
        earliest = max(earliest, datetime.combine(first_day, asked.not_before, zone))
    if asked.hours:
        parse_opening_hours("hours", asked.hours)
    width = asked.width or rules.window_minutes
    meaning = asked.meaning or Meaning(rules.meaning)
    minutes = asked.minutes or settings().candidates.visit_minutes
    return SlotQuery(
        place=place,
        service_minutes=minutes,
        first_day=first_day,
        days=min(asked.days or rules.days, rules.most_days),
        rep_id=asked.rep,
        owner_rep_id=asked.owner,
        skills=_skills(asked.skills),
        language=asked.language,
        hours=asked.hours,
        window_minutes=max(width, minutes) if meaning is Meaning.WHOLE else width,
        meaning=meaning,
        not_before=earliest,
        limit=rules.offers,
    )


def _skills(typed: str) -> frozenset[str]:
    return frozenset(" ".join(skill.split()).casefold() for skill in typed.split(",") if skill.strip())


# --- holding ----------------------------------------------------------------------------------------------------------


@booking.post("/a/<area>/book")
@allow(Permission.BOOK)
def hold_slot(area: str) -> Any:
    """Hold the chosen time; where somebody was faster, the page comes back with what is left."""
    chosen = area_named(area)
    form = _read(dict(request.form))
    asked = form.values
    if asked is None or asked.minutes is None:
        return _page(chosen, form, _search(chosen, form)), 422
    where, *_ = _locate(chosen, asked)
    try:
        rep_id, day, start, end, resequence = slot_asked(request.form.get("slot", ""))
    except ValueError:
        abort(400, description="This form was not made by our pages. Load the page again.")
    if where is None or not _may_book(rep_id):
        return _page(chosen, form, _search(chosen, form)), 422
    known = _opportunity(chosen, asked.opportunity)
    moved = _booking(chosen, asked.move) if asked.move else None
    rules = settings().booking
    try:
        ask = HoldAsk(
            rep_id=rep_id,
            day=day,
            start=start,
            end=end,
            meaning=asked.meaning or Meaning(rules.meaning),
            service_minutes=asked.minutes,
            place=where.place,
            name=known.name if known else moved.name if moved else where.address,
            address=where.address,
            opportunity_id=known.id if known else moved.opportunity_id if moved else "",
            hours=asked.hours,
            skills=_skills(asked.skills),
            resequence=resequence,
            replaces=asked.move,
        )
        held = booked_once(
            lambda also: hold(
                sources().store, viewer().actor, sources().agendas, chosen.name, ask, new_id(),
                viewer().user.email, settings(), also,
            )
        )  # fmt: skip
    except SlotGoneError as error:
        return _page(chosen, form, _search(chosen, form), gone=f"{sentence(str(error))}."), 409
    except (RefusedError, RoutingError) as error:
        return _page(chosen, form, Found(errors={"": str(error)})), 422
    except InvalidRecordError as error:
        return _page(chosen, form, Found(errors={error.field: error.message})), 422
    return redirect(url_for("promises.promise", area=chosen.name, booking=held), 303)


# --- the form ---------------------------------------------------------------------------------------------------------


def _read(sent: Mapping[str, str]) -> Form[Asked]:
    return read_form(Asked, {name: text for name, text in sent.items() if text or name not in OPTIONAL_NUMBERS})


def _prefilled(area: Area, args: Mapping[str, str]) -> dict[str, str]:
    """What the address of the page says, and beneath it what is known of its opportunity or of the promise it moves."""
    known: dict[str, str] = {"minutes": str(settings().candidates.visit_minutes)}
    if args.get("move"):
        booked = _booking(area, args["move"])
        if booked.state is not BookingState.PROMISED:
            abort(409, description="This visit is not promised any more, so there is nothing to move.")
        known |= {
            "address": booked.address,
            "at": f"{booked.lat:.6f},{booked.lon:.6f}",
            "minutes": str(booked.service_minutes),
            "hours": booked.hours,
            "skills": ", ".join(sorted(booked.skills)),
            "meaning": booked.meaning,
            "opportunity": booked.opportunity_id,
        }
    elif deal := _opportunity(area, args.get("opportunity", "")):
        with sources().store.read(viewer().scope) as unit:
            location = unit.records(area.name).location(RecordKind.OPPORTUNITY, deal.id)
            account = unit.records(area.name).get(RecordKind.ACCOUNT, deal.account_id) if deal.account_id else None
        known |= {"address": str(deal.address), "hours": deal.availability}
        known["skills"] = ", ".join(sorted(deal.required_skills))
        if deal.visit_minutes:
            known["minutes"] = str(deal.visit_minutes)
        if location and location.place and location.address == deal.address:
            known["at"] = f"{location.place.lat:.6f},{location.place.lon:.6f}"
        known["owner"] = getattr(account, "owner_rep_id", "")
    return known | dict(args)


def _opportunity(area: Area, opportunity_id: str) -> Opportunity | None:
    if not opportunity_id:
        return None
    with sources().store.read(viewer().scope) as unit:
        found = unit.records(area.name).get(RecordKind.OPPORTUNITY, opportunity_id)
    return found if isinstance(found, Opportunity) else abort(404, description="There is no such opportunity.")


def _booking(area: Area, booking_id: str) -> Booking:
    with sources().store.read(viewer().scope) as unit:
        return unit.bookings.get(area.name, booking_id) or abort(404, description="There is no such booking.")


def _page(area: Area, form: Form[Asked], found: Found, gone: str = "") -> str:
    with sources().store.read(Scope(area=area.name)) as unit:
        choices = _choices(unit, area)
    known = _opportunity(area, form.typed.get("opportunity", ""))
    return render_template(
        "booking.html",
        area=area,
        form=form,
        found=found,
        gone=gone,
        choices=choices,
        rules=settings().booking,
        today=now().astimezone(choices.zone).date(),
        customer=known.name if known else "",
        moving=form.typed.get("move", ""),
        folded=not any(form.typed.get(name) for name in _MORE) and not found.errors,
        map=_map(area, found.place),
    )


_MORE = ("first_day", "days", "not_before", "rep", "owner", "skills", "language", "hours", "width", "meaning")


def _choices(unit: UnitOfWork, area: Area) -> Choices:
    team = unit.records(area.name).reps()
    names = told_names(team)
    reps = [rep for rep in team if _may_book(rep.id)]
    return Choices(
        zone_of(reps) or ZoneInfo("UTC"),
        tuple((rep.id, names[rep.id]) for rep in reps),
        tuple(sorted({skill for rep in reps for skill in rep.skills})),
        tuple((name, name) for name in sorted({language for rep in reps for language in rep.languages})),
    )


def _map(area: Area, place: LatLon | None) -> MapFragments:
    try:
        bounds = area.facts().bounds
    except AreaError:
        nothing = Markup()
        return MapFragments(nothing, nothing, nothing, ())
    drawn = bare_map(bounds, basemap_url(area), g.nonce, sources().tiles, "booking-map.js")
    g.image_origins = drawn.image_origins
    return drawn
