"""The weekly summary as it is read and printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from planner.domain import RecordKind
from planner.mailing.weekly import STATE_WORDS
from planner.summary.domain import Named, RepWeek, Slip, Suggestion, SuggestionKind, WeeklySummary, hours
from webui.words import count, sentence, short_day, span_of_days

ON_PAPER = 4
"""Of so many names behind a number paper tells."""
SHOWN = 200

LinkOf = Callable[[Named], str]
"""Where a customer or an opportunity is looked at; empty where the viewer may not."""


@dataclass(frozen=True, slots=True)
class NamedView:
    """Somebody in a list; `text` is what there is to say."""

    name: str
    rep: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class ListView:
    """A number, what it counts, and who is behind it: all to open, the first on paper."""

    number: int
    what: str
    value: str
    entries: Sequence[NamedView]
    more: int
    on_paper: str


@dataclass(frozen=True, slots=True)
class RepRow:
    """A rep's week; `thousandths` are of the hours there are, or of those needed where that is more."""

    name: str
    visits: str
    besides: int
    hours: str
    short: str
    spare: str
    needed_thousandths: int
    there_thousandths: int


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """Something that would help; `link` says what it leads to."""

    title: str
    price: str
    sums: Sequence[str]
    loses: str
    who: ListView | None
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class SummaryView:
    """A week.

    Attributes:
        states: key, words, how many, and the difference to seven days before, empty where not known; `states_on`
            is their day, `present` whether they are those of the page of coverage, whose lists then are theirs.
        uncompared: what to say of those of whom the difference is not known.
    """

    title: str
    until: str
    planned: int
    made: int
    besides: int
    met: int
    met_by: Sequence[ListView]
    short: str
    states: Sequence[tuple[str, str, int, str]]
    states_on: str
    present: bool
    uncompared: str
    reps: Sequence[RepRow]
    deals: Sequence[ListView]
    slips: Sequence[tuple[str, int, Sequence[ListView]]]
    suggestions: Sequence[SuggestionView]
    notes: Sequence[str]
    as_of: str
    before: date
    after: date | None


def summary_view(
    week: WeeklySummary, today: date, link_of: LinkOf, suggested: Callable[[Suggestion], tuple[str, str]]
) -> SummaryView:
    """Args:
    link_of: the address of a customer or an opportunity.
    suggested: the address that a suggestion leads to, and what that is called; empty for nowhere.
    """
    after = week.monday + timedelta(days=7)
    return SummaryView(
        title=span_of_days(week.monday, week.sunday),
        until=f"until {week.last:%A}" if week.monday <= week.last < week.sunday else "",
        planned=week.planned,
        made=week.made,
        besides=week.besides,
        met=week.met,
        met_by=[list_view(each.how, each.entries, link_of) for each in week.met_by],
        short=hours(week.short) if week.short else "",
        states=[
            (change.state.value, sentence(STATE_WORDS[change.state]), change.now, _signed(change.change))
            for change in week.states
        ],
        states_on=short_day(week.states_on) if week.states_on else "",
        present=week.states_on is not None and week.states_on == week.as_of,
        uncompared=_uncompared(week),
        reps=[_rep(rep) for rep in week.reps],
        deals=[list_view(deals.what, deals.entries, link_of, f"{deals.value:,.0f}") for deals in week.deals],
        slips=[_about(about, list(slips), link_of) for about, slips in groupby(week.slips, lambda slip: slip.about)],
        suggestions=[_suggestion(each, link_of, suggested) for each in week.suggestions],
        notes=week.notes,
        as_of=f"{week.as_of:%a} {week.as_of.day} {week.as_of:%b}" if week.as_of else "",
        before=week.monday - timedelta(days=7),
        after=after if after <= today else None,
    )


def list_view(what: str, entries: Sequence[Named], link_of: LinkOf, value: str = "") -> ListView:
    names = [entry.name for entry in entries[:ON_PAPER]]
    more = f" and {len(entries) - ON_PAPER} more" if len(entries) > ON_PAPER else ""
    return ListView(
        len(entries),
        what,
        value,
        [NamedView(entry.name, entry.rep, entry.text, link_of(entry)) for entry in entries[:SHOWN]],
        max(0, len(entries) - SHOWN),
        f"{', '.join(names)}{more}",
    )


def _about(about: str, slips: Sequence[Slip], link_of: LinkOf) -> tuple[str, int, Sequence[ListView]]:
    lists = [list_view(slip.reason, slip.entries, link_of) for slip in slips]
    return about, sum(each.number for each in lists), lists


def _rep(rep: RepWeek) -> RepRow:
    visits = f"{rep.made:,} of {rep.planned:,}"
    if rep.needed is None or rep.there is None:
        return RepRow(rep.name, visits, rep.besides, "", "", "", 0, 0)
    most = max(rep.needed, rep.there) or 1.0
    spare = max(0.0, rep.there - rep.needed)
    return RepRow(
        rep.name,
        visits,
        rep.besides,
        f"{hours(rep.needed)} of {hours(rep.there)}",
        hours(rep.short) if rep.short else "",
        hours(spare) if spare else "",
        round(1000 * rep.needed / most),
        round(1000 * rep.there / most),
    )


def _suggestion(
    each: Suggestion, link_of: LinkOf, suggested: Callable[[Suggestion], tuple[str, str]]
) -> SuggestionView:
    what = "customers" if all(map(is_customer, each.accounts)) else "opportunities"
    who = list_view(what, each.accounts, link_of) if each.accounts else None
    return SuggestionView(each.title, each.price, each.sums, each.loses, who, *suggested(each))


def _uncompared(week: WeeklySummary) -> str:
    """Of how many it is not known how they were seven days before."""
    if not week.uncompared:
        return ""
    most = any(change.change is None for change in week.states)
    told = f"How {count(week.uncompared, 'customer')} stood seven days before is not known"
    return (
        f"{told}, most of those visited since: there is no comparison." if most else f"{told}: no change counts them."
    )


def _signed(number: int | None) -> str:
    """'+3', '−2', '±0'; empty where it is not known."""
    if number is None:
        return ""
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{abs(number):,}"


LINKS: Mapping[SuggestionKind, str] = {
    SuggestionKind.FIRST_VISITS: "All that are not planned",
    SuggestionKind.HALF_DAY: "All that are overdue there",
    SuggestionKind.GIVE: "Try it out as a scenario",
    SuggestionKind.ADOPT: "All that nobody looks after",
    SuggestionKind.STRETCH: "Try it out as a scenario",
    SuggestionKind.SETTLE: "Settle addresses",
}


def is_customer(entry: Named) -> bool:
    return entry.kind is RecordKind.ACCOUNT
