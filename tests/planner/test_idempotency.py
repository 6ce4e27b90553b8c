"""What is sent twice is done once; what nobody asks for any more is tidied away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from test_storage import JOB

from planner.idempotency import KEPT, Answer, KeyReusedError, once
from planner.jobs.domain import Heartbeat, JobState
from planner.people.domain import Session, Throttle
from planner.settings import LoginSettings
from planner.storage import SqlStore
from planner.upkeep import AT_ONCE, tidy

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Work:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> tuple[int, str]:
        self.done += 1
        return 201, f"number {self.done}"


def send(store: SqlStore, work: Work, key: str = "k1", asked: str = "f", actor: str = "u1", now: datetime = NOW) -> str:
    with store.write() as unit:
        answer = once(unit, actor, key, asked, now, work)
    assert answer.status == 201
    return answer.body


def test_the_same_key_gets_the_same_answer_and_nothing_is_done_again(store: SqlStore) -> None:
    work = Work()
    assert [send(store, work), send(store, work)] == ["number 1", "number 1"]
    assert send(store, work, key="k2") == "number 2"
    assert send(store, work, actor="u2") == "number 3"


def test_a_key_that_comes_with_another_request_is_refused(store: SqlStore) -> None:
    work = Work()
    send(store, work)
    with pytest.raises(KeyReusedError):
        send(store, work, asked="another")
    assert work.done == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "schlüssel", "a\n", "a\0"])
def test_a_key_that_is_none_is_refused(store: SqlStore, key: str) -> None:
    with pytest.raises(KeyReusedError):
        send(store, Work(), key=key)


def test_work_that_failed_may_be_tried_again_with_the_same_key(store: SqlStore) -> None:
    def fail() -> tuple[int, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.write() as unit:
        once(unit, "u1", "k1", "f", NOW, fail)
    assert send(store, Work()) == "number 1"


def test_an_answer_is_kept_for_90_days(store: SqlStore) -> None:
    work = Work()
    send(store, work)
    assert send(store, work, now=NOW + timedelta(days=89)) == "number 1"
    assert send(store, work, now=NOW + timedelta(days=90)) == "number 2"


def test_upkeep_removes_what_is_past_its_time_and_nothing_else(store: SqlStore) -> None:
    login, second = LoginSettings(idle_minutes=60, field_idle_minutes=60, absolute_hours=10), timedelta(seconds=1)
    idle, long = timedelta(minutes=60), timedelta(hours=10)

    def session(id: str, created: timedelta, seen: timedelta) -> Session:
        return Session(id, "u1", 1, "", NOW - created, NOW - seen, "", "")

    with store.write(audited=False) as unit:
        for number in range(AT_ONCE + 1):
            unit.answers.put(Answer("u1", f"old{number}", "f", 200, "", NOW - KEPT - second))
        unit.answers.put(Answer("u1", "new", "f", 200, "", NOW - KEPT + second))
        unit.sessions.put(session("idle", idle + second, idle + second))
        unit.sessions.put(session("long", long + second, second))
        unit.sessions.put(session("alive", long - second, idle - second))
        unit.throttles.put(Throttle("old", 3, NOW - timedelta(days=1), None))
        unit.throttles.put(Throttle("new", 3, NOW, None))
        unit.jobs.put(replace(JOB, id="waiting", created_at=NOW - timedelta(days=99)))
        unit.jobs.put(replace(JOB, id="old", state=JobState.DONE, finished_at=NOW - timedelta(days=31)))
        unit.jobs.put(replace(JOB, id="new", state=JobState.DONE, finished_at=NOW - timedelta(days=29)))
        unit.jobs.put(replace(JOB, id="replaced", state=JobState.REPLACED, finished_at=NOW - timedelta(hours=25)))
        unit.jobs.put(replace(JOB, id="replaced now", state=JobState.REPLACED, finished_at=NOW - timedelta(hours=23)))
        unit.heartbeats.put(Heartbeat("gone", NOW - timedelta(days=2), 1))
        unit.heartbeats.put(Heartbeat("here", NOW, 1))
    counts = {"answers": AT_ONCE + 1, "sessions": 2, "throttles": 1, "jobs": 2, "heartbeats": 1, "mails": 0}
    assert tidy(store, NOW, login) == counts
    with store.read() as unit:
        assert [answer.key for answer in unit.answers.find()] == ["new"]
        assert [one.id for one in unit.sessions.find()] == ["alive"]
        assert [one.key for one in unit.throttles.find()] == ["new"]
        assert [one.id for one in unit.jobs.find()] == ["new", "replaced now", "waiting"]
        assert [one.owner for one in unit.heartbeats.find()] == ["here"]
    assert set(tidy(store, NOW, login).values()) == {0}
