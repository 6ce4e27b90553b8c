"""Nothing that anybody writes runs in a browser, on any page; benchmarks/bench_hostile.py asks them one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Serve
from hostile import HOSTILE
from hostile_cast import House, poke, ran, watched
from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_hundred_hostile_texts_run_nothing_on_any_page(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    assert len(HOSTILE) >= 100
    house = House(tmp_path, HOSTILE)
    base = serve(house.app)
    reached, problems = set(), []
    for name in ("adele", "rita", "ines"):
        pages = house.pages(name, most=1)
        reached |= set(pages)
        context = browser.new_context()
        context.add_cookies([{"name": "fieldvisit", "value": house.secrets[name], "url": base}])
        page = context.new_page()
        watched(page, lambda said, name=name: problems.append(f"{name} on {page.url}: {said}"), base)  # noqa: B023
        for addresses in pages.values():
            for address in addresses[:1]:
                poke(page, base + address)
                if ran(page):
                    problems.append(f"{name} on {address}: it ran")
        context.close()
    assert problems == []
    assert house.all_pages() - reached == set(), "pages that nothing leads to: add them to FIRST in hostile_cast.py"
