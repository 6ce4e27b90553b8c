"""Sequences of another solver become a solution of ours: timed, and judged by the same cost and the same rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from routing.checks import Violation, violations
from routing.errors import InstanceError
from routing.problem import UNREACHABLE, Job, Problem, Shift
from routing.resequencing import resequenced
from routing.solution import Route, Solution, Step
from routing.timing import Timeline, schedule, setup_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a solution costs and does, and what it breaks."""

    cost_s: int
    drive_s: int
    done: int
    mandatory_left_out: int
    violations: tuple[Violation, ...]


def verdict(problem: Problem, solution: Solution) -> Verdict:
    """The one way to judge a solution, whoever found it."""
    return Verdict(
        solution.cost_s(problem),
        sum(route.drive_s for route in solution.routes),
        sum(len(route.steps) for route in solution.routes),
        sum(problem.job_by_id[id_].mandatory for id_ in solution.unassigned),
        tuple(violations(problem, solution)),
    )


def as_driven(
    problem: Problem, sequences: Mapping[str, Sequence[str]], nights: Mapping[str, str] | None = None
) -> Solution:
    """The sequences with the times of a day that keeps every rule or, where there is none, of a day as early as can be.

    What is wrong with the latter, `violations` says. `nights` are lodgings by the shifts after which they are used.

    Raises:
        InstanceError: a shift, job or lodging that the problem does not have.
    """
    nights = nights or {}
    routes = []
    for id_ in (*sequences, *nights):
        if id_ not in problem.shift_by_id:
            raise InstanceError(f"there is no shift {id_}")
    for lodging in nights.values():
        if lodging not in problem.lodging_by_id:
            raise InstanceError(f"there is no lodging {lodging}")
    before = {problem.shift_by_id[id_].next_shift: lodging for id_, lodging in nights.items()}
    for shift in problem.shifts:
        jobs = [_job(problem, id_) for id_ in sequences.get(shift.id, ())]
        if jobs:
            ends = (before.get(shift.id), nights.get(shift.id))
            places = [problem.lodging_by_id[at].place if at else None for at in ends]
            between = shift.between(
                shift.start_place if places[0] is None else places[0],
                shift.end_place if places[1] is None else places[1],
            )
            route = schedule(problem, between, jobs) or _as_early_as_can_be(problem, between, jobs)
            routes.append(_with_nights(route, *ends))
    return _solution(problem, routes)


def mended(problem: Problem, sequences: Mapping[str, Sequence[str]]) -> tuple[Solution, tuple[str, ...]]:
    """The best of sequences that know nothing of some rules; and the jobs of them that are not in it.

    Of each sequence all is done, in its order or another, or else what must be done and then what is worth most, in
    its order. What had no place there goes where it adds least driving, if that is less than it is worth. Of a group
    the first stays; of a series, what is not as far apart as it must be goes. All nights are spent at home.
    """
    days: dict[str, list[Job]] = {}
    groups: set[str] = set()
    homeless: list[Job] = []
    for shift in problem.shifts:
        possible = []
        for job in (_job(problem, id_) for id_ in sequences.get(shift.id, ())):
            if job.group in groups or not problem.may_serve(shift, job):
                homeless.append(job)
                continue
            possible.append(job)
            if job.group is not None:
                groups.add(job.group)
        order = possible
        if not Timeline.of(problem, shift, possible).feasible:
            order = list(resequenced(problem, shift, possible) or _what_fits(problem, shift, possible))
        days[shift.id] = order
        homeless += [job for job in possible if job not in order]
    for job in sorted(homeless, key=lambda job: (-job.cost_of_leaving_out_s, job.id)):
        if not any(job.group is not None and other.group == job.group for day in days.values() for other in day):
            _put(problem, days, job)
    too_near = _badly_spaced(problem, days)
    routes = []
    for shift in problem.shifts:
        route = schedule(problem, shift, [job for job in days[shift.id] if job.id not in too_near])
        if route is not None:
            routes.append(route)
    solution = _solution(problem, routes)
    left_out = set(solution.unassigned)
    return solution, tuple(id_ for ids in sequences.values() for id_ in ids if id_ in left_out)


def _what_fits(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> list[Job]:
    """In their order: what must be done first, then what is worth most."""
    kept: list[tuple[int, Job]] = []
    for place, job in sorted(enumerate(jobs), key=lambda each: (-each[1].cost_of_leaving_out_s, each[0])):
        longer = sorted([*kept, (place, job)], key=lambda each: each[0])
        if Timeline.of(problem, shift, [each for _, each in longer]).feasible:
            kept = longer
    return [job for _, job in kept]


def _put(problem: Problem, days: Mapping[str, list[Job]], job: Job) -> None:
    """Where it adds least driving, if anywhere for less than it is worth."""
    best: tuple[int, str, int] | None = None
    for shift in problem.eligible_shifts[job.id]:
        line = Timeline.of(problem, shift, days[shift.id])
        for position in range(len(line.jobs) + 1):
            added_s = line.added_drive_s(job, position)
            if added_s is not None and added_s < job.cost_of_leaving_out_s:
                place = (added_s, shift.id, position)
                best = place if best is None else min(best, place)
    if best is not None:
        days[best[1]].insert(best[2], job)


def _job(problem: Problem, id_: str) -> Job:
    if id_ not in problem.job_by_id:
        raise InstanceError(f"there is no job {id_}")
    return problem.job_by_id[id_]


def _badly_spaced(problem: Problem, done: Mapping[str, Iterable[Job]]) -> set[str]:
    """Of each series, from the first day on: what is too near to the one before it that stays, or too far from it."""
    days: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for shift in problem.shifts:
        for job in done[shift.id]:
            if job.series is not None:
                days[job.series].append((shift.day, job.id))
    wrong: set[str] = set()
    for spacing in problem.spacings:
        last: int | None = None
        for day, id_ in sorted(days[spacing.series]):
            if last is not None and not spacing.min_days <= day - last <= spacing.max_days:
                wrong.add(id_)
            else:
                last = day
    return wrong


def _solution(problem: Problem, routes: Sequence[Route]) -> Solution:
    served = {id_ for route in routes for id_ in route.jobs}
    return Solution(tuple(routes), tuple(job.id for job in problem.jobs if job.id not in served))


def _with_nights(route: Route, before: str | None, after: str | None) -> Route:
    return Route(
        route.shift,
        route.depart_s,
        route.steps,
        route.break_start_s,
        route.return_drive_s,
        route.return_drive_m,
        route.return_s,
        before,
        after,
    )


def _as_early_as_can_be(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> Route:
    """Everything in order, waiting for the next window while there is one, and no break: whatever that breaks."""
    now, place, steps = shift.start_s, shift.start_place, []
    for job in jobs:
        arrive = _arrival(problem, place, job.place, now)
        ready = arrive + setup_s(place, job)
        begin = next((max(ready, window.start_s) for window in job.windows if ready <= window.end_s), ready)
        metres = problem.metres[place][job.place]
        steps.append(Step(job.id, arrive - now, metres, arrive, begin, begin + job.service_s))
        now, place = begin + job.service_s, job.place
    home = _arrival(problem, place, shift.end_place, now)
    return Route(shift.id, shift.start_s, tuple(steps), None, home - now, problem.metres[place][shift.end_place], home)


def _arrival(problem: Problem, a: int, b: int, now: int) -> int:
    """When somebody is there; at once where no way leads, which `legs_are_driven` says."""
    return now if problem.seconds[a][b] == UNREACHABLE else problem.arrive_s(a, b, now)
