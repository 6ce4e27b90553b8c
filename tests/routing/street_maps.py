"""Small maps for tests: streets as a few named corners, written as a real OpenStreetMap file, and any small town."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import networkx as nx
from hypothesis import strategies as st

from routing.geo import EARTH_RADIUS_M, LatLon

CENTRE = LatLon(51.5, -3.0)
Way = tuple[str, Mapping[str, str]]


def at(east_m: float, north_m: float) -> LatLon:
    """The place so many metres from the middle of the test map."""
    degree_m = math.radians(1) * EARTH_RADIUS_M
    return LatLon(CENTRE.lat + north_m / degree_m, CENTRE.lon + east_m / degree_m / math.cos(math.radians(CENTRE.lat)))


def write_osm(
    file: Path,
    corners: Mapping[str, tuple[float, float]],
    ways: Sequence[Way],
    corner_tags: Mapping[str, Mapping[str, str]] | None = None,
    *,
    ways_first: bool = False,
) -> Path:
    """Write an `.osm` file.

    Args:
        corners: metres east and north by one-letter name; a letter that a way uses but that is not here is a node
            which the extract does not hold.
        ways: the letters of the corners that a way joins, and its tags.
        corner_tags: tags of some corners.
    """

    def tags(values: Mapping[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in values.items())

    nodes = ""
    for name, metres in corners.items():
        place, more = at(*metres), tags((corner_tags or {}).get(name, {}))
        nodes += f'<node id="{ord(name)}" version="1" lat="{place.lat:.7f}" lon="{place.lon:.7f}">{more}</node>\n'
    lines = "".join(
        f'<way id="{number}" version="1">'
        + "".join(f'<nd ref="{ord(name)}"/>' for name in names)
        + f"{tags(values)}</way>\n"
        for number, (names, values) in enumerate(ways, start=1)
    )
    body = lines + nodes if ways_first else nodes + lines
    file.write_text(f'<?xml version="1.0"?>\n<osm version="0.6">\n{body}</osm>\n', encoding="utf-8")
    return file


@st.composite
def towns(draw: st.DrawFn) -> tuple[nx.MultiDiGraph, list[LatLon]]:
    """Up to twelve corners, some streets one-way, some parallel, some loops, often several islands."""
    metres = st.integers(-1000, 1000)
    corners = draw(st.lists(st.tuples(metres, metres), min_size=2, max_size=12, unique=True))
    corner = st.integers(0, len(corners) - 1)
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for name, (east, north) in enumerate(corners):
        signal = {"highway": "traffic_signals"} if draw(st.booleans()) else {}
        graph.add_node(name, x=at(east, north).lon, y=at(east, north).lat, **signal)
    kinds = st.sampled_from(["primary", "residential", "service"])
    streets = draw(st.lists(st.tuples(corner, corner, kinds, st.booleans()), min_size=1, max_size=20))
    for u, v, kind, oneway in streets:
        graph.add_edge(u, v, highway=kind)
        if not oneway:
            graph.add_edge(v, u, highway=kind)
    shares = st.tuples(st.sampled_from(streets), st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0]), st.integers(-9, 9))
    places = []
    for (u, v, *_), share, beside in draw(st.lists(shares, min_size=2, max_size=6)):
        east, north = (a + share * (b - a) for a, b in zip(corners[u], corners[v], strict=True))
        places.append(at(east + beside, north))
    return graph, places
