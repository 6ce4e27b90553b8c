"""A hundred and more hostile texts, each alone in every field that a person can fill, on every page, in a browser.

    python tests/benchmarks/bench_hostile.py [--every 1] [--most 2]

For each text an installation in which everything is called so (records, notes, people, tokens, jobs, the plan), looked
at by an admin, a field rep and an inside rep in headless Chromium: so many pages of each kind as `--most` says. Prints
what opened a dialog, set a mark, was complained about or asked another host; exits with 1 if anything did.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "webui"))

from conftest import CHROMIUM_ARGUMENTS, chromium_of_the_system, running
from hostile import HOSTILE
from hostile_cast import House, poke, ran, watched

OWN = ("pages.start", "pages.week", "pages.rep_day", "handoffs.handoffs")
"""Pages that are others to a rep and an inside rep than to an admin."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--every", type=int, default=1, help="only every so many texts")
    options.add_argument("--most", type=int, default=2, help="pages of one kind")
    chosen = options.parse_args()
    texts, problems, kinds = HOSTILE[:: chosen.every], [], Counter[str]()
    start = time.perf_counter()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_of_the_system(), args=CHROMIUM_ARGUMENTS)
        for number, text in enumerate(texts, start=1):
            with tempfile.TemporaryDirectory() as folder:
                house = House(Path(folder), [text])
                with running(house.app) as base:
                    for name in house.secrets:
                        context = chromium.new_context()
                        context.add_cookies([{"name": "fieldvisit", "value": house.secrets[name], "url": base}])
                        page = context.new_page()
                        watched(page, lambda said, text=text: problems.append(f"{text[:60]!r}: {said}"), base)
                        for endpoint, addresses in house.pages(name, chosen.most).items():
                            if name != "adele" and endpoint not in OWN:
                                continue  # the same template as the admin's
                            kinds[endpoint] += len(addresses)
                            for address in addresses:
                                poke(page, base + address)
                                if ran(page):
                                    problems.append(f"{text[:60]!r} ran on {address} for {name}")
                        context.close()
                house.store.close()
            print(f"{number} of {len(texts)}: {len(problems)} problems", file=sys.stderr, flush=True)
        chromium.close()
    print(f"{len(texts)} texts, {len(kinds)} kinds of pages, {sum(kinds.values()):,} page views")
    print(f"{len(problems)} executions, complaints or requests elsewhere, in {time.perf_counter() - start:,.0f} s")
    for problem in problems[:50]:
        print(" ", problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
