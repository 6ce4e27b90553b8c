"""The store keeps what it was given, exactly, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain import Account, Address, Location, Opportunity, Record, RecordKind, Rep
from planner.errors import NotFoundError, StorageError
from planner.repository import Change, StoredPlan, UnitOfWork
from planner.storage import SqlStore, open_store
from planner.storage.migrating import SCHEMA
from planner.storage.tables import METADATA
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

BAR = Account("A1", "Bar", Address("1 Lee Way", "Newport"))
ADA = Rep("R1", "Ada", "", Address("1 High Street"), None, "Europe/London", frozenset({0, 1}), time(9), time(17))
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
PLAN = StoredPlan(0, "town", date(2026, 11, 30), 5, NOON, None, 12, 3, 3600, '{"visits": []}')


def url(path: Path) -> str:
    return f"sqlite:///{path}/fieldvisit.sqlite"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(url(tmp_path))
    yield store
    store.close()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """For properties: each example takes a fresh area of it."""
    store = open_store(url(tmp_path_factory.mktemp("shared")))
    yield store
    store.close()


fresh = count()

# ---- round trips

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
name = text.filter(bool)
address = st.builds(Address, street=name, city=text, postcode=text, country=text)
minutes = st.none() | st.integers(1, 1440)
amount = st.floats(0, 1e12)
share = st.floats(0, 1)
day = st.none() | st.dates()
moment = st.none() | st.datetimes()
words = st.frozensets(text, max_size=3)
attributes = st.dictionaries(text, text, max_size=3)
answer = st.sampled_from(["yes", "no", "unknown"])
hours = st.sampled_from(["", "24/7", "Mo-Fr 09:00-12:00,13:00-17:00"])
span = st.tuples(st.times(max_value=time(11, 59)), st.times(min_value=time(12)))
reps = span.flatmap(
    lambda shift: st.builds(
        Rep,
        id=name,
        name=name,
        email=text,
        start_address=address,
        end_address=st.none() | address,
        timezone=st.sampled_from(["Europe/London", "Asia/Tokyo"]),
        work_days=st.frozensets(st.integers(0, 6)),
        work_start=st.just(shift[0]),
        work_end=st.just(shift[1]),
        break_minutes=st.just(0),
        break_window=st.none() | span,
        skills=words,
        max_visits_per_day=st.none() | st.integers(0, 100),
        attributes=attributes,
    )
)
accounts = st.builds(
    Account,
    id=name,
    name=name,
    address=address,
    category=text,
    segment=text,
    owner_rep_id=text,
    cadence_days=st.none() | st.integers(1, 3650),
    last_visit=day,
    last_order=day,
    annual_value=amount,
    visit_minutes=minutes,
    opening_hours=hours,
    attributes=attributes,
)
opportunities = st.builds(
    Opportunity,
    id=name,
    name=name,
    address=address,
    account_id=text,
    contact_name=text,
    contact_email=text,
    value=amount,
    probability=share,
    budget=answer,
    authority=answer,
    need=answer,
    timeline=text,
    qualified_at=moment,
    first_action_days=st.none() | st.integers(0, 365),
    visit_minutes=minutes,
    required_skills=words,
    availability=hours,
    appointment=moment,
    inside_rep=text,
    notes=text,
    attributes=attributes,
)
places = st.builds(LatLon, st.floats(-90, 90), st.floats(-180, 180))
candidates = st.builds(Candidate, places, text, share)


@given(st.lists(reps | accounts | opportunities, max_size=6), st.lists(candidates, max_size=5), st.none() | places)
@settings(max_examples=60, deadline=None)
def test_records_and_locations_come_back_exactly(
    shared_store: SqlStore, written: list[Record], found: list[Candidate], place: LatLon | None
) -> None:
    store, area = shared_store, f"area {next(fresh)}"
    last = {(record.kind, record.id): record for record in written}
    verdict = Verdict.REVIEW if place is None else Verdict.MATCHED
    locations = [Location(*key, BAR.address, verdict, place, 0.5, "m", "r", tuple(found)) for key in last]
    with store.write(audited=False) as unit:
        for record in written:
            unit.records(area).save(record)
        unit.records(area).save_locations(locations)
    with store.write(audited=False) as unit:
        assert all(unit.records(area).save(record) == Change.UNCHANGED for record in last.values())
    with store.read() as unit:
        records = unit.records(area)
        kept: list[Record] = [*records.reps(), *records.accounts(), *records.opportunities()]
        assert {(record.kind, record.id): record for record in kept} == last
        assert [location.record_id for location in records.locations() if location.kind == RecordKind.REP] == sorted(
            record_id for kind, record_id in last if kind == RecordKind.REP
        )
        assert {(location.kind, location.record_id): location for location in records.locations()} == {
            (location.kind, location.record_id): location for location in locations
        }


def test_saving_says_what_it_did(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        records = unit.records("town")
        changed = replace(BAR, name="Pub")
        assert [records.save(record) for record in (BAR, BAR, changed, changed)] == [
            Change.ADDED,
            Change.UNCHANGED,
            Change.CHANGED,
            Change.UNCHANGED,
        ]


def test_the_same_id_may_stand_for_a_rep_and_an_account(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        unit.records("town").save(replace(BAR, id="1"))
        unit.records("town").save(replace(ADA, id="1"))
        for kind in (RecordKind.REP, RecordKind.ACCOUNT):
            unit.records("town").save_locations(
                [Location(kind, "1", BAR.address, Verdict.NOT_FOUND, None, 0.0, "", str(kind))]
            )
    with store.read() as unit:
        assert [(location.kind, location.reason) for location in unit.records("town").locations()] == [
            (RecordKind.REP, "rep"),
            (RecordKind.ACCOUNT, "account"),
        ]


# ---- plans


def test_plans_are_numbered_by_area_and_the_old_ones_stay(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        plans = unit.plans("town")
        assert [plans.add(PLAN), plans.add(replace(PLAN, document="second")), unit.plans("city").add(PLAN)] == [1, 2, 1]
    with store.read() as unit:
        plans = unit.plans("town")
        assert [plan.version for plan in plans.list()] == [2, 1]
        assert all(plan.document is None for plan in plans.list())
        assert plans.get(1) == replace(PLAN, version=1)
        latest = plans.latest()
        assert latest is not None
        assert latest.document == "second"
        assert plans.latest(published=True) is None
        with pytest.raises(NotFoundError):
            plans.get(3)


def test_the_plan_published_last_is_the_one_that_reps_see(store: SqlStore) -> None:
    helsinki = timezone(timedelta(hours=2))
    with store.write(audited=False) as unit:
        plans = unit.plans("town")
        plans.add(PLAN)
        plans.add(PLAN)
        plans.publish(2, NOON)
        plans.publish(1, (NOON + timedelta(minutes=1)).astimezone(helsinki))
        with pytest.raises(NotFoundError):
            plans.publish(9, NOON)
        seen = plans.latest(published=True)
    assert seen is not None
    assert (seen.version, seen.published_at) == (1, NOON + timedelta(minutes=1))
    assert seen.published_at is not None
    assert seen.published_at.tzinfo is UTC


def test_a_time_without_a_zone_is_not_stored(store: SqlStore) -> None:
    with pytest.raises(StorageError, match="no time zone"), store.write(audited=False) as unit:
        unit.plans("town").add(replace(PLAN, created_at=NOON.replace(tzinfo=None)))


# ---- units of work


def test_what_happened_before_a_failure_in_a_unit_of_work_leaves_no_trace(store: SqlStore) -> None:
    def fail(unit: UnitOfWork) -> None:
        unit.records("town").save(BAR)
        unit.plans("town").add(PLAN)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.write(audited=False) as unit:
        fail(unit)
    with store.read() as unit:
        assert unit.records("town").accounts() == []
        assert unit.plans("town").list() == []


def test_a_process_killed_in_a_unit_of_work_leaves_nothing(store: SqlStore, tmp_path: Path) -> None:
    script = f"""
