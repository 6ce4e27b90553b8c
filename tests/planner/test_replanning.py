"""A day that has begun follows what its rep did and said, and nobody is offered more than it still has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import permutations
from typing import Any

import pytest
from cast import TUESDAY, WEDNESDAY, account, door, opportunity, rep
from replanning_cast import Phone, at, promised, times
from slots_cast import IRENE, TOWN, SlotTown, names

from planner.errors import RefusedError, SlotGoneError
from planner.fieldwork.domain import DayProgress, Disposition, EventKind
from planner.plan_document import RepDay, read_plan
from planner.replanning.domain import Wish
from planner.replanning.refreshing import refresh
from planner.slots.bookable import HoldAsk
from planner.slots.domain import Booking, Meaning
from planner.slots.holding import cancel, hold
from planner.slots.offering import SlotQuery, offer_slots
from planner.upkeep import Upkeep

BAKERY, CAFE, DAIRY, MILL = "account:bakery", "account:cafe", "account:dairy", "opportunity:mill"


@pytest.fixture
def with_a_promise(phone: Phone) -> Phone:
    """Bakery, then the mill at eleven, forty minutes out, then dairy and cafe on the way back."""
    deal = opportunity("mill", contact_name="Mo Miller", contact_phone="+44 20 5550 0101")
    phone.town.add((deal, door(40)))
    promised(phone.town, phone, "mill", ("11:00", "11:30"), 40, [BAKERY, MILL, DAIRY, CAFE])
    return phone


def test_what_is_done_is_shown_at_its_real_times_and_the_rest_follows_from_there(phone: Phone) -> None:
    assert times(phone.shown()) == ["bakery 09:20", "dairy 10:15", "cafe 11:00"]
    phone.visits(BAKERY, "09:40", "10:20")
    day = phone.shown()
    assert times(day) == ["bakery 09:40", "dairy 10:45", "cafe 11:30"]
    assert [stop["leave"][11:16] for stop in day["stops"]] == ["10:20", "11:15", "12:00"]
    assert day["totals"] == {
        "visits": 3,
        "drive_seconds": 3600,
        "drive_metres": 30_000,
        "service_minutes": 40 + 30 + 30,
        "waiting_seconds": 0,
    }


def test_a_visit_that_goes_on_is_expected_to_take_its_time(phone: Phone) -> None:
    phone.visits(BAKERY, "10:00")
    assert times(phone.shown()) == ["bakery 10:00", "dairy 10:55", "cafe 11:40"]


def test_what_was_visited_out_of_turn_is_over_and_the_others_are_still_to_do(phone: Phone) -> None:
    phone.visits(CAFE, "09:30", "10:00")
    assert times(phone.shown()) == ["cafe 09:30", "bakery 10:15", "dairy 11:10"]


def test_a_visit_that_was_only_reported_is_over_when_it_was_planned_to_be(phone: Phone) -> None:
    phone.visits(BAKERY, disposition=Disposition.MET)
    assert times(phone.shown()) == ["bakery 09:20", "dairy 10:15", "cafe 11:00"]
    assert names(phone.town.day(TUESDAY)) == ["dairy", "cafe"]


def test_what_was_settled_from_afar_does_not_move_the_day(phone: Phone) -> None:
    """A visit in the afternoon that was reported in the morning: nobody has been there."""
    phone.visits(CAFE, disposition=Disposition.REFUSED)
    assert times(phone.shown()) == ["cafe 09:00", "bakery 09:20", "dairy 10:15"]
    assert phone.shown()["totals"]["drive_seconds"] == 3600


def test_a_visit_that_nobody_planned_is_in_the_day_once_it_was_made(phone: Phone) -> None:
    phone.town.add((account("extra"), door(5)))
    phone.visits("account:extra", "09:10", "09:30")
    assert times(phone.shown()) == ["extra 09:10", "bakery 09:40", "dairy 10:35", "cafe 11:20"]


def test_who_says_that_they_are_late_leaves_then_and_has_passed_what_stood_before(phone: Phone) -> None:
    phone.says(after=DAIRY, leave_at=at("11:00"))
    assert times(phone.shown()) == ["bakery 09:20", "dairy 10:15", "cafe 11:15"]
    assert names(phone.town.day(TUESDAY)) == ["cafe"]


def test_a_promise_that_can_still_be_kept_is_never_passed(with_a_promise: Phone) -> None:
    with_a_promise.says(after=DAIRY, leave_at=at("10:30"))
    assert names(with_a_promise.town.day(TUESDAY)) == ["mill", "cafe"]


def test_a_promise_keeps_its_window_when_the_rep_is_late(with_a_promise: Phone) -> None:
    with_a_promise.says(after=BAKERY, leave_at=at("10:40"))
    day = with_a_promise.shown()
    assert times(day) == ["bakery 09:20", "mill 11:15", "dairy 12:00", "cafe 12:45"]
    progress = with_a_promise.progress()
    assert progress is not None
    assert not progress.to_call


def test_a_promise_within_its_window_is_lost_too_where_the_customer_closes(phone: Phone) -> None:
    phone.town.add((opportunity("mill", availability="Tu 09:00-11:45"), door(40)))
    promised(phone.town, phone, "mill", ("11:00", "12:00"), 40, [BAKERY, MILL, DAIRY, CAFE], hours="Tu 09:00-11:45")
    phone.says(after=BAKERY, leave_at=at("11:00"))
    assert times(phone.shown())[1] == "mill 11:35"
    progress = phone.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "it would begin at 11:35"}


def test_the_break_is_taken_before_a_promise_that_it_makes_late(phone: Phone) -> None:
    """A break is owed like a promise is kept: who can do only one of them is told to call."""
    phone.town.add((opportunity("mill"), door(40)))
    promised(phone.town, phone, "mill", ("13:20", "13:30"), 40, [BAKERY, DAIRY, CAFE, MILL])
    phone.says(after=CAFE, leave_at=at("13:00"))
    assert times(phone.shown())[-1] == "mill 13:55"
    progress = phone.progress()
    assert progress is not None
    assert list(progress.to_call) == [MILL]


def test_what_cannot_be_kept_is_listed_and_the_day_is_shown_with_it_late(with_a_promise: Phone) -> None:
    with_a_promise.says(after=BAKERY, leave_at=at("11:00"))
    assert times(with_a_promise.shown())[1] == "mill 11:35"
    progress = with_a_promise.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "it would begin at 11:35"}
    with_a_promise.says(leave_at=at("10:00"))
    progress = with_a_promise.progress()
    assert progress is not None
    assert not progress.to_call


def test_a_late_promise_is_listed_also_where_nobody_has_said_that_they_are_late(with_a_promise: Phone) -> None:
    with_a_promise.visits(BAKERY, "10:50")
    progress = with_a_promise.progress()
    assert progress is not None
    assert list(progress.to_call) == [MILL]
    with_a_promise.visits(BAKERY, "10:50", "10:55")
    progress = with_a_promise.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "it would begin at 11:40"} or not progress.to_call


def test_nobody_is_called_about_a_promise_that_is_cancelled(with_a_promise: Phone) -> None:
    town = with_a_promise.town
    with_a_promise.says(after=BAKERY, leave_at=at("12:00"))
    cancel(town.store, IRENE, town.agendas, TOWN, "b-mill", "they called off", town.settings)
    progress = with_a_promise.progress()
    assert progress is not None
    assert not progress.to_call
    assert times(with_a_promise.shown()) == ["bakery 09:20", "dairy 12:25", "cafe 13:40"]


def test_a_customer_who_has_called_off_need_not_be_called(with_a_promise: Phone) -> None:
    with_a_promise.says(left_out={MILL: "Called off by the customer: ill"})
    progress = with_a_promise.progress()
    assert progress is not None
    assert not progress.to_call
    with_a_promise.says(left_out={MILL: "Left out: too far"})
    progress = with_a_promise.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "too far"}


def test_what_is_restored_comes_back_to_its_place(phone: Phone) -> None:
    before = times(phone.shown())
    phone.says(left_out={DAIRY: "Left out"})
    assert times(phone.shown()) == ["bakery 09:20", "cafe 10:05"]
    phone.says(left_out={})
    assert times(phone.shown()) == before


def test_who_is_sick_visits_nobody_more_and_their_promises_are_listed(with_a_promise: Phone) -> None:
    with_a_promise.visits(BAKERY, "09:15", "09:45")
    with_a_promise.says(sick=True)
    assert times(with_a_promise.shown()) == ["bakery 09:15"]
    progress = with_a_promise.progress()
    assert progress is not None
    assert progress.to_call == {MILL: "Anna is sick"}
    with_a_promise.says(sick=False)
    assert times(with_a_promise.shown()) == ["bakery 09:15", "mill 11:00", "dairy 11:45", "cafe 12:30"]


def test_the_reps_own_order_counts_and_what_came_since_finds_its_place(with_a_promise: Phone) -> None:
    with_a_promise.says(order=(CAFE, MILL, DAIRY, BAKERY, "account:gone"))
    assert names(with_a_promise.town.day(TUESDAY)) == ["cafe", "mill", "dairy", "bakery"]
    with_a_promise.says(order=(CAFE, DAIRY, BAKERY))  # the promise came since: it is put where it is kept
    assert [id_ for id_ in names(with_a_promise.town.day(TUESDAY)) if id_ != "mill"] == ["cafe", "dairy", "bakery"]
    (mill,) = [time for time in times(with_a_promise.shown()) if time.startswith("mill")]
    assert "mill 11:00" <= mill <= "mill 11:30"


def test_what_is_booked_into_an_order_of_the_rep_keeps_the_place_that_was_found_for_it(phone: Phone) -> None:
    phone.says(order=(CAFE, DAIRY, BAKERY))
    town = phone.town
    hold(town.store, IRENE, town.agendas, TOWN, _ask("13:00", "13:30"), "h1", "irene", town.settings)
    assert names(town.day(TUESDAY)) == ["cafe", "dairy", "bakery", "h1"]
    phone.refresh()
    phone.says(left_out={DAIRY: "Left out"})
    assert names(town.day(TUESDAY)) == ["cafe", "bakery", "h1"]


def test_a_break_that_was_possible_between_two_visits_is_over(phone: Phone) -> None:
    phone.visits(BAKERY, "09:20", "11:40")
    assert phone.town.day(TUESDAY).itinerary.shift.break_ is not None
    phone.visits(DAIRY, "13:00")
    assert phone.town.day(TUESDAY).itinerary.shift.break_ is None
    rest = phone.shown()["break"]
    assert rest is not None
    assert rest["start"][11:16] == "12:00"


def test_who_goes_home_before_the_break_is_due_owes_none(phone: Phone) -> None:
    phone.says(finish_by=at("12:40"))
    assert phone.town.day(TUESDAY).itinerary.shift.break_ is None


LUNCH = {"start": at("12:00").isoformat(), "end": at("14:00").isoformat()}


def test_a_day_that_got_too_late_for_the_break_says_so(phone: Phone) -> None:
    phone.visits(BAKERY, "09:20")
    assert "break_missed" not in phone.shown()
    phone.visits(BAKERY, "09:20", "13:40")
    shown = phone.shown()
    assert (shown["break"], shown["break_missed"]) == (None, LUNCH)
    phone.visits(BAKERY, "09:20", "13:20")
    assert "break_missed" not in phone.shown()
    assert phone.shown()["break"] is not None


def test_who_says_that_they_leave_too_late_for_the_break_reads_that_beforehand_and_then_on_the_day(
    phone: Phone,
) -> None:
    phone.visits(BAKERY, "09:20")
    phone.town.now = at("12:30")
    found = phone.asks(Wish(EventKind.LATE, leave_at=at("13:45")))
    assert [(each.rule, each.visit_id, each.message) for each in found.broken] == [
        ("break_is_taken", "", "no time for the break on this day (due 12:00–14:00)")
    ]
    assert "1 problem" in found.sentence
    phone.sends(found.statements)
    assert phone.shown()["break_missed"] == LUNCH
    assert phone.asks(Wish(EventKind.LATE, leave_at=at("13:15"))).broken == ()


@pytest.mark.parametrize("registers", [{"finish_by": at("12:40")}, {"leave_at": at("13:50")}])
def test_who_is_at_home_when_the_break_is_due_misses_none(phone: Phone, registers: dict[str, Any]) -> None:
    phone.says(**registers)
    assert phone.shown()["break"] is None
    assert "break_missed" not in phone.shown()


def test_who_is_off_sick_misses_no_break(phone: Phone) -> None:
    phone.visits(BAKERY, "09:20", "13:40")
    phone.says(sick=True)
    assert "break_missed" not in phone.shown()


@pytest.mark.parametrize("hours", [{"break_window": (time(17), time(18))}, {"break_minutes": 0}])
def test_a_day_without_room_for_a_break_by_its_own_rule_misses_none(phone: Phone, hours: dict[str, Any]) -> None:
    phone.town.add((rep(**hours), door()))
    phone.town.publish(TUESDAY, days=1)
    phone.visits(BAKERY, "09:20", "13:40")
    assert times(phone.shown())
    assert "break_missed" not in phone.shown()


def test_the_same_registers_give_the_same_day_whatever_was_said_in_between(with_a_promise: Phone) -> None:
    """Statements are folded before the day is looked at; what it looked like between them leaves nothing behind."""
    phone = with_a_promise
    said = {
        "left_out": {DAIRY: "Left out"},
        "order": (CAFE, MILL, DAIRY),
        "finish_by": at("16:00"),
    }
    found = []
    for order in permutations(said):
        for register in order:
            phone.says(**{register: said[register]})
        stored, progress = phone.stored(), phone.progress()
        assert stored is not None
        assert progress is not None
        found.append((stored.order, stored.route, progress.to_call))
        phone.says(left_out={}, order=(), finish_by=None)
    assert all(each == found[0] for each in found)


def test_refreshing_again_changes_nothing(with_a_promise: Phone) -> None:
    with_a_promise.visits(BAKERY, "09:40")
    with_a_promise.says(after=BAKERY, leave_at=at("11:30"))
    before = with_a_promise.stored(), with_a_promise.progress()
    assert with_a_promise.refresh() == before[0]
    assert (with_a_promise.stored(), with_a_promise.progress()) == before


def test_a_day_of_which_nothing_was_said_is_left_alone(phone: Phone) -> None:
    assert phone.refresh() is None
    assert phone.stored() is None


def test_what_is_said_about_a_day_that_is_in_no_plan_any_more_changes_nothing(phone: Phone) -> None:
    phone.town.now = at("12:00", WEDNESDAY)
    phone.town.publish(WEDNESDAY, days=1)
    phone.visits(BAKERY, "09:40", "10:20")
    assert phone.stored() is None


def test_a_rep_whom_nobody_can_find_a_home_for_has_no_day_to_refresh(phone: Phone) -> None:
    town = phone.town
    town.add((rep(start_address=replace(rep().start_address, street="2 Office Park")), None))
    assert refresh(town.store, IRENE, town.agendas, TOWN, "anna", TUESDAY, town.settings) is None


def _ask(start: str, end: str) -> HoldAsk:
    return HoldAsk("anna", TUESDAY, at(start), at(end), Meaning.ARRIVE, 60, door(10), "New", "10 Road")


def _query(town: SlotTown) -> SlotQuery:
    return SlotQuery(
        place=door(10),
        service_minutes=60,
        first_day=TUESDAY,
        days=1,
        window_minutes=60,
        meaning=Meaning.ARRIVE,
        not_before=town.now,
        limit=20,
    )


def _offered(phone: Phone) -> list[str]:
    town = phone.town
    with town.reading() as unit:
        offers = offer_slots(unit, town.agendas, TOWN, _query(town), town.settings, town.now)
    return sorted(f"{slot.start:%H:%M}" for slot in offers.slots)


def test_inside_sales_is_offered_only_what_a_late_day_still_has(phone: Phone) -> None:
    phone.town.now = at("08:00")
    assert _offered(phone)[0] < "12:00"
    phone.says(after=BAKERY, leave_at=at("14:00"))
    assert _offered(phone)
    assert _offered(phone)[0] >= "13:30"
    phone.says(leave_at=at("16:00"))
    assert not _offered(phone)


def test_a_rep_who_is_sick_or_goes_home_is_offered_to_nobody(phone: Phone) -> None:
    phone.town.now = at("08:00")
    phone.says(finish_by=at("12:30"))
    assert all(start < "12:00" for start in _offered(phone))
    phone.says(sick=True)
    assert not _offered(phone)
    town = phone.town
    with pytest.raises(RefusedError, match="Anna is sick"):
        hold(town.store, IRENE, town.agendas, TOWN, _ask("14:00", "15:00"), "h1", "irene", town.settings)


def test_nothing_is_booked_into_a_rest_that_cannot_be_kept(with_a_promise: Phone) -> None:
    town = with_a_promise.town
    with_a_promise.says(after=BAKERY, leave_at=at("12:00"))
    with pytest.raises(SlotGoneError):
        hold(town.store, IRENE, town.agendas, TOWN, _ask("15:00", "16:00"), "h1", "irene", town.settings)


def test_nobody_is_booked_again_on_the_day_on_which_the_rep_is_done_with_them(with_a_promise: Phone) -> None:
    town = with_a_promise.town
    with_a_promise.says(left_out={MILL: "Left out"})
    ask = replace(_ask("15:00", "16:00"), opportunity_id="mill", replaces="b-mill", place=door(40))
    with pytest.raises(RefusedError, match="done with Mill"):
        hold(town.store, IRENE, town.agendas, TOWN, ask, "h1", "irene", town.settings)


def test_an_appointment_that_the_rep_leaves_out_is_not_given_to_a_colleague(phone: Phone) -> None:
    town = phone.town
    town.add((rep("ben"), door()))
    town.add((opportunity("farm", appointment=at("14:00").replace(tzinfo=None)), door(10)))
    town.publish(TUESDAY, days=1)
    who = next(id_ for id_ in ("anna", "ben") if "farm" in names(town.day(TUESDAY, id_)))
    phone.rep_id = who
    phone.says(left_out={"opportunity:farm": "Called off by the customer"})
    assert all("farm" not in names(town.day(TUESDAY, id_)) for id_ in ("anna", "ben"))
    assert all("farm" not in names(day) for day in town.agenda(TUESDAY, 1).days)


def test_the_agenda_and_whoever_writes_see_the_same_begun_day(with_a_promise: Phone) -> None:
    town = with_a_promise.town
    for step in (
        lambda: with_a_promise.visits(BAKERY, "09:30"),
        lambda: with_a_promise.visits(BAKERY, "09:30", "10:10"),
        lambda: with_a_promise.says(left_out={DAIRY: "Left out"}),
        lambda: with_a_promise.says(finish_by=at("15:00")),
        lambda: with_a_promise.says(sick=True),
    ):
        town.agenda(TUESDAY, 1)
        step()
        (kept,) = town.agenda(TUESDAY, 1).days
        alone = town.day(TUESDAY)
        assert (kept.order, kept.revision, kept.begun is None) == (alone.order, alone.revision, alone.begun is None)
        shifts = [each.itinerary.shift for each in (kept, alone)]
        assert len({shift.max_jobs for shift in shifts}) == 1
        assert kept.local(shifts[0].start_s) == alone.local(shifts[1].start_s)
        assert kept.local(shifts[0].end_s) == alone.local(shifts[1].end_s)
        assert kept.start == alone.start


def test_a_booking_that_was_decided_before_the_rep_was_late_is_decided_again(phone: Phone) -> None:
    """Between deciding and writing the phone says that Anna is late: nobody is promised what she cannot keep."""
    town, said = phone.town, list[Booking]()

    class Store:
        def __init__(self) -> None:
            self.late = False

        def __getattr__(self, name: str) -> object:
            return getattr(town.store, name)

        def write(self, *args: object, **more: object) -> object:
            if not self.late:
                self.late = True
                phone.says(after=CAFE, leave_at=at("16:00"))
            return town.store.write(*args, **more)  # type: ignore[arg-type]

    with pytest.raises(SlotGoneError):
        said.append(
            hold(Store(), IRENE, town.agendas, TOWN, _ask("14:00", "15:00"), "h1", "irene", town.settings)  # type: ignore[arg-type]
        )
    assert not said


def test_a_day_that_has_begun_stays_as_it_is_in_a_new_plan(with_a_promise: Phone) -> None:
    """Made at noon, a plan knows nothing of where the rep is: the day goes on as its rep has it on the phone."""
    phone, town = with_a_promise, with_a_promise.town
    phone.visits(BAKERY, "09:30", "10:10")
    phone.says(left_out={DAIRY: "Left out"}, order=(CAFE, MILL))
    before = phone.shown()
    town.now = at("12:00")
    town.publish(TUESDAY, days=3)
    assert phone.shown() == before
    assert names(town.day(TUESDAY)) == ["cafe", "mill"]
    phone.refresh()
    assert times(phone.shown()) == times(before)


def test_a_day_that_was_not_mended_when_its_events_were_taken_is_mended_soon(phone: Phone) -> None:
    town = phone.town
    town.now = at("09:00")
    upkeep = Upkeep(town.store, lambda: [TOWN], town.settings, town.agendas)
    with town.writing() as unit:
        unit.day_progress.put(DayProgress(TOWN, "anna", TUESDAY, 1, left_out={DAIRY: "Left out"}))
    upkeep(town.now)
    assert [each.partition(" ")[0] for each in times(phone.shown())] == ["bakery", "cafe"]
    stored = phone.stored()
    upkeep(town.now)
    assert phone.stored() == stored


def test_what_was_said_of_a_day_before_any_plan_had_it_is_seen_once_a_plan_is_published(phone: Phone) -> None:
    town = phone.town
    thursday, friday = (Phone(town, TUESDAY + timedelta(days=days)) for days in (2, 3))
    thursday.says(sick=True)
    friday.says(left_out={DAIRY: "Left out"})
    as_made = json.dumps(_as_planned(town))
    days = [json.loads(as_made.replace(str(TUESDAY), str(each.day))) for each in (thursday, friday)]
    ends = {"first_day": str(TUESDAY), "last_day": str(friday.day)}
    town.publish_document({**town.published(), **ends, "rep_days": days})  # type: ignore[typeddict-item]
    assert times(thursday.shown()) == []
    assert [each.partition(" ")[0] for each in times(friday.shown())] == ["bakery", "cafe"]


def test_what_is_left_of_a_begun_day_and_what_was_made_on_it_is_on_no_other_day(phone: Phone) -> None:
    town = phone.town
    town.now = at("08:00")
    for id_ in ("bakery", "cafe", "dairy"):  # a plan of the days to come alone, which has them all
        town.add((account(id_), door(10)))
    later = _planned_for_later(town)
    assert later == ["bakery", "cafe", "dairy"]
    phone.visits(BAKERY, "09:30", "10:10", Disposition.MET)
    assert _planned_for_later(town) == []
    phone.visits(BAKERY, "09:30", "10:10", Disposition.NOT_IN)
    phone.says(left_out={DAIRY: "Left out"})
    assert _planned_for_later(town) == ["bakery", "dairy"]


def _planned_for_later(town: SlotTown) -> list[str]:
    """Who is visited on Wednesday once a plan for Tuesday and Wednesday is published that was made before all this."""
    document = town.published()
    (today,) = [day for day in document["rep_days"] if day["date"] == str(TUESDAY)][:1]
    shift = timedelta(days=1)

    def tomorrow(moment: str | None) -> str | None:
        return (datetime.fromisoformat(moment) + shift).isoformat() if moment is not None else None

    moved: dict[str, Any] = json.loads(json.dumps(_as_planned(town)))
    moved["date"] = str(WEDNESDAY)
    for key in ("work_start", "work_end"):
        moved[key] = tomorrow(moved[key])
    for key in ("start", "end"):
        moved[key]["time"] = tomorrow(moved[key]["time"])
    for part in (moved["break"], *moved["stops"]):
        for key in ("start", "end", "arrive", "begin", "leave"):
            if key in part:
                part[key] = tomorrow(part[key])
    town.publish_document({**document, "last_day": str(WEDNESDAY), "rep_days": [today, moved]})
    wednesday = [day for day in town.published()["rep_days"] if day["date"] == str(WEDNESDAY)]
    return sorted(stop["visit_id"].partition(":")[2] for day in wednesday for stop in day["stops"])


def _as_planned(town: SlotTown) -> RepDay:
    """Tuesday in the first plan."""
    with town.reading() as unit:
        return read_plan(unit.plans(TOWN).get(1).document or "")["rep_days"][0]
