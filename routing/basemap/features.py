"""What a base map shows of an OpenStreetMap extract: a kind, the first zoom it is seen at, and a shape.

The layers and kinds are those that protomaps-leaflet 5 paints or labels with its own flavours (the Protomaps basemap
schema, https://docs.protomaps.com/basemaps/layers), and no more. It shows the tiles of one level at the next
level on screen, so a first zoom here is the level on screen less one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon

from routing.basemap.coastline import sea_polygons
from routing.errors import ExtractError

MIN_ZOOM, MAX_ZOOM = 5, 15
TILE_UNITS = 4096
WORLD_UNITS = TILE_UNITS << MAX_ZOOM
"""Side of the Web Mercator square, in the unit of the deepest tiles."""

_EDGE_UNITS = 2000
"""How far the map reaches past the outermost street: 600 m at the equator, 350 m in Europe."""


class Kind(NamedTuple):
    """What a shape is: its tile layer, the first zoom that holds it, and the properties it is painted by."""

    layer: str
    first_zoom: int
    properties: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class MapFeatures:
    """Parallel arrays of kinds and shapes (Web Mercator in world units, y to the north), inside a rectangle."""

    bounds: Polygon
    kinds: list[Kind]
    shapes: NDArray[np.object_]


_ROADS = {
    "motorway": ("highway", 5),
    "motorway_link": ("highway", 10),
    "trunk": ("major_road", 6),
    "trunk_link": ("major_road", 11),
    "primary": ("major_road", 7),
    "primary_link": ("major_road", 11),
    "secondary": ("major_road", 9),
    "secondary_link": ("major_road", 12),
    "tertiary": ("major_road", 10),
    "tertiary_link": ("major_road", 12),
    "unclassified": ("minor_road", 13),
    "residential": ("minor_road", 13),
    "living_street": ("minor_road", 13),
    "road": ("minor_road", 13),
    "service": ("other", 14),
    "pedestrian": ("path", 15),
    "footway": ("path", 15),
    "cycleway": ("path", 15),
    "bridleway": ("path", 15),
    "path": ("path", 15),
    "steps": ("path", 15),
    "track": ("path", 15),
}
_WATERWAYS = {"river": ("river", 13), "canal": ("river", 13), "stream": ("stream", 13)}
_RAILWAYS = {"rail": 10, "light_rail": 12, "narrow_gauge": 12}
_RUNWAYS = {"runway": 10, "taxiway": 13}
_PLACES = {  # first zoom, and a rank: above 9 it is written large
    "city": (5, 10),
    "town": (7, 8),
    "village": (10, 5),
    "suburb": (11, 5),
    "quarter": (12, 4),
    "hamlet": (12, 3),
    "neighbourhood": (13, 2),
}
_GROUND = {
    ("aeroway", "aerodrome"): "aerodrome",
    ("amenity", "college"): "college",
    ("amenity", "hospital"): "hospital",
    ("amenity", "school"): "school",
    ("amenity", "university"): "university",
    ("boundary", "national_park"): "national_park",
    ("highway", "pedestrian"): "pedestrian",
    ("landuse", "allotments"): "allotments",
    ("landuse", "cemetery"): "cemetery",
    ("landuse", "commercial"): "industrial",
    ("landuse", "forest"): "forest",
    ("landuse", "grass"): "grass",
    ("landuse", "industrial"): "industrial",
    ("landuse", "meadow"): "grass",
    ("landuse", "military"): "military",
    ("landuse", "port"): "industrial",
    ("landuse", "railway"): "industrial",
    ("landuse", "recreation_ground"): "park",
    ("landuse", "retail"): "industrial",
    ("landuse", "village_green"): "village_green",
    ("leisure", "garden"): "park",
    ("leisure", "golf_course"): "golf_course",
    ("leisure", "nature_reserve"): "nature_reserve",
    ("leisure", "park"): "park",
    ("leisure", "pitch"): "park",
    ("leisure", "playground"): "playground",
    ("man_made", "pier"): "pier",
    ("natural", "beach"): "beach",
    ("natural", "glacier"): "glacier",
    ("natural", "grassland"): "grassland",
    ("natural", "heath"): "scrub",
    ("natural", "sand"): "sand",
    ("natural", "scrub"): "scrub",
    ("natural", "wood"): "wood",
    ("tourism", "zoo"): "zoo",
}
_WATER = frozenset(
    {
        ("natural", "water"),
        ("waterway", "riverbank"),
        ("waterway", "dock"),
        ("landuse", "reservoir"),
        ("landuse", "basin"),
    }
)
_KEYS = sorted({key for key, _ in (*_GROUND, *_WATER)} | {"building", "place", "railway"})


def read_map_features(extract: Path) -> MapFeatures:
    """What the map shows of an extract, with the sea filled in and the pieces of one street joined.

    The rectangle is that of the streets, cut to the box that the file's header names, if it names one.
    A way whose nodes were clipped away is shown as far as it is there; an area only when its outline is whole.

    Args:
        extract: an .osm.pbf, .osm, .osm.gz or .osm.bz2 file.

    Raises:
        ExtractError: the extract is missing, unreadable, or holds no streets.
    """
    if not extract.is_file():
        raise ExtractError(f"{extract}: no such file")
    sieve = _Sieve()
    try:
        objects = osmium.FileProcessor(str(extract)).with_locations().with_areas()
        for thing in objects.with_filter(osmium.filter.KeyFilter(*_KEYS)):
            sieve.take(thing)
        header_box = objects.header.box()
    except RuntimeError as error:  # osmium has no narrower class for a damaged file
        raise ExtractError(f"{extract}: cannot be read as OpenStreetMap data: {error}") from error
    if not sieve.streets:
        raise ExtractError(f"{extract}: holds no streets")
    bounds = _bounds(np.vstack(sieve.streets), header_box)
    earth = (Kind("earth", MIN_ZOOM, (("kind", "earth"),)), bounds)
    sea = Kind("water", MIN_ZOOM, (("kind", "ocean"),))
    coast = _linestrings(sieve.coast)
    rows = [
        earth,
        *((sea, part) for part in sea_polygons(list(coast), bounds)),
        *_joined([kind for kind, _ in sieve.lines], _linestrings([run for _, run in sieve.lines])),
        *zip((kind for kind, _ in sieve.areas), _polygons([wkb for _, wkb in sieve.areas]), strict=True),
        *((kind, shapely.Point(_world(np.array([place]))[0])) for kind, place in sieve.places),
    ]
    shapes = np.array([shape for _, shape in rows], dtype=object)
    shown = shapely.intersects(shapes, bounds)
    return MapFeatures(bounds, [kind for (kind, _), show in zip(rows, shown, strict=True) if show], shapes[shown])


class _Sieve:
    """Picks out of the extract, object by object, what the map shows; positions are (lon, lat) degrees."""

    def __init__(self) -> None:
        self.lines: list[tuple[Kind, NDArray[np.float64]]] = []
        self.areas: list[tuple[Kind, str]] = []
        self.places: list[tuple[Kind, tuple[float, float]]] = []
        self.coast: list[NDArray[np.float64]] = []
        self.streets: list[NDArray[np.float64]] = []
        self._wkb = osmium.geom.WKBFactory()

    def take(self, thing: object) -> None:
        if isinstance(thing, osmium.osm.Way):
            self._take_way(thing)
        elif isinstance(thing, osmium.osm.Area):
            self._take_area(thing)
        elif isinstance(thing, osmium.osm.Node):
            self._take_place(thing)

    def _take_place(self, node: osmium.osm.Node) -> None:
        place, name = node.tags.get("place"), node.tags.get("name")
        if place in _PLACES and name and node.location.valid():
            zoom, rank = _PLACES[place]
            properties = (("kind", "locality"), ("name", name), ("min_zoom", zoom), ("population_rank", rank))
            self.places.append((Kind("places", zoom, properties), (node.lon, node.lat)))

    def _take_way(self, way: osmium.osm.Way) -> None:
        if way.tags.get("natural") == "coastline":
            self.coast.extend(_runs(way))
            return
        kind = None if way.tags.get("area") == "yes" else _line_kind(way.tags)
        if kind is None:
            return
        runs = list(_runs(way))
        self.lines.extend((kind, run) for run in runs)
        if "highway" in way.tags:
            self.streets.extend(runs)

    def _take_area(self, area: osmium.osm.Area) -> None:
        kind = _area_kind(area)
        if kind is None:
            return
        try:
            self.areas.append((kind, self._wkb.create_multipolygon(area)))
        except (osmium.InvalidLocationError, RuntimeError):
            return  # part of its outline was clipped away


def _line_kind(tags: osmium.osm.TagList) -> Kind | None:
    """The kind of a line, or None if the map does not show it."""
    highway, waterway, railway, aeroway = (tags.get(key) for key in ("highway", "waterway", "railway", "aeroway"))
    if highway in _ROADS:
        if tags.get("footway") in ("sidewalk", "crossing"):
            return None
        kind, zoom = _ROADS[highway]
        name = tags.get("name") or (tags.get("ref") if kind in ("highway", "major_road") else None)
        return Kind("roads", zoom, (("kind", kind), ("name", name)) if name else (("kind", kind),))
    if waterway in _WATERWAYS and "tunnel" not in tags:
        kind, zoom = _WATERWAYS[waterway]
        return Kind("water", zoom, (("kind", kind),))
    if railway in _RAILWAYS and "tunnel" not in tags:
        return Kind("roads", MAX_ZOOM if "service" in tags else _RAILWAYS[railway], (("kind", "rail"),))
    if aeroway in _RUNWAYS:
        return Kind("roads", _RUNWAYS[aeroway], (("kind", "aeroway"), ("kind_detail", aeroway)))
    return None


def _area_kind(area: osmium.osm.Area) -> Kind | None:
    """The kind of an area, or None if the map does not show it."""
    tags = {tag.k: tag.v for tag in area.tags}
    if tags.get("building", "no") != "no":
        return Kind("buildings", MAX_ZOOM, (("kind", "building"),))
    if tags.items() & _WATER:
        return Kind("water", MIN_ZOOM, (("kind", "water"),))
    if "highway" in tags and tags.get("area") != "yes" and area.from_way():
        return None  # a closed way of a street is its line
    kind = next((_GROUND[pair] for pair in tags.items() if pair in _GROUND), None)
    return Kind("landuse", 10, (("kind", kind),)) if kind else None


def _runs(way: osmium.osm.Way) -> Iterator[NDArray[np.float64]]:
    """The stretches of a way whose nodes are all in the extract, as (lon, lat) rows."""
    run: list[tuple[float, float]] = []
    for node in way.nodes:
        if node.location.valid():
            run.append((node.location.lon, node.location.lat))
            continue
        if len(run) > 1:
            yield np.array(run)
        run = []
    if len(run) > 1:
        yield np.array(run)


def _bounds(streets: NDArray[np.float64], header_box: osmium.osm.Box) -> Polygon:
    """The rectangle to draw, in world units."""
    ends = _world(streets)
    low, high = ends.min(axis=0) - _EDGE_UNITS, ends.max(axis=0) + _EDGE_UNITS
    if header_box.valid():
        corners = [header_box.bottom_left, header_box.top_right]
        box_low, box_high = _world(np.array([(corner.lon, corner.lat) for corner in corners]))
        if (np.minimum(high, box_high) > np.maximum(low, box_low)).all():
            low, high = np.maximum(low, box_low), np.minimum(high, box_high)
    return Polygon.from_bounds(*low, *high)


def _world(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees (n, 2) -> Web Mercator in world units, y to the north."""
    lat = np.radians(np.clip(lonlat[:, 1], -85.05, 85.05))
    x = (lonlat[:, 0] + 180) / 360
    y = (1 + np.arcsinh(np.tan(lat)) / math.pi) / 2
    return np.column_stack([x, y]) * WORLD_UNITS


