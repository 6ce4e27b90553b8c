"""What pages are made from: plans in the store, areas on disk, and the roads between stops, each read once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from planner.access import EVERYTHING, Scope
from planner.domain import Location, Record
from planner.errors import PlannerError
from planner.handoffs.conflicts import Directories
from planner.locating import review_list
from planner.repository import Store, StoredPlan
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.territories.looking import LookedOver, looked_over
from planner.territories.white_space import WhiteSpace, find_white_space
from routing.area import Area, Areas
from routing.errors import RoutingError, UnreachableError
from routing.gazetteer import Gazetteer
from routing.geo import LatLon
from routing.isochrones import isochrones
from routing.lines import thinned
from routing.preparing import make_ready
from routing.shapes import as_geojson
from routing.streets import StreetNetwork
from webui.errors import PlanUnreadableError, WebError
from webui.maps import TileServer
from webui.presenting import PlanView, RepDayView, view_of

Line = tuple[tuple[float, float], ...]
"""Points as (lat, lon) in degrees."""
ThinLine = list[list[float]]
THIN_M = 5.0
"""A phone's line is this true to the road: nobody sees the difference, and a week's lines are a sixth as large."""


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan with what is known about it besides its content."""

    stored: StoredPlan
    versions: tuple[StoredPlan, ...]
    published: int | None
    view: PlanView


@dataclass(frozen=True, slots=True)
class Roads:
    """The road of each drive of a day, in order; `problem` says why they are straight lines, if they are."""

    lines: tuple[Line, ...]
    problem: str = ""


