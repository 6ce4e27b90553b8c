"""Sites that lie together become units, which a centre gets as a whole."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from routing.alignment.domain import Numbers


def units_of(places: NDArray[np.float64], most: int) -> list[Numbers]:
    """Places (n × 2, metres) in at most `most` groups that lie together, and no two groups at one place.

    The widest group is halved, across its longer side, until there are enough.
    """

    def entry(group: Numbers) -> tuple[float, int, Numbers]:
        return -float(np.ptp(places[group], axis=0).max()) * len(group) ** 0.5, int(group[0]), group

    heap = [entry(np.arange(len(places)))] if len(places) else []
    while heap and len(heap) < most and heap[0][0] < 0:
        group = heapq.heappop(heap)[2]
        side = places[group, int(np.argmax(np.ptp(places[group], axis=0)))]
        below = side < np.median(side)
        below = below if below.any() else side <= np.median(side)
        for half in (group[below], group[~below]):
            heapq.heappush(heap, entry(half))
    return [group for _, _, group in sorted(heap, key=lambda each: each[1])]


def middle_of(places: NDArray[np.float64], group: Numbers) -> int:
    """The place of a group that stands for it: the one nearest to their mean."""
    here = places[group]
    return int(group[np.argmin(((here - here.mean(axis=0)) ** 2).sum(axis=1))])
