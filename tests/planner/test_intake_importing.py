"""Importing files: every row is accounted for, and importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from planner.errors import ConflictError, IntakeError
from planner.intake import FileReport, import_files, import_tables, read_records, read_table
from planner.storage import SqlStore, open_store

REPS = """rep_id,name,start_address,timezone,work_days,work_start,work_end
R1,Ada,1 High Street,Europe/London,Mo-Fr,09:00,17:30
R2,Bob,2 High Street,Europe/London,Mo-Fr,09:00,17:30
R3,Cy,3 High Street,Europe/Helsinki,Mo-Fr,09:00,17:30
"""
ACCOUNTS = """account_id,name,address,owner_rep_id,visit_minutes
A1,Bar,1 Lee Way,R1,30
A2,Pub,2 Lee Way,R9,30
A3,Inn,3 Lee Way,R9,-30
"""
OPPORTUNITIES = """opportunity_id,account_id,name,address,appointment
O1,A1,Bar,1 Lee Way,2026-07-01T13:00Z
O2,A7,Den,4 Lee Way,
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    yield store
    store.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.csv" for name in ("reps", "accounts", "opportunities")}
    for path, text in zip(paths.values(), (REPS, ACCOUNTS, OPPORTUNITIES), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.refused


def test_every_row_is_counted_once(store: SqlStore, files: dict[str, Path]) -> None:
    report = import_files(store, "town", **files)
    assert [file.file for file in report.files] == ["reps.csv", "accounts.csv", "opportunities.csv"]
    assert [counts(file) for file in report.files] == [(3, 0, 0, 0), (2, 0, 0, 1), (2, 0, 0, 0)]
    assert [(r.file, r.line, r.record_id, r.field) for r in report.refusals] == [
        ("accounts.csv", 4, "A3", "visit_minutes")
    ]


def test_importing_twice_changes_nothing(store: SqlStore, files: dict[str, Path]) -> None:
    import_files(store, "town", **files)
    with store.read() as unit:
        before = [*unit.records("town").reps(), *unit.records("town").accounts(), *unit.records("town").opportunities()]
    again = import_files(store, "town", **files)
    assert [counts(file) for file in again.files] == [(0, 0, 3, 0), (0, 0, 2, 1), (0, 0, 2, 0)]
    with store.read() as unit:
        after = [*unit.records("town").reps(), *unit.records("town").accounts(), *unit.records("town").opportunities()]
    assert before == after


def test_a_changed_row_updates_its_record_and_leaves_the_others(store: SqlStore, files: dict[str, Path]) -> None:
    import_files(store, "town", **files)
    files["accounts"].write_text(ACCOUNTS.replace("Pub", "Public House"), encoding="utf-8")
    (report,) = import_files(store, "town", accounts=files["accounts"]).files
    assert counts(report) == (0, 1, 1, 1)
    with store.read() as unit:
        assert [account.name for account in unit.records("town").accounts()] == ["Bar", "Public House"]


def test_areas_do_not_share_records(store: SqlStore, files: dict[str, Path]) -> None:
    import_files(store, "town", **files)
    (report,) = import_files(store, "city", accounts=files["accounts"]).files
    assert report.added == 2


def test_an_owner_and_an_account_that_nobody_knows_are_noted(store: SqlStore, files: dict[str, Path]) -> None:
    _, accounts, opportunities = import_files(store, "town", **files).files
    assert "owner_rep_id 'R9' is no known rep: A2" in accounts.notes
    assert "account_id 'A7' is no known account: O2" in opportunities.notes


def test_times_are_local_to_the_zone_of_most_reps(store: SqlStore, files: dict[str, Path]) -> None:
    import_files(store, "town", **files)
    with store.read() as unit:
        first = unit.records("town").opportunities()[0]
    assert first.appointment == datetime.fromisoformat("2026-07-01T14:00")


def test_times_that_were_read_for_a_former_time_zone_are_not_kept(store: SqlStore, files: dict[str, Path]) -> None:
    handed = read_table(files["opportunities"])
    tables = read_records([], reps=read_table(files["reps"]), opportunities=handed)
    moved = REPS.replace("Europe/London", "Europe/Helsinki").replace("R1", "R7").replace("R2", "R8")
    files["reps"].write_text(moved, encoding="utf-8")
    import_files(store, "town", reps=files["reps"])
    with pytest.raises(ConflictError, match="time zone"), store.write() as unit:
        import_tables(unit, "town", tables)
    with store.read() as unit:
        assert unit.records("town").opportunities() == []
        assert len(unit.records("town").reps()) == 3


def test_a_file_that_is_no_table_keeps_all_files_out(store: SqlStore, files: dict[str, Path]) -> None:
    files["opportunities"].write_text("name\nBar\n")
    with pytest.raises(IntakeError, match=r"opportunities\.csv has no column opportunity_id, address"):
        import_files(store, "town", **files)
    with store.read() as unit:
        assert unit.records("town").reps() == []


def test_the_newport_files_import_without_a_refusal(store: SqlStore) -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "newport"
    if not folder.is_dir():
        pytest.skip("the Newport data is not here")
    paths = {name: folder / f"{name}.csv" for name in ("reps", "accounts", "opportunities")}
    first = import_files(store, "newport", **paths)
    assert [counts(file) for file in first.files] == [(6, 0, 0, 0), (565, 0, 0, 0), (120, 0, 0, 0)]
    contacts = "contact_name, contact_email, contact_phone"
    absent = ("languages, overnight", contacts, "contact_phone, source, lead_at, contacted_at")  # the files are older
    notes = [(f"columns that the file does not have, left empty: {columns}",) for columns in absent]
    assert [file.notes for file in first.files] == notes
    second = import_files(store, "newport", **paths)
    assert [counts(file) for file in second.files] == [(0, 0, 6, 0), (0, 0, 565, 0), (0, 0, 120, 0)]
