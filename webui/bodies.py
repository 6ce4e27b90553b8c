"""How much a request may send: little, except where a route says more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, current_app, request

V = TypeVar("V", bound=Callable[..., object])

FORM_BYTES = 256_000
UPLOAD_BYTES = 21_000_000
"""Twenty megabytes of files, and the form around them. No server in front of the app need take more."""

_LIMIT = "__body_bytes__"


def body_up_to(limit: int) -> Callable[[V], V]:
    """The route takes bodies of so many bytes."""

    def declared(view: V) -> V:
        setattr(view, _LIMIT, limit)
        return view

    return declared


def limit_bodies(app: Flask) -> None:
    """Answer 413 to whatever is larger. Call it before anything that reads a form."""

    def limit() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        request.max_content_length = getattr(view, _LIMIT, FORM_BYTES)

    app.before_request(limit)
