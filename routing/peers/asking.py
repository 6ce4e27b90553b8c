"""What another solver answers, and what none of them could be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.problem import Job, Problem


@dataclass(frozen=True, slots=True)
class Answer:
    """Ids of jobs by the ids of shifts, in order, and what of the problem the solver could not be told."""

    sequences: Mapping[str, Sequence[str]]
    untold: tuple[str, ...]


def untold(problem: Problem) -> tuple[str, ...]:
    """Which rules and prices of this problem neither VROOM nor PyVRP has words for."""
    said = (
        ("tardiness", any(job.tardiness_s_per_day and job.due_s is not None for job in problem.jobs)),
        ("nights away", bool(problem.lodgings)),
        ("the days between repeats", bool(problem.spacings)),
        ("what people have seen", any(job.moved_s for job in problem.jobs)),
        ("slower hours", bool(problem.tables)),
    )
    return tuple(f"knows nothing of {what}" for what, applies in said if applies)


def group_of(job: Job) -> str:
    """A name for the jobs of which at most one is done."""
    return f"job {job.id}" if job.group is None else f"group {job.group}"
