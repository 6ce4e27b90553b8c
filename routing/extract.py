"""An OpenStreetMap extract, or the name of a place, becomes an OSMnx street graph.

Extracts are read by libosmium, which understands PBF and XML (plain, gzip, bzip2) alike and does not mind that the
cutting of an extract left ways behind whose nodes are missing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import requests
import shapely

from routing.errors import ExtractError
from routing.geo import LatLon, great_circle_m
from routing.speeds import CLASS_KMH

Progress = Callable[[str, float], None]
"""Called with what is being done now, and the share of the whole that is done, 0 to 1."""

EXTRACT_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")

_OPEN_IF_ALLOWED = frozenset({"track", "pedestrian"})
"""Closed to cars unless the way itself says otherwise."""
_ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
"""The most particular tag counts."""
_SHUT = frozenset({"no", "agricultural", "forestry", "emergency", "psv", "bus", "military", "use_sidepath"})
_ALLOWED = frozenset({"yes", "permissive", "designated", "destination", "customers", "delivery", "private"})
_BLOCKING_BARRIERS = frozenset(
    {"block", "bollard", "bus_trap", "chain", "cycle_barrier", "debris", "fence", "hedge", "jersey_barrier"}
    | {"kissing_gate", "log", "motorcycle_barrier", "planter", "stile", "sump_buster", "turnstile", "wall"}
)
_KEPT_TAGS = ("highway", "maxspeed", "name", "junction", "service", "access", "tunnel")


@dataclass(frozen=True, slots=True)
class _Way:
    osmid: int
    nodes: tuple[int, ...]
    tags: Mapping[str, str]
    forward: bool
    backward: bool


def read_graph(extract: Path, progress: Progress | None = None) -> nx.MultiDiGraph[int]:
    """Read every street that a car may use, service roads and yards included.

    Ways are cut wherever two of them meet, at traffic signals, and where nodes are missing because the extract
    was clipped. At a bollard, or another barrier that stops cars, the ends are not joined.

    Args:
        extract: an `.osm.pbf`, `.osm`, `.osm.gz` or `.osm.bz2` file.
        progress: told how far the reading is.

    Returns:
        A graph as OSMnx makes them (`crs` epsg:4326): nodes with `x` (longitude), `y` (latitude) and, for signals,
        `highway`; directed edges with `osmid`, `highway`, `oneway`, `reversed`, `length` (metres), `geometry`, and
        where tagged `maxspeed` (of the edge's own direction), `name`, `junction`, `service`, `tunnel` and `access` (the
        tag that counts for cars). Private ways are in it; who may pass through is decided when the network is compiled.

    Raises:
        ExtractError: a missing, unknown, damaged or empty file, or one without streets.
    """
    report = progress or (lambda _what, _share: None)
    if not extract.is_file():
        raise ExtractError(f"{extract}: no such file")
    if not extract.name.lower().endswith(EXTRACT_SUFFIXES):
        raise ExtractError(f"{extract}: an extract ends in {', '.join(EXTRACT_SUFFIXES)}")
    try:
        report("reading streets", 0.0)
        ways = list(_drivable_ways(extract))
        report("reading junctions", 0.3)
        nodes, blocked = _nodes_of(extract, ways)
    except RuntimeError as error:  # what libosmium raises for everything from syntax to checksums
        raise ExtractError(f"{extract}: damaged, or not an OpenStreetMap file ({error})") from error
    report("joining streets", 0.6)
    graph = _graph(ways, nodes, blocked)
    if graph.number_of_edges() == 0:
        raise ExtractError(f"{extract}: holds no streets that a car may use")
    report("joining streets", 1.0)
    return graph


def _drivable_ways(extract: Path) -> Iterator[_Way]:
    objects = osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
    for way in objects:
        assert isinstance(way, osmium.osm.Way)
        tags = dict(way.tags)
        forward, backward = _directions(tags)
        if not way.deleted and _open_to_cars(tags) and (forward or backward):
            yield _Way(way.id, tuple(ref.ref for ref in way.nodes), _edge_tags(tags), forward, backward)


def _access(tags: Mapping[str, str]) -> str | None:
    return next((tags[key] for key in _ACCESS_KEYS if key in tags), None)


def _open_to_cars(tags: Mapping[str, str]) -> bool:
    """Whether a car may be on the way at all, if only to arrive."""
    highway, access = tags["highway"], _access(tags)
    if highway in _OPEN_IF_ALLOWED:
        return access in _ALLOWED
    return highway in CLASS_KMH and access not in _SHUT and tags.get("service") != "emergency_access"


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether cars may drive along the way's nodes, and against them."""
    oneway = tags.get("oneway")
    if oneway in ("-1", "reverse"):
        return False, True
    if oneway == "reversible":
        return False, False
    implied = tags.get("junction") in ("roundabout", "circular") or tags["highway"] == "motorway"
    return True, not (oneway in ("yes", "true", "1") or (implied and oneway not in ("no", "false", "0")))


def _edge_tags(tags: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in tags.items() if key in _KEPT_TAGS or key.startswith("maxspeed:")}
    kept.pop("access", None)
    access = _access(tags)
    return kept if access is None else {**kept, "access": access}


def _nodes_of(extract: Path, ways: list[_Way]) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """Attributes of the ways' nodes that the extract holds, and which of them no car passes."""
    wanted = osmium.filter.IdFilter(set(itertools.chain.from_iterable(way.nodes for way in ways)))
    nodes: dict[int, dict[str, Any]] = {}
    blocked: set[int] = set()
    for node in osmium.FileProcessor(str(extract), osmium.osm.NODE).with_filter(wanted):
        assert isinstance(node, osmium.osm.Node)
        if node.deleted or not node.location.valid():
            continue
        nodes[node.id] = {"x": node.location.lon, "y": node.location.lat}
        tags = dict(node.tags)
        if tags.get("highway") == "traffic_signals":
            nodes[node.id]["highway"] = "traffic_signals"
        if "barrier" in tags and _blocks(tags):
            blocked.add(node.id)
    return nodes, blocked


