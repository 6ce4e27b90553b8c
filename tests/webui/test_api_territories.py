"""Territories, drive times and white space by program."""

from __future__ import annotations

from typing import Any

import pytest
from api_cast import HARBOUR, Installation, Program, account, admin, building, office, rep

from planner.access import Role
from planner.domain import Location, RecordKind
from routing.businesses import Business, Businesses
from routing.gazetteer import Verdict

__all__ = ["admin", "building", "office"]

LIST = "/areas/helsinki/territories"
TRIANGLE = {"type": "Polygon", "coordinates": [[[24.9, 60.1], [25.0, 60.1], [25.0, 60.2], [24.9, 60.1]]]}


@pytest.fixture
def manager(office: Installation) -> Program:
    office.keep(rep("ann"), rep("ben"))
    return office.program(Role.MANAGER, area="helsinki")


def add(program: Program, name: str = "North", status: int = 201, **more: Any) -> Any:
    return program.post(LIST, {"name": name, "geometry": TRIANGLE} | more, status)


def test_a_territory_is_added_read_changed_and_removed(manager: Program) -> None:
    added = add(manager, rep_id="ann")
    assert (added["name"], added["rep_id"], added["revision"], added["source"]) == ("North", "ann", 1, "drawn")
    assert manager.get(f"{LIST}/{added['id']}") == added
    assert manager.get(LIST)["territories"] == [added]
    moved = {**TRIANGLE, "coordinates": [[[lon + 0.1, lat] for lon, lat in TRIANGLE["coordinates"][0]]]}
    changed = manager.put(f"{LIST}/{added['id']}", {"revision": 1, "rep_id": "ben", "geometry": moved})
    assert (changed["revision"], changed["rep_id"], changed["name"]) == (2, "ben", "North")
    assert changed["geometry"]["coordinates"] != added["geometry"]["coordinates"]
    manager.delete(f"{LIST}/{added['id']}?revision=2")
    manager.get(f"{LIST}/{added['id']}", 404)


def test_a_name_that_is_taken_gets_a_number(manager: Program) -> None:
    add(manager)
    assert add(manager)["name"] == "North (2)"


def test_a_change_of_what_somebody_else_has_changed_is_refused_with_theirs(manager: Program) -> None:
    territory = add(manager)
    manager.put(f"{LIST}/{territory['id']}", {"revision": 1, "name": "Uptown"})
    problem = manager.put(f"{LIST}/{territory['id']}", {"revision": 1, "name": "Midtown"}, 409)
    assert problem["type"] == "urn:fieldvisit:problem:changed"
    assert (problem["present"]["name"], problem["present"]["revision"]) == ("Uptown", 2)
    assert manager.delete(f"{LIST}/{territory['id']}?revision=1", 409)["present"]["name"] == "Uptown"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"rep_id": "zoe"}, "/rep_id"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "/geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [500, 9], [0, 0]]]}}, "/geometry"),
        ({"geometry": {"type": "Point", "coordinates": [0, 0]}}, "/geometry/type"),
        ({"geometry": None}, "/geometry"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(manager: Program, changes: dict[str, Any], pointer: str) -> None:
    assert pointer in manager.refused(LIST, {"name": "North", "geometry": TRIANGLE} | changes, "POST")


def test_a_team_s_manager_reads_and_changes_its_own_and_nobodys(office: Installation, manager: Program) -> None:
    theirs, nobodys = add(manager, "Ben's", rep_id="ben"), add(manager, "Nobody's")
    team = office.program(Role.MANAGER, area="helsinki", reps=frozenset({"ann"}))
    assert [each["id"] for each in team.get(LIST)["territories"]] == [nobodys["id"]]
    team.get(f"{LIST}/{theirs['id']}", 404)
    team.put(f"{LIST}/{theirs['id']}", {"revision": 1, "name": "Mine"}, 404)
    team.put(f"{LIST}/{nobodys['id']}", {"revision": 1, "rep_id": "ann"})


def test_reps_may_read_none_of_it(office: Installation) -> None:
    rep_s = office.program(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    for path in (LIST, "/areas/helsinki/isochrones/ann", "/areas/helsinki/white-space"):
        rep_s.get(path, 403)


def test_drive_times_need_a_rep_a_place_and_streets(office: Installation, manager: Program) -> None:
    manager.get("/areas/helsinki/isochrones/zoe", 404)
    assert "Nobody knows where" in manager.get("/areas/helsinki/isochrones/ann", 409)["detail"]
    address = rep("ann").start_address
    known = Location(RecordKind.REP, "ann", address, Verdict.MATCHED, HARBOUR, 1.0, "", "")
    with office.store.write(audited=False) as unit:
        unit.records("helsinki").save_locations([known])
    assert "streets cannot be read" in manager.get("/areas/helsinki/isochrones/ann", 409)["detail"]


def test_white_space_says_where_it_is_from(office: Installation, manager: Program) -> None:
    folder = office.building.app.extensions["sources"].areas.get("helsinki").folder
    assert "add it again" in manager.get("/areas/helsinki/white-space", 409)["detail"]
    office.keep(account("A1", category="shop=bakery", annual_value=500.0))
    try:
        Businesses(tuple(Business(f"n{n}", f"Loaf {n}", "shop=bakery", 60.15, 24.95) for n in range(3))).save(folder)
        add(manager, rep_id="ann")
        found = manager.get("/areas/helsinki/white-space?limit=2")
        assert found["attribution"] == "© OpenStreetMap contributors"
        assert [each["id"] for each in found["prospects"]] == ["n0", "n1"]
        assert (found["prospects"][0]["rep_id"], found["prospects"][0]["buying_well"]) == ("ann", 1)
        rest = manager.get(f"/areas/helsinki/white-space?limit=2&cursor={found['next']}")
        assert [each["id"] for each in rest["prospects"]] == ["n2"]
        assert manager.get("/areas/helsinki/white-space?category=shop%3Dbutcher")["prospects"] == []
    finally:
        (folder / "businesses.json").unlink()
