"""Guessing is slow, whoever guesses and however; the account's owner never waits for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_cast import MONDAY_9

from planner.people.domain import Throttle
from planner.people.keys import Keys
from planner.people.throttling import (
    FIRST_WAIT,
    FORGOTTEN_AFTER,
    LOGGED_AN_HOUR,
    LONGEST_WAIT,
    OF_ACCOUNT,
    OF_ADDRESS,
    OF_DEVICE,
    Counter,
    Limit,
    Try,
    begin_try,
    counters,
    may_log,
    network_of,
    succeed,
    tidy,
    wait_of,
)
from planner.repository import UnitOfWork

KEYS = Keys(bytes(32))
HOUR = timedelta(hours=1)
ACCOUNT_TRIES_AN_HOUR = 12
ADDRESS_TRIES_AN_HOUR = 37
SECOND = timedelta(seconds=1)


class Rows:
    """The throttles of a unit of work, in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Throttle] = {}

    def get(self, key: str) -> Throttle | None:
        return self.rows.get(key)

    def put(self, row: Throttle) -> None:
        self.rows[row.key] = row

    def remove(self, key: str) -> None:
        self.rows.pop(key, None)

    def remove_before(self, field: str, moment: datetime) -> None:
        self.rows = {key: row for key, row in self.rows.items() if getattr(row, field) >= moment}


class Door:
    """Where people try to get in; it counts whom it asked for a password."""

    def __init__(self) -> None:
        self.throttles = Rows()

    @property
    def unit(self) -> UnitOfWork:
        return cast(UnitOfWork, cast(Any, self))

    def tries(
        self, now: datetime, *, right: bool = False, account: str = "ann", address: str = "a", device: str | None = None
    ) -> Try:
        begun = begin_try(self.unit, counters(KEYS, account, address, device), now)
        if right and not begun.wait:
            succeed(self.unit, begun)
        return begun


def tries_in_any_hour(tried: Iterable[datetime]) -> int:
    moments = sorted(tried)
    return max((sum(start <= other < start + HOUR for other in moments) for start in moments), default=0)


# ---- guessing is slow


def test_the_first_failures_cost_nothing_and_then_the_wait_doubles_up_to_the_longest() -> None:
    waits = [OF_ACCOUNT.wait(failures) for failures in range(13)]
    assert waits[:5] == [None] * 5
    assert [wait.total_seconds() for wait in waits[5:] if wait] == [30, 60, 120, 240, 480, 900, 900, 900]
    assert OF_ADDRESS.wait(29) is None
    assert OF_ADDRESS.wait(10**9) == LONGEST_WAIT


@pytest.mark.parametrize(
    ("limit", "most"), [(OF_ACCOUNT, ACCOUNT_TRIES_AN_HOUR), (OF_DEVICE, 12), (OF_ADDRESS, ADDRESS_TRIES_AN_HOUR)]
)
def test_who_tries_as_soon_as_they_may_gets_so_many_tries_an_hour(limit: Limit, most: int) -> None:
    door, counter, now, tried = Door(), Counter("x", limit), MONDAY_9, []
    while now < MONDAY_9 + 24 * HOUR:
        begun = begin_try(door.unit, [counter], now)
        tried += [] if begun.wait else [now]
        now += begun.wait
    assert tries_in_any_hour(tried) == most
    last_hour = [moment for moment in tried if moment >= MONDAY_9 + 23 * HOUR]
    assert len(last_hour) == 4


pauses = st.one_of(
    st.just(timedelta()),
    st.timedeltas(timedelta(), 2 * LONGEST_WAIT),
    st.sampled_from([FIRST_WAIT, LONGEST_WAIT, FORGOTTEN_AFTER - SECOND, FORGOTTEN_AFTER, 5 * HOUR]),
)
addresses = st.sampled_from(["203.0.113.1", "203.0.113.2", "2001:db8::1", "rubbish"])


@given(st.lists(st.tuples(pauses, addresses), max_size=60))
def test_however_an_attacker_pauses_and_moves_an_account_is_tried_so_often_an_hour(
    tries: list[tuple[timedelta, str]],
) -> None:
    door, now, tried = Door(), MONDAY_9, []
    for pause, address in tries:
        now += pause
        if not door.tries(now, address=address).wait:
            tried.append(now)
    assert tries_in_any_hour(tried) <= ACCOUNT_TRIES_AN_HOUR


@given(st.lists(st.tuples(st.timedeltas(timedelta(), LONGEST_WAIT), st.booleans()), max_size=60))
def test_the_owners_own_log_ins_give_an_attacker_no_further_tries(steps: list[tuple[timedelta, bool]]) -> None:
    """Whether the owner comes by a browser that is known or not."""
    for device in (None, "owner's"):
        door, now, tried = Door(), MONDAY_9, []
        for pause, is_owner in steps:
            now += pause
            if is_owner:
                door.tries(now, right=True, device=device)
            elif not door.tries(now).wait:
                tried.append(now)
        assert tries_in_any_hour(tried) <= ACCOUNT_TRIES_AN_HOUR


