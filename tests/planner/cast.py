"""The cast: a flat town with round minutes, its reps, customers and opportunities.

Anna and Ben are the reps. The town's streets are a grid on which 0.001 degrees north or east take one minute and
measure 500 m; everything from the river at 1 degree east on is an island without a bridge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from planner.candidates import Candidates
from planner.domain import Account, Address, Location, Opportunity, Record, Rep
from planner.handoffs.domain import HandoffRow
from planner.hotels.domain import Hotel, Nights
from planner.hours import instant
from planner.plan_checks import broken_rules
from planner.plan_document import PlanDocument, Stop
from planner.planning import make_plan, prepare
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState, Meaning
from planner.snapshot import Snapshot
from planner.translation import Translation
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.solver import SearchLimits
from routing.travel_times import Fan, LegPath, PlainFan, TravelTimes

MONDAY = date(2026, 11, 30)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 12, day) for day in (1, 2, 3, 4))
LONDON, LOS_ANGELES = ZoneInfo("Europe/London"), ZoneInfo("America/Los_Angeles")
SETTINGS = Settings(home=Path("nowhere"), database_url="")
OFFICE = Address("1 Office Park")


def local(text: str) -> datetime:
    """A wall-clock time, as records hold it."""
    return datetime.fromisoformat(text)


def door(east: float = 0, north: float = 0) -> LatLon:
    """A place so many minutes east and north of the office."""
    return LatLon(round(north / 1000, 6), round(east / 1000, 6))


ISLAND = 1_000
"""Minutes east from which on no street leads to the town."""


class Flatland:
    """The streets of the town; remembers how many places it was asked for at once."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        self.asked.append(len(places))
        lat = np.array([place.lat for place in places])
        lon = np.array([place.lon for place in places])
        minutes = np.rint(1000 * (abs(lat[:, None] - lat) + abs(lon[:, None] - lon)))
        apart = (lon[:, None] >= ISLAND / 1000) != (lon >= ISLAND / 1000)
        seconds, metres = (np.where(apart, -1, minutes * unit).astype(np.int32) for unit in (60, 500))
        return TravelTimes(seconds, metres)

    def fan(self, places: Sequence[LatLon]) -> Fan:
        return PlainFan(self, tuple(places))

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        times = self.travel_times([origin, destination])
        return LegPath(int(times.seconds[0, 1]), int(times.metres[0, 1]), (origin, destination))


def rep(id_: str = "anna", **changes: Any) -> Rep:
    """Works nine to five on weekdays from the office, with half an hour for lunch."""
    usual: dict[str, Any] = {
        "name": id_.title(),
        "email": f"{id_}@example.com",
        "start_address": OFFICE,
        "end_address": None,
        "timezone": "Europe/London",
        "work_days": frozenset(range(5)),
        "work_start": time(9),
        "work_end": time(17),
        "break_minutes": 30,
        "break_window": (time(12), time(14)),
    }
    return Rep(id=id_, **(usual | changes))


def account(id_: str = "bakery", **changes: Any) -> Account:
    """A customer of segment B, of Anna's, who was visited four weeks ago and buys regularly."""
    usual: dict[str, Any] = {
        "name": id_.title(),
        "address": Address(f"{id_} street"),
        "segment": "B",
        "owner_rep_id": "anna",
        "cadence_days": 28,
        "last_visit": date(2026, 11, 2),
        "last_order": date(2026, 11, 1),
        "annual_value": 12_000.0,
        "visit_minutes": 30,
    }
    return Account(id=id_, **(usual | changes))


def opportunity(id_: str = "mill", **changes: Any) -> Opportunity:
    """Handed off last Friday with everything known, for a visit of an hour within five working days."""
    usual: dict[str, Any] = {
        "name": id_.title(),
        "address": Address(f"{id_} road"),
        "value": 10_000.0,
        "probability": 0.5,
        "budget": "yes",
        "authority": "yes",
        "need": "yes",
        "timeline": "this quarter",
        "qualified_at": local("2026-11-27 10:00"),
        "first_action_days": 5,
        "visit_minutes": 60,
    }
    return Opportunity(id=id_, **(usual | changes))


