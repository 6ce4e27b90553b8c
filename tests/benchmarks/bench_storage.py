"""Racing writes to one rep's day, killed writers, and large imports, on SQLite and on PostgreSQL.

    python tests/benchmarks/bench_storage.py [--processes 4] [--writes 2500] [--kills 200] [--records 10000]

The races are also run the way that everybody writes first, SQLAlchemy's own transaction around reading and writing, for
what one writer at a time (docs/decisions/0006) costs and saves. The PostgreSQL waits for its disk at every commit, as a
real one does.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))

from postgres import Postgres
from storage_races import kill_writers, race

from planner.domain import Account, Address
from planner.storage import open_store

MOST_MS = 250
"""A writer waits for no longer than a person notices."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--writes", type=int, default=2500, help="of each process")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--records", type=int, default=10_000)
    options = parser.parse_args()
    for name, database in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        with database() as new:
            print(f"{name}; the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
            # Who reads first and comes too late looks again and again: a tenth takes as long.
            for how, writes in (("in_turn", 1.0), ("as_seen", 0.1), ("plainly", 1.0)):
                result = race(new(), how, options.processes, int(writes * options.writes))
                longest = max(result.waits_ms)
                print(f"  {how}: {result}, over {MOST_MS} ms: {sum(w > MOST_MS for w in result.waits_ms)}", flush=True)
                if how != "plainly" and (result.lost or result.errors or longest > MOST_MS):
                    print("    NOT AS IT SHOULD BE", *result.errors[:3], flush=True)
            print(f"  {kill_writers(new(), options.kills)}", flush=True)
            importing(new(), options.records)


def importing(url: str, number: int) -> None:
    """How long an import keeps everybody else from writing."""
    accounts = [
        Account(f"A{i}", f"Bar {i}", Address(f"{i} Lee Way", "Newport"), attributes={"floor": str(i)})
        for i in range(number)
    ]
    with closing(open_store(url)) as store:
        for what, records in (
            ("added", accounts),
            ("unchanged", accounts),
            ("changed", [replace(account, name="Pub") for account in accounts]),
        ):
            prepared = store.prepared(records)
            with store.write() as unit:
                began = time.perf_counter()
                unit.records("town").save_all(prepared)
                unit.audit("records.imported")
            print(f"  {number:,} records {what}: the turn is held for {1000 * (time.perf_counter() - began):.0f} ms")


@contextmanager
def sqlite() -> Iterator[Callable[[], str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/x.sqlite"


@contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    server = Postgres(durable=True)
    try:
        yield server.new
    finally:
        server.close()


if __name__ == "__main__":
    main()