def test_one_network_cannot_try_a_few_passwords_on_everybody() -> None:
    door = Door()
    begun = [door.tries(MONDAY_9, account=f"person {n}", address="203.0.113.1") for n in range(100)]
    assert sum(not attempt.wait for attempt in begun) == OF_ADDRESS.free


def test_an_attacker_with_an_account_of_their_own_does_not_clear_their_network_by_it() -> None:
    door, tried = Door(), 0
    for n in range(100):
        tried += not door.tries(MONDAY_9, account=f"person {n}").wait
        door.tries(MONDAY_9, account="eve", right=True)
    assert tried == OF_ADDRESS.free


def test_a_hundred_tries_at_once_are_a_hundred() -> None:
    """Each is counted before its password is looked at, and none has an answer yet."""
    door = Door()
    begun = [begin_try(door.unit, counters(KEYS, "ann", f"{n}", None), MONDAY_9) for n in range(100)]
    assert sum(not attempt.wait for attempt in begun) == OF_ACCOUNT.free


# ---- the owner gets in


@given(st.lists(st.tuples(st.timedeltas(timedelta(), LONGEST_WAIT), addresses), max_size=40))
def test_a_known_browser_with_the_right_password_always_gets_in(tries: list[tuple[timedelta, str]]) -> None:
    door, now = Door(), MONDAY_9
    for pause, address in tries:
        now += pause
        door.tries(now, address=address)
        assert not door.tries(now, right=True, address=address, device="owner's").wait


def test_who_mistypes_now_and_then_never_waits_on_their_own_browser() -> None:
    door = Door()
    for day in range(30):
        for _ in range(OF_DEVICE.free - 1):
            assert not door.tries(MONDAY_9 + day * HOUR, device="owner's").wait
        assert not door.tries(MONDAY_9 + day * HOUR, right=True, device="owner's").wait


def test_an_office_that_logs_in_by_one_address_on_monday_is_not_slowed() -> None:
    door = Door()
    assert not any(door.tries(MONDAY_9, right=True, account=f"person {n}").wait for n in range(500))
    assert door.throttles.rows == {}


def test_a_right_password_takes_only_its_own_wait_back() -> None:
    door = Door()
    for _ in range(OF_ACCOUNT.free - 2):
        door.tries(MONDAY_9)
    owners = begin_try(door.unit, counters(KEYS, "ann", "b", None), MONDAY_9)
    attackers = door.tries(MONDAY_9)
    assert not owners.wait
    assert attackers.wait_after == FIRST_WAIT
    succeed(door.unit, owners)
    assert door.tries(MONDAY_9).wait == FIRST_WAIT  # that the attacker's failure began


def test_a_try_that_comes_too_early_makes_nothing_worse() -> None:
    door = Door()
    for _ in range(OF_ACCOUNT.free):
        door.tries(MONDAY_9)
    before = dict(door.throttles.rows)
    assert door.tries(MONDAY_9 + 10 * SECOND).wait == FIRST_WAIT - 10 * SECOND
    assert door.throttles.rows == before
    assert not door.tries(MONDAY_9 + FIRST_WAIT).wait


def test_after_two_quiet_hours_all_is_forgotten() -> None:
    door = Door()
    for _ in range(OF_ACCOUNT.free):
        door.tries(MONDAY_9)
    for _ in range(OF_ACCOUNT.free - 1):
        assert not door.tries(MONDAY_9 + FORGOTTEN_AFTER).wait_after
    tidy(door.unit, MONDAY_9 + 2 * FORGOTTEN_AFTER + SECOND)
    assert door.throttles.rows == {}


def test_a_clock_that_was_wrong_for_a_while_locks_nobody_out() -> None:
    next_year = MONDAY_9 + timedelta(days=365)
    row = Throttle("x", 9, last_at=next_year, blocked_until=next_year + LONGEST_WAIT)
    assert wait_of(row, next_year) == LONGEST_WAIT
    assert wait_of(row, MONDAY_9) == timedelta()
    assert wait_of(replace(row, blocked_until=None), MONDAY_9) == timedelta()
    assert wait_of(None, MONDAY_9) == timedelta()


# ---- what is counted, and what is told


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("\0", "unknown"),
        ("\ud800", "unknown"),
        ("192.0.2.7, 10.0.0.1", "unknown"),
    ],
)
def test_a_network_is_what_one_customer_of_a_provider_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_table_does_not_say_which_accounts_were_tried() -> None:
    door = Door()
    door.tries(MONDAY_9, account="ann@example.com")
    assert not any("ann" in key for key in door.throttles.rows)


def test_the_first_failure_and_each_wait_are_worth_an_entry_in_the_audit_log() -> None:
    door = Door()
    door.tries(MONDAY_9, account="somebody else")  # the network's first
    worth = [door.tries(MONDAY_9).is_worth_logging for _ in range(OF_ACCOUNT.free)]
    assert worth == [True, False, False, False, True]


def test_an_attacker_cannot_fill_the_audit_log() -> None:
    door = Door()
    logged = [may_log(door.unit, MONDAY_9 + n * SECOND) for n in range(3600)]
    assert sum(logged) == LOGGED_AN_HOUR
    assert may_log(door.unit, MONDAY_9 + HOUR)
