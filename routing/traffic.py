"""Travel times that depend on the hour: tables of seconds, and from when on which of them holds.

A leg that lies across a change is driven at the old speed until then and at the new one for the rest of its way, so
that who departs later never arrives earlier: the speed model of Ichoua, Gendreau & Potvin (2003, Vehicle dispatching
with time-dependent travel times), in whole seconds, rounded up at each change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.errors import ProblemError

UNREACHABLE = -1
"""Seconds and metres between places of which no way leads from the one to the other."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `from_s` on, table number `table` holds: 0 is a problem's `seconds`, 1 the first of its `tables`."""

    from_s: int
    table: int


def check_traffic(
    seconds: Sequence[Sequence[int]], tables: Sequence[Sequence[Sequence[int]]], changes: Sequence[Change]
) -> None:
    """Tables and changes belong together.

    Raises:
        ProblemError: changes that are not in order or do not begin at 0 or name no table; a table in which another leg
            takes no time, or cannot be driven, than in the first.
    """
    if not tables and not changes:
        return
    times = [change.from_s for change in changes]
    if not times or times[0] != 0 or any(a >= b for a, b in pairwise(times)):
        raise ProblemError("traffic: the changes do not begin at 0 or are not in order")
    for change in changes:
        if not 0 <= change.table <= len(tables):
            raise ProblemError(f"traffic: there is no table {change.table}")
    for k, table in enumerate(tables, start=1):
        for row, first in zip(table, seconds, strict=True):
            if any(min(a, 1) != min(b, 1) for a, b in zip(row, first, strict=True)):
                raise ProblemError(f"table {k}: a leg takes no time, or cannot be driven, in it or in the first alone")


def during(changes: Sequence[Change], start_s: int, end_s: int) -> tuple[Change, ...]:
    """The changes of which anything is felt between two times: for whoever asks of one day of a long horizon."""
    first = max(bisect_right(changes, start_s, key=lambda change: change.from_s) - 1, 0)
    last = bisect_right(changes, end_s, key=lambda change: change.from_s)
    return (Change(0, changes[first].table), *changes[first + 1 : last]) if changes else ()


def arrive_s(leg: Sequence[int], changes: Sequence[Change], depart_s: int) -> int:
    """When somebody arrives who departs then; `leg` are the seconds of the leg in each table."""
    k = max(bisect_right(changes, depart_s, key=lambda change: change.from_s) - 1, 0)
    now, left, of = depart_s, leg[changes[k].table], leg[changes[k].table]
    while k + 1 < len(changes) and now + left > changes[k + 1].from_s:
        driven = changes[k + 1].from_s - now
        k += 1
        now, whole = changes[k].from_s, leg[changes[k].table]
        left, of = -(-(left - driven) * whole // of), whole
    return now + left


def depart_s(leg: Sequence[int], changes: Sequence[Change], arrive_by_s: int) -> int:
    """The latest departure with which one arrives by then: the exact inverse of `arrive_s`."""
    k = max(bisect_right(changes, arrive_by_s, key=lambda change: change.from_s) - 1, 0)
    by, left, whole = arrive_by_s, 0, leg[changes[k].table]
    while k > 0 and by - whole + left < changes[k].from_s:
        # So much of the way may be left at the change, counted at the speed before it.
        here, of = left + by - changes[k].from_s, whole
        by, k = changes[k].from_s, k - 1
        whole = leg[changes[k].table]
        left = here * whole // of
    return by - whole + left
