"""Whether every job ends once whatever is killed, and what a job costs beside calling the planner directly.

    python tests/benchmarks/bench_jobs.py [--kills 50] [--seed 1] [--url postgresql+psycopg://…]

Two dispatchers (`fieldvisit work`, each with its own Dask workers) share a store and solve small real plans for six
people. At random moments one worker or one whole dispatcher is killed with kill -9; a dispatcher is started again, as
`fieldvisit serve` does. When all kills are done the queue runs empty, and the rows, plans and audit log are counted.
Then small jobs run one after the other, undisturbed, beside the same plans made by calling make_plan.
Exits with 1 where a job did not end, ended twice, or left more or less than one plan.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))

from cast import MONDAY
from job_cast import AREA, alive, ask, fill, make_home, offspring, start_work, workers_of

from planner.jobs.domain import Job, JobState
from planner.jobs.requests import PlanRequest
from planner.planning import make_plan, store_plan, to_store
from planner.settings import read_settings
from planner.snapshot import Snapshot
from planner.storage import SqlStore, open_store
from routing.area import Areas

PEOPLE = 6
SETTINGS = "[jobs]\nlease_seconds = 5\nmost_failures = 1000\n"
PAUSE_S = (0.3, 4.0)
"""From when something runs to the next kill."""
SMALL = PlanRequest(MONDAY, 2, None, 12)
UNDISTURBED = 10


def rows(store: SqlStore) -> list[Job]:
    with store.read() as unit:
        return unit.jobs.find()


class Shop:
    """A home, its store, and the dispatchers that work on it."""

    def __init__(self, home: Path, url: str | None) -> None:
        self.home = home
        self.store = make_home(home, SETTINGS)
        if url:
            self.store.close()
            os.environ["FIELDVISIT_DATABASE_URL"] = url
            self.store = open_store(url)
            fill(self.store)
        self.asked = 0
        self.works: list[subprocess.Popen[str]] = []
        self.orphans: list[int] = []

    def keep_asking(self) -> None:
        """Everybody has a plan waiting."""
        waiting = {job.requested_by for job in rows(self.store) if job.state is JobState.WAITING}
        for who in (f"user:{n}" for n in range(PEOPLE)):
            if who not in waiting:
                self.ask(who)

    def ask(self, who: str) -> str:
        self.asked += 1
        ask(self.store, self.home, f"job {self.asked:04}", who, SMALL)
        return f"job {self.asked:04}"

    def hire(self) -> None:
        self.works.append(start_work(self.home))

    def kill_dispatcher(self, chance: random.Random) -> None:
        work = chance.choice(self.works)
        self.works.remove(work)
        self.orphans += offspring(work.pid)
        work.kill()
        work.wait()

    def kill_worker(self, chance: random.Random) -> bool:
        workers = [worker for work in self.works for worker in workers_of(work.pid)]
        if not workers:
            return False
        worker = chance.choice(workers)
        self.orphans += offspring(worker)
        os.kill(worker, signal.SIGKILL)
        return True

    def close(self) -> None:
        for work in self.works:
            work.terminate()
            work.wait()
        self.store.close()


def kill_at_random(shop: Shop, kills: int, chance: random.Random) -> tuple[int, int]:
    killed = Counter[str]()
    for number in range(1, kills + 1):
        shop.keep_asking()
        while not any(job.state is JobState.RUNNING for job in rows(shop.store)):
            time.sleep(0.1)
        time.sleep(chance.uniform(*PAUSE_S))
        if chance.random() < 0.5 and shop.kill_worker(chance):
            killed["worker"] += 1
        else:
            shop.kill_dispatcher(chance)
            killed["dispatcher"] += 1
            shop.hire()
        states = Counter(str(job.state) for job in rows(shop.store))
        print(f"  kill {number}: {dict(killed)}, jobs {dict(states)}", flush=True)
    return killed["worker"], killed["dispatcher"]


def run_empty(shop: Shop, limit_s: float = 600.0) -> None:
    ends_s = time.monotonic() + limit_s
    while any(not job.state.ended for job in rows(shop.store)) and time.monotonic() < ends_s:
        time.sleep(0.2)


def judge(shop: Shop) -> list[str]:
    """What is wrong with the rows, the plans and the audit log; empty where nothing is."""
    jobs = rows(shop.store)
    with shop.store.read() as unit:
        versions = [plan.version for plan in unit.plans(AREA).list()]
        ends = Counter(
            entry.subject
            for entry in unit.audit_log.entries()
            if entry.action in ("job.done", "job.failed", "job.cancelled", "job.replaced")
        )
    told = [job.result["version"] for job in jobs if job.state is JobState.DONE]
    wrong = [f"{job.id} has not ended: {job.state}" for job in jobs if not job.state.ended]
    wrong += [f"{job.id} failed: {job.error}" for job in jobs if job.state is JobState.FAILED]
    wrong += [f"{job.id} ended {ends[job.id]} times" for job in jobs if ends[job.id] != 1]
    if sorted(told) != sorted(versions):
        wrong.append(f"{len(told)} jobs are done and there are {len(versions)} plans")
    left = [pid for pid in shop.orphans if alive(pid)]
    if left:
        wrong.append(f"{len(left)} processes of killed dispatchers and workers are still there")
    if len(jobs) != shop.asked:
        wrong.append(f"{shop.asked} jobs were asked for and {len(jobs)} are there")
    return wrong


def undisturbed(shop: Shop) -> tuple[list[float], list[float]]:
    """Seconds from asking to the end of jobs one by one, and of the same plans made and stored without a job."""
    jobs_s, direct_s = [], []
    settings = read_settings(shop.home)
    for _ in range(UNDISTURBED):
        started_s = time.monotonic()
        id_ = shop.ask("user:alone")
        while not next(job for job in rows(shop.store) if job.id == id_).state.ended:
            time.sleep(0.01)
        jobs_s.append(time.monotonic() - started_s)
        started_s = time.monotonic()
        with shop.store.read() as unit:
            snapshot = Snapshot.read(unit, AREA, settings)
        streets = Areas(settings.areas).get(AREA).streets()
        document = make_plan(
            snapshot, AREA, streets, SMALL.first_day, SMALL.days, SMALL.limits(settings.solver), settings
        )
        stored = to_store(document, datetime.now(UTC))
        with shop.store.write() as unit:
            store_plan(unit, stored)
        direct_s.append(time.monotonic() - started_s)
    return jobs_s[1:], direct_s[1:]  # the first ones load what the others find loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="A database in place of the SQLite file.")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), options.url)
        try:
            for _ in range(2):
                shop.hire()
            started_s = time.monotonic()
            workers, dispatchers = kill_at_random(shop, options.kills, chance)
            run_empty(shop)
            took_s = time.monotonic() - started_s
            wrong = judge(shop)
            jobs = rows(shop.store)
            attempts = dict(sorted(Counter(job.attempt for job in jobs).items()))
            states = dict(Counter(str(job.state) for job in jobs))
            waits = [job.finished_at - job.created_at for job in jobs if job.finished_at]
            longest = max(waits, default=timedelta())
            print(f"{len(jobs)} jobs, {workers} workers and {dispatchers} dispatchers killed, in {took_s:.0f} s")
            print(f"ends: {states}; started so often: {attempts}")
            print(f"from asking to the end: median {statistics.median(waits)}, longest {longest}")
            for sentence in wrong:
                print(f"WRONG: {sentence}")
            jobs_s, direct_s = undisturbed(shop)
            by_job, direct = statistics.median(jobs_s), statistics.median(direct_s)
            print(f"a small plan as a job {by_job:.2f} s, made directly {direct:.2f} s: {by_job / direct:.2f} times")
        finally:
            shop.close()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
