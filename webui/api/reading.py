"""What a program sent, read so strictly that no two readers could understand it differently."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from flask import abort, request
from pydantic import BaseModel, ValidationError

from webui.api.problems import FieldError, Problem, field_errors, invalid, pointer, unreadable

B = TypeVar("B", bound=BaseModel)

JSON = "application/json"
FORM = "multipart/form-data"
MAX_DEPTH = 16
MAX_DIGITS = 30
LARGEST = 2**63
"""Beyond this no whole number is kept anywhere."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Upload:
    """The files of a form, by the names of its fields, in a folder that lasts as long as the request."""

    files: dict[str, Path]
    digest: str


def idempotency_key(*, required: bool) -> str | None:
    """The sender's Idempotency-Key.

    Raises:
        Problem: it is missing where one is required, or is not 1 to 255 printable ASCII characters without blanks.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None and required:
        raise unreadable(
            "Send an Idempotency-Key, such as a new UUID: a request that is sent again with it is done once.",
            FieldError("Idempotency-Key", "is missing"),
        )
    if key is not None and not _KEY.fullmatch(key):
        raise unreadable(
            "The Idempotency-Key is 1 to 255 printable ASCII characters without blanks.",
            FieldError("Idempotency-Key", "is not 1 to 255 printable ASCII characters"),
        )
    return key


def read_query(model: type[B] | None) -> B | None:
    """The parameters after the question mark. Raises Problem where one is unknown, sent twice, or refused."""
    sent = request.args.to_dict(flat=False)
    for name, values in sent.items():
        if len(values) > 1:
            raise unreadable(f"The parameter {name!r:.60} is sent twice.", FieldError(name, "is sent twice"))
        if bad := _bad_text(values[0]):
            raise unreadable(f"The parameter {name!r:.60} {bad}.", FieldError(name, bad))
    if model is None:
        if sent:
            raise unreadable(
                f"There are parameters that are unknown here: {', '.join(sent):.200}.",
                *(FieldError(n, "is unknown") for n in sent),
            )
        return None
    try:
        return model.model_validate({name: values[0] for name, values in sent.items()})
    except ValidationError as error:
        found = [FieldError(entry.pointer.removeprefix("/"), entry.detail) for entry in field_errors(error)]
        named = "; ".join(f"{entry.pointer}: {entry.detail}" for entry in found[:3])
        raise unreadable(f"A parameter is refused: {named}.", *found) from None


def read_nothing() -> None:
    """Raises Problem where a body came with a request that has none."""
    if request.get_data():
        raise unreadable("This request takes no body.")


def read_body(model: type[B]) -> B:
    """The JSON body.

    Raises:
        Problem: it is no JSON, or a value in it is refused.
        HTTPException: 413, 415.
    """
    if request.mimetype != JSON:
        abort(415, description=f"Send the body as {JSON}.")
    data = request.get_data()
    if not isinstance(read_json(data), dict):
        said = "The body is not a JSON object: send the fields by their names, between { and }."
        raise Problem(422, "invalid", said, [FieldError("", "is not a JSON object")])
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise invalid(*field_errors(error)) from None


def read_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        Problem: no JSON; or it is nested more than 16 deep, names a member twice, or holds a number that is not finite
            or has more than 30 digits, a NUL character or half of a surrogate pair.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_number,
            parse_int=_whole,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise unreadable("The body is not in UTF-8.") from None
    except RecursionError:
        raise unreadable(f"The body is nested more than {MAX_DEPTH} deep.") from None
    except ValueError as error:
        raise unreadable(f"The body is not JSON: {error!s:.200}") from None
    _check(value, "", 0)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check(value: Any, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise unreadable(f"The body is nested more than {MAX_DEPTH} deep.")
    if isinstance(value, str) and (bad := _bad_text(value)):
        raise invalid(FieldError(where, bad))
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise invalid(FieldError(where, "is too large"))
    if isinstance(value, list):
        for position, entry in enumerate(value):
            _check(entry, f"{where}/{position}", depth + 1)
    if isinstance(value, dict):
        for name, entry in value.items():
            if bad := _bad_text(name):
                raise invalid(FieldError(where, f"a name in it {bad}"))
            _check(entry, where + pointer(name), depth + 1)


def _bad_text(text: str) -> str:
    if "\0" in text:
        return "holds a NUL character"
    return "holds half of a surrogate pair" if _SURROGATE.search(text) else ""


def is_form() -> bool:
    """Whether files are sent, rather than JSON."""
    return request.mimetype == FORM


@contextmanager
def uploaded(*names: str) -> Iterator[Upload]:
    """The files of a multipart form, under names of our own; the sender's names are only shown.

    Raises:
        Problem: there is none, or something else is in the form.
        HTTPException: 413.
    """
    sent = [*request.form.keys(), *request.files.keys()]
    strangers = [name for name in sent if name not in names or len(request.files.getlist(name)) != 1]
    if strangers or not sent:
        wrong = [FieldError(pointer(name), "is not one file") for name in strangers]
        raise unreadable(f"Send one file in each of the fields {', '.join(names)} that you use.", *wrong)
    with TemporaryDirectory() as folder:
        files: dict[str, Path] = {}
        digest = hashlib.sha256()
        for name in names:
            if name in request.files:
                files[name] = Path(folder, name)
                request.files[name].save(files[name])
                content = hashlib.sha256(files[name].read_bytes()).hexdigest()
                digest.update(f"{name} {content}\n".encode())
        yield Upload(files, digest.hexdigest())
