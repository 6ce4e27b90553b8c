"""What was booked with a customer stands in every plan; a plan that cannot keep it is not made."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from cast import (
    FRIDAY,
    ISLAND,
    MONDAY,
    SETTINGS,
    TUESDAY,
    WEDNESDAY,
    Town,
    account,
    door,
    local,
    opportunity,
    promise,
    reasons,
    rep,
    stops,
    whose,
)

from planner.domain import Address
from planner.errors import PromiseBrokenError
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.plan_document import PlanDocument
from planner.settings import CalendarSettings
from planner.slots.domain import Meaning


def handoff(state: HandoffState, reason: str = "", id_: str = "mill", owner: str = "anna") -> HandoffRow:
    return HandoffRow("town", id_, 1, state, promise().made_at, Side.FIELD, owner, reason=reason)


def test_a_promise_is_planned_with_its_rep_on_its_day_and_in_its_window(town: Town) -> None:
    """Ben lives next door, and any other time would be as good."""
    town.add(rep("ben", start_address=Address("2 Other Road")), door(10))
    town.add(opportunity(), door(10))
    town.promises.append(promise(day=WEDNESDAY, window=("15:00", "15:30")))
    document = town.plan()
    stop = stops(document)["mill"]
    assert whose(document) == {"mill": "anna"}
    assert "2026-12-02T15:00" <= stop["begin"] <= "2026-12-02T15:30"
    assert (stop["kind"], stop["why"]) == ("appointment", "promised for 2026-12-02 15:00–15:30")
    assert (stop["worth_minutes"], stop["deadline"], document["totals"]["promises"]) == (None, None, 1)


def test_what_was_promised_counts_whatever_the_record_says_now(town: Town) -> None:
    """The record has moved, takes two hours, is open on Fridays only, lacks a need and is due on Monday."""
    town.add(
        opportunity(
            address=Address("somewhere else"), visit_minutes=120, availability="Fr 09:00-17:00", need="no",
            first_action_days=1, required_skills=frozenset(["welding"]),
        ),
        lost=True,
    )  # fmt: skip
    town.promises.append(promise(service_minutes=45, place=door(20)))
    stop = stops(town.plan())["mill"]
    assert (stop["address"], stop["lat"], stop["lon"]) == ("mill road", 0.0, 0.02)
    assert stop["begin"] >= "2026-12-01T10:00"
    assert stop["leave"] <= "2026-12-01T11:45"
    assert stop["handoff_missing"] == ["need is no, must be yes"]


def test_a_promise_of_the_whole_visit_ends_within_its_window(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.add(opportunity("other", appointment=local("2026-12-01 08:00")), door())
    town.promises.append(promise(meaning=Meaning.WHOLE, window=("10:00", "11:10")))
    stop = stops(town.plan())["mill"]
    assert "2026-12-01T10:00" <= stop["begin"] < stop["leave"] <= "2026-12-01T11:10:00+00:00"
    assert stop["why"] == "promised for 2026-12-01 10:00–11:10 for the whole visit"


def test_the_hours_that_were_promised_hold_within_the_window(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.promises.append(promise(window=("10:00", "12:00"), hours="Mo-Fr 11:00-13:00"))
    assert "2026-12-01T11:00" <= stops(town.plan())["mill"]["begin"] <= "2026-12-01T12:00"


def test_a_promise_wins_over_an_appointment_that_was_imported(town: Town) -> None:
    town.add(opportunity(appointment=local("2026-12-03 15:00")), door(10))
    town.promises.append(promise())
    assert stops(town.plan())["mill"]["begin"].startswith("2026-12-01T1")


@pytest.mark.parametrize("day", [date(2026, 12, 7), date(2026, 11, 27)], ids=["after", "before"])
def test_a_promise_on_another_day_is_listed_and_planned_on_no_other(town: Town, day: date) -> None:
    town.add(opportunity(), door(10))
    town.promises.append(promise(day=day))
    document = town.plan()
    assert stops(document) == {}
    [entry] = document["unplanned"]
    assert entry["reason"] == "appointment_on_another_day"
    assert entry["sentence"] == f"it is promised for {day} 10:00–11:00, which is not in these days"


def test_a_promise_counts_as_the_visit_to_the_account_of_its_rep(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(opportunity(account_id="bakery"), door(10))
    town.promises.append(promise())
    document = town.plan()
    [stop] = stops(document).values()
    assert stop["record_ids"] == ["mill", "bakery"]
    assert (
        stop["why"] == "promised for 2026-12-01 10:00–11:00; counts as the visit to account bakery, whose rep Anna is"
    )


def test_a_promise_of_another_rep_than_the_accounts_is_kept_and_the_account_left_alone(town: Town) -> None:
    town.add(rep("ben"))
    town.add(account("bakery", last_visit=None), door(10))
    town.add(opportunity(account_id="bakery"), door(10))
    town.promises.append(promise(rep_id="ben"))
    document = town.plan()
    assert whose(document) == {"mill": "ben"}
    assert reasons(document) == {"bakery": "visited_anyway"}


def test_a_customer_rides_along_with_a_promise(town: Town) -> None:
    town.add(opportunity(), lost=True)
    town.add(account(last_visit=date(2026, 11, 9)), door(12))
    town.promises.append(promise())
    assert stops(town.plan())["bakery"]["rides_with"] == ["mill"]


# ------------------------------------------------------------------------------------------------ states


@pytest.mark.parametrize("state", [HandoffState.HANDED_OFF, HandoffState.ACCEPTED, HandoffState.BOOKED])
def test_what_the_field_has_is_planned(town: Town, state: HandoffState) -> None:
    town.add(opportunity(), door(10))
    town.handoffs.append(handoff(state))
    assert set(stops(town.plan())) == {"mill"}


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (HandoffState.DRAFT, "not handed off yet: wrong number"),
        (HandoffState.REJECTED, "rejected by the field: wrong number"),
        (HandoffState.RETURNED, "returned to inside sales: wrong number"),
    ],
)
def test_what_is_with_inside_sales_is_listed_as_returned(town: Town, state: HandoffState, sentence: str) -> None:
    town.add(opportunity(appointment=local("2026-12-01 10:00")), door(10))
    town.handoffs.append(handoff(state, "wrong number"))
    document = town.plan()
    assert stops(document) == {}
    assert [entry["sentence"] for entry in document["returned_to_inside"]] == [sentence]


@pytest.mark.parametrize("state", [HandoffState.VISITED, HandoffState.WON, HandoffState.LOST])
def test_what_was_visited_is_neither_planned_nor_missed(town: Town, state: HandoffState) -> None:
    town.add(opportunity(), door(10))
    town.handoffs.append(handoff(state))
    document = town.plan()
    assert (stops(document), document["unplanned"], document["returned_to_inside"]) == ({}, [], [])


def test_a_promise_is_kept_in_whatever_state_the_handoff_is(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.promises.append(promise())
    town.handoffs.append(handoff(HandoffState.RETURNED))
    assert set(stops(town.plan())) == {"mill"}


# ------------------------------------------------------------------------------------------------ whose it is


@pytest.mark.parametrize("state", [HandoffState.HANDED_OFF, HandoffState.ACCEPTED])
def test_who_has_a_handoff_makes_the_visit_whoever_s_customer_and_however_near_it_is(
    town: Town, state: HandoffState
) -> None:
    town.add(rep("ben", start_address=Address("far away")), door(-30))
    town.add(account("bakery", last_visit=None), door(10))
    town.add(opportunity(account_id="bakery"), door(10))
    town.handoffs.append(handoff(state, owner="ben"))
    document = town.plan()
    [stop] = stops(document).values()
    assert whose(document) == {"mill": "ben"}
    assert stop["why"] == "handed off by inside sales; the first visit is due by 2026-12-04; Ben has it"
    assert reasons(document) == {"bakery": "visited_anyway"}


def test_who_has_the_handoff_of_their_own_customer_visits_both_at_once(town: Town) -> None:
    town.add(account("bakery"), door(10))
    town.add(opportunity(account_id="bakery"), door(10))
    town.handoffs.append(handoff(HandoffState.ACCEPTED))
    [stop] = stops(town.plan()).values()
    assert stop["record_ids"] == ["mill", "bakery"]
    assert stop["why"].endswith("Anna has it; counts as the visit to account bakery, whose rep Anna is")


@pytest.mark.parametrize(
    ("bens", "deal"),
    [
        ({}, {"required_skills": frozenset(["welding"])}),
        ({"skills": frozenset(["welding"]), "work_days": frozenset([4])}, {"first_action_days": 3}),
        ({"work_start": time(12), "break_window": None}, {"appointment": local("2026-12-01 10:00")}),
        (None, {}),
    ],
    ids=["skill", "days", "appointment", "gone"],
)
def test_an_opportunity_does_not_wait_for_a_rep_who_cannot_come(
    empty_town: Town, bens: dict[str, Any] | None, deal: dict[str, Any]
) -> None:
    empty_town.add(rep(skills=frozenset(["welding"])))
    if bens is not None:
        empty_town.add(rep("ben", **bens), door(10))
    empty_town.add(opportunity(**deal), door(10))
    empty_town.handoffs.append(handoff(HandoffState.ACCEPTED, owner="ben"))
    document = empty_town.plan()
    assert whose(document) == {"mill": "anna"}
    assert "has it" not in stops(document)["mill"]["why"]


def for_a_manager() -> HandoffRow:
    return replace(handoff(HandoffState.HANDED_OFF, owner=""), side=Side.MANAGER)


def test_what_waits_for_a_manager_is_planned_for_nobody_and_says_so(town: Town) -> None:
    town.add(opportunity(), door(10))
    visited_by_anna = town.plan()
    town.handoffs.append(for_a_manager())
    assert any(each.endswith("waits for a manager to say whose it is") for each in town.broken(visited_by_anna))
    document = town.plan()
    assert stops(document) == {}
    [entry] = document["unplanned"]
    assert (entry["reason"], entry["sentence"]) == ("waits_for_manager", "a manager decides first whose it is")
    assert town.broken(document) == []


def test_an_agreed_appointment_is_kept_although_a_manager_has_to_say_whose_it_is(town: Town) -> None:
    town.add(opportunity(appointment=local("2026-12-01 10:00")), door(10))
    town.handoffs.append(for_a_manager())
    assert set(stops(town.plan())) == {"mill"}


def test_a_promise_is_kept_by_its_rep_whoever_has_the_handoff(town: Town) -> None:
    town.add(rep("ben"))
    town.add(opportunity(), door(10))
    town.promises.append(promise())
    town.handoffs.append(handoff(HandoffState.ACCEPTED, owner="ben"))
    assert whose(town.plan()) == {"mill": "anna"}


def test_fieldvisit_check_finds_a_visit_by_another_rep_than_has_the_handoff(town: Town) -> None:
    town.add(rep("ben"))
    town.add(opportunity(), door(10))
    town.handoffs.append(handoff(HandoffState.ACCEPTED))
    document = town.plan()
    assert town.broken(document) == []
    town.handoffs[:] = [handoff(HandoffState.ACCEPTED, owner="ben")]
    [said] = town.broken(document)
    assert said.endswith("opportunity:mill: ben has it, and could come")


# ------------------------------------------------------------------------------------------------ broken promises


def broken(town: Town, **how: Any) -> tuple[str, ...]:
    with pytest.raises(PromiseBrokenError) as refusal:
        town.plan(**how)
    assert str(refusal.value).startswith("no plan was made, since promises could not be kept: ")
    return refusal.value.broken


PROMISED = "Mill (mill), 2026-12-01 10:00–11:00, with"


def test_a_run_that_cannot_keep_a_promise_says_which_and_why(empty_town: Town) -> None:
    empty_town.add(rep(work_days=frozenset([0, 2, 3, 4])))
    empty_town.add(rep("ben"))
    empty_town.add(opportunity(), door(10))
    empty_town.promises.append(promise())
    assert broken(empty_town) == (
        f"{PROMISED} Anna: the rep does not work on that day, is not located, or is not among the reps",
    )


@pytest.mark.parametrize(
    ("records", "changes", "why"),
    [
        ({"start_address": Address("nowhere")}, {}, "Anna: no street connects it with the rep's home"),
        ({}, {"skills": frozenset(["welding"])}, "Anna: the rep no longer has the skill welding"),
        ({"max_visits_per_day": 0}, {}, "Anna: the rep makes no visits"),
        (
            {"work_start": time(13), "break_window": None},
            {"hours": "Mo-Fr 09:00-17:00"},
            "Anna: the rep's working time from 13:00 to 17:00, with break and drive, Mo-Fr 09:00-17:00 as its hours, "
            "has no room for 60 minutes then",
        ),
    ],
    ids=["unreachable", "skill", "no visits", "hours"],
)
def test_the_likely_cause_is_named(
    empty_town: Town, records: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    empty_town.add(rep(**records), door(ISLAND if records.get("start_address") else 0))
    empty_town.add(opportunity(), door(10))
    empty_town.promises.append(promise(**changes))
    assert broken(empty_town) == (f"{PROMISED} {why}",)


def test_a_promise_with_somebody_who_is_gone_is_named_too(town: Town) -> None:
    town.add(opportunity(), door(10))
    town.promises.append(promise(rep_id="zoe"))
    assert broken(town)[0].startswith(f"{PROMISED} zoe: ")


def test_a_promise_on_what_has_become_a_holiday_says_so() -> None:
    town = Town(settings=replace(SETTINGS, calendar=CalendarSettings("GB", "SCT")))
    town.add(rep())
    town.add(opportunity(), door(10))
    town.promises.append(promise(day=MONDAY))  # St Andrew's Day
    [sentence] = broken(town)
    assert sentence.endswith("with Anna: nobody works on that day, a public holiday (Saint Andrew's Day)")


def test_promises_that_do_not_fit_together_are_all_named(town: Town) -> None:
    for name, east in (("mill", 10), ("forge", -60), ("inn", 0)):
        town.add(opportunity(name), door(east))
        town.promises.append(promise(name, place=door(east), day=FRIDAY if name == "inn" else TUESDAY))
    assert [sentence.split(", with Anna: ")[1] for sentence in broken(town)] == [
        "it cannot be kept together with what else is promised that day: Forge",
        "it cannot be kept together with what else is promised that day: Mill",
    ]


def test_an_imported_appointment_gives_way_to_a_promise_and_is_listed(town: Town) -> None:
    """Both want Anna at the same time, and the appointment is nearer."""
    town.add(opportunity("forge"), door(100))
    town.add(opportunity("mill", appointment=local("2026-12-01 10:40")), door(1))
    town.promises.append(promise("forge", place=door(100), window=("10:40", "11:00")))
    document = town.plan(work=12)
    assert set(stops(document)) == {"forge"}
    assert reasons(document) == {"mill": "appointment_impossible"}


def tight_town(seed: int) -> Town:
    """Two reps whose Tuesdays are promised from morning to evening, in windows that leave one order, and customers and
    appointments that would all be nearer."""
    draw = random.Random(seed)
    town = Town()
    for name in ("anna", "ben"):
        town.add(rep(name, break_window=None, break_minutes=0))
        for number, hour in enumerate(range(9, 16)):
            place = door(draw.randint(-12, 12), draw.randint(-8, 8))
            id_ = f"{name} {number}"
            town.add(opportunity(id_), place)
            window = (f"{hour}:25".zfill(5), f"{hour + 1}:10".zfill(5))
            town.promises.append(promise(id_, name, window=window, service_minutes=25, place=place))
    for number in range(12):
        town.add(account(f"shop {number}", owner_rep_id="", last_visit=None, segment="A"), door(draw.randint(-5, 5)))
        at = local(f"2026-12-01 {draw.randint(9, 15):02}:40")
        town.add(opportunity(f"appointment {number}", appointment=at, visit_minutes=30), door(draw.randint(-5, 5)))
    return town


@pytest.mark.parametrize("seed", range(2))
def test_tight_promises_are_not_lost_by_bad_luck(seed: int) -> None:
    document = tight_town(seed).plan(days=3, work=6, seed=seed)
    kept = {id_ for id_ in stops(document) if id_.startswith(("anna", "ben"))}
    assert len(kept) == 14


# ------------------------------------------------------------------------------------------------ checked again


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"rep_id": "ben"}, ["is promised with ben on 2026-12-01"]),
        ({"day": WEDNESDAY}, ["is promised with anna on 2026-12-02", "promised for 2026-12-02 10:00–11:00"]),
        ({"window": ("11:30", "12:00")}, ["promised for 2026-12-01 11:30–12:00"]),
        ({"place": door(11)}, ["is somewhere else than was promised"]),
        ({"service_minutes": 30}, ["lasts 1:00:00, 30 minutes were promised"]),
        ({"meaning": Meaning.WHOLE}, ["promised for 2026-12-01 10:00–11:00 for the whole visit"]),
        ({"hours": "Mo-Fr 12:00-17:00"}, ["is not open for the whole visit: Mo-Fr 12:00-17:00"]),
        ({"skills": frozenset(["welding"])}, ["the rep lacks welding"]),
    ],
    ids=["kept", "rep", "day", "window", "place", "duration", "whole", "hours", "skill"],
)
def test_fieldvisit_check_finds_a_plan_that_does_not_keep_a_promise(
    promised_town: tuple[Town, PlanDocument], changes: dict[str, Any], said: list[str]
) -> None:
    town, document = promised_town
    town.promises[:] = [promise(**changes)]
    found = town.broken(document)
    assert len(found) == len(said)
    assert all(each.endswith(sentence) for each, sentence in zip(found, said, strict=True)), found


@pytest.fixture(scope="module")
def promised_town() -> tuple[Town, PlanDocument]:
    """A promise, and a plan that keeps it so late that the visit would end after its window."""
    town = Town()
    town.add(rep())
    town.add(rep("ben"))
    town.add(opportunity(), door(10))
    town.promises.append(promise(window=("10:30", "11:00")))
    return town, town.plan(work=1)


def test_a_plan_without_a_promise_or_with_a_rejected_opportunity_breaks_a_rule(town: Town) -> None:
    town.add(opportunity(), door(10))
    document = town.plan()
    town.handoffs.append(handoff(HandoffState.REJECTED))
    assert any("is rejected: there is no visit to make" in each for each in town.broken(document))
    town.handoffs.clear()
    stops(document)["mill"]["visit_id"] = "opportunity:other"
    town.promises.append(promise())
    expected = "opportunity:mill is promised for 2026-12-01 10:00–11:00 with anna, and not planned"
    assert expected in town.broken(document)
