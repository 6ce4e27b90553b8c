"""What phones send, read field by field: a value that makes no sense is refused with its name, all else is an event.

The body of each kind of event is a class here. What an event's row keeps of it is the same JSON again, without a
position: of that only `planner.fieldwork.check_ins` keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from planner.domain import MAX_NOTES, MAX_TEXT, RecordKind, _check
from planner.errors import InvalidRecordError
from planner.fieldwork.domain import MAX_ID, SAID_AT, DealOutcome, Disposition, EventKind, FieldEvent, Severity
from planner.visit_ids import record_behind

MAX_STOPS = 200
AHEAD = timedelta(minutes=5)
"""So far may a phone's clock be ahead of ours. What it says it has made later than that was made when it came."""
NEAR = timedelta(days=1)
"""So far from a day, in UTC, may a time of it be."""
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""A phone whose clock has lost its battery says 1970; what is beyond these is no time of a phone."""

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event as it came: nothing of it is read yet. `read_event` takes JSON's texts, and Python's own values too.

    Attributes are those of `FieldEvent`; `day` is YYYY-MM-DD and `made_at` a time with its offset from UTC.
    """

    id: Any
    rep_id: Any
    day: Any
    visit_id: Any
    kind: Any
    made_at: Any
    base: Any
    body: Any


@dataclass(frozen=True, slots=True)
class Arrived:
    """A check-in, with the phone's position where it gave one. `accuracy_m` is the phone's own word."""

    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """The kind says it all: LEFT, RESTORED and ADDED."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A visit report, as `VisitReport` has it; `at_customer` where it was written before leaving."""

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
    at_customer: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """From the visit `after`, empty for home, the rep leaves only at `leave_at`; None takes that back."""

    after: str
    leave_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a visit is not made today: of CANCELLED and SKIPPED."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Sick:
    sick: bool = True


@dataclass(frozen=True, slots=True)
class Finish:
    """When the rep wants to be home; None takes that back."""

    by: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of what is left behind the visit `after`, empty for the whole day; an empty order takes it back."""

    after: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The id of the event whose conflict has been seen to."""

    event: str


Body = Arrived | Nothing | Reported | Late | LeftOut | Sick | Finish | Order | Settled

OF_A_VISIT = frozenset(
    {
        EventKind.ARRIVED,
        EventKind.LEFT,
        EventKind.REPORTED,
        EventKind.CANCELLED,
        EventKind.SKIPPED,
        EventKind.RESTORED,
        EventKind.ADDED,
    }
)
"""Kinds that are about one visit; the others are about the whole day, and name none."""


def read_event(area: str, sent: SentEvent, made_by: str, received_at: datetime) -> tuple[FieldEvent, Body]:
    """The event that was sent, and its body with all that was in it.

    Args:
        received_at: by our clock: no event counts as made later than that, but for `AHEAD`.

    Raises:
        InvalidRecordError: a value makes no sense; `field` is its name, "body.lat" of what is in the body.
    """
    kind = _word("kind", sent.kind, EventKind)
    visit = _text("visit_id", sent.visit_id, MAX_ID)
    if kind in OF_A_VISIT:
        _check_visit("visit_id", visit)
    else:
        _check(not visit, "visit_id", f"{kind} is about the whole day and names no visit")
    rep = _text("rep_id", sent.rep_id, MAX_ID)
    _check(bool(rep), "rep_id", "is empty")
    made_at = _moment("made_at", sent.made_at)
    base = sent.base
    good = isinstance(base, int) and not isinstance(base, bool) and 0 <= base < 2**31
    _check(good, "base", f"{base!r:.40} is no revision of a day")
    body = read_body(kind, sent.body)
    if isinstance(body, Reported) and body.deal is not DealOutcome.OPEN:
        of_deal = visit.startswith(f"{RecordKind.OPPORTUNITY}:")
        _check(of_deal, "body.deal", "only an opportunity is proposed to, won, lost or returned")
    day = _day("day", sent.day)
    if isinstance(body, Late):
        _check_near("body.leave_at", body.leave_at, day)
    if isinstance(body, Finish):
        _check_near("body.by", body.by, day)
    kept = stored(body)
    if made_at > received_at + AHEAD:
        kept, made_at = kept | {SAID_AT: made_at.isoformat()}, received_at.astimezone(UTC)
    event = FieldEvent(area, _uuid("id", sent.id), rep, day, visit, kind, made_at, base, kept, made_by, received_at)
    return event, body


def read_body(kind: EventKind, sent: Any) -> Body:
    """What was said, of what was sent or of what a row keeps. Raises InvalidRecordError, as `read_event`."""
    _check(isinstance(sent, Mapping), "body", "is no object")
    cls, readers = _BODIES[kind]
    for name in sent:
        _check(name in readers, f"body.{name!s:.40}", f"{kind} has no such field")
    read = {name: reader(f"body.{name}", sent[name]) for name, reader in readers.items() if name in sent}
    missing = [name for name in _NEEDED.get(kind, ()) if name not in read]
    _check(not missing, f"body.{missing[0] if missing else ''}", "is missing")
    body: Body = cls(**read)
    if isinstance(body, Arrived):
        _check((body.lat is None) == (body.lon is None), "body.lat" if body.lat is None else "body.lon", "is missing")
    if isinstance(body, Reported) and body.deal in (DealOutcome.LOST, DealOutcome.RETURNED):
        _check(bool(body.reason), "body.reason", "say why")
    return body


def body_of(event: FieldEvent) -> Body:
    """What an event's row keeps of its body."""
    return read_body(event.kind, {name: value for name, value in event.body.items() if name != SAID_AT})


