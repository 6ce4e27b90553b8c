"""The same events on many ways: shuffled, repeated, in requests of any size, days late, with crashes in between.

For tests and benchmarks: whichever way they came, the rows are those of the events in order and sent once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cast import MONDAY, TUESDAY, WEDNESDAY
from field_cast import ACTORS, BAKERY, BARN, DAIRY, FORGE, KIOSK, MILL, Field, Fields, at, sent
from hypothesis import strategies as st
from slots_cast import TOWN

from planner.access import Actor, Scope
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.taking import take
from planner.handoffs.state import all_handoffs
from planner.repository import UnitOfWork
from planner.storage import SqlStore

VISITS = (BAKERY, KIOSK, DAIRY, MILL, FORGE, BARN)
DAYS = (MONDAY, TUESDAY, WEDNESDAY)
THURSDAY, FRIDAY = WEDNESDAY + timedelta(days=1), WEDNESDAY + timedelta(days=2)


class CrashError(Exception):
    """The process was killed."""


@dataclass
class Crashing:
    """A store whose process is killed at its write number `at`: before it, or just after its commit."""

    store: SqlStore
    at: int
    committed: bool

    def read(self, scope: Scope) -> AbstractContextManager[UnitOfWork]:
        return self.store.read(scope)

    @contextmanager
    def write(self, actor: Actor) -> Iterator[UnitOfWork]:
        self.at -= 1
        if self.at == 0 and not self.committed:
            raise CrashError
        with self.store.write(actor) as unit:
            yield unit
        if self.at == 0:
            raise CrashError


@dataclass(frozen=True)
class Request:
    """Events by number, so many days after the request before; `crash` is the write at which the first try ends."""

    events: tuple[int, ...]
    days_later: int
    crash: int
    committed: bool


@dataclass(frozen=True)
class Interleaving:
    """What two phones say, and how it arrives."""

    events: tuple[SentEvent, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Replayed:
    """What came of it; `unequal` names the tables whose rows are others than those of the events sent in order."""

    lost: int
    duplicated: int
    unequal: tuple[str, ...]


_clocks = st.builds("{:02}:{:02}".format, st.integers(8, 16), st.sampled_from([0, 1, 30]))
_visits = st.sampled_from(VISITS)
_bodies: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "arrived": st.sampled_from([{}, {"lat": 0.0, "lon": 0.01, "accuracy_m": 20}]),
    "left": st.just({}),
    "reported": st.fixed_dictionaries(
        {
            "disposition": st.sampled_from(["met", "met", "not_in", "rescheduled", "refused"]),
            "deal": st.sampled_from(["open", "open", "proposed", "won", "lost", "returned"]),
            "reason": st.sampled_from(["too dear", "nobody decides"]),
            "text": st.sampled_from(["", "they bake", "they mill"]),
            "at_customer": st.booleans(),
        }
    ),
    "late": st.fixed_dictionaries({"after": _visits, "leave_at": st.sampled_from([at("11:00").isoformat(), None])}),
    "cancelled": st.sampled_from([{}, {"why": "ill"}]),
    "skipped": st.just({}),
    "restored": st.just({}),
    "added": st.just({}),
    "sick": st.fixed_dictionaries({"sick": st.booleans()}),
    "finish": st.fixed_dictionaries({"by": st.sampled_from([at("16:00").isoformat(), None])}),
    "order": st.fixed_dictionaries({"after": _visits, "order": st.lists(_visits, unique=True, max_size=3)}),
}
_OF_THE_DAY = ("late", "sick", "finish", "order")


ALL_KINDS = ("arrived", "left", "reported", "reported", "reported", *_bodies)


@st.composite
def _event(draw: st.DrawFn, kinds: Sequence[str], visits: Sequence[str]) -> SentEvent:
    kind = draw(st.sampled_from(kinds))
    visit = "" if kind in _OF_THE_DAY else draw(st.sampled_from(visits))
    body = draw(_bodies[kind])
    if kind == "reported" and not visit.startswith("opportunity:"):
        body = body | {"deal": "open"}
    rep, day = draw(st.sampled_from(["anna", "anna", "ben"])), draw(st.sampled_from(DAYS))
    return sent(kind, visit, draw(_clocks), rep=rep, day=day, **body)


@st.composite
def interleavings(
    draw: st.DrawFn, kinds: Sequence[str] = ALL_KINDS, visits: Sequence[str] = VISITS, most: int = 12
) -> Interleaving:
    event = _event(kinds, visits)
    events = draw(st.lists(event, min_size=2, max_size=most, unique_by=lambda event: event.id))
    numbers = st.integers(0, len(events) - 1)
    sending = [*draw(st.permutations(range(len(events)))), *draw(st.lists(numbers, max_size=5))]
    requests, days = [], 30
    while sending:
        size = draw(st.integers(1, len(sending)))
        later = draw(st.integers(0, days))
        crash, committed = draw(st.sampled_from([0, 0, 1, 2, 3])), draw(st.booleans())
        requests.append(Request(tuple(sending[:size]), later, crash, committed))
        sending, days = sending[size:], days - later
    return Interleaving(tuple(events), tuple(requests))


class Replaying:
    """Both ways."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def replay(self, interleaving: Interleaving) -> Replayed:
        in_order = sorted(interleaving.events, key=lambda event: (event.made_at, event.id))
        field = self._anew()
        for who in ("anna", "ben"):
            field.take(*(event for event in in_order if event.rep_id == who), who=who)
        once = rows_of(field)
        field = self._anew()
        _deliver(field, interleaving.events, interleaving.requests)
        shuffled = rows_of(field)
        if any(request.days_later for request in interleaving.requests):
            del once["orders"], shuffled["orders"]  # nothing is taken out of a day that is over
        return _compared(interleaving.events, once, shuffled)

    def _anew(self) -> Field:
        """On the evening of the last day, so that no phone is ahead of us."""
        field = self._fields.anew()
        field.town.now = at("18:00", WEDNESDAY)
        return field


