"""Opportunities go from inside sales to the field and back by program."""

from __future__ import annotations

from typing import Any

import pytest
from api_cast import Installation, Program, account, admin, building, office, opportunity, rep
from api_town import INES, Town, town
from booking_cast import AREA, spot

from planner.access import Permission, Role
from planner.domain import RecordKind

__all__ = ["admin", "building", "office", "town"]

HOME = "/areas/helsinki"
BANT: dict[str, Any] = {
    "need": {"answer": "yes", "said_by": "Olga Onnela", "said_on": "2026-11-27"},
    "budget": {"answer": "yes", "said_by": "Olga Onnela"},
    "timeline": {"answer": "this quarter"},
}
DRAFT = {"revision": 0, "name": "Ostrich & Co", "address": "Unioninkatu 9", "city": "Helsinki"} | BANT


@pytest.fixture
def ines(office: Installation) -> Program:
    office.keep(rep(), rep("ben"))
    return office.program(Role.INSIDE_REP, area="helsinki")


@pytest.fixture
def ann(office: Installation) -> Program:
    return office.program(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))


def drafted(program: Program, id: str = "O1", **changes: Any) -> dict[str, Any]:
    standing: dict[str, Any] = program.post(f"{HOME}/drafts/{id}", DRAFT | changes, 201)
    return standing


def moved(program: Program, action: str, revision: int, status: int = 200, id: str = "O1", **said: Any) -> Any:
    return program.post(f"{HOME}/moves/{id}", {"action": action, "revision": revision} | said, status)


# --- what inside sales writes down ------------------------------------------------------------------------------------


def test_an_opportunity_is_drafted_handed_off_accepted_and_returned_by_program(
    office: Installation, ines: Program, ann: Program
) -> None:
    office.keep(account("A1", owner_rep_id="ann"))
    draft = drafted(ines, account_id="A1")
    assert (draft["state"], draft["side"], draft["missing"]) == ("draft", "inside", [])
    assert draft["actions"] == ["hand_off", "lose"]
    out = ines.post(f"{HOME}/hand-offs/O1", {"revision": draft["revision"], "note": "ring first"})
    assert (out["state"], out["side"], out["owner"]) == ("handed_off", "field", "ann")
    assert ann.get(f"{HOME}/standing/O1")["actions"] == ["accept", "reject", "report"]
    accepted = moved(ann, "accept", out["revision"])
    back = moved(ann, "return", accepted["revision"], why="no money before May", learned="ask for Olga")
    assert (back["state"], back["side"], back["learned"]) == ("returned", "inside", "ask for Olga")
    events = [event["action"] for event in ines.get(f"{HOME}/standing/O1")["history"]]
    assert events == ["began", "drafted", "handed_off", "accepted", "returned"]


def test_answers_are_kept_with_who_said_them_and_old_ones_in_the_history(ines: Program) -> None:
    draft = drafted(ines)
    by_question = {answer["question"]: answer for answer in draft["answers"]}
    need = by_question["need"]
    assert (need["answer"], need["said_by"], need["said_on"]) == ("yes", "Olga Onnela", "2026-11-27")
    told = {"revision": draft["revision"], "budget": {"answer": "no", "said_by": "The director"}}
    changed = ines.post(f"{HOME}/drafts/O1", told)
    assert "Budget: yes → no (said by The director)" in changed["history"][-1]["text"]
    assert changed["missing"]
    record = ines.get(f"{HOME}/opportunities/O1")
    assert (record["budget"], record["need"], record["timeline"]) == ("no", "yes", "this quarter")


def test_what_is_left_out_stays_as_it_is_and_what_is_sent_is_replaced(office: Installation, ines: Program) -> None:
    draft = drafted(ines, visit_minutes=45, notes="x", required_skills=["Wine"])
    changes = {"revision": draft["revision"], "visit_minutes": None, "city": "Espoo"}
    after = ines.post(f"{HOME}/drafts/O1", changes)
    record = ines.get(f"{HOME}/opportunities/O1")
    assert (record["visit_minutes"], record["notes"], record["required_skills"]) == (None, "x", ["wine"])
    assert (record["address"], record["city"]) == ("Unioninkatu 9", "Espoo")
    assert ines.post(f"{HOME}/drafts/O1", {"revision": after["revision"]}) == after


def test_a_new_opportunity_belongs_to_who_wrote_it_down(office: Installation, ines: Program) -> None:
    drafted(ines)
    ivan = office.program(Role.INSIDE_REP, area="helsinki")
    said = [
        ivan.post(f"{HOME}/drafts/{id}", {"revision": 0, "notes": "x"}, 404)["detail"].replace(id, "…")
        for id in ("O1", "O-nobodys")
    ]
    assert said[0] == said[1]
    ivan.post(f"{HOME}/drafts/O1", DRAFT, 404)
    assert ines.get(f"{HOME}/opportunities/O1")["name"] == "Ostrich & Co"


