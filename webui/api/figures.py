"""Figures: how customers are looked after, and the tree from lead to order, with what is behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from planner.access import Permission
from planner.coverage.domain import AccountCover
from planner.coverage.keeping import request_coverage, standing, stored, summary
from planner.coverage.measures import MEASURES, Group, listed
from planner.coverage.packing import Summary
from planner.errors import InvalidRecordError, NotFoundError
from planner.kpi.domain import Amount, Basis, Branch, Dimension, Drilled, Node, Part, Selection, Span, Stage, Timing
from planner.kpi.reading import Team, read_milestones
from planner.kpi.tree import behind, drilled, pipeline_tree
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from webui.api.jobs import JobRecord
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import FieldError, unreadable
from webui.api.records import area_named
from webui.api.values import Day, Model, Moment
from webui.pages.plans import now, settings
from webui.policy import allow, viewer

Word = Annotated[str, Field(max_length=1_000)]
Figures = Annotated[
    dict[str, float | None],
    Field(description="By the key of the measure; null where there is nothing to divide by."),
]


def _one_of(kinds: type[StrEnum]) -> tuple[Any, Any]:
    """A word of a query, told in place: a query's schema has no room for definitions."""
    return Field(strict=False), WithJsonSchema({"type": "string", "enum": [kind.value for kind in kinds]})


class MeasureRecord(Model):
    """What a figure means."""

    key: str
    title: str
    definition: str
    unit: Annotated[str, Field(description="`customers`, `days`, `visits`, `hours` (a month) or `share` (1 is all).")]


class FigureRow(Model):
    """The figures of one rep, segment, territory or reason."""

    value: Annotated[str, Field(description="Its id; empty for nobody's, no segment, no territory, and the area.")]
    label: str
    figures: Figures


class HeldCadence(Model):
    """Which cadence the hours of a rep who is short would hold, were they spread evenly. Nothing is changed by it."""

    rep_id: str
    segment: str
    customers: int
    cadence_days: float
    holds_days: Annotated[float | None, Field(description="null where there are no hours for customers at all.")]


class CoverageQuery(Model):
    """How figures are told."""

    by: Annotated[Group, *_one_of(Group), Field(description="What each row is about.")] = Group.REP


class CoverageFigures(Model):
    """How the customers of an area are looked after."""

    as_of: Annotated[Day, Field(description="The day for which they hold.")]
    made_at: Moment
    fresh: Annotated[bool, Field(description="Nothing has changed since they were worked out.")]
    first_day: Annotated[Day | None, Field(description="Of the plan that reps see; null where there is none.")]
    last_day: Day | None
    area: Figures
    overdue_median_days: float | None
    by: Annotated[str, Field(description="What each row is about.")]
    rows: list[FigureRow]
    held: list[HeldCadence]
    notes: list[str]
    measures: list[MeasureRecord]


class CoverageAsked(Model):
    """Where the figures stand after they were asked for."""

    fresh: bool
    job: Annotated[JobRecord | None, Field(description="What works them out; null where nothing is to be done.")]


class CoveredQuery(PageQuery):
    """Which customers are asked for: those that a figure counts, in one row."""

    measure: Annotated[Word, Field(description="The key of a measure.")] = "customers"
    by: Annotated[Group, *_one_of(Group)] = Group.AREA
    value: Annotated[Word, Field(description="`value` of the row.")] = ""


class CoveredAccount(Model):
    """How a customer is looked after."""

    account_id: str
    name: str
    segment: str
    rep_id: str
    territory_id: str
    lat: float | None
    lon: float | None
    state: Annotated[str, Field(description="`visited`, `due`, `overdue`, `dormant` or `no_place`.")]
    cadence_days: int
    last_visit: Day | None
    due_on: Day | None
    overdue_days: int
    planned_on: Day | None
    planned_rep: str
    unreached: Annotated[str, Field(description="Why it is due and in no plan, as a code; `why` is the sentence.")]
    why: str
    visits_a_month: float
    service_minutes: Annotated[int, Field(description="Of one visit, with parking.")]
    drive_minutes: Annotated[float, Field(description="Of one visit, estimated.")]
    annual_value: float

    @classmethod
    def shown(cls, account: AccountCover) -> CoveredAccount:
        return cls.of(account, state=account.state.value)


class CoveredPage(Page):
    """Customers, by id."""

    accounts: list[CoveredAccount]


@operation("GET", "/areas/<area>/coverage", {200: CoverageFigures}, tag="figures")
@allow(Permission.SEE_FIGURES)
def get_coverage(area: str, query: CoverageQuery) -> Reply:
    """How customers are looked after, as it was worked out last.

    Where that never was, the answer is 404: ask for it with `POST`.
    """
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        found = summary(unit, known, viewer().scope)
        fresh = standing(unit, known, settings()).fresh
    if found is None:
        raise NotFoundError(f"the coverage of area {known} has not been worked out yet")
    return Reply(_figures(found, query.by, fresh))


