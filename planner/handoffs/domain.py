"""The states of a handoff, who owns it in each, and what inside sales asked and was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from planner.domain import MAX_NOTES, _check, _check_text


class HandoffState(StrEnum):
    """Where an opportunity is on its way; exactly one side owns it in each state."""

    DRAFT = "draft"
    HANDED_OFF = "handed_off"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    BOOKED = "booked"
    """A visit is promised to the customer."""
    VISITED = "visited"
    WON = "won"
    LOST = "lost"
    RETURNED = "returned"
    """Back at inside sales, with a reason and what was learned."""


TO_VISIT = frozenset({HandoffState.HANDED_OFF, HandoffState.ACCEPTED, HandoffState.BOOKED})
"""States in which the field has a visit to make."""
AT_INSIDE = frozenset({HandoffState.DRAFT, HandoffState.REJECTED, HandoffState.RETURNED})
"""States in which inside sales has to do the next thing; in all others the visit has been made."""


class Side(StrEnum):
    """Who has to do the next thing."""

    INSIDE = "inside"
    FIELD = "field"
    MANAGER = "manager"
    NOBODY = "nobody"


class RejectReason(StrEnum):
    """Why the field does not take a handoff."""

    CLERICAL = "clerical"
    """The record is wrong or incomplete."""
    PROCEDURAL = "procedural"
    """The agreed rules were not followed."""
    WRONG_FIT = "wrong_fit"
    """It is not an opportunity for a visit."""


@dataclass(frozen=True, slots=True)
class BantAnswer:
    """What was said to one question of the gate (budget, authority, need, timeline), by whom, and when.

    `said_by` is a person at the customer's, `said_on` the day; `written_by` and `written_at` who wrote it down.
    """

    question: str
    answer: str
    said_by: str
    said_on: date | None
    written_by: str
    written_at: datetime

    def __post_init__(self) -> None:
        _check_text(self, "question", "answer", "said_by", "written_by")


@dataclass(frozen=True, slots=True)
class BeforeReports:
    """What a handoff was before the reports from phones that made it what it is: later ones start from here again.

    Attributes:
        since: when somebody had moved it last; what was reported before that is overtaken by it.
        reports: ids of the visit reports since then.
        promises: ids of the bookings that were promised then.
    """

    state: HandoffState
    side: Side
    owner: str
    field_rep: str
    reason: str
    learned: str
    since: datetime | None
    reports: tuple[str, ...]
    promises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """The state of one opportunity; one without a row was imported and is a draft or handed off, as the gate says.

    Attributes:
        revision: goes up with every change, from 1; 0 of one that is not written yet.
        since: when it came to this state; None where that is not written yet.
        side, owner: who has to do the next thing: a side, and the rep's id, or the inside rep as
            `Opportunity.inside_rep`; an empty owner is the whole side.
        field_rep: the rep who has it, or had it last, and goes on seeing it.
        answers: the newest answer to each question.
        reason: of the present state: a RejectReason, why it came back, …, in words.
        learned: what the field learned, for inside sales.
        credit: who gets the deal's credit where that was decided: inside rep and rep ids; empty for the owner alone.
        conflict: what was decided about a customer who was there already, in words.
        before: what it was before the reports by which it stands where it stands; None where nobody has reported, or
            somebody has moved it since.
    """

    area: str
    opportunity_id: str
    revision: int
    state: HandoffState
    since: datetime | None
    side: Side
    owner: str
    field_rep: str = ""
    answers: Mapping[str, BantAnswer] = field(default_factory=dict)
    reason: str = ""
    learned: str = ""
    credit: tuple[str, ...] = ()
    conflict: str = ""
    before: BeforeReports | None = None

    def __post_init__(self) -> None:
        _check(self.revision >= 0, "revision", f"{self.revision} is below 0")
        _check_text(self, "reason", "learned", "conflict", limit=MAX_NOTES)


@dataclass(frozen=True, slots=True)
class HandoffEvent:
    """One thing that happened to an opportunity on its way, `number` 1 and up. The list only grows.

    `action` is a short code ("handed_off", "booked", "moved", "answer_changed", …), `text` says it in words.
    `report_id` is the visit report that it follows from; empty for none.
    """

    area: str
    opportunity_id: str
    number: int
    at: datetime
    actor: str
    action: str
    state: HandoffState
    text: str = ""
    report_id: str = ""


@dataclass(frozen=True, slots=True)
class TeamRules:
    """The rules of an area about who handles what, as JSON that `planner.handoffs.division` reads."""

    area: str
    revision: int
    rules: tuple[Mapping[str, object], ...]
