"""White space: businesses of the area's extract that no customer of ours is, as suggestions for prospecting.

OpenStreetMap knows what its contributors have seen; nobody has asked these businesses whether they want anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.spatial import KDTree

from planner.access import Scope
from planner.candidates import is_dormant
from planner.exporting import Cell
from planner.handoffs.alike import joined_name, name_percents, sorted_name
from planner.repository import Store
from planner.settings import CandidateSettings
from planner.territories.editing import territories_in
from planner.territories.looking import Customer, customers_in
from planner.territories.places import territory_of
from routing.area import Area
from routing.businesses import Business
from routing.geo import EARTH_RADIUS_M, LatLon
from routing.problem import UNREACHABLE
from routing.streets import StreetNetwork

SOURCE = "© OpenStreetMap contributors"

NEAR_M, LIKE_PERCENT = 50.0, 80
"""So near and so alike in name, a business is a customer of ours."""
STREET_M, SAME_PERCENT = 250.0, 95
"""The same one with a place that is less exact: a street's middle, a yard's gate."""


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of business, as "key=value".

    Attributes:
        customers: of ours. buying_well: of these, who buys at least what half of all customers who buy do.
        businesses: of the extract that are no customers of ours.
    """

    key: str
    customers: int
    buying_well: int
    businesses: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """A business that is no customer of ours, with whom it would be visited."""

    business: Business
    category: Category
    territory_id: str
    rep_id: str


@dataclass(frozen=True, slots=True)
class WhiteSpace:
    """Categories and prospects, the most promising first; `unplaced` customers could only be told by their names."""

    categories: tuple[Category, ...]
    prospects: tuple[Prospect, ...]
    unplaced: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """The due customer from whom a rep gets somewhere soonest."""

    account_id: str
    name: str
    minutes: float


def find_white_space(
    store: Store,
    scope: Scope,
    area: Area,
    settings: CandidateSettings,
    today: date,
    *,
    chosen: Collection[str] = (),
    others: bool = False,
) -> WhiteSpace:
    """What of an area is white space to somebody: the categories are those of the customers whom they see, but whoever
    is a customer of anybody's is no prospect.

    Raises:
        AreaError: the area was built before its businesses were read.
    """
    businesses = area.businesses().items
    with store.read(scope) as unit:
        customers, territories = customers_in(unit, area.name), territories_in(unit, area.name)
    everybody = customers
    if not scope.everybody:
        with store.read(Scope(area=area.name)) as unit:
            everybody = customers_in(unit, area.name)
    find, rep_of = territory_of(territories), {territory.id: territory.rep_id for territory in territories}

    def whose(lat: float, lon: float) -> tuple[str, str]:
        territory = find(lat, lon)
        return territory, rep_of.get(territory, "")

    return white_space(businesses, customers, everybody, today, settings, whose, chosen=chosen, others=others)


def white_space(
    businesses: Iterable[Business],
    customers: Sequence[Customer],
    everybody: Sequence[Customer],
    today: date,
    settings: CandidateSettings,
    whose: Callable[[float, float], tuple[str, str]],
    *,
    chosen: Collection[str] = (),
    others: bool = False,
) -> WhiteSpace:
    """Find the businesses that no customer covers.

    Args:
        customers: those of whoever asks; `everybody`: all of the area.
        whose: the territory and rep, by id, of a latitude and longitude; empty for none.
        chosen: categories to look at; without any, those that customers have.
        others: also categories that no customer has.
    """
    ours = Counter(each.account.category for each in customers if each.account.category)
    buying = [each.account for each in customers if each.account.annual_value > 0]
    middle = float(np.median([account.annual_value for account in buying])) if buying else 0.0
    well = Counter(
        account.category
        for account in buying
        if account.annual_value >= middle and not is_dormant(account, today, settings)
    )
    considered = [each for each in businesses if others or each.category in ours]
    covered = covered_by_customers(considered, everybody)
    free = [each for each in considered if each.id not in covered]
    left = Counter(each.category for each in free)
    categories = sorted(
        (Category(key, ours[key], well[key], left[key]) for key in left),
        key=lambda each: (-each.buying_well, -each.customers, each.key),
    )
    rank = {category.key: number for number, category in enumerate(categories)}
    shown = [each for each in free if not chosen or each.category in chosen]
    shown.sort(key=lambda each: (rank[each.category], each.name.casefold(), each.id))
    prospects = tuple(Prospect(each, categories[rank[each.category]], *whose(each.lat, each.lon)) for each in shown)
    return WhiteSpace(tuple(categories), prospects, sum(each.place is None for each in everybody))


