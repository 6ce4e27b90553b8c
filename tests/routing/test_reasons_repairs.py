"""The cheapest change that lets a job in: carried out, checked by rules that know nothing of it, and exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from reasons_cast import Plan, added_cost_s, at_usual_hours, insertions, plans, with_order

from routing.checks import violations
from routing.errors import ProblemError
from routing.problem import DAY_S, Break, Job, Problem, Shift, Spacing, TimeWindow
from routing.reasons import (
    Deadline,
    Elsewhere,
    LeftOut,
    Repair,
    RepairKind,
    Repairs,
    Rule,
    applied,
    blocking,
    marginals,
)
from routing.reasons.repairs import COUNTS_S, STRETCHED
from routing.reasons.standing import Standing
from routing.solution import Solution
from routing.timing import schedule

NOTHING_TO_BEND = {Rule.UNREACHABLE, Rule.TIME_TAKEN, Rule.WINDOWS, Rule.SPACING}
"""Lifting one of these may be enough where there is no repair: streets are not built, windows have bounds."""


def counts(repair: Repair) -> int:
    """What the bending counts for, beside the cost."""
    if repair.kind in STRETCHED:
        return repair.amount
    days = repair.amount if repair.kind in (RepairKind.SPACING, RepairKind.LATER_DEADLINE) else 1
    return COUNTS_S.get(repair.kind, 0) * days


@settings(max_examples=40, deadline=None)
@given(plans())
def test_a_repair_lets_the_job_in_for_its_price_and_one_second_less_is_not_enough(plan: Plan) -> None:
    left_out = LeftOut(plan.problem, plan.solution, plan.deadlines)
    repairs = Repairs(left_out.standing)
    for case in left_out.cases():
        told, repair = blocking(case), repairs.cheapest(case)
        if repair is None:
            assert set(told.singly) <= NOTHING_TO_BEND
            continue
        assert (repair.kind == RepairKind.INSERT) == told.free
        problem, solution = applied(plan.problem, plan.solution, repair, plan.deadlines.get(repair.job))
        assert violations(problem, solution) == []
        assert set(plan.solution.unassigned) - set(solution.unassigned) == {repair.job}
        if repair.kind != RepairKind.START_EARLIER:  # tardiness counts from the usual start
            worth_as_before = replace(problem, jobs=plan.problem.jobs)
            added = added_cost_s(worth_as_before, plan.solution, solution, case.job)
            assert repair.price_s == added + counts(repair)
        if repair.kind in STRETCHED and repair.amount > 1:
            assert not_enough(plan, replace(repair, amount=repair.amount - 1))


def order_of(solution: Solution, shift: str) -> tuple[str, ...]:
    return next((route.jobs for route in solution.routes if route.shift == shift), ())


def not_enough(plan: Plan, repair: Repair) -> bool:
    try:
        return bool(violations(*applied(plan.problem, plan.solution, repair)))
    except ProblemError:
        return True


@settings(max_examples=30, deadline=None)
@given(plans())
def test_what_a_stop_adds_and_its_best_alternative_are_those_of_trying_everything(plan: Plan) -> None:
    problem, solution = plan.problem, plan.solution
    for told in marginals(Standing(problem, solution)):
        job = problem.job_by_id[told.job]
        route = next(route for route in solution.routes if told.job in route.jobs)
        if len(route.jobs) == 1 and (route.lodging_before or route.lodging_after):
            assert told.alternative is None
            continue
        rest = tuple(id_ for id_ in route.jobs if id_ != job.id)
        without = with_order(problem, solution, problem.shift_by_id[route.shift], rest)
        if without is None:  # a detour that is faster than the way itself
            continue
        before_s = at_usual_hours(problem, without) - job.cost_of_leaving_out_s
        assert told.cost_s == at_usual_hours(problem, solution) - before_s
        found = [
            at_usual_hours(problem, each) - before_s
            for each in insertions(problem, without, job)
            if not violations(problem, each) and order_of(each, route.shift) != route.jobs
        ]
        assert (told.alternative.cost_s if told.alternative else None) == min(found, default=None)


# --- a small town: everything lies on one street, minutes apart -------------------------------------------------------

MINUTE, HOUR = 60, 3600
NINE, NOON, FIVE = 9 * HOUR, 12 * HOUR, 17 * HOUR
STREET = 80


def at(clock_s: int, day: int = 0) -> int:
    return day * DAY_S + clock_s


def town(*jobs: Job, shifts: tuple[Shift, ...], spacings: tuple[Spacing, ...] = ()) -> Problem:
    seconds = [[abs(a - b) * MINUTE for b in range(STREET)] for a in range(STREET)]
    return Problem(jobs, shifts, seconds, seconds, spacings)


def ana(day: int = 0, **changes: Any) -> Shift:
    usual = Shift(f"ana{day}", "ana", 0, 0, at(NINE, day), at(FIVE, day))
    return replace(usual, **changes)


def visit(name: str, minute: int, service_m: int = 60, **changes: Any) -> Job:
    usual = Job(name, minute, service_m * MINUTE, (TimeWindow(0, 9 * DAY_S),), penalty_s=4 * HOUR)
    return replace(usual, **changes)


def planned(problem: Problem, **days: tuple[str, ...]) -> Solution:
    """These jobs on these shifts, the others left out."""
    routes = []
    for shift, order in days.items():
        route = schedule(problem, problem.shift_by_id[shift], [problem.job_by_id[id_] for id_ in order])
        assert route, "the hand-made day cannot be driven"
        routes.append(route)
    done = {id_ for route in routes for id_ in route.jobs}
    return Solution(tuple(routes), tuple(job.id for job in problem.jobs if job.id not in done))


def told(
    problem: Problem, solution: Solution, job: str, **deadlines: Deadline
) -> tuple[tuple[Rule, ...], Repair | None]:
    left_out = LeftOut(problem, solution, deadlines)
    case = left_out.case(job)
    return blocking(case).rules, Repairs(left_out.standing).cheapest(case)


def test_a_day_that_is_twelve_minutes_too_short_ends_twelve_minutes_later() -> None:
    """Six hours of visits and the way, 100 minutes left, and an hour's visit 26 minutes beyond: 112 minutes."""
    full = visit("long", 10, 6 * 60)
    problem = town(full, visit("new", 36), shifts=(ana(),))
    rules, repair = told(problem, planned(problem, ana0=("long",)), "new")
    assert rules == (Rule.TIME_TAKEN, Rule.SHIFT_END, Rule.SHIFT_START)
    assert repair
    assert (repair.kind, repair.amount, repair.added_s) == (RepairKind.END_LATER, 12 * MINUTE, 52 * MINUTE)


