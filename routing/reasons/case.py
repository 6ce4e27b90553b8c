"""One job that is left out, tried at every position of every day, with the rules of the hour kept or lifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from routing.problem import DAY_S, MAX_TIME_S, Job, Problem, Shift, TimeWindow
from routing.reasons.positions import Day, Positions, Room, Truth, Whole
from routing.reasons.rules import BIT, Rule
from routing.reasons.standing import Standing
from routing.solution import Solution


@dataclass(frozen=True, slots=True)
class Deadline:
    """A job's windows as they would be without its deadline, and the latest begin that the deadline leaves."""

    begin_by_s: int
    windows: tuple[TimeWindow, ...]


OF_THE_DAY = (Rule.SHIFT_START, Rule.SHIFT_END, Rule.BREAK)
VARIANTS = tuple(
    frozenset(rule for rule, lifted in zip(OF_THE_DAY, choice, strict=True) if lifted)
    for choice in product((False, True), repeat=len(OF_THE_DAY))
)
"""Which rules of a shift's hours are lifted; the first is none."""


def lifted(shift: Shift, rules: frozenset[Rule]) -> Shift:
    """The shift without some of the rules of its hours."""
    start_s, end_s = shift.start_s, shift.end_s
    if Rule.SHIFT_START in rules:
        start_s -= start_s % DAY_S
    if Rule.SHIFT_END in rules:
        end_s = min(-(-end_s // DAY_S) * DAY_S, MAX_TIME_S)
    return replace(shift, start_s=start_s, end_s=end_s, break_=None if Rule.BREAK in rules else shift.break_)


class LeftOut:
    """What is asked about the jobs that a solution leaves out: positions are worked out once for all of them."""

    def __init__(self, problem: Problem, solution: Solution, deadlines: Mapping[str, Deadline] | None = None) -> None:
        self.problem, self.solution = problem, solution
        self.standing = Standing(problem, solution)
        self.deadlines = deadlines or {}

    def cases(self) -> Iterator[Case]:
        """One for each job that is left out, in the problem's order."""
        left_out = set(self.solution.unassigned)
        return (Case(self, job) for job in self.problem.jobs if job.id in left_out)

    def case(self, job: str) -> Case:
        return Case(self, self.problem.job_by_id[job])

    @cached_property
    def variants(self) -> Positions:
        """The days as they stand, once for each of `VARIANTS`."""
        return self._relaxed(self.standing.days)

    @cached_property
    def alone(self) -> Positions:
        """Days on which nothing is done yet, once for each of `VARIANTS`."""
        return self._relaxed(tuple(Day(day.shift, ()) for day in self.standing.days))

    def _relaxed(self, days: tuple[Day, ...]) -> Positions:
        return Positions(
            self.problem,
            self.standing.roads,
            [Day(lifted(day.shift, rules), day.jobs) for rules in VARIANTS for day in days],
        )


class Case:
    """A job that is left out. Arrays are one entry a position of the days as they stand, in their order."""

    def __init__(self, left_out: LeftOut, job: Job) -> None:
        self.left_out, self.job = left_out, job
        self.standing = left_out.standing
        self.deadline = left_out.deadlines.get(job.id)
        self.days = self.standing.obstacles(job)
        """For each day: the rules that keep the job off it, whatever the hour."""
        self.priced = self.standing.priced(job)

    @property
    def positions(self) -> Positions:
        return self.standing.positions

    @cached_property
    def _room(self) -> Room:
        return self.left_out.variants.room(self.job)

    @cached_property
    def room(self) -> Room:
        """As things are."""
        whole, count = self._room, len(self.positions)
        return Room(
            whole.added_s[:count],
            whole.reached[:count],
            (whole.taken[0][:count], whole.taken[1][:count]),
            (whole.owed[0][:count], whole.owed[1][:count]),
        )

    @cached_property
    def cost_s(self) -> Whole:
        """What it would add to the plan's cost, without what it is worth."""
        cost: Whole = self.room.added_s + self.priced[self.positions.day]
        return cost

    @cached_property
    def obstacles(self) -> Whole:
        """The rules that keep it from each position, whatever the hour."""
        mask: Whole = self.days[self.positions.day] | self._of_the_way(self.room, self.cost_s)
        return mask

    def fits(self, *rules: Rule) -> Truth:
        """Where it fits by the hour, with some rules of the hour lifted."""
        count = len(self.positions)
        variant = VARIANTS.index(frozenset(rules) & frozenset(OF_THE_DAY))
        whole = self._fits(Rule.WINDOWS in rules, Rule.DEADLINE in rules)
        return whole[variant * count : (variant + 1) * count]

    def _fits(self, windows: bool, deadline: bool) -> Truth:
        return self._room.fits(self._windows(windows, deadline))

    def _windows(self, windows: bool, deadline: bool) -> tuple[TimeWindow, ...] | None:
        """Those left of the job's when its windows are lifted, or its deadline, or both."""
        if self.deadline is None:
            return None if windows else self.job.windows
        if windows:
            return None if deadline else (TimeWindow(0, self.deadline.begin_by_s),)
        return self.deadline.windows if deadline else self.job.windows

    def _of_the_way(self, room: Room, cost_s: Whole) -> Whole:
        mask = np.where(room.reached, 0, BIT[Rule.UNREACHABLE])
        if self.job.penalty_s is not None:
            mask |= np.where(cost_s >= self.job.penalty_s, BIT[Rule.WORTH], 0)
        return mask

    @cached_property
    def corrections(self) -> Truth:
        """For each set of rules: whether the job can be taken in when exactly these are lifted, somewhere."""
        days, count, day_count = self.positions.day, len(self.positions), len(self.days)
        alone = self.left_out.alone.room(self.job)
        on_its_own = (
            self.days | self._of_the_way(alone, alone.added_s + np.tile(self.priced, len(VARIANTS)))[:day_count]
        )
        able = np.zeros(1 << len(Rule), dtype=bool)
        for windows, deadline in product((False, True), (False, True) if self.deadline else (False,)):
            freed = BIT[Rule.WINDOWS] * windows | BIT[Rule.DEADLINE] * deadline
            among = self._fits(windows, deadline)
            by_itself = alone.fits(self._windows(windows, deadline))
            for number, rules in enumerate(VARIANTS):
                bits = freed | sum(BIT[rule] for rule in rules)
                able[self.obstacles[among[number * count : (number + 1) * count]] | bits] = True
                free_days = by_itself[number * day_count : (number + 1) * day_count]
                bits |= BIT[Rule.TIME_TAKEN]
                able[self.obstacles[free_days[days]] | bits] = True
                able[on_its_own[free_days] | bits] = True
        # Who lifts more lets in no less.
        for rule in Rule:
            pairs = able.reshape(-1, 2, BIT[rule])
            pairs[:, 1] |= pairs[:, 0]
        return able
