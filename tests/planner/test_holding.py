"""A time is held, promised, moved and cancelled; what somebody was told can be kept at every moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from cast import FRIDAY, ISLAND, LONDON, MONDAY, TUESDAY, WEDNESDAY, account, door, local, opportunity, rep
from slots_cast import TOWN, SlotTown, names

from planner.access import Actor, Scope
from planner.domain import Address, Opportunity, RecordKind
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError, SlotGoneError
from planner.handoffs.domain import HandoffState
from planner.handoffs.standing import Standing, handoffs
from planner.plan_checks import broken_rules
from planner.plan_document import Stop
from planner.settings import BookingSettings, CalendarSettings
from planner.slots import holding
from planner.slots.domain import Booking, BookingState, ChangedDay, Meaning
from planner.slots.holding import HoldAsk
from planner.slots.offering import SlotQuery, offer_slots
from planner.slots.riding import add_ride_along
from planner.snapshot import Snapshot
from planner.upkeep import expire_holds
from routing.checks import violations
from routing.insertion import problem_of
from routing.solution import Solution


def inside(name: str) -> Actor:
    """An inside rep, whose own scope shows no days at all."""
    email = f"{name}@example.com"
    return Actor(f"user:{name}", Scope(TOWN, frozenset(), unassigned=False, inside_rep=email, drafts=False))


IRENE, IVAN = inside("Irene"), inside("ivan")
MANAGER = Actor("user:max", Scope(TOWN))


@dataclass
class Desk:
    """What an inside rep does with the town's times, by default Irene."""

    town: SlotTown
    by: Actor = IRENE
    numbers: int = 0

    def hold(self, at: str = "10:00", **changes: Any) -> Booking:
        """Hold an hour's window for a visit of an hour, ten minutes east, on Tuesday with Anna."""
        self.numbers += 1
        id_ = changes.pop("id", f"{self.by.id[5:]}-{self.numbers}")
        return holding.hold(
            self.town.store, self.by, self.town.agendas, TOWN, ask(at, **changes), id_, "max@example.com",
            self.town.settings,
        )  # fmt: skip

    def confirm(self, hold: Booking, deal: Opportunity | None = None) -> Booking:
        town = self.town
        return holding.confirm(town.store, self.by, town.agendas, TOWN, hold.id, deal, town.settings)

    def promise(self, name: str = "mill", at: str = "10:00", **changes: Any) -> Booking:
        return self.confirm(self.hold(at, **changes), opportunity(name))

    def release(self, hold: Booking) -> Booking:
        town = self.town
        return holding.release(town.store, self.by, town.agendas, TOWN, hold.id, town.settings)

    def cancel(self, promise: Booking, reason: str = "they called off") -> Booking:
        town = self.town
        return holding.cancel(town.store, self.by, town.agendas, TOWN, promise.id, reason, town.settings)

    def ride_along(self, promise: Booking, account_id: str) -> Booking:
        town = self.town
        return add_ride_along(town.store, self.by, town.agendas, TOWN, promise.id, account_id, town.settings)


def ask(at: str = "10:00", minutes: int = 60, **changes: Any) -> HoldAsk:
    day: date = changes.get("day", TUESDAY)
    start = datetime.fromisoformat(f"{day} {at}").replace(tzinfo=LONDON)
    usual: dict[str, Any] = {
        "rep_id": "anna",
        "day": day,
        "start": start,
        "end": start + timedelta(minutes=minutes),
        "meaning": Meaning.ARRIVE,
        "service_minutes": 60,
        "place": door(10),
        "name": "Somebody",
        "address": "1 Mill Road",
    }
    return HoldAsk(**(usual | changes))


@pytest.fixture
def desk(slots: SlotTown) -> Desk:
    """Anna takes no break in these tests."""
    slots.add((rep(break_minutes=0), door()))
    return Desk(slots)


def shown(town: SlotTown, day: date = TUESDAY, rep_id: str = "anna") -> list[Stop]:
    """A rep's day as everybody sees it."""
    return next(
        entry["stops"]
        for entry in town.published()["rep_days"]
        if (entry["date"], entry["rep_id"]) == (str(day), rep_id)
    )


