"""The visits that were promised."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from planner.candidates.domain import Visit, VisitKind
from planner.domain import Account, Opportunity, Rep
from planner.qualification import missing_for_handoff
from planner.settings import GateSettings
from planner.slots.domain import Booking


def promised_visit(
    promise: Booking,
    opportunity: Opportunity,
    account: Account | None,
    rep: Rep | None,
    zone: ZoneInfo,
    gate: GateSettings,
) -> Visit:
    """The visit that was promised. To the rep's own account it counts as the visit to that too.

    Args:
        account: the opportunity's, if it is known.
        rep: the one who makes the visit; None where there is no such rep any more.
        zone: for the words, where there is no rep.
    """
    visit = Visit(
        id=promise.visit_id,
        kind=VisitKind.APPOINTMENT,
        record_ids=(opportunity.id,),
        name=promise.name,
        address=promise.address,
        place=promise.place,
        service_minutes=promise.service_minutes,
        why=f"promised for {promise.window_text(rep.zone if rep else zone)}",
        worth=None,
        hours=(promise.hours,) if promise.hours else (),
        reps=frozenset([promise.rep_id]),
        skills=promise.skills,
        account_id=opportunity.account_id,
        missing=missing_for_handoff(opportunity, gate),
        promise=promise,
    )
    if account is None or rep is None or account.owner_rep_id != rep.id:
        return visit
    return replace(visit, record_ids=(opportunity.id, account.id), why=counts_as(visit, account, rep))


def counts_as(visit: Visit, account: Account, owner: Rep) -> str:
    return f"{visit.why}; counts as the visit to account {account.id}, whose rep {owner.name} is"
