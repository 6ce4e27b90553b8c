"""The summary of a week, as somebody sees it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from planner.access import Scope
from planner.coverage.domain import AccountCover
from planner.domain import Account, RecordKind
from planner.handoffs.domain import TO_VISIT
from planner.repository import Store
from planner.settings import Settings
from planner.summary.covering import FIRST, IN_TIME, LATE, deals_of, met_in_time, rep_weeks, state_changes, states_on
from planner.summary.domain import Suggestion, WeeklySummary
from planner.summary.material import Material
from planner.summary.slipping import left_out_deals, slips_of
from planner.summary.suggesting import suggestions_of

RECENT = timedelta(days=14)
"""Suggestions are about now: they stand in the summaries of weeks that began so lately."""


def weekly_summary(
    store: Store, scope: Scope, area: str, monday: date, settings: Settings, now: datetime
) -> WeeklySummary:
    """The summary of the week that begins on a Monday, for somebody with this scope; of a week that goes on, of its
    days that are over."""
    week = Material.read(store, scope, area, monday, now)
    met_by = met_in_time(week)
    met = {each.how: len(each.entries) for each in met_by}
    states, uncompared = state_changes(week)
    recent = now.astimezone(week.zone).date() - monday <= RECENT
    return WeeklySummary(
        area=area,
        monday=monday,
        last=week.last,
        zone=str(week.zone),
        as_of=week.coverage.as_of if week.coverage else None,
        reps=rep_weeks(week),
        met=sum(met.values()),
        in_time=met.get(IN_TIME, 0),
        late=met.get(LATE, 0),
        first_known=met.get(FIRST, 0),
        states=states,
        deals=deals_of(week),
        slips=slips_of(week),
        suggestions=_suggestions(store, scope, week, settings) if recent else [],
        notes=_notes(week, recent),
        met_by=met_by,
        states_on=states_on(week),
        uncompared=uncompared,
    )


def _suggestions(store: Store, scope: Scope, week: Material, settings: Settings) -> list[Suggestion]:
    if week.coverage is None:
        return []
    territories = {territory.territory_id: territory.name for territory in week.coverage.territories}

    def place_of(account: AccountCover) -> str:
        with store.read(scope) as unit:
            record = unit.records(week.area).get(RecordKind.ACCOUNT, account.account_id)
        city = record.address.city if isinstance(record, Account) else ""
        return city or territories.get(account.territory_id, "") or account.name

    with store.read(scope) as unit:
        planned = {visit.opportunity_id for visit in unit.plans(week.area).handoffs()}
        rows = {row.opportunity_id: row for row in unit.handoffs.find(area=week.area)}
    waiting = [
        deal
        for deal in left_out_deals(week)
        if deal.id not in planned and (deal.id not in rows or rows[deal.id].state in TO_VISIT)
    ]
    return suggestions_of(week.coverage, waiting, settings.candidates, place_of)


def _notes(week: Material, recent: bool) -> tuple[str, ...]:
    notes = []
    if week.coverage is None:
        notes.append("Coverage is not worked out yet: states, hours and suggestions are missing.")
    elif week.last < week.first:
        notes.append("No day of this week is over yet.")
    if not recent:
        notes.append("Suggestions are about the present week and the one before; this one is longer ago.")
    return tuple(notes)
