"""What nobody acts on by its deadline goes back to inside sales by itself, and both sides see why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cast import account, door, local, opportunity, rep
from handoff_cast import AREA, IRIS, Desk, booking
from test_scoping import day, plan, stop

from planner.access import SYSTEM
from planner.handoffs import returning
from planner.handoffs.domain import HandoffState, RejectReason, Side
from planner.handoffs.returning import return_missed
from planner.handoffs.transitions import Action
from planner.repository import StoredPlan
from planner.settings import CalendarSettings
from planner.slots.domain import BookingState, ChangedDay
from planner.upkeep import Upkeep

S = HandoffState
DUE = datetime(2026, 12, 7, 12, tzinfo=UTC)
"""Handed off on Monday, 30 November, with five working days."""
LATE = DUE + timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_published_plan_without_the_mill(desk: Desk) -> None:
    desk.publishes(plan(day("anna", "Anna", stop("account:bakery"))))


def returns(desk: Desk, now: datetime = LATE) -> int:
    desk.now = now
    return return_missed(desk.store, AREA, now, desk.settings)


@pytest.mark.parametrize("state", [S.HANDED_OFF, S.ACCEPTED])
def test_a_missed_deadline_returns_it_and_both_sides_see_the_reason(desk: Desk, state: HandoffState) -> None:
    desk.hands_off()
    desk.does("max", Action.ASSIGN, rep="ben")
    if state is S.ACCEPTED:
        desk.does("ben", Action.ACCEPT)
    before = len(desk.audited())
    assert returns(desk, DUE) == 0, "the day itself is in time"
    assert returns(desk) == 1
    row = desk.row(who="iris")
    assert (row.state, row.side, row.owner) == (S.RETURNED, Side.INSIDE, IRIS)
    assert row.reason == (
        "The first visit was due by 2026-12-07, 5 working days after 2026-11-30: none was promised, and none is in the "
        "plan"
    )
    assert desk.row(who="ben") == row
    last = desk.history(who="ben")[-1]
    assert (last.action, last.actor, last.text) == ("missed", SYSTEM.id, row.reason)
    assert desk.audited()[before:] == ["handoff.missed"]
    assert returns(desk) == 0, "once"


def test_handed_off_again_it_has_a_new_deadline(desk: Desk) -> None:
    desk.hands_off()
    returns(desk)
    desk.hands_off()
    assert desk.state() is S.HANDED_OFF
    assert returns(desk, LATE + timedelta(days=7)) == 0
    assert returns(desk, LATE + timedelta(days=8)) == 1


def test_a_public_holiday_is_no_working_day(desk: Desk) -> None:
    """In England these are 25 December and, for Boxing Day on a Saturday, 28 December."""
    desk.settings = replace(desk.settings, calendar=CalendarSettings("GB", "ENG"))
    desk.now = datetime(2026, 12, 21, 9, tzinfo=UTC)
    desk.hands_off()
    assert returns(desk, datetime(2026, 12, 29, 12, tzinfo=UTC)) == 0
    assert returns(desk, datetime(2026, 12, 30, 12, tzinfo=UTC)) == 0
    assert returns(desk, datetime(2026, 12, 31, 12, tzinfo=UTC)) == 1


def test_the_day_ends_at_midnight_of_the_area(desk: Desk) -> None:
    for name in ("anna", "ben"):
        desk.know(rep(name, timezone="America/Vancouver"))
    desk.hands_off()
    assert desk.deal().qualified_at == local("2026-11-30 01:00")
    assert returns(desk, datetime(2026, 12, 8, 7, 59, tzinfo=UTC)) == 0
    assert returns(desk, datetime(2026, 12, 8, 8, 0, tzinfo=UTC)) == 1


@pytest.mark.parametrize("state", [S.DRAFT, S.REJECTED, S.BOOKED, S.VISITED, S.WON, S.LOST, S.RETURNED])
def test_only_what_waits_for_its_first_visit_is_returned(desk: Desk, state: HandoffState) -> None:
    before = desk.bring_to(state)
    assert returns(desk) == 0
    assert desk.row() == before


def test_what_stands_in_the_plan_that_reps_see_is_not_missed(desk: Desk) -> None:
    desk.hands_off()
    desk.publishes(the_mill_on("2026-12-09"))
    assert returns(desk) == 0
    desk.publishes(plan(day("ben", "Ben")))
    assert returns(desk) == 1


def the_mill_on(text: str) -> Any:
    """A plan in which Ben visits the mill on a day."""
    times = dict.fromkeys(("arrive", "begin", "leave"), f"{text}T10:00:00+00:00")
    return plan(day("ben", "Ben", stop("opportunity:mill", **times), date=text))


def test_what_was_in_the_plan_on_its_day_may_have_been_visited_and_waits_for_the_report(desk: Desk) -> None:
    """It was on the last day in time; the plan of the next days, published in the evening, does not have it."""
    desk.hands_off()
    desk.publishes(the_mill_on("2026-12-07"))
    desk.now = DUE
    desk.publishes(plan(day("ben", "Ben")))
    assert returns(desk) == 0
    assert returns(desk, LATE + timedelta(days=13)) == 0
    assert returns(desk, LATE + timedelta(days=14)) == 1, "nobody has reported anything for two weeks"


def test_what_was_taken_out_of_the_plan_before_its_day_is_missed(desk: Desk) -> None:
    desk.hands_off()
    desk.publishes(the_mill_on("2026-12-07"))
    desk.now = DUE - timedelta(days=1)
    desk.publishes(plan(day("ben", "Ben")))
    assert returns(desk) == 1


def test_a_visit_that_was_taken_out_of_its_day_is_missed(desk: Desk) -> None:
    """As where its promise was cancelled before the day came."""
    desk.hands_off()
    version = desk.publishes(the_mill_on("2026-12-07"))
    with desk.store.write() as unit:
        unit.changed_days.put(ChangedDay(AREA, "ben", DUE.date(), 1, version, (), day("ben", "Ben", date="2026-12-07")))
        unit.audit("test.changed", area=AREA)
    desk.now = LATE
    desk.publishes(plan(day("ben", "Ben")))
    assert returns(desk) == 1


def test_while_a_time_is_held_it_is_not_missed_and_when_the_hold_has_run_out_it_is(desk: Desk) -> None:
    desk.hands_off()
    with desk.store.read() as unit:
        now = unit.now()
    hold = booking(state=BookingState.HELD, expires_at=now + timedelta(minutes=10))
    for held, returned in ((hold, 0), (replace(hold, expires_at=now - timedelta(seconds=1)), 1)):
        with desk.store.write() as unit:
            unit.bookings.put(held)
            unit.audit("test.held", area=AREA)
        assert returns(desk) == returned


def test_without_a_published_plan_nothing_is_missed(desk: Desk) -> None:
    desk.know(opportunity("pub"), place=door())
    assert return_missed(desk.store, "village", LATE, desk.settings) == 0
    with desk.store.write() as unit:
        unit.records("village").save(opportunity("pub"))
        unit.audit("test.known")
    assert return_missed(desk.store, "village", LATE, desk.settings) == 0


def test_what_was_imported_and_never_visited_goes_back_too_and_an_agreed_appointment_does_not(desk: Desk) -> None:
    desk.know(
        account("bakery", name="Bakery"),
        opportunity("pub", name="Pub", inside_rep=IRIS, account_id="bakery"),
        opportunity("spa", name="Spa", appointment=local("2026-12-02 10:00")),
        opportunity("inn", name="Inn", qualified_at=None),
        opportunity("bar", name="Bar", need="unknown"),
    )
    assert returns(desk) == 1
    assert [text for _, text in desk.told("pub")] == ["It began as handed off", desk.row("pub").reason]
    assert desk.row("pub", who="anna").state is S.RETURNED, "her customer's"


def test_many_are_returned_in_batches_and_whoever_was_quicker_is_left_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returning, "AT_ONCE", 3)
    desk.know(*(opportunity(f"O{n}", name=f"{n}") for n in range(8)))
    real, writes = desk.store, list[int]()

    class Busy:
        """A store in which somebody accepts, changes or gives up one before every batch."""

        read = staticmethod(real.read)

        @staticmethod
        def write(who: object) -> object:
            writes.append(1)
            if len(writes) == 1:
                desk.does("max", Action.REJECT, "O4", kind=RejectReason.WRONG_FIT, why="No")
                desk.know(replace(desk.deal("O5"), qualified_at=local("2026-12-08 09:00")))
            return real.write(who)  # type: ignore[arg-type]

    desk.now = LATE
    assert return_missed(Busy(), AREA, LATE, desk.settings) == 6  # type: ignore[arg-type]
    assert len(writes) == 3
    assert (desk.state("O4"), desk.state("O5")) == (S.REJECTED, S.HANDED_OFF)


def test_dispatchers_return_what_is_missed_in_every_area_and_tidy_once_an_hour(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied = list[datetime]()
    monkeypatch.setattr("planner.upkeep.tidy", lambda store, now, login: tidied.append(now))

    desk.hands_off()
    with desk.store.write() as unit:  # a plan that nobody can read
        unit.records("broken").save(opportunity("pub"))
        version = unit.plans("broken").add(StoredPlan(0, "broken", LATE.date(), 5, LATE, None, 1, 0, 0, "{}"))
        unit.plans("broken").publish(version, LATE)
        unit.audit("test.published", area="broken")
    upkeep = Upkeep(desk.store, lambda: ["broken", AREA], desk.settings)
    for minutes in range(0, 121, 5):
        upkeep(LATE + timedelta(minutes=minutes))
    assert desk.state() is S.RETURNED
    assert len(tidied) == 3


def test_nothing_is_written_while_nothing_is_missed(desk: Desk) -> None:
    desk.hands_off()
    desk.now = DUE

    class ReadOnly:
        read = staticmethod(desk.store.read)

    assert return_missed(ReadOnly(), AREA, DUE, desk.settings) == 0  # type: ignore[arg-type]
