"""Every hard rule again, in plain Python, from the problem's own numbers: never asking the solver, nor `timing`.

`RULES` is the table of contents. A rule takes the problem and the solution and yields the violations it finds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from routing.problem import DAY_S, UNREACHABLE, Job, Problem, Shift
from routing.solution import Route, Solution, Step


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a solution breaks, where, and how, as a sentence."""

    rule: str
    record: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.record}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Visit:
    """A step with all that it refers to, and the place that the vehicle came from."""

    shift: Shift
    step: Step
    job: Job
    from_place: int
    free_s: int
    """When the vehicle was free to drive: the departure from the start, or the previous service's end."""


def _visits(problem: Problem, solution: Solution) -> Iterator[_Visit]:
    for route in solution.routes:
        shift = route.shift_in(problem)
        place, free = shift.start_place, route.depart_s
        for step in route.steps:
            job = problem.job_by_id[step.job]
            yield _Visit(shift, step, job, place, free)
            place, free = job.place, step.leave_s


def every_job_is_accounted_for(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Each job is done once or listed as left out, once; nothing else is in the solution."""
    places = Counter(id_ for route in solution.routes for id_ in route.jobs)
    places.update(solution.unassigned)
    for job in problem.jobs:
        if places[job.id] != 1:
            yield Violation("every_job_is_accounted_for", job.id, f"it stands {places[job.id]} times in the solution")
    for route, times in Counter(r.shift for r in solution.routes).items():
        if times != 1:
            yield Violation("every_job_is_accounted_for", route, f"the shift has {times} routes")


def vehicle_is_allowed(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """A job that names its vehicles is done by one of them."""
    for v in _visits(problem, solution):
        if v.job.vehicles is not None and v.shift.vehicle not in v.job.vehicles:
            yield Violation("vehicle_is_allowed", v.job.id, f"{v.shift.vehicle} is not one of its vehicles")


def skills_are_there(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """The vehicle has every skill that the job requires."""
    for v in _visits(problem, solution):
        missing = v.job.skills - v.shift.skills
        if missing:
            yield Violation("skills_are_there", v.job.id, f"{v.shift.vehicle} lacks {', '.join(sorted(missing))}")


def group_is_served_once(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Of the jobs that share a group, at most one is done."""
    groups = Counter(v.job.group for v in _visits(problem, solution) if v.job.group is not None)
    for group, times in groups.items():
        if times > 1:
            yield Violation("group_is_served_once", str(group), f"it is served {times} times")


def visits_are_spaced(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Of a series, what is done one after the other is as many days apart as its spacing says."""
    days: dict[str, list[int]] = defaultdict(list)
    for v in _visits(problem, solution):
        if v.job.series is not None:
            days[v.job.series].append(v.shift.start_s // DAY_S)
    for spacing in problem.spacings:
        for day, following in pairwise(sorted(days[spacing.series])):
            if not spacing.min_days <= following - day <= spacing.max_days:
                how = f"days {day} and {following} are not {spacing.min_days} to {spacing.max_days} apart"
                yield Violation("visits_are_spaced", spacing.series, how)


def max_jobs_is_kept(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """No shift does more jobs than it may."""
    for route in solution.routes:
        most = problem.shift_by_id[route.shift].max_jobs
        if most is not None and len(route.steps) > most:
            yield Violation("max_jobs_is_kept", route.shift, f"{len(route.steps)} jobs, at most {most}")


def capacity_is_kept(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """No shift is given more demand than its capacity."""
    for route in solution.routes:
        capacity = problem.shift_by_id[route.shift].capacity
        load = sum(problem.job_by_id[id_].demand for id_ in route.jobs)
        if capacity is not None and load > capacity:
            yield Violation("capacity_is_kept", route.shift, f"a demand of {load}, at most {capacity}")


def legs_are_driven(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Every leg exists, begins when the vehicle is free, and takes as long as it takes at that hour."""
    for v in _visits(problem, solution):
        for how in _driven(
            problem, v.from_place, v.job.place, v.free_s, (v.step.drive_s, v.step.drive_m), v.step.arrive_s
        ):
            yield Violation("legs_are_driven", v.job.id, how)
    for route in solution.routes:
        shift = route.shift_in(problem)
        if not route.steps:
            yield Violation("legs_are_driven", route.shift, "a route without a job")
            continue
        last, drive = problem.job_by_id[route.steps[-1].job].place, (route.return_drive_s, route.return_drive_m)
        for how in _driven(problem, last, shift.end_place, route.steps[-1].leave_s, drive, route.return_s):
            yield Violation("legs_are_driven", route.shift, f"to its end: {how}")


def _driven(
    problem: Problem, origin: int, destination: int, free_s: int, drive: tuple[int, int], arrive_s: int
) -> Iterator[str]:
    """What is wrong with a leg that is said to take so many seconds and metres and to be over then."""
    if problem.seconds[origin][destination] == UNREACHABLE:
        yield "it cannot be reached from the stop before"
        return
    depart_s = arrive_s - drive[0]
    seconds = problem.arrive_s(origin, destination, depart_s) - depart_s
    metres = problem.metres[origin][destination]
    if drive != (seconds, metres):
        yield f"drives {drive[0]} s, {drive[1]} m, not {seconds} s, {metres} m"
    elif depart_s < free_s:
        yield f"arrives {free_s - depart_s} s sooner than driving takes"


def parking_is_paid(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Service begins after the arrival and, on coming from another place, the setup."""
    for v in _visits(problem, solution):
        setup = v.job.setup_s if v.from_place != v.job.place else 0
        if v.step.begin_s < v.step.arrive_s + setup:
            yield Violation("parking_is_paid", v.job.id, f"begins {v.step.begin_s - v.step.arrive_s} s after arriving")


def service_takes_its_time(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Service lasts exactly as long as the job says."""
    for v in _visits(problem, solution):
        if v.step.leave_s - v.step.begin_s != v.job.service_s:
            yield Violation("service_takes_its_time", v.job.id, f"{v.step.leave_s - v.step.begin_s} s")


def service_begins_in_a_window(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Service begins within one of the job's time windows."""
    for v in _visits(problem, solution):
        if not any(w.start_s <= v.step.begin_s <= w.end_s for w in v.job.windows):
            yield Violation("service_begins_in_a_window", v.job.id, f"begins at {v.step.begin_s} s, in no window")


def shift_is_kept(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """The vehicle leaves after the shift's start and is at its end place by the shift's end."""
    for route in solution.routes:
        shift = problem.shift_by_id[route.shift]
        if route.depart_s < shift.start_s:
            yield Violation("shift_is_kept", route.shift, f"departs {shift.start_s - route.depart_s} s early")
        if route.return_s > shift.end_s:
            yield Violation("shift_is_kept", route.shift, f"returns {route.return_s - shift.end_s} s late")


def break_is_taken(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """The break lies in its window, in time that is neither driving, parking nor service."""
    for route in solution.routes:
        shift = route.shift_in(problem)
        if shift.break_ is None:
            if route.break_start_s is not None:
                yield Violation("break_is_taken", route.shift, "a break that the shift does not have")
            continue
        if route.break_start_s is None:
            yield Violation("break_is_taken", route.shift, "no break")
            continue
        begin, end = route.break_start_s, route.break_start_s + shift.break_.duration_s
        if begin < shift.break_.start_s or end > shift.break_.end_s:
            yield Violation("break_is_taken", route.shift, f"the break at {begin} s is not within its window")
        if not any(idle_from <= begin and end <= idle_to for idle_from, idle_to in _idle(problem, shift, route)):
            yield Violation(
                "break_is_taken", route.shift, f"the break at {begin} s overlaps driving, parking or service"
            )


def _idle(problem: Problem, shift: Shift, route: Route) -> Iterator[tuple[int, int]]:
    """The spans of the shift that are neither driving, parking nor service, in order."""
    free, place = shift.start_s, shift.start_place
    departed = False
    for step in route.steps:
        job = problem.job_by_id[step.job]
        yield free, (step.arrive_s - step.drive_s if departed else route.depart_s)
        setup = job.setup_s if place != job.place else 0
        yield step.arrive_s + setup, step.begin_s
        free, place, departed = step.leave_s, job.place, True
    yield free, route.return_s - route.return_drive_s
    yield route.return_s, shift.end_s


def nights_match(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """A night away lies between a shift's route and that of its next shift, at one lodging that takes the vehicle."""
    nights = {route.shift: route.lodging_after for route in solution.routes}
    mornings = {route.shift: route.lodging_before for route in solution.routes}
    follows = {shift.next_shift: shift.id for shift in problem.shifts if shift.next_shift is not None}
    for id_, lodging in nights.items():
        shift = problem.shift_by_id[id_]
        if lodging is None:
            continue
        takes = problem.lodging_by_id[lodging].vehicles
        if shift.next_shift is None:
            yield Violation("nights_match", id_, f"ends at {lodging}, and no shift follows")
        elif takes is not None and shift.vehicle not in takes:
            yield Violation("nights_match", id_, f"{lodging} does not take {shift.vehicle}")
        elif mornings.get(shift.next_shift) != lodging:
            yield Violation("nights_match", id_, f"ends at {lodging}, where {shift.next_shift} does not begin")
    for id_, lodging in mornings.items():
        if lodging is not None and nights.get(follows.get(id_, "")) != lodging:
            yield Violation("nights_match", id_, f"begins at {lodging}, where no shift before it ends")


RULES: tuple[Callable[[Problem, Solution], Iterator[Violation]], ...] = (
    every_job_is_accounted_for,
    vehicle_is_allowed,
    skills_are_there,
    group_is_served_once,
    visits_are_spaced,
    max_jobs_is_kept,
    capacity_is_kept,
    legs_are_driven,
    parking_is_paid,
    service_takes_its_time,
    service_begins_in_a_window,
    shift_is_kept,
    break_is_taken,
    nights_match,
)


def violations(problem: Problem, solution: Solution) -> list[Violation]:
    """All that is wrong with a solution, rule by rule; empty when it may be used.

    A mandatory job among `solution.unassigned` is no violation here: it is for the caller to say what that means.
    """
    known_jobs, known_shifts = problem.job_by_id, problem.shift_by_id
    strangers = (
        [
            Violation("every_job_is_accounted_for", id_, "no such job in the problem")
            for id_ in [*(id_ for r in solution.routes for id_ in r.jobs), *solution.unassigned]
            if id_ not in known_jobs
        ]
        + [
            Violation("every_job_is_accounted_for", route.shift, "no such shift in the problem")
            for route in solution.routes
            if route.shift not in known_shifts
        ]
        + [
            Violation("nights_match", route.shift, f"no lodging {lodging} in the problem")
            for route in solution.routes
            for lodging in (route.lodging_before, route.lodging_after)
            if lodging is not None and lodging not in problem.lodging_by_id
        ]
    )
    return strangers or [violation for rule in RULES for violation in rule(problem, solution)]
