"""All that an area's coverage is made from, read in one snapshot and fit to be sent to a worker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from planner.coverage.domain import HANDOFF_DAYS
from planner.domain import Account, Opportunity
from planner.fieldwork.domain import Disposition
from planner.handoffs.domain import AT_INSIDE, HandoffRow
from planner.handoffs.state import all_handoffs
from planner.repository import StoredPlan, UnitOfWork
from planner.settings import Settings
from planner.snapshot import Snapshot
from planner.territories.domain import Territory

VISITS_DAYS = 366
"""So far back every visit is read; before that, of each customer, the last one."""
LEAST_HANDOFF_DAYS = 14
"""A team that has begun a few days ago has no rate yet: it is told by two weeks."""


@dataclass(frozen=True, slots=True)
class HandedOff:
    """An opportunity that was handed off lately, so often; `rep_id` is whose it is, empty for nobody's yet."""

    opportunity: Opportunity
    rep_id: str
    times: int


@dataclass(frozen=True)
class Material:
    """What `planner.coverage.making` reads.

    Attributes:
        today: in the area's time zone.
        plan: the one that reps see, as it stands now, with its document; None where there is none.
        visits: days on which somebody met the customer, in order, by account.
        handoff_days: over so many days the opportunities were handed off.
    """

    today: date
    snapshot: Snapshot
    plan: StoredPlan | None
    territories: tuple[Territory, ...]
    visits: Mapping[str, tuple[date, ...]]
    handed_off: tuple[HandedOff, ...]
    handoff_days: int

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, settings: Settings) -> Material:
        snapshot = Snapshot.read(unit, area, settings)
        today = unit.now().astimezone(snapshot.zone).date()
        met = unit.field_visits.columns(
            ("account_id", "day"),
            "day",
            today - timedelta(days=VISITS_DAYS),
            today,
            area=area,
            disposition=Disposition.MET,
        )
        imported = unit.records(area).accounts()
        handed_off, days = _handed_off(unit, area, settings, today)
        return cls(
            today,
            snapshot,
            unit.plans(area).latest(published=True),
            tuple(unit.territories.find(area=area)),
            days_met([*snapshot.accounts, *imported], met),
            handed_off,
            days,
        )


def days_met(accounts: Iterable[Account], met: Iterable[tuple[str, date]]) -> dict[str, tuple[date, ...]]:
    """The days of visits by account: the last visit of each record, as imported and as reported, and those reported.

    Two visits on one day are one day.
    """
    days: dict[str, set[date]] = defaultdict(set)
    for account in accounts:
        if account.last_visit is not None:
            days[account.id].add(account.last_visit)
    for account_id, day in met:
        if account_id:
            days[account_id].add(day)
    return {account_id: tuple(sorted(of)) for account_id, of in days.items()}


def _handed_off(unit: UnitOfWork, area: str, settings: Settings, today: date) -> tuple[tuple[HandedOff, ...], int]:
    """The opportunities of the last eight weeks with how often each was handed off, and over how many days that was.

    One that was imported as handed off counts on the day on which it was qualified. Where the first of all is less than
    eight weeks ago, it is counted from that day on.
    """
    since = today - timedelta(days=HANDOFF_DAYS)
    moments = unit.handoff_events.columns(
        ("opportunity_id", "at"),
        "at",
        datetime.min.replace(tzinfo=UTC),
        datetime.combine(today + timedelta(days=2), datetime.min.time(), UTC),
        area=area,
        action="handed_off",
    )
    times: Counter[str] = Counter()
    first = today
    for opportunity_id, at in moments:
        times[opportunity_id] += at.date() >= since
        first = min(first, at.date())
    found: list[HandedOff] = []
    for opportunity, row in all_handoffs(unit, area, settings.gate):
        if opportunity.id not in times and (day := _imported_on(opportunity, row)):
            first = min(first, day)
            times[opportunity.id] = int(since <= day <= today)
        if times[opportunity.id]:
            found.append(HandedOff(opportunity, row.field_rep, times[opportunity.id]))
    return tuple(found), min(HANDOFF_DAYS, max(LEAST_HANDOFF_DAYS, (today - first).days + 1))


def _imported_on(opportunity: Opportunity, row: HandoffRow) -> date | None:
    """When an opportunity became the field's that nobody here has handed off."""
    if row.state in AT_INSIDE or opportunity.qualified_at is None:
        return None
    return opportunity.qualified_at.date()
