"""The words of replanning: what a rep wishes of the rest of a day, and what would come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from planner.domain import _check
from planner.fieldwork.domain import MAX_ID, EventKind
from planner.plan_document import RepDay

ABOUT_A_VISIT = frozenset({EventKind.CANCELLED, EventKind.SKIPPED, EventKind.RESTORED, EventKind.ADDED})
WISHES = ABOUT_A_VISIT | {EventKind.LATE, EventKind.SICK, EventKind.FINISH, EventKind.ORDER}
MOST_LATE_MINUTES = 12 * 60
MOST_IN_ORDER = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rep wants to know the consequences of.

    Attributes:
        kind: one of `WISHES`.
        visit_id: for CANCELLED, SKIPPED, RESTORED and ADDED; of the latter, "account:…" or "opportunity:…".
        why: for CANCELLED and SKIPPED, in words; may be empty.
        minutes: for LATE: how much later than the day says now. Or `leave_at`: when the rep can leave.
        after: for LATE: the visit that the rep is at or has made last, empty for none; None for what the day says.
        finish_by: for FINISH: when the rep wants to be home; None for the working hours' end.
        order: for ORDER: visit ids.
        sick: for SICK: False for who can work after all.

    Raises:
        InvalidRecordError: names the field that is missing or makes no sense.
    """

    kind: EventKind
    visit_id: str = ""
    why: str = ""
    minutes: int | None = None
    leave_at: datetime | None = None
    after: str | None = None
    finish_by: datetime | None = None
    order: tuple[str, ...] = ()
    sick: bool = True

    def __post_init__(self) -> None:
        _check(self.kind in WISHES, "kind", f"{self.kind} is nothing that could be wished for")
        _check(bool(self.visit_id) or self.kind not in ABOUT_A_VISIT, "visit_id", "is empty")
        for name, text in (("visit_id", self.visit_id), ("after", self.after or ""), ("why", self.why)):
            _check(len(text) <= MAX_ID, name, f"is longer than {MAX_ID} characters")
        if self.kind is EventKind.LATE:
            _check((self.minutes is None) != (self.leave_at is None), "minutes", "either minutes or leave_at is given")
        _check(
            self.minutes is None or 0 <= self.minutes <= MOST_LATE_MINUTES,
            "minutes",
            f"{self.minutes} is not between 0 and {MOST_LATE_MINUTES}",
        )
        for name, moment in (("leave_at", self.leave_at), ("finish_by", self.finish_by)):
            _check(moment is None or moment.tzinfo is not None, name, "has no time zone")
        _check(len(self.order) <= MOST_IN_ORDER, "order", f"names more than {MOST_IN_ORDER} visits")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the phone sends for the wish to come true: an event without its id and time."""

    kind: EventKind
    visit_id: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A visit that was to be made on this day, and would not be."""

    visit_id: str
    name: str
    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Call:
    """A promise that cannot be kept: who is to be called.

    Attributes:
        booking_id: of the promise; empty for an appointment that was agreed elsewhere.
        contact, phone, email: empty where nobody knows them.
        start, end: of what was promised, local to the rep; promised: the same in words.
        expected: when the visit would begin; None where it would not be made on this day.
        why: what is wrong, in words.
    """

    visit_id: str
    name: str
    address: str
    booking_id: str
    contact: str
    phone: str
    email: str
    start: datetime
    end: datetime
    promised: str
    expected: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that the day would break: which, where and when.

    Attributes:
        rule: as in `routing.checks`.
        visit_id: empty for what is about the whole day.
        at: when it would be, local to the rep; None for no certain time.
        message: a sentence with name and time.
    """

    rule: str
    visit_id: str
    at: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of a wish. Nothing is changed by asking.

    Attributes:
        base: the revision of the day that it was computed on.
        before, after: the day as everybody sees it, now and then; None where nobody is visited.
        statements: to be sent, in this order, for it to come true.
        left_out: what would no longer be done, and why.
        to_call: the promises that could not be kept.
        broken: the rules that the rest of the day would break; empty where all is well.
        moved: how many of the stops that are left would be done in another order.
        drive_s_won, home_s_won: seconds less of driving, and earlier at home; negative where that is lost.
        sentence: all of that, for a person.
    """

    base: int
    before: RepDay | None
    after: RepDay | None
    statements: tuple[Statement, ...]
    left_out: tuple[LeftOut, ...]
    to_call: tuple[Call, ...]
    broken: tuple[BrokenRule, ...]
    moved: int
    drive_s_won: int
    home_s_won: int
    sentence: str
