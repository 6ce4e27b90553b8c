"""The compiled street network of an area: snapping, travel times and the ways behind them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import AreaError, UnreachableError
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.speeds import DEFAULT, Slowdown, SpeedTable
from routing.streets.arcs import UNREACHED, Arcs, Ends, Engine, cost, dm_of, ms_of
from routing.streets.compiling import Streets, arcs_of, compile_streets, copies_of
from routing.streets.dijkstra import Dijkstra
from routing.streets.snapping import Snap, Snapper
from routing.travel_times import FanTimes, LegPath, TravelTimes

if TYPE_CHECKING:
    import networkx as nx

try:
    from routing.streets.hierarchy import Hierarchy
except ImportError:  # numba and RoutingKit have no wheels for every machine
    Hierarchy = None  # type: ignore[assignment,misc]

FILE_NAME = "streets.npz"
FORMAT = 2
"""Raised whenever older files can no longer be read."""
SNAP_M = 500.0


@dataclass(frozen=True, eq=False)
class Spread:
    """How long it takes from a place to every street: milliseconds, the access times at both ends included.

    A trip that goes on along street i, or ends on it, stands at its tail (the first point of its line) after
    `tail_ms[i]` and at its head after `head_ms[i]`; `NEVER_MS` where it cannot get there. Driving it takes
    `forward_ms[i]` along its line and `backward_ms[i]` against it, -1 where that is not allowed. The trip begins on
    `start.street`, after `access_ms`.
    """

    start: Snap
    access_ms: int
    tail_ms: NDArray[np.int64]
    head_ms: NDArray[np.int64]
    forward_ms: NDArray[np.int64]
    backward_ms: NDArray[np.int64]
    line: NDArray[np.float64]  # as in `Streets`
    line_first: NDArray[np.int32]


NEVER_MS = np.int64(1) << 40


class StreetNetwork:
    """A travel time source on real streets. Build one with `compile` or `load`.

    Between two places the time is that of the fastest way from the point where the first one was snapped to the
    point where the second one was, exact to the millisecond, plus the access time of the speed table at both ends,
    rounded up to whole seconds (see `TravelTimeSource`). A place that no street is near is unreachable.
    """

    def __init__(
        self, streets: Streets, arcs: Arcs, engine: Engine, access_ms: int, snapper: Snapper | None = None
    ) -> None:
        """`snapper` is that of streets with the same lines, where there is one already."""
        self._streets = streets
        self._arcs = arcs
        self._engine = engine
        self._access_ms = access_ms
        self._snapper = Snapper(streets) if snapper is None else snapper
        self._departing, self._arriving = copies_of(streets)
        self._slowed: dict[Slowdown, StreetNetwork] = {}

    @classmethod
    def compile(cls, graph: nx.MultiDiGraph[Any], speeds: SpeedTable = DEFAULT) -> StreetNetwork:
        """Compile an OSMnx graph (`crs` epsg:4326), as `routing.extract` reads it or OSMnx downloads it.

        Raises:
            ExtractError: the graph has no edges.
        """
        streets, place = compile_streets(graph, speeds)
        arcs = arcs_of(streets)
        engine: Engine
        if Hierarchy is None:
            engine = Dijkstra(arcs)
        else:
            copies = np.concatenate((place, place[streets.zone_node], place[streets.zone_node]))
            engine = Hierarchy.build(arcs, copies[:, 0], copies[:, 1])
        return cls(streets, arcs, engine, round(speeds.access_s * 1000))

    def save(self, folder: Path) -> None:
        """Write the network into a folder, which is created if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {name: getattr(self._streets, name) for name in Streets.names()}
        if Hierarchy is not None and isinstance(self._engine, Hierarchy):
            arrays |= self._engine.arrays
        partial = folder / f"{FILE_NAME}.part"
        with partial.open("wb") as file:
            np.savez(file, format=FORMAT, access_ms=self._access_ms, **arrays)
        partial.replace(folder / FILE_NAME)

    @classmethod
    def load(cls, folder: Path) -> StreetNetwork:
        """Read what `save` wrote.

        Raises:
            AreaError: the file is missing, damaged, or of another version.
        """
        file = folder / FILE_NAME
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            if int(arrays["format"]) != FORMAT:
                raise AreaError(f"{file}: written by another version; build the area again")
            arrays.setdefault("road", np.full(len(arrays["tail"]), -1, dtype=np.int8))
            streets = Streets(**{name: arrays[name] for name in Streets.names()})
            arcs = arcs_of(streets)
            engine: Engine = Dijkstra(arcs) if Hierarchy is None or "rank" not in arrays else Hierarchy(arrays)
            return cls(streets, arcs, engine, int(arrays["access_ms"]))
        except AreaError:
            raise
        except FileNotFoundError as error:
            raise AreaError(f"{file}: missing; build the area again") from error
        except Exception as error:  # a damaged file can make the zip and array readers raise almost anything
            raise AreaError(f"{file}: damaged ({error}); build the area again") from error

    def snap(self, places: Sequence[LatLon], max_distance_m: float = SNAP_M) -> list[Snap | None]:
        """The nearest point on a street, service streets and private yards included; None beyond `max_distance_m`.

        Nobody's door is on a motorway or in a tunnel (a passage through a house is no tunnel), so neither is taken.

        One more rule departs from the nearest: an islet is passed over for a street of a larger part up to 300 m
        farther away. An islet is a set of streets that cannot be driven to and from the rest and has less than 5 km
        and less than a tenth of the longest such set; or a one-way stub that leads off the extract. So a yard that
        was mapped without its gateway, or a close whose exit lies beyond the extract's edge, is still reached,
        while a real island (a larger one, or one across wider water) stays unreachable.
        """
        return self._snapper.snap(places, max_distance_m)

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        """Seconds and metres between all pairs of the places, in their order."""
        number = {place: i for i, place in enumerate(dict.fromkeys(places))}
        which = [number[place] for place in places]
        seconds, metres = self._told(self._costs(self.snap(list(number))))
        for values in (seconds, metres):
            np.fill_diagonal(values, 0)
        every_pair = np.ix_(which, which)
        return TravelTimes(seconds[every_pair], metres[every_pair])

    def fan(self, places: Sequence[LatLon]) -> StreetFan:
        """The same times between these places and one that is not known yet."""
        return StreetFan(self, places)

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        """The fastest way, with the same seconds and metres as `travel_times` of the two.

        Its points lead along the streets, from where the origin was snapped to where the destination was; between
        equal places it is the place itself.

        Raises:
            UnreachableError: no way leads there.
        """
        if origin == destination:
            return LegPath(0, 0, (origin,))
        times = self.travel_times([origin, destination])
        start, end = self.snap([origin, destination])
        if start is None or end is None or not times.reachable(0, 1):
            raise UnreachableError(f"no street leads from {origin} to {destination}")
        return LegPath(int(times.seconds[0, 1]), int(times.metres[0, 1]), tuple(self._points(start, end)))

    def slowed(self, by: Slowdown) -> StreetNetwork:
        """The same streets while driving takes longer: other times, and other ways where those are faster then.

        The order of nodes stays, so that this takes a hundredth of what compiling takes; it is kept.

        Raises:
            AreaError: the area was built before there were times of day.
        """
        if by not in self._slowed:
            streets = self._streets.slowed(by)
            arcs = arcs_of(streets)
            engine = self._engine.repriced(arcs)
            self._slowed[by] = StreetNetwork(streets, arcs, engine, self._access_ms, self._snapper)
        return self._slowed[by]

    def spread(self, place: LatLon) -> Spread | None:
        """How long it takes from a place to every street; None where no street is near it."""
        (start,) = snaps = self.snap([place])
        if start is None:
            return None
        s, count = self._streets, self._arcs.node_count
        nodes = np.column_stack((np.arange(count), np.full(count, -1))).astype(np.int32)
        everywhere = Ends(nodes, np.zeros((count, 2), dtype=np.int64))
        departing, arriving = (self._ends(snaps, departing=departing) for departing in (True, False))
        costs = self._engine.fan(everywhere, everywhere).costs(departing, arriving)[1]
        access_ms = 2 * self._access_ms
        ms = np.where(costs < UNREACHED, ms_of(costs) + access_ms, NEVER_MS)
        tail, head = (np.where(s.private, self._arriving[node], node) for node in (s.tail, s.head))
        runs = s.forward_ms.astype(np.int64), s.backward_ms.astype(np.int64)
        return Spread(start, access_ms, ms[tail], ms[head], *runs, s.line, s.line_first)

    def _costs(self, snaps: Sequence[Snap | None]) -> NDArray[np.int64]:
        """Least costs between all pairs of points on streets; `UNREACHED` or more where there is no way."""
        costs = self._engine.costs(self._ends(snaps, departing=True), self._ends(snaps, departing=False))
        for members in _by_street(snaps).values():
            for (i, start), (j, end) in itertools.permutations(members, 2):
                costs[i, j] = min(costs[i, j], self._direct(start, end))
        return costs

    def _told(self, costs: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Costs between points on streets as the seconds and metres between the places beside them."""
        reached = costs < UNREACHED
        seconds = np.where(reached, -((ms_of(costs) + 2 * self._access_ms) // -1000), UNREACHABLE)
        metres = np.where(reached, (dm_of(costs) + 5) // 10, UNREACHABLE)
        return seconds.astype(np.int32), metres.astype(np.int32)

    def _direct(self, start: Snap, end: Snap) -> int:
        """Cost of simply driving along the one street that both points are on."""
        s, street = self._streets, start.street
        if end.fraction >= start.fraction and s.forward_ms[street] >= 0:
            run_ms, a, b = int(s.forward_ms[street]), start.fraction, end.fraction
        elif end.fraction <= start.fraction and s.backward_ms[street] >= 0:
            run_ms, a, b = int(s.backward_ms[street]), 1 - start.fraction, 1 - end.fraction
        else:
            return int(UNREACHED)
        length = int(s.length_dm[street])
        ms = round(b * run_ms) - round(a * run_ms)
        dm = abs(round(end.fraction * length) - round(start.fraction * length))
        return cost(ms, dm)

    def _ends(self, snaps: Sequence[Snap | None], *, departing: bool) -> Ends:
        """Where the points join the graph: by the street's head and tail, as far as it is open that way."""
        s = self._streets
        found = np.array([snap is not None for snap in snaps], dtype=np.bool_)
        street = np.array([snap.street for snap in snaps if snap is not None], dtype=np.int64)
        fraction = np.array([snap.fraction for snap in snaps if snap is not None], dtype=np.float64)
        forward_ms, backward_ms = s.forward_ms[street].astype(np.int64), s.backward_ms[street].astype(np.int64)
        length_dm = s.length_dm[street].astype(np.int64)
        forward_run = np.rint(fraction * forward_ms).astype(np.int64)
        backward_run = np.rint((1 - fraction) * backward_ms).astype(np.int64)
        behind_dm = np.rint(fraction * length_dm).astype(np.int64)
        if departing:
            to_head = cost(forward_ms - forward_run + s.forward_delay_ms[street], length_dm - behind_dm)
            to_tail = cost(backward_ms - backward_run + s.backward_delay_ms[street], behind_dm)
            by_forward, by_backward, copy = (s.head[street], to_head), (s.tail[street], to_tail), self._departing
        else:
            by_forward = s.tail[street], cost(forward_run, behind_dm)
            by_backward = s.head[street], cost(backward_run, length_dm - behind_dm)
            copy = self._arriving
        ends = Ends(np.full((len(snaps), 2), -1, dtype=np.int32), np.zeros((len(snaps), 2), dtype=np.int64))
        for column, (node, price), is_open in (
            (0, by_forward, forward_ms >= 0),
            (1, by_backward, backward_ms >= 0),
        ):
            used = np.where(s.private[street], copy[node], node)
            ends.node[found, column] = np.where(is_open, used, -1)
            ends.cost[found, column] = np.where(is_open, price, 0)
        return ends

    def _points(self, start: Snap, end: Snap) -> list[LatLon]:
        """The line of the fastest way between two points on streets."""
        departing, arriving = self._ends([start], departing=True), self._ends([end], departing=False)
        around = int(self._engine.costs(departing, arriving)[0, 0])
        direct = self._direct(start, end) if start.street == end.street else int(UNREACHED)
        if direct <= around:
            return self._snapper.part(start.street, start.fraction, end.fraction)
        nodes = self._engine.nodes(departing, arriving)
        s = self._streets
        parts = [self._snapper.part(start.street, start.fraction, 1.0 - _column(departing, nodes[0]))]
        arcs = self._arcs.between(nodes[:-1], nodes[1:])
        for street, forward in zip(self._arcs.street[arcs].tolist(), self._arcs.forward[arcs].tolist(), strict=True):
            if street >= 0:
                line = s.line[s.line_first[street] : s.line_first[street + 1]].tolist()
                parts.append([LatLon(lat, lon) for lat, lon in (line if forward else line[::-1])])
        parts.append(self._snapper.part(end.street, float(_column(arriving, nodes[-1])), end.fraction))
        points = itertools.chain.from_iterable(parts)
        return [point for point, _ in itertools.groupby(points)]


class StreetFan:
    """Fixed places that are snapped and joined to the streets once, to be asked for from many threads.

    An answer takes 1.4 ms for 10,000 places in Newport (10,000 corners), nearly all of them its own search.
    """

    def __init__(self, network: StreetNetwork, places: Sequence[LatLon]) -> None:
        self._network = network
        self._number = {place: i for i, place in enumerate(dict.fromkeys(places))}
        self._which = np.array([self._number[place] for place in places], dtype=np.intp)
        snaps = network.snap(list(self._number))
        self._on_street = _by_street(snaps)
        departing, arriving = (network._ends(snaps, departing=departing) for departing in (True, False))
        self._fan = network._engine.fan(departing, arriving)

    def times(self, place: LatLon) -> FanTimes:
        """Seconds and metres between the place and every fixed one, in their order."""
        network = self._network
        snaps = network.snap([place])
        departing, arriving = (network._ends(snaps, departing=departing) for departing in (True, False))
        to_costs, from_costs = self._fan.costs(departing, arriving)
        if (here := snaps[0]) is not None:
            for i, there in self._on_street.get(here.street, ()):
                to_costs[i] = min(to_costs[i], network._direct(there, here))
                from_costs[i] = min(from_costs[i], network._direct(here, there))
        times = (*network._told(to_costs), *network._told(from_costs))
        if (itself := self._number.get(place)) is not None:
            for values in times:
                values[itself] = 0
        to_s, to_m, from_s, from_m = (values[self._which] for values in times)
        return FanTimes(to_s, to_m, from_s, from_m)


def _by_street(snaps: Sequence[Snap | None]) -> dict[int, list[tuple[int, Snap]]]:
    """The points on each street, with their numbers."""
    on_street: dict[int, list[tuple[int, Snap]]] = {}
    for i, snap in enumerate(snaps):
        if snap is not None:
            on_street.setdefault(snap.street, []).append((i, snap))
    return on_street


def _column(ends: Ends, node: int) -> int:
    """Which of a place's two joints the cheapest way through this node uses."""
    return int(np.argmin(np.where(ends.node[0] == node, ends.cost[0], UNREACHED)))
