"""What a person may ask for, call off and look up; each within the caller's unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from planner.access import Permission, Scope
from planner.errors import InvalidRecordError, NotFoundError, RefusedError
from planner.jobs.domain import Job, JobState
from planner.planning import EARLIEST, LATEST, MAX_DAYS, PROMISES_BROKEN, RULES_BROKEN
from planner.repository import UnitOfWork
from planner.searching import check_engine, search_limits
from planner.settings import Settings, SolverSettings
from routing.solver import SearchLimits

PLAN, GEOCODE, COVERAGE = "plan", "geocode", "coverage"
SCENARIO = "scenario"

DISPATCHER_GONE_S = 20.0
"""A dispatcher says that it is alive every few seconds; after this long without a word it is not."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A plan of all reps over `days` working days, searched for `seconds` or by a fixed amount of `work`.

    `engine` is one of `planner.settings.ENGINES`; empty for that of the settings. With `fresh` it is made from the
    records alone: no plan that there is already is begun with or stuck to.

    Raises:
        InvalidRecordError: one of them makes no sense; names it.
    """

    first_day: date
    days: int
    seconds: float | None
    work: int | None
    seed: int = 1
    engine: str = ""
    fresh: bool = False

    def __post_init__(self) -> None:
        if not EARLIEST <= self.first_day <= LATEST:
            raise InvalidRecordError("first_day", f"{self.first_day} is not between {EARLIEST} and {LATEST}")
        if not 1 <= self.days <= MAX_DAYS:
            raise InvalidRecordError("days", f"{self.days} is not between 1 and {MAX_DAYS}")
        if (self.seconds is None) == (self.work is None):
            raise InvalidRecordError("seconds", "say how long to search either by seconds or by work")
        if self.seconds is not None and not 0.1 <= self.seconds <= 86_400:
            raise InvalidRecordError("seconds", f"{self.seconds} is not between 0.1 and 86,400")
        if self.work is not None and not 1 <= self.work <= 1_000_000_000:
            raise InvalidRecordError("work", f"{self.work} is not between 1 and 1,000,000,000")
        if not 0 <= self.seed < 2**31:
            raise InvalidRecordError("seed", f"{self.seed} is not between 0 and {2**31 - 1}")
        if self.engine:
            try:
                check_engine(self.engine)
            except RefusedError as error:
                raise InvalidRecordError("engine", str(error)) from error

    def limits(self, settings: SolverSettings) -> SearchLimits:
        """What the search is told."""
        return search_limits(self.seconds, self.work, self.seed, settings, self.engine)

    def to_json(self) -> dict[str, Any]:
        return {
            "first_day": str(self.first_day),
            "days": self.days,
            "seconds": self.seconds,
            "work": self.work,
            "seed": self.seed,
            "engine": self.engine,
            "fresh": self.fresh,
        }

    @classmethod
    def from_json(cls, request: Mapping[str, Any]) -> PlanRequest:
        return cls(**{**request, "first_day": date.fromisoformat(request["first_day"])})


def request_plan(
    unit: UnitOfWork, area: str, ask: PlanRequest, actor_id: str, now: datetime, job_id: str, settings: Settings
) -> Job:
    """Ask for a plan; the same person's plan of this area that is still waiting is replaced by it.

    `actor_id` is the person whose queue the job stands in, also where a program asks with a token of theirs.

    Raises:
        RefusedError: the search is too long, the area holds too much, or too many jobs of this person are waiting.
    """
    most = settings.jobs.most_seconds
    if ask.seconds is not None and ask.seconds > most:
        raise RefusedError(f"a search of {ask.seconds:,g} seconds is too long: at most {most:,} are given")
    _check_size(unit, area, "a plan", settings)
    job = Job(job_id, area, PLAN, ask.to_json(), actor_id, now)
    replaced = _waiting_like(unit, job)
    _check_queue(unit, job, replaced, settings)
    return _request(unit, job, replaced)


def request_geocoding(
    unit: UnitOfWork, area: str, actor_id: str, now: datetime, job_id: str, again: bool = False
) -> Job:
    """Ask for the places of the addresses that are new or changed, or with `again` of all that no person has settled.

    It replaces the same person's geocoding of this area that is still waiting, and does that one's work too.
    """
    job = Job(job_id, area, GEOCODE, {"again": again}, actor_id, now)
    replaced = _waiting_like(unit, job)
    again = again or any(other.request["again"] for other in replaced)
    return _request(unit, replace(job, request={"again": again}), replaced)


def request_scenario(
    unit: UnitOfWork, area: str, scenario_id: str, actor_id: str, now: datetime, job_id: str, settings: Settings
) -> Job:
    """Ask for a scenario to be worked out; the same person's asking for this one that still waits is replaced by it.

    Raises:
        RefusedError: the area holds too much, or too many jobs of this person are waiting.
    """
    _check_size(unit, area, "a scenario", settings)
    job = Job(job_id, area, SCENARIO, {"scenario": scenario_id}, actor_id, now)
    replaced = [other for other in _waiting_like(unit, job) if other.request == job.request]
    _check_queue(unit, job, replaced, settings)
    return _request(unit, job, replaced)


def _check_size(unit: UnitOfWork, area: str, what: str, settings: Settings) -> None:
    """Raises RefusedError."""
    if problem := _too_much(unit, area, what, settings):
        raise RefusedError(problem)


def _too_much(unit: UnitOfWork, area: str, what: str, settings: Settings) -> str:
    """That an area holds too much, in words; empty where it does not."""
    held, most = unit.records(area).number_to_visit(), settings.jobs.most_records
    if held <= most:
        return ""
    return (
        f"area {area} holds {held:,} customers and opportunities, more than the {most:,} that {what} may start "
        "from: split the area, or raise most_records under [jobs] in settings.toml"
    )


def _check_queue(unit: UnitOfWork, job: Job, replaced: Sequence[Job], settings: Settings) -> None:
    waiting = len(unit.jobs.find(requested_by=job.requested_by, state=JobState.WAITING)) - len(replaced)
    if waiting >= settings.jobs.waiting_per_person:
        raise RefusedError(f"{waiting} jobs of yours are waiting already: cancel one, or ask again when one has begun")


def request_coverage_job(
    unit: UnitOfWork, area: str, key: str, actor_id: str, now: datetime, job_id: str, settings: Settings
) -> Job:
    """Ask for an area's coverage; `planner.coverage.keeping` knows whether that is needed.

    `key` is what it is to be made of. Pages ask by themselves, and must be shown all the same: where the area holds too
    much, the job has failed at once, and says so.
    """
    job = Job(job_id, area, COVERAGE, {"key": key}, actor_id, now)
    if problem := _too_much(unit, area, "coverage", settings):
        job = replace(job, state=JobState.FAILED, error=problem, finished_at=now)
    return _request(unit, job, ())


def _waiting_like(unit: UnitOfWork, job: Job) -> list[Job]:
    """The same person's jobs of this kind and area that wait."""
    return unit.jobs.find(area=job.area, kind=job.kind, requested_by=job.requested_by, state=JobState.WAITING)