def test_a_draft_is_located_by_the_area_s_own_addresses(town: Town) -> None:
    town.program(INES).post("/drafts/O%2F9", DRAFT | {"address": "5 Mill Lane", "city": ""}, 201)
    with town.store.read() as unit:
        location = unit.records(AREA).location(RecordKind.OPPORTUNITY, "O/9")
    assert location is not None
    assert location.place == spot(500, 1208)


def test_what_makes_no_sense_of_a_draft_is_told_by_field(ines: Program) -> None:
    for changes, pointer in (
        ({"name": ""}, "/name"), ({"name": "a\0b"}, "/name"), ({"value": 1e308}, "/value"), ({"value": -1}, "/value"),
        ({"availability": "whenever"}, "/availability"), ({"need": {"answer": "perhaps"}}, "/need/answer"),
        ({"need": {"answer": "yes", "said_on": "2031-01-01"}}, "/need"), ({"need": "yes"}, "/need"),
        ({"revision": -1}, "/revision"), ({"revision": 2**31}, "/revision"), ({"inside_rep": "x"}, "/inside_rep"),
        ({"required_skills": ["x"] * 101}, "/required_skills"), ({"notes": "x" * 20_001}, "/notes"),
        ({"timeline": {"answer": "x" * 20_001}}, "/timeline/answer"), ({"name": None}, "/name"),
    ):  # fmt: skip
        assert pointer in ines.refused(f"{HOME}/drafts/O1", DRAFT | changes, "POST"), changes
    ines.post(f"{HOME}/drafts/{'x' * 201}", DRAFT, 422)
    ines.get(f"{HOME}/opportunities/O1", 404)


# --- the gate, and who is there already -------------------------------------------------------------------------------


def test_what_the_gate_misses_is_told_as_sentences(ines: Program) -> None:
    draft = drafted(ines, need={"answer": "unknown"})
    problem = ines.post(f"{HOME}/hand-offs/O1", {"revision": draft["revision"]}, 422)
    assert problem["type"] == "urn:fieldvisit:problem:gate-closed"
    assert problem["missing"] == draft["missing"] == ["need is unknown, must be yes"]


def test_who_is_there_already_is_shown_before_it_is_handed_off(office: Installation, ines: Program) -> None:
    office.keep(account("A1", name="Ostrich and Company", owner_rep_id="ben"), account("A2", name="Ostrich & Co."))
    draft = drafted(ines)
    order: dict[str, Any] = {"revision": draft["revision"]}
    problem = ines.post(f"{HOME}/hand-offs/O1", order, 409)
    assert problem["type"] == "urn:fieldvisit:problem:looks-known"
    assert problem["matches"] == ines.get(f"{HOME}/matches/O1")["matches"]
    keys = [match["key"] for match in problem["matches"]]
    assert "account:A2" in keys
    assert "email" not in problem["matches"][0]
    assert ines.get(f"{HOME}/standing/O1")["state"] == "draft"
    out = ines.post(f"{HOME}/hand-offs/O1", order | {"seen": keys, "different": keys})
    assert (out["state"], out["conflict"]) == ("handed_off", "")
    assert "Not the same as" in out["history"][-1]["text"]


def test_an_opportunity_that_nobody_has_touched_yet_stands_as_imported(office: Installation, admin: Program) -> None:
    office.keep(opportunity(budget="yes", authority="yes"))
    standing = admin.get(f"{HOME}/standing/O1")
    assert (standing["revision"], standing["since"], standing["state"]) == (0, None, "handed_off")
    assert admin.get(f"{HOME}/matches/O1") == {"matches": [], "decision": ""}


# --- who may do what --------------------------------------------------------------------------------------------------


def test_a_move_of_the_other_side_is_refused(office: Installation, ines: Program, ann: Program) -> None:
    office.keep(account("A1", owner_rep_id="ann"))
    drafted(ines, account_id="A1")
    out = ines.post(f"{HOME}/hand-offs/O1", {"revision": 1})
    assert "only the field may do this" in moved(ines, "accept", out["revision"], 422)["detail"]
    assert "only inside sales may do this" in moved(ann, "withdraw", out["revision"], 422, why="x")["detail"]
    assert "only a manager may do this" in moved(ann, "assign", out["revision"], 422, rep="ben")["detail"]
    ann.post(f"{HOME}/hand-offs/O1", {"revision": out["revision"]}, 403)
    ann.post(f"{HOME}/drafts/O1", {"revision": out["revision"]}, 403)
    ann.get(f"{HOME}/matches/O1", 403)
    manager = office.program(Role.MANAGER, area="helsinki")
    assert moved(manager, "assign", out["revision"], rep="ben", shared=True)["owner"] == "ben"
    moved(ann, "accept", out["revision"] + 1, 404)


