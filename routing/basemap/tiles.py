"""An OpenStreetMap extract drawn into one PMTiles file: the base map that needs no tile server."""

from __future__ import annotations

import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import shapely
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from routing.basemap.features import (
    MAX_ZOOM,
    MIN_ZOOM,
    TILE_UNITS,
    WORLD_UNITS,
    Kind,
    MapFeatures,
    lonlat,
    read_map_features,
)

ATTRIBUTION = "© OpenStreetMap contributors"

_MARGIN = TILE_UNITS // 64
"""How far shapes go on past a tile's edge, so that the stroke of a cut line is not seen to end there."""
_FIRST_NAMED_ZOOM = {"minor_road": 15, "other": 15, "path": 15, "major_road": 11, "highway": 11}
"""The first zoom whose tiles need the names of a kind of road: before it protomaps-leaflet writes none."""


def build_basemap(extract: Path, out: Path, progress: Callable[[float], None] | None = None) -> None:
    """Draw an extract into a PMTiles file (zoom 5 to 15) for protomaps-leaflet.

    Args:
        extract: an .osm.pbf, .osm, .osm.gz or .osm.bz2 file; it may be clipped.
        out: replaced only when the whole map is written.
        progress: told the share done, from 0 to 1.

    Raises:
        ExtractError: the extract is missing, unreadable, or holds no streets.
    """
    tell = progress or (lambda share: None)
    tell(0.0)
    features = read_map_features(extract)
    unfinished = out.with_name(out.name + ".part")
    try:
        with unfinished.open("wb") as file:
            writer = Writer(file)
            for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
                tell(0.3 + 0.7 * 2.0 ** (zoom - MAX_ZOOM - 1))
                for tile_id, tile in _tiles(features, zoom):
                    writer.write_tile(tile_id, tile)
            writer.finalize(_header(features), {"name": "Base map", "attribution": ATTRIBUTION, "version": "4.0"})
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    tell(1.0)


def _header(features: MapFeatures) -> dict[str, Any]:
    low_x, low_y, high_x, high_y = features.bounds.bounds
    (west, south), (east, north) = lonlat(low_x, low_y), lonlat(high_x, high_y)
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": round(west * 1e7),
        "min_lat_e7": round(south * 1e7),
        "max_lon_e7": round(east * 1e7),
        "max_lat_e7": round(north * 1e7),
        "center_zoom": 12,
        "center_lon_e7": round((west + east) / 2 * 1e7),
        "center_lat_e7": round((south + north) / 2 * 1e7),
    }


def _tiles(features: MapFeatures, zoom: int) -> Iterator[tuple[int, bytes]]:
    """The PMTiles id and the gzipped vector tile of every tile of a zoom level, in the order of their ids."""
    kinds, shapes = _at_zoom(features, zoom)
    side = TILE_UNITS << (MAX_ZOOM - zoom)
    margin = side * _MARGIN / TILE_UNITS
    tree = shapely.STRtree(shapes)
    low_x, low_y, high_x, high_y = features.bounds.bounds
    last = WORLD_UNITS // side - 1
    addresses = [
        (zxy_to_tileid(zoom, column, last - row), column * side, row * side)
        for column in range(int(low_x // side), int(high_x // side) + 1)
        for row in range(int(low_y // side), int(high_y // side) + 1)
    ]
    for tile_id, left, bottom in sorted(addresses):
        frame = (left - margin, bottom - margin, left + side + margin, bottom + side + margin)
        here = np.sort(tree.query(shapely.box(*frame)))
        pieces = shapely.clip_by_rect(shapes[here], *frame)
        pieces = shapely.transform(pieces, _onto_tile(left, bottom + side, side))
        pieces = shapely.orient_polygons(pieces)
        tile = _encode([kinds[index] for index in here], pieces, whole=zoom == MAX_ZOOM)
        yield tile_id, gzip.compress(tile, 9, mtime=0)


def _onto_tile(left: float, top: float, side: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """World units -> whole tile units, y downwards from the top of the tile."""
    return lambda points: np.rint((points - (left, top)) * (1, -1) * (TILE_UNITS / side))


def _at_zoom(features: MapFeatures, zoom: int) -> tuple[list[Kind], NDArray[np.object_]]:
    """What a zoom level holds, cut to the bounds, without detail that is finer than the screen."""
    unit = 2.0 ** (MAX_ZOOM - zoom)
    detail = unit * (2 if zoom == MAX_ZOOM else 5)  # a screen pixel is 8 units, less when the last level is magnified
    first_zoom = np.array([kind.first_zoom for kind in features.kinds])
    area = shapely.area(features.shapes)
    speck = (area > 0) & (area < (detail * 4) ** 2) & (first_zoom < zoom + (zoom < MAX_ZOOM))
    keep = np.flatnonzero((first_zoom <= zoom) & ~speck)
    shapes = shapely.simplify(features.shapes[keep], detail, preserve_topology=False)
    shapes = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    shapes = shapely.clip_by_rect(shapes, *features.bounds.bounds)
    left = ~shapely.is_empty(shapes)
    return [_as_seen(features.kinds[index], zoom) for index in keep[left]], shapes[left]


def _as_seen(kind: Kind, zoom: int) -> Kind:
    """The kind without a name that is not written at this zoom."""
    properties = dict(kind.properties)
    if kind.layer == "roads" and zoom < _FIRST_NAMED_ZOOM.get(str(properties["kind"]), 0):
        properties.pop("name", None)
    return kind._replace(properties=tuple(properties.items()))


def _encode(kinds: list[Kind], pieces: NDArray[np.object_], *, whole: bool) -> bytes:
    """A vector tile; unless `whole`, everything of one kind becomes one feature, which is much smaller."""
    layers: dict[str, dict[object, tuple[Kind, list[BaseGeometry]]]] = defaultdict(dict)
    for index, (kind, piece) in enumerate(zip(kinds, pieces, strict=True)):
        parts = [part for part in shapely.get_parts(shapely.get_parts(piece)) if not part.is_empty]
        if parts:
            key = index if whole else kind.properties
            layers[kind.layer].setdefault(key, (kind, []))[1].extend(parts)
    content = [
        {
            "name": name,
            "features": [
                {"geometry": shape, "properties": dict(kind.properties)}
                for kind, parts in features.values()
                for shape in _gathered(parts)
            ],
        }
        for name, features in layers.items()
    ]
    options = {"extents": TILE_UNITS, "y_coord_down": True, "check_winding_order": False}
    encoded: bytes = mapbox_vector_tile.encode(content, default_options=options)
    return encoded


def _gathered(parts: list[BaseGeometry]) -> Iterator[BaseGeometry]:
    """One shape of each dimension that occurs: a tile's feature has only one."""
    polygons = [part for part in parts if isinstance(part, Polygon) and part.area > 0]
    lines = [part for part in parts if isinstance(part, LineString) and part.length > 0]
    if polygons:
        yield MultiPolygon(polygons)
    if lines:
        yield MultiLineString(lines)
    yield from (part for part in parts if isinstance(part, Point))
