"""Rules between routes, in the compiled loops. Those within a route are `labels`, and what `fit` says of a job and a
shift; those of the number and the load of jobs are in `inserting.cheapest`."""

from __future__ import annotations

from routing.native import part
from routing.solver.recreate.state import J_GROUP, J_SERIES, MEMBERS, PLENTY, S_DAY, W_ROUTE, Longs


@part
def group_is_free(c: int, jobs: Longs, groups: Longs, where: Longs) -> bool:
    """No job of its group is done."""
    group = jobs[c, J_GROUP]
    if group >= 0:
        for k in range(MEMBERS, MEMBERS + groups[group, 2]):
            if where[groups[group, k], W_ROUTE] >= 0:
                return False
    return True


@part
def series_fits(c: int, r: int, jobs: Longs, shifts: Longs, series: Longs, where: Longs) -> bool:
    """On this day a job is as far from the repeats before and after it as its spacing says.

    Where those two are too far apart for now, one of the two distances is enough.
    """
    number = jobs[c, J_SERIES]
    if number < 0:
        return True
    least, most, day = series[number, 0], series[number, 1], shifts[r, S_DAY]
    before, after = PLENTY, PLENTY
    for k in range(MEMBERS, MEMBERS + series[number, 2]):
        other = where[series[number, k], W_ROUTE]
        if other >= 0:
            apart = shifts[other, S_DAY] - day
            if apart <= 0:
                before = min(before, -apart)
            if apart >= 0:
                after = min(after, apart)
    if before < PLENTY and after < PLENTY:
        return before >= least and after >= least and min(before, after) <= most
    nearest = min(before, after)
    return nearest == PLENTY or least <= nearest <= most


@part
def series_is_spaced(number: int, shifts: Longs, series: Longs, where: Longs) -> bool:
    """Every repeat that is done is as many days before the next one as its spacing says."""
    for k in range(MEMBERS, MEMBERS + series[number, 2]):
        one = where[series[number, k], W_ROUTE]
        if one < 0:
            continue
        apart = PLENTY
        for m in range(MEMBERS, MEMBERS + series[number, 2]):
            other = where[series[number, m], W_ROUTE]
            if m != k and other >= 0 and shifts[other, S_DAY] >= shifts[one, S_DAY]:
                apart = min(apart, shifts[other, S_DAY] - shifts[one, S_DAY])
        if apart < PLENTY and not series[number, 0] <= apart <= series[number, 1]:
            return False
    return True
