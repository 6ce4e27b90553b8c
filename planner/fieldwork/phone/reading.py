"""What a phone document is made from: each kind of row is read once, and only if it is asked for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from planner.domain import Account, Opportunity, RecordKind, Rep, addresses_of
from planner.fieldwork.domain import AccountVisits, CheckIn, DayProgress, FieldVisit, VisitReport
from planner.fieldwork.phone.document import PhoneHome, PhoneUser
from planner.handoffs.domain import HandoffRow
from planner.hours import instant
from planner.plan_document import RepDay, Stop
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState
from planner.visit_ids import record_behind

Visited = Account | Opportunity

REMEMBERED = timedelta(days=731)
"""Reports that are older are looked up at a desk."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose phone asks, and what everybody of an area may know of its team.

    Attributes:
        user: of the phone.
        is_rep: whether that is the rep; nobody else is told what came of check-ins, since looking at those is audited.
        names: what is told of each rep, by id (`planner.rep_names`).
        work_days: weekdays on which somebody of the team works; zone: of the area's customers.
    """

    user: PhoneUser
    is_rep: bool
    names: Mapping[str, str]
    work_days: Collection[int]
    zone: ZoneInfo


@dataclass(frozen=True)
class Facts:
    """What is known of a rep's days from one to another, as a unit of work sees it."""

    unit: UnitOfWork
    area: str
    rep: Rep
    first_day: date
    last_day: date
    asking: Asking
    settings: Settings

    @cached_property
    def records(self) -> Mapping[tuple[RecordKind, str], Visited]:
        """The customers and opportunities that the rep sees."""
        records = self.unit.records(self.area)
        seen: list[Visited] = [*records.accounts(), *records.opportunities()]
        return {(record.kind, record.id): record for record in seen}

    @cached_property
    def places(self) -> Mapping[tuple[RecordKind, str], tuple[float, float]]:
        """Where they are, as far as that is known."""
        listed = self.unit.records(self.area).directory()
        return {
            (entry.kind, entry.id): (entry.lat, entry.lon)
            for entry in listed
            if entry.lat is not None and entry.lon is not None
        }

    @cached_property
    def made_visits(self) -> Mapping[str, AccountVisits]:
        """What is known of visits to the customers, by id."""
        return {row.account_id: row for row in self.unit.records(self.area).visits()}

    @cached_property
    def version(self) -> int:
        return self.unit.plans(self.area).published_version() or 0

    @cached_property
    def planned(self) -> Mapping[date, RepDay]:
        """The rep's days as they stand now."""
        plan = self.unit.plans(self.area).latest(published=True)
        return self._days_of(plan.document if plan else None)

    @cached_property
    def made(self) -> Mapping[date, RepDay]:
        """The same as they were published: what was left out since is still told of there."""
        return self._days_of(self.unit.plans(self.area).get(self.version).document if self.version else None)

    def _days_of(self, text: str | None) -> Mapping[date, RepDay]:
        return {date.fromisoformat(day["date"]): day for day in _days_in(text) if day["rep_id"] == self.rep.id}

    @cached_property
    def revisions(self) -> Mapping[date, int]:
        rows = self.unit.changed_days.columns(("day", "revision"), "day", self.first_day, self.last_day, **self.of_rep)
        return dict(rows)

    @cached_property
    def progress(self) -> Mapping[date, DayProgress]:
        rows = self.unit.day_progress.within("day", self.first_day, self.last_day, **self.of_rep)
        return {row.day: row for row in rows}

    @cached_property
    def notes(self) -> Mapping[date, str]:
        rows = self.unit.rep_day_notes.within("day", self.first_day, self.last_day, **self.of_rep)
        return {row.day: row.text for row in rows}

    @cached_property
    def promises(self) -> Mapping[tuple[date, str], Booking]:
        """What customers were told of these days, by visit; also where the visit has been made."""
        rows = self.unit.bookings.within("day", self.first_day, self.last_day, **self.of_rep)
        told = {BookingState.DONE: 0, BookingState.PROMISED: 1}
        kept = sorted((row for row in rows if row.state in told), key=lambda row: (told[row.state], row.made_at))
        return {(row.day, row.visit_id): row for row in kept}

    @cached_property
    def visits(self) -> Mapping[tuple[date, str], FieldVisit]:
        rows = self.unit.field_visits.within("day", self.first_day, self.last_day, **self.of_rep)
        return {(row.day, row.visit_id): row for row in rows}

    @cached_property
    def check_ins(self) -> Mapping[tuple[date, str], CheckIn]:
        """The first one of each visit."""
        if not self.asking.is_rep:
            return {}
        rows = self.unit.check_ins.within("day", self.first_day, self.last_day, **self.of_rep)
        return {(row.day, row.visit_id): row for row in sorted(rows, key=lambda row: (row.at, row.id), reverse=True)}

    @cached_property
    def visited(self) -> Mapping[RecordKind, frozenset[str]]:
        """Ids of the customers and of the opportunities that these days are with."""
        found: dict[RecordKind, set[str]] = {RecordKind.ACCOUNT: set(), RecordKind.OPPORTUNITY: set()}
        for day in self.planned:
            for stop in self.stops_on(day) if self.first_day <= day <= self.last_day else ():
                record = self.record(stop["visit_id"])
                if record is not None:
                    found[record.kind].add(record.id)
                    found[RecordKind.ACCOUNT].update(stop["record_ids"][1:])
                if isinstance(record, Opportunity):
                    found[RecordKind.ACCOUNT].add(record.account_id)
        return {kind: frozenset(ids - {""}) for kind, ids in found.items()}

    @cached_property
    def handoffs(self) -> Mapping[str, HandoffRow]:
        """Where those opportunities stand, as far as it is written."""
        deals = self.visited[RecordKind.OPPORTUNITY]
        rows = self.unit.handoffs.find(area=self.area, opportunity_id=deals) if deals else []
        return {row.opportunity_id: row for row in rows}

    @cached_property
    def told(self) -> Mapping[tuple[RecordKind, str], Sequence[VisitReport]]:
        """What has been reported about all of them, the latest first."""
        since, found = self.first_day - REMEMBERED, defaultdict[tuple[RecordKind, str], list[VisitReport]](list)
        for kind, ids in self.visited.items():
            asked = {"area": self.area, f"{kind}_id": ids}
            rows = self.unit.visit_reports.within("day", since, self.last_day, **asked) if ids else []
            for row in sorted(rows, key=lambda row: row.rank, reverse=True):
                found[kind, getattr(row, f"{kind}_id")].append(row)
        return found

    @cached_property
    def reports(self) -> Mapping[str, VisitReport]:
        rows = self.unit.visit_reports.within("day", self.first_day, self.last_day, **self.of_rep)
        return {row.id: row for row in rows}

    @property
    def of_rep(self) -> Mapping[str, str]:
        return {"area": self.area, "rep_id": self.rep.id}

    @cached_property
    def homes(self) -> tuple[PhoneHome, PhoneHome]:
        """Where the rep starts and ends on a day that no plan has."""
        found = []
        for kind, key, address in addresses_of(self.rep):
            location = self.unit.records(self.area).location(kind, key)
            place = location.place if location and location.address == address else None
            lat, lon = (place.lat, place.lon) if place else (None, None)
            found.append(PhoneHome(hotel="", address=str(address), lat=lat, lon=lon, time=None, links=[]))
        return found[0], found[-1]

    def stops_on(self, day: date) -> list[Stop]:
        """Of a day as it stands now."""
        return self.planned[day]["stops"] if day in self.planned else []

    def made_on(self, day: date) -> list[Stop]:
        """Of a day as it was published."""
        return self.made[day]["stops"] if day in self.made else []

    def record(self, id_: str) -> Visited | None:
        """Whom a visit is for, if that is seen."""
        kind, record_id = record_behind(id_)
        return self.records.get((RecordKind(kind), record_id)) if kind in set(RecordKind) else None

    def over(self, day: date, visit_id: str) -> bool:
        """Whether the rep has nothing more to do there on this day."""
        visit = self.visits.get((day, visit_id))
        return visit is not None and visit.over

    def local(self, moment: datetime) -> str:
        """A moment where the rep is."""
        return moment.astimezone(self.rep.zone).isoformat(timespec="seconds")

    def local_if(self, moment: datetime | None) -> str | None:
        return None if moment is None else self.local(moment)

    def at(self, day: date, clock: time) -> str:
        return instant(datetime.combine(day, clock), self.rep.zone).astimezone(self.rep.zone).isoformat()


def _days_in(text: str | None) -> list[RepDay]:
    """Of a plan that was cut to what is seen, and so has been checked."""
    days: list[RepDay] = json.loads(text)["rep_days"] if text else []
    return days
