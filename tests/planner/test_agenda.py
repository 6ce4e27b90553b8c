"""The agenda: every rep's days as they stand now, and that only what changed is read again."""

from __future__ import annotations

from cast import MONDAY, TUESDAY, account, door, opportunity
from slots_cast import SlotTown, days_by_id, hold, names


def test_a_day_without_a_plan_is_empty_working_time(slots: SlotTown) -> None:
    agenda = slots.agenda(MONDAY, days=7)
    assert [day.id for day in agenda.days] == [
        f"anna@2026-{date}" for date in ("11-30", "12-01", "12-02", "12-03", "12-04")
    ]
    assert all(not day.visits and day.plan_version == 0 for day in agenda.days)


def test_the_published_plan_is_the_working_order(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)), (opportunity("mill"), door(5)))
    plan = slots.publish(MONDAY)
    agenda = slots.agenda(MONDAY)
    assert [names(day) for day in agenda.days] == [
        [s["record_ids"][0] for s in day["stops"]] for day in plan["rep_days"]
    ]
    for day, planned in zip(agenda.days, plan["rep_days"], strict=True):
        assert sum(day.itinerary.drive_s) == planned["totals"]["drive_seconds"]
        assert (day.timed() is None) == (not planned["stops"])


def test_a_hold_takes_time_until_it_runs_out(slots: SlotTown) -> None:
    slots.book(hold("h1"), ["booking:h1"])
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"]) == ["h1"]
    slots.wait(minutes=11)
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"]) == []
    assert names(slots.day(TUESDAY)) == []
