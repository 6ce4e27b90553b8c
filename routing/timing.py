"""When a sequence of jobs can be done: exact timing of one shift with several windows a job, setup and a break.

Two labels are kept at every position of a sequence: the earliest time to be done with the break still owed, and with
it taken. Read backwards, the same two labels are the latest times. Between them an insertion is tested in constant
time, the "forward time slack" of Savelsbergh (1992, The Vehicle Routing Problem with Time Windows: Minimizing Route
Duration), here with one more state for the break.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from routing.problem import UNREACHABLE, Job, Problem, Shift
from routing.solution import Route, Step
from routing.traffic import Change, arrive_s, depart_s

NEVER = 1 << 40
"""Earlier than nothing, later than everything: the label of what cannot be done."""

SPARE_S = 600
"""Slack that a day keeps where it has some, so that a red light does not break an appointment."""

Labels = tuple[int, int]
"""(break owed, break taken); without a break to take, both run along and the second decides."""


def break_ends(shift: Shift, free_s: int) -> int:
    """When a break that may start at `free_s` is over, or NEVER."""
    rest = shift.break_
    if rest is None:
        return free_s
    begin = max(free_s, rest.start_s)
    return begin + rest.duration_s if begin <= rest.latest_start_s else NEVER


def break_begins(shift: Shift, over_s: int) -> int:
    """The latest time to be free so that the break is over by `over_s`, or -NEVER."""
    rest = shift.break_
    if rest is None:
        return over_s
    begin = min(rest.latest_start_s, over_s - rest.duration_s)
    return begin if begin >= rest.start_s else -NEVER


def _done(job: Job, ready_s: int) -> int:
    """When the service is over for somebody ready at the door at `ready_s`, or NEVER."""
    for window in job.windows:
        if ready_s <= window.end_s:
            return max(ready_s, window.start_s) + job.service_s
    return NEVER


def _ready_by(job: Job, done_s: int) -> int:
    """The latest time to be ready at the door so that the service is over by `done_s`, or -NEVER."""
    begin = done_s - job.service_s
    for window in reversed(job.windows):
        if window.start_s <= begin:
            return min(window.end_s, begin)
    return -NEVER


@dataclass(frozen=True, slots=True)
class Timeline:
    """A shift's sequence with its labels: `earliest[k]` after k jobs, `latest[k]` before the job at position k.

    `latest[k]` is the latest time at which one may be free at place k (0 is the start, k the k-th job's place, service
    done) and still do all that follows; its first label for somebody who still owes the break.

    Whatever the hour, `drive_s` and what is added to it are of the problem's first table: what can be done is decided
    by the true times, what it costs by driving that does not depend on all the rest of the day.
    """

    problem: Problem
    shift: Shift
    jobs: tuple[Job, ...]
    places: tuple[int, ...]
    earliest: tuple[Labels, ...]
    latest: tuple[Labels, ...]
    drive_s: int

    @property
    def feasible(self) -> bool:
        owed, taken = self.earliest[-1]
        latest_owed, latest_taken = self.latest[-1]
        return (owed <= latest_owed or taken <= latest_taken) and self.shift.has_room_for(self.jobs)

    @classmethod
    def of(cls, problem: Problem, shift: Shift, jobs: Iterable[Job]) -> Timeline:
        """Label a sequence; it may be infeasible. O(jobs)."""
        sequence = tuple(jobs)
        places = (shift.start_place, *(job.place for job in sequence), shift.end_place)
        drives = [problem.seconds[a][b] for a, b in pairwise(places)]
        tables = [[table[a][b] for a, b in pairwise(places)] for table in problem.tables]
        earliest, latest = labelled(shift, sequence, drives, tables, problem.traffic)
        return cls(problem, shift, sequence, places, earliest, latest, sum(max(drive, 0) for drive in drives))

    def added_drive_s(self, job: Job, position: int) -> int | None:
        """Seconds of driving that `job` adds as the job number `position` (from 0), or None if it does not fit there.

        Constant time. Considers time, break, reachability, max_jobs and capacity, not eligibility: see
        `Problem.may_serve`.
        """
        shift, seconds = self.shift, self.problem.seconds
        if not shift.has_room_for(self.jobs, job):
            return None
        before, after = self.places[position], self.places[position + 1]
        there, onward = seconds[before][job.place], seconds[job.place][after]
        if there == UNREACHABLE or onward == UNREACHABLE:
            return None
        if self.problem.tables:
            return there + onward - max(seconds[before][after], 0) if self._fits_in_traffic(job, position) else None
        labels = after_job(shift, self.earliest[position], there + setup_s(before, job), job)
        if position == len(self.jobs):
            by = shift.end_s - onward
            latest = (max(break_begins(shift, by), break_begins(shift, shift.end_s) - onward), by)
        else:
            following = self.jobs[position]
            latest = _backward(shift, self.latest[position + 1], onward + setup_s(job.place, following), following)
        if labels[0] > latest[0] and labels[1] > latest[1]:
            return None
        return there + onward - max(seconds[before][after], 0)

    def _fits_in_traffic(self, job: Job, position: int) -> bool:
        shift, problem = self.shift, self.problem
        before, after = self.places[position], self.places[position + 1]
        doors = arriving(self.earliest[position], problem.leg(before, job.place), problem.traffic, setup_s(before, job))
        owed, taken = after_job(shift, doors, 0, job)
        doors, parking_s = (break_begins(shift, shift.end_s), shift.end_s), 0
        if position < len(self.jobs):
            following = self.jobs[position]
            doors = door_labels(shift, self.latest[position + 1], following)
            parking_s = setup_s(job.place, following)
        latest = departing(shift, doors, problem.leg(job.place, after), problem.traffic, parking_s)
        return owed <= latest[0] or taken <= latest[1]


def labelled(
    shift: Shift,
    jobs: Sequence[Job],
    drives: Sequence[int],
    tables: Sequence[Sequence[int]] = (),
    traffic: Sequence[Change] = (),
) -> tuple[tuple[Labels, ...], tuple[Labels, ...]]:
    """The labels `earliest` and `latest` of a `Timeline`, from the seconds of its len(jobs) + 1 legs. O(jobs).

    `tables` are the seconds of the same legs in the further tables of `traffic`.
    """
    if tables:
        return _labelled_in_traffic(shift, jobs, list(zip(drives, *tables, strict=True)), traffic)
    places = (shift.start_place, *(job.place for job in jobs))
    now: Labels = (shift.start_s, break_ends(shift, shift.start_s))
    earliest = [now]
    for before, job, drive in zip(places, jobs, drives, strict=False):
        now = (NEVER, NEVER) if drive == UNREACHABLE else after_job(shift, now, drive + setup_s(before, job), job)
        earliest.append(now)
    last = drives[-1]
    by = -NEVER if last == UNREACHABLE else shift.end_s - last
    # The break may still be taken after the last drive, at the end place.
    later: Labels = (
        max(break_begins(shift, by), break_begins(shift, shift.end_s) - last) if by > 0 else -NEVER,
        by,
    )
    latest = [later]
    for k in range(len(jobs) - 1, -1, -1):
        if drives[k] == UNREACHABLE:
            later = (-NEVER, -NEVER)
        else:
            later = _backward(shift, later, drives[k] + setup_s(places[k], jobs[k]), jobs[k])
        latest.append(later)
    latest.reverse()
    return tuple(earliest), tuple(latest)


def _labelled_in_traffic(
    shift: Shift, jobs: Sequence[Job], legs: Sequence[Sequence[int]], traffic: Sequence[Change]
) -> tuple[tuple[Labels, ...], tuple[Labels, ...]]:
    places = (shift.start_place, *(job.place for job in jobs))
    parkings = [setup_s(before, job) for before, job in zip(places, jobs, strict=False)]
    now: Labels = (shift.start_s, break_ends(shift, shift.start_s))
    earliest = [now]
    for job, leg, parking_s in zip(jobs, legs, parkings, strict=False):
        now = after_job(shift, arriving(now, leg, traffic, parking_s), 0, job)
        earliest.append(now)
    later = departing(shift, (break_begins(shift, shift.end_s), shift.end_s), legs[-1], traffic, 0)
    latest = [later]
    for k in range(len(jobs) - 1, -1, -1):
        later = departing(shift, door_labels(shift, later, jobs[k]), legs[k], traffic, parkings[k])
        latest.append(later)
    latest.reverse()
    return tuple(earliest), tuple(latest)


def arriving(free: Labels, leg: Sequence[int], traffic: Sequence[Change], parking_s: int) -> Labels:
    """The earliest times to stand at a door, parked, given those before the leg to it."""
    if leg[0] == UNREACHABLE:
        return NEVER, NEVER
    owed, taken = (arrive_s(leg, traffic, free_s) + parking_s if free_s < NEVER else NEVER for free_s in free)
    return owed, taken


def departing(shift: Shift, doors: Labels, leg: Sequence[int], traffic: Sequence[Change], parking_s: int) -> Labels:
    """The latest times to be free before a leg, given those to stand at the door at its end, parked."""
    if leg[0] == UNREACHABLE:
        return -NEVER, -NEVER
    owed, taken = (depart_s(leg, traffic, at_s - parking_s) if at_s > -NEVER else -NEVER for at_s in doors)
    owed = max(owed, break_begins(shift, taken))
    return owed if owed >= 0 else -NEVER, taken if taken >= 0 else -NEVER


def door_labels(shift: Shift, later: Labels, job: Job) -> Labels:
    """The latest times to stand at the door of `job`, parked, given the latest labels after its service."""
    owed, taken = later
    ready_taken = _ready_by(job, taken) if taken > -NEVER else -NEVER
    ready_owed = _ready_by(job, owed) if owed > -NEVER else -NEVER
    if ready_taken > -NEVER:
        ready_owed = max(ready_owed, break_begins(shift, ready_taken))
    return ready_owed, ready_taken


def setup_s(before_place: int, job: Job) -> int:
    """Parking is paid on arriving from another place."""
    return 0 if before_place == job.place else job.setup_s


def after_job(shift: Shift, free: Labels, travel_s: int, job: Job) -> Labels:
    """Labels after `job`, given those before the leg to it. The break goes before the leg, at the door, or after."""
    owed, taken = free
    done_taken = _done(job, taken + travel_s) if taken < NEVER else NEVER
    if shift.break_ is None:
        return done_taken, done_taken
    done_owed = NEVER
    if owed < NEVER:
        done_owed = _done(job, owed + travel_s)
        rested = break_ends(shift, owed + travel_s)
        if rested < NEVER:
            done_taken = min(done_taken, _done(job, rested))
        if done_owed < NEVER:
            done_taken = min(done_taken, break_ends(shift, done_owed))
    return done_owed, done_taken


def _backward(shift: Shift, later: Labels, travel_s: int, job: Job) -> Labels:
    """Latest labels before the leg to `job`, given those after its service."""
    owed, taken = later
    free_taken = _ready_by(job, taken) - travel_s if taken > -NEVER else -NEVER
    if free_taken < 0:
        free_taken = -NEVER
    if shift.break_ is None:
        return free_taken, free_taken
    choices = [-NEVER]
    if owed > -NEVER:  # the break comes after this job
        choices.append(_ready_by(job, owed) - travel_s)
    if taken > -NEVER:  # at the door, before service; or before the leg
        ready = _ready_by(job, taken)
        if ready > -NEVER:
            choices.append(break_begins(shift, ready) - travel_s)
            choices.append(break_begins(shift, ready - travel_s))
    best = max(choices)
    return (best if best >= 0 else -NEVER), free_taken


def schedule(problem: Problem, shift: Shift, jobs: Sequence[Job], *, at_once: bool = False) -> Route | None:
    """The earliest-finishing timing of `jobs` in this order, or None if there is none.

    The break is put where it delays the day's end least and, among equals, into time that is idle anyway. Then the
    day starts as late as that end allows, less `SPARE_S`: somebody who has nothing to do until an appointment in the
    afternoon leaves home later, rather than doing the one short visit of the morning at nine and waiting in the car.
    Whoever is on the road already does everything `at_once`, as soon as it can be done.
    """
    if not jobs or not shift.has_room_for(jobs):
        return None
    sequence = _Sequence.of(problem, shift, jobs)
    if UNREACHABLE in (sequence.home_s, *(leg.drive_s for leg in sequence.legs)):
        return None
    gaps: Iterable[int | None] = [None] if shift.break_ is None else range(2 * len(jobs) + 2)
    walks = [(walk, gap) for gap in gaps if (walk := _walk(sequence, gap, shift.start_s))]
    if not walks:
        return None
    # When everything is over; then when service is, so that waiting is used for the break.
    walk, gap = min(walks, key=lambda each: (each[0].over_s, sum(each[0].begins)))
    if at_once:
        return _route(problem, shift, jobs, walk)
    # A break at home late in the day is no reason to begin work late.
    latest_s = min(_latest_start_s(sequence, gap, walk.over_s), walk.begins[-1])
    start_s = max(shift.start_s, latest_s - SPARE_S)
    return _route(problem, shift, jobs, _walk(sequence, gap, start_s) or walk)


class _Leg(NamedTuple):
    """A drive and the job at its end; `hours` are its seconds in each table, where there are several."""

    drive_s: int
    hours: tuple[int, ...]
    setup_s: int
    windows: list[tuple[int, int]]
    service_s: int


class _Sequence(NamedTuple):
    """A shift's jobs in plain numbers: to time a day once it is walked along some twenty times."""

    shift: Shift
    legs: list[_Leg]
    home_s: int
    home_hours: tuple[int, ...]
    traffic: tuple[Change, ...]

    @classmethod
    def of(cls, problem: Problem, shift: Shift, jobs: Sequence[Job]) -> _Sequence:
        seconds, places, hourly = problem.seconds, _places(shift, jobs), bool(problem.tables)
        legs = [
            _Leg(
                seconds[before][job.place],
                problem.leg(before, job.place) if hourly else (),
                setup_s(before, job),
                [(window.start_s, window.end_s) for window in job.windows],
                job.service_s,
            )
            for before, job in zip(places, jobs, strict=False)
        ]
        home = problem.leg(places[-2], places[-1]) if hourly else ()
        return cls(shift, legs, seconds[places[-2]][places[-1]], home, problem.traffic if hourly else ())


