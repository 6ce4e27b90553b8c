"""What the forms about logging in have in common."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, g, make_response, redirect, request

from planner.access import Actor
from planner.people.domain import User
from planner.people.logging_in import DEVICE_DAYS, LoggedIn, Refused, Visitor
from planner.people.sessions import end_session, find_session
from webui.auth.authenticating import SESSION_COOKIE
from webui.auth.csrf import COOKIE as FORM_COOKIE
from webui.auth.door import door
from webui.site import site
from webui.words import waiting

DEVICE_COOKIE = "fieldvisit-device"
WHO_COOKIE = "fieldvisit-who"
A_YEAR_S = 365 * 24 * 3600


def field(name: str) -> str:
    """What was typed; empty for nothing."""
    return request.form.get(name, "")


def visitor() -> Visitor:
    """The browser that asks."""
    return Visitor(
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", ""),
        device=site().cookie(DEVICE_COOKIE),
        request_id=g.get("request_id", ""),
    )


def keep_secret() -> None:
    """Have no browser or proxy store the answer to this request."""
    g.secret = True


def local(address: str) -> str:
    """Where to go after logging in: an address of ours, or else the start page. Nobody is led to another site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    ours = re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address) and not parts.scheme and not parts.netloc
    return address if ours else "/"


def remember_who(response: Response, user: User) -> None:
    """Tells scripts whose phone this is, so that the phone app opens the right person's day, also without a signal and
    after the session's end. It is no proof of anything."""
    site().set_cookie(response, WHO_COOKIE, user.id, A_YEAR_S, readable=True)


def forget_who(response: Response) -> None:
    site().drop_cookie(response, WHO_COOKIE)


def let_in(allowed: LoggedIn, going: str = "/") -> Response:
    """On to where they were going, with the cookies of a new session; the one that the browser had before ends."""
    here, old = door(), site().cookie(SESSION_COOKIE)
    if old:
        now = here.clock()
        with here.store.read() as unit:
            found = find_session(unit, old, now, here.login)
        if found is not None:
            session, user = found
            with here.store.write(Actor(f"user:{user.id}", request_id=g.get("request_id", ""))) as unit:
                end_session(unit, session)
    response = make_response(redirect(local(going), 303))
    site().set_cookie(response, SESSION_COOKIE, allowed.secret, here.login.absolute_hours * 3600)
    site().set_cookie(response, DEVICE_COOKIE, allowed.device, DEVICE_DAYS * 24 * 3600)
    site().drop_cookie(response, FORM_COOKIE)
    remember_who(response, allowed.user)
    return response


def said(refused: Refused) -> str:
    """Why, and when another try makes sense."""
    again = f" The next try is possible in {waiting(refused.wait_s)}." if refused.wait_s else ""
    return f"{refused.reason}{again}"
