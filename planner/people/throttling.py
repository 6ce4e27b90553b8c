"""How often somebody may try to log in. A stranger's tries slow strangers, never the account's owner.

The method is OWASP's device cookies: a browser that has logged in before counts for itself, all others together count
for the account and for their network address. A try is counted before the password is looked at, and taken back when it
was right, so that a hundred tries at once are a hundred.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.people.domain import Throttle
from planner.people.keys import Keys
from planner.repository import UnitOfWork

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)

FORGOTTEN_AFTER = timedelta(hours=2)
"""Without a try. Longer than an hour, so that nobody gains by pausing."""

LOGGED_AN_HOUR = 100
"""Entries on failures in the audit log: an attacker must not be able to fill it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """After `free` failures comes a wait, which doubles with each further one up to the longest."""

    free: int

    def wait(self, failures: int) -> timedelta | None:
        """What follows so many failures."""
        if failures < self.free:
            return None
        return min(FIRST_WAIT * (1 << min(failures - self.free, 16)), LONGEST_WAIT)


OF_ACCOUNT = Limit(free=5)
"""12 tries in the first hour and 4 in each after it, from all unknown browsers together."""

OF_DEVICE = Limit(free=5)
"""A browser that this person has logged in with before."""

OF_ADDRESS = Limit(free=30)
"""An office shares one address, and on a Monday some mistype; 37 tries in the first hour."""


@dataclass(frozen=True, slots=True)
class Counter:
    """What a try is counted under. A `shared` one is other people's too: a success does not clear it."""

    key: str
    limit: Limit
    shared: bool = True


def counters(keys: Keys, account: str, address: str, device: str | None) -> tuple[Counter, ...]:
    """Where a try for an account is counted. `device` is the name of a browser known for it, None for a stranger's."""
    if device is not None:
        return (Counter(f"device:{device}", OF_DEVICE, shared=False),)
    # Keyed, so that the table tells nobody which addresses were tried; there may be a person behind them or not.
    return (
        Counter(f"account:{keys.keyed_digest('throttles', account)}", OF_ACCOUNT),
        Counter(f"address:{network_of(address)}", OF_ADDRESS),
    )


def network_of(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or a /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)


# ---- the rules, on one row


def wait_of(row: Throttle | None, now: datetime) -> timedelta:
    """How long the next try has to wait."""
    if row is None or row.blocked_until is None:
        return timedelta()
    # Longer than the longest wait: the clock has been set back since.
    wait = row.blocked_until - now
    return wait if timedelta() < wait <= LONGEST_WAIT else timedelta()


def counted(row: Throttle | None, counter: Counter, now: datetime) -> Throttle:
    """The row with one failure more; what lies long back is forgotten."""
    known = row.failures if row is not None and now - row.last_at < FORGOTTEN_AFTER else 0
    wait = counter.limit.wait(known + 1)
    return Throttle(counter.key, known + 1, last_at=now, blocked_until=now + wait if wait else None)


def taken_back(row: Throttle, tried: Throttle) -> Throttle:
    """The row without that one try, and without the wait that it began."""
    began = row.blocked_until is not None and row.blocked_until == tried.blocked_until
    return replace(row, failures=max(0, row.failures - 1), blocked_until=None if began else row.blocked_until)


# ---- in a unit of work


@dataclass(frozen=True, slots=True)
class Try:
    """One try to log in, as it was counted; or how long it would have had to wait."""

    counters: tuple[Counter, ...]
    rows: tuple[Throttle, ...] = ()
    wait: timedelta = timedelta()

    @property
    def is_worth_logging(self) -> bool:
        """Whether its failing is the first of some, or begins a wait."""
        return any(row.failures == 1 or row.blocked_until is not None for row in self.rows)

    @property
    def wait_after(self) -> timedelta:
        """How long the one after it has to wait."""
        return max((wait_of(row, row.last_at) for row in self.rows), default=timedelta())


def begin_try(unit: UnitOfWork, counters: Sequence[Counter], now: datetime) -> Try:
    """Count a try, unless it comes too early. Nobody audits this write."""
    before = [unit.throttles.get(counter.key) for counter in counters]
    wait = max(wait_of(row, now) for row in before)
    if wait:
        return Try(tuple(counters), wait=wait)
    rows = tuple(counted(row, counter, now) for row, counter in zip(before, counters, strict=True))
    for row in rows:
        unit.throttles.put(row)
    return Try(tuple(counters), rows)


def succeed(unit: UnitOfWork, attempt: Try, *, half: bool = False) -> None:
    """Take a try back; a browser that the person has logged in with before begins anew, unless that was but half of it:
    a password that is known must not buy any number of codes."""
    for counter, tried in zip(attempt.counters, attempt.rows, strict=True):
        row = unit.throttles.get(counter.key)
        left = taken_back(row, tried) if row is not None and (counter.shared or half) else None
        if left is not None and left.failures:
            unit.throttles.put(left)
        else:
            unit.throttles.remove(counter.key)


def may_log(unit: UnitOfWork, now: datetime) -> bool:
    """Whether one more failure may be written to the audit log; `last_at` of this row is when its hour began."""
    row = unit.throttles.get("audit")
    if row is None or now - row.last_at >= timedelta(hours=1):
        row = Throttle("audit", 0, last_at=now, blocked_until=None)
    unit.throttles.put(replace(row, failures=row.failures + 1))
    return row.failures < LOGGED_AN_HOUR


def tidy(unit: UnitOfWork, now: datetime) -> None:
    """Remove what is forgotten anyway."""
    unit.throttles.remove_before("last_at", now - FORGOTTEN_AFTER)
