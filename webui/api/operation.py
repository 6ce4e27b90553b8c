"""One decorator makes a function an operation of the API: its route, its contract, and what all operations share.

An operation gets what was sent, checked, and returns a `Reply`; one that writes returns a function of the unit of work
that does so, or an `OwnWrite`. All preparing is thereby done before the write transaction, and its answer is kept in
the same transaction by the Idempotency-Key.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from flask import Blueprint, Response, abort, request
from pydantic import BaseModel

from planner.errors import ConflictError
from planner.idempotency import Answer, once
from planner.repository import Store, UnitOfWork
from webui.api import reading
from webui.errors import WebError
from webui.pages.plans import now, sources
from webui.policy import Policy, policy_of, viewer

api = Blueprint("api", __name__, url_prefix="/api/v1")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers. `once` names fields, secrets, that are left out of what is kept for a repetition."""

    body: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    once: frozenset[str] = frozenset()


Write = Callable[[UnitOfWork], Reply]


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """What a use case does in transactions of its own: it is handed what it calls, with its reply, in the last one."""

    does: Callable[[Callable[[UnitOfWork, Reply], None]], object]


Answers = Mapping[int, type[BaseModel] | str]
"""The model of each answer that is a success, by status; or its media type where that is no JSON of ours, empty for
one without a body."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of one operation."""

    name: str
    method: str
    rule: str
    tag: str
    summary: str
    description: str
    policy: Policy
    answers: Answers
    problems: tuple[int, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    form: tuple[str, ...]


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    rule: str,
    answers: Answers,
    *,
    tag: str,
    problems: tuple[int, ...] = (),
    form: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a function, which has a policy and a docstring, as an operation.

    It is called with the parts of the path, by name; `query` and `body` by the models that it annotates them with; and
    where `form` names fields for files, `files` or else `body`.

    Args:
        method: of HTTP.
        rule: of the path below /api/v1.
        answers: of success.
        tag: under which it is listed.
        problems: statuses of its own, besides those that every operation of its kind may answer.
        form: names of fields for files.
    """

    def registered(view: Callable[..., Any]) -> Callable[..., Response]:
        policy = policy_of(view)
        if policy is None:
            raise WebError(f"the operation {view.__name__} declares no policy")
        hints = get_type_hints(view)
        body, query = (_without_none(hints.get(name)) for name in ("body", "query"))
        summary, _, description = (view.__doc__ or "").partition("\n")
        made = Operation(
            name=view.__name__,
            method=method,
            rule=rule,
            tag=tag,
            summary=summary.strip().rstrip("."),
            description=" ".join(description.split()),
            policy=policy,
            answers=answers,
            problems=problems,
            body=body,
            query=query,
            form=form,
        )
        OPERATIONS.append(made)

        @functools.wraps(view)
        def called(**sent: Any) -> Response:
            # Werkzeug puts U+FFFD for bytes that are no UTF-8: two such names would be one.
            if any("\0" in part or "\ufffd" in part for part in sent.values() if isinstance(part, str)):
                abort(404, description="A part of the address is no text in UTF-8.")
            asked = reading.read_query(query)
            if query is not None:
                sent["query"] = asked
            if method == "GET":
                return _response(view(**sent))
            return _written(made, view, sent)

        api.add_url_rule(
            rule, made.name, called, methods=[method], provide_automatic_options=False, merge_slashes=False
        )
        return called

    return registered


def store() -> Store:
    return sources().store


def _without_none(hint: Any) -> Any:
    """X of `X | None`."""
    return next((part for part in getattr(hint, "__args__", (hint,)) if part is not type(None)), None)


def _written(made: Operation, view: Callable[..., Any], sent: dict[str, Any]) -> Response:
    key = reading.idempotency_key(required=made.method == "POST")
    if made.form and reading.is_form():
        with reading.uploaded(*made.form) as upload:
            return _once(made, key, upload.digest, lambda: view(**sent, files=upload.files))
    if made.body is None:
        reading.read_nothing()
    else:
        sent["body"] = reading.read_body(made.body)
    return _once(made, key, hashlib.sha256(request.get_data()).hexdigest(), lambda: view(**sent))


def _once(made: Operation, key: str | None, digest: str, prepare: Callable[[], Write | OwnWrite]) -> Response:
    """Do it, unless the same was done under this key before; then give that answer again."""
    actor, write = viewer().actor, prepare()
    fingerprint = hashlib.sha256(f"{made.method} {request.full_path} {digest}".encode()).hexdigest()
    if isinstance(write, OwnWrite):
        return _once_by(write, key, fingerprint)
    replies: list[Reply] = []

    def work() -> tuple[int, str]:
        replies.append(reply := write(unit))
        return reply.status, _text(reply, kept=True)

    with store().write(actor) as unit:
        if key is None:
            return _response(write(unit))
        kept = once(unit, actor.id, key, fingerprint, now(), work)
    return _response(replies[0]) if replies else _repeated(kept)


class _NotYetError(Exception):
    """Nothing was answered under a key so far."""


def _once_by(write: OwnWrite, key: str | None, fingerprint: str) -> Response:
    """The same for what opens its own transactions."""
    actor, replies = viewer().actor, list[Reply]()

    def known() -> Answer | None:
        def nothing() -> tuple[int, str]:
            raise _NotYetError

        try:
            with store().read() as unit:
                return once(unit, actor.id, key, fingerprint, now(), nothing) if key is not None else None
        except _NotYetError:
            return None

    def kept(unit: UnitOfWork, reply: Reply) -> None:
        def answer() -> tuple[int, str]:
            replies[:] = [reply]
            return reply.status, _text(reply, kept=True)

        replies.clear()
        if key is None:
            replies.append(reply)
        else:
            once(unit, actor.id, key, fingerprint, now(), answer)
        if not replies:
            raise ConflictError("this was sent twice at once")

    if (before := known()) is not None:
        return _repeated(before)
    try:
        write.does(kept)
    except ConflictError:
        if (before := known()) is not None:
            return _repeated(before)
        raise
    return _response(replies[0])


def _repeated(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {"Idempotent-Replayed": "true"}, mimetype=reading.JSON)


def _text(reply: Reply, *, kept: bool = False) -> str:
    body = reply.body.model_copy(update=dict.fromkeys(reply.once)) if kept and reply.once else reply.body
    return body.model_dump_json()


def _response(reply: Reply | Response) -> Response:
    if isinstance(reply, Response):
        return reply
    return Response(_text(reply), reply.status, dict(reply.headers), mimetype=reading.JSON)
