"""The weekly summary: what a week covered, what slipped and why, and what would help at which price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from weeks_cast import Weeks, booked

from planner.access import Scope
from planner.coverage.domain import AccountCover, Coverage, CoverageState, RepCapacity
from planner.coverage.packing import pack
from planner.domain import Opportunity
from planner.fieldwork.domain import Disposition
from planner.settings import CandidateSettings
from planner.slots.domain import BookingState
from planner.summary.domain import Suggestion, SuggestionKind, WeeklySummary
from planner.summary.making import weekly_summary
from planner.summary.suggesting import suggestions_of

MONDAY, TUESDAY, SUNDAY = (date(2026, 11, day) for day in (23, 24, 29))
NEXT_MONDAY = datetime(2026, 11, 30, 7, tzinfo=UTC)
TOWN = (51.58, -2.99)


@pytest.fixture
def weeks(tmp_path: Path) -> Iterator[Weeks]:
    made = Weeks(tmp_path, now=NEXT_MONDAY)
    yield made
    made.store.close()


def told(weeks: Weeks, who: str = "max", monday: date = MONDAY) -> WeeklySummary:
    return weekly_summary(weeks.store, weeks.user(who).scope, "town", monday, weeks.settings, weeks.now)


def slips(summary: WeeklySummary) -> dict[str, list[str]]:
    return {slip.reason: [entry.name for entry in slip.entries] for slip in summary.slips}


def cover(name: str, rep: str = "anna", east: float = 0, **changes: Any) -> AccountCover:
    """A customer of segment B, so many hundred metres east of the market, visited for half an hour once a month."""
    usual: dict[str, Any] = {
        "account_id": name, "name": name.title(), "segment": "B", "rep_id": rep, "territory_id": "", "lat": TOWN[0],
        "lon": TOWN[1] + east * 0.001447, "state": CoverageState.VISITED, "cadence_days": 28, "due_on": None,
        "overdue_days": 0, "visits": (), "planned_days": (), "planned_rep": "", "unreached": "", "why": "",
        "visits_a_month": 1.0, "service_minutes": 30, "drive_minutes": 12.0, "annual_value": 1_000.0,
    }  # fmt: skip
    return AccountCover(**(usual | changes))


def coverage(accounts: list[AccountCover], **hours: float) -> Coverage:
    """Each rep with so many hours a month; what they need is what their customers take."""
    reps = []
    for name in sorted({account.rep_id for account in accounts} | hours.keys()):
        theirs = [account for account in accounts if account.rep_id == name]
        visits = sum(account.service_minutes_a_month for account in theirs)
        driving = sum(account.drive_minutes_a_month for account in theirs)
        reps.append(RepCapacity(name, name.title() or "Nobody", hours.get(name, 0.0) * 60, visits, driving, 0.0))
    return Coverage("town", date(2026, 11, 30), "Europe/London", 1, None, None, tuple(accounts), tuple(reps))


def keep(weeks: Weeks, found: Coverage) -> None:
    with weeks.store.write(audited=False) as unit:
        unit.coverages.put(pack(found, "key", NEXT_MONDAY))


# --- what was covered


def test_visits_made_are_those_at_which_the_customer_was_met(weeks: Weeks) -> None:
    weeks.customers("a", "b", "c", "d")
    weeks.plan({("anna", TUESDAY): ["account:a", "account:b", "account:c"], ("ben", TUESDAY): ["account:d"]})
    weeks.visit("anna", TUESDAY, "account:a")
    weeks.visit("anna", TUESDAY, "account:b", disposition=Disposition.NOT_IN)
    weeks.visit("anna", TUESDAY, "account:x")
    found = told(weeks)
    assert [(rep.name, rep.planned, rep.made, rep.besides) for rep in found.reps] == [
        ("Anna", 3, 1, 1),
        ("Ben", 1, 0, 0),
    ]
    assert (found.planned, found.made, found.besides) == (4, 1, 1)


def test_customers_were_met_in_time_or_late_or_never_before(weeks: Weeks) -> None:
    before = TUESDAY - timedelta(days=28)
    keep(weeks, coverage([
        cover("in-time", visits=(before, TUESDAY)), cover("late", visits=(before - timedelta(days=1), TUESDAY)),
        cover("first", visits=(TUESDAY,)), cover("last-week", visits=(MONDAY - timedelta(days=1),)),
        cover("after", visits=(date(2026, 11, 30),)),
    ]))  # fmt: skip
    found = told(weeks)
    assert (found.met, found.in_time, found.late, found.first_known) == (3, 1, 1, 1)
    assert [(met.how, [entry.id for entry in met.entries]) for met in found.met_by] == [
        ("in time", ["in-time"]),
        ("late", ["late"]),
        ("for the first time on record", ["first"]),
    ]


def states(summary: WeeklySummary) -> dict[str, tuple[int, int | None]]:
    return {change.state.value: (change.now, change.change) for change in summary.states}


def test_states_are_those_of_the_coverage_and_told_against_seven_days_before(weeks: Weeks) -> None:
    keep(weeks, coverage([
        cover("mended", visits=(date(2026, 9, 1), TUESDAY)),  # overdue until it was visited
        cover("lapsed", state=CoverageState.DUE, visits=(SUNDAY - timedelta(days=28),)),
        cover("dormant", state=CoverageState.DORMANT, visits=(TUESDAY,)),
    ]))  # fmt: skip
    found = told(weeks)
    assert (found.states_on, found.uncompared) == (date(2026, 11, 30), 0)
    assert states(found) == {"visited": (1, 0), "due": (1, 1), "overdue": (0, -1), "dormant": (1, 0)}


def test_who_was_visited_for_the_first_time_on_record_is_counted_and_not_compared(weeks: Weeks) -> None:
    """How they were a week before nobody knows: they would all have come from nowhere."""
    keep(weeks, coverage([
        cover("first", visits=(TUESDAY,)), cover("mended", visits=(date(2026, 9, 1), TUESDAY)),
        cover("lapsed", state=CoverageState.OVERDUE, visits=(date(2026, 10, 22),)),
    ]))  # fmt: skip
    found = told(weeks)
    assert states(found) == {"visited": (2, 1), "due": (0, -1), "overdue": (1, 0)}
    assert found.uncompared == 1


def test_where_most_who_were_visited_cannot_be_compared_no_change_is_told(weeks: Weeks) -> None:
    """It would be of the others alone, who can only have become worse."""
    lapsed = cover("lapsed", state=CoverageState.OVERDUE, visits=(date(2026, 10, 22),))
    keep(weeks, coverage([cover("first", visits=(TUESDAY,)), lapsed]))
    found = told(weeks)
    assert (states(found), found.uncompared) == ({"visited": (1, None), "due": (0, None), "overdue": (1, None)}, 1)


def test_opportunities_count_once_however_often_something_happens_to_them(weeks: Weeks) -> None:
    weeks.deals("mill", "forge", value=1_000.0)
    for action, deal in (("visited", "mill"), ("visited", "mill"), ("won", "mill"), ("returned", "forge")):
        weeks.happened(action, deal, datetime(2026, 11, 25, 10, tzinfo=UTC))
    weeks.happened("won", "forge", datetime(2026, 11, 30, 0, 0, tzinfo=UTC))  # in the next week
    weeks.happened("won", "nowhere", datetime(2026, 11, 25, tzinfo=UTC))
    assert [(deals.what, len(deals.entries), deals.value) for deals in told(weeks).deals] == [
        ("Visited", 1, 1_000.0),
        ("Won", 1, 1_000.0),
        ("Returned to inside sales", 1, 1_000.0),
    ]


# --- what slipped


def test_what_was_planned_and_not_made_is_told_by_its_reason(weeks: Weeks) -> None:
    names = ["in", "day", "no", "off", "out", "tapped", "silent"]
    weeks.customers(*names)
    weeks.plan({("anna", TUESDAY): [f"account:{name}" for name in names], ("ben", TUESDAY): ["account:sick"]})
    for name, disposition in (
        ("in", Disposition.NOT_IN),
        ("day", Disposition.RESCHEDULED),
        ("no", Disposition.REFUSED),
    ):
        weeks.visit("anna", TUESDAY, f"account:{name}", disposition=disposition)
    weeks.visit("anna", TUESDAY, "account:tapped", disposition=None, report_id="")
    left_out = {"account:off": "Called off by the customer: holidays", "account:out": "Left out: traffic"}
    weeks.says("anna", TUESDAY, left_out=left_out)
    weeks.says("ben", TUESDAY, sick=True)
    found = told(weeks)
    assert slips(found) == {
        "nobody was in": ["In"],
        "the customer wants another day": ["Day"],
        "the customer refused the visit": ["No"],
        "called off by the customer": ["Off"],
        "left out by the rep": ["Out"],
        "checked in, and not reported": ["Tapped"],
        "nobody has reported anything": ["Silent"],
        "the rep was sick": ["Sick"],
    }
    assert {slip.about for slip in found.slips} == {"Planned, and not made"}
    assert [entry.text for slip in found.slips for entry in slip.entries if entry.name == "Off"] == [
        "Tue 24 Nov: holidays"
    ]


def test_who_was_due_and_not_planned_is_told_by_the_plan_s_reason(weeks: Weeks) -> None:
    weeks.deals("forge")
    keep(weeks, coverage([cover("full"), cover("far"), cover("met", visits=(TUESDAY,))]))
    entries: list[dict[str, Any]] = [
        {"record_ids": ["full"], "sentence": "the days of Ben are full of secrets"},
        {"record_ids": ["far"], "reason": "too_far"},
        {"record_ids": ["met"]},
        {"record_ids": ["anyway"], "reason": "visited_anyway"},
        {"record_ids": ["near"], "kind": "nearby"},
        {"record_ids": ["forge"], "kind": "opportunity"},
        {"record_ids": ["unseen"]},
    ]
    weeks.plan({("anna", TUESDAY): []}, unplanned=entries)
    weeks.plan({("anna", SUNDAY): []}, unplanned=entries)
    weeks.visit("anna", TUESDAY, "account:met")
    assert slips(told(weeks)) == {
        "every day on which it could be is full": ["Forge", "Full"],
        "it adds more driving than it is worth": ["Far"],
    }
    assert "secrets" not in str(told(weeks))


def test_promises_that_were_broken_late_moved_or_cancelled_are_told(weeks: Weeks) -> None:
    ended: dict[str, Any] = {"ended_at": datetime(2026, 11, 25, 12, tzinfo=UTC)}
    long_ago = datetime(2026, 11, 1, tzinfo=UTC)
    weeks.promises(
        booked("kept", day=TUESDAY), booked("late", day=TUESDAY), booked("broken", day=TUESDAY),
        booked("moved", day=date(2026, 12, 9), state=BookingState.MOVED, **ended),
        booked("cancelled", day=TUESDAY, state=BookingState.CANCELLED, reason="holidays", **ended),
        booked("given-back", day=TUESDAY, state=BookingState.RELEASED, **ended),
        booked("long-ago", day=date(2026, 12, 9), state=BookingState.CANCELLED, ended_at=long_ago),
        booked("to-come", day=date(2026, 12, 9)),
    )  # fmt: skip
    weeks.visit("anna", TUESDAY, "opportunity:kept", "10:59")
    weeks.visit("anna", TUESDAY, "opportunity:late", "11:20")
    assert slips(told(weeks)) == {
        "nobody was there when promised": ["Broken"],
        "the rep came late": ["Late"],
        "moved to another time": ["Moved"],
        "cancelled": ["Cancelled"],
    }


def test_deadlines_that_nobody_met_are_told(weeks: Weeks) -> None:
    weeks.deals("mill")
    weeks.happened("missed", "mill", datetime(2026, 11, 26, tzinfo=UTC), actor="system")
    assert slips(told(weeks)) == {"nobody from the field acted in time": ["Mill"]}


# --- whose, and when


def test_a_manager_of_a_team_is_told_of_nobody_else(weeks: Weeks) -> None:
    weeks.customers("a", owner_rep_id="anna")
    weeks.customers("b", owner_rep_id="ben")
    weeks.plan({("anna", TUESDAY): ["account:a"], ("ben", TUESDAY): ["account:b"]},
               unplanned=[{"record_ids": ["left"], "name": "Left of Ben"}])  # fmt: skip
    keep(weeks, coverage([cover("a"), cover("b", "ben"), cover("left", "ben")], anna=1, ben=1))
    weeks.promises(booked("mill", "ben", TUESDAY))
    mine = told(weeks, "mia")
    assert [rep.name for rep in mine.reps] == ["Anna"]
    assert slips(mine) == {"nobody has reported anything": ["A"]}
    assert "Ben" not in str(mine)
    assert "Ben" in str(told(weeks))


def test_a_week_that_goes_on_is_told_of_its_days_that_are_over(weeks: Weeks) -> None:
    weeks.now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    weeks.customers("a", "b")
    weeks.plan({("anna", TUESDAY): ["account:a"], ("anna", date(2026, 11, 25)): ["account:b"]})
    assert told(weeks).last == TUESDAY
    assert slips(told(weeks)) == {"nobody has reported anything": ["A"]}
    weeks.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert told(weeks).slips == []
    keep(weeks, coverage([cover("a")]))
    assert told(weeks).notes == ("No day of this week is over yet.",)


def test_weeks_long_past_have_no_suggestions_about_now(weeks: Weeks) -> None:
    keep(weeks, coverage([cover(f"a{n}", state=CoverageState.OVERDUE, overdue_days=9) for n in range(3)], anna=9))
    assert told(weeks).suggestions
    old = told(weeks, monday=date(2026, 10, 5))
    assert old.suggestions == []
    assert "longer ago" in old.notes[0]


# --- what would help


def suggested(found: Coverage, *waiting: Opportunity, **settings: Any) -> dict[SuggestionKind, Suggestion]:
    given = suggestions_of(found, waiting, CandidateSettings(**settings), lambda account: f"the {account.name}")
    assert len(given) <= 3
    assert all(each.price and each.sums and each.loses for each in given)
    return {each.kind: each for each in reversed(given)}


def test_a_half_day_visits_the_overdue_customers_around_the_best_of_them(weeks: Weeks) -> None:
    overdue: dict[str, Any] = {"state": CoverageState.OVERDUE, "overdue_days": 20}
    accounts = [
        cover("best", segment="A", annual_value=9_000.0, **overdue), cover("beside", east=2, segment="A", **overdue),
        cover("c-near", east=1, segment="C", **overdue),
        cover("planned", segment="A", planned_days=(SUNDAY,), **overdue),
        cover("far", east=500, segment="A", **overdue), cover("ok", segment="A"),
        cover("lost", segment="A", lat=None, lon=None, **overdue),
    ]  # fmt: skip
    half_day = suggested(coverage(accounts, anna=1))[SuggestionKind.HALF_DAY]
    assert [entry.id for entry in half_day.accounts] == ["best", "beside", "c-near"]
    assert half_day.title.startswith(
        "An extra half day of Anna next week would visit 3 customers, 2 of them A, around the"
    )
    assert half_day.minutes == pytest.approx(3 * 42)
    assert half_day.price == "2.1 h of Anna, once"
    assert "1.5 h with the customers and 0.6 h of driving" in half_day.sums[0]
    assert suggested(coverage(accounts, anna=200))[SuggestionKind.HALF_DAY].title.startswith("A half day of Anna")


def test_a_half_day_is_extra_where_the_days_of_the_plan_are_full_whatever_is_left_a_month(weeks: Weeks) -> None:
    full = cover("full", state=CoverageState.OVERDUE, overdue_days=9, unreached="no_time_left")
    half_day = suggested(coverage([full], anna=200))[SuggestionKind.HALF_DAY]
    assert half_day.title.startswith("An extra half day of Anna")
    assert half_day.loses.startswith("The days of the present plan are too full for 1 customer of these")


def test_a_half_day_is_no_longer_than_half_a_day(weeks: Weeks) -> None:
    overdue = [cover(f"a{n:02}", east=n, state=CoverageState.OVERDUE, overdue_days=1) for n in range(20)]
    half_day = suggested(coverage(overdue, anna=1))[SuggestionKind.HALF_DAY]
    assert len(half_day.accounts) == 6
    assert half_day.minutes <= 270


def test_customers_are_given_from_who_is_short_to_who_has_hours_and_lives_near(weeks: Weeks) -> None:
    accounts = [cover(f"a{n}", east=n) for n in range(10)] + [
        cover(f"b{n}", "ben", n, drive_minutes=6.0) for n in range(3)
    ]
    give = suggested(coverage(accounts, anna=5, ben=5))[SuggestionKind.GIVE]
    # Anna needs 7 h and has 5: three customers of 42 minutes make up for the two hours that are missing.
    assert [entry.id for entry in give.accounts] == ["a0", "a1", "a2"]
    assert give.title == "Give 3 customers around the A0 from Anna to Ben."
    assert give.price == "saves Anna 2.1 h a month, costs Ben 1.8 h"
    saves, costs = 3 * 42.0, 3 * (30 + 6.0)  # they are at the same places as Ben's
    assert give.minutes == pytest.approx(costs - saves)
    assert "1.5 h of visits and 0.3 h of driving" in give.sums[2]


def test_nobody_is_given_more_than_there_are_hours_for_nor_what_lies_far_away(weeks: Weeks) -> None:
    many = [cover(f"a{n}", east=n) for n in range(10)]
    near = [cover(f"b{n}", "ben", n) for n in range(3)]
    give = suggested(coverage(many + near, anna=1, ben=4.0))[SuggestionKind.GIVE]
    assert len(give.accounts) == 2  # 2.1 h are Ben's own, and a third would be 4.2 h
    far = [cover(f"b{n}", "ben", 300 + n) for n in range(3)]
    assert SuggestionKind.GIVE not in suggested(coverage(many + far, anna=1, ben=100))
    assert SuggestionKind.GIVE not in suggested(coverage(many + near, anna=100, ben=100))


def test_customers_of_nobody_go_to_a_rep_with_hours(weeks: Weeks) -> None:
    accounts = [cover(f"n{n}", "", n) for n in range(3)] + [cover(f"b{n}", "ben", n) for n in range(3)]
    adopt = suggested(coverage(accounts, ben=100))[SuggestionKind.ADOPT]
    assert adopt.title == "Give 3 customers around the N0 whom nobody looks after to Ben."
    assert adopt.minutes == pytest.approx(3 * 42, rel=0.1)


def test_a_longer_cadence_is_priced_and_is_never_longer_than_by_a_quarter(weeks: Weeks) -> None:
    accounts = [cover(f"c{n}", segment="C", cadence_days=84, visits_a_month=0.36, east=n) for n in range(40)]
    accounts += [cover(f"own{n}", segment="C", cadence_days=10) for n in range(2)]
    found = coverage(accounts, anna=10.2)  # 11.5 h are needed
    stretch = suggested(found)[SuggestionKind.STRETCH]
    assert stretch.title == "Visit customers of segment C every 98 days rather than every 84."
    now = 40 * 0.36 * 42
    assert stretch.minutes == pytest.approx(-now * (1 - 84 / 98))
    assert stretch.price.startswith("saves 1.4 h a month")
    assert "3.7 times a year rather than 4.3" in stretch.loses
    assert "every 105 days" in suggested(coverage(accounts, anna=1))[SuggestionKind.STRETCH].title
    assert SuggestionKind.STRETCH not in suggested(coverage(accounts, anna=100))


def test_first_visits_that_no_plan_has_room_for_have_a_price(weeks: Weeks) -> None:
    weeks.deals("mill", "forge", visit_minutes=60, value=5_000.0)
    deals = weeks.read(lambda unit: unit.records("town").opportunities())
    first = suggested(coverage([cover("a", drive_minutes=10.0)], anna=100), *deals)[SuggestionKind.FIRST_VISITS]
    assert first.minutes == 2 * (60 + 5 + 2 * 10)
    assert first.price == "2.8 h of the field, once"


def test_what_is_planned_by_now_is_not_suggested(weeks: Weeks) -> None:
    weeks.deals("mill", "forge")
    weeks.plan({("anna", SUNDAY): []},
               unplanned=[{"record_ids": [deal], "kind": "opportunity"} for deal in ("mill", "forge")])  # fmt: skip
    keep(weeks, coverage([cover("a")], anna=100))
    assert [entry.id for entry in told(weeks).suggestions[0].accounts] == ["forge", "mill"]
    weeks.plan({("anna", date(2026, 12, 1)): ["opportunity:mill"]})
    assert [entry.id for entry in told(weeks).suggestions[0].accounts] == ["forge"]


def test_addresses_to_settle_have_a_price(weeks: Weeks) -> None:
    lost = [cover(f"l{n}", state=CoverageState.NO_PLACE, lat=None, lon=None) for n in range(30)]
    settle = suggested(coverage(lost, anna=100))[SuggestionKind.SETTLE]
    assert settle.minutes == 60
    assert SuggestionKind.SETTLE not in suggested(coverage(lost[:4], anna=100))


def test_where_all_is_well_nothing_is_suggested(weeks: Weeks) -> None:
    assert suggested(coverage([cover("a")], anna=100)) == {}


def test_what_is_lost_is_said_and_every_hour_in_a_title_or_price_is_a_sum(weeks: Weeks) -> None:
    accounts = [cover(f"a{n}", east=n, state=CoverageState.OVERDUE, overdue_days=3) for n in range(10)]
    accounts += [cover(f"b{n}", "ben", n) for n in range(3)]
    for each in suggestions_of(coverage(accounts, anna=5, ben=9), (), CandidateSettings(), lambda account: "here"):
        hours = re.findall(r"[\d.]+ h", f"{each.title} {each.price}")
        assert hours
        assert any(re.search(r"[\d.]+ h", line) for line in each.sums)


def test_a_summary_is_made_for_an_area_without_anything(weeks: Weeks) -> None:
    found = weekly_summary(weeks.store, Scope(), "nowhere", MONDAY, weeks.settings, weeks.now)
    assert (found.planned, found.zone, found.suggestions, found.slips) == (0, "UTC", [], [])
    assert replace(found, notes=()).as_of is None