import os, signal
from planner.storage import open_store
from tests_storage_cast import BAR
with open_store({url(tmp_path)!r}).write(audited=False) as unit:
    unit.records("town").save(BAR)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    cast = "from planner.domain import Account, Address\nBAR = Account('A1', 'Bar', Address('1 Lee Way'))\n"
    (tmp_path / "tests_storage_cast.py").write_text(cast)
    done = subprocess.run([sys.executable, "-c", script], env=_environment(tmp_path), check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with store.write(audited=False) as unit:
        assert unit.records("town").accounts() == []
        assert unit.records("town").save(BAR) == Change.ADDED


def test_two_processes_and_their_threads_lose_none_of_their_writes(tmp_path: Path) -> None:
    # Nobody has made the database yet: both processes also race to do that.
    script = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from planner.domain import Account, Address
from planner.storage import open_store
store = open_store({url(tmp_path)!r})
def book(number):
    with store.write(audited=False) as unit:
        records = unit.records("town")
        seen = records.accounts()
        visits = int(seen[0].name) if seen else 0
        records.save(Account("A1", str(visits + 1), Address("1 Lee Way")))
with ThreadPoolExecutor(2) as threads:
    list(threads.map(book, range(30)))
"""
    started = [subprocess.Popen([sys.executable, "-c", script], env=_environment(tmp_path)) for _ in range(2)]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    with closing(open_store(url(tmp_path))) as store, store.read() as unit:
        assert unit.records("town").accounts()[0].name == "60"


def test_reading_is_a_snapshot_that_a_writer_does_not_disturb(store: SqlStore) -> None:
    with store.read() as reading:
        assert reading.records("town").accounts() == []
        with ThreadPoolExecutor(1) as other:
            other.submit(_save, store, BAR).result()
        assert reading.records("town").accounts() == []
    with store.read() as reading:
        assert reading.records("town").accounts() == [BAR]


def test_writing_through_a_reading_unit_of_work_is_an_error(store: SqlStore) -> None:
    with store.read() as unit:
        for write in (
            lambda: unit.records("town").save(BAR),
            lambda: unit.records("town").save_locations([]),
            lambda: unit.plans("town").add(PLAN),
            lambda: unit.plans("town").publish(1, NOON),
        ):
            with pytest.raises(StorageError, match="reading only"):
                write()


def test_a_write_inside_a_write_is_refused_rather_than_waited_for(store: SqlStore) -> None:
    with pytest.raises(StorageError, match="inside another"), store.write(), store.write():
        pass
    _save(store, BAR)


# ---- opening


def test_the_migrations_build_what_the_tables_describe(store: SqlStore, tmp_path: Path) -> None:
    engine = sa.create_engine(url(tmp_path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = op.create_table

    def failing(name: str, *columns: sa.Column[Any]) -> sa.Table:
        if name == "plans":
            raise sa.exc.OperationalError("CREATE TABLE plans", {}, OSError("disk full"))
        return create(name, *columns)

    monkeypatch.setattr(op, "create_table", failing)
    with pytest.raises(StorageError, match="disk full"):
        open_store(url(tmp_path))
    monkeypatch.undo()
    open_store(url(tmp_path)).close()


def test_the_newest_migration_is_the_schema_of_this_program() -> None:
    config = Config()
    config.set_main_option("script_location", "planner:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_a_database_of_a_newer_program_is_refused_untouched(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "fieldvisit.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StorageError, match="newer fieldvisit"):
        open_store(url(tmp_path))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("sqlite:////nowhere/at/all/x.sqlite", "cannot be opened: No such file"),
        ("nonsense", "URL cannot be used"),
        ("oracle+nothing://u:secret@h/x", "oracle is not supported"),
        ("sqlite://", "path of a file"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_and_no_password_shown(address: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fieldvisit.sqlite").write_text("Dear diary, today I was overwritten." * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_store(url(tmp_path))


def test_an_error_does_not_show_the_record_it_was_about(store: SqlStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "fieldvisit.sqlite")) as connection, connection:
        connection.execute("DROP TABLE accounts")
    connection.close()
    with pytest.raises(StorageError, match="no such table") as caught:
        _save(store, replace(BAR, name="Confidential"))
    assert "Confidential" not in str(caught.value)


def _save(store: SqlStore, record: Record) -> None:
    with store.write(audited=False) as unit:
        unit.records("town").save(record)


def _environment(*folders: Path) -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (root, *folders)))}
