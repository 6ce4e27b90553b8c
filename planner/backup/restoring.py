"""An archive into an installation: all of it or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from planner.access import Actor
from planner.audit import all_entries, verify
from planner.backup.archive import Archive, Manifest
from planner.errors import BackupError, ConflictError, InvalidRecordError
from planner.repository import PortableStore, UnitOfWork, Values


def restore(file: Path, store: PortableStore, home: Path, actor: Actor, *, replace: bool = False) -> Manifest:
    """Make the store and the home folder what an archive says.

    Everything is checked before anything is changed; the rows are changed in one transaction; the files, which lie
    ready by then, are moved into place after it.

    Args:
        file: the archive.
        store: holds nothing yet, or is to be replaced.
        home: the folder of the installation.
        actor: in whose name it is done; the audit log goes on with an entry of it.
        replace: whether rows, settings, key and areas that are there may be overwritten.

    Raises:
        BackupError: the archive is damaged, hostile or of a newer program, or something is in the way.
        StorageError: the database refused.
        OSError: a file cannot be read or written.
    """
    with Archive(file) as archive:
        archive.check()
        manifest = archive.manifest
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=home) as folder:
            ready = _unpack(archive, home, Path(folder), replace)
            areas: set[str] = set()
            tables = {table: _noting(areas, archive.rows(table)) for table in manifest.rows}
            try:
                with store.load(manifest.schema, tables, actor, replace=replace) as unit:
                    _check_audit(unit, manifest)
                    _check_rows(unit, areas)
                    unit.audit("backup.restored", manifest.created_at, schema=manifest.schema)
            except ConflictError as error:
                raise BackupError(f"{error}; --replace puts the backup in place of it") from error
            for new, place in ready:
                _put(new, place, Path(folder))
    return manifest


def _unpack(archive: Archive, home: Path, folder: Path, replace: bool) -> list[tuple[Path, Path]]:
    """Write the files that are not there yet into the folder; where each of them belongs, areas as a whole."""
    members = archive.manifest.members
    names = [*archive.names("home"), *archive.names("areas")]
    room, needed = shutil.disk_usage(home).free, sum(members[name].size for name in names)
    if needed > room:
        raise BackupError(f"{home} has room for {room >> 20:,} MB, and the backup's files need {needed >> 20:,} MB")
    places: dict[str, list[str]] = {}
    for name in names:
        place = name.removeprefix("home/") if name.startswith("home/") else "/".join(name.split("/")[:2])
        places.setdefault(place, []).append(name)
    ready = []
    for place, parts in places.items():
        relative = {part: part.removeprefix("home/") for part in parts}
        if all(_is(home / relative[part], members[part].sha256) for part in parts):
            continue
        if (home / place).exists() and not replace:
            raise BackupError(f"{home / place} is there already; --replace puts the backup's in place of it")
        for part in parts:
            new = folder / relative[part]
            new.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
                output.writelines(archive.pieces(part))
                output.flush()
                os.fsync(output.fileno())
        ready.append((folder / place, home / place))
    return ready


def _is(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _check_audit(unit: UnitOfWork, manifest: Manifest) -> None:
    """The log arrived as it left; where it was broken already then, a backup is still worth having."""
    audit = verify(all_entries(unit.audit_log))
    if (audit.entries, audit.head) != (manifest.audit_entries, manifest.audit_head) or bool(audit.broken) != bool(
        manifest.audit_broken
    ):
        where = f"entry {audit.broken.seq}: {audit.broken.reason}" if audit.broken else "its end"
        raise BackupError(f"the backup's audit log is not the one that was saved, from {where} on")


def _noting(areas: set[str], rows: Iterator[Values]) -> Iterator[Values]:
    """The rows, and which areas they are of."""
    for row in rows:
        if isinstance(row.get("area"), str):
            areas.add(row["area"])
        yield row


def _check_rows(unit: UnitOfWork, areas: Iterable[str]) -> None:
    """Whatever the rows say, the program can read them: no page may fail later on what was let in here."""
    readers: list[Callable[[], object]] = [
        rows.find for rows in (unit.users, unit.tokens, unit.throttles, unit.jobs, unit.answers, unit.rep_day_notes)
    ]
    for area in areas:
        records = unit.records(area)
        readers += [records.reps, records.accounts, records.opportunities, records.locations, unit.plans(area).list]
    for read in readers:
        try:
            read()
        except (InvalidRecordError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise BackupError(f"the backup holds a row that makes no sense: {error}") from error


def _put(new: Path, place: Path, folder: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    if place.is_dir():
        place.rename(folder / f"{place.name}.old")
    new.replace(place)