def promise(id_: str = "mill", rep_id: str = "anna", day: date = TUESDAY, **changes: Any) -> Booking:
    """An hour for the opportunity of this id, ten minutes from the office, to begin between ten and eleven."""
    start, end = (instant(local(f"{day} {clock}"), LONDON) for clock in changes.pop("window", ("10:00", "11:00")))
    usual: dict[str, Any] = {
        "area": "town",
        "state": BookingState.PROMISED,
        "opportunity_id": id_,
        "name": id_.title(),
        "address": f"{id_} road",
        "lat": 0.0,
        "lon": 0.01,
        "service_minutes": 60,
        "meaning": Meaning.ARRIVE,
        "hours": "",
        "skills": frozenset(),
        "inside_rep": "irene@example.com",
        "made_by": "user:irene",
        "made_at": datetime(2026, 11, 27, 12, tzinfo=UTC),
        "expires_at": None,
    }
    if (place := changes.pop("place", None)) is not None:
        usual |= {"lat": place.lat, "lon": place.lon}
    return Booking(id=f"b-{id_}", rep_id=rep_id, day=day, start=start, end=end, **(usual | changes))


def located(record: Record, place: LatLon | None, reason: str = "no such street") -> Location:
    """The geocoder's answer for a record."""
    address = record.start_address if isinstance(record, Rep) else record.address
    verdict = Verdict.MATCHED if place else Verdict.NOT_FOUND
    return Location(record.kind, record.id, address, verdict, place, 1.0, str(address), "" if place else reason)


@dataclass
class Town:
    """Records with their doors, and what the planner makes of them."""

    records: list[Record] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    settings: Settings = SETTINGS
    source: Flatland = field(default_factory=Flatland)
    promises: list[Booking] = field(default_factory=list)
    handoffs: list[HandoffRow] = field(default_factory=list)
    hotels: list[Hotel] = field(default_factory=list)
    nights: Nights = field(default_factory=Nights)

    def add(self, record: Record, place: LatLon | None = None, *, lost: bool = False) -> Record:
        """A record at a place (at the office if none is given), or one that the geocoder did not find."""
        self.records.append(record)
        self.locations.append(located(record, None if lost else place or door()))
        return record

    def snapshot(self) -> Snapshot:
        return Snapshot(
            tuple(r for r in self.records if isinstance(r, Rep)),
            tuple(r for r in self.records if isinstance(r, Account)),
            tuple(r for r in self.records if isinstance(r, Opportunity)),
            tuple(self.locations),
            tuple(self.promises),
            tuple(self.handoffs),
            hotels=tuple(self.hotels),
            nights=self.nights,
        )

    def candidates(self, first_day: date = MONDAY, days: int = 5) -> Candidates:
        return prepare(self.snapshot(), self.source, first_day, days, self.settings)[1]

    def translation(self, first_day: date = MONDAY, days: int = 5) -> Translation:
        return prepare(self.snapshot(), self.source, first_day, days, self.settings)[0]

    def plan(self, first_day: date = MONDAY, days: int = 5, work: int = 4, seed: int = 1) -> PlanDocument:
        limits = SearchLimits(work=work, seed=seed)
        return make_plan(self.snapshot(), "town", self.source, first_day, days, limits, self.settings)

    def broken(self, document: PlanDocument) -> list[str]:
        return broken_rules(document, self.snapshot(), self.source, self.settings)


def stops(document: PlanDocument) -> dict[str, Stop]:
    """The visits of a plan by the id of the record that they are for."""
    return {stop["record_ids"][0]: stop for day in document["rep_days"] for stop in day["stops"]}


def whose(document: PlanDocument) -> dict[str, str]:
    """Record id -> the rep who visits it."""
    return {stop["record_ids"][0]: day["rep_id"] for day in document["rep_days"] for stop in day["stops"]}


def reasons(document: PlanDocument) -> dict[str, str]:
    """Record id -> the reason why it has no visit."""
    return {entry["record_ids"][0]: entry["reason"] for entry in document["unplanned"]}
