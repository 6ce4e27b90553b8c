"""The agenda: every rep's days as they stand now, and that only what changed is read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from cast import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, account, door, local, opportunity, promise, rep
from slots_cast import TOWN, SlotTown, days_by_id, hold, names

from planner.errors import NotFoundError
from planner.handoffs.domain import HandoffState
from planner.handoffs.moving import write
from planner.handoffs.state import handoff_of
from planner.settings import CalendarSettings

CHRISTMAS_WEEK = MONDAY + timedelta(days=21)


def test_a_day_without_a_plan_is_empty_working_time(slots: SlotTown) -> None:
    agenda = slots.agenda(MONDAY, days=7)
    assert [day.id for day in agenda.days] == [f"anna@{day}" for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)]
    assert all(not day.visits and day.plan_version == 0 for day in agenda.days)


def test_nobody_has_a_day_on_a_public_holiday(slots: SlotTown) -> None:
    slots.with_settings(calendar=CalendarSettings("GB", "ENG"))
    agenda = slots.agenda(CHRISTMAS_WEEK, days=7)
    assert [day.working_day.day.day for day in agenda.days] == [21, 22, 23, 24]
    assert not slots.day(CHRISTMAS_WEEK + timedelta(days=4)).works


def test_the_published_plan_is_the_working_order(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)), (opportunity("mill"), door(5)))
    plan = slots.publish(MONDAY)
    agenda = slots.agenda(MONDAY)
    planned = [[stop["record_ids"][0] for stop in day["stops"]] for day in plan["rep_days"]]
    assert [names(day) for day in agenda.days] == planned
    for day, shown in zip(agenda.days, plan["rep_days"], strict=True):
        assert sum(day.itinerary.drive_s) == shown["totals"]["drive_seconds"]
        assert (day.timed() is None) == (not shown["stops"])


def test_a_planned_visit_is_bound_by_its_customers_hours(slots: SlotTown) -> None:
    slots.add((account("bakery", opening_hours="Mo-Fr 10:00-12:00"), door(10)))
    slots.publish(MONDAY)
    (day,) = [day for day in slots.agenda(MONDAY).days if day.visits]
    (window,) = day.itinerary.jobs[0].windows
    assert (f"{day.local(window.start_s):%H:%M}", f"{day.local(window.end_s):%H:%M}") == ("10:00", "11:30")


def test_a_visit_whose_hours_no_longer_allow_it_keeps_its_planned_time(slots: SlotTown) -> None:
    slots.add((account("bakery", opening_hours="Mo-Fr 10:00-12:00"), door(10)))
    slots.publish(MONDAY)
    (before,) = [day for day in slots.agenda(MONDAY).days if day.visits]
    slots.add((account("bakery", opening_hours="Mo-Fr 20:00-22:00"), door(10)))
    (after,) = [day for day in slots.agenda(MONDAY).days if day.visits]
    (window,) = after.itinerary.jobs[0].windows
    stop = before.visits[0].stop
    assert stop is not None
    assert after.local(window.start_s) == after.local(window.end_s) == datetime.fromisoformat(stop["begin"])
    assert after.timed() is not None


def test_a_hold_takes_time_until_it_runs_out(slots: SlotTown) -> None:
    slots.book(hold("h1"), ["booking:h1"])
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"]) == ["h1"]
    slots.wait(minutes=11)
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"]) == []
    assert names(slots.day(TUESDAY)) == []


def test_a_promise_binds_its_visit_to_the_window(slots: SlotTown) -> None:
    slots.book(promise("mill"), ["opportunity:mill"])
    (visit,) = days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"].visits
    day = slots.day(TUESDAY)
    assert (visit.promised, visit.held, day.visits[0].id) == (True, False, "opportunity:mill")
    (window,) = day.itinerary.jobs[0].windows
    assert (day.local(window.start_s).hour, day.local(window.end_s).hour) == (10, 11)


def test_a_promise_that_no_order_names_has_its_time_all_the_same(slots: SlotTown) -> None:
    slots.book(promise("mill"), [])
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{TUESDAY}"]) == ["mill"]
    assert names(slots.day(TUESDAY)) == ["mill"]


def test_an_order_of_another_plan_counts_no_more(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)))
    slots.publish(MONDAY, days=1)
    slots.book(promise("mill", day=MONDAY), ["opportunity:mill"], plan_version=7)
    assert sorted(names(slots.day(MONDAY))) == ["bakery", "mill"]


def test_an_appointment_agreed_elsewhere_takes_one_reps_time_beyond_the_plan(slots: SlotTown) -> None:
    slots.add((rep("ben"), door(30)), (opportunity("mill", appointment=local(f"{THURSDAY} 10:00")), door(28)))
    agenda = days_by_id(slots.agenda(MONDAY))
    assert names(agenda[f"ben@{THURSDAY}"]) == ["mill"]  # two minutes away
    assert not agenda[f"anna@{THURSDAY}"].visits
    assert names(slots.day(THURSDAY, "ben")) == ["mill"]
    assert not slots.day(THURSDAY, "anna").visits


def test_an_appointment_agreed_elsewhere_belongs_to_the_customers_own_rep(slots: SlotTown) -> None:
    slots.add(
        (rep("ben"), door(30)),
        (account("works", owner_rep_id="anna", last_visit=MONDAY), door(28)),
        (opportunity("mill", account_id="works", appointment=local(f"{THURSDAY} 10:00")), door(28)),
    )
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{THURSDAY}"]) == ["mill"]


def test_an_appointment_that_is_imported_later_is_noticed(slots: SlotTown) -> None:
    slots.agenda(MONDAY)
    slots.add((opportunity("mill", appointment=local(f"{THURSDAY} 10:00")), door(8)))
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{THURSDAY}"]) == ["mill"]


def test_an_appointment_that_the_field_has_reported_takes_no_time_any_more(slots: SlotTown) -> None:
    mill = opportunity("mill", appointment=local(f"{THURSDAY} 10:00"))
    slots.add((mill, door(8)))
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{THURSDAY}"]) == ["mill"]
    with slots.writing() as unit:
        present = handoff_of(unit, TOWN, mill, slots.settings.gate)
        write(unit, mill, present, replace(present, state=HandoffState.VISITED), "reported", "user:anna", slots.now)
    assert names(days_by_id(slots.agenda(MONDAY))[f"anna@{THURSDAY}"]) == []
    assert names(slots.day(THURSDAY)) == []


def test_a_writer_asks_about_the_appointments_of_the_day_only(slots: SlotTown) -> None:
    slots.add(*[(opportunity(f"mill{n}", appointment=local(f"{WEDNESDAY} 10:00")), door(8)) for n in range(30)])
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    sa.event.listen(slots.store._engine, "before_cursor_execute", count)
    slots.day(THURSDAY)
    assert asked < 30


def test_only_the_day_that_a_booking_changes_is_made_again(slots: SlotTown) -> None:
    before = slots.agenda(MONDAY)
    assert slots.agenda(MONDAY) is before
    slots.book(promise("mill"), ["opportunity:mill"])
    after = slots.agenda(MONDAY)
    changed = [new.id for new, old in zip(after.days, before.days, strict=True) if new is not old]
    assert changed == [f"anna@{TUESDAY}"]
    assert len(after.fan.times(door()).to_s) == after.itineraries.place_count


def test_a_changed_record_changes_only_the_days_with_its_visits(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)), (account("inn", owner_rep_id="ben"), door(20)), (rep("ben"), door(20)))
    slots.publish(MONDAY, days=1)
    before = slots.agenda(MONDAY, days=1)
    slots.add((account("bakery", opening_hours="Mo-Fr 08:00-18:00"), door(10)))
    after = slots.agenda(MONDAY, days=1)
    assert [new.rep.id for new, old in zip(after.days, before.days, strict=True) if new is not old] == ["anna"]


def test_nothing_is_read_again_when_an_opportunity_is_handed_off(slots: SlotTown) -> None:
    deal = opportunity("mill", qualified_at=None)
    slots.add((deal, door(10)))
    before = slots.agenda(MONDAY)
    with slots.writing() as unit:
        unit.records(TOWN).save(replace(deal, qualified_at=local("2026-11-27 12:00")))
    assert slots.agenda(MONDAY) is before


def test_a_rep_who_changes_hours_has_other_days(slots: SlotTown) -> None:
    slots.agenda(MONDAY)
    slots.add((rep(work_start=time(11), work_days=frozenset({0, 1})), door()))
    days = slots.agenda(MONDAY).days
    assert [f"{day.local(day.itinerary.shift.start_s):%a %H:%M}" for day in days] == ["Mon 11:00", "Tue 11:00"]


def test_a_newly_published_plan_is_noticed(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)))
    assert not any(day.visits for day in slots.agenda(MONDAY).days)
    slots.publish(MONDAY)
    assert [name for day in slots.agenda(MONDAY).days for name in names(day)] == ["bakery"]


def test_the_legs_of_a_plan_are_not_asked_for_again(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(10)), (account("inn"), door(12)))
    slots.publish(MONDAY)
    slots.source.asked.clear()
    slots.agenda(MONDAY)
    assert slots.source.asked == []


def test_a_rep_who_is_not_located_has_no_days(slots: SlotTown) -> None:
    slots.add((rep("ben", start_address=replace(rep().start_address, street="9 Lost Lane")), None))
    assert {day.rep.id for day in slots.agenda(MONDAY).days} == {"anna"}
    for nobody in ("ben", "nobody"):
        with pytest.raises(NotFoundError, match=nobody):
            slots.day(MONDAY, nobody)


def test_the_day_of_a_writer_is_that_of_the_agenda(slots: SlotTown) -> None:
    slots.add((account("bakery", opening_hours="Mo-Fr 10:00-12:00"), door(10)), (opportunity("mill"), door(5)))
    slots.publish(MONDAY)
    slots.book(hold("h1", day=WEDNESDAY), ["booking:h1"])
    for day in slots.agenda(MONDAY).days:
        alone = slots.day(day.working_day.day)
        assert (alone.order, alone.revision, alone.plan_version) == (day.order, day.revision, day.plan_version)
        assert alone.itinerary.drive_s == day.itinerary.drive_s
        assert [
            [(alone.local(w.start_s), alone.local(w.end_s)) for w in job.windows] for job in alone.itinerary.jobs
        ] == [[(day.local(w.start_s), day.local(w.end_s)) for w in job.windows] for job in day.itinerary.jobs]


def test_the_days_of_a_year_hence_are_told_from_the_same_clock(slots: SlotTown) -> None:
    far = MONDAY + timedelta(days=7 * 52)
    for first_day in (MONDAY, far, MONDAY):
        (day,) = slots.agenda(first_day, days=1).days
        assert day.local(day.itinerary.shift.start_s).replace(tzinfo=None) == datetime.combine(first_day, time(9))


def test_hours_span_a_clock_change_by_true_seconds(slots: SlotTown) -> None:
    """In London the night before 28 March 2027 is an hour short, and the day begins an hour earlier in UTC."""
    slots.add((rep(work_days=frozenset(range(7)), work_start=time(0)), door()))
    sunday = datetime(2027, 3, 28, tzinfo=UTC).date()
    (day,) = slots.agenda(sunday, days=1).days
    assert day.itinerary.shift.end_s - day.itinerary.shift.start_s == 16 * 3600
