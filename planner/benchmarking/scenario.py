"""A made-up team on an area's real streets, with full feasible days: the same seed gives the same days."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from planner.candidates import Visit, VisitKind
from planner.domain import Account, Address, Opportunity, Rep
from planner.plan_document import RepDay, rep_day, untimed_stop
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState, Meaning
from planner.translation import Clock, WorkingDay, shift_of, visit_windows, working_days
from planner.visit_ids import visit_id
from routing.geo import LatLon, great_circles_m
from routing.problem import Job, Problem
from routing.timing import Timeline, schedule
from routing.travel_times import TravelTimeSource

AREA = "benchmark"
ZONE = ZoneInfo("UTC")
FIRST_DAY = date(2027, 1, 4)
"""A Monday."""
VISITS_A_DAY = range(8, 12)
NEIGHBOURHOOD = 400
"""Doors among which a rep's customers of one day are drawn: a rep spends a day in one part of town."""
MOST_DRAWS = 20
"""Customers that are tried before a day is left with the visits that it has."""
SHARED_DOOR = 0.1
PROMISED = 0.15
HOURS = (
    "",
    "",
    "Mo-Fr 09:00-17:00",
    "Mo-Fr 09:00-12:00,13:00-17:00",
    "Mo-Fr 08:00-12:00",
    "Mo-Fr 13:00-18:00",
    "Mo-Fr 10:00-12:00,14:00-16:00",
    "Mo,We,Fr 09:00-16:00; Tu,Th 12:00-18:00",
)
MINUTES = (15, 20, 30, 45)
SKILLS = ("install", "demo")
LANGUAGES = ("en", "cy", "fi")


@dataclass(frozen=True)
class PlannedDay:
    """A rep's day with its plan, and what its visits are for.

    `records` are by visit id; `bookings` are the promises among the visits.
    """

    working_day: WorkingDay
    document: RepDay
    records: Mapping[str, Account | Opportunity]
    bookings: tuple[Booking, ...]


@dataclass(frozen=True)
class _Customer:
    visit: Visit
    record: Account | Opportunity


@dataclass(frozen=True)
class Scenario:
    """A team with its planned days, by day and rep, and doors where new customers may be."""

    reps: tuple[Rep, ...]
    days: tuple[PlannedDay, ...]
    doors: tuple[LatLon, ...]

    @property
    def visits(self) -> int:
        return sum(len(day.document["stops"]) for day in self.days)

    @property
    def promises(self) -> int:
        return sum(len(day.bookings) for day in self.days)

    @property
    def last_day(self) -> date:
        return self.days[-1].working_day.day

    @property
    def calendar_days(self) -> int:
        return (self.last_day - FIRST_DAY).days + 1

    def of(self, reps: int) -> Scenario:
        """The same with the first reps alone."""
        kept = self.reps[:reps]
        ids = {rep.id for rep in kept}
        return replace(self, reps=kept, days=tuple(day for day in self.days if day.working_day.rep.id in ids))


