import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from street_maps import Way, at, write_osm

from routing.errors import AreaError, ExtractError, RoutingError, UnreachableError
from routing.extract import read_graph
from routing.geo import great_circle_m
from routing.problem import UNREACHABLE
from routing.speeds import DEFAULT, Slowdown, SpeedTable, posted_kmh
from routing.streets import StreetNetwork, network

ROAD = {"highway": "residential"}
ONE_WAY = ROAD | {"oneway": "yes"}
YARD = {"highway": "service", "access": "private"}
PLAIN = SpeedTable(
    class_kmh={"residential": 36.0, "service": 36.0, "primary": 36.0},
    time_factor=1.0,
    join_s=0.0,
    equal_s=0.0,
    pass_s=0.0,
    signal_s=0.0,
    access_s=0.0,
)
"""Ten metres a second and no delays, so that metres can be checked by head."""

LADDER = {"a": (0, 0), "b": (1000, 0), "c": (1000, 500), "d": (0, 500)}


def streets(
    folder: Path,
    corners: Mapping[str, tuple[float, float]],
    ways: Sequence[Way],
    corner_tags: Mapping[str, Mapping[str, str]] | None = None,
    speeds: SpeedTable = PLAIN,
) -> StreetNetwork:
    return StreetNetwork.compile(read_graph(write_osm(folder / "x.osm", corners, ways, corner_tags)), speeds)


def seconds(town: StreetNetwork, *places: tuple[float, float]) -> list[list[int]]:
    answer: list[list[int]] = town.travel_times([at(*place) for place in places]).seconds.tolist()
    return answer


def test_a_place_is_snapped_to_the_nearest_point_on_a_street(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD), ("bc", ROAD)])
    snap, corner, nothing = town.snap([at(250, 30), at(1100, -100), at(0, 600)])
    assert snap is not None
    assert corner is not None
    assert snap.distance_m == pytest.approx(30, abs=0.1)
    assert great_circle_m(snap.point, at(250, 0)) < 0.1
    assert snap.fraction == pytest.approx(0.25, abs=0.001) or snap.fraction == pytest.approx(0.75, abs=0.001)
    assert corner.distance_m == pytest.approx(math.hypot(100, 100), abs=0.3)
    assert nothing is None
    assert town.snap([at(250, 30)], max_distance_m=29) == [None]
    assert town.snap([]) == []


@pytest.mark.parametrize("tags", [ROAD | {"tunnel": "yes"}, {"highway": "motorway"}, {"highway": "motorway_link"}])
def test_nobodys_door_is_in_a_tunnel_or_on_a_motorway(tmp_path: Path, tags: dict[str, str]) -> None:
    town = streets(tmp_path, LADDER, [("ab", tags), ("bc", ROAD), ("cd", ROAD), ("da", ROAD)])
    (snap,) = town.snap([at(400, 10)])
    assert snap is not None
    assert great_circle_m(snap.point, at(0, 10)) < 0.1


def test_a_passage_through_a_house_has_doors(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD | {"tunnel": "building_passage"}), ("bc", ROAD)])
    (snap,) = town.snap([at(400, 10)])
    assert snap is not None
    assert snap.distance_m == pytest.approx(10, abs=0.1)


def test_a_place_without_a_street_is_unreachable_and_0_from_itself(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD)])
    assert seconds(town, (100, 0), (100, 2000)) == [[0, UNREACHABLE], [UNREACHABLE, 0]]
    assert town.travel_times([]).seconds.shape == (0, 0)


def test_a_trip_starts_and_ends_halfway_along_streets(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD), ("bc", ROAD)])
    times = town.travel_times([at(400, 10), at(1010, 300)])
    assert times.seconds[0, 1] == times.seconds[1, 0] == 90
    assert times.metres[0, 1] == times.metres[1, 0] == 900


def test_two_places_on_one_street_need_not_go_to_its_end(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD)])
    assert seconds(town, (200, 0), (500, 9)) == [[0, 30], [30, 0]]


def test_backwards_along_a_one_way_street_is_once_around(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ONE_WAY), ("bcda", ROAD)])
    assert seconds(town, (200, 0), (500, 0)) == [[0, 30], [270, 0]]
    leg = town.leg(at(500, 0), at(200, 0))
    assert (leg.seconds, leg.metres) == (270, 2700)
    assert great_circle_m(leg.points[1], at(1000, 0)) < 0.1


