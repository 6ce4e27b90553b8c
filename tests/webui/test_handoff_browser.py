"""Handing off in a real browser: the gate is ticked off as somebody types, and nothing typed is lost or run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from booking_cast import AREA, INES, CallOffice
from conftest import Serve, Watched
from hostile import HOSTILE
from plan_cast import viewer
from playwright.sync_api import Page, expect

from planner.access import Role

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
LIST, NEW, RULES = f"/a/{AREA}/handoffs", f"/a/{AREA}/opportunity/new", f"/a/{AREA}/team-rules"
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona")
NASTY = "".join(text for text in HOSTILE if "\0" not in text and "\n" not in text and "\r" not in text)

Watch = Callable[..., Watched]

expect.set_options(timeout=20_000)


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def fill(page: Page, **typed: str) -> None:
    for name, text in typed.items():
        field = page.locator(f"#{name}")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)


def handed_off(page: Page, base: str, name: str = "Pelican Inn") -> None:
    page.goto(base + NEW)
    fill(page, name=name, street="5 Church Road", city="Toytown", need="yes", budget="yes", timeline="this quarter")
    page.get_by_role("button", name="Hand off…").click()
    page.get_by_role("button", name="Hand it off").click()
    expect(page.get_by_role("heading", name="Waits for the field’s answer")).to_be_visible()


def test_the_gate_is_ticked_off_while_somebody_types_and_the_address_is_completed(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    watched = watch(viewport=DESK)
    page, base = watched.page, serve(office.app)
    page.goto(base + NEW)
    expect(page.locator("#name")).to_be_focused()
    missing = page.locator(".gate-check:not(.is-met)")
    expect(missing).to_have_count(2)
    fill(page, need="yes", budget="yes")
    expect(missing).to_have_count(1)
    expect(page.locator("[data-count]")).to_have_text("1")
    fill(page, timeline="no")
    expect(missing).to_have_count(1)
    fill(page, timeline="next month", name="Pelican Inn")
    expect(page.locator("[data-verdict]")).to_have_text("All that is asked for is there.")
    page.locator("#street").press_sequentially("5 church")
    expect(page.locator("#addresses li")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#city")).to_have_value("Toytown")
    page.locator("#street").press("Enter")  # as every form is sent
    expect(page.get_by_text("It fits:")).to_be_visible()
    page.get_by_role("button", name="Back to the form").click()
    expect(page.locator("#timeline")).to_have_value("next month")
    assert watched.errors == []
    assert watched.hosts() == {base}


def test_without_scripts_an_opportunity_is_handed_off_all_the_same(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    page = watch(viewport=PHONE, java_script_enabled=False).page
    handed_off(page, serve(office.app))


def test_hostile_texts_run_nothing_and_come_back_as_they_were_typed(
    office: CallOffice, serve: Serve, watch: Watch
) -> None:
    watched = watch(viewport=DESK)
    page, base = watched.page, serve(office.app)
    page.goto(base + NEW)
    fill(page, name=NASTY[:200], contact_name=NASTY[200:400], product=NASTY[400:600], need_by=NASTY[600:800],
         timeline=NASTY[800:1000], notes=NASTY[:15_000], street=NASTY[1000:1500], need="yes", budget="yes",
         availability=NASTY[1500:2400])  # fmt: skip
    page.get_by_role("button", name="Hand off…").click()
    expect(page.get_by_role("alert")).to_contain_text("write it like Mo-Fr 09:00-17:00")
    assert page.locator("#name").input_value() == NASTY[:200]
    assert page.locator("#notes").input_value() == NASTY[:15_000]
    fill(page, availability="")
    page.get_by_role("button", name="Hand off…").click()
    page.get_by_role("button", name="Hand it off").click()
    expect(page.get_by_role("heading", name="Waits for the field’s answer")).to_be_visible()
    office.viewer = MONA
    for address in (page.url, base + LIST):
        page.goto(address)
        assert page.evaluate("window.__ran") is None
    page.goto(base + RULES)
    page.get_by_text("Change it").first.click()
    fill(page, **{"name-1": NASTY[:200], "products-1": NASTY[200:380]})
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert page.evaluate("window.__ran") is None
    assert [said for said in watched.errors if "422" not in said] == []
    assert watched.hosts() == {base}


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["390 dark", "1280"])
def test_no_page_about_handoffs_scrolls_sideways_or_complains(
    office: CallOffice, serve: Serve, watch: Watch, size: dict[str, int], scheme: str
) -> None:
    base = serve(office.app)
    watched = watch(viewport=size, color_scheme=scheme)
    page = watched.page
    office.viewer = INES
    handed_off(page, base, "Long" * 40)
    deal = page.url
    page.goto(base + NEW)
    fill(page, name="Long" * 40, street="5 Church Road", city="Toytown", need="yes", budget="yes", timeline="soon")
    page.get_by_role("button", name="Hand off…").click()
    expect(page.get_by_role("heading", name="Is it one of these?")).to_be_visible()
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    office.viewer = MONA
    for address in (deal, base + LIST, base + NEW, base + RULES):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details:not(.who)').forEach(node => node.open = true)")
        assert page.evaluate(wide) == 0, address
    assert watched.errors == []
