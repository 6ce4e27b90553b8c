"""Transactions: writers take turns, readers never wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.activities.domain import ActivityCount, ActivityGoals, SummaryReader
from planner.coverage.domain import StoredCoverage
from planner.domain import Record
from planner.errors import ConflictError, NotFoundError, StorageError
from planner.fieldwork.domain import (
    CalendarFeed,
    CheckIn,
    DayProgress,
    FieldEvent,
    FieldVisit,
    ReportTemplates,
    SentMail,
    VisitMinutes,
    VisitReport,
)
from planner.handoffs.domain import HandoffEvent, HandoffRow, TeamRules
from planner.hotels.domain import Hotel
from planner.idempotency import Answer
from planner.jobs.domain import Heartbeat, Job
from planner.people.domain import ApiToken, Session, Throttle, User
from planner.rep_days import RepDayNote
from planner.repository import Dump, Values
from planner.scenarios.domain import Scenario
from planner.slots.domain import Booking, ChangedDay
from planner.storage.account_visits import CountedRows
from planner.storage.audit_log import SqlAuditLog
from planner.storage.copying import is_empty, rows_in, rows_out
from planner.storage.engine import PATIENCE_S, as_storage_error, create_file, open_engine
from planner.storage.migrating import SCHEMA, migrations, upgrade
from planner.storage.record_rows import Prepared
from planner.storage.repositories import SqlPlans, SqlRecords
from planner.storage.rows import SqlRows
from planner.storage.tables import (
    ACTIVITY_COUNTS,
    ACTIVITY_GOALS,
    ANSWERS,
    BOOKINGS,
    CALENDAR_FEEDS,
    CHANGED_DAYS,
    CHECK_INS,
    COVERAGES,
    DAY_PROGRESS,
    FIELD_EVENTS,
    FIELD_VISITS,
    HANDOFF_EVENTS,
    HANDOFFS,
    HEARTBEATS,
    HOTELS,
    JOBS,
    REP_DAY_NOTES,
    REPORT_TEMPLATES,
    SCENARIOS,
    SENT_MAILS,
    SESSIONS,
    SUMMARY_READERS,
    TEAM_RULES,
    TERRITORIES,
    THROTTLES,
    TOKENS,
    USERS,
    VISIT_MINUTES,
    VISIT_REPORTS,
)
from planner.storage.transaction import Transaction
from planner.storage.turns import FileTurn, take_turn
from planner.storage.values import is_text
from planner.territories.domain import Territory

R = TypeVar("R", bound=Record)


class SqlUnitOfWork:
    """What one transaction reads and writes; satisfies `repository.UnitOfWork`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.audit_log = SqlAuditLog(transaction)

    def records(self, area: str) -> SqlRecords:
        return SqlRecords(self._transaction, _named(area))

    def plans(self, area: str) -> SqlPlans:
        return SqlPlans(self._transaction, _named(area))

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

    @property
    def bookings(self) -> SqlRows[Booking]:
        return SqlRows(self._transaction, BOOKINGS, Booking)

    @property
    def changed_days(self) -> SqlRows[ChangedDay]:
        return SqlRows(self._transaction, CHANGED_DAYS, ChangedDay)

    @property
    def handoffs(self) -> SqlRows[HandoffRow]:
        return SqlRows(self._transaction, HANDOFFS, HandoffRow)

    @property
    def handoff_events(self) -> SqlRows[HandoffEvent]:
        return SqlRows(self._transaction, HANDOFF_EVENTS, HandoffEvent)

    @property
    def team_rules(self) -> SqlRows[TeamRules]:
        return SqlRows(self._transaction, TEAM_RULES, TeamRules)

    @property
    def field_events(self) -> SqlRows[FieldEvent]:
        return SqlRows(self._transaction, FIELD_EVENTS, FieldEvent)

    @property
    def check_ins(self) -> SqlRows[CheckIn]:
        return SqlRows(self._transaction, CHECK_INS, CheckIn)

    @property
    def visit_reports(self) -> SqlRows[VisitReport]:
        return SqlRows(self._transaction, VISIT_REPORTS, VisitReport)

    @property
    def field_visits(self) -> SqlRows[FieldVisit]:
        return CountedRows(self._transaction, FIELD_VISITS, FieldVisit)

    @property
    def day_progress(self) -> SqlRows[DayProgress]:
        return SqlRows(self._transaction, DAY_PROGRESS, DayProgress)

    @property
    def visit_minutes(self) -> SqlRows[VisitMinutes]:
        return CountedRows(self._transaction, VISIT_MINUTES, VisitMinutes)

    @property
    def report_templates(self) -> SqlRows[ReportTemplates]:
        return SqlRows(self._transaction, REPORT_TEMPLATES, ReportTemplates)

    @property
    def calendar_feeds(self) -> SqlRows[CalendarFeed]:
        return SqlRows(self._transaction, CALENDAR_FEEDS, CalendarFeed)

    @property
    def sent_mails(self) -> SqlRows[SentMail]:
        return SqlRows(self._transaction, SENT_MAILS, SentMail)

    @property
    def territories(self) -> SqlRows[Territory]:
        return SqlRows(self._transaction, TERRITORIES, Territory)

    @property
    def hotels(self) -> SqlRows[Hotel]:
        return SqlRows(self._transaction, HOTELS, Hotel)

    @property
    def coverages(self) -> SqlRows[StoredCoverage]:
        return SqlRows(self._transaction, COVERAGES, StoredCoverage)

    @property
    def scenarios(self) -> SqlRows[Scenario]:
        return SqlRows(self._transaction, SCENARIOS, Scenario)

    @property
    def activity_goals(self) -> SqlRows[ActivityGoals]:
        return SqlRows(self._transaction, ACTIVITY_GOALS, ActivityGoals)

    @property
    def activity_counts(self) -> SqlRows[ActivityCount]:
        return SqlRows(self._transaction, ACTIVITY_COUNTS, ActivityCount)

    @property
    def summary_readers(self) -> SqlRows[SummaryReader]:
        return SqlRows(self._transaction, SUMMARY_READERS, SummaryReader)

    def now(self) -> datetime:
        """The present moment by the clock that everybody shares."""
        return self._transaction.now()

    def audit(self, action: str, subject: str = "", /, area: str = "", **details: Any) -> None:
        """Write an entry into the audit log, in the actor's name."""
        self.audit_log.add(area, action, subject, details)


