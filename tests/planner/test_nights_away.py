"""Nights at hotels: which may be chosen, what a plan says of them, and that both its days hold to them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cast import FRIDAY, MONDAY, SETTINGS, TUESDAY, WEDNESDAY, Town, door, opportunity, promise, rep
from nights_cast import ANNA, BEAR, TWO_DAYS, away, plan_away, valley

from planner.domain import Rep
from planner.errors import InvalidRecordError
from planner.hotels.domain import Hotel, Night, Nights
from planner.plan_document import PlanDocument, read_plan, write_plan
from planner.planning import make_plan
from planner.searching import Earlier, beginning
from planner.settings import OvernightSettings
from routing.checks import violations
from routing.problem import Problem
from routing.solver import DEFAULT_ENGINE, Engine, SearchLimits

NIGHT = Night.of(BEAR, 120)


def problem_of(town: Town, days: int = 2) -> Problem:
    return town.translation(MONDAY, days).problem


def with_rep(town: Town, changed: Rep) -> Town:
    town.records = [changed if record.id == changed.id else record for record in town.records]
    return town


@pytest.fixture
def planned() -> tuple[Town, PlanDocument]:
    town = valley()
    return town, plan_away(town.snapshot(), town.source, town.settings, TWO_DAYS)


# ---- what may be chosen


def test_who_stays_overnight_may_sleep_at_a_hotel_between_two_working_days() -> None:
    problem = problem_of(valley(), 5)
    assert [shift.next_shift for shift in problem.shifts] == [
        *(f"anna@{MONDAY + timedelta(days=n)}" for n in (1, 2, 3, 4)),
        None,
    ]
    [lodging] = problem.lodgings
    assert (lodging.id, lodging.cost_s, lodging.vehicles) == ("bear", 120 * 60, frozenset({"anna"}))


def test_nobody_sleeps_away_who_does_not_say_so() -> None:
    problem = problem_of(with_rep(valley(), rep(overnight=False)), 5)
    assert problem.lodgings == ()
    assert {shift.next_shift for shift in problem.shifts} == {None}


def test_weekends_are_spent_at_home() -> None:
    problem = valley().translation(FRIDAY, 2).problem
    assert {shift.next_shift for shift in problem.shifts} == {None}


def test_a_night_costs_what_its_hotel_says_or_else_the_settings() -> None:
    assert problem_of(valley(replace(BEAR, minutes=45))).lodgings[0].cost_s == 45 * 60
    town = valley()
    town.settings = replace(SETTINGS, overnight=OvernightSettings(price_minutes=200))
    assert problem_of(town).lodgings[0].cost_s == 200 * 60


def test_a_hotel_so_near_that_driving_home_never_costs_its_price_is_not_looked_at() -> None:
    """A night saves at most the way home and out again, which is five hours."""
    assert problem_of(valley(replace(BEAR, minutes=299))).lodgings
    assert not problem_of(valley(replace(BEAR, minutes=300))).lodgings


def test_only_hotels_that_are_nearest_to_some_visit_are_looked_at() -> None:
    town = valley()
    for name, place in (("desert", door(0, 500)), ("next door", door(120)), ("island", door(1500))):
        town.hotels.append(replace(BEAR, id=name, name=name, lat=place.lat, lon=place.lon))
    assert [lodging.id for lodging in problem_of(town).lodgings] == ["bear"]


def test_hotels_beyond_the_customers_of_a_rep_are_none_for_them() -> None:
    town = valley()
    town.add(rep("ben", overnight=True))
    assert problem_of(town).lodgings[0].vehicles == frozenset({"anna"})


# ---- what the search makes of it


def two_far_customers(minutes: int) -> Town:
    """Each takes a day from home, of four hours' driving and more; a night at the Bear saves 200 minutes of it."""
    town = Town()
    town.add(ANNA, door())
    for name, east in (("abbey", 130), ("barn", 120)):
        town.add(opportunity(name, visit_minutes=140, value=200_000.0), door(east))
    town.hotels.append(replace(BEAR, minutes=minutes))
    return town


