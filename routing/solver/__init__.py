"""The solvers: `solve(problem, limits)` finds routes, `improving` tells of every better plan on the way.

The only package that imports OR-Tools; `routing.solver.alignment_model`, which `routing.alignment` asks, gives places
to centres.
"""

from routing.solver.limits import DEFAULT_ENGINE, Engine, Improvement, Progress, SearchLimits
from routing.solver.solving import improving, solve

__all__ = ["DEFAULT_ENGINE", "Engine", "Improvement", "Progress", "SearchLimits", "improving", "solve"]
