"""The whole use case, on the flat town: records in, a plan that keeps every rule out, and nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from cast import (
    FRIDAY,
    ISLAND,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Town,
    account,
    door,
    local,
    opportunity,
    reasons,
    rep,
    stops,
    whose,
)

from planner.domain import Address
from planner.plan_document import read_plan, write_plan
from planner.planning import make_plan, store_plan, to_store
from planner.repository import StoredPlan
from routing.solver import SearchLimits


def test_a_promise_is_kept_over_any_stated_availability(town: Town) -> None:
    town.add(opportunity(availability="We 09:00-12:00", need="no", appointment=local("2026-12-01 15:30")), door(10))
    stop = stops(town.plan())["mill"]
    assert stop["begin"] == "2026-12-01T15:30:00+00:00"
    assert stop["kind"] == "appointment"
    assert stop["handoff_missing"] == ["need is no, must be yes"]
    assert stop["worth_minutes"] is None


def test_promises_are_kept_before_anything_else_is_planned(empty_town: Town) -> None:
    """One day of eight hours, a promise of seven of them, and customers worth far more than nothing."""
    empty_town.add(rep(break_minutes=0))
    empty_town.add(opportunity("promised", visit_minutes=420, appointment=local("2026-11-30 09:30")), door(10))
    for n in range(6):
        empty_town.add(account(f"shop {n}", segment="A", last_visit=None), door(n))
    document = empty_town.plan(days=1)
    assert "promised" in stops(document)
    assert document["totals"]["promises"] == 1
    assert set(reasons(document).values()) == {"no_time_left"}


def test_an_impossible_appointment_is_listed_and_the_rest_is_planned(town: Town) -> None:
    town.add(opportunity("promised", appointment=local("2026-12-01 20:00")), door(10))
    town.add(opportunity("mill"), door(10))
    document = town.plan()
    assert set(stops(document)) == {"mill"}
    [entry] = document["unplanned"]
    assert entry["reason"] == "appointment_impossible"
    assert (
        entry["sentence"] == "at Tue 2026-12-01 20:00 no rep who could go has 60 minutes of work time, with the drive"
    )


def test_two_promises_that_one_rep_cannot_keep_both_are_one_kept_and_one_listed(town: Town) -> None:
    town.add(opportunity("here", appointment=local("2026-12-01 10:00")), door(10))
    town.add(opportunity("there", appointment=local("2026-12-01 10:30")), door(50))
    document = town.plan()
    assert len(stops(document)) == 1
    [entry] = document["unplanned"]
    assert entry["reason"] == "appointment_impossible"
    assert "Anna is already promised elsewhere, or cannot get there in time" in entry["sentence"]


def test_an_appointment_at_a_time_that_the_clocks_skip_is_listed_and_the_rest_is_planned(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset(range(7)), work_start=time(0)))
    empty_town.add(opportunity("promised", appointment=local("2026-03-29 01:30")), door(10))
    empty_town.add(opportunity("mill", qualified_at=local("2026-03-27 10:00")), door(10))
    document = empty_town.plan(date(2026, 3, 28), 2)
    assert set(stops(document)) == {"mill"}
    assert document["unplanned"][0]["sentence"] == "Sun 2026-03-29 01:30 does not exist: the clocks skip it that night"


def test_an_opportunity_whose_deadline_has_passed_is_planned_first_and_marked_late(town: Town) -> None:
    town.add(opportunity("late", qualified_at=local("2026-11-02 10:00"), value=0.0, visit_minutes=180), door(60))
    for n in range(6):
        town.add(opportunity(f"mill {n}", visit_minutes=240, value=1e6), door(n))
    document = town.plan(work=8)
    stop = stops(document)["late"]
    assert stop["begin"].startswith(str(MONDAY))
    assert stop["late"]
    assert stop["deadline"] == "2026-11-09"


def test_a_late_opportunity_is_planned_even_when_it_has_to_wait_for_weeks(town: Town) -> None:
    late = opportunity(qualified_at=local("2026-01-05 10:00"), availability="2026 Dec 18 10:00-12:00")
    town.add(late, door(10))
    assert stops(town.plan(days=15))["mill"]["begin"].startswith("2026-12-18")


def test_the_first_visit_is_made_by_its_deadline(town: Town) -> None:
    for n in range(4):
        town.add(opportunity(f"mill {n}", first_action_days=2, visit_minutes=150), door(n))
    document = town.plan()
    assert {stop["begin"][:10] for stop in stops(document).values()} == {str(MONDAY), str(TUESDAY)}
    assert all(stop["deadline"] == str(TUESDAY) for stop in stops(document).values())


def test_a_customer_is_visited_only_by_its_owner(town: Town) -> None:
    """Ben lives next door to all of Anna's customers."""
    town.add(rep("ben", start_address=Address("2 Other Road")), door(16))
    town.add(account("bakery", owner_rep_id="anna"), door(15))
    town.add(account("florist", owner_rep_id="ben"), door(0))
    town.add(account("anybody's", owner_rep_id=""), door(16))
    assert whose(town.plan()) == {"bakery": "anna", "florist": "ben", "anybody's": "ben"}


