"""Routes of other solvers are judged by our rules, and mended where their solver knew less of them."""

from __future__ import annotations

import pytest

from routing.errors import InstanceError, PeerError
from routing.instances.field import field_week
from routing.judging import as_driven, mended, verdict
from routing.peers.comparing import run_ours, run_peer
from routing.problem import DAY_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.solver import SearchLimits

HOUR_S = 3600
LEGS = [[0, 600, 1200], [600, 0, 600], [1200, 600, 0]]
ALL_WEEK = (TimeWindow(0, 6 * DAY_S),)
REST = Break(HOUR_S, 2 * HOUR_S, 6 * HOUR_S)
SECONDS = 2.0
"""Enough for any peer, on a busy machine too."""


def day(number: int, *, hours: int = 8, rest: Break | None = None, follows: bool = False) -> Shift:
    begin = number * DAY_S
    following = f"day{number + 1}" if follows else None
    return Shift(f"day{number}", "ann", 0, 0, begin, begin + hours * HOUR_S, rest, next_shift=following)


def visit(id_: str, place: int = 1, hours: float = 1, worth_s: int | None = 5_000, **more: object) -> Job:
    return Job(id_, place, int(hours * HOUR_S), ALL_WEEK, penalty_s=worth_s, **more)  # type: ignore[arg-type]


def rules(problem: Problem, sequences: dict[str, list[str]], nights: dict[str, str] | None = None) -> set[str]:
    return {violation.rule for violation in verdict(problem, as_driven(problem, sequences, nights)).violations}


def test_routes_that_keep_every_rule_cost_what_they_drive_and_what_they_leave_out() -> None:
    problem = Problem((visit("a"), visit("b", 2), visit("c", 2, worth_s=None)), (day(0, rest=REST),), LEGS, LEGS)
    found = verdict(problem, as_driven(problem, {"day0": ["a", "c"]}))
    assert (found.cost_s, found.drive_s, found.done, found.violations) == (2_400 + 5_000, 2_400, 2, ())
    nothing = verdict(problem, as_driven(problem, {}))
    assert (nothing.done, nothing.mandatory_left_out, nothing.violations) == (0, 1, ())


def test_routes_that_do_not_say_which_rule_they_break() -> None:
    tight = Problem((visit("a", hours=3), visit("b", 2, hours=3)), (day(0, hours=6, rest=REST),), LEGS, LEGS)
    assert rules(tight, {"day0": ["a", "b"]}) == {"shift_is_kept", "break_is_taken"}
    early = Problem((Job("a", 1, 60, (TimeWindow(0, 10),)),), (day(0),), LEGS, LEGS)
    assert rules(early, {"day0": ["a"]}) == {"service_begins_in_a_window"}
    apart = Problem((visit("a"),), (day(0),), [[0, -1, 0], [5, 0, 0], [0, 0, 0]], LEGS)
    assert rules(apart, {"day0": ["a"]}) == {"legs_are_driven"}
    skilled = Problem((visit("a", skills=frozenset({"wine"})),), (day(0),), LEGS, LEGS)
    assert rules(skilled, {"day0": ["a"]}) == {"skills_are_there"}
    twice = Problem((visit("a"),), (day(0), day(1)), LEGS, LEGS)
    assert rules(twice, {"day0": ["a"], "day1": ["a"]}) == {"every_job_is_accounted_for"}


def test_nights_away_are_judged_too() -> None:
    inn = Lodging("inn", 2, 900)
    problem = Problem((visit("a", 2), visit("b", 2)), (day(0, follows=True), day(1)), LEGS, LEGS, lodgings=(inn,))
    away = verdict(problem, as_driven(problem, {"day0": ["a"], "day1": ["b"]}, {"day0": "inn"}))
    assert (away.cost_s, away.violations) == (1_200 + 1_200 + 900, ())
    assert rules(problem, {"day0": ["a"]}, {"day0": "inn"}) == {"nights_match"}


@pytest.mark.parametrize(
    ("sequences", "nights", "message"),
    [
        ({"day9": ["a"]}, {}, "there is no shift day9"),
        ({"day0": ["ghost"]}, {}, "there is no job ghost"),
        ({"day0": ["a"]}, {"day0": "inn"}, "there is no lodging inn"),
    ],
)
def test_what_the_problem_does_not_have_is_refused(
    sequences: dict[str, list[str]], nights: dict[str, str], message: str
) -> None:
    with pytest.raises(InstanceError, match=message):
        as_driven(Problem((visit("a"),), (day(0),), LEGS, LEGS), sequences, nights)


