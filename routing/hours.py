"""`arrive_s` and `depart_s` of `routing.traffic` for many legs at once, to the second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.traffic import Change

Whole = NDArray[np.int64]

_ALWAYS = 1 << 60


class Hours:
    """From when on which table holds, as arrays. `legs` are tables × n everywhere, the times n."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._from = np.array([change.from_s for change in changes], dtype=np.int64)
        self._table = np.array([change.table for change in changes], dtype=np.int64)
        self._until = np.append(self._from[1:], _ALWAYS)
        self.tables = int(self._table.max()) + 1

    def _at(self, times: Whole) -> Whole:
        found: Whole = np.maximum(np.searchsorted(self._from, times, side="right") - 1, 0)
        return found

    def arrive_s(self, legs: Whole, depart_s: Whole) -> Whole:
        """When those arrive who depart then."""
        k = self._at(depart_s)
        whole = legs[self._table[k], np.arange(len(k))]
        arrive = depart_s + whole
        on = np.flatnonzero(arrive > self._until[k])
        k, now, left, whole = k[on], depart_s[on], whole[on], whole[on]
        while len(on):
            until, k = self._until[k], k + 1
            of, whole = whole, legs[self._table[k], on]
            left = -((until - now - left) * whole // of)
            arrive[on] = until + left
            going = arrive[on] > self._until[k]
            on, k, now, left, whole = on[going], k[going], until[going], left[going], whole[going]
        return arrive

    def depart_s(self, legs: Whole, arrive_by_s: Whole) -> Whole:
        """The latest departures with which they arrive by then."""
        k = self._at(arrive_by_s)
        whole = legs[self._table[k], np.arange(len(k))]
        depart = arrive_by_s - whole
        on = np.flatnonzero((k > 0) & (depart < self._from[k]))
        k, by, left, whole = k[on], arrive_by_s[on], np.zeros(len(on), dtype=np.int64), whole[on]
        while len(on):
            here, of, by, k = left + by - self._from[k], whole, self._from[k], k - 1
            whole = legs[self._table[k], on]
            left = here * whole // of
            depart[on] = by - whole + left
            going = (k > 0) & (depart[on] < self._from[k])
            on, k, by, left, whole = on[going], k[going], by[going], left[going], whole[going]
        return depart
