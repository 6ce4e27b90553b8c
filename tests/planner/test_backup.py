"""A backup holds everything, moves between databases, and is restored whole or not at all."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_storage import ADA, BAR, JOB, PLAN, ROOT

from planner.access import Actor
from planner.audit import verify
from planner.backup import archive, backup, restore
from planner.cli import main
from planner.domain import Location, RecordKind
from planner.errors import BackupError, StorageError
from planner.idempotency import Answer
from planner.people.domain import Session
from planner.repository import UnitOfWork
from planner.storage import SqlStore, open_store
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

NOW = datetime(2026, 11, 30, 12, 0, 0, 5, tzinfo=UTC)
CANDIDATE = Candidate(LatLon(51.5, -3.0), "x", 0.1)
LOCATION = Location(
    RecordKind.ACCOUNT,
    "A1",
    BAR.address,
    Verdict.REVIEW,
    None,
    0.5,
    "",
    "?",
    (Candidate(LatLon(51.5, -3.0), "x", 0.1),),
)


def fill(store: SqlStore) -> None:
    with store.write(Actor("user:u1")) as unit:
        unit.records("town").save_all([ADA, BAR, replace(BAR, id="A2", name="Bär \u2028 \U0001f600")])
        unit.records("town").save_locations([LOCATION])
        unit.plans("town").add(PLAN)
        unit.users.put(ROOT)
        unit.sessions.put(Session("s1", "u1", 1, "", NOW, NOW, "", ""))
        unit.jobs.put(JOB)
        unit.answers.put(Answer("user:u1", "k1", "f", 201, "{}", NOW))
        unit.audit("records.imported", area="town", share=0.1, at=[1, None])


def everything(unit: UnitOfWork) -> list[Any]:
    records, plans = unit.records("town"), unit.plans("town")
    of_area = [records.reps(), records.accounts(), records.opportunities(), records.locations(), plans.latest()]
    return [*of_area, unit.users.find(), unit.jobs.find(), unit.answers.find()]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation's folder with an area, settings and a key."""
    home = tmp_path / "home"
    (home / "areas" / "town" / "streets").mkdir(parents=True)
    (home / "areas" / "town" / "area.json").write_text("{}")
    (home / "areas" / "town" / "streets" / "streets.npz").write_bytes(bytes(range(256)) * 10_000)
    (home / "settings.toml").write_text("[gate]\n")
    (home / "key").write_text("secret\n")
    return home


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """Another database, with tables and no rows."""
    url = f"sqlite:///{tmp_path}/target.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new(template="test_1")
    with closing(open_store(url)) as store:
        yield store


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(open_store(f"sqlite:///{tmp_path}/source.sqlite")) as store:
        fill(store)
        yield store


@pytest.fixture
def saved(source: SqlStore, home: Path, tmp_path: Path) -> Path:
    backup(source, home, tmp_path / "saved.zip", NOW, "1")
    return tmp_path / "saved.zip"


def test_a_backup_moves_an_installation_between_databases(
    store: SqlStore, target: SqlStore, home: Path, tmp_path: Path
) -> None:
    fill(store)
    made = backup(store, home, tmp_path / "saved.zip", NOW, "1")
    assert made.rows["accounts"] == 2
    with store.read() as unit:
        before, log = everything(unit), unit.audit_log.entries()
    other = tmp_path / "other"
    restore(tmp_path / "saved.zip", target, other, Actor("command:me"))
    with target.read() as unit:
        assert everything(unit) == before
        *same, last = unit.audit_log.entries()
        assert same == log
        assert (last.actor, last.action) == ("command:me", "backup.restored")
        assert verify(unit.audit_log.entries()).broken is None
        assert unit.sessions.find() == []  # who was logged in logs in again
    for name in ("settings.toml", "key", "areas/town/area.json", "areas/town/streets/streets.npz"):
        assert (other / name).read_bytes() == (home / name).read_bytes()
    assert stat.S_IMODE((other / "key").stat().st_mode) == 0o600
    assert not list(other.glob(".restoring*"))
    with target.write() as unit:  # and life goes on
        unit.users.put(replace(ROOT, name="Groot"))
        unit.audit("user.changed", ROOT.id)


def test_only_its_owner_reads_a_backup_and_an_older_one_is_not_overwritten(
    saved: Path, source: SqlStore, home: Path
) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    before = saved.read_bytes()
    with pytest.raises(BackupError, match="there already"):
        backup(source, home, saved, NOW, "1")
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.glob(".saved*")] == []


