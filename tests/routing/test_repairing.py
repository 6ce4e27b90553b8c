"""What is left of a day is mended: no promise is lost that could be kept, least is left out, least is changed."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import END, World, shifts, worlds

from routing import resequencing
from routing.problem import MANDATORY_COST_S, Break, Job, Problem, Shift, TimeWindow
from routing.repairing import Repair, repaired

PLACES = 4
Day = tuple[World, Shift, tuple[Job, ...], tuple[Job, ...]]


@st.composite
def visits(draw: st.DrawFn, name: str) -> Job:
    """Promises of a narrow time, and visits of some worth with hours or without."""
    promised = draw(st.booleans())
    start = draw(st.integers(0, END))
    width = draw(st.integers(0, 5 if promised else END))
    windows: tuple[TimeWindow, ...] = (TimeWindow(start, min(END, start + width)),)
    if not promised and draw(st.booleans()):
        windows = (TimeWindow(0, END),)
    return Job(
        name,
        draw(st.integers(0, PLACES - 1)),
        draw(st.integers(0, 5)),
        windows,
        draw(st.integers(0, 2)),
        penalty_s=None if promised else draw(st.integers(1, 20)),
    )


@st.composite
def days(draw: st.DrawFn, most: int) -> Day:
    every = tuple(draw(visits(f"visit{k}")) for k in range(draw(st.integers(1, most))))
    loose = draw(st.integers(0, min(2, len(every))))
    return draw(worlds(PLACES)), draw(shifts(PLACES)), every[loose:], every[:loose]


def mend(day: Day) -> Repair:
    world, shift, jobs, loose = day
    return repaired(Problem((*jobs, *loose), (shift,), world.seconds, world.seconds), shift, jobs, loose)


def lost_s(every: tuple[Job, ...], kept: tuple[Job, ...]) -> int:
    done = {job.id for job in kept}
    return sum(job.cost_of_leaving_out_s for job in every if job.id not in done)


def in_time(repair: Repair) -> tuple[Job, ...]:
    late = {job.id for job in repair.late}
    return tuple(job for job in repair.order if job.id not in late)


def check_against_all_orders(day: Day) -> tuple[bool, bool]:
    """Whether something was lost, and whether it was a promise."""
    world, shift, jobs, loose = day
    every = (*jobs, *loose)
    repair = mend(day)
    assert sorted(job.id for job in (*repair.order, *repair.left_out)) == sorted(job.id for job in every)
    assert all(job.mandatory for job in repair.late)
    assert not any(job.mandatory for job in repair.left_out)
    kept = in_time(repair)
    assert not kept or world.route(shift, kept)  # timed, and `routing.checks` finds nothing
    possible = (
        order
        for number in range(len(every) + 1)
        for order in permutations(every, number)
        if not order or world.route(shift, order)
    )
    best_s = min(lost_s(every, order) for order in possible)
    assert lost_s(every, kept) == best_s
    if not loose and world.route(shift, jobs):
        assert repair.order == jobs
    return best_s > 0, best_s >= MANDATORY_COST_S


def test_no_promise_is_lost_that_any_choice_in_any_order_keeps_and_no_more_worth_is_left_out_than_must_be() -> None:
    seen: set[tuple[bool, bool]] = set()

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(4))
    def compare(day: Day) -> None:
        seen.add(check_against_all_orders(day))

    compare()
    assert seen == {(False, False), (True, False), (True, True)}


@pytest.mark.slow
def test_the_same_of_five_visits() -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(5))
    def compare(day: Day) -> None:
        check_against_all_orders(day)

    compare()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(7), st.integers(2, 40))
def test_a_day_too_long_to_try_everything_breaks_no_rule(day: Day, steps: int) -> None:
    world, shift, _, _ = day
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resequencing, "FEWER_STEPS", steps * 7)
        repair = mend(day)
    kept = in_time(repair)
    assert not kept or world.route(shift, kept)


HOUR = 3600
STREET = [[abs(a - b) * 600 for b in range(8)] for a in range(8)]
"""Places ten minutes apart along a street; the rep's home is place 0."""


def visit(name: str, place: int, penalty_minutes: int = 60, window: tuple[float, float] = (0, 24)) -> Job:
    """An hour's visit."""
    opens, closes = (int(hour * HOUR) for hour in window)
    return Job(name, place, HOUR, (TimeWindow(opens, closes),), penalty_s=penalty_minutes * 60)


