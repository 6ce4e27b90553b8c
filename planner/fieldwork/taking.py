"""Events that phones send are taken: each is stored once, and what follows from it is worked out from all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from planner.access import Actor, Scope
from planner.domain import RecordKind
from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.bodies import Arrived, Body, Reported, SentEvent, Settled, body_of, read_event
from planner.fieldwork.check_ins import check_in_of, place_of
from planner.fieldwork.domain import FACTS, MAX_ID, MAX_MESSAGE, EventKind, FieldEvent, Outcome, VisitReport
from planner.fieldwork.folding import is_of_its_day, progress_of, report_of, subject_of, visit_of, zone_of_rep
from planner.fieldwork.making_up import make_up_for
from planner.fieldwork.noticing import Noticing
from planner.fieldwork.reports import report_effects
from planner.replanning.refreshing import refresh
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.visit_ids import record_behind
from routing.errors import RoutingError

AT_ONCE = 10
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
        NotFoundError: all of it is about days of reps whom the actor does not see.
    """
    unseen = _unseen(store, actor, area, sent)
    taken: list[Taken] = []
    read: list[tuple[int, FieldEvent, Body]] = []
    for number, each in enumerate(sent):
        taken.append(Taken(str(each.id)[:MAX_ID], REFUSED))
        if isinstance(each.rep_id, str) and each.rep_id in unseen:
            taken[number] = replace(taken[number], message="there is no such rep, or not for you", field="rep_id")
            continue
        try:
            came = now + timedelta(microseconds=number)  # in its turn, also where the phone's clock is no help
            read.append((number, *read_event(area, each, actor.id, came)))
        except InvalidRecordError as error:
            taken[number] = replace(taken[number], message=error.message, field=error.field)
    writer = Actor(actor.id, Scope(area=area), actor.request_id)
    days = list(dict.fromkeys((event.rep_id, event.day) for _, event, _ in read))
    with store.read(writer.scope) as unit:
        for key in days:  # reading the plan takes a while, for which nobody shall wait
            agendas.planned(unit, area, *key)
    for start in range(0, len(read), AT_ONCE):
        some = read[start : start + AT_ONCE]
        with store.write(writer) as unit:
            became = _Taking(unit, agendas, area, settings, now).take([(event, body) for _, event, body in some])
        for (number, _, _), one in zip(some, became, strict=True):
            taken[number] = replace(one, id=taken[number].id)  # as it was sent: capitals are the sender's
    for key in days:
        with suppress(NotFoundError, RoutingError):  # the rep's home or the streets are not known: no day to mend
            make_up_for(store, writer, agendas, area, *key, settings)
            refresh(store, writer, agendas, area, *key, settings)
    if also is not None:
        with store.write(actor) as unit:
            also(unit, taken)
    return taken


def _unseen(store: Store, actor: Actor, area: str, sent: Sequence[SentEvent]) -> frozenset[str]:
    """The reps whose days are none of the actor's business. Raises NotFoundError: all of them."""
    named = dict.fromkeys(each.rep_id for each in sent if isinstance(each.rep_id, str))
    with store.read(actor.scope) as unit:
        records, inside = unit.records(area), actor.scope.inside_rep is not None
        unseen = [rep_id for rep_id in named if inside or records.get(RecordKind.REP, rep_id) is None]
    if unseen and len(unseen) == len(named):
        raise NotFoundError(f"area {area} has no rep {unseen[0][:MAX_ID]}")
    return frozenset(unseen)


