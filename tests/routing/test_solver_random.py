"""Random small problems: every rule kept, and as cheap as trying everything."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.checks import violations
from routing.problem import DAY_S, MANDATORY_COST_S, UNREACHABLE, Break, Job, Problem, Shift, TimeWindow
from routing.solver import SearchLimits, solve
from routing.solver.regions.assembly import solve_region
from routing.solver.regions.incumbent import Incumbent
from routing.solver.regions.region import Region
from routing.timing import Timeline

HOUR_S = 3600


@st.composite
def small_problems(draw: st.DrawFn) -> Problem:
    """Up to five jobs and three shifts with every rule there is; drives obey the triangle where there is a road."""
    places = draw(st.integers(2, 4))
    at = [draw(st.tuples(st.integers(0, 60), st.integers(0, 60))) for _ in range(places)]
    seconds = [[60 * (abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in at] for a in at]
    if draw(st.integers(0, 4)) == 0:
        a, b = draw(st.permutations(range(places)))[:2]
        seconds[a][b] = UNREACHABLE
    place = st.integers(0, places - 1)
    shifts = []
    for k in range(draw(st.integers(1, 3))):
        start = (k // 2) * DAY_S + 8 * HOUR_S
        end = start + draw(st.sampled_from([4, 6, 9])) * HOUR_S
        opens = start + draw(st.integers(0, 3)) * HOUR_S
        rest = draw(st.sampled_from([None, Break(HOUR_S, opens, opens + HOUR_S), Break(1800, start, end)]))
        skills = draw(st.frozensets(st.sampled_from("xy")))
        max_jobs = draw(st.sampled_from([None, None, 1, 2]))
        capacity = draw(st.sampled_from([None, None, 0, 3]))
        start_place, end_place = draw(place), draw(place)
        shifts.append(
            Shift(f"shift{k}", f"rep{k % 2}", start_place, end_place, start, end, rest, max_jobs, skills, capacity)
        )
    return Problem(tuple(draw(jobs(k, place)) for k in range(draw(st.integers(1, 5)))), tuple(shifts), seconds, seconds)


@st.composite
def jobs(draw: st.DrawFn, number: int, place: st.SearchStrategy[int]) -> Job:
    hours = sorted(draw(st.lists(st.integers(7, 18), min_size=2, max_size=4, unique=True)))
    days = draw(st.sampled_from([(0,), (0, 1)]))
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
        penalty_s=draw(st.sampled_from([None, 0, 1000, 5000, 5000, 20_000])),
        vehicles=draw(st.sampled_from([None, None, frozenset({"rep0"})])),
        skills=draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset("x")])),
        group=draw(st.sampled_from([None, None, None, "account"])),
        due_s=draw(st.sampled_from([None, 0])),
        tardiness_s_per_day=draw(st.sampled_from([0, 700])),
        demand=draw(st.integers(0, 2)),
    )


def cheapest_by_trying_everything(problem: Problem) -> int:
    best = {0: 0}  # bits of the jobs done -> driving and tardiness
    for shift in problem.shifts:
        able = [j for j, job in enumerate(problem.jobs) if problem.may_serve(shift, job)]
        routes = {0: 0}
        for count in range(1, len(able) + 1):
            for order in permutations(able, count):
                timeline = Timeline.of(problem, shift, [problem.jobs[j] for j in order])
                if timeline.feasible:
                    done = sum(1 << j for j in order)
                    cost = timeline.drive_s + sum(problem.tardiness_s(shift, problem.jobs[j]) for j in order)
                    routes[done] = min(cost, routes.get(done, cost))
        longer: dict[int, int] = {}
        for before, spent in best.items():
            for done, cost in routes.items():
                if not before & done:
                    longer[before | done] = min(spent + cost, longer.get(before | done, spent + cost))
        best = longer
    costs = [spent + missed for done, spent in best.items() if (missed := missed_worth(problem, done)) is not None]
    return min(costs)


def missed_worth(problem: Problem, done: int) -> int | None:
    """None if two jobs of one group are done."""
    missed = 0
    groups = {job.group or job.id for job in problem.jobs}
    for group in groups:
        members = [j for j, job in enumerate(problem.jobs) if (job.group or job.id) == group]
        visited = [problem.jobs[j].cost_of_leaving_out_s for j in members if done >> j & 1]
        if len(visited) > 1:
            return None
        missed += max(problem.jobs[j].cost_of_leaving_out_s for j in members) - sum(visited)
    return missed


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(small_problems())
def test_a_small_plan_keeps_every_rule_and_is_as_cheap_as_can_be_or_nearly_so(problem: Problem) -> None:
    """Local search may stay a day's tardiness or a short way behind; never a promise, never a good visit."""
    solution = solve(problem, SearchLimits(work=10))
    assert violations(problem, solution) == []
    cheapest = cheapest_by_trying_everything(problem)
    assert cheapest <= solution.cost_s(problem) <= cheapest + max(1000, cheapest % MANDATORY_COST_S // 10)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_problems())
def test_the_model_alone_keeps_every_rule(problem: Problem) -> None:
    """What OR-Tools answers can be driven as it stands, except where its break falls on the road."""
    shifts = tuple(range(len(problem.shifts)))
    able = tuple(j for j, job in enumerate(problem.jobs) if problem.eligible_shifts[job.id])
    if not able:
        return
    worths = tuple(problem.jobs[j].cost_of_leaving_out_s for j in able)
    region = Region(shifts, ((),) * len(shifts), able, worths, solution_limit=20)
    sequences = solve_region(problem, np.array(problem.seconds), region)
    assert sequences is not None
    incumbent = Incumbent(problem)
    incumbent.replace(dict(enumerate(sequences)))
    for shift, asked, kept in zip(problem.shifts, sequences, incumbent.sequences, strict=True):
        assert tuple(asked) == kept or shift.break_
    assert violations(problem, incumbent.solution()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_problems())
def test_after_improving_no_visit_is_worth_adding_or_taking_out(problem: Problem) -> None:
    incumbent = Incumbent(problem)
    incumbent.improve(range(len(problem.shifts)))
    assert incumbent.cost_s == incumbent.solution().cost_s(problem)
    assert violations(problem, incumbent.solution()) == []
    cost_s = incumbent.cost_s
    for shift, sequence in enumerate(incumbent.sequences):
        for k in range(len(sequence)):
            incumbent.replace({shift: (*sequence[:k], *sequence[k + 1 :])})
            assert incumbent.cost_s >= cost_s
            incumbent.replace({shift: sequence})
        for job in incumbent.left_out([shift]):
            for k in range(len(sequence) + 1):
                longer = (*sequence[:k], job, *sequence[k:])
                incumbent.replace({shift: longer})
                assert incumbent.cost_s >= cost_s or not incumbent.sequences[shift]
                incumbent.replace({shift: sequence})
    assert incumbent.cost_s == cost_s
