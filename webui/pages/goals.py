"""A day's goals: how far one is with them, counting calls by a tap; the team's, and setting them."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from planner.access import Permission
from planner.activities.domain import Activity
from planner.activities.goals import KINDS, Goals, GoalsChangedError, TeamGoals, read_goals, save_goals
from planner.activities.progress import own_progress, team_progress, today_of
from planner.activities.tapping import tap
from planner.errors import InvalidRecordError
from routing.area import Area
from webui.forms import done_once
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.goals import MEANINGS, TITLES, field_name, goal_fields, goals_view, goals_words, typed_of

goals = Blueprint("goals", __name__)

TAPS = {"more": 1, "fewer": -1}


@goals.get("/a/<area>/goals")
@allow(Permission.SEE_DAYS, Permission.SEE_HANDOFFS)
def page(area: str) -> Any:
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        known = read_goals(unit, chosen.name)
    return _page(chosen, known, typed_of(known.now), saved=bool(request.args.get("saved")))


@goals.post("/a/<area>/goals/tap")
@allow(Permission.REPORT, Permission.HAND_OFF)
def count(area: str) -> Any:
    """One call more, or one back. A form sent twice counts once."""
    chosen, user = area_named(area), viewer().user
    by = TAPS.get(request.form.get("do", "")) or abort(400)
    if user.role not in KINDS:
        abort(403, description="Calls are counted by those who have goals: inside sales and field reps.")
    day = today_of(sources().store, user, chosen.name, now())
    done_once(lambda unit: str(tap(unit, chosen.name, user.id, day, Activity.CALLS, by)))
    return redirect(url_for("goals.page", area=chosen.name, _anchor="calls"), 303)


@goals.post("/a/<area>/goals")
@allow(Permission.PLAN)
def change(area: str) -> Any:
    chosen = area_named(area)
    typed = {name: request.form.get(name, "").strip()[:20] for name in typed_of({})}
    seen = request.form.get("revision", "")
    revision = int(seen) if re.fullmatch(r"[0-9]{1,9}", seen, re.ASCII) else 0
    with sources().store.read(viewer().scope) as unit:
        known = read_goals(unit, chosen.name)
    wanted, errors = _read(typed)
    if errors:
        return _page(chosen, known, typed, errors, revision), 422
    today = today_of(sources().store, viewer().user, chosen.name, now())
    try:
        done_once(lambda unit: str(save_goals(unit, chosen.name, wanted, revision, today).revision))
    except InvalidRecordError as error:
        return _page(chosen, known, typed, {error.field: error.message}, revision), 422
    except GoalsChangedError as error:
        return _page(chosen, error.present, typed, theirs=goals_words(error.present)), 409
    return redirect(url_for("goals.page", area=chosen.name, saved=1), 303)


def _read(typed: dict[str, str]) -> tuple[Goals, dict[str, str]]:
    """The goals of the form, and what is wrong with it by field."""
    wanted: dict[Any, dict[Activity, int]] = {role: {} for role in KINDS}
    errors: dict[str, str] = {}
    for role, kinds in KINDS.items():
        for kind in kinds:
            text = typed[field_name(role, kind)]
            if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
                wanted[role][kind] = int(text)
            else:
                errors[field_name(role, kind)] = f"“{text}” is not a whole number" if text else "is empty"
    return wanted, errors


def _page(
    area: Area,
    known: TeamGoals,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    revision: int | None = None,
    *,
    theirs: list[str] | None = None,
    saved: bool = False,
) -> str:
    asking, calendar = viewer(), settings().calendar
    _, own = own_progress(sources().store, asking.user, area.name, calendar, now())
    team = None
    if asking.may(Permission.SEE_TEAM):
        _, team = team_progress(sources().store, asking.scope, area.name, calendar, now())
    role = asking.user.role
    return render_template(
        "goals.html",
        area=area,
        own=goals_view(own) if own else None,
        team=None if team is None else [goals_view(each) for each in team],
        meanings=[(TITLES[kind], MEANINGS[kind]) for kind in KINDS.get(role, tuple(TITLES))],
        fields=goal_fields(typed, errors or {}),
        wrong=bool(errors),
        revision=known.revision if revision is None else revision,
        theirs=theirs,
        saved=saved,
        may_count=role in KINDS,
        may_set=asking.may(Permission.PLAN),
        part_of_area=not asking.scope.everybody,
    )
