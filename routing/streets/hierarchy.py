"""The fast engine: a customizable contraction hierarchy.

Method: Dibbelt, Strasser, Wagner, "Customizable Contraction Hierarchies", ACM JEA 21 (2016). Nodes are ordered by
nested dissection (RoutingKit's); removing them in that order while joining the neighbours of each gives shortcuts
that do not depend on the costs; `customise` prices the shortcuts. Every way then climbs from its origin to a common
ancestor in the elimination tree and descends from there, so a table of costs is a minimum over common ancestors.

RoutingKit's own queries use 32-bit costs and give no metres of the fastest way; the 64-bit costs of `arcs` do.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import routingkit_cch
from numpy.typing import NDArray

from routing.native import COMPILED, native
from routing.streets.arcs import UNREACHED, Arcs, Ends

Ints = NDArray[np.int32]
Costs = NDArray[np.int64]

if not COMPILED:
    raise ImportError("a hierarchy in plain Python is slower than none")


class Hierarchy:
    """Shortest paths by a contraction hierarchy; nodes are renamed by rank inside.

    Arrays: `rank` of each node; `first` (nodes + 1) and `higher` list each node's higher neighbours in ascending
    order (the first is its parent in the elimination tree); `up` and `down` are the costs of going to a higher
    neighbour and coming from it; `up_via` and `down_via` the lower node that a shortcut passes, -1 for an arc.
    """

    ARRAYS = ("rank", "first", "higher", "up", "down", "up_via", "down_via", "depth")

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = {name: arrays[name] for name in self.ARRAYS}
        self._node = np.argsort(self.arrays["rank"]).astype(np.int32)

    @classmethod
    def build(cls, arcs: Arcs, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Hierarchy:
        """Order the nodes (coordinates in degrees guide it), find the shortcuts and price them."""
        order = routingkit_cch.compute_order_inertial(
            arcs.node_count, arcs.tail.tolist(), arcs.head.tolist(), lat.tolist(), lon.tolist()
        )
        rank = np.empty(arcs.node_count, dtype=np.int32)
        rank[order] = np.arange(arcs.node_count, dtype=np.int32)
        tail, head = rank[arcs.tail], rank[arcs.head]
        first, higher = _eliminate(arcs.node_count, tail, head)
        priced = _customise(first, higher, tail, head, arcs.cost)
        depth = _depths(first, higher)
        return cls(dict(zip(cls.ARRAYS, (rank, first, higher, *priced, depth), strict=True)))

    def repriced(self, arcs: Arcs) -> Hierarchy:
        """The same order of nodes, and shortcuts, for arcs that only cost something else."""
        a = self.arrays
        priced = _customise(a["first"], a["higher"], a["rank"][arcs.tail], a["rank"][arcs.head], arcs.cost)
        return Hierarchy({**a, **dict(zip(("up", "down", "up_via", "down_via"), priced, strict=True))})

    def costs(self, origins: Ends, destinations: Ends) -> Costs:
        """Least costs, origins × destinations; `UNREACHED` or more where there is no way."""
        return _table(*self.climb(origins, "up")[:2], *self.climb(destinations, "down")[:2])

    def fan(self, departing: Ends, arriving: Ends) -> HierarchyFan:
        """Fixed places, given by how they are left and how they are arrived at."""
        a = self.arrays
        leaving, reaching = (_renamed(ends, a["rank"]) for ends in (departing, arriving))
        kept = _ancestors(np.concatenate((leaving.node.ravel(), reaching.node.ravel())), a["first"], a["higher"])
        here = np.full(len(a["rank"]), -1, dtype=np.int32)
        here[kept] = np.arange(len(kept), dtype=np.int32)
        counts = a["first"][kept + 1] - a["first"][kept]
        first = np.concatenate((np.zeros(1, dtype=np.int32), np.cumsum(counts, dtype=np.int32)))
        edges = np.repeat(a["first"][kept] - first[:-1], counts) + np.arange(first[-1])
        return HierarchyFan(
            self,
            here,
            first,
            here[a["higher"][edges]],
            a["up"][edges],
            a["down"][edges],
            _renamed(leaving, here),
            _renamed(reaching, here),
        )

    def nodes(self, origin: Ends, destination: Ends) -> list[int]:
        """The nodes of a cheapest way between one place and another (which must exist), in order."""
        (hub,), (up_cost,), (up_from,) = self.climb(origin, "up")
        (hub_again,), (down_cost,), (down_from,) = self.climb(destination, "down")
        levels = min(len(hub), len(hub_again))
        sums = up_cost[:levels] + down_cost[:levels]
        top = int(np.argmin(np.where(hub[:levels] == hub_again[:levels], sums, 2 * UNREACHED)))
        rising = self._steps(hub, up_from, top)
        falling = self._steps(hub_again, down_from, top)
        steps = [*rising[::-1], *falling[1:]]
        way = [steps[0]]
        for x, y in itertools.pairwise(steps):
            self._unpack(x, y, way)
        nodes: list[int] = self._node[way].tolist()
        return nodes

    def climb(self, ends: Ends, direction: str) -> tuple[Ints, Costs, Ints]:
        """Costs between places and all their ancestors, going `up` from the places or coming `down` to them."""
        a = self.arrays
        return _climb(_renamed(ends, a["rank"]).node, ends.cost, a["first"], a["higher"], a[direction], a["depth"])

    def _steps(self, hub: Ints, origin: Ints, top: int) -> list[int]:
        """Ranks from a hub down to where the climb began."""
        steps = [int(hub[top])]
        while (below := int(origin[self.arrays["depth"][steps[-1]]])) >= 0:
            steps.append(below)
        return steps

    def _unpack(self, x: int, y: int, way: list[int]) -> None:
        """Append the nodes after x on the arc or shortcut from x to y."""
        a = self.arrays
        pending = [(x, y)]
        while pending:
            x, y = pending.pop()
            low, high = min(x, y), max(x, y)
            start, stop = a["first"][low], a["first"][low + 1]
            edge = start + int(np.searchsorted(a["higher"][start:stop], high))
            via = int(a["up_via" if x < y else "down_via"][edge])
            if via < 0:
                way.append(y)
            else:
                pending += [(via, y), (x, via)]


@dataclass(frozen=True, eq=False)
class HierarchyFan:
    """Fixed places with all their ancestors: whatever is reached by way of one of those is one sweep over them away.

    Method: Delling, Goldberg, Werneck, "Faster Batched Shortest Paths in Road Networks", ATMOS 2011 (RPHAST).

    `here` is a rank's number among the ancestors, -1 for others; `first`, `higher`, `up` and `down` are those of the
    hierarchy for them alone, and the places' nodes are such numbers too.
    """

    hierarchy: Hierarchy
    here: Ints
    first: Ints
    higher: Ints
    up: Costs
    down: Costs
    departing: Ends
    arriving: Ends

    def costs(self, origin: Ends, destination: Ends) -> tuple[Costs, Costs]:
        """Least costs from every fixed place to the destination, and from the origin to every fixed place."""
        return (
            self._sweep(*self.hierarchy.climb(destination, "down")[:2], self.up, self.departing),
            self._sweep(*self.hierarchy.climb(origin, "up")[:2], self.down, self.arriving),
        )

    def _sweep(self, hub: Ints, cost: Costs, price: Costs, places: Ends) -> Costs:
        return _sweep(hub[0], cost[0], self.here, self.first, self.higher, price, places.node, places.cost)


def _renamed(ends: Ends, names: Ints) -> Ends:
    return Ends(np.where(ends.node >= 0, names[ends.node], np.int32(-1)).astype(np.int32), ends.cost)


def _eliminate(node_count: int, tail: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Higher neighbours of every node once all lower ones have been removed and their neighbours joined.

    It is enough to hand a node's neighbours on to the lowest of them, its parent.
    """
    above: list[set[int]] = [set() for _ in range(node_count)]
    for low, high in zip(np.minimum(tail, head).tolist(), np.maximum(tail, head).tolist(), strict=True):
        if low != high:
            above[low].add(high)
    for neighbours in above:
        if neighbours:
            parent = min(neighbours)
            above[parent] |= neighbours
            above[parent].discard(parent)
    first = np.zeros(node_count + 1, dtype=np.int32)
    np.cumsum([len(neighbours) for neighbours in above], out=first[1:])
    higher = np.array([high for neighbours in above for high in sorted(neighbours)], dtype=np.int32)
    return first, higher


