"""What people have seen already: where the visits of the plan that reps see are, for another plan to leave them there.

Reps tell customers, and so do inside sales. Another plan moves a visit to another day or rep only where that saves more
than `[solver] stability_minutes` of driving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from planner.candidates import Visit
from planner.days_begun import TO_TRY_AGAIN
from planner.domain import RecordKind
from planner.errors import PlannerError
from planner.plan_document import PlanDocument, read_plan
from planner.repository import UnitOfWork
from planner.snapshot import SeenVisit
from planner.visit_ids import record_behind


def published_visits(unit: UnitOfWork, area: str) -> tuple[SeenVisit, ...]:
    """The visits to come of the published plan as it stands, but those that were tried in vain today; `unit` sees the
    whole area."""
    plan = unit.plans(area).latest(published=True)
    try:
        document = read_plan(plan.document or "") if plan is not None else None
    except PlannerError:  # of a version that nobody can read any more
        document = None
    if document is None:
        return ()
    today = unit.now().astimezone(ZoneInfo(document["timezone"])).date()
    tried = {
        (visit.visit_id, visit.rep_id, visit.day)
        for visit in unit.field_visits.within("day", today, date.max, area=area)
        if visit.disposition in TO_TRY_AGAIN
    }
    seen = visits_seen(document, today)
    return tuple(each for each in seen if (each.visit_id, each.rep_id, each.day) not in tried)


def visits_seen(document: PlanDocument, since: date) -> tuple[SeenVisit, ...]:
    """The visits of a plan from a day on, by day."""
    return tuple(
        SeenVisit(stop["visit_id"], day["rep_id"], day["rep_name"], date.fromisoformat(day["date"]))
        for day in sorted(document["rep_days"], key=lambda day: (day["date"], day["rep_id"]))
        for stop in day["stops"]
        if day["date"] >= str(since)
    )


def where_seen(
    visits: Iterable[Visit], seen: Sequence[SeenVisit], first_day: date, last_day: date
) -> Mapping[str, SeenVisit]:
    """By the id of a visit that could be made: where people have seen it, within the days that are planned.

    Of several visits to one customer the first is the one that was seen first, and so on: that one more of them has
    been made, or missed, renames the others. Promises stay where they are anyway.
    """
    shown: dict[tuple[str, str], list[SeenVisit]] = defaultdict(list)
    for each in seen:
        if first_day <= each.day <= last_day:
            shown[record_behind(each.visit_id)].append(each)
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for visit in visits:
        if visit.promise is None:
            wanted[record_behind(visit.id)].append(visit.id)
    return {
        id_: where
        for record, ids in wanted.items()
        if record in shown
        for id_, where in zip(sorted(ids, key=_in_turn), shown[record], strict=False)
    }


def days_seen(where: Mapping[str, SeenVisit], seen: Sequence[SeenVisit]) -> Mapping[str, tuple[str, ...]]:
    """By working day: the visits that could be made that people have seen there, in the order in which they were."""
    now = {each: id_ for id_, each in where.items()}
    days: dict[str, tuple[str, ...]] = {}
    for each in seen:
        if each in now:
            days[each.shift_id] = (*days.get(each.shift_id, ()), now[each])
    return days


def _in_turn(visit: str) -> tuple[bool, str]:
    """A customer's visits in the order that they are due: the first one's id has no day."""
    return visit.startswith(f"{RecordKind.ACCOUNT}@"), visit
