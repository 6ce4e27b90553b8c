"""One rep's day on the desk of whoever is about to change it: what may be put where, and how it is shown afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from planner.candidates import Visit, VisitKind, promised_visit
from planner.domain import Account, Opportunity, RecordKind
from planner.errors import SlotGoneError
from planner.plan_document import RepDay, Stop, rep_day, untimed_stop
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import AgendaVisit, Visits, contested, keeps, with_visit
from planner.slots.domain import Booking, ChangedDay
from planner.slots.legs import Legs, Numbering
from planner.slots.working_order import AgendaDay, Workshop
from planner.translation import visit_windows
from routing.geo import LatLon
from routing.insertion import Itinerary, timed
from routing.problem import DAY_S, Job, Problem, TimeWindow
from routing.resequencing import resequenced
from routing.solution import Route

MOST_CONTESTED = 3
"""So many opportunities of one day may be tried at other times of it at once: each doubles what has to be looked at."""


@dataclass(frozen=True)
class Desk:
    """A rep's day with what is needed to change it. `row` is what bookings made of it so far, in the present plan."""

    unit: UnitOfWork
    area: str
    day: AgendaDay
    workshop: Workshop
    row: ChangedDay | None

    @classmethod
    def of(
        cls,
        unit: UnitOfWork,
        agendas: Agendas,
        area: str,
        rep_id: str,
        on: date,
        settings: Settings,
        *more: LatLon,
    ) -> Desk:
        """The day as `unit` has it, which sees the whole area; `more` are the places of visits that may come to it.

        Raises:
            NotFoundError: there is no such rep, or nobody knows where the rep starts.
        """
        day = agendas.day(unit, area, rep_id, on)
        numbering, legs = Numbering(), Legs(agendas.source(area))
        for place in day.places:
            numbering[place]
        home = day.working_day
        legs.learn([home.start, home.end, *(visit.place for visit in day.listed), *more])
        row = unit.changed_days.get(area, rep_id, on)
        row = row if row is not None and row.plan_version == day.plan_version else None
        return cls(unit, area, day, Workshop(day.clock.epoch, day.clock.zone, settings, legs, numbering), row)

    def booked(self, booking: Booking) -> AgendaVisit:
        """The visit of a hold or a promise."""
        return self.workshop.booked(booking, self.day.clock, self.day.itinerary.shift)

    def opens(self, booking: Booking) -> bool:
        """Whether its hours leave any time within the window."""
        visit = Visit(
            id=booking.visit_id,
            kind=VisitKind.APPOINTMENT,
            record_ids=(),
            name=booking.name,
            address=booking.address,
            place=booking.place,
            service_minutes=booking.service_minutes,
            why="",
            worth=None,
            hours=(booking.hours,) if booking.hours else (),
            promise=booking,
        )
        return not booking.hours or bool(visit_windows(visit, self.day.clock))

    def itinerary(self, visits: Sequence[AgendaVisit]) -> Itinerary:
        """Some visits in their order."""
        return self.day.arranged(visits, self.workshop.legs)

    def keeps(self, listed: Visits) -> bool:
        """Whether everything that anybody was told can be kept in this order, whatever becomes of the holds."""
        return keeps(listed, self.itinerary)

    def with_visit(self, listed: Visits, visit: AgendaVisit) -> Visits | None:
        """The order with one more visit where that adds least driving, nothing else moved; None where it fits nowhere.

        Raises:
            SlotGoneError: too much of the day is being tried at other times.
        """
        if len(contested([*listed, visit])) > MOST_CONTESTED:
            raise SlotGoneError("too many visits of this day are being moved just now: try again in some minutes")
        return with_visit(listed, visit, self.itinerary)

    def resequenced(self, listed: Visits, visit: AgendaVisit) -> Visits | None:
        """All visits and one more in another order; None where there is none in which everything fits."""
        everything = (*listed, visit)
        aside = contested(everything)
        active = [each for each in everything if each.held or each.id not in aside]
        home = self.day.working_day
        places = list(dict.fromkeys([home.start, home.end, *(each.place for each in active)]))
        number = {place: i for i, place in enumerate(places)}
        driven = self.day.driven
        legs = [[self.workshop.legs.along([a, b], driven)[0] for b in places] for a in places]
        shift = replace(self.day.itinerary.shift, start_place=number[home.start], end_place=number[home.end])
        jobs = [replace(each.job, place=number[each.place]) for each in active]
        problem = Problem(
            tuple(jobs), (shift,), [[s for s, _ in line] for line in legs], [[m for _, m in line] for line in legs]
        )
        order = resequenced(problem, shift, jobs)
        by_id = {each.id: each for each in active}
        found: Visits | None = tuple(by_id[job.id] for job in order) if order is not None else None
        for each in everything:
            if found is not None and not each.held and each.id in aside:
                found = self.with_visit(found, each)
        return found

    def changed(self, listed: Visits, *, shown: bool) -> ChangedDay:
        """The day with another order as it is stored; `shown` where everybody sees it anew."""
        row = self.row
        if not shown:
            route = row.route if row is not None else None
        else:
            visits = [visit for visit in listed if not visit.held]
            route = self._shown(visits) if visits or self.day.shown is not None else None
        rep_id, on = self.day.rep.id, self.day.working_day.day
        order = tuple(visit.id for visit in listed)
        return ChangedDay(self.area, rep_id, on, self.day.revision + 1, self.day.plan_version, order, route)

    def _shown(self, visits: Sequence[AgendaVisit]) -> RepDay:
        """The day as everybody sees it."""
        itinerary = self.itinerary(visits)
        route = timed(itinerary) or self._in_any_case(visits) if visits else None
        if visits and route is None:
            raise SlotGoneError("no way leads along this day any more: make and publish a new plan first")
        stops = {visit.id: self._stop(visit) for visit in visits}
        jobs = {visit.id: visit.job for visit in visits}
        return rep_day(self.day.working_day, itinerary.shift, route, jobs, stops, self.day.local)

    def _in_any_case(self, visits: Sequence[AgendaVisit]) -> Route | None:
        """When everything would happen if no door ever closed: what is shown of a day whose records have changed."""
        itinerary = self.itinerary(visits)
        shift, late_s = itinerary.shift, itinerary.shift.end_s + DAY_S

        def patient(visit: AgendaVisit) -> Job:
            open_s = visit.job.windows[0].start_s if visit.job.windows else 0
            if visit.booking is not None:
                open_s = self.day.clock.at_instant(visit.booking.start)
            return replace(visit.job, windows=(TimeWindow(open_s, max(open_s, late_s)),))

        jobs, longer = tuple(map(patient, visits)), replace(shift, end_s=late_s, max_jobs=None)
        found = (timed(replace(itinerary, shift=each, jobs=jobs)) for each in (longer, replace(longer, break_=None)))
        return next(filter(None, found), None)

    def promised_stop(self, promise: Booking, opportunity: Opportunity) -> Stop:
        """What is told of a promise, its times aside."""
        account = self.unit.records(self.area).get(RecordKind.ACCOUNT, opportunity.account_id)
        theirs = account if isinstance(account, Account) else None
        day, gate = self.day, self.workshop.settings.gate
        return untimed_stop(promised_visit(promise, opportunity, theirs, day.rep, day.clock.zone, gate))

    def _stop(self, visit: AgendaVisit) -> Stop:
        """What is told of a visit, its times aside: as in the plan, or of what no plan has placed yet."""
        if visit.stop is not None:
            return visit.stop
        record_id = visit.id.partition(":")[2]
        if visit.booking is not None:
            found = self.unit.records(self.area).get(RecordKind.OPPORTUNITY, record_id)
            if isinstance(found, Opportunity):
                return self.promised_stop(visit.booking, found)
        kind = VisitKind.APPOINTMENT if visit.promised else VisitKind.DUE
        why = "appointment agreed" if visit.promised else ""
        minutes = visit.job.service_s // 60
        return untimed_stop(
            Visit(visit.id, kind, (record_id,), visit.name, visit.address, visit.place, minutes, why, None)
        )