def test_a_managers_token_does_what_its_scopes_say(office: Installation, ines: Program) -> None:
    drafted(ines)
    revision = ines.post(f"{HOME}/hand-offs/O1", {"revision": 1})["revision"]
    answers = office.program(Role.MANAGER, Permission.ANSWER_HANDOFFS, area="helsinki")
    writes = office.program(Role.MANAGER, Permission.HAND_OFF, Permission.SEE_HANDOFFS, area="helsinki")
    assert "handoffs:write" in moved(answers, "withdraw", revision, 403, why="x")["detail"]
    assert "handoffs:answer" in moved(writes, "reject", revision, 403, kind="clerical", why="x")["detail"]
    assert writes.get(f"{HOME}/standing/O1")["actions"] == ["withdraw"]
    assert "withdraw" not in answers.get(f"{HOME}/standing/O1")["actions"]
    assert moved(answers, "accept", revision, rep="ann")["owner"] == "ann"


def test_what_has_to_be_said_is_asked_for_by_name(ines: Program, admin: Program) -> None:
    drafted(ines)
    revision = ines.post(f"{HOME}/hand-offs/O1", {"revision": 1})["revision"]
    path = f"{HOME}/moves/O1"
    for said, pointer in (
        ({"action": "reject", "why": "x"}, "/kind"), ({"action": "reject", "kind": "clerical"}, "/why"),
        ({"action": "report"}, "/learned"), ({"action": "assign"}, "/rep"), ({"action": "book"}, "/action"),
        ({"action": "hand_off"}, "/action"), ({"action": "reject", "kind": "mood", "why": "x"}, "/kind"),
        ({"action": "withdraw", "why": "x" * 50_000}, "/why"), ({"action": "withdraw", "why": "\0"}, "/why"),
        ({"action": "withdraw", "why": "x", "revision": 10**29}, "/revision"),
    ):  # fmt: skip
        assert pointer in admin.refused(path, {"revision": revision} | said, "POST"), said
    assert admin.post(path, {"action": "assign", "revision": revision, "rep": "nobody"}, 404)


def test_the_second_of_two_is_told_what_the_first_did(ines: Program, admin: Program) -> None:
    drafted(ines)
    revision = ines.post(f"{HOME}/hand-offs/O1", {"revision": 1})["revision"]
    moved(ines, "withdraw", revision, why="too early")
    late = moved(admin, "reject", revision, 409, kind="clerical", why="x")
    assert late["type"] == "urn:fieldvisit:problem:changed"
    assert late["present"] == {"revision": revision + 1, "state": "draft"}
    told = ines.post(f"{HOME}/drafts/O1", {"revision": revision, "notes": "x"}, 409)
    assert told["present"] == late["present"]


def test_a_hand_off_that_is_sent_again_is_done_once(ines: Program) -> None:
    drafted(ines)
    first = ines.post(f"{HOME}/hand-offs/O1", {"revision": 1}, key="k1")
    assert ines.post(f"{HOME}/hand-offs/O1", {"revision": 1}, key="k1") == first
    assert ines.post(f"{HOME}/hand-offs/O1", {"revision": 1}, 409)["present"]["state"] == "handed_off"


def test_what_is_somebody_else_s_is_answered_as_what_is_not_there(office: Installation, ines: Program) -> None:
    drafted(ines, "O1")
    others = (
        office.program(Role.INSIDE_REP, area="helsinki"),
        office.program(Role.MANAGER, area="porvoo"),
    )
    for other in others:
        for method, path, body in (
            ("GET", "standing", None), ("GET", "matches", None), ("POST", "hand-offs", {"revision": 1}),
            ("POST", "moves", {"revision": 1, "action": "lose", "why": "x"}), ("POST", "drafts", {"revision": 1}),
        ):  # fmt: skip
            sent: dict[str, Any] = {"json": body} if body else {}
            said = [
                other.ask(method, f"{HOME}/{path}/{id}", 404, **sent).get_json()["detail"].replace(id, "…")
                for id in ("O1", "O-nobodys")
            ]
            assert said[0] == said[1]


# --- leads and proposals ----------------------------------------------------------------------------------------------


def test_a_program_writes_down_where_a_lead_came_from_and_when_it_was_contacted(ines: Program) -> None:
    draft = drafted(ines, source="trade fair", lead_at="2026-11-25T09:30")
    ines.post(f"{HOME}/drafts/O1", {"revision": draft["revision"], "contacted_at": "2026-11-26T11:00"})
    record = ines.get(f"{HOME}/opportunities/O1")
    told = ("trade fair", "2026-11-25T09:30:00", "2026-11-26T11:00:00")
    assert (record["source"], record["lead_at"], record["contacted_at"]) == told
    assert "/contacted_at" in ines.refused(f"{HOME}/drafts/O1", {"revision": 2, "contacted_at": "yesterday"}, "POST")


def test_a_program_says_that_a_proposal_is_made_of_what_is_visited(
    office: Installation, ines: Program, ann: Program
) -> None:
    office.keep(account("A1", owner_rep_id="ann"))
    out = ines.post(f"{HOME}/hand-offs/O1", {"revision": drafted(ines, account_id="A1")["revision"]})
    moved(ann, "propose", out["revision"], 422)
    visited = moved(ann, "report", out["revision"], learned="they want two")
    assert "propose" in visited["actions"]
    proposed = moved(ann, "propose", visited["revision"])
    assert (proposed["state"], proposed["history"][-1]["action"]) == ("visited", "proposed")
