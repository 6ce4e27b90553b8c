"""Who could be near a visit: a quick look before the streets are asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.domain import Account
from routing.geo import EARTH_RADIUS_M, LatLon

FASTEST_KMH = 130.0
"""Faster than any street that `routing.speeds` knows, unless its posted limit is above 155 km/h."""


def within_reach(
    hosts: Sequence[LatLon], accounts: Sequence[tuple[Account, LatLon, float]], limit_s: float
) -> list[tuple[Account, LatLon, float]]:
    """Those that a straight line at the highest speed could reach: keeps the matrix small when accounts are many."""
    if not hosts or not accounts:
        return []
    rounding_m = 10.0
    reach = min((limit_s * FASTEST_KMH / 3.6 + rounding_m) / EARTH_RADIUS_M, math.pi)
    cosines = _directions([place for _, place, _ in accounts]) @ _directions(hosts).T
    near = cosines.max(axis=1) >= math.cos(reach)
    return [entry for entry, is_near in zip(accounts, near, strict=True) if is_near]


def _directions(places: Sequence[LatLon]) -> NDArray[np.float64]:
    """Unit vectors from the earth's centre, n × 3; their dot product is the cosine of the angle between two."""
    lat, lon = np.radians([(place.lat, place.lon) for place in places]).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
