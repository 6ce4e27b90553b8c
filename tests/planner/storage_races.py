"""Many processes that write to one rep's day at once, and writers that are killed: for tests and benchmarks.

Each worker is this file run as a program.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path

import sqlalchemy as sa

from planner.domain import Address, Rep
from planner.idempotency import once
from planner.rep_days import NoteChangedError, RepDayNote, read_note, write_note
from planner.repository import UnitOfWork
from planner.storage import SqlStore, open_store

ROOT = Path(__file__).parents[2]
DAY = ("town", "R1", date(2026, 11, 30))
ADA = Rep("R1", "Ada", "", Address("1 High St"), None, "UTC", frozenset({0}), clock_time(9), clock_time(17))


@dataclass(frozen=True)
class Race:
    """What a race came to. `waits_ms` are of each write transaction, from asking for it to the end of its commit."""

    expected: int
    revision: int
    waits_ms: list[float]
    errors: list[str]
    conflicts: int
    seconds: float

    @property
    def lost(self) -> int:
        return self.expected - self.revision

    def wait_ms(self, share: float) -> float:
        """The wait that this share of the writes did not exceed."""
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        return (
            f"lost {self.lost} of {self.expected}, errors {len(self.errors)}, conflicts that were retried "
            f"{self.conflicts}, wait p99 {self.wait_ms(0.99):.0f} ms, longest {max(self.waits_ms, default=0):.0f} ms, "
            f"{(self.expected - len(self.errors)) / self.seconds:.0f} writes/s"
        )


@dataclass(frozen=True)
class Kills:
    """What came of killing writers: how many, and of the writes that were acknowledged how many are not there."""

    kills: int
    acknowledged: int
    lost: int
    duplicates: int
    unacknowledged: int


def race(url: str, how: str, processes: int, writes: int) -> Race:
    """`processes` × `writes` changes of one rep's day; `how` is the name of one of the functions below."""
    prepare(url)
    told = json.loads(_start("race", url, how, str(processes), str(writes)).communicate(timeout=1200)[0])
    store = open_store(url)
    with store.read() as unit:
        note = unit.rep_day_notes.get(*DAY)
    store.close()
    return Race(
        expected=processes * writes,
        revision=note.revision if note else 0,
        waits_ms=[wait for one in told["workers"] for wait in one["waits_ms"]],
        errors=[error for one in told["workers"] for error in one["errors"]],
        conflicts=sum(one["conflicts"] for one in told["workers"]),
        seconds=told["seconds"],
    )


def kill_writers(url: str, kills: int, seed: int = 1) -> Kills:
    """Kill a writer over and over in the middle of its work; the next one sends again what was not acknowledged."""
    prepare(url)
    runner = _start("kill", url, str(kills), str(seed))
    return Kills(**json.loads(runner.communicate(timeout=1200)[0]))


def prepare(url: str) -> None:
    store = open_store(url)
    with store.write(audited=False) as unit:
        unit.records("town").save(ADA)
        unit.rep_day_notes.put(RepDayNote(*DAY, revision=0, text=""))
    store.close()


def _start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, __file__, *arguments], env=environment, stdin=pipe, stdout=pipe, text=True)


# ---- the ways to write


def in_turn(store: SqlStore, number: int, waits_ms: list[float]) -> int:
    """Read and write within one transaction, as use cases do."""
    with timed(waits_ms), store.write() as unit:
        note = unit.rep_day_notes.get(*DAY)
        assert note is not None
        unit.rep_day_notes.put(RepDayNote(*DAY, revision=note.revision + 1, text=f"{os.getpid()} {number}"))
        unit.audit("note.written", "R1", area="town")
    return 0


def as_seen(store: SqlStore, number: int, waits_ms: list[float]) -> int:
    """Read first, as a page does, then write if nobody else has; otherwise look again. Returns how often they had."""
    conflicts = 0
    while True:
        with store.read() as unit:
            seen = read_note(unit, *DAY)
        try:
            with timed(waits_ms), store.write() as unit:
                write_note(unit, *DAY, text=f"{os.getpid()} {number}", revision=seen.revision)
            return conflicts
        except NoteChangedError:
            conflicts += 1


def plainly(engine: sa.Engine, waits_ms: list[float]) -> int:
    """What everybody writes first: SQLAlchemy's own transaction around reading and writing."""
    with timed(waits_ms), engine.begin() as connection:
        revision = connection.scalar(sa.text("SELECT revision FROM rep_day_notes"))
        connection.execute(sa.text("UPDATE rep_day_notes SET revision = :next"), {"next": revision + 1})
    return 0


