"""schemathesis over the OpenAPI document, at full size: how many requests, which answers, and what failed.

    python tests/benchmarks/bench_api_fuzz.py [EXAMPLES [SEED]]

EXAMPLES (150) are asked of each operation besides those that schemathesis works out from the document.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "webui"))

from api_fuzz import furnished, fuzz

EXAMPLES = 150


def main() -> None:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as home:
        office, program = furnished(Path(home))
        begun = time.perf_counter()
        fuzzed = fuzz(office, program, examples, seed, coverage=True)
        office.store.close()
    seconds = time.perf_counter() - begun
    print(
        f"{fuzzed.answers.total():,} requests to {len(fuzzed.operations)} operations in {seconds:,.0f} s, seed {seed}"
    )
    for status, number in sorted(fuzzed.answers.items()):
        print(f"  {status}  {number:,}")
    print(f"5xx: {sum(number for status, number in fuzzed.answers.items() if status >= 500)}")
    print(f"failed checks: {len(fuzzed.failures)}")
    for (operation, check), what in fuzzed.failures.items():
        print(f"\n{operation}: {check}\n{what}")
    sys.exit(bool(fuzzed.failures))


if __name__ == "__main__":
    main()
