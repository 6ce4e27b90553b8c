"""What an area's records say at one moment; plans are made from it and checked against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from planner.domain import Account, Address, Location, Opportunity, RecordKind, Rep, addresses_of
from planner.fieldwork.minutes import as_visited
from planner.handoffs.domain import HandoffRow
from planner.hotels.domain import Hotel, Nights
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState
from routing.geo import LatLon

_FEW = 20
"""So many accounts are read one by one; more of them all at once."""


def zone_of(reps: Iterable[Rep]) -> ZoneInfo | None:
    """The time zone that most reps keep, the first by name where two are level; None where there are no reps."""
    zones = Counter(rep.timezone for rep in reps)
    return ZoneInfo(min(zones, key=lambda zone: (-zones[zone], zone))) if zones else None


@dataclass(frozen=True, slots=True)
class SeenVisit:
    """A visit of the plan that reps see."""

    visit_id: str
    rep_id: str
    rep_name: str
    day: date

    @property
    def shift_id(self) -> str:
        return f"{self.rep_id}@{self.day}"


@dataclass(frozen=True)
class Snapshot:
    """All that an area's plan is made from, as read in one snapshot.

    Attributes:
        accounts: as `planner.fieldwork.minutes.as_visited` has each.
        visits: up to which number, as `AccountVisits` has it, visits to the accounts have been counted.
        nights: those that reps see, as far as another plan has to keep to them; read for who makes one.
        seen: the visits that reps see; read for who makes another plan, which then leaves them where they are.
    """

    reps: tuple[Rep, ...]
    accounts: tuple[Account, ...]
    opportunities: tuple[Opportunity, ...]
    locations: tuple[Location, ...]
    promises: tuple[Booking, ...] = ()
    handoffs: tuple[HandoffRow, ...] = ()
    visits: int = 0
    hotels: tuple[Hotel, ...] = ()
    nights: Nights = field(default_factory=Nights)
    seen: tuple[SeenVisit, ...] = ()

    @classmethod
    def read(cls, unit: UnitOfWork, area: str, settings: Settings) -> Snapshot:
        records = unit.records(area)
        visits = {each.account_id: each for each in records.visits()}
        return cls(
            tuple(records.reps()),
            tuple(as_visited(account, visits.get(account.id), settings) for account in records.accounts()),
            tuple(records.opportunities()),
            tuple(records.locations()),
            tuple(unit.bookings.find(area=area, state=BookingState.PROMISED)),
            tuple(unit.handoffs.find(area=area)),
            max((each.number for each in visits.values()), default=0),
            tuple(unit.hotels.find(area=area)),
        )

    def with_visits(self, unit: UnitOfWork, area: str, settings: Settings) -> Snapshot:
        """The same with what has become known since of visits to the accounts in it; itself where nothing has."""
        changed = unit.records(area).visits(after=self.visits)
        if not changed:
            return self
        records, visits = unit.records(area), {each.account_id: each for each in changed}
        few = len(changed) <= _FEW
        read = (records.get(RecordKind.ACCOUNT, id_) for id_ in visits) if few else iter(records.accounts())
        now = {
            record.id: as_visited(record, visits[record.id], settings)
            for record in read
            if isinstance(record, Account) and record.id in visits
        }
        accounts = tuple(now.get(account.id, account) for account in self.accounts)
        return replace(self, accounts=accounts, visits=max(each.number for each in changed))

    @property
    def zone(self) -> ZoneInfo:
        """The area's time zone; UTC where there are no reps."""
        return zone_of(self.reps) or ZoneInfo("UTC")

    @cached_property
    def location_by_record(self) -> Mapping[tuple[RecordKind, str], Location]:
        """What the geocoder said, by kind and id of the record, whatever its address is now."""
        return {(location.kind, location.record_id): location for location in self.locations}

    def location_of(self, kind: RecordKind, record_id: str, address: Address) -> Location | None:
        """What the geocoder said of a record's present address; what it said of a former one does not count."""
        location = self.location_by_record.get((kind, record_id))
        return location if location and location.address == address else None

    def homes(self) -> tuple[dict[str, tuple[LatLon, LatLon]], list[str]]:
        """Where each rep starts and ends; a note for each rep of whom that is not known."""
        homes: dict[str, tuple[LatLon, LatLon]] = {}
        notes: list[str] = []
        for rep in self.reps:
            ends = addresses_of(rep)
            places = []
            for kind, key, address in ends:
                location = self.location_of(kind, key, address)
                if location and location.place:
                    places.append(location.place)
                else:
                    why = location.reason if location else "not geocoded yet"
                    notes.append(f"rep {rep.id} ({rep.name}): no days are planned, “{address}” is not located: {why}")
            if len(places) == len(ends):
                homes[rep.id] = (places[0], places[-1])
        return homes, notes
