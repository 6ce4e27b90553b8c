"""A rep's day to take along: on paper, and as a file for other navigation programs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from planner.access import Permission
from planner.day_sheets import DaySheet, long_day, sheet
from planner.gpx import gpx
from webui.pages.plans import Shown, shown, sources
from webui.policy import allow, viewer

day_sheets = Blueprint("day_sheets", __name__)


@day_sheets.get("/a/<area>/day/<day>/rep.gpx")
@allow(Permission.SEE_DAYS)
def track(area: str, day: str) -> Response:
    """The stops, and the way between them along the roads."""
    here = shown(area)
    found = _sheet(here, day)
    places = here.plan.rep_days[(found.rep_id, day)].places
    file = gpx(found, sources().roads_along(here.area, places).lines)
    response = Response(file, mimetype="application/gpx+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{here.area.name}-{found.day}.gpx")
    return response


@day_sheets.get("/a/<area>/day/<day>/print")
@allow(Permission.SEE_DAYS)
def on_paper(area: str, day: str) -> Any:
    """One page for paper."""
    here = shown(area)
    found = _sheet(here, day)
    rep_day = here.plan.rep_days[(found.rep_id, day)]
    return render_template("day_print.html", here=here, sheet=found, rep_day=rep_day, day=long_day(found.day))


def _sheet(here: Shown, day: str) -> DaySheet:
    """Of the rep in the query."""
    rep_id, chosen = request.args.get("rep", ""), here.day(day)
    if (rep_id, chosen.iso) not in here.plan.rep_days:
        abort(404)
    with sources().store.read(viewer().scope) as unit:
        return sheet(unit, here.stored, rep_id, chosen.day) or abort(404)
