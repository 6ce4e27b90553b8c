"""Slots and bookings on the command line, the way a person types them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_cast import REP, Office, account, opportunity, write_csv

TODAY = datetime.now(UTC).date()
MONDAY = TODAY + timedelta(days=14 - TODAY.weekday())
"""A week ahead at least, so that no notice and no published plan is in the way."""
HIGH_STREET = "2 High Street, Squareton"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town with two reps and their customers, located; Bea alone speaks Welsh."""
    office = Office(tmp_path_factory.mktemp("squareton"))
    office.open()
    bea = REP | {"rep_id": "R2", "name": "Bea", "start_address": "1 Mill Lane, Squareton", "languages": "cy, en"}
    reps = write_csv(office.folder / "reps.csv", [REP, bea])
    accounts = write_csv(office.folder / "accounts.csv", [account(n) for n in (2, 3)])
    opportunities = write_csv(office.folder / "opportunities.csv", [opportunity(4, visit_minutes="45")])
    office.type("import", "--reps", reps, "--accounts", accounts, "--opportunities", opportunities)
    office.type("geocode")
    return office.home


@pytest.fixture
def office(built: Path, tmp_path: Path) -> Office:
    office = Office(tmp_path)
    shutil.copytree(built, office.home)
    return office


def offered(office: Office, *options: object, minutes: int = 60, days: int = 5) -> dict[str, Any]:
    words = ("slots", "--address", HIGH_STREET, "--minutes", minutes, "--from", MONDAY, "--days", days, *options)
    found: dict[str, Any] = json.loads(office.type(*words, "--json"))
    return found


def book(office: Office, *options: object, day: date = MONDAY, at: str = "10:00", status: int = 0) -> dict[str, Any]:
    said = office.type("book", "--rep", "R1", "--day", day, "--at", at, *options, "--json", status=status)
    booking: dict[str, Any] = json.loads(said) if status == 0 else {"said": said}
    return booking


SOMEBODY = ("--address", HIGH_STREET, "--minutes", 60, "--name", "Bread & Co")


def test_slots_are_told_as_a_table_with_what_they_do_to_the_day(office: Office) -> None:
    said = office.type("slots", "--address", HIGH_STREET, "--minutes", 60, "--from", MONDAY, "--days", 1)
    assert said.splitlines()[0].startswith("2 High Street, Squareton (51.5")
    assert f"Mon {MONDAY}" in said
    assert "Ann" in said
    assert "nothing else is planned on" in said


def test_slots_as_json_can_be_booked_as_they_are(office: Office) -> None:
    found = offered(office)
    assert found["why_none"] == ""
    assert found["insertions_tried"] > 0
    assert found["offers_checked"] >= len(found["slots"]) > 1
    slot = found["slots"][0]
    assert slot["grade"] == "A"
    options = ("--rep", slot["rep_id"], "--day", slot["day"], "--at", slot["start"][11:16])
    promise = json.loads(office.type("book", *options, *SOMEBODY, "--json"))
    assert promise["state"] == "promised"
    assert promise["start"] == slot["start"]
    assert promise["end"] == slot["end"]


def test_who_goes_can_be_narrowed_down(office: Office) -> None:
    def reps(*options: object) -> set[str]:
        return {slot["rep_id"] for slot in offered(office, *options)["slots"]}

    assert reps("--rep", "R2") == reps("--language", "cy") == {"R2"}
    assert reps("--skills", "crane") == set()
    assert offered(office, "--skills", "crane")["why_none"]


def test_days_are_searched_from_today_on_and_no_farther_than_visits_are_booked(office: Office) -> None:
    words = ("slots", "--address", HIGH_STREET, "--minutes", 60)
    assert office.type(*words, "--from", "9999-12-31").splitlines()[1] == "visits are booked at most 60 days ahead"
    past = json.loads(office.type(*words, "--from", "0001-01-01", "--json"))
    assert past["slots"]
    assert all(date.fromisoformat(slot["day"]) >= TODAY for slot in past["slots"])


def test_nothing_is_promised_where_the_calendar_file_cannot_be_written(office: Office) -> None:
    said = book(office, *SOMEBODY, "--ics", office.folder / "nowhere" / "visit.ics", status=1)["said"]
    assert "cannot be written, so nothing was booked" in said
    book(office, *SOMEBODY)


def test_windows_are_as_wide_as_asked_and_within_hours(office: Office) -> None:
    slots = offered(office, "--window", 90, "--hours", "Mo-Fr 09:00-12:00", "--meaning", "whole", "--limit", 3)["slots"]
    assert 0 < len(slots) <= 3
    for slot in slots:
        assert slot["start"][11:16] <= "10:30"
        assert slot["end"][11:16] <= "12:30"


