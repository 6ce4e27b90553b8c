"""Coverage as the map's data: columns that pack well, and what a click tells of a customer or a territory."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from planner.coverage.domain import AccountCover, Coverage, CoverageState
from planner.coverage.measures import MEASURES, Group, Row
from planner.coverage.planned import REASON_WORDS
from planner.territories.domain import Territory
from planner.territories.white_space import WhiteSpace
from routing.businesses import Business
from routing.shapes import as_geojson, from_geojson, polygonal
from webui.presenting.territories import category_words
from webui.words import count, said

WEEKS_BACK = 26
"""How far the time slider goes back."""

STATES = (
    (CoverageState.OVERDUE, "Overdue", "Their cadence has run out by a quarter of it or more."),
    (CoverageState.DUE, "Due", "Their cadence has run out, or nobody has ever visited them."),
    (CoverageState.VISITED, "Looked after", "Seen within their cadence."),
    (CoverageState.DORMANT, "Dormant", "They have stopped buying: inside sales calls them."),
)
"""States that a map shows, in the order in which a ring and the legend show them; static/coverage counts on it."""
_NUMBER = {state: number for number, (state, *_) in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class MapAccounts:
    """The accounts of a map, which the map knows by their number in `accounts`, and its data as JSON."""

    stamp: str
    accounts: tuple[AccountCover, ...]
    document: bytes

    def of(self, numbers: Iterable[int]) -> list[AccountCover]:
        """Those with these numbers; one that does not exist is left out."""
        return [self.accounts[number] for number in numbers if number < len(self.accounts)]


def map_accounts(coverage: Coverage, stamp: str) -> MapAccounts:
    """What static/coverage/covered.js unpacks.

    Every list holds a value an account, in one order: neighbours stand together, so that steps are small. Coordinates
    are steps in 1e-5 degrees; `visits` are, of each account, how many follow and then days before `as_of`, the last
    visit first, each but the first as a step; `planned` the same, of the few who have one, after the account's number.

    Args:
        coverage: cut to what the viewer sees.
        stamp: of this coverage as the viewer sees it; comes back with every question about a number.
    """
    reps = [rep.rep_id for rep in coverage.reps]
    segments = sorted({account.segment for account in coverage.accounts})
    territories = ["", *(territory.territory_id for territory in coverage.territories)]
    rep_of = {rep_id: number for number, rep_id in enumerate(reps)}
    segment_of = {segment: number for number, segment in enumerate(segments)}
    territory_of = {territory_id: number for number, territory_id in enumerate(territories)}
    shown = [account for account in coverage.accounts if account.lat is not None and account.state in _NUMBER]
    shown.sort(key=lambda account: (rep_of.get(account.rep_id, -1), _along_a_curve(account), account.account_id))
    first_day = coverage.as_of - timedelta(weeks=WEEKS_BACK)
    document = {
        "stamp": stamp,
        "as_of": coverage.as_of.isoformat(),
        "weeks": [-WEEKS_BACK, weeks_planned(coverage)],
        "reps": [[rep.rep_id, rep.name] for rep in coverage.reps],
        "segments": segments,
        "territories": [["", ""], *([each.territory_id, each.name] for each in coverage.territories)],
        "nowhere": len(coverage.accounts) - len(shown),
        "lats": _steps(round((account.lat or 0.0) * 1e5) for account in shown),
        "lons": _steps(round((account.lon or 0.0) * 1e5) for account in shown),
        "states": "".join(str(_NUMBER[account.state]) for account in shown),
        "rep": [rep_of.get(account.rep_id, -1) for account in shown],
        "segment": [segment_of[account.segment] for account in shown],
        "territory": [territory_of.get(account.territory_id, 0) for account in shown],
        "cadences": [account.cadence_days for account in shown],
        "visits": [number for account in shown for number in _visits(account, coverage.as_of, first_day)],
        "planned": [
            number
            for place, account in enumerate(shown)
            if account.planned_days
            for number in (place, *_counted([(day - coverage.as_of).days for day in account.planned_days]))
        ],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return MapAccounts(stamp, tuple(shown), text.encode("utf-8", "surrogatepass"))


def weeks_planned(coverage: Coverage) -> int:
    """How many weeks the time slider goes on: to the end of the plan that reps see."""
    if coverage.last_day is None or coverage.last_day <= coverage.as_of:
        return 0
    return -(-(coverage.last_day - coverage.as_of).days // 7)


def _visits(account: AccountCover, as_of: date, first_day: date) -> list[int]:
    """The visits from the last one before the slider's first day on."""
    before = max(0, bisect_left(account.visits, first_day) - 1)
    return _counted([(as_of - day).days for day in reversed(account.visits[before:])])


def _counted(numbers: Sequence[int]) -> list[int]:
    return [len(numbers), *_steps(numbers)]


def _steps(numbers: Iterable[int]) -> list[int]:
    """The first number, and then how much each is more than the one before."""
    steps: list[int] = []
    last = 0
    for number in numbers:
        steps.append(number - last)
        last = number
    return steps


def _along_a_curve(thing: AccountCover | Business) -> int:
    """Where something is on a curve through squares within squares (Morton 1966): near on it is near on the map."""
    y, x = round(((thing.lat or 0.0) + 90) * 1e4), round(((thing.lon or 0.0) + 180) * 1e4)
    return _spread(x) | _spread(y) << 1


def _spread(number: int) -> int:
    """The bits of a number, with a nought between each and the next."""
    return int("0".join(f"{number:b}"), 2)


# --- what a click tells -----------------------------------------------------------------------------------------------


