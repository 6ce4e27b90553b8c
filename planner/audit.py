"""The audit log: who changed what and when, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from planner.errors import StorageError

if TYPE_CHECKING:  # it knows the entries as rows
    from planner.repository import AuditLog

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `details` holds no secrets and no more of a customer's data than ids."""

    seq: int
    at: datetime
    actor: str
    request_id: str
    area: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain breaks: at entry number `seq`, and what is wrong there."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading the whole chain showed: how many entries it has, the hash of the last one, and the first break."""

    entries: int
    head: str
    broken: Break | None


def chained(
    previous: AuditEntry | None,
    at: datetime,
    actor: str,
    request_id: str,
    area: str,
    action: str,
    subject: str,
    details: Mapping[str, Any],
) -> AuditEntry:
    """The entry after `previous`; its hash covers all its fields and the hash before.

    Raises:
        StorageError: the details are no JSON.
    """
    try:
        # As they will come back from the database: a tuple is a list, and every key is a text.
        details = json.loads(json.dumps(details, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise StorageError(f"audit.details of {action} are no JSON: {error}") from error
    seq, before = (previous.seq + 1, previous.hash) if previous else (1, "")
    entry = AuditEntry(seq, at.astimezone(UTC), actor, request_id, area, action, subject, details, before, "")
    return replace(entry, hash=_digest(entry))


def all_entries(log: AuditLog) -> Iterator[AuditEntry]:
    """From the first one on, a thousand at a time: a log of years is not held in memory."""
    after = 0
    while entries := log.entries(after=after, limit=_AT_ONCE):
        yield from entries
        after = entries[-1].seq


def verify(entries: Iterable[AuditEntry], written_down: str = "") -> Verified:
    """Read the chain from its first entry on.

    An entry that was changed, taken out or moved breaks it. Whoever can write the whole log anew, or cut off its end,
    can only be found out by a head that somebody `written_down` earlier, elsewhere: it must be among the hashes.
    """
    seq, head, seen = 0, "", not written_down
    for entry in entries:
        reason = ""
        if entry.seq != seq + 1:
            reason = f"entry {seq + 1} is missing"
        elif entry.previous != head:
            reason = f"it does not follow the entry before it, by {entry.actor} at {entry.at.isoformat()}"
        elif entry.hash != _digest(entry):
            reason = f"it is not what was written: {entry.action} by {entry.actor} at {entry.at.isoformat()}"
        if reason:
            return Verified(seq, head, Break(seq + 1, reason))
        seq, head = entry.seq, entry.hash
        seen = seen or head == written_down
    if not seen:
        return Verified(
            seq, head, Break(seq + 1, "the head that was written down is not in the log: its end is missing")
        )
    return Verified(seq, head, None)


def _digest(entry: AuditEntry) -> str:
    fields = [getattr(entry, name) for name in AuditEntry.__slots__[:-1]]
    hashed = json.dumps(fields, default=datetime.isoformat, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(hashed.encode("ascii")).hexdigest()
