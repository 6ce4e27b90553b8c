"""The form about an opportunity: a draft at any time, and what is shown before it is handed to the field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from planner.access import Permission, Scope
from planner.domain import Location, Opportunity, RecordKind
from planner.errors import ConflictError, InvalidRecordError, PlannerError, RefusedError
from planner.handoffs.answering import QUESTIONS, record_opportunity
from planner.handoffs.conflicts import Match, find_conflicts
from planner.handoffs.division import verdict_on
from planner.handoffs.domain import AT_INSIDE, HandoffRow, HandoffState
from planner.handoffs.handing import HandOff, LooksKnownError, hand_off
from planner.handoffs.moving import HandoffMovedError
from planner.handoffs.state import opportunity_of
from planner.idempotency import Answer
from planner.locating import CHOSEN, WAITING, geocoded
from planner.people.fresh import digest
from planner.qualification import gate_checklist, missing_for_handoff
from planner.repository import UnitOfWork
from planner.slots.offering import FirstVisit, first_visit
from routing.area import Area
from routing.errors import RoutingError
from routing.gazetteer import Verdict
from routing.geo import LatLon
from webui.forms import KEY, Form, done_once, form_key
from webui.pages.opportunity import doing, known_opportunity, may_open, team_of
from webui.pages.opportunity_form import Typed, sketch_of, typed_opportunity
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.handoff_review import ANOTHER, asked_about, review_view
from webui.presenting.opportunity_form import HINTS, LABELS, SOURCES, clock_text, speakers_of, typed_of, usual_words

handing = Blueprint("handing", __name__)

MOST_NOTE = 2_000


@handing.get("/a/<area>/opportunity/new")
@allow(Permission.HAND_OFF)
def new(area: str) -> Any:
    chosen = area_named(area)
    return _form(chosen, None, None, Form({"lead_at": clock_text(_local(chosen))}))


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
    """What the form or the page after it asks for: a draft, a look before it is handed off, that, or the form again."""
    typed, does = typed_opportunity(known, _new_id(), _local(area)), request.form.get("do")
    if typed.opportunity is None:
        return _form(area, known, row, typed.form), 422
    if does == "back":
        return _form(area, known, row, typed.form)
    if typed.opportunity.account_id != (known.account_id if known else "") and not _is_known(area, typed.opportunity):
        unknown = "is no customer’s; leave it empty for a new one"
        return _form(area, known, row, Form(typed.form.typed, errors={"account_id": unknown})), 422
    deal = typed.opportunity if known else replace(typed.opportunity, inside_rep=viewer().user.email)
    if does in ("review", "hand_off"):
        if not deal.address.street:
            return _form(area, known, row, Form(typed.form.typed, errors={"street": "is empty"})), 422
        if missing := missing_for_handoff(deal, settings().gate):
            said = f"it cannot be handed off yet: {'; '.join(missing)}"
            return _form(area, known, row, Form(typed.form.typed, errors={"": said})), 422
    location = _settled(located(area, deal, typed.place))
    if does == "review":
        return _review(area, known, row, deal, typed, location)
    if does == "hand_off" and not _answered(area, deal, location):
        return _review(area, known, row, deal, typed, location, unanswered=True), 422
    try:
        revision = int(done_once(lambda unit: _saved(unit, area, deal, typed, location)).body)
        if does == "hand_off":
            # From here on it is there, whatever comes of handing it off.
            known, row = known_opportunity(area, deal.id)
            typed.form.typed["revision"] = str(row.revision)
            _handed_off_once(area, deal, revision, location)
    except LooksKnownError as error:
        return _review(area, known, row, deal, typed, location, str(error)), 409
    except (InvalidRecordError, HandoffMovedError, RefusedError) as error:
        return _refused(area, known, row, typed, error)
    return redirect(url_for("opportunity.page", area=area.name, id=deal.id), 303)


def _is_known(area: Area, deal: Opportunity) -> bool:
    """Whether its customer number is empty or somebody's. Also theirs whom the viewer does not see."""
    with sources().store.read(Scope(area=area.name)) as unit:
        return not deal.account_id or unit.records(area.name).get(RecordKind.ACCOUNT, deal.account_id) is not None


