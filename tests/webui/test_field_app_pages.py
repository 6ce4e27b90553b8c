"""The phone app's page, service worker and manifest: what they may do, whom they let in, and what a phone keeps."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from company_cast import HTTPS, Browser, Company
from phone_cast import APP

from planner.access import Role
from webui.assets import STATIC
from webui.pages import field_app


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("company"))


@pytest.fixture
def ann(company: Company) -> Browser:
    return company.browser(company.ann)


def worker(browser: Browser) -> dict[str, Any]:
    """What the service worker is told."""
    first, _, _ = browser.get("/field/sw.js").get_data(as_text=True).partition("\n")
    told: dict[str, Any] = json.loads(first.removeprefix("const SETUP = ").removesuffix(";"))
    return told


def test_only_who_reports_has_the_app(company: Company) -> None:
    assert company.browser(company.ann).get(APP).status_code == 200
    assert company.browser(company.mona).get(APP).status_code == 200
    assert company.browser(company.ines).get(APP).status_code == 403
    assert company.browser().get(APP).headers["Location"] == "/login?next=/field/helsinki/"
    assert company.browser(company.ann).get("/field/turku/").status_code == 404


def test_the_bar_at_the_top_leads_there(company: Company) -> None:
    assert f'<a href="{APP}">My day</a>' in company.browser(company.mona).page("/a/helsinki/handoffs")
    assert "My day" not in company.browser(company.ines).page("/a/helsinki/handoffs")


def test_without_an_area_in_the_address_it_is_the_first_that_is_seen(company: Company, ann: Browser) -> None:
    assert ann.get("/field/").headers["Location"] == APP


def test_the_page_names_nobody_so_that_the_phone_may_keep_it(ann: Browser) -> None:
    page = ann.page(APP)
    assert "Ann" not in page
    assert "ann@example.com" not in page
    assert "csrf" not in page


def test_only_this_page_may_ask_for_a_position_and_no_script_runs_but_ours(ann: Browser) -> None:
    answer = ann.get(APP)
    assert "geolocation=(self)" in answer.headers["Permissions-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'self' 'nonce-([\w-]+)';", policy)
    assert nonce is not None
    assert "worker-src 'self'" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script([^>]*)>", answer.get_data(as_text=True))
    assert scripts
    for attributes in scripts:
        ours = 'src="/static/' in attributes or "application/json" in attributes or f'nonce="{nonce[1]}"' in attributes
        assert ours, attributes
    assert not re.search(r"\sstyle=|<style|\son\w+=", answer.get_data(as_text=True))
    assert "geolocation=()" in ann.get("/account").headers["Permissions-Policy"]


def test_all_that_the_page_can_ask_for_is_kept_by_the_phone(ann: Browser) -> None:
    page, kept = ann.page(APP), set(worker(ann)["keeps"])
    named = {name.replace("&amp;", "&") for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', page)}
    mapped = set(json.loads(re.search(r'type="importmap"[^>]*>(.*?)</script>', page)[1])["imports"].values())  # type: ignore[index]
    assert named | mapped <= kept
    modules = {file.relative_to(STATIC).as_posix() for file in (STATIC / "field").rglob("*.js")}
    apart = {"field/sw.js", "field/leave.js"}
    assert modules - apart <= {address.removeprefix("/static/").partition("?")[0] for address in kept}


def test_all_that_is_kept_is_there_and_may_be_kept_for_ever(ann: Browser) -> None:
    for address in worker(ann)["keeps"]:
        answer = ann.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"] or "/images/" in address


def test_bare_names_of_our_modules_are_in_the_import_map() -> None:
    known = field_app.imports()
    for file in (STATIC / "field").rglob("*.js"):
        for name in re.findall(r'^import .*?from "([^"]+)";|^import "([^"]+)";', file.read_text("utf-8"), re.M):
            assert "".join(name) in known, file.name


def test_the_worker_is_for_everybody_and_is_looked_at_again_each_time(company: Company) -> None:
    answer = company.browser().get("/field/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert worker(company.browser())["version"] == field_app.version()


def test_page_and_worker_are_of_one_version_which_changes_with_any_file(
    ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ann.get(APP).headers["X-Field-Version"]
    assert before == worker(ann)["version"]
    monkeypatch.setattr(field_app, "STYLES", (*field_app.STYLES, "booking.css"))
    assert ann.get(APP).headers["X-Field-Version"] not in ("", before)


def test_the_manifest_opens_the_area_and_names_icons_of_the_size_that_they_are(ann: Browser) -> None:
    page = ann.page(APP)
    named = re.search(r'rel="manifest" href="([^"]+)"', page)
    assert named is not None
    told = ann.get(named[1]).get_json(force=True)
    assert told["start_url"] == APP
    assert told["scope"] == told["id"] == "/field/"
    assert told["display"] == "standalone"
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    for icon in told["icons"]:
        picture = ann.get(icon["src"]).data
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 20_000
        assert "{}x{}".format(*struct.unpack(">II", picture[16:24])) == icon["sizes"]


@pytest.mark.parametrize("area", ["", "//evil.example", "../account", "a b", "A" * 200, "%00"])
def test_the_manifest_opens_nothing_but_the_app(company: Company, area: str) -> None:
    told = company.browser().get("/field/manifest.webmanifest", query_string={"area": area}).get_json(force=True)
    assert told["start_url"] == "/field/"


def test_who_is_logged_in_is_told_with_their_reps_and_stored_nowhere(company: Company, ann: Browser) -> None:
    answer = ann.get(f"{APP}identity.json")
    assert answer.get_json()["user"] == {"id": company.ann.id, "name": "Ann"}
    assert answer.get_json()["csrf"] == ann.csrf
    assert answer.get_json()["areas"] == ["helsinki"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_logging_in_says_whose_phone_it_is_and_logging_out_that_it_is_nobody_s(company: Company) -> None:
    browser = company.browser()
    browser.log_in("ann@example.com")
    assert browser.cookie("fieldvisit-who") == company.ann.id
    browser.log_in("ines@example.com")
    assert browser.cookie("fieldvisit-who") == company.ines.id
    browser.open_and_send("/account", "/logout")
    assert browser.cookie("fieldvisit-who") is None


def test_whose_phone_it_is_opens_no_door(tmp_path: Path) -> None:
    company = Company(tmp_path, web=HTTPS)
    browser = company.browser()
    browser.take("fieldvisit-who", company.person("olga", Role.ADMIN).id)
    assert browser.get("/people").status_code == 303


def test_of_the_cookies_scripts_read_only_whose_phone_it_is(company: Company) -> None:
    set_ = company.browser().log_in("ann@example.com").headers.getlist("Set-Cookie")
    readable = [cookie.partition("=")[0] for cookie in set_ if "HttpOnly" not in cookie]
    assert readable == ["fieldvisit-who"]
