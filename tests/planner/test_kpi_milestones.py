"""How far an opportunity has come, what became of it, and on which side of the handoff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cast import opportunity
from kpi_histories import History, at, local

from planner.handoffs.domain import HandoffState, Side
from planner.kpi.domain import DROPS, Part, Stage, Timing
from planner.kpi.milestones import Happened, Present, Tried

DRAFT, OUT, BACK = HandoffState.DRAFT, HandoffState.HANDED_OFF, HandoffState.RETURNED
DRAFTED = Happened(at(2), "drafted", DRAFT)
HANDED_OFF = Happened(at(10), "handed_off", OUT)
ACCEPTED = Happened(at(12), "accepted", HandoffState.ACCEPTED)
BOOKED = Happened(at(14), "booked", HandoffState.BOOKED)
VISITED = Happened(at(40), "visited", HandoffState.VISITED)


def mill(*entries: Happened, side: Side = Side.FIELD, visits: tuple[Tried, ...] = (), **known: Any) -> History:
    """Came in at 0 o'clock, contacted an hour later; stands where the last entry says."""
    usual = {"lead_at": local(at(0)), "contacted_at": local(at(1)), "qualified_at": None}
    state = entries[-1].state if entries else DRAFT
    rep = "anna" if any(entry.state is not DRAFT for entry in entries) else ""
    return History(opportunity("mill", **(usual | known)), Present(state, side, rep), entries, visits)


def test_every_stage_has_the_moment_at_which_it_was_reached() -> None:
    proposed = Happened(at(50), "proposed", HandoffState.VISITED)
    won = Happened(at(70), "won", HandoffState.WON)
    way = mill(DRAFTED, HANDED_OFF, ACCEPTED, BOOKED, VISITED, proposed, won).milestones()
    assert way.moments == {
        Stage.LEAD: at(0),
        Stage.CONTACTED: at(1),
        Stage.QUALIFIED: at(2),
        Stage.HANDED_OFF: at(10),
        Stage.ACCEPTED: at(12),
        Stage.FIRST_ACTION: at(14),
        Stage.VISITED: at(40),
        Stage.PROPOSAL: at(50),
        Stage.WON: at(70),
    }
    assert (way.part, way.timing) == (Part.WON, Timing.IN_TIME)


def test_what_is_won_without_a_visit_counts_as_visited_at_a_moment_that_is_not_known() -> None:
    won = Happened(at(70), "won", HandoffState.WON)
    way = mill(DRAFTED, HANDED_OFF, ACCEPTED, won).milestones()
    assert way.stage is Stage.WON
    assert way.moments[Stage.VISITED] is None
    assert way.timing is Timing.UNKNOWN


def test_what_is_returned_after_a_visit_stays_visited_and_is_back_at_inside_sales() -> None:
    way = mill(HANDED_OFF, ACCEPTED, VISITED, Happened(at(60), "returned", BACK), side=Side.INSIDE).milestones()
    assert (way.stage, way.part) == (Stage.VISITED, Part.SENT_BACK)
    assert DROPS[way.part] is Side.FIELD


@pytest.mark.parametrize(
    ("entries", "stage", "part"),
    [
        ((DRAFTED,), Stage.CONTACTED, Part.OPEN_INSIDE),
        ((HANDED_OFF,), Stage.HANDED_OFF, Part.OPEN_FIELD),
        ((HANDED_OFF, Happened(at(20), "rejected", HandoffState.REJECTED)), Stage.HANDED_OFF, Part.SENT_BACK),
        ((HANDED_OFF, Happened(at(200), "missed", BACK)), Stage.HANDED_OFF, Part.SENT_BACK),
        ((HANDED_OFF, Happened(at(20), "withdrawn", DRAFT)), Stage.HANDED_OFF, Part.OPEN_INSIDE),
        ((HANDED_OFF, ACCEPTED, Happened(at(20), "lost", HandoffState.LOST)), Stage.ACCEPTED, Part.LOST_FIELD),
        (
            (
                HANDED_OFF,
                Happened(at(20), "rejected", HandoffState.REJECTED),
                Happened(at(30), "lost", HandoffState.LOST),
            ),
            Stage.HANDED_OFF,
            Part.LOST_INSIDE,
        ),
    ],
)
def test_a_drop_says_on_which_side_it_arose(entries: tuple[Happened, ...], stage: Stage, part: Part) -> None:
    side = Side.INSIDE if entries[-1].state in (DRAFT, HandoffState.REJECTED, BACK) else Side.FIELD
    way = mill(*entries, side=side).milestones()
    assert (way.stage, way.part) == (stage, part)


