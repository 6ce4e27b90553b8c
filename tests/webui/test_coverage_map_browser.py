"""The coverage map in a real browser: its states are Python's, names are text, and a thumb draws a territory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from accessibility import problems, unfold
from conftest import Serve, Watched
from coverage_map_cast import MAP, MapOffice, at, covered, customers
from figures_cast import TODAY, cover
from hostile import HOSTILE
from playwright.sync_api import Page, expect

from planner.coverage.domain import CoverageState
from planner.coverage.standing import state_on
from webui.presenting.coverage_map import STATES, WEEKS_BACK, map_accounts, weeks_planned

pytestmark = [pytest.mark.browser, pytest.mark.slow]

UNKNOWN = 255
Opened = Callable[..., Watched]


@pytest.fixture
def opened(serve: Serve, watch: Callable[..., Watched]) -> Opened:
    """Opens the map of an office, and waits until its customers are drawn."""

    def look(office: MapOffice, view: str = "", **options: object) -> Watched:
        watched = watch(reduced_motion="reduce", **options)
        watched.page.goto(f"{serve(office.app)}{MAP}{view}")
        wait_until_drawn(watched.page)
        return watched

    return look


def wait_until_drawn(page: Page) -> None:
    page.wait_for_function("() => performance.getEntriesByName('customers-drawn').length > 0")


def counts(page: Page) -> dict[str, int]:
    """The numbers of the legend."""
    told = page.locator("[data-states] [data-count]").all()
    return {one.get_attribute("data-count") or "": int(one.inner_text() or 0) for one in told}


def drag(page: Page, x: float, y: float, to_x: float, to_y: float) -> None:
    """With a finger."""
    session = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [(x, y)]),
        ("touchMove", [((x + to_x) / 2, (y + to_y) / 2)]),
        ("touchMove", [(to_x, to_y)]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})


def test_every_week_shows_the_states_that_python_tells(opened: Opened, tmp_path: Path) -> None:
    watched = opened(MapOffice(tmp_path))
    told = watched.page.evaluate(
        """async () => {
          const answer = await fetch(document.querySelector("[data-coverage-map]").dataset.accounts);
          const accounts = fieldvisit.covered.unpacked(await answer.json());
          const weeks = [];
          for (let week = accounts.weeks[0]; week <= accounts.weeks[1]; week++)
            weeks.push(Array.from(accounts.statesOn(7 * week)));
          return weeks;
        }"""
    )
    order = [state for state, *_ in STATES]
    coverage = covered()
    accounts = map_accounts(coverage, "").accounts
    weeks = range(-WEEKS_BACK, weeks_planned(coverage) + 1)
    assert len(told) == len(weeks)
    for week, states in zip(weeks, told, strict=True):
        day = TODAY + timedelta(weeks=week)
        expected = [account.state if week == 0 else state_on(account, day) for account in accounts]
        assert states == [UNKNOWN if state is None else order.index(state) for state in expected], week
    assert {UNKNOWN, *range(len(order))} == {state for states in told for state in states}
    assert watched.errors == []


def test_what_is_shown_stands_in_the_address_and_comes_back_with_it(opened: Opened, tmp_path: Path) -> None:
    office = MapOffice(tmp_path)
    watched = opened(office, viewport={"width": 1280, "height": 800})
    page = watched.page
    everybody = counts(page)
    assert sum(everybody.values()) == len(customers())
    page.locator("#rep").select_option("ann")
    page.get_by_label("Dormant").uncheck()
    page.get_by_label("Day").press("ArrowLeft")
    page.locator("[data-part=territories] summary").click()
    page.get_by_label("Coloured by").select_option("overdue_share")
    expect(page.locator("path.territory")).to_have_count(2)
    expect(page.locator("[data-week-said]")).to_contain_text("Mon 23 Nov 2026 · 1 week ago")
    seen, address = counts(page), page.url
    assert seen != everybody
    assert "rep=ann&hide=dormant&week=-1&measure=overdue_share" in address
    page.goto("about:blank")
    page.goto(address)
    wait_until_drawn(page)
    expect(page.locator(".shade-table tbody tr")).to_have_count(2)
    assert counts(page) == seen
    assert not page.get_by_label("Dormant").is_checked()
    assert watched.errors == []
    assert len(watched.hosts()) == 1


def test_a_ring_comes_nearer_and_a_customer_tells_its_name_as_text(opened: Opened, tmp_path: Path) -> None:
    names = [text for text in HOSTILE if "\0" not in text and text.strip()][:12]
    crowd = [cover(f"N{n}", name=name, state=CoverageState.OVERDUE, **at(100 * n, 0)) for n, name in enumerate(names)]
    office = MapOffice(tmp_path, crowd)
    watched = opened(office, viewport={"width": 1280, "height": 800})
    page = watched.page
    page.evaluate("() => map_day.setView([60.17, 24.95], 11, { animate: false })")
    ring = page.evaluate("() => map_day.crowd._drawn.find((one) => one.cluster !== undefined).at")
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + ring["x"], box["y"] + ring["y"])
    page.wait_for_function("() => map_day.getZoom() > 12")
    page.evaluate("() => map_day.setView([60.17, 24.95], 17, { animate: false })")
    page.locator("[data-part=view] summary").click()
    page.get_by_role("button", name="List the customers in view").click()
    expect(page.locator("[data-in-view] li").first).to_be_visible()
    for one in crowd[:3]:
        page.evaluate(f"() => map_day.setView([{one.lat}, {one.lon}], 18, {{ animate: false }})")
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".leaflet-popup .popup-customer bdi")).to_have_text([one.name])
        page.keyboard.press("Escape")
    assert page.locator("[data-in-view] img, [data-in-view] script").count() == 0
    assert page.evaluate("() => window.__ran") is None
    assert watched.errors == []


def test_a_territory_is_drawn_and_changed_with_a_thumb(opened: Opened, tmp_path: Path) -> None:
    office = MapOffice(tmp_path)
    watched = opened(office, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = watched.page
    page.locator("[data-part=territories] summary").tap()
    page.get_by_role("button", name="Draw a territory").tap()
    expect(page.get_by_text("Tap one corner after the other")).to_be_visible()
    box = page.locator(".cover-map").bounding_box()
    assert box is not None
    corners = ((140, 60), (340, 60), (340, 220), (70, 260), (150, 220))
    for x, y in corners:
        page.touchscreen.tap(box["x"] + x, box["y"] + y)
        if (x, y) == (70, 260):
            page.get_by_role("button", name="Undo").tap()
    page.get_by_role("button", name="Finish").tap()
    page.get_by_label("Name").fill("The <b>new</b> one")
    page.locator("#draw-rep").select_option("b/1")
    page.get_by_role("button", name="Save").tap()
    expect(page.locator(".shade-table tbody tr")).to_have_count(3)
    with office.store.read() as unit:
        made = next(one for one in unit.territories.find() if one.id not in ("east", "west"))
    assert (made.name, made.rep_id) == ("The <b>new</b> one", "b/1")
    assert len(made.geometry["coordinates"][0]) == 5
    page.locator(".shade-table").get_by_role("button", name="The west").tap()
    page.get_by_role("button", name="Change its shape").tap()
    expect(page.get_by_text("Move the corners")).to_be_visible()
    corner = page.locator(".marker-icon:not(.marker-icon-middle)").first.bounding_box()
    assert corner is not None
    x, y = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    drag(page, x, y, x - 20, y + 15)
    page.get_by_role("button", name="Save the shape").tap()
    expect(page.locator("[data-draw-bar]")).to_be_hidden()
    with office.store.read() as unit:
        changed = unit.territories.get("helsinki", "west")
    assert changed is not None
    assert changed.revision == 2
    assert watched.errors == []


def test_a_shape_that_cannot_be_is_said_to_be_and_stays_on_the_map(opened: Opened, tmp_path: Path) -> None:
    office = MapOffice(tmp_path)
    watched = opened(office, viewport={"width": 1280, "height": 800})
    page = watched.page
    page.locator("[data-part=territories] summary").click()
    page.get_by_role("button", name="Draw a territory").click()
    expect(page.locator("[data-draw-said]")).to_contain_text("one corner after the other")
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    for x, y in ((300, 200), (500, 200), (500, 400)):
        page.mouse.click(box["x"] + x, box["y"] + y)
    page.get_by_role("button", name="Finish").click()
    page.get_by_label("Name").fill("Ours")
    with office.store.write(audited=False) as unit:
        unit.sessions.remove(office.viewer.session.id if office.viewer and office.viewer.session else "")
    page.evaluate("() => { document.querySelector('meta[name=csrf]').content = 'old'; }")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-draw-wrong]")).to_contain_text("too old to be sent")
    expect(page.locator("path.is-chosen")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("path.is-chosen")).to_have_count(0)


def test_everybody_can_use_the_map_with_all_its_layers(opened: Opened, tmp_path: Path) -> None:
    watched = opened(MapOffice(tmp_path), "#measure=overdue_share&base=ann&white=all")
    expect(watched.page.locator("path.reach")).to_have_count(4)
    expect(watched.page.locator("path.territory")).to_have_count(2)
    expect(watched.page.locator("[data-count=white]")).to_have_text("0")
    unfold(watched.page)
    assert problems(watched.page) == []
    assert watched.errors == []


def test_without_scripts_a_sentence_leads_to_the_figures(
    serve: Serve, watch: Callable[..., Watched], tmp_path: Path
) -> None:
    page = watch(java_script_enabled=False).page
    page.goto(serve(MapOffice(tmp_path).app) + MAP)
    expect(page.get_by_text("The map needs JavaScript.")).to_be_visible()
    expect(page.get_by_role("link", name="The figures", exact=True)).to_be_visible()
    assert not page.locator("[data-tools]").is_visible()


def test_new_figures_take_the_place_of_old_ones_when_somebody_clicks(opened: Opened, tmp_path: Path) -> None:
    office = MapOffice(tmp_path)
    page = opened(office, viewport={"width": 1280, "height": 800}).page
    before = counts(page)
    late = [replace(one, state=CoverageState.OVERDUE) for one in customers() if one.lat is not None]
    office.cover(covered(late), TODAY + timedelta(days=1))
    page.locator("[data-part=view] summary").click()
    page.get_by_role("button", name="List the customers in view").click()
    expect(page.locator("[data-count=overdue]")).to_have_text(str(len(late)))
    assert counts(page) != before