def test_areas_may_be_left_out(source: SqlStore, home: Path, tmp_path: Path) -> None:
    made = backup(source, home, tmp_path / "small.zip", NOW, "1", areas=False)
    assert not [name for name in made.members if name.startswith("areas/")]
    assert "home/key" in made.members


def test_a_backup_is_of_one_moment_though_others_go_on_writing(store: SqlStore, home: Path, tmp_path: Path) -> None:
    fill(store)
    with store.dump() as dump:
        rows = iter(dump.tables["accounts"])
        assert next(rows)["id"] == "A1"
        with store.write(audited=False) as unit:
            unit.records("town").save(replace(BAR, id="A3"))
            unit.users.remove(ROOT.id)
        assert [row["id"] for row in rows] == ["A2"]
        assert [row["id"] for row in dump.tables["users"]] == [ROOT.id]


def test_a_store_that_holds_something_is_only_replaced_when_that_is_asked_for(
    saved: Path, target: SqlStore, home: Path
) -> None:
    with target.write() as unit:
        unit.users.put(replace(ROOT, id="u9", email="new@example.com"))
        unit.audit("user.added", "u9")
    with pytest.raises(BackupError, match="holds something already"):
        restore(saved, target, home, Actor("me"))
    with target.read() as unit:
        assert [user.id for user in unit.users.find()] == ["u9"]
    (home / "key").write_text("another")
    with pytest.raises(BackupError, match="key is there already"):
        restore(saved, target, home, Actor("me"))
    restore(saved, target, home, Actor("me"), replace=True)
    with target.read() as unit:
        assert [user.id for user in unit.users.find()] == [ROOT.id]
    assert (home / "key").read_text() == "secret\n"


def test_a_broken_log_is_saved_and_said_and_still_restored(
    source: SqlStore, target: SqlStore, home: Path, tmp_path: Path
) -> None:
    with source._engine.execution_options(writing=True).begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET actor = 'nobody'")
    made = backup(source, home, tmp_path / "saved.zip", NOW, "1")
    assert made.audit_broken.startswith("at entry 1:")
    restore(tmp_path / "saved.zip", target, home, Actor("me"))


# ---- hostile and damaged archives

Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def forged(saved: Path, change: Change, honest: bool = True) -> Path:
    """The archive with other members and another manifest; an honest one has the right sizes and hashes."""
    with zipfile.ZipFile(saved) as old:
        members = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(members.pop(archive.MANIFEST))
    change(members, manifest)
    if honest:
        manifest["members"] = {
            name: {"size": len(content), "sha256": archive.hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
        }
    path = saved.with_name("forged.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
        new.writestr(archive.MANIFEST, json.dumps(manifest))
    return path


def put(name: str, content: bytes) -> Change:
    return lambda members, _: members.update({name: content})


def swap(name: str, old: bytes, new: bytes) -> Change:
    def change(members: dict[str, bytes], _: dict[str, Any]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change


def say(**said: Any) -> Change:
    return lambda _, manifest: manifest.update(said)


ACCOUNTS, USERS = "tables/accounts.jsonl", "tables/users.jsonl"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("../evil", b""), "a name that no backup has"),
        (put("areas/../../evil", b""), "a name that no backup has"),
        (put("/etc/evil", b""), "a name that no backup has"),
        (put("areas/town/..", b""), "a name that no backup has"),
        (put("areas/town/a\\b", b""), "a name that no backup has"),
        (put("home/.bashrc", b""), "a name that no backup has"),
        (put("areas/town/bomb", b"\0" * 150_000_000), "unpack to far more"),
        (put("tables/sqlite_master.jsonl", b""), "has not the tables"),
        (say(format="fieldvisit-backup/2"), "update it"),
        (say(format="tar"), "no backup of fieldvisit's"),
        (say(schema="9999"), "newer fieldvisit"),
        (say(schema="0001"), "has not the tables"),
        (say(created_at="yesterday"), "does not understand"),
        (say(rows=[]), "does not understand"),
        (say(audit_head="0" * 64), "audit log is not the one"),
        (swap("tables/audit.jsonl", b"user:u1", b"user:u2"), "audit log is not the one"),
        (swap(ACCOUNTS, b'"id":"A2"', b'"id":"A1"'), "(?i)unique"),
        (swap(ACCOUNTS, b'"name":"Bar"', b'"nom":"Bar"'), "not the columns"),
        (swap(ACCOUNTS, b'"annual_value":0.0', b'"annual_value":"much"'), "annual_value is no float"),
        (swap(ACCOUNTS, b'"annual_value":0.0', b'"annual_value":NaN'), "NaN is no number"),
        (swap(ACCOUNTS, b'"annual_value":0.0', b'"annual_value":-1.0'), "makes no sense"),
        (swap(ACCOUNTS, b'"name":"Bar"', b'"name":null'), "name is empty"),
        (swap(ACCOUNTS, b'"name":"Bar"', b'"name":"a\\u0000b"'), "NUL"),
        (swap(ACCOUNTS, b'"name":"Bar"', b'"name":"\\ud800"'), "surrogate"),
        (swap(ACCOUNTS, b'"last_visit":null', b'"last_visit":"soon"'), "does not fit"),
        (swap(USERS, b'"admin"', b'"emperor"'), "makes no sense"),
        (swap(ACCOUNTS, b"\n", b"\n[]\n"), "holds no row"),
        (swap(ACCOUNTS, b"\n", b"\n" + b"[" * 100_000 + b"\n"), "is no JSON"),
        (put(ACCOUNTS, b""), "not as many rows"),
    ],
)
def test_an_archive_that_is_not_what_it_should_be_changes_nothing(
    saved: Path, target: SqlStore, tmp_path: Path, change: Change, message: str
) -> None:
    home = tmp_path / "inside" / "other"
    with pytest.raises((BackupError, StorageError), match=message):
        restore(forged(saved, change), target, home, Actor("me"))
    with target.read() as unit:
        assert unit.users.find() == []
        assert unit.audit_log.entries() == []
    assert not home.exists() or list(home.iterdir()) == []
    assert [path.name for path in tmp_path.rglob("*evil*")] == []


