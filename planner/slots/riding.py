"""Customers near a promised visit who are visited on the same way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from planner.access import Actor
from planner.candidates import Visit, VisitKind, cadence_days
from planner.domain import Account, RecordKind
from planner.errors import ConflictError, RefusedError, SlotGoneError
from planner.fieldwork.minutes import account_as_visited
from planner.plan_document import Stop, untimed_stop
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.deciding import Also, Change, booking_of, carry_out, taken_out_elsewhere
from planner.slots.desk import Desk
from planner.slots.domain import Booking, BookingState
from planner.slots.nearby import share_passed
from planner.slots.repeating import made_up_for
from planner.visit_ids import visit_id
from planner.worth import account_worth
from routing.geo import LatLon


def add_ride_along(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    booking_id: str,
    account_id: str,
    settings: Settings,
    also: Also | None = None,
) -> Booking:
    """Visit a customer near a promise on the same day, if nothing has to move for it; nobody is promised that visit.

    One who was planned for another day is visited on this one instead.

    Raises:
        NotFoundError: no such booking for this actor.
        SlotGoneError: the day has no time for it.
        RefusedError: the customer is none who could ride along with this promise (see `nearby.ride_alongs`), whether or
            not there is one of that id: whoever books need not see the area's customers, and is told of no other.
        ConflictError: the booking is no promise.
    """
    with store.read(actor.scope) as unit:
        booking_of(unit, area, booking_id)

    def decide(unit: UnitOfWork) -> Change:
        promise = booking_of(unit, area, booking_id)
        if promise.state is not BookingState.PROMISED:
            raise ConflictError("customers ride along with a promise: confirm the hold first")
        account, place = _account(unit, promise, account_id, settings)
        id_ = visit_id(RecordKind.ACCOUNT, account.id)
        instead = made_up_for(unit, agendas, area, account.id, promise.day, settings)
        if id_ not in instead:  # that is the id of a visit that stays
            id_ = visit_id(RecordKind.ACCOUNT, account.id, promise.day)
        desk = Desk.of(unit, agendas, area, promise.rep_id, promise.day, settings, place)
        if any(each.id == id_ for each in desk.day.listed):
            return Change(promise)
        if id_ in desk.day.named:
            raise RefusedError("the rep has done with this customer for the day")
        if any(each.stop and account.id in each.stop["record_ids"] for each in desk.day.listed):
            raise RefusedError("this customer is visited on this day anyway")
        visit = desk.workshop.added(account, place, desk.day.clock, desk.day.itinerary.shift)
        if visit is None:
            raise _none_near()
        told = _told(desk, promise, account, place, visit.job.service_s // 60, settings)
        listed = desk.with_visit(desk.day.listed, replace(visit, stop=told))
        if listed is None:
            raise SlotGoneError(f"{desk.day.rep.name}'s day has no time for this customer without moving a visit")
        elsewhere = taken_out_elsewhere(unit, agendas, promise, instead, settings)
        return Change(
            promise,
            days=(desk.changed(listed, shown=True), *elsewhere),
            seen={promise.id: promise},
            action="booking.ride_along_added",
            details={"rep": promise.rep_id, "day": str(promise.day), "account": account.id},
        )

    return carry_out(store, actor, area, decide, also)


def _account(unit: UnitOfWork, promise: Booking, account_id: str, settings: Settings) -> tuple[Account, LatLon]:
    """A customer whom the rep of a promise may visit, who is due or nearly, and where."""
    account = account_as_visited(unit, promise.area, account_id, settings)
    location = unit.records(promise.area).location(RecordKind.ACCOUNT, account_id)
    if account is None or account.owner_rep_id not in ("", promise.rep_id):
        raise _none_near()
    if location is None or location.place is None or location.address != account.address:
        raise _none_near()
    today = unit.now().date()
    last_day = today + timedelta(days=settings.booking.days - 1)
    if share_passed(account, today, last_day, settings.candidates) is None:
        raise _none_near()
    return account, location.place


def _none_near() -> RefusedError:
    """The same words for all of them: they tell nothing of a customer."""
    return RefusedError("no such customer near this visit is due, or well into their days")


def _told(
    desk: Desk, promise: Booking, account: Account, place: LatLon, service_minutes: int, settings: Settings
) -> Stop:
    """What is told of the visit, its times aside. Raises RefusedError where it is not near the promise."""
    away_s, _ = desk.workshop.legs.along([promise.place, place], {})[0]
    if not 0 <= away_s <= settings.candidates.nearby_minutes * 60:
        raise _none_near()
    deal = promise.opportunity_id
    visit = Visit(
        id=visit_id(RecordKind.ACCOUNT, account.id),
        kind=VisitKind.NEARBY,
        record_ids=(account.id,),
        name=account.name,
        address=str(account.address),
        place=place,
        service_minutes=service_minutes,
        why=f"{away_s / 60:.0f} min from {promise.name} ({deal})",
        worth=account_worth(account, cadence_days(account, settings.candidates), promise.day, settings.worth),
        rides_with=(deal,),
    )
    return untimed_stop(visit, {deal})
