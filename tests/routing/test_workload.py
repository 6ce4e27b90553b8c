"""The driving of a month: what is known of it on a map that can be reckoned by hand, and what holds on any."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street_maps import at

from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.travel_times import Fan, GreatCircleTravelTimes, LegPath, PlainFan, TravelTimes
from routing.workload import WEEKS_A_MONTH, Base, MonthlyVisits, estimating, workload
from routing.workload.estimating import parts_of
from routing.workload.touring import days_of, giant_tour

HOME = at(0, 0)
PLAIN = GreatCircleTravelTimes(kmh=36, detour=1)
"""Ten metres a second, as the crow flies."""
HOUR = 3600


@dataclass(frozen=True)
class Islands:
    """Plain ways, but none from one bank of the meridian through `at(5_000, 0)` to the other."""

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        times = PLAIN.travel_times(places)
        east = np.array([place.lon > at(5_000, 0).lon for place in places])
        across = east[:, None] != east
        return TravelTimes(*(np.where(across, np.int32(UNREACHABLE), v) for v in (times.seconds, times.metres)))

    def fan(self, places: Sequence[LatLon]) -> Fan:
        return PlainFan(self, tuple(places))

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        return PLAIN.leg(origin, destination)


def base(hours: float = 8, most_visits: int | None = None) -> Base:
    return Base(HOME, HOME, round(hours * HOUR), most_visits)


def weekly(key: str, place: LatLon, times: float = WEEKS_A_MONTH, service_s: int = HOUR) -> MonthlyVisits:
    return MonthlyVisits(key, "ada", place, times, service_s)


def test_one_place_visited_every_week_takes_the_way_there_and_back() -> None:
    found = workload({"ada": base()}, [weekly("mill", at(3_000, 0))], PLAIN)
    load = found.loads["ada"]
    assert load.drive_s == pytest.approx(WEEKS_A_MONTH * 600, rel=0.01)
    assert (load.visits, load.days) == pytest.approx((WEEKS_A_MONTH, WEEKS_A_MONTH))
    assert load.service_s == pytest.approx(WEEKS_A_MONTH * HOUR)
    assert found.drive_s["mill"] == pytest.approx(600, abs=2)


def test_two_places_on_one_road_share_the_way() -> None:
    together = workload({"ada": base()}, [weekly("mill", at(3_000, 0)), weekly("forge", at(3_600, 0))], PLAIN)
    assert together.loads["ada"].drive_s == pytest.approx(WEEKS_A_MONTH * 720, rel=0.01)
    assert together.loads["ada"].days == pytest.approx(WEEKS_A_MONTH)


def test_what_does_not_fit_into_a_day_takes_another_one() -> None:
    visits = [weekly("mill", at(3_000, 0)), weekly("forge", at(3_600, 0))]
    for short in (base(hours=1.5), base(most_visits=1)):
        load = workload({"ada": short}, visits, PLAIN).loads["ada"]
        assert load.days == pytest.approx(2 * WEEKS_A_MONTH)
        assert load.drive_s == pytest.approx(WEEKS_A_MONTH * (600 + 720), rel=0.01)


def test_a_visit_that_is_too_long_for_any_day_is_still_counted() -> None:
    load = workload({"ada": base(hours=0.5)}, [weekly("mill", at(3_000, 0))], PLAIN).loads["ada"]
    assert load.days == pytest.approx(WEEKS_A_MONTH)


def test_a_place_visited_twice_a_week_is_visited_on_two_days() -> None:
    load = workload({"ada": base()}, [weekly("mill", at(3_000, 0), 2 * WEEKS_A_MONTH)], PLAIN).loads["ada"]
    assert load.days == pytest.approx(2 * WEEKS_A_MONTH)


def test_a_place_visited_once_a_quarter_takes_its_part_of_the_driving() -> None:
    found = workload({"ada": base()}, [weekly("mill", at(3_000, 0), WEEKS_A_MONTH / 12)], PLAIN)
    assert found.loads["ada"].drive_s == pytest.approx(WEEKS_A_MONTH / 12 * 600, rel=0.01)


def test_a_place_that_is_hardly_ever_visited_has_a_share_as_well() -> None:
    found = workload({"ada": base()}, [weekly("mill", at(3_000, 0)), weekly("barn", at(3_000, 9), 0.001)], PLAIN)
    assert found.drive_s["barn"] > 0


def test_a_place_that_no_street_reaches_is_listed_and_costs_nothing() -> None:
    visits = [weekly("mill", at(3_000, 0)), weekly("isle", at(9_000, 0))]
    found = workload({"ada": base()}, visits, Islands())
    assert found.unreachable == ("isle",)
    assert set(found.drive_s) == {"mill"}
    assert found.loads == workload({"ada": base()}, visits[:1], Islands()).loads


def test_nobody_without_visits_drives() -> None:
    load = workload({"ada": base()}, [], PLAIN).loads["ada"]
    assert (load.visits, load.needed_s, load.days) == (0, 0, 0)


def test_a_visit_to_the_doorstep_takes_no_driving() -> None:
    found = workload({"ada": base()}, [weekly("home", HOME)], PLAIN)
    assert found.drive_s == {"home": 0}


def test_visits_are_of_an_owner_with_a_base_and_have_one_key_each() -> None:
    with pytest.raises(RoutingError, match="has no base"):
        workload({}, [weekly("mill", HOME)], PLAIN)
    with pytest.raises(RoutingError, match="twice"):
        workload({"ada": base()}, [weekly("mill", HOME), weekly("mill", HOME)], PLAIN)


@pytest.mark.parametrize("wrong", [{"day_s": 0}, {"most_visits": 0}])
def test_a_day_in_which_nothing_can_be_done_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(RoutingError):
        replace(base(), **wrong)


@dataclass
class Counted:
    """Plain ways, and of how many places at once they were asked for at most."""

    most: int = 0

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        self.most = max(self.most, len(places))
        return PLAIN.travel_times(places)

    def fan(self, places: Sequence[LatLon]) -> Fan:
        return PlainFan(self, tuple(places))

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        return PLAIN.leg(origin, destination)


def scattered(number: int) -> list[MonthlyVisits]:
    metres = np.random.default_rng(3).integers(-9_000, 9_000, (number, 2)).tolist()
    return [weekly(str(k), at(east, north), 1.0, 1_800) for k, (east, north) in enumerate(metres)]


def test_of_very_many_places_only_so_many_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = scattered(400)
    whole = workload({"ada": base()}, visits, PLAIN)
    monkeypatch.setattr(estimating, "MOST_PLACES", 120)
    counted = Counted()
    parts = workload({"ada": base()}, visits, counted)
    assert counted.most <= 120 + 2
    assert parts.drive_s.keys() == whole.drive_s.keys()
    load = parts.loads["ada"]
    assert (load.visits, load.service_s) == pytest.approx((400, 400 * 1_800))
    assert load.drive_s == pytest.approx(whole.loads["ada"].drive_s, rel=0.15)
    assert sum(parts.drive_s.values()) == pytest.approx(load.drive_s)


def test_very_many_visits_at_one_place_are_parted_as_well() -> None:
    parts = parts_of([weekly(str(k), HOME) for k in range(50)], 10)
    assert max(map(len, parts)) <= 10
    assert sorted(int(visit.key) for part in parts for visit in part) == list(range(50))


METRES = st.tuples(st.integers(-9_000, 4_000), st.integers(-9_000, 9_000))
VISITS = st.lists(st.tuples(METRES, st.sampled_from([0.1, 1.09, 2.17, 6.0]), st.integers(0, 7_200)), max_size=25)


@settings(deadline=None, max_examples=20)
@given(VISITS, st.sampled_from([None, 1, 3]), st.integers(1, 9))
def test_shares_sum_up_to_the_driving_and_everything_is_the_same_twice(
    drawn: list[tuple[tuple[int, int], float, int]], most_visits: int | None, hours: int
) -> None:
    visits = [weekly(str(k), at(*metres), times, s) for k, (metres, times, s) in enumerate(drawn)]
    found = workload({"ada": base(hours, most_visits)}, visits, PLAIN)
    shares = sum(found.drive_s[visit.key] * visit.times_a_month for visit in visits)
    assert shares == pytest.approx(found.loads["ada"].drive_s)
    assert found == workload({"ada": base(hours, most_visits)}, visits, PLAIN)


@settings(deadline=None, max_examples=60)
@given(st.lists(METRES, min_size=1, max_size=6, unique=True), st.integers(1, 3), st.integers(0, 99))
def test_cuts_of_a_tour_are_the_best_there_are(metres: list[tuple[int, int]], most: int, seed: int) -> None:
    seconds = PLAIN.travel_times([HOME, *(at(*m) for m in metres)]).seconds.astype(np.float64)
    n = len(metres)
    service = np.random.default_rng(seed).integers(600, 6_000, n).astype(np.float64)
    between, out, back = seconds[1:, 1:], seconds[0, 1:], seconds[1:, 0]
    tour = giant_tour(seconds)[1:] - 1

    def drive(day: Sequence[int]) -> float:
        return float(out[day[0]] + sum(between[a, b] for a, b in itertools.pairwise(day)) + back[day[-1]])

    def fits(day: Sequence[int]) -> bool:
        return len(day) == 1 or (len(day) <= most and drive(day) + service[list(day)].sum() <= 2 * HOUR)

    days = days_of(tour, between, out, back, service, 2 * HOUR, most)
    assert np.concatenate(days).tolist() == tour.tolist()
    assert all(fits(day) for day in days)
    cuts = itertools.chain.from_iterable(itertools.combinations(range(1, n), k) for k in range(n))
    ways = ([tour[a:b] for a, b in itertools.pairwise((0, *cut, n))] for cut in cuts)
    least = min(sum(map(drive, way)) for way in ways if all(map(fits, way)))
    assert sum(map(drive, days)) == pytest.approx(least)


@settings(deadline=None, max_examples=40)
@given(st.lists(METRES, min_size=1, max_size=7, unique=True))
def test_a_giant_tour_is_nearly_the_shortest_of_a_few_places(metres: list[tuple[int, int]]) -> None:
    seconds = PLAIN.travel_times([HOME, *(at(*m) for m in metres)]).seconds.astype(np.float64)

    def length(tour: Sequence[int]) -> float:
        return float(sum(seconds[a, b] for a, b in itertools.pairwise((*tour, tour[0]))))

    tour = giant_tour((seconds + seconds.T) / 2)
    assert sorted(tour.tolist()) == list(range(len(metres) + 1))
    best = min(length((0, *rest)) for rest in itertools.permutations(range(1, len(metres) + 1)))
    assert length(tour.tolist()) <= 1.1 * best + len(metres)


def test_a_tour_of_many_places_visits_each_once_and_is_short() -> None:
    places = np.random.default_rng(1).uniform(0, 1_000, (700, 2))
    between = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    tour = giant_tour(between)
    assert sorted(tour.tolist()) == list(range(700))
    length = between[tour, np.roll(tour, -1)].sum()
    assert length < 0.7124 * (700 * 1_000**2) ** 0.5 * 1.25  # of random points; the edge adds some
