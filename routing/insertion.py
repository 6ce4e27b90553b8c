"""Exact insertion of one visit into many timed days at once: what slots are computed from.

Between the labels of `routing.timing` (earliest before, latest after, each with the break owed and taken) the times at
which a visit can begin at a fixed position are at most two intervals: one with the break taken before its service,
one with the break still to come. A window is open there exactly when it meets one of them within the visit's own
windows. Everything that does not depend on the asked place is computed once, as one row a position of an array; a
question is then a few numpy operations over all positions of all days.

Where driving takes longer at some hours, so do the legs of the asked place, in both directions of time; what it adds is
then the driving to it just in time and on from it at once, less the leg between as it is driven at the earliest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from routing.errors import ProblemError
from routing.hours import Hours
from routing.problem import UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.solution import Route
from routing.timing import NEVER, break_begins, door_labels, labelled, schedule
from routing.traffic import Change, arrive_s, during
from routing.travel_times import FanTimes

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Itinerary:
    """A shift's jobs in order, with the len(jobs) + 1 legs that they drive from the start place to the end place.

    Places are indices into one list that all itineraries share. A leg that does not exist is `UNREACHABLE`. A day
    without jobs has one leg, from start to end. `tables` are the seconds of the same legs in the further tables of
    `traffic`, as a `Problem` has them.

    Raises:
        ProblemError: the number of legs does not match, or a leg is negative.
    """

    shift: Shift
    jobs: tuple[Job, ...]
    drive_s: tuple[int, ...]
    drive_m: tuple[int, ...]
    tables: tuple[tuple[int, ...], ...] = ()
    traffic: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        if any(len(table) != len(self.drive_s) for table in self.tables):
            raise ProblemError(f"shift {self.shift.id}: a table has not {len(self.drive_s)} legs")
        if not len(self.jobs) + 1 == len(self.drive_s) == len(self.drive_m):
            raise ProblemError(
                f"shift {self.shift.id}: {len(self.jobs)} jobs, {len(self.drive_s)} and {len(self.drive_m)} legs"
            )
        if min(*self.drive_s, *self.drive_m) < UNREACHABLE:
            raise ProblemError(f"shift {self.shift.id}: a leg is negative")

    @property
    def places(self) -> tuple[int, ...]:
        """Start, the jobs' places, end."""
        return (self.shift.start_place, *(job.place for job in self.jobs), self.shift.end_place)


def inserted(itinerary: Itinerary, job: Job, position: int, times: FanTimes) -> Itinerary:
    """The itinerary with `job` as its job number `position` (from 0); `times` are those of the job's place."""
    before, after = itinerary.places[position], itinerary.places[position + 1]

    def legs(old: tuple[int, ...], to: NDArray[np.int32], from_: NDArray[np.int32]) -> tuple[int, ...]:
        return (*old[:position], int(to[before]), int(from_[after]), *old[position + 1 :])

    tables = times.tables or [(times.to_s, times.from_s)] * len(itinerary.tables)
    return Itinerary(
        itinerary.shift,
        (*itinerary.jobs[:position], job, *itinerary.jobs[position:]),
        legs(itinerary.drive_s, times.to_s, times.from_s),
        legs(itinerary.drive_m, times.to_m, times.from_m),
        tuple(legs(old, *table) for old, table in zip(itinerary.tables, tables, strict=True)),
        itinerary.traffic,
    )


def within(job: Job, window: TimeWindow) -> Job:
    """The job, to begin within `window` as well as within its own windows: what a promise makes of it."""
    return replace(job, windows=tuple(overlaps(job.windows, window)))


def overlaps(windows: Iterable[TimeWindow], window: TimeWindow) -> Iterator[TimeWindow]:
    """What `windows` and `window` have in common, in order."""
    for own in windows:
        start, end = max(own.start_s, window.start_s), min(own.end_s, window.end_s)
        if start <= end:
            yield TimeWindow(start, end)