class SqlStore:
    """Units of work on one database, for any number of threads; satisfies `repository.Store`. Not to be forked."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] | None, patience_s: float) -> None:
        self._engine = engine
        self._clock = clock
        self._patience_s = patience_s
        self._shown = engine.url.render_as_string(hide_password=True)
        self._sqlite = engine.dialect.name == "sqlite"
        self._turn = FileTurn(engine.url.database if self._sqlite else None, patience_s)

    @contextmanager
    def read(self, scope: Scope = EVERYTHING) -> Iterator[SqlUnitOfWork]:
        """A consistent snapshot. Raises StorageError, also on an attempt to write through it."""
        with self._reading() as connection:
            yield SqlUnitOfWork(Transaction(connection, Actor("reader", scope), self._clock, writable=False))

    @contextmanager
    def write(self, actor: Actor = SYSTEM, *, audited: bool = True) -> Iterator[SqlUnitOfWork]:
        """One write transaction at a time; rolled back when the block raises.

        Raises:
            StorageUnavailableError: the database cannot be written just now, or others did not let go of it.
            StorageError: the database refused, or rows were changed and nothing was written to the audit log.
        """
        with self._writing() as connection:
            transaction = Transaction(connection, actor, self._clock, writable=True)
            yield SqlUnitOfWork(transaction)
            if audited and transaction.changed and not transaction.audited:
                raise StorageError("rows were changed and nothing was written to the audit log")

    def prepared(self, records: Sequence[R]) -> Sequence[R]:
        """The same records, for `SqlRecords.save_all`, ready to be written."""
        return Prepared(records, self._engine.dialect)

    @contextmanager
    def dump(self) -> Iterator[Dump]:
        """A consistent copy of all rows."""
        with self._reading() as connection:
            unit = SqlUnitOfWork(Transaction(connection, SYSTEM, self._clock, writable=False))
            yield Dump(SCHEMA, rows_out(connection), unit)

    @contextmanager
    def load(
        self, schema: str, tables: Mapping[str, Iterable[Values]], actor: Actor, *, replace: bool = False
    ) -> Iterator[SqlUnitOfWork]:
        """The rows of a dump in place of all that there is, in one transaction. Raises ConflictError, StorageError."""
        with self._writing() as connection:
            if not replace and not is_empty(connection):
                raise ConflictError(f"{self._shown} holds something already; nothing was changed")
            rows_in(connection, schema, tables)
            yield SqlUnitOfWork(Transaction(connection, actor, self._clock, writable=True))

    def migrate(self) -> None:
        """Bring the database to this program's shape. Raises StorageError, also when it is already beyond that."""
        # Asked without a turn first, so that commands which only read start while somebody writes or the disk is full.
        if self.is_current():
            return
        with self._writing() as connection:
            version = _version(connection)
            if version not in (None, *migrations()):
                raise StorageError(
                    f"{self._shown} was written by a newer fieldvisit (schema {version}); update this one"
                )
            if version != SCHEMA:
                upgrade(connection, SCHEMA)

    def is_current(self) -> bool:
        """Whether the database has this program's shape; it may have been upgraded by a newer one meanwhile."""
        with self._reading() as connection:
            return _version(connection) == SCHEMA

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._errors(), self._engine.connect() as connection:
            if not self._sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._errors(), self._turn.taken(), self._engine.connect() as connection:
            connection.execution_options(writing=True)
            with connection.begin():
                if not self._sqlite:
                    take_turn(connection, self._patience_s)
                yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise as_storage_error(error, self._shown) from error


def _named(area: str) -> str:
    if not is_text(area):
        raise NotFoundError(f"there is no area {area!r}")
    return area


def _version(connection: Connection) -> str | None:
    """The schema of a database; None where it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def open_store(url: str, clock: Callable[[], datetime] | None = None, patience_s: float = PATIENCE_S) -> SqlStore:
    """The store behind a database URL (sqlite:///file or postgresql://…), brought to the newest shape.

    Several processes may do this at once. The directory of a SQLite file must exist.

    Args:
        url: of the database.
        clock: tells the time instead of the database's own clock.
        patience_s: how long a writer waits for its turn before it gives up.

    Raises:
        StorageError: the URL is wrong, the database cannot be opened, or it is newer than this program.
    """
    engine = open_engine(url)
    create_file(engine)
    store = SqlStore(engine, clock, patience_s)
    try:
        store.migrate()
    except BaseException:
        store.close()
        raise
    return store
