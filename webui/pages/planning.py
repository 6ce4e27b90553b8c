"""The page that has plans made: the form, the jobs with their live progress, and publishing what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, current_app, redirect, render_template, url_for
from pydantic import BaseModel, Field, field_validator

from planner.access import Permission
from planner.errors import InvalidRecordError, NotFoundError, PromiseBrokenError, RefusedError
from planner.jobs.domain import Job, JobState
from planner.jobs.requests import (
    PLAN,
    SCENARIO,
    PlanRequest,
    cancel_job,
    find_job,
    finish_job,
    jobs_of,
    permission_for,
    request_plan,
    told_to,
    why_nothing_runs,
)
from planner.people.fresh import new_id
from planner.planning import MAX_DAYS
from planner.publishing import publish as publish_plan
from planner.repository import StoredPlan, UnitOfWork
from planner.settings import ENGINES
from planner.snapshot import zone_of
from routing.area import Area
from routing.solver import DEFAULT_ENGINE
from webui.errors import PlanUnreadableError
from webui.forms import Form, done_once, done_once_by, read_form
from webui.pages.plans import CLOCK, area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting import view_of
from webui.presenting.jobs import JobView, job_view
from webui.presenting.rep_day import RepDayView
from webui.streaming import State, Streams
from webui.words import count, duration

planning = Blueprint("planning", __name__)

SHOWN_JOBS = 12
USUAL_SECONDS = 60


class PlanForm(BaseModel):
    """What the form asks for."""

    first_day: date
    days: int = Field(ge=1, le=MAX_DAYS)
    seconds: float = Field(ge=1, allow_inf_nan=False)
    work: int | None = Field(default=None, ge=1)
    seed: int = Field(default=1, ge=0)
    engine: str = ""
    fresh: bool = False

    @field_validator("work", mode="before")
    @classmethod
    def _or_nothing(cls, typed: object) -> object:
        return typed or None


_MOVED = "Moved"


@dataclass(frozen=True, slots=True)
class Compared:
    """A draft beside what the published plan has on the same days: each row a figure, with what it is now and what it
    would be."""

    draft: StoredPlan
    published: StoredPlan | None
    others_stay: bool
    """The published plan has other days too."""
    rows: tuple[tuple[str, str, str], ...]


@planning.get("/a/<area>/planning")
@allow(Permission.PLAN)
def plan_page(area: str) -> Any:
    return _page(area_named(area))


@planning.post("/a/<area>/planning")
@allow(Permission.PLAN)
def start_planning(area: str) -> Any:
    chosen = area_named(area)
    form = read_form(PlanForm)
    if form.values is None:
        return _page(chosen, form), 422
    asked = form.values
    try:
        seconds = asked.seconds if asked.work is None else None
        ask = PlanRequest(asked.first_day, asked.days, seconds, asked.work, asked.seed, asked.engine, asked.fresh)
        done_once(lambda unit: request_plan(unit, chosen.name, ask, viewer().actor.id, now(), new_id(), settings()).id)
    except InvalidRecordError as error:
        return _page(chosen, Form(form.typed, errors={error.field: error.message})), 422
    except RefusedError as error:
        return _page(chosen, Form(form.typed, errors={"": str(error)})), 422
    return redirect(url_for("planning.plan_page", area=chosen.name), 303)


@planning.post("/a/<area>/jobs/<job>/finish")
@allow(Permission.PLAN)
def finish(area: str, job: str) -> Any:
    """The best plan found so far is kept, and the search ends."""
    chosen = area_named(area)

    def enough(unit: UnitOfWork) -> str:
        _job_here(unit, chosen, job)
        finish_job(unit, job)
        return url_for("planning.plan_page", area=chosen.name)

    try:
        return redirect(done_once(enough).body, 303)
    except RefusedError as error:
        return _page(chosen, refused=str(error)), 422


@planning.post("/a/<area>/jobs/<job>/cancel")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def cancel(area: str, job: str) -> Any:
    chosen = area_named(area)

    def called_off(unit: UnitOfWork) -> str:
        found = _job_here(unit, chosen, job)
        cancel_job(unit, job, now())
        if found.kind == SCENARIO:
            return url_for("scenarios.one", area=chosen.name, scenario_id=found.request["scenario"])
        return url_for("planning.plan_page" if found.kind == PLAN else "records.records_page", area=chosen.name)

    return redirect(done_once(called_off).body, 303)


def _job_here(unit: UnitOfWork, area: Area, job: str) -> Job:
    """A job of the area that the viewer may call off; else 403 or 404."""
    found = find_job(unit, job)
    if found.area != area.name:
        raise NotFoundError(f"area {area.name} has no job {job}")
    if not viewer().may(permission_for(found.kind)):
        abort(403)
    return found


@planning.post("/a/<area>/plans/<int:version>/publish")
@allow(Permission.PLAN)
def publish(area: str, version: int) -> Any:
    """Where a promise would be broken, for nobody."""
    chosen = area_named(area)

    def published(kept: Callable[[UnitOfWork, str], None]) -> str:
        return str(
            publish_plan(
                sources().store,
                viewer().actor,
                sources().agendas,
                chosen.name,
                version,
                settings(),
                now(),
                also=lambda unit, done: kept(unit, str(done)),
            )
        )

    try:
        done_once_by(published)
    except PromiseBrokenError as error:
        refused = render_template(
            "publish_refused.html", area=chosen, version=version, broken=error.broken, held=error.held
        )
        return refused, 409
    return redirect(url_for("pages.week", area=chosen.name), 303)


# --- what browsers ask while jobs run ---------------------------------------------------------------------------------


@planning.get("/a/<area>/jobs/live")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def live(area: str) -> Response:
    """The jobs that are not done, as JSON: for browsers that lost the stream or got none."""
    return Response(_telling(area_named(area))()[0], mimetype="application/json")


@planning.get("/a/<area>/jobs/events")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def events(area: str) -> Response:
    """The same as a stream, until no job is left."""
    streams: Streams = current_app.extensions["streams"]
    return streams.answer(_telling(area_named(area)))


def _telling(area: Area) -> Callable[[], State]:
    """What tells how the area's jobs stand; it is called when the request is long over."""
    store, scope, clock = sources().store, viewer().scope, current_app.config[CLOCK]

    def state() -> State:
        with store.read(scope) as unit:
            active = _active(unit, area.name)
            hint = why_nothing_runs(unit, clock()) if active else ""
        told = {"jobs": [job_view(job, ZoneInfo("UTC"), {}).live() for job in active], "hint": hint}
        return json.dumps(told), not active

    return state


