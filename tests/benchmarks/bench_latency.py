"""How long pages take to answer while four large plans are being solved on the same machine.

    python tests/benchmarks/bench_latency.py [--requests 300] [--plans 4] [--database postgresql://…]

A real town (../shared/data/newport), a published week, and `fieldvisit serve --production` with two processes and the
dispatcher beside them, as a company would run it. A manager logs in and asks in turns for the week, a rep's day and the
page of plans, and saves a note, with a pause between two requests as people make. Then four people each ask for a plan
of the whole town over ten days, searched for ten minutes, all four are being solved at once, and the manager goes on.
Exits with 1 when a twentieth of the requests takes 500 ms or more meanwhile, or the four were not solved all the time.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from planner.access import Role
from planner.intake import import_files
from planner.jobs.domain import JobState
from planner.jobs.requests import PlanRequest, request_plan
from planner.locating import geocoder_for, locate_records
from planner.people.accounts import NewUser, add_user
from planner.people.passwords import hash_password
from planner.planning import make_plan, store_plan, to_store
from planner.settings import Settings, read_settings
from planner.snapshot import Snapshot
from planner.storage import SqlStore, open_store
from routing.area import Areas
from routing.solver import SearchLimits

NEWPORT = Path(__file__).parents[3] / "shared" / "data" / "newport"
AREA = "newport"
MONDAY = datetime(2026, 11, 30, tzinfo=UTC).date()
HOST = "visits.example.com"
SETTINGS = f'[web]\npublic_url = "https://{HOST}"\nproxies = 1\n[jobs]\nworkers = {{workers}}\n'
PASSWORD = "five quiet herons"
MOST_MS = 500.0
PAUSE_S = 0.05

Times = dict[str, list[float]]


class Manager:
    """Somebody's browser, behind the proxy that does TLS."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: SimpleCookie = SimpleCookie()

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        headers["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        if method == "POST":
            headers |= {"Origin": f"https://{HOST}", "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, body or None, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie", []):
            self._cookies.load(cookie)
        return response.status, text

    def is_answered(self) -> bool:
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            self._connection.close()
            return False

    def come_back(self) -> None:
        """After a while the server has closed the connection."""
        self._connection.close()

    def log_in(self) -> None:
        _, page = self.ask("GET", "/login")
        form = {"csrf": hidden(page)["csrf"], "email": "mona@example.com", "password": PASSWORD}
        assert self.ask("POST", "/login", urlencode(form))[0] == 303

    def timed(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[float, str]:
        """Milliseconds and the page."""
        start = time.perf_counter()
        status, page = self.ask(method, path, urlencode(form or {}))
        taken = 1000 * (time.perf_counter() - start)
        assert status in (200, 303), (method, path, status, page[:2000])
        return taken, page


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def measure(manager: Manager, rounds: int) -> Times:
    taken: Times = defaultdict(list)
    day = f"/a/{AREA}/day/{MONDAY}/rep?rep=R01"
    for number in range(rounds):
        for name, path in (("week", f"/a/{AREA}/"), ("plans", f"/a/{AREA}/planning"), ("day", day)):
            milliseconds, page = manager.timed("GET", path)
            taken[name].append(milliseconds)
            time.sleep(PAUSE_S)
        note = page[page.index('id="note"') :]
        form = {**hidden(note), "text": f"note {number}"}
        taken["note"].append(manager.timed("POST", f"/a/{AREA}/day/{MONDAY}/note?rep=R01", form)[0])
        time.sleep(PAUSE_S)
    return taken


def at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def show(title: str, taken: Times) -> None:
    everything = [time for times in taken.values() for time in times]
    for name, times in [*taken.items(), ("all", everything)]:
        p50, p95, p99 = (at(times, share) for share in (0.5, 0.95, 0.99))
        print(f"{title:8} {name:6} p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f}  longest {max(times):6.1f} ms")


def make_installation(settings: Settings) -> SqlStore:
    """The town with its records, a published week, and somebody who may plan."""
    area = Areas(settings.areas).add(AREA, NEWPORT / "newport.osm.pbf")
    store = open_store(settings.database_url)
    import_files(store, AREA, **{kind: NEWPORT / f"{kind}.csv" for kind in ("reps", "accounts", "opportunities")})
    locate_records(store, AREA, geocoder_for(area, settings))
    with store.read() as unit:
        snapshot = Snapshot.read(unit, AREA, settings)
    document = make_plan(snapshot, AREA, area.streets(), MONDAY, 5, SearchLimits(work=20), settings)
    now = datetime.now(UTC)
    mona = NewUser("mona@example.com", "Mona", Role.MANAGER)
    with store.write() as unit:
        unit.plans(AREA).publish(store_plan(unit, to_store(document, now)), now)
        add_user(unit, mona, now, "id-mona", hash_password(PASSWORD))
    print(f"{len(snapshot.accounts)} customers, {len(snapshot.opportunities)} opportunities, {len(snapshot.reps)} reps")
    return store


def being_solved(store: SqlStore) -> int:
    with store.read() as unit:
        running = unit.jobs.find(state=JobState.RUNNING)
    return sum(job.progress.get("what") == "searching" for job in running)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300, help="of each page, while the plans are being solved")
    parser.add_argument("--plans", type=int, default=4)
    parser.add_argument("--database", help="another database than a SQLite file; an empty one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "settings.toml").write_text(SETTINGS.format(workers=options.plans))
        environment = {**os.environ, "FIELDVISIT_DATABASE_URL": options.database or ""}
        settings = read_settings(home, environment)
        store = make_installation(settings)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serve = ["--home", folder, "serve", "--production", "--workers", "2", "--port", str(port)]
        with open(home / "log", "w") as log:
            command = [sys.executable, "-c", "from webui.cli import main; main()", *serve]
            server = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        try:
            manager = Manager(port)
            while not manager.is_answered():
                assert server.poll() is None, (home / "log").read_text()
                time.sleep(0.2)
            manager.log_in()
            measure(manager, 10)
            idle = measure(manager, max(20, options.requests // 3))
            ask = PlanRequest(MONDAY, 10, 600.0, None)
            for number in range(options.plans):
                with store.write() as unit:
                    job = f"{number:032x}"
                    request_plan(unit, AREA, ask, f"user:{number}", datetime.now(UTC), job, settings)
            while being_solved(store) < options.plans:
                assert server.poll() is None, (home / "log").read_text()
                time.sleep(0.5)
            manager.come_back()
            began = time.perf_counter()
            loaded = measure(manager, options.requests)
            lasted, still = time.perf_counter() - began, being_solved(store)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(90)
            store.close()
    show("at rest", idle)
    show("loaded", loaded)
    before, during = (at([t for times in taken.values() for t in times], 0.95) for taken in (idle, loaded))
    print(f"{still} plans being solved for {lasted:.0f} s on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"p95 {before:.0f} ms at rest, {during:.0f} ms loaded: {during / before:.1f} times as long")
    return int(during >= MOST_MS or still < options.plans)


if __name__ == "__main__":
    sys.exit(main())
