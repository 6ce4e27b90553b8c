"""What falls due by itself: missed deadlines, holds that run out, days to be mended, mails of the evening, the day's
coverage, positions and rows past their time; a little at a time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from planner.access import SYSTEM, Scope
from planner.coverage.keeping import ask_daily
from planner.days_begun import days_begun
from planner.errors import PlannerError, StorageError
from planner.fieldwork.privacy import MAILS_KEPT, forget_positions
from planner.handoffs.returning import return_missed
from planner.idempotency import KEPT
from planner.jobs.domain import JobState
from planner.mailing.background import Mailing
from planner.people.fresh import new_id
from planner.people.sessions import longest_idle_time
from planner.people.throttling import FORGOTTEN_AFTER
from planner.replanning.refreshing import refresh_days
from planner.repository import Rows, Store, UnitOfWork
from planner.settings import LoginSettings, Settings
from planner.slots.agenda import Agendas, said_of
from planner.slots.begun import Said
from planner.slots.holding import expire

JOBS_KEPT = timedelta(days=30)
"""Since they ended. What came of them, a plan, is kept."""

REPLACED_KEPT = timedelta(days=1)
"""Whoever asks again and again leaves one such job behind each time."""

HEARTBEATS_KEPT = timedelta(days=1)
TIDIED_EVERY = timedelta(hours=1)
AT_ONCE = 500
"""Rows in one transaction: it takes a few milliseconds."""
HOLDS_AT_ONCE = 20
"""The same; each of them is three rows, read and written one by one."""

_log = logging.getLogger(__name__)


class Upkeep:
    """What a dispatcher does beside its jobs every few minutes. `areas` tells the names of the areas there are; without
    `agendas` no days are mended."""

    def __init__(
        self,
        store: Store,
        areas: Callable[[], Iterable[str]],
        settings: Settings,
        agendas: Agendas | None = None,
    ) -> None:
        self._store = store
        self._areas = areas
        self._settings = settings
        self._agendas = agendas
        self._mended: dict[str, dict[tuple[str, date], Said]] = {}
        self._tidied_at: datetime | None = None
        self.mailing = Mailing(store, areas, settings)

    def __call__(self, now: datetime) -> None:
        """Do what is due. Raises StorageError."""
        self.mailing.begin(now)
        for area in self._areas():
            with _others_go_on(f"area {area}: missed handoffs are not returned"):
                return_missed(self._store, area, now, self._settings)
            with _others_go_on(f"area {area}: days that have begun are not mended"):
                self._mend(area)
            with _others_go_on(f"area {area}: coverage is not asked for"):
                ask_daily(self._store, area, self._settings, now, new_id)
        expire_holds(self._store)
        if self._tidied_at is None or now - self._tidied_at >= TIDIED_EVERY:
            self._tidied_at = now
            forget_positions(self._store, self._settings.fieldwork, now)
            tidy(self._store, now, self._settings.login)

    def _mend(self, area: str) -> None:
        """Bring the days in line with what was said since the last round: whoever took it may have died before that."""
        if self._agendas is None:
            return
        with self._store.read(Scope(area=area)) as unit:
            since = unit.now().date() - timedelta(days=1)  # where the rep is it may still be yesterday
            said = {key: said_of(unit, area, *key) for key in days_begun(unit, area, since)}
        known = self._mended.get(area, {})
        behind = [key for key, told in said.items() if known.get(key) != told]
        refresh_days(self._store, SYSTEM, self._agendas, area, sorted(behind), self._settings)
        self._mended[area] = said


@contextmanager
def _others_go_on(what: str) -> Iterator[None]:
    """A plan that cannot be read must not keep the others waiting. Raises StorageError."""
    try:
        yield
    except StorageError:
        raise
    except PlannerError as error:
        _log.error("%s: %s", what, error)


def expire_holds(store: Store) -> int:
    """Mark all holds that have run out, and say how many they were. Nothing depends on it: they end by their time."""
    counts = [HOLDS_AT_ONCE]
    while counts[-1] == HOLDS_AT_ONCE:
        counts.append(expire(store, HOLDS_AT_ONCE))
    return sum(counts[1:])


def tidy(store: Store, now: datetime, login: LoginSettings) -> Mapping[str, int]:
    """Remove answers and sessions past their time, forgotten throttles, old jobs, heartbeats that have long stopped,
    and what is known of mails long sent.

    Returns how many of each.

    Raises:
        StorageError: the database refused; what was removed until then is gone.
    """
    replaced = {"state": JobState.REPLACED}
    steps: list[tuple[str, Callable[[UnitOfWork], Rows[Any]], str, timedelta, Mapping[str, object]]] = [
        ("answers", lambda unit: unit.answers, "created_at", KEPT, {}),
        ("sessions", lambda unit: unit.sessions, "seen_at", longest_idle_time(login), {}),
        ("sessions", lambda unit: unit.sessions, "created_at", timedelta(hours=login.absolute_hours), {}),
        ("throttles", lambda unit: unit.throttles, "last_at", FORGOTTEN_AFTER, {}),
        ("jobs", lambda unit: unit.jobs, "finished_at", JOBS_KEPT, {}),
        ("jobs", lambda unit: unit.jobs, "finished_at", REPLACED_KEPT, replaced),
        ("heartbeats", lambda unit: unit.heartbeats, "at", HEARTBEATS_KEPT, {}),
        ("mails", lambda unit: unit.sent_mails, "at", MAILS_KEPT, {}),
    ]
    counts: Counter[str] = Counter({name: 0 for name, *_ in steps})
    for name, rows, field, age, equal in steps:
        removed = AT_ONCE
        while removed == AT_ONCE:
            with store.write(SYSTEM, audited=False) as unit:
                removed = rows(unit).remove_before(field, now - age, AT_ONCE, **equal)
            counts[name] += removed
    return counts
