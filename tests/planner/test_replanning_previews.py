"""Before anything is said, the rep sees what would come of it: mended, with as few changes as possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cast import TUESDAY, WEDNESDAY, account, door, opportunity, promise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replanning_cast import Phone, at, promised, times
from slots_cast import IRENE, TOWN, names

from planner.errors import InvalidRecordError, NotFoundError
from planner.fieldwork.domain import DayProgress, EventKind, FieldEvent
from planner.fieldwork.folding import progress_of
from planner.replanning.domain import Preview, Statement, Wish
from planner.replanning.wishing import said_too
from planner.slots.bookable import HoldAsk
from planner.slots.domain import Meaning
from planner.slots.holding import hold
from routing.checks import violations
from routing.insertion import problem_of
from routing.solution import Solution
from routing.timing import schedule

BAKERY, CAFE, DAIRY, MILL = "account:bakery", "account:cafe", "account:dairy", "opportunity:mill"
KINDS = EventKind


def with_the_mill(phone: Phone) -> Phone:
    """Bakery, then the promise to the mill, forty minutes out, then dairy and cafe on the way back."""
    deal = opportunity("mill", contact_name="Mo Miller", contact_phone="+44 20 5550 0101")
    phone.town.add((deal, door(40)))
    promised(phone.town, phone, "mill", ("11:00", "11:30"), 40, [BAKERY, MILL, DAIRY, CAFE])
    phone.town.now = at("09:30")
    return phone


def kinds(preview: Preview) -> list[str]:
    return [f"{said.kind} {said.visit_id}".strip() for said in preview.statements]


def test_running_late_moves_what_can_move_and_keeps_the_promise(phone: Phone) -> None:
    with_the_mill(phone).visits(BAKERY, "09:20")
    found = phone.asks(Wish(KINDS.LATE, minutes=25))
    assert times(found.before) == ["bakery 09:20", "mill 11:00", "dairy 11:45", "cafe 12:30"]
    assert times(found.after) == ["bakery 09:20", "mill 11:00", "dairy 11:45", "cafe 12:30"]
    assert found.statements[0].body == {"after": BAKERY, "leave_at": at("10:15").isoformat()}
    assert not found.left_out
    assert not found.to_call
    assert not found.broken
    assert found.sentence == "Leaving 10:15; all else stays as it is; home 13:50"


def test_what_cannot_be_kept_is_listed_with_the_phone_number(phone: Phone) -> None:
    with_the_mill(phone).visits(BAKERY, "09:20")
    found = phone.asks(Wish(KINDS.LATE, leave_at=at("11:30")))
    (call,) = found.to_call
    assert (call.contact, call.phone, call.booking_id) == ("Mo Miller", "+44 20 5550 0101", "b-mill")
    assert (call.start, call.end, call.expected) == (at("11:00"), at("11:30"), at("12:05"))
    assert call.why == "it would begin at 12:05"
    assert found.sentence == "Leaving 11:30; 1 customer to call; home 14:55, 1 h 05 later"
    assert [broken.message for broken in found.broken] == ["Mill would begin at 12:05 and is promised 11:00–11:30"]


def test_whom_nobody_can_call_has_the_number_of_the_account(phone: Phone) -> None:
    phone.town.add((account("works", contact_phone="0117", contact_name="Wendy"), door(40)))
    phone.town.add((opportunity("mill", account_id="works"), door(40)))
    promised(phone.town, phone, "mill", ("11:00", "11:30"), 40, [BAKERY, MILL, DAIRY, CAFE])
    (call,) = phone.asks(Wish(KINDS.SICK)).to_call
    assert (call.contact, call.phone, call.expected) == ("Wendy", "0117", None)


def test_optional_visits_are_left_out_for_the_promise_and_those_worth_least_first(phone: Phone) -> None:
    phone.town.add((account("shed", segment="C", annual_value=0.0), door(20)))
    phone.town.publish(TUESDAY, days=1)
    phone.town.add((opportunity("mill"), door(40)))
    promised(phone.town, phone, "mill", ("15:30", "16:00"), 40, [CAFE, "account:shed", DAIRY, MILL])
    found = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("13:50")))
    assert not found.to_call
    assert [left.visit_id for left in found.left_out] == ["account:shed"]
    assert found.left_out[0].why == "there is no time left for it"
    assert kinds(found) == ["late", "skipped account:shed"]
    assert times(found.after)[-1].startswith("mill 15:")
    assert not found.broken


def test_another_order_is_proposed_only_where_it_saves_a_visit(phone: Phone) -> None:
    """Late enough that the mill comes first, and all others still fit behind it."""
    with_the_mill(phone)
    found = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("10:35")))
    assert kinds(found) == ["late", "order"]
    assert times(found.after)[0] == "mill 11:20"
    assert len(times(found.after)) == 4
    assert (found.moved, found.left_out, found.to_call, found.broken) == (1, (), (), ())
    assert "1 stop in another place" in found.sentence


def test_skipping_takes_one_visit_out_and_nothing_else(phone: Phone) -> None:
    with_the_mill(phone)
    found = phone.asks(Wish(KINDS.SKIPPED, DAIRY, why="no time"))
    assert kinds(found) == ["skipped account:dairy"]
    assert names_of(found) == ["bakery", "mill", "cafe"]
    assert found.home_s_won == 35 * 60
    assert found.sentence == "Without Dairy; all else stays as it is; home 13:15, 35 min earlier"


def test_who_leaves_out_a_promise_is_told_to_call(phone: Phone) -> None:
    with_the_mill(phone)
    assert [call.visit_id for call in phone.asks(Wish(KINDS.SKIPPED, MILL)).to_call] == [MILL]
    assert not phone.asks(Wish(KINDS.CANCELLED, MILL, why="they are ill")).to_call


def test_a_stop_is_added_where_it_adds_least_driving(phone: Phone) -> None:
    with_the_mill(phone)
    phone.town.add((account("extra"), door(30)))
    found = phone.asks(Wish(KINDS.ADDED, "account:extra"))
    assert kinds(found) == ["added account:extra"]
    assert found.drive_s_won == 0
    assert not found.broken
    assert "Extra at " in found.sentence


def test_what_the_rep_adds_is_worth_more_than_what_was_planned(phone: Phone) -> None:
    with_the_mill(phone)
    phone.says(finish_by=at("15:00"))
    phone.town.add((account("extra", visit_minutes=120), door(20)))
    found = phone.asks(Wish(KINDS.ADDED, "account:extra"))
    assert "extra" in names_of(found)
    assert "mill" in names_of(found)
    assert found.left_out
    assert not found.to_call


def test_what_has_no_place_is_not_begun_with(phone: Phone) -> None:
    phone.town.add((account("far", visit_minutes=120), door(200)))
    found = phone.asks(Wish(KINDS.ADDED, "account:far"))
    assert not found.statements
    assert found.before == found.after
    assert found.sentence == "Far has no room in this day: there is no time left for it"
    phone.town.add((account("shut", opening_hours="Mo 10:00-12:00"), door(10)))
    assert phone.asks(Wish(KINDS.ADDED, "account:shut")).left_out[0].why == "it is closed on this day"


def test_what_comes_back_comes_where_it_fits_best(phone: Phone) -> None:
    """It stood before the dairy, where the rep is by now; on the way home it is passed again."""
    phone.says(left_out={BAKERY: "Left out"})
    phone.visits(DAIRY, "10:00", "10:30")
    found = phone.asks(Wish(KINDS.RESTORED, BAKERY))
    assert names_of(found) == ["dairy", "cafe", "bakery"]
    assert kinds(found) == ["restored account:bakery", "order"]


def test_what_comes_back_before_anything_else_was_said_makes_the_day_what_it_was(phone: Phone) -> None:
    with_the_mill(phone)
    planned = phone.shown()
    phone.sends(phone.asks(Wish(KINDS.SKIPPED, BAKERY)).statements)
    found = phone.asks(Wish(KINDS.RESTORED, BAKERY))
    assert times(found.after) == times(planned) != times(found.before)
    phone.sends(found.statements)
    assert times(phone.shown()) == times(planned)


def test_nobody_who_is_off_sick_adds_a_visit(phone: Phone) -> None:
    phone.sends(phone.asks(Wish(KINDS.SICK)).statements)
    with pytest.raises(InvalidRecordError, match="off sick"):
        phone.asks(Wish(KINDS.ADDED, BAKERY))


def test_who_is_sick_is_told_whom_to_call_and_says_one_thing(phone: Phone) -> None:
    with_the_mill(phone).visits(BAKERY, "09:20", "09:50")
    found = phone.asks(Wish(KINDS.SICK))
    assert kinds(found) == ["sick"]
    assert names_of(found) == ["bakery"]
    assert [left.visit_id for left in found.left_out] == [DAIRY, CAFE]
    assert [(call.phone, call.expected) for call in found.to_call] == [("+44 20 5550 0101", None)]


def test_who_can_work_after_all_sees_what_is_still_done(phone: Phone) -> None:
    with_the_mill(phone).visits(BAKERY, "09:20", "09:50")
    before = names_of(phone.asks(Wish(KINDS.LATE, minutes=0)))
    phone.sends(phone.asks(Wish(KINDS.SICK)).statements)
    found = phone.asks(Wish(KINDS.SICK, sick=False))
    assert kinds(found)[0] == "sick"
    assert names_of(found) == before
    assert found.to_call == ()
    assert found.sentence.startswith("Working after all")
    phone.sends(found.statements)
    assert times(phone.shown()) == times(found.after)


def test_who_wants_to_be_home_keeps_the_promise_and_leaves_out_least(phone: Phone) -> None:
    with_the_mill(phone).visits(BAKERY, "09:20", "09:50")
    found = phone.asks(Wish(KINDS.FINISH, finish_by=at("12:30")))
    assert names_of(found) == ["bakery", "cafe", "mill"]
    assert [left.visit_id for left in found.left_out] == [DAIRY]
    assert found.after is not None
    assert found.after["end"]["time"] is not None
    assert found.after["end"]["time"] <= at("12:30").isoformat()
    early = phone.asks(Wish(KINDS.FINISH, finish_by=at("11:45")))
    assert [(call.why, call.expected) for call in early.to_call] == [("not possible if you finish by 11:45", None)]
    assert names_of(early) == ["bakery", "cafe"]
    assert early.after is not None
    assert (early.after["end"]["time"] or "") <= at("11:45").isoformat()
    phone.sends(early.statements)
    progress = phone.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "not possible if you finish by 11:45"}
    phone.says(finish_by=None)
    assert "mill" in names_of(phone.asks(Wish(KINDS.RESTORED, MILL)))


def with_two_promises(phone: Phone) -> Phone:
    """Bakery, the promise to the mill at eleven, dairy, cafe, and the promise to the pub at two."""
    with_the_mill(phone)
    phone.town.add((opportunity("pub"), door(10)))
    promised(phone.town, phone, "pub", ("14:00", "14:10"), 10, [BAKERY, MILL, DAIRY, CAFE, "opportunity:pub"])
    return phone


def test_who_finishes_early_keeps_each_promise_that_can_be_kept_and_no_stop_is_put_before_it(phone: Phone) -> None:
    with_two_promises(phone).visits(BAKERY, "09:20", "10:10")
    found = phone.asks(Wish(KINDS.FINISH, finish_by=at("13:00")))
    assert [(call.visit_id, call.why) for call in found.to_call] == [
        ("opportunity:pub", "not possible if you finish by 13:00")
    ]
    assert "mill 11:00" in times(found.after)
    assert found.after is not None
    assert (found.after["end"]["time"] or "") <= at("13:00").isoformat()
    assert not found.broken
    before = phone.town.bookings()
    phone.sends(found.statements)
    assert phone.town.bookings() == before  # what was promised stays until somebody has called


def test_a_promise_that_cannot_be_kept_is_done_before_all_that_nobody_was_promised(phone: Phone) -> None:
    with_the_mill(phone)
    promised_last = [BAKERY, DAIRY, CAFE, MILL]
    phone.says(order=tuple(promised_last))
    found = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("14:00")))
    assert times(found.after)[0] == "mill 14:45"
    assert [call.expected for call in found.to_call] == [at("14:45")]
    assert found.after is not None
    assert (found.after["end"]["time"] or "") <= at("17:00").isoformat()
    late = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("15:00")))
    assert times(late.after)[0] == "mill 15:45"
    assert late.left_out
    assert [broken.rule for broken in late.broken] == ["service_begins_in_a_window"]
    phone.sends(late.statements)
    phone.town.add((account("extra", visit_minutes=120), door(39)))
    more = phone.asks(Wish(KINDS.ADDED, "account:extra"))
    assert not more.statements
    assert more.sentence.startswith("Extra has no room in this day")


def test_a_promise_for_which_the_working_hours_have_no_time_is_to_be_called_about(phone: Phone) -> None:
    with_the_mill(phone)
    found = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("16:30")))
    assert [(call.visit_id, call.expected, call.why) for call in found.to_call] == [
        (MILL, None, "not possible within the working hours, which end at 17:00")
    ]
    assert not found.broken
    phone.sends(found.statements)
    again = phone.asks(Wish(KINDS.RESTORED, MILL))  # who wants to go there after all may
    assert "mill" in names_of(again)
    assert again.broken


def test_a_day_that_was_late_before_anybody_could_mend_it_is_mended_afterwards(phone: Phone) -> None:
    with_the_mill(phone).says(order=(BAKERY, DAIRY, CAFE, MILL))
    phone.says(after="", leave_at=at("10:20"))  # from where there was no signal
    progress = phone.progress()
    assert progress is not None
    assert progress.to_call
    for wish in (Wish(KINDS.LATE, minutes=0), Wish(KINDS.LATE, after="", leave_at=at("10:20"))):
        found = phone.asks(wish)
        assert times(found.after)[0] == "mill 11:05"
        assert (found.to_call, found.broken, found.left_out) == ((), (), ())
        assert [said.kind for said in found.statements] == [KINDS.LATE, KINDS.ORDER]


def test_an_order_is_shown_as_it_was_dragged_with_each_rule_that_it_breaks(phone: Phone) -> None:
    phone.town.add((account("cafe", opening_hours="Tu 09:00-12:00"), door(20)))
    with_the_mill(phone).visits(BAKERY, "09:20", "09:50")
    found = phone.asks(Wish(KINDS.ORDER, order=(DAIRY, MILL, CAFE)))
    assert names_of(found) == ["bakery", "dairy", "mill", "cafe"]
    assert [(each.rule, each.visit_id, each.message) for each in found.broken] == [
        ("service_begins_in_a_window", CAFE, "Cafe would begin at 11:55 and is to be begun by 11:30")
    ]
    assert found.moved == 1
    late = phone.asks(Wish(KINDS.ORDER, order=(CAFE, DAIRY, MILL)))
    assert [call.visit_id for call in late.to_call] == [MILL]
    assert kinds(late) == ["order"]
    good = phone.asks(Wish(KINDS.ORDER, order=(CAFE, MILL, DAIRY, "account:gone")))
    assert not good.broken


def test_an_order_that_takes_too_long_says_when_the_rep_would_be_home(phone: Phone) -> None:
    phone.says(finish_by=at("11:30"))
    found = phone.asks(Wish(KINDS.ORDER, order=(DAIRY, BAKERY, CAFE)))
    assert [each.message for each in found.broken] == ["the way home would end at 12:05, after 11:30"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish(KINDS.SKIPPED, "account:nobody"), "visit_id"),
        (Wish(KINDS.RESTORED, BAKERY), "visit_id"),
        (Wish(KINDS.ADDED, BAKERY), "visit_id"),
        (Wish(KINDS.ADDED, "booking:b-1"), "visit_id"),
        (Wish(KINDS.LATE, minutes=5, after="account:nobody"), "after"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_name(phone: Phone, wish: Wish, field: str) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        phone.asks(wish)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (KINDS.ARRIVED, {}, "kind"),
        (KINDS.SKIPPED, {}, "visit_id"),
        (KINDS.LATE, {}, "minutes"),
        (KINDS.LATE, {"minutes": -1}, "minutes"),
        (KINDS.LATE, {"minutes": 5, "leave_at": at("10:00")}, "minutes"),
        (KINDS.FINISH, {"finish_by": at("10:00").replace(tzinfo=None)}, "finish_by"),
        (KINDS.ORDER, {"order": ("account:a",) * 101}, "order"),
    ],
)
def test_a_wish_says_what_it_needs(kind: EventKind, values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        Wish(kind, **values)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_what_nobody_knows_is_not_found(phone: Phone) -> None:
    with pytest.raises(NotFoundError):
        phone.asks(Wish(KINDS.ADDED, "account:nobody"))


def test_what_is_promised_for_another_day_is_not_added_to_this_one(phone: Phone) -> None:
    phone.town.add((opportunity("mill"), door(40)))
    phone.town.book(promise("mill", day=WEDNESDAY), [MILL])
    with pytest.raises(InvalidRecordError, match="move that promise instead"):
        phone.asks(Wish(KINDS.ADDED, MILL))


def test_who_has_not_checked_in_is_at_home_until_the_first_visit_is_an_hour_late(phone: Phone) -> None:
    phone.town.now = at("10:20")
    found = phone.asks(Wish(KINDS.LATE, minutes=25))
    assert found.statements[0].body == {"after": "", "leave_at": at("10:45").isoformat()}
    phone.town.now = at("11:30")
    assert phone.asks(Wish(KINDS.LATE, minutes=25)).statements[0].body["after"] != ""
    phone.town.now = at("08:00")
    assert phone.asks(Wish(KINDS.LATE, minutes=30)).statements[0].body["after"] == ""


def test_what_is_promised_between_looking_and_sending_is_kept(phone: Phone) -> None:
    """The rep accepts another order, and meanwhile inside sales has held a time: it is in the day all the same."""
    with_the_mill(phone)
    found = phone.asks(Wish(KINDS.LATE, after="", leave_at=at("10:35")))
    town = phone.town
    ask = HoldAsk("anna", TUESDAY, at("15:00"), at("16:00"), Meaning.ARRIVE, 30, door(5), "New", "5 Road")
    hold(town.store, IRENE, town.agendas, TOWN, ask, "h1", "irene", town.settings)
    phone.sends(found.statements)
    assert "h1" in names(town.day(TUESDAY))
    assert names(town.day(TUESDAY))[0] == "mill"


def names_of(found: Preview) -> list[str]:
    return [each.split()[0] for each in times(found.after)]


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    visit = draw(st.sampled_from([BAKERY, CAFE, DAIRY, MILL, "account:extra"]))
    kind = draw(st.sampled_from(list(KINDS)[3:11]))
    match kind:
        case EventKind.LATE:
            return Wish(kind, minutes=draw(st.integers(0, 400)))
        case EventKind.FINISH:
            return Wish(kind, finish_by=at("09:00") + timedelta(minutes=draw(st.integers(0, 480))))
        case EventKind.ORDER:
            order = draw(st.permutations([BAKERY, CAFE, DAIRY, MILL, "account:extra"]))
            return Wish(kind, order=tuple(order[: draw(st.integers(0, 5))]))
        case EventKind.SICK:
            return Wish(kind)
        case _:
            return Wish(kind, visit)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_a_preview_supposes_is_what_the_events_say_together(data: st.DataObject) -> None:
    """Statements made one after another are the same to a preview as to whoever folds the events that they become."""
    visit = st.sampled_from([BAKERY, CAFE, MILL])
    statements = data.draw(
        st.lists(
            st.one_of(
                st.builds(Statement, st.sampled_from([KINDS.CANCELLED, KINDS.SKIPPED]), visit, st.just({"why": "ill"})),
                st.builds(Statement, st.sampled_from([KINDS.RESTORED, KINDS.ADDED]), visit),
                st.builds(lambda after: Statement(KINDS.LATE, "", {"after": after, "leave_at": _iso(11)}), visit),
                st.builds(lambda hour: Statement(KINDS.FINISH, "", {"by": _iso(hour)}), st.integers(12, 16)),
                st.just(Statement(KINDS.FINISH, "", {"by": None})),
                st.builds(lambda sick: Statement(KINDS.SICK, "", {"sick": sick}), st.booleans()),
                st.builds(
                    lambda after, order: Statement(KINDS.ORDER, "", {"after": after, "order": order}),
                    visit,
                    st.lists(visit, unique=True),
                ),
            ),
            min_size=1,
            max_size=8,
        )
    )
    told = said_too(DayProgress(TOWN, "anna", TUESDAY, 0), statements)
    assert progress_of(TOWN, "anna", TUESDAY, as_events(statements)) == replace(told, revision=len(statements))


def test_when_somebody_leaves_is_forgotten_once_they_have_made_another_visit_last() -> None:
    """Also where they come back to the first: then they leave it a second time."""
    statements = [
        Statement(KINDS.LATE, "", {"after": MILL, "leave_at": _iso(11)}),
        Statement(KINDS.ORDER, "", {"after": BAKERY, "order": []}),
        Statement(KINDS.ORDER, "", {"after": MILL, "order": []}),
    ]
    events = as_events(statements)
    folded = [progress_of(TOWN, "anna", TUESDAY, events[:k]) for k in (1, 2, 3)]
    assert [told and told.leave_at for told in folded] == [at("11:00"), None, None]
    assert folded[2] == replace(said_too(DayProgress(TOWN, "anna", TUESDAY, 0), statements), revision=3)


def as_events(statements: list[Statement]) -> list[FieldEvent]:
    """One a minute."""
    made_at = at("09:00")
    return [
        FieldEvent(
            TOWN,
            f"{k}",
            "anna",
            TUESDAY,
            said.visit_id,
            said.kind,
            made_at + timedelta(minutes=k),
            0,
            said.body,
            "",
            made_at,
        )
        for k, said in enumerate(statements)
    ]


def _iso(hour: int) -> str:
    return at(f"{hour}:00").isoformat()


def test_the_day_becomes_what_was_shown_and_no_promise_is_moved_and_no_rule_is_broken(phone: Phone) -> None:
    """Whatever is wished for, one wish after another: what was previewed is what everybody sees once it is sent."""
    with_the_mill(phone)
    phone.town.add((account("extra"), door(15)))
    town = phone.town

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(wishes(), min_size=1, max_size=3))
    def live(said: list[Wish]) -> None:
        _as_it_was(phone)
        before = town.bookings()
        for wish in said:
            try:
                found = phone.asks(wish)
            except InvalidRecordError:
                continue
            phone.sends(found.statements)
            stored, progress = phone.stored(), phone.progress()
            if found.statements:
                assert stored is not None
                assert stored.route == found.after
                assert progress is not None
                assert sorted(progress.to_call) == sorted(call.visit_id for call in found.to_call)
            if wish.kind not in (KINDS.ORDER, KINDS.SICK) and found.statements and not found.to_call:
                _keeps_all_rules(phone)
        assert town.bookings() == before

    live()


def _keeps_all_rules(phone: Phone) -> None:
    """By the independent checks, for the rest of the day as it is stored."""
    itinerary = phone.town.day(phone.day).itinerary
    problem = problem_of(itinerary)
    if problem.jobs:
        route = schedule(problem, problem.shifts[0], problem.jobs)
        assert route is not None
        assert not violations(problem, Solution((route,), ()))


def _as_it_was(phone: Phone) -> None:
    with phone.town.store.write(IRENE) as unit:
        unit.day_progress.remove(TOWN, phone.rep_id, phone.day)
        unit.audit("test.written", area=TOWN)
    phone.refresh()
