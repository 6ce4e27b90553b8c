"""Perfect days in a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """A day of a person's: whether there was work on it, and whether all its goals are met."""

    day: date
    works: bool
    perfect: bool


def streak_of(days: Iterable[JudgedDay], today: date) -> int:
    """How many perfect working days in a row go on today: today counts once it is perfect, and breaks nothing before
    it is over.

    A day without work neither breaks a streak nor extends it.
    """
    length = 0
    for day in sorted(days, key=lambda each: each.day, reverse=True):
        if not day.works or (day.day >= today and not day.perfect):
            continue
        if not day.perfect:
            break
        length += 1
    return length


def may_be_longer(days: Collection[JudgedDay], today: date) -> bool:
    """Whether a streak goes on before the first of the days: none breaks it, and there was work in their first week."""
    worked = [day for day in days if day.works and (day.day < today or day.perfect)]
    first = min((day.day for day in days), default=today)
    return all(day.perfect for day in worked) and any(day.day - first < A_WEEK for day in worked)
