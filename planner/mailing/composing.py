"""The text of a mail, from a template that the installation may bring itself. The only importer of Jinja.

A template's first line is "Subject: …"; what follows is the text. It gets the values that its mail has for it and can
reach nothing else. Whatever a customer or rep is called stays on one line, so that no name can write a header or a
paragraph; in HTML it is escaped.
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

from jinja2 import StrictUndefined
from jinja2 import Template as Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from planner.contacts import Contact
from planner.day_sheets import DaySheet, SheetStop, long_day, one_line
from planner.errors import MailError
from planner.settings import Settings
from planner.summary.domain import hours

BUILT_IN = Path(__file__).parent
OWN = Path("mail")
"""The folder of templates in the home folder, in place of those that come along."""
EVENING = "evening.txt"

MAX_SUBJECT = 150


def template_of(home: Path, name: str, sample: Mapping[str, Any]) -> Template:
    """The installation's own template of this name, or the one that comes along; its values are escaped where the name
    ends in .html. Raises MailError: it cannot be read, or not be used with the sample."""
    own = home / OWN / name
    file = own if own.exists() else BUILT_IN / name
    try:
        template = _environment(html=name.endswith(".html")).from_string(file.read_text(encoding="utf-8-sig"))
        _parts(template, sample)
    except Exception as error:  # a template may go wrong in any way that Python can
        raise MailError(f"{file}: {error!s:.300}") from error
    return template


def filled_in(template: Template, values: Mapping[str, Any], what: str) -> tuple[str, str]:
    """Subject and text. Raises MailError: the template, of `what`, cannot be used with these values."""
    try:
        return _parts(template, values)
    except Exception as error:
        raise MailError(f"the template of {what}: {error!s:.300}") from error


def message_of(
    subject: str, text: str, to: str, settings: Settings, now: datetime, name: str, html: str = ""
) -> EmailMessage:
    """A mail, with the same in HTML if there is any. The same `name` makes the same Message-ID, by which a mailbox
    knows a mail that it has already."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = settings.mail.sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    kind, _, rest = name.partition("\n")
    id_ = hashlib.sha256(rest.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{kind}.{id_}@{settings.mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    if html:
        message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def evening_template(home: Path) -> Template:
    """Of the mail of the evening before. Raises MailError: it cannot be read or used."""
    return template_of(home, EVENING, _values(_SAMPLE, "https://visits.example.com/field/town/", _SAMPLE.work_start))


def compose(template: Template, sheet: DaySheet, to: str, settings: Settings, now: datetime) -> EmailMessage:
    """The mail about a day with visits. Raises MailError: the template cannot be used with it."""
    values = _values(sheet, _link(settings, sheet), now.astimezone(sheet.zone))
    subject, text = filled_in(template, values, "the evening's mail")
    # The same day has the same name.
    return message_of(subject, text, to, settings, now, f"evening\n{sheet.area}\n{sheet.rep_id}\n{sheet.day}")


def _parts(template: Template, values: Mapping[str, Any]) -> tuple[str, str]:
    first, _, text = template.render(values).lstrip("\n").partition("\n")
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
        "start_address": sheet.starts_at,
        "end_address": sheet.ends_at,
        "hotel": sheet.night_after.name if sheet.night_after is not None else "",
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


def _environment(html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: one_line(value) if isinstance(value, str) else value,
    )
    made.filters["clock"] = lambda moment: f"{moment:%H:%M}"
    made.filters["duration"] = _duration
    made.filters["hours"] = hours
    made.filters["long_day"] = long_day
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
