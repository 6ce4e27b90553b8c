"""The words of the field: an event from a phone, a check-in, a visit report, what came of a visit, a day's progress.

Events are what phones send. They arrive late, in any order and more than once, and are kept for ever by the id that the
phone gave them. All else here follows from the set of them: whichever way they came, the same rows come of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from planner.domain import MAX_NOTES, _check, _check_text

MAX_ID = 200
MAX_MESSAGE = 2_000
LEAST_MINUTES = 5
MOST_MINUTES = 480
"""Between these, visits to a customer are planned for as long as somebody says, or as is learned."""
MOST_DWELLS = 100


class EventKind(StrEnum):
    """What a phone says. The first three are facts: they happened, whatever anybody thinks of them."""

    ARRIVED = "arrived"
    """Check-in at a visit."""
    LEFT = "left"
    REPORTED = "reported"
    LATE = "late"
    """The rep can leave for the next stop only at a certain time."""
    CANCELLED = "cancelled"
    """The customer has called a visit off."""
    SKIPPED = "skipped"
    """The rep leaves a visit out today."""
    RESTORED = "restored"
    """What was cancelled or skipped is done today after all."""
    ADDED = "added"
    """A stop that nobody planned."""
    SICK = "sick"
    FINISH = "finish"
    """The rep wants to be home by a certain time."""
    ORDER = "order"
    """The rep's own order of what is left."""
    SETTLED = "settled"
    """The person has seen a conflict, and has done about it what there was to do."""


SAID_AT = "said_at"
"""The name in an event's body of the time by a phone's clock that is ahead of ours."""

FACTS = frozenset({EventKind.ARRIVED, EventKind.LEFT, EventKind.REPORTED})


class Outcome(StrEnum):
    """What became of an event. Nothing that was sent is ever dropped."""

    TAKEN = "taken"
    CONFLICT = "conflict"
    """It is kept, and did not do all that it was meant to do; the event's message says why, until it is settled."""
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class FieldEvent:
    """One thing that a rep did or said on a phone.

    Attributes:
        id: a UUID that the phone made: sent again, it is the same event.
        rep_id, day: whose day it is about, and `visit_id` which visit of it; empty for what is about the whole day.
        made_at: by the phone's clock, in UTC, unless that is ahead of ours: then it is when the event was received,
            and the body keeps under `SAID_AT` what the phone says. Of two that say different things about one thing
            the later one counts, and of two at one moment the one with the greater id.
        base: the revision of the day that the phone showed; 0 for a day as its plan has it.
        body: what else was said, as `planner.fieldwork.bodies` reads it. A position is never in it.
        made_by: an actor's id; received_at: by the database's clock.
        message: what became of it in words, for the person.
    """

    area: str
    id: str
    rep_id: str
    day: date
    visit_id: str
    kind: EventKind
    made_at: datetime
    base: int
    body: Mapping[str, Any]
    made_by: str
    received_at: datetime
    outcome: Outcome = Outcome.TAKEN
    message: str = ""

    def __post_init__(self) -> None:
        _check(bool(self.id), "id", "is empty")
        _check_text(self, "id", "rep_id", "visit_id", limit=MAX_ID)
        _check_text(self, "message", limit=MAX_MESSAGE)
        _check(self.base >= 0, "base", f"{self.base} is below 0")

    @property
    def said_at(self) -> datetime:
        """When it was made, by the phone's clock."""
        return datetime.fromisoformat(self.body[SAID_AT]) if SAID_AT in self.body else self.made_at

    @property
    def rank(self) -> tuple[datetime, str]:
        """By which of two events the later one is told."""
        return self.made_at, self.id


