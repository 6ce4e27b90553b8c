"""How long visits to a customer are planned for, and when the last one was: what the field reports counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from cast import MONDAY, SETTINGS, account, door, opportunity, rep
from hypothesis import given
from hypothesis import strategies as st
from slots_cast import FRIDAY_NOON, TOWN, SlotTown

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.domain import Account
from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.domain import AccountVisits, Disposition, FieldVisit
from planner.fieldwork.minutes import Learned, Source, expected_minutes, learned_minutes, set_minutes
from planner.planning import make_plan
from planner.settings import FieldworkSettings
from planner.slots.nearby import ride_alongs
from planner.snapshot import Snapshot
from planner.storage import SqlStore
from routing.solver import SearchLimits

FIELD = FieldworkSettings(learn_after_visits=3, learn_from_visits=5)
LAST_WEEK = date(2026, 11, 24)
MET = Disposition.MET


def made(day: date = LAST_WEEK, account_id: str = "bakery", minutes: int | None = None, rep_id: str = "anna",
         disposition: Disposition | None = MET, opportunity_id: str = "") -> FieldVisit:  # fmt: skip
    visit_id = f"opportunity:{opportunity_id}" if opportunity_id else f"account:{account_id}"
    arrived = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return FieldVisit(
        TOWN, rep_id, day, visit_id, account_id, opportunity_id, "", arrived, None, minutes, "r", disposition
    )


def reported(store: SqlStore, *visits: FieldVisit, by: Actor = SYSTEM) -> None:
    with store.write(by) as unit:
        for visit in visits:
            unit.field_visits.put(visit)
        unit.audit("test.written", area=TOWN)


def took(store: SqlStore, *minutes: int, since: date = date(2026, 10, 1)) -> None:
    """So many visits to the bakery, a week apart."""
    reported(store, *(made(since + timedelta(weeks=n), minutes=each) for n, each in enumerate(minutes)))


def known(store: SqlStore, account_id: str = "bakery", scope: Scope = EVERYTHING) -> AccountVisits | None:
    with store.read(scope) as unit:
        return next(iter(unit.records(TOWN).visits(account_id)), None)


def customer(town: SlotTown, account_id: str = "bakery") -> Account:
    """As plans are made with it."""
    with town.reading() as unit:
        snapshot = Snapshot.read(unit, TOWN, town.settings)
    return next(each for each in snapshot.accounts if each.id == account_id)


# --- what is learned --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dwells", "learned"),
    [
        ([], None),
        ([30, 30], None),
        ([30, 35, 40], Learned(35, 3)),
        ([34, 36, 300], Learned(35, 3)),
        ([1, 32, 33], Learned(30, 3)),
        ([200, 200, 40, 40, 40, 42, 42], Learned(40, 5)),
        ([30, 30, 45, 45], Learned(40, 4)),
        ([1, 1, 1], Learned(5, 3)),
        ([600, 700, 800], Learned(480, 3)),
    ],
)
def test_the_middle_one_of_the_last_visits_is_learned_to_five_minutes(
    dwells: Sequence[int], learned: Learned | None
) -> None:
    assert learned_minutes(dwells, FIELD) == learned


@given(st.lists(st.integers(20, 60), min_size=5, max_size=5), st.integers(1, 360), st.integers(0, 4))
def test_one_odd_visit_does_not_move_it_beyond_what_the_others_took(dwells: list[int], odd: int, at: int) -> None:
    learned = learned_minutes([*dwells[:at], odd, *dwells[at + 1 :]], FIELD)
    others = [*dwells[:at], *dwells[at + 1 :]]
    assert learned is not None
    assert min(others) - 5 < learned.minutes < max(others) + 5


def test_what_is_set_counts_before_what_is_learned_and_that_before_the_record() -> None:
    record = account("bakery", visit_minutes=45)
    settings = replace(SETTINGS, fieldwork=FIELD)

    def expected(record: Account, dwells: tuple[int, ...] = (), minutes: int | None = None) -> tuple[int, Source]:
        found = expected_minutes(record, AccountVisits(TOWN, "bakery", 1, None, dwells, minutes), settings)
        return found.minutes, found.source

    assert expected(record, (30, 30, 30), 60) == (60, Source.SET)
    assert expected(record, (30, 30, 30)) == (30, Source.LEARNED)
    assert expected(record, (30, 30)) == (45, Source.RECORD)
    assert expected(replace(record, visit_minutes=None)) == (settings.candidates.visit_minutes, Source.DEFAULT)


# --- what is counted --------------------------------------------------------------------------------------------------


def test_only_visits_at_which_somebody_was_met_count(store: SqlStore) -> None:
    reported(store, *(made(minutes=3, rep_id=each, disposition=each) for each in set(Disposition) - {MET}))
    reported(store, made(minutes=3, rep_id="carl", disposition=None))
    assert known(store) is None
    reported(store, made(minutes=30))
    assert known(store) == AccountVisits(TOWN, "bakery", 1, LAST_WEEK, (30,), None)


def test_a_report_that_is_put_right_is_counted_again(store: SqlStore) -> None:
    took(store, 30, 40)
    reported(store, made(minutes=50))
    reported(store, made(minutes=50, disposition=Disposition.NOT_IN))
    assert known(store) == AccountVisits(TOWN, "bakery", 4, date(2026, 10, 8), (30, 40), None)
    reported(store, made(minutes=50, account_id="mill"), replace(made(minutes=50), account_id="mill"))
    assert (known(store, "mill") or made()).account_id == "mill"


def test_whoever_made_the_visits_they_come_in_the_order_of_their_days(store: SqlStore) -> None:
    reported(store, made(LAST_WEEK, minutes=50), made(date(2026, 11, 3), minutes=30, rep_id="ben"),
             made(date(2026, 11, 10), rep_id="ben"), made(date(2026, 11, 17), minutes=40))  # fmt: skip
    assert known(store) == AccountVisits(TOWN, "bakery", 3, LAST_WEEK, (30, 40, 50), None)


def test_a_visit_about_an_opportunity_is_one_to_its_customer_but_not_of_the_length_of_theirs(store: SqlStore) -> None:
    reported(store, made(opportunity_id="ovens", minutes=90))
    assert known(store) == AccountVisits(TOWN, "bakery", 1, LAST_WEEK, (), None)


def test_what_a_rep_reports_does_not_forget_what_others_have(store: SqlStore) -> None:
    """Whoever writes may see no other rep's visits, and the customer has had them all the same."""
    with store.write(audited=False) as unit:
        unit.records(TOWN).save_all([rep(), rep("ben", name="Ben"), account("bakery", owner_rep_id="anna")])
    reported(store, made(minutes=30, rep_id="ben"))
    anna = Scope(area=TOWN, reps=frozenset({"anna"}), unassigned=False)
    reported(store, made(date(2026, 11, 25), minutes=40), by=Actor("user:anna", anna))
    assert known(store, scope=anna) == AccountVisits(TOWN, "bakery", 2, date(2026, 11, 25), (30, 40), None)
    assert known(store, scope=replace(anna, reps=frozenset({"ben"}))) is None
    with store.write(Actor("user:ben", replace(anna, reps=frozenset({"ben"})))) as unit, pytest.raises(NotFoundError):
        set_minutes(unit, TOWN, "bakery", 30, "user:ben", FRIDAY_NOON)


