"""Offers: windows that a rep can truly keep, and what stands in the way where there is none."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cast import FRIDAY, ISLAND, MONDAY, TUESDAY, account, door, local, opportunity, promise, rep
from slots_cast import TOWN, SlotTown, hold, slot_town

from planner.settings import BookingSettings
from planner.slots.domain import Meaning
from planner.slots.effects import Grade
from planner.slots.offering import FirstVisit, Offers, SlotQuery, first_visit, offer_slots

HALF_DAY = {"work_end": time(12), "break_minutes": 0, "break_window": None}


def asked(**changes: Any) -> SlotQuery:
    """An hour ten minutes east of the office, on one of the five days from Monday on."""
    usual: dict[str, Any] = {
        "place": door(10),
        "service_minutes": 60,
        "first_day": MONDAY,
        "days": 5,
        "window_minutes": 60,
        "meaning": Meaning.ARRIVE,
        "not_before": datetime(2026, 11, 27, 14, tzinfo=UTC),
        "limit": 30,
    }
    return SlotQuery(**(usual | changes))


def offers(town: SlotTown, **changes: Any) -> Offers:
    with town.reading() as unit:
        return offer_slots(unit, town.agendas, TOWN, asked(**changes), town.settings, town.now)


def starts(found: Offers) -> list[str]:
    """When the windows begin, on the rep's wall clock, in order."""
    return sorted(f"{slot.start:%a %H:%M}" for slot in found.slots)


def verdict(town: SlotTown, id_: str = "mill", **changes: Any) -> FirstVisit:
    with town.reading() as unit:
        return first_visit(unit, town.agendas, TOWN, opportunity(id_, **changes), town.settings, town.now)


# --- what is offered --------------------------------------------------------------------------------------------------


def test_every_day_of_an_empty_week_is_offered_in_the_morning_and_in_the_afternoon(slots: SlotTown) -> None:
    found = offers(slots)
    assert Counter(slot.day for slot in found.slots) == {MONDAY + timedelta(days=n): 4 for n in range(5)}
    assert {slot.start.hour < 13 for slot in found.slots} == {True, False}
    assert found.why_none == ""
    assert found.tried > 0
    assert found.checked == len(found.slots)


def test_windows_begin_on_the_half_hour_within_working_hours(slots: SlotTown) -> None:
    slots.add((rep(work_start=time(9, 10), work_end=time(12, 20), break_minutes=0, break_window=None), door()))
    found = offers(slots, days=1, window_minutes=45)
    assert starts(found) == ["Mon 09:30", "Mon 10:30"]  # at 11:00 an hour's visit would end at 12:05, ten minutes off
    assert {slot.end - slot.start for slot in found.slots} == {timedelta(minutes=45)}


def test_nothing_begins_before_the_notice(slots: SlotTown) -> None:
    found = offers(slots, days=1, not_before=datetime(2026, 11, 30, 14, 45, tzinfo=UTC))
    assert starts(found) == ["Mon 15:00"]


def test_an_arrival_window_is_met_at_the_door_and_parked(slots: SlotTown) -> None:
    early = offers(slots, days=1).slots[0]
    assert early.begin >= early.start + timedelta(
        minutes=15
    )  # at nine they leave: ten minutes of driving, five to park
    assert early.begin <= early.end


def test_the_whole_visit_lies_within_a_window_that_means_that(slots: SlotTown) -> None:
    for slot in offers(slots, window_minutes=90, meaning=Meaning.WHOLE).slots:
        assert slot.start <= slot.begin
        assert slot.begin + timedelta(minutes=60) <= slot.end


def test_a_customers_hours_hold_the_whole_visit(slots: SlotTown) -> None:
    found = offers(slots, days=1, hours="Mo 13:00-15:00")
    assert found.slots
    for slot in found.slots:
        assert slot.begin.hour >= 13
        assert slot.begin + timedelta(hours=1) <= slot.begin.replace(hour=15, minute=0)


