"""Whether a visit fits into a day, by trying everything in plain Python: slow, short, and sharing nothing with what it
checks but the values."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from routing.insertion import Itinerary
from routing.problem import UNREACHABLE, Job, Shift, TimeWindow
from routing.travel_times import FanTimes


def fits(day: Itinerary, job: Job, times: FanTimes, window: TimeWindow) -> bool:
    """Whether service of `job` can begin within `window` at any position of the day, nothing else moved."""
    if not _may_serve(day, job):
        return False
    begins = replace(job, windows=_common(job.windows, window))
    return any(possible(_with(day, begins, position, times)) for position in range(len(day.jobs) + 1))


def possible(day: Itinerary) -> bool:
    """Whether the jobs can be done in this order, the break at one of the times when nobody drives or serves."""
    gaps: Sequence[int | None] = range(2 * len(day.jobs) + 2) if day.shift.break_ else [None]
    return any(_done_by(day, gap) for gap in gaps)


def _may_serve(day: Itinerary, job: Job) -> bool:
    shift = day.shift
    return (
        (job.vehicles is None or shift.vehicle in job.vehicles)
        and job.skills <= shift.skills
        and shift.has_room_for(day.jobs, job)
    )


def _common(windows: Sequence[TimeWindow], other: TimeWindow) -> tuple[TimeWindow, ...]:
    pairs = ((max(own.start_s, other.start_s), min(own.end_s, other.end_s)) for own in windows)
    return tuple(TimeWindow(start, end) for start, end in pairs if start <= end)


def _with(day: Itinerary, job: Job, position: int, times: FanTimes) -> Itinerary:
    places = day.places
    drive_s, drive_m = list(day.drive_s), list(day.drive_m)
    drive_s[position : position + 1] = [int(times.to_s[places[position]]), int(times.from_s[places[position + 1]])]
    drive_m[position : position + 1] = [int(times.to_m[places[position]]), int(times.from_m[places[position + 1]])]
    jobs = (*day.jobs[:position], job, *day.jobs[position:])
    tables = [
        (*legs[:position], int(to_s[places[position]]), int(from_s[places[position + 1]]), *legs[position + 1 :])
        for legs, (to_s, from_s) in zip(day.tables, times.tables, strict=True)
    ]
    return Itinerary(day.shift, jobs, tuple(drive_s), tuple(drive_m), tuple(tables), day.traffic)


def _done_by(day: Itinerary, gap: int | None) -> bool:
    """Do everything as early as possible, with the break before the leg to job k (2k), at its door (2k + 1), or so
    before and after the leg home."""
    shift, now, place = day.shift, day.shift.start_s, day.shift.start_place
    for k, job in enumerate(day.jobs):
        if day.drive_s[k] == UNREACHABLE:
            return False
        now = _rested(shift, now) if gap == 2 * k else now
        now = _driven(day, k, now) + (job.setup_s if place != job.place else 0)
        now = _rested(shift, now) if gap == 2 * k + 1 else now
        begin = min((max(now, w.start_s) for w in job.windows if now <= w.end_s), default=None)
        if begin is None:
            return False
        now, place = begin + job.service_s, job.place
    if day.drive_s[-1] == UNREACHABLE:
        return False
    now = _rested(shift, now) if gap == 2 * len(day.jobs) else now
    now = _driven(day, len(day.jobs), now)
    now = _rested(shift, now) if gap == 2 * len(day.jobs) + 1 else now
    return now <= shift.end_s


def _driven(day: Itinerary, leg: int, now: int) -> int:
    """When somebody arrives who sets out on a leg now: from one change of the hour to the next, what is left of the way
    is that share of it at the new speed, rounded up."""
    if not day.traffic:
        return now + day.drive_s[leg]
    tables = (day.drive_s, *day.tables)
    k = bisect_right(day.traffic, now, key=lambda change: change.from_s) - 1
    left = tables[day.traffic[k].table][leg]
    for before, change in pairwise(day.traffic[k:]):
        if now + left <= change.from_s:
            break
        left -= change.from_s - now
        left = math.ceil(Fraction(left * tables[change.table][leg], tables[before.table][leg]))
        now = change.from_s
    return now + left


def _rested(shift: Shift, now: int) -> int:
    """When the break is over that begins as soon as it may from now; after the shift where it is too late for it."""
    assert shift.break_ is not None
    begin = max(now, shift.break_.start_s)
    return begin + shift.break_.duration_s if begin <= shift.break_.latest_start_s else shift.end_s + 1
