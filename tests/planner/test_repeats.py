"""On long horizons a customer is visited again and again, a cadence apart, and never twice a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from cast import FRIDAY, MONDAY, SETTINGS, TUESDAY, Town, account, door, opportunity, promise, rep
from hypothesis import given
from hypothesis import strategies as st

from planner.candidates import Candidates, Reason, Visit
from planner.errors import RefusedError
from planner.plan_document import PlanDocument
from planner.repeats import due_visits, least_days, most_days, ordinal
from planner.settings import CandidateSettings
from planner.visit_ids import is_to, record_behind, visit_id

FOUR_WEEKS = 20
USUAL = CandidateSettings()


def town_with(*records: object, **changes: object) -> Town:
    town = Town(**changes)  # type: ignore[arg-type]
    town.add(rep())
    for number, record in enumerate(records, start=1):
        town.add(record, door(number))  # type: ignore[arg-type]
    return town


def weekly(id_: str = "bakery", **changes: object) -> object:
    return account(id_, **{"cadence_days": 7, "last_visit": date(2026, 11, 20), **changes})


def days_of(document: PlanDocument, account_id: str = "bakery") -> list[date]:
    return [
        date.fromisoformat(day["date"])
        for day in document["rep_days"]
        for stop in day["stops"]
        if account_id in stop["record_ids"]
    ]


def reasons(document: PlanDocument) -> list[str]:
    return [entry["reason"] for entry in document["unplanned"]]


def visits_to(candidates: Candidates, account_id: str = "bakery") -> list[Visit]:
    return [visit for visit in candidates.visits if visit.account_id == account_id]


# ------------------------------------------------------------------------------------------------ distances


@pytest.mark.parametrize(
    ("cadence", "least", "most"), [(1, 1, 1), (2, 2, 2), (7, 5, 9), (10, 7, 13), (14, 10, 18), (28, 20, 36)]
)
def test_visits_are_a_cadence_apart_give_or_take_a_share_rounded_down(cadence: int, least: int, most: int) -> None:
    assert (least_days(cadence, USUAL), most_days(cadence, (), USUAL)) == (least, most)


def test_a_share_of_all_still_keeps_two_visits_off_one_day() -> None:
    assert least_days(7, replace(USUAL, spacing_share=1.0)) == 1


def test_where_nobody_works_for_longer_the_next_visit_may_be_as_much_later() -> None:
    friday_and_monday = (date(2026, 12, 4), date(2026, 12, 7))
    assert most_days(1, friday_and_monday, USUAL) == 3


@given(
    last_visit=st.one_of(st.none(), st.integers(-60, 10)),
    cadence=st.integers(1, 40),
    length=st.integers(0, 59),
    fixed=st.sets(st.integers(0, 59), max_size=3),
    share=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_each_visit_has_days_of_its_own_that_keep_off_what_is_promised(
    last_visit: int | None, cadence: int, length: int, fixed: set[int], share: float
) -> None:
    def day(number: int) -> date:
        return MONDAY + timedelta(number)

    settings = replace(USUAL, spacing_share=share)
    visited = None if last_visit is None else day(last_visit)
    due = due_visits(visited, cadence, map(day, fixed), MONDAY, day(length), settings)
    least = timedelta(least_days(cadence, settings))
    for each in due:
        assert MONDAY <= each.first_day <= each.last_day <= day(length)
        assert each.first_day <= each.due <= day(length)
        assert visited is None or each.first_day - visited >= least
        for number in (n for n in fixed if n <= length):
            assert each.last_day <= day(number) - least or each.first_day >= day(number) + least
    for before, after in pairwise(due):
        assert before.last_day < after.first_day
        assert before.number < after.number


def test_numbers_are_told_as_words() -> None:
    told = [ordinal(number) for number in (1, 2, 10, 11, 12, 13, 21, 22, 23, 33, 111)]
    assert told == ["first", "second", "tenth", "11th", "12th", "13th", "21st", "22nd", "23rd", "33rd", "111th"]


def test_the_id_of_a_visit_tells_whom_it_is_to_also_of_the_second() -> None:
    second = visit_id(account().kind, "A:1@2", date(2026, 12, 7))
    assert second == "account@2026-12-07:A:1@2"
    assert record_behind(second) == record_behind("account:A:1@2") == ("account", "A:1@2")
    assert is_to(second, "A:1@2")
    assert record_behind("opportunity@2026-12-07:O1")[0] == "opportunity@2026-12-07"
    assert record_behind("account@soon:A1")[0] == "account@soon"


# ------------------------------------------------------------------------------------------------ candidates


def test_a_weekly_customer_is_due_four_times_in_four_weeks() -> None:
    found = visits_to(town_with(weekly()).candidates(days=FOUR_WEEKS))
    assert [visit.id for visit in found] == [
        "account:bakery",
        "account@2026-12-07:bakery",
        "account@2026-12-14:bakery",
        "account@2026-12-21:bakery",
    ]
    assert [visit.why for visit in found[:2]] == [
        "3 days overdue: last visit 2026-11-20, every 7 days",
        "second visit: every 7 days, 5–9 days after the one before",
    ]
    assert {visit.spacing for visit in found} == {(5, 9)}
    assert len({visit.series for visit in found}) == 1


def test_within_one_week_there_is_one_visit_as_ever() -> None:
    [visit] = visits_to(town_with(weekly()).candidates())
    assert (visit.id, visit.series, visit.days, visit.repeat) == ("account:bakery", "", None, False)


def test_the_later_visits_are_worth_what_they_are_when_they_fall_due_and_never_more_than_the_first() -> None:
    first, second, *_ = visits_to(town_with(weekly()).candidates(days=FOUR_WEEKS))
    assert first.worth
    assert second.worth
    assert second.worth.minutes < first.worth.minutes
    assert "× 1.00" in second.worth.because
    soon, later, *_ = visits_to(town_with(weekly(last_visit=date(2026, 11, 27))).candidates(days=FOUR_WEEKS))
    assert soon.worth
    assert soon.worth == later.worth


def test_the_first_visit_is_not_sooner_after_the_last_one_than_the_others_are() -> None:
    first, *_ = visits_to(town_with(weekly(last_visit=date(2026, 11, 29))).candidates(days=FOUR_WEEKS))
    assert first.days
    assert first.days[0] == FRIDAY


def test_of_a_rep_who_is_away_for_weeks_a_customer_is_listed_once() -> None:
    town = Town()
    town.add(rep("ben"))
    town.add(weekly())  # type: ignore[arg-type]
    document = town.plan(days=FOUR_WEEKS)
    assert reasons(document) == [Reason.NO_REP]


def test_each_visit_counts_in_what_one_plan_may_choose_from() -> None:
    few = replace(SETTINGS, jobs=replace(SETTINGS.jobs, most_visits=3))
    with pytest.raises(RefusedError, match="4 visits could be made"):
        town_with(weekly(), settings=few).plan(days=FOUR_WEEKS)


# ------------------------------------------------------------------------------------------------ plans


def test_four_weeks_of_a_weekly_customer_have_a_visit_each_five_to_nine_days_apart() -> None:
    town = town_with(weekly(), weekly("inn", last_visit=None), account("florist", cadence_days=14))
    document = town.plan(days=FOUR_WEEKS, work=8)
    assert town.broken(document) == []
    assert reasons(document) == []
    for account_id in ("bakery", "inn"):
        days = days_of(document, account_id)
        assert len({(day - MONDAY).days // 7 for day in days}) == 4
        assert all(5 <= (after - before).days <= 9 for before, after in pairwise(days))
    first, second = days_of(document, "florist")
    assert 10 <= (second - first).days <= 18


def test_a_daily_customer_is_visited_on_every_working_day_and_never_twice() -> None:
    town = town_with(weekly(cadence_days=1))
    document = town.plan(days=10, work=8)
    assert town.broken(document) == []
    assert len(days_of(document)) == len(set(days_of(document))) == 10


def test_where_one_visit_cannot_be_made_those_that_would_be_too_far_off_are_left_out_and_say_so() -> None:
    town = town_with(weekly(opening_hours="Mo-Fr 09:00-17:00; Dec 07-13 off"))
    document = town.plan(days=15, work=8)
    assert town.broken(document) == []
    [day] = days_of(document)
    closed, too_far = sorted(document["unplanned"], key=lambda entry: entry["reason"])
    assert (closed["reason"], closed["visit_id"]) == (Reason.OUTSIDE_HOURS, "account@2026-12-07:bakery")
    assert too_far["reason"] == Reason.SPACING
    words = f"the visits would be more than 9 days apart: the customer is visited on {day:%a %Y-%m-%d}"
    assert too_far["sentence"] == words


def test_a_promise_is_one_of_the_visits_and_the_others_keep_their_distance_to_it() -> None:
    town = town_with(weekly(), opportunity("mill", account_id="bakery"))
    town.promises.append(promise(day=TUESDAY + timedelta(7), place=door(2)))
    document = town.plan(days=FOUR_WEEKS, work=8)
    assert town.broken(document) == []
    days = days_of(document)
    assert TUESDAY + timedelta(7) in days
    assert len(days) == 4
    assert all((after - before).days >= 5 for before, after in pairwise(days))


def test_two_promises_to_one_customer_may_be_as_near_as_they_were_made() -> None:
    town = town_with(weekly(), opportunity("mill", account_id="bakery"), opportunity("forge", account_id="bakery"))
    town.promises += [promise(day=TUESDAY, place=door(2)), promise("forge", day=TUESDAY + timedelta(1), place=door(3))]
    document = town.plan(days=FOUR_WEEKS, work=8)
    assert town.broken(document) == []
    assert days_of(document)[:2] == [TUESDAY, TUESDAY + timedelta(1)]


def test_the_visit_to_an_opportunity_is_the_first_one_to_its_customer() -> None:
    town = town_with(weekly(), opportunity("mill", account_id="bakery"))
    document = town.plan(days=FOUR_WEEKS, work=8)
    assert town.broken(document) == []
    days = days_of(document)
    assert len(days) == 4
    assert all(5 <= (after - before).days <= 9 for before, after in pairwise(days))
    assert next(stop["record_ids"] for day in document["rep_days"] for stop in day["stops"]) == ["mill", "bakery"]


def test_visits_that_the_cadence_has_further_apart_are_found_by_whoever_checks_the_plan() -> None:
    town = town_with(weekly())
    document = town.plan(days=FOUR_WEEKS, work=4)
    slower, often = (
        Town([town.records[0], weekly(cadence_days=cadence)], town.locations)  # type: ignore[list-item]
        for cadence in (14, 4)
    )
    assert any("account bakery is visited 2 times less than 10 days apart" in said for said in slower.broken(document))
    assert any("more than 5 days later" in said for said in often.broken(document))
