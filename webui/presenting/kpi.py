"""The tree from lead to order as a page shows it, and the opportunities behind each of its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from planner.exporting import Cell
from planner.handoffs.domain import Side
from planner.kpi.definitions import FIGURES, PARTS, STAGES, TIMINGS
from planner.kpi.domain import (
    DROPS,
    Activity,
    Amount,
    Basis,
    Branch,
    Dimension,
    Drilled,
    Node,
    Part,
    RepActivity,
    Selection,
    Span,
    Stage,
    Timing,
    Tree,
)
from planner.kpi.milestones import Milestones
from planner.kpi.reading import Team
from planner.kpi.tree import Chosen
from webui.presenting.coverage import Bar, Definition, stacked
from webui.words import clock, count, duration, sentence, short_day

STAGE_WORDS = {
    Stage.LEAD: "Leads",
    Stage.CONTACTED: "Contacted",
    Stage.QUALIFIED: "Qualified",
    Stage.HANDED_OFF: "Handed off",
    Stage.ACCEPTED: "Accepted",
    Stage.FIRST_ACTION: "First action",
    Stage.VISITED: "Visited",
    Stage.PROPOSAL: "Proposal",
    Stage.WON: "Won",
}
PART_WORDS = {
    Part.WENT_ON: "went on",
    Part.WON: "won",
    Part.OPEN_INSIDE: "open at inside sales",
    Part.OPEN_FIELD: "open in the field",
    Part.OPEN_MANAGER: "open with a manager",
    Part.SENT_BACK: "sent back by the field",
    Part.LOST_INSIDE: "given up by inside sales",
    Part.LOST_FIELD: "lost in the field",
}
TIMING_WORDS = {Timing.IN_TIME: "in time", Timing.LATE: "late", Timing.UNKNOWN: "no deadline known"}
SIDE_WORDS = {Side.INSIDE: "inside sales", Side.FIELD: "the field", Side.MANAGER: "a manager"}
DIMENSIONS = {
    Dimension.REP: "Field rep",
    Dimension.INSIDE: "Inside rep",
    Dimension.SOURCE: "Source",
    Dimension.MONTH: "Month",
}
NONE_WORDS = {
    Dimension.REP: "No field rep",
    Dimension.INSIDE: "No inside rep",
    Dimension.SOURCE: "No source",
    Dimension.MONTH: "No date",
}
BASIS_WORDS = {
    Basis.COHORT: "Leads of these days",
    Basis.ACTIVITY: "What happened on these days",
}
PERIODS = {
    "month": "This month",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "quarter": "This quarter",
    "year": "Last 12 months",
    "all": "All time",
}
USUAL_PERIOD = "90"
_IN_ORDER = tuple(Stage)
_OF_FIELD = ("visits_a_day", "on_time", "driving", "done")
ROW_STAGES = (Stage.LEAD, Stage.QUALIFIED, Stage.HANDED_OFF, Stage.FIRST_ACTION, Stage.VISITED, Stage.WON)
"""The stages that a breakdown has room for."""


def days_of(period: str, today: date) -> tuple[date | None, date | None]:
    """The first and last day of one of `PERIODS`; None for no bound."""
    match period:
        case "month":
            return today.replace(day=1), today
        case "quarter":
            return today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1), today
        case "all":
            return None, None
        case "year":
            return today - timedelta(days=364), today
        case _:
            return today - timedelta(days=int(period) - 1), today


def options_of(ways: Iterable[Milestones], dimension: Dimension, team: Team) -> dict[str, str]:
    """What may be chosen of a dimension, as the keys of its rows, each with what it is called."""
    chosen = Chosen(Selection(), team.zone)
    found: dict[str, str] = {}
    for way in ways:
        key = chosen.key(way, Stage.LEAD, dimension)
        spelt = {Dimension.INSIDE: way.inside, Dimension.SOURCE: way.source}.get(dimension, team.names.get(key, key))
        found[key] = min(found.get(key, spelt), spelt)
    return {key: found[key] or NONE_WORDS[dimension] for key in sorted(found, key=lambda key: (not key, found[key]))}


@dataclass(frozen=True, slots=True)
class PartView:
    """Some of those who reached a stage. `node` names them in addresses."""

    node: str
    css: str
    text: str
    number: int
    worth: str
    definition: str


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage. `went_on` is the share that reached the next one, `took` how long after the one before it came."""

    node: str
    title: str
    definition: str
    number: int
    worth: str
    bars: tuple[Bar, ...]
    parts: tuple[PartView, ...]
    timing: tuple[PartView, ...]
    went_on: str
    took: str


@dataclass(frozen=True, slots=True)
class CardView:
    """Another figure. `node` names the opportunities behind it; `of_field` says that the table of the field is."""

    title: str
    text: str
    more: str
    definition: str
    node: str
    of_field: bool


@dataclass(frozen=True, slots=True)
class CellView:
    """Those of a row that reached a stage; `node` is empty where there are none."""

    node: str
    number: int


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of the breakdown. `key` is as `Selection` has it."""

    key: str
    label: str
    cells: tuple[CellView, ...]
    won_share: str
    won_worth: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Where most are lost."""

    node: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class RepRow:
    """What a rep did."""

    name: str
    visits: str
    days: str
    visits_a_day: str
    on_time: str
    driving: str
    done: str


