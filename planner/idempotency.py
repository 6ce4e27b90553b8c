"""A write that is sent twice is done once: its answer is kept with the write, and given again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from planner.errors import ConflictError

if TYPE_CHECKING:  # it knows the answers as rows
    from planner.repository import UnitOfWork

KEPT = timedelta(days=90)
"""A phone that was in a drawer for longer asks a person rather than to send again."""

_KEY = re.compile(r"[!-~]{1,255}")


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
    """A key came back with another request than it came with first, or is no key; nothing was written."""


def once(
    unit: UnitOfWork, actor_id: str, key: str, fingerprint: str, now: datetime, work: Callable[[], tuple[int, str]]
) -> Answer:
    """The answer to a write: of doing the `work`, or the one that was given when it was done.

    It is stored in the work's own transaction: either both are there or none is, and writers take turns, so that of two
    senders of the same key the second finds the answer of the first. Work that raises leaves nothing, and may be tried
    again with the same key.

    Args:
        unit: of a write transaction.
        actor_id: whose key it is.
        key: 1 to 255 printable ASCII characters.
        fingerprint: a hash of all that was asked.
        now: the time.
        work: does it, and returns status and body of the answer.

    Raises:
        KeyReusedError: the same key came with another fingerprint, or the key is none.
    """
    if not _KEY.fullmatch(key):
        raise KeyReusedError("an idempotency key is 1 to 255 printable ASCII characters without blanks")
    known = unit.answers.get(actor_id, key)
    if known is not None and now - known.created_at < KEPT:
        if known.fingerprint != fingerprint:
            raise KeyReusedError("this idempotency key was sent before with another request; take a new one")
        return known
    status, body = work()
    answer = Answer(actor_id, key, fingerprint, status, body, created_at=now)
    unit.answers.put(answer)
    return answer
