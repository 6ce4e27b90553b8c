"""Plans of ruin and recreate: no rule broken whatever the problem, each new rule where it costs something, and the same
plan on any number of workers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.checks import violations
from routing.native import COMPILED
from routing.problem import DAY_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.solution import Solution
from routing.solver import Engine, SearchLimits, improving, solve
from routing.solver.recreate.lane import Lane
from routing.solver.recreate.layout import laid_out
from routing.solver.recreate.state import (
    O_CANDIDATES,
    O_EVERYWHERE,
    O_NIGHT,
    O_OPENING,
    O_REMOVED,
    O_STRING,
    R_COST,
    R_FITS,
    R_LENGTH,
    R_LOAD,
)
from routing.traffic import Change

pytestmark = pytest.mark.skipif(not COMPILED, reason="there is no compiler")
HOUR_S = 3600
HOME, NEAR, FAR, INN = range(4)
MINUTES = [[0, 10, 120, 110], [10, 0, 120, 110], [120, 120, 0, 10], [110, 110, 10, 0]]
SECONDS = [[60 * m for m in row] for row in MINUTES]
A_LITTLE = SearchLimits(work=1, engine=Engine.RUIN_RECREATE)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Two reps and up to four days, with every rule there is."""
    places = draw(st.integers(3, 6))
    at = [draw(st.tuples(st.integers(0, 60), st.integers(0, 60))) for _ in range(places)]
    seconds = [[60 * (abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in at] for a in at]
    place = st.integers(0, places - 1)
    last = draw(st.integers(0, 3))
    shifts = []
    for rep in ("ann", "ben")[: draw(st.integers(1, 2))]:
        home, skills = draw(place), draw(st.frozensets(st.sampled_from("xy")))
        for day in range(last + 1):
            start = day * DAY_S + 8 * HOUR_S
            end = start + draw(st.sampled_from([4, 6, 9])) * HOUR_S
            rest = draw(st.sampled_from([None, Break(1800, start, end), Break(HOUR_S, start + HOUR_S, end - HOUR_S)]))
            following = f"{rep}{day + 1}" if day < last and draw(st.booleans()) else None
            most, room = draw(st.sampled_from([None, None, 2])), draw(st.sampled_from([None, None, 3]))
            shifts.append(Shift(f"{rep}{day}", rep, home, home, start, end, rest, most, skills, room, following))
    jobs = tuple(
        draw(jobs_of(number, place, last, [s.id for s in shifts])) for number in range(draw(st.integers(1, 9)))
    )
    lodgings = tuple(
        Lodging(
            f"inn{k}",
            draw(place),
            draw(st.sampled_from([0, 600, 3600])),
            draw(st.sampled_from([None, frozenset({"ann"})])),
        )
        for k in range(draw(st.integers(0, 2)))
    )
    tables: tuple[list[list[int]], ...] = ()
    traffic: tuple[Change, ...] = ()
    if draw(st.integers(0, 3)) == 0:
        tables = ([[drive * 3 // 2 for drive in row] for row in seconds],)
        traffic = (
            Change(0, 0),
            *(Change(day * DAY_S + hour * HOUR_S, hour // 9 % 2) for day in range(last + 1) for hour in (9, 11)),
        )
    apart = (Spacing("repeats", draw(st.integers(1, 2)), draw(st.integers(2, 3))),)
    return Problem(jobs, tuple(shifts), seconds, seconds, apart, lodgings, tables, traffic)


@st.composite
def jobs_of(draw: st.DrawFn, number: int, place: st.SearchStrategy[int], last: int, shifts: list[str]) -> Job:
    hours = sorted(draw(st.lists(st.integers(7, 18), min_size=2, max_size=4, unique=True)))
    days = draw(st.sampled_from([range(last + 1), range(1)]))
    windows = tuple(
        TimeWindow(day * DAY_S + a * HOUR_S, day * DAY_S + b * HOUR_S)
        for day in days
        for a, b in zip(hours[::2], hours[1::2], strict=False)
    )
    return Job(
        f"job{number}",
        draw(place),
        draw(st.sampled_from([0, 1800, 2 * HOUR_S])),
        windows,
        setup_s=draw(st.sampled_from([0, 600])),
        penalty_s=draw(st.sampled_from([None, 0, 1000, 5000, 20_000])),
        vehicles=draw(st.sampled_from([None, None, frozenset({"ann"})])),
        skills=draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset("x")])),
        group=draw(st.sampled_from([None, None, None, "account"])),
        due_s=draw(st.sampled_from([None, 0])),
        tardiness_s_per_day=draw(st.sampled_from([0, 700])),
        demand=draw(st.integers(0, 2)),
        series=draw(st.sampled_from([None, None, "repeats"])),
        seen_on=draw(st.sampled_from([None, None, *shifts, "gone"])),
        moved_s=draw(st.sampled_from([0, 900])),
    )


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_no_plan_breaks_a_rule_and_each_costs_what_the_search_says(problem: Problem) -> None:
    """Also one that begins with a plan of a problem that was otherwise, which it is no worse than."""
    solution = None
    for told in improving(problem, A_LITTLE):
        solution = told.solution
        assert violations(problem, solution) == []
        if not problem.tables:
            assert solution.cost_s(problem) == told.cost_s
    assert solution is not None
    again = solve(problem, A_LITTLE, cancelled=lambda: True, warm_start=solution)
    assert violations(problem, again) == []
    if not problem.tables:
        assert again.cost_s(problem) <= solution.cost_s(problem)
    fewer = replace(problem, jobs=problem.jobs[1:], lodgings=(), spacings=(Spacing("repeats", 2, 2),))
    assert violations(fewer, solve(fewer, A_LITTLE, warm_start=solution)) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(), st.integers(0, 9))
def test_days_that_were_changed_bit_by_bit_are_as_if_they_had_been_looked_at_as_a_whole(
    problem: Problem, seed: int
) -> None:
    layout = laid_out(problem)
    if not layout.job_of:
        return
    lane = Lane(layout, seed)
    lane.options[[O_REMOVED, O_STRING, O_CANDIDATES, O_EVERYWHERE, O_OPENING, O_NIGHT]] = 4, 4, 5, 0.3, 0.2, 0.3
    for _ in range(5):
        lane.search(40, 1000.0)
        nodes, routes = lane.state.nodes.copy(), lane.state.routes.copy()
        lane.reprice(layout.worth_s)  # which labels all of them anew
        assert (lane.state.routes[:, [R_COST, R_LOAD, R_FITS]] == routes[:, [R_COST, R_LOAD, R_FITS]]).all()
        for day, anew, length in zip(nodes, lane.state.nodes, routes[:, R_LENGTH], strict=True):
            assert (day[: length + 2] == anew[: length + 2]).all()


def job(id_: str, place: int = NEAR, **other: object) -> Job:
    return Job(
        **{
            "id": id_,
            "place": place,
            "service_s": 1800,
            "windows": (TimeWindow(0, 30 * DAY_S),),
            "penalty_s": 50_000,
            **other,
        }
    )  # type: ignore[arg-type]


def week(days: int = 2, **other: object) -> tuple[Shift, ...]:
    return tuple(
        Shift(
            f"day{day}",
            "anna",
            HOME,
            HOME,
            day * DAY_S + 8 * HOUR_S,
            day * DAY_S + 14 * HOUR_S,
            next_shift=f"day{day + 1}" if day + 1 < days else None,
            **other,  # type: ignore[arg-type]
        )
        for day in range(days)
    )


def planned(jobs: list[Job], shifts: tuple[Shift, ...], *spacings: Spacing, inns: tuple[Lodging, ...] = ()) -> Solution:
    problem = Problem(tuple(jobs), shifts, SECONDS, SECONDS, spacings, inns)
    solution = solve(problem, A_LITTLE)
    assert violations(problem, solution) == []
    return solution


def days_of(solution: Solution) -> list[int]:
    return [int(route.shift.removeprefix("day")) for route in solution.routes for _ in route.jobs]


def test_a_night_away_is_spent_where_driving_home_costs_more_and_not_where_the_night_does() -> None:
    far = [job(f"far{k}", FAR, service_s=90 * 60) for k in range(2)]
    cheap = planned(far, week(), inns=(Lodging("inn", INN, 3600),))
    assert [(route.lodging_before, route.lodging_after) for route in cheap.routes] == [(None, "inn"), ("inn", None)]
    dear = planned(far, week(), inns=(Lodging("inn", INN, 4 * 120 * 60),))
    assert [(route.lodging_before, route.lodging_after) for route in dear.routes] == [(None, None)] * 2


def test_nobody_stays_away_who_may_not() -> None:
    far = [job(f"far{k}", FAR, service_s=90 * 60) for k in range(2)]
    for inn, shifts in (
        (Lodging("inn", INN, 0, frozenset({"ben"})), week()),
        (Lodging("inn", INN, 0), tuple(replace(shift, next_shift=None) for shift in week())),
    ):
        assert all(route.lodging_after is None for route in planned(far, shifts, inns=(inn,)).routes)


def test_repeats_are_as_many_days_apart_as_their_spacing_says() -> None:
    repeats = [job(f"visit{k}", series="mill") for k in range(4)]
    assert days_of(planned(repeats, week(10), Spacing("mill", 3, 4))) in ([0, 3, 6, 9], [1, 4, 7], [2, 5, 8])
    together = days_of(planned(repeats, (replace(week()[0], next_shift=None), *week(10)[6:]), Spacing("mill", 2, 3)))
    assert len(together) == 2
    assert together[0] >= 6
    assert all(2 <= b - a <= 3 for a, b in pairwise(together))


def test_a_seen_visit_moves_only_where_that_saves_more_than_its_price() -> None:
    there = job("there", FAR, windows=(TimeWindow(0, DAY_S),))
    assert days_of(planned([there, job("seen", FAR, seen_on="day1", moved_s=5 * 3600)], week())) == [0, 1]
    assert days_of(planned([there, job("seen", FAR, seen_on="day1", moved_s=3 * 3600)], week())) == [0, 0]


def test_a_shift_carries_no_more_than_its_capacity() -> None:
    full = planned([job(f"box{k}", demand=2) for k in range(3)], week(1, capacity=5))
    assert days_of(full) == [0, 0]


def test_a_day_is_timed_by_the_travel_times_of_its_hours() -> None:
    slow = [[drive * 2 for drive in row] for row in SECONDS]
    shift = Shift("day0", "anna", HOME, HOME, 8 * HOUR_S, 13 * HOUR_S)
    late = job("late", FAR, windows=(TimeWindow(10 * HOUR_S, 11 * HOUR_S),))
    calm = Problem((late,), (shift,), SECONDS, SECONDS)
    busy = replace(calm, tables=(slow,), traffic=(Change(0, 0), Change(11 * HOUR_S, 1)))
    assert solve(calm, A_LITTLE).unassigned == ()
    assert solve(busy, A_LITTLE).unassigned == ("late",)


def test_the_plan_and_what_is_told_of_it_do_not_depend_on_the_number_of_workers() -> None:
    places = [(17 * k % 50, 29 * k % 50) for k in range(40)]
    seconds = [[60 * (abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in places] for a in places]
    shifts = tuple(
        Shift(f"{rep}{day}", f"rep{rep}", rep, rep, day * DAY_S + 8 * HOUR_S, day * DAY_S + 15 * HOUR_S)
        for rep in range(3)
        for day in range(3)
    )
    visits = tuple(job(f"visit{k}", k, penalty_s=2000 + 37 * k) for k in range(3, 40))
    problem = Problem(visits, shifts, seconds, seconds)
    one, two = (
        list(improving(problem, SearchLimits(work=8, seed=3, workers=workers, engine=Engine.RUIN_RECREATE)))
        for workers in (1, 2)
    )
    assert [repr(told.solution) for told in one] == [repr(told.solution) for told in two]
    assert len(one) > 1
    assert [told.cost_s for told in one] == sorted({told.cost_s for told in one}, reverse=True)
