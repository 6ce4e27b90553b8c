"""The text of the mail, from a template that the installation may bring itself. The only importer of Jinja.

A template's first line is "Subject: …"; what follows is the text. It gets what `_values` lists and can reach nothing
else. Whatever a customer or rep is called stays on one line, so that no name can write a header or a paragraph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from planner.contacts import Contact
from planner.day_sheets import DaySheet, SheetStop, long_day, one_line
from planner.errors import MailError
from planner.settings import Settings

BUILT_IN = Path(__file__).with_name("evening.txt")
OWN = Path("mail", "evening.txt")
"""In the home folder, in place of the one that comes along."""

MAX_SUBJECT = 150


def evening_template(home: Path) -> Template:
    """The installation's own template, or the one that comes along. Raises MailError: it cannot be read or used."""
    file = home / OWN if (home / OWN).exists() else BUILT_IN
    try:
        template = _environment().from_string(file.read_text(encoding="utf-8-sig"))
        _parts(template, _SAMPLE, "https://visits.example.com/field/town/", _SAMPLE.work_start)
    except Exception as error:  # a template may go wrong in any way that Python can
        raise MailError(f"{file}: {error!s:.300}") from error
    return template


def compose(template: Template, sheet: DaySheet, to: str, settings: Settings, now: datetime) -> EmailMessage:
    """The mail about a day with visits. Raises MailError: the template cannot be used with it."""
    try:
        subject, text = _parts(template, sheet, _link(settings, sheet), now.astimezone(sheet.zone))
    except Exception as error:
        raise MailError(f"the template of the evening's mail: {error!s:.300}") from error
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = settings.mail.sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    # The same day has the same name, by which a mailbox knows a mail that it has already.
    name = hashlib.sha256(f"{sheet.area}\n{sheet.rep_id}\n{sheet.day}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<evening.{name}@{settings.mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    return message


def _parts(template: Template, sheet: DaySheet, link: str, now: datetime) -> tuple[str, str]:
    first, _, text = template.render(_values(sheet, link, now)).lstrip("\n").partition("\n")
    word, _, subject = first.partition(":")
    if word.strip().lower() != "subject" or not subject.strip():
        raise ValueError("its first line is not Subject: and a subject")
    return one_line(subject)[:MAX_SUBJECT], text.strip("\n") + "\n"


def _values(sheet: DaySheet, link: str, now: datetime) -> Mapping[str, Any]:
    """What a template may tell."""
    return {
        "rep_name": sheet.rep_name,
        "date": sheet.day,
        "day": long_day(sheet.day),
        "zone": str(sheet.zone),
        "leave_at": sheet.leave_at,
        "back_at": sheet.back_at,
        "start_address": sheet.start_address,
        "end_address": sheet.end_address,
        "stops": sheet.stops,
        "pause": sheet.pause,
        "drive": timedelta(seconds=sheet.drive_s),
        "kilometres": round(sheet.drive_m / 1000),
        "note": sheet.note,
        "link": link,
        "made_at": now,
    }


def _link(settings: Settings, sheet: DaySheet) -> str:
    """Where the phone shows the day; empty where the pages are for this machine only."""
    site = settings.web.public_url.rstrip("/")
    return f"{site}/field/{sheet.area}/#/day/{sheet.day}" if site else ""


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: one_line(value) if isinstance(value, str) else value,
    )
    made.filters["clock"] = lambda moment: f"{moment:%H:%M}"
    made.filters["duration"] = _duration
    return made


def _duration(length: timedelta) -> str:
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"


_NINE = datetime(2026, 11, 30, 9, tzinfo=ZoneInfo("Europe/London"))
_STOP = SheetStop(1, "account:A1", "Mill", "21 Bridge Street", 51.58, -2.99, _NINE, _NINE, _NINE, "due", False, "",
                  Contact("Kim Lee", "+44 1633", "kim@example.com"), "")  # fmt: skip
_SAMPLE = DaySheet("town", "R01", "Anna", date(2026, 11, 30), ZoneInfo("Europe/London"), 1, 0, _NINE, _NINE, _NINE,
                   _NINE, _NINE, "1 Office Park", "1 Office Park", (_STOP, replace(_STOP, promise="Promised")),
                   (_NINE, _NINE), 3_600, 40_000, "A note")  # fmt: skip
"""What every template is tried with before anything is sent by it."""
