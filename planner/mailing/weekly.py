"""The weekly summary by mail: on its day and hour, to whoever wants it and may still see it, cut to what they see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from email.message import EmailMessage
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from planner.access import Actor
from planner.activities.domain import SummaryReader
from planner.candidates import team_work_days
from planner.coverage.domain import CoverageState
from planner.domain import RecordKind
from planner.errors import MailError
from planner.mailing.composing import Template, filled_in, message_of, template_of
from planner.mailing.handing_over import Passage, may_be_sent, send_all
from planner.mailing.sending import connected
from planner.people.domain import User
from planner.people.texts import ascii_email
from planner.repository import Store, UnitOfWork
from planner.settings import WEEKDAYS, Settings
from planner.snapshot import zone_of
from planner.summary.covering import last_whole_week
from planner.summary.domain import (
    Deals,
    Named,
    RepWeek,
    Slip,
    StateChange,
    Suggestion,
    SuggestionKind,
    WeeklySummary,
    monday_of,
)
from planner.summary.making import weekly_summary
from planner.summary.reading import may_read, reads_summary

TEXT, HTML = "weekly.txt", "weekly.html"

SUNDAY = 6

NAMES = 5
"""Of so many customers behind a number the mail tells; the page has all."""


@dataclass(frozen=True, slots=True)
class WeeklyMail:
    """A mail to be sent; a `handing_over.Mail`. How far it has come is written down with its reader."""

    area: str
    user: User
    monday: date

    @property
    def words(self) -> str:
        return f"to user {self.user.id} about the week of {self.monday}"

    def wanted(self, unit: UnitOfWork) -> bool:
        return reads_summary(unit, self.area, self.user)

    def passage(self, unit: UnitOfWork) -> Passage | None:
        row = unit.summary_readers.get(self.area, self.user.id)
        if row is None or row.week != self.monday or row.state is None or row.at is None:
            return None
        return Passage(row.state, row.at, row.problem)

    def write(self, unit: UnitOfWork, passage: Passage) -> None:
        row = unit.summary_readers.get(self.area, self.user.id) or SummaryReader(self.area, self.user.id)
        unit.summary_readers.put(
            replace(row, week=self.monday, state=passage.state, at=passage.at, problem=passage.problem)
        )

    def audit(self, unit: UnitOfWork) -> None:
        unit.audit("summary.sent", self.user.id, area=self.area, week=str(self.monday))

    def compose(self, store: Store, settings: Settings, now: datetime) -> tuple[str, EmailMessage]:
        with store.read() as unit:
            user = unit.users.get(self.user.id)
        if user is None or not may_read(user, self.area, settings.login):
            raise MailError("they may not see these figures any more")
        to = ascii_email(user.email)
        summary = weekly_summary(store, user.scope, self.area, self.monday, settings, now)
        return to, compose_weekly(weekly_templates(settings.home), summary, to, settings, now)


def due_weekly(unit: UnitOfWork, area: str, settings: Settings, now: datetime) -> list[WeeklyMail]:
    """The summaries of an area that are to be sent now: from their hour to midnight of their day, by the area's
    clock."""
    wanted = unit.summary_readers.find(area=area, wanted=True) if settings.mail.weekly_at else []
    if not wanted:
        return []
    weekday, hour = settings.mail.weekly_at.split()
    reps = unit.records(area).reps()
    local = now.astimezone(zone_of(reps) or ZoneInfo("UTC"))
    if local.weekday() != WEEKDAYS.index(weekday) or local.time() < time.fromisoformat(hour):
        return []
    users = (unit.users.get(reader.user_id) for reader in wanted)
    monday = week_told_on(local.date(), team_work_days(reps))
    mails = [WeeklyMail(area, user, monday) for user in users if user and may_read(user, area, settings.login)]
    return [mail for mail in mails if may_be_sent(unit, mail)]


def week_told_on(day: date, work_days: Collection[int]) -> date:
    """The Monday of the week that a mail of a day tells of: the present one where nobody works from that day to
    Saturday, on Sundays always; else the last whole one."""
    present = monday_of(day)
    return last_whole_week(day) if any(day.weekday() <= each < SUNDAY for each in work_days) else present


def send_weekly_due(store: Store, areas: Iterable[str], settings: Settings, now: datetime) -> int:
    """Send what is due, and say how much that was. What fails is written down with the reason, and tried next time.

    Raises:
        StorageError: the database refused; what was sent until then is written down.
    """
    waiting: list[WeeklyMail] = []
    for area in areas:
        with store.read() as unit:
            waiting += due_weekly(unit, area, settings, now)
    return send_all(store, waiting, settings, now)


def send_weekly_now(
    store: Store, actor: Actor, summary: WeeklySummary, to: str, settings: Settings, now: datetime
) -> None:
    """Send a summary whatever was sent before, since somebody wants it. Raises MailError, InvalidRecordError."""
    address = ascii_email(to)
    message = compose_weekly(weekly_templates(settings.home), summary, address, settings, now)
    try:
        with connected(settings) as server:
            server.send(message, address, lambda: None)
    except OSError as error:
        raise MailError(f"{error}") from error
    with store.write(actor) as unit:
        unit.audit("summary.sent", str(summary.monday), area=summary.area, by_hand=True)


def weekly_templates(home: Path) -> tuple[Template, Template]:
    """Of the text and of the HTML, the installation's own or those that come along. Raises MailError."""
    sample = _values(
        _SAMPLE, "https://visits.example.com/", datetime(2026, 11, 30, 7, tzinfo=ZoneInfo("Europe/London"))
    )
    return template_of(home, TEXT, sample), template_of(home, HTML, sample)


