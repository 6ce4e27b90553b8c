"""Suggestions for reps with very many customers: found without looking at every pair of them."""

from __future__ import annotations

import tracemalloc
from datetime import date

import numpy as np

from planner.coverage.domain import AccountCover, Coverage, CoverageState, RepCapacity
from planner.settings import CandidateSettings
from planner.summary.domain import SuggestionKind
from planner.summary.suggesting import NEIGHBOURS, _nearest, suggestions_of
from routing.geo import great_circles_m


def covers(rep_id: str, number: int, seed: int) -> list[AccountCover]:
    places = np.random.default_rng(seed).random((number, 2)) * 0.1 + (51.5, -3.0)
    return [
        AccountCover(
            account_id=f"{rep_id}{n}", name=f"{rep_id}{n}", segment="B", rep_id=rep_id, territory_id="", lat=lat,
            lon=lon,
            state=CoverageState.VISITED, cadence_days=28, due_on=None, overdue_days=0, visits=(), planned_days=(),
            planned_rep="", unreached="", why="", visits_a_month=1.0, service_minutes=30, drive_minutes=12.0,
            annual_value=1_000.0,
        )
        for n, (lat, lon) in enumerate(places.tolist())
    ]  # fmt: skip


def test_who_is_nearest_is_who_is_nearest_of_all() -> None:
    some, others = covers("anna", 40, 1), covers("ben", 60, 2)
    here, there = (np.array([(a.lat, a.lon) for a in accounts], dtype=np.float64) for accounts in (some, others))
    away = great_circles_m(here[:, None], there[None])
    metres, who = _nearest(some, others)
    assert np.allclose(metres, away.min(axis=1), atol=0.01)
    assert (who == np.argsort(away, axis=1)[:, :NEIGHBOURS]).all()


def test_thousands_of_customers_of_two_reps_take_little_memory() -> None:
    accounts = (*covers("anna", 3_000, 1), *covers("ben", 3_000, 2))
    reps = (
        RepCapacity("anna", "Anna", 9_000.0, 90_000.0, 36_000.0, 0.0),
        RepCapacity("ben", "Ben", 1e7, 1.0, 1.0, 0.0),
    )
    coverage = Coverage("town", date(2026, 11, 30), "UTC", None, None, None, accounts, reps)
    tracemalloc.start()
    try:
        found = suggestions_of(coverage, (), CandidateSettings(), lambda account: account.name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert SuggestionKind.GIVE in {each.kind for each in found}
    assert peak < 20e6  # one number for each pair of customers would be 72 MB
