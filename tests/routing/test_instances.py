"""Published problems are read as they say, judged by their own numbers, and refused with file, line and field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routing.errors import InstanceError, ProblemError
from routing.instances.euclidean import Instance
from routing.instances.field import field_week
from routing.instances.prizes import read_pcvrptw, read_routes
from routing.instances.solomon import read_vrptw
from routing.judging import as_driven, verdict
from routing.problem import MAX_TIME_S
from routing.solver import SearchLimits, solve

BENCHMARKS = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"

VRPTW = """tiny

VEHICLE
NUMBER     CAPACITY
  2         15

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0       0        0       0           100       0
    1      1       1        10      0           50        10
    2      2       2        10      0           50        10
    3      3       4        5       20          30        10
"""

PCVRPTW = """NAME : tiny
TYPE : PCVRPTW
DIMENSION : 3
VEHICLES : 1
CAPACITY : 10
SERVICE_TIME : 5
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 1 1
3 3 4
DEMAND_SECTION
1 0
2 6
3 6
TIME_WINDOW_SECTION
1 0 100
2 0 90
3 10 20
PRIZE_SECTION
1 0
2 1.25
3 40
DEPOT_SECTION
1
-1
EOF
"""


@pytest.fixture
def vrptw(tmp_path: Path) -> Instance:
    return read_vrptw(written(tmp_path / "tiny.txt", VRPTW))


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8", newline="")
    return file


def test_a_file_of_solomon_is_a_problem_in_thousandths_with_its_fleet_windows_and_loads(vrptw: Instance) -> None:
    problem = vrptw.problem
    assert [shift.capacity for shift in problem.shifts] == [15, 15]
    assert problem.seconds[0] == [0, 1414, 2828, 5000]
    assert [job.demand for job in problem.jobs] == [10, 10, 5]
    assert all(job.mandatory for job in problem.jobs)
    assert (problem.jobs[2].windows[0].start_s, problem.jobs[2].windows[0].end_s) == (20_000, 30_000)


def test_its_cost_is_the_true_distance_and_everything_broken_is_told(vrptw: Instance) -> None:
    assert vrptw.cost_of([[1], [2, 3]]) == pytest.approx(2 * 2**0.5 + 8**0.5 + 5**0.5 + 5)
    assert vrptw.broken_by([[1], [2, 3]]) == []
    assert vrptw.broken_by([[1, 2], [3]]) == ["route 1: a load of 20, at most 15"]
    assert vrptw.broken_by([[3, 1], [2]]) == []
    assert vrptw.broken_by([[3], [1], [2]]) == ["3 vehicles drive, and there are 2"]
    assert vrptw.broken_by([[1], [3, 3]]) == ["customer 3 is visited 2 times", "customer 2 is not visited"]
    assert vrptw.broken_by([[1], [4]]) == ["there is no customer 4"]


def test_who_comes_late_is_told_by_how_much(tmp_path: Path) -> None:
    hurried = VRPTW.replace("20          30 ", "0           5  ")
    instance = read_vrptw(written(tmp_path / "tiny.txt", hurried))
    [sentence] = instance.broken_by([[1, 3], [2]])  # 1.41 there, 10 of service, 3.61 onward, and 5 is the last moment
    assert sentence.startswith("route 1: 10.0")
    assert sentence.endswith("late at customer 3")
    assert instance.broken_by([[3, 1], [2]]) == []


def test_what_is_best_known_stands_beside_or_above_the_file_and_distance_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "solomon"
    folder.mkdir()
    file = written(folder / "Tiny.txt", VRPTW)
    assert read_vrptw(file).best_known is None
    known = {"tiny": {"best_known_cost": 17.0}, "other": {"best_known_cost": 1}}
    written(tmp_path / "best_known.json", json.dumps(known))
    assert (read_vrptw(file).best_known, read_vrptw(file).best_known_of) == (17.0, "vehicles")
    written(tmp_path / "best_known.json", json.dumps(known | {"Tiny_distance": {"best_known_cost": 16.0}}))
    assert (read_vrptw(file).best_known, read_vrptw(file).best_known_of) == (16.0, "distance")
    written(tmp_path / "best_known.json", "[1]")
    with pytest.raises(InstanceError, match=r"best_known\.json"):
        read_vrptw(file)


def test_prizes_and_everything_else_count_ten_times_and_are_cut(tmp_path: Path) -> None:
    instance = read_pcvrptw(written(tmp_path / "tiny.vrp", PCVRPTW))
    written(tmp_path / "tiny.sol", "Route #1: 2\nCost 112\n")
    assert instance.problem.seconds[0] == [0, 14, 50]
    assert [job.penalty_s for job in instance.problem.jobs] == [12, 400]
    assert [job.service_s for job in instance.problem.jobs] == [50, 50]
    assert instance.cost_of([[2]]) == 100 + 12
    assert instance.broken_by([[2]]) == []
    assert instance.broken_by([[1, 2]]) == ["route 1: a load of 12, at most 10"]
    assert read_pcvrptw(tmp_path / "tiny.vrp").best_known == 112


def test_what_the_solver_finds_is_judged_the_same_by_both(vrptw: Instance) -> None:
    solution = solve(vrptw.problem, SearchLimits(work=2))
    routes = vrptw.routes_of(solution)
    assert verdict(vrptw.problem, solution).violations == ()
    assert vrptw.broken_by(routes) == []
    assert vrptw.cost_of(routes) == pytest.approx(2 * 2**0.5 + 8**0.5 + 5**0.5 + 5)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("VEHICLE\n", "", "tiny.txt: line 3: 'NUMBER     CAPACITY' stands where VEHICLE should"),
        ("  2         15", "  2", "line 5: CAPACITY is missing"),
        ("  2         15", "  2000000 15", "line 5: NUMBER is 2000000, not between 1 and"),
        ("  2         15", "  two 15", "line 5: NUMBER is 'two', not a number"),
        ("  2         15", "  1.5 15", "line 5: NUMBER is 1.5, not a whole number"),
        ("20          30        10", "20          30", "line 13: SERVICE TIME is missing"),
        ("20          30        10", "30          20        10", "line 13: READY TIME 30 is after DUE DATE 20"),
        ("20          30        10", "nan         30        10", "line 13: READY TIME is 'nan', not a number"),
        ("20          30        10", "20          1e400     10", "line 13: DUE DATE is 1e400, not between"),
        ("20          30        10", "20          30        10 7", "line 13: '7' stands after SERVICE TIME"),
        ("    3      3 ", "    4      3 ", "line 13: CUST NO is 4, where 3 comes next"),
        ("10      0           50        10\n    3", "-1 0 50 10\n    3", "line 12: DEMAND is -1, not between"),
        ("tiny\n", "ti\0ny\n", "line 1: holds a NUL byte"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in VRPTW
    with pytest.raises(InstanceError) as refused:
        read_vrptw(written(tmp_path / "tiny.txt", VRPTW.replace(before, after)))
    assert message in str(refused.value)


@pytest.mark.parametrize("lines", range(10))
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, lines: int) -> None:
    with pytest.raises(InstanceError, match=r"tiny.txt: ends before"):
        read_vrptw(written(tmp_path / "tiny.txt", "\n".join(VRPTW.splitlines()[:lines])))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("DIMENSION : 3\n", "", "DIMENSION is missing"),
        ("DIMENSION : 3", "DIMENSION : 1000000000", "line 3: DIMENSION is 1000000000, not between"),
        ("DIMENSION : 3", "DIMENSION : 4", "NODE_COORD_SECTION has 3 of 4 nodes"),
        ("DIMENSION : 3", "DIMENSION : 2", "line 11: NODE_COORD_SECTION has more than 2 nodes"),
        ("EUC_2D", "GEO", "line 7: EDGE_WEIGHT_TYPE is 'GEO', not EUC_2D"),
        ("3 10 20", "3 20 10", "line 19: opens at 20, after it closes at 10"),
        ("3 10 20", "3 10", "line 19: closes is missing"),
        ("2 1.25", "2 lots", "line 22: prize is 'lots', not a number"),
        ("1 0 100", "1 0 0", "the depot closes at 0"),
        ("TYPE : PCVRPTW", "TYPE PCVRPTW", "line 2: 'TYPE PCVRPTW' is neither a header nor a section"),
    ],
)
def test_a_section_that_is_wrong_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in PCVRPTW
    with pytest.raises(InstanceError) as refused:
        read_pcvrptw(written(tmp_path / "tiny.vrp", PCVRPTW.replace(before, after)))
    assert message in str(refused.value)


def test_other_bytes_than_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture.txt"
    file.write_bytes(b"\x89PNG\xff\xfe")
    for read in (read_vrptw, read_pcvrptw):
        with pytest.raises(InstanceError, match=r"picture\.txt: is not UTF-8 text"):
            read(file)


@pytest.mark.parametrize("text", ["Route #1: 1 x\nCost 1", "Route #1: 1", "Rout 1\nCost 3", "Cost: much"])
def test_a_solution_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InstanceError, match=r"x\.sol: "):
        read_routes(written(tmp_path / "x.sol", text))


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="the shared data is not beside this checkout")
@pytest.mark.parametrize("name", ["C1_10_1", "C2_10_3", "R1_10_1", "R2_10_4", "RC1_10_5", "RC2_10_2"])
def test_published_routes_cost_exactly_what_is_published_and_break_nothing(name: str) -> None:
    instance = read_pcvrptw(BENCHMARKS / "pcvrptw" / f"{name}.vrp")
    routes, cost = read_routes(BENCHMARKS / "pcvrptw" / f"{name}.sol")
    assert instance.cost_of(routes) == cost == instance.best_known
    assert instance.broken_by(routes) == []


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="the shared data is not beside this checkout")
def test_published_routes_keep_the_rules_of_the_problem_too() -> None:
    instance = read_pcvrptw(BENCHMARKS / "pcvrptw" / "R2_10_4.vrp")
    routes, cost = read_routes(BENCHMARKS / "pcvrptw" / "R2_10_4.sol")
    sequences = {f"vehicle{k}": [str(number) for number in route] for k, route in enumerate(routes, start=1)}
    found = verdict(instance.problem, as_driven(instance.problem, sequences))
    assert (found.cost_s, found.violations) == (cost, ())


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="the shared data is not beside this checkout")
def test_every_published_file_is_a_problem_within_the_limits() -> None:
    files = sorted((BENCHMARKS / "solomon").glob("*.txt")) + sorted((BENCHMARKS / "homberger").glob("*.txt"))
    assert len(files) == 12
    for file in files:
        instance = read_vrptw(file)
        assert instance.best_known is not None
        assert instance.parts == 1_000
        assert instance.places[0].closes * instance.parts <= MAX_TIME_S


def test_one_seed_gives_the_same_field_week_with_and_without_breaks() -> None:
    week, rested = (field_week(3, 2, 3, 20, 4, breaks) for breaks in (False, True))
    assert week == field_week(3, 2, 3, 20, 4, False)
    assert week != field_week(4, 2, 3, 20, 4, False)
    assert week.seconds == rested.seconds
    assert all(shift.break_ for shift in rested.shifts)
    assert not any(shift.break_ for shift in week.shifts)
    assert sum(job.mandatory for job in week.jobs) == 4


@pytest.mark.parametrize("numbers", [(0, 5, 800, 100), (10, 0, 1, 0), (10, 5, 10**9, 0), (10, 5, 3, 4), (-1, 5, 3, 1)])
def test_numbers_that_make_no_week_are_refused(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ProblemError, match="a field week: "):
        field_week(1, *numbers, False)
