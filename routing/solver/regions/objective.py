"""What a plan costs, one function a term, in seconds of driving; `Solution.cost_s` says the same of a finished plan."""

from __future__ import annotations

import numpy as np

from routing.problem import UNREACHABLE
from routing.solver.regions.constraints import alternatives
from routing.solver.regions.model import Model


def driving(model: Model) -> np.ndarray:
    """Seconds behind the wheel of every leg; parking, service and waiting cost nothing."""
    return np.where(model.drive_s == UNREACHABLE, 0, model.drive_s)


def tardiness_and_moves(model: Model) -> np.ndarray:
    """A visit after its due day costs for each day begun, and one that is not where people have seen it, too.

    Both are paid on every leg to it. What is left out has been moved as well: its worth in the region has that.
    """
    return np.broadcast_to(model.of_nodes([node.extra_s for node in model.nodes]), model.drive_s.shape)


def what_is_missed(model: Model) -> None:
    """Leaving out a job, or all jobs of a group, costs the most that one is worth: a mandatory one more than all."""
    for nodes, worths_s in _worths_of_alternatives(model):
        model.routing.AddDisjunction([model.index(k) for k in nodes], max(worths_s))


def lesser_choices(model: Model) -> np.ndarray:
    """Doing a job of a group saves what that job is worth: the rest of the best one's is paid on every leg to it."""
    short_s = [0] * len(model.nodes)
    for nodes, worths_s in _worths_of_alternatives(model):
        for k, worth_s in zip(nodes, worths_s, strict=True):
            short_s[k] = max(worths_s) - worth_s
    return np.broadcast_to(model.of_nodes(short_s), model.drive_s.shape)


def _worths_of_alternatives(model: Model) -> list[tuple[list[int], list[int]]]:
    worth = dict(zip(model.region.jobs, model.region.worths_s, strict=True))
    return [(nodes, [worth[model.nodes[k].job] for k in nodes]) for nodes in alternatives(model).values()]


def add_costs(model: Model) -> None:
    """Put all terms under the model."""
    legs = driving(model) + tardiness_and_moves(model) + lesser_choices(model)
    model.routing.SetArcCostEvaluatorOfAllVehicles(model.routing.RegisterTransitMatrix(legs.tolist()))
    what_is_missed(model)
