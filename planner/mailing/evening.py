"""Who is sent what this evening: each rep's next working day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage

from planner.access import Actor, Scope
from planner.day_sheets import DaySheet, sheets, working_days
from planner.domain import Rep
from planner.errors import MailError
from planner.fieldwork.domain import SentMail
from planner.mailing.composing import compose, evening_template
from planner.mailing.handing_over import Passage, may_be_sent, send_all
from planner.mailing.sending import connected
from planner.people.texts import ascii_email
from planner.repository import Store, UnitOfWork
from planner.settings import Settings

DAYS_AHEAD = 4
"""A Monday is told on Friday, also after a holiday or two; what is further ahead, on the evening before."""


@dataclass(frozen=True, slots=True)
class Due:
    """A mail to be sent; a `handing_over.Mail`."""

    area: str
    rep: Rep
    day: date

    @property
    def key(self) -> tuple[str, str, date]:
        return self.area, self.rep.id, self.day

    @property
    def words(self) -> str:
        return f"to rep {self.rep.id} about {self.day}"

    def wanted(self, unit: UnitOfWork) -> bool:
        return True

    def passage(self, unit: UnitOfWork) -> Passage | None:
        row = unit.sent_mails.get(*self.key)
        return None if row is None else Passage(row.state, row.at, row.problem)

    def write(self, unit: UnitOfWork, passage: Passage) -> None:
        unit.sent_mails.put(SentMail(*self.key, passage.state, passage.at, passage.problem))

    def audit(self, unit: UnitOfWork) -> None:
        unit.audit("mail.sent", f"{self.rep.id} {self.day}", area=self.area)

    def compose(self, store: Store, settings: Settings, now: datetime) -> tuple[str, EmailMessage]:
        sheet = sheet_of(store, *self.key)
        if sheet is None:
            raise MailError("there is nothing to visit any more")
        to = ascii_email(self.rep.email)
        return to, compose(evening_template(settings.home), sheet, to, settings, now)


def due(unit: UnitOfWork, area: str, settings: Settings, now: datetime) -> list[Due]:
    """The mails of an area that are to be sent now: each rep's next working day, from the evening's hour to midnight
    by the rep's clock, if somebody is visited on it and it was not sent."""
    hour = time.fromisoformat(settings.mail.evening_at)
    waiting = [rep for rep in unit.records(area).reps() if rep.email and now.astimezone(rep.zone).time() >= hour]
    if not waiting:
        return []
    found = []
    days = working_days(unit, area)
    for rep in waiting:
        today = now.astimezone(rep.zone).date()
        ahead = [day for day in days.get(rep.id, {}) if today < day <= today + timedelta(days=DAYS_AHEAD)]
        if ahead and days[rep.id][min(ahead)] and may_be_sent(unit, Due(area, rep, min(ahead))):
            found.append(Due(area, rep, min(ahead)))
    return found


def send_due(store: Store, areas: Iterable[str], settings: Settings, now: datetime) -> int:
    """Send what is due, and say how much that was. What fails is written down with the reason, and tried next time.

    Raises:
        StorageError: the database refused; what was sent until then is written down.
    """
    waiting: list[Due] = []
    for area in areas:
        with store.read() as unit:
            waiting += due(unit, area, settings, now)
    return send_all(store, waiting, settings, now)


def send_now(store: Store, actor: Actor, sheet: DaySheet, to: str, settings: Settings, now: datetime) -> None:
    """Send a day whatever was sent before, since somebody wants it. Raises MailError, InvalidRecordError."""
    address = ascii_email(to)
    message = compose(evening_template(settings.home), sheet, address, settings, now)
    try:
        with connected(settings) as server:
            server.send(message, address, lambda: None)
    except OSError as error:
        raise MailError(f"{error}") from error
    with store.write(actor) as unit:
        unit.audit("mail.sent", f"{sheet.rep_id} {sheet.day}", area=sheet.area, by_hand=True)


def sheet_of(store: Store, area: str, rep_id: str, day: date) -> DaySheet | None:
    """The day as the rep sees it; None where nobody is visited."""
    theirs = Scope(area, frozenset({rep_id}), unassigned=False, drafts=False)
    found = sheets(store, theirs, area, rep_id, day, day)
    return found[0] if found and found[0].stops else None
