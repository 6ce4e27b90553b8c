"""Publishing: no version becomes what reps see unless it keeps what was promised since it was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from cast import FRIDAY, MONDAY, SETTINGS, TUESDAY, WEDNESDAY, Flatland, account, door, local, opportunity, promise, rep
from slots_cast import IRENE, TOWN, SlotTown, hold, names

from planner.access import Actor, Scope
from planner.domain import Address
from planner.errors import ConflictError, NotFoundError, PromiseBrokenError
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.hotels.standing import snapshot_to_plan
from planner.plan_checks import broken_rules
from planner.plan_document import PlanDocument, read_plan
from planner.planning import make_plan, store_plan, to_store
from planner.publishing import publish
from planner.repository import UnitOfWork
from planner.settings import CalendarSettings
from planner.slots.agenda import Agendas
from planner.slots.domain import Booking, BookingState, ChangedDay
from planner.snapshot import Snapshot
from routing.geo import LatLon
from routing.solver import SearchLimits
from routing.travel_times import TravelTimes


def draft(town: SlotTown, first_day: date = MONDAY, days: int = 5) -> int:
    """A plan of what is known by now, made without much searching, and not published."""
    with town.reading() as unit:
        snapshot = Snapshot.read(unit, TOWN, town.settings)
    document = make_plan(
        snapshot, TOWN, town.source, first_day, days, SearchLimits(work=1), town.settings, cancelled=lambda: True
    )
    with town.writing() as unit:
        return store_plan(unit, to_store(document, town.now))


def published(town: SlotTown, version: int | None = None, **how: Any) -> int:
    return publish(town.store, IRENE, town.agendas, TOWN, version, town.settings, town.now, **how)


def row(town: SlotTown, day: date = TUESDAY) -> ChangedDay | None:
    with town.reading() as unit:
        return unit.changed_days.get(TOWN, "anna", day)


def visits_on(document: PlanDocument, day: date = TUESDAY) -> list[str]:
    """Whom Anna visits on a day."""
    return [
        stop["record_ids"][0] for each in document["rep_days"] if each["date"] == str(day) for stop in each["stops"]
    ]


def booked(town: SlotTown, *bookings: Booking) -> None:
    """Bookings, each in a day that holds nothing else."""
    for booking in bookings:
        order = booking.visit_id if booking.state is BookingState.PROMISED else f"booking:{booking.id}"
        town.book(booking, [order])


def broken(town: SlotTown) -> list[str]:
    """What `fieldvisit check` finds in the plan that reps see."""
    with town.reading() as unit:
        snapshot = snapshot_to_plan(unit, TOWN, town.settings)
    return broken_rules(town.published(), snapshot, town.source, town.settings)


def test_what_was_promised_since_the_plan_was_made_is_put_into_its_day(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(12)), (opportunity(need="no"), door(10)))
    version = draft(slots)
    booked(slots, promise())
    assert published(slots, version) == version
    document = slots.published()
    assert "mill" in visits_on(document)
    [stop] = [stop for day in document["rep_days"] for stop in day["stops"] if stop["record_ids"][0] == "mill"]
    assert "2026-12-01T10:00" <= stop["begin"] <= "2026-12-01T11:00"
    assert stop["why"] == "promised for 2026-12-01 10:00–11:00"
    changed = row(slots)
    assert changed is not None
    assert (changed.plan_version, changed.revision) == (version, 2)
    assert names(slots.day(TUESDAY)) == visits_on(document)


def test_a_hold_takes_its_time_in_the_new_plan_and_nobody_sees_it(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(12)))
    version = draft(slots)
    booked(slots, hold())
    published(slots, version)
    changed = row(slots)
    assert changed is not None
    assert "booking:h1" in changed.order
    assert (changed.route, changed.plan_version) == (None, version)
    assert "h1" in names(slots.day(TUESDAY))


def test_a_plan_that_has_the_promise_already_stays_as_it_is(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)))
    booked(slots, promise())
    version = draft(slots)
    published(slots, version)
    changed = row(slots)
    assert changed is not None
    assert (changed.plan_version, changed.route, changed.order) == (version, None, ("opportunity:mill",))
    assert broken(slots) == []


def test_an_opportunity_that_is_promised_for_another_day_by_now_is_visited_once(slots: SlotTown) -> None:
    """The plan has it on Tuesday, as it was promised; the promise was moved to Wednesday since."""
    slots.add((opportunity(), door(10)))
    booked(slots, promise())
    version = draft(slots)
    with slots.writing() as unit:
        unit.bookings.put(replace(promise(), state=BookingState.MOVED))
    booked(slots, replace(promise(day=WEDNESDAY), id="b-2"))
    published(slots, version)
    document = slots.published()
    assert (visits_on(document), visits_on(document, WEDNESDAY)) == ([], ["mill"])
    assert broken(slots) == []


def test_a_promise_that_was_cancelled_since_is_taken_out(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)), (opportunity("inn", appointment=local("2026-12-01 15:00")), door(5)))
    booked(slots, promise())
    version = draft(slots)
    with slots.writing() as unit:
        unit.bookings.put(replace(promise(), state=BookingState.CANCELLED))
    published(slots, version)
    assert visits_on(slots.published()) == ["inn"]


@pytest.mark.parametrize("state", [HandoffState.REJECTED, HandoffState.RETURNED, HandoffState.WON, HandoffState.LOST])
def test_what_the_field_has_nothing_to_do_for_any_more_is_taken_out(slots: SlotTown, state: HandoffState) -> None:
    slots.add((opportunity(), door(10)), (opportunity("inn"), door(5)))
    version = draft(slots)
    with slots.writing() as unit:
        unit.handoffs.put(HandoffRow(TOWN, "mill", 1, state, slots.now, Side.INSIDE, ""))
    published(slots, version)
    assert [stop["record_ids"][0] for day in slots.published()["rep_days"] for stop in day["stops"]] == ["inn"]


def test_an_account_is_not_visited_beside_the_promise_that_counts_for_it(slots: SlotTown) -> None:
    slots.add((account("bakery"), door(12)))
    version = draft(slots)
    slots.add((opportunity(account_id="bakery"), door(10)))
    booked(slots, promise(day=FRIDAY))
    published(slots, version)
    assert [stop["record_ids"] for day in slots.published()["rep_days"] for stop in day["stops"]] == [
        ["mill", "bakery"]
    ]


def test_a_promise_that_is_longer_by_now_gets_its_time(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)))
    booked(slots, promise())
    version = draft(slots)
    with slots.writing() as unit:
        unit.bookings.put(promise(service_minutes=90))
    published(slots, version)
    [day] = [day for day in slots.published()["rep_days"] if day["date"] == str(TUESDAY)]
    assert day["totals"]["service_minutes"] == 90
    assert broken(slots) == []


def test_a_day_is_put_into_another_order_where_a_promise_fits_in_no_other_way(slots: SlotTown) -> None:
    """One end of the town in the morning and the other in the afternoon; then somebody at the other end is promised the
    morning, which leaves no time to go there and back in between."""
    with slots.writing() as unit:
        unit.records(TOWN).save(rep(break_minutes=0, break_window=None))
    slots.add((opportunity("east", visit_minutes=150), door(40)), (opportunity("west", visit_minutes=100), door(-40)))
    version = draft(slots, TUESDAY, 1)
    first, second = visits_on(document_of(slots, version))
    other_end = door(42 if second == "east" else -42)
    slots.add((opportunity(), other_end))
    booked(slots, promise(place=other_end, window=("10:10", "10:20"), service_minutes=20))
    published(slots, version)
    assert visits_on(slots.published()) == ["mill", second, first]


def test_a_promise_without_room_keeps_the_old_plan(slots: SlotTown) -> None:
    """Anna is promised elsewhere by an appointment that was imported before the plan was made."""
    old = draft(slots)
    published(slots, old)
    slots.add((opportunity("fair", appointment=local("2026-12-01 09:30"), visit_minutes=140), door(10)))
    version = draft(slots)
    slots.add((opportunity(), door(10)))
    booked(slots, promise(), hold())
    before = row(slots)
    with pytest.raises(PromiseBrokenError) as refusal:
        published(slots, version)
    assert refusal.value.broken == (
        f"Mill (mill), 2026-12-01 10:00–11:00, with Anna: the day has no room for it in plan {version}",
    )
    assert refusal.value.held == (
        "somebody is holding 2026-12-01 10:00–11:00 with Anna until 12:10; publish after that",
    )
    with slots.reading() as unit:
        assert unit.plans(TOWN).published_version() == old
    assert row(slots) == before


def test_a_hold_in_the_way_breaks_no_promise_and_is_waited_for(slots: SlotTown) -> None:
    slots.add((opportunity("fair", appointment=local("2026-12-01 09:30"), visit_minutes=140), door(10)))
    version = draft(slots)
    booked(slots, hold())
    with pytest.raises(PromiseBrokenError) as refusal:
        published(slots, version)
    assert refusal.value.broken == ()
    (held,) = refusal.value.held
    assert "publish after that" in held
    assert "make a new plan" not in str(refusal.value)
    slots.wait(minutes=60)
    published(slots, version)


@pytest.mark.parametrize(
    ("record", "calendar", "changes", "why"),
    [
        ({"work_days": frozenset([0])}, CalendarSettings(), {}, "the rep does not work on that day"),
        ({}, CalendarSettings(), {"skills": frozenset(["welding"])}, "the rep no longer has the skill welding"),
        ({}, CalendarSettings("FI"), {"day": date(2026, 12, 6)}, "a public holiday"),
        ({"start_address": Address("moved")}, CalendarSettings(), {}, "nobody knows where the rep starts"),
        ({"work_end": time(10), "break_minutes": 0}, CalendarSettings(), {}, "no room for it"),
    ],
    ids=["day off", "skill", "holiday", "unlocated", "hours"],
)
def test_every_promise_is_checked_against_the_records_of_now(
    slots: SlotTown, record: dict[str, Any], calendar: CalendarSettings, changes: dict[str, Any], why: str
) -> None:
    slots.add((opportunity(), door(10)))
    version = draft(slots, MONDAY, 6)
    booked(slots, promise(**changes))
    with slots.writing() as unit:
        unit.records(TOWN).save(rep(**record))
    slots.with_settings(calendar=calendar)
    with pytest.raises(PromiseBrokenError, match=why):
        published(slots, version)


def test_days_that_the_new_plan_is_not_for_stay_as_reps_see_them(slots: SlotTown) -> None:
    """A plan of two weeks is replaced by one of a week. On Tuesday of the second there is a promise too by then."""
    later = TUESDAY + timedelta(days=7)
    late_only = f"2026 Dec {later.day:02} 09:00-17:00"
    slots.add((opportunity("inn", availability=late_only, first_action_days=20), door(5)))
    published(slots, draft(slots, MONDAY, 10))
    slots.add((opportunity(), door(10)))
    slots.book(promise(day=later), ["opportunity:inn", "opportunity:mill"])
    version = draft(slots)
    published(slots, version)
    changed = row(slots, later)
    assert changed is not None
    assert (changed.plan_version, changed.order, changed.revision) == (0, ("opportunity:inn", "opportunity:mill"), 2)
    assert visits_on(slots.published(), later) == ["inn", "mill"]
    published(slots, draft(slots))
    assert row(slots, later) == changed
    assert names(slots.day(later)) == ["inn", "mill"]


def test_one_day_of_a_published_week_is_planned_anew_and_the_others_stay(slots: SlotTown) -> None:
    """Nobody has booked anything; each customer can be visited on one day only."""
    for at, day in enumerate(["Mo", "Tu", "We", "Th"]):
        slots.add((account(f"shop {day}", opening_hours=f"{day} 09:00-17:00"), door(5 + at)))
    published(slots, draft(slots))
    before = slots.published()
    slots.add((account("inn", opening_hours="We 09:00-17:00"), door(12)))
    published(slots, draft(slots, WEDNESDAY, 1))
    after = slots.published()
    assert sorted(visits_on(after, WEDNESDAY)) == ["inn", "shop We"]
    others = [
        [day for day in plan["rep_days"] if day["date"] != str(WEDNESDAY) and day["stops"]] for plan in (before, after)
    ]
    assert others[0] == others[1]
    assert after["totals"]["visits"] == 5
    assert broken(slots) == []


def test_what_stays_on_another_day_is_taken_out_of_the_new_plan(slots: SlotTown) -> None:
    """The plan of Wednesday was made from the records alone, and reps see both visits on Thursday."""
    slots.add((account("bakery", opening_hours="Th 09:00-17:00"), door(5)))
    slots.add((opportunity(availability="Th 09:00-17:00"), door(10)))
    published(slots, draft(slots))
    slots.add((account("bakery"), door(5)), (opportunity(), door(10)), (account("inn"), door(7)))
    version = draft(slots, WEDNESDAY, 1)
    published(slots, version)
    assert visits_on(slots.published(), WEDNESDAY) == ["inn"]
    assert sorted(visits_on(slots.published(), WEDNESDAY + timedelta(days=1))) == ["bakery", "mill"]
    assert broken(slots) == []


@pytest.mark.parametrize("days", [-3, 7], ids=["before", "after"])
def test_a_promise_beyond_the_plan_changes_nothing_of_what_the_plan_is_judged_by(slots: SlotTown, days: int) -> None:
    """The inn's first visit was due before the plan began, and after the day of the promise."""
    monday = MONDAY + timedelta(days=7)
    slots.add((opportunity("inn", first_action_days=9), door(5)), (opportunity(), door(10)))
    version = draft(slots, monday)
    slots.book(promise(day=monday + timedelta(days=days)), [])
    published(slots, version)
    assert broken(slots) == []
    assert visits_on(slots.published(), monday + timedelta(days=days)) == ["mill"]