def compose_weekly(
    templates: tuple[Template, Template], summary: WeeklySummary, to: str, settings: Settings, now: datetime
) -> EmailMessage:
    """The mail with a summary. Raises MailError: a template cannot be used with it."""
    site = settings.web.public_url.rstrip("/")
    link = f"{site}/a/{summary.area}/summary/{summary.monday}" if site else ""
    values = _values(summary, link, now.astimezone(ZoneInfo(summary.zone)))
    subject, text = filled_in(templates[0], values, "the weekly summary")
    _, html = filled_in(templates[1], values, "the weekly summary in HTML")
    name = f"weekly\n{summary.area}\n{to}\n{summary.monday}"
    return message_of(subject, text, to, settings, now, name, html)


def _values(summary: WeeklySummary, link: str, now: datetime) -> Mapping[str, Any]:
    """What a template may tell."""
    states = {change.state.value: change for change in summary.states}
    slips = {about: list(found) for about, found in groupby(summary.slips, lambda slip: slip.about)}
    return {
        "area": summary.area,
        "week": summary,
        "slips": slips,
        "state_words": {state: STATE_WORDS[CoverageState(state)] for state in states},
        "states": states,
        "names": NAMES,
        "link": link,
        "made_at": now,
    }


STATE_WORDS: Mapping[CoverageState, str] = {
    CoverageState.VISITED: "visited within their cadence",
    CoverageState.DUE: "due",
    CoverageState.OVERDUE: "overdue",
    CoverageState.DORMANT: "dormant",
    CoverageState.NO_PLACE: "without a place",
}

_MILL = Named(RecordKind.ACCOUNT, "A1", "Mill", "Anna", "Mon 30 Nov", 1_000.0)
_SAMPLE = WeeklySummary(
    "town", date(2026, 11, 23), date(2026, 11, 29), "Europe/London", date(2026, 11, 30),
    [RepWeek("R01", "Anna", 5, 4, 1, 600.0, 500.0), RepWeek("R02", "Ben", 5, 5, 0)], 5, 3, 1, 1,
    [StateChange(CoverageState.OVERDUE, 5, 1)], [Deals("Won", [_MILL])], [Slip("Not made", "sick", [_MILL])],
    [Suggestion(SuggestionKind.HALF_DAY, "More.", "4.5 h", ["1 + 1"], "Nothing.", 270.0, False, [_MILL])], ["A note."],
)  # fmt: skip
"""What every template is tried with before anything is sent by it."""
