"""fieldvisit territories import, list, from-boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from planner.cli.app import FILE, App, area_option, main
from planner.people.fresh import new_id
from planner.territories.domain import TerritorySource
from planner.territories.editing import add_outlines, outlines_of, territories_in
from planner.territories.importing import MOST_BYTES, Outline, OutlinesInvalidError, read_geojson
from planner.territories.looking import customers_in, overview
from routing.area import Area


@main.group()
def territories() -> None:
    """Shapes on the map that belong to a rep."""


@territories.command("import")
@click.argument("file", type=FILE)
@click.option("--rep", default="", help="The id of the rep whose they are.")
@click.option("--replace", "replacing", is_flag=True, help="Give a territory of the same name the new shape.")
@area_option
def import_territories(app: App, area: Area, file: Path, rep: str, replacing: bool) -> None:
    """Import territories from a GeoJSON file; nothing is imported while anything in it is wrong."""
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    try:
        outlines = read_geojson(data, area.facts().bounds)
    except OutlinesInvalidError as error:
        for entry in error.errors:
            app.say(str(entry))
        raise click.ClickException("nothing was imported") from error
    _say_all(app, outlines.notes)
    _add(app, area, outlines.items, TerritorySource.IMPORTED, rep, replacing)


@territories.command("from-boundaries")
@click.option("--level", type=int, help="The admin_level of OpenStreetMap.  [default: that of municipalities]")
@click.option("--postcodes", is_flag=True, help="Districts of postcodes instead.")
@click.option("--name", "names", multiple=True, help="Only the boundary of this name; may be given several times.")
@click.option("--replace", "replacing", is_flag=True, help="Give a territory of the same name the new shape.")
@area_option
def from_boundaries(
    app: App, area: Area, level: int | None, postcodes: bool, names: tuple[str, ...], replacing: bool
) -> None:
    """Make territories of the municipalities or postcode districts that the area's extract holds."""
    known = area.boundaries()
    _say_all(app, known.notes)
    level = known.usual_level() if level is None else level
    found = known.postcodes() if postcodes else known.administrative(level) if level is not None else []
    unknown = set(names) - {each.name for each in found}
    if not found or unknown:
        levels = ", ".join(f"{number} of level {each}" for each, number in known.levels().items()) or "none"
        raise click.ClickException(
            f"there is no such boundary{': ' if unknown else ''}{', '.join(sorted(unknown))}; the extract has {levels} "
            f"and {len(known.postcodes())} postcode districts"
        )
    chosen = [each for each in found if not names or each.name in names]
    source = TerritorySource.POSTCODE if postcodes else TerritorySource.MUNICIPALITY
    _add(app, area, outlines_of(chosen), source, "", replacing)


@territories.command("list")
@area_option
def list_territories(app: App, area: Area) -> None:
    """The territories, what lies in them, and where they overlap."""
    with app.store.read() as unit:
        found = overview(territories_in(unit, area.name), customers_in(unit, area.name))
    for held in found.held:
        rep = held.territory.rep_id or "nobody"
        app.say(
            f"{held.territory.name}: {rep}, {held.square_km:,.1f} km², {held.customers:,} customers, {held.others:,} "
            f"of them another rep's, {held.nobodys:,} nobody's"
        )
    app.say(f"{found.outside:,} customers lie in no territory, {found.unplaced:,} have no place")
    _say_all(app, found.overlaps)


def _add(app: App, area: Area, outlines: Sequence[Outline], source: TerritorySource, rep: str, replacing: bool) -> None:
    with app.store.write(app.actor) as unit:
        added = add_outlines(unit, area.name, outlines, source, new_id, rep_id=rep, replacing=replacing)
    _say_all(app, added.notes)
    app.say(f"territories: {len(added.added)} added, {len(added.changed)} changed")


def _say_all(app: App, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        app.say(sentence)
