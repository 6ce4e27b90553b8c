"""Who should handle what: rules that are read strictly, of which the first that is met counts and says why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from cast import SETTINGS, account, opportunity
from handoff_cast import AREA, Desk, actor
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain import Account
from planner.errors import ConflictError
from planner.handoffs.division import (
    USUAL_RULES,
    Activity,
    Division,
    RulesChangedError,
    RulesInvalidError,
    Verdict,
    read_rules,
    rules_of,
    verdict_on,
    who_handles,
    write_rules,
)
from planner.handoffs.domain import Side

TODAY = date(2026, 11, 30)
DORMANT, ACTIVE, NEVER = date(2025, 1, 1), date(2026, 11, 1), None


def verdict(rules: Any = None, customer: Account | None = None, **deal: Any) -> Verdict:
    parsed = USUAL_RULES if rules is None else rules_of(rules)
    return who_handles(opportunity(**deal), customer, parsed, TODAY, SETTINGS.candidates)


def rule(handler: str = "inside", name: str = "It", **when: Any) -> dict[str, Any]:
    return {"name": name, "handler": handler, "when": when}


@pytest.mark.parametrize(
    ("customer", "value", "sentence"),
    [
        (
            account(annual_value=60_000.0),
            500.0,
            "The field handles it by rule 1, “Large customers”: the customer buys for 60,000 a year (at least 50,000)",
        ),
        (None, 10_000.0, "The field handles it by rule 2, “Large deals”: the deal is worth 10,000 (at least 10,000)"),
        (
            account(last_order=DORMANT),
            5_000.0,
            "Inside sales handles it by rule 3, “Dormant customers are won back on the phone”: "
            "the customer is dormant: last ordered on 2025-01-01",
        ),
        (None, 999.99, "Inside sales handles it by rule 4, “Small deals”: the deal is worth 999.99 (less than 1,000)"),
        (account(last_order=ACTIVE), 5_000.0, "The field handles it, since no rule is met"),
        (None, 0.0, "The field handles it, since no rule is met"),
    ],
)
def test_the_usual_rules_explain_themselves_with_the_numbers(
    customer: Account | None, value: float, sentence: str
) -> None:
    assert verdict(customer=customer, value=value).sentence == sentence


def test_each_of_the_four_divisions_of_labour_can_be_a_rule() -> None:
    big = rule("field", "Big", annual_value={"least": 1_000, "below": 2_000}, segment=["a", "B"])
    assert verdict([big], account(annual_value=1_000.0)).handler is Side.FIELD
    assert verdict([big], account(annual_value=2_000.0)).rule is None
    assert verdict([big], account(annual_value=1_500.0, segment="C")).rule is None
    assert verdict([big]).rule is None, "who is no customer has no size and no segment"

    asleep = rule(activity=["dormant"])
    assert verdict([asleep], account(last_order=DORMANT)).handler is Side.INSIDE
    for awake in (account(last_order=ACTIVE), account(last_order=NEVER), None):
        assert verdict([asleep], awake).rule is None

    small = rule(value={"below": 100})
    assert verdict([small], value=99.0).handler is Side.INSIDE
    assert verdict([small], value=0.0).rule is None, "a worth of nothing is not known"

    pumps = rule("field", product="Pumps")
    assert verdict([pumps], attributes={"product": " PUMPS"}).sentence.endswith("it is about PUMPS")
    assert verdict([pumps], attributes={"product": "valves"}).rule is None
    assert verdict([pumps]).rule is None


def test_a_rule_counts_only_where_all_of_it_is_met_and_the_first_one_counts() -> None:
    rules = [
        rule("inside", "Sleepy pumps", activity="dormant", product="pumps"),
        rule("field", "Pumps", product=["pumps", "valves"]),
        rule("inside", "Everything else"),
    ]
    pumps = {"product": "pumps"}
    assert verdict(rules, account(last_order=DORMANT), attributes=pumps).rule == rules_of(rules)[0]
    assert verdict(rules, account(last_order=ACTIVE), attributes=pumps).rule == rules_of(rules)[1]
    last = verdict(rules)
    assert last.sentence == "Inside sales handles it by rule 3, “Everything else”"


def test_new_is_who_never_bought() -> None:
    new = [rule("inside", activity="new")]
    assert verdict(new).sentence.endswith("it is no customer yet")
    assert verdict(new, account(last_order=NEVER)).sentence.endswith("the customer has never ordered")
    assert verdict(new, account(last_order=ACTIVE)).rule is None


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("rules", "the rules are not a list"),
        ({}, "the rules are not a list"),
        (None, "the rules are not a list"),
        ([rule()] * 51, "there are 51 rules, at most 50 are kept"),
        ([7], "rule 1: 7 is not an object"),
        ([rule(), {"handler": "field"}], "rule 2 name: is empty"),
        ([rule(name="  ")], "rule 1 name: is empty"),
        ([rule(name=3)], "rule 1 name: 3 is not a text"),
        ([rule(name="x" * 201)], "rule 1 name: is 201 characters long, at most 200 are kept"),
        ([rule(name="a\0b")], "rule 1 name: holds what is no character"),
        ([rule(name="\ud800")], "rule 1 name: holds what is no character"),
        ([rule("manager")], "rule 1 handler: 'manager' is neither inside nor field"),
        ([rule([])], "rule 1 handler: [] is neither inside nor field"),
        ([{**rule(), "if": 1}], "rule 1 if: is unknown; there are name, handler, when"),
        ([{**rule(), "when": []}], "rule 1 when: [] is not an object"),
        ([rule(weather="good")], "rule 1 when.weather: is unknown"),
        ([rule(value=5)], "rule 1 when.value: 5 is not an object"),
        ([rule(value={})], "rule 1 when.value: has neither least nor below"),
        ([rule(value={"most": 5})], "rule 1 when.value.most: is unknown; there are least, below"),
        ([rule(value={"least": "5"})], "rule 1 when.value.least: '5' is not a number between 0 and 1,000,000,000,000"),
        ([rule(value={"least": True})], "rule 1 when.value.least: True is not a number"),
        ([rule(value={"least": -1})], "rule 1 when.value.least: -1 is not a number"),
        ([rule(value={"least": float("nan")})], "rule 1 when.value.least: nan is not a number"),
        ([rule(annual_value={"below": float("inf")})], "rule 1 when.annual_value.below: inf is not a number"),
        ([rule(annual_value={"below": 10**400})], "rule 1 when.annual_value.below: 1000"),
        ([rule(value={"least": 5, "below": 5})], "rule 1 when.value: no amount is at least 5 and below 5"),
        ([rule(activity="asleep")], "rule 1 when.activity: knows new, active, dormant, and nothing else"),
        ([rule(segment=[])], "rule 1 when.segment: [] is neither a text nor a list of texts"),
        ([rule(product=[1])], "rule 1 when.product: 1 is not a text"),
        ([rule(product=["x"] * 101)], "rule 1 when.product: lists 101, at most 100 are kept"),
        ([rule(product={"a": 1})], "rule 1 when.product: {'a': 1} is neither a text nor a list of texts"),
    ],
)
def test_what_makes_no_sense_is_named_by_rule_and_field(rules: object, message: str) -> None:
    with pytest.raises(RulesInvalidError) as refused:
        rules_of(rules)
    assert str(refused.value).startswith(message)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(RulesInvalidError) as refused:
        rules_of([rule("nobody", name=""), rule(value={"least": -1}, activity="x")])
    assert [(error.rule, error.field) for error in refused.value.errors] == [
        (1, "name"), (1, "handler"), (2, "when.value.least"), (2, "when.activity"),
    ]  # fmt: skip


WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=5), max_size=3)
AMOUNTS = st.one_of(
    st.fixed_dictionaries({"least": st.integers(0, 100)}), st.fixed_dictionaries({"below": st.floats(1, 100)})
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda handler, when: {"name": "It", "handler": handler, "when": {k: v for k, v in when.items() if v}},
            st.sampled_from(["inside", "field"]),
            st.fixed_dictionaries(
                {},
                optional={
                    "annual_value": AMOUNTS,
                    "value": AMOUNTS,
                    "activity": st.lists(st.sampled_from(list(map(str, Activity)))),
                    "segment": WORDS,
                    "product": WORDS,
                },
            ),
        ),
        max_size=4,
    )
)
def test_rules_are_the_same_after_they_were_stored(rules: list[dict[str, Any]]) -> None:
    parsed = rules_of(rules)
    assert rules_of([rule.as_json() for rule in parsed]) == parsed
    assert who_handles(opportunity(), account(), parsed, TODAY, SETTINGS.candidates).sentence


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_anything_at_all_is_rules_or_an_error_in_words(value: object) -> None:
    for rules in (value, [value], [{"name": "It", "handler": "field", "when": value}]):
        try:
            parsed = rules_of(rules)
        except RulesInvalidError:
            continue
        assert rules_of([rule.as_json() for rule in parsed]) == parsed


def test_an_area_has_the_usual_rules_until_somebody_writes_its_own(desk: Desk) -> None:
    with desk.store.read() as unit:
        assert read_rules(unit, AREA) == Division(0, USUAL_RULES)
    mine = [rule("inside", "Ours")]
    with desk.store.write(actor("max")) as unit:
        assert write_rules(unit, AREA, mine, 0) == Division(1, rules_of(mine))
    with desk.store.read(actor("iris").scope) as unit:
        assert read_rules(unit, AREA).revision == 1
        verdict = verdict_on(unit, AREA, desk.deal(), TODAY, SETTINGS.candidates)
    assert verdict.sentence == "Inside sales handles it by rule 1, “Ours”"
    assert "team_rules.written" in desk.audited()


def test_two_who_change_the_rules_at_once_do_not_lose_what_they_wrote(desk: Desk) -> None:
    first, second = [rule(name="First")], [rule(name="Second")]
    with desk.store.write() as unit:
        write_rules(unit, AREA, first, 0)
    with desk.store.write() as unit, pytest.raises(RulesChangedError) as changed:
        write_rules(unit, AREA, second, 0)
    assert isinstance(changed.value, ConflictError)
    assert changed.value.present == Division(1, rules_of(first))
    with desk.store.write() as unit:
        assert write_rules(unit, AREA, first, 0).revision == 1, "they say so already"
        assert write_rules(unit, AREA, second, 1).revision == 2
        assert write_rules(unit, AREA, [], 2) == Division(3, ())


def test_a_customer_who_is_not_seen_says_nothing_in_a_verdict(desk: Desk) -> None:
    """Iris sees the bakery only where an opportunity of hers is of it."""
    desk.know(account("bakery", name="Bakery", annual_value=99_999.0))
    stranger = opportunity("x", account_id="bakery", value=5_000.0)
    with desk.store.read(actor("iris").scope) as unit:
        assert "99" not in verdict_on(unit, AREA, stranger, TODAY, SETTINGS.candidates).sentence
    with desk.store.read(actor("max").scope) as unit:
        assert "99,999" in verdict_on(unit, AREA, stranger, TODAY, SETTINGS.candidates).sentence
