"""The published plan is read with what bookings have made of its days; the version itself stays as it was made."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cast import account, opportunity, rep
from test_scoping import day, left_out, listed, plan, stop

from planner.access import Scope
from planner.amending import ShownDay, Standing
from planner.domain import Record
from planner.plan_document import write_plan
from planner.repository import StoredPlan
from planner.slots.domain import Booking, BookingState, ChangedDay, Meaning
from planner.storage import SqlStore

FRIDAY_NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY, NEXT_WEEK = date(2026, 11, 30), date(2026, 12, 9)
HOSTILE = 'O"\n "rep_days": [],\u2028 {{x}}'
ANNS = day("R1", "Ann Annson", stop("account:A1"))
BENS = day("R2", "Ben Benson", stop("account:A2", HOSTILE))
MADE = plan(
    ANNS,
    BENS,
    unplanned=[left_out("due", "Customer A3", "A3"), left_out("opportunity", "Deal O1", "O1")],
    returned_to_inside=[listed("O2", "Deal O2")],
)
CHANGED = day("R1", "Ann Annson", stop("account:A1"), stop("opportunity:O1", "Deal O1", kind="appointment"))
LATER = day("R2", "Ben Benson", stop("opportunity:O2", "Deal O2", kind="appointment"), date="2026-12-09")


def shown(route: Any, version: int = 1) -> ShownDay:
    return ShownDay(route["rep_id"], date.fromisoformat(route["date"]), version, json.dumps(route))


def published(version: int = 1) -> StoredPlan:
    return StoredPlan(version, "town", MONDAY, 5, FRIDAY_NOON, FRIDAY_NOON, 2, 2, 1200, write_plan(MADE))


def amended(plan: StoredPlan, changes: list[ShownDay]) -> StoredPlan:
    return Standing.of(plan, changes).plan


def expected(*days: Any, **changes: Any) -> str:
    """What the planner would have written."""
    totals = MADE["totals"] | changes.pop("totals")
    return write_plan(
        plan(*days, **{"unplanned": MADE["unplanned"], "returned_to_inside": [], "totals": totals} | changes)
    )


def test_a_changed_day_is_in_the_place_of_the_planned_one_and_the_totals_count_it() -> None:
    found = amended(published(), [shown(CHANGED)])
    totals = {"visits": 3, "promises": 1, "unplanned": 1, "drive_seconds": 1800, "drive_metres": 4200}
    assert found.document == expected(
        CHANGED, BENS, totals=totals, unplanned=MADE["unplanned"][:1], returned_to_inside=MADE["returned_to_inside"]
    )
    assert (found.visits, found.unplanned, found.drive_s, found.days) == (3, 1, 1800, 5)


def test_a_promise_beyond_the_plan_adds_its_day() -> None:
    found = amended(published(), [shown(LATER, version=0)])
    totals = {"visits": 3, "promises": 1, "unplanned": 2, "drive_seconds": 1800, "drive_metres": 4200}
    assert found.document == expected(ANNS, BENS, LATER, totals=totals)
    assert (found.first_day, found.days) == (MONDAY, 5)


def test_of_a_day_beyond_the_plan_on_which_nothing_is_left_nobody_is_told() -> None:
    """What is due and late was judged by the plan's own days: they stay whatever is promised."""
    cancelled = day("R2", "Ben Benson", date="2026-12-09")
    assert cancelled["date"] not in (amended(published(), [shown(cancelled, version=0)]).document or "")


def test_a_promise_before_the_plan_s_first_day_is_seen_if_it_was_still_to_come_at_publishing() -> None:
    for text, seen in (("2026-11-26", False), ("2026-11-27", True)):
        found = amended(published(), [shown({**LATER, "date": text}, version=0)])
        assert (f'"date": "{text}"' in (found.document or "")) is seen
        assert (found == published()) is not seen


def test_which_day_it_was_at_publishing_is_asked_where_the_rep_is() -> None:
    """At 01:30 in London it is the evening before in Vancouver."""
    late = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
    today = {**LATER, "date": "2026-11-30"}
    plan_from_tuesday = replace(published(), first_day=date(2026, 12, 1), days=4, published_at=late)
    for zone, seen in (("America/Vancouver", True), ("Europe/London", False)):
        found = amended(plan_from_tuesday, [shown({**today, "timezone": zone}, version=0)])
        assert ('"opportunity:O2"' in (found.document or "")) is seen


def test_what_was_changed_in_another_plan_counts_no_more() -> None:
    assert amended(published(2), [shown(CHANGED, 1)]) == published(2)


