"""A slot that is offered can be kept, and one that is not offered could not: shown by trying every position."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_days import END, World, belonging, busy_worlds, jobs, shifts, worlds

from routing.checks import violations
from routing.errors import ProblemError
from routing.insertion import Itineraries, Itinerary, inserted, problem_of, timed, within
from routing.problem import UNREACHABLE, Break, Job, Shift, TimeWindow
from routing.solution import Solution
from routing.timing import Timeline, setup_s
from routing.travel_times import FanTimes

PLACES = 4

few = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Question:
    """Days, a visit that is to be put into one of them, and the windows that its customer is asked about."""

    world: World
    days: tuple[Itinerary, ...]
    job: Job
    times: FanTimes
    windows: list[list[TimeWindow]]


@st.composite
def questions(draw: st.DrawFn, *, triangle: bool = False, busy: bool = False) -> Question:
    """Up to three days of up to four visits each, in time or not; the new one is at a new place or a known one."""
    world = draw(busy_worlds(PLACES + 1) if busy else worlds(PLACES + 1, triangle=triangle))
    days = []
    for number in range(draw(st.integers(1, 3))):
        shift = draw(shifts(PLACES, number))
        visits = [draw(jobs(PLACES, f"visit{number}-{k}")) for k in range(draw(st.integers(0, 4)))]
        days.append(world.itinerary(shift, *belonging(shift, visits)))
    job = draw(jobs(PLACES + 1, "new"))
    windows = [
        [
            TimeWindow(at, min(END, at + draw(st.integers(0, 12))))
            for at in draw(st.lists(st.integers(0, END), max_size=4))
        ]
        for _ in days
    ]
    if draw(st.booleans()):
        windows = [windows[0]] * len(days)
    return Question(world, tuple(days), job, world.fan(job.place, PLACES), windows)


def promised(job: Job, start_s: int, end_s: int) -> Job:
    """The job at the seconds between these that are in its windows, each a window of its own."""
    both = [t for t in range(start_s, end_s + 1) if any(w.start_s <= t <= w.end_s for w in job.windows)]
    return replace(job, windows=tuple(TimeWindow(t, t) for t in both))


def everything_tried(question: Question, day: Itinerary, start_s: int, end_s: int) -> dict[int, int]:
    """Position -> seconds of driving more, for the positions at which the visit can begin between these seconds."""
    job = promised(question.job, start_s, end_s)
    fits = {}
    for position in range(len(day.jobs) + 1):
        longer = (*day.jobs[:position], job, *day.jobs[position:])
        route = question.world.route(day.shift, longer)
        if route:
            fits[position] = route.drive_s - sum(max(drive, 0) for drive in day.drive_s)
    return fits


def test_a_window_is_open_exactly_when_the_visit_fits_somewhere_and_at_the_cheapest_position() -> None:
    """With the earliest begin that there is."""
    seen: set[bool] = set()

    @few
    @given(questions())
    def compare(question: Question) -> None:
        index = Itineraries(question.days, PLACES)
        found = index.openings(question.job, question.times, question.windows)
        offers = {(o.itinerary, int(k)): o for o, k in zip(found, found.window, strict=True)}
        assert len(offers) == len(found)
        for i, day in enumerate(question.days):
            for k, window in enumerate(question.windows[i]):
                fits = everything_tried(question, day, window.start_s, window.end_s)
                seen.add(bool(fits))
                assert ((i, k) in offers) == bool(fits)
                if fits:
                    offer = offers[i, k]
                    assert offer.window == window
                    assert offer.position in everything_tried(question, day, offer.begin_s, offer.begin_s)
                    assert offer.position not in everything_tried(question, day, window.start_s, offer.begin_s - 1)
                    assert offer.added_s == fits[offer.position] == min(fits.values())

    compare()
    assert seen == {True, False}


def driving_at(question: Question, day: Itinerary, position: int, begin_s: int) -> int:
    """The driving that the visit adds if it begins then: just in time, and on at once, less the leg as it is driven at
    the earliest."""
    problem = question.world.problem(day.shift, (*day.jobs, question.job))
    (before, after), here = day.places[position : position + 2], question.job.place
    by = begin_s - setup_s(before, question.job)
    depart_s = max(t for t in range(-END, by + 1) if problem.arrive_s(before, here, t) <= by)
    there_s = problem.arrive_s(before, here, depart_s) - depart_s
    leave_s = begin_s + question.job.service_s
    onward_s = problem.arrive_s(here, after, leave_s) - leave_s
    free_s = min(Timeline.of(problem, day.shift, day.jobs).earliest[position])
    saved_s = problem.arrive_s(before, after, free_s) - free_s
    return there_s + onward_s - max(saved_s, 0)


def test_where_the_hour_counts_a_window_is_open_exactly_when_the_visit_fits_somewhere() -> None:
    """At the position that adds least if it begins as early as it can there."""
    seen: set[bool] = set()

    @few
    @given(questions(busy=True))
    def compare(question: Question) -> None:
        index = Itineraries(question.days, PLACES)
        found = index.openings(question.job, question.times, question.windows)
        offers = {(o.itinerary, int(k)): o for o, k in zip(found, found.window, strict=True)}
        for i, day in enumerate(question.days):
            for k, window in enumerate(question.windows[i]):
                fits = everything_tried(question, day, window.start_s, window.end_s)
                seen.add(bool(fits))
                assert ((i, k) in offers) == bool(fits)
                if fits:
                    offer = offers[i, k]
                    assert offer.position in everything_tried(question, day, offer.begin_s, offer.begin_s)
                    assert offer.position not in everything_tried(question, day, window.start_s, offer.begin_s - 1)
                    begins = {
                        position: next(
                            t
                            for t in range(window.start_s, window.end_s + 1)
                            if position in everything_tried(question, day, t, t)
                        )
                        for position in fits
                    }
                    added = {position: driving_at(question, day, position, at) for position, at in begins.items()}
                    assert offer.added_s == added[offer.position] <= min(added.values())

    compare()
    assert seen == {True, False}


@few
@given(st.one_of(questions(), questions(busy=True)))
def test_every_opening_is_a_day_that_breaks_no_rule_and_begins_in_its_window(question: Question) -> None:
    index = Itineraries(question.days, PLACES)
    for opening in index.openings(question.job, question.times, question.windows):
        job = within(question.job, opening.window)
        day = inserted(index.itineraries[opening.itinerary], job, opening.position, question.times)
        route = timed(day)
        assert route is not None
        assert violations(problem_of(day), Solution((route,), ())) == []
        step = route.steps[opening.position]
        assert step.job == "new"
        assert opening.window.start_s <= opening.begin_s <= step.begin_s <= opening.window.end_s


@few
@given(questions(triangle=True), st.data())
def test_taking_a_visit_out_never_breaks_a_promise(question: Question, data: st.DataObject) -> None:
    """Parking takes the same time for all, as at a door that two share the second pays for the first that goes."""
    shift, visits = question.days[0].shift, tuple(replace(job, setup_s=1) for job in question.days[0].jobs)
    day = question.world.itinerary(shift, *visits)
    if len(visits) < 2 or timed(day) is None:
        return
    position = data.draw(st.integers(0, len(visits) - 1))
    shorter = question.world.itinerary(shift, *visits[:position], *visits[position + 1 :])
    route = timed(shorter)
    assert route is not None
    assert violations(problem_of(shorter), Solution((route,), ())) == []


@settings(few, max_examples=20)
@given(questions(), questions())
def test_a_changed_index_answers_like_one_that_was_built_anew(question: Question, other: Question) -> None:
    days = tuple(
        question.world.itinerary(day.shift, *changed.jobs)
        for day, changed in zip(question.days, other.days, strict=False)
    )
    changed = Itineraries(question.days, PLACES).with_changes(days)
    anew = Itineraries((*days, *question.days[len(days) :]), PLACES)
    asked = (question.job, question.times, question.windows)
    assert changed.itineraries == anew.itineraries
    found = anew.openings(*asked)
    assert list(changed.openings(*asked)) == list(found) == [found[k] for k in range(len(found))] == found[:]


MINUTE = World([[0, 60, 60], [60, 0, 60], [60, 60, 0]])
ALL_DAY = (TimeWindow(0, 1000),)


def openings(day: Itinerary, job: Job, *windows: TimeWindow, world: World = MINUTE) -> list[tuple[int, int, int]]:
    found = Itineraries([day], len(world.seconds)).openings(job, world.fan(job.place, len(world.seconds)), [windows])
    return [(opening.position, opening.begin_s, opening.added_s) for opening in found]


def test_an_empty_day_is_driven_there_and_back() -> None:
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000))
    job = Job("new", 1, 100, ALL_DAY, setup_s=10)
    assert openings(day, job, TimeWindow(0, 69), TimeWindow(70, 70), TimeWindow(840, 1000)) == [
        (0, 70, 120),
        (0, 840, 120),
    ]


def test_a_break_can_be_taken_before_at_the_door_of_and_after_the_new_visit() -> None:
    job = Job("new", 1, 100, ALL_DAY)
    at_noon = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000, Break(200, 400, 600)))
    windows = (TimeWindow(300, 300), TimeWindow(301, 599), TimeWindow(600, 600))
    assert openings(at_noon, job, *windows) == [(0, 300, 120), (0, 600, 120)]


def test_before_a_promise_in_the_morning_the_break_is_still_to_come() -> None:
    promise = Job("promise", 1, 100, (TimeWindow(400, 400),))
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000, Break(100, 600, 900)), promise)
    assert openings(day, Job("new", 2, 100, ALL_DAY), TimeWindow(0, 240), TimeWindow(241, 559)) == [(0, 60, 60)]


def test_a_break_that_begins_after_the_drive_is_taken_at_the_next_visits_door() -> None:
    """The drive on must be over when the break begins, and the break when the next promise is due."""
    promise = Job("promise", 1, 100, (TimeWindow(500, 500),))
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000, Break(100, 400, 500)), promise)
    assert openings(day, Job("new", 2, 100, ALL_DAY), TimeWindow(240, 240), TimeWindow(241, 500)) == [(0, 240, 60)]


def test_a_break_after_work_is_taken_at_home() -> None:
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000, Break(100, 900, 1000)))
    assert openings(day, Job("new", 2, 100, ALL_DAY), TimeWindow(740, 740), TimeWindow(741, 1000)) == [(0, 740, 120)]


def test_a_way_that_did_not_exist_costs_nothing_that_could_be_saved() -> None:
    world = World([[0, UNREACHABLE, 60], [60, 0, 60], [60, 60, 0]])
    day = world.itinerary(Shift("today", "ann", 0, 1, 0, 1000))
    assert openings(day, Job("new", 2, 100, ALL_DAY), *ALL_DAY, world=world) == [(0, 60, 120)]


def test_who_inserts_before_a_visit_at_the_same_door_saves_its_parking() -> None:
    there = Job("there", 1, 0, (TimeWindow(0, 100),), setup_s=40)
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000), there)
    job = Job("new", 1, 0, ALL_DAY, setup_s=40)
    assert openings(day, job, TimeWindow(100, 100)) == [(0, 100, 0)]
    elsewhere = replace(job, place=2)
    assert openings(day, elsewhere, TimeWindow(0, 159)) == []
    assert openings(day, elsewhere, TimeWindow(160, 999)) == [(1, 200, 60)]


def test_a_visit_between_two_at_one_door_makes_the_second_park_again() -> None:
    pair = [Job(name, 1, 0, (TimeWindow(at, at),), setup_s=40) for name, at in (("first", 100), ("second", 260))]
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000), *pair)
    new = Job("new", 2, 0, (TimeWindow(0, 200),))
    assert openings(day, new, TimeWindow(0, 200)) == [(1, 160, 120)]
    late = MINUTE.itinerary(
        Shift("today", "ann", 0, 0, 0, 1000), pair[0], replace(pair[1], windows=(TimeWindow(259, 259),))
    )
    assert openings(late, new, TimeWindow(0, 200)) == []


def test_a_place_that_no_way_leads_to_or_from_is_not_offered() -> None:
    for seconds in ([[0, UNREACHABLE], [60, 0]], [[0, 60], [UNREACHABLE, 0]]):
        world = World(seconds)
        day = world.itinerary(Shift("today", "ann", 0, 0, 0, 1000))
        assert openings(day, Job("new", 1, 0, ALL_DAY), *ALL_DAY, world=world) == []


def test_a_shift_of_which_there_are_two_and_a_place_outside_the_list_are_refused() -> None:
    day = MINUTE.itinerary(Shift("today", "ann", 0, 0, 0, 1000), Job("there", 1, 0, ALL_DAY))
    with pytest.raises(ProblemError, match="same shift"):
        Itineraries([day, day], 3)
    with pytest.raises(ProblemError, match="outside the 1 shared"):
        Itineraries([day], 1)
    with pytest.raises(ProblemError, match="not in the index"):
        Itineraries([], 3).with_changes([day])
    with pytest.raises(ProblemError, match="1 jobs, 1 and 2 legs"):
        replace(day, drive_s=(60,))
    with pytest.raises(ProblemError, match="0 lists of windows for 1"):
        Itineraries([day], 3).openings(day.jobs[0], MINUTE.fan(1, 3), [])
    with pytest.raises(ProblemError, match="times of 2 places, not 3"):
        Itineraries([day], 3).openings(day.jobs[0], MINUTE.fan(1, 2), [ALL_DAY])


def test_no_days_have_no_openings() -> None:
    assert list(Itineraries([], 0).openings(Job("new", 0, 0, ALL_DAY), MINUTE.fan(1, 0), [])) == []


def test_a_job_keeps_everything_when_its_place_gets_another_number() -> None:
    job = Job("a", 1, 60, (TimeWindow(0, 9),), 5, 7, frozenset({"v"}), frozenset({"s"}), "g", 8, 3, 2, "r", "t", 4)
    assert job.at(2) == replace(job, place=2)
    assert len({getattr(job, each.name) for each in fields(Job)}) == len(fields(Job))
