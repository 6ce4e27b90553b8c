"""The values that an estimate of a month's driving is made of, and those that come out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import DAY_S

WEEKS_A_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True, slots=True)
class Base:
    """Where the days of one owner start and end, and what fits into one.

    Attributes:
        day_s: working seconds of a day, less the break.
        most_visits: on one day; None for as many as fit.

    Raises:
        RoutingError: a day that is not between 1 second and 24 hours, or no visits on one.
    """

    start: LatLon
    end: LatLon
    day_s: int
    most_visits: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.day_s <= DAY_S:
            raise RoutingError(f"a day of {self.day_s} s is not between 1 s and 24 hours")
        if self.most_visits is not None and self.most_visits < 1:
            raise RoutingError(f"most_visits is {self.most_visits}, not at least 1")


@dataclass(frozen=True, slots=True)
class MonthlyVisits:
    """A place that its owner visits again and again.

    Attributes:
        key: names it in the answer and in no other way; must be unique.
        times_a_month: a month is 365.25 / 12 days.
        service_s: of one visit, with parking.

    Raises:
        RoutingError: a negative or endless number.
    """

    key: str
    owner: str
    place: LatLon
    times_a_month: float
    service_s: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.times_a_month) and self.times_a_month >= 0):
            raise RoutingError(f"{self.key}: {self.times_a_month!r} times a month is no number of visits")
        if not 0 <= self.service_s <= DAY_S:
            raise RoutingError(f"{self.key}: service_s {self.service_s} is not between 0 and a day")


@dataclass(frozen=True, slots=True)
class Load:
    """What one owner's visits take in a month: their number, seconds of service and of driving, and days out."""

    visits: float = 0.0
    service_s: float = 0.0
    drive_s: float = 0.0
    days: float = 0.0

    @classmethod
    def total(cls, loads: Iterable[Load]) -> Load:
        found = list(loads)
        return cls(*(sum(getattr(load, name) for load in found) for name in ("visits", "service_s", "drive_s", "days")))

    @property
    def needed_s(self) -> float:
        return self.service_s + self.drive_s


@dataclass(frozen=True)
class Workloads:
    """The estimate.

    Attributes:
        loads: of every base, by owner; what could not be reached is in none of them.
        drive_s: by key, the share of one visit in its owner's driving: times the visits a month, these sum up to
            the owner's `drive_s`. Without the keys that could not be reached.
        unreachable: keys of places to or from which no street leads between the two ends of their owner's day.
    """

    loads: Mapping[str, Load]
    drive_s: Mapping[str, float]
    unreachable: tuple[str, ...]
