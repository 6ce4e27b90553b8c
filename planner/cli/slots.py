"""fieldvisit slots, book: what inside sales does in the browser, by the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from planner.calendars import calendar_file, earlier_bookings, text_to_send
from planner.cli.app import FILE, App, area_option, main
from planner.domain import Opportunity, RecordKind, Rep
from planner.errors import NotFoundError, PlannerError
from planner.hours import exists, instant
from planner.intake.cells import parse_phone
from planner.locating import geocoder_for
from planner.people.fresh import new_id
from planner.rep_names import told_name
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.holding import HoldAsk, cancel, confirm, hold, release
from planner.slots.newcomers import newcomer
from planner.slots.offering import Offers, SlotQuery, offer_slots
from planner.snapshot import zone_of
from routing.area import Area
from routing.gazetteer import Candidate, Verdict

DAY = click.DateTime(["%Y-%m-%d"])
MINUTES = click.IntRange(1, 1440)
MEANING = click.Choice([str(meaning) for meaning in Meaning])
HOURS = 'When they are open, as OpenStreetMap writes it: "Mo-Fr 09:00-12:00".'
SKILLS = "Comma-separated; the rep must have all of them."


@main.command()
@click.option("--address", required=True, help="Where the visit is to be, or LAT,LON.")
@click.option("--minutes", type=MINUTES, required=True, help="How long it takes.")
@click.option("--from", "first_day", type=DAY, help="The first day; today, if it is past.  [default: today]")
@click.option("--days", type=click.IntRange(1, 366), help="How many calendar days to search.  [default: a setting]")
@click.option("--rep", "rep_id", default="", metavar="ID", help="Only this rep.")
@click.option("--owner", "owner_rep_id", default="", metavar="ID", help="Only the rep who owns the account.")
@click.option("--skills", default="", help=SKILLS)
@click.option("--language", default="", help="A language that the rep must speak.")
@click.option("--hours", default="", help=HOURS)
@click.option("--window", type=MINUTES, help="Minutes of an arrival window.  [default: a setting]")
@click.option("--meaning", type=MEANING, help="Arrive within the window, or the whole visit.  [default: a setting]")
@click.option("--no-resequence", is_flag=True, help="Only slots for which nothing else changes its order.")
@click.option("--limit", type=click.IntRange(1, 1_000), help="So many slots at most.  [default: a setting]")
@click.option("--json", "as_json", is_flag=True)
@area_option
def slots(
    app: App,
    area: Area,
    address: str,
    minutes: int,
    first_day: datetime | None,
    days: int | None,
    rep_id: str,
    owner_rep_id: str,
    skills: str,
    language: str,
    hours: str,
    window: int | None,
    meaning: str | None,
    no_resequence: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Arrival windows that a rep can truly keep, those that add least driving first."""
    booking, now = app.settings.booking, datetime.now(UTC)
    where = _located(app, area, address)
    with app.store.read() as unit:
        today = now.astimezone(zone_of(unit.records(area.name).reps()) or UTC).date()
    query = SlotQuery(
        place=where.place,
        service_minutes=minutes,
        first_day=max(first_day.date(), today) if first_day else today,
        days=days or booking.days,
        rep_id=rep_id,
        owner_rep_id=owner_rep_id,
        skills=_words(skills),
        language=language,
        hours=hours,
        window_minutes=window or booking.window_minutes,
        meaning=Meaning(meaning or booking.meaning),
        not_before=now + timedelta(minutes=booking.notice_minutes),
        resequence=not no_resequence,
        limit=limit or booking.offers,
    )
    with app.store.read() as unit:
        offers = offer_slots(unit, app.agendas, area.name, query, app.settings, now)
    if as_json:
        app.say(json.dumps(_as_json(where, offers), ensure_ascii=False, indent=1, default=_iso))
    else:
        _show(app, where, offers)


