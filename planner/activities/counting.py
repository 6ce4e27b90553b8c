"""What people have done on each of some days: from what was done here, and from what they have counted by tapping.

Each source is read once for everybody and all days. It is a fold: what a phone sends weeks later changes the past.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from planner.access import Role
from planner.activities.domain import Activity
from planner.activities.punctuality import Owed, owed_in_time, promises_of
from planner.fieldwork.domain import Disposition
from planner.fieldwork.folding import CALLED_OFF
from planner.planned_days import PlannedDay, PlannedDays
from planner.repository import UnitOfWork
from planner.settings import CalendarSettings
from planner.slots.domain import BookingState

MADE = frozenset({BookingState.PROMISED, BookingState.DONE, BookingState.MOVED, BookingState.CANCELLED})
"""States of a booking that was promised, whatever became of it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with goals; `rep_id` is empty of inside sales, and `zone` is that of their days."""

    user_id: str
    name: str
    role: Role
    rep_id: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class DayDone:
    """A day of a person's.

    Attributes:
        works: whether there was work: planned visits and no sickness, or for inside sales a working day of the area's
            on which they did anything.
        done: how much of what; `Activity.ON_TIME` only where somebody was promised a time, in percent.
        planned: visits that were planned and that the customers did not call off; None for inside sales.
    """

    day: date
    works: bool
    done: Mapping[Activity, int]
    planned: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are counted, as moments that hold them in every zone; and what makes one a working day."""

    first: date
    last: date
    work_days: frozenset[int]
    calendar: CalendarSettings
    now: datetime

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first midnight to the last one anywhere on earth."""
        begin = datetime.combine(self.first - timedelta(days=1), time(), ZoneInfo("UTC"))
        return begin, begin + (self.last - self.first) + timedelta(days=3)


def count_days(
    unit: UnitOfWork, area: str, people: Sequence[Person], span: Span, planned: PlannedDays
) -> Mapping[str, list[DayDone]]:
    """The days of each person, by user id, the oldest first.

    Args:
        unit: sees what the people have done.
        planned: of these days, of the reps among them at least.
    """
    tapped = _tapped(unit, area, people, span)
    inside = [person for person in people if not person.rep_id]
    field_ = [person for person in people if person.rep_id]
    counts = _inside(unit, area, inside, span) if inside else {}
    found = {
        person.user_id: [_inside_day(day, counts[person.user_id, day] | tapped[person.user_id, day], span)
                         for day in span.days]
        for person in inside
    }  # fmt: skip
    if field_:
        made = _Field.read(unit, area, frozenset(person.rep_id for person in field_), span)
        found |= {
            person.user_id: [made.day(person, day, planned, tapped[person.user_id, day], span.now) for day in span.days]
            for person in field_
        }
    return found


# ---- inside sales

Counts = defaultdict[tuple[str, date], dict[Activity, int]]


def _tapped(unit: UnitOfWork, area: str, people: Iterable[Person], span: Span) -> Counts:
    ids = frozenset(person.user_id for person in people)
    counts: Counts = defaultdict(dict)
    for row in unit.activity_counts.within("day", span.first, span.last, area=area, user_id=ids):
        counts[row.user_id, row.day][row.kind] = row.count
    return counts


def _inside(unit: UnitOfWork, area: str, people: Sequence[Person], span: Span) -> Counts:
    """Handing one opportunity off twice on a day is one handoff; moving a promise is no booking, nor is one that is
    taken back on the day on which it was made."""
    actors = {f"user:{person.user_id}": person for person in people}
    done: defaultdict[tuple[str, date, Activity], set[str]] = defaultdict(set)

    def local(person: Person, at: datetime) -> date:
        return at.astimezone(person.zone).date()

    handed = unit.handoff_events.columns(
        ("actor", "at", "opportunity_id"), "at", *span.moments, area=area, action="handed_off", actor=frozenset(actors)
    )
    for actor, at, opportunity in handed:
        person = actors[actor]
        done[person.user_id, local(person, at), Activity.HANDOFFS].add(opportunity)
    booked = unit.bookings.columns(
        ("made_by", "made_at", "id", "opportunity_id", "state", "ended_at"),
        "made_at",
        *span.moments,
        area=area,
        made_by=frozenset(actors),
        replaces="",
        state=MADE,
    )
    for actor, at, booking, opportunity, state, ended in booked:
        person = actors[actor]
        day = local(person, at)
        if state is BookingState.CANCELLED and ended is not None and local(person, ended) == day:
            continue
        done[person.user_id, day, Activity.BOOKINGS].add(opportunity or booking)
    counts: Counts = defaultdict(dict)
    for (user_id, day, kind), what in done.items():
        counts[user_id, day][kind] = len(what)
    return counts


def _inside_day(day: date, done: Mapping[Activity, int], span: Span) -> DayDone:
    """Nobody writes down when inside sales is away: who has done nothing at all was not there."""
    works = day.weekday() in span.work_days and not span.calendar.holiday(day)
    return DayDone(day, works and any(done.values()), done)


# ---- the field


@dataclass(frozen=True, slots=True)
class Came:
    """What goals ask of a `FieldVisit`, of which there are thousands in twelve weeks."""

    arrived_at: datetime | None
    reported: bool
    disposition: Disposition | None
    over: bool

    @property
    def was_there(self) -> bool:
        """Whether the rep was at the customer's: checked in, or has met them or found nobody, as the report says."""
        return self.arrived_at is not None or self.disposition in (Disposition.MET, Disposition.NOT_IN)


