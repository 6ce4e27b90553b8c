"""The coverage map: a page without data, and the addresses from which its data come as JSON."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request, url_for
from markupsafe import Markup

from planner.access import Permission, Scope
from planner.coverage.domain import Coverage
from planner.coverage.keeping import Standing, ask_if_stale, stored, summary, today_of
from planner.coverage.measures import Group
from planner.domain import RecordKind
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from routing.area import Area
from routing.errors import AreaError, RoutingError
from routing.isochrones import MINUTES
from webui.assets import asset_url
from webui.maps import MapFragments
from webui.maps import coverage_map as drawn_map
from webui.pages.opportunity import may_open
from webui.pages.plans import area_named, basemap_url, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.coverage_map import (
    SHADES,
    STATES,
    MapAccounts,
    map_accounts,
    map_businesses,
    territory_features,
    told,
)
from webui.words import count, duration, said

coverage_map = Blueprint("coverage_map", __name__)

SCRIPTS = ("covered.js", "territories.js", "around.js", "drawing.js", "map.js")
MOST_NAMED = 50
"""So many customers are told by name at once."""
MAPS_KEPT = 8
FORMAT = 1
"""Raised whenever the data come in another shape, so that no browser takes what it has kept for it."""


@dataclass(frozen=True)
class KeptMap:
    """The accounts of a coverage as somebody sees them, and their data as they are sent."""

    coverage: Coverage
    accounts: MapAccounts
    gzipped: bytes


@coverage_map.get("/a/<area>/coverage/map")
@allow(Permission.SEE_FIGURES)
def page(area: str) -> Any:
    chosen = area_named(area)
    stands = ask_if_stale(sources().store, viewer().actor, chosen.name, settings(), now(), new_id)
    drawn = _drawn(chosen)
    return render_template(
        "coverage_map.html",
        area=chosen,
        map=drawn,
        note=_note(stands),
        undrawable=not drawn.script,
        states=STATES,
        measures=[(key, shade.title) for key, shade in SHADES.items()],
        bands=MINUTES,
        urls=_urls(chosen),
        figures_url=_page_url("coverage.figures", chosen),
        addresses_url=_page_url("records.addresses", chosen),
        white_space_url=_page_url("territories.white_space", chosen),
        territories_url=_page_url("territories.page", chosen),
        may_draw=may_open("territories.draw"),
    )


@coverage_map.get("/a/<area>/coverage/map/accounts")
@allow(Permission.SEE_FIGURES)
def accounts(area: str) -> Response:
    """Where all customers are and how they are looked after, without a name; see `map_accounts`."""
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        stamp = _stamp(unit, chosen)
    if stamp and stamp in request.if_none_match:
        return _lasting(Response(status=304), stamp)
    kept = _kept(chosen)
    if kept is None:
        return _refused(404, "Coverage is being worked out for the first time.")
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(kept.gzipped if packed else kept.accounts.document, mimetype="application/json")
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    return _lasting(response, kept.accounts.stamp)


@coverage_map.get("/a/<area>/coverage/map/customers")
@allow(Permission.SEE_FIGURES)
def customers(area: str) -> Response:
    """Names, and what a popup says, of those with the numbers `n` in the data with this `stamp`."""
    chosen = area_named(area)
    kept = _kept(chosen)
    if kept is None or kept.accounts.stamp != request.args.get("stamp"):
        return _refused(409, "The coverage has been worked out anew.")
    numbers = [int(text) for text in request.args.getlist("n")[:MOST_NAMED] if re.fullmatch(r"[0-9]{1,9}", text)]
    linked = may_open("customer.page")
    found = []
    for account in kept.accounts.of(numbers):
        name, lines = told(account, kept.coverage)
        url = url_for("customer.page", area=chosen.name, id=account.account_id) if linked else ""
        found.append({"name": name, "lines": lines, "url": url})
    return _json({"customers": found})


@coverage_map.get("/a/<area>/coverage/map/territories")
@allow(Permission.SEE_FIGURES)
def territories(area: str) -> Response:
    """The territories as GeoJSON with their figures."""
    chosen, scope = area_named(area), viewer().scope
    with sources().store.read(scope) as unit:
        figures, coverage = summary(unit, chosen.name, scope), stored(unit, chosen.name, scope)
        shapes = unit.territories.find(area=chosen.name)
    if figures is None or coverage is None:
        return _refused(404, "Coverage is being worked out for the first time.")
    return _json(territory_features(coverage, figures.rows[Group.TERRITORY], shapes))


@coverage_map.get("/a/<area>/coverage/map/white-space")
@allow(Permission.SEE_FIGURES)
def white_space(area: str) -> Response:
    """The businesses that are no customer of anybody's, of the categories that customers have; see `map_businesses`."""
    chosen, scope = area_named(area), viewer().scope
    with sources().store.read(scope) as unit:
        today = today_of(unit, chosen.name)
    try:
        found = sources().white_space(scope, chosen, today)
    except AreaError as error:
        return _refused(404, said(str(error)))
    return _json(map_businesses(found))


