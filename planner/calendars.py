"""What a customer is told of a promise: words, a text to send, and a calendar file. The only importer of icalendar.

The file is an iCalendar object (RFC 5545) of one event. A visit that moves stays the same event: its UID is the first
booking's, and SEQUENCE counts the moves, so that a calendar which has taken one file takes the next in its place
(RFC 5546, 3.2.1 and 3.2.5).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, tzinfo

from icalendar import Calendar, Event, vCalAddress, vText

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
