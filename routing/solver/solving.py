"""One way to ask for a plan, whichever engine makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from routing.problem import Problem
from routing.solution import Solution
from routing.solver.limits import DEFAULT_ENGINE, Engine, Improvement, Progress, SearchLimits
from routing.solver.recreate.search import search as ruin_and_recreate
from routing.solver.regions.search import search as search_by_region


def solve(
    problem: Problem,
    limits: SearchLimits,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    warm_start: Solution | None = None,
) -> Solution:
    """The cheapest plan found (`Solution.cost_s`), keeping every rule that `Problem`, `Job` and `Shift` describe.

    Ends when the limits are reached, when `cancelled()` is true (asked several times a second), or early when nothing
    has improved for so long that nothing will. `on_progress` is called several times a second, from this thread.
    `warm_start` is a plan to begin with: of the same problem or an older one, whatever of it still fits. Mandatory jobs
    that it does are done in the result too, while others may have to give way to each other.

    Raises:
        RoutingError: a solver process failed or was killed.
    """
    last = None
    for progress in _search(problem, limits, cancelled, warm_start):
        last = progress
        if on_progress:
            on_progress(progress)
    assert last is not None, "a search ends with its plan"
    return last.solution()


def improving(
    problem: Problem,
    limits: SearchLimits,
    cancelled: Callable[[], bool] | None = None,
    warm_start: Solution | None = None,
) -> Iterator[Improvement]:
    """Better and better plans, each as soon as it is looked for; the last one is what `solve` gives.

    Raises:
        RoutingError: a solver process failed or was killed.
    """
    told = -1
    for progress in _search(problem, limits, cancelled, warm_start):
        if progress.improvements > told:
            told = progress.improvements
            yield Improvement(progress.solution(), progress.cost_s, progress.elapsed_s, progress.fraction)


def _search(
    problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool] | None, warm_start: Solution | None
) -> Iterator[Progress]:
    search = search_by_region if (limits.engine or DEFAULT_ENGINE) is Engine.ORTOOLS else ruin_and_recreate
    return search(problem, limits, cancelled or (lambda: False), warm_start)
