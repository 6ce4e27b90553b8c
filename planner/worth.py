"""What a visit is worth, in minutes of a rep's time: the most driving it may add before it is left out.

    worth = (base + doubling × log2(1 + expected value ÷ unit)) × urgency

* base: `opportunity_minutes` (240) for a handed-off opportunity, so that no ordinary customer outranks one however
  overdue; by segment for an account (A 60, B 40, C 25)
* expected value: value × probability of an opportunity; of an account, what it buys between two visits
  (annual value × cadence ÷ 365)
* doubling: minutes (10) for each doubling of the expected value above one unit (1,000 of the currency), so that a
  deal ten times as large does not count for ten visits
* urgency: for an account the time since its last visit ÷ its cadence, at most 3: 1 on the day that it falls due, 0.6
  for one that only rides along, 2 when a whole cadence overdue, and 2 for one never visited; 1 for an opportunity

An opportunity whose deadline has passed is worth a day (1,440 minutes) more, less up to four hours for each day that
it waits on, but never less than without: it is planned first, and as early as it can be. A promise has no worth: it
is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from planner.domain import Account, Opportunity
from planner.settings import WorthSettings

NEVER_VISITED_URGENCY = 2.0


@dataclass(frozen=True, slots=True)
class Worth:
    """Minutes, and how they came about as a phrase for a person."""

    minutes: int
    because: str


def _value_minutes(expected_value: float, settings: WorthSettings) -> float:
    return settings.doubling_minutes * math.log2(1 + expected_value / settings.value_unit)


def opportunity_worth(opportunity: Opportunity, late: bool, settings: WorthSettings) -> Worth:
    """Worth of the first visit to a handed-off opportunity."""
    expected = opportunity.value * opportunity.probability
    value = _value_minutes(expected, settings)
    because = f"{settings.opportunity_minutes:.0f} for a handoff, {value:.0f} for an expected {expected:,.0f}"
    minutes = settings.opportunity_minutes + value
    if late:
        minutes += settings.late_minutes
        because += f", {settings.late_minutes:,.0f} because its deadline has passed"
    return Worth(round(minutes), because)


def account_worth(account: Account, cadence_days: int, on: date, settings: WorthSettings) -> Worth:
    """Worth of a visit to an account on a day, by its segment, what it buys and how long ago the last visit was."""
    base = settings.segment_minutes.get(account.segment, settings.other_segment_minutes)
    expected = account.annual_value * cadence_days / 365
    value = _value_minutes(expected, settings)
    if account.last_visit is None:
        urgency = NEVER_VISITED_URGENCY
    else:
        urgency = min(settings.most_urgent, max(0.0, (on - account.last_visit).days / cadence_days))
    because = (
        f"{base:.0f} for segment {account.segment or '–'}, {value:.0f} for {expected:,.0f} between two visits, "
        f"× {urgency:.2f} for the time since the last one"
    )
    return Worth(round((base + value) * urgency), because)
