"""Visits are booked by program, in a tiny town with real streets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from api_cast import Installation, Program, admin, building, office, rep
from api_town import ANNS, BENS, BENS_MANAGER, INES, IVAN, MAX, STRANGER, Asking, Town, town
from booking_cast import AREA, DEAL, PLACES, promise, spot
from plan_cast import MONDAY, MORNING, TUESDAY

from planner.access import Permission
from planner.slots.holding import expire

__all__ = ["admin", "building", "office", "town"]

SEARCH = {"address": "5 Mill Lane", "minutes": "60"}
FREE = {"rep_id": "b/1", "day": MONDAY, "start": f"{MONDAY}T10:00:00Z", "end": f"{MONDAY}T11:00:00Z",
        "resequenced": False}  # fmt: skip
ALL_DAY = {"minutes": "400", "rep": "ann", "first_day": TUESDAY, "days": "1"}
NEW = {"name": "Bread & Co", "contact_name": "Bea", "need": "yes"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Ines, in a town where nothing comes of what is asked."""
    town = Town(tmp_path_factory.mktemp("town"))
    yield town.program(INES)
    town.store.close()


@pytest.fixture
def ines(town: Town) -> Asking:
    return town.program(INES)


def slots(program: Asking, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = program.get("/slots", query_string=SEARCH | asked)["slots"]
    return found


def order(slot: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Hold a slot that was offered."""
    place = spot(500, 1208)
    kept = {name: slot[name] for name in ("rep_id", "day", "start", "end")} | {"resequence": slot["resequenced"]}
    return kept | {
        "minutes": 60, "name": "Bread & Co", "address": "5 Mill Lane", "place": {"lat": place.lat, "lon": place.lon},
    } | changes  # fmt: skip


def promised(program: Asking, number: int = 0, **changes: Any) -> dict[str, Any]:
    held = program.post("/holds", order(slots(program)[number], **changes), 201)
    body = {} if held["opportunity_id"] else NEW
    booking: dict[str, Any] = program.post(f"/bookings/{held['id']}/confirm", body)
    return booking


# --- from the question to the calendar --------------------------------------------------------------------------------


def test_a_slot_is_offered_held_promised_moved_and_cancelled_by_program(ines: Asking) -> None:
    first, *_, later = slots(ines)
    held = ines.post("/holds", order(first), 201)
    assert (held["state"], held["opportunity_id"], held["inside_rep"]) == ("held", "", "ines@example.com")
    assert held["expires_at"] > held["made_at"]

    booking = ines.post(f"/bookings/{held['id']}/confirm", NEW)
    assert (booking["state"], booking["expires_at"], booking["name"]) == ("promised", None, "Bread & Co")
    standing = ines.get(f"/standing/{booking['opportunity_id']}")
    assert (standing["state"], standing["owner"]) == ("booked", first["rep_id"])
    file = ines.ask("GET", f"/bookings/{booking['id']}/calendar", 200)
    assert file.mimetype == "text/calendar"
    assert "STATUS:CONFIRMED" in file.get_data(as_text=True)

    hold = ines.post("/holds", order(later, replaces=booking["id"]), 201)
    assert ines.get(f"/bookings/{booking['id']}")["state"] == "promised"
    moved = ines.post(f"/bookings/{hold['id']}/confirm", {})
    assert (moved["state"], moved["replaces"]) == ("promised", booking["id"])
    assert ines.get(f"/bookings/{booking['id']}")["state"] == "moved"
    text = ines.ask("GET", f"/bookings/{moved['id']}/calendar").get_data(as_text=True)
    assert f"UID:{booking['id']}@fieldvisit" in text
    assert "SEQUENCE:1" in text

    over = ines.post(f"/bookings/{moved['id']}/cancel", {"reason": "they have bought elsewhere"})
    assert (over["state"], over["reason"]) == ("cancelled", "they have bought elsewhere")
    assert "METHOD:CANCEL" in ines.ask("GET", f"/bookings/{moved['id']}/calendar").get_data(as_text=True)
    assert ines.get(f"/standing/{booking['opportunity_id']}")["state"] != "booked"
    states = {each["id"]: each["state"] for each in ines.get("/bookings")["bookings"]}
    assert states == {booking["id"]: "moved", moved["id"]: "cancelled"}


def test_an_opportunity_is_booked_with_what_its_record_says(ines: Asking) -> None:
    booking = promised(ines, opportunity_id="O1", name="Somebody", address="Elsewhere")
    assert (booking["opportunity_id"], booking["name"], booking["address"]) == ("O1", DEAL.name, str(DEAL.address))
    at = spot(*PLACES["O1"])
    assert booking["place"] == {"lat": at.lat, "lon": at.lon}
    assert ines.get("/bookings?opportunity_id=O1&state=promised")["bookings"] == [booking]
    assert ines.get("/bookings?state=held")["bookings"] == []
    assert "state" in ines.get("/bookings?state=lost", 400)["detail"]


def test_somebody_new_becomes_an_opportunity_of_who_booked(ines: Asking) -> None:
    deal = ines.get(f"/opportunities/{promised(ines)['opportunity_id']}")
    assert (deal["name"], deal["contact_name"], deal["need"]) == ("Bread & Co", "Bea", "yes")
    assert (deal["inside_rep"], deal["visit_minutes"]) == ("ines@example.com", 60)


def test_a_hold_for_somebody_new_is_not_confirmed_without_a_name(ines: Asking) -> None:
    held = ines.post("/holds", order(slots(ines)[0]), 201)
    assert "/name" in ines.refused(f"/bookings/{held['id']}/confirm", {"name": " "}, "POST")
    assert ines.get(f"/bookings/{held['id']}")["state"] == "held"


def test_a_hold_is_given_back_and_its_time_is_offered_again(ines: Asking) -> None:
    before = slots(ines)
    held = ines.post("/holds", order(before[0]), 201)
    assert slots(ines) != before
    assert ines.post(f"/bookings/{held['id']}/release")["state"] == "released"
    assert ines.post(f"/bookings/{held['id']}/release")["state"] == "released"
    assert slots(ines) == before
    gone = ines.post(f"/bookings/{held['id']}/confirm", NEW, 409)
    assert gone["type"] == "urn:fieldvisit:problem:slot-gone"


def test_a_promise_is_cancelled_with_a_reason_and_not_released(ines: Asking) -> None:
    booking = promised(ines)
    assert "/reason" in ines.refused(f"/bookings/{booking['id']}/cancel", {"reason": "  "}, "POST")
    assert ines.post(f"/bookings/{booking['id']}/release", None, 409)["type"].endswith(":changed")


def test_only_a_promise_goes_into_a_calendar(ines: Asking) -> None:
    held = ines.post("/holds", order(slots(ines)[0]), 201)
    assert "was not promised" in ines.get(f"/bookings/{held['id']}/calendar", 422)["detail"]


# --- twice, at once, too late -----------------------------------------------------------------------------------------


def test_a_hold_that_is_sent_again_is_the_same_hold(town: Town, ines: Asking) -> None:
    wanted = order(slots(ines)[0])
    held = ines.post("/holds", wanted, 201, key="k1")
    again = ines.ask("POST", "/holds", 201, key="k1", json=wanted)
    assert again.get_json() == held
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(town.bookings()) == 1
    assert ines.post("/holds", wanted | {"minutes": 30}, 409, key="k1")["type"].endswith(":key-reused")


def test_a_promise_that_is_confirmed_again_stays_as_it_is(ines: Asking) -> None:
    booking = promised(ines)
    assert ines.post(f"/bookings/{booking['id']}/confirm", NEW) == booking
    assert ines.post(f"/bookings/{booking['id']}/confirm", {}) == booking


def test_of_two_programs_that_want_one_slot_one_gets_it(town: Town, ines: Asking) -> None:
    wanted = order(slots(ines, **ALL_DAY)[0], minutes=400)
    town.viewer = ines.viewer

    def take(number: int) -> tuple[int, str]:
        with town.app.test_client() as client:
            headers = {"Idempotency-Key": f"race-{number}"}
            answer = client.post(f"/api/v1/areas/{AREA}/holds", json=wanted, headers=headers)
            return answer.status_code, answer.get_json().get("type", "")

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(take, range(4)))
    assert answers == [(201, ""), *[(409, "urn:fieldvisit:problem:slot-gone")] * 3]
    assert len(town.bookings()) == 1


def test_a_hold_that_has_run_out_is_promised_if_nobody_took_its_time(town: Town, ines: Asking) -> None:
    wanted = order(slots(ines, **ALL_DAY)[0], minutes=400)
    held = ines.post("/holds", wanted, 201)
    town.time.now = MORNING + timedelta(hours=3)
    assert expire(town.store, 10) == 1
    assert ines.get(f"/bookings/{held['id']}")["state"] == "expired"
    ivans = town.program(IVAN).post("/holds", wanted, 201)
    assert ines.post(f"/bookings/{held['id']}/confirm", NEW, 409)["type"].endswith(":slot-gone")
    town.program(IVAN).post(f"/bookings/{ivans['id']}/release")
    assert ines.post(f"/bookings/{held['id']}/confirm", NEW)["state"] == "promised"


def test_an_opportunity_is_promised_one_visit(ines: Asking) -> None:
    promised(ines, opportunity_id="O1")
    again = ines.post("/holds", order(slots(ines)[0], opportunity_id="O1"), 422)
    assert again["type"].endswith(":refused")
    assert "has been promised a visit" in again["detail"]


# --- whose ------------------------------------------------------------------------------------------------------------


def test_what_somebody_else_booked_is_answered_as_what_is_not_there(town: Town, ines: Asking) -> None:
    theirs = promised(ines, opportunity_id="O1")
    held = ines.post("/holds", order(slots(ines)[0]), 201)
    for stranger in (town.program(IVAN), town.program(STRANGER)):
        for known in (theirs, held):
            for method, path, body in (
                ("GET", "", None), ("GET", "/calendar", None), ("POST", "/confirm", NEW), ("POST", "/confirm", {}),
                ("POST", "/release", None), ("POST", "/cancel", {"reason": "x"}),
            ):  # fmt: skip
                sent: dict[str, Any] = {"json": body} if body is not None else {}
                answers = [
                    stranger.ask(method, f"/bookings/{id}{path}", 404, **sent).get_json()["detail"].replace(id, "…")
                    for id in (known["id"], "nobodys")
                ]
                assert answers[0] == answers[1]
    ivan = town.program(IVAN)
    assert ivan.get("/bookings")["bookings"] == []
    wanted = order(slots(ivan)[0])
    for foreign in ({"opportunity_id": "O1"}, {"replaces": theirs["id"]}):
        missing = dict.fromkeys(foreign, "nobodys")
        said = [ivan.post("/holds", wanted | each, 404)["detail"] for each in (foreign, missing)]
        assert said[0].replace(*foreign.values(), "…") == said[1].replace("nobodys", "…")
    assert {each["id"] for each in ines.get("/bookings")["bookings"]} == {theirs["id"], held["id"]}


def test_a_manager_of_some_reps_is_offered_their_days_and_holds_no_others(town: Town, ines: Asking) -> None:
    bea, free = town.program(BENS_MANAGER), slots(ines, rep="ann")
    assert {slot["rep_id"] for slot in slots(bea)} == {"b/1"}
    said = [bea.get("/slots", query_string=SEARCH | {"rep": id})["why_none"] for id in ("ann", "nobody")]
    assert said == ["there is no rep ann", "there is no rep nobody"]
    assert bea.post("/holds", order(free[0]), 404)["detail"] == f"area {AREA} has no rep ann"
    assert town.program(MAX).post("/holds", order(free[0]), 201)["rep_id"] == "ann"


def test_a_field_rep_reads_what_they_promised_and_books_nothing(town: Town, ines: Asking) -> None:
    booking = promised(ines, opportunity_id="O1")
    anns, bens = (town.program(who) for who in (ANNS, BENS))
    whose, other = (anns, bens) if booking["rep_id"] == "ann" else (bens, anns)
    assert whose.get(f"/bookings/{booking['id']}") == booking
    assert whose.ask("GET", f"/bookings/{booking['id']}/calendar", 200).mimetype == "text/calendar"
    other.get(f"/bookings/{booking['id']}", 404)
    whose.get("/slots", 403, query_string=SEARCH)
    whose.post("/holds", {}, 403)
    whose.post(f"/bookings/{booking['id']}/cancel", {"reason": "x"}, 403)


def test_a_token_without_the_scope_books_nothing(town: Town) -> None:
    reader = town.program(INES, Permission.SEE_HANDOFFS, Permission.HAND_OFF)
    assert "bookings:write" in reader.get("/slots", 403, query_string=SEARCH)["detail"]


def test_no_answer_names_other_customers_surnames_or_homes(reader: Asking) -> None:
    found = reader.get("/slots", query_string=SEARCH)
    assert {slot["rep_name"] for slot in found["slots"]} == {"Ann", "Ben"}
    assert "Secret" not in str(found)
    assert "Bridge Street" not in str(found)


# --- what makes no sense ----------------------------------------------------------------------------------------------


def test_what_is_asked_for_decides_which_slots_are_offered(reader: Asking) -> None:
    assert {slot["rep_id"] for slot in slots(reader, rep="b/1")} == {"b/1"}
    assert {slot["rep_id"] for slot in slots(reader, skills=" WINE ,")} == {"ann"}
    assert {slot["rep_id"] for slot in slots(reader, owner="ann", language="Swedish")} == {"ann"}
    assert {slot["day"] for slot in slots(reader, first_day=TUESDAY, until=TUESDAY)} == {TUESDAY}
    assert len(slots(reader, limit="2", resequence="false")) == 2
    whole = slots(reader, meaning="whole", window_minutes="30")[0]
    start, end = (datetime.fromisoformat(whole[name]) for name in ("start", "end"))
    assert end - start == timedelta(minutes=60)
    none = reader.get("/slots", query_string=SEARCH | {"skills": "beer"})
    assert (none["slots"], none["why_none"]) == ([], "no rep has the skill beer")
    assert reader.get("/slots", query_string=SEARCH | {"address": "60.1808,24.949"})["slots"]


def test_days_that_are_past_or_too_far_ahead_are_offered_to_nobody(reader: Asking) -> None:
    assert slots(reader, first_day="1900-01-01", days="3") == slots(reader, first_day=MONDAY, days="3")
    for asked in ({"first_day": "2199-12-31"}, {"until": "1900-01-01"}):
        none = reader.get("/slots", query_string=SEARCH | asked)
        assert none["slots"] == []
        assert none["why_none"]


NONSENSE: tuple[tuple[dict[str, str], str], ...] = (
        ({"minutes": "0"}, "minutes"), ({"minutes": "1e308"}, "minutes"), ({"minutes": "-5"}, "minutes"),
        ({"minutes": "٣"}, "minutes"), ({"days": "367"}, "days"), ({"limit": "99999999999"}, "limit"),
        ({"window_minutes": "1"}, "window_minutes"), ({"first_day": "2026-02-30"}, "first_day"),
        ({"meaning": "soon"}, "meaning"), ({"resequence": "perhaps"}, "resequence"), ({"hours": "whenever"}, "hours"),
        ({"hours": "x" * 2_000}, "hours"), ({"address": "Mill Lane"}, "address"), ({"address": "\0"}, "address"),
        ({"address": "x" * 301}, "address"), ({"address": "91,200"}, "address"), ({"address": "nan,inf"}, "address"),
        ({"address": "1e308,1e308"}, "address"), ({"skills": "," * 2_000}, "skills"), ({"colour": "red"}, "colour"),
)  # fmt: skip


def test_a_search_that_makes_no_sense_is_told_which_parameter(reader: Asking) -> None:
    for asked, name in NONSENSE:
        problem = reader.get("/slots", 400, query_string=SEARCH | asked)
        assert [error["pointer"] for error in problem["errors"]] == [name]


def test_an_address_that_is_not_sure_is_answered_with_its_candidates(reader: Asking) -> None:
    said = reader.get("/slots", 400, query_string=SEARCH | {"address": "13 Mill Lane"})["errors"][0]["detail"]
    assert "11 Mill Lane" in said


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
        ({"minutes": 0}, "/minutes"), ({"minutes": 1e308}, "/minutes"), ({"minutes": 10**29}, "/minutes"),
        ({"name": " "}, "/name"), ({"name": "a\0b"}, "/name"), ({"address": ""}, "/address"),
        ({"hours": "whenever"}, "/hours"), ({"skills": ["x"] * 101}, "/skills"), ({"rep_id": ""}, "/rep_id"),
        ({"place": {"lat": 1e308, "lon": 0}}, "/place/lat"), ({"meaning": "soon"}, "/meaning"),
        ({"start": f"{MONDAY}T12:00:00"}, "/start"), ({"start": "0001-01-01T00:00:00Z"}, "/start"),
        ({"start": f"{MONDAY}T05:00:00Z"}, "/start"), ({"start": f"{TUESDAY}T11:00:00Z"}, "/end"),
        ({"end": "2199-12-31T00:00:00Z"}, "/end"), ({"day": TUESDAY}, "/start"), ({"day": "soon"}, "/day"),
        ({"meaning": "whole", "minutes": 90}, "/end"), ({"colour": "red"}, "/colour"),
)  # fmt: skip


def test_a_hold_that_makes_no_sense_is_told_which_field(reader: Asking) -> None:
    for changes, pointer in WRONG:
        assert pointer in reader.refused("/holds", order(FREE) | changes, "POST"), changes
    assert reader.town.bookings() == []


def test_a_hold_that_cannot_be_made_is_refused_with_the_reason(reader: Asking) -> None:
    def refused(**changes: Any) -> str:
        said: str = reader.post("/holds", order(FREE, **changes), 422)["detail"]
        return said

    day = {"day": "2026-12-05", "start": "2026-12-05T10:00:00Z", "end": "2026-12-05T11:00:00Z"}
    assert "does not work on 2026-12-05" in refused(**day)
    assert "lacks wine" in refused(skills=["Wine"])
    assert "is not open then" in refused(hours="Mo 06:00-07:00")
    far = {"day": "2190-12-05", "start": "2190-12-05T10:00:00Z", "end": "2190-12-05T11:00:00Z"}
    assert "days ahead" in refused(**far)
    assert "no street leads" in refused(place={"lat": -60.0, "lon": -170.0})
    reader.post("/holds", order(FREE, rep_id="nobody"), 404)


def test_an_area_without_streets_says_so(office: Installation, admin: Program) -> None:
    for address in ("5 Mill Lane", "60.17,24.94"):
        path = "/areas/helsinki/slots"
        problem = admin.get(path, 422, query_string=SEARCH | {"address": address})
        assert problem["detail"]
    office.keep(rep("b/1"))
    assert admin.post("/areas/helsinki/holds", order(FREE), 422)["detail"]
    admin.get("/areas/atlantis/slots", 404, query_string=SEARCH)


def test_the_history_is_read_in_pages(town: Town, ines: Asking) -> None:
    with town.store.write(audited=False) as unit:
        for number in range(3):
            unit.bookings.put(promise(f"p{number}"))
    first = ines.get("/bookings?limit=2")
    rest = ines.get("/bookings", query_string={"limit": 2, "cursor": first["next"]})
    assert [each["id"] for each in first["bookings"] + rest["bookings"]] == ["p0", "p1", "p2"]
    assert rest["next"] is None