def _request(unit: UnitOfWork, job: Job, replaced: Sequence[Job]) -> Job:
    for other in replaced:
        unit.jobs.put(replace(other, state=JobState.REPLACED, finished_at=job.created_at))
        unit.audit("job.replaced", other.id, area=other.area, by=job.id)
    unit.jobs.put(job)
    unit.audit("job.requested", job.id, area=job.area, kind=job.kind, request=dict(job.request))
    return job


def permission_for(kind: str) -> Permission:
    """What it takes to ask for a job of this kind, and to call one off."""
    needed = {PLAN: Permission.PLAN, COVERAGE: Permission.SEE_FIGURES, SCENARIO: Permission.REALIGN}
    return needed.get(kind, Permission.WRITE_RECORDS)


def cancel_job(unit: UnitOfWork, job_id: str, now: datetime) -> Job:
    """Call a job off; at once, since what its worker still finds no longer counts. One that has ended stays as it is.

    Raises:
        NotFoundError: there is no such job.
    """
    job = find_job(unit, job_id)
    if job.state.ended:
        return job
    job = replace(job, state=JobState.CANCELLED, lease_owner="", lease_until=None, finished_at=now)
    unit.jobs.put(job)
    unit.audit("job.cancelled", job.id, area=job.area)
    return job


def finish_job(unit: UnitOfWork, job_id: str) -> Job:
    """End a search and keep the best plan that it has found so far. A job that has ended stays as it is.

    Raises:
        NotFoundError: there is no such job.
        RefusedError: it has not begun, or it is none that gets better with time.
    """
    job = find_job(unit, job_id)
    if job.state.ended or job.finishing:
        return job
    if job.kind != PLAN:
        raise RefusedError("only the search for a plan can be ended early: cancel this job instead")
    if job.state is JobState.WAITING:
        raise RefusedError("this job has not begun, and so there is nothing to keep: cancel it instead")
    job = replace(job, finishing=True)
    unit.jobs.put(job)
    unit.audit("job.finish_asked", job.id, area=job.area)
    return job


def find_job(unit: UnitOfWork, job_id: str) -> Job:
    """Raises NotFoundError where there is none, or none that may be seen."""
    job = unit.jobs.get(job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    return job


def jobs_of(unit: UnitOfWork, area: str, limit: int) -> list[Job]:
    """The area's newest jobs, newest first."""
    return unit.jobs.latest("created_at", limit, area=area)


def told_to(scope: Scope, job: Job) -> Job:
    """The job as somebody may read it: who does not see all reps is not told whose promise stands in a plan's way."""
    if scope.reps is None:
        return job
    for what in (PROMISES_BROKEN, RULES_BROKEN):
        if job.error.startswith(what):
            return replace(job, error=f"{what}; somebody who sees all reps can read which")
    return job


def why_nothing_runs(unit: UnitOfWork, now: datetime) -> str:
    """What keeps every job waiting, fit to show; empty where nothing does."""
    alive = [beat for beat in unit.heartbeats.find() if now - beat.at < timedelta(seconds=DISPATCHER_GONE_S)]
    if not alive:
        return "nobody is working on jobs: start fieldvisit work"
    if not any(beat.workers for beat in alive):
        return "waiting for workers: they are being started, or the Dask scheduler is out of reach or has none"
    return ""