def lonlat(x: float, y: float) -> tuple[float, float]:
    """World units -> (lon, lat) degrees."""
    lat = math.degrees(math.atan(math.sinh((2 * y / WORLD_UNITS - 1) * math.pi)))
    return x / WORLD_UNITS * 360 - 180, lat


def _linestrings(runs: list[NDArray[np.float64]]) -> NDArray[np.object_]:
    if not runs:
        return np.array([], dtype=object)
    lengths = [len(run) for run in runs]
    return np.asarray(shapely.linestrings(_world(np.vstack(runs)), indices=np.repeat(np.arange(len(runs)), lengths)))


def _polygons(wkb: list[str]) -> NDArray[np.object_]:
    shapes = shapely.transform(shapely.from_wkb(np.array(wkb, dtype=object)), _world)
    return np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))


def _joined(kinds: list[Kind], lines: Iterable[LineString]) -> Iterator[tuple[Kind, LineString]]:
    """The lines of one kind and name made as long as they go: a name needs a long line to be written along."""
    together: dict[Kind, list[LineString]] = defaultdict(list)
    for kind, line in zip(kinds, lines, strict=True):
        together[kind].append(line)
    for kind, group in together.items():
        for part in shapely.get_parts(shapely.line_merge(shapely.multilinestrings(group))):
            yield kind, part
