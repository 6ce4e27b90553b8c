"""Random plans of a few days with every rule, and every rule lifted by hand: `routing.reasons` has to agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import strategies as st

from routing import checks
from routing.checks import violations
from routing.problem import DAY_S, UNREACHABLE, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.reasons import Deadline, Rule
from routing.solution import Route, Solution, Step
from routing.timing import schedule
from routing.traffic import Change

OPENS, LONG = 40_000, 40
EVER = (TimeWindow(0, 9 * DAY_S),)
COUNTED = (
    checks.vehicle_is_allowed,
    checks.skills_are_there,
    checks.group_is_served_once,
    checks.max_jobs_is_kept,
    checks.visits_are_spaced,
    checks.capacity_is_kept,
)
"""Rules that look at no time and no way."""


@dataclass(frozen=True)
class Plan:
    """A problem, some solution of it that keeps every rule, and the deadlines of its jobs."""

    problem: Problem
    solution: Solution
    deadlines: dict[str, Deadline]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Three shifts of two vehicles on two days, and five jobs, put into it as they come."""
    places, whole = 4, st.integers
    drives = st.sampled_from([0, 1, 2, 3, 5, 9, UNREACHABLE] if draw(st.integers(0, 4)) == 0 else [0, 1, 2, 3, 5, 9])
    seconds = [[0 if a == b else draw(drives) for b in range(places)] for a in range(places)]
    shifts = []
    for number, (vehicle, day) in enumerate([("ann", 0), ("ben", 0), ("ann", draw(whole(1, 2)))]):
        start = day * DAY_S + OPENS + draw(whole(0, 6))
        end = start + draw(whole(10, LONG))
        rest = None
        if draw(st.booleans()):
            opens = draw(whole(start, end - 6))
            rest = Break(draw(whole(1, 5)), opens, draw(whole(opens + 5, end)))
        shifts.append(
            Shift(
                f"{vehicle}{number}",
                vehicle,
                draw(whole(0, places - 1)),
                draw(whole(0, places - 1)),
                start,
                end,
                rest,
                draw(st.sampled_from([None, None, 1, 2])),
                draw(st.sampled_from([frozenset[str](), frozenset({"x"})])),
                draw(st.sampled_from([None, None, 2])),
            )
        )
    if shifts[2].day == 1 and draw(st.booleans()):
        shifts[0] = replace(shifts[0], next_shift=shifts[2].id)
    deadlines: dict[str, Deadline] = {}
    jobs = []
    for number in range(5):
        service = draw(whole(0, 6))
        bounds = sorted(draw(st.lists(whole(0, 2 * LONG - 1), min_size=2, max_size=6, unique=True)))
        windows = [
            TimeWindow(*(b // LONG * DAY_S + OPENS + b % LONG for b in pair))
            for pair in zip(bounds[::2], bounds[1::2], strict=False)
        ]
        if draw(st.booleans()):
            windows = [*EVER]
        if draw(st.integers(0, 3)) == 0:
            by = draw(whole(0, 1)) * DAY_S + OPENS + draw(whole(0, LONG))
            deadlines[str(number)] = Deadline(by, tuple(windows))
            windows = [TimeWindow(w.start_s, min(w.end_s, by)) for w in windows if w.start_s <= by]
        seen = draw(st.sampled_from([None] * 4 + [shifts[0].id]))
        jobs.append(
            Job(
                str(number),
                draw(whole(0, places - 1)),
                service,
                tuple(windows),
                draw(whole(0, 2)),
                draw(st.sampled_from([None, 4, 15, 40])),
                draw(st.sampled_from([None, None, frozenset({"ann"}), frozenset({"ben"}), frozenset({"gone"})])),
                draw(st.sampled_from([frozenset[str]()] * 4 + [frozenset({"x"})])),
                draw(st.sampled_from([None] * 4 + ["account"])),
                draw(st.sampled_from([None, 0])),
                3,
                draw(whole(0, 2)),
                draw(st.sampled_from([None, None, "repeats"])),
                seen,
                6 if seen else 0,
            )
        )
    metres = [[leg * 10 if leg > 0 else leg for leg in row] for row in seconds]
    slower = [[leg * 2 if leg > 0 else leg for leg in row] for row in seconds]
    traffic = draw(st.booleans())
    changes = (Change(0, 0), Change(OPENS + 12, 1), Change(OPENS + 25, 0), Change(DAY_S + OPENS + 10, 1))
    problem = Problem(
        tuple(jobs),
        tuple(shifts),
        seconds,
        metres,
        (Spacing("repeats", 1, draw(whole(1, 2))),),
        (Lodging("inn", draw(whole(0, places - 1)), 5),),
        (slower,) if traffic else (),
        changes if traffic else (),
    )
    solution = Solution((), tuple(job.id for job in jobs))
    numbers: list[int] = draw(st.permutations(range(len(jobs))))
    for job in (jobs[number] for number in numbers):
        positions = [each for each in insertions(problem, solution, job) if not violations(problem, each)]
        if draw(whole(0, 3)) and positions:
            solution = draw(st.sampled_from(positions))
    away = [each for each in _away(problem, solution) if not violations(problem, each)]
    return Plan(problem, away[0] if away else solution, deadlines)


def _away(problem: Problem, solution: Solution) -> Iterator[Solution]:
    """The same with a night away."""
    shift = problem.shifts[0]
    routes = {route.shift: route for route in solution.routes}
    evening, morning = routes.get(shift.id), routes.get(shift.next_shift or "")
    if evening is None or morning is None:
        return
    inn = problem.lodgings[0]
    for away in (replace(evening, lodging_after=inn.id), replace(morning, lodging_before=inn.id)):
        real = away.shift_in(problem)
        timed = schedule(problem, real, [problem.job_by_id[id_] for id_ in away.jobs])
        if timed is None:
            return
        routes[away.shift] = replace(timed, lodging_before=away.lodging_before, lodging_after=away.lodging_after)
    yield Solution(tuple(routes[s.id] for s in problem.shifts if s.id in routes), solution.unassigned)


def insertions(problem: Problem, solution: Solution, job: Job) -> Iterator[Solution]:
    """The solution with the job at every position of every shift where that can be timed."""
    routes = {route.shift: route for route in solution.routes}
    for shift in problem.shifts:
        order = routes[shift.id].jobs if shift.id in routes else ()
        for position in range(len(order) + 1):
            found = with_order(problem, solution, shift, (*order[:position], job.id, *order[position:]))
            if found is not None:
                yield found


def with_order(problem: Problem, solution: Solution, shift: Shift, order: Collection[str]) -> Solution | None:
    """The solution with another order on one shift; what is then done nowhere is left out."""
    routes = {route.shift: route for route in solution.routes}
    before = routes.get(shift.id)
    real = shift if before is None else before.shift_in(problem)
    if order:
        # How many there may be and what they may demand is asked of the checks.
        timed = schedule(
            problem, replace(real, max_jobs=None, capacity=None), [problem.job_by_id[id_] for id_ in order]
        )
        if timed is None:
            return None
        nights = (before.lodging_before, before.lodging_after) if before else (None, None)
        routes[shift.id] = replace(timed, lodging_before=nights[0], lodging_after=nights[1])
    else:
        routes.pop(shift.id, None)
    done = {id_ for route in routes.values() for id_ in route.jobs}
    left_out = tuple(job.id for job in problem.jobs if job.id not in done)
    return Solution(tuple(routes[s.id] for s in problem.shifts if s.id in routes), left_out)


def at_usual_hours(problem: Problem, solution: Solution) -> int:
    """The cost of a solution if every leg took as long as in the first table."""
    usual = 0
    for route in solution.routes:
        usual += sum(_legs(problem, route.shift_in(problem), route.jobs)) - route.drive_s
    return solution.cost_s(problem) + usual


def added_cost_s(problem: Problem, before: Solution, after: Solution, job: Job) -> int:
    """What the cost has risen by, without what the job is worth."""
    return at_usual_hours(problem, after) - at_usual_hours(problem, before) + job.cost_of_leaving_out_s


def can_be_taken_in(plan: Plan, job_id: str, without: Collection[Rule]) -> bool:
    """Whether the job fits into the plan somewhere when these rules are lifted: each by changing the problem."""
    routes = {route.shift: route for route in plan.solution.routes}
    for kept in plan.problem.shifts:
        problem, job = _relaxed(plan, job_id, kept, without)
        free = Rule.WORTH in without or job.penalty_s is None
        shift = problem.shift_by_id[kept.id]
        order = routes[shift.id].jobs if shift.id in routes else ()
        real = routes[shift.id].shift_in(problem) if shift.id in routes else shift
        ways = [(*order[:k], job_id, *order[k:]) for k in range(len(order) + 1)]
        if Rule.TIME_TAKEN not in without:
            for way in ways:
                found = with_order(problem, plan.solution, shift, way)
                if found is None or violations(problem, found):
                    continue
                # Tardiness counts from the shift's usual start.
                usual = replace(problem, shifts=plan.problem.shifts)
                if free or added_cost_s(usual, plan.solution, found, job) < job.cost_of_leaving_out_s:
                    return True
            continue
        if schedule(problem, replace(real, max_jobs=None, capacity=None), [job]) is None and not _by_the_way(
            problem, real, job
        ):
            continue
        for way in [*ways, (job_id,)]:
            alone = way == (job_id,)
            legs = _legs(problem, real, way)
            if any(leg == UNREACHABLE for leg in legs):
                continue
            before = 0 if alone or not order else sum(_legs(problem, real, order))
            extra = problem.tardiness_s(kept, job) - (job.moved_s if job.seen_on == shift.id else 0)
            if not free and sum(legs) - before + extra >= job.cost_of_leaving_out_s:
                continue
            counted = Route(shift.id, 0, (), None, 0, 0, 0)
            if not _broken_by_counting(problem, plan.solution, counted, (*order, job_id)):
                return True
    return False


def _by_the_way(problem: Problem, shift: Shift, job: Job) -> bool:
    """Whether the job alone fits by the hour where ways from and to the shift's ends that are none take no time."""
    seconds = [[max(leg, 0) for leg in row] for row in problem.seconds]
    tables = tuple([[max(leg, 0) for leg in row] for row in table] for table in problem.tables)
    free = replace(problem, seconds=seconds, tables=tables)
    return schedule(free, replace(shift, max_jobs=None, capacity=None), [job]) is not None


def _legs(problem: Problem, shift: Shift, order: Collection[str]) -> list[int]:
    places = [shift.start_place, *(problem.job_by_id[id_].place for id_ in order), shift.end_place]
    return [problem.seconds[a][b] for a, b in pairwise(places)]


def _broken_by_counting(problem: Problem, solution: Solution, route: Route, order: Collection[str]) -> bool:
    routes = [each for each in solution.routes if each.shift != route.shift]
    untimed = tuple(Step(id_, 0, 0, 0, 0, 0) for id_ in order)
    whole = Solution((*routes, replace(route, steps=untimed)), ())
    return any(list(rule(problem, whole)) for rule in COUNTED)


def _relaxed(plan: Plan, job_id: str, shift: Shift, without: Collection[Rule]) -> tuple[Problem, Job]:
    """The problem without these rules, of the hours for this one shift."""
    problem = plan.problem
    job = problem.job_by_id[job_id]
    deadline = plan.deadlines.get(job_id)
    if Rule.GROUP in without:
        job = replace(job, group=None)
    if Rule.VEHICLES in without:
        job = replace(job, vehicles=None)
    if Rule.SKILLS in without:
        job = replace(job, skills=frozenset())
    if Rule.SPACING in without:
        job = replace(job, series=None)
    if Rule.CAPACITY in without:
        shift = replace(shift, capacity=None)
    if Rule.MAX_JOBS in without:
        shift = replace(shift, max_jobs=None)
    if Rule.SHIFT_START in without:
        shift = replace(shift, start_s=shift.day * DAY_S)
    if Rule.SHIFT_END in without:
        shift = replace(shift, end_s=(shift.day + 1) * DAY_S)
    if Rule.BREAK in without:
        shift = replace(shift, break_=None)
    problem = replace(problem, shifts=tuple(shift if each.id == shift.id else each for each in problem.shifts))
    if Rule.UNREACHABLE in without:
        tables = [
            [[max(leg, 0) for leg in row] for row in table]
            for table in (problem.seconds, problem.metres, *problem.tables)
        ]
        problem = replace(problem, seconds=tables[0], metres=tables[1], tables=tuple(tables[2:]))
    if Rule.WINDOWS in without:
        by = deadline.begin_by_s if deadline and Rule.DEADLINE not in without else EVER[0].end_s
        job = replace(job, windows=(TimeWindow(0, by),))
    elif deadline and Rule.DEADLINE in without:
        job = replace(job, windows=deadline.windows)
    return replace(problem, jobs=tuple(job if each.id == job_id else each for each in problem.jobs)), job
