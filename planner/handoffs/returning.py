"""A handoff that nobody acted on by its deadline goes back to inside sales by itself, with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from planner.access import SYSTEM, Actor, Scope
from planner.candidates import team_work_days
from planner.domain import Account, Opportunity, RecordKind
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.moving import write
from planner.handoffs.state import imported_row, states
from planner.handoffs.transitions import Action, transition
from planner.qualification import first_action_deadline
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.snapshot import zone_of

WAITING = frozenset({HandoffState.HANDED_OFF, HandoffState.ACCEPTED})
AT_ONCE = 100
"""Handoffs in one transaction: others want to write too."""


def return_missed(store: Store, area: str, now: datetime, settings: Settings) -> int:
    """Return what the field has not acted on: its deadline has passed, nothing is promised or held for it, no
    appointment is agreed, and it stands nowhere in the plan that reps see. While no plan is published nothing is.

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
    today = now.astimezone(zone_of(reps) or ZoneInfo("UTC")).date()
    work_days = team_work_days(reps)
    late = []
    for opportunity, state in states(unit, area, settings.gate):
        deadline = first_action_deadline(opportunity, work_days, settings.gate, settings.calendar)
        if state in WAITING and opportunity.appointment is None and deadline is not None and deadline < today:
            late.append((opportunity, deadline))
    planned = _planned(unit, area) if late else frozenset()
    return [(opportunity, deadline) for opportunity, deadline in late if opportunity.id not in planned]


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
