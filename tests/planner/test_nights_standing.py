"""Days around a night away, as they stand: booked into, told on paper and on the phone, published anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from cast import LONDON, MONDAY, TUESDAY, WEDNESDAY, door, opportunity
from nights_cast import BEAR, publish_away
from replanning_cast import Phone, at
from slots_cast import IRENE, TOWN, SlotTown

from planner.access import Scope
from planner.calendars import rep_calendar
from planner.day_sheets import DaySheet, sheets
from planner.errors import RefusedError
from planner.fieldwork.phone.document import PhoneDay
from planner.fieldwork.phone.making import phone_document, phone_scope
from planner.fieldwork.phone.reading import Asking
from planner.gpx import NAMESPACE, gpx
from planner.hotels.domain import Nights
from planner.hotels.standing import nights_seen, snapshot_to_plan
from planner.mailing.composing import compose, evening_template
from planner.plan_checks import broken_rules
from planner.plan_document import RepDay
from planner.planning import make_plan
from planner.slots import holding
from planner.slots.bookable import HoldAsk
from planner.slots.domain import Meaning
from planner.slots.offering import SlotQuery, offer_slots
from routing.solver import SearchLimits


@pytest.fixture
def away(slots: SlotTown) -> SlotTown:
    """Anna's Monday ends at the Bear, her Tuesday starts there."""
    publish_away(slots)
    return slots


def entry(town: SlotTown, number: int) -> RepDay:
    return town.published()["rep_days"][number]


def broken(town: SlotTown) -> list[str]:
    with town.reading() as unit:
        snapshot = snapshot_to_plan(unit, TOWN, town.settings)
    return broken_rules(town.published(), snapshot, town.source, town.settings)


def promise(town: SlotTown, clock: str, east: float, **changes: Any) -> None:
    start = at(clock)
    ask = HoldAsk("anna", TUESDAY, start, start + timedelta(hours=1), Meaning.ARRIVE, 60, door(east), "Mill", "1 Road")
    made = (town.store, IRENE, town.agendas, TOWN)
    hold = holding.hold(*made, replace(ask, **changes), "h1", "irene@example.com", town.settings)
    holding.confirm(*made, hold.id, opportunity(), town.settings)


# ---- booked into


def test_the_day_after_starts_at_the_hotel_for_whoever_books_into_it(away: SlotTown) -> None:
    monday, tuesday = away.day(MONDAY), away.day(TUESDAY)
    assert (monday.start, monday.working_day.end) == (door(0), BEAR.place)
    assert (tuesday.start, tuesday.working_day.end) == (BEAR.place, door(0))
    assert tuesday.timed() is not None
    agenda = away.agenda(MONDAY, 2)
    assert [day.itinerary for day in agenda.days] != []
    assert [day.working_day.start for day in agenda.days] == [door(0), BEAR.place]


def test_a_time_is_offered_that_only_somebody_at_the_hotel_can_keep(away: SlotTown) -> None:
    """Half past nine in the morning, two and a half hours from home."""
    query = SlotQuery(
        place=door(149), service_minutes=30, first_day=TUESDAY, days=1, window_minutes=30,
        meaning=Meaning.ARRIVE, not_before=datetime(2026, 11, 27, 14, tzinfo=UTC), limit=30,
    )  # fmt: skip
    with away.reading() as unit:
        found = offer_slots(unit, away.agendas, TOWN, query, away.settings, away.now)
    first = min(found.slots, key=lambda slot: slot.start)
    assert f"{first.start:%H:%M}" == "09:00"
    assert first.added_drive_s == 2 * 60


def test_a_promise_on_the_day_after_a_night_keeps_the_night_and_every_rule(away: SlotTown) -> None:
    promise(away, "09:00", 149, service_minutes=30)
    tuesday = entry(away, 1)
    assert tuesday["start"].get("hotel") == entry(away, 0)["end"].get("hotel") != None  # noqa: E711
    assert [stop["drive_seconds"] for stop in tuesday["stops"]] == [60, 5 * 60, 60]
    assert tuesday["return_drive_seconds"] == 153 * 60
    assert broken(away) == []


# ---- told


def sheet(town: SlotTown, number: int) -> DaySheet:
    return sheets(town.store, Scope(area=TOWN), TOWN, "anna", MONDAY, TUESDAY)[number]


def test_the_sheet_of_a_day_says_where_it_ends_and_the_next_where_it_starts(away: SlotTown) -> None:
    where = "The Bear, 3 Mill Lane, Farvalley"
    monday, tuesday = sheet(away, 0), sheet(away, 1)
    assert (monday.starts_at, monday.ends_at) == ("1 Office Park", where)
    assert (tuesday.starts_at, tuesday.ends_at) == (where, "1 Office Park")


