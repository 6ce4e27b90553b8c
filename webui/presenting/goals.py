"""A day's goals as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.access import Role
from planner.activities.domain import Activity
from planner.activities.goals import KINDS, TAPPED, Goals, TeamGoals
from planner.activities.progress import PersonDays, Progress
from webui.words import short_day

TITLES: Mapping[Activity, str] = {
    Activity.CALLS: "Calls",
    Activity.HANDOFFS: "Handoffs",
    Activity.BOOKINGS: "Bookings",
    Activity.VISITS: "Visits",
    Activity.REPORTS: "Reports",
    Activity.ON_TIME: "On time",
}
MEANINGS: Mapping[Activity, str] = {
    Activity.CALLS: "What you count yourself: one tap a call.",
    Activity.HANDOFFS: "Opportunities that you have handed off today; one that is handed off twice counts once.",
    Activity.BOOKINGS: "Visits that you have promised today; not those moved, nor those cancelled the same day.",
    Activity.VISITS: "Customers at whose place you were: checked in, or reported as met or not in.",
    Activity.REPORTS: "Visits of the day that are reported, whenever you do it.",
    Activity.ON_TIME: "Of the day's promised visits, at how many you checked in before the window was over.",
}
ROLES: Mapping[Role, str] = {Role.INSIDE_REP: "Inside sales", Role.FIELD_REP: "Field reps"}


@dataclass(frozen=True, slots=True)
class GoalView:
    """One goal: `told` is what is done of what, `thousandths` how much of it."""

    kind: str
    title: str
    told: str
    meaning: str
    thousandths: int
    met: bool
    tapped: bool


@dataclass(frozen=True, slots=True)
class DayMark:
    """A day of the last weeks; `css` says what it was for the eye, `told` in words."""

    day: str
    css: str
    sign: str
    told: str


@dataclass(frozen=True, slots=True)
class GoalsView:
    """Somebody's day. `weeks` are rows of seven days from Monday on, the first and the last maybe shorter; `counts`:
    whether they count calls also where these are no goal; `in_a_row`: the streak, "or more" where nobody looks further
    back."""

    name: str
    day: str
    goals: Sequence[GoalView]
    calls: int
    met: bool
    streak: int
    in_a_row: str
    perfect: int
    worked: int
    weeks: Sequence[Sequence[DayMark | None]]
    off: bool
    counts: bool


@dataclass(frozen=True, slots=True)
class GoalField:
    """A number that a manager sets."""

    name: str
    label: str
    typed: str
    most: int
    error: str


def goals_view(told: PersonDays) -> GoalsView:
    days = [_mark(day.day == told.on, day.works, day.perfect, short_day(day.day)) for day in told.days]
    padded = [None] * told.days[0].day.weekday() + days
    return GoalsView(
        name=told.person.name,
        day=short_day(told.on),
        goals=[goal_view(goal) for goal in told.today],
        calls=told.calls,
        met=told.met,
        streak=told.streak,
        in_a_row=f"{told.streak} or more" if told.or_more else f"{told.streak}",
        perfect=told.perfect,
        worked=told.worked,
        weeks=[padded[start : start + 7] for start in range(0, len(padded), 7)],
        off=told.person.role is Role.FIELD_REP and not told.days[-1].works,
        counts=told.person.role is Role.INSIDE_REP,
    )


def goal_view(goal: Progress) -> GoalView:
    if goal.kind is Activity.ON_TIME:
        told = f"{goal.done} % of {goal.goal} %" if goal.done is not None else "none promised"
    else:
        told = f"{goal.done:,} of {goal.goal:,}"
    there = goal.done is not None
    return GoalView(
        goal.kind.value,
        TITLES[goal.kind],
        told,
        MEANINGS[goal.kind],
        round(goal.share * 1000) if there else 0,
        goal.met and there,
        goal.kind in TAPPED,
    )


def _mark(today: bool, works: bool, perfect: bool, day: str) -> DayMark:
    if not works:
        return DayMark(day, "mark-off", "", f"{day}: no work")
    if perfect:
        return DayMark(day, "mark-perfect", "✓", f"{day}: perfect")
    if today:
        return DayMark(day, "mark-today", "…", f"{day}: still to come")
    return DayMark(day, "mark-missed", "–", f"{day}: goals not met")


def typed_of(goals: Goals) -> dict[str, str]:
    """As a form has it, by `field_name`."""
    return {
        field_name(role, kind): str(goals.get(role, {}).get(kind, 0)) for role, kinds in KINDS.items() for kind in kinds
    }


def field_name(role: Role, kind: Activity) -> str:
    return f"{role}.{kind}"


def goal_fields(typed: Mapping[str, str], errors: Mapping[str, str]) -> list[tuple[str, list[GoalField]]]:
    """The numbers of each role."""
    return [
        (
            ROLES[role],
            [
                GoalField(
                    name := field_name(role, kind),
                    f"{TITLES[kind]}, in %" if kind is Activity.ON_TIME else TITLES[kind],
                    typed.get(name, ""),
                    100 if kind is Activity.ON_TIME else 1_000,
                    errors.get(name, ""),
                )
                for kind in kinds
            ],
        )
        for role, kinds in KINDS.items()
    ]


def goals_words(goals: TeamGoals) -> list[str]:
    """The goals as sentences, for who meets those of somebody else."""
    return [
        f"{ROLES[role]}: "
        + (
            ", ".join(f"{TITLES[kind].lower()} {goal}" for kind in kinds if (goal := goals.now[role].get(kind)))
            or "none"
        )
        for role, kinds in KINDS.items()
        if role in goals.now
    ]
