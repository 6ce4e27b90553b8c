"""What if: scenarios of an area."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from planner.access import Permission
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from planner.scenarios import applying, keeping
from planner.scenarios.changes import (
    MOST_CADENCE_DAYS,
    MOST_ENTRIES,
    MOST_EVENNESS,
    MOST_LETTERS,
    MOST_MINUTES,
    MOST_NEW_REPS,
    Changes,
    ChangesInvalidError,
    changes_of,
)
from planner.scenarios.domain import MAX_NAME, Scenario
from planner.scenarios.outcome import Month, Outcome, outcome_of
from webui.api.jobs import JobRecord
from webui.api.operation import OwnWrite, Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import FieldError, Problem, invalid, pointer
from webui.api.records import area_named
from webui.api.values import Day, Model, Moment, TimeOfDay
from webui.pages.plans import now, settings
from webui.policy import allow, viewer

Short = Annotated[str, Field(max_length=MOST_LETTERS)]
Id = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]
Weekdays = Annotated[
    list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="0 for Monday to 6 for Sunday.")
]
Cadence = Annotated[int, Field(ge=1, le=MOST_CADENCE_DAYS, description="Days from visit to visit.")]


class ScenarioHours(Model):
    """When a rep works, by the clock of the area."""

    work_days: Weekdays
    work_start: TimeOfDay
    work_end: TimeOfDay


class ScenarioNewRep(ScenarioHours):
    """Somebody who might be taken on; the days start and end at the place."""

    id: Annotated[Id, Field(description="Under which the rep's record will be.")]
    name: Id
    street: Id
    city: Short = ""
    postcode: Short = ""
    country: Short = ""
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    found_as: Annotated[Short, Field(description="The address as whoever found it spells it.")] = ""
    break_minutes: Annotated[int, Field(ge=0, le=600)] = 0


class ScenarioPrices(Model):
    """What is weighed against what, in minutes a month."""

    broken_minutes: Annotated[
        float, Field(ge=0, le=MOST_MINUTES, allow_inf_nan=False, description="A customer who gets another rep.")
    ] = 30.0
    evenness: Annotated[
        float, Field(ge=0, le=MOST_EVENNESS, allow_inf_nan=False, description="A minute of unevenness beyond the band.")
    ] = 1.0
    band: Annotated[
        float,
        Field(
            ge=0, le=1, allow_inf_nan=False, description="Share of the mean that a rep may be off and is still even."
        ),
    ] = 0.1
    one_piece: Annotated[bool, Field(description="Whether every rep's customers have to lie together.")] = False
    apart: Annotated[
        float,
        Field(
            ge=0, le=MOST_EVENNESS, allow_inf_nan=False, description="A customer's minute away from its rep's others."
        ),
    ] = 10.0


class ScenarioChanges(Model):
    """All that is different in a scenario; what is left out is as it is now."""

    even: Annotated[bool, Field(description="Whether customers are moved to even the work out.")] = True
    new_reps: Annotated[list[ScenarioNewRep], Field(max_length=MOST_NEW_REPS)] = Field(default_factory=list)
    removed: Annotated[list[Id], Field(max_length=MOST_ENTRIES, description="Ids of reps who leave.")] = Field(
        default_factory=list
    )
    hours: Annotated[
        dict[Id, ScenarioHours], Field(max_length=MOST_ENTRIES, description="Of reps who stay, by id.")
    ] = Field(default_factory=dict)
    segments: Annotated[
        dict[Short, Cadence], Field(max_length=MOST_ENTRIES, description="Of all customers of a segment.")
    ] = Field(default_factory=dict)
    accounts: Annotated[
        dict[Id, Cadence | None],
        Field(
            max_length=MOST_ENTRIES, description="Of single customers, by id; null for as the segment usually has it."
        ),
    ] = Field(default_factory=dict)
    pins: Annotated[
        dict[Id, Id], Field(max_length=MOST_ENTRIES, description="Whose a customer is in any case, both by id.")
    ] = Field(default_factory=dict)
    prices: ScenarioPrices = Field(default_factory=ScenarioPrices)


class ScenarioMonth(Model):
    """What a month of somebody's work is made of: minutes, estimated on the streets without a plan."""

    customers: int
    visits: Annotated[float, Field(description="Visits to customers a month, by their cadence.")]
    service: float
    driving: float
    opportunities: Annotated[float, Field(description="For visits to what inside sales hands over, driving included.")]
    there: Annotated[float, Field(description="Working hours less breaks.")]
    needed: float
    shortfall: float
    undone: Annotated[float, Field(description="Visits a month that do not fit into the hours.")]
    apart: Annotated[int, Field(description="Customers who do not hang together with most of the rep's others.")]
    away: Annotated[float, Field(description="Minutes from the middle of a rep's customers to one, on average.")]

    @classmethod
    def shown(cls, month: Month) -> ScenarioMonth:
        return cls.of(month)


