"""Server-sent events: a page is told what has changed without asking for it (HTML standard, "Server-sent events")."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from flask import Response, abort

from planner.errors import PlannerError

MIMETYPE = "text/event-stream"

State = tuple[str, bool]
"""What is told, as one line of text, and whether nothing more will come."""

_log = logging.getLogger(__name__)


class Streams:
    """Streams of events to browsers, at most so many at once: each keeps a thread of the server, and pages need some.

    A stream ends by itself before long; browsers then come back for the next one.
    """

    def __init__(
        self,
        most: int = 2,
        life_s: float = 30.0,
        every_s: float = 0.7,
        heartbeat_s: float = 2.0,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self.life_s = life_s
        self.every_s = every_s
        self._heartbeat_s = heartbeat_s
        self._pause = pause
        self._clock = clock
        self._open = 0
        self._lock = threading.Lock()

    def served_by(self, threads: int) -> None:
        """Leave three quarters of a server's threads to pages."""
        self._most = max(1, threads // 4)

    def answer(self, read: Callable[[], State]) -> Response:
        """A response that says what `read` says, whenever that has changed; 503 where too many are open.

        `read` is called outside the request, every little while, and holds nothing open in between.
        """
        with self._lock:
            if self._open >= self._most:
                busy = Response("Too many pages are being told; ask from time to time instead.\n", 503)
                busy.mimetype = "text/plain"
                busy.headers["Retry-After"] = "5"
                abort(busy)
            self._open += 1
        response = Response(self._events(read), mimetype=MIMETYPE)
        response.headers["Cache-Control"] = "no-store, no-transform"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold the events back
        response.call_on_close(self._closed)  # also when the browser has gone before the first event
        return response

    def _closed(self) -> None:
        with self._lock:
            self._open -= 1

    def _events(self, read: Callable[[], State]) -> Iterator[str]:
        yield "retry: 1000\n\n"
        begun = said_at = self._clock()
        said: str | None = None
        while True:
            try:
                text, ended = read()
            except PlannerError as error:
                _log.warning("a stream of events ends: %s", error)
                return
            if text != said:
                yield f"event: progress\ndata: {text}\n\n"
                said, said_at = text, self._clock()
            elif self._clock() - said_at >= self._heartbeat_s:
                yield ":\n\n"  # by this the server learns that a browser has gone
                said_at = self._clock()
            if ended or self._clock() - begun >= self.life_s:
                return
            self._pause(self.every_s)
