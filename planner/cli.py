"""The command `fieldvisit`: every command but the web ones, which webui/cli.py adds."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from planner.domain import RecordKind
from planner.errors import NotFoundError, PlannerError
from planner.intake import ImportReport, import_files
from planner.locating import LocatingReport, decide, geocoder_for, locate_records, review_list, write_report
from planner.plan_checks import broken_rules
from planner.plan_document import PlanDocument, read_plan, write_plan
from planner.planning import make_plan, store_plan
from planner.repository import Store
from planner.settings import HOME_VARIABLE, Settings, default_home, read_settings
from planner.snapshot import Snapshot
from planner.storage import open_store
from routing.area import Area, Areas
from routing.errors import RoutingError
from routing.geo import LatLon
from routing.matrix_file import write_matrix
from routing.solver import Progress as SolverProgress
from routing.solver import SearchLimits
from routing.travel_times import GreatCircleTravelTimes

AREA_HELP = "The area; may be left out where there is only one."
FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass
class App:
    """What every command needs, opened when it is first asked for."""

    home: Path | None

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.home)

    @cached_property
    def store(self) -> Store:
        return open_store(self.settings.database_url)

    @cached_property
    def areas(self) -> Areas:
        return Areas(self.settings.areas)

    @cached_property
    def console(self) -> Console:
        # Names from files are printed with markup=False: "[red]" in a customer's name is text.
        return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(text)

    @contextmanager
    def bar(self) -> Iterator[Callable[[str, float], None]]:
        """A live progress bar on stderr; what it calls the work and the share done, 0 to 1, change as it goes."""
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("starting", total=1.0)
            yield lambda what, share: progress.update(task, description=what, completed=share)


def area_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--area NAME, to be left out where there is only one; the command gets the Area."""

    @click.option("--area", "area_name", metavar="NAME", help=AREA_HELP)
    @click.pass_obj
    @wraps(command)
    def with_area(app: App, area_name: str | None, **options: Any) -> Any:
        return command(app, area=app.areas.get(area_name), **options)

    return with_area


class Commands(click.Group):
    """Turns the errors that we raise on purpose into one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PlannerError, RoutingError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=HOME_VARIABLE,
    help=f"The folder of areas, database and settings.toml.  [default: {default_home().name} in your home folder]",
)
@click.version_option(package_name="fieldvisit")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """Plan the visits of field sales reps on real streets."""
    ctx.obj = App(home)


# ------------------------------------------------------------------------------------------------ areas


@main.group()
def area() -> None:
    """Street networks, gazetteers and base maps, built from OpenStreetMap."""


@area.command("add")
@click.argument("name")
@click.option("--extract", type=FILE, help="An OpenStreetMap extract: .osm.pbf, .osm, .osm.gz or .osm.bz2.")
@click.option("--place", help='Download a place instead, such as "Newport, Wales".')
@click.pass_obj
def add_area(app: App, name: str, extract: Path | None, place: str | None) -> None:
    """Build an area once, from an extract or by the name of a place."""
    if (extract is None) == (place is None):
        raise click.UsageError("give either --extract FILE or --place NAME")
    with app.bar() as progress:
        if extract is not None:
            built = app.areas.add(name, extract, progress)
        else:
            built = app.areas.download(name, place or "", progress)
    _show_area(app, built)


def _show_area(app: App, area: Area) -> None:
    facts = area.facts()
    south, west, north, east = facts.bounds
    app.say(
        f"{facts.name}: {facts.nodes:,} street nodes, {facts.arcs:,} arcs, {facts.addresses:,} addresses, "
        f"{south:.4f},{west:.4f} to {north:.4f},{east:.4f}, from {facts.source}"
    )


@area.command("list")
@click.pass_obj
def list_areas(app: App) -> None:
    """The areas that have been built."""
    for built in app.areas.list():
        _show_area(app, built)


@area.command("show")
@click.argument("name", required=False)
@click.pass_obj
def show_area(app: App, name: str | None) -> None:
    """What one area holds, and where its records stand."""
    built = app.areas.get(name)
    _show_area(app, built)
    with app.store.read() as unit:
        snapshot = Snapshot.read(unit, built.name)
    app.say(
        f"{len(snapshot.reps)} reps, {len(snapshot.accounts)} accounts, {len(snapshot.opportunities)} opportunities, "
        f"{sum(location.place is not None for location in snapshot.locations)} addresses located"
    )


@area.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove_area(app: App, name: str, yes: bool) -> None:
    """Delete an area's files; the records imported for it stay."""
    app.areas.get(name)
    if not yes:
        click.confirm(f"Remove the area {name}?", abort=True)
    app.areas.remove(name)
    app.say(f"{name} is removed; its records stay in the database")


