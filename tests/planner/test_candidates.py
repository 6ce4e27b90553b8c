"""Which visits the coming days could hold: handed-off opportunities, customers due, and customers near those."""

from __future__ import annotations

import time as clock
from datetime import date, datetime, time, timedelta

import numpy as np
import pytest
from cast import (
    FRIDAY,
    ISLAND,
    MONDAY,
    SETTINGS,
    THURSDAY,
    TUESDAY,
    Town,
    account,
    door,
    local,
    located,
    opportunity,
    rep,
)

from planner.candidates import Candidates, Listed, Reason, Visit, VisitKind, find_candidates
from planner.domain import Address, RecordKind
from planner.errors import PlannerError
from planner.settings import CandidateSettings, Settings


def the_visit(town: Town) -> Visit:
    [visit] = town.candidates().visits
    return visit


def kinds(found: Candidates) -> dict[str, str]:
    return {visit.record_ids[0]: str(visit.kind) for visit in found.visits}


def why_not(found: Candidates) -> dict[str, Reason]:
    return {entry.record_ids[0]: entry.reason for entry in found.unplanned}


# ------------------------------------------------------------------------------------------------ opportunities


def test_an_opportunity_that_passes_the_gate_is_a_candidate_for_any_rep(town: Town) -> None:
    town.add(opportunity(), door(10))
    visit = the_visit(town)
    assert (visit.id, visit.kind, visit.record_ids) == ("opportunity:mill", VisitKind.OPPORTUNITY, ("mill",))
    assert visit.reps is None
    assert visit.deadline == FRIDAY
    assert visit.why == "handed off by inside sales; the first visit is due by 2026-12-04"


def test_an_opportunity_that_does_not_pass_goes_back_to_inside_sales_with_the_reason(town: Town) -> None:
    town.add(opportunity(need="unknown"), door(10))
    found = town.candidates()
    assert found.visits == ()
    assert found.returned == (Listed("mill", "Mill", "need is unknown, must be yes"),)


def test_a_promise_is_a_candidate_whatever_the_gate_says_and_flagged(town: Town) -> None:
    town.add(opportunity(need="no", appointment=local("2026-12-01 10:00")), door(10))
    visit = the_visit(town)
    assert visit.kind == VisitKind.APPOINTMENT
    assert visit.worth is None
    assert visit.missing == ("need is no, must be yes",)
    assert visit.why == "appointment agreed for 2026-12-01 10:00"


@pytest.mark.parametrize(
    ("appointment", "sentence"),
    [
        (local("2026-11-29 10:00"), "its appointment was on 2026-11-29 10:00: report what came of it"),
        (local("2026-12-05 10:00"), "its appointment is on 2026-12-05 10:00, after these days"),
    ],
)
def test_an_appointment_on_another_day_is_listed(town: Town, appointment: datetime, sentence: str) -> None:
    town.add(opportunity(appointment=appointment), door(10))
    [entry] = town.candidates().unplanned
    assert entry.reason == Reason.APPOINTMENT_ON_ANOTHER_DAY
    assert entry.sentence.startswith(sentence)


def test_an_opportunity_whose_deadline_has_passed_is_late_not_dropped(town: Town) -> None:
    town.add(opportunity(qualified_at=local("2026-11-02 00:00")), door(10))
    visit = the_visit(town)
    assert visit.late
    assert visit.worth
    assert visit.worth.minutes > 1_440
    assert "late: the first visit was due by 2026-11-09" in visit.why


def test_a_visit_without_a_length_takes_the_usual_one(town: Town) -> None:
    town.add(opportunity(visit_minutes=None), door(10))
    assert the_visit(town).service_minutes == SETTINGS.candidates.visit_minutes


# ------------------------------------------------------------------------------------------------ customers


def test_a_customer_is_due_a_cadence_after_the_last_visit(town: Town) -> None:
    town.add(account(last_visit=MONDAY - timedelta(days=24)), door(10))
    visit = the_visit(town)
    assert visit.kind == VisitKind.DUE
    assert visit.why == "due on 2026-12-04: last visit 2026-11-06, every 28 days"


def test_a_customer_who_falls_due_after_these_days_can_wait(town: Town) -> None:
    town.add(account(last_visit=MONDAY - timedelta(days=23)), door(10))
    assert town.candidates().visits == ()


def test_an_overdue_customer_says_by_how_much(town: Town) -> None:
    town.add(account(last_visit=MONDAY - timedelta(days=31)), door(10))
    assert the_visit(town).why.startswith("3 days overdue: last visit 2026-10-30")


def test_a_customer_never_visited_is_due(town: Town) -> None:
    town.add(account(last_visit=None), door(10))
    assert the_visit(town).why == "never visited"


