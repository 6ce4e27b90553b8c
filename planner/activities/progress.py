"""How far people are with a day's goals, and for how many days in a row they have met them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from planner.access import Role, Scope
from planner.activities.counting import DayDone, Person, Span, count_days
from planner.activities.domain import Activity
from planner.activities.goals import KINDS, LOOKED_BACK, TeamGoals, read_goals
from planner.activities.streaks import JudgedDay, may_be_longer, streak_of
from planner.candidates import team_work_days
from planner.domain import Rep
from planner.fieldwork.feeds import own_rep
from planner.people.domain import User
from planner.planned_days import PlannedDays, planned_days
from planner.repository import Store, UnitOfWork
from planner.settings import CalendarSettings
from planner.snapshot import zone_of

DAYS_SHOWN = 28


@dataclass(frozen=True, slots=True)
class Progress:
    """One goal of a day: how much is done of how much. `done` is None where there was nothing to do."""

    kind: Activity
    done: int | None
    goal: int

    @property
    def met(self) -> bool:
        return self.done is None or self.done >= self.goal

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return 1.0 if self.met else (self.done or 0) / self.goal


@dataclass(frozen=True, slots=True)
class PersonDays:
    """Somebody's goals.

    Attributes:
        today: each goal of today, in order; and `calls` taps today, whether they are a goal or not.
        streak: perfect working days in a row; `or_more` where they may have begun before the days that are looked at.
        days: the last four weeks, the oldest first, today among them.
        perfect, worked: of the working days before today within those.
    """

    person: Person
    on: date
    today: tuple[Progress, ...]
    calls: int
    streak: int
    or_more: bool
    days: tuple[JudgedDay, ...]

    @property
    def worked(self) -> int:
        return sum(day.works for day in self.days if day.day < self.on)

    @property
    def perfect(self) -> int:
        return sum(day.works and day.perfect for day in self.days if day.day < self.on)

    @property
    def met(self) -> bool:
        """Whether today's goals are met."""
        return any(goal.goal for goal in self.today) and all(goal.met for goal in self.today)


@dataclass(frozen=True, slots=True)
class Ground:
    """What everybody of an area has in common: its zone and working days, and what was planned."""

    zone: ZoneInfo
    work_days: frozenset[int]
    reps: Mapping[str, Rep]
    planned: PlannedDays


def own_progress(
    store: Store, user: User, area: str, calendar: CalendarSettings, now: datetime
) -> tuple[TeamGoals, PersonDays | None]:
    """The goals of an area, and how far a person is with theirs; None of who has none: managers and admins."""
    with store.read(user.scope) as unit:
        goals = read_goals(unit, area)
    if user.role not in KINDS:
        return goals, None
    ground = _ground(store, area, _rep_ids([user], area), now)
    with store.read(user.scope) as unit:
        return goals, next(iter(_progress(unit, area, [user], goals, ground, calendar, now)), None)


def team_progress(
    store: Store, scope: Scope, area: str, calendar: CalendarSettings, now: datetime
) -> tuple[TeamGoals, list[PersonDays]]:
    """The goals of an area, and how far its people are: field reps that a scope sees, and inside sales where it sees
    everybody. Those who are disabled are not among them."""
    with store.read(scope) as unit:
        users = [user for user in unit.users.find() if _is_in_team(user, area, scope)]
    ground = _ground(store, area, _rep_ids(users, area), now)
    with store.read(scope) as unit:
        goals = read_goals(unit, area)
        found = _progress(unit, area, users, goals, ground, calendar, now)
    return goals, sorted(found, key=lambda each: (each.person.role, each.person.name.casefold(), each.person.user_id))