def test_a_promise_beyond_the_plan_is_checked_as_one_within_it(slots: SlotTown) -> None:
    """It was promised for a Tuesday after the week that is planned; since then its rep has Tuesdays off."""
    later = TUESDAY + timedelta(days=7)
    slots.add((opportunity(), door(10)))
    published(slots, draft(slots))
    booked(slots, promise(day=later))
    version, before = draft(slots), row(slots, later)
    with slots.writing() as unit:
        unit.records(TOWN).save(rep(work_days=frozenset([0, 2])))
    with pytest.raises(PromiseBrokenError, match="the rep does not work on that day"):
        published(slots, version)
    with slots.writing() as unit:
        unit.records(TOWN).save(rep())
    published(slots, version)
    assert row(slots, later) == before


def test_days_that_are_over_keep_what_was_on_them(slots: SlotTown) -> None:
    """On Wednesday a plan of the whole week is published that was made before somebody was promised Tuesday; of its own
    Monday it says something else than what reps saw."""
    version = draft(slots)
    slots.add((opportunity(), door(10)), (account("bakery", opening_hours="Mo 09:00-12:00"), door(5)))
    published(slots, draft_of_promise(slots))
    before = slots.published()
    assert (visits_on(before, MONDAY), visits_on(before)) == (["bakery"], ["mill"])
    slots.wait(days=5)
    published(slots, version)
    after = slots.published()
    assert after["rep_days"][:2] == before["rep_days"][:2]
    assert visits_on(after, WEDNESDAY) == []
    published(slots, version)
    assert slots.published() == after


