"""The OpenAPI document, from the operations and their models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from planner.access import Permission
from webui.api import reading
from webui.api.operation import OPERATIONS, Operation
from webui.api.problems import KINDS, MEDIA_TYPE, TYPE
from webui.api.values import Model

STATUSES: Mapping[int, str] = {
    400: "The request cannot be read: no JSON, or a parameter or header is nonsense.",
    401: "Nobody is logged in: the token is missing, unknown, expired or revoked.",
    403: "The token, or its owner, lacks the permission.",
    404: "There is no such thing, or it is not yours to see.",
    409: "Somebody else has changed it since, or the Idempotency-Key came with another request before.",
    412: "If-Match names another state than the present one.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "The request was read, and a value in it is refused.",
    500: "A defect of fieldvisit.",
    503: "The database does not answer; nothing was written.",
}

PATH_PARTS: Mapping[str, dict[str, Any]] = {
    "area": {"schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}, "example": "helsinki"},
    "day": {"schema": {"type": "string", "format": "date"}, "example": "2026-11-30"},
    "version": {"schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999}, "example": 1},
    "kind": {"schema": {"type": "string", "enum": ["rep", "account", "opportunity"]}, "example": "account"},
    "rep_id": {"schema": {"type": "string", "minLength": 1, "maxLength": 200}, "example": "ann"},
    "account_id": {"schema": {"type": "string", "minLength": 1, "maxLength": 200}, "example": "A1"},
    "opportunity_id": {"schema": {"type": "string", "minLength": 1, "maxLength": 200}, "example": "O1"},
    "record_id": {"schema": {"type": "string", "minLength": 1, "maxLength": 204}, "example": "A1"},
}
"""The parts of paths; one that is not here is an id that fieldvisit made."""
_ID = {"schema": {"type": "string", "minLength": 1, "maxLength": 200}}

_PART = re.compile(r"<(?:\w+:)?(\w+)>")


class FieldProblem(Model):
    """What is wrong with one value."""

    pointer: Annotated[str, Field(description="JSON pointer into the body, or the name of a parameter or header.")]
    detail: str


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 has it."""

    type: Annotated[
        str, Field(description="about:blank, or one of: " + "; ".join(f"`{TYPE}{k}`: {t}" for k, t in KINDS.items()))
    ]
    title: str
    status: int
    detail: Annotated[str, Field(description="A sentence for a person.")] = ""
    instance: Annotated[str, Field(description="The request, as the log knows it.")] = ""
    errors: list[FieldProblem] = []


@cache
def openapi_document() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    models = {ProblemDocument: "serialization"} | {
        model: mode
        for made in OPERATIONS
        for mode, used in (
            ("validation", [made.body]),
            ("serialization", [answer for answer in made.answers.values() if not isinstance(answer, str)]),
        )
        for model in used
        if model is not None
    }
    pairs: Any = list(models.items())
    references, schemas = models_json_schema(pairs, ref_template="#/components/schemas/{model}")
    of = {model: references[(model, mode)] for model, mode in pairs}
    paths: dict[str, Any] = {}
    for made in OPERATIONS:
        paths.setdefault(_PART.sub(r"{\1}", made.rule), {})[made.method.lower()] = _operation(made, of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fieldvisit",
            "version": version("fieldvisit"),
            "description": "Plan the visits of field sales reps. Instants are RFC 3339; durations and distances have "
            "their unit in their name; coordinates are WGS 84.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(made.tag for made in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of your account. Its scopes: " + ", ".join(f"`{p}`" for p in Permission),
                }
            },
            "responses": {
                str(status): {
                    "description": description,
                    "content": {MEDIA_TYPE: {"schema": of[ProblemDocument]}},
                }
                for status, description in STATUSES.items()
            },
            "parameters": {
                "Idempotency-Key": _key(required=False),
                "Idempotency-Key-required": _key(required=True),
            },
        },
    }


def _key(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "A new UUID for each new write. Sent again with the same request, it gives the same answer and "
        "nothing is done twice; for 90 days.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "b9f0a5c2-6a0e-4a37-9a55-0f6f2f1a8f10",
    }


def _operation(made: Operation, of: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    writes = made.method != "GET"
    parameters = [_path_part(name) for name in _PART.findall(made.rule)]
    if made.query is not None:
        parameters += _query(made.query)
    if writes:
        required = "-required" if made.method == "POST" else ""
        parameters.append({"$ref": f"#/components/parameters/Idempotency-Key{required}"})
    problems = {400, 500, 503, *made.problems}
    problems |= set() if made.policy.anybody else {401, 403}
    problems |= {404} if _PART.search(made.rule) else set()
    problems |= {409, 413, 422} if writes else set()
    problems |= {415} if made.body is not None else set()
    described: dict[str, Any] = {
        "operationId": made.name,
        "tags": [made.tag],
        "summary": made.summary,
        "parameters": parameters,
        "responses": {
            **{str(status): _answer(answer, of, writes) for status, answer in made.answers.items()},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(problems)},
        },
        "security": [] if made.policy.anybody else [{"token": sorted(made.policy.any_of)}],
    }
    if made.policy.any_of:
        scopes = " or ".join(f"`{permission}`" for permission in sorted(made.policy.any_of))
        described["description"] = f"{made.description}\n\nNeeds {scopes}.".strip()
    elif made.description:
        described["description"] = made.description
    if made.body is not None:
        content: dict[str, Any] = {reading.JSON: {"schema": of[made.body]}}
        if made.form:
            file = {"type": "string", "contentMediaType": "application/octet-stream"}
            content[reading.FORM] = {
                "schema": {
                    "type": "object",
                    "properties": dict.fromkeys(made.form, file),
                    "additionalProperties": False,
                    "minProperties": 1,
                }
            }
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answer(answer: type[BaseModel] | str, of: Mapping[type[BaseModel], Any], writes: bool) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"description": "Done.", "content": {answer: {}}} if answer else {"description": "As it was."}
    described: dict[str, Any] = {"description": "Done.", "content": {reading.JSON: {"schema": of[answer]}}}
    if writes:
        described["headers"] = {
            "Idempotent-Replayed": {
                "description": "`true` where this was done before and is only answered again.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    return described


def _path_part(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True} | PATH_PARTS.get(name, _ID)


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": part.pop("description", ""),
            "schema": part,
        }
        for name, part in schema["properties"].items()
    ]
