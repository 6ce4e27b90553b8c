"""Transactions: writers take turns, readers never wait.

Writers take turns on SQLite by BEGIN IMMEDIATE under a lock file (the database's own lock lets writers starve, and a
transaction that starts by reading cannot safely go on to write), on PostgreSQL by an advisory lock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.domain import Record
from planner.errors import StorageError
from planner.idempotency import Answer
from planner.jobs.domain import Heartbeat, Job
from planner.people.domain import ApiToken, Session, Throttle, User
from planner.rep_days import RepDayNote
from planner.storage.audit_log import SqlAuditLog
from planner.storage.record_rows import Prepared
from planner.storage.repositories import SqlPlans, SqlRecords
from planner.storage.rows import SqlRows
from planner.storage.tables import ANSWERS, HEARTBEATS, JOBS, REP_DAY_NOTES, SESSIONS, THROTTLES, TOKENS, USERS
from planner.storage.transaction import Transaction

try:
    import fcntl
except ImportError:  # Windows: busy_timeout alone makes writers wait there
    fcntl = None  # type: ignore[assignment]

R = TypeVar("R", bound=Record)

SCHEMA = "0002"
"""The newest migration; what `tables` describes."""

BUSY_TIMEOUT_MS = 30_000
_ADVISORY_LOCK = 7_316_452_810  # any number that no other program on the same PostgreSQL database uses


class SqlUnitOfWork:
    """What one transaction reads and writes; satisfies `repository.UnitOfWork`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.audit_log = SqlAuditLog(transaction)

    def records(self, area: str) -> SqlRecords:
        return SqlRecords(self._transaction, area)

    def plans(self, area: str) -> SqlPlans:
        return SqlPlans(self._transaction, area)

    @property
    def users(self) -> SqlRows[User]:
        return SqlRows(self._transaction, USERS, User)

    @property
    def sessions(self) -> SqlRows[Session]:
        return SqlRows(self._transaction, SESSIONS, Session)

    @property
    def tokens(self) -> SqlRows[ApiToken]:
        return SqlRows(self._transaction, TOKENS, ApiToken)

    @property
    def throttles(self) -> SqlRows[Throttle]:
        return SqlRows(self._transaction, THROTTLES, Throttle)

    @property
    def jobs(self) -> SqlRows[Job]:
        return SqlRows(self._transaction, JOBS, Job)

    @property
    def heartbeats(self) -> SqlRows[Heartbeat]:
        return SqlRows(self._transaction, HEARTBEATS, Heartbeat)

    @property
    def answers(self) -> SqlRows[Answer]:
        return SqlRows(self._transaction, ANSWERS, Answer)

    @property
    def rep_day_notes(self) -> SqlRows[RepDayNote]:
        return SqlRows(self._transaction, REP_DAY_NOTES, RepDayNote)

    def audit(self, action: str, subject: str = "", /, area: str = "", **details: Any) -> None:
        """Write an entry into the audit log, in the actor's name."""
        self.audit_log.add(area, action, subject, details)


class SqlStore:
    """Units of work on one database, for any number of threads; satisfies `repository.Store`. Not to be forked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shown = engine.url.render_as_string(hide_password=True)
        self._sqlite = engine.dialect.name == "sqlite"
        self._turn = _Turn(engine.url.database if self._sqlite else None)

    @contextmanager
    def read(self, scope: Scope = EVERYTHING) -> Iterator[SqlUnitOfWork]:
        """A consistent snapshot. Raises StorageError, also on an attempt to write through it."""
        with self._errors(), self._engine.connect() as connection:
            if not self._sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield SqlUnitOfWork(Transaction(connection, Actor("reader", scope), writable=False))

    @contextmanager
    def write(self, actor: Actor = SYSTEM, *, audited: bool = True) -> Iterator[SqlUnitOfWork]:
        """One write transaction at a time; rolled back when the block raises. Raises StorageError."""
        with self._errors(), self._writing() as connection:
            transaction = Transaction(connection, actor, writable=True)
            yield SqlUnitOfWork(transaction)
            if audited and transaction.changed and not transaction.audited:
                raise StorageError("rows were changed and nothing was written to the audit log")

    def prepared(self, records: Sequence[R]) -> Sequence[R]:
        """The same records, for `SqlRecords.save_all`, ready to be written."""
        return Prepared(records, self._engine.dialect)

    def migrate(self) -> None:
        """Bring the database to this program's shape. Raises StorageError, also when it is already beyond that."""
        with self._errors(), self._writing() as connection:
            version = _version(connection)
            if version == SCHEMA:
                return
            # Imported here because that takes 0.3 s, which most starts of the program can do without.
            from alembic import command
            from alembic.config import Config
            from alembic.script import ScriptDirectory

            config = Config()
            config.set_main_option("script_location", "planner:migrations")
            config.attributes["connection"] = connection
            steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
            if version and version not in steps:
                raise StorageError(
                    f"{self._shown} was written by a newer fieldvisit (schema {version}); update this one"
                )
            command.upgrade(config, SCHEMA)

    def is_current(self) -> bool:
        """Whether the database has this program's shape; it may have been upgraded by a newer one meanwhile."""
        with self._errors(), self._engine.connect() as connection:
            return _version(connection) == SCHEMA

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turn.taken(), self._engine.connect() as connection:
            connection.execution_options(writing=True)
            with connection.begin():
                if not self._sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
                yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            # Not str(error): that would show the statement and the customer's data in it.
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise StorageError(f"{self._shown}: {cause}") from error


def _version(connection: Connection) -> str | None:
    """The schema of a database; None where it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


class _Turn:
    """A lock file beside the database that lets one writer at a time go on, of all threads and processes."""

    def __init__(self, database: str | None) -> None:
        self._path = Path(f"{database}.lock") if database else None
        self._mine = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        if getattr(self._mine, "taken", False):
            raise StorageError("a write transaction was started inside another one")
        if self._path is None or fcntl is None:
            yield
            return
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(f"cannot write beside the database: {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._mine.taken = True
            yield
        finally:
            self._mine.taken = False
            os.close(handle)  # lets go of the lock


def open_store(url: str) -> SqlStore:
    """The store behind a database URL (sqlite:///file or postgresql+driver://…), brought to the newest shape.

    Several processes may do this at once. The directory of a SQLite file must exist.

    Raises:
        StorageError: the URL is wrong, the database cannot be opened, or it is newer than this program.
    """
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise StorageError(f"the database URL cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name != "postgresql":
        raise StorageError(f"{engine.dialect.name} is not supported; use SQLite or PostgreSQL")
    store = SqlStore(engine)
    try:
        store.migrate()
    except BaseException:
        store.close()
        raise
    return store


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # or the driver would start transactions of its own
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
