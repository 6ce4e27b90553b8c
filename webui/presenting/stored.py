"""What is stored about a person, as they read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from planner.fieldwork.privacy import Group
from webui.words import sentence

ROWS_SHOWN = 50
"""Of one kind; the file has all."""


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """`rows` are pairs of a name and a text; what is empty is left out."""

    name: str
    title: str
    why: str
    rows: tuple[tuple[tuple[str, str], ...], ...]
    number: int


def stored_group(group: Group) -> StoredGroup:
    rows = tuple(_pairs(row) for row in group.rows[:ROWS_SHOWN])
    return StoredGroup(group.name, group.title, group.why, rows, len(group.rows))


def _pairs(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = ((sentence(name.replace("_", " ")), _words(value)) for name, value in row.items())
    return tuple((name, text) for name, text in told if text)


def _words(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(filter(None, map(_words, value)))
        case dict():
            told = ((name, _words(inner)) for name, inner in value.items())
            return "; ".join(f"{name} {text}" for name, text in told if text)
        case str():
            return _moment(value)
        case _:
            return str(value)


def _moment(text: str) -> str:
    """A moment as people read it; any other text as it is."""
    if len(text) < 20 or "T" not in text[10:11]:
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment.tzinfo else text
