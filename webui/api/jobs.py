"""Work that takes a while: asking for a plan or for places, watching it, calling it off."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, abort, current_app
from pydantic import Field

from planner.access import Permission, Scope
from planner.jobs.domain import Job
from planner.jobs.requests import (
    PlanRequest,
    cancel_job,
    find_job,
    finish_job,
    permission_for,
    request_geocoding,
    request_plan,
    told_to,
)
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, after, cursor, foreign
from webui.api.records import area_named
from webui.api.values import Day, Model, Moment
from webui.pages.plans import now, settings
from webui.policy import allow, viewer
from webui.streaming import MIMETYPE, State, Streams


class PlanOrder(Model):
    """A plan of all reps, searched for `seconds`, or by a fixed amount of `work` for the same result every time.

    A search by seconds begins with the plan that was made last, unless it is to be `fresh`.
    """

    first_day: Day
    days: Annotated[int, Field(ge=1, le=60, description="Days on which somebody works.")] = 5
    seconds: Annotated[float | None, Field(ge=0.1, le=86_400, allow_inf_nan=False, examples=[30])] = None
    work: Annotated[int | None, Field(ge=1, le=1_000_000_000)] = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    engine: Annotated[
        Literal["", "ruin-recreate", "ortools"], Field(description="What searches; empty: what the settings say.")
    ] = ""
    fresh: Annotated[bool, Field(description="From the records alone, whatever has been planned and published.")] = (
        False
    )


class GeocodingOrder(Model):
    """The places of addresses."""

    again: Annotated[bool, Field(description="All that no person has settled, not only what is new or changed.")] = (
        False
    )


class JobRecord(Model):
    """A piece of work that somebody asked for."""

    id: str
    area: str
    kind: Annotated[str, Field(description="`plan`, `geocode`, `coverage` or `scenario`.")]
    state: Literal["waiting", "running", "done", "failed", "cancelled", "replaced"]
    request: dict[str, Any]
    progress: Annotated[
        dict[str, Any],
        Field(
            description="`what` is being done, `fraction` (0 to 1); of a search `elapsed_s`, of the best plan `cost_s` "
            "and `visits`, and `improvements` on the way, each [seconds, cost_s, visits, seconds of driving]."
        ),
    ]
    finishing: Annotated[bool, Field(description="The best plan so far has been said to be good enough.")]
    result: Annotated[dict[str, Any], Field(description="Of a plan its `version`.")]
    error: str
    attempt: int
    requested_by: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def shown(cls, job: Job, scope: Scope) -> JobRecord:
        job = told_to(scope, job)
        parts = {name: dict(getattr(job, name)) for name in ("request", "progress", "result")}
        return cls.of(job, state=str(job.state), **parts)


class JobPage(Page):
    """Jobs, the newest first."""

    jobs: list[JobRecord]


@operation("POST", "/areas/<area>/plans", {202: JobRecord}, tag="jobs")
@allow(Permission.PLAN)
def order_plan(area: str, body: PlanOrder) -> Write:
    """Ask for a plan.

    It is made in the background. Your plan of this area that is still waiting is replaced by it.
    """
    known = area_named(area).name
    ask = PlanRequest(body.first_day, body.days, body.seconds, body.work, body.seed, body.engine, body.fresh)
    person, job_id = f"user:{viewer().user.id}", new_id()

    def write(unit: UnitOfWork) -> Reply:
        job = request_plan(unit, known, ask, person, now(), job_id, settings())
        return Reply(JobRecord.shown(job, viewer().scope), 202)

    return write


@operation("POST", "/areas/<area>/geocoding", {202: JobRecord}, tag="jobs")
@allow(Permission.WRITE_RECORDS)
def order_geocoding(area: str, body: GeocodingOrder) -> Write:
    """Ask where addresses are."""
    known = area_named(area).name
    person, job_id = f"user:{viewer().user.id}", new_id()

    def write(unit: UnitOfWork) -> Reply:
        job = request_geocoding(unit, known, person, now(), job_id, body.again)
        return Reply(JobRecord.shown(job, viewer().scope), 202)

    return write


@operation("GET", "/areas/<area>/jobs", {200: JobPage}, tag="jobs")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def list_jobs(area: str, query: PageQuery) -> Reply:
    """Jobs of an area, the newest first."""

    listing = f"{area}/jobs"
    last = _last_of(after(query, listing))
    with store().read(viewer().scope) as unit:
        found = unit.jobs.latest("created_at", query.limit + 1, before=last, area=area_named(area).name)
    shown = found[: query.limit]
    more = len(found) > len(shown)
    following = cursor(listing, (_moment(shown[-1]), shown[-1].id)) if more else None
    return Reply(JobPage(jobs=[JobRecord.shown(job, viewer().scope) for job in shown], next=following))


def _moment(job: Job) -> str:
    return job.created_at.isoformat(timespec="microseconds")


def _last_of(key: tuple[object, ...] | None) -> tuple[datetime, str] | None:
    """The job that a cursor names, by its time and id."""
    match key:
        case None:
            return None
        case (str(moment), str(job_id)) if job_id.isascii() and job_id.isprintable() and moment.endswith("+00:00"):
            try:
                return datetime.fromisoformat(moment), job_id
            except ValueError:
                pass
    raise foreign()


@operation("GET", "/jobs/<job_id>", {200: JobRecord}, tag="jobs")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def get_job(job_id: str) -> Reply:
    """How a job stands."""
    with store().read(viewer().scope) as unit:
        return Reply(JobRecord.shown(find_job(unit, job_id), viewer().scope))


@operation("GET", "/jobs/<job_id>/events", {200: MIMETYPE}, tag="jobs")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def watch_job(job_id: str) -> Response:
    """A job's changes as server-sent events, each with the job as JSON.

    It ends with the job, and before long in any case: ask again then. Few are told at once; the others get 503, and ask
    how the job stands from time to time.
    """
    here, scope = store(), viewer().scope

    def read() -> State:
        with here.read(scope) as unit:
            job = find_job(unit, job_id)
        return JobRecord.shown(job, scope).model_dump_json(), job.state.ended

    read()
    streams: Streams = current_app.extensions["streams"]
    return streams.answer(read)


def _check_may_end(unit: UnitOfWork, job_id: str) -> None:
    needed = permission_for(find_job(unit, job_id).kind)
    if not viewer().may(needed):
        abort(403, description=f"This takes the permission {needed}, which you do not have here.")


@operation("POST", "/jobs/<job_id>/finish", {200: JobRecord}, tag="jobs")
@allow(Permission.PLAN)
def finish(job_id: str) -> Write:
    """End the search for a plan, and keep the best one that it has found; a job that has ended stays as it is.

    It is refused where the job has not begun, or is no search for a plan: cancel it instead.
    """

    def write(unit: UnitOfWork) -> Reply:
        _check_may_end(unit, job_id)
        return Reply(JobRecord.shown(finish_job(unit, job_id), viewer().scope))

    return write


@operation("POST", "/jobs/<job_id>/cancel", {200: JobRecord}, tag="jobs")
@allow(Permission.PLAN, Permission.WRITE_RECORDS)
def cancel(job_id: str) -> Write:
    """Call a job off; one that has ended stays as it is.

    It takes the permission that asking for it takes.
    """

    def write(unit: UnitOfWork) -> Reply:
        _check_may_end(unit, job_id)
        return Reply(JobRecord.shown(cancel_job(unit, job_id, now()), viewer().scope))

    return write
