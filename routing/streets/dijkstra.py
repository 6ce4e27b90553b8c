"""The plain engine: scipy's Dijkstra, for machines where the libraries of `hierarchy` cannot be installed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from routing.streets.arcs import UNREACHED, Arcs, Ends


class Dijkstra:
    """Shortest paths by one search from each origin: exact, about twenty times slower than `Hierarchy`."""

    def __init__(self, arcs: Arcs) -> None:
        first = np.searchsorted(arcs.tail, np.arange(arcs.node_count + 1))
        self._graph = csr_array(
            (arcs.cost.astype(np.float64), arcs.head, first), shape=(arcs.node_count, arcs.node_count)
        )

    def repriced(self, arcs: Arcs) -> Dijkstra:
        """The same for arcs that only cost something else."""
        return Dijkstra(arcs)

    def costs(self, origins: Ends, destinations: Ends) -> NDArray[np.int64]:
        """Least costs, origins × destinations; `UNREACHED` or more where there is no way."""
        costs = np.full((len(origins.node), len(destinations.node)), UNREACHED)
        for row, (nodes, offsets) in enumerate(zip(origins.node, origins.cost, strict=True)):
            costs[row] = _one_to_all(self._graph, nodes, offsets, destinations)
        return costs

    def fan(self, departing: Ends, arriving: Ends) -> DijkstraFan:
        """Fixed places, given by how they are left and how they are arrived at."""
        return DijkstraFan(self._graph, self._graph.T.tocsr(), departing, arriving)

    def nodes(self, origin: Ends, destination: Ends) -> list[int]:
        """The nodes of a cheapest way between one place and another (which must exist), in order."""
        starts, ends = origin.node[0], destination.node[0]
        found, before = dijkstra(self._graph, indices=starts[starts >= 0], return_predecessors=True)
        totals = (
            _whole(found)[:, ends[ends >= 0]] + origin.cost[0, starts >= 0, None] + destination.cost[0, None, ends >= 0]
        )
        row, column = np.unravel_index(np.argmin(totals), totals.shape)
        way = [int(ends[ends >= 0][column])]
        while before[row, way[-1]] >= 0:
            way.append(int(before[row, way[-1]]))
        return way[::-1]


@dataclass(frozen=True, eq=False)
class DijkstraFan:
    """One search ahead and one against the arcs, whatever the number of fixed places."""

    ahead: csr_array
    back: csr_array
    departing: Ends
    arriving: Ends

    def costs(self, origin: Ends, destination: Ends) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least costs from every fixed place to the destination, and from the origin to every fixed place."""
        return (
            _one_to_all(self.back, destination.node[0], destination.cost[0], self.departing),
            _one_to_all(self.ahead, origin.node[0], origin.cost[0], self.arriving),
        )


def _one_to_all(
    graph: csr_array, nodes: NDArray[np.int32], offsets: NDArray[np.int64], places: Ends
) -> NDArray[np.int64]:
    """Least costs from one place, which joins the graph at these nodes, to all the others."""
    used = nodes >= 0
    if not used.any():
        return np.full(len(places.node), UNREACHED)
    least = np.min(_whole(dijkstra(graph, indices=nodes[used])) + offsets[used, None], axis=0)
    by_end = np.where(places.node >= 0, least[places.node], UNREACHED) + places.cost
    found: NDArray[np.int64] = by_end.min(axis=1)
    return found


def _whole(found: NDArray[np.float64]) -> NDArray[np.int64]:
    costs: NDArray[np.int64] = np.where(np.isfinite(found), found, float(UNREACHED)).astype(np.int64)
    return costs
