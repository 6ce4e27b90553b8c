"""A rep's day on a sheet: what goes out to a calendar, to paper and into the mail of the evening before.

The days are those that reps see: the published plan as it stands now, and for days that it does not cover any more, the
version that was published last of those that did.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from planner.access import Scope
from planner.candidates import VisitKind
from planner.contacts import Contact, contact_of
from planner.domain import Account, Opportunity, Record, RecordKind
from planner.errors import PlannerError
from planner.hotels.domain import Night
from planner.plan_document import RepDay, Stop, night_at, read_plan
from planner.repository import Store, StoredPlan, UnitOfWork
from planner.slots.domain import Booking, BookingState, Meaning
from planner.visit_ids import record_behind

MAX_LINE = 300
"""Longer texts are cut on a sheet."""

DayKey = tuple[date, str]
"""A day and a rep's id."""

RecordOf = Callable[[RecordKind, str], Record | None]

_STANDING = frozenset({BookingState.PROMISED, BookingState.DONE})


@dataclass(frozen=True, slots=True)
class SheetStop:
    """One visit. Times are in the rep's zone; `promise` is what the customer was told, in words, empty for nothing."""

    number: int
    visit_id: str
    name: str
    address: str
    lat: float
    lon: float
    arrive: datetime
    begin: datetime
    leave: datetime
    why: str
    late: bool
    promise: str
    contact: Contact
    notes: str

    @property
    def minutes(self) -> int:
        return round((self.leave - self.begin).total_seconds() / 60)


@dataclass(frozen=True, slots=True)
class DaySheet:
    """A rep's day.

    Attributes:
        version: of the plan that it is of; changed: how often the day was changed since plans are published.
        changed_at: when something was last changed that it shows.
        leave_at, back_at: None where nobody is visited.
        note: what somebody wrote about the day.
        night_before, night_after: where the nights are spent that are not spent at home; the day starts or ends there.
    """

    area: str
    rep_id: str
    rep_name: str
    day: date
    zone: ZoneInfo
    version: int
    changed: int
    changed_at: datetime
    work_start: datetime
    work_end: datetime
    leave_at: datetime | None
    back_at: datetime | None
    start_address: str
    end_address: str
    stops: tuple[SheetStop, ...]
    pause: tuple[datetime, datetime] | None
    drive_s: int
    drive_m: int
    note: str
    night_before: Night | None = None
    night_after: Night | None = None

    @property
    def starts_at(self) -> str:
        """In words, hotel and address."""
        return _where(self.night_before, self.start_address)

    @property
    def ends_at(self) -> str:
        """In words, hotel and address."""
        return _where(self.night_after, self.end_address)


def _where(night: Night | None, address: str) -> str:
    return address if night is None else f"{night.name}, {address}"


def sheets(store: Store, scope: Scope, area: str, rep_id: str, first: date, last: date) -> list[DaySheet]:
    """The sheets of the days of a rep's, in order, as far as `scope` sees them; also of those without a visit."""
    with store.read() as unit:  # a listing in a scope reads every document that there ever was
        published = [plan for plan in unit.plans(area).list() if plan.published_at is not None]
    with store.read(scope) as unit:
        return _sheets(unit, area, rep_id, first, last, published)


def sheet(unit: UnitOfWork, plan: StoredPlan, rep_id: str, day: date) -> DaySheet | None:
    """The sheet of one day of a plan that was read; None where the rep does not work on it."""
    found = _days(plan.document or "").get((day, rep_id))
    return None if found is None else _sheet(unit, unit.records(plan.area).get, plan, found)


def working_days(unit: UnitOfWork, area: str) -> Mapping[str, Mapping[date, bool]]:
    """The days on which each rep works in the published plan, and whether anybody is visited on them."""
    latest = unit.plans(area).latest(published=True)
    found: dict[str, dict[date, bool]] = {}
    for (day, rep_id), entry in _days(latest.document or "").items() if latest else ():
        found.setdefault(rep_id, {})[day] = bool(entry["stops"])
    return found


