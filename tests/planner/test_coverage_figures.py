"""Every figure lists its customers, and rows add up to the total."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cast import MONDAY, Town, account, door
from coverage_cast import MADE_AT, cover, coverage_of, days_ago, mixed_coverage
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access import Scope
from planner.coverage.domain import Coverage, CoverageState
from planner.coverage.keeping import cut
from planner.coverage.measures import (
    MEASURES,
    PERIOD_DAYS,
    Group,
    Unit,
    figures,
    figures_by,
    group_of,
    kept_in_time,
    listed,
    measure_of,
)
from planner.coverage.packing import summary_of
from planner.errors import NotFoundError

TOLD = [(key, by) for key, measure in MEASURES.items() for by in Group if measure.told_by(by)]
STATES = ("visited", "due", "overdue", "dormant", "no_place")


def check_lists(coverage: Coverage) -> None:
    """Every figure of customers is the length of its list, or the sum over it."""
    rows = figures_by(coverage, Group)
    for key, by in TOLD:
        measure = MEASURES[key]
        for row in rows[by]:
            behind = listed(coverage, key, by, row.value)
            if measure.amount is not None:
                assert row.figures[key] == pytest.approx(sum(map(measure.amount, behind)))
            elif measure.unit is Unit.CUSTOMERS:
                assert row.figures[key] == len(behind)


def check_sums(coverage: Coverage) -> None:
    """The rows of every group add up to the area's figure."""
    rows = figures_by(coverage, Group)
    [total] = rows[Group.AREA]
    for key, by in TOLD:
        if MEASURES[key].adds_up:
            assert sum(row.figures[key] or 0 for row in rows[by]) == pytest.approx(total.figures[key])


def test_every_figure_by_every_group_is_as_long_as_its_list() -> None:
    check_lists(mixed_coverage())


def test_the_rows_of_every_group_add_up_to_the_total() -> None:
    check_sums(mixed_coverage())


def test_the_cast_has_customers_behind_every_figure() -> None:
    """Otherwise the two tests above would prove little."""
    [total] = figures(mixed_coverage())
    assert [key for key in MEASURES if not total.figures[key]] == []
    assert len(figures(mixed_coverage(), Group.REASON)) >= 3


def test_every_customer_is_in_exactly_one_state() -> None:
    [total] = figures(mixed_coverage())
    assert (
        sum(total.figures[state] or 0 for state in STATES)
        == total.figures["customers"]
        == len(mixed_coverage().accounts)
    )


Drawn = tuple[CoverageState, str, str, str, str, list[int], int]
"""State, rep, segment, territory, reason, days since each visit, and days overdue."""


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CoverageState),
            st.sampled_from(["anna", "ben", "zoe", ""]),
            st.sampled_from(["A", "B", ""]),
            st.sampled_from(["west", "east", ""]),
            st.sampled_from(["", "no_plan", "no_time_left"]),
            st.lists(st.integers(0, 200), max_size=4, unique=True),
            st.integers(0, 300),
        ),
        max_size=25,
    )
)
def test_whatever_the_customers_are_lists_and_sums_match(
    rows: list[tuple[CoverageState, str, str, str, str, list[int], int]],
) -> None:
    one = mixed_coverage().accounts[0]
    accounts = tuple(
        replace(
            one,
            account_id=f"c{n}",
            state=state,
            rep_id=rep_id,
            segment=segment,
            territory_id=territory,
            unreached=reason,
            visits=tuple(sorted(map(days_ago, visits))),
            overdue_days=overdue,
        )
        for n, (state, rep_id, segment, territory, reason, visits, overdue) in enumerate(rows)
    )
    coverage = replace(mixed_coverage(), accounts=accounts)
    check_lists(coverage)
    check_sums(coverage)


def test_what_somebody_sees_of_a_coverage_adds_up_by_itself() -> None:
    seen = cut(mixed_coverage(), Scope(area="town", reps=frozenset({"ben"}), unassigned=True))
    check_lists(seen)
    check_sums(seen)


def test_a_list_begins_with_those_longest_overdue() -> None:
    overdue = [found.overdue_days for found in listed(mixed_coverage(), "customers")]
    assert overdue == sorted(overdue, reverse=True)
    assert overdue[0] > overdue[-1]


def test_a_rep_without_customers_has_a_row_too(town: Town) -> None:
    [row] = figures(coverage_of(town), Group.REP)
    assert (row.label, row.figures["customers"], row.figures["utilisation"]) == ("Anna", 0, 0)


