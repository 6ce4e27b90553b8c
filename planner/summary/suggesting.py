"""What would help, with its price in hours: chosen by rules, and each with the sums behind it.

Nothing is suggested whose arithmetic cannot be shown. Hours are those of the coverage: visits as often as the cadences
ask for, driving as estimated on the streets. What a customer's driving would be with another rep is not known; it is
taken to be that of the rep's nearest customers and the way there and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planner.candidates import Reason
from planner.coverage.domain import AccountCover, Coverage, CoverageState, RepCapacity
from planner.domain import Opportunity, RecordKind
from planner.settings import CandidateSettings
from planner.summary.domain import Named, Suggestion, SuggestionKind, hours
from routing.geo import EARTH_RADIUS_M, great_circles_m

MOST = 3
HALF_DAY = 270.0
"""Minutes that somebody may work more in half a day, driving included."""
MOST_GIVEN = 12
"""Customers in one suggestion: more than that is a realignment."""
NEAR_M = 5_000.0
"""Only customers whose nearest customer of the other rep is so near: further away the estimate is no good."""
NEIGHBOURS = 3
"""So many of the other rep's nearest customers say what driving to one costs there."""
METRES_A_MINUTE = 500.0
"""Of the way there and back: 30 km/h as the crow flies."""
LEAST_MINUTES = 60.0
"""A month; what saves or costs less is not worth a word."""
MOST_DEARER = 1.5
"""Customers are not suggested to be given away where they take so many times as much of the other rep's time."""
MOST_STRETCH = 1.25
"""A cadence is not suggested to become longer than by this: beyond it, customers are overdue."""
A_WEEK = 7

MINUTES_AN_ADDRESS = 2.0
"""What settling an address takes somebody at a desk; nobody has measured it."""
LEAST_ADDRESSES = 5

PlaceOf = Callable[[AccountCover], str]
"""Where an account is, in a word or two."""


def suggestions_of(
    coverage: Coverage, waiting: Sequence[Opportunity], settings: CandidateSettings, place_of: PlaceOf
) -> list[Suggestion]:
    """Three at most, the most pressing first: opportunities that wait for their first visit, a half day for those long
    overdue, customers given to another rep, customers of nobody, a longer cadence, addresses to settle; and if that is
    not enough, half days of other reps.

    Args:
        waiting: what the field was handed and no plan had room for.
    """
    half_days = list(_half_days(coverage, place_of))
    found = [
        *_first_visits(coverage, waiting, settings),
        *half_days[:1],
        *_give(coverage, place_of),
        *_adopt(coverage, place_of),
        *_stretch(coverage, settings),
        *_settle(coverage),
        *half_days[1:],
    ]
    return found[:MOST]


def _first_visits(
    coverage: Coverage, waiting: Sequence[Opportunity], settings: CandidateSettings
) -> Iterator[Suggestion]:
    """Time for the first visits to opportunities that no plan has room for."""
    drives = [account.drive_minutes for account in coverage.accounts if account.visits_a_month > 0]
    if not waiting or not drives:
        return
    visits = sum(deal.visit_minutes or settings.visit_minutes for deal in waiting)
    # A customer's share of the driving is of a day full of visits: one more visit is somewhere else.
    parking, drive = settings.parking_minutes * len(waiting), 2 * sum(drives) / len(drives) * len(waiting)
    total = visits + parking + drive
    yield Suggestion(
        SuggestionKind.FIRST_VISITS,
        f"Make room for first visits to {_number(len(waiting), 'opportunity', 'opportunities')} that no plan has room "
        "for.",
        f"{hours(total)} of the field, once",
        (
            f"{_number(len(waiting), 'visit')}: {hours(visits)} with the customers, {hours(parking)} of parking.",
            f"{hours(drive)} of driving: twice what a customer here takes in the mean, "
            f"{sum(drives) / len(drives):.0f} minutes, since each is a way of its own.",
        ),
        f"That time is not there for customers who are due. The opportunities are worth "
        f"{sum(deal.value for deal in waiting):,.0f}.",
        total,
        False,
        [Named(RecordKind.OPPORTUNITY, deal.id, deal.name, value=deal.value) for deal in waiting],
    )


def _half_days(coverage: Coverage, place_of: PlaceOf) -> Iterator[Suggestion]:
    """Of each rep with overdue customers in no plan, where most is at stake first."""
    overdue: dict[str, list[AccountCover]] = {}
    working = {rep.rep_id: rep for rep in coverage.reps if rep.there > 0}
    for account in coverage.accounts:
        waits = account.state is CoverageState.OVERDUE and not account.planned_days and account.lat is not None
        if waits and account.rep_id in working:
            overdue.setdefault(account.rep_id, []).append(account)
    for rep_id in sorted(overdue, key=lambda rep_id: (-_pressing(overdue[rep_id]), working[rep_id].name, rep_id)):
        yield _half_day(working[rep_id], overdue[rep_id], place_of)


