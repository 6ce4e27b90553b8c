"""The best plan that routes can be put together to keeps every rule between routes, and is never worse than before."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.errors import ProblemError
from routing.problem import DAY_S, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.solver.packing_model import NOWHERE, Column, PackingBudget, job_prices, pack

ALWAYS = (TimeWindow(0, 30 * DAY_S),)
PLENTY = PackingBudget(work=5)


def job(name: str, **rules: object) -> Job:
    return Job(name, 0, 600, ALWAYS, penalty_s=1000, **rules)  # type: ignore[arg-type]


def shift(day: int, vehicle: str = "ann", **rules: object) -> Shift:
    begin = day * DAY_S
    return Shift(f"{vehicle}{day}", vehicle, 0, 0, begin, begin + 30_000, **rules)  # type: ignore[arg-type]


def town(jobs: Sequence[Job], shifts: Sequence[Shift], **rules: object) -> Problem:
    return Problem(tuple(jobs), tuple(shifts), [[0, 9], [9, 0]], [[0, 9], [9, 0]], **rules)  # type: ignore[arg-type]


def keeps_the_rules(problem: Problem, columns: Sequence[Column]) -> bool:
    """All rules between routes, asked plainly."""
    shifts = [column.shift for column in columns]
    keys = [problem.jobs[j].group or problem.jobs[j].id for column in columns for j in column.jobs]
    if len(set(shifts)) < len(shifts) or len(set(keys)) < len(keys):
        return False
    by_id = {problem.shifts[column.shift].id: column for column in columns}
    for column in columns:
        following = by_id.get(problem.shifts[column.shift].next_shift or "")
        if column.lodging_after != (following.lodging_before if following else NOWHERE):
            return False
        if column.lodging_before != NOWHERE:
            evening = [c for c in columns if problem.shifts[c.shift].next_shift == problem.shifts[column.shift].id]
            if not evening or evening[0].lodging_after != column.lodging_before:
                return False
    for spacing in problem.spacings:
        days = sorted(
            problem.shifts[column.shift].day
            for column in columns
            for j in column.jobs
            if problem.jobs[j].series == spacing.series
        )
        if any(not spacing.min_days <= b - a <= spacing.max_days for a, b in pairwise(days)):
            return False
    return True


@st.composite
def pools(draw: st.DrawFn) -> tuple[Problem, list[Column]]:
    jobs = [
        job(
            f"visit{k}",
            group=draw(st.sampled_from([None, None, "account"])),
            series=draw(st.sampled_from([None, "weekly"])),
        )
        for k in range(4)
    ]
    ann = [shift(day, next_shift=f"ann{day + 1}" if day < 3 else None) for day in range(4)]
    problem = town(
        jobs,
        [*ann, shift(0, "ben")],
        spacings=(Spacing("weekly", *draw(st.sampled_from([(1, 1), (1, 3), (2, 2), (2, 3)]))),),
        lodgings=(Lodging("inn", 1, 10),),
    )
    columns = []
    for _ in range(draw(st.integers(1, 9))):
        k = draw(st.integers(0, 4))
        before = draw(st.sampled_from([NOWHERE, NOWHERE, 0])) if 0 < k < 4 else NOWHERE
        after = draw(st.sampled_from([NOWHERE, NOWHERE, 0])) if k < 3 else NOWHERE
        chosen = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True)))
        columns.append(Column(k, chosen, draw(st.integers(-30, 5)), before, after))
    return problem, columns


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pools())
def test_the_best_choice_of_routes_is_the_best_of_all_that_keep_the_rules(pool: tuple[Problem, list[Column]]) -> None:
    problem, columns = pool
    best = min(
        sum(column.cost_s for column in some)
        for count in range(len(columns) + 1)
        for some in combinations(columns, count)
        if keeps_the_rules(problem, some)
    )
    found = pack(problem, columns, [], PLENTY)
    assert keeps_the_rules(problem, found.chosen)
    assert found.cost_s == sum(column.cost_s for column in found.chosen) == best
    assert found.proved
    assert found.bound_s is not None
    assert found.bound_s <= best + 1e-6


def test_a_good_tuesday_and_a_good_monday_of_two_plans_become_one_plan() -> None:
    problem = town([job("a"), job("b"), job("c"), job("d")], [shift(0), shift(1)])
    one = [Column(0, (0, 1), -100), Column(1, (2,), -10)]
    other = [Column(0, (3,), -10), Column(1, (2, 3), -100)]
    found = pack(problem, other, one, PLENTY)
    assert found.chosen == (one[0], other[1])
    assert found.cost_s == -200


def test_of_equal_routes_the_cheaper_order_is_taken() -> None:
    problem = town([job("a"), job("b")], [shift(0)])
    found = pack(problem, [Column(0, (0, 1), -100), Column(0, (1, 0), -120)], [], PLENTY)
    assert found.chosen == (Column(0, (1, 0), -120),)


def test_shifts_that_are_alike_share_their_routes_and_each_has_at_most_one() -> None:
    """Three vans at one depot: what the search met on the first may be driven by any."""
    vans = [shift(0, f"van{k}") for k in range(3)]
    problem = town([job(name) for name in "abcd"], vans)
    met = [Column(0, (k,), -100 - k) for k in range(4)]
    found = pack(problem, met, [], PLENTY)
    assert sorted(column.shift for column in found.chosen) == [0, 1, 2]
    assert sorted(column.jobs for column in found.chosen) == [(1,), (2,), (3,)]


def test_a_shift_that_somebody_asks_for_by_name_is_not_like_any_other() -> None:
    vans = [shift(0, f"van{k}") for k in range(2)]
    problem = town([job("a"), job("b", vehicles=frozenset({"van1"}))], vans)
    met = [Column(0, (0,), -100), Column(1, (1,), -100), Column(1, (0,), -150)]
    found = pack(problem, met, [], PLENTY)
    assert {(column.shift, column.jobs) for column in found.chosen} == {(0, (0,)), (1, (1,))}


def test_a_packing_that_is_cut_short_is_never_worse_than_the_plan_before() -> None:
    problem = town([job("a"), job("b")], [shift(0), shift(1)])
    known = [Column(0, (0,), -100)]
    better = [Column(0, (0, 1), -300)]
    for budget in (PackingBudget(work=1e-9), PackingBudget(seconds=1e-9)):
        found = pack(problem, better, known, budget)
        assert found.cost_s <= -100
    stopped = pack(problem, better, known, PLENTY, stop=lambda: True)
    assert stopped.cost_s <= -100


def hard(routes: int) -> tuple[Problem, list[Column]]:
    problem = town([job(f"visit{k}") for k in range(300)], [shift(day) for day in range(30)])
    columns = []
    for k in range(routes):
        jobs = tuple(sorted({(k * 7919 + i * i * (k % 13 + 3) * 31) % 300 for i in range(9)}))
        columns.append(Column(k % 30, jobs, -sum(97 + 13 * j % 50 for j in jobs) + k * 31 % 60))
    return problem, columns


def test_a_packing_stops_when_asked_and_lets_others_work_meanwhile() -> None:
    problem, columns = hard(6000)
    ticks = []
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.01):
            ticks.append(time.monotonic())

    watcher = threading.Thread(target=tick)
    watcher.start()
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 10

    pack(problem, columns, [], PackingBudget(seconds=60), stop)
    ended = time.monotonic()
    over.set()
    watcher.join()
    assert len(asked) > 10
    assert ended - asked[10] < 20  # of sixty; some hundredths of a second where nothing else runs
    assert any(asked[0] < tick < asked[10] for tick in ticks)


def test_the_same_work_gives_the_same_choice() -> None:
    problem, columns = hard(800)
    first, second = (pack(problem, columns, [], PackingBudget(work=0.3)) for _ in range(2))
    assert first == second


def test_prices_say_what_a_job_is_worth_to_others() -> None:
    """One day and two visits, of which it can do one: the lesser one is done by nobody and costs nothing."""
    problem = town([job("a"), job("b")], [shift(0), shift(1)])
    columns = [Column(0, (0,), -500), Column(1, (0,), -800), Column(0, (1,), -300)]
    prices = job_prices(problem, columns)
    assert len(prices) == 2
    assert 200 <= prices[0] <= 800
    assert 0 <= prices[1] <= 300


@pytest.mark.parametrize("budget", [{}, {"seconds": 1.0, "work": 1.0}, {"seconds": 0.0}, {"work": -1.0}])
def test_a_budget_is_either_seconds_or_work(budget: dict[str, float]) -> None:
    with pytest.raises(ProblemError, match="packing budget"):
        PackingBudget(**budget)
