"""The page of a customer, and how long visits there are planned for."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.domain import Account, RecordKind
from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.minutes import set_minutes
from planner.handoffs.domain import HandoffState
from planner.handoffs.state import state_of
from planner.intake.cells import parse_whole
from planner.repository import UnitOfWork
from routing.area import Area
from webui.errors import PlanUnreadableError
from webui.forms import Form, done_once, read_form
from webui.pages.opportunity import may_open, team_of
from webui.pages.plans import area_named, now, settings, sources, standings_of
from webui.policy import allow, viewer
from webui.presenting import RepDayView, VisitView
from webui.presenting.customer import customer_view
from webui.presenting.progress import NOTHING_YET, Mark

customer = Blueprint("customer", __name__)

MOST_REPORTS = 100
CLOSED = frozenset({HandoffState.WON, HandoffState.LOST})


class MinutesForm(BaseModel):
    """How long visits are planned for; empty for as long as they have taken."""

    minutes: str = Field("", max_length=10)


@customer.get("/a/<area>/customer")
@allow(Permission.SEE_RECORDS)
def page(area: str) -> Any:
    return _page(area_named(area), request.args.get("id", ""))


@customer.post("/a/<area>/customer/minutes")
@allow(Permission.REPORT, Permission.WRITE_RECORDS)
def save_minutes(area: str) -> Any:
    chosen, id = area_named(area), request.args.get("id", "")
    form = read_form(MinutesForm)

    def work(unit: UnitOfWork) -> str:
        minutes = parse_whole("minutes", form.values.minutes) if form.values else None
        set_minutes(unit, chosen.name, id, minutes, viewer().actor.id, now())
        return id

    try:
        if form.values is not None:
            done_once(work)
    except InvalidRecordError as error:
        form = Form(form.typed, errors={error.field: error.message})
    if form.errors:
        return _page(chosen, id, form), 422
    return redirect(url_for("customer.page", area=chosen.name, id=id), 303)


def _page(area: Area, id: str, form: Form[MinutesForm] | None = None) -> str:
    with sources().store.read(viewer().scope) as unit:
        records = unit.records(area.name)
        record = records.get(RecordKind.ACCOUNT, id)
        if not isinstance(record, Account):
            raise NotFoundError(f"area {area.name} has no account {id}")
        visits = next(iter(records.visits(id)), None)
        set_ = unit.visit_minutes.get(area.name, id)
        reports = unit.visit_reports.latest("made_at", MOST_REPORTS, area=area.name, account_id=id)
        deals = [(deal, state_of(unit, area.name, deal, settings().gate)) for deal in records.opportunities_with(id)]
        people = _people(unit, {report.made_by for report in reports} | ({set_.set_by} if set_ else set()))
    team = team_of(area)
    today = now().astimezone(team.zone).date()
    open_deals = [(deal, state) for deal, state in deals if state not in CLOSED]
    shown = customer_view(record, visits, set_, reports, open_deals, people, team, today, settings())
    return render_template(
        "customer.html",
        area=area,
        customer=shown,
        planned=_planned(area, id, today),
        form=form or Form({"minutes": shown.set_minutes}),
        may={"set": may_open("customer.save_minutes"), "open": may_open("opportunity.page")},
        most=MOST_REPORTS,
    )


def _planned(area: Area, id: str, today: date) -> list[tuple[RepDayView, VisitView, Mark | None]]:
    """The visits to come that people see, and what phones have said of each; none for who sees no days, or where the
    plan cannot be read."""
    if not may_open("pages.rep_day"):
        return []
    try:
        found = sources().plan(viewer().scope, area.name, None)
    except PlanUnreadableError:
        return []
    if found is None or not found.stored.published_at:
        return []
    visits = found.view.to_account(id, today)
    standings = standings_of(area.name, {(day.rep.id, day.day.iso): day for day, _ in visits})
    told = [(day, visit, standings.get((day.rep.id, day.day.iso), NOTHING_YET)) for day, visit in visits]
    return [(day, visit, said.marks.get(visit.id)) for day, visit, said in told if visit.id not in said.over]


def _people(unit: UnitOfWork, actors: set[str]) -> dict[str, str]:
    """Names by actor, of those who are people here."""
    found = {actor: unit.users.get(actor.removeprefix("user:")) for actor in actors if actor.startswith("user:")}
    return {actor: user.name or user.email for actor, user in found.items() if user is not None}
