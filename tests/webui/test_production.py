"""`fieldvisit serve --production`: gunicorn behind a proxy, or a sentence that says what is missing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.access import Permission, Role
from planner.people.accounts import NewUser, add_user
from planner.people.tokens import issue_token
from planner.settings import LoginSettings
from planner.storage import open_store
from webui.cli import main
from webui.serving import production

ROOT = Path(__file__).parents[2]
SETTINGS = '[web]\npublic_url = "https://visits.example.com"\nproxies = 1\n'
BEHIND_PROXY = {"Host": "visits.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run there")


@pytest.mark.parametrize("settings", ["", '[web]\npublic_url = "http://localhost:8000"\n'])
def test_without_an_https_address_it_does_not_start_and_says_what_to_write(tmp_path: Path, settings: str) -> None:
    (tmp_path / "settings.toml").write_text(settings)
    result = CliRunner().invoke(main, ["--home", str(tmp_path), "serve", "--production"])
    assert result.exit_code == 1
    assert 'public_url = "https://visits.example.com"' in result.output


def test_where_gunicorn_does_not_run_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "find_spec", lambda name: None)
    assert "does not run on Windows" in production.refusal("https://visits.example.com")


class Company:
    """A server in production on a free port."""

    def __init__(self, home: Path, process: subprocess.Popen[str], port: int) -> None:
        self.home = home
        self.process = process
        self._port = port

    def ask(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path, headers=BEHIND_PROXY if headers is None else headers)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, response.headers, body

    def is_up(self) -> bool:
        try:
            return self.ask("/healthz")[0] == 200
        except OSError:
            return False

    def end(self) -> list[dict[str, object]]:
        """Ends it; what it logged."""
        self.process.send_signal(signal.SIGTERM)
        _, logged = self.process.communicate(timeout=60)
        return [json.loads(line) for line in logged.splitlines()]


@contextmanager
def company(home: Path) -> Iterator[Company]:
    (home / "settings.toml").write_text(SETTINGS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-c", "from webui.cli import main; main()", "--home", str(home), "serve", "--production"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--workers", "2", "--threads", "4", "--without-work"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        started = Company(home, process, port)
        try:
            ends = time.monotonic() + 120
            while not started.is_up():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < ends
                time.sleep(0.1)
            yield started
        finally:
            process.kill()


def token_of_an_admin(home: Path) -> str:
    store = open_store(f"sqlite:///{home / 'fieldvisit.sqlite'}")
    now = datetime.now(UTC)
    with store.write() as unit:
        admin = add_user(unit, NewUser("ada@example.com", "Ada", Role.ADMIN), now, "id-ada")
        text, _ = issue_token(unit, admin, "metrics", [Permission.SEE_METRICS], None, now, LoginSettings())
    store.close()
    return text


@pytest.mark.slow
def test_it_serves_behind_its_proxy_counts_in_all_its_processes_logs_json_and_ends_when_told_to(tmp_path: Path) -> None:
    token = token_of_an_admin(tmp_path)
    with company(tmp_path) as server:
        status, headers, page = server.ask("/login")
        assert status == 200
        assert "Log in" in page
        assert "max-age" in headers["Strict-Transport-Security"]
        assert "Server" not in headers
        assert server.ask("/login", {**BEHIND_PROXY, "Host": "evil.example"})[0] == 400
        name = "4bf92f3577b34da6a3ce929d0e0e4736"
        assert server.ask("/login", {**BEHIND_PROXY, "X-Request-Id": name})[1]["X-Request-Id"] == name
        assert server.ask("/readyz", {"Host": "10.1.2.3:8000"})[0] == 200

        bearer = {**BEHIND_PROXY, "Authorization": f"Bearer {token}"}
        for _ in range(10):  # by either process
            server.ask("/login")
        status, _, told = server.ask("/metrics", bearer)
        assert status == 200
        counted = 'fieldvisit_requests_total{method="GET",route="/login",status="200"} 12.0'
        assert counted in told
        assert 'fieldvisit_jobs{state="waiting"} 0.0' in told

        lines = server.end()
        assert server.process.returncode == 0
        asked = [line for line in lines if line["event"] == "request"]
        assert any(line["request_id"] == name for line in asked)
        assert {line["route"] for line in asked} == {"/login", "/metrics"}


@pytest.mark.slow
def test_all_its_processes_end_with_it_also_when_it_is_killed(tmp_path: Path) -> None:
    with company(tmp_path) as server:
        server.process.kill()
        server.process.wait()
        ends = time.monotonic() + 60
        while server.is_up():
            assert time.monotonic() < ends
            time.sleep(0.1)
