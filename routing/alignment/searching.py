"""The search: a start by exchanges, then a few centres at a time solved exactly, then all of them for the bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from routing.alignment.domain import NOBODY, AlignmentProblem, Numbers
from routing.alignment.exchanging import exchanged, voronoi
from routing.errors import RoutingError
from routing.native import COMPILED
from routing.solver import alignment_model

STEPS_IF_SMALL, STEPS_IF_LARGE = 1_000, 300
"""Exchanges tried for each pair of a unit and a centre. On 1,500 units and 60 centres, where these take 6 s,
a tenth of them was 2 % dearer."""
UNCOMPILED = 100
"""So many times fewer where there is no compiler."""
STARTS = 4
AT_ONCE = (2, 3, 4)
"""Centres that are aligned anew together, in turn."""
REGION_S = 3.0
REGION_NODES = 200
SMALL = 3_000
"""Pairs of a unit and a centre for which the whole program is worth a search and not only a relaxation."""
SEARCH_SHARE = 0.5
"""Of the seconds: what is left is for the bound, which finds better alignments as well."""


@dataclass(frozen=True, slots=True)
class AlignmentLimits:
    """How long to search: `seconds` of wall-clock for everything, or `work`, a number of regions aligned anew.

    Work is the same on every machine under any load, and so equal input gives an equal alignment; with seconds, what
    is found may differ.

    Raises:
        RoutingError: not exactly one of the two is set, or it is not positive; too few units.
    """

    seconds: float | None = None
    work: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.work is None):
            raise RoutingError("alignment limits: set exactly one of seconds and work")
        if not (self.seconds if self.seconds is not None else self.work or 0) > 0:
            raise RoutingError("alignment limits: there is no time for a search")


def search(problem: AlignmentProblem, limits: AlignmentLimits, began: float) -> tuple[Numbers, float]:
    """The best owners found, and what no owners cost less than.

    Args:
        began: on the monotonic clock, since when the seconds count.
    """
    n, m = problem.levels.shape
    if n == 0:
        return np.empty(0, dtype=np.intp), problem.cost(np.empty(0, dtype=np.intp))
    first = voronoi(problem)
    if m == 1:
        return first, problem.cost(first)

    def spent() -> float:
        return time.monotonic() - began

    large = problem.levels.size > SMALL
    steps = (STEPS_IF_LARGE if large else STEPS_IF_SMALL) * problem.levels.size // (1 if COMPILED else UNCOMPILED)
    found = [exchanged(problem, first, steps, limits.seed + k) for k in range(1 if large else STARTS)]
    owner = min(found, key=problem.cost)
    owner = _regions(problem, owner, limits, spent)
    reached = np.isfinite(problem.levels)
    pairs = np.where(reached.any(axis=1, keepdims=True), reached, np.isfinite(problem.needed))
    left = max(1.0, limits.seconds - spent()) if limits.seconds is not None else None
    if large:
        return owner, alignment_model.bound_alignment(problem, pairs, left)
    nodes = None if limits.work is None else limits.work * REGION_NODES
    solved = alignment_model.solve_alignment(problem, pairs, owner, left, nodes)
    if solved.owner is not None and problem.cost(solved.owner) < problem.cost(owner):
        owner = solved.owner
    return owner, solved.bound


def _regions(problem: AlignmentProblem, owner: Numbers, limits: AlignmentLimits, spent: Callable[[], float]) -> Numbers:
    """Align some centres that touch anew, others' units staying where they are, until the share of time is over or all
    such regions are as good as they can be."""
    rng = np.random.default_rng(limits.seed)
    m = len(problem.there)
    owner = owner.copy()
    hopeless: set[tuple[int, ...]] = set()
    rounds = tries = 0
    while tries < 50 * m:
        tries += 1
        left = np.inf if limits.seconds is None else limits.seconds * SEARCH_SHARE - spent()
        if left <= 0 or (limits.work is not None and rounds >= limits.work):
            break
        chosen = _touching(problem, owner, int(rng.integers(m)), min(m, AT_ONCE[tries % len(AT_ONCE)]), rng)
        if chosen in hopeless:
            continue
        rounds += 1
        members = np.flatnonzero(np.isin(owner, chosen))
        region = _region(problem, owner, members, chosen)
        pairs = np.zeros((len(members), m), dtype=np.bool_)
        pairs[:, chosen] = np.isfinite(problem.levels[members][:, chosen])
        lost = ~pairs.any(axis=1)
        pairs[lost, owner[members[lost]]] = True
        seconds = None if limits.seconds is None else min(REGION_S, max(left, 0.5))
        solved = alignment_model.solve_alignment(region, pairs, owner[members], seconds, REGION_NODES)
        if solved.owner is not None and region.cost(solved.owner) < region.cost(owner[members]) - 1e-6:
            owner[members] = solved.owner
            hopeless.clear()
        hopeless.add(chosen)
    return owner


def _touching(
    problem: AlignmentProblem, owner: Numbers, centre: int, many: int, rng: np.random.Generator
) -> tuple[int, ...]:
    """A centre with others whose territories touch it, or touch those that do; any others where none are left."""
    a, b = owner[problem.neighbours[:, 0]], owner[problem.neighbours[:, 1]]
    chosen = [centre]
    while len(chosen) < many:
        beside = np.concatenate((b[np.isin(a, chosen)], a[np.isin(b, chosen)]))
        others = np.setdiff1d(beside, chosen)
        if not len(others):
            others = np.setdiff1d(np.arange(len(problem.there)), chosen)
        chosen.append(int(rng.choice(others)))
    return tuple(sorted(chosen))


def _region(problem: AlignmentProblem, owner: Numbers, members: Numbers, chosen: tuple[int, ...]) -> AlignmentProblem:
    """The problem of some centres' units alone; all else of it stays as it is."""
    m = len(problem.there)
    rest = np.setdiff1d(np.arange(len(owner)), members)
    number = np.full(len(owner) + 1, NOBODY, dtype=np.intp)
    number[members] = np.arange(len(members))
    inside = number[problem.neighbours]
    return replace(
        problem,
        needed=problem.needed[members],
        price=problem.price[members],
        fixed=problem.fixed + np.bincount(owner[rest], problem.needed[rest, owner[rest]], minlength=m),
        fixed_price=problem.fixed_price + float(problem.price[rest, owner[rest]].sum()),
        neighbours=inside[np.all(inside != NOBODY, axis=1)],
        roots=number[problem.roots],
        seeds=problem.seeds[members],
        levels=problem.levels[members],
    )
