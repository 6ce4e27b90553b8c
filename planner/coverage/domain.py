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
    """Its cadence has run out, by less than a quarter of it; or it was never visited, so that nobody can tell."""
    OVERDUE = "overdue"
    """Its cadence has run out by a quarter of it or more."""
    DORMANT = "dormant"
    """It stopped buying (see `planner.candidates.is_dormant`): inside sales calls it, nobody drives there."""
    NO_PLACE = "no_place"
    """It buys, and nobody knows where it is, so that nobody can be sent."""


MONTH_DAYS = 365.25 / 12

HANDOFF_DAYS = 56
"""Eight weeks, by which the rate of handed-off opportunities is told."""

NO_PLAN = "no_plan"
"""Why a due customer is not reached, beside the reasons of a plan: reps see no plan of these days."""
NOT_IN_PLAN = "not_in_plan"
"""The same: the plan says nothing of it, since it was not due or not there when the plan was made."""
NOT_DONE = "not_done"
"""The same: its visit was planned for a day that is over, and nobody said that the customer was met."""


@dataclass(frozen=True, slots=True)
class AccountCover:
    """How one account is looked after, as of a day.

    Attributes:
        rep_id: whose it is; empty for nobody's. territory_id: in which territory it lies; empty for none.
        lat, lon: in degrees; None where nobody knows where it is.
        due_on: when its cadence runs out, the day itself of one that was never visited; None of dormant ones.
        overdue_days: since then; 0 where it is not due yet.
        visits: days of the last year on which somebody met the customer, the oldest first; the last whenever it was.
        planned_days: its visits to come in the plan that reps see, in order, today's among them.
        planned_rep: who makes the first of them; empty where there is none, or where that is not told.
        unreached: where it is due by the plan's last day and has no visit in it: a `planner.candidates.Reason`, or one
            of those above; `why` is the sentence. Both are empty otherwise.
        visits_a_month: as its cadence asks for, never less; 0 of dormant ones. A month is 365.25 / 12 days.
        service_minutes: of one visit, with parking.
        drive_minutes: of one visit: its share of its rep's estimated driving.
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
    planned_days: tuple[date, ...]
    planned_rep: str
    unreached: str
    why: str
    visits_a_month: float
    service_minutes: int
    drive_minutes: float
    annual_value: float

    @property
    def last_visit(self) -> date | None:
        return self.visits[-1] if self.visits else None

    @property
    def planned_on(self) -> date | None:
        """Its next visit in the plan that reps see."""
        return self.planned_days[0] if self.planned_days else None

    @property
    def service_minutes_a_month(self) -> float:
        return self.visits_a_month * self.service_minutes

    @property
    def drive_minutes_a_month(self) -> float:
        return self.visits_a_month * self.drive_minutes

    @property
    def minutes_a_month(self) -> float:
        """What looking after it takes."""
        return self.service_minutes_a_month + self.drive_minutes_a_month


@dataclass(frozen=True, slots=True)
class RepCapacity:
    """A rep's minutes a month: what customers and handed-off opportunities take, and what there is.

    Customers of nobody, and those of a rep who is not among the reps, have a row of their own, with no minutes there.

    Attributes:
        rep_id: empty for nobody's.
        there: working hours less breaks, public holidays left out; where a day may have fewer visits than fit into its
            hours, what so many visits take.
        visits, driving: of the rep's own accounts by their cadence.
        opportunities: of visits to what inside sales hands over, driving included, as often as lately.
        visits_needed: the number of all these visits a month.
        visits_there: as many as the days may have; None where it is the hours that end first.
    """

    rep_id: str
    name: str
    there: float
    visits: float
    driving: float
    opportunities: float
    visits_needed: float = 0.0
    visits_there: float | None = None

    @property
    def needed(self) -> float:
        return self.visits + self.driving + self.opportunities

    @property
    def shortfall(self) -> float:
        """What is missing; 0 where the hours suffice."""
        return max(0.0, self.needed - self.there)

    @property
    def spare(self) -> float:
        """What is left; 0 where nothing is."""
        return max(0.0, self.there - self.needed)


@dataclass(frozen=True, slots=True)
class TerritoryCover:
    """What figures tell of a territory."""

    territory_id: str
    name: str
    rep_id: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """All that is known of how an area's customers are looked after.

    Attributes:
        as_of: the day for which the states hold, in the area's time zone.
        zone: that time zone's name.
        plan_version: of the plan that reps see; None where there is none.
        first_day, last_day: of that plan.
        reps: by name, whoever is none of the reps behind them.
        territories: by name.
        notes: what somebody should know who reads the figures, as sentences; one about a rep begins as in a plan.
        handoff_days: over so many days it was counted how often opportunities are handed off.
    """

    area: str
    as_of: date
    zone: str
    plan_version: int | None
    first_day: date | None
    last_day: date | None
    accounts: tuple[AccountCover, ...]
    reps: tuple[RepCapacity, ...]
    territories: tuple[TerritoryCover, ...] = ()
    notes: tuple[str, ...] = ()
    handoff_days: int = HANDOFF_DAYS

    @property
    def due_until(self) -> date:
        """By when customers are due who should have a visit: the plan's last day, or today where it is over."""
        return max(self.as_of, self.last_day or self.as_of)


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
