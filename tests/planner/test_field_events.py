"""What phones send is taken: once, whoever sends it again; nothing that makes sense is ever lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from cast import MONDAY, SETTINGS, TUESDAY, WEDNESDAY, Flatland, rep
from field_cast import (
    ACTORS,
    AT_SIX,
    BAKERY,
    DAIRY,
    FORGE,
    KIOSK,
    MILL,
    Field,
    at,
    event_id,
    sent,
    settings_with,
)
from slots_cast import TOWN

from planner.access import Actor, Scope
from planner.errors import NotFoundError
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import CheckInVerdict
from planner.fieldwork.taking import Taken, take
from planner.slots.agenda import Agendas
from planner.slots.holding import cancel
from planner.storage import open_store

FRIDAY = date(2026, 12, 4)
NEXT_WEEK = date(2026, 12, 7)


def became(taken: list[Taken]) -> list[tuple[str, str]]:
    return [(each.outcome, each.field) for each in taken]


# ---- once


def test_the_same_event_again_is_answered_as_before_and_stored_once(field: Field) -> None:
    arrived, elsewhere = sent("arrived", KIOSK), sent("arrived", DAIRY)
    first = field.take(arrived, elsewhere, arrived)
    assert became(first) == [("taken", ""), ("conflict", ""), ("taken", "")]
    assert field.take(arrived, elsewhere) == first[:2]
    assert [event.id for event in field.events()] == sorted([arrived.id, elsewhere.id])
    assert len(field.check_ins()) == 2


@pytest.mark.parametrize("other", [{"clock": "10:01"}, {"visit": MILL}, {"day": WEDNESDAY}, {"kind": "left"}])
def test_the_same_id_with_other_content_is_refused_and_overwrites_nothing(field: Field, other: dict[str, Any]) -> None:
    said = {"kind": "arrived", "visit": KIOSK, "clock": "10:00", "id": "one"}
    field.take(sent(**said))
    before = field.events()
    assert became(field.take(sent(**(said | other)))) == [("refused", "id")]
    assert field.events() == before


def test_the_id_of_another_reps_event_is_refused_without_telling_of_it(field: Field) -> None:
    field.take(sent("reported", KIOSK, id="one", disposition="met", text="They bake"))
    (taken,) = field.take(sent("arrived", DAIRY, id="one", rep="ben"), who="ben")
    assert (taken.outcome, taken.field) == ("refused", "id")
    assert "bake" not in taken.message
    assert len(field.events()) == 1


def test_two_senders_of_the_same_events_at_once_store_them_once(url: str) -> None:
    store = open_store(url, clock=lambda: AT_SIX)
    with store.write() as unit:
        unit.records(TOWN).save_all([rep()])
        unit.audit("test.known", area=TOWN)
    events = [sent("skipped", f"account:{number}") for number in range(30)]
    answers: list[list[Taken]] = []

    def send() -> None:
        agendas = Agendas(lambda area: Flatland(), SETTINGS)
        answers.append(take(store, ACTORS["anna"], agendas, TOWN, events, SETTINGS, AT_SIX))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as unit:
        stored = unit.field_events.find(area=TOWN)
        progress = unit.day_progress.get(TOWN, "anna", TUESDAY)
        written = [entry.subject for entry in unit.audit_log.entries() if entry.action == "field.skipped"]
    store.close()
    assert [event.id for event in stored] == sorted(event.id for event in events) == sorted(written)
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert progress is not None
    assert progress.revision == 30


def test_what_is_done_in_the_last_transaction_sees_what_became_of_each(field: Field) -> None:
    seen: list[list[Taken]] = []
    town = field.town
    also = lambda unit, taken: seen.append(list(taken))  # noqa: E731
    answer = take(town.store, ACTORS["anna"], town.agendas, TOWN, [sent("left", KIOSK)], SETTINGS, AT_SIX, also)
    assert seen == [answer]


def test_an_id_in_capitals_is_the_same_and_is_answered_as_it_was_sent(field: Field) -> None:
    left = sent("left", KIOSK)
    (taken,) = field.take(replace(left, id=left.id.upper()))
    assert taken.id == left.id.upper()
    field.take(left)
    assert [event.id for event in field.events()] == [left.id]


# ---- who


@pytest.mark.parametrize(("who", "unseen"), [("ben", "anna"), ("anna", "ben"), ("iris", "ben")])
def test_nobody_reports_for_a_rep_whom_they_do_not_see(field: Field, who: str, unseen: str) -> None:
    with pytest.raises(NotFoundError, match=f"has no rep {unseen}"):
        field.take(sent("arrived", DAIRY, rep=unseen), who=who)
    assert field.events() == []


def test_an_event_about_another_rep_keeps_no_other_from_being_taken(field: Field) -> None:
    taken = field.take(sent("arrived", DAIRY, rep="ben"), sent("arrived", KIOSK), sent("left", KIOSK, "10:30"))
    assert [each.outcome for each in taken] == ["refused", "taken", "taken"]
    assert taken[0].field == "rep_id"
    assert {event.rep_id for event in field.events()} == {"anna"}


def test_a_manager_reports_for_a_rep_in_their_own_name(field: Field) -> None:
    assert became(field.take(sent("reported", MILL, "10:40", disposition="met"), who="max")) == [("taken", "")]
    assert [(event.rep_id, event.made_by) for event in field.events()] == [("anna", "user:max")]
    assert field.handoff().owner == "anna"


def test_a_rep_who_is_not_there_has_no_day(field: Field) -> None:
    with pytest.raises(NotFoundError, match="has no rep zoe"):
        field.take(sent("arrived", KIOSK, rep="zoe"), who="max")


# ---- what makes no sense


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"id": "1"}, "id"),
        ({"id": None}, "id"),
        ({"rep_id": 7}, "rep_id"),
        ({"day": "2026-02-30"}, "day"),
        ({"visit_id": "bakery"}, "visit_id"),
        ({"visit_id": "booking:1"}, "visit_id"),
        ({"visit_id": ""}, "visit_id"),
        ({"kind": "teleported"}, "kind"),
        ({"kind": "sick"}, "visit_id"),
        ({"made_at": "yesterday"}, "made_at"),
        ({"made_at": "2026-12-01T10:00:00"}, "made_at"),
        ({"made_at": "9999-12-31T23:59:59-12:00"}, "made_at"),
        ({"base": -1}, "base"),
        ({"base": True}, "base"),
        ({"body": []}, "body"),
        ({"body": {"lat": 91, "lon": 0}}, "body.lat"),
        ({"body": {"lat": float("nan"), "lon": 0}}, "body.lat"),
        ({"body": {"lat": 1}}, "body.lon"),
        ({"body": {"lat": 1, "lon": 1, "accuracy_m": -1}}, "body.accuracy_m"),
        ({"body": {"speed": 1}}, "body.speed"),
        ({"kind": "reported", "body": {}}, "body.disposition"),
        ({"kind": "reported", "body": {"disposition": "met", "text": "\0"}}, "body.text"),
        ({"kind": "reported", "body": {"disposition": "met", "text": "\ud800"}}, "body.text"),
        ({"kind": "reported", "body": {"disposition": "met", "text": "x" * 10_001}}, "body.text"),
        ({"kind": "reported", "body": {"disposition": "met", "order_value": "7"}}, "body.order_value"),
        ({"kind": "reported", "body": {"disposition": "met", "deal": "won"}}, "body.deal"),
        ({"kind": "reported", "body": {"disposition": "met", "order_value": 10**400}}, "body.order_value"),
        ({"kind": "late", "visit_id": "", "body": {"after": ""}}, "body.leave_at"),
        ({"kind": "order", "visit_id": "", "body": {"after": "", "order": [KIOSK, KIOSK]}}, "body.order"),
        ({"kind": "settled", "visit_id": "", "body": {"event": "1"}}, "body.event"),
    ],
)
def test_a_bad_event_is_refused_by_the_name_of_its_field_while_the_others_are_taken(
    field: Field, wrong: dict[str, Any], name: str
) -> None:
    usual = {field: getattr(sent("arrived", KIOSK), field) for field in SentEvent.__slots__}
    taken = field.take(sent("left", MILL), SentEvent(**(usual | wrong)), sent("left", KIOSK))
    assert became(taken) == [("taken", ""), ("refused", name), ("taken", "")]
    assert taken[1].message
    assert len(field.events()) == 2


@pytest.mark.parametrize("deal", ["lost", "returned"])
def test_who_gives_a_deal_up_or_back_says_why(field: Field, deal: str) -> None:
    (taken,) = field.take(sent("reported", MILL, disposition="met", deal=deal, reason="  "))
    assert (taken.field, taken.message) == ("body.reason", "say why")


# ---- kept, and told


def test_what_comes_very_late_is_kept_with_the_visit_and_moves_nothing(field: Field) -> None:
    settings_with(field, accept_days=10)
    field.town.wait(days=11)
    kiosk, mill = field.take(
        sent("reported", KIOSK, disposition="met"), sent("reported", MILL, "10:40", disposition="met")
    )
    assert "more than 10 days after" in kiosk.message
    assert "more than 10 days after the visit to Mill" in mill.message
    assert field.handoff().state == "booked"
    assert len(field.reports()) == 2


def test_a_statement_about_a_day_that_is_over_is_kept_and_said_to_be(field: Field) -> None:
    field.town.wait(days=1)
    late, fact = field.take(sent("sick"), sent("left", KIOSK))
    assert (late.outcome, fact.outcome) == ("conflict", "taken")
    assert late.message.startswith("2026-12-01 was over when this came")


def test_a_customer_who_is_gone_is_said_to_be(field: Field) -> None:
    (taken,) = field.take(sent("reported", "account:nobody", disposition="met"))
    assert taken.message == "There is no customer nobody any more; your report is kept with it"
    assert [report.account_id for report in field.reports()] == ["nobody"]


def test_a_visit_that_is_another_reps_by_now_is_said_to_be_and_the_report_is_kept(field: Field) -> None:
    (taken,) = field.take(sent("reported", DAIRY, disposition="met"))
    assert taken.message == "Dairy is Ben's on Friday, 2026-12-04, now; your report is kept with it"
    assert [report.visit_id for report in field.reports()] == [DAIRY]


def test_a_promise_that_was_cancelled_or_moved_is_said_to_be(field: Field) -> None:
    town = field.town
    cancel(town.store, ACTORS["max"], town.agendas, TOWN, f"b-mill-{TUESDAY}", "They are ill", town.settings)
    (taken,) = field.take(sent("skipped", MILL))
    assert taken.message == "The visit to Mill was cancelled; this changes nothing"
    field.promises("mill", "ben", WEDNESDAY)
    (taken,) = field.take(sent("arrived", MILL))
    assert taken.message == "Mill is Ben's on Wednesday, 2026-12-02, now; your check-in is kept with it"


def test_an_order_that_names_what_is_gone_says_so(field: Field) -> None:
    (taken,) = field.take(sent("order", after="", order=[MILL, DAIRY, KIOSK]))
    assert taken.message == "Dairy is not in your day any more; the rest is in your order"
    assert became(field.take(sent("order", "", "10:05", after="", order=[MILL, KIOSK]))) == [("taken", "")]


def test_what_a_rep_adds_or_left_out_before_is_in_the_day(field: Field) -> None:
    said = [sent("added", FORGE), sent("arrived", FORGE), sent("skipped", KIOSK), sent("restored", KIOSK)]
    assert became(field.take(*said)) == [("taken", "")] * 4
    assert became(field.take(sent("cancelled", KIOSK, "11:00"))) == [("taken", "")]
    assert became(field.take(sent("skipped", KIOSK, "11:05"))) == [("taken", "")]


def test_on_a_day_that_no_plan_knows_nothing_is_missed(field: Field) -> None:
    field.town.wait(days=6)
    assert became(field.take(sent("arrived", BAKERY, day=NEXT_WEEK))) == [("taken", "")]


@pytest.mark.parametrize("turn", [1, -1])
def test_who_was_somewhere_before_they_were_heard_to_add_it_did_nothing_wrong(field: Field, turn: int) -> None:
    for event in [sent("added", FORGE, "09:00"), sent("arrived", FORGE, "10:00")][::turn]:
        field.take(event)
    assert [str(event.outcome) for event in field.events()] == ["taken", "taken"]
    assert field.conflicts() == []


def test_an_order_is_told_anew_when_what_was_missing_in_the_day_is_added(field: Field) -> None:
    order = sent("order", after="", order=[MILL, DAIRY, FORGE])
    field.take(order)
    assert field.event(order).message.startswith("Dairy, Forge are not in your day any more")
    field.take(sent("added", FORGE, "09:00"))
    assert field.event(order).message.startswith("Dairy is not in your day any more")
    field.take(sent("added", DAIRY, "09:01"))
    assert (field.event(order).outcome, field.event(order).message) == ("taken", "")


def test_a_report_that_a_won_deal_stood_against_counts_once_that_is_corrected(field: Field) -> None:
    field.town.wait(days=1)
    won = sent("reported", FORGE, "10:00", disposition="met", deal="won")
    late = sent("reported", FORGE, "09:00", day=WEDNESDAY, disposition="met")
    field.take(sent("added", FORGE, "08:00", day=WEDNESDAY), sent("added", FORGE, "08:00"), won, late)
    assert "Forge is won now" in field.event(late).message
    field.take(sent("reported", FORGE, "10:30", disposition="met"))
    assert (field.event(late).outcome, field.event(late).message) == ("taken", "")
    assert field.handoff("forge").state == "visited"


@pytest.mark.parametrize("turn", [1, -1])
def test_that_a_visit_is_another_reps_is_said_of_the_first_that_was_done_there(field: Field, turn: int) -> None:
    arrived, reported = sent("arrived", DAIRY), sent("reported", DAIRY, "10:30", disposition="not_in")
    for event in [arrived, reported][::turn]:
        field.take(event)
    assert [str(field.event(event).outcome) for event in (arrived, reported)] == ["conflict", "taken"]


def test_what_is_settled_is_not_told_anew(field: Field) -> None:
    arrived = sent("arrived", FORGE)
    field.take(arrived, sent("settled", "", "12:00", event=arrived.id))
    field.take(sent("left", FORGE, "10:30"))
    assert field.event(arrived).outcome == "settled"


# ---- settled


def test_a_conflict_is_listed_until_its_rep_has_settled_it(field: Field) -> None:
    (taken,) = field.take(sent("arrived", DAIRY))
    (listed,) = field.conflicts()
    assert (listed.id, listed.visit_id, listed.day, listed.message) == (taken.id, DAIRY, TUESDAY, taken.message)
    assert field.conflicts("ben") == []
    settled = sent("settled", "", "12:00", event=taken.id)
    assert became(field.take(settled)) == [("taken", "")]
    assert field.conflicts() == []
    assert became(field.take(sent("arrived", DAIRY))) == [("settled", "")]


def test_nobody_settles_for_somebody_else(field: Field) -> None:
    (taken,) = field.take(sent("arrived", DAIRY))
    field.take(sent("settled", "", "12:00", rep="ben", event=taken.id), who="ben")
    assert [conflict.id for conflict in field.conflicts()] == [taken.id]


def test_what_was_settled_before_it_came_is_settled(field: Field) -> None:
    arrived = sent("arrived", DAIRY)
    field.take(sent("settled", "", "12:00", event=arrived.id))
    assert became(field.take(arrived)) == [("settled", "")]


# ---- check-ins


@pytest.mark.parametrize(
    ("position", "verdict", "distance"),
    [
        ({"lat": 0.0, "lon": 0.0200, "accuracy_m": 5}, CheckInVerdict.AT_THE_DOOR, 0),
        ({"lat": 0.0, "lon": 0.0214, "accuracy_m": 10}, CheckInVerdict.AT_THE_DOOR, 156),
        ({"lat": 0.0, "lon": 0.0214, "accuracy_m": 5}, CheckInVerdict.ELSEWHERE, 156),
        ({"lat": 0.0, "lon": 0.0300, "accuracy_m": 500}, CheckInVerdict.ELSEWHERE, 1112),
        ({"lat": 0.0, "lon": 0.0200, "accuracy_m": 501}, CheckInVerdict.UNVERIFIED, 0),
        ({"lat": 0.0, "lon": 0.0200}, CheckInVerdict.UNVERIFIED, 0),
        ({}, CheckInVerdict.UNVERIFIED, None),
    ],
)
def test_a_check_in_is_judged_by_the_distance_from_the_door(
    field: Field, position: dict[str, Any], verdict: CheckInVerdict, distance: int | None
) -> None:
    field.take(sent("arrived", KIOSK, **position))
    (check_in,) = field.check_ins()
    assert (check_in.verdict, check_in.distance_m) == (verdict, distance)
    assert (check_in.lat, check_in.accuracy_m) == (position.get("lat"), position.get("accuracy_m"))


def test_where_a_customer_is_not_located_no_check_in_is_verified(field: Field) -> None:
    field.take(sent("arrived", "account:nobody", lat=0.0, lon=0.0, accuracy_m=5))
    (check_in,) = field.check_ins()
    assert (check_in.verdict, check_in.distance_m) == (CheckInVerdict.UNVERIFIED, None)


def test_a_position_is_in_the_check_in_and_nowhere_else_and_no_text_is_in_the_audit_log(field: Field) -> None:
    arrived = sent("arrived", KIOSK, lat=0.0123456, lon=0.0200001, accuracy_m=12)
    field.take(arrived, sent("reported", KIOSK, disposition="met", text="They bake", competitor="Miller & Co"))
    assert [event.body for event in field.events() if event.kind == "arrived"] == [{}]
    written = str([entry for entry in field.audited() if entry[0].startswith("field.")])
    assert "field.arrived" in written
    assert event_id("x") not in written
    assert not any(word in written for word in ("0.0123", "0.02", "bake", "Miller"))
    assert field.take(sent("arrived", KIOSK, lat=0.0123456, lon=0.0200001, accuracy_m=12))[0].outcome == "taken"


def test_every_event_is_audited_under_its_kind(field: Field) -> None:
    field.take(sent("arrived", KIOSK), sent("sick"))
    written = [entry for entry in field.audited() if entry[0].startswith("field.")]
    assert [entry[0] for entry in written] == ["field.arrived", "field.sick"]
    assert written[0][2] == {"rep": "anna", "day": str(TUESDAY), "visit": KIOSK}


def test_an_inside_rep_sees_reports_of_their_own_and_no_events(field: Field) -> None:
    field.take(sent("arrived", MILL), sent("reported", MILL, "10:40", disposition="met"))
    field.take(sent("reported", KIOSK, disposition="met"))
    with field.reading("iris") as unit:
        assert [report.opportunity_id for report in unit.visit_reports.find(area=TOWN)] == ["mill"]
        assert [visit.visit_id for visit in unit.field_visits.find(area=TOWN)] == [MILL]
        assert unit.field_events.find(area=TOWN) == []
        assert unit.check_ins.find(area=TOWN) == []


# ---- who was met is not visited again for the same


def test_a_customer_who_was_met_leaves_the_coming_days_and_stays_on_the_day_itself(field: Field) -> None:
    field.town.now = at("12:00", MONDAY) + timedelta(minutes=1)
    field.take(sent("reported", KIOSK, day=MONDAY, disposition="met"))
    with field.reading() as unit:
        (tuesday,) = unit.changed_days.find(area=TOWN, rep_id="anna", day=TUESDAY)
    assert tuesday.order == (MILL,)


@pytest.mark.parametrize("turn", [1, -1])
def test_who_was_not_met_after_all_is_visited_as_planned_whichever_is_heard_first(field: Field, turn: int) -> None:
    met = sent("reported", DAIRY, "10:00", disposition="met")
    corrected = sent("reported", DAIRY, "10:05", disposition="not_in")
    for event in [met, corrected][::turn]:
        field.take(event)
    with field.reading() as unit:
        day = field.town.agendas.day(unit, TOWN, "ben", FRIDAY)
    assert DAIRY in day.order
    shown = next(d for d in field.town.published()["rep_days"] if (d["rep_id"], d["date"]) == ("ben", str(FRIDAY)))
    assert [stop["visit_id"] for stop in shown["stops"]] == [DAIRY]


def test_what_is_promised_stays_when_its_customer_was_met(field: Field) -> None:
    field.town.now = at("12:00", MONDAY) + timedelta(minutes=1)
    (taken,) = field.take(sent("reported", MILL, day=MONDAY, disposition="met"))
    assert "has been promised a visit on 2026-12-01 10:00–11:00" in taken.message
    with field.reading() as unit:
        days = unit.changed_days.find(area=TOWN, rep_id="anna", day=TUESDAY)
    assert all(MILL in day.order for day in days)


def test_an_area_that_is_not_seen_has_no_reps(field: Field) -> None:
    town = field.town
    elsewhere = Actor("user:eve", Scope("elsewhere"))
    with pytest.raises(NotFoundError):
        take(town.store, elsewhere, town.agendas, TOWN, [sent("left", KIOSK)], SETTINGS, AT_SIX)
