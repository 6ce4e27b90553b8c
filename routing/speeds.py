"""How fast a car moves on a street of each class, and what junctions, signals and parking cost: one settings table.

The figures were fitted on the addresses of one town against OSRM's car profile and held on two other cities
(median ratio 1.00). They are free-flow driving without traffic; `tests/benchmarks/bench_travel_times.py` shows
how close they stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from routing.errors import RoutingError

KM_PER_MILE = 1.609344

CLASS_KMH: Mapping[str, float] = MappingProxyType(
    {
        "motorway": 90.0,
        "motorway_link": 45.0,
        "trunk": 85.0,
        "trunk_link": 40.0,
        "primary": 65.0,
        "primary_link": 30.0,
        "secondary": 55.0,
        "secondary_link": 25.0,
        "tertiary": 40.0,
        "tertiary_link": 20.0,
        "unclassified": 25.0,
        "residential": 25.0,
        "road": 25.0,
        "living_street": 10.0,
        "service": 15.0,
    }
)
"""Speed where no limit is posted, by the value of the OpenStreetMap `highway` tag."""


@dataclass(frozen=True)
class SpeedTable:
    """Everything that turns a street into seconds.

    A street is driven at `limit_share` of its posted limit, or at `class_kmh` where none is posted; the time is
    multiplied by `time_factor`. Entering a node where three or more streets meet costs one of the junction delays,
    entering a node with traffic signals `signal_s`. `access_s` is added at both ends of every trip (pulling out,
    finding the door): it is the one cost of getting between the street and the place.

    Raises:
        RoutingError: a speed or factor that is not positive, or a negative delay.
    """

    class_kmh: Mapping[str, float] = field(default_factory=lambda: CLASS_KMH)
    other_class_kmh: float = 10.0
    """Classes that the table does not name (tracks and squares that are open to cars)."""
    limit_share: float = 0.8
    time_factor: float = 0.97
    join_s: float = 1.64
    """Joining a street of a higher class, or a roundabout."""
    equal_s: float = 0.98
    """A junction of three or more streets of the same class."""
    pass_s: float = 0.55
    """Staying on the main road past a lesser street; service streets are not counted."""
    signal_s: float = 1.65
    access_s: float = 6.0

    def __post_init__(self) -> None:
        for name, kmh in {**self.class_kmh, "other_class_kmh": self.other_class_kmh}.items():
            if not kmh > 0:
                raise RoutingError(f"speed of {name} must be above 0 km/h, not {kmh}")
        for name in ("limit_share", "time_factor"):
            if not getattr(self, name) > 0:
                raise RoutingError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("join_s", "equal_s", "pass_s", "signal_s", "access_s"):
            if not getattr(self, name) >= 0:
                raise RoutingError(f"{name} must not be negative, not {getattr(self, name)}")

    def kmh(self, highway: object, maxspeed: object = None) -> float:
        """Driving speed for values of the `highway` and `maxspeed` tags (strings, or OSMnx's lists of them).

        An edge that was merged from several streets counts as its slowest.
        """
        limit = posted_kmh(maxspeed)
        if limit is not None:
            return limit * self.limit_share
        return min(self.class_kmh.get(name, self.other_class_kmh) for name in tag_values(highway) or [""])


DEFAULT = SpeedTable()


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How many times as long driving takes as on free roads: on motorways and trunk roads; on main roads (primary,
    secondary, tertiary); on all other streets. Delays at junctions grow with the street that leads there."""

    motorways: float = 1.0
    main_roads: float = 1.0
    streets: float = 1.0

    def __post_init__(self) -> None:
        for name in ("motorways", "main_roads", "streets"):
            if not 1 <= getattr(self, name) <= MOST_TIMES:
                raise RoutingError(f"{name} must take 1 to {MOST_TIMES} times as long, not {getattr(self, name)}")


MOST_TIMES = 5

_IMPLICIT_KMH = {
    "none": 130.0,
    "walk": 7.0,
    "living_street": 10.0,
    "urban": 50.0,
    "rural": 90.0,
    "trunk": 110.0,
    "motorway": 120.0,
    "nsl_single": 60 * KM_PER_MILE,
    "nsl_dual": 70 * KM_PER_MILE,
}
"""Limits that are written as words, alone or behind a country (`DE:urban`)."""

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", re.ASCII)
_KMH_PER_UNIT = {"mph": KM_PER_MILE, "knots": 1.852}


def tag_values(tag: object) -> list[str]:
    """The values of a tag that may be a string, a list of strings (OSMnx), or absent."""
    if isinstance(tag, str):
        return [tag]
    return [value for value in tag if isinstance(value, str)] if isinstance(tag, list) else []


def posted_kmh(maxspeed: object) -> float | None:
    """The limit that a `maxspeed` tag posts, in km/h; None where it says nothing that can be driven by.

    Understands bare km/h, mph and knots, words (`none`, `GB:nsl_single`), and several values in a list or
    separated by `;` or `|`, of which the lowest counts. Anything else (`signals`, `variable`, junk), and numbers
    that no street posts (outside 3 to 200 km/h), is None.
    """
    limits = [
        kmh
        for value in tag_values(maxspeed)
        for part in re.split(r"[;|,]", value.lower())
        if (kmh := _limit_kmh(part.strip())) is not None
    ]
    return min(limits, default=None)


def _limit_kmh(text: str) -> float | None:
    word = text.rpartition(":")[2]
    if word in _IMPLICIT_KMH:
        return _IMPLICIT_KMH[word]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    kmh = float(match[1]) * _KMH_PER_UNIT.get(match[2] or "", 1.0)
    return kmh if 3 <= kmh <= 200 else None
