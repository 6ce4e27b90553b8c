"""A check-in: how far from the customer's door the phone says it is. The position goes here, and nowhere else."""

from __future__ import annotations

from planner.domain import Account, Opportunity, RecordKind
from planner.fieldwork.bodies import Arrived
from planner.fieldwork.domain import CheckIn, CheckInVerdict, FieldEvent
from planner.repository import UnitOfWork
from planner.settings import FieldworkSettings
from planner.visit_ids import record_behind
from routing.geo import LatLon, great_circle_m

VAGUE_M = 500
"""A position that may be so far off says nothing of a door."""


def check_in_of(event: FieldEvent, said: Arrived, place: LatLon | None, settings: FieldworkSettings) -> CheckIn:
    """The check-in that an event is, at a visit to a place; None where that is not known."""
    there = LatLon(said.lat, said.lon) if said.lat is not None and said.lon is not None else None
    distance = round(great_circle_m(there, place)) if there is not None and place is not None else None
    return CheckIn(
        area=event.area,
        id=event.id,
        rep_id=event.rep_id,
        day=event.day,
        visit_id=event.visit_id,
        at=event.made_at,
        lat=said.lat,
        lon=said.lon,
        accuracy_m=said.accuracy_m,
        distance_m=distance,
        verdict=verdict_of(distance, said.accuracy_m, settings.door_metres),
    )


def verdict_of(distance_m: float | None, accuracy_m: float | None, door_m: int) -> CheckInVerdict:
    """At the door, give or take what the phone says of its own accuracy; what is too vague proves nothing."""
    if distance_m is None or accuracy_m is None or accuracy_m > VAGUE_M:
        return CheckInVerdict.UNVERIFIED
    return CheckInVerdict.AT_THE_DOOR if distance_m - accuracy_m <= door_m else CheckInVerdict.ELSEWHERE


def place_of(unit: UnitOfWork, area: str, visit_id: str) -> LatLon | None:
    """Where the customer is, in a unit that sees the whole area: at their present address, if that is located."""
    kind, record_id = record_behind(visit_id)
    record = unit.records(area).get(RecordKind(kind), record_id)
    location = unit.records(area).location(RecordKind(kind), record_id)
    if not isinstance(record, Account | Opportunity) or location is None or location.address != record.address:
        return None
    return location.place
