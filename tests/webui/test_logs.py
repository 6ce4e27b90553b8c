"""Every request has a name and a line in the log; no secret and no text of a visitor's gets into it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from company_cast import HTTPS, PASSWORD, Company

from planner.access import Permission
from planner.errors import StorageError, StorageUnavailableError
from planner.observing import set_up_logging
from planner.people.keys import setup_code
from planner.settings import WebSettings


class Log:
    """What was logged, as JSON lines."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        set_up_logging(True, self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Log()
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def test_a_request_is_one_line_with_its_route_and_who_it_was(tmp_path: Path, log: Log) -> None:
    company = Company(tmp_path)
    company.browser(company.mona).get("/a/helsinki/?version=7&name=Ann")
    [line] = log.lines
    assert line["event"] == "request"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["route"].startswith("/a/<area>")
    assert line["user"] == company.mona.id
    assert line["ms"] >= 0
    assert not any(word in log.out.getvalue() for word in ("version=7", "Ann", "@example.com", "helsinki"))


def test_the_answer_tells_the_requests_name_and_the_audit_log_has_it_too(tmp_path: Path, log: Log) -> None:
    company = Company(tmp_path)
    answer = company.browser(company.adele).open_and_send("/account", "/logout")
    name = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{16}", name)
    assert log.last["request_id"] == name
    assert company.audit()[-1].request_id == name


@pytest.mark.parametrize(
    ("proxies", "brought", "believed"),
    [
        (1, "4bf92f3577b34da6a3ce929d0e0e4736", True),
        (0, "4bf92f3577b34da6a3ce929d0e0e4736", False),
        (1, "short", False),
        (1, "x" * 65, False),
        (1, "a name with spaces", False),
        (1, '"quoted-and-{braced}"', False),
    ],
)
def test_a_name_that_is_brought_along_is_believed_of_a_proxy_only_and_only_if_it_looks_like_one(
    tmp_path: Path, log: Log, proxies: int, brought: str, believed: bool
) -> None:
    company = Company(tmp_path, web=WebSettings(proxies=proxies))
    answer = company.app.test_client().get("/login", headers={"X-Request-Id": brought})
    assert (answer.headers["X-Request-Id"] == brought) is believed
    assert log.last["request_id"] == answer.headers["X-Request-Id"]


def test_probes_that_are_well_are_not_worth_a_line(tmp_path: Path, log: Log) -> None:
    company = Company(tmp_path)
    company.app.test_client().get("/healthz")
    assert log.lines == []
    company.app.test_client().get("/readyz")  # its areas are damaged
    assert log.last["route"] == "/readyz"


def test_hostile_addresses_and_headers_make_no_line_of_their_own(tmp_path: Path, log: Log) -> None:
    company = Company(tmp_path)
    hostile = "%0d%0a%1b[2J{%22event%22:%22forged%22}"
    headers = {"X-Request-Id": "abc\x1b[31mdefghijk", "User-Agent": "\x1b]0;x\x07", "Referer": hostile}
    for address in (f"/{hostile}", f"/a/{hostile}/unplanned?x={hostile}", f"/login?next={hostile}"):
        company.app.test_client().get(address, headers=headers)
    assert len(log.lines) == 3
    assert "forged" not in log.out.getvalue()
    assert log.out.getvalue().isascii()
    assert "\x1b" not in log.out.getvalue()


@pytest.mark.parametrize(
    ("broken", "address"),
    [("webui.health.exposition", "/metrics"), ("webui.api.auditing.verify", "/api/v1/audit/verify")],
)
def test_an_unforeseen_error_is_logged_with_its_trace_and_its_request(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch, broken: str, address: str
) -> None:
    company = Company(tmp_path)

    def fail(*_: object) -> None:
        raise RuntimeError(f"it broke with password={PASSWORD!r}")

    monkeypatch.setattr(broken, fail)
    token = company.token(company.adele, Permission.SEE_METRICS, Permission.ADMINISTER)
    answer = company.app.test_client().get(address, headers=token)
    assert answer.status_code == 500
    error, request = log.lines
    assert "RuntimeError" in error["trace"]
    assert error["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
    assert PASSWORD not in log.out.getvalue()


@pytest.mark.parametrize(("error", "status"), [(StorageUnavailableError, 503), (StorageError, 500)])
def test_an_error_of_the_store_is_logged_by_route_and_no_invitation_with_it(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch, error: type[StorageError], status: int
) -> None:
    def fail(*_: object) -> None:
        raise error("its disk is full")

    monkeypatch.setattr("webui.auth.login.find_invited", fail)
    assert Company(tmp_path).browser().get(f"/invitation/{'i' * 43}").status_code == status
    assert log.lines[0]["event"].endswith("its disk is full")
    assert "i" * 43 not in log.out.getvalue()


def test_a_whole_tour_leaves_no_secret_in_the_log(tmp_path: Path, log: Log) -> None:
    """The first admin, invitations, wrong and right passwords, second factors, sessions, tokens: none is readable."""
    company = Company(tmp_path, web=HTTPS, empty=True)
    code = setup_code(company.keys)
    secrets = {code, PASSWORD, "wrong horse battery"}
    first = company.browser()
    first.get(f"/setup?code={code}")
    first.open_and_send(
        f"/setup?code={code}",
        "/setup",
        code=code,
        email="root@example.com",
        name="Root",
        password=PASSWORD,
        again=PASSWORD,
    )
    for password in ("wrong horse battery", PASSWORD):
        browser = company.browser()
        browser.log_in("root@example.com", password)
        browser.get(f"/?password={password}&token={password}")
    cookies = [cookie.value for cookie in first.client._cookies.values()]
    secrets |= {value for value in cookies if len(value) > 20}
    with company.store.read() as unit:
        [root] = unit.users.find()
    factor = company.with_phone(root)
    secrets.add(factor.secret)
    browser = company.browser()
    typed = factor.at(company.clock())
    browser.enter_code(browser.log_in("root@example.com"), typed)
    secrets |= {cookie.value for cookie in browser.client._cookies.values() if len(cookie.value) > 20}
    header = company.token(root, Permission.SEE_METRICS)["Authorization"]
    secrets.add(header.removeprefix("Bearer "))
    for authorization in (header, "Bearer fv_0123456789abcdef0123_" + "s" * 43, "Basic cm9vdDpoaWRkZW4="):
        company.browser().get("/metrics", headers={"Authorization": authorization})
    secrets |= {"s" * 43, "cm9vdDpoaWRkZW4="}
    invitation = "i" * 43
    for address in (f"/invitation/{invitation}", f"/login/callback?code={invitation}&state={invitation}"):
        company.browser().get(address)
    secrets.add(invitation)
    written = log.out.getvalue()
    assert len(log.lines) > 12
    assert [secret for secret in secrets if secret in written] == []
    assert "example.com" not in written