def told(account: AccountCover, coverage: Coverage) -> tuple[str, list[str]]:
    """The name of an account, and lines about it: whose it is, how it is looked after, and what comes next."""
    reps = {rep.rep_id: rep.name for rep in coverage.reps}
    state = {one: label for one, label, _ in STATES}.get(account.state, "No place")
    if account.state is CoverageState.OVERDUE:
        state = f"{state} by {count(account.overdue_days, 'day')}"
    whose = [f"Segment {account.segment}"] if account.segment else []
    whose.append(reps.get(account.rep_id, account.rep_id) or "nobody’s")
    last = account.last_visit
    every = f"every {count(account.cadence_days, 'day')}"
    lines = [
        state,
        " · ".join(whose),
        f"Last visit {_day(last)}, {every}" if last else f"Never visited, {every}",
    ]
    if account.planned_on:
        who = reps.get(account.planned_rep, "") if account.planned_rep != account.rep_id else ""
        lines.append(f"Planned {_day(account.planned_on)}{f' by {who}' if who else ''}")
    elif account.why or account.unreached:
        lines.append(said(account.why or REASON_WORDS.get(account.unreached, "")))
    return account.name, lines


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


# --- territories ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shade:
    """A figure that territories are coloured by."""

    title: str
    definition: str
    unit: str


_OWN = {
    "overdue_share": Shade(
        "Overdue share", "How many of its customers are overdue, of those who are not dormant.", "share"
    ),
    "short": Shade(
        "Hours short a month",
        "What its customers take of the hours that their reps are missing, by the minutes that each customer needs.",
        "hours",
    ),
    "value": Shade("Value a year", "What its customers buy for in a year, added up.", "money"),
}
_FIRST = ("overdue_share", "short", "customers", "value")


def _shades() -> dict[str, Shade]:
    known = {
        measure.key: Shade(measure.title, measure.definition, measure.unit.value)
        for measure in MEASURES.values()
        if measure.told_by(Group.TERRITORY)
    }
    every = known | _OWN
    return {key: every[key] for key in dict.fromkeys((*_FIRST, *every))}


SHADES = _shades()
"""By key; those that are asked for most come first."""

MOST_CORNERS = 200
"""A shape with more is simplified on the map, and cannot be changed by hand there."""
SIMPLER = 1e-4
"""In degrees, some ten metres."""


def territory_features(coverage: Coverage, rows: Sequence[Row], territories: Sequence[Territory]) -> dict[str, Any]:
    """Territories as GeoJSON, with their figures by the keys of `SHADES`; None of one that is newer than the figures.

    Args:
        coverage, rows: cut to what the viewer sees; the rows are those by territory.
        territories: the ones that the viewer sees.
    """
    names = {rep.rep_id: rep.name for rep in coverage.reps}
    figures = {row.value: row.figures for row in rows}
    value: dict[str, float] = defaultdict(float)
    short: dict[str, float] = defaultdict(float)
    reps = {rep.rep_id: rep for rep in coverage.reps}
    for account in coverage.accounts:
        value[account.territory_id] += account.annual_value
        rep = reps.get(account.rep_id)
        if rep is not None and rep.needed:
            short[account.territory_id] += rep.shortfall * account.minutes_a_month / rep.needed / 60

    def figures_of(territory_id: str) -> dict[str, float | None]:
        row = figures.get(territory_id)
        if row is None:
            return dict.fromkeys(SHADES)
        active = (row["customers"] or 0) - (row["dormant"] or 0)
        own = {
            "overdue_share": (row["overdue"] or 0) / active if active else None,
            "short": short[territory_id],
            "value": value[territory_id],
        }
        return {key: _rounded({**row, **own}[key]) for key in SHADES}

    return {
        "type": "FeatureCollection",
        "measures": {key: {"title": s.title, "definition": s.definition, "unit": s.unit} for key, s in SHADES.items()},
        "features": [
            {
                "type": "Feature",
                "geometry": _drawable(territory.geometry),
                "properties": {
                    "id": territory.id,
                    "revision": territory.revision,
                    "name": territory.name,
                    "rep_id": territory.rep_id,
                    "rep": names.get(territory.rep_id, territory.rep_id),
                    "corners": _corners(territory.geometry),
                    "figures": figures_of(territory.id),
                },
            }
            for territory in territories
        ],
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def _corners(geometry: Mapping[str, Any]) -> int:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return sum(len(ring) for polygon in polygons for ring in polygon)


def _drawable(geometry: Mapping[str, Any]) -> Mapping[str, Any]:
    """As it is where somebody may move its corners, simplified where nobody can."""
    if _corners(geometry) <= MOST_CORNERS:
        return geometry
    return as_geojson(polygonal(from_geojson(geometry).simplify(SIMPLER)) or from_geojson(geometry))


# --- white space ------------------------------------------------------------------------------------------------------


def map_businesses(found: WhiteSpace) -> dict[str, Any]:
    """The businesses as columns: places as steps, as in `map_accounts`, and of each its category's number, its name and
    its address."""
    prospects = sorted(found.prospects, key=lambda prospect: _along_a_curve(prospect.business))
    number = {category.key: place for place, category in enumerate(found.categories)}
    return {
        "categories": [[each.key, category_words(each.key), each.businesses] for each in found.categories],
        "lats": _steps(round(each.business.lat * 1e5) for each in prospects),
        "lons": _steps(round(each.business.lon * 1e5) for each in prospects),
        "category": [number[each.category.key] for each in prospects],
        "names": [each.business.name for each in prospects],
        "addresses": [each.business.address for each in prospects],
    }
