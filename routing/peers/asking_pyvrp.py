"""PyVRP, a hybrid genetic and local search: the only module that imports it. It uses one core.

A job has a client for each of its windows, of which one is visited, as of a group. Clients that other vehicles may
visit, or that park for another time, stand at locations of their own, and parking is on the way there. Where some rep
may not go, the way is endless. Breaks it does not have: days last shorter by them, and what they last longer is
overtime, since a break may lie where somebody has to wait anyway.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from routing.errors import PeerError
from routing.peers.asking import Answer, group_of, untold
from routing.problem import UNREACHABLE, Problem, Shift, TimeWindow

OVERTIME_COST = 2
"""For a second of overtime: about what a second of visits is worth in a field week, so that breaks find room."""


def ask_pyvrp(problem: Problem, seconds: float, seed: int) -> Answer:
    """Its routes after so many seconds of search; to build its model takes longer.

    Raises:
        PeerError: it is not installed, or failed.
    """
    try:
        import pyvrp
        import pyvrp.stop
    except ImportError as error:
        raise PeerError("PyVRP is not installed: pip install pyvrp") from error

    model = _Model(problem)
    of_group: dict[str, list[int]] = defaultdict(list)
    for k, (j, _) in enumerate(model.clients):
        of_group[group_of(problem.jobs[j])].append(k)
    chosen = {name: clients for name, clients in of_group.items() if len(clients) > 1}
    number = {name: k for k, name in enumerate(chosen)}

    def client(j: int, window: TimeWindow) -> pyvrp.Client:
        job = problem.jobs[j]
        group = number.get(group_of(job))
        return pyvrp.Client(
            model.location_of[j],
            delivery=model.amounts(job.demand, 1),
            service_duration=job.service_s,
            tw_early=window.start_s,
            tw_late=window.end_s,
            prize=job.penalty_s or 0,
            required=job.mandatory and group is None,
            group=group,
        )

    def vehicles(shifts: list[Shift]) -> pyvrp.VehicleType:
        one = shifts[0]
        return pyvrp.VehicleType(
            len(shifts),
            capacity=model.amounts(one.capacity, one.max_jobs),
            start_depot=model.depot_of[one.start_place],
            end_depot=model.depot_of[one.end_place],
            tw_early=one.start_s,
            tw_late=one.end_s,
            shift_duration=one.end_s - one.start_s - _rest_s(one),
            max_overtime=_rest_s(one),
            unit_overtime_cost=OVERTIME_COST,
            profile=model.profile_of[one.id],
        )

    found: dict[str, list[str]] = {shift.id: [] for shift in problem.shifts}
    if model.clients and problem.shifts:
        try:
            data = pyvrp.ProblemData(
                [pyvrp.Location(0, 0) for _ in model.locations],
                [client(j, window) for j, window in model.clients],
                [pyvrp.Depot(k) for k in range(model.depots)],
                [vehicles(shifts) for shifts in model.alike],
                model.distances,
                model.durations,
                [pyvrp.ClientGroup(clients, required=model.owed(clients)) for clients in chosen.values()],
            )
            stop = pyvrp.stop.MaxRuntime(seconds)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of what is hard to find
                result = pyvrp.solve(data, stop, seed=seed, collect_stats=False, display=False)
        except Exception as error:  # whatever its C++ throws
            raise PeerError(f"PyVRP failed: {error}") from error
        free = [list(shifts) for shifts in model.alike]
        for route in result.best.routes():
            shift = free[route.vehicle_type()].pop(0)
            visits = [visit.idx for visit in route if visit.is_client()]
            found[shift.id] = [problem.jobs[model.clients[k][0]].id for k in visits]
    without = (
        ("has no breaks: its days last shorter by them, or it pays for overtime",)
        if any(s.break_ for s in problem.shifts)
        else ()
    )
    return Answer(found, (*without, *untold(problem)))


def _rest_s(shift: Shift) -> int:
    return shift.break_.duration_s if shift.break_ else 0


class _Model:
    """Depots and locations, and matrices for each set of vehicles that may go to the same ones."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.loaded = any(shift.capacity is not None for shift in problem.shifts)
        self.counted = any(shift.max_jobs is not None for shift in problem.shifts)
        self.clients = [
            (j, window)
            for j, job in enumerate(problem.jobs)
            if problem.eligible_shifts[job.id]
            for window in job.windows
        ]
        self._most = (sum(problem.jobs[j].demand for j, _ in self.clients), len(self.clients))
        places = list(dict.fromkeys(p for shift in problem.shifts for p in (shift.start_place, shift.end_place)))
        self.depot_of = {place: k for k, place in enumerate(places)}
        self.depots = len(places)
        # Which days a job may be on, its windows say: what is left is who may do it.
        who = [frozenset(shift.vehicle for shift in problem.eligible_shifts[job.id]) for job in problem.jobs]
        keys = [(job.place, job.setup_s, who[j]) for j, job in enumerate(problem.jobs)]
        locations = {key: self.depots + k for k, key in enumerate(dict.fromkeys(keys))}
        self.location_of = [locations[key] for key in keys]
        self.locations = [*((place, 0, None) for place in places), *locations]
        at = np.array([place for place, _, _ in self.locations], dtype=np.int64)
        setups = np.array([setup for _, setup, _ in self.locations], dtype=np.int64)
        drive = np.array(problem.seconds, dtype=np.int64)[np.ix_(at, at)]
        never = max((shift.end_s for shift in problem.shifts), default=0) + 1
        drive[drive == UNREACHABLE] = never
        travel = drive + setups[None, :] * (at[:, None] != at[None, :])
        self.distances: list[NDArray[np.int64]] = []
        self.durations: list[NDArray[np.int64]] = []
        profiles: dict[bytes, int] = {}
        of_vehicle: dict[str, int] = {}
        for vehicle in dict.fromkeys(shift.vehicle for shift in problem.shifts):
            barred = np.array([allowed is not None and vehicle not in allowed for _, _, allowed in self.locations])
            if barred.tobytes() not in profiles:
                profiles[barred.tobytes()] = len(profiles)
                for matrix, kept in ((drive, self.distances), (travel, self.durations)):
                    own = matrix.copy()
                    own[:, barred] = never
                    np.fill_diagonal(own, 0)
                    kept.append(own)
            of_vehicle[vehicle] = profiles[barred.tobytes()]
        self.profile_of = {shift.id: of_vehicle[shift.vehicle] for shift in problem.shifts}
        alike: dict[Hashable, list[Shift]] = defaultdict(list)
        for shift in problem.shifts:
            limits = (shift.max_jobs, shift.capacity, _rest_s(shift), self.profile_of[shift.id])
            alike[shift.start_place, shift.end_place, shift.start_s, shift.end_s, *limits].append(shift)
        self.alike = list(alike.values())

    def owed(self, clients: list[int]) -> bool:
        """Whether one of them must be visited."""
        return any(self._problem.jobs[self.clients[k][0]].mandatory for k in clients)

    def amounts(self, demand: int | None, jobs: int | None) -> list[int]:
        """In the dimensions that this problem limits; None is as much as there is."""
        most = [of_all if own is None else own for own, of_all in zip((demand, jobs), self._most, strict=True)]
        return [amount for amount, limited in zip(most, (self.loaded, self.counted), strict=True) if limited]
