"""fieldvisit import, geocode, review, settle, matrix."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.app import FILE, App, area_option, main
from planner.domain import RecordKind
from planner.intake import ImportReport, import_files
from planner.locating import LocatingReport, decide, geocoder_for, locate_records, review_list, write_report
from routing.area import Area
from routing.geo import LatLon
from routing.matrix_file import write_matrix
from routing.travel_times import GreatCircleTravelTimes


@main.command("import")
@click.option("--reps", type=FILE, help="CSV or XLSX of field reps.")
@click.option("--accounts", type=FILE, help="CSV or XLSX of existing customers.")
@click.option("--opportunities", type=FILE, help="CSV or XLSX of handed-off opportunities.")
@area_option
def import_command(app: App, area: Area, reps: Path | None, accounts: Path | None, opportunities: Path | None) -> None:
    """Import reps, accounts and opportunities (docs/data-formats.md). Importing again updates what changed."""
    if not (reps or accounts or opportunities):
        raise click.UsageError("give at least one of --reps, --accounts, --opportunities")
    _show_import(
        app,
        import_files(app.store, area.name, reps=reps, accounts=accounts, opportunities=opportunities, actor=app.actor),
    )


def _show_import(app: App, report: ImportReport) -> None:
    for file in report.files:
        app.say(
            f"{file.file}: {file.added} added, {file.changed} changed, {file.unchanged} unchanged, "
            f"{file.refused} refused"
        )
        for refusal in file.refusals:
            where = ", ".join(filter(None, (f"line {refusal.line}", refusal.record_id or "–", refusal.field)))
            app.say(f"  {where}: {refusal.reason}")
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
            app.store,
            area.name,
            geocoder,
            again=again,
            progress=lambda share: progress("geocoding", share),
            actor=app.actor,
        )
    _show_locating(app, located)
    if report is not None:
        with app.store.read() as unit:
            written = write_report(unit, area.name, report)
        app.say(f"{written} records written to {report}")


def _show_locating(app: App, report: LocatingReport) -> None:
    app.say(
        f"{report.matched} matched, {report.review} to review, {report.not_found} not found; "
        f"{report.geocoded} geocoded now"
    )


@main.command()
@area_option
def review(app: App, area: Area) -> None:
    """The addresses that are not sure, with their candidates; settle one with `fieldvisit settle`."""
    with app.store.read() as unit:
        waiting = review_list(unit, area.name)
    for location in waiting:
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
    with app.store.write(app.actor) as unit:
        location = decide(unit, area.name, RecordKind(kind), record_id, candidate=candidate, place=place)
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
    pairs, unreachable = write_matrix(points, out, GreatCircleTravelTimes() if straight else area.streets())
    app.say(f"{pairs:,} pairs written to {out}, {unreachable:,} of them unreachable")
