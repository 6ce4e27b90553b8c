"""Days like those of a plan, with one job more, less or another: with them the relaxation sees what jobs are worth.

That they can be done is not proved: time is asked for, but for windows and in sum. They only make prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from routing.bound.loops import Whole
from routing.bound.relaxed import Day
from routing.solver.packing_model import Column

PLACES = 2
"""Visits of a day in whose places another job is put, those where it is cheapest."""


def variants(days: Iterable[Day], columns: Iterable[Column]) -> list[Column]:
    """For each job that is not on a day: the day with it beside all, and in the place of another; and the day without
    each of its jobs."""
    day_of = {day.number: day for day in days}
    return [variant for column in columns for variant in _variants(day_of[column.shift], column)]


def _variants(day: Day, column: Column) -> Iterator[Column]:
    at = {job: k for k, job in enumerate(day.jobs.tolist())}
    route = [at[job] for job in column.jobs]
    others = np.setdiff1d(np.arange(len(day.jobs)), route)
    cost, time_s = _cost_and_time_s(day, route)
    room_s = int(day.hours_s[1] - day.hours_s[0] - day.hours_s[2])

    def changed(jobs: list[int], by: float) -> Column:
        return Column(column.shift, tuple(day.jobs[jobs].tolist()), column.cost_s + round(by))

    added, longer_s = _added(day, route, others)
    added = np.where(time_s + longer_s <= room_s, added, np.inf).min(axis=0)
    for other in np.flatnonzero(np.isfinite(added)).tolist():
        yield changed([*route, int(others[other])], added[other])
    swapped = np.empty((len(route), len(others)))
    for k in range(len(route)):
        rest = route[:k] + route[k + 1 :]
        rest_cost, rest_s = _cost_and_time_s(day, rest)
        if rest:
            yield changed(rest, rest_cost - cost)
        added, longer_s = _added(day, rest, others)
        swapped[k] = np.where(rest_s + longer_s[k] <= room_s, rest_cost + added[k] - cost, np.inf)
    for place in np.argsort(swapped, axis=0, kind="stable")[:PLACES]:
        for other, k in enumerate(place.tolist()):
            if np.isfinite(swapped[k, other]):
                yield changed([*route[:k], int(others[other]), *route[k + 1 :]], swapped[k, other])


def _cost_and_time_s(day: Day, route: list[int]) -> tuple[int, int]:
    """What a day of these jobs in this order costs, and how long it takes without waiting and breaks."""
    if not route:
        return 0, 0
    legs = [len(day.jobs), *route[:-1]], route
    cost = day.drive_s[legs].sum() + day.home_cost[route[-1]] - day.saved_s[route].sum()
    time_s = day.travel_s[legs].sum() + day.service_s[route].sum() + day.home_s[route[-1]]
    return int(cost), int(time_s)


def _added(day: Day, route: list[int], others: Whole) -> tuple[Whole, Whole]:
    """What each of the others costs more, and takes longer, at each position of a route: positions × others."""
    costs, times = [], []
    for k in range(len(route) + 1):
        before = route[k - 1] if k else len(day.jobs)
        there, longer = day.drive_s[before, others], day.travel_s[before, others]
        if k < len(route):
            there = there + day.drive_s[others, route[k]] - day.drive_s[before, route[k]]
            longer = longer + day.travel_s[others, route[k]] - day.travel_s[before, route[k]]
        else:
            there, longer = there + day.home_cost[others], longer + day.home_s[others]
            if route:
                there, longer = there - day.home_cost[before], longer - day.home_s[before]
        costs.append(there - day.saved_s[others])
        times.append(longer + day.service_s[others])
    return np.array(costs), np.array(times)
