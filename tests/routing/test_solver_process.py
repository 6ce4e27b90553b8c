"""The solver's processes: the same plan everywhere, an end when asked for one, and an error when one is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from routing.checks import violations
from routing.errors import RoutingError
from routing.problem import DAY_S, Job, Problem, Shift, TimeWindow
from routing.solver import Engine, Progress, SearchLimits, solve
from routing.solver.regions.worker import Crew


def a_week(reps: int = 4, days: int = 3, visits: int = 60, seed: int = 1) -> Problem:
    rng = random.Random(seed)
    points = [(rng.randrange(3000), rng.randrange(3000)) for _ in range(reps + visits)]
    seconds = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in points] for a in points]
    shifts = tuple(
        Shift(f"rep{r}-day{d}", f"rep{r}", r, r, d * DAY_S + 28_800, d * DAY_S + 50_000)
        for r in range(reps)
        for d in range(days)
    )
    windows = tuple(TimeWindow(d * DAY_S + 28_800, d * DAY_S + 47_000) for d in range(days))
    jobs = tuple(Job(f"visit{v}", reps + v, 1800, windows, penalty_s=rng.randrange(1000, 9000)) for v in range(visits))
    return Problem(jobs, shifts, seconds, seconds)


def test_the_same_problem_seed_and_work_give_the_same_plan() -> None:
    problem = a_week()
    first = solve(problem, SearchLimits(work=12, seed=5))
    assert violations(problem, first) == []
    assert repr(solve(problem, SearchLimits(work=12, seed=5))) == repr(first)


def test_the_plan_does_not_depend_on_the_interpreters_hash_seed() -> None:
    program = (
        "from test_solver_process import a_week; from routing.solver import *;"
        "print(solve(a_week(), SearchLimits(work=8)))"
    )
    root = Path(__file__).parents[2]
    plans = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).parent)]),
            },
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]
    assert plans[0] == plans[1] != b""


def test_the_plan_does_not_depend_on_the_number_of_workers() -> None:
    problem = a_week(seed=2)
    together = solve(problem, SearchLimits(work=10, workers=2))
    assert solve(problem, SearchLimits(work=10, workers=1)) == together


def test_a_plan_comes_back_when_cancelled_long_before_its_time() -> None:
    problem = a_week(visits=150)
    stopped_at: list[float] = []
    seen: list[Progress] = []

    def cancelled() -> bool:
        if len(seen) >= 8 and not stopped_at:
            stopped_at.append(time.monotonic())
        return bool(stopped_at)

    solution = solve(problem, SearchLimits(seconds=60), seen.append, cancelled)
    assert time.monotonic() - stopped_at[0] < 10  # of sixty seconds
    assert violations(problem, solution) == []


def test_cancelled_before_it_began_it_still_gives_a_plan() -> None:
    problem = a_week()
    assert violations(problem, solve(problem, SearchLimits(seconds=60), cancelled=lambda: True)) == []


def test_seconds_are_of_the_clock_on_the_wall() -> None:
    problem = a_week(visits=150)
    began = time.monotonic()
    solution = solve(problem, SearchLimits(seconds=1.5))
    assert 1.2 < time.monotonic() - began < 20  # two processors' seconds would be over sooner
    assert violations(problem, solution) == []


def test_a_problem_too_small_to_improve_ends_early() -> None:
    began = time.monotonic()
    solve(a_week(1, 1, 2), SearchLimits(seconds=60))
    assert time.monotonic() - began < 20


def test_a_killed_worker_is_an_error_and_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    crews: list[Crew] = []
    enter = Crew.__enter__
    monkeypatch.setattr(Crew, "__enter__", lambda crew: crews.append(crew) or enter(crew))  # type: ignore[func-returns-value]

    def kill(_: Progress) -> None:
        for worker in crews[0]._workers:
            worker.send_signal(signal.SIGKILL)

    with pytest.raises(RoutingError, match="ended before its time"):
        solve(a_week(), SearchLimits(work=500, engine=Engine.ORTOOLS), kill)


def test_ctrl_c_in_the_terminal_does_not_reach_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    crews: list[Crew] = []
    enter = Crew.__enter__
    monkeypatch.setattr(Crew, "__enter__", lambda crew: crews.append(crew) or enter(crew))  # type: ignore[func-returns-value]

    def look(_: Progress) -> None:
        sessions.update(os.getsid(worker.pid) for worker in crews[0]._workers if worker.poll() is None)

    sessions: set[int] = set()
    solve(a_week(), SearchLimits(work=6, engine=Engine.ORTOOLS), look)
    assert sessions
    assert os.getsid(0) not in sessions


def test_it_runs_in_a_thread_of_a_server() -> None:
    problem, plans = a_week(1, 1, 3), []
    thread = threading.Thread(target=lambda: plans.append(solve(problem, SearchLimits(work=2))))
    thread.start()
    thread.join(timeout=60)
    assert len(plans) == 1
