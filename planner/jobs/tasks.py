"""What a worker does for each kind of job. It needs no database: a task carries all that it works on."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Protocol

from planner.coverage.domain import StoredCoverage
from planner.coverage.keeping import key_of
from planner.coverage.making import make_coverage
from planner.coverage.material import Material
from planner.coverage.packing import pack
from planner.domain import Location
from planner.errors import PlannerError, RulesBrokenError
from planner.hotels.standing import snapshot_to_plan
from planner.jobs.domain import SEARCHING, Job
from planner.jobs.improvements import Improvements
from planner.jobs.requests import COVERAGE, GEOCODE, PLAN, SCENARIO, PlanRequest
from planner.locating import geocoded, geocoder_for, save_answers, to_geocode
from planner.planning import make_plan, store_plan, to_store
from planner.repository import StoredPlan, UnitOfWork
from planner.scenarios.changes import changes_of
from planner.scenarios.computing import work_out
from planner.scenarios.keeping import WorkedOut, find_scenario, keep_outcome, records_stamp
from planner.searching import Earlier, earlier_plan
from planner.settings import Settings
from planner.snapshot import Snapshot
from routing.area import Area
from routing.errors import AreaError, GeocodingError, OutgoingError, ProblemError, RoutingError
from routing.solver import Progress

NOT_YET = datetime.min.replace(tzinfo=UTC)
"""When a plan was made, until the dispatcher writes it down: a worker's clock does not count."""

Report = Callable[[Mapping[str, Any]], object]
"""Told several times a second how far the work is, as `Job.progress`. Answers something true where the best found so
far is good enough; raises UnwantedError where nothing is wanted at all."""


class UnwantedError(Exception):
    """Nobody waits for the result any more."""


class Task(Protocol):
    """A piece of work that can be sent to another process."""

    def run(self, report: Report) -> Any: ...


@dataclass(frozen=True)
class PlanTask:
    """Make a plan from a snapshot, beginning with an earlier one; the result is a StoredPlan without version."""

    snapshot: Snapshot
    area: Area
    ask: PlanRequest
    settings: Settings
    earlier: Earlier | None = None

    def run(self, report: Report) -> StoredPlan:
        ends_s = time.monotonic() + self.settings.jobs.most_seconds
        enough = bool(report({"what": "travel times", "fraction": 0.0}))
        improvements = Improvements()

        def tell(what: str, fraction: float) -> None:
            nonlocal enough
            told = {"what": what, "fraction": round(fraction, 3)}
            enough = bool(report(told | improvements.to_json())) or enough

        def show(state: Progress) -> None:
            improvements.add(state)
            tell(SEARCHING, state.fraction)

        def show_later(what: str, fraction: float) -> None:
            nonlocal ends_s
            ends_s = math.inf  # what comes after a search is no longer than the search itself
            tell(what, fraction)

        document = make_plan(
            self.snapshot,
            self.area.name,
            self.area.streets(),
            self.ask.first_day,
            self.ask.days,
            self.ask.limits(self.settings.solver),
            self.settings,
            on_progress=show,
            cancelled=lambda: enough or time.monotonic() > ends_s,  # a budget of work has no end that a clock knows
            earlier=self.earlier,
            on_afterwards=show_later,
        )
        return to_store(document, NOT_YET)


@dataclass(frozen=True)
class GeocodingTask:
    """Find the places of addresses; the result is their locations."""

    waiting: tuple[Location, ...]
    area: Area
    settings: Settings

    def run(self, report: Report) -> list[Location]:
        geocoder = geocoder_for(self.area, self.settings)
        found: list[Location] = []
        for location in self.waiting:
            report({"what": "geocoding", "fraction": round(len(found) / len(self.waiting), 3)})
            found.append(geocoded(geocoder, location))
        return found


@dataclass(frozen=True)
class CoverageTask:
    """Work an area's coverage out; the result is its row, but for the moment."""

    material: Material
    key: str
    area: Area
    settings: Settings

    def run(self, report: Report) -> StoredCoverage:
        def show(fraction: float) -> None:
            report({"what": "driving of every customer", "fraction": fraction})

        show(0.0)
        coverage = make_coverage(self.material, self.area.name, self.area.streets(), self.settings, show)
        return pack(coverage, self.key, NOT_YET)


