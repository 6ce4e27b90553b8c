"""The use case of planning: records -> candidates -> problem -> solution -> checks -> a stored plan version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from planner.candidates import Candidates, find_candidates, team_work_days
from planner.errors import PlannerError, PromiseBrokenError, RefusedError, RulesBrokenError
from planner.explaining import explain_broken, explain_unplanned
from planner.hotels.choosing import sensible_stays, with_settled_nights
from planner.plan_checks import broken_rules
from planner.plan_document import PlanDocument, document_of, write_plan
from planner.repository import StoredPlan, UnitOfWork
from planner.searching import Earlier, beginning
from planner.settings import CalendarSettings, Settings
from planner.snapshot import Snapshot
from planner.stability import days_seen, where_seen
from planner.translation import Translation, WorkingDay, translate, working_days
from planner.why import Whys
from routing.bound import STEPS_PER_SECOND, lower_bound
from routing.checks import violations
from routing.problem import Job
from routing.resequencing import resequenced
from routing.sequencing import sequenced
from routing.solution import Route, Solution
from routing.solver import DEFAULT_ENGINE, Progress, SearchLimits, solve
from routing.timing import schedule
from routing.travel_times import TravelTimeSource

MAX_DAYS = 60
EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)
"""Further out, days cannot be counted to and fro."""
LONGEST = timedelta(days=366)
SURELY_ORDERED = 10
"""Visits of which `routing.resequencing` surely finds an order, where there is one."""
BOUND_SHARE, BOUND_S, LONG_SEARCH_SHARE = 0.5, 10.0, 0.2
"""How long a bound is looked for behind a search, in seconds of one core: in shares of the search, so long at most,
or of a long search in this share. Two cores do that in half the time."""
WORK_PER_SECOND = 10
PROMISES_BROKEN = "no plan was made, since promises could not be kept"
RULES_BROKEN = "the plan breaks rules and was not kept"
"""How the refusals begin that name customers and reps."""
WHY, HOW_GOOD, CHECKING = "working out why", "proving how good it can get", "checking every rule"
"""What is done after the search."""


def last_working_day(first_day: date, days: int, work_days: frozenset[int], calendar: CalendarSettings) -> date:
    """The day on which the team has worked `days` days, the first day included if it is a working day.

    Public holidays are none.
    """
    day, left = first_day, days
    while True:
        left -= day.weekday() in work_days and not calendar.holiday(day)
        if left <= 0:
            return day
        day += timedelta(days=1)


def prepare(
    snapshot: Snapshot, source: TravelTimeSource, first_day: date, days: int, settings: Settings
) -> tuple[Translation, Candidates, list[str]]:
    """The problem that a plan has to answer: candidates, working days and the travel times between them; and notes.

    Raises:
        PlannerError: days is out of range, or there is no rep.
        RefusedError: more visits could be made than `settings.jobs.most_visits`.
    """
    if not 1 <= days <= MAX_DAYS:
        raise PlannerError(f"days is {days}, not between 1 and {MAX_DAYS}")
    if not snapshot.reps:
        raise PlannerError("there are no reps to plan for: import them first")
    if not EARLIEST <= first_day <= LATEST:
        raise PlannerError(f"the first day is {first_day}, not between {EARLIEST} and {LATEST}")
    work_days = team_work_days(snapshot.reps)
    last_day = last_working_day(first_day, days, work_days, settings.calendar)
    if last_day - first_day > LONGEST:
        raise PlannerError(f"{days} working days of this team last until {last_day}: plan at most a year")
    homes, notes = snapshot.homes()
    rep_days = working_days(snapshot.reps, homes, first_day, last_day, settings.calendar)
    rep_days, free = with_settled_nights(rep_days, snapshot.nights, snapshot.promises)
    days_out = {rep.id: frozenset(d.day for d in rep_days if d.rep.id == rep.id) for rep in snapshot.reps}
    candidates = find_candidates(snapshot, days_out, source, first_day, last_day, settings)
    if len(candidates.visits) > settings.jobs.most_visits:
        raise RefusedError(
            f"{len(candidates.visits):,} visits could be made in these days, more than the "
            f"{settings.jobs.most_visits:,} that one plan may choose from: plan fewer days, split the area, or raise "
            "most_visits under [jobs] in settings.toml"
        )
    guests = [rep for rep in snapshot.reps if any(day.id in free for day in rep_days if day.rep.id == rep.id)]
    price_minutes = settings.overnight.price_minutes
    stays = sensible_stays(snapshot.hotels, homes, guests, candidates.visits, source, price_minutes)
    seen = where_seen(candidates.visits, snapshot.seen, first_day, last_day)
    translation = translate(
        *(candidates.visits, rep_days, source, first_day, last_day, snapshot.zone, settings),
        *(stays, free, seen),
    )
    notes += _breakless(rep_days, translation)
    notes += _holidays(first_day, last_day, work_days, settings.calendar)
    return translation, candidates, notes


def _breakless(rep_days: Sequence[WorkingDay], translation: Translation) -> list[str]:
    """A note for each rep whose break has no room in the working hours."""
    without = {
        day.rep.id: day.rep
        for day, shift in zip(rep_days, translation.problem.shifts, strict=True)
        if day.rep.break_minutes and shift.break_ is None
    }
    return [f"rep {rep.id} ({rep.name}): the break window lies outside the working hours" for rep in without.values()]


def _holidays(first_day: date, last_day: date, work_days: frozenset[int], calendar: CalendarSettings) -> list[str]:
    """A note for each public holiday on which somebody would otherwise work."""
    days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
    return [
        f"{day:%a %Y-%m-%d}: nobody works, it is a public holiday ({name})"
        for day in days
        if day.weekday() in work_days and (name := calendar.holiday(day))
    ]


def make_plan(
    snapshot: Snapshot,
    area: str,
    source: TravelTimeSource,
    first_day: date,
    days: int,
    limits: SearchLimits,
    settings: Settings,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    earlier: Earlier | None = None,
    on_afterwards: Callable[[str, float], object] = lambda what, share: None,
) -> PlanDocument:
    """A plan of all reps over all days that keeps every rule.

    The search begins with what still fits of an `earlier` plan. Whoever is `cancelled` while it goes on gets the best
    so far, with its reasons and without a bound; later, without the reasons either that are not known by then.
    `on_afterwards` is told what is done after the search, and which share of that. What it raises ends the planning.

    Raises:
        PlannerError: there is nothing to plan with.
        PromiseBrokenError: it would not keep everything that is promised.
        RulesBrokenError: the result breaks a rule, which would be a defect of this program; it is not returned.
    """
    translation, candidates, notes = prepare(snapshot, source, first_day, days, settings)
    problem = translation.problem
    promised = _promises_alone(translation, settings)
    if earlier is None and settings.solver.stability_minutes:  # what people have seen is the best guess of the answer
        shown = days_seen(translation.seen, snapshot.seen)
        begun = beginning(problem, promised, Earlier(0, shown) if shown else None)
    else:
        begun = beginning(problem, promised, earlier)
    last: list[Progress] = []

    def follow(progress: Progress) -> None:
        last[:] = [progress]
        if on_progress:
            on_progress(progress)

    solution = solve(problem, limits, on_progress=follow, cancelled=cancelled, warm_start=begun)
    solution, proved = sequenced(problem, solution)
    _refuse(translation, [job for job in solution.unassigned if translation.visits[job].promise], settings)
    broken = [str(violation) for violation in violations(problem, solution)]
    if broken:
        raise RulesBrokenError(f"{RULES_BROKEN}: {'; '.join(broken[:5])}")
    on_afterwards(WHY, 0.0)
    stop = cancelled or (lambda: False)
    stopped = stop()
    whys = Whys(
        translation,
        solution,
        on_progress=lambda share: on_afterwards(WHY, share),
        enough=lambda: not stopped and stop(),
    )
    unplanned = [*candidates.unplanned, *explain_unplanned(translation, solution, whys)]
    here = whys.here()
    on_afterwards(HOW_GOOD, 0.0)
    bound = lower_bound(
        *(problem, solution, last[-1].met() if last else (), _steps(limits), stop),
        on_progress=lambda share: on_afterwards(HOW_GOOD, share),
    )
    document = document_of(
        area,
        {
            "seed": limits.seed,
            "seconds": limits.seconds,
            "work": limits.work,
            "engine": str(limits.engine or DEFAULT_ENGINE),
            "from_plan": earlier.version if earlier else None,
        },
        candidates,
        translation,
        solution,
        unplanned,
        notes,
        here,
        bound,
        proved,
    )
    on_afterwards(CHECKING, 0.0)
    broken = broken_rules(document, snapshot, source, settings)
    if broken:
        raise RulesBrokenError(f"{RULES_BROKEN}: {'; '.join(broken[:5])}")
    return document


def _steps(limits: SearchLimits) -> int:
    """How long to look for a bound: the same for equal limits, whatever the machine."""
    seconds = limits.seconds if limits.work is None else limits.work / WORK_PER_SECOND
    assert seconds is not None
    return int(STEPS_PER_SECOND * max(min(BOUND_S, BOUND_SHARE * seconds), LONG_SEARCH_SHARE * seconds))


def _promises_alone(translation: Translation, settings: Settings) -> Solution | None:
    """What is promised and nothing else, for the search to begin with: it never gives any of it up again.

    None where nothing is promised in these days.

    Raises:
        PromiseBrokenError: not even without everything else can all of it be kept.
    """
    problem = translation.problem
    of_day: dict[str, list[Job]] = defaultdict(list)
    for job in problem.jobs:
        if promise := translation.visits[job.id].promise:
            of_day[f"{promise.rep_id}@{promise.day}"].append(job)
    routes: list[Route] = []
    broken: list[str] = []
    for day, jobs in of_day.items():
        shift = problem.shift_by_id.get(day)
        alone = [job for job in jobs if shift and problem.may_serve(shift, job) and schedule(problem, shift, [job])]
        if shift is None or len(alone) < len(jobs):
            broken += [job.id for job in jobs if job not in alone]
            continue
        by_window = sorted(jobs, key=lambda job: job.windows[-1].end_s)
        route = schedule(problem, shift, resequenced(problem, shift, by_window) or ())
        if route is not None:
            routes.append(route)
        elif len(jobs) <= SURELY_ORDERED:  # of more, the search may find what was not found here
            broken += [job.id for job in jobs]
    _refuse(translation, broken, settings)
    return Solution(tuple(routes), ()) if routes else None


def _refuse(translation: Translation, broken: Sequence[str], settings: Settings) -> None:
    if broken:
        sentences = explain_broken(translation, [translation.visits[id_] for id_ in broken], settings.calendar)
        raise PromiseBrokenError(PROMISES_BROKEN, sentences)


def to_store(document: PlanDocument, now: datetime) -> StoredPlan:
    """A plan as it is stored. It is written out here, since a long one takes longer than a transaction should."""
    first, last = date.fromisoformat(document["first_day"]), date.fromisoformat(document["last_day"])
    return StoredPlan(
        version=0,
        area=document["area"],
        first_day=first,
        days=(last - first).days + 1,
        created_at=now,
        published_at=None,
        visits=document["totals"]["visits"],
        unplanned=document["totals"]["unplanned"],
        drive_s=document["totals"]["drive_seconds"],
        document=write_plan(document),
    )


def store_plan(unit: UnitOfWork, plan: StoredPlan) -> int:
    """Keep a plan as its area's next version and return its number."""
    version = unit.plans(plan.area).add(plan)
    unit.audit("plan.made", str(version), area=plan.area)
    return version
