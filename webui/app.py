"""The Flask app: wires sources, pages and assets, and says what every response may do."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException

from planner.errors import PlannerError
from planner.repository import Store
from planner.settings import Settings
from routing.area import Areas
from routing.errors import RoutingError
from webui.assets import asset_url, assets
from webui.auth.authenticating import authenticate as by_session
from webui.errors import PlanUnreadableError, WebError
from webui.pages.plans import CLOCK, NoPlanError, pages, sources
from webui.policy import Authenticate, enforce
from webui.security import content_security_policy, new_nonce
from webui.sources import Sources
from webui.words import count

LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
"""What a browser may call us. Any other name is a page elsewhere that had its name point here (DNS rebinding)."""

SMALLEST_GZIPPED = 1024

TITLES = {400: "That is no address of ours", 404: "There is no such page", 405: "Pages can only be read"}


def create_app(
    store: Store,
    areas: Areas,
    settings: Settings,
    clock: Callable[[], datetime] | None = None,
    authenticate: Authenticate = by_session,
) -> Flask:
    """The app of an installation.

    Args:
        store: where everything is.
        areas: the areas that have been built.
        settings: of the installation.
        clock: tells the time, as an aware datetime; the machine's if left out.
        authenticate: tells who sends a request; by the session's cookie or a token if left out.

    Raises:
        WebError: the tile server's address is not a pattern, or a route declares no policy.
    """
    app = Flask(__name__, static_folder=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset_url=asset_url, count=count)
    app.config[CLOCK] = clock or (lambda: datetime.now(UTC))
    app.extensions["sources"] = Sources(store, areas, settings.map)
    app.register_blueprint(assets)
    app.register_blueprint(pages)
    app.before_request(_admit)
    app.after_request(_protect)
    app.after_request(_compress)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NoPlanError, _no_plan)
    app.register_error_handler(PlanUnreadableError, _unreadable)
    for error in (PlannerError, RoutingError, WebError):
        app.register_error_handler(error, _said_error)
    app.register_error_handler(Exception, _unforeseen)
    enforce(app, authenticate)
    return app


def _admit() -> None:
    g.nonce = new_nonce()
    g.image_origins = ()
    if not LOOPBACK.fullmatch(request.environ.get("HTTP_HOST", "")):
        abort(400, description="Open these pages as http://localhost, http://127.0.0.1 or http://[::1], with the port.")
    if request.method not in ("GET", "HEAD"):
        abort(405)


def _protect(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = content_security_policy(g.nonce, g.image_origins)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _compress(response: Response) -> Response:
    """Gzips pages and JSON; files come packed or are no text."""
    if (
        response.mimetype in ("text/html", "application/json")
        and not response.direct_passthrough
        and not response.content_encoding
        and len(response.get_data()) >= SMALLEST_GZIPPED
        and request.accept_encodings.quality("gzip") > 0
    ):
        response.set_data(gzip.compress(response.get_data(), 5, mtime=0))
        response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
    return response


def _message(status: int, title: str, text: str, command: str = "") -> tuple[str, int]:
    return render_template("message.html", title=title, text=text, command=command), status


def _http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    stock = type(error).description
    said = error.description if error.description and error.description != stock else ""
    return _message(code, TITLES.get(code, error.name), said)


def _no_plan(error: NoPlanError) -> tuple[str, int]:
    command = f"fieldvisit {sources().next_step(error.area)}{_area_option(error.area)}"
    return _message(200, f"{error.area} has no plan yet", "The next command to type:", command)


def _unreadable(error: PlanUnreadableError) -> tuple[str, int]:
    area = (request.view_args or {}).get("area", "")
    text = f"{error}. Choose another version, or make a new plan:"
    return _message(500, "This plan cannot be read", text, f"fieldvisit plan{_area_option(area)}")


def _area_option(area: str) -> str:
    return f" --area {area}" if area and len(sources().areas.list()) > 1 else ""


def _said_error(error: Exception) -> tuple[str, int]:
    """An error of our own packages, whose message is fit to show."""
    return _message(500, "This cannot be shown", str(error))


def _unforeseen(error: Exception) -> tuple[str, int]:
    current_app.logger.exception("unforeseen error at %r", request.path)
    return _message(500, "Something went wrong", "The error is written in the terminal where fieldvisit runs.")
