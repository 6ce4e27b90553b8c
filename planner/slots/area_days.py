"""One area's days, each made again only where something of it has changed."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from planner.domain import Rep
from planner.fieldwork.domain import DayProgress, FieldVisit
from planner.hours import instant, midnight
from planner.plan_document import RepDay, read_plan
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.appointments import Appointment, appointments_from, not_placed, still_to_make, with_appointments
from planner.slots.begun import Said
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.slots.facts import DayFacts, Lookup, records_behind, with_nights
from planner.slots.legs import Legs, Numbering
from planner.slots.lookups import Kept
from planner.slots.working_order import (
    AgendaDay,
    Workshop,
)
from planner.snapshot import Snapshot
from planner.translation import Clock, WorkingDay, working_days
from routing.errors import ProblemError
from routing.geo import LatLon
from routing.insertion import Itineraries
from routing.travel_times import Fan, FanTimes, TravelTimeSource

_log = logging.getLogger(__name__)

MOST_HORIZONS = 4
LONGEST = timedelta(days=366)
_FEW = 8
"""So many changed days are read one by one; more of them all at once."""
_LATE_PLACES = 256
"""So many places may come after the others before the fan of all of them is made again."""

DayKey = tuple[str, date]

OfDay = TypeVar("OfDay", Booking, FieldVisit)

_Revisions = tuple[int, int]
"""Of a day's `ChangedDay`, and of what its rep has said of it: no change of anything here leaves both as they were."""
UNCHANGED: _Revisions = 0, 0

_Moves = tuple[int, int]
"""How many promises there are, and how often anything was done with a handoff: whether an appointment is still to be
kept depends on nothing else, and no change of either leaves both as they were."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What is stored of a day."""

    revisions: _Revisions
    changed: ChangedDay | None
    promises: tuple[Booking, ...]
    said: Said


@dataclass(frozen=True, eq=False)
class Agenda:
    """The working days of all reps of an area, from one day to another, as they stood at one moment.

    Attributes:
        days: by day and rep; `itineraries` has theirs, in the same order.
        fan: travel times between any place and those that the itineraries name.
        clock: of all days.
        snapshot: the records that the days were read with.
    """

    area: str
    days: tuple[AgendaDay, ...]
    itineraries: Itineraries
    fan: Fan
    clock: Clock
    snapshot: Snapshot
    legs: Legs
    numbering: Numbering

    @property
    def reps(self) -> tuple[Rep, ...]:
        return self.snapshot.reps

    @cached_property
    def spare_s(self) -> NDArray[np.int64]:
        """Of each day, as `AgendaDay.spare_s`."""
        return np.array([day.spare_s for day in self.days], dtype=np.int64)

    def nearest_s(self, times: NDArray[np.int32]) -> NDArray[np.int32]:
        """The least of some travel times, one for each shared place, at the places of each day."""
        which, first = self._places
        return np.minimum.reduceat(times[which], first) if len(which) else np.empty(0, dtype=np.int32)

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places of all days in one line, and where each day's begin."""
        places = [day.itinerary.places for day in self.days]
        counts = np.array([len(each) for each in places], dtype=np.int64)
        return np.array([place for each in places for place in each], dtype=np.int64), np.cumsum(counts) - counts


@dataclass(frozen=True)
class JoinedFan:
    """Several fans as one: the places of the first, then those of the next."""

    parts: tuple[Fan, ...]

    def times(self, place: LatLon) -> FanTimes:
        """Seconds and metres between the place and every fixed one, in their order."""
        asked = [part.times(place) for part in self.parts]
        tables = zip(*(times.tables for times in asked), strict=True)
        return FanTimes(
            np.concatenate([times.to_s for times in asked]),
            np.concatenate([times.to_m for times in asked]),
            np.concatenate([times.from_s for times in asked]),
            np.concatenate([times.from_m for times in asked]),
            tuple((np.concatenate([to for to, _ in each]), np.concatenate([on for _, on in each])) for each in tables),
        )