def _located(app: App, area: Area, address: str) -> Candidate:
    """The one place of a typed address.

    Raises:
        PlannerError: it is not sure; names the candidates.
    """
    found = geocoder_for(area, app.settings).locate(address)
    if found.verdict is Verdict.MATCHED:
        return found.candidates[0]
    lines = "".join(f"\n  {c.address}  ({c.place.lat:.6f},{c.place.lon:.6f})" for c in found.candidates)
    hint = "; type one of these, or its LAT,LON:" if lines else ""
    raise PlannerError(f"“{address}” is not sure: {found.reason.rstrip('.')}{hint}{lines}")


def _iso(value: date) -> str:
    """Of a datetime too."""
    return value.isoformat()


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _as_json(where: Candidate, offers: Offers) -> dict[str, Any]:
    return {
        "address": where.address,
        "lat": where.place.lat,
        "lon": where.place.lon,
        "slots": [asdict(slot) for slot in offers.slots],
        "insertions_tried": offers.tried,
        "offers_checked": offers.checked,
        "why_none": offers.why_none,
    }


def _show(app: App, where: Candidate, offers: Offers) -> None:
    app.say(f"{where.address} ({where.place.lat:.6f},{where.place.lon:.6f})")
    if not offers.slots:
        app.say(offers.why_none)
        return
    table = Table("day", "window", "rep", "name", "adds", "grade", "what it does to the day", box=None, pad_edge=False)
    for slot in offers.slots:
        table.add_row(
            f"{slot.day:%a %Y-%m-%d}",
            f"{slot.start:%H:%M}–{slot.end:%H:%M}",
            slot.rep_id,
            slot.rep_name,
            f"{round(slot.added_drive_s / 60)} min",
            str(slot.grade),
            slot.effect,
        )
    app.console.print(table)


@main.command()
@click.option("--rep", "rep_id", metavar="ID", help="Who goes.")
@click.option("--day", type=DAY, help="When.")
@click.option("--at", "start", type=click.DateTime(["%H:%M"]), help="The begin of the window, at the rep's clock.")
@click.option("--window", type=MINUTES, help="Its minutes.  [default: a setting]")
@click.option("--meaning", type=MEANING, help="Arrive within the window, or the whole visit.  [default: a setting]")
@click.option("--opportunity", "opportunity_id", metavar="ID", help="For whom; its record knows all of the following.")
@click.option("--address", help="Where, or LAT,LON.")
@click.option("--minutes", type=MINUTES, help="How long the visit takes.")
@click.option("--hours", help=HOURS)
@click.option("--skills", help=SKILLS)
@click.option("--name", help="The company, of somebody who has no record yet.")
@click.option("--contact", default="", help="Whom to ask for there.")
@click.option("--email", default="", help="The contact's.")
@click.option("--phone", default="", help="The contact's.")
@click.option("--inside-rep", default="", metavar="EMAIL", help="Who of inside sales books.")
@click.option("--no-resequence", is_flag=True, help="Refuse where the day's other visits would change their order.")
@click.option("--hold-only", is_flag=True, help="Keep it free for some minutes; confirm it later.")
@click.option("--confirm", "confirm_id", metavar="BOOKING", help="Promise what was held.")
@click.option("--move", "move_id", metavar="BOOKING", help="Promise another time instead.")
@click.option("--cancel", "cancel_id", metavar="BOOKING", help="Give a hold back, or call a promise off.")
@click.option("--reason", default="", help="Why it is called off.")
@click.option("--ics", type=FILE, help="Write the calendar file for the customer.")
@click.option("--json", "as_json", is_flag=True)
@area_option
def book(app: App, area: Area, **given: Any) -> None:
    """Hold a slot and promise it, confirm a hold, move a promise, or call one off.

    \b
      fieldvisit book --rep R1 --day 2026-12-01 --at 10:00 --opportunity O7
      fieldvisit book --rep R1 --day 2026-12-01 --at 10:00 --address "2 High Street" --minutes 60 --name "Bread & Co"
      fieldvisit book --move BOOKING --rep R1 --day 2026-12-02 --at 14:30
      fieldvisit book --cancel BOOKING --reason "they have bought elsewhere"
    """
    ways = [way for way in ("confirm_id", "move_id", "cancel_id") if given[way]]
    if len(ways) > 1:
        raise click.UsageError("give only one of --confirm, --move, --cancel")
    if given["ics"]:
        _check_writable(given["ics"])
    if given["cancel_id"]:
        booking = _cancelled(app, area, given["cancel_id"], given["reason"])
    elif given["confirm_id"]:
        booking = _confirmed(app, area, given["confirm_id"], given)
    else:
        booking = _held(app, area, given)
        if not given["hold_only"]:
            booking = _promised(app, area, booking, given)
    _tell(app, area, booking, given["ics"], given["as_json"])


