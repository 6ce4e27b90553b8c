"""What happens to transactions: races, failures, killed processes, snapshots, waiting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from storage_races import kill_writers, race
from test_storage import BAR, NOON, PLAN

from planner.domain import Record
from planner.errors import StorageError, StorageUnavailableError
from planner.repository import Change, UnitOfWork
from planner.storage import SqlStore, open_store


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


def test_a_process_killed_in_a_unit_of_work_leaves_nothing(store: SqlStore, url: str, tmp_path: Path) -> None:
    script = f"""
import os, signal
from planner.storage import open_store
from tests_storage_cast import BAR
with open_store({url!r}).write(audited=False) as unit:
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


def test_two_processes_and_their_threads_lose_none_of_their_writes(empty_url: str) -> None:
    # Nobody has made the database yet: both processes also race to do that.
    script = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from planner.domain import Account, Address
from planner.storage import open_store
store = open_store({empty_url!r})
def book(number):
    with store.write(audited=False) as unit:
        records = unit.records("town")
        seen = records.accounts()
        visits = int(seen[0].name) if seen else 0
        records.save(Account("A1", str(visits + 1), Address("1 Lee Way")))
with ThreadPoolExecutor(2) as threads:
    list(threads.map(book, range(30)))
"""
    started = [subprocess.Popen([sys.executable, "-c", script], env=_environment()) for _ in range(2)]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    with closing(open_store(empty_url)) as store, store.read() as unit:
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


def test_a_write_that_is_not_audited_is_refused_unless_it_says_so(store: SqlStore) -> None:
    with pytest.raises(StorageError, match="audit log"), store.write() as unit:
        unit.records("town").save(BAR)
    with store.write() as unit:
        assert unit.records("town").save(BAR) == Change.ADDED
        unit.audit("record.saved", "A1")


def test_a_writer_that_is_kept_waiting_too_long_gives_up_and_the_next_one_goes_on(url: str) -> None:
    with closing(open_store(url)) as store, closing(open_store(url, patience_s=0.05)) as hasty:
        with store.write() as held:
            held.audit("a.b")
            with ThreadPoolExecutor(1) as other, pytest.raises(StorageUnavailableError, match="another writer"):
                other.submit(_save, hasty, BAR).result()
            with hasty.read() as unit:
                assert unit.audit_log.latest(1) == []
        _save(hasty, BAR)


def test_a_link_to_the_database_has_the_same_turn(tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(tmp_path, target_is_directory=True)
    with (
        closing(open_store(f"sqlite:///{tmp_path}/x.sqlite")) as store,
        closing(open_store(f"sqlite:///{link}/x.sqlite", patience_s=0.05)) as other,
        store.write(),
        ThreadPoolExecutor(1) as thread,
        pytest.raises(StorageUnavailableError, match="another writer"),
    ):
        thread.submit(_save, other, BAR).result()


def test_a_process_that_was_forked_in_the_middle_of_a_write_does_not_keep_the_turn(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/x.sqlite", patience_s=5)) as store:
        with store.write():
            # As fork does: the same open file, one more time.
            copies = [os.dup(int(name)) for name in os.listdir("/proc/self/fd") if _is_lock(name)]
        assert copies
        _save(store, BAR)
        for copy in copies:
            os.close(copy)


@pytest.mark.parametrize("how", ["in_turn", "as_seen"])
def test_of_racing_writes_to_one_day_none_is_lost_and_none_fails(url: str, how: str) -> None:
    result = race(url, how, processes=4, writes=25)
    assert (result.lost, result.errors) == (0, [])


def test_a_killed_writer_loses_nothing_that_was_acknowledged_and_its_retry_does_nothing_twice(url: str) -> None:
    result = kill_writers(url, kills=5)
    assert result.acknowledged > 0
    assert (result.lost, result.duplicates) == (0, 0)


def test_many_threads_take_turns(store: SqlStore) -> None:
    barrier = threading.Barrier(4)

    def write(_: int) -> None:
        barrier.wait()
        with store.write() as unit:
            unit.audit("a.b")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(8)))
    with store.read() as unit:
        assert [entry.seq for entry in unit.audit_log.entries()] == list(range(1, 9))


def _is_lock(name: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{name}").endswith(".sqlite.lock")
    except OSError:
        return False


def _save(store: SqlStore, record: Record) -> None:
    with store.write(audited=False) as unit:
        unit.records("town").save(record)


def _environment(*folders: Path) -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (root, *folders)))}
