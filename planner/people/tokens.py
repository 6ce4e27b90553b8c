"""API tokens: what programs log in with, as `fv_<id>_<secret>`."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from planner.access import Permission
from planner.errors import AccountError, InvalidRecordError, NotFoundError
from planner.people.accounts import permissions_of
from planner.people.domain import ApiToken, User
from planner.people.fresh import digest, new_id, new_secret
from planner.people.texts import checked_name
from planner.repository import UnitOfWork
from planner.settings import LoginSettings

MOST_TOKENS = 50
"""Of one person."""

TOUCHED_EVERY = timedelta(minutes=1)

_FORM = re.compile(r"fv_([0-9a-f]{20})_([A-Za-z0-9_-]{43})")


def issue_token(
    unit: UnitOfWork,
    owner: User,
    name: str,
    permissions: Iterable[Permission],
    expires_at: datetime | None,
    now: datetime,
    login: LoginSettings,
) -> tuple[str, ApiToken]:
    """A new token, and its text, which is shown this once and not stored.

    Raises:
        InvalidRecordError: the name or the time makes no sense, or its owner may not do all of this themselves.
        AccountError: the person has very many tokens.
    """
    granted = frozenset(permissions)
    lacking = sorted(granted - permissions_of(owner, login))
    if not granted:
        raise InvalidRecordError("permissions", "a token without permissions is good for nothing: choose some")
    if lacking:
        raise InvalidRecordError("permissions", f"{', '.join(lacking)}: a token may do only what its owner may do")
    if expires_at is not None and expires_at <= now:
        raise InvalidRecordError("expires_at", "is in the past")
    if len(unit.tokens.find(user_id=owner.id)) >= MOST_TOKENS:
        raise AccountError(f"nobody has more than {MOST_TOKENS} tokens: revoke one first")
    secret = new_secret()
    token = ApiToken(
        id=new_id(),
        user_id=owner.id,
        name=checked_name(name),
        token_hash=digest(secret),
        permissions=granted,
        created_at=now,
        expires_at=expires_at,
        used_at=None,
    )
    unit.tokens.put(token)
    unit.audit("token.issued", token.id, user=owner.id, permissions=sorted(granted))
    return f"fv_{token.id}_{secret}", token


def find_token(
    unit: UnitOfWork, text: str, now: datetime, login: LoginSettings
) -> tuple[ApiToken, User, frozenset[Permission]] | None:
    """The token, its owner, and what it may do now; None for one that is not or no longer good. Takes any text."""
    form = _FORM.fullmatch(text)
    token = unit.tokens.get(form[1]) if form else None
    if form is None or token is None or not hmac.compare_digest(token.token_hash, digest(form[2])):
        return None
    owner = unit.users.get(token.user_id)
    if owner is None or owner.disabled or (token.expires_at is not None and now >= token.expires_at):
        return None
    return token, owner, token.permissions & permissions_of(owner, login)


def is_due(token: ApiToken, now: datetime) -> bool:
    """Whether it is time to `touch`."""
    return token.used_at is None or now - token.used_at >= TOUCHED_EVERY


def touch(unit: UnitOfWork, token: ApiToken, now: datetime) -> None:
    """Note that the token was used. It may have been revoked meanwhile, and then stays so."""
    stored = unit.tokens.get(token.id)
    if stored is not None and is_due(stored, now):
        unit.tokens.put(replace(stored, used_at=now))


def tokens_of(unit: UnitOfWork, user_id: str) -> list[ApiToken]:
    """The newest first, expired ones too."""
    return sorted(unit.tokens.find(user_id=user_id), key=lambda token: token.created_at, reverse=True)


def revoke_token(unit: UnitOfWork, user_id: str, token_id: str) -> None:
    """End a token of this person. Raises NotFoundError, also where it is somebody else's."""
    token = unit.tokens.get(token_id)
    if token is None or token.user_id != user_id:
        raise NotFoundError("there is no such token")
    unit.tokens.remove(token.id)
    unit.audit("token.revoked", token.id, user=user_id)
