"""Events that phones send are taken: each is stored once, and what follows from it is worked out from all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from planner.access import Actor, Scope
from planner.domain import RecordKind
from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.bodies import Arrived, Body, Reported, SentEvent, read_event
from planner.fieldwork.check_ins import check_in_of, place_of
from planner.fieldwork.domain import FACTS, FieldEvent
from planner.fieldwork.folding import progress_of, report_of, subject_of, visit_of
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas

AT_ONCE = 20
"""Events in one transaction: others want to write too."""
REFUSED = "refused"
"""The outcome of an event that makes no sense: it is not kept, and sending it again does not help."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an event: its `Outcome`, or `REFUSED` and which field of it makes no sense; in words, if any."""

    id: str
    outcome: str
    message: str = ""
    field: str = ""


Also = Callable[[UnitOfWork, Sequence[Taken]], object]
"""What is done within the last transaction, with what became of the events."""


def take(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    sent: Sequence[SentEvent],
    settings: Settings,
    now: datetime,
    also: Also | None = None,
) -> list[Taken]:
    """Store what a phone has sent, and do what follows from it; what became of each event, in their order.

    An event that was taken before is answered as it was then. It is safe to send all of it again, whatever has
    happened on the way.

    Raises:
        NotFoundError: an event is about the day of a rep whom the actor does not see; nothing is stored then.
    """
    _check_whose(store, actor, area, sent)
    taken: list[Taken] = []
    read: list[tuple[int, FieldEvent, Body]] = []
    for number, each in enumerate(sent):
        taken.append(Taken(str(each.id), REFUSED))
        try:
            read.append((number, *read_event(area, each, actor.id, now)))
        except InvalidRecordError as error:
            taken[number] = replace(taken[number], message=error.message, field=error.field)
    writer = Actor(actor.id, Scope(area=area), actor.request_id)
    for start in range(0, len(read), AT_ONCE):
        some = read[start : start + AT_ONCE]
        with store.write(writer) as unit:
            became = _take_some(unit, area, [(event, body) for _, event, body in some], settings)
        for (number, _, _), one in zip(some, became, strict=True):
            taken[number] = one
    if also is not None:
        with store.write(actor) as unit:
            also(unit, taken)
    return taken


def _check_whose(store: Store, actor: Actor, area: str, sent: Sequence[SentEvent]) -> None:
    with store.read(actor.scope) as unit:
        for rep_id in dict.fromkeys(each.rep_id for each in sent if isinstance(each.rep_id, str)):
            if actor.scope.inside_rep is not None or unit.records(area).get(RecordKind.REP, rep_id) is None:
                raise NotFoundError(f"area {area} has no rep {rep_id}")


def _take_some(
    unit: UnitOfWork, area: str, events: Sequence[tuple[FieldEvent, Body]], settings: Settings
) -> list[Taken]:
    fresh: list[FieldEvent] = []
    taken: list[Taken] = []
    for sent, body in events:
        known = unit.field_events.get(area, sent.id)
        if known is not None:
            taken.append(_again(known, sent))
            continue
        event = replace(sent, received_at=unit.now())
        unit.field_events.put(event)
        if isinstance(body, Arrived):
            place = place_of(unit, area, event.visit_id)
            unit.check_ins.put(check_in_of(event, body, place, settings.fieldwork))
        if isinstance(body, Reported):
            unit.visit_reports.put(report_of(event, subject_of(unit, area, event.visit_id)))
        unit.audit(
            f"field.{event.kind}", event.id, area=area, rep=event.rep_id, day=str(event.day), visit=event.visit_id
        )
        fresh.append(event)
        taken.append(Taken(event.id, event.outcome, event.message))
    for rep_id, day in dict.fromkeys((event.rep_id, event.day) for event in fresh):
        _fold(unit, area, rep_id, day, {event.visit_id for event in fresh if event.kind in FACTS})
    return taken


def _fold(unit: UnitOfWork, area: str, rep_id: str, day: date, visits: set[str]) -> None:
    """Write what all events of a day say together."""
    events = unit.field_events.find(area=area, rep_id=rep_id, day=day)
    for visit_id in sorted(visits):
        of_visit = [event for event in events if event.visit_id == visit_id]
        visit = visit_of(area, rep_id, day, visit_id, subject_of(unit, area, visit_id), of_visit)
        if visit is not None and visit != unit.field_visits.get(area, rep_id, day, visit_id):
            unit.field_visits.put(visit)
    progress, before = progress_of(area, rep_id, day, events), unit.day_progress.get(area, rep_id, day)
    if progress is not None and before is not None:
        progress = replace(progress, to_call=before.to_call)
    if progress is not None and progress != before:
        unit.day_progress.put(progress)


def _again(known: FieldEvent, sent: FieldEvent) -> Taken:
    """What became of an event that comes once more."""
    for name in ("rep_id", "day", "visit_id", "kind", "made_at", "body"):
        if getattr(known, name) != getattr(sent, name):
            return Taken(sent.id, REFUSED, "another event has been sent with this id before", "id")
    return Taken(known.id, known.outcome, known.message)
