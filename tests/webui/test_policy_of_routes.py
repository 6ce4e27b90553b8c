"""Every route says who may call it, and nobody else gets in."""

from __future__ import annotations

from pathlib import Path

import pytest
from company_cast import Company, calls
from flask import Flask
from plan_cast import text_of

from planner.access import PERMISSIONS, Permission, Role
from webui.errors import WebError
from webui.policy import allow, any_host, enforce, policy_of, public, signed_in

PUBLIC = {"assets.serve", "login.login", "login.log_in_by_password", "login.log_in_by_code", "login.setup",
          "login.set_up", "login.invitation", "login.accept", "sign_on.begin", "sign_on.back",
          "field_app.manifest", "field_app.service_worker", "feeds.calendar"}  # fmt: skip
"""Of ours; what watches over the installation and describes the API may be public too."""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_an_app_with_a_route_without_a_policy_does_not_start() -> None:
    app = Flask("x", static_folder=None)
    app.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(WebError, match=r"the route /open \(open\) declares no policy"):
        enforce(app, lambda: None)


def test_flask_s_own_static_route_would_be_noticed_too() -> None:
    with pytest.raises(WebError, match="static"):
        enforce(Flask("x"), lambda: None)


def test_a_route_that_is_added_later_is_closed() -> None:
    app = Flask("x", static_folder=None)
    enforce(app, lambda: None)
    app.view_functions["late"] = lambda: "secret"
    app.url_map.add(app.url_rule_class("/late", endpoint="late"))
    assert app.test_client().get("/late").status_code in (401, 403)


def test_allow_names_at_least_one_permission() -> None:
    with pytest.raises(WebError):
        allow()
    with pytest.raises(WebError):
        any_host(lambda: "")


def test_any_host_keeps_the_policy_that_it_stands_above() -> None:
    assert policy_of(any_host(signed_in(lambda: ""))) != policy_of(any_host(public(lambda: "")))


def test_what_is_public_is_a_short_list(company: Company) -> None:
    views = company.app.view_functions
    found = {name for name, view in views.items() if (policy := policy_of(view)) is not None and policy.anybody}
    assert found >= PUBLIC
    others = {name.partition(".")[0] for name in found - PUBLIC}
    assert others <= {"health", "api", "operating"}, found - PUBLIC


def test_nobody_gets_anything_but_public_pages(company: Company) -> None:
    client = company.browser().client
    for call in calls(company.app, user_id=company.ann.id):
        if call.policy.anybody:
            continue
        answer = client.open(call.address, method=call.method)
        if call.address.startswith("/api/") or call.policy.any_host:
            assert answer.status_code == 401, call
        else:
            assert answer.status_code == 303, call
            assert answer.headers["Location"].startswith("/login"), call


@pytest.mark.parametrize("role", ["mona", "ann", "ines"])
def test_only_admins_see_people_and_the_audit_log(company: Company, role: str) -> None:
    who = getattr(company, role)
    browser = company.browser(who)
    for address in ("/people", f"/people/{company.adele.id}", "/audit"):
        assert "Your role does not include it" in browser.text(address, 403)
    for action in ("disable", "enable", "link", "second-factor/remove", "sessions/end"):
        assert browser.send(f"/people/{company.adele.id}/{action}").status_code == 403
    assert browser.send("/people", name="x", email="x@example.com", role="admin").status_code == 403
    assert not company.stored(company.adele).disabled
    assert company.browser(company.adele).is_in()
    menu = text_of(browser.page("/account"))
    assert "Audit log" not in menu
    assert "Log out" in menu


def test_a_token_may_do_of_its_owner_s_permissions_only_its_own(company: Company) -> None:
    client = company.browser()
    admin, reader = (company.token(company.adele, wanted) for wanted in (Permission.ADMINISTER, Permission.SEE_DAYS))
    assert client.get("/people", headers=admin).status_code == 200
    assert client.get("/people", headers=reader).status_code == 403


def test_a_token_loses_what_its_owner_loses(company: Company) -> None:
    header = company.token(company.adele, Permission.ADMINISTER)
    company.person("olga", Role.ADMIN)
    company.browser(company.adele).send(
        f"/people/{company.adele.id}", name="Adele", email="adele@example.com", role="manager", area=""
    )
    assert Permission.ADMINISTER not in PERMISSIONS[company.stored(company.adele).role]
    assert company.browser().get("/people", headers=header).status_code == 403


def test_a_token_cannot_touch_what_its_owner_logs_in_with(company: Company) -> None:
    header = company.token(company.adele, *PERMISSIONS[Role.ADMIN])
    client = company.browser().client
    assert client.get("/account", headers=header).status_code == 403
    for address in ("password", "tokens", "second-factor", "second-factor/remove", "recovery-codes"):
        assert client.post(f"/account/{address}", headers=header).status_code == 403
