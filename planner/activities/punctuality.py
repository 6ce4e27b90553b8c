"""Whether a rep was there when the customer was told: by check-ins, for what was promised here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from planner.domain import RecordKind
from planner.repository import UnitOfWork
from planner.slots.domain import BookingState, Meaning

STANDING = frozenset({BookingState.PROMISED, BookingState.DONE})


@dataclass(frozen=True, slots=True)
class Owed:
    """A promise to a customer: to be there at `latest` at the latest; `over` is when the window has passed."""

    rep_id: str
    day: date
    visit_id: str
    latest: datetime
    over: datetime


def promises_of(
    unit: UnitOfWork, area: str, first: date, last: date, reps: frozenset[str] | None = None
) -> Mapping[tuple[str, date], Sequence[Owed]]:
    """The promises that stand on some days, by rep and day; cancelled and moved ones are not owed any more."""
    more = {} if reps is None else {"rep_id": reps}
    names = ("rep_id", "day", "opportunity_id", "end", "meaning", "service_minutes")
    found: defaultdict[tuple[str, date], list[Owed]] = defaultdict(list)
    for rep, day, opportunity, end, meaning, minutes in unit.bookings.columns(
        names, "day", first, last, area=area, state=STANDING, **more
    ):
        latest = end if meaning is Meaning.ARRIVE else end - timedelta(minutes=minutes)
        found[rep, day].append(Owed(rep, day, f"{RecordKind.OPPORTUNITY}:{opportunity}", latest, end))
    return found


class Visit(Protocol):
    """A visit as it was made, such as a `FieldVisit`."""

    @property
    def arrived_at(self) -> datetime | None: ...
    @property
    def over(self) -> bool: ...


def owed_in_time(owed: Owed, visit: Visit | None, now: datetime) -> bool | None:
    """Whether the rep was there in time; early is in time. None where nobody can tell: the window is not over, or the
    visit was reported without a check-in."""
    if visit is not None and visit.arrived_at is not None:
        return visit.arrived_at <= owed.latest
    if visit is not None and visit.over:
        return None
    return False if owed.over < now else None
