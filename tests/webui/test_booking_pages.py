"""The pages on which inside sales books visits while the prospect is on the line."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from booking_cast import AREA, BOOK, INES, IVAN, CallOffice, promise, spot, values
from icalendar import Calendar
from plan_cast import MONDAY, MORNING, TUESDAY, text_of, viewer
from writing_cast import audited, send

from planner.access import Role
from planner.domain import RecordKind
from planner.slots.domain import BookingState, Meaning
from planner.slots.effects import Grade
from planner.slots.offering import Offers, Slot
from webui.presenting.booking import booking_view, day_asked, offers_view, slot_asked

ADDRESSES = f"/a/{AREA}/addresses.json"


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def slots(office: CallOffice, **asked: object) -> str:
    """The part of the page that changes while somebody types."""
    query = {"address": "5 Mill Lane", "minutes": 60} | asked
    response = office.client.get(f"{BOOK}/slots", query_string=query)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def offered(page: str) -> list[tuple[str, str]]:
    """Rep and day of each time, in the page's order."""
    return [(rep, day) for rep, day, *_ in map(json.loads, values(page))]


# --- addresses --------------------------------------------------------------------------------------------------------


def test_addresses_are_completed_from_the_area_s_own_gazetteer(office: CallOffice) -> None:
    found = office.client.get(ADDRESSES, query_string={"q": "5 mill"}).get_json()["addresses"]
    place = spot(500, 1208)
    assert found == [{"text": "5 Mill Lane, Toytown 00102", "at": f"{place.lat:.6f},{place.lon:.6f}", "street": False}]
    (street,) = office.client.get(ADDRESSES, query_string={"q": "market"}).get_json()["addresses"][:1]
    assert (street["text"], street["street"]) == ("Market Street", True)


def test_whoever_books_hands_off_or_keeps_records_may_ask_for_addresses(office: CallOffice) -> None:
    for role in Role:
        office.viewer = viewer(role, area=AREA, reps=frozenset({"ann"}) if role is Role.FIELD_REP else None)
        status = 403 if role is Role.FIELD_REP else 200
        assert office.client.get(ADDRESSES, query_string={"q": "mill"}).status_code == status, role
        assert office.client.get(BOOK).status_code == status, role


def test_an_address_that_is_not_sure_is_asked_back(office: CallOffice) -> None:
    said = slots(office, address="Mill Lane")
    assert "no house number was given" in said
    which = slots(office, address="13 Mill Lane")
    assert "Which one is it?" in which
    assert "at=60." in which
    assert values(which) == []


# --- times ------------------------------------------------------------------------------------------------------------


def test_times_appear_with_day_window_first_name_and_what_they_do_to_the_day(office: CallOffice) -> None:
    page = slots(office)
    text = text_of(page)
    assert "Monday 30 November 2026" in text
    assert "Ann" in text
    assert re.search(r"\d\d:\d\d–\d\d:\d\d", text)
    assert "driving" in text
    assert {"ann", "b/1"} == {rep for rep, _ in offered(page)}


def test_no_word_of_other_customers_homes_or_surnames_is_told(office: CallOffice) -> None:
    told = slots(office) + office.page(f"{BOOK}?address=5+Mill+Lane&minutes=60")
    told += office.client.get(f"{BOOK}/days.json", query_string={"day": json.dumps(["ann", MONDAY])}).get_data(True)
    for secret in ("Secret", "Lindqvist", "Virtanen", "1 Bridge Street", "ann@example.com"):
        assert secret not in told


def test_the_same_times_stand_in_a_list_and_in_a_week(office: CallOffice) -> None:
    page = slots(office)
    _, _, week = page.partition('class="times-week"')
    assert set(values(page)) == set(values(week))
    assert "Week of Mon 30 Nov" in week
    assert page.count('class="slot is-best"') == 6  # three cards, and the same three in the list