def _places(shift: Shift, jobs: Sequence[Job]) -> tuple[int, ...]:
    return (shift.start_place, *(job.place for job in jobs), shift.end_place)


class _Walk(NamedTuple):
    """When one departs to each job (told where there is traffic), arrives and begins; when the break is over; when one
    leaves for home and is there; and when all is over."""

    departures: list[int]
    arrivals: list[int]
    begins: list[int]
    rested_s: int | None
    leave_s: int
    home_s: int
    over_s: int


def _walk(sequence: _Sequence, gap: int | None, start_s: int) -> _Walk | None:
    """Time the sequence from `start_s` on, with the break in one gap: 2k before the leg to job k, 2k + 1 at its door.

    The last two gaps are before the leg home and at home; no gap, no break. None if that does not fit.
    """
    shift, legs, _, home_hours, traffic = sequence
    now, rested = start_s, None
    departures: list[int] = []
    arrivals: list[int] = []
    begins: list[int] = []
    for k, leg in enumerate(legs):
        if gap == 2 * k:
            now = rested = break_ends(shift, now)
        if traffic:
            departures.append(now)
            now = arrive_s(leg.hours, traffic, now)
        else:
            now += leg.drive_s
        arrivals.append(now)
        now += leg.setup_s
        if gap == 2 * k + 1:
            now = rested = break_ends(shift, now)
        for opens, closes in leg.windows:
            if now <= closes:
                now = max(now, opens)
                break
        else:  # too late, or for the break: NEVER is later than any window
            return None
        begins.append(now)
        now += leg.service_s
    if gap == 2 * len(legs):
        now = rested = break_ends(shift, now)
    leave = now
    home = now = arrive_s(home_hours, traffic, now) if traffic else now + sequence.home_s
    if gap == 2 * len(legs) + 1:
        now = rested = break_ends(shift, now)
    return _Walk(departures, arrivals, begins, rested, leave, home, now) if now <= shift.end_s else None


