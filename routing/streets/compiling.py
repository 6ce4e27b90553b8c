"""A street graph becomes arrays: streets with a run time each way, their lines, and the directed arcs to search.

**Private ground.** Private yards, and ways for customers or deliveries, may be where a trip begins or ends, but not
part of the way through. Each node on such ground gets two more copies. Departing trips drive among the first copies
and may leave them for the public node; arriving trips go from the public node to the second copies and stay there.
So no price has to be put on trespassing, and no search can do it.

For the streets of one strongly connected component, the largest public part is open to all, everything else counts
as private ground. Hence a public street behind a private gate is still reached, and two places in one strongly
connected component always reach each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from routing.errors import AreaError, ExtractError
from routing.geo import great_circles_m
from routing.speeds import Slowdown, SpeedTable, tag_values
from routing.streets.arcs import Arcs, cost

if TYPE_CHECKING:
    import networkx as nx


Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

DESTINATION_ONLY = frozenset({"private", "destination", "customers", "delivery", "permit", "residents"})
"""Values of the access tag that allow arriving, but not passing through."""

ISLAND_SHARE, ISLAND_M = 0.1, 5_000.0
"""A component shorter than both this share of the longest one and these metres is an islet (see `StreetNetwork.snap`).

In the town of bench_travel_times.py 200 of 21,297 addresses stand on such, in closes cut off by the extract's edge."""

_RANK = {
    name: rank
    for rank, names in enumerate(
        (
            ("service", "track", "pedestrian"),
            ("living_street",),
            ("residential", "unclassified", "road"),
            ("tertiary_link",),
            ("tertiary",),
            ("secondary_link",),
            ("secondary",),
            ("primary_link",),
            ("primary",),
            ("trunk_link",),
            ("trunk",),
            ("motorway_link",),
            ("motorway",),
        )
    )
    for name in names
}
_SERVICE_RANK = 0
_ROADS = ("streets", "main_roads", "motorways")
"""What `Streets.road` counts: the parts of a `Slowdown`."""
_LEAST_RANK = (_RANK["tertiary_link"], _RANK["trunk_link"])
"""From which on streets are main roads, and motorways."""


@dataclass(frozen=True, eq=False)
class Streets:
    """The compiled arrays, all indexed by street (one line between two nodes, driven one way or both).

    `line` holds all points as (lat, lon) float64, those of street i are `line[line_first[i]:line_first[i + 1]]`.
    Times are milliseconds of running along the street and of the delay at the node that it leads into, forward
    (from `tail` to `head`, along the line) and backward; -1 where driving that way is not allowed. `road` says of which
    part of a `Slowdown` a street is; -1 of areas that were built before there were such.
    """

    node_count: Ints  # shape (1,)
    zone_node: Ints  # nodes with two more copies: copy 1 of zone_node[i] is node_count + i, copy 2 that many further
    tail: Ints
    head: Ints
    forward_ms: Ints
    backward_ms: Ints
    forward_delay_ms: Ints
    backward_delay_ms: Ints
    length_dm: Ints
    private: NDArray[np.bool_]
    islet: NDArray[np.bool_]
    doorless: NDArray[np.bool_]
    road: NDArray[np.int8]
    line: Floats  # points × 2
    line_first: Ints

    @classmethod
    def names(cls) -> list[str]:
        return [f.name for f in fields(cls)]

    def slowed(self, by: Slowdown) -> Streets:
        """The same streets while driving takes longer. Raises AreaError where `road` is not known."""
        if np.any(self.road < 0):
            raise AreaError("this area was built before there were times of day: add it again, or leave [traffic] out")
        times = np.array([getattr(by, name) for name in _ROADS])[self.road]

        def longer(ms: Ints) -> Ints:
            return np.where(ms > 0, np.rint(ms * times), ms).astype(np.int32)

        return replace(
            self,
            forward_ms=longer(self.forward_ms),
            backward_ms=longer(self.backward_ms),
            forward_delay_ms=longer(self.forward_delay_ms),
            backward_delay_ms=longer(self.backward_delay_ms),
        )


@dataclass(slots=True)
class _Street:
    """A street while it is being compiled; costs by direction, along the line and against it."""

    tail: int
    head: int
    line: Floats  # points × (lon, lat)
    rank: int
    roundabout: bool
    private: bool
    doorless: bool
    kmh: tuple[float, float] = (0.0, 0.0)