def test_without_scripts_the_form_asks_for_a_page_with_the_times(office: CallOffice) -> None:
    page = office.page(f"{BOOK}?address=5+Mill+Lane&minutes=60")
    assert values(page) == values(slots(office))
    assert 'value="5 Mill Lane"' in page


def test_a_search_may_ask_for_a_rep_a_skill_or_a_language(office: CallOffice) -> None:
    assert {rep for rep, _ in offered(slots(office, rep="b/1"))} == {"b/1"}
    assert {rep for rep, _ in offered(slots(office, skills="Wine"))} == {"ann"}
    assert {rep for rep, _ in offered(slots(office, language="swedish"))} == {"ann"}
    assert "No rep has the skill beer" in slots(office, skills="beer")


def test_a_search_may_say_from_which_day_how_late_and_what_hours(office: CallOffice) -> None:
    assert min(day for _, day in offered(slots(office, first_day=TUESDAY, days="2"))) == TUESDAY
    late = [
        json.loads(value)[2][11:16] for value in values(slots(office, first_day=MONDAY, days="1", not_before="13:00"))
    ]
    assert late
    assert min(late) >= "13:00"
    wide = json.loads(values(slots(office, width="120"))[0])
    assert datetime.fromisoformat(wide[3]) - datetime.fromisoformat(wide[2]) == timedelta(hours=2)
    assert "closed" in slots(office, hours="Mo-Su 02:00-03:00") or "leave no room" in slots(
        office, hours="Mo-Su 02:00-03:00"
    )


def test_what_makes_no_sense_is_said_beside_it(office: CallOffice) -> None:
    for asked, said in (
        ({"minutes": "soon"}, "Minutes “soon” is not a whole number."),
        ({"minutes": "0"}, "Minutes is less than 1."),
        ({"days": "1000"}, "Days is more than 366."),
        ({"first_day": "tomorrow"}, "First day “tomorrow” is not a date."),
        ({"hours": "whenever"}, "is not in the OpenStreetMap opening_hours syntax."),
        ({"address": "x" * 400}, "Address is longer than 300 characters."),
    ):
        assert said in text_of(slots(office, **asked))
        assert said in office.text(f"{BOOK}?{urlencode({'address': '5 Mill Lane', 'minutes': '60'} | asked)}")


def test_nothing_is_searched_until_address_and_minutes_are_there(office: CallOffice) -> None:
    assert "Type an address" in slots(office, minutes="")
    assert "Type an address" in slots(office, address="", at="")


def test_the_days_are_drawn_as_lines_on_streets_and_dots_without_names(office: CallOffice) -> None:
    key = json.dumps(["ann", MONDAY])
    (day,) = office.client.get(f"{BOOK}/days.json", query_string={"day": key}).get_json()["days"]
    assert set(day) == {"key", "lines", "dots"}
    assert day["key"] == key
    bakery, grocer = spot(400, 8), spot(600, 608)
    assert day["dots"] == [[round(p.lat, 5), round(p.lon, 5)] for p in (bakery, grocer)]
    assert len(day["lines"]) == 1  # from the first stop to the last: not from home
    assert office.client.get(f"{BOOK}/days.json", query_string={"day": "nonsense"}).status_code == 400


def test_a_manager_of_a_team_books_for_the_team(office: CallOffice) -> None:
    office.viewer = viewer(Role.MANAGER, area=AREA, reps=frozenset({"ann"}))
    page = slots(office)
    assert {rep for rep, _ in offered(page)} == {"ann"}
    other = json.dumps(["b/1", MONDAY, f"{MONDAY}T10:00:00+02:00", f"{MONDAY}T11:00:00+02:00", False])
    sent = office.press(page, other)
    assert sent.status_code == 422
    assert office.bookings() == []


# --- holding ----------------------------------------------------------------------------------------------------------


