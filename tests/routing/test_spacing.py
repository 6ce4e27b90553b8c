"""Repeats keep their distance, and what people have seen stays where it pays to leave it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.checks import violations
from routing.problem import DAY_S, Job, Problem, Shift, Spacing, TimeWindow
from routing.solution import Solution
from routing.solver import DEFAULT_ENGINE, Engine, SearchLimits, solve
from routing.solver.regions.incumbent import Incumbent
from routing.spacing import Done, best_kept, may_join, may_leave

HOME, NEAR, FAR = range(3)
SECONDS = [[0, 600, 3000], [600, 0, 2700], [3000, 2700, 0]]
ANY_TIME = (TimeWindow(0, 60 * DAY_S),)
WEEKLY = Spacing("baker", 5, 9)
ENGINES = sorted({DEFAULT_ENGINE, Engine.ORTOOLS})


def day(number: int, rep: str = "anna", **other: object) -> Shift:
    begin = number * DAY_S + 8 * 3600
    return replace(Shift(f"{rep}@{number}", rep, HOME, HOME, begin, begin + 8 * 3600), **other)  # type: ignore[arg-type]


def visit(id_: str, **other: object) -> Job:
    return replace(Job(id_, NEAR, 1800, ANY_TIME, penalty_s=3600), **other)  # type: ignore[arg-type]


def weekly(count: int, **other: object) -> tuple[Job, ...]:
    return tuple(visit(f"baker {n}", series="baker", **other) for n in range(count))


def planned(jobs: tuple[Job, ...], shifts: tuple[Shift, ...], spacings: tuple[Spacing, ...] = (WEEKLY,)) -> Solution:
    """What both searches find: the dearer one, so that whatever holds of it holds of the other."""
    problem = Problem(jobs, shifts, SECONDS, SECONDS, spacings)
    found = [solve(problem, SearchLimits(work=5, engine=engine)) for engine in ENGINES]
    assert all(violations(problem, solution) == [] for solution in found)
    return max(found, key=lambda solution: solution.cost_s(problem))


def days_of(solution: Solution) -> list[int]:
    return [int(route.shift.partition("@")[2]) for route in solution.routes for _ in route.jobs]


# ------------------------------------------------------------------------------------------------ what goes together


@pytest.mark.parametrize(("number", "may"), [(0, False), (2, False), (5, True), (9, True), (10, False), (14, False)])
def test_one_more_joins_only_at_a_distance(number: int, may: bool) -> None:
    assert may_join(WEEKLY, [0], number) is may


def test_one_between_two_keeps_its_distance_to_both() -> None:
    assert may_join(WEEKLY, [0, 14], 7)
    assert not may_join(WEEKLY, [0, 14], 4)
    assert not may_join(WEEKLY, [0, 14], 10)


def test_the_one_in_the_middle_cannot_leave_alone() -> None:
    assert not may_leave(WEEKLY, [0, 7, 14], 7)
    assert may_leave(WEEKLY, [0, 7, 14], 14)


def test_of_those_that_stand_wrong_the_dearest_stay() -> None:
    assert best_kept(WEEKLY, [Done(0, 10, 0), Done(2, 20, 1), Done(7, 5, 2)]) == (25, (1, 2))
    assert best_kept(WEEKLY, [Done(0, 10, 0), Done(14, 5, 1), Done(21, 6, 2)]) == (11, (1, 2))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=6),
    st.integers(1, 6).flatmap(lambda least: st.tuples(st.just(least), st.integers(least, 9))),
)
def test_what_is_kept_is_the_best_that_may_be_kept(members: list[tuple[int, int]], bounds: tuple[int, int]) -> None:
    spacing = Spacing("s", *bounds)
    done = [Done(on, worth, j) for j, (on, worth) in enumerate(members)]

    def stands(chosen: list[Done]) -> bool:
        ordered = sorted(chosen)
        gaps = [after.day - before.day for before, after in pairwise(ordered)]
        return all(spacing.min_days <= gap <= spacing.max_days for gap in gaps)

    subsets = [[each for k, each in enumerate(done) if mask >> k & 1] for mask in range(2 ** len(done))]
    worth, kept = best_kept(spacing, done) if done else (0, ())
    assert stands([each for each in done if each.job in kept])
    assert worth == max(sum(each.worth_s for each in subset) for subset in subsets if stands(subset))


# ------------------------------------------------------------------------------------------------ plans


def test_four_weeks_have_a_visit_each_five_to_nine_days_apart() -> None:
    days = days_of(planned(weekly(4), tuple(day(n) for n in range(26) if n % 7 < 5)))
    assert len(days) == 4
    assert all(5 <= after - before <= 9 for before, after in pairwise(days))


def test_never_two_on_one_day() -> None:
    solution = planned(weekly(2), (day(0), day(0, "ben")))
    assert days_of(solution) == [0]
    assert len(solution.unassigned) == 1


def test_without_a_day_for_the_second_the_third_would_be_too_far_off() -> None:
    assert len(days_of(planned(weekly(3), (day(0), day(14), day(21))))) == 2


def test_a_series_and_its_rival_are_one_visit_each() -> None:
    """The account's first visit may be either of two; the second keeps its distance to whichever is made."""
    jobs = (
        visit("offer", series="baker", group="first", penalty_s=9000),
        visit("baker 1", series="baker", group="first"),
        visit("baker 2", series="baker"),
    )
    solution = planned(jobs, (day(0), day(3), day(7)))
    assert {id_ for route in solution.routes for id_ in route.jobs} == {"offer", "baker 2"}
    first, second = days_of(solution)
    assert 5 <= second - first <= 9


