"""fieldvisit bench coverage: the coverage map with thousands of made-up customers, measured on the server and in a
browser. The only importer of Playwright, which is there for tests: without it the browser's figures are left out."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from types import MappingProxyType
from typing import TYPE_CHECKING

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from planner.access import Role
from planner.benchmarking.accounts import make_company
from planner.coverage.keeping import key_of
from planner.coverage.making import make_coverage
from planner.coverage.material import Material
from planner.coverage.packing import pack
from planner.people.accounts import NewUser, add_user
from planner.people.fresh import new_id
from planner.people.sessions import start_session
from planner.repository import Store
from planner.settings import LoginSettings, MapSettings, OidcSettings, Settings, WebSettings
from planner.storage import open_store
from routing.area import Area, Areas
from webui.app import create_app
from webui.auth.authenticating import SESSION_COOKIE
from webui.errors import WebError

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Response as BrowserResponse

REQUESTS = 20
GZIP = MappingProxyType({"Accept-Encoding": "gzip"})
RUNS = 3
"""Of the browser, each with nothing in its cache."""
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
NO_BROWSER = "the browser's figures need Playwright and Chromium: pip install playwright"

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class BrowserFigures:
    """Milliseconds from the beginning of the navigation, the middle of `RUNS`.

    Attributes:
        drawn_ms: until every customer is on the map.
        interactive_ms: until the map has answered the first pan after that.
        slide_ms: from a step of the time slider until it is drawn.
        streets_kb: what of the base map was fetched; it is neither page nor data.
    """

    drawn_ms: float
    interactive_ms: float
    slide_ms: float
    streets_kb: float


@dataclass(frozen=True)
class CoverageFigures:
    """What `fieldvisit bench coverage` tells.

    Attributes:
        page_ms: of server time, the middle of `REQUESTS`; page_cpu_ms is the processor's part of it, which tells on a
            busy machine. figures_ms is of the page of figures, data_ms of the data, data_first_ms of them when nothing
            is remembered, and unchanged_ms when the browser has them already.
        before_data_kb: the page and all that it loads before the customers, as it is sent; drawing_kb: what is loaded
            once somebody draws a territory.
        data_kb: gzipped.
        browser: None where there is none, and `note` says so.
    """

    area: str
    accounts: int
    reps: int
    territories: int
    visits: int
    coverage_s: float
    page_ms: float
    page_cpu_ms: float
    figures_ms: float
    data_first_ms: float
    data_ms: float
    unchanged_ms: float
    before_data_kb: float
    page_kb: float
    drawing_kb: float
    data_kb: float
    browser: BrowserFigures | None
    note: str


def measure(area: Area, accounts: int, seed: int, settings: Settings, say: Say) -> CoverageFigures:
    """Make up the customers in a home of their own, which links to the area's folder, and measure."""
    with tempfile.TemporaryDirectory(prefix="fieldvisit-bench-") as folder:
        home = Path(folder)
        (home / "areas").mkdir()
        (home / "areas" / area.name).symlink_to(area.folder.resolve(), target_is_directory=True)
        # As nobody has set it up: by this machine's address, without a proxy or somebody else's map images.
        own = replace(
            settings,
            home=home,
            database_url=f"sqlite:///{home / 'fieldvisit.sqlite'}",
            map=MapSettings(),
            web=WebSettings(),
            login=LoginSettings(),
            oidc=OidcSettings(),
        )
        store = open_store(own.database_url)
        try:
            return _measured(store, Areas(home / "areas"), area.name, accounts, seed, own, say)
        finally:
            store.close()


