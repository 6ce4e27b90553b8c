"""A day's goals and the weekly summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from planner.access import Permission
from planner.activities.domain import MOST_A_DAY, Activity
from planner.activities.goals import KINDS, Goals, GoalsChangedError, TeamGoals, read_goals, save_goals
from planner.activities.progress import PersonDays, own_progress, team_progress, today_of
from planner.activities.tapping import tap
from planner.errors import InvalidRecordError, NotFoundError
from planner.repository import UnitOfWork
from planner.summary.domain import Named, WeeklySummary, monday_of
from planner.summary.making import weekly_summary
from webui.api.operation import Reply, Write, operation, store
from webui.api.problems import FieldError, Problem, invalid, pointer
from webui.api.records import area_named
from webui.api.rep_days import day_named
from webui.api.values import Day, Model
from webui.pages.plans import now, settings
from webui.policy import allow, viewer

ActivityName = Literal["calls", "handoffs", "bookings", "visits", "reports", "on_time"]
Goal = Annotated[int, Field(ge=0, le=MOST_A_DAY, description="On each working day; 0 for no goal.")]
Share = Annotated[int, Field(ge=0, le=100, description="In percent; 0 for no goal.")]


class InsideGoals(Model):
    """What inside sales set out to do on a day."""

    calls: Goal = 0
    handoffs: Goal = 0
    bookings: Goal = 0


class FieldGoals(Model):
    """What field reps set out to do on a day."""

    visits: Goal = 0
    reports: Goal = 0
    on_time: Share = 0
    calls: Goal = 0


class DailyGoals(Model):
    """The goals of an area's people, by role; those that hold now."""

    revision: Annotated[int, Field(description="Goes up with every change; 0 for the usual ones.")]
    inside_rep: InsideGoals
    field_rep: FieldGoals


class DailyGoalsChange(Model):
    """What the goals shall be from today on, and the revision that this is a change of."""

    revision: Annotated[int, Field(ge=0, lt=2**31)]
    inside_rep: InsideGoals
    field_rep: FieldGoals


class GoalProgress(Model):
    """How far somebody is with a goal."""

    activity: ActivityName
    done: Annotated[int | None, Field(description="`null` where there was nothing to be on time for.")]
    goal: Annotated[int, Field(description="Visits and reports: no more than were planned.")]
    met: bool


class JudgedDayShown(Model):
    """A day of the last four weeks."""

    day: Day
    works: Annotated[bool, Field(description="Whether there was work: other days are no part of a streak.")]
    perfect: bool


class Progress(Model):
    """Somebody's day, streak and last four weeks."""

    user_id: str
    name: str
    role: Literal["inside_rep", "field_rep"]
    rep_id: Annotated[str, Field(description="Empty of inside sales.")]
    today: Day
    goals: list[GoalProgress]
    calls: Annotated[int, Field(description="Tapped today.")]
    perfect: bool
    streak: Annotated[int, Field(description="Perfect working days in a row, of the last twelve weeks only.")]
    days: list[JudgedDayShown]


class TeamProgress(Model):
    """Everybody whom the caller sees."""

    people: list[Progress]


class Tap(Model):
    """One more of what nothing else counts, or one back."""

    activity: Literal["calls"]
    by: Literal[1, -1]


class Counted(Model):
    """How many there are today."""

    activity: Literal["calls"]
    day: Day
    count: int


class SummaryEntry(Model):
    """A customer or an opportunity; `rep` is a name, `text` what there is to say."""

    kind: Literal["account", "opportunity"]
    id: str
    name: str
    rep: str
    text: str
    value: float


class SummaryRep(Model):
    """A rep's visits in the week, and hours a month in minutes as of now; `null` where none are worked out."""

    rep_id: str
    name: str
    planned: int
    made: int
    besides: int
    needed_minutes: float | None
    there_minutes: float | None


class SummaryState(Model):
    """How many customers are in a state, and how many more than seven days before, of those who can be compared."""

    state: Literal["visited", "due", "overdue", "dormant", "no_place"]
    now: int
    change: Annotated[int | None, Field(description="null: too few can be compared.")]


class SummaryDeals(Model):
    """Opportunities to which something happened."""

    what: str
    value: float
    entries: list[SummaryEntry]


class SummarySlip(Model):
    """What slipped for one reason."""

    about: str
    reason: str
    entries: list[SummaryEntry]


class SummarySuggestion(Model):
    """Something that would help, its price, how that was worked out, and what is lost by it."""

    kind: Literal["first_visits", "half_day", "give", "adopt", "stretch", "settle"]
    title: str
    price: str
    sums: list[str]
    loses: str
    minutes: Annotated[float, Field(description="Of somebody's time; negative where it saves time.")]
    monthly: Annotated[bool, Field(description="Each month, or once.")]
    entries: list[SummaryEntry]


class Summary(Model):
    """A week, as far as the caller sees it."""

    area: str
    monday: Day
    last: Annotated[Day, Field(description="The last day that is told of; before `monday` where none is over.")]
    timezone: str
    as_of: Annotated[Day | None, Field(description="Of the coverage; `null` where none is worked out.")]
    planned: int
    made: int
    besides: int
    met: int
    in_time: int
    late: int
    first_known: int
    reps: list[SummaryRep]
    states: list[SummaryState]
    states_on: Annotated[Day | None, Field(description="The day of which the states are; null where none are known.")]
    uncompared: Annotated[int, Field(description="Customers of whom it is not known how they were seven days before.")]
    deals: list[SummaryDeals]
    slips: list[SummarySlip]
    suggestions: list[SummarySuggestion]
    notes: list[str]


