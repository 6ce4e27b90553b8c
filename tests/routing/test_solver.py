"""Each rule alone: a day so small that breaking the rule would be the cheaper plan, and the solver does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.checks import violations
from routing.errors import ProblemError
from routing.problem import DAY_S, MANDATORY_COST_S, UNREACHABLE, Break, Job, Problem, Shift, TimeWindow
from routing.solution import Solution
from routing.solver import Progress, SearchLimits, improving, solve

HOME, NEAR, FAR = range(3)
MINUTES = [[0, 10, 30], [10, 0, 30], [30, 30, 0]]
SECONDS = [[60 * m for m in row] for row in MINUTES]
ANY_TIME = (TimeWindow(0, 2 * DAY_S),)
A_LITTLE = SearchLimits(work=3)
MONDAY = Shift("anna-monday", "anna", HOME, HOME, 8 * 3600, 16 * 3600)
TUESDAY = Shift("anna-tuesday", "anna", HOME, HOME, DAY_S + 8 * 3600, DAY_S + 16 * 3600)
BENS_MONDAY = Shift("ben-monday", "ben", FAR, FAR, 8 * 3600, 16 * 3600)


def job(id_: str, place: int = NEAR, **other: object) -> Job:
    return Job(**{"id": id_, "place": place, "service_s": 1800, "windows": ANY_TIME, "penalty_s": 20_000, **other})  # type: ignore[arg-type]


def planned(jobs: list[Job], *shifts: Shift, seconds: list[list[int]] = SECONDS) -> tuple[Problem, Solution]:
    problem = Problem(tuple(jobs), shifts, seconds, seconds)
    solution = solve(problem, A_LITTLE)
    assert violations(problem, solution) == []
    return problem, solution


def routes_of(solution: Solution) -> dict[str, tuple[str, ...]]:
    return {route.shift: route.jobs for route in solution.routes}


def test_a_visit_goes_only_to_a_vehicle_that_is_allowed() -> None:
    _, solution = planned([job("anna's", FAR, vehicles=frozenset({"anna"}))], MONDAY, BENS_MONDAY)
    assert routes_of(solution) == {"anna-monday": ("anna's",)}


def test_a_visit_goes_only_to_somebody_with_all_its_skills() -> None:
    skilled = replace(MONDAY, skills=frozenset({"heat pumps", "welsh"}))
    unskilled = replace(BENS_MONDAY, skills=frozenset({"welsh"}))
    _, solution = planned([job("both", FAR, skills=frozenset({"heat pumps", "welsh"}))], skilled, unskilled)
    assert routes_of(solution) == {"anna-monday": ("both",)}


def test_service_begins_within_one_of_several_windows_on_several_days() -> None:
    hours = (
        TimeWindow(7 * 3600, 7 * 3600 + 60),
        TimeWindow(15 * 3600, 15 * 3600),
        TimeWindow(DAY_S + 9 * 3600, DAY_S + 9 * 3600),
    )
    late = [job(f"late{k}", windows=hours) for k in range(3)]
    _, solution = planned(late, MONDAY, TUESDAY)
    assert {route.shift: [step.begin_s for step in route.steps] for route in solution.routes} == {
        "anna-monday": [15 * 3600],
        "anna-tuesday": [DAY_S + 9 * 3600],
    }
    assert len(solution.unassigned) == 1


def test_a_day_is_over_in_time_even_when_one_more_visit_would_pay() -> None:
    short = replace(MONDAY, end_s=MONDAY.start_s + 2 * 600 + 2 * 1800)
    _, solution = planned([job(f"visit{k}") for k in range(3)], short)
    assert len(solution.unassigned) == 1


def test_parking_is_paid_once_at_one_door_and_costs_no_driving() -> None:
    fits = replace(MONDAY, end_s=MONDAY.start_s + 2 * 600 + 900 + 3 * 1800)
    three = [job(f"visit{k}", setup_s=900) for k in range(3)]
    problem, solution = planned(three, fits)
    assert solution.unassigned == ()
    assert solution.cost_s(problem) == 1200
    _, solution = planned(three, replace(fits, end_s=fits.end_s - 1))
    assert len(solution.unassigned) == 1


def test_the_break_is_kept_when_it_costs_a_visit() -> None:
    short = replace(MONDAY, end_s=MONDAY.start_s + 2 * 600 + 2 * 1800 + 1799)
    _, solution = planned([job("one"), job("two")], short)
    assert solution.unassigned == ()
    _, solution = planned([job("one"), job("two")], replace(short, break_=Break(1800, short.start_s, short.end_s)))
    assert len(solution.unassigned) == 1
    assert solution.routes[0].break_start_s is not None


def test_a_break_is_not_taken_on_the_road() -> None:
    on_the_road = Break(300, MONDAY.start_s + 700, MONDAY.start_s + 1100)
    _, solution = planned(
        [job("far", FAR, windows=(TimeWindow(0, MONDAY.start_s + 2200),))], replace(MONDAY, break_=on_the_road)
    )
    assert solution.unassigned == ("far",)


def test_a_shift_may_start_and_end_at_different_places() -> None:
    one_way = replace(MONDAY, end_place=FAR)
    problem, solution = planned([job("near")], one_way)
    assert solution.cost_s(problem) == 600 + 1800


def test_a_shift_has_at_most_max_jobs() -> None:
    _, solution = planned(
        [job(f"visit{k}") for k in range(4)], replace(MONDAY, max_jobs=2), replace(TUESDAY, max_jobs=1)
    )
    assert {shift: len(jobs) for shift, jobs in routes_of(solution).items()} == {"anna-monday": 2, "anna-tuesday": 1}


def test_of_a_group_one_is_done_the_nearer_where_they_are_worth_the_same() -> None:
    account = [job("near", group="acme"), job("far", FAR, group="acme")]
    problem, solution = planned(account, MONDAY, TUESDAY)
    assert routes_of(solution) in ({"anna-monday": ("near",)}, {"anna-tuesday": ("near",)})
    assert solution.cost_s(problem) == 1200


def test_of_a_group_the_one_is_done_whose_worth_pays_its_way() -> None:
    account = [job("near", group="acme"), job("far", FAR, group="acme", penalty_s=40_000)]
    problem, solution = planned(account, MONDAY, TUESDAY)
    assert routes_of(solution) in ({"anna-monday": ("far",)}, {"anna-tuesday": ("far",)})
    lesser = [job("near", group="acme"), job("far", FAR, group="acme", penalty_s=20_100)]
    problem, solution = planned(lesser, MONDAY, TUESDAY)
    assert routes_of(solution) in ({"anna-monday": ("near",)}, {"anna-tuesday": ("near",)})
    assert solution.cost_s(problem) == 1200 + 100


def test_a_mandatory_visit_is_done_whatever_it_costs() -> None:
    slot = (TimeWindow(12 * 3600, 12 * 3600),)
    _, solution = planned(
        [job("promise", FAR, penalty_s=None, windows=slot), job("rich", windows=slot, penalty_s=800_000)], MONDAY
    )
    assert routes_of(solution) == {"anna-monday": ("promise",)}


def test_of_two_promises_at_once_one_is_left_out_and_the_rest_is_planned() -> None:
    slot = (TimeWindow(12 * 3600, 12 * 3600),)
    problem, solution = planned(
        [job("one", penalty_s=None, windows=slot), job("two", penalty_s=None, windows=slot), job("three")], MONDAY
    )
    assert len(solution.unassigned) == 1
    assert solution.cost_s(problem) == MANDATORY_COST_S + 1200


def test_a_mandatory_visit_takes_the_place_of_an_optional_one_however_short_the_search() -> None:
    ten = (TimeWindow(10 * 3600, 10 * 3600),)
    problem = Problem(
        (job("promised", windows=ten, penalty_s=None), job("crowd", windows=ten)), (MONDAY,), SECONDS, SECONDS
    )
    without_it = solve(replace(problem, jobs=problem.jobs[1:]), A_LITTLE)
    assert routes_of(without_it) == {"anna-monday": ("crowd",)}
    solution = solve(problem, A_LITTLE, cancelled=lambda: True, warm_start=without_it)
    assert routes_of(solution) == {"anna-monday": ("promised",)}


def test_a_road_that_does_not_exist_is_never_taken() -> None:
    # To the far place one comes only by way of the near one, and back only directly.
    island = [[0, 600, UNREACHABLE], [600, 0, 600], [600, UNREACHABLE, 0]]
    _, solution = planned([job("far", FAR), job("near", vehicles=frozenset({"ben"}))], MONDAY, seconds=island)
    assert set(solution.unassigned) == {"far", "near"}


def test_a_shift_without_a_visit_need_not_be_able_to_reach_its_end() -> None:
    island = [[0, 600, UNREACHABLE], [600, 0, 600], [600, 600, 0]]
    one_way = replace(MONDAY, id="away", vehicle="cleo", end_place=FAR)
    _, solution = planned([job("near")], one_way, BENS_MONDAY, MONDAY, seconds=island)
    assert solution.unassigned == ()
    assert len(solution.routes) == 1


def test_a_late_visit_costs_for_each_day_begun() -> None:
    late = job("late", due_s=0, tardiness_s_per_day=5000)
    problem, solution = planned([late], MONDAY, TUESDAY)
    assert routes_of(solution) == {"anna-monday": ("late",)}
    assert solution.cost_s(problem) == 1200 + 5000
    problem, solution = planned([late], TUESDAY)
    assert solution.cost_s(problem) == 1200 + 10_000
    problem, solution = planned([replace(late, tardiness_s_per_day=10_000)], TUESDAY)
    assert solution.unassigned == ("late",)


def test_an_optional_visit_is_done_when_its_way_costs_less_than_its_worth() -> None:
    _, solution = planned([job("worth it", FAR, penalty_s=3601), job("not worth it", NEAR, penalty_s=599)], MONDAY)
    assert routes_of(solution) == {"anna-monday": ("worth it",)}


def test_two_visits_that_pay_only_together_are_done_together() -> None:
    _, solution = planned([job("one", FAR, penalty_s=2000), job("two", FAR, penalty_s=2000)], MONDAY)
    assert solution.unassigned == ()


@pytest.mark.parametrize(
    ("jobs", "shifts"),
    [
        ([], ()),
        ([], (MONDAY,)),
        ([job("no shift")], ()),
        ([job("no windows", windows=())], (MONDAY,)),
        ([job("no eligible shift", vehicles=frozenset({"nobody"}))], (MONDAY,)),
        ([job("no skill", penalty_s=None, skills=frozenset({"flying"}))], (MONDAY,)),
        ([job("no room")], (replace(MONDAY, max_jobs=0),)),
    ],
)
def test_what_cannot_be_done_is_left_out(jobs: list[Job], shifts: tuple[Shift, ...]) -> None:
    _, solution = planned(jobs, *shifts)
    assert solution == Solution((), tuple(j.id for j in jobs))


def test_nothing_can_be_reached() -> None:
    nowhere = [[0, UNREACHABLE], [UNREACHABLE, 0]]
    _, solution = planned([job("one"), job("home", HOME)], MONDAY, seconds=nowhere)
    assert (routes_of(solution), solution.unassigned) == ({"anna-monday": ("home",)}, ("one",))


def test_visits_without_service_time_at_the_same_place_are_all_done() -> None:
    problem, solution = planned([job(f"{k}", HOME, service_s=0, penalty_s=0 if k else 1) for k in range(3)], MONDAY)
    assert solution.cost_s(problem) == 0


def test_a_plan_to_begin_with_is_kept_as_far_as_it_still_fits() -> None:
    both = [job("near"), job("far", FAR)]
    problem, before = planned(both, MONDAY, TUESDAY)
    later = Problem((job("new"), job("near")), (MONDAY,), SECONDS, SECONDS)
    after = solve(later, A_LITTLE, warm_start=before)
    assert violations(later, after) == []
    assert after.unassigned == ()
    assert solve(problem, A_LITTLE, warm_start=before).cost_s(problem) <= before.cost_s(problem)


def test_what_must_be_done_in_the_plan_to_begin_with_never_gives_way_to_what_else_must_be() -> None:
    """One of two fits, and the other would be nearer; without the one to begin with, the nearer one is done."""
    at_nine = (TimeWindow(9 * 3600, 9 * 3600),)
    near, far = job("near", windows=at_nine, penalty_s=None), job("far", FAR, windows=at_nine, penalty_s=None)
    begin = solve(Problem((far,), (MONDAY,), SECONDS, SECONDS), A_LITTLE)
    problem = Problem((near, far), (MONDAY,), SECONDS, SECONDS)
    assert solve(problem, A_LITTLE, warm_start=begin).unassigned == ("near",)
    assert solve(problem, A_LITTLE).unassigned == ("far",)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"seconds": 1.0, "work": 1},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"work": 0},
        {"work": -1},
        {"work": 1, "workers": 0},
    ],
)
def test_limits_that_say_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ProblemError, match="search limits"):
        SearchLimits(**wrong)  # type: ignore[arg-type]


def test_progress_tells_the_cost_of_the_plan_that_comes_back() -> None:
    seen: list[Progress] = []
    problem = Problem((job("near"), job("far", FAR)), (MONDAY,), SECONDS, SECONDS)
    solution = solve(problem, SearchLimits(work=5), seen.append)
    assert seen[-1].cost_s == solution.cost_s(problem)
    assert (seen[-1].served, seen[-1].fraction) == (2, 1.0)
    assert [p.cost_s for p in seen] == sorted((p.cost_s for p in seen), reverse=True)
    assert all(0 <= p.fraction <= 1 for p in seen)


def test_each_plan_told_on_the_way_is_better_than_the_one_before_and_the_last_is_the_answer() -> None:
    problem = Problem(tuple(job(f"{k}", FAR if k % 2 else NEAR) for k in range(12)), (MONDAY,), SECONDS, SECONDS)
    plans = list(improving(problem, A_LITTLE))
    assert [plan.cost_s for plan in plans] == sorted({plan.cost_s for plan in plans}, reverse=True)
    for plan in plans:
        assert violations(problem, plan.solution) == []
        assert plan.solution.cost_s(problem) <= plan.cost_s
    assert plans[-1].solution == solve(problem, A_LITTLE)
