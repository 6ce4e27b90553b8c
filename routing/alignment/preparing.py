"""From sites and centres to a problem of units, and back from units to sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.alignment.adjacency import neighbours
from routing.alignment.aggregation import middle_of, units_of
from routing.alignment.contiguity import levels_of, main_parts, roots_of, seeds_of, units_apart
from routing.alignment.domain import NOBODY, Alignment, AlignmentProblem, Centre, Minutes, Numbers, Prices, Site
from routing.alignment.driving import calibrated, drive_under, leg_seconds, metres_of
from routing.errors import RoutingError
from routing.problem import UNREACHABLE
from routing.travel_times import TravelTimeSource


@dataclass(frozen=True, eq=False)
class Prepared:
    """A problem, and what its numbers stand for.

    Attributes:
        sites: those that any centre can get to, and `unreached` the ids of the others.
        drive: sites × centres minutes of driving a month.
        current, pinned: numbers of centres of each site, or `NOBODY`.
        units: numbers of the sites in each unit.
        nearest: the unit of each site, or for a site in none the one that lies nearest.
    """

    sites: Sequence[Site]
    centres: Sequence[Centre]
    unreached: tuple[str, ...]
    drive: Minutes
    current: Numbers
    pinned: Numbers
    units: Sequence[Numbers]
    nearest: Numbers
    problem: AlignmentProblem

    def alignment(self, owner: Numbers, bound: float, seconds: float) -> Alignment:
        """The owners of the units as an answer about sites."""
        problem, names = self.problem, [centre.id for centre in self.centres]
        of_site = self.pinned.copy()
        for unit, sites in enumerate(self.units):
            of_site[sites] = owner[unit]
        unit_apart = np.zeros(len(self.units) + 1, dtype=np.bool_)
        unit_apart[units_apart(owner, problem.neighbours, problem.seeds)] = True
        loads = problem.loads(owner)
        even = loads.sum() / problem.there.sum()
        cost = problem.cost(owner)
        given = {site.id: names[of_site[number]] for number, site in enumerate(self.sites)}
        return Alignment(
            owner=given,
            moved=tuple(site.id for site in self.sites if site.current not in ("", given[site.id])),
            apart=tuple(
                site.id
                for number, site in enumerate(self.sites)
                if self._apart(number, int(of_site[number]), owner, unit_apart)
            ),
            unreached=self.unreached,
            needed=dict(zip(names, loads.tolist(), strict=True)),
            drive=float(self.drive[np.arange(len(of_site)), of_site].sum()),
            spread=float((loads / problem.there).max() / even) if even else 1.0,
            cost=cost,
            bound=min(bound, cost),
            units=len(self.units),
            seconds=seconds,
        )

    def _apart(self, site: int, centre: int, owner: Numbers, unit_apart: NDArray[np.bool_]) -> bool:
        """A site is where its unit is; a pinned one touches its territory where the nearest unit is of that, or a
        neighbour of that unit."""
        at = int(self.nearest[site])
        if self.pinned[site] == NOBODY:
            return bool(unit_apart[at])
        around = self.problem.neighbours[np.any(self.problem.neighbours == at, axis=1)].ravel()
        near = np.append(around, at) if at != NOBODY else np.empty(0, dtype=np.intp)
        return not np.any((owner[near] == centre) & ~unit_apart[near])


def prepare(
    sites: Sequence[Site],
    centres: Sequence[Centre],
    source: TravelTimeSource,
    prices: Prices,
    most_units: int,
    drive_s: Mapping[str, float] | None = None,
) -> Prepared:
    """The problem of giving these sites to these centres.

    Args:
        drive_s: see `align`.

    Raises:
        RoutingError: no centres, an id that occurs twice, a site pinned to what is no centre.
    """
    number = _checked(sites, centres)
    out, back = _stems(sites, centres, source)
    reached = np.any(np.isfinite(out + back), axis=1)
    unreached = tuple(site.id for site, ok in zip(sites, reached, strict=True) if not ok)
    sites = [site for site, ok in zip(sites, reached, strict=True) if ok]
    out, back = out[reached], back[reached]
    current = np.array([number.get(site.current, NOBODY) for site in sites], dtype=np.intp)
    pinned = np.array([number.get(site.pinned, NOBODY) for site in sites], dtype=np.intp)
    m_per_s = calibrated(sites, centres, out, back, current, source, drive_s)
    drive = drive_under(centres, sites, out, back, leg_seconds(sites, np.zeros(len(sites), dtype=np.intp), m_per_s))
    needed = drive + np.array([site.times_a_month * site.service_s / 60 for site in sites])[:, None]
    price = drive + prices.move * ((current[:, None] != NOBODY) & (current[:, None] != np.arange(len(centres))))
    tied = np.flatnonzero(pinned != NOBODY) if prices.one_piece else np.empty(0, dtype=np.intp)
    # Whose sites may stay where they are must not have to go because those beside them do.
    stays = np.full(len(sites), NOBODY) if prices.one_piece else np.where(pinned != NOBODY, pinned, current)
    leader = _leaders(sites, tied, pinned)
    free = np.setdiff1d(np.flatnonzero(leader == NOBODY), tied)
    units, middles = _units(sites, free, stays, np.isfinite(drive), most_units)
    units = _followed(units, leader)
    places = [sites[middle].place for middle in middles.tolist()]
    touching, apart = neighbours(places, source.travel_times(places).seconds)
    own = np.array([np.bincount(current[unit] + 1, minlength=len(centres) + 1)[1:] for unit in units], dtype=np.float64)
    own = own.reshape(-1, len(centres))
    roots = roots_of((out + back)[middles], own, touching)
    unit_needed = np.array([needed[unit].sum(axis=0) for unit in units]).reshape(-1, len(centres))
    reached = np.isfinite(unit_needed)
    seeds = seeds_of(roots, stays[middles], reached)
    unit_price = np.array([price[unit].sum(axis=0) for unit in units]).reshape(-1, len(centres))
    if not prices.one_piece:
        sizes = np.array([np.sum(leader[unit] == NOBODY) for unit in units], dtype=np.float64)
        away = levels_of(touching, apart, main_parts(stays[middles], sizes, roots, touching), reached) / 60
        unit_price += prices.apart * sizes[:, None] * np.where(np.isfinite(away), away, 0.0)
    fixed = np.array([centre.busy for centre in centres])
    np.add.at(fixed, pinned[tied], needed[tied, pinned[tied]])
    problem = AlignmentProblem(
        needed=unit_needed,
        price=unit_price,
        fixed=fixed,
        fixed_price=float(price[tied, pinned[tied]].sum()),
        there=np.array([centre.there for centre in centres]),
        neighbours=touching,
        roots=roots,
        seeds=seeds,
        levels=levels_of(touching, apart, seeds, reached),
        unevenness_price=prices.unevenness,
        band=prices.band,
    )
    return Prepared(sites, centres, unreached, drive, current, pinned, units, _nearest(sites, units, middles), problem)


def _checked(sites: Sequence[Site], centres: Sequence[Centre]) -> dict[str, int]:
    """The numbers of the centres."""
    number = {centre.id: k for k, centre in enumerate(centres)}
    if not centres:
        raise RoutingError("there is no centre to give sites to")
    if len(number) < len(centres):
        raise RoutingError("the id of a centre occurs twice")
    if len({site.id for site in sites}) < len(sites):
        raise RoutingError("the id of a site occurs twice")
    for site in sites:
        if site.pinned and site.pinned not in number:
            raise RoutingError(f"{site.id}: pinned to {site.pinned}, which is no centre")
    return number


def _stems(sites: Sequence[Site], centres: Sequence[Centre], source: TravelTimeSource) -> tuple[Minutes, Minutes]:
    """n × m seconds from the start of each centre's days to each site, and back to the end of them; infinite where the
    one or the other does not lead there, or the site is pinned to another centre."""
    fan = source.fan([site.place for site in sites])
    out, back = (np.full((len(sites), len(centres)), np.inf) for _ in range(2))
    for c, centre in enumerate(centres):
        there, home = fan.times(centre.base.start).from_s, fan.times(centre.base.end).to_s
        other = np.array([site.pinned not in ("", centre.id) for site in sites], dtype=np.bool_)
        reached = (there != UNREACHABLE) & (home != UNREACHABLE) & ~other
        out[reached, c], back[reached, c] = there[reached], home[reached]
    return out, back


def _units(
    sites: Sequence[Site], free: Numbers, stays: Numbers, reached: NDArray[np.bool_], most: int
) -> tuple[list[Numbers], Numbers]:
    """The free sites in units, of which each centre reaches all sites or none and all may stay with the same one, and
    the site in the middle of each."""
    metres = metres_of(sites)
    units: list[Numbers] = []
    kinds = np.column_stack((reached, stays))
    for kind in np.unique(kinds[free], axis=0):
        alike = free[np.all(kinds[free] == kind, axis=1)]
        units += [alike[group] for group in units_of(metres[alike], -(-most * len(alike) // len(free)))]
    return units, np.array([middle_of(metres, unit) for unit in units], dtype=np.intp)


def _leaders(sites: Sequence[Site], tied: Numbers, pinned: Numbers) -> Numbers:
    """The number of the site with which each one goes; `NOBODY` for one that goes by itself."""
    number = {site.id: at for at, site in enumerate(sites) if not site.beside}
    leader = np.array([number.get(site.beside, NOBODY) for site in sites], dtype=np.intp)
    leader[np.isin(leader, tied) | (pinned != NOBODY)] = NOBODY
    return leader


def _followed(units: Sequence[Numbers], leader: Numbers) -> list[Numbers]:
    """The units with all that goes with their sites."""
    return [np.concatenate((unit, np.flatnonzero(np.isin(leader, unit)))) for unit in units]


def _nearest(sites: Sequence[Site], units: Sequence[Numbers], middles: Numbers) -> Numbers:
    metres = metres_of(sites)
    nearest = np.full(len(sites), NOBODY, dtype=np.intp)
    for unit, members in enumerate(units):
        nearest[members] = unit
    for site in np.flatnonzero(nearest == NOBODY).tolist() if units else ():
        nearest[site] = np.argmin(((metres[middles] - metres[site]) ** 2).sum(axis=1))
    return nearest
