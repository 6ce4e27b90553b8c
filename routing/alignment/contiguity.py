"""Territories in one piece: where they grow from, how far away each unit is, and the check that asks no solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from routing.alignment.domain import NOBODY, Minutes, Numbers

HOPS = 2
"""How far around a unit its centre's sites are counted, to find where they lie thickest."""


def roots_of(near: Minutes, own: Minutes, neighbours: Numbers) -> Numbers:
    """The unit that each centre's territory grows from: where its sites lie thickest now, or nearest to a new base.

    All are different, and chosen together. `NOBODY` for a centre that can get nowhere, or for which no unit is left.

    Args:
        near: n × m seconds out to each unit and back, infinite where no way leads.
        own: n × m numbers of sites that are the centre's now.
    """
    n = len(near)
    roots = np.full(near.shape[1], NOBODY, dtype=np.intp)
    possible = np.isfinite(near)
    if not possible.any():
        return roots
    touching = coo_array((np.ones(len(neighbours)), tuple(neighbours.T)), shape=(n, n)).tocsr()
    touching = touching + touching.T
    around = own
    for _ in range(HOPS):
        around = around + touching @ around
    share = around / np.maximum(around.max(axis=0), 1.0)
    away = np.where(possible, near, 0.0) / max(float(near[possible].max()), 1.0)
    # A thicker place is worth any way; among new bases, or where all is level, the nearest is best.
    price = np.where(possible, away - n * share, 4.0 * n * n)
    units, centres = linear_sum_assignment(price)
    chosen = possible[units, centres]
    roots[centres[chosen]] = units[chosen]
    return roots


def seeds_of(roots: Numbers, own: Numbers, reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """n × m, the units that each centre may have though no neighbour is its own: its root, and of the others that it
    has now those that are no other's root.

    Args:
        own: by unit, the centre whose it is and may stay; `NOBODY` for any that has to touch others of its centre.
    """
    seeds = np.zeros(reached.shape, dtype=np.bool_)
    stays = np.flatnonzero(own != NOBODY)
    seeds[stays, own[stays]] = reached[stays, own[stays]]
    centres = np.flatnonzero(roots != NOBODY)
    seeds[roots[centres]] = False
    seeds[roots[centres], centres] = True
    return seeds


def main_parts(own: Numbers, sizes: Minutes, roots: Numbers, neighbours: Numbers) -> NDArray[np.bool_]:
    """n × m, the largest part that hangs together of the units that each centre has now; else its root.

    Args:
        own: by unit, the centre whose it is now or `NOBODY`; sizes: of units, in sites.
    """
    n, m = len(own), len(roots)
    kept = neighbours[own[neighbours[:, 0]] == own[neighbours[:, 1]]]
    part = connected_components(coo_array((np.ones(len(kept)), tuple(kept.T)), shape=(n, n)), directed=False)[1]
    largest = np.bincount(part, sizes)
    main = np.zeros((n, m), dtype=np.bool_)
    for centre in range(m):
        mine = np.flatnonzero(own == centre)
        if len(mine):
            main[mine, centre] = part[mine] == part[mine[np.argmax(largest[part[mine]])]]
        elif roots[centre] != NOBODY:
            main[roots[centre], centre] = True
    return main


def levels_of(neighbours: Numbers, apart: Minutes, seeds: NDArray[np.bool_], reached: NDArray[np.bool_]) -> Minutes:
    """n × m, how far each unit is from the nearest of each centre's seeds, from neighbour to neighbour.

    Infinite where no way leads through units that the centre reaches.
    Every unit but a seed has a neighbour that is nearer: the next one on its way.
    """
    n = len(reached)
    levels = np.full(reached.shape, np.inf)
    for centre in np.flatnonzero(seeds.any(axis=0)).tolist():
        kept = reached[neighbours[:, 0], centre] & reached[neighbours[:, 1], centre]
        graph = coo_array((apart[kept], tuple(neighbours[kept].T)), shape=(n, n)).tocsr()
        levels[:, centre] = dijkstra(graph, directed=False, indices=np.flatnonzero(seeds[:, centre]), min_only=True)
    return levels


def units_apart(owner: Numbers, neighbours: Numbers, seeds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Units from which no chain of neighbours with the same owner leads to a seed of the owner."""
    n = len(owner)
    same = owner[neighbours[:, 0]] == owner[neighbours[:, 1]]
    kept = neighbours[same]
    graph = coo_array((np.ones(len(kept)), tuple(kept.T)), shape=(n, n))
    part = connected_components(graph, directed=False)[1]
    held = np.unique(part[seeds[np.arange(n), owner]])
    return np.flatnonzero(~np.isin(part, held))