def test_driving_around_beats_a_street_that_is_slower_between_two_places_on_it(tmp_path: Path) -> None:
    ways = [("ab", ROAD | {"maxspeed": "5"}), ("bcda", ROAD)]
    corners = LADDER | {"c": (1000, 50), "d": (0, 50)}
    town = streets(tmp_path, corners, ways, speeds=SpeedTable(limit_share=1.0, access_s=0.0))
    direct_s = 900 / 5 * 3.6 * 0.97
    assert seconds(town, (50, 0), (950, 0))[0][1] < direct_s / 2


def test_equal_places_are_0_apart_and_neighbours_pay_for_parking_twice(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD)], speeds=DEFAULT)
    assert seconds(town, (200, 10), (200, 10), (200, -10)) == [[0, 0, 12], [0, 0, 12], [12, 12, 0]]


def test_a_private_yard_is_reached_but_not_driven_through(tmp_path: Path) -> None:
    corners = LADDER | {"e": (500, 0), "f": (500, 500)}
    ways = [("aeb", ROAD), ("bc", ROAD), ("cfd", ROAD), ("da", ROAD), ("ef", YARD)]
    town = streets(tmp_path, corners, ways)
    yard, south, north = (500, 250), (400, 0), (400, 500)
    times = seconds(town, yard, south, north)
    assert times[0][1] == times[1][0] == 35
    assert times[0][2] == times[2][0] == 35
    assert times[1][2] == times[2][1] == 130
    assert len(town.leg(at(*south), at(*yard)).points) == 3


def test_two_private_yards_are_joined_by_the_public_street(tmp_path: Path) -> None:
    corners = LADDER | {"e": (300, 0), "f": (300, 100), "g": (700, 0), "h": (700, 100)}
    town = streets(tmp_path, corners, [("aegb", ROAD), ("ef", YARD), ("gh", YARD)])
    times = town.travel_times([at(300, 100), at(700, 100)])
    assert times.seconds[0, 1] == times.seconds[1, 0] == 60
    leg = town.leg(at(300, 100), at(700, 100))
    assert [great_circle_m(*pair) for pair in zip(leg.points, [at(300, 100), at(300, 0)], strict=False)] < [0.1, 0.1]


def test_a_public_street_behind_a_private_gateway_is_still_reached(tmp_path: Path) -> None:
    corners = LADDER | {"e": (1000, 800)}
    town = streets(tmp_path, corners, [("ab", ROAD), ("bc", YARD), ("ce", ROAD)])
    assert seconds(town, (1000, 600), (500, 0)) == [[0, 110], [110, 0]]


def test_two_islands_stay_unreachable_from_each_other(tmp_path: Path) -> None:
    corners = LADDER | {"e": (3000, 0), "f": (4000, 0)}
    town = streets(tmp_path, corners, [("ab", ROAD), ("ef", ROAD)])
    assert seconds(town, (100, 0), (600, 0), (3500, 0)) == [
        [0, 50, UNREACHABLE],
        [50, 0, UNREACHABLE],
        [UNREACHABLE, UNREACHABLE, 0],
    ]
    with pytest.raises(UnreachableError, match="no street leads"):
        town.leg(at(100, 0), at(3500, 0))


def test_a_yard_that_nothing_joins_is_passed_over_for_the_street_beside_it(tmp_path: Path) -> None:
    corners = LADDER | {"e": (500, 30), "f": (560, 30)}
    town = streets(tmp_path, corners, [("ab", ROAD), ("ef", YARD)])
    assert seconds(town, (530, 40), (0, 0))[0][1] == 53


def test_a_small_island_far_from_every_street_is_still_an_island(tmp_path: Path) -> None:
    corners = LADDER | {"e": (500, 400), "f": (560, 400)}
    town = streets(tmp_path, corners, [("ab", ROAD), ("ef", YARD)])
    assert seconds(town, (530, 410), (0, 0))[0][1] == UNREACHABLE


def test_a_one_way_stub_off_the_edge_of_the_map_does_not_trap_a_place(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("ab", ROAD), ("bc", ONE_WAY)])
    assert seconds(town, (1005, 100), (0, 0)) == [[0, 100], [100, 0]]


def test_the_metres_are_those_of_the_fastest_way_not_of_the_shortest(tmp_path: Path) -> None:
    slow = ROAD | {"maxspeed": "5"}
    town = streets(tmp_path, LADDER, [("ab", slow), ("bcda", ROAD)], speeds=SpeedTable(access_s=0.0))
    times = town.travel_times([at(1000, 0), at(0, 0)])
    assert times.metres[0, 1] == 2000