def test_one_press_holds_a_time_and_shows_how_long(office: CallOffice) -> None:
    where = office.hold()
    held = office.booking(where)
    assert held.state is BookingState.HELD
    assert held.address == "5 Mill Lane, Toytown 00102"
    assert (held.service_minutes, held.inside_rep) == (60, "ines@example.com")
    page = office.page(where)
    assert 'data-left="600"' in page
    assert "10:00" in text_of(page)
    assert "autofocus" in page
    office.time.now += timedelta(minutes=4)
    assert 'data-left="360"' in office.page(where)


def test_a_press_that_is_sent_twice_holds_once(office: CallOffice) -> None:
    page = slots(office)
    sent = [office.press(page, values(page)[0]) for _ in range(2)]
    assert sent[0].headers["Location"] == sent[1].headers["Location"]
    assert len(office.bookings()) == 1


def test_who_was_slower_is_told_so_and_shown_what_is_free_now(office: CallOffice) -> None:
    whole_day = {"first_day": MONDAY, "days": "1", "rep": "ann", "minutes": "240"}
    page = slots(office, **whole_day)
    office.viewer = IVAN
    office.hold(**whole_day)
    office.viewer = INES
    sent = office.press(page, values(page)[0])
    assert sent.status_code == 409
    said = text_of(sent.get_data(as_text=True))
    assert "Somebody was faster." in said
    assert values(page)[0] not in values(sent.get_data(as_text=True))
    assert len(office.bookings()) == 1


def test_a_slot_that_is_none_of_ours_is_refused(office: CallOffice) -> None:
    page = slots(office)
    without_zone = '["ann","2026-12-01","2026-12-01T10:00:00","2026-12-01T11:00:00",false]'
    for slot in ("", "[]", "null", "[1,2,3,4,5]", '["ann","soon","x","y",false]', "[" * 5000, "\x00", without_zone):
        assert office.press(page, slot).status_code == 400, slot


def test_a_time_that_nobody_can_keep_is_not_held_whoever_asks_for_it(office: CallOffice) -> None:
    page = slots(office)
    for day, hour in ((MONDAY, 3), ("2026-12-05", 10), ("2026-11-02", 10), ("2031-01-06", 10)):
        slot = json.dumps(["ann", day, f"{day}T{hour:02}:00:00+02:00", f"{day}T{hour + 1:02}:00:00+02:00", False])
        sent = office.press(page, slot)
        assert sent.status_code in (409, 422), day
    assert office.bookings() == []


def test_a_hold_is_given_back_and_its_time_is_free_again(office: CallOffice) -> None:
    before = values(slots(office))
    where = office.hold()
    sent = send(office, where, f"{where}/release")
    assert sent.status_code == 303
    assert "address=5+Mill+Lane" in sent.headers["Location"]
    assert office.booking(where).state is BookingState.RELEASED
    assert values(office.page(sent.headers["Location"])) == before
    assert "No longer held" in office.text(where)


def test_a_hold_that_has_run_out_says_so_and_leads_to_fresh_times(office: CallOffice) -> None:
    where = office.hold()
    office.time.now += timedelta(minutes=11)
    page = office.page(where)
    assert "No longer held" in text_of(page)
    assert "See what is free" in text_of(page)


def test_what_has_run_out_can_still_be_promised_while_its_time_is_free(office: CallOffice) -> None:
    where = office.hold()
    office.time.now += timedelta(minutes=11)
    assert "Promise it, if it is free" in office.text(where)
    assert send(office, where, f"{where}/confirm", name="Bread & Co").status_code == 303
    assert office.booking(where).state is BookingState.PROMISED


def test_a_postcode_alone_lists_its_addresses(office: CallOffice) -> None:
    said = slots(office, address="00102")
    assert "Which one is it?" in said
    assert "5 Mill Lane, Toytown 00102" in said


def test_the_address_that_was_understood_is_said_and_held(office: CallOffice) -> None:
    assert "For 5 Mill Lane, Toytown 00102" in text_of(slots(office, address="5 mill lane"))
    assert office.booking(office.hold(address="5 mill lane")).address == "5 Mill Lane, Toytown 00102"
    place = spot(600, 1200)
    street = text_of(slots(office, address="Mill Lane", at=f"{place.lat},{place.lon}"))
    assert "Somewhere in Mill Lane: ask for the number" in street