def covered_by_customers(businesses: Sequence[Business], customers: Sequence[Customer]) -> set[str]:
    """The ids of the businesses that are customers of ours, by place and name; of one without a place by name alone."""
    unplaced = {sorted_name(each.account.name) for each in customers if each.place is None}
    covered = {each.id for each in businesses if unplaced and sorted_name(each.name) in unplaced}
    placed = [(each, each.place) for each in customers if each.place is not None]
    if not placed or not businesses:
        return covered
    names = [(sorted_name(each.account.name), joined_name(each.account.name)) for each, _ in placed]
    middle = businesses[0].place
    there = _metres([place for _, place in placed], middle)
    here = _metres([each.place for each in businesses], middle)
    for business, at, near in zip(businesses, here, KDTree(there).query_ball_point(here, STREET_M), strict=True):
        if not near or business.id in covered:
            continue
        percents = name_percents(
            business.name, [names[i][0] for i in near], [names[i][1] for i in near], min(LIKE_PERCENT, SAME_PERCENT)
        )
        metres = np.hypot(*(there[near] - at).T)
        if ((percents >= SAME_PERCENT) | ((percents >= LIKE_PERCENT) & (metres <= NEAR_M))).any():
            covered.add(business.id)
    return covered


def nearest_due(network: StreetNetwork, due: Sequence[Customer], places: Sequence[LatLon]) -> list[Nearest | None]:
    """For each place the due customer from whom driving there takes least; None where no way leads there."""
    placed = [(each.account, each.place) for each in due if each.place is not None]
    if not placed:
        return [None for _ in places]
    fan = network.fan([place for _, place in placed])
    found: list[Nearest | None] = []
    for place in places:
        seconds = fan.times(place).to_s.astype(np.int64)
        seconds[seconds == UNREACHABLE] = np.iinfo(np.int64).max
        best = int(np.argmin(seconds))
        reached = seconds[best] < np.iinfo(np.int64).max
        account = placed[best][0]
        found.append(Nearest(account.id, account.name, float(seconds[best]) / 60) if reached else None)
    return found


COLUMNS = (
    "name", "category", "address", "city", "postcode", "lat", "lon", "territory", "rep", "nearest_due_customer",
    "minutes_from_it", "customers_of_category", "of_these_buying_well", "openstreetmap_id", "source",
)  # fmt: skip


def as_rows(
    prospects: Sequence[Prospect],
    nearest: Sequence[Nearest | None],
    territories: Mapping[str, str],
    reps: Mapping[str, str],
) -> list[tuple[Cell, ...]]:
    """A list to export, with the names of territories and reps by id."""
    return [
        (
            each.business.name,
            each.business.category,
            each.business.address,
            each.business.city,
            each.business.postcode,
            each.business.lat,
            each.business.lon,
            territories.get(each.territory_id, ""),
            reps.get(each.rep_id, ""),
            near.name if near else "",
            round(near.minutes, 1) if near else None,
            each.category.customers,
            each.category.buying_well,
            each.business.id,
            SOURCE,
        )
        for each, near in zip(prospects, nearest, strict=True)
    ]


def _metres(places: Sequence[LatLon], middle: LatLon) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """East and north of the middle, for places that are near to each other; n × 2."""
    degrees = np.radians(np.array([(place.lon - middle.lon, place.lat - middle.lat) for place in places]))
    flat: np.ndarray[tuple[int, int], np.dtype[np.float64]] = degrees * EARTH_RADIUS_M
    flat[:, 0] *= np.cos(np.radians(middle.lat))
    return flat
