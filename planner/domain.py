"""The words of the business as frozen values that refuse nonsense when built.

Local times: a rep's hours, an account's opening hours and an agreed appointment are wall-clock times at the place,
kept as people said them; they become instants in UTC where a plan is made, with the zone at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, tzinfo
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opening_hours import OpeningHours

from planner.errors import InvalidRecordError
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

MAX_MINUTES = 24 * 60
MAX_TEXT = 2_000
MAX_NOTES = 20_000


def _check(ok: bool, field_: str, message: str) -> None:
    if not ok:
        raise InvalidRecordError(field_, message)


def _check_text(record: object, *fields: str, limit: int = MAX_TEXT) -> None:
    for name in fields:
        text = getattr(record, name)
        _check(len(text) <= limit, name, f"is {len(text):,} characters long, at most {limit:,} are kept")
        _check("\0" not in text, name, "holds a NUL byte")


def _check_minutes(field_: str, minutes: int | None, least: int = 1) -> None:
    if minutes is not None:
        _check(least <= minutes <= MAX_MINUTES, field_, f"{minutes} is not between {least} and {MAX_MINUTES} minutes")


def parse_opening_hours(field_: str, text: str) -> OpeningHours:
    """An OpenStreetMap `opening_hours` expression (the specification of the same name on the OSM wiki).

    Raises:
        InvalidRecordError: it does not parse.
    """
    # "Mo-Su 24/7" is common in the wild; the grammar has 24/7 only on its own.
    parts = text.split()
    expression = " ".join("00:00-24:00" if i and part == "24/7" else part for i, part in enumerate(parts))
    try:
        return OpeningHours(expression)
    except Exception as error:  # the library raises SyntaxError-like classes of its own for any bad input
        raise InvalidRecordError(field_, f"{text!r} is not in the OpenStreetMap opening_hours syntax") from error


class RecordKind(StrEnum):
    """The three kinds of record that are imported."""

    REP = "rep"
    ACCOUNT = "account"
    OPPORTUNITY = "opportunity"


@dataclass(frozen=True, slots=True)
class Address:
    """An address as people typed it."""

    street: str
    city: str = ""
    postcode: str = ""
    country: str = ""

    def __post_init__(self) -> None:
        _check_text(self, "street", "city", "postcode", "country")

    def __str__(self) -> str:
        return ", ".join(part for part in (self.street, " ".join(filter(None, (self.city, self.postcode)))) if part)


@dataclass(frozen=True)
class Rep:
    """A field rep: where the day starts and ends, on which weekdays (Monday is 0) and at which local hours.

    Who may stay `overnight` may spend the night between two working days at a hotel of the area.
    """

    id: str
    name: str
    email: str
    start_address: Address
    end_address: Address | None
    timezone: str
    work_days: frozenset[int]
    work_start: time
    work_end: time
    break_minutes: int = 0
    break_window: tuple[time, time] | None = None
    skills: frozenset[str] = frozenset()
    max_visits_per_day: int | None = None
    languages: frozenset[str] = frozenset()
    overnight: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(bool(self.id), "rep_id", "is empty")
        _check(bool(self.name), "name", "is empty")
        _check_text(self, "id", "name", "email")
        _check(bool(self.start_address.street), "start_address", "is empty")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidRecordError("timezone", f"{self.timezone!r} is not an IANA time zone") from error
        _check(self.work_days <= frozenset(range(7)), "work_days", "holds a day that is not in the week")
        _check(self.work_start < self.work_end, "work_end", f"{self.work_end} is not after {self.work_start}")
        _check_minutes("break_minutes", self.break_minutes, least=0)
        if self.break_window:
            begin, end = self.break_window
            _check(begin < end, "break_window", f"{end:%H:%M} is not after {begin:%H:%M}")
            room = (end.hour - begin.hour) * 60 + end.minute - begin.minute
            _check(self.break_minutes <= room, "break_window", f"{self.break_minutes} minutes do not fit into it")
        _check(
            self.max_visits_per_day is None or 0 <= self.max_visits_per_day <= 100,
            "max_visits_per_day",
            f"{self.max_visits_per_day} is not between 0 and 100",
        )

    @property
    def kind(self) -> RecordKind:
        return RecordKind.REP

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Account:
    """An existing customer, looked after by its owner every `cadence_days`."""

    id: str
    name: str
    address: Address
    category: str = ""
    segment: str = ""
    owner_rep_id: str = ""
    cadence_days: int | None = None
    last_visit: date | None = None
    last_order: date | None = None
    annual_value: float = 0.0
    visit_minutes: int | None = None
    opening_hours: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(bool(self.id), "account_id", "is empty")
        _check(bool(self.name), "name", "is empty")
        _check_text(self, "id", "name", "category", "segment", "owner_rep_id", "opening_hours")
        _check_text(self, "contact_name", "contact_email", "contact_phone")
        _check(
            self.cadence_days is None or 1 <= self.cadence_days <= 3650,
            "cadence_days",
            f"{self.cadence_days} is not between 1 and 3650",
        )
        _check(0 <= self.annual_value <= 1e12, "annual_value", f"{self.annual_value} is negative or absurd")
        _check_minutes("visit_minutes", self.visit_minutes)
        if self.opening_hours:
            parse_opening_hours("opening_hours", self.opening_hours)

    @property
    def kind(self) -> RecordKind:
        return RecordKind.ACCOUNT


@dataclass(frozen=True)
class Opportunity:
    """What inside sales works on, from the lead that came in to the opportunity handed off, with its BANT answers.

    `source` says where the lead came from, such as "trade fair"; `lead_at` when it came in, `contacted_at` when
    somebody first spoke to the customer, `qualified_at` when it was found worth a visit. `budget`, `authority` and
    `need` are "yes", "no" or "unknown"; `timeline` is a phrase, "no" or "unknown". These moments and `appointment` are
    local wall-clock times at the place.
    """

    id: str
    name: str
    address: Address
    account_id: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    value: float = 0.0
    probability: float = 0.0
    budget: str = "unknown"
    authority: str = "unknown"
    need: str = "unknown"
    timeline: str = "unknown"
    qualified_at: datetime | None = None
    first_action_days: int | None = None
    visit_minutes: int | None = None
    required_skills: frozenset[str] = frozenset()
    availability: str = ""
    appointment: datetime | None = None
    inside_rep: str = ""
    notes: str = ""
    source: str = ""
    lead_at: datetime | None = None
    contacted_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(bool(self.id), "opportunity_id", "is empty")
        _check(bool(self.name), "name", "is empty")
        _check_text(self, "id", "name", "account_id", "contact_name", "contact_email", "availability", "inside_rep")
        _check_text(self, "timeline", "contact_phone", "source")
        _check_text(self, "notes", limit=MAX_NOTES)
        _check(0 <= self.value <= 1e12, "value", f"{self.value} is negative or absurd")
        _check(0 <= self.probability <= 1, "probability", f"{self.probability} is not between 0 and 1")
        for name in ("budget", "authority", "need"):
            answer = getattr(self, name)
            _check(answer in ("yes", "no", "unknown"), name, f"{answer!r} is not yes, no or unknown")
        _check(
            self.first_action_days is None or 0 <= self.first_action_days <= 365,
            "first_action_days",
            f"{self.first_action_days} is not between 0 and 365",
        )
        _check_minutes("visit_minutes", self.visit_minutes)
        for name in ("lead_at", "contacted_at", "qualified_at", "appointment"):
            moment = getattr(self, name)
            _check(moment is None or moment.tzinfo is None, name, "is not a local time")
        if self.availability:
            parse_opening_hours("availability", self.availability)

    @property
    def kind(self) -> RecordKind:
        return RecordKind.OPPORTUNITY

    def appointment_to_come(self, now: datetime, zone: tzinfo) -> bool:
        """Whether an appointment is agreed that is still to come, by the clock of the area, whose zone this is."""
        return self.appointment is not None and self.appointment > now.astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Lead:
    """The part of an opportunity that figures and the handoff's gate ask for: ten thousand are read in a blink."""

    id: str
    name: str
    account_id: str
    value: float
    budget: str
    authority: str
    need: str
    timeline: str
    notes: str
    inside_rep: str
    source: str
    lead_at: datetime | None
    contacted_at: datetime | None
    qualified_at: datetime | None
    appointment: datetime | None
    first_action_days: int | None

    @classmethod
    def of(cls, opportunity: Opportunity) -> Lead:
        return cls(*(getattr(opportunity, field.name) for field in fields(cls)))


Record = Rep | Account | Opportunity


def addresses_of(record: Record) -> list[tuple[RecordKind, str, Address]]:
    """The addresses of a record that need a place, each with the kind and id under which its `Location` is kept.

    Of a rep that is the start and, where it differs, the end, under "<rep id>/end".
    """
    if not isinstance(record, Rep):
        return [(record.kind, record.id, record.address)]
    ends = [(record.kind, record.id, record.start_address)]
    if record.end_address is not None and record.end_address != record.start_address:
        ends.append((record.kind, f"{record.id}/end", record.end_address))
    return ends


@dataclass(frozen=True, slots=True)
class Location:
    """Where an address is, or why that is not known. `verdict` is the gazetteer's, `place` only with `matched`.

    `kind`, `record_id` and `address` are as `addresses_of` gives them.
    """

    kind: RecordKind
    record_id: str
    address: Address
    verdict: Verdict
    place: LatLon | None
    confidence: float
    matched_address: str
    reason: str
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        _check((self.verdict == Verdict.MATCHED) == (self.place is not None), "verdict", "a match has a place")
