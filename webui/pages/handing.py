"""The form about an opportunity: a draft at any time, and what is shown before it is handed to the field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from planner.access import Permission
from planner.domain import Location, Opportunity, RecordKind
from planner.errors import InvalidRecordError, RefusedError
from planner.handoffs.answering import QUESTIONS, record_opportunity
from planner.handoffs.domain import HandoffRow, HandoffState
from planner.handoffs.moving import HandoffMovedError
from planner.locating import WAITING, geocoded
from planner.people.fresh import new_code
from planner.qualification import gate_checklist
from planner.repository import UnitOfWork
from routing.area import Area
from routing.errors import RoutingError
from routing.gazetteer import Verdict
from webui.forms import Form, done_once
from webui.pages.opportunity import doing, known_opportunity, may_open, team_of
from webui.pages.opportunity_form import Typed, sketch_of, typed_opportunity
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.opportunity_form import HINTS, LABELS, speakers_of, typed_of, usual_words

handing = Blueprint("handing", __name__)


@handing.get("/a/<area>/opportunity/new")
@allow(Permission.HAND_OFF)
def new(area: str) -> Any:
    return _form(area_named(area), None, None, Form({}))


@handing.get("/a/<area>/opportunity/edit")
@allow(Permission.HAND_OFF)
def edit(area: str) -> Any:
    chosen = area_named(area)
    deal, row = known_opportunity(chosen, request.args.get("id", ""))
    return _form(chosen, deal, row, Form(typed_of(deal, row)))


@handing.post("/a/<area>/opportunity/new")
@allow(Permission.HAND_OFF)
def save_new(area: str) -> Any:
    return _sent(area_named(area), None, None)


@handing.post("/a/<area>/opportunity/edit")
@allow(Permission.HAND_OFF)
def save(area: str) -> Any:
    chosen = area_named(area)
    return _sent(chosen, *known_opportunity(chosen, request.args.get("id", "")))


def _sent(area: Area, known: Opportunity | None, row: HandoffRow | None) -> Any:
    today = now().astimezone(team_of(area).zone).date()
    typed = typed_opportunity(known, f"O-{new_code(2)}", today)
    deal = typed.opportunity
    if deal is None:
        return _form(area, known, row, typed.form), 422
    if known is None:
        deal = replace(deal, inside_rep=viewer().user.email)
    if request.form.get("do") == "back":
        return _form(area, known, row, typed.form)
    location = located(area, deal)
    try:
        id = done_once(lambda unit: _saved(unit, area, deal, typed, location)).body
    except (InvalidRecordError, HandoffMovedError, RefusedError) as error:
        return _refused(area, known, row, typed, error)
    return redirect(url_for("opportunity.page", area=area.name, id=id), 303)


def _saved(unit: UnitOfWork, area: Area, deal: Opportunity, typed: Typed, location: Location | None) -> str:
    record_opportunity(unit, area.name, deal, typed.told, typed.revision, doing(), settings().gate, now())
    if location is not None:
        unit.records(area.name).save_locations([location])
    return deal.id


def _refused(area: Area, known: Opportunity | None, row: HandoffRow | None, typed: Typed, error: Exception) -> Any:
    """The form again, with all that was typed, and what is wrong."""
    if isinstance(error, InvalidRecordError):
        return _form(area, known, row, Form(typed.form.typed, errors={error.field: error.message})), 422
    status, said = 422, str(error)
    if isinstance(error, HandoffMovedError):
        status, said = 409, f"{error}. What you typed stands below; saving it again replaces what is there now"
        typed.form.typed["revision"] = str(error.present.revision)
    return _form(area, known, row, Form(typed.form.typed, errors={"": said})), status


def located(area: Area, deal: Opportunity) -> Location | None:
    """Where an opportunity's address is, by the area's own addresses; None where it is known already, or cannot be.

    An address that they do not know is left to whoever geocodes the others, online too if the settings say so.
    """
    with sources().store.read(viewer().scope) as unit:
        known = unit.records(area.name).location(RecordKind.OPPORTUNITY, deal.id)
    if (known is not None and known.address == deal.address) or not deal.address.street:
        return None
    waiting = Location(RecordKind.OPPORTUNITY, deal.id, deal.address, Verdict.NOT_FOUND, None, 0.0, "", WAITING)
    try:
        found = geocoded(sources().gazetteer(area), waiting)
    except RoutingError:
        return None
    return None if found.verdict is Verdict.NOT_FOUND and settings().geocoding.online else found


def _form(area: Area, known: Opportunity | None, row: HandoffRow | None, form: Form[Any]) -> str:
    today = now().astimezone(team_of(area).zone).date()
    return render_template(
        "opportunity_form.html",
        area=area,
        new=known is None,
        form=form,
        labels=LABELS,
        questions=[(question, HINTS[question]) for question in QUESTIONS],
        gate=gate_checklist(sketch_of(form.typed), settings().gate),
        drafted=row is None or row.state is HandoffState.DRAFT,
        usual=usual_words(settings()),
        speakers=speakers_of(known, row.answers if row else {}),
        today=today.isoformat(),
        addresses_url=url_for("booking.addresses", area=area.name) if may_open("booking.addresses") else None,
        back=url_for("opportunity.page", area=area.name, id=known.id) if known else None,
        action=request.full_path.rstrip("?"),
    )
