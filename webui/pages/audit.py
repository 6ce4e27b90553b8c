"""The audit log, for admins: who changed what and when, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from planner.access import Permission
from planner.audit import AuditEntry
from planner.repository import AuditLog
from webui.auth.door import door
from webui.policy import allow, viewer

audit_pages = Blueprint("audit", __name__, url_prefix="/audit")

ON_A_PAGE = 50
READ_AT_ONCE = 500
READ_AT_MOST = 20_000
"""For one page: a filter that nothing fits must not read a log of years."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """A line of the page. `actor` and `subject` are people's addresses where they are people."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    area: str
    details: list[tuple[str, str]]


@audit_pages.get("")
@allow(Permission.ADMINISTER)
def entries() -> Any:
    actor, action = request.args.get("actor", "").strip(), request.args.get("action", "").strip()
    before = request.args.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 16):
        abort(404, description="That is no number of an entry.")
    with door().store.read(viewer().scope) as unit:
        emails = {f"user:{user.id}": user.email for user in unit.users.find()}
        by = next((id for id, email in emails.items() if email == actor.lower()), actor)
        latest = unit.audit_log.latest(1)
        top = min(int(before or latest[0].seq + 1), latest[0].seq + 1) - 1 if latest else 0
        found, older = _newest(unit.audit_log, top, by, action)
    return render_template(
        "audit.html",
        entries=[_shown(entry, emails) for entry in found],
        actor=actor,
        action=action,
        older=older,
        first=not before,
    )


def _newest(log: AuditLog, top: int, actor: str, action: str) -> tuple[list[AuditEntry], int | None]:
    """The entries that fit, from number `top` down, and the number before which to go on; None at the end."""
    found: list[AuditEntry] = []
    bottom = max(0, top - READ_AT_MOST)
    while top > bottom:
        after = max(bottom, top - READ_AT_ONCE)
        for entry in reversed(log.entries(after=after, limit=top - after)):
            if actor in ("", entry.actor) and entry.action.startswith(action):
                found.append(entry)
                if len(found) == ON_A_PAGE:
                    return found, entry.seq if entry.seq > 1 else None
        top = after
    return found, top + 1 if top else None


def _shown(entry: AuditEntry, emails: dict[str, str]) -> EntryView:
    details = [(key, _words(value)) for key, value in entry.details.items()]
    subject = emails.get(f"user:{entry.subject}", entry.subject)
    return EntryView(
        entry.seq, entry.at, emails.get(entry.actor, entry.actor), entry.action, subject, entry.area, details
    )


def _words(value: object) -> str:
    match value:
        case None:
            return "–"
        case list():
            return ", ".join(map(_words, value))
        case dict():
            return "; ".join(f"{key} {_words(inner)}" for key, inner in value.items())
        case _:
            return str(value)
