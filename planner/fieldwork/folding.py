"""What all events of a visit, and all statements of a day, say together: of one set the same, however it came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeVar

from planner.domain import Account, Opportunity, RecordKind, Rep
from planner.fieldwork.bodies import Body, Finish, Late, LeftOut, Order, Reported, Sick, body_of
from planner.fieldwork.domain import (
    FACTS,
    DayProgress,
    EventKind,
    FieldEvent,
    FieldVisit,
    VisitReport,
)
from planner.repository import UnitOfWork
from planner.visit_ids import record_behind

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=6)
"""What is shorter or longer from checking in to leaving is no visit's length: somebody has forgotten to tap."""

STATEMENTS = frozenset(EventKind) - FACTS - {EventKind.SETTLED}
"""What a day's progress is made of."""

CALLED_OFF = "Called off by the customer"
"""How the reason begins of a visit that the rep need not call anybody about."""

_CHOICES = frozenset({EventKind.CANCELLED, EventKind.SKIPPED, EventKind.RESTORED, EventKind.ADDED})


GRACE = timedelta(hours=3)
"""So long before its midnight and after the next one may somebody be on the way of a day."""

EARLY_DAYS = timedelta(days=1)
"""So long before a day may be reported what was done on it: who comes a day early has come."""

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a visit is to, by its id; `name` is empty where there is no such record (any more)."""

    account_id: str
    opportunity_id: str
    inside_rep: str = ""
    name: str = ""


def subject_of(unit: UnitOfWork, area: str, visit_id: str) -> Subject:
    """Whom a visit is to, in a unit that sees the whole area."""
    kind, record_id = record_behind(visit_id)
    record = unit.records(area).get(RecordKind(kind), record_id)
    if isinstance(record, Opportunity):
        return Subject(record.account_id, record.id, record.inside_rep.casefold(), record.name)
    if isinstance(record, Account):
        return Subject(record.id, "", "", record.name)
    return Subject("", record_id) if kind == RecordKind.OPPORTUNITY else Subject(record_id, "")


def report_of(event: FieldEvent, subject: Subject) -> VisitReport:
    """The report that an event is."""
    said = body_of(event)
    assert isinstance(said, Reported)
    return VisitReport(
        area=event.area,
        id=event.id,
        rep_id=event.rep_id,
        day=event.day,
        visit_id=event.visit_id,
        account_id=subject.account_id,
        opportunity_id=subject.opportunity_id,
        inside_rep=subject.inside_rep,
        made_at=event.made_at,
        made_by=event.made_by,
        disposition=said.disposition,
        deal=said.deal,
        next_step=said.next_step,
        next_step_on=said.next_step_on,
        competitor=said.competitor,
        concern=said.concern,
        severity=said.severity,
        reason=said.reason,
        text=said.text,
        order_value=said.order_value,
        template=said.template,
    )


def zone_of_rep(unit: UnitOfWork, area: str, rep_id: str) -> tzinfo:
    rep = unit.records(area).get(RecordKind.REP, rep_id)
    return rep.zone if isinstance(rep, Rep) else UTC


def is_of_its_day(event: FieldEvent, zone: tzinfo) -> bool:
    """Whether an event says something of the day that it names, in the rep's zone; statements always do.

    A tap on another day's card, or on a phone whose clock is days behind, does not begin that day; and what has not
    come yet has not happened.
    """
    if event.kind not in FACTS:
        return True
    if event.day - event.received_at.astimezone(zone).date() > EARLY_DAYS:
        return False
    return event.kind is EventKind.REPORTED or _is_made_on_its_day(event, zone)


def _is_made_on_its_day(event: FieldEvent, zone: tzinfo) -> bool:
    midnight = datetime.combine(event.day, time(), zone)
    end = datetime.combine(event.day + timedelta(days=1), time(), zone)
    return midnight - GRACE <= event.made_at <= end + GRACE


def visit_of(
    area: str, rep_id: str, day: date, visit_id: str, subject: Subject, events: Iterable[FieldEvent], zone: tzinfo
) -> FieldVisit | None:
    """What is known of a visit, of all its events; None where none of them is a fact.

    It is over when the rep has left and not come back, or has reported on it. Who does not say when they left, and
    reports from the customer's, leaves with the first such report: those after it only tell more.
    """
    facts = _in_order(event for event in events if event.kind in FACTS)
    if not facts:
        return None
    arrivals = [event.made_at for event in facts if event.kind is EventKind.ARRIVED]
    departures = [event.made_at for event in facts if event.kind is EventKind.LEFT]
    reports = [event for event in facts if event.kind is EventKind.REPORTED]
    report = reports[-1] if reports else None
    said = body_of(report) if report is not None else None
    on_the_day = [event for event in reports if _is_made_on_its_day(event, zone)]
    since_back = [event for event in on_the_day if not arrivals or event.made_at >= arrivals[-1]]
    left = departures[-1] if departures and (not arrivals or departures[-1] >= arrivals[-1]) else None
    if left is None:
        from_there = (event.made_at for event in since_back if _is_from_the_customers(event))
        left = next((at for at in from_there if not arrivals or at - arrivals[0] <= LONGEST), None)
    stay = left - arrivals[0] if left is not None and arrivals else None
    known = stay is not None and SHORTEST <= stay <= LONGEST
    return FieldVisit(
        area=area,
        rep_id=rep_id,
        day=day,
        visit_id=visit_id,
        account_id=subject.account_id,
        opportunity_id=subject.opportunity_id,
        inside_rep=subject.inside_rep,
        arrived_at=arrivals[0] if arrivals else None,
        left_at=left,
        dwell_minutes=round(stay.total_seconds() / 60) if stay is not None and known else None,
        report_id=report.id if report is not None else "",
        disposition=said.disposition if isinstance(said, Reported) else None,
        reported_at=next((event.made_at for event in (*since_back, *on_the_day)), None),
    )


def _is_from_the_customers(event: FieldEvent) -> bool:
    said = body_of(event)
    return isinstance(said, Reported) and said.at_customer


def progress_of(area: str, rep_id: str, day: date, events: Iterable[FieldEvent]) -> DayProgress | None:
    """What a rep has said about the rest of a day, of all its events; None where they have said nothing.

    Of two statements about one thing the later one counts. When the rep can leave counts until it shows: until they
    have left there, or checked in elsewhere. The revision is the number of statements. `to_call` is left
    empty: what can be kept is known only to whoever times the day (`planner.replanning`).
    """
    events = _in_order(events)
    said = [(event, body_of(event)) for event in events if event.kind in STATEMENTS]
    if not said:
        return None
    choices = {event.visit_id: (event, body) for event, body in said if event.kind in _CHOICES}
    late = _last(Late, said)
    order, finish, sick = _last(Order, said), _last(Finish, said), _last(Sick, said)
    after, leave_at = "", None
    for _, body in said:
        if isinstance(body, Late):
            after, leave_at = body.after, body.leave_at
        elif isinstance(body, Order) and body.after != after:
            after, leave_at = body.after, None
    moved = (event for event in events if late and event.rank > late[0].rank)
    if any(event.kind is (EventKind.LEFT if event.visit_id == after else EventKind.ARRIVED) for event in moved):
        leave_at = None
    return DayProgress(
        area=area,
        rep_id=rep_id,
        day=day,
        revision=len(said),
        after=after,
        leave_at=leave_at,
        finish_by=finish[1].by if finish else None,
        sick=sick[1].sick if sick else False,
        left_out={
            visit: why_left_out(event.kind, body.why if isinstance(body, LeftOut) else "")
            for visit, (event, body) in sorted(choices.items())
            if event.kind in (EventKind.CANCELLED, EventKind.SKIPPED)
        },
        added=tuple(dict.fromkeys(event.visit_id for event, _ in said if event.kind is EventKind.ADDED)),
        order=order[1].order if order else (),
    )


def standing_reports(reports: Iterable[VisitReport]) -> list[VisitReport]:
    """Of each rep's reports of a visit on a day the latest, in the order of their days and times."""
    latest: dict[tuple[str, date, str], VisitReport] = {}
    for report in sorted(reports, key=lambda report: report.rank):
        latest[report.rep_id, report.day, report.visit_id] = report
    return sorted(latest.values(), key=lambda report: (report.day, report.rank))


def _in_order(events: Iterable[FieldEvent]) -> list[FieldEvent]:
    return sorted(events, key=lambda event: event.rank)


def _last(cls: type[B], said: Sequence[tuple[FieldEvent, Body]]) -> tuple[FieldEvent, B] | None:
    """The last event with a body of this kind."""
    return next(((event, body) for event, body in reversed(said) if isinstance(body, cls)), None)


def why_left_out(kind: EventKind, why: str) -> str:
    """Why a visit is not made today, as `DayProgress.left_out` has it."""
    what = CALLED_OFF if kind is EventKind.CANCELLED else "Left out"
    return f"{what}: {why}" if why else what
