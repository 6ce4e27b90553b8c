"""Maps by Folium. The only importer of Folium and branca.

Folium compiles the text it has rendered as a Jinja template once more, and writes names into scripts; so no text of
a customer goes through it. Folium draws the skeleton (map, base map, one group a route, layer control); names and
geometry travel beside it as JSON, which static/map.js turns into markers and puts on the page as plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, TypeVar

import folium
from branca.element import Element, Figure, Link, MacroElement
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.template import Template
from folium.utilities import JsCode
from markupsafe import Markup

from webui.assets import asset_url
from webui.errors import MapError
from webui.maps.domain import MapFragments, MapRoute, TileServer, check_place, packed

_LINKS = {
    "leaflet": "vendor/leaflet/leaflet.js",
    "leaflet_css": "vendor/leaflet/leaflet.css",
    "protomaps": "vendor/protomaps-leaflet/protomaps-leaflet.js",
    "map": "map.js",
    "supercluster": "vendor/supercluster/supercluster.js",
    "crowd": "coverage/crowd.js",
    "jquery": None,
    "bootstrap": None,
    "bootstrap_css": None,
    "awesome_markers": None,
    "awesome_markers_css": None,
    "awesome_markers_font_css": None,
    "awesome_rotate_css": None,
    "glyphicons_css": None,
}
"""Name of a Folium link -> our own file, or None for what our maps do not use. A name that is not here is an error."""


def day_map(route: MapRoute, basemap_url: str | None, nonce: str, tiles: TileServer | None = None) -> MapFragments:
    """One rep's day: numbered stops, the roads between them with their direction, and home.

    Args:
        route: what to draw.
        basemap_url: where the area's PMTiles file is served, if it has one; must take range requests.
        nonce: of the response, for its Content-Security-Policy.
        tiles: an online tile server to use in place of the base map.
    """
    return _fragments([route], basemap_url, nonce, tiles, with_control=False)


def team_map(
    routes: Sequence[MapRoute], basemap_url: str | None, nonce: str, tiles: TileServer | None = None
) -> MapFragments:
    """The day of a whole team, one layer a rep to switch on and off; arguments as for `day_map`."""
    return _fragments(routes, basemap_url, nonce, tiles, with_control=True)


def bare_map(
    bounds: tuple[float, float, float, float],
    basemap_url: str | None,
    nonce: str,
    tiles: TileServer | None,
    script: str,
) -> MapFragments:
    """Streets with nothing on them yet, within south, west, north and east; `script`, a file of ours, is given the map
    as `fieldvisit.listen` and draws. Other arguments as for `day_map`."""
    return _drawn(_chart(*_corners(bounds), basemap_url, tiles), [], nonce, tiles, script)


def coverage_map(
    bounds: tuple[float, float, float, float],
    basemap_url: str | None,
    nonce: str,
    tiles: TileServer | None,
    *scripts: str,
) -> MapFragments:
    """As `bare_map`, for thousands of places, which none of it holds: the scripts fetch them and give them to
    `map.crowd` (static/coverage/crowd.js), which draws and clusters them on a canvas."""
    chart = _chart(*_corners(bounds), basemap_url, tiles)
    _named(_Crowd(), "places").add_to(chart)
    return _drawn(chart, [], nonce, tiles, *scripts)


def field_map(
    bounds: tuple[float, float, float, float], basemap_url: str | None, nonce: str, tiles: TileServer | None
) -> MapFragments:
    """Streets for the phone app, which are drawn once somebody looks at a map; arguments as for `bare_map`.

    The script says which libraries the map needs, `fieldMap.scripts`, and how it is made when they are there:
    `fieldMap.draw()`; and where the streets end, `fieldMap.bounds`. static/field/map.js puts the days on it.
    """
    south_west, north_east = _corners(bounds)
    chart = _chart(south_west, north_east, basemap_url, tiles)
    links, html, script = _rendered(chart)
    scripts = json.dumps([asset_url(name) for name in dict.fromkeys([*links, "map.js"]) if name.endswith(".js")])
    corners = json.dumps([south_west, north_east])
    drawing = f"draw() {{ {script}\nreturn {chart.get_name()}; }}"
    made = f"window.fieldMap = {{ scripts: {scripts}, {drawing}, bounds: {corners} }};"
    return MapFragments(
        head=_lines(
            Markup('<link rel="stylesheet" href="{}">').format(asset_url(name))
            for name in links
            if name.endswith(".css")
        ),
        body=Markup(html),
        script=Markup(f'<script nonce="{_plain(nonce)}">{made}</script>'),
        image_origins=(tiles.origin,) if tiles else (),
    )


def _corners(bounds: tuple[float, float, float, float]) -> tuple[list[float], list[float]]:
    """South-west and north-east of south, west, north and east."""
    south, west, north, east = bounds
    for lat, lon in ((south, west), (north, east)):
        check_place(lat, lon, "the bounds")
    return [south, west], [north, east]


# --- Folium, with its second compilation left out ---------------------------------------------------------------------


class _Verbatim(Element):
    """Text that is rendered as it is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self, **kwargs: Any) -> str:
        return self._text


