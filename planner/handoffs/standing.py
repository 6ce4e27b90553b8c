"""How the opportunities that inside sales handed off stand: when each is visited, or what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from planner.candidates import VisitKind
from planner.domain import Location, Opportunity, RecordKind
from planner.locating import review_list
from planner.plan_document import UnplannedEntry, read_plan
from planner.qualification import missing_for_handoff
from planner.repository import PlannedHandoff, UnitOfWork
from planner.settings import GateSettings


class Standing(StrEnum):
    """What is next for a handoff."""

    PLANNED = "planned"
    RETURNED = "returned"
    UNLOCATED = "unlocated"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Handoff:
    """An opportunity and how it stands.

    Attributes:
        visit: when it is visited.
        missing: what the handoff gate asks for, as sentences; of a promise too, which is kept whatever is missing.
        location: the address that is not sure.
        reason: why it is not in the plan, a code and a sentence; empty for one that no plan has seen yet.
        sentence: the same in words.
    """

    opportunity: Opportunity
    standing: Standing
    visit: PlannedHandoff | None = None
    missing: tuple[str, ...] = ()
    location: Location | None = None
    reason: str = ""
    sentence: str = ""


def handoffs(unit: UnitOfWork, area: str, gate: GateSettings) -> list[Handoff]:
    """Every opportunity that is seen, those with a visit first, by its time; the others by id.

    The visits and the reasons are those of the plan that reps see; what is missing and which address is not sure are
    told as they stand now, since they may have been mended after that plan was made.

    Raises:
        PlannerError: the plan cannot be read.
    """
    visits = {visit.opportunity_id: visit for visit in unit.plans(area).handoffs()}
    left_out = _left_out(unit, area)
    unsure = {location.record_id: location for location in review_list(unit, area) if _is_of_opportunity(location)}
    found = []
    for opportunity in unit.records(area).opportunities():
        visit, missing = visits.get(opportunity.id), missing_for_handoff(opportunity, gate)
        location = unsure.get(opportunity.id)
        if visit is not None:
            found.append(Handoff(opportunity, Standing.PLANNED, visit, missing))
        elif missing and opportunity.appointment is None:
            found.append(Handoff(opportunity, Standing.RETURNED, missing=missing))
        elif location is not None:
            found.append(Handoff(opportunity, Standing.UNLOCATED, missing=missing, location=location))
        else:
            entry = left_out.get(opportunity.id)
            reason, sentence = (entry["reason"], entry["sentence"]) if entry else ("", "")
            found.append(Handoff(opportunity, Standing.UNPLANNED, missing=missing, reason=reason, sentence=sentence))
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


def _order(handoff: Handoff) -> tuple[bool, float, str]:
    arrive = handoff.visit.arrive.timestamp() if handoff.visit else 0.0
    return handoff.visit is None, arrive, handoff.opportunity.id
