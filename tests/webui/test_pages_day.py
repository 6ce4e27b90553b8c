"""A rep's day and the team's day: order, times, and how to get there."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from plan_cast import HOME, MONDAY, TUESDAY, Office, Skeleton, at, plan, rep_day, stop

from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.settings import MapSettings
from webui.presenting import BreakView, DoorView, view_of

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ANN = f"/a/helsinki/day/{MONDAY}/rep?rep=ann"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.area()
    return made


def order_of(day: dict[str, Any]) -> list[str]:
    """The day as a list of words: home, drive, break, and doors with the names of what happens at them."""
    view = view_of(plan([day])).rep_days["ann", MONDAY]
    words = []
    for item in view.items:
        if isinstance(item, DoorView):
            words += [word for visit in item.visits for word in (*(["pause"] if visit.pause else []), visit.name)]
        else:
            words.append(item.what)
    return words


def test_the_header_says_who_when_how_much_and_when_to_leave(office: Office) -> None:
    office.keep(plan())
    text = office.text(ANN)
    for said in (
        "Ann Monday 30 November 2026",
        "Leave at 09:05",
        "Back at 10:30",
        "Visits 2 1 h",
        "Driving 15 min 4.2 km",
    ):
        assert said in text


def test_the_day_goes_from_home_by_numbered_stops_and_drives_back_home(office: Office) -> None:
    office.keep(plan())
    text = office.text(ANN)
    expected = [
        "Leave home 09:05",
        "5 min · 1.4 km",
        "Stop 1 Arrive 09:10, 5 min to park",
        "Customer 1 09:15–09:45",
        "5 min · 1.4 km",
        "Stop 2 Arrive 09:50",
        "Customer 2 09:55–10:25",
        "Back home 10:30",
    ]
    at_ = 0
    for said in expected:
        assert said in text[at_:], said
        at_ = text.index(said, at_)


@pytest.mark.parametrize(
    ("begins", "expected"),
    [
        ("08:20", ["break", "home", "drive", "Customer 1", "drive", "Customer 2", "drive", "home"]),
        ("09:45", ["home", "drive", "Customer 1", "break", "drive", "Customer 2", "drive", "home"]),
        ("11:05", ["home", "drive", "Customer 1", "drive", "pause", "Customer 2", "drive", "home"]),
        ("11:45", ["home", "drive", "Customer 1", "drive", "Customer 2", "break", "drive", "home"]),
        ("11:55", ["home", "drive", "Customer 1", "drive", "Customer 2", "drive", "home", "break"]),
    ],
)
def test_the_break_stands_where_it_is_taken(begins: str, expected: list[str]) -> None:
    stops = [stop(), stop(2, "11:15", "11:45", arrive=at("10:50"))]
    ends = f"{begins[:3]}{int(begins[3:]) + 4:02}"
    day = rep_day(stops=stops) | {"break": {"start": at(begins), "end": at(ends)}}
    assert order_of(day) == expected


def test_a_break_between_two_visits_at_one_door_stands_between_them() -> None:
    stops = [stop(), stop(1, "10:15", "10:45", name="Upstairs", arrive=at("09:45"), drive_seconds=0, parking_minutes=0)]
    day = rep_day(stops=stops) | {"break": {"start": at("09:45"), "end": at("10:15")}}
    assert order_of(day) == ["home", "drive", "Customer 1", "pause", "Upstairs", "drive", "home"]


def test_visits_at_one_door_are_one_stop_with_one_marker(office: Office) -> None:
    stops = [
        stop(),
        stop(1, "09:45", "10:00", name="Upstairs", arrive=at("09:45"), drive_seconds=0, parking_minutes=0),
        stop(2, "10:15", "10:30"),
    ]
    office.keep(plan([rep_day(stops=stops)]))
    page = office.page(ANN)
    assert "2 visits at this door" in page
    assert [ident for ident in Skeleton(page).ids if ident.startswith("stop-")] == ["stop-1", "stop-2"]
    found = re.search(r'id="map_day_data">(.*?)</script>', page)
    assert found is not None
    assert [entry["title"] for entry in json.loads(found[1])[0]["stops"]] == ["Customer 1 · Upstairs", "Customer 2"]


def test_why_here_says_what_a_visit_adds_and_where_else_it_could_be(office: Office) -> None:
    where = {"rep_id": "ann", "rep_name": "Ann", "date": TUESDAY, "after": "account:A7", "after_name": "Bar"}
    office.keep(
        plan(
            [
                rep_day(
                    stops=[
                        stop(
                            added_minutes=9,
                            alternative={**where, "added_minutes": 18, "difference_minutes": 9},
                        ),
                        stop(2, "09:55", "10:25", added_minutes=4, alternative=None),
                        stop(3, "10:35", "10:45"),
                        stop(
                            *(4, "10:50", "10:55"),
                            added_minutes=1,
                            alternative={**where, "date": MONDAY, "added_minutes": 1, "difference_minutes": 0},
                        ),
                    ]
                ),
                rep_day(day=TUESDAY),
            ]
        )
    )
    text = office.text(ANN)
    assert "Here it adds 9 min of driving. The best other place is Tue 1 Dec with Ann, after Bar:" in text
    assert "18 min of driving, 9 min more in all." in text
    assert "Here it adds 4 min of driving. There is no other place for it that keeps every rule" in text
    assert "The best other place is on this day, after Bar: 1 min of driving, about as good." in text
    assert text.count("Why here?") == 3


def test_waiting_is_worth_a_line_only_beyond_ten_minutes(office: Office) -> None:
    stops = [stop(arrive=at("09:00")), stop(2, "10:30", "10:45", arrive=at("10:05"))]
    office.keep(plan([rep_day(stops=stops)]))
    text = office.text(ANN)
    assert text.count("Waits") == 1
    assert "Waits 20 min until 10:30" in text


def test_a_break_taken_at_the_door_is_no_waiting(office: Office) -> None:
    day = rep_day(stops=[stop(1, "10:00", "10:30", arrive=at("09:10"))])
    office.keep(plan([day | {"break": {"start": at("09:15"), "end": at("10:00")}}]))
    assert "Waits" not in office.text(ANN)


def test_a_day_without_time_for_the_break_says_so(office: Office) -> None:
    office.keep(plan([rep_day() | {"break_missed": {"start": at("12:00"), "end": at("14:00")}}, rep_day("b/1")]))
    said = "No time for the break on this day (due 12:00–14:00)."
    assert said in office.text(ANN)
    assert said not in office.text(ANN.replace("ann", "b/1"))


def test_each_visit_says_why_it_is_here_and_what_it_is_worth(office: Office) -> None:
    stops = [
        stop(kind="appointment", why="appointment agreed for 2026-11-30 09:15", worth_minutes=None, worth_because=None,
             handoff_missing=["budget is unknown", "authority is no"]),
        stop(2, "09:55", "10:25", kind="opportunity", late=True, deadline="2026-11-27", worth_minutes=1594,
             worth_because="120 for a handoff"),
        stop(3, "10:35", "10:55", kind="opportunity", deadline="2026-12-02"),
    ]  # fmt: skip
    office.keep(plan([rep_day(stops=stops)]))
    text = office.text(ANN)
    for said in (
        "Promise",
        "Appointment agreed for 2026-11-30 09:15",
        "Handoff incomplete: budget is unknown; authority is no",
        "New opportunity Late: was due Fri 27 Nov",
        "Worth 26 h 34 of driving 120 for a handoff",
        "First visit by Wed 2 Dec",
    ):
        assert said in text


def test_a_visit_whose_opportunity_was_sent_back_says_that_there_is_none_to_make(office: Office) -> None:
    office.keep(plan([rep_day("ann", [stop(visit_id="opportunity:O1", record_ids=["O1"], kind="opportunity")])]))
    with office.store.write(audited=False) as unit:
        unit.handoffs.put(HandoffRow("helsinki", "O1", 1, HandoffState.REJECTED, NOON, Side.INSIDE, "ines"))
    text = office.text(ANN)
    assert text.count("Rejected: there is no visit to make. The next plan leaves it out.") == 1


def test_every_stop_can_be_navigated_to_by_phone_google_apple_and_waze(office: Office) -> None:
    office.keep(plan([rep_day(stops=[stop(name="Fish & Chips (Bar) #1 ☕", lat=60.1648, lon=24.952)])]))
    page = office.page(ANN)
    geo, google, apple, waze = (
        link for link in Skeleton(page).links if re.match(r"geo:|https://(www\.google|maps\.apple|waze)", link)
    )
    assert geo == "geo:60.164800,24.952000?q=60.164800,24.952000(Fish%20%26%20Chips%20%28Bar%29%20%231%20%E2%98%95)"
    assert unquote(geo).endswith("(Fish & Chips (Bar) #1 ☕)")
    assert parse_qs(urlsplit(google).query)["destination"] == ["60.164800,24.952000"]
    assert parse_qs(urlsplit(apple).query)["daddr"] == ["60.164800,24.952000"]
    assert parse_qs(urlsplit(waze).query)["ll"] == ["60.164800,24.952000"]
    assert page.count('rel="noopener noreferrer"') == 4


def test_the_rep_s_other_days_and_the_others_of_the_day_are_one_step_away(office: Office) -> None:
    office.keep(plan())
    links = Skeleton(office.page(ANN)).links
    assert f"/a/helsinki/day/{TUESDAY}/rep?rep=ann" in links
    assert f"/a/helsinki/day/{MONDAY}/rep?rep=b/1" in links or f"/a/helsinki/day/{MONDAY}/rep?rep=b%2F1" in links
    assert f"/a/helsinki/day/{MONDAY}" in links
    assert 'rel="prev"' in office.page(f"/a/helsinki/day/{TUESDAY}/rep?rep=ann")


def test_a_day_without_visits_says_so_and_shows_home(office: Office) -> None:
    office.keep(plan([rep_day(stops=[])]))
    page = office.page(ANN)
    assert "No visits are planned on this day" in page
    assert HOME["address"] in page


def test_a_day_that_ends_elsewhere_does_not_say_home(office: Office) -> None:
    day = rep_day()
    office.keep(plan([day | {"end": {**day["end"], "address": "Hotel", "lat": 60.18}}]))
    assert "Finish 10:30 Hotel" in office.text(ANN)


def test_a_rep_of_another_zone_is_told_which_times_these_are(office: Office) -> None:
    office.keep(plan([rep_day(timezone="Europe/Stockholm")]))
    assert "times in Europe/Stockholm" in office.text(ANN)


def test_without_streets_the_day_is_still_shown_with_straight_lines_and_the_reason(office: Office) -> None:
    office.keep(plan())
    assert "The map shows straight lines for roads:" in office.text(ANN)
    assert "build the area again" in office.text(ANN)


def test_the_team_s_day_has_a_layer_a_colour_and_a_list_for_each_rep(office: Office) -> None:
    office.keep(plan())
    page = office.page(f"/a/helsinki/day/{MONDAY}")
    text = office.text(f"/a/helsinki/day/{MONDAY}")
    assert "4 visits · 30 min driving · 2 reps" in text
    assert "L.control.layers" in page
    assert [ident for ident in Skeleton(page).ids if "stop-" in ident] == [
        "r0-stop-1",
        "r0-stop-2",
        "r1-stop-1",
        "r1-stop-2",
    ]
    assert "09:15 Customer 1" in text
    assert f"/a/helsinki/day/{TUESDAY}" in Skeleton(page).links


def test_more_reps_than_colours_can_still_be_drawn(office: Office) -> None:
    office.keep(plan([rep_day(f"rep {number}") for number in range(20)]))
    assert "rep=rep+19" in office.page(f"/a/helsinki/day/{MONDAY}") or "rep%2019" in office.page(
        f"/a/helsinki/day/{MONDAY}"
    )


def test_a_place_that_is_not_on_the_globe_is_an_error_in_words(office: Office) -> None:
    office.keep(plan([rep_day(stops=[stop(lat=123.0)])]))
    assert "(123.0, 24.952) is not a place on the globe" in office.text(ANN, 500)
    office.text("/")


def test_the_base_map_is_served_in_ranges(office: Office) -> None:
    (office.folder / "helsinki" / "basemap.pmtiles").write_bytes(b"PMTiles" + bytes(range(200)))
    office.keep(plan())
    found = re.search(r'fieldvisit\.basemap\("([^"]+)"\)', office.page(ANN))
    assert found is not None
    address = json.loads(f'"{found[1]}"')
    with office.client.get(address, headers={"Range": "bytes=0-6"}) as part:
        assert (part.status_code, part.data) == (206, b"PMTiles")
        assert "max-age=31536000" in part.headers["Cache-Control"]
    assert office.client.get("/a/nowhere/basemap.pmtiles").status_code == 404


def test_an_online_tile_server_is_used_and_allowed_when_it_is_set_up(tmp_path: Path) -> None:
    office = Office(tmp_path, MapSettings("https://tiles.example/{z}/{x}/{y}.png", "© somebody"))
    office.area()
    office.keep(plan())
    response = office.client.get(ANN)
    assert "tiles.example/{z}" in response.get_data(as_text=True)
    assert "img-src 'self' data: blob: https://tiles.example" in response.headers["Content-Security-Policy"]
    assert "tiles.example" not in office.client.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address",
    [
        "/a/nowhere/",
        "/a/helsinki/day/2026-12-24",
        "/a/helsinki/day/yesterday",
        "/a/helsinki/day/%00",
        "/a/helsinki/day/2026-11-30/rep",
        "/a/helsinki/day/2026-11-30/rep?rep=nobody",
        "/a/helsinki/day/2026-12-01/rep?rep=b%2F1",
        "/a/helsinki/day/2026-12-24/rep?rep=ann",
        "/a/..%2f..%2fetc/",
        "/a/helsinki/../../etc/passwd",
        "/a/%ff%fe/",
        "/a/" + "x" * 5000 + "/",
        "/a/{{7*7}}/",
        "/favicon.ico",
    ],
)
def test_an_address_that_leads_nowhere_is_a_plain_404(office: Office, address: str) -> None:
    office.keep(plan())
    text = office.text(address, 404)
    assert "There is no such page" in text
    assert "Traceback" not in text


def test_an_item_of_the_break_has_its_length() -> None:
    day = rep_day() | {"break": {"start": at("09:45"), "end": at("09:50")}}
    (rest,) = (item for item in view_of(plan([day])).rep_days["ann", MONDAY].items if isinstance(item, BreakView))
    assert (rest.times, rest.length) == ("09:45–09:50", "5 min")
