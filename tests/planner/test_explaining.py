"""Why a candidate has no visit: the first rule that stands in its way. The solutions here are made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from cast import ISLAND, MONDAY, Town, account, door, local, opportunity, rep

from planner.candidates import Reason, Unplanned
from planner.domain import Address
from planner.explaining import explain_unplanned
from planner.why import Whys
from routing.solution import Solution
from routing.timing import schedule


def explained(town: Town, *planned: str, days: int = 1) -> dict[str, Unplanned]:
    """What is said of the rest when these visits, by record id, are all made on the first rep-day."""
    translation = town.translation(MONDAY, days)
    problem = translation.problem
    by_record = {job.id.partition(":")[2]: job for job in problem.jobs}
    jobs = [by_record[id_] for id_ in planned]
    route = schedule(problem, problem.shifts[0], jobs) if jobs else None
    assert bool(route) == bool(jobs), "the hand-made day cannot be driven"
    left_out = tuple(job.id for job in problem.jobs if job not in jobs)
    entries = explain_unplanned(translation, Solution((route,) if route else (), left_out))
    return {entry.record_ids[0]: entry for entry in entries}


def test_what_is_planned_needs_no_explanation(town: Town) -> None:
    town.add(opportunity(), door(10))
    assert explained(town, "mill") == {}


def test_a_visit_adds_more_driving_than_it_is_worth(town: Town) -> None:
    town.add(account(), door(40))
    entry = explained(town)["bakery"]
    assert entry.reason == Reason.TOO_FAR
    assert entry.sentence == "it adds at least 80 minutes of driving (Anna, Mon 2026-11-30) and is worth 49"
    assert entry.worth
    assert entry.worth.minutes == 49


def test_the_way_from_door_to_door_counts_when_the_day_was_empty(town: Town) -> None:
    """From the office to an end 60 minutes away the rep passes the customer, but without him nobody would drive."""
    town.records = [rep(end_address=Address("7 Home Lane"))]
    town.add(account(), door(30))
    start = town.locations[0]
    town.locations.append(replace(start, record_id="anna/end", address=Address("7 Home Lane"), place=door(60)))
    assert explained(town)["bakery"].sentence.startswith("it adds at least 60 minutes of driving")


def test_what_a_longer_search_would_plan_is_said_to_be_so(town: Town) -> None:
    town.add(opportunity(), door(10))
    entry = explained(town)["mill"]
    assert entry.reason == Reason.NO_TIME_LEFT
    assert entry.sentence.startswith("the search ended too soon: a longer one would plan it, for 20 minutes of driving")


def test_a_full_day_leaves_no_time(town: Town) -> None:
    town.add(opportunity("long", visit_minutes=240, appointment=local("2026-11-30 12:30")), door())
    town.add(opportunity("short", visit_minutes=150, appointment=local("2026-11-30 09:05")), door())
    town.add(account(), door(10))
    entry = explained(town, "short", "long")["bakery"]
    assert entry.reason == Reason.NO_TIME_LEFT
    assert entry.sentence == ("the one day of Anna is full: nothing there could make way for a visit worth 49 minutes")


def test_days_before_a_deadline_are_counted_over_all_reps_who_could_go(empty_town: Town) -> None:
    """Anna and Ben have a long promise on both days; the deadline leaves no other."""
    town = empty_town
    for name in ("anna", "ben"):
        town.add(rep(name, break_minutes=0))
    for day in ("2026-11-30", "2026-12-01"):
        for n in range(2):
            town.add(opportunity(f"{day} {n}", visit_minutes=440, appointment=local(f"{day} 09:10")), door())
    town.add(opportunity(first_action_days=2), door(1))
    plan = town.plan(work=8)
    sentences = {entry["record_ids"][0]: entry["sentence"] for entry in plan["unplanned"]}
    assert sentences["mill"] == (
        "all 4 days by 2026-12-01 of the 2 reps who could go are full: "
        "nothing there could make way for a visit worth 266 minutes"
    )


def test_a_visit_that_fits_into_no_day_says_so(town: Town) -> None:
    town.add(opportunity(visit_minutes=475), door(10))
    entry = explained(town)["mill"]
    assert entry.reason == Reason.NO_TIME_LEFT
    assert entry.sentence == "475 minutes and the drive do not fit into a working day"


def test_never_open_while_a_rep_is_at_work(town: Town) -> None:
    town.add(account(opening_hours="Mo-Fr 18:00-22:00"), door(10))
    entry = explained(town)["bakery"]
    assert entry.reason == Reason.OUTSIDE_HOURS
    assert entry.sentence == (
        "open Mo-Fr 18:00-22:00: never 30 minutes at a stretch while a rep who could go is at work"
    )


def test_open_for_less_than_the_visit(town: Town) -> None:
    town.add(account(opening_hours="Mo-Fr 10:00-10:20"), door(10))
    assert explained(town)["bakery"].reason == Reason.OUTSIDE_HOURS


def test_nobody_has_the_skill(town: Town) -> None:
    town.add(opportunity("any rep", required_skills=frozenset(["welding", "enterprise"])), door(10))
    entry = explained(town)["any rep"]
    assert entry.reason == Reason.NO_REP_WITH_SKILL
    assert entry.sentence == "no rep has the skill enterprise, welding"


@pytest.mark.parametrize("owner", ["gone", "ben"])
def test_the_customers_rep_is_not_there(empty_town: Town, owner: str) -> None:
    """Gone, or not working on these days."""
    empty_town.add(rep("anna"))
    empty_town.add(rep("ben", work_days=frozenset([5])))
    empty_town.add(account(owner_rep_id=owner), door(10))
    entry = explained(empty_town)["bakery"]
    assert entry.reason == Reason.NO_REP
    assert entry.sentence.startswith(f"its rep {owner} does not work on these days")


def test_a_rep_who_makes_no_visits_is_no_rep(empty_town: Town) -> None:
    empty_town.add(rep(max_visits_per_day=0))
    empty_town.add(opportunity(), door(10))
    entry = explained(empty_town)["mill"]
    assert (entry.reason, entry.sentence) == (Reason.NO_REP, "no rep works on these days")


def test_the_deadline_comes_before_the_hours(town: Town) -> None:
    town.add(opportunity(first_action_days=1, availability="Th 10:00-16:00"), door(10))
    entry = explained(town, days=5)["mill"]
    assert entry.reason == Reason.DEADLINE_IMPOSSIBLE
    assert entry.sentence == (
        "the first visit is due by 2026-11-30, and neither its hours (Th 10:00-16:00) nor the days of the reps "
        "who could go leave time before"
    )


@pytest.mark.parametrize("clock", ["20:00", "16:30", "08:00", "12:00"], ids=["night", "evening", "early", "lunch"])
def test_no_rep_is_at_work_for_a_whole_appointment(empty_town: Town, clock: str) -> None:
    empty_town.add(rep(break_window=(time(12), time(13)), break_minutes=60))
    empty_town.add(opportunity(appointment=local(f"2026-11-30 {clock}")), door(10))
    entry = explained(empty_town)["mill"]
    assert entry.reason == Reason.APPOINTMENT_IMPOSSIBLE
    assert entry.worth is None


def test_a_promise_elsewhere_is_in_the_way_of_a_promise(town: Town) -> None:
    town.add(rep("ben", work_days=frozenset([1])))
    town.add(opportunity("kept", appointment=local("2026-11-30 10:00")), door(10))
    town.add(opportunity("other", appointment=local("2026-11-30 10:30")), door(10))
    entry = explained(town, "kept")["other"]
    assert entry.reason == Reason.APPOINTMENT_IMPOSSIBLE
    assert "Anna is already promised elsewhere" in entry.sentence


def test_no_street_leads_there(town: Town) -> None:
    town.add(opportunity(), door(ISLAND + 1))
    assert explained(town)["mill"].reason == Reason.UNREACHABLE


def test_a_rival_at_the_same_account_is_planned(town: Town) -> None:
    town.add(opportunity("one", account_id="inn"), door(10))
    town.add(opportunity("two", account_id="inn"), door(10))
    entry = explained(town, "one")["two"]
    assert entry.reason == Reason.VISITED_ANYWAY
    assert entry.sentence == "the account is visited already for One (one)"


def test_every_reason_is_produced_by_some_rule_here_or_in_the_candidates() -> None:
    """The candidates' own: not located, an appointment on another day, visited anyway, waits for a manager, seen on
    another day. That repeats are too near is in test_repeats."""
    here = {
        *(Reason.TOO_FAR, Reason.NO_TIME_LEFT, Reason.OUTSIDE_HOURS, Reason.NO_REP_WITH_SKILL, Reason.NO_REP),
        *(Reason.DEADLINE_IMPOSSIBLE, Reason.APPOINTMENT_IMPOSSIBLE, Reason.UNREACHABLE, Reason.VISITED_ANYWAY),
        Reason.SPACING,
    }
    assert set(Reason) - here == {
        *(Reason.NOT_LOCATED, Reason.APPOINTMENT_ON_ANOTHER_DAY, Reason.WAITS_FOR_MANAGER, Reason.SEEN_ON_ANOTHER_DAY)
    }


# --- the fewest rules, and the cheapest repair ------------------------------------------------------------------------


def repair_of(entry: Unplanned) -> str:
    assert entry.repair
    return entry.repair.sentence


def test_a_full_day_could_end_later(town: Town) -> None:
    town.add(opportunity("short", visit_minutes=150, appointment=local("2026-11-30 09:05")), door())
    town.add(opportunity("long", visit_minutes=230, appointment=local("2026-11-30 12:30")), door())
    town.add(account(), door(10))
    entry = explained(town, "short", "long")["bakery"]
    assert entry.rules == ("other_visits", "work_end", "work_start")
    assert repair_of(entry) == "End Monday 15 min later (Anna): +20 min driving"
    assert entry.repair
    assert (entry.repair.kind, entry.repair.rep_id, entry.repair.day) == ("end_later", "anna", MONDAY)
    assert entry.repair.minutes == 35


def test_more_driving_than_it_is_worth_could_be_driven(town: Town) -> None:
    town.add(account(), door(40))
    entry = explained(town)["bakery"]
    assert entry.rules == ("worth",)
    assert repair_of(entry) == "Drive 80 min for it on Monday (Anna), though it is worth 49"


def test_whoever_has_room_elsewhere_could_make_way(town: Town) -> None:
    """The mill is as well visited on Tuesday; the time of the other was agreed, and then little of the day is left."""
    town.records = [rep(work_end=time(11, 30), break_minutes=0)]
    town.add(opportunity(), door(10))
    town.add(opportunity("agreed", appointment=local("2026-11-30 10:00")), door(20))
    entry = explained(town, "mill", days=2)["agreed"]
    assert entry.rules == ("appointment", "other_visits", "work_end", "work_start")
    assert repair_of(entry) == "Move Mill (mill) to Tuesday: +40 min driving"
    assert entry.repair
    assert entry.repair.visit_id == "opportunity:mill"


def test_one_visit_more_than_the_rep_may_make(town: Town) -> None:
    town.records = [rep(max_visits_per_day=1)]
    town.add(opportunity(), door(10))
    town.add(opportunity("other", value=20_000.0), door(10))
    entry = explained(town, "mill")["other"]
    assert entry.rules == ("max_visits",)
    assert repair_of(entry) == "Let Anna make 2 visits on Monday instead of 1: no more driving"


def test_hours_and_deadlines_have_their_own_words(town: Town) -> None:
    town.add(account(opening_hours="Mo-Fr 16:30-22:00"), door(10))
    entry = explained(town)["bakery"]
    assert entry.rules == ("opening_hours", "work_end")
    assert repair_of(entry) == "End Monday 10 min later (Anna): +20 min driving"
    town.records = [rep()]
    town.add(opportunity(first_action_days=1, availability="Th 10:00-16:00"), door(10))
    entry = explained(town, days=5)["mill"]
    assert entry.rules == ("deadline", "opening_hours")
    assert repair_of(entry) == "Allow the first visit after 2026-11-30, on Thursday (Anna): +20 min driving"


def test_another_rep_could_go_and_a_skill_could_be_learnt(empty_town: Town) -> None:
    empty_town.add(rep())
    empty_town.add(account(owner_rep_id="gone"), door(10))
    empty_town.add(opportunity(required_skills=frozenset(["welding"])), door(10))
    entries = explained(empty_town)
    assert (entries["bakery"].rules, repair_of(entries["bakery"])) == (
        ("owner",),
        "Let Anna go, on Monday: +20 min driving",
    )
    assert (entries["mill"].rules, repair_of(entries["mill"])) == (
        ("skills",),
        "Let Anna learn welding and go on Monday: +20 min driving",
    )


def test_what_was_never_possible_has_its_reason_as_its_rule(town: Town) -> None:
    town.add(opportunity(), door(ISLAND))
    entry = explained(town)["mill"]
    assert (entry.rules, entry.repair) == (("unreachable",), None)


def test_what_a_longer_search_would_plan_has_no_rule_against_it(town: Town) -> None:
    town.add(opportunity(), door(10))
    entry = explained(town)["mill"]
    assert entry.rules == ()
    assert repair_of(entry) == "There is room on Monday (Anna), a longer search would use it: +20 min driving"


def test_repairs_are_told_of_what_is_worth_most(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.why.MOST_REPAIRS", 1)
    town.add(account("worth less"), door(40))
    town.add(opportunity(), door(10))
    entries = explained(town)
    assert entries["mill"].repair
    assert (entries["worth less"].rules, entries["worth less"].repair) == (("worth",), None)


def test_a_stop_says_what_it_adds_and_where_else_it_could_be(town: Town) -> None:
    """Both at one door ten minutes away on Monday; on Tuesday nobody would be there."""
    town.records = [rep(break_minutes=0)]
    town.add(opportunity("one"), door(10))
    town.add(opportunity("two"), door(10))
    translation = town.translation(MONDAY, 2)
    problem = translation.problem
    route = schedule(problem, problem.shifts[0], problem.jobs)
    assert route
    here = Whys(translation, Solution((route,), ())).here()["opportunity:two"]
    assert here.added_s == 0
    assert here.alternative
    assert (here.alternative.day.day, here.alternative.after) == (MONDAY, None)
    document = town.plan(days=2, work=4)
    stops = [stop for day in document["rep_days"] for stop in day["stops"]]
    assert [stop["added_minutes"] for stop in stops] == [0, 0]
    assert all(stop["alternative"] is not None for stop in stops)