def test_what_does_not_fit_moves_or_goes_and_what_must_be_done_stays() -> None:
    """Three of three hours are too much for a day with a break: the cheapest goes to tomorrow, a fourth nowhere."""
    jobs = (visit("dear", worth_s=9_000, hours=3), visit("must", 2, worth_s=None, hours=3), visit("cheap", hours=3))
    today, tomorrow = day(0, rest=REST), day(1, hours=4)
    problem = Problem((*jobs, visit("cheaper", worth_s=4_000, hours=3)), (today, tomorrow), LEGS, LEGS)
    solution, dropped = mended(problem, {"day0": ["cheaper", "cheap", "must", "dear"]})
    assert [set(route.jobs) for route in solution.routes] == [{"must", "dear"}, {"cheap"}]
    assert dropped == ("cheaper",)
    assert verdict(problem, solution).violations == ()


def test_another_order_is_tried_before_anything_goes() -> None:
    early = Job("early", 2, HOUR_S, (TimeWindow(0, HOUR_S),), penalty_s=5_000)
    problem = Problem((visit("a", hours=2), early), (day(0),), LEGS, LEGS)
    solution, dropped = mended(problem, {"day0": ["a", "early"]})
    assert (solution.routes[0].jobs, dropped) == (("early", "a"), ())


def test_of_a_group_one_stays_and_repeats_keep_their_distance() -> None:
    jobs = (visit("a", group="shop"), visit("b", group="shop"), visit("c", series="inn"), visit("d", series="inn"))
    problem = Problem(jobs, (day(0), day(1)), LEGS, LEGS, (Spacing("inn", 2, 9),))
    solution, dropped = mended(problem, {"day0": ["a", "c"], "day1": ["b", "d"]})
    assert [route.jobs for route in solution.routes] == [("a", "c")]
    assert dropped == ("b", "d")
    assert verdict(problem, solution).violations == ()


@pytest.mark.parametrize("peer", ["vroom", "pyvrp"])
@pytest.mark.parametrize("breaks", [False, True])
def test_peers_answer_with_plans_that_keep_every_rule(peer: str, breaks: bool) -> None:
    pytest.importorskip({"vroom": "vroom", "pyvrp": "pyvrp"}[peer])
    problem = field_week(1, 2, 2, 16, 2, breaks)
    run = run_peer(peer, problem, SECONDS, 1, threads=1)
    assert run.verdict.violations == ()
    assert run.verdict.done > 8
    assert run.verdict.mandatory_left_out == 0
    assert run.notes


@pytest.mark.parametrize("peer", ["vroom", "pyvrp"])
def test_peers_know_loads_groups_parking_skills_and_the_most_visits_of_a_day(peer: str) -> None:
    pytest.importorskip({"vroom": "vroom", "pyvrp": "pyvrp"}[peer])
    jobs = (
        visit("a", setup_s=300, demand=2),
        visit("b", setup_s=300, demand=2),
        visit("c", 2, worth_s=None, demand=2, skills=frozenset({"wine"})),
        visit("d", 2, worth_s=6_000, demand=1, group="shop"),
        visit("e", 1, worth_s=3_000, demand=1, group="shop"),
        Job("f", 1, HOUR_S, (), penalty_s=100),
    )
    shifts = (
        Shift("x", "ann", 0, 0, 0, 8 * HOUR_S, None, 2, frozenset({"wine"}), 3),
        Shift("y", "ben", 0, 0, 0, 8 * HOUR_S, None, 2, frozenset(), 5),
    )
    run = run_peer(peer, Problem(jobs, shifts, LEGS, LEGS), SECONDS, 1, threads=1)
    assert (run.dropped, run.verdict.violations) == (0, ())
    done = {route.shift: set(route.jobs) for route in run.solution.routes}
    assert done == {"x": {"c", "d"}, "y": {"a", "b"}}


def test_ours_is_judged_like_anybodys_and_a_peer_that_is_none_is_refused() -> None:
    problem = field_week(1, 1, 1, 6, 1, True)
    run = run_ours(problem, SearchLimits(work=1))
    assert (run.solver, run.verdict.violations, run.dropped) == ("fieldvisit", (), 0)
    with pytest.raises(PeerError, match="there is no peer cplex"):
        run_peer("cplex", problem, 1.0, 1)
