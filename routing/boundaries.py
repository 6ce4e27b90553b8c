"""Shapes that an extract knows by name: municipalities and the like, and the districts of its postcodes."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely.geometry import box

from routing.errors import AreaError, ExtractError
from routing.gazetteer.book import Door
from routing.shapes import DECIMALS, Shape, as_geojson, from_geojson, valid_polygonal

FILE_NAME = "boundaries.json"
FORMAT = 1
"""Raised whenever older files can no longer be read."""

MUNICIPALITY_LEVEL = 8
"""The admin_level that is a town or municipality in most countries."""
FEW_ADDRESSES = 5
"""A postcode district with fewer is a slip of somebody's, or lies nearly all beyond the extract."""
NEIGHBOURS = 5
"""An address whose postcode none of so many nearest ones shares does not count: it is mistyped more often than not."""

MOST_LETTERS = 200
"""Of a name."""

_SIMPLER_DEGREES = 0.00005
"""About five metres."""


class BoundaryKind(StrEnum):
    ADMINISTRATIVE = "administrative"
    POSTCODE = "postcode"


@dataclass(frozen=True, slots=True)
class Boundary:
    """A named shape.

    Attributes:
        id: tells it from all others of the area, also when the area is built again.
        level: the admin_level of OpenStreetMap, the higher the smaller; 0 of postcode districts.
        geometry: valid, coordinates as (lon, lat) in degrees.
    """

    id: str
    kind: BoundaryKind
    level: int
    name: str
    geometry: Shape


@dataclass(frozen=True, slots=True)
class Boundaries:
    """All that an extract holds; `notes` are sentences on what it does not."""

    items: tuple[Boundary, ...]
    notes: tuple[str, ...] = ()

    def levels(self) -> dict[int, int]:
        """How many administrative boundaries there are of each level."""
        found = Counter(item.level for item in self.items if item.kind is BoundaryKind.ADMINISTRATIVE)
        return dict(sorted(found.items()))

    def usual_level(self) -> int | None:
        """The level to offer first: that of municipalities if there are two or more, or else the fullest one."""
        levels = self.levels()
        if levels.get(MUNICIPALITY_LEVEL, 0) >= 2:
            return MUNICIPALITY_LEVEL
        return max(levels, key=lambda level: (levels[level], level), default=None)

    def administrative(self, level: int) -> list[Boundary]:
        return [item for item in self.items if item.kind is BoundaryKind.ADMINISTRATIVE and item.level == level]

    def postcodes(self) -> list[Boundary]:
        return [item for item in self.items if item.kind is BoundaryKind.POSTCODE]

    def save(self, folder: Path) -> None:
        table = {
            "format": FORMAT,
            "notes": self.notes,
            "items": [[item.id, item.kind, item.level, item.name, as_geojson(item.geometry)] for item in self.items],
        }
        (folder / FILE_NAME).write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Boundaries:
        """Read what `save` wrote.

        Raises:
            AreaError: the area was built before there were boundaries, or the file is damaged.
        """
        table = read_part(folder, FILE_NAME, FORMAT, "boundaries")
        try:
            items = [
                Boundary(id_, BoundaryKind(kind), level, name, from_geojson(geometry))
                for id_, kind, level, name, geometry in table["items"]
            ]
            return cls(tuple(items), tuple(table["notes"]))
        except (ValueError, TypeError, KeyError, shapely.errors.ShapelyError) as error:
            raise AreaError(f"area {folder.name}: {FILE_NAME} is damaged, add the area again: {error}") from error


def read_part(folder: Path, name: str, known: int, what: str) -> Mapping[str, Any]:
    """A part of an area that areas built by a former version do not have.

    Raises:
        AreaError: it is not there, of another version, or damaged.
    """
    try:
        table = json.loads((folder / name).read_text(encoding="utf-8"))
        if table["format"] == known:
            found: Mapping[str, Any] = table
            return found
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AreaError(f"area {folder.name}: {name} is damaged, add the area again: {error}") from error
    raise AreaError(
        f"the area {folder.name} was built by a version of fieldvisit that did not read {what}: "
        "remove it and add it again from its extract (its customers and plans stay)"
    )


def read_boundaries(extract: Path, doors: Iterable[Door], bounds: tuple[float, float, float, float]) -> Boundaries:
    """Boundaries of an extract, clipped or whole.

    Args:
        extract: as `routing.extract.read_graph` reads it.
        doors: its addresses, whose postcodes make the districts.
        bounds: south, west, north and east of its streets; no postcode district reaches beyond.

    Raises:
        ExtractError: it cannot be read.
    """
    whole, broken = _administrative(extract)
    codes, uncoded = _postcode_districts(doors, bounds)
    notes = []
    if broken:
        names = sorted({name for name in broken if name})
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        notes.append(
            f"The extract holds only part of the outline of {len(broken)} administrative boundaries, which are left "
            f"out: {shown}."
        )
    elif not whole:
        notes.append("The extract holds no administrative boundaries.")
    if not codes:
        notes.append("The extract's addresses have too few different postcodes to make districts of them.")
    elif uncoded > 0.5:
        notes.append(
            f"{uncoded:.0%} of the extract's addresses have no postcode: the edges of the postcode districts are rough."
        )
    return Boundaries((*whole, *codes), tuple(notes))


