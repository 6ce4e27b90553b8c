"""Repeats: which days the jobs of a series may be on, given the others that are done."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from routing.problem import Spacing


class Done(NamedTuple):
    """A job of a series that is done on a day; `worth_s` is what leaving it out costs."""

    day: int
    worth_s: int
    job: int


def may_join(spacing: Spacing, days: Collection[int], day: int) -> bool:
    """Whether one more is done that day without standing too near to the one before or after it, or too far off."""
    ordered = sorted(days)
    at = bisect_left(ordered, day)
    gaps = [day - before for before in ordered[max(at - 1, 0) : at]]
    gaps += [after - day for after in ordered[at : at + 1]]
    return all(spacing.min_days <= gap <= spacing.max_days for gap in gaps)


def may_leave(spacing: Spacing, days: Collection[int], day: int) -> bool:
    """Whether the one of that day can be left out without those around it being too far apart."""
    before = max((other for other in days if other < day), default=None)
    after = min((other for other in days if other > day), default=None)
    return before is None or after is None or after - before <= spacing.max_days


def best_kept(spacing: Spacing, done: Sequence[Done]) -> tuple[int, tuple[int, ...]]:
    """Of jobs that may stand too near or too far, those that are worth most and stand as they should; and their worth.

    All of them where nothing is wrong. O(n²).
    """
    ordered = sorted(done)
    if all(spacing.min_days <= b.day - a.day <= spacing.max_days for a, b in pairwise(ordered)):
        return sum(each.worth_s for each in ordered), tuple(each.job for each in ordered)
    best: list[tuple[int, tuple[int, ...]]] = []
    for k, each in enumerate(ordered):
        before = [
            best[i]
            for i, other in enumerate(ordered[:k])
            if spacing.min_days <= each.day - other.day <= spacing.max_days
        ]
        worth_s, jobs = max(before, default=(0, ()))
        best.append((worth_s + each.worth_s, (*jobs, each.job)))
    return max(best)


def spacing_of(spacings: Sequence[Spacing]) -> Mapping[str, Spacing]:
    """Each series' spacing."""
    return {spacing.series: spacing for spacing in spacings}
