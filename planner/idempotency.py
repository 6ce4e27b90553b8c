"""A write that is sent twice is done once: its answer is kept with the write, and given again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from planner.errors import ConflictError

if TYPE_CHECKING:  # it knows the answers as rows
    from planner.repository import UnitOfWork


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


class KeyReusedError(ConflictError):
    """A key that came with another request before."""


def once(
    unit: UnitOfWork,
    actor_id: str,
    key: str,
    fingerprint: str,
    now: datetime,
    work: Callable[[], tuple[int, str]],
) -> Answer:
    """Do the work, which gives status and body, and keep that as its answer; or give the answer of the first time.

    Raises:
        KeyReusedError: the key came with another request before.
    """
    kept = unit.answers.get(actor_id, key)
    if kept is None:
        status, body = work()
        kept = Answer(actor_id, key, fingerprint, status, body, now)
        unit.answers.put(kept)
    elif kept.fingerprint != fingerprint:
        raise KeyReusedError("this key came with another request before: take a new one")
    return kept
