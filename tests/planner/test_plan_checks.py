"""A finished plan is checked against the records as an outsider would: each broken rule is caught and said."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from cast import MONDAY, SETTINGS, Town, account, door, local, opportunity, rep, stops

from planner.domain import Address
from planner.plan_document import PlanDocument, read_plan, write_plan
from planner.settings import CandidateSettings

Plan = Any
"""A plan.json to damage: its keys are checked by nothing but the rules under test."""


STOPS = {"promised", "mill", "bakery", "florist"}


@pytest.fixture(scope="module")
def planned() -> tuple[Town, PlanDocument]:
    """A day of Anna's: a promise at ten, an opportunity, a customer due next door, one riding along. Ben has none."""
    town = Town()
    town.add(rep(max_visits_per_day=4, skills=frozenset(["wine"])))
    town.add(rep("ben", work_days=frozenset([0])))
    town.add(opportunity("promised", appointment=local("2026-11-30 10:00"), need="no"), door(10))
    town.add(account("inn"), door(20))
    mill = opportunity(account_id="inn", availability="Mo 14:00-16:00", required_skills=frozenset(["wine"]))
    town.add(mill, door(20))
    town.add(account("bakery", opening_hours="Mo-Fr 11:00-12:00"), door(20))
    town.add(account("florist", last_visit=MONDAY - timedelta(days=21)), door(22))
    town.add(account("lost"), lost=True)
    town.add(account("dormant", last_order=date(2020, 1, 1)))
    town.add(account("fresh", last_visit=MONDAY), door(20))
    town.add(opportunity("sent back", need="no"), door(5))
    document = town.plan(days=1, work=10)
    assert stops(document).keys() == STOPS
    return town, document


def anna(plan: Plan) -> Plan:
    return plan["rep_days"][0]


def stop(plan: Plan, record_id: str) -> Plan:
    return next(s for s in anna(plan)["stops"] if s["record_ids"][0] == record_id)


def later(moment: str, minutes: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(minutes=minutes)).isoformat()


def move(record_id: str, minutes: float) -> Callable[[Plan], None]:
    """The whole visit at another time, with its arrival."""

    def damage(plan: Plan) -> None:
        for key in ("arrive", "begin", "leave"):
            stop(plan, record_id)[key] = later(stop(plan, record_id)[key], minutes)

    return damage


def put(value: object, *path: object) -> Callable[[Plan], None]:
    """Another value at a path into Anna's day; a record's id stands for its stop."""

    def damage(plan: Plan) -> None:
        table: Any = anna(plan)
        for key in path[:-1]:
            table = stop(plan, key) if key in STOPS else table[key]
        table[path[-1]] = value

    return damage


def leaves_out(record_id: str) -> Callable[[Plan], None]:
    return lambda plan: anna(plan)["stops"].remove(stop(plan, record_id))


def repeats(record_id: str) -> Callable[[Plan], None]:
    return lambda plan: anna(plan)["stops"].append(deepcopy(stop(plan, record_id)))


def changes(record_id: str, **values: object) -> Callable[[Plan], None]:
    return lambda plan: stop(plan, record_id).update(values)


def parks_in_no_time(plan: Plan) -> None:
    stop(plan, "promised")["arrive"] = stop(plan, "promised")["begin"]


def is_home_at_once(plan: Plan) -> None:
    anna(plan)["end"]["time"] = anna(plan)["stops"][-1]["leave"]


def hurries(plan: Plan) -> None:
    stop(plan, "mill")["leave"] = later(stop(plan, "mill")["leave"], -1)


def lunches_at_the_florists(plan: Plan) -> None:
    noon = "2026-11-30T12:{}:00+00:00"
    changes("florist", arrive=noon.format(10), begin=noon.format(15), leave=noon.format(45))(plan)
    anna(plan)["break"] = {"start": noon.format(20), "end": noon.format(50)}


def lists_a_planned_one(plan: Plan) -> None:
    plan["returned_to_inside"].append({"record_id": "mill", "name": "Mill", "sentence": ""})


