"""Records as rows of the driver, so that thousands are compared and written in milliseconds.

Turning records into what the database's driver takes is most of the work of writing them, and it needs no database: it
is done before the transaction (`SqlStore.prepared`), since everybody else who writes waits during it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeEngine

from planner.domain import Record, RecordKind
from planner.repository import Change
from planner.storage.column_types import Json
from planner.storage.tables import RECORD_TABLES
from planner.storage.values import checked

R = TypeVar("R", bound=Record)
Row = tuple[Any, ...]
"""The values of a record's columns, without the area, as the driver takes and gives them."""

MOST_IDS = 1000
"""In one query, since databases bound the number of parameters; of more records the whole area is read."""


class Prepared(list[R]):
    """Records together with their rows."""

    def __init__(self, records: Sequence[R], dialect: Dialect) -> None:
        super().__init__(records)
        self.rows = [_shape(record.kind, dialect).row(record) for record in records]


BETWEEN_SIDES = frozenset(
    [
        *("value", "probability", "need", "budget", "authority", "timeline", "qualified_at", "first_action_days"),
        *("contact_phone", "inside_rep", "notes", "attributes"),
        *("source", "lead_at", "contacted_at"),
    ]
)
"""The columns of an opportunity that only inside sales, the field and the next plan read: no day that stands is made
with them, nor the directory of who is there already. Every handoff writes them."""


def save_all(connection: Connection, area: str, records: Prepared[R]) -> tuple[list[Change], bool]:
    """Add or update the records of an area; tell what became of each, and whether the area's stamp goes up."""
    changes, for_days = [Change.UNCHANGED] * len(records), False
    for kind in RecordKind:
        numbers = [number for number, record in enumerate(records) if record.kind is kind]
        if not numbers:
            continue
        shape = _shape(kind, connection.dialect)
        known = shape.stored(connection, area, {records[number].id for number in numbers})
        written: dict[str, Row] = {}
        for number in numbers:
            row, record_id = records.rows[number], records[number].id
            before = known.get(record_id)
            if before is None:
                changes[number] = Change.ADDED
                for_days |= kind is RecordKind.REP
            elif changed := shape.changed(before, row):
                changes[number] = Change.CHANGED
                for_days |= kind is not RecordKind.OPPORTUNITY or not changed <= BETWEEN_SIDES
            else:
                continue
            known[record_id] = written[record_id] = row
        shape.write(connection, area, written.values())
    return changes, for_days


class _Shape:
    """The columns of one kind of record on one kind of database."""

    def __init__(self, kind: RecordKind, dialect: Dialect) -> None:
        self._table = RECORD_TABLES[kind]
        self._columns = [column for column in self._table.c if column.name != "area"]
        self._names = ["area", *(column.name for column in self._columns)]
        self._json = [isinstance(column.type, Json) for column in self._columns]
        self._to_driver = [_to_driver(column.type, dialect) for column in self._columns]
        self._one_statement = dialect.name == "postgresql"  # a statement a row takes three times as long there
        quote = dialect.identifier_preparer.quote
        names = [quote(name) for name in self._names]
        if self._one_statement:
            json_ = dict(zip(names, (False, *self._json), strict=True))
            types = [column.type.compile(dialect) for column in (self._table.c.area, *self._columns)]
            given = ", ".join(
                f"{name} {'TEXT' if json_[name] else type_}" for name, type_ in zip(names, types, strict=True)
            )
            chosen = ", ".join(f"{name}::JSON" if json_[name] else name for name in names)
            values = f"SELECT {chosen} FROM json_to_recordset(%s) AS given({given})"
        else:
            values = f"VALUES ({', '.join('?' * len(names))})"
        self._upsert = (
            f"INSERT INTO {quote(self._table.name)} ({', '.join(names)}) {values} "
            f"ON CONFLICT (area, id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
        )

    def row(self, record: Record) -> Row:
        values = checked(self._table, {column.name: getattr(record, column.name) for column in self._columns})
        return tuple(process(value) for process, value in zip(self._to_driver, values.values(), strict=True))

    def stored(self, connection: Connection, area: str, ids: set[str]) -> dict[str, Row]:
        """The rows of an area by id: at least those with these ids."""
        columns = [
            sa.cast(column, sa.Text) if is_json else sa.type_coerce(column, sa.types.NullType())
            for column, is_json in zip(self._columns, self._json, strict=True)
        ]
        query = sa.select(*columns).where(self._table.c.area == area)
        if len(ids) <= MOST_IDS:
            query = query.where(self._table.c.id.in_(ids))
        found: Iterable[Row] = (tuple(row) for row in connection.execute(query))
        return {row[0]: row for row in found}

    def changed(self, one: Row, other: Row) -> set[str]:
        """The columns in which two rows hold other values; the keys of JSON may stand in any order."""
        if one == other:
            return set()
        return {
            column.name
            for column, a, b, is_json in zip(self._columns, one, other, self._json, strict=True)
            if not (a == b or (is_json and a is not None and b is not None and json.loads(a) == json.loads(b)))
        }

    def write(self, connection: Connection, area: str, rows: Iterable[Row]) -> None:
        parameters = [(area, *row) for row in rows]
        if not parameters:
            return
        if self._one_statement:
            given = [dict(zip(self._names, row, strict=True)) for row in parameters]
            connection.exec_driver_sql(self._upsert, (json.dumps(given, default=str),))
        else:
            connection.exec_driver_sql(self._upsert, parameters)


def _to_driver(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    if isinstance(type_, Json):
        return lambda value: None if value is None else json.dumps(type_.to_json(value))
    return type_.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


@lru_cache
def _shape(kind: RecordKind, dialect: Dialect) -> _Shape:
    return _Shape(kind, dialect)
