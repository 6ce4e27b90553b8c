"""What is not planned and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plan_cast import Office, Skeleton, plan, unplanned

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


def test_what_reps_see_on_other_days_is_no_news_and_stands_last_and_closed(office: Office) -> None:
    office.keep(plan(unplanned=[unplanned("A1", reason="seen_on_another_day"), unplanned("A2")]))
    text = office.text(UNPLANNED)
    assert "1 candidate without a visit in 30 November – 1 December 2026" in text
    assert "1 more is planned for other days." in text
    assert text.index("Left out A2") < text.index("Planned for another day 1 Reps see it") < text.index("Left out A1")
    assert office.page(UNPLANNED).count('<details class="card group" open>') == 1
    assert office.page(f"{UNPLANNED}?reason=seen_on_another_day").count('<details class="card group" open>') == 1
    assert "Not planned 1" in office.text("/a/helsinki/")


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


# --- the fewest rules, and the cheapest repair ------------------------------------------------------------------------


def repair(kind: str, sentence: str, **changes: Any) -> dict[str, Any]:
    usual = {"kind": kind, "sentence": sentence, "minutes": 21, "rep_id": "ann", "date": "2026-11-30"}
    return {**usual, "visit_id": None, **changes}


def test_what_keeps_a_customer_out_is_told_with_the_cheapest_repair_and_where_it_is_done(office: Office) -> None:
    later = repair("end_later", "End Monday 12 min later (Ann): +9 min driving")
    room = repair("insert", "There is room on Monday (Ann)", rep_id="gone")
    office.keep(
        plan(
            unplanned=[
                unplanned("A1", rules=["other_visits", "work_end"], repair=later),
                unplanned("O1", kind="opportunity", rules=[], repair=room),
                unplanned("A2", rules=["no_time_left"], repair=None),
            ]
        )
    )
    text = office.text(UNPLANNED)
    assert "Kept out by: the time of other visits, end of work" in text
    assert "Cheapest repair: End Monday 12 min later (Ann): +9 min driving See that day for Left out A1" in text
    assert "Change the records for Left out A1" in text
    assert "There is room on Monday (Ann) Book a time for Left out O1" in text
    assert text.count("Kept out by") == 1
    page = office.page(UNPLANNED)
    assert "/a/helsinki/day/2026-11-30/rep?" in page
    assert "/a/helsinki/book?opportunity=O1" in page


def test_a_plan_of_an_older_program_says_its_reasons(listed: Office) -> None:
    assert "Kept out by" not in listed.text(UNPLANNED)
