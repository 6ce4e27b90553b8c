"""What machines ask: is it alive, can it serve, and in figures how it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from datetime import datetime

from flask import Blueprint, Flask, Response, current_app, jsonify

from planner.access import Permission
from planner.errors import PlannerError
from planner.repository import Store
from routing.area import Areas
from routing.errors import RoutingError
from webui.metrics import exposition
from webui.policy import allow, any_host, public

health = Blueprint("health", __name__)

DATABASE_S = 1.0
"""A database that takes longer to say anything is not ready."""


class Readiness:
    """Whether requests can be served; each reason not to is a few words without anything of the inside."""

    def __init__(self, store: Store, areas: Areas, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._areas = areas
        self._asking: Future[str] | None = None
        self._one_at_a_time = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "readiness")

    def reasons(self) -> list[str]:
        """Why not; empty if it is ready."""
        return [reason for reason in (self._database(), self._streets()) if reason]

    def _database(self) -> str:
        # One question at a time: a database that hangs must not be given a queue of them.
        with self._one_at_a_time:
            if self._asking is None or self._asking.done():
                self._asking = self._thread.submit(self._ask)
            asking = self._asking
        try:
            return asking.result(DATABASE_S)
        except TooSlow:
            return "the database does not answer"

    def _ask(self) -> str:
        try:
            return "" if self.store.is_current() else "the database has another schema"
        except PlannerError:
            return "the database cannot be read"

    def _streets(self) -> str:
        try:
            for area in self._areas.list():
                area.facts()
        except (RoutingError, OSError):
            return "an area cannot be read"
        return ""


def watch_over(app: Flask, store: Store, areas: Areas, clock: Callable[[], datetime]) -> None:
    """Register the routes."""
    app.extensions["readiness"] = Readiness(store, areas, clock)
    app.register_blueprint(health)


def _readiness() -> Readiness:
    found: Readiness = current_app.extensions["readiness"]
    return found


@health.get("/healthz")
@any_host
@public
def alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@health.get("/readyz")
@any_host
@public
def ready() -> tuple[Response, int]:
    """It can serve; 503 and why where it cannot."""
    reasons = _readiness().reasons()
    return (jsonify(status="ready"), 200) if not reasons else (jsonify(status="not ready", reasons=reasons), 503)


@health.get("/metrics")
@any_host
@allow(Permission.SEE_METRICS)
def metrics() -> Response:
    """Everything that is counted, for Prometheus."""
    body, content_type = exposition(_readiness().store, _readiness().clock)
    return Response(body, content_type=content_type)
