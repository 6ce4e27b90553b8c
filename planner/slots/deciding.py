"""Changes of days and bookings: decided outside the write transaction, which everybody waits for, then carried out.

Deciding takes tens of milliseconds. Within the transaction it is only looked whether anything has changed that it was
decided on; if so it is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, date, timedelta
from typing import cast

from planner.access import Actor, Scope
from planner.candidates import VisitKind
from planner.domain import RecordKind, Rep
from planner.errors import NotFoundError, SlotGoneError
from planner.plan_document import RepDay, Stop, without_stops
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas, said_of
from planner.slots.desk import Desk
from planner.slots.domain import LIVE, Booking, ChangedDay
from planner.visit_ids import visit_id

TRIES = 3
"""So often it is decided outside the write transaction; then within it, where nobody can come in between."""

Also = Callable[[UnitOfWork, Booking], object]
"""What is done within the same transaction, with the booking as it is then."""


def _nothing(unit: UnitOfWork) -> None: ...


@dataclass(frozen=True)
class Change:
    """What has been decided.

    Attributes:
        booking: the one that it is about, as it is then.
        bookings, days: the rows to be written; a day's revision is one more than the one that it was decided on.
        seen: the bookings that it was decided on, by id; None for one that was not there.
        action, details: for the audit log.
        check: raises what forbids it after all; nothing has been written then.
        first, then: what else is written, before and after.
    """

    booking: Booking
    bookings: tuple[Booking, ...] = ()
    days: tuple[ChangedDay, ...] = ()
    seen: Mapping[str, Booking | None] = field(default_factory=dict)
    action: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[UnitOfWork], object] = _nothing
    first: Callable[[UnitOfWork], object] = _nothing
    then: Callable[[UnitOfWork], object] = _nothing

    def stands(self, unit: UnitOfWork) -> bool:
        """Whether all that it was decided on is still so."""
        area = self.booking.area
        return all(unit.bookings.get(area, id_) == before for id_, before in self.seen.items()) and all(
            _revision(unit, day) == day.revision - 1 for day in self.days
        )

    def write(self, unit: UnitOfWork, also: Also | None) -> None:
        self.check(unit)
        self.first(unit)
        for booking in self.bookings:
            unit.bookings.put(booking)
        for day in self.days:
            unit.changed_days.put(day)
            _settle_calls(unit, day, {booking.visit_id for booking in self.bookings if booking.state not in LIVE})
        if self.action:
            unit.audit(self.action, self.booking.id, area=self.booking.area, **self.details)
        self.then(unit)
        if also is not None:
            also(unit, self.booking)


def carry_out(
    store: Store, actor: Actor, area: str, decide: Callable[[UnitOfWork], Change], also: Also | None
) -> Booking:
    """Decide on the whole area, as it stands, and write what was decided while it still stands so; in the actor's name.

    Raises:
        PlannerError: what `decide` raises; nothing has been written then.
    """
    writer = Actor(actor.id, Scope(area=area), actor.request_id)
    for _ in range(TRIES):
        with store.read(writer.scope) as unit:
            change = decide(unit)
            basis = _basis(unit, area, change.days)
        if not change.action and also is None:
            return change.booking
        with store.write(writer) as unit:
            if basis == _basis(unit, area, change.days) and change.stands(unit):
                change.write(unit, also)
                return change.booking
    with store.write(writer) as unit:
        change = decide(unit)
        change.write(unit, also)
        return change.booking


def carry_out_days(
    store: Store, actor: Actor, area: str, decide: Callable[[UnitOfWork], Sequence[ChangedDay]], action: str
) -> None:
    """The same for days alone, each of which is entered into the audit log under the action.

    Raises:
        PlannerError: what `decide` raises; nothing has been written then.
    """
    writer = Actor(actor.id, Scope(area=area), actor.request_id)
    for number in range(TRIES + 1):
        with store.read(writer.scope) as unit:
            days = decide(unit)
            basis = _basis(unit, area, days)
        if not days:
            return
        with store.write(writer) as unit:
            if number == TRIES:
                days = decide(unit)
                basis = _basis(unit, area, days)
            if basis == _basis(unit, area, days) and all(_revision(unit, day) == day.revision - 1 for day in days):
                for day in days:
                    unit.changed_days.put(day)
                    unit.audit(action, f"{day.rep_id} {day.day}", area=area, revision=day.revision)
                return


def booking_of(unit: UnitOfWork, area: str, booking_id: str) -> Booking:
    """A booking that is seen. Raises NotFoundError."""
    found = unit.bookings.get(area, booking_id)
    if found is None:
        raise NotFoundError(f"area {area} has no booking {booking_id}")
    return found


def taken_out_elsewhere(
    unit: UnitOfWork, agendas: Agendas, booking: Booking, visits: Set[str], settings: Settings
) -> list[ChangedDay]:
    """The other days, from today on, on which visits stand that the booking's day makes up for: without them."""
    return without_elsewhere(unit, agendas, booking.area, (booking.rep_id, booking.day), visits, settings)


