"""Where one more visit fits into the days of an agenda: the search behind what is offered."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from planner.candidates import Visit, VisitKind
from planner.hours import exists, instant, midnight
from planner.slots.agenda import Agenda, AgendaDay
from planner.slots.alternatives import AgendaVisit, alternatives, with_visit
from planner.slots.domain import Meaning
from planner.translation import visit_windows
from routing.checks import violations
from routing.geo import LatLon
from routing.insertion import Itineraries, Itinerary, Opening, Openings, inserted, overlaps, problem_of, within
from routing.problem import UNREACHABLE, Job, Problem, TimeWindow
from routing.resequencing import resequenced
from routing.solution import Route, Solution
from routing.timing import schedule
from routing.traffic import during
from routing.travel_times import FanTimes

SLOTS_A_HALF_DAY = 2
"""So many windows of one half of a rep's day are shown at most."""
DAYS_RESEQUENCED = 2
"""So many full days are put into another order for one answer, the nearest to the visit first, until one has room …"""
MOST_RESEQUENCED = 12
"""… and so many where there is nothing else to offer."""
RESEQUENCED_A_DAY = 1
ASKED = "asked"
"""The id of the visit that is searched for."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The visit that is searched for.

    Attributes:
        hours: an opening_hours expression that must be open for the whole visit; empty for none.
        window_minutes, step_minutes: of the windows: how wide they are, and at which minutes of the rep's local day
            they begin. With a step of 0 the whole working day is one window.
        not_before: no window begins earlier.
    """

    place: LatLon
    service_minutes: int
    skills: frozenset[str]
    hours: str
    window_minutes: int
    step_minutes: int
    meaning: Meaning
    not_before: datetime
    parking_minutes: int


@dataclass(frozen=True)
class Found:
    """A place for the visit in a day, timed and checked."""

    day: AgendaDay
    window: TimeWindow
    """When service may begin, if it is promised."""
    begin_s: int
    added_s: int
    resequenced: bool
    before: Route | None
    after: Route


