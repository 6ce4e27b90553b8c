"""The Flask app: wires sources, pages and assets, and says what every response may do."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from planner.access import Permission
from planner.errors import ConflictError, NotFoundError, PlannerError, StorageUnavailableError
from planner.people.keys import read_keys
from planner.repository import Store
from planner.settings import Settings
from routing.area import Areas
from routing.errors import RoutingError
from routing.outgoing import guarded_session
from webui.api import problem_or, register_api
from webui.assets import asset_url, assets
from webui.auth.authenticating import authenticate as by_session
from webui.auth.csrf import protect_writes
from webui.auth.door import Door
from webui.auth.login import login_pages
from webui.auth.oidc import SignOn
from webui.auth.sign_on import sign_on_pages
from webui.bodies import limit_bodies
from webui.errors import PlanUnreadableError, SecondFactorNeededError, WebError
from webui.forms import request_key
from webui.health import watch_over
from webui.metrics import MeasuredStore, count_requests
from webui.navigation import navigation, tabs
from webui.pages.account import account_pages
from webui.pages.audit import audit_pages
from webui.pages.booking import booking
from webui.pages.check_ins import check_ins
from webui.pages.coverage import coverage_pages
from webui.pages.coverage_map import coverage_map
from webui.pages.customer import customer
from webui.pages.day_sheets import day_sheets
from webui.pages.feeds import feeds
from webui.pages.field_app import field_app
from webui.pages.goals import goals
from webui.pages.handing import handing
from webui.pages.handoffs import handoff_pages
from webui.pages.hotels import hotels
from webui.pages.kpi import pipeline
from webui.pages.my_data import my_data
from webui.pages.opportunity import opportunity
from webui.pages.people import people_pages
from webui.pages.planning import planning
from webui.pages.plans import CLOCK, NoPlanError, pages, sources
from webui.pages.promises import promises
from webui.pages.records import records
from webui.pages.rep_day_notes import notes
from webui.pages.report_templates import report_templates
from webui.pages.scenarios import scenarios
from webui.pages.summary import summary
from webui.pages.team_rules import team_rules
from webui.pages.territories import territories
from webui.policy import Authenticate, enforce, policy_of, viewer
from webui.request_log import name_and_log_requests
from webui.security import headers_for, new_nonce
from webui.site import Site, site
from webui.sources import Sources
from webui.streaming import Streams
from webui.words import count, said, sentence

SMALLEST_GZIPPED = 1024


TITLES = {
    400: "That is no address of ours",
    401: "Nobody is logged in",
    403: "You may not do this",
    404: "There is no such page",
    405: "That cannot be done here",
    413: "That is too large",
}
SENTENCES = {
    403: "Your role does not include it. If it should, ask an admin.",
    413: "Files are taken up to 20 MB together, and other forms up to a quarter of one.",
}


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
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    if settings.web.proxies:
        # The Host is not theirs to change: it must be the one that the browser asked for.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.web.proxies, x_proto=settings.web.proxies, x_host=0
        )
    name_and_log_requests(app, behind_proxy=settings.web.proxies > 0)
    count_requests(app)
    store = MeasuredStore(store)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["said"] = said
    app.jinja_env.globals.update(
        asset_url=asset_url,
        count=count,
        request_key=request_key,
        navigation=navigation,
        tabs=tabs,
    )
    app.context_processor(lambda: {"viewer": g.get("viewer")})
    app.config[CLOCK] = clock = clock or (lambda: datetime.now(UTC))
    app.extensions["site"] = Site.of(settings.web)
    oidc = settings.oidc
    app.extensions["door"] = Door(
        store, settings.login, read_keys(settings.home), clock, oidc.label if oidc.issuer else ""
    )
    app.extensions["sign_on"] = (
        SignOn(oidc, settings.oidc_secret, lambda: guarded_session(settings.outgoing), clock) if oidc.issuer else None
    )
    app.extensions["sources"] = Sources(store, areas, settings)
    watch_over(app, store, areas, clock)
    app.register_blueprint(assets)
    app.extensions["settings"] = settings
    app.extensions["streams"] = Streams()
    app.register_blueprint(pages)
    app.register_blueprint(day_sheets)
    app.register_blueprint(customer)
    app.register_blueprint(handoff_pages)
    for writing in (opportunity, handing, team_rules, report_templates, booking, promises, planning, records, notes):
        app.register_blueprint(writing)
    app.register_blueprint(scenarios)
    register_api(app)
    app.register_blueprint(login_pages)
    app.register_blueprint(sign_on_pages)
    app.register_blueprint(account_pages)
    app.register_blueprint(feeds)
    app.register_blueprint(my_data)
    app.register_blueprint(check_ins)
    app.register_blueprint(coverage_pages)
    app.register_blueprint(pipeline)
    app.register_blueprint(field_app)
    app.register_blueprint(goals)
    app.register_blueprint(summary)
    app.register_blueprint(people_pages)
    app.register_blueprint(audit_pages)
    app.register_blueprint(coverage_map)
    app.register_blueprint(territories)
    app.register_blueprint(hotels)
    app.before_request(_admit)
    app.after_request(_protect)
    app.after_request(_compress)
    handlers: dict[type[Exception], Callable[[Any], Any]] = {
        HTTPException: _http_error,
        NoPlanError: _no_plan,
        PlanUnreadableError: _unreadable,
        SecondFactorNeededError: _second_factor_first,
        ConflictError: _conflict,
        NotFoundError: _not_found,
        StorageUnavailableError: _unavailable,
        **dict.fromkeys((PlannerError, RoutingError, WebError), _said_error),
        Exception: _unforeseen,
    }
    for error, handler in handlers.items():
        app.register_error_handler(error, problem_or(handler))
    limit_bodies(app)
    enforce(app, authenticate)
    protect_writes(app)
    return app


def _admit() -> None:
    g.nonce = new_nonce()
    g.image_origins = ()
    if not _asked_by_machines() and not site().answers_to(request.environ.get("HTTP_HOST", "")):
        ours = site().origin or "http://localhost, http://127.0.0.1 or http://[::1], with the port"
        abort(400, description=f"Open these pages as {ours}.")


def _asked_by_machines() -> bool:
    policy = policy_of(current_app.view_functions.get(request.endpoint or ""))
    return policy is not None and policy.any_host


def _protect(response: Response) -> Response:
    finds_itself = g.get("finds_itself", False)
    for name, value in headers_for(g.nonce, g.image_origins, site().secure, finds_itself).items():
        response.headers[name] = value
    if g.get("secret_address"):
        response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store" if g.get("secret") else "private, no-cache")
    return response


def _compress(response: Response) -> Response:
    """Gzips pages and JSON; files come packed or are no text."""
    if (
        response.mimetype in ("text/html", "application/json", "text/calendar", "application/gpx+xml")
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
    if code == 401 and "Authorization" not in request.headers and not _asked_by_machines():
        return _log_in_first()
    stock = type(error).description
    said = error.description if error.description and error.description != stock else SENTENCES.get(code, "")
    body, _ = _message(code, TITLES.get(code, error.name), said)
    return body, code, [(name, value) for name, value in error.get_headers() if name != "Content-Type"]


def _log_in_first() -> Any:
    """To the login page, and from there back to where they were going; what they sent is not sent again."""
    going = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/"
    return redirect(url_for("login.login", next=None if going == "/" else going), 303)


def _second_factor_first(_: SecondFactorNeededError) -> Any:
    return redirect(url_for("account.second_factor"), 303)


def _conflict(error: ConflictError) -> tuple[str, int]:
    return _message(409, "Somebody else was faster", f"{sentence(str(error))}.")


def _not_found(error: NotFoundError) -> tuple[str, int]:
    return _message(404, TITLES[404], f"{sentence(str(error))}.")


def _unavailable(_: StorageUnavailableError) -> tuple[str, int, dict[str, str]]:
    said = "Nothing was changed. What you looked at can still be read; try again in a moment."
    return *_message(503, "The database does not answer", said), {"Retry-After": "5"}


def _no_plan(error: NoPlanError) -> tuple[str, int]:
    if not viewer().may(Permission.PLAN):
        return _message(200, "There is no plan for you yet", "Your days are here as soon as somebody publishes them.")
    command = f"fieldvisit {sources().next_step(viewer().scope, error.area)}{_area_option(error.area)}"
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


def _unforeseen(_: Exception) -> tuple[str, int]:
    return _message(500, "Something went wrong", "The error is written in the terminal where fieldvisit runs.")