def today_of(store: Store, user: User, area: str, now: datetime) -> date:
    """The day that it is for a person, by their rep's zone or the area's."""
    with store.read(Scope(area=area)) as unit:  # inside sales see no reps
        reps = {rep.id: rep for rep in unit.records(area).reps()}
    own = own_rep(user)
    zone = reps[own[1]].zone if own and own[0] == area and own[1] in reps else zone_of(reps.values())
    return now.astimezone(zone or ZoneInfo("UTC")).date()


def judged(done: DayDone, goals: Mapping[Activity, int]) -> tuple[Progress, ...]:
    """Each goal of a day and how far it is: nobody is asked for more visits or reports than were planned."""
    found = []
    for kind, goal in goals.items():
        if kind in (Activity.VISITS, Activity.REPORTS) and done.planned is not None:
            goal = min(goal, done.planned)
        if goal:
            found.append(Progress(kind, done.done.get(kind, None if kind is Activity.ON_TIME else 0), goal))
    return tuple(found)


def _progress(
    unit: UnitOfWork,
    area: str,
    users: Iterable[User],
    goals: TeamGoals,
    ground: Ground,
    calendar: CalendarSettings,
    now: datetime,
) -> Iterable[PersonDays]:
    people = [person for user in users if (person := _person(user, area, ground)) is not None]
    if not people:
        return []
    todays = {person.user_id: now.astimezone(person.zone).date() for person in people}
    span = Span(min(todays.values()) - LOOKED_BACK, max(todays.values()), ground.work_days, calendar, now)
    days = count_days(unit, area, people, span, ground.planned)
    return [_of_person(person, days[person.user_id], goals, todays[person.user_id]) for person in people]


def _of_person(person: Person, days: Sequence[DayDone], goals: TeamGoals, today: date) -> PersonDays:
    days = [day for day in days if day.day <= today]
    told = {day.day: judged(day, _in_order(goals, person.role, day.day)) for day in days}
    each = tuple(
        JudgedDay(day.day, day.works, bool(told[day.day]) and all(goal.met for goal in told[day.day])) for day in days
    )
    calls = days[-1].done.get(Activity.CALLS, 0)
    streak, or_more = streak_of(each, today), may_be_longer(each, today)
    return PersonDays(person, today, told[today], calls, streak, or_more, each[-DAYS_SHOWN:])


def _in_order(goals: TeamGoals, role: Role, day: date) -> dict[Activity, int]:
    of_role = goals.on(day).get(role, {})
    return {kind: of_role[kind] for kind in KINDS[role] if of_role.get(kind)}


def _ground(store: Store, area: str, reps: frozenset[str], now: datetime) -> Ground:
    """Read with the whole area in sight, since inside sales see no reps; what is told of it is numbers and days."""
    with store.read(Scope(area=area)) as unit:
        known = {rep.id: rep for rep in unit.records(area).reps()}
        zone = zone_of(known.values()) or ZoneInfo("UTC")
        todays = {now.astimezone(rep.zone).date() for rep in known.values()} | {now.astimezone(zone).date()}
        planned = planned_days(unit, area, min(todays) - LOOKED_BACK, max(todays), reps) if reps else PlannedDays({})
    return Ground(zone, team_work_days([*known.values()]), known, planned)


def _person(user: User, area: str, ground: Ground) -> Person | None:
    if user.role is Role.INSIDE_REP:
        return Person(user.id, user.name, user.role, "", ground.zone)
    own = own_rep(user)
    rep = ground.reps.get(own[1]) if own and own[0] == area else None
    return Person(user.id, rep.name, user.role, rep.id, rep.zone) if rep is not None else None


def _is_in_team(user: User, area: str, scope: Scope) -> bool:
    if user.disabled or user.role not in KINDS or user.area not in (None, area):
        return False
    if user.role is Role.INSIDE_REP:
        return scope.everybody
    return scope.reps is None or bool((user.reps or frozenset()) & scope.reps)


def _rep_ids(users: Collection[User], area: str) -> frozenset[str]:
    return frozenset(own[1] for user in users if (own := own_rep(user)) is not None and own[0] == area)
