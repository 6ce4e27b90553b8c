"""Every rule once more, on the finished document against the records as they were typed.

`routing.checks` proves that the solution answers the problem; this proves that the problem was the right one. It reads
the document as an outsider would: local times, addresses, opening hours, appointments, and the street network again.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from planner.candidates import VisitKind, cadence_days, is_dormant, team_work_days
from planner.domain import MAX_MINUTES, Account, Opportunity, RecordKind, Rep, parse_opening_hours
from planner.errors import PlannerError
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.holidays import holiday_name
from planner.hotels.domain import Night
from planner.plan_document import PlanDocument, RepDay, Stop, night_at, number_left_out
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.settings import WEEKDAYS, Settings
from planner.slots.domain import Booking, Meaning
from planner.snapshot import Snapshot
from planner.visit_ids import record_behind
from routing.errors import RoutingError
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource

VISITED = frozenset({HandoffState.VISITED, HandoffState.WON, HandoffState.LOST})

UNREADABLE = (KeyError, ValueError, OverflowError, PlannerError, RoutingError)
"""What a document of the right shape can still raise: a date that is none, a place that is nowhere, no such record."""


@dataclass(frozen=True)
class _Context:
    """What the rules look things up in."""

    snapshot: Snapshot
    homes: Mapping[str, tuple[LatLon, LatLon]]
    reps: Mapping[str, Rep]
    promises: Mapping[str, Booking]
    handoffs: Mapping[str, HandoffRow]
    accounts: Mapping[str, Account]
    opportunities: Mapping[str, Opportunity]
    zone: ZoneInfo
    work_days: frozenset[int]
    source: TravelTimeSource
    settings: Settings
    first_day: date
    last_day: date

    @cached_property
    def days_out(self) -> Mapping[str, list[date]]:
        """The days of the horizon on which each rep can make visits."""
        calendar = self.settings.calendar
        horizon = [self.first_day + timedelta(days=n) for n in range((self.last_day - self.first_day).days + 1)]
        working = [day for day in horizon if not holiday_name(calendar.country, calendar.subdivision, day)]
        return {
            id_: [day for day in working if id_ in self.homes and day.weekday() in rep.work_days]
            for id_, rep in self.reps.items()
        }

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def stays(self, stop: Stop, day: RepDay) -> bool:
        """Whether it is of another plan, on a day that this one is not for: what is due or late was judged by that."""
        return (stop["visit_id"], day["rep_id"], day["date"]) in self._seen_outside

    @cached_property
    def _seen_outside(self) -> frozenset[tuple[str, str, str]]:
        seen = (each for each in self.snapshot.seen if not self.covers(each.day))
        return frozenset((each.visit_id, each.rep_id, str(each.day)) for each in seen)

    def record_of(self, stop: Stop) -> Opportunity | Account:
        """The record that the visit is for, as its id says. Raises PlannerError when there is none."""
        kind, id_ = record_behind(stop["visit_id"])
        if kind == RecordKind.OPPORTUNITY and id_ in self.opportunities:
            return self.opportunities[id_]
        if kind == RecordKind.ACCOUNT and id_ in self.accounts:
            return self.accounts[id_]
        raise PlannerError("there is no such record")

    def account_of(self, stop: Stop) -> Account | None:
        """The account whose visit this counts as."""
        record = self.record_of(stop)
        if isinstance(record, Account):
            return record
        return self.accounts[record.account_id] if record.account_id in stop["record_ids"][1:] else None


def broken_rules(document: PlanDocument, snapshot: Snapshot, source: TravelTimeSource, settings: Settings) -> list[str]:
    """What is wrong with a plan, a sentence each, naming the rule, the rep-day and the record; empty when it holds."""
    try:
        first_day, last_day = (date.fromisoformat(document[key]) for key in ("first_day", "last_day"))
    except ValueError as error:
        return [f"the horizon cannot be read: {error}"]
    homes, _ = snapshot.homes()
    context = _Context(
        snapshot,
        homes,
        {rep.id: rep for rep in snapshot.reps},
        {promise.visit_id: promise for promise in snapshot.promises},
        {row.opportunity_id: row for row in snapshot.handoffs},
        {account.id: account for account in snapshot.accounts},
        {opportunity.id: opportunity for opportunity in snapshot.opportunities},
        snapshot.zone,
        team_work_days(snapshot.reps),
        source,
        settings,
        first_day,
        last_day,
    )
    rep_days = Counter((day["rep_id"], day["date"]) for day in document["rep_days"])
    broken = [f"{rep} on {day}: has {times} entries" for (rep, day), times in rep_days.items() if times > 1]
    days = {(day["rep_id"], day["date"]): day for day in document["rep_days"]}
    for day in document["rep_days"]:
        if day["rep_id"] not in context.reps:
            broken.append(f"{day['rep_id']} on {day['date']}: there is no such rep")
            continue
        broken += _readable(f"{day['rep_id']} on {day['date']}", _day(day, context))
        broken += _readable(f"{day['rep_id']} on {day['date']}", _nights(day, days, context))
        for stop in day["stops"]:
            where = f"{day['rep_id']} on {day['date']}: {stop['visit_id']}"
            broken += _readable(where, _stop(stop, day, context))
    broken += _promises_are_kept(document, context)
    broken += _each_visit_once(document)
    broken += _visits_are_spaced(document, context)
    broken += _nothing_is_lost(document, context)
    broken += _totals_add_up(document)
    return broken


def _readable(where: str, rules: Iterator[str]) -> Iterator[str]:
    """What the rules say, prefixed; that they could not be checked is one more thing that is wrong."""
    try:
        for sentence in rules:
            yield f"{where}: {sentence}"
    except UNREADABLE as error:
        yield f"{where}: cannot be read: {error}"


# ------------------------------------------------------------------------------------------------ the day


def _day(day: RepDay, context: _Context) -> Iterator[str]:
    rep, on = context.reps[day["rep_id"]], date.fromisoformat(day["date"])
    booked = any(stop["visit_id"] in context.promises or _is_over(stop, context) for stop in day["stops"])
    if not (booked or context.covers(on) or any(context.stays(stop, day) for stop in day["stops"])):
        yield "is not one of the plan's days"
    calendar = context.settings.calendar
    if holiday := holiday_name(calendar.country, calendar.subdivision, on):
        yield f"nobody works on {holiday}, a public holiday"
    if not day["stops"]:
        return
    yield from _shift(day, rep, on)
    yield from _legs(day, context)
    yield from _break(day, rep, on, context)


def _is_over(stop: Stop, context: _Context) -> bool:
    """Whether it was a visit to an opportunity that has been made."""
    kind, id_ = record_behind(stop["visit_id"])
    handoff = context.handoffs.get(id_) if kind == RecordKind.OPPORTUNITY else None
    return handoff is not None and handoff.state in VISITED


def _shift(day: RepDay, rep: Rep, on: date) -> Iterator[str]:
    """Working days and hours, no more visits than the rep makes in a day."""
    depart, back = _moment(day["start"]["time"]), _moment(day["end"]["time"])
    if on.weekday() not in rep.work_days:
        yield "the rep does not work on this weekday"
    if depart < _local(on, rep.work_start, rep):
        yield f"departs at {depart:%H:%M}, before work starts"
    if back > _local(on, rep.work_end, rep):
        yield f"is back at {back:%H:%M}, after work ends"
    if rep.max_visits_per_day is not None and len(day["stops"]) > rep.max_visits_per_day:
        yield f"{len(day['stops'])} visits, at most {rep.max_visits_per_day}"


def _legs(day: RepDay, context: _Context) -> Iterator[str]:
    """Home to home, but for nights at hotels; each leg takes as long as the streets say; parking is paid at each new
    door."""
    places = [LatLon(point["lat"], point["lon"]) for point in (day["start"], *day["stops"], day["end"])]
    homes = context.homes.get(day["rep_id"], (None, None))
    ends = (day["start"], places[0], homes[0]), (day["end"], places[-1], homes[1])
    if any("hotel" not in end and place != home for end, place, home in ends):
        yield "does not start and end at the rep's home"
    drives = _drives(places, context)
    free = _moment(day["start"]["time"])
    for stop, (seconds, metres), parking in zip(day["stops"], drives, _parking(day, context), strict=False):
        arrive, begin = _moment(stop["arrive"]), _moment(stop["begin"])
        takes = _takes(seconds, arrive - timedelta(seconds=stop["drive_seconds"]), context)
        if takes < 0:
            yield f"{stop['visit_id']}: cannot be reached from the stop before"
        if (stop["drive_seconds"], stop["drive_metres"]) != (takes, metres):
            yield f"{stop['visit_id']}: the leg takes {takes} s, not {stop['drive_seconds']} s"
        if (arrive - free).total_seconds() < takes:
            yield f"{stop['visit_id']}: arrives sooner than the drive of {takes} s allows"
        if begin < arrive + parking:
            yield f"{stop['visit_id']}: begins before the car is parked"
        free = _moment(stop["leave"])
    (seconds, metres), home = drives[-1], _moment(day["end"]["time"])
    takes = _takes(seconds, home - timedelta(seconds=day["return_drive_seconds"]), context)
    if takes < 0 or (home - free).total_seconds() < takes:
        yield "is home sooner than the drive allows"
    if (day["return_drive_seconds"], day["return_drive_metres"]) != (takes, metres):
        yield f"the drive home takes {takes} s, not {day['return_drive_seconds']} s"


def _drives(places: list[LatLon], context: _Context) -> list[tuple[list[int], int]]:
    """From each place to the next, as the streets say: seconds on free roads and in each of the settings' rush hours,
    and metres."""
    sources = [context.source, *(context.source.slowed(h.slowdown) for h in context.settings.traffic.rush_hours)]
    squares = [source.travel_times(places) for source in sources]
    metres = squares[0].metres
    return [
        ([int(square.seconds[n, n + 1]) for square in squares], int(metres[n, n + 1])) for n in range(len(places) - 1)
    ]


def _takes(seconds: list[int], depart: datetime, context: _Context) -> int:
    """How long a leg takes from then on: hour by hour, what is left of it at the speed that holds then, rounded up."""
    moment, holds = depart, _hour(depart, context)
    left = seconds[holds]
    for change in _changes_after(depart, context):
        if moment + timedelta(seconds=left) <= change:
            break
        left -= round((change - moment).total_seconds())
        moment, before, holds = change, holds, _hour(change, context)
        left = math.ceil(Fraction(left * seconds[holds], seconds[before]))
    return round((moment - depart).total_seconds()) + left


def _hour(moment: datetime, context: _Context) -> int:
    """The number of the rush hours that a moment is in, 0 for none."""
    there, traffic = moment.astimezone(context.zone), context.settings.traffic
    if WEEKDAYS[there.weekday()] not in traffic.days:
        return 0
    for number, hours in enumerate(traffic.rush_hours, start=1):
        if hours.start <= there.time() < hours.end:
            return number
    return 0


def _changes_after(moment: datetime, context: _Context) -> list[datetime]:
    """When rush hours begin and end, from a moment until the day after."""
    day, hours = moment.astimezone(context.zone).date(), context.settings.traffic.rush_hours
    times = [at for each in hours for at in (each.start, each.end)]
    found = [datetime.combine(day + timedelta(days=n), at, context.zone) for n in (0, 1) for at in times]
    return sorted(at for at in (each.astimezone(UTC) for each in found) if at > moment)


def _nights(day: RepDay, days: Mapping[tuple[str, str], RepDay], context: _Context) -> Iterator[str]:
    """Who sleeps at a hotel of the list may, works on the next day too, and starts that one there.

    Where somebody sleeps by the plan that reps see already counts whatever the list says now.
    """
    rep, on = context.reps[day["rep_id"]], date.fromisoformat(day["date"])
    before, after = on - timedelta(days=1), days.get((rep.id, str(on + timedelta(days=1))))
    night, woken, away = night_at(day["end"]), night_at(day["start"]), context.snapshot.nights.away
    if after is not None and _where(night) != _where(night_at(after["start"])):
        yield f"does not start {after['date']} where the night is spent"
    if (rep.id, str(before)) not in days and woken and _where(woken) != _where(away.get((rep.id, before))):
        yield f"starts at {woken.name}, where the night before is not spent"
    if night is None or _where(night) == _where(away.get((rep.id, on))):
        return
    if all(_where(night) != (hotel.id, hotel.place) for hotel in context.snapshot.hotels):
        yield f"sleeps at {night.name}, which is no hotel of the list"
    if not rep.overnight:
        yield f"sleeps at {night.name}, and does not stay overnight"
    if after is None:
        yield f"sleeps at {night.name}, and does not work on the next day"


def _where(night: Night | None) -> tuple[str, LatLon] | None:
    return (night.hotel_id, night.place) if night is not None else None


def _parking(day: RepDay, context: _Context) -> Iterator[timedelta]:
    """What each stop of a day owes: nothing at the door where the rep is already."""
    before = (day["start"]["lat"], day["start"]["lon"])
    for stop in day["stops"]:
        door = stop["lat"], stop["lon"]
        yield timedelta(minutes=context.settings.candidates.parking_minutes if door != before else 0)
        before = door


def _break(day: RepDay, rep: Rep, on: date, context: _Context) -> Iterator[str]:
    """The break is as long as agreed, in its window, and in time that is free."""
    window = rep.break_window or (rep.work_start, rep.work_end)
    opens = _local(on, max(window[0], rep.work_start), rep)
    closes = _local(on, min(window[1], rep.work_end), rep)
    length = timedelta(minutes=rep.break_minutes)
    rest = day["break"]
    if not rep.break_minutes or opens + length > closes:
        return
    if rest is None:
        yield "no break"
        return
    begin, end = _moment(rest["start"]), _moment(rest["end"])
    if end - begin != length or begin < opens or end > closes:
        yield f"the break {begin:%H:%M}–{end:%H:%M} is not {length} within {opens:%H:%M}–{closes:%H:%M} UTC"
    for what, start, stop in _busy(day, context):
        if begin < stop and start < end:
            yield f"the break overlaps {what}"


def _busy(day: RepDay, context: _Context) -> Iterator[tuple[str, datetime, datetime]]:
    """Driving, parking and visits. One drives just before arriving; from home, just after departing."""
    depart = _moment(day["start"]["time"])
    for n, (stop, parking) in enumerate(zip(day["stops"], _parking(day, context), strict=True)):
        arrive, drive = _moment(stop["arrive"]), timedelta(seconds=stop["drive_seconds"])
        begin_drive = depart if n == 0 else arrive - drive
        yield f"the drive to {stop['visit_id']}", begin_drive, begin_drive + drive
        yield f"parking at {stop['visit_id']}", arrive, arrive + parking
        yield stop["visit_id"], _moment(stop["begin"]), _moment(stop["leave"])
    back = _moment(day["end"]["time"])
    yield "the drive home", back - timedelta(seconds=day["return_drive_seconds"]), back


# ------------------------------------------------------------------------------------------------ the visit


def _stop(stop: Stop, day: RepDay, context: _Context) -> Iterator[str]:
    record, account = context.record_of(stop), context.account_of(stop)
    promise = context.promises.get(stop["visit_id"])
    expected = [record.id] if account in (None, record) else [record.id, account.id if account else ""]
    if stop["record_ids"] != expected:
        yield f"is for {', '.join(expected)}, not for {', '.join(stop['record_ids'])}"
    begin, leave = _moment(stop["begin"]), _moment(stop["leave"])
    stated_hours = account.opening_hours if account else ""
    if promise is not None:
        yield from _promise(stop, promise, begin, leave, day, context)
        stated_hours = promise.hours
    else:
        yield from _place(stop, record, context)
        yield from _duration(stop, record, account, context)
    if promise is None and isinstance(record, Opportunity):
        yield from _opportunity(stop, record, begin, leave, day, context)
        stated_hours = "" if record.appointment else stated_hours
    elif isinstance(record, Account) and not context.stays(stop, day):
        yield from _due_or_nearby(stop, record, context)
    if account is not None and account.owner_rep_id and account.owner_rep_id != day["rep_id"]:
        yield f"{account.id} is looked after by {account.owner_rep_id}"
    if stated_hours and not _open_throughout(stated_hours, begin, leave, context):
        yield f"is not open for the whole visit: {stated_hours}"


def _place(stop: Stop, record: Opportunity | Account, context: _Context) -> Iterator[str]:
    """The visit is where its record was located, at the address that it has now."""
    location = context.snapshot.location_by_record.get((record.kind, record.id))
    if location is None or location.address != record.address or location.place is None:
        yield "is not located"
    elif location.place != LatLon(stop["lat"], stop["lon"]):
        yield "is somewhere else"


def _duration(stop: Stop, record: Opportunity | Account, account: Account | None, context: _Context) -> Iterator[str]:
    """The visit takes the longest of what its records ask for."""
    wanted = record.visit_minutes or context.settings.candidates.visit_minutes
    if account is not None:
        wanted = max(wanted, account.visit_minutes or 0)
    lasts = _moment(stop["leave"]) - _moment(stop["begin"])
    if lasts != timedelta(minutes=wanted):
        yield f"lasts {lasts}, not {wanted} minutes"


def _promise(
    stop: Stop, promise: Booking, begin: datetime, leave: datetime, day: RepDay, context: _Context
) -> Iterator[str]:
    """A promise is kept by its rep, on its day, in its window, where and as long as it was promised; nothing else of
    the record counts."""
    zone = context.reps[day["rep_id"]].zone
    if stop["kind"] != VisitKind.APPOINTMENT:
        yield f"is a promise, not {stop['kind']}"
    if (day["rep_id"], day["date"]) != (promise.rep_id, str(promise.day)):
        yield f"is promised with {promise.rep_id} on {promise.day}"
    ends = leave if promise.meaning is Meaning.WHOLE else begin
    if begin < promise.start or ends > promise.end:
        yield f"is from {begin.astimezone(zone):%H:%M} to {leave.astimezone(zone):%H:%M}, promised for " + (
            promise.window_text(zone)
        )
    if (stop["lat"], stop["lon"]) != (promise.lat, promise.lon):
        yield "is somewhere else than was promised"
    if leave - begin != timedelta(minutes=promise.service_minutes):
        yield f"lasts {leave - begin}, {promise.service_minutes} minutes were promised"
    missing_skills = promise.skills - context.reps[day["rep_id"]].skills
    if missing_skills:
        yield f"the rep lacks {', '.join(sorted(missing_skills))}"


def _opportunity(
    stop: Stop, opportunity: Opportunity, begin: datetime, leave: datetime, day: RepDay, context: _Context
) -> Iterator[str]:
    """Handed off, and by whoever has it; skills; an appointment at its very time; else the gate, the stated
    availability and the deadline."""
    handoff = context.handoffs.get(opportunity.id)
    to_visit = (HandoffState.HANDED_OFF, HandoffState.ACCEPTED, HandoffState.BOOKED)
    if handoff is not None and handoff.state not in to_visit:
        yield f"is {handoff.state}: there is no visit to make"
    has_it = handoff.owner if handoff is not None and handoff.side is Side.FIELD else ""
    if has_it not in ("", day["rep_id"]) and _could_come(has_it, opportunity, context):
        yield f"{has_it} has it, and could come"
    missing_skills = opportunity.required_skills - context.reps[day["rep_id"]].skills
    if missing_skills:
        yield f"the rep lacks {', '.join(sorted(missing_skills))}"
    kind = VisitKind.OPPORTUNITY if opportunity.appointment is None else VisitKind.APPOINTMENT
    if stop["kind"] != kind:
        yield f"is an {kind}, not {stop['kind']}"
    if opportunity.appointment is not None:
        local = begin.astimezone(context.zone).replace(tzinfo=None)
        if local != opportunity.appointment:
            yield f"begins at {local:%Y-%m-%d %H:%M}, promised for {opportunity.appointment:%Y-%m-%d %H:%M}"
        return
    if handoff is not None and handoff.side is Side.MANAGER:
        yield "waits for a manager to say whose it is"
    if missing_for_handoff(opportunity, context.settings.gate):
        yield "has not passed the handoff gate"
    if opportunity.availability and not _open_throughout(opportunity.availability, begin, leave, context):
        yield f"is not available for the whole visit: {opportunity.availability}"
    if context.stays(stop, day):
        return
    deadline = _deadline(opportunity, context)
    late = deadline is not None and deadline < context.first_day
    if stop["late"] != late:
        yield f"is {'late' if late else 'not late'}, but marked as if it were{' not' if late else ''}"
    done = leave.astimezone(context.zone) - timedelta(seconds=1)
    if deadline is not None and not late and deadline < done.date():
        yield f"the first visit was due by {deadline}"


def _could_come(rep_id: str, opportunity: Opportunity, context: _Context) -> bool:
    """Whether a rep has the skills and works at the appointment, or else on a day before the deadline is over."""
    rep = context.reps.get(rep_id)
    if rep is None or opportunity.required_skills - rep.skills:
        return False
    days = context.days_out[rep_id]
    if opportunity.appointment is not None:
        at = opportunity.appointment
        return at.date() in days and rep.work_start <= at.time() < rep.work_end
    deadline = _deadline(opportunity, context)
    if deadline is None or deadline < context.first_day:
        return bool(days)
    return any(day <= deadline for day in days)


def _deadline(opportunity: Opportunity, context: _Context) -> date | None:
    settings = context.settings
    return first_action_deadline(opportunity, context.work_days, settings.gate, settings.calendar)


def _due_or_nearby(stop: Stop, account: Account, context: _Context) -> Iterator[str]:
    """A customer is due by the last day, or rides along with an opportunity when far enough through the cadence.

    Whoever promised a visit may have had one who is due ride along with it, on whichever day it is.
    """
    settings = context.settings.candidates
    if is_dormant(account, context.first_day, settings):
        yield "is dormant"
    added = any(f"{RecordKind.OPPORTUNITY}:{id_}" in context.promises for id_ in stop["rides_with"])
    since = max(context.first_day, _moment(stop["begin"]).date()) if added else context.first_day
    kind = VisitKind.DUE if _is_due(account, context) else VisitKind.NEARBY
    if kind == stop["kind"] == VisitKind.DUE and account.last_visit is not None:
        elapsed = (_moment(stop["begin"]).astimezone(context.zone).date() - account.last_visit).days
        if elapsed < _least_days(account, context):
            yield f"was visited {elapsed} days before: too early for another visit"
    if stop["kind"] != kind and not (added and stop["kind"] == VisitKind.NEARBY):
        yield f"is {kind}, not {stop['kind']}"
    if kind == VisitKind.NEARBY and account.last_visit is not None:
        elapsed = (since - account.last_visit).days
        if elapsed < settings.nearby_cadence_share * cadence_days(account, settings):
            yield f"was visited {elapsed} days ago: too early for another visit"
        if not stop["rides_with"]:
            yield "rides along with no opportunity"
    for id_ in stop["rides_with"]:
        location = context.snapshot.location_by_record.get((RecordKind.OPPORTUNITY, id_))
        promise = context.promises.get(f"{RecordKind.OPPORTUNITY}:{id_}")
        place = promise.place if promise else location.place if location else None
        if id_ not in context.opportunities or place is None:
            yield f"rides along with {id_}, of which no place is known"
            continue
        times = context.source.travel_times([place, LatLon(stop["lat"], stop["lon"])])
        if not 0 <= times.seconds[0, 1] <= settings.nearby_minutes * 60:
            yield f"rides along with {id_}, which is {times.seconds[0, 1]} s away"


def _is_due(account: Account, context: _Context) -> bool:
    if account.last_visit is None:
        return True
    return (context.last_day - account.last_visit).days >= cadence_days(account, context.settings.candidates)


def _open_throughout(expression: str, begin: datetime, leave: datetime, context: _Context) -> bool:
    """Open at every minute of a visit, minute by minute: slow and plain on purpose."""
    hours = parse_opening_hours("hours", expression)
    start, end = begin.astimezone(UTC), leave.astimezone(UTC)
    minutes = min(int((end - start).total_seconds()) // 60, MAX_MINUTES)
    moments = [*(start + timedelta(minutes=n) for n in range(minutes)), end - timedelta(seconds=1)]
    return all(hours.is_open(moment.astimezone(context.zone).replace(tzinfo=None)) for moment in moments)


# ------------------------------------------------------------------------------------------------ the whole


def _promises_are_kept(document: PlanDocument, context: _Context) -> Iterator[str]:
    """Every promise that was made for a day of the plan is in it."""
    planned = {stop["visit_id"] for day in document["rep_days"] for stop in day["stops"]}
    for visit, promise in context.promises.items():
        if context.covers(promise.day) and visit not in planned:
            rep = context.reps.get(promise.rep_id)
            window = promise.window_text(rep.zone if rep else context.zone)
            yield f"{visit} is promised for {window} with {promise.rep_id}, and not planned"


def _each_visit_once(document: PlanDocument) -> Iterator[str]:
    """No visit is planned twice."""
    visits = Counter(stop["visit_id"] for day in document["rep_days"] for stop in day["stops"])
    yield from (f"{visit} is planned {times} times" for visit, times in visits.items() if times > 1)


def _visits_are_spaced(document: PlanDocument, context: _Context) -> Iterator[str]:
    """The visits to an account are as far apart as its cadence has it, but that every promise is kept, and every other
    plan's visit.

    Two promises may be as near to each other as was promised, and nothing says how far off a promise may be.
    """
    on_days: dict[str, list[tuple[date, bool]]] = defaultdict(list)
    for day in document["rep_days"]:
        for stop in day["stops"]:
            kind, id_ = record_behind(stop["visit_id"])
            opportunity = context.opportunities.get(id_) if kind == RecordKind.OPPORTUNITY else None
            fixed = opportunity is not None and bool(opportunity.appointment or stop["visit_id"] in context.promises)
            fixed |= context.stays(stop, day)
            with suppress(ValueError):  # a day that is none is told of elsewhere
                on_days[opportunity.account_id if opportunity else id_].append((date.fromisoformat(day["date"]), fixed))
    for account, visits in on_days.items():
        record = context.accounts.get(account)
        for (before, kept), (after, also_kept) in pairwise(sorted(visits)) if account else ():
            gap = (after - before).days
            if kept and also_kept:
                continue
            if record is None:
                yield f"account {account} is visited {len(visits)} times"
            elif gap < (least := _least_days(record, context)):
                yield f"account {account} is visited 2 times less than {least} days apart: on {before} and {after}"
            elif not (kept or also_kept) and gap > (most := _most_days(record, context)):
                yield f"account {account} is visited on {before} and then on {after}, more than {most} days later"


def _slack(account: Account, context: _Context) -> tuple[int, int]:
    """The cadence of an account, and so many whole days a visit may be early or late."""
    cadence = cadence_days(account, context.settings.candidates)
    return cadence, int(Fraction(str(context.settings.candidates.spacing_share)) * cadence)


def _least_days(account: Account, context: _Context) -> int:
    """So many days lie at least between two visits."""
    cadence, slack = _slack(account, context)
    return max(1, cadence - slack)


def _most_days(account: Account, context: _Context) -> int:
    """So many days lie at most between two visits: until somebody works who could come, where that takes longer."""
    cadence, slack = _slack(account, context)
    reps = [account.owner_rep_id] if account.owner_rep_id else list(context.reps)
    days = sorted({day for rep in reps if rep in context.reps for day in context.days_out[rep]})
    return max(cadence + slack, *((after - before).days for before, after in pairwise(days)), 0)


def _nothing_is_lost(document: PlanDocument, context: _Context) -> Iterator[str]:
    """Every opportunity and every customer who is due is planned, or listed with the reason why not; never both.

    An opportunity that has had its visit waits for nothing.
    """
    planned = {stop["visit_id"] for day in document["rep_days"] for stop in day["stops"]}
    served = {f"account:{id_}" for day in document["rep_days"] for s in day["stops"] for id_ in s["record_ids"][1:]}
    listed = {f"opportunity:{entry['record_id']}" for entry in document["returned_to_inside"]}
    listed |= {f"account:{entry['record_id']}" for entry in document["dormant"]}
    for entry in document["unplanned"]:
        kind = "opportunity" if entry["kind"] in (VisitKind.OPPORTUNITY, VisitKind.APPOINTMENT) else "account"
        listed |= {entry["visit_id"]} if "visit_id" in entry else {f"{kind}:{id_}" for id_ in entry["record_ids"][:1]}
        served |= {f"account:{id_}" for id_ in entry["record_ids"][1:]}
    # Who is promised a visit to one of their opportunities is visited, whoever makes it.
    kept = [promise.opportunity_id for visit, promise in context.promises.items() if visit in planned]
    served |= {f"account:{context.opportunities[id_].account_id}" for id_ in kept if id_ in context.opportunities}
    told = {":".join(record_behind(visit)) for visit in planned | listed} | served
    due = [account for account in context.accounts.values() if _is_due(account, context)]
    over = {id_ for id_, handoff in context.handoffs.items() if handoff.state in VISITED}
    waiting = [id_ for id_ in context.opportunities if id_ not in over]
    for visit in [*(f"opportunity:{id_}" for id_ in waiting), *(f"account:{a.id}" for a in due)]:
        if visit not in told:
            yield f"{visit} is nowhere in the plan"
    yield from (f"{visit} is planned, and listed as if it were not" for visit in sorted(planned & listed))


def _totals_add_up(document: PlanDocument) -> Iterator[str]:
    """What the totals say is what the days say."""
    for day in document["rep_days"]:
        stops = day["stops"]
        seconds = sum(stop["drive_seconds"] for stop in stops) + (day["return_drive_seconds"] if stops else 0)
        metres = sum(stop["drive_metres"] for stop in stops) + (day["return_drive_metres"] if stops else 0)
        totals = day["totals"]
        if (totals["visits"], totals["drive_seconds"], totals["drive_metres"]) != (len(stops), seconds, metres):
            yield f"{day['rep_id']} on {day['date']}: the totals do not add up"
    kinds = Counter(stop["kind"] for day in document["rep_days"] for stop in day["stops"])
    expected = {
        "visits": kinds.total(),
        "promises": kinds[VisitKind.APPOINTMENT],
        "unplanned": number_left_out(document["unplanned"]),
        "drive_seconds": sum(day["totals"]["drive_seconds"] for day in document["rep_days"]),
        "drive_metres": sum(day["totals"]["drive_metres"] for day in document["rep_days"]),
    }
    said: Mapping[str, object] = {**document["totals"]}
    for key, value in expected.items():
        if said[key] != value:
            yield f"the total of {key} is {value}, not {said[key]}"


def _local(on: date, clock: time, rep: Rep) -> datetime:
    """An instant in UTC: the difference of two times of one zone forgets a clock change between them."""
    return datetime.combine(on, clock, rep.zone).astimezone(UTC)


def _moment(text: str | None) -> datetime:
    if text is None:
        raise PlannerError("a time is missing")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise PlannerError(f"{text} has no offset")
    return moment
