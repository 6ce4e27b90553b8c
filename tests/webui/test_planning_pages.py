"""Plans are asked for on a page, watched while they are made, and published when somebody says so."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from plan_cast import MONDAY, MORNING, TUESDAY, Office, plan, rep_day, stop, text_of, unplanned, viewer
from writing_cast import ANN, PLANNING, PROMISE, audited, dispatcher, hidden, job, jobs, put, running, send

from planner.access import Role
from planner.jobs.domain import JobState
from planner.planning import PROMISES_BROKEN, RULES_BROKEN, to_store
from planner.repository import StoredPlan


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.area()
    office.know(ANN)
    return office


def ask(office: Office, **typed: str) -> tuple[int, str]:
    answer = send(office, PLANNING, **({"first_day": "2026-12-01", "days": "5", "seconds": "60"} | typed))
    return answer.status_code, answer.get_data(as_text=True)


def test_a_plan_that_is_asked_for_waits_in_the_queue_in_the_name_of_whoever_asked(office: Office) -> None:
    assert ask(office)[0] == 303
    (waiting,) = jobs(office)
    assert (waiting.area, waiting.kind, waiting.state, waiting.requested_by) == (
        "helsinki",
        "plan",
        JobState.WAITING,
        "user:u-admin",
    )
    assert waiting.request["first_day"] == "2026-12-01"
    text = office.text(PLANNING)
    assert "Plan 5 days from Tue 1 Dec" in text
    assert "Waiting" in text
    assert audited(office) == ["job.requested"]


def test_the_form_proposes_tomorrow_as_the_area_s_clocks_tell_it(office: Office) -> None:
    assert 'value="2026-12-01"' in office.page(PLANNING)


def test_a_double_click_asks_once(office: Office) -> None:
    fields = hidden(office.page(PLANNING), PLANNING) | {"first_day": "2026-12-01", "days": "5", "seconds": "60"}
    answers = [office.client.post(PLANNING, data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(jobs(office)) == 1


def test_a_form_that_the_back_button_brought_and_that_was_changed_is_another_request(office: Office) -> None:
    fields = hidden(office.page(PLANNING), PLANNING) | {"first_day": "2026-12-01", "days": "5", "seconds": "60"}
    office.client.post(PLANNING, data=fields)
    assert office.client.post(PLANNING, data=fields | {"days": "4"}).status_code == 303
    assert [(found.request["days"], found.state) for found in jobs(office)].count((4, JobState.WAITING)) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"days": "many"}, "Working days “many” is not a whole number."),
        ({"days": "61"}, "Working days is more than 60."),
        ({"days": "0"}, "Working days is less than 1."),
        ({"first_day": "soon"}, "First day “soon” is not a date."),
        ({"first_day": ""}, "First day is empty."),
        ({"first_day": "9999-01-01"}, "First day 9999-01-01 is not between 1970-01-01 and 9000-01-01."),
        ({"seconds": "nan"}, "Seconds to search “nan” is not a number."),
        ({"seconds": "1e9"}, "Seconds to search 1000000000.0 is not between 0.1 and 86,400."),
        ({"seconds": "5000"}, "a search of 5,000 seconds is too long"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_field_and_what_was_typed_is_kept(
    office: Office, typed: dict[str, str], said: str
) -> None:
    status, page = ask(office, **typed)
    assert status == 422
    assert said.lower() in text_of(page).lower()
    (text,) = typed.values()
    assert f'value="{text}"' in page or not text
    assert jobs(office) == []


def test_a_form_without_a_key_of_ours_is_refused(office: Office) -> None:
    fields = hidden(office.page(PLANNING), PLANNING) | {"first_day": "2026-12-01", "days": "5", "seconds": "60"}
    assert office.client.post(PLANNING, data=fields | {"key": "x"}).status_code == 400
    assert office.client.post(PLANNING, data=fields | {"csrf": "wrong"}).status_code == 403
    assert jobs(office) == []


def test_progress_is_said_in_hours_and_visits(office: Office) -> None:
    put(office, running())
    dispatcher(office)
    page = office.page(PLANNING)
    assert "Best so far: 40 visits, 10 h of driving and of worth left out." in text_of(page)
    assert '<progress class="job-bar" max="1" value="0.25"' in page
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page
    told = json.loads(office.page("/a/helsinki/jobs/live"))
    assert [(entry["id"], entry["share"], entry["label"]) for entry in told["jobs"]] == [("j1", 0.25, "Running")]
    assert told["hint"] == ""


def test_a_stream_says_how_far_it_is_and_ends_with_the_last_job(office: Office) -> None:
    put(office, running())
    events = office.client.get("/a/helsinki/jobs/events", buffered=False)
    assert events.mimetype == "text/event-stream"
    parts = iter(events.response)
    assert next(parts) == b"retry: 1000\n\n"
    assert b'"share": 0.25' in next(parts)
    put(office, replace(running(), state=JobState.DONE, result={"version": 1}))
    assert next(parts) == b'event: progress\ndata: {"jobs": [], "hint": ""}\n\n'
    assert list(parts) == []
    events.close()


def test_when_nobody_works_on_jobs_the_page_says_what_to_start(office: Office) -> None:
    put(office, job())
    assert "Nobody is working on jobs: start fieldvisit work" in office.text(PLANNING)
    dispatcher(office)
    assert "Nobody is working" not in office.text(PLANNING)


def test_a_job_is_called_off_at_once(office: Office) -> None:
    put(office, running())
    answer = send(office, PLANNING, "/a/helsinki/jobs/j1/cancel")
    assert (answer.status_code, answer.location) == (303, PLANNING)
    assert [found.state for found in jobs(office)] == [JobState.CANCELLED]
    assert "Cancelled" in office.text(PLANNING)


def test_what_is_seldom_chosen_is_under_advanced_and_part_of_the_request(office: Office) -> None:
    assert "Advanced" in office.text(PLANNING)
    assert ask(office)[0] == ask(office, work="40", seed="7", engine="ortools", fresh="yes")[0] == 303
    usual, chosen = sorted((found.request for found in jobs(office)), key=lambda request: request["seed"])
    assert (usual["seconds"], usual["work"], usual["seed"], usual["engine"], usual["fresh"]) == (60, None, 1, "", False)
    assert (chosen["seconds"], chosen["work"], chosen["seed"]) == (None, 40, 7)
    assert (chosen["engine"], chosen["fresh"]) == ("ortools", True)


def test_what_is_wrong_under_advanced_is_in_sight(office: Office) -> None:
    for typed, said in (({"seed": "-1"}, "Seed is less than 0"), ({"engine": "magic"}, "Engine 'magic' is none of")):
        status, page = ask(office, **typed)
        assert status == 422
        assert '<details class="more-form" open>' in page
        assert said in text_of(page)
    assert jobs(office) == []


WAY = [[0.0, 50_000, 30, 30_000], [2.0, 40_000, 38, 20_000], [9.0, 36_000, 40, 18_000]]


def test_the_way_to_the_best_plan_is_drawn_and_listed_newest_first(office: Office) -> None:
    searching = running()
    put(office, replace(searching, progress={**searching.progress, "elapsed_s": 10.0, "improvements": WAY}))
    page = office.page(PLANNING)
    assert 'points="0,2 60,2 60,42 270,42 270,58 300,58"' in page, "a line that goes down in steps"
    text = text_of(page)
    assert text.index("9 s") < text.index("2 s")
    (told,) = json.loads(office.page("/a/helsinki/jobs/live"))["jobs"]
    assert told["steps"][0] == ["9 s", "10 h", "40", "5 h"]
    assert told["line_of_cost"].startswith("0,2 60,2")


def test_a_search_is_ended_and_what_it_has_found_is_kept(office: Office) -> None:
    put(office, running())
    assert "Stop and keep the best so far" in office.text(PLANNING)
    answer = send(office, PLANNING, "/a/helsinki/jobs/j1/finish")
    assert (answer.status_code, answer.location) == (303, PLANNING)
    (found,) = jobs(office)
    assert (found.state, found.finishing) == (JobState.RUNNING, True)
    assert "The search ends, and the best plan so far is kept." in office.text(PLANNING)
    assert json.loads(office.page("/a/helsinki/jobs/live"))["jobs"][0]["hurry"] is False
    assert audited(office) == ["job.finish_asked"]


def test_what_is_done_after_a_search_is_said_with_the_plan_that_it_is_about(office: Office) -> None:
    after = running(fraction=0.5)
    after = replace(after, finishing=True, progress={**after.progress, "what": "working out why"})
    put(office, after)
    dispatcher(office)
    line = "Working out why … Best plan: 40 visits, 10 h of driving and of worth left out."
    assert line in office.text(PLANNING)
    (told,) = json.loads(office.page("/a/helsinki/jobs/live"))["jobs"]
    assert (told["line"], told["share"]) == (line, 0.5)


def test_a_job_that_has_not_begun_has_nothing_to_keep(office: Office) -> None:
    put(office, job())
    assert re.search(r"/jobs/j1/finish\" data-hurry hidden", office.page(PLANNING))
    answer = send(office, PLANNING, "/a/helsinki/jobs/j1/finish")
    assert answer.status_code == 422
    assert "This job has not begun, and so there is nothing to keep" in text_of(answer.get_data(as_text=True))


def test_a_job_of_another_area_cannot_be_called_off_here(office: Office) -> None:
    office.area("turku")
    put(office, replace(running(), area="turku"))
    fields = hidden(office.page(PLANNING), PLANNING)
    for what in ("cancel", "finish"):
        assert office.client.post(f"/a/helsinki/jobs/j1/{what}", data=fields).status_code == 404
    assert [found.state for found in jobs(office)] == [JobState.RUNNING]


def test_why_a_job_failed_is_said(office: Office) -> None:
    put(office, job(state=JobState.FAILED, error="there are no reps to plan for"))
    assert "There are no reps to plan for" in office.text(PLANNING)


@pytest.mark.parametrize("what", [PROMISES_BROKEN, RULES_BROKEN])
def test_a_manager_of_some_reps_is_not_told_whose_promises_a_plan_would_break(tmp_path: Path, what: str) -> None:
    office = Office(tmp_path, viewer=viewer(Role.MANAGER, area="helsinki", reps=frozenset({"ann"})))
    office.area()
    office.know(ANN)
    put(office, job(state=JobState.FAILED, error=f"{what}: Café Aalto (O1), 2026-12-01 10:00–11:00, with Zoe: full"))
    text = office.text(PLANNING)
    assert f"{what[0].upper()}{what[1:]}; somebody who sees all reps can read which" in text
    assert "Aalto" not in text


def test_a_draft_stands_beside_what_is_published_and_is_published_by_a_button(office: Office) -> None:
    office.keep(plan(), published_at=MORNING)
    office.keep(plan([rep_day()]))
    put(office, job(state=JobState.DONE, result={"version": 2, "visits": 2, "unplanned": 0}))
    text = office.text(PLANNING)
    assert "Plan 2 is a draft" in text
    assert "Reps see plan 1 until it is published" in text
    assert "Look at plan 2" in text
    answer = send(office, PLANNING, "/a/helsinki/plans/2/publish")
    assert (answer.status_code, answer.location) == (303, "/a/helsinki/")
    with office.store.read() as unit:
        latest = unit.plans("helsinki").latest(published=True)
    assert latest is not None
    assert latest.version == 2
    assert audited(office) == ["plan.published"]
    assert "is a draft" not in office.text(PLANNING)


def made(office: Office, document: str, published_at: datetime | None = None) -> None:
    """Store a plan with the figures and days that its document has."""
    stored = replace(to_store(json.loads(document), MORNING), published_at=published_at)
    with office.store.write(audited=False) as unit:
        unit.plans("helsinki").add(stored)


def test_a_draft_of_some_days_stands_beside_what_is_published_on_these_days(office: Office) -> None:
    promised = rep_day("ann", [stop(kind="appointment"), stop(2, "09:55", "10:25")], day=TUESDAY)
    made(office, plan([rep_day(), promised], unplanned=[unplanned()]), published_at=MORNING)
    made(office, plan([rep_day(stops=[stop(3)], day=TUESDAY)], first_day=TUESDAY, unplanned=[unplanned()]))
    text = office.text(PLANNING)
    assert "The days that plan 2 is not for stay as they are." in text
    assert "Plan 1, published, on these days Plan 2, draft" in text
    for row in (
        *("Days 1 Dec 1 Dec", "Visits 2 1", "Driving 15 min 10 min", "Promises kept 1 0"),
        "Not planned – 1",  # whom a plan leaves out it leaves out on all of its days
    ):
        assert row in text


def test_what_stays_on_other_days_does_not_count_as_not_planned(office: Office) -> None:
    made(office, plan(unplanned=[unplanned(), unplanned("A1", reason="seen_on_another_day")]))
    assert "Not planned – 1" in office.text(PLANNING)


def test_a_draft_of_days_on_which_reps_see_nothing_stands_beside_nothing(office: Office) -> None:
    made(office, plan([rep_day()], last_day=MONDAY), published_at=MORNING)
    made(office, plan([rep_day(day=TUESDAY)], first_day=TUESDAY))
    text = office.text(PLANNING)
    assert "Days none of these 1 Dec" in text
    assert "Visits 0 2" in text


def test_a_draft_of_all_days_that_reps_see_stands_beside_the_whole_published_plan(office: Office) -> None:
    made(office, plan([rep_day()], last_day=MONDAY, unplanned=[unplanned()]), published_at=MORNING)
    made(office, plan())
    text = office.text(PLANNING)
    assert "on these days" not in text
    assert "stay as they are" not in text
    for row in ("Days 30 Nov 30 Nov – 1 Dec", "Visits 2 6", "Not planned 1 0"):
        assert row in text


def test_a_draft_is_published_from_its_week_too(office: Office) -> None:
    office.keep(plan(), published_at=MORNING)
    office.keep(plan([rep_day()]))
    assert "Publish plan" not in office.text("/a/helsinki/")
    answer = send(office, "/a/helsinki/?plan=2", "/a/helsinki/plans/2/publish")
    assert answer.status_code == 303
    assert "plan 2 published" in office.text("/a/helsinki/")
    assert "plan 1 was published" in office.text("/a/helsinki/?plan=1")


def test_a_plan_that_would_break_a_promise_is_refused_with_what_and_why(office: Office) -> None:
    office.keep(plan(), published_at=MORNING)
    office.keep(plan([rep_day()]))
    with office.store.write(audited=False) as unit:
        unit.bookings.put(PROMISE)
    answer = send(office, PLANNING, "/a/helsinki/plans/2/publish")
    assert answer.status_code == 409
    text = text_of(answer.get_data(as_text=True))
    assert "Plan 2 is not published Customers were promised times that it cannot keep." in text
    assert "Café <Aalto> (O1), 2026-12-01 10:00–11:00, with zoe: there is no such rep" in text
    assert published(office) == 1
    assert audited(office) == []


def test_a_double_click_publishes_once(office: Office) -> None:
    office.keep(plan())
    fields = hidden(office.page(PLANNING), "/plans/1/publish")
    answers = [office.client.post("/a/helsinki/plans/1/publish", data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert audited(office) == ["plan.published"]


def keep_days(office: Office, first_day: date, days: int, published_at: datetime | None = None) -> None:
    with office.store.write(audited=False) as unit:
        unit.plans("helsinki").add(
            StoredPlan(0, "helsinki", first_day, days, MORNING, published_at, 6, 0, 3600, plan())
        )


def published(office: Office) -> int:
    with office.store.read() as unit:
        latest = unit.plans("helsinki").latest(published=True)
    assert latest is not None
    return latest.version


def test_a_plan_that_does_not_exist_is_not_published(office: Office) -> None:
    office.keep(plan())
    fields = hidden(office.page(PLANNING), "/plans/1/publish")
    assert office.client.post("/a/helsinki/plans/7/publish", data=fields).status_code == 404
    assert audited(office) == []


def test_a_field_rep_neither_plans_nor_sees_how_planning_goes(tmp_path: Path) -> None:
    office = Office(tmp_path, viewer=viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"})))
    office.area()
    office.know(ANN)
    office.keep(plan(), published_at=MORNING)
    for address in (PLANNING, "/a/helsinki/jobs/live", "/a/helsinki/jobs/events"):
        office.page(address, 403)
    assert "Publish" not in office.page(f"/a/helsinki/day/{MONDAY}/rep?rep=ann")
    fields = {"csrf": "csrf", "key": "k" * 16, "first_day": "2026-12-01", "days": "5", "seconds": "60"}
    assert office.client.post(PLANNING, data=fields).status_code == 403
    assert jobs(office) == []


def test_a_draft_says_how_many_visits_that_people_had_seen_it_moves(office: Office) -> None:
    office.keep(plan(totals={**json.loads(plan())["totals"], "seen": 40, "moved": 3}))
    assert "Moved – 3 of 40 that people had seen" in office.text(PLANNING)
