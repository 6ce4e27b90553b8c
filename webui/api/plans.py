"""Versions of an area's plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.errors import NotFoundError
from planner.plan_document import PlanDocument, RepDay, read_plan
from planner.publishing import publish as publish_plan
from planner.repository import PlannedHandoff, StoredPlan, UnitOfWork
from webui.api.operation import OwnWrite, Reply, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.reading import JSON
from webui.api.records import area_named
from webui.api.values import Day, Model, Moment, model_of
from webui.pages.plans import now, settings, sources
from webui.policy import allow, viewer

RepDayDocument: type[BaseModel] = model_of(RepDay)
PlanBody: type[BaseModel] = model_of(PlanDocument)


class PlanSummary(Model):
    """A version of a plan, without its document."""

    version: int
    first_day: Day
    days: Annotated[int, Field(description="Calendar days.")]
    created_at: Moment
    published_at: Annotated[Moment | None, Field(description="The version published last is what reps see.")]
    visits: int
    unplanned: Annotated[
        int, Field(description="Candidates without a visit, but for those that reps see on days that it is not for.")
    ]
    drive_s: Annotated[int, Field(description="Driving, seconds.")]


class PlanPage(Page):
    """Versions, the newest first."""

    plans: list[PlanSummary]


class HandoffRecord(Model):
    """The visit that came of an opportunity."""

    opportunity_id: str
    rep: Annotated[str, Field(description="First name.")]
    arrive: Moment
    begin: Moment
    promise: Annotated[bool, Field(description="It is an appointment that was agreed.")]


class HandoffPage(Page):
    """Visits by time."""

    handoffs: list[HandoffRecord]


@operation("GET", "/areas/<area>/plans", {200: PlanPage}, tag="plans")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def list_plans(area: str, query: PageQuery) -> Reply:
    """Versions of the plan, the newest first."""
    with store().read(viewer().scope) as unit:
        plans = unit.plans(area_named(area).name).list()
    shown, following = page(query, f"{area}/plans", plans, lambda plan: (plan.version,), descending=True)
    return Reply(PlanPage(plans=[PlanSummary.of(plan) for plan in shown], next=following))


@operation("GET", "/areas/<area>/plans/<number:version>", {200: PlanBody}, tag="plans")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def get_plan(area: str, version: int) -> Response:
    """One version as plan.json.

    docs/plan-format.md explains it; what is not planned, with reasons, what was returned to inside sales and who is
    dormant is in it too. It holds what you may see.
    """
    return _document(area, version)


@operation("GET", "/areas/<area>/plan", {200: PlanBody}, tag="plans")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def get_present_plan(area: str) -> Response:
    """The plan that was published last, or else the newest, as plan.json."""
    return _document(area, None)


@operation("POST", "/areas/<area>/plans/<number:version>/publish", {200: PlanSummary}, tag="plans")
@allow(Permission.PLAN)
def publish(area: str, version: int) -> OwnWrite:
    """Make a version the one that reps see.

    What was promised to customers or is held since it was made is put into its days; where that has no room, nothing is
    published, and the problem of the type `promise-broken` lists in `broken` what could not be kept. Where only holds
    are in the way it is of the type `time-held`, and lists them in `held`: publish again when they have run out.
    """
    known = area_named(area).name

    def write(kept: Callable[[UnitOfWork, Reply], None]) -> None:
        def also(unit: UnitOfWork, published: int) -> None:
            kept(unit, Reply(PlanSummary.of(unit.plans(known).get(published))))

        actor, agendas = viewer().actor, sources().agendas
        publish_plan(store(), actor, agendas, known, version, settings(), now(), also=also)

    return OwnWrite(write)


@operation("GET", "/areas/<area>/handoffs", {200: HandoffPage}, tag="plans")
@allow(Permission.SEE_HANDOFFS)
def list_handoffs(area: str, query: PageQuery) -> Reply:
    """When opportunities are visited: those that you handed off, or all that you see."""

    def key(visit: PlannedHandoff) -> tuple[str, str]:
        return visit.arrive.astimezone(UTC).isoformat(), visit.opportunity_id

    with store().read(viewer().scope) as unit:
        visits = sorted(unit.plans(area_named(area).name).handoffs(), key=key)
    shown, following = page(query, f"{area}/handoffs", visits, key)
    return Reply(HandoffPage(handoffs=[HandoffRecord.of(visit) for visit in shown], next=following))


def stored_plan(unit: UnitOfWork, area: str, version: int | None) -> StoredPlan:
    """A version; or the one published last, or else the newest. Raises NotFoundError."""
    plans = unit.plans(area)
    found = plans.latest(published=True) or plans.latest() if version is None else plans.get(version)
    if found is None:
        raise NotFoundError(f"area {area} has no plan yet")
    return found


def shown_plan(unit: UnitOfWork, area: str, version: int | None) -> tuple[StoredPlan, PlanDocument]:
    """As `stored_plan`, with its document read."""
    stored = stored_plan(unit, area, version)
    return stored, read_plan(stored.document or "", f"plan {stored.version}")


def _document(area: str, version: int | None) -> Response:
    with store().read(viewer().scope) as unit:
        stored = stored_plan(unit, area_named(area).name, version)
    return Response(stored.document, mimetype=JSON, headers={"Plan-Version": str(stored.version)})
