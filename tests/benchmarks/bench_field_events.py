"""Random interleavings of offline events: shuffled, repeated, up to 30 days late, with crashes between transactions.

    python tests/benchmarks/bench_field_events.py --interleavings 1000

Hypothesis draws what two reps say and how it arrives; the rows are compared with those of the events sent in order and
once. It prints what was lost, what was stored twice, and the tables in which rows were others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "planner"))

from field_cast import BARN, FORGE, MILL, Fields
from field_interleavings import Interleaving, Replaying, interleavings

from planner.storage import open_store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interleavings", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.sqlite")
        open_store(f"sqlite:///{empty}").close()
        fields = Fields(Path(folder), empty)
        replaying = Replaying(fields)
        found: Counter[str] = Counter()
        began = time.perf_counter()

        def replay(interleaving: Interleaving) -> None:
            replayed = replaying.replay(interleaving)
            found["interleavings"] += 1
            found["events"] += len(interleaving.events)
            found["sent"] += sum(len(request.events) for request in interleaving.requests)
            found["requests"] += len(interleaving.requests)
            found["crashes"] += sum(bool(request.crash) for request in interleaving.requests)
            found["lost"] += replayed.lost
            found["duplicated"] += replayed.duplicated
            found["unequal"] += bool(replayed.unequal)
            for table in replayed.unequal:
                found[f"unequal {table}"] += 1

        whole = asked.interleavings * 2 // 3
        of_all, of_reports = interleavings(), interleavings(("reported",), (MILL, FORGE, BARN), 8)
        for number, strategy in ((whole, of_all), (asked.interleavings - whole, of_reports)):
            settings(
                max_examples=number,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(strategy)(replay))()
        fields.close()
    for name, count in found.items():
        print(f"{name}: {count:,}")
    print(f"{time.perf_counter() - began:.0f} s")
    return int(any(found[name] for name in ("lost", "duplicated", "unequal")))


if __name__ == "__main__":
    sys.exit(main())