def _compared(events: Sequence[SentEvent], once: dict[str, list[Any]], shuffled: dict[str, list[Any]]) -> Replayed:
    sent_ids = {event.id for event in events}
    stored = [event[0] for event in shuffled["field_events"]]
    return Replayed(
        lost=len(sent_ids - set(stored)),
        duplicated=len(stored) - len(set(stored)) + len(set(stored) - sent_ids),
        unequal=tuple(table for table in once if once[table] != shuffled[table]),
    )


def _deliver(field: Field, events: Sequence[SentEvent], requests: Sequence[Request]) -> None:
    for request in requests:
        field.town.wait(days=request.days_later)
        for who in ("anna", "ben"):
            some = [events[number] for number in request.events if events[number].rep_id == who]
            if some and request.crash:
                crashing: Any = Crashing(field.town.store, request.crash, request.committed)
                with contextlib.suppress(CrashError):
                    take(crashing, ACTORS[who], field.town.agendas, TOWN, some, field.town.settings, field.town.now)
            field.take(*some, who=who)


def rows_of(field: Field) -> dict[str, list[Any]]:
    """All that follows from events, without the times at which it was written."""
    with field.reading() as unit:
        events = unit.field_events.find(area=TOWN)
        deals = all_handoffs(unit, TOWN, field.town.settings.gate)
        return {
            "field_events": [
                (event.id, event.rep_id, event.day, event.visit_id, event.kind, event.made_at, event.base, event.body)
                for event in events
            ],
            "check_ins": unit.check_ins.find(area=TOWN),
            "visit_reports": unit.visit_reports.find(area=TOWN),
            "field_visits": unit.field_visits.find(area=TOWN),
            "day_progress": [  # whom to call follows from how the day can be timed, not from events alone
                replace(row, to_call={}) for row in unit.day_progress.find(area=TOWN) if row.revision
            ],
            "handoffs": [
                (row.opportunity_id, row.state, row.side, row.owner, row.field_rep, row.reason, row.learned)
                for _, row in deals
            ],
            "bookings": [(booking.id, booking.state) for booking in unit.bookings.find(area=TOWN)],
            "orders": _orders(field, unit),
            "accounts": sorted((seen.account_id, seen.last_visit, seen.dwells) for seen in unit.records(TOWN).visits()),
        }


def _orders(field: Field, unit: UnitOfWork) -> list[tuple[str, date, tuple[str, ...]]]:
    """Of the days to come, as the plan and all that came since have them."""
    orders = {}
    for rep_id in ("anna", "ben"):
        for day in (THURSDAY, FRIDAY):
            _, planned = field.town.agendas.planned(unit, TOWN, rep_id, day)
            row = unit.changed_days.get(TOWN, rep_id, day)
            stops = tuple(stop["visit_id"] for stop in planned["stops"]) if planned is not None else ()
            orders[rep_id, day] = row.order if row is not None else stops
    return [(*key, order) for key, order in orders.items()]
