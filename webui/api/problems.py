"""Errors of the API as `application/problem+json` (RFC 9457): never a page, never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, g, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from planner.errors import (
    ConflictError,
    InvalidRecordError,
    NotFoundError,
    PlannerError,
    PromiseBrokenError,
    SlotGoneError,
    StorageError,
    StorageUnavailableError,
)
from planner.handoffs.handing import GateClosedError
from planner.handoffs.moving import HandoffMovedError
from planner.idempotency import KeyReusedError
from planner.rep_days import NoteChangedError
from routing.errors import RoutingError
from webui.errors import SecondFactorNeededError, WebError
from webui.policy import policy_of
from webui.request_log import log_failure

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:fieldvisit:problem:"
PREFIX = "/api/"


KINDS: Mapping[str, str] = {
    "unreadable": "The request cannot be read",
    "invalid": "A value is refused",
    "key-missing": "Idempotency-Key is missing",
    "key-reused": "Idempotency-Key came with another request before",
    "changed": "It has been changed by somebody else",
    "promise-broken": "A promise to a customer would be broken",
    "time-held": "A time that somebody is holding is in the way",
    "slot-gone": "The time is not free any more",
    "looks-known": "Somebody is there already",
    "gate-closed": "The handoff gate does not let it through",
    "refused": "This cannot be done",
    "unavailable": "The database does not answer",
}
"""What `type` may end in, and the title that goes with it; any other problem is the HTTP status and nothing more."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value; `pointer` is a JSON pointer (RFC 6901) into the body, or a parameter's name."""

    pointer: str
    detail: str


class Problem(WebError):
    """What a request is answered that cannot be done; `kind` is one of KINDS or empty.

    `members` are further members of the document.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.members = members or {}


def unreadable(detail: str, *errors: FieldError) -> Problem:
    """The request is no JSON, or a parameter or header of it is nonsense."""
    return Problem(400, "unreadable", detail, errors)


def invalid(*errors: FieldError) -> Problem:
    """The body was read, and values in it are refused."""
    return Problem(422, "invalid", "; ".join(f"{error.pointer}: {error.detail}" for error in errors[:3]), errors)


def pointer(*parts: str | int) -> str:
    """The JSON pointer of a place within a body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def field_errors(error: ValidationError) -> list[FieldError]:
    """What a model refused, in our own words where pydantic's are those of a programmer."""
    found = []
    for entry in error.errors(include_url=False, include_context=False, include_input=False):
        said = entry["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        found.append(
            FieldError(
                pointer(*entry["loc"]),
                {"extra_forbidden": "is unknown", "int_parsing_size": "is too large"}.get(entry["type"], said),
            )
        )
    return found


def problem_or(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An error handler that tells programs what is wrong in their own form, and people by `handler`.

    What is our fault is logged, whoever is told.
    """

    def handled(error: Exception) -> Any:
        answer = make_response(problem_response(error) if request.path.startswith(PREFIX) else handler(error))
        # Who aborts with 500 or more on purpose says so to whoever asked: too many streams, for one.
        if answer.status_code >= 500 and not isinstance(error, HTTPException):
            log_failure(error)
        return answer

    return handled


def problem_response(error: Exception) -> Any:
    """What an error is answered; a redirection stays one."""
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    problem = _problem_of(error)
    if problem is None:
        return _response(500, "", "The error is written in fieldvisit's log.")
    response = _response(problem.status, problem.kind, problem.detail, problem.errors, problem.members)
    if problem.status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _problem_of(error: Exception) -> Problem | None:
    match error:
        case Problem():
            return error
        case NotFoundError():
            return Problem(404, "", str(error))
        case InvalidRecordError():
            return invalid(FieldError(pointer(error.field) if error.field else "", error.message))
        case PromiseBrokenError():
            members = {"broken": list(error.broken), "held": list(error.held)}
            return Problem(409, "promise-broken" if error.broken else "time-held", str(error), members=members)
        case NoteChangedError():
            present = {"revision": error.present.revision, "text": error.present.text}
            return Problem(409, "changed", str(error), members={"present": present})
        case HandoffMovedError():
            standing = {"revision": error.present.revision, "state": str(error.present.state)}
            return Problem(409, "changed", str(error), members={"present": standing})
        case SlotGoneError():
            return Problem(409, "slot-gone", str(error))
        case GateClosedError():
            return Problem(422, "gate-closed", str(error), members={"missing": list(error.missing)})
        case KeyReusedError():
            return Problem(409, "key-reused", str(error))
        case ConflictError():
            return Problem(409, "changed", str(error))
        case StorageUnavailableError():
            return Problem(503, "unavailable", "Nothing was written. Try again with the same Idempotency-Key.")
        case SecondFactorNeededError():
            return Problem(403, "", "Set up your second factor in a browser first.")
        case StorageError():
            return None
        case PlannerError() | RoutingError():
            return Problem(422, "refused", str(error))
        case WebError():
            return Problem(500, "", str(error))
        case _:
            return None


def _of_http(error: HTTPException) -> Response:
    made = error.response  # of an abort() with a response of its own, which is for people
    status = made.status_code if made is not None else error.code or 500
    detail = error.description if error.description != type(error).description else ""
    if status == 403 and not detail:
        detail = _lacking()
    response = _response(status, "", str(getattr(made, "data", b""), "utf-8").strip() if made is not None else detail)
    headers = made.headers if made is not None else dict(error.get_headers(request.environ))
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in headers:
            response.headers[name] = headers[name]
    return response


def _lacking() -> str:
    """Which permission the operation takes that was asked for."""
    policy = policy_of(current_app.view_functions.get(request.endpoint or ""))
    if policy is None or not policy.any_of:
        return ""
    return f"This takes the permission {' or '.join(sorted(policy.any_of))}, which you do not have here."


def _response(
    status: int,
    kind: str,
    detail: str | None,
    errors: Sequence[FieldError] = (),
    members: Mapping[str, Any] | None = None,
) -> Response:
    document: dict[str, Any] = {
        "type": f"{TYPE}{kind}" if kind else "about:blank",
        "title": KINDS[kind] if kind else HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        document["detail"] = detail
    if request_id := g.get("request_id"):
        document["instance"] = f"urn:fieldvisit:request:{request_id}"
    if errors:
        document["errors"] = [{"pointer": entry.pointer, "detail": entry.detail} for entry in errors]
    return Response(json.dumps(document | dict(members or {})), status, mimetype=MEDIA_TYPE)
