"""The cast of booking: Flatland in a real store, with a clock that can be turned and a plan that can be published.

It is Friday 27 November 2026, noon in London, until a test says otherwise; the week that is planned begins on Monday.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cast import SETTINGS, TUESDAY, Flatland, located, promise

from planner.access import Actor, Scope
from planner.domain import Record
from planner.hotels.standing import snapshot_to_plan
from planner.plan_document import PlanDocument, read_plan
from planner.planning import make_plan, store_plan, to_store
from planner.publishing import publish
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agenda, AgendaDay, Agendas
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.storage import SqlStore, open_store
from routing.geo import LatLon
from routing.solver import Engine, SearchLimits

TOWN = "town"
FRIDAY_NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
WHOLE_TOWN = Scope(area=TOWN)
IRENE = Actor("user:irene", WHOLE_TOWN)


@dataclass
class SlotTown:
    """The town in a store. Its clock is also the database's."""

    store: SqlStore
    now: datetime = FRIDAY_NOON
    settings: Settings = SETTINGS
    source: Flatland = field(default_factory=Flatland)

    def __post_init__(self) -> None:
        self.agendas = Agendas(lambda area: self.source, self.settings)

    def with_settings(self, **sections: Any) -> SlotTown:
        """The same town under other settings."""
        self.settings = replace(self.settings, **sections)
        self.agendas = Agendas(lambda area: self.source, self.settings)
        return self

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        with self.store.read(WHOLE_TOWN) as unit:
            yield unit

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """A write that is entered into the audit log."""
        with self.store.write(IRENE) as unit:
            yield unit
            unit.audit("test.written", area=TOWN)

    def add(self, *records: tuple[Record, LatLon | None]) -> None:
        """Records with their doors; without one they are not located."""
        with self.writing() as unit:
            unit.records(TOWN).save_all([record for record, _ in records])
            unit.records(TOWN).save_locations([located(record, place) for record, place in records])

    def publish(self, first_day: date, days: int = 5, work: int = 4) -> PlanDocument:
        """Plan some days anew and publish the plan."""
        with self.reading() as unit:
            snapshot = snapshot_to_plan(unit, TOWN, self.settings)
        # The stories know whose day a visit is on: of equally good plans they mean this engine's.
        document = make_plan(
            snapshot,
            TOWN,
            self.source,
            first_day,
            days,
            SearchLimits(work=work, seed=1, engine=Engine.ORTOOLS),
            self.settings,
        )
        self.publish_document(document)
        return document

    def publish_document(self, document: PlanDocument) -> int:
        with self.writing() as unit:
            version = store_plan(unit, to_store(document, self.now))
        return publish(self.store, IRENE, self.agendas, TOWN, version, self.settings, self.now)

    def published(self) -> PlanDocument:
        """The plan that reps see, as it stands now."""
        with self.reading() as unit:
            plan = unit.plans(TOWN).latest(published=True)
        assert plan is not None
        assert plan.document is not None
        return read_plan(plan.document)

    def agenda(self, first_day: date, days: int = 5) -> Agenda:
        """The calendar days from one on."""
        with self.reading() as unit:
            return self.agendas.agenda(unit, TOWN, first_day, first_day + timedelta(days=days - 1))

    def day(self, day: date, rep_id: str = "anna") -> AgendaDay:
        """One day as a writer reads it."""
        with self.reading() as unit:
            return self.agendas.day(unit, TOWN, rep_id, day)

    def book(self, booking: Booking, order: Sequence[str], **changes: Any) -> None:
        """Write a booking and its day's new order, without asking whether it fits."""
        with self.writing() as unit:
            unit.bookings.put(booking)
            before = unit.changed_days.get(TOWN, booking.rep_id, booking.day)
            usual: dict[str, Any] = {
                "revision": before.revision + 1 if before else 1,
                "plan_version": self._version_on(unit, booking.day),
                "order": tuple(order),
                "route": before.route if before else None,
            }
            unit.changed_days.put(ChangedDay(TOWN, booking.rep_id, booking.day, **(usual | changes)))

    @staticmethod
    def _version_on(unit: UnitOfWork, day: date) -> int:
        version = unit.plans(TOWN).published_version()
        plan = unit.plans(TOWN).get(version) if version else None
        covered = plan is not None and plan.first_day <= day < plan.first_day + timedelta(days=plan.days)
        return plan.version if plan is not None and covered else 0

    def bookings(self, **equal: Any) -> list[Booking]:
        with self.reading() as unit:
            return unit.bookings.find(area=TOWN, **equal)


def hold(id_: str = "h1", rep_id: str = "anna", day: date = TUESDAY, **changes: Any) -> Booking:
    """Ten minutes' hold of an hour for somebody without a record, ten minutes east of the office; see `promise`."""
    usual: dict[str, Any] = {
        "opportunity_id": "",
        "state": BookingState.HELD,
        "expires_at": FRIDAY_NOON + timedelta(minutes=10),
    }
    return replace(promise(id_, rep_id, day, **(usual | changes)), id=id_)


def names(day: AgendaDay) -> list[str]:
    """Whom a rep visits, in order, by id."""
    return [visit.id.partition(":")[2] for visit in day.visits]


def days_by_id(agenda: Agenda) -> Mapping[str, AgendaDay]:
    return {day.id: day for day in agenda.days}


def slot_town(file: Path, *, copy_of: Path | None = None) -> SlotTown:
    """An empty town in a SQLite file, which may begin as a copy of a database with tables: that is faster."""
    if copy_of is not None:
        file.write_bytes(copy_of.read_bytes())
    towns: list[SlotTown] = []
    store = open_store(f"sqlite:///{file}", clock=lambda: towns[0].now)
    towns.append(SlotTown(store))
    return towns[0]