@pytest.mark.skipif(DEFAULT_ENGINE is not Engine.RUIN_RECREATE, reason="OR-Tools alone drives home every night")
def test_a_rep_stays_overnight_where_driving_home_costs_more_than_the_night() -> None:
    town = two_far_customers(minutes=190)
    plan = town.plan(MONDAY, 3)
    nights = [day["end"]["hotel"]["name"] for day in plan["rep_days"] if "hotel" in day["end"]]
    assert (nights, plan["totals"]["visits"]) == (["The Bear"], 2)
    assert plan["totals"]["cost_seconds"] == plan["totals"]["drive_seconds"] + 190 * 60
    assert town.broken(plan) == []


def test_a_rep_drives_home_where_that_costs_less_than_the_night() -> None:
    town = two_far_customers(minutes=210)
    assert town.translation(MONDAY, 3).problem.lodgings
    plan = town.plan(MONDAY, 3)
    assert all("hotel" not in day["end"] for day in plan["rep_days"])
    assert plan["totals"]["visits"] == 2


def test_or_tools_alone_drives_home_every_night() -> None:
    town = two_far_customers(minutes=10)
    limits = SearchLimits(work=2, seed=1, engine=Engine.ORTOOLS)
    plan = make_plan(town.snapshot(), "town", town.source, MONDAY, 3, limits, town.settings)
    assert all("hotel" not in day["end"] for day in plan["rep_days"])
    assert town.broken(plan) == []


def begun_with(days: dict[str, tuple[str, ...]], nights: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    """Where the days of a search start and end that begins with an earlier plan."""
    problem = problem_of(valley())
    visits = {day: tuple(f"account:{id_}" for id_ in ids) for day, ids in days.items()}
    solution = beginning(problem, None, Earlier(1, visits, nights))
    assert solution is not None
    left = {job.id for job in problem.jobs} - {id_ for route in solution.routes for id_ in route.jobs}
    assert violations(problem, replace(solution, unassigned=tuple(left))) == []
    return [(route.shift, route.lodging_before, route.lodging_after) for route in solution.routes]


def test_a_search_begins_with_the_nights_of_the_plan_before() -> None:
    monday, tuesday = TWO_DAYS
    assert begun_with(TWO_DAYS, {monday: "bear"}) == [(monday, None, "bear"), (tuesday, "bear", None)]


def test_of_a_night_with_nothing_after_it_the_search_begins_from_home() -> None:
    monday, _ = TWO_DAYS
    assert begun_with({monday: ("abbey",)}, {monday: "bear"}) == [(monday, None, None)]
    assert begun_with({monday: ("abbey",)}, {monday: "closed since", "ghost@2026-12-01": "bear"}) == [
        (monday, None, None)
    ]


# ---- what the plan says


def test_both_days_of_a_night_away_say_where_it_is_spent(planned: tuple[Town, PlanDocument]) -> None:
    town, plan = planned
    monday, tuesday = plan["rep_days"]
    there = {"address": "3 Mill Lane, Farvalley", "lat": BEAR.lat, "lon": BEAR.lon}
    hotel = {"id": "bear", "name": "The Bear", "minutes": 120}
    assert monday["end"] == {**there, "time": monday["end"]["time"], "hotel": hotel}
    assert tuesday["start"] == {**there, "time": tuesday["start"]["time"], "hotel": hotel}
    assert "hotel" not in monday["start"]
    assert "hotel" not in tuesday["end"]
    assert monday["return_drive_seconds"] == 2 * 60
    assert tuesday["stops"][0]["drive_seconds"] == 4 * 60
    assert plan["totals"]["drive_seconds"] == (152 + 2 + 4 + 1 + 153) * 60
    assert plan["totals"]["cost_seconds"] == plan["totals"]["drive_seconds"] + 120 * 60
    assert town.broken(plan) == []
    assert read_plan(write_plan(plan)) == plan


def test_a_solution_with_a_night_away_keeps_every_rule() -> None:
    translation = valley().translation(MONDAY, 2)
    assert violations(translation.problem, away(translation, TWO_DAYS)) == []


def test_a_plan_made_before_there_were_hotels_reads_as_it_did() -> None:
    town = with_rep(valley(), rep())
    old = town.plan(MONDAY, 2)
    assert '"hotel"' not in write_plan(old)
    assert read_plan(write_plan(old)) == old
    assert town.broken(old) == []


Change = Callable[[Any, Town], object]


def no_day(plan: Any, town: Town) -> None:
    plan["rep_days"] = plan["rep_days"][:1]


def swap_rep(plan: Any, town: Town) -> None:
    with_rep(town, replace(ANNA, overnight=False))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan, town: plan["rep_days"][1]["start"].pop("hotel"), "does not start 2026-12-01 where the night is"),
        (lambda plan, town: plan["rep_days"][0]["end"].pop("hotel"), "does not start 2026-12-01 where the night is"),
        (lambda plan, town: plan["rep_days"][0]["end"].update(lat=0.01), "no hotel of the list"),
        (lambda plan, town: town.hotels.clear(), "sleeps at The Bear, which is no hotel of the list"),
        (swap_rep, "does not stay overnight"),
        (no_day, "does not work on the next day"),
        (
            lambda plan, town: plan["rep_days"][0]["start"].update(plan["rep_days"][0]["end"]),
            "starts at The Bear, where",
        ),
    ],
)
def test_a_night_that_does_not_match_is_caught(planned: tuple[Town, PlanDocument], change: Change, said: str) -> None:
    town, plan = planned
    plan = deepcopy(plan)
    change(plan, town)
    broken = town.broken(plan)
    assert any(said in sentence for sentence in broken), broken


