"""fieldvisit area add, list, show, remove."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.app import FILE, App, main
from planner.locating import current_locations
from planner.snapshot import Snapshot
from routing.area import Area


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
    areas = app.areas.list()
    for built in areas:
        _show_area(app, built)
    if not areas:
        app.say("no area yet: build one with fieldvisit area add NAME --extract FILE")


@area.command("show")
@click.argument("name", required=False)
@click.pass_obj
def show_area(app: App, name: str | None) -> None:
    """What one area holds, and where its records stand."""
    built = app.areas.get(name)
    _show_area(app, built)
    with app.store.read() as unit:
        snapshot = Snapshot.read(unit, built.name, app.settings)
        located = sum(location.place is not None for location in current_locations(unit.records(built.name)))
    app.say(
        f"{len(snapshot.reps)} reps, {len(snapshot.accounts)} accounts, {len(snapshot.opportunities)} opportunities, "
        f"{located} addresses located"
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
