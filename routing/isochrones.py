"""How far a rep gets in some minutes of driving: the reached streets as a polygon.

A street is reached as far along as a trip that leaves the place has come on it when the minutes are up, by the very
costs that `StreetNetwork.travel_times` tells, access times included. What is drawn is a strip along all that is
reached, and whatever lies in between, unless a street runs there that is not reached.

Uniting a strip for each of Porto's 85,000 streets takes Shapely eight seconds. So the strip is the contour, at the
strip's width, of the distance to the nearest reached point of a street, known on a grid: half a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry import Polygon

from routing.geo import EARTH_RADIUS_M, LatLon
from routing.shapes import Shape, polygonal, valid_polygonal
from routing.streets import StreetNetwork
from routing.streets.network import NEVER_MS, Spread

MINUTES = (10, 20, 30, 45)
"""Those that people ask for."""

STRIP_M = 80.0
"""What lies so near to a reached street is within reach: a door, a yard, the house behind."""
CELL_M = 40.0
SAMPLE_M = 10.0
MOST_CELLS = 4_000_000
"""A larger area has larger cells."""
STRIP_CELLS = 1.6
"""The strip is at least so many cells wide, so that the corners of a cell with a street in it are all within it."""
MOST_POINTS = 1_600
SIMPLER = (0.25, 0.4, 0.55, 0.7)
"""How far the outline may stray, in widths of the strip: the next one where there are more than `MOST_POINTS`. So no
reached street ever comes to lie outside."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NOTHING = Polygon()


def isochrones(network: StreetNetwork, place: LatLon, minutes: Sequence[int] = MINUTES) -> list[Shape]:
    """What is reached from a place in so many minutes, one shape for each, in their order.

    Every shape is valid, has coordinates as (lon, lat) in degrees, and holds those of fewer minutes, but for the ten
    centimetres to which it is rounded. It is empty where no street is near the place, or where the minutes are up
    before the trip is under way.
    """
    spread = network.spread(place)
    if spread is None or not minutes:
        return [NOTHING for _ in minutes]
    samples = _Samples.along(spread)
    grid = _Grid.around(samples.xy[samples.ms <= max(minutes) * 60_000])
    found: dict[int, Shape] = {}
    smaller: Shape = NOTHING
    for limit in sorted(set(minutes)):
        outline = _simpler(grid.outline(samples, limit * 60_000), grid.strip_m)
        # What was left off to make it simpler may be part of the smaller one.
        smaller = found[limit] = polygonal(shapely.union(outline, smaller)) or NOTHING
    return [samples.in_degrees(found[limit]) for limit in minutes]


