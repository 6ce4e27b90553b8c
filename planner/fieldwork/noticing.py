"""What a person is told of an event that could not do all that it was meant to do: sentences, and the list of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import cast

from planner.domain import RecordKind
from planner.fieldwork.bodies import OF_A_VISIT, Body, Order
from planner.fieldwork.domain import FACTS, EventKind, FieldEvent, Outcome
from planner.fieldwork.folding import EARLY_DAYS, STATEMENTS, is_of_its_day, subject_of, zone_of_rep
from planner.fieldwork.reports import is_too_late
from planner.plan_document import RepDay
from planner.rep_names import told_names
from planner.repository import UnitOfWork
from planner.settings import FieldworkSettings
from planner.slots.agenda import Agendas
from planner.slots.domain import Booking, BookingState
from planner.visit_ids import record_behind

_NAME = 80
_KEPT = {
    EventKind.ARRIVED: "your check-in is kept with it",
    EventKind.REPORTED: "your report is kept with it",
}


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """An event that could not do all that it was meant to do, until it is settled; `name` is the customer's."""

    id: str
    kind: EventKind
    visit_id: str
    name: str
    day: date
    made_at: datetime
    message: str


def conflicts_of(unit: UnitOfWork, area: str, rep_id: str) -> list[FieldConflict]:
    """What a rep has not settled yet, the earliest first."""
    found = unit.field_events.find(area=area, rep_id=rep_id, outcome=Outcome.CONFLICT)
    return [
        FieldConflict(
            event.id,
            event.kind,
            event.visit_id,
            subject_of(unit, area, event.visit_id).name if event.visit_id else "",
            event.day,
            event.made_at,
            event.message,
        )
        for event in sorted(found, key=lambda event: event.rank)
    ]


