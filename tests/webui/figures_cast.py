"""A coverage as a job would have stored it, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from planner.coverage.domain import AccountCover, Coverage, CoverageState, RepCapacity, TerritoryCover
from planner.coverage.packing import pack
from planner.repository import UnitOfWork

TODAY = date(2026, 11, 30)
MADE_AT = datetime(2026, 11, 30, 4, 30, tzinfo=UTC)


def cover(id: str = "A1", rep: str = "ann", **changes: Any) -> AccountCover:
    """A customer of segment A who was met ten days ago and is to be met every two weeks."""
    usual: dict[str, Any] = {
        "account_id": id,
        "name": f"Customer {id}",
        "segment": "A",
        "rep_id": rep,
        "territory_id": "",
        "lat": 60.17,
        "lon": 24.95,
        "state": CoverageState.VISITED,
        "cadence_days": 14,
        "due_on": TODAY + timedelta(days=4),
        "overdue_days": 0,
        "visits": (TODAY - timedelta(days=10),),
        "planned_days": (),
        "planned_rep": "",
        "unreached": "",
        "why": "",
        "visits_a_month": 2.0,
        "service_minutes": 40,
        "drive_minutes": 20.0,
        "annual_value": 1000.0,
    }
    return AccountCover(**(usual | changes))


def overdue(id: str, days: int, rep: str = "ann", **changes: Any) -> AccountCover:
    """One whose cadence ran out so many days ago."""
    due = TODAY - timedelta(days=days)
    late = {"state": CoverageState.OVERDUE, "due_on": due, "overdue_days": days, "visits": (due - timedelta(days=14),)}
    return cover(id, rep, **(late | changes))


def capacity(rep: str = "ann", needed: float = 30.0, there: float = 120.0, **changes: Any) -> RepCapacity:
    """A rep who needs so many hours a month, all of them for visits, and has so many."""
    usual: dict[str, Any] = {"name": rep.title(), "visits": needed * 60, "driving": 0.0, "opportunities": 0.0}
    return RepCapacity(rep_id=rep, there=there * 60, **(usual | changes))


def coverage(
    accounts: Sequence[AccountCover] = (),
    reps: Sequence[RepCapacity] = (capacity(),),
    territories: Sequence[TerritoryCover] = (),
    area: str = "helsinki",
    **changes: Any,
) -> Coverage:
    """Of an area whose reps see a plan of the week."""
    usual: dict[str, Any] = {
        "as_of": TODAY,
        "zone": "Europe/Helsinki",
        "plan_version": 1,
        "first_day": TODAY,
        "last_day": TODAY + timedelta(days=4),
        "notes": (),
    }
    kept = usual | changes
    return Coverage(area=area, accounts=tuple(accounts), reps=tuple(reps), territories=tuple(territories), **kept)


def keep(unit: UnitOfWork, made: Coverage, key: str = "") -> None:
    unit.coverages.put(pack(made, key, MADE_AT))
