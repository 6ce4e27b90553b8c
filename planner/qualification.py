"""The handoff gate: which opportunities inside sales may hand to the field, and by when the field must act."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from planner.domain import Opportunity
from planner.settings import CalendarSettings, GateSettings


def missing_for_handoff(opportunity: Opportunity, gate: GateSettings) -> tuple[str, ...]:
    """What still keeps an opportunity from being handed off, as sentences; empty when it may be.

    By default need must be yes, and two of budget, authority and timeline known and not "no": the BANT questions, of
    which a first visit can answer one.
    """
    reasons = [
        f"{name} is {getattr(opportunity, name)}, must be yes"
        for name in gate.must_be_yes
        if getattr(opportunity, name) != "yes"
    ]
    open_questions = [name for name in gate.known_of if getattr(opportunity, name) in ("unknown", "no")]
    known = len(gate.known_of) - len(open_questions)
    if known < gate.known_at_least:
        answers = ", ".join(f"{name} is {getattr(opportunity, name)}" for name in open_questions)
        reasons.append(f"{known} of {', '.join(gate.known_of)} known, {gate.known_at_least} needed: {answers}")
    return tuple(reasons)


def first_action_deadline(
    opportunity: Opportunity, work_days: Collection[int], gate: GateSettings, calendar: CalendarSettings
) -> date | None:
    """The last day for the first visit: `first_action_days` working days after the day of qualification.

    The day of qualification does not count, nor do public holidays, and the first action is in time until the end of
    the deadline's working day. Qualified on a Friday with one day, the first visit is due on Monday. None if it was
    never qualified.
    """
    if opportunity.qualified_at is None:
        return None
    left = gate.first_action_days if opportunity.first_action_days is None else opportunity.first_action_days
    day = opportunity.qualified_at.date()
    while left > 0 and day < date.max:
        day += timedelta(days=1)
        left -= day.weekday() in work_days and not calendar.holiday(day)
    return day
