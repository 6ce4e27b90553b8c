"""What if: scenarios of an area are made, changed, worked out, compared and applied."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.errors import InvalidRecordError, RefusedError
from planner.jobs.requests import find_job, why_nothing_runs
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from planner.scenarios.applying import (
    InTheWayError,
    RecordsChangedError,
    apply_scenario,
    promises_in_the_way,
    to_apply,
    undo_of,
)
from planner.scenarios.changes import Changes, ChangesInvalidError, changes_of
from planner.scenarios.domain import MAX_NAME, Scenario, ScenarioState
from planner.scenarios.keeping import (
    MOST_SCENARIOS,
    PartOfAreaError,
    ScenarioChangedError,
    change_scenario,
    check_whole_area,
    create_scenario,
    find_scenario,
    records_stamp,
    remove_scenario,
    request_computation,
    scenarios_of,
)
from planner.scenarios.outcome import outcome_of
from planner.snapshot import zone_of
from routing.area import Area
from routing.errors import AreaError
from routing.gazetteer import Candidate
from webui.forms import Form, done_once, done_once_by, read_form
from webui.maps import MapFragments, coverage_map
from webui.pages.plans import area_named, basemap_url, now, settings, sources
from webui.pages.scenario_changes import Known, Wrong, edit_asked
from webui.policy import allow, viewer
from webui.presenting.jobs import job_view
from webui.presenting.scenarios import (
    DAYS,
    LABELS,
    ListedScenario,
    applying_words,
    compared_rows,
    map_data,
    other_now,
    scenario_view,
)
from webui.words import sentence

scenarios = Blueprint("scenarios", __name__)


class NameForm(BaseModel):
    """A scenario's name."""

    name: str = Field(min_length=1, max_length=MAX_NAME)


@dataclass(frozen=True)
class Answer:
    """What a form came to that was not done: which one, what is wrong with it, and which places it could mean."""

    does: str = ""
    form: Form[Any] = field(default_factory=lambda: Form({}))
    candidates: tuple[Candidate, ...] = ()
    changed: bool = False
    problem: str = ""


def whole_area(name: str) -> Area:
    """The area of an address, for those who see all of it."""
    chosen = area_named(name)
    try:
        check_whole_area(viewer().scope)
    except PartOfAreaError as error:
        abort(403, description=f"{sentence(str(error))}.")
    return chosen


# --- all of them ------------------------------------------------------------------------------------------------------


@scenarios.get("/a/<area>/scenarios")
@allow(Permission.REALIGN)
def page(area: str) -> Any:
    return _list(whole_area(area), Form({}))


@scenarios.post("/a/<area>/scenarios")
@allow(Permission.REALIGN)
def create(area: str) -> Any:
    """A new scenario, worked out at once where an even split is asked for."""
    chosen, form = whole_area(area), read_form(NameForm)
    if form.values is None:
        return _list(chosen, form), 422
    name, proposed = form.values.name, request.form.get("do") != "begin"

    def made(unit: UnitOfWork) -> str:
        actor, when, scenario_id = viewer().actor.id, now(), new_id()
        create_scenario(unit, chosen.name, name, Changes(even=proposed), actor, when, scenario_id)
        if proposed:
            request_computation(unit, chosen.name, scenario_id, actor, when, new_id(), settings())
        return scenario_id

    try:
        scenario_id = done_once(made).body
    except InvalidRecordError as error:
        return _list(chosen, Form(form.typed, errors={error.field: error.message})), 422
    except RefusedError as error:
        return _list(chosen, Form(form.typed, errors={"": str(error)})), 422
    return redirect(_url(chosen, scenario_id), 303)


@scenarios.get("/a/<area>/scenarios/compare")
@allow(Permission.REALIGN)
def compare(area: str) -> Any:
    """Two scenarios side by side, and what is now."""
    chosen = whole_area(area)
    asked = request.args.getlist("with")[:2]
    with sources().store.read(viewer().scope) as unit:
        found = [find_scenario(unit, chosen.name, scenario_id) for scenario_id in asked]
    if len(found) < 2:
        abort(404, description="Choose two scenarios to compare.")
    shown = [(each, outcome_of(each.result)) for each in found if each.result is not None]
    if len(shown) < 2:
        abort(404, description="Both scenarios have to be worked out before they are compared.")
    return render_template(
        "scenarios_compared.html", area=chosen, shown=shown, rows=compared_rows(shown), others=other_now(shown)
    )


def _list(area: Area, form: Form[NameForm]) -> str:
    with sources().store.read(viewer().scope) as unit:
        found = scenarios_of(unit, area.name)
        zone = zone_of(unit.records(area.name).reps()) or ZoneInfo("UTC")
        people = {by: user.name for by in {each.made_by for each in found} if (user := _user(unit, by))}
    return render_template(
        "scenarios.html",
        area=area,
        form=form,
        most=MOST_SCENARIOS,
        scenarios=[ListedScenario.of(each, zone, people) for each in found],
    )


