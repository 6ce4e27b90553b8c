"""The best order of a day is the best of all orders, and is called so only where that is proved."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import World, jobs, shifts, worlds

from routing import sequencing
from routing.native import COMPILED
from routing.problem import Break, Job, Lodging, Problem, Shift, TimeWindow
from routing.sequencing import MOST_PROVED, best_sequence, sequenced
from routing.solution import Solution
from routing.timing import Timeline, schedule
from routing.traffic import Change

PLACES = 4
Day = tuple[World, Shift, tuple[Job, ...]]
ALL_DAY = (TimeWindow(0, 40_000),)


@st.composite
def days(draw: st.DrawFn, least: int, most: int) -> Day:
    world = draw(worlds(PLACES))
    visits = tuple(draw(jobs(PLACES, f"visit{k}")) for k in range(draw(st.integers(least, most))))
    return world, draw(shifts(PLACES)), visits


def compare_with_all_orders(day: Day) -> bool:
    world, shift, visits = day
    problem = Problem(visits, (shift,), world.seconds, world.seconds)
    timelines = [line for order in permutations(visits) if (line := Timeline.of(problem, shift, order)).feasible]
    found = best_sequence(problem, shift, visits)
    assert (found is not None) == bool(timelines)
    if found is not None:
        assert found.proved
        assert sorted(job.id for job in found.jobs) == sorted(job.id for job in visits)
        timeline = Timeline.of(problem, shift, found.jobs)
        assert timeline.feasible
        assert timeline.drive_s == found.drive_s == min(each.drive_s for each in timelines)
    return found is not None


def test_the_best_order_is_the_best_of_all_orders_with_breaks_and_several_windows() -> None:
    seen: set[bool] = set()

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(1, 5))
    def compare(day: Day) -> None:
        seen.add(compare_with_all_orders(day))

    compare()
    assert seen == {True, False}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(6, 7))
def test_the_best_order_of_seven_visits_is_the_best_of_five_thousand(day: Day) -> None:
    compare_with_all_orders(day)


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(1, 4))
def test_plain_python_and_machine_code_find_the_same_order(day: Day) -> None:
    world, shift, visits = day
    problem = Problem(visits, (shift,), world.seconds, world.seconds)
    compiled = best_sequence(problem, shift, visits)
    with pytest.MonkeyPatch.context() as patch:
        for loop in ("_served", "_rested", "_arrives", "_kept", "_least_driving"):
            patch.setattr(sequencing, loop, getattr(sequencing, loop).py_func)
        assert best_sequence(problem, shift, visits) == compiled


def test_a_promise_is_kept_in_the_best_order() -> None:
    """Home, then a row of doors a minute apart; the last has promised to be first."""
    seconds = [[60 * abs(a - b) for b in range(5)] for a in range(5)]
    visits = [Job(f"visit{k}", k, 300, ALL_DAY) for k in (1, 2, 3)]
    promised = Job("promised", 4, 300, (TimeWindow(0, 240),))
    shift = Shift("today", "ann", 0, 0, 0, 30_000)
    found = best_sequence(Problem((*visits, promised), (shift,), seconds, seconds), shift, [*visits, promised])
    assert found is not None
    assert found.jobs[0] == promised
    assert found.drive_s == 480


def busy_day(visits: int) -> tuple[Problem, Shift, list[Job]]:
    places = range(visits + 1)
    seconds = [[60 * (7 * a * b % 23 + 3 * abs(a - b) % 17) if a != b else 0 for b in places] for a in places]
    rest = Break(1800, 9_000, 16_000)
    shift = Shift("today", "ann", 0, 0, 0, 40_000, rest)
    todo = [Job(f"visit{k}", k, 900, ALL_DAY, 300) for k in places[1:]]
    return Problem(tuple(todo), (shift,), seconds, seconds), shift, todo


@pytest.mark.skipif(not COMPILED, reason="plain Python takes its time")
def test_a_day_of_twelve_visits_is_proved() -> None:
    found = best_sequence(*busy_day(12))
    assert found is not None
    assert found.proved


def test_a_longer_day_stays_as_it_is_and_is_not_called_proved() -> None:
    problem, shift, todo = busy_day(MOST_PROVED + 1)
    found = best_sequence(problem, shift, todo)
    assert found is not None
    assert found.jobs == tuple(todo)
    assert not found.proved


def test_a_day_of_more_ways_than_can_be_kept_stays_as_it_is_and_is_not_called_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sequencing, "MOST_WAYS", 10)
    for loop in ("_served", "_rested", "_arrives", "_kept", "_least_driving"):
        plain = getattr(sequencing, loop)
        monkeypatch.setattr(sequencing, loop, getattr(plain, "py_func", plain))
    problem, shift, todo = busy_day(5)
    found = best_sequence(problem, shift, todo)
    assert found is not None
    assert found.jobs == tuple(todo)
    assert not found.proved


def test_no_order_is_found_for_more_than_the_vehicle_holds() -> None:
    problem, shift, todo = busy_day(3)
    small = Shift("today", "ann", 0, 0, 0, 40_000, max_jobs=2)
    assert best_sequence(problem, shift, todo) is not None
    assert best_sequence(problem, small, todo) is None


def test_where_driving_takes_longer_at_some_hours_the_order_keeps_every_window_and_is_not_called_proved() -> None:
    """Behind the rush hour the promise could no more be kept by way of the other door."""
    seconds = [[60 * abs(a - b) for b in range(3)] for a in range(3)]
    slow = [[3 * drive for drive in row] for row in seconds]
    near, far = Job("near", 1, 60, ALL_DAY), Job("far", 2, 60, (TimeWindow(0, 240),))
    shift = Shift("today", "ann", 0, 2, 0, 30_000)
    free = Problem((near, far), (shift,), seconds, seconds)
    rush = Problem((near, far), (shift,), seconds, seconds, tables=(slow,), traffic=(Change(0, 0), Change(60, 1)))
    always = Problem((near, far), (shift,), seconds, seconds, tables=(slow,), traffic=(Change(0, 0), Change(40_000, 1)))
    calm, busy, later = (best_sequence(problem, shift, [near, far]) for problem in (free, rush, always))
    assert calm is not None
    assert busy is not None
    assert later is not None
    assert (calm.proved, busy.proved, later.proved) == (True, False, True)
    assert [job.id for job in calm.jobs] == ["near", "far"]
    assert [job.id for job in busy.jobs] == ["far", "near"]


def test_a_plan_is_put_into_its_best_order_day_by_day_nights_away_included() -> None:
    """Two days with a night between at a hotel at the end of the road."""
    seconds = [[60 * abs(a - b) for b in range(6)] for a in range(6)]
    visits = [Job(f"visit{k}", k, 300, ALL_DAY if k < 3 else (TimeWindow(86_400, 120_000),)) for k in (1, 2, 3, 4)]
    first = Shift("mon", "ann", 0, 0, 0, 30_000, next_shift="tue")
    second = Shift("tue", "ann", 0, 0, 86_400, 116_400)
    problem = Problem(tuple(visits), (first, second), seconds, seconds, lodgings=(Lodging("inn", 5, 600),))
    away, back = first.between(0, 5), second.between(5, 0)
    out = schedule(problem, away, (visits[1], visits[0]))
    home = schedule(problem, back, (visits[2], visits[3]))
    assert out is not None
    assert home is not None
    plan = Solution((replace(out, lodging_after="inn"), replace(home, lodging_before="inn")), ())
    better, proved = sequenced(problem, plan)
    assert [route.jobs for route in better.routes] == [("visit1", "visit2"), ("visit4", "visit3")]
    assert [(route.lodging_before, route.lodging_after) for route in better.routes] == [(None, "inn"), ("inn", None)]
    assert proved == {"mon", "tue"}
    assert better.cost_s(problem) == 600 + 600
    assert sequenced(problem, better) == (better, proved)
