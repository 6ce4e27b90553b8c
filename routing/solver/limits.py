"""How long to search and with what, and what a search says on its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from routing.errors import ProblemError
from routing.native import COMPILED
from routing.solution import Solution
from routing.solver.packing_model import Column


class Engine(StrEnum):
    """Which search plans: ruin and recreate of our own, or region by region with OR-Tools."""

    RUIN_RECREATE = "ruin-recreate"
    ORTOOLS = "ortools"


DEFAULT_ENGINE = Engine.RUIN_RECREATE if COMPILED else Engine.ORTOOLS
"""Ruin and recreate lives on millions of tries, which plain Python does not make."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How long to search: `seconds` of wall-clock for everything, or `work`, about tenths of a second of one core.

    Work is the same on every machine under any load: equal problem, seed, work and engine give equal solutions, on
    however many `workers`: threads or processes that search at the same time, None is as many as help. `engine` None
    is the default of this machine.

    Raises:
        ProblemError: not exactly one of seconds and work is set, or one of the numbers is not positive.
    """

    seconds: float | None = None
    work: int | None = None
    seed: int = 1
    workers: int | None = None
    engine: Engine | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.work is None):
            raise ProblemError("search limits: set exactly one of seconds and work")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ProblemError(f"search limits: {self.seconds} seconds is not a positive time")
        if self.work is not None and self.work < 1:
            raise ProblemError(f"search limits: work {self.work} is not at least 1")
        if self.workers is not None and self.workers < 1:
            raise ProblemError(f"search limits: {self.workers} workers are not at least 1")


@dataclass(frozen=True, slots=True)
class Progress:
    """The best plan so far: its cost and number of jobs done; `fraction` of the budget spent, from 0 to 1.

    `improvements` counts the plans found that were better than all before; `solution()` is the latest of them, timed
    when it is asked for. `met()` are routes that the search has met, for `routing.bound`: of the engines that keep any.
    """

    cost_s: int
    served: int
    elapsed_s: float
    fraction: float
    improvements: int
    solution: Callable[[], Solution] = field(repr=False, compare=False)
    met: Callable[[], Sequence[Column]] = field(default=tuple, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Improvement:
    """A plan that is better than all before."""

    solution: Solution
    cost_s: int
    elapsed_s: float
    fraction: float
