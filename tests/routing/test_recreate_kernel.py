"""The compiled loops decide exactly as `routing.timing`, `routing.checks` and `Solution.cost_s` do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import World, busy_worlds, jobs, shifts, worlds

from routing.native import COMPILED, native
from routing.problem import Job, Shift
from routing.solver.recreate.inserting import cheapest
from routing.solver.recreate.lane import Lane
from routing.solver.recreate.layout import laid_out
from routing.solver.recreate.plans import Tour
from routing.solver.recreate.state import Arrays, State
from routing.timing import Timeline

pytestmark = pytest.mark.skipif(not COMPILED, reason="there is no compiler")
PLACES = 4


@native
def tried(c: int, r: int, first: int, end: int, a: Arrays, s: State) -> tuple[int, int]:
    return cheapest(
        c,
        r,
        first,
        end,
        1e9,
        0.0,
        a.jobs,
        a.shifts,
        a.fit,
        a.windows,
        a.pairs,
        a.seconds,
        a.changes,
        s.counters,
        s.nodes,
        s.routes,
    )


@st.composite
def days(draw: st.DrawFn) -> tuple[World, Shift, list[Job]]:
    world = draw(st.one_of(worlds(PLACES), busy_worlds(PLACES)))
    shift = replace(draw(shifts(PLACES)), capacity=draw(st.sampled_from([None, None, 3])))
    offered = [
        replace(
            draw(jobs(PLACES, f"job{k}")), demand=draw(st.integers(0, 2)), vehicles=None, skills=frozenset(), group=None
        )
        for k in range(draw(st.integers(1, 6)))
    ]
    return world, shift, offered


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days())
def test_a_job_fits_where_timing_says_and_costs_what_it_says(day: tuple[World, Shift, list[Job]]) -> None:
    """All but the last job stand on the day, the last is tried everywhere."""
    world, shift, offered = day
    problem = world.problem(shift, tuple(offered))
    layout = laid_out(problem)
    rows = list(range(len(layout.job_of)))
    there = {problem.jobs[j].id: row for row, j in enumerate(layout.job_of)}
    for job in problem.jobs:
        assert (job.id in there) == problem.may_serve(shift, job)
    if not rows:
        return
    lane = Lane(layout, 1)
    for count in range(len(rows)):
        sequence = tuple(rows[:count])
        known = [problem.jobs[layout.job_of[j]] for j in sequence]
        if count > layout.longest:
            assert not Timeline.of(problem, shift, known).feasible
            break
        lane.set([Tour(0, sequence)] if sequence else [])
        timeline = Timeline.of(problem, shift, known)
        if known:
            assert lane.fits[0] == timeline.feasible
        new = problem.jobs[layout.job_of[rows[count]]]
        if not (timeline.feasible or not known):
            continue
        for position in range(count + 1):
            cost_s, at = tried(rows[count], 0, position, position + 1, layout.arrays, lane.state)
            with_it = Timeline.of(problem, shift, [*known[:position], new, *known[position:]])
            assert (at == position) == with_it.feasible
            if with_it.feasible and not problem.tables:
                assert cost_s == with_it.drive_s - (timeline.drive_s if known else 0)
