"""Who handles what, inside sales or the field: the rules of a team, which managers change and try out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.domain import Account, Address, Opportunity
from planner.errors import InvalidRecordError
from planner.handoffs.division import (
    MOST_RULES,
    Activity,
    Division,
    RulesChangedError,
    RulesInvalidError,
    Verdict,
    read_rules,
    rules_of,
    who_handles,
    write_rules,
)
from planner.intake.cells import parse_money
from routing.area import Area
from webui.forms import Form, done_once, read_form
from webui.pages.opportunity import team_of
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.opportunity_form import PRODUCT
from webui.presenting.team_rules import ACTIVITIES, TypedRule, blame, rule_words, settings_words

team_rules = Blueprint("team_rules", __name__)

_MOVES = re.compile(r"(up|down|remove)-([0-9]{1,3})", re.ASCII)


class TryForm(BaseModel):
    """A customer and a deal to try the rules on; `activity` is empty for somebody who is no customer."""

    revision: int = Field(0, ge=0, le=2**31)
    try_annual: str = Field("", max_length=30)
    try_activity: str = Field("", max_length=20)
    try_segment: str = Field("", max_length=200)
    try_value: str = Field("", max_length=30)
    try_product: str = Field("", max_length=200)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the rules as they were typed, and what came of it."""

    rules: Sequence[TypedRule]
    revision: int
    form: Form[TryForm]
    problems: Sequence[str] = ()
    theirs: Division | None = None
    verdict: Verdict | None = None
    saved: bool = False


@team_rules.get("/a/<area>/team-rules")
@allow(Permission.SEE_TEAM)
def page(area: str) -> Any:
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        known = read_rules(unit, chosen.name)
    usual: Form[TryForm] = Form({"try_activity": Activity.ACTIVE.value})
    return _page(
        chosen,
        Shown(
            [TypedRule.of(rule) for rule in known.rules], known.revision, usual, saved=bool(request.args.get("saved"))
        ),
    )


@team_rules.post("/a/<area>/team-rules")
@allow(Permission.PLAN)
def change(area: str) -> Any:
    chosen, form = area_named(area), read_form(TryForm)
    revision, typed, does = form.values.revision if form.values else 0, _typed(), request.form.get("do", "save")
    if does == "add":
        return _page(chosen, Shown([*typed, TypedRule()][:MOST_RULES], revision, form))
    if move := _MOVES.fullmatch(does):
        return _page(chosen, Shown(_moved(typed, move[1], int(move[2])), revision, form))
    problems, wanted = list[str](), [rule.as_json() for rule in typed]
    try:
        rules = rules_of(wanted)
    except RulesInvalidError as error:
        problems = blame(typed, error.errors)
    if problems or any(rule.errors for rule in typed):
        return _page(chosen, Shown(typed, revision, form, problems)), 422
    if does == "try":
        if form.values is None:
            return _page(chosen, Shown(typed, revision, form)), 422
        try:
            deal, account = _tried(form.values, _today(chosen))
        except InvalidRecordError as error:
            wrong: Form[TryForm] = Form(form.typed, errors={error.field: error.message})
            return _page(chosen, Shown(typed, revision, wrong)), 422
        verdict = who_handles(deal, account, rules, _today(chosen), settings().candidates)
        return _page(chosen, Shown(typed, revision, form, verdict=verdict))
    try:
        done_once(lambda unit: str(write_rules(unit, chosen.name, wanted, revision).revision))
    except RulesChangedError as error:
        return _page(chosen, Shown(typed, error.present.revision, form, theirs=error.present)), 409
    return redirect(url_for("team_rules.page", area=chosen.name, saved=1), 303)


def _typed() -> list[TypedRule]:
    """The rules of the form, in its order."""
    numbers = sorted({int(found[1]) for name in request.form if (found := re.fullmatch(r"name-([0-9]{1,3})", name))})
    return [_rule(number) for number in numbers[:MOST_RULES]]


def _rule(number: int) -> TypedRule:
    texts = ("name", "handler", "annual_least", "annual_below", "value_least", "value_below", "segments", "products")
    said = {name: request.form.get(f"{name}-{number}", "").strip()[:2_000] for name in texts}
    return TypedRule(**said, activity=tuple(request.form.getlist(f"activity-{number}")[:10]))  # type: ignore[arg-type]


def _moved(rules: list[TypedRule], how: str, number: int) -> list[TypedRule]:
    """One rule, 1 and up, moved up, down, or away."""
    if not 1 <= number <= len(rules):
        return rules
    rest, rule = rules[: number - 1] + rules[number:], rules[number - 1]
    at = {"up": max(number - 2, 0), "down": number, "remove": None}[how]
    return rest if at is None else [*rest[:at], rule, *rest[at:]]


def _tried(typed: TryForm, today: date) -> tuple[Opportunity, Account | None]:
    """The customer and the deal that the rules are tried on. Raises InvalidRecordError."""
    deal = Opportunity(
        "try",
        "a deal",
        Address(""),
        value=parse_money("try_value", typed.try_value),
        attributes={PRODUCT: typed.try_product},
    )
    if not typed.try_activity:
        return deal, None
    dormant = today - timedelta(days=settings().candidates.dormant_days + 1)
    ordered = {Activity.ACTIVE: today, Activity.DORMANT: dormant}
    account = Account(
        "try",
        "a customer",
        Address(""),
        segment=typed.try_segment,
        last_order=ordered.get(Activity(typed.try_activity)) if typed.try_activity in set(Activity) else None,
        annual_value=parse_money("try_annual", typed.try_annual),
    )
    return deal, account


def _page(area: Area, shown: Shown) -> str:
    words = []
    for rule in shown.rules:
        try:
            words.append(rule_words(rules_of([rule.as_json()])[0]))
        except RulesInvalidError:
            words.append("")
    return render_template(
        "team_rules.html",
        area=area,
        shown=shown,
        form=shown.form,
        words=words,
        theirs=[(rule.name, rule_words(rule), rule.handler.value) for rule in shown.theirs.rules]
        if shown.theirs
        else [],
        activities=ACTIVITIES.items(),
        settings_words=settings_words(settings()),
        most=MOST_RULES,
        may_change=viewer().may(Permission.PLAN),
    )


def _today(area: Area) -> date:
    return now().astimezone(team_of(area).zone).date()
