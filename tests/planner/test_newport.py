"""The whole way on a real town: its extract, and the made-up records beside this checkout."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from planner.candidates import Reason
from planner.intake import import_files
from planner.locating import geocoder_for, locate_records
from planner.plan_checks import broken_rules
from planner.plan_document import read_plan, write_plan
from planner.planning import make_plan, store_plan, to_store
from planner.settings import Settings, TrafficSettings, read_settings
from planner.snapshot import Snapshot
from planner.storage import open_store
from routing.area import Areas
from routing.geo import LatLon
from routing.solver import SearchLimits
from routing.streets import StreetNetwork


@pytest.mark.slow
def test_newport_from_its_files_to_a_stored_plan_without_a_broken_rule(
    newport_records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No plan is made with the base map, and drawing it takes as long as all else here.
    monkeypatch.setattr("routing.area.build_basemap", lambda *_: None)
    settings = read_settings(tmp_path, {})
    area = Areas(settings.areas).add("newport", newport_records / "newport.osm.pbf", lambda _what, _share: None)
    store = open_store(settings.database_url)
    files = {kind: newport_records / f"{kind}.csv" for kind in ("reps", "accounts", "opportunities")}
    import_files(store, area.name, **files)
    locate_records(store, area.name, geocoder_for(area, settings))
    with store.read() as unit:
        snapshot = Snapshot.read(unit, area.name, settings)
    assert (len(snapshot.reps), len(snapshot.accounts), len(snapshot.opportunities)) == (6, 565, 120)

    made = make_plan(snapshot, area.name, area.streets(), date(2026, 11, 30), 5, SearchLimits(work=20), settings)
    document = read_plan(write_plan(made))
    assert broken_rules(document, snapshot, area.streets(), settings) == []

    planned = {stop["visit_id"] for day in document["rep_days"] for stop in day["stops"]}
    returned = {entry["record_id"] for entry in document["returned_to_inside"]}
    unplanned = {entry["record_ids"][0]: entry for entry in document["unplanned"]}
    for opportunity in snapshot.opportunities:
        told = (f"opportunity:{opportunity.id}" in planned, opportunity.id in returned, opportunity.id in unplanned)
        assert sum(told) == 1, opportunity.id
    assert all(entry["sentence"] and Reason(entry["reason"]) for entry in document["unplanned"])
    kinds = Counter(stop["kind"] for day in document["rep_days"] for stop in day["stops"])
    assert kinds["appointment"] == sum(o.appointment is not None for o in snapshot.opportunities)
    assert kinds.total() > 150

    month = make_plan(snapshot, area.name, area.streets(), date(2026, 11, 30), 20, SearchLimits(work=10), settings)
    assert broken_rules(month, snapshot, area.streets(), settings) == []  # four weeks, with repeats
    assert sum(stop["visit_id"].startswith("account@") for day in month["rep_days"] for stop in day["stops"]) > 40

    with store.write() as unit:
        version = store_plan(unit, to_store(document, datetime(2026, 11, 29, tzinfo=UTC)))
    with store.read() as unit:
        assert unit.plans(area.name).get(version).document == write_plan(document)
    store.close()

    # A plan of yesterday's records no longer passes today.
    moved = replace(snapshot.accounts[0], id="A9999", last_visit=None)
    assert broken_rules(document, replace(snapshot, accounts=(*snapshot.accounts, moved)), area.streets(), settings)

    assert_mornings_take_longer(snapshot, area.streets(), settings)


def assert_mornings_take_longer(snapshot: Snapshot, streets: StreetNetwork, settings: Settings) -> None:
    """Where mornings are busy, what is driven then takes longer than by midday, nothing else does, and all checks
    hold; by those that know of no rush hours, it is wrong."""
    busy = replace(settings, traffic=TrafficSettings(morning="07:00-09:30"))
    plan = make_plan(snapshot, "newport", streets, date(2026, 11, 30), 5, SearchLimits(work=4), busy)
    assert broken_rules(plan, snapshot, streets, busy) == []
    assert broken_rules(plan, snapshot, streets, settings)
    longer: Counter[bool] = Counter()
    for day in plan["rep_days"]:
        place = LatLon(day["start"]["lat"], day["start"]["lon"])
        for stop in day["stops"]:
            before, place = place, LatLon(stop["lat"], stop["lon"])
            if place == before:
                continue
            free_s, arrive = streets.leg(before, place).seconds, datetime.fromisoformat(stop["arrive"])
            depart = arrive - timedelta(seconds=stop["drive_seconds"])
            if arrive.time() <= time(9, 30) or depart.time() < time(9, 30):
                assert stop["drive_seconds"] >= free_s
            else:
                assert stop["drive_seconds"] == free_s
            longer[stop["drive_seconds"] > free_s] += 1
    assert longer[True] > 15
    assert longer[False] > 100
