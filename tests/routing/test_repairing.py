"""What is left of a day is mended: no promise is lost that could be kept, least is left out, least is changed."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import END, World, busy_worlds, shifts, worlds

from routing import resequencing
from routing.problem import UNREACHABLE, Break, Job, Problem, Shift, TimeWindow
from routing.repairing import Repair, moved, repaired

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
        demand=draw(st.integers(0, 2)),
    )


@st.composite
def days(draw: st.DrawFn, most: int, *, busy: bool = False) -> Day:
    every = tuple(draw(visits(f"visit{k}")) for k in range(draw(st.integers(1, most))))
    loose = draw(st.integers(0, min(2, len(every))))
    world = draw(busy_worlds(PLACES) if busy else worlds(PLACES))
    return world, draw(shifts(PLACES)), every[loose:], every[:loose]


def mend(day: Day) -> Repair:
    world, shift, jobs, loose = day
    return repaired(world.problem(shift, (*jobs, *loose)), shift, jobs, loose)


Worth = tuple[int, int, int, int]
"""How good a mended day is, least first: promises not kept, those not made, how late the others are, what the rest that
is left out is worth."""


def worth(world: World, shift: Shift, order: tuple[Job, ...], every: tuple[Job, ...]) -> Worth | None:
    """Of an order, with the break at the best of all places; None where it does not fit. Knows nothing of labels."""
    if shift.capacity is not None and sum(job.demand for job in order) > shift.capacity:
        return None
    done = {job.id for job in order}
    undone = [job for job in every if job.id not in done]
    given_up = sum(job.mandatory for job in undone)
    lost = sum(job.cost_of_leaving_out_s for job in undone if not job.mandatory)
    gaps = range(2 * len(order) + 2) if order and shift.break_ is not None else [None]
    lates = [late for gap in gaps if (late := lateness(world, shift, order, gap)) is not None]
    return min(((given_up + n, given_up, late_s, lost) for n, late_s in lates), default=None)


def lateness(world: World, shift: Shift, order: tuple[Job, ...], gap: int | None) -> tuple[int, int] | None:
    """How many promises are late, and all together by how much, with the break before or after some leg."""

    def rested(now: int) -> int:
        rest = shift.break_
        assert rest is not None
        begin = max(now, rest.start_s)
        return begin + rest.duration_s if begin <= rest.latest_start_s else END * 100

    drive = world.problem(shift, ()).arrive_s
    now, place, number, late_s = shift.start_s, shift.start_place, 0, 0
    for k, job in enumerate(order):
        now = rested(now) if gap == 2 * k else now
        drive_s = world.seconds[place][job.place]
        if drive_s == UNREACHABLE or not shift.allows(job):
            return None
        now = drive(place, job.place, now) + (job.setup_s if place != job.place else 0)
        now = rested(now) if gap == 2 * k + 1 else now
        (window,) = job.windows
        if now > window.end_s:
            if not job.mandatory:
                return None
            number, late_s = number + 1, late_s + now - window.end_s
        now, place = max(now, window.start_s) + job.service_s, job.place
    now = rested(now) if gap == 2 * len(order) else now
    home_s = world.seconds[place][shift.end_place] if order else 0
    now = drive(place, shift.end_place, now) if order else now
    now = rested(now) if gap == 2 * len(order) + 1 else now
    return (number, late_s) if home_s != UNREACHABLE and now <= shift.end_s else None


def with_all_promises(shift: Shift, every: tuple[Job, ...]) -> Shift:
    """Who was promised to is visited even where that makes more visits, or a larger load, than may be."""
    promises = [job for job in every if job.mandatory]
    if shift.max_jobs is not None:
        shift = replace(shift, max_jobs=max(shift.max_jobs, len(promises)))
    if shift.capacity is not None:
        shift = replace(shift, capacity=max(shift.capacity, sum(job.demand for job in promises)))
    return shift


def check_against_all_orders(day: Day) -> str:
    """What of it was not as it should have been."""
    world, shift, jobs, loose = day
    every = (*jobs, *loose)
    shift = with_all_promises(shift, every)
    repair = mend(day)
    ids = sorted(job.id for job in (*repair.order, *repair.left_out, *repair.given_up))
    assert ids == sorted(job.id for job in every)
    assert all(job.mandatory for job in (*repair.late, *repair.given_up))
    assert not any(job.mandatory for job in repair.left_out)
    most = len(every) if shift.max_jobs is None else min(len(every), shift.max_jobs)
    found = {
        order: value
        for number in range(most + 1)
        for order in permutations(every, number)
        if (value := worth(world, shift, order, every)) is not None
    }
    best = min(found.values())
    assert found[repair.order] == best
    late = {job.id for job in repair.late}
    assert len(late) == best[0] - best[1]
    if not late and repair.order:
        assert world.route(shift, repair.order)  # timed, and `routing.checks` finds nothing
    changes = {order: moved([job.id for job in jobs], names(order)) for order in found}
    if not loose and any(found[order] == best and not changes[order] for order in found):
        assert not changes[repair.order]
        drives = [driving(world, shift, order) for order in found if found[order] == best and not changes[order]]
        assert driving(world, shift, repair.order) == min(drives)
    if not loose and world.route(shift, jobs):
        assert repair.order == jobs
    return "given up" if best[1] else "late" if best[0] else "left out" if best[3] else "kept"


def driving(world: World, shift: Shift, order: tuple[Job, ...]) -> int:
    places = (shift.start_place, *(job.place for job in order), shift.end_place)
    return sum(world.legs(places)[0]) if order else 0


def test_promises_are_kept_then_least_late_then_least_worth_is_left_out_of_all_choices_in_all_orders() -> None:
    seen: set[str] = set()

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(4))
    def compare(day: Day) -> None:
        seen.add(check_against_all_orders(day))

    compare()
    assert seen == {"kept", "left out", "late", "given up"}


def test_the_same_where_the_hour_counts() -> None:
    seen: set[str] = set()

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(4, busy=True))
    def compare(day: Day) -> None:
        seen.add(check_against_all_orders(day))

    compare()
    assert {"kept", "left out", "late"} <= seen


@pytest.mark.slow
def test_the_same_of_five_visits() -> None:
    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(5))
    def compare(day: Day) -> None:
        check_against_all_orders(day)

    compare()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(7), st.integers(2, 40))
def test_a_day_too_long_to_try_everything_breaks_no_rule(day: Day, steps: int) -> None:
    world, shift, jobs, loose = day
    every = (*jobs, *loose)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resequencing, "FEWER_STEPS", steps * 7)
        repair = mend(day)
    value = worth(world, with_all_promises(shift, every), repair.order, every)
    assert value is not None
    assert value[0] - value[1] == len(repair.late)


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


def test_a_promise_that_is_late_comes_before_all_that_was_promised_to_nobody() -> None:
    """It was behind two visits; they wait, or are left out, and it is as early as can be."""
    late = promise("late", 1, (9, 11))
    repair = fixed(rest(11.5), visit("one", 2), visit("two", 3), late)
    assert names(repair.order)[0] == "late"
    assert not repair.left_out
    repair = fixed(rest(11.5, 14), visit("one", 2, 30), visit("two", 3, 40), late)
    assert names(repair.order) == ["late"]
    assert names(repair.left_out) == ["one", "two"]


def test_nothing_is_added_that_delays_a_late_promise() -> None:
    late = promise("late", 3, (9, 11))
    repair = fixed(rest(11.5, 14), late, loose=(visit("on the way", 2, 9999),))
    assert names(repair.order) == ["late"]
    assert names(repair.left_out) == ["on the way"]


def test_a_promise_for_which_the_hours_have_no_time_is_given_up_and_the_others_are_kept() -> None:
    """Whoever finishes before the last promise keeps the first, and makes no visit that would delay it."""
    jobs = [promise("first", 1, (12, 12.1)), visit("cafe", 2), promise("last", 3, (13.5, 14))]
    repair = fixed(rest(11, 14), *jobs)
    assert (names(repair.order), names(repair.given_up), names(repair.late)) == (["first"], ["last"], [])
    assert names(repair.left_out) == ["cafe"]


def test_promises_are_made_even_where_they_are_more_than_may_be() -> None:
    repair = fixed(rest(max_jobs=1), promise("one", 1, (9, 12)), promise("two", 2, (9, 15)), visit("cafe", 1))
    assert names(repair.order) == ["one", "two"]


def test_of_fifteen_late_visits_the_mending_takes_no_longer_than_somebody_waits() -> None:
    promises = [promise(f"promise{k}", 1 + k % 4, (9 + k * 0.7, 9.5 + k * 0.7)) for k in range(7)]
    others = [visit(f"visit{k}", 3 + k % 4, 10 + k) for k in range(8)]
    jobs = [job for pair in zip(others, promises, strict=False) for job in pair] + others[7:]
    begun = time.process_time()
    repair = fixed(rest(11, 20), *jobs)
    assert time.process_time() - begun < 2  # a tenth of it where nobody else is at work
    assert repair.late


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
