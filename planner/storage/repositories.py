"""Records, locations and plans of one area within a transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from planner.access import Scope
from planner.amending import Standing
from planner.domain import Account, Lead, Location, Opportunity, Record, RecordKind, Rep, addresses_of
from planner.errors import NotFoundError, StorageError
from planner.fieldwork.domain import AccountVisits
from planner.hours import midnight
from planner.repository import Change, Listing, PlannedHandoff, StoredPlan
from planner.storage.record_rows import Prepared, save_all
from planner.storage.tables import (
    ACCOUNT_VISITS,
    ACCOUNTS,
    AREA_STAMPS,
    CHANGED_DAYS,
    LOCATIONS,
    OPPORTUNITIES,
    PLANS,
    RECORD_TABLES,
    TERRITORIES,
)
from planner.storage.transaction import Transaction
from planner.storage.values import checked, is_text
from planner.storage.visible import Visible
from routing.gazetteer import Verdict
from routing.geo import LatLon

R = TypeVar("R", bound=Record)

_NUMBERS: WeakKeyDictionary[Engine, dict[tuple[str, int, datetime, Scope], tuple[int, int, int]]] = WeakKeyDictionary()
"""Visits, unplanned and seconds of driving of plan versions, as different scopes see them."""
_MOST_NUMBERS = 50_000

CLASSES: dict[RecordKind, type[Record]] = {
    RecordKind.REP: Rep,
    RecordKind.ACCOUNT: Account,
    RecordKind.OPPORTUNITY: Opportunity,
}


class SqlRecords:
    """The records and locations of one area; satisfies `repository.Records`."""

    def __init__(self, transaction: Transaction, area: str) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._area = area
        self._visible = Visible(transaction, area)

    def reps(self) -> list[Rep]:
        return self._load(RecordKind.REP, Rep)

    def accounts(self) -> list[Account]:
        return self._load(RecordKind.ACCOUNT, Account)

    def opportunities(self) -> list[Opportunity]:
        return self._load(RecordKind.OPPORTUNITY, Opportunity)

    def leads(self) -> list[Lead]:
        columns = [OPPORTUNITIES.c[field.name] for field in fields(Lead)]
        seen = self._visible.where(RecordKind.OPPORTUNITY)
        rows = self._connection.execute(sa.select(*columns).where(OPPORTUNITIES.c.area == self._area, *seen))
        return sorted((Lead(*row) for row in rows), key=lambda lead: lead.id)

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        table = RECORD_TABLES[kind]
        found = self._load(kind, CLASSES[kind], table.c.id == record_id if is_text(record_id) else sa.false())
        return found[0] if found else None

    def location(self, kind: RecordKind, record_id: str) -> Location | None:
        if self.get(kind, record_id.removesuffix("/end") if kind is RecordKind.REP else record_id) is None:
            return None
        is_it = (LOCATIONS.c.kind == kind.value) & (LOCATIONS.c.record_id == record_id)
        row = self._connection.execute(sa.select(LOCATIONS).where(LOCATIONS.c.area == self._area, is_it)).mappings()
        return next((_location(found) for found in row), None)

    def stamp(self) -> int:
        asked = sa.select(AREA_STAMPS.c.stamp).where(AREA_STAMPS.c.area == self._area)
        return self._connection.scalar(asked) or 0

    def fingerprint(self) -> str:
        def here(table: sa.Table, *told: sa.ColumnElement[Any]) -> list[Any]:
            asked = sa.select(*told).where(table.c.area == self._area)
            return [tuple(row) for row in self._connection.execute(asked)]

        published = sa.func.count(PLANS.c.published_at), sa.func.max(PLANS.c.published_at)
        changed = sa.func.count(), sa.func.sum(CHANGED_DAYS.c.revision)
        return repr(
            [
                self.stamp(),
                self.number_to_visit(),
                self.number_located(),
                here(ACCOUNT_VISITS, sa.func.max(ACCOUNT_VISITS.c.number)),
                here(PLANS, *published),
                here(CHANGED_DAYS, *changed),
                sorted(here(TERRITORIES, TERRITORIES.c.id, TERRITORIES.c.revision)),
            ]
        )

    def visits(self, account_id: str | None = None, *, after: int = 0) -> list[AccountVisits]:
        counted = ACCOUNT_VISITS.c
        asked = sa.select(ACCOUNT_VISITS).where(counted.area == self._area, counted.number > after)
        if account_id is not None:
            asked = asked.where(counted.account_id == account_id if is_text(account_id) else sa.false())
        if not self._visible.everything:
            here = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.area == self._area)
            asked = asked.where(counted.account_id.in_(here.where(*self._visible.where(RecordKind.ACCOUNT))))
        return [AccountVisits(**row) for row in self._connection.execute(asked).mappings()]

    def appointments(self, first_day: date) -> list[Opportunity]:
        agreed = OPPORTUNITIES.c.appointment >= midnight(first_day)
        found = self._load(RecordKind.OPPORTUNITY, Opportunity, agreed)
        return sorted(found, key=lambda opportunity: (str(opportunity.appointment), opportunity.id))

    def opportunities_with(self, account_id: str) -> list[Opportunity]:
        its = OPPORTUNITIES.c.account_id == account_id if is_text(account_id) else sa.false()
        return self._load(RecordKind.OPPORTUNITY, Opportunity, its)

    def number_to_visit(self) -> int:
        return self.number_of(RecordKind.ACCOUNT) + self.number_of(RecordKind.OPPORTUNITY)

    def number_of(self, kind: RecordKind) -> int:
        table = RECORD_TABLES[kind]
        asked = sa.select(sa.func.count()).select_from(table).where(table.c.area == self._area)
        return self._connection.scalar(asked) or 0

    def number_located(self) -> int:
        asked = sa.select(sa.func.count()).select_from(LOCATIONS).where(LOCATIONS.c.area == self._area)
        return self._connection.scalar(asked) or 0

    def directory(self) -> list[Listing]:
        return [
            Listing(kind, *row)
            for kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY)
            for row in self._connection.execute(self._listings(kind))
        ]

    def _listings(self, kind: RecordKind) -> sa.Select[Any]:
        table = RECORD_TABLES[kind]
        its = (LOCATIONS.c.area == table.c.area) & (LOCATIONS.c.record_id == table.c.id)
        same_address = sa.cast(LOCATIONS.c.address, sa.Text) == sa.cast(table.c.address, sa.Text)
        joined = table.outerjoin(LOCATIONS, its & (LOCATIONS.c.kind == kind.value) & same_address)
        own = (table.c[name] for name in ("id", "name", "contact_name", "contact_email"))
        here = sa.select(*own, LOCATIONS.c.lat, LOCATIONS.c.lon).select_from(joined).where(table.c.area == self._area)
        return here.where(*self._visible.where(kind))

    def save(self, record: Record) -> Change:
        return self.save_all([record])[0]

    def save_all(self, records: Sequence[Record]) -> list[Change]:
        changes, for_days = self._save_all(records)
        if for_days:
            self._stamp()
        return changes

    def _save_all(self, records: Sequence[Record]) -> tuple[list[Change], bool]:
        self._transaction.about_to_write()
        dialect = self._connection.dialect
        prepared = records if isinstance(records, Prepared) else Prepared(records, dialect)
        if self._visible.everything:
            return save_all(self._connection, self._area, prepared)
        touched = {(record.kind, record.id) for record in records}
        self._refuse(touched & self._visible.hidden({kind for kind, _ in touched}))
        # Within a savepoint: whoever goes on after the refusal has not written either.
        with self._connection.begin_nested():
            saved = save_all(self._connection, self._area, prepared)
            self._refuse(touched & self._visible.hidden({kind for kind, _ in touched}))
        return saved

    def locations(self) -> list[Location]:
        query = sa.select(LOCATIONS).where(LOCATIONS.c.area == self._area)
        found = [_location(row) for row in self._connection.execute(query).mappings()]
        if not self._visible.everything:
            keys = self._keys()
            found = [location for location in found if (location.kind, location.record_id) in keys]
        order = list(RecordKind)
        return sorted(found, key=lambda location: (order.index(location.kind), location.record_id))

    def save_locations(self, locations: Sequence[Location]) -> None:
        self._transaction.about_to_write()
        rows = {
            (location.kind, location.record_id): checked(LOCATIONS, _location_row(self._area, location))
            for location in locations
        }
        if not rows:
            return
        if not self._visible.everything:
            self._refuse(rows.keys() - self._keys())
        same = (
            (LOCATIONS.c.area == self._area)
            & (LOCATIONS.c.kind == sa.bindparam("of_kind"))
            & (LOCATIONS.c.record_id == sa.bindparam("of_id"))
        )
        keys = [{"of_kind": kind.value, "of_id": record_id} for kind, record_id in rows]
        replaced = self._connection.execute(LOCATIONS.delete().where(same), keys).rowcount
        if replaced or any(kind is RecordKind.REP for kind, _ in rows):
            self._stamp()
        self._connection.execute(LOCATIONS.insert(), list(rows.values()))

    def _load(self, kind: RecordKind, class_: type[R], *more: sa.ColumnElement[bool]) -> list[R]:
        table = RECORD_TABLES[kind]
        columns = [column for column in table.c if column.name != "area"]
        here = sa.select(*columns).where(table.c.area == self._area, *self._visible.where(kind), *more)
        rows = self._connection.execute(here).mappings()
        # Sorted here because databases disagree about the order of texts.
        return sorted((class_(**row) for row in rows), key=lambda record: record.id)

    def _stamp(self) -> None:
        here = AREA_STAMPS.c.area == self._area
        up = AREA_STAMPS.update().where(here).values(stamp=AREA_STAMPS.c.stamp + 1)
        if self._connection.execute(up).rowcount == 0:
            self._connection.execute(AREA_STAMPS.insert().values(area=self._area, stamp=1))

    def _keys(self) -> set[tuple[RecordKind, str]]:
        """Kind and id of every location of the records that are seen."""
        seen: list[Record] = [*self.reps(), *self.accounts(), *self.opportunities()]
        return {(kind, record_id) for record in seen for kind, record_id, _ in addresses_of(record)}

    def _refuse(self, hidden: Collection[tuple[RecordKind, str]]) -> None:
        """Raises NotFoundError where anything is hidden from whoever writes, in the words for what does not exist."""
        for kind, record_id in sorted(hidden):
            raise NotFoundError(f"area {self._area} has no {kind} {record_id}")


class SqlPlans:
    """The plan versions of one area, each cut to what is seen; satisfies `repository.Plans`."""

    def __init__(self, transaction: Transaction, area: str) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._area = area
        self._visible = Visible(transaction, area)

    def add(self, plan: StoredPlan) -> int:
        self._transaction.about_to_write()
        self._refuse_elsewhere()
        if plan.document is None:
            raise StorageError("a plan without its document cannot be stored")
        newest = sa.select(sa.func.max(PLANS.c.version)).where(PLANS.c.area == self._area)
        version: int = (self._connection.execute(newest).scalar() or 0) + 1
        values = checked(PLANS, asdict(replace(plan, area=self._area, version=version)))
        self._connection.execute(PLANS.insert().values(values))
        return version

    def list(self) -> list[StoredPlan]:
        columns = [column for column in PLANS.c if column.name != "document"]
        query = sa.select(*columns).where(self._seen()).order_by(PLANS.c.version.desc())
        plans = [StoredPlan(**row) for row in self._connection.execute(query).mappings()]
        return plans if self._visible.everything else [self._counted(plan) for plan in plans]

    def get(self, version: int) -> StoredPlan:
        row = self._connection.execute(sa.select(PLANS).where(self._is(version))).mappings().first()
        if row is None:
            raise self._no_version(version)
        return self._cut(Standing(StoredPlan(**row)))

    def latest(self, *, published: bool = False) -> StoredPlan | None:
        if published:
            plan = self._visible.published()
            return None if plan is None else self._cut(plan)
        version = self._visible.latest_version(published=False)
        return None if version is None else self.get(version)

    def published_version(self) -> int | None:
        return self._visible.latest_version(published=True)

    def handoffs(self) -> tuple[PlannedHandoff, ...]:
        plan = self._visible.plan
        if plan is None:
            return ()
        seen = self._visible.seen().opportunities
        return tuple(handoff for handoff in plan.handoffs if handoff.opportunity_id in seen)

    def publish(self, version: int, at: datetime) -> None:
        self._transaction.about_to_write()
        last = self._connection.scalar(sa.select(sa.func.max(PLANS.c.published_at)).where(self._seen()))
        if last is not None:
            at = max(at, last + timedelta(microseconds=1))
        done = self._connection.execute(PLANS.update().where(self._is(version)).values(published_at=at))
        if done.rowcount == 0:
            raise self._no_version(version)

    def _is(self, version: int) -> sa.ColumnElement[bool]:
        # No column holds a number beyond these, and drivers fail on it.
        return self._seen() & (PLANS.c.version == version if 0 < version < 2**31 else sa.false())

    def _seen(self) -> sa.ColumnElement[bool]:
        return sa.and_(PLANS.c.area == self._area, *self._visible.where_plans())

    def _no_version(self, version: int) -> NotFoundError:
        return NotFoundError(f"area {self._area} has no plan version {version}")

    def _refuse_elsewhere(self) -> None:
        if not self._transaction.actor.scope.sees(self._area):
            raise NotFoundError(f"there is no area {self._area}")

    def _cut(self, plan: Standing) -> StoredPlan:
        return plan.plan if self._visible.everything else plan.part(self._visible.seen())

    def _counted(self, plan: StoredPlan) -> StoredPlan:
        """A plan of a listing with the numbers of what is seen, which are remembered: documents are large."""
        known = _NUMBERS.setdefault(self._connection.engine, {})
        key = (plan.area, plan.version, plan.created_at, self._transaction.actor.scope)
        if key not in known:
            if len(known) >= _MOST_NUMBERS:
                known.clear()
            cut = self.get(plan.version)
            known[key] = cut.visits, cut.unplanned, cut.drive_s
        visits, unplanned, drive_s = known[key]
        return replace(plan, visits=visits, unplanned=unplanned, drive_s=drive_s)


def _location_row(area: str, location: Location) -> dict[str, Any]:
    values = {field.name: getattr(location, field.name) for field in fields(location)}
    place = values.pop("place")
    values |= {"area": area, "kind": location.kind.value, "verdict": location.verdict.value}
    return values | {"lat": place and place.lat, "lon": place and place.lon}


def _location(row: sa.RowMapping) -> Location:
    values = {name: value for name, value in row.items() if name not in ("area", "lat", "lon")}
    place = None if row["lat"] is None else LatLon(row["lat"], row["lon"])
    values |= {"kind": RecordKind(row["kind"]), "verdict": Verdict(row["verdict"])}
    return Location(place=place, **values)
