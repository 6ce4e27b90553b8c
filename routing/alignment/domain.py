"""The values of an alignment: which sites go to which centre, and what it costs.

A *site* is visited again and again by one *centre*: a base with so many minutes a month. Sites that lie together and go
together make a *unit*; all arithmetic is on units. All costs are minutes a month, or what is worth as much:

    cost = driving + price of a move × sites moved + price of unevenness × unevenness + price of lying apart

*Unevenness* compares the minutes that each centre's sites take (on the spot and driving) with its even share: the
minutes that all sites take, divided in the ratio of the minutes that the centres have, so that who works half the hours
gets half the work. What lies within a *band* around the even share is even enough. Beyond it, unevenness is the sum of
what the centres are off, plus what the fullest and the emptiest are off (in minutes of an average centre), so that no
single one bears it all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import DAY_S
from routing.workload import Base

Minutes = NDArray[np.float64]
Numbers = NDArray[np.intp]
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Site:
    """A place that is visited again and again.

    Attributes:
        id: names it in the answer.
        service_s: of one visit, with parking.
        current: the centre that it belongs to now; empty for none. It need not be among the centres any more.
        pinned: the centre that it must go to; empty for any.
        beside: the site with which it goes, unless it is pinned, or the other is in no unit; empty for none.
    """

    id: str
    place: LatLon
    times_a_month: float
    service_s: int
    current: str = ""
    pinned: str = ""
    beside: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.times_a_month) and self.times_a_month >= 0):
            raise RoutingError(f"{self.id}: {self.times_a_month!r} times a month is no number of visits")
        if not 0 <= self.service_s <= DAY_S:
            raise RoutingError(f"{self.id}: service_s {self.service_s} is not between 0 and a day")


@dataclass(frozen=True, slots=True)
class Centre:
    """Who visits: where the days start and end, the minutes a month there are, and those that are taken already by
    what is nobody's to give away."""

    id: str
    base: Base
    there: float
    busy: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.there) and self.there > 0):
            raise RoutingError(f"centre {self.id}: {self.there!r} minutes a month are not more than none")
        if not (math.isfinite(self.busy) and self.busy >= 0):
            raise RoutingError(f"centre {self.id}: {self.busy!r} minutes a month cannot be taken")


@dataclass(frozen=True, slots=True)
class Prices:
    """What counts how much, in minutes of driving a month.

    Attributes:
        move: of one site that loses its centre while that is still there.
        unevenness: of one minute of it (see above).
        band: the share of an even share by which a centre may be off and still be even enough.
        one_piece: whether every centre's sites have to hang together. If not, sites may stay where they are however
            they lie, and only what a centre gets has to touch what it has.
        apart: of each minute from a site to the main part of what its centre has now; only where not in one piece.
    """

    move: float = 20.0
    unevenness: float = 1.0
    band: float = 0.0
    one_piece: bool = True
    apart: float = 0.0

    def __post_init__(self) -> None:
        for name, price in (("move", self.move), ("unevenness", self.unevenness), ("apart", self.apart)):
            if not (math.isfinite(price) and 0 <= price <= 1e6):
                raise RoutingError(f"the price of {name} is {price!r}, not between 0 and a million")
        if not 0 <= self.band <= 1:
            raise RoutingError(f"the band is {self.band!r}, not between 0 and 1")


@dataclass(frozen=True, eq=False)
class AlignmentProblem:
    """What the model needs: n units, m centres, all as arrays. Pinned sites are in no unit where territories have to
    be in one piece; else they are in units that only one centre may have.

    Attributes:
        needed: n × m minutes a month that a unit takes under each centre, driving included; infinite where no way
            leads.
        price: n × m minutes a month that giving a unit to a centre costs: its driving, its moves, lying apart.
        fixed: m minutes a month that each centre is busy, and of its pinned sites in no unit, driving included.
        fixed_price: minutes a month of driving and moves of all pinned sites in no unit.
        there: m minutes a month that there are.
        neighbours: pairs of units that touch, e × 2.
        roots: m units, all different: where each centre's territory grows from; `NOBODY` for a centre that has none.
        seeds: n × m, which units a centre may have though no neighbour is its own, one centre a unit at most: its root,
            and, where sites may stay where they are, all that it has now.
        levels: n × m, how far a unit is from a centre's seeds from neighbour to neighbour; infinite where no way leads.
        unevenness_price: of a minute of it, in minutes; band: the share of an even share that does not count.
    """

    needed: Minutes
    price: Minutes
    fixed: Minutes
    fixed_price: float
    there: Minutes
    neighbours: Numbers
    roots: Numbers
    seeds: NDArray[np.bool_]
    levels: Minutes
    unevenness_price: float
    band: float = 0.0

    def loads(self, owner: Numbers) -> Minutes:
        """m minutes a month that the centres' sites take."""
        m = len(self.there)
        loads: Minutes = self.fixed + np.bincount(owner, self.needed[np.arange(len(owner)), owner], minlength=m)
        return loads

    def unevenness(self, loads: Minutes) -> float:
        """Minutes, as defined above."""
        even = loads.sum() / self.there.sum()
        off = np.maximum(np.abs(loads - even * self.there) - self.band * even * self.there, 0.0)
        fullness = loads / self.there
        most, least = fullness.max() - (1 + self.band) * even, (1 - self.band) * even - fullness.min()
        return float(off.sum() + (max(most, 0.0) + max(least, 0.0)) * self.there.mean())

    def cost(self, owner: Numbers) -> float:
        """What an alignment costs; infinite where a centre cannot get to one of its units."""
        steady = self.fixed_price + self.price[np.arange(len(owner)), owner].sum()
        return float(steady + self.unevenness_price * self.unevenness(self.loads(owner)))


@dataclass(frozen=True)
class Alignment:
    """Which centre each site goes to.

    Attributes:
        owner: centre by site. Sites that no centre can get to are not in it.
        moved: sites that had a centre and get another one.
        apart: sites in parts of territories that do not touch the rest, because pins leave no other way; where sites
            may stay where they are, those that a centre gets and that touch nothing that it has.
        unreached: sites that no centre can get to.
        needed: minutes a month by centre, driving included, by the model's own estimate.
        drive: minutes of driving a month of all centres, by the same.
        spread: the fullest centre's minutes needed ÷ there, over the same of all; 1 is perfectly even.
        cost, bound: minutes; no alignment of these units costs less than `bound`.
        units: that the sites were put into.
        seconds: that it took.
    """

    owner: Mapping[str, str]
    moved: tuple[str, ...]
    apart: tuple[str, ...]
    unreached: tuple[str, ...]
    needed: Mapping[str, float]
    drive: float
    spread: float
    cost: float
    bound: float
    units: int
    seconds: float

    @property
    def gap(self) -> float:
        """How much dearer than the bound this is at most, as a share of it."""
        return max(0.0, self.cost - self.bound) / self.cost if self.cost else 0.0
