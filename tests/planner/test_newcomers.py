"""Somebody new who is promised a visit, however it is booked."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cast import local
from slots_cast import hold

from planner.slots.newcomers import newcomer


def test_somebody_new_is_one_opportunity_whose_clock_starts_with_the_call() -> None:
    kept = hold("h7", hours="Mo-Fr 09:00-12:00", skills=frozenset(["welding"]), inside_rep="iris@example.com")
    called = datetime(2026, 11, 28, 3, 30, 12, tzinfo=UTC)
    deal = newcomer(kept, "Bread & Co", called, ZoneInfo("America/Vancouver"))
    assert deal == newcomer(kept, "Bread & Co", called, ZoneInfo("America/Vancouver"))
    assert (deal.id, deal.name, str(deal.address)) == ("B-h7", "Bread & Co", kept.address)
    assert deal.lead_at == deal.contacted_at == deal.qualified_at == local("2026-11-27 19:30")
    assert (deal.visit_minutes, deal.availability) == (kept.service_minutes, kept.hours)
    assert (deal.required_skills, deal.inside_rep) == (kept.skills, "iris@example.com")
