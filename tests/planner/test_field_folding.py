"""What events of a visit and of a day say together; and however they came, the same comes of them."""

from __future__ import annotations

import pytest
from cast import LONDON, TUESDAY
from field_cast import BAKERY, BARN, FORGE, KIOSK, MILL, Fields, at, sent
from field_interleavings import ALL_KINDS, Interleaving, Replayed, Replaying, interleavings
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.fieldwork.bodies import SentEvent, read_event
from planner.fieldwork.domain import DayProgress, Disposition, FieldEvent, FieldVisit
from planner.fieldwork.folding import Subject, progress_of, visit_of

NOBODY_ELSE = Subject("bakery", "", "", "Bakery")


def event(sent: SentEvent) -> FieldEvent:
    return read_event("town", sent, "user:anna", at("18:00"))[0]


def visit(*events: SentEvent) -> FieldVisit:
    found = visit_of("town", "anna", TUESDAY, BAKERY, NOBODY_ELSE, map(event, events), LONDON)
    assert found is not None
    return found


def progress(*events: SentEvent) -> DayProgress:
    found = progress_of("town", "anna", TUESDAY, map(event, events))
    assert found is not None
    return found


def reported(clock: str, disposition: str = "met", at_customer: bool = True) -> SentEvent:
    return sent("reported", BAKERY, clock, disposition=disposition, at_customer=at_customer)


def test_a_visit_lasts_from_the_first_check_in_to_the_last_word_about_leaving() -> None:
    events = [sent("left", BAKERY, "10:40"), sent("arrived", BAKERY, "10:00"), sent("arrived", BAKERY, "10:02")]
    assert (visit(*events).arrived_at, visit(*events).dwell_minutes) == (at("10:00"), 40)
    assert visit(*events, sent("left", BAKERY, "10:50")).dwell_minutes == 50
    assert visit(*events).over


def test_who_comes_back_has_not_left() -> None:
    back = [sent("arrived", BAKERY, "10:00"), sent("left", BAKERY, "10:20"), sent("arrived", BAKERY, "10:25")]
    assert visit(*back).left_at is None
    assert not visit(*back).over
    assert visit(*back, sent("left", BAKERY, "10:40")).dwell_minutes == 40


def test_a_report_written_at_the_customers_ends_the_visit_and_one_written_in_the_evening_does_not() -> None:
    arrived = sent("arrived", BAKERY, "10:00")
    assert visit(arrived, reported("10:35")).dwell_minutes == 35
    assert visit(arrived, reported("10:35", at_customer=False)).dwell_minutes is None
    assert visit(arrived, reported("16:00")).dwell_minutes == 6 * 60
    assert visit(arrived, reported("16:01")).dwell_minutes is None
    assert visit(arrived, reported("16:01")).over


def test_a_correction_changes_what_is_told_and_not_when_the_rep_left() -> None:
    events = [sent("arrived", BAKERY, "10:00"), reported("10:35"), reported("15:00", "not_in", at_customer=False)]
    for some in (events, events[::-1]):
        assert (visit(*some).left_at, visit(*some).dwell_minutes) == (at("10:35"), 35)
        assert visit(*some).disposition is Disposition.NOT_IN


def test_a_report_ends_the_visit_when_it_comes_at_once_and_without_a_check_in() -> None:
    at_once = visit(sent("arrived", BAKERY, "10:00"), reported("10:00"))
    assert (at_once.left_at, at_once.dwell_minutes) == (at("10:00"), None)
    assert visit(reported("10:35")).left_at == at("10:35")
    evening = visit(reported("18:00", at_customer=False))
    assert (evening.left_at, evening.reported_at) == (None, at("18:00"))


@pytest.mark.parametrize("clock", ["09:00", "10:00", "16:01"])
def test_what_is_no_visits_length_is_not_learned_from(clock: str) -> None:
    assert visit(sent("arrived", BAKERY, "10:00"), sent("left", BAKERY, clock)).dwell_minutes is None


def test_the_latest_report_of_a_visit_counts_and_at_one_moment_the_one_with_the_greater_id() -> None:
    early, late = reported("10:00", "not_in"), reported("12:00", "met")
    assert visit(late, early).disposition is Disposition.MET
    one, other = sorted((event(reported("12:00", "met")), event(reported("12:00", "refused"))), key=lambda e: e.id)
    found = visit_of("town", "anna", TUESDAY, BAKERY, NOBODY_ELSE, [other, one], LONDON)
    assert found is not None
    assert found.report_id == other.id


