"""`fieldvisit serve`: on this machine only, plain about what is in the way, and it works on jobs beside the pages."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.storage import open_store
from webui.cli import main
from webui.serving.companion import Companion

ROOT = Path(__file__).parents[2]
SERVE = [sys.executable, "-W", "error", "-c", "from webui.cli import main; main()"]


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
    assert "is not this machine alone, and plain serve has no TLS" in refusal(tmp_path, "--host", host)


def test_a_taken_port_is_said_to_be_taken(tmp_path: Path, taken_port: int) -> None:
    assert f"port {taken_port} is taken: choose another with --port" in refusal(tmp_path, "--port", str(taken_port))


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    assert "Invalid value for '--port'" in refusal(tmp_path, "--port", port)


def test_a_tile_server_that_is_no_address_is_named_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[map]\ntile_url = "javascript:alert(1)"\n')
    assert "tile server 'javascript:alert(1)'" in refusal(tmp_path)


def test_the_commands_of_the_planner_are_there_too() -> None:
    assert {"plan", "import", "geocode", "serve", "work", "doctor"} <= set(main.commands)


@dataclass
class Running:
    """A server that was started, and what it said first."""

    process: subprocess.Popen[str]
    said: list[str]
    port: int

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, dict(response.headers), body


@contextmanager
def running(home: Path, *options: str, lines: int = 2) -> Iterator[Running]:
    """`fieldvisit serve` on a free port."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*SERVE, "--home", str(home), "serve", "--port", "0", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(lines)]
            found = re.match(r"http://127\.0\.0\.1:(\d+)/", said[0])
            assert found is not None, process.communicate(timeout=5)
            yield Running(process, said, int(found[1]))
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends_when_told_to(tmp_path: Path, how: signal.Signals) -> None:
    with running(tmp_path, "--without-work") as server:
        status, headers, _ = server.ask("GET", "/")
        assert (status, headers["Location"]) == (303, "/login")
        assert "Server" not in headers
        assert server.ask("GET", "/healthz")[0] == 200
        assert server.ask("GET", "/readyz")[0] == 200
        begins = re.search(r"http://127\.0\.0\.1:\d+(/setup\?code=[A-Z2-7-]+)$", server.said[1].strip())
        assert begins is not None, "nobody can log in yet: it prints where the first admin begins"
        assert server.ask("GET", begins[1])[0] == 200
        assert server.ask("POST", "/login")[0] == 403
        assert server.ask("GET", "/", Host="evil.example")[0] == 400
        server.process.send_signal(how)
        _, complaints = server.process.communicate(timeout=30)
        assert server.process.returncode == 0
        assert "Traceback" not in complaints


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits until something is so, and fails where it never is."""

    def wait(so: Callable[[], object], seconds: float = 60.0) -> None:
        ends = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < ends, "it never was so"
            time.sleep(0.02)

    return wait


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()  # ended, and its parent has not looked yet
    except OSError:
        return not Path("/proc/self").exists()


Eventually = Callable[[Callable[[], object]], None]

KEPT = """
import os, pathlib, sys, time
from planner.lifeline import end_with_parent
folder = pathlib.Path(sys.argv[1])
(folder / str(os.getpid())).touch()
if len(list(folder.iterdir())) <= int(sys.argv[2]):
    sys.exit(3)
end_with_parent()
time.sleep(600)
"""
"""Notes that it has started, fails the first times, then runs until it is told to end."""


def kept(folder: Path, failures: int) -> Sequence[str]:
    folder.mkdir()
    return [sys.executable, "-c", KEPT, str(folder), str(failures)]


def started(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def test_what_runs_beside_the_server_is_started_again_until_told_to_stop(
    tmp_path: Path, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    companion = Companion("it", kept(tmp_path / "started", 2), environment, first_pause_s=0.01)
    companion.start()
    eventually(lambda: len(started(tmp_path / "started")) == 3)
    companion.stop()
    assert not any(alive(process) for process in started(tmp_path / "started"))
    assert [record.fields["status"] for record in caplog.records] == [3, 3]  # type: ignore[attr-defined]
    assert [record.fields["pause_s"] for record in caplog.records] == [0.01, 0.02]  # type: ignore[attr-defined]


def test_a_companion_that_was_never_started_stops_too() -> None:
    Companion("it", ["false"], {}).stop()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_what_runs_beside_the_server_ends_with_it_also_when_it_is_killed(
    tmp_path: Path, eventually: Eventually
) -> None:
    """Killed as by kill -9, a server can tell nobody."""
    beside = kept(tmp_path / "started", 0)
    parent = (
        "import os, time\nfrom webui.serving.companion import Companion\n"
        f"Companion('it', {beside!r}, dict(os.environ)).start()\ntime.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", parent], env=environment) as server:
        eventually(lambda: started(tmp_path / "started"))
        [child] = started(tmp_path / "started")
        assert alive(child)
        server.kill()
        server.wait()
        eventually(lambda: not alive(child))


@pytest.mark.slow
def test_serve_works_on_jobs_unless_told_not_to(tmp_path: Path, eventually: Eventually) -> None:
    with running(tmp_path) as server:
        store = open_store(f"sqlite:///{tmp_path / 'fieldvisit.sqlite'}")

        def workers() -> int:
            with store.read() as unit:
                return sum(beat.workers for beat in unit.heartbeats.find())

        eventually(lambda: workers() == 2)
        store.close()
        server.process.send_signal(signal.SIGINT)
        server.process.communicate(timeout=60)
        assert server.process.returncode == 0
