"""A whole call in a real browser: from a typed address to a promise in few clicks, by keyboard alone, and in a race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from booking_cast import BOOK, CallOffice, promise
from conftest import Serve, Watched
from hostile import HOSTILE
from plan_cast import MONDAY
from playwright.sync_api import Page, expect

from planner.slots.domain import BookingState

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
COUNT_CLICKS = """
    window.clicks = Number(sessionStorage.clicks || 0);
    addEventListener('pointerdown', () => { sessionStorage.clicks = ++window.clicks; }, true);
"""

Watch = Callable[..., Watched]

expect.set_options(timeout=15_000)


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def focused(page: Page) -> str:
    """What of the page has the keyboard: the id, else the class."""
    said: str = page.evaluate("document.activeElement.id || document.activeElement.className")
    return said


def shown_times(page: Page) -> None:
    expect(page.locator(".best button.slot").first).to_be_visible()


def test_from_typed_address_to_promise_takes_three_clicks(office: CallOffice, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=DESK)
    page = watched.page
    page.add_init_script(COUNT_CLICKS)
    page.goto(serve(office.app) + BOOK)
    page.keyboard.type("7 mill")  # the field has the focus already
    page.get_by_role("option", name="7 Mill Lane").click()
    shown_times(page)
    expect(page.get_by_role("status").first).to_contain_text("Best: ")
    page.locator(".best button.slot").first.click()
    expect(page.get_by_role("heading", name="Time is held")).to_be_visible()
    page.keyboard.type("Brew & Bloom")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Promised · Brew & Bloom")).to_be_visible()
    assert page.evaluate("window.clicks") == 3
    (made,) = office.bookings()
    assert (made.state, made.name, made.address) == (
        BookingState.PROMISED, "Brew & Bloom", "7 Mill Lane, Toytown 00102",
    )  # fmt: skip
    assert watched.errors == []
    assert len(watched.hosts()) == 1


@pytest.mark.slow
def test_the_same_call_by_keyboard_alone(office: CallOffice, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=DESK)
    page = watched.page
    page.add_init_script(COUNT_CLICKS)
    page.goto(serve(office.app) + BOOK)
    page.keyboard.type("market st 7")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    field = page.get_by_role("combobox", name="Address")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert field.get_attribute("aria-activedescendant") == "suggestions-0"
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("7 Market Street, Toytown 00101")
    shown_times(page)
    assert focused(page) == "address"
    page.keyboard.press("ArrowDown")
    best = page.locator(".best button.slot")
    expect(best.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(best.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("!!document.activeElement.closest('.times-list')")
    page.keyboard.press("Escape")
    assert focused(page) == "address"
    page.keyboard.press("Enter")  # once more: to the best time
    expect(best.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Company")).to_be_focused()
    page.keyboard.type("Brew & Bloom")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Promised · Brew & Bloom")).to_be_focused()
    assert page.evaluate("window.clicks") == 0
    assert [made.state for made in office.bookings()] == [BookingState.PROMISED]
    assert watched.errors == []


@pytest.mark.slow
def test_who_types_faster_than_the_suggestions_come_gets_the_first_of_them(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=DESK).page
    page.goto(serve(office.app) + BOOK)
    page.keyboard.type("7 mill")
    page.keyboard.press("Enter")
    shown_times(page)
    expect(page.get_by_role("combobox", name="Address")).to_have_value("7 Mill Lane, Toytown 00102")


@pytest.mark.slow
def test_a_street_asks_for_its_number(office: CallOffice, serve: Serve, watch: Watch) -> None:
    page = watch(viewport=DESK).page
    page.goto(serve(office.app) + BOOK)
    page.keyboard.type("harbo")
    page.get_by_role("option", name="Harbour Road …").click()
    page.keyboard.type("3")
    page.get_by_role("option", name="3 Harbour Road").click()
    shown_times(page)


@pytest.mark.slow
def test_of_two_browsers_that_press_one_time_one_is_told_that_somebody_was_faster(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    """The visit fills the day, so that only one of them can have it."""
    address = f"{serve(office.app)}{BOOK}?address=5+Mill+Lane&minutes=300&rep=ann&first_day={MONDAY}&days=1"
    pages = [watch(viewport=DESK).page for _ in range(2)]
    for page in pages:
        page.goto(address)
        shown_times(page)
    for page in pages:
        page.evaluate("document.querySelector('.best button.slot').click()")
    for page in pages:
        expect(page.locator(".promise-head, [role=alert]")).to_be_visible()
    told = [page.get_by_text("Somebody was faster.").count() for page in pages]
    assert sorted(told) == [0, 1]
    assert len(office.bookings()) == 1
    loser = pages[told.index(1)]
    assert loser.evaluate("document.activeElement.getAttribute('role')") == "alert"


@pytest.mark.slow
def test_the_clock_of_a_hold_runs_by_the_server_and_escape_gives_it_back(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=DESK).page
    page.clock.install()
    base = serve(office.app)
    where = office.hold()
    office.time.now += timedelta(minutes=8)
    page.goto(base + where)
    figure = page.locator("[data-figure]")
    expect(figure).to_have_text("2:00")
    page.clock.run_for(75_000)
    expect(figure).to_have_text("0:45")
    page.get_by_label("Company").fill("Bread & Co")
    expect(page.locator(".left")).to_have_class("left is-short")
    office.time.now += timedelta(minutes=3)
    page.clock.run_for(45_000)
    expect(page.get_by_text("The time is not kept any more.")).to_be_visible()
    expect(page.get_by_label("Company")).to_have_value("Bread & Co")
    page.goto(base + office.hold())
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Book a visit")).to_be_visible()
    assert [made.state for made in office.bookings() if made.id not in where] == [BookingState.RELEASED]


@pytest.mark.slow
def test_the_times_are_shown_as_a_week_too_and_the_day_is_lit_on_the_map(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=DESK).page
    page.goto(f"{serve(office.app)}{BOOK}?address=5+Mill+Lane&minutes=60&rep=ann&first_day={MONDAY}&days=2")
    shown_times(page)
    expect(page.locator("path.trip").first).to_be_attached()
    expect(page.locator(".prospect")).to_be_visible()
    page.get_by_role("button", name="Week").click()
    expect(page.locator(".times-list")).to_be_hidden()
    cell = page.locator(f'.grid button.slot[data-day*="{MONDAY}"]').first
    cell.focus()
    expect(page.locator("path.trip.is-lit").first).to_be_attached()
    assert page.locator("path.trip-dot").count() == 2
    page.keyboard.press("ArrowRight")
    assert page.evaluate("!!document.activeElement.closest('.grid')")


@pytest.mark.slow
def test_without_scripts_a_visit_is_booked_all_the_same(office: CallOffice, serve: Serve, watch: Watch) -> None:
    page = watch(viewport=PHONE, java_script_enabled=False).page
    page.goto(serve(office.app) + BOOK)
    page.get_by_label("Address", exact=True).fill("5 Mill Lane")
    page.get_by_role("button", name="Show times").click()
    page.locator("button.slot").first.click()
    page.get_by_label("Company").fill("Brew & Bloom")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Promised · Brew & Bloom")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["390 dark", "1280"])
@pytest.mark.slow
def test_no_page_of_a_call_scrolls_sideways_or_complains(
    office: CallOffice, serve: Serve, watch: Watch, size: dict[str, int], scheme: str
) -> None:
    base = serve(office.app)
    with office.store.write(audited=False) as unit:
        unit.bookings.put(promise(name="Long" * 60, address="Nowhere " * 30))
    watched = watch(viewport=size, color_scheme=scheme)
    found = f"{BOOK}?address=5+Mill+Lane&minutes=60&skills=wine"
    for address in (BOOK, found, f"{BOOK}?address=Mill+Lane&minutes=60", office.hold(), "/a/helsinki/bookings/p1"):
        watched.page.goto(base + address)
        watched.page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
        wide = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, address
        if watched.page.get_by_role("button", name="Week").count():
            watched.page.get_by_role("button", name="Week").click()
            wide = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide == 0, "as a week"
    assert watched.errors == []
    assert watched.hosts() == {base}


@pytest.mark.slow
def test_hostile_names_and_addresses_run_nothing_on_the_way(office: CallOffice, serve: Serve, watch: Watch) -> None:
    base = serve(office.app)
    watched = watch(viewport=DESK)
    page = watched.page
    page.goto(base + BOOK)
    for text in HOSTILE[::9]:
        page.get_by_label("Address", exact=True).fill(text[:300].replace("\0", ""))
        page.evaluate("document.getElementById('ask').requestSubmit()")
        expect(page.locator("[data-times]")).to_have_attribute("aria-busy", "false")
    names = "".join(text for text in HOSTILE if len(text) < 100).replace("\0", "")
    page.goto(base + office.hold())
    page.get_by_label("Company").fill(names[:200])
    page.get_by_label("Contact").fill(names[200:400])
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".is-promised")).to_be_visible()
    assert page.evaluate("window.__ran") is None
    assert watched.errors == []
    assert watched.hosts() == {base}