def problem_of(itinerary: Itinerary) -> Problem:
    """The itinerary alone as a problem, for `routing.checks`. Places are renumbered, only its own legs are known."""
    local = {place: k for k, place in enumerate(dict.fromkeys(itinerary.places))}
    places = [local[place] for place in itinerary.places]

    def square(legs: tuple[int, ...]) -> list[list[int]]:
        table = [[UNREACHABLE] * len(local) for _ in local]
        for k, leg in enumerate(legs):
            table[places[k]][places[k + 1]] = leg
        return table

    jobs = tuple(job.at(place) for job, place in zip(itinerary.jobs, places[1:], strict=False))
    shift = replace(itinerary.shift, start_place=places[0], end_place=places[-1])
    return Problem(
        jobs,
        (shift,),
        square(itinerary.drive_s),
        square(itinerary.drive_m),
        tables=tuple(square(table) for table in itinerary.tables),
        traffic=during(itinerary.traffic, shift.start_s, shift.end_s),
    )


def timed(itinerary: Itinerary, *, at_once: bool = False) -> Route | None:
    """When everything happens, as `routing.timing.schedule` says; None if it cannot, or if there are no jobs."""
    problem = problem_of(itinerary)
    return schedule(problem, problem.shifts[0], problem.jobs, at_once=at_once)


def driving_s(itinerary: Itinerary) -> int:
    """All its driving: as it is timed, where the hour counts and it can be."""
    route = timed(itinerary) if itinerary.tables else None
    return sum(itinerary.drive_s) if route is None else route.drive_s


@dataclass(frozen=True, slots=True)
class Opening:
    """A window of an itinerary in which a visit can begin, and where it adds least driving.

    `itinerary` is the index in `Itineraries.itineraries`, `position` the visit's number among the jobs (from 0),
    `begin_s` the earliest possible begin of its service there within the window.
    """

    itinerary: int
    window: TimeWindow
    position: int
    begin_s: int
    added_s: int


@dataclass(frozen=True, eq=False)
class Openings(Sequence[Opening]):
    """Openings in the order of itineraries and their windows; the same as columns, for ranking thousands of them.

    `window[k]` is the index among the windows asked for `itinerary[k]`. `tried` counts positions × windows.
    """

    itinerary: Whole
    window: Whole
    position: Whole
    begin_s: Whole
    added_s: Whole
    asked: Sequence[Sequence[TimeWindow]]
    tried: int

    def __len__(self) -> int:
        return len(self.itinerary)

    def __iter__(self) -> Iterator[Opening]:
        columns = (self.itinerary, self.window, self.position, self.begin_s, self.added_s)
        for i, k, position, begin_s, added_s in zip(*(column.tolist() for column in columns), strict=True):
            yield Opening(i, self.asked[i][k], position, begin_s, added_s)

    @overload
    def __getitem__(self, index: int) -> Opening: ...
    @overload
    def __getitem__(self, index: slice) -> list[Opening]: ...
    def __getitem__(self, index: int | slice) -> Opening | list[Opening]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        i = int(self.itinerary[index])
        return Opening(
            i,
            self.asked[i][int(self.window[index])],
            int(self.position[index]),
            int(self.begin_s[index]),
            int(self.added_s[index]),
        )


# The columns of a position's row.
_BEFORE, _AFTER, _FREE_OWED, _FREE_TAKEN, _DOOR_OWED, _DOOR_TAKEN, _SETUP, _LEG, _REST_FROM, _REST_UNTIL, _REST = range(
    11
)


def _rows(itinerary: Itinerary) -> Whole:
    """One row a position: len(jobs) + 1 × 11.

    The places before and after; the earliest times to be free before, break owed and taken; the latest times to be at
    the door after, parked, break owed and taken; what parking there takes; the leg that the insertion saves; the
    break's earliest and latest start and its length. A shift without a break has one of no length at any time.
    """
    shift, jobs = itinerary.shift, itinerary.jobs
    earliest, latest = labelled(shift, jobs, itinerary.drive_s, itinerary.tables, itinerary.traffic)
    doors = [door_labels(shift, latest[k + 1], job) for k, job in enumerate(jobs)]
    doors.append((break_begins(shift, shift.end_s), shift.end_s))
    setups = [*(job.setup_s for job in jobs), 0]
    places = itinerary.places
    rest = shift.break_
    rests = (rest.start_s, rest.latest_start_s, rest.duration_s) if rest else (-NEVER, NEVER, 0)
    legs = [max(leg, 0) for leg in itinerary.drive_s]
    if itinerary.tables:
        for k, leg in enumerate(zip(itinerary.drive_s, *itinerary.tables, strict=True)):
            free = min(earliest[k])
            legs[k] = arrive_s(leg, itinerary.traffic, free) - free if leg[0] > 0 and free < NEVER else legs[k]
    rows = [
        (places[k], places[k + 1], *earliest[k], *doors[k], setups[k], legs[k], *rests) for k in range(len(jobs) + 1)
    ]
    return np.array(rows, dtype=np.int64)


