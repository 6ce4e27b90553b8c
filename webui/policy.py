"""Who may call which route. Each route declares it with one decorator; one without makes the app refuse to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import Flask, abort, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from planner.access import Actor, Permission, Scope
from planner.people.domain import ApiToken, Session, User
from webui.errors import SecondFactorNeededError, WebError

V = TypeVar("V", bound=Callable[..., object])

_POLICY = "__policy__"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: a person in a browser (`session`), or a program with a token of theirs (`token`).

    `enrols` is somebody who must have a second factor and has none yet: they are led to the page that sets it up.
    """

    user: User
    permissions: frozenset[Permission]
    actor: Actor
    session: Session | None = None
    token: ApiToken | None = None
    enrols: bool = False

    @property
    def scope(self) -> Scope:
        return self.actor.scope

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


Authenticate = Callable[[], Viewer | None]
"""Tells who sends the present request; None for nobody."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of its caller: nothing, or to be somebody, with at least one of `any_of` if there are some.

    `browser`: a person with a session only, no token. `enrolling`: also before they have the second factor that they
    must have. `any_host`: whatever name it is called by, as probes do.
    """

    anybody: bool = False
    any_of: frozenset[Permission] = frozenset()
    browser: bool = False
    enrolling: bool = False
    any_host: bool = False


def public(view: V) -> V:
    """Anybody may call this."""
    return _declare(view, Policy(anybody=True))


def signed_in(view: V) -> V:
    """Everybody who is logged in may call this."""
    return _declare(view, Policy())


def in_person(view: V) -> V:
    """Everybody who is logged in may call this in a browser: a token may not touch what its owner logs in with."""
    return _declare(view, Policy(browser=True))


def enrolling(view: V) -> V:
    """As `in_person`, and also those who have yet to set up the second factor that they must have."""
    return _declare(view, Policy(browser=True, enrolling=True))


def allow(*any_of: Permission) -> Callable[[V], V]:
    """Those who have at least one of these permissions may call this."""
    if not any_of:
        raise WebError("allow() names no permission")
    return lambda view: _declare(view, Policy(any_of=frozenset(any_of)))


def any_host(view: V) -> V:
    """Above a policy: answered whatever the request's Host is, since probes call a machine by its address."""
    policy = policy_of(view)
    if policy is None:
        raise WebError("any_host stands above a policy")
    return _declare(view, replace(policy, any_host=True))


def _declare(view: V, policy: Policy) -> V:
    setattr(view, _POLICY, policy)
    return view


def policy_of(view: object) -> Policy | None:
    return getattr(view, _POLICY, None)


def lets_in(view: object, asking: Viewer | None) -> bool:
    """Whether somebody, or nobody, may call a view."""
    policy = policy_of(view)
    if policy is None or policy.anybody or asking is None:
        return policy is not None and policy.anybody
    if (policy.browser and asking.session is None) or (asking.enrols and not policy.enrolling):
        return False
    return not policy.any_of or bool(policy.any_of & asking.permissions)


def viewer() -> Viewer:
    """Who is asking; answers 401 where that is nobody."""
    found: Viewer | None = g.get("viewer")
    if found is None:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    return found


def enforce(app: Flask, authenticate: Authenticate) -> None:
    """Have every request's policy checked before its view runs. Call it once all routes are registered.

    Raises:
        WebError: a route has declared no policy.
    """
    for rule in app.url_map.iter_rules():
        if policy_of(app.view_functions[rule.endpoint]) is None:
            raise WebError(f"the route {rule} ({rule.endpoint}) declares no policy")

    def check() -> None:
        if request.endpoint is None:
            g.viewer = authenticate()
            return  # no such page, for everybody alike
        view = app.view_functions[request.endpoint]
        policy = policy_of(view)
        if policy is not None and policy.anybody:
            return  # whoever it is: the store is not asked
        g.viewer = authenticate()
        asking = viewer()
        if asking.enrols and not (policy and policy.enrolling):
            raise SecondFactorNeededError
        if not lets_in(view, asking):
            abort(403)

    app.before_request(check)
