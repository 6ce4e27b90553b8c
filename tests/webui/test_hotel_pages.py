"""The hotels of an area on their page and over the API."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from api_town import AREA, MAX, Town
from booking_cast import spot
from plan_cast import text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import audited, hidden

from planner.access import Role
from planner.hotels.domain import Hotel
from planner.intake import EXAMPLES

PAGE = f"/a/{AREA}/hotels"
LIST = "/hotels"
EVIL = "<script>x</script>\"{{ 7*7 }}'&"
BY_THE_LAKE = {"lat": spot(500, -300).lat, "lon": spot(500, -300).lon}
FAR = {"lat": 60.5, "lon": 24.9}
BEAR = {"name": "The Bear", "address": "7 Mill Lane, Toytown", "minutes": ""}


@pytest.fixture
def office(tmp_path: Path) -> Town:
    office = Town(tmp_path)
    office.viewer = MAX
    return office


def kept(office: Town) -> list[Hotel]:
    with office.store.read() as unit:
        return unit.hotels.find(area=AREA)


def post(office: Town, action: str = "", **typed: Any) -> TestResponse:
    fields = hidden(office.page(PAGE), "hotels/import") | typed
    return office.client.post(f"{PAGE}{action}", data=fields, headers={"Origin": "http://localhost"})


def test_a_hotel_is_added_by_its_address_and_its_place_is_shown(office: Town) -> None:
    answer = post(office, **BEAR)
    assert answer.status_code == 303
    [bear] = kept(office)
    assert (bear.name, bear.minutes) == ("The Bear", None)
    said = text_of(office.page(answer.headers["Location"].removeprefix("http://localhost")))
    assert f"“The Bear” is added, at 7 Mill Lane, Toytown ({bear.lat:.5f}, {bear.lon:.5f})." in said
    assert "120 min a night" in said
    assert audited(office)[-1] == "hotel.added"


def test_an_address_that_is_not_sure_is_chosen_from_what_it_could_be(office: Town) -> None:
    answer = post(office, **BEAR | {"address": "Mill Laine 99"})
    assert answer.status_code == 422
    assert "Which one is meant?" in answer.get_data(as_text=True)
    assert post(office, **BEAR | {"address": "Mill Laine 99", "candidate": "1"}).status_code == 303


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Name is missing"),
        ({"name": "x" * 201}, "Name is longer than 200 characters"),
        ({"address": ""}, "Address is missing"),
        ({"address": "Nowhere at all 5"}, "Address is not known here"),
        ({"address": "60.5, 24.9"}, "Address is more than 500 m from every street of the area"),
        ({"minutes": "2000"}, "Price of a night is more than 1,440"),
        ({"minutes": "some"}, "is not a whole number"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(office: Town, typed: dict[str, str], said: str) -> None:
    answer = post(office, **BEAR | typed)
    assert answer.status_code == 422
    assert said in text_of(answer.get_data(as_text=True))
    assert kept(office) == []


def test_a_hotel_is_changed_and_removed(office: Town) -> None:
    post(office, **BEAR)
    [bear] = kept(office)
    assert post(office, f"/{bear.id}", **BEAR | {"minutes": "45", "revision": "1"}).status_code == 303
    [changed] = kept(office)
    assert (changed.minutes, changed.place, changed.revision) == (45, bear.place, 2)
    late = post(office, f"/{bear.id}", **BEAR | {"minutes": "60", "revision": "1"})
    assert late.status_code == 409
    assert "Somebody else has changed the hotel" in text_of(late.get_data(as_text=True))
    assert post(office, f"/{bear.id}/remove", revision="1").status_code == 409
    assert post(office, f"/{bear.id}/remove", revision="2").status_code == 303
    assert kept(office) == []


def test_a_hotel_that_was_taken_in_from_far_away_is_marked_and_can_be_moved_or_removed(office: Town) -> None:
    with office.store.write(audited=False) as unit:
        unit.hotels.put(Hotel(AREA, "h1", 1, "Far Inn", "60.50000, 24.90000", 60.5, 24.9))
    said = "No plan uses it: no street of the area is near."
    assert said in text_of(office.page(PAGE))
    typed = {"name": "Far Inn", "address": "60.50000, 24.90000", "revision": "1"}
    answer = post(office, "/h1", **typed, minutes="45")
    assert answer.status_code == 422
    assert "Address is more than 500 m from every street" in text_of(answer.get_data(as_text=True))
    assert post(office, "/h1", **typed | {"address": "7 Mill Lane, Toytown"}, minutes="").status_code == 303
    assert said not in text_of(office.page(PAGE))
    assert post(office, "/h1/remove", revision="2").status_code == 303


def test_a_file_is_imported_and_every_refused_row_told(office: Town) -> None:
    evil = EVIL.replace('"', "")
    at = spot(300, 0)
    rows = f"name,address,lat,lon,minutes\nThe Bear,7 Mill Lane,,,90\n{evil},,{at.lat},{at.lon},\nInn,,x,y,\n"
    answer = post(office, "/import", file=(io.BytesIO(rows.encode()), "hotels.csv"))
    page = office.page(answer.headers["Location"].removeprefix("http://localhost"))
    assert "Hotels: 2 added, 0 changed, 0 as they were, 1 refused." in text_of(page)
    assert "Line 4 (Inn): lat 'x' is not a number of degrees" in text_of(page)
    assert "<script>x" not in page
    assert post(office, "/import", file=(io.BytesIO(b"\0\1"), "hotels.csv")).status_code == 422
    assert post(office, "/import").status_code == 422


def test_the_example_has_all_columns(office: Town) -> None:
    answer = office.client.get(f"/a/{AREA}/records/examples/hotels.csv")
    assert answer.get_data(as_text=True).lstrip("\ufeff") == (EXAMPLES / "hotels.csv").read_text()


@pytest.mark.parametrize("role", [Role.FIELD_REP, Role.INSIDE_REP])
def test_reps_have_no_page_of_hotels(office: Town, role: Role) -> None:
    office.viewer = viewer(role, area=AREA, reps=frozenset({"ann"}) if role is Role.FIELD_REP else None)
    assert office.client.get(PAGE).status_code == 403


def test_a_program_adds_changes_lists_and_removes_hotels(office: Town) -> None:
    program = office.program(MAX)
    added = program.ask("POST", LIST, 201, json={"name": "The Bear", "address": "7 Mill Lane, Toytown"}).json
    assert (added["name"], added["revision"], added["minutes"]) == ("The Bear", 1, None)
    assert program.ask("GET", LIST, 200).json["hotels"] == [added]
    wanted = {"name": "The Bear", "address": "by the lake", "place": BY_THE_LAKE, "minutes": 30}
    changed = program.ask("PUT", f"{LIST}/{added['id']}", 200, json=wanted | {"revision": 1}).json
    assert (changed["place"], changed["minutes"], changed["revision"]) == (BY_THE_LAKE, 30, 2)
    problem = program.ask("PUT", f"{LIST}/{added['id']}", 409, json=wanted | {"revision": 1, "name": "Late"}).json
    assert problem["present"] == changed
    problem = program.ask("POST", LIST, 422, json={"name": "Inn", "address": "Nowhere at all 5"}).json
    assert problem["errors"][0]["pointer"] == "/address"
    problem = program.ask("POST", LIST, 422, json={"name": "Inn", "place": FAR}).json
    assert problem["errors"][0]["pointer"] == "/place"
    assert "more than 500 m from every street" in problem["errors"][0]["detail"]
    problem = program.ask("PUT", f"{LIST}/{added['id']}", 422, json=wanted | {"revision": 2, "place": FAR}).json
    assert problem["errors"][0]["pointer"] == "/place"
    program.ask("DELETE", f"{LIST}/{added['id']}?revision=2", 200)
    program.ask("GET", f"{LIST}/{added['id']}", 404)