@contextlib.contextmanager
def timed(waits_ms: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        waits_ms.append(1000 * (time.perf_counter() - began))


WAYS = {"in_turn": in_turn, "as_seen": as_seen}

# ---- the workers


def _race(url: str, how: str, processes: int, writes: int) -> None:
    """Forks the workers: each takes a second of importing otherwise."""
    held, go = os.pipe()
    pipes = []
    for _ in range(processes):
        told, tell = os.pipe()
        if os.fork() == 0:
            os.close(go)
            _work(url, how, writes, held, tell)
        os.close(tell)
        pipes.append(os.fdopen(told))
    for pipe in pipes:
        assert pipe.readline() == "ready\n"
    os.close(held)
    began = time.perf_counter()
    os.close(go)  # which they all see at once
    workers = [json.loads(pipe.readline()) for pipe in pipes]
    print(json.dumps({"seconds": time.perf_counter() - began, "workers": workers}))


def _work(url: str, how: str, writes: int, held: int, tell: int) -> None:
    waits_ms: list[float] = []
    write: Callable[[int], int]
    if how == "plainly":
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        write = lambda _: plainly(engine, waits_ms)  # noqa: E731
    else:
        store, way = open_store(url), WAYS[how]
        write = lambda number: way(store, number, waits_ms)  # noqa: E731
    with os.fdopen(tell, "w") as output:
        print("ready", file=output, flush=True)
        os.read(held, 1)
        errors, conflicts = [], 0
        for number in range(writes):
            try:
                conflicts += write(number)
            except Exception as error:  # counted, whatever it is
                errors.append(f"{type(error).__name__}: {error}")
        print(json.dumps({"waits_ms": waits_ms, "errors": errors, "conflicts": conflicts}), file=output)
    os._exit(0)


def _kill(url: str, kills: int, seed: int) -> None:
    chance, acknowledged, unacknowledged = random.Random(seed), 0, 0
    for _ in range(kills):
        acks, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(acks)
            _write_on(url, acknowledged, told)
        os.close(told)
        acknowledged = _read_acks(acks, acknowledged, 0.002 + chance.expovariate(50))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        # What was acknowledged until the last moment counts too.
        acknowledged = _read_acks(acks, acknowledged, None)
        os.close(acks)
        store = open_store(url)
        with store.read() as unit:
            unacknowledged += unit.answers.get("phone", str(acknowledged + 1)) is not None
        store.close()
    store = open_store(url)
    with store.read() as unit:
        note = unit.rep_day_notes.get(*DAY)
        answered = {int(answer.key) for answer in unit.answers.find()}
    store.close()
    assert note is not None
    result = Kills(
        kills=kills,
        acknowledged=acknowledged,
        lost=sum(number not in answered for number in range(1, acknowledged + 1)),
        duplicates=note.revision - len(answered),
        unacknowledged=unacknowledged,
    )
    print(json.dumps(vars(result)))


def _read_acks(pipe: int, last: int, seconds: float | None) -> int:
    """The last write that was acknowledged; for so long after the first one was, or until the pipe's end."""
    ends = None
    rest = b""
    while True:
        wait = None if ends is None else max(0.0, ends - time.monotonic())
        if not select.select([pipe], [], [], wait)[0]:
            return last
        piece = os.read(pipe, 65536)
        if not piece:
            return last
        *lines, rest = (rest + piece).split(b"\n")
        last = int(lines[-1]) if lines else last
        if ends is None and seconds is not None:
            ends = time.monotonic() + seconds


def _write_on(url: str, done: int, told: int) -> None:
    """A phone that sends one write after the other, and tells of each that was answered; until it is killed."""
    with contextlib.suppress(BrokenPipeError):
        store = open_store(url)
        now = datetime(2026, 11, 30, tzinfo=UTC)
        while True:
            done += 1
            with store.write() as unit:
                once(unit, "phone", str(done), "same", now, lambda unit=unit: _note(unit))
            os.write(told, b"%d\n" % done)
    os._exit(0)


def _note(unit: UnitOfWork) -> tuple[int, str]:
    note = unit.rep_day_notes.get(*DAY)
    assert note is not None
    unit.rep_day_notes.put(RepDayNote(*DAY, revision=note.revision + 1, text="called"))
    unit.audit("note.written", "R1", area="town")
    return 201, ""


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["race", url, how, processes, writes]:
            _race(url, how, int(processes), int(writes))
        case ["kill", url, kills, seed]:
            _kill(url, int(kills), int(seed))
