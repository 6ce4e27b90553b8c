"""Public holidays: nobody works, nothing is due, and no plan has a day there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from cast import SETTINGS, Town, local, opportunity, rep

from planner.planning import last_working_day
from planner.qualification import first_action_deadline
from planner.settings import CalendarSettings, GateSettings

WALES = CalendarSettings("GB", "WLS")
WEEKDAYS = frozenset(range(5))
CHRISTMAS_EVE, CHRISTMAS, BOXING_DAY, OBSERVED = (date(2026, 12, day) for day in (24, 25, 26, 28))


@pytest.fixture
def welsh_town() -> Town:
    town = Town(settings=replace(SETTINGS, calendar=WALES))
    town.add(rep())
    return town


def test_the_days_of_a_plan_are_working_days_and_a_public_holiday_is_none(welsh_town: Town) -> None:
    document = welsh_town.plan(CHRISTMAS_EVE, 3)
    assert [day["date"] for day in document["rep_days"]] == ["2026-12-24", "2026-12-29", "2026-12-30"]
    assert document["last_day"] == "2026-12-30"


def test_a_plan_names_the_holidays_that_fall_into_its_days(welsh_town: Town) -> None:
    assert welsh_town.plan(CHRISTMAS_EVE, 3)["notes"] == [
        "Fri 2026-12-25: nobody works, it is a public holiday (Christmas Day)",
        "Mon 2026-12-28: nobody works, it is a public holiday (Boxing Day (observed))",
    ]


def test_without_a_country_every_day_is_an_ordinary_one(town: Town) -> None:
    document = town.plan(CHRISTMAS_EVE, 3)
    assert [day["date"] for day in document["rep_days"]] == ["2026-12-24", "2026-12-25", "2026-12-28"]
    assert document["notes"] == []


def test_a_subdivision_has_holidays_of_its_own() -> None:
    second_of_january = date(2026, 1, 2)
    assert CalendarSettings("GB", "SCT").holiday(second_of_january)
    assert not WALES.holiday(second_of_january)


def test_a_day_of_a_rep_on_a_holiday_is_a_broken_rule(town: Town) -> None:
    document = town.plan(CHRISTMAS, 1)
    assert town.broken(document) == []
    town.settings = replace(SETTINGS, calendar=WALES)
    assert town.broken(document) == ["anna on 2026-12-25: nobody works on Christmas Day, a public holiday"]


def test_the_deadline_for_the_first_visit_skips_holidays() -> None:
    handed_off = opportunity(qualified_at=local("2026-12-23 10:00"), first_action_days=2)
    assert first_action_deadline(handed_off, WEEKDAYS, GateSettings(), CalendarSettings()) == CHRISTMAS
    assert first_action_deadline(handed_off, WEEKDAYS, GateSettings(), WALES) == date(2026, 12, 29)


def test_a_visit_due_over_the_holidays_is_made_after_them(welsh_town: Town) -> None:
    handed_off = opportunity(qualified_at=local("2026-12-24 10:00"), first_action_days=1)
    welsh_town.add(handed_off)
    [stop] = [stop for day in welsh_town.plan(CHRISTMAS, 1)["rep_days"] for stop in day["stops"]]
    assert (stop["begin"][:10], stop["deadline"], stop["late"]) == ("2026-12-29", "2026-12-29", False)


def test_a_horizon_that_begins_on_a_holiday_counts_from_the_day_after() -> None:
    assert last_working_day(CHRISTMAS, 1, WEEKDAYS, WALES) == date(2026, 12, 29)
    assert last_working_day(BOXING_DAY, 1, frozenset(range(7)), WALES) == date(2026, 12, 27)
    assert last_working_day(OBSERVED, 1, WEEKDAYS, CalendarSettings()) == OBSERVED
