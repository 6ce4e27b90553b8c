"""The days of an area's reps as they stand now, kept ready to be searched: what slots are offered from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from planner.domain import Account, Rep, addresses_of
from planner.errors import NotFoundError
from planner.fieldwork.domain import DayProgress
from planner.plan_document import RepDay
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.appointments import appointments_from, not_placed, still_to_make, with_appointments
from planner.slots.area_days import Agenda, AreaDays, DayKey, PublishedPlan, facts_of
from planner.slots.begun import Said
from planner.slots.legs import Legs
from planner.slots.lookups import Asked, Kept
from planner.slots.working_order import (
    AgendaDay,
    Workshop,
)
from planner.snapshot import Snapshot
from planner.translation import WorkingDay, working_days
from planner.visit_ids import is_to
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource

__all__ = ["Agenda", "AgendaDay", "Agendas"]

MOST_AREAS = 4
_BEFORE = timedelta(days=14)
"""How long before the first day that was asked for the seconds begin: days may lie there too."""


class Agendas:
    """The agendas of all areas of one process, each read again only where it has changed. Safe in several threads."""

    def __init__(self, source_of: Callable[[str], TravelTimeSource], settings: Settings) -> None:
        """`source_of` gives the travel times of an area, the same object as long as they are the same."""
        self.source = source_of
        self._settings = settings
        self._lock = threading.Lock()
        self._areas: OrderedDict[str, AreaDays] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._accounts: dict[str, tuple[tuple[int, int], Snapshot, Sequence[tuple[Account, LatLon]]]] = {}
        self._plans: dict[str, PublishedPlan] = {}

    def agenda(self, unit: UnitOfWork, area: str, first_day: date, last_day: date) -> Agenda:
        """All working days from one day to another, both included, at most a year.

        `unit` reads, sees the whole area, and has written nothing.
        """
        with self._lock:
            lock = self._locks.setdefault(area, threading.Lock())
        with lock:
            source, plan = self.source(area), self._plan(unit, area)
            known = self._areas.get(area)
            if known is None or not known.holds(source, plan.version, first_day, last_day):
                known = AreaDays(unit, area, source, self._settings, first_day - _BEFORE, plan)
            with self._lock:
                self._areas[area] = known
                self._areas.move_to_end(area)
                while len(self._areas) > MOST_AREAS:
                    self._areas.popitem(last=False)
            return known.agenda(unit, first_day, last_day, unit.now())

    def day(
        self,
        unit: UnitOfWork,
        area: str,
        rep_id: str,
        day: date,
        supposed: DayProgress | None = None,
        lookup: Asked | None = None,
    ) -> AgendaDay:
        """One rep's day, read anew from `unit` alone, which sees the whole area: for whoever is about to write.

        Its places are its own. It may be a day on which the rep does not work. With `supposed` it is the day as it
        would be if its rep had said that. Whoever asks more than once of one unit keeps its `lookup`.

        Raises:
            NotFoundError: there is no such rep, or nobody knows where the rep starts.
        """
        plan, lookup = self._plan(unit, area), lookup or Asked(unit, area, self._settings)
        reps = unit.records(area).reps()
        if all(rep.id != rep_id for rep in reps):
            raise NotFoundError(f"area {area} has no rep {rep_id}")
        epoch = datetime.combine(day - timedelta(days=2), time(), UTC)
        zone = Snapshot(tuple(reps), (), (), ()).zone
        workshop = Workshop(epoch, zone, self._settings, Legs(self.source(area), self._settings.traffic))
        now = unit.now()

        def days_of(some: Sequence[Rep]) -> list[AgendaDay]:
            homes = _homes(unit, area, some)
            working = {d.rep.id for d in working_days(some, homes, day, day, self._settings.calendar)}
            made = []
            for rep in some:
                if rep.id in homes:
                    found = unit.bookings.find(area=area, rep_id=rep.id, day=day)
                    live = tuple(booking for booking in found if booking.live_at(now))
                    changed = unit.changed_days.get(area, rep.id, day)
                    revision = changed.revision if changed else 0
                    works, working_day = rep.id in working, WorkingDay(rep, day, *homes[rep.id])
                    said = said_of(unit, area, rep.id, day)
                    if supposed is not None and rep.id == rep_id:
                        said = replace(said, progress=supposed)
                    made.append(workshop.day(facts_of(working_day, works, plan, revision, changed, live, said, lookup)))
            return made

        asked = days_of([rep for rep in reps if rep.id == rep_id])
        if not asked:
            raise NotFoundError(f"nobody knows where rep {rep_id} starts the day: locate the address first")
        appointments = list(appointments_from(unit, area, day, lookup, only=day))
        if not asked[0].works or not not_placed(appointments, asked):
            return asked[0]
        days = [*asked, *(other for other in days_of([rep for rep in reps if rep.id != rep_id]) if other.works)]
        days.sort(key=lambda each: each.rep.id)
        free = [a for a in not_placed(appointments, days) if still_to_make(unit, area, a)]
        return next(each for each in with_appointments(days, free, workshop) if each.rep.id == rep_id)

    def accounts(self, unit: UnitOfWork, area: str) -> Sequence[tuple[Account, LatLon]]:
        """The customers whose place is known, as visited; read again when any of that has changed."""
        records = unit.records(area)
        as_read = records.stamp(), records.number_to_visit()
        known = self._accounts.get(area)
        if known is not None and known[0] == as_read:
            snapshot = known[1]
        else:
            snapshot = Snapshot((), tuple(records.accounts()), (), tuple(records.locations()))
        snapshot = snapshot.with_visits(unit, area, self._settings)
        if known is None or known[1] is not snapshot:
            kept = Kept(snapshot)
            located = [(account, place) for account in snapshot.accounts if (place := kept.place(account))]
            known = as_read, snapshot, located
            with self._lock:
                self._accounts[area] = known
                while len(self._accounts) > MOST_AREAS:
                    self._accounts.pop(next(iter(self._accounts)))
        return known[2]

    def planned(self, unit: UnitOfWork, area: str, rep_id: str, day: date) -> tuple[int, RepDay | None]:
        """The version of the published plan that covers a day, 0 where none does, and the day as that was made."""
        plan = self._plan(unit, area)
        return plan.version_on(day), plan.days.get((rep_id, day))

    def planned_on(self, unit: UnitOfWork, area: str, visit: str) -> list[DayKey]:
        """The rep-days on which a visit is in the published plan, as that was made."""
        days = self._plan(unit, area).days
        return [key for key, day in days.items() if any(stop["visit_id"] == visit for stop in day["stops"])]

    def planned_to(self, unit: UnitOfWork, area: str, account_id: str) -> list[tuple[str, date]]:
        """The visits to a customer for its own sake in the published plan, as that was made, and their days."""
        days = self._plan(unit, area).days
        stops = [(stop["visit_id"], key[1]) for key, day in days.items() for stop in day["stops"]]
        return [(id_, day) for id_, day in stops if account_id in id_ and is_to(id_, account_id)]

    def _plan(self, unit: UnitOfWork, area: str) -> PublishedPlan:
        version = unit.plans(area).published_version()
        with self._lock:
            known = self._plans.get(area)
        if known is None or known.version != (version or 0):
            known = PublishedPlan.read(unit, area, version)
            with self._lock:
                self._plans[area] = known
                while len(self._plans) > MOST_AREAS:
                    self._plans.pop(next(iter(self._plans)))
        return known


def said_of(unit: UnitOfWork, area: str, rep_id: str, day: date) -> Said:
    """What phones have said of a rep's day."""
    visits = unit.field_visits.find(area=area, rep_id=rep_id, day=day)
    return Said(unit.day_progress.get(area, rep_id, day), tuple(visits))


def _homes(unit: UnitOfWork, area: str, reps: Sequence[Rep]) -> dict[str, tuple[LatLon, LatLon]]:
    records = unit.records(area)
    asked = (records.location(kind, key) for rep in reps for kind, key, _ in addresses_of(rep))
    return Snapshot(tuple(reps), (), (), tuple(filter(None, asked))).homes()[0]
