"""What a rep's day may come to be while some of its times are held: whatever anybody was told is kept in each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from planner.plan_document import Stop
from planner.slots.domain import Booking, BookingState
from routing.geo import LatLon
from routing.insertion import Itinerary, driving_s, problem_of
from routing.problem import Job
from routing.timing import Timeline


@dataclass(frozen=True, slots=True)
class AgendaVisit:
    """A visit in a rep's day, with the job that it is to the router.

    Attributes:
        id: as in `ChangedDay.order`.
        job: its windows are what really binds the visit on this day.
        promised: somebody was told the time, here or by an agreed appointment.
        held: kept free for somebody, for some minutes.
        stop: as everybody sees it; None of what is not in that yet.
        booking: the promise or the hold; None of other visits.
    """

    id: str
    name: str
    address: str
    place: LatLon
    job: Job
    promised: bool
    held: bool
    stop: Stop | None = None
    booking: Booking | None = None


Visits = tuple[AgendaVisit, ...]


def contested(listed: Sequence[AgendaVisit]) -> frozenset[str]:
    """Ids of the visits to opportunities for which another time of the same day is held.

    A hold for an opportunity that has a promise already counts where it moves that promise: else it can never be
    confirmed while the promise stands, and just takes its time.
    """
    return frozenset(_contests(listed).values())


def alternatives(listed: Visits) -> Iterator[Visits]:
    """What the day may come to be: of the visit to an opportunity and the times that are held for it instead, one.

    The first is the one in which every hold is kept.
    """
    contests = _contests(listed)
    either = sorted(set(contests.values()))
    for kept in product((True, False), repeat=len(either)):
        out = {id_ for id_, held in zip(either, kept, strict=True) if held}
        out |= {hold for hold, visit in contests.items() if visit not in out}
        yield tuple(visit for visit in listed if visit.id not in out)


def keeps(listed: Visits, itinerary_of: Callable[[Visits], Itinerary]) -> bool:
    """Whether everything that anybody was told can be kept in this order, whatever becomes of the holds."""
    return all(_fits(itinerary_of(visits)) for visits in alternatives(listed))


def with_visit(listed: Visits, visit: AgendaVisit, itinerary_of: Callable[[Visits], Itinerary]) -> Visits | None:
    """The order with one more visit where that adds least driving, nothing else moved; None where it fits nowhere."""

    def costs(at: int) -> tuple[int, int]:
        """Beside the driving: how many stand on the wrong side of it by the begin of their windows. One that it takes
        the place of costs no driving on either side, and on the wrong one would leave no room between the two."""
        drive_s = driving_s(itinerary_of(next(alternatives((*listed[:at], visit, *listed[at:])))))
        begin = _begin_s(visit)
        astray = [_begin_s(other) > begin for other in listed[:at]] + [_begin_s(other) < begin for other in listed[at:]]
        return drive_s, sum(astray)

    cheapest = sorted(range(len(listed) + 1), key=costs)
    orders = ((*listed[:at], visit, *listed[at:]) for at in cheapest)
    return next((order for order in orders if keeps(order, itinerary_of)), None)


def _begin_s(visit: AgendaVisit) -> int:
    return visit.job.windows[0].start_s if visit.job.windows else 0


def _contests(listed: Sequence[AgendaVisit]) -> Mapping[str, str]:
    """By the id of a held time: that of the visit which it would take the place of."""
    visits = {visit.id: visit for visit in listed if not visit.held}
    found = {}
    for visit in listed:
        if visit.held and visit.booking is not None and (other := visits.get(visit.booking.visit_id)) is not None:
            there = other.booking
            if there is None or there.state is not BookingState.PROMISED or visit.booking.replaces == there.id:
                found[visit.id] = other.id
    return found


def _fits(itinerary: Itinerary) -> bool:
    problem = problem_of(itinerary)
    return Timeline.of(problem, problem.shifts[0], problem.jobs).feasible
