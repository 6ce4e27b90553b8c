"""The command line, the way a person types it: one small town, from extract to published plan."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_cast import Office, account, opportunity, write_csv, write_town

from routing.solver import DEFAULT_ENGINE, Engine

HOSTILE = ["{{7*7}}", "<img src=x onerror=alert(1)>", "`id`", "=cmd|' /C calc'!A0", "[red]Bold[/red]", "Ünïcødé ☃"]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def open_office(office: Office) -> Office:
    office.open()
    return office


def test_the_main_job_from_an_extract_to_a_published_plan(open_office: Office) -> None:
    imported = open_office.fill([account(n) for n in (1, 2, 3)], [opportunity(4)])
    assert "accounts.csv: 3 added, 0 changed, 0 unchanged, 0 refused" in imported
    assert "5 matched, 0 to review, 0 not found" in open_office.type(
        "geocode", "--report", open_office.folder / "r.csv"
    )
    planned = open_office.plan("--out", open_office.folder / "plan.json")
    assert "plan 1: 4 visits (0 promised), 0 unplanned" in planned
    assert "every rule is kept, 4 visits" in open_office.type("check", open_office.folder / "plan.json")
    assert "published" not in open_office.type("plans")
    assert open_office.type("plan", "publish") == "plan 1 is published\n"
    assert "published" in open_office.type("plans")
    with (open_office.folder / "r.csv").open(encoding="utf-8") as file:
        assert [row["verdict"] for row in csv.DictReader(file)] == ["matched"] * 5


def test_one_day_planned_anew_tells_how_many_are_planned_for_the_others_and_does_not_count_them(
    open_office: Office,
) -> None:
    open_office.fill([account(1, opening_hours="Mo 09:00-17:00"), account(2, opening_hours="Tu 09:00-17:00")], [])
    open_office.type("geocode")
    assert "2 visits" in open_office.plan()
    open_office.type("plan", "publish")
    monday = open_office.plan("--days", 1, "--out", open_office.folder / "monday.json")
    assert "plan 2: 1 visits (0 promised), 0 unplanned" in monday
    assert "1 more planned for days that this plan is not for" in monday
    assert "every rule is kept, 1 visits" in open_office.type("check", open_office.folder / "monday.json")
    assert "1 visits, 0 unplanned" in open_office.type("plans")


def test_importing_the_same_files_twice_changes_nothing(open_office: Office) -> None:
    open_office.fill([account(1)], [opportunity(4)])
    again = open_office.fill([account(1)], [opportunity(4)])
    assert again.count("0 added, 0 changed, 1 unchanged, 0 refused") == 3


def test_a_refused_row_is_named_with_its_line_field_and_reason_and_the_rest_goes_on(open_office: Office) -> None:
    output = open_office.fill([account(1), account(2, visit_minutes="-5"), account(3)], [])
    assert "2 added, 0 changed, 0 unchanged, 1 refused" in output
    assert "line 3, A2, visit_minutes: " in output


def test_a_doubtful_address_waits_until_a_person_settles_it(open_office: Office) -> None:
    open_office.fill([account(1), account(2, address="77 Mill Lane")], [])
    assert "1 to review" in open_office.type("geocode")
    assert "account A2: 77 Mill Lane" in open_office.type("review")
    assert "1 unplanned: not_located" in open_office.plan()
    open_office.type("settle", "account", "A2", "--at", "51.5061,-2.9964")
    assert open_office.type("review") == ""
    assert "2 visits" in open_office.plan()
    open_office.type("geocode", "--again")
    assert open_office.type("review") == ""


def test_the_same_seed_and_work_write_the_same_bytes(open_office: Office) -> None:
    open_office.fill([account(n) for n in range(1, 6)], [opportunity(n) for n in range(1, 6)])
    open_office.type("geocode")
    for name in ("one.json", "two.json"):
        open_office.plan("--seed", 7, "--out", open_office.folder / name)
    assert (open_office.folder / "one.json").read_bytes() == (open_office.folder / "two.json").read_bytes()


def test_a_search_by_seconds_begins_with_the_plan_made_last_unless_told_to_begin_afresh(open_office: Office) -> None:
    open_office.fill([account(n) for n in range(1, 4)], [opportunity(4)])
    open_office.type("geocode")
    out, begun = open_office.folder / "plan.json", []
    for options in (["--workers", 1], [], ["--fresh"], ["--engine", "ortools"]):
        open_office.type("plan", "--from", "2026-11-30", "--seconds", 0.2, "--out", out, *options)
        limits = json.loads(out.read_text(encoding="utf-8"))["limits"]
        begun.append((limits["from_plan"], limits["engine"] == "ortools"))
        assert set(limits) == {"seed", "seconds", "work", "engine", "from_plan"}, "and not on how many cores"
    ours = DEFAULT_ENGINE is Engine.ORTOOLS
    assert begun == [(None, ours), (1, ours), (None, ours), (3, True)]


def test_why_tells_of_a_visit_of_a_stored_plan_and_of_what_is_left_out(open_office: Office) -> None:
    shut = account(3) | {"opening_hours": "Mo-Fr 22:00-23:00"}
    open_office.fill([account(1), shut], [opportunity(4)])
    open_office.type("geocode")
    open_office.plan()
    told = open_office.type("why", 1, "A1")
    assert "min of driving" in told
    assert "it adds " in told
    refused = open_office.type("why", 1, "A3")
    assert "not planned, outside_hours" in refused
    assert "rules in the way: opening_hours" in refused
    assert "cheapest repair: " in refused
    found = json.loads(open_office.type("why", 1, "opportunity:O4", "--json"))
    assert found["planned"][0]["stop"]["visit_id"] == "opportunity:O4"
    assert "no visit to A9" in open_office.type("why", 1, "A9", status=1)


def test_a_plan_file_that_breaks_a_rule_is_told_so_with_status_1(open_office: Office) -> None:
    open_office.fill([account(1)], [])
    open_office.type("geocode")
    file = open_office.folder / "plan.json"
    open_office.plan("--out", file)
    document = json.loads(file.read_text(encoding="utf-8"))
    day = next(day for day in document["rep_days"] if day["stops"])
    day["stops"][0]["drive_seconds"] = 1
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "the leg takes" in open_office.type("check", file, status=1)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": "other"}', b"\xff\xfe\x00", b"[" * 100_000])
def test_a_file_that_is_no_plan_is_refused_in_a_sentence(open_office: Office, content: bytes) -> None:
    file = open_office.folder / "plan.json"
    file.write_bytes(content)
    open_office.fill([account(1)], [])
    assert "plan.json: is not" in open_office.type("check", file, status=1)


def test_a_folder_that_does_not_exist_is_named_before_the_search(open_office: Office) -> None:
    open_office.fill([account(1)], [])
    out = open_office.folder / "no" / "plan.json"
    said = open_office.type("plan", "--from", "2026-11-30", "--work", 1, "--out", out, status=1)
    assert "there is no folder" in said
    assert open_office.type("plans") == ""


def test_hostile_names_are_only_ever_text(open_office: Office) -> None:
    rows = [account(n % 5 + 1, account_id=f"A{n}", name=name) for n, name in enumerate(HOSTILE)]
    open_office.fill(rows, [opportunity(1, name="{{7*7}}", notes="<script>")])
    open_office.type("geocode")
    file = open_office.folder / "plan.json"
    open_office.plan("--out", file)
    open_office.type("check", file)
    names = {stop["name"] for day in json.loads(file.read_text("utf-8"))["rep_days"] for stop in day["stops"]}
    assert names >= set(HOSTILE)


def test_a_report_for_a_spreadsheet_runs_no_formula(open_office: Office) -> None:
    open_office.fill([account(1, account_id="=cmd()")], [])
    report = open_office.folder / "r.csv"
    open_office.type("geocode", "--report", report)
    assert "'=cmd()" in report.read_text(encoding="utf-8")


def test_travel_times_between_points_of_a_file(open_office: Office) -> None:
    points = write_csv(
        open_office.folder / "points.csv",
        [
            {"id": "a", "lat": "51.5001", "lon": "-2.998"},
            {"id": "b", "lat": "51.5061", "lon": "-2.998"},
            {"id": "far", "lat": "52.5", "lon": "-2"},
        ],
    )
    out = open_office.folder / "matrix.csv"
    said = open_office.type("matrix", "--points", points, "--out", out)
    assert "9 pairs" in said
    assert "4 of them unreachable" in said
    with out.open(encoding="utf-8") as file:
        cells = {(row["from_id"], row["to_id"]): row["seconds"] for row in csv.DictReader(file)}
    assert int(cells["a", "b"]) > 30
    assert cells["a", "far"] == ""


def test_an_address_that_changed_since_no_longer_counts_as_located(open_office: Office) -> None:
    open_office.fill([account(1), account(2)], [])
    open_office.type("geocode")
    assert "3 addresses located" in open_office.type("area", "show")
    open_office.fill([account(1), account(2, address="5 High Street")], [])
    assert "2 addresses located" in open_office.type("area", "show")


def test_areas_are_listed_shown_and_removed_and_a_name_is_taken_once(open_office: Office) -> None:
    assert open_office.type("area", "list").startswith("squareton: ")
    assert "0 reps" in open_office.type("area", "show")
    town = open_office.folder / "town.osm"
    assert "already" in open_office.type("area", "add", "squareton", "--extract", town, status=1)
    open_office.type("area", "remove", "squareton", answer="n\n", status=1)
    open_office.type("area", "remove", "squareton", "--yes")
    assert "no area yet" in open_office.type("area", "list")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "-x" * 40, "{{7*7}}", "a b"])
def test_an_area_has_a_plain_name(office: Office, name: str) -> None:
    town = write_town(office.folder / "town.osm")
    assert "no name for an area" in office.type("area", "add", "--extract", town, "--", name, status=1)
    assert not (office.home / "areas").exists() or not list((office.home / "areas").iterdir())


def test_with_two_areas_one_must_be_named(open_office: Office) -> None:
    open_office.type("area", "add", "other", "--extract", open_office.folder / "town.osm")
    assert "--area" in open_office.type("plan", status=1)
    assert "there is no area" in open_office.type("plan", "--area", "nowhere", status=1)
    assert "no reps" in open_office.type("plan", "--area", "other", status=1)


def test_a_damaged_extract_leaves_no_area_behind(office: Office) -> None:
    file = office.folder / "broken.osm.pbf"
    file.write_bytes(b"not a map at all")
    office.type("area", "add", "broken", "--extract", file, status=1)
    office.type("area", "add", "missing", "--extract", office.folder / "none.osm.pbf", status=1)
    assert list((office.home / "areas").iterdir()) == []


def test_a_damaged_area_is_named(open_office: Office) -> None:
    (open_office.home / "areas" / "squareton" / "area.json").write_text("{")
    assert "area squareton" in open_office.type("area", "list", status=1)


def test_settings_out_of_range_are_named(open_office: Office) -> None:
    (open_office.home / "settings.toml").write_text("[candidates]\nnearby_minutes = -1\n")
    assert "nearby_minutes" in open_office.type("area", "list", status=1)
    (open_office.home / "settings.toml").write_text("[candidates]\nnearby = 1\n")
    assert "no setting 'nearby'" in open_office.type("area", "list", status=1)


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--seconds", "5", "--work", "5"],
        ["plan", "--seconds", "nan"],
        ["plan", "--days", "0"],
        ["plan", "--engine", "magic"],
        ["plan", "--workers", "0"],
        ["plan", "--from", "30/11/2026"],
        ["import"],
        ["settle", "account", "A1"],
        ["settle", "account", "A1", "--at", "here"],
        ["settle", "shop", "A1", "--at", "1,1"],
        ["area", "add", "x"],
        ["nonsense"],
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_its_usage(open_office: Office, words: list[str]) -> None:
    assert "Usage" in open_office.type(*words, status=2)


def test_what_does_not_exist_is_named(open_office: Office) -> None:
    assert "no.csv" in open_office.type("import", "--reps", open_office.folder / "no.csv", status=1)
    assert "A9" in open_office.type("settle", "account", "A9", "--at", "51.5,-3", status=1)
    assert "no plan yet" in open_office.type("plan", "publish", status=1)
    assert "999" in open_office.type("plan", "publish", 999, status=1)
    assert "latitude" in open_office.type("settle", "account", "A9", "--at", "515,-3", status=1)
