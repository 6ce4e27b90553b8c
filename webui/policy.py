"""Who may call which route. Each route declares it with one decorator; one without makes the app refuse to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask, abort, g, request

from planner.access import Actor, Permission, Scope
from planner.people.domain import ApiToken, Session, User
from webui.errors import WebError

V = TypeVar("V", bound=Callable[..., object])

_POLICY = "__policy__"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: a person in a browser (`session`), or a program with a token of theirs (`token`)."""

    user: User
    permissions: frozenset[Permission]
    actor: Actor
    session: Session | None = None
    token: ApiToken | None = None

    @property
    def scope(self) -> Scope:
        return self.actor.scope

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


Authenticate = Callable[[], Viewer | None]
"""Tells who sends the present request; None for nobody."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of its caller: nothing, or to be somebody, with at least one of `any_of` if there are some."""

    anybody: bool = False
    any_of: frozenset[Permission] = frozenset()


def public(view: V) -> V:
    """Anybody may call this."""
    setattr(view, _POLICY, Policy(anybody=True))
    return view


def signed_in(view: V) -> V:
    """Everybody who is logged in may call this."""
    setattr(view, _POLICY, Policy())
    return view


def allow(*any_of: Permission) -> Callable[[V], V]:
    """Those who have at least one of these permissions may call this."""

    def declared(view: V) -> V:
        setattr(view, _POLICY, Policy(any_of=frozenset(any_of)))
        return view

    return declared


def policy_of(view: object) -> Policy | None:
    return getattr(view, _POLICY, None)


def viewer() -> Viewer:
    """Who is asking; answers 401 where that is nobody."""
    found: Viewer | None = g.get("viewer")
    return found or abort(401)


def enforce(app: Flask, authenticate: Authenticate) -> None:
    """Have every request's policy checked before its view runs. Call it once all routes are registered.

    Raises:
        WebError: a route has declared no policy.
    """
    for rule in app.url_map.iter_rules():
        if policy_of(app.view_functions[rule.endpoint]) is None:
            raise WebError(f"the route {rule} ({rule.endpoint}) declares no policy")

    def check() -> None:
        g.viewer = authenticate()
        if request.endpoint is None:
            return  # no such page, for everybody alike
        policy = policy_of(app.view_functions[request.endpoint])
        if policy is None:
            abort(403)
        if policy.anybody:
            return
        asking = viewer()
        if policy.any_of and not policy.any_of & asking.permissions:
            abort(403)

    app.before_request(check)
