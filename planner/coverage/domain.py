"""The words of coverage: the state of a customer, what looking after it takes, and a report of all of an area's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class CoverageState(StrEnum):
    """Whether a customer is looked after. Each account is in exactly one of these."""

    VISITED = "visited"
    """Seen within its cadence: nothing is due today."""
    DUE = "due"
    """Its cadence has run out, by less than a quarter of it; or it was never visited and is not old enough to tell."""
    OVERDUE = "overdue"
    """Its cadence has run out by a quarter of it or more."""
    DORMANT = "dormant"
    """It stopped buying (see `planner.candidates.is_dormant`): inside sales calls it, nobody drives there."""
    NO_PLACE = "no_place"
    """Nobody knows where it is, so that nobody can be sent."""


@dataclass(frozen=True, slots=True)
class AccountCover:
    """How one account is looked after, as of a day.

    Attributes:
        rep_id: whose it is; empty for nobody's. territory_id: in which territory it lies; empty for none.
        lat, lon: in degrees; None where its state is NO_PLACE.
        due_on: when its cadence runs out; None of dormant ones.
        overdue_days: since then; 0 where it is not due yet.
        visits: days on which somebody met the customer, the oldest first; the imported last visit among them.
        planned_on, planned_rep: its next visit in the plan that reps see; None and empty where there is none.
        unreached: a `planner.candidates.Reason` where it is due within the plan's days and has no visit in them, and
            `why` the sentence; empty otherwise.
        visits_a_month: as its cadence asks for, never less. A month is 365.25 / 12 days.
        service_minutes, drive_minutes: of one visit; the drive is its share of its rep's estimated driving.
    """

    account_id: str
    name: str
    segment: str
    rep_id: str
    territory_id: str
    lat: float | None
    lon: float | None
    state: CoverageState
    cadence_days: int
    due_on: date | None
    overdue_days: int
    visits: tuple[date, ...]
    planned_on: date | None
    planned_rep: str
    unreached: str
    why: str
    visits_a_month: float
    service_minutes: int
    drive_minutes: float
    annual_value: float

    @property
    def minutes_a_month(self) -> float:
        """What looking after it takes."""
        return self.visits_a_month * (self.service_minutes + self.drive_minutes)


@dataclass(frozen=True, slots=True)
class RepCapacity:
    """A rep's minutes a month: what customers and handed-off opportunities take, and what there is.

    Attributes:
        there: working hours less breaks, public holidays left out.
        visits, driving: of the rep's own accounts by their cadence.
        opportunities: of visits to what inside sales hands over, driving included, as often as lately.
    """

    rep_id: str
    name: str
    there: float
    visits: float
    driving: float
    opportunities: float

    @property
    def needed(self) -> float:
        return self.visits + self.driving + self.opportunities

    @property
    def shortfall(self) -> float:
        """What is missing; 0 where the hours suffice."""
        return max(0.0, self.needed - self.there)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All that is known of how an area's customers are looked after.

    Attributes:
        as_of: the day for which the states hold, in the area's time zone.
        first_day, last_day: of the plan that reps see; None where there is none.
        notes: what somebody should know who reads the figures, as sentences.
    """

    area: str
    as_of: date
    first_day: date | None
    last_day: date | None
    accounts: tuple[AccountCover, ...]
    reps: tuple[RepCapacity, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCoverage:
    """A coverage as it was worked out last; there is one an area.

    Attributes:
        key: what it was made of: where it differs from what there is now, a new one is worked out.
        summary: figures of the area and its reps, segments and territories, as JSON.
        accounts: the rest, as text that `planner.coverage` packs and reads.
    """

    area: str
    key: str
    made_at: datetime
    as_of: date
    summary: Mapping[str, Any]
    accounts: str