def _blocks(tags: Mapping[str, str]) -> bool:
    access = _access(tags)
    if tags["barrier"] in _BLOCKING_BARRIERS:
        return access not in _ALLOWED and tags.get("bollard") != "rising"
    return access in _SHUT


def _graph(ways: list[_Way], nodes: dict[int, dict[str, Any]], blocked: set[int]) -> nx.MultiDiGraph[int]:
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    unused_id = itertools.count(max(nodes, default=0) + 1)
    uses = Counter(node for way in ways for node in way.nodes)
    cuts = {node for node, count in uses.items() if count > 1} | blocked
    cuts |= {node for node, data in nodes.items() if "highway" in data}

    def end(node: int) -> int:
        """The graph's node for the end of a piece; a barrier is another node for each street that ends at it."""
        name = next(unused_id) if node in blocked else node
        graph.add_node(name, **nodes[node])
        return name

    for way in ways:
        for piece in _pieces(way.nodes, nodes, cuts):
            line = [(nodes[node]["x"], nodes[node]["y"]) for node in piece]
            u, v = end(piece[0]), end(piece[-1])
            oneway = way.forward != way.backward
            length = sum(great_circle_m(LatLon(a[1], a[0]), LatLon(b[1], b[0])) for a, b in itertools.pairwise(line))
            shared = {"osmid": way.osmid, "oneway": oneway, "length": length}
            if way.forward:
                _add_edge(graph, u, v, line, way.tags, "forward", shared)
            if way.backward:
                _add_edge(graph, v, u, line[::-1], way.tags, "backward", shared)
    return graph


def _add_edge(
    graph: nx.MultiDiGraph[int],
    u: int,
    v: int,
    line: list[tuple[float, float]],
    tags: Mapping[str, str],
    direction: str,
    shared: Mapping[str, Any],
) -> None:
    own = {key: value for key, value in tags.items() if not key.startswith("maxspeed:")}
    limit = tags.get(f"maxspeed:{direction}") or own.get("maxspeed")
    if limit is not None:
        own["maxspeed"] = limit
    geometry = shapely.LineString(np.array(line))
    graph.add_edge(u, v, **own, **shared, reversed=direction == "backward", geometry=geometry)


def _pieces(refs: tuple[int, ...], nodes: Mapping[int, Any], cuts: set[int]) -> Iterator[list[int]]:
    """Cut a way at junctions and at gaps that clipping left; pieces have two nodes or more."""
    piece: list[int] = []
    for node in refs:
        if node not in nodes:
            if len(piece) > 1:
                yield piece
            piece = []
        elif not piece or piece[-1] != node:
            piece.append(node)
            if node in cuts and len(piece) > 1:
                yield piece
                piece = [node]
    if len(piece) > 1:
        yield piece


def download_extract(place: str, folder: Path) -> Path:
    """Download everything OpenStreetMap has within the bounding box of a place, as an `.osm` file.

    Asks the Nominatim and Overpass servers that `osmnx.settings` names, with its timeout and headers.

    Args:
        place: a name that Nominatim knows, such as "Newport, Wales".
        folder: where `place.osm` is written; created if missing. Nothing is left there when the download fails.

    Returns:
        The file, to be given to `read_graph` and to whatever else wants the extract.

    Raises:
        ExtractError: no network, an unknown place, or a server that refuses or breaks off.
    """
    try:
        west, south, east, north = _bounds(place)
        box = f"{south:.6f},{west:.6f},{north:.6f},{east:.6f}"
        query = (
            f"[out:xml][timeout:{ox.settings.requests_timeout:.0f}];(node({box});way({box});>;rel({box}););out body;"
        )
        return _overpass_to_file(query, folder)
    except requests.RequestException as error:
        raise ExtractError(f"{place}: could not be downloaded, is there a network? ({error})") from error


def _bounds(place: str) -> tuple[float, float, float, float]:
    caching = ox.settings.use_cache
    ox.settings.use_cache = False  # OSMnx would start a cache in the current folder
    try:
        found = ox.geocode_to_gdf(place)
    except (ox._errors.InsufficientResponseError, TypeError) as error:  # nothing found; found, but a point
        raise ExtractError(f"{place}: OpenStreetMap knows no such town or area") from error
    except ox._errors.ResponseStatusCodeError as error:
        raise ExtractError(f"{place}: the geocoding server refused ({error})") from error
    finally:
        ox.settings.use_cache = caching
    west, south, east, north = found.total_bounds
    return float(west), float(south), float(east), float(north)


def _overpass_to_file(query: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target, partial = folder / "place.osm", folder / "place.osm.part"
    try:
        with requests.post(
            ox.settings.overpass_url.rstrip("/") + "/interpreter",
            data={"data": query},
            timeout=ox.settings.requests_timeout,
            headers={"User-Agent": ox.settings.http_user_agent, "Referer": ox.settings.http_referer},
            stream=True,
            **ox.settings.requests_kwargs,
        ) as response:
            response.raise_for_status()
            with partial.open("wb") as file:
                tail = b""
                for chunk in response.iter_content(1 << 20):
                    file.write(chunk)
                    tail = (tail + chunk)[-4096:]
        if b"<remark>" in tail or b"</osm>" not in tail:  # Overpass reports its own failures with status 200
            raise ExtractError("the Overpass server broke off; try a smaller place, or later")
        return partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
