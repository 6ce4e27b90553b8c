"""The nights that reps see, for whoever makes or publishes another plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from planner.days_begun import days_begun
from planner.errors import PlannerError
from planner.hotels.domain import Night, NightKey, Nights
from planner.plan_document import RepDay, night_at, read_plan
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.snapshot import Snapshot
from planner.stability import published_visits

_AWAY = '"hotel": {'
"""Stands in every plan.json with a night at a hotel, and in none without: within a text quotation marks are escaped."""


def snapshot_to_plan(unit: UnitOfWork, area: str, settings: Settings, fresh: bool = False) -> Snapshot:
    """All that an area's plan is made from, with the nights that it has to keep to and, unless it is to be `fresh`,
    what people have seen; `unit` sees the whole area."""
    seen = () if fresh else published_visits(unit, area)
    return replace(Snapshot.read(unit, area, settings), nights=nights_seen(unit, area), seen=seen)


def nights_seen(unit: UnitOfWork, area: str) -> Nights:
    """The nights at hotels of the published plan as it stands, and the days that have begun since yesterday."""
    plan = unit.plans(area).latest(published=True)
    document = plan.document if plan is not None else None
    away: dict[NightKey, Night] = {}
    if document and _AWAY in document:
        with suppress(PlannerError, ValueError):  # of a version that nobody can read any more
            away = dict(_nights_of(read_plan(document)["rep_days"]))
    if not away and not unit.hotels.count(area=area):
        return Nights()
    yesterday = unit.now().date() - timedelta(days=1)
    return Nights(away, frozenset(days_begun(unit, area, yesterday)))


def _nights_of(days: list[RepDay]) -> Iterator[tuple[NightKey, Night]]:
    """The night before the plan's first day among them."""
    for day in days:
        on = date.fromisoformat(day["date"])
        if (night := night_at(day["start"])) is not None:
            yield (day["rep_id"], on - timedelta(days=1)), night
        if (night := night_at(day["end"])) is not None:
            yield (day["rep_id"], on), night