def _half_day(rep: RepCapacity, theirs: Sequence[AccountCover], place_of: PlaceOf) -> Suggestion:
    """A half day for the overdue customers around the first of them: of the highest segment first, then the nearest.
    The first is visited however long that takes."""
    first = min(theirs, key=_rank)
    away = _metres(first, theirs)
    order = sorted(
        range(len(theirs)),
        key=lambda at: (theirs[at] is not first, _segment(theirs[at]), away[at], theirs[at].account_id),
    )
    chosen: list[AccountCover] = []
    spent = 0.0
    for at in order:
        visit = theirs[at].service_minutes + theirs[at].drive_minutes
        if theirs[at] is first or (away[at] <= 4 * NEAR_M and spent + visit <= HALF_DAY):
            chosen.append(theirs[at])
            spent += visit
    service = sum(account.service_minutes for account in chosen)
    full = sum(account.unreached == Reason.NO_TIME_LEFT for account in chosen)
    extra = full > 0 or rep.spare < spent
    if rep.spare < spent:
        loses = f"{rep.name} needs {hours(rep.needed)} a month and has {hours(rep.there)}: it comes on top of them."
    elif full:
        loses = (
            f"The days of the present plan are too full for {_number(full, 'customer')} of these: it comes on top of "
            f"them. From month to month {rep.name} has {hours(rep.spare)} left."
        )
    else:
        loses = f"{rep.name} has {hours(rep.spare)} a month left for it."
    return Suggestion(
        SuggestionKind.HALF_DAY,
        f"{'An extra' if extra else 'A'} half day of {rep.name} next week would visit {_them(chosen)} around "
        f"{place_of(first)} that {'is' if len(chosen) == 1 else 'are'} overdue and in no plan.",
        f"{hours(spent)} of {rep.name}, once",
        (
            f"{_number(len(chosen), 'visit')}: {hours(service)} with the customers and {hours(spent - service)} of "
            "driving, as much to each as in a typical week.",
            f"The one that waits longest is {max(a.overdue_days for a in chosen)} days overdue; together they are "
            f"worth {sum(a.annual_value for a in chosen):,.0f} a year.",
        ),
        loses,
        spent,
        False,
        [_named(account, rep.name, f"{account.overdue_days} days overdue") for account in chosen],
        rep.rep_id,
    )


def _give(coverage: Coverage, place_of: PlaceOf) -> Iterator[Suggestion]:
    """Customers of the rep whose hours are shortest, who live among those of a rep with hours left, to that rep."""
    short = (rep for rep in coverage.reps if rep.there > 0 and rep.shortfall > 0)
    for rep in sorted(short, key=lambda rep: (-rep.shortfall, rep.rep_id))[:MOST]:
        deals = (deal for deal in _deals(coverage, rep, rep.shortfall) if deal.costs <= MOST_DEARER * deal.saves)
        best = max(deals, key=lambda deal: (deal.saves - deal.costs, deal.taker.rep_id), default=None)
        if best is None:
            continue
        taker = best.taker
        yield Suggestion(
            SuggestionKind.GIVE,
            f"Give {_number(len(best.accounts), 'customer')} around {place_of(best.accounts[0])} from {rep.name} to "
            f"{taker.name}.",
            f"saves {rep.name} {hours(best.saves)} a month, costs {taker.name} {hours(best.costs)}",
            (
                best.visits_line,
                f"{rep.name}: {hours(best.service)} of visits and {hours(best.saves - best.service)} of driving a "
                "month, as estimated on the streets.",
                best.taker_line,
                f"{rep.name} is {hours(rep.shortfall)} short now; {taker.name} has {hours(taker.spare)} left.",
            ),
            f"{_number(len(best.accounts), 'customer')} would have another rep than the one they know.",
            best.costs - best.saves,
            True,
            [_named(account, rep.name) for account in best.accounts],
            rep.rep_id,
        )
        return


