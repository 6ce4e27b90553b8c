"""The businesses that an extract knows: named points of interest, each with a category as accounts have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import osmium

from routing.boundaries import read_part
from routing.errors import AreaError, ExtractError
from routing.geo import LatLon

FILE_NAME = "businesses.json"
FORMAT = 1
"""Raised whenever older files can no longer be read."""

_ANYTHING = ("shop", "office", "craft", "healthcare", "industrial")
"""Keys whose every value is a business, in the order in which they name what a place is."""
_AMENITIES = """
animal_boarding animal_training arts_centre bank bar biergarten bureau_de_change cafe car_rental car_sharing car_wash
casino childcare cinema clinic college community_centre conference_centre coworking_space crematorium dancing_school
dentist doctors dojo driving_school events_venue exhibition_centre fast_food food_court fuel funeral_hall gambling
hospital ice_cream internet_cafe kindergarten language_school marketplace money_transfer music_school nightclub
nursing_home payment_centre pharmacy post_office prep_school pub restaurant school social_centre social_facility studio
theatre training university vehicle_inspection veterinary
"""
_TOURISM = """
apartment aquarium camp_site caravan_site chalet gallery guest_house hostel hotel motel museum theme_park zoo
"""
_SOME: Mapping[str, frozenset[str]] = {
    "amenity": frozenset(_AMENITIES.split()),
    "tourism": frozenset(_TOURISM.split()),
}
_NOTHING = frozenset({"no", "vacant", "disused", "abandoned", "closed"})
_MOST_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Business:
    """A place of business.

    Attributes:
        id: of OpenStreetMap: n, w or r for node, way or relation, and a number.
        category: "key=value", such as shop=bakery.
        address: number and street; empty where it is not known, as are city and postcode.
    """

    id: str
    name: str
    category: str
    lat: float
    lon: float
    address: str = ""
    city: str = ""
    postcode: str = ""

    @property
    def place(self) -> LatLon:
        return LatLon(self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Businesses:
    """All that an extract holds, in the order of their names."""

    items: tuple[Business, ...]

    def save(self, folder: Path) -> None:
        table = {"format": FORMAT, "items": [astuple(item) for item in self.items]}
        (folder / FILE_NAME).write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Businesses:
        """Read what `save` wrote.

        Raises:
            AreaError: the area was built before there were businesses, or the file is damaged.
        """
        table = read_part(folder, FILE_NAME, FORMAT, "businesses")
        try:
            return cls(tuple(Business(*row) for row in table["items"]))
        except (TypeError, KeyError) as error:
            raise AreaError(f"area {folder.name}: {FILE_NAME} is damaged, add the area again: {error}") from error


def category_of(tags: Mapping[str, str]) -> str:
    """What kind of business something is, as "key=value"; empty where it is none."""
    for key in (*_ANYTHING, *_SOME):
        value = tags.get(key, "").split(";")[0].strip()
        if value and value not in _NOTHING and value in _SOME.get(key, (value,)):
            return f"{key}={value}"[:_MOST_LETTERS]
    return ""


def read_businesses(extract: Path) -> Businesses:
    """The named businesses of an extract, clipped or whole; of a building the middle of what is there of its outline.

    Raises:
        ExtractError: it cannot be read.
    """
    try:
        found = {item.id: item for item in _businesses(extract)}
    except RuntimeError as error:  # what libosmium raises for everything from syntax to checksums
        raise ExtractError(f"{extract}: damaged, or not an OpenStreetMap file ({error})") from error
    return Businesses(tuple(sorted(found.values(), key=lambda item: (item.name.casefold(), item.id))))


def _businesses(extract: Path) -> Iterator[Business]:
    wanted = osmium.filter.KeyFilter(*_ANYTHING, *_SOME)
    objects = osmium.FileProcessor(str(extract)).with_locations().with_areas(wanted)
    for thing in objects.with_filter(wanted).with_filter(osmium.filter.KeyFilter("name")):
        tags = {tag.k: tag.v for tag in thing.tags}
        category, name = category_of(tags), " ".join(tags["name"].split())[:_MOST_LETTERS]
        if not category or not name:
            continue
        if isinstance(thing, osmium.osm.Node):
            id_, nodes = f"n{thing.id}", [thing.location]
        elif isinstance(thing, osmium.osm.Way):
            id_, nodes = f"w{thing.id}", [node.location for node in thing.nodes]
        elif isinstance(thing, osmium.osm.Area) and not thing.from_way():
            id_, nodes = f"r{thing.orig_id()}", [node.location for ring in thing.outer_rings() for node in ring]
        else:
            continue
        at = [(node.lat, node.lon) for node in nodes if node.valid()]
        if at:
            (south, west), (north, east) = map(min, zip(*at, strict=True)), map(max, zip(*at, strict=True))
            lat, lon = round((south + north) / 2, 6), round((west + east) / 2, 6)
            yield Business(id_, name, category, lat, lon, *_address(tags))


def _address(tags: Mapping[str, str]) -> tuple[str, str, str]:
    """Number and street, city, postcode, as far as they are tagged."""
    street = tags.get("addr:street") or tags.get("addr:place") or ""
    number = tags.get("addr:housenumber", "")
    line = f"{number} {street}".strip() if street else ""
    city, postcode = tags.get("addr:city", ""), tags.get("addr:postcode", "")
    return line[:_MOST_LETTERS], city[:_MOST_LETTERS], postcode[:_MOST_LETTERS]
