"""A rep's secret calendar address: made, ended, and looked up by whoever holds it.

There is no session behind it, so it opens as long as it could be made: while its person is a field rep, and that rep.
Its secret is 256 bits, which nobody guesses; tries are not counted.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime, timedelta

from planner.access import Permission, Role
from planner.domain import RecordKind, Rep
from planner.errors import AccountError
from planner.fieldwork.domain import CalendarFeed
from planner.people.accounts import permissions_of
from planner.people.domain import User
from planner.people.fresh import digest, new_id, new_secret
from planner.repository import UnitOfWork
from planner.settings import LoginSettings

DAYS_BACK = 14
"""Days that are over stay in the calendar for so long."""

TOUCHED_EVERY = timedelta(hours=1)


def own_rep(user: User) -> tuple[str, str] | None:
    """Area and id of the rep that a person is; None for who is none."""
    if user.role is not Role.FIELD_REP or user.area is None or not user.reps or len(user.reps) != 1:
        return None
    return user.area, next(iter(user.reps))


def feed_of(unit: UnitOfWork, user: User) -> CalendarFeed | None:
    """The person's own calendar address, if there is one."""
    own = own_rep(user)
    feed = unit.calendar_feeds.get(*own) if own else None
    return feed if feed is not None and feed.user_id == user.id else None


def issue_feed(unit: UnitOfWork, user: User, now: datetime) -> tuple[str, CalendarFeed]:
    """A new address, and its secret, which is told this once and not stored; the one before ends.

    Raises:
        AccountError: the person is no field rep.
    """
    own = own_rep(user)
    if own is None:
        raise AccountError("only a field rep has days to put into a calendar")
    secret = new_secret()
    feed = CalendarFeed(*own, new_id(), digest(secret), user.id, now)
    unit.calendar_feeds.put(feed)
    unit.audit("feed.issued", feed.id, area=feed.area, user=user.id, rep=feed.rep_id)
    return secret, feed


def revoke_feed(unit: UnitOfWork, user: User) -> None:
    """End the person's address, if there is one."""
    feed = feed_of(unit, user)
    if feed is not None:
        unit.calendar_feeds.remove(feed.area, feed.rep_id)
        unit.audit("feed.revoked", feed.id, area=feed.area, user=user.id, rep=feed.rep_id)


def find_feed(
    unit: UnitOfWork, feed_id: str, secret: str, login: LoginSettings
) -> tuple[CalendarFeed, User, Rep] | None:
    """The feed, its person and their rep; None for what is not or no longer good. Takes any texts."""
    found = unit.calendar_feeds.find(id=feed_id)
    if not found or not hmac.compare_digest(found[0].secret_hash, digest(secret)):
        return None
    feed = found[0]
    user = unit.users.get(feed.user_id)
    if user is None or own_rep(user) != (feed.area, feed.rep_id):
        return None
    if Permission.SEE_DAYS not in permissions_of(user, login):
        return None
    rep = unit.records(feed.area).get(RecordKind.REP, feed.rep_id)
    return (feed, user, rep) if isinstance(rep, Rep) else None


def is_due(feed: CalendarFeed, now: datetime) -> bool:
    """Whether it is time to `touch`."""
    return feed.read_at is None or now - feed.read_at >= TOUCHED_EVERY


def touch(unit: UnitOfWork, feed: CalendarFeed, now: datetime) -> None:
    """Note that a calendar has read it. It may have ended meanwhile, and then stays so."""
    stored = unit.calendar_feeds.get(feed.area, feed.rep_id)
    if stored is not None and stored.id == feed.id:
        unit.calendar_feeds.put(replace(stored, read_at=now))
