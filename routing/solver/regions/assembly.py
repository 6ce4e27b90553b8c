"""A region's model under all rules and costs, solved. Runs in a worker: OR-Tools is imported here."""

from __future__ import annotations

import numpy as np

from routing.problem import Problem
from routing.solver.regions.constraints import RULES
from routing.solver.regions.model import Model
from routing.solver.regions.objective import add_costs
from routing.solver.regions.region import Region


def solve_region(problem: Problem, seconds: np.ndarray, region: Region) -> list[list[int]] | None:
    """The jobs of each of the region's shifts in order, as indices, or None if nothing was found.

    `seconds` is the problem's matrix as an array of int64.
    """
    model = Model(problem, seconds, region)
    for rule in RULES:
        rule(model)
    add_costs(model)
    return model.solve()
