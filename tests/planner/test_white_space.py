"""White space: which businesses no customer covers, and what is told of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cast import account

from planner.access import EVERYTHING, Scope
from planner.domain import Account, Location, RecordKind
from planner.settings import CandidateSettings
from planner.storage import open_store
from planner.territories.domain import Territory, TerritorySource
from planner.territories.looking import Customer
from planner.territories.white_space import (
    COLUMNS,
    Nearest,
    WhiteSpace,
    as_rows,
    covered_by_customers,
    find_white_space,
    nearest_due,
    white_space,
)
from routing.area import Area
from routing.businesses import Business, Businesses
from routing.extract import read_graph
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.streets import StreetNetwork

TODAY = date(2026, 11, 30)
LAT, LON = 51.5, -3.0
METRE = 1 / 111_195


def business(name: str, category: str = "shop=bakery", north_m: float = 0, **more: Any) -> Business:
    return Business(
        more.pop("id", f"n{abs(hash((name, north_m))) % 10**9}"), name, category, LAT + north_m * METRE, LON
    )


def customer(name: str, north_m: float | None = 0, **changes: Any) -> Customer:
    place = None if north_m is None else LatLon(LAT + north_m * METRE, LON)
    return Customer(account(changes.pop("id", name.replace(" ", "-").lower()), name=name, **changes), place)


def found(businesses: list[Business], customers: list[Customer], **how: Any) -> WhiteSpace:
    return white_space(
        businesses,
        customers,
        how.pop("everybody", customers),
        TODAY,
        CandidateSettings(),
        lambda lat, lon: ("", ""),
        **how,
    )


# --- who is a customer already ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours", "metres", "covered"),
    [
        ("Miller Bakery", "Miller Bakery Ltd", 10, True),
        ("Miller Bakery", "Bakery Miller", 45, True),
        ("Miller Bakery", "Mills Bakery", 45, True),
        ("Miller Bakery", "Butcher Jones", 0, False),
        ("Miller Bakery", "Mills Bakery", 120, False),
        ("Miller Bakery", "Miller Bakery", 200, True),
        ("Miller Bakery", "Miller Bakery", 400, False),
    ],
)
def test_a_business_with_a_like_name_nearby_is_a_customer(theirs: str, ours: str, metres: float, covered: bool) -> None:
    it = business(theirs)
    assert (covered_by_customers([it], [customer(ours, metres)]) == {it.id}) is covered


def test_of_a_customer_without_a_place_the_name_alone_tells() -> None:
    same, other = business("Miller Bakery"), business("Jones Bakery", north_m=500)
    assert covered_by_customers([same, other], [customer("Miller Bakery Ltd", None)]) == {same.id}


def test_a_colleagues_customer_is_no_prospect_of_a_team_that_does_not_see_it() -> None:
    ours, colleagues = customer("Ours", 5_000, category="shop=bakery"), customer("Miller Bakery")
    assert found([business("Miller Bakery")], [ours], everybody=[ours, colleagues]).prospects == ()
    assert len(found([business("Miller Bakery")], [ours]).prospects) == 1


# --- which ones, in which order ---------------------------------------------------------------------------------------


def test_only_categories_of_customers_are_looked_at_unless_others_are_asked_for() -> None:
    businesses = [business("Loaf"), business("Cut", "shop=hairdresser")]
    customers = [customer("Ours", 5_000, category="shop=bakery")]
    assert [each.business.name for each in found(businesses, customers).prospects] == ["Loaf"]
    assert [each.key for each in found(businesses, customers, others=True).categories] == [
        "shop=bakery", "shop=hairdresser"]  # fmt: skip
    chosen = found(businesses, customers, others=True, chosen={"shop=hairdresser"})
    assert [each.business.name for each in chosen.prospects] == ["Cut"]
    assert len(chosen.categories) == 2


def test_a_category_in_which_more_customers_buy_well_comes_first() -> None:
    businesses = [business("Loaf"), business("Cut", "shop=hairdresser"), business("Pint", "amenity=pub")]
    customers = [
        customer("B1", 5_000, category="shop=bakery", annual_value=100),
        customer("B2", 5_100, category="shop=bakery", annual_value=100),
        customer("H1", 5_200, category="shop=hairdresser", annual_value=9_000),
        customer("P1", 5_300, category="amenity=pub", annual_value=9_000, last_order=date(2020, 1, 1)),
    ]
    categories = found(businesses, customers).categories
    assert [(each.key, each.customers, each.buying_well) for each in categories] == [
        ("shop=hairdresser", 1, 1), ("shop=bakery", 2, 0), ("amenity=pub", 1, 0)]  # fmt: skip


def test_without_customers_there_is_no_white_space_until_others_are_asked_for() -> None:
    assert found([business("Loaf")], []).prospects == ()
    assert len(found([business("Loaf")], [], others=True).prospects) == 1


# --- with whom --------------------------------------------------------------------------------------------------------


def test_the_territory_and_its_rep_are_told(tmp_path: Path) -> None:
    area = Area(tmp_path / "newport")
    area.folder.mkdir()
    Businesses((business("Loaf"), business("Far Loaf", north_m=50_000))).save(area.folder)
    ring = [[-3.1, 51.4], [-2.9, 51.4], [-2.9, 51.6], [-3.1, 51.6], [-3.1, 51.4]]
    ours = account("ours", name="Ours", category="shop=bakery")
    theirs = account("theirs", name="Far Loaf", category="shop=bakery", owner_rep_id="ben")
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with store.write(audited=False) as unit:
        unit.records("newport").save(ours)
        unit.records("newport").save(theirs)
        unit.records("newport").save_locations([_at(theirs, 50_000)])
        shape = {"type": "Polygon", "coordinates": [ring]}
        unit.territories.put(Territory("newport", "t1", 1, "North", "anna", TerritorySource.DRAWN, shape))
    for scope in (EVERYTHING, Scope("newport", frozenset({"anna"}))):
        (only,) = find_white_space(store, scope, area, CandidateSettings(), TODAY).prospects
        assert (only.business.name, only.territory_id, only.rep_id) == ("Loaf", "t1", "anna")
    store.close()


def _at(of: Account, north_m: float) -> Location:
    place = LatLon(LAT + north_m * METRE, LON)
    return Location(RecordKind.ACCOUNT, of.id, of.address, Verdict.MATCHED, place, 1.0, "", "")


def test_the_nearest_due_customer_is_the_one_from_whom_driving_takes_least(tmp_path: Path) -> None:
    nodes = {1: (51.5, -3.0), 2: (51.5, -2.99), 3: (51.5, -2.98), 9: (51.6, -2.5), 10: (51.6, -2.49)}
    corners = "".join(f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>' for n, (lat, lon) in nodes.items())
    street = "".join(f'<nd ref="{n}"/>' for n in (1, 2, 3))
    island = "".join(f'<nd ref="{n}"/>' for n in (9, 10))
    tag = '<tag k="highway" v="residential"/>'
    file = tmp_path / "street.osm"
    file.write_text(
        f'<?xml version="1.0"?><osm version="0.6">{corners}<way id="1" version="1">{street}{tag}</way>'
        f'<way id="2" version="1">{island}{tag}</way></osm>'
    )
    network = StreetNetwork.compile(read_graph(file))
    due = [Customer(account(name), LatLon(51.5, lon)) for name, lon in (("west", -3.0), ("east", -2.981))]
    places = [LatLon(51.5, -2.983), LatLon(51.5, -2.998), LatLon(51.6, -2.495)]
    near = nearest_due(network, due, places)
    assert [each.account_id if each else None for each in near] == ["east", "west", None]
    assert near[0] is not None
    assert near[0].minutes == pytest.approx(
        int(network.travel_times([LatLon(51.5, -2.981), places[0]]).seconds[0, 1]) / 60
    )
    assert nearest_due(network, [Customer(account("lost"), None)], places) == [None, None, None]


def test_the_list_has_a_cell_for_each_column_and_says_where_it_is_from() -> None:
    prospects = found([business("=cmd|' /C calc'!A0")], [customer("Ours", 5_000, category="shop=bakery")]).prospects
    (row,) = as_rows(prospects, [Nearest("A1", "Ours", 3.14159)], {}, {})
    assert len(row) == len(COLUMNS)
    assert dict(zip(COLUMNS, row, strict=True))["minutes_from_it"] == 3.1
    assert row[-1] == "© OpenStreetMap contributors"
    assert json.dumps(row)
