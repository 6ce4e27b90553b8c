"""What webui.maps renders: safe by construction, small, quick, and ours alone."""

from __future__ import annotations

import json
import math
import os
import re
from itertools import pairwise
from typing import Any

import folium
import pytest
from hostile import HOSTILE

from webui.errors import MapError
from webui.maps import COLOURS, MapPlace, MapRoute, MapStop, TileServer, day_map, drawing, packed, team_map

HOME = MapPlace(60.165, 24.94, "Home")


def stop(index: int = 1, **changes: Any) -> MapStop:
    fields = {
        "number": str(index),
        "lat": 60.166 + index * 0.0006,
        "lon": 24.94 + 0.004 * math.sin(index),
        "title": f"Customer {index}",
        "subtitle": "09:00–09:30\nUnioninkatu 24",
        "kind": "due",
        "anchor": f"stop-{index}",
    }
    return MapStop(**(fields | changes))


def route(stops: int = 3, **changes: Any) -> MapRoute:
    chosen = tuple(stop(index) for index in range(1, stops + 1))
    places = [HOME, *chosen, HOME]
    legs = tuple(
        tuple((a.lat + (b.lat - a.lat) * i / 120, a.lon + (b.lon - a.lon) * i / 120) for i in range(121))
        for a, b in pairwise(places)
    )
    return MapRoute(**({"rep_name": "Ann Ek", "stops": chosen, "homes": (HOME,), "legs": legs} | changes))


def data_of(body: str) -> Any:
    found = re.search(r'<script type="application/json" id="map_day_data">(.*?)</script>', body, re.S)
    assert found is not None
    return json.loads(found[1])


def test_the_names_travel_as_data_and_never_stand_in_the_script() -> None:
    drawn = day_map(route(), "/basemap.pmtiles", "abc")
    assert [entry["title"] for entry in data_of(drawn.body)[0]["stops"]] == ["Customer 1", "Customer 2", "Customer 3"]
    assert "Customer" not in drawn.script
    assert "Ann" not in drawn.script.split("overlays")[0].split("fieldvisit.route")[0]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_arrives_unchanged_and_nothing_compiles_it(text: str) -> None:
    named = MapRoute(text, (stop(title=text, subtitle=text),), (MapPlace(60.1, 24.9, text),), ())
    for drawn in (day_map(named, None, "abc"), team_map([named], None, "abc")):
        (data,) = data_of(drawn.body)
        assert (data["rep"], data["homes"][0][2]) == (text, text)
        assert (data["stops"][0]["title"], data["stops"][0]["subtitle"]) == (text, text)
        assert drawn.body.count("</script>") == 1
        assert "<" not in drawn.body.split('id="map_day_data">')[1].removesuffix("</script>")
    assert "FIELDVISIT_RAN" not in os.environ


def test_a_text_that_is_no_valid_unicode_is_still_sent() -> None:
    drawn = day_map(route(stops=1, rep_name="\ud800"), None, "abc")
    assert drawn.body.encode("utf-8")
    assert data_of(drawn.body)[0]["rep"] == "\ud800"


def test_a_stock_folium_element_is_refused_because_it_would_compile_its_text() -> None:
    chart = drawing._Map((60, 25), tiles=None)
    folium.Marker((60, 25), tooltip="{{7*7}}").add_to(chart)
    with pytest.raises(MapError, match="Marker would compile its text"):
        drawing._rendered(chart)


def test_a_library_that_is_not_installed_is_an_error_and_not_a_request_elsewhere() -> None:
    class Exotic(drawing._Basemap):
        def __init__(self) -> None:
            super().__init__("/x.pmtiles")
            self.default_js = [("exotic", "https://elsewhere.example/exotic.js")]

    chart = drawing._Map((60, 25), tiles=None)
    Exotic().add_to(chart)
    with pytest.raises(MapError, match="exotic"):
        drawing._rendered(chart)


def test_every_address_is_our_own() -> None:
    drawn = team_map([route(), route(colour=1)], "/basemap.pmtiles", "abc")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', drawn.head + drawn.body + drawn.script)
    assert addresses
    assert all(re.fullmatch(r"/static/[\w./-]+\?v=[0-9a-f]{12}", address) for address in addresses)
    assert "//" not in (drawn.head + drawn.script).replace("= //", "")


def test_every_script_that_runs_carries_the_nonce_or_is_a_file() -> None:
    drawn = day_map(route(), "/basemap.pmtiles", 'n"><script>')
    for tag in re.findall(r"<script[^>]*>", drawn.script):
        assert 'nonce="n&quot;&gt;&lt;script&gt;"' in tag or 'src="/static/' in tag


def test_geometry_comes_back_to_the_metre() -> None:
    line = ((60.16512, 24.94011), (60.16513, 24.94022), (60.16513, 24.94022), (-1.5, 25.0))
    numbers = packed(line)
    lat = lon = 0
    points = []
    for step_lat, step_lon in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + step_lat, lon + step_lon
        points.append((lat / 1e5, lon / 1e5))
    assert points == [line[0], line[1], line[3]]


def test_two_reps_of_one_name_are_two_layers() -> None:
    drawn = team_map([route(), route()], None, "abc")
    overlays = drawn.script.split("overlays")[1]
    assert (overlays.count(": route_0"), overlays.count(": route_1")) == (1, 1)
    assert len(set(re.findall(r'"([^\n]*)" : route_', overlays))) == 2


def test_an_online_tile_server_takes_the_place_of_the_base_map_and_is_named_to_the_policy() -> None:
    tiles = TileServer("https://{s}.tiles.example/{z}/{x}/{y}.png", "© <b>Us</b> {{7*7}}")
    drawn = day_map(route(), "/basemap.pmtiles", "abc", tiles)
    assert "L.tileLayer" in drawn.script
    assert "basemap.pmtiles" not in drawn.script
    assert "{{7*7}}" not in drawn.script
    assert drawn.image_origins == ("https://*.tiles.example",)


def test_a_twenty_stop_day_is_small() -> None:
    drawn = day_map(route(stops=20), "/basemap.pmtiles", "abc")
    assert len(drawn.body) + len(drawn.script) + len(drawn.head) < 60_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat": math.nan}, "not a place"),
        ({"lat": 91.0}, "not a place"),
        ({"lon": math.inf}, "not a place"),
        ({"number": ""}, "does not fit"),
        ({"number": "12345"}, "does not fit"),
        ({"kind": "due x"}, "kind"),
        ({"anchor": "1 x"}, "anchor"),
        ({"anchor": 'a"b'}, "anchor"),
    ],
)
def test_a_stop_that_cannot_be_drawn_is_refused_by_name(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MapError, match=f"Café.*{reason}"):
        stop(title="Café", **change)


def test_routes_and_tile_servers_refuse_nonsense() -> None:
    with pytest.raises(MapError, match="no colour"):
        route(colour=COLOURS)
    with pytest.raises(MapError, match="one start and one end"):
        route(homes=(HOME, HOME, HOME))
    with pytest.raises(MapError, match="not a place"):
        route(legs=(((60.0, 181.0),),))
    with pytest.raises(MapError, match="at least one place"):
        team_map([], None, "abc")
    for url in ("javascript:alert(1)", "ftp://a/{z}/{x}/{y}", "https://a b/{z}/{x}/{y}", "https://a.example/"):
        with pytest.raises(MapError, match="tile server"):
            TileServer(url, "x")
