"""What a plan must keep, one function a rule, in the words of OR-Tools. `RULES` is the table of contents.

A rule that is also one of `routing.checks` has its name. Two rules here are several there: `time_passes` is
`legs_are_driven`, `parking_is_paid` and `service_takes_its_time`, and `only_eligible_shifts_serve` is
`vehicle_is_allowed` and `skills_are_there`. `group_is_served_once` is a matter of cost: see `alternatives`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations

import numpy as np

from routing.problem import UNREACHABLE
from routing.solver.regions.model import Model

TIME = "time"
JOBS = "jobs"
LOAD = "load"


def time_passes(model: Model) -> None:
    """Service, then driving, then parking at another place go by between two begins; waiting is free.

    Where no street leads, the way takes longer than any day, so it is never used.
    """
    jobs = [model.problem.jobs[node.job] for node in model.nodes]
    service = model.of_nodes([job.service_s for job in jobs])
    setup = model.of_nodes([job.setup_s for job in jobs])
    elsewhere = model.places[:, None] != model.places[None, :]
    transit = model.drive_s + service[:, None] + setup[None, :] * elsewhere
    transit = np.where(model.drive_s == UNREACHABLE, model.horizon_s + 1, transit)
    transit[: model.depots, : model.depots] = 0  # a shift without a visit stays at home, wherever it would have ended
    callback = model.routing.RegisterTransitMatrix(transit.tolist())
    model.routing.AddDimension(callback, model.horizon_s, model.horizon_s, False, TIME)


def shift_is_kept(model: Model) -> None:
    """Nobody leaves before the shift begins or comes back after it ends."""
    time = model.routing.GetDimensionOrDie(TIME)
    for vehicle, (shift, zero) in enumerate(zip(model.shifts, model.clock_s, strict=True)):
        for index in (model.routing.Start(vehicle), model.routing.End(vehicle)):
            time.CumulVar(index).SetRange(shift.start_s - zero, shift.end_s - zero)


def service_begins_in_a_window(model: Model) -> None:
    """Each node stands for one window of its job."""
    time = model.routing.GetDimensionOrDie(TIME)
    for k, node in enumerate(model.nodes):
        time.CumulVar(model.index(k)).SetRange(*node.begin_s)


def only_eligible_shifts_serve(model: Model) -> None:
    """Allowed vehicles, skills, and the day that a window belongs to."""
    for k, node in enumerate(model.nodes):
        if len(node.vehicles) < len(model.shifts):
            # SetAllowedVehiclesForIndex raises TypeError in OR-Tools 9.15; -1 is "left out".
            model.routing.VehicleVar(model.index(k)).SetValues([-1, *node.vehicles])


def break_is_taken(model: Model) -> None:
    """A working day has its break, which interrupts no service."""
    service = [0] * model.routing.Size()
    for k, node in enumerate(model.nodes):
        service[model.index(k)] = model.problem.jobs[node.job].service_s
    time = model.routing.GetDimensionOrDie(TIME)
    solver = model.routing.solver()
    for vehicle, (shift, zero) in enumerate(zip(model.shifts, model.clock_s, strict=True)):
        rest = shift.break_
        if rest:
            interval = solver.FixedDurationIntervalVar(
                rest.start_s - zero, rest.latest_start_s - zero, rest.duration_s, False, f"break {shift.id}"
            )
            time.SetBreakIntervalsOfVehicle([interval], vehicle, service)


def max_jobs_is_kept(model: Model) -> None:
    """`max_jobs` counts visits, whatever they are."""
    if all(shift.max_jobs is None for shift in model.shifts):
        return
    one = model.routing.RegisterUnaryTransitVector(model.of_nodes([1] * len(model.nodes)).tolist())
    most = [len(model.nodes) if shift.max_jobs is None else shift.max_jobs for shift in model.shifts]
    model.routing.AddDimensionWithVehicleCapacity(one, 0, most, True, JOBS)


def capacity_is_kept(model: Model) -> None:
    """What a shift's jobs demand is no more than its capacity."""
    if all(shift.capacity is None for shift in model.shifts):
        return
    demands = [model.problem.jobs[node.job].demand for node in model.nodes]
    loaded = model.routing.RegisterUnaryTransitVector(model.of_nodes(demands).tolist())
    most = [sum(demands) if shift.capacity is None else shift.capacity for shift in model.shifts]
    model.routing.AddDimensionWithVehicleCapacity(loaded, 0, most, True, LOAD)


def visits_are_spaced(model: Model) -> None:
    """No two of a series are on days nearer than its spacing says; which are too far apart is seen to afterwards."""
    nodes_of_series: dict[str, list[int]] = defaultdict(list)
    for k, node in enumerate(model.nodes):
        series = model.problem.jobs[node.job].series
        if series is not None:
            nodes_of_series[series].append(k)
    least = {spacing.series: spacing.min_days for spacing in model.problem.spacings}
    days = [shift.day for shift in model.shifts]
    for series, nodes in nodes_of_series.items():
        for a, b in combinations(nodes, 2):
            if model.nodes[a].job != model.nodes[b].job:
                one, other = ([-1, *model.nodes[k].vehicles] for k in (a, b))
                pairs = [(v, w) for v in one for w in other if -1 in (v, w) or abs(days[v] - days[w]) >= least[series]]
                if len(pairs) < len(one) * len(other):
                    variables = [model.routing.VehicleVar(model.index(k)) for k in (a, b)]
                    model.routing.solver().Add(model.routing.solver().AllowedAssignments(variables, pairs))


RULES: tuple[Callable[[Model], None], ...] = (
    time_passes,
    shift_is_kept,
    service_begins_in_a_window,
    only_eligible_shifts_serve,
    break_is_taken,
    visits_are_spaced,
    max_jobs_is_kept,
    capacity_is_kept,
)


def alternatives(model: Model) -> dict[str | int, list[int]]:
    """Nodes of which at most one is visited: all ways of doing one job, or any job of one group.

    OR-Tools takes this rule together with the cost of visiting none: see `objective.what_is_missed`.
    """
    found: dict[str | int, list[int]] = defaultdict(list)
    for job, nodes in model.nodes_of_job.items():
        group = model.problem.jobs[job].group
        found[job if group is None else group].extend(nodes)
    return found
