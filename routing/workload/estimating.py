"""The estimate: some typical weeks of each owner are toured and cut into days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.travel_times import TravelTimeSource
from routing.workload.touring import Seconds, days_of, giant_tour
from routing.workload.values import WEEKS_A_MONTH, Base, Load, MonthlyVisits, Workloads

WEEKS = 12
"""Weeks that are toured: a quarter, so that nearly every place has its visit in one of them."""
MOST_PLACES = 2_000
"""Of one owner that are looked at together, since the ways between all of them are asked for: whoever has more, such as
nobody after a large import, is taken for several who start from the same base."""


def workload(
    bases: Mapping[str, Base], visits: Iterable[MonthlyVisits], source: TravelTimeSource, seed: int = 0
) -> Workloads:
    """Estimate what a month of visits takes each owner, on the ways of the source.

    The same input gives the same answer. Days are added as needed, whether or not anybody has them.

    Raises:
        RoutingError: a visit of an owner without a base, or a key that occurs twice.
    """
    of_owner: dict[str, list[MonthlyVisits]] = {owner: [] for owner in bases}
    keys: set[str] = set()
    for visit in visits:
        if visit.owner not in of_owner:
            raise RoutingError(f"{visit.key}: its owner {visit.owner} has no base")
        if visit.key in keys:
            raise RoutingError(f"{visit.key}: the key occurs twice")
        keys.add(visit.key)
        of_owner[visit.owner].append(visit)
    loads: dict[str, Load] = {}
    drive_s: dict[str, float] = {}
    unreachable: list[str] = []
    for owner, base in bases.items():
        parts = [_Part(base, part, source, seed) for part in parts_of(of_owner[owner], MOST_PLACES)]
        loads[owner] = Load.total(part.load for part in parts)
        for part in parts:
            drive_s |= part.drive_s
            unreachable += part.unreachable
    return Workloads(loads, drive_s, tuple(unreachable))


def parts_of(visits: Sequence[MonthlyVisits], most: int) -> list[Sequence[MonthlyVisits]]:
    """Visits that lie together, at most so many each, in the order in which they came: halved across the longer side
    until they are few enough. One part where they are."""
    if len(visits) <= most:
        return [visits]
    degrees = np.array([(visit.place.lat, visit.place.lon) for visit in visits])
    degrees[:, 1] *= np.cos(np.radians(degrees[:, 0].mean()))
    side = degrees[:, int(np.argmax(np.ptp(degrees, axis=0)))]
    order = np.argsort(side, kind="stable")
    halves = (np.sort(half).tolist() for half in np.array_split(order, 2))
    return [part for half in halves for part in parts_of([visits[at] for at in half], most)]


class _Part:
    """The estimate of one owner, or of those of their visits that lie together."""

    def __init__(self, base: Base, visits: Sequence[MonthlyVisits], source: TravelTimeSource, seed: int) -> None:
        self.base = base
        number: dict[LatLon, int] = {}
        for place in (base.start, base.end, *(visit.place for visit in visits)):
            number.setdefault(place, len(number))
        seconds = source.travel_times(list(number)).seconds
        at = np.array([number[visit.place] for visit in visits], dtype=np.intp)
        out, back = seconds[number[base.start], at], seconds[at, number[base.end]]
        reached = (out != UNREACHABLE) & (back != UNREACHABLE)
        self.unreachable = [visit.key for visit, ok in zip(visits, reached, strict=True) if not ok]
        self.visits = [visit for visit, ok in zip(visits, reached, strict=True) if ok]
        self.at = at[reached]
        self.seconds = seconds
        self.out, self.back = out[reached].astype(np.float64), back[reached].astype(np.float64)
        self.service = np.array([visit.service_s for visit in self.visits], dtype=np.float64)
        self.a_week = np.array([visit.times_a_month / WEEKS_A_MONTH for visit in self.visits])
        self.load, self.drive_s = self._estimate(seed)

    def between(self, chosen: NDArray[np.intp]) -> Seconds:
        """Seconds between some visits; where no way leads, home and out again."""
        at = self.at[chosen]
        square = self.seconds[np.ix_(at, at)]
        return np.where(square == UNREACHABLE, self.back[chosen][:, None] + self.out[chosen], square)

    def _estimate(self, seed: int) -> tuple[Load, dict[str, float]]:
        n = len(self.visits)
        share, met = np.zeros(n), np.zeros(n)
        driven, days = 0.0, 0
        for chosen in self._weeks(seed):
            week_days = self._days(chosen)
            days += len(week_days)
            for day in week_days:
                drive = self._shares(day)
                share[day] += drive
                met[day] += 1
                driven += float(drive.sum())
        if not days:
            return Load(), {visit.key: 0.0 for visit in self.visits}
        wanted = self.a_week * WEEKS_A_MONTH
        scale = wanted.sum() / met.sum()  # the weeks hold whole visits only
        drive_a_month = driven * scale
        each = np.divide(share, met, out=np.zeros(n), where=met > 0)
        for i in np.flatnonzero(met == 0):
            seen = np.flatnonzero(met > 0)
            around = self.seconds[self.at[i], self.at[seen]]
            each[i] = each[seen[np.argmin(np.where(around == UNREACHABLE, np.iinfo(np.int32).max, around))]]
        if drive_a_month:
            each *= drive_a_month / float(each @ wanted)
        load = Load(float(wanted.sum()), float(wanted @ self.service), float(drive_a_month), days * float(scale))
        return load, {visit.key: float(seconds) for visit, seconds in zip(self.visits, each, strict=True)}

    def _weeks(self, seed: int) -> Iterable[NDArray[np.intp]]:
        """The visits of each week, the second of a place in a week apart from the first, since it is on another day."""
        if not self.visits:
            return
        phase = np.random.default_rng(seed).random(len(self.visits))
        for week in range(WEEKS):
            times = np.floor(self.a_week * (week + 1) + phase) - np.floor(self.a_week * week + phase)
            for nth in range(int(times.max(initial=0))):
                yield np.flatnonzero(times > nth)

    def _days(self, chosen: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Visits in days, each in order."""
        between = self.between(chosen)
        out, back = self.out[chosen], self.back[chosen]
        n = len(chosen)
        around = np.zeros((n + 1, n + 1))
        around[1:, 1:] = (between + between.T) / 2
        around[0, 1:] = around[1:, 0] = (out + back) / 2
        tour = giant_tour(around)[1:] - 1
        days = days_of(tour, between, out, back, self.service[chosen], self.base.day_s, self.base.most_visits)
        return [chosen[day] for day in days]

    def _shares(self, day: NDArray[np.intp]) -> Seconds:
        """Each visit's share in the driving of its day: half of the ways to and from its neighbours, and an equal
        part of the rest of those from and to the base."""
        legs = self.between(day).diagonal(1)
        stems = self.out[day[0]] + self.back[day[-1]]
        share = np.full(len(day), stems / len(day))
        share[1:] += legs / 2
        share[:-1] += legs / 2
        return share
