"""What a solver returns: timed routes, and the jobs that found no place in one."""

from __future__ import annotations

from dataclasses import dataclass

from routing.problem import Problem, Shift


@dataclass(frozen=True, slots=True)
class Step:
    """One job of a route. `drive_s` and `drive_m` are of the leg that ends here; 0 from another job at the same place.

    Arrive, park (`setup_s` of the job unless the previous step was at the same place), wait or take the break,
    begin, leave when the service is done.
    """

    job: str
    drive_s: int
    drive_m: int
    arrive_s: int
    begin_s: int
    leave_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """A shift's day, times in seconds since the problem's epoch. The last leg leads to the shift's end place.

    `lodging_before` and `lodging_after` are the ids of the lodgings at which the nights before and after are spent: the
    route begins or ends there instead.
    """

    shift: str
    depart_s: int
    steps: tuple[Step, ...]
    break_start_s: int | None
    return_drive_s: int
    return_drive_m: int
    return_s: int
    lodging_before: str | None = None
    lodging_after: str | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(step.job for step in self.steps)

    @property
    def drive_s(self) -> int:
        return sum(step.drive_s for step in self.steps) + self.return_drive_s

    @property
    def drive_m(self) -> int:
        return sum(step.drive_m for step in self.steps) + self.return_drive_m

    def shift_in(self, problem: Problem) -> Shift:
        """Its shift, from and to the places that it really begins and ends at."""
        shift = problem.shift_by_id[self.shift]
        before, after = self.lodging_before, self.lodging_after
        return shift.between(
            shift.start_place if before is None else problem.lodging_by_id[before].place,
            shift.end_place if after is None else problem.lodging_by_id[after].place,
        )


@dataclass(frozen=True, slots=True)
class Solution:
    """Routes with at least one job each, in the problem's order of shifts, and the ids of the jobs left out."""

    routes: tuple[Route, ...]
    unassigned: tuple[str, ...]

    def cost_s(self, problem: Problem) -> int:
        """Driving + tardiness + nights away + what was moved + what the jobs left out are worth, in seconds.

        Of a group at most one job can be done: none of it done costs its largest penalty, and doing one saves that
        job's own.
        """
        missed: dict[str, int] = {}
        for job in problem.jobs:
            key = f"job {job.id}" if job.group is None else f"group {job.group}"
            missed[key] = max(missed.get(key, 0), job.cost_of_leaving_out_s)
        cost = sum(missed.values()) + sum(job.moved_s for job in problem.jobs if job.seen_on is not None)
        for route in self.routes:
            shift = problem.shift_by_id[route.shift]
            done = [problem.job_by_id[id_] for id_ in route.jobs]
            cost += route.drive_s + sum(problem.tardiness_s(shift, job) - job.cost_of_leaving_out_s for job in done)
            cost -= sum(job.moved_s for job in done if job.seen_on == shift.id)
            if route.lodging_after is not None:
                cost += problem.lodging_by_id[route.lodging_after].cost_s
        return cost


@dataclass(frozen=True, slots=True)
class Bound:
    """No solution of the problem costs less than `cost_s`; `kind` says by which argument."""

    cost_s: int
    kind: str
