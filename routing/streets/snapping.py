"""From a place to the nearest point on a street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

from routing.geo import EARTH_RADIUS_M, LatLon
from routing.streets.compiling import Streets

ISLET_PREFERENCE_M = 300.0
"""A street of an islet is only taken when no other street is at most this much farther away."""


@dataclass(frozen=True, slots=True)
class Snap:
    """The point on a street that stands for a place.

    Attributes:
        street: number of the street in the network.
        fraction: how far along the street's line the point lies, 0 to 1.
        point: where it is.
        distance_m: metres from the place to it.
    """

    street: int
    fraction: float
    point: LatLon
    distance_m: float


class Snapper:
    """Finds nearest streets. Works in Mercator metres, which are true to scale around any point once divided by it."""

    def __init__(self, streets: Streets) -> None:
        counts = np.diff(streets.line_first)
        self._lines = np.asarray(
            shapely.linestrings(_mercator(streets.line), indices=np.repeat(np.arange(len(counts)), counts))
        )
        self._doors = np.flatnonzero(~streets.doorless)
        self._door_tree = shapely.STRtree(self._lines[self._doors])
        self._mainland = np.flatnonzero(~streets.doorless & ~streets.islet)
        self._mainland_tree = shapely.STRtree(self._lines[self._mainland])

    def snap(self, places: Sequence[LatLon], max_distance_m: float) -> list[Snap | None]:
        """The nearest point on a street for each place, as `StreetNetwork.snap` promises."""
        if not places:
            return []
        degrees = np.array([(place.lat, place.lon) for place in places], dtype=np.float64)
        xy = _mercator(degrees)
        points = np.asarray(shapely.points(xy))
        scale = 1 / np.cos(np.radians(np.clip(degrees[:, 0], -85, 85)))  # Mercator metres in a metre
        radius = max_distance_m * scale.max()
        street, distance = self._nearest(self._door_tree, self._doors, points, radius)
        other, other_distance = self._nearest(self._mainland_tree, self._mainland, points, radius)
        better = (other >= 0) & (other_distance <= distance + ISLET_PREFERENCE_M * scale)
        street[better], distance[better] = other[better], other_distance[better]
        distance /= scale

        found = (street >= 0) & (distance <= max_distance_m)
        lines = self._lines[street]
        fraction = np.clip(shapely.line_locate_point(lines, points, normalized=True), 0.0, 1.0)
        feet = _degrees(shapely.get_coordinates(shapely.line_interpolate_point(lines, fraction, normalized=True)))
        return [
            Snap(int(street[i]), float(fraction[i]), LatLon(*feet[i].tolist()), float(distance[i]))
            if found[i]
            else None
            for i in range(len(places))
        ]

    @staticmethod
    def _nearest(
        tree: shapely.STRtree, numbers: NDArray[np.int64], points: NDArray[np.object_], radius: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The nearest of the numbered streets in a tree for each point, -1 beyond the radius, and its distance."""
        street = np.full(len(points), -1, dtype=np.int64)
        distance = np.full(len(points), np.inf)
        if len(tree):
            (row, nearest), metres = tree.query_nearest(
                points, max_distance=radius, return_distance=True, all_matches=False
            )
            street[row], distance[row] = numbers[nearest], metres
        return street, distance

    def part(self, street: int, start: float, end: float) -> list[LatLon]:
        """The points of a street's line from one fraction to another; the line is turned when `end` is smaller."""
        line = self._lines[street]
        part = shapely.ops.substring(line, start, end, normalized=True)
        return [LatLon(lat, lon) for lat, lon in _degrees(shapely.get_coordinates(part)).tolist()]


def _mercator(lat_lon: NDArray[np.float64]) -> NDArray[np.float64]:
    lat, lon = np.radians(np.clip(lat_lon, (-85, -180), (85, 180))).T
    xy: NDArray[np.float64] = EARTH_RADIUS_M * np.column_stack((lon, np.arcsinh(np.tan(lat))))
    return xy


def _degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = xy.T / EARTH_RADIUS_M
    degrees: NDArray[np.float64] = np.degrees(np.column_stack((np.arctan(np.sinh(y)), x)))
    return degrees
