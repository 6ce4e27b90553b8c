"""The audit log's table: entries are added to its end and never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from planner.audit import AuditEntry, chained
from planner.storage.tables import AUDIT
from planner.storage.transaction import Transaction
from planner.storage.values import checked

_A_DAY = len(" 2026-11-30")
"""What follows the rep's id where a day of theirs is the subject; an id may have blanks of its own."""


class SqlAuditLog:
    """Satisfies `repository.AuditLog`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[AuditEntry]:
        return self._read(sa.select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(limit))

    def latest(self, limit: int) -> list[AuditEntry]:
        return self._read(sa.select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit))

    def concerning(
        self, actors: Collection[str], user_id: str, area: str, rep_ids: Collection[str], limit: int
    ) -> list[AuditEntry]:
        subject, reps = AUDIT.c.subject, sorted(rep_ids)
        # Customers and reps may have the same ids; who is meant stands in the action.
        of_rep = subject.in_(reps) & AUDIT.c.action.startswith("rep.")
        of_rep_or_day = of_rep | _of_a_day(reps)
        wanted = sa.or_(AUDIT.c.actor.in_(sorted(actors)), subject == user_id, (AUDIT.c.area == area) & of_rep_or_day)
        return self._read(sa.select(AUDIT).where(wanted).order_by(AUDIT.c.seq.desc()).limit(limit))

    def of_days(self, action: str, area: str, rep_ids: Collection[str]) -> list[AuditEntry]:
        wanted = (AUDIT.c.action == action) & (AUDIT.c.area == area) & _of_a_day(rep_ids)
        return self._read(sa.select(AUDIT).where(wanted).order_by(AUDIT.c.seq.desc()))

    def add(self, area: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
        """One more entry, now, in the actor's name."""
        self._transaction.about_to_write(AUDIT)
        self._transaction.audited = True
        actor, previous = self._transaction.actor, self.latest(1)
        entry = chained(
            previous[0] if previous else None,
            self._transaction.now(),
            actor.id,
            actor.request_id,
            area,
            action,
            subject,
            details,
        )
        values = {name: getattr(entry, name) for name in AuditEntry.__slots__}
        self._transaction.connection.execute(AUDIT.insert().values(checked(AUDIT, values)))

    def _read(self, query: sa.Select[Any]) -> list[AuditEntry]:
        return [AuditEntry(**row) for row in self._transaction.connection.execute(query).mappings()]


def _of_a_day(rep_ids: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether the subject is a day of one of the reps."""
    subject = AUDIT.c.subject
    days = (
        subject.startswith(f"{rep} ", autoescape=True) & (sa.func.length(subject) == len(rep) + _A_DAY)
        for rep in sorted(rep_ids)
    )
    return sa.or_(sa.false(), *days)
