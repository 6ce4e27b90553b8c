"""plan.json says what docs/plan-format.md promises, and a file that does not is refused by the name of its part."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from cast import Town, account, door, local, opportunity, rep, stops

from planner.candidates import Reason
from planner.errors import PlannerError
from planner.plan_document import (
    ListedEntry,
    Place,
    PlanDocument,
    PlanTotals,
    RepDay,
    Stop,
    Totals,
    UnplannedEntry,
    above_bound,
    read_plan,
    without_stops,
    write_plan,
)
from planner.why import RULE_CODES
from routing.reasons import RepairKind

FORMAT_PAGE = (Path(__file__).parents[2] / "docs" / "plan-format.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def document() -> PlanDocument:
    """A day with a promise, an opportunity and two companies at one door; and one company too far away."""
    town = Town()
    town.add(rep())
    town.add(opportunity("promised", appointment=local("2026-11-30 11:00")), door(10))
    town.add(opportunity(), door(12))
    town.add(account("bakery"), door(20))
    town.add(account("florist"), door(20))
    town.add(account("remote"), door(-30))
    return town.plan(days=1, work=8)


def day_of(document: PlanDocument) -> RepDay:
    return document["rep_days"][0]


def seconds_of(times: list[str]) -> list[int]:
    hours = [re.search(r"T(\d\d):(\d\d):(\d\d)", moment) for moment in times]
    return [int(h[1]) * 3600 + int(h[2]) * 60 + int(h[3]) for h in hours if h]


# ------------------------------------------------------------------------------------------------ what it says


@pytest.mark.parametrize("shape", [PlanDocument, RepDay, Stop, UnplannedEntry, ListedEntry, Totals, PlanTotals, Place])
def test_every_key_is_documented(shape: type) -> None:
    missing = [key for key in get_type_hints(shape) if f"`{key}`" not in FORMAT_PAGE]
    assert missing == []


def test_every_rule_and_every_repair_is_documented() -> None:
    assert [rule for rule in RULE_CODES if f"`{rule}`" not in FORMAT_PAGE] == []
    assert [kind for kind in RepairKind if f"`{kind}`" not in FORMAT_PAGE] == []


def test_every_reason_is_documented() -> None:
    assert [reason for reason in Reason if f"| `{reason}` |" not in FORMAT_PAGE] == []


def test_a_day_runs_from_home_to_home_without_a_gap(document: PlanDocument) -> None:
    """Drive, park, wait, meet, drive on: what the totals say is what there is between leaving and coming back."""
    day = day_of(document)
    depart, back = day["start"]["time"], day["end"]["time"]
    assert depart
    assert back
    assert day["break"]
    total = day["totals"]
    busy_s = total["drive_seconds"] + total["service_minutes"] * 60 + total["waiting_seconds"]
    parking_s = 60 * sum(stop["parking_minutes"] for stop in day["stops"])
    start_s, end_s = seconds_of([depart, back])
    assert end_s - start_s == busy_s + parking_s + 30 * 60


def test_times_of_a_stop_follow_each_other(document: PlanDocument) -> None:
    times = [moment for stop in day_of(document)["stops"] for moment in (stop["arrive"], stop["begin"], stop["leave"])]
    assert seconds_of(times) == sorted(seconds_of(times))


def test_stops_are_numbered_by_door(document: PlanDocument) -> None:
    numbers = [stop["stop"] for stop in day_of(document)["stops"]]
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2, 3}
    planned = stops(document)
    assert planned["bakery"]["stop"] == planned["florist"]["stop"]


def test_what_a_visit_is_worth_can_be_shown_to_a_person(document: PlanDocument) -> None:
    planned = stops(document)
    assert planned["mill"]["worth_minutes"] == 266
    assert planned["mill"]["worth_because"] == "240 for a handoff, 26 for an expected 5,000"
    assert planned["promised"]["worth_because"] is None
    [unplanned] = document["unplanned"]
    assert unplanned["reason"] == "too_far"
    assert unplanned["worth_because"] == (
        "40 for segment B, 9 for 921 between two visits, × 1.00 for the time since the last one"
    )


def test_totals_are_the_sums_of_the_days(document: PlanDocument) -> None:
    bound = ("bound_seconds", "bound_kind")
    assert {key: value for key, value in document["totals"].items() if key not in bound} == {
        "visits": 4,
        "promises": 1,
        "unplanned": 1,
        "drive_seconds": 2400,
        "drive_metres": 20_000,
        "cost_seconds": 2400 + 49 * 60,
    }


def test_a_plan_says_how_far_it_may_be_from_the_least_possible(document: PlanDocument) -> None:
    totals = document["totals"]
    bound_s = totals["bound_seconds"]
    assert totals["bound_kind"] == "Lagrangian"
    assert bound_s is not None
    assert 0 < bound_s <= totals["cost_seconds"]
    above = f"{totals['cost_seconds'] / bound_s - 1:.1%}".replace("%", " %")
    assert above_bound(document) == f"at most {above} above the least possible (Lagrangian bound)"


def test_the_order_of_a_short_day_is_proved_and_of_what_is_left_of_it_not_said(document: PlanDocument) -> None:
    day = day_of(document)
    assert day["order_proved"] is True
    assert "order_proved" not in without_stops(day, [day["stops"][0]["visit_id"]])
    assert "break_missed" not in without_stops(day | {"break_missed": {"start": "", "end": ""}}, [])


def test_a_plan_of_an_older_program_knows_neither_a_bound_nor_whether_an_order_is_proved(
    document: PlanDocument,
) -> None:
    older: Any = deepcopy(document)
    del older["totals"]["bound_seconds"], older["totals"]["bound_kind"]
    for day in older["rep_days"]:
        del day["order_proved"]
    assert above_bound(read_plan(json.dumps(older))) == ""


def test_the_same_bytes_are_read_and_written(document: PlanDocument) -> None:
    assert write_plan(read_plan(write_plan(document))) == write_plan(document)


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "is not JSON"),
        ('{"n": ' + "9" * 5_000 + "}", "is not JSON"),
        ("[]", "is not a fieldvisit-plan/1 document"),
        ("null", "is not a fieldvisit-plan/1 document"),
        ("NaN", "is not a fieldvisit-plan/1 document"),
        ('{"format": "fieldvisit-plan/2"}', "is not a fieldvisit-plan/1 document"),
        ('{"format": ["fieldvisit-plan/1"]}', "is not a fieldvisit-plan/1 document"),
        ('{"format": "fieldvisit-plan/1"}', "plan: area is missing"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlannerError) as error:
        read_plan(text, "plan.json")
    assert str(error.value).startswith("plan.json: ")
    assert message in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("rep_days",), {}, "plan.rep_days is {}"),
        (("rep_days",), None, "plan.rep_days is None"),
        (("rep_days", 0), [], "plan.rep_days 1 is []"),
        (("rep_days", 0), 7, "plan.rep_days 1 is 7"),
        (("rep_days", 0, "break"), {"start": "2026-11-30T12:00:00+00:00"}, "plan.rep_days 1.break: end is missing"),
        (("rep_days", 0, "break"), 5, "plan.rep_days 1.break is 5"),
        (("rep_days", 0, "start"), None, "plan.rep_days 1.start is None"),
        (("rep_days", 0, "start", "time"), 9, "plan.rep_days 1.start.time is 9"),
        (("rep_days", 0, "stops", 0), "mill", "plan.rep_days 1.stops 1 is 'mill'"),
        (("rep_days", 0, "stops", 0, "lat"), float("nan"), "stops 1.lat is nan"),
        (("rep_days", 0, "stops", 0, "lon"), float("inf"), "stops 1.lon is inf"),
        (("rep_days", 0, "stops", 0, "lat"), True, "stops 1.lat is True"),
        (("rep_days", 0, "stops", 0, "drive_seconds"), 1.5, "stops 1.drive_seconds is 1.5"),
        (("rep_days", 0, "stops", 0, "drive_seconds"), 10**40, "stops 1.drive_seconds is 1000"),
        (("rep_days", 0, "stops", 0, "drive_seconds"), True, "stops 1.drive_seconds is True"),
        (("rep_days", 0, "stops", 0, "late"), 0, "stops 1.late is 0"),
        (("rep_days", 0, "stops", 0, "record_ids"), "mill", "stops 1.record_ids is 'mill'"),
        (("rep_days", 0, "stops", 0, "record_ids"), [{}], "stops 1.record_ids 1 is {}"),
        (("rep_days", 0, "stops", 0, "name"), "\ud800", "stops 1.name is '\\ud800'"),
        (("rep_days", 0, "totals", "visits"), "4", "totals.visits is '4'"),
        (("unplanned",), "none", "plan.unplanned is 'none'"),
        (("unplanned", 0, "record_ids"), None, "plan.unplanned 1.record_ids is None"),
        (("returned_to_inside",), [{"record_id": "mill"}], "plan.returned_to_inside 1: name is missing"),
        (("notes",), [3], "plan.notes 1 is 3"),
        (("totals",), {}, "plan.totals: visits is missing"),
        (("limits", "seed"), None, "plan.limits.seed is None"),
    ],
)
def test_a_part_that_is_not_what_it_should_be_is_named(
    document: PlanDocument, path: tuple[Any, ...], value: object, named: str
) -> None:
    damaged: Any = deepcopy(document)
    table = damaged
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(PlannerError) as error:
        read_plan(json.dumps(damaged), "plan.json")
    assert named in str(error.value)


ADDED = {"added_minutes", "alternative", "rules", "repair", "bound_seconds", "bound_kind", "order_proved"}
"""Keys that plans of older programs have not."""


def test_each_key_is_needed(document: PlanDocument) -> None:
    def without(table: dict[str, Any]) -> None:
        for key in [key for key in table if key not in ADDED]:
            value = table.pop(key)
            with pytest.raises(PlannerError, match=f"{key} is missing|is not a fieldvisit-plan/1 document"):
                read_plan(json.dumps(damaged))
            table[key] = value

    damaged: Any = deepcopy(document)
    day = damaged["rep_days"][0]
    for table in (damaged, day, day["start"], day["stops"][0], day["totals"], damaged["unplanned"][0]):
        without(table)
    assert read_plan(json.dumps(damaged)) == document


def test_a_plan_of_an_older_program_that_says_less_is_read(document: PlanDocument) -> None:
    older: Any = deepcopy(document)
    for entry in [older["rep_days"][0]["stops"][0], older["unplanned"][0]]:
        for key in ADDED & entry.keys():
            del entry[key]
    assert read_plan(json.dumps(older)) == older


def test_keys_that_a_later_version_adds_do_no_harm(document: PlanDocument) -> None:
    newer: Any = deepcopy(document)
    newer["weather"] = {"monday": "rain"}
    assert read_plan(json.dumps(newer)) == newer
