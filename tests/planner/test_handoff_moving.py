"""The way of a handoff: who may do what when, what has to be said, and what everybody reads afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cast import MONDAY, account, door, local, opportunity, rep
from handoff_cast import AREA, INES, IRIS, LEARNED, NINE, WHY, Desk, actor, booking, by, mill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_scoping import day, plan, stop

from planner.access import Role
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, PlannerError, RefusedError
from planner.handoffs.answering import Told
from planner.handoffs.domain import TO_VISIT, HandoffState, RejectReason, Side
from planner.handoffs.handing import GateClosedError, HandOff
from planner.handoffs.moving import By, HandoffMovedError, Move, check_bookable
from planner.handoffs.standing import Standing, handoffs
from planner.handoffs.state import all_handoffs
from planner.handoffs.transitions import TRANSITIONS, Action, possible
from planner.qualification import gate_checklist, missing_for_handoff
from planner.settings import GateSettings
from planner.slots.domain import BookingState, ChangedDay

S = HandoffState
OVER = (S.WON, S.LOST)


# ---- the gate


def test_the_gate_is_a_list_in_which_everything_is_ticked_when_nothing_is_missing() -> None:
    gate = GateSettings(must_be_yes=("need", "budget"), known_at_least=3, least_value=500, needs_notes=True)
    assert all(check.met for check in gate_checklist(mill(value=500.0), gate))
    bare = opportunity(value=499.0, need="no", budget="unknown", authority="unknown", timeline="", notes=" \n")
    assert missing_for_handoff(bare, gate) == (
        "need is no, must be yes",
        "budget is unknown, must be yes",
        "0 of budget, authority, timeline known, 3 needed: "
        "budget is unknown, authority is unknown, timeline is unknown",
        "it is worth 499, at least 500 needed",
        "there are no notes for the field",
    )
    assert [(check.kind, check.of, check.least, check.met) for check in gate_checklist(bare, gate)] == [
        ("yes", ("need",), 0, False),
        ("yes", ("budget",), 0, False),
        ("known", ("budget", "authority", "timeline"), 3, False),
        ("value", (), 500, False),
        ("notes", (), 0, False),
    ]


@settings(max_examples=40, deadline=None)
@given(
    need=st.sampled_from(["yes", "no", "unknown"]),
    authority=st.sampled_from(["yes", "no", "unknown"]),
    timeline=st.sampled_from(["next year", "No", "UNKNOWN", ""]),
    value=st.floats(0, 1e6),
    notes=st.text(max_size=3).filter(lambda text: "\0" not in text),
    least=st.floats(0, 1e6),
    known=st.integers(0, 3),
)
def test_whatever_is_asked_for_the_list_and_the_sentences_agree(
    need: str, authority: str, timeline: str, value: float, notes: str, least: float, known: int
) -> None:
    deal = opportunity(need=need, authority=authority, timeline=timeline, value=value, notes=notes)
    checks = gate_checklist(deal, GateSettings(known_at_least=known, least_value=least, needs_notes=True))
    assert [check.missing for check in checks if not check.met] == [c.missing for c in checks if c.missing]


def test_what_the_gate_does_not_let_through_is_not_handed_off_and_every_reason_is_said(desk: Desk) -> None:
    desk.writes(replace(desk.deal(), need="unknown", budget="no", authority="no"), revision=1)
    with pytest.raises(GateClosedError, match="need is unknown, must be yes; 1 of budget, authority") as refused:
        desk.hands_off()
    assert len(refused.value.missing) == 2
    assert desk.state() is S.DRAFT


# ---- answers


def test_an_answer_keeps_who_said_it_and_when_and_who_wrote_it_down(desk: Desk) -> None:
    told = Told("no", "Mr Miller", date(2026, 11, 27))
    row = desk.writes(desk.deal(), {"budget": told}, revision=1)
    answer = desk.row().answers["budget"]
    assert answer == row.answers["budget"]
    assert (answer.answer, answer.said_by, answer.said_on) == ("no", "Mr Miller", date(2026, 11, 27))
    assert (answer.written_by, answer.written_at) == ("user:iris", NINE)
    assert desk.deal().budget == "no"
    assert desk.told()[-1] == ("answer_changed", "Budget: yes → no (said by Mr Miller on 2026-11-27)")


def test_the_same_answer_by_somebody_else_is_news_and_the_same_by_the_same_is_not(desk: Desk) -> None:
    desk.writes(desk.deal(), {"budget": Told("yes", "Mr Miller")}, revision=1)
    before = desk.row()
    assert desk.writes(desk.deal(), {"budget": Told("yes", "Mr Miller")}, revision=2) == before
    desk.writes(desk.deal(), {"budget": Told("yes", "Mrs Miller")}, revision=2)
    assert desk.told()[-1] == ("answer_changed", "Budget: yes (said by Mrs Miller)")
    assert desk.row().revision == 3


def test_other_changes_are_in_the_history_by_name(desk: Desk) -> None:
    desk.writes(replace(desk.deal(), value=2.0, notes="Ring twice"), revision=1)
    assert desk.told()[-1] == ("changed", "Changed: value, notes")


def test_answers_that_make_no_sense_are_refused(desk: Desk) -> None:
    for told, field in (
        ({"mood": Told("good")}, "question"),
        ({"need": Told("perhaps")}, "need"),
        ({"need": Told("yes", said_on=date(2027, 1, 1))}, "need"),
        ({"need": Told("yes", "x" * 3_000)}, "said_by"),
        ({"need": Told("yes", "a\0b")}, "said_by"),
    ):
        with pytest.raises(InvalidRecordError) as refused:
            desk.writes(desk.deal(), told, revision=1)
        assert refused.value.field == field
    assert desk.row().revision == 1


def test_nobody_writes_over_what_they_have_not_seen(desk: Desk) -> None:
    desk.writes(replace(desk.deal(), value=1.0), revision=1)
    with pytest.raises(HandoffMovedError, match="somebody else has changed Mill meanwhile: it is a draft now"):
        desk.writes(replace(desk.deal(), value=2.0), revision=1)
    assert desk.deal().value == 1.0
    with pytest.raises(ConflictError):
        desk.writes(mill(name="Other"), revision=0)


def test_another_inside_reps_opportunity_can_be_neither_read_nor_overwritten(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.writes(mill(inside_rep=INES), revision=0, who="ines")
    for do in (lambda: desk.does("ines", Action.WITHDRAW, why=WHY), lambda: desk.hands_off("ines"),
               lambda: desk.history(who="ines"), lambda: desk.row(who="ines")):  # fmt: skip
        with pytest.raises(NotFoundError, match="no opportunity mill"):
            do()
    assert desk.deal().inside_rep == IRIS


# ---- the states


def test_from_draft_to_won_there_is_one_owner_at_any_time_and_every_step_is_written_down(desk: Desk) -> None:
    owners = [(desk.row().side, desk.row().owner)]
    for step in (
        lambda: desk.hands_off(note="Ring first"),
        lambda: desk.does("max", Action.ASSIGN, rep="ben"),
        lambda: desk.does("ben", Action.ACCEPT),
        lambda: desk.promises(),
        lambda: desk.does("ben", Action.REPORT, learned=LEARNED),
        lambda: desk.does("ben", Action.WIN, why="Signed"),
    ):
        step()
        desk.now += timedelta(hours=6)
        owners.append((desk.row().side, desk.row().owner))
    assert owners == [
        (Side.INSIDE, IRIS), (Side.FIELD, ""), (Side.FIELD, "ben"), (Side.FIELD, "ben"), (Side.FIELD, "ben"),
        (Side.FIELD, "ben"), (Side.NOBODY, ""),
    ]  # fmt: skip
    events = desk.history()
    assert [event.number for event in events] == list(range(1, 9))
    assert [(event.action, event.actor) for event in events] == [
        ("began", "fieldvisit"), ("drafted", "user:iris"), ("handed_off", "user:iris"), ("assigned", "user:max"),
        ("accepted", "user:ben"), ("booked", "user:iris"), ("visited", "user:ben"), ("won", "user:ben"),
    ]  # fmt: skip
    assert desk.told()[2] == ("handed_off", "Ring first")
    assert desk.told()[6] == ("visited", f"Learned: {LEARNED}")
    assert [action for action in desk.audited() if action.startswith("handoff.")] == [
        f"handoff.{event.action}" for event in events[1:]
    ]
    assert desk.row().revision == 7


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("action", [a for a in Action if a not in (Action.BOOK, Action.UNBOOK, Action.MISS)])
def test_what_the_table_does_not_have_is_refused_in_words_and_changes_nothing(
    action: Action, state: HandoffState
) -> None:
    """Of the table itself, for each side; what is in it is tried on a store below."""
    from planner.handoffs.transitions import transition

    for side in (Side.INSIDE, Side.FIELD, Side.MANAGER):
        offered = [row for row in possible(state, side) if row.action is action]
        if offered:
            assert transition("Mill", state, action, side) in offered
            assert offered[0].owner is not None
        else:
            with pytest.raises(RefusedError, match=r"^Mill (is|has been) ") as refused:
                transition("Mill", state, action, side)
            assert len(str(refused.value)) > 20


def test_won_and_lost_are_the_ends_and_everything_else_has_a_way_on() -> None:
    for state in S:
        on = [row for row in TRANSITIONS if state in row.before]
        assert bool(on) == (state not in OVER)
    assert {row.after for row in TRANSITIONS if row.after} == set(S)


def test_the_table_is_documented_as_it_is() -> None:
    documented = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (Path(__file__).parents[2] / "docs" / "handoffs.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and line.strip("| ").split(" ")[0] in list(Action)
    ]
    assert documented == [
        [
            row.action,
            ", ".join(state for state in S if state in row.before),
            row.by,
            row.after or "as before",
            row.owner or "as before",
            ", ".join(row.needs),
        ]
        for row in TRANSITIONS
    ]


@pytest.mark.parametrize(
    ("state", "who", "action", "said", "words"),
    [
        (S.DRAFT, "max", Action.ACCEPT, {}, "Mill is a draft and cannot be accepted; only what is handed off can be"),
        (S.HANDED_OFF, "iris", Action.ACCEPT, {}, "Mill is handed off: only the field may do this"),
        (S.HANDED_OFF, "iris", Action.ASSIGN, {"rep": "ben"}, "only a manager may do this"),
        (S.ACCEPTED, "ben", Action.WITHDRAW, {"why": WHY}, "only inside sales may do this"),
        (S.BOOKED, "ben", Action.REJECT, {"kind": RejectReason.CLERICAL, "why": WHY}, "cancel it first"),
        (S.BOOKED, "ben", Action.RETURN, {"why": WHY, "learned": LEARNED}, "cancel it first"),
        (S.BOOKED, "ben", Action.LOSE, {"why": WHY}, "cancel it first"),
        (S.BOOKED, "iris", Action.WITHDRAW, {"why": WHY}, "cancel it first"),
        (S.WON, "ben", Action.LOSE, {"why": WHY}, "Mill is won and cannot be lost"),
        (S.REJECTED, "ben", Action.WIN, {}, "Mill is rejected and cannot be won; only what is accepted or visited"),
        (S.VISITED, "ben", Action.ACCEPT, {}, "Mill is visited and cannot be accepted"),
    ],
)
def test_what_may_not_be_done_now_says_why(
    desk: Desk, state: HandoffState, who: str, action: Action, said: dict, words: str
) -> None:
    before = desk.bring_to(state)
    with pytest.raises(RefusedError, match=words):
        desk.does(who, action, **said)
    assert desk.row() == before


@pytest.mark.parametrize(
    ("state", "action", "said", "field"),
    [
        (S.ACCEPTED, Action.REJECT, {"why": WHY}, "kind"),
        (S.ACCEPTED, Action.REJECT, {"kind": RejectReason.WRONG_FIT, "why": " \n"}, "why"),
        (S.ACCEPTED, Action.RETURN, {"why": WHY}, "learned"),
        (S.VISITED, Action.RETURN, {"learned": LEARNED}, "why"),
        (S.VISITED, Action.LOSE, {}, "why"),
        (S.ACCEPTED, Action.REPORT, {}, "learned"),
    ],
)
def test_what_has_to_be_said_has_to_be_said(
    desk: Desk, state: HandoffState, action: Action, said: dict, field: str
) -> None:
    before = desk.bring_to(state)
    with pytest.raises(InvalidRecordError, match="say ") as refused:
        desk.does("ben", action, **said)
    assert refused.value.field == field
    assert desk.row() == before


@pytest.mark.parametrize("text", ["x" * 20_001, "a\0b"])
def test_what_no_row_holds_is_refused_before_anything_is_asked(text: str) -> None:
    for field in ("why", "learned", "rep"):
        with pytest.raises(InvalidRecordError):
            Move(Action.REJECT, 1, **{field: text})
    with pytest.raises(InvalidRecordError):
        HandOff("mill", 1, note=text)


def test_of_two_who_answer_at_once_the_second_is_told_what_the_first_did(desk: Desk) -> None:
    desk.bring_to(S.ACCEPTED)
    seen = desk.row().revision
    desk.does("ben", Action.REJECT, kind=RejectReason.WRONG_FIT, why=WHY)
    with pytest.raises(HandoffMovedError, match="it is rejected now") as moved:
        desk.does("ben", Action.REPORT, learned=LEARNED, revision=seen)
    assert moved.value.present == desk.row()
    assert isinstance(moved.value, ConflictError)


def test_a_rejection_goes_back_with_its_kind_and_reason_and_is_handed_off_again_with_a_new_deadline(desk: Desk) -> None:
    desk.hands_off()
    assert desk.deal().qualified_at == local("2026-11-30 09:00")
    desk.does("max", Action.REJECT, kind=RejectReason.CLERICAL, why="There is no such street")
    row = desk.row()
    assert (row.side, row.owner, row.reason) == (
        Side.INSIDE, IRIS, "The record is wrong or incomplete: There is no such street",
    )  # fmt: skip
    desk.now += timedelta(days=2)
    desk.hands_off()
    assert desk.deal().qualified_at == local("2026-12-02 09:00")
    assert (desk.state(), desk.row().reason) == (S.HANDED_OFF, "")


def test_the_clock_starts_at_the_wall_clock_of_the_area(desk: Desk) -> None:
    """Iris sees no reps, and still it is ten to midnight in Vancouver."""
    for name in ("anna", "ben"):
        desk.know(rep(name, timezone="America/Vancouver"))
    desk.now = datetime.fromisoformat("2026-12-01T07:50:00+00:00")
    desk.hands_off()
    assert desk.deal().qualified_at == local("2026-11-30 23:50")


def test_what_was_learned_stands_for_inside_sales_also_after_it_was_returned(desk: Desk) -> None:
    desk.bring_to(S.VISITED)
    desk.does("ben", Action.RETURN, why="Ask again in May", learned="The miller decides, not his son")
    row = desk.row(who="iris")
    assert (row.state, row.side, row.owner) == (S.RETURNED, Side.INSIDE, IRIS)
    assert (row.reason, row.learned) == ("Ask again in May", "The miller decides, not his son")
    assert desk.history(who="iris")[-1].text == "Ask again in May. Learned: The miller decides, not his son"
    assert desk.row(who="ben") == row, "the rep who was there still sees it"
    desk.hands_off()
    assert desk.row().learned == "The miller decides, not his son"


def test_inside_sales_may_take_it_back_or_give_it_up(desk: Desk) -> None:
    desk.hands_off()
    desk.does("iris", Action.WITHDRAW, why="They called it off")
    assert (desk.state(), desk.row().owner, desk.row().reason) == (S.DRAFT, IRIS, "They called it off")
    desk.bring_to(S.RETURNED)
    desk.does("iris", Action.LOSE, why="They bought elsewhere")
    assert (desk.state(), desk.row().side) == (S.LOST, Side.NOBODY)
    with pytest.raises(RefusedError, match="Mill is lost; it is not changed any more"):
        desk.writes(replace(desk.deal(), value=3.0), revision=desk.row().revision)


def test_a_lead_that_comes_to_nothing_is_given_up_before_it_was_ever_handed_off(desk: Desk) -> None:
    assert desk.state() is S.DRAFT
    desk.does("iris", Action.LOSE, why="No need at all")
    assert (desk.state(), desk.row().side) == (S.LOST, Side.NOBODY)


def test_a_rep_does_nothing_with_what_is_another_reps(desk: Desk) -> None:
    desk.bring_to(S.ACCEPTED)
    with pytest.raises(NotFoundError):
        desk.does("anna", Action.REJECT, kind=RejectReason.CLERICAL, why=WHY)
    # Also where both see it, since the plan has it with one of them.
    desk.publishes(plan(day("anna", "Anna", stop("opportunity:mill"))))
    with pytest.raises(RefusedError, match="Mill is another rep's"):
        desk.does("anna", Action.REJECT, kind=RejectReason.CLERICAL, why=WHY)


def test_a_manager_gives_it_to_a_rep_there_is_and_says_who_shares_the_credit(desk: Desk) -> None:
    desk.bring_to(S.ACCEPTED)
    with pytest.raises(NotFoundError, match="no rep carl"):
        desk.does("max", Action.ASSIGN, rep="carl")
    desk.does("max", Action.ASSIGN, rep="anna", shared=True)
    row = desk.row(who="anna")
    assert (row.state, row.owner, row.field_rep, row.credit) == (S.HANDED_OFF, "anna", "anna", (IRIS, "anna"))
    with pytest.raises(NotFoundError):
        desk.row(who="ben")


def test_people_act_for_their_side() -> None:
    assert [by(who).side for who in ("iris", "anna", "max")] == [Side.INSIDE, Side.FIELD, Side.MANAGER]
    assert by("anna").rep == "anna"
    assert By.person(actor("max"), Role.ADMIN).side is Side.MANAGER


# ---- whose it is


def test_it_is_the_accounts_reps_else_whose_plan_has_it_else_the_whole_fields(desk: Desk) -> None:
    assert desk.hands_off().owner == ""
    desk.publishes(plan(day("ben", "Ben", stop("opportunity:mill"))))
    desk.does("iris", Action.WITHDRAW, why=WHY)
    assert desk.hands_off().owner == "ben"
    desk.does("iris", Action.WITHDRAW, why=WHY)
    desk.know(replace(desk.deal(), account_id="bakery"))
    assert desk.hands_off().owner == "anna"


def test_a_rep_who_is_no_longer_there_owns_nothing(desk: Desk) -> None:
    desk.know(account("old", owner_rep_id="carl"), replace(desk.deal(), account_id="old"))
    assert desk.hands_off(shown=frozenset(["account:old"])).owner == ""


def test_what_was_imported_is_handed_off_where_the_gate_lets_it_through_and_a_draft_elsewhere(desk: Desk) -> None:
    desk.know(
        opportunity("pub", inside_rep=IRIS, account_id="bakery"),
        opportunity("inn", inside_rep=IRIS, need="unknown"),
        opportunity("spa", inside_rep=IRIS, need="unknown", appointment=local("2026-12-02 10:00")),
    )
    with desk.store.read() as unit:
        rows = {deal.id: row for deal, row in all_handoffs(unit, AREA, desk.settings.gate)}
    assert {id_: (row.state, row.side, row.owner, row.revision) for id_, row in rows.items() if id_ != "mill"} == {
        "pub": (S.HANDED_OFF, Side.FIELD, "anna", 0),
        "inn": (S.DRAFT, Side.INSIDE, IRIS, 0),
        "spa": (S.HANDED_OFF, Side.FIELD, "", 0),
    }
    assert rows["pub"] == desk.row("pub")
    desk.does("max", Action.ACCEPT, "pub")
    assert desk.told("pub") == [("began", "It began as handed off"), ("accepted", "")]
    assert desk.row("pub").revision == 1


# ---- appointments


def agreed_with_the_spa(desk: Desk, state: HandoffState = S.ACCEPTED, at: str = "2026-12-02 10:00") -> None:
    desk.know(opportunity("spa", inside_rep=IRIS, account_id="bakery", appointment=local(at)))
    if state is S.ACCEPTED:
        desk.does("max", Action.ACCEPT, "spa")


@pytest.mark.parametrize(
    ("state", "who", "action"),
    [(row, who, action) for row, who, actions in (
        (S.HANDED_OFF, "iris", (Action.WITHDRAW,)),
        (S.HANDED_OFF, "max", (Action.REJECT,)),
        (S.ACCEPTED, "iris", (Action.WITHDRAW,)),
        (S.ACCEPTED, "max", (Action.REJECT, Action.RETURN, Action.WIN, Action.LOSE)),
    ) for action in actions],
)  # fmt: skip
def test_nothing_ends_or_goes_back_while_an_appointment_is_still_to_come(
    desk: Desk, state: HandoffState, who: str, action: Action
) -> None:
    agreed_with_the_spa(desk, state)
    before, said = desk.row("spa"), {"why": WHY, "learned": LEARNED, "kind": RejectReason.CLERICAL}
    with pytest.raises(RefusedError, match="appointment on Wed 2 Dec 10:00: agree with them that it is off"):
        desk.does(who, action, "spa", **said)
    assert desk.row("spa") == before
    desk.now = datetime(2026, 12, 2, 10, 1, tzinfo=UTC)
    assert desk.does(who, action, "spa", **said).revision == before.revision + 1


def test_a_visit_is_reported_when_its_appointment_has_come_and_may_end_on_the_same_day(desk: Desk) -> None:
    agreed_with_the_spa(desk)
    with pytest.raises(RefusedError, match="appointment on Wed 2 Dec 10:00, which is still to come"):
        desk.does("max", Action.REPORT, "spa", learned=LEARNED)
    desk.now = datetime(2026, 12, 2, 11, tzinfo=UTC)
    desk.does("max", Action.REPORT, "spa", learned=LEARNED)
    assert desk.does("max", Action.WIN, "spa").state is S.WON


def test_an_appointment_of_this_evening_is_still_to_come_where_the_day_is_over_in_greenwich(desk: Desk) -> None:
    agreed_with_the_spa(desk, S.HANDED_OFF, "2026-11-30 18:30")
    desk.zone = ZoneInfo("America/Vancouver")
    desk.now = datetime(2026, 11, 30, 17, tzinfo=desk.zone).astimezone(UTC)
    with pytest.raises(RefusedError, match="appointment on Mon 30 Nov 18:30"):
        desk.does("max", Action.REJECT, "spa", kind=RejectReason.CLERICAL, why=WHY)


# ---- promises


@pytest.mark.parametrize("before", [S.DRAFT, S.HANDED_OFF, S.ACCEPTED, S.VISITED])
def test_a_cancelled_promise_leads_back_to_where_it_was(desk: Desk, before: HandoffState) -> None:
    was = desk.bring_to(before)
    row = desk.promises()
    assert (row.state, row.side, row.owner, row.field_rep) == (S.BOOKED, Side.FIELD, "ben", "ben")
    row = desk.cancels()
    assert (row.state, row.side, row.reason) == (before, was.side, "They are away")
    assert row.owner == (IRIS if before is S.DRAFT else "ben")
    assert [action for action, _ in desk.told()[-2:]] == ["booked", "unbooked"]
    waits = ". The visit waits for the next plan" if before in TO_VISIT else ""
    assert desk.told()[-1][1] == f"Visit on 2026-12-01, ben: They are away{waits}"


def test_a_moved_promise_is_one_entry_and_goes_to_its_new_rep(desk: Desk) -> None:
    desk.bring_to(S.BOOKED)
    old, new = booking(state=BookingState.MOVED), booking("b2", replaces="b1", rep_id="anna")
    with desk.store.write() as unit:
        unit.bookings.put(old)
        unit.audit("booking.moved", "b1", area=AREA)
    row = desk.promises(new)
    assert (row.state, row.owner) == (S.BOOKED, "anna")
    assert desk.told()[-1] == ("moved", "Visit on 2026-12-01, anna")
    assert desk.cancels(new).state is S.HANDED_OFF


def test_while_another_promise_stands_it_stays_booked(desk: Desk) -> None:
    desk.bring_to(S.BOOKED)
    desk.promises(booking("b2", rep_id="anna"))
    assert (desk.cancels(booking("b2", rep_id="anna")).state, desk.row().owner) == (S.BOOKED, "ben")
    assert desk.cancels().state is S.HANDED_OFF


@pytest.mark.parametrize("state", [S.REJECTED, S.RETURNED, S.WON, S.LOST])
def test_nothing_is_promised_for_what_is_back_or_over(desk: Desk, state: HandoffState) -> None:
    desk.bring_to(state)
    with desk.store.read() as unit, pytest.raises(RefusedError):
        check_bookable(unit, AREA, "mill", desk.settings.gate)
    with pytest.raises(RefusedError):
        desk.promises()
    with desk.store.read() as unit:
        assert unit.bookings.find(area=AREA) == []


def test_reporting_a_visit_ends_its_promise_as_done(desk: Desk) -> None:
    desk.bring_to(S.BOOKED)
    with pytest.raises(RefusedError, match="promised a visit on 2026-12-01, which is still to come"):
        desk.does("ben", Action.REPORT, learned=LEARNED)
    desk.now = booking().end
    desk.does("ben", Action.REPORT, learned=LEARNED)
    with desk.store.read() as unit:
        [done] = unit.bookings.find(area=AREA)
    assert (done.state, done.ended_at) == (BookingState.DONE, desk.now)
    assert "booking.done" in desk.audited()


def test_a_day_on_which_a_visit_was_reported_is_read_again_by_whoever_knows_it(desk: Desk) -> None:
    desk.bring_to(S.BOOKED)
    day = ChangedDay(AREA, "ben", booking().day, 4, 0, (booking().visit_id,))
    with desk.store.write() as unit:
        unit.changed_days.put(day)
        unit.audit("test.booked", area=AREA)
    desk.now = booking().end
    desk.does("ben", Action.REPORT, learned=LEARNED)
    with desk.store.read() as unit:
        assert unit.changed_days.find(area=AREA) == [replace(day, revision=5)]


# ---- what the list says


def test_the_list_shows_state_owner_reason_and_what_was_learned_the_newest_news_first(desk: Desk) -> None:
    desk.know(
        opportunity("inn", inside_rep=IRIS, need="unknown"), opportunity("pub", inside_rep=IRIS), place=door(9, 9)
    )
    desk.publishes(plan(day("ben", "Ben", stop("opportunity:pub"))))
    desk.now += timedelta(hours=1)
    desk.writes(opportunity("spa", inside_rep=IRIS), who="iris")
    desk.locate(desk.deal("spa"), door(40, 1))
    desk.bring_to(S.RETURNED)
    with desk.store.read(actor("iris").scope) as unit:
        found = handoffs(unit, AREA, desk.settings.gate)
    assert [(entry.opportunity.id, entry.standing, entry.row.state) for entry in found] == [
        ("pub", Standing.PLANNED, S.HANDED_OFF),
        ("mill", Standing.RETURNED, S.RETURNED),
        ("spa", Standing.RETURNED, S.DRAFT),
        ("inn", Standing.RETURNED, S.DRAFT),
    ]
    assert (found[1].row.reason, found[1].row.learned) == (WHY, LEARNED)


def test_what_is_over_or_visited_waits_for_no_plan(desk: Desk) -> None:
    desk.bring_to(S.VISITED)
    with desk.store.read() as unit:
        assert [entry.standing for entry in handoffs(unit, AREA, desk.settings.gate)] == [Standing.VISITED]
    desk.does("max", Action.WIN)
    with desk.store.read() as unit:
        assert [entry.standing for entry in handoffs(unit, AREA, desk.settings.gate)] == [Standing.OVER]


# ---- anything at all


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["iris", "anna", "ben", "max"]), st.integers(0, 12)), max_size=12))
def test_whatever_people_try_there_is_one_owner_and_a_history_that_explains_it(
    desk: Desk, tries: list[tuple[str, int]]
) -> None:
    actions = list(Action)
    before = len(desk.history())
    done = 0
    for who, choice in tries:
        try:
            match actions[choice % len(actions)]:
                case Action.HAND_OFF:
                    desk.hands_off(who)
                case Action.BOOK:
                    desk.promises(who=who)
                case Action.UNBOOK:
                    desk.cancels()
                    continue
                case Action.MISS:
                    continue
                case action:
                    desk.does(who, action, kind=RejectReason.WRONG_FIT, why=WHY, learned=LEARNED, rep="ben")
        except PlannerError:
            continue
        done += 1
    row, events = desk.row(), desk.history()
    assert len(events) - before >= done
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[-1].state is row.state
    assert row.revision == len(events) - 1
    owned = {Side.INSIDE: row.owner == IRIS, Side.FIELD: row.owner in ("", "anna", "ben"), Side.NOBODY: row.owner == ""}
    assert owned[row.side]
    assert (row.side is Side.NOBODY) == (row.state in OVER)
    assert (row.side is Side.INSIDE) == (row.state in (S.DRAFT, S.REJECTED, S.RETURNED))


def test_the_monday_of_the_cast() -> None:
    assert NINE.date() == MONDAY
