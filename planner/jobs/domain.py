"""A job as its row tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SEARCHING = "searching"
"""What is done of a plan, as `Job.progress` has it, while its best so far still changes."""


class JobState(StrEnum):
    """Where a job stands; the last four are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REPLACED = "replaced"

    @property
    def ended(self) -> bool:
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that somebody asked for.

    Attributes:
        kind: of work, as `planner.jobs.requests` has them.
        request: what was asked for, as JSON.
        requested_by: as `Actor.id`.
        attempt: how often it has been started; a result counts only if it comes from this attempt.
        failures: how many attempts ended by a lost worker or by an error that may not come again.
        lease_owner: the dispatcher that runs it; another may take it over after `lease_until`.
        progress: what pages show while it runs: `what` is being done, `fraction` of it (0 to 1), and of a search the
            best plan so far and the way to it, as `planner.jobs.improvements` tells it.
        result: what came out: of a plan its `version`, `visits` and `unplanned`; of geocoding `geocoded`, a
            number; of coverage `customers`, a number.
        finishing: somebody has said that the best plan found so far is good enough.
        error: why it failed, fit to show to somebody who sees the whole area; see `requests.told_to`.
    """

    id: str
    area: str
    kind: str
    request: Mapping[str, Any]
    requested_by: str
    created_at: datetime
    state: JobState = JobState.WAITING
    attempt: int = 0
    failures: int = 0
    lease_owner: str = ""
    lease_until: datetime | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    finishing: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A dispatcher was alive at `at` and had so many workers, none while it waits for its Dask scheduler."""

    owner: str
    at: datetime
    workers: int
