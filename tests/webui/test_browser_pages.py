"""The pages in a real browser: what a rep sees on a phone and a planner on a desk."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyrosm
import pytest
from conftest import Serve, Watched
from hostile import HOSTILE
from plan_cast import MONDAY, Office, plan, rep_day, stop, stops_in_a_row, unplanned

from routing.area import Areas

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}
ANN = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"
TEAM = f"/a/helsinki/day/{MONDAY}"
PAGES = ("/", TEAM, ANN, "/a/helsinki/unplanned", "/a/helsinki/addresses", "/nowhere")


@pytest.fixture(scope="session")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real area: streets and base map of central Helsinki (© OpenStreetMap contributors)."""
    folder = tmp_path_factory.mktemp("areas")
    Areas(folder).add("helsinki", Path(pyrosm.get_data("helsinki_pbf")))
    return folder


@pytest.fixture
def office(helsinki: Path, tmp_path: Path) -> Office:
    shutil.copytree(helsinki, tmp_path, dirs_exist_ok=True)
    made = Office(tmp_path)
    left_out = [unplanned(f"A{number}") for number in range(40)]
    broken = unplanned("O1", kind="appointment", reason="appointment_impossible")
    made.keep(plan([rep_day(stops=stops_in_a_row(8)), rep_day("b/1")], unplanned=[*left_out, broken]))
    return made


Watch = Callable[..., Watched]


def settled(watched: Watched) -> None:
    """Wait until the map, if there is one, has drawn its base map."""
    page = watched.page
    if page.locator(".day-map").count():
        page.wait_for_selector(".leaflet-marker-icon")
        page.wait_for_function("() => document.querySelectorAll('canvas.leaflet-tile-loaded').length > 0")


@pytest.mark.parametrize(
    ("size", "scheme"), [(SMALL_PHONE, "light"), (PHONE, "dark"), (DESK, "light")], ids=["360", "390 dark", "1280"]
)
def test_no_page_scrolls_sideways_complains_or_asks_another_host(
    office: Office, serve: Serve, watch: Watch, size: dict[str, int], scheme: str
) -> None:
    base = serve(office.app)
    watched = watch(viewport=size, color_scheme=scheme)
    for address in PAGES:
        watched.page.goto(base + address)
        settled(watched)
        wide = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, address
    assert watched.hosts() == {base}
    complaints = [said for said in watched.errors if "404" not in said]
    assert complaints == []


def test_the_roads_of_a_day_are_drawn_along_streets(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=DESK)
    watched.page.goto(serve(office.app) + ANN)
    settled(watched)
    assert "straight lines" not in watched.page.content()
    path = watched.page.locator("path.leg").first.get_attribute("d")
    assert path is not None
    assert len(re.findall(r"[ML]", path)) > 2


def test_dark_mode_is_dark(office: Office, serve: Serve, watch: Watch) -> None:
    base = serve(office.app)
    shades = []
    for scheme in ("light", "dark"):
        watched = watch(viewport=DESK, color_scheme=scheme)
        watched.page.goto(base + ANN)
        colour = watched.page.locator(".day-list").evaluate("node => getComputedStyle(node).backgroundColor")
        shades.append(sum(int(part) for part in re.findall(r"\d+", colour)[:3]))
    assert shades[0] > 700 > 150 > shades[1]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_the_keyboard_reaches_every_stop_opens_its_popup_and_comes_back(
    office: Office, serve: Serve, watch: Watch, size: dict[str, int]
) -> None:
    watched = watch(viewport=size, reduced_motion="reduce")
    page = watched.page
    page.goto(serve(office.app) + ANN)
    settled(watched)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached: list[str] = []
    for _ in range(90):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.matches('.stops-title') ? document.activeElement.textContent : ''")
        if not name or name in reached:
            continue
        reached.append(name)
        page.keyboard.press("Enter")
        page.wait_for_function("name => document.querySelector('.popup-title')?.textContent.endsWith(name)", arg=name)
        page.keyboard.press("Escape")
        page.wait_for_function(
            "name => document.activeElement.textContent === name && !document.querySelector('.popup-title')", arg=name
        )
        if len(reached) == 8:
            break
    assert reached == [f"Customer {number}" for number in range(1, 9)]


def test_focus_can_be_seen_on_every_control(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=DESK)
    page = watched.page
    base = serve(office.app)
    for address in ("/", "/a/helsinki/unplanned"):
        page.goto(base + address)
        for _ in range(15):
            page.keyboard.press("Tab")
            outline = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
            assert outline >= 2, page.evaluate("document.activeElement.outerHTML")