class Search:
    """One search: the windows of each day, what fits into them, and what was tried.

    Args:
        eligible: which of the agenda's days are searched, by their rep.
    """

    def __init__(self, agenda: Agenda, asked: Asked, eligible: Sequence[bool]) -> None:
        self.agenda, self.asked = agenda, asked
        self.checked = 0
        self.resequenced = 0
        self.times: FanTimes = agenda.fan.times(asked.place)
        hours = (asked.hours,) if asked.hours else ()
        visit = Visit(ASKED, VisitKind.OPPORTUNITY, (), "", "", asked.place, asked.service_minutes, "", None, hours)
        self.job = Job(
            id=ASKED,
            place=agenda.numbering.find(asked.place),
            service_s=asked.service_minutes * 60,
            windows=visit_windows(visit, agenda.clock),
            setup_s=asked.parking_minutes * 60,
            skills=asked.skills,
        )
        self._windows: dict[object, tuple[TimeWindow, ...]] = {}
        self._moving: dict[tuple[int, TimeWindow], Itinerary | None] = {}
        self.windows = [self._windows_on(day) if able else () for day, able in zip(agenda.days, eligible, strict=True)]

    @cached_property
    def openings(self) -> Openings:
        """What fits without any other visit's moving from its place in the order."""
        return self.agenda.itineraries.openings(self.job, self.times, self.windows)

    @property
    def tried(self) -> int:
        return self.openings.tried

    def alone_s(self, day: AgendaDay) -> int:
        """Driving there and back from the rep's home, for this visit alone."""
        shift = day.itinerary.shift
        return int(self.times.to_s[shift.start_place] + self.times.from_s[shift.end_place])

    def cheapest(self, limit: int) -> list[Found]:
        """What adds least driving, at most `limit`: some windows of a day that do not overlap, and days that differ."""
        columns = self.openings
        order = np.lexsort((columns.itinerary, columns.begin_s, columns.added_s)).tolist()
        kept = (opening for k in order if self._with(opening := columns[k]) is not None)
        chosen = _varied(kept, self.agenda.days, self._width_s, limit)
        checked = (self.checked_in(self.agenda.days[opening.itinerary], opening) for opening in chosen)
        found = [each for each in checked if each is not None]
        # Timed, a day may drive more or less than was counted where that depends on the hour.
        return sorted(found, key=lambda each: (each.added_s, each.begin_s)) if self.times.tables else found

    def checked_in(self, day: AgendaDay, opening: Opening) -> Found | None:
        """An opening as it would be: inserted, timed, and checked as every plan is."""
        itinerary = self._with(opening)
        if itinerary is None:
            return None
        return self._proven(day, itinerary, opening.window, again=False)

    def _with(self, opening: Opening) -> Itinerary | None:
        """The day with the visit in it. While a time of the day is being moved, an opening, which knows of one outcome
        only, is kept where the visit fits with each, as for whoever would hold it; None where it does not."""
        day, job = self.agenda.days[opening.itinerary], within(self.job, opening.window)
        if not day.moving:
            return inserted(day.itinerary, job, opening.position, self.times)
        key = opening.itinerary, opening.window
        if key not in self._moving:
            visit = AgendaVisit(ASKED, "", "", self.asked.place, job, promised=False, held=True)
            listed = with_visit(day.listed, visit, lambda visits: day.arranged(visits, self.agenda.legs))
            self._moving[key] = day.arranged(next(alternatives(listed)), self.agenda.legs) if listed else None
        return self._moving[key]

    def rearranged(self, most: int) -> list[Found]:
        """Of days into which it does not fit as they are: windows in which it does once their visits are put into
        another order. All of them stay, each within its own hours and promises. Nothing is offered in this way while a
        time of the day is being moved.

        The nearest such days are tried until one has room, at most so many.
        """
        for _, i in self._full_days():
            day, windows = self.agenda.days[i], self.windows[i]
            if not any(True for window in windows for _ in overlaps(self.job.windows, window)):
                continue
            if self.resequenced == most:
                break
            self.resequenced += 1
            if found := list(self._rearranged(day, windows)):
                return found
        return []

    def _proven(self, day: AgendaDay, itinerary: Itinerary, window: TimeWindow, *, again: bool) -> Found | None:
        self.checked += 1
        problem = problem_of(itinerary)
        route = schedule(problem, problem.shifts[0], problem.jobs)
        broken = violations(problem, Solution((route,), ())) if route else ["it cannot be timed"]
        if route is None or broken:
            _LOG.error("a slot on %s was not offered, since it does not hold: %s", day.id, broken[0])
            return None
        begin_s = next(step.begin_s for step in route.steps if step.job == ASKED)
        before = day.timed()
        added_s = sum(itinerary.drive_s) - sum(day.itinerary.drive_s)
        if itinerary.tables:
            added_s = route.drive_s - (before.drive_s if before is not None else sum(day.itinerary.drive_s))
        return Found(day, window, begin_s, added_s, again, before, route)

    def _full_days(self) -> list[tuple[int, int]]:
        """(least detour in seconds, index) of days with windows and no opening, the nearest first, without those that
        have less time to spare than the visit takes."""
        full = np.array([bool(windows) for windows in self.windows], dtype=bool)
        full[self.openings.itinerary] = False
        full &= ~np.array([day.moving for day in self.agenda.days], dtype=bool)
        full &= self.agenda.spare_s >= self.job.service_s
        there, back = (self.agenda.nearest_s(line) for line in (self.times.to_s, self.times.from_s))
        full &= (there != UNREACHABLE) & (back != UNREACHABLE)
        found = []
        for i in np.flatnonzero(full).tolist():
            itinerary = self.agenda.days[i].itinerary
            shift = itinerary.shift
            room = shift.max_jobs is None or len(itinerary.jobs) < shift.max_jobs
            if itinerary.jobs and room and shift.allows(self.job):
                found.append((int(there[i] + back[i]), i))
        return sorted(found)

    def _rearranged(self, day: AgendaDay, windows: Sequence[TimeWindow]) -> Iterator[Found]:
        places = list(dict.fromkeys((*day.itinerary.places, self.job.place)))
        number = {place: k for k, place in enumerate(places)}
        where = [self.asked.place if place == self.job.place else day.places[place] for place in places]
        matrix, *others = self.agenda.legs.squares(where)
        seconds, metres = matrix.seconds.tolist(), matrix.metres.tolist()
        tables = [other.seconds.tolist() for other in others]
        traffic, shift = day.itinerary.traffic, day.itinerary.shift
        shift = replace(shift, start_place=number[shift.start_place], end_place=number[shift.end_place])
        jobs = [job.at(number[job.place]) for job in day.itinerary.jobs]
        asked = self.job.at(number[self.job.place])
        anywhere = replace(
            asked, windows=tuple(piece for w in _joined(windows) for piece in overlaps(asked.windows, w))
        )
        problem = Problem(
            (*jobs, anywhere),
            (shift,),
            seconds,
            metres,
            tables=tuple(tables),
            traffic=during(traffic, shift.start_s, shift.end_s),
        )
        order = resequenced(problem, shift, problem.jobs)
        if order is None:
            return
        rest = tuple(job for job in order if job.id != ASKED)
        stops = [shift.start_place, *(job.place for job in rest), shift.end_place]

        def along(table: Sequence[Sequence[int]]) -> tuple[int, ...]:
            return tuple(table[a][b] for a, b in pairwise(stops))

        without = Itinerary(shift, rest, along(seconds), along(metres), tuple(map(along, tables)), traffic)
        k = asked.place
        hours = tuple((other.seconds[:, k], other.seconds[k]) for other in others)
        times = FanTimes(matrix.seconds[:, k], matrix.metres[:, k], matrix.seconds[k], matrix.metres[k], hours)
        openings = Itineraries([without], len(places)).openings(asked, times, [windows])
        cheapest = sorted(openings, key=lambda opening: (opening.added_s, opening.begin_s))
        for opening in cheapest[:RESEQUENCED_A_DAY]:
            itinerary = inserted(without, within(asked, opening.window), opening.position, times)
            found = self._proven(day, itinerary, opening.window, again=True)
            if found is not None:
                yield found

    @property
    def _width_s(self) -> int:
        return self.asked.window_minutes * 60 if self.asked.step_minutes else 0

    def _windows_on(self, day: AgendaDay) -> tuple[TimeWindow, ...]:
        """The windows of a day, by when service may begin; days alike share theirs."""
        key = day.working_day.day, day.rep.timezone, day.itinerary.shift.start_s, day.itinerary.shift.end_s
        if key not in self._windows:
            self._windows[key] = windows_of(day, self.asked)
        return self._windows[key]


