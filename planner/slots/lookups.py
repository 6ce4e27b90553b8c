"""Where the records behind the visits of days are read from."""

from __future__ import annotations

from collections.abc import Iterable

from planner.domain import Record, RecordKind
from planner.fieldwork.minutes import account_as_visited
from planner.repository import Records, UnitOfWork
from planner.settings import Settings
from planner.slots.facts import Visited
from planner.snapshot import Snapshot
from routing.geo import LatLon


def place_of(records: Records, record: Visited) -> LatLon | None:
    """Where a record's present address is."""
    location = records.location(record.kind, record.id)
    return location.place if location and location.address == record.address else None


class Asked:
    """Records read one by one, each once."""

    def __init__(self, unit: UnitOfWork, area: str, settings: Settings) -> None:
        self._unit, self._area, self._settings = unit, area, settings
        self._records = unit.records(area)
        self._known: dict[tuple[RecordKind, str], Record | None] = {}

    def record(self, kind: RecordKind, record_id: str) -> Record | None:
        key = kind, record_id
        if key not in self._known:
            account = kind is RecordKind.ACCOUNT
            self._known[key] = (
                account_as_visited(self._unit, self._area, record_id, self._settings)
                if account
                else self._records.get(kind, record_id)
            )
        return self._known[key]

    def place(self, record: Visited) -> LatLon | None:
        return place_of(self._records, record)


class Kept:
    """Records of a snapshot, by kind and id."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        everybody: Iterable[Record] = (*snapshot.reps, *snapshot.accounts, *snapshot.opportunities)
        self._records = {(record.kind, record.id): record for record in everybody}

    def record(self, kind: RecordKind, record_id: str) -> Record | None:
        return self._records.get((kind, record_id))

    def place(self, record: Visited) -> LatLon | None:
        location = self._snapshot.location_of(record.kind, record.id, record.address)
        return location.place if location else None
