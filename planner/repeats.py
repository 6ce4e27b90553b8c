"""Several visits to one customer within the days of a plan: when each is due, and how far apart they are.

A customer is visited every `cadence` days, give or take the share of it that `spacing_share` says, in whole days and
rounded down: of 7 days two, of 14 four, so that the visits are 5–9 and 10–18 days apart. A visit that was promised, or
agreed for a time of its own, counts as one of them on its day, which nothing here can change: the others keep their
distance to it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from planner.settings import CandidateSettings

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def slack_days(cadence: int, settings: CandidateSettings) -> int:
    """How many days a visit may be early or late, measured from the one before."""
    return math.floor(settings.spacing_share * cadence + 1e-9)


def least_days(cadence: int, settings: CandidateSettings) -> int:
    """So many days lie at least between two visits; never two are on one day."""
    return max(1, cadence - slack_days(cadence, settings))


def most_days(cadence: int, days_out: Collection[date], settings: CandidateSettings) -> int:
    """So many days lie at most between two visits: more where nobody who could come works for longer than that."""
    away = max((after - before for before, after in pairwise(sorted(days_out))), default=timedelta(0))
    return max(cadence + slack_days(cadence, settings), away.days)


@dataclass(frozen=True, slots=True)
class DueVisit:
    """One of the visits that are due to a customer.

    Attributes:
        number: 1 for the first of them in these days; what is promised is counted, too.
        due: the day that it is due; the first day for whoever is overdue.
        first_day, last_day: the days on which it may be.
        chain: those with the same number stand between the same promises.
    """

    number: int
    due: date
    first_day: date
    last_day: date
    chain: int


def due_visits(
    last_visit: date | None,
    cadence: int,
    fixed: Iterable[date],
    first_day: date,
    last_day: date,
    settings: CandidateSettings,
) -> list[DueVisit]:
    """The visits that are due to a customer in some days, by day: each has the days of one cadence to itself.

    Args:
        fixed: the days on which the customer has a visit that stays where it is; some may be outside these days.
    """
    least, slack = timedelta(least_days(cadence, settings)), timedelta(slack_days(cadence, settings))
    every = timedelta(cadence)
    found: list[DueVisit] = []
    stay = sorted(set(fixed))
    last_visit = max(filter(None, (last_visit, *(day for day in stay if day < first_day))), default=None)
    end = min([last_day, *(day - least for day in stay if day > last_day)])
    before, number = last_visit, 1
    for chain, after in enumerate([*(day for day in stay if first_day <= day <= last_day), None]):
        latest = end if after is None else after - least
        due = first_day if before is None else max(first_day, before + every)
        begin = max(first_day, due - slack) if before is None else max(first_day, before + least, due - slack)
        days = list(_days_of_each(begin, due, every, latest))
        for due_on, first, last in days:
            found.append(DueVisit(number, due_on, first, last, chain))
            number += 1
        before, number = max(filter(None, (after, last_visit)), default=None), number + 1
    return found


def _days_of_each(begin: date, due: date, every: timedelta, latest: date) -> Iterator[tuple[date, date, date]]:
    """The day that each is due, and its own days: those before the days of the next, the last one's to the end."""
    while due <= latest:
        last = latest if due + every > latest else begin + every - timedelta(days=1)
        yield due, begin, last
        begin, due = begin + every, due + every


def ordinal(number: int) -> str:
    """Such as "second" or "21st"."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{last}"


def spacing_words(cadence: int, least: int, most: int) -> str:
    """Such as "every 7 days, 5–9 days after the one before"."""
    days = f"{least}–{most}" if least < most else f"{least}"
    return f"every {cadence} days, {days} days after the one before"