def check(town: SlotTown, day: date = TUESDAY, rep_id: str = "anna") -> None:
    """The day can be done as it is listed, holds included, by every rule."""
    agenda_day = town.day(day, rep_id)
    route = agenda_day.timed()
    assert (route is None) == (not agenda_day.visits)
    if route is not None:
        assert violations(problem_of(agenda_day.itinerary), Solution((route,), ())) == []


def times(stops: list[Stop]) -> list[str]:
    return [f"{stop['record_ids'][0]} {stop['begin'][11:16]}" for stop in stops]


# ---- holds


def test_a_held_time_is_nobody_else_s_for_ten_minutes(desk: Desk) -> None:
    booking = desk.hold("16:00", minutes=30, service_minutes=30)
    assert booking.state is BookingState.HELD
    assert booking.expires_at == desk.town.now + timedelta(minutes=10)
    ivan = Desk(desk.town, IVAN)
    with pytest.raises(SlotGoneError, match="Anna has no time left for this visit on 2026-12-01 16:00–16:30"):
        ivan.hold("16:00", minutes=30, service_minutes=30, place=door(-10))
    desk.town.wait(minutes=10)
    assert ivan.hold("16:00", minutes=30, service_minutes=30, place=door(-10)).state is BookingState.HELD


def test_two_holds_that_fit_together_may_both_be(desk: Desk) -> None:
    desk.hold("10:00")
    desk.hold("10:00", place=door(12), service_minutes=30)
    assert len(desk.town.day(TUESDAY).visits) == 2
    check(desk.town)


def test_a_hold_belongs_to_who_holds_it_in_small_letters(desk: Desk) -> None:
    booking = desk.hold()
    assert (booking.inside_rep, booking.made_by) == ("irene@example.com", "user:Irene")
    ivan = Desk(desk.town, IVAN)
    for do in (ivan.confirm, ivan.release, ivan.cancel):
        with pytest.raises(NotFoundError):
            do(booking)
    with pytest.raises(NotFoundError):
        ivan.ride_along(booking, "bakery")
    assert desk.release(booking).state is BookingState.RELEASED
    assert desk.town.day(TUESDAY).visits == ()


