"""How values are said to people: durations, distances, times, days, and the words for kinds and reasons."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from urllib.parse import quote

from planner.candidates import Reason, VisitKind
from planner.fieldwork.domain import DealOutcome, Disposition, Severity
from planner.fieldwork.phone import document

KINDS = {
    VisitKind.APPOINTMENT: "Promise",
    VisitKind.OPPORTUNITY: "New opportunity",
    VisitKind.DUE: "Due",
    VisitKind.NEARBY: "Rides along",
}

REASONS = {
    Reason.APPOINTMENT_IMPOSSIBLE: ("Agreed time cannot be kept", "Call the customer and agree another time."),
    Reason.DEADLINE_IMPOSSIBLE: (
        "Deadline cannot be met",
        "Their hours leave no time before the deadline for the first visit: ask for other hours.",
    ),
    Reason.WAITS_FOR_MANAGER: ("Waits for a manager", "Give it to a rep on the Handoffs page, then plan again."),
    Reason.NO_REP_WITH_SKILL: ("No rep with the skill", "Nobody who could go has every skill that is asked for."),
    Reason.NO_REP: ("No rep", "The owner does not work on these days, or is not among the reps."),
    Reason.NOT_LOCATED: ("Address not located", "Settle the address on the Addresses page, then plan again."),
    Reason.UNREACHABLE: ("Unreachable", "No street leads there from the home of a rep who could go."),
    Reason.OUTSIDE_HOURS: ("Outside hours", "Never open long enough while a rep who could go is at work."),
    Reason.NO_TIME_LEFT: ("No time left", "Every day on which it could be is full."),
    Reason.TOO_FAR: ("Too far for its worth", "The visit would add more driving than it is worth."),
    Reason.APPOINTMENT_ON_ANOTHER_DAY: ("Appointment on another day", "The agreed day is not among these days."),
    Reason.VISITED_ANYWAY: ("Visited anyway", "Another visit to the same account is planned."),
    Reason.SPACING: ("Too near or too far", "Visits to one customer are about a cadence apart, and this one is not."),
    Reason.SEEN_ON_ANOTHER_DAY: ("Planned for another day", "Reps see it on a day that is not among these days."),
}
"""Heading and sentence of each reason, in the order in which a person should look at them."""

RULES = {
    "account_visited": "the account is visited anyway",
    "owner": "whose customer it is",
    "skills": "skills",
    "unreachable": "no street leads there",
    "deadline": "the deadline",
    "opening_hours": "opening hours",
    "appointment": "the agreed time",
    "spacing": "days between visits",
    "capacity": "what a day can hold",
    "max_visits": "most visits a day",
    "other_visits": "the time of other visits",
    "work_end": "end of work",
    "work_start": "start of work",
    "break": "the break",
    "worth": "its worth",
}
"""The rules that may keep a visit out of a plan, in a few words."""


def phone_link(phone: str) -> str:
    """Where a phone dials the number (RFC 3966); empty for none. An extension stays for a person to dial."""
    found = re.search(r"\+?[(\d][\d\s()./\-\u2010-\u2015]*", phone)
    number = found[0] if found else ""
    abroad = number.startswith("+")
    if abroad:  # +44 (0)1632: the nought is for those who dial without the country
        number = number.replace("(0)", "")
    dialled = "".join(str(int(digit)) for digit in number if digit.isdecimal())
    return f"tel:{'+' if abroad else ''}{dialled}" if len(dialled) >= 3 else ""


def mail_link(email: str) -> str:
    """Where a browser writes to the address; empty where it is none."""
    return f"mailto:{quote(email, safe='@')}" if re.fullmatch(r"[^@\s]+@[^@\s]+", email) else ""


DISPOSITIONS = {Disposition(each["value"]): each["label"] for each in document.DISPOSITIONS}
DEALS = {DealOutcome(each["value"]): each["label"] for each in document.DEALS}
SEVERITIES = {Severity(each["value"]): each["label"] for each in document.SEVERITIES}
"""What a report says, in the words of the phone that it was made on."""


def count(number: int, noun: str, plural: str = "") -> str:
    """'1 visit', '1,250 visits'."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def duration(seconds: float) -> str:
    """To the minute: '0 min', 'under 1 min', '25 min', '1 h', '1 h 25'."""
    if 0 < seconds < 30:
        return "under 1 min"
    minutes = math.floor(seconds / 60 + 0.5)
    if minutes < 60:
        return f"{minutes} min"
    hours, left = divmod(minutes, 60)
    return f"{hours:,} h {left:02}" if left else f"{hours:,} h"


def waiting(seconds: int) -> str:
    """How long until something is possible, never too short: '40 s', '2 min'."""
    return f"{seconds} s" if seconds < 100 else duration(math.ceil(seconds / 60) * 60)


def distance(metres: float) -> str:
    """'540 m', '2.3 km', '275 km'."""
    if metres < 995:
        return f"{round(metres, -1):.0f} m"
    return f"{metres / 1000:.1f} km" if metres < 99_950 else f"{metres / 1000:,.0f} km"


def clock(moment: datetime) -> str:
    """'09:05'."""
    return f"{moment:%H:%M}"


def short_day(day: date) -> str:
    """'Mon 30 Nov'."""
    return f"{day:%a} {day.day} {day:%b}"


def long_day(day: date) -> str:
    """'Monday 30 November 2026'."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def span_of_days(first: date, last: date) -> str:
    """'30 November – 4 December 2026', with nothing said twice."""
    if first == last:
        return long_day(first)
    start = f"{first.day}"
    if first.month != last.month or first.year != last.year:
        start += f" {first:%B}"
    if first.year != last.year:
        start += f" {first:%Y}"
    return f"{start} – {last.day} {last:%B %Y}"


def sentence(text: str) -> str:
    """A fragment as a sentence starts: with a capital."""
    return text[:1].upper() + text[1:]


def said(text: str) -> str:
    """A fragment as a whole sentence: 'is empty' becomes 'Is empty.'"""
    return sentence(text) if not text or text.endswith((".", "!", "?", "…")) else f"{sentence(text)}."