class _Safe(MacroElement):
    """Comes last among the bases of our elements, where it takes the place of MacroElement's own `render`.

    That one hands what the element's macros have rendered to `Element(text)`, which compiles it as a template: text
    such as `{{ … }}` in a name would run on the server. Here the rendered text is kept as it is.
    """

    def render(self, **kwargs: Any) -> str:
        figure = self.get_root()
        for part in ("html", "script"):
            macro = getattr(self._template.module, part, None)
            if macro is not None:
                getattr(figure, part).add_child(_Verbatim(macro(self, kwargs)), name=self.get_name())
        for child in list(self._children.values()):
            child.render(**kwargs)
        return ""


class _Map(folium.Map, _Safe):
    pass


class _TileLayer(folium.TileLayer, _Safe):
    pass


class _FitBounds(folium.FitBounds, _Safe):
    pass


class _LayerControl(folium.LayerControl, _Safe):
    pass


class _Basemap(JSCSSMixin, Layer, _Safe):
    """The area's PMTiles file, drawn in the browser in the colours of the page's light or dark mode."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = fieldvisit.basemap({{ this.url|tojson }});
        {% endmacro %}
    """)

    def __init__(self, url: str) -> None:
        super().__init__(control=False)
        self._name = "Basemap"
        self.default_js = [("protomaps", "")]
        self.url = url


class _Route(JSCSSMixin, folium.FeatureGroup, _Safe):
    """One route of the map's data."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = fieldvisit.route({{ this.data_id|tojson }}, {{ this.index }});
        {% endmacro %}
    """)

    def __init__(self, data_id: str, index: int, label: str) -> None:
        super().__init__(name=label)
        self._name = "Route"
        self.default_js = [("map", "")]
        self.data_id = data_id
        self.index = index


