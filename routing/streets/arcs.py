"""The directed arcs that both search engines work on, and what an engine is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

LENGTH_BITS = 26
"""A cost is one integer: milliseconds above these bits, decimetres (up to 6,700 km) below them.

Adding such costs adds both parts, and the least one is the least time, then the least distance: so the metres that
come out are those of the fastest way. Up to 37 hours also fit the 53 bits that scipy's floats keep exact."""

UNREACHED = np.int64(1) << 61
"""More than any cost; two of them can be added without overflow."""


Whole = TypeVar("Whole", int, NDArray[np.int64])


def cost(ms: Whole, dm: Whole) -> Whole:
    """Milliseconds and decimetres as one cost."""
    return (ms << LENGTH_BITS) + dm


def ms_of(costs: NDArray[np.int64]) -> NDArray[np.int64]:
    return costs >> LENGTH_BITS


def dm_of(costs: NDArray[np.int64]) -> NDArray[np.int64]:
    return costs & ((1 << LENGTH_BITS) - 1)


@dataclass(frozen=True, eq=False)
class Arcs:
    """A directed graph with at most one arc from a node to another: arrays of equal length, sorted by tail and head.

    `street` says which street an arc runs along (-1: only from one copy of a node to another), `forward` whether
    it does so along the street's line or against it.
    """

    node_count: int
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    cost: NDArray[np.int64]
    street: NDArray[np.int32]
    forward: NDArray[np.bool_]

    def between(self, tails: Sequence[int], heads: Sequence[int]) -> NDArray[np.int64]:
        """The arcs that lead from each of these tails to the head beside it."""
        names = self.tail.astype(np.int64) * self.node_count + self.head
        wanted = np.asarray(tails, dtype=np.int64) * self.node_count + np.asarray(heads, dtype=np.int64)
        found: NDArray[np.int64] = np.searchsorted(names, wanted)
        return found


@dataclass(frozen=True, eq=False)
class Ends:
    """Where places join the graph: for each place up to two nodes and the cost between the place and each.

    `node` is places × 2 int32 (-1: none), `cost` is places × 2 int64. The two nodes of a place are neighbours.
    """

    node: NDArray[np.int32]
    cost: NDArray[np.int64]

    def row(self, place: int) -> Ends:
        return Ends(self.node[place : place + 1], self.cost[place : place + 1])


class EngineFan(Protocol):
    """Fixed places, made ready to be searched from and to one other place at a time; never changes."""

    def costs(self, origin: Ends, destination: Ends) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least costs from every fixed place to the destination, and from the origin to every fixed place."""
        ...


class Engine(Protocol):
    """Exact shortest paths on `Arcs`."""

    def repriced(self, arcs: Arcs) -> Engine:
        """The same for arcs that only cost something else."""
        ...

    def costs(self, origins: Ends, destinations: Ends) -> NDArray[np.int64]:
        """Least costs, origins × destinations; `UNREACHED` or more where there is no way."""
        ...

    def fan(self, departing: Ends, arriving: Ends) -> EngineFan:
        """Fixed places, given by how they are left and how they are arrived at."""
        ...

    def nodes(self, origin: Ends, destination: Ends) -> list[int]:
        """The nodes of a cheapest way between one place and another (which must exist), in order."""
        ...
