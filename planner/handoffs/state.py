"""Where an opportunity stands on its way, also one that was imported and that nobody has touched since."""

from __future__ import annotations

from collections.abc import Callable

from planner.domain import Account, Lead, Opportunity, RecordKind
from planner.errors import NotFoundError
from planner.handoffs.domain import HandoffEvent, HandoffRow, HandoffState, Side
from planner.qualification import missing_for_handoff
from planner.repository import UnitOfWork
from planner.settings import GateSettings


def opportunity_of(unit: UnitOfWork, area: str, opportunity_id: str) -> Opportunity:
    """An opportunity that is seen. Raises NotFoundError."""
    found = unit.records(area).get(RecordKind.OPPORTUNITY, opportunity_id)
    if not isinstance(found, Opportunity):
        raise NotFoundError(f"area {area} has no opportunity {opportunity_id}")
    return found


def handoff_of(unit: UnitOfWork, area: str, opportunity: Opportunity, gate: GateSettings) -> HandoffRow:
    """Where an opportunity that is seen stands; a row of revision 0 where that is not written yet."""
    row = unit.handoffs.get(area, opportunity.id)
    return row or imported_row(area, opportunity, gate, lambda: field_rep_of(unit, area, opportunity))


def unowned_handoff_of(unit: UnitOfWork, area: str, opportunity: Opportunity, gate: GateSettings) -> HandoffRow:
    """The same for whoever does not ask whose it is, which takes no look at plans."""
    return unit.handoffs.get(area, opportunity.id) or imported_row(area, opportunity, gate, str)


def states(unit: UnitOfWork, area: str, gate: GateSettings) -> list[tuple[Opportunity, HandoffState]]:
    """Every opportunity that is seen, by id, and its state alone, which takes no look at plans and customers."""
    written = {row.opportunity_id: row for row in unit.handoffs.find(area=area)}
    deals = unit.records(area).opportunities()
    return [(deal, (written.get(deal.id) or imported_row(area, deal, gate, str)).state) for deal in deals]


def state_of(unit: UnitOfWork, area: str, opportunity: Opportunity, gate: GateSettings) -> HandoffState:
    """The same of one opportunity."""
    row = unit.handoffs.get(area, opportunity.id)
    return (row or imported_row(area, opportunity, gate, str)).state


def all_handoffs(unit: UnitOfWork, area: str, gate: GateSettings) -> list[tuple[Opportunity, HandoffRow]]:
    """Every opportunity that is seen, by id, and where it stands."""
    written = {row.opportunity_id: row for row in unit.handoffs.find(area=area)}
    owners = {account.id: account.owner_rep_id for account in unit.records(area).accounts()}
    visitors = {visit.opportunity_id: visit.rep_id for visit in unit.plans(area).handoffs()}

    def row_of(deal: Opportunity) -> HandoffRow:
        rep = owners.get(deal.account_id) or visitors.get(deal.id, "")
        return written.get(deal.id) or imported_row(area, deal, gate, lambda: rep)

    return [(deal, row_of(deal)) for deal in unit.records(area).opportunities()]


def history(unit: UnitOfWork, area: str, opportunity_id: str) -> list[HandoffEvent]:
    """All that happened to an opportunity that is seen, in order. Raises NotFoundError."""
    opportunity_of(unit, area, opportunity_id)
    return unit.handoff_events.find(area=area, opportunity_id=opportunity_id)


def field_rep_of(unit: UnitOfWork, area: str, opportunity: Opportunity) -> str:
    """The rep whose an opportunity would be: its account's, else who visits it in the plan; empty for nobody's yet."""
    account = unit.records(area).get(RecordKind.ACCOUNT, opportunity.account_id) if opportunity.account_id else None
    if isinstance(account, Account) and account.owner_rep_id:
        return account.owner_rep_id
    return next((visit.rep_id for visit in unit.plans(area).handoffs() if visit.opportunity_id == opportunity.id), "")


def imported_row(area: str, opportunity: Opportunity | Lead, gate: GateSettings, rep: Callable[[], str]) -> HandoffRow:
    """Handed off where the gate lets it through, else a draft; `rep` tells whose it is, and is asked only then."""
    # An agreed appointment is kept whatever is missing, so that it is the field's too.
    if missing_for_handoff(opportunity, gate) and opportunity.appointment is None:
        return HandoffRow(area, opportunity.id, 0, HandoffState.DRAFT, None, Side.INSIDE, opportunity.inside_rep)
    whose = rep()
    return HandoffRow(area, opportunity.id, 0, HandoffState.HANDED_OFF, None, Side.FIELD, whose, whose)
