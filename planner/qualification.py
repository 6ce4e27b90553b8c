"""The handoff gate: which opportunities inside sales may hand to the field, and by when the field must act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from planner.domain import Lead, Opportunity
from planner.settings import CalendarSettings, GateSettings


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that the gate asks for, in a shape that a browser can judge anew while somebody types.

    Attributes:
        kind: "yes" – the answer to `of` must be yes; "known" – `least` of the answers to `of` are known; "value" – it
            is worth `least`; "notes" – there are notes.
        text: what is asked for.
        met: whether it is there.
        missing: what is missing, as a sentence; empty where it is met.
        known: how many of `of` are known.
    """

    kind: str
    text: str
    met: bool
    missing: str = ""
    of: tuple[str, ...] = ()
    least: float = 0
    known: int = 0


def gate_checklist(opportunity: Opportunity | Lead, gate: GateSettings) -> tuple[Requirement, ...]:
    """All that a team's gate asks for, and whether this opportunity has it.

    By default need must be yes, and two of budget, authority and timeline known and not "no": the BANT questions, of
    which a first visit can answer one.
    """
    checks = []
    for name in gate.must_be_yes:
        answer = getattr(opportunity, name)
        met = answer == "yes"
        missing = "" if met else f"{name} is {answer}, must be yes"
        checks.append(Requirement("yes", f"{name.capitalize()} is yes", met, missing, (name,)))
    if gate.known_at_least:
        checks.append(_known(opportunity, gate))
    if gate.least_value:
        met = opportunity.value >= gate.least_value
        missing = "" if met else f"it is worth {opportunity.value:,.15g}, at least {gate.least_value:,.15g} needed"
        text = f"Worth at least {gate.least_value:,.15g}"
        checks.append(Requirement("value", text, met, missing, least=gate.least_value))
    if gate.needs_notes:
        met = bool(opportunity.notes.strip())
        checks.append(
            Requirement("notes", "Notes for the field", met, "" if met else "there are no notes for the field")
        )
    return tuple(checks)


def missing_for_handoff(opportunity: Opportunity | Lead, gate: GateSettings) -> tuple[str, ...]:
    """What still keeps an opportunity from being handed off, as sentences; empty when it may be."""
    return tuple(check.missing for check in gate_checklist(opportunity, gate) if not check.met)


def is_known(answer: str) -> bool:
    """Whether an answer to a question of the gate says something; "no" does not let anything through."""
    return answer.strip().casefold() not in ("", "unknown", "no")


def _known(opportunity: Opportunity | Lead, gate: GateSettings) -> Requirement:
    answers = {name: getattr(opportunity, name) for name in gate.known_of}
    still_open = ", ".join(
        f"{name} is {answer or 'unknown'}" for name, answer in answers.items() if not is_known(answer)
    )
    known = sum(map(is_known, answers.values()))
    names, least, met = ", ".join(answers), gate.known_at_least, known >= gate.known_at_least
    missing = "" if met else f"{known} of {names} known, {least} needed: {still_open}"
    text = f"{'All' if least == len(answers) else f'At least {least}'} of {names} known"
    return Requirement("known", text, met, missing, gate.known_of, least, known)


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
    return working_day_after(opportunity.qualified_at.date(), days_to_act(opportunity, gate), work_days, calendar)


def days_to_act(opportunity: Opportunity | Lead, gate: GateSettings) -> int:
    """How many working days the field has for the first visit."""
    return gate.first_action_days if opportunity.first_action_days is None else opportunity.first_action_days


def working_day_after(day: date, days: int, work_days: Collection[int], calendar: CalendarSettings) -> date:
    """So many working days after a day, which does not count."""
    while days > 0 and day < date.max:
        day += timedelta(days=1)
        days -= day.weekday() in work_days and not calendar.holiday(day)
    return day
