"""A coverage as it is stored: the customers as columns of JSON, and a summary that a page reads without them.

Reading ten thousand customers takes some fifty milliseconds the first time and ten after that: the text is the same
again and again, and the customers in it are read once. A summary takes two or three.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from statistics import median
from typing import Any

from planner.coverage.domain import (
    AccountCover,
    Coverage,
    CoverageState,
    RepCapacity,
    StoredCoverage,
    TerritoryCover,
)
from planner.coverage.measures import Group, HeldCadence, Row, figures_by, held_cadences

FORMAT = 2
"""Of the row; what another program wrote in another one is not read, but worked out anew."""

_PLAIN = ("account_id", "name", "lat", "lon", "overdue_days", "drive_minutes", "annual_value")
_TABLED = (
    *("segment", "rep_id", "territory_id", "state", "planned_rep", "unreached", "why"),
    *("cadence_days", "visits_a_month", "service_minutes"),
)
"""Few different values: each is told once, and by its number in every account."""
_DAYS = ("visits", "planned_days")
"""Of all accounts in one row, as days from that of the report, and how many of them each account has."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a coverage: what a page tells that lists no customers.

    Attributes:
        made_at: when it was worked out, in UTC; the others as in `Coverage`.
        rows: the figures by each group.
        held: see `planner.coverage.measures.held_cadences`.
        overdue_median: days since the cadence of the overdue customers ran out; None where there are none.
    """

    area: str
    as_of: date
    zone: str
    made_at: datetime
    plan_version: int | None
    first_day: date | None
    last_day: date | None
    reps: tuple[RepCapacity, ...]
    rows: Mapping[Group, tuple[Row, ...]]
    held: tuple[HeldCadence, ...]
    overdue_median: float | None
    notes: tuple[str, ...]

    @property
    def total(self) -> Row:
        """The area's figures."""
        return self.rows[Group.AREA][0]


def summary_of(coverage: Coverage, made_at: datetime) -> Summary:
    overdue = [account.overdue_days for account in coverage.accounts if account.state is CoverageState.OVERDUE]
    return Summary(
        area=coverage.area,
        as_of=coverage.as_of,
        zone=coverage.zone,
        made_at=made_at,
        plan_version=coverage.plan_version,
        first_day=coverage.first_day,
        last_day=coverage.last_day,
        reps=coverage.reps,
        rows={by: tuple(rows) for by, rows in figures_by(coverage, Group).items()},
        held=tuple(held_cadences(coverage)),
        overdue_median=median(overdue) if overdue else None,
        notes=coverage.notes,
    )


def pack(coverage: Coverage, key: str, made_at: datetime) -> StoredCoverage:
    """The row of a coverage."""
    summary = summary_of(coverage, made_at)
    told = {
        "format": FORMAT,
        "zone": coverage.zone,
        "plan_version": coverage.plan_version,
        "first_day": _text(coverage.first_day),
        "last_day": _text(coverage.last_day),
        "reps": [asdict(rep) for rep in coverage.reps],
        "territories": [asdict(territory) for territory in coverage.territories],
        "rows": {by: [asdict(row) for row in rows] for by, rows in summary.rows.items()},
        "held": [asdict(held) for held in summary.held],
        "overdue_median": summary.overdue_median,
        "notes": list(coverage.notes),
        "handoff_days": coverage.handoff_days,
    }
    return StoredCoverage(coverage.area, key, made_at, coverage.as_of, told, _columns(coverage))


def unpack(row: StoredCoverage) -> Coverage:
    """The coverage in a row of our `FORMAT`."""
    summary = read_summary(row.area, row.as_of, row.made_at, row.summary)
    return Coverage(
        area=row.area,
        as_of=row.as_of,
        zone=summary.zone,
        plan_version=summary.plan_version,
        first_day=summary.first_day,
        last_day=summary.last_day,
        accounts=_accounts(row.accounts, row.as_of),
        reps=summary.reps,
        territories=tuple(TerritoryCover(**territory) for territory in row.summary["territories"]),
        notes=summary.notes,
        handoff_days=row.summary["handoff_days"],
    )


def read_summary(area: str, as_of: date, made_at: datetime, told: Mapping[str, Any]) -> Summary:
    """The summary in a row of our `FORMAT`."""
    return Summary(
        area=area,
        as_of=as_of,
        zone=told["zone"],
        made_at=made_at,
        plan_version=told["plan_version"],
        first_day=_day(told["first_day"]),
        last_day=_day(told["last_day"]),
        reps=tuple(RepCapacity(**rep) for rep in told["reps"]),
        rows={by: tuple(Row(**row) for row in told["rows"][by]) for by in Group},
        held=tuple(HeldCadence(**held) for held in told["held"]),
        overdue_median=told["overdue_median"],
        notes=tuple(told["notes"]),
    )


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _columns(coverage: Coverage) -> str:
    accounts, as_of = coverage.accounts, coverage.as_of
    columns: dict[str, Any] = {name: [getattr(account, name) for account in accounts] for name in _PLAIN}
    tables: dict[str, list[str | float]] = {}
    for name in _TABLED:
        values = [getattr(account, name) for account in accounts]
        number = {value: i for i, value in enumerate(dict.fromkeys(values))}
        tables[name] = list(number)
        columns[name] = [number[value] for value in values]
    columns["due_on"] = [account.due_on and (account.due_on - as_of).days for account in accounts]
    for name in _DAYS:
        of_each = [getattr(account, name) for account in accounts]
        columns[name] = [(day - as_of).days for days in of_each for day in days]
        columns[f"{name}_each"] = [len(days) for days in of_each]
    return json.dumps({"columns": columns, "tables": tables}, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4)
def _accounts(text: str, as_of: date) -> tuple[AccountCover, ...]:
    """Remembered by the very text, so that nobody gets another area's or yesterday's."""
    packed = json.loads(text)
    columns, tables = packed["columns"], packed["tables"]
    tables["state"] = [CoverageState(state) for state in tables["state"]]
    for name in _TABLED:
        columns[name] = list(map(tables[name].__getitem__, columns[name]))
    day = _Days(as_of)
    columns["due_on"] = [None if offset is None else day[offset] for offset in columns["due_on"]]
    for name in _DAYS:
        days = tuple(map(day.__getitem__, columns[name]))
        ends = list(accumulate(columns[f"{name}_each"], initial=0))
        columns[name] = [days[start:end] for start, end in pairwise(ends)]
    return tuple(map(AccountCover, *(columns[field.name] for field in fields(AccountCover))))


class _Days(dict[int, date]):
    """Days by their distance from one, each made once."""

    def __init__(self, as_of: date) -> None:
        super().__init__()
        self._as_of = as_of

    def __missing__(self, offset: int) -> date:
        day = self[offset] = self._as_of + timedelta(days=offset)
        return day
