"""A day that is put into a new order is the best of all orders, and is refused only when none of them fits."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import World, busy_worlds, jobs, shifts, worlds

from routing import resequencing
from routing.native import COMPILED
from routing.problem import Break, Job, Problem, Shift, TimeWindow
from routing.resequencing import resequenced
from routing.timing import Timeline
from routing.traffic import during

PLACES = 4
Day = tuple[World, Shift, tuple[Job, ...]]


@st.composite
def days(draw: st.DrawFn, most: int, *, busy: bool = False) -> Day:
    world = draw(busy_worlds(PLACES) if busy else worlds(PLACES))
    visits = tuple(draw(jobs(PLACES, f"visit{k}")) for k in range(draw(st.integers(1, most))))
    return world, draw(shifts(PLACES)), visits


def problem(day: Day) -> Problem:
    world, shift, visits = day
    return Problem(visits, (shift,), world.seconds, world.seconds)


@pytest.mark.parametrize("compiled", sorted({COMPILED, False}))
def test_a_day_finds_an_order_exactly_when_one_of_all_orders_breaks_no_rule_and_it_is_the_cheapest(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resequencing, "COMPILED", compiled)
    seen: set[bool] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(4))
    def compare(day: Day) -> None:
        world, shift, visits = day
        routes = [route for order in permutations(visits) if (route := world.route(shift, order))]
        seen.add(bool(routes))
        order = resequenced(problem(day), shift, visits)
        assert (order is not None) == bool(routes)
        if order is not None:
            assert sorted(job.id for job in order) == sorted(job.id for job in visits)
            route = world.route(shift, order)
            assert route is not None
            assert route.drive_s == min(each.drive_s for each in routes)

    compare()
    assert seen == {True, False}


@pytest.mark.parametrize("compiled", sorted({COMPILED, False}))
def test_where_the_hour_counts_a_day_finds_an_order_exactly_when_there_is_one(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the first table it drives least, unless one table holds all day and less is proved by that."""
    monkeypatch.setattr(resequencing, "COMPILED", compiled)
    seen: set[bool] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(days(4, busy=True))
    def compare(day: Day) -> None:
        world, shift, visits = day
        routes = [route for order in permutations(visits) if (route := world.route(shift, order))]
        seen.add(bool(routes))
        asked = world.problem(shift, visits)
        order = resequenced(asked, shift, visits)
        assert (order is not None) == bool(routes)
        if order is not None:
            assert world.route(shift, order) is not None
            by_id = {job.id: job for job in visits}
            least = min(Timeline.of(asked, shift, [by_id[id_] for id_ in route.jobs]).drive_s for route in routes)
            one_table = len({change.table for change in during(world.traffic, shift.start_s, shift.end_s)}) == 1
            assert Timeline.of(asked, shift, order).drive_s == least or (compiled and one_table)

    compare()
    assert seen == {True, False}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days(7), st.integers(2, 40))
def test_a_day_too_long_to_try_all_ways_is_never_worse_than_it_was_and_breaks_no_rule(day: Day, steps: int) -> None:
    world, shift, visits = day
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resequencing, "MOST_STEPS", steps * len(visits))
        patch.setattr(resequencing, "COMPILED", False)
        order = resequenced(problem(day), shift, visits)
    as_it_was = world.route(shift, visits)
    assert order is not None or as_it_was is None
    if order is not None:
        route = world.route(shift, order)
        assert route is not None
        assert as_it_was is None or route.drive_s <= as_it_was.drive_s


def round_trip(count: int) -> tuple[list[list[int]], list[Job], Shift]:
    """Visits on a circle around the rep's home, twenty minutes each; a break at noon."""
    at = [(0.0, 0.0), *((math.cos(2 * math.pi * k / count), math.sin(2 * math.pi * k / count)) for k in range(count))]
    seconds = [[math.ceil(1200 * math.dist(a, b)) for b in at] for a in at]
    all_day = (TimeWindow(8 * 3600, 17 * 3600),)
    visits = [Job(f"visit{k}", k + 1, 1200, all_day, 300) for k in range(count)]
    return seconds, visits, Shift("today", "ann", 0, 0, 8 * 3600, 18 * 3600, Break(1800, 11 * 3600, 13 * 3600))


def test_ten_visits_on_a_circle_are_visited_around_it() -> None:
    seconds, visits, shift = round_trip(10)
    shuffled = [visits[k * 3 % 10] for k in range(10)]
    order = resequenced(Problem(tuple(visits), (shift,), seconds, seconds), shift, shuffled)
    assert order is not None
    places = [job.place for job in order]
    steps = {(b - a) % 10 for a, b in pairwise(places)}
    assert steps in ({1}, {9})


def test_a_promise_keeps_its_window_in_the_new_order() -> None:
    seconds, visits, shift = round_trip(10)
    promised = Job("visit4", 5, 1200, (TimeWindow(8 * 3600, 9 * 3600),), 300)
    visits[4] = promised
    asked = Problem(tuple(visits), (shift,), seconds, seconds)
    assert not Timeline.of(asked, shift, visits).feasible
    order = resequenced(asked, shift, visits)
    assert order is not None
    assert Timeline.of(asked, shift, order).feasible
    assert promised in order[:3]


DOOR = [[0, 60, 60], [60, 0, 60], [60, 60, 0]]


