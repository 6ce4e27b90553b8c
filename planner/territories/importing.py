"""GeoJSON of whoever sends it becomes outlines of territories, or sentences on what is wrong with each feature.

Shapely is only given what has been looked at: finite degrees, in rings, not too many, that do not cross each other so
often that mending them would take forever.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import shapely
from numpy.typing import NDArray

from planner.errors import PlannerError
from planner.territories.domain import MAX_NAME
from routing.shapes import Shape, as_geojson, valid_polygonal

MOST_BYTES = 10_000_000
MOST_OUTLINES = 300
"""In a file, and in an area."""
MOST_SENT_POINTS = 500_000
MOST_POINTS = 2_000
"""Of a territory as it is kept; what is more detailed is made simpler."""
MANY_POINTS = 5 * MOST_POINTS
MOST_CROSSINGS = 10_000
"""Of an outline with itself: mending takes time and memory by their number."""
SMALLEST_M2 = 100.0

_SIMPLER_M = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 250.0, 1_000.0)
_NAMES = ("name", "NAME", "Name", "title", "label", "id", "ID")
_DEGREE_M = 111_195.0
_WGS84 = ("crs84", "epsg::4326", "epsg:4326")

Bounds = tuple[float, float, float, float]
"""South, west, north, east in degrees."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A shape with a name, ready to become a territory; the geometry as `Territory` has it."""

    name: str
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OutlineError:
    """What is wrong with a feature, counted from 1; 0 stands for the file."""

    feature: int
    name: str
    message: str

    def __str__(self) -> str:
        if not self.feature:
            return self.message
        named = f" (“{self.name}”)" if self.name else ""
        return f"Feature {self.feature}{named} {self.message}"


class OutlinesInvalidError(PlannerError):
    """GeoJSON of which nothing was taken; `errors` says why, feature by feature."""

    def __init__(self, errors: Sequence[OutlineError]) -> None:
        super().__init__("; ".join(str(error) for error in errors[:5]) + ("; …" if len(errors) > 5 else ""))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Outlines:
    """What a file holds; `notes` are sentences on what was mended."""

    items: tuple[Outline, ...]
    notes: tuple[str, ...] = ()


def read_geojson(data: bytes, bounds: Bounds | None = None) -> Outlines:
    """Read a FeatureCollection, a Feature or a geometry: polygons in WGS 84 degrees.

    Args:
        data: as it was sent.
        bounds: of the area's streets, by which swapped coordinates are found out.

    Raises:
        OutlinesInvalidError: with all that is wrong; nothing of the file is to be taken then.
    """
    features = _features(_parsed(data))
    errors: list[OutlineError] = []
    notes: list[str] = []
    shapes: list[tuple[str, Shape]] = []
    for number, feature in enumerate(features, start=1):
        name = _name_of(feature)
        try:
            reader = _Geometry(feature.get("geometry") if "geometry" in feature else feature)
            shape = reader.shape()
            _check_where(shape, bounds)
        except _WrongError as error:
            errors.append(OutlineError(number, name, str(error)))
            continue
        shown = name or f"Territory {number}"
        notes += [f"“{shown}”: {note}." for note in reader.notes]
        if bounds is not None and not shape.intersects(shapely.box(bounds[1], bounds[0], bounds[3], bounds[2])):
            notes.append(f"“{shown}” lies outside of the area's streets.")
        shapes.append((shown, shape))
    if errors:
        raise OutlinesInvalidError(errors)
    kept = _simpler([shape for _, shape in shapes], [name for name, _ in shapes], notes)
    named = [(name, shape) for (name, _), shape in zip(shapes, kept, strict=True)]
    return Outlines(tuple(Outline(name, as_geojson(shape)) for name, shape in _distinct(named, notes)), tuple(notes))


class _WrongError(Exception):
    """What is wrong with a feature, as the rest of a sentence about it."""