def test_what_waits_for_a_manager_is_with_a_manager() -> None:
    assert mill(HANDED_OFF, side=Side.MANAGER).milestones().part is Part.OPEN_MANAGER


def test_a_first_action_is_in_time_until_the_end_of_the_deadlines_day() -> None:
    """Deadlines are a week here; the handoff is on a Monday at 18:00, local time."""
    last = Happened(at(24 * 7 + 15.9), "booked", HandoffState.BOOKED)
    late = Happened(at(24 * 7 + 17), "booked", HandoffState.BOOKED)  # after midnight: clocks have gone back
    assert mill(HANDED_OFF, last).milestones().timing is Timing.IN_TIME
    assert mill(HANDED_OFF, late).milestones().timing is Timing.LATE


def test_the_clock_starts_again_with_the_second_handoff_unless_a_deadline_was_missed_before() -> None:
    rejected = Happened(at(20), "rejected", HandoffState.REJECTED)
    missed = Happened(at(200), "missed", BACK)
    again = Happened(at(400), "handed_off", OUT)
    acted = Happened(at(420), "booked", HandoffState.BOOKED)
    assert mill(HANDED_OFF, rejected, again, acted).milestones().timing is Timing.IN_TIME
    assert mill(HANDED_OFF, missed, again, acted).milestones().timing is Timing.LATE
    assert mill(HANDED_OFF, rejected, again, acted).milestones().moments[Stage.HANDED_OFF] == at(10)


def test_a_time_that_was_agreed_before_counts_as_the_first_action() -> None:
    way = mill(HANDED_OFF, appointment=local(at(100))).milestones()
    assert (way.stage, way.timing) == (Stage.FIRST_ACTION, Timing.IN_TIME)
    assert way.moments[Stage.FIRST_ACTION] == at(10)


def test_nobody_in_is_a_first_action_and_no_visit() -> None:
    nobody = Happened(at(40), "not_met", HandoffState.ACCEPTED, by_report=True)
    way = mill(HANDED_OFF, nobody, visits=(Tried(at(39), False),)).milestones()
    assert (way.stage, way.moments[Stage.FIRST_ACTION]) == (Stage.FIRST_ACTION, at(39))


def test_a_report_that_another_has_replaced_counts_for_nothing() -> None:
    visited = Happened(at(40), "proposed", HandoffState.VISITED, by_report=True, overruled=True)
    nobody = Happened(at(41), "not_met", HandoffState.ACCEPTED, by_report=True)
    way = mill(HANDED_OFF, visited, nobody, visits=(Tried(at(39), False),)).milestones()
    assert way.stage is Stage.FIRST_ACTION


def test_what_was_won_and_is_open_again_is_not_won() -> None:
    won = Happened(at(70), "won", HandoffState.WON)
    way = mill(HANDED_OFF, ACCEPTED, won, Happened(at(90), "visited", HandoffState.VISITED)).milestones()
    assert (way.stage, way.part) == (Stage.VISITED, Part.OPEN_FIELD)


def test_of_what_was_imported_as_handed_off_that_was_when_it_was_qualified() -> None:
    began = Happened(at(500), "began", OUT)
    way = mill(began, Happened(at(501), "accepted", HandoffState.ACCEPTED), qualified_at=local(at(5))).milestones()
    assert way.moments[Stage.HANDED_OFF] == at(5)
    assert way.moments[Stage.QUALIFIED] == at(5)
    untouched = replace(mill(qualified_at=local(at(5))), present=Present(OUT, Side.FIELD, "anna"))
    assert untouched.milestones().moments[Stage.HANDED_OFF] == at(5)


def test_a_draft_that_passes_the_gate_is_qualified_since_its_last_answer() -> None:
    draft = replace(mill(DRAFTED, Happened(at(6), "answer_changed", DRAFT)), passes_gate=True)
    way = draft.milestones()
    assert (way.stage, way.moments[Stage.QUALIFIED]) == (Stage.QUALIFIED, at(6))


def test_a_moment_that_is_still_to_come_is_a_slip_and_not_known() -> None:
    way = mill(lead_at=local(at(24 * 400))).milestones()
    assert way.moments[Stage.LEAD] is None
    assert way.came_in == at(1)
