"""The phone document: what a rep's phone has to know to work in a car park without a signal. JSON, in this shape.

Times are ISO 8601 with the offset of the rep's zone, days ISO dates, all texts plain. docs/api.md has more of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from planner.fieldwork.templates import TemplateEntry
from planner.plan_document import Break


class PhoneRep(TypedDict):
    id: str
    name: str
    timezone: str


class PhoneUser(TypedDict):
    """Whose phone it is; a manager's, perhaps."""

    id: str
    name: str


class PhoneChoice(TypedDict):
    """A value that is sent, and what it is called."""

    value: str
    label: str


class PhoneProgress(TypedDict):
    """What the rep has said about the rest of the day, as `planner.fieldwork.domain.DayProgress`."""

    after: str
    leave_at: str | None
    finish_by: str | None
    sick: bool
    order: list[str]


class PhoneNamed(TypedDict):
    name: str


class PhonePromise(TypedDict):
    """What the customer was told. `call` says why it cannot be kept; empty while it can."""

    booking_id: str
    start: str
    end: str
    meaning: str
    text: str
    call: str


class PhoneContact(TypedDict):
    name: str
    phone: str
    email: str


class PhoneLink(TypedDict):
    name: str
    url: str


class PhoneHome(TypedDict):
    """Where a day starts or ends: a home, or the `hotel` of this name, with `links` that lead there; without a place
    where nobody has found the address."""

    hotel: str
    address: str
    lat: float | None
    lon: float | None
    time: str | None
    links: list[PhoneLink]


class PhoneMinutes(TypedDict):
    """How long visits there are planned for. `source` is "set", "learned" (from so many `visits`), "record" or
    "default".
    """

    expected: int
    source: str
    visits: int


class PhoneAccount(TypedDict):
    id: str
    name: str
    segment: str
    cadence_days: int
    last_visit: str | None
    annual_value: float
    minutes: PhoneMinutes


class PhoneAnswer(TypedDict):
    question: str
    answer: str
    said_by: str
    said_on: str | None


class PhoneOpportunity(TypedDict):
    id: str
    value: float
    probability: float
    bant: list[PhoneAnswer]
    notes: str
    inside_rep: str
    state: str
    deadline: str | None


class PhoneLastReport(TypedDict):
    day: str
    rep: str
    disposition: str
    text: str
    next_step: str
    next_step_on: str | None
    concern: str


class PhoneVisit(TypedDict):
    """What has happened there on this day."""

    arrived_at: str | None
    left_at: str | None
    dwell_minutes: int | None
    report_id: str
    disposition: str | None
    verdict: str | None


class PhoneReport(TypedDict):
    """The report that counts, with the fields of an event REPORTED."""

    id: str
    made_at: str
    disposition: str
    deal: str
    next_step: str
    next_step_on: str | None
    competitor: str
    concern: str
    severity: str | None
    reason: str
    text: str
    order_value: float | None
    template: str


class PhoneStop(TypedDict):
    """One visit of a day, as plan.json has it, and all that the rep has to know there."""

    visit_id: str
    stop: int
    kind: str
    name: str
    address: str
    lat: float
    lon: float
    drive_seconds: int
    drive_metres: int
    arrive: str
    parking_minutes: int
    begin: str
    leave: str
    why: str
    late: bool
    deadline: str | None
    rides_with: list[PhoneNamed]
    promise: PhonePromise | None
    hours: str
    contact: PhoneContact
    links: list[PhoneLink]
    account: PhoneAccount | None
    opportunity: PhoneOpportunity | None
    last_reports: list[PhoneLastReport]
    visit: PhoneVisit | None
    report: PhoneReport | None


class PhoneLeftOut(TypedDict):
    """A visit that is not made on this day after all, and why."""

    visit_id: str
    name: str
    address: str
    why: str
    contact: PhoneContact
    promise: PhonePromise | None


_PhoneDay = TypedDict("_PhoneDay", {"break": Break | None})
"""As in plan.json."""


class PhoneDay(_PhoneDay):
    """`revision` is what an event of this day has as its `base`. `roads` are the lines of the drives, the way home too,
    each point as [lat, lon]; they are for whoever knows the streets to fill in. `break_missed` is the time within which
    the break is due, where the day has none left for it."""

    break_missed: Break | None
    date: str
    revision: int
    works: bool
    plan_version: int
    work_start: str
    work_end: str
    start: PhoneHome
    end: PhoneHome
    return_drive_seconds: int
    return_drive_metres: int
    note: str
    progress: PhoneProgress
    stops: list[PhoneStop]
    left_out: list[PhoneLeftOut]
    roads: list[list[list[float]]]


class PhoneCustomer(TypedDict):
    """Who could be visited besides."""

    visit_id: str
    name: str
    address: str
    lat: float
    lon: float
    due_on: str | None
    contact: PhoneContact
    minutes: int


class PhoneConflict(TypedDict):
    """Something that was sent and did not do all that it was meant to."""

    id: str
    kind: str
    visit_id: str
    name: str
    day: str
    made_at: str
    message: str


class PhoneDocument(TypedDict):
    """All of it."""

    area: str
    rep: PhoneRep
    user: PhoneUser
    generated_at: str
    today: str
    templates: list[TemplateEntry]
    dispositions: list[PhoneChoice]
    deals: list[PhoneChoice]
    severities: list[PhoneChoice]
    days: list[PhoneDay]
    customers: list[PhoneCustomer]
    conflicts: list[PhoneConflict]


DISPOSITIONS: Sequence[PhoneChoice] = (
    {"value": "met", "label": "Met"},
    {"value": "not_in", "label": "Not in"},
    {"value": "rescheduled", "label": "Wants another day"},
    {"value": "refused", "label": "Refused"},
)
DEALS: Sequence[PhoneChoice] = (
    {"value": "open", "label": "Goes on"},
    {"value": "proposed", "label": "Proposal made"},
    {"value": "won", "label": "Won"},
    {"value": "lost", "label": "Lost"},
    {"value": "returned", "label": "Back to inside sales"},
)
SEVERITIES: Sequence[PhoneChoice] = (
    {"value": "low", "label": "Low"},
    {"value": "medium", "label": "Medium"},
    {"value": "high", "label": "High"},
)
