"""Vehicles of one depot, customers on a plane, time windows, loads and perhaps prizes: what the public formats say.

The problem made of it is in whole numbers. What an answer costs, and whether it keeps windows and loads, is computed
again from the file's own numbers, by nothing that a solver uses.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from routing.errors import InstanceError
from routing.problem import MAX_COST_S, MAX_TIME_S, Job, Problem, Shift, TimeWindow
from routing.solution import Solution

FINEST = 1_000
"""Parts of a unit that a problem counts in, where its limits allow it."""
MOST_VEHICLES = 2_000
MOST_CUSTOMERS = 5_000

Routes = list[list[int]]
"""Customers by their numbers: the depot is 0, the file's first customer 1."""


@dataclass(frozen=True)
class Customer:
    """Where somebody is, how much is wanted, when service may begin and how long it takes; all of the depot's but the
    time at which it closes are nothing.

    `prize`: what not visiting costs; None means that a visit is owed.
    """

    x: float
    y: float
    demand: int
    opens: float
    closes: float
    service: float
    prize: int | None = None


@dataclass(frozen=True)
class Instance:
    """A published problem. Its depot is the first of its `places`; whole vehicles of `capacity` begin and end there.

    Distances are Euclidean, times `stretch`; with `truncated` they are cut to whole numbers, as windows, service and
    prizes are whole then. `best_known` is a cost, and `best_known_of` what it was sought for first.
    """

    name: str
    places: tuple[Customer, ...]
    vehicles: int
    capacity: int
    stretch: int = 1
    truncated: bool = False
    best_known: float | None = None
    best_known_of: str = "distance"

    def distance(self, a: int, b: int) -> float:
        one, other = self.places[a], self.places[b]
        length = math.hypot(one.x - other.x, one.y - other.y) * self.stretch
        return math.floor(length) if self.truncated else length

    @cached_property
    def parts(self) -> int:
        """How many parts of a unit the problem counts in.

        Raises:
            InstanceError: even whole units are more than a problem may count.
        """
        latest, longest = self.places[0].closes, max(place.service for place in self.places)
        prize = max(place.prize or 0 for place in self.places)
        for parts in (1,) if self.truncated else (FINEST, FINEST // 10, FINEST // 100, 1):
            if latest * parts <= MAX_TIME_S and max(longest, prize) * parts <= MAX_COST_S:
                return parts
        raise InstanceError(f"{self.name}: times or prizes are larger than a problem may have")

    @cached_property
    def problem(self) -> Problem:
        """In parts of a unit, every leg cut to a whole number of them, so that what is possible stays so."""
        parts, depot = self.parts, self.places[0]
        xy = np.array([(place.x, place.y) for place in self.places])
        lengths = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * self.stretch
        legs = np.floor(lengths * parts + (0 if self.truncated else 1e-9)).astype(np.int64).tolist()
        end = math.floor(depot.closes * parts)
        shifts = tuple(
            Shift(f"vehicle{k}", f"vehicle{k}", 0, 0, 0, end, capacity=self.capacity)
            for k in range(1, self.vehicles + 1)
        )
        jobs = []
        for number, place in enumerate(self.places[1:], start=1):
            opens, closes = math.ceil(place.opens * parts), min(math.floor(place.closes * parts), end)
            windows = (TimeWindow(opens, closes),) if opens <= closes else ()
            service, prize = round(place.service * parts), place.prize
            worth = None if prize is None else prize * parts
            jobs.append(Job(str(number), number, service, windows, penalty_s=worth, demand=place.demand))
        return Problem(tuple(jobs), shifts, legs, legs)

    def routes_of(self, solution: Solution) -> Routes:
        return [[int(id_) for id_ in route.jobs] for route in solution.routes]

    def cost_of(self, routes: Sequence[Sequence[int]]) -> float:
        """The distance driven and the prizes missed, unrounded where the format does not round."""
        driven = sum(self.distance(a, b) for route in routes if route for a, b in _legs(route))
        return driven + sum(self.places[number].prize or 0 for number in self._missed(routes))

    def broken_by(self, routes: Sequence[Sequence[int]]) -> list[str]:
        """What an answer does not keep, in sentences.

        Where distances are not whole, somebody may be late by the part of a unit that each leg was cut by.
        """
        customers = range(1, len(self.places))
        times = Counter(number for route in routes for number in route)
        strangers = [f"there is no customer {number}" for number in times if number not in customers]
        if strangers:
            return strangers
        broken = [f"customer {number} is visited {n} times" for number, n in times.items() if n > 1]
        broken += [f"customer {n} is not visited" for n in self._missed(routes) if self.places[n].prize is None]
        used = [route for route in routes if route]
        if len(used) > self.vehicles:
            broken.append(f"{len(used)} vehicles drive, and there are {self.vehicles}")
        for number, route in enumerate(used, start=1):
            broken += [f"route {number}: {what}" for what in self._broken_on(route)]
        return broken

    def _broken_on(self, route: Sequence[int]) -> list[str]:
        load = sum(self.places[number].demand for number in route)
        broken = [f"a load of {load}, at most {self.capacity}"] if load > self.capacity else []
        now, cut = 0.0, 0.0 if self.truncated else 1 / self.parts
        for leg, (a, b) in enumerate(_legs(route), start=1):
            place = self.places[b]
            now = now + (self.places[a].service if a else 0) + self.distance(a, b)
            if now > place.closes + leg * cut:
                broken.append(f"{now - place.closes:.3f} late at {f'customer {b}' if b else 'the depot'}")
            now = max(now, place.opens)
        return broken

    def _missed(self, routes: Sequence[Sequence[int]]) -> list[int]:
        visited = {number for route in routes for number in route}
        return [number for number in range(1, len(self.places)) if number not in visited]


def _legs(route: Sequence[int]) -> zip[tuple[int, int]]:
    return zip((0, *route), (*route, 0), strict=True)
