"""`fieldvisit doctor`: looks at everything that an installation stands on, and says what to do about it.

Nothing is changed, no database is made or upgraded, and nobody is called but the database server and the Dask
scheduler that the settings name, and the mail server if that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from planner.doctor import database, installation, machine, mail
from planner.doctor.findings import Finding, Verdict, bad
from planner.errors import PlannerError
from planner.settings import Settings
from planner.storage.examining import Examined, open_as_it_is
from routing.preparing import loops

__all__ = ["Finding", "Verdict", "findings"]


def findings(
    settings: Settings,
    clock: Callable[[], datetime],
    environment: Mapping[str, str],
    whole_audit_log: bool = False,
    mail_server: bool = False,
) -> Iterator[Finding]:
    """Everything there is to say, as it is found out.

    Args:
        settings: of the installation.
        clock: tells the time.
        environment: of the process; the key may be in it.
        whole_audit_log: follow the audit log's chain from its first entry on, however long it is.
        mail_server: log in to the mail server.
    """
    yield from machine.program()
    yield from machine.compiled(loops())
    yield from machine.clock(clock())
    yield from machine.home(settings)
    yield from machine.key(settings, environment)
    seen: Examined | None = None
    for found in database.looked_at(settings.database_url, clock):
        if isinstance(found, Examined):
            seen = found
        else:
            yield found
    yield from machine.disk(_folders(settings.home, seen))
    if seen is not None and seen.schema == seen.newest:
        yield from _told_by_rows(settings, clock(), whole_audit_log)
    yield from installation.areas(settings)
    yield from installation.workers(settings, clock())
    yield from installation.address(settings)
    yield from installation.hosts(settings)
    yield from mail.server(settings, mail_server)


def _told_by_rows(settings: Settings, now: datetime, whole_audit_log: bool) -> Iterator[Finding]:
    try:
        store = open_as_it_is(settings.database_url)
        try:
            yield from database.audit_log(store, whole_audit_log)
            with store.read() as unit:
                yield from database.backups(unit, now)
                yield from installation.dispatcher(unit, now)
                yield from installation.people(unit, settings)
                yield from mail.problems(unit, now)
        finally:
            store.close()
    except PlannerError as error:
        yield bad("database", str(error), "a damaged database is restored from the last backup")


def _folders(home: Path, seen: Examined | None) -> dict[str, Path]:
    """Whose disks matter: the home folder's, and a database's that is elsewhere."""
    elsewhere = seen.file.resolve().parent if seen and seen.file else home
    return {"home": home} if elsewhere == home.resolve() else {"home": home, "database": elsewhere}