def _adopt(coverage: Coverage, place_of: PlaceOf) -> Iterator[Suggestion]:
    """Customers whom nobody looks after, to the rep with hours left who lives among them."""
    for nobody in (rep for rep in coverage.reps if rep.there == 0 and rep.needed > 0):
        deals = _deals(coverage, nobody, nobody.needed)
        best = max(deals, key=lambda deal: (len(deal.accounts), deal.taker.rep_id), default=None)
        if best is None:
            continue
        taker = best.taker
        yield Suggestion(
            SuggestionKind.ADOPT,
            f"Give {_number(len(best.accounts), 'customer')} around {place_of(best.accounts[0])} whom nobody looks "
            f"after to {taker.name}.",
            f"costs {taker.name} {hours(best.costs)} a month",
            (best.visits_line, best.taker_line, f"{taker.name} has {hours(taker.spare)} a month left."),
            "Nobody loses a customer; the hours are not there for anything else any more.",
            best.costs,
            True,
            [_named(account, "") for account in best.accounts],
            nobody.rep_id,
        )
        return


def _stretch(coverage: Coverage, settings: CandidateSettings) -> Iterator[Suggestion]:
    """A longer cadence for the segment that is visited least, as long as it takes for the hours, within bounds.

    Only customers with their segment's cadence are counted: those with one of their own keep it.
    """
    short = {rep.rep_id: rep for rep in coverage.reps if rep.there > 0 and rep.shortfall > 0}
    missing = sum(rep.shortfall for rep in short.values())
    if not missing:
        return
    for segment, old in sorted(settings.cadence_days.items(), key=lambda each: (-each[1], each[0])):
        its = [
            account
            for account in coverage.accounts
            if account.segment == segment and account.cadence_days == old and account.visits_a_month > 0
        ]
        now = sum(account.minutes_a_month for account in its)
        tight = sum(account.minutes_a_month for account in its if account.rep_id in short)
        if tight < LEAST_MINUTES:
            continue
        enough = old / (1 - missing / tight) if missing < tight else old * MOST_STRETCH
        new = min(_weeks_up(enough), _weeks_down(old * MOST_STRETCH))
        share = 1 - old / new if new > old else 0.0
        if now * share < LEAST_MINUTES:
            continue
        yield Suggestion(
            SuggestionKind.STRETCH,
            f"Visit customers of segment {segment} every {new} days rather than every {old}.",
            f"saves {hours(now * share)} a month, {hours(tight * share)} of that where hours are short",
            (
                f"{_number(len(its), 'customer')} of the segment take {hours(now)} a month, {hours(tight)} of that of "
                f"{_names(short)}, whose hours do not suffice.",
                f"{old} ÷ {new} of the visits are left: {share:.0%} less of visits and driving.",
                f"{hours(missing)} a month are missing.",
            ),
            f"Each of them is visited {365.25 / new:.1f} times a year rather than {365.25 / old:.1f}. You decide that: "
            "fieldvisit stretches no cadence by itself.",
            -now * share,
            True,
            [],
        )
        return


def _settle(coverage: Coverage) -> Iterator[Suggestion]:
    """Addresses that nobody has located: until somebody settles them, nobody is sent."""
    lost = [account for account in coverage.accounts if account.state is CoverageState.NO_PLACE]
    if len(lost) < LEAST_ADDRESSES:
        return
    service = sum(account.service_minutes_a_month for account in lost)
    minutes = len(lost) * MINUTES_AN_ADDRESS
    yield Suggestion(
        SuggestionKind.SETTLE,
        f"Settle the addresses of {_number(len(lost), 'customer')} without a place: nobody is sent there until then.",
        f"{hours(minutes)} at a desk, once",
        (
            f"{_number(len(lost), 'address', 'addresses')}, taken to be {MINUTES_AN_ADDRESS:.0f} minutes each.",
            f"Visits to them then take {hours(service)} a month as their cadences ask for, driving not counted.",
            f"They are worth {sum(account.annual_value for account in lost):,.0f} a year.",
        ),
        "It takes no time of the field.",
        minutes,
        False,
        [_named(account, "") for account in sorted(lost, key=_rank)],
    )


# ---- one rep's customers with another


