"""Driving takes longer in the morning and in the evening, by the area's clock: plans, checks and slots know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from cast import (
    LONDON,
    MONDAY,
    SETTINGS,
    TUESDAY,
    Flatland,
    Town,
    account,
    door,
    local,
    opportunity,
    rep,
    stops,
)
from slots_cast import IRENE, TOWN, SlotTown

from planner.benchmarking.replanning import measure
from planner.benchmarking.scenario import make_scenario
from planner.errors import SettingsError
from planner.hotels.standing import snapshot_to_plan
from planner.hours import instant
from planner.plan_checks import broken_rules
from planner.planning import make_plan
from planner.rush_hours import changes, slowed
from planner.settings import RushHours, TrafficSettings, read_settings
from planner.slots import holding
from planner.slots.domain import Meaning
from planner.slots.holding import HoldAsk
from planner.slots.offering import Slot, SlotQuery, offer_slots
from routing.geo import LatLon
from routing.solver import Engine, SearchLimits
from routing.speeds import Slowdown
from routing.timing import Timeline
from routing.traffic import Change
from routing.travel_times import GreatCircleTravelTimes, TravelTimes

BUSY = TrafficSettings(morning="09:00-10:30", evening="16:00-18:30", morning_factors={"main_roads": 2.0})
"""On main roads it takes twice as long in the morning, and in the evening as ever is told by the defaults."""


class BusyTown(Flatland):
    """The town, all of whose streets are main roads."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def travel_times(self, places: Any) -> TravelTimes:
        times = super().travel_times(places)
        seconds = np.where(times.seconds > 0, np.ceil(times.seconds * self.factor), times.seconds)
        return TravelTimes(seconds.astype(np.int32), times.metres)

    def slowed(self, by: Slowdown) -> BusyTown:
        return BusyTown(by.main_roads)


def busy_town(traffic: TrafficSettings = BUSY) -> Town:
    town = Town(settings=replace(SETTINGS, traffic=traffic), source=BusyTown())
    town.add(rep())
    return town


def test_nothing_changes_where_no_hours_are_named() -> None:
    assert TrafficSettings().rush_hours == ()
    assert changes(TrafficSettings(), datetime(2026, 11, 30, tzinfo=UTC), MONDAY, MONDAY, LONDON) == ()
    assert slowed(Flatland(), TrafficSettings()) == ()
    town = Town(source=Flatland())
    town.add(rep())
    town.add(opportunity(), door(10))
    problem = town.translation().problem
    assert problem.tables == problem.traffic == ()


def test_rush_hours_are_those_of_the_clock_on_working_days() -> None:
    """From Friday to Monday: none at the weekend."""
    friday, hour = date(2026, 12, 4), 3600
    found = changes(BUSY, datetime(2026, 12, 4, tzinfo=UTC), friday, friday + timedelta(days=3), LONDON)
    ends = [(16, 2), (18.5, 0)]
    assert [(change.from_s / hour, change.table) for change in found[:5]] == [(0, 0), (9, 1), (10.5, 0), *ends]
    assert [(change.from_s / hour - 72, change.table) for change in found[5:9]] == [(9, 1), (10.5, 0), *ends]


