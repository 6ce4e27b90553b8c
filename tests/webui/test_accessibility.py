"""Everybody can use every page: also by ear, by keyboard, with a thumb, and in the dark.

The pages of the phone app have tests of their own, with the same questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from accessibility import PHONE, problems, unfold
from booking_cast import BOOK, CallOffice
from company_cast import NOON, PASSWORD, Company
from conftest import Serve
from flask import Flask, template_rendered
from hostile_cast import House
from plan_cast import plan
from playwright.sync_api import Browser, Page

from planner.repository import StoredPlan

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEMPLATES = Path(__file__).parents[2] / "webui" / "templates"
NAMES = ["Bäckerei Brotzeit & Söhne", "Ann", "Niederlassung Rindfleischetikettierungsüberwachung Süd"]
PHONE_APP = {"field.html"}
OF_FORMS = {
    "areas.html", "feed.html", "invitation.html", "link.html", "login.html", "login_code.html", "message.html",
    "recovery_codes.html", "token.html",
}  # fmt: skip
OF_NOBODY = {"setup.html"}
TOLD_APART = ("pages.week", "handoffs.handoffs")
"""Pages that each role sees in another way."""


class Seen:
    """The templates that were rendered, and what was wrong with the pages that came of them."""

    def __init__(self) -> None:
        self.templates: set[str] = set()
        self.problems: list[str] = []

    def note(self, _: Flask, template: object, **more: object) -> None:
        self.templates.add(getattr(template, "name", ""))

    def look(self, page: Page, what: str) -> None:
        """Judge the page that is open."""
        unfold(page)
        if page.locator(".day-map .stop").count():
            page.locator(".stops-title").first.click()  # opens the popup on the map
        self.problems += [f"{what}: {said}" for said in problems(page)]


def pages_there_are() -> set[str]:
    """The templates that are whole pages."""
    begin = ('{% extends "base.html" %}', "<!doctype html>")
    return {file.name for file in TEMPLATES.glob("*.html") if file.read_text("utf-8").startswith(begin)} - {"base.html"}


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Asks in the end that nothing was wrong."""
    made = Seen()
    with template_rendered.connected_to(made.note):
        yield made
    assert not made.problems, "\n".join(made.problems)


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens a phone for somebody, by the secret of their session."""
    contexts = []

    def phone(base: str, secret: str = "") -> Page:
        contexts.append(context := browser.new_context(viewport=PHONE, reduced_motion="reduce"))
        if secret:
            context.add_cookies([{"name": "fieldvisit", "value": secret, "url": base}])
        page: Page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    yield phone
    for context in contexts:
        context.close()


def press(page: Page, name: str, form: str = "main form") -> None:
    """Press a button that sends a form, wherever it is folded away, and wait for the page that answers."""
    unfold(page)
    with page.expect_navigation():
        page.locator(form).get_by_role("button", name=name).first.click()


def test_everybody_can_use_the_pages_that_they_are_led_to(
    seen: Seen, serve: Serve, opened: Opened, tmp_path: Path
) -> None:
    """Every page but those of the other tests here, for somebody of each role."""
    house = House(tmp_path, NAMES)
    base = serve(house.app)
    done = {endpoint for endpoint in house.app.view_functions if endpoint.startswith("field_app.")}
    for name in ("adele", "rita", "ines"):
        page = opened(base, house.secrets[name])
        pages = house.pages(name, most=1)
        for endpoint, (address, *_) in pages.items():
            if endpoint not in done or endpoint in TOLD_APART:
                page.goto(base + address)
                seen.look(page, f"{endpoint} for {name}")
                done.add(endpoint)
        if name == "adele":
            page.goto(f"{base}/a/helsinki/customer?id={NAMES[1]}")
            seen.look(page, "a customer")
            page.locator(".who > summary").click()
            seen.look(page, "the menu")
            page.goto(f"{base}/a/helsinki/planning")
            press(page, "Publish plan 2")
            seen.look(page, "publishing")
        if name == "rita":
            page.goto(base + pages["pages.rep_day"][0])
            page.evaluate("document.querySelector('.day-note [name=revision]').value = 0")
            page.locator("#note-text").evaluate("node => node.value = 'Mine'")
            press(page, "Save the note")
            seen.look(page, "a note that two have written")
        if name == "ines":
            page.goto(f"{base}/a/helsinki/opportunity/new")
            press(page, "Hand off")
            seen.look(page, "a form that says what is wrong")
            page.get_by_label("Company").fill(NAMES[0])
            page.get_by_role("combobox", name="Address").fill("Unioninkatu 1")
            for answer in ("need", "budget", "authority"):
                page.locator(f"#{answer}").select_option("yes")
            press(page, "Hand off")
            seen.look(page, "before a handoff")
    elsewhere = PHONE_APP | OF_FORMS | OF_NOBODY
    assert pages_there_are() - elsewhere - seen.templates == set(), "open these pages in a step of one of these tests"


def test_everybody_can_use_the_pages_that_answer_forms(
    seen: Seen, serve: Serve, opened: Opened, tmp_path: Path
) -> None:
    company = Company(tmp_path)
    base = serve(company.app)
    page = opened(base, company.browser(company.adele).cookie("fieldvisit"))
    page.goto(base)
    seen.look(page, "areas")
    page.goto(f"{base}/nowhere")
    seen.look(page, "what is not there")
    page.goto(f"{base}/account")
    unfold(page)
    page.get_by_label("What is it for?").fill("The warehouse")
    page.locator("input[name=permission]").first.check()
    page.locator("#confirm-token").fill(PASSWORD)
    press(page, "Make it", "form:has(#confirm-token)")
    seen.look(page, "a token")
    page.goto(f"{base}/account/second-factor")
    unfold(page)
    secret = re.sub(r"\s", "", page.locator(".secret").inner_text())
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(company.clock()))
    page.locator("#confirm").fill(PASSWORD)
    press(page, "Turn it on")
    seen.look(page, "recovery codes")
    for days, published in ((5, NOON), (4, None)):
        with company.store.write(audited=False) as unit:
            made = StoredPlan(0, "helsinki", NOON.date(), days, NOON, published, 0, 0, 0, plan([]))
            unit.plans("helsinki").add(made)
    page.goto(f"{base}/a/helsinki/planning")
    press(page, "Publish plan 2")
    seen.look(page, "a plan with fewer days")
    rep = opened(base, company.browser(company.ann).cookie("fieldvisit"))
    rep.goto(f"{base}/account")
    unfold(rep)
    rep.locator("#confirm-feed").fill(PASSWORD)
    press(rep, "Make it", "form:has(#confirm-feed)")
    seen.look(rep, "a calendar's address")
    page.goto(f"{base}/people/{company.ann.id}")
    press(page, "Reset, and make a link")
    seen.look(page, "a link")
    invitation = re.sub(r"^https?://[^/]+", base, page.locator(".secret").inner_text())
    stranger = opened(base)
    stranger.goto(invitation)
    seen.look(stranger, "an invitation")
    stranger.goto(f"{base}/login")
    seen.look(stranger, "logging in")
    company.with_phone(company.mona)
    stranger.get_by_label("E-mail address").fill(company.mona.email)
    stranger.get_by_label("Password").fill(PASSWORD)
    press(stranger, "Log in")
    seen.look(stranger, "the second step")
    assert seen.templates >= OF_FORMS


def test_the_first_admin_can_use_the_page_that_makes_them(
    seen: Seen, serve: Serve, opened: Opened, tmp_path: Path
) -> None:
    base = serve(Company(tmp_path, empty=True).app)
    page = opened(base)
    page.goto(f"{base}/setup")
    seen.look(page, "the first admin")
    assert seen.templates >= OF_NOBODY


def test_everybody_can_use_the_pages_of_a_call(seen: Seen, serve: Serve, opened: Opened, tmp_path: Path) -> None:
    """With times on it, a time that is held, and one that is promised."""
    base = serve(CallOffice(tmp_path).app)
    page = opened(base)
    page.goto(f"{base}{BOOK}?address=7+Mill+Lane&minutes=60")
    seen.look(page, "times")
    page.get_by_role("button", name="Show the map").click()
    page.get_by_role("button", name="Week", exact=True).click()
    seen.look(page, "times in a week")
    page.get_by_role("button", name="List", exact=True).click()
    with page.expect_navigation():
        page.locator(".best button.slot").first.click()
    seen.look(page, "a time that is held")
    page.get_by_label("Company").fill(NAMES[0])
    press(page, "Confirm")
    seen.look(page, "a promise")
