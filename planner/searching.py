"""How a plan is searched for: what the settings leave open, and the plan that a search begins with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from planner.errors import PlannerError, RefusedError
from planner.plan_document import read_plan
from planner.repository import StoredPlan, UnitOfWork
from planner.settings import ENGINES, SolverSettings
from routing.native import COMPILED
from routing.problem import Job, Problem, Shift
from routing.solution import Route, Solution
from routing.solver import DEFAULT_ENGINE, Engine, SearchLimits
from routing.timing import Timeline, schedule


def search_limits(
    seconds: float | None, work: int | None, seed: int, settings: SolverSettings, engine: str = "", workers: int = 0
) -> SearchLimits:
    """The limits of a search; what is left out is as the settings say.

    Raises:
        RefusedError: this machine has no such engine.
    """
    engine = engine or settings.engine or DEFAULT_ENGINE
    check_engine(engine)
    workers = workers or settings.workers
    return SearchLimits(seconds, work, seed, workers=workers or None, engine=Engine(engine))


def check_engine(engine: str) -> None:
    """Raises RefusedError."""
    if engine not in ENGINES:
        raise RefusedError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    if engine == Engine.RUIN_RECREATE and not COMPILED:
        raise RefusedError(f"engine {engine} needs numba, which is not installed here: take {Engine.ORTOOLS}")


# --- the plan that a search begins with -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Earlier:
    """A plan version: which visits each working day had, by their ids and in their order; and by the same days the ids
    of the hotels at which the nights after them are spent."""

    version: int
    days: Mapping[str, tuple[str, ...]]
    nights: Mapping[str, str] = field(default_factory=dict)


def earlier_plan(
    unit: UnitOfWork, area: str, first_day: date, settings: SolverSettings, work: int | None, fresh: bool
) -> Earlier | None:
    """The plan that a search begins with: the newest version, or else the published one, if it says something about
    days from `first_day` on.

    None where it is not wanted, and for a search by `work`: it gives the same plan for the same records and the same
    published plan, whatever has been planned besides.
    """
    if fresh or work is not None or not settings.warm_start:
        return None
    plans = unit.plans(area)
    for published in (False, True):
        stored = plans.latest(published=published)
        known = _read(stored, first_day) if stored else None
        if known is not None:
            return known
    return None


def _read(stored: StoredPlan, first_day: date) -> Earlier | None:
    try:
        document = read_plan(stored.document or "")
    except PlannerError:  # of a version that nobody can read any more
        return None
    days = {
        f"{day['rep_id']}@{day['date']}": tuple(stop["visit_id"] for stop in day["stops"])
        for day in document["rep_days"]
        if day["stops"] and day["date"] >= str(first_day)
    }
    nights = {
        f"{day['rep_id']}@{day['date']}": day["end"]["hotel"]["id"]
        for day in document["rep_days"]
        if "hotel" in day["end"]
    }
    return Earlier(stored.version, days, nights) if days else None


def beginning(problem: Problem, promised: Solution | None, earlier: Earlier | None) -> Solution | None:
    """What a search begins with: all that is promised, and of the earlier plan what goes with it, each visit where it
    was. None where that is nothing.

    Every day of it can be driven, so that no promise is given up on the way.
    """
    if earlier is None:
        return promised
    nights = {
        evening: hotel
        for evening, hotel in earlier.nights.items()
        if evening in problem.shift_by_id
        and any(lodging.id == hotel for lodging in problem.lodgings_after(problem.shift_by_id[evening]))
    }
    while True:
        routes = _routes(problem, promised, earlier, nights)
        ends = {route.shift: route.lodging_after for route in routes}
        starts = {route.shift: route.lodging_before for route in routes}
        both = {
            evening: hotel
            for evening, hotel in nights.items()
            if ends.get(evening) == starts.get(problem.shift_by_id[evening].next_shift or "") == hotel
        }
        if both == nights:
            return Solution(tuple(routes), ()) if routes else None
        nights = both  # of a night with nothing to do before or after it, both days are as from home


def _routes(problem: Problem, promised: Solution | None, earlier: Earlier, nights: Mapping[str, str]) -> list[Route]:
    """What goes together, with the nights after some shifts at lodgings."""
    mornings = {problem.shift_by_id[evening].next_shift: hotel for evening, hotel in nights.items()}
    kept = {route.shift: route for route in promised.routes} if promised else {}
    promised_ids = {id_ for route in kept.values() for id_ in route.jobs}
    done: set[str] = set()  # accounts, and visits to none
    routes: list[Route] = []
    for shift in problem.shifts:
        own = kept[shift.id].jobs if shift.id in kept else ()
        wanted: list[Job] = []
        for id_ in earlier.days.get(shift.id, ()):
            job = problem.job_by_id.get(id_)
            if job is None or id_ in promised_ids.difference(own) or not problem.may_serve(shift, job):
                continue
            if id_ not in own:
                if (key := job.group or f"job {id_}") in done:
                    continue
                done.add(key)
            wanted.append(job)
        before, after = mornings.get(shift.id), nights.get(shift.id)
        real = shift.between(
            shift.start_place if before is None else problem.lodging_by_id[before].place,
            shift.end_place if after is None else problem.lodging_by_id[after].place,
        )
        route = _together(problem, real, [problem.job_by_id[id_] for id_ in own], wanted)
        if route is not None:
            routes.append(replace(route, lodging_before=before, lodging_after=after))
        elif shift.id in kept:
            routes.append(kept[shift.id])
    return routes


def _together(problem: Problem, shift: Shift, promised: Sequence[Job], wanted: Sequence[Job]) -> Route | None:
    """The wanted jobs in their order, if all that is promised is among them; or else the promised ones, with as many of
    the others as still fit, each where it adds least driving."""
    if {job.id for job in promised} <= {job.id for job in wanted} and (route := schedule(problem, shift, wanted)):
        return route
    sequence = list(promised)
    for job in _others(wanted, promised):
        timeline = Timeline.of(problem, shift, sequence)
        places = [
            (added, position)
            for position in range(len(sequence) + 1)
            if (added := timeline.added_drive_s(job, position)) is not None
        ]
        if places:
            sequence.insert(min(places)[1], job)
    return schedule(problem, shift, sequence)


def _others(jobs: Iterable[Job], without: Sequence[Job]) -> list[Job]:
    ids = {job.id for job in without}
    return [job for job in jobs if job.id not in ids]