def test_one_reps_spare_hours_do_not_make_up_for_anothers_missing_ones() -> None:
    [total] = figures(mixed_coverage())
    needed, there = total.figures["hours_needed"] or 0, total.figures["hours_there"] or 0
    short, spare = total.figures["shortfall"] or 0, total.figures["spare"] or 0
    assert short > 0
    assert spare > 0
    assert needed - there == pytest.approx(short - spare)


def test_hours_that_are_a_reps_are_not_told_by_segment_or_territory() -> None:
    for key in ("hours_there", "shortfall", "opportunity_hours", "utilisation"):
        for by in (Group.SEGMENT, Group.TERRITORY, Group.REASON):
            assert all(key not in row.figures for row in figures(mixed_coverage(), by))
            with pytest.raises(NotFoundError):
                listed(mixed_coverage(), key, by, "A")


def test_a_figure_or_group_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        measure_of("colour")
    with pytest.raises(NotFoundError):
        group_of("moon")
    assert listed(mixed_coverage(), "customers", Group.REP, "nobody we know") == []


def test_every_figure_has_a_definition_that_is_a_sentence() -> None:
    for measure in MEASURES.values():
        assert measure.title[0].isupper()
        assert measure.definition.endswith(".")


# ---- in time


def test_a_visit_is_in_time_when_it_came_within_the_cadence_of_the_one_before(town: Town) -> None:
    town.add(account("bakery", cadence_days=28, last_visit=days_ago(38)))
    in_time = cover(town, "bakery", met={"bakery": [days_ago(10)]})
    late = cover(town, "bakery", met={"bakery": [days_ago(9)]})
    assert kept_in_time(in_time, MONDAY) is True
    assert kept_in_time(late, MONDAY) is False


def test_of_a_first_visit_nobody_can_say_whether_it_was_in_time(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(5)))
    assert kept_in_time(cover(town, "bakery"), MONDAY) is None


def test_a_visit_before_the_last_quarter_is_not_judged_any_more(town: Town) -> None:
    town.add(account("bakery", cadence_days=28, last_visit=days_ago(PERIOD_DAYS + 1)))
    bakery = cover(town, "bakery", met={"bakery": [days_ago(PERIOD_DAYS + 10)]})
    assert kept_in_time(bakery, MONDAY) is None
    assert kept_in_time(bakery, MONDAY - timedelta(days=1)) is True


def test_the_share_in_time_is_of_those_that_can_be_judged_and_none_where_there_are_none(town: Town) -> None:
    for n, gap in enumerate((20, 28, 29, 40)):
        town.add(account(f"c{n}", cadence_days=28, last_visit=days_ago(5 + gap)), door(n))
    town.add(account("first", last_visit=days_ago(5)))
    [total] = figures(coverage_of(town, met={f"c{n}": [days_ago(5)] for n in range(4)}))
    assert (total.figures["in_time"], total.figures["late"], total.figures["in_time_share"]) == (2, 2, 0.5)
    [nobody] = figures(coverage_of(Town()))
    assert nobody.figures["in_time_share"] is None


def test_hours_to_catch_up_are_one_visit_to_everybody_who_is_due(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(account("cafe", last_visit=days_ago(1)), door(10))
    found = coverage_of(town)
    [total] = figures(found)
    bakery = next(a for a in found.accounts if a.account_id == "bakery")
    assert total.figures["catch_up_hours"] == pytest.approx((bakery.service_minutes + bakery.drive_minutes) / 60)


def test_who_is_behind_is_whose_cadence_has_run_out_today_whatever_the_state(town: Town) -> None:
    town.add(account("bakery", last_visit=days_ago(29), cadence_days=28), door(10))
    town.add(account("lost", last_visit=days_ago(90)), lost=True)
    town.add(account("gone", last_visit=days_ago(900), last_order=days_ago(700)), door(3))
    town.add(account("cafe", last_visit=days_ago(1)), door(10))
    behind = listed(coverage_of(town), "behind")
    assert [account.account_id for account in behind] == ["lost", "bakery"]
    assert behind == listed(coverage_of(town), "catch_up_hours")


def test_a_summary_holds_the_figures_of_every_group() -> None:
    found = summary_of(mixed_coverage(), MADE_AT)
    assert found.rows == {by: tuple(figures(mixed_coverage(), by)) for by in Group}
    assert found.total == figures(mixed_coverage())[0]