@dataclass(frozen=True, slots=True)
class PipelineView:
    """The page. `drop` is None where nothing dropped out."""

    stages: tuple[StageView, ...]
    won_worth: str
    drop: Drop | None
    cards: tuple[CardView, ...]
    row_stages: tuple[str, ...]
    rows: tuple[RowView, ...]
    field: tuple[RepRow, ...]
    notes: tuple[str, ...]
    definitions: tuple[Definition, ...]

    @property
    def empty(self) -> bool:
        return not any(stage.number for stage in self.stages)

    def number(self, node: str) -> int:
        return next(stage.number for stage in self.stages if stage.node == node)


def pipeline_view(tree: Tree, activity: Activity) -> PipelineView:
    """The tree with the field's figures of the same days."""
    branch = tree.whole
    most = max((node.total.count for node in branch.nodes), default=0)
    notes = list(tree.notes)
    if tree.undated:
        those = count(tree.undated, "opportunity", "opportunities")
        notes.append(f"{those} of which nobody wrote down when they came in are in no period: choose all time for them")
    return PipelineView(
        stages=tuple(_stage(node, most) for node in branch.nodes),
        won_worth=money(branch.node(Stage.WON).total),
        drop=_drop(branch),
        cards=_cards(branch, activity.whole),
        row_stages=tuple(STAGE_WORDS[stage] for stage in ROW_STAGES),
        rows=tuple(_row(row.key, row.label or NONE_WORDS[tree.by], row.branch) for row in tree.rows if tree.by),
        field=tuple(_rep_row(rep) for rep in activity.reps),
        notes=tuple(f"{sentence(note)}".rstrip(".") + "." for note in notes),
        definitions=tuple(Definition(sentence(PART_WORDS[part]), text) for part, text in PARTS.items()),
    )


def money(amount: Amount) -> str:
    """To the whole, as elsewhere without a currency."""
    return f"{amount.value:,.0f}"


def node_name(stage: Stage, part: Part | Timing | None = None) -> str:
    """How a number is named in addresses."""
    return f"{stage}.{part}" if part else stage.value


def node_named(name: str) -> tuple[Stage, Part | Timing | None]:
    """The reverse. Raises ValueError."""
    stage_name, dot, rest = name.partition(".")
    stage = Stage(stage_name)
    if not dot:
        return stage, None
    if stage is Stage.FIRST_ACTION and rest in set(Timing):
        return stage, Timing(rest)
    part = Part(rest)
    if stage is Stage.WON and part is Part.WENT_ON:
        raise ValueError(name)
    return stage, part


def node_words(stage: Stage, part: Part | Timing | None) -> str:
    """'Handed off: sent back by the field'."""
    if part is None:
        return STAGE_WORDS[stage]
    words = TIMING_WORDS[part] if isinstance(part, Timing) else _part_words(stage, part)
    return f"{STAGE_WORDS[stage]}: {words}"


def _part_words(stage: Stage, part: Part) -> str:
    if part is Part.WENT_ON:
        return f"went on to {STAGE_WORDS[_IN_ORDER[_IN_ORDER.index(stage) + 1]].lower()}"
    return PART_WORDS[part]


def _stage(node: Node, most: int) -> StageView:
    parts = tuple(
        PartView(
            node_name(node.stage, part),
            f"part-{part}",
            _part_words(node.stage, part),
            node.parts[part].count,
            money(node.parts[part]),
            PARTS[part],
        )
        for part in PART_WORDS
        if part in node.parts
    )
    timing = tuple(
        PartView(node_name(node.stage, kind), f"timing-{kind}", words, amount.count, money(amount), TIMINGS[kind])
        for kind, words in TIMING_WORDS.items()
        if (amount := node.timing.get(kind)) is not None
    )
    return StageView(
        node=node_name(node.stage),
        title=STAGE_WORDS[node.stage],
        definition=STAGES[node.stage],
        number=node.total.count,
        worth=money(node.total),
        bars=stacked([(part.css, float(part.number)) for part in parts], most),
        parts=parts,
        timing=timing,
        went_on=share(node.conversion),
        took=_took(node),
    )


def share(of_one: float | None) -> str:
    """'67 %', or nothing."""
    return "" if of_one is None else f"{of_one:.0%}".replace("%", " %")


def span(took: Span) -> str:
    """'25 min', '5 h', '3.2 days', or nothing."""
    if took.median_s is None:
        return ""
    if took.median_s < 3600:
        return duration(took.median_s)
    hours = took.median_s / 3600
    return f"{hours:.0f} h" if hours < 36 else f"{hours / 24:,.1f} days"


def _took(node: Node) -> str:
    if node.took.median_s is None or node.stage is Stage.LEAD:
        return ""
    before = STAGE_WORDS[_IN_ORDER[_IN_ORDER.index(node.stage) - 1]].lower()
    told = f"{span(node.took)} after {before}" if node.took.median_s >= 60 else f"together with {before}"
    return told if node.took.known == node.total.count else f"{told}, known of {node.took.known:,}"


