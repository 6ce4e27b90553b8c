"""How the customers of each rep lie: whether they hang together, and how far they are from their middle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.alignment import Site
from routing.alignment.adjacency import neighbours
from routing.alignment.aggregation import middle_of, units_of
from routing.alignment.aligning import MOST_UNITS, UNITS_A_CENTRE
from routing.alignment.driving import metres_of
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.travel_times import TravelTimeSource

NOBODY = ""


@dataclass(frozen=True, slots=True)
class Lying:
    """`apart`: customers who do not hang together with most of the rep's others, by id; `away_minutes`: on average,
    from the customer in their middle to each."""

    apart: frozenset[str] = frozenset()
    away_minutes: float = 0.0


def lying(
    customers: Mapping[str, LatLon],
    others: Mapping[str, LatLon],
    owners: Sequence[Mapping[str, str]],
    reps: int,
    source: TravelTimeSource,
) -> list[dict[str, Lying]]:
    """For each of several ways to give the same customers to owners, how those of each owner lie.

    Customers who lie together count as one place; two customers hang together where their places touch, as the
    realignment has it (`routing.alignment.adjacency`).

    Args:
        customers: their places, by id.
        others: places of owners that are not counted, but may lie between customers.
        owners: of both, by id; who has no place makes no difference.
        reps: how many work, since that is how finely the realignment looks.
        source: the streets.
    """
    places = {**customers, **others}
    ids = sorted({id_ for given in owners for id_ in given} & places.keys())
    metres = metres_of([Site(id_, places[id_], 0.0, 0) for id_ in ids])
    units = units_of(metres, min(MOST_UNITS, UNITS_A_CENTRE * reps))
    middles = [places[ids[middle_of(metres, unit)]] for unit in units]
    touching = neighbours(middles, source.travel_times(middles).seconds)[0] if middles else np.empty((0, 2), np.intp)
    of_unit = [[ids[member] for member in unit.tolist()] for unit in units]
    return [_lying(of_unit, touching.tolist(), given, customers, source) for given in owners]


def _lying(
    units: Sequence[Sequence[str]],
    touching: Sequence[tuple[int, int]],
    given: Mapping[str, str],
    customers: Mapping[str, LatLon],
    source: TravelTimeSource,
) -> dict[str, Lying]:
    of_owner: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for number, unit in enumerate(units):
        for id_ in unit:
            of_owner[given.get(id_, NOBODY)][number].append(id_)
    of_owner.pop(NOBODY, None)
    found = {}
    for owner, members in of_owner.items():
        number_of = {unit: number for number, unit in enumerate(members)}
        ends = [(number_of[a], number_of[b]) for a, b in touching if a in members and b in members]
        at = np.array(ends, dtype=np.intp).reshape(-1, 2)
        graph = coo_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(len(members), len(members)))
        part = connected_components(graph, directed=False)[1]
        sizes = np.bincount(part, [sum(id_ in customers for id_ in ids) for ids in members.values()])
        its = [customers[id_] for ids in members.values() for id_ in ids if id_ in customers]
        if its:
            alone = {
                id_ for which, ids in zip(part, members.values(), strict=True) if which != sizes.argmax() for id_ in ids
            }
            found[owner] = Lying(frozenset(alone & customers.keys()), _away_minutes(its, source))
    return found


def _away_minutes(places: Sequence[LatLon], source: TravelTimeSource) -> float:
    at = np.array([(place.lat, place.lon) for place in places])
    middle = places[int(((at - at.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    seconds = source.fan(places).times(middle).from_s
    reached = seconds[seconds != UNREACHABLE]
    return float(reached.mean()) / 60 if len(reached) else 0.0