def test_the_line_of_a_leg_follows_the_streets(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("abcd", ROAD)])
    leg = town.leg(at(100, 20), at(100, 480))
    expected = [at(100, 0), at(1000, 0), at(1000, 500), at(100, 500)]
    assert len(leg.points) == 4
    assert all(great_circle_m(*pair) < 0.1 for pair in zip(leg.points, expected, strict=True))
    assert sum(great_circle_m(*pair) for pair in itertools.pairwise(leg.points)) == pytest.approx(leg.metres, abs=1)
    assert town.leg(at(1, 1), at(1, 1)).points == (at(1, 1),)


CROSSING = {"w": (-500, 0), "m": (0, 0), "e": (500, 0), "n": (0, 500), "s": (0, -500)}


@pytest.mark.parametrize(
    ("ways", "tags", "expected_s"),
    [
        ([("wm", ROAD), ("me", ROAD)], {}, 0.0),
        ([("wm", ROAD), ("me", ROAD)], {"highway": "traffic_signals"}, 1.65),
        ([("wm", ROAD), ("me", ROAD), ("mn", ROAD)], {}, 0.98),
        ([("wm", ROAD), ("me", {"highway": "primary"}), ("mn", {"highway": "primary"})], {}, 1.64),
        ([("wm", {"highway": "primary"}), ("me", {"highway": "primary"}), ("mn", ROAD)], {}, 0.55),
        ([("wm", ROAD), ("me", ROAD), ("mn", {"highway": "service"})], {}, 0.0),
        (
            [("wm", ROAD), ("me", ROAD | {"junction": "roundabout"}), ("mn", ROAD | {"junction": "roundabout"})],
            {},
            1.64,
        ),
    ],
)
def test_junctions_and_signals_cost_time(
    tmp_path: Path, ways: list[Way], tags: dict[str, str], expected_s: float
) -> None:
    """Counted in the thousandths that the costs are kept in; the trip itself takes 100 s."""
    plain = streets(tmp_path, CROSSING, ways, {"m": tags})
    speeds = SpeedTable(class_kmh=PLAIN.class_kmh, time_factor=1.0, access_s=0.0)
    town = streets(tmp_path, CROSSING, ways, {"m": tags}, speeds)
    start, end = at(-500, 0), at(500, 0)
    ms = [int(t._costs(t.snap([start, end]))[0, 1]) >> 26 for t in (plain, town)]
    assert ms[1] - ms[0] == round(expected_s * 1000)


@pytest.mark.parametrize(
    ("maxspeed", "kmh"),
    [
        ("50", 50.0),
        ("30 mph", 30 * 1.609344),
        ("30mph", 30 * 1.609344),
        ("50 km/h", 50.0),
        ("10 knots", 18.52),
        ("none", 130.0),
        ("DE:urban", 50.0),
        ("GB:nsl_single", 60 * 1.609344),
        ("80;50", 50.0),
        ("50|80", 50.0),
        (["50", "30"], 30.0),
        (["50", "signals"], 50.0),
        ("signals", None),
        ("variable", None),
        ("0", None),
        ("9999", None),
        ("-30", None),
        ("fünfzig", None),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_posted_limits_are_understood_and_junk_is_not(maxspeed: object, kmh: float | None) -> None:
    assert posted_kmh(maxspeed) == (None if kmh is None else pytest.approx(kmh))


def test_a_street_is_driven_below_its_limit_and_by_its_class_where_none_is_posted() -> None:
    assert DEFAULT.kmh("residential", "50") == 40
    assert DEFAULT.kmh("residential", "signals") == 25
    assert DEFAULT.kmh(["primary", "residential"]) == 25
    assert DEFAULT.kmh("track") == 10
    assert DEFAULT.kmh(None) == 10


@pytest.mark.parametrize(
    "wrong", [{"class_kmh": {"primary": 0.0}}, {"limit_share": 0.0}, {"join_s": -1.0}, {"access_s": float("nan")}]
)
def test_a_speed_table_of_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RoutingError):
        SpeedTable(**wrong)  # type: ignore[arg-type]


def test_a_graph_without_streets_is_refused() -> None:
    with pytest.raises(ExtractError, match="no streets"):
        StreetNetwork.compile(nx.MultiDiGraph())


PLACES = [at(400, 10), at(1010, 300), at(100, 480)]


def test_a_saved_network_says_the_same_when_loaded(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("abcd", ROAD), ("da", YARD)])
    town.save(tmp_path / "area")
    again = StreetNetwork.load(tmp_path / "area")
    assert np.array_equal(again.travel_times(PLACES).seconds, town.travel_times(PLACES).seconds)
    assert again.leg(*PLACES[:2]) == town.leg(*PLACES[:2])
    assert [path.name for path in (tmp_path / "area").iterdir()] == ["streets.npz"]


MAIN = {"highway": "primary"}


