"""Records by program: what may be read, written and imported, and by whom."""

from __future__ import annotations

import io

import pytest
from api_cast import Installation, Program, account, admin, building, office, opportunity, rep

from planner.access import Permission, Role

__all__ = ["admin", "building", "office"]

REP = {
    "name": "Ann",
    "start_address": "Kaisaniemenkatu 1, Helsinki",
    "timezone": "Europe/Helsinki",
    "work_days": ["Mo", "Tu", "Fr"],
    "work_start": "09:00",
    "work_end": "17:00",
}
ACCOUNT = {"name": "Brightwater Bakery", "address": "Unioninkatu 1", "city": "Helsinki"}
OPPORTUNITY = {"name": "New ovens", "address": "Unioninkatu 2"}


def test_what_a_program_put_is_what_it_gets(admin: Program) -> None:
    sent = ACCOUNT | {
        "postcode": "00100",
        "country": "FI",
        "category": "bakery",
        "segment": "A",
        "owner_rep_id": "ann",
        "cadence_days": 14,
        "last_visit": "2026-11-02",
        "last_order": "2026-10-30",
        "annual_value": 1250.5,
        "visit_minutes": 45,
        "opening_hours": "Mo-Fr 09:00-17:30; Sa 10:00-16:00",
        "contact_name": "Kim Lee",
        "contact_email": "kim.lee@example.com",
        "contact_phone": "+44 1632 960 001",
        "attributes": {"Parking": "behind the house"},
    }
    assert admin.put("/areas/helsinki/accounts/A1", sent, 201) == sent | {"account_id": "A1"}
    assert admin.get("/areas/helsinki/accounts/A1") == sent | {"account_id": "A1"}


def test_a_rep_and_an_opportunity_come_back_as_they_were_put(admin: Program) -> None:
    rep_sent = REP | {
        "email": "ann@example.com",
        "end_address": "Mannerheimintie 2",
        "break_minutes": 30,
        "break_window": "11:30-14:00",
        "skills": ["gas", "steam"],
        "languages": ["cy", "en"],
        "max_visits_per_day": 8,
        "overnight": True,
        "attributes": {},
    }
    assert admin.put("/areas/helsinki/reps/ann", rep_sent, 201) == rep_sent | {"rep_id": "ann"}
    sent = OPPORTUNITY | {
        "city": "Helsinki",
        "postcode": "",
        "country": "",
        "account_id": "A1",
        "contact_name": "Kim Lee",
        "contact_email": "kim.lee@example.com",
        "contact_phone": "+44 1632 960 001",
        "value": 40_000,
        "probability": 0.4,
        "budget": "yes",
        "authority": "no",
        "need": "yes",
        "timeline": "this quarter",
        "source": "trade fair",
        "lead_at": "2026-11-18T09:15:00",
        "contacted_at": "2026-11-19T16:40:00",
        "qualified_at": "2026-11-20T10:00:00",
        "first_action_days": 5,
        "visit_minutes": 60,
        "required_skills": ["gas"],
        "availability": "Mo-Fr 09:00-12:00",
        "appointment": "2026-12-01T14:00:00",
        "inside_rep": "ida@example.com",
        "notes": "Ring twice.\nThen wait.",
        "attributes": {},
    }
    assert admin.put("/areas/helsinki/opportunities/O1", sent, 201) == sent | {"opportunity_id": "O1"}


def test_putting_again_replaces_the_record_as_a_whole(admin: Program) -> None:
    admin.put("/areas/helsinki/accounts/A1", ACCOUNT | {"segment": "A"}, 201)
    assert admin.put("/areas/helsinki/accounts/A1", ACCOUNT, 200)["segment"] == ""


def test_an_id_may_hold_any_printable_character_that_the_importer_takes(admin: Program) -> None:
    for quoted, id in (("b%2F1", "b/1"), ("a%20b", "a b"), ("%C3%A4%3F%23", "ä?#"), ("..", "..")):
        admin.put(f"/areas/helsinki/accounts/{quoted}", ACCOUNT, 201)
        assert admin.get(f"/areas/helsinki/accounts/{quoted}")["account_id"] == id


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "  "}, "/name"),
        ({"opening_hours": "whenever"}, "/opening_hours"),
        ({"cadence_days": 0}, "/cadence_days"),
        ({"cadence_days": "14"}, "/cadence_days"),
        ({"cadence_days": 10**25}, "/cadence_days"),
        ({"annual_value": -1}, "/annual_value"),
        ({"annual_value": 1e300}, "/annual_value"),
        ({"last_visit": "2026-02-30"}, "/last_visit"),
        ({"last_visit": "1480464000"}, "/last_visit"),
        ({"last_visit": "0001-01-01"}, "/last_visit"),
        ({"visit_minutes": True}, "/visit_minutes"),
        ({"surname": "Lee"}, "/surname"),
        ({"contact_phone": "at the bar"}, "/contact_phone"),
        ({"name": "a\0b"}, "/name"),
        ({"attributes": {"a/b": "\0"}}, "/attributes/a~1b"),
        ({"address": "x" * 2_001}, "/address"),
    ],
)
def test_a_value_that_the_importer_would_refuse_is_refused_by_its_name(
    admin: Program, change: dict[str, object], pointer: str
) -> None:
    assert pointer in admin.refused("/areas/helsinki/accounts/A1", ACCOUNT | change)
    admin.get("/areas/helsinki/accounts/A1", 404)


