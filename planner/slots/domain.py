"""The words of booking: what a window promises, a hold that expires, a promise, and the rep's day that they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from planner.domain import MAX_NOTES, RecordKind, _check, _check_minutes, _check_text
from routing.geo import LatLon


class Meaning(StrEnum):
    """What a window promises to a customer."""

    ARRIVE = "arrive"
    """The rep is at the door, parked and ready to begin, at some time within the window."""
    WHOLE = "whole"
    """The whole visit lies within the window."""


class BookingState(StrEnum):
    """What a booking is."""

    HELD = "held"
    """Kept free until `expires_at`, by the database's clock."""
    PROMISED = "promised"
    """Told to the customer: every plan keeps it."""
    EXPIRED = "expired"
    RELEASED = "released"
    """A hold that was given back."""
    CANCELLED = "cancelled"
    MOVED = "moved"
    """A promise that another one has replaced."""
    DONE = "done"
    """A promise whose visit the field has reported."""


LIVE = frozenset({BookingState.HELD, BookingState.PROMISED})
"""States in which a booking takes a rep's time."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A time of a rep's that is held for, or promised to, a customer. It stays when it ends: that is the history.

    Attributes:
        opportunity_id: what the visit is for; empty while a hold is for somebody who has no record yet.
        name, address, lat, lon: who and where; of the opportunity, once there is one.
        start, end: the window in UTC, and `meaning` what it promises.
        hours: an opening_hours expression that must be open for the whole visit too; empty for none.
        inside_rep: who holds it, as `Opportunity.inside_rep`, in small letters; made_by: the same as an actor's id.
        expires_at: of a hold; None once it is a promise.
        replaces: the promise that this one moves.
        reason: why it ended, in words.
    """

    area: str
    id: str
    rep_id: str
    day: date
    state: BookingState
    opportunity_id: str
    name: str
    address: str
    lat: float
    lon: float
    service_minutes: int
    start: datetime
    end: datetime
    meaning: Meaning
    hours: str
    skills: frozenset[str]
    inside_rep: str
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None = None
    replaces: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        _check_text(self, "name", "address", "hours", "reason", limit=MAX_NOTES)
        _check_minutes("service_minutes", self.service_minutes)
        _check(self.start < self.end, "end", "the window is empty")
        if self.meaning is Meaning.WHOLE:
            room = self.end - self.start
            _check(timedelta(minutes=self.service_minutes) <= room, "end", "the visit does not fit into the window")
        _check((self.expires_at is not None) == (self.state is BookingState.HELD), "expires_at", "only a hold expires")

    @property
    def place(self) -> LatLon:
        return LatLon(self.lat, self.lon)

    @property
    def visit_id(self) -> str:
        """As in plan.json; of a hold without a record, `booking:<id>`."""
        return f"{RecordKind.OPPORTUNITY}:{self.opportunity_id}" if self.opportunity_id else f"booking:{self.id}"

    @property
    def order_id(self) -> str:
        """Under which it stands in the order of its day: a hold for itself, a promise as the visit."""
        return self.visit_id if self.state is BookingState.PROMISED else f"booking:{self.id}"

    @property
    def latest_begin(self) -> datetime:
        """The last moment at which service may begin; `start` is the first."""
        return self.end if self.meaning is Meaning.ARRIVE else self.end - timedelta(minutes=self.service_minutes)

    def window_text(self, zone: tzinfo) -> str:
        """The window in words, in somebody's local time."""
        start, end = self.start.astimezone(zone), self.end.astimezone(zone)
        whole = " for the whole visit" if self.meaning is Meaning.WHOLE else ""
        return f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}{whole}"

    def live_at(self, now: datetime) -> bool:
        """Whether it takes the rep's time: a promise, or a hold that has not run out."""
        return self.state is BookingState.PROMISED or (
            self.state is BookingState.HELD and self.expires_at is not None and now < self.expires_at
        )


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """What bookings made of a rep's day since its plan was published. A day without a row is as its plan has it.

    Attributes:
        revision: goes up with every change of anything here, from 1: whoever computed on another one computes again.
        plan_version: of the published plan that the day was taken from; 0 where no plan covers the day.
        order: visit ids in the order in which they are done, promises and live holds (`booking:<booking id>`) among
            them: the one sequence in which everything that anybody was told can be kept. A hold that has run out
            is skipped.
        route: the day as its rep and everybody else sees it, a `RepDay` of plan.json, without holds; None where that
            is still as in the plan.
    """

    area: str
    rep_id: str
    day: date
    revision: int
    plan_version: int
    order: tuple[str, ...]
    route: Mapping[str, Any] | None = field(default=None)
