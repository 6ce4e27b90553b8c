"""The cheapest single change of a plan that lets a job in that is left out: exact, and with its price.

A repair bends one rule for one shift, job or series by no more than is needed, or makes way by moving or leaving out
one other job. The others stay on their shifts, in their order. Its price is what the plan's cost rises by, without what
the job is worth, and what the bending counts for (`COUNTS_S`; each second of `STRETCHED` counts as one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from routing.problem import DAY_S, Break, Job, Shift
from routing.reasons.case import Case, lifted
from routing.reasons.marginals import marginal
from routing.reasons.positions import Day, Whole
from routing.reasons.rules import BIT, Rule
from routing.reasons.standing import Elsewhere, Standing
from routing.timing import NEVER, Timeline, break_ends


class RepairKind(StrEnum):
    """What is changed. Of equally cheap repairs the first is taken."""

    INSERT = "insert"
    """Nothing: there is room. The search ended too soon."""
    MOVE = "move"
    """Another job, to another shift."""
    LEAVE_OUT = "leave_out"
    """Another job that is worth less."""
    END_LATER = "end_later"
    START_EARLIER = "start_earlier"
    SHORTER_BREAK = "shorter_break"
    CLOSES_LATER = "closes_later"
    OPENS_EARLIER = "opens_earlier"
    ONE_MORE = "one_more"
    """`max_jobs` of the shift."""
    CAPACITY = "capacity"
    OTHER_VEHICLE = "other_vehicle"
    SPACING = "spacing"
    TWICE = "twice"
    """The group is served once more."""
    LATER_DEADLINE = "later_deadline"
    SKILL = "skill"
    """The vehicle learns what the job asks for."""
    PAY = "pay"
    """The driving, though the job is worth less."""


STRETCHED = (
    RepairKind.END_LATER,
    RepairKind.START_EARLIER,
    RepairKind.SHORTER_BREAK,
    RepairKind.CLOSES_LATER,
    RepairKind.OPENS_EARLIER,
)
"""Kinds whose `amount` is in seconds, the least that is enough."""

COUNTS_S: Mapping[RepairKind, int] = {
    RepairKind.ONE_MORE: 15 * 60,
    RepairKind.CAPACITY: 15 * 60,
    RepairKind.OTHER_VEHICLE: 30 * 60,
    RepairKind.SPACING: 30 * 60,
    RepairKind.TWICE: 60 * 60,
    RepairKind.LATER_DEADLINE: 60 * 60,
    RepairKind.SKILL: 8 * 3600,
}
"""What bending these rules counts for, of the last deadline and the spacing each day: who plans bends the cheap ones
first. Chosen by judgement, not measured."""

MOST_S = 4 * 3600
"""Windows are stretched by no more: who is closed all day does not open for one visit."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that lets a job in, as number `position` of a shift (from 0).

    Attributes:
        added_s: the driving that the job adds there.
        price_s: see the module.
        amount: seconds for `STRETCHED`; for CAPACITY what the shift must hold more; days for SPACING, LATER_DEADLINE.
        window: the number of the job's window that is stretched.
        other: the job that is moved or left out.
        to: where it goes.
        other_cost_s: what the plan's cost rises by for that.
    """

    kind: RepairKind
    job: str
    shift: str
    position: int
    added_s: int
    price_s: int
    amount: int = 0
    window: int | None = None
    other: str | None = None
    to: Elsewhere | None = None
    other_cost_s: int = 0


class Repairs:
    """The cheapest repairs of a solution; what moving each job that is done would cost is worked out once."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        removals, _ = standing.shorter
        self._day = np.array([each.day for each in removals], dtype=np.int64)
        adds_s = [marginal(standing, each.job, each.day, each.position).cost_s for each in removals]
        self._elsewhere = [standing.elsewhere(each.job) for each in removals]
        self._moving_s = np.array(
            [NEVER if to is None else to.cost_s - here_s for to, here_s in zip(self._elsewhere, adds_s, strict=True)],
            dtype=np.int64,
        )
        losses = [standing.gap_without(each.job) and each.job.penalty_s is not None for each in removals]
        self._penalty_s = np.array(
            [(each.job.penalty_s or 0) if fine else NEVER for each, fine in zip(removals, losses, strict=True)],
            dtype=np.int64,
        )
        self._losing_s = np.where(self._penalty_s < NEVER, self._penalty_s - np.array(adds_s, dtype=np.int64), NEVER)

    def cheapest(self, case: Case) -> Repair | None:
        """The cheapest repair; None where no single change would do."""
        best: Repair | None = None
        for ways in (_there_is_room, self._makes_way, _another_rule, _another_window, _another_day):
            for repair in ways(case):
                best = _cheaper(best, repair)
            if best is not None and best.kind == RepairKind.INSERT:
                return best
        for kind in (RepairKind.END_LATER, RepairKind.START_EARLIER, RepairKind.SHORTER_BREAK):
            best = _cheaper(best, _another_shift(case, kind, NEVER if best is None else best.price_s + 1))
        return best

    def _makes_way(self, case: Case) -> Iterator[Repair]:
        """Another job goes to another day, or is left out though it is worth less."""
        job, standing = case.job, self.standing
        removals, shorter = standing.shorter
        if not removals:
            return
        room = shorter.room(job)
        obstacles = standing.obstacles_on_shorter(job)
        cost = room.added_s + case.priced[self._day][shorter.day]
        worth = job.cost_of_leaving_out_s
        fits = room.reached & room.fits(job.windows) & (cost < worth)
        for kind, other_cost_s, kept in (
            # Who moves is still done: it still counts for a group, and for the days between repeats.
            (RepairKind.MOVE, self._moving_s, obstacles | case.days[self._day] & _OF_OTHERS | self._repeats_of(job)),
            (RepairKind.LEAVE_OUT, np.where(self._penalty_s < worth, self._losing_s, NEVER), obstacles),
        ):
            price = np.where(fits & (kept[shorter.day] == 0), cost + other_cost_s[shorter.day], NEVER)
            row = int(np.argmin(price))
            if price[row] >= NEVER // 2:
                continue
            number = int(shorter.day[row])
            yield Repair(
                kind,
                job.id,
                standing.days[self._day[number]].shift.id,
                int(shorter.position[row]),
                int(room.added_s[row]),
                int(price[row]),
                other=removals[number].job.id,
                to=self._elsewhere[number] if kind == RepairKind.MOVE else None,
                other_cost_s=int(other_cost_s[number]),
            )

    def _repeats_of(self, job: Job) -> Whole:
        """Its own repeats are not moved: that would change which days are right for it."""
        removals, _ = self.standing.shorter
        mask = [BIT[Rule.SPACING] * (job.series is not None and each.job.series == job.series) for each in removals]
        return np.array(mask, dtype=np.int64)


