"""What is known of visits to each account, counted again as a field visit or the set minutes of the account change.

Whoever writes may see only their own visits, and the account has had others' too: it is counted whoever made them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from planner.fieldwork.domain import MOST_DWELLS, Disposition, FieldVisit, VisitMinutes
from planner.storage.rows import SqlRows
from planner.storage.tables import ACCOUNT_VISITS, FIELD_VISITS, VISIT_MINUTES

T = TypeVar("T", bound=FieldVisit | VisitMinutes)


class CountedRows(SqlRows[T]):
    """Rows that say something of visits to the account that each is about; satisfies `repository.Rows`."""

    def put(self, row: T) -> None:
        before = self._account_of(self._key_of(row))
        super().put(row)
        for account_id in {before, row.account_id} - {""}:
            _count(self._transaction.connection, row.area, account_id)

    def remove(self, *key: object) -> None:
        before = self._account_of(key)
        super().remove(*key)
        if before:
            _count(self._transaction.connection, str(key[0]), before)

    def _account_of(self, key: tuple[Any, ...]) -> str:
        asked = sa.select(self._table.c.account_id).where(*self._is(key))
        return self._transaction.connection.scalar(asked) or ""


def _count(connection: Connection, area: str, account_id: str) -> None:
    """Nothing is written where nothing has changed, so that nobody reads it again."""
    visits, minutes = FIELD_VISITS.c, VISIT_MINUTES.c
    met = (visits.area == area, visits.account_id == account_id, visits.disposition == Disposition.MET)
    of_known_length = sa.select(visits.dwell_minutes).where(
        *met, visits.opportunity_id == "", visits.dwell_minutes.is_not(None)
    )
    latest = of_known_length.order_by(visits.day.desc(), visits.arrived_at.desc(), visits.visit_id).limit(MOST_DWELLS)
    known = {
        "last_visit": connection.scalar(sa.select(sa.func.max(visits.day)).where(*met)),
        "dwells": tuple(reversed(connection.execute(latest).scalars().all())),
        "minutes": connection.scalar(
            sa.select(minutes.minutes).where(minutes.area == area, minutes.account_id == account_id)
        ),
    }
    counted = ACCOUNT_VISITS.c
    here = (counted.area == area, counted.account_id == account_id)
    before = connection.execute(sa.select(counted.last_visit, counted.dwells, counted.minutes).where(*here)).first()
    nothing = {"last_visit": None, "dwells": (), "minutes": None}
    if known == (nothing if before is None else before._asdict()):
        return
    number = connection.scalar(sa.select(sa.func.max(counted.number)).where(counted.area == area)) or 0
    values = {**known, "number": number + 1}
    if connection.execute(ACCOUNT_VISITS.update().where(*here).values(**values)).rowcount == 0:
        connection.execute(ACCOUNT_VISITS.insert().values(area=area, account_id=account_id, **values))
