"""Seconds and metres between places, and what can be asked for them: the protocol and its simplest source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.geo import LatLon, great_circles_m
from routing.problem import UNREACHABLE
from routing.speeds import Slowdown


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Travel times between n places: `seconds[i, j]` and `metres[i, j]` from place i to place j.

    Both are n × n int32 with a diagonal of 0, and `UNREACHABLE` in the same cells of both. The metres are those of
    the fastest way, not of the shortest.

    Raises:
        RoutingError: arrays that are not square, not alike, or hold other negative numbers.
    """

    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]

    def __post_init__(self) -> None:
        shape = self.seconds.shape
        if len(shape) != 2 or shape[0] != shape[1] or self.metres.shape != shape:
            raise RoutingError(f"travel times must be two equal squares, not {shape} and {self.metres.shape}")
        for name, values in (("seconds", self.seconds), ("metres", self.metres)):
            if values.dtype != np.int32:
                raise RoutingError(f"{name} must be int32, not {values.dtype}")
            if np.any(values < UNREACHABLE) or np.any(np.diagonal(values) != 0):
                raise RoutingError(f"{name} must be 0 on the diagonal and not negative, or {UNREACHABLE}")
            values.flags.writeable = False
        if np.any((self.seconds == UNREACHABLE) != (self.metres == UNREACHABLE)):
            raise RoutingError("seconds and metres must be unreachable in the same cells")

    def reachable(self, i: int, j: int) -> bool:
        """Whether any way leads from place i to place j."""
        return bool(self.seconds[i, j] != UNREACHABLE)


@dataclass(frozen=True, slots=True)
class LegPath:
    """The fastest way from one place to another: whole seconds and metres, and the line to draw."""

    seconds: int
    metres: int
    points: tuple[LatLon, ...]


@dataclass(frozen=True, eq=False)
class FanTimes:
    """Travel times between one place and n fixed ones: n int32 each, `UNREACHABLE` where no way leads.

    `to_s[i]` and `to_m[i]` lead from fixed place i to the one asked for, `from_s[i]` and `from_m[i]` from it to fixed
    place i: the column and the row that `TravelTimeSource.travel_times` has for it, to the last digit. `tables` are
    the seconds (to, from) in further tables, where there are such (see `routing.traffic`).

    Raises:
        RoutingError: arrays that are not n int32 each.
    """

    to_s: NDArray[np.int32]
    to_m: NDArray[np.int32]
    from_s: NDArray[np.int32]
    from_m: NDArray[np.int32]
    tables: tuple[tuple[NDArray[np.int32], NDArray[np.int32]], ...] = ()

    def __post_init__(self) -> None:
        named = [(name, getattr(self, name)) for name in ("to_s", "to_m", "from_s", "from_m")]
        named += [(f"table {k}", line) for k, table in enumerate(self.tables, start=1) for line in table]
        for name, values in named:
            if values.shape != (len(self.to_s),) or values.dtype != np.int32:
                raise RoutingError(f"{name} must be {len(self.to_s)} int32, not {values.shape} {values.dtype}")
            values.flags.writeable = False


class Fan(Protocol):
    """Fixed places whose times to and from any other place are asked for again and again. Never changes: threads
    may ask at the same time."""

    def times(self, place: LatLon) -> FanTimes:
        """Seconds and metres between the place and every fixed one, in their order."""
        ...


class TravelTimeSource(Protocol):
    """Anything that knows how long it takes between places.

    Times are whole seconds rounded up: rounding up keeps the triangle inequality of the exact times (going by way
    of a third place never comes out shorter than going there directly), and never promises an arrival that is a
    moment too early. Equal places are 0 seconds apart.
    """

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        """Seconds and metres between all pairs of the places, in their order."""
        ...

    def fan(self, places: Sequence[LatLon]) -> Fan:
        """The same times between these places and one that is not known yet, prepared to be answered fast."""
        ...

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        """The fastest way, with the same seconds and metres as `travel_times` of the two.

        Raises:
            UnreachableError: no way leads there.
        """
        ...

    def slowed(self, by: Slowdown) -> TravelTimeSource:
        """The same places while driving takes longer.

        Raises:
            RoutingError: it is not known on which roads one drives.
        """
        ...


PLAIN_FAN_STEP = 63
"""Fixed places that a plain fan asks for at a time: it needs two lines of a square, the larger the more is waste."""


@dataclass(frozen=True)
class PlainFan:
    """A fan of any source, by its `travel_times`."""

    source: TravelTimeSource
    places: Sequence[LatLon]

    def times(self, place: LatLon) -> FanTimes:
        """Seconds and metres between the place and every fixed one, in their order."""
        lines: list[list[NDArray[np.int32]]] = []
        for at in range(0, len(self.places), PLAIN_FAN_STEP):
            square = self.source.travel_times([place, *self.places[at : at + PLAIN_FAN_STEP]])
            lines.append([square.seconds[1:, 0], square.metres[1:, 0], square.seconds[0, 1:], square.metres[0, 1:]])
        to_s, to_m, from_s, from_m = map(np.concatenate, zip(*lines, strict=True)) if lines else _NOTHING
        return FanTimes(to_s, to_m, from_s, from_m)


_NOTHING = [np.empty(0, dtype=np.int32)] * 4


@dataclass(frozen=True)
class HourlyFan:
    """A fan, and those of the same places in further tables, as one."""

    first: Fan
    tables: tuple[Fan, ...]

    def times(self, place: LatLon) -> FanTimes:
        """Seconds and metres between the place and every fixed one, in their order; metres are those of the first."""
        others = (fan.times(place) for fan in self.tables)
        return replace(self.first.times(place), tables=tuple((times.to_s, times.from_s) for times in others))


@dataclass(frozen=True)
class GreatCircleTravelTimes:
    """Travel times where there are no streets: great-circle distance × `detour`, driven at `kmh`, on main roads.

    Raises:
        RoutingError: a speed that is not positive, or a detour below 1.
    """

    kmh: float = 40.0
    detour: float = 1.4

    def __post_init__(self) -> None:
        if not self.kmh > 0:
            raise RoutingError(f"kmh must be above 0, not {self.kmh}")
        if not self.detour >= 1:
            raise RoutingError(f"detour must be at least 1, not {self.detour}")

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        """Seconds and metres between all pairs; every pair is reachable."""
        points = np.array([(place.lat, place.lon) for place in places], dtype=np.float64).reshape(-1, 2)
        metres = great_circles_m(points[:, None], points) * self.detour
        seconds = np.ceil(metres / (self.kmh / 3.6))
        return TravelTimes(seconds.astype(np.int32), np.rint(metres).astype(np.int32))

    def fan(self, places: Sequence[LatLon]) -> Fan:
        """The same times between these places and one that is not known yet."""
        return PlainFan(self, tuple(places))

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        """A straight line between the two places."""
        times = self.travel_times([origin, destination])
        return LegPath(int(times.seconds[0, 1]), int(times.metres[0, 1]), (origin, destination))

    def slowed(self, by: Slowdown) -> GreatCircleTravelTimes:
        """The same places while driving takes longer."""
        return replace(self, kmh=self.kmh / by.main_roads)
