"""Visit <-> Job: the only place where customers become jobs of the routing problem, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from planner.candidates import Visit
from planner.domain import Rep
from planner.hotels.domain import Night, Stay
from planner.hours import Span, exists, instant, intersect, midnight, open_spans, seconds_since, whole_visit_windows
from planner.rush_hours import changes, slowed
from planner.settings import CalendarSettings, Settings
from planner.snapshot import SeenVisit
from routing.geo import LatLon
from routing.problem import MAX_COST_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.travel_times import TravelTimeSource


@dataclass(frozen=True)
class WorkingDay:
    """A rep on one day, with the places and the instants that a shift needs.

    Where a night before or after it is spent at a hotel, the day starts or ends there.
    """

    rep: Rep
    day: date
    start: LatLon
    end: LatLon
    night_before: Night | None = None
    night_after: Night | None = None

    @property
    def id(self) -> str:
        return f"{self.rep.id}@{self.day}"

    def with_nights(self, before: Night | None, after: Night | None) -> WorkingDay:
        """The same day from and to these hotels; None leaves an end as it is."""
        if before is not None:
            self = replace(self, start=before.place, night_before=before)
        return self if after is None else replace(self, end=after.place, night_after=after)


@dataclass(frozen=True)
class Clock:
    """Seconds count from `epoch` (UTC) to `end_s`, the end of the last shift; customers' local times are in `zone`."""

    epoch: datetime
    first_day: date
    last_day: date
    zone: ZoneInfo
    end_s: int

    def at(self, moment: datetime) -> int:
        return seconds_since(self.epoch, moment, self.zone)

    def at_instant(self, moment: datetime) -> int:
        """The second of a time that has its zone."""
        return round((moment - self.epoch).total_seconds())

    def local(self, seconds: int, zone: ZoneInfo) -> datetime:
        """A second as local time with its offset."""
        return (self.epoch + timedelta(seconds=seconds)).astimezone(zone)


@dataclass(frozen=True)
class Translation:
    """A problem with what is needed to read its solution: visits, working days and nights by job, shift and lodging
    id; and where people have seen visits, by job id."""

    problem: Problem
    clock: Clock
    visits: Mapping[str, Visit]
    working_days: Mapping[str, WorkingDay]
    places: tuple[LatLon, ...]
    nights: Mapping[str, Night] = field(default_factory=dict)
    seen: Mapping[str, SeenVisit] = field(default_factory=dict)

    def windows_of(self, visit: Visit) -> tuple[TimeWindow, ...]:
        """When the service of a visit may begin, whether or not it is in the problem."""
        return visit_windows(visit, self.clock)

    def local(self, seconds: int, zone: ZoneInfo) -> datetime:
        """A time of the problem as local time with its offset."""
        return self.clock.local(seconds, zone)


def working_days(
    reps: Sequence[Rep],
    homes: Mapping[str, tuple[LatLon, LatLon]],
    first_day: date,
    last_day: date,
    calendar: CalendarSettings,
) -> list[WorkingDay]:
    """Every day on which a rep whose home is located works, by day and rep; nobody works on a public holiday."""
    horizon = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
    horizon = [day for day in horizon if not calendar.holiday(day)]
    return [
        WorkingDay(rep, day, *homes[rep.id])
        for day in horizon
        for rep in reps
        if rep.id in homes and day.weekday() in rep.work_days
    ]


def translate(
    visits: Sequence[Visit],
    rep_days: Sequence[WorkingDay],
    source: TravelTimeSource,
    first_day: date,
    last_day: date,
    zone: ZoneInfo,
    settings: Settings,
    stays: Sequence[Stay] = (),
    free: Collection[str] = frozenset(),
    seen: Mapping[str, SeenVisit] | None = None,
) -> Translation:
    """The planning problem of some visits and working days.

    Args:
        stays: where the nights after the days `free`, by their ids, may be spent instead of at home.
        seen: where people have seen a visit, by its id.
        source: asked once a table, for all different places; visits at one door share a place, and so its parking.
        zone: of the area's customers, and of the hours at which driving takes longer; each rep's hours are in the rep's
            own zone.
    """
    places: dict[LatLon, int] = {}
    for rep_day in rep_days:
        for place in (rep_day.start, rep_day.end):
            places.setdefault(place, len(places))
    for place in (*(visit.place for visit in visits), *(stay.night.place for stay in stays)):
        places.setdefault(place, len(places))
    zones = [zone, *(rep_day.rep.zone for rep_day in rep_days)]
    epoch = min(instant(midnight(first_day), z) for z in zones)
    shifts = _with_nights([shift_of(rep_day, epoch, places) for rep_day in rep_days], rep_days, free if stays else ())
    horizon_end_s = max((shift.end_s for shift in shifts), default=0)
    clock = Clock(epoch, first_day, last_day, zone, horizon_end_s)
    parking_s = settings.candidates.parking_minutes * 60
    seen = seen or {}
    jobs = tuple(_job(visit, clock, places, parking_s, settings, seen.get(visit.id)) for visit in visits)
    spacings = tuple(Spacing(*each) for each in sorted({(v.series, *v.spacing) for v in visits if v.spacing}))
    matrix, *others = (each.travel_times(list(places)) for each in (source, *slowed(source, settings.traffic)))
    lodgings = tuple(
        Lodging(stay.night.hotel_id, places[stay.night.place], stay.night.minutes * 60, stay.reps) for stay in stays
    )
    problem = Problem(
        jobs,
        shifts,
        matrix.seconds.tolist(),
        matrix.metres.tolist(),
        spacings,
        lodgings,
        tuple(other.seconds.tolist() for other in others),
        changes(settings.traffic, epoch, first_day, last_day, zone),
    )
    return Translation(
        problem,
        clock,
        {visit.id: visit for visit in visits},
        {rep_day.id: rep_day for rep_day in rep_days},
        tuple(places),
        {stay.night.hotel_id: stay.night for stay in stays},
        seen,
    )


