"""Whatever the records say, there is a plan that keeps every rule; whatever a file says, there is an answer."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from cast import Town, account, door, opportunity, rep

from planner.domain import Address
from planner.errors import PlannerError
from planner.plan_document import read_plan

ZONES = ("Europe/London", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe", "America/Havana")
FRIDAYS = (date(2026, 3, 6), date(2026, 3, 27), date(2026, 10, 23), date(2026, 10, 30), date(2026, 11, 27))
"""Most of them before the clocks change somewhere."""
HOURS = (
    *("", "", "", "24/7", "off", "Mo-Fr 09:00-12:00,13:00-17:00", "Tu 10:00-10:20"),
    *("Mo-Su 18:00-02:00", "Su 00:00-01:30", "Sa-Su 01:00-04:00"),
)


def any_town(chance: random.Random, first_day: date) -> Town:
    """A few reps, customers and opportunities with all that can be odd about them, some across the river."""
    town = Town()
    doors = [door(chance.choice([0, 4, 9, 30, 1001]), chance.randint(0, 20)) for _ in range(12)]
    zones = chance.sample(ZONES, 2)
    for n in range(chance.randint(2, 4)):
        anybody = rep(
            f"r{n}",
            start_address=Address(f"{n} Park"),
            timezone=chance.choice(zones),
            work_days=frozenset(chance.sample(range(7), chance.randint(3, 7))),
            work_start=time(chance.choice([0, 6, 9, 11])),
            work_end=time(chance.choice([12, 17, 23]), chance.choice([0, 30, 59])),
            break_minutes=chance.choice([0, 30, 60]),
            break_window=chance.choice([None, (time(0), time(3)), (time(12), time(14))]),
            max_visits_per_day=chance.choice([None, None, 5, 2, 0]),
            skills=frozenset(chance.sample(["wine", "bread"], chance.choice([0, 2, 2]))),
        )
        town.add(anybody, door(chance.choice([0, 5, 20, 20, 1003]), chance.randint(0, 20)), lost=chance.random() < 0.1)
    for n in range(chance.randint(0, 20)):
        customer = account(
            str(n),
            last_visit=chance.choice([None, first_day - timedelta(days=chance.randint(-3, 60))]),
            owner_rep_id=chance.choice(["", "", "r0", "r1", "r1", "gone"]),
            opening_hours=chance.choice(HOURS),
            visit_minutes=chance.choice([None, 15, 60]),
            segment=chance.choice("ABC"),
        )
        town.add(customer, chance.choice(doors), lost=chance.random() < 0.1)
    for n in range(chance.randint(0, 10)):
        agreed = datetime.combine(first_day + timedelta(days=chance.randint(-1, 6)), time(chance.randint(0, 23), 30))
        handed_off = opportunity(
            str(n),
            account_id=chance.choice(["", "", str(chance.randint(0, 14)), "unheard of"]),
            appointment=agreed if chance.random() < 0.4 else None,
            availability=chance.choice(HOURS),
            need=chance.choice(["yes", "yes", "no"]),
            qualified_at=datetime.combine(first_day - timedelta(days=chance.randint(0, 12)), time(9)),
            first_action_days=chance.randint(0, 8),
            required_skills=frozenset(chance.sample(["wine", "bread"], chance.choice([0, 0, 0, 1, 2]))),
            visit_minutes=chance.choice([None, 30, 90]),
        )
        town.add(handed_off, chance.choice(doors), lost=chance.random() < 0.1)
    return town


@pytest.mark.parametrize("seed", range(12))
def test_any_town_has_a_plan_that_keeps_every_rule(seed: int) -> None:
    """`make_plan` raises if a rule is broken, by the problem's numbers or by the records, or if anything is lost."""
    chance = random.Random(seed)
    first_day = chance.choice(FRIDAYS)
    town = any_town(chance, first_day)
    document = town.plan(first_day, chance.randint(1, 7), work=2)
    assert town.broken(document) == []


JUNK = (None, True, -1, 10**12, 10**30, 1e308, float("nan"), "", "{{7*7}}", "account:0", "9999-12-31", [], {}, [[]])


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document at which something else could stand."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [path, *(deeper for key in keys for deeper in paths(value[key], (*path, key)))]


def test_junk_in_a_plan_file_is_refused_or_found_broken_never_a_crash() -> None:
    chance = random.Random(1)
    town = any_town(random.Random(5), FRIDAYS[0])
    document = town.plan(FRIDAYS[0], 5, work=2)
    assert document["totals"]["visits"] > 3
    refused = broken = 0
    for path in chance.sample(paths(document)[1:], 400):
        damaged: Any = deepcopy(document)
        table = damaged
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = chance.choice(JUNK)
        try:
            broken += bool(town.broken(read_plan(json.dumps(damaged))))
        except PlannerError:
            refused += 1
    assert refused > 60
    assert broken > 5
