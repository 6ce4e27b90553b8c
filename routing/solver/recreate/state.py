"""What the compiled loops read and write: arrays of whole numbers whose columns are named here.

A job, shift or node is a row, so that all of it lies side by side in the processor's cache. Few arrays of many columns
compile and are handed on faster than many arrays. Everything random comes from a generator in the state, so that the
course of a search depends on its seed alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.native import part

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

FAR = 1 << 29
"""Seconds of a way that does not exist, and what a shift costs that may not serve a job: more than any sum of others
that matters, small enough that some of them add up in 32 bits."""
NEVER = 1 << 30
NOWHERE = -1
PLENTY = 1 << 30
"""What is not limited; more days than any two are apart."""
NONE: Any = np.int64(0)
HOME: Any = np.int64(NOWHERE)
"""Arguments that numba does not compile a function for: it does for each plain constant. For the same reason, and to
make 64 bits of 32, `+ 0` stands behind some values."""

at = np.uint64
"""An index that is not negative: numba looks for negative ones otherwise, which takes a sixth of the time there is."""

J_PLACE, J_SERVICE, J_SETUP, J_DEMAND, J_GROUP, J_SERIES, J_OPENS, J_CLOSES, J_SHIFTS, J_SHIFTS_END, J_FIRM = range(11)
S_START, S_END, S_FROM, S_TO, S_REST, S_REST_FIRST, S_REST_LAST, S_MOST, S_CAPACITY, S_DAY = range(10)
S_NEXT, S_BEFORE, S_KIND, S_LODGINGS, S_LODGINGS_END = range(10, 15)
F_WINDOW, F_WINDOW_END, F_COST = range(3)
MEMBERS = 3
"""Where the members of a group or series begin, behind the least and most days apart and their number."""


class Arrays(NamedTuple):
    """What the loops read. J_, S_ and F_ name the columns of `jobs`, `shifts` and `fit`."""

    jobs: Longs
    shifts: Longs
    fit: Ints
    """Job × kind of shift: the first window that can be used and the one after the last, and what doing the job
    there costs besides driving: lateness, less what not moving it saves; FAR where such a shift may not serve it."""
    windows: Ints
    """First and last second to begin, job after job."""
    pairs: Ints
    """Place × place × 2: seconds there and back of the first table side by side, FAR where no way leads."""
    seconds: Ints
    """Table × place × place, where there are several tables; else empty."""
    changes: Longs
    """From when on which table holds."""
    may: Longs
    """The shifts that may serve a job, job after job."""
    near: Longs
    """Each job's neighbours by driving, itself first."""
    beside: Longs
    """Each job's neighbours in space and time; no columns where all positions are tried instead."""
    groups: Longs
    series: Longs
    lodgings: Longs
    """Place and cost."""
    stays: Longs
    """The lodgings that each shift may end at, shift after shift."""
    around: Longs
    """The jobs round each lodging."""


N_PLACE, N_SETUP, N_LEG, N_OWED, N_TAKEN, N_BY_OWED, N_BY_TAKEN, N_JOB = range(8)
NODE_COLUMNS = 8
R_LENGTH, R_COST, R_LOAD, R_START, R_END, R_NIGHT, R_FITS, R_STAMP = range(8)
KEPT_COLUMNS = 8
"""Those in front, of a route as it was before a move."""
R_EMPTY_AT, R_CHANGED, R_BEST_LENGTH, R_BEST_NIGHT, R_BEST_COST = range(8, 13)
L_TOUCHED, L_CHANGED, L_EMPTY, L_KIND_FIRST, L_KIND_EMPTY, L_KIND_MARK = range(13, 19)
"""Columns that are lists, and have nothing to do with the route in whose row they stand: routes touched by a move,
routes that may differ from the best plan's, empty routes kind by kind; where a kind begins there, how many are empty,
and for which job one of them was tried last."""
ROUTE_COLUMNS = 19
W_ROUTE, W_POSITION, W_MISSING_AT, W_QUEUED = range(4)
L_MISSING, L_QUEUE = 4, 5
"""Lists again: mandatory jobs left out, and jobs to be put back."""
WHERE_COLUMNS = 6
C_RANDOM, C_STOP, C_COST, C_BEST, C_DONE, C_USED, C_MISSING, C_POOLED, C_ACCEPTED, C_STAMP, C_TOUCHED = range(11)
C_CHANGED, C_QUEUED, C_MARK, C_KINDS = range(11, 15)
COUNTERS = 15
O_TEMPERATURE, O_REMOVED, O_STRING, O_BLINK, O_CANDIDATES, O_EVERYWHERE, O_SKIP, O_OPENING, O_NIGHT, O_POOL = range(10)
OPTIONS = 10
POOL_HEAD = 5
"""Numbers in front of a pooled route: shift, lodgings before and after, cost, number of jobs."""


