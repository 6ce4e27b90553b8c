"""Mails in a thread of their own: a slow mail server must not keep the dispatcher from its jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from planner.errors import PlannerError
from planner.mailing.evening import send_due
from planner.mailing.weekly import send_weekly_due
from planner.repository import Store
from planner.settings import Settings

_log = logging.getLogger(__name__)


class Mailing:
    """Sends what is due beside whoever calls `begin`; one round at a time. Dying over it loses and doubles nothing."""

    def __init__(self, store: Store, areas: Callable[[], Iterable[str]], settings: Settings) -> None:
        self._store = store
        self._areas = areas
        self._settings = settings
        self._thread: threading.Thread | None = None

    def begin(self, now: datetime) -> None:
        """Start a round, unless one is going on or there is no mail server."""
        if self._settings.mail.host and not self.busy:
            self._thread = threading.Thread(target=self._round, args=(now,), name="mailing", daemon=True)
            self._thread.start()

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Until the round is over."""
        if self._thread is not None:
            self._thread.join()

    def _round(self, now: datetime) -> None:
        for what, send in (("the evening's mails", send_due), ("the weekly summaries", send_weekly_due)):
            try:
                send(self._store, list(self._areas()), self._settings, now)
            except PlannerError as error:
                _log.error("%s: %s", what, error)
            except Exception:
                _log.exception(what)
