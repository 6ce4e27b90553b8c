"""Writes only from our own pages: every unsafe request shows where it is from, by a token and by its browser's word.

A request with a token of the API is exempt: no browser sends an Authorization header on another page's behalf.
"""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, abort, g, request
from markupsafe import Markup

from webui.site import site

FIELD = "csrf"
HEADER = "X-CSRF-Token"

COOKIE = "fieldvisit-form"
"""Of those who are not logged in; what their forms carry equals it."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def csrf_token() -> str:
    """What the forms of the present browser carry: of the session, or else of a cookie that is set for it."""
    viewer = g.get("viewer")
    if viewer is not None and viewer.session is not None:
        return str(viewer.session.csrf)
    if "form_token" not in g:
        g.form_token = _anonymous_token()
        if not g.form_token:
            g.form_token = g.new_form_token = secrets.token_urlsafe(32)
    return str(g.form_token)


def csrf_field() -> Markup:
    """The hidden field that every form with method="post" holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def protect_writes(app: Flask) -> None:
    """Check every unsafe request, and give templates `csrf_field` and `csrf_token`. Call it after `policy.enforce`."""
    app.before_request(_check)
    app.after_request(_keep_token)
    app.jinja_env.globals.update(csrf_field=csrf_field, csrf_token=csrf_token)


def _check() -> None:
    if request.method in SAFE or request.endpoint is None:
        return
    viewer = g.get("viewer")
    if viewer is not None and viewer.token is not None:
        return
    # A browser's own word comes first: it needs no reading of a body that another site made.
    origin, fetch_site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and not site().is_ours(origin):
        abort(403, description="This was sent from another site.")
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        abort(403, description="This was sent from another site.")
    expected = viewer.session.csrf if viewer is not None and viewer.session is not None else _anonymous_token()
    sent = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        abort(403, description="This form is too old to be sent. Go back, load the page again, and send it once more.")


def _anonymous_token() -> str:
    token = site().cookie(COOKIE)
    return token if re.fullmatch(r"[\w-]{43}", token, re.ASCII) else ""


def _keep_token(response: Response) -> Response:
    if token := g.get("new_form_token"):
        site().set_cookie(response, COOKIE, token)
    return response
