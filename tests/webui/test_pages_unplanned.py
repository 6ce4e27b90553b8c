"""What is not planned and why, and the addresses that wait for a person."""

from __future__ import annotations

import shlex
from datetime import time
from pathlib import Path

import pytest
from plan_cast import Office, Skeleton, plan, unplanned

from planner.domain import Account, Address, Location, RecordKind, Rep
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

UNPLANNED = "/a/helsinki/unplanned"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.area()
    return made


@pytest.fixture
def listed(office: Office) -> Office:
    """Two without time, one too far, one promise broken, one promise for later; and those for inside sales."""
    office.keep(
        plan(
            unplanned=[
                unplanned("A1", worth_minutes=30),
                unplanned("A2", worth_minutes=90),
                unplanned("O1", kind="opportunity", reason="too_far", sentence="adds 50 minutes, worth 20"),
                unplanned("O2", kind="appointment", reason="appointment_impossible", sentence="the office is shut"),
                unplanned("O3", kind="appointment", reason="appointment_on_another_day"),
            ],
            returned_to_inside=[{"record_id": "O7", "name": "Unready", "sentence": "need is unknown"}],
            dormant=[{"record_id": "A7", "name": "Asleep", "sentence": "last ordered on 2024-05-31"}],
        )
    )
    return office


def test_promises_that_cannot_be_kept_stand_first_and_only_there(listed: Office) -> None:
    text = listed.text(UNPLANNED)
    assert text.index("1 promise cannot be kept") < text.index("Left out O2") < text.index("Left out O1")
    assert text.count("Left out O2") == 1
    assert "The office is shut" in text


def test_a_promise_for_a_later_day_is_no_broken_promise(listed: Office) -> None:
    text = listed.text(UNPLANNED)
    assert text.index("Appointment on another day 1 The agreed day") < text.index("Left out O3")


def test_the_rest_is_grouped_by_reason_with_a_count_and_the_most_worth_first(listed: Office) -> None:
    text = listed.text(UNPLANNED)
    assert "No time left 2 Every day on which it could be is full." in text
    assert text.index("Left out A2") < text.index("Left out A1")
    assert "Adds 50 minutes, worth 20" in text
    assert "1 h 30" in text


def test_links_filter_by_kind_and_reason_and_count_what_they_lead_to(listed: Office) -> None:
    text = listed.text(UNPLANNED)
    assert "Kind All Promise 2 New opportunity 1 Due 2 Reason All" in text
    assert "Left out O1" not in listed.text(f"{UNPLANNED}?kind=due")
    assert "Left out A1" not in listed.text(f"{UNPLANNED}?reason=too_far")
    assert "No time left 0 Too far for its worth 1" in listed.text(f"{UNPLANNED}?kind=opportunity")
    assert "Nothing fits these filters" in listed.text(f"{UNPLANNED}?kind=due&reason=too_far")
    both = f"{UNPLANNED}?kind=due&reason=no_time_left"
    assert both in Skeleton(listed.page(f"{UNPLANNED}?reason=no_time_left")).links
    assert listed.page(both).count('aria-current="true"') == 2


def test_a_filter_that_does_not_exist_is_not_found(listed: Office) -> None:
    for query in ("kind=x", "reason=x", "kind={{7*7}}", "reason=%00"):
        listed.text(f"{UNPLANNED}?{query}", 404)


def test_inside_sales_finds_what_came_back_and_who_is_dormant(listed: Office) -> None:
    text = listed.text(UNPLANNED)
    assert "Back to inside sales 1" in text
    assert "Unready O7 Need is unknown" in text
    assert "Dormant customers 1" in text
    assert "Asleep A7 Last ordered on 2024-05-31" in text
    assert "Asleep" not in listed.text(f"{UNPLANNED}?kind=due")


def test_hundreds_of_rows_come_folded(office: Office) -> None:
    office.keep(plan(unplanned=[unplanned(f"A{number}") for number in range(400)]))
    page = office.page(UNPLANNED)
    assert page.count("Left out A") == 400
    assert "<details" in page
    assert " open" not in page.split("<main")[1]
    assert " open" in office.page(f"{UNPLANNED}?reason=no_time_left").split("<main")[1]


def test_when_everything_is_planned_the_page_says_so(office: Office) -> None:
    office.keep(plan())
    assert "Every candidate has a visit" in office.text(UNPLANNED)


def location(record_id: str, candidates: int = 0, street: str = "Mannerheimintie 1") -> Location:
    found = tuple(
        Candidate(LatLon(60.17, 24.94 + i / 100), f"Mannerheimintie {i}", 0.5) for i in range(1, candidates + 1)
    )
    verdict = Verdict.REVIEW if candidates else Verdict.NOT_FOUND
    return Location(RecordKind.ACCOUNT, record_id, Address(street), verdict, None, 0.5, "", "it is in 2 places", found)


def with_accounts(office: Office, *found: Location) -> Office:
    shops = [Account(id=entry.record_id, name=f"Shop {entry.record_id}", address=entry.address) for entry in found]
    office.know(*shops, *found)
    return office


def test_an_unsure_address_shows_its_candidates_and_the_command_that_settles_it(office: Office) -> None:
    text = with_accounts(office, location("A1", 2)).text("/a/helsinki/addresses")
    for said in (
        "Shop A1",
        "account A1",
        "It is in 2 places".lower(),
        "Mannerheimintie 2 60.17000,24.96000, 50 % sure",
    ):
        assert said.lower() in text.lower()
    assert "fieldvisit settle --candidate 1 account A1" in text


def test_those_with_candidates_come_before_those_without(office: Office) -> None:
    text = with_accounts(office, location("A1"), location("A2", 1)).text("/a/helsinki/addresses")
    assert text.index("Shop A2") < text.index("Shop A1")
    assert "fieldvisit settle --at LAT,LON account A1" in text


def test_the_command_names_the_area_only_where_there_are_several(office: Office) -> None:
    with_accounts(office, location("A1", 1))
    office.area("turku")
    assert "--area helsinki account A1" in office.text("/a/helsinki/addresses")


@pytest.mark.parametrize("record_id", ["A 1; rm -rf ~", "$(id)", "`id`", "it's", "-x", "--at", "Ä/1\\2"])
def test_the_command_is_safe_to_paste_whatever_the_id(office: Office, record_id: str) -> None:
    page = with_accounts(office, location(record_id, 1)).page("/a/helsinki/addresses")
    (command,) = (words for words in "".join(Skeleton(page).words).split("\n") if "fieldvisit settle" in words)
    assert shlex.split(command)[-1] == record_id
    assert ("--" in shlex.split(command)) == record_id.startswith("-")


def test_the_end_address_of_a_rep_carries_the_rep_s_name(office: Office) -> None:
    home, end = Address("Home 1"), Address("Nowhere 1")
    office.know(Rep("R1", "Zoe", "", home, end, "Europe/Helsinki", frozenset({0}), time(9), time(17)))
    assert "Zoe rep R1/end" in office.text("/a/helsinki/addresses")


def test_when_all_addresses_are_located_the_page_says_so(office: Office) -> None:
    assert "Every address is located" in office.text("/a/helsinki/addresses")
