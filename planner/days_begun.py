"""The days that reps have begun, or said something about, as whoever publishes a plan finds them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import cast

from planner.domain import RecordKind
from planner.errors import NotFoundError
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.plan_document import RepDay
from planner.repository import UnitOfWork
from planner.slots.agenda import Agendas, said_of
from planner.slots.begun import Said
from planner.slots.domain import ChangedDay
from planner.visit_ids import record_behind

DayKey = tuple[str, date]

TO_TRY_AGAIN = frozenset({Disposition.NOT_IN, Disposition.RESCHEDULED})
"""How a visit may have gone for another one to be made soon."""


def days_begun(unit: UnitOfWork, area: str, first_day: date) -> Iterator[DayKey]:
    """Those from a day on."""
    visits: dict[DayKey, tuple[FieldVisit, ...]] = defaultdict(tuple)
    for visit in unit.field_visits.within("day", first_day, date.max, area=area):
        visits[visit.rep_id, visit.day] += (visit,)
    progress = {(row.rep_id, row.day): row for row in unit.day_progress.within("day", first_day, date.max, area=area)}
    for key in {*visits, *progress}:
        if Said(progress.get(key), visits[key]).anything:
            yield key


def as_it_stands(
    unit: UnitOfWork, agendas: Agendas, area: str, key: DayKey, row: ChangedDay | None
) -> tuple[tuple[str, ...], RepDay] | None:
    """The order of a day and how it is shown, in the plan that reps see now; None where that has no such day, and
    nobody is visited on it."""
    version, planned = agendas.planned(unit, area, *key)
    if row is not None and row.plan_version == version:
        order, shown = row.order, planned if row.route is None else cast(RepDay, row.route)
    else:
        order, shown = tuple(stop["visit_id"] for stop in planned["stops"]) if planned is not None else (), planned
    return (order, shown) if shown is not None and (version or shown["stops"]) else None


def visits_on(unit: UnitOfWork, agendas: Agendas, area: str, keys: Iterable[DayKey]) -> Mapping[str, frozenset[DayKey]]:
    """Where what is left of some days, and what has been made on them, is: by visit id, and of an account by the id of
    its first visit, whichever of them it is.

    Who was not in may be visited on another day.
    """
    there: dict[str, frozenset[DayKey]] = defaultdict(frozenset)
    for key in keys:
        try:
            day = agendas.day(unit, area, *key)
        except NotFoundError:  # nobody knows where the rep starts: what is left cannot be told
            continue
        known = {visit.visit_id: visit for visit in said_of(unit, area, *key).visits}
        made = [each.visit for each in day.begun.made] if day.begun is not None else []
        for visit in (*day.listed, *made):
            if visit.id not in known or known[visit.id].disposition not in TO_TRY_AGAIN:
                accounts = visit.stop["record_ids"][1:] if visit.stop is not None else []
                for id_ in _ids(visit.id, accounts):
                    there[id_] |= {key}
    return there


def visits_of(day: RepDay) -> Iterator[str]:
    """The ids of a day's visits in the same way."""
    for stop in day["stops"]:
        yield from _ids(stop["visit_id"], stop["record_ids"][1:])


def _ids(visit: str, accounts: Iterable[str]) -> Iterator[str]:
    yield ":".join(record_behind(visit))
    yield from (f"{RecordKind.ACCOUNT}:{id_}" for id_ in accounts)
