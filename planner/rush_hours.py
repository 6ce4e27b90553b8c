"""Times of day at which driving takes longer: which table of travel times holds from when on.

The first table is that of free roads, and each of the settings' rush hours has one of its own behind it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from planner.hours import seconds_since
from planner.settings import WEEKDAYS, RushHours, TrafficSettings
from routing.traffic import Change
from routing.travel_times import TravelTimeSource


def slowed(source: TravelTimeSource, traffic: TrafficSettings) -> tuple[TravelTimeSource, ...]:
    """The sources of all tables but the first, which is `source`.

    Raises:
        AreaError: the area was built before there were rush hours.
    """
    return tuple(source.slowed(hours.slowdown) for hours in traffic.rush_hours)


def changes(
    traffic: TrafficSettings, epoch: datetime, first_day: date, last_day: date, zone: ZoneInfo
) -> tuple[Change, ...]:
    """From when on which table holds, in seconds since the epoch, on these days and those around them; none where
    driving always takes as long."""
    days = frozenset(WEEKDAYS.index(day) for day in traffic.days)
    hours = traffic.rush_hours
    return (
        _changes(hours, days, epoch, first_day - timedelta(days=1), last_day + timedelta(days=1), zone) if hours else ()
    )


@lru_cache(maxsize=64)
def _changes(
    hours: tuple[RushHours, ...], days: frozenset[int], epoch: datetime, first_day: date, last_day: date, zone: ZoneInfo
) -> tuple[Change, ...]:
    found = {0: 0}
    for number in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=number)
        for table, rush in enumerate(hours, start=1):
            start_s, end_s = (
                max(0, seconds_since(epoch, datetime.combine(day, at), zone)) for at in (rush.start, rush.end)
            )
            if day.weekday() in days and start_s < end_s:  # the clocks may skip them
                found[start_s], found[end_s] = table, found.get(end_s, 0)
    return tuple(Change(from_s, table) for from_s, table in sorted(found.items()))