def compile_streets(graph: nx.MultiDiGraph[Any], speeds: SpeedTable) -> tuple[Streets, Floats]:
    """Compile an OSMnx graph (epsg:4326); also returns its nodes' coordinates as nodes × (lat, lon).

    Raises:
        ExtractError: the graph has no edges.
    """
    if graph.number_of_edges() == 0:
        raise ExtractError("the graph holds no streets")
    index = {node: i for i, node in enumerate(graph.nodes)}
    place = np.array([(data["y"], data["x"]) for _, data in graph.nodes(data=True)], dtype=np.float64)
    signal = np.array([data.get("highway") == "traffic_signals" for _, data in graph.nodes(data=True)])
    streets = list(_streets(graph, index, place, speeds))

    tail = np.array([street.tail for street in streets], dtype=np.int32)
    head = np.array([street.head for street in streets], dtype=np.int32)
    line_first = np.zeros(len(streets) + 1, dtype=np.int32)
    np.cumsum([len(street.line) for street in streets], out=line_first[1:])
    line = np.concatenate([street.line for street in streets])[:, ::-1]
    length_m = _lengths(line, line_first)
    kmh = np.array([street.kmh for street in streets])
    allowed = kmh > 0
    ms = np.full(kmh.shape, -1, dtype=np.int32)
    run_ms = length_m[:, None] * 3600 * speeds.time_factor / np.where(allowed, kmh, 1)
    ms[allowed] = np.maximum(1, np.rint(run_ms))[allowed]
    delays = np.array(_delays(streets, len(index), speeds)) + speeds.signal_s * np.column_stack(
        (signal[head], signal[tail])
    )
    delay_ms = np.where(allowed, np.rint(delays * 1000), 0).astype(np.int32)

    component, private = _open_and_private(
        len(index), tail, head, allowed, length_m, np.array([street.private for street in streets])
    )
    compiled = Streets(
        node_count=np.array([len(index)], dtype=np.int32),
        zone_node=np.unique(np.concatenate((tail[private], head[private]))).astype(np.int32),
        tail=tail,
        head=head,
        forward_ms=ms[:, 0],
        backward_ms=ms[:, 1],
        forward_delay_ms=delay_ms[:, 0],
        backward_delay_ms=delay_ms[:, 1],
        length_dm=np.rint(length_m * 10).astype(np.int32),
        private=private,
        islet=_islets(component[tail], component[head], length_m),
        doorless=np.array([street.doorless for street in streets]),
        road=np.searchsorted(_LEAST_RANK, [street.rank for street in streets], side="right").astype(np.int8),
        line=np.ascontiguousarray(line),
        line_first=line_first,
    )
    return compiled, place


def _streets(
    graph: nx.MultiDiGraph[Any], index: Mapping[Any, int], place: Floats, speeds: SpeedTable
) -> Iterator[_Street]:
    """Join the two directed edges of each two-way street: those with one line, read in both directions."""
    found: dict[tuple[int, int, bytes], _Street] = {}
    for u, v, data in graph.edges(data=True):
        tail, head = index[u], index[v]
        shape = data.get("geometry")
        line = np.ascontiguousarray(place[[tail, head], ::-1] if shape is None else shapely.get_coordinates(shape))
        kmh = speeds.kmh(data.get("highway"), data.get("maxspeed"))
        twin = found.get((head, tail, np.ascontiguousarray(line[::-1]).tobytes()))
        if twin is not None and twin.kmh[1] == 0:
            twin.kmh = (twin.kmh[0], kmh)
            continue
        found[tail, head, line.tobytes()] = _Street(
            tail,
            head,
            line,
            rank=max((_RANK.get(name, _SERVICE_RANK) for name in tag_values(data.get("highway"))), default=0),
            roundabout=bool({"roundabout", "circular"} & set(tag_values(data.get("junction")))),
            private=bool(DESTINATION_ONLY & set(tag_values(data.get("access")))),
            doorless=_is_doorless(data),
            kmh=(kmh, 0.0),
        )
    yield from found.values()


def _is_doorless(data: Mapping[str, Any]) -> bool:
    """No address is on it, however near its line runs: a motorway, or a tunnel that is no passage through a house."""
    tunnel = set(tag_values(data.get("tunnel"))) - {"no", "building_passage"}
    return bool(tunnel) or {"motorway", "motorway_link"} >= set(tag_values(data.get("highway")))


def _lengths(line: Floats, line_first: Ints) -> Floats:
    """Great-circle metres along each line of (lat, lon) points."""
    until = np.concatenate(([0.0], np.cumsum(great_circles_m(line[:-1], line[1:]))))
    lengths: Floats = until[line_first[1:] - 1] - until[line_first[:-1]]
    return lengths


def _delays(streets: list[_Street], node_count: int, speeds: SpeedTable) -> list[tuple[float, float]]:
    """Seconds at the junctions that each street leads into, forward and backward."""
    legs: list[list[_Street]] = [[] for _ in range(node_count)]
    for street in streets:
        legs[street.tail].append(street)
        legs[street.head].append(street)
    return [(_delay(s, legs[s.head], speeds), _delay(s, legs[s.tail], speeds)) for s in streets]


