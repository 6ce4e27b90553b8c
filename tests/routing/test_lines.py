"""Lines for phones have few points and are still true to the road."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from routing.lines import METRES_PER_DEGREE, thinned

NEWPORT = (51.58, -2.99)
METRE = 1 / METRES_PER_DEGREE


def at(north_m: float, east_m: float) -> tuple[float, float]:
    lat, lon = NEWPORT
    return lat + north_m * METRE, lon + east_m * METRE / math.cos(math.radians(lat))


def test_points_that_a_straight_road_passes_anyway_are_left_out() -> None:
    line = [at(0, 0), at(50, 1), at(100, -1), at(150, 0), at(150, 200)]
    assert thinned(line, 5) == [[round(x, 5) for x in point] for point in (at(0, 0), at(150, 0), at(150, 200))]


def test_a_bend_of_more_than_the_tolerance_stays() -> None:
    assert len(thinned([at(0, 0), at(50, 6), at(100, 0)], 5)) == 3
    assert len(thinned([at(0, 0), at(50, 4), at(100, 0)], 5)) == 2
    assert len(thinned([at(0, 0), at(6, 50), at(0, 100)], 5)) == 3


def test_a_line_without_a_second_point_stays_as_it_is() -> None:
    assert thinned([], 5) == []
    assert thinned([(51.5800049, -2.9900051)], 5) == [[51.58, -2.99001]]


def test_there_and_back_is_still_there_and_back() -> None:
    assert thinned([at(0, 0), at(100, 0), at(0, 0)], 5)[1] == [round(x, 5) for x in at(100, 0)]


@given(st.lists(st.tuples(st.floats(-89, 89), st.floats(-180, 180)), min_size=2, max_size=30))
def test_the_ends_stay_where_they_are(line: list[tuple[float, float]]) -> None:
    thin = thinned(line, 5)
    for end, thin_end in ((line[0], thin[0]), (line[-1], thin[-1])):
        assert all(abs(a - b) < 2e-5 for a, b in zip(end, thin_end, strict=True))
    assert 2 <= len(thin) <= len(line)
