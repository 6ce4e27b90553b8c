"""The page of a customer: what is known of visits there, and how long they are planned for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from booking_cast import AREA, BAKERY, DEAL, INES, CallOffice
from plan_cast import BOSS, MONDAY, MORNING, plan, rep_day, stop, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import audited, hidden

from planner.access import Role
from planner.domain import Account
from planner.fieldwork.domain import DayProgress, DealOutcome, Disposition, FieldVisit, Severity, VisitReport
from planner.slots.domain import ChangedDay

PAGE = f"/a/{AREA}/customer?id=A1"
ANN = viewer(Role.FIELD_REP, id="u-ann", email="ann@example.com", name="Ann Lee", area=AREA, reps=frozenset({"ann"}))
BEN = viewer(Role.FIELD_REP, id="u-ben", email="ben@example.com", name="Ben", area=AREA, reps=frozenset({"b/1"}))
BEA = {"contact_name": "Bea Baker", "contact_phone": "+44 (0)1632 960 001", "contact_email": "bea@bakery.example"}
FRIDAY = date(2026, 11, 27)


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    """Ann looks at it."""
    return CallOffice(tmp_path, viewer=ANN)


def known(office: CallOffice, **changes: Any) -> Account:
    account = replace(BAKERY, **changes)
    with office.store.write(audited=False) as unit:
        unit.records(AREA).save(account)
    return account


def took(office: CallOffice, *minutes: int) -> None:
    """So many visits to the bakery by Ann, the last one on Friday."""
    with office.store.write(audited=False) as unit:
        for n, each in enumerate(reversed(minutes)):
            day = date.fromordinal(FRIDAY.toordinal() - 7 * n)
            unit.field_visits.put(
                FieldVisit(AREA, "ann", day, "account:A1", "A1", "", "", None, None, each, f"r{n}", Disposition.MET)
            )


def report(id: str = "r0", **changes: Any) -> VisitReport:
    made_at = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)
    usual = VisitReport(AREA, id, "ann", FRIDAY, "account:A1", "A1", "", "", made_at, "user:u-ann", Disposition.MET)
    return replace(usual, **changes)


def told(office: CallOffice, *reports: VisitReport) -> None:
    with office.store.write(audited=False) as unit:
        for each in reports:
            unit.visit_reports.put(each)


def save(office: CallOffice, minutes: str) -> TestResponse:
    return office.client.post(f"/a/{AREA}/customer/minutes?id=A1", data=form(office) | {"minutes": minutes})


def form(office: CallOffice) -> dict[str, str]:
    return hidden(office.page(PAGE), "/customer/minutes")


def test_the_contact_is_a_touch_away(office: CallOffice) -> None:
    known(office, **BEA)
    page = office.page(PAGE)
    assert 'href="tel:+441632960001"' in page
    assert 'href="mailto:bea@bakery.example"' in page
    assert "4 Bridge Street" in text_of(page)
    assert "Bea Baker" in text_of(page)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"last_visit": date(2026, 10, 19)},
            "Mon 19 Oct 2026, by the import Next due Mon 16 Nov 2026, 14 days overdue",
        ),
        ({"last_visit": date(2026, 11, 24)}, "Tue 24 Nov 2026, by the import Next due Tue 22 Dec 2026"),
        ({"last_visit": None}, "Last visit never visited Next due now"),
        ({"last_order": date(2024, 1, 1)}, "Next due not planned: no order for more than 365 days"),
        ({"cadence_days": None}, "Cadence Every 14 days, as segment A"),
    ],
)
def test_it_tells_when_the_next_visit_is_due(office: CallOffice, changes: dict[str, Any], said: str) -> None:
    known(office, **changes)
    assert said in office.text(PAGE)


def test_a_visit_that_the_field_has_made_counts(office: CallOffice) -> None:
    known(office, last_visit=date(2026, 10, 19))
    took(office, 30)
    assert "Last visit Fri 27 Nov 2026, reported by the field Next due Fri 25 Dec 2026" in office.text(PAGE)


@pytest.mark.parametrize(
    ("record", "visits", "said"),
    [
        (45, (), "45 min: as the record says."),
        (None, (), "30 min: as usual where nothing is known."),
        (45, (30, 35), "45 min: as the record says; 2 visits of known length so far, learned from 3 on."),
        (45, (20, 30, 35, 38, 34, 300), "35 min: the median of the last 6 visits; the record says 45."),
    ],
)
def test_it_tells_where_the_minutes_come_from(
    office: CallOffice, record: int | None, visits: tuple[int, ...], said: str
) -> None:
    known(office, visit_minutes=record)
    took(office, *visits)
    assert said in office.text(PAGE)


def test_a_rep_sets_the_minutes_and_has_them_learned_again(office: CallOffice) -> None:
    known(office, visit_minutes=45)
    took(office, 30, 30, 30)
    with office.store.write(audited=False) as unit:
        unit.users.put(ANN.user)
    assert save(office, "60").status_code == 303
    assert "60 min: set by Ann Lee on Mon 30 Nov; the median of the last 3 visits is 30; the record says 45." in (
        office.text(PAGE)
    )
    assert 'value="60"' in office.page(PAGE)
    assert save(office, "").status_code == 303
    assert "30 min: the median of the last 3 visits; the record says 45." in office.text(PAGE)
    assert audited(office) == ["visit_minutes.set", "visit_minutes.set"]


@pytest.mark.parametrize("typed", ["3", "900", "an hour", "-30", "9" * 11, "1\0"])
def test_what_is_no_length_comes_back_with_what_is_wrong(office: CallOffice, typed: str) -> None:
    refused = save(office, typed)
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.get_data(as_text=True)
    assert audited(office) == []


def test_a_form_that_is_sent_twice_is_done_once(office: CallOffice) -> None:
    sent = form(office) | {"minutes": "50"}
    answers = [office.client.post(f"/a/{AREA}/customer/minutes?id=A1", data=sent).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert audited(office) == ["visit_minutes.set"]


def test_reports_are_told_with_all_that_they_say_the_newest_first(office: CallOffice) -> None:
    told(
        office,
        report("r0", day=date(2026, 11, 20), made_at=datetime(2026, 11, 20, 9, tzinfo=UTC), text="Nobody there",
               disposition=Disposition.NOT_IN),
        report("r1", next_step="Send an offer", next_step_on=date(2026, 12, 4), competitor="Two vans next door",
               concern="The price", severity=Severity.HIGH, text="Likes it.\n<b>Much</b>", order_value=1250.0,
               template="First visit", visit_id="opportunity:O9", opportunity_id="O9", deal=DealOutcome.WON),
    )  # fmt: skip
    text = text_of(office.page(PAGE))
    newest = (
        "Met · Won Fri 27 Nov 2026, written Fri 27 Nov 12:30 · Ann Likes it. <b>Much</b> Next step Send an offer, by "
        "Fri 4 Dec 2026 Order 1,250 Concern The price, a serious one Competitors Two vans next door About O9 Template "
        "First visit"
    )
    assert newest in " ".join(text.split())
    assert text.index("Met · Won") < text.index("Not in")


def test_a_report_that_was_put_right_says_so(office: CallOffice) -> None:
    told(office, report("r0"), report("r1", made_at=datetime(2026, 11, 27, 15, tzinfo=UTC), text="Ben was in"))
    text = office.text(PAGE)
    assert text.count("replaced by the report above") == 1
    assert text.index("Ben was in") < text.index("replaced by the report above")


def test_open_opportunities_with_the_customer_are_told(office: CallOffice) -> None:
    with office.store.write(audited=False) as unit:
        unit.records(AREA).save(replace(DEAL, account_id="A1"))
    office.viewer = BOSS
    page = office.page(PAGE)
    assert "Ostrich &amp; Co" in page
    assert f'href="/a/{AREA}/opportunity?id=O1"' in page
    assert "Ostrich" not in office.page(f"/a/{AREA}/customer?id=A2")


def test_who_does_not_see_a_customer_does_not_learn_that_there_is_one(office: CallOffice) -> None:
    sent = form(office) | {"minutes": "30"}
    office.viewer = BEN
    foreign, nowhere = (office.client.get(f"/a/{AREA}/customer?id={id}") for id in ("A1", "nobody"))
    assert foreign.status_code == nowhere.status_code == 404
    assert office.client.post(f"/a/{AREA}/customer/minutes?id=A1", data=sent).status_code == 404
    assert office.client.get("/a/turku/customer?id=A1").status_code == 404
    assert audited(office) == []


def test_inside_sales_reads_what_it_may_and_sets_nothing(office: CallOffice) -> None:
    sent = form(office) | {"minutes": "30"}
    with office.store.write(audited=False) as unit:
        unit.records(AREA).save(replace(DEAL, account_id="A1"))
    told(office, report("r0", text="Of the rep"), report("r1", text="Of the deal", inside_rep="ines@example.com"))
    office.viewer = INES
    text = office.text(PAGE)
    assert "Of the deal" in text
    assert "Of the rep" not in text
    assert "Set it" not in text
    assert office.client.post(f"/a/{AREA}/customer/minutes?id=A1", data=sent).status_code == 403


def test_the_page_of_a_day_leads_there(office: CallOffice) -> None:
    assert f'href="/a/{AREA}/customer?id=A1"' in office.page(f"/a/{AREA}/day/{MONDAY}/rep?rep=ann")


def test_the_visits_to_come_that_people_see_are_told_with_the_way_to_their_days(office: CallOffice) -> None:
    known(office)
    days = [
        rep_day(stops=[stop(record_ids=["A1"], visit_id="account:A1")]),
        rep_day(day="2026-12-07", stops=[stop(record_ids=["A1"], visit_id="account@2026-12-07:A1")]),
        rep_day(day="2026-12-08", stops=[stop(record_ids=["A2"])]),
    ]
    office.forget_plans()
    office.keep(plan(days), AREA)
    assert "Planned" not in office.text(PAGE), "a draft is nobody's plan yet"
    office.keep(plan(days), AREA, published_at=MORNING)
    assert "Planned Mon 30 Nov, 09:15–09:45 Ann Mon 7 Dec, 09:15–09:45 Ann" in office.text(PAGE)
    assert f"/a/{AREA}/day/2026-12-07/rep?rep=ann" in office.page(PAGE)


def test_the_visits_to_come_are_those_that_everybody_sees_since_somebody_booked_and_phones_spoke(
    office: CallOffice,
) -> None:
    """The plan has two. Monday's is later by now, and nobody comes on Tuesday any more."""
    known(office)
    days = [f"2026-{day}" for day in ("11-30", "12-01")]
    visit = {"record_ids": ["A1"], "visit_id": "account:A1"}
    office.forget_plans()
    office.keep(plan([rep_day(day=day, stops=[stop(**visit)]) for day in days]), AREA, published_at=MORNING)
    with office.store.read() as unit:
        version = unit.plans(AREA).published_version() or 0

    def changed(day: str, *stops: Any) -> ChangedDay:
        route = rep_day(day=day, stops=list(stops))
        return ChangedDay(AREA, "ann", date.fromisoformat(day), 1, version, ("account:A1",) * len(stops), route)

    with office.store.write(audited=False) as unit:
        unit.changed_days.put(changed(days[0], stop(begin="14:00", leave="14:30", **visit)))
        unit.changed_days.put(changed(days[1]))
    assert "Planned Mon 30 Nov, 14:00–14:30 Ann How long" in office.text(PAGE)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (FieldVisit(AREA, "ann", date(2026, 11, 30), "account:A1", "A1", "", "", MORNING), "There now since"),
        (DayProgress(AREA, "ann", date(2026, 11, 30), 1, to_call={"account:A1": "late"}), "Promise cannot be kept"),
        (FieldVisit(AREA, "ann", date(2026, 11, 30), "account:A1", "A1", "", "", MORNING, MORNING), ""),
        (DayProgress(AREA, "ann", date(2026, 11, 30), 1, left_out={"account:A1": "no time"}), ""),
    ],
    ids=["there now", "late", "made", "left out"],
)
def test_a_visit_is_to_come_until_it_was_made_or_is_left_out(
    office: CallOffice, said: FieldVisit | DayProgress, shown: str
) -> None:
    known(office)
    office.forget_plans()
    office.keep(plan([rep_day(stops=[stop(record_ids=["A1"], visit_id="account:A1")])]), AREA, published_at=MORNING)
    with office.store.write(audited=False) as unit:
        (unit.field_visits if isinstance(said, FieldVisit) else unit.day_progress).put(said)  # type: ignore[arg-type]
    text = office.text(PAGE)
    assert (f"Planned Mon 30 Nov, 09:15–09:45 Ann {shown}" in text) if shown else ("Planned" not in text)