@coverage_map.get("/a/<area>/coverage/map/isochrones")
@allow(Permission.SEE_FIGURES)
def isochrones(area: str) -> Response:
    """As far as `rep` drives from where their day starts in `MINUTES`, as GeoJSON."""
    chosen, rep_id = area_named(area), request.args.get("rep", "")
    with sources().store.read(viewer().scope) as unit:
        records = unit.records(chosen.name)
        rep = records.get(RecordKind.REP, rep_id) if rep_id and "\0" not in rep_id else None
        location = records.location(RecordKind.REP, rep_id) if rep else None
    if rep is None:
        return _refused(404, "There is no such rep.")
    if location is None or location.place is None:
        return _refused(404, f"Nobody knows where {rep.name} starts: settle the address first.")
    try:
        shapes = sources().reached(chosen, location.place)
    except RoutingError as error:
        return _refused(503, f"The streets cannot be read: {error}.")
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"minutes": minutes}}
        for minutes, shape in zip(MINUTES, shapes, strict=True)
    ]
    base = [location.place.lat, location.place.lon]
    return _json({"type": "FeatureCollection", "base": base, "features": features})


# --- accounts as they are kept ----------------------------------------------------------------------------------------


def _kept(area: Area) -> KeptMap | None:
    """The accounts that the viewer sees of the coverage worked out last; packed once for all who see the same."""
    maps: OrderedDict[str, KeptMap] = current_app.extensions.setdefault("coverage_maps", OrderedDict())
    with sources().store.read(viewer().scope) as unit:
        stamp = _stamp(unit, area)
        if stamp in maps:
            return maps[stamp]
        coverage = stored(unit, area.name, viewer().scope) if stamp else None
    if coverage is None:
        return None
    packed = map_accounts(coverage, stamp)
    maps[stamp] = kept = KeptMap(coverage, packed, gzip.compress(packed.document, 9, mtime=0))
    while len(maps) > MAPS_KEPT:
        maps.popitem(last=False)
    return kept


def _stamp(unit: UnitOfWork, area: Area) -> str:
    """Of the coverage worked out last, as the viewer sees it; empty where there is none."""
    made = unit.coverages.columns(("made_at",), "as_of", date.min, date.max, area=area.name)
    if not made:
        return ""
    of = f"{FORMAT} {area.folder} {made[0][0].isoformat()} {_seen(viewer().scope)}"
    return hashlib.sha256(of.encode()).hexdigest()[:20]


def _seen(scope: Scope) -> str:
    return repr((scope.reps if scope.reps is None else sorted(scope.reps), scope.unassigned))


# --- the page ---------------------------------------------------------------------------------------------------------


def _note(stands: Standing) -> str:
    """As of when it is, and what is being done where that is not now."""
    if stands.made_at is None:
        return "Coverage is being worked out for the first time: the customers appear when that is done."
    ago = now() - stands.made_at
    when = count(ago.days, "day") if ago.days > 1 else duration(max(0.0, ago.total_seconds()))
    if stands.fresh:
        since = "nothing has changed since"
    elif stands.under_way:
        since = "it is being worked out anew: load the page again in a while"
    else:
        since = "records have changed since"
    return f"Worked out {when} ago; {since}."


def _drawn(area: Area) -> MapFragments:
    """Streets without customers; nothing where nobody knows where the streets are."""
    try:
        bounds = area.facts().bounds
    except AreaError:
        nothing = Markup()
        return MapFragments(nothing, nothing, nothing, ())
    scripts = [f"coverage/{name}" for name in SCRIPTS]
    drawn = drawn_map(bounds, basemap_url(area), g.nonce, sources().tiles, *scripts)
    g.image_origins = drawn.image_origins
    return drawn


def _urls(area: Area) -> dict[str, str]:
    """What the map's scripts ask for, by what they call it."""
    own = ("accounts", "customers", "territories", "white_space", "isochrones")
    urls = {name: url_for(f"coverage_map.{name}", area=area.name) for name in own}
    if may_open("territories.draw"):
        urls |= {
            "draw": url_for("territories.draw", area=area.name),
            "reshape": url_for("territories.reshape", area=area.name, territory_id="_ID_"),
            "geoman_js": asset_url("vendor/geoman/geoman.js"),
            "geoman_css": asset_url("vendor/geoman/geoman.css"),
        }
    return urls


def _page_url(endpoint: str, area: Area) -> str:
    return url_for(endpoint, area=area.name) if may_open(endpoint) else ""


# --- answers ----------------------------------------------------------------------------------------------------------


def _json(document: object) -> Response:
    return Response(json.dumps(document, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


def _refused(status: int, why: str) -> Response:
    response = _json({"detail": why})
    response.status_code = status
    return response


def _lasting(response: Response, stamp: str) -> Response:
    response.set_etag(stamp)
    return response
