"""What the field learns flows back: reports on the pages of inside sales, customers to call, days that have begun."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from booking_cast import BEN, DEAL, INES, IVAN, CallOffice, promise
from plan_cast import MONDAY, MORNING, TUESDAY, rep_day, stop, text_of, viewer

from planner.access import Role
from planner.domain import Opportunity
from planner.fieldwork.domain import (
    CheckIn,
    CheckInVerdict,
    DayProgress,
    DealOutcome,
    Disposition,
    FieldVisit,
    Severity,
    VisitReport,
)
from planner.slots.domain import BookingState, ChangedDay

HANDOFFS, WEEK = "/a/helsinki/handoffs", "/a/helsinki/"
PAGE = "/a/helsinki/opportunity?id=O1"
ANNS_MONDAY = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"
TODAY, TOMORROW = date.fromisoformat(MONDAY), date.fromisoformat(TUESDAY)
MANAGER = viewer(Role.MANAGER, id="u-mona", area="helsinki")


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def report(id: str = "r1", **changes: Any) -> VisitReport:
    """Ann has met Ostrich & Co on Monday."""
    usual: dict[str, Any] = {
        "area": "helsinki", "id": id, "rep_id": "ann", "day": TODAY, "visit_id": "opportunity:O1", "account_id": "",
        "opportunity_id": "O1", "inside_rep": "ines@example.com", "made_at": MORNING, "made_by": "user:u-ann",
        "disposition": Disposition.MET,
    }  # fmt: skip
    return VisitReport(**(usual | changes))


def visit(visit_id: str = "account:A1", **changes: Any) -> FieldVisit:
    usual: dict[str, Any] = {
        "area": "helsinki", "rep_id": "ann", "day": TODAY, "visit_id": visit_id, "account_id": visit_id[8:],
        "opportunity_id": "", "inside_rep": "",
    }  # fmt: skip
    return FieldVisit(**(usual | changes))


def put(office: CallOffice, *rows: Any) -> None:
    """As phones' events have made them."""
    with office.store.write(audited=False) as unit:
        for row in rows:
            match row:
                case VisitReport():
                    unit.visit_reports.put(row)
                case FieldVisit():
                    unit.field_visits.put(row)
                case DayProgress():
                    unit.day_progress.put(row)
                case CheckIn():
                    unit.check_ins.put(row)
                case ChangedDay():
                    unit.changed_days.put(row)
                case _:
                    unit.bookings.put(row)


def calls_of(page: str) -> str:
    """What the page says under "to call"."""
    found = re.search(r'<section class="alarm to-call".*?</section>', page, re.DOTALL)
    return text_of(found[0]) if found else ""


# --- reports ----------------------------------------------------------------------------------------------------------


def test_inside_sales_reads_all_that_a_visit_brought(office: CallOffice) -> None:
    put(office, report(text="They want two ovens.", concern="Delivery takes long", severity=Severity.HIGH,
                       competitor="Ovens Ltd was there", next_step="Send an offer", next_step_on=date(2026, 12, 4),
                       order_value=1250.5))  # fmt: skip
    told = office.text(PAGE)
    assert "What the field reported Mon 30 Nov, Ann Met They want two ovens." in told
    assert "Concern (high) Delivery takes long" in told
    assert "Competitor Ovens Ltd was there" in told
    assert "Next step Send an offer, Fri 4 Dec" in told
    assert "Order 1,250.50" in told


def test_the_latest_visit_stands_first_and_a_corrected_report_stands_once(office: CallOffice) -> None:
    later = MORNING + timedelta(hours=1)
    put(office, report(text="First words"), report("r2", made_at=later, text="Second thoughts"),
        report("r3", day=TOMORROW, disposition=Disposition.NOT_IN, reason="closed for the holiday"))  # fmt: skip
    told = office.text(PAGE)
    assert told.index("Tue 1 Dec, Ann Not in") < told.index("Mon 30 Nov, Ann Met Second thoughts")
    assert "Because closed for the holiday" in told
    assert "First words" not in told


def test_a_report_says_that_and_why_it_goes_back_to_inside_sales(office: CallOffice) -> None:
    put(office, report(deal=DealOutcome.RETURNED, reason="the owner decides in spring"))
    told = office.text(PAGE)
    assert "Mon 30 Nov, Ann Met Back to inside sales" in told
    assert "Returned because the owner decides in spring" in told


