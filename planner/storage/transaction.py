"""What the repositories of one unit of work share."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from planner.access import Actor
from planner.errors import StorageError


@dataclass
class Transaction:
    """An open transaction, in whose name it is, and what has happened in it."""

    connection: Connection
    actor: Actor
    writable: bool
    changed: bool = False
    audited: bool = False

    def about_to_write(self) -> None:
        """Raises StorageError in a transaction that only reads."""
        if not self.writable:
            raise StorageError("this unit of work was opened for reading only")
        self.changed = True
