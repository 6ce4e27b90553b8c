"""fieldvisit problem: planning problems as files, for other solvers and from them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import click

from planner.cli.app import FILE, App, area_option, main
from planner.cli.solving import Asked, figures, ratios, refuse_broken, search_options, show_runs
from planner.errors import PlannerError
from planner.hotels.standing import snapshot_to_plan
from planner.planning import prepare
from routing.area import Area
from routing.errors import InstanceError
from routing.judging import as_driven, verdict
from routing.problem import Problem
from routing.problem_file import MOST_CHARACTERS, read_problem, read_sequences, routes_of, write_problem


@main.group()
def problem() -> None:
    """Planning problems as files that any solver can read (docs/problem-format.md)."""


@problem.command("export")
@click.option("--out", type=FILE, required=True, help="The file to write.")
@click.option("--from", "first_day", type=click.DateTime(["%Y-%m-%d"]), help="The first day.  [default: tomorrow]")
@click.option("--days", type=click.IntRange(1, 60), default=5, show_default=True, help="Working days of the team.")
@area_option
def export(app: App, area: Area, out: Path, first_day: datetime | None, days: int) -> None:
    """Write the problem that `fieldvisit plan` would solve: ids and minutes, no names, addresses or coordinates."""
    if not out.parent.is_dir():
        raise PlannerError(f"{out}: there is no folder {out.parent}")
    with app.store.read() as unit:
        snapshot = snapshot_to_plan(unit, area.name, app.settings)
    start = first_day.date() if first_day else datetime.now().astimezone().date() + timedelta(days=1)
    translation, _, notes = prepare(snapshot, area.streets(), start, days, app.settings)
    asked = translation.problem
    out.write_text(write_problem(asked), encoding="utf-8")
    app.say(f"{out.name}: {len(asked.jobs)} jobs, {len(asked.shifts)} shifts, {len(asked.seconds)} places")
    for note in notes:
        app.say(f"note: {note}")


@problem.command("judge")
@click.argument("file", type=FILE)
@click.argument("routes", type=FILE)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def judge(app: App, file: Path, routes: Path, as_json: bool) -> None:
    """What routes for a problem cost, and which rules they break; exit status 1 if one is broken."""
    asked = _problem(file)
    sequences, nights = read_sequences(_text(routes), routes.name)
    try:
        solution = as_driven(asked, sequences, nights)
    except InstanceError as error:
        raise InstanceError(f"{routes.name}: {error}") from error
    found = verdict(asked, solution)
    if as_json:
        told = {
            "cost_s": found.cost_s,
            "drive_s": found.drive_s,
            "jobs_done": found.done,
            "mandatory_left_out": found.mandatory_left_out,
            "violations": [str(violation) for violation in found.violations],
        }
        app.say(json.dumps(told))
    else:
        for violation in found.violations:
            app.say(str(violation))
        app.say(
            f"cost {found.cost_s} s, {found.done} of {len(asked.jobs)} jobs, {found.drive_s} s driving, "
            f"{found.mandatory_left_out} left out that must be done"
        )
    if found.violations:
        raise click.ClickException(f"{len(found.violations)} rules are broken")


@problem.command("solve")
@click.argument("file", type=FILE)
@search_options(30)
def solve(app: App, asked: Asked, file: Path) -> None:
    """Plan a problem that stands in a file; with --peer, other solvers plan it too.

    With --json the routes are printed as `fieldvisit problem judge` reads them.
    """
    given = _problem(file)
    runs, _ = asked.run(app, given)
    if asked.as_json:
        ours, *beside = ({**figures(run), "routes": routes_of(run.solution)} for run in runs)
        peers = {run.solver: each for run, each in zip(runs[1:], beside, strict=True)}
        left_out = list(runs[0].solution.unassigned)
        more = {"peers": peers, "ratios": ratios(runs)} if peers else {}
        app.say(json.dumps({**asked.told(), **ours, "left_out": left_out, **more}, ensure_ascii=False))
    else:
        show_runs(app, runs, [])
    refuse_broken(runs[0])


def _problem(file: Path) -> Problem:
    return read_problem(_text(file), file.name)


def _text(file: Path) -> str:
    if file.stat().st_size > MOST_CHARACTERS:
        raise InstanceError(f"{file.name}: is larger than any problem")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InstanceError(f"{file.name}: is not UTF-8 text") from error