def test_on_a_phone_controls_are_large_enough_for_a_thumb(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=PHONE)
    page = watched.page
    base = serve(office.app)
    selector = ".top a, .button, .chip, .picker select, .stops-title, .stops-links a, .day-card-rep, summary"
    for address in PAGES[:4]:
        page.goto(base + address)
        small = page.locator(selector).evaluate_all(
            "nodes => nodes.filter(node => node.offsetParent && node.getBoundingClientRect().height < 43.5)"
            ".map(node => node.outerHTML)"
        )
        assert small == [], address


def test_on_a_phone_the_map_stays_in_sight_above_the_list(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=PHONE)
    page = watched.page
    page.goto(serve(office.app) + ANN)
    settled(watched)
    page.locator("#stop-8").scroll_into_view_if_needed()
    box = page.locator(".day-map").bounding_box()
    assert box is not None
    assert box["y"] == 0
    assert box["height"] < PHONE["height"] / 2


def test_on_a_desk_the_list_stands_beside_the_map(office: Office, serve: Serve, watch: Watch) -> None:
    page = watch(viewport=DESK).page
    page.goto(serve(office.app) + ANN)
    beside, chart = page.locator(".day-list").bounding_box(), page.locator(".day-map").bounding_box()
    assert beside is not None
    assert chart is not None
    assert beside["x"] + beside["width"] <= chart["x"]
    assert chart["height"] > 600


def test_a_phone_gets_cards_and_a_desk_gets_the_table(office: Office, serve: Serve, watch: Watch) -> None:
    base = serve(office.app)
    for size, table, cards in ((PHONE, False, True), (DESK, True, False)):
        page = watch(viewport=size).page
        page.goto(base)
        assert page.locator(".week").is_visible() is table
        assert page.locator(".day-card").first.is_visible() is cards


def test_a_rep_can_be_switched_off_on_the_team_s_map(office: Office, serve: Serve, watch: Watch) -> None:
    watched = watch(viewport=DESK)
    page = watched.page
    page.goto(serve(office.app) + TEAM)
    settled(watched)
    assert page.locator(".stop.route-1").count() == 2
    page.get_by_label("B/1").uncheck()
    page.wait_for_function("() => document.querySelectorAll('.stop.route-1').length === 0")
    assert page.locator(".stop.route-0").count() == 8


def test_hostile_names_run_nothing_on_any_page(office: Office, serve: Serve, watch: Watch) -> None:
    names = [name for name in HOSTILE if len(name) < 2000]
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    days = []
    for number, half in enumerate(halves):
        stops = [
            stop(place % 9 + 1, name=name, address=name, why=name, record_ids=[name]) for place, name in enumerate(half)
        ]
        days.append(rep_day(stops=stops) | {"rep_id": half[number], "rep_name": half[number + 1]})
    listed = [{"record_id": name, "name": name, "sentence": name} for name in names]
    left_out = [unplanned(name, name=name, sentence=name) for name in names]
    office.keep(plan(days, unplanned=left_out, returned_to_inside=listed, dormant=listed, notes=names))
    base = serve(office.app)
    watched = watch(viewport=DESK)
    page = watched.page
    page.goto(base)
    links = page.locator("a.week-cell").evaluate_all("nodes => nodes.map(node => node.href)")
    assert len(links) == 2
    for address in (base, *links, base + TEAM, f"{base}/a/helsinki/unplanned"):
        page.goto(address)
        settled(watched)
        for button in page.locator(".stops-title").all()[:3]:
            button.click()
        page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
        assert page.evaluate("window.__ran") is None
    assert watched.errors == []
    assert watched.hosts() == {base}


def test_a_day_of_twenty_stops_is_under_300_kb_without_the_base_map(office: Office, serve: Serve, watch: Watch) -> None:
    office.keep(plan([rep_day(stops=stops_in_a_row(20))]))
    watched = watch(viewport=PHONE)
    sent: list[int] = []
    watched.page.on(
        "requestfinished",
        lambda done: "basemap" not in done.url and sent.append(done.sizes()["responseBodySize"]),
    )
    watched.page.goto(serve(office.app) + ANN)
    settled(watched)
    assert 20_000 < sum(sent) < 300_000
    page = office.page(ANN).encode()
    assert len(page) < 300_000
    assert len(gzip.compress(page)) < 30_000
