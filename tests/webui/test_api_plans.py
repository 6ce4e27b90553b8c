"""Plans, rep-days and jobs by program."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from api_cast import MONDAY, Installation, Program, account, admin, building, office, opportunity, rep
from plan_cast import plan, rep_day, stop
from writing_cast import PROMISE

from planner.access import Permission, Role
from planner.jobs.domain import JobState
from webui.api.paging import cursor

__all__ = ["admin", "building", "office"]

ORDER = {"first_day": "2026-11-30", "days": 5, "seconds": 30}


def test_a_plan_comes_as_plan_json(office: Installation, admin: Program) -> None:
    office.keep_plan()
    (summary,) = admin.get("/areas/helsinki/plans")["plans"]
    assert (summary["version"], summary["published_at"]) == (1, "2026-11-30T06:00:00Z")
    document = admin.get("/areas/helsinki/plans/1")
    assert document["format"] == "fieldvisit-plan/1"
    assert document == admin.get("/areas/helsinki/plan")
    assert [entry["reason"] for entry in document["unplanned"]] == ["no_time_left"]
    admin.get("/areas/helsinki/plans/2", 404)
    admin.get("/areas/helsinki/plans/0", 404)
    admin.get("/areas/porvoo/plan", 404)


def test_publishing_a_version_makes_it_the_one_that_is_shown(office: Installation, admin: Program) -> None:
    office.keep_plan()
    office.keep_plan(plan([rep_day(stops=[])]), published=False)
    office.now += timedelta(hours=1)
    assert admin.post("/areas/helsinki/plans/2/publish")["published_at"] == "2026-11-30T07:00:00Z"
    assert admin.ask("GET", "/areas/helsinki/plan", 200).headers["Plan-Version"] == "2"
    admin.post("/areas/helsinki/plans/3/publish", None, 404)


def test_publishing_is_done_once_however_often_it_is_sent(office: Installation, admin: Program) -> None:
    office.keep_plan(published=False)
    first, second = (admin.ask("POST", "/areas/helsinki/plans/1/publish", 200, key="one") for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    admin.ask("POST", "/areas/helsinki/plans/2/publish", 409, key="one")
    with office.store.read() as unit:
        assert [entry.action for entry in unit.audit_log.latest(9)].count("plan.published") == 1


def test_a_version_that_would_break_a_promise_is_refused_with_what_and_why(
    office: Installation, admin: Program
) -> None:
    office.keep_plan()
    office.keep_plan(published=False)
    with office.store.write(audited=False) as unit:
        unit.bookings.put(PROMISE)
    refused = admin.ask("POST", "/areas/helsinki/plans/2/publish", 409).json
    assert refused["type"] == "urn:fieldvisit:problem:promise-broken"
    (broken,) = refused["broken"]
    assert broken.startswith("Café <Aalto> (O1), 2026-12-01 08:00–09:00, with zoe: there is no such rep")
    assert admin.ask("GET", "/areas/helsinki/plan", 200).headers["Plan-Version"] == "1"


def test_a_field_rep_gets_their_own_days_of_the_plan_only(office: Installation) -> None:
    office.keep(rep("ann"), rep("ben"), account("A1", owner_rep_id="ann"))
    office.keep_plan()
    ann = office.program(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    assert {day["rep_id"] for day in ann.get("/areas/helsinki/plan")["rep_days"]} == {"ann"}
    ann.get(f"/areas/helsinki/days/{MONDAY}/ann")
    ann.get(f"/areas/helsinki/days/{MONDAY}/ben", 404)
    ann.get(f"/areas/helsinki/notes/{MONDAY}/ben", 404)
    ann.put(f"/areas/helsinki/notes/{MONDAY}/ben", {"text": "x", "revision": 0}, 404)
    ann.post("/areas/helsinki/plans/1/publish", None, 403)


def test_an_inside_rep_learns_when_their_handoffs_are_visited(office: Installation) -> None:
    inside = office.program(Role.INSIDE_REP)
    email = inside.get("/me")["user"]["email"]
    office.keep(rep("ann"), opportunity("O1", inside_rep=email), opportunity("O2", inside_rep="other@example.com"))
    visits = [
        stop(number, begin, leave, visit_id=f"opportunity:O{number}", record_ids=[f"O{number}"], kind="opportunity")
        for number, begin, leave in ((1, "09:15", "09:45"), (2, "09:55", "10:25"))
    ]
    office.keep_plan(plan([rep_day(stops=visits)]))
    (visit,) = inside.get("/areas/helsinki/handoffs")["handoffs"]
    assert (visit["opportunity_id"], visit["begin"]) == ("O1", "2026-11-30T07:15:00Z")
    inside.get(f"/areas/helsinki/days/{MONDAY}/ann", 403)


def test_a_reps_day_comes_with_its_visits_and_its_note(office: Installation, admin: Program) -> None:
    office.keep(rep("ann"))
    office.keep_plan()
    day = admin.get(f"/areas/helsinki/days/{MONDAY}/ann")
    assert (day["version"], day["published"], day["note"]) == (1, True, {"text": "", "revision": 0})
    assert [visit["name"] for visit in day["rep_day"]["stops"]] == ["Customer 1", "Customer 2"]
    for missing in ("2026-12-05/ann", "2026-11-31/ann", "monday/ann", f"{MONDAY}/cid"):
        admin.get(f"/areas/helsinki/days/{missing}", 404)


def test_a_note_is_never_written_over_one_that_was_not_seen(office: Installation, admin: Program) -> None:
    office.keep(rep("ann"))
    path = f"/areas/helsinki/notes/{MONDAY}/ann"
    assert admin.put(path, {"text": "Car in the garage", "revision": 0})["revision"] == 1
    assert admin.put(path, {"text": "Car in the garage", "revision": 0})["revision"] == 1
    problem = admin.put(path, {"text": "Dentist at nine", "revision": 0}, 409)
    assert problem["present"] == {"text": "Car in the garage", "revision": 1}
    assert admin.get(path)["text"] == "Car in the garage"
    assert "/text" in admin.refused(path, {"text": "x" * 2_001, "revision": 1})


def test_a_plan_is_asked_for_watched_and_called_off(office: Installation, admin: Program) -> None:
    office.keep(rep(), account())
    job = admin.post("/areas/helsinki/plans", ORDER, 202)
    assert (job["state"], job["request"]["days"]) == ("waiting", 5)
    assert admin.get(f"/jobs/{job['id']}") == job
    assert admin.get("/areas/helsinki/jobs")["jobs"] == [job]
    assert admin.post(f"/jobs/{job['id']}/cancel")["state"] == "cancelled"
    admin.post("/jobs/none/cancel", None, 404)


def test_a_search_is_ended_by_program_and_what_it_has_found_is_kept(office: Installation, admin: Program) -> None:
    order = {**ORDER, "engine": "ortools", "fresh": True}
    job = admin.post("/areas/helsinki/plans", order, 202)
    assert (job["request"]["engine"], job["request"]["fresh"], job["finishing"]) == ("ortools", True, False)
    assert "has not begun" in admin.post(f"/jobs/{job['id']}/finish", None, 422)["detail"]
    with office.store.write(audited=False) as unit:
        unit.jobs.put(replace(unit.jobs.get(job["id"]), state=JobState.RUNNING))
    assert admin.post(f"/jobs/{job['id']}/finish")["finishing"] is True
    assert admin.get(f"/jobs/{job['id']}")["state"] == "running"
    assert "/engine" in admin.refused("/areas/helsinki/plans", {**ORDER, "engine": "magic"}, "POST")


def test_a_token_calls_off_only_what_it_might_have_asked_for(office: Installation, admin: Program) -> None:
    ordered = admin.post("/areas/helsinki/plans", ORDER, 202)
    places = admin.post("/areas/helsinki/geocoding", {}, 202)
    importer = office.program(Role.MANAGER, Permission.WRITE_RECORDS)
    importer.post(f"/jobs/{ordered['id']}/cancel", None, 403)
    assert importer.post(f"/jobs/{places['id']}/cancel")["state"] == "cancelled"
    assert admin.get(f"/jobs/{ordered['id']}")["state"] == "waiting"


def test_a_newer_order_replaces_the_one_that_waits_and_one_sent_twice_does_not(
    office: Installation, admin: Program
) -> None:
    first = admin.post("/areas/helsinki/plans", ORDER, 202, key="k1")
    assert admin.post("/areas/helsinki/plans", ORDER, 202, key="k1")["id"] == first["id"]
    assert admin.get(f"/jobs/{first['id']}")["state"] == "waiting"
    office.now += timedelta(seconds=1)
    second = admin.post("/areas/helsinki/plans", ORDER, 202)
    assert admin.get(f"/jobs/{first['id']}")["state"] == "replaced"
    assert [job["id"] for job in admin.get("/areas/helsinki/jobs?limit=1")["jobs"]] == [second["id"]]


def test_jobs_are_listed_page_by_page_also_where_many_were_asked_for_at_once(
    office: Installation, admin: Program
) -> None:
    ordered = []
    for number in range(5):
        ordered.append(admin.post("/areas/helsinki/plans", ORDER, 202)["id"])
        office.now += timedelta(seconds=number % 2)
    listed = admin.get("/areas/helsinki/jobs")["jobs"]
    assert sorted(job["id"] for job in listed) == sorted(ordered)
    paged, path = [], "/areas/helsinki/jobs?limit=2"
    while path:
        answer = admin.get(path)
        paged += answer["jobs"]
        path = answer["next"] and f"/areas/helsinki/jobs?limit=2&cursor={answer['next']}"
    assert paged == listed


@pytest.mark.parametrize(
    "key", [("2026",), ("noon+00:00", "a"), ("2026-11-22T12:00:00", "a"), (1, 2), ("2026", "a", 3)]
)
def test_a_cursor_that_names_no_job_is_refused(admin: Program, key: tuple[object, ...]) -> None:
    admin.get(f"/areas/helsinki/jobs?cursor={cursor('helsinki/jobs', key)}", 400)


def test_an_order_beyond_what_may_be_asked_for_is_refused(admin: Program) -> None:
    assert "too long" in admin.post("/areas/helsinki/plans", ORDER | {"seconds": 901}, 422)["detail"]
    assert "/seconds" in admin.refused("/areas/helsinki/plans", ORDER | {"work": 10}, "POST")
    assert "/days" in admin.refused("/areas/helsinki/plans", ORDER | {"days": 61}, "POST")
    admin.post("/areas/atlantis/plans", ORDER, 404)


def test_the_places_of_addresses_are_asked_for(admin: Program) -> None:
    job = admin.post("/areas/helsinki/geocoding", {}, 202)
    assert (job["kind"], job["request"]) == ("geocode", {"again": False})


def test_a_job_of_another_area_is_not_there(office: Installation, admin: Program) -> None:
    job = admin.post("/areas/helsinki/plans", ORDER, 202)
    stranger = office.program(Role.MANAGER, area="porvoo")
    stranger.get(f"/jobs/{job['id']}", 404)
    stranger.post(f"/jobs/{job['id']}/cancel", None, 404)
    stranger.get(f"/jobs/{job['id']}/events", 404)


def test_the_changes_of_a_job_are_told_as_events_until_it_ends(office: Installation, admin: Program) -> None:
    job = admin.post("/areas/helsinki/plans", ORDER, 202)
    with office.store.write() as unit:
        row = unit.jobs.get(job["id"])
        assert row is not None
        unit.jobs.put(replace(row, state=JobState.DONE, result={"version": 3}))
        unit.audit("job.done", job["id"])
    response = admin.ask("GET", f"/jobs/{job['id']}/events", 200)
    assert response.mimetype == "text/event-stream"
    data = next(line for line in response.get_data(as_text=True).splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["result"] == {"version": 3}