def test_the_list_says_in_a_line_what_the_field_reported_last_and_what_is_next(office: CallOffice) -> None:
    put(office, report(text="They want\ntwo ovens.", next_step="Send an offer", next_step_on=date(2026, 12, 4)))
    told = office.text(HANDOFFS)
    assert "Mon 30 Nov, Ann: met. They want two ovens." in told
    assert "Next: Send an offer, Fri 4 Dec" in told


def test_what_a_rep_writes_is_text_and_nothing_else(office: CallOffice) -> None:
    put(office, report(text="<script>alert(1)</script>", next_step="{{ 7 * 7 }}"))
    for address in (PAGE, HANDOFFS):
        page = office.page(address)
        assert "<script>alert(1)" not in page
        assert "{{ 7 * 7 }}" in text_of(page)


def test_an_inside_rep_reads_no_reports_about_others_handoffs(office: CallOffice) -> None:
    put(office, report(text="They want two ovens."))
    office.viewer = IVAN
    assert office.client.get(PAGE).status_code == 404
    assert "two ovens" not in office.page(HANDOFFS)


# --- customers to call ------------------------------------------------------------------------------------------------


def late(why: str = "it would begin at 11:40", **changes: Any) -> DayProgress:
    """Ann cannot keep what was promised to Ostrich & Co on Tuesday."""
    return DayProgress("helsinki", "ann", TOMORROW, 1, **({"to_call": {"opportunity:O1": why}} | changes))


def shown(begin: str, leave: str) -> ChangedDay:
    """Ann's Tuesday with the visit at a time."""
    deal = stop(1, begin, leave, visit_id="opportunity:O1", record_ids=["O1"], kind="appointment", name=DEAL.name)
    return ChangedDay("helsinki", "ann", TOMORROW, 1, 1, ("opportunity:O1",), rep_day("ann", [deal], TUESDAY))


def with_phone(office: CallOffice) -> Opportunity:
    deal = replace(DEAL, contact_phone="+358 9 123 456")
    office.know(deal)
    return deal


def test_a_rep_who_is_late_reaches_inside_sales_with_whom_to_call_and_what_was_promised(office: CallOffice) -> None:
    with_phone(office)
    put(office, promise(), late())
    page = office.page(HANDOFFS)
    assert "Customer to call" in calls_of(page)
    assert "Ostrich & Co Olga Onnela · +358 9 123 456" in calls_of(page)
    assert "Promised Tue 1 Dec, 10:00–11:00" in calls_of(page)
    assert "It would begin at 11:40." in calls_of(page)
    assert 'href="tel:+3589123456"' in page


def test_it_says_when_the_rep_would_be_there_or_that_nobody_comes_that_day(office: CallOffice) -> None:
    put(office, promise(), late("Ann is sick"))
    assert "Not made that day: Ann is sick." in calls_of(office.page(HANDOFFS))
    put(office, shown("11:40", "12:25"))
    assert "Would begin at 11:40: Ann is sick." in calls_of(office.page(HANDOFFS))
    put(office, late())
    assert calls_of(office.page(HANDOFFS)).count("11:40") == 1


def test_the_call_leads_to_moving_the_promise(office: CallOffice) -> None:
    put(office, promise(), late())
    (move,) = re.findall(r'href="(/a/helsinki/book\?move=[^"]+)"', office.page(HANDOFFS))
    assert "Move the visit" in office.text(move)


def test_who_has_another_time_is_called_no_more(office: CallOffice) -> None:
    put(office, promise(), late())
    put(office, replace(promise(), state=BookingState.MOVED))
    assert calls_of(office.page(HANDOFFS)) == ""


def test_an_appointment_that_was_agreed_elsewhere_is_called_about_too(office: CallOffice) -> None:
    office.know(replace(DEAL, appointment=datetime.fromisoformat("2026-12-01T10:30")))
    put(office, late())
    page = office.page(HANDOFFS)
    assert "Promised Tue 1 Dec, 10:30" in calls_of(page)
    assert "/a/helsinki/book?opportunity=O1" in page


def test_days_that_are_over_are_nobody_s_to_call_about(office: CallOffice) -> None:
    put(office, promise(), late())
    office.time.now = MORNING + timedelta(days=2)
    assert calls_of(office.page(HANDOFFS)) == ""


