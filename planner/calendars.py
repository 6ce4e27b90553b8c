"""What a customer is told of a promise: words, a text to send, and a calendar file; and a rep's days as a calendar.
The only importer of icalendar.

A promise's file is an iCalendar object (RFC 5545) of one event. A visit that moves stays the same event: its UID is the
first booking's, and SEQUENCE counts the moves, so that a calendar which has taken one file takes the next in its place
(RFC 5546, 3.2.1 and 3.2.5). In a rep's calendar a visit is one event on each day that it is planned for.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from icalendar import Calendar, Event, vCalAddress, vText

from planner.day_sheets import DaySheet, SheetStop
from planner.hotels.domain import Night
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState, Meaning

MAX_LINE = 500
"""Longer names and addresses are cut in what a customer is sent."""

NOBODY = "invalid:nomail"
"""The organizer where nobody's e-mail address is known; the standard asks for one."""

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")


def earlier_bookings(unit: UnitOfWork, booking: Booking) -> tuple[Booking, ...]:
    """The promises that this one has moved, the first one first."""
    found: list[Booking] = []
    replaces = booking.replaces
    while replaces and len(found) < 1_000:
        before = unit.bookings.get(booking.area, replaces)
        if before is None:
            break
        found.append(before)
        replaces = before.replaces
    return tuple(reversed(found))


