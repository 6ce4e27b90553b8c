"""The phone app: one page an area that a phone keeps, its service worker and its manifest. The rest is static/field.

The page names nobody and shows no day, so that whoever has the phone may keep it; what is somebody's comes by the API.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for

from planner.access import Permission
from routing.area import Area
from routing.errors import AreaError
from webui.assets import STATIC, asset_url
from webui.auth.csrf import csrf_token
from webui.auth.forms import remember_who
from webui.maps import MapFragments, field_map
from webui.pages.plans import area_named, basemap_url, sources
from webui.policy import allow, public, viewer

field_app = Blueprint("field_app", __name__, url_prefix="/field")

LIBRARIES = {
    "idb": "vendor/idb/index.js",
    "sortablejs": "vendor/sortablejs/sortable.js",
    "lit-html": "vendor/lit-html/lit-html.js",
    "lit-html/directives/live.js": "vendor/lit-html/directives/live.js",
}
"""What a module may import by a bare name -> our own file."""

LIBRARY_PARTS = ("vendor/lit-html/directive.js", "vendor/lit-html/directive-helpers.js")
"""What those files import themselves."""

STYLES = ("vendor/leaflet/leaflet.css", "app.css", "field.css")
SCRIPTS = ("vendor/leaflet/leaflet.js", "vendor/protomaps-leaflet/protomaps-leaflet.js", "map.js", "field/deliver.js")
IN_WORKER = ("vendor/idb/umd.js", "field/deliver.js")
ICONS = ("icon.svg", "field/icon-192.png")
PAGE = "field.html"

THEME = "#0b57a4"
MANIFEST = {
    "id": "/field/",
    "name": "fieldvisit: my day",
    "short_name": "My day",
    "description": "The day's visits, also without a signal.",
    "scope": "/field/",
    "display": "standalone",
    "orientation": "any",
    "background_color": "#f6f5f2",
    "theme_color": THEME,
}


@field_app.get("/")
@allow(Permission.REPORT)
def first_area() -> Any:
    """To the area of whoever asks."""
    areas = sources().areas_in(viewer().scope) or abort(404, description="There is no area yet.")
    return redirect(url_for("field_app.app", area=areas[0].name), 303)


@field_app.get("/<area>/")
@allow(Permission.REPORT)
def app(area: str) -> Response:
    """The page that the phone keeps."""
    here = area_named(area)
    drawn = _map(here)
    g.image_origins = drawn.image_origins if drawn else ()
    g.finds_itself = True
    url = basemap_url(here)
    page = render_template(
        PAGE,
        area=here,
        map=drawn,
        theme=THEME,
        imports=json.dumps({"imports": imports()}),
        modules=[asset_url(name) for name in _modules()],
        styles=[asset_url(name) for name in STYLES],
        setup={
            "area": here.name,
            "basemap": url and {"url": url, "bytes": here.basemap.stat().st_size},
            "login": url_for("login.login", next=request.path),
            "identity": url_for("field_app.identity", area=here.name),
            "wholeSite": url_for("pages.start"),
        },
    )
    response = make_response(page)
    response.headers["X-Field-Version"] = version()
    remember_who(response, viewer().user)
    return response


@field_app.get("/<area>/identity.json")
@allow(Permission.REPORT)
def identity(area: str) -> Response:
    """Who is logged in, whose days they may work on, and what their next writes carry."""
    here, asking = area_named(area), viewer()
    g.secret = True
    with sources().store.read(asking.scope) as unit:
        reps = [{"id": rep.id, "name": rep.name} for rep in unit.records(here.name).reps()]
    told = {
        "user": {"id": asking.user.id, "name": asking.user.name},
        "reps": reps,
        "areas": [found.name for found in sources().areas_in(asking.scope)],
        "csrf": csrf_token() if asking.session else "",
    }
    response = Response(json.dumps(told, ensure_ascii=False), mimetype="application/json")
    if asking.session:
        remember_who(response, asking.user)
    return response


@field_app.get("/sw.js")
@public
def service_worker() -> Response:
    """The service worker, with all that it keeps and the version of that."""
    setup = {"version": version(), "keeps": keeps(), "imports": [asset_url(name) for name in IN_WORKER]}
    code = (STATIC / "field" / "sw.js").read_text("utf-8")
    response = Response(f"const SETUP = {json.dumps(setup)};\n{code}", mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@field_app.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What makes the app installable; it opens in the area that the query names."""
    named = request.args.get("area", "")
    start = f"/field/{named}/" if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", named) else "/field/"
    icons = [
        {"src": asset_url(f"field/icon-{name}.png"), "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size, purpose in (
            ("192", "192x192", "any"),
            ("512", "512x512", "any"),
            ("maskable", "512x512", "maskable"),
        )
    ]
    response = Response(
        json.dumps(MANIFEST | {"start_url": start, "icons": icons}), mimetype="application/manifest+json"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


def imports() -> dict[str, str]:
    """The import map: bare names, and the plain addresses by which libraries import their own parts."""
    ours = {name: asset_url(name) for name in _modules()}
    libraries = {name: asset_url(file) for name, file in LIBRARIES.items()}
    parts = {f"/static/{name}": asset_url(name) for name in (*LIBRARIES.values(), *LIBRARY_PARTS)}
    return ours | libraries | parts


def keeps() -> list[str]:
    """The address of every file that the app may ever ask for: all are on the phone before it counts as installed."""
    named = [*STYLES, *SCRIPTS, *ICONS, *_modules(), *LIBRARIES.values(), *LIBRARY_PARTS]
    pictures = [f"/static/{name}" for style in STYLES for name in _pictures(style)]
    return list(dict.fromkeys([*(asset_url(name) for name in named), *pictures]))


def version() -> str:
    """Changes with anything that the phone keeps of the app; looked at at most once a second."""
    return _version(STYLES, int(time.monotonic()))


@lru_cache(maxsize=1)
def _version(_styles: tuple[str, ...], _second: int) -> str:
    ours = [STATIC / "field" / "sw.js", STATIC.parent / "templates" / PAGE]
    known = "\n".join([*keeps(), *(hashlib.sha256(file.read_bytes()).hexdigest() for file in ours)])
    return hashlib.sha256(known.encode()).hexdigest()[:12]


def _modules() -> list[str]:
    """Our own modules; what is no module, or runs apart from the page, is not among them."""
    return [name for name in _files("field") if name not in ("field/sw.js", "field/leave.js", *IN_WORKER)]


def _files(folder: str) -> list[str]:
    return sorted(file.relative_to(STATIC).as_posix() for file in (STATIC / folder).rglob("*.js"))


def _pictures(style: str) -> Iterator[str]:
    """The installed files that a style sheet names."""
    for found in re.findall(r"url\([\"']?([^)\"':#]+)[\"']?\)", (STATIC / style).read_text("utf-8")):
        name = (PurePosixPath(style).parent / found).as_posix()
        if (STATIC / name).is_file():
            yield name


def _map(area: Area) -> MapFragments | None:
    try:
        bounds = area.facts().bounds
    except AreaError:
        return None
    return field_map(bounds, basemap_url(area), g.nonce, sources().tiles)