def draft_of_promise(town: SlotTown) -> int:
    """A plan with the mill's promise in it, so that no row says so."""
    with town.writing() as unit:
        unit.bookings.put(promise())
    return draft(town)


def test_a_row_of_an_old_plan_never_meets_a_new_one(slots: SlotTown) -> None:
    """A hold changed Tuesday of the old plan and has run out when the new one is published."""
    slots.add((opportunity(), door(10)))
    published(slots, draft(slots))
    booked(slots, hold())
    slots.wait(minutes=11)
    slots.add((opportunity("inn"), door(5)))
    version = draft(slots)
    published(slots, version)
    changed = row(slots)
    assert changed is not None
    assert (changed.plan_version, changed.revision, changed.route) == (version, 2, None)
    assert [id_.partition(":")[2] for id_ in changed.order] == visits_on(slots.published())


def test_publishing_the_same_plan_again_leaves_its_days_as_bookings_have_them(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)))
    version = draft(slots)
    published(slots, version)
    slots.book(hold(), ["booking:h1"])
    before = row(slots)
    assert published(slots, version) == version
    assert row(slots) == before


class Interrupting(Flatland):
    """Streets during whose first question somebody else books."""

    def __init__(self, *interruptions: Callable[[], None]) -> None:
        super().__init__()
        self.interruptions = list(interruptions)

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        if self.interruptions:
            self.interruptions.pop(0)()
        return super().travel_times(places)