def _room(day: Itinerary) -> int:
    """The most that one more job may demand: less than nothing where no job may be added."""
    shift = day.shift
    if shift.max_jobs is not None and len(day.jobs) >= shift.max_jobs:
        return -1
    return NEVER if shift.capacity is None else shift.capacity - sum(job.demand for job in day.jobs)


class Itineraries:
    """An immutable index of itineraries: where one more visit fits into any of them.

    Raises:
        ProblemError: two itineraries of one shift, or of different traffic; or a place outside the `place_count` shared
            ones.
    """

    def __init__(self, itineraries: Iterable[Itinerary], place_count: int) -> None:
        days = tuple(itineraries)
        self._build(days, place_count, [_rows(day) for day in days])

    def _build(self, itineraries: tuple[Itinerary, ...], place_count: int, rows: list[Whole]) -> None:
        self.itineraries = itineraries
        self.place_count = place_count
        self._rows = rows
        self._index = {day.shift.id: i for i, day in enumerate(itineraries)}
        if len(self._index) < len(itineraries):
            raise ProblemError("two itineraries have the same shift")
        traffic = itineraries[0].traffic if itineraries else ()
        if not all(day.traffic is traffic or day.traffic == traffic for day in itineraries):
            raise ProblemError("two itineraries know of different traffic")
        self._hours = Hours(traffic) if traffic else None
        self._counts = np.array([len(each) for each in rows], dtype=np.int64)
        self._room = _whole(_room(day) for day in itineraries)
        self._columns = np.ascontiguousarray(np.concatenate(rows).T) if rows else np.empty((11, 0), dtype=np.int64)
        places = self._columns[: _AFTER + 1]
        if places.size and (places.min() < 0 or places.max() >= place_count):
            raise ProblemError(f"an itinerary names a place outside the {place_count} shared ones")

    def __len__(self) -> int:
        return len(self.itineraries)

    def with_changes(self, itineraries: Iterable[Itinerary], place_count: int | None = None) -> Itineraries:
        """A copy in which these take the places of those of the same shift; only their labels are computed.

        `place_count` is given when the shared list of places has grown.

        Raises:
            ProblemError: a shift that is not in the index.
        """
        days, rows = list(self.itineraries), list(self._rows)
        for day in itineraries:
            if day.shift.id not in self._index:
                raise ProblemError(f"shift {day.shift.id}: not in the index")
            i = self._index[day.shift.id]
            days[i], rows[i] = day, _rows(day)
        copy = object.__new__(Itineraries)
        copy._build(tuple(days), self.place_count if place_count is None else place_count, rows)
        return copy

    def openings(self, job: Job, times: FanTimes, windows: Sequence[Sequence[TimeWindow]]) -> Openings:
        """For each itinerary and each of its `windows` in which service of `job` can begin: the cheapest position.

        Of equally cheap positions the one that begins in the earliest of the job's own windows, then the first. The
        itinerary stays in its order and every job of it in its windows. `times` are those of the job's place, which
        is one of the shared places or any other index; `windows[i]` are those asked for itinerary i.

        Raises:
            ProblemError: windows or times that do not match the index.
        """
        if len(windows) != len(self.itineraries):
            raise ProblemError(f"{len(windows)} lists of windows for {len(self.itineraries)} itineraries")
        if len(times.to_s) != self.place_count:
            raise ProblemError(f"times of {len(times.to_s)} places, not {self.place_count}")
        able = self._able(job)
        tried = int(np.sum(self._counts * _whole(len(asked) for asked in windows), where=able))
        return _cheapest(_pieces(job, windows, able), self._spans(job, times), len(self.itineraries), windows, tried)

    def _able(self, job: Job) -> NDArray[np.bool_]:
        """Which itineraries may have the job, whenever it is."""
        able = self._room >= job.demand
        if job.vehicles is not None or job.skills or job.group is not None:
            for i, day in enumerate(self.itineraries):
                able[i] &= day.shift.allows(job) and (
                    job.group is None or all(other.group != job.group for other in day.jobs)
                )
        return able

    def _spans(self, job: Job, times: FanTimes) -> _Spans:
        """When service can begin at every position, before any window is looked at."""
        c = self._columns
        before, after = c[_BEFORE], c[_AFTER]
        to, onward = times.to_s[before].astype(np.int64), times.from_s[after].astype(np.int64)
        parking = np.where(before == job.place, 0, job.setup_s)
        parking_after = np.where(after == job.place, 0, c[_SETUP])
        traffic = None
        if self._hours is None:
            there, then = to + parking, onward + parking_after
            door, door_taken = c[_FREE_OWED] + there, c[_FREE_TAKEN] + there
            last_owed, last_taken = c[_DOOR_OWED] - then, c[_DOOR_TAKEN] - then
        else:
            traffic = _Traffic.of(self._hours, times, before, after)
            door, door_taken = (traffic.door_s(c[label]) + parking for label in (_FREE_OWED, _FREE_TAKEN))
            last_owed, last_taken = (traffic.leave_s(c[label] - parking_after) for label in (_DOOR_OWED, _DOOR_TAKEN))
        rest = np.maximum(door, c[_REST_FROM])
        rested = np.where(rest <= c[_REST_UNTIL], rest + c[_REST], NEVER)
        # With the break taken before service, at this door or earlier; and with the break after it.
        first_taken = np.minimum(door_taken, rested)
        rest = np.minimum(last_taken - c[_REST], c[_REST_UNTIL])
        last_owed = np.maximum(last_owed, np.where(rest >= c[_REST_FROM], rest, -NEVER))
        last_taken, last_owed = last_taken - job.service_s, last_owed - job.service_s
        fits = (to != UNREACHABLE) & (onward != UNREACHABLE) & ((first_taken <= last_taken) | (door <= last_owed))
        kept = np.flatnonzero(fits)
        offsets = np.cumsum(self._counts) - self._counts
        itinerary = np.repeat(np.arange(len(self._counts)), self._counts)[kept]
        return _Spans(
            itinerary,
            kept - offsets[itinerary],
            (to + onward - c[_LEG])[kept],
            (first_taken[kept], last_taken[kept]),
            (door[kept], last_owed[kept]),
            None if traffic is None else _Prices(traffic.only(kept), parking[kept], job.service_s, c[_LEG][kept]),
        )


