"""A town that is looked after unevenly, in a store: Anna in the west has many customers, Ben in the east few."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cast import MONDAY, SETTINGS, Flatland, Town, account, door, rep

from planner.access import Actor
from planner.coverage.material import Material
from planner.domain import Account, Address, Location, Rep
from planner.scenarios.applying import apply_scenario
from planner.scenarios.changes import Changes, changes_of
from planner.scenarios.computing import work_out
from planner.scenarios.domain import Scenario
from planner.scenarios.keeping import WorkedOut, create_scenario, find_scenario, keep_outcome, records_stamp
from planner.scenarios.outcome import Outcome
from planner.storage import open_store
from routing.alignment import AlignmentLimits

AREA = "town"
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
MONA = Actor("user:mona")
LIMITS = AlignmentLimits(work=5)
HOURS: dict[str, Any] = {"work_days": [0, 1, 2, 3, 4], "work_start": "09:00", "work_end": "17:00"}
CLEO: dict[str, Any] = {
    "id": "cleo",
    "name": "Cleo",
    "street": "1 North Road",
    "lat": 0.02,
    "lon": 0.02,
    "found_as": "1 North Road",
    "break_minutes": 30,
    **HOURS,
}
"""Somebody who might be taken on, twenty minutes north."""


def town_of_two(anna: int = 12, ben: int = 4) -> Town:
    """Two reps whose homes are forty minutes apart, with customers two minutes from door to door in between."""
    town = Town()
    town.add(rep("anna", start_address=Address("West")), door(0))
    town.add(rep("ben", start_address=Address("East")), door(40))
    for number in range(anna + ben):
        owner = "anna" if number < anna else "ben"
        made = account(f"c{number:02}", owner_rep_id=owner, cadence_days=7, visit_minutes=60)
        town.add(made, door(4 + 2 * number, number % 3))
    return town


def material(town: Town) -> Material:
    return Material(MONDAY, town.snapshot(), None, (), {}, (), 56)


def worked_out(town: Town, stamp: str = "1", **changes: Any) -> Outcome:
    """What the changes come to."""
    return work_out(material(town), stamp, AREA, changes_of(changes), Flatland(), SETTINGS, LIMITS)


class Shop:
    """A store with the town in it."""

    def __init__(self, folder: Path, town: Town) -> None:
        self.store = open_store(f"sqlite:///{folder}/fieldvisit.sqlite", clock=lambda: NOW)
        weakref.finalize(self, self.store.close)
        with self.store.write(audited=False) as unit:
            records = unit.records(AREA)
            records.save_all(town.records)
            records.save_locations(town.locations)

    def made(self, name: str = "Even", **changes: Any) -> Scenario:
        """A scenario that has been begun."""
        with self.store.write(MONA) as unit:
            return create_scenario(unit, AREA, name, changes_of(changes), MONA.id, NOW, f"s-{name}")

    def computed(self, name: str = "Even", **changes: Any) -> Scenario:
        """A scenario that has been worked out."""
        made = self.made(name, **changes)
        with self.store.read() as unit:
            known, stamp = Material.read(unit, AREA, SETTINGS), records_stamp(unit, AREA)
        outcome = work_out(known, stamp, AREA, changes_of(made.changes), Flatland(), SETTINGS, LIMITS)
        with self.store.write(MONA) as unit:
            assert keep_outcome(unit, AREA, made.id, WorkedOut(made.changes, outcome), NOW)
            return find_scenario(unit, AREA, made.id)

    def apply(self, scenario: Scenario, actor: Actor = MONA) -> Scenario:
        return apply_scenario(self.store, actor, AREA, scenario.id, scenario.revision, NOW)

    def reps(self) -> Mapping[str, Rep]:
        with self.store.read() as unit:
            return {each.id: each for each in unit.records(AREA).reps()}

    def accounts(self) -> Mapping[str, Account]:
        with self.store.read() as unit:
            return {each.id: each for each in unit.records(AREA).accounts()}

    def owners(self) -> dict[str, str]:
        return {id_: each.owner_rep_id for id_, each in self.accounts().items()}

    def locations(self) -> list[Location]:
        with self.store.read() as unit:
            return unit.records(AREA).locations()

    def rename(self, account_id: str) -> None:
        """Somebody changes a customer's record."""
        with self.store.write(MONA) as unit:
            unit.records(AREA).save(replace(self.accounts()[account_id], name="Another name"))
            unit.audit("account.saved", account_id, area=AREA)


def changes(**said: Any) -> Changes:
    return changes_of(said)
