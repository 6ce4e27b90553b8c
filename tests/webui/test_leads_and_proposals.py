"""Where leads come from, when somebody first spoke to them, and that a proposal is made: on pages and by program."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from booking_cast import AREA, INES, CallOffice
from plan_cast import text_of
from test_handoff_pages import (
    ANN,
    KNOWN,
    MONA,
    NEW,
    SECRET,
    deal,
    edit_of,
    handed_off,
    id_of,
    moved,
    page_of,
    sent,
    standing,
)
from werkzeug.test import TestResponse
from writing_cast import hidden


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def contacted(office: CallOffice, id: str, page: str = "") -> TestResponse:
    """Tap the button of an opportunity's page, as it was shown."""
    fields = hidden(page or office.page(page_of(id)), "contacted")
    url = f"/a/{AREA}/opportunity/contacted?id={quote(id)}"
    return office.client.post(url, data=fields, headers={"Origin": "http://localhost"})


def test_a_lead_has_a_source_and_the_moment_it_came_in(office: CallOffice) -> None:
    assert 'name="lead_at" aria-describedby' not in office.page(NEW)
    assert 'value="2026-11-30T08:00"' in office.page(NEW)
    id = id_of(sent(office, NEW, "draft", **KNOWN, source="trade fair", lead_at="2026-11-26T10:30"))
    known = deal(office, id)
    assert (known.source, str(known.lead_at), known.contacted_at) == ("trade fair", "2026-11-26 10:30:00", None)
    text = office.text(page_of(id))
    assert "Source trade fair" in text
    assert "Came in Thu 26 Nov 10:30" in text


def test_what_is_still_to_come_is_no_first_contact(office: CallOffice) -> None:
    answer = sent(office, NEW, "draft", **KNOWN, contacted_at="2026-11-30T08:01")
    assert answer.status_code == 422
    assert "First contact must not be after now" in text_of(answer.get_data(as_text=True))


def test_one_tap_writes_down_the_first_contact_and_the_form_takes_it_back(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    before = office.page(page_of(id))
    assert "I have spoken to them" in before
    assert contacted(office, id, before).status_code == 303
    assert str(deal(office, id).contacted_at) == "2026-11-30 08:00:00"
    page = office.page(page_of(id))
    assert "I have spoken to them" not in page
    assert "Contacted Mon 30 Nov 08:00" in text_of(page)
    assert contacted(office, id, before).status_code == 303  # the same tap, sent twice
    sent(office, edit_of(id), "draft", **KNOWN, contacted_at="")
    assert deal(office, id).contacted_at is None


def test_who_taps_on_an_old_page_hears_that_it_has_changed(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    old = office.page(page_of(id))
    sent(office, edit_of(id), "draft", **(KNOWN | {"notes": "Three tills"}))
    answer = contacted(office, id, old)
    assert answer.status_code == 409
    assert "Somebody else has changed Pelican Inn meanwhile" in text_of(answer.get_data(as_text=True))


def test_the_field_taps_no_first_contact(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    office.viewer = ANN
    assert "I have spoken to them" not in office.page(page_of(id))


def test_a_proposal_is_one_tap_once_the_visit_is_made(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    office.viewer = ANN
    assert "A proposal is made" not in office.page(page_of(id))
    assert moved(office, id, "report", learned="They want two").status_code == 303
    assert "A proposal is made" in office.page(page_of(id))
    assert moved(office, id, "propose").status_code == 303
    page = office.page(page_of(id))
    assert "A proposal is made" not in page
    assert "Proposal made" in text_of(page).partition("History")[2]
    assert standing(office, id).state == "visited"
    office.viewer = MONA
    assert moved(office, id, "win").status_code == 303
    office.viewer = INES
    assert "Won" in office.text(page_of(id))
