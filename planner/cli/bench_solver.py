"""fieldvisit bench vrptw, pcvrptw and field: how good the plans are, on public instances and beside other solvers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from planner.cli.app import FILE, App
from planner.cli.bench import bench
from planner.cli.solving import Asked, figures, ratios, refuse_broken, search_options, show_runs
from routing.instances.euclidean import Instance
from routing.instances.field import field_week
from routing.instances.prizes import read_pcvrptw
from routing.instances.solomon import read_vrptw
from routing.peers.comparing import Run

APPOINTMENTS_A_VISIT = 8
"""One visit of so many is an appointment, unless it is said how many are."""


@bench.command("vrptw")
@click.argument("file", type=FILE)
@search_options(20, peers=("pyvrp",))
def vrptw(app: App, asked: Asked, file: Path) -> None:
    """A vehicle-routing problem with time windows, in Solomon's format: the least distance.

    Distances are not rounded; the fleet is the file's. What is best known is read from a best_known.json beside or
    above the file. Exit status 1 where the routes break a window, a load or the fleet.
    """
    _measure(app, asked, read_vrptw(file))


@bench.command("pcvrptw")
@click.argument("file", type=FILE)
@search_options(60, peers=("pyvrp",))
def pcvrptw(app: App, asked: Asked, file: Path) -> None:
    """A prize-collecting problem in VRPLIB format: the least distance and missed prizes, times ten and truncated.

    What is best known is read from the .sol file beside it.
    """
    _measure(app, asked, read_pcvrptw(file))


def _measure(app: App, asked: Asked, instance: Instance) -> None:
    runs, _ = asked.run(app, instance.problem)
    found = {run.solver: instance_figures(instance, run) for run in runs}
    ours = found[runs[0].solver]
    if asked.as_json:
        beside = {solver: figure for solver, figure in found.items() if solver != runs[0].solver}
        head = {"instance": instance.name, **ours, "best_known_of": instance.best_known_of, **asked.told()}
        app.say(json.dumps(head | ({"peers": beside} if beside else {})))
    else:
        table = Table("solver", "cost", "gap", "routes", "took", box=None, pad_edge=False)
        for solver, figure in found.items():
            gap = "" if figure["gap"] is None else f"{figure['gap']:+.2%}"
            table.add_row(solver, f"{figure['cost']:,.2f}", gap, str(len(figure["routes"])), f"{figure['took']} s")
        app.console.print(table)
        known = "not known" if instance.best_known is None else f"{instance.best_known:,.2f}"
        app.say(f"{instance.name}: best {known}, where {instance.best_known_of} counts first")
    if ours["broken"]:
        raise click.ClickException(f"{instance.name}: {len(ours['broken'])} rules are broken: {ours['broken'][0]}")


def instance_figures(instance: Instance, run: Run) -> dict[str, Any]:
    """A run in the file's own units; a gap of 0.01 is a cost of 1 % above the best known."""
    routes = instance.routes_of(run.solution)
    cost = instance.cost_of(routes)
    known = instance.best_known
    return {
        "cost": round(cost, 4),
        "best_known": known,
        "gap": None if known is None else round(cost / known - 1, 6),
        "routes": routes,
        "broken": instance.broken_by(routes),
        "took": round(run.seconds, 1),
    }


@bench.command("field")
@click.option("--reps", type=int, default=10, show_default=True)
@click.option("--days", type=int, default=5, show_default=True)
@click.option("--visits", type=int, default=800, show_default=True, help="To choose from.")
@click.option("--appointments", type=int, help="Visits at a fixed time.  [default: one of eight]")
@click.option("--breaks", is_flag=True, help="Each day has a lunch break.")
@search_options(10, peers=None)
def field(app: App, asked: Asked, reps: int, days: int, visits: int, appointments: int | None, breaks: bool) -> None:
    """A made-up week of field reps, drawn by the seed: this solver beside VROOM and PyVRP, judged by one evaluator.

    VROOM has its highest exploration level, its own time, and as many threads as this machine has cores; PyVRP has
    the same seconds as this solver. Where they are not installed, and by --work, only this solver is measured.
    """
    firm = max(visits, 0) // APPOINTMENTS_A_VISIT if appointments is None else appointments
    problem = field_week(asked.limits.seed, reps, days, visits, firm, breaks)
    runs, missing = asked.run(app, problem, peers_needed=False)
    if asked.as_json:
        week = {"reps": reps, "days": days, "visits": visits, "appointments": firm, "breaks": breaks}
        app.say(
            json.dumps(
                {
                    **week,
                    **asked.told(),
                    "solvers": {run.solver: figures(run) for run in runs},
                    "ratios": ratios(runs),
                    "not_compared": missing,
                }
            )
        )
    else:
        show_runs(app, runs, missing)
    refuse_broken(runs[0])