def _with_nights(shifts: Sequence[Shift], rep_days: Sequence[WorkingDay], free: Collection[str]) -> tuple[Shift, ...]:
    """The shifts, those of the days `free` with the one that follows them the next day."""
    by_key = {(day.rep.id, day.day): shift for day, shift in zip(rep_days, shifts, strict=True)}
    linked = []
    for day, shift in zip(rep_days, shifts, strict=True):
        following = by_key.get((day.rep.id, day.day + timedelta(days=1)))
        # Where the clocks change, a day that begins just after midnight may begin within the one before.
        if day.id in free and following is not None and following.day == shift.day + 1:
            shift = replace(shift, next_shift=following.id)
        linked.append(shift)
    return tuple(linked)


class Places(Protocol):
    """The number of each place in the problem."""

    def __getitem__(self, place: LatLon, /) -> int: ...


def shift_of(rep_day: WorkingDay, epoch: datetime, places: Places) -> Shift:
    """The working hours of a rep's day, in seconds since the epoch."""
    rep, zone = rep_day.rep, rep_day.rep.zone

    def at(clock_time: time) -> int:
        return seconds_since(epoch, datetime.combine(rep_day.day, clock_time), zone)

    start_s, end_s = at(rep.work_start), at(rep.work_end)
    return Shift(
        id=rep_day.id,
        vehicle=rep.id,
        start_place=places[rep_day.start],
        end_place=places[rep_day.end],
        start_s=start_s,
        end_s=end_s,
        break_=break_of(rep, start_s, end_s, *(at(t) for t in rep.break_window or (rep.work_start, rep.work_end))),
        max_jobs=rep.max_visits_per_day,
        skills=rep.skills,
    )


def break_of(rep: Rep, start_s: int, end_s: int, window_start_s: int, window_end_s: int) -> Break | None:
    """The rep's break, within working hours; None where its window leaves no room for it in them (a half day)."""
    begin, end = max(start_s, window_start_s), min(end_s, window_end_s)
    duration_s = rep.break_minutes * 60
    return Break(duration_s, begin, end) if duration_s and begin + duration_s <= end else None


def _job(
    visit: Visit,
    clock: Clock,
    places: Mapping[LatLon, int],
    parking_s: int,
    settings: Settings,
    seen: SeenVisit | None,
) -> Job:
    service_s = visit.service_minutes * 60
    # Waiting to the last day costs no more than being late is worth: late visits are hurried, never dropped for it.
    days = (clock.last_day - clock.first_day).days + 2
    late_rate_s = round(60 * min(settings.worth.late_minutes_per_day, settings.worth.late_minutes / days))
    return Job(
        id=visit.id,
        place=places[visit.place],
        service_s=service_s,
        windows=visit_windows(visit, clock),
        setup_s=parking_s,
        penalty_s=None if visit.worth is None else min(visit.worth.minutes * 60, MAX_COST_S),
        vehicles=visit.reps,
        skills=visit.skills,
        group=visit.account_id or None if visit.worth and not visit.repeat else None,
        due_s=0 if visit.late else None,
        tardiness_s_per_day=late_rate_s if visit.late else 0,
        series=visit.series or None,
        seen_on=seen.shift_id if seen else None,
        moved_s=settings.solver.stability_minutes * 60 if seen else 0,
    )


def visit_windows(visit: Visit, clock: Clock) -> tuple[TimeWindow, ...]:
    """An appointment at its time, over any hours; else wholly within all hours and on its days, in the promised
    window, if there is one, and by the deadline, if there is one.

    None for an appointment at a time that the clocks skip.
    """
    if visit.appointment is not None:
        at = clock.at(visit.appointment)
        return (TimeWindow(at, at),) if at >= 0 and exists(visit.appointment, clock.zone) else ()
    spans: list[Span] = [(0, clock.end_s)]
    for expression in visit.hours:
        spans = intersect(spans, open_spans(expression, clock.epoch, clock.first_day, clock.last_day, clock.zone))
    if visit.days is not None:
        first_s, over_s = (clock.at(midnight(day)) for day in (visit.days[0], visit.days[1] + timedelta(days=1)))
        spans = intersect(spans, [(max(0, first_s), over_s)])
    if visit.promise is not None:
        begin_s, latest_s = (clock.at_instant(at) for at in (visit.promise.start, visit.promise.latest_begin))
        spans = intersect(spans, [(begin_s, latest_s + visit.service_minutes * 60)])
    if visit.deadline is not None and visit.deadline <= clock.last_day and not visit.late:
        spans = intersect(spans, [(0, clock.at(midnight(visit.deadline + timedelta(days=1))))])
    return whole_visit_windows(spans, visit.service_minutes * 60)
