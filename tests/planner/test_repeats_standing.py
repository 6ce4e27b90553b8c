"""A published plan of four weeks lives on: what is booked, made or reported counts for one of a customer's visits, and
not for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from cast import MONDAY, account, door, opportunity
from replanning_cast import at
from slots_cast import IRENE, TOWN, SlotTown

from planner.fieldwork.domain import Disposition, FieldVisit
from planner.fieldwork.folding import subject_of
from planner.fieldwork.making_up import make_up_for
from planner.hotels.standing import snapshot_to_plan
from planner.plan_checks import broken_rules
from planner.planned_days import planned_days
from planner.slots import holding
from planner.slots.bookable import HoldAsk
from planner.slots.domain import Meaning
from planner.slots.repeating import made_up_for

WEEK = timedelta(days=7)


@pytest.fixture
def four_weeks(slots: SlotTown) -> SlotTown:
    """The bakery has a visit each week, Anna its rep."""
    slots.add((account(cadence_days=7, last_visit=date(2026, 11, 20)), door(10)))
    slots.publish(MONDAY, days=20)
    assert len(visits(slots)) == 4
    return slots


def visits(town: SlotTown) -> dict[date, str]:
    """The days on which the bakery is visited, and the ids of the visits."""
    return {
        date.fromisoformat(day["date"]): stop["visit_id"]
        for day in town.published()["rep_days"]
        for stop in day["stops"]
        if "bakery" in stop["record_ids"]
    }


def promise(town: SlotTown, day: date) -> None:
    start = at("10:00", day)
    ask = HoldAsk("anna", day, start, start + timedelta(hours=1), Meaning.ARRIVE, 60, door(20), "Mill", "1 Road")
    hold = holding.hold(town.store, IRENE, town.agendas, TOWN, ask, "h1", "irene@example.com", town.settings)
    deal = opportunity(account_id="bakery", address=replace(opportunity().address, street="1 Road"))
    holding.confirm(town.store, IRENE, town.agendas, TOWN, hold.id, deal, town.settings)


def test_a_promise_takes_the_place_of_the_visits_around_it_and_leaves_the_others(four_weeks: SlotTown) -> None:
    before = visits(four_weeks)
    second = sorted(before)[1]
    day = second + timedelta(days=1 if second.weekday() < 4 else -1)
    promise(four_weeks, day)
    kept = {on: id_ for on, id_ in before.items() if abs((on - day).days) >= 5}
    assert visits(four_weeks) == kept | {day: "opportunity:mill"}
    assert len(kept) >= 2
    with four_weeks.reading() as unit:
        snapshot = snapshot_to_plan(unit, TOWN, four_weeks.settings)
    assert broken_rules(four_weeks.published(), snapshot, four_weeks.source, four_weeks.settings) == []


def test_the_next_plan_keeps_its_distance_to_what_was_promised_since(four_weeks: SlotTown) -> None:
    with four_weeks.reading() as unit:
        made_before = snapshot_to_plan(unit, TOWN, four_weeks.settings)
    day = MONDAY + timedelta(days=8)
    promise(four_weeks, day)
    assert not made_before.promises
    document = four_weeks.publish(MONDAY, days=20)
    days = sorted(visits(four_weeks))
    assert day in days
    assert all((after - earlier).days >= 5 for earlier, after in pairwise(days))
    assert document["totals"]["seen"] >= 3


def test_a_version_made_before_a_promise_is_published_without_the_visits_around_it(four_weeks: SlotTown) -> None:
    version = four_weeks.published()
    second, day = sorted(visits(four_weeks))[1:3]
    promise(four_weeks, day)
    four_weeks.publish_document(version)
    assert visits(four_weeks)[day] == "opportunity:mill"
    assert second in visits(four_weeks)


def met(town: SlotTown, day: date) -> None:
    """Anna was at the bakery on a day, on her way."""
    visit = FieldVisit(
        TOWN, "anna", day, "account:bakery", account_id="bakery", opportunity_id="", inside_rep="",
        arrived_at=at("11:00", day), left_at=at("11:30", day), disposition=Disposition.MET,
    )  # fmt: skip
    with town.writing() as unit:
        unit.field_visits.put(visit)
    make_up_for(town.store, IRENE, town.agendas, TOWN, "anna", day, town.settings)


def test_a_visit_on_the_way_makes_up_for_the_one_that_is_near_and_not_for_those_weeks_later(
    four_weeks: SlotTown,
) -> None:
    first, second, third, fourth = sorted(visits(four_weeks))
    with four_weeks.reading() as unit:
        here = (unit, four_weeks.agendas, TOWN, "bakery")
        assert made_up_for(*here, second - timedelta(days=1), four_weeks.settings) == {
            visits(four_weeks)[day] for day in (first, second, third) if abs(day - second + timedelta(days=1)).days < 5
        }
        assert made_up_for(*here, fourth + 4 * WEEK, four_weeks.settings) == frozenset()
    met(four_weeks, second - timedelta(days=1))
    assert second not in visits(four_weeks)
    assert fourth in visits(four_weeks)


def test_a_report_on_the_second_visit_counts_for_its_customer(four_weeks: SlotTown) -> None:
    [second] = [id_ for id_ in visits(four_weeks).values() if id_.startswith("account@2026-12-07")]
    with four_weeks.reading() as unit:
        assert subject_of(unit, TOWN, second).account_id == "bakery"


def test_each_of_the_visits_is_planned_on_its_own_day(four_weeks: SlotTown) -> None:
    with four_weeks.reading() as unit:
        planned = planned_days(unit, TOWN, MONDAY, MONDAY + 4 * WEEK)
    found = {day.day: visit.visit_id for day in planned.days.values() for visit in day.visits}
    assert found == visits(four_weeks)
