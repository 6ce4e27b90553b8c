"""Random values, all from the operating system's source; the only room of this package that draws any."""

from __future__ import annotations

import hashlib
import secrets

_LEGIBLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What nobody takes for something else when reading it aloud."""


def new_id() -> str:
    """A name for a row: 80 bits, so that two never meet and none is guessed."""
    return secrets.token_hex(10)


def new_secret() -> str:
    """What a cookie, link or program shows to be let in: 256 bits, 43 characters that need no quoting in a URL."""
    return secrets.token_urlsafe(32)


def new_key() -> bytes:
    """32 bytes."""
    return secrets.token_bytes(32)


def new_code(groups: int = 4) -> str:
    """A secret for people to copy by hand, 20 bits a group: "7KQM-2FPX-9WDA-HTC4"."""
    return "-".join("".join(secrets.choice(_LEGIBLE) for _ in range(4)) for _ in range(groups))


def digest(secret: str) -> str:
    """What is stored of a secret that was drawn here: SHA-256, since nobody can try 2^256 of them.

    Any text has one, so that what a stranger sends needs no checking first.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
