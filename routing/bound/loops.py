"""The loops of the bound: shortest ways, what the rest of a day costs at least, and the cheapest day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.native import native, part
from routing.timing import NEVER

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


@native
def close(matrix: Whole) -> None:
    """The shortest ways between all places, by way of others or not (Floyd and Warshall), in place."""
    for k in range(len(matrix)):
        for i in range(len(matrix)):
            by = matrix[i, k]
            if by < NEVER:
                for j in range(len(matrix)):
                    if by + matrix[k, j] < matrix[i, j]:
                        matrix[i, j] = by + matrix[k, j]


@part
def _at_door(free_s: int, travel_s: int, rests: bool, rest_s: int, rest_from_s: int, rest_by_s: int) -> int:
    """When somebody is at the next door, the break taken on the way or not; NEVER if it is too late for one."""
    if not rests:
        return free_s + travel_s
    return max(free_s + travel_s, rest_from_s) + rest_s if free_s <= rest_by_s else NEVER


@native
def _still_to_go(
    travel_s: Whole,
    price: Real,
    service_s: Whole,
    home_s: Whole,
    home_cost: Real,
    opens_s: Whole,
    closes_s: Whole,
    hours_s: Whole,
    width_s: int,
) -> Real:
    """What the rest of a day costs at least: stretches of `width_s` × jobs × the break owed or taken. In each stretch
    everybody is as early as its begin."""
    n, windows = closes_s.shape
    start, end, rest, rest_from, rest_by = hours_s[0], hours_s[1], hours_s[2], hours_s[3], hours_s[4]
    owed = 0 if rest > 0 else 1
    to_go = np.full(((end - start) // width_s + 1, n, 2), np.inf)
    for stretch in range(len(to_go) - 1, -1, -1):
        free = start + stretch * width_s
        for a in range(n):
            for taken in range(owed, 2):
                if _at_door(free, home_s[a], not taken, rest, rest_from, rest_by) > end:
                    continue
                least = home_cost[a]
                for b in range(n):
                    for after in range(taken, 2):
                        ready = _at_door(free, travel_s[a, b], after > taken, rest, rest_from, rest_by)
                        if a == b or ready > end:
                            break
                        for w in range(windows):
                            if ready <= closes_s[b, w]:
                                when = max(ready, opens_s[b, w]) + service_s[b]
                                if when <= end:
                                    least = min(least, price[a, b] + to_go[(when - start) // width_s, b, after])
                                break
                to_go[stretch, a, taken] = least
    return to_go


@native
def cheapest_day(
    travel_s: Whole,
    price: Real,
    service_s: Whole,
    home_s: Whole,
    home_cost: Real,
    opens_s: Whole,
    closes_s: Whole,
    hours_s: Whole,
    width_s: int,
    coarse_s: int,
    best: float,
    done: Whole,
) -> tuple[float, int]:
    """The least cost of a day if it is less than `best`, and how many steps that took; `done` counts how often it does
    each job.

    Ways that stand at one job, in one stretch of `width_s`, with the break owed or taken are one: free with the
    earliest of them, as cheap as the cheapest, and as the cheapest that came from elsewhere, so that none goes back at
    once. A way is dropped that surely ends dearer than `best`.
    """
    n, windows = closes_s.shape
    steps = 0
    start, end, rest, rest_from, rest_by = hours_s[0], hours_s[1], hours_s[2], hours_s[3], hours_s[4]
    to_go = _still_to_go(travel_s, price, service_s, home_s, home_cost, opens_s, closes_s, hours_s, coarse_s)
    cells = ((end - start) // width_s + 1) * n * 2
    free_s = np.full(cells + 1, NEVER, dtype=np.int64)
    costs = np.full((cells + 1, 2), np.inf)
    before = np.full((cells + 1, 2), -1, dtype=np.int64)  # a cell and which of its two
    came = np.full((cells + 1, 2), -1, dtype=np.int64)
    lowest = np.full((n, 2, 2), np.inf)
    lowest_came = np.full((n, 2), -1, dtype=np.int64)
    free_s[cells], costs[cells, 0] = start, 0.0
    best_way = -1
    for number in range(-1, cells):
        cell = number if number >= 0 else cells
        if costs[cell, 0] == np.inf:
            continue
        a, taken, free = n, 0 if rest > 0 else 1, free_s[cell]
        if number >= 0:
            a, taken = cell // 2 % n, cell % 2
            ahead = False  # of those that stood there sooner
            for which in range(2):
                cost, from_ = costs[cell, which], came[cell, which]
                if cost < lowest[a, taken, 0]:
                    ahead = True
                    if from_ != lowest_came[a, taken]:
                        lowest[a, taken, 1] = lowest[a, taken, 0]
                    lowest[a, taken, 0], lowest_came[a, taken] = cost, from_
                elif cost < lowest[a, taken, 1] and from_ != lowest_came[a, taken]:
                    ahead = True
                    lowest[a, taken, 1] = cost
            if not ahead or costs[cell, 0] + to_go[(free - start) // coarse_s, a, taken] >= best:
                continue
            if costs[cell, 0] + home_cost[a] < best:
                best, best_way = costs[cell, 0] + home_cost[a], cell * 2
        steps += n
        for b in range(n):
            which = 1 if came[cell, 0] == b else 0
            spent = costs[cell, which] + price[a, b]
            for after in range(taken, 2):
                ready = _at_door(free, travel_s[a, b], after > taken, rest, rest_from, rest_by)
                if a == b or ready > end:
                    break
                when = NEVER
                for w in range(windows):
                    if ready <= closes_s[b, w]:
                        when = max(ready, opens_s[b, w]) + service_s[b]
                        break
                if _at_door(when, home_s[b], not after, rest, rest_from, rest_by) > end:
                    continue
                if spent + to_go[(when - start) // coarse_s, b, after] >= best:
                    continue
                at = ((when - start) // width_s * n + b) * 2 + after
                free_s[at] = min(free_s[at], when)
                if spent < costs[at, 0]:
                    if came[at, 0] != a:
                        costs[at, 1], before[at, 1], came[at, 1] = costs[at, 0], before[at, 0], came[at, 0]
                    costs[at, 0], before[at, 0], came[at, 0] = spent, cell * 2 + which, a
                elif spent < costs[at, 1] and came[at, 0] != a:
                    costs[at, 1], before[at, 1], came[at, 1] = spent, cell * 2 + which, a
    while best_way >= 0 and best_way // 2 < cells:
        done[best_way // 4 % n] += 1
        best_way = before[best_way // 2, best_way % 2]
    return best, steps + n * n * len(to_go)
