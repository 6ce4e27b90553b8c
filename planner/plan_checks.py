"""Every rule once more, on the finished document against the records as they were typed.

`routing.checks` proves that the solution answers the problem; this proves that the problem was the right one. It reads
the document as an outsider would: local times, addresses, opening hours, appointments, and the street network again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from planner.candidates import team_work_days
from planner.domain import Account, Location, Opportunity, RecordKind, Rep, parse_opening_hours
from planner.errors import PlannerError
from planner.plan_document import PlanDocument, RepDay, Stop
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.settings import Settings
from planner.snapshot import Snapshot
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource


@dataclass(frozen=True)
class _Context:
    """What the rules look things up in."""

    reps: Mapping[str, Rep]
    accounts: Mapping[str, Account]
    opportunities: Mapping[str, Opportunity]
    locations: Mapping[tuple[RecordKind, str], Location]
    zone: ZoneInfo
    work_days: frozenset[int]
    source: TravelTimeSource
    settings: Settings
    first_day: date

    def records_of(self, stop: Stop) -> tuple[list[Opportunity], list[Account]]:
        """The lead record is what the visit id says; further ones are the account of an opportunity."""
        kind, _, lead = stop["visit_id"].partition(":")
        if kind == RecordKind.OPPORTUNITY:
            others = [id_ for id_ in stop["record_ids"] if id_ != lead]
            return [self.opportunities[lead]], [self.accounts[id_] for id_ in others]
        return [], [self.accounts[id_] for id_ in stop["record_ids"]]


def broken_rules(document: PlanDocument, snapshot: Snapshot, source: TravelTimeSource, settings: Settings) -> list[str]:
    """What is wrong with a plan, a sentence each, naming the rule, the rep-day and the record; empty when it holds."""
    context = _Context(
        {rep.id: rep for rep in snapshot.reps},
        {account.id: account for account in snapshot.accounts},
        {opportunity.id: opportunity for opportunity in snapshot.opportunities},
        {(location.kind, location.record_id): location for location in snapshot.locations},
        snapshot.zone,
        team_work_days(snapshot.reps),
        source,
        settings,
        date.fromisoformat(document["first_day"]),
    )
    broken: list[str] = []
    for day in document["rep_days"]:
        where = f"{day['rep_id']} on {day['date']}"
        try:
            broken += [f"{where}: {sentence}" for sentence in _day(day, context)]
        except (KeyError, ValueError, TypeError, PlannerError) as error:
            broken.append(f"{where}: cannot be read: {type(error).__name__} {error}")
    broken += _each_account_once(document, context)
    broken += _nothing_is_lost(document, context)
    return broken


def _day(day: RepDay, context: _Context) -> Iterator[str]:
    if day["rep_id"] not in context.reps:
        yield "there is no such rep"
        return
    rep = context.reps[day["rep_id"]]
    if not day["stops"]:
        return
    yield from _shift(day, rep)
    yield from _legs(day, context)
    yield from _break(day, rep)
    for stop in day["stops"]:
        for sentence in _stop(stop, rep, date.fromisoformat(day["date"]), context):
            yield f"{stop['visit_id']}: {sentence}"


def _shift(day: RepDay, rep: Rep) -> Iterator[str]:
    """Working days and hours, home to home, no more visits than the rep makes in a day."""
    on = date.fromisoformat(day["date"])
    depart, back = _moment(day["start"]["time"]), _moment(day["end"]["time"])
    if on.weekday() not in rep.work_days:
        yield "the rep does not work on this weekday"
    if depart < datetime.combine(on, rep.work_start, rep.zone):
        yield f"departs at {depart:%H:%M}, before work starts"
    if back > datetime.combine(on, rep.work_end, rep.zone):
        yield f"is back at {back:%H:%M}, after work ends"
    if rep.max_visits_per_day is not None and len(day["stops"]) > rep.max_visits_per_day:
        yield f"{len(day['stops'])} visits, at most {rep.max_visits_per_day}"


def _legs(day: RepDay, context: _Context) -> Iterator[str]:
    """Each leg takes as long as the streets say; parking is paid at each new door."""
    points = [day["start"], *day["stops"], day["end"]]
    places = [LatLon(point["lat"], point["lon"]) for point in points]
    times = context.source.travel_times(places)
    free, before = _moment(day["start"]["time"]), places[0]
    for n, stop in enumerate(day["stops"], start=1):
        drive_s = int(times.seconds[n - 1, n])
        arrive, begin, leave = (_moment(stop[key]) for key in ("arrive", "begin", "leave"))
        if drive_s < 0:
            yield f"{stop['visit_id']}: cannot be reached from the stop before"
        if (stop["drive_seconds"], stop["drive_metres"]) != (drive_s, int(times.metres[n - 1, n])):
            yield f"{stop['visit_id']}: the leg takes {drive_s} s, not {stop['drive_seconds']} s"
        if (arrive - free).total_seconds() < drive_s:
            yield f"{stop['visit_id']}: arrives sooner than the drive of {drive_s} s allows"
        parking = timedelta(minutes=context.settings.candidates.parking_minutes if places[n] != before else 0)
        if begin < arrive + parking:
            yield f"{stop['visit_id']}: begins before the car is parked"
        free, before = leave, places[n]
    if (_moment(day["end"]["time"]) - free).total_seconds() < int(times.seconds[-2, -1]) or times.seconds[-2, -1] < 0:
        yield "is home sooner than the drive allows"


def _break(day: RepDay, rep: Rep) -> Iterator[str]:
    """The break is as long as agreed, in its window, and in time that is free."""
    on = date.fromisoformat(day["date"])
    window = rep.break_window or (rep.work_start, rep.work_end)
    opens = datetime.combine(on, max(window[0], rep.work_start), rep.zone)
    closes = datetime.combine(on, min(window[1], rep.work_end), rep.zone)
    length = timedelta(minutes=rep.break_minutes)
    rest = day["break"]
    if not rep.break_minutes or opens + length > closes:
        return
    if rest is None:
        yield "no break"
        return
    begin, end = _moment(rest["start"]), _moment(rest["end"])
    if end - begin != length or begin < opens or end > closes:
        yield f"the break {begin:%H:%M}–{end:%H:%M} is not {length} within {opens:%H:%M}–{closes:%H:%M}"
    for what, start, stop in _busy(day):
        if begin < stop and start < end:
            yield f"the break overlaps {what}"


def _busy(day: RepDay) -> Iterator[tuple[str, datetime, datetime]]:
    """Driving, parking and visits. One drives just before arriving; from home, just after departing."""
    depart = _moment(day["start"]["time"])
    for n, stop in enumerate(day["stops"]):
        arrive, drive = _moment(stop["arrive"]), timedelta(seconds=stop["drive_seconds"])
        begin_drive = depart if n == 0 else arrive - drive
        yield f"the drive to {stop['visit_id']}", begin_drive, begin_drive + drive
        yield f"parking at {stop['visit_id']}", arrive, arrive + timedelta(minutes=stop["parking_minutes"])
        yield stop["visit_id"], _moment(stop["begin"]), _moment(stop["leave"])
    back = _moment(day["end"]["time"])
    yield "the drive home", back - timedelta(seconds=day["return_drive_seconds"]), back


def _stop(stop: Stop, rep: Rep, on: date, context: _Context) -> Iterator[str]:
    opportunities, accounts = context.records_of(stop)
    begin = _moment(stop["begin"]).astimezone(context.zone).replace(tzinfo=None)
    leave = _moment(stop["leave"]).astimezone(context.zone).replace(tzinfo=None)
    yield from _duration(stop, opportunities, accounts, context)
    lead: list[Opportunity] | list[Account] = opportunities or accounts
    for record in lead:
        location = context.locations.get((record.kind, record.id))
        if location is None or location.address != record.address or location.place is None:
            yield f"{record.id} is not located"
        elif location.place != LatLon(stop["lat"], stop["lon"]):
            yield f"{record.id} is somewhere else"
    promised = any(opportunity.appointment for opportunity in opportunities)
    for opportunity in opportunities:
        yield from _opportunity(opportunity, begin, leave, rep, on, context)
    for account in accounts:
        if account.owner_rep_id and account.owner_rep_id != rep.id:
            yield f"{account.id} is looked after by {account.owner_rep_id}"
        if account.opening_hours and not promised and not _open_throughout(account.opening_hours, begin, leave):
            yield f"{account.id} is not open for the whole visit: {account.opening_hours}"


def _duration(
    stop: Stop, opportunities: list[Opportunity], accounts: list[Account], context: _Context
) -> Iterator[str]:
    """The visit takes the longest of what its records ask for."""
    default = context.settings.candidates.visit_minutes
    lead: list[Opportunity] | list[Account] = opportunities or accounts
    wanted = max([lead[0].visit_minutes or default, *(account.visit_minutes or 0 for account in accounts)])
    lasts = _moment(stop["leave"]) - _moment(stop["begin"])
    if lasts != timedelta(minutes=wanted):
        yield f"lasts {lasts}, not {wanted} minutes"


def _opportunity(
    opportunity: Opportunity, begin: datetime, leave: datetime, rep: Rep, on: date, context: _Context
) -> Iterator[str]:
    """Skills; an appointment at its very time; else the gate, the stated availability and the deadline."""
    missing_skills = opportunity.required_skills - rep.skills
    if missing_skills:
        yield f"the rep lacks {', '.join(sorted(missing_skills))}"
    if opportunity.appointment is not None:
        if begin != opportunity.appointment:
            yield f"begins at {begin:%Y-%m-%d %H:%M}, promised for {opportunity.appointment:%Y-%m-%d %H:%M}"
        return
    if missing_for_handoff(opportunity, context.settings.gate):
        yield "has not passed the handoff gate"
    if opportunity.availability and not _open_throughout(opportunity.availability, begin, leave):
        yield f"is not available for the whole visit: {opportunity.availability}"
    deadline = first_action_deadline(opportunity, context.work_days, context.settings.gate)
    if deadline is not None and context.first_day <= deadline < on:
        yield f"the first visit was due by {deadline}"


def _open_throughout(expression: str, begin: datetime, leave: datetime) -> bool:
    """Open at every minute of a visit, minute by minute: slow and plain on purpose."""
    hours = parse_opening_hours("hours", expression)
    minutes = int((leave - begin).total_seconds()) // 60
    return all(hours.is_open(begin + timedelta(minutes=n)) for n in range(minutes)) and (
        minutes == 0 or hours.is_open(leave - timedelta(seconds=1))
    )


def _each_account_once(document: PlanDocument, context: _Context) -> Iterator[str]:
    """No account has two visits, nor any record."""
    stops = [stop for day in document["rep_days"] for stop in day["stops"]]
    visits = Counter(stop["visit_id"] for stop in stops)
    yield from (f"{visit} is planned {times} times" for visit, times in visits.items() if times > 1)
    accounts: Counter[str] = Counter()
    for stop in stops:
        kind, _, lead = stop["visit_id"].partition(":")
        account = lead if kind == RecordKind.ACCOUNT else ""
        if kind == RecordKind.OPPORTUNITY and lead in context.opportunities:
            account = context.opportunities[lead].account_id
        if account:
            accounts[account] += 1
    yield from (f"account {account} is visited {times} times" for account, times in accounts.items() if times > 1)


def _nothing_is_lost(document: PlanDocument, context: _Context) -> Iterator[str]:
    """Every opportunity is planned, listed as unplanned with a reason, or returned to inside with one."""
    told = {id_ for day in document["rep_days"] for stop in day["stops"] for id_ in stop["record_ids"]}
    told |= {id_ for entry in document["unplanned"] for id_ in entry["record_ids"]}
    told |= {entry["record_id"] for entry in document["returned_to_inside"]}
    yield from (f"opportunity {id_} is nowhere in the plan" for id_ in context.opportunities if id_ not in told)


def _moment(text: str | None) -> datetime:
    if text is None:
        raise PlannerError("a time is missing")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise PlannerError(f"{text} has no offset")
    return moment
