"""Opportunities on their way from inside sales to the field and back, by program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from planner.access import Permission
from planner.domain import MAX_NOTES, Address, Opportunity, RecordKind
from planner.errors import InvalidRecordError, NotFoundError
from planner.handoffs.answering import QUESTIONS, Told, record_opportunity
from planner.handoffs.conflicts import Match, find_conflicts
from planner.handoffs.domain import HandoffRow, RejectReason, Side
from planner.handoffs.handing import HandOff, LooksKnownError, hand_off
from planner.handoffs.moving import By, Move, move
from planner.handoffs.state import handoff_of, history, opportunity_of
from planner.handoffs.transitions import Action, Transition, possible
from planner.intake.cells import parse_identifier, parse_local_time, parse_phone, parse_skills, parse_timeline
from planner.qualification import missing_for_handoff
from planner.repository import UnitOfWork
from webui.api.operation import OwnWrite, Reply, Write, operation, store
from webui.api.problems import Problem
from webui.api.record_models import Answer, OpeningHours, Skills
from webui.api.records import area_named
from webui.api.values import Attributes, Day, LocalTime, Minutes, Model, Moment, Money, Phone, Text
from webui.pages.handing import located
from webui.pages.opportunity import team_of
from webui.pages.plans import now, settings, sources
from webui.policy import allow, viewer

Said = Annotated[str, Field(max_length=MAX_NOTES // 2)]
Revision = Annotated[int, Field(ge=0, lt=2**31, description="Of the handoff, as it was seen.")]
Moves = Literal["withdraw", "assign", "accept", "reject", "report", "propose", "win", "lose", "return"]

NEEDS = {
    Side.INSIDE: Permission.HAND_OFF,
    Side.FIELD: Permission.ANSWER_HANDOFFS,
    Side.MANAGER: Permission.ANSWER_HANDOFFS,
}
"""What a token takes for the things of a side; a manager's token may have one of them only."""


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
    since: Annotated[Moment | None, Field(description="null where nobody has changed anything yet.")]
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

    action: Moves
    revision: Revision
    kind: Annotated[RejectReason | None, Field(strict=False, description="Of a rejection.")] = None
    why: Said = ""
    learned: Said = ""
    rep: Annotated[Text, Field(description="Of an assignment.")] = ""
    shared: Annotated[bool, Field(description="Of an assignment: the inside rep shares the credit.")] = False


class ToldOrder(Model):
    """What somebody at the customer's answered to a question."""

    answer: Answer
    said_by: Text = ""
    said_on: Day | None = None


class ToldPhraseOrder(ToldOrder):
    """The same of a question that is answered with a phrase."""

    answer: Annotated[Text, Field(description="A phrase such as “this quarter”, or no or unknown.")]  # type: ignore[assignment]