class Sources:
    """Reads for every request; keeps street networks and the lines drawn on them. Safe in several threads."""

    def __init__(self, store: Store, areas: Areas, settings: Settings) -> None:
        self.store = store
        self.areas = areas
        self._booking = settings.booking
        self._candidates = settings.candidates
        self.agendas = Agendas(self.streets, settings)
        self.directories = Directories()
        self.tiles: TileServer | None = None
        if settings.map.tile_url:
            self.tiles = TileServer(settings.map.tile_url, settings.map.tile_attribution)
        self._drawing = threading.Lock()
        self._spreading = threading.Lock()
        self._network = lru_cache(maxsize=4)(_load)
        self._gazetteer = lru_cache(maxsize=4)(_load_gazetteer)
        self._line = lru_cache(maxsize=20_000)(self._draw)
        self._thin = lru_cache(maxsize=20_000)(self._draw_thin)
        self._white = lru_cache(maxsize=8)(self._white_space)
        self._looked_over = lru_cache(maxsize=8)(self._look_over)
        self._reach = lru_cache(maxsize=200)(self._spread)

    def streets(self, area: str) -> StreetNetwork:
        """The streets of an area, the same object until it is built again. Raises AreaError."""
        found = self.areas.get(area)
        return self._network(found.folder, _built(found))

    def areas_in(self, scope: Scope) -> list[Area]:
        """The areas of which anything is seen."""
        return [area for area in self.areas.list() if scope.sees(area.name)]

    def plan(self, scope: Scope, area: str, version: int | None) -> ShownPlan | None:
        """What is seen of a version; or of the one published last, or else the newest; None where there is no plan.

        Raises:
            NotFoundError: there is no such version.
            PlanUnreadableError: it cannot be shown.
        """
        with self.store.read(scope) as unit:
            plans = unit.plans(area)
            stored = plans.latest(published=True) or plans.latest() if version is None else plans.get(version)
            versions, published = plans.list(), plans.published_version()
        if stored is None:
            return None
        try:
            return ShownPlan(stored, tuple(versions), published, view_of(stored.document or ""))
        except PlanUnreadableError as error:
            raise PlanUnreadableError(f"Plan {stored.version}: {error}") from error

    def review(self, scope: Scope, area: str) -> list[tuple[Location, str]]:
        """The addresses that nobody is sure of, each with the name of its record."""
        with self.store.read(scope) as unit:
            locations = review_list(unit, area)
            records = unit.records(area)
            everybody: Sequence[Record] = [*records.reps(), *records.accounts(), *records.opportunities()]
        names = {(record.kind, record.id): record.name for record in everybody}
        return [
            (
                location,
                names.get((location.kind, location.record_id))
                or names.get((location.kind, location.record_id.removesuffix("/end")), ""),
            )
            for location in locations
        ]

    def next_step(self, scope: Scope, area: str) -> str:
        """The command that brings an area without a plan one step on."""
        with self.store.read(scope) as unit:
            records = unit.records(area)
            if not records.reps() or not (records.accounts() or records.opportunities()):
                return "import --reps reps.csv --accounts accounts.csv --opportunities opportunities.csv"
            return "plan" if records.locations() else "geocode"

    def roads(self, area: Area, day: RepDayView) -> Roads:
        """The roads of a day; straight lines, and why, where the area's streets cannot be read."""
        return self.roads_along(area, day.places)

    def roads_along(self, area: Area, places: Sequence[tuple[float, float]]) -> Roads:
        """The same from each place to the next."""
        built = _built(area)
        drives = list(pairwise(places))
        try:
            return Roads(tuple(self._line(area.folder, built, a, b) for a, b in drives))
        except RoutingError as error:
            return Roads(tuple(drives), str(error))

    def thin_roads(self, area: Area, places: Sequence[tuple[float, float]]) -> list[ThinLine]:
        """The same with as few points as a phone can do with, each as [lat, lon]; none where the place is the same."""
        built = _built(area)
        return [self._thin(area.folder, built, a, b) if a != b else [] for a, b in pairwise(places)]

    def reached(self, area: Area, place: LatLon) -> tuple[dict[str, Any], ...]:
        """How far somebody drives from a place in the `routing.isochrones.MINUTES`, as GeoJSON geometries."""
        return self._reach(area.folder, _built(area), place)

    def white_space(
        self, scope: Scope, area: Area, today: date, chosen: frozenset[str] = frozenset(), others: bool = False
    ) -> WhiteSpace:
        """As `planner.territories.white_space.find_white_space`, found again only where something has changed."""
        with self.store.read(scope) as unit:
            records = unit.records(area.name).fingerprint()
        return self._white(area.folder, _built(area), records, scope, today, chosen, others)

    def territories(self, scope: Scope, area: Area) -> LookedOver:
        """What lies in which territory, looked at again only where something has changed."""
        with self.store.read(scope) as unit:
            records = unit.records(area.name).fingerprint()
        return self._looked_over(area.name, records, scope)

    def gazetteer(self, area: Area) -> Gazetteer:
        """The area's addresses. Raises AreaError where they cannot be read."""
        return self._gazetteer(area.folder, _built(area))

    def warm(self, area: Area, today: date) -> None:
        """Have ready what booking asks for while somebody is on the phone, and draw every line of the plan that is
        shown, so that no visitor waits; a problem with it is theirs to see."""
        with suppress(PlannerError, RoutingError, WebError):
            self.gazetteer(area)
            with self.store.read(Scope(area=area.name)) as unit:
                self.agendas.agenda(unit, area.name, today, today + timedelta(days=self._booking.days))
        with suppress(PlannerError, RoutingError, WebError):
            shown = self.plan(EVERYTHING, area.name, None)
            for day in shown.view.rep_days.values() if shown else ():
                self.roads(area, day)

    def _draw(self, folder: Path, built: float, a: tuple[float, float], b: tuple[float, float]) -> Line:
        # The contraction hierarchy keeps the state of its last query: one thread at a time.
        with self._drawing:
            network = self._network(folder, built)
            try:
                return tuple((point.lat, point.lon) for point in network.leg(LatLon(*a), LatLon(*b)).points)
            except UnreachableError:
                return (a, b)

    def _draw_thin(self, folder: Path, built: float, a: tuple[float, float], b: tuple[float, float]) -> ThinLine:
        try:
            return thinned(self._line(folder, built, a, b), THIN_M)
        except RoutingError:
            return thinned((a, b), THIN_M)

    def _white_space(
        self, folder: Path, built: float, records: str, scope: Scope, today: date, chosen: frozenset[str], others: bool
    ) -> WhiteSpace:
        area, settings = Area(folder), self._candidates
        return find_white_space(self.store, scope, area, settings, today, chosen=chosen, others=others)

    def _look_over(self, area: str, records: str, scope: Scope) -> LookedOver:
        with self.store.read(scope) as unit:
            return looked_over(unit, area)

    def _spread(self, folder: Path, built: float, place: LatLon) -> tuple[dict[str, Any], ...]:
        # A second of work or more: one at a time, so that the other pages are still served.
        with self._spreading:
            return tuple(as_geojson(shape) for shape in isochrones(self._network(folder, built), place))


def warm_all(sources: Sources, now: datetime) -> None:
    """Have everything ready that visitors of any area ask for first."""
    with suppress(RoutingError):
        make_ready()
    for area in sources.areas.list():
        sources.warm(area, now.date())


def _built(area: Area) -> float:
    return (area.folder / "area.json").stat().st_mtime


def _load_gazetteer(folder: Path, built: float) -> Gazetteer:
    """Ready to be asked: what it looks things up in takes half a second to make, once."""
    gazetteer = Area(folder).gazetteer()
    gazetteer.complete("nowhere")
    return gazetteer


def _load(folder: Path, built: float) -> StreetNetwork:
    """An area's streets; `built` tells one building of an area from the next."""
    return Area(folder).streets()
