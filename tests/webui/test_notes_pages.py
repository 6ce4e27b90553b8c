"""Notes on a rep's day: two write at once on pages, each is shown what the other wrote, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_cast import MONDAY, MORNING, Office, plan, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import ANN, BEN, audited, hidden

from planner.access import Role

DAY = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"
NOTE = f"/a/helsinki/day/{MONDAY}/note?rep=ann"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.area()
    office.know(ANN, BEN)
    office.keep(plan(), published_at=MORNING)
    return office


def form(office: Office) -> dict[str, str]:
    return hidden(office.page(DAY), "/note")


def write(office: Office, fields: dict[str, str], text: str) -> TestResponse:
    return office.client.post(NOTE, data=fields | {"text": text})


def test_a_note_stands_on_the_page_of_the_day(office: Office) -> None:
    answer = write(office, form(office), "Car in the garage\nuntil <ten>")
    assert answer.status_code == 303
    assert answer.location == f"{DAY}#note"
    page = office.page(DAY)
    assert "Car in the garage\nuntil &lt;ten&gt;" in page
    assert "Change the note" in page
    assert audited(office) == ["note.written"]


def test_who_saves_over_somebody_else_s_note_sees_both_and_nothing_is_lost(office: Office) -> None:
    hers, his = form(office), form(office)
    write(office, hers, "hers")
    refused = write(office, his, "his")
    page = refused.get_data(as_text=True)
    assert refused.status_code == 409
    assert "hers" in text_of(page)
    assert ">his</textarea>" in page
    assert "hers" in office.text(DAY)
    merged = office.client.post(NOTE, data=hidden(page, "/note") | {"text": "hers and his"})
    assert merged.status_code == 303
    assert "hers and his" in office.text(DAY)


def test_a_third_who_writes_while_two_are_merged_is_not_lost_either(office: Office) -> None:
    hers, his = form(office), form(office)
    write(office, hers, "hers")
    merging = hidden(write(office, his, "his").get_data(as_text=True), "/note")
    write(office, form(office), "hers and a third")
    again = office.client.post(NOTE, data=merging | {"text": "hers and his"})
    assert again.status_code == 409
    assert "hers and a third" in again.get_data(as_text=True)


def test_a_double_click_writes_once(office: Office) -> None:
    fields = form(office)
    assert [write(office, fields, "once").status_code for _ in range(2)] == [303, 303]
    assert audited(office) == ["note.written"]


def test_a_text_that_cannot_be_kept_comes_back_with_what_is_wrong(office: Office) -> None:
    answer = write(office, form(office), "x" * 2001)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "The note is 2,001 characters long, at most 2,000 are kept" in text_of(page)
    assert "x" * 2001 in page
    assert office.client.post(NOTE, data=hidden(page, "/note") | {"text": "shorter"}).status_code == 303


def test_a_nul_comes_back_too(office: Office) -> None:
    assert write(office, form(office), "a\0b").status_code == 422


@pytest.mark.parametrize("revision", ["", "x", "-1", "99999999999999999999"])
def test_a_revision_that_our_form_cannot_hold_is_refused(office: Office, revision: str) -> None:
    assert write(office, form(office) | {"revision": revision}, "hello").status_code == 400


def test_a_field_rep_writes_on_their_own_day_and_on_nobody_else_s(office: Office) -> None:
    office.viewer = viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    assert write(office, form(office), "mine").status_code == 303
    stranger = office.client.post(NOTE.replace("ann", "ben"), data=form(office) | {"text": "yours"})
    assert stranger.status_code == 404
    elsewhere = office.client.post(NOTE.replace("helsinki", "turku"), data=form(office) | {"text": "yours"})
    assert elsewhere.status_code == 404
    assert audited(office) == ["note.written"]


def test_an_inside_rep_writes_on_no_day(office: Office) -> None:
    fields = form(office)
    office.viewer = viewer(Role.INSIDE_REP, area="helsinki")
    assert write(office, fields, "hello").status_code == 403


def test_a_day_that_is_no_date_is_not_found(office: Office) -> None:
    answer = office.client.post(NOTE.replace(MONDAY, "someday"), data=form(office) | {"text": "hello"})
    assert answer.status_code == 404
