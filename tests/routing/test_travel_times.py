from pathlib import Path

import numpy as np
import pytest

from routing.errors import PointsError, RoutingError
from routing.geo import LatLon, great_circle_m
from routing.matrix_file import read_points, write_matrix
from routing.problem import UNREACHABLE
from routing.travel_times import Fan, GreatCircleTravelTimes, LegPath, PlainFan, TravelTimes

CARDIFF, NEWPORT, BRISTOL = LatLon(51.4816, -3.1791), LatLon(51.5842, -2.9977), LatLon(51.4545, -2.5879)


def square(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.int32)


class IslandSource:
    """Knows that only the first two places are joined."""

    def travel_times(self, places: list[LatLon]) -> TravelTimes:
        seconds = np.full((len(places), len(places)), UNREACHABLE, dtype=np.int32)
        np.fill_diagonal(seconds, 0)
        seconds[0, 1], seconds[1, 0] = 60, 70
        return TravelTimes(seconds, np.where(seconds > 0, seconds * 10, seconds).astype(np.int32))

    def fan(self, places: list[LatLon]) -> Fan:
        return PlainFan(self, places)

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        raise NotImplementedError


def test_an_unreachable_pair_is_said_to_be_unreachable() -> None:
    times = TravelTimes(square((0, UNREACHABLE), (5, 0)), square((0, UNREACHABLE), (50, 0)))
    assert not times.reachable(0, 1)
    assert times.reachable(1, 0)


@pytest.mark.parametrize(
    ("seconds", "metres"),
    [
        (square((0, 1)), square((0, 1))),
        (square((0, 1), (1, 0)), square((0,))),
        (square((0, -2), (1, 0)), square((0, 1), (1, 0))),
        (square((1, 1), (1, 0)), square((0, 1), (1, 0))),
        (square((0, UNREACHABLE), (1, 0)), square((0, 1), (1, 0))),
        (np.zeros((1, 1)), square((0,))),
    ],
)
def test_travel_times_that_contradict_themselves_are_refused(seconds: np.ndarray, metres: np.ndarray) -> None:
    with pytest.raises(RoutingError):
        TravelTimes(seconds, metres)


def test_travel_times_cannot_be_changed() -> None:
    times = TravelTimes(square((0,)), square((0,)))
    with pytest.raises(ValueError, match="read-only"):
        times.seconds[0, 0] = 1


def test_without_streets_the_crow_makes_a_detour() -> None:
    source = GreatCircleTravelTimes(kmh=36, detour=1.5)
    times = source.travel_times([CARDIFF, NEWPORT, BRISTOL, CARDIFF])
    crow = great_circle_m(CARDIFF, NEWPORT) * 1.5
    assert times.metres[0, 1] == round(crow)
    assert 0 <= times.seconds[0, 1] - crow / 10 < 1
    assert times.seconds[0, 3] == times.metres[0, 3] == 0
    leg = source.leg(CARDIFF, NEWPORT)
    assert leg == LegPath(int(times.seconds[0, 1]), int(times.metres[0, 1]), (CARDIFF, NEWPORT))
    assert source.travel_times([]).seconds.shape == (0, 0)


@pytest.mark.parametrize("settings", [{"kmh": 0}, {"kmh": float("nan")}, {"detour": 0.9}])
def test_a_crow_that_stands_still_or_takes_short_cuts_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(RoutingError):
        GreatCircleTravelTimes(**settings)


def test_a_matrix_file_has_every_pair_and_empty_cells_where_no_way_leads(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("\ufeffnote,id,lat,lon\nx,a,51.5,-3\ny,b,51.6,-3\nz,=c(),51.7,-3\n", encoding="utf-8")
    assert write_matrix(points, tmp_path / "out.csv", IslandSource()) == (9, 4)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines() == [
        "from_id,to_id,seconds,metres",
        "a,a,0,0",
        "a,b,60,600",
        "a,=c(),,",
        "b,a,70,700",
        "b,b,0,0",
        "b,=c(),,",
        "=c(),a,,",
        "=c(),b,,",
        "=c(),=c(),0,0",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: no column id, lat, lon"),
        (b"id,lat\na,1\n", "line 1: no column lon"),
        (b"id,lat,lon\n", "holds no points"),
        (b"id,lat,lon\na,north,2\n", "line 2: lat 'north' of 'a' is not a number"),
        (b"id,lat,lon\na,1,2\nb,1\n", "line 3: lon '' of 'b' is not a number"),
        (b"id,lat,lon\na,91,2\n", "line 2: latitude 91.0"),
        (b"id,lat,lon\na,1,nan\n", "line 2: longitude nan"),
        (b"id,lat,lon\na,1,2\nb,1,2\na,1,3\n", "line 4: id 'a' is already on line 2"),
        (b"id,lat,lon\n ,1,2\n", "line 2: id is missing"),
        (b"id,lat,lon\n\xff\xfe,1,2\n", "not UTF-8 text"),
        (b'id,lat,lon\n"a,1,2\n', "line 2: unexpected end of data"),
        (b"id,lat,lon\n" + b"a" * 200_000 + b",1,2\n", "line 2: field larger than field limit"),
    ],
)
def test_a_bad_points_file_is_refused_by_line_and_field(tmp_path: Path, content: bytes, message: str) -> None:
    points, out = tmp_path / "points.csv", tmp_path / "out.csv"
    points.write_bytes(content)
    with pytest.raises(PointsError) as caught:
        write_matrix(points, out, GreatCircleTravelTimes())
    assert message in str(caught.value)
    assert str(points) in str(caught.value)
    assert not out.exists()


def test_all_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("id,lat,lon\na,x,2\nb,1,2\nc,1,y\n", encoding="utf-8")
    with pytest.raises(PointsError) as caught:
        read_points(points)
    assert [line.rpartition("line ")[2][0] for line in str(caught.value).splitlines()] == ["2", "4"]


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(PointsError, match="cannot be read"):
        read_points(tmp_path / "none.csv")
    points = tmp_path / "points.csv"
    points.write_text("id,lat,lon\na,1,2\n", encoding="utf-8")
    with pytest.raises(PointsError, match="cannot be written"):
        write_matrix(points, tmp_path / "no" / "out.csv", GreatCircleTravelTimes())