# ---- nights that are settled


def test_a_plan_begins_where_the_night_before_its_first_day_is_spent() -> None:
    town = valley()
    town.nights = Nights({("anna", MONDAY): NIGHT})
    [tuesday] = town.translation(TUESDAY, 1).problem.shifts
    places = town.translation(TUESDAY, 1).places
    assert (places[tuesday.start_place], places[tuesday.end_place]) == (BEAR.place, door(0))
    plan = town.plan(TUESDAY, 1)
    assert plan["rep_days"][0]["start"]["hotel"]["name"] == "The Bear"
    assert town.broken(plan) == []


def test_a_day_that_has_begun_keeps_its_night() -> None:
    town = valley()
    town.nights = Nights({("anna", MONDAY): NIGHT}, frozenset({("anna", MONDAY)}))
    monday, tuesday, wednesday = town.translation(MONDAY, 3).problem.shifts
    assert (monday.next_shift, tuesday.next_shift) == (None, wednesday.id)
    assert monday.end_place == tuesday.start_place != monday.start_place


def test_a_day_that_has_begun_towards_home_ends_there() -> None:
    town = valley()
    town.nights = Nights({}, frozenset({("anna", MONDAY)}))
    monday, _ = problem_of(town).shifts
    assert (monday.next_shift, monday.end_place) == (None, monday.start_place)


@pytest.mark.parametrize("day", [MONDAY, TUESDAY])
def test_a_night_stays_where_a_promise_counts_on_it(day: Any) -> None:
    town = valley()
    town.nights = Nights({("anna", MONDAY): NIGHT})
    town.promises.append(promise(day=day, place=door(155)))
    monday, tuesday, wednesday = town.translation(MONDAY, 3).problem.shifts
    assert monday.end_place == tuesday.start_place != monday.start_place
    assert (monday.next_shift, tuesday.next_shift) == (None, wednesday.id)


def test_a_night_that_nobody_counts_on_is_chosen_anew() -> None:
    town = valley()
    town.nights = Nights({("anna", MONDAY): NIGHT})
    town.promises.append(promise(day=WEDNESDAY, place=door(155)))
    monday, tuesday, _ = town.translation(MONDAY, 3).problem.shifts
    assert monday.next_shift == tuesday.id
    assert monday.end_place == tuesday.start_place == monday.start_place


def test_a_promise_that_needs_the_night_is_kept_by_the_next_plan() -> None:
    """At half past nine two and a half hours from home."""
    town = valley()
    town.add(opportunity(), door(155))
    town.promises.append(promise(place=door(155), window=("09:00", "10:00")))
    town.nights = Nights({("anna", MONDAY): NIGHT})
    plan = town.plan(MONDAY, 2)
    assert town.broken(plan) == []
    assert plan["rep_days"][1]["stops"][0]["visit_id"] == "opportunity:mill"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "x" * 201), ("name", "a\0b"), ("lat", 91.0), ("lat", float("nan")), ("minutes", -1)],
)
def test_a_hotel_refuses_nonsense(field: str, value: Any) -> None:
    with pytest.raises(InvalidRecordError, match=field):
        Hotel(**{**{name: getattr(BEAR, name) for name in BEAR.__dataclass_fields__}, field: value})
