"""Databases are opened by their URL, made or brought to the newest shape, or refused with a sentence."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgres import Postgres
from sqlalchemy.engine import Connection
from test_storage import BAR, PLAN, ROOT

from planner.errors import StorageError, StorageUnavailableError
from planner.repository import Change
from planner.storage import open_store
from planner.storage.engine import open_engine
from planner.storage.migrating import SCHEMA, migrations, upgrade
from planner.storage.tables import METADATA


@pytest.fixture
def raw(empty_url: str) -> Iterator[sa.Engine]:
    """The database, without the store."""
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def writing(engine: sa.Engine) -> Any:
    return engine.execution_options(writing=True).begin()


def test_the_migrations_build_what_the_tables_describe(raw: sa.Engine, empty_url: str) -> None:
    open_store(empty_url).close()
    with raw.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_newest_migration_is_the_schema_of_this_program() -> None:
    assert migrations()[-1] == SCHEMA


def insert(connection: Connection, table: str, **values: object) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def test_a_database_of_the_first_version_keeps_its_rows(raw: sa.Engine, empty_url: str) -> None:
    with writing(raw) as connection:
        upgrade(connection, "0001")
        address = '{"street": "1 Lee Way", "city": "Newport", "postcode": "", "country": ""}'
        common = {"area": "town", "id": "A1", "name": "Bar", "address": address, "attributes": "{}"}
        insert(
            connection,
            "accounts",
            **common,
            category="",
            segment="",
            owner_rep_id="",
            annual_value=0.0,
            opening_hours="",
        )
        insert(
            connection,
            "plans",
            area="town",
            version=7,
            first_day="2026-11-30",
            days=5,
            created_at="2026-11-29 12:00:00.000000" if raw.dialect.name == "sqlite" else "2026-11-29T12:00:00+00:00",
            visits=12,
            unplanned=3,
            drive_s=3600,
            document=PLAN.document,
        )
    with closing(open_store(empty_url)) as store:
        with store.read() as unit:
            assert unit.records("town").accounts() == [BAR]
            assert unit.plans("town").latest() == replace(PLAN, version=7)
            assert unit.users.find() == []
        with store.write() as unit:
            assert unit.records("town").save(BAR) == Change.UNCHANGED
            unit.users.put(ROOT)
            unit.audit("user.added", ROOT.id)


ADDRESS = '{"street": "1 Lee Way", "city": "Newport", "postcode": "", "country": ""}'
ACCOUNT = {"area": "town", "address": ADDRESS, "category": "", "segment": "", "owner_rep_id": "", "annual_value": 0.0,
           "opening_hours": ""}  # fmt: skip
OPPORTUNITY = {"area": "town", "address": ADDRESS, "contact_name": "Jo", "contact_email": "jo@x.example", "value": 0.0,
               "probability": 0.0, "required_skills": "[]",
               **dict.fromkeys(("account_id", "availability", "inside_rep", "notes"), ""),
               **dict.fromkeys(("budget", "authority", "need", "timeline"), "unknown")}  # fmt: skip


def test_contacts_that_were_kept_as_attributes_are_the_records_own(raw: sa.Engine, empty_url: str) -> None:
    with writing(raw) as connection:
        upgrade(connection, "0003")
        for id_, attributes in {
            "A1": {"Contact name": " Ada Lee ", "contact_email": "ada@bar.example", "contact-phone": "01632 960 001"},
            "A2": {"contact_phone": "ask at the bar", "colour": "red"},
            "A3": {},
        }.items():
            insert(connection, "accounts", id=id_, name="Bar", attributes=json.dumps(attributes), **ACCOUNT)
        insert(
            connection,
            "opportunities",
            id="O1",
            name="Pub",
            attributes='{"contact_phone": "+44 1632 960 002", "contact_name": "Al"}',
            **OPPORTUNITY,
        )
    with closing(open_store(empty_url)) as store, store.read() as unit:
        told = [
            (record.contact_name, record.contact_email, record.contact_phone, record.attributes)
            for record in (*unit.records("town").accounts(), *unit.records("town").opportunities())
        ]
    assert told == [
        ("Ada Lee", "ada@bar.example", "01632 960 001", {}),
        ("", "", "", {"contact_phone": "ask at the bar", "colour": "red"}),
        ("", "", "", {}),
        ("Jo", "jo@x.example", "+44 1632 960 002", {"contact_name": "Al"}),
    ]


def test_a_migration_that_fails_leaves_nothing_half_done(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create = op.create_table

    def failing(name: str, *columns: sa.Column[Any]) -> sa.Table:
        if name == "plans":
            raise sa.exc.OperationalError("CREATE TABLE plans", {}, OSError("disk full"))
        return create(name, *columns)

    monkeypatch.setattr(op, "create_table", failing)
    with pytest.raises(StorageError, match="disk full"):
        open_store(empty_url)
    monkeypatch.undo()
    open_store(empty_url).close()


def test_a_database_of_a_newer_program_is_refused_untouched(raw: sa.Engine, empty_url: str) -> None:
    open_store(empty_url).close()
    with writing(raw) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer fieldvisit"):
        open_store(empty_url)
    with raw.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_database_is_opened_while_somebody_writes_to_it(url: str) -> None:
    with (
        closing(open_store(url)) as store,
        store.write(),
        closing(open_store(url, patience_s=0.05)) as other,
        other.read() as unit,
    ):
        assert unit.users.find() == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("sqlite:////nowhere/at/all/x.sqlite", "cannot be opened: No such file"),
        ("sqlite://", "path of a file"),
        ("sqlite:///:memory:", "path of a file"),
        ("nonsense", "URL cannot be used"),
        ("oracle+nothing://u:secret@h/x", "oracle is not supported"),
        ("postgresql+nothing://u:secret@h/x", "URL cannot be used"),
        ("postgresql://u:secret@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_and_no_password_shown(address: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("Dear diary, today I was overwritten." * 100)
    with pytest.raises(StorageError, match="not a database") as caught:
        open_store(f"sqlite:///{tmp_path}/x.sqlite")
    assert not isinstance(caught.value, StorageUnavailableError)


def test_only_its_owner_reads_the_files_of_a_database(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/x.sqlite")) as store, store.write() as unit:
        unit.audit("a.b")
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_an_error_does_not_show_the_record_it_was_about(raw: sa.Engine, empty_url: str) -> None:
    with closing(open_store(empty_url)) as store:
        with store.write(audited=False) as unit:
            unit.users.put(ROOT)
        with pytest.raises(StorageError, match=r"(?i)unique") as taken, store.write(audited=False) as unit:
            unit.users.put(replace(ROOT, id="u2", name="Confidential"))
        with writing(raw) as connection:
            connection.execute(sa.text("DROP TABLE accounts"))
        with pytest.raises(StorageError, match="accounts") as gone, store.write(audited=False) as unit:
            unit.records("town").save(replace(BAR, name="Confidential"))
    for caught in (taken, gone):
        assert "Confidential" not in str(caught.value)
        assert ROOT.email not in str(caught.value)


def test_a_server_that_went_away_is_said_and_found_again_when_it_is_back() -> None:
    server = Postgres()
    try:
        with closing(open_store(server.new())) as store:
            server.stop()
            for _ in range(2):
                with pytest.raises(StorageUnavailableError, match="server"), store.write():
                    pass
                with pytest.raises(StorageUnavailableError, match="server"), store.read() as unit:
                    unit.users.find()
            server.start()
            with store.write() as unit:
                unit.audit("a.b")
    finally:
        server.close()