class CheckInVerdict(StrEnum):
    """Whether the phone was at the customer's door when the rep checked in."""

    AT_THE_DOOR = "at_the_door"
    ELSEWHERE = "elsewhere"
    UNVERIFIED = "unverified"
    """No position was given, or one too vague to tell."""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One check-in, by the id of its event. Distance and verdict stay; the position is coarsened, and then forgotten.

    Attributes:
        lat, lon: where the phone was, in degrees; None where it gave no position, or that has been forgotten.
        accuracy_m: as the phone says, at 68 %; distance_m: from the place of the visit.
        coarse: whether the position is only about a kilometre's now.
    """

    area: str
    id: str
    rep_id: str
    day: date
    visit_id: str
    at: datetime
    lat: float | None
    lon: float | None
    accuracy_m: float | None
    distance_m: float | None
    verdict: CheckInVerdict
    coarse: bool = False


class Disposition(StrEnum):
    """How a visit went."""

    MET = "met"
    NOT_IN = "not_in"
    RESCHEDULED = "rescheduled"
    """The customer wants another day."""
    REFUSED = "refused"


class DealOutcome(StrEnum):
    """What the visit made of the opportunity."""

    OPEN = "open"
    """The field goes on with it."""
    PROPOSED = "proposed"
    """So it does, and the customer has been made a proposal."""
    WON = "won"
    LOST = "lost"
    RETURNED = "returned"
    """Back to inside sales."""


class Severity(StrEnum):
    """How much a concern stands in the way."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class VisitReport:
    """What a rep reports of a visit, by the id of its event. Of several for one visit the latest counts; all are kept.

    Attributes:
        account_id, opportunity_id: whom it is about; one of them may be empty.
        inside_rep: of the opportunity, in small letters: who is told.
        deal: what became of the opportunity; OPEN for an account.
        next_step, next_step_on: what happens next, and when.
        competitor: what competitors are doing there; concern: what the decision maker worries about, and how much.
        reason: why the deal is lost, why it goes back to inside sales, or why the visit was refused.
        text: free text: what was learned.
        order_value: of what was ordered; None for nothing.
        template: the name of the template that it was written with.
    """

    area: str
    id: str
    rep_id: str
    day: date
    visit_id: str
    account_id: str
    opportunity_id: str
    inside_rep: str
    made_at: datetime
    made_by: str
    disposition: Disposition
    deal: DealOutcome = DealOutcome.OPEN
    next_step: str = ""
    next_step_on: date | None = None
    competitor: str = ""
    concern: str = ""
    severity: Severity | None = None
    reason: str = ""
    text: str = ""
    order_value: float | None = None
    template: str = ""

    def __post_init__(self) -> None:
        _check_text(self, "next_step", "competitor", "concern", "reason", "template")
        _check_text(self, "text", limit=MAX_NOTES // 2)
        value = self.order_value
        _check(value is None or 0 <= value <= 1e12, "order_value", f"{value} is negative or absurd")

    @property
    def rank(self) -> tuple[datetime, str]:
        """By which of two reports the later one is told."""
        return self.made_at, self.id


@dataclass(frozen=True, slots=True)
class FieldVisit:
    """What is known of one visit on one day: all that its events say together.

    Attributes:
        report_id: of the report that counts; empty where none was made, and `disposition` is that report's.
        arrived_at: the first check-in; left_at: the last word about leaving, or else when the visit was reported from
            the customer's (see `planner.fieldwork.folding`).
        dwell_minutes: between the two, where that is a visit's length; None where it is not known.
        reported_at: when it was first reported, if that was on the day: nobody is there any more after that.
    """

    area: str
    rep_id: str
    day: date
    visit_id: str
    account_id: str
    opportunity_id: str
    inside_rep: str
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    dwell_minutes: int | None = None
    report_id: str = ""
    disposition: Disposition | None = None
    reported_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether the rep has nothing more to do there on this day."""
        return self.left_at is not None or self.disposition is not None


@dataclass(frozen=True, slots=True)
class DayProgress:
    """What a rep has said about the rest of a day: all that the statements of the day say together.

    Attributes:
        revision: goes up with every change, from 1; 0 where nothing was said, and only `to_call` is kept.
        after: the visit that the rep is at or has made last, when `leave_at` was said; empty for none. What stands
            before it in the day's order is passed.
        leave_at: when the rep can leave there, in UTC; None for as planned.
        finish_by: when the rep wants to be home; None for the working hours' end.
        sick: nothing more is done on this day.
        left_out: by visit id, why it is not done today.
        added: ids of visits that the rep has added.
        order: visit ids in the order that the rep has chosen for what is left; empty for none.
        to_call: by visit id of a promise that cannot be kept: why, in words. The promise stands until somebody has
            agreed on another time with the customer.
    """

    area: str
    rep_id: str
    day: date
    revision: int
    after: str = ""
    leave_at: datetime | None = None
    finish_by: datetime | None = None
    sick: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    to_call: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VisitMinutes:
    """How long visits to an account are planned for, as somebody has set it; without a row it is learned."""

    area: str
    account_id: str
    minutes: int
    set_by: str
    set_at: datetime

    def __post_init__(self) -> None:
        fits = LEAST_MINUTES <= self.minutes <= MOST_MINUTES
        _check(fits, "minutes", f"{self.minutes} is not between {LEAST_MINUTES} and {MOST_MINUTES}")


@dataclass(frozen=True, slots=True)
class AccountVisits:
    """What the field visits and the minutes of one account say together. The store keeps it as they change.

    Attributes:
        number: goes up in the area with every change: what has changed since is what has a greater one.
        last_visit: the last day on which somebody met the customer, be it about an opportunity.
        dwells: minutes of the last visits to the account itself at which the customer was met and whose length is
            known, the oldest first, `MOST_DWELLS` at most.
        minutes: as `VisitMinutes`; None where nobody has set them.
    """

    area: str
    account_id: str
    number: int
    last_visit: date | None
    dwells: tuple[int, ...]
    minutes: int | None


@dataclass(frozen=True, slots=True)
class ReportTemplates:
    """The report templates of an area's team, as JSON that `planner.fieldwork.templates` reads."""

    area: str
    revision: int
    templates: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """A rep's days as a secret calendar address. Only a hash of the secret is stored; a new one ends the old one."""

    area: str
    rep_id: str
    id: str
    secret_hash: str
    user_id: str
    created_at: datetime
    read_at: datetime | None = None


class MailState(StrEnum):
    """How far a mail has come. It is handed over once, so that nobody gets it twice."""

    CLAIMED = "claimed"
    """Somebody is about to send it; nothing has left the house."""
    HANDED_OVER = "handed_over"
    """The server was given it, and has not said that it took it. Whether it did is not known if it stays so."""
    SENT = "sent"
    FAILED = "failed"
    """It was not taken, and is tried again until midnight."""
    REFUSED = "refused"
    """It was not taken, and never will be."""


@dataclass(frozen=True, slots=True)
class SentMail:
    """The mail about a rep's day the evening before.

    Attributes:
        at: when it came to this state, by the database's clock.
        problem: why it was not sent, in words.
    """

    area: str
    rep_id: str
    day: date
    state: MailState
    at: datetime
    problem: str = ""
