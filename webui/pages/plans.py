"""The pages of a plan: the week, a day, and what is not planned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, g, render_template, request, send_file, url_for

from planner.access import Permission, Scope
from planner.errors import NotFoundError
from planner.fieldwork.domain import FieldVisit
from planner.fieldwork.to_call import customers_to_call, names_of
from planner.handoffs.domain import TO_VISIT
from planner.handoffs.transitions import STATE_WORDS
from planner.repository import StoredPlan
from planner.settings import Settings
from routing.area import Area
from routing.errors import AreaError
from webui.maps import MapFragments, MapPlace, MapRoute, MapStop, day_map, team_map
from webui.policy import allow, lets_in, signed_in, viewer
from webui.presenting import DayView, PlanView, RepDayView, UnplannedView
from webui.presenting.note import note_view
from webui.presenting.progress import NOTHING_YET, DayStanding, day_standing
from webui.sources import Roads, Sources
from webui.words import KINDS, REASONS, clock, short_day

pages = Blueprint("pages", __name__)

A_YEAR_S = 365 * 24 * 3600

START_PAGES = ("pages.week", "handoffs.handoffs")
"""What an area opens with: the first of these that the viewer may see."""

CLOCK = "CLOCK"
"""Configuration key of what tells the time, a function without arguments that returns an aware datetime."""


class NoPlanError(Exception):
    """An area that has no plan yet."""

    def __init__(self, area: str) -> None:
        super().__init__(area)
        self.area = area


@dataclass(frozen=True)
class Shown:
    """The area and plan that a request is about."""

    area: Area
    stored: StoredPlan
    versions: Sequence[StoredPlan]
    published: int | None
    plan: PlanView
    asked: int | None

    @property
    def standing(self) -> str:
        """Draft, published, or published before the one that reps see."""
        return self.stored.standing(self.published)

    def url(self, endpoint: str, **values: str) -> str:
        """The address of another page on the same plan. Ids travel in the query, which takes any character."""
        query: dict[str, Any] = {**values, "area": self.area.name, "plan": self.asked}
        return url_for(f"pages.{endpoint}", **query)

    def rep_url(self, rep_day: RepDayView) -> str:
        return self.url("rep_day", day=rep_day.day.iso, rep=rep_day.rep.id)

    def day(self, iso: str) -> DayView:
        return self.plan.day(iso) or abort(404)


def sources() -> Sources:
    """The app's own Sources."""
    found: Sources = current_app.extensions["sources"]
    return found


def settings() -> Settings:
    """Of the installation."""
    found: Settings = current_app.extensions["settings"]
    return found


def now() -> datetime:
    """The time, as the app's clock tells it."""
    told: datetime = current_app.config[CLOCK]()
    return told


def area_named(name: str) -> Area:
    """The area of an address; one that the viewer may not see is not there."""
    try:
        found = sources().areas.get(name) if viewer().scope.sees(name) else None
    except AreaError:
        found = None
    return found or abort(404, description=f"There is no area “{name}”.")


def shown(area_name: str) -> Shown:
    """The plan of an address: `?plan=N`, or the one published last, or the newest."""
    area = area_named(area_name)
    asked = request.args.get("plan")
    if asked is not None and not re.fullmatch(r"[0-9]{1,9}", asked, re.ASCII):
        abort(404, description="That is no number of a plan.")
    version = None if asked is None else int(asked)
    try:
        found = sources().plan(viewer().scope, area.name, version)
    except NotFoundError:
        abort(404, description=f"There is no plan {version} in the area {area.name}.")
    if found is None:
        raise NoPlanError(area.name)
    return Shown(area, found.stored, found.versions, found.published, found.view, version)


@pages.get("/")
@signed_in
def start() -> Any:
    views = current_app.view_functions
    page = next((name for name in START_PAGES if lets_in(views[name], viewer())), None) or abort(403)
    areas = sources().areas_in(viewer().scope)
    if len(areas) == 1:
        return views[page](areas[0].name)
    return render_template("areas.html", areas=areas, page=page)


