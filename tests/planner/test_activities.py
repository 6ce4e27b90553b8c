"""The perfect day: who has met which goals on which day, and for how many days in a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cast import rep
from hypothesis import given
from hypothesis import strategies as st
from weeks_cast import NOON, TODAY, Weeks, booked

from planner.access import Role
from planner.activities.domain import MOST_A_DAY, Activity
from planner.activities.goals import (
    DEFAULT_GOALS,
    KINDS,
    GoalsChangedError,
    TeamGoals,
    read_goals,
    save_goals,
)
from planner.activities.progress import PersonDays, own_progress, team_progress, today_of
from planner.activities.streaks import JudgedDay, may_be_longer, streak_of
from planner.activities.tapping import tap
from planner.errors import InvalidRecordError
from planner.fieldwork.domain import Disposition
from planner.slots.domain import BookingState, ChangedDay

MONDAY, FRIDAY = TODAY - timedelta(days=1), TODAY - timedelta(days=4)
ONE_CALL = {Role.INSIDE_REP: {Activity.CALLS: 1}, Role.FIELD_REP: {Activity.VISITS: 2}}


@pytest.fixture
def weeks(tmp_path: Path) -> Iterator[Weeks]:
    made = Weeks(tmp_path)
    yield made
    made.store.close()


def own(weeks: Weeks, name: str) -> PersonDays:
    _, found = own_progress(weeks.store, weeks.user(name), "town", weeks.settings.calendar, weeks.now)
    assert found is not None
    return found


def done(weeks: Weeks, name: str) -> dict[str, int | None]:
    return {goal.kind.value: goal.done for goal in own(weeks, name).today}


def goals(weeks: Weeks, wanted: Any = ONE_CALL, on: date = date(2026, 9, 1)) -> None:
    known = weeks.read(lambda unit: read_goals(unit, "town"))
    weeks.write(lambda unit: save_goals(unit, "town", wanted, known.revision, on))


def calls(weeks: Weeks, name: str, day: date, number: int = 1) -> None:
    with weeks.store.write(audited=False) as unit:
        for _ in range(number):
            tap(unit, "town", f"id-{name}", day, Activity.CALLS, 1)


# --- what is counted


def test_inside_sales_have_what_they_handed_off_and_booked_today(weeks: Weeks) -> None:
    weeks.happened("handed_off", "mill", NOON)
    weeks.happened("handed_off", "mill", NOON)  # withdrawn in between: it is one handoff
    weeks.happened("handed_off", "forge", NOON - timedelta(days=1))
    weeks.happened("handed_off", "barn", NOON, actor="user:id-otto")
    weeks.happened("accepted", "barn", NOON)
    weeks.promises(booked("mill"), booked("forge", who="otto"))
    assert done(weeks, "iris") == {"calls": 0, "handoffs": 1, "bookings": 1}
    assert done(weeks, "otto") == {"calls": 0, "handoffs": 1, "bookings": 1}


def test_a_moved_promise_is_no_second_booking_and_one_taken_back_the_same_day_is_none(weeks: Weeks) -> None:
    ended: dict[str, Any] = {"ended_at": NOON, "reason": "x"}
    weeks.promises(
        booked("mill", state=BookingState.MOVED, **ended),
        booked("mill2", replaces="b-mill"),
        booked("forge", state=BookingState.CANCELLED, **ended),
        booked("held", state=BookingState.HELD, expires_at=NOON),
        booked("given-back", state=BookingState.RELEASED, **ended),
    )
    assert done(weeks, "iris")["bookings"] == 1


def test_a_rep_has_the_visits_the_reports_and_the_share_of_promises_that_were_in_time(weeks: Weeks) -> None:
    weeks.plan({("anna", TODAY): ["account:a", "account:b", "account:c", "opportunity:mill", "opportunity:forge"]})
    weeks.promises(booked("mill"), booked("forge", window=("08:00", "09:00")))
    weeks.visit("anna", TODAY, "account:a")
    weeks.visit("anna", TODAY, "account:b", None, disposition=Disposition.NOT_IN)
    weeks.visit("anna", TODAY, "account:c", None, disposition=Disposition.RESCHEDULED)
    weeks.visit("anna", TODAY, "opportunity:mill", "11:00", report_id="", disposition=None)
    weeks.visit("anna", TODAY, "opportunity:forge", "09:01", report_id="", disposition=None)
    weeks.visit("ben", TODAY, "account:d")
    assert done(weeks, "anna") == {"visits": 4, "reports": 3, "on_time": 50}


@pytest.mark.parametrize(
    ("clock", "how", "share"),
    [("09:30", {}, 100), ("11:00", {}, 100), ("11:01", {}, 0), (None, {}, None),
     (None, {"disposition": None, "report_id": ""}, 0)],
)  # fmt: skip
def test_in_time_is_by_the_end_of_the_window_and_by_check_ins_only(
    weeks: Weeks, clock: str | None, how: Any, share: int | None
) -> None:
    weeks.plan({("anna", TODAY): ["opportunity:mill"]})
    weeks.promises(booked("mill"))
    weeks.visit("anna", TODAY, "opportunity:mill", clock, **how)
    assert done(weeks, "anna")["on_time"] == share


def test_a_promise_whose_window_is_not_over_is_neither_in_time_nor_late(weeks: Weeks) -> None:
    weeks.plan({("anna", TODAY): ["opportunity:mill"]})
    weeks.promises(booked("mill", window=("14:00", "15:00")))
    assert done(weeks, "anna")["on_time"] is None


def test_nobody_is_asked_for_more_visits_than_were_planned(weeks: Weeks) -> None:
    weeks.plan({("anna", TODAY): ["account:a", "account:b", "account:c"]})
    weeks.says("anna", TODAY, left_out={"account:c": "Called off by the customer"})
    assert [(goal.kind, goal.goal) for goal in own(weeks, "anna").today][:2] == [
        (Activity.VISITS, 2),
        (Activity.REPORTS, 2),
    ]


def test_a_visit_that_was_booked_away_is_not_asked_for_and_one_that_was_added_is(weeks: Weeks) -> None:
    weeks.plan({("anna", TODAY): ["account:a", "account:b"]})
    with weeks.store.write(audited=False) as unit:
        unit.changed_days.put(ChangedDay("town", "anna", TODAY, 1, 1, ("opportunity:mill", "account:b", "booking:b-9")))
    assert own(weeks, "anna").today[0].goal == 2
    with weeks.store.write(audited=False) as unit:  # of a plan that counts no more
        unit.changed_days.put(ChangedDay("town", "anna", TODAY, 1, 7, ()))
    assert own(weeks, "anna").today[0].goal == 2


def test_days_are_those_of_the_person_s_own_clock(weeks: Weeks) -> None:
    weeks.know(rep("anna", timezone="America/Los_Angeles"), rep("ben", timezone="America/Los_Angeles"))
    weeks.now = datetime(2026, 12, 1, 7, 30, tzinfo=UTC)  # half past eleven on Monday evening, there
    weeks.happened("handed_off", "mill", datetime(2026, 11, 30, 8, 30, tzinfo=UTC))
    weeks.happened("handed_off", "forge", datetime(2026, 11, 30, 7, 30, tzinfo=UTC))  # on Sunday
    assert own(weeks, "iris").on == MONDAY
    assert done(weeks, "iris")["handoffs"] == 1
    assert today_of(weeks.store, weeks.user("anna"), "town", weeks.now) == MONDAY


def test_both_hours_of_an_autumn_night_are_of_the_same_day(weeks: Weeks) -> None:
    weeks.now = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)  # the day with 25 hours in London
    for number, at in enumerate(("2026-10-24T23:00", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T23:00")):
        weeks.happened("handed_off", f"deal{number}", datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert own(weeks, "iris").on == date(2026, 10, 25)
    assert done(weeks, "iris")["handoffs"] == 4


# --- tapping


def test_a_tap_counts_one_and_is_taken_back(weeks: Weeks) -> None:
    calls(weeks, "iris", TODAY, 3)
    assert weeks.write(lambda unit: tap(unit, "town", "id-iris", TODAY, Activity.CALLS, -1)) == 2
    assert done(weeks, "iris")["calls"] == 2
    assert done(weeks, "otto")["calls"] == 0


def test_there_are_never_fewer_than_none_nor_more_than_a_thousand(weeks: Weeks) -> None:
    with weeks.store.write(audited=False) as unit:
        assert tap(unit, "town", "id-iris", TODAY, Activity.CALLS, -1) == 0
        assert [tap(unit, "town", "id-iris", TODAY, Activity.CALLS, 1) for _ in range(1_001)][-1] == MOST_A_DAY


@pytest.mark.parametrize(("kind", "by"), [(Activity.VISITS, 1), (Activity.CALLS, 2), (Activity.CALLS, 0)])
def test_nothing_else_is_tapped(weeks: Weeks, kind: Activity, by: int) -> None:
    with weeks.store.write(audited=False) as unit, pytest.raises(InvalidRecordError):
        tap(unit, "town", "id-iris", TODAY, kind, by)


# --- streaks

days_ = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def days_to(today: date, told: list[tuple[bool, bool]]) -> list[JudgedDay]:
    return [JudgedDay(today - timedelta(days=ago), *each) for ago, each in enumerate(told)]


@pytest.mark.parametrize(
    ("told", "length"),
    [
        ([(True, False), (True, True), (True, True), (True, False), (True, True)], 2),  # today may still be met
        ([(True, True), (True, True), (True, False)], 2),
        ([(True, True), (False, False), (False, True), (True, True), (True, False)], 2),  # a weekend in between
        ([(False, False), (True, False)], 0),
        ([(True, False)], 0),
    ],
)
def test_a_streak_is_perfect_working_days_in_a_row(told: list[tuple[bool, bool]], length: int) -> None:
    assert streak_of(days_to(TODAY, told), TODAY) == length


@pytest.mark.parametrize(
    ("told", "longer"),
    [
        ([(True, False)] + [(True, True)] * 20, True),  # today may still be met
        ([(True, True)] * 19 + [(False, False)] * 2, True),  # who looks back begins on a weekend
        ([(True, True)] * 10 + [(False, False)] * 11, False),  # who came later has begun then
        ([(True, True)] * 20 + [(True, False)], False),
        ([(False, False)] * 21, False),
    ],
)
def test_a_streak_as_long_as_anybody_looks_back_may_be_longer(told: list[tuple[bool, bool]], longer: bool) -> None:
    assert may_be_longer(days_to(TODAY, told), TODAY) is longer


@given(days_, st.integers(0, 40), st.booleans())
def test_a_day_without_work_neither_breaks_nor_extends_a_streak(
    told: list[tuple[bool, bool]], at: int, perfect: bool
) -> None:
    with_a_day_off = [*told[: at + 1], (False, perfect), *told[at + 1 :]]
    assert streak_of(days_to(TODAY, with_a_day_off), TODAY) == streak_of(days_to(TODAY, told), TODAY)


def test_weekends_holidays_and_days_on_which_nothing_was_done_do_not_break_the_streak_of_inside_sales(
    weeks: Weeks,
) -> None:
    goals(weeks)
    weeks.now = datetime(2026, 12, 29, 12, tzinfo=UTC)  # Christmas was a Friday, and Monday is Boxing Day's
    for day in (23, 24, 29):
        calls(weeks, "iris", date(2026, 12, day))
    assert own(weeks, "iris").streak == 3
    weeks.happened("handed_off", "mill", datetime(2026, 12, 24, 12, tzinfo=UTC), actor="user:id-otto")
    calls(weeks, "otto", date(2026, 12, 23))
    assert own(weeks, "otto").streak == 0  # who was there on Christmas Eve and called nobody


def test_sick_days_and_days_without_planned_visits_do_not_break_the_streak_of_a_rep(weeks: Weeks) -> None:
    goals(weeks)
    weeks.plan({
        ("anna", date(2026, 11, 23)): ["account:a", "account:b"],
        ("anna", date(2026, 11, 24)): ["account:a", "account:b"],  # sick
        ("anna", date(2026, 11, 25)): [],
        ("anna", FRIDAY): ["account:c"],  # one was planned, and one is all that is asked for
        ("anna", TODAY): ["account:a", "account:b"],
    })  # fmt: skip
    weeks.says("anna", date(2026, 11, 24), sick=True)
    for day, visits in ((date(2026, 11, 23), "ab"), (FRIDAY, "c")):
        for visit in visits:
            weeks.visit("anna", day, f"account:{visit}")
    assert own(weeks, "anna").streak == 2
    assert [day.day for day in own(weeks, "anna").days if day.works] == [date(2026, 11, 23), FRIDAY, TODAY]
    for visit in "ab":
        weeks.visit("anna", TODAY, f"account:{visit}")
    assert own(weeks, "anna").streak == 3


def test_what_a_phone_sends_weeks_later_mends_the_past(weeks: Weeks) -> None:
    goals(weeks)
    weeks.plan({("anna", FRIDAY): ["account:a"], ("anna", MONDAY): ["account:b"]})
    weeks.visit("anna", FRIDAY, "account:a")
    assert own(weeks, "anna").streak == 0
    weeks.visit("anna", MONDAY, "account:b")
    assert own(weeks, "anna").streak == 2


def test_the_plan_that_was_published_last_says_what_was_planned(weeks: Weeks) -> None:
    goals(weeks)
    weeks.plan({("anna", FRIDAY): ["account:a", "account:b"], ("anna", MONDAY): ["account:c"]})
    weeks.plan({("anna", MONDAY): []}, published_at=datetime(2026, 11, 28, tzinfo=UTC))
    weeks.visit("anna", FRIDAY, "account:a")
    weeks.visit("anna", FRIDAY, "account:b")
    assert own(weeks, "anna").streak == 1


# --- goals


def test_other_goals_hold_from_the_day_on_which_they_are_set_and_the_past_stays(weeks: Weeks) -> None:
    goals(weeks)
    for day in (FRIDAY, MONDAY):
        calls(weeks, "iris", day)
    assert own(weeks, "iris").streak == 2
    goals(weeks, {Role.INSIDE_REP: {Activity.CALLS: 5}}, on=TODAY)
    assert own(weeks, "iris").streak == 2
    assert own(weeks, "iris").today[0].goal == 5
    goals(weeks, {Role.INSIDE_REP: {Activity.CALLS: 7}}, on=TODAY)  # set twice on a day: the last ones hold
    assert own(weeks, "iris").today[0].goal == 7
    calls(weeks, "iris", TODAY)
    weeks.now += timedelta(days=1)
    assert own(weeks, "iris").streak == 0


def test_goals_are_kept_for_as_long_as_days_are_looked_back_at(weeks: Weeks) -> None:
    for number in range(1, 120):
        goals(weeks, {Role.INSIDE_REP: {Activity.CALLS: number}}, on=TODAY + timedelta(days=number))
    known = weeks.read(lambda unit: read_goals(unit, "town"))
    assert len(known.earlier) <= 84
    assert known.on(TODAY + timedelta(days=119))[Role.INSIDE_REP][Activity.CALLS] == 119
    assert known.on(TODAY + timedelta(days=118))[Role.INSIDE_REP][Activity.CALLS] == 118


def test_of_two_who_set_goals_the_second_is_told(weeks: Weeks) -> None:
    goals(weeks)
    with pytest.raises(GoalsChangedError) as told:
        weeks.write(lambda unit: save_goals(unit, "town", DEFAULT_GOALS, 0, TODAY))
    assert told.value.present.revision == 1
    assert isinstance(told.value.present, TeamGoals)
    goals(weeks)  # the same again changes nothing
    assert weeks.audited().count("goals.set") == 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({Role.FIELD_REP: {Activity.ON_TIME: 101}}, "field_rep.on_time"),
     ({Role.INSIDE_REP: {Activity.CALLS: -1}}, "inside_rep.calls"),
     ({Role.INSIDE_REP: {Activity.VISITS: 1}}, "inside_rep.visits"),
     ({Role.MANAGER: {Activity.CALLS: 1}}, "manager.calls")],
)  # fmt: skip
def test_goals_that_make_no_sense_are_refused(weeks: Weeks, wanted: Any, field: str) -> None:
    with weeks.store.write(audited=False) as unit, pytest.raises(InvalidRecordError) as told:
        save_goals(unit, "town", wanted, 0, TODAY)
    assert told.value.field == field


def test_without_goals_no_day_is_perfect(weeks: Weeks) -> None:
    goals(weeks, {role: dict.fromkeys(kinds, 0) for role, kinds in KINDS.items()})
    calls(weeks, "iris", TODAY)
    assert own(weeks, "iris").today == ()
    assert not own(weeks, "iris").met
    assert own(weeks, "iris").streak == 0


# --- the team


def team(weeks: Weeks, name: str) -> list[str]:
    _, found = team_progress(weeks.store, weeks.user(name).scope, "town", weeks.settings.calendar, weeks.now)
    return [each.person.name for each in found]


def test_a_manager_sees_the_reps_of_the_team_and_inside_sales_where_everybody_is_seen(weeks: Weeks) -> None:
    assert team(weeks, "max") == ["Anna", "Ben", "Iris", "Otto"]
    assert team(weeks, "ada") == ["Anna", "Ben", "Iris", "Otto"]
    assert team(weeks, "mia") == ["Anna"]
    weeks.change("ben", disabled=True)
    assert team(weeks, "max") == ["Anna", "Iris", "Otto"]


def test_the_team_s_numbers_are_those_that_each_sees(weeks: Weeks) -> None:
    weeks.plan({("anna", TODAY): ["account:a"], ("ben", TODAY): ["account:b"]})
    weeks.visit("anna", TODAY, "account:a")
    weeks.promises(booked("mill"))
    _, found = team_progress(weeks.store, weeks.user("max").scope, "town", weeks.settings.calendar, weeks.now)
    assert found == [own(weeks, name) for name in ("anna", "ben", "iris", "otto")]


def test_managers_have_no_goals_of_their_own(weeks: Weeks) -> None:
    _, found = own_progress(weeks.store, weeks.user("max"), "town", weeks.settings.calendar, weeks.now)
    assert found is None


def test_a_rep_without_a_record_and_an_area_without_reps_have_days_all_the_same(weeks: Weeks) -> None:
    weeks.change("ben", reps=frozenset({"gone"}))
    _, found = own_progress(weeks.store, weeks.user("ben"), "town", weeks.settings.calendar, weeks.now)
    assert found is None
    weeks.change("iris", area=None)
    _, found = own_progress(weeks.store, weeks.user("iris"), "nowhere", weeks.settings.calendar, weeks.now)
    assert found is not None
    assert found.person.zone == ZoneInfo("UTC")
