"""What the repositories of one unit of work share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from planner.access import Actor
from planner.errors import StorageError


@dataclass
class Transaction:
    """An open transaction, in whose name it is, and what has happened in it."""

    connection: Connection
    actor: Actor
    clock: Callable[[], datetime] | None
    writable: bool
    changed: bool = False
    audited: bool = False

    def now(self) -> datetime:
        """The present moment in UTC by the database's clock, which everybody shares; or by the one it was given."""
        if self.clock is not None:
            return self.clock()
        if self.connection.dialect.name == "sqlite":
            text: str = self.connection.exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')").scalar_one()
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        told: datetime = self.connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return told.astimezone(UTC)

    def about_to_write(self, table: sa.Table | None = None) -> None:
        """Raises StorageError in a transaction that only reads."""
        if not self.writable:
            raise StorageError("this unit of work was opened for reading only")
        # A table may say that no auditor asks about it.
        self.changed = self.changed or table is None or table.info.get("audited", True)
