"""Customers who could be visited along the way: due, or nearly, and a few minutes of road from a prospect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from planner.candidates import cadence_days, is_dormant, within_reach
from planner.domain import Account, RecordKind
from planner.repository import UnitOfWork
from planner.settings import CandidateSettings, Settings
from planner.slots.agenda import Agenda, Agendas
from planner.visit_ids import record_behind, visit_id
from routing.geo import LatLon
from routing.problem import UNREACHABLE

Standing = tuple[Account, LatLon, float]
"""A customer, where, and which share of the cadence has passed."""


@dataclass(frozen=True, slots=True)
class RideAlong:
    """A customer near a prospect.

    Attributes:
        owner_rep_id: who looks after the customer; empty where anybody may go.
        away_s: seconds of road from the prospect.
        why: why a visit is due, in words.
        planned: when and by whom the customer is visited already, in words; empty where nobody is to.
    """

    account_id: str
    name: str
    address: str
    place: LatLon
    owner_rep_id: str
    away_s: int
    why: str
    planned: str


def ride_alongs(
    unit: UnitOfWork, agendas: Agendas, area: str, place: LatLon, settings: Settings, today: date
) -> list[RideAlong]:
    """The customers within `nearby_minutes` of road from a place who are due in the days that a search looks ahead, or
    well into their cadence, as planning has them ride along; the nearest first. `unit` sees the whole area."""
    last_day = today + timedelta(days=settings.booking.days - 1)
    limit_s = settings.candidates.nearby_minutes * 60
    standing = [
        (account, where, share)
        for account, where in agendas.accounts(unit, area)
        if (share := share_passed(account, today, last_day, settings.candidates)) is not None
    ]
    near = within_reach([place], standing, limit_s)
    if not near:
        return []
    away = agendas.source(area).fan([where for _, where, _ in near]).times(place).from_s.tolist()
    found = [
        (away_s, account, where)
        for away_s, (account, where, _) in zip(away, near, strict=True)
        if away_s != UNREACHABLE and away_s <= limit_s
    ]
    if not found:
        return []
    planned = _planned(agendas.agenda(unit, area, today, last_day))
    return [
        RideAlong(
            account.id,
            account.name,
            str(account.address),
            where,
            account.owner_rep_id,
            away_s,
            _why(account, today, settings.candidates),
            planned.get(account.id, ""),
        )
        for away_s, account, where in sorted(found, key=lambda each: (each[0], each[1].id))
    ]


def share_passed(account: Account, today: date, last_day: date, settings: CandidateSettings) -> float | None:
    """How far a customer is into the cadence; None where no visit is near."""
    if is_dormant(account, today, settings):
        return None
    cadence = cadence_days(account, settings)
    if account.last_visit is None:
        return 1.0
    share = (today - account.last_visit).days / cadence
    due = account.last_visit + timedelta(days=cadence) <= last_day
    return share if due or share >= settings.nearby_cadence_share else None


def _why(account: Account, today: date, settings: CandidateSettings) -> str:
    if account.last_visit is None:
        return "never visited"
    cadence = cadence_days(account, settings)
    due = account.last_visit + timedelta(days=cadence)
    last = f"last visit {account.last_visit}, every {cadence} days"
    if due < today:
        late = (today - due).days
        return f"{late} day{'s' if late > 1 else ''} overdue: {last}"
    return f"due on {due}: {last}"


def _planned(agenda: Agenda) -> dict[str, str]:
    """When and by whom customers are visited, by id: for themselves, or since the visit to an opportunity is theirs."""
    found: dict[str, str] = {}
    for day in agenda.days:
        for visit in day.visits:
            for account in _accounts_of(visit.id, visit.stop["record_ids"] if visit.stop else ()):
                found.setdefault(account, f"{day.rep.name} visits on {day.working_day.day:%a %Y-%m-%d}")
    return found


def _accounts_of(visit: str, record_ids: Sequence[str]) -> list[str]:
    kind, record_id = record_behind(visit)
    if kind == RecordKind.ACCOUNT:
        return [record_id]
    return [id_ for id_ in record_ids if visit != visit_id(RecordKind.OPPORTUNITY, id_)]