def test_a_held_time_is_offered_to_nobody_else_until_the_hold_runs_out(slots: SlotTown) -> None:
    slots.add((rep(**HALF_DAY), door()))
    everything = {"service_minutes": 120, "days": 1, "first_day": TUESDAY}
    assert offers(slots, **everything).slots
    slots.book(hold("h1", window=("09:00", "10:00"), service_minutes=120), ["booking:h1"])
    assert not offers(slots, **everything).slots
    slots.wait(minutes=11)
    assert offers(slots, **everything).slots


def test_a_promise_is_kept_by_every_offer(slots: SlotTown) -> None:
    slots.book(promise("mill", window=("10:00", "10:30")), ["opportunity:mill"])
    for slot in offers(slots, first_day=TUESDAY, days=1).slots:
        latest = slot.begin.replace(hour=10, minute=30)
        assert slot.begin + timedelta(hours=1) <= latest or slot.begin >= slot.begin.replace(hour=11, minute=0)


def test_the_least_driving_comes_first(slots: SlotTown) -> None:
    slots.add((rep("ben"), door(12)))
    found = offers(slots)
    assert [slot.rep_id for slot in found.slots[:4]] == ["ben"] * 4
    assert [slot.added_drive_s for slot in found.slots] == sorted(slot.added_drive_s for slot in found.slots)
    assert found.slots[0].added_drive_s == 2 * 2 * 60


def test_a_short_list_shows_different_days(slots: SlotTown) -> None:
    assert len({slot.day for slot in offers(slots, limit=5).slots}) == 5


def test_windows_of_one_day_do_not_overlap(slots: SlotTown) -> None:
    of_day = sorted((slot.start, slot.end) for slot in offers(slots, days=1).slots)
    assert all(end <= start for (_, end), (start, _) in pairwise(of_day))


def test_a_long_way_ahead_nothing_is_offered(slots: SlotTown) -> None:
    slots.with_settings(booking=BookingSettings(most_days=5))
    assert {slot.day for slot in offers(slots, days=30).slots} == {MONDAY, TUESDAY, TUESDAY + timedelta(days=1)}


# --- what it does to the day ------------------------------------------------------------------------------------------


def test_an_effect_says_who_waits_and_when_the_day_ends_but_not_who_it_is(slots: SlotTown) -> None:
    slots.book(promise("mill", window=("10:00", "12:00")), ["opportunity:mill"])
    before = offers(slots, first_day=TUESDAY, days=1, hours="Tu 09:00-10:30")
    assert [slot.effect for slot in before.slots] == [
        "one visit 15 minutes later; the day ends at 11:30 instead of 11:15"
    ]


def test_a_visit_at_the_same_door_moves_nobody(slots: SlotTown) -> None:
    slots.book(promise("mill", window=("10:00", "10:00:01")), ["opportunity:mill"])
    found = offers(slots, first_day=TUESDAY, days=1, hours="Tu 11:00-12:00", limit=1)
    assert [(slot.added_drive_s, slot.grade) for slot in found.slots] == [(0, Grade.A)]
    assert found.slots[0].effect == "nothing else moves; the day ends at 12:40 instead of 11:10"


def test_grades_fall_with_the_driving_that_is_added(slots: SlotTown) -> None:
    grades = {minutes: offers(slots, days=1, place=door(minutes)).slots[0].grade for minutes in (2, 7, 15, 40)}
    assert grades == {2: Grade.A, 7: Grade.B, 15: Grade.C, 40: Grade.D}


# --- another order ----------------------------------------------------------------------------------------------------


def full_tuesday(town: SlotTown) -> None:
    """Anna's Tuesday morning: far east by noon, then near home, in an order that leaves no gap long enough."""
    town.add((rep(**HALF_DAY), door()))
    town.book(promise("east", window=("09:00", "12:00"), service_minutes=30, place=door(30)), ["opportunity:east"])
    town.book(
        promise("near", window=("09:00", "12:00"), service_minutes=30, place=door(5)),
        ["opportunity:east", "opportunity:near"],
    )


def test_a_full_day_is_offered_in_another_order_and_says_so(slots: SlotTown) -> None:
    full_tuesday(slots)
    on = {"first_day": TUESDAY, "days": 1, "place": door(30), "service_minutes": 20, "hours": "Tu 11:10-12:00"}
    assert not offers(slots, **on, resequence=False).slots
    found = offers(slots, **on)
    assert found.resequenced == 1
    assert [slot.resequenced for slot in found.slots] == [True]
    assert found.slots[0].effect.startswith("the order of 2 visits changes")