@operation("GET", "/areas/<area>/goals", {200: DailyGoals}, tag="goals")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def get_goals(area: str) -> Reply:
    """What people set out to do on a day."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        return Reply(_shown(read_goals(unit, known)))


@operation("PUT", "/areas/<area>/goals", {200: DailyGoals}, tag="goals")
@allow(Permission.PLAN)
def put_goals(area: str, body: DailyGoalsChange) -> Write:
    """Set all goals, from today on.

    Where somebody else has changed them meanwhile, the answer is 409 with theirs as `present`.
    """
    known, asking = area_named(area).name, viewer()
    today = today_of(store(), asking.user, known, now())
    told = body.model_dump()
    wanted: Goals = {role: {kind: told[role.value][kind.value] for kind in kinds} for role, kinds in KINDS.items()}

    def write(unit: UnitOfWork) -> Reply:
        try:
            return Reply(_shown(save_goals(unit, known, wanted, body.revision, today)))
        except InvalidRecordError as error:
            raise invalid(FieldError(pointer(*error.field.split(".")), error.message)) from error
        except GoalsChangedError as error:
            present = _shown(error.present).model_dump(mode="json")
            raise Problem(409, "changed", str(error), members={"present": present}) from error

    return write


@operation("GET", "/areas/<area>/goals/me", {200: Progress}, tag="goals")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def get_own_progress(area: str) -> Reply:
    """How far one is with today's goals.

    404 for managers and admins, who have none.
    """
    known = area_named(area).name
    _, found = own_progress(store(), viewer().user, known, settings().calendar, now())
    if found is None:
        raise NotFoundError(f"you have no goals in the area {known}")
    return Reply(_progress(found))


@operation("GET", "/areas/<area>/goals/team", {200: TeamProgress}, tag="goals")
@allow(Permission.SEE_TEAM)
def get_team_progress(area: str) -> Reply:
    """How far everybody is whom one sees: one's reps, and inside sales where one sees the whole area."""
    known = area_named(area).name
    _, found = team_progress(store(), viewer().scope, known, settings().calendar, now())
    return Reply(TeamProgress(people=[_progress(each) for each in found]))


@operation("POST", "/areas/<area>/goals/taps", {200: Counted}, tag="goals")
@allow(Permission.REPORT, Permission.HAND_OFF)
def tap_goal(area: str, body: Tap) -> Write:
    """Count one call more today, or take one back.

    Each tap has an Idempotency-Key of its own: sent again, it counts once. It never goes below nothing.
    """
    known, user = area_named(area).name, viewer().user
    if user.role not in KINDS:
        raise Problem(422, "refused", "calls are counted by those who have goals: inside sales and field reps")
    day = today_of(store(), user, known, now())

    def write(unit: UnitOfWork) -> Reply:
        count = tap(unit, known, user.id, day, Activity.CALLS, body.by)
        return Reply(Counted.model_construct(activity="calls", day=day, count=count))

    return write


@operation("GET", "/areas/<area>/summaries/<monday>", {200: Summary}, tag="goals")
@allow(Permission.SEE_FIGURES)
def get_summary(area: str, monday: str) -> Reply:
    """The summary of a week, by its Monday: what was covered, what slipped and why, and what would help."""
    known, day = area_named(area).name, day_named(monday)
    if day != monday_of(day) or not date(2000, 1, 1) <= day <= now().date():
        raise NotFoundError(f"no week that has begun begins on {day}")
    return Reply(_summary(weekly_summary(store(), viewer().scope, known, day, settings(), now())))


def _shown(team: TeamGoals) -> DailyGoals:
    told = {
        role.value: {kind.value: team.now.get(role, {}).get(kind, 0) for kind in kinds} for role, kinds in KINDS.items()
    }
    return DailyGoals.model_validate({"revision": team.revision, **told})


def _progress(found: PersonDays) -> Progress:
    return Progress.of(
        found.person,
        role=found.person.role.value,
        today=found.on,
        goals=[GoalProgress.of(goal, activity=goal.kind.value) for goal in found.today],
        calls=found.calls,
        perfect=found.met,
        streak=found.streak,
        days=[JudgedDayShown.of(day) for day in found.days],
    )


def _summary(week: WeeklySummary) -> Summary:
    return Summary.of(
        week,
        timezone=week.zone,
        reps=[SummaryRep.of(rep, needed_minutes=rep.needed, there_minutes=rep.there) for rep in week.reps],
        states=[SummaryState.of(change, state=change.state.value) for change in week.states],
        deals=[SummaryDeals.of(deals, entries=_entries(deals.entries)) for deals in week.deals],
        slips=[SummarySlip.of(slip, entries=_entries(slip.entries)) for slip in week.slips],
        suggestions=[
            SummarySuggestion.of(each, kind=each.kind.value, sums=list(each.sums), entries=_entries(each.accounts))
            for each in week.suggestions
        ],
        notes=list(week.notes),
    )


def _entries(entries: Sequence[Named]) -> list[SummaryEntry]:
    return [SummaryEntry.of(entry, kind=entry.kind.value) for entry in entries]
