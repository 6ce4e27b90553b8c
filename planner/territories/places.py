"""Which territory a place lies in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from planner.territories.domain import Territory
from routing.shapes import from_geojson

NOWHERE = ""
"""The territory of a place that lies in none."""


def territory_of(territories: Iterable[Territory]) -> Callable[[float, float], str]:
    """A function of latitude and longitude that tells the id of the first territory, by id, that holds the place.

    What lies on a border is in both. Empty where the place is in none.
    """
    ordered = sorted(territories, key=lambda territory: territory.id)
    shapes = [from_geojson(territory.geometry) for territory in ordered]
    shapely.prepare(shapes)
    tree = shapely.STRtree(shapes)

    def found(lat: float, lon: float) -> str:
        holding = tree.query(shapely.Point(lon, lat), predicate="intersects")
        return ordered[int(holding.min())].id if len(holding) else NOWHERE

    return found


def territories_of(
    territories: Iterable[Territory], places: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[str, ...]]:
    """The ids of all territories, in order, that hold each place (latitude, longitude), by the keys of the places."""
    ordered = sorted(territories, key=lambda territory: territory.id)
    points: NDArray[np.object_] = np.array([shapely.Point(lon, lat) for lat, lon in places.values()])
    shapes = [from_geojson(territory.geometry) for territory in ordered]
    shapely.prepare(shapes)
    pairs = shapely.STRtree(shapes).query(points, predicate="intersects").T.tolist() if len(points) else []
    keys = list(places)
    found: dict[str, list[str]] = {key: [] for key in keys}
    for point, number in sorted(pairs):
        found[keys[point]].append(ordered[number].id)
    return {key: tuple(ids) for key, ids in found.items()}
