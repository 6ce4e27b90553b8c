"""The visits to a customer around a day on which there is one: which of them it makes up for."""

from __future__ import annotations

from datetime import date, timedelta

from planner.candidates import cadence_days
from planner.domain import Account, RecordKind
from planner.repeats import least_days
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.visit_ids import is_to, visit_id


def made_up_for(
    unit: UnitOfWork, agendas: Agendas, area: str, account_id: str, day: date, settings: Settings
) -> frozenset[str]:
    """The ids of the visits to a customer for its own sake that one on a day makes up for.

    Those are the ones that are nearer to it than two visits may be, and whatever is on no day. `unit` sees the whole
    area.
    """
    if not account_id:
        return frozenset()
    first, least = visit_id(RecordKind.ACCOUNT, account_id), _least(unit, area, account_id, settings)
    near: set[str] = set()
    far: set[str] = set()
    for id_, on in _days_of(unit, agendas, area, account_id):
        (near if abs(on - day) < least else far).add(id_)
    return frozenset(near | ({first} - far))


def _least(unit: UnitOfWork, area: str, account_id: str, settings: Settings) -> timedelta:
    """So far apart are two visits at least; whom no record tells of is visited once."""
    account = unit.records(area).get(RecordKind.ACCOUNT, account_id)
    if not isinstance(account, Account):
        return timedelta.max
    return timedelta(least_days(cadence_days(account, settings.candidates), settings.candidates))


def _days_of(unit: UnitOfWork, agendas: Agendas, area: str, account_id: str) -> list[tuple[str, date]]:
    """The visits to a customer for its own sake that the published plan has, and those on days changed since."""
    yesterday = unit.now().date() - timedelta(days=1)
    rows = unit.changed_days.columns(("day", "order"), "day", yesterday, date.max, area=area)
    found = [(id_, day) for day, order in rows for id_ in order if is_to(id_, account_id)]
    return [*agendas.planned_to(unit, area, account_id), *found]
