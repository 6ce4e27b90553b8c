"""How long positions are kept, what a person is told of what is stored about them, and who looked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from planner.access import Actor, Permission, Role, Scope
from planner.domain import Address, Rep
from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.bodies import OF_A_VISIT, SentEvent, read_event
from planner.fieldwork.domain import (
    CheckIn,
    CheckInVerdict,
    DayProgress,
    EventKind,
    FieldEvent,
    FieldVisit,
    MailState,
    SentMail,
)
from planner.fieldwork.feeds import issue_feed
from planner.fieldwork.privacy import as_json, everything_about, forget_positions, look_at_check_ins
from planner.people.accounts import NewUser, add_user
from planner.people.domain import User
from planner.people.sessions import start_session
from planner.people.tokens import issue_token
from planner.rep_days import RepDayNote
from planner.settings import FieldworkSettings, LoginSettings, Settings
from planner.storage import SqlStore, open_store
from planner.upkeep import Upkeep

NOW = datetime(2026, 11, 30, 18, tzinfo=UTC)
KEPT = FieldworkSettings(precise_days=7, coarse_days=90)
MONDAY = date(2026, 11, 30)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite", clock=lambda: NOW)
    with store.write(audited=False) as unit:
        for name in ("anna", "ben"):
            unit.records("town").save(
                Rep(name, name.title(), f"{name}@example.com", Address("1 Office Park"), None, "Europe/London",
                    frozenset(range(5)), time(9), time(17))
            )  # fmt: skip
    yield store
    store.close()


def check_in(id_: str, days_ago: float, rep_id: str = "anna", **changes: object) -> CheckIn:
    at = NOW - timedelta(days=days_ago)
    made = CheckIn("town", id_, rep_id, at.date(), f"account:{id_}", at, 51.58432, -2.99876, 12.0, 40.0,
                   CheckInVerdict.AT_THE_DOOR)  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def keep(store: SqlStore, *rows: CheckIn) -> None:
    with store.write(audited=False) as unit:
        for row in rows:
            unit.check_ins.put(row)


def kept(store: SqlStore) -> dict[str, tuple[float | None, float | None, bool]]:
    with store.read() as unit:
        return {row.id: (row.lat, row.lon, row.coarse) for row in unit.check_ins.find()}


# --- how long positions are kept


def test_positions_are_full_for_a_week_coarse_for_a_quarter_and_then_gone(store: SqlStore) -> None:
    keep(store, check_in("new", 6.9), check_in("week", 7.1), check_in("month", 89), check_in("old", 91),
         check_in("none", 30, lat=None, lon=None))  # fmt: skip
    assert forget_positions(store, KEPT, NOW) == (2, 1)
    assert kept(store) == {
        "new": (51.58432, -2.99876, False),
        "week": (51.58, -3.0, True),
        "month": (51.58, -3.0, True),
        "old": (None, None, True),
        "none": (None, None, False),
    }
    forget_positions(store, KEPT, NOW + timedelta(days=80))
    assert {row[0] for row in kept(store).values()} == {51.58, None}  # only "new" is left


def test_distance_and_verdict_outlive_the_position(store: SqlStore) -> None:
    keep(store, check_in("old", 100))
    forget_positions(store, KEPT, NOW)
    with store.read() as unit:
        row = unit.check_ins.get("town", "old")
    assert row is not None
    assert (row.distance_m, row.verdict, row.accuracy_m) == (40.0, CheckInVerdict.AT_THE_DOOR, None)


def test_forgetting_twice_does_nothing_more_and_each_step_says_what_it_did(store: SqlStore) -> None:
    keep(store, *(check_in(f"c{number}", 8) for number in range(450)))
    assert forget_positions(store, KEPT, NOW) == (450, 0)
    assert forget_positions(store, KEPT, NOW) == (0, 0)
    with store.read() as unit:
        entries = unit.audit_log.entries()
    assert [(entry.action, entry.details) for entry in entries] == [
        ("positions.forgotten", {"coarsened": number, "removed": 0}) for number in (200, 200, 50)
    ]


def test_what_arrives_a_month_late_is_coarse_after_the_next_upkeep(store: SqlStore, tmp_path: Path) -> None:
    keep(store, check_in("late", 30))
    Upkeep(store, list, Settings(home=tmp_path, database_url=""))(NOW)
    assert kept(store)["late"] == (51.58, -3.0, True)


def test_only_a_check_in_has_a_place_for_a_position() -> None:
    for cls in (FieldEvent, FieldVisit, DayProgress):
        assert not {"lat", "lon", "position"} & {field.name for field in fields(cls)}


def sent(kind: EventKind, body: dict[str, object]) -> SentEvent:
    visit = "account:A1" if kind in OF_A_VISIT else ""
    return SentEvent("5c1b6a1e-1f0a-4a55-8d7e-6a1f2f0d9c11", "anna", "2026-11-30", visit, kind.value, NOW, 0, body)


def test_no_event_keeps_a_position_and_only_a_check_in_may_bring_one() -> None:
    where: dict[str, object] = {"lat": 51.58432, "lon": -2.99876, "accuracy_m": 9.0}
    for kind in EventKind:
        if kind is EventKind.ARRIVED:
            event, _ = read_event("town", sent(kind, where), "user:anna", NOW)
            assert event.body == {}
        else:
            with pytest.raises(InvalidRecordError, match="has no such field"):
                read_event("town", sent(kind, where), "user:anna", NOW)


# --- looking


def test_a_look_at_check_ins_is_written_down_whether_there_is_something_or_not(store: SqlStore) -> None:
    keep(store, check_in("b", 0.1), check_in("a", 0.2), check_in("other", 0.1, "ben"))
    boss = Actor("user:max", Scope("town"))
    with store.write(boss) as unit:
        assert [row.id for row in look_at_check_ins(unit, "town", "anna", MONDAY)] == ["a", "b"]
    with store.write(boss) as unit:
        assert look_at_check_ins(unit, "town", "anna", date(2026, 12, 1)) == []
    with store.read() as unit:
        entries = unit.audit_log.entries()
    assert [(entry.actor, entry.action, entry.subject, entry.area) for entry in entries] == [
        ("user:max", "check_ins.seen", "anna 2026-11-30", "town"),
        ("user:max", "check_ins.seen", "anna 2026-12-01", "town"),
    ]


def test_nobody_looks_at_a_rep_beyond_their_team(store: SqlStore) -> None:
    with pytest.raises(NotFoundError), store.write(Actor("user:max", Scope("town", frozenset({"ben"})))) as unit:
        look_at_check_ins(unit, "town", "anna", MONDAY)


# --- everything about a person


def people(store: SqlStore) -> User:
    """Anna, of whom there is something of every kind; and the same of Ben."""
    made = {}
    with store.write(audited=False) as unit:
        add_user(unit, NewUser("max@example.com", "Max Boss", Role.MANAGER, "town"), NOW, "max")
        for name in ("anna", "ben"):
            new = NewUser(f"{name}@example.com", name.title(), Role.FIELD_REP, "town", frozenset({name}))
            user = made[name] = add_user(unit, new, NOW, f"user-{name}")
            start_session(unit, user, NOW, "192.0.2.1", f"browser of {name}")
            issue_token(unit, user, f"token of {name}", {Permission.REPORT}, None, NOW, LoginSettings())
            issue_feed(unit, user, NOW)
            unit.rep_day_notes.put(RepDayNote("town", name, MONDAY, 1, f"note of {name}"))
            unit.sent_mails.put(SentMail("town", name, MONDAY, MailState.SENT, NOW))
            unit.field_visits.put(FieldVisit("town", name, MONDAY, f"account:of-{name}", "A1", "", ""))
            unit.day_progress.put(DayProgress("town", name, MONDAY, 1, sick=True))
            unit.field_events.put(
                FieldEvent("town", f"event-{name}", name, MONDAY, "", EventKind.SICK, NOW, 0, {"sick": True},
                           f"user:user-{name}", NOW)
            )  # fmt: skip
            unit.check_ins.put(check_in(f"check-{name}", 0.1, name))
    with store.write(Actor("user:max", Scope("town"))) as unit:
        look_at_check_ins(unit, "town", "anna", MONDAY)
    return made["anna"]


def test_a_rep_is_told_everything_that_is_stored_about_them_and_nothing_about_others(store: SqlStore) -> None:
    anna = people(store)
    with store.read(anna.scope) as unit:
        groups = {group.name: group for group in everything_about(unit, anna, KEPT, 100)}
    empty = {name for name, group in groups.items() if not group.rows}
    assert empty == {"reports", "calls", "summaries"}
    told = json.dumps(as_json(list(groups.values()), anna, NOW))
    for words in ("browser of anna", "token of anna", "note of anna", "event-anna", "check-anna", "51.58432",
                  "1 Office Park", "of-anna"):  # fmt: skip
        assert words in told, words
    assert "ben" not in told


def test_the_rep_sees_who_looked_at_their_check_ins_and_when(store: SqlStore) -> None:
    anna = people(store)
    with store.read(anna.scope) as unit:
        (looks,) = (group for group in everything_about(unit, anna, KEPT, 100) if group.name == "looks")
    assert looks.rows == ({"at": NOW.isoformat(), "by": "Max Boss", "day": "2026-11-30"},)


def test_no_look_is_hidden_by_all_that_was_done_since(store: SqlStore) -> None:
    anna = people(store)
    for _ in range(5):
        with store.write(Actor("user:user-anna", anna.scope)) as unit:
            unit.audit("field.arrived", "event", area="town")
    with store.read(anna.scope) as unit:
        groups = {group.name: group.rows for group in everything_about(unit, anna, KEPT, 3)}
    assert [row["by"] for row in groups["looks"]] == ["Max Boss"]
    assert len(groups["audit"]) == 3


def test_no_secret_is_told_even_to_the_person_themselves(store: SqlStore) -> None:
    anna = people(store)
    with store.read() as unit:
        (session,) = unit.sessions.find(user_id=anna.id)
        (token,) = unit.tokens.find(user_id=anna.id)
        (feed,) = unit.calendar_feeds.find(user_id=anna.id)
        anna = replace(anna, password_hash="$argon2", totp_secret="sealed", recovery_hashes=("hash",))
        told = json.dumps(as_json(everything_about(unit, anna, KEPT, 100), anna, NOW))
    for secret in (session.id, session.csrf, token.token_hash, feed.secret_hash, "$argon2", "sealed"):
        assert secret not in told


def test_who_is_no_rep_is_told_of_their_account(store: SqlStore) -> None:
    people(store)
    with store.read() as unit:
        boss = unit.users.get("max")
        assert boss is not None
        groups = {group.name: group.rows for group in everything_about(unit, boss, KEPT, 100)}
    assert set(groups) == {"account", "sessions", "tokens", "calls", "summaries", "looks", "audit"}
    assert groups["audit"][0]["action"] == "check_ins.seen"


def test_people_with_like_ids_are_told_apart(store: SqlStore) -> None:
    """A rep "anna" elsewhere, a rep "anna 2", and a customer who is called as she is."""
    anna = people(store)
    with store.write(Actor("user:x")) as unit:
        unit.audit("check_ins.seen", "anna 2026-11-30", area="elsewhere")
        unit.audit("check_ins.seen", "annabel 2026-11-30", area="town")
        unit.audit("check_ins.seen", "anna 2 2026-11-30", area="town")
        unit.audit("account.saved", "anna", area="town")
        unit.audit("rep.saved", "anna", area="town")
    with store.read(anna.scope) as unit:
        entries = unit.audit_log.concerning((), anna.id, "town", ("anna",), 100)
    assert [entry.action for entry in entries if entry.actor == "user:x"] == ["rep.saved"]
