"""What the people of each role set out to do on a day; managers decide, and a change is none of the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from planner.access import Role
from planner.activities.domain import MOST_A_DAY, Activity, ActivityGoals
from planner.errors import ConflictError, InvalidRecordError
from planner.repository import UnitOfWork

Goals = Mapping[Role, Mapping[Activity, int]]
"""How much of what, by role; what is not in it, or 0, is no goal."""

KINDS: Mapping[Role, tuple[Activity, ...]] = MappingProxyType(
    {
        Role.INSIDE_REP: (Activity.CALLS, Activity.HANDOFFS, Activity.BOOKINGS),
        Role.FIELD_REP: (Activity.VISITS, Activity.REPORTS, Activity.ON_TIME, Activity.CALLS),
    }
)
"""What may be a goal of whom, in the order in which it is told."""

DEFAULT_GOALS: Goals = MappingProxyType(
    {
        Role.INSIDE_REP: MappingProxyType({Activity.CALLS: 30, Activity.HANDOFFS: 2, Activity.BOOKINGS: 3}),
        Role.FIELD_REP: MappingProxyType({Activity.VISITS: 6, Activity.REPORTS: 6, Activity.ON_TIME: 90}),
    }
)
"""Until a manager sets others."""

TAPPED = frozenset({Activity.CALLS})
"""What nothing here knows of, and a person counts."""

LOOKED_BACK = timedelta(days=83)
"""Twelve weeks with today, sixty working days: so far back goals, streaks and pages look."""


class GoalsChangedError(ConflictError):
    """Somebody else has changed the goals since the writer saw them; `present` is what they are now."""

    def __init__(self, present: TeamGoals) -> None:
        super().__init__("somebody else has changed the goals meanwhile")
        self.present = present


@dataclass(frozen=True, slots=True)
class TeamGoals:
    """The goals of an area. `revision` goes up with every change, from 0 for the usual ones.

    `earlier` has, oldest first, until when (that day not included) which goals held.
    """

    revision: int
    now: Goals
    earlier: tuple[tuple[date, Goals], ...] = ()

    def on(self, day: date) -> Goals:
        """Those that held on a day: at its end, so that goals that are set count from the same day on."""
        return next((goals for until, goals in self.earlier if day < until), self.now)


def read_goals(unit: UnitOfWork, area: str) -> TeamGoals:
    row = unit.activity_goals.get(area)
    if row is None:
        return TeamGoals(0, DEFAULT_GOALS)
    earlier = ((date.fromisoformat(entry["until"]), _read(entry["goals"])) for entry in row.earlier)
    return TeamGoals(row.revision, _read(row.goals), tuple(earlier))


def save_goals(unit: UnitOfWork, area: str, goals: Goals, revision: int, today: date) -> TeamGoals:
    """Change the goals of an area from the `revision` that the writer saw; they hold from today on.

    Writing what they are already changes nothing, whatever was seen.

    Raises:
        InvalidRecordError: a goal makes no sense; `field` is "role.activity".
        GoalsChangedError: they are at another revision now.
    """
    wanted = _checked(goals)
    present = read_goals(unit, area)
    if wanted == _checked(present.now) and present.revision:
        return present
    if revision != present.revision:
        raise GoalsChangedError(present)
    earlier = [(until, of) for until, of in present.earlier if until > today - LOOKED_BACK]
    if not earlier or earlier[-1][0] < today:
        earlier.append((today, present.now))
    kept = tuple({"until": str(until), "goals": _plain(of)} for until, of in earlier)
    unit.activity_goals.put(ActivityGoals(area, revision + 1, _plain(wanted), kept))
    unit.audit("goals.set", area=area, revision=revision + 1, goals=_plain(wanted))
    return read_goals(unit, area)


def _checked(goals: Goals) -> Goals:
    """With a number for each kind of each role."""
    for role, of_role in goals.items():
        for kind, goal in of_role.items():
            field, most = f"{role}.{kind}", 100 if kind is Activity.ON_TIME else MOST_A_DAY
            if kind not in KINDS.get(role, ()):
                raise InvalidRecordError(field, "is no goal of this role")
            if not 0 <= goal <= most:
                raise InvalidRecordError(field, f"{goal} is not between 0 and {most:,}")
    return {role: {kind: goals.get(role, {}).get(kind, 0) for kind in kinds} for role, kinds in KINDS.items()}


def _plain(goals: Goals) -> dict[str, dict[str, int]]:
    return {role.value: {kind.value: goal for kind, goal in of_role.items()} for role, of_role in goals.items()}


def _read(goals: Mapping[str, Mapping[str, int]]) -> Goals:
    return {Role(role): {Activity(kind): goal for kind, goal in of_role.items()} for role, of_role in goals.items()}
