"""How the opportunities that inside sales handed off stand: when each is visited, or what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from planner.candidates import VisitKind
from planner.domain import Location, Opportunity, RecordKind
from planner.handoffs.domain import HandoffRow, HandoffState
from planner.handoffs.state import all_handoffs
from planner.locating import review_list
from planner.plan_document import UnplannedEntry, read_plan
from planner.qualification import missing_for_handoff
from planner.repository import PlannedHandoff, UnitOfWork
from planner.settings import GateSettings


class Standing(StrEnum):
    """What is next for a handoff."""

    PLANNED = "planned"
    RETURNED = "returned"
    """With inside sales: a draft, rejected by the field, or returned."""
    UNLOCATED = "unlocated"
    UNPLANNED = "unplanned"
    VISITED = "visited"
    """How it ends is open."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Handoff:
    """An opportunity and how it stands.

    Attributes:
        row: its state, and whose it is.
        visit: when it is visited.
        missing: what the handoff gate asks for, as sentences; of a promise too, which is kept whatever is missing.
        location: the address that is not sure.
        reason: why it is not in the plan, a code and a sentence; empty for one that no plan has seen yet.
        sentence: the same in words.
    """

    opportunity: Opportunity
    standing: Standing
    row: HandoffRow
    visit: PlannedHandoff | None = None
    missing: tuple[str, ...] = ()
    location: Location | None = None
    reason: str = ""
    sentence: str = ""


def handoffs(unit: UnitOfWork, area: str, gate: GateSettings) -> list[Handoff]:
    """Every opportunity that is seen, those with a visit first, by its time; then those with news, the newest first;
    the others by id.

    The visits and the reasons are those of the plan that reps see; what is missing and which address is not sure are
    told as they stand now, since they may have been mended after that plan was made.

    Raises:
        PlannerError: the plan cannot be read.
    """
    visits = {visit.opportunity_id: visit for visit in unit.plans(area).handoffs()}
    left_out = _left_out(unit, area)
    unsure = {location.record_id: location for location in review_list(unit, area) if _is_of_opportunity(location)}
    found = []
    for opportunity, row in all_handoffs(unit, area, gate):
        visit, missing = visits.get(opportunity.id), missing_for_handoff(opportunity, gate)
        location = unsure.get(opportunity.id)
        waits_for_none = _STANDINGS.get(row.state)
        # What was imported and no longer passes the gate is still visited where the plan that reps see has it.
        if waits_for_none is not None and not (visit and row.revision == 0):
            found.append(Handoff(opportunity, waits_for_none, row, missing=missing))
        elif visit is not None:
            found.append(Handoff(opportunity, Standing.PLANNED, row, visit, missing))
        elif location is not None:
            found.append(Handoff(opportunity, Standing.UNLOCATED, row, missing=missing, location=location))
        else:
            entry = left_out.get(opportunity.id)
            reason, sentence = (entry["reason"], entry["sentence"]) if entry else ("", "")
            found.append(
                Handoff(opportunity, Standing.UNPLANNED, row, missing=missing, reason=reason, sentence=sentence)
            )
    return sorted(found, key=_order)


def _left_out(unit: UnitOfWork, area: str) -> dict[str, UnplannedEntry]:
    plans = unit.plans(area)
    plan = plans.latest(published=True) or plans.latest()
    if plan is None:
        return {}
    entries = read_plan(plan.document or "", f"plan {plan.version}")["unplanned"]
    first_visits = (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY)
    return {entry["record_ids"][0]: entry for entry in entries if entry["record_ids"] and entry["kind"] in first_visits}


def _is_of_opportunity(location: Location) -> bool:
    return location.kind is RecordKind.OPPORTUNITY


_STANDINGS = {
    HandoffState.DRAFT: Standing.RETURNED,
    HandoffState.REJECTED: Standing.RETURNED,
    HandoffState.RETURNED: Standing.RETURNED,
    HandoffState.VISITED: Standing.VISITED,
    HandoffState.WON: Standing.OVER,
    HandoffState.LOST: Standing.OVER,
}
"""Of those that wait for no visit."""


def _order(handoff: Handoff) -> tuple[bool, float, str]:
    if handoff.visit:
        return False, handoff.visit.arrive.timestamp(), handoff.opportunity.id
    return True, -handoff.row.since.timestamp() if handoff.row.since else 0.0, handoff.opportunity.id
