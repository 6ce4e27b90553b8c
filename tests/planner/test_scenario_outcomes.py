"""What a scenario comes to: the work is evened out as far as pins, people and places let it, and before is what is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from cast import MONDAY, SETTINGS, Flatland, Town, account, door, opportunity
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_cast import AREA, CLEO, HOURS, LIMITS, material, town_of_two, worked_out

from planner.coverage.making import make_coverage
from planner.coverage.material import HandedOff
from planner.errors import PlannerError
from planner.scenarios.changes import changes_of
from planner.scenarios.computing import work_out
from planner.scenarios.outcome import Month, Outcome, Standing, Why, outcome_of, spread


def owners(outcome: Outcome, town: Town) -> dict[str, str]:
    before = {each.id: each.owner_rep_id for each in town.snapshot().accounts}
    return before | {move.account_id: move.after for move in outcome.moves}


def months(outcome: Outcome) -> dict[str, Month]:
    return {rep.rep_id: rep.after for rep in outcome.reps}


def test_an_even_split_evens_the_work_out_in_one_piece_each() -> None:
    town = town_of_two(12, 4)
    outcome = worked_out(town)
    before, after = outcome.spread(after=False), outcome.spread(after=True)
    assert before is not None
    assert after is not None
    assert before > 1.4
    assert after < 1.1
    assert outcome.contiguous
    assert outcome.gap is not None
    # Customers lie in a row from Anna's home to Ben's: Ben's begin where Anna's end.
    given = owners(outcome, town)
    assert [given[id_] for id_ in sorted(given)] == sorted(given.values())
    assert {move.why for move in outcome.moves} == {Why.EVEN}
    assert outcome.broken == len(outcome.moves) > 0


def test_who_is_within_a_tenth_of_the_mean_gives_nobody_away() -> None:
    town = town_of_two(10, 9)
    assert not worked_out(town).moves
    assert worked_out(town_of_two(12, 8), prices={"band": 0, "broken_minutes": 0}).moves


def test_customers_who_lie_among_anothers_stay_unless_all_have_to_lie_together() -> None:
    town = town_of_two(8, 8)
    mixed = {"c03": "ben", "c12": "anna"}
    town.records = [replace(r, owner_rep_id=mixed[r.id]) if r.id in mixed else r for r in town.records]  # type: ignore[call-arg]
    stays = worked_out(town, prices={"apart": 0})
    assert (stays.moves, stays.contiguous) == ((), False)
    together = worked_out(town, prices={"one_piece": True})
    assert {move.account_id for move in together.moves} >= mixed.keys()
    assert together.contiguous


def test_every_move_to_even_the_work_out_is_from_a_fuller_rep_above_the_mean() -> None:
    outcome = worked_out(town_of_two(12, 4), new_reps=[CLEO])
    loads = {rep.rep_id: (rep.before.needed if rep.before else 0.0) / rep.after.there for rep in outcome.reps}
    mean = sum(rep.before.needed for rep in outcome.reps if rep.before) / outcome.after.there
    for move in outcome.moves:
        assert (move.why is Why.EVEN) == (loads[move.before] > max(mean, loads[move.after]))
        assert move.why is not Why.DRIVING or move.saved >= 1


def test_it_is_in_one_piece_where_nobodys_customers_lie_apart_also_where_only_who_leaves_is_shared_out() -> None:
    for anna in range(4, 9):
        outcome = worked_out(town_of_two(anna, 4), even=False, removed=["ben"])
        assert outcome.contiguous == all(rep.after.apart == 0 for rep in outcome.reps)
        assert outcome.contiguous


def test_before_is_what_the_pages_about_coverage_say() -> None:
    town = town_of_two()
    known = material(town)
    coverage = make_coverage(known, AREA, Flatland(), SETTINGS)
    outcome = worked_out(town, even=False)
    for rep, row in zip(outcome.reps, coverage.reps, strict=True):
        assert rep.before is not None
        assert rep.before == rep.after
        assert (rep.before.needed, rep.before.there) == pytest.approx((row.needed, row.there))
    assert outcome.gap is None
    assert not outcome.moves


def test_a_pinned_customer_stays_whatever_it_costs() -> None:
    town = town_of_two(12, 4)
    moved = worked_out(town).moves[0]
    again = owners(worked_out(town, pins={moved.account_id: "anna"}), town)
    assert again[moved.account_id] == "anna"
    away = worked_out(town, even=False, pins={"c00": "ben"})
    assert [(move.account_id, move.after, move.why) for move in away.moves] == [("c00", "ben", Why.PINNED)]


def test_the_dearer_a_broken_relationship_the_fewer_are_broken() -> None:
    town = town_of_two(12, 4)
    cheap, dear = (worked_out(town, prices={"broken_minutes": minutes}).broken for minutes in (0, 10_000))
    assert dear == 0 < cheap


def test_customers_of_a_rep_who_leaves_get_another_one_and_nobody_else_moves_unless_asked() -> None:
    town = town_of_two(6, 6)
    town.add(account("dormant", owner_rep_id="ben", last_order=date(2020, 1, 1)), door(20))
    town.add(account("lost", owner_rep_id="ben"), lost=True)
    outcome = worked_out(town, even=False, removed=["ben"])
    assert {move.before for move in outcome.moves} == {"ben"}
    assert {move.why for move in outcome.moves} == {Why.LEAVES}
    assert set(owners(outcome, town).values()) == {"anna"}
    ben = next(rep for rep in outcome.reps if rep.rep_id == "ben")
    assert (ben.standing, ben.after.customers, ben.after.there) == (Standing.LEAVES, 0, 0.0)
    assert any("without a place" in note for note in outcome.notes)


def test_somebody_new_takes_work_off_the_others() -> None:
    town = town_of_two(8, 8)
    outcome = worked_out(town, new_reps=[CLEO])
    cleo = outcome.reps[-1]
    assert (cleo.rep_id, cleo.standing, cleo.before) == ("cleo", Standing.NEW, None)
    assert cleo.after.customers > 0
    assert months(outcome)["anna"].needed < outcome.reps[0].before.needed  # type: ignore[union-attr]


def test_who_works_half_the_hours_gets_about_half_the_work() -> None:
    town = town_of_two(8, 8)
    half = {**HOURS, "work_end": "13:00"}
    after = months(worked_out(town, hours={"ben": half}, prices={"broken_minutes": 0}))
    loads = [after[rep].load or 0 for rep in ("anna", "ben")]
    assert loads[0] == pytest.approx(loads[1], abs=0.12)
    assert after["ben"].needed < after["anna"].needed


def test_another_cadence_takes_other_hours() -> None:
    town = town_of_two(4, 4)
    usual, twice = (months(worked_out(town, even=False, **more)) for more in ({}, {"segments": {"B": 14}}))
    assert twice["anna"].visits == pytest.approx(usual["anna"].visits / 2)
    one = months(worked_out(town, even=False, accounts={"c00": None}))
    assert one["anna"].visits < usual["anna"].visits


def test_hours_that_do_not_suffice_are_said_in_hours_and_visits_and_no_cadence_is_stretched() -> None:
    month = Month(customers=10, visits=40, service=2400, driving=600, there=1500)
    assert (month.needed, month.shortfall, month.undone, month.load) == (3000, 1500, 20, 2.0)
    assert Month(visits=2, service=60, opportunities=900, there=500).undone == 2
    assert Month(there=100, service=40, visits=1).undone == 0
    assert Month(service=40, visits=1).load is None


def test_nobodys_customers_get_a_rep_without_a_relationship_being_broken() -> None:
    town = town_of_two(4, 4)
    town.add(account("orphan", owner_rep_id="", cadence_days=7), door(10))
    outcome = worked_out(town)
    (move,) = [each for each in outcome.moves if each.account_id == "orphan"]
    assert (move.before, move.why) == ("", Why.UNOWNED)
    assert outcome.broken == len(outcome.moves) - 1
    assert not worked_out(town, even=False).moves


def test_what_inside_sales_hands_over_comes_with_the_customers_around_it() -> None:
    town = town_of_two(6, 6)
    deal = opportunity("mill")
    town.add(deal, door(27))
    known = replace(material(town), handed_off=(HandedOff(deal, "ben", 30),))
    changes = changes_of({"even": False, "removed": ["ben"]})
    outcome = work_out(known, 1, AREA, changes, Flatland(), SETTINGS, LIMITS)
    before = {rep.rep_id: rep.before.opportunities for rep in outcome.reps if rep.before}
    assert before["anna"] == 0 < before["ben"]
    assert months(outcome)["ben"].opportunities == 0
    assert months(outcome)["anna"].opportunities > before["ben"] * 0.8


def test_what_it_says_of_records_that_are_gone_is_left_out_with_a_note() -> None:
    town = town_of_two(3, 3)
    outcome = worked_out(town, even=False, pins={"gone": "anna", "c00": "zoe"}, accounts={"gone": 7}, segments={"Z": 7})
    assert not outcome.moves
    assert list(outcome.notes) == [
        "what it says of 2 customers is left out: they or their rep are gone",
        "there is no customer of segment Z",
    ]


def test_a_rep_whose_home_is_not_known_keeps_the_customers(empty_town: Town) -> None:
    town = town_of_two(4, 4)
    town.locations = [each for each in town.locations if each.record_id != "ben"]
    outcome = worked_out(town)
    assert not outcome.moves
    assert any("nobody knows where the days of Ben start" in note for note in outcome.notes)


def test_nobody_to_give_customers_to_is_said() -> None:
    town = town_of_two(3, 3)
    with pytest.raises(PlannerError, match="nobody works"):
        worked_out(town, removed=["anna", "ben"])


def test_an_outcome_is_read_as_it_was_written() -> None:
    outcome = worked_out(town_of_two(6, 2), stamp="17", new_reps=[CLEO])
    read = outcome_of(outcome.as_json())
    assert read.as_json() == outcome.as_json()
    assert (read.stamp, read.as_of) == ("17", MONDAY)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 5_000), st.just(0.0) | st.floats(1, 5_000)), max_size=6))
def test_spread_is_never_below_one_and_one_only_where_all_are_as_full(pairs: list[tuple[float, float]]) -> None:
    found = spread(Month(service=needed, there=there) for needed, there in pairs)
    assert found is None or found >= 1 - 1e-9