def order_of(shift: Shift, *visits: Job, seconds: list[list[int]] = DOOR) -> str | None:
    order = resequenced(Problem(visits, (shift,), seconds, seconds), shift, visits)
    return None if order is None else " ".join(job.id for job in order)


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(Break(100, 0, 100), id="before leaving home"),
        pytest.param(Break(100, 160, 260), id="after the first"),
        pytest.param(Break(100, 220, 320), id="at the door of the second"),
        pytest.param(Break(100, 480, 580), id="at home"),
    ],
)
def test_a_break_is_taken_wherever_it_may_lie(rest: Break) -> None:
    """Two promises, in the wrong order: the second can wait until the break at its door is over."""
    shift = Shift("today", "ann", 0, 0, 0, 580, rest)
    second = Job("second", 2, 100, (TimeWindow(320, 320),))
    first = Job("first", 1, 0, (TimeWindow(160, 160),))
    assert order_of(shift, second, first) == "first second"


def test_a_break_that_overlaps_all_that_is_promised_leaves_no_order() -> None:
    shift = Shift("today", "ann", 0, 0, 0, 580, Break(100, 150, 280))
    promises = [Job(f"promise{at}", 1, 0, (TimeWindow(at, at),)) for at in (200, 240)]
    assert order_of(shift, *promises) is None


def test_a_detour_that_is_faster_than_the_way_itself_is_known() -> None:
    """Travel times of an online service may be like that."""
    seconds = [[0, 60, 60, 60], [60, 0, 500, 60], [60, 60, 0, 60], [60, 60, 60, 0]]
    a, b, c = (
        Job(name, place, 0, (TimeWindow(0, end),)) for name, place, end in (("a", 1, 60), ("b", 2, 200), ("c", 3, 999))
    )
    assert order_of(Shift("today", "ann", 0, 0, 0, 999), c, b, a, seconds=seconds) == "a c b"


def test_at_a_shared_door_the_quicker_to_park_goes_first() -> None:
    """The other's parking is not counted against it: it is never paid."""
    slow = Job("slow", 1, 0, (TimeWindow(0, 70),), setup_s=500)
    quick = Job("quick", 1, 0, (TimeWindow(0, 999),), setup_s=10)
    assert order_of(Shift("today", "ann", 0, 0, 0, 999), slow, quick) == "quick slow"


def test_a_way_that_drives_more_but_is_done_earlier_is_kept_for_what_follows() -> None:
    seconds = [[0, 10, 20, 99, 99], [10, 0, 10, 10, 99], [20, 10, 0, 10, 99], [99, 99, 99, 0, 10], [10, 99, 99, 99, 0]]
    opens_late = Job("opens late", 1, 0, (TimeWindow(100, 300),))
    free, on_the_way = (Job(name, place, 0, (TimeWindow(0, 999),)) for name, place in (("free", 2), ("on the way", 3)))

    def with_last(last: Job, shift: Shift) -> str | None:
        return order_of(shift, opens_late, free, on_the_way, last, seconds=seconds)

    whole_day = Shift("today", "ann", 0, 0, 0, 999)
    assert with_last(Job("promise", 4, 0, (TimeWindow(130, 130),)), whole_day) == "opens late free on the way promise"
    assert with_last(Job("promise", 4, 0, (TimeWindow(120, 120),)), whole_day) == "free opens late on the way promise"
    # With a break from 125 on, both ways are done equally early with it; but only one leaves time for a visit before.
    until_167 = Shift("today", "ann", 0, 0, 0, 167, Break(20, 125, 145))
    assert with_last(Job("last", 4, 5, (TimeWindow(0, 999),)), until_167) == "free opens late on the way last"


def test_a_way_that_drives_more_but_has_had_its_break_is_kept_for_the_promise_that_follows() -> None:
    seconds = [[0, 60, 25, 99, 99], [99, 0, 10, 40, 99], [99, 20, 0, 10, 99], [99, 99, 99, 0, 10], [10, 99, 99, 99, 0]]
    windows = {"at 100": TimeWindow(100, 100), "free": TimeWindow(0, 999)}
    windows |= {"from 150": TimeWindow(150, 999), "at 160": TimeWindow(160, 160)}
    visits = [Job(name, place, 0, (window,)) for place, (name, window) in enumerate(windows.items(), 1)]
    assert order_of(Shift("today", "ann", 0, 0, 0, 999), *visits, seconds=seconds) == "at 100 free from 150 at 160"
    resting = Shift("today", "ann", 0, 0, 0, 999, Break(50, 0, 160))
    assert order_of(resting, *visits, seconds=seconds) == "free at 100 from 150 at 160"


def test_two_promises_that_exclude_each_other_have_no_order() -> None:
    seconds, visits, shift = round_trip(10)
    for k in (0, 5):
        visits[k] = Job(f"visit{k}", k + 1, 1200, (TimeWindow(9 * 3600, 9 * 3600 + 600),), 300)
    assert resequenced(Problem(tuple(visits), (shift,), seconds, seconds), shift, visits) is None


def test_a_day_of_more_visits_than_a_number_has_bits_stays_as_it_is() -> None:
    seconds, visits, shift = round_trip(70)
    brief = [Job(job.id, job.place, 60, job.windows) for job in visits]
    asked = Problem(tuple(brief), (shift,), seconds, seconds)
    assert resequenced(asked, shift, brief) == tuple(brief)
    assert resequenced(asked, shift, [brief[k * 33 % 70] for k in range(70)]) is None


def test_a_day_without_visits_has_nothing_to_put_in_order() -> None:
    seconds, _, shift = round_trip(1)
    assert resequenced(Problem((), (shift,), seconds, seconds), shift, ()) == ()