def test_a_visit_that_requires_a_skill_is_for_a_rep_who_has_it(town: Town) -> None:
    town.add(rep("ben", skills=frozenset(["enterprise", "welding"])), door())
    town.add(opportunity(required_skills=frozenset(["welding"])), door(10))
    assert whose(town.plan()) == {"mill": "ben"}


def test_a_nearby_customer_names_the_opportunity_it_rides_along_with(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.add(account(last_visit=MONDAY - timedelta(days=21)), door(12))
    stop = stops(town.plan())["bakery"]
    assert stop["kind"] == "nearby"
    assert stop["rides_with"] == ["mill"]
    assert stop["why"] == "2 min from Mill (mill), 75% through its 28 days; rides along with mill on this day"


def test_two_companies_at_one_door_park_once(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(account("florist"), door(10))
    town.add(account("inn"), door(-10))
    first, second, third = stops(town.plan(days=1)).values()
    if first["stop"] != second["stop"]:
        first, second, third = second, third, first
    assert first["stop"] == second["stop"] != third["stop"]
    assert (first["parking_minutes"], second["parking_minutes"], third["parking_minutes"]) == (5, 0, 5)
    assert (second["drive_seconds"], second["drive_metres"]) == (0, 0)
    assert second["arrive"] == first["leave"]


def test_an_account_is_visited_once_however_many_reasons_there_are(town: Town) -> None:
    town.add(account(), door(10))
    town.add(opportunity("one", account_id="bakery"), door(10))
    town.add(opportunity("two", account_id="bakery"), door(10))
    document = town.plan()
    [stop] = stops(document).values()
    assert stop["record_ids"][1:] == ["bakery"]
    assert set(reasons(document).values()) == {"visited_anyway"}


def test_every_promise_to_one_account_is_kept(town: Town) -> None:
    town.add(account(), door(10))
    town.add(opportunity("one", account_id="bakery", appointment=local("2026-12-01 10:00")), door(10))
    town.add(opportunity("two", account_id="bakery", appointment=local("2026-12-02 10:00")), door(10))
    assert set(stops(town.plan())) == {"one", "two"}


def test_a_rep_makes_no_more_visits_a_day_than_agreed(empty_town: Town) -> None:
    empty_town.add(rep(max_visits_per_day=2))
    for n in range(5):
        empty_town.add(account(f"shop {n}"), door(n))
    document = empty_town.plan(days=1)
    assert len(stops(document)) == 2
    assert set(reasons(document).values()) == {"no_time_left"}


def test_the_break_is_taken_in_its_window(town: Town) -> None:
    town.add(opportunity(appointment=local("2026-11-30 11:00"), visit_minutes=90), door(10))
    town.add(opportunity("next", appointment=local("2026-11-30 13:00"), visit_minutes=60), door(10))
    [day] = (day for day in town.plan(days=1)["rep_days"] if day["stops"])
    assert day["break"] == {"start": "2026-11-30T12:30:00+00:00", "end": "2026-11-30T13:00:00+00:00"}


def test_a_visit_is_wholly_within_several_windows_a_day(town: Town) -> None:
    town.add(account(opening_hours="Mo-Fr 09:00-09:40,15:00-15:35", visit_minutes=35), door(10))
    assert stops(town.plan())["bakery"]["begin"][11:16] in {"09:15", "15:00"}


def test_overnight_opening_hours_are_used_by_a_rep_who_works_at_night(empty_town: Town) -> None:
    empty_town.add(rep(work_start=time(18), work_end=time(23, 59), break_minutes=0))
    empty_town.add(account(opening_hours="Mo-Su 22:00-02:00"), door(10))
    assert stops(empty_town.plan())["bakery"]["begin"][11:16] >= "22:00"


# ------------------------------------------------------------------------------------------------ zones and clocks


@pytest.mark.parametrize(
    ("zone", "saturday", "offsets"),
    [
        ("Europe/London", date(2026, 3, 28), ["+00:00", "+01:00"]),
        ("Europe/London", date(2026, 10, 24), ["+01:00", "+00:00"]),
        ("America/Los_Angeles", date(2026, 3, 7), ["-08:00", "-07:00"]),
    ],
)
def test_promises_keep_their_local_time_over_a_weekend_on_which_the_clocks_change(
    empty_town: Town, zone: str, saturday: date, offsets: list[str]
) -> None:
    empty_town.add(rep(timezone=zone, work_days=frozenset(range(7))))
    for n in range(2):
        day = saturday + timedelta(days=n)
        empty_town.add(opportunity(f"day {n}", appointment=local(f"{day} 10:00")), door(10))
    empty_town.add(account(opening_hours="Sa-Su 14:00-14:30", last_visit=None), door(5))
    document = empty_town.plan(saturday, 2)
    planned = stops(document)
    assert [planned[f"day {n}"]["begin"][11:] for n in range(2)] == [f"10:00:00{offset}" for offset in offsets]
    assert planned["bakery"]["begin"][11:16] == "14:00"
    assert document["timezone"] == zone


def test_a_night_shift_through_the_clock_change_keeps_every_rule(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset([6]), work_start=time(0), work_end=time(6), break_window=None))
    for n in range(12):
        empty_town.add(account(f"bar {n}", opening_hours="Su 00:00-01:30,03:00-05:30"), door(n))
    for sunday in (date(2026, 3, 29), date(2026, 10, 25)):
        empty_town.records = [
            replace(r, last_visit=sunday - timedelta(days=28)) if r.kind == "account" else r  # type: ignore[call-arg]
            for r in empty_town.records
        ]
        document = empty_town.plan(sunday, 1)
        assert empty_town.broken(document) == []
        assert stops(document)


def test_a_rep_abroad_works_by_the_clock_there(town: Town) -> None:
    """London has most reps, so customers' hours are London's; Carol lives in Los Angeles and says so in her times."""
    town.add(rep("ben"))
    town.add(rep("carol", timezone="America/Los_Angeles"), door(10))
    town.add(account("bakery", owner_rep_id="carol", opening_hours="Mo-Fr 09:00-18:00"), door(11))
    town.add(account("all night", owner_rep_id="carol", opening_hours="24/7"), door(11))
    document = town.plan()
    assert "09:05" < stops(document)["bakery"]["begin"][11:16] <= "09:30"
    assert stops(document)["bakery"]["begin"].endswith("-08:00")
    assert town.broken(document) == []


def test_a_deadline_ends_with_the_customers_day_though_the_rep_is_a_day_ahead(town: Town) -> None:
    """Eleven at night on Monday in London is eight in the morning on Tuesday in Tokyo."""
    town.add(rep("ben"))
    town.add(rep("dai", timezone="Asia/Tokyo", work_start=time(7), skills=frozenset(["wine"])), door(10))
    handed_off = opportunity(first_action_days=1, required_skills=frozenset(["wine"]), availability="Mo-Fr 23:00-24:00")
    town.add(handed_off, door(11))
    document = town.plan()
    assert stops(document)["mill"]["begin"] == "2026-12-01T08:00:00+09:00"
    assert stops(document)["mill"]["deadline"] == str(MONDAY)


# ------------------------------------------------------------------------------------------------ nothing is lost


def test_of_two_islands_without_a_bridge_each_is_visited_from_its_own_side(town: Town) -> None:
    town.add(rep("ben", start_address=Address("1 Island")), door(ISLAND + 5))
    for side, east in (("town", 10), ("island", ISLAND + 10)):
        town.add(opportunity(side), door(east))
    town.add(account(owner_rep_id="anna"), door(ISLAND + 11))
    document = town.plan()
    assert whose(document) == {"town": "anna", "island": "ben"}
    [entry] = document["unplanned"]
    assert entry["reason"] == "unreachable"
    assert entry["sentence"] == "no street connects it with the home of a rep who could go"


def test_a_plan_without_candidates_has_days_and_no_visits(town: Town) -> None:
    document = town.plan()
    assert document["totals"]["visits"] == 0
    assert [day["date"] for day in document["rep_days"]] == [str(MONDAY + timedelta(days=n)) for n in range(5)]
    assert all(day["start"]["time"] is None for day in document["rep_days"])
    assert town.broken(document) == []


def test_a_rep_whose_home_is_not_located_is_noted_and_the_rest_is_planned(town: Town) -> None:
    town.add(rep("ben"), lost=True)
    town.add(opportunity(), door(10))
    town.add(account(owner_rep_id="ben"), door(10))
    document = town.plan()
    assert whose(document) == {"mill": "anna"}
    assert reasons(document) == {"bakery": "no_rep"}
    assert document["notes"] == ["rep ben (Ben): no days are planned, “1 Office Park” is not located: no such street"]


def test_where_no_home_is_located_everything_is_listed(empty_town: Town) -> None:
    empty_town.add(rep(), lost=True)
    empty_town.add(opportunity(), door(10))
    document = empty_town.plan()
    assert document["rep_days"] == []
    assert reasons(document) == {"mill": "no_rep"}


def test_a_break_that_has_no_room_in_the_working_hours_is_noted(empty_town: Town) -> None:
    empty_town.add(rep(work_end=time(12, 10)))
    empty_town.add(opportunity(), door(10))
    document = empty_town.plan()
    assert set(stops(document)) == {"mill"}
    assert document["notes"] == ["rep anna (Anna): the break window lies outside the working hours"]


def test_every_record_is_planned_or_listed_with_a_reason(town: Town) -> None:
    town.add(opportunity("planned"), door(10))
    town.add(opportunity("sent back", need="no"), door(10))
    town.add(opportunity("lost"), lost=True)
    town.add(opportunity("next week", appointment=local("2026-12-09 10:00")), door(10))
    town.add(account("dormant", last_order=date(2020, 1, 1)), door(10))
    town.add(account("closed", opening_hours="off"), door(10))
    document = town.plan()
    assert set(stops(document)) == {"planned"}
    assert reasons(document) == {
        "lost": "not_located",
        "next week": "appointment_on_another_day",
        "closed": "outside_hours",
    }
    assert [entry["record_id"] for entry in document["returned_to_inside"]] == ["sent back"]
    assert [entry["record_id"] for entry in document["dormant"]] == ["dormant"]
    assert document["totals"]["unplanned"] == 3


def test_an_account_and_an_opportunity_with_one_id_are_two_visits(town: Town) -> None:
    town.add(account("17", last_visit=MONDAY - timedelta(days=21)), door(12))
    town.add(opportunity("17"), door(10))
    document = town.plan()
    [day] = (day for day in document["rep_days"] if day["stops"])
    assert {stop["visit_id"] for stop in day["stops"]} == {"account:17", "opportunity:17"}


# ------------------------------------------------------------------------------------------------ repeatable, stored


def a_week(town: Town) -> Town:
    town.add(rep("ben", start_address=Address("2 Other Road")), door(30, 30))
    for n in range(8):
        town.add(opportunity(f"O{n}"), door(5 * n, 40 - 5 * n))
        town.add(account(f"A{n}", owner_rep_id=("anna", "ben")[n % 2]), door(40 - 5 * n, 4 * n))
    return town


def test_the_same_seed_and_work_give_the_same_bytes(town: Town) -> None:
    a_week(town)
    assert write_plan(town.plan(work=6)) == write_plan(town.plan(work=6))


def test_a_plan_reads_back_as_it_was_written(town: Town) -> None:
    town.add(account("{{7*7}}", name="<img src=x onerror=alert(1)> `${x}` ünïcödé"), door(3))
    document = a_week(town).plan()
    assert read_plan(write_plan(document)) == json.loads(write_plan(document)) == document


def test_a_search_that_is_stopped_at_once_still_keeps_every_rule(town: Town) -> None:
    a_week(town)
    document = make_plan(
        town.snapshot(),
        "town",
        town.source,
        MONDAY,
        5,
        SearchLimits(seconds=60),
        town.settings,
        cancelled=lambda: True,
    )
    assert town.broken(document) == []


class Shelf:
    """A unit of work that keeps plans in a list, and what was audited."""

    def __init__(self) -> None:
        self.kept: list[StoredPlan] = []
        self.audited: list[tuple[str, str]] = []

    def plans(self, _area: str) -> Shelf:
        return self

    def add(self, plan: StoredPlan) -> int:
        self.kept.append(plan)
        return len(self.kept)

    def audit(self, action: str, subject: str, /, area: str) -> None:
        self.audited.append((action, subject))


def test_a_plan_is_stored_as_the_next_version_with_its_totals(town: Town) -> None:
    town.add(opportunity(), door(10))
    document = town.plan()
    shelf, now = Shelf(), local("2026-11-29 18:00")
    assert [store_plan(shelf, to_store(document, now)) for _ in range(2)] == [1, 2]  # type: ignore[arg-type]
    stored = shelf.kept[0]
    assert (stored.first_day, stored.days, stored.visits, stored.created_at) == (MONDAY, 5, 1, now)
    assert stored.document == write_plan(document)
    assert stored.published_at is None
    assert shelf.audited == [("plan.made", "1"), ("plan.made", "2")]


def test_the_horizon_is_the_teams_working_days(town: Town) -> None:
    document = town.plan(WEDNESDAY, 3)
    assert (document["first_day"], document["last_day"]) == (str(WEDNESDAY), str(FRIDAY))
