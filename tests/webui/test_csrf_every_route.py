"""No other site can have a browser write here: every unsafe route, taken from the URL map, asks for proof."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from company_cast import HTTPS, Browser, Company, calls

from planner.access import Permission

SAFE = ("GET", "HEAD", "OPTIONS")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def unsafe_routes(company: Company) -> list[tuple[str, str]]:
    """Method and address of every route that may write."""
    return [
        (call.method, call.address) for call in calls(company.app, user_id=company.ann.id) if call.method not in SAFE
    ]


def state(company: Company) -> tuple[Any, ...]:
    """All that a write could have changed."""
    with company.store.read() as unit:
        return len(unit.audit_log.entries()), unit.users.find(), unit.tokens.find(), len(unit.sessions.find())


def test_no_unsafe_route_does_anything_without_the_token(company: Company) -> None:
    browser = company.browser(company.adele)
    before, routes = state(company), unsafe_routes(company)
    assert len(routes) > 15
    for method, address in routes:
        for sent in ({}, {"csrf": "é"}):
            answer = browser.client.open(address, method=method, data=sent, base_url=browser.base)
            assert answer.status_code in (400, 403), (method, address, answer.status_code)
        answer = browser.client.open(
            address, method=method, json={}, headers={"X-CSRF-Token": "wrong"}, base_url=browser.base
        )
        assert answer.status_code in (400, 403), (method, address)
    assert state(company) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_another_site_sends_is_refused_even_with_the_right_token(
    company: Company, headers: dict[str, str]
) -> None:
    browser, address = company.browser(company.adele), f"/people/{company.ann.id}/disable"
    answer = browser.client.post(address, data={"csrf": browser.csrf}, headers=headers, base_url=browser.base)
    assert answer.status_code == 403
    assert not company.stored(company.ann).disabled


def test_no_unsafe_route_takes_the_right_token_from_another_site(company: Company) -> None:
    browser = company.browser(company.adele)
    before, headers = state(company), {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for method, address in unsafe_routes(company):
        sent = {"csrf": browser.csrf}
        answer = browser.client.open(address, method=method, data=sent, headers=headers, base_url=browser.base)
        assert answer.status_code in (400, 403), (method, address, answer.status_code)
    assert state(company) == before


def test_behind_a_proxy_only_the_public_address_may_send(tmp_path: Path) -> None:
    company = Company(tmp_path, web=HTTPS)
    browser = company.browser(company.adele)
    address, sent = f"/people/{company.ann.id}/disable", {"csrf": browser.csrf}
    for origin in ("http://visits.example.com", "https://visits.example.com:8443", "https://other.example.com"):
        answer = browser.client.post(address, data=sent, headers={"Origin": origin}, base_url=browser.base)
        assert answer.status_code == 403
    assert not company.stored(company.ann).disabled
    assert browser.send(f"/people/{company.ann.id}/disable").status_code == 303
    assert company.stored(company.ann).disabled


def test_the_token_may_be_in_a_header(company: Company) -> None:
    browser = company.browser(company.adele)
    headers = {"X-CSRF-Token": browser.csrf}
    answer = browser.client.post(f"/people/{company.ann.id}/disable", headers=headers, base_url=browser.base)
    assert answer.status_code == 303
    assert f'<meta name="csrf" content="{browser.csrf}">' in browser.page("/account")


def test_the_token_of_one_session_is_no_good_in_another(company: Company) -> None:
    adele, mona = company.browser(company.adele), company.browser(company.mona)
    assert adele.post("/logout", csrf=mona.csrf).status_code == 403
    assert adele.is_in()


def test_nobody_can_be_logged_in_by_another_site_s_form(company: Company) -> None:
    """Or they would work in an account that is somebody else's."""
    fields = {"email": "adele@example.com", "password": "five quiet herons", "next": "/"}
    stranger = company.browser()
    assert stranger.post("/login", **fields).status_code == 403
    assert stranger.post("/login", csrf="", **fields).status_code == 403
    token = re.search(r'name="csrf" value="([^"]+)"', company.browser().page("/login"))
    assert token is not None
    assert stranger.post("/login", csrf=token[1], **fields).status_code == 403
    assert company.sessions() == 0


def test_a_program_with_a_token_needs_none(company: Company) -> None:
    """No browser sends an Authorization header on another page's behalf."""
    header = company.token(company.adele, Permission.ADMINISTER)
    answer = company.browser().client.post(f"/people/{company.ann.id}/disable", headers=header)
    assert answer.status_code == 303


def test_a_request_with_both_a_cookie_and_a_token_is_the_program_s(company: Company) -> None:
    browser: Browser = company.browser(company.adele)
    header = company.token(company.mona, Permission.SEE_TEAM)
    sent = {"csrf": browser.csrf}
    address = f"/people/{company.ann.id}/disable"
    assert browser.client.post(address, data=sent, headers=header).status_code == 403
    assert browser.client.post(address, data=sent, headers={"Authorization": "Bearer no"}).status_code == 401
    assert browser.client.post(address, data=sent, headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert not company.stored(company.ann).disabled


def test_every_form_that_writes_carries_the_token(company: Company) -> None:
    adele = company.browser(company.adele)
    person = f"/people/{company.ann.id}"
    for address in ("/account", "/account/second-factor", "/people", person, "/audit", "/nowhere"):
        page = adele.get(address).text
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        assert forms
        for form in forms:
            assert form.count(f'name="csrf" value="{adele.csrf}"') == 1
    for form in re.findall(r'<form[^>]*method="get".*?</form>', adele.page("/audit"), re.DOTALL):
        assert "csrf" not in form
