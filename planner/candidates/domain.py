"""What could be visited, what could not and why, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from planner.slots.domain import Booking
from planner.worth import Worth
from routing.geo import LatLon


class VisitKind(StrEnum):
    """Why a visit is planned at all."""

    APPOINTMENT = "appointment"
    OPPORTUNITY = "opportunity"
    DUE = "due"
    NEARBY = "nearby"


class Reason(StrEnum):
    """Why a record has no visit in a plan; see `docs/plan-format.md`."""

    NOT_LOCATED = "not_located"
    OUTSIDE_HOURS = "outside_hours"
    NO_TIME_LEFT = "no_time_left"
    TOO_FAR = "too_far"
    NO_REP_WITH_SKILL = "no_rep_with_skill"
    NO_REP = "no_rep"
    DEADLINE_IMPOSSIBLE = "deadline_impossible"
    APPOINTMENT_IMPOSSIBLE = "appointment_impossible"
    APPOINTMENT_ON_ANOTHER_DAY = "appointment_on_another_day"
    UNREACHABLE = "unreachable"
    VISITED_ANYWAY = "visited_anyway"
    SPACING = "spacing"
    WAITS_FOR_MANAGER = "waits_for_manager"
    SEEN_ON_ANOTHER_DAY = "seen_on_another_day"


@dataclass(frozen=True)
class Visit:
    """A visit that could be made. All that planning needs, and the words that explain it.

    `hours` are opening_hours expressions that must all be open for the whole visit, and `days` are the first and the
    last day on which it may be. `reps` are those who may go (None: all). Of the visits with one `account_id` that are
    no `repeat` at most one is planned, but every promise is. Those of one `series` are as many days apart as `spacing`
    says, at least and at most. `worth` is None for a promise: an `appointment` at a very time that was agreed
    elsewhere, or a `promise` that was booked here.
    """

    id: str
    kind: VisitKind
    record_ids: tuple[str, ...]
    name: str
    address: str
    place: LatLon
    service_minutes: int
    why: str
    worth: Worth | None
    hours: tuple[str, ...] = ()
    appointment: datetime | None = None
    deadline: date | None = None
    late: bool = False
    reps: frozenset[str] | None = None
    skills: frozenset[str] = frozenset()
    account_id: str = ""
    rides_with: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    promise: Booking | None = None
    days: tuple[date, date] | None = None
    series: str = ""
    spacing: tuple[int, int] | None = None
    repeat: bool = False

    @property
    def is_opportunity(self) -> bool:
        return self.kind in (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY)


@dataclass(frozen=True, slots=True)
class SuggestedRepair:
    """One change with which a visit could be made with a rep on a day: what it is, in words, and what it counts for in
    minutes. `visit_id` is the other visit that makes way, where one does."""

    kind: str
    sentence: str
    minutes: int
    rep_id: str
    day: date
    visit_id: str = ""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A record that has no visit in the plan, and why, in a code and a sentence. `kind` is that of the visit.

    `again` is the id of the visit where it would be the second or a later one to its customer. `rules` are the fewest
    that keep it out, by the codes of the plan format; of what was never a candidate that is the reason itself.
    """

    record_ids: tuple[str, ...]
    kind: VisitKind
    name: str
    reason: Reason
    sentence: str
    worth: Worth | None = None
    again: str = ""
    rules: tuple[str, ...] = ()
    repair: SuggestedRepair | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A record that somebody should look at, with a sentence that says why."""

    record_id: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everything that the records say about some days. An opportunity that has had its visit is in none of these."""

    visits: tuple[Visit, ...]
    unplanned: tuple[Unplanned, ...]
    returned: tuple[Listed, ...]
    """Opportunities that are with inside sales: the gate does not let them through, or the field gave them back."""
    dormant: tuple[Listed, ...]
    """Customers who stopped buying; for inside sales, not for a visit."""
