"""Oneself and everybody else, by program."""

from __future__ import annotations

from datetime import timedelta

from api_cast import Installation, Program, admin, building, office, rep

from planner.access import PERMISSIONS, Permission, Role
from planner.people.accounts import accept_invitation, the_user
from planner.people.sessions import start_session

__all__ = ["admin", "building", "office"]

KIM = {"email": "Kim.Lee@Example.com", "name": "Kim Lee", "role": "manager"}


def test_a_program_learns_who_it_is_and_what_it_may_do(office: Installation) -> None:
    program = office.program(Role.MANAGER, Permission.SEE_DAYS)
    me = program.get("/me")
    assert (me["user"]["role"], me["permissions"], me["token_id"]) == ("manager", ["days:read"], program.token_id)


def test_an_admin_adds_a_person_who_then_chooses_a_password_by_the_link(office: Installation, admin: Program) -> None:
    added = admin.post("/users", KIM, 201)
    assert (added["user"]["email"], added["user"]["has_password"]) == ("kim.lee@example.com", False)
    secret = added["link"].rpartition("/")[2]
    accept_invitation(office.store, secret, "a long enough one", office.now)
    assert admin.get(f"/users/{added['user']['id']}")["has_password"]
    assert added["user"]["id"] in [user["id"] for user in admin.get("/users")["users"]]


def test_a_link_is_told_once_and_stored_nowhere(office: Installation, admin: Program) -> None:
    added = admin.post("/users", KIM, 201, key="k1")
    again = admin.post("/users", KIM, 201, key="k1")
    assert again == added | {"link": None}
    with office.store.read() as unit:
        assert added["link"].rpartition("/")[2] not in "".join(answer.body for answer in unit.answers.find())


def test_no_answer_with_a_secret_is_kept_on_the_way(admin: Program) -> None:
    assert admin.ask("POST", "/users", 201, json=KIM).headers["Cache-Control"] == "no-store"


def test_what_makes_no_sense_of_a_person_is_refused_by_name(admin: Program) -> None:
    assert "/email" in admin.refused("/users", KIM | {"email": "kim"}, "POST")
    assert "/area" in admin.refused("/users", KIM | {"role": "field_rep"}, "POST")
    assert "/role" in admin.refused("/users", KIM | {"role": "owner"}, "POST")
    admin.post("/users", KIM, 201)
    assert "/email" in admin.refused("/users", KIM, "POST")


def test_a_person_is_changed_disabled_enabled_and_reset(office: Installation, admin: Program) -> None:
    office.keep(rep())
    path = f"/users/{admin.post('/users', KIM, 201)['user']['id']}"
    changed = admin.put(path, KIM | {"role": "field_rep", "area": "helsinki", "reps": ["ann"]})
    assert (changed["role"], changed["reps"]) == ("field_rep", ["ann"])
    assert admin.post(f"{path}/disable")["disabled"]
    admin.post(f"{path}/reset", None, 422)
    assert not admin.post(f"{path}/enable")["disabled"]
    assert admin.post(f"{path}/reset")["link"]
    admin.get("/users/nobody", 404)


def test_the_last_admin_stays(admin: Program) -> None:
    assert "only admin" in admin.post(f"/users/{admin.user_id}/disable", None, 422)["detail"]


def test_only_admins_see_people_and_the_audit_log(office: Installation) -> None:
    manager = office.program(Role.MANAGER)
    for path in ("/users", f"/users/{manager.user_id}", "/audit", "/audit/verify"):
        manager.get(path, 403)


def test_a_program_that_does_not_administer_makes_no_tokens(office: Installation) -> None:
    program = office.program(Role.MANAGER)
    order = {"name": "more", "permissions": ["days:read"]}
    program.post("/me/tokens", order, 403)
    program.get("/me/tokens", 403)
    program.delete(f"/me/tokens/{program.token_id}", 403)
    program.get("/me/sessions", 403)


