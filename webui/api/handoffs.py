"""Opportunities on their way from inside sales to the field and back, by program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from planner.access import Permission
from planner.domain import MAX_NOTES, RecordKind
from planner.handoffs.conflicts import find_conflicts
from planner.handoffs.domain import HandoffRow, RejectReason
from planner.handoffs.handing import HandOff, hand_off
from planner.handoffs.moving import By, Move, move
from planner.handoffs.state import handoff_of, history, opportunity_of
from planner.handoffs.transitions import Action, possible
from planner.qualification import missing_for_handoff
from planner.repository import UnitOfWork
from webui.api.operation import OwnWrite, Reply, Write, operation, store
from webui.api.records import area_named
from webui.api.values import Day, Model, Moment, Text
from webui.pages.plans import now, settings, sources
from webui.policy import allow, viewer

Said = Annotated[str, Field(max_length=MAX_NOTES // 2)]
Revision = Annotated[int, Field(ge=0, lt=2**31, description="Of the handoff, as it was seen.")]


class BantAnswerRecord(Model):
    """What was said to one question of the gate, by whom and when, and who wrote it down."""

    question: str
    answer: str
    said_by: str
    said_on: Day | None
    written_by: str
    written_at: Moment


class EventRecord(Model):
    """One thing that happened."""

    number: int
    at: Moment
    actor: str
    action: str
    state: str
    text: str


class HandoffStanding(Model):
    """Where an opportunity is on its way, and whose turn it is."""

    opportunity_id: str
    revision: Annotated[int, Field(description="Goes up with every change; 0 where nobody has changed anything yet.")]
    state: Annotated[str, Field(description="docs/handoffs.md has the states, and who does what in each.")]
    since: Moment
    side: Annotated[str, Field(description="Who does the next thing: `inside`, `field`, `manager` or `nobody`.")]
    owner: Annotated[str, Field(description="A rep's id or an inside rep's address; empty for the whole side.")]
    reason: str
    learned: Annotated[str, Field(description="What the field learned.")]
    credit: list[str]
    conflict: Annotated[str, Field(description="What was decided about a customer who was there already.")]
    missing: Annotated[list[str], Field(description="What the gate still asks for.")]
    actions: Annotated[list[str], Field(description="What you may do now.")]
    answers: list[BantAnswerRecord]
    history: list[EventRecord]


class MoveOrder(Model):
    """What shall be done with a handoff, and what has to be said with it."""

    action: Annotated[Action, Field(strict=False)]
    revision: Revision
    kind: Annotated[RejectReason | None, Field(strict=False, description="Of a rejection.")] = None
    why: Said = ""
    learned: Said = ""
    rep: Annotated[Text, Field(description="Of an assignment.")] = ""
    shared: Annotated[bool, Field(description="Of an assignment: the inside rep shares the credit.")] = False


class HandOffOrder(Model):
    """Hand it to the field. `different` are the matches, as `kind:id`, that are other companies."""

    revision: Revision
    different: Annotated[list[Text], Field(max_length=1_000)] = Field(default_factory=list)
    seen: Annotated[list[Text], Field(max_length=1_000, description="The matches that were looked at.")] = Field(
        default_factory=list
    )
    note: Said = ""


class MatchRecord(Model):
    """A record that may be the same company, and why."""

    key: str
    kind: Annotated[RecordKind, Field(strict=False)]
    id: str
    name: str
    address: str
    owner: str
    sureness: str
    percent: int
    metres: int | None
    reasons: list[str]


class MatchList(Model):
    """Who may be there already, the surest first, and what the conflict rule says of it."""

    matches: list[MatchRecord]
    decision: str


@operation("GET", "/areas/<area>/standing/<anything:opportunity_id>", {200: HandoffStanding}, tag="handoffs")
@allow(Permission.SEE_HANDOFFS, Permission.ANSWER_HANDOFFS)
def get_handoff(area: str, opportunity_id: str) -> Reply:
    """Where an opportunity is on its way, with its answers and its history."""
    with store().read(viewer().scope) as unit:
        return Reply(_standing(unit, area_named(area).name, opportunity_id))


@operation("GET", "/areas/<area>/matches/<anything:opportunity_id>", {200: MatchList}, tag="handoffs")
@allow(Permission.HAND_OFF)
def list_matches(area: str, opportunity_id: str) -> Reply:
    """Accounts and open opportunities that may be the same company, over the whole area."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        opportunity = opportunity_of(unit, known, opportunity_id)
    found = find_conflicts(store(), sources().directories, known, opportunity, settings())
    matches = [
        MatchRecord.of(
            match,
            kind=match.card.kind,
            id=match.card.id,
            name=match.card.name,
            address=match.card.address,
            owner=match.card.owner,
            sureness=str(match.sureness),
            reasons=list(match.reasons),
        )
        for match in found.matches
    ]
    return Reply(MatchList(matches=matches, decision=found.decision.sentence if found.decision else ""))


@operation(
    "POST", "/areas/<area>/hand-offs/<anything:opportunity_id>", {200: HandoffStanding}, tag="handoffs", problems=(409,)
)
@allow(Permission.HAND_OFF)
def hand_off_opportunity(area: str, opportunity_id: str, body: HandOffOrder) -> OwnWrite:
    """Hand an opportunity to the field; its deadline begins now.

    Where somebody is there already who is not among those `seen`, the answer is 409: ask for the matches and look at
    them. What the gate misses is refused with 422.
    """
    known = area_named(area).name
    different = frozenset(body.different)
    asked = HandOff(opportunity_id, body.revision, frozenset(body.seen) | different, different, body.note)

    def write(kept: Callable[[UnitOfWork, Reply], None]) -> None:
        def also(unit: UnitOfWork, _: HandoffRow) -> None:
            kept(unit, Reply(_standing(unit, known, opportunity_id)))

        hand_off(store(), viewer().actor, sources().directories, known, asked, _doing(), settings(), now(), also)

    return OwnWrite(write)


@operation(
    "POST", "/areas/<area>/moves/<anything:opportunity_id>", {200: HandoffStanding}, tag="handoffs", problems=(409,)
)
@allow(Permission.HAND_OFF, Permission.ANSWER_HANDOFFS)
def move_handoff(area: str, opportunity_id: str, body: MoveOrder) -> Write:
    """Accept, reject, report, win, lose, return, withdraw or assign a handoff."""
    known = area_named(area).name
    wanted = Move(body.action, body.revision, body.kind, body.why, body.learned, body.rep, body.shared)

    def write(unit: UnitOfWork) -> Reply:
        move(unit, known, opportunity_id, wanted, _doing(), settings().gate, now())
        return Reply(_standing(unit, known, opportunity_id))

    return write


def _doing() -> By:
    return By.person(viewer().actor, viewer().user.role)


def _standing(unit: UnitOfWork, area: str, opportunity_id: str) -> HandoffStanding:
    opportunity = opportunity_of(unit, area, opportunity_id)
    row = handoff_of(unit, area, opportunity, settings().gate)
    return HandoffStanding.of(
        row,
        state=str(row.state),
        side=str(row.side),
        credit=list(row.credit),
        missing=list(missing_for_handoff(opportunity, settings().gate)),
        actions=[str(transition.action) for transition in possible(row.state, _doing().side)],
        answers=[BantAnswerRecord.of(answer) for answer in row.answers.values()],
        history=[EventRecord.of(event, state=str(event.state)) for event in history(unit, area, opportunity_id)],
    )
