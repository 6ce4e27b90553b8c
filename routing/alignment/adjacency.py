"""Which places touch: neighbours with nothing between them, by the minutes of the ways and not by the crow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay, QhullError

from routing.geo import LatLon
from routing.problem import UNREACHABLE

AT_ONE_PLACE_S = 1.0
"""Between neighbours, at least: so that of two at one place either is nearer to a third."""


def neighbours(places: Sequence[LatLon], seconds: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Pairs of places that touch (e × 2, the lower number first), and the seconds between them, to and fro halved.

    Of the triangles between the places (Delaunay 1934), those sides stay that have no third corner between their ends
    (Gabriel, Sokal 1969), judged by the seconds: so two banks of a river touch at its bridges. Whatever can be reached
    at all stays connected, by the shortest tree through all places (Kruskal 1956).

    Args:
        seconds: n × n, `UNREACHABLE` where no way leads.
    """
    both_ways = (seconds != UNREACHABLE) & (seconds.T != UNREACHABLE)
    apart = np.where(both_ways, np.maximum((seconds + seconds.T.astype(np.float64)) / 2, AT_ONE_PLACE_S), np.inf)
    all_at: dict[LatLon, list[int]] = {}
    for number, place in enumerate(places):
        all_at.setdefault(place, []).append(number)
    which = np.array([there[0] for there in all_at.values()], dtype=np.intp)
    same = {there[0]: there for there in all_at.values()}
    sides = _sides(np.array([(place.lat, place.lon) for place in all_at], dtype=np.float64).reshape(-1, 2))
    touching: list[set[int]] = [set() for _ in which]
    for a, b in sides:
        touching[a].add(b)
        touching[b].add(a)
    pairs: set[tuple[int, int]] = set()
    for a, b in sides:
        i, j = int(which[a]), int(which[b])
        between = which[sorted(touching[a] & touching[b])]
        nothing_between = np.all(apart[i, between] ** 2 + apart[between, j] ** 2 >= apart[i, j] ** 2)
        if np.isfinite(apart[i, j]) and nothing_between:
            pairs |= {(min(pair), max(pair)) for pair in itertools.product(same[i], same[j])}
    tree = minimum_spanning_tree(np.where(np.isfinite(apart), apart, 0.0)).tocoo()
    pairs |= {(int(min(i, j)), int(max(i, j))) for i, j in zip(tree.row, tree.col, strict=True)}
    found = np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)
    return found, apart[found[:, 0], found[:, 1]]


def _sides(points: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The sides of the triangles between different points; none where all lie on one line."""
    if len(points) < 3:
        return []
    try:
        corners = Delaunay(points * (1.0, math.cos(math.radians(points[:, 0].mean())))).simplices
    except QhullError:
        return []
    return sorted({pair for corner in np.sort(corners).tolist() for pair in itertools.combinations(corner, 2)})
