"""The mail server and the evening's mails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from planner.doctor.findings import Finding, bad, doubtful, good
from planner.errors import MailError
from planner.fieldwork.domain import MailState
from planner.mailing.composing import OWN, evening_template
from planner.mailing.sending import connected
from planner.mailing.weekly import weekly_templates
from planner.repository import UnitOfWork
from planner.settings import Settings

LOOKED_BACK = timedelta(days=3)
MOST = 5


def server(settings: Settings, call: bool) -> Iterator[Finding]:
    """What is set up for mail makes sense; with `call`, the server is asked."""
    mail = settings.mail
    if not mail.host:
        yield good("mail", "none is sent: [mail] names no host")
        return
    if mail.user and not settings.smtp_password:
        yield bad("mail", f"the user {mail.user} has no password", "set FIELDVISIT_SMTP_PASSWORD")
    if not settings.web.public_url:
        yield doubtful("mail", "the mails lead nowhere: the pages have no address", "set public_url in [web]")
    for template in (evening_template, weekly_templates):
        try:
            template(settings.home)
        except MailError as error:
            yield bad(
                "mail", str(error), f"correct it, or take it out of {OWN}/: docs/operations.md has what it may say"
            )
    if not call:
        weekly = f", summaries {mail.weekly_at}" if mail.weekly_at else ""
        yield good("mail", f"by {mail.host}, port {mail.port}, every evening at {mail.evening_at}{weekly}")
        return
    try:
        with connected(settings):
            yield good("mail", f"{mail.host}, port {mail.port}, lets us in")
    except (MailError, OSError) as error:
        yield bad("mail", str(error), "check [mail] in settings.toml, and that this machine may call that port")


def problems(unit: UnitOfWork, now: datetime) -> Iterator[Finding]:
    """What was not sent lately, the newest first."""
    rows = unit.sent_mails.within("at", now - LOOKED_BACK, now + LOOKED_BACK)
    wanting = sorted((row for row in rows if row.problem), key=lambda row: row.at, reverse=True)
    for row in wanting[:MOST]:
        refused = row.state is MailState.REFUSED
        advice = (
            "correct the e-mail address of the rep's record" if refused else "fieldvisit doctor --mail asks the server"
        )
        yield doubtful("mail", f"rep {row.rep_id} was not sent {row.day}, as far as is known: {row.problem}", advice)
    wanted = unit.summary_readers.find(wanted=True)
    readers = (row for row in wanted if row.problem and row.at and now - row.at < LOOKED_BACK)
    for reader in sorted(readers, key=lambda row: row.user_id)[:MOST]:
        told = f"user {reader.user_id} was not sent the summary of the week of {reader.week}, as far as is known"
        yield doubtful("mail", f"{told}: {reader.problem}", "fieldvisit doctor --mail asks the server")
