"""Between what the loops know, rows and numbers, and the problem's jobs, shifts and lodgings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from routing.problem import Job, Problem, Shift
from routing.solution import Route, Solution
from routing.solver.recreate.layout import Layout
from routing.solver.recreate.state import F_COST, FAR, NOWHERE, S_KIND
from routing.timing import schedule


class Tour(NamedTuple):
    """A route: rows of jobs in order, the lodgings before and after it, and what it costs once that is known."""

    shift: int
    jobs: tuple[int, ...]
    before: int = NOWHERE
    after: int = NOWHERE
    cost_s: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Tours of the shifts that have a job, and what they cost, less what is done is worth."""

    tours: tuple[Tour, ...]
    cost_s: int

    @property
    def done(self) -> int:
        return sum(len(tour.jobs) for tour in self.tours)


def timed(layout: Layout, plan: Plan) -> Solution:
    """The plan with its times."""
    problem = layout.problem
    routes = [_timed(problem, tour, [problem.jobs[layout.job_of[j]] for j in tour.jobs]) for tour in plan.tours]
    done = {layout.job_of[j] for tour in plan.tours for j in tour.jobs}
    return Solution(tuple(routes), tuple(job.id for j, job in enumerate(problem.jobs) if j not in done))


def _timed(problem: Problem, tour: Tour, jobs: Sequence[Job]) -> Route:
    before, after = (None if at == NOWHERE else problem.lodgings[at] for at in (tour.before, tour.after))
    shift = problem.shifts[tour.shift]
    shift = shift.between(before.place if before else shift.start_place, after.place if after else shift.end_place)
    route = schedule(*_on_few_places(problem, shift, jobs))
    assert route is not None, f"shift {shift.id}: the search and the timing do not agree"
    return replace(route, lodging_before=before.id if before else None, lodging_after=after.id if after else None)


def _on_few_places(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> tuple[Problem, Shift, list[Job]]:
    """A problem of one route with lists of int: rows of numpy arrays are slow to ask one by one, and leak numbers."""
    places = sorted({shift.start_place, shift.end_place, *(job.place for job in jobs)})
    number = {place: k for k, place in enumerate(places)}

    def part(matrix: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[int(matrix[a][b]) for b in places] for a in places]

    alone = replace(shift.between(number[shift.start_place], number[shift.end_place]), next_shift=None)
    there = [replace(job, place=number[job.place], series=None) for job in jobs]
    few = Problem(
        tuple(there),
        (alone,),
        part(problem.seconds),
        part(problem.metres),
        tables=tuple(part(table) for table in problem.tables),
        traffic=problem.traffic,
    )
    return few, alone, there


def tours_of(layout: Layout, solution: Solution) -> list[Tour]:
    """What of a solution, of this problem or an older one, keeps the rules between its routes; each route may still
    take too long."""
    problem = layout.problem
    shift_number = {shift.id: k for k, shift in enumerate(problem.shifts)}
    job_number = {job.id: row for row, job in enumerate(problem.jobs[j] for j in layout.job_of)}
    nights = _nights(problem, solution)
    groups: set[str] = set()
    last_days: dict[str, int] = {}
    apart = {spacing.series: spacing for spacing in problem.spacings}
    tours = []
    known = [route for route in solution.routes if route.shift in shift_number]
    for route in sorted(known, key=lambda route: problem.shift_by_id[route.shift].start_s):
        shift, rows = shift_number[route.shift], []
        for row in (job_number[id_] for id_ in dict.fromkeys(route.jobs) if id_ in job_number):
            job, day = problem.jobs[layout.job_of[row]], problem.shifts[shift].day
            if layout.arrays.fit[row, layout.arrays.shifts[shift, S_KIND], F_COST] >= FAR or job.group in groups:
                continue
            if job.series is not None:
                spacing = apart[job.series]
                days = day - last_days.get(job.series, day - spacing.min_days)
                if not spacing.min_days <= days <= spacing.max_days:
                    continue
                last_days[job.series] = day
            if job.group is not None:
                groups.add(job.group)
            rows.append(row)
        tours.append(Tour(shift, tuple(rows)))
    busy = {tour.shift for tour in tours if tour.jobs}
    after = {
        shift: night
        for shift, night in nights.items()
        if shift in busy and shift_number[str(problem.shifts[shift].next_shift)] in busy
    }
    before = {shift_number[str(problem.shifts[shift].next_shift)]: night for shift, night in after.items()}
    return [
        tour._replace(before=before.get(tour.shift, NOWHERE), after=after.get(tour.shift, NOWHERE))
        for tour in sorted(tours)
        if tour.jobs
    ]


def _nights(problem: Problem, solution: Solution) -> dict[int, int]:
    """Shift -> lodging after it, by their numbers, where the problem still allows that."""
    number = {lodging.id: k for k, lodging in enumerate(problem.lodgings)}
    slept = {route.shift: route.lodging_after for route in solution.routes}
    nights = {}
    for k, shift in enumerate(problem.shifts):
        night = slept.get(shift.id)
        if night in {lodging.id for lodging in problem.lodgings_after(shift)}:
            nights[k] = number[str(night)]
    return nights
