"""Many records at once, from files or as JSON, with every row accounted for as `fieldvisit import` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from planner.access import Permission
from planner.domain import Record, Rep
from planner.errors import InvalidRecordError
from planner.intake import (
    UPLOADED,
    Parsed,
    ReadTable,
    ReadTables,
    Refusal,
    import_tables,
    read_records,
    read_table,
)
from planner.repository import UnitOfWork
from planner.snapshot import zone_of
from webui.api.operation import Reply, Write, operation, store
from webui.api.record_models import AccountRecord, OpportunityRecord, RepRecord
from webui.api.records import area_named
from webui.api.values import Model
from webui.bodies import UPLOAD_BYTES, body_up_to
from webui.policy import allow, viewer

E = TypeVar("E", RepRecord, AccountRecord, OpportunityRecord)

KINDS = ("reps", "accounts", "opportunities")

MOST = 5_000


class ImportBody(Model):
    """Records of one, two or all three kinds. They are imported together."""

    reps: Annotated[list[RepRecord], Field(max_length=MOST)] = Field(default_factory=list)
    accounts: Annotated[list[AccountRecord], Field(max_length=MOST)] = Field(default_factory=list)
    opportunities: Annotated[list[OpportunityRecord], Field(max_length=MOST)] = Field(default_factory=list)


class RefusedRow(Model):
    """A row that was not imported."""

    line: Annotated[int, Field(description="As an editor counts; in JSON the entry's place in its list, from 1.")]
    record_id: str
    field: Annotated[str, Field(description="The column; empty for the whole row.")]
    reason: str


class ImportedFile(Model):
    """What became of one file or list."""

    file: Annotated[str, Field(description="reps, accounts or opportunities.")]
    added: int
    changed: int
    unchanged: int
    refused: list[RefusedRow]
    notes: list[str]


class ImportResult(Model):
    """What became of every row."""

    files: list[ImportedFile]


@operation(
    "POST",
    "/areas/<area>/imports",
    {200: ImportResult},
    tag="records",
    form=KINDS,
)
@allow(Permission.WRITE_RECORDS)
@body_up_to(UPLOAD_BYTES)
def import_records(area: str, body: ImportBody | None = None, files: Mapping[str, Path] | None = None) -> Write:
    """Add and update many records.

    As `multipart/form-data` with a CSV or XLSX file in one or more of the fields `reps`, `accounts` and `opportunities`
    (docs/data-formats.md has the columns), or as JSON. A row that cannot be kept is refused by line, field and reason,
    and the others go on; a record that nothing mentions stays as it is.
    """
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        team = unit.records(known).reps()
    if files is not None:
        tables = read_records(
            team, *(read_table(files[kind], limits=UPLOADED) if kind in files else None for kind in KINDS)
        ).prepared(store())
    else:
        tables = _from_json(body or ImportBody(), team).prepared(store())

    def write(unit: UnitOfWork) -> Reply:
        report = import_tables(unit, known, tables)
        return Reply(
            ImportResult(
                files=[
                    ImportedFile.of(
                        file,
                        refused=[RefusedRow.of(refusal) for refusal in file.refusals],
                        notes=list(file.notes),
                    )
                    for file in report.files
                ]
            )
        )

    return write


def _from_json(body: ImportBody, team: Sequence[Rep]) -> ReadTables:
    reps = _read("reps", body.reps, None)
    everybody = {rep.id: rep for rep in team} | {rep.id: rep for rep in reps.parsed.records if isinstance(rep, Rep)}
    zone = zone_of(everybody.values())
    return ReadTables(
        reps if body.reps else None,
        _read("accounts", body.accounts, zone) if body.accounts else None,
        _read("opportunities", body.opportunities, zone) if body.opportunities else None,
        zone,
    )


def _read(kind: str, entries: Sequence[E], zone: ZoneInfo | None) -> ReadTable[Any]:
    """The records of a list; of two with one id the first counts, as in a file."""
    records: dict[str, Record] = {}
    refusals: list[Refusal] = []
    for line, entry in enumerate(entries, start=1):
        try:
            record = entry.as_record(entry.key, zone)
            if record.id in records:
                raise InvalidRecordError(entry.renamed["id"], "is the same as of an entry above, which counts")
            records[record.id] = record
        except InvalidRecordError as error:
            refusals.append(Refusal(kind, line, entry.key, error.field, error.message))
    return ReadTable(kind, Parsed(tuple(records.values()), tuple(refusals), ()))
