"""All that one rep's day follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol, cast

from planner.domain import Account, Opportunity, Record, RecordKind
from planner.plan_document import RepDay, Stop, night_at
from planner.slots.begun import NOTHING_SAID, Said
from planner.slots.domain import Booking, ChangedDay
from planner.translation import WorkingDay
from planner.visit_ids import record_behind
from routing.geo import LatLon

Visited = Account | Opportunity


class Lookup(Protocol):
    """Where the records behind visits are read from."""

    def record(self, kind: RecordKind, record_id: str) -> Record | None: ...

    def place(self, record: Visited) -> LatLon | None:
        """Where a record's present address is; None where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind a visit: the records that it is for and, of one that is no stop yet, their place."""

    records: tuple[Visited, ...]
    place: LatLon | None = None


@dataclass(frozen=True)
class DayFacts:
    """All that one rep's day follows from; equal facts make equal days.

    Attributes:
        planned: the day in the published plan; None where it has none.
        changed: what bookings made of it since; None where that is of another plan.
        bookings: the live ones of the rep on this day.
        behind: the records behind its visits, by visit id, as far as they are still there.
        said: what phones have said of it.
    """

    working_day: WorkingDay
    works: bool
    revision: int
    plan_version: int
    planned: RepDay | None
    changed: ChangedDay | None
    bookings: tuple[Booking, ...]
    behind: Mapping[str, Behind]
    said: Said = NOTHING_SAID

    @property
    def shown(self) -> RepDay | None:
        if self.changed is not None and self.changed.route is not None:
            return cast(RepDay, self.changed.route)
        return self.planned

    @property
    def stops(self) -> Mapping[str, Stop]:
        """By visit id: as everybody sees them, and those that are only in the plan."""
        days = [day for day in (self.planned, self.shown) if day is not None]
        return {stop["visit_id"]: stop for day in days for stop in day["stops"]}

    @property
    def order(self) -> tuple[str, ...]:
        if self.changed is not None:
            return self.changed.order
        return tuple(stop["visit_id"] for stop in self.planned["stops"]) if self.planned else ()

    @property
    def named(self) -> tuple[str, ...]:
        """The order, and what was added to it or visited without being in it."""
        if not self.said.anything:
            return self.order
        added = self.said.progress.added if self.said.progress is not None else ()
        return tuple(dict.fromkeys((*self.order, *added, *sorted(self.said.seen))))

    @property
    def as_planned(self) -> Mapping[str, Stop]:
        """The stops of the plan, by visit id."""
        return {stop["visit_id"]: stop for stop in self.planned["stops"]} if self.planned else {}


def records_behind(stops: Mapping[str, Stop], order: Sequence[str], lookup: Lookup) -> dict[str, Behind]:
    """What is behind the visits of a day, as `DayFacts.behind`."""
    found: dict[str, Behind] = {}
    for id_ in order:
        kind, record_id = record_behind(id_)
        if kind not in (RecordKind.OPPORTUNITY, RecordKind.ACCOUNT):
            continue
        keys = [(RecordKind(kind), record_id)]
        if kind == RecordKind.OPPORTUNITY and id_ in stops:
            keys += [(RecordKind.ACCOUNT, account) for account in stops[id_]["record_ids"][1:]]
        records = tuple(record for key in keys if isinstance(record := lookup.record(*key), Visited))
        if records:
            found[id_] = Behind(records, None if id_ in stops else lookup.place(records[0]))
    return found


def with_nights(working_day: WorkingDay, shown: RepDay | None, days: Mapping[tuple[str, date], RepDay]) -> WorkingDay:
    """The day from and to the hotels at which it is shown to have its nights; `days` are all of the published plan,
    since the last of them may end at one."""
    if shown is not None:
        return working_day.with_nights(night_at(shown["start"]), night_at(shown["end"]))
    before = days.get((working_day.rep.id, working_day.day - timedelta(days=1)))
    return working_day.with_nights(night_at(before["end"]), None) if before is not None else working_day


def legs_told(facts: DayFacts) -> dict[tuple[LatLon, LatLon], tuple[int, int]]:
    """The legs that the day was planned with, and those of the day as it is shown; of one that has begun, what is shown
    follows from the others."""
    days = (facts.planned,) if facts.said.anything else (facts.planned, facts.shown)
    return {pair: leg for day in days if day is not None for pair, leg in _legs_of(day)}


def _legs_of(day: RepDay) -> Iterator[tuple[tuple[LatLon, LatLon], tuple[int, int]]]:
    """The legs that a day is planned with."""
    before = LatLon(day["start"]["lat"], day["start"]["lon"])
    for stop in day["stops"]:
        place = LatLon(stop["lat"], stop["lon"])
        yield (before, place), (stop["drive_seconds"], stop["drive_metres"])
        before = place
    if day["stops"]:
        end = LatLon(day["end"]["lat"], day["end"]["lon"])
        yield (before, end), (day["return_drive_seconds"], day["return_drive_metres"])