def test_driving_takes_longer_by_the_road_and_another_way_is_taken_where_that_is_faster_then(tmp_path: Path) -> None:
    """From a to b by the main road, or around by d and c."""
    speeds = replace(PLAIN, class_kmh={"primary": 72.0, "residential": 72.0, "trunk": 72.0})
    town = streets(
        tmp_path, LADDER, [("ab", MAIN), ("bc", ROAD), ("cd", {"highway": "trunk"}), ("da", ROAD)], speeds=speeds
    )
    ends = [at(1, 0), at(999, 0)]

    def leg(by: Slowdown) -> tuple[int, int]:
        found = town.slowed(by).leg(*ends)
        times = town.slowed(by).travel_times(ends)
        assert (found.seconds, found.metres) == (times.seconds[0, 1], times.metres[0, 1])
        return found.seconds, found.metres

    assert leg(Slowdown()) == (50, 998)
    assert leg(Slowdown(motorways=3, streets=3)) == (50, 998)
    assert leg(Slowdown(main_roads=1.5)) == (75, 998)
    assert leg(Slowdown(main_roads=3)) == (101, 2002)
    assert leg(Slowdown(main_roads=3, motorways=1.2)) == (111, 2002)
    assert leg(Slowdown(main_roads=3, streets=1.2)) == (111, 2002)
    assert town.slowed(Slowdown(main_roads=3)) is town.slowed(Slowdown(main_roads=3))
    assert town.leg(*ends).seconds == 50


def test_delays_at_junctions_grow_with_the_street_that_leads_there(tmp_path: Path) -> None:
    speeds = replace(PLAIN, class_kmh={"primary": 36.0, "residential": 36.0}, join_s=10.0)
    town = streets(tmp_path, LADDER | {"e": (1000, -500)}, [("ab", ROAD), ("ebc", MAIN)], speeds=speeds)
    ends = (500, 0), (1000, 400)
    assert seconds(town, *ends)[0][1] == 50 + 10 + 40
    assert seconds(town.slowed(Slowdown(streets=2)), *ends)[0][1] == 2 * (50 + 10) + 40
    assert seconds(town.slowed(Slowdown(main_roads=2)), *ends)[0][1] == 50 + 10 + 2 * 40


def test_an_area_that_was_built_before_there_were_times_of_day_has_none(tmp_path: Path) -> None:
    town = streets(tmp_path, LADDER, [("abcd", ROAD), ("da", YARD)])
    town.save(tmp_path)
    file = tmp_path / "streets.npz"
    with np.load(file) as stored:
        np.savez(file, **{name: stored[name] for name in stored.files if name != "road"})
    before = StreetNetwork.load(tmp_path)
    assert np.array_equal(before.travel_times(PLACES).seconds, town.travel_times(PLACES).seconds)
    with pytest.raises(AreaError, match="add it again, or leave \\[traffic\\] out"):
        before.slowed(Slowdown())


def test_without_the_fast_libraries_the_plain_engine_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = streets(tmp_path, LADDER, [("abcd", ROAD), ("da", YARD)])
    fast.save(tmp_path / "fast")
    monkeypatch.setattr(network, "Hierarchy", None)
    slow = streets(tmp_path, LADDER, [("abcd", ROAD), ("da", YARD)])
    slow.save(tmp_path / "slow")
    monkeypatch.undo()
    for town in (slow, StreetNetwork.load(tmp_path / "fast"), StreetNetwork.load(tmp_path / "slow")):
        assert np.array_equal(town.travel_times(PLACES).seconds, fast.travel_times(PLACES).seconds)
        assert town.leg(*PLACES[:2]) == fast.leg(*PLACES[:2])


def test_a_missing_damaged_or_older_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AreaError, match="missing"):
        StreetNetwork.load(tmp_path)
    town = streets(tmp_path, LADDER, [("abcd", ROAD)])
    town.save(tmp_path)
    file = tmp_path / "streets.npz"
    whole = file.read_bytes()
    for damaged in (b"", b"PK", whole[: len(whole) // 2], whole.replace(b"forward_ms", b"wayward_ms"), b"\0" * 1000):
        file.write_bytes(damaged)
        with pytest.raises(AreaError, match="damaged"):
            StreetNetwork.load(tmp_path)
    for position in range(100, len(whole), 997):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            answer = StreetNetwork.load(tmp_path).travel_times(PLACES).seconds
        except AreaError:
            continue
        assert np.array_equal(answer, town.travel_times(PLACES).seconds)
    monkeypatch.setattr(network, "FORMAT", 0)
    town.save(tmp_path)
    monkeypatch.undo()
    with pytest.raises(AreaError, match="another version"):
        StreetNetwork.load(tmp_path)
