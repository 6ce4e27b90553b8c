"""Every hard rule notices when it alone is broken, and nothing else does when none is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.checks import RULES, violations
from routing.problem import DAY_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.solution import Route, Solution, Step

HOME, MILL, INN, ISLAND = range(4)
ALWAYS = (TimeWindow(0, 90_000),)
SECONDS = [
    [0, 600, 900, -1],
    [600, 0, 300, -1],
    [900, 300, 0, -1],
    [-1, -1, -1, 0],
]
METRES = [[-1 if value < 0 else value * 10 for value in row] for row in SECONDS]

PROBLEM = Problem(
    jobs=(
        Job("mill", MILL, 1800, (TimeWindow(3_000, 5_000),), setup_s=60, vehicles=frozenset(["anna", "ben"])),
        Job("inn", INN, 1200, ALWAYS, setup_s=60, group="inn", skills=frozenset(["wine"])),
        Job("inn again", INN, 1200, ALWAYS, setup_s=60, penalty_s=100, group="inn"),
        Job("florist", INN, 600, ALWAYS, setup_s=60, penalty_s=100),
        Job("lighthouse", ISLAND, 600, ALWAYS, penalty_s=100),
    ),
    shifts=(
        Shift("anna@monday", "anna", HOME, HOME, 0, 30_000, Break(1800, 6_000, 9_000), 3, frozenset(["wine"])),
        Shift("carol@monday", "carol", HOME, HOME, 0, 30_000),
    ),
    seconds=SECONDS,
    metres=METRES,
)
MILL_STEP = Step("mill", 600, 6_000, arrive_s=3_040, begin_s=3_100, leave_s=4_900)
INN_STEP = Step("inn", 300, 3_000, arrive_s=5_200, begin_s=7_800, leave_s=9_000)
FLORIST_STEP = Step("florist", 0, 0, arrive_s=9_000, begin_s=9_000, leave_s=9_600)
DAY = Route("anna@monday", 2_440, (MILL_STEP, INN_STEP, FLORIST_STEP), 6_000, 900, 9_000, 10_500)
PLAN = Solution((DAY,), ("inn again", "lighthouse"))


def broken(plan: Solution, problem: Problem = PROBLEM) -> set[str]:
    return {violation.rule for violation in violations(problem, plan)}


def a_day(**changes: object) -> Solution:
    return Solution((replace(DAY, **changes),), PLAN.unassigned)  # type: ignore[arg-type]


def with_step(number: int, **changes: object) -> Solution:
    steps = list(DAY.steps)
    steps[number] = replace(steps[number], **changes)  # type: ignore[arg-type]
    return a_day(steps=tuple(steps))


def with_job(id_: str, **changes: object) -> Problem:
    jobs = tuple(replace(job, **changes) if job.id == id_ else job for job in PROBLEM.jobs)  # type: ignore[arg-type]
    return replace(PROBLEM, jobs=jobs)


def with_shift(**changes: object) -> Problem:
    return replace(PROBLEM, shifts=(replace(PROBLEM.shifts[0], **changes), PROBLEM.shifts[1]))  # type: ignore[arg-type]


def in_series(min_days: int, max_days: int, problem: Problem = PROBLEM) -> Problem:
    """The mill and the florist are repeats of each other."""
    jobs = tuple(replace(job, series="both") if job.id in ("mill", "florist") else job for job in problem.jobs)
    return replace(problem, jobs=jobs, spacings=(Spacing("both", min_days, max_days),))


def three_days_later(min_days: int, max_days: int) -> tuple[Solution, Problem]:
    """The florist after the mill, on a day of its own."""
    day_s = 3 * DAY_S
    step = replace(FLORIST_STEP, drive_s=900, drive_m=9_000, arrive_s=day_s + 900, begin_s=day_s + 960)
    step = replace(step, leave_s=day_s + 1_560)
    before = replace(DAY, steps=DAY.steps[:2], return_s=9_900)
    later = Route("carol@thursday", day_s, (step,), None, 900, 9_000, day_s + 2_460)
    thursday = Shift("carol@thursday", "carol", HOME, HOME, day_s, day_s + 30_000)
    problem = with_job("florist", windows=(TimeWindow(0, 5 * DAY_S),))
    problem = in_series(min_days, max_days, replace(problem, shifts=(*problem.shifts, thursday)))
    return Solution((before, later), PLAN.unassigned), problem


def test_a_plan_that_keeps_every_rule_passes() -> None:
    assert violations(PROBLEM, PLAN) == []


def test_a_plan_without_a_visit_passes() -> None:
    assert violations(PROBLEM, Solution((), tuple(job.id for job in PROBLEM.jobs))) == []


def test_an_empty_problem_has_an_empty_plan() -> None:
    assert violations(Problem((), (), [], []), Solution((), ())) == []


AWAY = Problem(
    jobs=(Job("mill", MILL, 600, (TimeWindow(0, 9_000),)), Job("inn", INN, 600, (TimeWindow(DAY_S, DAY_S + 9_000),))),
    shifts=(
        Shift("anna@monday", "anna", HOME, HOME, 0, 9_000, next_shift="anna@tuesday"),
        Shift("anna@tuesday", "anna", HOME, HOME, DAY_S, DAY_S + 9_000),
    ),
    seconds=SECONDS,
    metres=METRES,
    lodgings=(Lodging("bear", INN, 3_600), Lodging("swan", MILL, 3_600, frozenset(["ben"]))),
)
EVENING = Route("anna@monday", 0, (Step("mill", 600, 6_000, 600, 600, 1_200),), None, 300, 3_000, 1_500, None, "bear")
MORNING = Route(
    "anna@tuesday", DAY_S, (Step("inn", 0, 0, DAY_S, DAY_S, DAY_S + 600),), None, 900, 9_000, DAY_S + 1_500, "bear"
)
NIGHT_AWAY = Solution((EVENING, MORNING), ())


def nights(evening: dict[str, object], morning: dict[str, object]) -> Solution:
    return Solution((replace(EVENING, **evening), replace(MORNING, **morning)), ())  # type: ignore[arg-type]


FROM_HOME: dict[str, object] = {
    "lodging_before": None,
    "steps": (Step("inn", 900, 9_000, DAY_S + 900, DAY_S + 900, DAY_S + 1_500),),
    "return_s": DAY_S + 2_400,
}
TO_HOME: dict[str, object] = {
    "lodging_after": None, "return_drive_s": 600, "return_drive_m": 6_000, "return_s": 1_800
}  # fmt: skip
AT_THE_SWAN: dict[str, object] = {"lodging_after": "swan", "return_drive_s": 0, "return_drive_m": 0, "return_s": 1_200}
FROM_THE_SWAN: dict[str, object] = {
    **FROM_HOME,
    "lodging_before": "swan",
    "steps": (Step("inn", 300, 3_000, DAY_S + 900, DAY_S + 900, DAY_S + 1_500),),
}


ONE_RULE_BROKEN: dict[str, list[tuple[str, Solution, Problem]]] = {
    "every_job_is_accounted_for": [
        ("forgotten", Solution((DAY,), ("lighthouse",)), PROBLEM),
        ("left out twice", Solution((DAY,), ("inn again", "lighthouse", "lighthouse")), PROBLEM),
        ("done and left out", Solution((DAY,), ("inn again", "lighthouse", "mill")), PROBLEM),
        ("an unknown job left out", Solution((DAY,), (*PLAN.unassigned, "ghost")), PROBLEM),
        ("an unknown job done", with_step(0, job="ghost"), PROBLEM),
        ("an unknown shift", a_day(shift="anna@sunday"), PROBLEM),
    ],
    "vehicle_is_allowed": [("somebody else's", PLAN, with_job("mill", vehicles=frozenset(["ben"])))],
    "skills_are_there": [("a skill is missing", PLAN, with_job("mill", skills=frozenset(["wine", "bread"])))],
    "group_is_served_once": [("two of a group", PLAN, with_job("florist", group="inn"))],
    "visits_are_spaced": [
        ("two on one day", PLAN, in_series(1, 9)),
        ("too soon", *three_days_later(4, 9)),
        ("too late", *three_days_later(1, 2)),
    ],
    "max_jobs_is_kept": [("one too many", PLAN, with_shift(max_jobs=2))],
    "capacity_is_kept": [
        ("too much to carry", PLAN, replace(with_shift(capacity=4), jobs=with_job("inn", demand=5).jobs))
    ],
    "legs_are_driven": [
        ("faster than the street", with_step(0, drive_s=599), PROBLEM),
        ("another distance", with_step(0, drive_m=1), PROBLEM),
        ("arrives too soon", a_day(depart_s=2_441), PROBLEM),
        ("home too soon", a_day(return_s=10_499), PROBLEM),
        ("another way home", a_day(return_drive_s=800), PROBLEM),
        ("another distance home", a_day(return_drive_m=1), PROBLEM),
        ("no street there", PLAN, with_job("florist", place=ISLAND, setup_s=0)),
    ],
    "parking_is_paid": [("no time to park", with_step(0, arrive_s=3_041), PROBLEM)],
    "service_takes_its_time": [
        ("too short", with_step(2, begin_s=9_001), PROBLEM),
        ("too long", with_step(0, begin_s=3_100, leave_s=4_899), PROBLEM),
    ],
    "service_begins_in_a_window": [
        ("before it opens", PLAN, with_job("mill", windows=(TimeWindow(3_101, 5_000),))),
        ("after it closes", PLAN, with_job("mill", windows=(TimeWindow(0, 3_099),))),
        ("between two windows", PLAN, with_job("mill", windows=(TimeWindow(0, 3_000), TimeWindow(3_200, 9_000)))),
        ("never open", PLAN, with_job("mill", windows=())),
    ],
    "shift_is_kept": [
        ("leaves early", PLAN, with_shift(start_s=2_441)),
        ("is back late", PLAN, with_shift(end_s=10_499)),
    ],
    "break_is_taken": [
        ("none", a_day(break_start_s=None), PROBLEM),
        ("before its window", a_day(break_start_s=5_900), PROBLEM),
        ("after its window", a_day(break_start_s=10_600), PROBLEM),
        ("during service", a_day(break_start_s=7_000), PROBLEM),
        ("while parking", a_day(break_start_s=6_000), with_job("inn", setup_s=900)),
        ("one that is not owed", PLAN, with_shift(break_=None)),
    ],
    "nights_match": [
        ("sleeps there, wakes at home", nights({}, FROM_HOME), AWAY),
        ("goes home, wakes there", nights(TO_HOME, {}), AWAY),
        ("sleeps at one, wakes at the other", nights({}, FROM_THE_SWAN), AWAY),
        ("one that does not take her", nights(AT_THE_SWAN, FROM_THE_SWAN), AWAY),
        (
            "no night to spend",
            NIGHT_AWAY,
            replace(AWAY, shifts=(replace(AWAY.shifts[0], next_shift=None), AWAY.shifts[1])),
        ),
        ("does not work the next day", Solution((EVENING,), ("inn",)), AWAY),
        ("no such house", nights({"lodging_after": "ruin"}, {}), AWAY),
    ],
}


@pytest.mark.parametrize(
    ("rule", "plan", "problem"),
    [
        pytest.param(rule, plan, problem, id=f"{rule}: {how}")
        for rule, cases in ONE_RULE_BROKEN.items()
        for how, plan, problem in cases
    ],
)
def test_a_plan_with_one_rule_broken_is_caught_by_that_rule(rule: str, plan: Solution, problem: Problem) -> None:
    assert broken(plan, problem) == {rule}


def test_every_rule_has_a_plan_that_breaks_it() -> None:
    assert set(ONE_RULE_BROKEN) == {rule.__name__ for rule in RULES}


def test_a_night_away_ends_one_day_and_begins_the_next() -> None:
    assert violations(AWAY, NIGHT_AWAY) == []
    assert NIGHT_AWAY.cost_s(AWAY) == 600 + 300 + 0 + 900 + 3_600


def test_repeats_as_many_days_apart_as_they_should_be_pass() -> None:
    plan, problem = three_days_later(3, 3)
    assert violations(problem, plan) == []


def test_two_routes_for_one_shift_are_caught() -> None:
    again = replace(DAY, steps=(replace(FLORIST_STEP, drive_s=900, drive_m=9_000),))
    assert "every_job_is_accounted_for" in broken(Solution((DAY, again), PLAN.unassigned))


def test_a_route_without_a_job_is_caught() -> None:
    idle = Route("carol@monday", 0, (), None, 0, 0, 0)
    assert broken(Solution((DAY, idle), PLAN.unassigned)) == {"legs_are_driven"}


def test_two_jobs_at_one_door_need_no_second_parking_but_coming_back_does() -> None:
    """The florist is served the moment that the inn is done, which is right only while the two share a door."""
    assert "parking_is_paid" not in broken(PLAN)
    assert "parking_is_paid" in broken(PLAN, with_job("inn", place=MILL))


@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        pytest.param(500, with_shift(break_=Break(1800, 0, 9_000)), id="at home before leaving"),
        pytest.param(10_500, with_shift(break_=Break(1800, 9_000, 30_000)), id="at home afterwards"),
        pytest.param(5_260, with_shift(break_=Break(1800, 5_000, 9_000)), id="at the door, once parked"),
    ],
)
def test_the_break_may_be_taken_wherever_time_is_free(moment: int, problem: Problem) -> None:
    assert violations(problem, a_day(break_start_s=moment)) == []


def test_a_violation_names_the_rule_the_record_and_what_is_wrong() -> None:
    [violation] = violations(PROBLEM, a_day(break_start_s=None))
    assert str(violation) == "break_is_taken: anna@monday: no break"


def test_every_rule_says_in_a_sentence_what_it_is() -> None:
    rules: tuple[Callable[..., object], ...] = RULES
    assert all(rule.__doc__ and rule.__doc__.rstrip().endswith(".") for rule in rules)
