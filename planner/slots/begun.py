"""A day that has begun: what of it is over, and from where and when the rest is done.

What phones say is laid over a day when it is read. The stored order stays what bookings have made of it, so that it
does not matter in which order, how often or how late anything was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.fieldwork.domain import DayProgress, FieldVisit
from planner.plan_document import RepDay, Stop
from planner.slots.alternatives import AgendaVisit
from planner.slots.legs import Ways
from planner.translation import Clock
from routing.geo import LatLon
from routing.problem import Break, Job, Shift
from routing.solution import Route, Step

LONGEST_DAY = timedelta(hours=36)
"""So long after its midnight a day is over, however late it got."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that phones have said of a day: `progress` is None where nothing was said of its rest."""

    progress: DayProgress | None = None
    visits: tuple[FieldVisit, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether the day has begun, or anything of it is not as it was planned."""
        told = self.progress
        return bool(self.seen) or (
            told is not None
            and bool(told.after or told.leave_at or told.finish_by or told.sick or told.left_out)
            | bool(told.added or told.order)
        )

    @property
    def seen(self) -> Mapping[str, FieldVisit]:
        """The visits that the rep has made or is making, by id."""
        return {visit.visit_id: visit for visit in self.visits if visit.arrived_at is not None or visit.over}

    def within(self, midnight: datetime) -> Said:
        """The same without times that are not of the day that begins then: a phone's clock may say anything."""
        end = midnight + LONGEST_DAY

        def known(at: datetime | None) -> datetime | None:
            return at if at is not None and midnight <= at <= end else None

        def nearest(at: datetime | None) -> datetime | None:
            return min(max(at, midnight), end) if at is not None else None

        told = self.progress
        if told is not None:
            told = replace(told, leave_at=nearest(told.leave_at), finish_by=nearest(told.finish_by))
        return Said(
            told,
            tuple(
                replace(
                    visit,
                    arrived_at=known(visit.arrived_at),
                    left_at=known(visit.left_at),
                    reported_at=known(visit.reported_at),
                )
                for visit in self.visits
            ),
        )


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True)
class Made:
    """A visit that is over or goes on, or that the rep has passed; at the times that are known or, else, expected.

    `driven` is False of one that was reported before its time and without a check-in: from afar, as far as is known.
    """

    visit: AgendaVisit
    arrive_s: int
    begin_s: int
    leave_s: int
    driven: bool = True

    @property
    def job(self) -> Job:
        """Who has checked in has parked."""
        return replace(self.visit.job, setup_s=0, service_s=self.leave_s - self.begin_s)


@dataclass(frozen=True)
class Begun:
    """What stands of a day that has begun.

    Attributes:
        made: in the order of their times.
        rest: what is left, in the order in which it is done; `loose` is left too, and has no place in that order yet.
        left_out: visits of the day that are not made on it.
        base: the ids in the day's order, as bookings have made it.
        place, free_s: where the rep is done with the last visit, and when.
        depart_s: when the rep was to leave home, by the plan; None once nobody goes by that any more.
        rested_s: when the break was taken, as far as that shows; None where it is still owed or was not taken.
        whole: the shift of the whole day; shift: that of the rest, to start at `place`, whose number it does not have.
    """

    made: tuple[Made, ...]
    rest: tuple[AgendaVisit, ...]
    loose: tuple[AgendaVisit, ...]
    left_out: tuple[AgendaVisit, ...]
    base: tuple[str, ...]
    place: LatLon
    free_s: int
    depart_s: int | None
    rested_s: int | None
    sick: bool
    whole: Shift
    shift: Shift

    @property
    def aside(self) -> frozenset[str]:
        """Ids of the visits that are not, or no longer, to be made on this day."""
        return frozenset(visit.id for visit in (*(made.visit for made in self.made), *self.left_out))

    def route(self, rest: Route | None, start: LatLon, end: LatLon, ways: Ways) -> Route | None:
        """The whole day as it was and will be; None where nobody is visited.

        Args:
            rest: the timed rest; None where nothing is left.
            start, end: where the rep's day starts and ends.
        """
        driven = [made for made in self.made if made.driven]
        if not self.made:
            return rest
        legs = ways.arriving([start, *(made.visit.place for made in driven)], [made.arrive_s for made in driven])
        steps: list[Step] = []
        onward = iter(legs)
        for made in self.made:
            drive_s, drive_m = next(onward) if made.driven else (0, 0)
            steps.append(Step(made.visit.id, drive_s, drive_m, made.arrive_s, made.begin_s, made.leave_s))
        depart_s = steps[0].arrive_s - steps[0].drive_s
        if rest is not None:
            return replace(
                rest,
                depart_s=depart_s if driven else rest.depart_s,
                steps=(*steps, *rest.steps),
                break_start_s=self.rested_s if self.rested_s is not None else rest.break_start_s,
            )
        home_s, home_m = ways.leaving(driven[-1].visit.place if driven else start, end, self.free_s)
        return Route(self.shift.id, depart_s, tuple(steps), self.rested_s, home_s, home_m, self.free_s + home_s)


