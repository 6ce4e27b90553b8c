"""How a mail is sent once, whatever it is about.

A mail is claimed in one transaction and sent outside of any. Right before the server is given it, that is written down
too: whoever dies before that has sent nothing, and it is tried again; who dies after it may have sent it, and it is
not.
"""

from __future__ import annotations

import logging
import time as stopwatch
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

from planner.access import SYSTEM
from planner.errors import InvalidRecordError, MailError, MailRefusedError, PlannerError, StorageError
from planner.fieldwork.domain import MailState
from planner.mailing.sending import Server, connected
from planner.repository import Store, UnitOfWork
from planner.settings import Settings

CLAIMED_FOR = timedelta(minutes=10)
"""Whoever has claimed a mail for so long has died over it."""

ROUND_S = 120.0
"""No new mail is begun later than this; the next round goes on."""

MAX_PROBLEM = 500
UNKNOWN = "the connection broke while it was handed over: it may have been sent"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passage:
    """How far a mail has come, since when, and why no further."""

    state: MailState
    at: datetime
    problem: str = ""


class Mail(Protocol):
    """A mail that is to be sent, once: where it is written down how far it has come, and what it says."""

    @property
    def words(self) -> str:
        """What it is, as in "the mail <words> is not sent"."""
        ...

    def wanted(self, unit: UnitOfWork) -> bool:
        """Whether anybody still waits for it."""
        ...

    def passage(self, unit: UnitOfWork) -> Passage | None:
        """How far it has come, as it is written down; None where it has not begun."""
        ...

    def write(self, unit: UnitOfWork, passage: Passage) -> None:
        """Write that down."""
        ...

    def audit(self, unit: UnitOfWork) -> None:
        """Write into the audit log that it was sent."""
        ...

    def compose(self, store: Store, settings: Settings, now: datetime) -> tuple[str, EmailMessage]:
        """The address, and the mail. Raises MailError, InvalidRecordError."""
        ...


def may_be_sent(unit: UnitOfWork, mail: Mail) -> bool:
    """Whether nobody has sent it, or is about to."""
    known = mail.passage(unit)
    if not mail.wanted(unit):
        return False
    if known is None or known.state is MailState.FAILED:
        return True
    return known.state is MailState.CLAIMED and unit.now() - known.at > CLAIMED_FOR


def send_all(store: Store, mails: Sequence[Mail], settings: Settings, now: datetime) -> int:
    """Send mails, and say how many that were. What fails is written down with the reason.

    Raises:
        StorageError: the database refused; what was sent until then is written down.
    """
    if not mails:
        return 0
    begun, sent = stopwatch.monotonic(), 0
    try:
        with connected(settings) as server:
            for mail in mails:
                if stopwatch.monotonic() - begun > ROUND_S:
                    break
                sent += _sent(store, server, mail, settings, now)
    except (MailError, OSError) as error:
        _log.error("mails are not sent: %s", error)
        for mail in mails:
            _put_off(store, mail, str(error))
    return sent


def _sent(store: Store, server: Server, mail: Mail, settings: Settings, now: datetime) -> bool:
    """Whether it was sent. Raises OSError where the connection is gone."""
    claim = _claimed(store, mail)
    if claim is None:
        return False
    try:
        return _handed_over(server, claim, settings, now)
    except _ClaimLostError:
        return False


def _handed_over(server: Server, claim: _Claim, settings: Settings, now: datetime) -> bool:
    """Whether a mail was sent that is ours to send."""
    try:
        to, message = claim.mail.compose(claim.store, settings, now)
        server.send(message, to, lambda: claim.becomes(MailState.HANDED_OVER, UNKNOWN))
    except (MailRefusedError, InvalidRecordError) as error:
        claim.becomes(MailState.REFUSED, str(error))
        return False
    except OSError as error:
        if claim.passage.state is not MailState.HANDED_OVER:
            claim.becomes(MailState.FAILED, str(error))
        raise
    except (StorageError, _ClaimLostError):
        raise
    except Exception as error:  # whatever is wrong with one mail, the others are sent
        if not isinstance(error, PlannerError):
            _log.exception("the mail %s cannot be made", claim.mail.words)
        claim.becomes(MailState.FAILED, str(error) or type(error).__name__)
        return False
    claim.becomes(MailState.SENT, "")
    return True


class _ClaimLostError(Exception):
    """Somebody else has taken a mail over, and what becomes of it is theirs to write down."""


class _Claim:
    """A mail that is ours to send, as long as what is written of it is what we have written."""

    def __init__(self, store: Store, mail: Mail, passage: Passage) -> None:
        self.store = store
        self.mail = mail
        self.passage = passage

    def becomes(self, state: MailState, problem: str) -> None:
        """Write down how far the mail has come. Raises _ClaimLostError."""
        sent = state is MailState.SENT
        with self.store.write(SYSTEM, audited=sent) as unit:
            if self.mail.passage(unit) != self.passage:
                raise _ClaimLostError
            passage = replace(self.passage, state=state, at=unit.now(), problem=problem[:MAX_PROBLEM])
            self.mail.write(unit, passage)
            if sent:
                self.mail.audit(unit)
        self.passage = passage
        if problem and state is not MailState.HANDED_OVER:
            _log.error("the mail %s is not sent: %s", self.mail.words, problem)


def _claimed(store: Store, mail: Mail) -> _Claim | None:
    """The mail, if it is ours to send."""
    with store.write(SYSTEM, audited=False) as unit:
        if not may_be_sent(unit, mail):
            return None
        passage = Passage(MailState.CLAIMED, unit.now())
        mail.write(unit, passage)
    return _Claim(store, mail, passage)


def _put_off(store: Store, mail: Mail, problem: str) -> None:
    """Write down why a mail is not sent yet, unless somebody is sending it or has."""
    with store.write(SYSTEM, audited=False) as unit:
        known = mail.passage(unit)
        if mail.wanted(unit) and (known is None or known.state is MailState.FAILED):
            mail.write(unit, Passage(MailState.FAILED, unit.now(), problem[:MAX_PROBLEM]))
