"""Scenarios on the command line: listed, worked out at once, and shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from cli_cast import REP, Office, account, write_csv

from planner.scenarios.changes import Changes
from planner.scenarios.keeping import create_scenario
from planner.settings import read_settings
from planner.storage import open_store


def test_a_scenario_is_listed_worked_out_and_shown(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.open()
    bea = REP | {"rep_id": "R2", "name": "Bea", "start_address": "5 Mill Lane, Squareton"}
    reps = write_csv(tmp_path / "reps.csv", [REP, bea])
    accounts = write_csv(tmp_path / "accounts.csv", [account(n) for n in range(1, 6)])
    office.type("import", "--reps", reps, "--accounts", accounts)
    office.type("geocode")
    assert office.type("scenario", "list") == ""
    assert "has no scenario nothing" in office.type("scenario", "show", "nothing", status=1)
    store = open_store(read_settings(office.home, {}).database_url)
    with store.write() as unit:
        create_scenario(unit, "squareton", "[red]Even", Changes(), "user:u", datetime.now(UTC), "s1")
    store.close()
    assert "not worked out yet" in office.type("scenario", "show", "s1")
    assert "s1  draft" in office.type("scenario", "list")
    said = office.type("scenario", "compute", "s1")
    assert "[red]Even: computed" in said
    assert "relationships broken, in one piece each" in said
    shown = json.loads(office.type("scenario", "show", "s1", "--json"))
    assert shown["state"] == "computed"
    assert {rep["name"] for rep in shown["outcome"]["reps"]} == {"Ann", "Bea"}
    assert shown["outcome"]["spread_after"] < shown["outcome"]["spread_before"]
