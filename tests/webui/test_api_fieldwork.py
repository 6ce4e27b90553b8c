"""What phones ask and send, by program: a rep's days, events, what a wish would make of a day, and report templates."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from api_cast import Installation, Program, admin, building, office, opportunity, rep
from api_cast import account as customer
from api_town import ANNS, AREA, BENS, BENS_MANAGER, INES, MAX, STRANGER, Asking, Town, town
from booking_cast import BAKERY, BEN, PLACES, located, spot, town_visit
from plan_cast import MONDAY, plan, rep_day

from planner.access import Permission, Role
from planner.domain import Address
from planner.rep_days import RepDayNote
from webui.api.fieldwork import MOST_EVENTS, FieldDocumentBody

__all__ = ["admin", "building", "office", "town"]

EVIL = "<script>alert(1)</script>"
PHONE = f"/field/ann?from={MONDAY}&days=2"
TEMPLATES = "/report-templates"
_numbers = count(1)


def event(kind: str = "arrived", visit_id: str = "account:A1", **changes: Any) -> dict[str, Any]:
    """Ann is at the bakery's door on Monday."""
    usual: dict[str, Any] = {
        "id": str(UUID(int=next(_numbers) + (4 << 76) + (8 << 60))), "rep_id": "ann", "day": MONDAY,
        "visit_id": visit_id, "kind": kind, "made_at": f"{MONDAY}T09:15:00+02:00", "base": 0, "body": {},
    }  # fmt: skip
    return usual | changes


