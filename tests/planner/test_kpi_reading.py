"""The tree of what really happened: handoffs that were moved, visits that were reported, and whose figures one sees."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cast import TUESDAY
from field_cast import AT_SIX, FORGE, MILL, Field, sent
from handoff_cast import AREA, LEARNED, WHY, Desk, by, mill
from slots_cast import TOWN

from planner.access import Scope
from planner.errors import RefusedError
from planner.handoffs.answering import note_contact
from planner.handoffs.domain import HandoffState
from planner.handoffs.moving import HandoffMovedError
from planner.handoffs.transitions import Action
from planner.kpi.activity import activity
from planner.kpi.domain import Amount, Branch, Dimension, Drilled, Part, Selection, Stage, Timing, Tree
from planner.kpi.tree import events_of, pipeline_tree

S = HandoffState
LATER = timedelta(days=3)


def tree_of(field: Field, who: str = "max", by: Dimension | None = None) -> Tree:
    with field.reading(who) as unit:
        return pipeline_tree(unit, TOWN, Selection(), field.town.settings, AT_SIX + LATER, by)


def behind(field: Field, stage: Stage, part: Part | Timing | None = None) -> list[Drilled]:
    with field.reading() as unit:
        return events_of(unit, TOWN, Selection(), stage, part, field.town.settings, AT_SIX + LATER)


def counts(branch: Branch) -> list[int]:
    return [node.total.count for node in branch.nodes]


def reported(visit: str = MILL, clock: str = "11:00", **said: Any) -> Any:
    return sent("reported", visit, clock, **({"disposition": "met"} | said))


def stage_of(field: Field, id_: str = "mill") -> Stage:
    return next(found.stage for found in behind(field, Stage.LEAD) if found.opportunity_id == id_)


def moment(desk: Desk, **changes: Any) -> datetime:
    return desk.now.astimezone(desk.zone).replace(tzinfo=None, second=0, **changes)


def contact(desk: Desk, revision: int | None = None, who: str = "iris") -> None:
    seen = desk.row().revision if revision is None else revision
    with desk.store.write() as unit:
        note_contact(unit, AREA, "mill", seen, by(who), desk.settings.gate, desk.zone, desk.now)


# ---- leads and proposals


def test_the_first_contact_is_written_down_once_from_what_somebody_saw(desk: Desk) -> None:
    seen = desk.row().revision
    contact(desk)
    assert desk.deal().contacted_at == desk.now.replace(tzinfo=None)
    assert (desk.told()[-1], desk.state()) == (("contacted", ""), S.DRAFT)
    with pytest.raises(HandoffMovedError):
        contact(desk, revision=seen)
    with pytest.raises(RefusedError, match="was contacted on Mon 30 Nov 09:00 already"):
        contact(desk)
    desk.writes(mill(contacted_at=None), revision=desk.row().revision)  # the form takes it back
    contact(desk)


def test_nobody_is_contacted_about_what_is_over(desk: Desk) -> None:
    desk.bring_to(S.WON)
    with pytest.raises(RefusedError, match="is won; it is not changed any more"):
        contact(desk)


def test_a_proposal_leaves_it_visited_and_is_in_the_history(desk: Desk) -> None:
    desk.bring_to(S.ACCEPTED)
    with pytest.raises(RefusedError, match="cannot be given a proposal; only what is visited can be"):
        desk.does("max", Action.PROPOSE)
    desk.does("max", Action.REPORT, learned=LEARNED)
    before = desk.row()
    row = desk.does("max", Action.PROPOSE)
    assert (row.state, row.owner, row.since) == (S.VISITED, before.owner, before.since)
    assert desk.told()[-1] == ("proposed", "")
    assert desk.does("max", Action.WIN).state is S.WON


def test_inside_sales_makes_no_proposal(desk: Desk) -> None:
    desk.bring_to(S.VISITED)
    with pytest.raises(RefusedError, match="only the field may do this"):
        desk.does("iris", Action.PROPOSE)


def test_a_proposal_from_a_phone_is_one_and_is_none_once_the_report_is_corrected(field: Field) -> None:
    field.take(reported(deal="proposed"))
    assert (field.handoff().state, stage_of(field)) == (S.VISITED, Stage.PROPOSAL)
    field.take(reported(clock="12:00"))
    assert (field.handoff().state, stage_of(field)) == (S.VISITED, Stage.VISITED)
    field.take(reported(clock="12:30", deal="proposed"))
    assert stage_of(field) is Stage.PROPOSAL
    with field.reading() as unit:
        said = [(event.action, bool(event.report_id)) for event in unit.handoff_events.find(area=TOWN)]
    assert said[-3:] == [("proposed", True), ("visited", True), ("proposed", True)]


def test_a_visit_that_was_no_visit_after_all_is_only_a_first_action(field: Field) -> None:
    field.take(reported())
    assert stage_of(field) is Stage.VISITED
    field.take(reported(clock="12:00", disposition="not_in"))
    assert stage_of(field) is Stage.FIRST_ACTION


# ---- the tree


def test_a_phones_report_brings_an_opportunity_through_the_tree(field: Field) -> None:
    field.take(sent("arrived", MILL, "10:20"), reported(deal="won"))
    tree = tree_of(field)
    assert counts(tree.whole) == [3, 3, 3, 3, 2, 1, 1, 1, 1]
    (won,) = behind(field, Stage.WON, Part.WON)
    assert (won.opportunity_id, won.value, won.rep_id, won.timing) == ("mill", 10_000, "anna", Timing.IN_TIME)
    assert [told.action for told in won.events] == ["qualified", "began", "booked", "visit", "won"]
    assert tree.whole.contribution.won == {"inside": Amount(1, 1_000_000), "field": Amount()}


def test_what_is_behind_a_number_is_told_with_moments_and_names(field: Field) -> None:
    field.take(sent("arrived", MILL, "10:20"), reported())
    (found,) = behind(field, Stage.VISITED)
    told = [(each.action, each.text, each.by) for each in found.events]
    assert ("visit", "met", "Anna") in told
    assert found.moments[Stage.VISITED] == datetime(2026, 12, 1, 10, 20, tzinfo=UTC)
    moments = [each.at for each in found.events if each.at]
    assert moments == sorted(moments)


def test_a_manager_of_a_team_sees_the_figures_of_what_they_see_and_rows_add_up(field: Field) -> None:
    field.take(reported())
    field.does(Action.ASSIGN, "barn", rep="ben")
    whole = tree_of(field, by=Dimension.REP)
    assert {row.key: row.branch.node(Stage.LEAD).total.count for row in whole.rows} == {"anna": 2, "ben": 1}
    with field.town.store.read(Scope(TOWN, frozenset({"ben"}))) as unit:
        team = pipeline_tree(unit, TOWN, Selection(), field.town.settings, AT_SIX)
        listed = events_of(unit, TOWN, Selection(), Stage.LEAD, None, field.town.settings, AT_SIX)
        seen = {deal.id for deal in unit.records(TOWN).leads()}
    assert {each.opportunity_id for each in listed} == seen
    assert "mill" not in seen
    assert team.whole.node(Stage.LEAD).total.count == len(seen)


def test_what_comes_back_and_is_handed_off_again_counts_once(desk: Desk) -> None:
    desk.bring_to(S.RETURNED)
    desk.hands_off()
    desk.does("max", Action.ASSIGN, rep="ben")
    with desk.store.read() as unit:
        tree = pipeline_tree(unit, AREA, Selection(), desk.settings, desk.now + LATER)
    assert counts(tree.whole) == [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert tree.whole.node(Stage.ACCEPTED).parts == {Part.OPEN_FIELD: Amount(1, 1_000_000)}


def test_what_inside_sales_gives_up_is_its_drop(desk: Desk) -> None:
    desk.bring_to(S.RETURNED)
    desk.does("iris", Action.LOSE, why=WHY)
    with desk.store.read() as unit:
        tree = pipeline_tree(unit, AREA, Selection(), desk.settings, desk.now + LATER)
    assert list(tree.whole.node(Stage.ACCEPTED).parts) == [Part.LOST_INSIDE]


# ---- what the field did


def test_visits_a_day_promises_and_plans_are_counted_of_days_that_are_over(field: Field) -> None:
    field.take(sent("arrived", MILL, "10:20"), reported(), reported(FORGE, "13:00", disposition="not_in"))
    with field.reading() as unit:
        told = activity(unit, TOWN, TUESDAY, TUESDAY, AT_SIX + LATER)
        only = activity(unit, TOWN, TUESDAY, TUESDAY, AT_SIX + LATER, "ben")
        today = activity(unit, TOWN, TUESDAY, TUESDAY, AT_SIX)
    anna = next(each for each in told.reps if each.rep_id == "anna")
    assert (anna.days, anna.made, anna.tried, anna.visits_a_day) == (1, 1, 1, 2.0)
    assert (anna.promised, anna.on_time, anna.on_time_share) == (1, 1, 1.0)
    assert anna.planned >= anna.done == 1
    assert 0 < (anna.driving_share or 0) < 1
    assert (today.whole.made, today.whole.planned) == (1, 0)
    assert [each.rep_id for each in only.reps] == ["ben"]
    for name in ("days", "made", "tried", "promised", "planned", "done", "drive_s"):
        assert getattr(told.whole, name) == sum(getattr(each, name) for each in told.reps)


def test_who_comes_after_the_promised_time_is_not_on_time(field: Field) -> None:
    field.take(sent("arrived", MILL, "11:20"), reported(clock="12:00"))
    with field.reading() as unit:
        told = activity(unit, TOWN, TUESDAY, TUESDAY, AT_SIX)
    assert (told.whole.promised, told.whole.on_time) == (1, 0)


def test_a_period_without_anything_has_no_shares(field: Field) -> None:
    with field.reading() as unit:
        told = activity(unit, TOWN, date(2020, 1, 1), date(2020, 1, 31), AT_SIX)
    assert (told.whole.visits_a_day, told.whole.on_time_share, told.whole.driving_share, told.whole.done_share) == (
        (None,) * 4
    )