def begun(
    said: Said,
    listed: Sequence[AgendaVisit],
    base: Sequence[str],
    planned: RepDay | None,
    clock: Clock,
    shift: Shift,
    start: LatLon,
    ways: Ways,
) -> Begun:
    """What stands of a day of which something was said.

    Args:
        listed: all visits of the day, those that were made or added without being in its order among them.
        base: the ids that the day's order names.
        planned: the day in the published plan.
        shift: the working hours; start: where they start.
    """
    told = said.progress
    sorting = _Sorting.of(said, listed, base, clock)
    stops = {stop["visit_id"]: stop for stop in planned["stops"]} if planned is not None else {}
    made = _Times(said, stops, clock, shift, sorting).made()
    driven = [each for each in made if each.driven]
    depart_s = None
    if driven:
        place, free_s = driven[-1].visit.place, driven[-1].leave_s
    else:
        place, free_s = start, shift.start_s
        if told is not None and told.leave_at is not None and not sorting.after:
            free_s = max(0, clock.at_instant(told.leave_at))
        elif planned is not None and planned["start"]["time"] is not None:
            depart_s = clock.at_instant(datetime.fromisoformat(planned["start"]["time"]))
    rested_s = _rested(shift, start, driven, ways)
    sick = told is not None and told.sick
    end_s = shift.end_s
    if told is not None and told.finish_by is not None:
        end_s = min(end_s, clock.at_instant(told.finish_by))
    end_s = max(end_s, free_s + 1)
    most = None if shift.max_jobs is None else max(0, shift.max_jobs - len(driven))
    rest = replace(
        shift,
        start_s=free_s,
        end_s=end_s,
        break_=None if rested_s is not None else _still_owed(shift.break_, free_s, end_s),
        max_jobs=0 if sick else most,
    )
    left = sorting.rest, sorting.loose, sorting.left_out
    return Begun(made, *left, tuple(base), place, free_s, depart_s, rested_s, sick, shift, rest)


