"""What the field is asked after a visit: the report templates of a team, which managers change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from planner.access import Permission
from planner.fieldwork.templates import (
    MOST_TEMPLATES,
    TeamTemplates,
    TemplatesChangedError,
    TemplatesInvalidError,
    read_templates,
    save_templates,
    templates_of,
)
from routing.area import Area
from webui.forms import done_once
from webui.pages.plans import area_named, sources
from webui.policy import allow, viewer
from webui.presenting.report_templates import DISPOSITIONS, FIELDS, FITS, TypedTemplate, blame, template_words

report_templates = Blueprint("report_templates", __name__)

_MOVES = re.compile(r"(up|down|remove)-([0-9]{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the templates as they were typed, and what came of it."""

    templates: Sequence[TypedTemplate]
    revision: int
    problems: Sequence[str] = ()
    theirs: TeamTemplates | None = None
    saved: bool = False


@report_templates.get("/a/<area>/report-templates")
@allow(Permission.SEE_TEAM)
def page(area: str) -> Any:
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        known = read_templates(unit, chosen.name)
    typed = [TypedTemplate.of(template) for template in known.templates]
    return _page(chosen, Shown(typed, known.revision, saved=bool(request.args.get("saved"))))


@report_templates.post("/a/<area>/report-templates")
@allow(Permission.PLAN)
def change(area: str) -> Any:
    chosen, typed, does = area_named(area), _typed(), request.form.get("do", "save")
    seen = request.form.get("revision", "")
    revision = int(seen) if re.fullmatch(r"[0-9]{1,9}", seen, re.ASCII) else 0
    if does == "add":
        return _page(chosen, Shown([*typed, TypedTemplate()][:MOST_TEMPLATES], revision))
    if move := _MOVES.fullmatch(does):
        return _page(chosen, Shown(_moved(typed, move[1], int(move[2])), revision))
    wanted = [template.as_json() for template in typed]
    try:
        templates_of(wanted)
    except TemplatesInvalidError as error:
        return _page(chosen, Shown(typed, revision, blame(typed, error.errors))), 422
    try:
        done_once(lambda unit: str(save_templates(unit, chosen.name, wanted, revision).revision))
    except TemplatesChangedError as error:
        return _page(chosen, Shown(typed, error.present.revision, theirs=error.present)), 409
    return redirect(url_for("report_templates.page", area=chosen.name, saved=1), 303)


def _typed() -> list[TypedTemplate]:
    """The templates of the form, in its order."""
    numbers = sorted({int(found[1]) for name in request.form if (found := re.fullmatch(r"name-([0-9]{1,3})", name))})
    return [_template(number) for number in numbers[:MOST_TEMPLATES]]


def _template(number: int) -> TypedTemplate:
    def said(name: str, most: int) -> str:
        return "\n".join(request.form.get(f"{name}-{number}", "").split("\r\n")).strip()[:most]

    return TypedTemplate(
        name=said("name", 1_000),
        fits=said("fits", 20),
        disposition=said("disposition", 20),
        fields=tuple(request.form.getlist(f"fields-{number}")[: len(FIELDS)]),
        required=tuple(request.form.getlist(f"required-{number}")[: len(FIELDS)]),
        competitor=said("competitor", 20_000),
        concern=said("concern", 20_000),
        reason=said("reason", 20_000),
        text=said("text", 20_000),
    )


def _moved(templates: list[TypedTemplate], how: str, number: int) -> list[TypedTemplate]:
    """One template, 1 and up, moved up, down, or away."""
    if not 1 <= number <= len(templates):
        return templates
    rest, template = templates[: number - 1] + templates[number:], templates[number - 1]
    at = {"up": max(number - 2, 0), "down": number, "remove": None}[how]
    return rest if at is None else [*rest[:at], template, *rest[at:]]


def _page(area: Area, shown: Shown) -> str:
    words = []
    for template in shown.templates:
        try:
            words.append(template_words(templates_of([template.as_json()])[0]))
        except TemplatesInvalidError:
            words.append("")
    return render_template(
        "report_templates.html",
        area=area,
        shown=shown,
        words=words,
        theirs=[(template.name, template_words(template)) for template in shown.theirs.templates]
        if shown.theirs
        else [],
        fits=FITS.items(),
        dispositions=DISPOSITIONS.items(),
        fields=FIELDS.items(),
        most=MOST_TEMPLATES,
        may_change=viewer().may(Permission.PLAN),
    )