def _latest_start_s(sequence: _Sequence, gap: int | None, over_s: int) -> int:
    """The latest start from which all is over by then, with the break in this gap: the walk, backwards."""
    shift, legs, home_s, home_hours, traffic = sequence
    by = over_s
    if gap == 2 * len(legs) + 1:
        by = break_begins(shift, by)
    by = depart_s(home_hours, traffic, by) if traffic else by - home_s
    if gap == 2 * len(legs):
        by = break_begins(shift, by)
    for k in range(len(legs) - 1, -1, -1):
        leg = legs[k]
        by -= leg.service_s
        for opens, closes in reversed(leg.windows):
            if opens <= by:
                by = min(closes, by)
                break
        if gap == 2 * k + 1:
            by = break_begins(shift, by)
        by -= leg.setup_s
        by = depart_s(leg.hours, traffic, by) if traffic else by - leg.drive_s
        if gap == 2 * k:
            by = break_begins(shift, by)
    return by


def _route(problem: Problem, shift: Shift, jobs: Sequence[Job], walk: _Walk) -> Route:
    """The walk as a route, departing no earlier than the first service (or a break at its door) needs: nobody waits in
    a car park."""
    places = _places(shift, jobs)
    rest_start = walk.rested_s - shift.break_.duration_s if shift.break_ and walk.rested_s is not None else None
    until = walk.begins[0]
    if rest_start is not None and walk.arrivals[0] <= rest_start < until:
        until = rest_start
    leave_s = problem.depart_s(places[0], places[1], until - setup_s(shift.start_place, jobs[0]))
    arrivals = [problem.arrive_s(places[0], places[1], leave_s), *walk.arrivals[1:]]
    drives = [problem.seconds[before][job.place] for before, job in zip(places, jobs, strict=False)]
    if walk.departures:
        drives = [at - since for at, since in zip(arrivals, [leave_s, *walk.departures[1:]], strict=True)]
    steps = tuple(
        Step(job.id, drive, problem.metres[before][job.place], arrive, begin, begin + job.service_s)
        for before, job, drive, arrive, begin in zip(places, jobs, drives, arrivals, walk.begins, strict=False)
    )
    return Route(
        shift.id,
        leave_s,
        steps,
        rest_start,
        walk.home_s - walk.leave_s,
        problem.metres[places[-2]][places[-1]],
        walk.home_s,
    )
