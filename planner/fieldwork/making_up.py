"""A customer who has been met need not be visited on the coming days for the same thing once more."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from planner.access import Actor
from planner.candidates import visit_id
from planner.domain import RecordKind, Rep
from planner.fieldwork.domain import Disposition
from planner.handoffs.domain import TO_VISIT
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.deciding import carry_out_days, without_elsewhere
from planner.slots.domain import ChangedDay

RECENT = timedelta(days=7)
"""What came later than that is left to the next plan, which knows when the customer was visited."""


def make_up_for(
    store: Store, actor: Actor, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> None:
    """Take the visits that a day's visits make up for out of the other days to come, but nothing that is promised.

    Done again, it changes nothing.
    """

    def decide(unit: UnitOfWork) -> list[ChangedDay]:
        visits = _made_up_for(unit, area, rep_id, day)
        return without_elsewhere(unit, agendas, area, (rep_id, day), visits, settings) if visits else []

    carry_out_days(store, actor, area, decide, "day.visits_made_up_for")


def _made_up_for(unit: UnitOfWork, area: str, rep_id: str, day: date) -> frozenset[str]:
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    if day < unit.now().astimezone(rep.zone if isinstance(rep, Rep) else UTC).date() - RECENT:
        return frozenset()
    visits = set()
    for visit in unit.field_visits.find(area=area, rep_id=rep_id, day=day, disposition=Disposition.MET):
        if visit.account_id:
            visits.add(visit_id(RecordKind.ACCOUNT, visit.account_id))
        handoff = unit.handoffs.get(area, visit.opportunity_id) if visit.opportunity_id else None
        if handoff is not None and handoff.state not in TO_VISIT:
            visits.add(visit.visit_id)
    return frozenset(visits)
