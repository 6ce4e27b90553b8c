"""A planning problem: jobs at places, shifts of vehicles, minutes between places.

Frozen, self-checking, standard library only. All times are whole seconds since one instant that the caller
chooses (the problem's epoch, in UTC), so that a clock change in the middle of a week changes nothing here.
All costs are seconds of driving or what is worth as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from routing.errors import ProblemError

UNREACHABLE = -1
"""Seconds and metres between places of which no way leads from the one to the other."""
DAY_S = 86_400
MAX_TIME_S = 400 * DAY_S
MAX_COST_S = 10 * DAY_S
MANDATORY_COST_S = 100 * DAY_S
"""What leaving out a mandatory job counts for: more than any optional one, small enough that sums stay exact."""


def _check(ok: bool, record: str, message: str) -> None:
    if not ok:
        raise ProblemError(f"{record}: {message}")


@dataclass(frozen=True, slots=True, order=True)
class TimeWindow:
    """When service may begin, both ends included."""

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        # Windows are built by the ten thousand: what is wrong is put into words only where something is.
        if not 0 <= self.start_s <= self.end_s <= MAX_TIME_S:
            raise ProblemError(f"time window: [{self.start_s}, {self.end_s}] is empty or outside the clock")


@dataclass(frozen=True, slots=True)
class Break:
    """A break of `duration_s` that lies wholly between `start_s` and `end_s`."""

    duration_s: int
    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        _check(self.duration_s > 0, "break", f"duration {self.duration_s} s is not positive")
        _check(
            self.start_s >= 0 and self.start_s + self.duration_s <= self.end_s <= MAX_TIME_S,
            "break",
            f"{self.duration_s} s do not fit between {self.start_s} and {self.end_s}",
        )

    @property
    def latest_start_s(self) -> int:
        return self.end_s - self.duration_s


@dataclass(frozen=True, slots=True)
class Shift:
    """One vehicle on one day: leaves its start place after `start_s`, is at its end place by `end_s`.

    The break is owed on every day that has a job; it may be taken anywhere that is neither driving, parking nor
    service, at the start or end place too.
    """

    id: str
    vehicle: str
    start_place: int
    end_place: int
    start_s: int
    end_s: int
    break_: Break | None = None
    max_jobs: int | None = None
    skills: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        record = f"shift {self.id}"
        _check(
            0 <= self.start_s < self.end_s <= MAX_TIME_S, record, f"[{self.start_s}, {self.end_s}] is no working time"
        )
        _check(self.max_jobs is None or self.max_jobs >= 0, record, f"max_jobs {self.max_jobs} is negative")
        if self.break_:
            _check(
                self.start_s <= self.break_.start_s and self.break_.end_s <= self.end_s,
                record,
                "the break window reaches outside the shift",
            )

    def allows(self, job: Job) -> bool:
        """The vehicle is one of the job's and has its skills."""
        return (job.vehicles is None or self.vehicle in job.vehicles) and job.skills <= self.skills


@dataclass(frozen=True, slots=True)
class Job:
    """One visit of a vehicle to a place.

    `setup_s` is spent before service on arriving from another place (parking, walking in): several jobs in a row at
    one place pay it once. `penalty_s` is what leaving the job out costs; None means it must be done. Of the jobs
    that share a `group`, at most one is done. A job done on a shift that starts after `due_s` costs
    `tardiness_s_per_day` for each day begun.
    """

    id: str
    place: int
    service_s: int
    windows: tuple[TimeWindow, ...]
    setup_s: int = 0
    penalty_s: int | None = None
    vehicles: frozenset[str] | None = None
    skills: frozenset[str] = frozenset()
    group: str | None = None
    due_s: int | None = None
    tardiness_s_per_day: int = 0

    def __post_init__(self) -> None:
        wrong = ""
        if not 0 <= self.service_s <= DAY_S:
            wrong = f"service_s {self.service_s} is not between 0 and a day"
        elif not 0 <= self.setup_s <= DAY_S:
            wrong = f"setup_s {self.setup_s} is not between 0 and a day"
        elif self.penalty_s is not None and not 0 <= self.penalty_s <= MAX_COST_S:
            wrong = f"penalty_s {self.penalty_s} is not between 0 and {MAX_COST_S}"
        elif not 0 <= self.tardiness_s_per_day <= MAX_COST_S:
            wrong = f"tardiness_s_per_day {self.tardiness_s_per_day}"
        elif any(before.end_s >= after.start_s for before, after in pairwise(self.windows)):
            wrong = "windows overlap or are not in order"
        if wrong:
            raise ProblemError(f"job {self.id}: {wrong}")

    def at(self, place: int) -> Job:
        """The same job with its place named by another number; in half the time of `dataclasses.replace`."""
        return Job(
            self.id,
            place,
            self.service_s,
            self.windows,
            self.setup_s,
            self.penalty_s,
            self.vehicles,
            self.skills,
            self.group,
            self.due_s,
            self.tardiness_s_per_day,
        )

    @property
    def mandatory(self) -> bool:
        return self.penalty_s is None

    @property
    def cost_of_leaving_out_s(self) -> int:
        return MANDATORY_COST_S if self.penalty_s is None else self.penalty_s


