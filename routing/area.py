"""An area: a folder with a street network, a gazetteer and a base map, built once from one OpenStreetMap extract."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import networkx as nx

from routing.basemap import build_basemap
from routing.boundaries import Boundaries, read_boundaries
from routing.businesses import Businesses, read_businesses
from routing.errors import AreaError
from routing.extract import Progress, download_extract, read_graph
from routing.gazetteer import Gazetteer
from routing.streets import StreetNetwork

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """What an area holds, for people: counts, and the bounds (south, west, north, east)."""

    name: str
    source: str
    nodes: int
    arcs: int
    addresses: int
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """An area that has been built, by its folder. Its parts are loaded when they are asked for."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def basemap(self) -> Path:
        return self.folder / "basemap.pmtiles"

    def facts(self) -> AreaFacts:
        """Raises AreaError where area.json is damaged."""
        try:
            table = json.loads((self.folder / "area.json").read_text(encoding="utf-8"))
            return AreaFacts(**{**table, "name": self.name, "bounds": tuple(table["bounds"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise AreaError(f"area {self.name}: area.json is damaged, add the area again: {error}") from error

    def streets(self) -> StreetNetwork:
        """The compiled street network; raises AreaError where its files are damaged."""
        return StreetNetwork.load(self.folder / "streets")

    def gazetteer(self) -> Gazetteer:
        """The gazetteer; raises AreaError where its files are damaged."""
        return Gazetteer.load(self.folder / "gazetteer")

    def boundaries(self) -> Boundaries:
        """Municipalities and postcode districts; raises AreaError where the area was built before there were any."""
        return Boundaries.load(self.folder)

    def businesses(self) -> Businesses:
        """The businesses of the extract; raises AreaError where the area was built before there were any."""
        return Businesses.load(self.folder)


class Areas:
    """The areas under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self) -> list[Area]:
        """All areas, by name."""
        found = sorted(path.parent for path in self.folder.glob("*/area.json")) if self.folder.is_dir() else []
        return [Area(path) for path in found if NAME.fullmatch(path.name)]

    def get(self, name: str | None = None) -> Area:
        """The area of that name; without a name, the only one there is.

        Raises:
            AreaError: there is none, or no name was given and there are several.
        """
        areas = {area.name: area for area in self.list()}
        if name is not None:
            if name not in areas:
                raise AreaError(f"there is no area {name!r}; there {_are(list(areas))}")
            return areas[name]
        if len(areas) != 1:
            hint = "name one with --area" if areas else "build one with: fieldvisit area add NAME --extract FILE"
            raise AreaError(f"there {_are(list(areas))}: {hint}")
        return next(iter(areas.values()))

    def remove(self, name: str) -> None:
        """Delete an area's files. The records that were imported for it stay in the database."""
        shutil.rmtree(self.get(name).folder)

    def add(self, name: str, extract: Path, on_progress: Progress | None = None) -> Area:
        """Build an area from a .osm.pbf or .osm[.gz|.bz2] extract.

        Everything is built beside and moved into place at the end, so that a failed build leaves nothing behind.

        Raises:
            AreaError: the name is taken or is no plain name.
            ExtractError: the extract is missing, unreadable or has no streets.
        """
        self._check_free(name)
        say = on_progress or (lambda what, share: None)
        with self._workshop() as folder:
            graph = read_graph(extract, lambda what, share: say(what, 0.25 * share))
            say("compiling streets", 0.25)
            StreetNetwork.compile(graph).save(folder / "streets")
            gazetteer = Gazetteer.build(extract, lambda share: say("reading addresses", 0.4 + 0.2 * share))
            gazetteer.save(folder / "gazetteer")
            basemap = folder / "basemap.pmtiles"
            build_basemap(extract, basemap, lambda share: say("drawing the base map", 0.6 + 0.37 * share))
            say("reading boundaries and businesses", 0.97)
            bounds = _bounds(graph)
            read_boundaries(extract, gazetteer.doors(), bounds).save(folder)
            read_businesses(extract).save(folder)
            facts = AreaFacts(name, extract.name, len(graph), graph.size(), len(gazetteer), bounds)
            (folder / "area.json").write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=1), encoding="utf-8")
            self._check_free(name)
            folder.rename(self.folder / name)
        say("done", 1.0)
        return Area(self.folder / name)

    def download(self, name: str, place: str, on_progress: Progress | None = None) -> Area:
        """Build an area from OpenStreetMap's servers, by the name of a place.

        Raises:
            AreaError: the name is taken or is no plain name.
            ExtractError: the place is not known, or there is no network.
        """
        self._check_free(name)
        with tempfile.TemporaryDirectory() as folder:
            return self.add(name, download_extract(place, Path(folder)), on_progress)

    def _check_free(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise AreaError(f"{name!r} is no name for an area: letters, digits, - and _ only, 64 at most")
        if (self.folder / name).exists():
            raise AreaError(f"there is an area {name!r} already: remove it first, or choose another name")

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """A folder on the same disk that becomes the area, or goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _are(names: list[str]) -> str:
    return "is no area yet" if not names else "are " + ", ".join(names) if len(names) > 1 else f"is {names[0]}"


def _bounds(graph: nx.MultiDiGraph[int]) -> tuple[float, float, float, float]:
    """South, west, north, east of the streets, in degrees."""
    lats = [node["y"] for _, node in graph.nodes(data=True)]
    lons = [node["x"] for _, node in graph.nodes(data=True)]
    return min(lats), min(lons), max(lats), max(lons)