def test_somebody_goes_another_day_for_nine_minutes() -> None:
    """Tuesday has time, and the baker is on its way but for nine minutes."""
    monday, tuesday = ana(0, end_s=at(NINE) + 2 * HOUR), ana(1)
    baker = visit("baker", 15, 60)
    far = visit("far", 20, 60, vehicles=frozenset({"ana"}), windows=(TimeWindow(at(NINE, 1), at(FIVE, 1)),))
    monday_only = visit("new", 15, 60, windows=(TimeWindow(at(NINE), at(FIVE)),))
    problem = town(baker, far, monday_only, shifts=(monday, tuesday))
    solution = planned(problem, ana0=("baker",), ana1=("far",))
    rules, repair = told(problem, solution, "new")
    assert Rule.TIME_TAKEN in rules
    assert repair
    assert (repair.kind, repair.other) == (RepairKind.MOVE, "baker")
    assert repair.to == Elsewhere("ana1", None, 0, 0)
    assert (repair.price_s, repair.other_cost_s) == (0, -30 * MINUTE)
    _, after = applied(problem, solution, repair)
    assert [route.jobs for route in after.routes] == [("new",), ("baker", "far")]


@pytest.mark.parametrize(
    ("changes", "shift", "rule", "kind", "amount"),
    [
        ({"vehicles": frozenset({"ben"})}, {}, Rule.VEHICLES, RepairKind.OTHER_VEHICLE, 0),
        ({"skills": frozenset({"welding"})}, {}, Rule.SKILLS, RepairKind.SKILL, 0),
        ({"demand": 3}, {"capacity": 2}, Rule.CAPACITY, RepairKind.CAPACITY, 1),
        ({"penalty_s": 30 * MINUTE}, {}, Rule.WORTH, RepairKind.PAY, 0),
        ({"windows": (TimeWindow(0, 15 * MINUTE),)}, {"start_s": 0}, Rule.WINDOWS, RepairKind.CLOSES_LATER, 300),
        (
            {"windows": (TimeWindow(DAY_S - HOUR, DAY_S),)},
            {"end_s": DAY_S},
            Rule.WINDOWS,
            RepairKind.OPENS_EARLIER,
            1200,
        ),
        ({}, {"max_jobs": 0}, Rule.MAX_JOBS, RepairKind.ONE_MORE, 0),
    ],
)
def test_one_rule_in_the_way_is_the_one_that_is_bent(
    changes: dict[str, Any], shift: dict[str, Any], rule: Rule, kind: RepairKind, amount: int
) -> None:
    """An hour's visit 20 minutes away, and an empty day."""
    problem = town(visit("new", 20, **changes), shifts=(ana(**shift),))
    rules, repair = told(problem, Solution((), ("new",)), "new")
    assert rule in rules
    assert repair
    assert (repair.kind, repair.amount) == (kind, amount)
    assert violations(*applied(problem, Solution((), ("new",)), repair)) == []


