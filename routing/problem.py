"""A planning problem: jobs at places, shifts of vehicles, minutes between places.

Frozen, self-checking, standard library only. All times are whole seconds since one instant that the caller
chooses (the problem's epoch, in UTC), so that a clock change in the middle of a week changes nothing here.
All costs are seconds of driving or what is worth as much.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from routing.errors import ProblemError
from routing.traffic import UNREACHABLE as UNREACHABLE
from routing.traffic import Change, arrive_s, check_traffic, depart_s

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
    service, at the start or end place too. `capacity` bounds the sum of its jobs' `demand`. `next_shift` is the same
    vehicle's shift on the next day, where the night between may be spent at a lodging of the problem instead of at
    the end place; None where every night is spent there.
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
    capacity: int | None = None
    next_shift: str | None = None

    def __post_init__(self) -> None:
        record = f"shift {self.id}"
        _check(
            0 <= self.start_s < self.end_s <= MAX_TIME_S, record, f"[{self.start_s}, {self.end_s}] is no working time"
        )
        _check(self.max_jobs is None or self.max_jobs >= 0, record, f"max_jobs {self.max_jobs} is negative")
        _check(self.capacity is None or self.capacity >= 0, record, f"capacity {self.capacity} is negative")
        if self.break_:
            _check(
                self.start_s <= self.break_.start_s and self.break_.end_s <= self.end_s,
                record,
                "the break window reaches outside the shift",
            )

    @property
    def day(self) -> int:
        """The number of its day, counted from the problem's epoch, which is a midnight."""
        return self.start_s // DAY_S

    def between(self, start_place: int, end_place: int) -> Shift:
        """The same shift from and to other places: a night away changes the day before it and the day after."""
        if (start_place, end_place) == (self.start_place, self.end_place):
            return self
        return replace(self, start_place=start_place, end_place=end_place)

    def allows(self, job: Job) -> bool:
        """The vehicle is one of the job's and has its skills."""
        return (job.vehicles is None or self.vehicle in job.vehicles) and job.skills <= self.skills

    def has_room_for(self, jobs: Collection[Job], *more: Job) -> bool:
        """They are no more than `max_jobs`, and their demand is no more than the capacity."""
        if self.max_jobs is not None and len(jobs) + len(more) > self.max_jobs:
            return False
        return self.capacity is None or sum(job.demand for job in (*jobs, *more)) <= self.capacity


