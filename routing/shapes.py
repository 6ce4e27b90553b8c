"""Polygons as GeoJSON and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Polygon, shape

Shape = Polygon | MultiPolygon
"""Coordinates as (lon, lat) in degrees, unless it is said otherwise."""

DECIMALS = 6
"""Of degrees: ten centimetres."""


def polygonal(geometry: shapely.Geometry) -> Shape | None:
    """The polygons among the parts of a geometry; None where there are none."""
    parts = list(_polygons(geometry))
    return None if not parts else parts[0] if len(parts) == 1 else MultiPolygon(parts)


def valid_polygonal(geometry: shapely.Geometry) -> Shape | None:
    """The same of one that may cross itself, rounded to what is kept; None where no area is left."""
    rounded = shapely.transform(shapely.make_valid(geometry), lambda at: at.round(DECIMALS), include_z=False)
    return polygonal(shapely.make_valid(rounded))


def as_geojson(shape_: Shape) -> dict[str, Any]:
    """A GeoJSON geometry with coordinates as [lon, lat], equal to what JSON makes of it."""
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(shape_))
    return geometry


def from_geojson(geometry: Mapping[str, Any]) -> Shape:
    """The shape of a geometry that `as_geojson` wrote. Raises ValueError, TypeError or KeyError where it is none."""
    found = polygonal(shape(dict(geometry)))
    if found is None:
        raise ValueError("the geometry has no polygon")
    return found


def _polygons(geometry: shapely.Geometry) -> Iterator[Polygon]:
    for part in shapely.get_parts(geometry):
        if isinstance(part, Polygon):
            if not part.is_empty:
                yield part
        elif shapely.get_dimensions(part) == 2:
            yield from _polygons(part)