def windows_of(day: AgendaDay, asked: Asked) -> tuple[TimeWindow, ...]:
    """The windows of a day that could be promised, as bounds of when service begins.

    They begin on the rep's wall clock at multiples of the step, lie within working hours and not before the notice.
    """
    shift, clock = day.itinerary.shift, day.clock
    earliest_s = max(shift.start_s, clock.at_instant(asked.not_before))
    service_s = asked.service_minutes * 60
    if not asked.step_minutes:
        latest_s = shift.end_s - service_s
        return (TimeWindow(earliest_s, latest_s),) if earliest_s <= latest_s else ()
    width_s = asked.window_minutes * 60
    slack_s = width_s if asked.meaning is Meaning.ARRIVE else width_s - service_s
    if slack_s < 0:
        return ()
    step = day.working_day.day, day.rep.zone, asked.step_minutes
    return _windows(*step, clock.epoch, earliest_s, shift.end_s - width_s, slack_s)


@lru_cache(maxsize=4_000)
def _windows(
    day: date, zone: ZoneInfo, step_minutes: int, epoch: datetime, earliest_s: int, latest_s: int, slack_s: int
) -> tuple[TimeWindow, ...]:
    """Windows that begin on the step of a local day, between these seconds since the epoch. The same days are asked for
    again and again."""
    starts = (round((at - epoch).total_seconds()) for at in _wall_clock(day, zone, step_minutes))
    return tuple(TimeWindow(start_s, start_s + slack_s) for start_s in starts if earliest_s <= start_s <= latest_s)


@lru_cache(maxsize=4_000)
def _wall_clock(day: date, zone: ZoneInfo, step_minutes: int) -> tuple[datetime, ...]:
    """The instants of a local day that lie on the step; local times that the clocks skip are none."""
    steps = (midnight(day) + timedelta(minutes=minute) for minute in range(0, 24 * 60, step_minutes))
    return tuple(instant(step, zone) for step in steps if exists(step, zone))


def _joined(windows: Iterable[TimeWindow]) -> list[TimeWindow]:
    """Windows in order of their start, those that overlap made one."""
    joined: list[TimeWindow] = []
    for window in windows:
        if joined and window.start_s <= joined[-1].end_s:
            joined[-1] = TimeWindow(joined[-1].start_s, max(joined[-1].end_s, window.end_s))
        else:
            joined.append(window)
    return joined


def _varied(openings: Iterable[Opening], days: Sequence[AgendaDay], width_s: int, limit: int) -> list[Opening]:
    """The first `limit` openings that differ: a few of a rep's day, none overlapping, and of different dates.

    Dates get their fair share first; what is left over goes to whoever is cheapest.
    """
    fair = max(1, -(-limit // max(1, len({day.working_day.day for day in days}))))
    taken: dict[int, list[int]] = defaultdict(list)
    of_half: Counter[tuple[int, bool]] = Counter()
    of_date: Counter[date] = Counter()
    chosen: list[tuple[int, Opening]] = []
    spare: list[tuple[int, Opening]] = []
    for rank, opening in enumerate(openings):
        if len(chosen) == limit:
            break
        i, start_s, day = opening.itinerary, opening.window.start_s, days[opening.itinerary]
        half = i, start_s < day.noon_s
        if of_half[half] == SLOTS_A_HALF_DAY or any(abs(start_s - other) < max(width_s, 1) for other in taken[i]):
            continue
        taken[i].append(start_s)
        of_half[half] += 1
        of_date[day.working_day.day] += 1
        (chosen if of_date[day.working_day.day] <= fair else spare).append((rank, opening))
    chosen += spare[: limit - len(chosen)]
    return [opening for _, opening in sorted(chosen, key=lambda each: each[0])]