@dataclass(frozen=True, slots=True)
class Job:
    """One visit of a vehicle to a place.

    `setup_s` is spent before service on arriving from another place (parking, walking in): several jobs in a row at
    one place pay it once. `penalty_s` is what leaving the job out costs; None means it must be done. Of the jobs
    that share a `group`, at most one is done. Those that share a `series` are repeats of each other, `Spacing` apart.
    A job done on a shift that starts after `due_s` costs `tardiness_s_per_day` for each day begun. `seen_on` is the id
    of the shift on which people have seen the job already: unless it is done on that one, `moved_s` is due.
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
    demand: int = 0
    series: str | None = None
    seen_on: str | None = None
    moved_s: int = 0

    def __post_init__(self) -> None:
        wrong = ""
        if not 0 <= self.service_s <= MAX_COST_S:
            wrong = f"service_s {self.service_s} is not between 0 and {MAX_COST_S}"
        elif not 0 <= self.setup_s <= DAY_S:
            wrong = f"setup_s {self.setup_s} is not between 0 and a day"
        elif self.penalty_s is not None and not 0 <= self.penalty_s <= MAX_COST_S:
            wrong = f"penalty_s {self.penalty_s} is not between 0 and {MAX_COST_S}"
        elif not 0 <= self.tardiness_s_per_day <= MAX_COST_S:
            wrong = f"tardiness_s_per_day {self.tardiness_s_per_day}"
        elif not 0 <= self.moved_s <= MAX_COST_S:
            wrong = f"moved_s {self.moved_s} is not between 0 and {MAX_COST_S}"
        elif self.demand < 0:
            wrong = f"demand {self.demand} is negative"
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
            self.demand,
            self.series,
            self.seen_on,
            self.moved_s,
        )

    @property
    def mandatory(self) -> bool:
        return self.penalty_s is None

    @property
    def cost_of_leaving_out_s(self) -> int:
        return MANDATORY_COST_S if self.penalty_s is None else self.penalty_s


@dataclass(frozen=True, slots=True)
class Spacing:
    """Of the jobs of a `series`, those done one after the other are at least `min_days` and at most `max_days` apart,
    counted from `Shift.day` to `Shift.day`. A minimum of 1 keeps two of them off one day."""

    series: str
    min_days: int
    max_days: int

    def __post_init__(self) -> None:
        apart = f"{self.min_days} to {self.max_days} days apart"
        _check(0 < self.min_days <= self.max_days, f"series {self.series}", apart)


@dataclass(frozen=True, slots=True)
class Lodging:
    """A place to spend the night between a shift and its `next_shift`, for `cost_s` a night; `vehicles`: None is all.

    A vehicle that stays ends its route there and begins the next one there; both routes have a job.
    """

    id: str
    place: int
    cost_s: int
    vehicles: frozenset[str] | None = None

    def __post_init__(self) -> None:
        _check(0 <= self.cost_s <= MAX_COST_S, f"lodging {self.id}", f"cost_s {self.cost_s}")


@dataclass(frozen=True)
class Problem:
    """Jobs, shifts and the n × n matrices `seconds` and `metres` between the places that they name by index.

    `seconds[i][j]` is -1 where j cannot be reached from i. Seconds and metres need not be symmetric. Where driving
    takes longer at some hours, `tables` are further matrices of seconds like the first, and `traffic` says from when
    on which of them holds: see `routing.traffic`. Metres are those of the first.

    Raises:
        ProblemError: ids that occur twice, places outside the matrix, a matrix that is not square or has a negative
            entry other than -1, references to what does not exist; the message names the record.
    """

    jobs: tuple[Job, ...]
    shifts: tuple[Shift, ...]
    seconds: Sequence[Sequence[int]] = field(repr=False)
    metres: Sequence[Sequence[int]] = field(repr=False)
    spacings: tuple[Spacing, ...] = ()
    lodgings: tuple[Lodging, ...] = ()
    tables: tuple[Sequence[Sequence[int]], ...] = field(default=(), repr=False)
    traffic: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.seconds)
        tables = [(f"table {k}", table) for k, table in enumerate(self.tables, start=1)]
        for name, matrix in (("seconds", self.seconds), ("metres", self.metres), *tables):
            _check(len(matrix) == n and all(len(row) == n for row in matrix), name, f"the matrix is not {n} × {n}")
            lowest = min((min(row) for row in matrix), default=0)
            _check(lowest >= UNREACHABLE, name, f"the matrix holds {lowest}")
        check_traffic(self.seconds, self.tables, self.traffic)
        for kind, ids in (
            ("job", [j.id for j in self.jobs]),
            ("shift", [s.id for s in self.shifts]),
            ("lodging", [lodging.id for lodging in self.lodgings]),
            ("series", [spacing.series for spacing in self.spacings]),
        ):
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
            if shift.next_shift is not None:
                following = self.shift_by_id.get(shift.next_shift)
                _check(
                    following is not None and following.vehicle == shift.vehicle and following.day == shift.day + 1,
                    f"shift {shift.id}",
                    f"next_shift {shift.next_shift} is not the vehicle's shift on the next day",
                )
        for lodging in self.lodgings:
            _check(0 <= lodging.place < n, f"lodging {lodging.id}", f"place {lodging.place} is not in the matrix")
        series = {spacing.series for spacing in self.spacings}
        for job in self.jobs:
            if job.series is not None and job.series not in series:
                raise ProblemError(f"job {job.id}: series {job.series} has no spacing")

    @cached_property
    def job_by_id(self) -> Mapping[str, Job]:
        return {job.id: job for job in self.jobs}

    @cached_property
    def shift_by_id(self) -> Mapping[str, Shift]:
        return {shift.id: shift for shift in self.shifts}

    @cached_property
    def lodging_by_id(self) -> Mapping[str, Lodging]:
        return {lodging.id: lodging for lodging in self.lodgings}

    def lodgings_after(self, shift: Shift) -> tuple[Lodging, ...]:
        """Where the vehicle may spend the night after the shift instead of at its end place."""
        if shift.next_shift is None:
            return ()
        return tuple(at for at in self.lodgings if at.vehicles is None or shift.vehicle in at.vehicles)

    def arrive_s(self, origin: int, destination: int, depart_s: int) -> int:
        """When a vehicle that departs then is there; None of this asks whether a way leads there."""
        if not self.tables:
            return depart_s + self.seconds[origin][destination]
        return arrive_s(self.leg(origin, destination), self.traffic, depart_s)

    def depart_s(self, origin: int, destination: int, arrive_by_s: int) -> int:
        """The latest departure with which a vehicle is there by then."""
        if not self.tables:
            return arrive_by_s - self.seconds[origin][destination]
        return depart_s(self.leg(origin, destination), self.traffic, arrive_by_s)

    def leg(self, origin: int, destination: int) -> tuple[int, ...]:
        """Its seconds in each table."""
        return (self.seconds[origin][destination], *(table[origin][destination] for table in self.tables))

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
