"""The hotels of an area: kept by use cases, and imported on the command line the way a person types it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from cli_cast import REP, Office, write_csv
from hypothesis import given
from hypothesis import strategies as st
from slots_cast import TOWN, SlotTown

from planner.cli.app import App
from planner.errors import InvalidRecordError, RefusedError
from planner.hotels.domain import MOST_HOTELS, Hotel
from planner.hotels.importing import read_hotels
from planner.hotels.keeping import (
    HotelChangedError,
    Wanted,
    add_hotel,
    change_hotel,
    hotels_in,
    keep_hotels,
    remove_hotel,
)
from planner.hotels.placing import OFF_THE_STREETS, known_streets, off_the_streets
from planner.intake import Row, Table
from planner.repository import UnitOfWork
from routing.errors import AreaError
from routing.gazetteer import Candidate, GeocodingResult, Verdict
from routing.geo import LatLon

BEAR = Wanted("The Bear", "3 Mill Lane", LatLon(51.5, -3.0))


def done(town: SlotTown, does: Callable[[UnitOfWork], object]) -> list[Hotel]:
    with town.writing() as unit:
        does(unit)
    with town.reading() as unit:
        return hotels_in(unit, TOWN)


def test_a_hotel_is_added_changed_and_removed_each_in_the_audit_log(slots: SlotTown) -> None:
    done(slots, lambda unit: add_hotel(unit, TOWN, "h1", BEAR))
    [bear] = done(slots, lambda unit: change_hotel(unit, TOWN, "h1", 1, replace(BEAR, minutes=45)))
    assert (bear.minutes, bear.revision, bear.place) == (45, 2, LatLon(51.5, -3.0))
    assert done(slots, lambda unit: remove_hotel(unit, TOWN, "h1", 2)) == []
    with slots.reading() as unit:
        actions = [entry.action for entry in unit.audit_log.entries() if entry.action.startswith("hotel")]
    assert actions == ["hotel.added", "hotel.changed", "hotel.removed"]


def test_what_somebody_else_has_changed_is_not_overwritten(slots: SlotTown) -> None:
    done(slots, lambda unit: add_hotel(unit, TOWN, "h1", BEAR))
    done(slots, lambda unit: change_hotel(unit, TOWN, "h1", 1, replace(BEAR, minutes=45)))
    with pytest.raises(HotelChangedError), slots.writing() as unit:
        change_hotel(unit, TOWN, "h1", 1, replace(BEAR, minutes=60))
    with pytest.raises(HotelChangedError), slots.writing() as unit:
        remove_hotel(unit, TOWN, "h1", 1)


def test_two_hotels_of_a_name_are_refused(slots: SlotTown) -> None:
    done(slots, lambda unit: add_hotel(unit, TOWN, "h1", BEAR))
    with pytest.raises(InvalidRecordError, match="already"), slots.writing() as unit:
        add_hotel(unit, TOWN, "h2", replace(BEAR, name=" the  bear"))


def test_an_area_has_only_so_many(slots: SlotTown) -> None:
    many = [replace(BEAR, name=f"Inn {number}") for number in range(MOST_HOTELS + 1)]
    numbers = count()
    with pytest.raises(RefusedError), slots.writing() as unit:
        keep_hotels(unit, TOWN, many, lambda: f"h{next(numbers)}")
    with slots.reading() as unit:
        assert hotels_in(unit, TOWN) == []


# ---- files


class NoGeocoder:
    """Knows one address."""

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        return GeocodingResult(Verdict.NOT_FOUND, (), "No such street.")


class Town:
    """Its streets end at the fifty-second degree."""

    def snap(self, places: Sequence[LatLon]) -> list[LatLon | None]:
        return [place if place.lat < 52 else None for place in places]


class Elsewhere(NoGeocoder):
    """Knows every address, far away."""

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        return GeocodingResult(Verdict.MATCHED, (Candidate(LatLon(53, -3), address, 1.0),), "Found.")


def table(*rows: dict[str, str]) -> Table:
    columns = {key: key for row in rows for key in row}
    return Table("hotels.csv", columns, [Row(number, row) for number, row in enumerate(rows, 2)], "utf-8")


@pytest.mark.parametrize(
    ("row", "field", "why"),
    [
        ({"name": "", "lat": "51", "lon": "-3"}, "name", "is empty"),
        ({"name": "x" * 201, "lat": "51", "lon": "-3"}, "name", "at most 200"),
        ({"name": "Inn", "lat": "", "lon": ""}, "address", "is empty, and so are lat and lon"),
        ({"name": "Inn", "lat": "51", "lon": ""}, "lon", "is not a number of degrees"),
        ({"name": "Inn", "lat": "nan", "lon": "1"}, "lat", "is not between -90 and 90"),
        ({"name": "Inn", "lat": "1e999", "lon": "1"}, "lat", "is not between -90 and 90"),
        ({"name": "Inn", "lat": "51", "lon": "181"}, "lon", "is not between -180 and 180"),
        ({"name": "Inn", "lat": "51", "lon": "1", "minutes": "much"}, "minutes", "is not a whole number"),
        ({"name": "Inn", "lat": "51", "lon": "1", "minutes": "1441"}, "minutes", "is not between 0 and 1440"),
        ({"name": "Inn", "lat": "", "lon": "", "address": "9 Far Road"}, "address", "is not found: No such street"),
        ({"name": "Inn\0", "lat": "51", "lon": "1"}, "name", "NUL"),
        ({"name": "Inn", "lat": "52", "lon": "1"}, "lat", "is more than 500 m from every street of the area"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_line_and_column(row: dict[str, str], field: str, why: str) -> None:
    read = read_hotels(
        table({"name": "The Bear", "lat": "51.5", "lon": "-3", "minutes": "90"}, row), NoGeocoder(), Town()
    )
    assert [(hotel.name, hotel.minutes) for hotel in read.hotels] == [("The Bear", 90)]
    [refusal] = read.refusals
    assert (refusal.line, refusal.field) == (3, field)
    assert why in refusal.reason


def test_a_hotel_whose_address_is_off_the_streets_is_refused_by_its_address() -> None:
    read = read_hotels(table({"name": "Inn", "address": "9 Far Road"}), Elsewhere(), Town())
    assert read.hotels == ()
    [refusal] = read.refusals
    assert (refusal.line, refusal.record_id, refusal.field, refusal.reason) == (2, "Inn", "address", OFF_THE_STREETS)


def test_where_the_streets_cannot_be_read_no_hotel_is_off_them() -> None:
    def damaged() -> Town:
        raise AreaError("streets.npz: damaged")

    streets = known_streets(damaged)
    assert len(read_hotels(table({"name": "Inn", "address": "9 Far Road"}), Elsewhere(), streets).hotels) == 1
    assert off_the_streets([BEAR.as_hotel(TOWN, "h1", 1)], streets) == frozenset()


def test_of_two_rows_of_a_name_the_first_counts() -> None:
    rows = ({"name": name, "lat": "51.5", "lon": "-3"} for name in ("The Bear", "THE  BEAR"))
    read = read_hotels(table(*rows), NoGeocoder(), None)
    assert ([hotel.name for hotel in read.hotels], len(read.refusals)) == (["The Bear"], 1)


@given(st.fixed_dictionaries({column: st.text(max_size=30) for column in ("name", "address", "lat", "lon", "minutes")}))
def test_every_row_is_a_hotel_or_refused(row: dict[str, str]) -> None:
    read = read_hotels(table({key: text.strip() for key, text in row.items()}), NoGeocoder(), Town())
    assert len(read.hotels) + len(read.refusals) == 1


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.open()
    office.type("import", "--reps", write_csv(tmp_path / "reps.csv", [REP | {"overnight": "yes"}]))
    return office


def test_hotels_are_imported_listed_and_removed_on_the_command_line(office: Office) -> None:
    rows = [
        {"name": "The Bear", "address": "3 Mill Lane", "city": "Squareton", "minutes": "90"},
        {"name": "Lake Inn", "address": "99 No Such Road"},
        {"name": "Hill House", "lat": "51.503", "lon": "-2.995"},
        {"name": "Far Inn", "lat": "52.5", "lon": "-2.995"},
    ]
    said = office.type("hotels", "import", write_csv(office.folder / "hotels.csv", rows))
    assert "hotels.csv: 2 added, 0 changed, 0 unchanged, 2 refused" in said
    assert "line 3, Lake Inn, address: is not found" in said
    assert "line 5, Far Inn, lat: is more than 500 m from every street of the area" in said
    said = office.type("hotels", "list")
    assert "The Bear: 3 Mill Lane, Squareton (51.50610, -2.99460), 90 min of driving a night" in said
    assert "Hill House: 51.50300, -2.99500, 120 min of driving a night" in said
    assert "hotels: 2, reps who may stay overnight: 1" in said
    said = office.type("hotels", "import", office.folder / "hotels.csv")
    assert "0 added, 0 changed, 2 unchanged, 2 refused" in said
    assert "Hill House is removed" in office.type("hotels", "remove", "hill house")
    assert "there is no hotel" in office.type("hotels", "remove", "hill house", status=2)


def test_a_hotel_that_an_older_program_took_in_from_far_away_stays_and_is_named(office: Office) -> None:
    app = App(office.home)
    with app.store.write() as unit:
        add_hotel(unit, "squareton", "h1", Wanted("Far Inn", "9 Far Road", LatLon(52.5, -3.0)))
    app.close()
    said = office.type("hotels", "list")
    assert "Far Inn: 9 Far Road (52.50000, -3.00000), 120 min of driving a night" in said
    assert "no plan uses it: no street is near" in said