@dataclass(frozen=True, slots=True)
class _Traffic:
    """The legs of the asked place, tables × positions, and from when on which table holds."""

    hours: Hours
    to: Whole
    onward: Whole

    @classmethod
    def of(cls, hours: Hours, times: FanTimes, before: Whole, after: Whole) -> _Traffic:
        tables = times.tables or ((times.to_s, times.from_s),) * (hours.tables - 1)
        to = np.stack([times.to_s[before], *(table[0][before] for table in tables)])
        onward = np.stack([times.from_s[after], *(table[1][after] for table in tables)])
        return cls(hours, to.astype(np.int64), onward.astype(np.int64))

    def only(self, positions: Whole) -> _Traffic:
        return replace(self, to=self.to[:, positions], onward=self.onward[:, positions])

    def door_s(self, free_s: Whole) -> Whole:
        """When somebody is there who is free before then."""
        return self.hours.arrive_s(self.to, free_s)

    def leave_s(self, door_s: Whole) -> Whole:
        """The latest time to leave for the door after."""
        return self.hours.depart_s(self.onward, door_s)


@dataclass(frozen=True, slots=True)
class _Prices:
    """What driving a visit adds at a position depends on when it begins."""

    traffic: _Traffic
    parking_s: Whole
    service_s: int
    leg_s: Whole

    def added_s(self, span: Whole, begin_s: Whole) -> Whole:
        hours, to, onward = self.traffic.hours, self.traffic.to[:, span], self.traffic.onward[:, span]
        depart = hours.depart_s(to, begin_s - self.parking_s[span])
        there, leave = hours.arrive_s(to, depart) - depart, begin_s + self.service_s
        return there + hours.arrive_s(onward, leave) - leave - self.leg_s[span]


