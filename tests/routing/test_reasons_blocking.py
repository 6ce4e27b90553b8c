"""What keeps a job out of a plan: against every rule lifted by hand, and in a small town."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from reasons_cast import Plan, can_be_taken_in, plans

from routing.reasons import LeftOut, Rule, blocking

EVERY = frozenset(Rule)
LOOKED_AT = 40
"""Sets of rules that are tried for being smaller: each costs a few hundred days timed."""


def without(plan: Plan, job: str, kept: frozenset[Rule]) -> bool:
    """Whether the job can be taken in with only these rules kept."""
    return can_be_taken_in(plan, job, EVERY - kept)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_the_rules_that_are_told_block_and_any_single_one_of_them_lifted_lets_the_job_in(plan: Plan) -> None:
    for case in LeftOut(plan.problem, plan.solution, plan.deadlines).cases():
        told = blocking(case)
        job, rules = case.job.id, frozenset(told.rules)
        if not told.possible:
            assert not without(plan, job, frozenset())
            continue
        assert without(plan, job, rules) == told.free
        for rule in rules:
            assert without(plan, job, rules - {rule}), rule


@settings(max_examples=12, deadline=None)
@given(plans())
def test_no_smaller_set_of_rules_blocks(plan: Plan) -> None:
    for case in LeftOut(plan.problem, plan.solution, plan.deadlines).cases():
        told = blocking(case)
        smaller = [each for size in range(len(told.rules)) for each in combinations(Rule, size)]
        for rules in smaller[:LOOKED_AT]:
            assert without(plan, case.job.id, frozenset(rules))


@settings(max_examples=20, deadline=None)
@given(plans())
def test_what_is_said_to_let_a_job_in_alone_does_so_with_all_other_rules_kept(plan: Plan) -> None:
    for case in LeftOut(plan.problem, plan.solution, plan.deadlines).cases():
        told = blocking(case)
        if not told.free:
            assert set(told.singly) == {rule for rule in Rule if can_be_taken_in(plan, case.job.id, {rule})}
            assert set(told.singly) <= set(told.rules)
