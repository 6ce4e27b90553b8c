"""What a solver returns: timed routes, and the jobs that found no place in one."""

from __future__ import annotations

from dataclasses import dataclass

from routing.problem import Problem


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
    """A shift's day, times in seconds since the problem's epoch. The last leg leads to the shift's end place."""

    shift: str
    depart_s: int
    steps: tuple[Step, ...]
    break_start_s: int | None
    return_drive_s: int
    return_drive_m: int
    return_s: int

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(step.job for step in self.steps)

    @property
    def drive_s(self) -> int:
        return sum(step.drive_s for step in self.steps) + self.return_drive_s

    @property
    def drive_m(self) -> int:
        return sum(step.drive_m for step in self.steps) + self.return_drive_m


@dataclass(frozen=True, slots=True)
class Solution:
    """Routes with at least one job each, in the problem's order of shifts, and the ids of the jobs left out."""

    routes: tuple[Route, ...]
    unassigned: tuple[str, ...]

    def cost_s(self, problem: Problem) -> int:
        """Driving + tardiness + what the jobs left out are worth, in seconds.

        Of a group at most one job can be done: none of it done costs its largest penalty, and doing one saves that
        job's own.
        """
        missed: dict[str, int] = {}
        for job in problem.jobs:
            key = f"job {job.id}" if job.group is None else f"group {job.group}"
            missed[key] = max(missed.get(key, 0), job.cost_of_leaving_out_s)
        cost = sum(missed.values())
        for route in self.routes:
            shift = problem.shift_by_id[route.shift]
            done = [problem.job_by_id[id_] for id_ in route.jobs]
            cost += route.drive_s + sum(problem.tardiness_s(shift, job) - job.cost_of_leaving_out_s for job in done)
        return cost
