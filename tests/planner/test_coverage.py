"""Which customers are looked after, what that takes, and what hours there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from cast import FRIDAY, MONDAY, SETTINGS, TUESDAY, Flatland, Town, account, door, opportunity, promise, rep
from coverage_cast import (
    EAST,
    MADE_AT,
    WEST,
    cover,
    coverage_of,
    covers,
    days_ago,
    material,
    mixed_coverage,
    mixed_town,
)
from hypothesis import given
from hypothesis import strategies as st

from planner.candidates import Reason
from planner.coverage.capacity import day_minutes, minutes_there
from planner.coverage.domain import MONTH_DAYS, NO_PLAN, NOT_DONE, NOT_IN_PLAN, AccountCover, CoverageState, RepCapacity
from planner.coverage.making import make_coverage
from planner.coverage.material import HandedOff
from planner.coverage.measures import held_cadences
from planner.coverage.packing import pack, unpack
from planner.coverage.standing import state_on
from planner.settings import CalendarSettings

GB = CalendarSettings("GB", "ENG")

# ---- states


@pytest.mark.parametrize(
    ("ago", "cadence", "state"),
    [
        (0, 28, CoverageState.VISITED),
        (27, 28, CoverageState.VISITED),
        (28, 28, CoverageState.DUE),
        (34, 28, CoverageState.DUE),
        (35, 28, CoverageState.OVERDUE),
        (1, 1, CoverageState.DUE),
        (2, 1, CoverageState.OVERDUE),
    ],
)
def test_a_customer_is_due_when_the_cadence_has_run_out_and_overdue_a_quarter_of_it_later(
    town: Town, ago: int, cadence: int, state: CoverageState
) -> None:
    town.add(account("bakery", cadence_days=cadence, last_visit=days_ago(ago)))
    bakery = cover(town, "bakery")
    assert bakery.state is state
    assert bakery.due_on == days_ago(ago - cadence)
    assert bakery.overdue_days == max(0, ago - cadence)


def test_who_was_never_visited_is_due_today(town: Town) -> None:
    town.add(account("bakery", last_visit=None))
    bakery = cover(town, "bakery")
    assert (bakery.state, bakery.due_on, bakery.overdue_days, bakery.visits) == (CoverageState.DUE, MONDAY, 0, ())


def test_who_has_stopped_buying_is_dormant_however_long_ago_the_visit_and_takes_no_hours(town: Town) -> None:
    town.add(account("bakery", last_order=days_ago(366), last_visit=days_ago(300)))
    bakery = cover(town, "bakery")
    assert (bakery.state, bakery.due_on, bakery.overdue_days) == (CoverageState.DORMANT, None, 0)
    assert (bakery.unreached, bakery.minutes_a_month) == ("", 0)


def test_who_cannot_be_found_has_no_place_and_its_hours_count_with_the_driving_to_the_reps_others(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(account("cafe"), lost=True)
    found = covers(coverage_of(town))
    assert (found["cafe"].state, found["cafe"].lat) == (CoverageState.NO_PLACE, None)
    assert found["cafe"].drive_minutes == pytest.approx(found["bakery"].drive_minutes, abs=0.001)
    assert found["cafe"].minutes_a_month > 0


def test_a_visit_that_was_reported_counts_as_one_that_was_imported_does(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(60)))
    bakery = cover(town, "bakery", met={"bakery": [days_ago(3), days_ago(60), days_ago(3)]})
    assert bakery.state is CoverageState.VISITED
    assert bakery.visits == (days_ago(60), days_ago(3))


def test_what_is_due_here_is_what_a_plan_of_one_day_finds_due(town: Town) -> None:
    for ago in range(24, 34):
        town.add(account(f"c{ago}", cadence_days=28, last_visit=days_ago(ago)))
    town.add(account("never", last_visit=None))
    town.add(account("gone", last_order=days_ago(400)))
    due = {
        account_id for account_id, found in covers(coverage_of(town)).items() if found.due_on and found.due_on <= MONDAY
    }
    assert due == {visit.account_id for visit in town.candidates(days=1).visits}


# ---- the plan that reps see


def test_a_planned_customer_has_the_day_and_the_rep_of_the_visit_to_come(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(28)))
    plan = town.plan()
    [day] = [date.fromisoformat(day["date"]) for day in plan["rep_days"] if day["stops"]]
    bakery = cover(town, "bakery", plan=plan)
    assert (bakery.planned_on, bakery.planned_rep, bakery.unreached) == (day, "anna", "")


def test_a_visit_to_an_opportunity_that_counts_as_the_customers_is_a_visit_to_come(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(28)))
    town.add(opportunity("mill", account_id="bakery"), door(2))
    town.promises = [promise("mill", day=TUESDAY)]
    assert cover(town, "bakery", plan=town.plan()).planned_on == TUESDAY


def test_who_is_due_in_the_plans_days_and_has_no_visit_is_not_reached_for_the_plans_own_reason(town: Town) -> None:
    town.add(account("bakery", opening_hours="Sa 10:00-12:00"))
    plan = town.plan()
    bakery = cover(town, "bakery", plan=plan)
    assert bakery.unreached == Reason.OUTSIDE_HOURS
    assert bakery.why == next(entry["sentence"] for entry in plan["unplanned"])


def test_who_falls_due_after_the_plan_is_not_missed_by_it(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(23)))  # due on Saturday
    assert cover(town, "bakery", plan=town.plan()).unreached == ""


def test_without_a_plan_of_these_days_whoever_is_due_is_not_reached_and_the_notes_say_so(town: Town) -> None:
    town.add(account("bakery"))
    town.add(account("cafe", last_visit=days_ago(1)))
    found = coverage_of(town)
    assert {id_: account.unreached for id_, account in covers(found).items()} == {"bakery": NO_PLAN, "cafe": ""}
    assert "no plan is published: nobody is planned to be visited" in found.notes
    later = coverage_of(town, plan=town.plan(days=1), today=TUESDAY)
    assert covers(later)["bakery"].unreached == NO_PLAN
    assert f"the plan that reps see ended on {MONDAY}: nobody is planned to be visited" in later.notes


def test_who_was_planned_for_a_day_that_is_over_and_was_not_met_is_not_reached(town: Town) -> None:
    town.add(account("bakery"), door(5))
    plan = town.plan()
    [day] = [date.fromisoformat(day["date"]) for day in plan["rep_days"] if day["stops"]]
    after = day + timedelta(days=1)
    longer = {**plan, "last_day": str(after)}
    assert cover(town, "bakery", plan=longer, today=after).unreached == NOT_DONE
    met = cover(town, "bakery", plan=longer, today=after, met={"bakery": [day]})
    assert (met.unreached, met.state) == ("", CoverageState.VISITED)


def test_who_was_met_today_has_no_visit_to_come_today(town: Town) -> None:
    town.add(account("bakery"), door(5))
    plan = town.plan(days=1)
    assert cover(town, "bakery", plan=plan).planned_on == MONDAY
    assert cover(town, "bakery", plan=plan, met={"bakery": [MONDAY]}).planned_on is None


def test_who_is_new_since_the_plan_was_made_is_not_in_it(town: Town) -> None:
    plan = town.plan()
    town.add(account("bakery"))
    assert cover(town, "bakery", plan=plan).unreached == NOT_IN_PLAN


def test_who_has_a_place_by_now_is_not_said_to_have_none_by_an_older_plan(town: Town) -> None:
    town.add(account("bakery"), lost=True)
    plan = town.plan()
    assert cover(town, "bakery", plan=plan).unreached == Reason.NOT_LOCATED
    town.locations.pop()
    town.records.pop()
    town.add(account("bakery"), door(2))
    assert cover(town, "bakery", plan=plan).unreached == NOT_IN_PLAN


# ---- the slider over past and planned weeks


def test_on_a_former_day_a_customer_was_as_the_visits_until_then_say(town: Town) -> None:
    town.add(account("bakery", cadence_days=28, last_visit=days_ago(10)))
    bakery = cover(town, "bakery", met={"bakery": [days_ago(50)]})
    assert [state_on(bakery, days_ago(ago)) for ago in (51, 50, 22, 15, 10, 0)] == [
        None,
        CoverageState.VISITED,
        CoverageState.DUE,
        CoverageState.OVERDUE,
        CoverageState.VISITED,
        CoverageState.VISITED,
    ]


def test_on_a_day_to_come_the_planned_visits_until_then_are_made(town: Town) -> None:
    town.add(account("bakery", cadence_days=28, last_visit=days_ago(40)))
    bakery = replace(cover(town, "bakery"), planned_days=(TUESDAY,))
    assert state_on(bakery, MONDAY) is CoverageState.OVERDUE
    assert state_on(bakery, TUESDAY) is CoverageState.VISITED
    assert state_on(bakery, TUESDAY + timedelta(days=28)) is CoverageState.DUE


def test_who_was_never_visited_is_due_on_every_day_until_the_plan_comes(town: Town) -> None:
    town.add(account("bakery", last_visit=None))
    bakery = replace(cover(town, "bakery"), planned_days=(FRIDAY,))
    assert [state_on(bakery, day) for day in (days_ago(100), MONDAY, FRIDAY)] == [
        CoverageState.DUE,
        CoverageState.DUE,
        CoverageState.VISITED,
    ]


def test_on_the_day_of_the_report_the_slider_shows_the_reports_states() -> None:
    for found in mixed_coverage().accounts:
        if MONDAY not in found.planned_days:
            assert state_on(found, MONDAY) is found.state


# ---- hours


def test_a_month_has_a_twelfth_of_the_years_working_hours_less_breaks_and_public_holidays() -> None:
    anna = rep()  # nine to five with half an hour off: 261 weekdays from that Monday on, eight of them bank holidays
    assert day_minutes(anna) == 450
    assert minutes_there(anna, MONDAY, CalendarSettings()) == pytest.approx(261 * 450 * MONTH_DAYS / 365)
    assert minutes_there(anna, MONDAY, GB) == pytest.approx(253 * 450 * MONTH_DAYS / 365)


def test_a_break_that_has_no_room_in_a_half_day_is_not_taken_off() -> None:
    assert day_minutes(rep(work_end=time(12))) == 180


def capacity_of_one(most: int | None, **customer: Any) -> RepCapacity:
    """Anna, who may make so many visits a day, and six customers of each week."""
    town = Town()
    town.add(rep("anna", max_visits_per_day=most), door())
    for n in range(6):
        town.add(account(f"c{n}", cadence_days=7, **customer), door(n))
    (found,) = coverage_of(town).reps
    return found


def test_where_a_day_may_have_few_visits_there_is_as_much_as_these_take() -> None:
    """However short they are: who is full by the number of visits has no hours left."""
    free, one_a_day = capacity_of_one(None), capacity_of_one(1)
    days = 261 * MONTH_DAYS / 365
    assert free.visits_there is None
    assert free.there == pytest.approx(days * 450)
    assert one_a_day.visits_needed == pytest.approx(6 * MONTH_DAYS / 7)
    assert one_a_day.visits_there == pytest.approx(days)
    assert one_a_day.there == pytest.approx(days * one_a_day.needed / one_a_day.visits_needed)
    assert free.spare > 0
    assert one_a_day.shortfall > 0


def test_where_the_hours_end_before_the_visits_it_is_the_hours_that_count() -> None:
    free, three_a_day = (capacity_of_one(most, visit_minutes=240) for most in (None, 3))
    assert (three_a_day.there, three_a_day.visits_there) == (free.there, None)


def test_a_short_history_of_handoffs_is_said(town: Town) -> None:
    deal = opportunity("mill")
    town.add(deal, door(6))
    short, long = (
        coverage_of(town, handed_off=[HandedOff(deal, "anna", 1)], handoff_days=days).notes for days in (14, 56)
    )
    assert [note for note in short if "handed over for no more than 14 days" in note]
    assert not [note for note in long if "handed over" in note]


def test_who_works_on_no_day_has_no_hours(town: Town) -> None:
    town.add(rep("ben", work_days=frozenset()), door(5))
    town.add(account("cafe", owner_rep_id="ben"), door(6))
    _, ben = coverage_of(town).reps
    assert (ben.there, ben.spare) == (0, 0)
    assert ben.shortfall == ben.needed > 0


def test_visits_a_month_are_as_the_cadence_asks_for_however_few_hours_there_are(empty_town: Town) -> None:
    empty_town.add(rep(work_start=time(9), work_end=time(10), break_minutes=0), door())
    for n in range(40):
        empty_town.add(account(f"c{n}", cadence_days=7), door(n, 5))
    found = coverage_of(empty_town)
    [anna] = found.reps
    assert {a.visits_a_month for a in found.accounts} == {MONTH_DAYS / 7}
    assert anna.visits == pytest.approx(40 * MONTH_DAYS / 7 * 35)  # half an hour and the parking
    assert anna.shortfall == pytest.approx(anna.visits + anna.driving - anna.there)


def test_the_reps_driving_is_the_sum_of_the_shares_of_the_customers(town: Town) -> None:
    for n in range(12):
        town.add(account(f"c{n}", cadence_days=7 + n), door(n, 3 * (n % 3)))
    found = coverage_of(town)
    [anna] = found.reps
    assert anna.driving == pytest.approx(sum(a.drive_minutes_a_month for a in found.accounts))
    assert anna.driving > 0


def test_which_cadence_the_hours_would_hold_is_told_apart_and_changes_nothing(empty_town: Town) -> None:
    empty_town.add(rep(work_start=time(9), work_end=time(11), break_minutes=0), door())
    for n in range(40):
        empty_town.add(account(f"c{n}", segment="AB"[n % 2], cadence_days=7 * (1 + n % 2)), door(1))
    found = coverage_of(empty_town)
    [anna] = found.reps
    stretched = (anna.visits + anna.driving) / anna.there
    a, b = held_cadences(found)
    assert (a.segment, a.customers, b.segment, b.customers) == ("A", 20, "B", 20)
    assert [a.cadence_days, b.cadence_days] == pytest.approx([7, 14])
    assert [a.holds_days, b.holds_days] == pytest.approx([7 * stretched, 14 * stretched])
    assert {account.cadence_days for account in found.accounts} == {7, 14}


def test_whose_hours_suffice_is_told_no_other_cadence(town: Town) -> None:
    town.add(account())
    assert held_cadences(coverage_of(town)) == []


def test_where_opportunities_take_all_hours_customers_are_left_with_no_cadence(empty_town: Town) -> None:
    empty_town.add(rep(work_start=time(9), work_end=time(10), break_minutes=0), door())
    empty_town.add(account(), door(1))
    deal = opportunity("mill")
    empty_town.add(deal, door(2))
    [held] = held_cadences(coverage_of(empty_town, handed_off=[HandedOff(deal, "anna", 100)]))
    assert held.holds_days is None


def test_opportunities_take_hours_as_often_as_they_were_handed_off_lately(town: Town) -> None:
    deal = opportunity("mill", visit_minutes=60)
    town.add(deal, door(10))
    [anna] = coverage_of(town, handed_off=[HandedOff(deal, "anna", 4)], handoff_days=56).reps
    times = 4 * MONTH_DAYS / 56
    assert anna.opportunities == pytest.approx(times * (60 + 5 + 20))  # ten minutes there and back
    assert anna.needed == anna.opportunities


def test_an_opportunity_that_nobody_has_yet_is_his_whose_customer_is_nearest(town: Town) -> None:
    town.add(rep("ben"), door(50))
    town.add(account("bakery"), door(10))
    town.add(account("cafe", owner_rep_id="ben"), door(40))
    deal = opportunity("mill")
    town.add(deal, door(30))
    anna, ben = coverage_of(town, handed_off=[HandedOff(deal, "", 1)]).reps
    assert anna.opportunities == 0 < ben.opportunities


def test_customers_of_nobody_have_a_row_of_their_own_without_hours(town: Town) -> None:
    town.add(account("bakery", owner_rep_id=""), door(10))
    found = coverage_of(town)
    anna, nobody = found.reps
    assert (nobody.rep_id, nobody.there, nobody.name) == ("", 0, "nobody’s")
    assert nobody.shortfall == nobody.needed > 0
    assert anna.needed == 0
    assert covers(found)["bakery"].drive_minutes == pytest.approx(20)  # somebody has to, from the nearest home


def test_customers_of_who_is_no_rep_any_more_have_a_row_under_that_name(town: Town) -> None:
    town.add(account("bakery", owner_rep_id="zoe"), door(10))
    assert [(r.rep_id, r.name) for r in coverage_of(town).reps][1:] == [("zoe", "zoe (not among the reps)")]


def test_a_customer_to_whom_no_street_leads_is_noted_and_counted(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(account("isle"), door(2_000))
    found = coverage_of(town)
    assert any(note.startswith("rep anna (Anna): no street leads to Isle (isle)") for note in found.notes)
    assert covers(found)["isle"].drive_minutes == covers(found)["bakery"].drive_minutes


def test_a_visit_of_a_whole_day_with_its_parking_is_counted_too(town: Town) -> None:
    town.add(account(visit_minutes=24 * 60), door(10))
    assert covers(coverage_of(town))["bakery"].service_minutes == 24 * 60 + 5


def test_where_no_home_is_known_nothing_is_driven_and_the_notes_say_why(empty_town: Town) -> None:
    empty_town.add(rep(), lost=True)
    empty_town.add(account(), door(10))
    found = coverage_of(empty_town)
    assert covers(found)["bakery"].drive_minutes == 0
    assert any("is not located" in note for note in found.notes)


# ---- the whole


def test_a_customer_lies_in_the_territory_that_holds_its_place(town: Town) -> None:
    for id_, east in (("bakery", 5), ("cafe", 15), ("farm", 500)):
        town.add(account(id_), door(east))
    town.add(account("lost"), lost=True)
    found = covers(coverage_of(town, territories=[WEST, EAST]))
    assert {id_: a.territory_id for id_, a in found.items()} == {
        "bakery": "west",
        "cafe": "east",
        "farm": "",
        "lost": "",
    }


def test_a_town_with_nobody_in_it_has_a_coverage_too(empty_town: Town) -> None:
    found = coverage_of(empty_town)
    assert (found.accounts, found.reps) == ((), ())
    assert unpack(pack(found, "key", MADE_AT)) == found


def test_the_same_material_gives_the_same_coverage() -> None:
    assert coverage_of(mixed_town()) == coverage_of(mixed_town())


def test_what_is_stored_is_read_back_as_it_was() -> None:
    found = mixed_coverage()
    assert unpack(pack(found, "key", MADE_AT)) == found


def test_a_name_is_kept_whatever_is_in_it(town: Town) -> None:
    names = ["{{7*7}}", "</script>", "=1+1", "\u2028", "Ünïcødé ☃ 𐍈", '"', "\\"]
    for n, name in enumerate(names):
        town.add(account(f"c{n}", name=name))
    found = coverage_of(town)
    assert [a.name for a in unpack(pack(found, "key", MADE_AT)).accounts] == names


@given(
    st.lists(st.integers(0, 400), max_size=6, unique=True),
    st.integers(1, 400),
    st.integers(-400, 60),
)
def test_later_visits_never_make_a_customer_worse_looked_after(agos: list[int], cadence: int, on: int) -> None:
    """At the end of any day, one more visit before it leaves a state that is no worse."""
    order = [CoverageState.VISITED, CoverageState.DUE, CoverageState.OVERDUE]
    base = _some_account(cadence)
    day = MONDAY + timedelta(days=on)
    fewer = replace(base, visits=tuple(sorted(days_ago(ago) for ago in agos)))
    more = replace(base, visits=tuple(sorted({*fewer.visits, day})))
    before = state_on(fewer, day)
    after = state_on(more, day)
    assert after is CoverageState.VISITED
    assert before is None or order.index(after) <= order.index(before)


def _some_account(cadence: int) -> AccountCover:
    town = Town()
    town.add(account("bakery", cadence_days=cadence), door(1))
    return make_coverage(material(town), "town", Flatland(), SETTINGS).accounts[0]
