"""The use case: files of records into the store, in one transaction, with every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from planner.access import SYSTEM, Actor
from planner.domain import Record
from planner.intake.records import Parsed, Refusal, parse_accounts, parse_opportunities, parse_reps
from planner.intake.tables import read_table
from planner.repository import Change, Records, Store
from planner.snapshot import zone_of

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file: its rows by outcome, the refused ones in full, and what a person should know."""

    path: Path
    added: int
    changed: int
    unchanged: int
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]

    @property
    def refused(self) -> int:
        return len(self.refusals)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The reports of the files that were given, in the order reps, accounts, opportunities."""

    files: tuple[FileReport, ...]

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(refusal for file in self.files for refusal in file.refusals)


def import_files(
    store: Store,
    area: str,
    reps: Path | None = None,
    accounts: Path | None = None,
    opportunities: Path | None = None,
    actor: Actor = SYSTEM,
) -> ImportReport:
    """Import the files that are given into an area, all of them or, when one cannot be read as a table, none.

    Times of day of the opportunities are local to the zone that most reps of the area are in. An owner that is no known
    rep, and an account of an opportunity that is no known account, are noted and do not keep a record out.

    Raises:
        IntakeError: a file is missing, empty, too large, or lacks a required column.
        StorageError: the store refused.
    """
    tables = {path: read_table(path) for path in (reps, accounts, opportunities) if path}
    files: list[FileReport] = []
    with store.write(actor) as unit:
        records = unit.records(area)
        if reps:
            files.append(_save(records, reps, parse_reps(tables[reps])))
        if accounts:
            customers = parse_accounts(tables[accounts])
            known = {rep.id for rep in records.reps()}
            strangers = _strangers(customers.records, known, lambda account: account.owner_rep_id)
            notes = [f"owner_rep_id {owner!r} is no known rep: {ids}" for owner, ids in strangers]
            files.append(_save(records, accounts, customers, notes))
        if opportunities:
            handed = parse_opportunities(tables[opportunities], zone_of(records.reps()))
            known = {account.id for account in records.accounts()}
            strangers = _strangers(handed.records, known, lambda opportunity: opportunity.account_id)
            notes = [f"account_id {account!r} is no known account: {ids}" for account, ids in strangers]
            files.append(_save(records, opportunities, handed, notes))
        unit.audit(
            "records.imported",
            area=area,
            files=[{"file": f.path.name, "added": f.added, "changed": f.changed, "refused": f.refused} for f in files],
        )
    return ImportReport(tuple(files))


def _save(records: Records, path: Path, parsed: Parsed[R], notes: Iterable[str] = ()) -> FileReport:
    changes = Counter(records.save(record) for record in parsed.records)
    return FileReport(
        path=path,
        added=changes[Change.ADDED],
        changed=changes[Change.CHANGED],
        unchanged=changes[Change.UNCHANGED],
        refusals=parsed.refusals,
        notes=(*parsed.notes, *notes),
    )


def _strangers(records: Iterable[R], known: set[str], mentioned: Callable[[R], str]) -> list[tuple[str, str]]:
    """Ids that records mention and nobody knows, each with the ids of the records that do."""
    found: dict[str, list[str]] = {}
    for record in records:
        other = mentioned(record)
        if other and other not in known:
            found.setdefault(other, []).append(record.id)
    return [(other, ", ".join(ids)) for other, ids in found.items()]
