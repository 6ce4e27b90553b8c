"""The handoff gate, and by when the field must act."""

from __future__ import annotations

from datetime import date

import pytest
from cast import FRIDAY, MONDAY, TUESDAY, local, opportunity

from planner.qualification import first_action_deadline, missing_for_handoff
from planner.settings import CalendarSettings, GateSettings

GATE = GateSettings()
WEEKDAYS = frozenset(range(5))
NO_HOLIDAYS = CalendarSettings()


def test_need_and_two_of_three_known_are_enough() -> None:
    assert missing_for_handoff(opportunity(budget="unknown"), GATE) == ()
    assert missing_for_handoff(opportunity(authority="unknown"), GATE) == ()
    assert missing_for_handoff(opportunity(timeline="unknown"), GATE) == ()


@pytest.mark.parametrize("answer", ["no", "unknown"])
def test_without_a_need_nothing_is_handed_off(answer: str) -> None:
    assert missing_for_handoff(opportunity(need=answer), GATE) == (f"need is {answer}, must be yes",)


def test_a_known_no_counts_as_not_known() -> None:
    [reason] = missing_for_handoff(opportunity(budget="no", timeline="no"), GATE)
    assert reason == "1 of budget, authority, timeline known, 2 needed: budget is no, timeline is no"


def test_every_reason_is_given_at_once() -> None:
    assert len(missing_for_handoff(opportunity(need="no", budget="no", authority="unknown"), GATE)) == 2


def test_the_gate_can_be_open_or_strict() -> None:
    nothing_known = opportunity(need="unknown", budget="unknown", authority="unknown", timeline="unknown")
    assert missing_for_handoff(nothing_known, GateSettings(must_be_yes=(), known_at_least=0)) == ()
    strict = GateSettings(must_be_yes=("need", "budget"), known_at_least=3)
    assert missing_for_handoff(opportunity(), strict) == ()
    assert len(missing_for_handoff(opportunity(budget="no"), strict)) == 2


@pytest.mark.parametrize(
    ("days", "deadline"),
    [(0, date(2026, 11, 27)), (1, MONDAY), (2, TUESDAY), (5, FRIDAY), (6, date(2026, 12, 7))],
)
def test_the_deadline_counts_working_days_after_the_day_of_qualification(days: int, deadline: date) -> None:
    """Qualified on a Friday."""
    assert first_action_deadline(opportunity(first_action_days=days), WEEKDAYS, GATE, NO_HOLIDAYS) == deadline


def test_the_hour_of_qualification_does_not_matter() -> None:
    late_on_friday = opportunity(first_action_days=1, qualified_at=local("2026-11-27 23:59"))
    assert first_action_deadline(late_on_friday, WEEKDAYS, GATE, NO_HOLIDAYS) == MONDAY


def test_a_team_that_works_on_saturdays_acts_sooner() -> None:
    six_days = frozenset(range(6))
    assert first_action_deadline(opportunity(first_action_days=1), six_days, GATE, NO_HOLIDAYS) == date(2026, 11, 28)


def test_without_a_number_of_days_the_gates_own_holds() -> None:
    assert first_action_deadline(opportunity(first_action_days=None), WEEKDAYS, GATE, NO_HOLIDAYS) == FRIDAY


def test_what_was_never_qualified_has_no_deadline() -> None:
    assert first_action_deadline(opportunity(qualified_at=None), WEEKDAYS, GATE, NO_HOLIDAYS) is None


def test_the_end_of_the_calendar_is_a_deadline_too() -> None:
    at_the_end = opportunity(qualified_at=local("9999-12-30 00:00"), first_action_days=365)
    assert first_action_deadline(at_the_end, WEEKDAYS, GATE, NO_HOLIDAYS) == date.max
