"""Where the sea is: OpenStreetMap has only its shore, as lines with the land on their left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Point, Polygon

_CLEAR_MAJORITY = 0.8
"""Share of a face's shore that must agree on which side the water lies; below it the shore contradicts itself."""


def sea_polygons(coastlines: Sequence[LineString], bounds: Polygon) -> list[Polygon]:
    """The parts of a rectangle that are sea.

    The shores and the rectangle's edge cut the rectangle into faces, and each face asks the shore pieces round
    it on which side of them it lies. A shore that ends inside the rectangle, because the extract was clipped, is
    first led on to the rectangle's edge or to the next loose end, whichever is nearer.

    Args:
        coastlines: directed lines with the water on their right, in a plane whose y axis points north.
        bounds: the rectangle, in the same plane.

    Returns:
        The sea faces; none where there is no shore, or where the shores contradict each other: then the place is
        drawn as land.
    """
    shores = [line for line in coastlines if line.length > 0 and line.intersects(bounds)]
    if not shores:
        return []
    inside = _lines_of(shapely.intersection(shapely.union_all(shores), bounds))
    cuts = [*inside, bounds.exterior, *_connectors(inside, bounds)]
    faces = [face for face in shapely.polygonize([shapely.union_all(cuts)]).geoms if isinstance(face, Polygon)]
    wet, dry = _votes(faces, shores)
    is_sea = (wet > 0) & (wet >= _CLEAR_MAJORITY * (wet + dry))
    return [face for face, sea in zip(faces, is_sea, strict=True) if sea]


def _lines_of(geometry: shapely.Geometry) -> list[LineString]:
    parts = shapely.get_parts(shapely.line_merge(geometry))
    return [part for part in parts if isinstance(part, LineString) and not part.is_empty]


def _connectors(lines: Sequence[LineString], bounds: Polygon) -> list[LineString]:
    """Straight pieces from every loose end to the rectangle's edge, or to another loose end that is nearer."""
    ends: dict[tuple[float, ...], int] = {}
    for line in lines:
        for tip in (line.coords[0], line.coords[-1]):
            ends[tip] = ends.get(tip, 0) + 1
    edge = bounds.exterior
    tolerance = 1e-9 * edge.length
    single = [Point(tip) for tip, degree in ends.items() if degree == 1]
    loose = [point for point in single if edge.distance(point) > tolerance]
    pieces = []
    for end in loose:
        others = [other for other in loose if other is not end]
        target = edge.interpolate(edge.project(end))
        nearest = min(others, key=end.distance, default=target)
        pieces.append(LineString([end, min((target, nearest), key=end.distance)]))
    return pieces


def _votes(faces: Sequence[Polygon], shores: Sequence[LineString]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length of shore that calls each face water, and land: every shore segment speaks for the points beside it."""
    starts = np.vstack([shapely.get_coordinates(line)[:-1] for line in shores])
    ends = np.vstack([shapely.get_coordinates(line)[1:] for line in shores])
    step = ends - starts
    length = np.hypot(step[:, 0], step[:, 1])
    real = length > 0
    middle, step, length = ((starts + ends) / 2)[real], step[real], length[real]
    right = np.column_stack([step[:, 1], -step[:, 0]]) / length[:, None]
    aside = 1e-3 * np.minimum(length, np.median(length))[:, None]
    tree = shapely.STRtree(list(faces))
    tallies = []
    for side in (right, -right):
        speaker, face = tree.query(shapely.points(middle + side * aside), predicate="within")
        tallies.append(np.bincount(face, length[speaker], len(faces)).astype(np.float64))
    return tallies[0], tallies[1]