def _user(unit: UnitOfWork, actor: str) -> Any:
    return unit.users.get(actor.removeprefix("user:"))


# --- one of them ------------------------------------------------------------------------------------------------------


@scenarios.get("/a/<area>/scenarios/<scenario_id>")
@allow(Permission.REALIGN)
def one(area: str, scenario_id: str) -> Any:
    return _page(whole_area(area), scenario_id)


@scenarios.post("/a/<area>/scenarios/<scenario_id>")
@allow(Permission.REALIGN)
def change(area: str, scenario_id: str) -> Any:
    """One change; what of it cannot be stands beside its field, and nothing that was typed is lost."""
    chosen, does = whole_area(area), request.form.get("do", "")[:20]
    with sources().store.read(viewer().scope) as unit:
        find_scenario(unit, chosen.name, scenario_id)
        records = unit.records(chosen.name)
        known = Known(records.reps(), records.accounts() if does in ("cadence", "pin") else ())
    try:
        edit = edit_asked(chosen, known, does)
    except Wrong as wrong:
        return _page(chosen, scenario_id, Answer(does, wrong.form, tuple(wrong.candidates))), 422

    def changed(unit: UnitOfWork) -> str:
        present = find_scenario(unit, chosen.name, scenario_id)
        wanted = changes_of(edit(changes_of(present.changes)).as_json())
        return str(change_scenario(unit, chosen.name, scenario_id, _revision(), wanted).revision)

    try:
        done_once(changed)
    except ChangesInvalidError as error:
        said = "; ".join(entry.message for entry in error.errors[:3])
        return _page(chosen, scenario_id, Answer(does, Form(dict(request.form.items()), errors={"": said}))), 422
    except ScenarioChangedError:
        return _page(chosen, scenario_id, Answer(does, Form(dict(request.form.items())), changed=True)), 409
    return redirect(_url(chosen, scenario_id, _ANCHORS.get(does, "changes")), 303)


@scenarios.post("/a/<area>/scenarios/<scenario_id>/name")
@allow(Permission.REALIGN)
def rename(area: str, scenario_id: str) -> Any:
    chosen, form = whole_area(area), read_form(NameForm)
    if form.values is None:
        return _page(chosen, scenario_id, Answer("name", form)), 422
    name = form.values.name

    def renamed(unit: UnitOfWork) -> str:
        present = find_scenario(unit, chosen.name, scenario_id)
        return change_scenario(unit, chosen.name, scenario_id, _revision(), changes_of(present.changes), name).name

    try:
        done_once(renamed)
    except ScenarioChangedError:
        return _page(chosen, scenario_id, Answer("name", form, changed=True)), 409
    return redirect(_url(chosen, scenario_id), 303)


@scenarios.post("/a/<area>/scenarios/<scenario_id>/work-out")
@allow(Permission.REALIGN)
def work_out(area: str, scenario_id: str) -> Any:
    chosen = whole_area(area)

    def asked(unit: UnitOfWork) -> str:
        actor = viewer().actor.id
        return request_computation(unit, chosen.name, scenario_id, actor, now(), new_id(), settings()).id

    try:
        done_once(asked)
    except RefusedError as error:
        return _page(chosen, scenario_id, Answer(problem=str(error))), 422
    return redirect(_url(chosen, scenario_id), 303)


@scenarios.post("/a/<area>/scenarios/<scenario_id>/remove")
@allow(Permission.REALIGN)
def remove(area: str, scenario_id: str) -> Any:
    chosen = whole_area(area)

    def removed(unit: UnitOfWork) -> str:
        remove_scenario(unit, chosen.name, scenario_id)
        return scenario_id

    try:
        done_once(removed)
    except RefusedError as error:
        return _page(chosen, scenario_id, Answer(problem=str(error))), 422
    return redirect(url_for("scenarios.page", area=chosen.name), 303)


@scenarios.post("/a/<area>/scenarios/<scenario_id>/copy")
@allow(Permission.REALIGN)
def copy(area: str, scenario_id: str) -> Any:
    """A new scenario that changes the same, or one that undoes what this one has changed."""
    chosen, undoes = whole_area(area), request.form.get("do") == "undo"

    def copied(unit: UnitOfWork) -> str:
        present = find_scenario(unit, chosen.name, scenario_id)
        changes = undo_of(present) if undoes else changes_of(present.changes)
        name = f"{'Undo' if undoes else 'Copy of'} {present.name}"[:MAX_NAME]
        actor, when, made = viewer().actor.id, now(), new_id()
        create_scenario(unit, chosen.name, name, changes, actor, when, made)
        if undoes:
            request_computation(unit, chosen.name, made, actor, when, new_id(), settings())
        return made

    try:
        made = done_once(copied).body
    except (RefusedError, ChangesInvalidError) as error:
        return _page(chosen, scenario_id, Answer(problem=str(error))), 422
    return redirect(_url(chosen, made), 303)


