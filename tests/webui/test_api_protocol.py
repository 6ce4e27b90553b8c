"""What all operations share: errors, reading, idempotent writes, and the document."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from api_cast import Installation, Program, account, admin, building, office

from planner.access import Permission, Role
from planner.errors import StorageUnavailableError
from webui.api.document import openapi_document
from webui.api.operation import OPERATIONS
from webui.policy import policy_of

__all__ = ["admin", "building", "office"]

ACCOUNT = {"name": "Brightwater Bakery", "address": "Unioninkatu 1"}
PATH = "/areas/helsinki/accounts/A1"


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nothing", "/areas/atlantis/accounts", "/areas/helsinki/accounts/", "/areas//accounts", "/jobs/none", "/"]
)
def test_what_does_not_exist_is_a_problem_and_no_page(admin: Program, path: str) -> None:
    problem = admin.get(path, 404)
    assert (problem["type"], problem["title"]) == ("about:blank", "Not Found")


def test_a_problem_names_the_request_as_the_log_does(admin: Program) -> None:
    assert admin.get("/nothing", 404)["instance"].startswith("urn:fieldvisit:request:")


def test_whoever_is_nobody_is_told_to_send_a_token(office: Installation) -> None:
    for stranger in (Program(office, ""), Program(office, "fv_none"), Program(office, "\xff")):
        response = stranger.ask("GET", "/me", 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    Program(office, "").ask("PUT", PATH, 401, json=ACCOUNT)


def test_a_token_that_has_expired_is_nobodys(office: Installation) -> None:
    program = office.program(expires=timedelta(hours=1))
    program.get("/me")
    office.now += timedelta(hours=1)
    program.get("/me", 401)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_a_path_does_not_know_is_refused(admin: Program, method: str) -> None:
    assert "PUT" in admin.ask(method, PATH, 405).headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"name": 1e999}',
        b'{"name": ' + b"9" * 5_000 + b"}",
        b'{"name": "a", "name": "b"}',
        b"[" * 100_000,
        b'{"name":' * 20 + b"1" + b"}" * 20,
        b"{} {}",
    ],
)
def test_what_is_not_json_is_refused_however_it_is_not(admin: Program, body: bytes) -> None:
    problem = admin.put(PATH, None, 400, data=body, content_type="application/json")
    assert problem["type"] == "urn:fieldvisit:problem:unreadable"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1", b'{"name": "\\ud800"}', b'{"\\u0000": 1}'])
def test_json_that_is_not_the_model_is_refused_with_the_place(admin: Program, body: bytes) -> None:
    problem = admin.put(PATH, None, 422, data=body, content_type="application/json")
    assert all({"pointer", "detail"} == set(error) for error in problem["errors"])


def test_a_refusal_says_what_is_wrong_in_a_sentence(office: Installation, admin: Program) -> None:
    listed = admin.put(PATH, None, 422, data=b"[]", content_type="application/json")
    assert listed["detail"].startswith("The body is not a JSON object")
    large = admin.put(PATH, ACCOUNT | {"visit_minutes": 10**22}, 422)
    assert large["errors"] == [{"pointer": "/visit_minutes", "detail": "is too large"}]
    assert "limit" in admin.get("/areas?limit=many", 400)["detail"]
    assert "verbose" in admin.get("/me?verbose=1", 400)["detail"]
    reader = office.program(Role.ADMIN, Permission.SEE_DAYS)
    assert str(Permission.WRITE_RECORDS) in reader.put(PATH, ACCOUNT, 403)["detail"]


def test_a_name_in_the_address_that_is_no_text_is_nothing_that_is_stored(office: Installation, admin: Program) -> None:
    assert "UTF-8" in admin.put("/areas/helsinki/accounts/%ff", ACCOUNT, 404)["detail"]
    with office.store.read() as unit:
        assert unit.records("helsinki").accounts() == []


def test_a_body_of_another_media_type_is_refused(admin: Program) -> None:
    for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded", ""):
        admin.put(PATH, None, 415, data=json.dumps(ACCOUNT), content_type=media_type)


def test_a_body_that_is_too_large_is_not_read(admin: Program) -> None:
    data = b'{"name": "' + b"x" * 300_000 + b'"}'
    admin.put(PATH, None, 413, data=data, content_type="application/json")


def test_a_body_where_none_is_expected_is_refused(office: Installation, admin: Program) -> None:
    admin.post(f"/users/{admin.user_id}/enable", {"now": True}, 400)


def test_a_parameter_that_is_unknown_or_sent_twice_is_refused(admin: Program) -> None:
    assert admin.get("/me?verbose=1", 400)["errors"][0]["pointer"] == "verbose"
    assert admin.get("/areas?limit=1&limit=2", 400)["errors"][0]["pointer"] == "limit"
    admin.get("/areas?cursor=%00", 400)


def test_a_failure_of_ours_says_nothing_of_its_cause(
    office: Installation, admin: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret cause")

    office.keep(account())
    monkeypatch.setattr("webui.api.record_models.AccountRecord.shown", broken)
    response = admin.ask("GET", PATH, 500)
    assert "secret cause" not in response.get_data(as_text=True)


def test_a_database_that_does_not_answer_is_asked_again_later(
    office: Installation, admin: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageUnavailableError("/var/lib/fieldvisit.sqlite: disk full")

    monkeypatch.setattr("webui.api.records.save_record", full)
    response = admin.ask("PUT", PATH, 503, json=ACCOUNT)
    assert response.headers["Retry-After"] == "5"
    assert "/var/lib" not in response.get_data(as_text=True)


# --- idempotent writes ------------------------------------------------------------------------------------------------


def test_a_write_that_is_sent_twice_is_done_once_and_answered_alike(office: Installation, admin: Program) -> None:
    first = admin.ask("PUT", PATH, 201, key="k1", json=ACCOUNT)
    office.keep(account(name="Changed meanwhile"))
    again = admin.ask("PUT", PATH, 201, key="k1", json=ACCOUNT)
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first.get_json(), "true")
    assert "Idempotent-Replayed" not in first.headers
    assert admin.get(PATH)["name"] == "Changed meanwhile"


@pytest.mark.parametrize(
    ("path", "body"), [(PATH, ACCOUNT | {"name": "Other"}), ("/areas/helsinki/accounts/A2", ACCOUNT)]
)
def test_a_key_that_comes_with_another_request_is_refused(admin: Program, path: str, body: dict[str, str]) -> None:
    admin.put(PATH, ACCOUNT, 201, key="k1")
    assert admin.put(path, body, 409, key="k1")["type"] == "urn:fieldvisit:problem:key-reused"


def test_keys_of_two_programs_never_meet(office: Installation, admin: Program) -> None:
    admin.put(PATH, ACCOUNT, 201, key="k1")
    office.program().put(PATH, ACCOUNT | {"name": "Other"}, 200, key="k1")


def test_a_write_that_was_refused_may_come_again_under_its_key(office: Installation, admin: Program) -> None:
    order = {"first_day": "2026-11-30", "seconds": 10_000}
    admin.post("/areas/helsinki/plans", order, 422, key="k1")
    admin.post("/areas/helsinki/plans", order | {"seconds": 10}, 202, key="k1")


def test_a_post_without_a_key_is_refused_and_a_put_is_not(admin: Program) -> None:
    problem = admin.post("/areas/helsinki/geocoding", {}, 400, key=None)
    assert problem["errors"][0]["pointer"] == "Idempotency-Key"
    admin.put(PATH, ACCOUNT, 201, key=None)


@pytest.mark.parametrize("key", [" ", "a b", "é", "x" * 256])
def test_a_key_of_odd_characters_is_refused(admin: Program, key: str) -> None:
    admin.put(PATH, ACCOUNT, 400, key=None, headers={"Idempotency-Key": key})


def test_the_same_files_in_another_envelope_are_the_same_import(admin: Program) -> None:
    def sent(boundary: str) -> Any:
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="accounts"; filename="a.csv"\r\n\r\n'
        data = f"{part}account_id,name,address\nA1,Bakery,Here 1\n\r\n--{boundary}--\r\n"
        content_type = f"multipart/form-data; boundary={boundary}"
        return admin.ask("POST", "/areas/helsinki/imports", 200, key="k1", data=data, content_type=content_type)

    assert sent("one").get_json() == sent("two").get_json()


# --- the document -----------------------------------------------------------------------------------------------------


def test_everybody_may_read_the_document(office: Installation) -> None:
    document = Program(office, "").get("/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert document == json.loads(json.dumps(openapi_document()))


def test_every_route_of_the_api_is_in_the_document_with_its_scopes(office: Installation) -> None:
    documented = {
        (operation["operationId"]): operation
        for path in openapi_document()["paths"].values()
        for operation in path.values()
    }
    routes = {rule.endpoint for rule in office.app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert routes == {f"api.{name}" for name in documented} | {"api.openapi"}
    for name, operation in documented.items():
        policy = policy_of(office.app.view_functions[f"api.{name}"])
        assert policy is not None
        assert operation["security"] == [{"token": sorted(policy.any_of)}]
        assert operation["summary"]


def test_every_name_that_the_document_refers_to_is_in_it() -> None:
    document = openapi_document()

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_every_operation_is_refused_without_a_token_and_without_its_scope(office: Installation) -> None:
    weakest = office.program(Role.ADMIN, Permission.SEE_METRICS)
    for made in OPERATIONS:
        path = made.rule.replace("<area>", "helsinki").replace("<number:version>", "1")
        path = "/".join("x" if part.startswith("<") else part for part in path.split("/"))
        Program(office, "").ask(made.method, path, 401)
        if made.policy.any_of:
            weakest.ask(made.method, path, 403)
