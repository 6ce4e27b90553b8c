"""fieldvisit bench: how fast and how truly this machine answers, on an area's real streets."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.table import Table

from planner.benchmarking import replanning
from planner.benchmarking.scenario import make_scenario
from planner.benchmarking.slots import SlotFigures, measure
from planner.cli.app import App, area_option, main
from planner.errors import PlannerError
from routing.area import Area

GROWTH = (10, 50, 100, 200)
"""Numbers of reps that --grow measures."""


@main.group()
def bench() -> None:
    """Measure with made-up reps and customers; your own records are neither read nor changed."""


@bench.command("slots")
@click.option("--reps", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--days", type=click.IntRange(1, 200), default=20, show_default=True, help="Working days.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--queries", type=click.IntRange(1), default=200, show_default=True, help="Answers that are timed.")
@click.option("--sample", type=click.IntRange(0), default=20, show_default=True, help="Those checked by brute force.")
@click.option("--grow", is_flag=True, help=f"Measure {', '.join(map(str, GROWTH))} reps as well.")
@click.option("--json", "as_json", is_flag=True)
@area_option
def slots(
    app: App, area: Area, reps: int, days: int, seed: int, queries: int, sample: int, grow: bool, as_json: bool
) -> None:
    """How long an offer of slots takes when every rep's days are full, and whether any is false or missing.

    The team is drawn by the seed; its customers live at the area's addresses. Exit status 1 where an offer was false
    or missing.
    """
    source, doors = area.streets(), list(dict.fromkeys(door.place for door in area.gazetteer().doors()))
    if not doors:
        raise PlannerError(f"area {area.name} has no addresses to visit")
    teams = sorted({reps, *GROWTH}) if grow else [reps]
    with app.bar() as progress:
        scenario = make_scenario(
            source, doors, teams[-1], days, seed, app.settings, lambda share: progress("filling days", share)
        )
        measured: dict[int, SlotFigures] = {}
        for number, team in enumerate(teams):
            progress(f"asking {team} reps", number / len(teams))
            measured[team] = measure(scenario.of(team), source, queries, sample, app.settings)
    if as_json:
        growth = {"growth": [asdict(figures) for figures in measured.values()]} if grow else {}
        app.say(json.dumps(asdict(measured[reps]) | growth, indent=1))
    else:
        _show(app, list(measured.values()))
    wrong = sum(figures.false_offers + figures.missed_offers for figures in measured.values())
    if wrong:
        raise click.ClickException(f"{wrong} offers were false or missing")


@bench.command("replan")
@click.option("--reps", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--days", type=click.IntRange(1, 200), default=5, show_default=True, help="Working days.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--disturbances", type=click.IntRange(1), default=1_000, show_default=True, help="Answers that are timed."
)
@click.option("--json", "as_json", is_flag=True)
@area_option
def replan(app: App, area: Area, reps: int, days: int, seed: int, disturbances: int, as_json: bool) -> None:
    """How long mending the rest of a begun day takes, and whether every promise and every rule is kept.

    The days are those of `bench slots`; the seed draws what happens to them too. Exit status 1 where a promise was
    moved or given up without need, a rule was broken, or a day came out otherwise than it was shown.
    """
    source, doors = area.streets(), list(dict.fromkeys(door.place for door in area.gazetteer().doors()))
    if not doors:
        raise PlannerError(f"area {area.name} has no addresses to visit")
    with app.bar() as progress:
        scenario = make_scenario(
            source, doors, reps, days, seed, app.settings, lambda share: progress("filling days", share)
        )
        progress("mending days", 0.0)
        figures = replanning.measure(scenario, source, disturbances, seed, app.settings)
    if as_json:
        app.say(json.dumps(asdict(figures), indent=1))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, value in asdict(figures).items():
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
        app.console.print(table)
    if figures.wrong:
        raise click.ClickException(f"{figures.wrong} of what came of it was wrong")


def _show(app: App, measured: list[SlotFigures]) -> None:
    """A row a figure, a column a team."""
    rows = [asdict(figures) for figures in measured]
    table = Table("", *(f"{figures.reps} reps" for figures in measured), box=None, pad_edge=False)
    for name in rows[0]:
        table.add_row(name, *(f"{row[name]:,}" for row in rows))
    app.console.print(table)
