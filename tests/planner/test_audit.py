"""The audit log only grows, and whatever is done to it behind our back breaks its chain."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access import Actor
from planner.audit import AuditEntry, Break, chained, verify
from planner.cli import main
from planner.errors import StorageError
from planner.storage import SqlStore, open_store
from planner.storage.engine import open_engine

NOON = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


def log(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(length):
        before = entries[-1] if entries else None
        entries.append(chained(before, NOON, "user:u1", "", "town", "note.written", f"R{number}", {"revision": number}))
    return entries


def test_a_log_that_nobody_touched_is_whole() -> None:
    entries = log(5)
    found = verify(iter(entries))
    assert (found.entries, found.head, found.broken) == (5, entries[-1].hash, None)
    assert verify([]).broken is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "user:u2"},
        {"at": NOON + timedelta(microseconds=1)},
        {"details": {"revision": 3}},
        {"subject": ""},
        {"area": "city"},
        {"action": "note.read"},
        {"request_id": "r"},
        {"hash": "0" * 64},
    ],
)
def test_an_entry_that_was_changed_breaks_the_chain_there(change: dict[str, Any]) -> None:
    entries = log(5)
    entries[2] = replace(entries[2], **change)
    broken = verify(entries).broken
    assert broken is not None
    assert broken.seq == 3
    assert "not what was written" in broken.reason


def test_an_entry_that_was_taken_out_or_moved_breaks_the_chain_there() -> None:
    entries = log(5)
    assert verify(entries[:2] + entries[3:]).broken == Break(3, "entry 3 is missing")
    assert verify(entries[1:]).broken == Break(1, "entry 1 is missing")
    moved = [entries[0], replace(entries[2], seq=2), replace(entries[1], seq=3), *entries[3:]]
    broken = verify(moved).broken
    assert broken is not None
    assert broken.seq == 2


def test_an_end_that_was_cut_off_is_found_out_by_a_head_that_was_written_down() -> None:
    entries = log(5)
    assert verify(entries[:3]).broken is None
    for head in (entries[4].hash, entries[1].hash):
        assert verify(entries, head).broken is None
    broken = verify(entries[:3], entries[4].hash).broken
    assert broken is not None
    assert broken.seq == 4
    anew = log(3)[:2]
    anew.append(chained(anew[-1], NOON, "user:u1", "", "town", "note.written", "R9", {}))
    assert verify(anew).broken is None
    assert verify(anew, entries[2].hash).broken is not None


# ---- in a database

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))


@given(st.lists(st.tuples(st.dictionaries(text, values, max_size=3), text), max_size=4))
@settings(max_examples=40, deadline=None)
def test_what_is_logged_hashes_the_same_when_it_comes_back(
    audited_store: SqlStore, written: list[tuple[dict[str, Any], str]]
) -> None:
    with audited_store.write(Actor("user:u1", request_id="r")) as unit:
        for details, subject in written:
            unit.audit("a.b", subject, **{f"_{name}": value for name, value in details.items()}, values=(1, {2: 3}))
    with audited_store.read() as unit:
        assert verify(unit.audit_log.entries()).broken is None


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def audited_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('audit')}/x.sqlite"
    else:
        url = request.getfixturevalue("postgres").new()
    nepal = timezone(timedelta(hours=5, minutes=45))
    with closing(open_store(url, clock=lambda: NOON.astimezone(nepal))) as store:
        yield store


def test_an_entry_has_the_stores_time_and_its_writers_name(url: str) -> None:
    with closing(open_store(url, clock=lambda: NOON)) as store:
        with store.write(Actor("user:u1", request_id="r1")) as unit:
            unit.audit("plan.published", "3", area="town", share=0.1)
        with store.read() as unit:
            (entry,) = unit.audit_log.entries()
    assert (entry.seq, entry.at, entry.at.tzinfo) == (1, NOON, UTC)
    assert (entry.actor, entry.request_id, entry.area, entry.subject) == ("user:u1", "r1", "town", "3")
    assert entry.details == {"share": 0.1}


def test_details_that_are_no_json_are_refused(store: SqlStore) -> None:
    for details in ({"at": NOON}, {"share": float("nan")}):
        with pytest.raises(StorageError, match="no JSON"), store.write() as unit:
            unit.audit("a.b", **details)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_or_remove_an_entry(store: SqlStore, url: str, statement: str) -> None:
    with store.write() as unit:
        unit.audit("a.b")
    engine = open_engine(url)
    with pytest.raises(sa.exc.DBAPIError, match="only grows"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


# ---- the commands


def run(home: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["--home", str(home), "audit", *arguments])
    return done.exit_code, done.output


def test_audit_verify_says_head_or_break(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fieldvisit.sqlite"
    assert run(tmp_path, "verify") == (0, "0 entries, head -\n")
    with closing(open_store(url)) as store, store.write(Actor("user:u1")) as unit:
        for subject in ("R1", "R2", "R3"):
            unit.audit("note.written", subject, area="town", revision=1)
        head = unit.audit_log.latest(1)[0].hash
    assert run(tmp_path, "verify", "--head", head) == (0, f"3 entries, head {head}\n")
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_delete"))
        connection.execute(sa.text("DELETE FROM audit WHERE seq = 3"))
    assert run(tmp_path, "verify")[0] == 0
    code, said = run(tmp_path, "verify", "--head", head)
    assert (code, "broken at entry 3" in said) == (1, True)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM audit WHERE seq = 1"))
    engine.dispose()
    code, said = run(tmp_path, "verify")
    assert (code, "broken at entry 1: entry 1 is missing" in said) == (1, True)


def test_audit_show_tells_the_newest_last(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fieldvisit.sqlite"
    with closing(open_store(url, clock=lambda: NOON)) as store, store.write(Actor("user:u1")) as unit:
        for subject in ("R1", "[red]R2"):
            unit.audit("note.written", subject, area="town", revision=1)
    code, said = run(tmp_path, "show", "--last", "1")
    assert (code, said) == (0, '     2  2026-11-30 12:00:00Z  user:u1  note.written  town [red]R2 {"revision": 1}\n')
    lines = run(tmp_path, "show", "--json")[1].splitlines()
    assert [json.loads(line)["subject"] for line in lines] == ["R1", "[red]R2"]