def test_no_day_is_too_far_to_be_asked_for(office: CallOffice) -> None:
    assert "at most 60 days ahead" in slots(office, first_day="9999-12-31", not_before="23:00")


def test_colleagues_do_not_see_each_other_s_holds(office: CallOffice) -> None:
    where = office.hold()
    office.viewer = IVAN
    for address in (where, f"{where}/visit.ics"):
        assert office.client.get(address).status_code == 404
    office.viewer = viewer(Role.MANAGER, area=AREA, reps=None)
    assert office.client.get(where).status_code == 200


# --- confirming -------------------------------------------------------------------------------------------------------


def confirmed(office: CallOffice, **typed: str) -> str:
    where = office.hold()
    sent = send(office, where, f"{where}/confirm", **({"name": "Brew & Bloom"} | typed))
    assert sent.status_code == 303, sent.get_data(as_text=True)
    return where


def test_confirming_writes_down_who_it_is_for_and_promises_the_time(office: CallOffice) -> None:
    where = confirmed(office, contact_name="Bo Blom", contact_email="bo@example.com", need="yes", timeline="this month")
    made = office.booking(where)
    assert made.state is BookingState.PROMISED
    assert made.name == "Brew & Bloom"
    with office.store.read() as unit:
        deal = unit.records(AREA).get(RecordKind.OPPORTUNITY, made.opportunity_id)
        place = unit.records(AREA).location(RecordKind.OPPORTUNITY, made.opportunity_id)
    assert deal is not None
    assert (deal.contact_name, deal.need, deal.timeline, deal.inside_rep) == (
        "Bo Blom", "yes", "this month", "ines@example.com",
    )  # fmt: skip
    assert place is not None
    assert place.place == made.place
    assert "booking.promised" in audited(office)


def test_the_promise_page_says_what_to_tell_and_has_the_text_and_the_calendar_file(office: CallOffice) -> None:
    where = confirmed(office, contact_name="Bo Blom")
    text = office.text(where)
    assert "Say to the customer" in text
    assert re.search(r"“(Ann|Ben) arrives on \w+ \d+ \w+ 2026 between", text)
    assert "Hello Bo Blom," in text
    file = office.client.get(f"{where}/visit.ics")
    assert file.mimetype == "text/calendar"
    assert "attachment" in file.headers["Content-Disposition"]
    (event,) = Calendar.from_ical(file.get_data()).walk("VEVENT")
    assert event["DTSTART"].dt == office.booking(where).start


def test_a_prospect_without_a_name_is_asked_for_it_and_the_hold_stays(office: CallOffice) -> None:
    where = office.hold()
    for typed, said in (
        ({"name": ""}, "Company"),
        ({"name": "N" * 300}, "Company is longer than 200 characters."),
        ({"need": "perhaps"}, ""),
    ):
        sent = send(office, where, f"{where}/confirm", **({"name": "X", "contact_name": "Bo"} | typed))
        assert sent.status_code == 422
        assert said in text_of(sent.get_data(as_text=True))
        assert 'value="Bo"' in sent.get_data(as_text=True)
        assert office.booking(where).state is BookingState.HELD


def test_a_hold_has_no_calendar_file(office: CallOffice) -> None:
    assert office.client.get(f"{office.hold()}/visit.ics").status_code == 404


# --- from an opportunity, and moving ----------------------------------------------------------------------------------


def test_booking_for_an_opportunity_begins_with_what_is_known_of_it(office: CallOffice) -> None:
    page = office.page(f"{BOOK}?opportunity=O1")
    assert 'value="7 Market Street, Toytown"' in page
    assert 'name="minutes" type="number" value="45"' in page
    assert "Ostrich &amp; Co" in page
    sent = office.press(page, values(page)[0])
    where = sent.headers["Location"]
    assert office.booking(where).opportunity_id == "O1"
    assert "Who is it for?" not in office.text(where)
    assert send(office, where, f"{where}/confirm").status_code == 303
    assert office.booking(where).state is BookingState.PROMISED
    assert "/opportunity?id=O1" in office.page(where)