def test_rush_hours_stay_with_the_clock_when_it_changes() -> None:
    """In the night to 29 March 2026 it goes forward by an hour."""
    friday, hour = date(2026, 3, 27), 3600
    found = changes(BUSY, datetime(2026, 3, 27, tzinfo=UTC), friday, friday + timedelta(days=3), LONDON)
    mornings = [change.from_s // hour for change in found if change.table == 1]
    assert mornings[:2] == [9, 3 * 24 + 9 - 1]
    sydney = changes(BUSY, datetime(2026, 3, 27, tzinfo=UTC), friday, friday, ZoneInfo("Australia/Sydney"))
    assert sydney[0] == Change(0, 0)
    assert [change.from_s // hour for change in sydney if change.table == 2] == [5]
    assert changes(BUSY, datetime(2026, 3, 27, 17, tzinfo=UTC), friday, friday, LONDON)[0] == Change(0, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('morning = "7-9"', "'7-9' is no time of day such as 07:00-09:30"),
        ('morning = "09:00-07:00"', "'09:00-07:00' ends before it begins"),
        ('morning = "07:00-12:00"\nevening = "11:00-13:00"', "morning '07:00-12:00' ends after evening"),
        ('days = ["Mon"]', "days names 'Mon'"),
        ("morning_factors = { roads = 2.0 }", "morning_factors names 'roads'"),
        ("evening_factors = { streets = 0.5 }", "evening_factors of streets is 0.5, not between 1 and 5"),
    ],
)
def test_rush_hours_that_cannot_be_are_named(tmp_path: Any, text: str, why: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[traffic]\n{text}\n")
    with pytest.raises(SettingsError, match=why.replace("[", r"\[")):
        read_settings(tmp_path, {})


def test_rush_hours_are_read_from_the_settings(tmp_path: Any) -> None:
    (tmp_path / "settings.toml").write_text('[traffic]\nmorning = "07:00-09:30"\nmorning_factors = { streets = 2 }\n')
    (rush,) = read_settings(tmp_path, {}).traffic.rush_hours
    assert rush == RushHours(local("2026-01-01 07:00").time(), local("2026-01-01 09:30").time(), Slowdown(1, 1, 2))


def test_a_visit_in_the_morning_is_driven_to_for_longer_than_one_at_noon_and_all_checks_hold() -> None:
    town = busy_town()
    for id_, at in (("early", "10:00"), ("noon", "12:00")):
        town.add(opportunity(id_, appointment=local(f"{TUESDAY} {at}")), door(20))
    plan = town.plan()
    early, noon = (stops(plan)[id_] for id_ in ("early", "noon"))
    assert early["drive_seconds"] == 2 * 20 * 60
    assert noon["drive_seconds"] == 0
    day = next(day for day in plan["rep_days"] if day["stops"])
    assert day["return_drive_seconds"] == 20 * 60
    assert day["start"]["time"] == f"{TUESDAY}T09:15:00+00:00"
    assert town.broken(plan) == []


def test_a_leg_across_the_end_of_the_morning_is_checked_to_the_second() -> None:
    town = busy_town()
    town.add(opportunity(appointment=local(f"{TUESDAY} 10:46"), visit_minutes=30), door(20))
    plan = town.plan()
    stop = stops(plan)["mill"]
    # Parked at 10:46, there at 10:41: eleven minutes on free roads, and eighteen for the nine before.
    assert stop["drive_seconds"] == 29 * 60
    assert town.broken(plan) == []
    for drive_seconds in (20 * 60, 29 * 60 - 1, 29 * 60 + 2, 40 * 60):
        stop["drive_seconds"] = drive_seconds
        assert any("the leg takes" in sentence for sentence in town.broken(plan))


def test_who_could_be_there_at_midday_only_is_not_planned_for_the_morning() -> None:
    """Fifty minutes' drive, an hour and forty in the rush: at 9:50 nobody can be there who starts work at nine."""
    hours = {"availability": "Tu 09:00-10:20", "visit_minutes": 30}
    free, busy = Town(), busy_town()
    free.add(rep())
    for town in (free, busy):
        town.add(opportunity(**hours), door(40))
    assert stops(free.plan())
    plan = busy.plan()
    assert not stops(plan)
    assert plan["unplanned"][0]["reason"] == "outside_hours"


@pytest.mark.parametrize("engine", Engine)
def test_every_engine_keeps_the_hours(engine: Engine) -> None:
    town = busy_town()
    town.add(rep("ben"))
    for n in range(12):
        town.add(account(f"a{n}", owner_rep_id="", last_visit=date(2026, 10, 1)), door(3 * n, (n * 7) % 11))
    limits = SearchLimits(work=6, seed=1, engine=engine)
    plan = make_plan(town.snapshot(), "town", town.source, MONDAY, 1, limits, town.settings)
    assert len(stops(plan)) > 4
    assert town.broken(plan) == []


def test_the_problem_has_a_table_for_each_rush_hour() -> None:
    town = busy_town()
    town.add(opportunity(), door(10))
    translation = town.translation()
    problem = translation.problem
    (mill,) = problem.jobs
    at = [translation.clock.at(local(f"{TUESDAY} {clock}")) for clock in ("09:00", "12:00", "17:00")]
    drives = [problem.arrive_s(problem.shifts[0].start_place, mill.place, t) - t for t in at]
    assert drives == [2 * 600, 600, 840]
    assert problem.metres[problem.shifts[0].start_place][mill.place] == 5000
    timeline = Timeline.of(problem, problem.shifts[1], [mill])
    assert timeline.feasible


def busy_slots(town: SlotTown) -> SlotTown:
    town.source = BusyTown()
    town.with_settings(traffic=BUSY).add((rep(), door()), (opportunity(), door(20)))
    return town


def offered(town: SlotTown, **changes: Any) -> dict[str, Slot]:
    """Half an hour's visit twenty minutes away, on Tuesday: by the beginning of its window."""
    usual: dict[str, Any] = {
        "place": door(20),
        "service_minutes": 30,
        "first_day": TUESDAY,
        "days": 1,
        "window_minutes": 30,
        "meaning": Meaning.ARRIVE,
        "not_before": town.now,
        "limit": 30,
    }
    with town.reading() as unit:
        offers = offer_slots(unit, town.agendas, TOWN, SlotQuery(**(usual | changes)), town.settings, town.now)
    return {f"{slot.start:%H:%M}": slot for slot in offers.slots}


def test_a_slot_in_the_rush_adds_more_driving_and_others_are_offered_first(slots: SlotTown) -> None:
    found = offered(busy_slots(slots))
    assert min(found) == "11:00"
    assert {slot.added_drive_s for slot in found.values()} == {40 * 60}
    # Forty minutes there and, from a quarter past ten on, fifteen at the one speed and twelve and a half at the other.
    early = offered(slots, hours="Tu 09:00-10:15")
    assert {start: slot.added_drive_s for start, slot in early.items()} == {"09:30": 67.5 * 60}
    assert min(offered(slots.with_settings(traffic=TrafficSettings()))) == "09:00"


def test_what_is_booked_for_the_morning_is_shown_with_its_true_driving(slots: SlotTown) -> None:
    busy_slots(slots).publish(MONDAY)
    starts, ends = (instant(local(f"{TUESDAY} {clock}"), LONDON) for clock in ("10:00", "10:10"))
    ask = HoldAsk("anna", TUESDAY, starts, ends, Meaning.ARRIVE, 30, door(0, 20), "Cafe", "2 Mill Road")
    hold = holding.hold(slots.store, IRENE, slots.agendas, TOWN, ask, "h1", "irene", slots.settings)
    deal = opportunity("cafe", visit_minutes=30)
    holding.confirm(slots.store, IRENE, slots.agendas, TOWN, hold.id, deal, slots.settings)
    plan = slots.published()
    assert stops(plan)["cafe"]["drive_seconds"] >= 2 * 20 * 60
    with slots.reading() as unit:
        assert broken_rules(plan, snapshot_to_plan(unit, TOWN, slots.settings), slots.source, slots.settings) == []


def test_nobody_is_promised_a_time_that_the_rush_takes_away(slots: SlotTown) -> None:
    """An hour from home, who leaves at half past three is back in time, and who leaves at four on free roads only."""
    asked = {"place": door(60), "meaning": Meaning.WHOLE, "hours": "Tu 15:30-17:00"}
    assert not offered(busy_slots(slots), **asked)
    assert list(offered(slots.with_settings(traffic=TrafficSettings()), **asked)) == ["15:30"]


def test_what_happens_on_busy_days_is_mended_without_a_broken_rule() -> None:
    streets, doors = GreatCircleTravelTimes(kmh=30), [LatLon(51.5 + 0.008 * i, -3 + 0.01 * i) for i in range(15)]
    scenario = make_scenario(streets.slowed(Slowdown(main_roads=2)), doors, 1, 1, 1, SETTINGS)
    figures = measure(scenario, streets, 6, 1, replace(SETTINGS, traffic=BUSY))
    assert figures.mended > 0
    wrong = figures.promises_moved, figures.promises_given_up, figures.rule_violations, figures.not_as_shown
    assert wrong == (0, 0, 0, 0)
