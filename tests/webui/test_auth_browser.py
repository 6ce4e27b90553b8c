"""Logging in as a person does it, in a browser, on a phone and on a desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from company_cast import PASSWORD, Company
from conftest import Serve, Watched
from playwright.sync_api import Page, expect

from planner.people.keys import setup_code

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
Watch = Callable[..., Watched]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def is_no_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_in_with_the_second_mistyped_password_round_the_pages_and_out_again(
    company: Company, serve: Serve, watch: Watch, size: dict[str, int]
) -> None:
    watched = watch(viewport=size)
    page, base = watched.page, serve(company.app)
    page.goto(f"{base}/people")
    log_in(page, "adele@example.com", "not my password")
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    assert is_no_wider_than_the_screen(page)
    expect(page.get_by_label("E-mail address")).to_have_value("adele@example.com")
    log_in(page, "adele@example.com")
    page.wait_for_url(f"{base}/people")
    for address in ("/people", f"/people/{company.ann.id}", "/audit", "/account", "/account/second-factor", "/nowhere"):
        page.goto(base + address)
        page.locator("details").evaluate_all("nodes => nodes.forEach(node => node.open = true)")
        assert is_no_wider_than_the_screen(page), address
    page.goto(base + "/account")
    page.locator(".who > summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{base}/login")
    page.goto(f"{base}/account")
    expect(page).to_have_url(re.compile("/login"))
    assert [said for said in watched.errors if "404" not in said and "422" not in said] == []
    assert watched.hosts() == {base}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_a_second_factor_is_set_up_and_asked_for(
    company: Company, serve: Serve, watch: Watch, size: dict[str, int]
) -> None:
    watched = watch(viewport=size)
    page, base = watched.page, serve(company.app)
    page.goto(f"{base}/account")
    log_in(page, "mona@example.com")
    page.get_by_role("link", name="Set it up").click()
    picture = page.locator(".qr svg").bounding_box()
    assert picture is not None
    assert picture["width"] > 190
    page.get_by_text("Or type it in").click()
    phone = pyotp.TOTP((page.locator(".secret").text_content() or "").replace(" ", ""))
    page.get_by_label("Code").fill(phone.at(company.clock()))
    page.get_by_label("Your password, to confirm").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    assert is_no_wider_than_the_screen(page)
    page.locator(".who > summary").click()
    page.get_by_role("button", name="Log out").click()
    log_in(page, "mona@example.com")
    company.clock.pass_(minutes=1)
    page.get_by_label("Code from your authenticator app").fill(phone.at(company.clock()))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(f"{base}/")
    assert watched.errors == []


def test_the_first_admin_begins_at_the_address_that_serve_prints(tmp_path: Path, serve: Serve, watch: Watch) -> None:
    company = Company(tmp_path, empty=True)
    watched = watch(viewport=PHONE, java_script_enabled=False)
    page, base = watched.page, serve(company.app)
    page.goto(base)
    expect(page).to_have_url(f"{base}/setup")
    page.goto(f"{base}/setup?code={setup_code(company.keys)}")
    page.get_by_label("Your name").fill("First")
    page.get_by_label("E-mail address").fill("first@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(f"{base}/")
    expect(page.locator(".who")).to_contain_text("First")


def test_another_site_s_form_does_nothing_here(company: Company, serve: Serve, watch: Watch, tmp_path: Path) -> None:
    """A page of another origin posts here with the person's own cookies, as far as the browser lets it."""
    watched = watch(viewport=DESK)
    page, base = watched.page, serve(company.app)
    page.goto(f"{base}/login")
    log_in(page, "adele@example.com")
    page.wait_for_url(f"{base}/")
    here = page.context.cookies()[0]["value"]
    page.context.add_cookies(
        [{"name": "fieldvisit", "value": here, "domain": "127.0.0.1", "path": "/", "sameSite": "Lax"}]
    )
    elsewhere = base.replace("127.0.0.1", "localhost")
    page.route(
        f"{elsewhere}/evil",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{base}/people/{company.ann.id}/disable"><button>Win</button></form>',
        ),
    )
    page.goto(f"{elsewhere}/evil")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Win").click()
    assert answer.value.status in (303, 403)
    assert not company.stored(company.ann).disabled
