import bz2
import gzip
import io
import json
from pathlib import Path
from typing import Any

import osmium
import pytest
import requests
from street_maps import write_osm

from routing.errors import ExtractError
from routing.extract import download_extract, read_graph

ROAD = {"highway": "residential"}
CORNERS = {"a": (0, 0), "b": (100, 0), "c": (200, 0), "d": (200, 100)}


def directions(graph: Any) -> set[str]:
    return {chr(u) + chr(v) for u, v in graph.edges()}


def as_pbf(source: Path) -> Path:
    file = source.with_name(source.stem + ".osm.pbf")
    with osmium.SimpleWriter(str(file)) as writer:
        for thing in osmium.FileProcessor(str(source)):
            writer.add(thing)
    return file


def test_a_street_is_an_osmnx_edge_each_way(tmp_path: Path) -> None:
    tags = {"highway": "primary", "name": "High Street", "maxspeed": "30 mph", "colour": "red"}
    graph = read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("abc", tags)]))
    assert graph.graph["crs"] == "epsg:4326"
    assert directions(graph) == {"ac", "ca"}
    edge = graph.get_edge_data(ord("c"), ord("a"))[0]
    assert edge["length"] == pytest.approx(200, abs=0.1)
    assert edge["geometry"].coords[0] == (graph.nodes[ord("c")]["x"], graph.nodes[ord("c")]["y"])
    del edge["geometry"], edge["length"]
    assert edge == {
        "osmid": 1,
        "highway": "primary",
        "name": "High Street",
        "maxspeed": "30 mph",
        "oneway": False,
        "reversed": True,
    }


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, {"ab", "ba"}),
        ({"oneway": "yes"}, {"ab"}),
        ({"oneway": "1"}, {"ab"}),
        ({"oneway": "-1"}, {"ba"}),
        ({"oneway": "no"}, {"ab", "ba"}),
        ({"junction": "roundabout"}, {"ab"}),
        ({"junction": "roundabout", "oneway": "no"}, {"ab", "ba"}),
        ({"highway": "motorway"}, {"ab"}),
        ({"highway": "motorway_link"}, {"ab", "ba"}),
    ],
)
def test_a_one_way_street_is_one_edge(tmp_path: Path, tags: dict[str, str], expected: set[str]) -> None:
    assert directions(read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("ab", ROAD | tags)]))) == expected


def test_each_direction_has_its_own_limit(tmp_path: Path) -> None:
    tags = ROAD | {"maxspeed": "50", "maxspeed:backward": "30"}
    graph = read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("ab", tags)]))
    assert graph.get_edge_data(ord("a"), ord("b"))[0]["maxspeed"] == "50"
    assert graph.get_edge_data(ord("b"), ord("a"))[0]["maxspeed"] == "30"


@pytest.mark.parametrize(
    ("tags", "drivable"),
    [
        ({"highway": "service"}, True),
        ({"highway": "service", "service": "driveway", "access": "private"}, True),
        ({"highway": "service", "service": "parking_aisle"}, True),
        ({"highway": "service", "service": "emergency_access"}, False),
        ({"highway": "residential", "motor_vehicle": "no"}, False),
        ({"highway": "residential", "access": "no", "motorcar": "yes"}, True),
        ({"highway": "track"}, False),
        ({"highway": "track", "motor_vehicle": "yes"}, True),
        ({"highway": "pedestrian"}, False),
        ({"highway": "footway"}, False),
        ({"highway": "construction"}, False),
    ],
)
def test_service_roads_and_yards_are_streets_and_footpaths_are_not(
    tmp_path: Path, tags: dict[str, str], drivable: bool
) -> None:
    graph = read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("ab", tags), ("bc", ROAD)]))
    assert ("ab" in directions(graph)) == drivable


def test_streets_are_cut_where_they_meet_and_at_signals(tmp_path: Path) -> None:
    corners = CORNERS | {"e": (50, 0)}
    ways = [("aebc", ROAD), ("bd", ROAD)]
    signals = {"e": {"highway": "traffic_signals"}}
    graph = read_graph(write_osm(tmp_path / "x.osm", corners, ways, signals))
    assert {"ae", "eb", "bc", "bd"} < directions(graph)
    assert graph.nodes[ord("e")]["highway"] == "traffic_signals"


@pytest.mark.parametrize(
    ("barrier", "joined"),
    [
        ({"barrier": "bollard"}, False),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, True),
        ({"barrier": "gate"}, True),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "gate", "access": "no"}, False),
    ],
)
def test_a_bollard_parts_a_street_and_a_gate_does_not(tmp_path: Path, barrier: dict[str, str], joined: bool) -> None:
    graph = read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("abc", ROAD)], {"b": barrier}))
    assert graph.number_of_nodes() == (2 if joined else 4)
    assert sum(length for *_, length in graph.edges(data="length")) == pytest.approx(400, abs=0.2)


@pytest.mark.parametrize("kind", ["osm", "osm.gz", "osm.bz2", "osm.pbf"])
def test_every_kind_of_extract_survives_ways_whose_nodes_were_cut_off(tmp_path: Path, kind: str) -> None:
    source = write_osm(tmp_path / "x.osm", CORNERS, [("yaxbcz", ROAD), ("zd", ROAD), ("cd", ROAD)])
    if kind == "osm.gz":
        (tmp_path / "x.osm.gz").write_bytes(gzip.compress(source.read_bytes()))
    elif kind == "osm.bz2":
        (tmp_path / "x.osm.bz2").write_bytes(bz2.compress(source.read_bytes()))
    elif kind == "osm.pbf":
        as_pbf(source)
    graph = read_graph(tmp_path / f"x.{kind}")
    assert directions(graph) == {"bc", "cb", "cd", "dc"}


