"""What the use cases ask of a store: records, locations and plan versions of an area, and one unit of work.

`planner.storage` keeps these in a database; tests may keep them in dictionaries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.activities.domain import ActivityCount, ActivityGoals, SummaryReader
from planner.audit import AuditEntry
from planner.coverage.domain import StoredCoverage
from planner.domain import Account, Lead, Location, Opportunity, Record, RecordKind, Rep
from planner.fieldwork.domain import (
    AccountVisits,
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
from planner.scenarios.domain import Scenario
from planner.slots.domain import Booking, ChangedDay
from planner.territories.domain import Territory

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Change(StrEnum):
    """What writing a record did."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version of an area's plan, over `days` calendar days. `document` is plan.json as text; None in listings."""

    version: int
    area: str
    first_day: date
    days: int
    created_at: datetime
    published_at: datetime | None
    visits: int
    unplanned: int
    drive_s: int
    document: str | None = None

    def standing(self, seen: int | None) -> str:
        """What it is, where `seen` is the version that reps see."""
        if self.published_at is None:
            return "draft"
        return "published" if self.version == seen else "was published"


@dataclass(frozen=True, slots=True)
class PlannedHandoff:
    """The visit that came of an opportunity; `rep` is a first name, the times have their zone.

    `rep_id` is for deciding whose it is; pages do not tell it.
    """

    opportunity_id: str
    rep: str
    arrive: datetime
    begin: datetime
    promise: bool
    rep_id: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """An account or opportunity in an area's directory. `lat` and `lon` are those of its present address, if known."""

    kind: RecordKind
    id: str
    name: str
    contact_name: str
    contact_email: str
    lat: float | None
    lon: float | None


class Records(Protocol):
    """The records and locations of one area, each list in the order of ids."""

    def reps(self) -> list[Rep]: ...
    def accounts(self) -> list[Account]: ...
    def opportunities(self) -> list[Opportunity]: ...
    def leads(self) -> list[Lead]:
        """The opportunities, as much of each as figures ask for."""
        ...

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        """The record, if there is one and it is seen."""
        ...

    def location(self, kind: RecordKind, record_id: str) -> Location | None:
        """The location of such a record, as `locations` has it."""
        ...

    def stamp(self) -> int:
        """Goes up whenever something of the area changes that its days are made with: a rep, or a customer, opportunity
        or place that was there before. New customers and opportunities leave it as it is, and so does what only both
        sides and the next plan read of an opportunity: answers, value, notes, and when it was handed off."""
        ...

    def fingerprint(self) -> str:
        """A text that is another one whenever anything has changed of which the area's coverage is made: records,
        places, visits made, the plan that reps see, territories. How often inside sales hands over is left out: it is
        counted anew each morning. It is the same whatever is seen of the area."""
        ...

    def visits(self, account_id: str | None = None, *, after: int = 0) -> list[AccountVisits]:
        """What is known of visits to the accounts that are seen, or to one of them, whoever made those visits; of
        accounts of whom that has changed after a number. In any order, and none where nothing is known."""
        ...

    def appointments(self, first_day: date) -> list[Opportunity]:
        """The opportunities with an appointment agreed for that day or later, by its time and id."""
        ...

    def opportunities_with(self, account_id: str) -> list[Opportunity]:
        """The opportunities that are with an account, by id."""
        ...

    def number_to_visit(self) -> int:
        """How many customers and opportunities there are."""
        ...

    def number_of(self, kind: RecordKind) -> int:
        """How many records of a kind there are, seen or not."""
        ...

    def number_located(self) -> int:
        """How many locations there are."""
        ...

    def directory(self) -> list[Listing]:
        """The accounts and the opportunities in any order, in a tenth of the time that it takes to read them."""
        ...

    def save(self, record: Record) -> Change:
        """Add the record or update the one with its kind and id; a record equal to the stored one is UNCHANGED."""
        ...

    def save_all(self, records: Sequence[Record]) -> list[Change]:
        """As `save` of one after the other, in a fraction of the time, above all of records that `Store.prepared`.

        What imports use, since everybody who writes waits for them. A record that comes twice is kept as it came last.
        """
        ...

    def locations(self) -> list[Location]: ...
    def save_locations(self, locations: Sequence[Location]) -> None:
        """Add or replace by kind and record id."""
        ...


