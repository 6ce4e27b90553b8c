"""What a rep sees and taps on the phone: the day, a stop, a report in few taps, a changed day; offline too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from accessibility import DESK, sideways_px, small_targets, unfold, violations
from company_cast import Company
from conftest import Watched, running
from field_views_cast import DEAL, MONDAY, FieldPhone, Shop, as_plan, at, day_of, document, later, promise, stop, visit
from playwright.sync_api import Locator, Page, Route, expect

from webui.api.fieldwork import FieldDocument
from webui.api.values import model_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BREAD = "opportunity%3AO7"
HOSTILE = "<img src=x onerror=alert(1)> {{7*7}} ${7*7} <b>Ltd</b>"
LONG = "The Worshipful Company of Extraordinarily Long-Winded Carpet and Linoleum Fitters of Newport and Surroundings"
COUNT_TAPS = "addEventListener('pointerdown', () => { window.taps = (window.taps || 0) + 1; }, true);"
COUNT_POSITIONS = """
    window.asked = 0;
    navigator.geolocation.getCurrentPosition = (found, failed, how) => {
        window.asked += 1; window.how = how;
        %s;
    };
    navigator.geolocation.watchPosition = () => { throw new Error('the phone was tracked'); };
"""
FOUND = "found({ coords: { latitude: 51.5861, longitude: -2.991, accuracy: 12 } })"
REFUSED = "failed({ code: 1 })"

MakePhone = Callable[..., FieldPhone]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    office = Company(tmp_path_factory.mktemp("office"))
    with running(office.app) as base:
        yield Shop(office, base)


@pytest.fixture
def phone(shop: Shop, watch: Callable[..., Watched]) -> Iterator[MakePhone]:
    made: list[FieldPhone] = []

    def make(told: dict[str, Any] | None = None, **options: Any) -> FieldPhone:
        made.append(shop.phone(watch, told, **options))
        return made[-1]

    yield make
    for one in made:
        assert [error for error in one.watched.errors if "ERR_FAILED" not in error] == []


def card(page: Page) -> Locator:
    return page.locator(".stop-card").first


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def slipped(day: dict[str, Any]) -> dict[str, Any]:
    """What the server says to being 25 minutes late: the last visit is left out, and Bread & Co has to be called."""
    after = as_plan(day)
    after["stops"] = [entry | {"begin": later(entry["begin"], 25)} for entry in after["stops"][:-1]]
    return {
        "base": 4, "before": as_plan(day), "after": after, "moved": 0, "drive_s_won": 540,
        "home_s_won": -600, "broken": [],
        "sentence": "4 visits are later, by up to 25 min.",
        "statements": [
            {"kind": "late", "visit_id": "", "body": {"after": "", "leave_at": at("09:23")}},
            {"kind": "skipped", "visit_id": "account:A5", "body": {"why": "No time is left"}},
        ],
        "left_out": [{"visit_id": "account:A5", "name": "Blue Heron Prints", "address": "", "why": "No time is left"}],
        "to_call": [{
            "visit_id": "opportunity:O7", "name": "Bread & Co", "address": "", "booking_id": "B1",
            "contact": "Gwen Price", "phone": "+44 1633 555 014", "email": "", "start": at("10:00"), "end": at("11:00"),
            "promised": "", "expected": at("11:10"), "why": "They expect you by 11:00.",
        }],
    }  # fmt: skip


def test_the_day_written_by_hand_is_a_phone_document() -> None:
    model_of(FieldDocument).model_validate(document() | {"user": {"id": "u", "name": "Ann"}})


# --- the day ----------------------------------------------------------------------------------------------------------


def test_the_next_stop_says_all_that_the_rep_has_to_know(phone: MakePhone) -> None:
    told = document()
    told["days"][0]["stops"][0]["visit"] = visit(arrived_at=at("09:12"), left_at=at("09:44"), disposition="met")
    page = phone(told).show(clock="09:50")
    said = " ".join(card(page).inner_text().split())
    for words in (
        "Leave by 10:13", "Bread & Co", "Promised first visit", "Rides along with Till & Son", "2 Commercial Street",
        "Promised, at the door within 10:00–11:00", "Arrive 10:25, begins 10:30, 30 min there",
        "Gwen Price +44 1633 555 014", "Met, Mon 2 Nov Ann",
        "Likes the new range; asks for samples.", "31,169, 40 % likely", "Need yes Gwen Price",
        "Budget no", "Wants to replace the till before Christmas.",
    ):  # fmt: skip
        assert words in said, (words, said)
    assert page.get_by_role("link", name="Call Gwen Price").get_attribute("href") == "tel:+441633555014"
    assert page.get_by_role("link", name="Mail Gwen Price").get_attribute("href") == "mailto:gwen@example.com"
    lines = page.locator("#rest ~ .lines")
    expect(lines).to_contain_text("Break until 12:45")
    expect(lines.locator(".line")).to_have_count(3)
    expect(page.locator(".done")).to_have_text("1 visit done", use_inner_text=True)  # folded
    expect(page.get_by_text("home about 16:40")).to_be_visible()


def test_who_should_have_left_is_told_so_and_one_tap_from_saying_how_late(phone: MakePhone) -> None:
    page = phone().show(clock="08:58")
    expect(page.locator(".leave")).to_have_text("Leave home by 08:58")
    page = phone().show(clock="09:05")
    expect(page.locator(".leave")).to_have_text("Leave now was 08:58")
    page.get_by_role("link", name="Running late?").click()
    expect(page.get_by_role("heading", name="Running late")).to_be_visible()


def test_in_the_evening_the_phone_says_when_to_leave_home_tomorrow(phone: MakePhone) -> None:
    told = document()
    for entry in told["days"][0]["stops"]:
        entry["visit"] = visit(disposition="met")
    page = phone(told).show(clock="17:00")
    expect(page.get_by_text("All done for today.")).to_be_visible()
    expect(page.get_by_role("heading", name="Tomorrow")).to_be_visible()
    said = " ".join(page.locator(".first-stop").inner_text().split())
    assert said.startswith("Leave home at 08:43 First Harbour Books Arrive 08:55")
    expect(page.locator(".lines .line-link strong").last).to_have_text("Maple Motors")


def test_a_night_away_is_told_on_both_its_days(phone: MakePhone) -> None:
    told = document()
    today, tomorrow = told["days"][:2]
    links = [{"name": "Navigate", "url": "geo:51.6,-2.9"}]
    for end in (today["end"], tomorrow["start"]):
        end |= {"hotel": HOSTILE, "address": "3 Mill Lane", "links": links}
    page = phone(told).show(clock="08:00")
    night = page.get_by_role("region", name="Where you sleep")
    expect(night).to_contain_text(f"Stay overnight at {HOSTILE}")
    expect(night.locator(".navigate-go")).to_have_attribute("href", "geo:51.6,-2.9")
    expect(page.locator(".line-home")).to_contain_text("Stay overnight at")
    expect(page.get_by_text("at the hotel about 16:40")).to_be_visible()
    for entry in today["stops"]:
        entry["visit"] = visit(disposition="met")
    page = phone(told).show(clock="17:00")
    expect(page.get_by_role("region", name="Where you sleep")).to_be_visible()
    said = " ".join(page.locator(".first-stop").inner_text().split())
    assert said.startswith("Leave the hotel at 08:43 From")
    expect(page.locator(".line-home").last).to_contain_text("Home")


def test_what_was_not_reported_is_asked_for_in_the_evening(phone: MakePhone) -> None:
    page = phone().show(clock="20:00")
    expect(page.get_by_role("heading", name="Not reported yet")).to_be_visible()
    expect(page.get_by_role("heading", name="Tomorrow")).to_be_visible()


def test_days_off_and_empty_days_say_so(phone: MakePhone) -> None:
    made = phone()
    expect(made.show("#/day/2026-12-05").locator(".empty")).to_have_text("A day off.")
    expect(made.show("#/day/2026-12-02").locator(".empty")).to_have_text("No visits are planned.")
    page = made.show("#/week")
    rows = [" ".join(text.split()) for text in page.locator(".week-list > li").all_inner_texts()]
    assert rows[0].startswith("Today Mon 30 Nov 08:58–16:40 · 5 visits · 1 h 15 driving 1 promise")
    assert rows[5:] == ["Sat 5 Dec Day off", "Sun 6 Dec Day off"]


def test_one_tap_navigates_with_the_app_that_was_used_last(phone: MakePhone) -> None:
    made = phone()
    page = made.show()
    go = page.locator(".navigate-go").first
    assert (go.get_attribute("href") or "").startswith("geo:51.58")
    page.locator(".navigate-other summary").click()
    page.context.route("https://waze.com/**", lambda route: route.fulfill(body="led"))
    with page.context.expect_page():
        page.get_by_role("link", name="Waze", exact=True).click()
    expect(go).to_have_attribute("href", made.document["days"][0]["stops"][0]["links"][3]["url"])
    page = made.show("#/stop/2026-11-30/account%3AA4")
    expect(page.get_by_role("link", name="Navigate to Pier Paints with Waze")).to_be_visible()


def test_a_promise_that_cannot_be_kept_comes_first_with_its_number_to_tap(phone: MakePhone) -> None:
    told = document()
    told["days"][0]["stops"][2]["promise"] = promise("11:00", "11:30", call="You would be there at 11:50.")
    page = phone(told).show()
    alarm = page.locator(".alarm")
    expect(alarm).to_contain_text("You would be there at 11:50.")
    assert alarm.get_by_role("link").get_attribute("href") == "tel:+441633555014"
    assert (
        page.evaluate("document.querySelector('.alarm').compareDocumentPosition(document.querySelector('.stop-card'))")
        & 4
    )


# --- check-in ---------------------------------------------------------------------------------------------------------


def test_checking_in_is_one_tap_and_asks_once_where_the_phone_is(phone: MakePhone) -> None:
    made = phone()
    made.page.add_init_script(COUNT_POSITIONS % FOUND)
    page = made.show(clock="09:12")
    for view in ("#/week", "#/me", f"#/stop/{MONDAY}/{BREAD}", f"#/report/{MONDAY}/{BREAD}", "#/today"):
        page.evaluate("hash => { location.hash = hash; }", view)
        expect(page.locator("h1").first).to_be_visible()
    assert page.evaluate("window.asked") == 0
    with made.sending():
        button(page, "I am here").click()
    expect(page.locator(".checked-in")).to_contain_text("Here since 09:12")
    expect(page.locator(".checked-in")).to_contain_text("Position noted")
    assert page.evaluate("[window.asked, window.how.enableHighAccuracy, window.how.timeout]") == [1, True, 8000]
    (event,) = made.sent
    assert (event["kind"], event["visit_id"], event["day"]) == ("arrived", "account:A1", MONDAY)
    assert event["body"] == {"lat": 51.5861, "lon": -2.991, "accuracy_m": 12}
    assert len(card(page).get_by_role("link", name="Report").all()) == 1


def test_without_permission_the_check_in_counts_as_well(phone: MakePhone) -> None:
    made = phone()
    made.page.add_init_script(COUNT_POSITIONS % REFUSED)
    page = made.show(clock="09:12")
    made.signal = False
    button(page, "I am here").click()
    expect(page.locator(".checked-in")).to_contain_text("Here since 09:12")
    expect(page.locator(".checked-in")).to_contain_text("No position: will be marked as unverified")
    expect(page.locator(".field-offline")).to_be_visible()  # it was tried, and is not sent before it is asked for
    made.signal = True
    page.evaluate("location.hash = '#/me'")
    with made.sending():
        button(page, "Update now").click()
    assert [event["body"] for event in made.sent] == [{}]


def test_who_leaves_without_a_report_can_say_so_and_is_asked_for_it_later(phone: MakePhone) -> None:
    told = document()
    told["days"][0]["stops"][0]["visit"] = visit(arrived_at=at("09:12"), verdict="at_the_door")
    made = phone(told)
    page = made.show(f"#/stop/{MONDAY}/account%3AA1", clock="09:40")
    expect(page.locator(".checked-in")).to_have_text("Here since 09:12, until about 09:45 · At the door")
    with made.sending():
        button(page, "Left without a report").click()
    assert [(event["kind"], event["body"]) for event in made.sent] == [("left", {})]


# --- the report -------------------------------------------------------------------------------------------------------


def test_not_in_is_three_taps_from_the_stop(phone: MakePhone) -> None:
    made = phone()
    made.page.add_init_script(COUNT_TAPS)
    page = made.show(f"#/stop/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("link", name="Report").click()
    page.get_by_role("radio", name="Not in").click()
    with made.sending():
        button(page, "Send").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    assert page.evaluate("window.taps") == 3
    (event,) = made.sent
    assert (event["kind"], event["visit_id"], event["base"]) == ("reported", "opportunity:O7", 0)
    assert event["body"]["disposition"] == "not_in"
    assert (event["body"]["deal"], event["body"]["template"]) == ("open", "Nobody there")


def test_a_whole_report_is_sent_as_the_server_reads_it(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("radio", name="Met").check()
    page.get_by_role("radio", name="Won").check()
    button(page, "Visit again").click()
    button(page, "In two weeks Mon 14 Dec").click()
    page.get_by_label("Competitors there").fill("Tills R Us left a quote")
    button(page, "Timing").click()
    page.get_by_role("radio", name="High").check()
    page.get_by_label("What was learned").fill("They pay in January.")
    page.get_by_label("Order value").fill("1.250,50")
    expect(page.get_by_text("= 1,250.5")).to_be_visible()
    with made.sending():
        button(page, "Send").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    (event,) = made.sent
    assert event["body"] == {
        "disposition": "met", "deal": "won", "next_step": "Visit again", "next_step_on": "2026-12-14",
        "competitor": "Tills R Us left a quote", "concern": "Timing", "severity": "high", "reason": "",
        "text": "They pay in January.", "order_value": 1250.5, "template": "First visit", "at_customer": False,
    }  # fmt: skip


def test_only_what_the_template_asks_is_asked_and_what_it_needs_is_checked(phone: MakePhone) -> None:
    told = document()
    told["templates"] = [
        {
            "name": "Short", "for": "both", "disposition": "", "fields": ["text", "order_value"], "required": ["text"],
            "choices": {"competitor": [], "concern": [], "reason": []}, "text": "",
        }
    ]  # fmt: skip
    made = phone(told)
    page = made.show(f"#/report/{MONDAY}/account%3AA1", clock="09:40")
    expect(button(page, "Send")).to_be_disabled()
    page.get_by_role("radio", name="Met").check()
    assert page.locator("form .field label").all_inner_texts() == ["What was learned needed", "Order value"]
    page.get_by_label("Order value").fill("a lot")
    button(page, "Send").click()
    expect(page.get_by_text("This is needed.")).to_be_visible()
    expect(page.get_by_text("Write a number such as 1250 or 1,250.50.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="2 things")).to_be_visible()
    expect(page.get_by_label("What was learned")).to_be_focused()
    page.get_by_role("radio", name="Not in").check()  # there the template's needs are none
    button(page, "Send").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()


def test_what_is_lost_says_why_and_what_is_refused_says_what_becomes_of_it(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("radio", name="Refused").check()
    assert page.locator("[data-field=deal] .pick").all_inner_texts() == ["Lost", "Back to inside sales"]
    page.get_by_role("radio", name="Met").check()
    met = ["Goes on", "Proposal made", "Won", "Lost", "Back to inside sales"]
    assert page.locator("[data-field=deal] .pick").all_inner_texts() == met
    page.get_by_role("radio", name="Refused").check()
    button(page, "Send").click()
    expect(page.get_by_text("Is it lost, or does it go back?")).to_be_visible()
    page.get_by_role("radio", name="Back to inside sales").check()
    button(page, "Send").click()
    expect(page.get_by_text("Say why.")).to_be_visible()
    button(page, "Not now").click()
    with made.sending():
        button(page, "Send").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    assert [made.sent[0]["body"][name] for name in ("disposition", "deal", "reason")] == [
        "refused",
        "returned",
        "Not now",
    ]


def test_what_is_typed_survives_closing_the_app_and_goes_when_it_is_sent(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("radio", name="Met").check()
    page.get_by_label("What was learned").fill("Half a sent")
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:45")
    expect(page.get_by_text("Your draft of before.")).to_be_visible()
    expect(page.get_by_label("What was learned")).to_have_value("Half a sent")
    button(page, "Send").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    page = made.show(f"#/report/{MONDAY}/account%3AA1", clock="10:50")
    expect(page.get_by_role("radio", name="Met")).not_to_be_checked()


def test_a_report_without_a_signal_waits_and_is_sent_once(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/stop/{MONDAY}/{BREAD}", clock="10:40")
    made.signal = False
    page.get_by_role("link", name="Report").click()
    page.get_by_role("radio", name="Met").check()
    button(page, "Send").click()
    expect(page.locator(".field-offline")).to_be_visible()
    expect(page.locator(".field-unsent")).to_contain_text("1 not sent yet")
    page.evaluate("location.hash = '#/me'")
    expect(page.get_by_text("Report, Bread & Co")).to_be_visible()
    assert made.sent == []
    made.signal = True
    button(page, "Update now").click()
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert [event["kind"] for event in made.sent] == ["reported"]


# --- changing the day -------------------------------------------------------------------------------------------------


def test_running_late_shows_before_and_after_and_accepting_sends_the_statements(phone: MakePhone) -> None:
    made = phone()
    made.preview = slipped(made.document["days"][0])
    page = made.show(f"#/change/{MONDAY}/late", clock="09:10")
    button(page, "+25 min").click()
    preview = page.locator(".preview")
    for words in (
        "Leaving home at 09:23",
        "9 min less driving",
        "10 min later home",
        "They expect you by 11:00.",
    ):
        expect(preview).to_contain_text(words)
    assert "4 visits are later" not in preview.inner_text()  # the list says it
    first, send = preview.locator(".compared-line").first.bounding_box(), page.locator(".send-bar").bounding_box()
    assert first is not None
    assert send is not None
    assert first["y"] + first["height"] < send["y"]
    lines = [" ".join(text.split()) for text in preview.locator(".compared-line").all_inner_texts()]
    assert lines[0] == "09:40 Willow Carpets was 09:15"
    assert lines[-1] == "14:00 Blue Heron Prints left out: No time is left"
    assert preview.get_by_role("link").get_attribute("href") == "tel:+441633555014"
    assert "kind=late&minutes=25" in made.wishes[0]
    with made.sending():
        button(page, "Accept").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    assert [(event["kind"], event["base"]) for event in made.sent] == [("late", 4), ("skipped", 4)]
    assert made.sent[1]["body"] == {"why": "No time is left"}


def test_without_a_signal_what_is_said_of_the_day_is_kept_and_checked_later(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/change/{MONDAY}/late", clock="08:50")
    made.signal = False
    button(page, "+15 min").click()
    expect(page.get_by_text("will be checked when there is signal")).to_be_visible()
    button(page, "Keep it").click()
    expect(page.locator(".field-unsent")).to_contain_text("1 not sent yet")
    expect(page.locator(".leave")).to_have_text("Leave home by 09:13")
    made.signal = True
    page.evaluate("location.hash = '#/me'")
    button(page, "Update now").click()
    expect(page.locator(".field-unsent")).to_have_count(0)
    assert [event["body"] for event in made.sent] == [{"after": "", "leave_at": "2026-11-30T09:13:00.000Z"}]


def test_who_was_late_without_a_signal_sees_how_the_day_is_mended_before_calling_anybody(phone: MakePhone) -> None:
    told = document()
    day = told["days"][0]
    day["progress"] |= {"after": "", "leave_at": at("09:23")}
    day["stops"][1]["promise"] = promise("10:00", "11:00", call="They expect you by 11:00.")
    made = phone(told)
    made.preview = slipped(day)
    page = made.show(clock="09:10")
    mend = page.get_by_role("link", name="See how the day can be mended")
    assert page.evaluate(
        "document.querySelector('.mend').compareDocumentPosition(document.querySelector('.alarm')) & 4"
    )
    mend.click()
    expect(page.locator(".preview")).to_contain_text("Leaving home at 09:23")
    assert "kind=late&leave_at=2026-11-30T09%3A23%3A00%2B00%3A00&after=" in made.wishes[0]
    with made.sending():
        button(page, "Accept").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    expect(mend).to_have_count(0)  # once is enough
    assert [event["kind"] for event in made.sent] == ["late", "skipped"]


def test_a_day_that_got_too_late_for_the_break_says_so_until_its_last_stop_is_over(phone: MakePhone) -> None:
    told = document()
    told["days"][0] |= {"break": None, "break_missed": {"start": at("12:00"), "end": at("14:00")}}
    made = phone(told)
    said = "No time for the break on this day (due 12:00–14:00)."
    expect(made.show(clock="13:45").get_by_text(said)).to_be_visible()
    for entry in told["days"][0]["stops"]:
        entry["visit"] = visit(arrived_at=at("09:12"), left_at=at("09:44"), disposition="met")
    expect(phone(told).show(clock="16:00").get_by_text(said)).to_have_count(0)


def test_the_break_stands_before_the_stop_that_it_comes_before(phone: MakePhone) -> None:
    told = document()
    for entry in told["days"][0]["stops"][:3]:
        entry["visit"] = visit(arrived_at=at("09:12"), left_at=at("09:44"), disposition="met")
    made = phone(told)
    page = made.show(clock="11:55")
    assert page.evaluate(
        "document.querySelector('.line-break').compareDocumentPosition(document.querySelector('.stop-card')) & 4"
    )
    expect(page.locator(".line-break")).to_have_count(1)
    expect(made.show(clock="13:00").locator(".line-break")).to_have_count(0)


def test_a_session_that_has_run_out_asks_to_log_in_and_keeps_what_is_said(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/change/{MONDAY}/late", clock="08:50")
    page.route("**/repairs/**", lambda route: route.fulfill(status=401, json={"title": "Unauthorized"}))
    button(page, "+15 min").click()
    expect(page.get_by_role("link", name="Log in to see what would come of it")).to_be_visible()
    expect(page.locator(".preview")).to_contain_text("Leaving home at 09:13")
    with made.sending():
        button(page, "Keep it").click()
    assert [event["kind"] for event in made.sent] == ["late"]
    made.watched.errors[:] = [error for error in made.watched.errors if "401" not in error]


def order_of(page: Page) -> list[str]:
    return page.locator(".reorder strong").all_inner_texts()


def test_stops_are_put_in_another_order_by_dragging_and_by_keyboard(phone: MakePhone) -> None:
    made = phone()
    made.preview = slipped(made.document["days"][0]) | {
        "broken": [
            {
                "rule": "time_window",
                "visit_id": "account:A3",
                "at": None,
                "message": "Red Door Lets is closed on this day.",
            }
        ]
    }
    page = made.show(f"#/change/{MONDAY}/order", clock="08:50")
    down = button(page, "Move Willow Carpets down")
    down.focus()
    page.keyboard.press("Enter")
    assert order_of(page)[:2] == ["Bread & Co", "Willow Carpets"]
    expect(down).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".broken")).to_have_text("Red Door Lets is closed on this day.")
    assert len(made.wishes) == 1  # both moves were asked about at once
    handles = page.locator(".move-handle")
    handles.nth(3).scroll_into_view_if_needed()
    (start, end) = (handles.nth(index).bounding_box() for index in (3, 0))
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, end["y"] + 60, steps=20)
    page.mouse.move(start["x"] + 20, end["y"] + 5, steps=20)
    page.mouse.up()
    expect(page.locator(".reorder strong").first).to_have_text("Pier Paints")
    expect(page.locator(".reorder > li")).to_have_count(5)
    expect(page.get_by_text("It does not fit: 1 problem")).to_be_visible()
    button(page, "Accept all the same").click()
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()


def test_a_stop_is_added_from_the_customers_the_most_pressing_first(phone: MakePhone) -> None:
    made = phone()
    made.preview = slipped(made.document["days"][0])
    page = made.show(f"#/change/{MONDAY}/added", clock="09:10")
    names = page.locator(".choice-line strong")
    assert names.all_inner_texts() == ["Corner Pantry", "Pip's Pets", "Café Élan"]
    button(page, "Nearest").click()
    assert names.all_inner_texts() == ["Pip's Pets", "Café Élan", "Corner Pantry"]
    page.get_by_label("Customer").fill("cafe elan")
    expect(names).to_have_count(1)
    page.locator(".choice-line").click()
    expect(button(page, "Accept")).to_be_enabled()
    expect(names).to_have_text(["Café Élan"])  # what would come of it stands right below
    button(page, "Choose another").click()
    expect(page.get_by_label("Customer")).to_have_value("cafe elan")
    assert "kind=added&visit_id=account%3AC5" in made.wishes[0]


def test_a_conflict_stays_in_sight_until_the_person_has_seen_it(phone: MakePhone) -> None:
    told = document()
    told["conflicts"] = [
        {
            "id": "3b0c8f3e-0000-4000-8000-000000000001", "kind": "reported", "visit_id": "account:A1",
            "name": "Willow Carpets", "day": MONDAY, "made_at": at("09:44"), "message": "Ben visits them now.",
        }
    ]  # fmt: skip
    made = phone(told)
    page = made.show()
    page.get_by_role("link", name="1 thing to look at").click()
    expect(page.get_by_text("Ben visits them now.")).to_be_visible()
    with made.sending():
        button(page, "Seen").click()
    expect(page.get_by_text("Ben visits them now.")).to_have_count(0)
    assert [(event["kind"], event["body"]) for event in made.sent] == [
        ("settled", {"event": told["conflicts"][0]["id"]})
    ]


# --- what must not be lost --------------------------------------------------------------------------------------------

FULL_ONCE = """() => {
    const add = IDBObjectStore.prototype.add;
    IDBObjectStore.prototype.add = function () {
        IDBObjectStore.prototype.add = add;
        throw new DOMException('full', 'QuotaExceededError');
    };
}"""


def test_a_report_that_the_phone_cannot_keep_is_said_to_be_and_can_be_sent_again(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("radio", name="Not in").click()
    page.evaluate(FULL_ONCE)
    button(page, "Send").click()
    expect(page.get_by_text("This could not be kept on this phone")).to_be_visible()
    assert made.sent == []
    with made.sending():
        button(page, "Send").click()
    assert [event["kind"] for event in made.sent] == ["reported"]


def test_whoever_closes_the_app_before_it_has_a_position_has_checked_in_when_they_tapped(phone: MakePhone) -> None:
    made = phone()
    made.page.add_init_script(COUNT_POSITIONS % "")
    page = made.show(clock="09:12")
    button(page, "I am here").click()
    expect(button(page, "Checking in…")).to_be_disabled()
    page.wait_for_function("() => window.asked === 1")
    page.evaluate("new Promise((done) => setTimeout(done, 100))")  # it is written
    with made.sending():
        made.show(clock="09:30")
    (event,) = made.sent
    assert (event["kind"], event["body"]) == ("arrived", {})
    assert event["made_at"].startswith(f"{MONDAY}T09:12:00")


def test_visits_of_the_days_before_can_still_be_reported(phone: MakePhone) -> None:
    told = document()
    before = day_of(
        "2026-11-27", [stop(8, "Yew & Sons", "15:00", "2026-11-27"), stop(9, "Zips", "16:00", "2026-11-27")]
    )
    before["stops"][1]["visit"] = visit(disposition="met")
    told["days"].insert(0, before)
    made = phone(told)
    page = made.show(clock="08:00")
    missing = page.locator(".from-before")
    expect(missing).to_contain_text("Not reported yet, of the days before: 1 visit")
    expect(missing.locator(".line")).to_have_count(1)
    missing.get_by_role("link", name="Yew & Sons").click()
    page.get_by_role("link", name="Report").click()
    page.get_by_role("radio", name="Not in").click()
    with made.sending():
        button(page, "Send").click()
    assert [(event["day"], event["visit_id"]) for event in made.sent] == [("2026-11-27", "account:A8")]


def test_a_draft_stays_in_reach_when_its_stop_has_left_the_day(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/account%3AA5", clock="10:40")
    page.get_by_role("radio", name="Met").check()
    page.get_by_label("What was learned").fill("Half a sent")
    made.document["days"][0]["stops"].pop()
    page = made.show(clock="10:45")
    page.get_by_role("link", name="Blue Heron Prints").click()
    expect(page.get_by_label("What was learned")).to_have_value("Half a sent")
    with made.sending():
        button(page, "Send").click()
    assert [event["visit_id"] for event in made.sent] == ["account:A5"]
    expect(page.get_by_text("Written by half")).to_have_count(0)


def test_what_the_server_refuses_is_corrected_and_sent_instead(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")

    def refuse(route: Route) -> None:
        events = json.loads(route.request.post_data or "{}")["events"]
        told = [{"id": event["id"], "outcome": "refused", "message": "no such concern"} for event in events]
        route.fulfill(json={"events": told})

    page.route("**/field-events", refuse, times=1)
    page.get_by_role("radio", name="Met").check()
    page.get_by_label("What was learned").fill("Ten minutes of typing")
    page.get_by_label("When").fill("2206-12-14")
    button(page, "Send").click()
    expect(page.get_by_text("Look at the year.")).to_be_visible()
    page.get_by_label("When").fill("2026-12-14")
    button(page, "Send").click()
    page.get_by_role("link", name="1 thing to look at").click()
    page.get_by_role("link", name="Correct it").click()
    expect(page.get_by_label("What was learned")).to_have_value("Ten minutes of typing")
    with made.sending():
        button(page, "Send").click()
    expect(page.get_by_role("link", name="1 thing to look at")).to_have_count(0)
    assert [event["body"]["text"] for event in made.sent] == ["Ten minutes of typing"]


KEPT_DAYS = """async () => {
    const { openDB } = await import('idb');
    const db = await openDB('fieldvisit-field');
    return [(await db.count('documents')), (await db.count('drafts'))];
}"""


def test_logging_out_without_a_connection_wipes_the_phone_and_is_told_to_the_server_later(phone: MakePhone) -> None:
    made = phone()
    page = made.show(f"#/report/{MONDAY}/{BREAD}", clock="10:40")
    page.get_by_role("radio", name="Met").check()
    page.evaluate("window.confirm = (text) => { window.warned = text; return true; }")
    page.evaluate("location.hash = '#/me'")
    page.route("**/identity.json", lambda route: route.abort())
    button(page, "Log out").click()
    expect(page.get_by_text("the server does not know yet")).to_be_visible()
    warning = "1 report half written: kept on this phone until you log in again. Log out?"
    assert page.evaluate("window.warned") == warning
    assert page.evaluate(KEPT_DAYS) == [0, 1]
    page.route("**/identity.json", lambda route: route.fulfill(status=401, json={"title": "Log in"}))
    page.reload()
    page.wait_for_url("**/login")
    assert "fieldvisit-who" not in page.evaluate("document.cookie")
    made.watched.errors.clear()  # the browser tells of the 401


def test_who_may_see_several_reps_chooses_and_may_choose_again(phone: MakePhone) -> None:
    made = phone()
    made.page.route(
        "**/identity.json",
        lambda route: route.fulfill(
            json={"user": made.document["user"], "csrf": "token", "areas": ["helsinki"],
                  "reps": [{"id": "ann", "name": "Ann"}, {"id": "ben", "name": "Ben"}]}
        ),
    )  # fmt: skip
    page = made.page
    page.clock.set_fixed_time(at("08:00"))
    page.goto(f"{made.base}/field/helsinki/#/me")
    button(page, "Ann").click()
    button(page, "Another rep’s days").click()
    expect(button(page, "Ben")).to_be_visible()


def test_days_that_nobody_updated_for_two_weeks_are_not_shown_any_more(phone: MakePhone) -> None:
    made = phone()
    page = made.show()
    made.signal = False
    page.clock.set_fixed_time(at("08:00", "2026-12-15"))
    page.reload()
    expect(page.get_by_text("had not been updated for 14 days")).to_be_visible()
    assert page.evaluate(KEPT_DAYS) == [0, 0]


def test_an_address_that_makes_no_sense_shows_today(phone: MakePhone) -> None:
    expect(phone().show("#/stop/%E0%A4%A").locator("h1").first).to_be_visible()


def test_a_browser_that_keeps_nothing_is_told_of_in_words(phone: MakePhone) -> None:
    made = phone()
    page = made.page
    page.add_init_script("indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }")
    page.goto(f"{made.base}/field/helsinki/")
    expect(page.get_by_text("does not let the app keep anything")).to_be_visible()
    expect(page.get_by_role("link", name="To the other pages")).to_be_visible()


# --- for everybody ----------------------------------------------------------------------------------------------------


def crowded(name: str) -> dict[str, Any]:
    """Twelve stops by a name that is hard to show, in every state that there is."""
    told = document()
    day = told["days"][0]
    first = day["stops"][1]
    day["stops"] = [
        first
        | {"visit_id": f"opportunity:O{n}", "name": f"{name} {n}", "address": name, "why": name, "lat": 51.58 + n / 100}
        for n in range(12)
    ]
    over = {
        "arrived_at": at("09:12"),
        "left_at": at("09:44"),
        "dwell_minutes": 32,
        "report_id": "r",
        "disposition": "met",
    }
    day["stops"][0] |= {"visit": over | {"verdict": "elsewhere"}}
    day["stops"][2] |= {"late": True, "deadline": at("09:00"), "promise": promise("10:00", "11:00", call=name)}
    shown = {key: day["stops"][3][key] for key in ("name", "address", "why", "contact", "promise")}
    day["left_out"] = [shown | {"visit_id": "account:X"}]
    day["note"] = name
    told["conflicts"] = [
        {
            "id": "3b0c8f3e-0000-4000-8000-000000000001", "kind": "order", "visit_id": "", "name": name, "day": MONDAY,
            "made_at": at("09:44"), "message": name,
        }
    ]  # fmt: skip
    told["customers"][0] |= {"name": name, "address": name}
    told["templates"][0]["choices"]["concern"] = [name]
    return told


VIEWS = (
    "#/today", f"#/stop/{MONDAY}/opportunity%3AO1", f"#/stop/{MONDAY}/account%3AX",
    f"#/report/{MONDAY}/opportunity%3AO1", f"#/change/{MONDAY}", f"#/change/{MONDAY}/late", f"#/change/{MONDAY}/order",
    f"#/change/{MONDAY}/added", f"#/change/{MONDAY}/finish", f"#/change/{MONDAY}/skipped", "#/day/2026-12-01", "#/week",
    "#/me",
)  # fmt: skip
WITHOUT_NAMES = (f"#/change/{MONDAY}", f"#/change/{MONDAY}/late", f"#/change/{MONDAY}/finish", *VIEWS[-3:-1])


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))], ids=["light", "dark"])
def test_everybody_can_use_every_view(phone: MakePhone, scheme: str, rules: tuple[str, ...]) -> None:
    made = phone(crowded(LONG), color_scheme=scheme, viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    made.preview = slipped(made.document["days"][0])
    page = made.show(clock="09:50")
    for view in VIEWS:
        page.evaluate("hash => { location.hash = hash; }", view)
        expect(page.locator("h1").first).to_be_visible()
        if "/report/" in view:
            page.get_by_role("radio", name="Met").check()
            page.get_by_role("radio", name="Lost").check()
            button(page, LONG).click()
            button(page, "Send").click()
        if view.endswith("late"):
            button(page, "+25 min").click()
            expect(button(page, "Accept")).to_be_enabled()
        unfold(page)
        assert sideways_px(page) == 0, view
        assert small_targets(page) == [], view
        assert violations(page, *rules) == [], view


def test_hostile_names_are_text_and_nothing_else(phone: MakePhone) -> None:
    made = phone(crowded(HOSTILE), viewport=DESK)
    made.preview = slipped(made.document["days"][0])
    page = made.show(clock="09:50")
    for view in VIEWS:
        page.evaluate("hash => { location.hash = hash; }", view)
        expect(page.locator("h1").first).to_be_visible()
        unfold(page)
        assert page.locator("#app img, #app b").count() == 0, view
        if view not in WITHOUT_NAMES:
            expect(page.get_by_text(HOSTILE).first).to_be_visible()


def test_the_sync_state_is_told_to_screen_readers_and_focus_goes_to_what_is_new(phone: MakePhone) -> None:
    page = phone().show()
    expect(page.locator(".field-state [role=status]")).to_have_count(1)
    assert page.locator("[role=status] :is(a, button)").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Week").click()
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#/today"


def test_a_deal_is_asked_about_only_where_there_is_an_opportunity(phone: MakePhone) -> None:
    page = phone().show(f"#/report/{MONDAY}/account%3AA1", clock="09:40")
    page.get_by_role("radio", name="Met").check()
    assert page.locator("[data-field=deal]").count() == 0
    assert DEAL["notes"] not in page.locator("main").inner_text()
