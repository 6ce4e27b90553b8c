"""The pages of coverage: the figures at a glance, and the customers behind each of them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, url_for

from planner.access import Permission
from planner.coverage.domain import Coverage
from planner.coverage.keeping import ask_if_stale, request_coverage, stored, summary
from planner.coverage.measures import Group, group_of, labels, listed
from planner.errors import NotFoundError
from planner.jobs.requests import told_to, why_nothing_runs
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from routing.area import Area
from webui.asking import ON_A_PAGE, one_asked, page_asked, text_asked
from webui.downloads import sheet
from webui.forms import done_once
from webui.pages.opportunity import may_open
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.coverage import coverage_view
from webui.presenting.coverage_list import EXPORTED, ORDERS, Order, exported, list_view, ordered
from webui.presenting.jobs import job_view
from webui.words import clock, short_day

coverage_pages = Blueprint("coverage", __name__)

ALL = "customers"
"""The figure whose list is shown where none is named."""

NO_LIST = "There is no such list of customers: choose a figure on the page of coverage."


@coverage_pages.get("/a/<area>/coverage")
@allow(Permission.SEE_FIGURES)
def figures(area: str) -> Any:
    chosen, here = area_named(area), viewer()
    by = one_asked("by", Group, Group.REP)
    stands = ask_if_stale(sources().store, here.actor, chosen.name, settings(), now(), new_id)
    with sources().store.read(here.scope) as unit:
        found = summary(unit, chosen.name, here.scope)
        hint = why_nothing_runs(unit, now()) if stands.under_way else ""
    zone = ZoneInfo(found.zone if found else "UTC")
    made = found.made_at.astimezone(zone) if found else None
    return render_template(
        "coverage.html",
        area=chosen,
        view=coverage_view(found, by) if found else None,
        made=f"{short_day(made)} {clock(made)}" if made else "",
        stands=stands,
        jobs=[job_view(told_to(here.scope, stands.job), zone, {})] if stands.job else [],
        hint=hint,
    )


@coverage_pages.post("/a/<area>/coverage")
@allow(Permission.SEE_FIGURES)
def work_out(area: str) -> Any:
    """Have the figures worked out anew, also where that has failed."""
    chosen, actor = area_named(area), viewer().actor

    def asked(unit: UnitOfWork) -> str:
        job = request_coverage(unit, chosen.name, actor.id, now(), new_id(), settings(), again=True)
        return job.id if job else ""

    done_once(asked)
    return redirect(url_for("coverage.figures", area=chosen.name), 303)


@coverage_pages.get("/a/<area>/coverage/list")
@allow(Permission.SEE_FIGURES)
def customers(area: str) -> Any:
    chosen = area_named(area)
    key, by, value, order = _asked()
    coverage = _stored(chosen)
    found = list_view(coverage, key, by, value, order, page_asked(), ON_A_PAGE)
    if found is None:
        abort(404, description=NO_LIST)
    query = {"measure": key, "by": by.value if by is not Group.AREA else None, "value": value or None}

    def url(endpoint: str = "coverage.customers", **more: Any) -> str:
        return url_for(endpoint, area=chosen.name, **(query | {"sort": _unless_usual(order)} | more))

    return render_template(
        "coverage_list.html",
        area=chosen,
        list=found,
        as_of=short_day(coverage.as_of),
        order=order,
        orders=[(each, text, url(sort=_unless_usual(each))) for each, text in ORDERS.items()],
        url=url,
        may_open=may_open("customer.page"),
    )


@coverage_pages.get("/a/<area>/coverage/list.<sheet_kind>")
@allow(Permission.SEE_FIGURES)
def customers_sheet(area: str, sheet_kind: str) -> Response:
    chosen = area_named(area)
    key, by, value, order = _asked()
    coverage = _stored(chosen)
    if value not in labels(coverage, by):
        abort(404, description=NO_LIST)
    rows = exported(coverage, ordered(listed(coverage, key, by, value), order))
    return sheet(sheet_kind, f"{chosen.name} {key} {value} {coverage.as_of}", EXPORTED, rows)


def _unless_usual(order: Order) -> str | None:
    return None if order is Order.OVERDUE else order.value


def _asked() -> tuple[str, Group, str, Order]:
    """Which figure of which row, and in which order."""
    by = group_of(text_asked("by") or Group.AREA)
    return text_asked("measure") or ALL, by, text_asked("value") or "", one_asked("sort", Order, Order.OVERDUE)


def _stored(area: Area) -> Coverage:
    with sources().store.read(viewer().scope) as unit:
        found = stored(unit, area.name, viewer().scope)
    if found is None:
        raise NotFoundError("nobody has worked these figures out yet: open the page of coverage")
    return found