class Plans(Protocol):
    """The plan versions of one area."""

    def add(self, plan: StoredPlan) -> int:
        """Store a new version (the given `version` is ignored) and return its number, 1 and up within the area."""
        ...

    def list(self) -> list[StoredPlan]:
        """Newest first, without documents."""
        ...

    def get(self, version: int) -> StoredPlan:
        """Raises NotFoundError."""
        ...

    def latest(self, *, published: bool = False) -> StoredPlan | None:
        """The newest version, or the one published last; with its document.

        The published one is as it stands now: with what bookings have changed of its days since, and with the days
        beyond it on which something is promised, or that have stayed as they were. `get` gives a version as it was
        made.
        """
        ...

    def published_version(self) -> int | None:
        """The number of the one published last, without reading its document."""
        ...

    def handoffs(self) -> tuple[PlannedHandoff, ...]:
        """The visits to the opportunities that are seen, in the plan that reps see (or else the newest one)."""
        ...

    def publish(self, version: int, at: datetime) -> None:
        """Mark a version as the one that reps see, at a moment that is later than any other's, whatever a clock says.

        Raises NotFoundError.
        """
        ...


class Rows(Protocol[T]):
    """The rows of one kind, known by their key. Whoever may see only one area gets only that area's rows."""

    def get(self, *key: object) -> T | None: ...
    def find(self, **equal: object) -> list[T]:
        """Those with these values in these fields, in the order of their keys; without fields, all. A frozenset of
        values stands for any of them."""
        ...

    def latest(self, field: str, limit: int, *, before: tuple[datetime, str] | None = None, **equal: object) -> list[T]:
        """As `find`, but only so many: those in which this time is latest, the latest first.

        With `before`, those that follow the row with this time and this key, which is one text.
        """
        ...

    def within(self, field: str, first: object, last: object, **equal: object) -> list[T]:
        """As `find`, but only those in which this field is from `first` to `last`, both included."""
        ...

    def columns(
        self, fields: Sequence[str], field: str, first: object, last: object, **equal: object
    ) -> list[tuple[Any, ...]]:
        """Only these fields of what `within` would find, in any order: reading a thousand rows to the end is slow."""
        ...

    def count(self, **equal: object) -> int:
        """How many `find` would find."""
        ...

    def put(self, row: T) -> None:
        """Add the row, or replace the one with its key."""
        ...

    def remove(self, *key: object) -> None:
        """Nothing happens where there is none."""
        ...

    def remove_before(self, field: str, moment: datetime, limit: int | None = None, **equal: object) -> int:
        """Remove the rows with these values, in scope or not, in which this time is before the moment, at most `limit`
        of them: tidying up. Returns how many they were."""
        ...


class AuditLog(Protocol):
    """The audit log; it only grows."""

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[AuditEntry]:
        """Those behind entry number `after`, in order."""
        ...

    def latest(self, limit: int) -> list[AuditEntry]:
        """The newest ones, newest first."""
        ...

    def concerning(
        self, actors: Collection[str], user_id: str, area: str, rep_ids: Collection[str], limit: int
    ) -> list[AuditEntry]:
        """The newest of those that one of the actors did, or whose subject is the person, or in the area one of the
        reps or a day of theirs; newest first."""
        ...

    def of_days(self, action: str, area: str, rep_ids: Collection[str]) -> list[AuditEntry]:
        """All of one action that are about a day of one of the reps; newest first."""
        ...


