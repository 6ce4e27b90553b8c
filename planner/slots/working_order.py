"""One rep's day as it stands now: what is done in which order, and when each visit may begin at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Protocol, cast
from zoneinfo import ZoneInfo

import numpy as np

from planner.candidates import Visit, VisitKind, visit_id
from planner.domain import Account, Opportunity, Record, RecordKind, Rep
from planner.plan_document import RepDay, Stop
from planner.settings import Settings
from planner.slots.alternatives import AgendaVisit, contested
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.slots.legs import Legs, Numbering
from planner.translation import Clock, WorkingDay, shift_of, visit_windows
from routing.geo import LatLon
from routing.insertion import Itineraries, Itinerary, inserted, overlaps, timed
from routing.problem import UNREACHABLE, Job, Shift, TimeWindow
from routing.solution import Route
from routing.timing import setup_s
from routing.travel_times import FanTimes

Visited = Account | Opportunity


@dataclass(frozen=True)
class AgendaDay:
    """One rep's day: what is done, in which order, and the legs between.

    Attributes:
        works: whether the rep works on this day at all; nothing may be booked otherwise.
        revision: of its `ChangedDay`; 0 where bookings have not changed it.
        plan_version: of the published plan that covers the day; 0 where none does.
        listed: all that the order names. The visit to an opportunity for which another time of the same day is held is
            set aside meanwhile: it will be the one or the other, and never both.
        visits: those listed that are not set aside.
        itinerary: the same visits as jobs; its numbers of places are indices into `places`.
        shown: the day as everybody sees it; None where nothing is planned.
        clock: tells the seconds of the itinerary from local times.
    """

    working_day: WorkingDay
    works: bool
    revision: int
    plan_version: int
    listed: tuple[AgendaVisit, ...]
    visits: tuple[AgendaVisit, ...]
    itinerary: Itinerary
    shown: RepDay | None
    places: Sequence[LatLon]
    clock: Clock

    @property
    def rep(self) -> Rep:
        return self.working_day.rep

    @property
    def id(self) -> str:
        """Of the day and of its shift: "<rep id>@<date>"."""
        return self.working_day.id

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(visit.id for visit in self.listed)

    @property
    def moving(self) -> bool:
        """Whether something of it may come to be at another time of the same day."""
        return len(self.visits) < len(self.listed)

    def local(self, seconds: int) -> datetime:
        """A time of the itinerary in the rep's zone."""
        return self.clock.local(seconds, self.rep.zone)

    @property
    def driven(self) -> Mapping[tuple[LatLon, LatLon], tuple[int, int]]:
        """The legs of the day as it is: a plan keeps those that it was made with."""
        places = [self.working_day.start, *(visit.place for visit in self.visits), self.working_day.end]
        return dict(
            zip(pairwise(places), zip(self.itinerary.drive_s, self.itinerary.drive_m, strict=True), strict=True)
        )

    def arranged(self, visits: Sequence[AgendaVisit], legs: Legs) -> Itinerary:
        """Some visits in some order."""
        home = self.working_day
        found = legs.along([home.start, *(visit.place for visit in visits), home.end], self.driven)
        jobs = tuple(visit.job for visit in visits)
        return Itinerary(self.itinerary.shift, jobs, tuple(leg[0] for leg in found), tuple(leg[1] for leg in found))

    def timed(self) -> Route | None:
        """When everything happens, holds included; None where it cannot, or where nobody is visited."""
        return self._timed

    @cached_property
    def _timed(self) -> Route | None:
        return timed(self.itinerary)

    @property
    def noon_s(self) -> int:
        """The middle of the working hours."""
        return (self.itinerary.shift.start_s + self.itinerary.shift.end_s) // 2

    @cached_property
    def spare_s(self) -> int:
        """Working time that is neither driving, parking, service nor break."""
        shift, jobs = self.itinerary.shift, self.itinerary.jobs
        parking = sum(setup_s(before, job) for before, job in zip(self.itinerary.places, jobs, strict=False))
        rest = shift.break_.duration_s if shift.break_ else 0
        busy = sum(self.itinerary.drive_s) + parking + sum(job.service_s for job in jobs) + rest
        return shift.end_s - shift.start_s - busy


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
    """

    working_day: WorkingDay
    works: bool
    revision: int
    plan_version: int
    planned: RepDay | None
    changed: ChangedDay | None
    bookings: tuple[Booking, ...]
    behind: Mapping[str, Behind]

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


def records_behind(stops: Mapping[str, Stop], order: Sequence[str], lookup: Lookup) -> dict[str, Behind]:
    """What is behind the visits of a day, as `DayFacts.behind`."""
    found: dict[str, Behind] = {}
    for id_ in order:
        kind, _, record_id = id_.partition(":")
        if kind not in (RecordKind.OPPORTUNITY, RecordKind.ACCOUNT):
            continue
        keys = [(RecordKind(kind), record_id)]
        if kind == RecordKind.OPPORTUNITY and id_ in stops:
            keys += [(RecordKind.ACCOUNT, account) for account in stops[id_]["record_ids"][1:]]
        records = tuple(record for key in keys if isinstance(record := lookup.record(*key), Visited))
        if records:
            found[id_] = Behind(records, None if id_ in stops else lookup.place(records[0]))
    return found


@dataclass(frozen=True)
class Workshop:
    """What days are made with.

    Attributes:
        epoch: the instant at which the seconds of all days begin.
        zone: of the area's customers.
        numbering: of the places that all days made here share.
    """

    epoch: datetime
    zone: ZoneInfo
    settings: Settings
    legs: Legs
    numbering: Numbering = field(default_factory=Numbering)

    def day(self, facts: DayFacts) -> AgendaDay:
        """The day that follows from some facts.

        Everything that is live and has no place in the order (which would be a defect elsewhere) gets the cheapest one.
        """
        working_day = facts.working_day
        shift = shift_of(working_day, self.epoch, self.numbering)
        clock = Clock(self.epoch, working_day.day, working_day.day, self.zone, shift.end_s)
        listed = tuple(self._visits(facts, shift, clock))
        there = {visit.booking.id for visit in listed if visit.booking}
        missing = [self.booked(booking, clock, shift) for booking in facts.bookings if booking.id not in there]
        aside = contested([*listed, *missing])
        visits = [visit for visit in listed if visit.held or visit.id not in aside]
        day = AgendaDay(
            working_day,
            facts.works,
            facts.revision,
            facts.plan_version,
            listed,
            tuple(visits),
            self._itinerary(shift, visits, facts),
            facts.shown,
            self.numbering.places,
            clock,
        )
        for visit in missing:
            if visit.held or visit.id not in aside:
                day = self.with_visit(day, visit)
            else:
                day = replace(day, listed=(*day.listed, visit))
        return day

    def with_visit(self, day: AgendaDay, visit: AgendaVisit) -> AgendaDay:
        """The day with one more visit where that adds least driving; at its end where it fits nowhere."""
        times = self.times_around(day, visit.place)
        windows = [[TimeWindow(day.itinerary.shift.start_s, day.itinerary.shift.end_s)]]
        openings = Itineraries([day.itinerary], len(self.numbering.places)).openings(visit.job, times, windows)
        return placed(day, visit, openings[0].position if len(openings) else len(day.visits), times)

    def booked(self, booking: Booking, clock: Clock, shift: Shift) -> AgendaVisit:
        """The visit of a hold or a promise."""
        held = booking.state is BookingState.HELD
        id_ = booking.order_id
        hours = (booking.hours,) if booking.hours else ()
        visit = _visit(id_, booking.name, booking.address, booking.place, booking.service_minutes, hours=hours)
        windows = visit_windows(replace(visit, promise=booking), clock)
        # What was promised counts, whatever the hours say now.
        windows = windows or visit_windows(replace(visit, promise=booking, hours=()), clock)
        return AgendaVisit(
            id_,
            booking.name,
            booking.address,
            booking.place,
            self._job(visit, windows, shift),
            promised=not held,
            held=held,
            booking=booking,
        )

    def appointed(self, opportunity: Opportunity, place: LatLon, clock: Clock, shift: Shift) -> AgendaVisit:
        """The visit of an appointment that was agreed elsewhere."""
        visit = _visit(
            visit_id(RecordKind.OPPORTUNITY, opportunity.id),
            opportunity.name,
            str(opportunity.address),
            place,
            opportunity.visit_minutes or self.settings.candidates.visit_minutes,
            appointment=opportunity.appointment,
        )
        job = self._job(visit, visit_windows(visit, clock), shift)
        return AgendaVisit(visit.id, visit.name, visit.address, place, job, promised=True, held=False)

    def _visits(self, facts: DayFacts, shift: Shift, clock: Clock) -> Iterator[AgendaVisit]:
        """What the order names, each once, without what is over."""
        stops = facts.stops
        live = {booking.order_id: booking for booking in facts.bookings}
        done: set[str] = set()
        for id_ in facts.order:
            behind = facts.behind.get(id_, Behind(()))
            visit: AgendaVisit | None = None
            if id_ in live:
                visit = replace(self.booked(live[id_], clock, shift), stop=stops.get(id_))
            elif id_ in stops:
                visit = self._planned(stops[id_], behind.records, clock, shift)
            elif behind.records and behind.place is not None:
                visit = self.added(behind.records[0], behind.place, clock, shift)
            if visit is not None and visit.id not in done:
                done.add(visit.id)
                yield visit

    def _planned(self, stop: Stop, records: Sequence[Visited], clock: Clock, shift: Shift) -> AgendaVisit:
        """A stop of the plan, within what its record says; at its planned time where that no longer allows it."""
        begin, leave = datetime.fromisoformat(stop["begin"]), datetime.fromisoformat(stop["leave"])
        begin_s, service_minutes = clock.at_instant(begin), round((leave - begin).total_seconds() / 60)
        place = LatLon(stop["lat"], stop["lon"])
        promised = stop["kind"] == VisitKind.APPOINTMENT
        appointment = next((r.appointment for r in records if isinstance(r, Opportunity)), None)
        visit = _visit(stop["visit_id"], stop["name"], stop["address"], place, service_minutes)
        windows: tuple[TimeWindow, ...] = ()
        if records and promised == (appointment is not None):
            hours = tuple(filter(None, map(_hours_of, records)))
            windows = visit_windows(replace(visit, hours=hours, appointment=appointment), clock)
        if not any(window.start_s <= begin_s <= window.end_s for window in windows):
            windows = (TimeWindow(begin_s, begin_s),)
        job = self._job(visit, windows, shift)
        return AgendaVisit(visit.id, visit.name, visit.address, place, job, promised=promised, held=False, stop=stop)

    def added(self, record: Visited, place: LatLon, clock: Clock, shift: Shift) -> AgendaVisit | None:
        """A visit that the order names and nobody has planned; None of an appointment that is on another day by now."""
        if isinstance(record, Opportunity) and record.appointment is not None:
            on_this_day = record.appointment.date() == clock.first_day
            return self.appointed(record, place, clock, shift) if on_this_day else None
        minutes = record.visit_minutes or self.settings.candidates.visit_minutes
        hours = tuple(filter(None, [_hours_of(record)]))
        visit = _visit(visit_id(record.kind, record.id), record.name, str(record.address), place, minutes, hours=hours)
        job = self._job(visit, visit_windows(visit, clock), shift)
        return AgendaVisit(visit.id, visit.name, visit.address, place, job, promised=False, held=False)

    def _job(self, visit: Visit, windows: Sequence[TimeWindow], shift: Shift) -> Job:
        hours = TimeWindow(shift.start_s, shift.end_s)
        return Job(
            id=visit.id,
            place=self.numbering[visit.place],
            service_s=visit.service_minutes * 60,
            windows=tuple(overlaps(windows, hours)),
            setup_s=self.settings.candidates.parking_minutes * 60,
            vehicles=frozenset([shift.vehicle]),
        )

    def _itinerary(self, shift: Shift, visits: Sequence[AgendaVisit], facts: DayFacts) -> Itinerary:
        day = facts.working_day
        places = [day.start, *(visit.place for visit in visits), day.end]
        told: dict[tuple[LatLon, LatLon], tuple[int, int]] = {}
        for shown in (facts.planned, facts.shown):
            if shown is not None:
                told.update(_legs_of(shown))
        legs = self.legs.along(places, told)
        jobs = tuple(visit.job for visit in visits)
        return Itinerary(shift, jobs, tuple(leg[0] for leg in legs), tuple(leg[1] for leg in legs))

    def times_around(self, day: AgendaDay, place: LatLon) -> FanTimes:
        """Those between a place and the places of one day, as the indices of `numbering`; other places are far away."""
        here = list(dict.fromkeys(day.itinerary.places))
        square = self.legs.source.travel_times([place, *(self.numbering.places[i] for i in here)])
        columns = []
        for line in (square.seconds[1:, 0], square.metres[1:, 0], square.seconds[0, 1:], square.metres[0, 1:]):
            column = np.full(len(self.numbering.places), UNREACHABLE, dtype=np.int32)
            column[here] = line
            columns.append(column)
        return FanTimes(*columns)


def placed(day: AgendaDay, visit: AgendaVisit, position: int, times: FanTimes) -> AgendaDay:
    """The day with one more visit, as its number `position` (from 0)."""
    visits = (*day.visits[:position], visit, *day.visits[position:])
    at = day.listed.index(day.visits[position]) if position < len(day.visits) else len(day.listed)
    listed = (*day.listed[:at], visit, *day.listed[at:])
    return replace(day, listed=listed, visits=visits, itinerary=inserted(day.itinerary, visit.job, position, times))


def _visit(
    id_: str,
    name: str,
    address: str,
    place: LatLon,
    service_minutes: int,
    hours: tuple[str, ...] = (),
    appointment: datetime | None = None,
) -> Visit:
    """What `visit_windows` asks about."""
    return Visit(
        id_, VisitKind.OPPORTUNITY, (), name, address, place, service_minutes, "", None, hours, appointment=appointment
    )


def _hours_of(record: Visited) -> str:
    return record.availability if isinstance(record, Opportunity) else record.opening_hours


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
