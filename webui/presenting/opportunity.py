"""An opportunity on its way from inside sales to the field and back, as its page shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from planner.domain import Opportunity, Rep
from planner.handoffs.answering import QUESTIONS
from planner.handoffs.domain import HandoffEvent, HandoffRow, HandoffState, RejectReason, Side
from planner.handoffs.moving import KIND_WORDS, By
from planner.handoffs.transitions import Action, Said, Transition, possible
from planner.repository import PlannedHandoff
from planner.slots.domain import Booking, Meaning
from webui.presenting.opportunity_form import LABELS, PRODUCT
from webui.words import clock, count, duration, mail_link, phone_link, sentence, short_day

NEAR_DAYS = 2
"""So many days before it, a deadline is shown as a warning."""

STATES = {
    HandoffState.DRAFT: "Draft",
    HandoffState.HANDED_OFF: "Handed off",
    HandoffState.ACCEPTED: "Accepted",
    HandoffState.REJECTED: "Rejected",
    HandoffState.BOOKED: "Booked",
    HandoffState.VISITED: "Visited",
    HandoffState.WON: "Won",
    HandoffState.LOST: "Lost",
    HandoffState.RETURNED: "Returned",
}

_NEXT = {
    HandoffState.DRAFT: ("Complete it and hand it off", "Inside sales prepares it"),
    HandoffState.HANDED_OFF: ("Accept or reject it", "Waits for the field’s answer"),
    HandoffState.ACCEPTED: ("Make the visit, and report it", "The field has a visit to make"),
    HandoffState.REJECTED: ("Mend it and hand it off again", "Back at inside sales"),
    HandoffState.BOOKED: ("Make the visit, and report it", "A visit is promised"),
    HandoffState.VISITED: ("Say how it ended", "Visited; how it ends is open"),
    HandoffState.WON: ("Won", "Won"),
    HandoffState.LOST: ("Lost", "Lost"),
    HandoffState.RETURNED: ("Find out more, or give it up", "Back at inside sales"),
}
"""What is next, as told to whoever has to do it, and to everybody else."""

_REASONS = {
    HandoffState.REJECTED: "Rejected because:",
    HandoffState.RETURNED: "Returned because:",
    HandoffState.LOST: "Lost because:",
}

_EVENTS = {
    "began": "",
    "drafted": "Written down",
    "changed": "Changed",
    "answer_changed": "Another answer",
    "handed_off": "Handed off",
    "withdrawn": "Taken back",
    "assigned": "Given to a rep",
    "accepted": "Accepted",
    "rejected": "Rejected",
    "visited": "Visit reported",
    "not_met": "Nobody was met",
    "proposed": "Proposal made",
    "contacted": "Contacted",
    "won": "Won",
    "lost": "Lost",
    "returned": "Returned to inside sales",
    "booked": "Visit promised",
    "moved": "Visit moved to another time",
    "unbooked": "Visit cancelled",
    "missed": "Returned: nobody acted by the deadline",
}

_NAME_REPS = frozenset({"booked", "moved", "unbooked", "assigned"})
"""Events whose text has the id of a rep."""

_MOVES = {
    Action.ACCEPT: "Accept it",
    Action.REJECT: "Reject it",
    Action.REPORT: "Report the visit",
    Action.PROPOSE: "A proposal is made",
    Action.WIN: "It is won",
    Action.LOSE: "It is lost",
    Action.RETURN: "Return it to inside sales",
    Action.WITHDRAW: "Take it back",
    Action.ASSIGN: "Give it to a rep",
}
_MAIN = frozenset({Action.ACCEPT, Action.REPORT, Action.WIN, Action.ASSIGN})
"""What is usually next; the first of these that may be done stands out."""

_KIND_HINTS = {
    RejectReason.CLERICAL: "wrong number, wrong address, nobody there of that name",
    RejectReason.PROCEDURAL: "not qualified as agreed, or somebody else’s",
    RejectReason.WRONG_FIT: "too small, no need, not for us",
}


@dataclass(frozen=True, slots=True)
class Team:
    """What everybody of an area may know of its reps: names, the days on which somebody works, the time zone."""

    zone: ZoneInfo
    work_days: frozenset[int]
    names: Mapping[str, str]

    def name(self, rep_id: str) -> str:
        return self.names.get(rep_id, "a rep who is no longer here")


@dataclass(frozen=True, slots=True)
class Need:
    """What has to be said with a move; with `options` (value, text, more) one of them is chosen."""

    name: str
    label: str
    hint: str = ""
    options: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A page on which the viewer goes on."""

    text: str
    url: str
    main: bool = False