def _administrative(extract: Path) -> tuple[list[Boundary], list[str]]:
    """Those of which the whole outline is there, and the names of the others."""
    named: dict[int, str] = {}
    found: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    assembled: set[int] = set()
    wkb = osmium.geom.WKBFactory()
    key = osmium.filter.KeyFilter("boundary")
    try:
        for thing in osmium.FileProcessor(str(extract)).with_locations().with_areas(key).with_filter(key):
            tags = {tag.k: tag.v for tag in thing.tags}
            level, name = tags.get("admin_level", ""), " ".join(tags.get("name", "").split())[:MOST_LETTERS]
            if tags["boundary"] != "administrative" or not re.fullmatch(r"1?[0-9]", level, re.ASCII):
                continue
            if isinstance(thing, osmium.osm.Relation):
                named[thing.id] = name
            elif isinstance(thing, osmium.osm.Area) and name:
                try:
                    shape_ = wkb.create_multipolygon(thing)
                except (osmium.InvalidLocationError, RuntimeError):
                    continue  # nodes of its outline were clipped away
                kind = "w" if thing.from_way() else "r"
                found[int(level)].append((f"{kind}{thing.orig_id()}", name, shape_))
                if kind == "r":
                    assembled.add(thing.orig_id())
    except RuntimeError as error:  # what libosmium raises for everything from syntax to checksums
        raise ExtractError(f"{extract}: damaged, or not an OpenStreetMap file ({error})") from error
    items = []
    for number, group in sorted(found.items()):
        shapes = _simpler(shapely.make_valid(shapely.from_wkb(np.array([each[2] for each in group], dtype=object))))
        for (id_, name, _), geometry in sorted(zip(group, shapes, strict=True), key=lambda pair: pair[0][1]):
            if geometry is not None:
                items.append(Boundary(id_, BoundaryKind.ADMINISTRATIVE, number, name, geometry))
    return items, [name for id_, name in named.items() if id_ not in assembled]


def postcode_district(postcode: str) -> str:
    """The part of a postcode that stands for a district: NP20 of NP20 4UR, 4000 of 4000-123, 00100 itself."""
    code = " ".join(postcode.upper().split())
    if british := re.fullmatch(r"([A-Z]{1,2}[0-9][0-9A-Z]?) ?(?:[0-9][A-Z]{2})?", code):
        return british[1]
    if dutch := re.fullmatch(r"([0-9]{4}) ?[A-Z]{2}", code):
        return dutch[1]
    first = re.split(r"[ -]", code, maxsplit=1)[0]
    return first if len(first) >= 3 else code


def _postcode_districts(
    doors: Iterable[Door], bounds: tuple[float, float, float, float]
) -> tuple[list[Boundary], float]:
    """What lies nearest to the addresses of each district, and the share of addresses without a postcode.

    The cells of a Voronoi diagram of all such addresses, dissolved (Okabe et al., Spatial Tessellations, 2000).
    """
    south, west, north, east = bounds
    places: dict[tuple[float, float], str] = {}
    total = uncoded = 0
    for door in doors:
        total += 1
        code = postcode_district(door.postcode) if ";" not in door.postcode else ""
        if not code:
            uncoded += 1
        elif south <= door.place.lat <= north and west <= door.place.lon <= east:
            places.setdefault((round(door.place.lon, DECIMALS), round(door.place.lat, DECIMALS)), code)
    share = uncoded / total if total else 1.0
    squeeze = math.cos(math.radians((south + north) / 2))  # nearest is meant in metres
    xy = np.array(list(places), dtype=np.float64).reshape(-1, 2) * (squeeze, 1.0)
    codes = np.array(list(places.values()), dtype=object)
    xy, codes = _believable(xy, codes)
    if len(set(codes)) < 2:
        return [], share
    frame = box(west * squeeze, south, east * squeeze, north)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=frame))
    point, cell = shapely.STRtree(cells).query(shapely.points(xy), predicate="intersects")
    code_of = np.full(len(cells), "", dtype=object)
    code_of[cell] = codes[point]
    names = sorted(set(codes))
    dissolved = shapely.intersection([shapely.coverage_union_all(cells[code_of == name]) for name in names], frame)
    shapes = _simpler(shapely.transform(np.asarray(dissolved), lambda at: at / (squeeze, 1.0)))
    items = [
        Boundary(f"postcode:{name}", BoundaryKind.POSTCODE, 0, name, geometry)
        for name, geometry in zip(names, shapes, strict=True)
        if geometry is not None
    ]
    return items, share


def _believable(xy: NDArray[np.float64], codes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Without addresses whose postcode no neighbour has, and districts of only a few."""
    if len(xy) > NEIGHBOURS:
        nearest = KDTree(xy).query(xy, k=NEIGHBOURS + 1)[1][:, 1:]
        kept = (codes[nearest] == codes[:, None]).any(axis=1)
        xy, codes = xy[kept], codes[kept]
    counts = Counter(codes.tolist())
    kept = np.array([counts[code] >= FEW_ADDRESSES for code in codes.tolist()], dtype=np.bool_)
    return xy[kept], codes[kept]


def _simpler(shapes: NDArray[np.object_]) -> list[Shape | None]:
    """With fewer points, neighbours still fitting to each other; None for what is no polygon."""
    return [valid_polygonal(each) for each in shapely.coverage_simplify(shapes, _SIMPLER_DEGREES)]
