"""From wall-clock hours to instants: when a visit may begin, with the zone of the place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opening_hours import State

from planner.domain import parse_opening_hours
from routing.problem import TimeWindow

Span = tuple[int, int]
"""Seconds since an epoch, from and to."""


def instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC of a local time. Of the two in an autumn hour it is the first; a skipped one moves on."""
    return moment.replace(tzinfo=zone).astimezone(UTC)


def exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a local time occurs at all: a clock change in spring skips an hour."""
    return instant(moment, zone).astimezone(zone).replace(tzinfo=None, fold=0) == moment.replace(fold=0)


def seconds_since(epoch: datetime, moment: datetime, zone: ZoneInfo) -> int:
    """True elapsed seconds from an instant to a local time."""
    return round((instant(moment, zone) - epoch).total_seconds())


def _span(opens: datetime, closes: datetime, epoch: datetime, zone: ZoneInfo) -> Span:
    """Surely open: where a clock change makes a local time ambiguous, from the later instant to the earlier one."""
    return (
        max(seconds_since(epoch, opens.replace(fold=fold), zone) for fold in (0, 1)),
        min(seconds_since(epoch, closes.replace(fold=fold), zone) for fold in (0, 1)),
    )


def midnight(day: date) -> datetime:
    """The local time at which a day begins."""
    return datetime.combine(day, time())


@lru_cache(maxsize=4_096)
def open_spans(expression: str, epoch: datetime, first_day: date, last_day: date, zone: ZoneInfo) -> tuple[Span, ...]:
    """When an opening_hours expression is open from the first day to the end of the last, in order, not touching.

    The days before and after are in it too, for reps whose zone is ahead of the customer's, or behind. Remembered,
    since customers share a few expressions and are asked about on the same days again and again.
    """
    begin, end = midnight(first_day - timedelta(days=1)), midnight(last_day + timedelta(days=2))
    spans: list[Span] = []
    for opens, closes, state, _comment in parse_opening_hours("hours", expression).intervals(begin, end):
        if state != State.OPEN:
            continue
        span = _span(max(opens, begin), min(closes, end), epoch, zone)
        if spans and spans[-1][1] >= span[0]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], span[1]))
        elif span[0] < span[1]:
            spans.append(span)
    return tuple(spans)


def intersect(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time that is in both."""
    both = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return sorted((start, end) for start, end in both if start < end)


def whole_visit_windows(spans: Iterable[Span], service_s: int) -> tuple[TimeWindow, ...]:
    """When service may begin so that the whole visit lies within one of the spans: the one place where this is done."""
    return tuple(TimeWindow(max(0, start), end - service_s) for start, end in spans if end - service_s >= max(0, start))
