"""What the query of a page's address asks for, read so that nonsense is answered by a sentence."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import abort, request

E = TypeVar("E", bound=StrEnum)

MOST_LETTERS = 1_000
FIRST, LAST = date(1990, 1, 1), date(2190, 12, 31)
"""Days that a page of figures may be asked for."""
ON_A_PAGE = 100


def text_asked(name: str) -> str | None:
    """A parameter as it stands; None where it is not there."""
    text = request.args.get(name)
    if text is not None and ("\0" in text or len(text) > MOST_LETTERS):
        abort(400, description=f"What the address says as “{name}” cannot be: choose on the page instead.")
    return text


def one_asked(name: str, kinds: type[E], usual: E) -> E:
    """One of a few words."""
    text = text_asked(name)
    try:
        return kinds(text) if text else usual
    except ValueError:
        abort(404, description=f"There is no such “{name}” as “{_short(text)}”.")


def day_asked(name: str) -> date | None:
    """A day; None where it is not there, or empty."""
    text = text_asked(name)
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        found = None
    if found is None:
        abort(400, description=f"“{_short(text)}” is not a day: days are written like 2026-11-30.")
    if not FIRST <= found <= LAST:
        abort(400, description=f"{found} is too far away: choose a day from {FIRST.year} to {LAST.year}.")
    return found


def page_asked() -> int:
    """Which page of a list, from 1."""
    text = text_asked("page")
    if not text:
        return 1
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text, re.ASCII):
        abort(404, description="That is no number of a page.")
    return int(text)


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= 40 else f"{text[:40]}…"
