"""The cast of coverage: the town of `cast` and what is made of its customers on Monday the 30th of November 2026."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cast import MONDAY, Town, account, door, opportunity, rep

from planner.coverage.domain import AccountCover, Coverage
from planner.coverage.making import make_coverage
from planner.coverage.material import HandedOff, Material, days_met
from planner.domain import Account, Rep
from planner.plan_document import PlanDocument
from planner.planning import to_store
from planner.repository import StoredPlan
from planner.territories.domain import Territory, TerritorySource

MADE_AT = datetime(2026, 11, 30, 5, tzinfo=UTC)


def days_ago(days: int) -> date:
    return MONDAY - timedelta(days=days)


def material(
    town: Town,
    *,
    today: date = MONDAY,
    plan: PlanDocument | None = None,
    met: Mapping[str, Iterable[date]] | None = None,
    territories: Sequence[Territory] = (),
    handed_off: Sequence[HandedOff] = (),
    handoff_days: int = 56,
) -> Material:
    """What the town's coverage is made from; `met` are days of visits reported, by account."""
    snapshot = town.snapshot()
    reported = [(account_id, day) for account_id, days in (met or {}).items() for day in days]
    return Material(
        today,
        snapshot,
        None if plan is None else stored(plan),
        tuple(territories),
        days_met(snapshot.accounts, reported),
        tuple(handed_off),
        handoff_days,
    )


def stored(plan: PlanDocument) -> StoredPlan:
    return to_store(plan, MADE_AT)


def coverage_of(town: Town, **more: Any) -> Coverage:
    return make_coverage(material(town, **more), "town", town.source, town.settings)


def covers(coverage: Coverage) -> dict[str, AccountCover]:
    return {account.account_id: account for account in coverage.accounts}


def cover(town: Town, account_id: str, **more: Any) -> AccountCover:
    return covers(coverage_of(town, **more))[account_id]


def box(id_: str, west: float, east: float, rep_id: str = "") -> Territory:
    """The territory between so many minutes east of the office."""
    low, high = west / 1000, east / 1000
    ring = [[low, -1.0], [high, -1.0], [high, 1.0], [low, 1.0], [low, -1.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return Territory("town", id_, 1, id_.title(), rep_id, TerritorySource.DRAWN, geometry)


WEST, EAST = box("west", -100, 9.5, "anna"), box("east", 9.5, 100, "ben")


def mixed_town() -> Town:
    """Anna and Ben with customers in every state; some are nobody's, and Zoe, who owns one, is no rep any more."""
    town = Town()
    town.add(rep("anna"), door())
    town.add(rep("ben", work_days=frozenset({0, 1})), door(20))
    often = [("A", 7), ("B", 28), ("C", 84)]
    ago: list[int | None] = [1, 8, 9, 30, 60, 90, 120, None]
    for n, last in enumerate(ago * 3):
        segment, cadence = often[n % 3]
        owner = ("anna", "ben", "anna", "")[n % 4]
        visit = None if last is None else days_ago(last)
        town.add(
            account(f"c{n:02}", segment=segment, cadence_days=cadence, last_visit=visit, owner_rep_id=owner),
            door(n, n % 5),
        )
    town.add(account("gone", last_order=days_ago(700)), door(3))
    town.add(account("lost", last_visit=days_ago(40)), lost=True)
    town.add(account("orphan", owner_rep_id="zoe", segment=""), door(4, 4))
    return town


@cache
def mixed_coverage() -> Coverage:
    """Of the mixed town, with a plan of which Monday is today, visits of the year, two territories and handoffs."""
    town = mixed_town()
    plan = town.plan(days=2, work=1)
    town.add(account("squeezed", last_visit=days_ago(50)), door(7))
    left_out = next(entry for entry in plan["unplanned"] if entry["record_ids"] == ["orphan"])
    plan["unplanned"].append({**left_out, "record_ids": ["squeezed"], "reason": "no_time_left"})
    met = {f"c{n:02}": [days_ago(2 + n), days_ago(9 + 3 * n), days_ago(150)] for n in range(0, 24, 2)}
    deal = opportunity("mill")
    town.add(deal, door(6))
    return coverage_of(town, plan=plan, met=met, territories=[WEST, EAST], handed_off=[HandedOff(deal, "anna", 2)])


def accounts_of(town: Town) -> list[Account]:
    return [record for record in town.records if isinstance(record, Account)]


def reps_of(town: Town) -> list[Rep]:
    return [record for record in town.records if isinstance(record, Rep)]