def test_the_plan_s_own_days_count_where_it_covers_them_by_now() -> None:
    assert amended(published(2), [shown(CHANGED, 0)]) == published(2)


def test_a_document_that_is_no_plan_stays_as_it_is() -> None:
    odd = StoredPlan(1, "town", MONDAY, 5, FRIDAY_NOON, FRIDAY_NOON, 2, 2, 1200, "{}")
    assert amended(odd, [shown(CHANGED)]) == odd


# ---- in the store

RECORDS: list[Record] = [
    rep("R1"),
    rep("R2"),
    account("A1"),
    opportunity("O1", inside_rep="Ines"),
    opportunity("O2", inside_rep="Ivan"),
]


@pytest.fixture
def booked(store: SqlStore) -> SqlStore:
    """The plan is published, and Ines and Ivan have promised a visit each since."""
    with store.write(audited=False) as unit:
        unit.records("town").save_all(RECORDS)
        unit.plans("town").add(published())
        for route, version in ((CHANGED, 1), (LATER, 0)):
            on = date.fromisoformat(route["date"])
            order = tuple(stop["visit_id"] for stop in route["stops"])
            unit.changed_days.put(ChangedDay("town", route["rep_id"], on, 1, version, order, route))
        unit.bookings.put(promise("B1", "R1", "O1", "ines"))
        unit.bookings.put(promise("B2", "R2", "O2", "ivan"))
    return store


def promise(id_: str, rep_id: str, deal: str, inside_rep: str) -> Booking:
    start, end = (datetime(2026, 11, 30, hour, tzinfo=UTC) for hour in (9, 10))
    return Booking(
        "town", id_, rep_id, MONDAY, BookingState.PROMISED, deal, deal, "", 0.0, 0.0, 30, start, end, Meaning.ARRIVE,
        "", frozenset(), inside_rep, "user:x", FRIDAY_NOON, None,
    )  # fmt: skip


def latest(store: SqlStore, scope: Scope) -> dict[str, Any]:
    with store.read(scope) as unit:
        found = unit.plans("town").latest(published=True)
    assert found is not None
    assert found.document is not None
    document: dict[str, Any] = json.loads(found.document)
    return document


def test_a_field_rep_sees_their_own_changed_day_and_nobody_else_s(booked: SqlStore) -> None:
    ann = Scope("town", frozenset({"R1"}), unassigned=False, drafts=False)
    document = latest(booked, ann)
    assert [[stop["visit_id"] for stop in day["stops"]] for day in document["rep_days"]] == [
        ["account:A1", "opportunity:O1"]
    ]
    assert "O2" not in json.dumps(document)
    with booked.read(ann) as unit:
        assert [deal.id for deal in unit.records("town").opportunities()] == ["O1"]
        assert [booking.id for booking in unit.bookings.find(area="town")] == ["B1"]
        assert [changed.rep_id for changed in unit.changed_days.find(area="town")] == ["R1"]


def test_an_inside_rep_sees_the_times_of_their_own_promises_and_no_days(booked: SqlStore) -> None:
    ines = Scope("town", frozenset(), unassigned=False, inside_rep="Ines", drafts=False)
    with booked.read(ines) as unit:
        (visit,) = unit.plans("town").handoffs()
        assert [booking.id for booking in unit.bookings.find(area="town")] == ["B1"]
        assert unit.changed_days.find(area="town") == []
    assert (visit.opportunity_id, visit.promise) == ("O1", True)
    assert latest(booked, ines)["rep_days"] == []


def test_a_version_stays_as_it_was_made(booked: SqlStore) -> None:
    with booked.read() as unit:
        assert unit.plans("town").get(1).document == write_plan(MADE)
    assert len(latest(booked, Scope("town"))["rep_days"]) == 3


def test_after_a_booking_nobody_has_to_read_the_whole_plan_again(
    booked: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = Scope("town", frozenset({"R1"}), unassigned=False, drafts=False)
    latest(booked, ann)
    with booked.write(audited=False) as unit:
        before = unit.changed_days.get("town", "R1", MONDAY)
        assert before is not None
        unit.changed_days.put(replace(before, revision=2, route=ANNS))
    monkeypatch.setattr("planner.amending.read_plan", None)
    with booked.read(ann) as unit:
        assert unit.records("town").opportunities() == []
        assert [customer.id for customer in unit.records("town").accounts()] == ["A1"]
        assert unit.plans("town").handoffs() == ()
    assert [[stop["visit_id"] for stop in day["stops"]] for day in latest(booked, ann)["rep_days"]] == [["account:A1"]]
    with booked.read(Scope("town")) as unit:
        assert [visit.opportunity_id for visit in unit.plans("town").handoffs()] == ["O2"]
