"""What no database keeps is refused before it gets there, by the name of its table and field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import sqlalchemy as sa

from planner.errors import StorageError


def checked(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a row, as they are.

    PostgreSQL keeps no NUL characters, no database keeps half a character, and JSON has no word for infinity.

    Raises:
        StorageError: one of them cannot be kept; the message does not show it.
    """
    for name, value in values.items():
        flaw = _flaw(value)
        if flaw:
            raise StorageError(f"{table.name}.{name} {flaw}")
    return values


def is_text(text: str) -> bool:
    """Whether a database can keep this, and so may hold it."""
    return not _flaw(text)


def _flaw(value: Any) -> str:
    if isinstance(value, str):
        if "\0" in value:
            return "holds a NUL character"
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            return "holds half of a character (a lone surrogate)"
        return ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"is {value}, which is no number that can be kept"
    if isinstance(value, Mapping):
        return next(filter(None, map(_flaw, (*value, *value.values()))), "")
    if isinstance(value, list | tuple | set | frozenset):
        return next(filter(None, map(_flaw, value)), "")
    if is_dataclass(value):
        return next(filter(None, (_flaw(getattr(value, field.name)) for field in fields(value))), "")
    return ""
