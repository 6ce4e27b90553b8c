"""What a unit knows of the ways of its opportunities: all of it read at once, in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from planner.candidates import team_work_days
from planner.domain import Lead, Rep
from planner.fieldwork.domain import DealOutcome, Disposition
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.state import imported_row
from planner.kpi.milestones import Happened, Milestones, Present, Tried, milestones
from planner.qualification import days_to_act, missing_for_handoff, working_day_after
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.snapshot import zone_of

MOST_ASKED = 5_000
"""Ids in one query: databases take only so many."""
EVERY_NUMBER = (0, 2**31 - 1)
EVERY_DAY = (date.min, date.max)


@dataclass(frozen=True, slots=True)
class Team:
    """The reps who are seen, the zone in which the area's days are, and its working days."""

    zone: ZoneInfo
    work_days: frozenset[int]
    names: Mapping[str, str]

    @classmethod
    def of(cls, reps: Sequence[Rep]) -> Team:
        return cls(zone_of(reps) or ZoneInfo("UTC"), team_work_days(reps), {rep.id: rep.name for rep in reps})


@dataclass(frozen=True, slots=True)
class _Report:
    """What of a visit report that is seen the tree asks for; `stands` where none took its place."""

    at: datetime
    deal: DealOutcome
    stands: bool


def read_milestones(unit: UnitOfWork, area: str, settings: Settings, team: Team, now: datetime) -> list[Milestones]:
    """How far every opportunity that is seen has come, by id."""
    deals = unit.records(area).leads()
    ids = frozenset(deal.id for deal in deals)
    present = _present(unit, area, deals, settings)
    visits, reports = _visits(unit, area, ids)
    history = _histories(unit, area, ids, reports)
    deadlines = _deadlines(team, settings)
    return [
        milestones(
            deal,
            present[deal.id],
            history.get(deal.id, ()),
            visits.get(deal.id, ()),
            present[deal.id].state is HandoffState.DRAFT and not missing_for_handoff(deal, settings.gate),
            team.zone,
            deadlines(days_to_act(deal, settings.gate)),
            now,
        )
        for deal in deals
    ]


def _present(unit: UnitOfWork, area: str, deals: Sequence[Lead], settings: Settings) -> dict[str, Present]:
    fields = ("opportunity_id", "state", "side", "owner", "field_rep", "since")
    written = {
        id_: Present(state, side, rep or (owner if side is Side.FIELD else ""), since)
        for id_, state, side, owner, rep, since in unit.handoffs.columns(fields, "revision", *EVERY_NUMBER, area=area)
    }
    owners: Mapping[str, str] = {}
    if any(deal.account_id for deal in deals if deal.id not in written):
        owners = {account.id: account.owner_rep_id for account in unit.records(area).accounts()}
    planned = {visit.opportunity_id: visit.rep_id for visit in unit.plans(area).handoffs()}

    def imported(deal: Lead) -> Present:
        rep = owners.get(deal.account_id) or planned.get(deal.id, "")
        row = imported_row(area, deal, settings.gate, lambda: rep)
        return Present(row.state, row.side, row.field_rep)

    return {deal.id: written.get(deal.id) or imported(deal) for deal in deals}


def _visits(
    unit: UnitOfWork, area: str, ids: Collection[str]
) -> tuple[Mapping[str, Sequence[Tried]], Mapping[str, _Report]]:
    """The visits in the field to opportunities, and the reports that are seen by their ids."""
    standing: set[str] = set()
    found = []
    for some in chunks(ids):
        fields = ("opportunity_id", "arrived_at", "reported_at", "report_id", "disposition")
        found += unit.field_visits.columns(fields, "day", *EVERY_DAY, area=area, opportunity_id=some)
    standing = {report_id for *_, report_id, _ in found if report_id}
    reports = {
        id_: _Report(made_at, deal, id_ in standing)
        for some in chunks(ids)
        for id_, made_at, deal in unit.visit_reports.columns(
            ("id", "made_at", "deal"), "day", *EVERY_DAY, area=area, opportunity_id=some
        )
    }
    visits: dict[str, list[Tried]] = defaultdict(list)
    for deal_id, arrived_at, reported_at, report_id, disposition in found:
        report = reports.get(report_id)
        if arrived_at is None and report is None:
            continue  # who left without having come has only tapped
        at = arrived_at or reported_at or (report.at if report else None)
        proposed = report is not None and report.deal is DealOutcome.PROPOSED
        visits[deal_id].append(Tried(at, disposition is Disposition.MET, proposed))
    return visits, reports


def _histories(
    unit: UnitOfWork, area: str, ids: Collection[str], reports: Mapping[str, _Report]
) -> Mapping[str, Sequence[Happened]]:
    fields = ("opportunity_id", "number", "at", "action", "state", "report_id")
    rows = sorted(unit.handoff_events.columns(fields, "number", *EVERY_NUMBER, area=area), key=itemgetter(0, 1))
    histories: dict[str, list[Happened]] = defaultdict(list)
    for deal_id, _, at, action, state, report_id in rows:
        if deal_id in ids:
            report = reports.get(report_id)
            when = report.at if report else at
            overruled = report is not None and not report.stands
            histories[deal_id].append(Happened(when, action, state, bool(report_id), overruled))
    return histories


def _deadlines(team: Team, settings: Settings) -> Callable[[int], Callable[[date], date]]:
    @lru_cache(maxsize=10_000)
    def due(days: int, day: date) -> date:
        return working_day_after(day, days, team.work_days, settings.calendar)

    return lambda days: lambda day: due(days, day)


def chunks(ids: Collection[str]) -> Iterator[frozenset[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), MOST_ASKED):
        yield frozenset(ordered[start : start + MOST_ASKED])
