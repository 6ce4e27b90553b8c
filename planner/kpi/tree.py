"""The tree from lead to order: how many reached each stage, what became of them, and the opportunities behind each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from planner.handoffs.domain import Side
from planner.hours import instant, midnight
from planner.kpi.domain import (
    PLACE,
    STAGES,
    Amount,
    Basis,
    Branch,
    Contribution,
    Dimension,
    Drilled,
    Node,
    Part,
    Row,
    Selection,
    Span,
    Stage,
    Timing,
    Tree,
)
from planner.kpi.milestones import Milestones
from planner.kpi.reading import Team, read_milestones
from planner.kpi.telling import told_of
from planner.rep_names import told_names
from planner.repository import UnitOfWork
from planner.settings import Settings

AT_ONCE = timedelta(seconds=1)
"""Records keep whole seconds."""

_SIDES: Mapping[Part, Side] = {
    Part.OPEN_INSIDE: Side.INSIDE,
    Part.SENT_BACK: Side.INSIDE,
    Part.OPEN_FIELD: Side.FIELD,
    Part.OPEN_MANAGER: Side.MANAGER,
}
"""Whose turn it is."""


def pipeline_tree(
    unit: UnitOfWork,
    area: str,
    selection: Selection,
    settings: Settings,
    now: datetime,
    by: Dimension | None = None,
) -> Tree:
    """The tree of the opportunities that are seen, and its rows by a dimension."""
    team = Team.of(unit.records(area).reps())
    return tree_of(read_milestones(unit, area, settings, team, now), selection, team, by)


def events_of(
    unit: UnitOfWork,
    area: str,
    selection: Selection,
    stage: Stage,
    part: Part | Timing | None,
    settings: Settings,
    now: datetime,
) -> list[Drilled]:
    """The opportunities that a number of the tree counts, by id, and what happened to each.

    Args:
        part: of the stage; a Timing of FIRST_ACTION; None for all that reached it.
    """
    team = Team.of(unit.records(area).reps())
    return drilled(unit, area, behind(read_milestones(unit, area, settings, team, now), selection, team, stage, part))


def drilled(unit: UnitOfWork, area: str, ways: Sequence[Milestones]) -> list[Drilled]:
    """What happened to each of some opportunities, in their order."""
    reps = unit.records(area).reps()
    team = Team.of(reps)
    told = told_of(unit, area, {way.opportunity_id for way in ways}, told_names(reps), team)
    return [
        Drilled(
            way.opportunity_id,
            way.name,
            way.cents / 100,
            way.stage,
            way.part,
            way.timing,
            way.rep_id,
            way.inside,
            way.source,
            way.moments,
            told[way.opportunity_id],
        )
        for way in ways
    ]


def behind(
    ways: Iterable[Milestones], selection: Selection, team: Team, stage: Stage, part: Part | Timing | None
) -> list[Milestones]:
    """Those that a number of the tree counts."""
    chosen = Chosen(selection, team.zone)

    def counts(way: Milestones) -> bool:
        if stage not in way.moments or not chosen.fits(way) or not chosen.has(way, stage):
            return False
        if isinstance(part, Timing):
            return stage is Stage.FIRST_ACTION and way.timing is part
        return part is None or way.part_at(stage) is part

    return [way for way in ways if counts(way)]


def tree_of(ways: Iterable[Milestones], selection: Selection, team: Team, by: Dimension | None = None) -> Tree:
    """The same of what was read before."""
    chosen = Chosen(selection, team.zone)
    whole = _Growing()
    rows: defaultdict[str, _Growing] = defaultdict(_Growing)
    labels: dict[str, str] = {}
    undated = 0
    for way in ways:
        if not chosen.fits(way):
            continue
        undated += way.came_in is None
        for stage in way.moments:
            if chosen.has(way, stage):
                whole.add(way, stage)
                if by is not None:
                    key = chosen.key(way, stage, by)
                    rows[key].add(way, stage)
                    label = _label(way, by, key, team)
                    labels[key] = min(labels.get(key, label), label)
    grown = [Row(key, labels[key], branch.grown()) for key, branch in rows.items()]
    in_order = sorted(grown, key=lambda row: (not row.key, row.label.casefold(), row.key))
    bounded = selection.first_day is not None or selection.last_day is not None or bool(selection.month)
    return Tree(selection, whole.grown(), by, in_order, undated if bounded else 0)


class Chosen:
    """Which opportunities a selection has at which stage, and in which row each of them stands."""

    def __init__(self, selection: Selection, zone: ZoneInfo) -> None:
        self._asked = selection
        self._zone = zone
        # A day begins at midnight there, an hour sooner or later where the clocks have changed.
        first, last = selection.first_day, selection.last_day
        self._from = instant(midnight(first), zone) if first is not None else datetime.min.replace(tzinfo=UTC)
        self._until = (
            instant(midnight(last + timedelta(days=1)), zone) if last is not None else datetime.max.replace(tzinfo=UTC)
        )
        self._bounded = first is not None or last is not None

    def fits(self, way: Milestones) -> bool:
        """Whether it is of the rep, the inside rep and the source."""
        asked = self._asked
        return (
            (asked.rep is None or way.rep_id == asked.rep)
            and (asked.inside is None or way.inside.casefold() == asked.inside.casefold())
            and (asked.source is None or way.source.casefold() == asked.source.casefold())
        )

    def has(self, way: Milestones, stage: Stage) -> bool:
        """Whether one that fits, and has reached a stage, is of the period there."""
        if not self._bounded and self._asked.month is None:
            return True
        at = self._moment(way, stage)
        if self._bounded and (at is None or not self._from <= at < self._until):
            return False
        return self._asked.month is None or self._month(at) == self._asked.month

    def key(self, way: Milestones, stage: Stage, by: Dimension) -> str:
        """The row in which it stands; empty for none."""
        match by:
            case Dimension.REP:
                return way.rep_id
            case Dimension.INSIDE:
                return way.inside.casefold()
            case Dimension.SOURCE:
                return way.source.casefold()
            case Dimension.MONTH:
                return self._month(self._moment(way, stage))

    def _moment(self, way: Milestones, stage: Stage) -> datetime | None:
        if self._asked.basis is Basis.COHORT or stage is Stage.LEAD:
            return way.came_in
        return way.moments[stage]

    def _month(self, at: datetime | None) -> str:
        return f"{at.astimezone(self._zone):%Y-%m}" if at is not None else ""


def _label(way: Milestones, by: Dimension, key: str, team: Team) -> str:
    match by:
        case Dimension.REP:
            return team.names.get(key, key)
        case Dimension.INSIDE:
            return way.inside
        case Dimension.SOURCE:
            return way.source
        case Dimension.MONTH:
            return key


@dataclass(slots=True)
class _Growing:
    """A branch while opportunities are added to it, one stage at a time."""

    parts: dict[tuple[Stage, Part], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    timing: dict[Timing, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    won: dict[Side, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    took: dict[Stage, list[float]] = field(default_factory=lambda: defaultdict(list))
    order_lead: list[float] = field(default_factory=list)

    def add(self, way: Milestones, stage: Stage) -> None:
        _count(self.parts[stage, way.part_at(stage)], way)
        if stage is Stage.LEAD:
            return
        at, before = way.moments[stage], way.moments[STAGES[PLACE[stage] - 1]]
        # What was imported as handed off, or had no answers before, was qualified by handing it off.
        at_once = stage is Stage.HANDED_OFF and at is not None and before is not None and at - before < AT_ONCE
        if at is not None and before is not None and before <= at and not at_once:
            self.took[stage].append((at - before).total_seconds())
        if stage is Stage.FIRST_ACTION and way.timing is not None:
            _count(self.timing[way.timing], way)
        if stage is Stage.WON:
            _count(self.won[Side.INSIDE if way.inside else Side.FIELD], way)
            lead = way.moments[Stage.LEAD]
            if at is not None and lead is not None and lead <= at:
                self.order_lead.append((at - lead).total_seconds())

    def grown(self) -> Branch:
        by_stage: dict[Stage, dict[Part, Amount]] = {stage: {} for stage in STAGES}
        for stage in STAGES:
            for part in Part:
                if (stage, part) in self.parts:
                    by_stage[stage][part] = Amount(*self.parts[stage, part])
        nodes = tuple(
            Node(
                stage,
                _sum(parts.values()),
                parts,
                {timing: Amount(*self.timing[timing]) for timing in Timing if timing in self.timing}
                if stage is Stage.FIRST_ACTION
                else {},
                _span(self.took.get(stage, ())),
            )
            for stage, parts in by_stage.items()
        )
        open_ = {
            side: _sum(node.parts[part] for node in nodes for part in node.parts if _SIDES.get(part) is side)
            for side in (Side.INSIDE, Side.FIELD, Side.MANAGER)
        }
        won = {side: Amount(*self.won[side]) if side in self.won else Amount() for side in (Side.INSIDE, Side.FIELD)}
        return Branch(
            nodes,
            _span(self.took.get(Stage.CONTACTED, ())),
            _span(self.order_lead),
            Contribution(open_, won),
        )


def _count(amount: list[int], way: Milestones) -> None:
    amount[0] += 1
    amount[1] += way.cents


def _sum(amounts: Iterable[Amount]) -> Amount:
    return sum(amounts, Amount())


def _span(seconds: Sequence[float]) -> Span:
    return Span(median(seconds) if seconds else None, len(seconds))
