"""Who is sent what this evening, and once.

A mail is claimed in one transaction and sent outside of any. Right before the server is given it, that is written down
too: whoever dies before that has sent nothing, and it is tried again; who dies after it may have sent it, and it is
not.
"""

from __future__ import annotations

import logging
import time as stopwatch
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from planner.access import SYSTEM, Actor, Scope
from planner.day_sheets import DaySheet, sheets, working_days
from planner.domain import Rep
from planner.errors import InvalidRecordError, MailError, MailRefusedError, PlannerError, StorageError
from planner.fieldwork.domain import MailState, SentMail
from planner.mailing.composing import compose, evening_template
from planner.mailing.sending import Server, connected
from planner.people.texts import ascii_email
from planner.repository import Store, UnitOfWork
from planner.settings import Settings

DAYS_AHEAD = 4
"""A Monday is told on Friday, also after a holiday or two; what is further ahead, on the evening before."""

CLAIMED_FOR = timedelta(minutes=10)
"""Whoever has claimed a mail for so long has died over it."""

ROUND_S = 120.0
"""No new mail is begun later than this; the next round goes on."""

MAX_PROBLEM = 500
UNKNOWN = "the connection broke while it was handed over: it may have been sent"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A mail to be sent."""

    area: str
    rep: Rep
    day: date

    @property
    def key(self) -> tuple[str, str, date]:
        return self.area, self.rep.id, self.day


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
        if ahead and days[rep.id][min(ahead)] and _may_be_sent(unit, Due(area, rep, min(ahead))):
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
    if not waiting:
        return 0
    begun, sent = stopwatch.monotonic(), 0
    try:
        with connected(settings) as server:
            for mail in waiting:
                if stopwatch.monotonic() - begun > ROUND_S:
                    break
                sent += _sent(store, server, mail, settings, now)
    except (MailError, OSError) as error:
        _log.error("the evening's mails are not sent: %s", error)
        for mail in waiting:
            _put_off(store, mail, str(error))
    return sent


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


def _sent(store: Store, server: Server, mail: Due, settings: Settings, now: datetime) -> bool:
    """Whether it was sent. Raises OSError where the connection is gone."""
    claim = _claimed(store, mail)
    if claim is None:
        return False
    try:
        return _handed_over(server, claim, mail, settings, now)
    except _ClaimLostError:
        return False


def _handed_over(server: Server, claim: _Claim, mail: Due, settings: Settings, now: datetime) -> bool:
    """Whether a mail was sent that is ours to send."""
    try:
        sheet = sheet_of(claim.store, *mail.key)
        if sheet is None:
            raise MailError("there is nothing to visit any more")
        to = ascii_email(mail.rep.email)
        message = compose(evening_template(settings.home), sheet, to, settings, now)
        server.send(message, to, lambda: claim.becomes(MailState.HANDED_OVER, UNKNOWN))
    except (MailRefusedError, InvalidRecordError) as error:
        claim.becomes(MailState.REFUSED, str(error))
        return False
    except OSError as error:
        if claim.row.state is not MailState.HANDED_OVER:
            claim.becomes(MailState.FAILED, str(error))
        raise
    except (StorageError, _ClaimLostError):
        raise
    except Exception as error:  # whatever is wrong with the day of one rep, the others are sent theirs
        if not isinstance(error, PlannerError):
            _log.exception("the mail to rep %s about %s cannot be made", mail.rep.id, mail.day)
        claim.becomes(MailState.FAILED, str(error) or type(error).__name__)
        return False
    claim.becomes(MailState.SENT, "")
    return True


def _may_be_sent(unit: UnitOfWork, mail: Due) -> bool:
    row = unit.sent_mails.get(*mail.key)
    if row is None or row.state is MailState.FAILED:
        return True
    return row.state is MailState.CLAIMED and unit.now() - row.at > CLAIMED_FOR


class _ClaimLostError(Exception):
    """Somebody else has taken a mail over, and what becomes of it is theirs to write down."""


class _Claim:
    """A mail that is ours to send, as long as its row is as we have written it."""

    def __init__(self, store: Store, row: SentMail) -> None:
        self.store = store
        self.row = row

    def becomes(self, state: MailState, problem: str) -> None:
        """Write down how far the mail has come. Raises _ClaimLostError."""
        sent = state is MailState.SENT
        with self.store.write(SYSTEM, audited=sent) as unit:
            if unit.sent_mails.get(self.row.area, self.row.rep_id, self.row.day) != self.row:
                raise _ClaimLostError
            row = replace(self.row, state=state, at=unit.now(), problem=problem[:MAX_PROBLEM])
            unit.sent_mails.put(row)
            if sent:
                unit.audit("mail.sent", f"{row.rep_id} {row.day}", area=row.area)
        self.row = row
        if problem and state is not MailState.HANDED_OVER:
            _log.error("the mail to rep %s about %s is not sent: %s", row.rep_id, row.day, problem)


def _claimed(store: Store, mail: Due) -> _Claim | None:
    """The mail, if it is ours to send."""
    with store.write(SYSTEM, audited=False) as unit:
        if not _may_be_sent(unit, mail):
            return None
        row = SentMail(*mail.key, MailState.CLAIMED, unit.now())
        unit.sent_mails.put(row)
    return _Claim(store, row)


def _put_off(store: Store, mail: Due, problem: str) -> None:
    """Write down why a mail is not sent yet, unless somebody is sending it or has."""
    with store.write(SYSTEM, audited=False) as unit:
        row = unit.sent_mails.get(*mail.key)
        if row is None or row.state is MailState.FAILED:
            unit.sent_mails.put(SentMail(*mail.key, MailState.FAILED, unit.now(), problem[:MAX_PROBLEM]))