# ------------------------------------------------------------------------------------------------ records


@main.command("import")
@click.option("--reps", type=FILE, help="CSV or XLSX of field reps.")
@click.option("--accounts", type=FILE, help="CSV or XLSX of existing customers.")
@click.option("--opportunities", type=FILE, help="CSV or XLSX of handed-off opportunities.")
@area_option
def import_command(app: App, area: Area, reps: Path | None, accounts: Path | None, opportunities: Path | None) -> None:
    """Import reps, accounts and opportunities (docs/data-formats.md). Importing again updates what changed."""
    if not (reps or accounts or opportunities):
        raise click.UsageError("give at least one of --reps, --accounts, --opportunities")
    _show_import(app, import_files(app.store, area.name, reps=reps, accounts=accounts, opportunities=opportunities))


def _show_import(app: App, report: ImportReport) -> None:
    for file in report.files:
        app.say(
            f"{file.path.name}: {file.added} added, {file.changed} changed, {file.unchanged} unchanged, "
            f"{len(file.refusals)} refused"
        )
        for refusal in file.refusals:
            app.say(f"  line {refusal.line}, {refusal.record_id or '–'}, {refusal.field}: {refusal.reason}")
        for note in file.notes:
            app.say(f"  note: {note}")


@main.command()
@click.option("--report", type=FILE, help="Write record_id,verdict,lat,lon,confidence,matched_address to this file.")
@click.option("--again", is_flag=True, help="Geocode every record anew, not only those whose address changed.")
@area_option
def geocode(app: App, area: Area, report: Path | None, again: bool) -> None:
    """Find the place of every record's address; list what a person should look at."""
    geocoder = geocoder_for(area, app.settings)
    with app.bar() as progress:
        located = locate_records(
            app.store, area.name, geocoder, again=again, progress=lambda share: progress("geocoding", share)
        )
    _show_locating(app, located)
    if report is not None:
        app.say(f"{write_report(app.store, area.name, report)} records written to {report}")


def _show_locating(app: App, report: LocatingReport) -> None:
    app.say(
        f"{report.matched} matched, {report.review} to review, {report.not_found} not found; "
        f"{report.geocoded} geocoded now"
    )


@main.command()
@area_option
def review(app: App, area: Area) -> None:
    """The addresses that are not sure, with their candidates; settle one with `fieldvisit settle`."""
    for location in review_list(app.store, area.name):
        app.say(f"{location.kind} {location.record_id}: {location.address}: {location.reason}")
        for number, candidate in enumerate(location.candidates, start=1):
            app.say(f"  {number}  {candidate.address}  ({candidate.place.lat:.6f}, {candidate.place.lon:.6f})")


@main.command()
@click.argument("kind", type=click.Choice([str(kind) for kind in RecordKind]))
@click.argument("record_id")
@click.option("--candidate", type=int, help="The number of a candidate in `fieldvisit review`.")
@click.option("--at", metavar="LAT,LON", help="A place on the map.")
@area_option
def settle(app: App, area: Area, kind: str, record_id: str, candidate: int | None, at: str | None) -> None:
    """Say where a record is, by one of its candidates or by coordinates."""
    if (candidate is None) == (at is None):
        raise click.UsageError("give either --candidate NUMBER or --at LAT,LON")
    place = _lat_lon(at) if at is not None else None
    location = decide(app.store, area.name, RecordKind(kind), record_id, candidate=candidate, place=place)
    app.say(f"{kind} {record_id} is at {location.matched_address}")


