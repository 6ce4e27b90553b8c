"""Who sends the present request, by the session's cookie or by a token."""

from __future__ import annotations

from contextlib import suppress

from flask import g, request

from planner.access import Actor
from planner.errors import StorageError
from planner.people import sessions, tokens
from planner.people.accounts import needs_second_factor, permissions_of
from webui.auth.door import door
from webui.policy import Viewer
from webui.site import site

SESSION_COOKIE = "fieldvisit"


def authenticate() -> Viewer | None:
    """Whoever it is, or nobody. A request with an Authorization header is a program's, whatever cookies it has."""
    if "Authorization" in request.headers:
        scheme, _, text = request.headers["Authorization"].partition(" ")
        return _by_token(text.strip()) if scheme.lower() == "bearer" else None
    secret = site().cookie(SESSION_COOKIE)
    return _by_session(secret) if secret else None


def _by_session(secret: str) -> Viewer | None:
    here, now = door(), door().clock()
    with here.store.read() as unit:
        found = sessions.find_session(unit, secret, now, here.login)
    if found is None:
        return None
    session, user = found
    actor = Actor(f"user:{user.id}", user.scope, g.get("request_id", ""))
    if sessions.is_due(session, now):
        # Reading goes on where nothing can be written, with a full disk for one.
        with suppress(StorageError), here.store.write(actor, audited=False) as unit:
            sessions.touch(unit, session, now)
    enrols = needs_second_factor(user, here.login)
    return Viewer(user, permissions_of(user, here.login), actor, session=session, enrols=enrols)


def _by_token(text: str) -> Viewer | None:
    here, now = door(), door().clock()
    with here.store.read() as unit:
        found = tokens.find_token(unit, text, now, here.login)
    if found is None:
        return None
    token, owner, permissions = found
    actor = Actor(f"token:{token.id}", owner.scope, g.get("request_id", ""))
    if tokens.is_due(token, now):
        with suppress(StorageError), here.store.write(actor, audited=False) as unit:
            tokens.touch(unit, token, now)
    return Viewer(owner, permissions, actor, token=token)
