"""Routes that the searches have met, and the best plan that can be put together from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from routing.solver.packing_model import Column, PackingBudget, pack
from routing.solver.recreate.layout import Layout
from routing.solver.recreate.plans import Plan, Tour
from routing.solver.recreate.state import Longs

MOST = 10_000
"""Routes kept, those met last."""


class Pool:
    """Routes, the one met last at the end."""

    def __init__(self, layout: Layout, most: int = MOST) -> None:
        self._layout = layout
        self._most = most
        self._tours: dict[Tour, None] = {}

    def add(self, tours: Iterable[Tour]) -> None:
        for tour in tours:
            self._tours.pop(tour, None)
            self._tours[tour] = None
        for tour in list(islice(self._tours, max(0, len(self._tours) - self._most))):
            del self._tours[tour]

    def take_from(self, other: Pool) -> None:
        """All that another one has."""
        self.add(other._tours)
        other._tours.clear()

    def columns(self, worth_s: Longs) -> list[Column]:
        """Them all, jobs being worth that much."""
        return self._columns(self._tours, worth_s)

    def _columns(self, tours: Iterable[Tour], worth_s: Longs) -> list[Column]:
        worth, job_of = worth_s.tolist(), self._layout.job_of
        return [
            Column(
                tour.shift,
                tuple(job_of[j] for j in tour.jobs),
                tour.cost_s - sum(worth[j] for j in tour.jobs),
                tour.before,
                tour.after,
            )
            for tour in tours
        ]

    def packed(self, plan: Plan, worth_s: Longs, budget: PackingBudget, stop: Callable[[], bool]) -> Plan:
        """The best plan made of these routes and those of a plan: that plan itself, if there is none better."""
        worth, row_of = worth_s.tolist(), self._layout.row_of
        incumbent = self._columns(plan.tours, worth_s)
        found = pack(self._layout.problem, self.columns(worth_s), incumbent, budget, stop)
        if found.cost_s >= plan.cost_s:
            return plan
        tours = []
        for each in found.chosen:
            rows = tuple(row_of[j] for j in each.jobs)
            cost_s = each.cost_s + sum(worth[j] for j in rows)
            tours.append(Tour(each.shift, rows, each.lodging_before, each.lodging_after, cost_s))
        return Plan(tuple(sorted(tours)), found.cost_s)
