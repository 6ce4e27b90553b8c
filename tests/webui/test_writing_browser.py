"""The pages that write in a real browser: progress that moves, files with bad rows, two people at one note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Serve, Watched
from hostile import HOSTILE
from plan_cast import MONDAY, MORNING, Office, plan, rep_day
from playwright.sync_api import Page, expect
from writing_cast import ADDRESSES, ANN, BAR, DOUBTFUL, PLANNING, RECORDS, dispatcher, job, jobs, put, running

from planner.domain import Account, Address
from planner.jobs.domain import JobState
from webui.streaming import Streams

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
DAY = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"

Watch = Callable[..., Watched]

expect.set_options(timeout=15_000)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.app.extensions["streams"] = Streams(life_s=3, every_s=0.05, heartbeat_s=0.2)
    office.area()
    office.know(ANN, BAR, DOUBTFUL)
    dispatcher(office)
    return office


def share(page: Page) -> float:
    found: float = page.locator("progress").evaluate("bar => bar.value")
    return found


def start(page: Page, base: str) -> None:
    page.goto(base + PLANNING)
    page.get_by_label("Working days").fill("3")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("heading", name="Plan 3 days from")).to_be_visible()


def test_a_plan_is_started_its_progress_moves_and_it_is_called_off(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=PHONE)
    page = watched.page
    start(page, serve(office.app))
    expect(page.locator("[data-label]")).to_have_text("Waiting")
    (asked,) = jobs(office)
    for visits in (12, 34):
        progress = {"what": "searching", "fraction": visits / 100, "cost_s": 36_000, "visits": visits}
        put(office, replace(asked, state=JobState.RUNNING, attempt=1, progress=progress))
        expect(page.locator("[data-line]")).to_have_text(
            f"Best so far: {visits} visits, 10 h of driving and of worth left out."
        )
        assert share(page) == visits / 100
    expect(page.locator("[data-label]")).to_have_text("Running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled")).to_be_visible()
    assert [found.state for found in jobs(office)] == [JobState.CANCELLED]
    assert watched.errors == []


def test_when_a_plan_is_done_the_page_shows_the_draft_and_publishes_it(
    office: Office, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=DESK).page
    start(page, serve(office.app))
    (asked,) = jobs(office)
    version = office.keep(plan([rep_day()]))
    put(office, replace(asked, state=JobState.DONE, result={"version": version, "visits": 2, "unplanned": 0}))
    page.get_by_role("button", name="Publish plan 1").click()
    expect(page.get_by_text("plan 1 published")).to_be_visible()


def test_a_form_that_is_being_filled_in_is_not_thrown_away_when_a_job_ends(
    office: Office, serve: Serve, watch: Watch
) -> None:
    put(office, running())
    page = watch(viewport=DESK).page
    page.goto(serve(office.app) + PLANNING)
    page.get_by_label("Working days").fill("7")
    put(office, replace(running(), state=JobState.DONE, result={"version": 1}))
    expect(page.get_by_text("A job has ended.")).to_be_visible()
    assert page.get_by_label("Working days").input_value() == "7"


def test_without_a_stream_the_page_asks_from_time_to_time(office: Office, serve: Serve, watch: Watch) -> None:
    office.app.extensions["streams"] = Streams(most=0)
    put(office, running(0.25))
    page = watch(viewport=DESK).page
    page.clock.install()
    with page.expect_response("**/jobs/live"):
        page.goto(serve(office.app) + PLANNING)
    put(office, running(0.75, visits=50))
    with page.expect_response("**/jobs/live"):
        page.clock.fast_forward(3000)
    expect(page.locator("[data-line]")).to_contain_text("50 visits")
    assert share(page) == 0.75


def test_without_scripts_a_plan_is_started_and_called_off_all_the_same(
    office: Office, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=PHONE, java_script_enabled=False).page
    start(page, serve(office.app))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled")).to_be_visible()


def test_a_file_with_bad_rows_is_reported_row_by_row(office: Office, serve: Serve, watch: Watch) -> None:
    page = watch(viewport=PHONE).page
    page.goto(serve(office.app) + RECORDS)
    rows = b"account_id,name,address,visit_minutes\nB1,Good,Street 1,30\nB2,Bad,Street 2,-5\nB3,,Street 3,\n"
    page.get_by_label("Accounts", exact=True).set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": rows}
    )
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".refusals tbody tr")).to_have_count(2)
    expect(page.locator(".refusals")).to_contain_text("-5 is not between 1 and 1440 minutes")
    expect(page.get_by_text("1 added")).to_be_visible()
    page.get_by_role("link", name="how far the addresses are").click()
    expect(page.get_by_role("heading", name="Find the places of addresses")).to_be_visible()


def test_files_that_are_too_large_are_not_even_sent(office: Office, serve: Serve, watch: Watch, tmp_path: Path) -> None:
    watched = watch(viewport=DESK)
    page = watched.page
    page.goto(serve(office.app) + RECORDS)
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(30_000_000)
    field = page.get_by_label("Accounts", exact=True)
    field.set_input_files(tmp_path / "huge.csv")
    assert field.evaluate("input => input.validationMessage") == "These files are 30 MB together; 20 MB are taken."
    page.get_by_role("button", name="Import").click()
    assert [request.method for request in watched.requests].count("POST") == 0
    field.set_input_files([])
    assert field.evaluate("input => input.validationMessage") == ""


def test_two_people_write_one_note_in_two_browsers_and_both_texts_are_in_it(
    office: Office, serve: Serve, watch: Watch
) -> None:
    office.keep(plan(), published_at=MORNING)
    base = serve(office.app)
    hers, his = watch(viewport=DESK).page, watch(viewport=PHONE).page
    for page in (hers, his):
        page.goto(base + DAY)
        page.get_by_text("Write a note").click()
    hers.get_by_label("Note on this day").fill("Car in the garage until ten")
    hers.get_by_role("button", name="Save the note").click()
    expect(hers.locator(".day-note-text")).to_have_text("Car in the garage until ten")
    his.get_by_label("Note on this day").fill("Lunch with Ben")
    his.get_by_role("button", name="Save the note").click()
    expect(his.get_by_role("alert")).to_contain_text("Nothing is lost")
    expect(his.get_by_role("region", name="What it says now")).to_contain_text("Car in the garage until ten")
    mine = his.get_by_label("What you wrote")
    expect(mine).to_have_value("Lunch with Ben")
    mine.fill("Car in the garage until ten. Lunch with Ben.")
    his.get_by_role("button", name="Save what stands here").click()
    hers.reload()
    expect(hers.locator(".day-note-text")).to_have_text("Car in the garage until ten. Lunch with Ben.")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["390 dark", "1280"])
def test_no_page_that_writes_scrolls_sideways_or_complains(
    office: Office, serve: Serve, watch: Watch, size: dict[str, int], scheme: str
) -> None:
    office.know(Account("A-very-" + "long-" * 30, "Long" * 40, Address("Nowhere " * 30)))
    office.keep(plan())
    put(office, job(state=JobState.FAILED, error="word " * 40 + "x" * 200))
    base = serve(office.app)
    watched = watch(viewport=size, color_scheme=scheme)
    for address in (PLANNING, RECORDS, ADDRESSES):
        watched.page.goto(base + address)
        wide = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, address
    assert watched.errors == []
    assert watched.hosts() == {base}


def test_hostile_texts_run_nothing_on_the_pages_that_write(office: Office, serve: Serve, watch: Watch) -> None:
    names = [name for name in HOSTILE if 0 < len(name) < 2000 and "\0" not in name]
    office.know(*(Account(f"H{number}", name, Address(name)) for number, name in enumerate(names)))
    put(office, *(job(id=f"f{n}", state=JobState.FAILED, error=name) for n, name in enumerate(names)))
    office.keep(plan(), published_at=MORNING)
    base = serve(office.app)
    watched = watch(viewport=DESK)
    page = watched.page
    for address in (PLANNING, RECORDS, ADDRESSES, f"{ADDRESSES}?settled=%3Cscript%3Ewindow.__ran=1%3C/script%3E"):
        page.goto(base + address)
        assert page.evaluate("window.__ran") is None
    page.goto(base + DAY)
    page.get_by_text("Write a note").click()
    page.get_by_label("Note on this day").fill("".join(names)[:1500])
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator(".day-note-text")).to_be_visible()
    assert page.evaluate("window.__ran") is None
    assert watched.errors == []
    assert watched.hosts() == {base}
