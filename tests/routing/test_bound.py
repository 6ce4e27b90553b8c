"""No plan costs less than its bound, whatever the problem is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import END, jobs, shifts, worlds

from routing.bound import loops, lower_bound, relaxed
from routing.checks import violations
from routing.native import COMPILED
from routing.problem import DAY_S, Job, Lodging, Problem, Shift, TimeWindow
from routing.solution import Route, Solution
from routing.solver import SearchLimits, solve
from routing.timing import schedule
from routing.traffic import Change

PLACES = 4
WEEK = (TimeWindow(0, 3 * DAY_S),)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    world = draw(worlds(PLACES))
    todo = []
    for k in range(draw(st.integers(1, 4))):
        job = draw(jobs(PLACES, f"visit{k}"))
        penalty = draw(st.sampled_from([None, 0, 3, 8, 20]))
        seen_on, moved_s = draw(st.sampled_from([(None, 0), ("day0", 4), ("day1", 4)]))
        later = draw(st.booleans())
        windows = [TimeWindow(w.start_s + DAY_S, w.end_s + DAY_S) for w in job.windows] if later else []
        todo.append(
            replace(
                job,
                service_s=job.service_s + draw(st.sampled_from([0, 1])),
                penalty_s=penalty,
                windows=(*job.windows, *windows),
                seen_on=seen_on,
                moved_s=moved_s,
                due_s=draw(st.sampled_from([None, 0])),
                tardiness_s_per_day=2,
            )
        )
    today, other = draw(shifts(PLACES, 0)), draw(shifts(PLACES, 1))
    tomorrow = replace(other, start_s=other.start_s + DAY_S, end_s=other.end_s + DAY_S, break_=None)
    tables = draw(st.sampled_from([0, 0, 0, 1]))
    slow = [[2 * drive if drive > 0 else drive for drive in row] for row in world.seconds]
    return Problem(
        tuple(todo),
        (today, tomorrow),
        world.seconds,
        world.seconds,
        tables=(slow,) * tables,
        traffic=(Change(0, 1), Change(END // 2, 0)) if tables else (),
    )


def plans(problem: Problem) -> Iterator[Solution]:
    """All plans that keep every rule."""
    for on in product((None, 0, 1), repeat=len(problem.jobs)):
        days: list[list[Route | None]] = []
        for k, shift in enumerate(problem.shifts):
            todo = [job for job, day in zip(problem.jobs, on, strict=True) if day == k]
            ways = [schedule(problem, shift, order) for order in permutations(todo)] if todo else [None]
            days.append([way for way in ways if way or not todo])
        for routes in product(*days):
            done = {id_ for route in routes if route for id_ in route.jobs}
            plan = Solution(tuple(r for r in routes if r), tuple(j.id for j in problem.jobs if j.id not in done))
            if not violations(problem, plan):
                yield plan


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_no_plan_of_a_small_problem_costs_less_than_its_bound(problem: Problem) -> None:
    best = min(plans(problem), key=lambda plan: plan.cost_s(problem))
    found = lower_bound(problem, best)
    assert found is None or found.cost_s <= best.cost_s(problem)
    nothing = Solution((), tuple(job.id for job in problem.jobs))
    found = lower_bound(problem, nothing)
    assert found is None or found.cost_s <= best.cost_s(problem)


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_plain_python_and_machine_code_find_the_same_bound(problem: Problem) -> None:
    nothing = Solution((), tuple(job.id for job in problem.jobs))
    compiled = lower_bound(problem, nothing)
    with pytest.MonkeyPatch.context() as patch:
        for loop in ("close", "_at_door", "_still_to_go", "cheapest_day"):
            plain = getattr(loops, loop).py_func
            patch.setattr(loops, loop, plain)
            if hasattr(relaxed, loop):
                patch.setattr(relaxed, loop, plain)
        assert lower_bound(problem, nothing) == compiled


def town(visits: int = 24, reps: int = 2, days: int = 2) -> Problem:
    """Doors on a grid; every visit is worth twenty minutes and more."""
    spots = [(7 * k % 10, 3 * k % 7) for k in range(visits + reps)]
    seconds = [[240 * (abs(a - c) + abs(b - d)) for c, d in spots] for a, b in spots]
    todo = tuple(Job(f"visit{k}", reps + k, 1800, WEEK, 120, 1200 + 300 * (k % 5)) for k in range(visits))
    out = tuple(
        Shift(f"{k}@{day}", f"rep{k}", k, k, day * DAY_S, day * DAY_S + 4 * 3600)
        for day in range(days)
        for k in range(reps)
    )
    return Problem(todo, out, seconds, seconds)


def test_the_bound_of_a_week_is_near_what_the_search_found_and_never_above_it() -> None:
    problem = town()
    plan = solve(problem, SearchLimits(work=3))
    found, cost_s = lower_bound(problem, plan), plan.cost_s(problem)
    assert found is not None
    assert found.kind == "Lagrangian"
    assert 0.8 * cost_s <= found.cost_s <= cost_s


def test_a_full_day_of_one_rep_is_bounded_by_what_it_costs() -> None:
    """There is no time to go back to a door, so that nothing is relaxed that matters."""
    seconds = [[600 * abs(a - b) for b in range(4)] for a in range(4)]
    todo = tuple(Job(f"visit{k}", k, 600, WEEK, 0, 5_000) for k in (1, 2, 3))
    problem = Problem(todo, (Shift("mon", "ann", 0, 0, 0, 5_400),), seconds, seconds)
    route = schedule(problem, problem.shifts[0], todo)
    assert route is not None
    plan = Solution((route,), ())
    found = lower_bound(problem, plan)
    assert found is not None
    assert plan.cost_s(problem) - 1 <= found.cost_s <= plan.cost_s(problem) == 3600


def test_a_night_away_makes_no_plan_cheaper_than_the_bound() -> None:
    seconds = [[1200 * abs(a - b) for b in range(7)] for a in range(7)]
    todo = tuple(Job(f"visit{k}", k, 3600, WEEK, 0, 40_000) for k in (4, 5, 6))
    mon = Shift("mon", "ann", 0, 0, 0, 6 * 3600, next_shift="tue")
    tue = Shift("tue", "ann", 0, 0, DAY_S, DAY_S + 6 * 3600)
    problem = Problem(todo, (mon, tue), seconds, seconds, lodgings=(Lodging("inn", 5, 900),))
    out = schedule(problem, mon.between(0, 5), todo[:2])
    back = schedule(problem, tue.between(5, 0), todo[2:])
    assert out is not None
    assert back is not None
    plan = Solution((replace(out, lodging_after="inn"), replace(back, lodging_before="inn")), ())
    assert not violations(problem, plan)
    found = lower_bound(problem, plan)
    assert found is not None
    assert 0.5 * plan.cost_s(problem) <= found.cost_s <= plan.cost_s(problem)


def test_the_same_steps_give_the_same_bound_and_more_steps_no_worse_one() -> None:
    problem = town()
    plan = solve(problem, SearchLimits(work=2))
    once, again, longer = (lower_bound(problem, plan, most_steps=most) for most in (700_000, 700_000, 10_000_000))
    assert once == again
    assert lower_bound(problem, plan, most_steps=1) is None
    assert longer is not None
    assert once is None or once.cost_s <= longer.cost_s


def test_who_cancels_gets_no_bound_or_what_is_known_so_far() -> None:
    problem = town(8)
    assert lower_bound(problem, solve(problem, SearchLimits(work=1)), cancelled=lambda: True) is None