@dataclass(frozen=True, slots=True)
class _Deal:
    """Some customers with another rep: what that saves and costs a month, in minutes."""

    taker: RepCapacity
    accounts: Sequence[AccountCover]
    service: float
    saves: float
    costs: float

    @classmethod
    def of(
        cls, theirs: Sequence[AccountCover], others: Sequence[AccountCover], taker: RepCapacity, enough: float
    ) -> _Deal | None:
        """The customers nearest to the taker's, around the nearest of them, until there is `enough` or no hours are
        left; None where that is nothing to speak of."""
        away, nearest = _nearest(theirs, others)
        drive = np.array([account.drive_minutes for account in others])[nearest].mean(axis=1)
        drive += 2 * away / METRES_A_MINUTE
        costs = [
            account.visits_a_month * (account.service_minutes + float(minutes))
            for account, minutes in zip(theirs, drive, strict=True)
        ]
        near = np.flatnonzero(away <= NEAR_M).tolist()
        if not near:
            return None
        first = min(near, key=lambda at: (costs[at] - theirs[at].minutes_a_month, theirs[at].account_id))
        around = _metres(theirs[first], theirs)
        chosen: list[int] = []
        saved = spent = 0.0
        for at in sorted(near, key=lambda at: (around[at], theirs[at].account_id)):
            if len(chosen) == MOST_GIVEN or saved >= enough or around[at] > 2 * NEAR_M:
                break
            if spent + costs[at] <= taker.spare:
                chosen.append(at)
                saved += theirs[at].minutes_a_month
                spent += costs[at]
        accounts = [theirs[at] for at in chosen]
        if saved < LEAST_MINUTES:
            return None
        service = sum(account.service_minutes_a_month for account in accounts)
        return cls(taker, accounts, service, saved, spent)

    @property
    def visits_line(self) -> str:
        visits = sum(account.visits_a_month for account in self.accounts)
        return f"{_number(len(self.accounts), 'customer')}, {visits:.1f} visits a month as their cadences ask for."

    @property
    def taker_line(self) -> str:
        return (
            f"{self.taker.name}: {hours(self.service)} of visits and {hours(self.costs - self.service)} of driving a "
            f"month, as at the {NEIGHBOURS} nearest customers of {self.taker.name}, and the way there and back."
        )


def _deals(coverage: Coverage, giver: RepCapacity, enough: float) -> Iterator[_Deal]:
    """What each rep with hours left could take of a rep's customers."""
    of_rep: dict[str, list[AccountCover]] = {}
    for account in coverage.accounts:
        if account.lat is not None and account.visits_a_month > 0:
            of_rep.setdefault(account.rep_id, []).append(account)
    theirs = of_rep.get(giver.rep_id, [])
    for taker in coverage.reps:
        others = of_rep.get(taker.rep_id, [])
        able = taker.rep_id != giver.rep_id and taker.spare >= LEAST_MINUTES and len(others) >= NEIGHBOURS
        if able and theirs and (deal := _Deal.of(theirs, others, taker, enough)) is not None:
            yield deal


def _nearest(
    some: Sequence[AccountCover], others: Sequence[AccountCover]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Of each of `some` the metres to the nearest of the others, and which the NEIGHBOURS nearest of them are."""
    through, who = cKDTree(_on_the_globe(others)).query(_on_the_globe(some), k=NEIGHBOURS)
    straight = np.minimum(through[:, 0] / (2 * EARTH_RADIUS_M), 1.0)
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(straight)
    return metres, who


def _on_the_globe(accounts: Sequence[AccountCover]) -> NDArray[np.float64]:
    """n × 3 metres from the middle of the earth: who is nearest through it is nearest on it."""
    lat, lon = np.radians(_degrees(accounts)).T
    return EARTH_RADIUS_M * np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _metres(one: AccountCover, others: Sequence[AccountCover]) -> NDArray[np.float64]:
    """As the crow flies."""
    return great_circles_m(_degrees([one]), _degrees(others))


def _degrees(accounts: Sequence[AccountCover]) -> NDArray[np.float64]:
    return np.array([(account.lat, account.lon) for account in accounts], dtype=np.float64)


# ---- words


def _pressing(accounts: Sequence[AccountCover]) -> float:
    """How much is at stake: the value of those of the highest segment among them counts."""
    best = min(_segment(account) for account in accounts)
    return sum(account.annual_value + 1 for account in accounts if _segment(account) == best)


def _rank(account: AccountCover) -> tuple[str, float, int, str]:
    return _segment(account), -account.annual_value, -account.overdue_days, account.account_id


def _segment(account: AccountCover) -> str:
    """A before B; what has no segment comes last."""
    return account.segment or "\U0010ffff"


def _them(accounts: Sequence[AccountCover]) -> str:
    best = min(_segment(account) for account in accounts)
    number = sum(_segment(account) == best for account in accounts)
    if number == len(accounts) and accounts[0].segment:
        return _number(number, f"{best} customer")
    told = _number(len(accounts), "customer")
    return f"{told}, {number} of them {best}," if best and accounts[0].segment else told


def _number(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _names(reps: Mapping[str, RepCapacity]) -> str:
    names = sorted(rep.name for rep in reps.values())
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _named(account: AccountCover, rep: str, text: str = "") -> Named:
    return Named(RecordKind.ACCOUNT, account.account_id, account.name, rep, text, account.annual_value)


def _weeks_up(days: float) -> int:
    return -int(-days // A_WEEK) * A_WEEK


def _weeks_down(days: float) -> int:
    return int(days // A_WEEK) * A_WEEK
