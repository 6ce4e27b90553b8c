"""Driving takes longer at some hours: who departs later never arrives earlier, and all that times a day agrees."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import END, World, belonging, busy_worlds, changes, jobs, shifts

from routing.checks import violations
from routing.errors import ProblemError, RoutingError
from routing.hours import Hours
from routing.problem import Job, Problem, Shift, TimeWindow
from routing.solution import Route, Solution, Step
from routing.speeds import Slowdown
from routing.timing import Timeline, schedule
from routing.traffic import Change, arrive_s, depart_s, during
from routing.travel_times import GreatCircleTravelTimes

PLACES = 4
Leg = tuple[int, ...]

few = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RUSH = (Change(0, 0), Change(100, 1), Change(200, 0))
"""From 100 to 200 the second table holds."""


@st.composite
def legs(draw: st.DrawFn) -> tuple[Leg, tuple[Change, ...]]:
    """Seconds in each of up to three tables, and when which of them holds."""
    tables = draw(st.integers(1, 3))
    leg = draw(st.one_of(st.just((0,) * tables), st.tuples(*[st.integers(1, 15)] * tables)))
    return leg, draw(changes(tables))


@pytest.mark.parametrize(
    ("depart", "arrive"),
    [
        pytest.param(0, 60, id="on free roads"),
        pytest.param(40, 100, id="just in time for them"),
        pytest.param(70, 160, id="half of the way at half the speed"),
        pytest.param(100, 210, id="the last sixth on free roads again"),
        pytest.param(150, 235, id="the last seven twelfths on free roads again"),
        pytest.param(200, 260, id="once roads are free again"),
    ],
)
def test_a_leg_across_a_change_is_driven_at_the_old_speed_until_then(depart: int, arrive: int) -> None:
    assert arrive_s((60, 120), RUSH, depart) == arrive
    assert depart_s((60, 120), RUSH, arrive) == depart


@settings(few, max_examples=100)
@given(legs())
def test_who_departs_later_never_arrives_earlier_and_departures_are_the_inverse(
    asked: tuple[Leg, tuple[Change, ...]],
) -> None:
    leg, traffic = asked
    arrivals = {t: arrive_s(leg, traffic, t) for t in range(-END, 2 * END)}
    for t in range(-END + 1, 2 * END):
        assert arrivals[t - 1] <= arrivals[t]
        assert arrivals[t] >= t + min(leg)
    for by in range(END):
        latest = depart_s(leg, traffic, by)
        assert arrive_s(leg, traffic, latest) <= by < arrive_s(leg, traffic, latest + 1)


@settings(few, max_examples=50)
@given(st.lists(legs(), min_size=1, max_size=8), st.data())
def test_many_legs_at_once_are_driven_as_each_alone(
    asked: list[tuple[Leg, tuple[Change, ...]]], data: st.DataObject
) -> None:
    traffic = asked[0][1]
    tables = max(change.table for change in traffic) + 1
    every = [(leg * tables)[:tables] for leg, _ in asked]
    times = np.array([data.draw(st.integers(-END, 2 * END)) for _ in every])
    hours, table = Hours(traffic), np.array(every).T
    assert hours.arrive_s(table, times).tolist() == [
        arrive_s(e, traffic, int(t)) for e, t in zip(every, times, strict=True)
    ]
    assert hours.depart_s(table, times).tolist() == [
        depart_s(e, traffic, int(t)) for e, t in zip(every, times, strict=True)
    ]


@settings(few, max_examples=50)
@given(legs(), st.integers(0, END), st.integers(0, END))
def test_one_day_of_a_long_horizon_is_driven_as_all_of_it(
    asked: tuple[Leg, tuple[Change, ...]], start: int, length: int
) -> None:
    leg, traffic = asked
    part = during(traffic, start, start + length)
    for t in range(start, start + length + 1):
        if arrive_s(leg, traffic, t) <= start + length:
            assert arrive_s(leg, part, t) == arrive_s(leg, traffic, t)
        if depart_s(leg, traffic, t) >= start:
            assert depart_s(leg, part, t) == depart_s(leg, traffic, t)


Sequence = tuple[World, Shift, tuple[Job, ...], Job]


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    shift = draw(shifts(PLACES))
    visits = [draw(jobs(PLACES, f"visit{k}")) for k in range(draw(st.integers(0, 4)))]
    new = draw(jobs(PLACES, "new"))
    every = belonging(shift, [*visits, new])
    return draw(busy_worlds(PLACES)), shift, every[:-1], every[-1] if every else Job("new", 0, 0, (TimeWindow(0, END),))


def done_by(problem: Problem, shift: Shift, sequence: tuple[Job, ...], gap: int | None) -> bool:
    """Everything as early as possible, with the break before the leg to job k (2k) or at its door (2k + 1)."""

    def rested(now: int) -> int:
        assert shift.break_ is not None
        begin = max(now, shift.break_.start_s)
        return begin + shift.break_.duration_s if begin <= shift.break_.latest_start_s else 10 * END

    now, place = shift.start_s, shift.start_place
    for k, job in enumerate(sequence):
        now = rested(now) if gap == 2 * k else now
        if problem.seconds[place][job.place] < 0:
            return False
        now = problem.arrive_s(place, job.place, now) + (job.setup_s if place != job.place else 0)
        now = rested(now) if gap == 2 * k + 1 else now
        begin = min((max(now, w.start_s) for w in job.windows if now <= w.end_s), default=None)
        if begin is None:
            return False
        now, place = begin + job.service_s, job.place
    now = rested(now) if gap == 2 * len(sequence) else now
    if problem.seconds[place][shift.end_place] < 0:
        return False
    now = problem.arrive_s(place, shift.end_place, now)
    now = rested(now) if gap == 2 * len(sequence) + 1 else now
    return now <= shift.end_s


def possible(problem: Problem, shift: Shift, sequence: tuple[Job, ...]) -> bool:
    gaps = [None] if shift.break_ is None else range(2 * len(sequence) + 2)
    return shift.has_room_for(sequence) and any(done_by(problem, shift, sequence, gap) for gap in gaps)


def test_labels_insertions_schedules_and_checks_agree_at_every_hour() -> None:
    seen: set[bool] = set()

    @settings(few, max_examples=100)
    @given(sequences())
    def compare(asked: Sequence) -> None:
        world, shift, visits, new = asked
        problem = world.problem(shift, (*visits, new))
        timeline = Timeline.of(problem, shift, visits)
        assert timeline.feasible == possible(problem, shift, visits)
        if not timeline.feasible:
            return
        for position in range(len(visits) + 1):
            longer = (*visits[:position], new, *visits[position:])
            route = schedule(problem, shift, longer)
            seen.add(route is not None)
            fits = timeline.added_drive_s(new, position) is not None
            assert fits == (route is not None) == possible(problem, shift, longer)
            assert Timeline.of(problem, shift, longer).feasible == fits
            if route is not None:
                assert violations(problem, Solution((route,), ())) == []
                at_once = schedule(problem, shift, longer, at_once=True)
                assert at_once is not None
                assert violations(problem, Solution((at_once,), ())) == []
                assert at_once.return_s <= route.return_s

    compare()
    assert seen == {True, False}


def test_a_day_says_how_long_each_leg_took_at_its_hour() -> None:
    """An hour each way on free roads, two in the morning and in the evening."""
    hour = 3600
    traffic = (Change(0, 0), Change(7 * hour, 1), Change(9 * hour, 0), Change(16 * hour, 1), Change(19 * hour, 0))
    free, busy = ([[0, n * hour], [n * hour, 0]] for n in (1, 2))
    shift = Shift("today", "ann", 0, 0, 8 * hour, 19 * hour)
    promise = Job("promise", 1, 7 * hour, (TimeWindow(9 * hour, 10 * hour),))
    problem = Problem((promise,), (shift,), free, free, tables=(busy,), traffic=traffic)
    route = schedule(problem, shift, problem.jobs)
    assert route is not None
    (step,) = route.steps
    assert (route.depart_s, step.drive_s, step.arrive_s) == (8 * hour, 90 * 60, 9 * hour + 30 * 60)
    assert (route.return_drive_s, route.return_s) == (2 * hour, 18 * hour + 30 * 60)
    assert route.drive_m == 2 * hour


def test_a_leg_that_is_told_to_take_no_longer_than_at_midday_is_found() -> None:
    problem = Problem(
        (Job("a", 1, 0, (TimeWindow(0, 999),)),),
        (Shift("today", "ann", 0, 0, 0, 999),),
        [[0, 60], [60, 0]],
        [[0, 600], [600, 0]],
        tables=([[0, 120], [120, 0]],),
        traffic=RUSH,
    )

    def told(drive_s: int, home_s: int) -> list[str]:
        steps = (Step("a", drive_s, 600, 100 + drive_s, 220, 220),)
        route = Route("today", 100, steps, None, home_s, 600, 220 + home_s)
        return [str(each) for each in violations(problem, Solution((route,), ()))]

    assert told(110, 60) == []
    assert told(60, 60) == ["legs_are_driven: a: drives 60 s, 600 m, not 110 s, 600 m"]
    assert told(110, 120) == ["legs_are_driven: today: to its end: drives 120 s, 600 m, not 60 s, 600 m"]


def test_tables_and_changes_that_do_not_belong_together_are_refused() -> None:
    seconds = [[0, 60], [60, 0]]

    def problem(*tables: list[list[int]], traffic: tuple[Change, ...] = RUSH) -> Problem:
        return Problem((), (), seconds, seconds, tables=tables, traffic=traffic)

    assert problem(seconds).arrive_s(0, 1, 90) == 150
    with pytest.raises(ProblemError, match="there is no table 1"):
        problem()
    with pytest.raises(ProblemError, match="do not begin at 0"):
        problem(seconds, traffic=())
    with pytest.raises(ProblemError, match="not in order"):
        problem(seconds, traffic=(Change(0, 0), Change(5, 1), Change(5, 0)))
    with pytest.raises(ProblemError, match="table 1: a leg takes no time"):
        problem([[0, 0], [60, 0]])


def test_another_order_is_driven_at_other_hours() -> None:
    """Two visits that change places are driven to at each other's hour."""
    traffic = (Change(0, 1), Change(100, 0))
    near_then_far = [[0, 10, 50], [10, 0, 45], [50, 45, 0]]
    slow = [[0, 20, 100], [20, 0, 90], [100, 90, 0]]
    visits = tuple(Job(name, place, 40, (TimeWindow(0, 999),)) for name, place in (("near", 1), ("far", 2)))
    shift = Shift("today", "ann", 0, 0, 0, 999)
    problem = Problem(visits, (shift,), near_then_far, near_then_far, tables=(slow,), traffic=traffic)
    ends = {}
    for order in permutations(visits):
        route = schedule(problem, shift, order, at_once=True)
        assert route is not None
        ends[tuple(job.id for job in order)] = route.drive_s
    assert ends == {("near", "far"): 20 + 40 + 25 + 50, ("far", "near"): 100 + 45 + 10}


def test_a_slowdown_is_no_speeding_up_and_has_a_bound() -> None:
    for factor in (0.9, 5.1, float("nan")):
        with pytest.raises(RoutingError, match="must take 1 to 5 times as long"):
            Slowdown(streets=factor)
    assert GreatCircleTravelTimes(kmh=40).slowed(Slowdown(main_roads=2)) == GreatCircleTravelTimes(kmh=20)