# --- the page ---------------------------------------------------------------------------------------------------------


def jobs_shown(unit: UnitOfWork, area: str, kind: str, zone: ZoneInfo, most: int = SHOWN_JOBS) -> list[JobView]:
    """The newest jobs of a kind; those that run come first, then those that wait."""
    found = [job for job in jobs_of(unit, area, 10 * most) if job.kind == kind]
    found = sorted(found, key=lambda job: (job.state.ended, job.state == JobState.WAITING))[:most]
    names: dict[str, str] = {}
    for by in {job.requested_by for job in found}:
        user = unit.users.get(by.removeprefix("user:"))
        if user is not None:
            names[by] = user.name or user.email
    return [job_view(told_to(viewer().scope, job), zone, names) for job in found]


def _page(area: Area, form: Form[PlanForm] | None = None, refused: str = "") -> str:
    most_seconds = settings().jobs.most_seconds
    with sources().store.read(viewer().scope) as unit:
        records = unit.records(area.name)
        reps = records.reps()
        zone = zone_of(reps) or ZoneInfo("UTC")
        jobs = jobs_shown(unit, area.name, PLAN, zone)
        hint = why_nothing_runs(unit, now()) if any(job.active for job in jobs) else ""
        plans = unit.plans(area.name)
        draft, published = plans.latest(), plans.latest(published=True)
    tomorrow = now().astimezone(zone).date() + timedelta(days=1)
    usual = {"first_day": str(tomorrow), "days": "5", "seconds": str(min(USUAL_SECONDS, most_seconds)), "seed": "1"}
    return render_template(
        "planning.html",
        area=area,
        form=form or Form(usual),
        refused=refused,
        engines=ENGINES,
        usual_engine=settings().solver.engine or str(DEFAULT_ENGINE),
        most_days=MAX_DAYS,
        most_seconds=most_seconds,
        jobs=jobs,
        hint=hint,
        reps=len(reps),
        compared=_compared(draft, published) if draft and not draft.published_at else None,
    )


def _active(unit: UnitOfWork, area: str) -> list[Job]:
    found = [job for state in (JobState.RUNNING, JobState.WAITING) for job in unit.jobs.find(area=area, state=state)]
    return sorted(found, key=lambda job: (job.created_at, job.id))


def _compared(draft: StoredPlan, published: StoredPlan | None) -> Compared:
    days = draft.first_day, draft.first_day + timedelta(days=draft.days - 1)
    after, _ = _figures(draft, *days)
    before, has_others = _figures(published, *days) if published else ({}, False)
    # What the published plan had moved itself is past.
    rows = ((name, "–" if name == _MOVED else before.get(name, "–"), figure) for name, figure in after.items())
    return Compared(draft, published, has_others, tuple(rows))


def _figures(plan: StoredPlan, first: date, last: date) -> tuple[dict[str, str], bool]:
    """What a plan has on some days, and whether it has others, which are not counted then."""
    figures = {
        "Days": _span(plan.first_day, plan.first_day + timedelta(days=plan.days - 1)),
        "Visits": f"{plan.visits:,}",
        "Not planned": f"{plan.unplanned:,}",
        "Driving": duration(plan.drive_s),
    }
    try:
        view = view_of(plan.document or "")
    except PlanUnreadableError:
        return figures, False
    if any(not first <= day.day <= last for day in view.days):
        return _figures_of([day for day in view.rep_days.values() if first <= day.day.day <= last]), True
    broken = f", {count(view.promises_broken, 'broken one')}" if view.promises_broken else ""
    figures["Promises kept"] = f"{view.promises_kept:,}{broken}"
    if view.seen:
        figures[_MOVED] = f"{view.moved:,} of {view.seen:,} that people had seen"
    return figures, False


def _figures_of(rep_days: Sequence[RepDayView]) -> dict[str, str]:
    """Whom the plan leaves out it leaves out on all of its days: some have no number of their own."""
    days = [each.day.day for each in rep_days]
    return {
        "Days": _span(min(days), max(days)) if days else "none of these",
        "Visits": f"{sum(each.visits for each in rep_days):,}",
        "Driving": duration(sum(each.drive_s for each in rep_days)),
        "Promises kept": f"{sum(each.promises for each in rep_days):,}",
    }


def _span(first: date, last: date) -> str:
    """'30 Nov – 4 Dec'."""
    days = [f"{day.day} {day:%b}" for day in (first, last)]
    return " – ".join(dict.fromkeys(days))
