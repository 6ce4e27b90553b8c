"""E-mail addresses and names as people type them, brought to one form."""

from __future__ import annotations

import re
import unicodedata

import idna

from planner.errors import InvalidRecordError

MAX_EMAIL = 254
MAX_NAME = 100

_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""Plain ASCII, since look-alike letters of other scripts would let one person's address pass for another's."""

_HIDDEN = re.compile("[\u2028-\u202e\u2066-\u2069]")
"""Line separators, and what turns the direction of the text after it."""


def canonical_email(text: str) -> str:
    """The one form of an address: lower case, the domain in its own letters (bücher.example, not xn--…).

    Raises:
        InvalidRecordError: it is no address.
    """
    local, at, domain = text.strip().rpartition("@")
    local = local.lower() if local.isascii() else ""
    if len(text) > MAX_EMAIL or not at or not _LOCAL.fullmatch(local):
        raise InvalidRecordError("email", f"{text[:MAX_EMAIL]!r} is no e-mail address")
    try:
        domain = idna.decode(idna.encode(domain, uts46=True))
    except UnicodeError as error:  # the base of all that idna raises
        raise InvalidRecordError(
            "email", f"{text!r} is no e-mail address: what is behind the @ is no domain"
        ) from error
    return f"{local}@{domain}"


def ascii_email(text: str) -> str:
    """An address as mail servers take it: the domain in ASCII (xn--…). Raises InvalidRecordError: it is no address."""
    local, _, domain = canonical_email(text).rpartition("@")
    return f"{local}@{idna.encode(domain).decode('ascii')}"


def checked_name(text: str, field: str = "name", limit: int = MAX_NAME) -> str:
    """A name without spaces around it.

    Raises:
        InvalidRecordError: it is empty or too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise InvalidRecordError(field, "is empty")
    if len(name) > limit:
        raise InvalidRecordError(field, f"is {len(name):,} characters long, at most {limit} are kept")
    if _HIDDEN.search(name) or any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise InvalidRecordError(field, "holds a control character")
    return name


def printable(text: str, limit: int = 200) -> str:
    """A text from outside as it may be stored and shown anywhere: cut short, with "�" for what is not seen."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:limit])