@native
def _depths(first: Ints, higher: Ints) -> Ints:
    """Steps from each node to the root of its elimination tree."""
    depth = np.zeros(len(first) - 1, dtype=np.int32)
    for node in range(len(depth) - 1, -1, -1):
        if first[node] < first[node + 1]:
            depth[node] = depth[higher[first[node]]] + 1
    return depth


@native
def _customise(first: Ints, higher: Ints, tail: Ints, head: Ints, cost: Costs) -> tuple[Costs, Costs, Ints, Ints]:
    """Price arcs and shortcuts: every pair of a node's higher neighbours may find it cheaper to pass through it."""
    up = np.full(len(higher), UNREACHED)
    down = np.full(len(higher), UNREACHED)
    up_via = np.full(len(higher), -1, dtype=np.int32)
    down_via = np.full(len(higher), -1, dtype=np.int32)
    for arc in range(len(tail)):
        low, high = min(tail[arc], head[arc]), max(tail[arc], head[arc])
        if low == high:
            continue
        edge = first[low] + np.searchsorted(higher[first[low] : first[low + 1]], high)
        if tail[arc] == low:
            up[edge] = min(up[edge], cost[arc])
        else:
            down[edge] = min(down[edge], cost[arc])
    for node in range(len(first) - 1):
        for i in range(first[node], first[node + 1]):
            across = first[higher[i]]
            for j in range(i + 1, first[node + 1]):
                while higher[across] != higher[j]:
                    across += 1
                if down[i] + up[j] < up[across]:
                    up[across] = down[i] + up[j]
                    up_via[across] = node
                if down[j] + up[i] < down[across]:
                    down[across] = down[j] + up[i]
                    down_via[across] = node
    return up, down, up_via, down_via


