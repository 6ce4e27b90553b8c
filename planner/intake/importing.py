"""The use case: tables of records into the store, in one transaction, with every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from planner.access import SYSTEM, Actor
from planner.domain import Account, Opportunity, Record, Rep
from planner.errors import ConflictError
from planner.intake.records import Parsed, Refusal, parse_accounts, parse_opportunities, parse_reps
from planner.intake.tables import Table, read_table
from planner.repository import Change, Records, Store, UnitOfWork
from planner.snapshot import zone_of

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file: its rows by outcome, the refused ones in full, and what a person should know."""

    file: str
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


@dataclass(frozen=True, slots=True)
class ReadTable(Generic[R]):
    """What one table held, and the name under which that is reported."""

    file: str
    parsed: Parsed[R]


@dataclass(frozen=True, slots=True)
class ReadTables:
    """Tables of which every row is a record or a refusal. Times of the opportunities are local to `zone`."""

    reps: ReadTable[Rep] | None
    accounts: ReadTable[Account] | None
    opportunities: ReadTable[Opportunity] | None
    zone: ZoneInfo | None

    def prepared(self, store: Store) -> ReadTables:
        """The same with all that can be done for storing them before the write transaction, for which others wait."""
        return replace(
            self,
            reps=_prepared(store, self.reps),
            accounts=_prepared(store, self.accounts),
            opportunities=_prepared(store, self.opportunities),
        )


def _prepared(store: Store, read: ReadTable[R] | None) -> ReadTable[R] | None:
    return read and replace(read, parsed=replace(read.parsed, records=store.prepared(read.parsed.records)))


def read_records(
    known_reps: Iterable[Rep],
    reps: Table | None = None,
    accounts: Table | None = None,
    opportunities: Table | None = None,
) -> ReadTables:
    """Turn the tables that are given into records, which takes seconds for large ones and needs no transaction.

    Times of day of the opportunities are local to the zone that most reps are in, `known_reps` and new ones.

    Raises:
        IntakeError: a table lacks a required column.
    """
    team = ReadTable(reps.file, parse_reps(reps)) if reps else None
    everybody = {rep.id: rep for rep in [*known_reps, *(team.parsed.records if team else ())]}
    zone = zone_of(everybody.values())
    return ReadTables(
        team,
        ReadTable(accounts.file, parse_accounts(accounts)) if accounts else None,
        ReadTable(opportunities.file, parse_opportunities(opportunities, zone)) if opportunities else None,
        zone,
    )


def import_tables(unit: UnitOfWork, area: str, tables: ReadTables) -> ImportReport:
    """Add and update the records of an area.

    An owner that is no known rep, and an account of an opportunity that is no known account, are noted and do not keep
    a record out.

    Raises:
        ConflictError: the area's time zone has changed since the tables were read.
    """
    records = unit.records(area)
    files: list[FileReport] = []
    if tables.reps:
        files.append(_save(records, tables.reps))
    if tables.accounts:
        known = {rep.id for rep in records.reps()}
        strangers = _strangers(tables.accounts.parsed.records, known, lambda account: account.owner_rep_id)
        notes = [f"owner_rep_id {owner!r} is no known rep: {ids}" for owner, ids in strangers]
        files.append(_save(records, tables.accounts, notes))
    if tables.opportunities:
        if zone_of(records.reps()) != tables.zone:
            raise ConflictError("the reps and with them the time zone have changed meanwhile: import again")
        known = {account.id for account in records.accounts()}
        strangers = _strangers(tables.opportunities.parsed.records, known, lambda opportunity: opportunity.account_id)
        notes = [f"account_id {account!r} is no known account: {ids}" for account, ids in strangers]
        files.append(_save(records, tables.opportunities, notes))
    unit.audit(
        "records.imported",
        area=area,
        files=[{"file": f.file, "added": f.added, "changed": f.changed, "refused": f.refused} for f in files],
    )
    return ImportReport(tuple(files))


def import_files(
    store: Store,
    area: str,
    reps: Path | None = None,
    accounts: Path | None = None,
    opportunities: Path | None = None,
    actor: Actor = SYSTEM,
) -> ImportReport:
    """Import the files that are given into an area, all of them or, when one cannot be read as a table, none.

    Raises:
        IntakeError: a file is missing, empty, too large, or lacks a required column.
        StorageError: the store refused.
    """
    found = [read_table(path) if path else None for path in (reps, accounts, opportunities)]
    with store.read(actor.scope) as unit:
        known_reps = unit.records(area).reps()
    tables = read_records(known_reps, *found).prepared(store)
    with store.write(actor) as unit:
        return import_tables(unit, area, tables)


def _save(records: Records, read: ReadTable[R], notes: Sequence[str] = ()) -> FileReport:
    changes = Counter(records.save_all(read.parsed.records))
    return FileReport(
        file=read.file,
        added=changes[Change.ADDED],
        changed=changes[Change.CHANGED],
        unchanged=changes[Change.UNCHANGED],
        refusals=read.parsed.refusals,
        notes=(*read.parsed.notes, *notes),
    )


def _strangers(records: Iterable[R], known: set[str], mentioned: Callable[[R], str]) -> list[tuple[str, str]]:
    """Ids that records mention and nobody knows, each with the ids of the records that do."""
    found: dict[str, list[str]] = {}
    for record in records:
        other = mentioned(record)
        if other and other not in known:
            found.setdefault(other, []).append(record.id)
    return [(other, _shortened(ids)) for other, ids in found.items()]


def _shortened(ids: Sequence[str]) -> str:
    """The first few of many ids."""
    shown = 20
    more = len(ids) - shown
    return ", ".join(ids[:shown]) + (f" and {more:,} more" if more > 0 else "")
