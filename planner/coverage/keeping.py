"""The coverage of an area as it is stored, cut to whoever looks at it, and asked for anew where it is behind.

No page works it out: it shows what is stored, says as of when, and asks for a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from planner.access import SYSTEM, Actor, Scope
from planner.coverage.domain import Coverage, StoredCoverage
from planner.coverage.making import general_notes, make_coverage
from planner.coverage.material import Material
from planner.coverage.packing import FORMAT, Summary, pack, read_summary, summary_of, unpack
from planner.coverage.planned import REASON_WORDS
from planner.jobs.domain import Job, JobState
from planner.jobs.requests import COVERAGE, request_coverage_job
from planner.repository import Store, UnitOfWork
from planner.scoping import is_about
from planner.settings import Settings
from planner.snapshot import zone_of
from routing.area import Area


def key_of(unit: UnitOfWork, area: str, settings: Settings, today: date) -> str:
    """What an area's coverage is made of, as a short text: another one where anything of it has changed.

    It is the same for everybody, whatever they see, and takes a millisecond or so.
    """
    chosen = (settings.candidates, settings.calendar, settings.gate, settings.fieldwork)
    made_of = f"{FORMAT}\n{today}\n{unit.records(area).fingerprint()}\n{chosen}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether what is stored is up to date, and what is being done about it where it is not.

    Attributes:
        made_at: when it was worked out; None where it never was.
        fresh: nothing has changed since.
        job: the newest job that works it out: one that waits or runs, or that failed or was called off of what there is
            now (`job.error` says why, see `planner.jobs.requests.told_to`); None where there is none of these.
    """

    made_at: datetime | None
    fresh: bool
    job: Job | None

    @property
    def to_ask(self) -> bool:
        """Whether a new one should be asked for."""
        return not self.fresh and self.job is None

    @property
    def under_way(self) -> bool:
        return self.job is not None and not self.job.state.ended


def standing(unit: UnitOfWork, area: str, settings: Settings) -> Standing:
    """Where the coverage of an area stands. It is the same for everybody who sees the area."""
    row = _light(unit, area)
    key = key_of(unit, area, settings, today_of(unit, area))
    jobs = unit.jobs.latest("created_at", 1, area=area, kind=COVERAGE)
    job = jobs[0] if jobs else None
    came_to_nothing = job is not None and job.state in (JobState.FAILED, JobState.CANCELLED)
    if job is not None and job.state.ended and not (came_to_nothing and job.request.get("key") == key):
        job = None
    return Standing(row.made_at if row else None, row is not None and row.key == key, job)


def today_of(unit: UnitOfWork, area: str) -> date:
    """The day in the area's time zone: that of the coverage stored last, whichever reps somebody sees."""
    row = _light(unit, area)
    zone = ZoneInfo(row.summary["zone"]) if row else zone_of(unit.records(area).reps()) or UTC
    return unit.now().astimezone(zone).date()


def request_coverage(
    unit: UnitOfWork, area: str, actor_id: str, now: datetime, job_id: str, settings: Settings, again: bool = False
) -> Job | None:
    """Ask for the coverage of an area to be worked out, unless it is up to date or somebody has asked already.

    With `again` also what has failed is tried once more.

    Returns:
        The job that works it out, be it somebody else's, or that failed; None where nothing is to be done.
    """
    stands = standing(unit, area, settings)
    if stands.fresh or stands.under_way or (stands.job is not None and not again):
        return None if stands.fresh else stands.job
    key = key_of(unit, area, settings, today_of(unit, area))
    return request_coverage_job(unit, area, key, actor_id, now, job_id, settings)


def ask_if_stale(
    store: Store, actor: Actor, area: str, settings: Settings, now: datetime, new_id: Callable[[], str]
) -> Standing:
    """Where it stands, after a new one was asked for where it is needed. Only then anything is written."""
    with store.read(actor.scope) as unit:
        stands = standing(unit, area, settings)
    if not stands.to_ask:
        return stands
    with store.write(actor) as unit:
        return replace(stands, job=request_coverage(unit, area, actor.id, now, new_id(), settings))


