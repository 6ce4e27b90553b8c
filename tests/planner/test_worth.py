"""What a visit is worth, and the words for it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from cast import MONDAY, account, opportunity

from planner.settings import WorthSettings
from planner.worth import account_worth, opportunity_worth

WORTH = WorthSettings()


def worth_after(days: int, **changes: object) -> int:
    """Minutes of a customer who was visited so many days ago, every 28 days."""
    return account_worth(account(last_visit=MONDAY - timedelta(days=days), **changes), 28, MONDAY, WORTH).minutes


def test_the_formula_is_the_documented_one() -> None:
    """240 for the handoff and 10 for each doubling above a thousand: an expected 3,000 are two."""
    worth = opportunity_worth(opportunity(value=6_000, probability=0.5), False, WORTH)
    assert worth.minutes == 260
    assert worth.because == "240 for a handoff, 20 for an expected 3,000"


def test_a_customers_worth_says_how_it_comes_about() -> None:
    """40 for segment B and 10 for the 1,000 that it buys in 28 days, on the day that it is due."""
    worth = account_worth(account(annual_value=1_000 * 365 / 28, last_visit=date(2026, 11, 2)), 28, MONDAY, WORTH)
    assert worth.minutes == 50
    assert worth.because == "40 for segment B, 10 for 1,000 between two visits, × 1.00 for the time since the last one"


def test_a_deal_ten_times_as_large_does_not_count_for_ten_visits() -> None:
    small = opportunity_worth(opportunity(value=10_000), False, WORTH).minutes
    large = opportunity_worth(opportunity(value=100_000), False, WORTH).minutes
    assert small < large < 1.3 * small


def test_any_handoff_is_worth_more_than_an_ordinary_customer_however_overdue() -> None:
    least = opportunity_worth(opportunity(value=0, probability=0), False, WORTH).minutes
    assert least > worth_after(1_000, segment="A", annual_value=12_000)


def test_a_late_opportunity_outranks_everything_on_time() -> None:
    late = opportunity_worth(opportunity(value=0), True, WORTH)
    assert late.minutes > 3 * opportunity_worth(opportunity(value=1e9, probability=1), False, WORTH).minutes
    assert late.because.endswith("1,440 because its deadline has passed")


def test_the_longer_ago_the_last_visit_the_more_a_customer_is_worth_up_to_three_times() -> None:
    assert worth_after(14) < worth_after(28) < worth_after(56) < worth_after(84)
    assert worth_after(56) == pytest.approx(2 * worth_after(28), abs=1)
    assert worth_after(10_000) == worth_after(84)


def test_a_customer_never_visited_counts_as_one_a_whole_cadence_overdue() -> None:
    assert account_worth(account(last_visit=None), 28, MONDAY, WORTH).minutes == worth_after(56)


def test_a_visit_in_the_future_is_worth_nothing_yet() -> None:
    assert worth_after(-3) == 0


def test_segments_differ_and_an_unknown_one_counts_as_the_least() -> None:
    a, b, c, other = (worth_after(28, segment=segment) for segment in ("A", "B", "C", "{{7*7}}"))
    assert a > b > c == other


def test_absurd_amounts_stay_finite() -> None:
    assert opportunity_worth(opportunity(value=1e12, probability=1.0), True, WORTH).minutes < 3_000
    assert opportunity_worth(opportunity(value=0.0), False, WorthSettings(opportunity_minutes=0)).minutes == 0
