"""Logging in, as a use case of several short transactions: passwords are hashed between them, never inside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from planner.access import Actor
from planner.people.accounts import checked_hash, find_by_email, set_password, the_user
from planner.people.domain import Session, User
from planner.people.fresh import new_id
from planner.people.keys import Keys
from planner.people.passwords import check_password, hash_password, needs_rehash
from planner.people.second_factor import use_code
from planner.people.sessions import longest_idle_time, start_session
from planner.people.throttling import OF_DEVICE, Counter, Try, begin_try, counters, may_log, network_of, succeed, tidy
from planner.repository import Store, UnitOfWork
from planner.settings import LoginSettings

TICKET_S = 5 * 60
"""How long the page asks for the code before the password is wanted again."""

DEVICE_DAYS = 180
"""How long a browser is known after its last log-in."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that wants to be let in. `device` is what the device cookie holds, if it sent one."""

    address: str
    agent: str
    device: str = field(default="", repr=False)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Let in: `secret` is for the session's cookie, `device` for the one by which the browser is known next time."""

    user: User
    session: Session
    secret: str = field(repr=False)
    device: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedsSecondFactor:
    """The password was right; `ticket` is for the form that asks for the code, see `log_in_with_code`."""

    ticket: str = field(repr=False)


class Reason(StrEnum):
    """Why somebody is not let in, in words for them; the same whether there is such a person or not."""

    WRONG = "That e-mail address and password do not go together."
    WRONG_PASSWORD = "That is not your present password."
    WRONG_CODE = "That code is not right, or it has been used."
    EXPIRED = "That took too long. Please begin again."
    WAIT = "There were too many tries. Please wait a moment."
    NO_ACCOUNT = "You are signed on, but there is no account for you here. Ask your admin for one."


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in; another try makes sense after `wait_s` seconds."""

    reason: Reason
    wait_s: int = 0


def log_in(
    store: Store,
    keys: Keys,
    login: LoginSettings,
    email: str,
    password: str,
    visitor: Visitor,
    now: datetime,
    code: str = "",
) -> LoggedIn | NeedsSecondFactor | Refused:
    """Log in by password, and by a code at once where one is sent along. Takes any texts."""
    with store.read() as unit:
        user = find_by_email(unit, email)
    attempt = _begin(store, keys, user.email if user else email.strip().lower(), user, visitor, now)
    if attempt.wait:
        return _too_early(attempt)
    known = user is not None and not user.disabled
    if not check_password(user.password_hash if user and known else "", password) or user is None:
        return _failed(store, attempt, user, visitor, now, Reason.WRONG)
    if user.totp_secret and not code:
        with store.write(_actor(user, visitor), audited=False) as unit:
            succeed(unit, attempt, half=True)
        return NeedsSecondFactor(keys.seal("ticket", f"{user.id} {user.epoch}", now))
    renewed = hash_password(password) if needs_rehash(user.password_hash) else ""
    return _let_in(store, keys, login, user, code, attempt, visitor, now, renewed)


def log_in_with_code(
    store: Store, keys: Keys, login: LoginSettings, ticket: str, code: str, visitor: Visitor, now: datetime
) -> LoggedIn | Refused:
    """The second step, with what `NeedsSecondFactor` gave. Takes any texts."""
    user_id, _, epoch = (keys.unseal("ticket", ticket, now, TICKET_S) or "").partition(" ")
    with store.read() as unit:
        user = unit.users.get(user_id)
    if user is None or user.disabled or str(user.epoch) != epoch:
        return Refused(Reason.EXPIRED)
    attempt = _begin(store, keys, user.email, user, visitor, now)
    if attempt.wait:
        return _too_early(attempt)
    return _let_in(store, keys, login, user, code, attempt, visitor, now)


def log_in_by_oidc(
    store: Store,
    keys: Keys,
    login: LoginSettings,
    issuer: str,
    subject: str,
    email: str,
    email_verified: bool,
    visitor: Visitor,
    now: datetime,
) -> LoggedIn | Refused:
    """Log in whom an identity provider vouches for: the person who came as this subject before or, at first, who has
    this verified e-mail address. A person is one subject from then on."""
    sign_on = f"{issuer} {subject}"
    with store.read() as unit:
        user = _signed_on(unit, sign_on, email if email_verified else "")
    if user is not None:
        with store.write(_actor(user, visitor)) as unit:
            user = _signed_on(unit, sign_on, email if email_verified else "")
            if user is not None:
                if user.sign_on is None:
                    user = replace(user, sign_on=sign_on)
                    unit.users.put(user)
                    unit.audit("sign_on.linked", user.id, issuer=issuer)
                return _start(unit, keys, login, user, visitor, now, "single sign-on")
    with store.write(Actor("visitor", request_id=visitor.request_id), audited=False) as unit:
        if may_log(unit, now):
            unit.audit("login.failed", "", by="single sign-on", network=network_of(visitor.address))
    return Refused(Reason.NO_ACCOUNT)


def confirm_password(store: Store, user: User, password: str, visitor: Visitor, now: datetime) -> Refused | None:
    """Make sure that it is still the person themselves, before they change how they log in; None if it is."""
    counter = Counter(f"confirm:{user.id}", OF_DEVICE, shared=False)
    with store.write(_actor(user, visitor), audited=False) as unit:
        attempt = begin_try(unit, [counter], now)
    if attempt.wait:
        return _too_early(attempt)
    if not check_password(user.password_hash, password):
        return _failed(store, attempt, user, visitor, now, Reason.WRONG_PASSWORD)
    with store.write(_actor(user, visitor), audited=False) as unit:
        succeed(unit, attempt)
    return None


def change_own_password(
    store: Store,
    keys: Keys,
    login: LoginSettings,
    user: User,
    present: str,
    chosen: str,
    visitor: Visitor,
    now: datetime,
) -> LoggedIn | Refused:
    """Change one's own password: every browser is logged out, and this one in again.

    Raises:
        InvalidRecordError: a bad choice.
    """
    refused = confirm_password(store, user, present, visitor, now)
    if refused is not None:
        return refused
    password_hash = checked_hash(chosen, user.email, user.name)
    with store.write(_actor(user, visitor)) as unit:
        stored = the_user(unit, user.id)
        if stored.disabled or stored.epoch != user.epoch:
            return Refused(Reason.EXPIRED)
        return _start(unit, keys, login, set_password(unit, user.id, password_hash), visitor, now, "new password")


# ---- the steps


def _begin(store: Store, keys: Keys, account: str, user: User | None, visitor: Visitor, now: datetime) -> Try:
    """Count the try, before anything is checked."""
    device = _known_device(keys, user, visitor, now)
    with store.write(Actor("visitor"), audited=False) as unit:
        return begin_try(unit, counters(keys, account, visitor.address, device), now)


def _let_in(
    store: Store,
    keys: Keys,
    login: LoginSettings,
    user: User,
    code: str,
    attempt: Try,
    visitor: Visitor,
    now: datetime,
    password_hash: str = "",
) -> LoggedIn | Refused:
    """Check the code and start the session, on what is stored now: the person may have been disabled meanwhile."""
    with store.write(_actor(user, visitor)) as unit:
        stored = the_user(unit, user.id)
        if stored.disabled or stored.epoch != user.epoch:
            return Refused(Reason.EXPIRED)
        allowed = use_code(unit, keys, stored, code, now) if stored.totp_secret else stored
        if allowed is not None:
            if password_hash:
                allowed = replace(allowed, password_hash=password_hash)
                unit.users.put(allowed)
            succeed(unit, attempt)
            return _start(unit, keys, login, allowed, visitor, now, "code" if allowed.totp_secret else "password")
    return _failed(store, attempt, user, visitor, now, Reason.WRONG_CODE)


def _start(
    unit: UnitOfWork, keys: Keys, login: LoginSettings, user: User, visitor: Visitor, now: datetime, by: str
) -> LoggedIn:
    secret, session = start_session(unit, user, now, visitor.address, visitor.agent)
    unit.audit("login.succeeded", user.id, by=by, network=network_of(visitor.address))
    tidy(unit, now)
    unit.sessions.remove_before("seen_at", now - longest_idle_time(login))
    unit.sessions.remove_before("created_at", now - timedelta(hours=login.absolute_hours))
    device = _known_device(keys, user, visitor, now) or new_id()
    return LoggedIn(user, session, secret, keys.seal("device", f"{user.id} {device}", now))


def _failed(store: Store, attempt: Try, user: User | None, visitor: Visitor, now: datetime, reason: Reason) -> Refused:
    if attempt.is_worth_logging:
        with store.write(Actor("visitor", request_id=visitor.request_id), audited=False) as unit:
            if may_log(unit, now):
                wait_s = ceil(attempt.wait_after.total_seconds())
                network = network_of(visitor.address)
                unit.audit("login.failed", user.id if user else "", wait_s=wait_s, network=network)
    return Refused(reason, ceil(attempt.wait_after.total_seconds()))


def _too_early(attempt: Try) -> Refused:
    return Refused(Reason.WAIT, ceil(attempt.wait.total_seconds()))


def _known_device(keys: Keys, user: User | None, visitor: Visitor, now: datetime) -> str | None:
    """The name of a browser that this person has logged in with before."""
    owner, _, device = (keys.unseal("device", visitor.device, now, DEVICE_DAYS * 86_400) or "").partition(" ")
    return device if user is not None and owner == user.id else None


def _signed_on(unit: UnitOfWork, sign_on: str, email: str) -> User | None:
    """The person whom an identity provider means, if they may come in; `email` is empty where it is not verified."""
    linked = unit.users.find(sign_on=sign_on)
    user = linked[0] if linked else find_by_email(unit, email)
    if user is None or user.disabled or user.sign_on not in (None, sign_on):
        return None
    return user


def _actor(user: User, visitor: Visitor) -> Actor:
    return Actor(f"user:{user.id}", request_id=visitor.request_id)