@pytest.mark.parametrize(("segment", "days"), [("A", 14), ("B", 28), ("C", 84), ("", 84), ("`x`", 84)])
def test_a_customer_without_a_cadence_has_that_of_the_segment(town: Town, segment: str, days: int) -> None:
    town.add(account("on time", segment=segment, cadence_days=None, last_visit=FRIDAY - timedelta(days=days)))
    town.add(account("early", segment=segment, cadence_days=None, last_visit=FRIDAY - timedelta(days=days - 1)))
    assert kinds(town.candidates()) == {"on time": "due"}


def test_a_customer_who_stopped_buying_is_for_inside_sales(town: Town) -> None:
    town.add(account(last_order=MONDAY - timedelta(days=366)), door(10))
    found = town.candidates()
    assert found.visits == ()
    assert found.dormant == (Listed("bakery", "Bakery", "last ordered on 2025-11-29"),)


def test_a_customer_who_bought_a_year_ago_to_the_day_or_never_is_not_dormant(town: Town) -> None:
    town.add(account("a year ago", last_order=MONDAY - timedelta(days=365)))
    town.add(account("never", last_order=None))
    assert kinds(town.candidates()) == {"a year ago": "due", "never": "due"}


def test_a_customer_is_for_its_owner_and_one_without_for_anybody(town: Town) -> None:
    town.add(account("owned", owner_rep_id="anna"))
    town.add(account("free", owner_rep_id=""))
    assert {visit.name: visit.reps for visit in town.candidates().visits} == {
        "Owned": frozenset(["anna"]),
        "Free": None,
    }


@pytest.mark.parametrize("last_visit", [date(1, 1, 1), date(9999, 12, 31)])
def test_the_ends_of_the_calendar_do_no_harm(town: Town, last_visit: date) -> None:
    town.add(account(last_visit=last_visit, cadence_days=3650), door(10))
    town.candidates()


# ------------------------------------------------------------------------------------------------ not located


def test_a_record_that_is_not_located_is_never_a_candidate_and_always_listed(town: Town) -> None:
    town.add(opportunity("mill"), lost=True)
    town.add(opportunity("promised", appointment=local("2026-12-01 10:00")), lost=True)
    town.add(account(), lost=True)
    found = town.candidates()
    assert found.visits == ()
    assert why_not(found) == dict.fromkeys(("mill", "promised", "bakery"), Reason.NOT_LOCATED)
    assert found.unplanned[0].sentence == "“mill road” is not located: no such street"


def test_a_place_is_forgotten_when_the_address_changes(town: Town) -> None:
    town.records.append(opportunity(address=Address("9 New Street")))
    town.locations.append(located(opportunity(), door(10)))
    [entry] = town.candidates().unplanned
    assert entry.sentence == "“9 New Street” is not located: it is not geocoded yet"


def test_an_account_and_an_opportunity_may_have_one_id(town: Town) -> None:
    town.add(account("17"), door(1))
    town.add(opportunity("17"), door(2))
    assert {visit.id: visit.place for visit in town.candidates().visits} == {
        "opportunity:17": door(2),
        "account:17": door(1),
    }


# ------------------------------------------------------------------------------------------------ nearby


def three_weeks_ago(id_: str = "bakery") -> object:
    """Three quarters through its 28 days: not due, but worth a visit to somebody who is near."""
    return account(id_, last_visit=MONDAY - timedelta(days=21))


def test_a_nearby_customer_names_the_opportunity_it_rides_along_with(town: Town) -> None:
    town.add(opportunity("far"), door(14))
    town.add(opportunity("near"), door(10))
    town.add(opportunity("too far"), door(30))
    town.add(three_weeks_ago(), door(8))
    [visit] = (visit for visit in town.candidates().visits if visit.kind == VisitKind.NEARBY)
    assert visit.rides_with == ("near", "far")
    assert visit.why == "2 min from Near (near), 75% through its 28 days"


