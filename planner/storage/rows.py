"""Dataclasses as rows: get, find, put and remove by key, the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from planner.storage.transaction import Transaction
from planner.storage.values import checked, is_text

T = TypeVar("T")


class SqlRows(Generic[T]):
    """The rows of one table, whose columns are named as the fields of a dataclass; satisfies `repository.Rows`."""

    def __init__(self, transaction: Transaction, table: sa.Table, cls: type[T]) -> None:
        self._transaction = transaction
        self._table = table
        self._cls = cls
        self._names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        self._key = [column.name for column in table.primary_key.columns]

    def get(self, *key: object) -> T | None:
        found = self.find(**dict(zip(self._key, key, strict=True)))
        return found[0] if found else None

    def find(self, **equal: object) -> list[T]:
        # Sorted here because databases disagree about the order of texts.
        return sorted(self._read(self._query(equal)), key=self._key_of)

    def latest(self, field: str, limit: int, *, before: tuple[datetime, str] | None = None, **equal: object) -> list[T]:
        order, query = [self._table.c[name] for name in (field, *self._key)], self._query(equal)
        if before is not None:
            (at, key), (moment, last) = order, before
            query = query.where(sa.or_(at < moment, sa.and_(at == moment, key < last)))
        return self._read(query.order_by(*(column.desc() for column in order)).limit(limit))

    def within(self, field: str, first: object, last: object, **equal: object) -> list[T]:
        return sorted(self._read(self._within(field, first, last, equal)), key=self._key_of)

    def columns(
        self, fields: Sequence[str], field: str, first: object, last: object, **equal: object
    ) -> list[tuple[Any, ...]]:
        query = self._within(field, first, last, equal)
        chosen = query.with_only_columns(*(self._table.c[name] for name in fields), maintain_column_froms=True)
        return [tuple(row) for row in self._transaction.connection.execute(chosen)]

    def count(self, **equal: object) -> int:
        counted = self._query(equal).with_only_columns(sa.func.count(), maintain_column_froms=True)
        return int(self._transaction.connection.execute(counted).scalar_one())

    def _within(self, field: str, first: object, last: object, equal: Mapping[str, object]) -> sa.Select[Any]:
        return self._query(equal).where(self._table.c[field].between(first, last))

    def _query(self, equal: Mapping[str, object]) -> sa.Select[Any]:
        query = sa.select(self._table).where(*self._in_scope())
        asked = [part for value in equal.values() for part in (value if isinstance(value, frozenset) else (value,))]
        if not all(is_text(value) for value in asked if isinstance(value, str)):
            return query.where(sa.false())  # no database keeps such a text, and none may be asked for it
        return query.where(*(self._equals(name, value) for name, value in equal.items()))

    def _equals(self, name: str, value: object) -> sa.ColumnElement[bool]:
        column = self._table.c[name]
        return column.in_(sorted(value)) if isinstance(value, frozenset) else column == value

    def _read(self, query: sa.Select[Any]) -> list[T]:
        rows = self._transaction.connection.execute(query).mappings()
        return [self._cls(**{name: row[name] for name in self._names}) for row in rows]

    def put(self, row: T) -> None:
        self._transaction.about_to_write(self._table)
        values = checked(self._table, {name: getattr(row, name) for name in self._names})
        here = self._is(self._key_of(row))
        connection = self._transaction.connection
        if connection.execute(self._table.update().where(*here).values(**values)).rowcount == 0:
            connection.execute(self._table.insert().values(**values))

    def remove(self, *key: object) -> None:
        self._transaction.about_to_write(self._table)
        self._transaction.connection.execute(self._table.delete().where(*self._is(key)))

    def remove_before(self, field: str, moment: datetime, limit: int | None = None, **equal: object) -> int:
        self._transaction.about_to_write(self._table)
        key = tuple(self._table.primary_key.columns)
        is_old = sa.and_(self._table.c[field] < moment, *(self._table.c[name] == equal[name] for name in equal))
        condition = is_old if limit is None else sa.tuple_(*key).in_(sa.select(*key).where(is_old).limit(limit))
        return self._transaction.connection.execute(self._table.delete().where(condition)).rowcount

    def _key_of(self, row: T) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in self._key)

    def _is(self, key: tuple[object, ...]) -> list[sa.ColumnElement[bool]]:
        return [self._table.c[name] == value for name, value in zip(self._key, key, strict=True)]

    def _in_scope(self) -> list[sa.ColumnElement[bool]]:
        scope, columns = self._transaction.actor.scope, self._table.c
        conditions: list[sa.ColumnElement[bool]] = []
        if scope.area is not None and self._table.info.get("scoped"):
            conditions.append(columns.area == scope.area)
        if scope.inside_rep is not None and self._table.info.get("field_only"):
            conditions.append(sa.false())
        # What belongs to an inside rep is theirs whatever rep it is about.
        if scope.inside_rep is not None and "inside_rep" in columns:
            conditions.append(columns.inside_rep == scope.inside_rep.casefold())
        elif scope.reps is not None and "rep_id" in columns:
            theirs = columns.rep_id.in_(sorted(scope.reps))
            nobodys = scope.unassigned and self._table.info.get("maybe_nobodys")
            conditions.append(theirs | (columns.rep_id == "") if nobodys else theirs)
        return conditions