@dataclass(frozen=True, eq=False)
class _Samples:
    """Points every few metres along all streets: metres east and north of the start, and when a trip is there."""

    start: LatLon
    xy: Floats
    ms: Floats

    @classmethod
    def along(cls, spread: Spread) -> _Samples:
        start = spread.start.point
        per_degree = math.radians(1) * EARTH_RADIUS_M
        scale = np.array([per_degree * math.cos(math.radians(start.lat)), per_degree])
        corner = (spread.line[:, ::-1] - (start.lon, start.lat)) * scale
        first, last = spread.line_first[:-1], spread.line_first[1:] - 1
        onward = np.zeros_like(corner)  # from each corner of a street to its next; nowhere from the last
        onward[:-1] = corner[1:] - corner[:-1]
        onward[last] = 0.0
        step = np.hypot(*onward.T)
        run = np.concatenate(([0.0], np.cumsum(step)[:-1]))
        length = run[last] - run[first]
        pieces = np.maximum(1, np.ceil(step / SAMPLE_M)).astype(np.intp)
        of = np.repeat(np.arange(len(corner)), pieces)
        part = (np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[of]
        xy = corner[of] + part[:, None] * onward[of]
        street = np.repeat(np.arange(len(first)), np.diff(spread.line_first))[of]
        gone_m = run[of] + part * step[of] - run[first][street]
        share = np.minimum(1.0, gone_m / np.maximum(length, 1e-9)[street])

        never = float(NEVER_MS)
        ahead, back = spread.forward_ms[street], spread.backward_ms[street]
        ms = np.where(ahead >= 0, spread.tail_ms[street] + share * ahead, never)
        ms = np.minimum(ms, np.where(back >= 0, spread.head_ms[street] + (1 - share) * back, never))
        own = np.flatnonzero(street == spread.start.street)
        gone = share[own] - spread.start.fraction
        run_ms = np.where(gone >= 0, ahead[own], back[own])
        straight = np.where(run_ms >= 0, spread.access_ms + np.abs(gone) * run_ms, never)
        ms[own] = np.minimum(ms[own], straight)
        return cls(start, np.vstack((xy, (0.0, 0.0))), np.append(ms, float(spread.access_ms)))

    def in_degrees(self, shape: Shape) -> Shape:
        per_degree = math.radians(1) * EARTH_RADIUS_M
        scale = np.array([per_degree * math.cos(math.radians(self.start.lat)), per_degree])
        turned = shapely.transform(shape, lambda xy: xy / scale + (self.start.lon, self.start.lat))
        return valid_polygonal(turned) or NOTHING


@dataclass(frozen=True)
class _Grid:
    """Where distances are known: columns to the east and rows to the north of a corner."""

    west: float
    south: float
    cell_m: float
    rows: int
    columns: int

    @classmethod
    def around(cls, xy: Floats) -> _Grid:
        """Around these points and the strip along them."""
        low, high = (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.zeros(2))
        width, height = high - low
        cell_m = max(CELL_M, math.sqrt(max(width * height, 1.0) / MOST_CELLS))
        edge = 2 + math.ceil(max(STRIP_M / cell_m, STRIP_CELLS))
        columns, rows = (math.ceil(length / cell_m) + 2 * edge + 1 for length in (width, height))
        return cls(float(low[0]) - edge * cell_m, float(low[1]) - edge * cell_m, cell_m, rows, columns)

    @property
    def strip_m(self) -> float:
        return max(STRIP_M, STRIP_CELLS * self.cell_m)

    def outline(self, samples: _Samples, limit_ms: float) -> Shape:
        """The strip along all that is reached in time, holes without streets filled."""
        reached = samples.ms <= limit_ms
        if not reached.any():
            return NOTHING
        height = self._distances(samples.xy[reached]) - self.strip_m
        self._fill(height, samples.xy[~reached])
        contour = _contour(height) * self.cell_m + (self.west, self.south)
        return polygonal(shapely.build_area(shapely.MultiLineString(list(contour)))) or NOTHING

    def _node(self, xy: Floats) -> NDArray[np.intp]:
        """Row and column of the grid's node nearest to each point, those beyond the grid left out."""
        node = np.rint((xy - (self.west, self.south)) / self.cell_m).astype(np.intp)[:, ::-1]
        return node[((node >= 0) & (node < (self.rows, self.columns))).all(axis=1)]

    def _distances(self, xy: Floats) -> Floats:
        """Metres from each node to about the nearest of these points, which all lie on the grid."""
        row, column = self._node(xy).T
        at = np.full((self.rows, self.columns, 2), np.inf)
        at[row, column] = xy
        empty = np.ones((self.rows, self.columns), dtype=np.bool_)
        empty[row, column] = False
        near = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        east = self.west + np.arange(self.columns) * self.cell_m
        north = self.south + np.arange(self.rows)[:, None] * self.cell_m
        nearest = at[near[0], near[1]]
        metres: Floats = np.hypot(nearest[..., 0] - east, nearest[..., 1] - north)
        return metres

    def _fill(self, height: Floats, unreached: Floats) -> None:
        """Make part of the inside whatever it surrounds, unless one of these points lies there."""
        outside, count = ndimage.label(height >= 0)
        kept = np.zeros(count + 1, dtype=np.bool_)
        kept[outside[0, 0]] = True
        row, column = self._node(unreached).T
        kept[outside[row, column]] = True
        kept[0] = True
        height[~kept[outside]] = -1.0


_EDGES = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((0, 2),), 10: ((0, 1), (2, 3)), 11: ((1, 2),), 12: ((3, 1),), 13: ((0, 1),), 14: ((3, 0),),
}  # fmt: skip
"""Which sides of a cell the contour joins, by the corners that are inside: 1 south-west, 2 south-east, 4 north-east,
8 north-west. Sides: 0 south, 1 east, 2 north, 3 west."""


def _contour(height: Floats) -> Floats:
    """Segments (n × 2 points × column and row) along which a grid of heights is 0: marching squares.

    Method: Lorensen, Cline, "Marching cubes", SIGGRAPH 1987, in two dimensions.
    """
    inside = height < 0
    kind = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    return np.concatenate([*_segments(height, kind), np.zeros((0, 2, 2))])


def _segments(height: Floats, kind: NDArray[np.int64]) -> Iterator[Floats]:
    for corners, joined in _EDGES.items():
        row, column = np.nonzero(kind == corners)
        for sides in joined:
            yield np.stack([_crossing(height, row, column, side) for side in sides], axis=1)


def _crossing(height: Floats, row: NDArray[np.intp], column: NDArray[np.intp], side: int) -> Floats:
    """Where a side of these cells is at height 0; the same number from both cells that share it."""
    row, column = row + (side == 2), column + (side == 1)
    along_row = side in (0, 2)
    here = height[row, column]
    there = height[row, column + 1] if along_row else height[row + 1, column]
    share = here / (here - there)
    return np.column_stack((column + share, row) if along_row else (column, row + share))


def _simpler(shape: Shape, strip_m: float) -> Shape:
    for share in SIMPLER:
        simple = shapely.simplify(shape, share * strip_m)
        if shapely.get_num_coordinates(simple) < MOST_POINTS:
            break
    return simple
