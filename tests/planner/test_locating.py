"""Addresses become places; what is not sure waits for a person, whose word then counts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from planner.domain import Account, Address, Location, Opportunity, RecordKind, Rep
from planner.errors import ConflictError, NotFoundError, StorageError
from planner.locating import (
    CHOSEN,
    LocatingReport,
    decide,
    fingerprint,
    geocoder_for,
    locate_records,
    review_list,
    safe_text,
    write_report,
)
from planner.settings import GeocodingSettings, Settings
from planner.storage import SqlStore, open_store
from routing.area import Area, AreaFacts
from routing.errors import GeocodingError
from routing.gazetteer import Candidate, Gazetteer, GeocodingResult, Verdict
from routing.geo import LatLon
from routing.geocoders import ChainGeocoder
from routing.outgoing import OutgoingRules

HIGH_STREET = LatLon(51.58, -2.99)
LEE_WAY = LatLon(51.56, -2.95)
ELSEWHERE = LatLon(51.6, -3.0)
ADA = Rep("1", "Ada", "", Address("1 High Street"), None, "Europe/London", frozenset({0}), time(9), time(17))
BAR = Account("1", "Bar", Address("1 Lee Way", "Newport"))
DEN = Opportunity("O1", "Den", Address("1 Twin Street"))
INN = Account("A2", "Inn", Address(""))


class FakeGeocoder:
    """Knows two doors and a street of which there are two; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails_at = ""

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        if address and address == self.fails_at:
            raise GeocodingError("nobody answers")
        self.asked.append(address)
        doors = {"1 High Street": HIGH_STREET, "1 Lee Way": LEE_WAY, "2 Lee Way": LEE_WAY}
        if address in doors:
            return GeocodingResult(Verdict.MATCHED, (Candidate(doors[address], address.upper(), 0.97),), "Exact.")
        if address == "1 Twin Street":
            twins = (
                Candidate(HIGH_STREET, "=1 Twin Street, North", 0.5),
                Candidate(LEE_WAY, "1 Twin Street, South", 0.4),
            )
            return GeocodingResult(Verdict.REVIEW, twins, "There are two.")
        return GeocodingResult(Verdict.NOT_FOUND, (), "No such street.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    save(store, ADA, BAR, DEN, INN)
    yield store
    store.close()


def save(store: SqlStore, *records: Rep | Account | Opportunity) -> None:
    with store.write(audited=False) as unit:
        for record in records:
            unit.records("town").save(record)


def stored(store: SqlStore, kind: RecordKind, record_id: str) -> Location:
    with store.read() as unit:
        known = unit.records("town").locations()
    (found,) = [location for location in known if (location.kind, location.record_id) == (kind, record_id)]
    return found


def settle(store: SqlStore, kind: RecordKind, record_id: str, **choice: Any) -> Location:
    with store.write() as unit:
        return decide(unit, "town", kind, record_id, **choice)


def waiting(store: SqlStore) -> list[Location]:
    with store.read() as unit:
        return review_list(unit, "town")


def report_on(store: SqlStore, path: Path) -> int:
    with store.read() as unit:
        return write_report(unit, "town", path)


def test_every_record_is_located_and_counted_by_verdict(store: SqlStore) -> None:
    shares: list[float] = []
    report = locate_records(store, "town", FakeGeocoder(), progress=shares.append)
    assert report == LocatingReport(geocoded=4, matched=2, review=1, not_found=1)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert stored(store, RecordKind.REP, "1").place == HIGH_STREET
    assert stored(store, RecordKind.ACCOUNT, "1").place == LEE_WAY
    assert stored(store, RecordKind.OPPORTUNITY, "O1").place is None


def test_only_new_and_changed_addresses_are_geocoded_again(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    save(store, replace(BAR, name="Renamed", address=Address("2 Lee Way")), replace(DEN, value=9.0))
    geocoder = FakeGeocoder()
    assert locate_records(store, "town", geocoder).geocoded == 1
    assert geocoder.asked == ["2 Lee Way"]
    assert locate_records(store, "town", geocoder, again=True).geocoded == 4


def test_a_changed_address_is_without_a_place_until_it_is_geocoded(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    save(store, replace(BAR, address=Address("2 Lee Way")))
    assert ("account", "1") in [(found.kind, found.record_id) for found in waiting(store)]


def test_a_rep_who_ends_elsewhere_has_two_places(store: SqlStore, tmp_path: Path) -> None:
    save(store, replace(ADA, end_address=Address("1 Lee Way")))
    assert locate_records(store, "town", FakeGeocoder()).geocoded == 5
    assert stored(store, RecordKind.REP, "1").place == HIGH_STREET
    assert stored(store, RecordKind.REP, "1/end").place == LEE_WAY
    save(store, ADA)
    assert report_on(store, tmp_path / "report.csv") == 4


def test_what_was_answered_before_a_geocoder_gave_up_is_kept(store: SqlStore) -> None:
    geocoder = FakeGeocoder()
    geocoder.fails_at = "1 Twin Street"
    with pytest.raises(GeocodingError):
        locate_records(store, "town", geocoder)
    geocoder.fails_at = ""
    assert locate_records(store, "town", geocoder).geocoded == 1


def test_the_review_list_has_what_has_no_place_with_its_candidates(store: SqlStore) -> None:
    assert len(waiting(store)) == 4
    locate_records(store, "town", FakeGeocoder())
    inn, den = waiting(store)
    assert (inn.record_id, inn.verdict, inn.candidates) == ("A2", Verdict.NOT_FOUND, ())
    assert (den.record_id, den.verdict, den.reason) == ("O1", Verdict.REVIEW, "There are two.")
    assert [candidate.place for candidate in den.candidates] == [HIGH_STREET, LEE_WAY]


def test_a_person_chooses_a_candidate_and_geocoding_again_keeps_it(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    decided = settle(store, RecordKind.OPPORTUNITY, "O1", candidate=2)
    assert (decided.verdict, decided.place, decided.confidence) == (Verdict.MATCHED, LEE_WAY, 1.0)
    assert (decided.reason, decided.matched_address) == (CHOSEN, "1 Twin Street, South")
    geocoder = FakeGeocoder()
    locate_records(store, "town", geocoder, again=True)
    assert "1 Twin Street" not in geocoder.asked
    assert stored(store, RecordKind.OPPORTUNITY, "O1") == decided


def test_a_person_puts_a_record_on_the_map_and_a_new_address_undoes_that(store: SqlStore) -> None:
    settle(store, RecordKind.ACCOUNT, "A2", place=ELSEWHERE)
    locate_records(store, "town", FakeGeocoder())
    assert stored(store, RecordKind.ACCOUNT, "A2").place == ELSEWHERE
    save(store, replace(INN, address=Address("2 Lee Way")))
    locate_records(store, "town", FakeGeocoder())
    assert stored(store, RecordKind.ACCOUNT, "A2").place == LEE_WAY


def test_a_decision_made_while_geocoding_runs_is_not_overwritten(store: SqlStore) -> None:
    def settle_meanwhile(share: float) -> None:
        if share < 0.3:
            settle(store, RecordKind.OPPORTUNITY, "O1", place=ELSEWHERE)

    locate_records(store, "town", FakeGeocoder(), progress=settle_meanwhile)
    assert stored(store, RecordKind.OPPORTUNITY, "O1").place == ELSEWHERE


def test_a_decision_about_nothing_is_refused(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    with pytest.raises(NotFoundError, match="no account A9"):
        settle(store, RecordKind.ACCOUNT, "A9", place=ELSEWHERE)
    for number in (0, 3):
        with pytest.raises(NotFoundError, match="2 candidates"):
            settle(store, RecordKind.OPPORTUNITY, "O1", candidate=number)
    with pytest.raises(ValueError, match="either"):
        settle(store, RecordKind.OPPORTUNITY, "O1")


def test_two_people_who_settle_one_address_do_not_overwrite_each_other(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    seen = fingerprint(stored(store, RecordKind.OPPORTUNITY, "O1"))
    first = settle(store, RecordKind.OPPORTUNITY, "O1", candidate=2, seen=seen)
    with pytest.raises(ConflictError, match="it is now at 1 Twin Street, South"):
        settle(store, RecordKind.OPPORTUNITY, "O1", candidate=1, seen=seen)
    assert stored(store, RecordKind.OPPORTUNITY, "O1") == first


def test_a_candidate_chosen_for_a_former_address_does_not_count(store: SqlStore) -> None:
    locate_records(store, "town", FakeGeocoder())
    seen = fingerprint(stored(store, RecordKind.OPPORTUNITY, "O1"))
    save(store, replace(DEN, address=Address("9 Elsewhere")))
    with pytest.raises(ConflictError, match="others now"):
        settle(store, RecordKind.OPPORTUNITY, "O1", place=ELSEWHERE, seen=seen)


def test_the_report_lists_every_record_and_only_matches_have_a_place(store: SqlStore, tmp_path: Path) -> None:
    locate_records(store, "town", FakeGeocoder())
    assert report_on(store, tmp_path / "report.csv") == 4
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["record_id", "verdict", "lat", "lon", "confidence", "matched_address"],
            ["1", "matched", "51.580000", "-2.990000", "0.970", "1 HIGH STREET"],
            ["1", "matched", "51.560000", "-2.950000", "0.970", "1 LEE WAY"],
            ["A2", "not_found", "", "", "0.000", ""],
            ["O1", "review", "", "", "0.500", "'=1 Twin Street, North"],
        ]
    with pytest.raises(StorageError, match="cannot be written"):
        report_on(store, tmp_path / "no" / "such" / "folder.csv")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=cmd()", "'=cmd()"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-2.99", "-2.99"),
        ("+44", "+44"),
        ("1 High Street", "1 High Street"),
        ("", ""),
    ],
)
def test_a_spreadsheet_runs_no_formula_from_a_report(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_online_geocoders_are_asked_only_where_the_settings_name_them(tmp_path: Path) -> None:
    extract = tmp_path / "town.osm"
    extract.write_text(
        """<osm version="0.6"><node id="1" version="1" lat="51.58" lon="-2.99">
        <tag k="addr:housenumber" v="1"/><tag k="addr:street" v="High Street"/></node></osm>"""
    )
    area = Area(tmp_path / "town")
    Gazetteer.build(extract).save(area.folder / "gazetteer")
    facts = AreaFacts("town", "town.osm", 1, 0, 1, (51.5, -3.1, 51.7, -2.9))
    (area.folder / "area.json").write_text(json.dumps(asdict(facts)))
    settings = Settings(home=tmp_path, database_url="")
    assert isinstance(geocoder_for(area, settings), Gazetteer)
    online = replace(settings, geocoding=GeocodingSettings(online=("nominatim", "photon")))
    with pytest.raises(GeocodingError, match="not in hosts"):
        geocoder_for(area, online)
    online = replace(online, outgoing=OutgoingRules(hosts=("nominatim.openstreetmap.org", "photon.komoot.io")))
    geocoder = geocoder_for(area, online)
    assert isinstance(geocoder, ChainGeocoder)
    assert geocoder.locate("1 High Street").candidates[0].place == LatLon(51.58, -2.99)
