"""The words of what-if: a scenario, what it changes, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from planner.domain import _check, _check_text

MAX_NAME = 200


class ScenarioState(StrEnum):
    """Where a scenario stands."""

    DRAFT = "draft"
    """Something of it has changed since it was worked out, if it ever was."""
    COMPUTED = "computed"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named what-if.

    Attributes:
        revision: goes up with every change, from 1.
        changes: what is different in it, as JSON that `planner.scenarios.changes` reads: reps added, removed and with
            other hours, cadences, pinned accounts, and the prices of the realignment.
        result: what came out, as JSON that `planner.scenarios.outcome` writes; None until it is worked out.
        job_id: of the job that works it out; empty for none.
    """

    area: str
    id: str
    revision: int
    name: str
    state: ScenarioState
    changes: Mapping[str, Any]
    made_by: str
    made_at: datetime
    job_id: str = ""
    result: Mapping[str, Any] | None = None
    computed_at: datetime | None = None
    applied_at: datetime | None = None
    applied_by: str = ""

    def __post_init__(self) -> None:
        _check(bool(self.name.strip()), "name", "is empty")
        _check_text(self, "name", limit=MAX_NAME)
        _check(self.revision >= 1, "revision", f"{self.revision} is below 1")
