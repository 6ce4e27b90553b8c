"""What a dispatcher asks of whoever executes tasks: Dask (planner/jobs/cluster.py), or a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from planner.jobs.tasks import Outcome, Task


class Attempt(Protocol):
    """A task that has been handed in."""

    def progress(self) -> Mapping[str, Any] | None:
        """What its worker said last; None before the first word."""
        ...

    def outcome(self) -> Outcome | None:
        """How it ended; None while it has not. May be asked again."""
        ...

    def finish(self) -> None:
        """The best found so far is good enough: the task ends with it within about half a second. May be said again."""
        ...

    def drop(self) -> None:
        """Nobody wants the result: the worker ends within about a second, and forgets it."""
        ...


class Executor(Protocol):
    """Workers, however many and wherever they are."""

    @property
    def shared(self) -> bool:
        """Whether other dispatchers hand tasks to the same workers."""
        ...

    def workers(self) -> int:
        """How many tasks can run at a time just now; 0 where no worker can be reached."""
        ...

    def submit(self, name: str, task: Task) -> Attempt:
        """Have a task run, under a name that was never used before. What goes wrong is told by its outcome."""
        ...

    def close(self) -> None: ...