def _parsed(data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise _refused(f"The file is larger than {MOST_BYTES // 1_000_000} MB")
    if data.count(b"[") > MOST_SENT_POINTS:
        raise _refused(f"The file holds more than {MOST_SENT_POINTS:,} points")
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except RecursionError as error:
        raise _refused("The file is nested too deeply to be GeoJSON") from error
    except UnicodeDecodeError as error:
        raise _refused("The file is not text in UTF-8") from error
    except ValueError as error:
        raise _refused(f"The file is not JSON ({str(error)[:100]})") from error


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _refused(message: str) -> OutlinesInvalidError:
    return OutlinesInvalidError([OutlineError(0, "", f"{message}.")])


def _features(value: Any) -> list[Mapping[str, Any]]:
    """The features of a file; a bare geometry is one without a name."""
    if not isinstance(value, dict):
        raise _refused("The file is not GeoJSON: that is an object with a “type”")
    crs = value.get("crs")
    system = crs.get("properties") if isinstance(crs, dict) else None
    told = str(system.get("name", "")) if isinstance(system, dict) else ""
    if told and not told.lower().endswith(_WGS84):
        raise _refused(
            f"The coordinates are in the reference system {told[:80]}: export the file in WGS 84 (EPSG:4326), "
            "as GeoJSON asks for"
        )
    if value.get("type") != "FeatureCollection":
        return [value]
    features = value.get("features")
    if not isinstance(features, list) or not features:
        raise _refused("The file holds no features")
    if len(features) > MOST_OUTLINES:
        raise _refused(f"The file holds {len(features):,} features; at most {MOST_OUTLINES} territories are kept")
    wrong = [number for number, each in enumerate(features, start=1) if not isinstance(each, dict)]
    if wrong:
        raise OutlinesInvalidError([OutlineError(number, "", "is not an object") for number in wrong])
    return features


def _name_of(feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties")
    candidates = [properties.get(key) for key in _NAMES] if isinstance(properties, dict) else []
    for value in (*candidates, feature.get("id")):
        if isinstance(value, str | int | float) and not isinstance(value, bool) and (name := clean_name(str(value))):
            return name
    return ""


def clean_name(text: str) -> str:
    """A name that fits on a line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[: 10 * MAX_NAME])
    return " ".join(plain.split())[:MAX_NAME].rstrip()


class _Geometry:
    """Reads one geometry. What it mends on the way is in `notes`."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self.notes: list[str] = []

    def shape(self) -> Shape:
        if not isinstance(self._value, dict):
            raise _WrongError("has no geometry")
        polygons = [self._polygon(rings) for rings in self._polygons(self._value)]
        if not polygons:
            raise _WrongError("has an empty geometry")
        drawn = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
        if not shapely.is_valid(drawn):
            if any(_crosses_too_often(polygon) for polygon in polygons):
                raise _WrongError(f"crosses itself more than {MOST_CROSSINGS:,} times")
            self.notes.append("its outline crossed or touched itself and was mended")
        shape = valid_polygonal(drawn)
        if shape is None or _square_metres(shape) < SMALLEST_M2:
            raise _WrongError("has no area")
        return shape

    def _polygons(self, value: Mapping[str, Any]) -> Iterator[Any]:
        """The rings of each polygon. Collections are looked into once, no deeper."""
        kind = value.get("type")
        if kind == "Feature":  # a collection of collections
            raise _WrongError("holds another feature instead of a geometry")
        if kind == "GeometryCollection":
            parts = value.get("geometries")
            if not isinstance(parts, list):
                raise _WrongError("has no geometries")
            for part in parts:
                if not isinstance(part, dict) or part.get("type") not in ("Polygon", "MultiPolygon"):
                    raise _WrongError("holds something besides polygons")
                yield from self._polygons(part)
        elif kind in ("Polygon", "MultiPolygon"):
            coordinates = value.get("coordinates")
            if not isinstance(coordinates, list):
                raise _WrongError("has no coordinates")
            if coordinates:
                yield from [coordinates] if kind == "Polygon" else coordinates
        else:
            said = f"is a {kind}" if isinstance(kind, str) and kind.isalpha() and len(kind) < 30 else "has no type"
            raise _WrongError(f"{said}: a territory is a Polygon or a MultiPolygon")

    def _polygon(self, rings: Any) -> shapely.Polygon:
        if not isinstance(rings, list) or not rings:
            raise _WrongError("has a polygon without an outline")
        shell, *holes = [self._ring(ring) for ring in rings]
        return shapely.Polygon(shell, holes)

    def _ring(self, ring: Any) -> NDArray[np.float64]:
        if not isinstance(ring, list) or not all(isinstance(at, list) and 2 <= len(at) <= 4 for at in ring):
            raise _WrongError("has a ring that is no list of points, each longitude and latitude")
        numbers = [number for at in ring for number in at]
        if not all(type(number) in (int, float) and abs(number) < 1e300 for number in numbers):
            raise _WrongError("has a coordinate that is no number")
        points = np.array([at[:2] for at in ring], dtype=np.float64).reshape(-1, 2)
        if len(points) and (abs(points) > (180.0, 90.0)).any():
            lon, lat = points[(abs(points) > (180.0, 90.0)).any(axis=1)][0]
            hint = (
                "metres of a projection? Export the file in WGS 84 (EPSG:4326)"
                if abs(points).max() > 1_000
                else ("GeoJSON has the longitude first, then the latitude")
            )
            raise _WrongError(f"has a point at {lon:.10g}, {lat:.10g}, which is not on Earth: {hint}")
        if any(len(at) > 2 for at in ring):
            self._note("heights are left out")
        if len(points) and (points[0] != points[-1]).any():
            self._note("its outline was not closed, and is now")
            points = np.vstack((points, points[:1]))
        if len(points) < 4:
            raise _WrongError("has a ring of fewer than three points")
        return points

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _crosses_too_often(polygon: shapely.Polygon) -> bool:
    """Whether the rings cross themselves and each other so often that nobody should try to mend them."""
    corners, ring = shapely.get_coordinates(shapely.get_rings(polygon), return_index=True)
    joined = ring[:-1] == ring[1:]
    sides = shapely.linestrings(np.stack((corners[:-1], corners[1:]), axis=1)[joined])
    tree, crossings = shapely.STRtree(sides), 0
    for start in range(0, len(sides), 50):  # few at a time: a scribble of 100,000 sides has billions
        some = sides[start : start + 50]
        crossings += len(tree.query(some, predicate="intersects")[0]) - 3 * len(some)  # itself and both neighbours
        if crossings > 2 * MOST_CROSSINGS:
            return True
    return False


def _square_metres(shape: Shape) -> float:
    middle = (shape.bounds[1] + shape.bounds[3]) / 2
    return float(shape.area) * _DEGREE_M**2 * math.cos(math.radians(middle))


def _check_where(shape: Shape, bounds: Bounds | None) -> None:
    """Raises where the shape would lie in the area if longitude and latitude changed places."""
    if bounds is None:
        return
    here = shapely.box(bounds[1], bounds[0], bounds[3], bounds[2])
    turned = shapely.transform(shape, lambda at: at[:, ::-1])
    if not shape.intersects(here) and turned.intersects(here):
        raise _WrongError("has latitude and longitude the wrong way round: GeoJSON has the longitude first")


def _simpler(shapes: list[Shape], names: list[str], notes: list[str]) -> list[Shape]:
    """With few enough points; what neighbours share stays shared."""
    counts = shapely.get_num_coordinates(shapes)
    if not (counts > MOST_POINTS).any():
        return shapes
    kept = [_thinned(shape) for shape in shapes]
    for metres in _SIMPLER_M:
        simple = [valid_polygonal(each) for each in shapely.coverage_simplify(kept, metres / _DEGREE_M)]
        kept = [new or old for new, old in zip(simple, kept, strict=True)]
        if (shapely.get_num_coordinates(kept) <= MOST_POINTS).all():
            break
    for name, before, after in zip(names, counts, shapely.get_num_coordinates(kept), strict=True):
        if before > MOST_POINTS:
            notes.append(f"“{name}” had {before:,} points and is kept with {after:,}, true to about {metres:,.0f} m.")
    still = [name for name, count in zip(names, shapely.get_num_coordinates(kept), strict=True) if count > MOST_POINTS]
    if still:
        raise OutlinesInvalidError(
            [OutlineError(names.index(name) + 1, name, "is too detailed to be kept") for name in still]
        )
    return kept


def _thinned(shape: Shape) -> Shape:
    """With so few points that making it simpler together with its neighbours, which is slow, takes no second."""
    for metres in _SIMPLER_M:
        if shapely.get_num_coordinates(shape) <= MANY_POINTS:
            break
        shape = valid_polygonal(shapely.simplify(shape, metres / 4 / _DEGREE_M)) or shape
    return shape


def _distinct(shapes: Sequence[tuple[str, Shape]], notes: list[str]) -> Iterator[tuple[str, Shape]]:
    """No two with one name."""
    taken: set[str] = set()
    for name, shape in shapes:
        fresh = free_name(name, taken)
        if fresh != name:
            notes.append(f"There are several “{name}”: one is called “{fresh}”.")
        taken.add(fresh.casefold())
        yield fresh, shape


def free_name(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is among those taken, which are given by `casefold`."""
    number, fresh = 1, name
    while fresh.casefold() in taken:
        number += 1
        fresh = f"{name[: MAX_NAME - 6].rstrip()} ({number})"
    return fresh
