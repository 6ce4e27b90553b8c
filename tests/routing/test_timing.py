"""The labels of a timeline say exactly what trying every minute says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.checks import violations
from routing.problem import UNREACHABLE, Break, Job, Problem, Shift, TimeWindow
from routing.solution import Solution
from routing.timing import SPARE_S, Timeline, schedule

END = 25

Day = tuple[Problem, Shift, tuple[Job, ...]]


@st.composite
def small_days(draw: st.DrawFn, jobs: int = 4) -> Day:
    """A shift of at most 25 seconds and a sequence of jobs for it that may or may not fit."""
    places = draw(st.integers(1, 4))
    drive = st.sampled_from([0, 1, 2, 3, 5, 9, UNREACHABLE])
    seconds = [[0 if a == b else draw(drive) for b in range(places)] for a in range(places)]
    start = draw(st.integers(0, 6))
    end = draw(st.integers(start + 1, END))
    rest = None
    if draw(st.booleans()):
        opens = draw(st.integers(start, end - 1))
        closes = draw(st.integers(opens + 1, end))
        rest = Break(draw(st.integers(1, closes - opens)), opens, closes)
    place = st.integers(0, places - 1)
    max_jobs = draw(st.sampled_from([None, None, None, 2]))
    capacity = draw(st.sampled_from([None, None, None, 3]))
    shift = Shift("today", "rep", draw(place), draw(place), start, end, rest, max_jobs, capacity=capacity)
    sequence = tuple(
        Job(
            f"job{k}",
            draw(place),
            draw(st.integers(0, 4)),
            draw(small_windows()),
            draw(st.integers(0, 2)),
            demand=draw(st.integers(0, 2)),
        )
        for k in range(draw(st.integers(1, jobs)))
    )
    return Problem(sequence, (shift,), seconds, seconds), shift, sequence


@st.composite
def small_windows(draw: st.DrawFn) -> tuple[TimeWindow, ...]:
    bounds = sorted(draw(st.lists(st.integers(0, END), min_size=2, max_size=6, unique=True)))
    return tuple(TimeWindow(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False))


def ends_by_trying_every_second(problem: Problem, shift: Shift, jobs: tuple[Job, ...]) -> set[int]:
    """All times at which the day can be over, in a world in which people may wait wherever they like."""
    if shift.max_jobs is not None and len(jobs) > shift.max_jobs:
        return set()
    if shift.capacity is not None and sum(job.demand for job in jobs) > shift.capacity:
        return set()

    def idle(states: set[tuple[int, bool]]) -> set[tuple[int, bool]]:
        later = {(t, rested) for now, rested in states for t in range(now, shift.end_s + 1)}
        if shift.break_ is None:
            return later
        rest = shift.break_
        fits = {now for now, rested in later if not rested and rest.start_s <= now <= rest.latest_start_s}
        over = {(t, True) for now in fits for t in range(now + rest.duration_s, shift.end_s + 1)}
        return later | over

    def drive(states: set[tuple[int, bool]], a: int, b: int) -> set[tuple[int, bool]]:
        if problem.seconds[a][b] == UNREACHABLE:
            return set()
        return {(now + problem.seconds[a][b], rested) for now, rested in states}

    states, place = {(shift.start_s, False)}, shift.start_place
    for job in jobs:
        parking = job.setup_s if job.place != place else 0
        states = {(now + parking, rested) for now, rested in drive(idle(states), place, job.place)}
        states = {
            (now + job.service_s, rested)
            for now, rested in idle(states)
            if any(w.start_s <= now <= w.end_s for w in job.windows)
        }
        place = job.place
    states = idle(drive(idle(states), place, shift.end_place))
    return {now for now, rested in states if now <= shift.end_s and (rested or shift.break_ is None)}


@settings(max_examples=200, deadline=None)
@given(small_days())
def test_a_sequence_is_feasible_exactly_when_some_schedule_of_it_exists(
    day: Day,
) -> None:
    ends = ends_by_trying_every_second(*day)
    route = schedule(*day)
    assert Timeline.of(*day).feasible == bool(ends) == (route is not None)
    if route:
        rest_end = (
            0
            if route.break_start_s is None
            else route.break_start_s + (day[1].break_.duration_s if day[1].break_ else 0)
        )
        assert max(route.return_s, rest_end) == min(ends)


@settings(max_examples=200, deadline=None)
@given(small_days(), st.data())
def test_an_insertion_adds_what_driving_the_longer_sequence_adds_or_does_not_fit(day: Day, data: st.DataObject) -> None:
    problem, shift, jobs = day
    position = data.draw(st.integers(0, len(jobs) - 1))
    without = (*jobs[:position], *jobs[position + 1 :])
    timeline = Timeline.of(problem, shift, without)
    if not timeline.feasible:
        return
    route = schedule(problem, shift, jobs)
    added = timeline.added_drive_s(jobs[position], position)
    assert (added is None) == (route is None)
    if route:
        assert timeline.drive_s + (added or 0) == route.drive_s


@settings(max_examples=200, deadline=None)
@given(small_days())
def test_a_schedule_keeps_every_rule(day: Day) -> None:
    problem, shift, jobs = day
    route = schedule(problem, shift, jobs)
    if route and all(problem.may_serve(shift, job) for job in jobs):
        assert violations(problem, Solution((route,), ())) == []


def test_nobody_leaves_home_before_the_first_visit_needs_it() -> None:
    shift = Shift("today", "rep", 0, 0, 0, 1000)
    job = Job("late", 1, 10, (TimeWindow(500, 600),), setup_s=5)
    problem = Problem((job,), (shift,), [[0, 60], [60, 0]], [[0, 900], [900, 0]])
    route = schedule(problem, shift, (job,))
    assert route is not None
    assert (route.depart_s, route.steps[0].arrive_s, route.steps[0].begin_s) == (435, 495, 500)
    assert route.drive_m == 1800


def test_a_break_is_put_into_time_that_is_idle_anyway() -> None:
    shift = Shift("today", "rep", 0, 0, 0, 1000, Break(100, 100, 900))
    jobs = (Job("early", 1, 10, (TimeWindow(0, 100),)), Job("late", 1, 10, (TimeWindow(400, 500),)))
    problem = Problem(jobs, (shift,), [[0, 60], [60, 0]], [[0, 0], [0, 0]])
    route = schedule(problem, shift, jobs)
    assert route is not None
    assert [step.begin_s for step in route.steps] == [60, 400]
    assert route.return_s == 470


def test_a_rep_with_nothing_to_do_until_an_appointment_leaves_home_later_and_keeps_some_slack() -> None:
    shift = Shift("today", "rep", 0, 0, 0, 30_000)
    jobs = (Job("any time", 1, 600, (TimeWindow(0, 25_000),)), Job("promised", 2, 600, (TimeWindow(20_000, 20_000),)))
    minute = [[0, 60, 60], [60, 0, 60], [60, 60, 0]]
    route = schedule(Problem(jobs, (shift,), minute, minute), shift, jobs)
    assert route is not None
    assert route.steps[1].begin_s - route.steps[1].arrive_s == SPARE_S
    assert route.depart_s == 20_000 - SPARE_S - 60 - 600 - 60


def test_leaving_later_never_ends_the_day_later_nor_passes_a_window() -> None:
    shift = Shift("today", "rep", 0, 0, 0, 30_000)
    jobs = (Job("closes", 1, 600, (TimeWindow(0, 5_000),)), Job("promised", 2, 600, (TimeWindow(20_000, 20_000),)))
    minute = [[0, 60, 60], [60, 0, 60], [60, 60, 0]]
    route = schedule(Problem(jobs, (shift,), minute, minute), shift, jobs)
    assert route is not None
    assert [step.begin_s for step in route.steps] == [5_000 - SPARE_S, 20_000]
