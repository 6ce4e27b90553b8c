"""The audit log: who changed what and when, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


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
    """The entry after `previous`; its hash covers all its fields and the hash before."""
    seq, before = (previous.seq + 1, previous.hash) if previous else (1, "")
    hashed = json.dumps(
        [seq, at.isoformat(), actor, request_id, area, action, subject, details, before],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    digest = hashlib.sha256(hashed.encode("utf-8", "surrogatepass")).hexdigest()
    return AuditEntry(seq, at, actor, request_id, area, action, subject, details, before, digest)
