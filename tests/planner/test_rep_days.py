"""Notes on a rep's day: two people write at once, and neither loses what they wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from threading import Barrier, Thread

import pytest

from planner.access import Actor, Scope
from planner.domain import Address, Rep
from planner.errors import InvalidRecordError, NotFoundError
from planner.rep_days import NoteChangedError, RepDayNote, read_note, write_note
from planner.storage import SqlStore, open_store

MONDAY = date(2026, 11, 30)
ANN = Rep("ann", "Ann", "", Address("1 High Street"), None, "Europe/London", frozenset({0}), time(9), time(17))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with store.write(audited=False) as unit:
        unit.records("town").save(ANN)
    yield store
    store.close()


def write(store: SqlStore, text: str, revision: int, rep: str = "ann") -> RepDayNote:
    with store.write() as unit:
        return write_note(unit, "town", rep, MONDAY, text, revision)


def present(store: SqlStore) -> RepDayNote:
    with store.read() as unit:
        return read_note(unit, "town", "ann", MONDAY)


def test_a_day_without_a_note_has_an_empty_one(store: SqlStore) -> None:
    assert present(store) == RepDayNote("town", "ann", MONDAY, 0, "")


def test_each_change_is_a_revision_and_stands_in_the_audit_log_without_its_text(store: SqlStore) -> None:
    write(store, "car in the garage\r\nuntil ten\n", 0)
    assert write(store, "car is back", 1).revision == 2
    assert present(store).text == "car is back"
    with store.read() as unit:
        entries = unit.audit_log.entries()
    assert [(entry.action, entry.subject, entry.area) for entry in entries] == [
        ("note.written", "ann 2026-11-30", "town")
    ] * 2
    assert "garage" not in str(entries)


def test_who_saw_an_older_note_is_told_what_it_says_now_and_overwrites_nothing(store: SqlStore) -> None:
    write(store, "hers", 0)
    with pytest.raises(NoteChangedError) as refused:
        write(store, "his", 0)
    assert refused.value.present.text == present(store).text == "hers"
    assert refused.value.present.revision == 1


def test_writing_what_it_says_already_is_no_conflict_and_no_change(store: SqlStore) -> None:
    write(store, "the same", 0)
    assert write(store, "the same ", 0).revision == 1


def test_a_note_can_be_emptied(store: SqlStore) -> None:
    write(store, "gone soon", 0)
    assert write(store, "", 1) == RepDayNote("town", "ann", MONDAY, 2, "")


def test_nobody_writes_on_the_day_of_a_rep_who_does_not_exist(store: SqlStore) -> None:
    with pytest.raises(NotFoundError):
        write(store, "hello", 0, rep="bob")
    with store.read() as unit:
        assert unit.rep_day_notes.find() == []


def test_nobody_writes_on_the_day_of_a_rep_out_of_their_scope(store: SqlStore) -> None:
    stranger = Actor("user:b", Scope(area="town", reps=frozenset({"bob"}), unassigned=False))
    with pytest.raises(NotFoundError), store.write(stranger) as unit:
        write_note(unit, "town", "ann", MONDAY, "hello", 0)


@pytest.mark.parametrize("text", ["x" * 2001, "a\0b"])
def test_a_text_that_cannot_be_kept_is_refused(store: SqlStore, text: str) -> None:
    with pytest.raises(InvalidRecordError):
        write(store, text, 0)


def test_lines_that_many_add_at_once_are_all_there(store: SqlStore) -> None:
    together = Barrier(4)

    def add_lines(writer: int) -> None:
        together.wait()
        for number in range(20):
            while True:
                seen = present(store)
                try:
                    write(store, f"{seen.text}\n{writer}.{number}", seen.revision)
                    break
                except NoteChangedError:
                    continue

    writers = [Thread(target=add_lines, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    expected = sorted(f"{writer}.{number}" for writer in range(4) for number in range(20))
    assert sorted(present(store).text.split()) == expected
    assert present(store).revision == 80
