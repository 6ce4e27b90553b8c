"""The best plan so far: sequences that can be driven, what they cost, and small exact repairs of them.

Everything here is decided by `routing.timing`, never by OR-Tools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from routing.problem import Problem
from routing.solution import Solution
from routing.spacing import Done, best_kept, may_join, may_leave, spacing_of
from routing.timing import Timeline, schedule


class Addition(NamedTuple):
    """A job left out, added to a shift at a position; `added_s` is the rise of the plan's cost: negative is good."""

    added_s: int
    job: int
    shift: int
    position: int


class Incumbent:
    """Shifts and jobs are indices into the problem's. `cost_s` equals that of the `solution`, but that driving is
    counted by the problem's first table."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        shift_number = {shift.id: k for k, shift in enumerate(problem.shifts)}
        self.eligible_shifts = [
            tuple(shift_number[shift.id] for shift in problem.eligible_shifts[job.id]) for job in problem.jobs
        ]
        self.rivals: list[tuple[int, ...]] = _rivals(problem)
        self.worth_s = [job.cost_of_leaving_out_s for job in problem.jobs]
        self.sequences: list[tuple[int, ...]] = [() for _ in problem.shifts]
        self.shift_of: dict[int, int] = {}
        self.cost_s = sum(max(self.worth_s[r] for r in rivals) for rivals in set(self.rivals))
        self.cost_s += sum(job.moved_s for job in problem.jobs if job.seen_on is not None)
        self._spacings = spacing_of(problem.spacings)
        self._series: dict[str, list[int]] = defaultdict(list)
        for j, job in enumerate(problem.jobs):
            if job.series is not None:
                self._series[job.series].append(j)
        self._eligible_jobs: list[list[int]] = [[] for _ in problem.shifts]
        for j, shifts in enumerate(self.eligible_shifts):
            for k in shifts:
                self._eligible_jobs[k].append(j)
        self._timelines: dict[int, Timeline] = {}
        self._cheapest: dict[int, dict[int, Addition | None]] = defaultdict(dict)

    def timeline(self, shift: int) -> Timeline:
        if shift not in self._timelines:
            self._timelines[shift] = self._timeline_of(shift, self.sequences[shift])
        return self._timelines[shift]

    def _timeline_of(self, shift: int, sequence: Iterable[int]) -> Timeline:
        return Timeline.of(self.problem, self.problem.shifts[shift], [self.problem.jobs[j] for j in sequence])

    def can_be_added(self, job: int) -> bool:
        """Neither the job nor another of its group is done."""
        return not any(rival in self.shift_of for rival in self.rivals[job])

    def may_be_on(self, job: int, shift: int) -> bool:
        """It can be added, and on that shift neither too near to what is done of its series nor too far from it."""
        series = self.problem.jobs[job].series
        if not self.can_be_added(job):
            return False
        days = [done.day for done in self._done(series)] if series is not None else []
        return series is None or may_join(self._spacings[series], days, self._day(shift))

    def too_near(self, jobs: Iterable[int], shifts: Collection[int]) -> frozenset[tuple[int, int]]:
        """Which of the jobs may not be on which of the shifts: a repeat that is done elsewhere is too near."""
        found: set[tuple[int, int]] = set()
        for job in jobs:
            series = self.problem.jobs[job].series
            if series is not None:
                days = [done.day for done in self._done(series) if self.shift_of[done.job] not in shifts]
                least = self._spacings[series].min_days
                found |= {(job, k) for k in shifts if any(abs(self._day(k) - day) < least for day in days)}
        return frozenset(found)

    def worth_in_plan_s(self, job: int) -> int:
        """What leaving it out costs, with what would be too far apart then, and with being moved."""
        wanted = self.problem.jobs[job]
        worth_s = self.worth_s[job] + (wanted.moved_s if wanted.seen_on is not None else 0)
        if wanted.series is None or job not in self.shift_of:
            return worth_s
        done = self._done(wanted.series)
        all_s, _ = best_kept(self._spacings[wanted.series], done)
        rest_s, _ = best_kept(self._spacings[wanted.series], [each for each in done if each.job != job])
        return worth_s + all_s - self.worth_s[job] - rest_s

    def left_out(self, shifts: Iterable[int]) -> list[int]:
        """The jobs that are not done and may be on one of the shifts if only these change, in the problem's order."""
        shifts = set(shifts)
        return sorted(
            {
                j
                for k in shifts
                for j in self._eligible_jobs[k]
                if j not in self.shift_of and all(self.shift_of.get(rival, k) in shifts for rival in self.rivals[j])
            }
        )

    def replace(self, sequences: Mapping[int, Sequence[int]]) -> None:
        """Change the routes of some shifts.

        A sequence that cannot be driven as it stands is emptied: its jobs are left out, for `improve` to bring back.
        What stands too near to others of its series then, or too far from them, is left out on any shift.
        """
        changed = {job for shift, sequence in sequences.items() for job in (*self.sequences[shift], *sequence)}
        for shift in sequences:
            self._set(shift, ())
        for shift, sequence in sequences.items():
            possible: dict[int, int] = {}  # the first of the group -> the job
            for job in sequence:
                if shift in self.eligible_shifts[job] and self.can_be_added(job):
                    possible.setdefault(self.rivals[job][0], job)
            if self._timeline_of(shift, possible.values()).feasible:
                self._set(shift, tuple(possible.values()))
        self._keep_spaced(changed)

    def improve(
        self, shifts: Iterable[int], busy: Collection[int] = (), enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Add what is worth its way and take out what is not, best first, until neither is left on these shifts.

        Jobs in `busy` are left alone. Stops early once `enough()`.
        """
        dirty = sorted(set(shifts))
        additions: list[Addition] = []
        everywhere = tuple(dirty)
        while dirty and not enough():
            if sum(self._take_out(shift) for shift in dirty):  # it may be worth its way elsewhere
                dirty = list(everywhere)
            additions = [a for a in additions if a.shift not in dirty and self.may_be_on(a.job, a.shift)]
            for shift in dirty:
                if not enough():
                    additions.extend(self._additions(shift, busy))
            dirty = []
            if additions:
                best = min(additions)
                sequence = self.sequences[best.shift]
                self._set(best.shift, (*sequence[: best.position], best.job, *sequence[best.position :]))
                dirty = sorted({best.shift, *self._shifts_of_repeats(best.job)}.intersection(everywhere))

    def make_way_for_the_mandatory(self) -> None:
        """A mandatory job left out gets a day without optional ones, where that lets it in; `improve` refills it."""
        jobs = self.problem.jobs
        for job in (j for j in range(len(jobs)) if jobs[j].mandatory and self.can_be_added(j)):
            ways: list[tuple[int, int, tuple[int, ...]]] = []
            for shift in (k for k in self.eligible_shifts[job] if self.may_be_on(job, k)):
                kept = [j for j in self.sequences[shift] if jobs[j].mandatory]
                for position in range(len(kept) + 1):
                    sequence = (*kept[:position], job, *kept[position:])
                    timeline = self._timeline_of(shift, sequence)
                    if timeline.feasible:
                        ways.append((timeline.drive_s, shift, sequence))
            if ways:
                _, shift, sequence = min(ways)
                gone = self.sequences[shift]
                self._set(shift, sequence)
                self._keep_spaced(gone)

    def solution(self) -> Solution:
        """The plan with its times."""
        routes = (
            schedule(self.problem, shift, [self.problem.jobs[j] for j in sequence])
            for shift, sequence in zip(self.problem.shifts, self.sequences, strict=True)
        )
        left_out = tuple(job.id for j, job in enumerate(self.problem.jobs) if j not in self.shift_of)
        return Solution(tuple(route for route in routes if route), left_out)

    def _set(self, shift: int, sequence: tuple[int, ...]) -> None:
        self.cost_s -= self._route_cost_s(shift)
        for j in self.sequences[shift]:
            del self.shift_of[j]
            self.cost_s += self.worth_s[j]
        self.sequences[shift] = sequence
        self._timelines.pop(shift, None)
        self._cheapest.pop(shift, None)
        for j in sequence:
            self.shift_of[j] = shift
            self.cost_s -= self.worth_s[j]
        self.cost_s += self._route_cost_s(shift)

    def _route_cost_s(self, shift: int) -> int:
        sequence = self.sequences[shift]
        return self.timeline(shift).drive_s + sum(self._extra_s(j, shift) for j in sequence) if sequence else 0

    def _extra_s(self, job: int, shift: int) -> int:
        """What it costs to do the job there: being late, less what it saves that people have seen it there."""
        on, wanted = self.problem.shifts[shift], self.problem.jobs[job]
        return self.problem.tardiness_s(on, wanted) - (wanted.moved_s if wanted.seen_on == on.id else 0)

    def _day(self, shift: int) -> int:
        return self.problem.shifts[shift].day

    def _done(self, series: str) -> list[Done]:
        """What is done of a series."""
        done = ((j, self.shift_of[j]) for j in self._series[series] if j in self.shift_of)
        return [Done(self._day(shift), self.worth_s[j], j) for j, shift in done]

    def _shifts_of_repeats(self, job: int) -> set[int]:
        """Where others of its series could be, now that this one is done or is not."""
        series = self.problem.jobs[job].series
        return set() if series is None else {k for other in self._series[series] for k in self.eligible_shifts[other]}

    def _keep_spaced(self, jobs: Iterable[int]) -> None:
        """Of each series of these jobs, leave out what stands too near to another or too far from it."""
        to_see = sorted({series for j in jobs if (series := self.problem.jobs[j].series) is not None})
        while to_see:
            series = to_see.pop()
            done = self._done(series)
            _, kept = best_kept(self._spacings[series], done)
            for job in (each.job for each in done if each.job not in kept):
                if job in self.shift_of:
                    shift = self.shift_of[job]
                    before = self.sequences[shift]
                    rest = tuple(j for j in before if j != job)
                    # Without a stop the way may be longer, where the streets are so: then the day is left to `improve`.
                    self._set(shift, rest if self._timeline_of(shift, rest).feasible else ())
                    gone = (self.problem.jobs[j].series for j in before if j != job and j not in self.shift_of)
                    to_see += [other for other in gone if other is not None]

    def _additions(self, shift: int, busy: Collection[int]) -> list[Addition]:
        """Every job left out that is worth its way on the shift, at its cheapest position there."""
        known = self._cheapest[shift]
        found = []
        for job in self._eligible_jobs[shift]:
            if job in busy or not self.may_be_on(job, shift):
                continue
            if job not in known:
                known[job] = self._cheapest_addition(job, shift)
            addition = known[job]
            if addition and addition.added_s < 0:
                found.append(addition)
        return found

    def _cheapest_addition(self, job: int, shift: int) -> Addition | None:
        timeline = self.timeline(shift)
        positions = range(len(self.sequences[shift]) + 1)
        drives = [timeline.added_drive_s(self.problem.jobs[job], position) for position in positions]
        possible = [(drive_s, position) for position, drive_s in enumerate(drives) if drive_s is not None]
        if not possible:
            return None
        drive_s, position = min(possible)
        if not self.sequences[shift]:
            drive_s += timeline.drive_s  # an unused shift does not drive at all
        return Addition(drive_s + self._extra_s(job, shift) - self.worth_s[job], job, shift, position)

    def _may_leave(self, job: int) -> bool:
        series = self.problem.jobs[job].series
        days = [done.day for done in self._done(series)] if series is not None else []
        return series is None or may_leave(self._spacings[series], days, self._day(self.shift_of[job]))

    def _take_out(self, shift: int) -> bool:
        """Take out jobs that cost more than they are worth, where the rest can be driven without them."""
        sequence = self.sequences[shift]
        for k, job in enumerate(sequence):
            if not self._may_leave(job):
                continue
            rest = (*sequence[:k], *sequence[k + 1 :])
            timeline = self._timeline_of(shift, rest)
            rest_cost_s = timeline.drive_s + sum(self._extra_s(j, shift) for j in rest) if rest else 0
            if self._route_cost_s(shift) - rest_cost_s > self.worth_s[job] and timeline.feasible:
                self._set(shift, rest)
                self._take_out(shift)
                return True
        return False


def _rivals(problem: Problem) -> list[tuple[int, ...]]:
    """For each job all jobs of its group, itself included."""
    groups: dict[str, list[int]] = defaultdict(list)
    for j, job in enumerate(problem.jobs):
        if job.group is not None:
            groups[job.group].append(j)
    return [(j,) if job.group is None else tuple(groups[job.group]) for j, job in enumerate(problem.jobs)]
