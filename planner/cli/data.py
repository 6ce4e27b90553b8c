"""fieldvisit backup, restore, audit verify, audit show."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from planner import backup as backups
from planner.audit import all_entries, verify
from planner.backup import Manifest
from planner.cli.app import FILE, App, main
from planner.errors import StorageUnavailableError


@main.command()
@click.argument("file", type=FILE)
@click.option("--without-areas", is_flag=True, help="Leave the built areas out; they can be built again.")
@click.pass_obj
def backup(app: App, file: Path, without_areas: bool) -> None:
    """Save everything into one file, while others go on working.

    Keep it where only you can read it: it holds customers, hashes of passwords, and the installation's key.
    """
    home = app.settings.home
    made = backups.backup(app.store, home, file, datetime.now(UTC), version("fieldvisit"), areas=not without_areas)
    # Known of here, so that the doctor can say how old the last one is; it is good also where nothing can be written.
    with suppress(StorageUnavailableError), app.store.write(app.actor) as unit:
        unit.audit("backup.made", made.audit_head)
    app.say(f"{file}: {_holds(made)}, {file.stat().st_size / 1e6:,.1f} MB, read again and found whole")
    app.say(f"audit log: {made.audit_entries:,} entries, head {made.audit_head or '-'}")
    if made.audit_broken:
        app.say(f"the audit log is broken {made.audit_broken}")


@main.command()
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Put it in place of what is here; stop the server first.")
@click.pass_obj
def restore(app: App, file: Path, replace: bool) -> None:
    """Bring back what `fieldvisit backup` saved, here or on another machine, into SQLite or PostgreSQL.

    All of it or nothing; without --replace only where there is nothing yet.
    """
    restored = backups.restore(file, app.store, app.settings.home, app.actor, replace=replace)
    app.say(f"restored {_holds(restored)}, as of {restored.created_at}; everybody logs in again")


def _holds(manifest: Manifest) -> str:
    areas = {name.split("/")[1] for name in manifest.members if name.startswith("areas/")}
    return f"{sum(manifest.rows.values()):,} rows, {len(areas)} built area{'s' if len(areas) != 1 else ''}"


@main.group()
def audit() -> None:
    """Who changed what and when."""


@audit.command("verify")
@click.option("--head", default="", metavar="HASH", help="A head that you wrote down earlier; it must be in the log.")
@click.pass_obj
def audit_verify(app: App, head: str) -> None:
    """Prove that no entry was changed, taken out or moved. Exit status 1 where one was.

    Write the head down somewhere else from time to time: only with it can be proved that the end is not missing.
    """
    with app.store.read() as unit:
        found = verify(all_entries(unit.audit_log), head)
    app.say(f"{found.entries:,} entries, head {found.head or '-'}")
    if found.broken:
        raise click.ClickException(f"the log is broken at entry {found.broken.seq}: {found.broken.reason}")


@audit.command("show")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="Whole entries, one line of JSON each.")
@click.pass_obj
def audit_show(app: App, last: int, as_json: bool) -> None:
    """The newest entries, the newest one last."""
    with app.store.read() as unit:
        entries = unit.audit_log.latest(last)[::-1]
    for entry in entries:
        if as_json:
            fields = {name: getattr(entry, name) for name in entry.__slots__}
            app.say(json.dumps(fields, default=datetime.isoformat, ensure_ascii=False))
        else:
            details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
            subject = " ".join(filter(None, (entry.area, entry.subject, details)))
            app.say(f"{entry.seq:>6}  {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.actor}  {entry.action}  {subject}")