@pages.get("/a/<area>/")
@allow(Permission.SEE_DAYS)
def week(area: str) -> Any:
    here = shown(area)
    zone = here.plan.zone
    today = now().astimezone(zone).date()
    made = here.stored.created_at.astimezone(zone)
    return render_template(
        "week.html" if viewer().may(Permission.SEE_TEAM) else "own_week.html",
        here=here,
        plan=here.plan,
        made=f"{short_day(made)} {clock(made)}",
        today=today,
        tomorrow=today + timedelta(days=1),
        standings=_standings(here),
        calls=_calls(here, today),
        # A phone shows a card a day: what is still to come stands first.
        coming=sorted(here.plan.days, key=lambda day: (day.day < today, day.day)),
    )


@pages.get("/a/<area>/day/<day>")
@allow(Permission.SEE_TEAM)
def team_day(area: str, day: str) -> Any:
    here = shown(area)
    chosen = here.day(day)
    everybody = here.plan.on(chosen)
    roads = [sources().roads(here.area, rep_day) for rep_day in everybody]
    routes = [_route(*day, f"r{i}-") for i, day in enumerate(zip(everybody, roads, strict=True))]
    return render_template(
        "team.html",
        here=here,
        plan=here.plan,
        day=chosen,
        rep_days=everybody,
        map=_drawn(team_map(routes, basemap_url(here.area), g.nonce, sources().tiles)),
        problem=next((found.problem for found in roads if found.problem), ""),
        beside=_beside(here.plan.days, chosen),
        standings=_standings(here, chosen),
    )


@pages.get("/a/<area>/day/<day>/rep")
@allow(Permission.SEE_DAYS)
def rep_day(area: str, day: str) -> Any:
    here = shown(area)
    chosen = here.plan.rep_days.get((request.args.get("rep", ""), here.day(day).iso)) or abort(404)
    own_days = here.plan.of(chosen.rep)
    roads = sources().roads(here.area, chosen)
    return render_template(
        "day.html",
        here=here,
        plan=here.plan,
        rep_day=chosen,
        map=_drawn(day_map(_route(chosen, roads), basemap_url(here.area), g.nonce, sources().tiles)),
        problem=roads.problem,
        beside=_beside(own_days, chosen),
        over=_over(here, chosen),
        standing=_standings(here, chosen.day).get((chosen.rep.id, chosen.day.iso), NOTHING_YET),
        team=here.plan.on(chosen.day),
        note=note_view(
            sources().store,
            viewer(),
            here.area.name,
            chosen.rep.id,
            chosen.day.day,
            url_for("notes.save_note", area=here.area.name, day=day, rep=chosen.rep.id, plan=here.asked),
        ),
    )


def _over(here: Shown, rep_day: RepDayView) -> dict[str, str]:
    """The opportunities of a day still to come that nobody is to visit any more, by id, and what became of them."""
    if rep_day.day.day < now().astimezone(ZoneInfo(rep_day.zone)).date():
        return {}
    ids = {visit.opportunity_id for door in rep_day.doors for visit in door.visits} - {""}
    with sources().store.read(viewer().scope) as unit:
        rows = [row for id_ in ids if (row := unit.handoffs.get(here.area.name, id_)) is not None]
    return {row.opportunity_id: STATE_WORDS[row.state] for row in rows if row.state not in TO_VISIT}


def _standings(here: Shown, only: DayView | None = None) -> dict[tuple[str, str], DayStanding]:
    """How far the days are that have begun, by rep and ISO date; of the plan that reps see, or of one day of it."""
    if here.standing != "published":
        return {}
    days = here.plan.rep_days
    return standings_of(here.area.name, {key: day for key, day in days.items() if not only or key[1] == only.iso})


