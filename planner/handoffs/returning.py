"""A handoff that nobody acted on by its deadline goes back to inside sales by itself, with the reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from planner.access import SYSTEM, Actor, Scope
from planner.amending import Standing
from planner.candidates import team_work_days
from planner.domain import Account, Opportunity, RecordKind
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.moving import write
from planner.handoffs.state import imported_row, states
from planner.handoffs.transitions import Action, transition
from planner.plan_document import RepDay
from planner.qualification import first_action_deadline
from planner.repository import Store, UnitOfWork
from planner.scoping import handoffs_on
from planner.settings import Settings
from planner.snapshot import zone_of
from planner.visit_ids import visit_id

WAITING = frozenset({HandoffState.HANDED_OFF, HandoffState.ACCEPTED})
AT_ONCE = 100
"""Handoffs in one transaction: others want to write too."""
REPORTED_WITHIN = timedelta(days=14)
"""Since the deadline: so long the field may take to report a visit that stood in its plan."""


def return_missed(store: Store, area: str, now: datetime, settings: Settings) -> int:
    """Return what the field has not acted on: its deadline has passed, nothing is promised or held for it, no
    appointment is agreed, and it stands nowhere in the plan that reps see.

    What stood in the plan that they saw on a day up to its deadline may have been visited then: its report is waited
    for. While no plan is published nothing is returned.

    Returns how many they were.

    Raises:
        StorageError: the database refused; what was returned until then stays so.
        PlannerError: the published plan cannot be read.
    """
    with store.read(Scope(area=area)) as unit:
        missed = _missed(unit, area, now, settings)
    returned = 0
    for start in range(0, len(missed), AT_ONCE):
        with store.write(Actor(SYSTEM.id, Scope(area=area))) as unit:
            planned = _planned(unit, area)
            for opportunity, deadline in missed[start : start + AT_ONCE]:
                returned += opportunity.id not in planned and _return(unit, area, opportunity, deadline, settings, now)
    return returned


def _missed(unit: UnitOfWork, area: str, now: datetime, settings: Settings) -> list[tuple[Opportunity, date]]:
    """What seems to be missed, and its deadline."""
    if unit.plans(area).published_version() is None:
        return []
    reps = unit.records(area).reps()
    zone = zone_of(reps) or ZoneInfo("UTC")
    today = now.astimezone(zone).date()
    work_days = team_work_days(reps)
    late = []
    for opportunity, state in states(unit, area, settings.gate):
        deadline = first_action_deadline(opportunity, work_days, settings.gate, settings.calendar)
        if state in WAITING and opportunity.appointment is None and deadline is not None and deadline < today:
            late.append((opportunity, deadline))
    planned = _planned(unit, area) if late else frozenset()
    missed = [(opportunity, deadline) for opportunity, deadline in late if opportunity.id not in planned]
    unreported = _unreported(unit, area, [each for each in missed if today <= each[1] + REPORTED_WITHIN], zone)
    return [each for each in missed if each[0].id not in unreported]


def _unreported(
    unit: UnitOfWork, area: str, missed: Sequence[tuple[Opportunity, date]], zone: ZoneInfo
) -> frozenset[str]:
    """What of it stood in a rep's day, up to its deadline, in the plan that reps saw on that day."""
    due = {deal.id: (deal.qualified_at.date(), deadline) for deal, deadline in missed if deal.qualified_at}
    if not due:
        return frozenset()
    first, last = min(begin for begin, _ in due.values()), max(end for _, end in due.values())
    routes = {
        (row.rep_id, row.day): cast(RepDay, row.route)
        for row in unit.changed_days.within("day", first, last, area=area)
        if row.route is not None
    }
    found = [visit for route in routes.values() for visit in handoffs_on(route)]
    plans = unit.plans(area)
    published = sorted(
        (plan.published_at.astimezone(zone), plan.version) for plan in plans.list() if plan.published_at is not None
    )
    following = [at.date() for at, _ in published[1:]]
    names = [json.dumps(visit_id(RecordKind.OPPORTUNITY, id_), ensure_ascii=False) for id_ in due]
    for (at, version), until in zip(published, [*following, last], strict=True):
        if at.date() > last or until < first:
            continue
        plan = plans.get(version)
        if any(name in (plan.document or "") for name in names):  # taking one apart that nobody has read takes a second
            found += (
                visit
                for visit in Standing(plan).handoffs
                if at.date() <= visit.begin.date() <= until and (visit.rep_id, visit.begin.date()) not in routes
            )
    return frozenset(
        visit.opportunity_id
        for visit in found
        if visit.opportunity_id in due
        and due[visit.opportunity_id][0] <= visit.begin.date() <= due[visit.opportunity_id][1]
    )


def _planned(unit: UnitOfWork, area: str) -> frozenset[str]:
    return frozenset(visit.opportunity_id for visit in unit.plans(area).handoffs())


def _return(unit: UnitOfWork, area: str, seen: Opportunity, deadline: date, settings: Settings, now: datetime) -> bool:
    """Return one, unless somebody has done something about it meanwhile."""
    opportunity = unit.records(area).get(RecordKind.OPPORTUNITY, seen.id)
    bookings = unit.bookings.find(area=area, opportunity_id=seen.id)
    if opportunity != seen or any(booking.live_at(unit.now()) for booking in bookings):
        return False
    account = unit.records(area).get(RecordKind.ACCOUNT, seen.account_id) if seen.account_id else None
    owner = account.owner_rep_id if isinstance(account, Account) else ""
    present = unit.handoffs.get(area, seen.id) or imported_row(area, seen, settings.gate, lambda: owner)
    if present.state not in WAITING:
        return False
    row = transition(seen.name, present.state, Action.MISS, Side.NOBODY)
    days = settings.gate.first_action_days if seen.first_action_days is None else seen.first_action_days
    reason = (
        f"The first visit was due by {deadline}, {days} working day{'' if days == 1 else 's'} after "
        f"{seen.qualified_at:%Y-%m-%d}: none was promised, and none is in the plan"
    )
    moved = replace(present, state=HandoffState.RETURNED, side=Side.INSIDE, owner=seen.inside_rep, reason=reason)
    write(unit, seen, present, moved, row.event, SYSTEM.id, now, reason)
    return True