_OF_OTHERS = BIT[Rule.GROUP] | BIT[Rule.SPACING]


def _cheaper(best: Repair | None, other: Repair | None) -> Repair | None:
    """The first of equally cheap ones, by kind."""
    order = list(RepairKind)
    found = [each for each in (best, other) if each is not None]
    return min(found, key=lambda each: (each.price_s, order.index(each.kind)), default=None)


def _at(case: Case, kind: RepairKind, price: Whole, amount: int = 0, window: int | None = None) -> Repair | None:
    """The cheapest position, where there is one."""
    row = int(np.argmin(price))
    if price[row] >= NEVER // 2:
        return None
    positions = case.positions
    return Repair(
        kind,
        case.job.id,
        case.standing.days[positions.day[row]].shift.id,
        int(positions.position[row]),
        int(case.room.added_s[row]),
        int(price[row]),
        amount,
        window,
    )


def _there_is_room(case: Case) -> Iterator[Repair]:
    price = np.where((case.obstacles == 0) & case.fits(), case.cost_s, NEVER)
    found = _at(case, RepairKind.INSERT, price) if len(price) else None
    if found is not None:
        yield found


def _another_rule(case: Case) -> Iterator[Repair]:
    """One rule that does not depend on the hour is bent."""
    fits = case.fits()
    for rule, kind in (
        (Rule.MAX_JOBS, RepairKind.ONE_MORE),
        (Rule.CAPACITY, RepairKind.CAPACITY),
        (Rule.VEHICLES, RepairKind.OTHER_VEHICLE),
        (Rule.SPACING, RepairKind.SPACING),
        (Rule.GROUP, RepairKind.TWICE),
        (Rule.SKILLS, RepairKind.SKILL),
        (Rule.WORTH, RepairKind.PAY),
    ):
        able = fits & (case.obstacles == BIT[rule])
        if not able.any():
            continue
        amounts = np.zeros(len(case.days), dtype=np.int64)
        if rule in (Rule.CAPACITY, Rule.SPACING):
            of = case.standing.missing_capacity if rule == Rule.CAPACITY else case.standing.missing_days
            amounts = of(case.job)
        counts = COUNTS_S.get(kind, 0) * (amounts if rule == Rule.SPACING else 1)
        price = np.where(able, case.cost_s + (counts + np.zeros_like(amounts))[case.positions.day], NEVER)
        row = int(np.argmin(price))
        found = _at(case, kind, price, amount=int(amounts[case.positions.day[row]]))
        if found is not None:
            yield found