@scenarios.get("/a/<area>/scenarios/<scenario_id>/places")
@allow(Permission.REALIGN)
def places(area: str, scenario_id: str) -> Response:
    """Where customers are, and whose they are before and after, as JSON."""
    chosen = whole_area(area)
    with sources().store.read(viewer().scope) as unit:
        scenario = find_scenario(unit, chosen.name, scenario_id)
        if scenario.result is None:
            abort(404, description="This scenario has not been worked out yet.")
        records = unit.records(chosen.name)
        told = map_data(outcome_of(scenario.result), records.accounts(), records.locations())
    return Response(json.dumps(told, ensure_ascii=False), mimetype="application/json")


# --- applying ---------------------------------------------------------------------------------------------------------


@scenarios.get("/a/<area>/scenarios/<scenario_id>/apply")
@allow(Permission.REALIGN)
def confirm(area: str, scenario_id: str) -> Any:
    """All that applying it would change, before it is."""
    chosen = whole_area(area)
    with sources().store.read(viewer().scope) as unit:
        scenario = find_scenario(unit, chosen.name, scenario_id)
        try:
            wanted = to_apply(unit, chosen.name, scenario_id, scenario.revision)
        except RecordsChangedError as error:
            return _page(chosen, scenario_id, Answer(problem=str(error))), 409
        except RefusedError as error:
            return _page(chosen, scenario_id, Answer(problem=str(error))), 422
        broken = promises_in_the_way(unit, chosen.name, wanted.reps, now())
    return render_template(
        "scenario_apply.html",
        area=chosen,
        scenario=scenario,
        words=applying_words(wanted),
        broken=[(promise.name, promise.window_text(wanted.zone)) for promise in broken],
    )


@scenarios.post("/a/<area>/scenarios/<scenario_id>/apply")
@allow(Permission.REALIGN)
def apply(area: str, scenario_id: str) -> Any:
    chosen, actor, store = whole_area(area), viewer().actor, sources().store

    try:
        done_once_by(
            lambda kept: (
                apply_scenario(
                    store, actor, chosen.name, scenario_id, _revision(), now(), lambda unit, done: kept(unit, done.id)
                ).id
            )
        )
    except ScenarioChangedError:
        return _page(chosen, scenario_id, Answer(changed=True)), 409
    except RecordsChangedError as error:
        return _page(chosen, scenario_id, Answer(problem=str(error))), 409
    except InTheWayError:
        return redirect(url_for("scenarios.confirm", area=chosen.name, scenario_id=scenario_id), 303)
    except RefusedError as error:
        return _page(chosen, scenario_id, Answer(problem=str(error))), 422
    return redirect(_url(chosen, scenario_id), 303)


# --- the page ---------------------------------------------------------------------------------------------------------

_ANCHORS = {"keep": "moved", "add-rep": "reps", "drop-rep": "reps", "hours": "reps", "leave": "reps", "stay": "reps"}
"""Where on the page somebody goes on after a change."""


def _url(area: Area, scenario_id: str, anchor: str | None = None) -> str:
    return url_for("scenarios.one", area=area.name, scenario_id=scenario_id, _anchor=anchor)


def _revision() -> int:
    typed = request.form.get("revision", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 9 else 0


def _page(area: Area, scenario_id: str, answer: Answer | None = None) -> str:
    with sources().store.read(viewer().scope) as unit:
        scenario = find_scenario(unit, area.name, scenario_id)
        records = unit.records(area.name)
        reps, directory = records.reps(), records.directory()
        outdated = _outdated(scenario, records_stamp(unit, area.name))
        job = find_job(unit, scenario.job_id) if scenario.job_id and unit.jobs.get(scenario.job_id) else None
        hint = why_nothing_runs(unit, now()) if job is not None and not job.state.ended else ""
    zone = zone_of(reps) or ZoneInfo("UTC")
    view = scenario_view(scenario, reps, directory, zone, settings())
    return render_template(
        "scenario.html",
        area=area,
        scenario=view,
        answer=answer or Answer(),
        job=job_view(job, zone, {}) if job is not None else None,
        hint=hint,
        outdated=outdated,
        days=DAYS,
        labels=LABELS,
        map=_map(area) if view.worked_out else None,
    )


def _map(area: Area) -> MapFragments | None:
    """Streets for the customers to be drawn on; None where nobody knows where the streets are."""
    try:
        bounds = area.facts().bounds
    except AreaError:
        return None
    drawn = coverage_map(bounds, basemap_url(area), g.nonce, sources().tiles, "scenarios.js")
    g.image_origins = drawn.image_origins
    return drawn


def _outdated(scenario: Scenario, stamp: str) -> bool:
    """Whether records have changed since it was worked out."""
    known = scenario.result
    return scenario.state is ScenarioState.COMPUTED and known is not None and known["stamp"] != stamp
