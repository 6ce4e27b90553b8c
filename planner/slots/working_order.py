"""One rep's day as it stands now: what is done in which order, and when each visit may begin at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from planner.candidates import Visit, VisitKind
from planner.domain import Opportunity, RecordKind, Rep
from planner.plan_document import RepDay, Stop
from planner.rush_hours import changes
from planner.settings import Settings
from planner.slots.alternatives import AgendaVisit, contested
from planner.slots.alternatives import with_visit as with_visit_kept
from planner.slots.begun import Begun, begun
from planner.slots.domain import Booking, BookingState
from planner.slots.facts import Behind, DayFacts, Visited, legs_told
from planner.slots.legs import Legs, Numbering, Told, Ways
from planner.translation import Clock, WorkingDay, shift_of, visit_windows
from planner.visit_ids import visit_id
from routing.geo import LatLon
from routing.insertion import Itineraries, Itinerary, inserted, overlaps, timed
from routing.problem import UNREACHABLE, Job, Shift, TimeWindow
from routing.solution import Route
from routing.timing import setup_s
from routing.traffic import Change
from routing.travel_times import FanTimes

REACH = timedelta(days=370)
"""So many days after the epoch end the last that are told by it."""


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
        begun: what stands of a day that has begun, whose listed visits and itinerary are the rest of it; None of a day
            that is as it was planned and booked.
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
    begun: Begun | None = None

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
    def start(self) -> LatLon:
        """Where what is listed starts from."""
        return self.begun.place if self.begun is not None else self.working_day.start

    @property
    def named(self) -> frozenset[str]:
        """Ids of all its visits, those that are over or left out among them."""
        return frozenset(self.order) | (self.begun.aside if self.begun is not None else frozenset())

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
        places = [self.start, *(visit.place for visit in self.visits), self.working_day.end]
        return dict(
            zip(pairwise(places), zip(self.itinerary.drive_s, self.itinerary.drive_m, strict=True), strict=True)
        )

    def arranged(self, visits: Sequence[AgendaVisit], legs: Legs) -> Itinerary:
        """Some visits in some order."""
        places = [self.start, *(visit.place for visit in visits), self.working_day.end]
        jobs = tuple(visit.job for visit in visits)
        return legs.itinerary(self.itinerary.shift, jobs, places, self.driven, self.itinerary.traffic)

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
        """Working time that is neither driving (on free roads), parking, service nor break."""
        shift, jobs = self.itinerary.shift, self.itinerary.jobs
        parking = sum(setup_s(before, job) for before, job in zip(self.itinerary.places, jobs, strict=False))
        rest = shift.break_.duration_s if shift.break_ else 0
        busy = sum(self.itinerary.drive_s) + parking + sum(job.service_s for job in jobs) + rest
        return shift.end_s - shift.start_s - busy


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

    @cached_property
    def traffic(self) -> tuple[Change, ...]:
        """When driving takes longer, on all days that are asked about with one epoch."""
        first_day = self.epoch.date()
        return changes(self.settings.traffic, self.epoch, first_day, first_day + REACH, self.zone)

    def ways(self, told: Told) -> Ways:
        return Ways(self.legs, told, self.traffic)

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
        rest = self._begun(facts, listed, clock, shift)
        if rest is not None:
            shift, listed = rest.shift, self._in_order(facts, rest)
        aside = contested([*listed, *missing])
        visits = [visit for visit in listed if visit.held or visit.id not in aside]
        start = rest.place if rest is not None else working_day.start
        day = AgendaDay(
            working_day,
            facts.works,
            facts.revision,
            facts.plan_version,
            listed,
            tuple(visits),
            self._itinerary(shift, start, visits, facts),
            facts.shown,
            self.numbering.places,
            clock,
            rest,
        )
        for visit in missing:
            if visit.held or visit.id not in aside:
                day = self.with_visit(day, visit)
            else:
                day = replace(day, listed=(*day.listed, visit))
        return day

    def _begun(self, facts: DayFacts, listed: Sequence[AgendaVisit], clock: Clock, shift: Shift) -> Begun | None:
        """What stands of a day of which phones have said something."""
        if not facts.said.anything:
            return None
        told = legs_told(facts)
        found = begun(
            facts.said,
            listed,
            facts.order,
            facts.planned,
            clock,
            shift,
            facts.working_day.start,
            self.ways(told),
        )
        return replace(found, shift=replace(found.shift, start_place=self.numbering[found.place]))

    def _in_order(self, facts: DayFacts, rest: Begun) -> tuple[AgendaVisit, ...]:
        """What is left: what has no place yet gets the cheapest that keeps everything or, where none does, the last."""
        listed = rest.rest
        if rest.loose:
            end = facts.working_day.end
            self.legs.learn([rest.place, end, *(visit.place for visit in (*listed, *rest.loose))])
        for visit in rest.loose:
            kept = with_visit_kept(listed, visit, lambda visits: self._itinerary(rest.shift, rest.place, visits, facts))
            listed = kept if kept is not None else (*listed, visit)
        return listed

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
        stops, said = facts.stops, facts.said.anything
        planned = facts.as_planned if said else {}
        live = {booking.order_id: booking for booking in facts.bookings}
        done: set[str] = set()
        for id_ in facts.named:
            behind = facts.behind.get(id_, Behind(()))
            visit: AgendaVisit | None = None
            if id_ in live:
                visit = replace(self.booked(live[id_], clock, shift), stop=stops.get(id_))
            elif id_ in stops:
                stop = stops[id_]
                times = planned.get(id_) if said else stop
                visit = self._planned(stop, times, behind.records, clock, shift)
            elif behind.records and behind.place is not None:
                visit = self.added(behind.records[0], behind.place, clock, shift)
            if visit is not None and visit.id not in done:
                done.add(visit.id)
                yield visit

    def _planned(
        self, stop: Stop, as_planned: Stop | None, records: Sequence[Visited], clock: Clock, shift: Shift
    ) -> AgendaVisit:
        """A stop of the plan, within what its record says; at its planned time where that no longer allows it.

        `as_planned` has that time. It is None of a stop whose times are only what came of a day that has begun: those
        bind nobody.
        """
        times = as_planned or stop
        begin, leave = datetime.fromisoformat(times["begin"]), datetime.fromisoformat(times["leave"])
        begin_s, service_minutes = clock.at_instant(begin), round((leave - begin).total_seconds() / 60)
        place = LatLon(stop["lat"], stop["lon"])
        promised = stop["kind"] == VisitKind.APPOINTMENT
        appointment = next((r.appointment for r in records if isinstance(r, Opportunity)), None)
        visit = _visit(stop["visit_id"], stop["name"], stop["address"], place, service_minutes)
        windows: tuple[TimeWindow, ...] = ()
        if records and promised == (appointment is not None):
            hours = tuple(filter(None, map(_hours_of, records)))
            windows = visit_windows(replace(visit, hours=hours, appointment=appointment), clock)
        if as_planned is None:
            windows = windows or (TimeWindow(shift.start_s, shift.end_s),)
        elif not any(window.start_s <= begin_s <= window.end_s for window in windows):
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

    def _itinerary(self, shift: Shift, start: LatLon, visits: Sequence[AgendaVisit], facts: DayFacts) -> Itinerary:
        places = [start, *(visit.place for visit in visits), facts.working_day.end]
        jobs = tuple(visit.job for visit in visits)
        return self.legs.itinerary(shift, jobs, places, legs_told(facts), self.traffic)

    def times_around(self, day: AgendaDay, place: LatLon) -> FanTimes:
        """Those between a place and the places of one day, as the indices of `numbering`; other places are far away."""
        here = list(dict.fromkeys(day.itinerary.places))
        square, *others = self.legs.squares([place, *(self.numbering.places[i] for i in here)])

        def column(line: NDArray[np.int32]) -> NDArray[np.int32]:
            whole = np.full(len(self.numbering.places), UNREACHABLE, dtype=np.int32)
            whole[here] = line
            return whole

        return FanTimes(
            column(square.seconds[1:, 0]),
            column(square.metres[1:, 0]),
            column(square.seconds[0, 1:]),
            column(square.metres[0, 1:]),
            tuple((column(other.seconds[1:, 0]), column(other.seconds[0, 1:])) for other in others),
        )


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