@dataclass(frozen=True)
class Problem:
    """Jobs, shifts and the n × n matrices `seconds` and `metres` between the places that they name by index.

    `seconds[i][j]` is -1 where j cannot be reached from i. Seconds and metres need not be symmetric.

    Raises:
        ProblemError: ids that occur twice, places outside the matrix, a matrix that is not square or has a negative
            entry other than -1; the message names the record.
    """

    jobs: tuple[Job, ...]
    shifts: tuple[Shift, ...]
    seconds: Sequence[Sequence[int]] = field(repr=False)
    metres: Sequence[Sequence[int]] = field(repr=False)

    def __post_init__(self) -> None:
        n = len(self.seconds)
        for name, matrix in (("seconds", self.seconds), ("metres", self.metres)):
            _check(len(matrix) == n and all(len(row) == n for row in matrix), name, f"the matrix is not {n} × {n}")
            lowest = min((min(row) for row in matrix), default=0)
            _check(lowest >= UNREACHABLE, name, f"the matrix holds {lowest}")
        for kind, ids in (("job", [j.id for j in self.jobs]), ("shift", [s.id for s in self.shifts])):
            seen: set[str] = set()
            for id_ in ids:
                if id_ in seen:
                    raise ProblemError(f"{kind} {id_}: the id occurs twice")
                seen.add(id_)
        for job in self.jobs:
            if not 0 <= job.place < n:
                raise ProblemError(f"job {job.id}: place {job.place} is not in the matrix")
        for shift in self.shifts:
            for place in (shift.start_place, shift.end_place):
                _check(0 <= place < n, f"shift {shift.id}", f"place {place} is not in the matrix")

    @cached_property
    def job_by_id(self) -> Mapping[str, Job]:
        return {job.id: job for job in self.jobs}

    @cached_property
    def shift_by_id(self) -> Mapping[str, Shift]:
        return {shift.id: shift for shift in self.shifts}

    def may_serve(self, shift: Shift, job: Job) -> bool:
        """The vehicle is allowed, has the skills, and the job can begin and end within the shift at all."""
        return (
            shift.allows(job)
            and any(w.start_s + job.service_s <= shift.end_s and w.end_s >= shift.start_s for w in job.windows)
            and self.seconds[shift.start_place][job.place] != UNREACHABLE
            and self.seconds[job.place][shift.end_place] != UNREACHABLE
        )

    @cached_property
    def eligible_shifts(self) -> Mapping[str, tuple[Shift, ...]]:
        """Job id -> the shifts that may serve it, in the problem's order."""
        return {job.id: tuple(s for s in self.shifts if self.may_serve(s, job)) for job in self.jobs}

    def tardiness_s(self, shift: Shift, job: Job) -> int:
        """What it costs to do the job on this shift rather than by its due time, in seconds."""
        if job.due_s is None or shift.start_s <= job.due_s:
            return 0
        return -(-(shift.start_s - job.due_s) // DAY_S) * job.tardiness_s_per_day