def make_now(store: Store, actor: Actor, area: Area, settings: Settings, now: datetime) -> Summary:
    """Work the coverage out on the spot, and keep it. Raises PlannerError, RoutingError."""
    with store.read(Scope(area=area.name)) as unit:
        material = Material.read(unit, area.name, settings)
        key = key_of(unit, area.name, settings, material.today)
    row = pack(make_coverage(material, area.name, area.streets(), settings), key, now)
    with store.write(actor) as unit:
        unit.coverages.put(row)
        unit.audit("coverage.made", area=area.name)
    return read_summary(row.area, row.as_of, row.made_at, row.summary)


def ask_daily(store: Store, area: str, settings: Settings, now: datetime, new_id: Callable[[], str]) -> None:
    """Ask for the first coverage of a day, and for one after a plan was published: for the mails and for whoever looks
    next. What else changes in a day is asked for when somebody looks."""
    with store.read(Scope(area=area)) as unit:
        row = _light(unit, area)
        if row is None:
            behind = unit.records(area).number_to_visit() > 0
        else:
            seen = row.as_of, row.summary["plan_version"]
            behind = seen != (today_of(unit, area), unit.plans(area).published_version())
    if behind:
        ask_if_stale(store, SYSTEM, area, settings, now, new_id)


def stored(unit: UnitOfWork, area: str, scope: Scope) -> Coverage | None:
    """The coverage worked out last, cut to a scope; None where there is none, or nothing of the area is seen."""
    if not _may_see(area, scope) or _light(unit, area) is None:
        return None
    row = unit.coverages.get(area)
    return None if row is None else cut(unpack(row), scope)


def summary(unit: UnitOfWork, area: str, scope: Scope) -> Summary | None:
    """Its figures alone. Who sees the whole area gets them as stored; others as they are of the part that they see."""
    if not _may_see(area, scope):
        return None
    row = _light(unit, area)
    if row is None:
        return None
    if scope.everybody:
        return read_summary(area, row.as_of, row.made_at, row.summary)
    seen = stored(unit, area, scope)
    return None if seen is None else summary_of(seen, row.made_at)


def _may_see(area: str, scope: Scope) -> bool:
    return scope.sees(area) and scope.inside_rep is None


def _light(unit: UnitOfWork, area: str) -> StoredCoverage | None:
    """The stored row without its accounts, which take longer to read than all the rest; None where another program
    wrote it."""
    names = ("key", "made_at", "as_of", "summary")
    rows = unit.coverages.columns(names, "as_of", date.min, date.max, area=area)
    for key, made_at, as_of, told in rows:
        if told.get("format") == FORMAT:
            return StoredCoverage(area, key, made_at, as_of, told, "")
    return None


def cut(coverage: Coverage, scope: Scope) -> Coverage:
    """What a scope sees of a coverage: its own reps' customers, and those of nobody if it sees what is unassigned.

    Nobody else is named: sentences of the plan become general words, others' territories none, and who comes to a
    customer is told only of its reps.
    """
    if scope.everybody:
        return coverage
    reps = scope.reps or frozenset()
    seen = reps | {""} if scope.unassigned else reps
    territories = tuple(t for t in coverage.territories if t.rep_id in seen)
    named = {territory.territory_id for territory in territories}
    accounts = tuple(
        replace(
            account,
            why=REASON_WORDS.get(account.unreached, ""),
            planned_rep=account.planned_rep if account.planned_rep in reps else "",
            territory_id=account.territory_id if account.territory_id in named else "",
        )
        for account in coverage.accounts
        if account.rep_id in seen
    )
    own = replace(
        coverage,
        accounts=accounts,
        reps=tuple(rep for rep in coverage.reps if rep.rep_id in seen),
        territories=territories,
        notes=tuple(note for note in coverage.notes if is_about(note, reps)),
    )
    return replace(own, notes=(*own.notes, *general_notes(own)))
