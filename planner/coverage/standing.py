"""Whether a customer is looked after on a day, by the days on which it was met and those for which it is planned."""

from __future__ import annotations

from datetime import date, timedelta

from planner.coverage.domain import AccountCover, CoverageState

LATE_SHARE = 4
"""A customer is overdue once a quarter of its cadence has gone by since it was due."""


def due_on(last_visit: date, cadence_days: int) -> date:
    """The day on which a cadence has run out: as many days after the last visit, as a plan has it."""
    return last_visit + timedelta(days=cadence_days)


def state_after(last_visit: date, cadence_days: int, day: date) -> CoverageState:
    """Visited until the cadence has run out, then due, and overdue from a quarter of the cadence on."""
    since_due = (day - last_visit).days - cadence_days
    if since_due < 0:
        return CoverageState.VISITED
    return CoverageState.OVERDUE if since_due * LATE_SHARE >= cadence_days else CoverageState.DUE


def state_on(account: AccountCover, day: date) -> CoverageState | None:
    """What the state of an account was, or will be if the plan is carried out, at the end of a day.

    The rule, which the map's time slider repeats:

    1. Dormant ones and those without a place are so on every day: of former days that is not known.
    2. `last` is the latest of `visits` and `planned_days` that is not after the day.
    3. Without `last`, an account that was ever visited gives None: what was before is not known, nothing is drawn. One
       that never was is due.
    4. Else with `since = day - last - cadence_days` in days: visited where that is negative, overdue where four times
       that is at least `cadence_days`, else due.

    On the day of the report that is the report's state, but for those with a visit planned for that very day.
    """
    if account.state in (CoverageState.DORMANT, CoverageState.NO_PLACE):
        return account.state
    last = max((at for at in (*account.visits, *account.planned_days) if at <= day), default=None)
    if last is None:
        return None if account.visits else CoverageState.DUE
    return state_after(last, account.cadence_days, day)