class ScenarioRep(Model):
    """A rep before and after."""

    rep_id: str
    name: str
    standing: Literal["stays", "new", "leaves"]
    before: ScenarioMonth | None
    after: ScenarioMonth


class ScenarioMove(Model):
    """A customer who gets another rep."""

    account_id: str
    before: Annotated[str, Field(description="Empty where it was nobody's.")]
    after: str
    minutes: Annotated[float, Field(description="Of work a month that come with it.")]
    why: Literal["even", "driving", "room", "together", "leaves", "pinned", "unowned"]
    saved: Annotated[float, Field(description="Minutes of driving a month that it takes less.")]


class ScenarioOutcome(Model):
    """What came out of a scenario."""

    as_of: Day
    spread_before: Annotated[float | None, Field(description="The fullest rep's load by that of all; 1 is even.")]
    spread_after: float | None
    broken: Annotated[int, Field(description="Customers who had a rep and get another one.")]
    contiguous: bool
    gap: Annotated[
        float | None, Field(description="How much dearer than the bound it is at most; null without search.")
    ]
    reps: list[ScenarioRep]
    moves: list[ScenarioMove]
    notes: list[str]

    @classmethod
    def shown(cls, outcome: Outcome) -> ScenarioOutcome:
        reps = [
            ScenarioRep.of(
                rep,
                standing=rep.standing.value,
                before=ScenarioMonth.shown(rep.before) if rep.before is not None else None,
                after=ScenarioMonth.shown(rep.after),
            )
            for rep in outcome.reps
        ]
        return cls.of(
            outcome,
            spread_before=outcome.spread(after=False),
            spread_after=outcome.spread(after=True),
            reps=reps,
            moves=[ScenarioMove.of(move, why=move.why.value) for move in outcome.moves],
            notes=list(outcome.notes),
        )


class ScenarioEntry(Model):
    """A scenario without what it says."""

    id: str
    name: str
    revision: int
    state: Annotated[
        Literal["draft", "computed", "applied"],
        Field(description="`draft`: changed since it was worked out, if it ever was."),
    ]
    made_at: Moment
    computed_at: Moment | None
    applied_at: Moment | None
    job_id: Annotated[str, Field(description="Of the job that works it out, or did last; empty for none.")]

    @classmethod
    def entry(cls, scenario: Scenario) -> ScenarioEntry:
        return cls.of(scenario, state=scenario.state.value)


class ScenarioRecord(ScenarioEntry):
    """A scenario: what it changes, and what came out of that last."""

    changes: ScenarioChanges
    outcome: ScenarioOutcome | None

    @classmethod
    def shown(cls, scenario: Scenario) -> ScenarioRecord:
        return cls.of(
            scenario,
            state=scenario.state.value,
            changes=ScenarioChanges.model_validate(changes_of(scenario.changes).as_json()),
            outcome=ScenarioOutcome.shown(outcome_of(scenario.result)) if scenario.result is not None else None,
        )


class ScenarioPage(Page):
    """Scenarios, the newest first."""

    scenarios: list[ScenarioEntry]


