"""The words of daily goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from planner.domain import _check
from planner.fieldwork.domain import MailState

MOST_A_DAY = 1_000


class Activity(StrEnum):
    """What is counted of a day. Calls are counted by a tap; all else follows from what was done here."""

    CALLS = "calls"
    HANDOFFS = "handoffs"
    BOOKINGS = "bookings"
    VISITS = "visits"
    REPORTS = "reports"
    ON_TIME = "on_time"
    """The share of promised visits at which the rep was there in time, in percent."""


@dataclass(frozen=True, slots=True)
class ActivityGoals:
    """What an area's people set out to do on a day, by role and `Activity`; without a row, the usual.

    `earlier` are the goals before: each holds for the days before its `until`, so that a change is none of the past.
    """

    area: str
    revision: int
    goals: Mapping[str, Mapping[str, int]]
    earlier: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ActivityCount:
    """What a person has counted by tapping on one day."""

    area: str
    user_id: str
    day: date
    kind: Activity
    count: int

    def __post_init__(self) -> None:
        _check(0 <= self.count <= MOST_A_DAY, "count", f"{self.count} is not between 0 and {MOST_A_DAY}")


@dataclass(frozen=True, slots=True)
class SummaryReader:
    """Somebody who is sent the weekly summary of an area by mail.

    Attributes:
        week: the Monday of the last week that they were sent, or are being sent; None for none yet.
        state, at, problem: of that mail, as `SentMail` has them.
        wanted: False of who wants it no more: what they were sent stays known, so that it is not sent again where they
            change their mind.
    """

    area: str
    user_id: str
    week: date | None = None
    state: MailState | None = None
    at: datetime | None = None
    problem: str = ""
    wanted: bool = True