class DraftOrder(Model):
    """What is known of an opportunity now; what is left out stays as it is. A new one needs a name."""

    revision: Revision
    name: Text = ""
    address: Text = ""
    city: Text = ""
    postcode: Text = ""
    country: Text = ""
    account_id: Annotated[Text, Field(description="When it is with a customer.")] = ""
    contact_name: Text = ""
    contact_email: Text = ""
    contact_phone: Phone = ""
    value: Money = 0.0
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    source: Annotated[Text, Field(description="Where the lead came from.")] = ""
    lead_at: Annotated[LocalTime | None, Field(description="Local time when the lead came in.")] = None
    contacted_at: Annotated[LocalTime | None, Field(description="When somebody first spoke to the customer.")] = None
    need: ToldOrder | None = None
    budget: ToldOrder | None = None
    authority: ToldOrder | None = None
    timeline: ToldPhraseOrder | None = None
    first_action_days: Annotated[int | None, Field(ge=0, le=365)] = None
    visit_minutes: Minutes | None = None
    required_skills: Skills = Field(default_factory=list)
    availability: OpeningHours = ""
    notes: Annotated[str, Field(max_length=20_000)] = ""
    attributes: Attributes = Field(default_factory=dict)

    def told(self) -> dict[str, Told]:
        """What was said, by question."""
        said = {name: order for name in QUESTIONS if isinstance(order := getattr(self, name), ToldOrder)}
        if "timeline" in said:
            said["timeline"] = said["timeline"].model_copy(update={"answer": parse_timeline(said["timeline"].answer)})
        return {name: Told(order.answer, order.said_by, order.said_on) for name, order in said.items()}

    def applied_to(self, known: Opportunity) -> Opportunity:
        """The record with what was sent, the answers aside. Raises InvalidRecordError with our own names."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        place: dict[str, str] = {name: sent[name] for name in ("city", "postcode", "country") if name in sent}
        if "address" in sent:
            place["street"] = sent["address"]
        if "contact_phone" in sent:
            sent["contact_phone"] = parse_phone("contact_phone", self.contact_phone)
        for name in ("lead_at", "contacted_at"):
            if sent.get(name):
                sent[name] = parse_local_time(name, sent[name])
        if "required_skills" in sent:
            sent["required_skills"] = parse_skills(";".join(self.required_skills))
        kept = {name: value for name, value in sent.items() if name not in (*_ELSEWHERE, *QUESTIONS)}
        try:
            return replace(known, address=replace(known.address, **place), **kept)
        except InvalidRecordError as error:
            raise InvalidRecordError({"street": "address"}.get(error.field, error.field), error.message) from error


_ELSEWHERE = ("revision", "address", "city", "postcode", "country")


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

    @classmethod
    def shown(cls, match: Match) -> MatchRecord:
        card = match.card
        return cls.of(
            match,
            kind=card.kind,
            id=card.id,
            name=card.name,
            address=card.address,
            owner=card.owner,
            sureness=str(match.sureness),
            reasons=list(match.reasons),
        )


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
    matches = [MatchRecord.shown(match) for match in found.matches]
    return Reply(MatchList(matches=matches, decision=found.decision.sentence if found.decision else ""))


@operation(
    "POST",
    "/areas/<area>/drafts/<anything:opportunity_id>",
    {200: HandoffStanding, 201: HandoffStanding},
    tag="handoffs",
    problems=(409,),
)
@allow(Permission.HAND_OFF)
def write_down(area: str, opportunity_id: str, body: DraftOrder) -> Write:
    """Write down what is known of an opportunity, and who said what to the gate's questions.

    One that is not there yet is a draft of yours, with revision 0. Changed answers stay in the history.
    """
    here = area_named(area)
    known, told = here.name, body.told()
    new = Opportunity(parse_identifier("id", opportunity_id), "-", Address(""), inside_rep=viewer().user.email)

    def wanted(unit: UnitOfWork) -> tuple[Opportunity, bool]:
        before = unit.records(known).get(RecordKind.OPPORTUNITY, opportunity_id)
        if isinstance(before, Opportunity):
            return body.applied_to(before), False
        if "name" not in body.model_fields_set:
            raise NotFoundError(f"area {known} has no opportunity {opportunity_id}: a new one needs a name")
        return body.applied_to(new), True

    with store().read(viewer().scope) as unit:
        deal, _ = wanted(unit)
    location = located(here, deal, None)

    def write(unit: UnitOfWork) -> Reply:
        deal, drafted = wanted(unit)
        record_opportunity(unit, known, deal, told, body.revision, _doing(), settings().gate, now())
        present = unit.records(known).location(RecordKind.OPPORTUNITY, deal.id)
        if location is not None and location.address == deal.address and location != present:
            unit.records(known).save_locations([location])
        return Reply(_standing(unit, known, opportunity_id), 201 if drafted else 200)

    return write


@operation(
    "POST", "/areas/<area>/hand-offs/<anything:opportunity_id>", {200: HandoffStanding}, tag="handoffs", problems=(409,)
)
@allow(Permission.HAND_OFF)
def hand_off_opportunity(area: str, opportunity_id: str, body: HandOffOrder) -> OwnWrite:
    """Hand an opportunity to the field; its deadline begins now.

    Where somebody may be there already who is not among those `seen`, the answer is 409, of the type `looks-known`,
    with the `matches`: look at them. What the gate misses is refused with 422, with the sentences in `missing`.
    """
    known = area_named(area).name
    different = frozenset(body.different)
    asked = HandOff(opportunity_id, body.revision, frozenset(body.seen) | different, different, body.note)

    def write(kept: Callable[[UnitOfWork, Reply], None]) -> None:
        def also(unit: UnitOfWork, _: HandoffRow) -> None:
            kept(unit, Reply(_standing(unit, known, opportunity_id)))

        try:
            hand_off(store(), viewer().actor, sources().directories, known, asked, _doing(), settings(), now(), also)
        except LooksKnownError as error:
            matches = [MatchRecord.shown(match).model_dump(mode="json") for match in error.conflicts.matches]
            raise Problem(409, "looks-known", str(error), members={"matches": matches}) from error

    return OwnWrite(write)


@operation(
    "POST", "/areas/<area>/moves/<anything:opportunity_id>", {200: HandoffStanding}, tag="handoffs", problems=(409,)
)
@allow(Permission.HAND_OFF, Permission.ANSWER_HANDOFFS)
def move_handoff(area: str, opportunity_id: str, body: MoveOrder) -> Write:
    """Accept, reject, report, win, lose, return, withdraw or assign a handoff."""
    here = area_named(area)
    known, zone = here.name, team_of(here).zone
    wanted = Move(Action(body.action), body.revision, body.kind, body.why, body.learned, body.rep, body.shared)

    def write(unit: UnitOfWork) -> Reply:
        row = handoff_of(unit, known, opportunity_of(unit, known, opportunity_id), settings().gate)
        asked = [each for each in possible(row.state, _doing().side) if each.action is wanted.action]
        if asked and not any(map(_may, asked)):
            needed = NEEDS[asked[0].by]
            raise Problem(403, "", f"This takes the permission {needed}, which you do not have here.")
        move(unit, known, opportunity_id, wanted, _doing(), settings().gate, zone, now())
        return Reply(_standing(unit, known, opportunity_id))

    return write


def _doing() -> By:
    return By.person(viewer().actor, viewer().user.role)


def _may(transition: Transition) -> bool:
    """Whether the token has what a thing of its side takes."""
    return viewer().may(NEEDS[transition.by])


def _standing(unit: UnitOfWork, area: str, opportunity_id: str) -> HandoffStanding:
    opportunity = opportunity_of(unit, area, opportunity_id)
    row = handoff_of(unit, area, opportunity, settings().gate)
    return HandoffStanding.of(
        row,
        state=str(row.state),
        side=str(row.side),
        credit=list(row.credit),
        missing=list(missing_for_handoff(opportunity, settings().gate)),
        actions=[str(each.action) for each in possible(row.state, _doing().side) if _may(each)],
        answers=[BantAnswerRecord.of(answer) for answer in row.answers.values()],
        history=[EventRecord.of(event, state=str(event.state)) for event in history(unit, area, opportunity_id)],
    )
