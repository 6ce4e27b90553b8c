"""The pages of the tree from lead to order: the figures of a period, and the opportunities behind each number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for

from planner.access import Permission
from planner.kpi.activity import activity
from planner.kpi.definitions import BASES
from planner.kpi.domain import Basis, Dimension, Part, Selection, Stage, Timing
from planner.kpi.milestones import Milestones
from planner.kpi.reading import Team, read_milestones
from planner.kpi.tree import behind, drilled, tree_of
from planner.repository import UnitOfWork
from routing.area import Area
from webui.asking import ON_A_PAGE, day_asked, one_asked, page_asked, text_asked
from webui.downloads import sheet
from webui.pages.opportunity import may_open
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.presenting.kpi import (
    BASIS_WORDS,
    DIMENSIONS,
    EXPORTED,
    NONE_WORDS,
    PERIODS,
    USUAL_PERIOD,
    days_of,
    deal_view,
    exported,
    node_named,
    node_words,
    options_of,
    pipeline_view,
)
from webui.words import span_of_days

pipeline = Blueprint("pipeline", __name__)

NONE = " "
"""Chooses those without a rep, inside rep or source: nothing is called so, and an empty choice is everybody's."""
CHOSEN_BY = (Dimension.REP, Dimension.INSIDE, Dimension.SOURCE)
LONG_AGO = date(2000, 1, 1)
MONTH = r"\d{4}-(0[1-9]|1[0-2])"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for.

    Attributes:
        period: one of PERIODS; empty where `first` and `last` are days of somebody's own choice.
        chosen: rows of dimensions, as a Selection has them.
    """

    area: str
    period: str
    first: date | None
    last: date | None
    basis: Basis
    chosen: Mapping[Dimension, str]
    by: Dimension | None

    @property
    def selection(self) -> Selection:
        return Selection(
            self.first, self.last, self.basis, **{dimension.value: key for dimension, key in self.chosen.items()}
        )

    @property
    def days(self) -> str:
        """The period in words."""
        if self.first and self.last:
            return span_of_days(self.first, self.last)
        bound = self.first or self.last
        return f"{'since' if self.first else 'until'} {bound.day} {bound:%B %Y}" if bound else "all time"

    def query(self, **changes: str | int | None) -> dict[str, Any]:
        """The same as parameters of an address, but for some."""
        same: dict[str, Any] = {
            "period": self.period if self.period not in ("", USUAL_PERIOD) else None,
            "from": None if self.period else self.first,
            "to": None if self.period else self.last,
            "basis": None if self.basis is Basis.COHORT else self.basis.value,
            "by": self.by.value if self.by else None,
            **{dimension.value: key or NONE for dimension, key in self.chosen.items()},
        }
        return {name: value for name, value in (same | changes).items() if value is not None}

    def url(self, endpoint: str = "pipeline.tree", **changes: str | int | None) -> str:
        return url_for(endpoint, area=self.area, **self.query(**changes))

    def in_period(self, period: str) -> str:
        """The same in another period."""
        chosen = None if period == USUAL_PERIOD else period
        return url_for("pipeline.tree", area=self.area, **self.query(**{"period": chosen, "from": None, "to": None}))

    def listed(self, node: str, key: str | None = None) -> str:
        """The list behind a number; of one row of the breakdown if `key` names it."""
        row = {self.by.value: key or NONE} if self.by is not None and key is not None else {}
        return url_for("pipeline.listed", area=self.area, **self.query(**{"node": node, "by": None, **row}))

    def chosen_as(self, dimension: Dimension) -> str:
        """What a form has chosen."""
        return self.chosen[dimension] or NONE if dimension in self.chosen else ""


@pipeline.get("/a/<area>/pipeline")
@allow(Permission.SEE_FIGURES)
def tree(area: str) -> Any:
    chosen = area_named(area)
    with sources().store.read(viewer().scope) as unit:
        team = Team.of(unit.records(chosen.name).reps())
        ways = read_milestones(unit, chosen.name, settings(), team, now())
        asked = _asked(chosen, team, ways)
        days = (asked.first or LONG_AGO, asked.last or now().astimezone(team.zone).date())
        worked = activity(unit, chosen.name, *days, now(), asked.chosen.get(Dimension.REP))
    return render_template(
        "pipeline.html",
        area=chosen,
        asked=asked,
        view=pipeline_view(tree_of(ways, asked.selection, team, asked.by), worked),
        periods=PERIODS,
        bases={basis: (words, BASES[basis]) for basis, words in BASIS_WORDS.items()},
        dimensions=DIMENSIONS,
        choices=[
            (dimension, DIMENSIONS[dimension], [(key or NONE, text) for key, text in options.items()])
            for dimension in CHOSEN_BY
            if len(options := options_of(ways, dimension, team)) > 1 or dimension in asked.chosen
        ],
    )


@pipeline.get("/a/<area>/pipeline/list")
@allow(Permission.SEE_FIGURES)
def listed(area: str) -> Any:
    chosen = area_named(area)
    name, stage, part = _node()
    page = page_asked()
    with sources().store.read(viewer().scope) as unit:
        asked, team, ways = _behind(unit, chosen, stage, part)
        pages = max(1, -(-len(ways) // ON_A_PAGE))
        if page > pages:
            abort(404, description=f"The list ends with page {pages}.")
        shown = drilled(unit, chosen.name, ways[(page - 1) * ON_A_PAGE :][:ON_A_PAGE])
    return render_template(
        "pipeline_list.html",
        area=chosen,
        asked=asked,
        node=name,
        title=node_words(stage, part),
        chosen=[(DIMENSIONS[each], key or NONE_WORDS[each]) for each, key in asked.chosen.items()],
        number=len(ways),
        worth=f"{sum(way.cents for way in ways) / 100:,.0f}",
        deals=[deal_view(each, team) for each in shown],
        page=page,
        pages=pages,
        may_open=may_open("opportunity.page"),
    )


@pipeline.get("/a/<area>/pipeline/list.<sheet_kind>")
@allow(Permission.SEE_FIGURES)
def listed_sheet(area: str, sheet_kind: str) -> Response:
    chosen = area_named(area)
    name, stage, part = _node()
    with sources().store.read(viewer().scope) as unit:
        _, team, ways = _behind(unit, chosen, stage, part)
    return sheet(sheet_kind, f"{chosen.name} pipeline {name}", EXPORTED, exported(ways, team))


def _behind(
    unit: UnitOfWork, area: Area, stage: Stage, part: Part | Timing | None
) -> tuple[Asked, Team, list[Milestones]]:
    """The opportunities behind a number."""
    team = Team.of(unit.records(area.name).reps())
    ways = read_milestones(unit, area.name, settings(), team, now())
    asked = _asked(area, team, ways)
    return asked, team, behind(ways, asked.selection, team, stage, part)


def _node() -> tuple[str, Stage, Part | Timing | None]:
    name = text_asked("node") or Stage.LEAD.value
    try:
        return name, *node_named(name)
    except ValueError:
        abort(404, description="There is no such number in the tree from lead to order.")


def _asked(area: Area, team: Team, ways: Sequence[Milestones]) -> Asked:
    first, last = day_asked("from"), day_asked("to")
    period = text_asked("period") or ("" if first or last else USUAL_PERIOD)
    if period and period not in PERIODS:
        abort(404, description="There is no such period: choose one on the page.")
    if period:
        first, last = days_of(period, now().astimezone(team.zone).date())
    if first and last and first > last:
        abort(400, description=f"The period ends before it begins: {last} is before {first}.")
    chosen = {dimension: text for dimension in Dimension if (text := text_asked(dimension.value))}
    chosen = {dimension: "" if text == NONE else text for dimension, text in chosen.items()}
    for dimension, key in chosen.items():
        known = re.fullmatch(MONTH, key, re.ASCII) if dimension is Dimension.MONTH else None
        if not known and key not in options_of(ways, dimension, team):
            abort(404, description=f"There is nothing here by “{DIMENSIONS[dimension].lower()}” of that name.")
    by = one_asked("by", Dimension, Dimension.REP) if request.args.get("by") else None
    return Asked(area.name, period, first, last, one_asked("basis", Basis, Basis.COHORT), chosen, by)