def test_the_evening_mail_says_where_to_sleep(away: SlotTown) -> None:
    template = evening_template(away.settings.home)
    mail = compose(template, sheet(away, 0), "anna@example.com", away.settings, away.now).get_content()
    assert "from 1 Office Park, stay overnight at The Bear, 3 Mill Lane, Farvalley, there at about" in mail
    mail = compose(template, sheet(away, 1), "anna@example.com", away.settings, away.now).get_content()
    assert "from The Bear, 3 Mill Lane, Farvalley, back at about" in mail


def test_the_calendar_has_the_night(away: SlotTown) -> None:
    text = rep_calendar([sheet(away, 0), sheet(away, 1)], "Anna").decode().replace("\r\n ", "")
    assert text.count("SUMMARY:Stay overnight at The Bear") == 1
    assert text.count("LOCATION:The Bear\\, 3 Mill Lane\\, Farvalley") == 2  # the night, and leaving in the morning


def test_the_track_has_the_hotel_as_a_waypoint(away: SlotTown) -> None:
    def names(number: int) -> list[str | None]:
        return [each.findtext(f"{{{NAMESPACE}}}name") for each in root(number).findall(f"{{{NAMESPACE}}}wpt")]

    def root(number: int) -> ElementTree.Element:
        return ElementTree.fromstring(gpx(sheet(away, number), []))

    assert names(0)[-1] == "Overnight: The Bear"
    assert names(1)[0] == "Start: The Bear"


def test_the_phone_knows_where_both_days_begin_and_end(away: SlotTown) -> None:
    with away.store.read(phone_scope(Scope(area=TOWN), TOWN, "anna")) as unit:
        asking = Asking({"id": "u-anna", "name": "Anna"}, True, {}, frozenset(range(5)), LONDON)
        document = phone_document(unit, TOWN, "anna", MONDAY, 2, asking, away.settings, away.now)
    days: list[PhoneDay] = document["days"]
    night = days[0]["end"]
    assert (night["hotel"], night["address"]) == ("The Bear", "3 Mill Lane, Farvalley")
    assert any(link["url"].startswith("geo:0.000000,0.150000") for link in night["links"])
    assert (days[0]["start"]["hotel"], days[1]["start"]["hotel"], days[1]["end"]["hotel"]) == ("", "The Bear", "")


# ---- slipped


def test_who_runs_late_is_told_when_they_are_at_the_hotel(away: SlotTown) -> None:
    away.now = at("06:00", MONDAY)
    phone = Phone(away, MONDAY)
    phone.visits("account:abbey", "11:30", "13:30")
    shown = entry(away, 0)
    assert shown["end"].get("hotel", {}).get("name") == "The Bear"
    assert away.day(MONDAY).working_day.end == BEAR.place


# ---- published anew


def test_the_nights_that_reps_see_are_known_to_the_next_plan(away: SlotTown) -> None:
    with away.reading() as unit:
        nights = nights_seen(unit, TOWN)
    assert {key: night.name for key, night in nights.away.items()} == {("anna", MONDAY): "The Bear"}
    assert nights.settled == frozenset()


def test_a_plan_from_the_next_morning_starts_at_the_hotel(away: SlotTown) -> None:
    plan = away.publish(TUESDAY, 2)
    assert plan["rep_days"][0]["start"].get("hotel", {}).get("name") == "The Bear"
    assert broken(away) == []
    assert away.day(TUESDAY).start == BEAR.place


def test_a_plan_of_the_day_before_ends_at_the_hotel_from_which_the_next_day_starts(away: SlotTown) -> None:
    before = entry(away, 1)
    plan = away.publish(MONDAY, 1)
    assert plan["rep_days"][0]["end"].get("hotel", {}).get("name") == "The Bear"
    assert entry(away, 1) == before
    assert away.day(TUESDAY).start == BEAR.place
    assert broken(away) == []


def test_no_plan_is_published_that_wakes_a_rep_elsewhere(away: SlotTown) -> None:
    """It was made before anybody knew of the night."""
    with away.reading() as unit:
        snapshot = replace(snapshot_to_plan(unit, TOWN, away.settings), hotels=(), nights=Nights())
    plan = make_plan(snapshot, TOWN, away.source, TUESDAY, 2, SearchLimits(work=1, seed=1), away.settings)
    with pytest.raises(RefusedError, match=r"Anna spends the night after 2026-11-30 at The Bear"):
        away.publish_document(plan)


def test_a_day_that_has_begun_keeps_its_night_when_another_plan_is_published(away: SlotTown) -> None:
    away.now = at("12:00", MONDAY)
    Phone(away, MONDAY).visits("account:abbey", "11:30")
    plan = away.publish(MONDAY, 2)
    assert [day["start"].get("hotel", {}).get("name") for day in plan["rep_days"]] == [None, "The Bear"]
    assert away.day(TUESDAY).start == BEAR.place


def test_a_promise_beyond_the_plan_starts_from_home(away: SlotTown) -> None:
    assert away.day(WEDNESDAY).start == door(0)
