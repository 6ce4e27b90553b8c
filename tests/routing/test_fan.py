"""A fan of travel times says what the row and the column of the whole square would say."""

from collections.abc import Sequence

import numpy as np
import pytest

from routing.errors import RoutingError
from routing.geo import LatLon
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
