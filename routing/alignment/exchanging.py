"""A good alignment to begin with: units change hands at the edges of territories, at first also for the worse.

Simulated annealing (Kirkpatrick, Gelatt, Vecchi 1983). No step breaks a territory: a unit is only given to a centre
that has a neighbour of it nearer to its seeds, or back to the one whose seed it is, and only taken where all that lean
on it have another one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.alignment.domain import NOBODY, AlignmentProblem, Numbers
from routing.native import native

HOTTEST = 10.0
"""The first temperature, in what the second cheapest centre of a unit costs more than the cheapest, on the average."""
COLDEST = 1e-2
"""The last temperature, as a share of the first."""
BACK = 4
"""Of so many tries one asks whether a unit had better be with the centre whose seed it is."""
RANDOM_TIMES, RANDOM_BELOW = 48_271, 2**31 - 1
"""Random numbers (Park, Miller 1988; multiplier of 1993) that are the same compiled and not."""


def voronoi(problem: AlignmentProblem) -> Numbers:
    """Every unit to the centre whose seed is nearest from neighbour to neighbour: seeds stay, the others touch them."""
    reached = np.isfinite(problem.levels)
    at_all = np.isfinite(problem.needed)
    # Where no chain of neighbours leads, whoever gets there with the least driving.
    keys = np.where(reached.any(axis=1, keepdims=True), problem.levels, np.where(at_all, problem.price, np.inf))
    owner: Numbers = np.argmin(keys, axis=1)
    seeds = problem.seeds.any(axis=1)
    owner[seeds] = problem.seeds[seeds].argmax(axis=1)
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
    seed_of = np.where(problem.seeds.any(axis=1), problem.seeds.argmax(axis=1), NOBODY)
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
        problem.band,
        first.astype(np.int64),
        np.ascontiguousarray(pairs[:, 1]).astype(np.int64),
        is_root,
        seed_of.astype(np.int64),
        HOTTEST * hot,
        steps,
        seed,
    )


@native
def _unevenness(loads: NDArray[np.float64], there: NDArray[np.float64], band: float) -> float:
    even = loads.sum() / there.sum()
    off, most, least = 0.0, (1 + band) * even, (1 - band) * even
    for c in range(len(loads)):
        off += max(abs(loads[c] - even * there[c]) - band * even * there[c], 0.0)
        most, least = max(most, loads[c] / there[c]), min(least, loads[c] / there[c])
    return float(off + (most - least - 2 * band * even) * there.sum() / len(there))


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
    """Whether a neighbour of the unit, other than `without`, is the centre's and nearer to its seeds."""
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
    band: float,
    first: NDArray[np.int64],
    other: NDArray[np.int64],
    is_root: NDArray[np.bool_],
    seed_of: NDArray[np.int64],
    hot: float,
    steps: int,
    seed: int,
) -> NDArray[np.int64]:
    random = seed % (RANDOM_BELOW - 1) + 1
    uneven = _unevenness(loads, there, band)
    cost = least = 0.0
    best = owner.copy()
    for step in range(steps):
        random = random * RANDOM_TIMES % RANDOM_BELOW
        k = random % len(other)
        v = int(other[k])
        u = int(np.searchsorted(first, k, side="right")) - 1
        a, b = int(owner[u]), int(owner[v])
        if seed_of[u] >= 0 and random // len(other) % BACK == 0:
            b = int(seed_of[u])
        touches = seed_of[u] == b or levels[u, b] > levels[v, b]
        if a == b or is_root[u] or not touches or not np.isfinite(needed[u, b]):
            continue
        free = True
        for k in range(first[u], first[u + 1]):
            w = int(other[k])
            leans = owner[w] == a and levels[w, a] > levels[u, a] and seed_of[w] != a
            if leans and not _supported(w, a, u, owner, levels, first, other):
                free = False
                break
        if not free:
            continue
        loads[a] -= needed[u, a]
        loads[b] += needed[u, b]
        then = _unevenness(loads, there, band)
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
