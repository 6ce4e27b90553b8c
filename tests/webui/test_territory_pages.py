"""Territories and white space on pages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from plan_cast import Office, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import ANN, BEN, NORTH, audited, hidden

from planner.access import Role
from planner.domain import Account, Address, Location, RecordKind
from planner.territories.domain import Territory, TerritorySource
from routing.boundaries import Boundaries, Boundary, BoundaryKind
from routing.businesses import Business, Businesses
from routing.gazetteer import Verdict
from routing.shapes import from_geojson

PAGE, WHITE = "/a/helsinki/territories", "/a/helsinki/white-space"
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona", area="helsinki")
HOME = {"Origin": "http://localhost"}


def square(west: float = 24.9, south: float = 60.1, size: float = 0.1) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def shop(id_: str, rep_id: str, name: str = "", category: str = "shop=bakery") -> list[Account | Location]:
    account = Account(id_, name or f"Shop {id_}", Address(f"{id_} Street"), category, "A", rep_id, annual_value=1_000)
    place = Location(RecordKind.ACCOUNT, id_, account.address, Verdict.MATCHED, NORTH, 1.0, "", "")
    return [account, place]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path, viewer=MONA)
    folder = office.area()
    office.know(ANN, BEN, *shop("A1", "ann"), *shop("A2", "ben"), *shop("A3", ""))
    shape = from_geojson(square())
    known = [
        Boundary(f"r{n}", BoundaryKind.ADMINISTRATIVE, 8, name, shape) for n, name in enumerate(["Espoo", "Vantaa"])
    ]
    known.append(Boundary("postcode:00100", BoundaryKind.POSTCODE, 0, "00100", shape))
    Boundaries(tuple(known), ("Two were clipped.",)).save(folder)
    bread = Business("n1", "=Bread & Sons", "shop=bakery", 60.181, 24.941, "Mill Lane 7", "Helsinki", "00100")
    Businesses((bread, Business("w2", "Shop A1", "shop=bakery", 60.18, 24.94))).save(folder)
    return office


def add(office: Office, *names: str, rep_id: str = "") -> list[str]:
    with office.store.write(audited=False) as unit:
        for name in names:
            unit.territories.put(Territory("helsinki", name.lower(), 1, name, rep_id, TerritorySource.DRAWN, square()))
    return [name.lower() for name in names]


def kept(office: Office) -> list[tuple[str, str, int]]:
    with office.store.read() as unit:
        return [(each.name, each.rep_id, each.revision) for each in unit.territories.find(area="helsinki")]


def post(office: Office, action: str, **typed: Any) -> TestResponse:
    page = office.page(PAGE)
    forms = hidden(page, "territories/import") | ({"revision": "1"} if "revision" not in typed else {})
    return office.client.post(f"{PAGE}/{action}", data=forms | typed, headers=HOME)


def upload(office: Office, value: Any, **more: Any) -> TestResponse:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return post(office, "import", file=(io.BytesIO(data), "areas.geojson"), **more)


def feature(name: str, geometry: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def shown(office: Office, response: TestResponse) -> str:
    """The page that a form leads to."""
    assert response.status_code == 303, response.get_data(as_text=True)
    return office.text(response.headers["Location"])


# --- adding -----------------------------------------------------------------------------------------------------------


def test_without_any_the_page_says_how_they_come(office: Office) -> None:
    text = office.text(PAGE)
    assert "There is none yet. Import a file, take boundaries of the map, or draw one." in text
    assert "Two were clipped." in text
    assert "Towns and municipalities (2), level 8" in text
    assert "Postcode districts (1)" in text


def test_a_file_is_imported_and_the_page_says_what_came_of_it(office: Office) -> None:
    wound = square()
    wound["coordinates"][0].pop()
    text = shown(office, upload(office, {"type": "FeatureCollection", "features": [feature("Töölö", wound)]}))
    assert "Territories: 1 added." in text
    assert "“Töölö”: its outline was not closed, and is now." in text
    assert "3 customers" in text
    assert [name for name, _, _ in kept(office)] == ["Töölö"]
    assert audited(office)[-1] == "territories.added"


def test_nothing_of_a_file_is_imported_while_a_feature_is_wrong(office: Office) -> None:
    point = {"type": "Point", "coordinates": [24.9, 60.1]}
    response = upload(office, {"type": "FeatureCollection", "features": [feature("A", square()), feature("B", point)]})
    assert response.status_code == 422
    text = text_of(response.get_data(as_text=True))
    assert "Nothing is imported." in text
    assert "Feature 2 (“B”) is a Point: a territory is a Polygon or a MultiPolygon." in text
    assert kept(office) == []


def test_a_file_sent_twice_is_imported_once(office: Office) -> None:
    fields = hidden(office.page(PAGE), "territories/import")
    for _ in range(2):
        data = fields | {"file": (io.BytesIO(json.dumps(feature("A", square())).encode()), "a.json")}
        assert office.client.post(f"{PAGE}/import", data=data, headers=HOME).status_code == 303
    assert len(kept(office)) == 1


@pytest.mark.parametrize("data", [b"", b"nonsense", b"[" * 100_000, b"\xff\xfe"])
def test_a_file_that_is_no_geojson_is_refused_with_a_sentence(office: Office, data: bytes) -> None:
    assert upload(office, data).status_code == 422


def test_shapes_of_the_same_name_are_replaced_where_that_is_ticked(office: Office) -> None:
    add(office, "North", rep_id="ann")
    text = shown(office, upload(office, feature("north", square(24.8)), replacing="yes"))
    assert "Territories: 1 with a new shape." in text
    assert kept(office) == [("North", "ann", 2)]


def test_boundaries_that_are_ticked_become_territories(office: Office) -> None:
    text = shown(office, post(office, "boundaries", boundary=["r0", "r1"], of="8"))
    assert "Territories: 2 added." in text
    assert {name for name, _, _ in kept(office)} == {"Espoo", "Vantaa"}
    assert shown(office, post(office, "boundaries", boundary=["postcode:00100"], of="postcodes"))
    assert post(office, "boundaries", of="8").status_code == 422
    assert post(office, "boundaries", boundary=["r0", "unknown"], of="8").status_code == 422


def test_an_area_built_before_says_so_and_the_page_goes_on(office: Office) -> None:
    for name in ("boundaries.json", "businesses.json"):
        (office.folder / "helsinki" / name).unlink()
    add(office, "North")
    text = office.text(PAGE)
    assert "add it again from its extract" in text
    assert "North" in text
    assert post(office, "boundaries", boundary=["r0"], of="8").status_code == 422
    assert "add it again" in office.text(WHITE)
    assert office.client.get(f"{WHITE}/list.csv").status_code == 404


def test_one_is_drawn_and_drawn_anew(office: Office) -> None:
    drawn = post(office, "drawn", name="Drawn", rep="ann", geometry=json.dumps(square()))
    assert "Territories: 1 added." in shown(office, drawn)
    with office.store.read() as unit:
        (territory,) = unit.territories.find(area="helsinki")
    anew = post(office, f"{territory.id}/shape", geometry=json.dumps(square(24.8)))
    assert "“Drawn” has its new shape." in shown(office, anew)
    assert kept(office) == [("Drawn", "ann", 2)]
    for wrong in ({"name": " "}, {"rep": "zoe"}, {"geometry": "{}"}, {"geometry": "x"}):
        typed = {"name": "B", "rep": "", "geometry": json.dumps(square())} | wrong
        assert post(office, "drawn", **typed).status_code == 422, wrong
    assert post(office, f"{territory.id}/shape", geometry=json.dumps(square())).status_code == 409


# --- changing ---------------------------------------------------------------------------------------------------------


def test_one_is_renamed_and_given_to_a_rep(office: Office) -> None:
    add(office, "North")
    assert "“Uptown” is saved." in shown(office, post(office, "north", name="Uptown", rep="ben"))
    assert kept(office) == [("Uptown", "ben", 2)]


def test_what_makes_no_sense_is_told_beside_its_field_and_nothing_is_lost(office: Office) -> None:
    add(office, "North", "South")
    for typed, said in (
        ({"name": " ", "rep": ""}, "The name is empty."),
        ({"name": "south", "rep": ""}, "there is a territory “south” already"),
        ({"name": "Mine", "rep": "zoe"}, "there is no rep zoe"),
    ):
        response = post(office, "north", **typed)
        assert response.status_code == 422
        assert said in text_of(response.get_data(as_text=True))
    assert 'value="Mine"' in response.get_data(as_text=True)


def test_of_two_managers_the_second_sees_what_the_first_has_made_of_it(office: Office) -> None:
    add(office, "North")
    shown(office, post(office, "north", name="Uptown", rep="ben"))
    response = post(office, "north", name="Midtown", rep="ann")
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "It is now called “Uptown” and Ben’s." in text_of(page)
    assert 'value="Midtown"' in page
    assert hidden(page, "territories/north")["revision"] == "2"
    assert post(office, "north/remove").status_code == 409


def test_one_is_removed(office: Office) -> None:
    add(office, "North")
    assert "“North” is removed; its customers stay whose they are." in shown(office, post(office, "north/remove"))
    assert kept(office) == []
    assert post(office, "north/remove").status_code == 404


def test_customers_of_another_rep_and_of_nobody_are_a_link_away(office: Office) -> None:
    add(office, "North", rep_id="ann")
    text = office.text(PAGE)
    assert "3 customers · 1 of another rep · 1 of nobody" in text
    assert "Shop A2" in office.text(f"{PAGE}/customers?territory=north&whose=others")
    assert "Shop A1" not in office.text(f"{PAGE}/customers?territory=north&whose=others")
    assert "Shop A3" in office.text(f"{PAGE}/customers?territory=north&whose=nobodys")
    assert "There are no such customers." in office.text(f"{PAGE}/customers")
    assert office.client.get(f"{PAGE}/customers?territory=nowhere").status_code == 404


def test_territories_that_overlap_and_customers_outside_are_told(office: Office) -> None:
    add(office, "North", "South")
    text = office.text(PAGE)
    assert "“North” and “South” overlap by" in text
    for territory in ("north", "south"):
        post(office, f"{territory}/remove")
    add(office, "Away")
    with office.store.write(audited=False) as unit:
        unit.territories.put(Territory("helsinki", "away", 1, "Away", "", TerritorySource.DRAWN, square(10.0)))
    assert "3 customers lie in none." in office.text(PAGE)


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.FIELD_REP, Role.INSIDE_REP])
def test_reps_see_none_of_this(office: Office, role: Role) -> None:
    office.viewer = viewer(role, area="helsinki", reps=frozenset({"ann"}))
    for address in (PAGE, f"{PAGE}/customers", WHITE, f"{WHITE}/list.csv"):
        assert office.client.get(address).status_code == 403


def test_a_manager_of_a_team_sees_its_own_and_nobodys(office: Office) -> None:
    add(office, "Anns", rep_id="ann")
    add(office, "Bens", rep_id="ben")
    office.viewer = viewer(Role.MANAGER, id="u-team", area="helsinki", reps=frozenset({"ann"}))
    text = office.text(PAGE)
    assert "Anns" in text
    assert "Bens" not in text
    assert post(office, "bens", name="Mine", rep="ann").status_code == 404
    assert post(office, "anns", name="Anns", rep="ben").status_code == 422


# --- white space ------------------------------------------------------------------------------------------------------


def test_a_business_that_no_customer_covers_is_a_suggestion_with_its_source(office: Office) -> None:
    add(office, "North", rep_id="ann")
    text = office.text(WHITE)
    assert "1 business in 1 category that customers have." in text
    assert "=Bread & Sons bakery (shop) Mill Lane 7, Helsinki 00100" in text
    assert "North Ann" in text
    assert "© OpenStreetMap contributors" in text
    assert "Which customers are due has not been worked out yet" in text


def test_a_category_is_chosen_and_others_are_asked_for(office: Office) -> None:
    Businesses((Business("n1", "Cut", "shop=hairdresser", 60.181, 24.941),)).save(office.folder / "helsinki")
    assert "There are no such businesses." in office.text(WHITE)
    assert "Cut hairdresser (shop)" in office.text(f"{WHITE}?others=yes")
    assert "There are no such businesses." in office.text(f"{WHITE}?others=yes&category=shop%3Dbakery")


def test_the_list_is_saved_and_its_names_are_no_formulas(office: Office) -> None:
    response = office.client.get(f"{WHITE}/list.csv")
    (row,) = csv.DictReader(io.StringIO(response.get_data().decode("utf-8-sig")))
    assert row["name"] == "'=Bread & Sons"
    assert row["source"] == "© OpenStreetMap contributors"
    assert office.client.get(f"{WHITE}/list.xlsx").data[:2] == b"PK"
    assert office.client.get(f"{WHITE}/list.pdf").status_code == 404
