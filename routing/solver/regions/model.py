"""A routing model of OR-Tools for some shifts and jobs of a problem: a whole small problem, or a region of a large one.

Every visit is a node, and a job has one node for each distinct window and extra cost it can be done with; the rules
choose among them. Each shift runs on its own clock that starts at midnight UTC of its first day, so that the windows
of a job that is open every day from nine to five fall together into one node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # type: ignore[import-untyped]

from routing.problem import DAY_S, Problem, Shift
from routing.solver.regions.region import Region
from routing.timing import schedule

FAILURES = 200
"""Guided local search never ends where no other solution is left to find; this many tries, and a tenth for each
solution allowed, are several times what a search needs that still finds some."""


@dataclass(frozen=True, slots=True)
class Node:
    """One way of doing a job: within one window (on the shifts' own clocks), on some of the model's vehicles.

    `extra_s` is what it costs there to be late, or to be elsewhere than people have seen it.
    """

    job: int
    begin_s: tuple[int, int]
    extra_s: int
    vehicles: tuple[int, ...]


class Model:
    """The routing model of a region, not yet under any rule or cost."""

    def __init__(self, problem: Problem, seconds: np.ndarray, region: Region) -> None:
        self.problem = problem
        self.region = region
        self.shifts: list[Shift] = [problem.shifts[k] for k in region.shifts]
        self.clock_s = [shift.start_s // DAY_S * DAY_S for shift in self.shifts]
        self.horizon_s = max(shift.end_s - zero for shift, zero in zip(self.shifts, self.clock_s, strict=True))
        depots = sorted({place for shift in self.shifts for place in (shift.start_place, shift.end_place)})
        self.depots = len(depots)
        self.nodes = _nodes(self)
        self.places = np.array([*depots, *(problem.jobs[node.job].place for node in self.nodes)])
        self.drive_s = seconds[np.ix_(self.places, self.places)]
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.places),
            len(self.shifts),
            [depots.index(shift.start_place) for shift in self.shifts],
            [depots.index(shift.end_place) for shift in self.shifts],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)

    def index(self, node: int) -> int:
        """The routing index of the node number `node` of `nodes`."""
        return int(self.manager.NodeToIndex(self.depots + node))

    def of_nodes(self, values: Sequence[int]) -> np.ndarray:
        """Values of the nodes, with zeros for the depots in front: one for each row of `drive_s`."""
        return np.array([0] * self.depots + list(values), dtype=np.int64)

    @cached_property
    def nodes_of_job(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for k, node in enumerate(self.nodes):
            found[node.job].append(k)
        return found

    def solve(self) -> list[list[int]] | None:
        """The jobs of each shift in order, or None if nothing was found.

        Stops after the region's `solution_limit` solutions, which is the same point on every machine, or its `seconds`.
        """
        solution_limit, seconds = self.region.solution_limit, self.region.seconds
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        heuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.local_search_metaheuristic = heuristic
        parameters.solution_limit = solution_limit
        parameters.lns_time_limit.FromSeconds(3600)  # the default, a tenth of a second, depends on the machine
        if seconds is not None:
            parameters.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
        self.routing.AddSearchMonitor(self.routing.solver().FailuresLimit(FAILURES + FAILURES * solution_limit // 10))
        self.routing.CloseModelWithParameters(parameters)
        start = None
        if any(self.region.sequences):
            start = self.routing.ReadAssignmentFromRoutes(self._start_routes(), True)
        if start:
            found = self.routing.SolveFromAssignmentWithParameters(start, parameters)
        else:
            found = self.routing.SolveWithParameters(parameters)
        return self._sequences(found) if found else None

    def _start_routes(self) -> list[list[int]]:
        """The region's present sequences as routing indices; each visit in the window that it really has."""
        routes = []
        for vehicle, (shift, sequence) in enumerate(zip(self.shifts, self.region.sequences, strict=True)):
            route = schedule(self.problem, shift, [self.problem.jobs[j] for j in sequence])
            steps = route.steps if route else ()
            indices = []
            for job, step in zip(sequence, steps, strict=False):  # no steps if the sequence cannot be driven
                begin = step.begin_s - self.clock_s[vehicle]
                for k in self.nodes_of_job[job]:
                    node = self.nodes[k]
                    if vehicle in node.vehicles and node.begin_s[0] <= begin <= node.begin_s[1]:
                        indices.append(self.index(k))
                        break
            routes.append(indices)
        return routes

    def _sequences(self, found: pywrapcp.Assignment) -> list[list[int]]:
        sequences = []
        for vehicle in range(len(self.shifts)):
            sequence = []
            index = found.Value(self.routing.NextVar(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                sequence.append(self.nodes[self.manager.IndexToNode(index) - self.depots].job)
                index = found.Value(self.routing.NextVar(index))
            sequences.append(sequence)
        return sequences


def _nodes(model: Model) -> list[Node]:
    problem, lasts = model.problem, model.horizon_s
    ways: dict[tuple[int, int, int, int], list[int]] = {}
    for j in model.region.jobs:
        job = problem.jobs[j]
        for vehicle, (shift, zero) in enumerate(zip(model.shifts, model.clock_s, strict=True)):
            if not problem.may_serve(shift, job) or (j, model.region.shifts[vehicle]) in model.region.refused:
                continue
            extra = problem.tardiness_s(shift, job)
            if job.seen_on not in (None, shift.id):
                extra += job.moved_s
            for window in job.windows:
                if window.end_s < shift.start_s or window.start_s + job.service_s > shift.end_s:
                    continue
                begin = max(window.start_s - zero, 0), min(window.end_s - zero, lasts)
                ways.setdefault((j, *begin, extra), []).append(vehicle)
    return [Node(j, (a, b), extra, tuple(vehicles)) for (j, a, b, extra), vehicles in ways.items()]
