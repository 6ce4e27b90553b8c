"""Appointments that were agreed elsewhere and that no plan has given to a rep yet: they take somebody's time too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from planner.domain import Account, Opportunity, RecordKind
from planner.handoffs.domain import TO_VISIT
from planner.repository import UnitOfWork
from planner.slots.domain import BookingState
from planner.slots.facts import Lookup
from planner.slots.lookups import place_of
from planner.slots.working_order import (
    AgendaDay,
    Workshop,
    placed,
)
from planner.visit_ids import visit_id
from routing.geo import LatLon
from routing.insertion import Itineraries
from routing.problem import TimeWindow


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


def appointments_from(
    unit: UnitOfWork, area: str, first_day: date, lookup: Lookup, only: date | None = None
) -> Iterator[Appointment]:
    """Those that are located, from a day on or on one only, by time."""
    for opportunity in unit.records(area).appointments(first_day):
        assert opportunity.appointment is not None
        if only is not None and opportunity.appointment.date() != only:
            continue
        place = lookup.place(opportunity) or place_of(unit.records(area), opportunity)
        if place is None:
            continue
        account = lookup.record(RecordKind.ACCOUNT, opportunity.account_id)
        yield Appointment(opportunity, place, account if isinstance(account, Account) else None)


def not_placed(appointments: Iterable[Appointment], days: Iterable[AgendaDay]) -> list[Appointment]:
    """Those that are in none of the days."""
    there = frozenset[str]().union(*(day.named for day in days))
    return [appointment for appointment in appointments if appointment.visit_id not in there]


def still_to_make(unit: UnitOfWork, area: str, appointment: Appointment) -> bool:
    """The field still has the visit to make, and nobody has booked it for another time."""
    id_ = appointment.opportunity.id
    handoff = unit.handoffs.get(area, id_)
    booked = unit.bookings.count(area=area, opportunity_id=id_, state=BookingState.PROMISED)
    return not booked and (handoff is None or handoff.state in TO_VISIT)


def with_appointments(
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
