"""The words of the tree from lead to order: its stages, what became of what reached them, and which are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from planner.domain import _check
from planner.handoffs.domain import Side


class Stage(StrEnum):
    """How far an opportunity has come. What reached a stage counts in all before it, too."""

    LEAD = "lead"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    HANDED_OFF = "handed_off"
    ACCEPTED = "accepted"
    FIRST_ACTION = "first_action"
    VISITED = "visited"
    PROPOSAL = "proposal"
    WON = "won"


STAGES: Sequence[Stage] = tuple(Stage)
PLACE: Mapping[Stage, int] = {stage: number for number, stage in enumerate(STAGES)}
"""Of a stage in the order."""


class Part(StrEnum):
    """What became of an opportunity that reached a stage: it is in exactly one part of each stage that it reached."""

    WENT_ON = "went_on"
    """It reached the next stage."""
    OPEN_INSIDE = "open_inside"
    OPEN_FIELD = "open_field"
    OPEN_MANAGER = "open_manager"
    SENT_BACK = "sent_back"
    """The field rejected or returned it, or let its deadline pass; inside sales has it again."""
    LOST_INSIDE = "lost_inside"
    """Inside sales gave it up."""
    LOST_FIELD = "lost_field"
    WON = "won"


OPEN = (Part.OPEN_INSIDE, Part.OPEN_FIELD, Part.OPEN_MANAGER, Part.SENT_BACK)
DROPS: Mapping[Part, Side] = {
    Part.SENT_BACK: Side.FIELD,
    Part.LOST_INSIDE: Side.INSIDE,
    Part.LOST_FIELD: Side.FIELD,
}
"""The parts that are a drop, and the side of the handoff on which it arose."""


class Timing(StrEnum):
    """Whether the field's first action came by its deadline."""

    IN_TIME = "in_time"
    LATE = "late"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Which opportunities a period has."""

    COHORT = "cohort"
    """Those that came in as leads in the period, and whatever became of them since."""
    ACTIVITY = "activity"
    """At each stage those that reached it in the period, whenever they came in."""


class Dimension(StrEnum):
    """What a tree is split by, into rows that add up to it; also the fields of a `Selection` that choose one row."""

    REP = "rep"
    INSIDE = "inside"
    SOURCE = "source"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which opportunities are looked at. None is any; an empty text is those that have none.

    Attributes:
        first_day, last_day: of the period, both included, as days of the area's zone; None for no bound.
        rep: id of the field rep who has it, or had it last.
        inside: the inside rep, and `source` where the lead came from, both in small letters.
        month: as 2026-11, of the moment that the basis asks for.
    """

    first_day: date | None = None
    last_day: date | None = None
    basis: Basis = Basis.COHORT
    rep: str | None = None
    inside: str | None = None
    source: str | None = None
    month: str | None = None

    def __post_init__(self) -> None:
        for name in ("first_day", "last_day"):
            day = getattr(self, name)
            _check(day is None or 1900 <= day.year < 2200, name, f"{day} is not between 1900 and 2199")
        in_order = self.first_day is None or self.last_day is None or self.first_day <= self.last_day
        _check(in_order, "last_day", f"{self.last_day} is before {self.first_day}")

    def narrowed(self, by: Dimension, key: str) -> Selection:
        """Only those of one row."""
        match by:
            case Dimension.REP:
                return replace(self, rep=key)
            case Dimension.INSIDE:
                return replace(self, inside=key)
            case Dimension.SOURCE:
                return replace(self, source=key)
            case Dimension.MONTH:
                return replace(self, month=key)


@dataclass(frozen=True, slots=True)
class Amount:
    """How many opportunities, and their value in hundredths: whole numbers, so that parts add up exactly."""

    count: int = 0
    cents: int = 0

    @property
    def value(self) -> float:
        return self.cents / 100

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.count + other.count, self.cents + other.cents)


@dataclass(frozen=True, slots=True)
class Span:
    """The median time between two moments in seconds; `known` of how many it is known. None where of nobody."""

    median_s: float | None
    known: int