def test_what_is_promised_while_days_are_computed_is_put_in_as_well(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)), (opportunity("inn"), door(5)))
    version = draft(slots)
    booked(slots, promise())
    busy = Interrupting(
        *(lambda day=day, n=n: booked(slots, hold(f"h{n}", day=day)) for n, day in enumerate((WEDNESDAY, FRIDAY)))
    )
    agendas = Agendas(lambda area: busy, SETTINGS)
    publish(slots.store, IRENE, agendas, TOWN, version, SETTINGS, slots.now)
    assert not busy.interruptions
    for number, day in enumerate((WEDNESDAY, FRIDAY)):
        changed = row(slots, day)
        assert changed is not None
        assert changed.plan_version == version
        assert f"booking:h{number}" in changed.order


def test_somebody_who_books_all_the_time_does_not_keep_a_plan_from_being_published(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)))
    version = draft(slots)
    booked(slots, promise())
    days = [MONDAY + timedelta(days=n) for n in range(2, 5)]
    busy = Interrupting(*(lambda n=n: booked(slots, hold(f"h{n}", day=days[n % 3])) for n in range(5)))
    publish(slots.store, IRENE, Agendas(lambda area: busy, SETTINGS), TOWN, version, SETTINGS, slots.now)
    with slots.reading() as unit:
        assert unit.plans(TOWN).published_version() == version


