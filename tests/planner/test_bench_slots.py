"""The benchmark of slots: its made-up days are possible, and what it counts as false or missed is."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cast import Office

from planner.benchmarking.brute_force import fits, possible
from planner.benchmarking.scenario import Scenario, make_scenario
from planner.benchmarking.slots import measure
from planner.settings import Settings, TrafficSettings
from routing.geo import LatLon
from routing.insertion import Itinerary
from routing.problem import UNREACHABLE, Break, Job, Shift, TimeWindow
from routing.speeds import Slowdown
from routing.travel_times import FanTimes, GreatCircleTravelTimes

SETTINGS = Settings(home=Path("nowhere"), database_url="")
DOORS = [LatLon(51.5 + 0.001 * i, -3 + 0.001 * j) for i in range(15) for j in range(15)]


def team(reps: int = 2, days: int = 2, seed: int = 1) -> Scenario:
    return make_scenario(GreatCircleTravelTimes(), DOORS, reps, days, seed, SETTINGS)


def test_the_same_seed_gives_the_same_days_and_another_seed_others() -> None:
    assert team() == team()
    assert team() != team(seed=2)


def test_days_are_full_and_some_visits_are_promised_and_share_doors() -> None:
    scenario = team(4, 5)
    assert len(scenario.days) == 20
    assert 7 <= scenario.visits / 20 <= 11
    assert 0 < scenario.promises < scenario.visits / 2
    stops = [day.document["stops"] for day in scenario.days]
    assert any(a["stop"] == b["stop"] for day in stops for a, b in pairwise(day))


def test_a_team_of_a_few_is_the_first_of_the_many() -> None:
    few = team(4).of(2)
    assert few.reps == team(4).reps[:2]
    assert {day.working_day.rep.id for day in few.days} == {rep.id for rep in few.reps}


def test_where_driving_takes_longer_at_some_hours_no_offer_is_false_and_none_is_missing() -> None:
    """The days are such as can be kept at the worst of them."""
    streets, doors = GreatCircleTravelTimes(kmh=30), [LatLon(51.5 + 0.008 * i, -3 + 0.01 * i) for i in range(15)]
    factors = {"main_roads": 1.6}
    busy = TrafficSettings("07:00-09:30", "16:00-18:30", morning_factors=factors, evening_factors={"main_roads": 1.3})
    scenario = make_scenario(streets.slowed(Slowdown(main_roads=1.6)), doors, 2, 2, 1, SETTINGS)
    figures = measure(scenario, streets, 4, 4, replace(SETTINGS, traffic=busy))
    assert figures.offers_compared > 10
    assert figures.windows_compared > 50
    assert figures.false_offers == figures.missed_offers == 0


HOUR = 3600
SHIFT = Shift("anna@today", "anna", 0, 0, 9 * HOUR, 17 * HOUR, Break(HOUR, 12 * HOUR, 14 * HOUR))
MORNING = Job("morning", 1, HOUR, (TimeWindow(9 * HOUR, 10 * HOUR),))
DAY = Itinerary(SHIFT, (MORNING,), (HOUR, HOUR), (1, 1))
WHENEVER = TimeWindow(0, 24 * HOUR)


def away(seconds: int) -> FanTimes:
    """A place as far from the start as from the first job."""
    return FanTimes(*(np.full(2, seconds, dtype=np.int32) for _ in range(4)))


def new(service_s: int, window: TimeWindow = WHENEVER, **more: Any) -> Job:
    return Job("new", 2, service_s, (window,), **more)


def between(start: float, end: float) -> TimeWindow:
    return TimeWindow(round(start * HOUR), round(end * HOUR))


@pytest.mark.parametrize(
    ("job", "window", "fit"),
    [
        (new(HOUR), between(11.5, 12), True),  # back at twelve, then the break
        (new(HOUR), between(9, 10), False),  # before the morning's visit, which would begin too late
        (new(HOUR), between(12.1, 12.9), False),  # too late for the break after it, too early for the one before it
        (new(HOUR), between(12.1, 13), True),  # the break at the door
        (new(HOUR), between(16, 17), False),  # home too late
        (new(5 * HOUR), WHENEVER, False),  # no room for the break in its hours
        (new(HOUR, between(13, 14)), between(12, 12.5), False),
        (new(HOUR, skills=frozenset({"crane"})), WHENEVER, False),
    ],
)
def test_brute_force_finds_what_a_person_would(job: Job, window: TimeWindow, fit: bool) -> None:
    assert fits(DAY, job, away(1800), window) is fit


def test_brute_force_goes_nowhere_without_a_way() -> None:
    assert not fits(DAY, new(HOUR), away(UNREACHABLE), WHENEVER)
    assert possible(DAY)
    assert not possible(replace(DAY, drive_s=(HOUR, UNREACHABLE)))
    assert not possible(replace(DAY, drive_s=(2 * HOUR, HOUR)))


def test_a_small_team_gets_no_false_offer_and_misses_none(open_office: Office) -> None:
    words = ("bench", "slots", "--reps", 2, "--days", 2, "--queries", 8, "--sample", 8)
    figures = json.loads(open_office.type(*words, "--json"))
    assert figures["rep_days"] == 4
    assert figures["offers"] > 0
    assert figures["offers_compared"] == figures["offers"] <= figures["offers_checked"]
    assert figures["windows_compared"] > 0
    assert (figures["false_offers"], figures["missed_offers"]) == (0, 0)
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert figures["insertions_tried"] > figures["offers"]


def test_a_benchmark_leaves_the_records_alone(open_office: Office) -> None:
    assert "reps" in open_office.type("bench", "slots", "--reps", 1, "--days", 1, "--queries", 1, "--sample", 0)
    assert open_office.type("plans") == ""


@pytest.fixture
def open_office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.open()
    return office
