"""The vehicle-routing solver: `solve(problem, limits)`. The only package that imports OR-Tools."""

from routing.solver.search import Progress, SearchLimits, solve

__all__ = ["Progress", "SearchLimits", "solve"]