@dataclass(frozen=True, slots=True)
class RideView:
    """A customer near it who is due. Without `id` it is one whom the viewer does not see, and `name` says whose."""

    which: str
    name: str
    id: str
    minutes: str
    why: str
    planned: str
    may_add: bool


@dataclass(frozen=True, slots=True)
class PlannedView:
    """A visit in the plan that reps see; `agreed` is what was agreed with the customer before it was imported."""

    text: str
    rep: str
    agreed: str


@dataclass(frozen=True, slots=True)
class MoveView:
    """Something that the viewer may do now; `for_others` is what managers do in place of somebody else."""

    action: str
    text: str
    main: bool
    for_others: bool
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What was said to a question. `who` says by whom, when, and who wrote it down."""

    label: str
    answer: str
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened, at a local time."""

    text: str
    when: str
    iso: str
    who: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the first visit is due; `css` marks one that is near or past."""

    text: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True)
class DealView:
    """All of an opportunity that its page shows, besides its visit."""

    id: str
    name: str
    revision: int
    state: str
    state_label: str
    mine: bool
    next: str
    owner: str
    since: str
    deadline: Deadline
    reason_label: str
    reason: str
    missing: tuple[str, ...]
    learned: str
    conflict: str
    notes: str
    answers: tuple[AnswerView, ...]
    facts: tuple[tuple[str, str, str], ...]
    events: tuple[EventView, ...]


@dataclass(frozen=True, slots=True)
class PromiseView:
    """A visit that is promised, in the rep's local time."""

    id: str
    day: str
    window: str
    meaning: str
    length: str
    rep: str


def is_mine(row: HandoffRow, by: By, email: str) -> bool:
    """Whether the viewer has to do the next thing: what is theirs by name, or their whole side's.

    What was handed to the field and has no rep is a manager's to give to one, since no rep sees it.
    """
    if row.side is Side.INSIDE:
        return row.owner.casefold() == email.casefold() or (by.side is Side.INSIDE and not row.owner)
    if by.side is Side.MANAGER:
        return row.side is Side.MANAGER or (row.side is Side.FIELD and not row.owner and row.revision > 0)
    return row.side is by.side and row.owner in ("", by.rep)


def next_words(row: HandoffRow, mine: bool, by: By) -> str:
    """What is next for a handoff, as the viewer has to hear it."""
    if row.side is Side.MANAGER:
        return "Decide whose it is" if mine else "A manager decides whose it is"
    to_give = row.side is Side.FIELD and row.state in (HandoffState.HANDED_OFF, HandoffState.ACCEPTED)
    if mine and by.side is Side.MANAGER and to_give:
        return "Give it to a rep, or leave it to the next plan"
    return _NEXT[row.state][0 if mine else 1]


def owner_words(row: HandoffRow, mine: bool, team: Team) -> str:
    """Who has to do the next thing."""
    if row.side is Side.NOBODY:
        return "Nobody’s: it is over"
    if mine and row.owner:
        return "Yours"
    if row.side is Side.FIELD:
        return team.name(row.owner) if row.owner else "The field: nobody’s yet"
    if row.side is Side.MANAGER:
        return "A manager’s"
    return row.owner or "Inside sales"