def _delay(street: _Street, legs: list[_Street], speeds: SpeedTable) -> float:
    """Seconds for coming out of a street at a node where these streets meet."""
    if len(legs) < 3:
        return 0.0
    if not street.roundabout and any(leg.roundabout for leg in legs):
        return speeds.join_s
    if street.rank < max(leg.rank for leg in legs):
        return speeds.join_s
    counted = [leg for leg in legs if leg.rank > _SERVICE_RANK or street.rank == _SERVICE_RANK]
    if len(counted) < 3:
        return 0.0
    return speeds.equal_s if sum(leg.rank == street.rank for leg in counted) >= 3 else speeds.pass_s


def _open_and_private(
    node_count: int,
    tail: Ints,
    head: Ints,
    allowed: NDArray[np.bool_],
    length_m: Floats,
    tagged_private: NDArray[np.bool_],
) -> tuple[Ints, NDArray[np.bool_]]:
    """Each node's strongly connected component, and which streets are private ground (see the top)."""

    def components(used: NDArray[np.bool_]) -> Ints:
        along, against = allowed[:, 0] & used, allowed[:, 1] & used
        rows = np.concatenate((tail[along], head[against]))
        columns = np.concatenate((head[along], tail[against]))
        links = csr_array((np.ones(len(rows)), (rows, columns)), shape=(node_count, node_count))
        found: Ints = connected_components(links, connection="strong")[1]
        return found

    whole = components(np.ones(len(tail), dtype=np.bool_))
    public = components(~tagged_private)
    inside = ~tagged_private & (public[tail] == public[head])
    public_m = np.bincount(public[tail[inside]], weights=length_m[inside], minlength=node_count)
    core = np.full(node_count, -1, dtype=np.int64)  # the longest public part of each component
    by_length = np.argsort(public_m[public], kind="stable")
    core[whole[by_length]] = public[by_length]
    same = whole[tail] == whole[head]
    return whole, tagged_private | (same & (public[tail] != core[whole[tail]])) | (
        same & (public[head] != core[whole[head]])
    )


def _islets(tail_component: Ints, head_component: Ints, length_m: Floats) -> NDArray[np.bool_]:
    """Streets of components too short to be a town, and one-way stubs that lie in no component."""
    inside = tail_component == head_component
    metres = np.bincount(tail_component[inside], weights=length_m[inside], minlength=int(tail_component.max()) + 1)
    small = metres < min(ISLAND_M, ISLAND_SHARE * metres.max())
    islet: NDArray[np.bool_] = ~inside | small[tail_component]
    return islet


def arcs_of(streets: Streets) -> Arcs:
    """The directed arcs to search, with the copies of nodes on private ground."""
    nodes, zone = int(streets.node_count[0]), streets.zone_node
    departing, arriving = copies_of(streets)
    every = np.arange(len(streets.tail))
    links = np.full(len(zone), -1)
    rows: list[tuple[NDArray[Any], ...]] = [  # tail, head, cost, street, forward
        (departing[zone], zone, np.zeros(len(zone), dtype=np.int64), links, links),
        (zone, arriving[zone], np.zeros(len(zone), dtype=np.int64), links, links),
    ]
    for forward in (True, False):
        if forward:
            tail, head, run_ms, delay_ms = streets.tail, streets.head, streets.forward_ms, streets.forward_delay_ms
        else:
            tail, head, run_ms, delay_ms = streets.head, streets.tail, streets.backward_ms, streets.backward_delay_ms
        costs = cost(run_ms.astype(np.int64) + delay_ms, streets.length_dm.astype(np.int64))
        useful = (run_ms >= 0) & (tail != head)
        for copy, part in (
            (np.arange(nodes), useful & ~streets.private),
            (departing, useful & streets.private),
            (arriving, useful & streets.private),
        ):
            direction = np.full(np.count_nonzero(part), forward)
            rows.append((copy[tail[part]], copy[head[part]], costs[part], every[part], direction))
    tails, heads, costs, along, directions = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((costs, heads, tails))
    pairs = np.column_stack((tails, heads))[order]
    repeated = np.zeros(len(pairs), dtype=np.bool_)
    repeated[1:] = np.all(pairs[1:] == pairs[:-1], axis=1)
    cheapest = order[~repeated]
    return Arcs(
        nodes + 2 * len(zone),
        tails[cheapest].astype(np.int32),
        heads[cheapest].astype(np.int32),
        costs[cheapest].astype(np.int64),
        along[cheapest].astype(np.int32),
        directions[cheapest] > 0,
    )


def copies_of(streets: Streets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each node the copy that trips depart from and the one that they arrive at; -1 off private ground."""
    nodes, zone = int(streets.node_count[0]), streets.zone_node
    departing = np.full(nodes, -1, dtype=np.int64)
    departing[zone] = nodes + np.arange(len(zone))
    return departing, np.where(departing < 0, -1, departing + len(zone))