def _measured(
    store: Store, areas: Areas, name: str, accounts: int, seed: int, settings: Settings, say: Say
) -> CoverageFigures:
    area = areas.get(name)
    network = area.streets()
    say("drawing customers", 0.05)
    with store.read() as unit:
        today = unit.now().date()
    company = make_company(network, area.facts().bounds, name, accounts, today, seed, settings)
    company.keep(store, name)
    say("working the coverage out", 0.3)
    begun = perf_counter()
    with store.read() as unit:
        material, key = Material.read(unit, name, settings), key_of(unit, name, settings, today)
    material = replace(material, visits=company.visits)
    coverage = make_coverage(material, name, network, settings)
    coverage_s = perf_counter() - begun
    with store.write(audited=False) as unit:
        unit.coverages.put(pack(coverage, key, unit.now()))
        manager = NewUser("manager@example.com", "Manager", Role.MANAGER, name, None)
        user = add_user(unit, manager, unit.now(), new_id())
        secret, _ = start_session(unit, user, unit.now(), "127.0.0.1", "bench")
    app = create_app(store, areas, settings)
    say("asking the server", 0.6)
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, secret)
    here = f"/a/{name}/coverage/map"
    page = client.get(here).text
    page_ms, page_cpu_ms = _middle_ms(client, here)
    begun = perf_counter()
    etag = client.get(f"{here}/accounts").headers["ETag"]
    data_first_ms = _ms_since(begun)
    assets = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    drawing = set(re.findall(r'data-geoman-[a-z]+="(/static/[^"]+)"', page))
    page_kb = _sent_kb(client, here)
    say("asking a browser", 0.7)
    with ThreadPoolExecutor(1) as own:  # Playwright does not start beside another one in a thread
        browser = own.submit(_in_browser, app, here, secret).result()
    return CoverageFigures(
        area=name,
        accounts=len(company.accounts),
        reps=len(company.reps),
        territories=len(company.territories),
        visits=sum(map(len, company.visits.values())),
        coverage_s=round(coverage_s, 1),
        page_ms=page_ms,
        page_cpu_ms=page_cpu_ms,
        figures_ms=_middle_ms(client, f"/a/{name}/coverage")[0],
        data_first_ms=data_first_ms,
        data_ms=_middle_ms(client, f"{here}/accounts")[0],
        unchanged_ms=_middle_ms(client, f"{here}/accounts", {"If-None-Match": etag})[0],
        before_data_kb=round(page_kb + sum(_sent_kb(client, url) for url in assets), 1),
        page_kb=page_kb,
        drawing_kb=round(sum(_sent_kb(client, url) for url in drawing), 1),
        data_kb=_sent_kb(client, f"{here}/accounts"),
        browser=browser,
        note="" if browser else NO_BROWSER,
    )


# --- the server -------------------------------------------------------------------------------------------------------


def _sent_kb(client: FlaskClient, address: str) -> float:
    """What is sent to a browser, which takes gzip."""
    answer = client.get(address, headers=GZIP)
    if answer.status_code != 200:
        raise WebError(f"{address} answers {answer.status}")
    return round(len(answer.data) / 1000, 1)


def _middle_ms(
    client: FlaskClient, address: str, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[float, float]:
    """Of server time and of the processor's, over `REQUESTS` after one that is not counted."""
    client.get(address, headers={**GZIP, **headers})
    took, worked = [], []
    for _ in range(REQUESTS):
        begun, began = perf_counter(), thread_time()
        client.get(address, headers={**GZIP, **headers})
        took.append(_ms_since(begun))
        worked.append((thread_time() - began) * 1000)
    return round(median(took), 1), round(median(worked), 1)


def _ms_since(begun: float) -> float:
    return round((perf_counter() - begun) * 1000, 1)


# --- the browser ------------------------------------------------------------------------------------------------------

_DRAWN = """() => new Promise(done => {
    const look = () => {
        const mark = performance.getEntriesByName("customers-drawn")[0];
        if (mark) done(mark.startTime);
        else requestAnimationFrame(look);
    };
    look();
})"""
_PANNED = """new Promise(done => map_day.once("move", () => requestAnimationFrame(() => done(performance.now()))))"""
_SLID = """() => new Promise(done => {
    const week = document.querySelector("#week"), begun = performance.now();
    week.value = Number(week.value) - 1;
    map_day.crowd.once("drawn", () => requestAnimationFrame(() => done(performance.now() - begun)));
    week.dispatchEvent(new Event("input"));
})"""


def _in_browser(app: Flask, address: str, secret: str) -> BrowserFigures | None:
    """None where there is no browser."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    with _serving(app) as base, sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        try:
            chromium = playwright.chromium.launch(executable_path=system, args=CHROMIUM_ARGUMENTS)
        except Error:
            return None
        figures = [_run(chromium, base, address, secret) for _ in range(RUNS)]
        chromium.close()
    return BrowserFigures(*(round(median(values), 1) for values in zip(*figures, strict=True)))


def _run(chromium: Browser, base: str, address: str, secret: str) -> tuple[float, float, float, float]:
    """One visit to the page: the figures of `BrowserFigures`, in their order."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": base}])
    page = context.new_page()
    streets: list[int] = []
    page.on("response", lambda got: streets.append(_length(got)) if ".pmtiles" in got.url else None)
    page.goto(f"{base}{address}", wait_until="commit")
    drawn = page.evaluate(_DRAWN)
    # The wait is put down first: what answers the mouse is what is measured, not this program.
    page.evaluate(f"window.panned = {_PANNED}; undefined")
    page.mouse.move(900, 420)
    page.mouse.down()
    page.mouse.move(860, 400, steps=3)
    page.mouse.up()
    interactive = page.evaluate("panned")
    page.wait_for_timeout(1_000)  # until the streets are drawn, too
    slide = page.evaluate(_SLID)
    context.close()
    return drawn, interactive, slide, sum(streets) / 1000


def _length(answer: BrowserResponse) -> int:
    return int(answer.headers.get("content-length", "0"))


class _Silent(WSGIRequestHandler):
    """One that does not tell of every request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def _serving(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