class Noticing:
    """Says what is wrong with events of one rep's day, in a unit that sees the whole area."""

    def __init__(
        self,
        unit: UnitOfWork,
        agendas: Agendas,
        area: str,
        rep_id: str,
        day: date,
        settings: FieldworkSettings,
        now: datetime,
        events: Sequence[FieldEvent],
    ) -> None:
        """`events` are all of the day."""
        self._unit = unit
        self._agendas = agendas
        self._area = area
        self._rep_id = rep_id
        self._day = day
        self._settings = settings
        self._now = now
        self._events = sorted(events, key=lambda event: event.rank)

    def sentence(self, event: FieldEvent, body: Body, refused: str) -> str:
        """All that there is to say of an event; empty where it did what it was meant to do.

        Args:
            refused: why its report changes nothing of the handoff, if so.
        """
        left_out = self._left_out_before(event)
        elsewhere = self._elsewhere(event, refused, left_out)
        if elsewhere and refused:
            refused = "The handoff stays as it is"
        gone = self._gone_of(body, left_out) if isinstance(body, Order) else ""
        return ". ".join(filter(None, (*self._times(event, refused), elsewhere, refused, gone)))

    def _times(self, event: FieldEvent, refused: str) -> Iterator[str]:
        zone = self._zone
        today, made = event.received_at.astimezone(zone).date(), event.made_at.astimezone(zone)
        ahead = event.said_at - event.made_at
        if ahead:
            yield f"This phone's clock is {_length(ahead)} ahead: taken as of {made:%H:%M}"
        if event.kind in FACTS and self._day > today + EARLY_DAYS:
            if not refused:
                yield f"{self._day} is still to come: this is kept with it, and counts for nothing"
        elif not is_of_its_day(event, zone):
            yield f"By the phone's clock it was {made:%A}, {made:%Y-%m-%d %H:%M}: kept, and {self._day} is as it was"
        elif event.kind in FACTS and made.date() < self._day and not ahead:
            yield f"By the phone's clock it was {made:%Y-%m-%d %H:%M}, before the day. This is kept with that time"
        if (
            event.kind in FACTS
            and not refused
            and is_too_late(self._day, event.received_at, self._settings.accept_days)
        ):
            yield f"This came more than {self._settings.accept_days} days after the visit; it is kept with it"
        if event.kind in STATEMENTS and self._day < today:
            yield f"{self._day} was over when this came: it is kept with it, and nobody acts on it any more"

    def _left_out_before(self, event: FieldEvent) -> frozenset[str]:
        """The visits that the rep had left out by then, and that may not be in the day for that alone."""
        left_out: set[str] = set()
        for said in self._events:
            if said.rank >= event.rank:
                break
            if said.kind in (EventKind.CANCELLED, EventKind.SKIPPED):
                left_out.add(said.visit_id)
            elif said.kind in (EventKind.RESTORED, EventKind.ADDED):
                left_out.discard(said.visit_id)
        return frozenset(left_out)

    def _elsewhere(self, event: FieldEvent, refused: str, left_out: Collection[str]) -> str:
        """Where the visit is now that is not in the rep's day (any more), or what became of it."""
        visit = event.visit_id
        if event.kind not in OF_A_VISIT or event.kind is EventKind.LEFT:
            return ""
        name = self._name(visit)
        kept = _KEPT.get(event.kind, "this changes nothing")
        if not name:
            _, record_id = record_behind(visit)
            return f"There is no customer {record_id[:_NAME]} any more; {kept}"
        if event.kind in (EventKind.ADDED, EventKind.RESTORED) or self._is_on_the_day(visit):
            return ""
        if event.kind in FACTS and self._was_told_before(event):
            return ""
        days = self._days_of(visit)
        if visit in left_out and not days:
            return ""
        if refused and all(rep_id == self._rep_id for rep_id, _ in days):
            return ""  # what stands in the way of the report says more
        return f"{self._where(visit, name, days)}; {kept}"

    def _was_told_before(self, event: FieldEvent) -> bool:
        """Whether something that was done before at the same visit says the same already."""
        return any(
            said.visit_id == event.visit_id
            and said.rank < event.rank
            and said.kind in _KEPT
            and is_of_its_day(said, self._zone)
            for said in self._events
        )

    def _gone_of(self, order: Order, left_out: Collection[str]) -> str:
        gone = [visit for visit in order.order if visit not in left_out and not self._is_on_the_day(visit)]
        names = ", ".join(self._name(visit) or visit[:_NAME] for visit in gone)
        are = "are" if len(gone) > 1 else "is"
        return f"{names} {are} not in your day any more; the rest is in your order" if gone else ""

    def _is_on_the_day(self, visit: str) -> bool:
        """Whether the day has a visit, and not only for its being made on it; also where nobody knows the day."""
        return self._on_the_day is None or visit in self._on_the_day

    @cached_property
    def _on_the_day(self) -> frozenset[str] | None:
        version, planned = self._agendas.planned(self._unit, self._area, self._rep_id, self._day)
        row = self._unit.changed_days.get(self._area, self._rep_id, self._day)
        if row is not None and row.plan_version != version:
            row = None
        if version == 0 and row is None:
            return None
        shown = cast(RepDay, row.route) if row is not None and row.route is not None else planned
        stops = {stop["visit_id"] for stop in shown["stops"]} if shown is not None else set()
        if row is not None:
            key = {"area": self._area, "rep_id": self._rep_id, "day": self._day}
            stops -= {visit.visit_id for visit in self._unit.field_visits.find(**key)}
        progress = self._unit.day_progress.get(self._area, self._rep_id, self._day)
        added = progress.added if progress is not None else ()
        return frozenset((*stops, *(row.order if row is not None else ()), *added))

    def _where(self, visit: str, name: str, days: Collection[tuple[str, date]]) -> str:
        if days:
            rep_id, day = min(days, key=lambda key: (key[1], key[0]))
            whose = "in your day" if rep_id == self._rep_id else f"{self._told_name(rep_id)}'s"
            return f"{name} is {whose} on {day:%A}, {day}, now"
        cancelled = self._bookings(visit, BookingState.CANCELLED)
        if any((booking.rep_id, booking.day) == (self._rep_id, self._day) for booking in cancelled):
            return f"The visit to {name} was cancelled"
        return f"{name} is not in your day any more"

    def _bookings(self, visit: str, state: BookingState) -> list[Booking]:
        kind, record_id = record_behind(visit)
        if kind != RecordKind.OPPORTUNITY:
            return []
        return self._unit.bookings.find(area=self._area, opportunity_id=record_id, state=state)

    def _days_of(self, visit: str) -> list[tuple[str, date]]:
        """The rep-days for which the visit is promised now, or else on which it is shown, from yesterday on."""
        promised = self._bookings(visit, BookingState.PROMISED)
        if promised:
            return [(booking.rep_id, booking.day) for booking in promised]
        first = min(self._day, self._now.date()) - timedelta(days=1)
        asked = ("rep_id", "day", "order")
        rows = self._unit.changed_days.columns(asked, "day", first, date.max, area=self._area)
        changed = {(rep_id, day): visit in order for rep_id, day, order in rows}
        planned = dict.fromkeys(self._agendas.planned_on(self._unit, self._area, visit), True)
        here = (self._rep_id, self._day)
        return [key for key, has in (planned | changed).items() if has and key != here and key[1] >= first]

    def _name(self, visit: str) -> str:
        return subject_of(self._unit, self._area, visit).name[:_NAME]

    def _told_name(self, rep_id: str) -> str:
        return told_names(self._unit.records(self._area).reps()).get(rep_id, "another rep")[:_NAME]

    @cached_property
    def _zone(self) -> tzinfo:
        return zone_of_rep(self._unit, self._area, self._rep_id)


def _length(time: timedelta) -> str:
    """In the words of a clock, to the largest of its units."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"
