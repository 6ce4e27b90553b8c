"""Visits become jobs and working days become shifts: in seconds of one clock, whatever the zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from cast import FRIDAY, LONDON, LOS_ANGELES, MONDAY, SETTINGS, TUESDAY, Town, account, door, local, opportunity, rep

from planner.domain import Address
from planner.planning import last_working_day
from planner.settings import CalendarSettings, CandidateSettings, Settings, WorthSettings
from planner.translation import Translation
from routing.problem import DAY_S, Job, Shift, TimeWindow

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def the_job(town: Town, first_day: date = MONDAY, days: int = 5) -> Job:
    [job] = town.translation(first_day, days).problem.jobs
    return job


def begins(translation: Translation, job: Job) -> list[tuple[str, str]]:
    """When service may begin, in London."""
    spans = [(translation.local(w.start_s, LONDON), translation.local(w.end_s, LONDON)) for w in job.windows]
    return [(f"{start:%a %H:%M}", f"{end:%a %H:%M}") for start, end in spans]


def hours(shift: Shift) -> float:
    return (shift.end_s - shift.start_s) / 3600


# ------------------------------------------------------------------------------------------------ windows


def test_a_visit_lies_wholly_within_hours_and_stated_availability(town: Town) -> None:
    town.add(account(opening_hours="Mo-Fr 09:00-12:00,13:00-17:00"), door(1))
    town.add(opportunity(account_id="bakery", availability="Tu,We 11:00-15:00"), door(1))
    translation = town.translation()
    [job] = translation.problem.jobs
    assert begins(translation, job) == [
        ("Tue 11:00", "Tue 11:00"),
        ("Tue 13:00", "Tue 14:00"),
        ("Wed 11:00", "Wed 11:00"),
        ("Wed 13:00", "Wed 14:00"),
    ]


def test_a_promise_begins_at_its_time_over_any_stated_availability(town: Town) -> None:
    town.add(account(opening_hours="We 09:00-12:00"), door(1))
    promise = opportunity(account_id="bakery", availability="We 09:00-12:00", appointment=local("2026-12-01 15:30"))
    town.add(promise, door(1))
    translation = town.translation()
    [job] = translation.problem.jobs
    assert begins(translation, job) == [("Tue 15:30", "Tue 15:30")]
    assert job.mandatory


def test_the_first_visit_is_over_by_the_end_of_its_deadline(town: Town) -> None:
    town.add(opportunity(first_action_days=2), door(1))
    translation = town.translation()
    assert begins(translation, translation.problem.jobs[0]) == [("Mon 00:00", "Tue 23:00")]


def test_open_past_midnight_lets_a_visit_begin_in_the_evening(town: Town) -> None:
    town.add(account(opening_hours="Mo-Su 18:00-02:00", last_visit=None), door(1))
    translation = town.translation(MONDAY, 1)
    assert begins(translation, translation.problem.jobs[0]) == [("Mon 00:00", "Mon 01:30")]


def test_a_customer_who_is_never_open_has_no_window(town: Town) -> None:
    town.add(account(opening_hours="off"), door(1))
    assert the_job(town).windows == ()


def test_an_appointment_at_a_time_that_the_clocks_skip_has_no_window(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset(range(7)), work_start=time(0)))
    empty_town.add(opportunity(appointment=local("2026-03-29 01:30")), door(1))
    assert the_job(empty_town, SPRING, 1).windows == ()


# ------------------------------------------------------------------------------------------------ clock changes


def test_seconds_count_true_time_through_the_clock_change_in_spring(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset(range(7))))
    saturday, sunday, monday = empty_town.translation(date(2026, 3, 28), 3).problem.shifts
    assert [hours(shift) for shift in (saturday, sunday, monday)] == [8, 8, 8]
    assert sunday.start_s - saturday.start_s == DAY_S - 3600
    assert monday.start_s - sunday.start_s == DAY_S


def test_seconds_count_true_time_through_the_clock_change_in_autumn(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset(range(7))))
    saturday, sunday, _ = empty_town.translation(date(2026, 10, 24), 3).problem.shifts
    assert sunday.start_s - saturday.start_s == DAY_S + 3600


def test_a_night_shift_has_as_many_hours_as_pass(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset([6]), work_start=time(0), work_end=time(6), break_minutes=0))
    assert hours(empty_town.translation(SPRING, 1).problem.shifts[0]) == 5
    assert hours(empty_town.translation(AUTUMN, 1).problem.shifts[0]) == 7


def test_local_times_come_back_with_the_offset_of_their_day(empty_town: Town) -> None:
    empty_town.add(rep(timezone="America/Los_Angeles", work_days=frozenset(range(7))))
    saturday, sunday = empty_town.translation(date(2026, 3, 7), 2).problem.shifts
    translation = empty_town.translation(date(2026, 3, 7), 2)
    assert translation.local(saturday.start_s, LOS_ANGELES).isoformat() == "2026-03-07T09:00:00-08:00"
    assert translation.local(sunday.start_s, LOS_ANGELES).isoformat() == "2026-03-08T09:00:00-07:00"


# ------------------------------------------------------------------------------------------------ zones


def test_the_areas_zone_is_the_one_that_most_reps_keep(empty_town: Town) -> None:
    assert str(empty_town.snapshot().zone) == "UTC"
    empty_town.add(rep("carol", timezone="America/Los_Angeles"))
    empty_town.add(rep("anna"))
    assert str(empty_town.snapshot().zone) == "America/Los_Angeles"
    empty_town.add(rep("ben"))
    assert str(empty_town.snapshot().zone) == "Europe/London"


def test_a_rep_works_by_the_clock_at_home(empty_town: Town) -> None:
    empty_town.add(rep("anna"))
    empty_town.add(rep("ben"))
    empty_town.add(rep("carol", timezone="America/Los_Angeles"))
    shifts = {shift.vehicle: shift for shift in empty_town.translation(MONDAY, 1).problem.shifts}
    assert shifts["carol"].start_s - shifts["anna"].start_s == 8 * 3600


def test_hours_are_known_for_a_rep_who_still_works_when_the_area_sleeps(empty_town: Town) -> None:
    """At 16:00 in Los Angeles on the last day it is midnight in London, where the customer never closes."""
    empty_town.add(rep("anna"))
    empty_town.add(rep("ben"))
    empty_town.add(rep("carol", timezone="America/Los_Angeles"))
    empty_town.add(account(opening_hours="24/7", owner_rep_id="carol"), door(1))
    translation = empty_town.translation(MONDAY, 1)
    carol = next(shift for shift in translation.problem.shifts if shift.vehicle == "carol")
    assert translation.problem.jobs[0].windows == (TimeWindow(0, carol.end_s - 30 * 60),)


def test_the_clock_starts_where_the_first_day_starts_first(empty_town: Town) -> None:
    empty_town.add(rep("anna"))
    empty_town.add(rep("ben"))
    empty_town.add(rep("dai", timezone="Asia/Tokyo"))
    assert empty_town.translation(MONDAY, 1).clock.epoch == datetime(2026, 11, 29, 15, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------ shifts


def test_a_rep_works_on_the_working_days_that_the_record_says(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset([0, 3])))
    assert [shift.id for shift in empty_town.translation(MONDAY, 2).problem.shifts] == [
        "anna@2026-11-30",
        "anna@2026-12-03",
    ]


def test_a_shift_can_end_a_minute_before_midnight(empty_town: Town) -> None:
    empty_town.add(rep(work_end=time(23, 59), timezone="America/Los_Angeles"))
    [shift] = empty_town.translation(MONDAY, 1).problem.shifts
    assert hours(shift) == pytest.approx(14 + 59 / 60)


def test_a_break_that_reaches_out_of_working_hours_is_taken_within_them(empty_town: Town) -> None:
    empty_town.add(rep(work_end=time(13)))
    [shift] = empty_town.translation(MONDAY, 1).problem.shifts
    assert shift.break_
    assert (shift.break_.start_s, shift.break_.end_s) == (12 * 3600, 13 * 3600)


def test_a_half_day_before_the_break_has_none(empty_town: Town) -> None:
    empty_town.add(rep(work_end=time(12, 15)))
    assert empty_town.translation(MONDAY, 1).problem.shifts[0].break_ is None


def test_a_break_without_a_window_is_taken_at_any_time_of_work(empty_town: Town) -> None:
    empty_town.add(rep(break_window=None))
    [shift] = empty_town.translation(MONDAY, 1).problem.shifts
    assert shift.break_
    assert (shift.break_.start_s, shift.break_.end_s) == (shift.start_s, shift.end_s)


# ------------------------------------------------------------------------------------------------ jobs


def test_customers_at_one_door_share_a_place_and_its_parking(town: Town) -> None:
    town.add(account("bakery"), door(5))
    town.add(account("florist"), door(5))
    translation = town.translation()
    bakery, florist = translation.problem.jobs
    assert bakery.place == florist.place
    assert bakery.setup_s == SETTINGS.candidates.parking_minutes * 60
    assert len(translation.places) == 2


def test_worth_in_minutes_is_the_driving_that_it_may_cost(town: Town) -> None:
    town.add(opportunity(), door(1))
    visit = town.candidates().visits[0]
    assert visit.worth
    assert the_job(town).penalty_s == visit.worth.minutes * 60


def test_visits_to_one_account_are_rivals_but_promises_are_not(town: Town) -> None:
    town.add(opportunity("one", account_id="shop"), door(1))
    town.add(opportunity("two", account_id="shop"), door(1))
    town.add(opportunity("alone"), door(1))
    town.add(opportunity("promised", account_id="inn", appointment=local("2026-12-01 10:00")), door(1))
    groups = {job.id: job.group for job in town.translation().problem.jobs}
    assert groups == {
        "opportunity:one": "shop",
        "opportunity:two": "shop",
        "opportunity:alone": None,
        "opportunity:promised": None,
    }


@pytest.mark.parametrize("days", [1, 5, 60])
def test_a_late_visit_is_hurried_but_waiting_never_makes_it_worthless(town: Town, days: int) -> None:
    town.add(opportunity(qualified_at=local("2026-01-01 00:00")), door(1))
    problem = town.translation(MONDAY, days).problem
    [job] = problem.jobs
    costs = [problem.tardiness_s(shift, job) for shift in problem.shifts]
    assert costs == sorted(set(costs))
    assert job.penalty_s
    assert job.penalty_s - costs[-1] >= 240 * 60


def test_absurd_settings_still_make_a_problem(town: Town) -> None:
    town.settings = Settings(
        SETTINGS.home,
        "",
        candidates=CandidateSettings(parking_minutes=1440, visit_minutes=1440),
        worth=WorthSettings(opportunity_minutes=14_400, most_urgent=1_000, late_minutes_per_day=14_400),
    )
    town.add(opportunity("late", qualified_at=local("2026-01-01 00:00"), visit_minutes=None), door(1))
    town.add(account(last_visit=date(1990, 1, 1)), door(1))
    assert len(town.translation().problem.jobs) == 2


def test_nothing_to_visit_is_a_problem_too(town: Town) -> None:
    problem = town.translation().problem
    assert problem.jobs == ()
    assert len(problem.shifts) == 5


def test_without_a_located_home_there_are_no_shifts_and_a_note(empty_town: Town) -> None:
    empty_town.add(rep(), lost=True)
    empty_town.add(opportunity(), door(1))
    homes, notes = empty_town.snapshot().homes()
    assert homes == {}
    assert notes == ["rep anna (Anna): no days are planned, “1 Office Park” is not located: no such street"]
    assert empty_town.translation().problem.shifts == ()


def test_the_day_ends_at_the_end_address(town: Town) -> None:
    home = rep("ben", end_address=Address("7 Home Lane"))
    town.add(home)
    homes, notes = town.snapshot().homes()
    assert "ben" not in homes
    assert "“7 Home Lane” is not located" in notes[0]
    start = town.locations[-1]
    town.locations.append(replace(start, record_id="ben/end", address=Address("7 Home Lane"), place=door(9)))
    assert town.snapshot().homes()[0]["ben"] == (door(), door(9))


def test_friday_is_the_last_of_five_days() -> None:
    weekdays = frozenset(range(5))
    assert last_working_day(MONDAY, 5, weekdays, CalendarSettings()) == FRIDAY
    assert last_working_day(MONDAY - timedelta(days=2), 1, weekdays, CalendarSettings()) == MONDAY
    assert last_working_day(TUESDAY, 5, weekdays, CalendarSettings()) == date(2026, 12, 7)