def _lat_lon(text: str) -> LatLon:
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"{text!r} is not LAT,LON such as 51.58,-2.99") from error
    return LatLon(lat, lon)


@main.command()
@click.option("--points", type=FILE, required=True, help="CSV with the columns id, lat, lon.")
@click.option("--out", type=FILE, required=True, help="CSV to write: from_id, to_id, seconds, metres.")
@click.option("--straight", is_flag=True, help="Great-circle estimate instead of streets.")
@area_option
def matrix(app: App, area: Area, points: Path, out: Path, straight: bool) -> None:
    """Travel times and distances between all pairs of points; empty where unreachable."""
    pairs = write_matrix(points, out, GreatCircleTravelTimes() if straight else area.streets())
    app.say(f"{pairs:,} pairs written to {out}")


# ------------------------------------------------------------------------------------------------ plans


@main.group(invoke_without_command=True)
@click.option("--from", "first_day", type=click.DateTime(["%Y-%m-%d"]), help="The first day.  [default: tomorrow]")
@click.option("--days", type=click.IntRange(1, 60), default=5, show_default=True, help="Working days of the team.")
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), help="Time to search.  [default: 30]")
@click.option("--work", type=click.IntRange(1), help="Search by a fixed amount of work: same result every time.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
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
    out: Path | None,
) -> None:
    """Plan all reps over the coming days. Ctrl-C stops the search and keeps the best plan so far."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    area = app.areas.get(area_name)
    if seconds is not None and work is not None:
        raise click.UsageError("give either --seconds or --work")
    limits = SearchLimits(seconds=(seconds or 30.0) if work is None else None, work=work, seed=seed)
    start = first_day.date() if first_day else _today() + timedelta(days=1)
    with app.store.read() as unit:
        snapshot = Snapshot.read(unit, area.name)
    with app.bar() as progress, _ctrl_c() as stopped:
        progress("travel times", 0.0)

        def show(state: SolverProgress) -> None:
            hours = state.cost_s / 3600
            progress(f"best cost {hours:,.2f} h, {state.served} visits", state.fraction)

        made = make_plan(
            snapshot, area.name, area.streets(), start, days, limits, app.settings, on_progress=show, cancelled=stopped
        )
    version = store_plan(app.store, area.name, made.document, datetime.now(UTC))
    if out is not None:
        out.write_text(write_plan(made.document), encoding="utf-8")
    _show_plan(app, version, made.document)


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
    table = Table("rep", "day", "visits", "driving", "leaves", "is back", box=None, pad_edge=False)
    for day in document["rep_days"]:
        if not day["stops"]:
            continue
        table.add_row(
            day["rep_name"],
            day["date"],
            str(day["totals"]["visits"]),
            f"{day['totals']['drive_seconds'] // 60} min",
            (day["start"]["time"] or "")[11:16],
            (day["end"]["time"] or "")[11:16],
        )
    app.console.print(table)
    reasons: dict[str, int] = {}
    for entry in document["unplanned"]:
        reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        app.say(f"{count} unplanned: {reason}")
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
    """Make a plan version the one that reps see; without a number, the newest."""
    with app.store.write() as unit:
        stored = unit.plans(area.name)
        if version is None:
            newest = stored.latest()
            if newest is None:
                raise NotFoundError(f"area {area.name} has no plan yet: make one with fieldvisit plan")
            version = newest.version
        stored.publish(version, datetime.now(UTC))
    app.say(f"plan {version} is published")


@main.command()
@area_option
def plans(app: App, area: Area) -> None:
    """The stored plan versions, newest first."""
    with app.store.read() as unit:
        stored = unit.plans(area.name).list()
    for version in stored:
        published = "published" if version.published_at else ""
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
        snapshot = Snapshot.read(unit, area.name)
    broken = broken_rules(document, snapshot, area.streets(), app.settings)
    for sentence in broken:
        app.say(sentence)
    if broken:
        raise click.ClickException(f"{len(broken)} rules are broken")
    app.say(f"{file.name}: every rule is kept, {document['totals']['visits']} visits")
