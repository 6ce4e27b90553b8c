"""What was planned for days that have passed: of each day by the plan that counted, cheaply.

Documents are large, and whoever looks back over weeks needs little of each: that little is kept by the document's hash.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

from planner.repository import UnitOfWork
from planner.visit_ids import due_day

DayKey = tuple[str, date]
"""A rep's id and a day."""

MOST_KNOWN = 64


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A stop of a plan; `begin` has its zone."""

    visit_id: str
    kind: str
    name: str
    record_ids: tuple[str, ...]
    begin: datetime


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A rep's day.

    Attributes:
        visits: as the plan has them that was published last of those that cover the day.
        order: ids of the visits that stand on it since it was changed; None where it never was.
        drive_s, away_s: by that plan, all driving, and from leaving home until being back.
    """

    rep_id: str
    day: date
    visits: tuple[PlannedVisit, ...] = ()
    order: tuple[str, ...] | None = None
    drive_s: int = 0
    away_s: int = 0

    def ids(self, touched: Collection[str] = ()) -> list[str]:
        """The visits of the day: what was taken out of it for another day is not among them, what was added is.

        `touched` are ids of visits that were made, or left out on the day: they were of this day in any case.
        """
        planned = [visit.visit_id for visit in self.visits]
        if self.order is None:
            return planned
        stay = [id_ for id_ in planned if id_ in self.order or id_ in touched]
        return list(dict.fromkeys([*stay, *(id_ for id_ in self.order if not id_.startswith("booking:"))]))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that has no visit in a plan: the reason's code and sentence, as plan.json has them.

    `due` is the day that it is due where it is the second or a later visit to its customer.
    """

    record_ids: tuple[str, ...]
    kind: str
    name: str
    reason: str
    sentence: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedDays:
    """What was planned; `left_out` is of the plan that counted on the last of the days."""

    days: Mapping[DayKey, PlannedDay]
    left_out: tuple[LeftOut, ...] = ()


def planned_days(
    unit: UnitOfWork, area: str, first: date, last: date, reps: frozenset[str] | None = None
) -> PlannedDays:
    """What was planned from one day to another, of some reps or of all.

    Args:
        unit: sees the whole area: in a scope, a plan's listing costs what reading all its documents does.
    """
    versions, days, left_out = dict[date, int](), dict[DayKey, PlannedDay](), tuple[LeftOut, ...]()
    open_ = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    published = [plan for plan in unit.plans(area).list() if plan.published_at is not None]
    for plan in sorted(published, key=lambda plan: str(plan.published_at), reverse=True):
        its = {day for day in open_ if 0 <= (day - plan.first_day).days < plan.days}
        if not its:
            continue
        known = _known(unit.plans(area).get(plan.version).document or "")
        open_ -= its
        versions |= dict.fromkeys(its, plan.version)
        days |= {(rep, day): found for (rep, day), found in known.days.items() if day in its}
        if last in its:
            left_out = known.left_out
    of_reps = {} if reps is None else {"rep_id": reps}
    changed = unit.changed_days.columns(
        ("rep_id", "day", "plan_version", "order"), "day", first, last, area=area, **of_reps
    )
    for rep, day, version, order in changed:
        if version in (0, versions.get(day)):  # 0: of a day that stayed as it was when another plan was published
            before = days.get((rep, day), PlannedDay(rep, day))
            days[rep, day] = replace(before, order=tuple(order))
    if reps is not None:
        days = {key: day for key, day in days.items() if key[0] in reps}
    return PlannedDays(days, left_out)


@dataclass
class _Memory:
    """What the documents say that were read last; many threads ask."""

    known: OrderedDict[bytes, PlannedDays] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)


_MEMORY = _Memory()


def _known(document: str) -> PlannedDays:
    key = hashlib.sha256(document.encode("utf-8", "surrogatepass")).digest()
    with _MEMORY.lock:
        if key in _MEMORY.known:
            _MEMORY.known.move_to_end(key)
            return _MEMORY.known[key]
    read = _read(document)
    with _MEMORY.lock:
        _MEMORY.known[key] = read
        while len(_MEMORY.known) > MOST_KNOWN:
            _MEMORY.known.popitem(last=False)
    return read


def _read(document: str) -> PlannedDays:
    """Of a document that is none, nothing."""
    try:
        plan = json.loads(document)
        days = [_day(day) for day in plan["rep_days"]]
        left_out = tuple(_left_out(entry) for entry in plan["unplanned"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return PlannedDays({})
    return PlannedDays({(day.rep_id, day.day): day for day in days}, left_out)


def _day(day: Mapping[str, Any]) -> PlannedDay:
    visits = (
        PlannedVisit(
            stop["visit_id"],
            stop["kind"],
            stop["name"],
            tuple(stop["record_ids"]),
            datetime.fromisoformat(stop["begin"]),
        )
        for stop in day["stops"]
    )
    left, back = (day[end]["time"] for end in ("start", "end"))
    away = datetime.fromisoformat(back) - datetime.fromisoformat(left) if left and back else timedelta()
    return PlannedDay(
        day["rep_id"],
        date.fromisoformat(day["date"]),
        tuple(visits),
        drive_s=day["totals"]["drive_seconds"],
        away_s=round(away.total_seconds()),
    )


def _left_out(entry: Mapping[str, Any]) -> LeftOut:
    return LeftOut(
        tuple(entry["record_ids"]),
        entry["kind"],
        entry["name"],
        entry["reason"],
        entry["sentence"],
        due_day(entry.get("visit_id", "")),
    )
