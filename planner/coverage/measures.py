"""The register of figures: what each is called and means, which customers it counts, and what rows it is told in.

A figure of customers is a count of those that belong to it, or a sum over them: whoever asks gets the same customers as
a list, so that the two cannot differ. Every customer is in exactly one row of each group, so that rows add up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from operator import attrgetter

from planner.candidates import Reason
from planner.coverage.domain import AccountCover, Coverage, CoverageState, RepCapacity
from planner.coverage.planned import REASON_WORDS
from planner.errors import NotFoundError

PERIOD_DAYS = 91
"""A quarter: so far back it is asked whether visits came in time, that C customers have one in it."""

Belongs = Callable[[AccountCover, Coverage], bool]


class Group(StrEnum):
    """What figures are told by."""

    AREA = "area"
    REP = "rep"
    SEGMENT = "segment"
    TERRITORY = "territory"
    REASON = "reason"
    """Why a due customer has no visit in the plan; empty for all others."""


_VALUE: Mapping[Group, Callable[[AccountCover], str]] = {
    Group.AREA: lambda account: "",
    Group.REP: attrgetter("rep_id"),
    Group.SEGMENT: attrgetter("segment"),
    Group.TERRITORY: attrgetter("territory_id"),
    Group.REASON: attrgetter("unreached"),
}


class Unit(StrEnum):
    """What a figure is counted in."""

    CUSTOMERS = "customers"
    DAYS = "days"
    VISITS = "visits"
    HOURS = "hours"
    """A month."""
    HOURS_ONCE = "hours_once"
    SHARE = "share"
    """0 to 1, and more where more is needed than there is."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure.

    Attributes:
        definition: what stands beside the number, in one or two sentences.
        belongs: whether a customer is in the list behind it.
        amount: what each of them adds; None for a count of them.
        of_rep: what each rep adds, where it is a figure of reps; the list is of the customers who take the hours.
        of_row: computed from the other figures of a row, such as a share; then it does not add up.
        only_reps: it is told by area and by rep only.
    """

    key: str
    title: str
    definition: str
    unit: Unit
    belongs: Belongs
    amount: Callable[[AccountCover], float] | None = None
    of_rep: Callable[[RepCapacity], float] | None = None
    of_row: Callable[[Mapping[str, float | None]], float | None] | None = None
    only_reps: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether the rows of a group add up to the area's figure."""
        return self.of_row is None

    def told_by(self, by: Group) -> bool:
        """Whether there is such a figure in the rows of a group."""
        return by in (Group.AREA, Group.REP) or not self.only_reps


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one rep, segment, territory, …

    Attributes:
        value: its id; empty for nobody's, no segment, no territory, and for the whole area.
        label: what it is called.
        figures: by the key of the measure; None where there is nothing to divide by.
    """

    value: str
    label: str
    figures: Mapping[str, float | None]


def _is(state: CoverageState) -> Belongs:
    return lambda account, coverage: account.state is state


def _takes_hours(account: AccountCover, coverage: Coverage) -> bool:
    return account.visits_a_month > 0


def due_by(account: AccountCover, day: date) -> bool:
    return account.due_on is not None and account.due_on <= day


def _is_behind(account: AccountCover, coverage: Coverage) -> bool:
    return account.visits_a_month > 0 and due_by(account, coverage.as_of)


def kept_in_time(account: AccountCover, as_of: date) -> bool | None:
    """Whether the last visit of the period came within the cadence of the one before it.

    None where there was none in the period, or none before it is known.
    """
    if len(account.visits) < 2 or account.visits[-1] < as_of - timedelta(days=PERIOD_DAYS):
        return None
    return (account.visits[-1] - account.visits[-2]).days <= account.cadence_days


def _share(part: str, *whole: str) -> Callable[[Mapping[str, float | None]], float | None]:
    def of(figures: Mapping[str, float | None]) -> float | None:
        total = sum(figures[key] or 0.0 for key in whole)
        return (figures[part] or 0.0) / total if total else None

    return of


_ALL = (
    Measure(
        "customers",
        "Customers",
        "All customers on record.",
        Unit.CUSTOMERS,
        lambda account, coverage: True,
    ),
    Measure(
        "visited",
        "Looked after",
        "Seen within their cadence: nothing is due today. The cadence is the customer's own, or else their segment's.",
        Unit.CUSTOMERS,
        _is(CoverageState.VISITED),
    ),
    Measure(
        "due",
        "Due",
        "Their cadence has run out, by less than a quarter of it; or nobody has ever visited them.",
        Unit.CUSTOMERS,
        _is(CoverageState.DUE),
    ),
    Measure(
        "overdue",
        "Overdue",
        "Their cadence has run out by a quarter of it or more.",
        Unit.CUSTOMERS,
        _is(CoverageState.OVERDUE),
    ),
    Measure(
        "dormant",
        "Dormant",
        "They used to buy and have stopped: inside sales calls them, nobody drives there, and no hours are counted.",
        Unit.CUSTOMERS,
        _is(CoverageState.DORMANT),
    ),
    Measure(
        "no_place",
        "No place",
        "Their address is not located, so that nobody can be sent. The hours they need are counted all the same.",
        Unit.CUSTOMERS,
        _is(CoverageState.NO_PLACE),
    ),
    Measure(
        "never_visited",
        "Never visited",
        "No visit is known, neither imported nor reported.",
        Unit.CUSTOMERS,
        lambda account, coverage: not account.visits and account.state is not CoverageState.DORMANT,
    ),
    Measure(
        "overdue_days",
        "Days overdue",
        "The days since the cadence ran out, of all customers of whom it has, added up.",
        Unit.DAYS,
        lambda account, coverage: account.overdue_days > 0,
        amount=lambda account: account.overdue_days,
    ),
    Measure(
        "in_time",
        "Visited in time",
        f"Their last visit was in the last {PERIOD_DAYS} days and came within the cadence of the visit before it.",
        Unit.CUSTOMERS,
        lambda account, coverage: kept_in_time(account, coverage.as_of) is True,
    ),
    Measure(
        "late",
        "Visited late",
        f"Their last visit was in the last {PERIOD_DAYS} days, later than the cadence after the visit before it.",
        Unit.CUSTOMERS,
        lambda account, coverage: kept_in_time(account, coverage.as_of) is False,
    ),
    Measure(
        "in_time_share",
        "In time",
        f"How many were visited in time, of those whose last visit was in the last {PERIOD_DAYS} days and of whom the "
        "visit before it is known.",
        Unit.SHARE,
        lambda account, coverage: kept_in_time(account, coverage.as_of) is not None,
        of_row=_share("in_time", "in_time", "late"),
    ),
    Measure(
        "due_in_plan",
        "Due in the plan's days",
        "Their cadence has run out, or does by the last day of the plan that reps see.",
        Unit.CUSTOMERS,
        lambda account, coverage: due_by(account, coverage.due_until),
    ),
    Measure(
        "planned",
        "Planned",
        "They have a visit to come in the plan that reps see, due or not.",
        Unit.CUSTOMERS,
        lambda account, coverage: bool(account.planned_days),
    ),
    Measure(
        "unreached",
        "Not reached",
        "Due by the last day of the plan that reps see, and without a visit to come in it. The list says why.",
        Unit.CUSTOMERS,
        lambda account, coverage: bool(account.unreached),
    ),
    Measure(
        "no_room",
        "No room in the plan",
        "Not reached since the days of the plan that reps see are full.",
        Unit.CUSTOMERS,
        lambda account, coverage: account.unreached == Reason.NO_TIME_LEFT,
    ),
    Measure(
        "visits_a_month",
        "Visits a month",
        "What the cadences ask for, never less. A month is a twelfth of a year.",
        Unit.VISITS,
        _takes_hours,
        amount=lambda account: account.visits_a_month,
    ),
    Measure(
        "visit_hours",
        "Hours of visits",
        "Visits a month by the minutes of each, parking included.",
        Unit.HOURS,
        _takes_hours,
        amount=lambda account: account.service_minutes_a_month / 60,
    ),
    Measure(
        "drive_hours",
        "Hours of driving",
        "Between those visits and from and to the rep's home, estimated on the streets from typical weeks.",
        Unit.HOURS,
        _takes_hours,
        amount=lambda account: account.drive_minutes_a_month / 60,
    ),
    Measure(
        "behind",
        "To catch up with",
        "Their cadence has run out today, be it a day or a year ago, or nobody has ever visited them; those without a "
        "place are among them.",
        Unit.CUSTOMERS,
        _is_behind,
    ),
    Measure(
        "catch_up_hours",
        "Hours to catch up",
        "One visit to each customer of whom the cadence has run out today: once, not every month. Who has hours enough "
        "from month to month may still be behind by these.",
        Unit.HOURS_ONCE,
        _is_behind,
        amount=lambda account: (account.service_minutes + account.drive_minutes) / 60,
    ),
    Measure(
        "opportunity_hours",
        "Hours of opportunities",
        "Visits to what inside sales hands over, driving included, as often as in the last eight weeks, or since it "
        "began to where that is less.",
        Unit.HOURS,
        _takes_hours,
        of_rep=lambda rep: rep.opportunities / 60,
        only_reps=True,
    ),
    Measure(
        "hours_needed",
        "Hours needed",
        "Of visits, of driving and of opportunities together.",
        Unit.HOURS,
        _takes_hours,
        of_rep=lambda rep: rep.needed / 60,
        only_reps=True,
    ),
    Measure(
        "hours_there",
        "Hours there are",
        "Working hours of the reps less breaks, the year's public holidays left out, a twelfth of a year. Where a day "
        "may have fewer visits than fit into its hours, what so many visits take.",
        Unit.HOURS,
        _takes_hours,
        of_rep=lambda rep: rep.there / 60,
        only_reps=True,
    ),
    Measure(
        "shortfall",
        "Hours short",
        "What is missing of the hours needed, rep by rep: one rep's spare hours do not make up for another's. "
        "Customers of nobody have no hours at all.",
        Unit.HOURS,
        _takes_hours,
        of_rep=lambda rep: rep.shortfall / 60,
        only_reps=True,
    ),
    Measure(
        "spare",
        "Hours left",
        "What the reps who have enough hours have beyond those needed.",
        Unit.HOURS,
        _takes_hours,
        of_rep=lambda rep: rep.spare / 60,
        only_reps=True,
    ),
    Measure(
        "utilisation",
        "Needed of what there is",
        "Hours needed as a share of the hours there are.",
        Unit.SHARE,
        _takes_hours,
        of_row=_share("hours_needed", "hours_there"),
        only_reps=True,
    ),
)
MEASURES: Mapping[str, Measure] = {measure.key: measure for measure in _ALL}
"""Every figure by its key, in the order in which they are told."""


def measure_of(key: str) -> Measure:
    """Raises NotFoundError."""
    if key not in MEASURES:
        raise NotFoundError(f"there is no figure {key!r}")
    return MEASURES[key]


def group_of(by: str) -> Group:
    """Raises NotFoundError."""
    try:
        return Group(by)
    except ValueError:
        raise NotFoundError(f"no figures are told by {by!r}") from None


def value_of(account: AccountCover, by: Group) -> str:
    """In which row of a group an account is."""
    return _VALUE[by](account)


def listed(coverage: Coverage, key: str, by: Group = Group.AREA, value: str = "") -> list[AccountCover]:
    """The customers behind a figure, those longest overdue first.

    Raises:
        NotFoundError: there is no such figure, or none by this group.
    """
    measure = measure_of(key)
    if not measure.told_by(by):
        raise NotFoundError(f"{measure.title} is not told by {by}")
    of = _VALUE[by]
    found = [account for account in coverage.accounts if of(account) == value and measure.belongs(account, coverage)]
    return sorted(found, key=lambda account: (-account.overdue_days, account.name, account.account_id))


def figures(coverage: Coverage, by: Group = Group.AREA) -> list[Row]:
    """All figures, a row for each value of a group that there is, in the order of `labels`."""
    return figures_by(coverage, [by])[by]


def figures_by(coverage: Coverage, groups: Iterable[Group]) -> dict[Group, list[Row]]:
    """The same by several groups, which is faster than one after the other."""
    sums: dict[Group, dict[str, Mapping[str, float]]] = {by: {} for by in groups}
    for measure in MEASURES.values():
        told_by = [by for by in sums if measure.told_by(by)]
        if measure.of_rep is not None:
            for by in told_by:
                adds = ((rep.rep_id if by is Group.REP else "", measure.of_rep(rep)) for rep in coverage.reps)
                sums[by][measure.key] = _summed(adds)
        elif measure.of_row is None:
            members = [account for account in coverage.accounts if measure.belongs(account, coverage)]
            amounts = None if measure.amount is None else list(map(measure.amount, members))
            for by in told_by:
                values = map(_VALUE[by], members)
                sums[by][measure.key] = (
                    Counter(values) if amounts is None else _summed(zip(values, amounts, strict=True))
                )
    return {
        by: [_row(value, label, of, by) for value, label in labels(coverage, by).items()] for by, of in sums.items()
    }


def _summed(adds: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    total: dict[str, float] = defaultdict(float)
    for value, amount in adds:
        total[value] += amount
    return total


def _row(value: str, label: str, sums: Mapping[str, Mapping[str, float]], by: Group) -> Row:
    told = [measure for measure in MEASURES.values() if measure.told_by(by)]
    plain: dict[str, float | None] = {
        measure.key: _number(measure, sums[measure.key].get(value, 0.0)) for measure in told if measure.of_row is None
    }
    shares = {measure.key: measure.of_row(plain) for measure in told if measure.of_row is not None}
    return Row(value, label, {measure.key: (plain | shares)[measure.key] for measure in told})


def _number(measure: Measure, amount: float) -> float:
    return round(amount) if measure.unit in (Unit.CUSTOMERS, Unit.DAYS) else amount


def labels(coverage: Coverage, by: Group) -> dict[str, str]:
    """What each value of a group is called: reps and territories by name, whoever has no customers among them, segments
    and reasons by letter; what belongs to none of them comes last."""
    there = {_VALUE[by](account) for account in coverage.accounts}
    if by is Group.AREA:
        return {"": coverage.area}
    if by is Group.REP:
        return {rep.rep_id: rep.name for rep in coverage.reps}
    if by is Group.TERRITORY:
        named = {territory.territory_id: territory.name for territory in coverage.territories}
        return named | _none(there, "in no territory")
    if by is Group.SEGMENT:
        return {value: value for value in sorted(there - {""})} | _none(there, "no segment")
    return {value: REASON_WORDS.get(value, value) for value in sorted(there - {""})} | _none(
        there, "reached or not due"
    )


def _none(there: Iterable[str], label: str) -> dict[str, str]:
    return {"": label} if "" in there else {}


@dataclass(frozen=True, slots=True)
class HeldCadence:
    """Which cadence a rep's hours would hold, if they were spread evenly. It is told, and changes nothing.

    Attributes:
        cadence_days: how often the segment's customers are to be visited, on average.
        holds_days: how often the hours would let them; None where opportunities leave no hours for customers at all.
    """

    rep_id: str
    segment: str
    customers: int
    cadence_days: float
    holds_days: float | None


def held_cadences(coverage: Coverage) -> list[HeldCadence]:
    """Of each rep whose hours do not suffice, by segment: what is asked for, and what the hours would hold.

    All cadences are stretched by the same factor: visits and driving by what is left of the hours after opportunities.
    """
    short = {rep.rep_id: rep for rep in coverage.reps if rep.shortfall > 0 and rep.there > 0}
    of_segment: dict[tuple[str, str], list[AccountCover]] = defaultdict(list)
    for account in coverage.accounts:
        if account.rep_id in short and account.visits_a_month > 0:
            of_segment[account.rep_id, account.segment].append(account)
    held: list[HeldCadence] = []
    for (rep_id, segment), accounts in sorted(of_segment.items()):
        rep = short[rep_id]
        left = rep.there - rep.opportunities
        cadence = _mean_cadence(accounts)
        holds = cadence * (rep.visits + rep.driving) / left if left > 0 else None
        held.append(HeldCadence(rep_id, segment, len(accounts), cadence, holds))
    return held


def _mean_cadence(accounts: Sequence[AccountCover]) -> float:
    """Days between visits to a customer, over all of their visits."""
    return len(accounts) / sum(1 / account.cadence_days for account in accounts)
