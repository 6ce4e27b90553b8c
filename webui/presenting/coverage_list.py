"""The customers behind a figure of coverage: a page of them for people, and all of them for a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from planner.coverage.domain import AccountCover, Coverage
from planner.coverage.measures import Group, labels, listed, measure_of
from planner.coverage.planned import REASON_WORDS
from planner.exporting import Cell
from webui.presenting.coverage import GROUP_WORDS, STATES
from webui.words import count, sentence, short_day


class Order(StrEnum):
    """How a list of customers is sorted."""

    OVERDUE = "overdue"
    VALUE = "value"
    NAME = "name"
    LAST = "last"


ORDERS = {
    Order.OVERDUE: "Longest overdue",
    Order.VALUE: "Most valuable",
    Order.NAME: "Name",
    Order.LAST: "Longest unvisited",
}


@dataclass(frozen=True, slots=True)
class AccountView:
    """A customer in a list."""

    id: str
    name: str
    rep: str
    segment: str
    territory: str
    state: str
    state_label: str
    last: str
    due: str
    overdue: str
    planned: str
    why: str
    worth: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The customers behind a figure: which, how many, and those of one page."""

    title: str
    of: str
    definition: str
    number: int
    entries: tuple[AccountView, ...]
    page: int
    pages: int


EXPORTED = (
    *("account_id", "name", "segment", "rep_id", "rep", "territory", "state", "cadence_days", "last_visit", "due_on"),
    *("overdue_days", "planned_on", "planned_rep", "not_reached_because", "visits_a_month", "visit_minutes"),
    *("drive_minutes", "annual_value", "lat", "lon"),
)
"""The columns of an exported list."""


def ordered(accounts: Iterable[AccountCover], order: Order) -> list[AccountCover]:
    """Sorted for people; those that are alike by name."""
    never = date.min
    keys = {
        Order.OVERDUE: lambda account: (-account.overdue_days, account.name.casefold(), account.account_id),
        Order.VALUE: lambda account: (-account.annual_value, account.name.casefold(), account.account_id),
        Order.NAME: lambda account: (account.name.casefold(), account.account_id),
        Order.LAST: lambda account: (account.last_visit or never, account.name.casefold(), account.account_id),
    }
    return sorted(accounts, key=keys[order])


def list_view(
    coverage: Coverage, key: str, by: Group, value: str, order: Order, page: int, on_a_page: int
) -> ListView | None:
    """One page of a list; None where the list has no such page, or there is nothing of that name in the group.

    Raises:
        NotFoundError: there is no such figure, or none by this group.
    """
    names = labels(coverage, by)
    found = listed(coverage, key, by, value)
    pages = max(1, -(-len(found) // on_a_page))
    if value not in names or page > pages:
        return None
    measure = measure_of(key)
    of_what = "" if by is Group.AREA else f"{GROUP_WORDS[by]}: {names[value]}"
    shown = ordered(found, order)[(page - 1) * on_a_page :][:on_a_page]
    namer = _Names(coverage)
    return ListView(
        measure.title,
        of_what,
        measure.definition,
        len(found),
        tuple(_account_view(account, namer) for account in shown),
        page,
        pages,
    )


class _Names:
    """What ids are called."""

    def __init__(self, coverage: Coverage) -> None:
        self._reps, self._territories = labels(coverage, Group.REP), labels(coverage, Group.TERRITORY)

    def rep(self, rep_id: str) -> str:
        return self._reps.get(rep_id, rep_id)

    def territory(self, territory_id: str) -> str:
        return self._territories.get(territory_id, territory_id) if territory_id else ""


def _account_view(account: AccountCover, names: _Names) -> AccountView:
    planned = short_day(account.planned_on) if account.planned_on else ""
    if planned and account.planned_rep not in ("", account.rep_id):
        planned = f"{planned}, {names.rep(account.planned_rep)}"
    return AccountView(
        account.account_id,
        account.name,
        names.rep(account.rep_id),
        account.segment,
        names.territory(account.territory_id),
        account.state,
        STATES[account.state],
        _day(account.last_visit),
        _day(account.due_on),
        count(account.overdue_days, "day") if account.overdue_days else "",
        planned,
        account.why or sentence(REASON_WORDS.get(account.unreached, "")),
        f"{account.annual_value:,.0f}" if account.annual_value else "",
    )


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def exported(coverage: Coverage, accounts: Iterable[AccountCover]) -> list[tuple[Cell, ...]]:
    """The rows of an exported list, as `EXPORTED` has its columns."""
    names = _Names(coverage)
    return [
        (
            *(account.account_id, account.name, account.segment, account.rep_id, names.rep(account.rep_id)),
            *(names.territory(account.territory_id), account.state.value, account.cadence_days, account.last_visit),
            *(account.due_on, account.overdue_days, account.planned_on),
            names.rep(account.planned_rep) if account.planned_rep else "",
            account.why or REASON_WORDS.get(account.unreached, ""),
            *(round(account.visits_a_month, 2), account.service_minutes, round(account.drive_minutes, 1)),
            *(account.annual_value, account.lat, account.lon),
        )
        for account in accounts
    ]
