"""fieldvisit kpi: the tree from lead to order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.table import Table

from planner.cli.app import App, area_option, main
from planner.kpi.domain import DROPS, OPEN, Amount, Basis, Branch, Dimension, Node, Part, Selection, Span, Stage, Tree
from planner.kpi.tree import pipeline_tree
from routing.area import Area

DAY = click.DateTime(["%Y-%m-%d"])
TITLES: Mapping[Part, str] = {
    Part.OPEN_INSIDE: "inside",
    Part.OPEN_FIELD: "field",
    Part.OPEN_MANAGER: "mgr",
    Part.SENT_BACK: "back",
    Part.LOST_INSIDE: "lost i",
    Part.LOST_FIELD: "lost f",
}
SHORT: Mapping[Stage, str] = {
    Stage.LEAD: "lead",
    Stage.CONTACTED: "cont",
    Stage.QUALIFIED: "qual",
    Stage.HANDED_OFF: "out",
    Stage.ACCEPTED: "acc",
    Stage.FIRST_ACTION: "acted",
    Stage.VISITED: "visit",
    Stage.PROPOSAL: "prop",
    Stage.WON: "won",
}
"""The titles are too long for a terminal."""


@main.command()
@click.option("--from", "first", type=DAY, help="The first day, such as 2026-11-01.")
@click.option("--to", "last", type=DAY, help="The last day.")
@click.option(
    "--basis",
    type=click.Choice([basis.value for basis in Basis]),
    default=Basis.COHORT.value,
    help="Leads that came in then, or what was done then.",
)
@click.option("--by", type=click.Choice([by.value for by in Dimension]), help="Rows that add up to the total.")
@click.option("--json", "as_json", is_flag=True, help="All numbers.")
@area_option
def kpi(
    app: App, area: Area, first: datetime | None, last: datetime | None, basis: str, by: str | None, as_json: bool
) -> None:
    """How far opportunities have come, and where they have stopped (docs/figures.md)."""
    selection = Selection(_day(first), _day(last), Basis(basis))
    with app.store.read() as unit:
        tree = pipeline_tree(
            unit, area.name, selection, app.settings, datetime.now(UTC), Dimension(by) if by is not None else None
        )
    if as_json:
        click.echo(json.dumps(_document(area.name, tree), ensure_ascii=False, indent=1))
    else:
        _show(app, tree)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def _show(app: App, tree: Tree) -> None:
    app.console.print(_tree_of(tree.whole))
    app.say("on: reached the next stage; inside, field, mgr: open, by who has to act; back: sent back")
    app.say("by the field; lost: by inside sales, in the field; time: since the stage before, median")
    action = tree.whole.node(Stage.FIRST_ACTION).in_time_share
    if action is not None:
        app.say(f"First action in time: {action:.0%}")
    app.say(f"From lead to first contact {_time(tree.whole.response)}, to order {_time(tree.whole.order_lead)}")
    if tree.by is not None:
        app.say("")
        app.console.print(_rows_of(tree))
    if tree.undated:
        app.say(f"note: {tree.undated:,} that nobody dated are in no period")


def _tree_of(branch: Branch) -> Table:
    table = Table(
        "stage", "all", "value", "on", *TITLES.values(), "time", box=None, pad_edge=False, collapse_padding=True
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for node in branch.nodes:
        share = f"{node.conversion:.0%}" if node.conversion is not None else ""
        table.add_row(
            _word(node.stage),
            f"{node.total.count:,}",
            f"{node.total.value:,.0f}",
            share,
            *(_count(node, part) for part in TITLES),
            _time(node.took),
        )
    return table


def _rows_of(tree: Tree) -> Table:
    assert tree.by is not None
    table = Table(_word(tree.by), *SHORT.values(), box=None, pad_edge=False, collapse_padding=True)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in tree.rows:
        table.add_row(row.label or "none", *(f"{node.total.count:,}" for node in row.branch.nodes))
    return table


def _count(node: Node, part: Part) -> str:
    return f"{node.parts[part].count:,}" if part in node.parts else ""


def _time(span: Span) -> str:
    if span.median_s is None:
        return "–"
    hours = span.median_s / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"


def _word(name: Stage | Dimension) -> str:
    return name.value.replace("_", " ")


def _document(area: str, tree: Tree) -> dict[str, Any]:
    asked = tree.selection
    return {
        "area": area,
        "first_day": asked.first_day and asked.first_day.isoformat(),
        "last_day": asked.last_day and asked.last_day.isoformat(),
        "basis": asked.basis,
        "undated": tree.undated,
        **_branch(tree.whole),
        "by": tree.by,
        "rows": [{"key": row.key, "label": row.label, **_branch(row.branch)} for row in tree.rows],
    }


def _branch(branch: Branch) -> dict[str, Any]:
    return {
        "stages": [
            {
                "stage": node.stage,
                **_amount(node.total),
                "conversion": node.conversion,
                "median_s": node.took.median_s,
                "median_of": node.took.known,
                "parts": {part: _amount(amount) | _standing(part) for part, amount in node.parts.items()},
                **(
                    {"timing": {timing: _amount(amount) for timing, amount in node.timing.items()}}
                    if node.timing
                    else {}
                ),
            }
            for node in branch.nodes
        ],
        "response_s": branch.response.median_s,
        "order_lead_s": branch.order_lead.median_s,
        "open": {side: _amount(amount) for side, amount in branch.contribution.open.items()},
        "won": {side: _amount(amount) for side, amount in branch.contribution.won.items()},
    }


def _standing(part: Part) -> dict[str, Any]:
    """Whether it is open, and on which side a drop arose."""
    return {"open": part in OPEN, "arose": DROPS.get(part)}


def _amount(amount: Amount) -> dict[str, Any]:
    return {"count": amount.count, "value": amount.value}
