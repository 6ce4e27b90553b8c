"""Addresses that are still being typed."""

from __future__ import annotations

import pytest
from test_gazetteer import NEWPORT, Town, spot

from routing.gazetteer import Gazetteer
from routing.geo import great_circle_m


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    made = Town()
    made.street("Commercial Road", 0, "1 2 2a 20 21 33_-_37", NEWPORT | {"addr:postcode": "NP20 2PA"})
    made.street("Commercial Street", 1000, "1 2", NEWPORT | {"addr:postcode": "NP20 1LN"})
    made.street("Old Market Way", 2000, "7", {"addr:city": "Caerleon", "addr:postcode": "NP18 1AA"})
    made.street("Rue de l'Église", 3000, "3")
    made.street("Twin Lane", 4000, "5", NEWPORT).street("Twin Lane", 9000, "5", NEWPORT)
    made.door("9", "Old Market Way", 2000, 100, {"addr:housename": "The Granary", "addr:city": "Caerleon"})
    made.node(2000, 0, {"place": "village", "name": "Caerleon"})
    return made.gazetteer(tmp_path_factory.mktemp("town"))


def texts(town: Gazetteer, typed: str) -> list[str]:
    return [found.text for found in town.complete(typed)]


def test_the_beginning_of_a_street_offers_the_streets_whose_number_is_still_to_come(town: Gazetteer) -> None:
    found = town.complete("comm")
    assert [(one.text, one.street) for one in found] == [("Commercial Road", True), ("Commercial Street", True)]


@pytest.mark.parametrize(
    "typed", ["commercial rd 2", "2 comm rd", "2, commercial road", "comm r 2", "2 COMMERCIAL ROAD"]
)
def test_number_and_street_are_typed_in_either_order_and_abbreviated(town: Gazetteer, typed: str) -> None:
    first = "2 Commercial Road, Newport NP20 2PA"
    assert texts(town, typed)[:4] == [
        first, "2a Commercial Road, Newport NP20 2PA", "20 Commercial Road, Newport NP20 2PA",
        "21 Commercial Road, Newport NP20 2PA",
    ]  # fmt: skip
    assert great_circle_m(town.complete(typed)[0].place, spot(0, 20)) < 5


@pytest.mark.parametrize("typed", ["21 comercial road", "21 commercail ro", "21 Comerc", "21 commetcial"])
def test_slips_of_the_finger_are_forgiven_while_typing(town: Gazetteer, typed: str) -> None:
    assert texts(town, typed) == ["21 Commercial Road, Newport NP20 2PA"]


def test_a_number_within_a_range_is_found(town: Gazetteer) -> None:
    assert texts(town, "35 commercial road") == ["33 - 37 Commercial Road, Newport NP20 2PA"]


def test_a_word_inside_a_name_is_enough_and_accents_are_not_needed(town: Gazetteer) -> None:
    assert texts(town, "market")[0] == "Old Market Way"
    assert texts(town, "3 rue eglise")[:1] == ["3 Rue de l'Église"]
    assert texts(town, "eglise 3")[:1] == ["3 Rue de l'Église"]


def test_a_postcode_with_or_without_a_number_offers_its_doors(town: Gazetteer) -> None:
    assert texts(town, "2 np20 1ln") == ["2 Commercial Street, Newport NP20 1LN"]
    assert texts(town, "NP18 1A") == ["7 Old Market Way, Caerleon NP18 1AA"]


def test_what_stands_behind_the_street_says_which_one_is_meant(town: Gazetteer) -> None:
    assert texts(town, "1 commercial, newport np20 1")[0] == "1 Commercial Street, Newport NP20 1LN"
    assert texts(town, "7 old market way caerleon np18 1aa") == ["7 Old Market Way, Caerleon NP18 1AA"]


def test_a_house_is_found_by_its_name(town: Gazetteer) -> None:
    assert texts(town, "the gran") == ["The Granary, 9 Old Market Way, Caerleon"]


def test_a_number_that_the_street_does_not_have_offers_its_neighbours(town: Gazetteer) -> None:
    assert texts(town, "8 old market way")[0] == "7 Old Market Way, Caerleon NP18 1AA"


def test_the_same_address_in_two_places_is_offered_twice(town: Gazetteer) -> None:
    first, second = town.complete("5 twin lane")
    assert first.text == second.text == "5 Twin Lane, Newport"
    assert great_circle_m(first.place, second.place) > 4000


@pytest.mark.parametrize(
    "typed", ["", " ", ",,,", "2", "c", "x" * 5000, "12345678", "🏠🏠🏠", "..", "2 zzzz", "\0", "((("]
)
def test_what_says_too_little_offers_nothing(town: Gazetteer, typed: str) -> None:
    assert town.complete(typed) == []


def test_no_more_are_offered_than_asked_for(town: Gazetteer) -> None:
    assert len(town.complete("commercial road", limit=3)) == 3
