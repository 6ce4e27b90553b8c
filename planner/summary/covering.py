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
from planner.summary.domain import Deals, Met, Named, RepWeek, StateChange
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


IN_TIME, LATE, FIRST = "in time", "late", "for the first time on record"


def met_in_time(week: Material) -> list[Met]:
    """The customers who were met in the week: in time, late, and those without a visit known before.

    In time is within the cadence of the visit before, as in the figures of coverage.
    """
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for account in week.accounts.values():
        inside = [day for day in account.visits if week.first <= day <= week.last]
        if not inside:
            continue
        before = [day for day in account.visits if day < inside[0]]
        how = (IN_TIME if (inside[0] - before[-1]).days <= account.cadence_days else LATE) if before else FIRST
        text = f"{inside[0]:%a %-d %b}"
        entry = Named(RecordKind.ACCOUNT, account.account_id, account.name, week.rep_name(account.rep_id), text)
        found[how].append(entry)
    return [
        Met(how, sorted(found[how], key=lambda entry: (entry.rep, entry.name)))
        for how in (IN_TIME, LATE, FIRST)
        if found[how]
    ]


def states_on(week: Material) -> date | None:
    """Of which day the states are told: of the coverage's for the week that goes on and the one before, so that they
    are those of the coverage's own page; of earlier weeks of their last day. None where nothing is known."""
    if week.coverage is None or week.last < week.first:
        return None
    as_of = week.coverage.as_of
    return as_of if as_of - week.last <= A_WEEK else week.last


def state_changes(week: Material) -> tuple[list[StateChange], int]:
    """How many customers are in each state, and how many more than seven days before, with how many of them cannot be
    compared.

    A customer whose first known visit came in between was in no state that anybody knows: it counts among what is, and
    in no change. Where most of those visited in between are such, no change is told: it would be of the others alone.
    """
    on = states_on(week)
    if week.coverage is None or on is None:
        return [], 0
    now: Counter[CoverageState] = Counter()
    change: Counter[CoverageState] = Counter()
    mended = uncompared = 0
    for account in week.coverage.accounts:
        here = account.state if on == week.coverage.as_of else state_on(account, on)
        then = state_on(account, on - A_WEEK)
        if here is not None:
            now[here] += 1
        if here is None or then is None:
            uncompared += 1
            continue
        mended += any(on - A_WEEK < day <= on for day in account.visits)
        change[here] += 1
        change[then] -= 1
    told = [state for state in CoverageState if now[state] or change[state]]
    known = uncompared <= mended
    return [StateChange(state, now[state], change[state] if known else None) for state in told], uncompared


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
