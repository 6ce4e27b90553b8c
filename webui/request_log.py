"""A name for every request, and one line in the log for each: who, which route, what came of it, how long it took.

Never in a line: addresses as they were sent (they hold secrets and names), cookies, forms, e-mail addresses.
"""

from __future__ import annotations

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from planner.errors import PlannerError
from routing.errors import RoutingError
from webui.errors import WebError

HEADER = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

PROBES = ("/healthz", "/readyz")
"""Asked every few seconds; that all is well is not worth a line."""

_log = logging.getLogger(__name__)


def name_and_log_requests(app: Flask, behind_proxy: bool) -> None:
    """Give every request an id in `g.request_id`, tell it in the answer's X-Request-Id, and log the request.

    Call it before anything else is registered, so that what other functions refuse is logged too.

    Args:
        app: the app.
        behind_proxy: whether an id that the request brings along is believed, if it looks like one.
    """

    def name() -> None:
        g.started = time.perf_counter()
        brought = request.headers.get(HEADER, "") if behind_proxy else ""
        g.request_id = brought if SANE.fullmatch(brought) else secrets.token_hex(8)

    def tell(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        if request.path in PROBES and response.status_code == 200:
            return response
        viewer = g.get("viewer")
        fields = {
            "request_id": g.request_id,
            "method": request.method[:16],
            "route": route(),
            "status": response.status_code,
            "ms": round(1000 * seconds_since_start(), 1),
            "user": viewer.user.id if viewer else "",
        }
        _log.info("request", extra={"fields": fields})
        return response

    app.before_request(name)
    app.after_request(tell)


def log_failure(error: Exception) -> None:
    """One line for an answer that is our fault; with the traceback where nobody foresaw the error."""
    foreseen = isinstance(error, (PlannerError, RoutingError, WebError))
    fields = {"route": route(), "request_id": g.get("request_id", "")}
    said = f"cannot answer: {error}" if foreseen else "unforeseen error"
    _log.error(said, exc_info=None if foreseen else error, extra={"fields": fields})


def route() -> str:
    """The present request's route as it is declared, such as /a/<area>/week; "none" for no page of ours."""
    return request.url_rule.rule if request.url_rule else "none"


def seconds_since_start() -> float:
    """How long the present request has taken so far."""
    return time.perf_counter() - float(g.started)