@dataclass(frozen=True)
class ScenarioTask:
    """Work a scenario out; `stamp` is that of the records in the material."""

    changes: Mapping[str, Any]
    material: Material
    stamp: str
    area: Area
    settings: Settings

    def run(self, report: Report) -> WorkedOut:
        def show(what: str, fraction: float) -> None:
            report({"what": what, "fraction": fraction})

        show("what is now", 0.0)
        outcome = work_out(
            self.material,
            self.stamp,
            self.area.name,
            changes_of(self.changes),
            self.area.streets(),
            self.settings,
            on_progress=show,
        )
        return WorkedOut(self.changes, outcome)


def task_of(unit: UnitOfWork, job: Job, area: Area, settings: Settings) -> Task:
    """What a job asks for, with all that it needs as it is now.

    Raises:
        PlannerError: this program does not know the kind.
    """
    # No worker needs the installation's secrets.
    settings = replace(settings, database_url="", oidc_secret="", smtp_password="")
    if job.kind == PLAN:
        ask = PlanRequest.from_json(job.request)
        earlier = earlier_plan(unit, job.area, ask.first_day, settings.solver, ask.work, ask.fresh)
        return PlanTask(snapshot_to_plan(unit, job.area, settings, ask.fresh), area, ask, settings, earlier)
    if job.kind == GEOCODE:
        waiting = to_geocode(unit.records(job.area), again=job.request["again"])
        return GeocodingTask(tuple(waiting), area, settings)
    if job.kind == COVERAGE:
        material = Material.read(unit, job.area, settings)
        return CoverageTask(material, key_of(unit, job.area, settings, material.today), area, settings)
    if job.kind == SCENARIO:
        changes = find_scenario(unit, job.area, job.request["scenario"]).changes
        material, stamp = Material.read(unit, job.area, settings), records_stamp(unit, job.area)
        return ScenarioTask(changes, material, stamp, area, settings)
    raise PlannerError(f"nobody here knows how to do a job of the kind {job.kind!r}: update fieldvisit")


def keep(unit: UnitOfWork, job: Job, result: Any, now: datetime) -> dict[str, Any]:
    """Store what a task found and return what the job's row says of it; in the transaction that ends the job."""
    if job.kind == PLAN:
        plan = replace(result, created_at=now)
        return {"version": store_plan(unit, plan), "visits": plan.visits, "unplanned": plan.unplanned}
    if job.kind == COVERAGE:
        unit.coverages.put(replace(result, made_at=now))
        return {"customers": result.summary["rows"]["area"][0]["figures"]["customers"]}
    if job.kind == SCENARIO:
        counts = keep_outcome(unit, job.area, job.request["scenario"], result, now)
        return {"counts": counts, "moves": len(result.outcome.moves)}
    save_answers(unit, job.area, result)
    return {"geocoded": len(result)}


class End(Enum):
    """How an attempt ended."""

    DONE = auto()
    REFUSED = auto()
    """Another attempt would end the same way."""
    FAILED = auto()
    """Another attempt may do better: the worker was lost, or something went wrong that nobody foresaw."""
    LOST = auto()
    """Not by the job's doing: the Dask scheduler went away, and its workers with it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt: the task's result, or a sentence fit to show, and what the log should say beyond it."""

    end: End
    result: Any = None
    error: str = ""
    details: str = ""


def attempt(task: Task, report: Report) -> Outcome:
    """Run a task; whatever it raises becomes an outcome."""
    try:
        return Outcome(End.DONE, task.run(report))
    except UnwantedError:
        return Outcome(End.LOST)
    except (AreaError, ProblemError, GeocodingError, OutgoingError) as error:
        return Outcome(End.REFUSED, error=str(error))
    except (RoutingError, RulesBrokenError) as error:
        return Outcome(End.FAILED, error=str(error))
    except PlannerError as error:
        return Outcome(End.REFUSED, error=str(error))
    except Exception as error:
        said = (
            f"something went wrong that nobody foresaw ({type(error).__name__}); the log of fieldvisit work says more"
        )
        return Outcome(End.FAILED, error=said, details=traceback.format_exc())
