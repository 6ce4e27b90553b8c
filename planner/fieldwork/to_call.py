"""Customers who expect somebody that cannot come as promised: whom inside sales calls to agree on another time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from planner.access import Scope
from planner.contacts import contact_of
from planner.domain import Account, Opportunity, RecordKind
from planner.fieldwork.domain import DayProgress
from planner.hours import instant
from planner.repository import UnitOfWork
from planner.slots.domain import Booking, BookingState
from planner.visit_ids import record_behind


@dataclass(frozen=True, slots=True)
class ToCall:
    """A promise that cannot be kept.

    Attributes:
        booking: what was promised here; None for an appointment that was agreed elsewhere.
        opportunity: whom the visit is to; None where it was promised to somebody of whom no more is known.
        contact, phone, email: empty where nobody knows them.
        start, end: of what was promised; one moment where a time was agreed.
        expected: when the visit would begin; None where it would not be made on this day.
        why: in words.
    """

    rep_id: str
    day: date
    booking: Booking | None
    opportunity: Opportunity | None
    name: str
    contact: str
    phone: str
    email: str
    start: datetime
    end: datetime
    expected: datetime | None
    why: str


def customers_to_call(unit: UnitOfWork, area: str, first_day: date, zone: ZoneInfo, scope: Scope) -> list[ToCall]:
    """Those of a day and later whom somebody with this scope calls: an inside rep their own, a manager the team's.

    They stand in the order of the times that they were promised. Whoever has another time by now is not among them.

    Args:
        unit: sees the whole area: an inside rep sees nobody's days.
        zone: in which appointments are agreed.
    """
    found = [
        each
        for progress in unit.day_progress.within("day", first_day, date.max, area=area)
        if progress.to_call and (scope.inside_rep is not None or scope.reps is None or progress.rep_id in scope.reps)
        for each in _of_day(unit, progress, zone)
    ]
    if scope.inside_rep is not None:
        found = [each for each in found if _inside_rep(each) == scope.inside_rep.casefold()]
    return sorted(found, key=lambda each: (each.start, each.name))


def names_of(unit: UnitOfWork, area: str, visit_ids: Iterable[str]) -> dict[str, str]:
    """Whom visits are to, by their ids, as far as the unit sees it; empty where it does not."""
    records = unit.records(area)  # one for all: what somebody sees is worked out once

    def name_of(visit_id: str) -> str:
        kind, id_ = record_behind(visit_id)
        if kind == "booking":
            booking = unit.bookings.get(area, id_)
            return booking.name if booking is not None else ""
        record = records.get(RecordKind(kind), id_)
        return record.name if record is not None else ""

    return {visit_id: name_of(visit_id) for visit_id in dict.fromkeys(visit_ids)}


def _of_day(unit: UnitOfWork, progress: DayProgress, zone: ZoneInfo) -> Iterator[ToCall]:
    area, rep_id, day = progress.area, progress.rep_id, progress.day
    promised = unit.bookings.find(area=area, rep_id=rep_id, day=day, state=BookingState.PROMISED)
    bookings = {booking.visit_id: booking for booking in promised}
    changed = unit.changed_days.get(area, rep_id, day)
    stops = changed.route["stops"] if changed is not None and changed.route is not None else ()
    begins = {stop["visit_id"]: datetime.fromisoformat(stop["begin"]) for stop in stops}
    for visit_id, why in progress.to_call.items():
        record_id = visit_id.removeprefix(f"{RecordKind.OPPORTUNITY}:")
        record = unit.records(area).get(RecordKind.OPPORTUNITY, record_id)
        deal, booking = record if isinstance(record, Opportunity) else None, bookings.get(visit_id)
        agreed = deal.appointment if deal is not None else None
        if booking is not None:
            start, end, name = booking.start, booking.end, booking.name
        elif deal is not None and agreed is not None and agreed.date() == day:
            start = end = instant(agreed, zone)
            name = deal.name
        else:
            continue
        account = unit.records(area).get(RecordKind.ACCOUNT, deal.account_id) if deal and deal.account_id else None
        told = contact_of(deal, account if isinstance(account, Account) else None)
        expected = begins.get(visit_id)
        yield ToCall(rep_id, day, booking, deal, name, told.name, told.phone, told.email, start, end, expected, why)


def _inside_rep(each: ToCall) -> str:
    told = each.booking.inside_rep if each.booking else ""
    return (told or (each.opportunity.inside_rep if each.opportunity else "")).casefold()