def test_the_rules_between_fields_of_a_rep_are_those_of_the_domain(admin: Program) -> None:
    path = "/areas/helsinki/reps/ann"
    assert "/timezone" in admin.refused(path, REP | {"timezone": "Europe/Atlantis"})
    assert "/work_end" in admin.refused(path, REP | {"work_end": "08:00"})
    assert "/break_window" in admin.refused(path, REP | {"break_minutes": 90, "break_window": "12:00-13:00"})
    assert "/work_days" in admin.refused(path, REP | {"work_days": []})
    assert "/rep_id" in admin.refused("/areas/helsinki/reps/ann%2Fend", REP)


def test_a_time_that_the_clocks_skip_is_no_appointment(office: Installation, admin: Program) -> None:
    office.keep(rep())
    skipped = OPPORTUNITY | {"appointment": "2026-03-29T03:30"}
    assert "skip" in admin.refused("/areas/helsinki/opportunities/O1", skipped)["/appointment"]


def test_whoever_changes_a_record_that_has_changed_since_is_told(admin: Program) -> None:
    first = admin.ask("PUT", "/areas/helsinki/accounts/A1", 201, json=ACCOUNT).headers["ETag"]
    admin.put("/areas/helsinki/accounts/A1", ACCOUNT | {"segment": "B"}, headers={"If-Match": first})
    admin.put("/areas/helsinki/accounts/A1", ACCOUNT | {"segment": "C"}, 412, headers={"If-Match": first})
    assert admin.get("/areas/helsinki/accounts/A1")["segment"] == "B"
    assert admin.ask("GET", "/areas/helsinki/accounts/A1").headers["ETag"] != first


def test_a_list_is_given_in_pages_that_what_is_added_meanwhile_does_not_shift(
    office: Installation, admin: Program
) -> None:
    office.keep(*(account(f"A{n:02}") for n in range(0, 20, 2)))
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = admin.get(f"/areas/helsinki/accounts?limit=3&cursor={cursor}")
        seen += [entry["account_id"] for entry in page["accounts"]]
        cursor = page["next"]
        office.keep(account("A01"), account(f"A{len(seen) * 2 - 1:02}"))
    assert seen == sorted(set(seen))
    assert {f"A{n:02}" for n in range(0, 20, 2)} <= set(seen)


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "e30", "W10", "WyJvdGhlciIsIjEiXQ", "WyJoZWxzaW5raS9hY2NvdW50cyIsMV0", "W1tbW1tb", "é"]
)
def test_a_cursor_that_is_none_of_the_lists_is_refused(office: Installation, admin: Program, cursor: str) -> None:
    office.keep(account())
    problem = admin.get(f"/areas/helsinki/accounts?cursor={cursor}", 400)
    assert problem["errors"][0]["pointer"] == "cursor"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=1e1", "limit=-1", "limit=", "limit=١", "colour=red"])
def test_a_page_of_no_sensible_size_is_refused(admin: Program, query: str) -> None:
    admin.get(f"/areas/helsinki/accounts?{query}", 400)
    admin.get(f"/areas/helsinki/accounts?limit=1&{query}", 400)


