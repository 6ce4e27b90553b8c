"""What a plan costs, one function a term, in seconds of driving; `Solution.cost_s` says the same of a finished plan."""

from __future__ import annotations

import numpy as np

from routing.problem import UNREACHABLE
from routing.solver.constraints import alternatives
from routing.solver.model import Model


def driving(model: Model) -> np.ndarray:
    """Seconds behind the wheel of every leg; parking, service and waiting cost nothing."""
    return np.where(model.drive_s == UNREACHABLE, 0, model.drive_s)


def tardiness(model: Model) -> np.ndarray:
    """A visit after its due day costs for each day begun, paid on every leg to it."""
    return np.broadcast_to(model.of_nodes([node.tardiness_s for node in model.nodes]), model.drive_s.shape)


def what_is_missed(model: Model) -> None:
    """Leaving out a job, or all jobs of a group, costs its worth once; a mandatory one more than all else."""
    worth = dict(zip(model.region.jobs, model.region.worths_s, strict=True))
    for nodes in alternatives(model).values():
        penalty = max(worth[model.nodes[k].job] for k in nodes)
        model.routing.AddDisjunction([model.index(k) for k in nodes], penalty)


def add_costs(model: Model) -> None:
    """Put all terms under the model."""
    legs = driving(model) + tardiness(model)
    model.routing.SetArcCostEvaluatorOfAllVehicles(model.routing.RegisterTransitMatrix(legs.tolist()))
    what_is_missed(model)