def test_nearby_is_seven_minutes_of_road_not_more(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.add(three_weeks_ago("seven"), door(17))
    town.add(three_weeks_ago("eight"), door(18))
    assert kinds(town.candidates()) == {"mill": "opportunity", "seven": "nearby"}


def test_a_customer_rides_along_from_sixty_per_cent_of_the_cadence_on(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.add(account("sixty", cadence_days=20, last_visit=MONDAY - timedelta(days=12)), door(10))
    town.add(account("fewer", cadence_days=20, last_visit=MONDAY - timedelta(days=11)), door(10))
    assert kinds(town.candidates()) == {"mill": "opportunity", "sixty": "nearby"}


def test_nobody_rides_along_with_what_was_sent_back_or_is_not_located(town: Town) -> None:
    town.add(opportunity("sent back", need="no"), door(10))
    town.add(opportunity("not found"), lost=True)
    town.add(three_weeks_ago(), door(10))
    assert town.candidates().visits == ()


def test_nobody_rides_along_across_the_river(town: Town) -> None:
    town.add(opportunity(), door(ISLAND - 1))
    town.add(three_weeks_ago(), door(ISLAND + 1))
    assert kinds(town.candidates()) == {"mill": "opportunity"}


def test_a_dormant_customer_does_not_ride_along(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.add(account(last_visit=MONDAY - timedelta(days=21), last_order=date(2020, 1, 1)), door(10))
    assert kinds(town.candidates()) == {"mill": "opportunity"}


def test_how_near_is_nearby_can_be_set(town: Town) -> None:
    town.settings = Settings(SETTINGS.home, "", candidates=CandidateSettings(nearby_minutes=0))
    town.add(opportunity(), door(10))
    town.add(three_weeks_ago("same door"), door(10))
    town.add(three_weeks_ago("next door"), door(11))
    assert kinds(town.candidates()) == {"mill": "opportunity", "same door": "nearby"}


# ------------------------------------------------------------------------------------------------ one visit an account


def test_an_opportunity_at_a_customers_counts_as_the_customers_visit_by_its_owner(town: Town) -> None:
    town.add(rep("ben"))
    town.add(account(opening_hours="Mo-Fr 08:00-18:00", visit_minutes=90), door(10))
    town.add(opportunity(account_id="bakery", availability="Tu 10:00-16:00"), door(10))
    visit = the_visit(town)
    assert visit.record_ids == ("mill", "bakery")
    assert visit.reps == frozenset(["anna"])
    assert visit.service_minutes == 90
    assert visit.hours == ("Tu 10:00-16:00", "Mo-Fr 08:00-18:00")
    assert visit.why.endswith("counts as the visit to account bakery, whose rep Anna is")


@pytest.mark.parametrize(
    "away",
    [
        {"work_days": frozenset([5, 6])},
        {"skills": frozenset(["welding"])},
        {"id_": "somebody else"},
    ],
    ids=["on holiday", "without the skill", "no longer with us"],
)
def test_an_opportunity_does_not_wait_for_an_owner_who_cannot_come(empty_town: Town, away: dict[str, object]) -> None:
    """Any qualified rep goes, and the customer's own visit is listed, not lost."""
    empty_town.add(rep(**({"id_": "anna"} | away)))
    empty_town.add(rep("ben", skills=frozenset(["baking"])))
    empty_town.add(account(), door(10))
    empty_town.add(opportunity(account_id="bakery", required_skills=frozenset(["baking"])), door(10))
    found = empty_town.candidates()
    assert [visit.record_ids for visit in found.visits] == [("mill",)]
    assert found.visits[0].reps is None
    assert why_not(found) == {"bakery": Reason.VISITED_ANYWAY}
    assert found.unplanned[0].sentence == "the visit to the account is for Mill (mill)"


def test_an_owner_whose_home_is_not_located_cannot_come(empty_town: Town) -> None:
    empty_town.add(rep("anna"), lost=True)
    empty_town.add(rep("ben", start_address=Address("2 Other Road")))
    empty_town.add(account(), door(10))
    empty_town.add(opportunity(account_id="bakery"), door(10))
    assert empty_town.candidates().visits[0].reps is None


def test_an_opportunity_does_not_miss_its_deadline_for_its_owner(empty_town: Town) -> None:
    empty_town.add(rep("anna", work_days=frozenset([4])))
    empty_town.add(rep("ben"))
    empty_town.add(account(), door(10))
    empty_town.add(opportunity(account_id="bakery", first_action_days=2), door(10))
    visit = empty_town.candidates().visits[0]
    assert visit.deadline == TUESDAY
    assert visit.reps is None


@pytest.mark.parametrize(
    ("appointment", "who"),
    [
        (local("2026-12-01 10:00"), frozenset(["anna"])),
        (local("2026-12-01 18:00"), None),
        (local("2026-12-04 10:00"), None),
    ],
    ids=["at work", "after hours", "on a day off"],
)
def test_a_promise_at_a_customers_is_for_the_owner_if_at_work_then(
    empty_town: Town, appointment: datetime, who: frozenset[str] | None
) -> None:
    empty_town.add(rep("anna", work_days=frozenset(range(4))))
    empty_town.add(rep("ben", work_end=time(20)))
    empty_town.add(account(), door(10))
    empty_town.add(opportunity(account_id="bakery", appointment=appointment), door(10))
    assert empty_town.candidates().visits[0].reps == who


def test_a_promise_goes_before_the_accounts_other_visits_and_they_are_listed(town: Town) -> None:
    town.add(account(owner_rep_id="gone"), door(10))
    town.add(opportunity("promised", account_id="bakery", appointment=local("2026-12-01 10:00")), door(10))
    town.add(opportunity("late", account_id="bakery", qualified_at=local("2026-01-01 00:00")), door(10))
    found = town.candidates()
    assert kinds(found) == {"promised": "appointment"}
    assert why_not(found) == dict.fromkeys(("late", "bakery"), Reason.VISITED_ANYWAY)


def test_a_late_opportunity_goes_before_another_at_the_account(town: Town) -> None:
    town.add(account(), door(10))
    town.add(opportunity("late", account_id="bakery", qualified_at=local("2026-01-01 00:00")), door(10))
    town.add(opportunity("early", account_id="bakery"), door(10))
    assert kinds(town.candidates()) == {"late": "opportunity"}


def test_both_of_two_promises_to_one_account_are_kept(town: Town) -> None:
    town.add(account(), door(10))
    for id_, hour in (("first", 10), ("second", 15)):
        town.add(opportunity(id_, account_id="bakery", appointment=local(f"2026-12-01 {hour}:00")), door(10))
    assert kinds(town.candidates()) == {"first": "appointment", "second": "appointment"}


def test_an_account_that_nobody_knows_is_still_visited_once(town: Town) -> None:
    town.add(opportunity("one", account_id="unheard of"), door(10))
    town.add(opportunity("two", account_id="unheard of"), door(10))
    assert {visit.account_id for visit in town.candidates().visits} == {"unheard of"}


# ------------------------------------------------------------------------------------------------ the rest


def test_no_records_give_no_candidates(town: Town) -> None:
    assert town.candidates() == Candidates((), (), (), ())


def test_without_reps_there_is_nothing_to_plan(empty_town: Town) -> None:
    empty_town.add(opportunity(), door(10))
    with pytest.raises(PlannerError, match="there are no reps to plan for: import them first"):
        empty_town.candidates()


@pytest.mark.parametrize(
    ("first_day", "days", "message"),
    [
        (MONDAY, 0, "days is 0"),
        (MONDAY, 61, "days is 61"),
        (date.max, 5, "the first day is 9999-12-31"),
        (date.min, 5, "the first day is 0001-01-01"),
    ],
)
def test_impossible_days_are_refused(town: Town, first_day: date, days: int, message: str) -> None:
    with pytest.raises(PlannerError, match=message):
        town.candidates(first_day, days)


def test_a_team_that_works_once_a_week_is_not_planned_for_more_than_a_year(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset([0])))
    with pytest.raises(PlannerError, match="plan at most a year"):
        empty_town.candidates(MONDAY, 60)


def test_days_are_counted_as_working_days_of_the_team(town: Town) -> None:
    town.add(account("by then", last_visit=date(2026, 12, 7) - timedelta(days=28)))
    assert kinds(town.candidates(THURSDAY, 2)) == {}
    assert kinds(town.candidates(THURSDAY, 3)) == {"by then": "due"}


def test_ten_thousand_customers_are_looked_through_in_seconds(town: Town) -> None:
    """And never in one matrix, which grows with the square of the places."""
    somewhere = np.random.default_rng(1).uniform(-400, 400, (10_500, 2)).tolist()
    for n, (east, north) in enumerate(somewhere[:500]):
        town.add(opportunity(f"O{n}"), door(east, north))
    for n, (east, north) in enumerate(somewhere[500:]):
        town.add(account(f"A{n}", last_visit=MONDAY - timedelta(days=18)), door(east, north))
    snapshot = town.snapshot()
    days_out = {"anna": frozenset([MONDAY])}
    started = clock.process_time()
    found = find_candidates(snapshot, days_out, town.source, MONDAY, FRIDAY, SETTINGS)
    assert clock.process_time() - started < 10
    assert max(town.source.asked) <= 1_500
    assert 1_000 < len(found.visits) < 10_500


def test_hostile_text_is_only_text(town: Town) -> None:
    nasty = "{{7*7}} <img src=x onerror=alert(1)> `id` =cmd() ${x} [red]"
    town.add(account(nasty, last_visit=MONDAY - timedelta(days=21), owner_rep_id="", segment=nasty), door(10))
    town.add(opportunity("O", name=nasty, timeline=nasty), door(10))
    found = town.candidates()
    assert {visit.name for visit in found.visits} == {nasty, nasty.title()}
    assert (RecordKind.ACCOUNT, nasty) in town.snapshot().location_by_record
