"""What one more visit does to a rep's day, in words that name no customer, and how good a fit it is."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from planner.slots.working_order import AgendaDay
from routing.solution import Route


class Grade(StrEnum):
    """How well a visit fits into a day, by the driving that it adds.

    In minutes, or as a share of what driving there and back from the rep's home for this visit alone would take:
    either is enough for a grade.
    """

    A = "A"
    """At most 5 minutes, or 15 % of a drive of its own: on the way."""
    B = "B"
    """At most 15 minutes, or 40 %."""
    C = "C"
    """At most 30 minutes, or 75 %."""
    D = "D"
    """More: nearly a drive of its own."""


_LIMITS = ((Grade.A, 5, 0.15), (Grade.B, 15, 0.40), (Grade.C, 30, 0.75))


def grade(added_s: int, alone_s: int) -> Grade:
    """The grade of `added_s` of driving, where the rep's drive there and back for this visit alone is `alone_s`."""
    for letter, minutes, share in _LIMITS:
        if added_s <= max(minutes * 60, share * alone_s):
            return letter
    return Grade.D


def effect(day: AgendaDay, before: Route | None, after: Route, job: str) -> str:
    """What changes for the other visits of a day when `job` is put into it. Less than a minute is no change."""
    if before is None:
        return "nothing else is planned on this day"
    begins = {step.job: step.begin_s for step in before.steps}
    later = [(step.begin_s - begins[step.job]) // 60 for step in after.steps if step.job in begins]
    parts = []
    if moved := _out_of_place(before.jobs, [id_ for id_ in after.jobs if id_ != job]):
        parts.append(f"the order of {moved} visits changes")
    parts += _shifted([minutes for minutes in later if minutes > 0], "later")
    parts += _shifted([-minutes - 1 for minutes in later if minutes < -1], "earlier")
    if not parts:
        parts.append("nothing else moves")
    if abs(after.return_s - before.return_s) >= 60:
        new, old = (day.local(route.return_s) for route in (after, before))
        parts.append(f"the day ends at {new:%H:%M} instead of {old:%H:%M}")
    return "; ".join(parts)


def _out_of_place(before: Sequence[str], after: Sequence[str]) -> int:
    return sum(a != b for a, b in zip(before, after, strict=True))


def _shifted(minutes: Sequence[int], where: str) -> list[str]:
    if not minutes:
        return []
    most = f"{max(minutes)} minute{'s' if max(minutes) > 1 else ''} {where}"
    return [f"one visit {most}" if len(minutes) == 1 else f"{len(minutes)} visits up to {most}"]