def standings_of(area: str, days: Mapping[tuple[str, str], RepDayView]) -> dict[tuple[str, str], DayStanding]:
    """The same of some days that reps see."""
    if not days:
        return {}
    dates = [day.day.day for day in days.values()]
    first, last = min(dates), max(dates)
    with sources().store.read(viewer().scope) as unit:
        visits = unit.field_visits.within("day", first, last, area=area)
        said = {(row.rep_id, str(row.day)): row for row in unit.day_progress.within("day", first, last, area=area)}
        names = names_of(unit, area, (id_ for row in said.values() for id_ in row.left_out))
    made: dict[tuple[str, str], list[FieldVisit]] = {}
    for visit in visits:
        made.setdefault((visit.rep_id, str(visit.day)), []).append(visit)
    return {
        key: day_standing(days[key], made.get(key, ()), said.get(key), names)
        for key in made.keys() | said.keys()
        if key in days
    }


def _calls(here: Shown, today: date) -> int:
    """How many customers the viewer has to call because a promise cannot be kept."""
    if not (viewer().may(Permission.BOOK) and viewer().may(Permission.SEE_HANDOFFS)):
        return 0
    with sources().store.read(Scope(area=here.area.name)) as unit:
        return len(customers_to_call(unit, here.area.name, today, here.plan.zone, viewer().scope))


@pages.get("/a/<area>/unplanned")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def unplanned(area: str) -> Any:
    here = shown(area)
    reason, kind = request.args.get("reason"), request.args.get("kind")
    if (reason and reason not in REASONS) or (kind and kind not in KINDS):
        abort(404)

    def chosen(reason: str | None, kind: str | None) -> list[UnplannedView]:
        entries = here.plan.unplanned
        return [e for e in entries if (not reason or e.reason == reason) and (not kind or e.kind == kind)]

    entries = chosen(reason, kind)
    return render_template(
        "unplanned.html",
        here=here,
        plan=here.plan,
        reason=reason,
        kind=kind,
        number=len(entries),
        broken=[entry for entry in entries if entry.broken_promise],
        groups=[
            (code, *REASONS[code], [e for e in entries if e.reason == code and not e.broken_promise])
            for code in REASONS
        ],
        reasons=[(code, REASONS[code][0], len(chosen(code, kind))) for code in REASONS if chosen(code, None)],
        kinds=[(code, KINDS[code], len(chosen(reason, code))) for code in KINDS if chosen(None, code)],
    )


@pages.get("/a/<area>/plan.json")
@allow(Permission.SEE_DAYS)
def plan_json(area: str) -> Response:
    here = shown(area)
    name = f"{here.area.name}-plan-{here.stored.version}.json"
    response = Response(here.stored.document, mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@pages.get("/a/<area>/basemap.pmtiles")
@signed_in
def basemap(area: str) -> Response:
    file = area_named(area).basemap
    if not file.is_file():
        abort(404)
    return send_file(file, mimetype="application/vnd.pmtiles", conditional=True, max_age=A_YEAR_S)


# --- from views of the plan to maps -----------------------------------------------------------------------------------


def basemap_url(area: Area) -> str | None:
    if not area.basemap.is_file():
        return None
    return url_for("pages.basemap", area=area.name, v=area.basemap.stat().st_mtime_ns)


def _drawn(fragments: MapFragments) -> MapFragments:
    """Notes what the map needs in the response's policy."""
    g.image_origins = fragments.image_origins
    return fragments


def _route(day: RepDayView, roads: Roads, prefix: str = "") -> MapRoute:
    stops = [
        MapStop(
            number=str(door.number),
            lat=door.lat,
            lon=door.lon,
            title=" · ".join(visit.name for visit in door.visits),
            subtitle="\n".join(
                [*(f"{visit.times} {visit.kind_label}" for visit in door.visits), door.visits[0].address]
            ),
            kind=door.kind,
            anchor=f"{prefix}{door.anchor}",
        )
        for door in day.doors
    ]
    homes = [
        MapPlace(home.lat, home.lon, ", ".join(filter(None, (home.title, home.hotel, home.address))), bool(home.hotel))
        for home in day.homes
    ]
    return MapRoute(day.rep.name, tuple(stops), tuple(homes), roads.lines, day.rep.colour)


def _beside(days: Sequence[Any], chosen: Any) -> tuple[Any, Any]:
    """What comes before and after, or None at the ends."""
    at = days.index(chosen)
    return days[at - 1] if at else None, days[at + 1] if at + 1 < len(days) else None