@dataclass
class _Field:
    """What reps did and said, by rep and day."""

    visits: Mapping[tuple[str, date], Mapping[str, Came]]
    sick: frozenset[tuple[str, date]]
    left_out: Mapping[tuple[str, date], Mapping[str, str]]
    owed: Mapping[tuple[str, date], Sequence[Owed]] = field(default_factory=dict)

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, reps: frozenset[str], span: Span) -> _Field:
        visits: defaultdict[tuple[str, date], dict[str, Came]] = defaultdict(dict)
        names = ("rep_id", "day", "visit_id", "arrived_at", "left_at", "report_id", "disposition")
        for rep, day, visit_id, arrived, left, report, disposition in unit.field_visits.columns(
            names, "day", span.first, span.last, area=area, rep_id=reps
        ):
            over = left is not None or disposition is not None
            visits[rep, day][visit_id] = Came(arrived, bool(report), disposition, over)
        said = unit.day_progress.columns(
            ("rep_id", "day", "sick", "left_out"), "day", span.first, span.last, area=area, rep_id=reps
        )
        return cls(
            visits,
            frozenset((rep, day) for rep, day, sick, _ in said if sick),
            {(rep, day): left_out for rep, day, _, left_out in said},
            promises_of(unit, area, span.first, span.last, reps),
        )

    def day(
        self, person: Person, day: date, planned: PlannedDays, tapped: Mapping[Activity, int], now: datetime
    ) -> DayDone:
        key = person.rep_id, day
        visits, left_out = self.visits.get(key, {}), self.left_out.get(key, {})
        ids = planned.days.get(key, PlannedDay(*key)).ids({*visits, *left_out})
        called_off = {id_ for id_, why in left_out.items() if why.startswith(CALLED_OFF)}
        stands = [id_ for id_ in ids if id_ not in called_off or id_ in visits]
        counts = Counter(tapped)
        counts[Activity.VISITS] = sum(visit.was_there for visit in visits.values())
        counts[Activity.REPORTS] = sum(visit.reported for visit in visits.values())
        judged = [
            in_time
            for owed in self.owed.get(key, ())
            if owed.visit_id not in called_off
            and (in_time := owed_in_time(owed, visits.get(owed.visit_id), now)) is not None
        ]
        if judged:
            counts[Activity.ON_TIME] = round(100 * sum(judged) / len(judged))
        return DayDone(day, bool(stands) and key not in self.sick, counts, len(stands))
