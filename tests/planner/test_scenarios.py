"""Scenarios are kept, applied as a whole or not at all, and undone; until then nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from cast import TUESDAY, account, door, promise
from scenario_cast import AREA, CLEO, HOURS, MONA, NOW, Shop, changes, town_of_two

from planner.access import Actor, Scope
from planner.errors import NotFoundError, RefusedError
from planner.scenarios.applying import InTheWayError, RecordsChangedError, undo_of
from planner.scenarios.domain import ScenarioState
from planner.scenarios.keeping import (
    MOST_SCENARIOS,
    PartOfAreaError,
    ScenarioChangedError,
    WorkedOut,
    change_scenario,
    create_scenario,
    find_scenario,
    keep_outcome,
    remove_scenario,
    request_computation,
    scenarios_of,
)
from planner.scenarios.outcome import outcome_of
from planner.settings import JobSettings, Settings


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, town_of_two())


def test_a_scenario_touches_nothing_until_it_is_applied(shop: Shop) -> None:
    before = shop.reps(), shop.accounts()
    with shop.store.read() as unit:
        stamp = unit.records(AREA).stamp()
    shop.computed(even=False, pins={"c00": "ben"}, removed=[], new_reps=[CLEO], segments={"B": 14})
    assert (shop.reps(), shop.accounts()) == before
    with shop.store.read() as unit:
        assert unit.records(AREA).stamp() == stamp


def test_two_managers_do_not_overwrite_each_other(shop: Shop) -> None:
    made = shop.made()
    with shop.store.write(MONA) as unit:
        change_scenario(unit, AREA, made.id, 1, changes(segments={"B": 7}))
    with shop.store.write(MONA) as unit:
        with pytest.raises(ScenarioChangedError) as caught:
            change_scenario(unit, AREA, made.id, 1, changes(segments={"B": 28}))
        assert caught.value.present.revision == 2
        # What is so already may be wished for by anybody.
        assert change_scenario(unit, AREA, made.id, 1, changes(segments={"B": 7})).revision == 2
        unit.audit("test")


def test_what_was_worked_out_is_that_of_before_once_something_is_changed_but_not_once_it_is_renamed(
    shop: Shop,
) -> None:
    computed = shop.computed(even=False, pins={"c00": "ben"})
    assert computed.state is ScenarioState.COMPUTED
    with shop.store.write(MONA) as unit:
        renamed = change_scenario(unit, AREA, computed.id, 1, changes(even=False, pins={"c00": "ben"}), "Spring")
        assert (renamed.state, renamed.revision, renamed.name) == (ScenarioState.COMPUTED, 2, "Spring")
        changed = change_scenario(unit, AREA, computed.id, 2, changes(even=False))
    assert changed.state is ScenarioState.DRAFT
    assert changed.result == computed.result
    with pytest.raises(RefusedError, match="work it out first"):
        shop.apply(changed)


def test_an_outcome_of_changes_that_have_been_changed_since_does_not_count(shop: Shop) -> None:
    computed = shop.computed(even=False, pins={"c00": "ben"})
    assert computed.result is not None
    outcome = outcome_of(computed.result)
    with shop.store.write(MONA) as unit:
        change_scenario(unit, AREA, computed.id, 1, changes(even=False))
        assert not keep_outcome(unit, AREA, computed.id, WorkedOut(computed.changes, outcome), NOW)
        assert not keep_outcome(unit, AREA, "gone", WorkedOut(computed.changes, outcome), NOW)
        assert find_scenario(unit, AREA, computed.id).state is ScenarioState.DRAFT


def test_a_scenario_is_applied_as_a_whole_and_told_in_the_audit_log_with_what_was_before(shop: Shop) -> None:
    computed = shop.computed(
        even=False,
        pins={"c00": "cleo", "c15": "anna"},
        hours={"anna": {**HOURS, "work_days": [0, 1], "work_end": "13:00"}},
        new_reps=[CLEO],
        accounts={"c01": 14, "c02": None},
    )
    applied = shop.apply(computed)
    assert (applied.state, applied.applied_by, applied.applied_at) == (ScenarioState.APPLIED, "user:mona", NOW)
    reps, accounts = shop.reps(), shop.accounts()
    assert (reps["anna"].work_days, reps["anna"].work_end) == ({0, 1}, time(13))
    assert reps["anna"].break_minutes == 30
    assert (reps["cleo"].name, reps["cleo"].timezone) == ("Cleo", "Europe/London")
    assert [each.place for each in shop.locations() if each.record_id == "cleo"] == [door(20, 20)]
    assert (accounts["c00"].owner_rep_id, accounts["c15"].owner_rep_id) == ("cleo", "anna")
    assert (accounts["c01"].cadence_days, accounts["c02"].cadence_days) == (14, None)
    assert accounts["c03"] == replace(account("c03", owner_rep_id="anna", cadence_days=7, visit_minutes=60))
    with shop.store.read() as unit:
        (entry,) = [each for each in unit.audit_log.entries() if each.action == "scenario.applied"]
    assert entry.details["accounts_before"] == {
        "c00": {"rep": "anna", "cadence_days": 7},
        "c01": {"rep": "anna", "cadence_days": 7},
        "c02": {"rep": "anna", "cadence_days": 7},
        "c15": {"rep": "ben", "cadence_days": 7},
    }
    assert entry.details["reps_before"] == {"anna": HOURS}
    assert (entry.details["moved"], entry.details["new_reps"]) == (2, ["cleo"])


def test_a_segments_cadence_is_applied_to_each_of_its_customers_and_a_single_ones_comes_first(shop: Shop) -> None:
    shop.apply(shop.computed(even=False, segments={"B": 28}, accounts={"c05": 3}))
    cadences = {id_: each.cadence_days for id_, each in shop.accounts().items()}
    assert cadences.pop("c05") == 3
    assert set(cadences.values()) == {28}


def test_a_rep_who_leaves_has_no_working_days_and_no_customers(shop: Shop) -> None:
    shop.apply(shop.computed(even=False, removed=["ben"]))
    assert shop.reps()["ben"].work_days == frozenset()
    assert set(shop.owners().values()) == {"anna"}


def test_what_was_applied_is_undone_by_the_scenario_of_the_reverse(shop: Shop) -> None:
    reps, accounts = shop.reps(), shop.accounts()
    first = shop.computed(
        even=False, removed=["ben"], new_reps=[CLEO], pins={"c15": "cleo"}, segments={"B": 28}, hours={"anna": HOURS}
    )
    applied = shop.apply(first)
    shop.apply(shop.computed("Undo", **undo_of(applied).as_json()))
    assert shop.accounts() == accounts
    assert {id_: each for id_, each in shop.reps().items() if id_ != "cleo"} == reps
    assert shop.reps()["cleo"].work_days == frozenset()


def test_only_what_was_applied_can_be_undone_and_it_stays(shop: Shop) -> None:
    computed = shop.computed(even=False, pins={"c00": "ben"})
    with pytest.raises(RefusedError, match="nothing to undo"):
        undo_of(computed)
    applied = shop.apply(computed)
    with shop.store.write(MONA) as unit:
        with pytest.raises(RefusedError, match="applied"):
            remove_scenario(unit, AREA, applied.id)
        with pytest.raises(RefusedError, match="applied"):
            change_scenario(unit, AREA, applied.id, applied.revision, changes())
        with pytest.raises(RefusedError, match="applied"):
            request_computation(unit, AREA, applied.id, "user:mona", NOW, "j1", Settings(Path(), ""))
    with pytest.raises(RefusedError, match="already"):
        shop.apply(applied)


def test_nothing_is_applied_once_records_have_changed_since(shop: Shop) -> None:
    computed = shop.computed(even=False, pins={"c00": "ben"})
    shop.rename("c03")
    before = shop.accounts()
    with pytest.raises(RecordsChangedError, match="work it out again"):
        shop.apply(computed)
    assert shop.accounts() == before


def test_who_came_since_is_not_left_with_a_rep_who_leaves(shop: Shop) -> None:
    computed = shop.computed(even=False, removed=["anna"])
    with shop.store.write(MONA) as unit:
        unit.records(AREA).save(account("new", owner_rep_id="anna"))
        unit.audit("account.saved", area=AREA)
    with pytest.raises(RecordsChangedError):
        shop.apply(computed)
    shop.apply(shop.computed("Again", even=False, removed=["anna"]))
    assert shop.owners()["new"] == "ben"


def test_promises_stay_with_their_rep_and_keep_hours_from_being_taken_away(shop: Shop) -> None:
    booked = promise("mill", "ben", TUESDAY, area=AREA)
    with shop.store.write(MONA) as unit:
        unit.bookings.put(booked)
        unit.audit("booking.promised", area=AREA)
    leaving = shop.computed("Leaving", even=False, removed=["ben"])
    with pytest.raises(InTheWayError, match="1 visits are promised") as caught:
        shop.apply(leaving)
    assert caught.value.promises == (booked,)
    assert shop.reps()["ben"].work_days
    afternoons = shop.computed("Late", even=False, hours={"ben": {**HOURS, "work_start": "11:30"}})
    with pytest.raises(InTheWayError):
        shop.apply(afternoons)
    mornings = shop.computed("Early", even=False, hours={"ben": {**HOURS, "work_end": "12:00"}}, pins={"c15": "anna"})
    shop.apply(mornings)
    with shop.store.read() as unit:
        assert unit.bookings.find(area=AREA) == [booked]


def test_a_promise_of_the_past_stands_in_nobodys_way(shop: Shop) -> None:
    with shop.store.write(MONA) as unit:
        unit.bookings.put(promise("mill", "ben", NOW.date() - timedelta(days=4), area=AREA))
        unit.audit("booking.promised", area=AREA)
    shop.apply(shop.computed(even=False, removed=["ben"]))


def test_who_sees_a_part_of_the_area_applies_nothing(shop: Shop) -> None:
    computed = shop.computed(even=False, pins={"c00": "ben"})
    with pytest.raises(PartOfAreaError, match="somebody who sees all of them"):
        shop.apply(computed, Actor("user:team", Scope("town", frozenset({"anna"}))))


def test_of_two_who_apply_at_once_one_is_refused(shop: Shop) -> None:
    first, second = (shop.computed(name, even=False, pins={"c00": "ben"}) for name in ("One", "Two"))
    shop.apply(first)
    with pytest.raises(RecordsChangedError):
        shop.apply(second)


def test_scenarios_are_listed_newest_first_and_there_are_not_endlessly_many(shop: Shop) -> None:
    with shop.store.write(MONA) as unit:
        for number in range(MOST_SCENARIOS):
            at = NOW + timedelta(minutes=number)
            create_scenario(unit, AREA, f"{number}", changes(), "user:mona", at, f"s{number}")
        assert [each.name for each in scenarios_of(unit, AREA)][:2] == ["49", "48"]
        with pytest.raises(RefusedError, match="remove one"):
            create_scenario(unit, AREA, "x", changes(), "user:mona", NOW, "x")
        remove_scenario(unit, AREA, "s0")
        create_scenario(unit, AREA, "x", changes(), "user:mona", NOW, "x")
        with pytest.raises(NotFoundError):
            find_scenario(unit, AREA, "s0")
        with pytest.raises(NotFoundError):
            find_scenario(unit, "elsewhere", "x")


def test_working_a_scenario_out_is_a_job_and_asking_twice_is_asking_once(shop: Shop) -> None:
    made, settings = shop.made(), Settings(Path(), "", jobs=JobSettings(waiting_per_person=2))
    with shop.store.write(MONA) as unit:
        for job_id in ("j1", "j2"):
            request_computation(unit, AREA, made.id, "user:mona", NOW, job_id, settings)
        states = {job.id: job.state for job in unit.jobs.find()}
        assert states == {"j1": "replaced", "j2": "waiting"}
        assert find_scenario(unit, AREA, made.id).job_id == "j2"
        other = create_scenario(unit, AREA, "Other", changes(), "user:mona", NOW, "other")
        request_computation(unit, AREA, other.id, "user:mona", NOW, "j3", settings)
        assert unit.jobs.find(state="waiting")[0].id == "j2"
        third = create_scenario(unit, AREA, "Third", changes(), "user:mona", NOW, "third")
        with pytest.raises(RefusedError, match="waiting already"):
            request_computation(unit, AREA, third.id, "user:mona", NOW, "j4", settings)
