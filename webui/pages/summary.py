"""The weekly summary: to read, to print, and to be sent by mail."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for

from planner.access import Permission, Scope
from planner.snapshot import zone_of
from planner.summary.covering import last_whole_week
from planner.summary.domain import Named, Suggestion, SuggestionKind, monday_of
from planner.summary.making import weekly_summary
from planner.summary.reading import reads_summary, subscribe
from routing.area import Area
from webui.forms import done_once
from webui.pages.opportunity import may_open
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.summary import LINKS, is_customer, summary_view

summary = Blueprint("summary", __name__)

LOOKED_BACK = timedelta(days=5 * 366)


@summary.get("/a/<area>/summary")
@allow(Permission.SEE_FIGURES)
def latest(area: str) -> Any:
    """Last week's."""
    chosen = area_named(area)
    return _page(chosen, last_whole_week(_today(chosen)))


@summary.get("/a/<area>/summary/<monday>")
@allow(Permission.SEE_FIGURES)
def week(area: str, monday: str) -> Any:
    chosen = area_named(area)
    day, today = _day(monday), _today(chosen)
    if not today - LOOKED_BACK <= day <= today:
        abort(404, description="There is no summary of this week: it has not begun, or is too long ago.")
    if day != monday_of(day):
        return redirect(url_for("summary.week", area=chosen.name, monday=monday_of(day)), 303)
    return _page(chosen, day)


@summary.post("/a/<area>/summary/mail")
@allow(Permission.SEE_FIGURES)
def mail(area: str) -> Any:
    """Be sent the summary from now on, or no more."""
    chosen, asking = area_named(area), viewer()
    wanted = {"subscribe": True, "unsubscribe": False}.get(request.form.get("do", ""))
    if wanted is None or asking.session is None:  # a token that may read figures has no mail sent to its owner
        abort(400)

    def write(unit: Any) -> str:
        subscribe(unit, chosen.name, asking.user, wanted)
        return ""

    done_once(write)
    return redirect(url_for("summary.latest", area=chosen.name, _anchor="mail"), 303)


def _page(area: Area, monday: date) -> str:
    asking = viewer()
    found = weekly_summary(sources().store, asking.scope, area.name, monday, settings(), now())
    with sources().store.read(asking.scope) as unit:
        subscribed = reads_summary(unit, area.name, asking.user)
    may_see = {"customer.page": may_open("customer.page"), "opportunity.page": may_open("opportunity.page")}

    def link_of(entry: Named) -> str:
        page = "customer.page" if is_customer(entry) else "opportunity.page"
        return url_for(page, area=area.name, id=entry.id) if may_see[page] and entry.id else ""

    return render_template(
        "summary.html",
        area=area,
        view=summary_view(found, _today(area), link_of, lambda each: _suggested(area, each)),
        monday=monday,
        subscribed=subscribed,
        mails_at=settings().mail.weekly_at if settings().mail.host else "",
        email=asking.user.email,
    )


def _suggested(area: Area, each: Suggestion) -> tuple[str, str]:
    """Where a suggestion leads to, and what that is called."""
    pages = {
        SuggestionKind.FIRST_VISITS: "pages.unplanned",
        SuggestionKind.GIVE: "scenarios.page",
        SuggestionKind.STRETCH: "scenarios.page",
        SuggestionKind.SETTLE: "records.addresses",
    }
    page = pages.get(each.kind, "coverage.customers")
    if not may_open(page) or (page == "scenarios.page" and not viewer().scope.everybody):
        return "", ""
    if page != "coverage.customers":
        return url_for(page, area=area.name), LINKS[each.kind]
    measure = "overdue" if each.kind is SuggestionKind.HALF_DAY else "customers"
    value = each.rep_id or None
    return url_for(page, area=area.name, measure=measure, by="rep", value=value), LINKS[each.kind]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else "")
    except ValueError:
        abort(404, description="That is no day: weeks are written like 2026-11-30.")


def _today(area: Area) -> date:
    with sources().store.read(Scope(area=area.name)) as unit:
        zone = zone_of(unit.records(area.name).reps()) or ZoneInfo("UTC")
    return now().astimezone(zone).date()