def without_elsewhere(
    unit: UnitOfWork, agendas: Agendas, area: str, here: tuple[str, date], visits: Set[str], settings: Settings
) -> list[ChangedDay]:
    """The days but one rep's day, from today on, on which some visits stand: without them."""
    keys = {key for visit in visits for key in agendas.planned_on(unit, area, visit)}
    yesterday = unit.now().date() - timedelta(days=1)  # which may be today where a rep is
    rows = unit.changed_days.columns(("rep_id", "day", "order"), "day", yesterday, date.max, area=area)
    keys |= {(rep_id, day) for rep_id, day, order in rows if not visits.isdisjoint(order)}
    others = sorted(key for key in keys - {here} if key[1] >= yesterday)
    days = (without_visits(unit, agendas, area, *key, visits, settings) for key in others)
    return [day for day in days if day is not None]


def without_visits(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, visits: Set[str], settings: Settings
) -> ChangedDay | None:
    """A rep's day without some visits; None where it has none of them, or is over: what was on it stays on it.

    Customers who were added only since an opportunity is visited near them leave with it.

    Of a day that cannot be timed any more, since nobody knows where its rep starts or no street leads along it, the
    other visits keep their times.
    """
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    if day < unit.now().astimezone(rep.zone if isinstance(rep, Rep) else UTC).date():
        return None
    try:
        desk = Desk.of(unit, agendas, area, rep_id, day, settings)
        _, planned = agendas.planned(unit, area, rep_id, day)
        leaving = visits | _riders([visit.stop for visit in desk.day.listed if visit.stop], planned, visits)
        listed = tuple(visit for visit in desk.day.listed if visit.id not in leaving)
        begun = desk.day.begun
        not_made = {visit.id for visit in begun.left_out} if begun is not None else frozenset[str]()
        if len(listed) == len(desk.day.listed) and leaving.isdisjoint(not_made):
            return None
        return desk.changed(listed, shown=True, gone=leaving & not_made)
    except (NotFoundError, SlotGoneError):
        return _without_timing(unit, agendas, area, rep_id, day, visits)


def _without_timing(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, visits: Set[str]
) -> ChangedDay | None:
    version, planned = agendas.planned(unit, area, rep_id, day)
    row = unit.changed_days.get(area, rep_id, day)
    revision = row.revision if row is not None else 0
    if row is not None and row.plan_version != version:
        row = None
    shown = cast(RepDay, row.route) if row is not None and row.route is not None else planned
    visits = visits | _riders(shown["stops"] if shown is not None else (), planned, visits)
    stops = tuple(stop["visit_id"] for stop in shown["stops"]) if shown is not None else ()
    order = row.order if row is not None else stops
    if visits.isdisjoint((*order, *stops)):
        return None
    left = tuple(visit for visit in order if visit not in visits)
    route = without_stops(shown, visits) if shown is not None else None
    return ChangedDay(area, rep_id, day, revision + 1, version, left, route)


def _riders(stops: Iterable[Stop], planned: RepDay | None, visits: Set[str]) -> Set[str]:
    """Those of a day's visits that no plan made and that ride along with nothing but some visits to opportunities."""
    by_plan = {stop["visit_id"] for stop in planned["stops"]} if planned is not None else set()
    return {
        stop["visit_id"]
        for stop in stops
        if stop["kind"] == VisitKind.NEARBY
        and stop["visit_id"] not in by_plan
        and stop["rides_with"]
        and all(visit_id(RecordKind.OPPORTUNITY, deal) in visits for deal in stop["rides_with"])
    }


def without_hold(unit: UnitOfWork, hold: Booking) -> ChangedDay | None:
    """The hold's day without it; None where it is not in the day's order."""
    row = unit.changed_days.get(hold.area, hold.rep_id, hold.day)
    if row is None or hold.order_id not in row.order:
        return None
    order = tuple(visit for visit in row.order if visit != hold.order_id)
    return replace(row, revision=row.revision + 1, order=order)


def _settle_calls(unit: UnitOfWork, day: ChangedDay, over: Set[str]) -> None:
    """Nobody is called any more about a promise that has been cancelled or moved."""
    told = unit.day_progress.get(day.area, day.rep_id, day.day) if over else None
    if told is not None and not over.isdisjoint(told.to_call):
        left = {visit: why for visit, why in told.to_call.items() if visit not in over}
        unit.day_progress.put(replace(told, to_call=left))


def _basis(unit: UnitOfWork, area: str, days: Iterable[ChangedDay]) -> tuple[object, ...]:
    """What else was decided on: the plan, the records, and what the field has said of the days."""
    said = tuple(said_of(unit, area, day.rep_id, day.day) for day in days)
    return unit.plans(area).published_version(), unit.records(area).stamp(), said


def _revision(unit: UnitOfWork, day: ChangedDay) -> int:
    row = unit.changed_days.get(day.area, day.rep_id, day.day)
    return row.revision if row else 0
