"""The published plan as it stands now: with what bookings have made of its days since.

A plan version never changes. A day that a booking changed is kept beside it as a `ChangedDay`, whose route is put in
the place of the plan's. Documents are large: each is taken apart once, and a change writes only what it is about.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from functools import lru_cache
from typing import Any

from planner.candidates import VisitKind
from planner.domain import RecordKind
from planner.errors import PlannerError
from planner.plan_document import PlanDocument, PlanTotals, RepDay, UnplannedEntry, read_plan
from planner.repository import StoredPlan


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A `ChangedDay` with a route: its day, and the route as the text of JSON."""

    rep_id: str
    day: date
    plan_version: int
    route: str


def amended(plan: StoredPlan, changes: Sequence[ShownDay]) -> StoredPlan:
    """The published plan with the changed days in their places, and those added that it does not cover.

    A day that was taken from another version counts no more: who published this one has put its promises in. What is
    no plan stays as it is.
    """
    if plan.document is None:
        return plan
    since = plan.first_day if plan.published_at is None else plan.published_at.astimezone(UTC).date()
    covered = range(plan.first_day.toordinal(), plan.first_day.toordinal() + plan.days)
    valid = tuple(
        change
        for change in changes
        if change.plan_version == plan.version
        or (change.plan_version == 0 and change.day >= since and change.day.toordinal() not in covered)
    )
    if not valid:
        return plan
    try:
        found = _amended(plan.document, valid)
    except PlannerError:
        return plan
    return replace(
        plan,
        first_day=found.first_day,
        days=(found.last_day - found.first_day).days + 1,
        visits=found.totals["visits"],
        unplanned=found.totals["unplanned"],
        drive_s=found.totals["drive_seconds"],
        document=found.text,
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as plan.json has it, and what the whole plan counts of it."""

    date: str
    text: str
    counts: Mapping[str, int]
    visits: frozenset[str]
    """Ids of its visits, and of the accounts that they count as visits to."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A plan.json taken apart: its days by date and rep, in their order, and all the rest."""

    rest: PlanDocument
    days: Mapping[tuple[str, str], _Day]


@dataclass(frozen=True, slots=True)
class _Amended:
    first_day: date
    last_day: date
    totals: PlanTotals
    text: str


@lru_cache(maxsize=8)
def _amended(text: str, changes: tuple[ShownDay, ...]) -> _Amended:
    parts = _parts(text)
    days = dict(parts.days)
    changed: set[str] = set()
    for change in changes:
        key = str(change.day), change.rep_id
        days[key] = _shown(change.route)
        changed |= days[key].visits
    in_order = sorted(days.values(), key=lambda day: day.date)  # and as before within a day
    rest = parts.rest
    unplanned = [entry for entry in rest["unplanned"] if _visit_id(entry) not in changed]
    counts: Counter[str] = Counter()
    for day in in_order:
        counts.update(day.counts)
    totals: PlanTotals = {
        "visits": counts["visits"],
        "promises": counts["promises"],
        "unplanned": len(unplanned),
        "drive_seconds": counts["drive_seconds"],
        "drive_metres": counts["drive_metres"],
        "cost_seconds": rest["totals"]["cost_seconds"],
    }
    dates = [rest["first_day"], rest["last_day"], *(day.date for day in in_order)]
    first_day, last_day = min(dates), max(dates)
    frame = {
        **rest,
        "first_day": first_day,
        "last_day": last_day,
        "totals": totals,
        "rep_days": [],
        "unplanned": unplanned,
        "returned_to_inside": [
            entry
            for entry in rest["returned_to_inside"]
            if f"{RecordKind.OPPORTUNITY}:{entry['record_id']}" not in changed
        ],
    }
    # Within a text of JSON a line never ends, so that this is the list of days and nothing that somebody wrote.
    before, _, after = _text(frame).partition('\n "rep_days": []')
    listed = ",\n  ".join(day.text for day in in_order)
    whole = f'{before}\n "rep_days": [\n  {listed}\n ]{after}\n'
    return _Amended(date.fromisoformat(first_day), date.fromisoformat(last_day), totals, whole)


@lru_cache(maxsize=4)
def _parts(text: str) -> _Parts:
    document = read_plan(text)
    days = {(day["date"], day["rep_id"]): _day(day) for day in document["rep_days"]}
    return _Parts({**document, "rep_days": []}, days)


@lru_cache(maxsize=2_000)
def _shown(route: str) -> _Day:
    return _day(json.loads(route))


def _day(day: RepDay) -> _Day:
    stops, totals = day["stops"], day["totals"]
    return _Day(
        day["date"],
        _text(day).replace("\n", "\n  "),
        {
            "visits": totals["visits"],
            "promises": sum(stop["kind"] == VisitKind.APPOINTMENT for stop in stops),
            "drive_seconds": totals["drive_seconds"],
            "drive_metres": totals["drive_metres"],
        },
        frozenset(stop["visit_id"] for stop in stops)
        | {f"{RecordKind.ACCOUNT}:{account}" for stop in stops for account in stop["record_ids"][1:]},
    )


def _visit_id(entry: UnplannedEntry) -> str:
    """As the stop would have it that the entry did not become."""
    first_visit = entry["kind"] in (VisitKind.OPPORTUNITY, VisitKind.APPOINTMENT)
    return f"{RecordKind.OPPORTUNITY if first_visit else RecordKind.ACCOUNT}:{''.join(entry['record_ids'][:1])}"


def _text(part: Any) -> str:
    """As `write_plan` writes it."""
    return json.dumps(part, ensure_ascii=False, indent=1)
