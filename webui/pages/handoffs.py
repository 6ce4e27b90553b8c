"""What became of the opportunities that inside sales handed off: the page that inside reps start with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from planner.access import Permission
from planner.errors import PlannerError
from planner.handoffs.standing import handoffs as handoffs_of
from webui.errors import PlanUnreadableError
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.handoffs import handoffs_view

handoff_pages = Blueprint("handoffs", __name__)


@handoff_pages.get("/a/<area>/handoffs")
@allow(Permission.SEE_HANDOFFS)
def handoffs(area: str) -> Any:
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        try:
            found = handoffs_of(unit, chosen.name, settings().gate)
        except PlannerError as error:
            raise PlanUnreadableError(str(error)) from error
    zone = next((handoff.visit.arrive.tzinfo for handoff in found if handoff.visit), None)
    return render_template(
        "handoffs.html",
        area=chosen,
        board=handoffs_view(found, now().astimezone(zone).date()),
        mine=viewer().scope.inside_rep is not None,
        settles=viewer().may(Permission.WRITE_RECORDS),
    )
