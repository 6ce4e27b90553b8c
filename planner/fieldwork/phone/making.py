"""Makes the document of a rep's phone, from the published plan as it stands now and what phones have said since.

It is made within whatever the unit of work sees: open it with `phone_scope`, and everybody who may look at a rep's
phone sees what the rep sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from planner.access import Scope
from planner.candidates import cadence_days, is_dormant
from planner.domain import Account, Opportunity, RecordKind, Rep
from planner.errors import NotFoundError
from planner.fieldwork.domain import DayProgress
from planner.fieldwork.minutes import as_visited
from planner.fieldwork.noticing import conflicts_of
from planner.fieldwork.phone.document import (
    DEALS,
    DISPOSITIONS,
    SEVERITIES,
    PhoneConflict,
    PhoneCustomer,
    PhoneDay,
    PhoneDocument,
    PhoneHome,
    PhoneLeftOut,
    PhoneLink,
    PhoneProgress,
)
from planner.fieldwork.phone.reading import Asking, Facts, Visited
from planner.fieldwork.phone.stops import deadline_of, iso, phone_contact, promise_of, stop_of
from planner.fieldwork.templates import read_templates
from planner.handoffs.domain import HandoffState
from planner.navigation import directions
from planner.plan_document import Place
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.visit_ids import visit_id

MOST_DAYS = 14
MOST_CUSTOMERS = 300


def phone_scope(scope: Scope, area: str, rep_id: str) -> Scope:
    """What a rep sees of an area, if somebody with this scope sees that rep's days; it is never more than they see.

    Raises:
        NotFoundError: they do not.
    """
    if not scope.sees(area) or scope.inside_rep is not None or (scope.reps is not None and rep_id not in scope.reps):
        raise NotFoundError(f"area {area} has no rep {rep_id}")
    return Scope(area, frozenset({rep_id}), unassigned=False, drafts=False)


def phone_document(
    unit: UnitOfWork,
    area: str,
    rep_id: str,
    first_day: date | None,
    days: int,
    asking: Asking,
    settings: Settings,
    now: datetime,
    before: int = 0,
) -> PhoneDocument:
    """The document of a rep's phone; without roads, which are for whoever knows the streets.

    Args:
        unit: of `phone_scope`.
        first_day: the first of so many `days`; None for today, where the rep is.
        before: so many days before that as well.

    Raises:
        NotFoundError: there is no such rep among those in scope.
    """
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    if not isinstance(rep, Rep):
        raise NotFoundError(f"area {area} has no rep {rep_id}")
    today = now.astimezone(rep.zone).date()
    first = (first_day or today) - timedelta(days=before)
    days += before
    facts = Facts(unit, area, rep, first, first + timedelta(days=days - 1), asking, settings)
    return PhoneDocument(
        area=area,
        rep={"id": rep.id, "name": rep.name, "timezone": rep.timezone},
        user=asking.user,
        generated_at=facts.local(now),
        today=str(today),
        templates=[template.as_json() for template in read_templates(unit, area).templates],
        dispositions=list(DISPOSITIONS),
        deals=list(DEALS),
        severities=list(SEVERITIES),
        days=[_day(facts, first + timedelta(days=n)) for n in range(days)],
        customers=_customers(facts),
        conflicts=_conflicts(facts),
    )


def _day(facts: Facts, day: date) -> PhoneDay:
    rep, planned, progress = facts.rep, facts.planned.get(day), facts.progress.get(day)
    stops = planned["stops"] if planned else []
    named = {stop["record_ids"][0]: stop["name"] for stop in stops}
    start, end = (_home(planned["start"]), _home(planned["end"])) if planned else facts.homes
    return {
        "date": str(day),
        "revision": facts.revisions.get(day, 0),
        "works": day.weekday() in rep.work_days and not facts.settings.calendar.holiday(day),
        "plan_version": facts.version if planned else 0,
        "work_start": planned["work_start"] if planned else facts.at(day, rep.work_start),
        "work_end": planned["work_end"] if planned else facts.at(day, rep.work_end),
        "start": start,
        "end": end,
        "break": planned["break"] if planned else None,
        "break_missed": planned.get("break_missed") if planned else None,
        "return_drive_seconds": planned["return_drive_seconds"] if planned else 0,
        "return_drive_metres": planned["return_drive_metres"] if planned else 0,
        "note": facts.notes.get(day, ""),
        "progress": _progress(facts, progress),
        "stops": [stop_of(facts, day, stop, named) for stop in stops],
        "left_out": [_left_out(facts, day, id_, why) for id_, why in _not_done(facts, day, progress)],
        "roads": [],
    }


def _home(place: Place) -> PhoneHome:
    hotel, lat, lon = place["hotel"]["name"] if "hotel" in place else "", place["lat"], place["lon"]
    links = [PhoneLink(name=name, url=url) for name, url in directions(lat, lon, hotel)] if hotel else []
    return PhoneHome(hotel=hotel, address=place["address"], lat=lat, lon=lon, time=place["time"], links=links)


def _progress(facts: Facts, progress: DayProgress | None) -> PhoneProgress:
    if progress is None:
        return PhoneProgress(after="", leave_at=None, finish_by=None, sick=False, order=[])
    return PhoneProgress(
        after=progress.after,
        leave_at=facts.local_if(progress.leave_at),
        finish_by=facts.local_if(progress.finish_by),
        sick=progress.sick,
        order=list(progress.order),
    )


def _not_done(facts: Facts, day: date, progress: DayProgress | None) -> Iterator[tuple[str, str]]:
    """The visits that are left out of a day, each with the reason; of a rep who is sick, all that were planned."""
    if progress is None:
        return
    yield from progress.left_out.items()
    if progress.sick:
        there = {stop["visit_id"] for stop in facts.stops_on(day)}
        promised = [id_ for on, id_ in facts.promises if on == day]
        for id_ in dict.fromkeys([*(stop["visit_id"] for stop in facts.made_on(day)), *promised]):
            if id_ not in there and id_ not in progress.left_out and not facts.over(day, id_):
                yield id_, "you are sick"


def _left_out(facts: Facts, day: date, visit_id: str, why: str) -> PhoneLeftOut:
    record, booking = facts.record(visit_id), facts.promises.get((day, visit_id))
    known = [(stop["name"], stop["address"]) for stop in facts.made_on(day) if stop["visit_id"] == visit_id]
    for told in (booking, record):
        if told is not None:
            known.insert(0, (told.name, str(told.address)))
    name, address = next(iter(known), ("A visit that is not yours any more", ""))
    return PhoneLeftOut(
        visit_id=visit_id,
        name=name,
        address=address,
        why=why,
        contact=phone_contact(facts, record),
        promise=promise_of(facts, day, visit_id, record),
    )


def _customers(facts: Facts) -> list[PhoneCustomer]:
    """Whom the rep could visit besides, the most pressing first and those who buy no more last.

    Nobody can be visited whose place is not known.
    """

    def pressing(entry: tuple[Visited, date | None, int]) -> tuple[bool, date, RecordKind, str]:
        record, due_on, _ = entry
        gone = isinstance(record, Account) and is_dormant(record, facts.first_day, facts.settings.candidates)
        return gone, due_on or date.min, record.kind, record.id

    could = sorted(_could_visit(facts), key=pressing)
    located = [entry for entry in could if (entry[0].kind, entry[0].id) in facts.places]
    customers = []
    for record, due_on, minutes in located[:MOST_CUSTOMERS]:
        lat, lon = facts.places[record.kind, record.id]
        customers.append(
            PhoneCustomer(
                visit_id=visit_id(record.kind, record.id),
                name=record.name,
                address=str(record.address),
                lat=lat,
                lon=lon,
                due_on=iso(due_on),
                contact=phone_contact(facts, record),
                minutes=minutes,
            )
        )
    return customers


def _could_visit(facts: Facts) -> Iterator[tuple[Visited, date | None, int]]:
    """The rep's own customers and what the rep has accepted, each with the day on which it is due, and the minutes."""
    usual, rep_id = facts.settings.candidates, facts.rep.id
    for row in facts.unit.handoffs.find(area=facts.area, field_rep=rep_id, state=HandoffState.ACCEPTED):
        deal = facts.records.get((RecordKind.OPPORTUNITY, row.opportunity_id))
        if isinstance(deal, Opportunity):
            yield deal, deadline_of(facts, deal), deal.visit_minutes or usual.visit_minutes
    for record in facts.records.values():
        if isinstance(record, Account) and record.owner_rep_id == rep_id:
            account = as_visited(record, facts.made_visits.get(record.id), facts.settings)
            last, cadence = account.last_visit, timedelta(days=cadence_days(account, usual))
            yield account, last + cadence if last else None, account.visit_minutes or usual.visit_minutes


def _conflicts(facts: Facts) -> list[PhoneConflict]:
    """What was sent and did not do all that it was meant to, and waits for the person; whatever day it is about."""
    return [
        PhoneConflict(
            id=conflict.id,
            kind=str(conflict.kind),
            visit_id=conflict.visit_id,
            name=conflict.name,
            day=str(conflict.day),
            made_at=facts.local(conflict.made_at),
            message=conflict.message,
        )
        for conflict in conflicts_of(facts.unit, facts.area, facts.rep.id)
    ]
