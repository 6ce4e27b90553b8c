"""Who is sent the weekly summary by mail: whoever wants it, as long as they may see the figures of the area."""

from __future__ import annotations

from dataclasses import replace

from planner.access import Permission
from planner.activities.domain import SummaryReader
from planner.people.accounts import permissions_of
from planner.people.domain import User
from planner.repository import UnitOfWork
from planner.settings import LoginSettings


def reads_summary(unit: UnitOfWork, area: str, user: User) -> bool:
    """Whether somebody is sent the summaries of an area."""
    row = unit.summary_readers.get(area, user.id)
    return row is not None and row.wanted


def subscribe(unit: UnitOfWork, area: str, user: User, wanted: bool) -> None:
    """Have somebody sent the summaries of an area from now on, or no more; done again, it changes nothing.

    Who changes their mind twice in a day is not sent the same week again.
    """
    if reads_summary(unit, area, user) == wanted:
        return
    row = unit.summary_readers.get(area, user.id) or SummaryReader(area, user.id)
    unit.summary_readers.put(replace(row, wanted=wanted))
    unit.audit("summary.subscribed" if wanted else "summary.unsubscribed", user.id, area=area)


def may_read(user: User, area: str, login: LoginSettings) -> bool:
    """Whether somebody may see the figures of an area now."""
    return Permission.SEE_FIGURES in permissions_of(user, login) and user.scope.sees(area)
