"""A customer who has been met need not be visited on the coming days for the same thing once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta

from planner.access import Actor
from planner.domain import Account, Opportunity, RecordKind, Rep
from planner.errors import NotFoundError, SlotGoneError
from planner.fieldwork.domain import Disposition, VisitReport
from planner.handoffs.domain import TO_VISIT
from planner.plan_document import Stop
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import AgendaVisit, Visits
from planner.slots.deciding import carry_out_days, without_elsewhere
from planner.slots.desk import Desk
from planner.slots.domain import BookingState, ChangedDay
from planner.slots.repeating import made_up_for
from planner.visit_ids import record_behind
from routing.geo import LatLon

RECENT = timedelta(days=7)
"""What came later than that is left to the next plan, which knows when the customer was visited."""


def make_up_for(
    store: Store, actor: Actor, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> None:
    """Take the visits that a day's visits make up for out of the other days to come, but nothing that is promised;
    and put back those of the plan that a report said so of which has been corrected since.

    Done again, it changes nothing.
    """

    def decide(unit: UnitOfWork) -> list[ChangedDay]:
        visits = _made_up_for(unit, agendas, area, rep_id, day, settings)
        return without_elsewhere(unit, agendas, area, (rep_id, day), visits, settings) if visits else []

    def decide_back(unit: UnitOfWork) -> list[ChangedDay]:
        visits = _made_up_for_no_more(unit, agendas, area, rep_id, day, settings)
        return _back_in_days(unit, agendas, area, visits, settings)

    carry_out_days(store, actor, area, decide, "day.visits_made_up_for")
    carry_out_days(store, actor, area, decide_back, "day.visits_put_back")


def _made_up_for_no_more(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> frozenset[str]:
    """Visits that a report of the day made up for, and that no report which counts does, of any day lately."""
    met = unit.visit_reports.find(area=area, rep_id=rep_id, day=day, disposition=Disposition.MET)
    if not met:
        return frozenset()
    visits = {
        id_
        for account_id in {report.account_id for report in met}
        for id_ in made_up_for(unit, agendas, area, account_id, day, settings)
    }
    visits |= {report.visit_id for report in met if report.opportunity_id and _to_visit(unit, area, report)}
    lately = unit.field_visits.within("day", day - RECENT, day + RECENT, area=area, disposition=Disposition.MET)
    visits -= {
        id_
        for account_id, on in {(visit.account_id, visit.day) for visit in lately}
        for id_ in made_up_for(unit, agendas, area, account_id, on, settings)
    }
    return frozenset(visits)


def _to_visit(unit: UnitOfWork, area: str, report: VisitReport) -> bool:
    handoff = unit.handoffs.get(area, report.opportunity_id)
    return handoff is not None and handoff.state in TO_VISIT and handoff.owner in ("", report.rep_id)


def _back_in_days(
    unit: UnitOfWork, agendas: Agendas, area: str, visits: frozenset[str], settings: Settings
) -> list[ChangedDay]:
    """The days to come in which the plan has some visits that they lack, with them where they fit."""
    missing: dict[tuple[str, date], list[str]] = {}
    rows = unit.changed_days.columns(("day", "order"), "day", unit.now().date(), date.max, area=area)
    for visit in sorted(visits):
        kind, record = record_behind(visit)
        promised = kind == RecordKind.OPPORTUNITY and unit.bookings.find(
            area=area, opportunity_id=record, state=BookingState.PROMISED
        )
        if not promised and not any(visit in order for _, order in rows):
            for key in agendas.planned_on(unit, area, visit):
                missing.setdefault(key, []).append(visit)
    days = (_with_planned(unit, agendas, area, key, lacking, settings) for key, lacking in sorted(missing.items()))
    return [day for day in days if day is not None]


def _with_planned(
    unit: UnitOfWork, agendas: Agendas, area: str, key: tuple[str, date], visits: list[str], settings: Settings
) -> ChangedDay | None:
    """A day with visits of its plan again; None where it has them, has gone by or begun, or has no room for any."""
    rep_id, on = key
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    version, planned = agendas.planned(unit, area, rep_id, on)
    row = unit.changed_days.get(area, rep_id, on)
    gone_by = on <= unit.now().astimezone(rep.zone if isinstance(rep, Rep) else UTC).date()
    if gone_by or planned is None or row is None or row.plan_version != version:
        return None
    try:
        desk = Desk.of(unit, agendas, area, rep_id, on, settings)
        if desk.day.begun is not None:
            return None
        stops = {stop["visit_id"]: stop for stop in planned["stops"]}
        listed = desk.day.listed
        for id_ in (id_ for id_ in stops if id_ in visits and id_ not in desk.day.named):
            visit = _planned_visit(unit, desk, stops[id_])
            listed = _put_back(desk, listed, visit, list(stops)) if visit is not None else listed
        return desk.changed(listed, shown=True) if len(listed) > len(desk.day.listed) else None
    except (NotFoundError, SlotGoneError):
        return None


def _planned_visit(unit: UnitOfWork, desk: Desk, stop: Stop) -> AgendaVisit | None:
    kind, record_id = record_behind(stop["visit_id"])
    record = unit.records(desk.area).get(RecordKind(kind), record_id)
    if not isinstance(record, Account | Opportunity):
        return None
    place, day = LatLon(stop["lat"], stop["lon"]), desk.day
    desk.workshop.legs.learn([day.start, day.working_day.end, place, *(visit.place for visit in day.listed)])
    visit = desk.workshop.added(record, place, day.clock, day.itinerary.shift)
    return replace(visit, stop=stop) if visit is not None else None


def _put_back(desk: Desk, listed: Visits, visit: AgendaVisit, planned: list[str]) -> Visits:
    """Where the plan has it, or else where it fits; without it where it does not."""
    before = planned[: planned.index(visit.id)]
    at = max((number + 1 for number, each in enumerate(listed) if each.id in before), default=0)
    again = (*listed[:at], visit, *listed[at:])
    return again if desk.keeps(again) else desk.with_visit(listed, visit) or listed


def _made_up_for(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> frozenset[str]:
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    if day < unit.now().astimezone(rep.zone if isinstance(rep, Rep) else UTC).date() - RECENT:
        return frozenset()
    visits = set[str]()
    for visit in unit.field_visits.find(area=area, rep_id=rep_id, day=day, disposition=Disposition.MET):
        visits |= made_up_for(unit, agendas, area, visit.account_id, day, settings)
        handoff = unit.handoffs.get(area, visit.opportunity_id) if visit.opportunity_id else None
        if handoff is not None and handoff.state not in TO_VISIT:
            visits.add(visit.visit_id)
    return frozenset(visits)
