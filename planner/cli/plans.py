"""fieldvisit plan, plan publish, plans, check."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from rich.table import Table

from planner.candidates import Reason
from planner.cli.app import AREA_HELP, FILE, SECONDS, App, area_option, main
from planner.errors import PlannerError
from planner.hotels.standing import snapshot_to_plan
from planner.plan_checks import broken_rules
from planner.plan_document import PlanDocument, above_bound, night_at, read_plan, write_plan
from planner.planning import make_plan, store_plan, to_store
from planner.publishing import publish as publish_version
from planner.searching import earlier_plan, search_limits
from planner.settings import ENGINES, MOST_WORKERS
from routing.area import Area
from routing.preparing import Loops, loops
from routing.preparing import prepare as compile_loops
from routing.solver import Progress


@main.group(invoke_without_command=True)
@click.option("--from", "first_day", type=click.DateTime(["%Y-%m-%d"]), help="The first day.  [default: tomorrow]")
@click.option("--days", type=click.IntRange(1, 60), default=5, show_default=True, help="Working days of the team.")
@click.option("--seconds", type=SECONDS, help="Time to search.  [default: 30]")
@click.option("--work", type=click.IntRange(1), help="Search by a fixed amount of work: same result every time.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--engine", type=click.Choice(ENGINES), help="What searches.  [default: the settings', or the best here]")
@click.option("--workers", type=click.IntRange(1, MOST_WORKERS), help="Cores to search with; the plan is the same.")
@click.option("--fresh", is_flag=True, help="From the records alone: neither begin with nor stick to an earlier plan.")
@click.option("--out", type=FILE, help="Write the plan to this file too (docs/plan-format.md).")
@click.option("--area", "area_name", metavar="NAME", help=AREA_HELP)
@click.pass_obj
def plan(
    app: App,
    area_name: str | None,
    first_day: datetime | None,
    days: int,
    seconds: float | None,
    work: int | None,
    seed: int,
    engine: str | None,
    workers: int | None,
    fresh: bool,
    out: Path | None,
) -> None:
    """Plan all reps over the coming days. Ctrl-C stops the search and keeps the best plan so far.

    A search by seconds begins with the plan that was made last, one by work knows of the published one alone.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    area = app.areas.get(area_name)
    if seconds is not None and work is not None:
        raise click.UsageError("give either --seconds or --work")
    if out is not None and not out.parent.is_dir():
        raise PlannerError(f"{out}: there is no folder {out.parent}")  # said before the search, not after it
    seconds = None if work is not None else seconds or 30.0
    limits = search_limits(seconds, work, seed, app.settings.solver, engine or "", workers or 0)
    start = first_day.date() if first_day else _today() + timedelta(days=1)
    with app.store.read() as unit:
        snapshot = snapshot_to_plan(unit, area.name, app.settings, fresh)
        earlier = earlier_plan(unit, area.name, start, app.settings.solver, work, fresh)
    with app.bar() as progress, _ctrl_c() as stopped:
        if loops() is Loops.MISSING:
            progress("compiling, once on this machine", 0.0)
            compile_loops()
        progress("travel times", 0.0)

        def show(state: Progress) -> None:
            hours = state.cost_s / 3600
            progress(f"best cost {hours:,.2f} h, {state.served} visits", state.fraction)

        document = make_plan(
            *(snapshot, area.name, area.streets(), start, days, limits, app.settings),
            on_progress=show,
            cancelled=stopped,
            earlier=earlier,
            on_afterwards=progress,
        )
    stored = to_store(document, datetime.now(UTC))
    with app.store.write(app.actor) as unit:
        version = store_plan(unit, stored)
    if out is not None:
        out.write_text(write_plan(document), encoding="utf-8")
    _show_plan(app, version, document)


def _today() -> date:
    return datetime.now().astimezone().date()


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is a wish to stop searching, not to lose what was found; a second one is meant."""
    pressed = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _show_plan(app: App, version: int, document: PlanDocument) -> None:
    totals = document["totals"]
    app.say(
        f"plan {version}: {totals['visits']} visits ({totals['promises']} promised), {totals['unplanned']} unplanned, "
        f"{totals['drive_seconds'] / 3600:.1f} h driving, {totals['drive_metres'] / 1000:.0f} km"
    )
    if phrase := above_bound(document):
        app.say(f"its cost is {phrase}")
    if "seen" in totals:
        app.say(f"{totals['moved']} of {totals['seen']} visits that people had seen are moved")
    days = [(day, night_at(day["end"])) for day in document["rep_days"] if day["stops"]]
    columns = ["rep", "day", "visits", "driving", "leaves", "is back"]
    away = any(night for _, night in days)
    table = Table(*columns, *(["night at"] if away else []), box=None, pad_edge=False)
    for day, night in days:
        table.add_row(
            day["rep_name"],
            day["date"],
            str(day["totals"]["visits"]),
            f"{day['totals']['drive_seconds'] // 60} min",
            (day["start"]["time"] or "")[11:16],
            (day["end"]["time"] or "")[11:16],
            *([night.name if night else ""] if away else []),
        )
    app.console.print(table)
    reasons = Counter(entry["reason"] for entry in document["unplanned"])
    elsewhere = reasons.pop(Reason.SEEN_ON_ANOTHER_DAY, 0)
    for reason, count in reasons.most_common():
        app.say(f"{count} unplanned: {reason}")
    if elsewhere:
        app.say(f"{elsewhere} more planned for days that this plan is not for")
    app.say(
        f"{len(document['returned_to_inside'])} opportunities go back to inside sales, "
        f"{len(document['dormant'])} customers are dormant"
    )
    for note in document["notes"]:
        app.say(f"note: {note}")


@plan.command("publish")
@click.argument("version", type=int, required=False)
@area_option
def publish(app: App, area: Area, version: int | None) -> None:
    """Make a plan version the one that reps see; without a number, the newest.

    What was promised or is held since it was made is put into its days; where that has no room nothing is published.
    """
    published = publish_version(app.store, app.actor, app.agendas, area.name, version, app.settings, datetime.now(UTC))
    app.say(f"plan {published} is published")


@main.command()
@area_option
def plans(app: App, area: Area) -> None:
    """The stored plan versions, newest first."""
    with app.store.read() as unit:
        stored, seen = unit.plans(area.name).list(), unit.plans(area.name).published_version()
    for version in stored:
        published = version.standing(seen) if version.published_at else ""
        app.say(
            f"{version.version:>4}  {version.first_day}  {version.visits} visits, {version.unplanned} unplanned, "
            f"{version.drive_s / 3600:.1f} h driving, made {version.created_at:%Y-%m-%d %H:%M}Z {published}".rstrip()
        )


@main.command()
@click.argument("file", type=FILE)
@area_option
def check(app: App, area: Area, file: Path) -> None:
    """Check every rule on a plan file against the records; exit status 1 if one is broken."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PlannerError(f"{file.name}: is not UTF-8 text") from error
    document = read_plan(text, file.name)
    with app.store.read() as unit:
        snapshot = snapshot_to_plan(unit, area.name, app.settings)
    broken = broken_rules(document, snapshot, area.streets(), app.settings)
    for sentence in broken:
        app.say(sentence)
    if broken:
        raise click.ClickException(f"{len(broken)} rules are broken")
    app.say(f"{file.name}: every rule is kept, {document['totals']['visits']} visits")
