"""GeoJSON of whoever sends it."""

from __future__ import annotations

import contextlib
import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.territories.domain import MAX_NAME
from planner.territories.importing import (
    MOST_OUTLINES,
    MOST_POINTS,
    Outlines,
    OutlinesInvalidError,
    read_geojson,
)
from routing.shapes import from_geojson

BOUNDS = (51.4, -3.2, 51.7, -2.8)
SQUARE = [[-3.0, 51.5], [-2.9, 51.5], [-2.9, 51.6], [-3.0, 51.6], [-3.0, 51.5]]
HOLE = [[-2.97, 51.53], [-2.97, 51.57], [-2.93, 51.57], [-2.93, 51.53], [-2.97, 51.53]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def read(value: Any) -> Outlines:
    return read_geojson(json.dumps(value).encode(), BOUNDS)


def errors_of(value: Any) -> list[str]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(OutlinesInvalidError) as caught:
        read_geojson(data, BOUNDS)
    return [str(error) for error in caught.value.errors]


def test_a_collection_a_feature_and_a_bare_geometry_are_read() -> None:
    for value in (collection(feature(polygon(SQUARE), name="North")), feature(polygon(SQUARE), NAME="North")):
        assert [each.name for each in read(value).items] == ["North"]
    assert [each.name for each in read(polygon(SQUARE)).items] == ["Territory 1"]


@pytest.mark.parametrize(
    ("properties", "name"),
    [({"name": "A"}, "A"), ({"NAME": "B"}, "B"), ({"id": 7}, "7"), ({"name": "", "title": "C"}, "C"), ({}, "x-1"),
     ({"name": " two\nlines\x00 "}, "two lines"), ({"name": "n" * 999}, "n" * MAX_NAME), ({"name": True}, "x-1"),
     ({"name": "half \ud800"}, "half")],
)  # fmt: skip
def test_the_name_is_a_property_or_else_the_id(properties: dict[str, Any], name: str) -> None:
    assert read({**feature(polygon(SQUARE), **properties), "id": "x-1"}).items[0].name == name


def test_holes_stay_holes_and_heights_are_left_out() -> None:
    tall = [[*at, 12.5] for at in SQUARE]
    found = read(feature(polygon(tall, HOLE), name="Ring"))
    shape = from_geojson(found.items[0].geometry)
    assert len(shape.interiors) == 1
    assert not shape.has_z
    assert found.notes == ("“Ring”: heights are left out.",)


def test_several_polygons_and_a_collection_of_polygons_are_one_territory() -> None:
    other = [[lon + 0.05, lat + 0.12] for lon, lat in SQUARE]
    many = {"type": "MultiPolygon", "coordinates": [[SQUARE], [other]]}
    parts = {"type": "GeometryCollection", "geometries": [polygon(SQUARE), polygon(other)]}
    for geometry in (many, parts):
        assert read(geometry).items[0].geometry["type"] == "MultiPolygon"


def test_an_outline_that_crosses_itself_is_mended_and_that_is_said() -> None:
    bow = [[-3.0, 51.5], [-2.9, 51.6], [-2.9, 51.5], [-3.0, 51.6], [-3.0, 51.5]]
    found = read(feature(polygon(bow), name="Bow"))
    assert from_geojson(found.items[0].geometry).is_valid
    assert found.notes == ("“Bow”: its outline crossed or touched itself and was mended.",)


def test_an_open_outline_is_closed_and_that_is_said() -> None:
    found = read(polygon(SQUARE[:-1]))
    assert from_geojson(found.items[0].geometry).area == pytest.approx(0.01)
    assert "not closed" in found.notes[0]


def test_an_outline_down_to_the_pole_has_an_area() -> None:
    assert read(polygon([[-180, -90], [180, -90], [180, -60], [-180, -60], [-180, -90]])).items


def test_names_are_told_apart() -> None:
    found = read(collection(*(feature(polygon(SQUARE), name=name) for name in ("North", "north", "North"))))
    assert [each.name for each in found.items] == ["North", "north (2)", "North (3)"]


def test_what_lies_elsewhere_is_taken_and_said() -> None:
    away = [[lon + 20, lat] for lon, lat in SQUARE]
    assert read(feature(polygon(away), name="Away")).notes == ("“Away” lies outside of the area's streets.",)


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (None, "has no geometry"),
        ([], "has no geometry"),
        ({"type": "Point", "coordinates": [0, 0]}, "is a Point: a territory is a Polygon or a MultiPolygon"),
        ({"type": "LineString", "coordinates": SQUARE}, "is a LineString"),
        ({"type": ["Polygon"]}, "has no type"),
        ({"type": "Polygon"}, "has no coordinates"),
        ({"type": "Polygon", "coordinates": []}, "has an empty geometry"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "a polygon without an outline"),
        ({"type": "MultiPolygon", "coordinates": []}, "has an empty geometry"),
        ({"type": "GeometryCollection", "geometries": []}, "has an empty geometry"),
        ({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection"}]}, "besides polygons"),
        (polygon([]), "fewer than three points"),
        (polygon([[0, 0]]), "fewer than three points"),
        (polygon([[-3, 51.5], [-2.9, 51.6], [-3, 51.5]]), "fewer than three points"),
        (polygon([[-3, 51.5], [-2.9, 51.6], [-2.8, 51.7], [-3, 51.5]]), "has no area"),
        (polygon([[-3, 51.5]] * 5), "has no area"),
        (polygon([["a", "b"]] * 4), "a coordinate that is no number"),
        (polygon([[True, False]] * 4), "a coordinate that is no number"),
        (polygon([[None, 1]] * 4), "a coordinate that is no number"),
        (polygon([{"lon": 1}] * 4), "no list of points"),
        (polygon([[1]] * 4), "no list of points"),
        (polygon("abcd"), "no list of points"),
        (polygon([[330000.0, 180000.0], [340000.0, 180000.0], [340000.0, 190000.0], [330000.0, 180000.0]]),
         "metres of a projection? Export the file in WGS 84"),
        (polygon([[lat, lon + 150] for lon, lat in SQUARE]), "the longitude first"),
        (polygon([[lat, lon] for lon, lat in SQUARE]), "the wrong way round"),
    ],
)  # fmt: skip
def test_what_is_no_territory_is_refused_by_its_feature(geometry: Any, said: str) -> None:
    (error,) = errors_of(collection(feature(polygon(SQUARE), name="Good"), feature(geometry, name="Bad")))
    assert error.startswith("Feature 2 (“Bad”)")
    assert said in error


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(errors_of(collection(*(feature(None, name=str(number)) for number in range(7))))) == 7


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"[1, 2]", "not GeoJSON"),
        (b'"x"', "not GeoJSON"),
        (b'{"type": "Polygon", "coordinates": [[[NaN, 1]]]}', "NaN is no number"),
        (b'{"type": "Polygon", "coordinates": [[[-Infinity, 1]]]}', "no number"),
        (b'{"type": "Polygon", "coordinates": [[[1e999, 1], [1, 2], [2, 2], [1, 1]]]}', "no number"),
        (b'{"type": "Polygon", "coordinates": [[[' + b"9" * 5_000 + b", 1]]]}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b"[" * 600_000, "more than 500,000 points"),
        (b" " * 10_000_001, "larger than 10 MB"),
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (b'{"type": "FeatureCollection", "features": {}}', "no features"),
        (b'{"type": "FeatureCollection", "features": [1]}', "is not an object"),
    ],
)
def test_what_is_no_geojson_is_refused(data: bytes, said: str) -> None:
    (error,) = errors_of(data)
    assert said in error