def promise(name: str, place: int, window: tuple[float, float]) -> Job:
    opens, closes = (int(hour * HOUR) for hour in window)
    return Job(name, place, HOUR, (TimeWindow(opens, closes),))


def rest(start: float = 9, end: float = 17, **more: object) -> Shift:
    return Shift("today", "ann", 0, 0, int(start * HOUR), int(end * HOUR), **more)  # type: ignore[arg-type]


def names(jobs: tuple[Job, ...]) -> list[str]:
    return [job.id for job in jobs]


def fixed(shift: Shift, *jobs: Job, loose: tuple[Job, ...] = ()) -> Repair:
    return repaired(Problem((*jobs, *loose), (shift,), STREET, STREET), shift, jobs, loose)


def test_a_day_on_which_everything_fits_stays_as_it_is_however_long_its_way() -> None:
    repair = fixed(rest(), visit("far", 7), visit("near", 1), visit("farther", 6))
    assert names(repair.order) == ["far", "near", "farther"]
    assert not repair.left_out


def test_the_least_worth_is_left_out_for_a_promise() -> None:
    shift = rest(11.5)
    jobs = [visit("dear", 1, 90), visit("cheap", 1, 20), promise("kept", 1, (13, 13.5))]
    repair = fixed(shift, *jobs)
    assert names(repair.order) == ["dear", "kept", "cheap"]  # after the promise there is time for it
    repair = fixed(rest(11.5, 14.5), *jobs)
    assert names(repair.order) == ["dear", "kept"]
    assert names(repair.left_out) == ["cheap"]


def test_two_little_visits_are_worth_more_than_one_of_less_than_both() -> None:
    repair = fixed(rest(9, 11.4), visit("one", 1, 30), visit("two", 1, 30), visit("big", 1, 50))
    assert names(repair.order) == ["one", "big"]
    repair = fixed(rest(9, 11.4), visit("one", 1, 30), visit("two", 1, 30), visit("far", 7, 50))
    assert names(repair.order) == ["one", "two"]


def test_visits_change_places_where_that_keeps_one_more() -> None:
    repair = fixed(rest(9, 12), visit("any time", 1), visit("early", 2, window=(9, 9.5)))
    assert names(repair.order) == ["early", "any time"]
    assert not repair.left_out


def test_a_promise_that_nothing_can_keep_is_late_and_breaks_no_other() -> None:
    repair = fixed(rest(11), promise("gone", 1, (9, 10)), promise("kept", 2, (11, 11.5)), visit("cafe", 3))
    assert names(repair.late) == ["gone"]
    assert names(repair.order) == ["kept", "gone", "cafe"]
    assert not repair.left_out


def test_of_two_promises_that_exclude_each_other_one_is_kept() -> None:
    repair = fixed(rest(10), promise("here", 1, (10, 10.5)), promise("there", 7, (10.5, 11.3)))
    assert names(repair.late) == ["there"]
    assert names(repair.order) == ["here", "there"]


def test_what_has_no_place_yet_comes_where_it_adds_least_driving() -> None:
    repair = fixed(rest(), visit("near", 1), visit("far", 6), loose=(visit("between", 3),))
    assert names(repair.order) == ["near", "between", "far"]


def test_no_more_visits_are_made_than_may_be() -> None:
    repair = fixed(rest(max_jobs=2), visit("one", 1, 30), visit("two", 2, 20), visit("three", 3, 40))
    assert names(repair.order) == ["one", "three"]
    assert not fixed(rest(max_jobs=0), visit("one", 1)).order


def test_the_break_is_kept_free() -> None:
    noon = Break(HOUR, 12 * HOUR, 14 * HOUR)
    shift = rest(11, 14.5, break_=noon)
    repair = fixed(shift, visit("one", 1, 30), visit("two", 1, 30), visit("three", 1, 20))
    assert names(repair.left_out) == ["three"]


def test_of_a_dozen_promises_and_visits_all_that_can_be_kept_are() -> None:
    promises = [promise(f"promise{k}", 1 + k % 3, (9 + k * 1.5, 9.5 + k * 1.5)) for k in range(5)]
    others = [visit(f"visit{k}", 4 + k % 3, 10 + k) for k in range(9)]
    jobs = [job for pair in zip(others, promises, strict=False) for job in pair] + others[5:]
    repair = fixed(rest(9, 18), *jobs)
    assert not repair.late
    assert {job.id for job in promises} <= set(names(repair.order))
    order = [names(repair.order).index(job.id) for job in promises]
    assert all(a < b for a, b in pairwise(order))