def test_the_order_of_nodes_and_ways_in_the_file_does_not_matter(tmp_path: Path) -> None:
    ways = [("abc", ROAD), ("bd", ROAD)]
    usual = read_graph(write_osm(tmp_path / "x.osm", CORNERS, ways))
    turned = read_graph(write_osm(tmp_path / "y.osm", CORNERS, ways, ways_first=True))
    assert set(usual.edges) == set(turned.edges)


def test_progress_is_told_from_start_to_end(tmp_path: Path) -> None:
    told: list[float] = []
    read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("ab", ROAD)]), lambda _what, share: told.append(share))
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"<osm><node", b"id,lat,lon\n", b'<osm version="0.6"></osm>'])
@pytest.mark.parametrize("name", ["x.osm", "x.osm.pbf", "x.osm.gz", "x.osm.bz2"])
def test_a_damaged_or_empty_extract_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExtractError, match=name):
        read_graph(tmp_path / name)


def test_a_torn_pbf_is_named(tmp_path: Path) -> None:
    file = as_pbf(write_osm(tmp_path / "x.osm", CORNERS, [("ab", ROAD)]))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ExtractError, match="damaged"):
        read_graph(file)


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="no such file"):
        read_graph(tmp_path / "x.osm.pbf")
    (tmp_path / "x.csv").write_text("id\n")
    with pytest.raises(ExtractError, match=r"an extract ends in \.osm\.pbf"):
        read_graph(tmp_path / "x.csv")


def test_an_extract_without_streets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="no streets"):
        read_graph(write_osm(tmp_path / "x.osm", CORNERS, [("ab", {"highway": "footway"})]))


class FakeWeb:
    """Answers instead of `requests`: one town for the geocoder, one file for Overpass."""

    def __init__(self, town: list[dict[str, Any]], overpass: bytes | Exception) -> None:
        self.town, self.overpass = town, overpass
        self.queries: list[str] = []

    def get(self, url: str, **_: Any) -> requests.Response:
        return self._response(json.dumps(self.town).encode(), url)

    def post(self, url: str, data: dict[str, str], **_: Any) -> requests.Response:
        self.queries.append(data["data"])
        if isinstance(self.overpass, Exception):
            raise self.overpass
        return self._response(self.overpass, url)

    @staticmethod
    def _response(body: bytes, url: str) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url, response.raw = 200, url, io.BytesIO(body)
        return response


TOWN = {
    "lat": "51.5",
    "lon": "-3.0",
    "boundingbox": ["51.4", "51.6", "-3.1", "-2.9"],
    "display_name": "Testtown",
    "importance": 1,
    "geojson": {
        "type": "Polygon",
        "coordinates": [[[-3.1, 51.4], [-2.9, 51.4], [-2.9, 51.6], [-3.1, 51.6], [-3.1, 51.4]]],
    },
}


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeWeb:
    file = write_osm(tmp_path / "answer.osm", CORNERS, [("abc", ROAD)])
    fake = FakeWeb([TOWN], file.read_bytes())
    monkeypatch.setattr(requests, "get", fake.get)
    monkeypatch.setattr(requests, "post", fake.post)
    monkeypatch.setattr("osmnx._nominatim.time.sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)
    return fake


def test_a_place_is_downloaded_whole_so_that_streets_and_addresses_come_from_one_file(
    web: FakeWeb, tmp_path: Path
) -> None:
    file = download_extract("Testtown", tmp_path / "area")
    assert directions(read_graph(file)) == {"ac", "ca"}
    assert "51.400000,-3.100000,51.600000,-2.900000" in web.queries[0]
    assert "highway" not in web.queries[0]


def test_the_download_leaves_no_cache_behind(web: FakeWeb, tmp_path: Path) -> None:
    download_extract("Testtown", tmp_path / "area")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.osm", "area"]
    assert [path.name for path in (tmp_path / "area").iterdir()] == ["place.osm"]


def test_offline_is_said_plainly_and_leaves_nothing(web: FakeWeb, tmp_path: Path) -> None:
    web.overpass = requests.ConnectionError("no route to host")
    with pytest.raises(ExtractError, match="is there a network"):
        download_extract("Testtown", tmp_path / "area")
    assert list((tmp_path / "area").iterdir()) == []


def test_an_unknown_place_is_said_plainly(web: FakeWeb, tmp_path: Path) -> None:
    web.town = []
    with pytest.raises(ExtractError, match="Nowhere: OpenStreetMap knows no such town"):
        download_extract("Nowhere", tmp_path)


def test_a_download_that_breaks_off_is_not_kept(web: FakeWeb, tmp_path: Path) -> None:
    assert isinstance(web.overpass, bytes)
    for answer in (web.overpass[:-20], web.overpass.replace(b"</osm>", b"<remark>timed out</remark></osm>")):
        web.overpass = answer
        with pytest.raises(ExtractError, match="broke off"):
            download_extract("Testtown", tmp_path / "area")
        assert list((tmp_path / "area").iterdir()) == []
