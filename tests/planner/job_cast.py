"""A small real home for tests and benchmarks of jobs: an area with a few doors, a rep, and dispatchers as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from cast import MONDAY, account, local, located, opportunity, rep
from cli_cast import write_town

from planner.access import Actor
from planner.domain import Record
from planner.jobs.requests import PlanRequest, request_plan
from planner.lifeline import VARIABLE
from planner.settings import read_settings
from planner.storage import SqlStore, open_store
from routing.area import Areas
from routing.geo import LatLon

AREA = "square"


def fill(store: SqlStore) -> None:
    """One rep, and ten doors to go to."""
    records: list[Record] = [rep()]
    for n in range(5):
        records.append(account(f"A{n}"))
        records.append(opportunity(f"O{n}", qualified_at=local("2026-11-27 10:00")))
    with store.write() as unit:
        locations = []
        for n, record in enumerate(records):
            unit.records(AREA).save(record)
            locations.append(located(record, LatLon(51.5, -3.0 + 0.0008 * n)))
        unit.records(AREA).save_locations(locations)
        unit.audit("test.filled", area=AREA)


def make_home(home: Path, settings: str = "") -> SqlStore:
    """A home folder with an area and records in it; its store."""
    (home / "settings.toml").write_text(settings)
    Areas(home / "areas").add(AREA, write_town(home / "town.osm"))
    store = open_store(read_settings(home, {}).database_url)
    fill(store)
    return store


def ask(store: SqlStore, home: Path, job_id: str, who: str, request: PlanRequest | None = None) -> None:
    """Ask for a small plan."""
    request = request or PlanRequest(MONDAY, 2, None, 4)
    with store.write(Actor(who)) as unit:
        request_plan(unit, AREA, request, who, datetime.now(UTC), job_id, read_settings(home, {}))


def start_work(home: Path) -> subprocess.Popen[str]:
    """`fieldvisit work` as a process, ready to take jobs; it ends when the test does, however that ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from planner.cli import main; main()", "--home", str(home), "work"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, VARIABLE: "stdin"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("working on jobs with")
    return process


def offspring(pid: int) -> list[int]:
    """Its children, theirs, and so on."""
    found = []
    for process in os.listdir("/proc"):
        if process.isdigit() and _parent(int(process)) == pid:
            found += [int(process), *offspring(int(process))]
    return found


def _parent(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def workers_of(pid: int) -> list[int]:
    """The Dask workers of a dispatcher."""
    found = []
    for process in offspring(pid):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                if b"spawn_main" in file.read() and _parent(process) == pid:
                    found.append(process)
        except OSError:
            continue
    return found


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
