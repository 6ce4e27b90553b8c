"""Browsers that are logged in: a session is known by a secret that only its cookie holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from planner.access import Role
from planner.people.domain import Session, User
from planner.people.fresh import digest, new_secret
from planner.people.texts import printable
from planner.repository import UnitOfWork
from planner.settings import LoginSettings

TOUCHED_EVERY = timedelta(minutes=1)


def start_session(unit: UnitOfWork, user: User, now: datetime, address: str, agent: str) -> tuple[str, Session]:
    """A new session under a new id, and the secret for its cookie. The caller audits why it was started."""
    secret = new_secret()
    session = Session(
        id=digest(secret),
        user_id=user.id,
        epoch=user.epoch,
        csrf=new_secret(),
        created_at=now,
        seen_at=now,
        address=printable(address),
        agent=printable(agent),
    )
    unit.sessions.put(session)
    return secret, session


def find_session(unit: UnitOfWork, secret: str, now: datetime, login: LoginSettings) -> tuple[Session, User] | None:
    """Whose browser this is; None for a secret that is not or no longer one. Any text may be asked about."""
    session = unit.sessions.get(digest(secret))
    if session is None:
        return None
    user = unit.users.get(session.user_id)
    if user is None or not _lives(session, user, now, login):
        return None
    return session, user


def is_due(session: Session, now: datetime) -> bool:
    """Whether it is time to `touch`: once a minute, so that reading pages seldom writes."""
    return now - session.seen_at >= TOUCHED_EVERY


def touch(unit: UnitOfWork, session: Session, now: datetime) -> None:
    """Note that the browser was here. The session may have ended meanwhile, and then stays ended."""
    stored = unit.sessions.get(session.id)
    if stored is not None and is_due(stored, now):
        unit.sessions.put(replace(stored, seen_at=now))


def end_session(unit: UnitOfWork, session: Session) -> None:
    """Log out one browser."""
    unit.sessions.remove(session.id)
    unit.audit("session.ended", session.user_id)


def end_sessions_of(unit: UnitOfWork, user_id: str, *, keep: str = "") -> int:
    """Log a person out everywhere, but for the session with the id `keep`; how many that were. The caller audits."""
    ended = [session for session in unit.sessions.find(user_id=user_id) if session.id != keep]
    for session in ended:
        unit.sessions.remove(session.id)
    return len(ended)


def sessions_of(unit: UnitOfWork, user: User, now: datetime, login: LoginSettings) -> list[Session]:
    """Where a person is logged in now, the browser that was here last first."""
    living = [session for session in unit.sessions.find(user_id=user.id) if _lives(session, user, now, login)]
    return sorted(living, key=lambda session: session.seen_at, reverse=True)


def idle_time(login: LoginSettings, role: Role) -> timedelta:
    """After how long a browser that was not here is logged out."""
    return timedelta(minutes=login.field_idle_minutes if role is Role.FIELD_REP else login.idle_minutes)


def longest_idle_time(login: LoginSettings) -> timedelta:
    """After how long that is so for everybody."""
    return max(idle_time(login, role) for role in Role)


def _lives(session: Session, user: User, now: datetime, login: LoginSettings) -> bool:
    return (
        not user.disabled
        and session.epoch == user.epoch
        and now - session.seen_at < idle_time(login, user.role)
        and now - session.created_at < timedelta(hours=login.absolute_hours)
    )
