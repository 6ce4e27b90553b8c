"""The way to the identity provider and back. It begins with a link, as forms may lead nowhere but here (CSP)."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, make_response, redirect, request, url_for

from planner.people.logging_in import LoggedIn, log_in_by_oidc
from webui.auth.door import door
from webui.auth.forms import keep_secret, let_in, local, visitor
from webui.auth.login import login_page
from webui.auth.oidc import Kept, SignOn
from webui.errors import SignOnBusyError, SignOnError
from webui.policy import public
from webui.site import site

sign_on_pages = Blueprint("sign_on", __name__, url_prefix="/login/sign-on")

COOKIE = "fieldvisit-sign-on"
LASTS = timedelta(minutes=10)

_FAILED = "Single sign-on did not work. Try again, or log in with your password."

_log = logging.getLogger(__name__)


@sign_on_pages.get("")
@public
def begin() -> Any:
    """Off to the provider."""
    keep_secret()
    here = door()
    try:
        address, kept = _provider().begin(_back(), local(request.args.get("next", "/")))
    except SignOnError as error:
        return _failed(error)
    response = make_response(redirect(address, 303))
    sealed = here.keys.seal("sign on", kept.packed(), here.clock())
    site().set_cookie(response, COOKIE, sealed, int(LASTS.total_seconds()))
    return response


@sign_on_pages.get("/back")
@public
def back() -> Any:
    """Back from the provider, with a code or an error; what the browser kept is good for one return."""
    keep_secret()
    here, now, provider = door(), door().clock(), _provider()
    unsealed = here.keys.unseal("sign on", site().cookie(COOKIE), now, int(LASTS.total_seconds()))
    try:
        if unsealed is None:
            raise SignOnError("it was not begun in this browser, or too long ago")
        kept = Kept.unpacked(unsealed)
        if not secrets.compare_digest(request.args.get("state", "").encode(), kept.state.encode()):
            raise SignOnError("the state is another one's")
        if "code" not in request.args:
            raise SignOnError(f"the provider says {request.args.get('error', '')[:100]!r}")
        who = provider.finish(kept, request.args["code"], _back())
    except SignOnError as error:
        return _failed(error)
    result = log_in_by_oidc(
        here.store, here.keys, here.login, who.issuer, who.subject, who.email, who.email_verified, visitor(), now
    )
    if isinstance(result, LoggedIn):
        return _without_cookie(let_in(result, kept.going))
    return _without_cookie(make_response(login_page(kept.going, result)))


def _provider() -> SignOn:
    found: SignOn | None = current_app.extensions["sign_on"]
    return found or abort(404)


def _back() -> str:
    return site().absolute(url_for("sign_on.back"))


def _failed(error: SignOnError) -> Response:
    """The person hears that it failed, the log why."""
    _log.warning("single sign-on: %s", error, extra={"fields": {"request_id": g.get("request_id", "")}})
    page, _, _ = login_page("/", error=_FAILED)
    if isinstance(error, SignOnBusyError):
        return make_response(page, 503, {"Retry-After": "5"})  # what was begun may still end well
    return _without_cookie(make_response(page, 502))


def _without_cookie(response: Response) -> Response:
    site().drop_cookie(response, COOKIE)
    return response