class State(NamedTuple):
    """What a search knows, all of it written by the loops. Columns: C_ of `counters`, N_ of `nodes`, R_ of `routes`
    and W_ of `where`."""

    counters: Longs
    worth: Longs
    """What doing each job saves."""
    nodes: Ints
    """Of each route its start, its jobs and its end."""
    routes: Longs
    where: Longs
    kept_nodes: Ints
    kept_routes: Longs
    best: Ints
    """The jobs of each route of the best plan."""
    pool: Longs
    keys: Floats


@part
def chance(counters: Longs) -> float:
    """From 0 to 1, 1 excluded: Marsaglia's xorshift."""
    x = np.uint64(counters[C_RANDOM])
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    counters[C_RANDOM] = np.int64(x)
    return float(x >> np.uint64(11)) * 1.1102230246251565e-16


@part
def below(counters: Longs, most: int) -> int:
    """A whole number from 0 to most - 1."""
    return int(chance(counters) * most)


@part
def patience(counters: Longs) -> float:
    """An exponentially distributed number: how many temperatures worse is still good enough."""
    return -math.log(chance(counters) + 1e-300)


@part
def touch(r: int, counters: Longs, nodes: Ints, routes: Longs, kept_nodes: Ints, kept_routes: Longs) -> None:
    """Remember a route before it is changed for the first time in a move."""
    if routes[r, R_STAMP] == counters[C_STAMP]:
        return
    routes[r, R_STAMP] = counters[C_STAMP]
    slot = counters[C_TOUCHED]
    routes[slot, L_TOUCHED] = r
    counters[C_TOUCHED] += 1
    for k in range(routes[r, R_LENGTH] + 2):
        for column in range(NODE_COLUMNS):
            kept_nodes[slot, k, column] = nodes[r, k, column]
    for column in range(KEPT_COLUMNS):
        kept_routes[slot, column] = routes[r, column]


@part
def enqueue(c: int, counters: Longs, where: Longs) -> None:
    """To be put back, if it is left out and not among them already."""
    if where[c, W_ROUTE] < 0 and where[c, W_QUEUED] == 0:
        where[c, W_QUEUED] = 1
        where[counters[C_QUEUED], L_QUEUE] = c
        counters[C_QUEUED] += 1


@part
def note_missing(c: int, counters: Longs, where: Longs) -> None:
    """Keep the list of mandatory jobs left out."""
    at, out = where[c, W_MISSING_AT], where[c, W_ROUTE] < 0
    if out and at < 0:
        where[counters[C_MISSING], L_MISSING] = c
        where[c, W_MISSING_AT] = counters[C_MISSING]
        counters[C_MISSING] += 1
    elif not out and at >= 0:
        counters[C_MISSING] -= 1
        last = where[counters[C_MISSING], L_MISSING]
        where[at, L_MISSING] = last
        where[last, W_MISSING_AT] = at
        where[c, W_MISSING_AT] = -1


@part
def note_empty(r: int, kind: int, counters: Longs, routes: Longs) -> None:
    """Keep the lists of empty routes of each kind."""
    at, out, first = routes[r, R_EMPTY_AT], routes[r, R_LENGTH] == 0, routes[kind, L_KIND_FIRST]
    if out and at < 0:
        routes[first + routes[kind, L_KIND_EMPTY], L_EMPTY] = r
        routes[r, R_EMPTY_AT] = routes[kind, L_KIND_EMPTY]
        routes[kind, L_KIND_EMPTY] += 1
        counters[C_USED] -= 1
    elif not out and at >= 0:
        routes[kind, L_KIND_EMPTY] -= 1
        last = routes[first + routes[kind, L_KIND_EMPTY], L_EMPTY]
        routes[first + at, L_EMPTY] = last
        routes[last, R_EMPTY_AT] = at
        routes[r, R_EMPTY_AT] = -1
        counters[C_USED] += 1
