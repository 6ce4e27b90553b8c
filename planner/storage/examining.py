"""What `fieldvisit doctor` asks of a database; nothing in it is changed, and none is made."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

from planner.errors import StorageError
from planner.storage.engine import PATIENCE_S, as_storage_error, open_engine
from planner.storage.migrating import SCHEMA
from planner.storage.store import SqlStore
from planner.storage.turns import FileTurn

LOCK_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Examined:
    """A database as it is.

    Attributes:
        server: its program and version.
        file: of a SQLite database.
        schema: the shape that it has; None where it is empty. `newest` is the one that this program knows.
        damage: what its own check of all pages and indexes says; empty for nothing.
        clock_ahead_s: how far the server's clock is ahead of this machine's.
        lock_s: how long a writer waited for its turn just now; None where nobody gave it up in time.
    """

    server: str
    file: Path | None
    schema: str | None
    newest: str
    damage: tuple[str, ...]
    clock_ahead_s: float
    lock_s: float | None


def open_as_it_is(url: str) -> SqlStore:
    """The store, without bringing its database to the newest shape.

    Raises:
        StorageError: the URL cannot be used, or there is no such file.
    """
    file = file_of(url)
    if file is not None and not file.exists():
        raise StorageError(f"there is no database {file} yet")
    return SqlStore(open_engine(url), lambda: datetime.now(UTC), PATIENCE_S)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database. Raises StorageError where the URL is none."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise StorageError(f"the database URL cannot be used: {error}") from error
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def examine(url: str, clock: Callable[[], datetime]) -> Examined:
    """Look at a database. Raises StorageError where it cannot be opened or read."""
    file = file_of(url)
    if file is not None and not file.exists():
        raise StorageError(f"there is no database {file} yet")
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            sqlite = engine.dialect.name == "sqlite"
            version = ".".join(map(str, engine.dialect.server_version_info or ()))
            schema: str | None = None
            if sa.inspect(connection).has_table("alembic_version"):
                schema = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return Examined(
                server=f"{'SQLite' if sqlite else 'PostgreSQL'} {version}",
                file=file,
                schema=schema,
                newest=SCHEMA,
                damage=_damage(connection) if sqlite else (),
                clock_ahead_s=0.0 if sqlite else _clock_ahead_s(connection, clock),
                lock_s=_lock_s(file) if file else 0.0,
            )
    except sa.exc.SQLAlchemyError as error:
        raise as_storage_error(error, engine.url.render_as_string(hide_password=True)) from error
    finally:
        engine.dispose()


def _damage(connection: Connection) -> tuple[str, ...]:
    said = [str(row[0]) for row in connection.execute(sa.text("PRAGMA quick_check(5)"))]
    return () if said == ["ok"] else tuple(said)


def _clock_ahead_s(connection: Connection, clock: Callable[[], datetime]) -> float:
    before = clock()
    theirs: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    ours = before + (clock() - before) / 2
    return (theirs - ours).total_seconds()


def _lock_s(file: Path) -> float | None:
    """How long it takes to get the writers' lock, which is given back at once."""
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return None
    began = time.monotonic()
    try:
        with FileTurn(str(file), LOCK_PATIENCE_S).taken():
            return time.monotonic() - began
    except StorageError:
        return None
