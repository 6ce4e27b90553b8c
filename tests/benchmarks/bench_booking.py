"""Racing attempts to sell the same days, on SQLite and on PostgreSQL, and random stories of booking and planning.

    python tests/benchmarks/bench_booking.py [--processes 4] [--attempts 10000] [--stories 0] [--seed 1]

An attempt holds a random time and promises it, gives it back, moves or cancels a promise, or lets a customer ride
along; two reps and four days are sold, so that most times are gone. Afterwards every day is timed with all that is
promised and held on it and looked at by routing.checks, and the plan that people see is compared with the promises. The
PostgreSQL waits for its disk at every commit, as a real one does.

A story has 25 steps: hold, confirm, expire, cancel, move, ride along, replan, publish (tests/planner/booking_story.py).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))

from booking_races import race
from booking_story import tell_stories
from postgres import Postgres

from planner.storage import open_store

STEPS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--attempts", type=int, default=10_000, help="of all processes, on each database")
    parser.add_argument("--stories", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    right = True
    for name, database in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        if options.attempts:
            with database() as new:
                result = race(new(), options.processes, options.attempts // options.processes, options.seed)
            print(f"{name}: {result}", flush=True)
            wrong = [*result.errors, *result.truth.double_bookings, *result.truth.broken_days]
            print(*(f"  NOT AS IT SHOULD BE: {sentence}" for sentence in wrong[:5]), sep="\n", flush=True)
            right = right and not wrong
    if options.stories:
        stories(options.stories)
    sys.exit(0 if right else 1)


def stories(number: int) -> None:
    """Raises AssertionError, with the story, where a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.sqlite"
        open_store(f"sqlite:///{empty}").close()
        began = time.perf_counter()
        told = tell_stories(Path(folder), empty, number, STEPS, derandomize=False)
    did = ", ".join(f"{what} {times:,}" for what, times in sorted(told.items()))
    print(f"{number:,} stories in {time.perf_counter() - began:.0f} s: {did}; broken promises 0", flush=True)


@contextmanager
def sqlite() -> Iterator[Callable[[], str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: f"sqlite:///{folder}/fieldvisit.sqlite"


@contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    server = Postgres(durable=True)
    try:
        yield server.new
    finally:
        server.close()


if __name__ == "__main__":
    main()
