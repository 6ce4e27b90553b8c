"""What the use cases ask of a store: records, locations and plan versions of an area, and one unit of work.

`planner.storage` keeps these in a database; tests may keep them in dictionaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from planner.domain import Account, Location, Opportunity, Record, Rep


class Change(StrEnum):
    """What writing a record did."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version of an area's plan, over `days` calendar days. `document` is plan.json as text; None in listings."""

    version: int
    area: str
    first_day: date
    days: int
    created_at: datetime
    published_at: datetime | None
    visits: int
    unplanned: int
    drive_s: int
    document: str | None = None


class Records(Protocol):
    """The records and locations of one area, each list in the order of ids."""

    def reps(self) -> list[Rep]: ...
    def accounts(self) -> list[Account]: ...
    def opportunities(self) -> list[Opportunity]: ...
    def save(self, record: Record) -> Change:
        """Add the record or update the one with its kind and id; a record equal to the stored one is UNCHANGED."""
        ...

    def locations(self) -> list[Location]: ...
    def save_locations(self, locations: Sequence[Location]) -> None:
        """Add or replace by kind and record id."""
        ...


class Plans(Protocol):
    """The plan versions of one area."""

    def add(self, plan: StoredPlan) -> int:
        """Store a new version (the given `version` is ignored) and return its number, 1 and up within the area."""
        ...

    def list(self) -> list[StoredPlan]:
        """Newest first, without documents."""
        ...

    def get(self, version: int) -> StoredPlan:
        """Raises NotFoundError."""
        ...

    def latest(self, *, published: bool = False) -> StoredPlan | None:
        """The newest version, or the one published last; with its document."""
        ...

    def publish(self, version: int, at: datetime) -> None:
        """Mark a version as the one that reps see. Raises NotFoundError."""
        ...


class UnitOfWork(Protocol):
    """All that one use case reads and writes; committed together when its block ends without an exception."""

    def records(self, area: str) -> Records: ...
    def plans(self, area: str) -> Plans: ...


class Store(Protocol):
    """Where units of work come from."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """A consistent snapshot; writing through it is an error."""
        ...

    def write(self) -> AbstractContextManager[UnitOfWork]:
        """One write transaction at a time; rolled back when the block raises."""
        ...

    def close(self) -> None:
        """Let go of what the store holds open; it is not used after that."""
        ...
