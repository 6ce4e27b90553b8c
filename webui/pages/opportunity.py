"""The page of an opportunity: how it stands, what the viewer may do with it now, and all that has happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission, Scope
from planner.candidates import team_work_days
from planner.domain import Location, Opportunity, RecordKind
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError
from planner.handoffs.answering import note_contact
from planner.handoffs.domain import AT_INSIDE, TO_VISIT, HandoffEvent, HandoffRow, HandoffState, RejectReason
from planner.handoffs.moving import By, HandoffMovedError, Move, move
from planner.handoffs.state import handoff_of, history, opportunity_of
from planner.handoffs.transitions import Action
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.rep_names import told_names
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState
from planner.slots.riding import add_ride_along
from planner.snapshot import zone_of
from routing.area import Area
from routing.errors import RoutingError
from webui.forms import booked_once, done_once, read_form
from webui.pages.plans import area_named, now, settings, sources
from webui.pages.riding import rides_near
from webui.policy import allow, lets_in, viewer
from webui.presenting.opportunity import (
    Link,
    Team,
    deadline_view,
    deal_view,
    is_mine,
    is_proposed,
    moves_of,
    planned_view,
    promise_view,
)
from webui.presenting.reports import report_views

opportunity = Blueprint("opportunity", __name__)


class SeenForm(BaseModel):
    """The revision of a handoff that somebody saw."""

    revision: int = Field(ge=0, le=2**31)


class MoveForm(SeenForm):
    """Something that somebody does with a handoff."""

    action: Action
    kind: str = Field("", max_length=40)
    why: str = Field("", max_length=5_000)
    learned: str = Field("", max_length=5_000)
    rep: str = Field("", max_length=200)


@dataclass(frozen=True, slots=True)
class Tried:
    """A move that came to nothing: what was typed, and what is wrong with it."""

    action: str
    typed: dict[str, str]
    wrong: dict[str, str] = field(default_factory=dict)


def team_of(area: Area) -> Team:
    """Of the whole area, whoever asks: it says no more of a rep than customers are told."""
    with sources().store.read(Scope(area=area.name)) as unit:
        reps = unit.records(area.name).reps()
    return Team(zone_of(reps) or ZoneInfo("UTC"), team_work_days(reps), told_names(reps))


def doing() -> By:
    """On which side the viewer does something."""
    return By.person(viewer().actor, viewer().user.role)


def may_open(endpoint: str) -> bool:
    """Whether the viewer may call a view."""
    return lets_in(current_app.view_functions.get(endpoint), viewer())


@opportunity.get("/a/<area>/opportunity")
@allow(Permission.SEE_HANDOFFS, Permission.ANSWER_HANDOFFS)
def page(area: str) -> Any:
    return _page(area_named(area), request.args.get("id", ""))


@opportunity.post("/a/<area>/opportunity/move")
@allow(Permission.HAND_OFF, Permission.ANSWER_HANDOFFS)
def make_move(area: str) -> Any:
    chosen, id = area_named(area), request.args.get("id", "")
    known_opportunity(chosen, id)
    form = read_form(MoveForm)
    asked = form.values
    if asked is None:
        wrong = {name: said for name, said in form.errors.items() if name in ("why", "learned")}
        if not wrong:
            abort(400, description="This form was not made by our pages. Load the page again.")
        return _page(chosen, id, Tried(form.typed.get("action", ""), form.typed, wrong)), 422
    by, zone = doing(), team_of(chosen).zone

    def moved(unit: UnitOfWork) -> str:
        kind = RejectReason(asked.kind) if asked.kind in set(RejectReason) else None
        wanted = Move(asked.action, asked.revision, kind, asked.why, asked.learned, asked.rep)
        return move(unit, chosen.name, id, wanted, by, settings().gate, zone, now()).state

    tried = Tried(asked.action, form.typed)
    try:
        done_once(moved)
    except InvalidRecordError as error:
        return _page(chosen, id, Tried(asked.action, form.typed, {error.field: error.message})), 422
    except HandoffMovedError as error:
        return _page(chosen, id, tried, f"{error}. Nothing of yours is lost: look at it again"), 409
    except RefusedError as error:
        return _page(chosen, id, tried, str(error)), 422
    return redirect(url_for("opportunity.page", area=chosen.name, id=id), 303)


@opportunity.post("/a/<area>/opportunity/contacted")
@allow(Permission.HAND_OFF)
def contacted(area: str) -> Any:
    """Somebody has just spoken to the customer for the first time."""
    chosen, id = area_named(area), request.args.get("id", "")
    known_opportunity(chosen, id)
    asked = read_form(SeenForm).values
    if asked is None:
        abort(400, description="This form was not made by our pages. Load the page again.")
    by, zone = doing(), team_of(chosen).zone
    try:
        done_once(
            lambda unit: note_contact(unit, chosen.name, id, asked.revision, by, settings().gate, zone, now()).state
        )
    except HandoffMovedError as error:
        return _page(chosen, id, problem=f"{error}. Look at it again"), 409
    except RefusedError as error:
        return _page(chosen, id, problem=str(error)), 422
    return redirect(url_for("opportunity.page", area=chosen.name, id=id), 303)


@opportunity.post("/a/<area>/opportunity/ride-along")
@allow(Permission.BOOK)
def ride_along(area: str) -> Any:
    """Have a customer nearby visited on the day of the promise."""
    chosen, id = area_named(area), request.args.get("id", "")
    deal, _ = known_opportunity(chosen, id)
    team = team_of(chosen)
    with sources().store.read(viewer().scope) as unit:
        promise = promise_of(unit, chosen.name, id)
        location = unit.records(chosen.name).location(RecordKind.OPPORTUNITY, id)
    if promise is None or location is None or location.place is None or location.address != deal.address:
        return _page(chosen, id, problem="nobody rides along with a visit that is not promised"), 409
    today = now().astimezone(team.zone).date()
    near = rides_near(chosen, location.place, promise, team, today, deal.account_id)
    account_id = next((ride.account_id for ride in near if ride.which == request.form.get("which")), "")
    booking_id = promise.id

    def add(also: Callable[[UnitOfWork, Booking], None]) -> Booking:
        if not account_id:
            raise RefusedError("this customer is not free for a visit any more")
        asking, here = viewer().actor, sources()
        return add_ride_along(here.store, asking, here.agendas, chosen.name, booking_id, account_id, settings(), also)

    try:
        booked_once(add)
    except (ConflictError, RefusedError, NotFoundError, RoutingError) as error:
        return _page(chosen, id, problem=str(error)), 409
    return redirect(url_for("opportunity.page", area=chosen.name, id=id, _anchor="rides"), 303)


def _page(area: Area, id: str, tried: Tried | None = None, problem: str = "") -> str:
    here = viewer()
    by, team = doing(), team_of(area)
    with sources().store.read(here.scope) as unit:
        deal = opportunity_of(unit, area.name, id)
        row = handoff_of(unit, area.name, deal, settings().gate)
        events = history(unit, area.name, id)
        people = _people(unit, row, events)
        reps = unit.records(area.name).reps()
        promise = promise_of(unit, area.name, id)
        planned = next((visit for visit in unit.plans(area.name).handoffs() if visit.opportunity_id == id), None)
        location = unit.records(area.name).location(RecordKind.OPPORTUNITY, id)
        reports = unit.visit_reports.find(area=area.name, opportunity_id=id)
    gate, calendar = settings().gate, settings().calendar
    mine = is_mine(row, by, here.user.email)
    due = first_action_deadline(deal, team.work_days, gate, calendar)
    today = now().astimezone(team.zone).date()
    deadline = deadline_view(row, due, today)
    over = row.state in (HandoffState.WON, HandoffState.LOST)
    visited = over or row.state is HandoffState.VISITED
    place = location.place if location and location.address == deal.address else None
    return render_template(
        "opportunity.html",
        area=area,
        deal=deal_view(deal, row, events, people, team, mine, by, missing_for_handoff(deal, gate), deadline),
        links=[] if over else list(_links(area, row, promise)),
        moves=moves_of(row, by, reps, is_proposed(events)),
        tried=tried,
        problem=problem,
        promise=promise_view(promise, team.zone, team.name(promise.rep_id)) if promise else None,
        reports=report_views(reports, team),
        promise_links=list(_promise_links(area, promise)) if promise else [],
        planned=planned_view(planned, deal, team) if planned and not visited else None,
        rides=[ride.view for ride in rides_near(area, place, promise, team, today, deal.account_id)]
        if place and rides_with(row)
        else [],
        unsure="" if over else _unsure(deal, location),
        may={
            "change": may_open("handing.edit") and not over,
            "contact": may_open("opportunity.contacted") and row.state in AT_INSIDE and deal.contacted_at is None,
            "settle": here.may(Permission.WRITE_RECORDS),
        },
    )


def _links(area: Area, row: HandoffRow, promise: Booking | None) -> Iterator[Link]:
    """Pages on which the viewer goes on with it."""
    if row.state in AT_INSIDE and may_open("handing.edit"):
        again = row.state is not HandoffState.DRAFT
        yield Link(
            "Hand it off again…" if again else "Complete it…",
            url_for("handing.edit", area=area.name, id=row.opportunity_id),
            main=True,
        )
    if promise is None and row.state in TO_VISIT | {HandoffState.VISITED} and may_open("booking.book"):
        url = url_for("booking.book", area=area.name, opportunity=row.opportunity_id)
        yield Link("Book a visit…", url, main=row.state is not HandoffState.VISITED)


def rides_with(row: HandoffRow) -> bool:
    """Whether somebody is still to go there."""
    return row.state in TO_VISIT | AT_INSIDE


def _promise_links(area: Area, promise: Booking) -> Iterator[Link]:
    """What may be done with a promise, on the page that it has."""
    if may_open("promises.promise"):
        url = url_for("promises.promise", area=area.name, booking=promise.id)
        yield Link("Tell the customer, or cancel…", url)
        yield Link("Another time…", url_for("booking.book", area=area.name, move=promise.id))
        yield Link("Calendar file", url_for("promises.calendar", area=area.name, booking=promise.id))


def _unsure(deal: Opportunity, location: Location | None) -> str:
    """Why nobody can be sent there."""
    if location is None or location.address != deal.address:
        return "the address has not been looked up yet"
    return "" if location.place else location.reason


def promise_of(unit: UnitOfWork, area: str, opportunity_id: str) -> Booking | None:
    """The visit that is promised, the first where there are several."""
    found = unit.bookings.find(area=area, opportunity_id=opportunity_id, state=BookingState.PROMISED)
    return min(found, key=lambda booking: booking.start, default=None)


def _people(unit: UnitOfWork, row: HandoffRow, events: list[HandoffEvent]) -> dict[str, str]:
    """Names of those who did something; fieldvisit itself has its own."""
    actors = {event.actor for event in events} | {answer.written_by for answer in row.answers.values()}
    names = {"system": "fieldvisit"}
    for actor in actors:
        user = unit.users.get(actor.removeprefix("user:")) if actor.startswith("user:") else None
        if user is not None:
            names[actor] = user.name or user.email
    return names


def known_opportunity(area: Area, id: str) -> tuple[Opportunity, HandoffRow]:
    """An opportunity that the viewer sees, and where it stands. Raises NotFoundError."""
    with sources().store.read(viewer().scope) as unit:
        deal = opportunity_of(unit, area.name, id)
        return deal, handoff_of(unit, area.name, deal, settings().gate)