def test_an_inside_rep_calls_their_own_customers_and_a_manager_the_team_s(office: CallOffice) -> None:
    put(office, promise(), late())
    team, others = ({"reps": frozenset({rep})} for rep in ("ann", BEN.id))
    for who, calls in (
        (INES, True),
        (IVAN, False),
        (MANAGER, True),
        (viewer(Role.MANAGER, area="helsinki", **team), True),
        (viewer(Role.MANAGER, area="helsinki", **others), False),
        (viewer(Role.FIELD_REP, area="helsinki", **team), False),
    ):
        office.viewer = who
        assert ("Ostrich & Co" in calls_of(office.page(HANDOFFS))) is calls, who.user


def test_a_manager_s_week_leads_to_the_customers_to_call(office: CallOffice) -> None:
    office.viewer = MANAGER
    assert "to call" not in office.text(WEEK)
    put(office, promise(), late())
    assert "1 customer to call." in office.text(WEEK)
    assert f'href="{HANDOFFS}#to-call"' in office.page(WEEK)


# --- days that have begun ---------------------------------------------------------------------------------------------

NINE = datetime(2026, 11, 30, 7, 20, tzinfo=UTC)


def test_a_day_that_has_begun_says_what_is_done_and_when_it_truly_was(office: CallOffice) -> None:
    office.viewer = MANAGER
    done = visit(arrived_at=NINE, left_at=NINE + timedelta(minutes=41), report_id="r1", disposition=Disposition.MET)
    put(office, done, visit("account:A2", arrived_at=NINE + timedelta(hours=1)))
    told = office.text(ANNS_MONDAY)
    assert "1 of 2 done" in told
    assert "Reported: met 09:20–10:01" in told
    assert "There now since 10:20" in told
    assert "1 of 2 done" in office.text(WEEK)
    team = office.text(f"/a/helsinki/day/{MONDAY}")
    assert "Secret Bakery Reported: met 09:20–10:01" in team


def test_nobody_in_and_not_reported_yet_are_told_apart(office: CallOffice) -> None:
    office.viewer = MANAGER
    put(office, visit(disposition=Disposition.NOT_IN), visit("account:A2", arrived_at=NINE, left_at=NINE))
    told = office.text(ANNS_MONDAY)
    assert "Reported: not in" in told
    assert "Done, not reported yet" in told
    assert "2 of 2 done" in told


def test_what_is_left_out_says_why_also_when_it_is_not_on_the_day_any_more(office: CallOffice) -> None:
    office.viewer = MANAGER
    left = {"account:A1": "no time", "account:A3": "they called"}
    put(office, DayProgress("helsinki", "ann", TODAY, 2, left_out=left))
    told = office.text(ANNS_MONDAY)
    assert "Left out No time." in told
    assert "Left out Secret Florist: They called." in told


def test_a_sick_rep_s_day_says_so_in_the_week(office: CallOffice) -> None:
    office.viewer = MANAGER
    put(office, DayProgress("helsinki", "ann", TODAY, 1, sick=True))
    assert "sick 0 of 2 done" in office.text(WEEK)


def test_a_rep_s_own_week_says_how_far_the_day_is(office: CallOffice) -> None:
    office.viewer = viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    put(office, visit(disposition=Disposition.MET))
    assert "1 of 2 done" in office.text(WEEK)


def test_a_draft_says_nothing_of_what_was_done(office: CallOffice) -> None:
    office.viewer = MANAGER
    with office.store.read() as unit:
        document = unit.plans("helsinki").get(1).document
    assert document is not None
    office.keep(document)
    put(office, visit(disposition=Disposition.MET))
    assert "Reported" not in office.text(f"{ANNS_MONDAY}&plan=2")
    assert "Reported: met" in office.text(ANNS_MONDAY)


def test_where_a_rep_checked_in_is_on_none_of_these_pages(office: CallOffice) -> None:
    """Whoever looks at that is written down: it has a page of its own."""
    office.viewer = MANAGER
    away = CheckIn("helsinki", "e1", "ann", TODAY, "account:A1", NINE, 60.1234, 24.5678, 8, 4321,
                   CheckInVerdict.ELSEWHERE)  # fmt: skip
    put(office, away, visit(arrived_at=NINE))
    for address in (WEEK, ANNS_MONDAY, f"/a/helsinki/day/{MONDAY}"):
        page = office.page(address)
        assert not any(said in page for said in ("elsewhere", "60.1234", "4321", "4.3 km"))
