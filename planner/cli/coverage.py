"""fieldvisit coverage: who is looked after, by rep, and the hours that takes."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

from planner.access import EVERYTHING
from planner.cli.app import App, area_option, main
from planner.coverage.keeping import make_now, standing, summary
from planner.coverage.measures import Group, HeldCadence, Row
from planner.coverage.packing import Summary
from planner.errors import NotFoundError
from routing.area import Area

COLUMNS = {
    "customers": "all",
    "visited": "ok",
    "due": "due",
    "overdue": "over",
    "overdue_days": "days",
    "planned": "plan",
    "unreached": "miss",
    "hours_needed": "needs h",
    "hours_there": "has h",
    "shortfall": "short h",
}
"""The titles are too long for a terminal."""


@main.command()
@click.option("--now", "on_the_spot", is_flag=True, help="Work it out now, and keep it for the pages.")
@click.option("--json", "as_json", is_flag=True, help="All figures by rep, segment, territory and reason.")
@area_option
def coverage(app: App, area: Area, on_the_spot: bool, as_json: bool) -> None:
    """Which customers are looked after, by rep, and the hours that takes (docs/coverage.md)."""
    fresh = True
    if on_the_spot:
        found: Summary | None = make_now(app.store, app.actor, area, app.settings, datetime.now(UTC))
    else:
        with app.store.read() as unit:
            found = summary(unit, area.name, EVERYTHING)
            fresh = standing(unit, area.name, app.settings).fresh
    if found is None:
        raise NotFoundError(f"the coverage of {area.name} has not been worked out yet: add --now")
    if as_json:
        click.echo(json.dumps(_document(found, fresh), ensure_ascii=False, indent=1))
    else:
        _show(app, found, fresh)


def _document(found: Summary, fresh: bool) -> dict[str, Any]:
    told = asdict(found)
    days = {name: told[name] and told[name].isoformat() for name in ("as_of", "made_at", "first_day", "last_day")}
    figures = {by: [asdict(row) for row in rows] for by, rows in found.rows.items()}
    return {
        "area": found.area,
        "fresh": fresh,
        **days,
        "plan_version": found.plan_version,
        "figures": figures,
        "cadence_held": told["held"],
        "notes": list(found.notes),
    }


def _show(app: App, found: Summary, fresh: bool) -> None:
    app.say(f"{found.area} as of {found.as_of}" + ("" if fresh else "; something has changed since: add --now"))
    table = Table("rep", *COLUMNS.values(), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in found.rows[Group.REP]:
        table.add_row(row.label, *_cells(row))
    table.add_row("together", *_cells(found.total))
    app.console.print(table)
    app.say("ok: within cadence; over: by a quarter of it or more; days: overdue in all; plan: a visit to come;")
    app.say("miss: due in the plan's days and not in it; hours a month")
    for held in found.held:
        app.say(_held(held, {rep.rep_id: rep.name for rep in found.reps}[held.rep_id]))
    for note in found.notes:
        app.say(f"note: {note}")


def _cells(row: Row) -> list[str]:
    return [f"{row.figures[key] or 0:,.0f}" for key in COLUMNS]


def _held(held: HeldCadence, name: str) -> str:
    whom = f"customers of segment {held.segment}" if held.segment else "customers without a segment"
    if held.holds_days is None:
        return f"{name}: opportunities leave no hours for {whom}"
    return f"{name}: the hours would hold {whom} every {held.holds_days:.1f} days instead of {held.cadence_days:.1f}"
