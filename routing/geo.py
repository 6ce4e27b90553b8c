"""Points on the globe (WGS 84) and great-circle distances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG."""


@dataclass(frozen=True, slots=True, order=True)
class LatLon:
    """A point in degrees, latitude first.

    Raises:
        RoutingError: not finite, or outside ±90 / ±180 degrees.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and -90 <= self.lat <= 90):
            raise RoutingError(f"latitude {self.lat!r} is not between -90 and 90")
        if not (math.isfinite(self.lon) and -180 <= self.lon <= 180):
            raise RoutingError(f"longitude {self.lon!r} is not between -180 and 180")


def great_circle_m(a: LatLon, b: LatLon) -> float:
    """Metres between two points along the great circle (haversine formula)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    h = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def great_circles_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres like `great_circle_m` for arrays of (lat, lon) in degrees: ... × 2 each, shapes broadcast, → ..."""
    a, b = np.radians(a), np.radians(b)
    half = np.sin((b - a) / 2) ** 2
    h = half[..., 0] + np.cos(a[..., 0]) * np.cos(b[..., 0]) * half[..., 1]
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return metres