def test_another_reference_system_is_refused_and_wgs_84_is_not() -> None:
    def in_system(name: str) -> dict[str, Any]:
        return {**feature(polygon(SQUARE)), "crs": {"type": "name", "properties": {"name": name}}}

    assert "export the file in WGS 84" in errors_of(in_system("urn:ogc:def:crs:EPSG::27700"))[0]
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"):
        assert read(in_system(name)).items


def test_too_many_features_are_refused() -> None:
    many = collection(*[feature(polygon(SQUARE))] * (MOST_OUTLINES + 1))
    assert "301 features" in errors_of(many)[0]


def circle(points: int, wobble: float = 0.0) -> list[list[float]]:
    ring = []
    for number in range(points):
        angle = 2 * math.pi * number / points
        radius = 0.1 * (1 + wobble * math.sin(37 * angle))
        ring.append([-3.0 + radius * math.cos(angle), 51.55 + radius * math.sin(angle)])
    return [*ring, ring[0]]


def test_an_outline_of_a_hundred_thousand_points_is_kept_simpler_and_that_is_said() -> None:
    found = read(feature(polygon(circle(100_000, 0.05)), name="Coast"))
    shape = from_geojson(found.items[0].geometry)
    assert len(shape.exterior.coords) <= MOST_POINTS
    assert found.notes[0].startswith("“Coast” had 100,001 points and is kept with")


def test_neighbours_that_are_made_simpler_still_share_their_border() -> None:
    shared = [[-3.0 + 0.001 * math.sin(number / 3), 51.5 + 0.1 * number / 5_000] for number in range(5_001)]
    west = [*shared, [-3.05, 51.6], [-3.05, 51.5], shared[0]]
    east = [*shared, [-2.95, 51.6], [-2.95, 51.5], shared[0]]
    found = read(collection(feature(polygon(west), name="West"), feature(polygon(east), name="East")))
    one, two = (from_geojson(each.geometry) for each in found.items)
    assert one.intersection(two).area < 1e-9
    assert one.union(two).area == pytest.approx(0.01, rel=0.001)


def test_a_scribble_is_refused_before_anybody_tries_to_mend_it() -> None:
    scribble = [[-3.0 + 0.1 * (number * 7919 % 1000) / 1000, 51.5 + 0.1 * (number * 104729 % 997) / 997]
                for number in range(20_000)]  # fmt: skip
    began = time.process_time()
    (error,) = errors_of(polygon([*scribble, scribble[0]]))
    assert "crosses itself more than" in error
    assert time.process_time() - began < 20


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["Polygon", "Feature"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "features", "geometry", "coordinates", "properties", "name"]), inner)
    ),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(json_values)
def test_whatever_is_sent_is_read_or_refused(value: Any) -> None:
    with contextlib.suppress(OutlinesInvalidError):
        read_geojson(json.dumps(value).encode(), BOUNDS)


degrees = st.tuples(st.floats(-3.1, -2.9), st.floats(51.5, 51.6)).map(list)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.lists(degrees, min_size=3, max_size=12), min_size=1, max_size=3))
def test_any_rings_become_a_valid_shape_or_are_refused(rings: list[Any]) -> None:
    try:
        found = read(polygon(*rings))
    except OutlinesInvalidError:
        return
    shape = from_geojson(found.items[0].geometry)
    assert shape.is_valid
    assert not shape.is_empty