@dataclass(frozen=True)
class PublishedPlan:
    """The published plan as it was made; no days at all where there is none."""

    version: int
    days: Mapping[DayKey, RepDay]
    first_day: date = date.max
    last_day: date = date.min

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, version: int | None) -> PublishedPlan:
        if version is None:
            return cls(0, {})
        document = read_plan(unit.plans(area).get(version).document or "", f"plan {version} of area {area}")
        days = {(day["rep_id"], date.fromisoformat(day["date"])): day for day in document["rep_days"]}
        return cls(version, days, *(date.fromisoformat(document[key]) for key in ("first_day", "last_day")))

    def version_on(self, day: date) -> int:
        """Of the plan that covers a day; 0 where none does."""
        return self.version if self.first_day <= day <= self.last_day else 0


class AreaDays:
    """All that is kept of one area: its records, its plan, its days and the index of them. One thread at a time."""

    def __init__(
        self,
        unit: UnitOfWork,
        area: str,
        source: TravelTimeSource,
        settings: Settings,
        anchor: date,
        plan: PublishedPlan,
    ) -> None:
        self.area, self.source, self.settings, self.anchor, self.plan = area, source, settings, anchor, plan
        self._legs = Legs(source, settings.traffic)
        self._numbering = Numbering()
        self._stamp, self._number = -1, -1
        self.workshop: Workshop
        self._read_records(unit)
        self._read: dict[DayKey, _Read] = {}
        self._made: dict[DayKey, tuple[object, DayFacts, AgendaDay]] = {}
        self._settled: dict[date, tuple[list[AgendaDay], tuple[list[Appointment], _Moves], list[AgendaDay]]] = {}
        self._moves: _Moves = 0, 0
        self._horizons: OrderedDict[tuple[date, date], tuple[object, Agenda]] = OrderedDict()
        self._fans: list[Fan] = []
        self._in_fans: list[int] = []

    def holds(self, source: TravelTimeSource, version: int, first_day: date, last_day: date) -> bool:
        """Whether this is still about the same plan and streets, and can tell the time of these days."""
        crowded = len(self._numbering.places) > 2 * (self._in_fans[0] if self._in_fans else 0) + 10_000
        in_reach = self.anchor <= first_day and last_day - self.anchor <= LONGEST
        return self.source is source and self.plan.version == version and in_reach and not crowded

    def agenda(self, unit: UnitOfWork, first_day: date, last_day: date, now: datetime) -> Agenda:
        self._read_records(unit)
        area = self.area
        told = unit.changed_days.columns(("rep_id", "day", "revision"), "day", first_day, last_day, area=area)
        progress = unit.day_progress.columns(("rep_id", "day", "revision"), "day", first_day, last_day, area=area)
        held = unit.bookings.within("day", first_day, last_day, area=area, state=BookingState.HELD)
        holds = [booking for booking in held if booking.live_at(now)]
        if self.appointments:
            promised = unit.bookings.count(area=area, state=BookingState.PROMISED)
            self._moves = promised, unit.handoff_events.count(area=area)
        as_read = self._stamp, self._number, self.snapshot.visits, sorted(told), sorted(progress), holds, self._moves
        known = self._horizons.pop((first_day, last_day), None)
        if known is None or known[0] != as_read:
            days = self._days(unit, first_day, last_day, told, progress, holds)
            index = self._index(days, known[1] if known else None)
            end_s = max((day.clock.end_s for day in days), default=0)
            clock = Clock(self.workshop.epoch, first_day, last_day, self.workshop.zone, end_s)
            agenda = Agenda(area, days, index, self._fan(), clock, self.snapshot, self._legs, self._numbering)
            known = as_read, agenda
        self._horizons[first_day, last_day] = known
        if len(self._horizons) > MOST_HORIZONS:
            self._horizons.popitem(last=False)
            self._forget(min(first for first, _ in self._horizons), max(last for _, last in self._horizons))
        return known[1]

    def _read_records(self, unit: UnitOfWork) -> None:
        records = unit.records(self.area)
        stamp, number = records.stamp(), records.number_to_visit()
        if stamp != self._stamp:
            self.snapshot = Snapshot.read(unit, self.area, self.settings)
            self.homes, _ = self.snapshot.homes()
            self._lookup = Kept(self.snapshot)
            epoch = datetime.combine(self.anchor - timedelta(days=2), time(), UTC)
            if self._stamp >= 0 and self.workshop.zone != self.snapshot.zone:
                self._made.clear()
                self._horizons.clear()
            self.workshop = Workshop(epoch, self.snapshot.zone, self.settings, self._legs, self._numbering)
        elif (visited := self.snapshot.with_visits(unit, self.area, self.settings)) is not self.snapshot:
            self.snapshot, self._lookup = visited, Kept(visited)
        if (stamp, number) != (self._stamp, self._number):
            self.appointments: dict[date | None, list[Appointment]] = defaultdict(list)
            for appointment in appointments_from(unit, self.area, self.anchor, self._lookup):
                self.appointments[appointment.day].append(appointment)
        self._stamp, self._number = stamp, number

    def _days(
        self,
        unit: UnitOfWork,
        first_day: date,
        last_day: date,
        told: Sequence[Any],
        progress: Sequence[Any],
        holds: Sequence[Booking],
    ) -> tuple[AgendaDay, ...]:
        """The working days, made again where something of them has changed."""
        working = working_days(self.snapshot.reps, self.homes, first_day, last_day, self.settings.calendar)
        revisions: dict[DayKey, _Revisions] = {(rep_id, day): (revision, 0) for rep_id, day, revision in told}
        for rep_id, day, revision in progress:
            revisions[rep_id, day] = revisions.get((rep_id, day), UNCHANGED)[0], revision
        self._refresh(unit, [(day.rep.id, day.day) for day in working], revisions, first_day, last_day)
        held = _by_day(holds)
        by_date: dict[date, list[AgendaDay]] = {}
        for day in working:
            found = self._day(day, held.get((day.rep.id, day.day), ()))
            if found is not None:
                by_date.setdefault(day.day, []).append(found)
        return tuple(day for on, days in by_date.items() for day in self._settle(unit, on, days))

    def _refresh(
        self,
        unit: UnitOfWork,
        keys: Sequence[DayKey],
        revisions: Mapping[DayKey, _Revisions],
        first_day: date,
        last_day: date,
    ) -> None:
        """Read what bookings and phones have changed since."""
        area = self.area
        stale = [
            key for key in keys if key not in self._read or self._read[key].revisions != revisions.get(key, UNCHANGED)
        ]
        changed: list[ChangedDay] = []
        promises: list[Booking] = []
        progress: list[DayProgress] = []
        visits: list[FieldVisit] = []
        if len(stale) > _FEW:
            changed = unit.changed_days.within("day", first_day, last_day, area=area)
            promises = unit.bookings.within("day", first_day, last_day, area=area, state=BookingState.PROMISED)
            progress = unit.day_progress.within("day", first_day, last_day, area=area)
            visits = unit.field_visits.within("day", first_day, last_day, area=area)
        else:
            for rep_id, day in stale:
                changed += unit.changed_days.find(area=area, rep_id=rep_id, day=day)
                promises += unit.bookings.find(area=area, rep_id=rep_id, day=day, state=BookingState.PROMISED)
                progress += unit.day_progress.find(area=area, rep_id=rep_id, day=day)
                visits += unit.field_visits.find(area=area, rep_id=rep_id, day=day)
        changed_by = {(row.rep_id, row.day): row for row in changed}
        progress_by = {(row.rep_id, row.day): row for row in progress}
        promised_by, visits_by = _by_day(promises), _by_day(visits)
        for key in stale:
            said = Said(progress_by.get(key), visits_by.get(key, ()))
            read = revisions.get(key, UNCHANGED), changed_by.get(key), promised_by.get(key, ()), said
            self._read[key] = _Read(*read)

    def _day(self, working_day: WorkingDay, holds: tuple[Booking, ...]) -> AgendaDay | None:
        """None of a day that contradicts itself, which must not be in the way of all the others."""
        key = working_day.rep.id, working_day.day
        read = self._read[key]
        made = self._made.get(key)
        fresh = read.revisions, self._stamp, self.snapshot.visits, holds
        if made is not None and made[0] == fresh:
            return made[2]
        bookings = (*read.promises, *holds)
        facts = facts_of(
            working_day, True, self.plan, read.revisions[0], read.changed, bookings, read.said, self._lookup
        )
        try:
            day = made[2] if made is not None and made[1] == facts else self.workshop.day(facts)
        except ProblemError:
            _log.exception("area %s: the day %s cannot be made and is left out", self.area, working_day.id)
            return None
        self._made[key] = fresh, facts, day
        return day

    def _settle(self, unit: UnitOfWork, on: date, days: list[AgendaDay]) -> list[AgendaDay]:
        """The days of one date with the appointments that no plan has given to anybody."""
        appointments = self.appointments.get(on)
        if not appointments:
            return days
        free = not_placed(appointments, days)
        known = self._settled.get(on)
        if known is None or known[1] != (free, self._moves) or [*map(id, known[0])] != [*map(id, days)]:
            to_make = [appointment for appointment in free if still_to_make(unit, self.area, appointment)]
            self._settled[on] = known = days, (free, self._moves), with_appointments(days, to_make, self.workshop)
        return known[2]

    def _index(self, days: tuple[AgendaDay, ...], before: Agenda | None) -> Itineraries:
        places = len(self._numbering.places)
        if before is None or [day.id for day in before.days] != [day.id for day in days]:
            return Itineraries([day.itinerary for day in days], places)
        changed = [new.itinerary for new, old in zip(days, before.days, strict=True) if new is not old]
        return before.itineraries.with_changes(changed, places)

    def _forget(self, first_day: date, last_day: date) -> None:
        """What is known of days that nobody has asked about lately."""
        for key in [key for key in self._read if not first_day <= key[1] <= last_day]:
            del self._read[key]
            self._made.pop(key, None)
            self._settled.pop(key[1], None)

    def _fan(self) -> Fan:
        """Of all places: those that were there early, and the few that came later."""
        places = self._numbering.places
        if not self._fans or len(places) - self._in_fans[0] > _LATE_PLACES:
            self._fans, self._in_fans = [self._legs.fan(tuple(places))], [len(places)]
        elif len(places) > self._in_fans[-1]:
            early = self._in_fans[0]
            self._fans = [self._fans[0], self._legs.fan(tuple(places[early:]))]
            self._in_fans = [early, len(places)]
        return self._fans[0] if len(self._fans) == 1 else JoinedFan(tuple(self._fans))


def _by_day(rows: Iterable[OfDay]) -> dict[DayKey, tuple[OfDay, ...]]:
    found: dict[DayKey, tuple[OfDay, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.rep_id, row.day] += (row,)
    return dict(found)


def facts_of(
    working_day: WorkingDay,
    works: bool,
    plan: PublishedPlan,
    revision: int,
    changed: ChangedDay | None,
    bookings: tuple[Booking, ...],
    said: Said,
    lookup: Lookup,
) -> DayFacts:
    key = working_day.rep.id, working_day.day
    version = plan.version_on(working_day.day)
    if changed is not None and changed.plan_version != version:
        changed = None
    said = said.within(instant(midnight(working_day.day), working_day.rep.zone))
    planned = plan.days.get(key)
    facts = DayFacts(working_day, works, revision, version, planned, changed, bookings, {}, said)
    working_day = with_nights(working_day, planned or facts.shown, plan.days)
    return replace(facts, working_day=working_day, behind=records_behind(facts.stops, facts.named, lookup))
