"""Handing an opportunity to the field: the gate, who is there already, whose it becomes, and the clock that starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from planner.access import Actor, Scope
from planner.domain import MAX_NOTES, Opportunity, _check
from planner.errors import ConflictError, RefusedError
from planner.handoffs.conflicts import Conflicts, Directories, find_conflicts
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.handoffs.moving import By, HandoffMovedError, seen_at, write
from planner.handoffs.state import field_rep_of, handoff_of, opportunity_of
from planner.handoffs.transitions import Action, transition
from planner.qualification import missing_for_handoff
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.snapshot import zone_of


class GateClosedError(RefusedError):
    """The gate does not let it through; `missing` says what it asks for, as sentences."""

    def __init__(self, name: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"{name} cannot be handed off yet: {'; '.join(missing)}")
        self.missing = missing


class LooksKnownError(ConflictError):
    """Somebody is there already whom the one who hands off has not been shown; `conflicts` has all of them."""

    def __init__(self, name: str, conflicts: Conflicts) -> None:
        alike = ", ".join(match.card.name for match in conflicts.matches[:3])
        super().__init__(f"{name} may be known already: {alike}; look at them first")
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class HandOff:
    """What somebody hands off.

    Attributes:
        revision: of the handoff, as they saw it.
        shown: keys of the matches that they were shown.
        different: those of them that they say are other companies.
        note: a word to the field, for the history.
    """

    opportunity_id: str
    revision: int
    shown: frozenset[str] = frozenset()
    different: frozenset[str] = frozenset()
    note: str = ""

    def __post_init__(self) -> None:
        _check(len(self.note) <= MAX_NOTES // 2, "note", f"is longer than {MAX_NOTES // 2:,} characters")
        _check("\0" not in self.note, "note", "holds a NUL byte")
        _check(self.different <= self.shown, "different", "names a match that was not shown")


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the whole area says about a handoff: its time zone, who would take it, and who is there already."""

    opportunity: Opportunity
    zone: ZoneInfo
    rep: str
    conflicts: Conflicts


def hand_off(
    store: Store,
    actor: Actor,
    directories: Directories,
    area: str,
    asked: HandOff,
    by: By,
    settings: Settings,
    now: datetime,
    also: Callable[[UnitOfWork, HandoffRow], object] = lambda unit, row: None,
) -> HandoffRow:
    """Hand an opportunity to the field. It is its account's rep's, else whose plan has it, else the whole field's;
    where its customer was there already, the conflict rule says whose.

    Args:
        also: is done in the same transaction.

    Raises:
        NotFoundError: there is no such opportunity among those that the actor sees.
        RefusedError: it may not be handed off now, or not by them; GateClosedError where something is missing.
        HandoffMovedError: somebody else has changed it since.
        LooksKnownError: there are matches that were not shown yet.
    """
    with store.read(actor.scope) as unit:
        opportunity = opportunity_of(unit, area, asked.opportunity_id)
        _check_gate(unit, area, opportunity, asked, by, settings)
    # Whose a customer is and in which zone the team works, inside reps do not see.
    with store.read(Scope(area=area)) as unit:
        reps, rep = unit.records(area).reps(), field_rep_of(unit, area, opportunity)
    conflicts = find_conflicts(store, directories, area, opportunity, settings, different=asked.different)
    if {match.key for match in conflicts.matches} - asked.shown:
        raise LooksKnownError(opportunity.name, conflicts)
    known_rep = rep if any(each.id == rep for each in reps) else ""
    ground = _Ground(opportunity, zone_of(reps) or ZoneInfo("UTC"), known_rep, conflicts)
    with store.write(actor) as unit:
        row = _hand_off(unit, area, ground, asked, by, settings, now)
        also(unit, row)
    return row


def _check_gate(
    unit: UnitOfWork, area: str, opportunity: Opportunity, asked: HandOff, by: By, settings: Settings
) -> HandoffRow:
    present = seen_at(unit, area, opportunity, asked.revision, settings.gate)
    transition(opportunity.name, present.state, Action.HAND_OFF, by.side)
    if missing := missing_for_handoff(opportunity, settings.gate):
        raise GateClosedError(opportunity.name, missing)
    return present


def _hand_off(
    unit: UnitOfWork, area: str, ground: _Ground, asked: HandOff, by: By, settings: Settings, now: datetime
) -> HandoffRow:
    opportunity = opportunity_of(unit, area, asked.opportunity_id)
    if opportunity != ground.opportunity:
        raise HandoffMovedError(opportunity.name, handoff_of(unit, area, opportunity, settings.gate))
    present = _check_gate(unit, area, opportunity, asked, by, settings)
    # Records keep wall-clock times; the deadline counts from this day.
    handed_at = now.astimezone(ground.zone).replace(tzinfo=None, microsecond=0)
    opportunity = replace(opportunity, qualified_at=handed_at)
    unit.records(area).save(opportunity)
    decision = ground.conflicts.decision
    rep = decision.rep if decision else ground.rep
    row = replace(
        present,
        state=HandoffState.HANDED_OFF,
        side=decision.side if decision else Side.FIELD,
        owner=rep,
        field_rep=rep,
        reason="",
        credit=decision.credit if decision else (),
        conflict=decision.sentence if decision else "",
    )
    others = [match.card.name for match in ground.conflicts.matches if match.key in asked.different]
    words = [
        asked.note.strip(),
        row.conflict,
        f"Not the same as {', '.join(others)}" if others else "",
    ]
    return write(unit, opportunity, present, row, "handed_off", by.actor, now, ". ".join(filter(None, words)))