def _check_writable(file: Path) -> None:
    """Before anything is promised. Raises PlannerError."""
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise PlannerError(f"{file} cannot be written, so nothing was booked")


Given = Mapping[str, Any]
"""What was typed, by the names of the options."""


def _held(app: App, area: Area, given: Given) -> Booking:
    missing = [option for option, name in (("--rep", "rep_id"), ("--day", "day"), ("--at", "start")) if not given[name]]
    if missing:
        raise click.UsageError(f"give {', '.join(missing)} too")
    with app.store.read() as unit:
        rep = unit.records(area.name).get(RecordKind.REP, given["rep_id"])
        if not isinstance(rep, Rep):
            raise NotFoundError(f"area {area.name} has no rep {given['rep_id']}")
        known = _known(unit, area, given)
    whom = known | _typed(app, area, given)
    needed = (("--address", "place"), ("--minutes", "service_minutes"), ("--name", "name"))
    if missing := [option for option, name in needed if not whom.get(name)]:
        raise click.UsageError(f"give {', '.join(missing)} too, or --opportunity")
    start = _moment(given["day"].date(), given["start"].time(), rep)
    ask = HoldAsk(
        rep_id=rep.id,
        day=given["day"].date(),
        start=start,
        end=start + timedelta(minutes=given["window"] or app.settings.booking.window_minutes),
        meaning=Meaning(given["meaning"] or app.settings.booking.meaning),
        resequence=not given["no_resequence"],
        **whom,
    )
    return hold(
        app.store, app.actor, app.agendas, area.name, ask, new_id(), given["inside_rep"].lower(), app.settings
    )  # fmt: skip


def _known(unit: UnitOfWork, area: Area, given: Given) -> dict[str, Any]:
    """What the promise to be moved, or the opportunity's record, says about whom the visit is for."""
    if given["move_id"]:
        old = _booking(unit, area, given["move_id"])
        names = ("place", "service_minutes", "name", "address", "opportunity_id", "hours", "skills")
        return {name: getattr(old, name) for name in names} | {"replaces": old.id}
    if not given["opportunity_id"]:
        return {}
    opportunity = _opportunity(unit, area, given["opportunity_id"])
    location = unit.records(area.name).location(RecordKind.OPPORTUNITY, opportunity.id)
    return {
        "place": location.place if location and location.address == opportunity.address else None,
        "service_minutes": opportunity.visit_minutes,
        "name": opportunity.name,
        "address": str(opportunity.address),
        "opportunity_id": opportunity.id,
        "hours": opportunity.availability,
        "skills": opportunity.required_skills,
    }


def _typed(app: App, area: Area, given: Given) -> dict[str, Any]:
    """What was typed about whom the visit is for; it counts more than what is known."""
    typed: dict[str, Any] = {}
    if given["address"]:
        where = _located(app, area, given["address"])
        typed |= {"place": where.place, "address": where.address}
    if given["minutes"]:
        typed["service_minutes"] = given["minutes"]
    if given["skills"] is not None:
        typed["skills"] = _words(given["skills"])
    return typed | {name: given[name] for name in ("name", "hours") if given[name] is not None}


def _moment(day: date, at: time, rep: Rep) -> datetime:
    moment = datetime.combine(day, at)
    if not exists(moment, rep.zone):
        raise PlannerError(f"there is no {at:%H:%M} on {day} in {rep.timezone}: the clocks change")
    return instant(moment, rep.zone)