def deadline_view(row: HandoffRow, deadline: date | None, today: date) -> Deadline:
    """Until when the field has to act, while it has."""
    if deadline is None or row.state not in (HandoffState.HANDED_OFF, HandoffState.ACCEPTED):
        return Deadline()
    days = (deadline - today).days
    if days < 0:
        return Deadline(f"First visit was due {short_day(deadline)}", "is-near")
    near = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return Deadline(f"First visit by {short_day(deadline)}, {near}", "is-near" if days <= NEAR_DAYS else "")


def deal_view(
    opportunity: Opportunity,
    row: HandoffRow,
    events: Sequence[HandoffEvent],
    people: Mapping[str, str],
    team: Team,
    mine: bool,
    by: By,
    missing: Sequence[str],
    deadline: Deadline,
) -> DealView:
    """The page of an opportunity. `people` are names of actors."""
    open_ = row.state in (HandoffState.DRAFT, HandoffState.REJECTED, HandoffState.RETURNED)
    return DealView(
        id=opportunity.id,
        name=opportunity.name,
        revision=row.revision,
        state=row.state,
        state_label=STATES[row.state],
        mine=mine,
        next=next_words(row, mine, by),
        owner=owner_words(row, mine, team),
        since=_when(row.since.astimezone(team.zone)) if row.since else "",
        deadline=deadline,
        reason_label=_REASONS.get(row.state, "Because:"),
        reason=row.reason,
        missing=tuple(missing) if open_ else (),
        learned=row.learned,
        conflict=row.conflict,
        notes=opportunity.notes,
        answers=tuple(_answer(opportunity, row, question, people, team.zone) for question in QUESTIONS),
        facts=tuple(_facts(opportunity, row, team)),
        events=tuple(_event(event, people, team) for event in reversed(events)),
    )


def is_proposed(events: Sequence[HandoffEvent]) -> bool:
    """Whether the customer has been made a proposal since the visit that was reported last."""
    told = (event.action for event in reversed(events) if event.action in ("proposed", "visited", "handed_off"))
    return next(told, "") == "proposed"


def moves_of(row: HandoffRow, by: By, reps: Iterable[Rep], proposed: bool = False) -> list[MoveView]:
    """What the viewer may do with a handoff now, the usual first. Handing off and booking have pages of their own.

    With `proposed`, a proposal is made already.
    """
    if by.side is Side.FIELD and (
        row.side is Side.MANAGER or (row.side is Side.FIELD and row.owner not in ("", by.rep))
    ):
        return []
    rows = [
        found
        for found in possible(row.state, by.side)
        if found.action in _MOVES
        and not (proposed and found.action is Action.PROPOSE)
        and (row.side is not Side.MANAGER or found.action is Action.ASSIGN)
    ]
    rows.sort(key=lambda found: found.action not in _MAIN)
    first = next((found.action for found in rows if found.action in _MAIN), None)
    return [_move(found, row, found.action is first, found.by is not by.side, reps) for found in rows]


def _move(found: Transition, row: HandoffRow, main: bool, for_others: bool, reps: Iterable[Rep]) -> MoveView:
    text = _MOVES[found.action]
    if found.action is Action.LOSE and found.by is Side.INSIDE:
        text = "Give it up as lost"
    labels = {
        Said.KIND: Need(
            "kind", "What is wrong", options=tuple((str(k), KIND_WORDS[k], _KIND_HINTS[k]) for k in RejectReason)
        ),
        Said.WHY: Need("why", "Why"),
        Said.LEARNED: Need("learned", "What was learned", "Inside sales reads it on this page."),
        Said.REP: Need("rep", "Rep", options=tuple((rep.id, rep.name, "") for rep in reps if rep.id != row.owner)),
    }
    return MoveView(
        found.action, text, main and not for_others, for_others, tuple(labels[said] for said in found.needs)
    )


def promise_view(booking: Booking, zone: ZoneInfo, rep: str) -> PromiseView:
    start, end = booking.start.astimezone(zone), booking.end.astimezone(zone)
    whole = booking.meaning is Meaning.WHOLE
    return PromiseView(
        booking.id,
        short_day(start.date()),
        f"{clock(start)}–{clock(end)}",
        "the whole visit lies within" if whole else "the rep arrives within",
        f"takes {duration(booking.service_minutes * 60)}",
        rep,
    )


