"""A disk that is full or may not be written: writes are refused, reads go on, and nothing is damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from test_storage import BAR

from planner.errors import StorageUnavailableError
from planner.storage import SqlStore, open_store

MANY = [replace(BAR, id=str(number), name="x" * 900) for number in range(300)]


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/x.sqlite")
    yield store
    store.close()


def whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_on_a_full_disk_writes_are_refused_and_reads_go_on(on_disk: SqlStore, tmp_path: Path) -> None:
    with on_disk.write(audited=False) as unit:
        unit.records("town").save(BAR)

    def no_room(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages if full else 1 << 30}")

    full = True
    engine = on_disk._engine
    sa.event.listen(engine, "checkout", no_room)
    with pytest.raises(StorageUnavailableError, match="disk is full"), on_disk.write(audited=False) as unit:
        unit.records("town").save_all(MANY)
    with on_disk.read() as unit:
        assert unit.records("town").accounts() == [BAR]
    assert whole(tmp_path / "x.sqlite")
    full = False
    with on_disk.write(audited=False) as unit:
        unit.records("town").save_all(MANY)
    with on_disk.read() as unit:
        assert len(unit.records("town").accounts()) == 301


FILE_TOO_LARGE = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_storage_trouble import BAR, MANY, StorageUnavailableError, open_store
store = open_store(sys.argv[2])
with store.write(audited=False) as unit:
    unit.records("town").save(BAR)
largest = max(path.stat().st_size for path in Path(sys.argv[3]).iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 20_000, resource.RLIM_INFINITY))
for _ in range(3):
    try:
        with store.write(audited=False) as unit:
            unit.records("town").save_all(MANY)
    except StorageUnavailableError:
        pass
    else:
        sys.exit("nothing was refused")
    with store.read() as unit:
        assert unit.records("town").accounts() == [BAR]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with store.write(audited=False) as unit:
    unit.records("town").save_all(MANY)
"""


def test_a_write_that_the_system_breaks_off_damages_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    url = f"sqlite:///{tmp_path}/x.sqlite"
    subprocess.run(
        [sys.executable, "-c", FILE_TOO_LARGE, str(Path(__file__).parent), url, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
        timeout=120,
    )
    assert whole(tmp_path / "x.sqlite")
    with closing(open_store(url)) as store, store.read() as unit:
        assert len(unit.records("town").accounts()) == 301


def test_a_database_that_may_not_be_written_says_so(on_disk: SqlStore, tmp_path: Path) -> None:
    def read_only(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    sa.event.listen(on_disk._engine, "checkout", read_only)
    with pytest.raises(StorageUnavailableError, match="read-only"), on_disk.write(audited=False) as unit:
        unit.records("town").save(BAR)
    with on_disk.read() as unit:
        assert unit.records("town").accounts() == []


def test_a_lock_file_that_cannot_be_made_is_named(on_disk: SqlStore, tmp_path: Path) -> None:
    lock = tmp_path / "x.sqlite.lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StorageUnavailableError, match=r"x\.sqlite\.lock"), on_disk.write():
        pass


def test_the_log_that_a_long_reader_made_grow_shrinks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.storage.engine._SQLITE", ("journal_mode=WAL", "journal_size_limit=100000"))
    log = tmp_path / "x.sqlite-wal"
    with closing(open_store(f"sqlite:///{tmp_path}/x.sqlite")) as store:

        def write(name: str) -> None:
            with store.write(audited=False) as unit:
                unit.records("town").save_all([replace(one, name=name * 900) for one in MANY])

        with store.read() as unit:
            unit.users.find()
            for name in "abcdefghijkl":
                write(name)
            assert log.stat().st_size > 4_000_000
        write("m")
        write("n")
        assert log.stat().st_size < 1_500_000
