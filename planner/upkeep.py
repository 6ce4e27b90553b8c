"""What nobody asks for any more is removed, a little at a time: others want to write too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from planner.access import SYSTEM
from planner.idempotency import KEPT
from planner.jobs.domain import JobState
from planner.people.throttling import FORGOTTEN_AFTER
from planner.repository import Rows, Store, UnitOfWork
from planner.settings import LoginSettings

JOBS_KEPT = timedelta(days=30)
"""Since they ended. What came of them, a plan, is kept."""

REPLACED_KEPT = timedelta(days=1)
"""Whoever asks again and again leaves one such job behind each time."""

HEARTBEATS_KEPT = timedelta(days=1)
AT_ONCE = 500
"""Rows in one transaction: it takes a few milliseconds."""


def tidy(store: Store, now: datetime, login: LoginSettings) -> Mapping[str, int]:
    """Remove answers and sessions past their time, forgotten throttles, old jobs, heartbeats that have long stopped.

    Returns how many of each.

    Raises:
        StorageError: the database refused; what was removed until then is gone.
    """
    replaced = {"state": JobState.REPLACED}
    steps: list[tuple[str, Callable[[UnitOfWork], Rows[Any]], str, timedelta, Mapping[str, object]]] = [
        ("answers", lambda unit: unit.answers, "created_at", KEPT, {}),
        ("sessions", lambda unit: unit.sessions, "seen_at", timedelta(minutes=login.idle_minutes), {}),
        ("sessions", lambda unit: unit.sessions, "created_at", timedelta(hours=login.absolute_hours), {}),
        ("throttles", lambda unit: unit.throttles, "last_at", FORGOTTEN_AFTER, {}),
        ("jobs", lambda unit: unit.jobs, "finished_at", JOBS_KEPT, {}),
        ("jobs", lambda unit: unit.jobs, "finished_at", REPLACED_KEPT, replaced),
        ("heartbeats", lambda unit: unit.heartbeats, "at", HEARTBEATS_KEPT, {}),
    ]
    counts: Counter[str] = Counter({name: 0 for name, *_ in steps})
    for name, rows, field, age, equal in steps:
        removed = AT_ONCE
        while removed == AT_ONCE:
            with store.write(SYSTEM, audited=False) as unit:
                removed = rows(unit).remove_before(field, now - age, AT_ONCE, **equal)
            counts[name] += removed
    return counts