def test_what_says_nothing_new_is_read_by_nobody_again(store: SqlStore) -> None:
    took(store, 30)
    with store.read() as unit:
        before = unit.records(TOWN).visits()
    took(store, 30)
    reported(store, made(disposition=None))
    with store.read() as unit:
        assert unit.records(TOWN).visits() == before
        assert unit.records(TOWN).visits(after=before[0].number) == []


# --- what is set ------------------------------------------------------------------------------------------------------


def test_minutes_are_set_and_learned_again_and_the_log_tells(slots: SlotTown) -> None:
    slots.add((account("bakery", visit_minutes=45), door(12)))
    took(slots.store, 30, 30, 30)
    for minutes, expected in ((60, 60), (60, 60), (None, 30), (None, 30)):
        with slots.store.write() as unit:
            set_minutes(unit, TOWN, "bakery", minutes, "user:anna", slots.now)
        assert customer(slots).visit_minutes == expected
    with slots.store.read() as unit:
        log = [entry.details for entry in unit.audit_log.entries() if entry.action == "visit_minutes.set"]
    assert log == [{"minutes": 60, "before": None}, {"minutes": None, "before": 60}]


@pytest.mark.parametrize("minutes", [0, 4, 481, 10**9])
def test_nobody_sets_what_is_no_length_of_a_visit(slots: SlotTown, minutes: int) -> None:
    slots.add((account("bakery"), door(12)))
    with slots.store.write() as unit, pytest.raises(InvalidRecordError, match="is not between 5 and 480"):
        set_minutes(unit, TOWN, "bakery", minutes, "user:anna", slots.now)