def test_somebody_else_s_opportunity_is_not_there(office: CallOffice) -> None:
    office.viewer = IVAN
    for address in (f"{BOOK}?opportunity=O1", f"{BOOK}?opportunity=nothing", f"{BOOK}?move=nothing"):
        assert office.client.get(address).status_code == 404


def test_a_promise_moves_and_the_customer_s_calendar_follows(office: CallOffice) -> None:
    first = confirmed(office)
    page = office.page(f"{BOOK}?move={first.rpartition('/')[2]}")
    assert "Move the visit" in page
    other = next(value for value in values(page) if json.loads(value)[1] != str(office.booking(first).day))
    second, third = (office.press(page, time).headers["Location"] for time in (other, values(page)[-1]))
    assert office.booking(first).state is BookingState.PROMISED  # until the new time is confirmed
    assert send(office, second, f"{second}/confirm").status_code == 303
    assert office.booking(first).state is BookingState.MOVED
    assert second in office.page(first)
    assert f"{third}/confirm" not in office.page(third)  # of another tab: the promise has been moved already
    assert "Takes the place of" in office.text(second)
    assert "This replaces the visit" in office.text(second)
    (event,) = Calendar.from_ical(office.client.get(f"{second}/visit.ics").get_data()).walk("VEVENT")
    assert event["UID"] == f"{first.rpartition('/')[2]}@fieldvisit"
    assert event["SEQUENCE"] == 1
    assert office.client.get(f"{BOOK}?move={first.rpartition('/')[2]}").status_code == 409


def test_cancelling_asks_why_and_gives_the_file_that_takes_the_event_away(office: CallOffice) -> None:
    where = confirmed(office)
    assert send(office, where, f"{where}/cancel", reason=" ").status_code == 422
    assert send(office, where, f"{where}/cancel", reason="They closed down").status_code == 303
    assert office.booking(where).state is BookingState.CANCELLED
    assert "They closed down" in office.text(where)
    file = office.client.get(f"{where}/visit.ics").get_data()
    assert b"METHOD:CANCEL" in file
    assert values(
        office.page(
            office.page(where).split('class="button button-main" href="')[1].split('"')[0].replace("&amp;", "&")
        )
    )


# --- how times are told -----------------------------------------------------------------------------------------------


def slot(start: datetime, added_s: int = 240, **changes: object) -> Slot:
    usual: dict[str, object] = {
        "rep_id": "ann", "rep_name": "Ann", "day": start.date(), "start": start,
        "end": start + timedelta(hours=1), "begin": start, "added_drive_s": added_s, "resequenced": False,
        "effect": "nothing else moves", "grade": Grade.A,
    }  # fmt: skip
    return Slot(**(usual | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Europe/London", ("2026-10-24", "2026-10-25", "2026-10-26")),
        ("Europe/London", ("2027-03-27", "2027-03-28", "2027-03-29")),
        ("America/Vancouver", ("2026-10-31", "2026-11-01", "2026-11-02")),
        ("America/Vancouver", ("2027-03-13", "2027-03-14", "2027-03-15")),
    ],
)
def test_around_a_clock_change_times_are_those_on_the_customer_s_wall(zone: str, days: tuple[str, ...]) -> None:
    starts = [
        datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone)).replace(hour=10) for day in days
    ]
    found = tuple(slot(start) for start in starts)
    view = offers_view(Offers(found, 0, 0, 0, ""), starts[0].date())
    assert [day.slots[0].window for day in view.days] == ["10:00–11:00"] * 3
    assert view.days[0].when == "today"
    for told, start in zip((day.slots[0].value for day in view.days), starts, strict=True):
        rep_id, day, begin, end, resequence = slot_asked(told)
        assert (rep_id, day, begin, end - begin, resequence) == ("ann", start.date(), start, timedelta(hours=1), False)
    booking = promise(
        start=starts[1].astimezone(ZoneInfo("UTC")), end=starts[1].astimezone(ZoneInfo("UTC")) + timedelta(hours=1)
    )
    shown = booking_view(booking, (), "Ann", ZoneInfo(zone), MORNING)
    assert shown.window == "10:00–11:00"


