"""The ids of visits: which record each is to."""

from __future__ import annotations

from datetime import date

from planner.domain import RecordKind


def visit_id(kind: RecordKind, record_id: str, due: date | None = None) -> str:
    """Ids of accounts and opportunities may clash; those of visits may not.

    `due` is told of a customer's second and later visits within one plan: the day that each is due.
    """
    return f"{kind}@{due}:{record_id}" if due else f"{kind}:{record_id}"


def record_behind(visit: str) -> tuple[str, str]:
    """The kind and the id of the record that a visit is to; the kind is none of `RecordKind` where the id is none."""
    kind, _, record_id = visit.partition(":")
    word, _, due = kind.partition("@")
    return (word if not due or (word == RecordKind.ACCOUNT and _is_day(due)) else kind), record_id


def due_day(visit: str) -> date | None:
    """The day that it is due, of a second or later visit to a customer."""
    _, _, due = visit.partition(":")[0].partition("@")
    return date.fromisoformat(due) if _is_day(due) else None


def is_to(visit: str, account_id: str) -> bool:
    """Whether it is a visit to a customer for its own sake, and to this one."""
    return record_behind(visit) == (RecordKind.ACCOUNT, account_id)


def _is_day(text: str) -> bool:
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False