def _new_id() -> str:
    """Of the opportunity that a form makes: the same however often it is sent."""
    drawn = digest(f"{viewer().actor.id} {request.form.get(KEY, '')}")[:12].upper()
    return f"O-{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


def _saved(unit: UnitOfWork, area: Area, deal: Opportunity, typed: Typed, location: Location | None) -> str:
    row = record_opportunity(unit, area.name, deal, typed.told, typed.revision, doing(), settings().gate, now())
    if location is not None and location != unit.records(area.name).location(RecordKind.OPPORTUNITY, deal.id):
        unit.records(area.name).save_locations([location])
    return str(row.revision)


def _handed_off_once(area: Area, deal: Opportunity, revision: int, location: Location | None) -> None:
    """The second step: what was written down is handed to the field, unless this form has done so before."""
    asking, key, same = viewer().actor, f"{form_key()}-out", request.form.get("same", "")
    place = location.place if location else None
    matches = find_conflicts(sources().store, sources().directories, area.name, deal, settings(), place).matches
    shown = frozenset(request.form.getlist("shown")) & {match.key for match in matches}
    others = {match.key for match in asked_about(matches)} & shown - {same}
    asked = HandOff(deal.id, revision, shown, frozenset(others), request.form.get("note", "")[:MOST_NOTE])
    account = _same_account(matches, same)

    def also(unit: UnitOfWork, row: HandoffRow) -> None:
        if account:
            unit.records(area.name).save(replace(opportunity_of(unit, area.name, deal.id), account_id=account))
        unit.answers.put(Answer(asking.id, key, key, 200, deal.id, now()))

    def done() -> bool:
        with sources().store.read() as unit:
            return unit.answers.get(asking.id, key) is not None

    if done():
        return
    by, store = doing(), sources().store
    try:
        hand_off(store, asking, sources().directories, area.name, asked, by, settings(), now(), also)
    except (ConflictError, RefusedError):
        if not done():  # by the same form, sent twice at once
            raise


# --- before it is handed off ------------------------------------------------------------------------------------------


def _answered(area: Area, deal: Opportunity, location: Location | None) -> bool:
    """Whether the form says of those who may be the same company which of them it is."""
    place = location.place if location else None
    found = find_conflicts(sources().store, sources().directories, area.name, deal, settings(), place)
    known = {match.key for match in asked_about(found.matches)} | {ANOTHER}
    shown = {match.key for match in found.matches} <= set(request.form.getlist("shown"))
    return shown and (known == {ANOTHER} or request.form.get("same") in known)


def _review(
    area: Area,
    known: Opportunity | None,
    row: HandoffRow | None,
    deal: Opportunity,
    typed: Typed,
    location: Location | None,
    problem: str = "",
    unanswered: bool = False,
) -> str:
    """Who should handle it, whether a visit fits, and who is there already."""
    place, team = location.place if location else None, team_of(area)
    conflicts = find_conflicts(sources().store, sources().directories, area.name, deal, settings(), place)
    # As if it were handed off now: the deadline counts from here.
    local = now().astimezone(team.zone).replace(tzinfo=None, microsecond=0)
    chosen = _same_account(conflicts.matches, request.form.get("same", ""))
    with sources().store.read(Scope(area=area.name)) as unit:
        asked = replace(deal, qualified_at=local, account_id=chosen or deal.account_id)
        try:
            visit = first_visit(unit, sources().agendas, area.name, asked, settings(), now(), place)
        except (PlannerError, RoutingError) as error:
            visit = FirstVisit(None, None, None, f"whether a visit fits cannot be told: {error}")
        verdict = verdict_on(unit, area.name, asked, _today(area), settings().candidates)
    view = review_view(
        deal,
        verdict,
        visit,
        conflicts,
        location,
        _chosen_place(),
        request.form.get("same", ""),
        request.form.get("note", "")[:MOST_NOTE],
        viewer().user.email,
        settings().handoffs,
    )
    return render_template(
        "handoff_review.html",
        area=area,
        deal=deal,
        form=typed.form,
        review=view,
        problem=problem,
        unanswered=unanswered and bool(view.matches),
        drafted=row is None or row.state is HandoffState.DRAFT,
        action=_action(area, known),
    )


