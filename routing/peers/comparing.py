"""This solver and others on one problem, in turn, judged alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from routing.errors import PeerError
from routing.judging import Verdict, as_driven, mended, verdict
from routing.peers.asking import Answer
from routing.peers.asking_pyvrp import ask_pyvrp
from routing.peers.asking_vroom import ask_vroom
from routing.problem import Problem
from routing.solution import Solution
from routing.solver import Progress, SearchLimits, solve

OURS = "fieldvisit"
PEERS = ("vroom", "pyvrp")
VROOM_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Run:
    """What a solver found in `seconds` of wall-clock.

    `dropped`: how many visits of a peer's routes had no place once these kept every rule; `notes` say what the peer is
    given and what it could not be told.
    """

    solver: str
    solution: Solution
    verdict: Verdict
    seconds: float
    dropped: int = 0
    notes: tuple[str, ...] = ()


def run_ours(problem: Problem, limits: SearchLimits, on_progress: Callable[[Progress], None] | None = None) -> Run:
    """Our plan, judged like anybody's: its times are its own, its cost and its rules are looked up again."""
    began = time.monotonic()
    solution = solve(problem, limits, on_progress=on_progress)
    return Run(OURS, solution, verdict(problem, solution), time.monotonic() - began)


def run_peer(name: str, problem: Problem, seconds: float, seed: int, threads: int | None = None) -> Run:
    """A peer's plan: VROOM takes its own time on as many threads as this machine has cores, PyVRP the seconds on one.

    Its sequences are timed by us. Where they break a rule, they are mended: see `routing.judging.mended`.

    Raises:
        PeerError: there is no such peer, it is not installed, or it failed.
    """
    threads = threads or os.cpu_count() or 1
    began = time.monotonic()
    if name == "vroom":
        answer = ask_vroom(problem, threads, VROOM_LEVEL)
        how = f"exploration level {VROOM_LEVEL}, its own time, {threads} threads"
    elif name == "pyvrp":
        answer = ask_pyvrp(problem, seconds, seed)
        how = f"{seconds:g} s after its model is built, one thread"
    else:
        raise PeerError(f"there is no peer {name}: {', '.join(PEERS)}")
    took = time.monotonic() - began
    solution, dropped = _timed(problem, answer)
    return Run(name, solution, verdict(problem, solution), took, dropped, (how, *answer.untold))


def _timed(problem: Problem, answer: Answer) -> tuple[Solution, int]:
    solution = as_driven(problem, answer.sequences)
    if not verdict(problem, solution).violations:
        return solution, 0
    solution, dropped = mended(problem, answer.sequences)
    return solution, len(dropped)