def send(program: Asking, *events: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    """The outcome of each event, and what makes no sense."""
    answer = program.post("/field-events", {"events": list(events)}, **options)
    return [(entry["outcome"], entry["field"]) for entry in answer["events"]]


@pytest.fixture
def ann(town: Town) -> Asking:
    """It is Monday noon."""
    town.time.now = town.time.now.replace(hour=10)
    return town.program(ANNS)


def test_the_phone_document_is_what_the_contract_says(ann: Asking) -> None:
    document = ann.get(PHONE)
    FieldDocumentBody.model_validate(document, strict=True)
    assert list(document) == [
        "area", "rep", "user", "generated_at", "today", "templates", "dispositions", "deals", "severities", "days",
        "customers", "conflicts", "csrf",
    ]  # fmt: skip
    assert document["rep"] == {"id": "ann", "name": "Ann Lindqvist", "timezone": "Europe/Helsinki"}
    assert [day["date"] for day in document["days"]] == ["2026-11-30", "2026-12-01"]
    assert [stop["name"] for stop in document["days"][0]["stops"]] == ["Secret Bakery", "Secret Grocer"]


def test_without_asking_for_days_it_is_the_week_from_today_on(ann: Asking) -> None:
    days = [day["date"] for day in ann.get("/field/ann")["days"]]
    assert (days[0], len(days)) == (MONDAY, 7)


@pytest.mark.parametrize("asked", ["from=tomorrow", "days=0", "days=15", "days=x", "colour=red", "from=0001-01-01"])
def test_other_days_are_refused(ann: Asking, asked: str) -> None:
    ann.get(f"/field/ann?{asked}", 400)


def test_roads_follow_the_streets_to_each_stop_and_home(ann: Asking) -> None:
    monday, tuesday = ann.get(PHONE)["days"]
    home, shop = monday["start"], monday["stops"][0]
    first, second, way_home = monday["roads"]
    assert first[0] == pytest.approx([home["lat"], home["lon"]], abs=2e-4)
    assert first[-1] == pytest.approx([shop["lat"], shop["lon"]], abs=2e-4)
    assert len(second) > 2  # round a corner
    assert way_home[-1] == pytest.approx(first[0], abs=1e-4)
    assert all(number == round(number, 5) for line in monday["roads"] for point in line for number in point)
    assert tuesday["roads"] == []


def test_what_has_not_changed_is_not_sent_again(town: Town, ann: Asking) -> None:
    answer = ann.ask("GET", PHONE, 200)
    seen = {"If-None-Match": answer.headers["ETag"]}
    town.time.now += timedelta(minutes=5)
    again = ann.ask("GET", PHONE, 304, headers=seen)
    assert again.data == b""
    with town.store.write() as unit:
        unit.rep_day_notes.put(RepDayNote(AREA, "ann", town.time.now.date(), 1, "Car in the garage"))
        unit.audit("note.written", area=AREA)
    assert ann.ask("GET", PHONE, 200, headers=seen).get_json()["days"][0]["note"] == "Car in the garage"


def test_it_travels_packed(ann: Asking) -> None:
    packed = ann.ask("GET", PHONE, 200, headers={"Accept-Encoding": "gzip"})
    assert packed.content_encoding == "gzip"
    assert json.loads(gzip.decompress(packed.data))["area"] == AREA


def test_a_browser_is_told_what_its_writes_have_to_carry_and_a_program_is_not(town: Town, ann: Asking) -> None:
    assert ann.get(PHONE)["csrf"] == ""
    town.viewer = ANNS
    assert town.client.get(f"/api/v1/areas/{AREA}{PHONE}").get_json()["csrf"] == "csrf"


def test_a_rep_has_their_own_phone_and_a_manager_those_of_the_team(town: Town) -> None:
    bens = f"/field/{BEN.id}"
    assert town.program(BENS).get(bens)["rep"]["id"] == BEN.id
    assert town.program(MAX).get(PHONE)["user"]["name"] == "Max"
    town.program(BENS_MANAGER).get(bens)
    for asking, path in ((ANNS, bens), (BENS, PHONE), (BENS_MANAGER, PHONE), (STRANGER, PHONE), (MAX, "/field/zoe")):
        town.program(asking).get(path, 404)
        town.program(asking).get(f"/repairs/{MONDAY}/{path.removeprefix('/field/').partition('?')[0]}?kind=sick", 404)


def test_inside_sales_has_no_phones(town: Town) -> None:
    ines = town.program(INES)
    ines.get(PHONE, 403)
    ines.get(f"/repairs/{MONDAY}/ann?kind=sick", 403)
    ines.get(TEMPLATES, 403)
    ines.post("/field-events", {"events": [event()]}, 403)


def test_a_token_needs_the_permission_to_report(town: Town) -> None:
    town.program(ANNS, Permission.SEE_DAYS).get(PHONE, 403)
    town.program(ANNS, Permission.REPORT).get(PHONE)


def test_what_a_phone_has_sent_is_on_it_afterwards(town: Town, ann: Asking) -> None:
    body = {"disposition": "met", "text": EVIL, "at_customer": True, "order_value": 12.5}
    arrived = event(body={"lat": 60.17007, "lon": 24.94721, "accuracy_m": 9})
    reported = event("reported", made_at=f"{MONDAY}T09:40:00+02:00", body=body)
    assert send(ann, arrived, reported) == [("taken", ""), ("taken", "")]
    bakery = ann.get(PHONE)["days"][0]["stops"][0]
    assert bakery["visit"]["arrived_at"] == "2026-11-30T09:15:00+02:00"
    assert (bakery["visit"]["dwell_minutes"], bakery["visit"]["verdict"]) == (25, "at_the_door")
    assert (bakery["report"]["text"], bakery["report"]["order_value"]) == (EVIL, 12.5)
    assert bakery["account"]["last_visit"] == MONDAY
    assert town.program(MAX).get(PHONE)["days"][0]["stops"][0]["visit"]["verdict"] is None


def test_an_event_that_is_sent_again_is_the_same_event(ann: Asking) -> None:
    sent = event()
    assert send(ann, sent, sent) == [("taken", ""), ("taken", "")]
    assert send(ann, sent) == [("taken", "")]
    assert send(ann, sent | {"kind": "left"}) == [("refused", "id")]


def test_the_same_request_under_its_key_is_answered_again(ann: Asking) -> None:
    sent = {"events": [event()]}
    first = ann.ask("POST", "/field-events", 200, key="key-of-mine", json=sent)
    again = ann.ask("POST", "/field-events", 200, key="key-of-mine", json=sent)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_an_event_that_makes_no_sense_does_not_keep_the_others_from_being_taken(ann: Asking) -> None:
    wrong = [
        event(kind="flew"), event(made_at="yesterday"), event(body={"lat": 91, "lon": 0}), event(base=-1), {},
        event(id="7"), event("reported", body={"disposition": "met", "text": 5}), event(day=5), event(visit_id="x"),
    ]  # fmt: skip
    outcomes = send(ann, *wrong, event())
    assert outcomes == [
        ("refused", "kind"), ("refused", "made_at"), ("refused", "body.lat"), ("refused", "base"), ("refused", "kind"),
        ("refused", "id"), ("refused", "body.text"), ("refused", "day"), ("refused", "visit_id"), ("taken", ""),
    ]  # fmt: skip


def test_as_many_events_are_taken_at_once_as_a_phone_sends(ann: Asking) -> None:
    ann.post("/field-events", {"events": []}, 422)
    ann.post("/field-events", {"events": [event() for _ in range(MOST_EVENTS + 1)]}, 422)
    ann.post("/field-events", {"events": [event() | {"colour": "red"}]}, 422)


def test_of_another_reps_day_nothing_is_taken(town: Town, ann: Asking) -> None:
    for rep_id in (BEN.id, "nobody"):
        ann.post("/field-events", {"events": [event(rep_id=rep_id)]}, 404)
        assert send(ann, event(), event(rep_id=rep_id)) == [("taken", ""), ("refused", "rep_id")]
    with town.store.read() as unit:
        assert {each.rep_id for each in unit.field_events.find()} == {"ann"}


def test_nobody_names_somebody_elses_customer_to_read_about_them(town: Town) -> None:
    ben, mine = town.program(BENS), {"rep_id": BEN.id}
    for kind in ("added", "skipped", "restored", "cancelled", "arrived", "left"):
        answer = ben.post("/field-events", {"events": [event(kind, "account:A3", **mine)]})["events"][0]
        assert (answer["outcome"], answer["message"]) == ("refused", "this is no visit of yours")
    order = {"after": "", "order": ["account:A3"]}
    assert send(ben, event("order", "", **mine, body=order)) == [("refused", "body.order")]
    for kind in ("added", "skipped", "restored", "cancelled"):
        for id_ in ("account:A3", "account:A99"):
            ben.get(f"/repairs/{MONDAY}/{BEN.id}?kind={kind}&visit_id={id_}", 404)
    asked = {"kind": "order", "order": json.dumps(["account:A3"])}
    ben.ask("GET", f"/repairs/{MONDAY}/{BEN.id}", 404, query_string=asked)
    told = json.dumps(ben.get(f"/field/{BEN.id}?from={MONDAY}&days=2"))
    assert "Florist" not in told
    assert "Market Street" not in told


def test_a_visit_that_moved_to_somebody_else_meanwhile_is_still_reported(town: Town, ann: Asking) -> None:
    bens = replace(BAKERY, owner_rep_id=BEN.id)
    town.know(bens, *located(bens, spot(*PLACES["A1"])))
    days = [rep_day("ann", []), rep_day(BEN.id, [town_visit(1, bens, "09:15", "09:45")])]
    town.keep(plan(days), published_at=town.time.now)
    (became,) = ann.post("/field-events", {"events": [event("reported", body={"disposition": "met"})]})["events"]
    assert became["outcome"] == "conflict"
    assert "Secret Bakery is Ben's on Monday" in became["message"]
    (conflict,) = ann.get(PHONE)["conflicts"]
    assert (conflict["id"], conflict["message"]) == (became["id"], became["message"])
    assert send(ann, event("settled", "", body={"event": became["id"]})) == [("taken", "")]
    assert ann.get(PHONE)["conflicts"] == []


def test_a_wish_shows_the_day_as_it_would_be_and_its_statements_make_it_come_true(ann: Asking) -> None:
    found = ann.get(f"/repairs/{MONDAY}/ann?kind=skipped&visit_id=account:A2&why=no time")
    assert [stop["visit_id"] for stop in found["before"]["stops"]] == ["account:A1", "account:A2"]
    assert [stop["visit_id"] for stop in found["after"]["stops"]] == ["account:A1"]
    assert found["drive_s_won"] > 0
    assert found["sentence"]
    assert [stop["visit_id"] for stop in ann.get(PHONE)["days"][0]["stops"]] == ["account:A1", "account:A2"]
    send(ann, *(event(**statement, base=found["base"]) for statement in found["statements"]))
    monday = ann.get(PHONE)["days"][0]
    assert [stop["visit_id"] for stop in monday["stops"]] == ["account:A1"]
    assert [(entry["visit_id"], entry["name"]) for entry in monday["left_out"]] == [("account:A2", "Secret Grocer")]
    assert monday["revision"] > found["base"]


def test_of_a_rep_who_is_sick_the_day_is_empty_and_says_who_is_not_visited(ann: Asking) -> None:
    assert send(ann, event("sick", "")) == [("taken", "")]
    monday = ann.get(PHONE)["days"][0]
    assert (monday["stops"], monday["progress"]["sick"]) == ([], True)
    assert {entry["name"] for entry in monday["left_out"]} == {"Secret Bakery", "Secret Grocer"}
    after_all = ann.get(f"/repairs/{MONDAY}/ann?kind=sick&sick=false")
    assert after_all["statements"][0] == {"kind": "sick", "visit_id": "", "body": {"sick": False}}


@pytest.mark.parametrize("order", ["[", '{"a":1}', "[1]", "account:A1", "[" * 30])
def test_an_order_is_a_list_of_visits(ann: Asking, order: str) -> None:
    ann.ask("GET", f"/repairs/{MONDAY}/ann", 400, query_string={"kind": "order", "order": order})


def test_a_wish_is_one_of_a_few_on_a_day_there_is(ann: Asking) -> None:
    ann.get(f"/repairs/{MONDAY}/ann", 400)
    ann.get(f"/repairs/{MONDAY}/ann?kind=settled", 400)
    ann.get("/repairs/someday/ann?kind=sick", 404)
    ann.get(f"/repairs/{MONDAY}/ann?kind=late", 422)
    ann.get(f"/repairs/{MONDAY}/ann?kind=skipped&visit_id=account:A99", 404)


def test_hostile_names_come_as_they_are_and_links_hold_none_of_it(office: Installation) -> None:
    evil = customer("A1", name=EVIL, address=Address(EVIL), owner_rep_id="ann", contact_phone=EVIL)
    office.keep(rep(name=EVIL), evil)
    office.keep_plan()
    answer = program_of(office, Role.FIELD_REP).ask("GET", f"/areas/helsinki{PHONE}", 200)
    assert answer.mimetype == "application/json"
    document = answer.get_json()
    assert document["rep"]["name"] == EVIL
    stop = document["days"][0]["stops"][0]
    assert (stop["account"]["name"], stop["contact"]["phone"]) == (EVIL, EVIL)
    assert not any("<" in link["url"] for stop in document["days"][0]["stops"] for link in stop["links"])


def test_where_streets_cannot_be_read_roads_are_straight(office: Installation) -> None:
    office.keep(rep(), customer(owner_rep_id="ann"))
    office.keep_plan()
    monday, _ = program_of(office, Role.FIELD_REP).get(f"/areas/helsinki{PHONE}")["days"]
    assert [len(line) for line in monday["roads"]] == [2, 2, 2]


def test_before_anything_is_published_the_days_are_there_and_empty(office: Installation) -> None:
    office.keep(rep(), customer(owner_rep_id="ann"), opportunity())
    office.keep_plan(published=False)
    monday, _ = program_of(office, Role.FIELD_REP).get(f"/areas/helsinki{PHONE}")["days"]
    assert (monday["stops"], monday["works"], monday["start"]["lat"]) == ([], True, None)


def program_of(office: Installation, role: Role) -> Program:
    scope: dict[str, Any] = {"area": "helsinki"}
    if role is Role.FIELD_REP:
        scope["reps"] = frozenset({"ann"})
    return office.program(role, **scope)


def test_report_templates_are_read_by_the_field_and_written_by_managers(office: Installation) -> None:
    office.keep(rep())
    ann, boss = program_of(office, Role.FIELD_REP), program_of(office, Role.MANAGER)
    path = f"/areas/helsinki{TEMPLATES}"
    usual = ann.get(path)
    assert [entry["name"] for entry in usual["templates"]] == ["First visit", "Customer visit", "Nobody there"]
    ours = [usual["templates"][0] | {"choices": {"competitor": ["Acme"]}, "text": EVIL}]
    ann.put(path, {"revision": 0, "templates": ours}, 403)
    saved = boss.put(path, {"revision": 0, "templates": ours})
    assert (saved["revision"], saved["templates"][0]["choices"]["competitor"]) == (1, ["Acme"])
    assert ann.get(path) == saved
    assert ann.get(f"/areas/helsinki{PHONE}")["templates"] == saved["templates"]
    told = boss.put(path, {"revision": 0, "templates": usual["templates"]}, 409)
    assert told["present"] == saved


def test_a_template_that_makes_no_sense_is_refused_where_it_is_wrong(office: Installation) -> None:
    path, boss = f"/areas/helsinki{TEMPLATES}", program_of(office, Role.MANAGER)
    plain = {"name": "Visit", "for": "both"}
    assert boss.refused(path, {"revision": 0, "templates": [plain, plain | {"required": ["text"]}]}) == {
        "/templates/1/name": "is that of template 1 too",
        "/templates/1/required": "has text, which is not asked",
    }
    assert list(boss.refused(path, {"revision": 0, "templates": []})) == ["/templates"]
    assert list(boss.refused(path, {"revision": 0, "templates": [{"name": "x"}]})) == ["/templates/0/for"]
