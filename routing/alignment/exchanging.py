"""A good alignment to begin with: units change hands at the edges of territories, at first also for the worse.

Simulated annealing (Kirkpatrick, Gelatt, Vecchi 1983). No step breaks a territory: a unit is only given to a centre
that has a neighbour of it nearer to the root, and only taken where all that lean on it have another one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.alignment.domain import AlignmentProblem, Numbers
from routing.native import native

HOTTEST = 10.0
"""The first temperature, in what the second cheapest centre of a unit costs more than the cheapest, on the average."""
COLDEST = 1e-2
"""The last temperature, as a share of the first."""
RANDOM_TIMES, RANDOM_BELOW = 48_271, 2**31 - 1
"""Random numbers (Park, Miller 1988; multiplier of 1993) that are the same compiled and not."""


def voronoi(problem: AlignmentProblem) -> Numbers:
    """Every unit to the centre whose root is nearest from neighbour to neighbour: all territories are in one piece."""
    reached = np.isfinite(problem.levels)
    at_all = np.isfinite(problem.needed)
    # Where no chain of neighbours leads, whoever gets there with the least driving.
    keys = np.where(reached.any(axis=1, keepdims=True), problem.levels, np.where(at_all, problem.price, np.inf))
    owner: Numbers = np.argmin(keys, axis=1)
    rooted = np.flatnonzero(problem.roots >= 0)
    owner[problem.roots[rooted]] = rooted
    return owner


def exchanged(problem: AlignmentProblem, owner: Numbers, steps: int, seed: int) -> Numbers:
    """The best alignment met in so many steps; equal seeds give equal results."""
    n, m = problem.levels.shape
    if n < 2 or m < 2:
        return owner
    pairs = np.concatenate((problem.neighbours, problem.neighbours[:, ::-1]))
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    first = np.searchsorted(pairs[:, 0], np.arange(n + 1))
    cheapest = np.sort(problem.price, axis=1)[:, :2]
    torn = np.isfinite(cheapest).all(axis=1)
    dearer = np.diff(cheapest[torn], axis=1)
    hot = max(float(dearer.mean()), 1.0) if len(dearer) else 1.0
    is_root = np.zeros(n, dtype=np.bool_)
    is_root[problem.roots[problem.roots >= 0]] = True
    return _anneal(
        owner.astype(np.int64),
        problem.needed,
        problem.price,
        problem.levels,
        problem.loads(owner),
        problem.there,
        problem.unevenness_price,
        first.astype(np.int64),
        np.ascontiguousarray(pairs[:, 1]).astype(np.int64),
        is_root,
        HOTTEST * hot,
        steps,
        seed,
    )


@native
def _unevenness(loads: NDArray[np.float64], there: NDArray[np.float64]) -> float:
    total, all_there = loads.sum(), there.sum()
    off, most, least = 0.0, 0.0, np.inf
    for c in range(len(loads)):
        off += abs(loads[c] - total * there[c] / all_there)
        most, least = max(most, loads[c] / there[c]), min(least, loads[c] / there[c])
    return float(off + (most - least) * all_there / len(there))


@native
def _supported(
    u: int,
    c: int,
    without: int,
    owner: NDArray[np.int64],
    levels: NDArray[np.float64],
    first: NDArray[np.int64],
    other: NDArray[np.int64],
) -> bool:
    """Whether a neighbour of the unit, other than `without`, is the centre's and nearer to its root."""
    for k in range(first[u], first[u + 1]):
        v = other[k]
        if v != without and owner[v] == c and levels[v, c] < levels[u, c]:
            return True
    return False


@native
def _anneal(
    owner: NDArray[np.int64],
    needed: NDArray[np.float64],
    price: NDArray[np.float64],
    levels: NDArray[np.float64],
    loads: NDArray[np.float64],
    there: NDArray[np.float64],
    unevenness_price: float,
    first: NDArray[np.int64],
    other: NDArray[np.int64],
    is_root: NDArray[np.bool_],
    hot: float,
    steps: int,
    seed: int,
) -> NDArray[np.int64]:
    random = seed % (RANDOM_BELOW - 1) + 1
    uneven = _unevenness(loads, there)
    cost = least = 0.0
    best = owner.copy()
    for step in range(steps):
        random = random * RANDOM_TIMES % RANDOM_BELOW
        k = random % len(other)
        v = int(other[k])
        u = int(np.searchsorted(first, k, side="right")) - 1
        a, b = int(owner[u]), int(owner[v])
        if a == b or is_root[u] or not levels[u, b] > levels[v, b] or not np.isfinite(needed[u, b]):
            continue
        free = True
        for k in range(first[u], first[u + 1]):
            w = int(other[k])
            leans = owner[w] == a and levels[w, a] > levels[u, a] and not is_root[w]
            if leans and not _supported(w, a, u, owner, levels, first, other):
                free = False
                break
        if not free:
            continue
        loads[a] -= needed[u, a]
        loads[b] += needed[u, b]
        then = _unevenness(loads, there)
        change = price[u, b] - price[u, a] + unevenness_price * (then - uneven)
        temperature = hot * COLDEST ** (step / steps)
        random = random * RANDOM_TIMES % RANDOM_BELOW
        if change < 0 or random / RANDOM_BELOW < np.exp(-change / temperature):
            owner[u] = b
            uneven = then
            cost += change
            if cost < least - 1e-6:
                least = cost
                best[:] = owner
        else:
            loads[a] += needed[u, a]
            loads[b] -= needed[u, b]
    return best