@dataclass(frozen=True, slots=True)
class _Spans:
    """Positions at which a visit can begin at some time: from the first to the last second of one of two spans.

    `added_s` is the driving that it adds, unless that has `prices` that depend on the hour.
    """

    itinerary: Whole
    position: Whole
    added_s: Whole
    taken: tuple[Whole, Whole]
    owed: tuple[Whole, Whole]
    prices: _Prices | None


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What the windows asked for have in common with the job's own, in order of itinerary, window and time."""

    itinerary: Whole
    window: Whole
    start_s: Whole
    end_s: Whole


def _pieces(job: Job, windows: Sequence[Sequence[TimeWindow]], able: NDArray[np.bool_]) -> _Pieces:
    # Days often share one list of windows, which is then looked at once.
    lists = {id(asked): asked for asked in windows}
    number = {key: k for k, key in enumerate(lists)}
    sizes = _whole(len(asked) for asked in lists.values())
    start, end = (
        _whole(getattr(window, bound) for asked in lists.values() for window in asked) for bound in ("start_s", "end_s")
    )
    own_start, own_end = _whole(w.start_s for w in job.windows), _whole(w.end_s for w in job.windows)
    first = np.searchsorted(own_end, start, side="left")
    met = np.maximum(np.searchsorted(own_start, end, side="right") - first, 0)
    own, asked_ = _ranges(first, met), np.repeat(np.arange(len(met)), met)
    start, end = np.maximum(start[asked_], own_start[own]), np.minimum(end[asked_], own_end[own])
    window = _ranges(np.zeros_like(sizes), sizes)[asked_]
    # From the lists to the itineraries.
    piece_counts = np.bincount(np.repeat(np.arange(len(sizes)), sizes)[asked_], minlength=len(sizes))
    list_of = _whole(number[id(asked)] for asked in windows)
    lengths = np.where(able, piece_counts[list_of], 0)
    taken = _ranges((np.cumsum(piece_counts) - piece_counts)[list_of], lengths)
    return _Pieces(np.repeat(np.arange(len(windows)), lengths), window[taken], start[taken], end[taken])


def _whole(numbers: Iterable[int]) -> Whole:
    return np.fromiter(numbers, dtype=np.int64)


def _ranges(first: Whole, lengths: Whole) -> Whole:
    """`first[k], first[k] + 1, …`, `lengths[k]` of them, for each k in turn."""
    ends = np.cumsum(lengths)
    skipped = np.repeat(first - (ends - lengths), lengths)
    return skipped + np.arange(len(skipped))


def _cheapest(
    pieces: _Pieces, spans: _Spans, count: int, windows: Sequence[Sequence[TimeWindow]], tried: int
) -> Openings:
    """The cheapest span that each window meets, by pairing every piece with every span of its itinerary."""
    per_day = np.bincount(spans.itinerary, minlength=count)
    lengths = per_day[pieces.itinerary]
    piece = np.repeat(np.arange(len(lengths)), lengths)
    span = _ranges((np.cumsum(per_day) - per_day)[pieces.itinerary], lengths)
    start, end = pieces.start_s[piece], pieces.end_s[piece]
    begins = []
    for earliest, latest in (spans.taken, spans.owed):
        begin = np.maximum(earliest[span], start)
        begins.append(np.where(begin <= np.minimum(latest[span], end), begin, NEVER))
    begin = np.minimum(*begins)
    met = np.flatnonzero(begin < NEVER)
    piece, span, begin = piece[met], span[met], begin[met]
    added = spans.added_s[span] if spans.prices is None else spans.prices.added_s(span, begin)
    # Pairs of one window are neighbours: the least of (added, pair) in each run is its cheapest and, of those, first.
    run = np.flatnonzero(np.diff(pieces.itinerary[piece], prepend=-1) | np.diff(pieces.window[piece], prepend=-1))
    pair = np.minimum.reduceat((added << 32) | np.arange(len(met)), run) & 0xFFFF_FFFF
    piece, span = piece[pair], span[pair]
    return Openings(
        pieces.itinerary[piece],
        pieces.window[piece],
        spans.position[span],
        begin[pair],
        added[pair],
        windows,
        tried,
    )