def _same_account(matches: Iterable[Match], same: str) -> str:
    """The customer who was chosen as the same company."""
    return next((m.card.id for m in matches if m.key == same and m.card.kind is RecordKind.ACCOUNT), "")


def _chosen_place() -> int:
    text = request.form.get("place", "")
    return int(text) if re.fullmatch(r"[1-9]", text) else 0


def _settled(location: Location | None) -> Location | None:
    """With the candidate that the form chooses."""
    number = _chosen_place()
    if location is None or location.place or not 1 <= number <= len(location.candidates):
        return location
    chosen = location.candidates[number - 1]
    return replace(
        location,
        verdict=Verdict.MATCHED,
        place=chosen.place,
        confidence=1.0,
        matched_address=chosen.address,
        reason=CHOSEN,
    )


# --- the form ---------------------------------------------------------------------------------------------------------


def _refused(area: Area, known: Opportunity | None, row: HandoffRow | None, typed: Typed, error: Exception) -> Any:
    """The form again, with all that was typed, and what is wrong."""
    if isinstance(error, InvalidRecordError):
        return _form(area, known, row, Form(typed.form.typed, errors={error.field: error.message})), 422
    status, said = 422, str(error)
    if isinstance(error, HandoffMovedError):
        status, said = 409, f"{error}. What you typed stands below; saving it again replaces what is there now"
        typed.form.typed["revision"] = str(error.present.revision)
    return _form(area, known, row, Form(typed.form.typed, errors={"": said})), status


def located(area: Area, deal: Opportunity, place: LatLon | None) -> Location | None:
    """Where an opportunity's address is: where somebody chose it, as it is known, or by the area's own addresses; None
    where none of these says.

    An address that they do not know is left to whoever geocodes the others, online too if the settings say so.
    """
    kind, typed = RecordKind.OPPORTUNITY, deal.address
    if place is not None:
        return Location(kind, deal.id, typed, Verdict.MATCHED, place, 1.0, str(typed), CHOSEN)
    with sources().store.read(viewer().scope) as unit:
        known = unit.records(area.name).location(kind, deal.id)
    if known is not None and known.address == typed:
        return known
    if not typed.street:
        return None
    waiting = Location(kind, deal.id, typed, Verdict.NOT_FOUND, None, 0.0, "", WAITING)
    try:
        found = geocoded(sources().gazetteer(area), waiting)
    except RoutingError:
        return None
    return None if found.verdict is Verdict.NOT_FOUND and settings().geocoding.online else found


def _form(area: Area, known: Opportunity | None, row: HandoffRow | None, form: Form[Any]) -> str:
    return render_template(
        "opportunity_form.html",
        area=area,
        new=known is None,
        form=form,
        labels=LABELS,
        questions=[(question, HINTS[question]) for question in QUESTIONS],
        gate=gate_checklist(sketch_of(form.typed), settings().gate),
        drafted=row is None or row.state is HandoffState.DRAFT,
        to_hand_off=row is None or row.state in AT_INSIDE,
        usual=usual_words(settings()),
        speakers=speakers_of(known, row.answers if row else {}),
        today=_today(area).isoformat(),
        present=clock_text(_local(area)),
        sources=SOURCES,
        addresses_url=url_for("booking.addresses", area=area.name) if may_open("booking.addresses") else None,
        back=url_for("opportunity.page", area=area.name, id=known.id) if known else None,
        action=_action(area, known),
    )


def _action(area: Area, known: Opportunity | None) -> str:
    """Where the form is sent to."""
    return (
        url_for("handing.save", area=area.name, id=known.id) if known else url_for("handing.save_new", area=area.name)
    )


def _local(area: Area) -> datetime:
    return now().astimezone(team_of(area).zone).replace(tzinfo=None)


def _today(area: Area) -> date:
    return _local(area).date()