@native
def _climb(node: Ints, offset: Costs, first: Ints, higher: Ints, price: Costs, depth: Ints) -> tuple[Ints, Costs, Ints]:
    """Costs from each place to all its ancestors (or back, with the prices of coming down).

    Returns three places × depth arrays, where column d is the ancestor d steps below the root: its rank (-1 past
    the place's own depth), the cost, and the rank from which it was reached (-1 at the start). The two nodes of a
    place are neighbours, so the higher is an ancestor of the lower and one climb serves both.
    """
    places = len(node)
    deepest = 0
    for place in range(places):
        for end in range(2):
            if node[place, end] >= 0:
                deepest = max(deepest, depth[node[place, end]] + 1)
    hub = np.full((places, deepest), -1, dtype=np.int32)
    cost = np.full((places, deepest), UNREACHED)
    reached_from = np.full((places, deepest), -1, dtype=np.int32)
    for place in range(places):
        lowest = -1
        for end in range(2):
            at = node[place, end]
            if at >= 0:
                cost[place, depth[at]] = min(cost[place, depth[at]], offset[place, end])
                lowest = at if lowest < 0 else min(lowest, at)
        while lowest >= 0:
            here = cost[place, depth[lowest]]
            hub[place, depth[lowest]] = lowest
            for edge in range(first[lowest], first[lowest + 1]):
                level = depth[higher[edge]]
                if here + price[edge] < cost[place, level]:
                    cost[place, level] = here + price[edge]
                    reached_from[place, level] = lowest
            lowest = higher[first[lowest]] if first[lowest] < first[lowest + 1] else -1
    return hub, cost, reached_from


@native
def _ancestors(nodes: Ints, first: Ints, higher: Ints) -> NDArray[np.int64]:
    """Ranks of these nodes (-1: none) and of all their ancestors, in ascending order."""
    found = np.zeros(len(first) - 1, dtype=np.bool_)
    for node in nodes:
        at = node
        while at >= 0 and not found[at]:
            found[at] = True
            at = higher[first[at]] if first[at] < first[at + 1] else -1
    return np.flatnonzero(found)


@native
def _sweep(
    hub: Ints, hub_cost: Costs, here: Ints, first: Ints, higher: Ints, price: Costs, node: Ints, offset: Costs
) -> Costs:
    """Hand costs at some ancestors down to all below, from the root on, and read off the places'."""
    reached = np.full(len(first) - 1, UNREACHED)
    for level in range(len(hub)):
        if hub[level] >= 0 and here[hub[level]] >= 0:
            reached[here[hub[level]]] = hub_cost[level]
    for at in range(len(reached) - 1, -1, -1):
        for edge in range(first[at], first[at + 1]):
            reached[at] = min(reached[at], reached[higher[edge]] + price[edge])
    costs = np.full(len(node), UNREACHED)
    for place in range(len(node)):
        for end in range(2):
            if node[place, end] >= 0:
                costs[place] = min(costs[place], reached[node[place, end]] + offset[place, end])
    return costs


@native
def _table(hub_up: Ints, cost_up: Costs, hub_down: Ints, cost_down: Costs) -> Costs:
    """The least sum over the ancestors that two places share, for all pairs."""
    table = np.full((len(hub_up), len(hub_down)), UNREACHED)
    levels = min(hub_up.shape[1], hub_down.shape[1])
    for i in range(len(hub_up)):
        for j in range(len(hub_down)):
            least = UNREACHED
            for level in range(levels):
                if hub_up[i, level] != hub_down[j, level] or hub_up[i, level] < 0:
                    break
                least = min(least, cost_up[i, level] + cost_down[j, level])
            table[i, j] = least
    return table
