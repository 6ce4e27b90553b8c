"""What the field did in a period: visits a day, on time at promises, the share of driving, planned against done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from planner.activities.punctuality import owed_in_time, promises_of
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.kpi.domain import Activity, RepActivity
from planner.planned_days import planned_days
from planner.repository import UnitOfWork
from planner.snapshot import zone_of

_NUMBERS = tuple(field.name for field in fields(RepActivity) if field.name not in ("rep_id", "name"))


def activity(
    unit: UnitOfWork, area: str, first_day: date, last_day: date, now: datetime, rep: str | None = None
) -> Activity:
    """What the reps who are seen did from one day to another, or one of them.

    Of plans only days that are over count: today may still become what was planned.
    """
    everybody = unit.records(area).reps()
    today = now.astimezone(zone_of(everybody) or ZoneInfo("UTC")).date()
    reps = {each.id: RepActivity(each.id, each.name) for each in everybody if rep in (None, each.id)}
    visits = _visits(unit, area, first_day, last_day, frozenset(reps))
    planned = _planned(unit, area, first_day, min(last_day, today - timedelta(days=1)), frozenset(reps), visits)
    kept = _kept(unit, area, first_day, last_day, frozenset(reps), visits, now)
    found = [
        _worked(who, _made(visits.get(id_, {}).values()), planned.get(id_, {}), kept.get(id_, {}))
        for id_, who in reps.items()
    ]
    whole = _worked(RepActivity("", ""), {name: sum(getattr(each, name) for each in found) for name in _NUMBERS})
    return Activity(first_day, last_day, whole, tuple(found))


def _worked(who: RepActivity, *numbers: Mapping[str, int]) -> RepActivity:
    known: dict[str, Any] = {name: number for some in numbers for name, number in some.items()}
    return replace(who, **known)


_Visits = Mapping[str, Mapping[tuple[date, str], FieldVisit]]


def _visits(unit: UnitOfWork, area: str, first: date, last: date, reps: frozenset[str]) -> _Visits:
    found: defaultdict[str, dict[tuple[date, str], FieldVisit]] = defaultdict(dict)
    for visit in unit.field_visits.within("day", first, last, area=area, rep_id=reps):
        found[visit.rep_id][visit.day, visit.visit_id] = visit
    return found


def _made(visits: Iterable[FieldVisit]) -> dict[str, int]:
    reported = [visit for visit in visits if visit.disposition is not None]
    made = sum(visit.disposition is Disposition.MET for visit in reported)
    return {"days": len({visit.day for visit in reported}), "made": made, "tried": len(reported) - made}


def _planned(
    unit: UnitOfWork, area: str, first: date, last: date, reps: frozenset[str], visits: _Visits
) -> dict[str, dict[str, int]]:
    """Of the plans as they stood on their days."""
    begun = min((plan.first_day for plan in unit.plans(area).list() if plan.published_at is not None), default=None)
    if begun is None or last < max(first, begun):
        return {}
    counted: defaultdict[str, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("planned", "done", "drive_s", "away_s"), 0)
    )
    for (rep, day), planned in planned_days(unit, area, max(first, begun), last, reps).days.items():
        made = {id_ for (on, id_), visit in visits.get(rep, {}).items() if on == day and visit.over}
        ids, of_rep = planned.ids(made), counted[rep]
        of_rep["planned"] += len(ids)
        of_rep["done"] += len(made.intersection(ids))
        if planned.visits:
            of_rep["drive_s"] += planned.drive_s
            of_rep["away_s"] += planned.away_s
    return counted


def _kept(
    unit: UnitOfWork, area: str, first: date, last: date, reps: frozenset[str], visits: _Visits, now: datetime
) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = {}
    for (rep, day), owed in promises_of(unit, area, first, last, reps).items():
        told = [owed_in_time(each, visits.get(rep, {}).get((day, each.visit_id)), now) for each in owed]
        known = [in_time for in_time in told if in_time is not None]
        before = counted.setdefault(rep, {"promised": 0, "on_time": 0})
        before["promised"] += len(known)
        before["on_time"] += sum(known)
    return counted
