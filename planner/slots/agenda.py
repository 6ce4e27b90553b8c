"""The days of an area's reps as they stand now, kept ready to be searched: what slots are offered from."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.candidates import visit_id
from planner.domain import Account, Opportunity, Record, RecordKind, Rep, addresses_of
from planner.errors import NotFoundError
from planner.handoffs.domain import TO_VISIT
from planner.plan_document import RepDay, read_plan
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.alternatives import AgendaVisit
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.slots.working_order import (
    AgendaDay,
    DayFacts,
    Legs,
    Lookup,
    Numbering,
    Visited,
    Workshop,
    placed,
    records_behind,
)
from planner.snapshot import Snapshot
from planner.translation import Clock, WorkingDay, working_days
from routing.geo import LatLon
from routing.insertion import Itineraries
from routing.problem import TimeWindow
from routing.travel_times import Fan, FanTimes, TravelTimeSource

__all__ = ["Agenda", "AgendaDay", "AgendaVisit", "Agendas"]

MOST_AREAS = 4
MOST_HORIZONS = 4
LONGEST = timedelta(days=366)
_BEFORE = timedelta(days=14)
"""How long before the first day that was asked for the seconds begin: days may lie there too."""
_FEW = 8
"""So many changed days are read one by one; more of them all at once."""
_LATE_PLACES = 256
"""So many places may come after the others before the fan of all of them is made again."""

DayKey = tuple[str, date]

_Moves = tuple[int, int]
"""How many promises there are, and how often anything was done with a handoff: whether an appointment is still to be
kept depends on nothing else, and no change of either leaves both as they were."""


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
        return FanTimes(
            *(np.concatenate([getattr(t, name) for t in asked]) for name in ("to_s", "to_m", "from_s", "from_m"))
        )


@dataclass(frozen=True)
class _Plan:
    """The published plan as it was made; no days at all where there is none."""

    version: int
    days: Mapping[DayKey, RepDay]
    first_day: date = date.max
    last_day: date = date.min

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, version: int | None) -> _Plan:
        if version is None:
            return cls(0, {})
        document = read_plan(unit.plans(area).get(version).document or "", f"plan {version} of area {area}")
        days = {(day["rep_id"], date.fromisoformat(day["date"])): day for day in document["rep_days"]}
        return cls(version, days, *(date.fromisoformat(document[key]) for key in ("first_day", "last_day")))

    def version_on(self, day: date) -> int:
        """Of the plan that covers a day; 0 where none does."""
        return self.version if self.first_day <= day <= self.last_day else 0


class _Asked:
    """Records read one by one."""

    def __init__(self, unit: UnitOfWork, area: str) -> None:
        self._records = unit.records(area)

    def record(self, kind: RecordKind, record_id: str) -> Record | None:
        return self._records.get(kind, record_id)

    def place(self, record: Visited) -> LatLon | None:
        location = self._records.location(record.kind, record.id)
        return location.place if location and location.address == record.address else None


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


@dataclass(frozen=True)
class Appointment:
    """An appointment that was agreed elsewhere and that no plan has given to a rep yet."""

    opportunity: Opportunity
    place: LatLon
    account: Account | None

    @property
    def visit_id(self) -> str:
        return visit_id(RecordKind.OPPORTUNITY, self.opportunity.id)

    @property
    def day(self) -> date | None:
        return self.opportunity.appointment.date() if self.opportunity.appointment else None


def _appointments(
    unit: UnitOfWork, area: str, first_day: date, lookup: Lookup, only: date | None = None
) -> Iterator[Appointment]:
    """Those that are located, from a day on or on one only, by time."""
    for opportunity in unit.records(area).appointments(first_day):
        assert opportunity.appointment is not None
        if only is not None and opportunity.appointment.date() != only:
            continue
        place = lookup.place(opportunity) or _Asked(unit, area).place(opportunity)
        if place is None:
            continue
        account = lookup.record(RecordKind.ACCOUNT, opportunity.account_id)
        yield Appointment(opportunity, place, account if isinstance(account, Account) else None)


def _free(appointments: Iterable[Appointment], days: Iterable[AgendaDay]) -> list[Appointment]:
    """Those that are in none of the days."""
    there = {visit.id for day in days for visit in day.listed}
    return [appointment for appointment in appointments if appointment.visit_id not in there]


def _still_to_make(unit: UnitOfWork, area: str, appointment: Appointment) -> bool:
    """The field still has the visit to make, and nobody has booked it for another time."""
    id_ = appointment.opportunity.id
    handoff = unit.handoffs.get(area, id_)
    booked = unit.bookings.count(area=area, opportunity_id=id_, state=BookingState.PROMISED)
    return not booked and (handoff is None or handoff.state in TO_VISIT)


def _with_appointments(
    days: Sequence[AgendaDay], appointments: Sequence[Appointment], workshop: Workshop
) -> list[AgendaDay]:
    """Each appointment in the day of the rep whom it costs least driving, by its time; the account's own rep first.

    One that fits nowhere takes nobody's time: planning will say so.
    """
    days = list(days)
    for appointment in appointments:
        opportunity = appointment.opportunity
        able = [i for i, day in enumerate(days) if day.works and opportunity.required_skills <= day.rep.skills]
        owner = appointment.account.owner_rep_id if appointment.account else ""
        costs = []
        for i in able:
            day = days[i]
            visit = workshop.appointed(opportunity, appointment.place, day.clock, day.itinerary.shift)
            times = workshop.times_around(day, appointment.place)
            whole_day = [[TimeWindow(0, day.clock.end_s)]]
            index = Itineraries([day.itinerary], len(workshop.numbering.places))
            for opening in index.openings(visit.job, times, whole_day):
                added = placed(day, visit, opening.position, times)
                costs.append((day.rep.id != owner, opening.added_s, day.rep.id, i, added))
        if costs:
            *_, i, day = min(costs, key=lambda cost: cost[:3])
            days[i] = day
    return days


class _AreaDays:
    """All that is kept of one area: its records, its plan, its days and the index of them. One thread at a time."""

    def __init__(
        self, unit: UnitOfWork, area: str, source: TravelTimeSource, settings: Settings, anchor: date, plan: _Plan
    ) -> None:
        self.area, self.source, self.settings, self.anchor, self.plan = area, source, settings, anchor, plan
        self._legs = Legs(source)
        self._numbering = Numbering()
        self._stamp, self._number = -1, -1
        self._read_records(unit)
        self._read: dict[DayKey, tuple[int, ChangedDay | None, tuple[Booking, ...]]] = {}
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
        held = unit.bookings.within("day", first_day, last_day, area=area, state=BookingState.HELD)
        holds = [booking for booking in held if booking.live_at(now)]
        if self.appointments:
            promised = unit.bookings.count(area=area, state=BookingState.PROMISED)
            self._moves = promised, unit.handoff_events.count(area=area)
        as_read = self._stamp, self._number, sorted(told), holds, self._moves
        known = self._horizons.pop((first_day, last_day), None)
        if known is None or known[0] != as_read:
            days = self._days(unit, first_day, last_day, told, holds)
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
            self.snapshot = Snapshot.read(unit, self.area)
            self.homes, _ = self.snapshot.homes()
            self._lookup = Kept(self.snapshot)
            epoch = datetime.combine(self.anchor - timedelta(days=2), time(), UTC)
            self.workshop = Workshop(epoch, self.snapshot.zone, self.settings, self._legs, self._numbering)
        if (stamp, number) != (self._stamp, self._number):
            self.appointments: dict[date | None, list[Appointment]] = defaultdict(list)
            for appointment in _appointments(unit, self.area, self.anchor, self._lookup):
                self.appointments[appointment.day].append(appointment)
        self._stamp, self._number = stamp, number

    def _days(
        self, unit: UnitOfWork, first_day: date, last_day: date, told: Sequence[Any], holds: Sequence[Booking]
    ) -> tuple[AgendaDay, ...]:
        """The working days, made again where something of them has changed."""
        working = working_days(self.snapshot.reps, self.homes, first_day, last_day, self.settings.calendar)
        revisions = {(rep_id, day): revision for rep_id, day, revision in told}
        self._refresh(unit, [(day.rep.id, day.day) for day in working], revisions, first_day, last_day)
        held = _by_day(holds)
        by_date: dict[date, list[AgendaDay]] = {}
        for day in working:
            by_date.setdefault(day.day, []).append(self._day(day, held.get((day.rep.id, day.day), ())))
        return tuple(day for on, days in by_date.items() for day in self._settle(unit, on, days))

    def _refresh(
        self,
        unit: UnitOfWork,
        keys: Sequence[DayKey],
        revisions: Mapping[DayKey, int],
        first_day: date,
        last_day: date,
    ) -> None:
        """Read what bookings have changed since."""
        area = self.area
        stale = [key for key in keys if key not in self._read or self._read[key][0] != revisions.get(key, 0)]
        changed: list[ChangedDay] = []
        promises: list[Booking] = []
        if len(stale) > _FEW:
            changed = unit.changed_days.within("day", first_day, last_day, area=area)
            promises = unit.bookings.within("day", first_day, last_day, area=area, state=BookingState.PROMISED)
        else:
            for rep_id, day in stale:
                changed += unit.changed_days.find(area=area, rep_id=rep_id, day=day)
                promises += unit.bookings.find(area=area, rep_id=rep_id, day=day, state=BookingState.PROMISED)
        changed_by = {(row.rep_id, row.day): row for row in changed}
        promised_by = _by_day(promises)
        for key in stale:
            self._read[key] = revisions.get(key, 0), changed_by.get(key), promised_by.get(key, ())

    def _day(self, working_day: WorkingDay, holds: tuple[Booking, ...]) -> AgendaDay:
        key = working_day.rep.id, working_day.day
        revision, changed, promises = self._read[key]
        made = self._made.get(key)
        fresh = revision, self._stamp, holds
        if made is not None and made[0] == fresh:
            return made[2]
        facts = _facts(working_day, True, self.plan, revision, changed, (*promises, *holds), self._lookup)
        day = made[2] if made is not None and made[1] == facts else self.workshop.day(facts)
        self._made[key] = fresh, facts, day
        return day

    def _settle(self, unit: UnitOfWork, on: date, days: list[AgendaDay]) -> list[AgendaDay]:
        """The days of one date with the appointments that no plan has given to anybody."""
        appointments = self.appointments.get(on)
        if not appointments:
            return days
        free = _free(appointments, days)
        known = self._settled.get(on)
        if known is None or known[1] != (free, self._moves) or [*map(id, known[0])] != [*map(id, days)]:
            to_make = [appointment for appointment in free if _still_to_make(unit, self.area, appointment)]
            self._settled[on] = known = days, (free, self._moves), _with_appointments(days, to_make, self.workshop)
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
            self._fans, self._in_fans = [self.source.fan(tuple(places))], [len(places)]
        elif len(places) > self._in_fans[-1]:
            early = self._in_fans[0]
            self._fans = [self._fans[0], self.source.fan(tuple(places[early:]))]
            self._in_fans = [early, len(places)]
        return self._fans[0] if len(self._fans) == 1 else JoinedFan(tuple(self._fans))


def _by_day(bookings: Iterable[Booking]) -> dict[DayKey, tuple[Booking, ...]]:
    found: dict[DayKey, tuple[Booking, ...]] = defaultdict(tuple)
    for booking in bookings:
        found[booking.rep_id, booking.day] += (booking,)
    return dict(found)


def _facts(
    working_day: WorkingDay,
    works: bool,
    plan: _Plan,
    revision: int,
    changed: ChangedDay | None,
    bookings: tuple[Booking, ...],
    lookup: Lookup,
) -> DayFacts:
    key = working_day.rep.id, working_day.day
    version = plan.version_on(working_day.day)
    if changed is not None and changed.plan_version != version:
        changed = None
    facts = DayFacts(working_day, works, revision, version, plan.days.get(key), changed, bookings, {})
    behind = records_behind(facts.stops, facts.order, lookup)
    return DayFacts(working_day, works, revision, version, facts.planned, changed, bookings, behind)


class Agendas:
    """The agendas of all areas of one process, each read again only where it has changed. Safe in several threads."""

    def __init__(self, source_of: Callable[[str], TravelTimeSource], settings: Settings) -> None:
        """`source_of` gives the travel times of an area, the same object as long as they are the same."""
        self.source = source_of
        self._settings = settings
        self._lock = threading.Lock()
        self._areas: OrderedDict[str, _AreaDays] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._accounts: dict[str, tuple[tuple[int, int], Sequence[tuple[Account, LatLon]]]] = {}
        self._plans: dict[str, _Plan] = {}

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
                known = _AreaDays(unit, area, source, self._settings, first_day - _BEFORE, plan)
            with self._lock:
                self._areas[area] = known
                self._areas.move_to_end(area)
                while len(self._areas) > MOST_AREAS:
                    self._areas.popitem(last=False)
            return known.agenda(unit, first_day, last_day, unit.now())

    def day(self, unit: UnitOfWork, area: str, rep_id: str, day: date) -> AgendaDay:
        """One rep's day, read anew from `unit` alone, which sees the whole area: for whoever is about to write.

        Its places are its own. It may be a day on which the rep does not work.

        Raises:
            NotFoundError: there is no such rep, or nobody knows where the rep starts.
        """
        plan, lookup = self._plan(unit, area), _Asked(unit, area)
        reps = unit.records(area).reps()
        if all(rep.id != rep_id for rep in reps):
            raise NotFoundError(f"area {area} has no rep {rep_id}")
        epoch = datetime.combine(day - timedelta(days=2), time(), UTC)
        zone = Snapshot(tuple(reps), (), (), ()).zone
        workshop = Workshop(epoch, zone, self._settings, Legs(self.source(area)))
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
                    made.append(workshop.day(_facts(working_day, works, plan, revision, changed, live, lookup)))
            return made

        asked = days_of([rep for rep in reps if rep.id == rep_id])
        if not asked:
            raise NotFoundError(f"nobody knows where rep {rep_id} starts the day: locate the address first")
        appointments = list(_appointments(unit, area, day, lookup, only=day))
        if not asked[0].works or not _free(appointments, asked):
            return asked[0]
        days = [*asked, *(other for other in days_of([rep for rep in reps if rep.id != rep_id]) if other.works)]
        days.sort(key=lambda each: each.rep.id)
        free = [a for a in _free(appointments, days) if _still_to_make(unit, area, a)]
        return next(each for each in _with_appointments(days, free, workshop) if each.rep.id == rep_id)

    def accounts(self, unit: UnitOfWork, area: str) -> Sequence[tuple[Account, LatLon]]:
        """The customers whose place is known, read again when a record has been added or changed."""
        records = unit.records(area)
        as_read = records.stamp(), records.number_to_visit()
        known = self._accounts.get(area)
        if known is None or known[0] != as_read:
            snapshot = Snapshot((), tuple(records.accounts()), (), tuple(records.locations()))
            kept = Kept(snapshot)
            known = as_read, [(account, place) for account in snapshot.accounts if (place := kept.place(account))]
            with self._lock:
                self._accounts[area] = known
                while len(self._accounts) > MOST_AREAS:
                    self._accounts.pop(next(iter(self._accounts)))
        return known[1]

    def planned(self, unit: UnitOfWork, area: str, rep_id: str, day: date) -> tuple[int, RepDay | None]:
        """The version of the published plan that covers a day, 0 where none does, and the day as that was made."""
        plan = self._plan(unit, area)
        return plan.version_on(day), plan.days.get((rep_id, day))

    def planned_on(self, unit: UnitOfWork, area: str, visit: str) -> list[DayKey]:
        """The rep-days on which a visit is in the published plan, as that was made."""
        days = self._plan(unit, area).days
        return [key for key, day in days.items() if any(stop["visit_id"] == visit for stop in day["stops"])]

    def _plan(self, unit: UnitOfWork, area: str) -> _Plan:
        version = unit.plans(area).published_version()
        with self._lock:
            known = self._plans.get(area)
        if known is None or known.version != (version or 0):
            known = _Plan.read(unit, area, version)
            with self._lock:
                self._plans[area] = known
                while len(self._plans) > MOST_AREAS:
                    self._plans.pop(next(iter(self._plans)))
        return known


def _homes(unit: UnitOfWork, area: str, reps: Sequence[Rep]) -> dict[str, tuple[LatLon, LatLon]]:
    records = unit.records(area)
    asked = (records.location(kind, key) for rep in reps for kind, key, _ in addresses_of(rep))
    return Snapshot(tuple(reps), (), (), tuple(filter(None, asked))).homes()[0]