def _another_window(case: Case) -> Iterator[Repair]:
    """The job's windows are stretched: one closes later or opens earlier."""
    windows = case.job.windows
    able = (case.obstacles == 0) & case.fits(Rule.WINDOWS)
    if not windows or not able.any():
        return
    by_s = NEVER if case.deadline is None else case.deadline.begin_by_s
    start = np.array([window.start_s for window in windows], dtype=np.int64)
    end = np.array([window.end_s for window in windows], dtype=np.int64)
    closing = opening = np.full(len(able), NEVER, dtype=np.int64)
    closes = opens = np.zeros(len(able), dtype=np.int64)
    for first, last in (case.room.taken, case.room.owed):
        before = np.searchsorted(end, first) - 1  # the last window that is over by then
        late = np.where((first <= last) & (before >= 0) & (first <= by_s), first - end[before], NEVER)
        closing, closes = np.minimum(closing, late), np.where(late < closing, before, closes)
        after = np.searchsorted(start, last, side="right")  # the first that opens only later
        known = np.minimum(after, len(windows) - 1)
        early = np.where((first <= last) & (after < len(windows)), start[known] - last, NEVER)
        opening, opens = np.minimum(opening, early), np.where(early < opening, known, opens)
    for kind, stretched, which in (
        (RepairKind.CLOSES_LATER, closing, closes),
        (RepairKind.OPENS_EARLIER, opening, opens),
    ):
        price = np.where(able & (stretched <= MOST_S), case.cost_s + stretched, NEVER)
        row = int(np.argmin(price))
        found = _at(case, kind, price, amount=int(stretched[row]), window=int(which[row]))
        if found is not None:
            yield found


def _another_day(case: Case) -> Iterator[Repair]:
    """The deadline is some days later."""
    if case.deadline is None:
        return
    able = (case.obstacles == 0) & case.fits(Rule.DEADLINE)
    if not able.any():
        return
    last = case.deadline.begin_by_s // DAY_S
    days = np.array([max(day.shift.day - last, 1) for day in case.standing.days], dtype=np.int64)[case.positions.day]
    price = np.where(able, case.cost_s + COUNTS_S[RepairKind.LATER_DEADLINE] * days, NEVER)
    row = int(np.argmin(price))
    found = _at(case, RepairKind.LATER_DEADLINE, price, amount=int(days[row]))
    if found is not None:
        yield found


_BENT: Mapping[RepairKind, Rule] = {
    RepairKind.END_LATER: Rule.SHIFT_END,
    RepairKind.START_EARLIER: Rule.SHIFT_START,
    RepairKind.SHORTER_BREAK: Rule.BREAK,
}


def _another_shift(case: Case, kind: RepairKind, less_than_s: int) -> Repair | None:
    """A shift ends later, starts earlier, or has a shorter break; if there is one for less."""
    rows = np.flatnonzero((case.obstacles == 0) & case.fits(_BENT[kind]))
    best: Repair | None = None
    for row in rows[np.argsort(case.cost_s[rows], kind="stable")].tolist():
        cost_s = int(case.cost_s[row])
        if cost_s >= less_than_s:
            break
        number, position = int(case.positions.day[row]), int(case.positions.position[row])
        day = case.standing.days[number].with_job(case.job, position)
        amount = _HOW_MUCH[kind](case, day, less_than_s - cost_s)
        if amount is not None and cost_s + amount < less_than_s:
            less_than_s = cost_s + amount
            best = Repair(kind, case.job.id, day.shift.id, position, int(case.room.added_s[row]), less_than_s, amount)
    return best


def _later_s(case: Case, day: Day, _: int) -> int | None:
    """How much later the shift has to end for the day to be over by then."""
    problem, shift = case.left_out.problem, lifted(day.shift, frozenset({Rule.SHIFT_END}))
    owed, taken = Timeline.of(problem, shift, day.jobs).earliest[-1]
    last = day.jobs[-1].place
    home = [problem.arrive_s(last, shift.end_place, taken)] if taken < NEVER else []
    if owed < NEVER:
        home.append(break_ends(shift, problem.arrive_s(last, shift.end_place, owed)))
    return min(home) - day.shift.end_s if home else None


def _earlier_s(case: Case, day: Day, _: int) -> int | None:
    """How much earlier it has to start."""
    shift = lifted(day.shift, frozenset({Rule.SHIFT_START}))
    return day.shift.start_s - Timeline.of(case.left_out.problem, shift, day.jobs).latest[0][0]


def _shorter_s(case: Case, day: Day, less_than_s: int) -> int | None:
    """How much shorter its break has to be."""
    rest = day.shift.break_
    if rest is None:
        return None

    def enough(amount: int) -> bool:
        return Timeline.of(case.left_out.problem, with_shorter_break(day.shift, amount), day.jobs).feasible

    low, high = 0, min(rest.duration_s, less_than_s)
    if not enough(high):
        return None
    while low + 1 < high:  # low is not enough
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


_HOW_MUCH: Mapping[RepairKind, Callable[[Case, Day, int], int | None]] = {
    RepairKind.END_LATER: _later_s,
    RepairKind.START_EARLIER: _earlier_s,
    RepairKind.SHORTER_BREAK: _shorter_s,
}


def with_shorter_break(shift: Shift, amount: int) -> Shift:
    """The shift with its break shorter by so many seconds; without one if nothing is left of it."""
    rest = shift.break_
    if rest is None:
        return shift
    left_s = rest.duration_s - amount
    return replace(shift, break_=Break(left_s, rest.start_s, rest.end_s) if left_s > 0 else None)
