"""How long the tree from lead to order takes: 10,000 opportunities with 60,000 entries of history, in SQLite.

python tests/benchmarks/bench_kpi.py [--opportunities 10000]
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

from planner.domain import Address, Opportunity, Rep
from planner.handoffs.domain import HandoffEvent, HandoffRow, HandoffState, Side
from planner.handoffs.transitions import TRANSITIONS
from planner.kpi.domain import Dimension, Part, Selection, Stage
from planner.kpi.tree import events_of, pipeline_tree
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.storage import open_store
from planner.storage.tables import HANDOFF_EVENTS, HANDOFFS

AREA, START = "bench", datetime(2026, 1, 5, 8, tzinfo=UTC)
SOURCES = ("website", "trade fair", "referral", "")


def main(number: int, times: int) -> None:
    rng = random.Random(6)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/bench.sqlite")
        reps = [_rep(n) for n in range(60)]
        deals = [_deal(n, rng) for n in range(number)]
        rows, events = [], []
        for deal in deals:
            row, its = _history(deal, rng)
            rows.append(asdict(row) | {"answers": {}})
            events += [asdict(event) for event in its]
        with store.write() as unit:
            unit.records(AREA).save_all([*reps, *deals])
            connection = unit._transaction.connection
            connection.execute(HANDOFFS.insert(), rows)
            connection.execute(HANDOFF_EVENTS.insert(), events)
            unit.audit("bench.filled")
        settings, now = Settings(Path(folder), ""), START + timedelta(days=400)
        quarter = Selection(date(2026, 4, 1), date(2026, 6, 30))
        print(f"{number:,} opportunities, {len(events):,} entries of history")
        asked: dict[str, Callable[[UnitOfWork], object]] = {
            "tree of a quarter": lambda unit: pipeline_tree(unit, AREA, quarter, settings, now),
            "tree of everything by rep": lambda unit: pipeline_tree(
                unit, AREA, Selection(), settings, now, Dimension.REP
            ),
            "behind a number": lambda unit: events_of(
                unit, AREA, quarter, Stage.HANDED_OFF, Part.SENT_BACK, settings, now
            ),
        }
        for what, ask in asked.items():
            taken, worked = [], []
            for _ in range(times):
                with store.read() as unit:
                    start, begun = perf_counter(), process_time()
                    ask(unit)
                    taken.append(perf_counter() - start)
                    worked.append(process_time() - begun)
            wall, cpu = statistics.median(taken), statistics.median(worked)
            print(f"{what}: {wall:.2f} s, {cpu:.2f} s of them computing (median of {times})")
        store.close()


def _rep(number: int) -> Rep:
    return Rep(
        f"R{number:03}", f"Rep {number}", "", Address("1 Main Street"), None, "Europe/London", frozenset(range(5)),
        START.time().replace(hour=8), START.time().replace(hour=17),
    )  # fmt: skip


def _deal(number: int, rng: random.Random) -> Opportunity:
    lead = (START + timedelta(minutes=rng.randrange(60 * 24 * 300))).replace(tzinfo=None)
    return Opportunity(
        f"O{number:05}", f"Customer {number}", Address("2 Side Street"), value=rng.randrange(50_000),
        inside_rep=f"inside{rng.randrange(20)}@example.com", source=rng.choice(SOURCES),
        lead_at=lead, contacted_at=lead + timedelta(minutes=rng.randrange(3_000)), need="yes", budget="yes",
        authority="yes", timeline="this year",
    )  # fmt: skip


def _history(deal: Opportunity, rng: random.Random) -> tuple[HandoffRow, list[HandoffEvent]]:
    assert deal.contacted_at is not None
    at, state, side, rep = deal.contacted_at.replace(tzinfo=UTC), HandoffState.DRAFT, Side.INSIDE, ""
    events = [HandoffEvent(AREA, deal.id, 1, at, "user:a", "drafted", state, "need is yes")]
    while len(events) < 6:
        rows = [row for row in TRANSITIONS if state in row.before and row.after is not None]
        if not rows:
            events.append(
                HandoffEvent(AREA, deal.id, len(events) + 1, at, "user:a", "changed", state, "Changed: notes")
            )
            continue
        row = rng.choice(rows)
        at += timedelta(minutes=rng.randrange(4_000))
        state, side = row.after or state, row.owner or side
        rep = rep or (f"R{rng.randrange(60):03}" if side is Side.FIELD else "")
        events.append(HandoffEvent(AREA, deal.id, len(events) + 1, at, "user:a", row.event, state, "said so"))
    return HandoffRow(AREA, deal.id, len(events), state, at, side, rep if side is Side.FIELD else "", rep), events


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opportunities", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.opportunities, arguments.times)
