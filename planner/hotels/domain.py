"""The words of nights away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from planner.domain import MAX_MINUTES, _check, _check_text
from routing.geo import LatLon

MAX_NAME = 200
MOST_HOTELS = 300
"""In a file, and in an area: each is a place more for which travel times are needed."""


@dataclass(frozen=True, slots=True)
class Hotel:
    """A place where reps who may stay overnight can end a day and start the next.

    Attributes:
        revision: goes up with every change, from 1.
        minutes: what a night costs, in minutes of driving that it has to save; None for what the settings say.
    """

    area: str
    id: str
    revision: int
    name: str
    address: str
    lat: float
    lon: float
    minutes: int | None = None

    def __post_init__(self) -> None:
        _check(bool(self.id), "id", "is empty")
        _check(self.revision >= 1, "revision", f"{self.revision} is below 1")
        _check(bool(self.name.strip()), "name", "is empty")
        _check_text(self, "id", "name", limit=MAX_NAME)
        _check_text(self, "address")
        _check(-90 <= self.lat <= 90, "lat", f"{self.lat} is not between -90 and 90")
        _check(-180 <= self.lon <= 180, "lon", f"{self.lon} is not between -180 and 180")
        if self.minutes is not None:
            _check(0 <= self.minutes <= MAX_MINUTES, "minutes", f"{self.minutes} is not between 0 and {MAX_MINUTES}")

    @property
    def place(self) -> LatLon:
        return LatLon(self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Night:
    """A night at a hotel, as a plan tells it: whoever reads the plan needs no list of hotels."""

    hotel_id: str
    name: str
    address: str
    place: LatLon
    minutes: int

    @classmethod
    def of(cls, hotel: Hotel, usual_minutes: int) -> Night:
        minutes = usual_minutes if hotel.minutes is None else hotel.minutes
        return cls(hotel.id, hotel.name, hotel.address, hotel.place, minutes)


@dataclass(frozen=True, slots=True)
class Stay:
    """A night that some reps may spend somewhere."""

    night: Night
    reps: frozenset[str]


NightKey = tuple[str, date]
"""A rep's id and the day at whose end the night begins."""


@dataclass(frozen=True)
class Nights:
    """What plans of other versions have to know of the nights that reps see.

    Attributes:
        away: those that the published plan, as it stands, has at hotels.
        settled: the days that have begun: where their reps sleep is settled, at home unless it is in `away`.
    """

    away: Mapping[NightKey, Night] = field(default_factory=dict)
    settled: frozenset[NightKey] = frozenset()
