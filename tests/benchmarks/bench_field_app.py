"""How much the phone app loads the first time, and how soon it shows the day after that.

    python tests/benchmarks/bench_field_app.py [--starts 9]

A day of fifteen stops in the town of the tests, in headless Chromium at 390 x 844. The first load counts all that is
transferred until the day and its map are shown and the worker has kept everything, but for the base map. Later starts
are on a processor four times slower, with a signal like slow 3G (400 ms, 400 kbit/s) and with the server killed; the
time is from asking for the page to the day on the screen, as Playwright sees it. Exits with 1 when the first load is
400 KB or more, or the median start takes a second or more.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "webui"))

from booking_cast import AREA, BAKERY, located, spot, town_visit
from conftest import CHROMIUM_ARGUMENTS, chromium_of_the_system
from phone_cast import APP, PHONE, FieldOffice, Server, let_in
from plan_cast import MORNING, at, plan, rep_day
from playwright.sync_api import BrowserContext, sync_playwright

from planner.repository import StoredPlan

STOPS = 15
MOST_KB = 400.0
MOST_MS = 1000.0
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
KEPT = """() => navigator.serviceWorker.controller
  && caches.open("fieldvisit-streets").then((cache) => cache.keys()).then((kept) => kept.length)"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--starts", type=int, default=9)
    starts = options.parse_args().starts
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(office(Path(folder)))
        browser = playwright.chromium.launch(executable_path=chromium_of_the_system(), args=CHROMIUM_ARGUMENTS)
        phone = browser.new_context(viewport=PHONE)
        phone.clock.set_fixed_time(MORNING)
        let_in(phone, server, server.office.ann)
        kilobytes = first_load(phone, server) / 1000
        online = started(phone, server, starts)
        server.kill()
        offline = started(phone, server, starts)
        browser.close()
    print(f"first load without the base map    {kilobytes:7.0f} KB")
    for name, times in (("slow 3G", online), ("server killed", offline)):
        print(f"start, 4 x slower, {name:<15} {statistics.median(times):7.0f} ms, at most {max(times):.0f} ms")
    return int(kilobytes >= MOST_KB or max(map(statistics.median, (online, offline))) >= MOST_MS)


def office(folder: Path) -> FieldOffice:
    """Fifteen visits of twelve minutes, one every twenty-four."""
    made = FieldOffice(folder)
    stops = []
    with made.store.write(audited=False) as unit:
        for number in range(1, STOPS + 1):
            place = spot(80 * number, 600 * (number % 3) + 8)
            account = replace(BAKERY, id=f"B{number}", name=f"Customer {number}")
            unit.records(AREA).save(account)
            unit.records(AREA).save_locations(located(account, place))
            begin = at("09:10", plus=24 * (number - 1))[11:16]
            visit = town_visit(1, BAKERY, begin, at(begin, plus=12)[11:16])
            named = {"visit_id": f"account:{account.id}", "record_ids": [account.id], "name": account.name}
            stops.append(visit | named | {"stop": number, "lat": place.lat, "lon": place.lon})
        document = plan([rep_day("ann", stops)])
        unit.plans(AREA).add(StoredPlan(0, AREA, date(2026, 11, 30), 2, MORNING, MORNING, 6, 0, 3600, document))
    return made


def first_load(phone: BrowserContext, server: Server) -> float:
    """Bytes that come over the wire."""
    page = phone.new_page()
    network = phone.new_cdp_session(page)
    network.send("Network.enable")
    addresses: dict[str, str] = {}
    sizes: dict[str, float] = {}
    network.on("Network.requestWillBeSent", lambda e: addresses.update({e["requestId"]: e["request"]["url"]}))
    network.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
    page.goto(server.base + APP)
    page.get_by_role("button", name="Map").first.click()
    page.wait_for_function("() => document.querySelectorAll('canvas.leaflet-tile-loaded').length > 0")
    page.wait_for_function(KEPT)
    page.close()
    return sum(size for id, size in sizes.items() if "basemap.pmtiles" not in addresses[id])


def started(phone: BrowserContext, server: Server, times: int) -> list[float]:
    """Milliseconds until the day is shown, each time in a new tab."""
    taken = []
    for _ in range(times):
        page = phone.new_page()
        device = phone.new_cdp_session(page)
        device.send("Network.enable")
        device.send("Network.emulateNetworkConditions", SLOW_3G)
        device.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        begun = time.perf_counter()
        page.goto(server.base + APP, wait_until="commit")
        page.wait_for_selector(".field-updated")
        taken.append(1000 * (time.perf_counter() - begun))
        page.close()
    return taken


if __name__ == "__main__":
    sys.exit(main())