def test_a_token_makes_no_token_that_may_do_more_than_itself(office: Installation) -> None:
    program = office.program(Role.ADMIN, Permission.ADMINISTER, Permission.SEE_DAYS)
    order = {"name": "more", "permissions": ["days:read", "records:write"]}
    assert "records:write" in program.refused("/me/tokens", order, "POST")["/permissions"]
    issued = program.post("/me/tokens", order | {"permissions": ["days:read"]}, 201)
    made = Program(office, issued["text"])
    assert made.get("/me")["permissions"] == ["days:read"]
    program.delete(f"/me/tokens/{issued['token']['id']}")
    made.get("/me", 401)


def test_a_token_is_told_once(admin: Program) -> None:
    order = {"name": "export", "permissions": ["days:read"], "expires_at": "2027-01-01T00:00:00+02:00"}
    issued = admin.post("/me/tokens", order, 201, key="k1")
    assert issued["token"]["expires_at"] == "2026-12-31T22:00:00Z"
    assert admin.post("/me/tokens", order, 201, key="k1") == issued | {"text": None}
    assert issued["text"] not in str(admin.get("/me/tokens"))
    assert "/expires_at" in admin.refused("/me/tokens", order | {"expires_at": "2026-01-01T00:00:00Z"}, "POST")
    assert "/expires_at" in admin.refused("/me/tokens", order | {"expires_at": 1_800_000_000}, "POST")


def test_nobody_revokes_a_token_of_somebody_else(office: Installation, admin: Program) -> None:
    other = office.program()
    admin.delete(f"/me/tokens/{other.token_id}", 404)
    other.get("/me")


def test_a_browser_of_ones_own_is_logged_out(office: Installation, admin: Program) -> None:
    for _ in range(2):
        with office.store.write() as unit:
            start_session(unit, the_user(unit, admin.user_id), office.now, "192.0.2.1", "a browser")
            unit.audit("session.started", admin.user_id)
    first, second = admin.get("/me/sessions")["sessions"]
    admin.delete(f"/me/sessions/{first['id']}")
    assert admin.get("/me/sessions")["sessions"] == [second]
    admin.delete(f"/me/sessions/{first['id']}", 404)


def test_a_person_in_a_browser_makes_tokens_with_the_browsers_proof(office: Installation) -> None:
    manager = office.program(Role.MANAGER)
    with office.store.write() as unit:
        secret, session = start_session(unit, the_user(unit, manager.user_id), office.now, "192.0.2.1", "a browser")
        unit.audit("session.started", manager.user_id)
    office.client.set_cookie("fieldvisit", secret)
    browser = Program(office, "")
    order = {"name": "mine", "permissions": sorted(PERMISSIONS[Role.MANAGER])}
    browser.post("/me/tokens", order, 403)
    issued = browser.post("/me/tokens", order, 201, headers={"X-CSRF-Token": session.csrf})
    assert Program(office, issued["text"]).get("/me")["user"]["id"] == manager.user_id


def test_the_audit_log_tells_who_wrote_by_which_program(admin: Program) -> None:
    admin.put("/areas/helsinki/accounts/A1", {"name": "Bakery", "address": "Here 1"}, 201)
    entries = []
    cursor = ""
    while cursor is not None:
        page = admin.get(f"/audit?limit=1&cursor={cursor}")
        entries += page["entries"]
        cursor = page["next"]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert (entries[-1]["action"], entries[-1]["actor"]) == ("account.saved", f"token:{admin.token_id}")
    check = admin.get("/audit/verify")
    assert (check["whole"], check["head"]) == (True, entries[-1]["hash"])
    assert not admin.get("/audit/verify?head=" + "0" * 64)["whole"]


def test_a_token_says_when_it_was_last_used(office: Installation, admin: Program) -> None:
    admin.get("/me")
    office.now += timedelta(hours=1)
    admin.get("/me")
    (token,) = admin.get("/me/tokens")["tokens"]
    assert token["used_at"] == "2026-11-30T07:00:00Z"
