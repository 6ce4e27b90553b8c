"""The installation's key: 32 random bytes that encrypt what must be read again and sign what browsers keep.

The only room with cryptography.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from planner.errors import SettingsError
from planner.people.fresh import new_id, new_key

KEY_VARIABLE = "FIELDVISIT_KEY"
KEY_FILE = "key"


@dataclass(frozen=True, slots=True)
class Keys:
    """What is derived from the installation's key; nothing that one purpose signed or sealed passes for another's."""

    root: bytes = field(repr=False)

    def sub_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose."""
        return HKDF(SHA256(), length=32, salt=None, info=f"fieldvisit {purpose}".encode()).derive(self.root)

    def keyed_digest(self, purpose: str, text: str) -> str:
        """A hash that nobody without the key can compute, as hexadecimal digits. Any text has one."""
        return hmac.digest(self.sub_key(purpose), text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def seal(self, purpose: str, text: str, now: datetime) -> str:
        """The text encrypted and signed, fit for a cookie or a form."""
        return self._fernet(purpose).encrypt_at_time(text.encode(), int(now.timestamp())).decode()

    def unseal(self, purpose: str, sealed: str, now: datetime, max_age_s: int | None = None) -> str | None:
        """What `seal` was given; None where it was not sealed here for the purpose, or longer than `max_age_s` ago."""
        token, fernet = sealed.encode("utf-8", "surrogatepass"), self._fernet(purpose)
        try:
            if max_age_s is None:
                return fernet.decrypt(token).decode()
            return fernet.decrypt_at_time(token, max_age_s, int(now.timestamp())).decode()
        except InvalidToken:
            return None

    def _fernet(self, purpose: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self.sub_key(purpose)))


def setup_code(keys: Keys) -> str:
    """What `serve` prints and the first-run page asks for, so that no stranger is there first: four groups of five."""
    letters = base64.b32encode(keys.sub_key("setup code")).decode()
    return "-".join(letters[start : start + 5] for start in range(0, 20, 5))


def is_setup_code(keys: Keys, typed: str) -> bool:
    letters = "".join(typed.split()).replace("-", "").upper()
    expected = setup_code(keys).replace("-", "")
    return hmac.compare_digest(letters.encode("utf-8", "surrogatepass"), expected.encode())


def read_keys(home: Path, environment: Mapping[str, str] = os.environ) -> Keys:
    """The key in FIELDVISIT_KEY, or else in the file `key` of the home folder, which is made at the first start.

    Any number of processes may start at once; all get the same key.

    Raises:
        SettingsError: the key is not 32 bytes in base64.
        OSError: the file can be neither read nor made.
    """
    if environment.get(KEY_VARIABLE):
        return _parsed(environment[KEY_VARIABLE], KEY_VARIABLE)
    file = home / KEY_FILE
    if not file.exists():
        _make(file)
    return _parsed(file.read_text(encoding="utf-8", errors="replace"), str(file))


def _parsed(text: str, where: str) -> Keys:
    try:
        root = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != 32:
        raise SettingsError(f"{where} is not a key: 32 bytes in base64")
    return Keys(root)


def _make(file: Path) -> None:
    """Write a new key to a name of its own and link it into place: the file is whole from its first moment on."""
    own = file.with_name(f".{KEY_FILE}.{new_id()}")
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(base64.b64encode(new_key()) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key it is
            os.link(own, file)
    finally:
        own.unlink()
