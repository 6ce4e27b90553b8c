"""One rep's day on the desk of whoever is about to change it: what may be put where, and how it is shown afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from planner.candidates import Visit, VisitKind, promised_visit
from planner.domain import Account, Opportunity, RecordKind
from planner.errors import SlotGoneError
from planner.fieldwork.domain import DayProgress
from planner.plan_document import RepDay, Stop, rep_day, untimed_stop
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import AgendaVisit, Visits, contested, keeps, with_visit
from planner.slots.domain import Booking, ChangedDay
from planner.slots.legs import Legs, Numbering
from planner.slots.lookups import Asked
from planner.slots.working_order import AgendaDay, Workshop
from planner.translation import visit_windows
from planner.visit_ids import record_behind
from routing.geo import LatLon
from routing.insertion import Itinerary, timed
from routing.problem import DAY_S, Problem, TimeWindow
from routing.resequencing import resequenced
from routing.solution import Route
from routing.timing import NEVER, Labels, labelled
from routing.traffic import during

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
        supposed: DayProgress | None = None,
        lookup: Asked | None = None,
    ) -> Desk:
        """The day as `unit` has it, which sees the whole area; `more` are the places of visits that may come to it.

        `supposed` and `lookup` are as for `Agendas.day`.

        Raises:
            NotFoundError: there is no such rep, or nobody knows where the rep starts.
        """
        day = agendas.day(unit, area, rep_id, on, supposed, lookup)
        numbering, legs = Numbering(), Legs(agendas.source(area), settings.traffic)
        for place in day.places:
            numbering[place]
        legs.learn([day.start, day.working_day.end, *(visit.place for visit in day.listed), *more])
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
        problem = self.problem(active)
        order = resequenced(problem, problem.shifts[0], problem.jobs)
        by_id = {each.id: each for each in active}
        found: Visits | None = tuple(by_id[job.id] for job in order) if order is not None else None
        for each in everything:
            if found is not None and not each.held and each.id in aside:
                found = self.with_visit(found, each)
        return found

    def problem(self, visits: Sequence[AgendaVisit]) -> Problem:
        """What is listed of the day and some visits as a problem of one shift, its jobs in their order."""
        start, end = self.day.start, self.day.working_day.end
        places = list(dict.fromkeys([start, end, *(each.place for each in visits)]))
        number = {place: i for i, place in enumerate(places)}
        driven = self.day.driven
        known = self.workshop.legs
        legs = [[known.along([a, b], driven)[0] for b in places] for a in places]
        hours = [[known.hours(a, b) for b in places] for a in places] if known.slowed else []
        shift = replace(self.day.itinerary.shift, start_place=number[start], end_place=number[end])
        jobs = [replace(each.job, place=number[each.place]) for each in visits]
        return Problem(
            tuple(jobs),
            (shift,),
            [[s for s, _ in line] for line in legs],
            [[m for _, m in line] for line in legs],
            tables=tuple([[leg[k] for leg in line] for line in hours] for k in range(1, len(known.slowed) + 1)),
            traffic=during(self.day.itinerary.traffic, shift.start_s, shift.end_s),
        )

    def changed(self, listed: Visits, *, shown: bool, gone: AbstractSet[str] = frozenset()) -> ChangedDay:
        """The day with another order as it is stored; `shown` where everybody sees it anew.

        Of a day that has begun, what is over or left out keeps its place in the order, but for what is `gone`.
        """
        row = self.row
        if not shown:
            route = row.route if row is not None else None
        else:
            visits = [visit for visit in listed if not visit.held]
            there = visits or self.day.shown is not None or self.day.begun is not None
            route = self._shown(visits) if there else None
        rep_id, on = self.day.rep.id, self.day.working_day.day
        order = self._with_what_is_over([visit.id for visit in listed], gone)
        return ChangedDay(self.area, rep_id, on, self.day.revision + 1, self.day.plan_version, order, route)

    def _with_what_is_over(self, listed: list[str], gone: AbstractSet[str]) -> tuple[str, ...]:
        """An order of what is left with what is not, behind what it stood behind before."""
        begun = self.day.begun
        if begun is None:
            return tuple(listed)
        order, before = list(listed), -1
        for id_ in begun.base:
            if id_ in begun.aside and id_ not in gone and id_ not in order:
                order.insert(before + 1, id_)
            before = order.index(id_) if id_ in order else before
        return tuple(order)

    def _shown(self, visits: Sequence[AgendaVisit]) -> RepDay:
        """The day as everybody sees it."""
        begun, day = self.day.begun, self.day
        shift = self.day.itinerary.shift if begun is None else begun.whole
        if begun is not None and begun.sick:
            visits = ()
        route = self.timing(visits)
        jobs, stops = {visit.id: visit.job for visit in visits}, {visit.id: self._stop(visit) for visit in visits}
        if begun is not None:
            home = day.working_day
            route = begun.route(route, home.start, home.end, self.workshop.ways(day.driven))
            jobs |= {made.visit.id: made.job for made in begun.made}
            stops |= {made.visit.id: self._stop(made.visit) for made in begun.made}
        shown = rep_day(day.working_day, shift, route, jobs, stops, day.local)
        if begun is not None and begun.sick:
            shown.pop("break_missed", None)  # who is off sick misses no break
        return shown

    def timing(self, visits: Sequence[AgendaVisit]) -> Route | None:
        """When some visits, in their order, are made: those that cannot be in time are late. None where there are none.

        Raises:
            SlotGoneError: no way leads along them.
        """
        if not visits:
            return None
        route = self._in_time(visits) or self._late(visits)
        if route is None:
            raise SlotGoneError("no way leads along this day any more: make and publish a new plan first")
        return route

    def _in_time(self, visits: Sequence[AgendaVisit]) -> Route | None:
        """A day that has begun is done as soon as it can be; nobody leaves home earlier for it than was planned."""
        itinerary, begun = self.itinerary(visits), self.day.begun
        if begun is None:
            return timed(itinerary)
        shift, as_planned = itinerary.shift, None
        latest_s = shift.break_.start_s if shift.break_ is not None else shift.end_s - 1
        if begun.depart_s is not None and shift.start_s < begun.depart_s <= latest_s:
            as_planned = timed(replace(itinerary, shift=replace(shift, start_s=begun.depart_s)), at_once=True)
        return as_planned or timed(itinerary, at_once=True)

    def _late(self, visits: Sequence[AgendaVisit]) -> Route | None:
        """What cannot begin in its windows begins when the rep gets there, and the day ends when it does; all that can
        be in time is."""
        itinerary = self.itinerary(visits)
        late_s = itinerary.shift.end_s + DAY_S
        longer = replace(itinerary.shift, end_s=late_s, max_jobs=None)
        for shift in (longer, replace(longer, break_=None)):
            jobs = list(itinerary.jobs)
            for _ in visits:
                late = _too_late(labelled(shift, jobs, itinerary.drive_s, itinerary.tables, itinerary.traffic)[0])
                if late is None or jobs[late] is not itinerary.jobs[late]:
                    break
                promise = visits[late].booking  # whose window the working hours may have cut off
                opens_s = self.day.clock.at_instant(promise.start) if promise is not None else 0
                jobs[late] = replace(jobs[late], windows=(TimeWindow(opens_s, max(opens_s, late_s)),))
            if (route := timed(replace(itinerary, shift=shift, jobs=tuple(jobs)), at_once=True)) is not None:
                return route
        return None

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
        record_id = record_behind(visit.id)[1]
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


def _too_late(earliest: Sequence[Labels]) -> int | None:
    """The first job that cannot be begun in time or, where there is no time for the break, before which it was due."""
    never = next((k for k, labels in enumerate(earliest) if min(labels) >= NEVER), None)
    if never is not None:
        return never - 1
    if earliest[-1][1] >= NEVER:
        return max((k for k, (_, taken) in enumerate(earliest) if taken < NEVER), default=None)
    return None
