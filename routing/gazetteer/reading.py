"""What an OpenStreetMap extract says about addresses: tagged objects, named streets, places."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import osmium

from routing.errors import ExtractError

Point = tuple[float, float]
"""(lat, lon) in degrees; plain tuples here, because there are very many."""

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""

STREET_SAMPLE_DEGREES = 0.001
"""Along a straight piece of street a point is noted at least this often (about 100 m)."""

_ADDRESS_KEYS = (
    "addr:housenumber", "addr:conscriptionnumber", "addr:streetnumber", "addr:block_number", "addr:unit",
    "addr:housename", "addr:street", "addr:place", "addr:postcode", "addr:interpolation",
)  # fmt: skip
_PLACE_WITHOUT_STREETS = (
    "addr:place", "addr:neighbourhood", "addr:quarter", "addr:hamlet", "addr:suburb", "addr:city",
)  # fmt: skip
_ALIAS = re.compile(r"(?:(?:alt|official|short|loc|int)_name|name)(?::[a-z]{2,3}(?:[-_]\w+)?)?")
_SPLIT = re.compile(r"\s*;\s*")


@dataclass(frozen=True, slots=True)
class TaggedAddress:
    """One object with an address; `street` is a street or, where there is none, the place it counts in."""

    street: str
    number: str
    unit: str
    house_name: str
    city: str
    postcode: str
    point: Point


@dataclass(frozen=True, slots=True)
class TaggedPlace:
    """A city, suburb, village …; `kind` is the value of the place tag."""

    names: tuple[str, ...]
    kind: str
    point: Point


@dataclass(slots=True)
class Tagged:
    """Everything that was read. `street_points` has a point every 100 m of each street and of each address."""

    addresses: list[TaggedAddress] = field(default_factory=list)
    places: list[TaggedPlace] = field(default_factory=list)
    regions: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)
    street_points: dict[str, list[Point]] = field(default_factory=lambda: defaultdict(list))
    street_aliases: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def read_extract(extract: Path, progress: Progress | None = None) -> Tagged:
    """Read .osm.pbf or .osm[.gz|.bz2], clipped or whole; an object of which no node is present is left out.

    Raises:
        ExtractError: missing, or not readable as OpenStreetMap data.
    """
    if not extract.is_file():
        raise ExtractError(f"no such extract: {extract}")
    report = progress or (lambda share: None)
    report(0.0)
    try:
        relations = _relations(extract)
        report(0.2)
        tagged = _objects(extract, relations)
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        raise ExtractError(f"{extract.name} cannot be read as OpenStreetMap data: {error}") from error
    report(1.0)
    return tagged


@dataclass(slots=True)
class _Relation:
    tags: dict[str, str]
    points: list[Point] = field(default_factory=list)


def _relations(extract: Path) -> dict[tuple[str, int], list[_Relation]]:
    """The relations that carry an address or a place, under each of their members (type, id)."""
    by_member: dict[tuple[str, int], list[_Relation]] = defaultdict(list)
    wanted = osmium.filter.KeyFilter(*_ADDRESS_KEYS, "place", "boundary")
    for relation in osmium.FileProcessor(str(extract), osmium.osm.RELATION).with_filter(wanted):
        assert isinstance(relation, osmium.osm.Relation)
        kept = _Relation({tag.k: tag.v for tag in relation.tags})
        for member in relation.members:
            by_member[member.type, member.ref].append(kept)
    return by_member


def _objects(extract: Path, relations: Mapping[tuple[str, int], list[_Relation]]) -> Tagged:
    tagged = Tagged()
    interpolations: list[tuple[dict[str, str], list[tuple[int, Point]]]] = []
    numbered_nodes: dict[int, dict[str, str]] = {}
    members = osmium.filter.IdFilter([ref for kind, ref in relations if kind == "w"])
    both = osmium.osm.NODE | osmium.osm.WAY
    ways_only = osmium.filter.EntityFilter(osmium.osm.WAY)
    located = osmium.FileProcessor(str(extract), both).with_locations()
    for way in located.with_filter(ways_only).with_filter(members):
        assert isinstance(way, osmium.osm.Way)
        centre = _centre(_points(way))
        if centre:
            for relation in relations["w", way.id]:
                relation.points.append(centre)
    wanted = osmium.filter.KeyFilter(*_ADDRESS_KEYS, "highway", "place", "boundary")
    for thing in osmium.FileProcessor(str(extract), both).with_locations().with_filter(wanted):
        tags = {tag.k: tag.v for tag in thing.tags}
        if isinstance(thing, osmium.osm.Node):
            points = [(thing.location.lat, thing.location.lon)] if thing.location.valid() else []
            if "addr:housenumber" in tags:
                numbered_nodes[thing.id] = tags
        elif isinstance(thing, osmium.osm.Way):
            points = _points(thing)
            if "addr:interpolation" in tags:
                nodes = [n for n in thing.nodes if n.location.valid()]
                interpolations.append((tags, [(n.ref, (n.location.lat, n.location.lon)) for n in nodes]))
                continue
        else:
            continue
        _note(tagged, tags, points)
    for relation in {id(r): r for rs in relations.values() for r in rs}.values():
        _note(tagged, relation.tags, relation.points)
    for tags, line in interpolations:
        for number, point, ends in _between(tags["addr:interpolation"], line, numbered_nodes):
            _note_address(tagged, {**ends, **tags, "addr:housenumber": str(number)}, point)
    return tagged


def _points(way: osmium.osm.Way) -> list[Point]:
    return [(n.location.lat, n.location.lon) for n in way.nodes if n.location.valid()]


def _centre(points: list[Point]) -> Point | None:
    """Centre of the bounding box: the same whatever side of a building is drawn in more detail."""
    if not points:
        return None
    lats, lons = [p[0] for p in points], [p[1] for p in points]
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2


def _note(tagged: Tagged, tags: Mapping[str, str], points: list[Point]) -> None:
    """Add what the tags of one object say."""
    if tags.get("boundary") == "administrative":
        tagged.regions.update(_names(tags))
    centre = _centre(points)
    if centre is None:
        return
    if "highway" in tags and "name" in tags:
        name = " ".join(tags["name"].split())
        tagged.street_points[name].extend(_sampled(points))
        tagged.street_aliases[name].update(_names(tags))
    if "place" in tags and "name" in tags:
        tagged.places.append(TaggedPlace(tuple(_names(tags)), tags["place"], centre))
    if any(key.startswith("addr:") for key in tags):
        _note_address(tagged, tags, centre)


def _note_address(tagged: Tagged, tags: Mapping[str, str], point: Point) -> None:
    """One entry for the street and one for the place, where an address names both."""
    country = tags.get("addr:country", "").strip().upper()
    if len(country) == 2:
        tagged.countries.add(country)
    number = tags.get("addr:housenumber") or tags.get("addr:conscriptionnumber") or ""
    if block := tags.get("addr:block_number"):
        number = f"{block}-{number}" if number else block
    streets = [tags[key] for key in ("addr:street", "addr:place") if key in tags]
    if not streets and number:
        streets = [tags[key] for key in _PLACE_WITHOUT_STREETS if key in tags][:1]
    for street in dict.fromkeys(" ".join(s.split()) for s in streets):
        if street:
            for key, value in tags.items():
                if key.startswith("addr:street:"):
                    tagged.street_aliases[street].add(value)
            tagged.addresses.append(
                TaggedAddress(
                    street=street,
                    number=number,
                    unit=tags.get("addr:unit", ""),
                    house_name=tags.get("addr:housename", ""),
                    city=tags.get("addr:city", ""),
                    postcode=tags.get("addr:postcode", ""),
                    point=point,
                )
            )
            tagged.street_points[street].append(point)


def _names(tags: Mapping[str, str]) -> list[str]:
    names = [part for key, value in tags.items() if _ALIAS.fullmatch(key) for part in _SPLIT.split(value)]
    return list(dict.fromkeys(" ".join(name.split()) for name in names if name.strip()))


def _sampled(points: list[Point]) -> Iterator[Point]:
    """The points of a line, with more in between where they are far apart."""
    yield points[0]
    for (lat_a, lon_a), (lat_b, lon_b) in itertools.pairwise(points):
        steps = 1 + int(max(abs(lat_b - lat_a), abs(lon_b - lon_a)) / STREET_SAMPLE_DEGREES)
        for i in range(1, min(steps, 1000) + 1):
            yield lat_a + (lat_b - lat_a) * i / steps, lon_a + (lon_b - lon_a) * i / steps


def _between(
    kind: str, line: list[tuple[int, Point]], numbered: Mapping[int, Mapping[str, str]]
) -> Iterable[tuple[int, Point, Mapping[str, str]]]:
    """The numbers that an interpolation line implies strictly between its numbered nodes, evenly spread."""
    step = {"odd": 2, "even": 2, "all": 1}.get(kind)
    known = [
        (i, int(numbered[ref]["addr:housenumber"]), numbered[ref])
        for i, (ref, _) in enumerate(line)
        if ref in numbered and numbered[ref]["addr:housenumber"].isdecimal()
    ]
    if step is None:
        return
    for (i, first, ends), (j, last, _) in itertools.pairwise(known):
        if abs(last - first) > 400:
            continue
        direction = step if last > first else -step
        stretch = [point for _, point in line[i : j + 1]]
        for number in range(first + direction, last, direction):
            place = (number - first) / (last - first) * (len(stretch) - 1)
            k, share = int(place), place - int(place)
            (lat_a, lon_a), (lat_b, lon_b) = stretch[k], stretch[k + 1]
            yield number, (lat_a + (lat_b - lat_a) * share, lon_a + (lon_b - lon_a) * share), ends
