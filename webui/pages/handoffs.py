"""What inside sales handed to the field: what the viewer has to do, and what became of the rest."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template

from planner.access import Permission, Scope
from planner.errors import PlannerError
from planner.fieldwork.to_call import customers_to_call
from planner.handoffs.standing import handoffs as handoffs_of
from planner.qualification import first_action_deadline
from planner.slots.domain import BookingState
from routing.area import Area
from webui.errors import PlanUnreadableError
from webui.pages.opportunity import doing, may_open, team_of
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.handoffs import Board, handoffs_view
from webui.presenting.opportunity import Team
from webui.presenting.reports import ToCallView, last_reports, to_call_view

handoff_pages = Blueprint("handoffs", __name__)


@handoff_pages.get("/a/<area>/handoffs")
@allow(Permission.SEE_HANDOFFS, Permission.ANSWER_HANDOFFS)
def handoffs(area: str) -> Any:
    chosen = area_named(area)
    here, by, team = viewer(), doing(), team_of(chosen)
    gate, calendar = settings().gate, settings().calendar
    with sources().store.read(here.scope) as unit:
        try:
            found = handoffs_of(unit, chosen.name, gate)
        except PlannerError as error:
            raise PlanUnreadableError(str(error)) from error
        promises = unit.bookings.find(area=chosen.name, state=BookingState.PROMISED)
        reports = unit.visit_reports.find(area=chosen.name)
    today = now().astimezone(team.zone).date()
    board = Board(
        found=found,
        promises={booking.opportunity_id: booking for booking in promises},
        deadlines={
            handoff.opportunity.id: first_action_deadline(handoff.opportunity, team.work_days, gate, calendar)
            for handoff in found
        },
        team=team,
        by=by,
        email=here.user.email,
        today=today,
        reports=last_reports(reports, team),
    )
    return render_template(
        "handoffs.html",
        area=chosen,
        board=handoffs_view(board),
        to_call=to_call(chosen, team, today),
        side=by.side,
        mine=here.scope.inside_rep is not None,
        may={
            "add": may_open("handing.new"),
            "rule": may_open("team_rules.page"),
            "ask": may_open("report_templates.page"),
            "settle": here.may(Permission.WRITE_RECORDS),
        },
    )


def to_call(area: Area, team: Team, today: date) -> list[ToCallView]:
    """The customers whom the viewer calls because a promise cannot be kept; nobody's where they agree on no times."""
    here = viewer()
    if not here.may(Permission.BOOK):
        return []
    with sources().store.read(Scope(area=area.name)) as unit:
        found = customers_to_call(unit, area.name, today, team.zone, here.scope)
    return [to_call_view(each, team) for each in found]