def _drop(branch: Branch) -> Drop | None:
    found = [
        (amount.count, node.stage, part)
        for node in branch.nodes
        for part, amount in node.parts.items()
        if part in DROPS and amount.count
    ]
    if not found:
        return None
    number, stage, part = max(found, key=lambda each: each[0])
    return Drop(node_name(stage, part), number, f"after {STAGE_WORDS[stage].lower()}, {PART_WORDS[part]}")


def _cards(branch: Branch, field: RepActivity) -> tuple[CardView, ...]:
    action, open_ = branch.node(Stage.FIRST_ACTION), branch.contribution.open
    sides = [(side, open_.get(side, Amount())) for side in SIDE_WORDS]
    won = branch.contribution.won
    told = [
        ("response", span(branch.response), f"{branch.response.known:,} known", node_name(Stage.CONTACTED)),
        ("order_lead", span(branch.order_lead), f"{branch.order_lead.known:,} known", node_name(Stage.WON)),
        (
            "in_time",
            share(action.in_time_share),
            f"{action.timing.get(Timing.LATE, Amount()).count:,} late",
            node_name(Stage.FIRST_ACTION),
        ),
        (
            "open",
            money(sum((amount for _, amount in sides), Amount())),
            " · ".join(f"{money(amount)} with {SIDE_WORDS[side]}" for side, amount in sides if amount.count),
            "",
        ),
        (
            "won",
            money(sum(won.values(), Amount())),
            " · ".join(f"{money(amount)} from {SIDE_WORDS[side]}" for side, amount in won.items() if amount.count),
            node_name(Stage.WON),
        ),
        ("visits_a_day", _rate(field.visits_a_day), f"{field.made + field.tried:,} visits", ""),
        ("on_time", share(field.on_time_share), f"of {count(field.promised, 'promise')}", ""),
        ("driving", share(field.driving_share), f"{duration(field.drive_s)} of {duration(field.away_s)}", ""),
        ("done", share(field.done_share), f"{field.done:,} of {field.planned:,} planned", ""),
    ]
    return tuple(
        CardView(FIGURES[key][0], text or "–", more, FIGURES[key][1], node, key in _OF_FIELD)
        for key, text, more, node in told
    )


def _rate(number: float | None) -> str:
    return "" if number is None else f"{number:.1f}"


def _row(key: str, label: str, branch: Branch) -> RowView:
    leads, won = branch.node(Stage.LEAD).total, branch.node(Stage.WON).total
    return RowView(
        key,
        label,
        tuple(CellView(node_name(stage), branch.node(stage).total.count) for stage in ROW_STAGES),
        share(won.count / leads.count if leads.count else None) or "–",
        money(won),
    )


def _rep_row(rep: RepActivity) -> RepRow:
    return RepRow(
        rep.name,
        f"{rep.made + rep.tried:,}",
        f"{rep.days:,}",
        _rate(rep.visits_a_day) or "–",
        share(rep.on_time_share) or "–",
        share(rep.driving_share) or "–",
        share(rep.done_share) or "–",
    )


# --- the opportunities behind a number --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened."""

    when: str
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class DealView:
    """An opportunity, how far it is, and what happened."""

    id: str
    name: str
    worth: str
    stage: str
    part: str
    css: str
    timing: str
    rep: str
    inside: str
    source: str
    events: tuple[EventView, ...]


EXPORTED = (
    *("opportunity_id", "name", "value", "stage", "what_became_of_it", "first_action", "rep_id", "rep", "inside_rep"),
    *("source", *(f"{stage}_at" for stage in Stage)),
)
"""The columns of an exported list; moments are by the clock of the area."""


def deal_view(drilled: Drilled, team: Team) -> DealView:
    return DealView(
        drilled.opportunity_id,
        drilled.name,
        f"{drilled.value:,.0f}" if drilled.value else "",
        STAGE_WORDS[drilled.stage],
        "" if drilled.part is Part.WON else PART_WORDS[drilled.part],
        f"part-{drilled.part}",
        TIMING_WORDS[drilled.timing] if drilled.timing in (Timing.IN_TIME, Timing.LATE) else "",
        team.names.get(drilled.rep_id, drilled.rep_id),
        drilled.inside,
        drilled.source,
        tuple(
            EventView(_moment(event.at, team.zone), sentence(event.text or event.action.replace("_", " ")), event.by)
            for event in drilled.events
        ),
    )


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    if at is None:
        return "when is not known"
    local = at.astimezone(zone)
    return f"{short_day(local)} {local.year} {clock(local)}"


def exported(ways: Iterable[Milestones], team: Team) -> list[tuple[Cell, ...]]:
    """The rows of an exported list, as `EXPORTED` has its columns."""
    return [
        (
            *(way.opportunity_id, way.name, way.cents / 100, way.stage.value, way.part.value),
            way.timing.value if way.timing else "",
            *(way.rep_id, team.names.get(way.rep_id, ""), way.inside, way.source),
            *(_local(way.moments.get(stage), team.zone) for stage in Stage),
        )
        for way in ways
    ]


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0) if at else None
