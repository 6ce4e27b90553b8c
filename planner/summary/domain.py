"""The words of the weekly summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from planner.coverage.domain import CoverageState
from planner.domain import RecordKind


class SuggestionKind(StrEnum):
    """What is suggested."""

    FIRST_VISITS = "first_visits"
    """Time for opportunities that no plan has room for."""
    HALF_DAY = "half_day"
    """More time of a rep's, once."""
    GIVE = "give"
    """Some customers to another rep."""
    ADOPT = "adopt"
    """Customers of nobody to a rep."""
    STRETCH = "stretch"
    """A longer cadence for a segment."""
    SETTLE = "settle"
    """Addresses that nobody has located."""


@dataclass(frozen=True, slots=True)
class Named:
    """A customer or an opportunity in a list, the rep whose it is, and what there is to say of it, if anything."""

    kind: RecordKind
    id: str
    name: str
    rep: str = ""
    text: str = ""
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Slip:
    """What slipped for one reason; `about` heads reasons of a kind, and `reason` is in words that name nobody."""

    about: str
    reason: str
    entries: Sequence[Named]


@dataclass(frozen=True, slots=True)
class StateChange:
    """How many customers are in a state, and how many more than seven days before: of those of whom both are known, so
    that a customer of whom nobody knows how it was is no change. None where that would mislead."""

    state: CoverageState
    now: int
    change: int | None


@dataclass(frozen=True, slots=True)
class Met:
    """The customers who were met in the week, by how their visit came."""

    how: str
    entries: Sequence[Named]


@dataclass(frozen=True, slots=True)
class Deals:
    """What became of opportunities in the week: each once, whatever happened to it twice."""

    what: str
    entries: Sequence[Named]

    @property
    def value(self) -> float:
        return sum(entry.value for entry in self.entries)


@dataclass(frozen=True, slots=True)
class RepWeek:
    """A rep's week: visits planned and made of them, made besides; and the hours a month as they are now, in minutes.

    `needed` and `there` are None where no coverage is worked out.
    """

    rep_id: str
    name: str
    planned: int
    made: int
    besides: int
    needed: float | None = None
    there: float | None = None

    @property
    def short(self) -> float:
        return max(0.0, (self.needed or 0.0) - (self.there or 0.0))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that would help, with its price.

    Attributes:
        title: what to do, as a sentence.
        price: in hours, in words.
        sums: how that was worked out, line by line.
        loses: what is lost by it, as a sentence.
        minutes: what it takes of somebody's time; negative where it saves time.
        monthly: whether that is each month, or once.
        accounts: whom it is about.
        rep_id: whose list to look at; empty of the whole area's.
    """

    kind: SuggestionKind
    title: str
    price: str
    sums: Sequence[str]
    loses: str
    minutes: float
    monthly: bool
    accounts: Sequence[Named]
    rep_id: str = ""


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """A week of an area's, as somebody sees it.

    Attributes:
        last: the last day that is told of: of a week that goes on, yesterday; before `monday` where nothing is over.
        as_of: of the coverage that states, hours and suggestions are of; None where none is worked out.
        met: customers who were met in the week; of those in time, late, and of whom no visit before is known; `met_by`
            has their names.
        states: of `states_on`: of the latest weeks as the coverage has them, of earlier ones as of the last day.
        uncompared: customers of whom it is not known how they were seven days before.
        suggestions: three at most; empty for weeks long past.
        notes: what somebody should know who reads it, as sentences.
    """

    area: str
    monday: date
    last: date
    zone: str
    as_of: date | None
    reps: Sequence[RepWeek]
    met: int
    in_time: int
    late: int
    first_known: int
    states: Sequence[StateChange]
    deals: Sequence[Deals]
    slips: Sequence[Slip]
    suggestions: Sequence[Suggestion]
    notes: Sequence[str] = ()
    met_by: Sequence[Met] = ()
    states_on: date | None = None
    uncompared: int = 0

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def planned(self) -> int:
        return sum(rep.planned for rep in self.reps)

    @property
    def made(self) -> int:
        return sum(rep.made for rep in self.reps)

    @property
    def besides(self) -> int:
        return sum(rep.besides for rep in self.reps)

    @property
    def short(self) -> float:
        """Minutes a month, rep by rep."""
        return sum(rep.short for rep in self.reps)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def hours(minutes: float) -> str:
    """'4.5 h', '0.3 h', '112 h'."""
    told = abs(minutes) / 60
    return f"{told:,.0f} h" if told >= 99.95 else f"{told:.1f} h"