# --- what it does -----------------------------------------------------------------------------------------------------


def planned(town: SlotTown) -> dict[str, str]:
    """Why whom is visited in a new plan of the week."""
    with town.reading() as unit:
        snapshot = Snapshot.read(unit, TOWN, town.settings)
    plan = make_plan(snapshot, TOWN, town.source, MONDAY, 5, SearchLimits(work=1, seed=1), town.settings)
    return {stop["visit_id"]: stop["why"] for day in plan["rep_days"] for stop in day["stops"]}


def test_a_visit_restarts_the_cadence_and_a_new_plan_does_not_go_there_again(slots: SlotTown) -> None:
    slots.add((account("bakery", cadence_days=28, last_visit=date(2026, 10, 19)), door(12)))
    assert "14 days overdue" in planned(slots)["account:bakery"]
    reported(slots.store, made())
    assert planned(slots) == {}


def test_nobody_met_leaves_the_customer_due(slots: SlotTown) -> None:
    slots.add((account("bakery", cadence_days=28, last_visit=date(2026, 10, 19)), door(12)))
    reported(slots.store, made(disposition=Disposition.NOT_IN))
    assert "14 days overdue" in planned(slots)["account:bakery"]


def test_an_older_imported_visit_does_not_undo_it_and_a_later_one_counts(slots: SlotTown) -> None:
    reported(slots.store, made())
    for imported, last in ((None, LAST_WEEK), (date(2026, 11, 2), LAST_WEEK), (date(2026, 11, 26), date(2026, 11, 26))):
        slots.add((account("bakery", last_visit=imported), door(12)))
        assert customer(slots).last_visit == last


def test_a_plan_takes_the_learned_minutes(slots: SlotTown) -> None:
    slots.add((account("bakery", cadence_days=7, visit_minutes=45), door(12)))
    took(slots.store, 62, 64, 58)
    with slots.reading() as unit:
        snapshot = Snapshot.read(unit, TOWN, slots.settings)
    plan = make_plan(snapshot, TOWN, slots.source, MONDAY, 5, SearchLimits(work=1, seed=1), slots.settings)
    (stop,) = (stop for day in plan["rep_days"] for stop in day["stops"])
    assert datetime.fromisoformat(stop["leave"]) - datetime.fromisoformat(stop["begin"]) == timedelta(minutes=60)


def test_who_was_met_rides_along_with_nobody_and_whoever_remembers_days_is_told(slots: SlotTown) -> None:
    slots.add((account("bakery", cadence_days=28, last_visit=date(2026, 10, 19)), door(12)), (opportunity(), door(10)))
    slots.publish(MONDAY)

    def near() -> list[str]:
        with slots.reading() as unit:
            found = ride_alongs(unit, slots.agendas, TOWN, door(10), slots.settings, FRIDAY_NOON.date())
        return [each.account_id for each in found]

    def remembered() -> Account:
        agenda = slots.agenda(MONDAY)
        return next(each for each in agenda.snapshot.accounts if each.id == "bakery")

    assert near() == ["bakery"]
    assert remembered().last_visit == date(2026, 10, 19)
    reported(slots.store, made())
    assert near() == []
    assert remembered().last_visit == LAST_WEEK
    took(slots.store, 60, 60, 60, since=date(2026, 9, 1))
    assert remembered().visit_minutes == 60
    with slots.reading() as unit:
        alone, in_agenda = slots.agendas.day(unit, TOWN, "anna", MONDAY), slots.agenda(MONDAY).days[0]
    # Each counts its seconds from a midnight of its own.
    one, other = ([(job.id, job.service_s) for job in day.itinerary.jobs] for day in (alone, in_agenda))
    assert one == other


def test_however_many_customers_there_are_their_visits_are_one_question(slots: SlotTown) -> None:
    """What is known of visits is counted as they are reported, not when a plan is made."""
    asked: list[str] = []

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def ask(connection: object, cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    def asked_for(customers: int) -> int:
        slots.add(*((account(f"c{n}"), None) for n in range(customers)))
        reported(slots.store, *(made(account_id=f"c{n}", minutes=30) for n in range(customers)))
        asked.clear()
        with slots.reading() as unit:
            snapshot = Snapshot.read(unit, TOWN, slots.settings)
        assert {each.last_visit for each in snapshot.accounts} == {LAST_WEEK}
        return len(asked)

    try:
        assert asked_for(3) == asked_for(60)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", ask)
