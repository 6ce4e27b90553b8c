"""What a week covered: visits made of those planned, customers met in time, states against a week ago, deals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from planner.coverage.domain import CoverageState
from planner.coverage.standing import state_on
from planner.domain import RecordKind
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.handoffs.domain import HandoffEvent
from planner.summary.domain import Deals, Named, RepWeek, StateChange
from planner.summary.material import Material

DEALS: Mapping[str, str] = {
    "handed_off": "Handed off",
    "visited": "Visited",
    "proposed": "Proposals",
    "won": "Won",
    "lost": "Lost",
    "rejected": "Rejected by the field",
    "returned": "Returned to inside sales",
}
"""What is told of opportunities, by the code of the event."""

A_WEEK = timedelta(days=7)


def is_met(visit: FieldVisit | None) -> bool:
    """Whether somebody met the customer, as a report says."""
    return visit is not None and visit.disposition is Disposition.MET


def rep_weeks(week: Material) -> list[RepWeek]:
    """Each rep's visits and hours, by name; those who had no days and have no customers are left out."""
    planned: Counter[str] = Counter()
    made: Counter[str] = Counter()
    besides: Counter[str] = Counter()
    for key in week.days:
        ids, visits = week.ids(key), week.visits.get(key, {})
        planned[key[0]] += len(ids)
        made[key[0]] += sum(is_met(visits.get(id_)) for id_ in ids)
        besides[key[0]] += sum(is_met(visit) for id_, visit in visits.items() if id_ not in ids)
    hours = {rep.rep_id: (rep.needed, rep.there) for rep in week.coverage.reps} if week.coverage else {}
    told = [
        RepWeek(rep.id, rep.name, planned[rep.id], made[rep.id], besides[rep.id], *hours.get(rep.id, (None, None)))
        for rep in week.reps.values()
    ]
    return sorted(
        (each for each in told if each.planned or each.besides or each.needed),
        key=lambda each: (each.name, each.rep_id),
    )


def met_in_time(week: Material) -> tuple[int, int, int]:
    """Of the customers who were met in the week, how many were in time, late, and without a visit known before.

    In time is within the cadence of the visit before, as in the figures of coverage.
    """
    counts: Counter[bool | None] = Counter()
    for account in week.accounts.values():
        inside = [day for day in account.visits if week.first <= day <= week.last]
        if not inside:
            continue
        before = [day for day in account.visits if day < inside[0]]
        counts[(inside[0] - before[-1]).days <= account.cadence_days if before else None] += 1
    return counts[True], counts[False], counts[None]


def state_changes(week: Material) -> list[StateChange]:
    """How many customers were in each state at the end of the week's last day, and seven days before.

    What is counted now is as of the coverage at the latest: what is planned after that has not happened.
    """
    if week.coverage is None or week.last < week.first:
        return []
    end = min(week.last, week.coverage.as_of - timedelta(days=1))
    now: Counter[CoverageState] = Counter()
    before: Counter[CoverageState] = Counter()
    for account in week.coverage.accounts:
        here, then = state_on(account, end), state_on(account, end - A_WEEK)
        if here is not None and then is not None:
            now[here] += 1
            before[then] += 1
    return [StateChange(state, now[state], before[state]) for state in CoverageState if now[state] or before[state]]


def deals_of(week: Material) -> list[Deals]:
    """The opportunities to which something happened, each once, those worth most first."""
    found: defaultdict[str, dict[str, HandoffEvent]] = defaultdict(dict)
    for event in week.events:
        if event.action in DEALS:
            found[event.action][event.opportunity_id] = event
    return [Deals(DEALS[action], _named(week, [*found[action].values()])) for action in DEALS if found[action]]


def _named(week: Material, events: Sequence[HandoffEvent]) -> list[Named]:
    deals = [(week.deals[event.opportunity_id], event) for event in events]
    return [
        Named(RecordKind.OPPORTUNITY, deal.id, deal.name, value=deal.value, text=event.text)
        for deal, event in sorted(deals, key=lambda each: (-each[0].value, each[0].name, each[0].id))
    ]


def last_whole_week(today: date) -> date:
    """The Monday of the week before the present one."""
    return today - timedelta(days=today.weekday() + 7)
