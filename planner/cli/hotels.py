"""fieldvisit hotels import, list, remove."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.app import FILE, App, area_option, main
from planner.hotels.importing import read_hotels
from planner.hotels.keeping import hotels_in, keep_hotels, remove_hotel
from planner.hotels.placing import known_streets, off_the_streets
from planner.intake import read_table
from planner.locating import geocoder_for
from planner.people.fresh import new_id
from routing.area import Area


@main.group()
def hotels() -> None:
    """Where reps who stay overnight can sleep."""


@hotels.command("import")
@click.argument("file", type=FILE)
@area_option
def import_hotels(app: App, area: Area, file: Path) -> None:
    """Import hotels from a CSV or XLSX file (docs/data-formats.md). Importing again updates those of the same names."""
    read = read_hotels(read_table(file), geocoder_for(area, app.settings), known_streets(area.streets))
    with app.store.write(app.actor) as unit:
        kept = keep_hotels(unit, area.name, read.hotels, new_id)
    app.say(
        f"{read.file}: {kept.added} added, {kept.changed} changed, {kept.unchanged} unchanged, "
        f"{len(read.refusals)} refused"
    )
    for refusal in read.refusals:
        where = ", ".join(filter(None, (f"line {refusal.line}", refusal.record_id or "–", refusal.field)))
        app.say(f"  {where}: {refusal.reason}")


@hotels.command("list")
@area_option
def list_hotels(app: App, area: Area) -> None:
    """The hotels, where they are, and what a night at each has to save."""
    with app.store.read() as unit:
        found = hotels_in(unit, area.name)
        overnight = sum(rep.overnight for rep in unit.records(area.name).reps())
    usual, far = app.settings.overnight.price_minutes, off_the_streets(found, known_streets(area.streets))
    for hotel in found:
        minutes = usual if hotel.minutes is None else hotel.minutes
        at = f"{hotel.lat:.5f}, {hotel.lon:.5f}"
        where = at if hotel.address == at else f"{hotel.address} ({at})"
        app.say(f"{hotel.name}: {where}, {minutes} min of driving a night")
        if hotel.id in far:
            app.say("  no plan uses it: no street is near")
    app.say(f"hotels: {len(found)}, reps who may stay overnight: {overnight}")


@hotels.command("remove")
@click.argument("name")
@area_option
def remove(app: App, area: Area, name: str) -> None:
    """Remove a hotel by its name. Nights that a plan has there stay."""
    with app.store.write(app.actor) as unit:
        found = next((each for each in hotels_in(unit, area.name) if each.name.casefold() == name.casefold()), None)
        if found is None:
            raise click.UsageError(f"there is no hotel {name!r}")
        remove_hotel(unit, area.name, found.id, found.revision)
    app.say(f"{found.name} is removed")