@dataclass(frozen=True, slots=True)
class Node:
    """One stage of the tree: those that reached it, and what became of them.

    Attributes:
        parts: without those that are empty; they add up to `total`.
        timing: of FIRST_ACTION; adds up to `total` too, and is empty elsewhere.
        took: from the stage before, of those whose two moments are known and in order.
    """

    stage: Stage
    total: Amount
    parts: Mapping[Part, Amount]
    timing: Mapping[Timing, Amount]
    took: Span

    @property
    def went_on(self) -> Amount:
        return self.parts.get(Part.WENT_ON, Amount())

    @property
    def open(self) -> Amount:
        """Still open here, whoever has it."""
        return sum((self.parts.get(part, Amount()) for part in OPEN), Amount())

    @property
    def lost(self) -> Amount:
        return sum((self.parts.get(part, Amount()) for part in (Part.LOST_INSIDE, Part.LOST_FIELD)), Amount())

    @property
    def conversion(self) -> float | None:
        """The share that went on; None where nothing reached it, and of WON."""
        return self.went_on.count / self.total.count if self.total.count and self.stage is not Stage.WON else None

    @property
    def in_time_share(self) -> float | None:
        """Of FIRST_ACTION: the share in time of those of which it is known."""
        in_time, late = (self.timing.get(timing, Amount()).count for timing in (Timing.IN_TIME, Timing.LATE))
        return in_time / (in_time + late) if in_time + late else None


@dataclass(frozen=True, slots=True)
class Contribution:
    """Who contributes to the pipeline: what is open by whose turn it is, and what is won by where it came from."""

    open: Mapping[Side, Amount]
    won: Mapping[Side, Amount]
    """INSIDE where an inside rep handed it off, FIELD where none did."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A tree of some opportunities.

    Attributes:
        nodes: by stage, in order.
        response: from lead to first contact; order_lead: from lead to won.
    """

    nodes: Sequence[Node]
    response: Span
    order_lead: Span
    contribution: Contribution

    def node(self, stage: Stage) -> Node:
        return self.nodes[PLACE[stage]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a dimension; `key` goes into `Selection.narrowed`, `label` is for people and empty for none."""

    key: str
    label: str
    branch: Branch


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole tree of a selection, and its rows where it is split by something.

    Attributes:
        undated: opportunities that no period has, since nobody wrote down when they came in or anything since.
        notes: what somebody should know who reads the figures, as sentences.
    """

    selection: Selection
    whole: Branch
    by: Dimension | None
    rows: Sequence[Row]
    undated: int
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened: when (UTC; None where nobody wrote it down), a code, words, and a name or nothing."""

    at: datetime | None
    action: str
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """One opportunity of a node, and all that is known to have happened to it, in order.

    Attributes:
        stage: how far it has come; part: what became of it there.
        moments: of the stages that it reached, in UTC; None where that is not known.
    """

    opportunity_id: str
    name: str
    value: float
    stage: Stage
    part: Part
    timing: Timing | None
    rep_id: str
    inside: str
    source: str
    moments: Mapping[Stage, datetime | None]
    events: Sequence[Told]


@dataclass(frozen=True, slots=True)
class RepActivity:
    """What a rep did in a period; of days that are over.

    Attributes:
        days: with at least one visit; made: visits at which the customer was met, tried: all others that were reported.
        promised: visits that were promised and whose check-in is known; on_time: of those by the promised time.
        planned: visits in the plans as they stood on their days; done: of those made or tried.
        drive_s, away_s: by those plans, from leaving home until being back.
    """

    rep_id: str
    name: str
    days: int = 0
    made: int = 0
    tried: int = 0
    promised: int = 0
    on_time: int = 0
    planned: int = 0
    done: int = 0
    drive_s: int = 0
    away_s: int = 0

    @property
    def visits_a_day(self) -> float | None:
        return (self.made + self.tried) / self.days if self.days else None

    @property
    def on_time_share(self) -> float | None:
        return self.on_time / self.promised if self.promised else None

    @property
    def driving_share(self) -> float | None:
        return self.drive_s / self.away_s if self.away_s else None

    @property
    def done_share(self) -> float | None:
        return self.done / self.planned if self.planned else None


@dataclass(frozen=True, slots=True)
class Activity:
    """What the field did in a period, `reps` by id and `whole` together; the period as it was looked at."""

    first_day: date
    last_day: date
    whole: RepActivity
    reps: Sequence[RepActivity] = field(default=())
