"""The coverage map: what its page and its data tell, to whom, and how much of it there is."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from coverage_map_cast import ANNS_MANAGER, MAP, MapOffice, at, covered, customers
from figures_cast import TODAY, cover

from planner.coverage.domain import CoverageState
from planner.jobs.requests import COVERAGE
from webui.presenting.coverage_map import SHADES, STATES, map_accounts


@pytest.fixture
def office(tmp_path: Path) -> MapOffice:
    return MapOffice(tmp_path)


def test_the_page_holds_no_customer_and_says_as_of_when_it_is(office: MapOffice) -> None:
    page = office.page(MAP)
    assert "Worked out 1 h 30 ago" in page
    assert not [one.name for one in customers() if one.name in page]
    assert "The map needs JavaScript" in page
    assert len(gzip.compress(page.encode())) < 6_000


def test_no_movement_of_the_map_undoes_the_view_that_an_address_asks_for(office: MapOffice) -> None:
    assert '"animate": false' in office.page(MAP)


def test_data_tell_places_and_states_and_no_name(office: MapOffice) -> None:
    data = office.told("accounts")
    placed = [one for one in customers() if one.lat is not None]
    assert len(data["states"]) == len(placed)
    assert data["nowhere"] == 1
    assert data["weeks"] == [-26, 2]
    names = json.dumps(data)
    assert not [one.name for one in customers() if one.name in names or one.account_id in names]
    lats = list(itertools.accumulate(data["lats"]))
    assert sorted(lats) == sorted(round(one.lat * 1e5) for one in placed if one.lat is not None)
    states = [state for state, *_ in STATES]
    assert sorted(data["states"]) == sorted(str(states.index(one.state)) for one in placed)


def test_data_that_have_not_changed_are_not_sent_again(office: MapOffice) -> None:
    first = office.client.get(f"{MAP}/accounts", headers={"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(first.data))["stamp"] in first.headers["ETag"]
    same = {"If-None-Match": first.headers["ETag"]}
    assert office.client.get(f"{MAP}/accounts", headers=same).status_code == 304
    office.cover(covered(customers()[:3]), TODAY + timedelta(days=1))
    assert office.client.get(f"{MAP}/accounts", headers=same).status_code == 200


def test_a_click_tells_name_state_owner_and_what_comes_next(tmp_path: Path) -> None:
    late = cover(
        "L1", "ann", name="Late & Co", state=CoverageState.OVERDUE, overdue_days=9, planned_days=(TODAY,),
        planned_rep="b/1", visits=(TODAY - timedelta(days=23),), **at(0, 0),
    )  # fmt: skip
    new = cover("N1", "", state=CoverageState.DUE, visits=(), unreached="too_far", why="it is too far", **at(500, 0))
    office = MapOffice(tmp_path, [late, new])
    stamp = office.told("accounts")["stamp"]
    told = {one["name"]: one for one in office.told("customers", stamp=stamp, n=[0, 1])["customers"]}
    assert told["Late & Co"]["lines"] == [
        "Overdue by 9 days", "Segment A · Ann", "Last visit 7 Nov 2026, every 14 days",
        "Planned 30 Nov 2026 by Ben Virtanen",
    ]  # fmt: skip
    assert told["Late & Co"]["url"] == "/a/helsinki/customer?id=L1"
    assert told["Customer N1"]["lines"][1:] == [
        "Segment A · nobody’s",
        "Never visited, every 14 days",
        "It is too far.",
    ]


@pytest.mark.parametrize("asked", [{"n": 1}, {"stamp": "0" * 20, "n": 1}])
def test_numbers_of_other_data_are_refused(office: MapOffice, asked: dict[str, Any]) -> None:
    assert office.told("customers", 409, **asked)["detail"] == "The coverage has been worked out anew."


def test_a_number_that_is_none_is_passed_over(office: MapOffice) -> None:
    stamp = office.told("accounts")["stamp"]
    assert office.told("customers", stamp=stamp, n=["-1", "²", "x", "999", "9" * 5_000])["customers"] == []


def test_a_manager_of_a_team_never_gets_another_teams_customers(office: MapOffice) -> None:
    everybodys = office.told("accounts")["stamp"]
    office.viewer = ANNS_MANAGER
    seen = [one for one in customers() if one.rep_id in ("ann", "")]
    data = office.told("accounts")
    assert len(data["states"]) == sum(one.lat is not None for one in seen)
    assert [rep for rep, _ in data["reps"]] == ["ann", ""]
    assert [territory for territory, _ in data["territories"]] == ["", "west"]
    assert office.told("customers", 409, stamp=everybodys, n=[0]) == {
        "detail": "The coverage has been worked out anew."
    }
    told = office.told("customers", stamp=data["stamp"], n=list(range(50)))["customers"]
    assert {one["name"] for one in told} == {one.name for one in seen if one.lat is not None}
    drawn = office.told("territories")
    assert [each["properties"]["name"] for each in drawn["features"]] == ["The west"]
    own = sum(one.territory_id == "west" for one in seen)
    assert drawn["features"][0]["properties"]["figures"]["customers"] == own
    assert "Ben" not in json.dumps([data, drawn, told])
    assert office.told("isochrones", 404, rep="b/1") == office.told("isochrones", 404, rep="nobody")


def test_territories_are_told_by_every_figure_on_offer(office: MapOffice) -> None:
    drawn = office.told("territories")
    assert list(drawn["measures"]) == list(SHADES)
    offered = re.findall(r'<option value="(\w+)">', office.page(MAP).split('id="measure"')[1].split("</select>")[0])
    assert offered == list(SHADES)
    west = next(each["properties"] for each in drawn["features"] if each["properties"]["id"] == "west")
    lying = [one for one in customers() if one.territory_id == "west"]
    late = sum(one.state is CoverageState.OVERDUE for one in lying)
    assert west["figures"]["customers"] == len(lying)
    assert west["figures"]["overdue_share"] == round(late / len(lying), 3)
    assert west["figures"]["value"] == sum(one.annual_value for one in lying)
    assert west["rep"] == "Ann"


def test_hours_short_are_shared_among_territories_by_what_their_customers_take(tmp_path: Path) -> None:
    # Ann is 30 hours short of 150; her two customers in the west take two hours each, and the one in the east.
    takes = {"visits_a_month": 2.0, "service_minutes": 40, "drive_minutes": 20.0}
    office = MapOffice(
        tmp_path,
        [cover(f"A{n}", "ann", territory_id=where, **takes) for n, where in enumerate(("west", "west", "east"))],
    )
    features = office.told("territories")["features"]
    short = {each["properties"]["id"]: each["properties"]["figures"]["short"] for each in features}
    assert short == {"west": 0.8, "east": 0.4}


def test_a_territory_that_is_newer_than_the_figures_has_none(office: MapOffice) -> None:
    office.cover(covered(territories=()), TODAY + timedelta(days=1))
    figures = [each["properties"]["figures"] for each in office.told("territories")["features"]]
    assert [set(each.values()) for each in figures] == [{None}, {None}]


def test_drive_time_is_told_in_bands_round_the_reps_base(office: MapOffice) -> None:
    reach = office.told("isochrones", rep="ann")
    assert [each["properties"]["minutes"] for each in reach["features"]] == [10, 20, 30, 45]
    assert reach["base"] == [60.170072, 24.941808]


def test_businesses_that_are_no_customers_come_without_the_customers(office: MapOffice) -> None:
    told = office.told("white-space")
    assert set(told) == {"categories", "lats", "lons", "category", "names", "addresses"}


def test_before_it_is_worked_out_the_page_says_so_and_asks_for_it(tmp_path: Path) -> None:
    office = MapOffice(tmp_path)
    with office.store.write(audited=False) as unit:
        unit.coverages.remove("helsinki")
    assert "worked out for the first time" in office.page(MAP)
    for address in ("accounts", "territories"):
        assert office.told(address, 404)["detail"] == "Coverage is being worked out for the first time."
    with office.store.read() as unit:
        assert [job.kind for job in unit.jobs.find(area="helsinki")] == [COVERAGE]


def test_ten_thousand_customers_are_small_to_send() -> None:
    """Visits of half a year, by the usual cadences."""
    accounts = []
    for number in range(10_000):
        cadence = (14, 28, 84, 84, 28, 84, 84, 14, 28, 84)[number % 10]
        ago = range(number * 7919 % cadence, 200, cadence + number * 31 % 5 - 2)
        east, north = number * 7919 % 9_973 * 4.1, number * 104_729 % 9_967 * 3.9
        visits = tuple(TODAY - timedelta(days=each) for each in reversed(ago))
        accounts.append(
            cover(f"C{number}", ("ann", "b/1")[number % 2], cadence_days=cadence, visits=visits, **at(east, north))
        )
    packed = map_accounts(covered(accounts), "stamp")
    assert len(gzip.compress(packed.document, 9)) < 150_000