# --- who --------------------------------------------------------------------------------------------------------------


def test_filters_choose_the_rep(slots: SlotTown) -> None:
    slots.add((rep("ben", skills=frozenset({"laser"}), languages=frozenset({"cy"})), door(12)))
    for wish in ({"rep_id": "ben"}, {"owner_rep_id": "ben"}, {"skills": frozenset({"Laser"})}, {"language": "CY"}):
        assert {slot.rep_id for slot in offers(slots, **wish).slots} == {"ben"}
    assert {slot.rep_id for slot in offers(slots).slots} == {"anna", "ben"}


def test_nothing_is_offered_after_the_last_day_that_counts(slots: SlotTown) -> None:
    assert {slot.day for slot in offers(slots, until=TUESDAY).slots} == {MONDAY, TUESDAY}


# --- nothing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"rep_id": "zoe"}, "there is no rep zoe"),
        ({"skills": frozenset({"laser"})}, "no rep has the skill laser"),
        ({"skills": frozenset({"laser"}), "rep_id": "anna"}, "Anna has not the skill laser"),
        ({"language": "fi", "rep_id": "anna"}, "Anna does not speak fi"),
        ({"first_day": date(2027, 3, 1)}, "visits are booked at most 60 days ahead"),
        ({"first_day": date.max}, "visits are booked at most 60 days ahead"),
        ({"service_minutes": 400}, "400 minutes do not fit between the breaks of any rep's day"),
        ({"language": "fi"}, "no rep speaks fi"),
        ({"first_day": MONDAY + timedelta(days=5), "days": 2}, "Anna does not work from 2026-12-05 to 2026-12-06"),
        (
            {"meaning": Meaning.WHOLE, "window_minutes": 30},
            "a visit of 60 minutes does not fit into a window of 30",
        ),
        (
            {"not_before": datetime(2026, 12, 4, 18, tzinfo=UTC)},
            "there is no window of 60 minutes within working hours from 2026-11-30 to 2026-12-04 that begins on "
            "2026-12-04 at 18:00 or later",
        ),
        ({"place": door(ISLAND)}, "no street leads there from where the reps start, and back"),
        (
            {"hours": "Mo-Su 18:00-22:00"},
            "the hours “Mo-Su 18:00-22:00” leave no room for 60 minutes in the reps' working hours",
        ),
        (
            {"place": door(300)},
            "it is too far: a day has too little time for 60 minutes there and at least 600 minutes of driving",
        ),
    ],
)
def test_the_first_thing_in_the_way_is_told(slots: SlotTown, wish: dict[str, Any], why: str) -> None:
    assert offers(slots, **wish).why_none == why


def test_who_lacks_what_is_told_of_those_who_have_the_rest(slots: SlotTown) -> None:
    slots.add((rep("ben", skills=frozenset({"laser"})), door()), (rep("cy", languages=frozenset({"fi"})), door()))
    wish = {"skills": frozenset({"laser"}), "language": "fi"}
    assert offers(slots, **wish).why_none == "no rep with the skill laser speaks fi"
    assert offers(slots, **wish, rep_id="ben").why_none == "Ben does not speak fi"


def test_full_days_are_told(slots: SlotTown) -> None:
    slots.book(promise("mill", window=("09:20", "09:21"), service_minutes=430), ["opportunity:mill"])
    assert offers(slots, first_day=TUESDAY, days=1).why_none == f"all days are full on Tue {TUESDAY}"


def test_without_reps_nobody_comes(empty_database: Path, tmp_path: Path) -> None:
    town = slot_town(tmp_path / "fieldvisit.sqlite", copy_of=empty_database)
    assert offers(town).why_none == "there are no reps"
    town.store.close()


# --- clock changes ----------------------------------------------------------------------------------------------------


SUNDAYS = [
    ("Europe/London", "2027-03-28"),
    ("Europe/London", "2026-10-25"),
    ("America/Vancouver", "2026-03-08"),
    ("America/Vancouver", "2026-11-01"),
]