@dataclass(frozen=True)
class _Sorting:
    """Which visits are over, left, and left out.

    Attributes:
        after: the visit that the rep is at or has made last, as was said; empty for none.
        passed: ids of visits that stand before it, of which nothing is known.
    """

    by_id: Mapping[str, AgendaVisit]
    base: tuple[str, ...]
    after: str
    passed: frozenset[str]
    rest: tuple[AgendaVisit, ...]
    loose: tuple[AgendaVisit, ...]
    left_out: tuple[AgendaVisit, ...]

    @classmethod
    def of(cls, said: Said, listed: Sequence[AgendaVisit], base: Sequence[str], clock: Clock) -> _Sorting:
        told, seen = said.progress, said.seen
        by_id = {visit.id: visit for visit in listed}
        out = {id_ for id_ in (told.left_out if told is not None else ()) if id_ in by_id and id_ not in seen}
        chosen = [id_ for id_ in dict.fromkeys(told.order if told is not None else ()) if id_ in by_id]
        in_base = [id_ for id_ in base if id_ in by_id]
        after = told.after if told is not None and told.after in by_id and told.after not in out else ""
        passed: frozenset[str] = frozenset()
        if after and told is not None:
            before = chosen[: chosen.index(after)] if after in chosen else _before(after, in_base, chosen)
            since_s = _since_s(told, seen.get(after), clock)
            passed = frozenset(
                id_ for id_ in before if id_ not in seen and id_ not in out and not _to_come(by_id[id_], since_s)
            )
        over = {*seen, *passed} | ({after} if after else set())
        if told is not None and told.sick:
            out |= {id_ for id_ in by_id if id_ not in over and not by_id[id_].promised and not by_id[id_].held}
        left = [id_ for id_ in by_id if id_ not in over and id_ not in out]
        firm = [id_ for id_ in in_base if id_ in left]
        wanted = [id_ for id_ in chosen if id_ in left]
        if [id_ for id_ in firm if id_ in wanted] != wanted:  # bookings since may have taken it over already
            firm = wanted
        loose = sorted((by_id[id_] for id_ in left if id_ not in firm), key=_pressing)
        return cls(
            by_id,
            tuple(in_base),
            after,
            passed,
            tuple(by_id[id_] for id_ in firm),
            tuple(loose),
            tuple(by_id[id_] for id_ in by_id if id_ in out),
        )


