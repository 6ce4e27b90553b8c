"""What a person counts by tapping, since nothing here knows of it."""

from __future__ import annotations

from datetime import date

from planner.activities.domain import MOST_A_DAY, Activity, ActivityCount
from planner.activities.goals import TAPPED
from planner.errors import InvalidRecordError
from planner.repository import UnitOfWork


def tap(unit: UnitOfWork, area: str, user_id: str, day: date, kind: Activity, by: int) -> int:
    """Count one more of something on a day (`by` is 1), or take one back (-1), and say how many there are now.

    It stays between nothing and `MOST_A_DAY`. That a tap counts once is the business of whoever carries it: each has a
    key of its own (`planner.idempotency`).

    Raises:
        InvalidRecordError: it is not counted by tapping, or not by one.
    """
    if kind not in TAPPED:
        raise InvalidRecordError("kind", f"{kind} are not counted by tapping: they follow from what is done here")
    if by not in (1, -1):
        raise InvalidRecordError("by", f"{by} is neither 1 nor -1")
    row = unit.activity_counts.get(area, user_id, day, kind)
    count = min(max((row.count if row else 0) + by, 0), MOST_A_DAY)
    unit.activity_counts.put(ActivityCount(area, user_id, day, kind, count))
    return count
