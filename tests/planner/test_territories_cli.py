"""Territories on the command line, the way a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_cast import REP, Office, account, write_csv

from routing.boundaries import Boundaries, Boundary, BoundaryKind
from routing.shapes import from_geojson

WHOLE = [[-3.01, 51.49], [-2.98, 51.49], [-2.98, 51.51], [-3.01, 51.51], [-3.01, 51.49]]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.open()
    reps = write_csv(tmp_path / "reps.csv", [REP])
    accounts = write_csv(tmp_path / "accounts.csv", [account(2), account(3)])
    office.type("import", "--reps", reps, "--accounts", accounts)
    office.type("geocode")
    return office


def geojson(office: Office, *names: str, ring: object = WHOLE) -> Path:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for name in names
    ]
    file = office.folder / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def test_a_file_is_imported_and_the_list_says_what_lies_in_it(office: Office) -> None:
    assert "territories: 1 added, 0 changed" in office.type(
        "territories", "import", geojson(office, "Town"), "--rep", "R1"
    )
    said = office.type("territories", "list")
    assert "Town: R1, " in said
    assert "2 customers, 0 of them another rep's, 0 nobody's" in said
    assert "0 customers lie in no territory, 0 have no place" in said
    assert "territories: 0 added, 0 changed" in office.type(
        "territories", "import", geojson(office, "Town"), "--replace"
    )


def test_nothing_is_imported_while_anything_is_wrong(office: Office) -> None:
    said = office.type("territories", "import", geojson(office, "Town", ring=[[0, 0]]), status=1)
    assert "Feature 1 (“Town”) has a ring of fewer than three points" in said
    assert "nothing was imported" in said
    assert "Town" not in office.type("territories", "list")


def test_boundaries_are_taken_by_level_and_name(office: Office) -> None:
    assert "there is no such boundary" in office.type("territories", "from-boundaries", status=1)
    shape = from_geojson({"type": "Polygon", "coordinates": [WHOLE]})
    wards = [Boundary(f"r{n}", BoundaryKind.ADMINISTRATIVE, 10, name, shape) for n, name in enumerate(["East", "West"])]
    Boundaries(tuple(wards)).save(next((office.home / "areas").iterdir()))
    assert "territories: 1 added" in office.type("territories", "from-boundaries", "--name", "East")
    assert "no such boundary: North" in office.type("territories", "from-boundaries", "--name", "North", status=1)
    assert "“East” and “West” overlap" in office.type("territories", "from-boundaries") + office.type(
        "territories", "list"
    )
