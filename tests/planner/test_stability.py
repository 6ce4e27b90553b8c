"""Another plan leaves what people have seen where it is, unless moving it saves more than it costs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from cast import FRIDAY, MONDAY, SETTINGS, TUESDAY, WEDNESDAY, Town, account, door, opportunity, promise, rep
from replanning_cast import Phone, at
from slots_cast import TOWN, SlotTown

from planner.fieldwork.domain import Disposition
from planner.hotels.standing import snapshot_to_plan
from planner.plan_document import PlanDocument
from planner.planning import make_plan
from planner.scoping import Seen, cut_document
from planner.settings import Settings
from planner.snapshot import SeenVisit
from planner.stability import visits_seen, where_seen
from routing.solver import SearchLimits

Key = tuple[str, str, str]


def at_price(settings: Settings, minutes: int) -> Settings:
    return replace(settings, solver=replace(settings.solver, stability_minutes=minutes))


def where(document: PlanDocument) -> set[Key]:
    return {
        (record, day["rep_id"], day["date"])
        for day in document["rep_days"]
        for stop in day["stops"]
        for record in stop["record_ids"][:1]
    }


def busy_town() -> Town:
    town = Town()
    town.add(rep())
    town.add(rep("ben"))
    for number in range(12):
        town.add(account(f"shop {number}", owner_rep_id=""), door(10 + number, 3 * (number % 4)))
    return town


def planned(town: Town, seen: tuple[SeenVisit, ...], minutes: int = 15, days: int = 5, work: int = 6) -> PlanDocument:
    snapshot = replace(town.snapshot(), seen=seen)
    limits, settings = SearchLimits(work=work, seed=2), at_price(town.settings, minutes)
    return make_plan(snapshot, "town", town.source, MONDAY, days, limits, settings)


def test_a_plan_that_nobody_has_seen_tells_of_no_moves() -> None:
    document = planned(busy_town(), ())
    assert "moved" not in document["totals"]
    assert all("moved_from" not in stop for day in document["rep_days"] for stop in day["stops"])


def test_planning_again_without_a_change_leaves_everything_where_it_is() -> None:
    town = busy_town()
    before = planned(town, ())
    again = planned(town, visits_seen(before, MONDAY))
    assert where(again) == where(before)
    assert (again["totals"]["seen"], again["totals"]["moved"]) == (12, 0)
    assert town.broken(again) == []


def scattered(town: Town) -> tuple[SeenVisit, ...]:
    """Each customer on another day, with Anna and Ben in turns: a waste, but people know of it."""
    return tuple(
        SeenVisit(f"account:shop {n}", ("anna", "ben")[n % 2], ("Anna", "Ben")[n % 2], MONDAY + timedelta(n % 5))
        for n in range(12)
    )


def test_a_visit_is_moved_where_that_saves_more_than_the_price_and_stays_where_it_saves_less() -> None:
    town = busy_town()
    dear, cheap, free = (planned(town, scattered(town), minutes) for minutes in (240, 2, 0))
    assert dear["totals"]["moved"] == 0
    assert cheap["totals"]["moved"] > 0
    assert free["totals"]["moved"] > 0
    for moving in (cheap, free):
        assert moving["totals"]["drive_seconds"] < dear["totals"]["drive_seconds"]


def test_what_is_moved_says_where_it_was_seen() -> None:
    town = busy_town()
    document = planned(town, scattered(town), 0)
    moved = {
        stop["record_ids"][0]: stop["moved_from"]
        for day in document["rep_days"]
        for stop in day["stops"]
        if "moved_from" in stop
    }
    left_out = 12 - document["totals"]["visits"]
    assert len(moved) + left_out == document["totals"]["moved"] > 0
    for record, before in moved.items():
        number = int(record.removeprefix("shop "))
        assert before["rep_id"] == ("anna", "ben")[number % 2]
        assert before["date"] == str(MONDAY + timedelta(number % 5))


def test_a_rep_is_not_told_with_whom_a_visit_was_before() -> None:
    town = busy_town()
    document = planned(town, scattered(town), 0)
    part = cut_document(document, Seen(reps=frozenset(["anna"]), accounts=frozenset(), opportunities=frozenset()))
    kept = [stop["moved_from"] for day in part["rep_days"] for stop in day["stops"] if "moved_from" in stop]
    assert {before["rep_id"] for before in kept} <= {"anna"}


def test_the_second_visit_takes_the_place_of_the_first_once_that_has_been_made() -> None:
    """Of four weekly visits one was made on Monday: the three to come keep their days, whatever they are called now."""
    town = Town()
    town.add(rep())
    town.add(account(cadence_days=7, last_visit=date(2026, 11, 20)), door(5))
    before = planned(town, (), days=20)
    [first, *others] = sorted(day for _, _, day in where(before))
    made = date.fromisoformat(first)
    later = Town([town.records[0], account(cadence_days=7, last_visit=made)], town.locations)
    snapshot = replace(later.snapshot(), seen=visits_seen(before, made + timedelta(1)))
    again = make_plan(
        snapshot, "town", later.source, made + timedelta(1), 18, SearchLimits(work=4), at_price(town.settings, 15)
    )
    assert set(others) <= {day for _, _, day in where(again)}
    assert again["totals"]["moved"] == 0
    assert later.broken(again) == []


def test_days_outside_the_plan_and_promises_are_not_asked() -> None:
    town = Town()
    town.add(rep())
    town.add(opportunity(), door(10))
    town.promises.append(promise(day=TUESDAY))
    visits = town.candidates().visits
    seen = (SeenVisit("opportunity:mill", "anna", "Anna", MONDAY),)
    assert where_seen(visits, seen, MONDAY, FRIDAY) == {}
    town.promises.clear()
    assert where_seen(town.candidates().visits, seen, MONDAY, FRIDAY) == {"opportunity:mill": seen[0]}
    assert where_seen(town.candidates().visits, seen, TUESDAY, FRIDAY) == {}


def test_what_reps_see_is_the_published_plan_and_what_is_planned_afresh_asks_nobody(slots: SlotTown) -> None:
    slots.add((account(), door(3)), (account("inn"), door(6)))
    document = slots.publish(MONDAY)
    with slots.reading() as unit:
        seen = snapshot_to_plan(unit, TOWN, slots.settings).seen
        assert snapshot_to_plan(unit, TOWN, slots.settings, fresh=True).seen == ()
    assert {(each.visit_id.partition(":")[2], each.rep_id, str(each.day)) for each in seen} == where(document)
    again = slots.publish(MONDAY)
    assert (again["totals"]["seen"], again["totals"]["moved"]) == (len(seen), 0)


# --- some days of what is published are planned anew ------------------------------------------------------------------


def left_out(document: PlanDocument) -> dict[str, tuple[str, str]]:
    return {entry["record_ids"][0]: (entry["reason"], entry["sentence"]) for entry in document["unplanned"]}


def test_a_plan_of_one_day_takes_no_visits_that_reps_see_on_others() -> None:
    """Both could be visited on Monday too, which has room for them."""
    town = Town()
    town.add(rep())
    town.add(account("inn"), door(5))
    town.add(opportunity(), door(10))
    seen = (SeenVisit("account:inn", "anna", "Anna", TUESDAY), SeenVisit("opportunity:mill", "anna", "Anna", FRIDAY))
    assert {record for record, _, _ in where(planned(town, (), days=1))} == {"inn", "mill"}
    document = planned(town, seen, days=1)
    assert where(document) == set()
    assert left_out(document) == {
        "inn": ("seen_on_another_day", "it is planned for 2026-12-01 with Anna, which is not in these days"),
        "mill": ("seen_on_another_day", "it is planned for 2026-12-04 with Anna, which is not in these days"),
    }
    assert where(planned(town, seen)) == {("inn", "anna", str(TUESDAY)), ("mill", "anna", str(FRIDAY))}


def test_what_stays_on_other_days_is_listed_and_not_counted_as_left_out(slots: SlotTown) -> None:
    """The inn and the cafe are open on one day each, the harbour on none."""
    hours = {"inn": "Mo 09:00-17:00", "cafe": "Tu 09:00-17:00", "harbour": "Su 09:00-17:00"}
    slots.add(*((account(id_, opening_hours=days), door(5 + at)) for at, (id_, days) in enumerate(hours.items())))
    slots.publish(MONDAY)
    plan = slots.publish(MONDAY, 1)
    assert {id_: reason for id_, (reason, _) in left_out(plan).items()} == {
        "cafe": "seen_on_another_day",
        "harbour": "outside_hours",
    }
    assert plan["totals"]["unplanned"] == 1
    part = cut_document(plan, Seen(frozenset(["anna"]), frozenset(["cafe"]), frozenset()))
    assert (len(part["unplanned"]), part["totals"]["unplanned"]) == (1, 0)
    with slots.reading() as unit:
        assert unit.plans(TOWN).list()[0].unplanned == 1


def test_what_was_seen_with_a_rep_who_has_left_is_planned_anew() -> None:
    town = Town()
    town.add(rep())
    town.add(account("inn", owner_rep_id=""), door(5))
    seen = (SeenVisit("account:inn", "ben", "Ben", TUESDAY),)
    assert where(planned(town, seen, days=1)) == {("inn", "anna", str(MONDAY))}


def test_a_customer_whose_opportunity_reps_see_on_another_day_is_visited_then() -> None:
    town = Town()
    town.add(rep())
    town.add(account("inn"), door(5))
    town.add(opportunity(account_id="inn"), door(5))
    document = planned(town, (SeenVisit("opportunity:mill", "anna", "Anna", TUESDAY),), days=1)
    assert where(document) == set()
    assert set(left_out(document)) == {"inn", "mill"}


def test_the_next_week_is_planned_from_what_reps_see_of_this_one() -> None:
    """The weekly customer is visited again five days later at least; the other one has had the visit by then."""
    town = Town()
    town.add(rep())
    town.add(account("inn", cadence_days=7), door(5))
    town.add(account("bakery", cadence_days=28), door(8))
    seen = (SeenVisit("account:inn", "anna", "Anna", FRIDAY), SeenVisit("account:bakery", "anna", "Anna", FRIDAY))
    limits, settings = SearchLimits(work=4), town.settings
    snapshot = replace(town.snapshot(), seen=seen)
    document = make_plan(snapshot, "town", town.source, MONDAY + timedelta(7), 5, limits, settings)
    [(record, _, day)] = where(document)
    assert record == "inn"
    assert date.fromisoformat(day) >= FRIDAY + timedelta(5)
    assert left_out(document)["bakery"][0] == "seen_on_another_day"
    assert [stop["visit_id"] for each in document["rep_days"] for stop in each["stops"]] != ["account:inn"]


def test_one_day_of_a_published_week_is_planned_anew_and_everybody_else_is_visited_as_they_were(
    slots: SlotTown,
) -> None:
    slots.add(*((account(f"shop {number}"), door(40 * (number % 4), number)) for number in range(16)))
    slots.publish(MONDAY)
    before = where(slots.published())
    slots.publish(WEDNESDAY, 1)
    after = where(slots.published())
    assert before == after
    assert all(entry["reason"] != "seen_on_another_day" for entry in slots.published()["unplanned"])


def test_who_was_not_in_today_may_be_visited_tomorrow(phone: Phone) -> None:
    """The cafe was seen on Tuesday; nobody was there."""
    phone.town.now = at("12:00")
    phone.visits("account:cafe", "11:00", "11:05", Disposition.NOT_IN)
    with phone.town.reading() as unit:
        assert "account:cafe" not in {seen.visit_id for seen in snapshot_to_plan(unit, TOWN, SETTINGS).seen}
