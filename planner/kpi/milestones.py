"""How far an opportunity has come and when: a pure fold of all that is known to have happened to it.

Nothing of it is stored. Moments may be missing or out of order, as imports have them: what reached a stage has reached
all before it, and a moment that nobody wrote down is not made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from planner.domain import Lead
from planner.handoffs.domain import AT_INSIDE, HandoffState, Side
from planner.hours import instant
from planner.kpi.domain import PLACE, STAGES, Part, Stage, Timing

_S = HandoffState

_SHOWS: Mapping[HandoffState, Sequence[Stage]] = {
    _S.DRAFT: (),
    _S.HANDED_OFF: (Stage.HANDED_OFF,),
    _S.REJECTED: (Stage.HANDED_OFF,),
    _S.RETURNED: (Stage.HANDED_OFF,),
    _S.ACCEPTED: (Stage.HANDED_OFF, Stage.ACCEPTED),
    _S.BOOKED: (Stage.HANDED_OFF, Stage.ACCEPTED, Stage.FIRST_ACTION),
    _S.VISITED: (Stage.HANDED_OFF, Stage.ACCEPTED, Stage.FIRST_ACTION, Stage.VISITED),
    _S.WON: (Stage.HANDED_OFF, Stage.ACCEPTED),
    _S.LOST: (),
}
"""The stages that something has reached of which a state is told. What is won may have been lost again since."""

_SHOWN_BY: Mapping[str, Sequence[Stage]] = {
    "not_met": (Stage.FIRST_ACTION,),
    "visited": (Stage.FIRST_ACTION, Stage.VISITED),
    "proposed": (Stage.FIRST_ACTION, Stage.VISITED, Stage.PROPOSAL),
}
_ANSWERED = frozenset({"drafted", "answer_changed"})

_ENDS: Mapping[HandoffState, Part] = {
    _S.WON: Part.WON,
    _S.DRAFT: Part.OPEN_INSIDE,
    _S.REJECTED: Part.SENT_BACK,
    _S.RETURNED: Part.SENT_BACK,
}


@dataclass(frozen=True, slots=True)
class Present:
    """Where an opportunity stands: what a `HandoffRow` has of it; `rep_id` is who has it in the field, or had it."""

    state: HandoffState
    side: Side
    rep_id: str = ""
    since: datetime | None = None


class Happened(NamedTuple):
    """An entry of its history, as `HandoffEvent` has it. `overruled` where another report took its report's place."""

    at: datetime
    action: str
    state: HandoffState
    by_report: bool = False
    overruled: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """A visit in the field: when (None where that is not known), whether somebody was met, and a proposal was made."""

    at: datetime | None
    met: bool
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class Milestones:
    """How far an opportunity has come.

    Attributes:
        moments: of each stage that it reached, in UTC; None where nobody wrote it down.
        stage: the last of them; part: what became of it there.
        came_in: when the lead came in, or else the first moment that is known of it.
        timing: of the field's first action, if there was one.
        rep_id: who has it in the field, or had it; `inside` and `source` as the record has them.
    """

    opportunity_id: str
    name: str
    cents: int
    rep_id: str
    inside: str
    source: str
    moments: Mapping[Stage, datetime | None]
    stage: Stage
    part: Part
    came_in: datetime | None
    timing: Timing | None

    def part_at(self, stage: Stage) -> Part:
        """What became of it at a stage that it reached."""
        return self.part if stage is self.stage else Part.WENT_ON


def milestones(
    deal: Lead,
    present: Present,
    history: Sequence[Happened],
    visits: Sequence[Tried],
    passes_gate: bool,
    zone: ZoneInfo,
    deadline: Callable[[date], date],
    now: datetime,
) -> Milestones:
    """How far an opportunity has come.

    Args:
        history: in order.
        passes_gate: whether it could be handed off as it is.
        zone: in which the record's moments are.
        deadline: of the first action, for the local day on which it was handed off.
        now: what was written down for later is a slip, and no moment of anything.
    """
    seen = _Seen(deal, zone, now)
    handed_off = _look_at_history(seen, history)
    for visit in visits:
        seen.note(Stage.FIRST_ACTION, visit.at)
        if visit.met:
            seen.note(Stage.VISITED, visit.at)
        if visit.proposed:
            seen.note(Stage.PROPOSAL, visit.at)
    for stage in _SHOWS[present.state]:
        seen.note(stage, None if history else present.since)
    if present.state is _S.LOST and present.rep_id:
        seen.note(Stage.HANDED_OFF, None)
    if present.state is _S.WON:
        won = [entry.at for entry in history if entry.action == "won" and not entry.overruled]
        seen.note(Stage.WON, won[-1] if won else None if history else present.since)
    if Stage.HANDED_OFF in seen.reached and not handed_off and deal.qualified_at is not None:
        # Of what was imported as handed off, that is when it was.
        handed_off = [instant(deal.qualified_at, zone)]
        seen.note(Stage.HANDED_OFF, handed_off[0])
    if passes_gate or Stage.HANDED_OFF in seen.reached:
        seen.note(Stage.QUALIFIED, _answered(history, seen.moment(Stage.HANDED_OFF)))
    if deal.appointment is not None and Stage.HANDED_OFF in seen.reached:
        seen.note(Stage.FIRST_ACTION, seen.moment(Stage.HANDED_OFF))  # it came with an agreed time
    stage = max(seen.reached, key=PLACE.__getitem__)
    moments = {each: seen.moment(each) for each in STAGES[: PLACE[stage] + 1]}
    dated = [at for at in moments.values() if at is not None]
    acted = moments.get(Stage.FIRST_ACTION)
    missed = [entry.at for entry in history if entry.action == "missed"]
    return Milestones(
        deal.id,
        deal.name,
        round(deal.value * 100),
        present.rep_id,
        deal.inside_rep.strip(),
        deal.source.strip(),
        moments,
        stage,
        _part(present, history, stage),
        moments[Stage.LEAD] or min(dated, default=None),
        _timing(acted, handed_off, missed, zone, deadline) if Stage.FIRST_ACTION in moments else None,
    )