DAMAGES: list[tuple[str, Callable[[Plan], object]]] = [
    # The day
    ("there is no such rep", put("ghost", "rep_id")),
    ("does not work on this weekday", put("2026-12-05", "date")),
    ("is not one of the plan's days", put("2026-12-01", "date")),
    ("departs at", put("2026-11-30T08:30:00+00:00", "start", "time")),
    ("after work ends", put("2026-11-30T17:01:00+00:00", "end", "time")),
    ("5 visits, at most 4", repeats("florist")),
    ("has 2 entries", lambda plan: plan["rep_days"].append(deepcopy(anna(plan)))),
    # The road
    ("does not start and end at the rep's home", put(0.001, "start", "lat")),
    ("does not start and end at the rep's home", put(0.001, "end", "lon")),
    ("the leg takes", put(1, "bakery", "drive_seconds")),
    ("the leg takes", put(1, "bakery", "drive_metres")),
    ("arrives sooner than the drive", put("2026-11-30T09:45:01+00:00", "start", "time")),
    ("cannot be reached", put(2.0, "mill", "lon")),
    ("begins before the car is parked", parks_in_no_time),
    ("is home sooner than the drive allows", is_home_at_once),
    ("the drive home takes", put(1, "return_drive_seconds")),
    ("the drive home takes", put(1, "return_drive_metres")),
    # The break
    ("no break", put(None, "break")),
    ("is not 0:30:00 within", put({"start": "2026-11-30T12:10:00+00:00", "end": "2026-11-30T12:20:00+00:00"}, "break")),
    ("is not 0:30:00 within", put({"start": "2026-11-30T16:30:00+00:00", "end": "2026-11-30T17:00:00+00:00"}, "break")),
    ("the break overlaps", lunches_at_the_florists),
    # The visit
    ("promised for 2026-11-30 10:00", move("promised", 15)),
    ("is not open for the whole visit", move("bakery", 60)),
    ("is not available for the whole visit", move("mill", 120)),
    ("lasts", hurries),
    ("lasts", changes("mill", leave="9999-12-31T23:00:00+00:00")),
    ("is somewhere else", put(0.019, "mill", "lon")),
    ("there is no such record", put("account:ghost", "bakery", "visit_id")),
    ("there is no such record", put("rumour:bakery", "bakery", "visit_id")),
    ("is for bakery, not for bakery, inn", put(["bakery", "inn"], "bakery", "record_ids")),
    ("is for mill, not for mill, bakery", put(["mill", "bakery"], "mill", "record_ids")),
    ("is an appointment, not opportunity", put("opportunity", "promised", "kind")),
    ("is an opportunity, not appointment", put("appointment", "mill", "kind")),
    ("is due, not nearby", put("nearby", "bakery", "kind")),
    ("is nearby, not due", put("due", "florist", "kind")),
    ("rides along with no opportunity", put([], "florist", "rides_with")),
    ("of which no place is known", put(["ghost"], "florist", "rides_with")),
    ("rides along with promised, which is 720 s away", put(["promised"], "florist", "rides_with")),
    ("marked as if it were", put(True, "mill", "late")),
    ("is dormant", changes("bakery", visit_id="account:dormant", record_ids=["dormant"])),
    ("too early for another visit", changes("florist", visit_id="account:fresh")),
    ("has not passed the handoff gate", changes("mill", visit_id="opportunity:sent back")),
    ("is not located", changes("bakery", visit_id="account:lost")),
    ("cannot be read", put("half past ten", "mill", "begin")),
    ("has no offset", put("2026-11-30T10:00:00", "promised", "begin")),
    ("a time is missing", put(None, "start", "time")),
    ("latitude", put(91.0, "mill", "lat")),
    ("cannot be read", put(10**12, "mill", "drive_seconds")),
    ("cannot be read", put("yesterday", "date")),
    # The whole
    ("opportunity:mill is planned 2 times", repeats("mill")),
    ("account inn is visited 2 times", changes("bakery", visit_id="account:inn")),
    ("opportunity:mill is nowhere in the plan", leaves_out("mill")),
    ("account:bakery is nowhere in the plan", leaves_out("bakery")),
    ("opportunity:sent back is nowhere in the plan", lambda p: p["returned_to_inside"].clear()),
    ("account:lost is nowhere in the plan", lambda p: p["unplanned"].clear()),
    ("account:dormant is nowhere in the plan", lambda p: p["dormant"].clear()),
    ("opportunity:mill is planned, and listed", lists_a_planned_one),
    ("the totals do not add up", put(7, "totals", "drive_metres")),
    ("the total of promises is 1, not 2", lambda p: p["totals"].update(promises=2)),
    ("the total of unplanned is 1, not 0", lambda p: p["totals"].update(unplanned=0)),
    ("the horizon cannot be read", lambda p: p.update(first_day="soon")),
]


