"""Bringing a day in line with what its rep did and said."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from planner.access import Actor, Scope
from planner.errors import NotFoundError, SlotGoneError
from planner.fieldwork.domain import DayProgress
from planner.replanning.calling import lost_promises
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas, said_of
from planner.slots.begun import Said
from planner.slots.desk import Desk
from planner.slots.domain import ChangedDay
from routing.errors import RoutingError

TRIES = 3
"""So often it is worked out beside the others' work; then within the write."""


def refresh(
    store: Store, actor: Actor, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> ChangedDay | None:
    """Make the route of a rep's day, and the promises to be called about, follow what is known of it by now.

    Opens its own transactions; call it after events have been committed. Doing it again changes nothing. The day's
    order stays what bookings have made of it: what phones say is laid over it whenever the day is read.

    Returns the day as it is stored then; None where that is still as its plan has it, or cannot be told: nobody knows
    where the rep starts, no way leads along the day, or it is over and of no plan that anybody sees.
    """
    writer = Actor(actor.id, Scope(area=area), actor.request_id)
    for _ in range(TRIES):
        with store.read(writer.scope) as unit:
            found = _Refreshed.of(unit, agendas, area, rep_id, day, settings)
        if found is None or not found.differs:
            return found.before if found is not None else None
        with store.write(writer) as unit:
            if found.stands(unit):
                return found.write(unit)
    with store.write(writer) as unit:
        found = _Refreshed.of(unit, agendas, area, rep_id, day, settings)
        if found is None or not found.differs:
            return found.before if found is not None else None
        return found.write(unit)


def refresh_days(
    store: Store, actor: Actor, agendas: Agendas, area: str, days: Iterable[tuple[str, date]], settings: Settings
) -> None:
    """The same for the days of several reps; one that cannot be told is left as it is."""
    for rep_id, day in days:
        with suppress(NotFoundError, RoutingError):  # the rep's home or the streets are not known: no day to mend
            refresh(store, actor, agendas, area, rep_id, day, settings)


@dataclass(frozen=True)
class _Refreshed:
    """A day as it should be, and what that follows from."""

    day: ChangedDay
    progress: DayProgress | None
    before: ChangedDay | None
    said: Said
    plan: int | None
    stamp: int

    @classmethod
    def of(
        cls, unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, on: date, settings: Settings
    ) -> _Refreshed | None:
        try:
            desk = Desk.of(unit, agendas, area, rep_id, on, settings)
        except NotFoundError:
            return None
        day, said = desk.day, said_of(unit, area, rep_id, on)
        if not day.plan_version and on < unit.now().astimezone(day.rep.zone).date():
            return None
        before, told = unit.changed_days.get(area, rep_id, on), said.progress
        if day.begun is None and (desk.row is None or desk.row.route is None):
            return None
        try:
            shown = desk.changed(day.listed, shown=True)
            visits = [visit for visit in day.listed if not visit.held]
            lost = lost_promises(desk, desk.timing(visits), dict(told.left_out) if told is not None else {})
        except SlotGoneError:
            return None
        if day.begun is not None:
            shown = replace(shown, order=day.begun.base)
        to_call = {each.visit.id: each.why for each in lost}
        if told is None and to_call:
            told = DayProgress(area, rep_id, on, 0)
        progress = replace(told, to_call=to_call) if told is not None else None
        return cls(shown, progress, before, said, unit.plans(area).published_version(), unit.records(area).stamp())

    @property
    def differs(self) -> bool:
        before = self.before
        same = before is not None and replace(before, revision=self.day.revision) == self.day
        return not same or self.progress != self.said.progress

    def stands(self, unit: UnitOfWork) -> bool:
        """Whether all that it follows from is still so."""
        area, rep_id, on = self.day.area, self.day.rep_id, self.day.day
        return (
            unit.changed_days.get(area, rep_id, on) == self.before
            and said_of(unit, area, rep_id, on) == self.said
            and (unit.plans(area).published_version(), unit.records(area).stamp()) == (self.plan, self.stamp)
        )

    def write(self, unit: UnitOfWork) -> ChangedDay:
        unit.changed_days.put(self.day)
        if self.progress is not None:
            unit.day_progress.put(self.progress)
        subject = f"{self.day.rep_id} {self.day.day}"
        unit.audit("day.refreshed", subject, area=self.day.area, revision=self.day.revision)
        return self.day
