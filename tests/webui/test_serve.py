"""`fieldvisit serve`: on this machine only, and plain about what is in the way."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from webui.cli import main


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def refusal(home: Path, *options: str) -> str:
    result = CliRunner().invoke(main, ["--home", str(home), "serve", *options])
    assert result.exit_code != 0
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.com", ""])
def test_any_host_but_this_machine_is_refused_with_a_sentence(tmp_path: Path, host: str) -> None:
    assert "there are no logins yet" in refusal(tmp_path, "--host", host)


def test_a_taken_port_is_said_to_be_taken(tmp_path: Path, taken_port: int) -> None:
    assert f"port {taken_port} is taken: choose another with --port" in refusal(tmp_path, "--port", str(taken_port))


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    assert "Invalid value for '--port'" in refusal(tmp_path, "--port", port)


def test_a_tile_server_that_is_no_address_is_named_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[map]\ntile_url = "javascript:alert(1)"\n')
    assert "tile server 'javascript:alert(1)'" in refusal(tmp_path)


def test_the_commands_of_the_planner_are_there_too() -> None:
    assert {"plan", "import", "geocode", "serve"} <= set(main.commands)


def test_it_prints_its_address_serves_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", "from webui.cli import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [*command, "--home", str(tmp_path), "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        try:
            assert server.stdout is not None
            found = re.match(r"http://127\.0\.0\.1:(\d+)/", server.stdout.readline())
            assert found is not None
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
            connection.request("GET", "/")
            response = connection.getresponse()
            page = response.read().decode()
            assert response.status == 200
            assert "fieldvisit area add" in page
            assert response.headers.get("Server") is None
            connection.request("POST", "/", body="x" * 100)
            refused = connection.getresponse()
            refused.read()
            assert refused.status == 405
            connection.request("GET", "/", headers={"Host": "evil.example"})
            assert connection.getresponse().status == 400
            connection.close()
            server.send_signal(signal.SIGINT)
            _, complaints = server.communicate(timeout=20)
            assert server.returncode == 0
            assert "Traceback" not in complaints
        finally:
            server.kill()