def one_line(text: str) -> str:
    """The text on one line, without what is no letter or sign: control characters, and what is no character at all."""
    joined = " ".join(text.split())
    kept = "".join(
        letter
        for letter in joined
        if unicodedata.category(letter) not in ("Cc", "Cs") and ord(letter) & 0xFFFE != 0xFFFE
    )
    return kept if len(kept) <= MAX_LINE else f"{kept[: MAX_LINE - 1]}…"


_ISO_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def long_day(day: date) -> str:
    """'Monday 30 November 2026'."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def _sheets(
    unit: UnitOfWork, area: str, rep_id: str, first: date, last: date, published: list[StoredPlan]
) -> list[DaySheet]:
    records = unit.records(area)
    # One by one they would take a second for three weeks.
    everybody: list[Record] = [*records.accounts(), *records.opportunities()]
    known = {(record.kind, record.id): record for record in everybody}

    def record_of(kind: RecordKind, record_id: str) -> Record | None:
        return known.get((kind, record_id))

    found: dict[date, DaySheet] = {}
    for plan, days in _documents(unit, area, first, published):
        for (day, rep), entry in days.items():
            if rep == rep_id and first <= day <= last and day not in found:
                found[day] = _sheet(unit, record_of, plan, entry)
    return [found[day] for day in sorted(found)]


def _documents(
    unit: UnitOfWork, area: str, first: date, published: list[StoredPlan]
) -> Iterator[tuple[StoredPlan, Mapping[DayKey, RepDay]]]:
    """The plan that counts, and then those before it that reach back beyond its first day, with what was changed of
    their days while they counted."""
    latest = unit.plans(area).latest(published=True)
    if latest is None:
        return
    covered = latest.first_day
    yield latest, _days(latest.document or "")
    earlier = [plan for plan in published if plan.version != latest.version]
    for listed in sorted(earlier, key=lambda plan: cast(datetime, plan.published_at), reverse=True):
        if listed.first_day >= covered or listed.first_day + timedelta(days=listed.days) <= first:
            continue
        covered = listed.first_day
        changed = unit.changed_days.within("day", first, latest.first_day, area=area)
        routes = {
            (row.day, row.rep_id): cast(RepDay, row.route)
            for row in changed
            if row.route is not None and row.plan_version == listed.version
        }
        made = unit.plans(area).get(listed.version)
        yield made, {key: routes.get(key, day) for key, day in _days(made.document or "").items()}


@lru_cache(maxsize=4)
def _days(document: str) -> Mapping[DayKey, RepDay]:
    """The days of a plan.json: large ones take a second to read, and calendars ask every hour. Nobody changes them."""
    try:
        return {(date.fromisoformat(day["date"]), day["rep_id"]): day for day in read_plan(document)["rep_days"]}
    except (PlannerError, ValueError):
        return {}


def _sheet(unit: UnitOfWork, record_of: RecordOf, plan: StoredPlan, day: RepDay) -> DaySheet:
    on, rep_id, zone = date.fromisoformat(day["date"]), day["rep_id"], ZoneInfo(day["timezone"])
    bookings = [
        booking
        for booking in unit.bookings.find(area=plan.area, rep_id=rep_id, day=on)
        if booking.state is not BookingState.HELD
    ]
    promised = {booking.visit_id: booking for booking in bookings if booking.state in _STANDING}
    changed = unit.changed_days.get(plan.area, rep_id, on)
    progress = unit.day_progress.get(plan.area, rep_id, on)
    moments = [moment for booking in bookings for moment in (booking.made_at, booking.ended_at)]
    sent = unit.field_events.columns(("received_at",), "day", on, on, area=plan.area, rep_id=rep_id)
    moments += [plan.published_at or plan.created_at, *(moment for (moment,) in sent)]
    note = unit.rep_day_notes.get(plan.area, rep_id, on)
    rest, start, end = day["break"], day["start"]["time"], day["end"]["time"]
    return DaySheet(
        area=plan.area,
        rep_id=rep_id,
        rep_name=day["rep_name"],
        day=on,
        zone=zone,
        version=plan.version,
        changed=(changed.revision if changed else 0) + (progress.revision if progress else 0),
        changed_at=max(moment for moment in moments if moment is not None),
        work_start=_moment(day["work_start"], zone),
        work_end=_moment(day["work_end"], zone),
        leave_at=_moment(start, zone) if start else None,
        back_at=_moment(end, zone) if end else None,
        start_address=day["start"]["address"],
        end_address=day["end"]["address"],
        stops=tuple(_stop(record_of, stop, promised.get(stop["visit_id"]), zone) for stop in day["stops"]),
        pause=(_moment(rest["start"], zone), _moment(rest["end"], zone)) if rest and day["stops"] else None,
        drive_s=day["totals"]["drive_seconds"],
        drive_m=day["totals"]["drive_metres"],
        note=note.text if note else "",
        night_before=night_at(day["start"]),
        night_after=night_at(day["end"]),
    )


def _stop(record_of: RecordOf, stop: Stop, promise: Booking | None, zone: ZoneInfo) -> SheetStop:
    contact, notes, agreed = _who(record_of, stop["visit_id"])
    told = ""
    if promise is not None:
        start, end = promise.start.astimezone(zone), promise.end.astimezone(zone)
        what = "arrive" if promise.meaning is Meaning.ARRIVE else "the whole visit"
        told = f"Promised: {what} between {start:%H:%M} and {end:%H:%M}"
        done = _moment(stop["leave" if promise.meaning is Meaning.WHOLE else "begin"], zone)
        told += f", expected at {_moment(stop['begin'], zone):%H:%M}: call them" if done > end else ""
    elif stop["kind"] == VisitKind.APPOINTMENT:
        told = _agreed(agreed, _moment(stop["begin"], zone))
    return SheetStop(
        number=stop["stop"],
        visit_id=stop["visit_id"],
        name=stop["name"],
        address=stop["address"],
        lat=stop["lat"],
        lon=stop["lon"],
        arrive=_moment(stop["arrive"], zone),
        begin=_moment(stop["begin"], zone),
        leave=_moment(stop["leave"], zone),
        why=_ISO_DAY.sub(lambda found: f"{date.fromisoformat(found[0]):%a %-d %b}", stop["why"]),
        late=stop["late"],
        promise=told,
        contact=contact,
        notes=notes,
    )


def _agreed(agreed: datetime | None, begin: datetime) -> str:
    """What the customer of an appointment was told, in local time; and when somebody comes, where that is another."""
    at = begin.replace(tzinfo=None)
    if agreed is None or abs(at - agreed) < timedelta(minutes=1):
        return f"Agreed for {agreed or at:%H:%M}"
    return f"Agreed for {agreed:%H:%M}, expected at {at:%H:%M}: call them"


def _who(record_of: RecordOf, visit_id: str) -> tuple[Contact, str, datetime | None]:
    """Whom to ask for at a visit, what inside sales has noted, and the local time that was agreed elsewhere."""
    kind, record_id = record_behind(visit_id)
    if kind not in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY):
        return Contact(), "", None
    record = record_of(RecordKind(kind), record_id)
    notes, agreed = (record.notes, record.appointment) if isinstance(record, Opportunity) else ("", None)
    account = record
    if isinstance(record, Opportunity):
        account = record_of(RecordKind.ACCOUNT, record.account_id) if record.account_id else None
    told = contact_of(*(each for each in (record, account) if isinstance(each, Opportunity | Account)))
    return (
        Contact(*map(one_line, (told.name, told.phone, told.email))),
        notes,
        agreed,
    )


def _moment(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)