def _before(after: str, base: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """What stands before a visit; not what the rep has put into another place since."""
    return [id_ for id_ in base[: base.index(after)] if id_ not in chosen] if after in base else []


def _since_s(told: DayProgress, known: FieldVisit | None, clock: Clock) -> int:
    """A time at which the rep was at the visit that they said to have made last; 0 where none is known."""
    times = [told.leave_at, *((known.left_at, known.arrived_at) if known is not None else ())]
    return next((clock.at_instant(at) for at in times if at is not None), 0)


def _to_come(visit: AgendaVisit, since_s: int) -> bool:
    """A promise is passed by nobody while it can still be kept, whatever stands behind it in the order."""
    return visit.promised and bool(visit.job.windows) and visit.job.windows[-1].end_s > since_s


def _pressing(visit: AgendaVisit) -> tuple[bool, bool, int, str]:
    """Promises first, then what is held, then by when they may begin."""
    return not visit.promised, not visit.held, visit.job.windows[0].start_s if visit.job.windows else 0, visit.id


@dataclass(frozen=True)
class _Times:
    """When the visits that are over were made."""

    said: Said
    planned: Mapping[str, Stop]
    clock: Clock
    shift: Shift
    sorting: _Sorting

    def made(self) -> tuple[Made, ...]:
        sorting, seen = self.sorting, self.said.seen
        known: list[Made] = []
        guessed: list[Made] = []
        afar: list[AgendaVisit] = []
        for id_, visit in sorting.by_id.items():
            if id_ in seen or id_ == sorting.after:
                made, among = self._of(visit, seen.get(id_)), known
            elif id_ in sorting.passed:
                made, among = self._as_expected(visit), guessed
            else:
                continue
            if made is not None:
                among.append(made)
            else:
                afar.append(visit)
        last = max(known, key=lambda each: (each.leave_s, each.arrive_s), default=None)
        free_s = last.leave_s if last is not None else self.shift.start_s
        place = {id_: number for number, id_ in enumerate(sorting.base)}

        def when(each: Made) -> tuple[bool, int, int, int]:
            return each is last, each.leave_s, each.arrive_s, place.get(each.visit.id, len(place))

        guessed = [_by(each, free_s) for each in guessed] if last is not None else guessed
        far = [Made(visit, free_s, free_s, free_s, driven=False) for visit in afar]
        return (*sorted((*known, *guessed), key=when), *far)

    def _of(self, visit: AgendaVisit, known: FieldVisit | None) -> Made | None:
        """With all times that are known of it; None of what was reported from afar."""
        told, at = self.said.progress, self.clock.at_instant
        arrive_s = at(known.arrived_at) if known is not None and known.arrived_at is not None else None
        leave_s = at(known.left_at) if known is not None and known.left_at is not None else None
        if told is not None and told.leave_at is not None and visit.id == self.sorting.after:
            leave_s = at(told.leave_at)
        reported_s = at(known.reported_at) if known is not None and known.reported_at is not None else None
        if arrive_s is None and leave_s is None:
            in_turn = visit.id == self.sorting.after or self._is_next(visit)
            expected = self._as_expected(visit) if in_turn else None
            return _by(expected, reported_s) if expected is not None and reported_s is not None else expected
        if arrive_s is None:
            assert leave_s is not None
            expected = self._as_expected(visit) if known is None else None
            if expected is not None and expected.begin_s <= leave_s:
                return replace(expected, leave_s=leave_s)
            arrive_s = begin_s = max(0, leave_s - visit.job.service_s)
            return Made(visit, arrive_s, begin_s, leave_s)
        begin_s = arrive_s
        if visit.promised and visit.job.windows:
            begin_s = max(arrive_s, visit.job.windows[0].start_s)
        if leave_s is None:
            leave_s = begin_s + visit.job.service_s
            leave_s = min(leave_s, reported_s) if reported_s is not None else leave_s
        leave_s = max(arrive_s, leave_s)
        return Made(visit, arrive_s, min(begin_s, leave_s), leave_s)

    def _is_next(self, visit: AgendaVisit) -> bool:
        """Whether nothing that is left stands before it."""
        base = self.sorting.base
        left = {each.id for each in self.sorting.rest}
        return visit.id in base and not left.intersection(base[: base.index(visit.id)])

    def _as_expected(self, visit: AgendaVisit) -> Made | None:
        """At its planned time, or else when it was promised for; None of what has no time."""
        stop, service_s = self.planned.get(visit.id), visit.job.service_s
        if stop is not None:
            arrive, begin = (self.clock.at_instant(datetime.fromisoformat(stop[key])) for key in ("arrive", "begin"))
            return Made(visit, arrive, begin, begin + service_s)
        if visit.promised and visit.job.windows:
            begin = visit.job.windows[0].start_s
            return Made(visit, begin, begin, begin + service_s)
        return None


def _by(made: Made, free_s: int) -> Made:
    """It was over by then."""
    arrive, begin, leave = (min(second, free_s) for second in (made.arrive_s, made.begin_s, made.leave_s))
    return replace(made, arrive_s=arrive, begin_s=begin, leave_s=leave)


def _rested(shift: Shift, start: LatLon, driven: Sequence[Made], ways: Ways) -> int | None:
    """When there was time for the break; None where there was none."""
    rest = shift.break_
    if rest is None or not driven:
        return None
    legs = ways.arriving([start, *(made.visit.place for made in driven)], [made.arrive_s for made in driven])
    free_s = shift.start_s
    for made, (drive_s, _) in zip(driven, legs, strict=True):
        for idle_from, idle_to in ((free_s, made.arrive_s - drive_s), (made.arrive_s, made.begin_s)):
            begin = max(idle_from, rest.start_s)
            if begin + rest.duration_s <= min(idle_to, rest.end_s):
                return begin
        free_s = made.leave_s
    return None


def _still_owed(rest: Break | None, free_s: int, end_s: int) -> Break | None:
    """The break, in what is left of its window; None where that is too short for it, or the rep is at home by then."""
    if rest is None or end_s < rest.end_s or max(rest.start_s, free_s) > rest.latest_start_s:
        return None
    return replace(rest, start_s=max(rest.start_s, free_s))
