"""Lists in pages: a cursor names the last entry that was given, so that what is added meanwhile shifts nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from webui.api.problems import FieldError, unreadable
from webui.api.values import Model

T = TypeVar("T")

MOST = 200


def _number(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("is not a whole number")
    return int(value) if isinstance(value, str) else value


class PageQuery(Model):
    """Which part of a list is asked for."""

    limit: Annotated[int, BeforeValidator(_number), Field(ge=1, le=MOST, description="How many entries at most.")] = 50
    cursor: Annotated[str, Field(max_length=1_000, description="`next` of the page before.")] = ""


class Page(Model):
    """Part of a list."""

    next: Annotated[str | None, Field(description="Ask for the next page with this as `cursor`; null at the end.")]


def page(
    query: PageQuery,
    listing: str,
    entries: Sequence[T],
    key: Callable[[T], tuple[Any, ...]],
    *,
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """The entries behind the cursor, at most `limit`, and the cursor of the page after them.

    Args:
        query: what was asked for.
        listing: what is listed; a cursor of another list is refused.
        entries: in the order of their keys.
        key: unique to an entry; strings and numbers.
        descending: whether the greatest key comes first.

    Raises:
        Problem: the cursor is none of ours.
    """
    last = after(query, listing)
    if last is not None:
        try:
            entries = [entry for entry in entries if (key(entry) < last if descending else key(entry) > last)]
        except TypeError:
            raise foreign() from None
    shown = list(entries[: query.limit])
    more = len(entries) > len(shown)
    return shown, cursor(listing, key(shown[-1])) if more else None


def cursor(listing: str, key: tuple[Any, ...]) -> str:
    text = json.dumps([listing, *key], ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def after(query: PageQuery, listing: str) -> tuple[Any, ...] | None:
    """The key that a cursor names; None for the first page."""
    if not query.cursor:
        return None
    try:
        named, *key = json.loads(base64.b64decode(query.cursor + "=" * (-len(query.cursor) % 4), b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        raise foreign() from None
    if named != listing or not key:
        raise foreign()
    return tuple(key)


def foreign() -> Exception:
    return unreadable("The cursor is none of this list.", FieldError("cursor", "is none of this list"))