class UnitOfWork(Protocol):
    """All that one use case reads and writes; committed together when its block ends without an exception."""

    def records(self, area: str) -> Records: ...
    def plans(self, area: str) -> Plans: ...

    @property
    def users(self) -> Rows[User]: ...  # key: id
    @property
    def sessions(self) -> Rows[Session]: ...  # key: id
    @property
    def tokens(self) -> Rows[ApiToken]: ...  # key: id
    @property
    def throttles(self) -> Rows[Throttle]: ...  # key: key
    @property
    def jobs(self) -> Rows[Job]: ...  # key: id
    @property
    def heartbeats(self) -> Rows[Heartbeat]: ...  # key: owner
    @property
    def answers(self) -> Rows[Answer]: ...  # key: actor, key
    @property
    def rep_day_notes(self) -> Rows[RepDayNote]: ...  # key: area, rep_id, day; of the reps in scope
    @property
    def audit_log(self) -> AuditLog: ...

    @property
    def bookings(self) -> Rows[Booking]: ...  # key: area, id; of the reps in scope, or of the inside rep
    @property
    def changed_days(self) -> Rows[ChangedDay]: ...  # key: area, rep_id, day; of the reps in scope
    @property
    def handoffs(self) -> Rows[HandoffRow]: ...  # key: area, opportunity_id; ask only for opportunities that are seen
    @property
    def handoff_events(self) -> Rows[HandoffEvent]: ...  # key: area, opportunity_id, number; as handoffs
    @property
    def team_rules(self) -> Rows[TeamRules]: ...  # key: area

    @property
    def field_events(self) -> Rows[FieldEvent]: ...  # key: area, id; of the reps in scope, never an inside rep's
    @property
    def check_ins(self) -> Rows[CheckIn]: ...  # key: area, id; as field_events
    @property
    def visit_reports(self) -> Rows[VisitReport]: ...  # key: area, id; of the reps in scope, or of the inside rep
    @property
    def field_visits(self) -> Rows[FieldVisit]: ...  # key: area, rep_id, day, visit_id; as visit_reports
    @property
    def day_progress(self) -> Rows[DayProgress]: ...  # key: area, rep_id, day; of the reps in scope
    @property
    def visit_minutes(self) -> Rows[VisitMinutes]: ...  # key: area, account_id; ask only for accounts that are seen
    @property
    def report_templates(self) -> Rows[ReportTemplates]: ...  # key: area
    @property
    def calendar_feeds(self) -> Rows[CalendarFeed]: ...  # key: area, rep_id; as field_events
    @property
    def sent_mails(self) -> Rows[SentMail]: ...  # key: area, rep_id, day; as field_events

    @property
    def territories(self) -> Rows[Territory]: ...  # key: area, id; of the reps in scope
    @property
    def hotels(self) -> Rows[Hotel]: ...  # key: area, id
    @property
    def coverages(
        self,
    ) -> Rows[StoredCoverage]: ...  # key: area; whoever shows it cuts it to a scope
    @property
    def scenarios(self) -> Rows[Scenario]: ...  # key: area, id; only for those who see the whole area
    @property
    def activity_goals(self) -> Rows[ActivityGoals]: ...  # key: area
    @property
    def activity_counts(
        self,
    ) -> Rows[ActivityCount]: ...  # key: area, user_id, day, kind
    @property
    def summary_readers(self) -> Rows[SummaryReader]: ...  # key: area, user_id

    def now(self) -> datetime:
        """The present moment in UTC, by the one clock that all processes share: the database's."""
        ...

    def audit(self, action: str, subject: str = "", /, area: str = "", **details: Any) -> None:
        """Write an entry into the audit log, in the actor's name.

        `action` is a thing and what was done to it, such as "plan.published"; `details` are JSON values.
        """
        ...


Values = Mapping[str, Any]
"""The values of a row as JSON, by column."""


@dataclass(frozen=True, slots=True)
class Dump:
    """All that a store holds and that is worth keeping, as it was at one moment.

    Attributes:
        schema: the shape of the rows.
        tables: the rows of each table, each to be read through once.
        unit: reads the same.
    """

    schema: str
    tables: Mapping[str, Iterable[Values]]
    unit: UnitOfWork


class Store(Protocol):
    """Where units of work come from."""

    def read(self, scope: Scope = EVERYTHING) -> AbstractContextManager[UnitOfWork]:
        """A consistent snapshot of what `scope` may see; writing through it is an error."""
        ...

    def write(self, actor: Actor = SYSTEM, *, audited: bool = True) -> AbstractContextManager[UnitOfWork]:
        """One write transaction at a time, so that what a unit has read stays true until it is committed.

        The unit sees what the actor's scope may see. It is rolled back when the block raises, and it raises
        StorageError where rows were changed and nothing was written to the audit log. `audited=False` is for what no
        auditor asks about: heartbeats, last-seen times, counters.
        """
        ...

    def is_current(self) -> bool:
        """Whether the database has this program's shape; a newer one may have changed it meanwhile."""
        ...

    def prepared(self, records: Sequence[R]) -> Sequence[R]:
        """The same records, for `Records.save_all`: what of writing them needs no transaction has been done.

        Raises:
            StorageError: a record holds what no database keeps.
        """
        ...

    def close(self) -> None:
        """Let go of what the store holds open; it is not used after that."""
        ...


class PortableStore(Store, Protocol):
    """A store whose rows can be taken elsewhere."""

    def dump(self) -> AbstractContextManager[Dump]:
        """A consistent copy of all rows, while others go on writing."""
        ...

    def load(
        self, schema: str, tables: Mapping[str, Iterable[Values]], actor: Actor, *, replace: bool = False
    ) -> AbstractContextManager[UnitOfWork]:
        """One write transaction that begins with the rows of a dump, in place of all that the store holds.

        Raises:
            ConflictError: the store holds something, and that is not to be replaced.
            StorageError: the rows are of a newer schema, or do not fit.
        """
        ...