def test_an_address_that_is_not_sure_names_its_candidates(office: Office) -> None:
    said = office.type("slots", "--address", "77 Mill Lane", "--minutes", 60, status=1)
    assert "“77 Mill Lane” is not sure" in said
    assert "Mill Lane" in said.split("LAT,LON:")[1]
    assert "not sure" in office.type("slots", "--address", "Nowhere", "--minutes", 60, status=1)


def test_a_booking_for_somebody_new_makes_a_record_and_tells_what_to_send(office: Office) -> None:
    file = office.folder / "visit.ics"
    said = office.type(
        "book", "--rep", "R1", "--day", MONDAY, "--at", "10:00", *SOMEBODY, "--contact", "Joe", "--ics", file
    )  # fmt: skip
    assert f"Bread & Co, Ann, {MONDAY} 10:00–11:00" in said
    assert "Hello Joe," in said
    assert b"BEGIN:VEVENT" in file.read_bytes()


def test_a_time_that_is_taken_is_refused(office: Office) -> None:
    book(office, "--window", 5, *SOMEBODY)
    said = book(office, "--window", 5, *SOMEBODY, at="10:15", status=1)["said"]
    assert said.startswith("Error: ")
    assert book(office, "--window", 5, *SOMEBODY, at="14:00")["state"] == "promised"


def test_what_was_held_is_given_back_where_it_cannot_be_promised(office: Office) -> None:
    nameless = (*SOMEBODY[:-1], "Bread & Co", "--email", "x" * 3_000)
    book(office, "--window", 5, *nameless, status=1)
    assert book(office, "--window", 5, *SOMEBODY)["state"] == "promised"


def test_an_opportunity_knows_where_and_how_long(office: Office) -> None:
    promise = book(office, "--opportunity", "O4")
    assert promise["opportunity_id"] == "O4"
    assert promise["service_minutes"] == 45
    assert promise["address"].startswith("4 High Street")
    assert "promise" in book(office, "--opportunity", "O4", day=MONDAY + timedelta(days=1), status=1)["said"]


def test_a_hold_is_confirmed_or_given_back(office: Office) -> None:
    held = book(office, *SOMEBODY, "--hold-only")
    assert held["state"] == "held"
    assert held["expires_at"]
    assert f"promised {held['id']}" in office.type("book", "--confirm", held["id"])
    other = book(office, *SOMEBODY, "--hold-only", at="14:00")
    assert f"released {other['id']}" in office.type("book", "--cancel", other["id"])


def test_a_promise_moves_and_is_called_off_with_a_reason(office: Office) -> None:
    first = book(office, *SOMEBODY)
    second = book(office, "--move", first["id"], day=MONDAY + timedelta(days=1), at="14:30")
    assert second["replaces"] == first["id"]
    assert second["name"] == "Bread & Co"
    file = office.folder / "off.ics"
    said = office.type("book", "--cancel", second["id"], "--reason", "bought elsewhere", "--ics", file)
    assert f"cancelled {second['id']}" in said
    assert b"METHOD:CANCEL" in file.read_bytes()


def test_names_are_only_ever_text(office: Office) -> None:
    name = "[red]Bold[/red] {{7*7}}"
    said = office.type("book", "--rep", "R1", "--day", MONDAY, "--at", "10:00", *SOMEBODY[:-1], name)
    assert name in said


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--rep", "R1"), 2, "--day, --at"),
        (("--rep", "R1", "--day", MONDAY, "--at", "10:00"), 2, "--address, --minutes, --name"),
        (("--confirm", "a", "--cancel", "b"), 2, "only one"),
        (("--rep", "R9", "--day", MONDAY, "--at", "10:00", *SOMEBODY), 1, "no rep R9"),
        (("--rep", "R1", "--day", MONDAY, "--at", "10:00", "--opportunity", "O9"), 1, "no opportunity O9"),
        (("--confirm", "nothing"), 1, "no booking nothing"),
        (("--cancel", "nothing"), 1, "no booking nothing"),
    ],
)
def test_what_is_missing_or_unknown_is_told_in_a_sentence(
    office: Office, words: tuple[object, ...], status: int, said: str
) -> None:
    assert said in office.type("book", *words, status=status)


def test_a_time_that_the_clocks_skip_is_none(office: Office) -> None:
    sunday = date(2027, 3, 28)
    said = book(office, *SOMEBODY, day=sunday, at="01:30", status=1)["said"]
    assert "there is no 01:30 on 2027-03-28 in Europe/London" in said
