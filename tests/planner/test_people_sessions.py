"""A session ends when it should, and nothing but its own secret finds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_cast import MONDAY_9, PEOPLE, Office

from planner.access import Role
from planner.people.accounts import change_user, disable_user, set_password
from planner.people.domain import Session, User
from planner.people.sessions import (
    end_session,
    end_sessions_of,
    find_session,
    is_due,
    sessions_of,
    start_session,
    touch,
)
from planner.repository import UnitOfWork


def found(office: Office, secret: str) -> tuple[Session, User] | None:
    with office.store.read() as unit:
        return find_session(unit, secret, office.now, office.login)


def test_the_secret_finds_the_session_and_is_not_stored(office: Office) -> None:
    user = office.add("ada")
    done = office.logs_in("ada")
    assert found(office, done.secret) == (done.session, user)
    with office.store.read() as unit:
        assert done.secret not in str([(s.id, s.csrf) for s in unit.sessions.find()])
    assert found(office, done.session.id) is None


def test_every_log_in_begins_a_session_of_its_own(office: Office) -> None:
    office.add("ada")
    first, second = office.logs_in("ada"), office.logs_in("ada")
    assert first.session.id != second.session.id
    assert first.session.csrf != second.session.csrf
    assert found(office, first.secret)
    assert found(office, second.secret)


def test_a_browser_that_is_away_for_long_is_logged_out(office: Office) -> None:
    office.add("ada")
    secret = office.logs_in("ada").secret
    office.later(minutes=office.login.idle_minutes - 1)
    assert found(office, secret)
    office.later(minutes=1)
    assert found(office, secret) is None


def test_a_field_rep_s_phone_stays_logged_in_over_a_weekend(office: Office) -> None:
    office.add("anna")
    secret = office.logs_in("anna").secret
    office.later(minutes=office.login.field_idle_minutes - 1)
    assert found(office, secret)
    office.later(minutes=1)
    assert found(office, secret) is None


def test_even_a_busy_browser_logs_in_again_after_a_while(office: Office) -> None:
    office.add("ada")
    done = office.logs_in("ada")
    for _ in range(office.login.absolute_hours // 10):
        office.later(hours=10)
        with office.store.write(audited=False) as unit:
            touch(unit, done.session, office.now)
        assert found(office, done.secret)
    office.later(hours=office.login.absolute_hours % 10)
    assert found(office, done.secret) is None


def test_being_seen_is_written_once_a_minute(office: Office) -> None:
    office.add("ada")
    session = office.logs_in("ada").session
    assert not is_due(session, MONDAY_9 + timedelta(seconds=59))
    assert is_due(session, MONDAY_9 + timedelta(seconds=60))
    with office.store.write(audited=False) as unit:
        touch(unit, session, MONDAY_9 + timedelta(seconds=59))
        assert unit.sessions.get(session.id) == session
        touch(unit, session, MONDAY_9 + timedelta(seconds=60))
        assert unit.sessions.get(session.id) == replace(session, seen_at=MONDAY_9 + timedelta(seconds=60))


def test_a_request_that_was_under_way_does_not_bring_an_ended_session_back(office: Office) -> None:
    office.add("ada")
    session = office.logs_in("ada").session
    with office.store.write() as unit:
        end_session(unit, session)
        touch(unit, session, office.later(hours=1))
        assert unit.sessions.find() == []
    assert office.audited()[-1] == "session.ended"


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: disable_user(unit, "id-max"),
        lambda unit: set_password(unit, "id-max", "another hash"),
        lambda unit: change_user(unit, "id-max", replace(PEOPLE["max"], role=Role.INSIDE_REP, reps=None)),
    ],
    ids=["disabled", "new password", "new role"],
)
def test_a_session_does_not_outlive_what_its_person_was(office: Office, change: object) -> None:
    office.add("ada", "max")
    done = office.logs_in("max")
    with office.store.write() as unit:
        change(unit)
        unit.sessions.put(done.session)  # even if its row were still there
    assert found(office, done.secret) is None


def test_a_person_sees_where_they_are_logged_in_and_ends_all_but_this_one(office: Office) -> None:
    user = office.add("ada")
    here, there = office.logs_in("ada").session, office.logs_in("ada", address="203.0.113.9").session
    with office.store.write() as unit:
        touch(unit, there, office.later(minutes=5))
        assert [session.address for session in sessions_of(unit, user, office.now, office.login)] == [
            "203.0.113.9",
            "192.0.2.1",
        ]
        assert end_sessions_of(unit, user.id, keep=here.id) == 1
        assert sessions_of(unit, user, office.now, office.login) == [here]
        unit.audit("sessions.ended", user.id)


def test_old_sessions_are_swept_away_when_somebody_logs_in(office: Office) -> None:
    office.add("ada", "ben")
    office.logs_in("ben")
    office.later(minutes=office.login.field_idle_minutes + 1)
    office.logs_in("ada")
    with office.store.read() as unit:
        assert [session.user_id for session in unit.sessions.find()] == ["id-ada"]


def test_what_a_browser_says_about_itself_is_cut_short_and_made_visible(office: Office) -> None:
    user = office.add("ada")

    def started(unit: UnitOfWork) -> Session:
        return start_session(unit, user, MONDAY_9, "192.0.2.1\0", "\x1b[31m\ud800" + "x" * 10_000)[1]

    with office.store.write(audited=False) as unit:
        session = started(unit)
    assert session.agent.startswith("\ufffd[31m\ufffdxxx")
    assert len(session.agent) == 200
    assert session.address == "192.0.2.1\ufffd"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(st.characters(), max_size=100))
def test_garbage_is_nobodys_session(office: Office, garbage: str) -> None:
    assert found(office, garbage) is None