def test_a_plan_that_keeps_every_rule_passes(planned: tuple[Town, PlanDocument]) -> None:
    town, document = planned
    assert town.broken(document) == []
    assert town.broken(read_plan(write_plan(document))) == []


@pytest.mark.parametrize(
    ("sentence", "damage"), [pytest.param(*case, id=f"{n} {case[0]}") for n, case in enumerate(DAMAGES)]
)
def test_each_damage_to_a_plan_is_caught_and_said(
    planned: tuple[Town, PlanDocument], sentence: str, damage: Callable[[Plan], object]
) -> None:
    town, document = planned
    plan = deepcopy(document)
    damage(plan)
    broken = town.broken(plan)
    assert any(sentence in said for said in broken), broken


def swap(record_id: str, **changes: Any) -> Callable[[Town], None]:
    def edit(town: Town) -> None:
        town.records = [replace(r, **changes) if r.id == record_id else r for r in town.records]

    return edit


def set_(**changes: Any) -> Callable[[Town], None]:
    def edit(town: Town) -> None:
        town.settings = replace(SETTINGS, candidates=CandidateSettings(**changes))

    return edit


CHANGES: list[tuple[str, Callable[[Town], object]]] = [
    ("the rep lacks wine", swap("anna", skills=frozenset())),
    ("before work starts", swap("anna", work_start=time(12))),
    ("is back at", swap("anna", work_end=time(14, 30))),
    ("4 visits, at most 3", swap("anna", max_visits_per_day=3)),
    ("bakery is looked after by ben", swap("bakery", owner_rep_id="ben")),
    ("inn is looked after by ben", swap("inn", owner_rep_id="ben")),
    ("is not open for the whole visit: We", swap("inn", opening_hours="We 09:00-17:00")),
    ("lasts 1:00:00, not 90 minutes", swap("inn", visit_minutes=90)),
    ("is not located", swap("bakery", address=Address("9 New Street"))),
    ("is late, but marked as if it were not", swap("mill", first_action_days=0)),
    ("has not passed the handoff gate", swap("mill", need="no")),
    ("opportunity:new is nowhere in the plan", lambda town: town.add(opportunity("new"), door(1))),
    ("begins before the car is parked", set_(parking_minutes=6)),
    ("rides along with mill, which is 120 s away", set_(nearby_minutes=1.0)),
]


@pytest.mark.parametrize(("sentence", "edit"), CHANGES, ids=[case[0] for case in CHANGES])
def test_a_plan_that_the_records_have_outgrown_is_caught(
    planned: tuple[Town, PlanDocument], sentence: str, edit: Callable[[Town], object]
) -> None:
    town, document = planned
    now = Town(list(town.records), list(town.locations), town.settings, town.source)
    edit(now)
    broken = now.broken(document)
    assert any(sentence in said for said in broken), broken


def test_a_visit_after_its_deadline_is_caught(town: Town) -> None:
    town.add(opportunity(availability="Tu 10:00-16:00"), door(10))
    document = town.plan()
    swap("mill", first_action_days=1)(town)
    assert town.broken(document) == ["anna on 2026-12-01: opportunity:mill: the first visit was due by 2026-11-30"]


def test_a_lost_opportunity_is_not_hidden_by_an_account_of_the_same_id(town: Town) -> None:
    town.add(account("17"), door(10))
    document = town.plan()
    town.add(opportunity("17"), door(10))
    assert town.broken(document) == ["opportunity:17 is nowhere in the plan"]
