"""The rules that can keep a job out of a plan, by name, and what lifting one of them means.

A plan stands: every other job stays on its shift, in its order. The job may be *taken in* at a position of a shift if
everything on that day can then be done, and no rule is broken. Lifting a rule means, for every shift and position:

* GROUP: that another job of its group is done does not count
* VEHICLES, SKILLS: any vehicle may do it; its skills are not asked for
* UNREACHABLE: a leg of which no way leads there takes no time
* DEADLINE: its windows are those that it would have without its deadline
* WINDOWS: it may begin at any time (by its deadline)
* SPACING: how many days lie between it and its repeats does not count
* CAPACITY, MAX_JOBS: what the shift may hold, and how many jobs
* SHIFT_START, SHIFT_END: the working day begins at its midnight, or ends at the next one
* BREAK: there is none
* TIME_TAKEN: the other jobs of the day take no time, as if the job had the day for itself (they are still there to be
  counted, and its way is priced as the detour that it is, or as a day's own way, whichever is shorter)
* WORTH: it may cost more than leaving it out
"""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """In the order in which people are told: what is never possible comes before what is only crowded out."""

    GROUP = "group"
    VEHICLES = "vehicles"
    SKILLS = "skills"
    UNREACHABLE = "unreachable"
    DEADLINE = "deadline"
    WINDOWS = "windows"
    SPACING = "spacing"
    CAPACITY = "capacity"
    MAX_JOBS = "max_jobs"
    TIME_TAKEN = "time_taken"
    SHIFT_END = "shift_end"
    SHIFT_START = "shift_start"
    BREAK = "break"
    WORTH = "worth"


RULES = tuple(Rule)
BIT = {rule: 1 << number for number, rule in enumerate(RULES)}
ALL = (1 << len(RULES)) - 1
"""Sets of rules are numbers: one bit a rule."""


def rules_in(bits: int) -> tuple[Rule, ...]:
    """The rules of a set, in their order."""
    return tuple(rule for rule in RULES if bits & BIT[rule])
