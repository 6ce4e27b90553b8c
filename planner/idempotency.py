"""A write that is sent twice is done once: its answer is kept with the write, and given again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write was answered.

    Attributes:
        actor: whose key it is; keys of others never meet.
        key: chosen by the sender, a UUID as a rule.
        fingerprint: a hash of what was asked, since a key that comes back with another request is a mistake.
    """

    actor: str
    key: str
    fingerprint: str
    status: int
    body: str
    created_at: datetime