def test_a_field_rep_reads_their_own_customers_only(office: Installation) -> None:
    office.keep(rep("ann"), rep("ben"), account("A1", owner_rep_id="ann"), account("A2", owner_rep_id="ben"))
    ann = office.program(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    assert [entry["account_id"] for entry in ann.get("/areas/helsinki/accounts")["accounts"]] == ["A1"]
    assert [entry["rep_id"] for entry in ann.get("/areas/helsinki/reps")["reps"]] == ["ann"]
    ann.get("/areas/helsinki/accounts/A2", 404)
    ann.get("/areas/porvoo/accounts", 404)
    ann.put("/areas/helsinki/accounts/A1", ACCOUNT, 403)
    assert ann.get("/areas")["areas"] == ["helsinki"]


def test_a_manager_neither_takes_over_nor_gives_away_a_customer_of_another_team(office: Installation) -> None:
    office.keep(rep("ann"), rep("ben"), account("A2", owner_rep_id="ben"))
    manager = office.program(Role.MANAGER, area="helsinki", reps=frozenset({"ann"}))
    manager.put("/areas/helsinki/accounts/A2", ACCOUNT | {"owner_rep_id": "ann"}, 404)
    manager.put("/areas/helsinki/accounts/A3", ACCOUNT | {"owner_rep_id": "ben"}, 404)
    manager.put("/areas/helsinki/accounts/A4", ACCOUNT | {"owner_rep_id": "ann"}, 201)
    assert office.program().get("/areas/helsinki/accounts/A2")["owner_rep_id"] == "ben"


def test_a_token_may_do_only_what_it_was_made_for(office: Installation) -> None:
    reader = office.program(Role.MANAGER, Permission.SEE_RECORDS)
    reader.get("/areas/helsinki/accounts")
    reader.put("/areas/helsinki/accounts/A1", ACCOUNT, 403)
    reader.get("/areas/helsinki/plans", 403)


def test_files_are_imported_with_every_row_accounted_for(office: Installation, admin: Program) -> None:
    office.keep(rep())
    rows = "account_id,name,address,opening_hours\nA1,Bakery,Unioninkatu 1,\nA2,Mill,Unioninkatu 2,whenever\n"
    data = {"accounts": (io.BytesIO(rows.encode()), "../../etc/passwd.csv")}
    (file,) = admin.ask("POST", "/areas/helsinki/imports", 200, data=data).get_json()["files"]
    assert (file["file"], file["added"], file["changed"], file["unchanged"]) == ("accounts", 1, 0, 0)
    (refused,) = file["refused"]
    assert (refused["line"], refused["record_id"], refused["field"]) == (3, "A2", "opening_hours")
    assert admin.get("/areas/helsinki/accounts/A1")["name"] == "Bakery"


def test_records_are_imported_as_json_too(admin: Program) -> None:
    body = {
        "reps": [REP | {"rep_id": "ann"}],
        "opportunities": [
            OPPORTUNITY | {"opportunity_id": "O1", "appointment": "2026-12-01T14:00"},
            OPPORTUNITY | {"opportunity_id": "O1"},
            OPPORTUNITY | {"opportunity_id": "O2", "appointment": "2026-03-29T03:30", "account_id": "A7"},
        ],
    }
    reps, deals = admin.post("/areas/helsinki/imports", body)["files"]
    assert (reps["added"], deals["added"]) == (1, 1)
    assert [(row["line"], row["field"]) for row in deals["refused"]] == [(2, "opportunity_id"), (3, "appointment")]


def test_what_is_no_table_or_too_many_files_imports_nothing(admin: Program) -> None:
    def sent(**files: bytes) -> dict[str, object]:
        return {name: (io.BytesIO(content), "f.csv") for name, content in files.items()}

    admin.ask("POST", "/areas/helsinki/imports", 422, data=sent(accounts=b"PK\x03\x04nonsense"))
    admin.ask("POST", "/areas/helsinki/imports", 422, data=sent(accounts=b"name\nx\n"))
    admin.ask("POST", "/areas/helsinki/imports", 400, data=sent(accounts=b"a", invoices=b"b"))
    admin.ask("POST", "/areas/helsinki/imports", 400, data={"accounts": "text"}, content_type="multipart/form-data")
    admin.ask("POST", "/areas/helsinki/imports", 400, data=b"--x", content_type="multipart/form-data; boundary=x")
    admin.ask("POST", "/areas/helsinki/imports", 400, data=b"--x", content_type="multipart/form-data")


def test_an_address_that_nobody_is_sure_of_is_settled_by_a_candidate(office: Installation, admin: Program) -> None:
    office.keep(rep(), account())
    office.keep_review()
    (waiting,) = [e for e in admin.get("/areas/helsinki/review")["locations"] if e["kind"] == "account"]
    assert [candidate["address"] for candidate in waiting["candidates"]] == ["Unioninkatu 1", "Unioninkatu 2"]
    path = "/areas/helsinki/locations/account/A1"
    settled = admin.put(path, {"candidate": 2, "seen": waiting["seen"]})
    assert (settled["verdict"], settled["matched_address"]) == ("matched", "Unioninkatu 2")
    assert admin.get(path) == settled
    admin.put(path, {"place": {"lat": 60.1, "lon": 24.9}, "seen": waiting["seen"]}, 409)
    assert "account" not in [entry["kind"] for entry in admin.get("/areas/helsinki/review")["locations"]]


def test_an_address_is_settled_by_a_place_or_a_candidate_and_nothing_else(office: Installation, admin: Program) -> None:
    office.keep(account(), opportunity())
    path = "/areas/helsinki/locations/account/A1"
    admin.put(path, {}, 422)
    admin.put(path, {"candidate": 1, "place": {"lat": 60.1, "lon": 24.9}}, 422)
    admin.put(path, {"candidate": 1}, 404)
    assert "/place/lat" in admin.refused(path, {"place": {"lat": 91, "lon": 0}})
    admin.put("/areas/helsinki/locations/firm/A1", {"candidate": 1}, 404)
    admin.get("/areas/helsinki/locations/account/A2", 404)