def _promised(app: App, area: Area, held: Booking, given: Given) -> Booking:
    """The promise of what has just been held; what cannot be promised is not kept from others either."""
    try:
        return _confirmed(app, area, held.id, given)
    except PlannerError:
        release(app.store, app.actor, app.agendas, area.name, held.id, app.settings)
        raise


def _confirmed(app: App, area: Area, booking_id: str, given: Given) -> Booking:
    """What is held for somebody without a record makes one."""
    with app.store.read() as unit:
        held = _booking(unit, area, booking_id)
        opportunity: Opportunity | None = None
        if not held.opportunity_id and given["opportunity_id"]:
            opportunity = _opportunity(unit, area, given["opportunity_id"])
        elif not held.opportunity_id:
            zone = zone_of(unit.records(area.name).reps()) or UTC
            new = newcomer(held, given["name"] or held.name, unit.now(), zone)
            opportunity = replace(
                new,
                contact_name=given["contact"],
                contact_email=given["email"],
                contact_phone=parse_phone("--phone", given["phone"]),
            )
    return confirm(app.store, app.actor, app.agendas, area.name, booking_id, opportunity, app.settings)


def _booking(unit: UnitOfWork, area: Area, booking_id: str) -> Booking:
    booking = unit.bookings.get(area.name, booking_id)
    if booking is None:
        raise NotFoundError(f"area {area.name} has no booking {booking_id}")
    return booking


def _opportunity(unit: UnitOfWork, area: Area, opportunity_id: str) -> Opportunity:
    record = unit.records(area.name).get(RecordKind.OPPORTUNITY, opportunity_id)
    if not isinstance(record, Opportunity):
        raise NotFoundError(f"area {area.name} has no opportunity {opportunity_id}")
    return record


def _cancelled(app: App, area: Area, booking_id: str, reason: str) -> Booking:
    """A hold is given back; a promise is called off, and says why."""
    with app.store.read() as unit:
        booking = _booking(unit, area, booking_id)
    if booking.state is BookingState.HELD:
        return release(app.store, app.actor, app.agendas, area.name, booking_id, app.settings)
    return cancel(app.store, app.actor, app.agendas, area.name, booking_id, reason, app.settings)


def _tell(app: App, area: Area, booking: Booking, ics: Path | None, as_json: bool) -> None:
    with app.store.read() as unit:
        reps = unit.records(area.name).reps()
        earlier = earlier_bookings(unit, booking)
        opportunity = unit.records(area.name).get(RecordKind.OPPORTUNITY, booking.opportunity_id)
    rep = next((rep for rep in reps if rep.id == booking.rep_id), None)
    name, zone = (told_name(rep, reps), rep.zone) if rep else (booking.rep_id, UTC)
    contact = opportunity.contact_name if isinstance(opportunity, Opportunity) else ""
    if ics is not None and booking.state in (BookingState.PROMISED, BookingState.CANCELLED):
        ics.write_bytes(calendar_file(booking, earlier, name, zone))
    if as_json:
        app.say(json.dumps(_booking_as_json(booking, zone), ensure_ascii=False, indent=1))
        return
    app.say(f"{booking.state} {booking.id}: {booking.name}, {name}, {booking.window_text(zone)}")
    if booking.expires_at is not None:
        app.say(
            f"kept free until {booking.expires_at.astimezone(zone):%H:%M:%S}; fieldvisit book --confirm {booking.id}"
        )
    elif booking.state in (BookingState.PROMISED, BookingState.CANCELLED):
        if booking.state is BookingState.CANCELLED:
            app.say("it is on no rep's day any more; if the field still has it to make, it waits for the next plan")
        app.say(f"\n{text_to_send(booking, earlier, name, zone, contact)}")


def _booking_as_json(booking: Booking, zone: tzinfo) -> dict[str, Any]:
    """Times as ISO 8601, at the rep's clock."""
    values = {name: getattr(booking, name) for name in Booking.__slots__}
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(zone).isoformat()
        elif isinstance(value, date | frozenset):
            values[name] = str(value) if isinstance(value, date) else sorted(value)
    return values
