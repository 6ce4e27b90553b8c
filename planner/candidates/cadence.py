"""How often a customer is visited, and on which days anybody is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from planner.domain import Account, Rep
from planner.settings import CandidateSettings


def team_work_days(reps: Sequence[Rep]) -> frozenset[int]:
    """The weekdays (Monday is 0) on which anybody works; Monday to Friday where there is nobody."""
    return frozenset(day for rep in reps for day in rep.work_days) or frozenset(range(5))


def cadence_days(account: Account, settings: CandidateSettings) -> int:
    """How often an account is visited: as it says itself, or else as its segment is."""
    return account.cadence_days or settings.cadence_days.get(account.segment, settings.other_cadence_days)


def is_dormant(account: Account, first_day: date, settings: CandidateSettings) -> bool:
    """It used to buy and has not for `dormant_days`; who is not known ever to have bought is not dormant."""
    return account.last_order is not None and (first_day - account.last_order).days > settings.dormant_days
