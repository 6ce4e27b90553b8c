"""The minutes a month that reps have, and the driving of what their customers and handed-off opportunities take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planner.coverage.domain import MONTH_DAYS
from planner.domain import Rep
from planner.settings import CalendarSettings
from planner.translation import break_of
from routing.geo import LatLon
from routing.problem import DAY_S
from routing.travel_times import TravelTimeSource
from routing.workload import Base, MonthlyVisits, workload

YEAR_DAYS = 365
_FROM_HOME_OF = "\x1f"
"""Begins the owner under whose name visits of nobody are driven from a rep's home; no id of a rep does."""


def day_minutes(rep: Rep) -> float:
    """What a working day holds, less the break where there is room for it."""
    start, end = _seconds(rep.work_start), _seconds(rep.work_end)
    rest = break_of(rep, start, end, *map(_seconds, rep.break_window or (rep.work_start, rep.work_end)))
    return (end - start - (rest.duration_s if rest else 0)) / 60


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def days_there(rep: Rep, first_day: date, calendar: CalendarSettings) -> float:
    """A rep's working days in a month: a twelfth of the year that begins on a day, public holidays left out.

    Of a whole year, so that a month with Christmas in it looks no shorter than any other.
    """
    year = (first_day + timedelta(days=n) for n in range(YEAR_DAYS))
    days = sum(day.weekday() in rep.work_days and not calendar.holiday(day) for day in year)
    return days * MONTH_DAYS / YEAR_DAYS


def minutes_there(rep: Rep, first_day: date, calendar: CalendarSettings, minutes_a_visit: float | None = None) -> float:
    """A rep's working minutes in a month; where a day may have so many visits at the most, no more than those take.

    Args:
        minutes_a_visit: driving included; None where that is not known, or only the working time is asked for.
    """
    a_day = day_minutes(rep)
    if rep.max_visits_per_day is not None and minutes_a_visit is not None:
        a_day = min(a_day, rep.max_visits_per_day * minutes_a_visit)
    return days_there(rep, first_day, calendar) * a_day


def base_of(rep: Rep, home: tuple[LatLon, LatLon]) -> Base | None:
    """Where a rep's days start and end, and what fits into one; None where there are no days, or nothing fits."""
    if not rep.work_days or rep.max_visits_per_day == 0 or day_minutes(rep) <= 0:
        return None
    return Base(*home, day_s=round(day_minutes(rep) * 60), most_visits=rep.max_visits_per_day)


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that is visited again and again. `key` is unique; `rep_id` is whose it is, and may be nobody's; `place`
    is None where that is not known."""

    key: str
    rep_id: str
    place: LatLon | None
    times_a_month: float
    service_minutes: int


@dataclass(frozen=True, slots=True)
class Driving:
    """The estimate: by key the minutes of driving of one visit, and the keys to which no street leads.

    What has no place, or cannot be reached, is driven to as far as the others of its rep are on average.
    """

    minutes: Mapping[str, float]
    unreachable: tuple[str, ...]


def estimated_driving(
    demands: Sequence[Demand], bases: Mapping[str, Base], source: TravelTimeSource, seed: int = 0
) -> Driving:
    """The driving of each visit, by `routing.workload`.

    The visits of nobody, and of a rep without a base, are driven from the home nearest to them, on days of their own:
    somebody will have to. Without any base nothing is driven.
    """
    if not bases:
        return Driving({demand.key: 0.0 for demand in demands}, ())
    owners = _owners(demands, bases)
    all_bases = {owner: bases[owner.removeprefix(_FROM_HOME_OF)] for owner in sorted({*bases, *owners.values()})}
    visits = [
        MonthlyVisits(
            demand.key, owners[demand.key], demand.place, demand.times_a_month, min(demand.service_minutes * 60, DAY_S)
        )
        for demand in demands
        if demand.place is not None and demand.times_a_month > 0
    ]
    estimate = workload(all_bases, visits, source, seed)
    driven = sum(load.drive_s for load in estimate.loads.values())
    visited = sum(load.visits for load in estimate.loads.values())
    everywhere = driven / visited if visited else 0.0
    mean_s = {
        owner: load.drive_s / load.visits if load.visits else everywhere for owner, load in estimate.loads.items()
    }
    seconds = (
        estimate.drive_s.get(demand.key, mean_s.get(owners.get(demand.key, demand.rep_id), everywhere))
        for demand in demands
    )
    return Driving(
        {demand.key: round(s / 60, 3) for demand, s in zip(demands, seconds, strict=True)}, estimate.unreachable
    )


def _owners(demands: Sequence[Demand], bases: Mapping[str, Base]) -> dict[str, str]:
    """From whose home each demand with a place is driven to, by its key."""
    owners = {demand.key: demand.rep_id for demand in demands if demand.place and demand.rep_id in bases}
    left = [(demand.key, demand.place) for demand in demands if demand.place and demand.rep_id not in bases]
    if left:
        reps = list(bases)
        nearest = nearest_of([place for _, place in left], [bases[rep].start for rep in reps])
        owners |= {key: _FROM_HOME_OF + reps[i] for (key, _), i in zip(left, nearest, strict=True)}
    return owners


def nearest_of(places: Sequence[LatLon], others: Sequence[LatLon]) -> list[int]:
    """The number of the other place nearest to each, as the crow flies; there has to be one if there are places."""
    if not places:
        return []
    return [int(number) for number in cKDTree(_on_the_globe(others)).query(_on_the_globe(places))[1]]


def _on_the_globe(places: Sequence[LatLon]) -> NDArray[np.float64]:
    """n × 3 points of which the nearest through the earth is the nearest over it as well."""
    lat, lon = np.radians([(place.lat, place.lon) for place in places]).T
    points: NDArray[np.float64] = np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
    return points