def test_an_hour_for_lunch_is_twenty_minutes_shorter() -> None:
    """Two hours from eleven to one, an hour's visit of 40 minutes' way, to begin at eleven twenty."""
    lunch = Break(60 * MINUTE, at(11 * HOUR), at(13 * HOUR))
    shift = ana(start_s=at(11 * HOUR), end_s=at(13 * HOUR + 20 * MINUTE), break_=lunch)
    problem = town(visit("new", 20), shifts=(shift,))
    rules, repair = told(problem, Solution((), ("new",)), "new")
    assert rules == (Rule.SHIFT_END, Rule.SHIFT_START, Rule.BREAK)
    assert repair
    assert (repair.kind, repair.amount) == (RepairKind.END_LATER, 20 * MINUTE)
    shorter = replace(repair, kind=RepairKind.SHORTER_BREAK)
    assert violations(*applied(problem, Solution((), ("new",)), shorter)) == []


def test_a_repeat_waits_for_its_days_and_a_rival_for_its_account() -> None:
    apart = Spacing("weekly", 2, 9)
    first, again = (visit(name, 10, series="weekly") for name in ("first", "again"))
    problem = town(first, again, shifts=(ana(0), ana(1)), spacings=(apart,))
    rules, repair = told(problem, planned(problem, ana0=("first",)), "again")
    assert rules == (Rule.SPACING,)
    assert repair
    assert (repair.kind, repair.shift, repair.amount) == (RepairKind.SPACING, "ana1", 1)
    one, other = (visit(name, 10, group="account", penalty_s=value) for name, value in (("one", HOUR), ("other", HOUR)))
    problem = town(one, other, shifts=(ana(),))
    assert told(problem, planned(problem, ana0=("one",)), "other")[0] == (Rule.GROUP,)


def test_a_deadline_is_a_day_later() -> None:
    """Ana is away on Monday."""
    until_monday = Deadline(at(FIVE), (TimeWindow(0, 9 * DAY_S),))
    problem = town(visit("new", 20, windows=(TimeWindow(0, at(FIVE)),)), shifts=(ana(1), ana(2)))
    rules, repair = told(problem, Solution((), ("new",)), "new", new=until_monday)
    assert rules == (Rule.DEADLINE,)
    assert repair
    assert (repair.kind, repair.shift) == (RepairKind.LATER_DEADLINE, "ana1")


def test_whoever_is_worth_less_stays_out_instead() -> None:
    """The two do not fit into two hours, and moving is not possible."""
    cheap = visit("cheap", 20, 60, penalty_s=50 * MINUTE)
    problem = town(cheap, visit("new", 20, 60), shifts=(ana(end_s=at(NINE) + 100 * MINUTE),))
    _, repair = told(problem, planned(problem, ana0=("cheap",)), "new")
    assert repair
    assert (repair.kind, repair.other) == (RepairKind.LEAVE_OUT, "cheap")
    assert repair.price_s == 50 * MINUTE
