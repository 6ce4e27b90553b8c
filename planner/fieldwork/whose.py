"""Whose a visit is: what a rep may send and ask about, and what would be a look at somebody else's customers.

Events are kept and worked out with the whole area in sight, since a visit may have moved to another rep meanwhile. What
comes back tells names, and who is added to a day is seen by its rep: so it is asked first whether a visit is, or was,
the rep's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from planner.domain import RecordKind
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import EventKind
from planner.repository import UnitOfWork
from planner.visit_ids import record_behind


class Whose:
    """Tells a rep's visits from others', in a unit of `planner.fieldwork.phone.phone_scope`."""

    def __init__(self, unit: UnitOfWork, area: str, rep_id: str) -> None:
        self._unit = unit
        self._area = area
        self._rep_id = rep_id
        self._seen: dict[str, bool] = {}
        self._had: dict[date, frozenset[str]] = {}

    def sees(self, visit_id: str) -> bool:
        """Whether it is to a customer or about an opportunity that the rep sees now."""
        if visit_id not in self._seen:
            kind, record_id = record_behind(visit_id)
            good = kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY)
            found = self._unit.records(self._area).get(RecordKind(kind), record_id) if good else None
            self._seen[visit_id] = found is not None
        return self._seen[visit_id]

    def has_or_had(self, day: date, visit_id: str) -> bool:
        """Whether the rep sees it, or has had it on that day: in a plan that was published, or by a promise."""
        return self.sees(visit_id) or visit_id in self._had_on(day)

    def stranger_in(self, sent: SentEvent) -> str:
        """The field of an event that names somebody else's visit; empty where none does, or where it is no visit."""
        day = _day_of(sent.day)
        if day is None:
            return ""
        if sent.kind == EventKind.ADDED:
            return "" if isinstance(sent.visit_id, str) and self.sees(sent.visit_id) else "visit_id"
        body = sent.body if isinstance(sent.body, dict) else {}
        listed = body.get("order")
        named = {"visit_id": [sent.visit_id], "body.after": [body.get("after")], "body.order": listed}
        for field, ids in named.items():
            if isinstance(ids, list) and not all(self.has_or_had(day, id_) for id_ in _texts(ids)):
                return field
        return ""

    def _had_on(self, day: date) -> frozenset[str]:
        """The visits of the rep's day in every plan that was published for it, and those ever promised for it."""
        if day not in self._had:
            booked = self._unit.bookings.find(area=self._area, rep_id=self._rep_id, day=day)
            self._had[day] = frozenset([*(booking.visit_id for booking in booked), *self._ever_planned(day)])
        return self._had[day]

    def _ever_planned(self, day: date) -> Iterator[str]:
        plans = self._unit.plans(self._area)
        for plan in plans.list():
            if plan.first_day <= day < plan.first_day + timedelta(days=plan.days):
                document = plans.get(plan.version).document  # cut to what is the rep's
                for on in json.loads(document)["rep_days"] if document else ():
                    if (on["rep_id"], on["date"]) == (self._rep_id, str(day)):
                        yield from (stop["visit_id"] for stop in on["stops"])


def _texts(ids: Collection[object]) -> list[str]:
    return [id_ for id_ in ids if isinstance(id_, str) and id_]


def _day_of(text: object) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
