"""A solution as it stands: its days in order, what is done on which, and which rules keep a job off which day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from routing.problem import Job, Problem
from routing.reasons.positions import Day, Positions, Roads, Whole
from routing.reasons.rules import BIT, Rule
from routing.solution import Solution
from routing.spacing import may_join, may_leave, spacing_of
from routing.timing import NEVER


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A place for a job in the rest of the plan: on which shift, after which job (None: first), and what it adds there,
    in driving and in all that a plan costs."""

    shift: str
    after: str | None
    added_s: int
    cost_s: int


@dataclass(frozen=True, slots=True)
class Without:
    """A day of the plan, by its number, without one of its jobs."""

    day: int
    job: Job
    position: int


class Standing:
    """What stands, looked up in several ways; built once for all questions about a solution."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem = problem
        self.roads = Roads(problem)
        routes = {route.shift: route for route in solution.routes}
        self.lodged = frozenset(route.shift for route in solution.routes if route.lodging_before or route.lodging_after)
        """Shifts that begin or end at a lodging: the night binds them to the day beside them."""
        self._nights_s = {
            route.shift: problem.lodging_by_id[route.lodging_after].cost_s
            for route in solution.routes
            if route.lodging_after is not None
        }
        self.days = tuple(
            Day(route.shift_in(problem), tuple(problem.job_by_id[id_] for id_ in route.jobs))
            if (route := routes.get(shift.id))
            else Day(shift, ())
            for shift in problem.shifts
        )
        self.number = {day.shift.id: number for number, day in enumerate(self.days)}
        self.done_on = {job.id: number for number, day in enumerate(self.days) for job in day.jobs}
        self._mates: dict[str, list[str]] = defaultdict(list)
        self._repeats: dict[str, dict[str, int]] = defaultdict(dict)
        for day in self.days:
            for job in day.jobs:
                if job.group is not None:
                    self._mates[job.group].append(job.id)
                if job.series is not None:
                    self._repeats[job.series][job.id] = day.shift.day
        self._spacings = spacing_of(problem.spacings)
        self._of_vehicles: dict[Collection[str] | None, Whole] = {}
        self._of_skills: dict[frozenset[str], Whole] = {}
        self._elsewhere: dict[str, Elsewhere | None] = {}

    @cached_property
    def positions(self) -> Positions:
        """Of the days as they stand."""
        return Positions(self.problem, self.roads, self.days)

    @cached_property
    def shorter(self) -> tuple[tuple[Without, ...], Positions]:
        """Each day without each of its jobs in turn, and the positions of those days. A job that alone fills a day
        whose night is away stays: without it there is no such night."""
        removals = [
            Without(number, job, position)
            for number, day in enumerate(self.days)
            if len(day.jobs) > 1 or day.shift.id not in self.lodged
            for position, job in enumerate(day.jobs)
        ]
        days = [self.days[each.day].without(each.position) for each in removals]
        return tuple(removals), Positions(self.problem, self.roads, days)

    @cached_property
    def shorter_number(self) -> Mapping[str, int]:
        """The number of the shorter day that a job was taken out of, by the job's id."""
        return {each.job.id: number for number, each in enumerate(self.shorter[0])}

    def night_after(self, shift: str) -> int | None:
        """What the night after a shift costs, if it is spent away."""
        return self._nights_s.get(shift)

    def elsewhere(self, job: Job) -> Elsewhere | None:
        """The cheapest position for a job that is done on any day but its own."""
        if job.id not in self._elsewhere:
            self._elsewhere[job.id] = self._cheapest_elsewhere(job)
        return self._elsewhere[job.id]

    def _cheapest_elsewhere(self, job: Job) -> Elsewhere | None:
        positions, priced = self.positions, self.priced(job)
        mask = self.obstacles(job)
        mask[self.done_on[job.id]] = -1
        room = positions.room(job)
        able = (mask[positions.day] == 0) & room.reached & room.fits(job.windows)
        cost = np.where(able, room.added_s + priced[positions.day], NEVER)
        row = int(np.argmin(cost))
        if cost[row] >= NEVER:
            return None
        day, k = self.days[positions.day[row]], int(positions.position[row])
        return Elsewhere(day.shift.id, day.jobs[k - 1].id if k else None, int(room.added_s[row]), int(cost[row]))

    # --- rules that do not depend on the hour -------------------------------------------------------------------------

    def obstacles(self, job: Job) -> Whole:
        """For each day: the set of rules that keep the job off it, whatever the hour."""
        numbers = range(len(self.days))
        mask = self._may_not(job) | _too_full(job, *self._loads)
        mask |= BIT[Rule.GROUP] * bool(self._rivals(job))
        if job.series is not None:
            bounds, others = self._spacings[job.series], self._others_of_series(job).values()
            spaced = {day: may_join(bounds, others, day) for day in {day.shift.day for day in self.days}}
            mask |= _whole(0 if spaced[self.days[n].shift.day] else BIT[Rule.SPACING] for n in numbers)
        return mask

    def obstacles_on_shorter(self, job: Job) -> Whole:
        """The same for each of the shorter days: what was taken out counts no more."""
        removals, _ = self.shorter
        day = _whole(each.day for each in removals)
        mask = self._may_not(job)[day] | _too_full(job, *self._shorter_loads)
        rivals = self._rivals(job)
        if rivals:
            mask |= _whole(0 if rivals == [each.job.id] else BIT[Rule.GROUP] for each in removals)
        if job.series is not None:
            others = self._others_of_series(job)
            bounds = self._spacings[job.series]
            kept = [
                may_join(
                    bounds,
                    [day for id_, day in others.items() if id_ != each.job.id],
                    self.days[each.day].shift.day,
                )
                for each in removals
            ]
            mask |= _whole(0 if fine else BIT[Rule.SPACING] for fine in kept)
        return mask

    def gap_without(self, job: Job) -> bool:
        """Whether its repeats are still near enough to each other without the job."""
        if job.series is None:
            return True
        day = self.days[self.done_on[job.id]].shift.day
        return may_leave(self._spacings[job.series], self._others_of_series(job).values(), day)

    def missing_capacity(self, job: Job) -> Whole:
        """For each day: what its shift would have to hold more."""
        return np.maximum(job.demand - self._loads[1], 0)

    def missing_days(self, job: Job) -> Whole:
        """For each day: by how many days its spacing would have to be less strict, at the least and at the most; NEVER
        on a day of a repeat."""
        if job.series is None:
            return np.zeros(len(self.days), dtype=np.int64)
        bounds = self._spacings[job.series]
        others = self._others_of_series(job).values()
        missing = []
        for day in self.days:
            on = day.shift.day
            if on in others:
                missing.append(NEVER)
                continue
            gaps = [after - before for before, after in pairwise(sorted([*others, on])) if on in (before, after)]
            too_near = max((bounds.min_days - gap for gap in gaps), default=0)
            too_far = max((gap - bounds.max_days for gap in gaps), default=0)
            missing.append(max(too_near, 0) + max(too_far, 0))
        return _whole(missing)

    def priced(self, job: Job) -> Whole:
        """For each day: what the job costs there besides driving: tardiness, less what not having moved saves."""
        moved_s = 0 if job.seen_on is None else job.moved_s
        return _whole(
            self.problem.tardiness_s(day.shift, job) - (moved_s if day.shift.id == job.seen_on else 0)
            for day in self.days
        )

    def _may_not(self, job: Job) -> Whole:
        shifts = [day.shift for day in self.days]
        if job.vehicles not in self._of_vehicles:
            self._of_vehicles[job.vehicles] = _whole(
                0 if job.vehicles is None or shift.vehicle in job.vehicles else BIT[Rule.VEHICLES] for shift in shifts
            )
        if job.skills not in self._of_skills:
            self._of_skills[job.skills] = _whole(
                0 if job.skills <= shift.skills else BIT[Rule.SKILLS] for shift in shifts
            )
        return self._of_vehicles[job.vehicles] | self._of_skills[job.skills]

    @cached_property
    def _loads(self) -> tuple[Whole, Whole]:
        return _loads(self.days)

    @cached_property
    def _shorter_loads(self) -> tuple[Whole, Whole]:
        return _loads(self.shorter[1].days)

    def _rivals(self, job: Job) -> list[str]:
        """The other jobs of its group that are done."""
        return [] if job.group is None else [id_ for id_ in self._mates[job.group] if id_ != job.id]

    def _others_of_series(self, job: Job) -> dict[str, int]:
        """Its repeats that are done, and their days."""
        done = {} if job.series is None else self._repeats[job.series]
        return {id_: day for id_, day in done.items() if id_ != job.id}


def _loads(days: Sequence[Day]) -> tuple[Whole, Whole]:
    """Whether each day has as many jobs as it may (1 or 0), and what it can still hold."""
    full = (day.shift.max_jobs is not None and len(day.jobs) >= day.shift.max_jobs for day in days)
    room = (
        NEVER if day.shift.capacity is None else day.shift.capacity - sum(job.demand for job in day.jobs)
        for day in days
    )
    return _whole(full), _whole(room)


def _too_full(job: Job, full: Whole, room: Whole) -> Whole:
    return full * BIT[Rule.MAX_JOBS] | np.where(room < job.demand, BIT[Rule.CAPACITY], 0)


def _whole(numbers: Iterable[int]) -> Whole:
    return np.fromiter(numbers, dtype=np.int64)
