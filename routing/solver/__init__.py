"""The solvers, the only package that imports OR-Tools: `solve(problem, limits)` finds routes, and
`routing.solver.alignment_model`, which `routing.alignment` asks, gives places to centres."""

from routing.solver.regions.search import Progress, SearchLimits, solve

__all__ = ["Progress", "SearchLimits", "solve"]
