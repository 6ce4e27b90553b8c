"""Public problems, made-up weeks and exported problems at the command line; by work, so that nothing here is timed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_cast import Office, account, opportunity

from routing.peers.comparing import PEERS

VRPTW = """tiny

VEHICLE
NUMBER     CAPACITY
  2         15

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0       0        0       0           100       0
    1      3       4        10      0           50        10
    2      6       8        10      0           50        10
"""
PCVRPTW = """NAME : tiny
DIMENSION : 2
VEHICLES : 1
CAPACITY : 10
SERVICE_TIME : 5
NODE_COORD_SECTION
1 0 0
2 3 4
DEMAND_SECTION
1 0
2 6
TIME_WINDOW_SECTION
1 0 100
2 0 90
PRIZE_SECTION
1 0
2 40
"""


@pytest.fixture
def desk(tmp_path: Path) -> Office:
    """Nobody's records."""
    return Office(tmp_path)


def written(desk: Office, name: str, text: str) -> Path:
    file = desk.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_problem_of_solomon_tells_its_cost_what_is_best_known_the_gap_and_the_routes(desk: Office) -> None:
    file = written(desk, "tiny.txt", VRPTW)
    written(desk, "best_known.json", json.dumps({"tiny_distance": {"best_known_cost": 25.0}}))
    told = json.loads(desk.type("bench", "vrptw", file, "--work", 2, "--seed", 7, "--json"))
    assert told["cost"] == 30.0
    assert (told["best_known"], told["best_known_of"], told["gap"]) == (25.0, "distance", 0.2)
    assert sorted(told["routes"]) == [[1], [2]]
    assert (told["broken"], told["seed"], told["work"], told["seconds"]) == ([], 7, 2, None)
    assert "+20.00%" in desk.type("bench", "vrptw", file, "--work", 2)


def test_a_prize_collecting_problem_counts_ten_times(desk: Office) -> None:
    told = json.loads(desk.type("bench", "pcvrptw", written(desk, "tiny.vrp", PCVRPTW), "--work", 2, "--json"))
    assert (told["cost"], told["best_known"], told["gap"], told["routes"]) == (100, None, None, [[1]])


def test_both_engines_can_be_asked(desk: Office) -> None:
    file = written(desk, "tiny.txt", VRPTW)
    told = json.loads(desk.type("bench", "vrptw", file, "--work", 2, "--engine", "ortools", "--workers", 1, "--json"))
    assert (told["engine"], told["cost"]) == ("ortools", 30.0)


def test_a_file_that_is_none_is_one_line(desk: Office) -> None:
    file = written(desk, "tiny.txt", VRPTW.replace("  2         15", "  2         many"))
    assert desk.type("bench", "vrptw", file, "--work", 1, status=1) == (
        "Error: tiny.txt: line 5: CAPACITY is 'many', not a number\n"
    )
    assert "missing.txt" in desk.type("bench", "pcvrptw", desk.folder / "missing.txt", status=1)
    words = ("bench", "vrptw", file, "--work", 1)
    assert "give either" in desk.type(*words, "--seconds", 1, status=2)
    assert "peers know no --work" in desk.type(*words, "--peer", "pyvrp", status=2)


WEEK = ("bench", "field", "--reps", 2, "--days", 2, "--visits", 12, "--breaks")


def test_a_field_week_by_work_is_ours_alone_and_the_same_twice(desk: Office) -> None:
    told = json.loads(desk.type(*WEEK, "--work", 1, "--json"))
    ours = told["solvers"]["fieldvisit"]
    assert (told["reps"], told["visits"], told["breaks"], told["ratios"]) == (2, 12, True, {})
    assert (ours["violations"], ours["mandatory_left_out"]) == ([], 0)
    assert ours["cost_minutes"] == round(ours["cost_s"] / 60, 1)
    again = json.loads(desk.type(*WEEK, "--work", 1, "--json"))["solvers"]["fieldvisit"]
    assert again["cost_s"] == ours["cost_s"]
    assert "fieldvisit" in desk.type(*WEEK, "--work", 1)


@pytest.mark.slow
def test_a_field_week_is_planned_by_all_that_are_installed(desk: Office) -> None:
    for peer in PEERS:
        pytest.importorskip(peer)
    told = json.loads(desk.type(*WEEK, "--seconds", 1, "--json"))
    assert set(told["solvers"]) == {"fieldvisit", "vroom", "pyvrp"}
    assert all(solver["violations"] == [] for solver in told["solvers"].values())
    assert set(told["ratios"]) == {"vroom", "pyvrp"}
    assert told["not_compared"] == []


