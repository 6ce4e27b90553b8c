"""Tables become reps, accounts and opportunities; a row that cannot is refused and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from planner.domain import MAX_NOTES, Account, Address, Opportunity, Record, Rep
from planner.errors import IntakeError, InvalidRecordError
from planner.intake.cells import (
    date_order,
    decimal_mark,
    parse_answer,
    parse_date,
    parse_identifier,
    parse_local_time,
    parse_money,
    parse_phone,
    parse_share,
    parse_skills,
    parse_time,
    parse_time_range,
    parse_timeline,
    parse_weekdays,
    parse_whole,
    parse_yes_no,
)
from planner.intake.tables import Row, Table

R = TypeVar("R", bound=Record)

MAX_VALUE_CHARS = 100
"""Of a number, date or other cell that is read as a value rather than kept as text."""
MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was not imported. `line` counts as an editor does; `field` is empty for a whole row."""

    file: str
    line: int
    record_id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed(Generic[R]):
    """What a table held: every row that is not blank is either in `records` or in `refusals`."""

    records: Sequence[R]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Format:
    """The columns of one kind of file, the id first, and the columns whose domain field has another name."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    renamed: Mapping[str, str]


_REPS = _Format(
    ("rep_id", "name", "start_address", "timezone", "work_days", "work_start", "work_end"),
    ("email", "end_address", "break_minutes", "break_window", "skills", "max_visits_per_day", "languages", "overnight"),
    {"id": "rep_id"},
)
_PLACE = ("city", "postcode", "country")
_CONTACT = ("contact_name", "contact_email", "contact_phone")
_ACCOUNTS = _Format(
    ("account_id", "name", "address"),
    (
        *_PLACE,
        *("category", "segment", "owner_rep_id", "cadence_days", "last_visit", "last_order", "annual_value"),
        *("visit_minutes", "opening_hours", *_CONTACT),
    ),
    {"id": "account_id", "street": "address"},
)
_OPPORTUNITIES = _Format(
    ("opportunity_id", "name", "address"),
    (
        *_PLACE,
        *("account_id", *_CONTACT, "value", "probability"),
        *("source", "lead_at", "contacted_at"),
        *("budget", "authority", "need", "timeline", "qualified_at", "first_action_days", "visit_minutes"),
        *("required_skills", "availability", "appointment", "inside_rep", "notes"),
    ),
    {"id": "opportunity_id", "street": "address"},
)
_MOMENTS = ("lead_at", "contacted_at", "qualified_at", "appointment")


def parse_reps(table: Table) -> Parsed[Rep]:
    """The reps of a table. Raises IntakeError when a required column is missing."""

    def build(row: Row) -> Rep:
        return Rep(
            id=_rep_id(row),
            name=row.text("name"),
            email=row.text("email"),
            start_address=_rep_address(row, "start_address"),
            end_address=_end_address(row),
            timezone=_value(row, "timezone"),
            work_days=parse_weekdays("work_days", _value(row, "work_days")),
            work_start=parse_time("work_start", _value(row, "work_start")),
            work_end=parse_time("work_end", _value(row, "work_end")),
            break_minutes=parse_whole("break_minutes", _value(row, "break_minutes")) or 0,
            break_window=parse_time_range("break_window", _value(row, "break_window")),
            skills=parse_skills(row.text("skills")),
            max_visits_per_day=parse_whole("max_visits_per_day", _value(row, "max_visits_per_day")),
            languages=parse_skills(row.text("languages")),
            overnight=parse_yes_no("overnight", _value(row, "overnight")),
            attributes=_attributes(table, _REPS, row),
        )

    return _parse(table, _REPS, build)


def parse_accounts(table: Table) -> Parsed[Account]:
    """The accounts of a table. Raises IntakeError when a required column is missing."""
    visits, orders = (date_order(table.column(name)) for name in ("last_visit", "last_order"))
    mark = decimal_mark(table.column("annual_value"))

    def build(row: Row) -> Account:
        return Account(
            id=parse_identifier("account_id", row.text("account_id")),
            name=row.text("name"),
            address=_address(row),
            category=row.text("category"),
            segment=row.text("segment"),
            owner_rep_id=row.text("owner_rep_id"),
            cadence_days=parse_whole("cadence_days", _value(row, "cadence_days")),
            last_visit=parse_date("last_visit", _value(row, "last_visit"), visits),
            last_order=parse_date("last_order", _value(row, "last_order"), orders),
            annual_value=parse_money("annual_value", _value(row, "annual_value"), mark),
            visit_minutes=parse_whole("visit_minutes", _value(row, "visit_minutes")),
            opening_hours=row.text("opening_hours"),
            contact_name=row.text("contact_name"),
            contact_email=row.text("contact_email"),
            contact_phone=parse_phone("contact_phone", row.text("contact_phone")),
            attributes=_attributes(table, _ACCOUNTS, row),
        )

    return _parse(table, _ACCOUNTS, build)


def parse_opportunities(table: Table, zone: ZoneInfo | None) -> Parsed[Opportunity]:
    """The opportunities of a table; their times of day are local to `zone` (see `parse_local_time`).

    Raises IntakeError when a required column is missing.
    """
    orders = {name: date_order(table.column(name)) for name in _MOMENTS}
    mark = decimal_mark(table.column("value"))

    def moment(row: Row, name: str) -> datetime | None:
        return parse_local_time(name, _value(row, name), orders[name], zone)

    def build(row: Row) -> Opportunity:
        return Opportunity(
            id=parse_identifier("opportunity_id", row.text("opportunity_id")),
            name=row.text("name"),
            address=_address(row),
            account_id=row.text("account_id"),
            contact_name=row.text("contact_name"),
            contact_email=row.text("contact_email"),
            contact_phone=parse_phone("contact_phone", row.text("contact_phone")),
            value=parse_money("value", _value(row, "value"), mark),
            probability=parse_share("probability", _value(row, "probability")),
            budget=parse_answer("budget", _value(row, "budget")),
            authority=parse_answer("authority", _value(row, "authority")),
            need=parse_answer("need", _value(row, "need")),
            timeline=parse_timeline(row.text("timeline")),
            first_action_days=parse_whole("first_action_days", _value(row, "first_action_days")),
            visit_minutes=parse_whole("visit_minutes", _value(row, "visit_minutes")),
            required_skills=parse_skills(row.text("required_skills")),
            availability=row.text("availability"),
            inside_rep=row.text("inside_rep"),
            notes=row.text("notes"),
            source=row.text("source"),
            lead_at=moment(row, "lead_at"),
            contacted_at=moment(row, "contacted_at"),
            qualified_at=moment(row, "qualified_at"),
            appointment=moment(row, "appointment"),
            attributes=_attributes(table, _OPPORTUNITIES, row),
        )

    return _parse(table, _OPPORTUNITIES, build)


def _parse(table: Table, format_: _Format, build: Callable[[Row], R]) -> Parsed[R]:
    missing = [column for column in format_.required if column not in table.columns]
    if missing:
        raise IntakeError(
            f"{table.file} has no column {', '.join(missing)}; its columns are {', '.join(table.columns.values()):.500}"
        )
    records: list[R] = []
    refusals: list[Refusal] = []
    lines: dict[str, int] = {}
    id_column = format_.required[0]
    for row in table.rows:
        try:
            if row.problem:
                raise row.problem
            record = build(row)
            if record.id in lines:
                raise InvalidRecordError(id_column, f"is the same as on line {lines[record.id]}, which counts")
        except InvalidRecordError as error:
            field = format_.renamed.get(error.field, error.field)
            shown = "".join(c if c.isprintable() else "\ufffd" for c in row.text(id_column)[:MAX_VALUE_CHARS])
            refusals.append(Refusal(table.file, row.line, shown, field, error.message[:MAX_REASON_CHARS]))
        else:
            lines[record.id] = row.line
            records.append(record)
    return Parsed(tuple(records), tuple(refusals), tuple(_notes(table, format_)))


def _notes(table: Table, format_: _Format) -> list[str]:
    notes = []
    if table.encoding in ("cp932", "cp1252"):
        name = {"cp932": "Shift_JIS", "cp1252": "Windows-1252"}[table.encoding]
        notes.append(f"read as {name}; save it as UTF-8 if letters come out wrong")
    if absent := [column for column in format_.optional if column not in table.columns]:
        notes.append(f"columns that the file does not have, left empty: {', '.join(absent)}")
    if unknown := [name for key, name in table.columns.items() if key not in format_.required + format_.optional]:
        notes.append(f"columns kept as attributes: {', '.join(unknown)}")
    if not table.rows:
        notes.append("the file has a header and no rows")
    return notes


def _value(row: Row, column: str) -> str:
    text = row.text(column)
    if len(text) > MAX_VALUE_CHARS:
        raise InvalidRecordError(column, f"is {len(text):,} characters long, which no value of this column can be")
    return text


def _attributes(table: Table, format_: _Format, row: Row) -> dict[str, str]:
    known = format_.required + format_.optional
    kept = {table.columns[key]: text for key, text in row.cells.items() if text and key not in known}
    for name, text in kept.items():
        if len(text) > MAX_NOTES:
            raise InvalidRecordError(name, f"is {len(text):,} characters long, at most {MAX_NOTES:,} are kept")
    return kept


def _address(row: Row) -> Address:
    return Address(row.text("address"), row.text("city"), row.text("postcode"), row.text("country"))


def _rep_id(row: Row) -> str:
    text = parse_identifier("rep_id", row.text("rep_id"))
    if "/" in text:  # "<rep id>/end" names the place where the rep's day ends
        raise InvalidRecordError("rep_id", "holds a slash")
    return text


def _rep_address(row: Row, column: str) -> Address:
    try:
        return Address(row.text(column))
    except InvalidRecordError as error:
        raise InvalidRecordError(column, error.message) from error


def _end_address(row: Row) -> Address | None:
    end = _rep_address(row, "end_address")
    return end if end.street and end != _rep_address(row, "start_address") else None