class _Taking:
    """Some events within one write transaction that sees the whole area."""

    def __init__(self, unit: UnitOfWork, agendas: Agendas, area: str, settings: Settings, now: datetime) -> None:
        self._unit = unit
        self._agendas = agendas
        self._area = area
        self._settings = settings
        self._now = now
        self._in_conflict: dict[str, str] = {}  # by id of an event that has become a conflict here, whose day it is of

    def take(self, events: Sequence[tuple[FieldEvent, Body]]) -> list[Taken]:
        fresh: dict[str, tuple[FieldEvent, Body]] = {}
        again: dict[int, Taken] = {}
        for number, (sent, body) in enumerate(events):
            known = self._unit.field_events.get(self._area, sent.id)
            if known is None:
                fresh[sent.id] = self._store(sent, body), body
            elif not _is_same(known, sent):
                again[number] = Taken(sent.id, REFUSED, "another event has been sent with this id before", "id")
        for key, of_day in groupby(sorted(fresh.values(), key=_day_of), key=_day_of):
            self._work_out(*key, list(of_day))
        self._settle(list(fresh.values()))
        for event, _ in fresh.values():
            self._audit(event)
        return [again.get(number) or self._became(sent.id) for number, (sent, _) in enumerate(events)]

    def _store(self, sent: FieldEvent, body: Body) -> FieldEvent:
        event = replace(sent, received_at=self._unit.now())
        self._unit.field_events.put(event)
        if isinstance(body, Arrived):
            place = place_of(self._unit, self._area, event.visit_id)
            self._unit.check_ins.put(check_in_of(event, body, place, self._settings.fieldwork))
        if isinstance(body, Reported):
            self._unit.visit_reports.put(report_of(event, subject_of(self._unit, self._area, event.visit_id)))
        return event

    def _work_out(self, rep_id: str, day: date, fresh: Sequence[tuple[FieldEvent, Body]]) -> None:
        """Write what all events of a day say together, and what the new ones could not do."""
        before = self._unit.day_progress.get(self._area, rep_id, day)
        zone = zone_of_rep(self._unit, self._area, rep_id)
        all_events = self._unit.field_events.find(area=self._area, rep_id=rep_id, day=day)
        events = [event for event in all_events if is_of_its_day(event, zone)]
        for visit_id in sorted({event.visit_id for event, _ in fresh if event.kind in FACTS}):
            subject = subject_of(self._unit, self._area, visit_id)
            of_visit = [event for event in events if event.visit_id == visit_id]
            visit = visit_of(self._area, rep_id, day, visit_id, subject, of_visit, zone)
            if visit is not None and visit != self._unit.field_visits.get(self._area, rep_id, day, visit_id):
                self._unit.field_visits.put(visit)
        progress = progress_of(self._area, rep_id, day, events)
        if progress is not None and before is not None:
            progress = replace(progress, to_call=before.to_call)  # is the day's, which is timed afterwards
        if progress is not None and progress != before:
            self._unit.day_progress.put(progress)
        refused = self._reported([event for event, _ in fresh])
        noticing = self._noticing(rep_id, day, all_events)
        for event, body in fresh:
            self._note(event, noticing.sentence(event, body, refused.pop(event.id, "")))
        self._note_again(noticing, all_events, {event.id: event for event, _ in fresh}, refused)

    def _noticing(self, rep_id: str, day: date, events: Sequence[FieldEvent]) -> Noticing:
        return Noticing(self._unit, self._agendas, self._area, rep_id, day, self._settings.fieldwork, self._now, events)

    def _note_again(
        self,
        noticing: Noticing,
        of_day: Sequence[FieldEvent],
        fresh: Mapping[str, FieldEvent],
        refused: Mapping[str, str],
    ) -> None:
        """What came before is told anew of the visits that the fresh events are about, and of the day where those are.

        Args:
            refused: by id of a report that was taken before, of any day: why it changes nothing; empty where it does.
        """
        visits = {event.visit_id for event in fresh.values()}
        for event in of_day:
            again = event.visit_id in visits or event.kind is EventKind.ORDER
            of_deal = event.kind is EventKind.REPORTED and event.visit_id.startswith(f"{RecordKind.OPPORTUNITY}:")
            if event.id not in fresh and event.outcome is Outcome.CONFLICT and again and not of_deal:
                self._note(event, noticing.sentence(event, body_of(event), ""))
        for id_, why in refused.items():
            known = self._unit.field_events.get(self._area, id_)
            if known is not None and known.outcome is Outcome.TAKEN:
                self._note(known, why)
            elif known is not None and known.outcome is Outcome.CONFLICT:
                key = {"area": self._area, "rep_id": known.rep_id, "day": known.day}
                there = self._noticing(known.rep_id, known.day, self._unit.field_events.find(**key))
                self._note(known, there.sentence(known, body_of(known), why))

    def _reported(self, events: Sequence[FieldEvent]) -> dict[str, str]:
        """Do to handoffs what reports say; by id of a report that was looked at, why it does nothing to its own."""
        deals: dict[str, list[VisitReport]] = {}
        for event in events:
            kind, deal = record_behind(event.visit_id)
            if kind == RecordKind.OPPORTUNITY:
                report = self._unit.visit_reports.get(self._area, event.id)
                deals.setdefault(deal, []).extend([report] if report is not None else [])
        refused: dict[str, str] = {}
        for deal, reports in deals.items():
            row = self._unit.handoffs.get(self._area, deal)
            if not reports and (row is None or row.before is None):
                continue
            refused |= report_effects(self._unit, self._area, deal, reports, self._settings)
            row = self._unit.handoffs.get(self._area, deal)
            known = row.before.reports if row is not None and row.before is not None else ()
            refused = {**dict.fromkeys(known, ""), **refused}
        return refused

    def _note(self, event: FieldEvent, sentence: str) -> None:
        noted = replace(event, outcome=Outcome.CONFLICT if sentence else Outcome.TAKEN, message=sentence[:MAX_MESSAGE])
        if noted != event:
            self._unit.field_events.put(noted)
        if sentence:
            self._in_conflict[event.id] = event.rep_id

    def _settle(self, fresh: Sequence[tuple[FieldEvent, Body]]) -> None:
        """What these events settle, and what of them has been settled before it came."""
        settled = {(body.event, event.rep_id) for event, body in fresh if isinstance(body, Settled)}
        for rep_id in dict.fromkeys(self._in_conflict.values()):
            said = self._unit.field_events.find(area=self._area, rep_id=rep_id, kind=EventKind.SETTLED)
            before = {body.event for event in said if isinstance(body := body_of(event), Settled)}
            settled |= {(id_, rep_id) for id_ in before & self._in_conflict.keys()}
        for id_, rep_id in sorted(settled):
            event = self._unit.field_events.get(self._area, id_)
            if event is not None and event.rep_id == rep_id and event.outcome is Outcome.CONFLICT:
                self._unit.field_events.put(replace(event, outcome=Outcome.SETTLED))

    def _audit(self, event: FieldEvent) -> None:
        details = {"rep": event.rep_id, "day": str(event.day), "visit": event.visit_id}
        self._unit.audit(f"field.{event.kind}", event.id, area=self._area, **details)

    def _became(self, id_: str) -> Taken:
        event = self._unit.field_events.get(self._area, id_)
        assert event is not None
        return Taken(id_, event.outcome, event.message)


def _is_same(known: FieldEvent, sent: FieldEvent) -> bool:
    """Whether an event that comes once more is the one that is known; the position it came with is not kept in it."""
    said = ("rep_id", "day", "visit_id", "kind", "said_at")
    return all(getattr(known, name) == getattr(sent, name) for name in said) and body_of(known) == body_of(sent)


def _day_of(entry: tuple[FieldEvent, Body]) -> tuple[str, date]:
    return entry[0].rep_id, entry[0].day
