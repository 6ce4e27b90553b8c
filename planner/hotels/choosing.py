"""Which nights a plan may choose, and among which hotels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from planner.candidates import Visit
from planner.domain import Rep
from planner.hotels.domain import Hotel, Night, NightKey, Nights, Stay
from planner.slots.domain import Booking
from planner.translation import WorkingDay
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource

_A_DAY = timedelta(days=1)


def with_settled_nights(
    rep_days: Sequence[WorkingDay], nights: Nights, promises: Sequence[Booking]
) -> tuple[list[WorkingDay], frozenset[str]]:
    """The days from and to where their nights are settled, and the ids of those after which the night is free.

    Settled is the night before the first day and after the last one, one after a day that has begun, and one that reps
    see already with a promise on the day before or after it: it was promised from there. Free are the others of reps
    who may stay overnight and work on the next day too; all that are neither are spent at home.
    """
    by_key = {(day.rep.id, day.day): day for day in rep_days}
    first_day = min((day.day for day in rep_days), default=None)
    last_day = max((day.day for day in rep_days), default=None)
    promised = {(promise.rep_id, promise.day) for promise in promises}
    kept: dict[NightKey, Night] = {}
    free: set[str] = set()

    def is_settled(evening: NightKey, rep: Rep) -> bool:
        if evening in nights.settled or evening[1] + _A_DAY == first_day or evening[1] == last_day:
            return True
        return rep.overnight and evening in nights.away and not promised.isdisjoint((evening, _next(evening)))

    for key, day in by_key.items():
        if is_settled(key, day.rep):
            if key in nights.away and (key in nights.settled or key[1] == last_day or _next(key) in by_key):
                kept[key] = nights.away[key]
        elif day.rep.overnight and _next(key) in by_key:
            free.add(day.id)
        if day.day == first_day and (before := nights.away.get((day.rep.id, day.day - _A_DAY))) is not None:
            kept[day.rep.id, day.day - _A_DAY] = before
    there = [
        day.with_nights(kept.get((day.rep.id, day.day - _A_DAY)), kept.get((day.rep.id, day.day))) for day in rep_days
    ]
    return there, frozenset(free)


def _next(evening: NightKey) -> NightKey:
    return evening[0], evening[1] + _A_DAY


def sensible_stays(
    hotels: Sequence[Hotel],
    homes: Mapping[str, tuple[LatLon, LatLon]],
    reps: Sequence[Rep],
    visits: Sequence[Visit],
    source: TravelTimeSource,
    usual_minutes: int,
) -> tuple[Stay, ...]:
    """The hotels at which a night could be worth its price, each for those of some reps for whom it could.

    Whoever sleeps at a hotel saves at most the way between it and home, once each way: one whose price is more than
    that is for nobody. Of the others those count that are nearest to some visit that the rep may make, and nearer to it
    than home is.

    Args:
        homes: where the reps start and end their days.
    """
    if not reps or not hotels:
        return ()
    nights = [Night.of(hotel, usual_minutes) for hotel in sorted(hotels, key=lambda hotel: hotel.id)]
    saved_s = _round_trips_s([homes[rep.id] for rep in reps], [night.place for night in nights], source)
    where = _on_the_globe([visit.place for visit in visits])
    to_hotels = where @ _on_the_globe([night.place for night in nights]).T
    guests: list[set[str]] = [set() for _ in nights]
    for rep, saves_s in zip(reps, saved_s, strict=True):
        pays = [k for k, night in enumerate(nights) if saves_s[k] > night.minutes * 60]
        theirs = [i for i, visit in enumerate(visits) if _may_make(rep, visit)]
        if not pays or not theirs:
            continue
        to_home = where[theirs] @ _on_the_globe([homes[rep.id][0]])[0]
        there = to_hotels[np.ix_(theirs, pays)]
        for nearest in np.unique(np.argmax(there, axis=1)[there.max(axis=1) > to_home]).tolist():
            guests[pays[nearest]].add(rep.id)
    return tuple(Stay(night, frozenset(for_whom)) for night, for_whom in zip(nights, guests, strict=True) if for_whom)


def _may_make(rep: Rep, visit: Visit) -> bool:
    return (visit.reps is None or rep.id in visit.reps) and visit.skills <= rep.skills


def _round_trips_s(
    homes: Sequence[tuple[LatLon, LatLon]], hotels: Sequence[LatLon], source: TravelTimeSource
) -> list[list[int]]:
    """Seconds from each hotel home and from home to it, for each home; -1 where no way leads."""
    places = list(dict.fromkeys([*(place for home in homes for place in home), *hotels]))
    number = {place: n for n, place in enumerate(places)}
    seconds = source.travel_times(places).seconds.tolist()
    found = []
    for start, end in homes:
        ways = [(seconds[number[hotel]][number[end]], seconds[number[start]][number[hotel]]) for hotel in hotels]
        found.append([back + out if min(back, out) >= 0 else -1 for back, out in ways])
    return found


def _on_the_globe(places: Sequence[LatLon]) -> NDArray[np.float64]:
    """Places as unit vectors: the nearer two are, the larger their product."""
    lat, lon = np.radians(np.array([(place.lat, place.lon) for place in places], dtype=np.float64).reshape(-1, 2)).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
