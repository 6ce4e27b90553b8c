"""How SQLite and PostgreSQL are opened, and what their errors mean to people."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url

from planner.errors import StorageError, StorageUnavailableError

PATIENCE_S = 30.0
"""How long a writer waits for its turn, and anybody for a connection."""

_CONNECTIONS = {"pool_size": 10, "max_overflow": 20, "pool_timeout": PATIENCE_S}

_SQLITE = (
    f"busy_timeout={int(1000 * PATIENCE_S)}",
    "journal_mode=WAL",  # readers and the writer do not wait for each other
    "synchronous=FULL",  # what was committed is on the disk, not on its way there
    "foreign_keys=ON",
    "journal_size_limit=67108864",  # the log that a long reader made grow shrinks again
)
# Without these a connection whose server has gone is only noticed after a quarter of an hour.
_POSTGRESQL = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SQLITE_TROUBLE = {
    5: "another program holds it",
    6: "another program holds it",
    7: "this machine has no memory left",
    8: "it is read-only",
    10: "its disk is full or broken",
    13: "its disk is full",
    14: "it cannot be opened",
}
"""By SQLite's primary result codes (https://sqlite.org/rescode.html)."""

_POSTGRESQL_TROUBLE = {
    "08": "the connection was lost",
    "25006": "it is read-only",
    "40": "others were writing the same",
    "53": "the server is out of disk, memory or connections",
    "55P03": "another writer has held it for too long",
    "57": "the server is stopping, starting, or took too long",
    "58": "the server's disk is broken",
}
"""By the beginnings of SQLSTATE (PostgreSQL's documentation, appendix A)."""


def open_engine(address: str) -> Engine:
    """An engine for sqlite:///file or postgresql[+driver]://…; it connects when it is first used.

    Raises:
        StorageError: the address cannot be used.
    """
    try:
        url = make_url(address)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise StorageError(f"the database URL cannot be used: {error}") from error
    sa.event.listen(engine, "handle_error", _refuse_value)
    return engine


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise StorageError("the database URL cannot be used: after sqlite:/// comes the path of a file")
    engine = sa.create_engine(url, **_CONNECTIONS)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        raise StorageError(f"{url.get_backend_name()} is not supported; use SQLite or PostgreSQL")
    given = {name: value for name, value in _POSTGRESQL.items() if name not in url.query}
    # READ COMMITTED whatever the server prefers: a writer must see what was committed while it waited for its turn.
    return sa.create_engine(
        url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=given, **_CONNECTIONS
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # or the driver would start transactions of its own
    for pragma in _SQLITE:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _refuse_value(context: ExceptionContext) -> StorageError | None:
    """Drivers raise errors of Python's own for a number or a text that has no place in any database."""
    if isinstance(context.original_exception, OverflowError | UnicodeError):
        return StorageError("a number is too large, or a text is none, for a database")
    return None


def as_storage_error(error: sa.exc.SQLAlchemyError, shown: str) -> StorageError:
    """What a person is told. Never the statement, or what it was about: there is customers' data in it."""
    if isinstance(error, sa.exc.TimeoutError):
        return StorageUnavailableError(f"{shown}: too many want to use the database at once")
    cause: Any = getattr(error, "orig", None)
    if isinstance(cause, StorageError):
        return cause  # of ours, about a value that is no column's
    if not isinstance(error, sa.exc.DBAPIError):
        return StorageError(f"{shown}: {type(error).__name__}: {type(cause).__name__}")
    diagnosis = getattr(cause, "diag", None)
    said = (diagnosis and diagnosis.message_primary) or str(cause).strip()
    trouble = _trouble(cause, error.connection_invalidated)
    return StorageUnavailableError(f"{shown}: {trouble}: {said}") if trouble else StorageError(f"{shown}: {said}")


def _trouble(cause: Any, lost: bool) -> str:
    """What is wrong with the database, as opposed to what it was asked; empty for nothing."""
    if hasattr(cause, "sqlite_errorcode"):
        return _SQLITE_TROUBLE.get(cause.sqlite_errorcode & 0xFF, "")
    if hasattr(cause, "sqlstate"):
        if cause.sqlstate is None:
            # Without an answer of the server's: it cannot be reached, or has gone away.
            return "the server cannot be reached" if lost or type(cause).__name__ == "OperationalError" else ""
        return next((text for state, text in _POSTGRESQL_TROUBLE.items() if cause.sqlstate.startswith(state)), "")
    return "the connection was lost" if lost else ""


def create_file(engine: Engine) -> None:
    """Make the file of a SQLite database if there is none, and nothing on PostgreSQL.

    Readable by its owner only, as SQLite's own files beside it will then be: customers are in it, and who logs in.

    Raises:
        StorageUnavailableError: the file can be neither made nor read.
    """
    if engine.dialect.name == "sqlite" and engine.url.database:
        try:
            os.close(os.open(engine.url.database, os.O_RDONLY | os.O_CREAT, 0o600))
        except OSError as error:
            raise StorageUnavailableError(f"{engine.url}: it cannot be opened: {error.strerror}") from error
