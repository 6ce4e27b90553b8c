"""All rows out of a database and into another one, which may be of the other kind, or the rows of an older schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from planner.errors import StorageError
from planner.repository import Values
from planner.storage.column_types import Utc
from planner.storage.migrating import SCHEMA, migrations, upgrade
from planner.storage.tables import METADATA
from planner.storage.values import checked

_AT_ONCE = 500


def lasting_tables() -> list[sa.Table]:
    """Those that are copied: who is logged in just now, or alive, is of no use elsewhere or later."""
    return [table for table in METADATA.sorted_tables if table.info.get("lasting", True)]


def rows_out(connection: Connection) -> dict[str, Iterator[Values]]:
    """The rows of every table, in the order of their keys, while the transaction is open."""
    return {table.name: _rows(connection, table) for table in lasting_tables()}


def is_empty(connection: Connection) -> bool:
    return not any(connection.scalar(sa.select(sa.exists(sa.select(table)))) for table in lasting_tables())


def rows_in(connection: Connection, schema: str, tables: Mapping[str, Iterable[Values]]) -> None:
    """Put the rows of a database of that schema in place of all that there is, and bring them to the newest shape.

    Raises:
        StorageError: the schema is none that this program knows, or a row does not fit into its table.
    """
    if schema not in migrations():
        raise StorageError(f"it was written by a newer fieldvisit (schema {schema}); update this one")
    _drop_all(connection)
    upgrade(connection, schema)
    there = _ours(connection)
    passing = {"alembic_version", *METADATA.tables} - {table.name for table in lasting_tables()}
    if tables.keys() != there.keys() - passing:
        raise StorageError(f"it has not the tables of schema {schema}")
    for name, rows in tables.items():
        _fill(connection, there[name], rows)
    if schema != SCHEMA:
        upgrade(connection, SCHEMA)


def _rows(connection: Connection, table: sa.Table) -> Iterator[Values]:
    columns = [_plain(column) for column in table.c]
    query = sa.select(*columns).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(query):
        yield {
            column.name: value.isoformat() if isinstance(value, date | time) else value
            for column, value in zip(table.c, row, strict=True)
        }


def _plain(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """As the database has it: a value that our classes would refuse must not keep the others from being saved."""
    if isinstance(column.type, sa.TypeDecorator) and not isinstance(column.type, Utc):
        return sa.type_coerce(column, column.type.impl_instance)
    return column


def _drop_all(connection: Connection) -> None:
    for table in _ours(connection).values():
        table.drop(connection)
    if connection.dialect.name == "postgresql":  # SQLite's triggers go with their tables
        connection.execute(sa.text("DROP FUNCTION IF EXISTS audit_only_grows"))


def _ours(connection: Connection) -> dict[str, sa.Table]:
    """The tables that are there and ours, as the database describes them; others may share it with us."""
    ours = {"alembic_version", *METADATA.tables}
    there = sa.MetaData()
    there.reflect(connection, only=lambda name, _: name in ours)
    return dict(there.tables)


def _fill(connection: Connection, table: sa.Table, rows: Iterable[Values]) -> None:
    for column in table.c:
        if isinstance(column.type, sa.JSON):
            column.type.none_as_null = True
    sqlite, numbered = connection.dialect.name == "sqlite", enumerate(rows, start=1)
    while batch := [_decoded(table, number, row, sqlite) for number, row in islice(numbered, _AT_ONCE)]:
        connection.execute(table.insert(), batch)


def _decoded(table: sa.Table, number: int, row: Values, sqlite: bool) -> dict[str, Any]:
    where = f"row {number} of {table.name}"
    if row.keys() != {column.name for column in table.c}:
        raise StorageError(f"{where} has not the columns of its table")
    try:
        return checked(table, {column.name: _value(column, row[column.name], sqlite) for column in table.c})
    except (TypeError, ValueError, StorageError) as error:
        raise StorageError(f"{where} does not fit: {error}") from error


def _value(column: sa.Column[Any], value: Any, sqlite: bool) -> Any:
    if value is None or isinstance(column.type, sa.JSON):
        if value is None and not column.nullable:
            raise ValueError(f"{column.name} is empty")
        return value
    kind = column.type.python_type
    if kind in (date, time, datetime):
        value = kind.fromisoformat(value)
        if sqlite and isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(UTC).replace(tzinfo=None)  # it keeps no zones
        return value
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise ValueError(f"{column.name} is no {kind.__name__}")
    return value
