"""The days of a plan as they have to be once it is published.

A plan is made from what was promised at that moment, and people go on booking. So each of its days on which something
is promised or held is looked at again: what it lacks is inserted, in the order that it has or, where that does not do,
in a better one; what is over is taken out. Days that have passed keep what was on them, and a day that the plan is not
for, or that a rep has begun or said something about, stays as it is: what is left on it is on no other day. Days that
change thereby become `ChangedDay`s of the new version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import cast

from planner.access import Scope
from planner.candidates import VisitKind, cadence_days
from planner.days_begun import DayKey, as_it_stands, days_begun, visits_of, visits_on
from planner.domain import RecordKind, Rep
from planner.errors import NotFoundError, PromiseBrokenError, RefusedError
from planner.explaining import held_time, promised
from planner.handoffs.domain import TO_VISIT
from planner.hotels.domain import Nights
from planner.hotels.standing import nights_seen
from planner.plan_document import RepDay, Stop, night_at, read_plan
from planner.repeats import least_days
from planner.repository import StoredPlan, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import Visits
from planner.slots.desk import Desk
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.slots.facts import DayFacts, records_behind, with_nights
from planner.slots.legs import Legs
from planner.slots.lookups import Kept
from planner.slots.working_order import Workshop
from planner.snapshot import Snapshot
from planner.translation import WorkingDay, working_days
from planner.visit_ids import record_behind

_Refused = tuple[Booking, str]
"""What has no room, and why."""


@dataclass(frozen=True)
class Standing:
    """What a computation counts on: records, the published version, the changed days' revisions, what is booked, and
    what the field has said.

    All that of the days from `since` on.
    """

    since: date
    stamp: int
    published: int | None
    revisions: Mapping[DayKey, int]
    promises: frozenset[str]
    holds: frozenset[str]
    said: frozenset[tuple[object, ...]]

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, since: date) -> Standing:
        known = ("rep_id", "day", "visit_id", "arrived_at", "left_at", "report_id")
        visits = unit.field_visits.columns(known, "day", since, date.max, area=area)
        progress = unit.day_progress.columns(("rep_id", "day", "revision"), "day", since, date.max, area=area)
        told = unit.changed_days.columns(("rep_id", "day", "revision"), "day", since, date.max, area=area)
        present, columns = unit.now(), ("id", "expires_at")
        promises, holds = (
            unit.bookings.columns(columns, "day", since, date.max, area=area, state=state)
            for state in (BookingState.PROMISED, BookingState.HELD)
        )
        return cls(
            since,
            unit.records(area).stamp(),
            unit.plans(area).published_version(),
            {(rep_id, day): revision for rep_id, day, revision in told},
            frozenset(id_ for id_, _ in promises),
            frozenset(id_ for id_, expires_at in holds if present < expires_at),
            frozenset((*visits, *progress)),
        )

    def is_kept(self, unit: UnitOfWork, area: str) -> bool:
        """Whether it is so now; holds may have run out."""
        present = Standing.read(unit, area, self.since)
        return replace(present, holds=self.holds) == self and present.holds <= self.holds


@dataclass(frozen=True)
class Basis:
    """What was read at one moment: the version to be published, and all that has happened since it was made.

    `live` and `done` are the bookings of `today` and later: what takes time, and which visits are over. `passed` are
    the days before today as reps see them now, where the version has such days, and `outside` those from today on that
    it is not for; `begun` are the days from today on of which phones have said something.
    """

    area: str
    today: date
    plan: StoredPlan
    days: Mapping[DayKey, RepDay]
    snapshot: Snapshot
    rows: Mapping[DayKey, ChangedDay]
    live: Mapping[DayKey, tuple[Booking, ...]]
    done: frozenset[tuple[DayKey, str]]
    passed: Mapping[DayKey, RepDay]
    outside: Mapping[DayKey, RepDay]
    begun: frozenset[DayKey]
    nights: Nights
    standing: Standing

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, version: int | None, settings: Settings) -> Basis:
        plans, snapshot = unit.plans(area), Snapshot.read(unit, area, settings)
        plan = plans.latest() if version is None else plans.get(version)
        if plan is None:
            raise NotFoundError(f"area {area} has no plan yet: make one with fieldvisit plan")
        present = unit.now()
        today = min((present.astimezone(rep.zone).date() for rep in snapshot.reps), default=present.date())
        since = min(today, plan.first_day)
        rows = {(row.rep_id, row.day): row for row in unit.changed_days.within("day", since, date.max, area=area)}
        seen = _as_seen(unit, plan, since, today, rows.values())
        reps = {rep.id for rep in snapshot.reps}
        live: dict[DayKey, tuple[Booking, ...]] = defaultdict(tuple)
        for booking in _live(unit, area, today):
            live[booking.rep_id, booking.day] += (booking,)
        done = unit.bookings.within("day", today, date.max, area=area, state=BookingState.DONE)
        return cls(
            area,
            today,
            plan,
            _days_of(plan),
            snapshot,
            rows,
            dict(live),
            frozenset(((booking.rep_id, booking.day), booking.visit_id) for booking in done),
            {key: day for key, day in seen.items() if key[1] < today},
            {
                (rep, on): day
                for (rep, on), day in seen.items()
                if day["stops"] and rep in reps and on >= today and not _covers(plan, on)
            },
            frozenset(days_begun(unit, area, today)),
            nights_seen(unit, area),
            Standing.read(unit, area, since),
        )

    def covers(self, day: date) -> bool:
        return _covers(self.plan, day)


def _covers(plan: StoredPlan, day: date) -> bool:
    return plan.first_day <= day < plan.first_day + timedelta(days=plan.days)


def _as_seen(
    unit: UnitOfWork, plan: StoredPlan, since: date, today: date, rows: Iterable[ChangedDay]
) -> Mapping[DayKey, RepDay]:
    """The days that reps see, as they stand. A large document takes a second to read: none where only days to come are
    asked for, and the version is for all of them."""
    shown = unit.plans(plan.area).latest(published=True)
    if shown is None:
        return {}
    to_come = {day for n in range(shown.days) if (day := shown.first_day + timedelta(days=n)) >= today}
    to_come |= {row.day for row in rows if row.plan_version == 0 and row.day >= today}
    return _days_of(shown) if since < today or any(not _covers(plan, day) for day in to_come) else {}


def _live(unit: UnitOfWork, area: str, today: date) -> list[Booking]:
    present = unit.now()
    return [
        booking
        for state in (BookingState.PROMISED, BookingState.HELD)
        for booking in unit.bookings.within("day", today, date.max, area=area, state=state)
        if booking.live_at(present)
    ]


def _days_of(plan: StoredPlan) -> dict[DayKey, RepDay]:
    document = read_plan(plan.document or "", f"plan {plan.version}")
    return {(day["rep_id"], date.fromisoformat(day["date"])): day for day in document["rep_days"]}


class Rebased:
    """The rows of all days that are not as the version has them."""

    def __init__(self, unit: UnitOfWork, basis: Basis, agendas: Agendas, settings: Settings, asking: Scope) -> None:
        """`asking` is told of no customers but those of the reps in its scope."""
        self._unit = unit
        self._asking = asking
        self._agendas = agendas
        self._basis = basis
        self._settings = settings
        snapshot = basis.snapshot
        self._reps = {rep.id: rep for rep in snapshot.reps}
        self._homes, _ = snapshot.homes()
        self._opportunities = {opportunity.id: opportunity for opportunity in snapshot.opportunities}
        self._lookup = Kept(snapshot)
        self._promised = {promise.visit_id: promise for promise in snapshot.promises}
        self._accounts = {account.id: account for account in snapshot.accounts}
        self._promised_to: dict[str, list[date]] = defaultdict(list)
        for promise in snapshot.promises:
            opportunity = self._opportunities.get(promise.opportunity_id)
            if basis.covers(promise.day) and opportunity and opportunity.account_id:
                self._promised_to[opportunity.account_id].append(promise.day)
        self._not_to_visit = {row.opportunity_id for row in snapshot.handoffs if row.state not in TO_VISIT}

    @cached_property
    def _workshop(self) -> Workshop:
        epoch = datetime.combine(self._basis.today - timedelta(days=2), time(), UTC)
        legs = Legs(self._agendas.source(self._basis.area), self._settings.traffic)
        return Workshop(epoch, self._basis.snapshot.zone, self._settings, legs)

    def rows(self) -> list[ChangedDay]:
        """The rows.

        Raises:
            PromiseBrokenError: it names every promise and hold without room.
            RefusedError: a rep would wake up where nobody put them to sleep.
        """
        self._check_nights()
        basis, refused = self._basis, list[_Refused]()
        rows = self._passed()
        rows += self._begun.values()
        changed = {key for key in basis.rows if key[1] >= basis.today}
        others = {*basis.live, *changed, *basis.outside, *self._days_with_what_is_over()} - self._begun.keys()
        for key in sorted(others, key=lambda key: key[::-1]):
            row = self._covered(key) if basis.covers(key[1]) else self._beyond(key)
            if isinstance(row, ChangedDay):
                rows.append(row)
            elif row is not None:
                refused += row
        broken, held = (
            [self._said(booking, why) for booking, why in refused if booking.state is state]
            for state in (BookingState.PROMISED, BookingState.HELD)
        )
        if broken:
            what = f"plan {basis.plan.version} was not published, since promises could not be kept; make a new plan"
            raise PromiseBrokenError(what, broken, held)
        if held:
            what = f"plan {basis.plan.version} was not published, since it has no room for times that are being held"
            raise PromiseBrokenError(what, broken, held)
        return rows

    def _check_nights(self) -> None:
        """The version starts its first days, and those after what has begun, where their reps will have slept; and ends
        its last ones where the next day starts."""
        basis, a_day = self._basis, timedelta(days=1)
        ends = (basis.plan.first_day - a_day, basis.plan.first_day + timedelta(days=basis.plan.days - 1))
        around = {(rep_id, on) for rep_id in self._reps for on in ends}
        for rep_id, on in sorted(around | {key for key in basis.nights.settled if key[0] in self._reps}):
            seen, evening = basis.nights.away.get((rep_id, on)), basis.days.get((rep_id, on))
            morning = basis.days.get((rep_id, on + a_day)) if on + a_day >= basis.today else None
            places = [*([evening["end"]] if evening else []), *([morning["start"]] if morning else [])]
            if any(night_at(place) != seen for place in places):
                where = (
                    f"{self._reps[rep_id].name} spends the night after {on} {f'at {seen.name}' if seen else 'at home'}"
                )
                if self._asking.reps is not None and rep_id not in self._asking.reps:
                    where = "a rep whom you do not see spends a night elsewhere"
                version = basis.plan.version
                raise RefusedError(f"plan {version} was not published, since {where}; make a new plan")

    @cached_property
    def _begun(self) -> Mapping[DayKey, ChangedDay]:
        """The rows of the days that have begun, each as it is now."""
        basis, rows = self._basis, dict[DayKey, ChangedDay]()
        for key in sorted(basis.begun, key=lambda key: key[::-1]):
            stands = as_it_stands(self._unit, self._agendas, basis.area, key, basis.rows.get(key))
            if stands is not None:
                rows[key] = self._new(key, basis.plan.version if basis.covers(key[1]) else 0, *stands)
        return rows

    @cached_property
    def _on_days_that_stay(self) -> Mapping[str, frozenset[DayKey]]:
        """Where what is left on the days that have begun, or are outside, is: as `visits_on`."""
        there = dict(visits_on(self._unit, self._agendas, self._basis.area, self._begun))
        for key in self._basis.outside.keys() - self._begun.keys():
            for id_ in visits_of(self._basis.outside[key]):
                there[id_] = there.get(id_, frozenset()) | {key}
        return there

    def _passed(self) -> list[ChangedDay]:
        """The days that are over and of which the version says something else than what was on them."""
        basis = self._basis
        return [
            self._new(key, basis.plan.version, [stop["visit_id"] for stop in day["stops"]], day)
            for key, day in basis.passed.items()
            if basis.covers(key[1]) and day != basis.days.get(key)
        ]

    def _days_with_what_is_over(self) -> list[DayKey]:
        return [
            key
            for key, day in self._basis.days.items()
            if key[1] >= self._basis.today
            and key not in self._begun
            and any(self._is_over(key, stop) for stop in day["stops"])
        ]

    def _is_over(self, key: DayKey, stop: Stop) -> bool:
        """Nobody visits it on this day any more: it is promised for another time, or there is nothing to do."""
        visit, (kind, record_id) = stop["visit_id"], record_behind(stop["visit_id"])
        if (key, visit) in self._basis.done:
            return False
        if promise := self._promised.get(visit):
            return (promise.rep_id, promise.day) != key
        elsewhere = self._on_days_that_stay.get(f"{kind}:{record_id}", frozenset[DayKey]()) - {key}
        if kind == RecordKind.ACCOUNT:
            days = [*self._promised_to.get(record_id, ()), *(day for _, day in elsewhere)]
            return any(abs(day - key[1]) < self._least_between(record_id) for day in days)
        if elsewhere:
            return True
        opportunity = self._opportunities.get(record_id) if kind == RecordKind.OPPORTUNITY else None
        if stop["kind"] == VisitKind.APPOINTMENT:  # a promise that was cancelled, where nothing else was agreed
            return opportunity is not None and opportunity.appointment is None
        return opportunity is not None and (
            opportunity.account_id in self._promised_to or record_id in self._not_to_visit
        )

    def _least_between(self, account_id: str) -> timedelta:
        """So far apart are two visits to a customer at least; whom no record tells of is visited once."""
        account, settings = self._accounts.get(account_id), self._settings.candidates
        if account is None:
            return timedelta.max
        return timedelta(least_days(cadence_days(account, settings), settings))

    def _covered(self, key: DayKey) -> ChangedDay | list[_Refused] | None:
        """A day that the version plans: the row that it needs or, where promises have no room, which."""
        basis = self._basis
        planned = basis.days.get(key)
        stops = planned["stops"] if planned else []
        kept = [stop["visit_id"] for stop in stops if not self._is_over(key, stop) and self._keeps_its_promise(stop)]
        return self._row(self._new(key, basis.plan.version, kept), len(kept) < len(stops))

    def _keeps_its_promise(self, stop: Stop) -> bool:
        """A stop of something that is promised is what was promised; anything else is none."""
        promise = self._promised.get(stop["visit_id"])
        if promise is None:
            return True
        begin, leave = (datetime.fromisoformat(stop[key]) for key in ("begin", "leave"))
        return (
            stop["kind"] == VisitKind.APPOINTMENT
            and promise.start <= begin <= promise.latest_begin
            and leave - begin == timedelta(minutes=promise.service_minutes)
            and (stop["lat"], stop["lon"]) == (promise.lat, promise.lon)
        )

    def _beyond(self, key: DayKey) -> ChangedDay | list[_Refused] | None:
        """A day that the version is not for: it stays as it is or, of what nobody is shown, what is booked."""
        basis = self._basis
        row = basis.rows.get(key)
        if row is not None and row.plan_version == 0:  # it is as it should be, unless a record has changed
            found = self._row(replace(row, revision=row.revision + 1), False)
            return None if isinstance(found, ChangedDay) and found.route is row.route else found
        if shown := basis.outside.get(key):
            own = row is not None and row.plan_version == basis.standing.published
            order = row.order if row is not None and own else [stop["visit_id"] for stop in shown["stops"]]
            as_seen = self._new(key, 0, order, shown)
            return self._row(as_seen, True) or as_seen
        booked = {_id_in_order(booking) for booking in basis.live.get(key, ())}
        return self._row(self._new(key, 0, [id_ for id_ in row.order if id_ in booked] if row else []), True)

    def _new(self, key: DayKey, version: int, order: Iterable[str], route: RepDay | None = None) -> ChangedDay:
        """A row in the place of the one that there is."""
        before = self._basis.rows.get(key)
        return ChangedDay(self._basis.area, *key, before.revision + 1 if before else 1, version, tuple(order), route)

    def _row(self, as_planned: ChangedDay, changed: bool) -> ChangedDay | list[_Refused] | None:
        """The row of a day with the visits of `as_planned` in their order, and then all that is booked."""
        basis, rep_id, on, version = self._basis, as_planned.rep_id, as_planned.day, as_planned.plan_version
        live, before = basis.live.get((rep_id, on), ()), basis.rows.get((rep_id, on))
        if not live and not (changed and version):
            return as_planned if before else None
        rep = self._reps.get(rep_id)
        refused = [(booking, why) for booking in live if (why := self._why_impossible(rep, booking))]
        if rep is None or rep_id not in self._homes:
            refused = [(booking, "there is no such rep, or nobody knows where the rep starts") for booking in live]
        if refused or rep is None or rep_id not in self._homes:
            return refused or as_planned
        desk = self._desk(WorkingDay(rep, on, *self._homes[rep_id]), as_planned, live)
        listed: Visits | None = desk.day.listed
        there = {visit.booking.id for visit in desk.day.listed if visit.booking}
        missing = [booking for booking in live if booking.id not in there]
        if live and not missing and not desk.keeps(desk.day.listed):  # since it was planned, a record has changed
            last = next(visit for visit in reversed(desk.day.listed) if visit.booking)
            listed = desk.resequenced(tuple(visit for visit in desk.day.listed if visit is not last), last)
            changed = True
        for booking in missing:
            if listed is not None:
                visit = desk.booked(booking)
                listed = desk.with_visit(listed, visit) or desk.resequenced(listed, visit)
                if listed is None and booking.state is BookingState.HELD:  # all that is promised has found its room
                    missing = [each for each in missing if each.state is BookingState.HELD]
        if listed is None:
            full = f"the day has no room for it in plan {version}" if version else "the day has no room for it"
            return [(booking, full) for booking in missing or live]
        if changed or any(booking.state is BookingState.PROMISED for booking in missing):
            return replace(desk.changed(listed, shown=True), revision=as_planned.revision)
        return replace(as_planned, order=tuple(visit.id for visit in listed)) if before or missing else None

    def _why_impossible(self, rep: Rep | None, booking: Booking) -> str:
        """What stands in the way of a booking whatever else its day holds; empty for nothing."""
        calendar = self._settings.calendar
        if holiday := calendar.holiday(booking.day):
            return f"nobody works on that day, a public holiday ({holiday})"
        if rep is not None and not working_days([rep], self._homes, booking.day, booking.day, calendar):
            return "the rep does not work on that day"
        if rep is not None and (missing := booking.skills - rep.skills):
            return f"the rep no longer has the skill {', '.join(sorted(missing))}"
        return ""

    def _said(self, booking: Booking, why: str) -> str:
        rep, zone = self._reps.get(booking.rep_id), self._basis.snapshot.zone
        hidden = self._asking.reps is not None and booking.rep_id not in self._asking.reps
        if booking.expires_at is not None:
            what = "a time of a rep whom you do not see" if hidden else held_time(booking, rep, zone)
            until = booking.expires_at.astimezone(rep.zone if rep else zone)
            return f"somebody is holding {what} until {until:%H:%M}; publish after that"
        return f"{'a promise of a rep whom you do not see' if hidden else promised(booking, rep, zone)}: {why}"

    def _desk(self, working_day: WorkingDay, row: ChangedDay, live: Sequence[Booking]) -> Desk:
        """The day in the order of a row, without what is booked and not in it."""
        basis = self._basis
        planned = basis.days.get((row.rep_id, row.day)) if row.plan_version else None
        there = tuple(booking for booking in live if _id_in_order(booking) in row.order)
        shown = planned if row.route is None else cast(RepDay, row.route)
        stops = {stop["visit_id"]: stop for stop in shown["stops"]} if shown else {}
        behind = records_behind(stops, row.order, self._lookup)
        working_day = with_nights(working_day, planned or shown, basis.days)
        facts = DayFacts(working_day, True, row.revision - 1, row.plan_version, planned, row, there, behind)
        day = self._workshop.day(facts)
        places = [*(visit.place for visit in day.listed), *(booking.place for booking in live)]
        self._workshop.legs.learn([working_day.start, working_day.end, *places])
        return Desk(self._unit, basis.area, day, self._workshop, None)


def _id_in_order(booking: Booking) -> str:
    return booking.order_id