def test_a_visit_without_a_fact_is_none() -> None:
    assert visit_of("town", "anna", TUESDAY, BAKERY, NOBODY_ELSE, [event(sent("skipped", BAKERY))], LONDON) is None
    assert progress_of("town", "anna", TUESDAY, [event(sent("arrived", BAKERY))]) is None


def test_of_two_statements_about_one_thing_the_later_one_counts() -> None:
    skipped, restored = sent("skipped", BAKERY, "09:00"), sent("restored", BAKERY, "09:05")
    assert progress(restored, skipped).left_out == {}
    again = sent("cancelled", BAKERY, "09:10", why="ill")
    assert progress(again, restored, skipped).left_out == {BAKERY: "Called off by the customer: ill"}
    assert progress(skipped, sent("skipped", KIOSK, "09:01")).left_out == {BAKERY: "Left out", KIOSK: "Left out"}
    assert progress(sent("sick", "", "09:00", sick=True), sent("sick", "", "09:30", sick=False)).sick is False
    home = [sent("finish", "", "09:00", by=at("15:00").isoformat()), sent("finish", "", "09:30", by=None)]
    assert progress(*home).finish_by is None
    assert progress(home[0]).finish_by == at("15:00")


def test_what_was_added_stays_added_when_it_is_left_out_and_comes_back_with_it() -> None:
    added, skipped = sent("added", FORGE, "09:00"), sent("skipped", FORGE, "09:05")
    assert (progress(added, skipped).added, progress(added, skipped).left_out) == ((FORGE,), {FORGE: "Left out"})
    assert progress(added, skipped, sent("restored", FORGE, "09:06")).left_out == {}
    assert progress(sent("added", MILL, "09:10"), added).added == (FORGE, MILL)


def test_a_later_order_behind_another_visit_forgets_when_the_rep_leaves_the_one_before() -> None:
    late = sent("late", "", "10:00", after=BAKERY, leave_at=at("10:30").isoformat())
    same = sent("order", "", "10:05", after=BAKERY, order=[KIOSK])
    assert (progress(late, same).after, progress(late, same).leave_at) == (BAKERY, at("10:30"))
    other = sent("order", "", "11:00", after=KIOSK, order=[MILL])
    assert (progress(late, other).after, progress(late, other).leave_at) == (KIOSK, None)
    assert progress(late, other, sent("order", "", "11:30", after=KIOSK, order=[])).order == ()
    before = sent("order", "", "09:00", after=MILL, order=[KIOSK])
    assert (progress(late, before).after, progress(late, before).order) == (BAKERY, (KIOSK,))


def test_the_revision_is_the_number_of_statements() -> None:
    some = [sent("skipped", BAKERY), sent("arrived", BAKERY), sent("sick")]
    assert [progress(*some[:1]).revision, progress(*some).revision] == [1, 2]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(ALL_KINDS), min_size=1, max_size=8))
def test_folding_asks_for_no_order(kinds: list[str]) -> None:
    bodies: dict[str, dict[str, object]] = {
        "reported": {"disposition": "met", "at_customer": True},
        "late": {"after": BAKERY, "leave_at": None},
        "finish": {"by": None},
        "order": {"after": "", "order": [KIOSK, BAKERY]},
    }
    whole_day = ("late", "sick", "finish", "order")
    events = [
        event(sent(kind, "" if kind in whole_day else BAKERY, f"1{number}:00", **bodies.get(kind, {})))
        for number, kind in enumerate(kinds)
    ]
    shuffled = sorted(events, key=lambda each: each.id)
    assert progress_of("town", "anna", TUESDAY, shuffled) == progress_of("town", "anna", TUESDAY, events)
    both = [visit_of("town", "anna", TUESDAY, BAKERY, NOBODY_ELSE, some, LONDON) for some in (events, shuffled)]
    assert both[0] == both[1]


@pytest.fixture(scope="module")
def replaying(fields: Fields) -> Replaying:
    return Replaying(fields)


@pytest.mark.slow
@settings(max_examples=45, deadline=None, database=None)
@given(interleaving=interleavings())
def test_whichever_way_events_come_the_same_rows_come_of_them(replaying: Replaying, interleaving: Interleaving) -> None:
    assert replaying.replay(interleaving) == Replayed(lost=0, duplicated=0, unequal=())


@pytest.mark.slow
@settings(max_examples=15, deadline=None, database=None)
@given(interleaving=interleavings(("reported",), (MILL, BARN, FORGE), 8))
def test_reports_of_two_reps_on_several_days_leave_a_handoff_at_one_place(
    replaying: Replaying, interleaving: Interleaving
) -> None:
    assert replaying.replay(interleaving) == Replayed(lost=0, duplicated=0, unequal=())
