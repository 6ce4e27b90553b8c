"""A second factor: six digits from a phone (TOTP, RFC 6238), and recovery codes for when the phone is lost.

The only room with pyotp and segno.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyotp
import segno

from planner.errors import AccountError, InvalidRecordError, SettingsError
from planner.people.accounts import the_user
from planner.people.domain import User
from planner.people.fresh import new_code
from planner.people.keys import Keys
from planner.repository import UnitOfWork

ISSUER = "fieldvisit"
STEP_S = 30
DRIFT_STEPS = 1
"""A phone's clock may be this many steps off."""

RECOVERY_CODES = 10
ENROLLING_S = 15 * 60


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the page shows once, and what its form brings back.

    Attributes:
        secret: to be typed where no picture can be taken, in base32.
        uri: the same for a phone's app.
        qr_svg: the URI as a picture, an inline <svg> element.
        sealed: the secret encrypted, for a hidden field; it is good for 15 minutes and this person.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)
    sealed: str = field(repr=False)


def begin_enrolment(keys: Keys, user: User, now: datetime) -> Enrolment:
    """A new secret; nothing is stored until `confirm_enrolment`."""
    return _enrolment(user, pyotp.random_base32(), keys, now)


def resume_enrolment(keys: Keys, user: User, sealed: str, now: datetime) -> Enrolment:
    """The same again, after a mistyped code. Raises AccountError if it has expired."""
    return _enrolment(user, _unsealed(keys, user, sealed, now), keys, now)


def confirm_enrolment(
    unit: UnitOfWork, keys: Keys, user_id: str, sealed: str, code: str, now: datetime
) -> tuple[str, ...]:
    """Turn the second factor on, with a code that proves the phone has it; the recovery codes, shown this once.

    Raises:
        NotFoundError: there is no such person.
        AccountError: the enrolment has expired, or the person has a second factor already.
        InvalidRecordError: the code is wrong.
    """
    user = the_user(unit, user_id)
    if user.totp_secret:
        raise AccountError("there is a second factor already; remove it first")
    secret = _unsealed(keys, user, sealed, now)
    step = _step_of(secret, code, now)
    if step is None:
        raise InvalidRecordError("code", "is not the one that the phone shows now; is the phone's clock right?")
    codes, hashes = _recovery_codes(keys, user)
    stored = keys.seal(_stored(user), secret, now)
    unit.users.put(replace(user, totp_secret=stored, totp_step=step, recovery_hashes=hashes))
    unit.audit("second_factor.added", user.id)
    return codes


def use_code(unit: UnitOfWork, keys: Keys, user: User, code: str, now: datetime) -> User | None:
    """The person as stored after a right code, which works once; None for a wrong one. Takes any text.

    A recovery code is as good, and audited; the caller audits the rest.
    """
    secret = keys.unseal(_stored(user), user.totp_secret, now)
    if secret is None:
        raise SettingsError("the installation's key is not the one that the second factors were stored with")
    step = _step_of(secret, code, now)
    if step is not None:
        if step <= user.totp_step:
            return None
        used = replace(user, totp_step=step)
    else:
        hashed = _recovery_hash(keys, user, code)
        left = tuple(known for known in user.recovery_hashes if not hmac.compare_digest(known, hashed))
        if len(left) == len(user.recovery_hashes):
            return None
        used = replace(user, recovery_hashes=left)
        unit.audit("recovery_code.used", user.id, left=len(left))
    unit.users.put(used)
    return used


def renew_recovery_codes(unit: UnitOfWork, keys: Keys, user_id: str) -> tuple[str, ...]:
    """Other recovery codes in place of those that are left; shown this once.

    Raises:
        NotFoundError: there is no such person.
        AccountError: they have no second factor.
    """
    user = the_user(unit, user_id)
    if not user.totp_secret:
        raise AccountError("there is no second factor to recover")
    codes, hashes = _recovery_codes(keys, user)
    unit.users.put(replace(user, recovery_hashes=hashes))
    unit.audit("recovery_codes.renewed", user.id)
    return codes


def remove_second_factor(unit: UnitOfWork, user_id: str) -> User:
    """Turn it off. Raises NotFoundError."""
    user = the_user(unit, user_id)
    if not user.totp_secret:
        return user
    user = replace(user, totp_secret="", recovery_hashes=())
    unit.users.put(user)
    unit.audit("second_factor.removed", user.id)
    return user


def _enrolment(user: User, secret: str, keys: Keys, now: datetime) -> Enrolment:
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    picture = segno.make_qr(uri).svg_inline(scale=5, border=4, light="#fff")
    return Enrolment(secret, uri, picture, keys.seal(_enrolling(user), secret, now))


def _unsealed(keys: Keys, user: User, sealed: str, now: datetime) -> str:
    secret = keys.unseal(_enrolling(user), sealed, now, ENROLLING_S)
    if secret is None:
        raise AccountError("setting up took too long; begin again")
    return secret


def _enrolling(user: User) -> str:
    return f"second factor to be confirmed by {user.id}"


def _stored(user: User) -> str:
    """A purpose a person: the secret of one is no use in another's row."""
    return f"second factor of {user.id}"


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, of those about now."""
    typed, totp = "".join(code.split()).encode("utf-8", "surrogatepass"), pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed):
            return step
    return None


def _recovery_codes(keys: Keys, user: User) -> tuple[tuple[str, ...], tuple[str, ...]]:
    codes = tuple(new_code() for _ in range(RECOVERY_CODES))
    return codes, tuple(_recovery_hash(keys, user, code) for code in codes)


def _recovery_hash(keys: Keys, user: User, code: str) -> str:
    return keys.keyed_digest(f"recovery codes of {user.id}", "".join(code.split()).replace("-", "").upper())