@pytest.fixture(params=SUNDAYS)
def change(request: pytest.FixtureRequest, slots: SlotTown) -> tuple[SlotTown, date]:
    """Anna works on the Sunday on which the clocks change, from midnight to six, without a break."""
    zone, text = request.param
    sunday = date.fromisoformat(text)
    slots.now = datetime.combine(sunday - timedelta(days=2), time(12), UTC)
    night = {"work_start": time(0), "work_end": time(6), "break_minutes": 0, "break_window": None}
    slots.add((rep(timezone=zone, work_days=frozenset(range(7)), **night), door()))
    return slots, sunday


def test_windows_on_the_night_of_a_clock_change_are_real_times_and_truly_an_hour_long(
    change: tuple[SlotTown, date],
) -> None:
    town, sunday = change
    found = offers(town, first_day=sunday, days=1, not_before=town.now, service_minutes=30)
    assert found.slots
    for slot in found.slots:
        start, end, begin = (moment.astimezone(UTC) for moment in (slot.start, slot.end, slot.begin))
        assert end - start == timedelta(hours=1)
        assert start <= begin <= end
        assert slot.start.astimezone(UTC).astimezone(slot.start.tzinfo) == slot.start  # no time that the clocks skip
        assert slot.start.minute in (0, 30)


def test_a_night_shift_is_as_long_as_the_night_truly_is(change: tuple[SlotTown, date]) -> None:
    """Six hours on the clock are five in spring and seven in autumn: so much work there is room for."""
    town, sunday = change
    true_minutes = 5 * 60 if sunday.month == 3 else 7 * 60
    room = true_minutes - 10 - 5 - 10  # there, parking, back
    night = {"first_day": sunday, "days": 1, "not_before": town.now}
    assert offers(town, **night, service_minutes=room).slots
    assert not offers(town, **night, service_minutes=room + 1).slots


# --- the first visit --------------------------------------------------------------------------------------------------


def test_a_first_visit_that_fits_says_who_and_when(slots: SlotTown) -> None:
    slots.add((opportunity("mill"), door(10)))
    found = verdict(slots)
    assert found.fits
    assert found.deadline == FRIDAY
    assert found.slot is not None
    assert found.sentence == (
        "it fits: Anna can be there on Fri 2026-11-27 at 14:00, with 20 min more driving; "
        "the first visit is due by Fri 2026-12-04"
    )


def test_a_first_visit_goes_to_the_accounts_own_rep_where_that_is_possible(slots: SlotTown) -> None:
    slots.add((rep("ben"), door(12)), (account("works"), door(10)), (opportunity("mill", account_id="works"), door(10)))
    found = verdict(slots, account_id="works")
    assert found.slot is not None
    assert found.slot.rep_id == "anna"  # though Ben is nearer


def test_a_first_visit_that_does_not_fit_says_why(slots: SlotTown) -> None:
    slots.add((opportunity("mill"), door(ISLAND)))
    found = verdict(slots)
    assert found.fits is False
    assert found.sentence == (
        "it does not fit: no street leads there from where the reps start, and back; "
        "the first visit is due by Fri 2026-12-04"
    )


def test_a_first_visit_that_is_planned_or_promised_is_told_as_that(slots: SlotTown) -> None:
    slots.add((opportunity("mill"), door(10)))
    slots.publish(MONDAY)
    assert verdict(slots).sentence.startswith("it is planned already: Anna, ")
    slots.book(promise("mill"), ["opportunity:mill"])
    assert verdict(slots).sentence.startswith("it is promised: Anna, 2026-12-01 10:00–11:00")


def test_a_missed_deadline_is_told(slots: SlotTown) -> None:
    slots.add((opportunity("mill"), door(10)))
    found = verdict(slots, qualified_at=local("2026-11-02 10:00"))
    assert (found.fits, found.sentence) == (False, "the first visit was due by Mon 2026-11-09")


def test_nobody_can_say_whether_a_place_that_is_not_known_fits(slots: SlotTown) -> None:
    slots.add((opportunity("mill"), None))
    assert verdict(slots).fits is None
    assert verdict(slots).sentence.startswith("nobody knows yet where “mill road” is")