def test_what_people_have_seen_stays_where_moving_it_saves_less_than_it_costs() -> None:
    """Both on one day would save a drive of twenty minutes."""
    jobs = (visit("a"), visit("b"))
    assert len(planned(jobs, (day(0), day(1))).routes) == 1
    seen = tuple(replace(job, seen_on=f"anna@{n}", moved_s=1500) for n, job in enumerate(jobs))
    assert [(route.shift, route.jobs) for route in planned(seen, (day(0), day(1))).routes] == [
        ("anna@0", ("a",)),
        ("anna@1", ("b",)),
    ]
    cheap = tuple(replace(job, moved_s=600) for job in seen)
    assert len(planned(cheap, (day(0), day(1))).routes) == 1


def test_what_was_seen_on_a_day_that_is_no_more_is_moved_at_the_same_price_everywhere() -> None:
    problem = Problem((visit("a", seen_on="anna@-1", moved_s=900),), (day(0),), SECONDS, SECONDS)
    solution = solve(problem, SearchLimits(work=2, engine=Engine.ORTOOLS))
    assert solution.routes
    assert solution.cost_s(problem) == 1200 + 900


@st.composite
def small_problems(draw: st.DrawFn) -> Problem:
    shifts = tuple(
        day(n, rep) for n in sorted(draw(st.sets(st.integers(0, 16), max_size=5))) for rep in ("anna", "ben")
    )
    least = draw(st.integers(1, 6))
    spacings = tuple(Spacing(name, least, draw(st.integers(least, 9))) for name in ("baker", "smith"))
    ids = [shift.id for shift in shifts]
    jobs = tuple(
        Job(
            f"job {n}",
            draw(st.sampled_from((NEAR, FAR))),
            draw(st.sampled_from((1800, 9000))),
            ANY_TIME,
            penalty_s=draw(st.one_of(st.none(), st.integers(0, 9000))),
            group=draw(st.sampled_from((None, None, "first"))),
            series=draw(st.sampled_from((None, "baker", "baker", "smith"))),
            seen_on=draw(st.sampled_from((None, "gone", *ids))),
            moved_s=draw(st.integers(0, 3000)),
        )
        for n in range(draw(st.integers(0, 7)))
    )
    return Problem(jobs, shifts, SECONDS, SECONDS, spacings)


@given(st.data())
@settings(deadline=None)
def test_whatever_is_put_in_or_taken_out_every_gap_is_kept_and_the_cost_is_the_plans(data: st.DataObject) -> None:
    problem = data.draw(small_problems())
    incumbent = Incumbent(problem)
    for _ in range(3 if problem.shifts and problem.jobs else 0):
        numbers = st.integers(0, len(problem.jobs) - 1)
        sequences = data.draw(
            st.dictionaries(st.integers(0, len(problem.shifts) - 1), st.lists(numbers, max_size=3, unique=True))
        )
        incumbent.replace(sequences)
        if data.draw(st.booleans()):
            incumbent.improve(data.draw(st.sets(st.integers(0, len(problem.shifts) - 1))))
        if data.draw(st.booleans()):
            incumbent.make_way_for_the_mandatory()
        solution = incumbent.solution()
        assert violations(problem, solution) == []
        assert incumbent.cost_s == solution.cost_s(problem)
