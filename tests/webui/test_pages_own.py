"""What a field rep and an inside rep start with: their own days, and what became of their handoffs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import pytest
from plan_cast import MONDAY, MORNING, TUESDAY, Office, Skeleton, plan, rep_day, stop, unplanned, viewer

from planner.access import Role
from planner.domain import Address, Location, Opportunity, RecordKind, Rep
from routing.gazetteer import Verdict
from routing.geo import LatLon

ANN = viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
INES = viewer(Role.INSIDE_REP, email="ines@example.com")
STREET = Address("Unioninkatu 1", "Helsinki")


def deal(id: str, name: str, need: str = "yes", appointment: datetime | None = None) -> Opportunity:
    known = {"budget": "yes", "authority": "yes", "need": need, "inside_rep": "Ines@Example.com"}
    return Opportunity(id, name, STREET, appointment=appointment, **known)


def visit(id: str, number: int = 1, begin: str = "09:15", leave: str = "09:45", kind: str = "opportunity") -> dict:
    return stop(number, begin, leave, kind=kind, visit_id=f"opportunity:{id}", record_ids=[id])


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two handoffs are planned, one is a promise; the others wait for something."""
    made = Office(tmp_path, viewer=INES)
    made.area()
    deals = [
        deal("O1", "Kahvila"), deal("O2", "Savoy", appointment=datetime.fromisoformat("2026-11-30T09:55")),
        deal("O4", "Hopia", need="unknown"), deal("O5", "Kannisto"), deal("O6", "Panimo"), deal("O7", "Ekberg"),
        replace(deal("O9", "Of Ivan"), inside_rep="ivan@example.com"),
    ]  # fmt: skip
    matched = [
        Location(RecordKind.OPPORTUNITY, known.id, STREET, Verdict.MATCHED, LatLon(60.1, 24.9), 1.0, "", "")
        for known in deals
        if known.id != "O5"
    ]
    ann_herself = Rep(
        "ann", "Ann Andersson", "", STREET, None, "Europe/Helsinki", frozenset(range(5)), time(9), time(17)
    )  # fmt: skip
    made.know(ann_herself, *deals, *matched)
    ann = rep_day("ann", [visit("O1"), visit("O2", 2, "09:55", "10:25", "appointment")], rep_name="Ann Andersson")
    ben = rep_day("ben", [visit("O9")], TUESDAY)
    far = unplanned("O6", kind="opportunity", reason="too_far", sentence="50 minutes of driving (Ben, Mon)")
    made.keep(plan([ann, ben, rep_day("ann", [], TUESDAY)], unplanned=[far]), published_at=MORNING)
    return made


def test_an_inside_rep_starts_with_when_each_handoff_is_visited_and_by_whom(office: Office) -> None:
    text = office.text("/")
    assert "My handoffs" in text
    assert "Planned 3" not in text
    assert "Mon 30 Nov today 09:15 Kahvila O1 Ann 09:55 Savoy O2 Promise for 09:55 Ann" in text
    assert text == office.text("/a/helsinki/handoffs")
    for others in ("Andersson", "Of Ivan", "Ben", "Kaisaniemenkatu"):
        assert others not in text


def test_what_waits_says_for_what(office: Office) -> None:
    text = office.text("/")
    assert "Yours to do Hopia O4 Draft Complete it and hand it off Need is unknown, must be yes" in text
    assert "Kannisto O5 Handed off Unioninkatu 1, Helsinki Not geocoded yet." in text
    assert "Panimo O6 Handed off Too far for its worth: it adds more driving than it is worth" in text
    assert "Ekberg O7 Handed off Waits for the next plan" in text


def test_an_inside_rep_finds_no_days(office: Office) -> None:
    for address in ("/a/helsinki/", f"/a/helsinki/day/{MONDAY}", f"/a/helsinki/day/{MONDAY}/rep?rep=ann"):
        office.text(address, 403)
    links = Skeleton(office.page("/a/helsinki/unplanned")).links
    assert not any("plan.json" in link or "/day/" in link for link in links)


def test_who_has_handed_off_nothing_is_told_what_would_be_here(office: Office) -> None:
    office.viewer = viewer(Role.INSIDE_REP, email="new@example.com")
    assert "You have handed nothing off here" in office.text("/")


def test_a_manager_sees_everybody_s_handoffs(office: Office) -> None:
    office.viewer = viewer(Role.MANAGER)
    text = office.text("/a/helsinki/handoffs")
    assert "Of Ivan" in text
    assert "Settle addresses" in text


def test_a_field_rep_starts_with_their_own_days_and_no_way_to_others(office: Office) -> None:
    office.viewer = ANN
    page, text = office.page("/"), office.text("/")
    assert "Visits 2 Driving 15 min 4.2 km Promises 1" in text
    assert "Mon 30 Nov today 2 visits 1 promise 09:05–10:30 · 15 min driving 09:10 Customer 1 first of 2 stops" in text
    assert "Tue 1 Dec tomorrow No visits, works 09:00–17:00" in text
    assert "Ben" not in text
    for link in Skeleton(page).links:
        assert not link.startswith(f"/a/helsinki/day/{MONDAY}") or "rep=ann" in link
        if link.startswith("/a/"):
            assert office.client.get(link).status_code == 200, link


def test_the_day_of_a_field_rep_leads_to_no_team(office: Office) -> None:
    office.viewer = ANN
    page = office.page(f"/a/helsinki/day/{MONDAY}/rep?rep=ann")
    assert "Team on" not in page
    assert "Also on" not in page


def test_somebody_else_s_day_is_answered_as_one_that_does_not_exist(office: Office) -> None:
    office.viewer = ANN
    answers = [
        office.client.get(f"/a/helsinki/day/{day}/rep?rep={rep}")
        for day, rep in ((TUESDAY, "ben"), (TUESDAY, "nobody"), ("2031-01-01", "ann"))
    ]
    assert {response.status_code for response in answers} == {404}


def test_a_rep_does_not_see_drafts(office: Office) -> None:
    office.viewer = ANN
    draft = office.keep(plan([rep_day("ann", [stop(name="Not yet")])]))
    assert "Not yet" not in office.text("/")
    assert office.text(f"/?plan={draft}", 404).replace(str(draft), "N") == office.text("/?plan=9", 404).replace(
        "9", "N"
    )


def test_while_nothing_is_published_a_rep_is_told_so_and_no_command(tmp_path: Path) -> None:
    office = Office(tmp_path, viewer=ANN)
    office.area()
    office.keep(plan())
    text = office.text("/")
    assert "There is no plan for you yet" in text
    assert "fieldvisit plan" not in text


def test_another_area_is_answered_as_one_that_does_not_exist(office: Office) -> None:
    office.viewer = ANN
    office.area("turku")
    for page in ("", "unplanned", "plan.json", "basemap.pmtiles"):
        there, nowhere = (office.text(f"/a/{area}/{page}", 404) for area in ("turku", "oulu"))
        assert there.replace("turku", "X") == nowhere.replace("oulu", "X")
    assert "turku" not in office.page("/")
