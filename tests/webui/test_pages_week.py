"""The start page: which plan is shown, what it says, and what stands there while there is none."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from plan_cast import MONDAY, MORNING, TUESDAY, Office, Skeleton, plan, rep_day, stop, unplanned

from webui.presenting import view_of


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.area()
    return made


def test_the_start_page_of_a_single_area_is_its_week(office: Office) -> None:
    office.keep(plan())
    assert office.text("/") == office.text("/a/helsinki/")
    assert "30 November – 1 December 2026" in office.text("/")


def test_with_several_areas_the_start_page_names_them(office: Office) -> None:
    office.area("turku")
    page = office.page("/")
    assert "/a/helsinki/" in page
    assert "/a/turku/" in page


def test_without_an_area_the_start_page_says_how_to_build_one(tmp_path: Path) -> None:
    assert "fieldvisit area add NAME --extract FILE.osm.pbf" in Office(tmp_path).text("/")


def test_without_a_plan_the_next_command_to_type_is_there(office: Office) -> None:
    assert "fieldvisit import --reps" in office.text("/")
    office.area("turku")
    assert "--area turku" in office.text("/a/turku/unplanned")


def test_the_plan_published_last_is_shown_before_a_newer_draft(office: Office) -> None:
    office.keep(plan(), published_at=MORNING + timedelta(hours=2))
    office.keep(plan(), published_at=MORNING + timedelta(hours=1))
    office.keep(plan())
    assert "helsinki · plan 1 published" in office.text("/")


def test_without_a_published_plan_the_newest_draft_is_shown(office: Office) -> None:
    office.keep(plan())
    office.keep(plan())
    assert "helsinki · plan 2 draft" in office.text("/")


def test_another_version_stays_chosen_on_every_page_that_its_links_lead_to(office: Office) -> None:
    office.keep(plan([rep_day("olga")]))
    office.keep(plan())
    page = office.page("/?plan=1")
    assert "plan 1" in page
    without_plan = (
        *("/handoffs", "/book", "/planning", "/records", "/addresses", "/publish", "/check-ins"),
        *("/coverage", "/pipeline", "/goals"),
    )
    links = [link for link in Skeleton(page).links if link.startswith("/a/") and not link.endswith(without_plan)]
    assert any("/rep?" in link for link in links)
    for link in links:
        if link != "/a/helsinki/":  # where the form that picks a version leads
            assert "plan=1" in link, link
            assert office.client.get(link).status_code == 200


def test_a_version_that_is_no_plan_is_not_found(office: Office) -> None:
    office.keep(plan())
    for wrong in ("2", "0", "-1", "x", "", "1e3", "٣", "1" * 40, "1'--"):
        assert "There is no such page" in office.text(f"/?plan={wrong}", 404)


def test_the_summary_counts_visits_driving_promises_and_what_is_not_planned(office: Office) -> None:
    promised = [stop(kind="appointment"), stop(2, "09:55", "10:25")]
    broken = unplanned("O1", kind="appointment", reason="appointment_impossible")
    later = unplanned("O2", kind="appointment", reason="appointment_on_another_day")
    office.keep(plan([rep_day(stops=promised)], unplanned=[broken, later, unplanned()]))
    text = office.text("/")
    for said in ("Visits 2", "Driving 15 min 4.2 km", "Promises kept 1 of 2", "Not planned 3"):
        assert said in text
    assert "1 promise cannot be kept." in text


def test_a_cell_of_the_week_says_visits_hours_driving_promises_and_what_is_late(office: Office) -> None:
    stops = [stop(kind="appointment"), stop(2, "09:55", "10:25", kind="opportunity", late=True, deadline="2026-11-27")]
    office.keep(plan([rep_day(stops=stops)]))
    assert "Ann, Mon 30 Nov: 2 visits 1 promise 1 late 09:05–10:30 15 min driving" in office.text("/")


def test_a_day_off_and_a_day_without_visits_are_told_apart(office: Office) -> None:
    office.keep(plan([rep_day(), rep_day("ben"), rep_day("ben", [], TUESDAY)]))
    text = office.text("/")
    assert "Ann Ann, Mon 30 Nov: 2 visits 09:05–10:30 15 min driving –does not work" in text
    assert "Ben, Tue 1 Dec: No visits works 09:00–17:00" in text


def test_on_a_phone_today_and_what_comes_stand_before_what_has_passed(tmp_path: Path) -> None:
    office = Office(tmp_path, now=datetime(2026, 11, 30, 22, 30, tzinfo=UTC))  # half past midnight in Helsinki
    office.area()
    office.keep(plan())
    cards = office.text("/").split("a day’s name leads")[1]
    assert cards.index("Tue 1 Dec today") < cards.index("Mon 30 Nov past")


def test_notes_for_the_planner_stand_on_the_start_page(office: Office) -> None:
    office.keep(plan(notes=["rep R9 (Zoe): no days are planned"]))
    assert "Rep R9 (Zoe): no days are planned" in office.text("/")


def test_the_plan_is_there_to_download_byte_for_byte(office: Office) -> None:
    office.keep(plan())
    response = office.client.get("/a/helsinki/plan.json")
    assert response.get_data(as_text=True) == plan()
    assert response.headers["Content-Disposition"] == "attachment; filename=helsinki-plan-1.json"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "is not JSON"),
        ("[1]", "is not a fieldvisit-plan/1 document"),
        (plan().replace('"2026-12-01"', '"soon"'), "soon"),
        (plan().replace('"due"', '"whenever"'), "whenever"),
        (plan().replace("Europe/Helsinki", "Mars/Olympus"), "Mars/Olympus"),
        (plan(totals={}), "visits is missing"),
        (plan(unplanned=[{}]), ""),
        (plan(notes=["HALF"]).replace("HALF", "\\ud800"), "notes"),
        (plan().replace("300", "1e999"), ""),
    ],
)
def test_a_plan_that_cannot_be_read_says_so_and_what_to_type(office: Office, document: str, reason: str) -> None:
    office.keep(document)
    for address in ("/", "/a/helsinki/unplanned", "/a/helsinki/plan.json"):
        text = office.text(address, 500)
        assert "This plan cannot be read" in text
        assert reason in text
        assert "fieldvisit plan" in text
        assert "Traceback" not in text


def test_the_week_says_how_many_visits_were_moved_and_each_visit_from_where(office: Office) -> None:
    before = {"rep_id": "b/1", "rep_name": "Ben", "date": TUESDAY}
    totals = {**json.loads(plan())["totals"], "seen": 12, "moved": 3}
    office.keep(plan([rep_day("ann", stops=[stop(moved_from=before)])], totals=totals))
    assert "Moved 3 of 12 that people had seen" in office.text("/")
    assert "Moved from Tue 1 Dec, Ben" in office.text(f"/a/helsinki/day/{MONDAY}/rep?rep=ann")


def test_where_nobody_has_seen_anything_no_moves_are_counted(office: Office) -> None:
    office.keep(plan())
    assert "Moved" not in office.text("/")


def test_the_week_says_how_far_the_plan_is_at_most_from_the_least_possible(office: Office) -> None:
    totals = {**json.loads(plan())["totals"], "cost_seconds": 1062, "bound_seconds": 1000, "bound_kind": "Lagrangian"}
    office.keep(plan(totals=totals))
    assert "at most 6.2 % above the least possible (Lagrangian bound)" in office.text("/")


@pytest.mark.parametrize("bound_s", [None, 500])
def test_without_a_bound_that_says_much_nothing_is_said_of_one(office: Office, bound_s: int | None) -> None:
    totals = {**json.loads(plan())["totals"], "cost_seconds": 1062, "bound_seconds": bound_s, "bound_kind": None}
    office.keep(plan(totals=totals))
    assert "least possible" not in office.text("/")


def test_a_day_says_that_its_order_is_proved_where_there_is_more_than_one_order(office: Office) -> None:
    two = [stop(), stop(visit_id="account:second", stop=2)]
    days = [rep_day("ann", stops=two), rep_day("b/1", stops=[stop()])]
    office.keep(plan([{**day, "order_proved": True} for day in days]))
    assert "Order proved shortest" in office.text(f"/a/helsinki/day/{MONDAY}/rep?rep=ann")
    assert "Order proved" not in office.text(f"/a/helsinki/day/{MONDAY}/rep?rep=b/1")


def test_the_days_of_a_long_plan_stand_side_by_side_by_calendar_week(office: Office) -> None:
    first = date.fromisoformat(MONDAY) + timedelta(days=3)
    days = [first + timedelta(days=n) for n in range(12) if (first + timedelta(days=n)).weekday() < 5]
    office.keep(plan([rep_day(day=str(day)) for day in days[:4]]))
    assert office.page("/").count('<table class="week">') == 1, "four days over a weekend fit side by side"
    office.keep(plan([rep_day(day=str(day)) for day in days]))
    page = office.page("/")
    assert page.count('<table class="week">') == 3
    assert re.findall(r'<h2 class="week-of">(.*?)</h2>', page) == [
        "3 – 4 December 2026",
        "7 – 11 December 2026",
        "Monday 14 December 2026",
    ]


@pytest.mark.parametrize(
    ("kind", "title"), [("due", "1 – 4 December 2026"), ("appointment", "Tuesday 1 December 2026")]
)
def test_a_week_is_called_by_the_days_that_stayed_too_but_not_by_a_promise_far_off(kind: str, title: str) -> None:
    friday = "2026-12-04"
    days = [rep_day(day=TUESDAY), rep_day(day=friday, stops=[stop(1, kind=kind)])]
    assert view_of(plan(days, first_day=TUESDAY)).title == title
