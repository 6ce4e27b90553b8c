"""One search with its own seed: the state that the loops work on, and what of it others may see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from routing.solver.recreate.kernel import run
from routing.solver.recreate.layout import Layout
from routing.solver.recreate.plans import Plan, Tour
from routing.solver.recreate.state import (
    C_BEST,
    C_KINDS,
    C_MISSING,
    C_POOLED,
    C_RANDOM,
    C_STOP,
    COUNTERS,
    KEPT_COLUMNS,
    L_QUEUE,
    N_JOB,
    NODE_COLUMNS,
    NOWHERE,
    O_TEMPERATURE,
    OPTIONS,
    POOL_HEAD,
    R_BEST_COST,
    R_BEST_LENGTH,
    R_BEST_NIGHT,
    R_END,
    R_FITS,
    R_LENGTH,
    R_LOAD,
    R_NIGHT,
    R_START,
    ROUTE_COLUMNS,
    S_CAPACITY,
    S_END,
    S_KIND,
    S_MOST,
    S_NEXT,
    S_START,
    WHERE_COLUMNS,
    Longs,
    State,
)

POOL_NUMBERS = 1 << 16
"""Room for the routes that a search meets before they are collected."""


class Lane:
    """A search that goes on from where it was, each time it is asked to."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self._layout = layout
        jobs, shifts = len(layout.arrays.jobs), len(layout.arrays.shifts)
        longest = max(layout.longest, 1)
        self.options = np.zeros(OPTIONS)
        self.state = State(
            counters=np.zeros(COUNTERS, dtype=np.int64),
            worth=layout.worth_s.copy(),
            nodes=np.zeros((shifts, longest + 2, NODE_COLUMNS), dtype=np.int32),
            routes=np.zeros((shifts, ROUTE_COLUMNS), dtype=np.int64),
            where=np.full((jobs, WHERE_COLUMNS), -1, dtype=np.int64),
            kept_nodes=np.zeros((shifts, longest + 2, NODE_COLUMNS), dtype=np.int32),
            kept_routes=np.zeros((shifts, KEPT_COLUMNS), dtype=np.int64),
            best=np.zeros((shifts, longest), dtype=np.int32),
            pool=np.zeros(POOL_NUMBERS, dtype=np.int64),
            keys=np.zeros(jobs),
        )
        self.state.counters[C_RANDOM] = np.array([_scrambled(seed)], dtype=np.uint64).view(np.int64)[0]
        self.state.counters[C_KINDS] = layout.arrays.shifts[:, S_KIND].max(initial=-1) + 1
        self.set(())

    def set(self, tours: Sequence[Tour]) -> None:
        """Go on from these tours, which keep every rule; they are the best ones known from here on."""
        arrays, state = self._layout.arrays, self.state
        state.routes[:, R_LENGTH] = 0
        state.routes[:, R_NIGHT] = NOWHERE
        state.routes[:, R_START] = arrays.shifts[:, S_START]
        state.routes[:, R_END] = arrays.shifts[:, S_END]
        for tour in tours:
            state.nodes[tour.shift, 1 : 1 + len(tour.jobs), N_JOB] = tour.jobs
            state.routes[tour.shift, R_LENGTH] = len(tour.jobs)
            if tour.after != NOWHERE:
                place = arrays.lodgings[tour.after, 0]
                state.routes[tour.shift, [R_NIGHT, R_END]] = tour.after, place
                state.routes[arrays.shifts[tour.shift, S_NEXT], R_START] = place
        run(True, 0, 0, self.options, arrays, state)

    def reprice(self, worth_s: Longs) -> None:
        """From here on doing jobs saves other sums, and the current plan is the best one known."""
        self.state.worth[:] = worth_s
        run(True, 0, 0, self.options, self._layout.arrays, self.state)

    def construct(self, order: Sequence[int]) -> None:
        """Put jobs in, in this order, each where it costs least."""
        self.state.where[: len(order), L_QUEUE] = order
        run(False, len(order), 0, self.options, self._layout.arrays, self.state)

    def search(self, iterations: int, temperature_s: float) -> int:
        """So many iterations, or fewer once stopped; returns how many."""
        self.options[O_TEMPERATURE] = temperature_s
        return run(False, 0, iterations, self.options, self._layout.arrays, self.state)

    def stop(self) -> None:
        """End `search`, which may run in another thread, at once, and each one after it."""
        self.state.counters[C_STOP] = 1

    def collected(self) -> list[Tour]:
        """The routes met since the last time."""
        numbers = self.state.pool[: self.state.counters[C_POOLED]].tolist()
        self.state.counters[C_POOLED] = 0
        tours, k = [], 0
        while k < len(numbers):
            shift, before, after, cost_s, length = numbers[k : k + POOL_HEAD]
            k += POOL_HEAD + length
            tours.append(Tour(shift, tuple(numbers[k - length : k]), before, after, cost_s))
        return tours

    @property
    def best_s(self) -> int:
        """The cost of the best plan known, less what is done is worth now."""
        return int(self.state.counters[C_BEST])

    def best(self) -> Plan:
        """The best plan known; not while it searches."""
        shifts, nights = self._layout.arrays.shifts, self.state.routes[:, R_BEST_NIGHT].tolist()
        before = dict.fromkeys(range(len(shifts)), NOWHERE)
        for shift, night in enumerate(nights):
            if night != NOWHERE:
                before[int(shifts[shift, S_NEXT])] = night
        routes = self.state.routes[:, [R_BEST_LENGTH, R_BEST_COST]].tolist()
        tours = tuple(
            Tour(shift, tuple(self.state.best[shift, :length].tolist()), before[shift], nights[shift], cost_s)
            for shift, (length, cost_s) in enumerate(routes)
            if length
        )
        return Plan(tours, self.best_s)

    @property
    def fits(self) -> list[bool]:
        """Of each route whether it can be done: of those that were `set`."""
        routes, shifts = self.state.routes, self._layout.arrays.shifts
        room = (routes[:, R_LENGTH] <= shifts[:, S_MOST]) & (routes[:, R_LOAD] <= shifts[:, S_CAPACITY])
        return [bool(fits) for fits in (routes[:, R_FITS] > 0) & room]

    @property
    def firm_left_out(self) -> int:
        return int(self.state.counters[C_MISSING])


def _scrambled(seed: int) -> int:
    """Near seeds far apart, none of them 0: Steele's SplitMix."""
    x = (seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % (1 << 64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) % (1 << 64)
    return (x ^ (x >> 31)) or 1
