"""Ride-alongs: customers near a prospect who are due, or nearly."""

from __future__ import annotations

from datetime import timedelta

from cast import ISLAND, MONDAY, account, door, rep
from slots_cast import FRIDAY_NOON, TOWN, SlotTown

from planner.slots.nearby import RideAlong, ride_alongs
from routing.travel_times import PLAIN_FAN_STEP

TODAY = FRIDAY_NOON.date()
PROSPECT = door(30)


def near(town: SlotTown) -> list[RideAlong]:
    with town.reading() as unit:
        return ride_alongs(unit, town.agendas, TOWN, PROSPECT, town.settings, TODAY)


def visited(days_ago: int) -> dict[str, object]:
    return {"last_visit": TODAY - timedelta(days=days_ago), "cadence_days": 28}


def test_customers_within_seven_minutes_of_road_are_found_the_nearest_first(slots: SlotTown) -> None:
    slots.add(
        (account("far", **visited(30)), door(38)),
        (account("next", **visited(30)), door(33)),
        (account("door", **visited(30)), door(30)),
        (account("edge", **visited(30)), door(30, 7)),
        (account("lost", **visited(30)), None),
    )
    assert [(each.account_id, each.away_s // 60) for each in near(slots)] == [("door", 0), ("next", 3), ("edge", 7)]


def test_beyond_the_river_is_not_near(slots: SlotTown) -> None:
    slots.add((account("island", **visited(30)), door(ISLAND)))
    with slots.reading() as unit:
        beside = door(ISLAND - 1)
        assert not ride_alongs(unit, slots.agendas, TOWN, beside, slots.settings, TODAY)


def test_it_is_said_why_a_visit_is_due(slots: SlotTown) -> None:
    slots.add(
        (account("a-late", **visited(30)), PROSPECT),
        (account("b-soon", **visited(25)), PROSPECT),
        (account("c-halfway", **visited(17)), PROSPECT),  # 61 % of the cadence: as planning has them ride along
        (account("d-never", last_visit=None), PROSPECT),
        (account("e-fresh", **visited(16)), PROSPECT),
        (account("f-dormant", **visited(40), last_order=TODAY - timedelta(days=400)), PROSPECT),
    )
    assert [each.why for each in near(slots)] == [
        "2 days overdue: last visit 2026-10-28, every 28 days",
        "due on 2026-11-30: last visit 2026-11-02, every 28 days",
        "due on 2026-12-08: last visit 2026-11-10, every 28 days",
        "never visited",
    ]


def test_a_customer_who_is_due_in_the_days_that_are_searched_counts_whatever_share_has_passed(slots: SlotTown) -> None:
    slots.add((account("weekly", last_visit=TODAY - timedelta(days=1), cadence_days=7), PROSPECT))
    assert [each.account_id for each in near(slots)] == ["weekly"]


def test_it_is_said_when_and_by_whom_a_customer_is_visited_anyway(slots: SlotTown) -> None:
    slots.add((account("bakery", annual_value=1e6, **visited(30)), PROSPECT), (rep("ben"), door(30)))
    assert [each.planned for each in near(slots)] == [""]
    slots.publish(MONDAY)
    (bakery,) = near(slots)
    assert bakery.owner_rep_id == "anna"
    assert bakery.planned.startswith("Anna visits on ")


def test_a_customer_who_is_imported_later_is_found(slots: SlotTown) -> None:
    assert not near(slots)
    slots.add((account("bakery", **visited(30)), PROSPECT))
    assert [each.account_id for each in near(slots)] == ["bakery"]
    slots.add((account("bakery", last_visit=TODAY, cadence_days=28), PROSPECT))
    assert not near(slots)


def test_the_ways_between_customers_nearby_are_not_asked_for(slots: SlotTown) -> None:
    slots.add(*((account(f"next-{n:03}", **visited(30)), door(33)) for n in range(200)))
    slots.source.asked.clear()
    assert len(near(slots)) == 200
    assert max(slots.source.asked) <= 1 + PLAIN_FAN_STEP


def test_few_places_are_asked_about(slots: SlotTown) -> None:
    slots.add(*((account(f"far-{n}", **visited(30)), door(300 + n)) for n in range(50)))
    slots.add((account("next", **visited(30)), door(33)))
    slots.source.asked.clear()
    near(slots)
    assert slots.source.asked[0] == 2
