"""Territories, boundaries and prospects as pages show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from planner.territories.domain import Territory, TerritorySource
from planner.territories.looking import Held
from planner.territories.white_space import Category, Nearest, Prospect
from routing.boundaries import Boundaries

SOURCES = {
    TerritorySource.IMPORTED: "imported",
    TerritorySource.MUNICIPALITY: "a boundary of the map",
    TerritorySource.POSTCODE: "a postcode district",
    TerritorySource.DRAWN: "drawn",
}
POSTCODES = "postcodes"
"""What stands for postcode districts where an admin_level is asked for."""
_LEVELS = {
    "2": "countries",
    "4": "regions and states",
    "6": "counties",
    "7": "districts",
    "8": "towns and municipalities",
    "9": "boroughs",
    "10": "communities and parts of towns",
    "11": "neighbourhoods",
}


@dataclass(frozen=True)
class TerritoryView:
    """A territory, and what was typed about it if that could not be saved.

    Attributes:
        now: where somebody else has changed it meanwhile, what it is now, as the rest of a sentence.
    """

    id: str
    revision: int
    name: str
    rep_id: str
    rep: str
    source: str
    size: str
    customers: int
    others: int
    nobodys: int
    typed_name: str
    typed_rep: str
    errors: dict[str, str] = field(default_factory=dict)
    now: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed about a territory, and why it is not saved."""

    id: str
    name: str
    rep_id: str
    errors: Mapping[str, str]
    present: Territory | None = None


def territory_view(held: Held, reps: Mapping[str, str], typed: Typed | None) -> TerritoryView:
    territory = held.territory
    its = typed if typed is not None and typed.id == territory.id else None
    rep = rep_name(territory.rep_id, reps)
    return TerritoryView(
        territory.id,
        territory.revision,
        territory.name,
        territory.rep_id,
        rep,
        SOURCES[territory.source],
        square_km(held.square_km),
        held.customers,
        held.others,
        held.nobodys,
        its.name if its else territory.name,
        its.rep_id if its else territory.rep_id,
        dict(its.errors) if its else {},
        f"called “{territory.name}” and {rep or 'nobody'}’s" if its and its.present else "",
    )


def rep_name(rep_id: str, reps: Mapping[str, str]) -> str:
    """Empty for nobody; of a rep who is not among the reps the id."""
    return reps.get(rep_id, rep_id)


def square_km(area: float) -> str:
    return f"{area:,.0f} km²" if area >= 10 else f"{area:,.1f} km²" if area >= 0.1 else f"{area:,.2f} km²"


@dataclass(frozen=True, slots=True)
class BoundaryChoice:
    """Boundaries of one kind, to be ticked; `taken` tells those whose name a territory has."""

    key: str
    text: str
    entries: tuple[tuple[str, str, bool], ...]


def boundary_choices(known: Boundaries, taken: Collection[str]) -> list[BoundaryChoice]:
    """The levels and the postcode districts that there are, the usual one first."""
    usual = known.usual_level()
    levels = sorted(known.levels(), key=lambda level: (level != usual, level))
    groups = [(str(level), known.administrative(level)) for level in levels] + [(POSTCODES, known.postcodes())]
    return [
        BoundaryChoice(
            key,
            _choice_text(key, len(group)),
            tuple((each.id, each.name, each.name.casefold() in taken) for each in group),
        )
        for key, group in groups
        if group
    ]


def _choice_text(key: str, number: int) -> str:
    if key == POSTCODES:
        return f"Postcode districts ({number:,})"
    what = _LEVELS.get(key, "boundaries")
    return f"{what.capitalize()} ({number:,}), level {key}"


@dataclass(frozen=True, slots=True)
class ProspectView:
    name: str
    category: str
    address: str
    territory: str
    rep: str
    near: str
    near_id: str
    minutes: str
    osm_url: str


_KINDS = {"n": "node", "w": "way", "r": "relation"}


def prospect_view(
    prospect: Prospect, near: Nearest | None, territories: Mapping[str, str], reps: Mapping[str, str]
) -> ProspectView:
    business = prospect.business
    town = f"{business.city} {business.postcode}".strip()
    return ProspectView(
        business.name,
        category_words(business.category),
        ", ".join(part for part in (business.address, town) if part),
        territories.get(prospect.territory_id, ""),
        rep_name(prospect.rep_id, reps),
        near.name if near else "",
        near.account_id if near else "",
        _minutes(near.minutes) if near else "",
        f"https://www.openstreetmap.org/{_KINDS[business.id[:1]]}/{business.id[1:]}",
    )


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 1 else "under 1 min"


def category_words(category: str) -> str:
    """shop=estate_agent as "estate agent (shop)"."""
    key, _, value = category.partition("=")
    return f"{value.replace('_', ' ')} ({key})" if value and value != "yes" else key


@dataclass(frozen=True, slots=True)
class CategoryView:
    key: str
    text: str
    businesses: int
    says: str
    ticked: bool


def category_views(categories: Sequence[Category], chosen: Collection[str]) -> list[CategoryView]:
    return [
        CategoryView(
            each.key,
            category_words(each.key),
            each.businesses,
            f"{each.customers:,} customers, {each.buying_well:,} of them buy well" if each.customers else "no customer",
            each.key in chosen,
        )
        for each in categories
    ]
