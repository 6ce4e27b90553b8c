"""What lies in each territory, whose it is, and where territories overlap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from planner.domain import Account, RecordKind
from planner.repository import UnitOfWork
from planner.territories.domain import Territory
from planner.territories.editing import territories_in
from planner.territories.places import NOWHERE, territory_of
from routing.geo import EARTH_RADIUS_M, LatLon
from routing.shapes import Shape, from_geojson

MOST_PAIRS = 300
"""Of territories that may overlap: more are not looked at."""
LEAST_OVERLAP_KM2 = 0.01
LEAST_OVERLAP_SHARE = 0.002
"""Of the smaller one: borders that were drawn twice never fit exactly."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account, and where it is if that is known."""

    account: Account
    place: LatLon | None


@dataclass(frozen=True, slots=True)
class Held:
    """A territory and how many customers lie in it: all, those of another rep, and those of nobody."""

    territory: Territory
    square_km: float
    customers: int
    others: int
    nobodys: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All territories that are seen, in the order given; `outside` customers lie in none, of `unplaced` nobody knows
    where they are. `overlaps` are sentences."""

    held: tuple[Held, ...]
    customers: int
    outside: int
    unplaced: int
    overlaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookedOver:
    """The customers of an area that are seen, by name; the territory that each lies in; and the overview."""

    customers: tuple[Customer, ...]
    homes: tuple[str, ...]
    overview: Overview


def looked_over(unit: UnitOfWork, area: str) -> LookedOver:
    """All that is seen of an area's territories. It takes seconds where there are ten thousand customers."""
    customers, shapes = customers_in(unit, area), territories_in(unit, area)
    homes = located(shapes, customers)
    return LookedOver(tuple(customers), tuple(homes), overview(shapes, customers, homes))


def customers_in(unit: UnitOfWork, area: str) -> list[Customer]:
    """The accounts that are seen, by name."""
    records = unit.records(area)
    known = {location.record_id: location for location in records.locations() if location.kind is RecordKind.ACCOUNT}
    found = []
    for account in records.accounts():
        location = known.get(account.id)
        is_its = location is not None and location.address == account.address
        found.append(Customer(account, location.place if location is not None and is_its else None))
    return sorted(found, key=lambda each: (each.account.name.casefold(), each.account.id))


def located(territories: Sequence[Territory], customers: Sequence[Customer]) -> list[str]:
    """The territory that each customer lies in, by id, in their order; empty for none."""
    find = territory_of(territories)
    return [find(each.place.lat, each.place.lon) if each.place else NOWHERE for each in customers]


def belongs_to_another(customer: Customer, territory: Territory) -> bool:
    """Whether a customer in a territory that is some rep's is another rep's."""
    return bool(territory.rep_id and customer.account.owner_rep_id) and (
        customer.account.owner_rep_id != territory.rep_id
    )


def overview(
    territories: Sequence[Territory], customers: Sequence[Customer], homes: Sequence[str] | None = None
) -> Overview:
    """What lies where, `homes` as `located` has it. Customers whom two territories hold count for the first one."""
    homes = located(territories, customers) if homes is None else homes
    by_id = {territory.id: territory for territory in territories}
    inside = [(by_id[home], each) for home, each in zip(homes, customers, strict=True) if home]
    total = Counter(territory.id for territory, _ in inside)
    others = Counter(territory.id for territory, each in inside if belongs_to_another(each, territory))
    nobodys = Counter(territory.id for territory, each in inside if not each.account.owner_rep_id)
    shapes = [from_geojson(territory.geometry) for territory in territories]
    held = tuple(
        Held(each, _square_km(shape), total[each.id], others[each.id], nobodys[each.id])
        for each, shape in zip(territories, shapes, strict=True)
    )
    placed = sum(each.place is not None for each in customers)
    return Overview(
        held, len(customers), placed - len(inside), len(customers) - placed, tuple(overlaps(territories, shapes))
    )


def overlaps(territories: Sequence[Territory], shapes: Sequence[Shape]) -> list[str]:
    """A sentence on each two that overlap by more than what drawing a border twice comes to."""
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects") if shapes else ([], [])
    pairs = [(i, j) for i, j in zip(np.asarray(one).tolist(), np.asarray(two).tolist(), strict=True) if i < j]
    said = []
    for i, j in pairs[:MOST_PAIRS]:
        shared = _square_km(shapely.intersection(shapes[i], shapes[j]))
        least = min(_square_km(shapes[i]), _square_km(shapes[j]))
        if shared >= max(LEAST_OVERLAP_KM2, LEAST_OVERLAP_SHARE * least):
            first = min(territories[i], territories[j], key=lambda each: each.id)
            names = f"“{territories[i].name}” and “{territories[j].name}”"
            said.append(f"{names} overlap by {shared:,.2f} km²: customers there count for “{first.name}”.")
    if len(pairs) > MOST_PAIRS:
        said.append(f"{len(pairs):,} pairs of territories touch or overlap; {MOST_PAIRS} of them were looked at.")
    return said


def _square_km(shape: shapely.Geometry) -> float:
    _, south, _, north = shapely.bounds(shape).tolist()
    degree_km = math.radians(1) * EARTH_RADIUS_M / 1000
    area = float(shapely.area(shape))
    return area * degree_km**2 * math.cos(math.radians((south + north) / 2)) if area else 0.0
