"""fieldvisit scenario list, compute, show."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.table import Table

from planner.cli.app import App, area_option, main
from planner.coverage.material import Material
from planner.errors import PlannerError
from planner.scenarios.changes import changes_of
from planner.scenarios.computing import work_out
from planner.scenarios.domain import Scenario
from planner.scenarios.keeping import WorkedOut, find_scenario, keep_outcome, records_stamp, scenarios_of
from planner.scenarios.outcome import Month, Outcome, outcome_of
from routing.area import Area


@main.group()
def scenario() -> None:
    """What if: the scenarios of an area."""


@scenario.command("list")
@area_option
def list_(app: App, area: Area) -> None:
    """The scenarios of an area, newest first."""
    with app.store.read() as unit:
        found = scenarios_of(unit, area.name)
    for each in found:
        app.say(f"{each.id}  {each.state:<8}  made {each.made_at:%Y-%m-%d %H:%M}Z  {each.name}")


@scenario.command()
@click.argument("scenario_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print what came out as JSON.")
@area_option
def compute(app: App, area: Area, scenario_id: str, as_json: bool) -> None:
    """Work a scenario out as it is now, here and at once."""
    with app.store.read() as unit:
        changes = find_scenario(unit, area.name, scenario_id).changes
        material, stamp = Material.read(unit, area.name, app.settings), records_stamp(unit, area.name)
    with app.bar() as progress:
        outcome = work_out(
            material, stamp, area.name, changes_of(changes), area.streets(), app.settings, on_progress=progress
        )
    with app.store.write(app.actor) as unit:
        if not keep_outcome(unit, area.name, scenario_id, WorkedOut(changes, outcome), datetime.now(UTC)):
            raise PlannerError("the scenario has been changed meanwhile: compute it again")
        present = find_scenario(unit, area.name, scenario_id)
    _show(app, present, as_json)


@scenario.command()
@click.argument("scenario_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@area_option
def show(app: App, area: Area, scenario_id: str, as_json: bool) -> None:
    """What came out of a scenario when it was worked out last."""
    with app.store.read() as unit:
        found = find_scenario(unit, area.name, scenario_id)
    _show(app, found, as_json)


def _show(app: App, scenario: Scenario, as_json: bool) -> None:
    outcome = outcome_of(scenario.result) if scenario.result is not None else None
    if as_json:
        told = {"id": scenario.id, "name": scenario.name, "state": scenario.state, "changes": dict(scenario.changes)}
        click.echo(json.dumps(told | {"outcome": _told(outcome) if outcome else None}, ensure_ascii=False))
        return
    app.say(f"{scenario.name}: {scenario.state}")
    if outcome is None:
        app.say(f"not worked out yet: fieldvisit scenario compute {scenario.id}")
        return
    table = Table("rep", "customers", "needed h", "there h", "load", "missing h", "driving h", box=None, pad_edge=False)
    for rep in outcome.reps:
        table.add_row(rep.name, *(_pair(rep.before, rep.after, figure) for figure in _FIGURES))
    table.add_row("all", *(_pair(outcome.before, outcome.after, figure) for figure in _FIGURES))
    app.console.print(table)
    spreads = [f"{spread:.2f}" if spread else "–" for spread in (outcome.spread(after=side) for side in (False, True))]
    gap = "" if outcome.gap is None else f", at most {outcome.gap:.1%} dearer than the best there is"
    app.say(
        f"fullest by mean {spreads[0]} → {spreads[1]}, {outcome.broken} relationships broken, "
        f"{'in one piece each' if outcome.contiguous else 'some customers apart'}{gap}"
    )
    for note in outcome.notes:
        app.say(f"note: {note}")


_FIGURES = ("customers", "needed", "there", "load", "shortfall", "driving")


def _pair(before: Month | None, after: Month, figure: str) -> str:
    return f"{_figure(before, figure)} → {_figure(after, figure)}"


def _figure(month: Month | None, figure: str) -> str:
    value = None if month is None else getattr(month, figure)
    if value is None:
        return "–"
    if figure == "customers":
        return f"{value}"
    return f"{value:.0%}" if figure == "load" else f"{value / 60:.0f}"


def _told(outcome: Outcome) -> dict[str, object]:
    return {
        "as_of": str(outcome.as_of),
        "spread_before": outcome.spread(after=False),
        "spread_after": outcome.spread(after=True),
        "broken": outcome.broken,
        "contiguous": outcome.contiguous,
        "gap": outcome.gap,
        "reps": [asdict(rep) for rep in outcome.reps],
        "moves": [asdict(move) for move in outcome.moves],
        "notes": list(outcome.notes),
    }