def planned_view(visit: PlannedHandoff, deal: Opportunity, team: Team) -> PlannedView:
    when = f"{short_day(visit.arrive.date())}, {clock(visit.begin)}"
    agreed = "this time was agreed with the customer" if visit.promise else ""
    at = deal.appointment
    if visit.promise and at is not None and visit.begin.replace(tzinfo=None) - at >= timedelta(minutes=1):
        agreed = f"agreed for {_when(at)}, expected at {clock(visit.begin)}: call them"
    return PlannedView(when, team.names.get(visit.rep_id, visit.rep), agreed)


def _answer(
    opportunity: Opportunity, row: HandoffRow, question: str, people: Mapping[str, str], zone: ZoneInfo
) -> AnswerView:
    known = row.answers.get(question)
    said = getattr(opportunity, question)
    answer = "not known yet" if said == "unknown" else said
    who = []
    if known:
        on = f"on {short_day(known.said_on)}" if known.said_on else ""
        said_by = " ".join(filter(None, (known.said_by, on)))
        writer = people.get(known.written_by, "")
        written = f"written down {_when(known.written_at.astimezone(zone))}{f' by {writer}' if writer else ''}"
        who = [part for part in (said_by, written) if part]
    return AnswerView(LABELS[question], answer, tuple(who))


def _facts(opportunity: Opportunity, row: HandoffRow, team: Team) -> Iterable[tuple[str, str, str]]:
    """What is known, and where a touch of it leads."""
    address = opportunity.address
    town = " ".join(filter(None, (address.postcode, address.city)))
    worth = f"{opportunity.value:,.0f}" if opportunity.value else ""
    if worth and opportunity.probability:
        worth += f" at {opportunity.probability:.0%}"
    told = {
        "Address": ", ".join(filter(None, (address.street, town, address.country))),
        "Contact": opportunity.contact_name,
        "E-mail": opportunity.contact_email,
        "Phone": opportunity.contact_phone,
        "Customer number": opportunity.account_id,
        "Value": worth,
        "Product": opportunity.attributes.get(PRODUCT, ""),
        "Visit": count(opportunity.visit_minutes, "minute") if opportunity.visit_minutes else "",
        "Skills": ", ".join(sorted(opportunity.required_skills)),
        "Has time": opportunity.availability,
        "Source": opportunity.source,
        "Came in": _when(opportunity.lead_at) if opportunity.lead_at else "",
        "Contacted": _when(opportunity.contacted_at) if opportunity.contacted_at else "",
        "Agreed time": _when(opportunity.appointment) if opportunity.appointment else "",
        "Inside sales": opportunity.inside_rep,
        "Field": team.name(row.field_rep) if row.field_rep else "",
        "Credit": ", ".join(team.names.get(who, who) for who in row.credit),
    }
    links = {"E-mail": mail_link(opportunity.contact_email), "Phone": phone_link(opportunity.contact_phone)}
    return ((label, text, links.get(label, "")) for label, text in told.items() if text)


def _event(event: HandoffEvent, people: Mapping[str, str], team: Team) -> EventView:
    known = _EVENTS.get(event.action, sentence(event.action.replace("_", " ")))
    said = _with_names(event.text, team) if event.action in _NAME_REPS else event.text
    text = f"{known}: {said}" if known and said else known or said
    local = event.at.astimezone(team.zone)
    return EventView(text, _when(local), local.isoformat(timespec="minutes"), people.get(event.actor, ""))


def _with_names(text: str, team: Team) -> str:
    """A history's "Visit on 2026-12-01, R03: why", with the rep's first name."""
    found = re.fullmatch(r"(Visit on [0-9-]{10}, |To )(.*?)(: .*|, who .*|\. .*|)", text, re.DOTALL)
    return f"{found[1]}{team.names.get(found[2], found[2])}{found[3]}" if found else text


def _when(moment: datetime) -> str:
    return f"{short_day(moment.date())} {clock(moment)}"