class _Crowd(JSCSSMixin, Layer, _Safe):
    """Thousands of places, which a script gives it."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = fieldvisit.crowd();
        {% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__(control=False)
        self._name = "Crowd"
        self.default_js = [("map", ""), ("supercluster", ""), ("crowd", "")]


def _fragments(
    routes: Sequence[MapRoute], basemap_url: str | None, nonce: str, tiles: TileServer | None, *, with_control: bool
) -> MapFragments:
    south_west, north_east = _frame(routes)
    chart = _chart(south_west, north_east, basemap_url, tiles)
    for index, route in enumerate(routes):
        label = f'<i class="swatch route-{route.colour}" data-route="{index}"></i> {_plain(route.rep_name)}'
        _named(_Route(f"{chart.get_name()}_data", index, label), str(index)).add_to(chart)
    if with_control:
        options: dict[str, Any] = {"collapsed": JsCode("fieldvisit.isNarrow()")}
        _named(_LayerControl(**options), "reps").add_to(chart)
    return _drawn(chart, routes, nonce, tiles, "day.js")


def _chart(south_west: list[float], north_east: list[float], basemap_url: str | None, tiles: TileServer | None) -> _Map:
    """A map of these corners with what lies under everything else."""
    centre = [(low + high) / 2 for low, high in zip(south_west, north_east, strict=True)]
    chart = _named(_Map(centre, zoom_start=12, tiles=None, control_scale=True, min_zoom=6, maxZoom=19), "day")
    frame = _named(_FitBounds([south_west, north_east], padding=(36, 36), max_zoom=16), "all")
    frame.options["animate"] = False  # an animation that goes on would undo what a page's script looks at first
    frame.add_to(chart)
    if tiles is not None:
        layer = _TileLayer(tiles.url, attr=_plain(tiles.attribution), control=False, max_zoom=19, class_name="raster")
        _named(layer, "online").add_to(chart)
    elif basemap_url is not None:
        _named(_Basemap(basemap_url), "area").add_to(chart)
    return chart


def _drawn(
    chart: _Map, routes: Sequence[MapRoute], nonce: str, tiles: TileServer | None, *last_scripts: str
) -> MapFragments:
    links, html, script = _rendered(chart)
    data = json.dumps([_route_data(route) for route in routes], separators=(",", ":")).replace("<", "\\u003c")
    scripts = [asset_url(name) for name in (*dict.fromkeys([*links, "map.js"]), *last_scripts) if name.endswith(".js")]
    styles = [asset_url(name) for name in links if name.endswith(".css")]
    return MapFragments(
        head=_lines(Markup('<link rel="stylesheet" href="{}">').format(url) for url in styles),
        body=Markup(f'{html}<script type="application/json" id="{chart.get_name()}_data">{data}</script>'),
        script=_lines(
            [
                *(Markup('<script src="{}"></script>').format(url) for url in scripts),
                Markup(f'<script nonce="{_plain(nonce)}">{script}\nfieldvisit.listen({chart.get_name()});</script>'),
            ]
        ),
        image_origins=(tiles.origin,) if tiles else (),
    )


_E = TypeVar("_E", bound=MacroElement)


def _lines(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _frame(routes: Sequence[MapRoute]) -> tuple[list[float], list[float]]:
    """South-west and north-east corners of all that is drawn."""
    points = [point for route in routes for leg in route.legs for point in leg]
    points += [(stop.lat, stop.lon) for route in routes for stop in route.stops]
    points += [(home.lat, home.lon) for route in routes for home in route.homes]
    if not points:
        raise MapError("a map needs at least one place")
    lats, lons = zip(*points, strict=True)
    return [min(lats), min(lons)], [max(lats), max(lons)]


def _named(element: _E, ident: str) -> _E:
    """The element under a name that is the same for the same map, where Folium draws a random one."""
    element._id = ident
    return element


def _rendered(chart: MacroElement) -> tuple[list[str], str, str]:
    """Our files for the links that the map asks for, in order; its markup; and its script.

    What Folium's own map puts into the page's head (a viewport, styles for a page of its own) is left out.
    """
    figure = chart.get_root()
    assert isinstance(figure, Figure)
    _refuse_unsafe(chart)
    chart.render()
    links = []
    for name, child in figure.header._children.items():
        if isinstance(child, Link):
            if name not in _LINKS:
                raise MapError(f"Folium asks for {name!r}, which is not among the installed libraries")
            file = _LINKS[name]
            if file is not None:
                links.append(file)
    return links, figure.html.render(), figure.script.render()


def _refuse_unsafe(element: Element) -> None:
    if not isinstance(element, _Safe):
        raise MapError(f"{type(element).__name__} would compile its text on the server; give it a _Safe subclass")
    for child in element._children.values():
        _refuse_unsafe(child)


def _route_data(route: MapRoute) -> dict[str, Any]:
    """What static/map.js draws of a route."""
    return {
        "rep": route.rep_name,
        "colour": route.colour,
        "homes": [[home.lat, home.lon, home.title, home.hotel] for home in route.homes],
        "stops": [
            {
                "number": stop.number,
                "at": [stop.lat, stop.lon],
                "title": stop.title,
                "subtitle": stop.subtitle,
                "kind": stop.kind,
                "anchor": stop.anchor,
            }
            for stop in route.stops
        ],
        "legs": [packed(leg) for leg in route.legs],
    }


_BEYOND_HTML = str.maketrans({char: f"&#{ord(char)};" for char in "`${}%\\\n"} | {"\r": "", "\0": ""})


def _plain(text: str) -> str:
    """Text for the few places where it must pass through Folium: no sign of HTML, JavaScript or Jinja is left."""
    return escape(text, quote=True).translate(_BEYOND_HTML)