def make_scenario(
    source: TravelTimeSource,
    doors: Sequence[LatLon],
    reps: int,
    days: int,
    seed: int,
    settings: Settings,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Scenario:
    """A team of `reps` who work on `days` weekdays, each full of visits at some of the doors."""
    team = Team(source, doors, seed, settings)
    made = tuple(team.rep(number) for number in range(reps))
    homes = {rep.id: team.home() for rep in made}
    last_day = FIRST_DAY + timedelta(days=(days - 1) // 5 * 7 + (days - 1) % 5)
    to_plan = working_days(made, homes, FIRST_DAY, last_day, settings.calendar)
    planned = []
    for number, working_day in enumerate(to_plan):
        planned.append(team.day(working_day))
        on_progress((number + 1) / len(to_plan))
    return Scenario(made, tuple(planned), tuple(doors))


class Team:
    """Draws reps, customers and their days; every draw follows from the seed and the draws before it."""

    def __init__(self, source: TravelTimeSource, doors: Sequence[LatLon], seed: int, settings: Settings) -> None:
        self._source = source
        self._doors = doors
        self._where = np.array([(door.lat, door.lon) for door in doors], dtype=np.float64).reshape(-1, 2)
        self._random = random.Random(seed)
        self._parking_s = settings.candidates.parking_minutes * 60
        self._customers = 0

    def rep(self, number: int) -> Rep:
        draw = self._random
        return Rep(
            id=f"rep-{number:03}",
            name=f"Rep {number}",
            email="",
            start_address=Address("Home"),
            end_address=None,
            timezone=str(ZONE),
            work_days=frozenset(range(5)),
            work_start=draw.choice((time(8), time(8, 30), time(9))),
            work_end=draw.choice((time(17), time(17, 30), time(18))),
            break_minutes=draw.choice((0, 30, 30, 45)),
            break_window=(time(11, 30), time(14)),
            skills=frozenset(skill for skill in SKILLS if draw.random() < 0.4),
            max_visits_per_day=draw.choice((None, None, 12)),
            languages=frozenset(language for language in LANGUAGES if draw.random() < 0.5),
        )

    def home(self) -> tuple[LatLon, LatLon]:
        home = self._random.choice(self._doors)
        return home, home

    def day(self, working_day: WorkingDay) -> PlannedDay:
        """A day filled by inserting one drawn customer after another where that adds least driving."""
        customers = {customer.visit.id: customer for customer in self._customers_of_a_day()}
        visited = (customer.visit.place for customer in customers.values())
        places = list(dict.fromkeys([working_day.start, working_day.end, *visited]))
        number = {place: i for i, place in enumerate(places)}
        epoch = datetime.combine(working_day.day, time(), UTC)
        shift = shift_of(working_day, epoch, number)
        clock = Clock(epoch, working_day.day, working_day.day, ZONE, shift.end_s)
        jobs = tuple(
            Job(
                id_, number[c.visit.place], c.visit.service_minutes * 60, visit_windows(c.visit, clock), self._parking_s
            )
            for id_, c in customers.items()
        )
        times = self._source.travel_times(places)
        problem = Problem(jobs, (shift,), times.seconds.tolist(), times.metres.tolist())
        route = schedule(problem, shift, self._filled(problem))
        planned = [customers[id_] for id_ in route.jobs] if route else []
        begins = {step.job: clock.local(step.begin_s, ZONE) for step in route.steps} if route else {}
        return PlannedDay(
            working_day,
            rep_day(
                working_day,
                shift,
                route,
                problem.job_by_id,
                {c.visit.id: untimed_stop(c.visit) for c in planned},
                lambda seconds: clock.local(seconds, ZONE),
            ),
            {c.visit.id: c.record for c in planned},
            tuple(
                self._promise(c.visit, c.record, working_day, begins[c.visit.id])
                for c in planned
                if isinstance(c.record, Opportunity)
            ),
        )

    def _filled(self, problem: Problem) -> tuple[Job, ...]:
        """As many of the jobs as the day is to have, in an order that is possible."""
        (shift,) = problem.shifts
        wanted = self._random.choice(VISITS_A_DAY)
        day = Timeline.of(problem, shift, ())
        for job in problem.jobs:
            if len(day.jobs) == wanted:
                break
            added = {position: day.added_drive_s(job, position) for position in range(len(day.jobs) + 1)}
            possible = [(more, position) for position, more in added.items() if more is not None]
            if job.windows and possible:
                position = min(possible)[1]
                day = Timeline.of(problem, shift, (*day.jobs[:position], job, *day.jobs[position:]))
        return day.jobs

    def _customers_of_a_day(self) -> Iterator[_Customer]:
        """Customers in one part of town, some of them at one door."""
        draw = self._random
        centre = self._where[draw.randrange(len(self._where))]
        away = great_circles_m(self._where, centre)
        nearest = np.argpartition(away, min(NEIGHBOURHOOD, len(away) - 1))[:NEIGHBOURHOOD].tolist()
        place = self._doors[nearest[0]]
        for _ in range(MOST_DRAWS):
            if draw.random() >= SHARED_DOOR:
                place = self._doors[draw.choice(nearest)]
            yield self._customer(place)

    def _customer(self, place: LatLon) -> _Customer:
        draw = self._random
        self._customers += 1
        id_ = f"{self._customers:06}"
        hours, minutes = draw.choice(HOURS), draw.choice(MINUTES)
        record: Account | Opportunity
        if draw.random() < PROMISED:
            record = Opportunity(id_, f"Prospect {id_}", Address("Door"), availability=hours, visit_minutes=minutes)
            kind = VisitKind.APPOINTMENT
        else:
            record = Account(id_, f"Customer {id_}", Address("Door"), opening_hours=hours, visit_minutes=minutes)
            kind = VisitKind.DUE
        visit = Visit(
            visit_id(record.kind, id_),
            kind,
            (id_,),
            record.name,
            str(record.address),
            place,
            minutes,
            "",
            None,
            hours=(hours,) if hours else (),
        )
        return _Customer(visit, record)

    def _promise(self, visit: Visit, record: Opportunity, working_day: WorkingDay, begin: datetime) -> Booking:
        """A window of an hour or more that begins at a half hour and in which the visit is planned."""
        start = begin - timedelta(minutes=begin.minute % 30, seconds=begin.second)
        meaning = self._random.choice((Meaning.ARRIVE, Meaning.WHOLE))
        minutes = 60 if meaning is Meaning.ARRIVE else 30 + visit.service_minutes
        return Booking(
            area=AREA,
            id=f"booking-{record.id}",
            rep_id=working_day.rep.id,
            day=working_day.day,
            state=BookingState.PROMISED,
            opportunity_id=record.id,
            name=record.name,
            address=str(record.address),
            lat=visit.place.lat,
            lon=visit.place.lon,
            service_minutes=visit.service_minutes,
            start=start.astimezone(UTC),
            end=(start + timedelta(minutes=minutes)).astimezone(UTC),
            meaning=meaning,
            hours=record.availability,
            skills=frozenset(),
            inside_rep="",
            made_by="benchmark",
            made_at=datetime.combine(FIRST_DAY, time(), UTC),
            expires_at=None,
        )
