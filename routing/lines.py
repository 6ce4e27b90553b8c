"""Lines on the map with fewer points: what a phone is sent and has to keep."""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

METRES_PER_DEGREE = 111_320.0
"""Of latitude; the earth is round enough for drawing."""
DECIMALS = 5
"""About a metre."""


def thinned(points: Sequence[tuple[float, float]], tolerance_m: float) -> list[list[float]]:
    """A line of (lat, lon) with the points left out that it passes within some metres of anyway, rounded to a metre.

    The method is Douglas and Peucker's (Cartographica 10, 1973). The first and the last point stay; a line that comes
    back to where it was does so still.
    """
    if len(points) < 2:
        return [[round(lat, DECIMALS), round(lon, DECIMALS)] for lat, lon in points]
    narrowing = max(math.cos(math.radians(points[0][0])), 1e-6)
    flat = shapely.LineString([(lon * narrowing, lat) for lat, lon in points])
    kept = shapely.get_coordinates(shapely.simplify(flat, tolerance_m / METRES_PER_DEGREE, preserve_topology=False))
    return [[round(lat, DECIMALS), round(lon / narrowing, DECIMALS)] for lon, lat in kept.tolist()]
