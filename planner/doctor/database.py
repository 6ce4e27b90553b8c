"""The database: reachable, of this program's shape, whole, on a disk that locks, and its audit log unbroken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from planner import audit
from planner.doctor.findings import Finding, bad, doubtful, good
from planner.errors import PlannerError
from planner.repository import Store, UnitOfWork
from planner.storage.examining import Examined, examine

NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs")
)
MOUNTS = Path("/proc/mounts")
FEW_AUDIT_ENTRIES = 10_000
SLOW_LOCK_S = 1.0
CLOCK_S = 5.0


def looked_at(url: str, clock: Callable[[], datetime]) -> Iterator[Finding | Examined]:
    """The database can be opened and read; gives the findings, and what was seen for whoever looks further."""
    try:
        seen = examine(url, clock)
    except PlannerError as error:
        yield bad(
            "database",
            str(error),
            "fieldvisit serve makes a new one, fieldvisit restore brings one back; for another database set "
            "FIELDVISIT_DATABASE_URL, and see that its server runs and takes this user",
        )
        return
    yield from _of(seen)
    yield seen


def _of(seen: Examined) -> Iterator[Finding]:
    if seen.schema == seen.newest:
        yield good("database", f"{seen.server}, schema {seen.schema}")
    else:
        yield bad(
            "database",
            f"{seen.server} has schema {seen.schema or 'none'}, and this program knows {seen.newest}",
            "an older one is upgraded by any command that opens it, after a backup; for a newer one update fieldvisit",
        )
    for problem in seen.damage:
        yield bad("database", f"it is damaged: {problem}", "stop fieldvisit and restore the last backup")
    if seen.lock_s is None:
        yield bad(
            "database",
            "nobody could write: the lock file beside it is held, or may not be written",
            "see which process holds it (fuser), and that its folder belongs to the user that runs fieldvisit",
        )
    elif seen.lock_s > SLOW_LOCK_S:
        yield doubtful("database", f"a writer waited {seen.lock_s:.1f} s for its turn", "look for a long import")
    kind = file_system(seen.file) if seen.file else ""
    if kind in NETWORK_FILE_SYSTEMS:
        yield bad(
            "database",
            f"{seen.file} is on a network file system ({kind}), where SQLite's locks do not hold",
            "move it to a disk of this machine, or use PostgreSQL (docs/operations.md)",
        )
    if abs(seen.clock_ahead_s) > CLOCK_S:
        yield bad(
            "clock",
            f"the database server's clock is {seen.clock_ahead_s:+.0f} s from this machine's",
            "keep both set by NTP: leases of jobs go by them",
        )


def file_system(file: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that a file is on; empty where this system does not say."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    folder = file.resolve()
    kind, depth = "", -1
    for _, point, type_, *_ in lines:
        mounted = Path(point.replace("\\040", " "))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= depth:
            kind, depth = type_, len(mounted.parts)
    return kind


def audit_log(store: Store, whole: bool) -> Iterator[Finding]:
    """The audit log's chain is unbroken."""
    with store.read() as unit:
        log = unit.audit_log
        newest = log.latest(1)
        count = newest[0].seq if newest else 0
        if count > FEW_AUDIT_ENTRIES and not whole:
            # Each entry holds the hash of the one before, so that the newest ones can be checked among themselves.
            entries = log.entries(after=count - FEW_AUDIT_ENTRIES)
            broken = next((b.seq for a, b in pairwise(entries) if b.previous != a.hash), None)
            checked = f"the newest {FEW_AUDIT_ENTRIES:,} of {count:,} audit entries follow each other"
        else:
            verified = audit.verify(audit.all_entries(log))
            broken = verified.broken.seq if verified.broken else None
            checked = f"{verified.entries:,} audit entries, unbroken"
    if broken is not None:
        yield bad(
            "audit log", f"it is broken at entry {broken}", "compare with a backup, and ask who can write the database"
        )
    else:
        yield good("audit log", checked)


def backups(unit: UnitOfWork, now: datetime) -> Iterator[Finding]:
    """A backup was made within a week, as far as the audit log knows."""
    made = [entry.at for entry in unit.audit_log.latest(FEW_AUDIT_ENTRIES) if entry.action == "backup.made"]
    if not made:
        yield doubtful("backup", "no backup is known of", "make one every night: fieldvisit backup FILE")
    elif (now - made[0]).days >= 7:
        yield doubtful(
            "backup", f"the last one is of {made[0]:%Y-%m-%d}", "make one every night: fieldvisit backup FILE"
        )
    else:
        yield good("backup", f"the last one is of {made[0]:%Y-%m-%d %H:%M} UTC")