def test_where_no_peer_is_installed_ours_is_measured_alone(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for peer in PEERS:
        monkeypatch.setitem(sys.modules, peer, None)
    told = json.loads(desk.type(*WEEK, "--seconds", 0.2, "--json"))
    assert set(told["solvers"]) == {"fieldvisit"}
    assert told["not_compared"] == [
        "VROOM is not installed: pip install pyvroom",
        "PyVRP is not installed: pip install pyvrp",
    ]


@pytest.mark.parametrize(("option", "number"), [("--reps", 0), ("--visits", 10**9), ("--days", -1)])
def test_numbers_that_make_no_week_are_one_line(desk: Office, option: str, number: int) -> None:
    assert desk.type("bench", "field", option, number, "--work", 1, status=1).startswith("Error: a field week: ")


@pytest.fixture
def exported(desk: Office) -> Callable[..., Path]:
    """The week of three customers and a prospect, as a file."""
    desk.open()
    desk.fill([account(n) for n in range(1, 4)], [opportunity(1)])
    desk.type("geocode")

    def export(name: str = "problem.json") -> Path:
        out = desk.folder / name
        assert "4 jobs" in desk.type("problem", "export", "--out", out, "--from", "2026-11-30", "--days", 2)
        return out

    return export


def test_a_week_of_the_records_is_written_solved_and_judged(desk: Office, exported: Callable[..., Path]) -> None:
    file = exported()
    solved = desk.type("problem", "solve", file, "--work", 2, "--json")
    told = json.loads(solved)
    assert (told["violations"], told["left_out"]) == ([], [])
    routes = written(desk, "routes.json", solved)
    verdict = json.loads(desk.type("problem", "judge", file, routes, "--json"))
    assert verdict == {
        "cost_s": told["cost_s"],
        "drive_s": verdict["drive_s"],
        "jobs_done": 4,
        "mandatory_left_out": 0,
        "violations": [],
    }
    assert "4 of 4 jobs" in desk.type("problem", "judge", file, routes)


def test_routes_that_break_a_rule_are_told_and_fail(desk: Office, exported: Callable[..., Path]) -> None:
    file = exported()
    [first, second] = (shift["id"] for shift in json.loads(file.read_text())["shifts"])
    jobs = [job["id"] for job in json.loads(file.read_text())["jobs"]]
    twice = {"routes": [{"shift": first, "jobs": jobs}, {"shift": second, "jobs": jobs[:1]}]}
    told = desk.type("problem", "judge", file, written(desk, "routes.json", json.dumps(twice)), status=1)
    assert "every_job_is_accounted_for" in told
    assert "Error: " in told
    ghost = {"routes": [{"shift": first, "jobs": ["ghost"]}]}
    told = desk.type("problem", "judge", file, written(desk, "routes.json", json.dumps(ghost)), status=1)
    assert told == "Error: routes.json: there is no job ghost\n"


def test_an_exported_problem_holds_ids_and_minutes_and_nobodys_name_or_place(exported: Callable[..., Path]) -> None:
    text = exported().read_text(encoding="utf-8")
    for word in ("Shop", "Prospect", "Mill Lane", "High Street", "Squareton", "Ann", "51.", "lat", "lon"):
        assert word not in text
    assert exported("again.json").read_text(encoding="utf-8") == text


def test_a_problem_that_is_none_is_one_line(desk: Office) -> None:
    broken = written(desk, "problem.json", '{"format": "fieldvisit-problem/1", "jobs": NaN}')
    assert desk.type("problem", "solve", broken, status=1) == "Error: problem.json: is not JSON: NaN is no number\n"
    (desk.folder / "picture.json").write_bytes(b"\xff\xfe")
    told = desk.type("problem", "solve", desk.folder / "picture.json", status=1)
    assert told == "Error: picture.json: is not UTF-8 text\n"


def test_a_folder_that_is_none_is_told_before_the_work(desk: Office) -> None:
    desk.open()
    nowhere = desk.folder / "nowhere" / "problem.json"
    assert "there is no folder" in desk.type("problem", "export", "--out", nowhere, status=1)
