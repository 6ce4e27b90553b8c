"""Records, locations and plans of one area within a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from planner.domain import Account, Location, Opportunity, Record, RecordKind, Rep
from planner.errors import NotFoundError, StorageError
from planner.repository import Change, StoredPlan
from planner.storage.record_rows import Prepared, save_all
from planner.storage.tables import ACCOUNTS, LOCATIONS, OPPORTUNITIES, PLANS, RECORD_TABLES
from planner.storage.transaction import Transaction
from planner.storage.values import checked
from routing.gazetteer import Verdict
from routing.geo import LatLon

R = TypeVar("R", bound=Record)


class SqlRecords:
    """The records and locations of one area; satisfies `repository.Records`."""

    def __init__(self, transaction: Transaction, area: str) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._area = area

    def reps(self) -> list[Rep]:
        return self._load(RecordKind.REP, Rep)

    def accounts(self) -> list[Account]:
        return self._load(RecordKind.ACCOUNT, Account)

    def opportunities(self) -> list[Opportunity]:
        return self._load(RecordKind.OPPORTUNITY, Opportunity)

    def number_to_visit(self) -> int:
        numbers = (
            self._connection.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.area == self._area))
            for table in (ACCOUNTS, OPPORTUNITIES)
        )
        return sum(number or 0 for number in numbers)

    def save(self, record: Record) -> Change:
        return self.save_all([record])[0]

    def save_all(self, records: Sequence[Record]) -> list[Change]:
        self._transaction.about_to_write()
        dialect = self._connection.dialect
        prepared = records if isinstance(records, Prepared) else Prepared(records, dialect)
        return save_all(self._connection, self._area, prepared)

    def locations(self) -> list[Location]:
        query = sa.select(LOCATIONS).where(LOCATIONS.c.area == self._area)
        found = [_location(row) for row in self._connection.execute(query).mappings()]
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
        same = (
            (LOCATIONS.c.area == self._area)
            & (LOCATIONS.c.kind == sa.bindparam("of_kind"))
            & (LOCATIONS.c.record_id == sa.bindparam("of_id"))
        )
        keys = [{"of_kind": kind.value, "of_id": record_id} for kind, record_id in rows]
        self._connection.execute(LOCATIONS.delete().where(same), keys)
        self._connection.execute(LOCATIONS.insert(), list(rows.values()))

    def _load(self, kind: RecordKind, class_: type[R]) -> list[R]:
        table = RECORD_TABLES[kind]
        columns = [column for column in table.c if column.name != "area"]
        rows = self._connection.execute(sa.select(*columns).where(table.c.area == self._area)).mappings()
        # Sorted here because databases disagree about the order of texts.
        return sorted((class_(**row) for row in rows), key=lambda record: record.id)


class SqlPlans:
    """The plan versions of one area; satisfies `repository.Plans`."""

    def __init__(self, transaction: Transaction, area: str) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._area = area

    def add(self, plan: StoredPlan) -> int:
        self._transaction.about_to_write()
        if plan.document is None:
            raise StorageError("a plan without its document cannot be stored")
        newest = sa.select(sa.func.max(PLANS.c.version)).where(PLANS.c.area == self._area)
        version: int = (self._connection.execute(newest).scalar() or 0) + 1
        values = checked(PLANS, asdict(replace(plan, area=self._area, version=version)))
        self._connection.execute(PLANS.insert().values(values))
        return version

    def list(self) -> list[StoredPlan]:
        columns = [column for column in PLANS.c if column.name != "document"]
        query = sa.select(*columns).where(PLANS.c.area == self._area).order_by(PLANS.c.version.desc())
        return [StoredPlan(**row) for row in self._connection.execute(query).mappings()]

    def get(self, version: int) -> StoredPlan:
        row = self._connection.execute(sa.select(PLANS).where(self._is(version))).mappings().first()
        if row is None:
            raise NotFoundError(f"area {self._area} has no plan version {version}")
        return StoredPlan(**row)

    def latest(self, *, published: bool = False) -> StoredPlan | None:
        query = sa.select(PLANS).where(PLANS.c.area == self._area)
        if published:
            query = query.where(PLANS.c.published_at.is_not(None)).order_by(PLANS.c.published_at.desc())
        row = self._connection.execute(query.order_by(PLANS.c.version.desc()).limit(1)).mappings().first()
        return None if row is None else StoredPlan(**row)

    def publish(self, version: int, at: datetime) -> None:
        self._transaction.about_to_write()
        done = self._connection.execute(PLANS.update().where(self._is(version)).values(published_at=at))
        if done.rowcount == 0:
            raise NotFoundError(f"area {self._area} has no plan version {version}")

    def _is(self, version: int) -> sa.ColumnElement[bool]:
        return (PLANS.c.area == self._area) & (PLANS.c.version == version)


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