@operation("POST", "/areas/<area>/coverage", {202: CoverageAsked}, tag="figures")
@allow(Permission.SEE_FIGURES)
def order_coverage(area: str) -> Write:
    """Have the coverage worked out anew in the background, unless nothing has changed; also where that has failed."""
    known, person, job_id = area_named(area).name, f"user:{viewer().user.id}", new_id()

    def write(unit: UnitOfWork) -> Reply:
        job = request_coverage(unit, known, person, now(), job_id, settings(), again=True)
        shown = JobRecord.shown(job, viewer().scope) if job else None
        return Reply(CoverageAsked(fresh=job is None, job=shown), 202)

    return write


@operation("GET", "/areas/<area>/coverage/accounts", {200: CoveredPage}, tag="figures")
@allow(Permission.SEE_FIGURES)
def list_covered_accounts(area: str, query: CoveredQuery) -> Reply:
    """The customers behind a figure, by id."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        found = stored(unit, known, viewer().scope)
    if found is None:
        raise NotFoundError(f"the coverage of area {known} has not been worked out yet")
    behind = sorted(listed(found, query.measure, query.by, query.value), key=lambda account: account.account_id)
    listing = f"{known}/coverage/{query.measure}/{query.by}/{query.value}"
    shown, following = page(query, listing, behind, lambda account: (account.account_id,))
    return Reply(CoveredPage(accounts=[CoveredAccount.shown(account) for account in shown], next=following))


def _figures(found: Summary, by: Group, fresh: bool) -> CoverageFigures:
    return CoverageFigures.of(
        found,
        fresh=fresh,
        area=dict(found.total.figures),
        overdue_median_days=found.overdue_median,
        by=by.value,
        rows=[FigureRow.of(row, figures=dict(row.figures)) for row in found.rows[by]],
        held=[HeldCadence.of(each) for each in found.held],
        notes=list(found.notes),
        measures=[MeasureRecord.of(measure, unit=measure.unit.value) for measure in MEASURES.values()],
    )


# --- from lead to order -----------------------------------------------------------------------------------------------


class SelectionQuery(Model):
    """Which opportunities are looked at. A text that is left out is any, an empty one those that have none."""

    first_day: Annotated[Day | None, Field(alias="from", description="The first day of the period.")] = None
    last_day: Annotated[Day | None, Field(alias="to", description="The last one.")] = None
    basis: Annotated[
        Basis, *_one_of(Basis), Field(description="`cohort`: leads of the period; `activity`: what happened in it.")
    ] = Basis.COHORT
    rep: Word | None = None
    inside: Word | None = None
    source: Word | None = None
    month: Annotated[str | None, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$|^$", examples=["2026-11"])] = None

    def selection(self) -> Selection:
        """Raises Problem."""
        lower = {name: text and text.casefold() for name, text in (("inside", self.inside), ("source", self.source))}
        try:
            return Selection(self.first_day, self.last_day, self.basis, rep=self.rep, month=self.month, **lower)
        except InvalidRecordError as error:
            raise unreadable(
                f"The period ends before it begins: {error.message}.", FieldError("to", error.message)
            ) from None


class PipelineQuery(SelectionQuery):
    """Which opportunities are looked at, and what they are split by."""

    by: Annotated[Dimension, *_one_of(Dimension)] | None = None


class AmountRecord(Model):
    """How many opportunities, and their value together."""

    count: int
    value: float


class SpanRecord(Model):
    """A median of times."""

    median_s: Annotated[float | None, Field(description="Seconds; null where it is known of nobody.")]
    known: Annotated[int, Field(description="Of how many it is known.")]


class StageRecord(Model):
    """Those that reached a stage, and what became of them: the parts add up to the total, in number and value."""

    stage: Annotated[str, Field(description=f"One of {', '.join(f'`{stage}`' for stage in Stage)}.")]
    total: AmountRecord
    parts: Annotated[dict[str, AmountRecord], Field(description=f"By {', '.join(f'`{part}`' for part in Part)}.")]
    timing: Annotated[dict[str, AmountRecord], Field(description="Of `first_action`, adding up to the total, too.")]
    conversion: Annotated[float | None, Field(description="The share that went on; null of `won` and of nobody.")]
    took: Annotated[SpanRecord, Field(description="From the stage before.")]


class BranchRecord(Model):
    """A tree of opportunities, stage by stage."""

    stages: list[StageRecord]
    response: Annotated[SpanRecord, Field(description="From lead to first contact.")]
    order_lead: Annotated[SpanRecord, Field(description="From lead to won.")]
    open: Annotated[dict[str, AmountRecord], Field(description="By the side that has to do the next thing.")]
    won: Annotated[dict[str, AmountRecord], Field(description="By the side it came from.")]


class BranchRow(Model):
    """The tree of one rep, inside rep, source or month."""

    key: str
    label: str
    branch: BranchRecord


class PipelineFigures(Model):
    """The tree from lead to order."""

    whole: BranchRecord
    rows: list[BranchRow]
    undated: Annotated[int, Field(description="Opportunities without any moment, which no period has.")]
    notes: list[str]


class BehindQuery(PageQuery, SelectionQuery):
    """Which number of the tree is asked for."""

    stage: Annotated[Stage, *_one_of(Stage)] = Stage.LEAD
    part: Annotated[
        Annotated[Part, *_one_of(Part)] | Annotated[Timing, *_one_of(Timing)] | None,
        Field(description="Of the stage, or of `first_action` also its timing; left out for all that reached it."),
    ] = None


class Happening(Model):
    """Something that happened to an opportunity."""

    at: Annotated[Moment | None, Field(description="null where nobody wrote it down.")]
    action: str
    text: str
    by: str


class DrilledOpportunity(Model):
    """An opportunity behind a number, how far it has come, and all that is known to have happened to it."""

    opportunity_id: str
    name: str
    value: float
    stage: str
    part: str
    timing: str | None
    rep_id: str
    inside: str
    source: str
    moments: Annotated[dict[str, Moment | None], Field(description="When it reached each stage; null: not known.")]
    events: list[Happening]

    @classmethod
    def shown(cls, drilled: Drilled) -> DrilledOpportunity:
        return cls.of(
            drilled,
            stage=drilled.stage.value,
            part=drilled.part.value,
            timing=drilled.timing and drilled.timing.value,
            moments={stage.value: at for stage, at in drilled.moments.items()},
            events=[Happening.of(told) for told in drilled.events],
        )


class DrilledPage(Page):
    """Opportunities, by id."""

    opportunities: list[DrilledOpportunity]


@operation("GET", "/areas/<area>/pipeline", {200: PipelineFigures}, tag="figures")
@allow(Permission.SEE_FIGURES)
def get_pipeline(area: str, query: PipelineQuery) -> Reply:
    """The tree from lead to order: how many reached each stage, and what became of them."""
    known, selection = area_named(area).name, query.selection()
    with store().read(viewer().scope) as unit:
        tree = pipeline_tree(unit, known, selection, settings(), now(), query.by)
    rows = [BranchRow(key=row.key, label=row.label, branch=_branch(row.branch)) for row in tree.rows]
    return Reply(PipelineFigures(whole=_branch(tree.whole), rows=rows, undated=tree.undated, notes=list(tree.notes)))


@operation("GET", "/areas/<area>/pipeline/opportunities", {200: DrilledPage}, tag="figures")
@allow(Permission.SEE_FIGURES)
def list_pipeline_opportunities(area: str, query: BehindQuery) -> Reply:
    """The opportunities behind a number of the tree, by id, with what happened to each."""
    known, selection = area_named(area).name, query.selection()
    asked = query.model_dump_json(exclude={"limit", "cursor"})
    with store().read(viewer().scope) as unit:
        team = Team.of(unit.records(known).reps())
        ways = read_milestones(unit, known, settings(), team, now())
        found = behind(ways, selection, team, query.stage, query.part)
        some, following = page(query, f"{known}/pipeline/{asked}", found, lambda way: (way.opportunity_id,))
        shown = drilled(unit, known, some)
    return Reply(DrilledPage(opportunities=[DrilledOpportunity.shown(each) for each in shown], next=following))


def _branch(branch: Branch) -> BranchRecord:
    return BranchRecord(
        stages=[_stage(node) for node in branch.nodes],
        response=_span(branch.response),
        order_lead=_span(branch.order_lead),
        open=_amounts(branch.contribution.open),
        won=_amounts(branch.contribution.won),
    )


def _stage(node: Node) -> StageRecord:
    return StageRecord(
        stage=node.stage.value,
        total=_amount(node.total),
        parts=_amounts(node.parts),
        timing=_amounts(node.timing),
        conversion=node.conversion,
        took=_span(node.took),
    )


def _amounts(amounts: Mapping[Any, Amount]) -> dict[str, AmountRecord]:
    return {str(name): _amount(amount) for name, amount in amounts.items()}


def _amount(amount: Amount) -> AmountRecord:
    return AmountRecord(count=amount.count, value=amount.value)


def _span(span: Span) -> SpanRecord:
    return SpanRecord(median_s=span.median_s, known=span.known)