def test_a_damaged_archive_is_refused_before_anything_is_changed(saved: Path, source: SqlStore, home: Path) -> None:
    broken = saved.with_name("broken.zip")
    content = saved.read_bytes()
    middle = content.index(b"tables/accounts.jsonl") + 60
    for damaged in (
        b"",
        b"no zip",
        content[: len(content) // 2],
        content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
    ):
        broken.write_bytes(damaged)
        with pytest.raises(BackupError, match=r"damaged|no backup"):
            restore(broken, source, home, Actor("me"), replace=True)
    with pytest.raises(BackupError, match="not what was saved"):
        restore(forged(saved, swap(ACCOUNTS, b"Bar", b"Pub"), honest=False), source, home, Actor("me"), replace=True)
    with source.read() as unit:
        assert len(unit.records("town").accounts()) == 2


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(saved: Path, target: SqlStore, tmp_path: Path) -> None:
    of_first = {"reps", "accounts", "opportunities", "locations", "plans"}

    def older(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        for table in set(manifest["rows"]) - of_first:
            del members[f"tables/{table}.jsonl"], manifest["rows"][table]
        contact = ("contact_name", "contact_email", "contact_phone")
        for table, newer in (
            ("reps", ("languages", "overnight")),
            ("accounts", contact),
            ("opportunities", contact[2:]),
        ):
            rows = [json.loads(line) for line in members[f"tables/{table}.jsonl"].splitlines()]
            for row in rows:
                for column in newer:
                    del row[column]
            members[f"tables/{table}.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        manifest.update(schema="0001", audit_entries=0, audit_head="")

    restore(forged(saved, older), target, tmp_path / "other", Actor("me"))
    with target.read() as unit:
        assert [account.id for account in unit.records("town").accounts()] == ["A1", "A2"]
        assert unit.plans("town").latest() == replace(PLAN, version=1)
        assert [entry.action for entry in unit.audit_log.entries()] == ["backup.restored"]


# ---- the commands


def test_the_commands_save_and_bring_back(home: Path, tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{home}/fieldvisit.sqlite")) as store:
        fill(store)
    file, other = str(tmp_path / "saved.zip"), str(tmp_path / "other")
    done = CliRunner().invoke(main, ["--home", str(home), "backup", file])
    assert done.exit_code == 0, done.output
    assert "1 built area," in done.output
    assert "read again and found whole" in done.output
    done = CliRunner().invoke(main, ["--home", other, "restore", file])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["--home", other, "restore", file])
    assert (done.exit_code, "--replace" in done.output) == (1, True)
    assert CliRunner().invoke(main, ["--home", other, "restore", file, "--replace"]).exit_code == 0
    done = CliRunner().invoke(main, ["--home", other, "restore", str(tmp_path / "nothing.zip")])
    assert (done.exit_code, "No such file" in done.output) == (1, True)
