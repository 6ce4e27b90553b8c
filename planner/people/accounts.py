"""The people who may log in: adding, changing, disabling them, and how they come to a password."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.access import PERMISSIONS, Actor, Permission, Role
from planner.domain import MAX_TEXT
from planner.errors import AccountError, InvalidRecordError, NotFoundError
from planner.people.domain import User
from planner.people.fresh import digest, new_id, new_secret
from planner.people.keys import Keys, is_setup_code
from planner.people.passwords import check_choice, hash_password
from planner.people.sessions import end_sessions_of
from planner.people.texts import canonical_email, checked_name
from planner.repository import Store, UnitOfWork
from planner.settings import LoginSettings

INVITED_FOR = timedelta(hours=72)
"""How long a link lets its holder choose a password."""

INVITATION_PATH = "/invitation/"
"""Where the pages take an invitation: this and its token."""

ROLE_WORDS = {
    Role.FIELD_REP: "field rep",
    Role.INSIDE_REP: "inside rep",
    Role.MANAGER: "manager",
    Role.ADMIN: "admin",
}


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who somebody is, as an admin says it; see `User` for the fields.

    Raises:
        InvalidRecordError: a field makes no sense, or not for the role.
    """

    email: str
    name: str
    role: Role
    area: str | None = None
    reps: frozenset[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", canonical_email(self.email))
        object.__setattr__(self, "name", checked_name(self.name))
        object.__setattr__(self, "area", checked_name(self.area, "area") if self.area else None)
        object.__setattr__(self, "reps", _checked_reps(self.reps) if self.reps else None)
        word = ROLE_WORDS[self.role]
        if self.role is Role.FIELD_REP and not self.area:
            raise InvalidRecordError("area", "a field rep works in one area: name it")
        if self.role is Role.FIELD_REP and (self.reps is None or len(self.reps) != 1):
            raise InvalidRecordError("rep", "a field rep is exactly one of the area's reps: name its rep_id")
        if self.role is Role.ADMIN and self.area:
            raise InvalidRecordError("area", "an admin sees every area: name none")
        if self.role in (Role.ADMIN, Role.INSIDE_REP) and self.reps:
            raise InvalidRecordError("rep", f"an {word} has no reps: name none")
        if self.reps and not self.area:
            raise InvalidRecordError("area", "a team's reps are those of one area: name it")


def _checked_reps(reps: Iterable[str]) -> frozenset[str]:
    return frozenset(checked_name(rep, "rep", MAX_TEXT) for rep in reps)


def permissions_of(user: User, login: LoginSettings) -> frozenset[Permission]:
    """What a person may do now: nothing when disabled, or while their role's second factor is missing."""
    return frozenset() if user.disabled or needs_second_factor(user, login) else PERMISSIONS[user.role]


def needs_second_factor(user: User, login: LoginSettings) -> bool:
    """Whether they have to set up a second factor before anything else.

    Who has no password comes by single sign-on, whose second factor is the identity provider's.
    """
    return user.role in login.second_factor and bool(user.password_hash) and not user.totp_secret


# ---- finding


def the_user(unit: UnitOfWork, user_id: str) -> User:
    """Raises NotFoundError."""
    user = unit.users.get(user_id)
    if user is None:
        raise NotFoundError("there is no such person")
    return user


def find_by_email(unit: UnitOfWork, email: str) -> User | None:
    """The person with this address, however it is written; None too for what is no address."""
    try:
        found = unit.users.find(email=canonical_email(email))
    except InvalidRecordError:
        return None
    return found[0] if found else None


def list_users(unit: UnitOfWork) -> list[User]:
    """Everybody, by e-mail address."""
    return sorted(unit.users.find(), key=lambda user: user.email)


def unknown_reps(unit: UnitOfWork, user: User) -> list[str]:
    """Their reps that the area has no record of: a typing mistake, or not imported yet."""
    known = {rep.id for rep in unit.records(user.area).reps()} if user.area else set()
    return sorted((user.reps or frozenset()) - known)


# ---- adding and changing


def add_user(unit: UnitOfWork, new: NewUser, now: datetime, id: str, password_hash: str = "") -> User:
    """Add a person; without a password, `invite` them or let them come by single sign-on.

    Raises:
        InvalidRecordError: somebody has this e-mail address already.
    """
    _check_email_is_free(unit, new.email, "")
    user = User(
        id=id,
        email=new.email,
        name=new.name,
        role=new.role,
        area=new.area,
        reps=new.reps,
        password_hash=password_hash,
        totp_secret="",
        totp_step=0,
        recovery_hashes=(),
        disabled=False,
        epoch=1,
        created_at=now,
    )
    unit.users.put(user)
    unit.audit("user.added", user.id, area=user.area or "", **_seen_by_auditors(user))
    return user


def change_user(unit: UnitOfWork, user_id: str, wanted: NewUser) -> User:
    """Make a person what is wanted; a change of role or scope ends their sessions.

    Raises:
        NotFoundError: there is no such person.
        InvalidRecordError: somebody else has the e-mail address.
        AccountError: nobody would be left to administer.
    """
    before = the_user(unit, user_id)
    _check_email_is_free(unit, wanted.email, user_id)
    user = replace(before, email=wanted.email, name=wanted.name, role=wanted.role, area=wanted.area, reps=wanted.reps)
    if user == before:
        return user
    _check_admin_is_left(unit, before, user)
    if (user.role, user.scope) != (before.role, before.scope):
        _remove_feeds(unit, user)
        _end_summaries(unit, user)
        user = _ended(unit, user)
    unit.users.put(user)
    was = {"area": before.area, **_seen_by_auditors(before)}
    unit.audit("user.changed", user.id, area=user.area or "", **_seen_by_auditors(user), was=was)
    return user


def disable_user(unit: UnitOfWork, user_id: str) -> User:
    """Keep a person out from now on: sessions, tokens and invitations end.

    Raises:
        NotFoundError: there is no such person.
        AccountError: nobody would be left to administer.
    """
    before = the_user(unit, user_id)
    if before.disabled:
        return before
    user = replace(before, disabled=True, invitation_hash="", invitation_until=None)
    _check_admin_is_left(unit, before, user)
    tokens = _remove_tokens(unit, user)
    _end_summaries(unit, user)
    user = _ended(unit, user)
    unit.users.put(user)
    unit.audit("user.disabled", user.id, area=user.area or "", tokens=tokens)
    return user


def enable_user(unit: UnitOfWork, user_id: str) -> User:
    """Let a person in again, with the password that they had. Raises NotFoundError."""
    before = the_user(unit, user_id)
    if not before.disabled:
        return before
    user = replace(before, disabled=False)
    unit.users.put(user)
    unit.audit("user.enabled", user.id, area=user.area or "")
    return user


# ---- passwords


def checked_hash(password: str, email: str, name: str) -> str:
    """The hash of a password that a person chose; takes 50 ms. Raises InvalidRecordError for a bad choice."""
    check_choice(password, email, name)
    return hash_password(password)


def set_password(unit: UnitOfWork, user_id: str, password_hash: str) -> User:
    """Give a person another password, which ends their sessions and any invitation. Raises NotFoundError."""
    user = replace(the_user(unit, user_id), password_hash=password_hash, invitation_hash="", invitation_until=None)
    user = _ended(unit, user)
    unit.users.put(user)
    unit.audit("password.set", user.id, area=user.area or "")
    return user


def reset_password(unit: UnitOfWork, user_id: str, now: datetime) -> str:
    """Take a person's password, if they have one, and give a token that lets its holder choose the next one.

    It works once, for 72 hours, and any given before works no longer. Their API tokens end too: whoever got hold of
    the account may have issued one.

    Raises:
        NotFoundError: there is no such person.
        AccountError: they are disabled.
    """
    user = the_user(unit, user_id)
    if user.disabled:
        raise AccountError(f"{user.email} is disabled: enable them first")
    token, tokens = new_secret(), _remove_tokens(unit, user)
    user = replace(user, password_hash="", invitation_hash=digest(token), invitation_until=now + INVITED_FOR)
    user = _ended(unit, user)
    unit.users.put(user)
    unit.audit("password.reset", user.id, area=user.area or "", tokens=tokens)
    return token


def find_invited(unit: UnitOfWork, token: str, now: datetime) -> User | None:
    """Who may choose a password by this token; None for one that is not or no longer good. Takes any text."""
    found = unit.users.find(invitation_hash=digest(token))
    invited = found[0] if found else None
    if invited is None or invited.disabled or invited.invitation_until is None or now >= invited.invitation_until:
        return None
    return invited


def accept_invitation(store: Store, token: str, password: str, now: datetime) -> User:
    """Choose a password by an invitation, which is used up.

    Raises:
        AccountError: the token is not or no longer good.
        InvalidRecordError: a bad choice of password; the invitation stays good.
    """
    with store.read() as unit:
        user = _invited(unit, token, now)
    password_hash = checked_hash(password, user.email, user.name)
    with store.write(Actor(f"user:{user.id}")) as unit:
        return set_password(unit, _invited(unit, token, now).id, password_hash)


def _invited(unit: UnitOfWork, token: str, now: datetime) -> User:
    user = find_invited(unit, token, now)
    if user is None:
        raise AccountError("this link has been used or has expired; ask for another one")
    return user


# ---- the first one


def needs_admin(unit: UnitOfWork) -> bool:
    """Whether there is nobody at all yet, so that the first-run page is shown."""
    return not unit.users.latest("created_at", 1)


def create_first_admin(
    store: Store, keys: Keys, code: str, email: str, name: str, password: str, now: datetime
) -> User:
    """The admin that a new installation begins with.

    Raises:
        AccountError: there is somebody already, or the setup code is wrong.
        InvalidRecordError: a field makes no sense, or a bad choice of password.
    """
    with store.read() as unit:
        _check_nobody_is_there(unit)
    if not is_setup_code(keys, code):
        raise AccountError("the setup code is not the one that fieldvisit serve printed when it started")
    new = NewUser(email, name, Role.ADMIN)
    password_hash = checked_hash(password, new.email, new.name)
    id = new_id()
    with store.write(Actor(f"user:{id}")) as unit:
        _check_nobody_is_there(unit)
        return add_user(unit, new, now, id, password_hash)


def _check_nobody_is_there(unit: UnitOfWork) -> None:
    if not needs_admin(unit):
        raise AccountError("this installation has its admin already; log in")


# ---- what every change keeps


def _check_email_is_free(unit: UnitOfWork, email: str, user_id: str) -> None:
    if any(other.id != user_id for other in unit.users.find(email=email)):
        raise InvalidRecordError("email", f"somebody has the address {email} already")


def _check_admin_is_left(unit: UnitOfWork, before: User, after: User) -> None:
    """An installation keeps somebody who may administer it."""

    def administers(user: User) -> bool:
        return user.role is Role.ADMIN and not user.disabled

    others = (user for user in unit.users.find(role=Role.ADMIN) if user.id != before.id)
    if administers(before) and not administers(after) and not any(map(administers, others)):
        raise AccountError(f"{before.email} is the only admin who is left: make somebody else an admin first")


def _ended(unit: UnitOfWork, user: User) -> User:
    """Their next epoch, in which no session has begun yet."""
    end_sessions_of(unit, user.id)
    return replace(user, epoch=user.epoch + 1)


def _remove_tokens(unit: UnitOfWork, user: User) -> int:
    """How many they were."""
    tokens = unit.tokens.find(user_id=user.id)
    for token in tokens:
        unit.tokens.remove(token.id)
    _remove_feeds(unit, user)
    return len(tokens)


def _remove_feeds(unit: UnitOfWork, user: User) -> None:
    """Their secret calendar addresses, which nobody has to log in for."""
    for feed in unit.calendar_feeds.find(user_id=user.id):
        unit.calendar_feeds.remove(feed.area, feed.rep_id)


def _end_summaries(unit: UnitOfWork, user: User) -> None:
    """No more weekly summaries of what they may not see any more."""
    may = not user.disabled and Permission.SEE_FIGURES in PERMISSIONS[user.role]
    for reader in unit.summary_readers.find(user_id=user.id):
        if not may or not user.scope.sees(reader.area):
            unit.summary_readers.remove(reader.area, user.id)


def _seen_by_auditors(user: User) -> dict[str, object]:
    return {"role": user.role.value, "reps": sorted(user.reps) if user.reps else None}
