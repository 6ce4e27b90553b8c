"""Scenarios are made, changed, worked out and removed; nothing else is touched by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from planner.access import Scope
from planner.domain import RecordKind
from planner.errors import ConflictError, NotFoundError, RefusedError
from planner.jobs.domain import Job
from planner.jobs.requests import request_scenario
from planner.repository import UnitOfWork
from planner.scenarios.changes import Changes, changes_of, check_known
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.outcome import Outcome
from planner.settings import Settings

MOST_SCENARIOS = 50
"""In an area, those not counted that have been applied."""
NOTHING = Changes()
_FEW = 20
"""So many customers are looked for one by one; more of them all at once."""


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """What came out of which changes."""

    changes: Mapping[str, Any]
    outcome: Outcome


class PartOfAreaError(RefusedError):
    """Somebody who sees only some of an area's reps asks for what is about all of them."""

    def __init__(self) -> None:
        super().__init__(
            "a what-if is about all reps and customers of an area: it takes somebody who sees all of them, and you see "
            "those of your own team"
        )


class ScenarioChangedError(ConflictError):
    """Somebody else has changed the scenario since the writer saw it; `present` is what it is now."""

    def __init__(self, present: Scenario) -> None:
        super().__init__("somebody else has changed this scenario meanwhile")
        self.present = present


def records_stamp(unit: UnitOfWork, area: str) -> str:
    """Another one where a rep, a customer or a place has been changed, or a customer or rep has been added."""
    records = unit.records(area)
    return f"{records.stamp()}/{records.number_of(RecordKind.ACCOUNT)}/{records.number_of(RecordKind.REP)}"


def check_whole_area(scope: Scope) -> None:
    """Raises PartOfAreaError for whoever does not see everybody."""
    if not scope.everybody:
        raise PartOfAreaError


def find_scenario(unit: UnitOfWork, area: str, scenario_id: str) -> Scenario:
    """Raises NotFoundError."""
    scenario = unit.scenarios.get(area, scenario_id)
    if scenario is None:
        raise NotFoundError(f"area {area} has no scenario {scenario_id}")
    return scenario


def scenarios_of(unit: UnitOfWork, area: str) -> list[Scenario]:
    """An area's scenarios, the newest first."""
    return sorted(unit.scenarios.find(area=area), key=lambda each: (each.made_at, each.id), reverse=True)


def create_scenario(
    unit: UnitOfWork, area: str, name: str, changes: Changes, actor_id: str, now: datetime, scenario_id: str
) -> Scenario:
    """Begin a scenario.

    Raises:
        ChangesInvalidError: it speaks of reps or customers that there are not.
        RefusedError: there are too many.
        InvalidRecordError: its name is empty or too long.
    """
    _check_known(unit, area, changes)
    kept = sum(each.state is not ScenarioState.APPLIED for each in unit.scenarios.find(area=area))
    if kept >= MOST_SCENARIOS:
        raise RefusedError(f"area {area} has {kept} scenarios, which is the most: remove one that nobody needs")
    scenario = Scenario(area, scenario_id, 1, name.strip(), ScenarioState.DRAFT, changes.as_json(), actor_id, now)
    unit.scenarios.put(scenario)
    unit.audit("scenario.created", scenario_id, area=area, name=scenario.name)
    return scenario


def change_scenario(
    unit: UnitOfWork, area: str, scenario_id: str, revision: int, changes: Changes, name: str | None = None
) -> Scenario:
    """Change a scenario from the `revision` that the writer saw; what it came to before stays to be seen.

    Writing what it is already changes nothing, whatever was seen.

    Raises:
        NotFoundError: there is no such scenario.
        RefusedError: it has been applied.
        ScenarioChangedError: it is at another revision now.
        ChangesInvalidError: it speaks of reps or customers that there are not.
        InvalidRecordError: its name is empty or too long.
    """
    present = find_scenario(unit, area, scenario_id)
    if present.state is ScenarioState.APPLIED:
        raise RefusedError("this scenario has been applied and stays as it was: copy it into a new one")
    wanted = replace(present, name=present.name if name is None else name.strip(), changes=changes.as_json())
    if wanted == present:
        return present
    if present.revision != revision:
        raise ScenarioChangedError(present)
    _check_known(unit, area, changes, changes_of(present.changes))
    # A new name alone leaves what was worked out as good as it was.
    state = present.state if wanted.changes == present.changes else ScenarioState.DRAFT
    changed = replace(wanted, revision=revision + 1, state=state)
    unit.scenarios.put(changed)
    unit.audit("scenario.changed", scenario_id, area=area, revision=changed.revision)
    return changed


def remove_scenario(unit: UnitOfWork, area: str, scenario_id: str) -> None:
    """Forget a scenario. One that has been applied stays: it says what was changed, and undoes it.

    Raises:
        NotFoundError: there is no such scenario.
        RefusedError: it has been applied.
    """
    present = find_scenario(unit, area, scenario_id)
    if present.state is ScenarioState.APPLIED:
        raise RefusedError("this scenario has been applied: it stays, since it says what was changed")
    unit.scenarios.remove(area, scenario_id)
    unit.audit("scenario.removed", scenario_id, area=area, name=present.name)


def request_computation(
    unit: UnitOfWork, area: str, scenario_id: str, actor_id: str, now: datetime, job_id: str, settings: Settings
) -> Job:
    """Ask for a scenario to be worked out as it is now; what was asked for before and waits is replaced by it.

    Raises:
        NotFoundError: there is no such scenario.
        RefusedError: it has been applied, the area holds too much, or too many jobs of this person are waiting.
    """
    present = find_scenario(unit, area, scenario_id)
    if present.state is ScenarioState.APPLIED:
        raise RefusedError("this scenario has been applied and stays as it was: copy it into a new one")
    job = request_scenario(unit, area, scenario_id, actor_id, now, job_id, settings)
    unit.scenarios.put(replace(present, job_id=job.id))
    return job


def keep_outcome(unit: UnitOfWork, area: str, scenario_id: str, worked_out: WorkedOut, now: datetime) -> bool:
    """Store what came out of a scenario.

    Returns whether it counts: not where the scenario has been changed, applied or removed since it was asked for.
    """
    present = unit.scenarios.get(area, scenario_id)
    if present is None or present.state is ScenarioState.APPLIED or present.changes != worked_out.changes:
        return False
    computed = replace(present, state=ScenarioState.COMPUTED, result=worked_out.outcome.as_json(), computed_at=now)
    unit.scenarios.put(computed)
    unit.audit("scenario.computed", scenario_id, area=area, revision=present.revision)
    return True


def _check_known(unit: UnitOfWork, area: str, changes: Changes, before: Changes = NOTHING) -> None:
    """As `check_known`; customers and segments that the scenario spoke of before are not looked for again."""
    spoken_of = changes.accounts.keys() | changes.pins.keys()
    known = before.accounts.keys() | before.pins.keys()
    records, new = unit.records(area), spoken_of - known
    if len(new) <= _FEW:
        there = {account_id for account_id in new if records.get(RecordKind.ACCOUNT, account_id) is not None}
    else:
        there = {listing.id for listing in records.directory() if listing.kind is RecordKind.ACCOUNT}
    segments = set(before.segments)
    if changes.segments.keys() - segments:
        segments |= {account.segment for account in records.accounts()}
    check_known(changes, {rep.id for rep in records.reps()}, there | known, segments)


def copy_of(scenario: Scenario) -> Changes:
    """What a scenario changes, for another one."""
    return changes_of(scenario.changes)