class ScenarioOrder(Model):
    """A new scenario."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    changes: ScenarioChanges = Field(default_factory=ScenarioChanges)


class ScenarioChange(ScenarioOrder):
    """What a scenario shall be, and the revision that this is a change of."""

    revision: Annotated[int, Field(ge=1, lt=2**31)]


class ScenarioRevision(Model):
    """Which scenario is meant, as it was seen."""

    revision: Annotated[int, Field(ge=1, lt=2**31)]


class RemovedScenario(Model):
    """What is gone."""

    id: str


def _whole_area(name: str) -> str:
    """The name of an area, for those who see all of it."""
    known = area_named(name).name
    try:
        keeping.check_whole_area(viewer().scope)
    except keeping.PartOfAreaError as error:
        raise Problem(403, "", str(error)) from error
    return known


def _changes(body: ScenarioOrder) -> Changes:
    try:
        return changes_of(body.model_dump()["changes"])
    except ChangesInvalidError as error:
        raise _refused(error) from error


def _refused(error: ChangesInvalidError) -> Problem:
    return invalid(*(FieldError(pointer("changes", *entry.field.split(".")), entry.message) for entry in error.errors))


@operation("GET", "/areas/<area>/scenarios", {200: ScenarioPage}, tag="scenarios")
@allow(Permission.REALIGN)
def list_scenarios(area: str, query: PageQuery) -> Reply:
    """Scenarios of an area, the newest first."""
    known = _whole_area(area)
    with store().read(viewer().scope) as unit:
        found = keeping.scenarios_of(unit, known)
    shown, following = page(query, f"{known}/scenarios", found, _key, descending=True)
    return Reply(ScenarioPage(scenarios=[ScenarioEntry.entry(scenario) for scenario in shown], next=following))


def _key(scenario: Scenario) -> tuple[str, str]:
    return scenario.made_at.isoformat(timespec="microseconds"), scenario.id


@operation("POST", "/areas/<area>/scenarios", {201: ScenarioRecord}, tag="scenarios")
@allow(Permission.REALIGN)
def create_scenario(area: str, body: ScenarioOrder) -> Write:
    """Begin a scenario; nothing else is touched by it."""
    known, changes, scenario_id = _whole_area(area), _changes(body), new_id()

    def write(unit: UnitOfWork) -> Reply:
        try:
            made = keeping.create_scenario(unit, known, body.name, changes, viewer().actor.id, now(), scenario_id)
        except ChangesInvalidError as error:
            raise _refused(error) from error
        return Reply(ScenarioRecord.shown(made), 201)

    return write


@operation("GET", "/areas/<area>/scenarios/<scenario_id>", {200: ScenarioRecord}, tag="scenarios")
@allow(Permission.REALIGN)
def get_scenario(area: str, scenario_id: str) -> Reply:
    """A scenario with all that came out of it."""
    known = _whole_area(area)
    with store().read(viewer().scope) as unit:
        return Reply(ScenarioRecord.shown(keeping.find_scenario(unit, known, scenario_id)))


@operation("PUT", "/areas/<area>/scenarios/<scenario_id>", {200: ScenarioRecord}, tag="scenarios")
@allow(Permission.REALIGN)
def put_scenario(area: str, scenario_id: str, body: ScenarioChange) -> Write:
    """Change a scenario.

    Where somebody else has changed it meanwhile, the answer is 409 with theirs as `present`.
    """
    known, changes = _whole_area(area), _changes(body)

    def write(unit: UnitOfWork) -> Reply:
        try:
            return Reply(
                ScenarioRecord.shown(
                    keeping.change_scenario(unit, known, scenario_id, body.revision, changes, body.name)
                )
            )
        except ChangesInvalidError as error:
            raise _refused(error) from error
        except keeping.ScenarioChangedError as error:
            raise _changed(error) from error

    return write


@operation("POST", "/areas/<area>/scenarios/<scenario_id>/compute", {202: JobRecord}, tag="scenarios")
@allow(Permission.REALIGN)
def compute_scenario(area: str, scenario_id: str) -> Write:
    """Have a scenario worked out in the background, as it is now."""
    known, job_id = _whole_area(area), new_id()

    def write(unit: UnitOfWork) -> Reply:
        person = f"user:{viewer().user.id}"
        job = keeping.request_computation(unit, known, scenario_id, person, now(), job_id, settings())
        return Reply(JobRecord.shown(job, viewer().scope), 202)

    return write


@operation("POST", "/areas/<area>/scenarios/<scenario_id>/apply", {200: ScenarioEntry}, tag="scenarios")
@allow(Permission.REALIGN)
def apply_scenario(area: str, scenario_id: str, body: ScenarioRevision) -> OwnWrite:
    """Apply a scenario that has been worked out: all of it, or nothing.

    Promised visits and handed-off opportunities stay with the reps who have them, and plans as they are. The answer is
    409 where the scenario or records have changed since it was worked out.
    """
    known = _whole_area(area)

    def does(kept: Any) -> None:
        try:
            applying.apply_scenario(
                store(),
                viewer().actor,
                known,
                scenario_id,
                body.revision,
                now(),
                lambda unit, applied: kept(unit, Reply(ScenarioEntry.entry(applied))),
            )
        except keeping.ScenarioChangedError as error:
            raise _changed(error) from error
        except applying.InTheWayError as error:
            members = {"promises": [promise.id for promise in error.promises]}
            raise Problem(409, "promise-broken", str(error), members=members) from error

    return OwnWrite(does)


@operation("DELETE", "/areas/<area>/scenarios/<scenario_id>", {200: RemovedScenario}, tag="scenarios")
@allow(Permission.REALIGN)
def delete_scenario(area: str, scenario_id: str) -> Write:
    """Forget a scenario that has not been applied."""
    known = _whole_area(area)

    def write(unit: UnitOfWork) -> Reply:
        keeping.remove_scenario(unit, known, scenario_id)
        return Reply(RemovedScenario(id=scenario_id))

    return write


def _changed(error: keeping.ScenarioChangedError) -> Problem:
    present = ScenarioEntry.entry(error.present).model_dump(mode="json")
    return Problem(409, "changed", str(error), members={"present": present})
