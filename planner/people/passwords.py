"""Passwords: which ones are let through, and Argon2id. Takes 50 ms by design, so never inside a write transaction.

The only room with argon2.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from planner.errors import InvalidRecordError

SHORTEST = 10
LONGEST = 200

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP Password Storage Cheat Sheet, 2024

_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$lga99HmWrSA98VCwOrOYwQ$jDiTmX4NJjZwiSO2lyOqIz9K9Qkr1GkjQ0ALovjCBRg"
"""Checked where there is no password to check, so that an unknown person takes as long to refuse as a known one."""


def hash_password(text: str) -> str:
    """The Argon2id hash to be stored."""
    return _HASHER.hash(_normal(text))


def check_password(hash: str, text: str) -> bool:
    """Whether the text is the password; an empty hash stands for nobody's, and takes as long."""
    try:
        return _HASHER.verify(hash or _NOBODYS, _normal(text[: LONGEST + 1])) and bool(hash) and len(text) <= LONGEST
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def needs_rehash(hash: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(hash)


def check_choice(text: str, email: str, name: str) -> None:
    """Refuse what may not become this person's password.

    Raises:
        InvalidRecordError: it is too short or long, holds unseen characters, is a common one or the person's own name.
    """
    normal = _normal(text)
    if not SHORTEST <= len(normal) <= LONGEST or len(text) > LONGEST:
        raise InvalidRecordError("password", f"has between {SHORTEST} and {LONGEST} characters; a few words do well")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in normal):
        raise InvalidRecordError("password", "holds a character that cannot be typed")
    whole, letters = normal.casefold(), _letters(normal)
    own = {_letters(email), _letters(email.partition("@")[0]), _letters(name)} - {""}
    if letters in own:
        raise InvalidRecordError("password", "is the name or the e-mail address")
    if whole in _common() or letters in _common():
        raise InvalidRecordError("password", "is one of those that everybody tries first")


def _normal(text: str) -> str:
    """As hashed: the same text typed on another keyboard gives the same characters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def _letters(text: str) -> str:
    """Without the digits and signs that people put behind a word."""
    return re.sub(r"[\W\d_]", "", unicodedata.normalize("NFKC", text).casefold())


@cache
def _common() -> frozenset[str]:
    lines = files("planner.people").joinpath("common_passwords.txt").read_text(encoding="utf-8").split()
    return frozenset(lines)