def test_asking_twice_for_the_same_hold_is_one_hold(desk: Desk) -> None:
    assert desk.hold(id="h") == desk.hold(id="h")
    with pytest.raises(ConflictError):
        Desk(desk.town, IVAN).hold(id="h")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"day": MONDAY - timedelta(days=3), "at": "11:00"}, InvalidRecordError, "start: is past"),
        ({"day": TUESDAY + timedelta(days=61)}, RefusedError, "at most 60 days ahead"),
        ({"day": date(2100, 1, 4)}, RefusedError, "at most 60 days ahead"),
        ({"day": FRIDAY + timedelta(days=1)}, RefusedError, "Anna does not work on 2026-12-05"),
        ({"rep_id": "zoe"}, NotFoundError, "no rep zoe"),
        ({"skills": frozenset({"cranes"})}, RefusedError, "Anna lacks cranes"),
        ({"at": "23:30"}, InvalidRecordError, "end: is not on 2026-12-01"),
        ({"meaning": Meaning.WHOLE, "minutes": 30}, InvalidRecordError, "end: the visit does not fit"),
        ({"service_minutes": 0}, InvalidRecordError, "service_minutes"),
        ({"opportunity_id": "nobody"}, NotFoundError, "no opportunity nobody"),
        ({"replaces": "nothing"}, NotFoundError, "no booking nothing"),
        ({"at": "18:00"}, SlotGoneError, "no time left"),
        ({"place": door(ISLAND)}, RefusedError, "no street leads from where the rep starts to 1 Mill Road, and back"),
        ({"hours": "Tu 13:00-17:00"}, RefusedError, "Somebody is not open then: Tu 13:00-17:00"),
    ],
)
def test_what_cannot_be_held_is_refused(
    desk: Desk, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        desk.hold(**changes)
    assert desk.town.bookings() == []


def test_nobody_keeps_more_than_five_times_from_the_others(desk: Desk) -> None:
    holds = [desk.hold(f"{hour}:00", day=WEDNESDAY, service_minutes=15) for hour in range(10, 15)]
    with pytest.raises(
        RefusedError, match=r"5 times are held by you already: .* first: Irene-1 \(Somebody, 2026-12-02"
    ):
        desk.hold()
    Desk(desk.town, IVAN).hold()
    desk.release(holds[0])
    desk.hold("15:00")


@pytest.mark.parametrize("field", ["start", "name", "hours"])
def test_an_ask_that_makes_no_sense_names_the_field(field: str) -> None:
    wrong: Any = {"start": local("2026-12-01 10:00"), "name": " ", "hours": "whenever"}[field]
    with pytest.raises(InvalidRecordError) as refused:
        ask(**{field: wrong})
    assert refused.value.field == field


def test_nobody_is_booked_on_a_public_holiday(desk: Desk) -> None:
    desk.town.with_settings(calendar=CalendarSettings("FI"), booking=BookingSettings(most_days=90))
    with pytest.raises(RefusedError, match="Anna does not work on 2027-01-06"):
        desk.hold(day=date(2027, 1, 6))


def test_a_visit_is_put_into_a_full_day_in_another_order_only_if_that_is_wanted(desk: Desk) -> None:
    # Fuel takes two hours and closes at one: behind the farm there is no time for it if somebody comes before both.
    fuel = account("fuel", visit_minutes=120, opening_hours="Mo-Su 09:00-13:00")
    desk.town.add((account("farm", visit_minutes=60), door(5)), (fuel, door(6)))
    desk.town.publish(TUESDAY, days=1)
    before = [stop["record_ids"][0] for stop in shown(desk.town)]
    with desk.town.writing() as unit:
        unit.changed_days.put(ChangedDay(TOWN, "anna", TUESDAY, 1, 1, ("account:farm", "account:fuel")))
    with pytest.raises(SlotGoneError):
        desk.hold("09:00", minutes=30)
    desk.hold("09:00", minutes=30, resequence=True, id="h")
    assert names(desk.town.day(TUESDAY)) == ["h", "fuel", "farm"]
    assert [stop["record_ids"][0] for stop in shown(desk.town)] == before  # nobody sees a hold
    check(desk.town)


# ---- promises


def test_a_promise_makes_the_record_the_place_the_handoff_and_the_day(desk: Desk) -> None:
    desk.town.add((account("bakery"), door(5)))
    desk.town.publish(MONDAY)
    (day,) = {d for d in range(5) if "bakery" in names(desk.town.day(MONDAY + timedelta(days=d)))}
    on = MONDAY + timedelta(days=day)
    booking = desk.promise(day=on)
    assert (booking.state, booking.expires_at, booking.opportunity_id) == (BookingState.PROMISED, None, "mill")
    with desk.town.reading() as unit:
        deal = unit.records(TOWN).get(RecordKind.OPPORTUNITY, "mill")
        place = unit.records(TOWN).location(RecordKind.OPPORTUNITY, "mill")
        row = unit.handoffs.get(TOWN, "mill")
        (entry,) = [entry for entry in unit.audit_log.latest(9) if entry.action == "booking.promised"]
    assert isinstance(deal, Opportunity)
    assert deal.inside_rep.casefold() == "irene@example.com"
    assert place is not None
    assert (place.place, place.address) == (door(10), deal.address)
    assert row is not None
    assert (row.state, row.owner) == (HandoffState.BOOKED, "anna")
    assert (entry.actor, entry.subject) == ("user:Irene", booking.id)
    stops = shown(desk.town, on)
    assert sorted(stop["visit_id"] for stop in stops) == ["account:bakery", "opportunity:mill"]
    promise = next(stop for stop in stops if stop["visit_id"] == "opportunity:mill")
    assert promise["kind"] == "appointment"
    assert promise["why"] == f"promised for {on} 10:00–11:00"
    assert "10:00" <= promise["begin"][11:16] <= "11:00"
    check(desk.town, on)
    with desk.town.store.read(IRENE.scope) as unit:
        (visit,) = unit.plans(TOWN).handoffs()
        assert (visit.opportunity_id, visit.promise) == ("mill", True)


def test_confirming_a_promise_again_changes_nothing(desk: Desk) -> None:
    booking = desk.promise()
    assert desk.confirm(booking) == booking
    with desk.town.reading() as unit:
        row = unit.changed_days.get(TOWN, "anna", TUESDAY)
    assert row is not None
    assert row.revision == 2


def test_a_hold_that_ran_out_is_promised_if_its_time_is_still_free(desk: Desk) -> None:
    first, second = desk.hold("16:00", minutes=20, service_minutes=20), desk.hold("10:00")
    desk.town.wait(minutes=11)
    assert expire_holds(desk.town.store) == 2
    assert [booking.state for booking in desk.town.bookings()] == [BookingState.EXPIRED] * 2
    Desk(desk.town, IVAN).hold("10:00", minutes=5, place=door(-30), service_minutes=90)
    assert desk.confirm(first, opportunity("mill")).state is BookingState.PROMISED
    with pytest.raises(SlotGoneError, match="no time left"):
        desk.confirm(second, opportunity("farm"))
    check(desk.town)


def test_a_hold_whose_time_is_past_is_never_promised(desk: Desk) -> None:
    booking = desk.hold()
    desk.town.wait(days=7)
    with pytest.raises(SlotGoneError, match="past"):
        desk.confirm(booking, opportunity())


def test_a_released_hold_is_never_promised(desk: Desk) -> None:
    booking = desk.hold()
    desk.release(booking)
    with pytest.raises(SlotGoneError, match="it was released"):
        desk.confirm(booking, opportunity())


def test_a_promise_is_made_to_somebody(desk: Desk) -> None:
    with pytest.raises(InvalidRecordError, match="opportunity_id"):
        desk.confirm(desk.hold())


def test_an_opportunity_has_one_promise(desk: Desk) -> None:
    first, second = desk.hold("10:00"), desk.hold("14:00")
    desk.confirm(first, opportunity("mill"))
    with pytest.raises(RefusedError, match="Mill has been promised a visit on 2026-12-01: move or cancel that one"):
        desk.confirm(second, opportunity("mill"))
    with pytest.raises(RefusedError, match="has been promised a visit"):
        desk.hold("15:00", opportunity_id="mill")


def test_nobody_promises_in_the_name_of_another_s_opportunity(desk: Desk) -> None:
    desk.town.add((opportunity("theirs", inside_rep="ivan@example.com"), door(3)))
    with pytest.raises(NotFoundError):
        desk.hold(opportunity_id="theirs")
    with pytest.raises(NotFoundError):
        desk.confirm(desk.hold(), opportunity("theirs", inside_rep="irene@example.com"))


def test_an_opportunity_with_an_agreed_appointment_is_promised_already(desk: Desk) -> None:
    deal = opportunity(appointment=local("2026-12-02 10:00"), inside_rep="irene@example.com")
    desk.town.add((deal, door(3)))
    with pytest.raises(RefusedError, match="has an appointment on 2026-12-02 10:00"):
        desk.hold(opportunity_id="mill")


def test_what_the_gate_keeps_back_is_not_promised_where_the_team_wants_it_so(desk: Desk) -> None:
    raw = opportunity(need="unknown")
    assert desk.confirm(desk.hold(), raw).state is BookingState.PROMISED
    desk.town.with_settings(booking=BookingSettings(only_qualified=True))
    with pytest.raises(RefusedError, match="need is unknown"):
        desk.confirm(desk.hold("14:00"), replace(raw, id="farm"))


def test_a_located_opportunity_is_visited_where_its_record_says(desk: Desk) -> None:
    desk.town.add((opportunity("mill", inside_rep="Irene@example.com", required_skills=frozenset()), door(3)))
    booking = desk.hold(opportunity_id="mill")
    assert (booking.place, booking.name, booking.address) == (door(3), "Mill", "mill road")
    assert desk.confirm(booking).state is BookingState.PROMISED


def test_a_time_that_is_held_for_one_place_is_not_promised_to_a_customer_at_another(desk: Desk) -> None:
    deal = opportunity("mill", inside_rep="irene@example.com")
    desk.town.add((deal, door(-60)))
    elsewhere = desk.hold("10:00")
    with pytest.raises(RefusedError, match="Mill is at mill road, and the time is held for 1 Mill Road"):
        desk.confirm(elsewhere, deal)
    desk.release(elsewhere)
    theirs = desk.hold("13:00", opportunity_id="mill")
    desk.town.add((deal, door(30)))
    with pytest.raises(RefusedError, match="Mill is at mill road"):
        desk.confirm(theirs)


def test_a_record_that_is_there_is_promised_as_it_is_now_and_not_as_somebody_read_it(desk: Desk) -> None:
    as_read = opportunity("mill", inside_rep="irene@example.com")
    now = replace(as_read, name="Mill & Sons", notes="ring twice")
    desk.town.add((now, door(10)))
    assert desk.confirm(desk.hold(), as_read).name == "Mill & Sons"
    with desk.town.reading() as unit:
        assert unit.records(TOWN).get(RecordKind.OPPORTUNITY, "mill") == now


def test_the_planned_first_visit_gives_way_to_the_promise_also_on_another_day(desk: Desk) -> None:
    desk.town.add((opportunity("mill", inside_rep="irene@example.com"), door(10)))
    desk.town.publish(MONDAY)
    (planned,) = [day for day in desk.town.published()["rep_days"] if day["stops"]]
    other = next(d for d in (MONDAY, TUESDAY) if str(d) != planned["date"])
    desk.confirm(desk.hold(opportunity_id="mill", day=other))
    assert [
        (day["date"], stop["kind"]) for day in desk.town.published()["rep_days"] for stop in day["stops"]
    ] == [(str(other), "appointment")]  # fmt: skip


@pytest.mark.parametrize("rep_id", ["anna", "ben"])
@pytest.mark.parametrize("same_day", [True, False])
def test_a_promise_counts_as_the_visit_that_was_planned_to_its_account(
    desk: Desk, rep_id: str, *, same_day: bool
) -> None:
    desk.town.add((rep("ben", break_minutes=0), door()), (account("bakery", last_visit=None), door(10)))
    desk.town.publish(MONDAY)
    (planned,) = [day for day in desk.town.published()["rep_days"] if day["stops"]]
    on = date.fromisoformat(planned["date"])
    if not same_day:
        on = next(day for day in (MONDAY, TUESDAY) if day != on)
    booking = desk.confirm(desk.hold(rep_id=rep_id, day=on), opportunity(account_id="bakery"))
    assert planned_stops(desk.town) == [(str(on), rep_id, "opportunity:mill")]
    assert broken(desk.town) == []
    desk.cancel(booking)
    assert planned_stops(desk.town) == []  # until the next plan is made


def test_a_promise_in_another_order_counts_as_the_visit_to_its_account_too(desk: Desk) -> None:
    fuel = account("fuel", visit_minutes=120, opening_hours="Mo-Su 09:00-13:00")
    desk.town.add((account("farm", visit_minutes=60), door(5)), (fuel, door(6)), (account("bakery"), door(10)))
    desk.town.publish(TUESDAY, days=1)
    with desk.town.writing() as unit:
        order = ("account:farm", "account:fuel", "account:bakery")
        unit.changed_days.put(ChangedDay(TOWN, "anna", TUESDAY, 1, 1, order))
    hold = desk.hold("09:00", minutes=30, resequence=True)
    assert names(desk.town.day(TUESDAY)) == [hold.id, "bakery", "fuel", "farm"]
    desk.confirm(hold, opportunity(account_id="bakery"))
    assert [stop["record_ids"] for stop in shown(desk.town)] == [["mill", "bakery"], ["fuel"], ["farm"]]
    assert broken(desk.town) == []


def planned_stops(town: SlotTown) -> list[tuple[str, str, str]]:
    return [
        (day["date"], day["rep_id"], stop["visit_id"]) for day in town.published()["rep_days"] for stop in day["stops"]
    ]


def broken(town: SlotTown) -> list[str]:
    """What `fieldvisit check` finds in the plan as it stands now."""
    with town.reading() as unit:
        snapshot = Snapshot.read(unit, TOWN, town.settings)
    return broken_rules(town.published(), snapshot, town.source, town.settings)


def test_the_very_time_that_is_planned_can_be_promised(desk: Desk) -> None:
    desk.town.add((opportunity("mill", inside_rep="irene@example.com", visit_minutes=420), door(10)))
    desk.town.publish(TUESDAY, days=1)
    assert names(desk.town.day(TUESDAY)) == ["mill"]
    booking = desk.hold("09:00", opportunity_id="mill", service_minutes=420)
    assert names(desk.town.day(TUESDAY)) == [booking.id]
    desk.release(booking)
    assert names(desk.town.day(TUESDAY)) == ["mill"]
    desk.confirm(desk.hold("09:00", opportunity_id="mill", service_minutes=420))
    assert [stop["kind"] for stop in shown(desk.town)] == ["appointment"]


def test_a_promise_without_any_plan_takes_its_time(desk: Desk) -> None:
    desk.promise(at="10:00", service_minutes=400)
    with pytest.raises(SlotGoneError):
        desk.hold("14:00")
    check(desk.town)


def test_a_promise_beyond_the_plan_is_in_the_plan_that_is_seen(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    later = date(2026, 12, 9)
    desk.promise(day=later)
    assert times(shown(desk.town, later)) == ["mill 10:00"]


# ---- moving and cancelling


def test_a_promise_is_moved_and_the_old_one_ends(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    old = desk.promise()
    hold = desk.hold(day=WEDNESDAY, replaces=old.id)
    assert (hold.opportunity_id, hold.inside_rep) == ("mill", old.inside_rep)
    assert times(shown(desk.town)) == ["mill 10:00"]  # until the new time is confirmed
    new = desk.confirm(hold)
    (ended,) = desk.town.bookings(id=old.id)
    assert (ended.state, ended.reason) == (BookingState.MOVED, "moved to 2026-12-02 10:00–11:00")
    assert (shown(desk.town), times(shown(desk.town, WEDNESDAY))) == ([], ["mill 10:00"])
    with desk.town.reading() as unit:
        events = [event.action for event in unit.handoff_events.find(area=TOWN, opportunity_id="mill")]
    assert events[-1] == "moved"
    assert new.replaces == old.id


def test_a_promise_can_be_moved_within_a_day_that_has_no_time_for_both(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    old = desk.promise(service_minutes=300)
    hold = desk.hold("11:00", service_minutes=300, replaces=old.id)
    # Both times are kept free until it is decided: a visit that fits beside the one alone is refused.
    ivan = Desk(desk.town, IVAN)
    with pytest.raises(SlotGoneError):
        ivan.hold("15:30", minutes=20, service_minutes=30, place=door(11))
    with pytest.raises(SlotGoneError):
        ivan.hold("09:00", minutes=40, service_minutes=150, place=door(9))
    desk.confirm(hold)
    assert times(shown(desk.town)) == ["mill 11:00"]
    check(desk.town)


@pytest.mark.parametrize("resequence", [False, True])
def test_what_is_offered_on_a_day_of_which_a_time_is_being_moved_can_be_held(desk: Desk, resequence: bool) -> None:
    """Whether the customer takes the new time or stays with the old one."""
    promise = desk.promise("mill", "10:00")
    desk.hold("15:00", replaces=promise.id)
    query = SlotQuery(
        place=door(-60), service_minutes=45, first_day=TUESDAY, days=1, window_minutes=30, meaning=Meaning.ARRIVE,
        not_before=desk.town.now, limit=50, resequence=resequence,
    )  # fmt: skip
    with desk.town.reading() as unit:
        slots = offer_slots(unit, desk.town.agendas, TOWN, query, desk.town.settings, desk.town.now).slots
    assert slots
    for slot in slots:
        at = f"{slot.start:%H:%M}"
        desk.release(desk.hold(at, minutes=30, service_minutes=45, place=door(-60), resequence=slot.resequenced))


def test_a_time_that_can_never_be_confirmed_does_not_set_the_promise_aside(desk: Desk) -> None:
    """Two times are held for one opportunity; one is promised, and the other does not move that promise."""
    desk.town.add((opportunity("mill", inside_rep="irene@example.com"), door(10)))
    first, _ = desk.hold("10:00", opportunity_id="mill"), desk.hold("15:00", opportunity_id="mill")
    desk.confirm(first)
    assert [visit.promised for visit in desk.town.day(TUESDAY).visits] == [True, False]


def test_the_promise_stays_when_nobody_confirms_its_new_time(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    old = desk.promise(service_minutes=300)
    desk.hold("11:00", service_minutes=300, replaces=old.id)
    desk.town.wait(minutes=11)
    for _ in range(2):
        assert names(desk.town.day(TUESDAY)) == ["mill"]
        check(desk.town)
        expire_holds(desk.town.store)
    assert times(shown(desk.town)) == ["mill 10:00"]


def test_a_promise_that_is_over_is_not_moved(desk: Desk) -> None:
    old = desk.promise()
    hold = desk.hold(day=WEDNESDAY, replaces=old.id)
    desk.cancel(old)
    with pytest.raises(ConflictError, match="it was cancelled"):
        desk.confirm(hold)
    with pytest.raises(ConflictError, match="it was cancelled"):
        desk.hold(day=WEDNESDAY, replaces=old.id)


def test_a_cancelled_promise_leaves_the_day_and_the_handoff_goes_back(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    booking = desk.promise()
    over = desk.cancel(booking)
    assert (over.state, over.reason, over.ended_at) == (BookingState.CANCELLED, "they called off", desk.town.now)
    assert shown(desk.town) == []
    assert desk.cancel(booking) == over
    with desk.town.reading() as unit:
        row = unit.handoffs.get(TOWN, "mill")
    assert row is not None
    assert row.state is HandoffState.HANDED_OFF
    assert desk.promise().state is BookingState.PROMISED  # and may be promised again


def test_who_looks_is_told_that_a_visit_whose_promise_was_cancelled_waits_for_the_next_plan(desk: Desk) -> None:
    """What was planned for it had been taken out for the promise, and its time may be somebody else's by now."""
    desk.town.add((opportunity("mill", inside_rep="irene@example.com"), door(10)))
    desk.town.publish(MONDAY)
    desk.cancel(desk.confirm(desk.hold(day=FRIDAY, opportunity_id="mill")))
    assert not [stop for day in desk.town.published()["rep_days"] for stop in day["stops"]]
    with desk.town.reading() as unit:
        *_, event = unit.handoff_events.find(area=TOWN, opportunity_id="mill")
        (listed,) = handoffs(unit, TOWN, desk.town.settings.gate)
    assert event.text.endswith("they called off. The visit waits for the next plan")
    assert listed.standing is Standing.UNPLANNED


def test_a_promise_is_cancelled_even_on_a_day_that_its_records_have_broken(desk: Desk) -> None:
    desk.town.publish(MONDAY)
    first, _ = desk.promise("mill", "10:00"), desk.promise("farm", "16:00", service_minutes=30)
    desk.town.add((rep(break_minutes=0, work_end=time(15)), door()))
    desk.cancel(first)
    assert times(shown(desk.town)) == ["farm 16:00"]


@pytest.mark.parametrize("planned", [False, True])
def test_a_promise_is_moved_away_or_cancelled_even_if_nobody_knows_where_its_rep_starts(
    desk: Desk, planned: bool
) -> None:
    """She has moved house, and the new address is not located yet."""
    if planned:
        desk.town.publish(MONDAY)
    mill, shop = desk.promise("mill", "10:00"), desk.promise("shop", "13:00")
    inn = desk.promise("inn", "15:00")
    desk.town.add((rep(start_address=Address("New Street 99")), None), (rep("ben", break_minutes=0), door()))
    assert desk.cancel(mill).state is BookingState.CANCELLED
    assert desk.confirm(desk.hold("12:00", rep_id="ben", replaces=shop.id)).state is BookingState.PROMISED
    with desk.town.reading() as unit:
        changed = unit.changed_days.get(TOWN, "anna", TUESDAY)
    assert changed is not None
    assert changed.order == (inn.visit_id,)
    assert changed.route is not None
    assert [stop["record_ids"] for stop in changed.route["stops"]] == [["inn"]]
    if planned:
        assert times(shown(desk.town)) == ["inn 15:00"]
    assert desk.cancel(inn).state is BookingState.CANCELLED
    assert not planned or shown(desk.town) == []


def test_days_that_are_over_stay_as_they_were(desk: Desk) -> None:
    desk.town.add((account("bakery"), door(12)))
    desk.town.publish(MONDAY)
    booking = desk.promise()
    before = desk.town.published()["rep_days"]
    desk.town.wait(days=10)
    desk.cancel(booking)
    desk.ride_along(desk.promise("farm", day=date(2026, 12, 9)), "bakery")
    days = desk.town.published()["rep_days"]
    assert [day for day in days if day["date"] < "2026-12-07"] == before
    assert {stop["visit_id"] for stop in shown(desk.town, date(2026, 12, 9))} == {"opportunity:farm", "account:bakery"}


def test_a_manager_moves_what_an_inside_rep_promised_and_it_stays_theirs(desk: Desk) -> None:
    old = desk.promise()
    max_ = Desk(desk.town, MANAGER)
    assert max_.confirm(max_.hold(day=WEDNESDAY, replaces=old.id)).inside_rep == "irene@example.com"


# ---- ride-alongs


def test_a_customer_nearby_rides_along_with_a_promise(desk: Desk) -> None:
    desk.town.add((account("bakery", last_visit=date(2026, 11, 10), cadence_days=28), door(12)))
    desk.town.publish(MONDAY)
    booking = desk.promise()
    desk.ride_along(booking, "bakery")
    desk.ride_along(booking, "bakery")
    (bakery,) = [stop for stop in shown(desk.town) if stop["visit_id"] == "account:bakery"]
    assert (bakery["kind"], bakery["rides_with"]) == ("nearby", ["mill"])
    assert bakery["why"] == "2 min from Mill (mill); rides along with mill on this day"
    check(desk.town)


def test_a_customer_planned_for_another_day_rides_along_instead(desk: Desk) -> None:
    desk.town.add((account("bakery"), door(12)))
    desk.town.publish(MONDAY)
    (planned,) = [day["date"] for day in desk.town.published()["rep_days"] if day["stops"]]
    on = next(d for d in (TUESDAY, WEDNESDAY) if str(d) != planned)
    desk.ride_along(desk.promise(day=on), "bakery")
    assert [day["date"] for day in desk.town.published()["rep_days"] for _ in day["stops"]] == [str(on)] * 2


@pytest.mark.parametrize("moved", [False, True], ids=["cancelled", "moved"])
def test_who_was_added_to_the_trip_leaves_the_day_with_the_promise(desk: Desk, moved: bool) -> None:
    on = date(2026, 12, 8)
    desk.town.add((account("bakery", last_visit=date(2026, 10, 1), cadence_days=28), door(12)))
    old = desk.promise(day=on)
    desk.ride_along(old, "bakery")
    if moved:
        desk.confirm(desk.hold(day=date(2026, 12, 9), replaces=old.id, opportunity_id="mill"))
    else:
        desk.cancel(old)
    with desk.town.reading() as unit:
        row = unit.changed_days.get(TOWN, "anna", on)
    assert row is not None
    assert row.order == ()


def test_who_is_far_or_another_s_or_not_due_does_not_ride_along_and_nothing_is_told_of_them(desk: Desk) -> None:
    desk.town.add(
        (account("far"), door(30)),
        (account("bens", owner_rep_id="ben"), door(11)),
        (account("lost"), None),
        (account("fresh", last_visit=desk.town.now.date(), cadence_days=84), door(11)),
    )
    booking = desk.promise()
    said = set()
    for id_ in ("far", "bens", "lost", "fresh", "none"):
        with pytest.raises(RefusedError) as refused:
            desk.ride_along(booking, id_)
        said.add(str(refused.value))
    assert said == {"no such customer near this visit is due, or well into their days"}
    with pytest.raises(ConflictError, match="confirm the hold first"):
        desk.ride_along(desk.hold("14:00"), "far")


def test_a_ride_along_never_pushes_a_promise_out_of_its_window(desk: Desk) -> None:
    desk.town.add((account("bakery", visit_minutes=90), door(12)))
    booking = desk.promise(service_minutes=360, at="10:00", minutes=5)
    with pytest.raises(SlotGoneError, match="has no time for this customer"):
        desk.ride_along(booking, "bakery")


# ---- in one transaction


def test_what_goes_with_it_is_written_with_it_or_nothing_is(desk: Desk) -> None:
    town = desk.town

    def fail(unit: object, booking: Booking) -> None:
        raise RuntimeError(booking.id)

    with pytest.raises(RuntimeError):
        holding.hold(town.store, IRENE, town.agendas, TOWN, ask(), "h", "", town.settings, also=fail)
    assert town.bookings() == []
    hold = desk.hold()
    with pytest.raises(RuntimeError):
        holding.confirm(town.store, IRENE, town.agendas, TOWN, hold.id, opportunity(), town.settings, also=fail)
    assert [booking.state for booking in town.bookings()] == [BookingState.HELD]
    with town.reading() as unit:
        assert unit.records(TOWN).opportunities() == []


def test_what_somebody_else_changed_meanwhile_is_decided_on_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ivan's hold comes in between what Irene has looked at and what she writes."""
    ivan, day_of = Desk(desk.town, IVAN), desk.town.agendas.day
    raced: list[str] = []

    def day(*arguments: Any) -> Any:
        found = day_of(*arguments)
        if not raced:
            raced.append("now")
            ivan.hold("10:00", minutes=5, service_minutes=400, id="race")
        return found

    monkeypatch.setattr(desk.town.agendas, "day", day)
    with pytest.raises(SlotGoneError):
        desk.hold("10:00")
    assert [booking.id for booking in desk.town.bookings()] == ["race"]
