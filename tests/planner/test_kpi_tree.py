"""The tree from lead to order adds up, whatever has happened: the property that the page's numbers rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from cast import opportunity
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_histories import NOW, START, TEAM, ZONE, History, at, dirty, histories, local, real

from planner.handoffs.domain import HandoffState, Side
from planner.kpi.domain import (
    OPEN,
    STAGES,
    Amount,
    Basis,
    Branch,
    Dimension,
    Part,
    Selection,
    Stage,
    Timing,
)
from planner.kpi.milestones import Happened, Milestones, Present
from planner.kpi.tree import behind, tree_of

DAYS = st.none() | st.integers(-40, 120).map(lambda days: START.date() + timedelta(days=days))


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    first, last = draw(DAYS), draw(DAYS)
    if first is not None and last is not None and last < first:
        first, last = last, first
    return Selection(first, last, draw(st.sampled_from(Basis)))


def amount(ways: Sequence[Milestones]) -> Amount:
    return Amount(len(ways), sum(way.cents for way in ways))


def total(amounts: Sequence[Amount]) -> Amount:
    return sum(amounts, Amount())


@settings(max_examples=200, deadline=None)
@given(histories, selections())
def test_parents_equal_their_children_and_every_number_has_just_its_opportunities_behind_it(
    drawn: list[History], selection: Selection
) -> None:
    ways = [history.milestones() for history in drawn]
    whole = tree_of(ways, selection, TEAM).whole
    for node in whole.nodes:
        assert node.total == total(list(node.parts.values()))
        assert node.total == node.went_on + node.open + node.lost + node.parts.get(Part.WON, Amount())
        assert node.total == amount(behind(ways, selection, TEAM, node.stage, None))
        for part in Part:
            assert node.parts.get(part, Amount()) == amount(behind(ways, selection, TEAM, node.stage, part))
        if node.stage is Stage.FIRST_ACTION:
            assert total(list(node.timing.values())) == node.total
            for timing in Timing:
                its = behind(ways, selection, TEAM, node.stage, timing)
                assert node.timing.get(timing, Amount()) == amount(its)
    if selection.basis is Basis.COHORT:
        for node, following in zip(whole.nodes, whole.nodes[1:], strict=False):
            assert node.went_on == following.total
        leaves = [amount for node in whole.nodes for part, amount in node.parts.items() if part is not Part.WENT_ON]
        assert total(leaves) == whole.node(Stage.LEAD).total
    open_ = total([node.parts.get(part, Amount()) for node in whole.nodes for part in OPEN])
    assert total(list(whole.contribution.open.values())) == open_
    assert total(list(whole.contribution.won.values())) == whole.node(Stage.WON).total


@settings(max_examples=60, deadline=None)
@given(histories, selections(), st.sampled_from(Dimension))
def test_rows_add_up_to_the_total_and_each_is_the_tree_of_its_own_selection(
    drawn: list[History], selection: Selection, by: Dimension
) -> None:
    ways = [history.milestones() for history in drawn]
    tree = tree_of(ways, selection, TEAM, by)
    for node in tree.whole.nodes:
        rows = [row.branch.node(node.stage) for row in tree.rows]
        assert total([row.total for row in rows]) == node.total
        assert sum(row.took.known for row in rows) == node.took.known
        for part in Part:
            assert total([row.parts.get(part, Amount()) for row in rows]) == node.parts.get(part, Amount())
    for row in tree.rows:
        assert _numbers(tree_of(ways, selection.narrowed(by, row.key), TEAM).whole) == _numbers(row.branch)


def _numbers(branch: Branch) -> object:
    return [(node.total, dict(node.parts), dict(node.timing), node.took) for node in branch.nodes]


@settings(max_examples=200, deadline=None)
@given(real() | dirty())
def test_what_reached_a_stage_has_reached_all_before_it_and_is_in_one_part_of_each(history: History) -> None:
    way = history.milestones()
    assert tuple(way.moments) == STAGES[: STAGES.index(way.stage) + 1]
    assert way.part is not Part.WENT_ON
    assert [way.part_at(stage) for stage in way.moments] == [Part.WENT_ON] * (len(way.moments) - 1) + [way.part]
    assert (way.part is Part.WON) == (way.stage is Stage.WON)
    assert all(at is None or at <= NOW for at in way.moments.values())


def deal(id_: str, lead: datetime | None, stage: Stage = Stage.LEAD, reached: datetime | None = None) -> Milestones:
    """A lead of that moment that is handed off at another, if need be."""
    present = Present(HandoffState.DRAFT, Side.INSIDE)
    entries = []
    if stage is Stage.HANDED_OFF and reached is not None:
        present = Present(HandoffState.HANDED_OFF, Side.FIELD, "anna")
        entries = [Happened(reached, "handed_off", HandoffState.HANDED_OFF)]
    record = opportunity(id_, lead_at=lead and local(lead), qualified_at=None, value=100)
    return History(record, present, entries).milestones()


def test_a_period_is_of_local_days_also_on_the_night_when_the_clocks_change() -> None:
    """On 25 October clocks in London go back: the day has 25 hours, from 23:00 UTC on Saturday."""
    before = datetime(2026, 10, 24, 22, 59, tzinfo=START.tzinfo)
    ways = [
        deal("saturday", before),
        deal("first", before + timedelta(minutes=1)),
        deal("last", before + timedelta(hours=25)),
        deal("monday", before + timedelta(hours=25, minutes=1)),
    ]
    sunday = Selection(date(2026, 10, 25), date(2026, 10, 25))
    assert [way.opportunity_id for way in behind(ways, sunday, TEAM, Stage.LEAD, None)] == ["first", "last"]
    assert ways[2].moments[Stage.LEAD] == (before + timedelta(hours=25)).astimezone(ZONE)


def test_a_cohort_has_what_came_in_and_activity_has_what_was_done_in_the_period() -> None:
    week = (START.date() + timedelta(days=7), START.date() + timedelta(days=13))
    way = deal("early", at(0), Stage.HANDED_OFF, at(24 * 8))
    cohort, activity = (tree_of([way], Selection(*week, basis), TEAM).whole for basis in (Basis.COHORT, Basis.ACTIVITY))
    assert all(node.total.count == 0 for node in cohort.nodes)
    assert [node.stage for node in activity.nodes if node.total.count] == [Stage.QUALIFIED, Stage.HANDED_OFF]


def test_what_nobody_dated_is_in_no_period_and_the_tree_says_how_many_those_are() -> None:
    ways = [deal("dated", at(0)), deal("undated", None)]
    assert tree_of(ways, Selection(), TEAM).undated == 0
    tree = tree_of(ways, Selection(first_day=date(2026, 1, 1)), TEAM)
    assert (tree.whole.node(Stage.LEAD).total.count, tree.undated) == (1, 1)


def test_sources_and_inside_reps_are_one_whatever_their_capitals() -> None:
    records = [opportunity(f"o{n}", source=name, qualified_at=None) for n, name in enumerate(["Fair", "fair", ""])]
    ways = [History(record, Present(HandoffState.DRAFT, Side.INSIDE), ()).milestones() for record in records]
    rows = tree_of(ways, Selection(), TEAM, Dimension.SOURCE).rows
    assert [(row.key, row.label, row.branch.node(Stage.LEAD).total.count) for row in rows] == [
        ("fair", "Fair", 2),
        ("", "", 1),
    ]