def test_the_best_times_are_of_different_days_where_there_are_some() -> None:
    monday = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Europe/Helsinki"))
    found = [slot(monday, 0), slot(monday + timedelta(hours=1), 60), slot(monday + timedelta(days=1), 120),
             slot(monday + timedelta(days=1, hours=2), 180)]  # fmt: skip
    view = offers_view(Offers(tuple(found), 0, 0, 0, ""), monday.date())
    assert [(best.day, best.window) for best in view.best] == [
        ("Mon 30 Nov", "10:00–11:00"), ("Tue 1 Dec", "10:00–11:00"), ("Mon 30 Nov", "11:00–12:00"),
    ]  # fmt: skip
    assert view.said == "4 times. Best: Monday 30 November 2026, 10:00–11:00, Ann, no more driving."


def test_a_time_for_which_the_day_is_put_into_another_order_is_not_called_the_best() -> None:
    monday = datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Europe/Helsinki"))
    found = (
        slot(monday, 0, resequenced=True),
        slot(monday, 300),
        slot(monday + timedelta(days=1), 60, resequenced=True),
    )
    view = offers_view(Offers(found, 0, 0, 0, ""), monday.date())
    assert [(best.iso, best.resequenced) for best in view.best] == [
        (MONDAY, False), (TUESDAY, True), (MONDAY, True),
    ]  # fmt: skip


def test_a_new_order_may_save_driving_and_is_marked() -> None:
    found = slot(datetime(2026, 11, 30, 10, tzinfo=ZoneInfo("Europe/Helsinki")), -300, resequenced=True)
    (view,) = offers_view(Offers((found,), 0, 0, 0, ""), date(2026, 11, 30)).best
    assert view.added == "saves 5 min of driving"
    assert view.resequenced


def test_a_promise_of_the_whole_visit_says_so(office: CallOffice) -> None:
    page = slots(office, meaning="whole", width="30")
    *_, start, end, _ = slot_asked(values(page)[0])
    assert end - start == timedelta(minutes=60)  # as wide as the visit at least
    where = office.hold(meaning="whole", width="90")
    assert office.booking(where).meaning is Meaning.WHOLE
    assert "The whole visit is in this time" in office.text(where)


@pytest.mark.parametrize("key", ["", "[]", '["ann"]', "{}", '["ann", "x"]', "[" * 5000])
def test_a_key_of_a_day_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        day_asked(key)


# --- customers nearby -------------------------------------------------------------------------------------------------


def test_customers_nearby_ride_along_by_one_press(office: CallOffice) -> None:
    with office.store.write(audited=False) as unit:
        unit.bookings.put(promise())
    where = "/a/helsinki/bookings/p1"
    page = office.page(where)
    assert "On the same trip" in text_of(page)
    assert "A customer of Ann’s" in text_of(page)
    assert "Secret" not in page  # inside sales does not see whose they are
    which = re.findall(r'name="which" value="(\w+)"', page)
    assert len(which) == 3
    assert send(office, where, f"{where}/ride-along", which=which[0]).status_code == 303
    assert "booking.ride_along_added" in audited(office)
    assert len(re.findall(r'name="which"', office.page(where))) == 2
    refused = send(office, where, f"{where}/ride-along", which="nobody")
    assert refused.status_code == 409
    assert "cannot ride along" in text_of(refused.get_data(as_text=True))
    office.viewer = viewer(Role.MANAGER, area=AREA, reps=None)
    assert "Secret" in office.page(where)
