"""All that a week's summary is made of, read once in the scope of its reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from planner.access import Scope
from planner.coverage.domain import AccountCover, Coverage
from planner.coverage.keeping import stored
from planner.domain import Opportunity, RecordKind, Rep
from planner.fieldwork.domain import FieldVisit
from planner.handoffs.domain import HandoffEvent
from planner.planned_days import DayKey, PlannedDay, PlannedDays, planned_days
from planner.repository import Store
from planner.slots.domain import Booking
from planner.snapshot import zone_of
from planner.summary.domain import Named
from planner.visit_ids import record_behind


@dataclass(frozen=True)
class Material:
    """A week as it is stored.

    Attributes:
        first, last: the days that are over, both included; none where `last` is before `first`.
        visits: of those days, by rep and day, and visit id.
        said: reasons of visits that were left out, by rep and day; sick: days on which a rep was.
        promises: bookings whose day or whose end is in the week.
        events: of opportunities that are seen.
    """

    area: str
    first: date
    last: date
    zone: ZoneInfo
    now: datetime
    planned: PlannedDays
    reps: Mapping[str, Rep]
    coverage: Coverage | None
    visits: Mapping[DayKey, Mapping[str, FieldVisit]]
    said: Mapping[DayKey, Mapping[str, str]]
    sick: frozenset[DayKey]
    promises: Sequence[Booking]
    events: Sequence[HandoffEvent]
    deals: Mapping[str, Opportunity]

    @classmethod
    def read(cls, store: Store, scope: Scope, area: str, monday: date, now: datetime) -> Material:
        with store.read(Scope(area=area)) as unit:  # what is planned is cut to the reps that are seen, below
            zone = zone_of(unit.records(area).reps()) or ZoneInfo("UTC")
            last = min(monday + timedelta(days=6), now.astimezone(zone).date() - timedelta(days=1))
            over = last >= monday
            planned = planned_days(unit, area, monday, last, scope.reps) if over else PlannedDays({})
        with store.read(scope) as unit:
            records = unit.records(area)
            deals = {deal.id: deal for deal in records.opportunities()}
            begin, end = (datetime.combine(day, time(), zone) for day in (monday, last + timedelta(days=1)))
            moments = begin, end - timedelta(microseconds=1)
            visits: dict[DayKey, dict[str, FieldVisit]] = {}
            for visit in unit.field_visits.within("day", monday, last, area=area):
                visits.setdefault((visit.rep_id, visit.day), {})[visit.visit_id] = visit
            said = unit.day_progress.columns(("rep_id", "day", "sick", "left_out"), "day", monday, last, area=area)
            promised = [
                *unit.bookings.within("day", monday, last, area=area),
                *unit.bookings.within("ended_at", *moments, area=area),
            ]
            return cls(
                area, monday, last, zone, now, planned, {rep.id: rep for rep in records.reps()},
                stored(unit, area, scope), visits, {(rep, day): why for rep, day, _, why in said},
                frozenset((rep, day) for rep, day, sick, _ in said if sick),
                [*{booking.id: booking for booking in promised}.values()],
                [event for event in unit.handoff_events.within("at", *moments, area=area)
                 if event.opportunity_id in deals],
                deals,
            )  # fmt: skip

    @cached_property
    def accounts(self) -> Mapping[str, AccountCover]:
        return {account.account_id: account for account in self.coverage.accounts} if self.coverage else {}

    @cached_property
    def days(self) -> Mapping[DayKey, PlannedDay]:
        """Of reps who are seen, also those of whom nothing was planned but something is known."""
        keys = [*self.planned.days, *self.visits, *self.said]
        return {key: self.planned.days.get(key, PlannedDay(*key)) for key in keys if key[0] in self.reps}

    def ids(self, key: DayKey) -> list[str]:
        """The visits of a day."""
        return self.days[key].ids({*self.visits.get(key, ()), *self.said.get(key, ())})

    def rep_name(self, rep_id: str) -> str:
        rep = self.reps.get(rep_id)
        return rep.name if rep is not None else ""

    def named(self, visit_id: str, key: DayKey, text: str = "") -> Named:
        """Whom a visit is to: as the records have it, or else the plan."""
        kind, id_ = record_behind(visit_id)
        known = self.accounts.get(id_) if kind == RecordKind.ACCOUNT else self.deals.get(id_)
        planned = (visit.name for visit in self.days[key].visits if visit.visit_id == visit_id)
        name = known.name if known is not None else next(planned, id_)
        return Named(_kind(kind), id_, name, self.rep_name(key[0]), text)


def _kind(kind: str) -> RecordKind:
    return RecordKind.ACCOUNT if kind == RecordKind.ACCOUNT else RecordKind.OPPORTUNITY