def test_publishing_is_written_down_with_all_that_belongs_to_it_or_not_at_all(slots: SlotTown) -> None:
    slots.add((opportunity(), door(10)))
    version = draft(slots)
    booked(slots, promise())
    before = row(slots)

    def fails(unit: UnitOfWork, published: int) -> None:
        assert published == version
        raise ConflictError("sent twice")

    with pytest.raises(ConflictError, match="sent twice"):
        published(slots, version, also=fails)
    assert row(slots) == before
    published(slots, version)
    with slots.reading() as unit:
        entry = unit.audit_log.latest(1)[0]
    assert (entry.action, entry.subject, entry.actor, entry.details) == (
        "plan.published", str(version), "user:irene", {"changed_days": 2},
    )  # fmt: skip


def test_the_newest_version_is_published_where_none_is_named(slots: SlotTown) -> None:
    with pytest.raises(NotFoundError, match="has no plan yet"):
        published(slots)
    draft(slots)
    assert published(slots) == 1
    with pytest.raises(NotFoundError, match="no plan version 7"):
        published(slots, 7)


def test_who_sees_another_area_publishes_nothing_here_and_who_sees_one_rep_publishes_everybodys_days(
    slots: SlotTown,
) -> None:
    slots.add((rep("ben"), door()), (opportunity(), door(10)))
    version = draft(slots)
    booked(slots, promise(rep_id="ben"))
    elsewhere = Actor("user:max", Scope(area="elsewhere"))
    with pytest.raises(NotFoundError):
        publish(slots.store, elsewhere, slots.agendas, TOWN, version, SETTINGS, slots.now)
    of_anna = Actor("user:mona", Scope(area=TOWN, reps=frozenset(["anna"])))
    publish(slots.store, of_anna, slots.agendas, TOWN, version, SETTINGS, slots.now)
    assert visits_on(slots.published()) == ["mill"]
    with slots.writing() as unit:
        unit.bookings.put(promise(rep_id="ben", skills=frozenset(["welding"])))
    with pytest.raises(PromiseBrokenError) as refusal:
        publish(slots.store, of_anna, slots.agendas, TOWN, draft_without_promises(slots), SETTINGS, slots.now)
    assert refusal.value.broken == ("a promise of a rep whom you do not see: the rep no longer has the skill welding",)


def draft_without_promises(town: SlotTown) -> int:
    """A copy of the first plan."""
    with town.writing() as unit:
        return store_plan(unit, replace(unit.plans(TOWN).get(1), published_at=None))


def document_of(town: SlotTown, version: int) -> PlanDocument:
    with town.reading() as unit:
        return read_plan(unit.plans(TOWN).get(version).document or "")


def test_what_is_published_last_is_what_reps_see_also_where_a_clock_is_behind(slots: SlotTown) -> None:
    slots.add((account(), door(5)), (opportunity(need="no"), door(10)))
    slots.publish(MONDAY)
    booked(slots, promise())
    version = draft(slots)
    behind = slots.now - timedelta(seconds=1)
    assert publish(slots.store, IRENE, slots.agendas, TOWN, version, slots.settings, behind) == version
    with slots.reading() as unit:
        assert unit.plans(TOWN).published_version() == version
    assert "mill" in visits_on(slots.published())
