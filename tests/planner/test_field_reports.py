"""What a report makes of a handoff and of its promise; and what it leaves alone since somebody else was there first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cast import MONDAY, TUESDAY, WEDNESDAY
from field_cast import ACTORS, BARN, FORGE, MILL, Field, at, sent
from slots_cast import TOWN

from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import DealOutcome, Disposition, Severity, VisitReport
from planner.fieldwork.reports import learned_from, reason_of, transition_of
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.moving import write
from planner.handoffs.state import history, opportunity_of
from planner.handoffs.transitions import TRANSITIONS, Action
from planner.slots.domain import BookingState
from planner.slots.holding import cancel

S = HandoffState


def reported(visit: str = MILL, clock: str = "10:40", disposition: str = "met", **said: Any) -> SentEvent:
    return sent("reported", visit, clock, disposition=disposition, **said)


def promise(field: Field) -> tuple[BookingState, str]:
    with field.reading() as unit:
        (booking,) = unit.bookings.find(area=TOWN, opportunity_id="mill")
    return booking.state, booking.reason


@pytest.mark.parametrize(
    ("said", "state", "side", "owner", "reason"),
    [
        ({}, S.VISITED, Side.FIELD, "anna", ""),
        ({"deal": "won", "order_value": 900}, S.WON, Side.NOBODY, "", ""),
        ({"deal": "lost", "reason": "too dear"}, S.LOST, Side.NOBODY, "", "too dear"),
        ({"deal": "returned", "reason": "no budget"}, S.RETURNED, Side.INSIDE, "iris@example.com", "no budget"),
        ({"disposition": "not_in"}, S.ACCEPTED, Side.FIELD, "anna", "Nobody was in on 2026-12-01"),
        ({"disposition": "rescheduled"}, S.ACCEPTED, Side.FIELD, "anna", "They wanted another day than 2026-12-01"),
        (
            {"disposition": "refused", "reason": "no time"},
            S.ACCEPTED,
            Side.FIELD,
            "anna",
            "They refused the visit on 2026-12-01: no time",
        ),
        ({"disposition": "refused", "deal": "lost", "reason": "no"}, S.LOST, Side.NOBODY, "", "no"),
        (
            {"disposition": "refused", "deal": "returned", "reason": "wrong person"},
            S.RETURNED,
            Side.INSIDE,
            "iris@example.com",
            "wrong person",
        ),
    ],
)
def test_a_report_moves_the_handoff_and_ends_its_promise(
    field: Field, said: dict[str, Any], state: HandoffState, side: Side, owner: str, reason: str
) -> None:
    (taken,) = field.take(reported(**said))
    row = field.handoff()
    assert taken.outcome == "taken", taken.message
    assert (row.state, row.side, row.owner, row.field_rep, row.reason) == (state, side, owner, "anna", reason)
    assert promise(field) == (BookingState.DONE, "the visit was reported")


def test_a_report_is_in_the_history_in_the_reporters_name(field: Field) -> None:
    field.take(reported(text="They bake", deal="returned", reason="no budget"))
    with field.reading() as unit:
        last = history(unit, TOWN, "mill")[-1]
    assert (last.action, last.actor, last.text) == ("returned", "user:anna", "no budget. Learned: They bake")
    written = [entry for entry in field.audited() if entry[0] in ("handoff.returned", "booking.done")]
    assert [entry[0] for entry in written] == ["handoff.returned", "booking.done"]
    assert "budget" not in str(written)


def test_what_was_learned_is_told_in_lines_and_stays_when_a_later_report_says_nothing(field: Field) -> None:
    field.take(
        reported(
            text="They mill by night",
            concern="the price",
            severity="high",
            competitor="Miller & Co",
            next_step="send an offer",
            next_step_on="2026-12-08",
        )
    )
    learned = field.handoff().learned
    assert learned.splitlines() == [
        "They mill by night",
        "Concern (high): the price",
        "Competitor: Miller & Co",
        "Next step: send an offer on 2026-12-08",
    ]
    field.take(reported(FORGE, disposition="not_in"))
    assert field.handoff("forge").learned == "They bake"


def test_a_later_report_of_the_visit_takes_the_place_of_the_earlier_one_whichever_comes_first(field: Field) -> None:
    early, late = reported(clock="10:40", deal="lost", reason="too dear"), reported(clock="11:00", text="They think")
    field.take(late)
    assert field.handoff().state is S.VISITED
    assert field.take(early)[0].outcome == "taken"
    row = field.handoff()
    assert (row.state, row.reason, row.learned) == (S.VISITED, "", "They think")
    again = reported(clock="11:30", disposition="not_in")
    assert field.take(again)[0].outcome == "taken"
    assert (field.handoff().state, field.handoff().learned) == (S.ACCEPTED, "")
    assert len(field.reports()) == 3


def test_a_visit_on_another_day_goes_on_from_where_the_one_before_has_left_it(field: Field) -> None:
    field.take(reported(FORGE, day=MONDAY, disposition="not_in"), reported(FORGE))
    assert field.handoff("forge").state is S.VISITED
    (monday,) = field.take(reported(FORGE, "12:00", day=MONDAY, disposition="met", text="They were in"))
    assert monday.outcome == "taken"
    assert (field.handoff("forge").state, field.handoff("forge").learned) == (S.VISITED, "They were in")


def test_what_was_won_on_monday_is_not_opened_again_on_tuesday_even_when_tuesday_is_heard_of_first(
    field: Field,
) -> None:
    _, _, tuesday = field.take(sent("added", FORGE), sent("added", FORGE, day=MONDAY), reported(FORGE))
    assert tuesday.outcome == "taken"
    field.take(reported(FORGE, day=MONDAY, deal="won"))
    assert field.handoff("forge").state is S.WON
    conflict = next(conflict for conflict in field.conflicts() if conflict.id == tuesday.id)
    assert conflict.message.startswith("Forge is won now. Your report is kept with it")


def test_whose_nobody_was_is_then_whose_first_visit_it_was(field: Field) -> None:
    field.take(sent("added", BARN, rep="ben"), reported(BARN, "11:00", rep="ben"), who="ben")
    assert field.handoff("barn").owner == "ben"
    assert field.take(sent("added", BARN), reported(BARN, "10:00"))[1].outcome == "taken"
    assert field.handoff("barn").owner == "anna"
    (conflict,) = field.conflicts("ben")
    assert conflict.message.startswith("Barn is Anna's now")


# ---- somebody was there before


def kept(field: Field, taken: list[Any], words: str, state: HandoffState) -> None:
    """The report is kept and shown, its effect is a conflict, and the handoff is as it was."""
    assert taken[-1].outcome == "conflict"
    assert words in taken[-1].message
    assert "report is kept" in taken[-1].message
    assert field.handoff().state is state
    assert [report.id for report in field.reports()] == [taken[-1].id]


def test_whose_handoff_it_is_not_any_more_moves_nothing(field: Field) -> None:
    town = field.town
    cancel(town.store, ACTORS["max"], town.agendas, TOWN, f"b-mill-{TUESDAY}", "ill", town.settings)
    field.does(Action.ASSIGN, rep="ben")
    field.town.wait(hours=1)
    kept(field, field.take(reported(clock="18:30")), "Mill is Ben's now", S.HANDED_OFF)


def test_what_inside_sales_has_taken_back_stays_there(field: Field) -> None:
    field.town.now = at("09:00")
    town = field.town
    cancel(town.store, ACTORS["max"], town.agendas, TOWN, f"b-mill-{TUESDAY}", "ill", town.settings)
    field.does(Action.WITHDRAW, why="they called")
    field.town.now = at("18:00")
    kept(field, field.take(reported()), "", S.DRAFT)


def test_what_was_reported_on_a_page_meanwhile_is_not_written_over(field: Field) -> None:
    field.does(Action.REPORT, learned="Max heard it on the phone")
    kept(field, field.take(reported(text="They bake")), "has been moved on since you reported", S.VISITED)
    assert field.handoff().learned == "Max heard it on the phone"


def test_a_report_that_is_overtaken_by_a_new_promise_ends_nothing(field: Field) -> None:
    field.town.now = at("11:30")
    field.take(reported(clock="10:40", disposition="not_in"))
    field.promises("mill", "anna", TUESDAY, window=("15:00", "16:00"))
    (taken,) = field.take(reported(clock="11:00", disposition="refused"))
    assert "has been moved on since" in taken.message
    assert field.handoff().state is S.BOOKED
    field.town.now = at("18:00")
    assert field.take(reported(clock="15:40"))[0].outcome == "taken"
    assert field.handoff().state is S.VISITED


def test_a_correction_after_somebody_has_moved_it_on_changes_nothing(field: Field) -> None:
    field.take(reported())
    field.does(Action.WIN)
    (taken,) = field.take(reported(clock="11:00", deal="lost", reason="too dear"))
    assert taken.message.startswith("Mill has been moved on since you reported: it is won now")
    assert field.handoff().state is S.WON


def test_new_answers_are_no_move(field: Field) -> None:
    field.take(reported(clock="10:40"))
    before = field.handoff()
    assert before.before is not None
    with field.town.writing() as unit:
        deal = opportunity_of(unit, TOWN, "mill")
        write(unit, deal, before, replace(before, conflict="x"), "answer_changed", "user:iris", field.town.now)
    assert field.take(reported(clock="11:00", deal="won"))[0].outcome == "taken"
    assert field.handoff().state is S.WON


def test_a_promise_that_is_still_to_come_is_not_ended_by_a_visit_before_it(field: Field) -> None:
    field.town.now = at("08:00")
    (taken,) = field.take(reported(day=MONDAY, clock="15:00"))
    assert "has been promised a visit on 2026-12-01 10:00–11:00, which was still to come" in taken.message
    assert promise(field)[0] is BookingState.PROMISED
    assert field.handoff().state is S.BOOKED


def test_a_report_for_another_day_than_the_promise_s_within_twelve_hours_is_the_visit(field: Field) -> None:
    field.take(reported(clock="23:00", day=MONDAY))
    assert field.handoff().state is S.VISITED
    assert promise(field)[0] is BookingState.DONE


def test_reports_of_accounts_move_no_handoff(field: Field) -> None:
    field.take(reported("account:kiosk"))
    assert field.handoff().state is S.BOOKED
    assert field.visit("account:kiosk") is not None


# ---- the table


def report(**said: Any) -> VisitReport:
    usual: dict[str, Any] = {"made_at": at("10:00"), "made_by": "user:anna", "disposition": "met"}
    keys = ("town", "one", "anna", WEDNESDAY, MILL, "bakery", "mill", "iris@example.com")
    made = usual | said
    made["disposition"] = Disposition(made["disposition"])
    made["deal"] = DealOutcome(made.get("deal", "open"))
    return VisitReport(*keys, **made)


def test_every_report_is_a_row_of_the_one_table() -> None:
    for disposition in ("met", "not_in", "rescheduled", "refused"):
        for deal in ("open", "won", "lost", "returned"):
            row = transition_of(report(disposition=disposition, deal=deal, reason="why"))
            assert row in TRANSITIONS
            assert row.by is Side.NOBODY
            needs_why = bool(row.needs)
            assert bool(reason_of(report(disposition=disposition, deal=deal, reason="why"))) == needs_why


def test_what_was_learned_is_empty_where_nothing_was_written() -> None:
    assert learned_from(report()) == ""
    assert learned_from(report(next_step_on=TUESDAY + timedelta(days=7))) == "Next step: Next visit on 2026-12-08"
    assert learned_from(report(concern="the price", severity=Severity.LOW)) == "Concern (low): the price"
