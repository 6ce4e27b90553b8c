"""Writers take turns: a lock file beside a SQLite database, an advisory lock in PostgreSQL.

Both are let go of by the operating system or the server when their holder dies. Why one at a time: docs/decisions/0006.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from planner.errors import StorageError, StorageUnavailableError

try:
    import fcntl
except ImportError:  # Windows: SQLite's own busy_timeout alone makes writers wait there
    fcntl = None  # type: ignore[assignment]

_ADVISORY_LOCK = 7_316_452_810  # any number that no other program on the same PostgreSQL database uses
_TAKE = sa.text(
    # A writer that has gone silent (its machine is gone, it was suspended) loses its turn after a minute.
    "SELECT set_config('lock_timeout', :patience, true), "
    "set_config('idle_in_transaction_session_timeout', '60s', true), pg_advisory_xact_lock(:lock)"
)


class FileTurn:
    """A lock file that lets one writer at a time go on, of all threads and processes of a machine."""

    def __init__(self, database: str | None, patience_s: float) -> None:
        # Resolved, since a link to the database is the same database and must have the same lock.
        self._database = Path(database).resolve() if database and fcntl else None
        self._patience_s = patience_s
        self._mine = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and keep it. Without a database only a turn inside a turn is looked for."""
        if getattr(self._mine, "taken", False):
            raise StorageError("a write transaction was started inside another one")
        self._mine.taken = True
        try:
            if self._database is None:
                yield
                return
            handle = self._open(f"{self._database}.lock")
            try:
                self._wait(handle)
                yield
            finally:
                # Not by closing alone: a process that was forked meanwhile holds the file open too.
                fcntl.flock(handle, fcntl.LOCK_UN)
                os.close(handle)
        finally:
            self._mine.taken = False

    def _open(self, path: str) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailableError(f"cannot write beside the database: {path}: {error.strerror}") from error

    def _wait(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # The kernel wakes those who wait in their order, but knows no time limit: a thread waits for it. Where that
            # gives up, the thread gets the lock one day and at once loses it, for the file is closed by then.
            waiting = threading.Thread(target=fcntl.flock, args=(handle, fcntl.LOCK_EX), daemon=True)
            waiting.start()
            waiting.join(self._patience_s)
            if waiting.is_alive():
                raise StorageUnavailableError(
                    f"{self._database}: another writer has held it for {self._patience_s:.0f} s; is one suspended?"
                ) from None


def take_turn(connection: Connection, patience_s: float) -> None:
    """Wait for the turn within a transaction on PostgreSQL, which ends with it."""
    connection.execute(_TAKE, {"patience": f"{int(1000 * patience_s)}ms", "lock": _ADVISORY_LOCK})