def stored(body: Body) -> dict[str, Any]:
    """What an event's row keeps of a body, as JSON: no position, and nothing that says nothing."""
    if isinstance(body, Arrived):
        return {}
    values = ((field.name, getattr(body, field.name)) for field in fields(body))
    return {name: _json(value) for name, value in values if value is not None or not isinstance(body, Reported)}


def _json(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _text(field: str, value: Any, limit: int = MAX_TEXT) -> str:
    _check(value is not None, field, "is missing")
    _check(isinstance(value, str), field, f"{value!r:.40} is no text")
    _check(len(value) <= limit, field, f"is {len(value):,} characters long, at most {limit:,} are kept")
    _check("\0" not in value, field, "holds a NUL byte")
    _check(not any("\ud800" <= letter <= "\udfff" for letter in value), field, "holds half of a character")
    return str(value).strip()


def _long_text(field: str, value: Any) -> str:
    return _text(field, value, MAX_NOTES // 2)


def _id(field: str, value: Any) -> str:
    return _text(field, value, MAX_ID)


def _uuid(field: str, value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidRecordError(field, f"{value!r:.60} is no UUID") from error


def _word(field: str, value: Any, words: type[E]) -> E:
    _check(isinstance(value, str) and value in set(words), field, f"{value!r:.40} is none of {', '.join(words)}")
    return words(value)


def _moment(field: str, value: Any) -> datetime:
    moment: datetime | None = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
    if moment is None:
        raise InvalidRecordError(field, f"{value!r:.40} is no time")
    _check(moment.tzinfo is not None, field, f"{value!r:.60} has no offset from UTC")
    _check(FIRST_YEAR <= moment.year < LAST_YEAR, field, f"{moment.year} is no year of ours")
    return moment.astimezone(UTC)


def _day(field: str, value: Any) -> date:
    day: date | None = value if isinstance(value, date) and not isinstance(value, datetime) else None
    if isinstance(value, str):
        with suppress(ValueError):
            day = date.fromisoformat(value)
    if day is None:
        raise InvalidRecordError(field, f"{value!r:.40} is no day")
    _check(FIRST_YEAR <= day.year < LAST_YEAR, field, f"{day.year} is no year of ours")
    return day


def _check_near(field: str, moment: datetime | None, day: date) -> None:
    near = moment is None or abs(moment.astimezone(UTC).date() - day) <= NEAR
    _check(near, field, f"{moment} is not about {day}")


def _number(field: str, value: Any, least: float, most: float) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    _check(good, field, f"{value!r:.40} is no number")
    _check(least <= value <= most, field, f"{value!r:.40} is not between {least:,.0f} and {most:,.0f}")
    return float(value)


def _within(least: float, most: float) -> Callable[[str, Any], float]:
    return lambda field, value: _number(field, value, least, most)


def _flag(field: str, value: Any) -> bool:
    _check(isinstance(value, bool), field, f"{value!r:.40} is neither true nor false")
    return bool(value)


def _visits(field: str, value: Any) -> tuple[str, ...]:
    good = isinstance(value, list | tuple) and len(value) <= MAX_STOPS
    _check(good, field, f"is no list of up to {MAX_STOPS} visits")
    visits = tuple(_id(field, visit) for visit in value)
    for visit in visits:
        _check_visit(field, visit)
    _check(len(set(visits)) == len(visits), field, "names a visit twice")
    return visits


def _visit_or_none(field: str, value: Any) -> str:
    visit = _id(field, value)
    if visit:
        _check_visit(field, visit)
    return visit


def _check_visit(field: str, visit: str) -> None:
    kind, record = record_behind(visit)
    known = kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY) and bool(record)
    _check(known, field, f"{visit!r:.60} is neither account:… nor opportunity:…")


def _or_none(reader: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda field, value: None if value is None else reader(field, value)


def _one_of(words: type[E]) -> Callable[[str, Any], E]:
    return lambda field, value: _word(field, value, words)


_Readers = Mapping[str, Callable[[str, Any], Any]]
_WHY: _Readers = {"why": _text}
_BODIES: Mapping[EventKind, tuple[Callable[..., Body], _Readers]] = {
    EventKind.ARRIVED: (
        Arrived,
        {
            "lat": _or_none(_within(-90, 90)),
            "lon": _or_none(_within(-180, 180)),
            "accuracy_m": _or_none(_within(0, 1e8)),
        },
    ),
    EventKind.LEFT: (Nothing, {}),
    EventKind.REPORTED: (
        Reported,
        {
            "disposition": _one_of(Disposition),
            "deal": _one_of(DealOutcome),
            "next_step": _text,
            "next_step_on": _or_none(_day),
            "competitor": _text,
            "concern": _text,
            "severity": _or_none(_one_of(Severity)),
            "reason": _text,
            "text": _long_text,
            "order_value": _or_none(_within(0, 1e12)),
            "template": _text,
            "at_customer": _flag,
        },
    ),
    EventKind.LATE: (Late, {"after": _visit_or_none, "leave_at": _or_none(_moment)}),
    EventKind.CANCELLED: (LeftOut, _WHY),
    EventKind.SKIPPED: (LeftOut, _WHY),
    EventKind.RESTORED: (Nothing, {}),
    EventKind.ADDED: (Nothing, {}),
    EventKind.SICK: (Sick, {"sick": _flag}),
    EventKind.FINISH: (Finish, {"by": _or_none(_moment)}),
    EventKind.ORDER: (Order, {"after": _visit_or_none, "order": _visits}),
    EventKind.SETTLED: (Settled, {"event": _uuid}),
}
_NEEDED: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.REPORTED: ("disposition",),
    EventKind.LATE: ("after", "leave_at"),
    EventKind.FINISH: ("by",),
    EventKind.ORDER: ("after", "order"),
    EventKind.SETTLED: ("event",),
}
