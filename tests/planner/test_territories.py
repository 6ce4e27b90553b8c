"""Territories: adding, changing and removing them, and what lies in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cast import account, rep

from planner.access import Actor, Scope
from planner.domain import Address, Location, RecordKind
from planner.errors import InvalidRecordError, NotFoundError, RefusedError
from planner.repository import UnitOfWork
from planner.storage import SqlStore, open_store
from planner.territories.domain import Territory, TerritorySource
from planner.territories.editing import (
    TerritoryChangedError,
    add_outlines,
    change_territory,
    remove_territory,
    territories_in,
    territory_in,
)
from planner.territories.importing import MOST_OUTLINES, Outline
from planner.territories.looking import Customer, belongs_to_another, customers_in, overview
from planner.territories.places import territories_of, territory_of
from routing.gazetteer import Verdict
from routing.geo import LatLon

AREA = "newport"


def box(west: float, south: float, size: float = 0.1) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def territory(id_: str, west: float, rep_id: str = "", **changes: Any) -> Territory:
    made = Territory(AREA, id_, 1, f"Name of {id_}", rep_id, TerritorySource.DRAWN, box(west, 51.5))
    return replace(made, **changes)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with opened.write(audited=False) as unit:
        for each in ("anna", "ben"):
            unit.records(AREA).save(rep(each))
    yield opened
    opened.close()


def add(unit: UnitOfWork, *names: str, west: float = -3.0, **how: Any) -> list[Territory]:
    ids = count(len(unit.territories.find(area=AREA)) + 1)
    outlines = [Outline(name, box(west, 51.5)) for name in names]
    source = how.pop("source", TerritorySource.IMPORTED)
    return list(add_outlines(unit, AREA, outlines, source, lambda: f"t{next(ids)}", **how).added)


# --- adding -----------------------------------------------------------------------------------------------------------


def test_what_is_added_is_kept_and_audited(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "North", "South", rep_id="anna")
    with store.read() as unit:
        assert [(each.name, each.rep_id, each.revision) for each in territories_in(unit, AREA)] == [
            ("North", "anna", 1), ("South", "anna", 1)]  # fmt: skip
        entry = unit.audit_log.latest(1)[0]
        assert (entry.action, entry.details["added"]) == ("territories.added", 2)


def test_a_name_that_is_taken_gets_a_number_or_the_shape_is_replaced_and_the_rep_stays(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "North", rep_id="anna")
        (second,) = add(unit, "north")
        assert second.name == "north (2)"
        added = add_outlines(
            unit, AREA, [Outline("NORTH", box(-2.0, 51.5))], TerritorySource.IMPORTED, lambda: "x", replacing=True
        )
        (changed,) = added.changed
        assert (changed.id, changed.name, changed.rep_id, changed.revision) == ("t1", "North", "anna", 2)
        again = add_outlines(
            unit, AREA, [Outline("North", box(-2.0, 51.5))], TerritorySource.IMPORTED, lambda: "x", replacing=True
        )
        assert not again.added
        assert not again.changed


def test_a_rep_who_is_none_is_refused(store: SqlStore) -> None:
    with pytest.raises(InvalidRecordError, match="no rep zoe"), store.write() as unit:
        add(unit, "North", rep_id="zoe")


def test_there_are_only_so_many(store: SqlStore) -> None:
    with pytest.raises(RefusedError, match="at most"), store.write() as unit:
        add(unit, *(f"Name {number}" for number in range(MOST_OUTLINES + 1)))


# --- changing ---------------------------------------------------------------------------------------------------------


def test_one_is_renamed_given_to_a_rep_and_redrawn(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "North")
        changed = change_territory(unit, AREA, "t1", 1, name=" The  north ", rep_id="ben")
        assert (changed.name, changed.rep_id, changed.revision) == ("The north", "ben", 2)
        redrawn = change_territory(unit, AREA, "t1", 2, geometry=box(-2.0, 51.5))
        assert (redrawn.source, redrawn.revision, redrawn.rep_id) == (TerritorySource.DRAWN, 3, "ben")
    with store.read() as unit:
        entries = unit.audit_log.latest(2)
    assert entries[1].details["before"] == {"name": "North", "rep_id": ""}


def test_of_two_who_change_it_the_second_is_told_what_it_is_now(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "North")
        change_territory(unit, AREA, "t1", 1, name="Uptown")
    with pytest.raises(TerritoryChangedError) as caught, store.write() as unit:
        change_territory(unit, AREA, "t1", 1, rep_id="ben")
    assert (caught.value.present.name, caught.value.present.revision) == ("Uptown", 2)
    with pytest.raises(TerritoryChangedError), store.write() as unit:
        remove_territory(unit, AREA, "t1", 1)


def test_what_is_so_already_changes_nothing_whatever_was_seen(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "North", rep_id="anna")
        change_territory(unit, AREA, "t1", 1, rep_id="ben")
        assert change_territory(unit, AREA, "t1", 1, rep_id="ben").revision == 2


@pytest.mark.parametrize("name", ["", "  \n", "south"])
def test_a_name_that_is_empty_or_taken_is_refused(store: SqlStore, name: str) -> None:
    with store.write() as unit:
        add(unit, "North", "South")
    with pytest.raises(InvalidRecordError), store.write() as unit:
        change_territory(unit, AREA, "t1", 1, name=name)


def test_one_that_is_removed_is_gone_and_its_customers_stay_whose_they_are(store: SqlStore) -> None:
    with store.write() as unit:
        unit.records(AREA).save(account("A1", owner_rep_id="anna"))
        add(unit, "North", rep_id="ben")
        remove_territory(unit, AREA, "t1", 1)
    with store.read() as unit:
        assert territories_in(unit, AREA) == []
        assert unit.records(AREA).accounts()[0].owner_rep_id == "anna"
    with pytest.raises(NotFoundError), store.write() as unit:
        remove_territory(unit, AREA, "t1", 1)


def test_a_manager_of_a_team_sees_its_territories_and_nobodys_and_no_others(store: SqlStore) -> None:
    with store.write() as unit:
        add(unit, "Anna's", rep_id="anna")
        add(unit, "Ben's", rep_id="ben")
        add(unit, "Nobody's")
    team = Scope(AREA, frozenset({"anna"}))
    with store.read(team) as unit:
        assert [each.name for each in territories_in(unit, AREA)] == ["Anna's", "Nobody's"]
        with pytest.raises(NotFoundError):
            territory_in(unit, AREA, "t2")
    with store.read(replace(team, unassigned=False)) as unit:
        assert [each.name for each in territories_in(unit, AREA)] == ["Anna's"]
    with store.read(Scope("elsewhere")) as unit:
        assert territories_in(unit, AREA) == []
    with pytest.raises(InvalidRecordError), store.write(Actor("user:mona", team)) as unit:
        change_territory(unit, AREA, "t1", 1, rep_id="ben")


# --- what lies where --------------------------------------------------------------------------------------------------


def test_a_place_is_in_the_first_territory_by_id_that_holds_it() -> None:
    found = territory_of([territory("b", -3.0), territory("a", -2.95), territory("c", 5.0)])
    assert found(51.55, -2.99) == "b"
    assert found(51.55, -2.93) == "a"
    assert found(51.55, -2.95) == "a"  # on a border, and in both
    assert found(0.0, 0.0) == ""
    assert territory_of([])(51.55, -2.99) == ""


def test_all_that_hold_a_place_are_told() -> None:
    places = {"one": (51.55, -2.93), "two": (51.55, -2.99), "none": (0.0, 0.0)}
    assert territories_of([territory("b", -3.0), territory("a", -2.95)], places) == {
        "one": ("a", "b"), "two": ("b",), "none": ()}  # fmt: skip
    assert territories_of([], {}) == {}


def customer(id_: str, lon: float | None, owner: str = "") -> Customer:
    return Customer(account(id_, owner_rep_id=owner), None if lon is None else LatLon(51.55, lon))


def test_customers_of_another_rep_of_nobody_and_in_no_territory_are_counted() -> None:
    customers = [
        customer("A1", -2.99, "anna"), customer("A2", -2.99, "ben"), customer("A3", -2.99), customer("A4", 7.0, "ben"),
        customer("A5", None, "ben"),
    ]  # fmt: skip
    found = overview([territory("a", -3.0, "anna"), territory("b", -1.0)], customers)
    ours, empty = found.held
    assert (ours.customers, ours.others, ours.nobodys) == (3, 1, 1)
    assert (empty.customers, empty.others) == (0, 0)
    assert (found.customers, found.outside, found.unplaced) == (5, 1, 1)


def test_nobodys_territory_holds_no_customer_of_another_rep() -> None:
    assert not belongs_to_another(customer("A1", -2.99, "ben"), territory("a", -3.0))


def test_overlaps_are_told_and_a_shared_border_is_none() -> None:
    beside = territory("b", -2.9)
    over = territory("c", -2.85)
    assert overview([territory("a", -3.0), beside], []).overlaps == ()
    (said,) = overview([beside, over], []).overlaps
    assert said == "“Name of b” and “Name of c” overlap by 38.44 km²: customers there count for “Name of b”."


def test_the_place_of_a_former_address_does_not_count(store: SqlStore) -> None:
    moved = account("A1")
    with store.write(audited=False) as unit:
        unit.records(AREA).save(moved)
        was = Location(
            RecordKind.ACCOUNT, "A1", Address("Elsewhere 1"), Verdict.MATCHED, LatLon(51.5, -3.0), 1.0, "", ""
        )
        unit.records(AREA).save_locations([was])
        assert customers_in(unit, AREA)[0].place is None
