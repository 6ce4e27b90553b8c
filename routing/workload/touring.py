"""Short round tours through many places, and how they are cut into days.

Route first, cluster second: one giant tour through all visits, of which each day takes a stretch (Beasley 1983); the
cuts are the best there are for that tour (Prins 2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
LONGEST_SEGMENT = 3
"""Visits that are moved together to another part of the tour."""
WINDOW = 150
"""Visits of a long tour that are put into order at a time: a day only ever takes a small stretch of it."""


def giant_tour(between: Seconds) -> NDArray[np.intp]:
    """An order of 0 … n - 1, beginning with 0, whose round tour is short.

    Nearest neighbour first, then 2-opt and Or-opt moves, the best one at a time, until none helps.

    Args:
        between: n × n symmetric.
    """
    tour = _nearest_neighbour(between)
    if len(tour) <= WINDOW:
        return _improved(tour, between)
    for shift in (0, WINDOW // 2):
        for start in range(1 + shift, len(tour), WINDOW):
            stretch = tour[start - 1 : start + WINDOW]
            tour[start - 1 : start + WINDOW] = _improved(stretch, between, closed=False)
    return tour


def _nearest_neighbour(between: Seconds) -> NDArray[np.intp]:
    left = np.ones(len(between), dtype=np.bool_)
    tour = np.zeros(len(between), dtype=np.intp)
    left[0] = False
    for step in range(1, len(between)):
        nearest = int(np.argmin(np.where(left, between[tour[step - 1]], np.inf)))
        tour[step] = nearest
        left[nearest] = False
    return tour


def _improved(tour: NDArray[np.intp], between: Seconds, closed: bool = True) -> NDArray[np.intp]:
    """The tour after all moves that shorten it; the first place stays first, and the last last where it is open."""
    if len(tour) < 4:
        return tour
    path = np.append(tour, tour[0]) if closed else tour.copy()
    while True:
        here = between[np.ix_(path, path)]
        best, move = _two_opt(here)
        for length in range(1, min(LONGEST_SEGMENT, len(path) - 3) + 1):
            gain, moved = _or_opt(here, length)
            if gain < best:
                best, move = gain, moved
        if best > -0.5:
            return path[:-1] if closed else path
        path = path[move]


def _two_opt(here: Seconds) -> tuple[float, NDArray[np.intp]]:
    """The best reversal of a stretch: what it changes, and the new order of the positions."""
    n = len(here)
    legs = here.diagonal(1)
    change = here[:-1, :-1] + here[1:, 1:] - legs[:, None] - legs
    i, j = divmod(int(np.argmin(np.triu(change, 1))), n - 1)
    order = np.arange(n)
    order[i + 1 : j + 1] = order[i + 1 : j + 1][::-1]
    return (float(change[i, j]), order) if i < j else (0.0, order)


def _or_opt(here: Seconds, length: int) -> tuple[float, NDArray[np.intp]]:
    """The best move of `length` visits in a row to another place in the tour, turned round or not."""
    n = len(here)
    legs = here.diagonal(1)
    first = np.arange(1, n - length)
    last = first + length - 1
    removed = here[first - 1, last + 1] - here[first - 1, first] - here[last, last + 1]
    straight = here[:-1, first].T + here[last, 1:] - legs
    turned = here[:-1, last].T + here[first, 1:] - legs
    change = removed[:, None] + np.minimum(straight, turned)
    gap = np.arange(n - 1)
    change[(gap >= first[:, None] - 1) & (gap <= last[:, None])] = np.inf
    row, to = divmod(int(np.argmin(change)), n - 1)
    segment = np.arange(first[row], last[row] + 1)
    if turned[row, to] < straight[row, to]:
        segment = segment[::-1]
    rest = np.delete(np.arange(n), np.arange(first[row], last[row] + 1))
    after = int(np.searchsorted(rest, to)) + 1
    return float(change[row, to]), np.concatenate((rest[:after], segment, rest[after:]))


def days_of(
    tour: NDArray[np.intp],
    between: Seconds,
    out: Seconds,
    back: Seconds,
    service: Seconds,
    day_s: float,
    most_visits: int | None,
) -> list[NDArray[np.intp]]:
    """The cuts of a tour into days with the least driving, each day no longer than `day_s`.

    A visit that is too long for a day has one of its own.

    Args:
        tour: the visits, in order.
        between, out, back, service: seconds from visit to visit, from the start to each, from each to the end, and
            on the spot.
    """
    n = len(tour)
    legs = between[tour[:-1], tour[1:]].tolist()
    first, last, on_the_spot = out[tour].tolist(), back[tour].tolist(), service[tour].tolist()
    least = [0.0] + [np.inf] * n
    cut = [0] * (n + 1)
    for i in range(n):
        drive, busy = first[i], 0.0
        stop = n if most_visits is None else min(n, i + most_visits)
        for j in range(i, stop):
            if j > i:
                drive += legs[j - 1]
            busy += on_the_spot[j]
            whole = drive + last[j]
            if j > i and drive + busy > day_s:
                break
            if (j == i or whole + busy <= day_s) and least[i] + whole < least[j + 1]:
                least[j + 1], cut[j + 1] = least[i] + whole, i
    days = []
    while n:
        days.append(tour[cut[n] : n])
        n = cut[n]
    return days[::-1]