def calendar_file(booking: Booking, earlier: Sequence[Booking], rep_name: str, zone: tzinfo) -> bytes:
    """The .ics of a promise; of one that is cancelled, the file that takes the event out of a calendar again.

    Args:
        booking: promised, done or cancelled.
        earlier: as `earlier_bookings` gives them.
        rep_name: what the customer is told of who comes.
        zone: of the customer, for the times in the description; the event's own are UTC.
    """
    cancelled = booking.state is BookingState.CANCELLED
    event = Event()
    event.add("uid", f"{(*earlier, booking)[0].id}@fieldvisit")
    event.add("sequence", len(earlier) + cancelled)
    event.add("dtstamp", (booking.ended_at if cancelled else None) or booking.made_at)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    event.add("summary", vText(_line(f"Visit by {rep_name}")))
    event.add("location", vText(_line(booking.address)))
    event.add("description", vText(in_words(booking, rep_name, zone)))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    known = _MAIL.fullmatch(booking.inside_rep)
    event.add("organizer", vCalAddress(f"mailto:{booking.inside_rep}" if known else NOBODY))
    calendar = Calendar()
    calendar.add("prodid", "-//fieldvisit//booking//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    calendar.add_component(event)
    file: bytes = calendar.to_ical()
    return file


def rep_calendar(sheets: Iterable[DaySheet], rep_name: str) -> bytes:
    """The .ics of a rep's days: an event for each visit, one for leaving in the morning, and one for a night away.

    The same days give the same bytes. The rep's own reminders stay theirs: there is no alarm in it.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//fieldvisit//days//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", vText(_line(f"Visits of {rep_name}")))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    head, end, _ = calendar.to_ical().partition(b"END:VCALENDAR")
    parts: list[bytes] = [head]
    for sheet in sheets:
        named = _Named(sheet.area, sheet.rep_id, sheet.day, sheet.version + sheet.changed, sheet.changed_at)
        if sheet.leave_at is not None and sheet.stops:
            parts.append(_leaving(named, sheet.leave_at, sheet.starts_at, sheet.stops[0]))
        parts += [_visit(named, stop) for stop in sheet.stops]
        if sheet.night_after is not None and sheet.back_at is not None and sheet.stops:
            parts.append(_night(named, sheet.stops[-1].leave, sheet.back_at, sheet.night_after))
    return b"".join([*parts, end, b"\r\n"])


@dataclass(frozen=True, slots=True)
class _Named:
    """Whose event on which day, and how often and when it was changed."""

    area: str
    rep_id: str
    day: date
    sequence: int
    changed_at: datetime


# Writing three weeks of events takes half a second, and calendars ask for the same ones every hour.
_kept = lru_cache(maxsize=20_000)


@_kept
def _leaving(named: _Named, at: datetime, address: str, first: SheetStop) -> bytes:
    event = _event_of(named, "leave")
    event.add("dtstart", at.astimezone(UTC))
    event.add("dtend", max(first.arrive, at).astimezone(UTC))
    event.add("summary", vText(_line(f"Leave for {first.name}")))
    event.add("location", vText(_line(address)))
    written: bytes = event.to_ical()
    return written


@_kept
def _night(named: _Named, leave: datetime, arrive: datetime, night: Night) -> bytes:
    """The way to the hotel: it ends where the night begins."""
    event = _event_of(named, "night")
    event.add("dtstart", leave.astimezone(UTC))
    event.add("dtend", max(leave, arrive).astimezone(UTC))
    event.add("summary", vText(_line(f"Stay overnight at {night.name}")))
    event.add("location", vText(_line(f"{night.name}, {night.address}")))
    event.add("geo", (round(night.place.lat, 6), round(night.place.lon, 6)))
    written: bytes = event.to_ical()
    return written


@_kept
def _visit(named: _Named, stop: SheetStop) -> bytes:
    event = _event_of(named, stop.visit_id)
    event.add("dtstart", stop.begin.astimezone(UTC))
    event.add("dtend", max(stop.begin, stop.leave).astimezone(UTC))
    event.add("summary", vText(_line(stop.name)))
    event.add("location", vText(_line(stop.address)))
    event.add("geo", (round(stop.lat, 6), round(stop.lon, 6)))
    event.add("description", vText(_about(stop)))
    event.add("status", "CONFIRMED" if stop.promise else "TENTATIVE")
    written: bytes = event.to_ical()
    return written


def _event_of(named: _Named, what: str) -> Event:
    # Ids of other systems may hold anything and say much; the name of an event is only compared.
    whose = "\n".join((named.area, named.rep_id, str(named.day), what))
    event = Event()
    event.add("uid", f"{hashlib.sha256(whose.encode()).hexdigest()[:32]}@fieldvisit")
    event.add("sequence", named.sequence)
    event.add("dtstamp", named.changed_at.astimezone(UTC))
    event.add("last-modified", named.changed_at.astimezone(UTC))
    return event


def _about(stop: SheetStop) -> str:
    """What the rep reads of a visit in a calendar."""
    contact = stop.contact
    lines = [
        stop.promise,
        f"Contact: {contact.in_words}" if contact.in_words else "",
        f"Why: {stop.why}" if stop.why else "",
        f"Arrive {stop.arrive:%H:%M}, leave {stop.leave:%H:%M}",
    ]
    return "\n".join(_line(line) for line in lines if line)


def in_words(booking: Booking, rep_name: str, zone: tzinfo) -> str:
    """What is promised, or was, as one sentence."""
    start, end = booking.start.astimezone(zone), booking.end.astimezone(zone)
    when, between = _day(start.date()), f"between {start:%H:%M} and {end:%H:%M}"
    name, minutes = _line(rep_name), booking.service_minutes
    if booking.state in (BookingState.CANCELLED, BookingState.MOVED):
        return f"The visit by {name} on {when} {between} does not take place."
    if booking.meaning is Meaning.ARRIVE:
        return f"{name} arrives on {when} {between}, and the visit takes about {minutes} minutes from then."
    return f"{name} visits on {when}: the whole visit, about {minutes} minutes, is {between}."


def text_to_send(booking: Booking, earlier: Sequence[Booking], rep_name: str, zone: tzinfo, contact: str = "") -> str:
    """A message to the customer, as plain text."""
    greeting = f"Hello {_line(contact)}," if contact.strip() else "Hello,"
    if booking.state is BookingState.CANCELLED:
        return "\n\n".join([greeting, in_words(booking, rep_name, zone), "Please call us for another time."])
    lines = [in_words(booking, rep_name, zone)]
    if earlier:
        before = earlier[-1].start.astimezone(zone)
        lines.append(f"This replaces the visit on {_day(before.date())} at about {before:%H:%M}.")
    address = _line(booking.address)
    return "\n\n".join([greeting, " ".join(lines), f"Address: {address}", "If anything changes, please call us."])


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _line(text: str) -> str:
    """One line of readable characters, whatever somebody has typed."""
    joined = " ".join(text.split())
    kept = "".join(letter for letter in joined if unicodedata.category(letter) not in ("Cc", "Cs"))
    return kept if len(kept) <= MAX_LINE else f"{kept[: MAX_LINE - 1]}…"
