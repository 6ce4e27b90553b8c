"""An installation into an archive, while people go on working."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from planner.audit import all_entries, verify
from planner.backup.archive import FORMAT, HOME_FILES, Archive, Manifest, Writer
from planner.errors import BackupError
from planner.repository import PortableStore, Values
from routing.area import Areas


def backup(
    store: PortableStore, home: Path, file: Path, now: datetime, version: str, *, areas: bool = True
) -> Manifest:
    """Save all rows as they are at one moment, the settings, the key and the built areas into one archive.

    It is written under another name, to the disk, read again, and only then given its name. Only its owner may read it:
    whoever has it has the customers, the hashes of passwords and the installation's key.

    Args:
        store: of the installation.
        home: its folder.
        file: the archive to be; there is no such file yet.
        now: the time.
        version: of this program.
        areas: whether the built areas are saved too; they can be built again.

    Raises:
        BackupError: there is such a file.
        OSError: it cannot be written, or a file of the home folder cannot be read.
        StorageError: the database cannot be read.
    """
    if file.exists():
        raise BackupError(f"{file} is there already: choose another name")
    beside = file.with_name(f".{file.name}.{token_hex(4)}")
    try:
        with open(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as output:
            writer = Writer(output)
            rows: dict[str, int] = {}
            with store.dump() as dump:
                for table, values in dump.tables.items():
                    writer.add(f"tables/{table}.jsonl", _lines(table, values, rows))
                audit = verify(all_entries(dump.unit.audit_log))
            for name in HOME_FILES:
                if (home / name).is_file():
                    writer.add_file(f"home/{name}", home / name)
            for area in Areas(home / "areas").list() if areas else ():
                for path in sorted(path for path in area.folder.rglob("*") if path.is_file()):
                    writer.add_file(f"areas/{path.relative_to(home / 'areas').as_posix()}", path)
            manifest = Manifest(
                FORMAT,
                version,
                dump.schema,
                now.isoformat(),
                rows,
                audit.entries,
                audit.head,
                f"at entry {audit.broken.seq}: {audit.broken.reason}" if audit.broken else "",
                writer.members,
            )
            writer.close(manifest)
            output.flush()
            os.fsync(output.fileno())
        with Archive(beside) as archive:
            archive.check()
        beside.rename(file)
        _sync(file.parent)
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def _lines(table: str, rows: Iterable[Values], counts: dict[str, int]) -> Iterator[bytes]:
    counts[table] = 0
    for row in rows:
        counts[table] += 1
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _sync(folder: Path) -> None:
    """The new name is on the disk too; Windows opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
