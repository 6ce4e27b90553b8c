"""A rep's day to take along: one page of paper, and a GPX file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import Serve, Watched
from hostile import HOSTILE
from plan_cast import MONDAY, MORNING, Office, plan, rep_day, stop, text_of

from planner.domain import Account, Address, Opportunity
from planner.rep_days import RepDayNote


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.area()
    return office


NS = {"gpx": "http://www.topografix.com/GPX/1/1"}
LONG = "Asked for the price of forty units and wants to see the old machine taken away before the holidays. " * 3


def full_day(stops: int) -> dict[str, Any]:
    """So many visits, with much to say about each."""
    visits = []
    for number in range(1, stops + 1):
        begin, leave = (f"{8 + (number * 40 + more) // 60:02}:{(number * 40 + more) % 60:02}" for more in (0, 30))
        deal = {"visit_id": f"opportunity:O{number}", "record_ids": [f"O{number}"], "kind": "opportunity"}
        visits.append(
            stop(number, begin, leave, **deal, name=f"Southern Ironworks & Sons number {number}",
                 address=f"Long Business Park, Unit {number}, Etelärannankatu {number}, Helsinki 00130",
                 why="14 days overdue: last visit 2026-10-19, every 28 days; rides along with O1 on this day")
        )  # fmt: skip
    return rep_day(stops=visits)


def taken_along(office: Office, stops: int) -> str:
    """The address of the page for paper."""
    deals = [
        Opportunity(f"O{number}", "Deal", Address("x"), f"A{number}", contact_name="Katariina Virtanen-Lindström",
                    contact_phone="+358 40 123 4567", contact_email="katariina.virtanen@southern.example", notes=LONG)
        for number in range(1, stops + 1)
    ]  # fmt: skip
    office.keep(plan([full_day(stops)]), published_at=MORNING)
    with office.store.write(audited=False) as unit:
        unit.records("helsinki").save_all(deals)
        unit.rep_day_notes.put(RepDayNote("helsinki", "ann", date.fromisoformat(MONDAY), 1, "Samples are in the van"))
    return f"/a/helsinki/day/{MONDAY}/print?rep=ann"


def test_the_day_on_paper_has_times_addresses_contacts_and_notes(office: Office) -> None:
    said = text_of(office.page(taken_along(office, 3)))
    expected = ("Monday 30 November 2026", "Leave 09:05", "08:40–09:10", "Etelärannankatu 1", "+358 40 123 4567",
                  "katariina.virtanen@southern.example", "14 days overdue", "Asked for", "Samples")  # fmt: skip
    assert [words for words in expected if words not in said] == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_day_of_twelve_visits_is_one_page_of_a4(
    office: Office, serve: Serve, watch: Callable[..., Watched], tmp_path: Path
) -> None:
    address = taken_along(office, 12)
    watched = watch(viewport={"width": 390, "height": 844})
    watched.page.goto(serve(office.app) + address)
    assert watched.page.locator("#print").is_visible()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    made = watched.page.pdf(path=tmp_path / "day.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", made)) == 1
    assert watched.errors == []


def test_a_gpx_file_has_the_stops_in_their_order_and_the_way_between_them(office: Office) -> None:
    with office.store.write(audited=False) as unit:
        unit.records("helsinki").save(Account("A1", "x", Address("x"), contact_name="Kim", contact_phone="+1 2"))
    office.keep(plan([rep_day(stops=[stop(), stop(2, "09:55", "10:25")])]), published_at=MORNING)
    answer = office.client.get(f"/a/helsinki/day/{MONDAY}/rep.gpx?rep=ann")
    assert answer.status_code == 200
    assert answer.mimetype == "application/gpx+xml"
    assert "helsinki-2026-11-30.gpx" in answer.headers["Content-Disposition"]
    root = ElementTree.fromstring(answer.get_data())
    assert [point.findtext("gpx:name", "", NS) for point in root.findall("gpx:wpt", NS)] == [
        "1. Customer 1",
        "2. Customer 2",
    ]
    assert root.findtext("gpx:wpt/gpx:cmt", "", NS) == "09:15–09:45 · Kim, +1 2"
    segments = root.findall("gpx:trk/gpx:trkseg", NS)
    assert len(segments) == 3  # out, between, and home
    first, last = segments[0][0], segments[-1][-1]
    assert (first.get("lat"), first.get("lon")) == (last.get("lat"), last.get("lon")) == ("60.170200", "24.944700")


@pytest.mark.parametrize("text", [*HOSTILE, "a\x01b\ufffe\u2028c"])
def test_whatever_somebody_is_called_the_gpx_file_can_be_read(office: Office, text: str) -> None:
    if "\0" in text:
        return
    named = stop(name=text, address=text)
    office.keep(plan([rep_day(stops=[named], rep_name=text or "x")]), published_at=MORNING)
    answer = office.client.get(f"/a/helsinki/day/{MONDAY}/rep.gpx?rep=ann")
    root = ElementTree.fromstring(answer.get_data())
    assert root.findtext("gpx:wpt/gpx:name", "", NS).startswith("1.")


@pytest.mark.parametrize("page", ["print", "rep.gpx"])
def test_a_day_that_is_not_there_is_not_found(office: Office, page: str) -> None:
    office.keep(plan([rep_day()]), published_at=MORNING)
    client = office.client
    for asked in (f"{MONDAY}/{page}?rep=ben", f"{MONDAY}/{page}", f"2031-01-01/{page}?rep=ann", f"soon/{page}?rep=ann"):
        assert client.get(f"/a/helsinki/day/{asked}").status_code == 404
