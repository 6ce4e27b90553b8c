"""Forms that write: what was typed becomes values or errors beside the fields, and a form sent twice is done once."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import abort, request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from planner.errors import ConflictError
from planner.idempotency import Answer, once
from planner.repository import UnitOfWork
from planner.slots.domain import Booking
from webui.pages.plans import now, sources
from webui.policy import viewer

M = TypeVar("M", bound=BaseModel)

KEY = "key"
"""The hidden field that tells one form on a page from the next: `request_key` in templates makes it."""

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


def request_key() -> str:
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Form(Generic[M]):
    """What was typed, for showing it again; its values where it makes sense, and else what is wrong with each field."""

    typed: dict[str, str]
    values: M | None = None
    errors: dict[str, str] = field(default_factory=dict)


def read_form(model: type[M], sent: Mapping[str, str] | None = None) -> Form[M]:
    """The fields of the form that was sent, or of `sent`; those that `model` does not know are passed over."""
    sent = request.form if sent is None else sent
    typed = {name: sent[name] for name in model.model_fields if name in sent}
    for name, text in typed.items():
        if "\0" in text:
            return Form(typed, errors={name: "holds a NUL character"})
    try:
        return Form(typed, model.model_validate({name: text.strip() for name, text in typed.items()}))
    except ValidationError as error:
        return Form(typed, errors={str(found["loc"][0]): _said(found) for found in error.errors()})


def _said(error: ErrorDetails) -> str:
    """What is wrong with a field, as the rest of a sentence about it."""
    typed, bounds = str(error["input"])[:40], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is missing"
        case "int_parsing" | "int_from_float":
            return f"“{typed}” is not a whole number" if typed else "is empty"
        case "float_parsing" | "finite_number":
            return f"“{typed}” is not a number" if typed else "is empty"
        case kind if kind.startswith("date"):
            return f"“{typed}” is not a date" if typed else "is empty"
        case "greater_than_equal":
            return f"is less than {bounds['ge']:,g}"
        case "less_than_equal":
            return f"is more than {bounds['le']:,g}"
        case "string_too_long":
            return f"is longer than {bounds['max_length']:,} characters"
        case _:
            return str(error["msg"])[:200]


def form_key(content: str = "") -> str:
    """Under which the answer to this form is kept: of the form's own key and all that it says.

    A browser's Back button brings an old form with its old key, which may then be filled in anew. `content` stands for
    the files that were sent.
    """
    key = request.form.get(KEY, "")
    if not _KEY.fullmatch(key):
        abort(400, description="This form was not made by our pages. Load the page again.")
    said = sorted((name, text) for name, text in request.form.items(multi=True) if name != "csrf")
    everything = json.dumps([request.path, sorted(request.args.items(multi=True)), said, content])
    return f"form-{hashlib.sha256(everything.encode('utf-8', 'surrogatepass')).hexdigest()}"


def done_once(work: Callable[[UnitOfWork], str], content: str = "") -> Answer:
    """Do what a form asks for in one write transaction, or find that it has been done; what `work` returns is kept."""
    key = form_key(content)
    asking = viewer().actor
    with sources().store.write(asking) as unit:
        return once(unit, asking.id, key, key, now(), lambda: (200, work(unit)))


def done_once_by(does: Callable[[Callable[[UnitOfWork, str], None]], str]) -> str:
    """The same for what has transactions of its own: `does` is handed what the last one calls with the answer."""
    asking, key = viewer().actor, form_key()

    def kept(unit: UnitOfWork, answer: str) -> None:
        if unit.answers.get(asking.id, key) is not None:
            raise ConflictError("this form was sent twice")  # by two browsers at once: the other one has done it
        once(unit, asking.id, key, key, now(), lambda: (200, answer))

    def known() -> str:
        with sources().store.read() as unit:
            answer = unit.answers.get(asking.id, key)
        return answer.body if answer else ""

    if done := known():
        return done
    try:
        return does(kept)
    except ConflictError:
        if done := known():
            return done
        raise


def booked_once(does: Callable[[Callable[[UnitOfWork, Booking], None]], Booking]) -> str:
    """The same for what is done to a booking; returns its id."""
    return done_once_by(lambda kept: does(lambda unit, booking: kept(unit, booking.id)).id)