class _Seen:
    """The stages that something tells of, and the first moment that is known of each."""

    def __init__(self, deal: Lead, zone: ZoneInfo, now: datetime) -> None:
        self._now = now
        self.reached: dict[Stage, datetime | None] = {Stage.LEAD: None}
        written = {
            Stage.LEAD: deal.lead_at,
            Stage.CONTACTED: deal.contacted_at,
            Stage.QUALIFIED: deal.qualified_at,
        }
        for stage, at in written.items():
            if at is not None:
                self.note(stage, instant(at, zone))

    def note(self, stage: Stage, at: datetime | None) -> None:
        at = at if at is not None and at <= self._now else None
        known = self.reached.get(stage)
        self.reached[stage] = min(at, known) if at is not None and known is not None else at or known

    def moment(self, stage: Stage) -> datetime | None:
        return self.reached.get(stage)


@cache
def _shown(state: HandoffState, action: str) -> frozenset[Stage]:
    """The stages that something has reached of which an entry tells this."""
    return frozenset((*_SHOWS[state], *_SHOWN_BY.get(action, ())))


def _look_at_history(seen: _Seen, history: Sequence[Happened]) -> list[datetime]:
    """Note what its entries tell; when it was handed off, each time."""
    handed_off: list[datetime] = []
    shown: set[Stage] = set()
    for entry in history:
        if entry.overruled:
            continue
        new = _shown(entry.state, entry.action) - shown
        if new:  # how it began was written down later, with its first change
            for stage in new:
                seen.note(stage, None if entry.action == "began" else entry.at)
            shown |= new
        # Promised while it was a draft, it went to the field without another word.
        if entry.action == "handed_off" or (entry.action == "booked" and not handed_off):
            handed_off.append(entry.at)
    return handed_off


def _answered(history: Sequence[Happened], handed_off: datetime | None) -> datetime | None:
    """When the last answer to the gate's questions was written down before it was handed off, or else that."""
    written = [entry.at for entry in history if entry.action in _ANSWERED]
    return max((at for at in written if handed_off is None or at <= handed_off), default=handed_off)


def _part(present: Present, history: Sequence[Happened], stage: Stage) -> Part:
    if present.state is _S.LOST:
        return Part.LOST_FIELD if _lost_in_the_field(present, history, stage) else Part.LOST_INSIDE
    if present.state in _ENDS:
        return _ENDS[present.state]
    return {Side.MANAGER: Part.OPEN_MANAGER, Side.INSIDE: Part.OPEN_INSIDE}.get(present.side, Part.OPEN_FIELD)


def _lost_in_the_field(present: Present, history: Sequence[Happened], stage: Stage) -> bool:
    """Whether what is lost was with the field then: it reports it, or had it in the state before."""
    before: HandoffState | None = None
    for entry in reversed(history):
        if entry.state is not _S.LOST:
            before = entry.state
            break
        if entry.by_report and not entry.overruled:
            return True
    if before is None:
        return bool(present.rep_id) or PLACE[stage] >= PLACE[Stage.HANDED_OFF]
    return before not in AT_INSIDE


def _timing(
    acted: datetime | None,
    handed_off: Sequence[datetime],
    missed: Sequence[datetime],
    zone: ZoneInfo,
    deadline: Callable[[date], date],
) -> Timing:
    """Whether the first action came by the deadline of the handoff before it, and none had passed before that."""
    before = [at for at in handed_off if acted is not None and at <= acted]
    if acted is None or not before:
        return Timing.UNKNOWN
    if any(at <= acted for at in missed):
        return Timing.LATE
    due = deadline(max(before).astimezone(zone).date())
    return Timing.IN_TIME if acted.astimezone(zone).date() <= due else Timing.LATE
