"""What a customer is told of a promise: the calendar file, the words and the text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Component

from planner.calendars import calendar_file, earlier_bookings, in_words, text_to_send
from planner.slots.domain import Booking, BookingState, Meaning
from planner.storage import SqlStore

LONDON, VANCOUVER = ZoneInfo("Europe/London"), ZoneInfo("America/Vancouver")
MADE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def promise(**changes: Any) -> Booking:
    usual: dict[str, Any] = {
        "area": "newport", "id": "b1", "rep_id": "anna", "day": date(2026, 12, 1), "state": BookingState.PROMISED,
        "opportunity_id": "mill", "name": "Mill", "address": "21 Bridge Street, Newport NP20 4AN", "lat": 51.58,
        "lon": -2.99, "service_minutes": 60, "start": datetime(2026, 12, 1, 10, tzinfo=UTC),
        "end": datetime(2026, 12, 1, 11, tzinfo=UTC), "meaning": Meaning.ARRIVE, "hours": "", "skills": frozenset(),
        "inside_rep": "ines@example.com", "made_by": "user:ines", "made_at": MADE, "expires_at": None,
    }  # fmt: skip
    return Booking(**(usual | changes))


def cancelled(booking: Booking) -> Booking:
    return replace(booking, state=BookingState.CANCELLED, ended_at=datetime(2026, 11, 24, 8, tzinfo=UTC))


def event(file: bytes) -> Component:
    (found,) = Calendar.from_ical(file).walk("VEVENT")
    return found


def test_a_promise_is_one_event_in_utc_that_says_in_plain_words_what_the_window_means() -> None:
    file = calendar_file(promise(), (), "Anna", LONDON)
    assert Calendar.from_ical(file)["METHOD"] == "PUBLISH"
    made = event(file)
    assert made["UID"] == "b1@fieldvisit"
    assert made["SEQUENCE"] == 0
    assert made["STATUS"] == "CONFIRMED"
    assert (made["DTSTART"].dt, made["DTEND"].dt) == (promise().start, promise().end)
    assert b"DTSTART:20261201T100000Z\r\n" in file
    assert made["DTSTAMP"].dt == MADE
    assert made["ORGANIZER"] == "mailto:ines@example.com"
    assert str(made["DESCRIPTION"]) == (
        "Anna arrives on Tuesday 1 December 2026 between 10:00 and 11:00, "
        "and the visit takes about 60 minutes from then."
    )


def test_a_whole_visit_window_says_that_the_visit_is_over_by_its_end() -> None:
    booking = promise(meaning=Meaning.WHOLE, end=datetime(2026, 12, 1, 12, tzinfo=UTC))
    said = str(event(calendar_file(booking, (), "Anna", LONDON))["DESCRIPTION"])
    assert (
        said == "Anna visits on Tuesday 1 December 2026: the whole visit, about 60 minutes, is between 10:00 and 12:00."
    )


def test_a_visit_that_moves_stays_the_same_event_with_a_higher_sequence() -> None:
    first = replace(promise(), state=BookingState.MOVED)
    second = promise(id="b2", replaces="b1", state=BookingState.MOVED)
    third = promise(id="b3", replaces="b2", start=datetime(2026, 12, 1, 10, 30, tzinfo=UTC))
    made = event(calendar_file(third, (first, second), "Anna", LONDON))
    assert (made["UID"], made["SEQUENCE"]) == ("b1@fieldvisit", 2)


def test_cancelling_takes_the_event_out_of_the_calendar() -> None:
    first = replace(promise(), state=BookingState.MOVED)
    file = calendar_file(cancelled(promise(id="b2", replaces="b1")), (first,), "Anna", LONDON)
    made = event(file)
    assert Calendar.from_ical(file)["METHOD"] == "CANCEL"
    assert (made["UID"], made["SEQUENCE"], made["STATUS"]) == ("b1@fieldvisit", 2, "CANCELLED")
    assert made["DTSTAMP"].dt == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert str(made["DESCRIPTION"]).endswith("does not take place.")


@pytest.mark.parametrize(
    ("zone", "start", "said"),
    [
        (LONDON, datetime(2026, 10, 24, 9, tzinfo=UTC), "Saturday 24 October 2026 between 10:00 and 11:00"),
        (LONDON, datetime(2026, 10, 25, 10, tzinfo=UTC), "Sunday 25 October 2026 between 10:00 and 11:00"),
        (LONDON, datetime(2027, 3, 28, 9, tzinfo=UTC), "Sunday 28 March 2027 between 10:00 and 11:00"),
        (VANCOUVER, datetime(2026, 10, 31, 17, tzinfo=UTC), "Saturday 31 October 2026 between 10:00 and 11:00"),
        (VANCOUVER, datetime(2027, 3, 13, 18, tzinfo=UTC), "Saturday 13 March 2027 between 10:00 and 11:00"),
        (VANCOUVER, datetime(2027, 3, 14, 17, tzinfo=UTC), "Sunday 14 March 2027 between 10:00 and 11:00"),
    ],
)
def test_around_a_clock_change_the_customer_is_told_the_time_on_their_wall(
    zone: ZoneInfo, start: datetime, said: str
) -> None:
    booking = promise(start=start, end=start.replace(hour=start.hour + 1), day=start.astimezone(zone).date())
    assert said in in_words(booking, "Anna", zone)
    assert event(calendar_file(booking, (), "Anna", zone))["DTSTART"].dt == start


@pytest.mark.parametrize(
    "name",
    [
        "X\r\nBEGIN:VEVENT\r\nUID:evil",
        "X\rATTENDEE:mailto:evil@example.com",
        "X\nX-EVIL:1",
        "X\u2028Y\u2029Z\x85W\x0b\x0c\x1c\x00",
        "a;b,c\\d\"e:f'",
        "\\nBEGIN:VALARM",
        "Ω 田中商店 مرحبا 🏳️‍🌈 " * 40,
        "\ud800 lone",
    ],
)
def test_whatever_somebody_is_called_the_file_holds_one_event_and_its_own_lines_only(name: str) -> None:
    try:
        booking = promise(name=name, address=name, inside_rep=f"{name}@example.com")
    except Exception:  # a NUL or a lone surrogate is no name of a record
        booking = promise()
    file = calendar_file(booking, (), name, LONDON)
    text = file.decode()
    assert text.replace("\r\n", "").isprintable() or "🏳" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    names = re.findall(r"^([A-Z-]+)[:;]", text, re.MULTILINE)
    assert names == [
        "BEGIN", "VERSION", "PRODID", "METHOD", "BEGIN", "SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE",
        "DESCRIPTION", "LOCATION", "ORGANIZER", "STATUS", "END", "END",
    ]  # fmt: skip
    assert str(event(file)["ORGANIZER"]).startswith(("invalid:", "mailto:ines"))


def test_the_text_to_send_says_when_where_and_whom_to_call() -> None:
    assert text_to_send(promise(), (), "Anna", LONDON, "Mr\r\nJones") == (
        "Hello Mr Jones,\n\n"
        "Anna arrives on Tuesday 1 December 2026 between 10:00 and 11:00, "
        "and the visit takes about 60 minutes from then.\n\n"
        "Address: 21 Bridge Street, Newport NP20 4AN\n\n"
        "If anything changes, please call us."
    )


def test_the_text_of_a_moved_or_cancelled_visit_says_so() -> None:
    moved = text_to_send(promise(id="b2", replaces="b1"), (promise(),), "Anna", LONDON)
    assert "This replaces the visit on Tuesday 1 December 2026 at about 10:00." in moved
    assert "does not take place" in text_to_send(cancelled(promise()), (), "Anna", LONDON)


def test_the_bookings_that_one_has_moved_are_found_first_one_first(store: SqlStore) -> None:
    first = replace(promise(), state=BookingState.MOVED)
    second = replace(promise(id="b2", replaces="b1"), state=BookingState.MOVED)
    third = promise(id="b3", replaces="b2")
    with store.write(audited=False) as unit:
        for booking in (third, first, second):
            unit.bookings.put(booking)
    with store.read() as unit:
        assert earlier_bookings(unit, third) == (first, second)
        assert earlier_bookings(unit, first) == ()
