"""Handing off on pages: a draft at any time, a look before, answers from the field, and who handles what."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from booking_cast import AREA, BAKERY, INES, IVAN, CallOffice
from plan_cast import MONDAY, Skeleton, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import audited, hidden

from planner.access import Role
from planner.domain import Opportunity, RecordKind
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.settings import GateSettings, HandoffSettings
from planner.slots.domain import Booking

LIST, NEW, RULES = f"/a/{AREA}/handoffs", f"/a/{AREA}/opportunity/new", f"/a/{AREA}/team-rules"
ANN = viewer(Role.FIELD_REP, id="u-ann", email="ann@example.com", name="Ann", area=AREA, reps=frozenset({"ann"}))
BEN = viewer(Role.FIELD_REP, id="u-ben", email="ben@example.com", name="Ben", area=AREA, reps=frozenset({"b/1"}))
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona")
KNOWN = {
    "name": "Pelican Inn", "street": "5 Church Road", "city": "Toytown", "contact_name": "Pia", "value": "12 500",
    "contact_phone": "+44 (0)1632 960 001", "contact_email": "pia@inn.example",
    "probability": "40", "product": "tills", "need": "yes", "need_by": "Pia", "need_on": "2026-11-27",
    "budget": "yes", "authority": "unknown", "timeline": "this quarter", "notes": "Two tills.\nBehind the bar.",
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> CallOffice:
    return CallOffice(tmp_path)


def page_of(id: str) -> str:
    return f"/a/{AREA}/opportunity?id={quote(id)}"


def edit_of(id: str) -> str:
    return f"/a/{AREA}/opportunity/edit?id={quote(id)}"


def sent(office: CallOffice, page: str, does: str, action: str = "opportunity", **typed: Any) -> TestResponse:
    """Fill in the form of a page, which keeps what it holds already, and press one of its buttons."""
    shown = page if page.startswith("<") else office.page(page)
    return office.client.post(
        re.findall(r'<form[^>]*method="post" action="(/a/[^"]*)"', shown)[0].replace("&amp;", "&"),
        data={name: unescape(text) for name, text in hidden(shown, action).items()} | typed | {"do": does},
        headers={"Origin": "http://localhost"},
    )


def review(office: CallOffice, page: str = NEW, **changes: str) -> str:
    answer = sent(office, page, "review", **(KNOWN | changes))
    assert answer.status_code == 200, text_of(answer.get_data(as_text=True))
    return answer.get_data(as_text=True)


def handed_off(office: CallOffice, same: str = "none", note: str = "", **changes: str) -> str:
    """The id of an opportunity that Ines has handed off, by the pages."""
    page = review(office, **changes)
    answer = sent(office, page, "hand_off", same=same, note=note, shown=shown_on(page))
    assert answer.status_code == 303, text_of(answer.get_data(as_text=True))
    return id_of(answer)


def shown_on(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]*)"', page)


def to_do(office: CallOffice) -> str:
    """What the list has under "Yours to do"."""
    return office.text(LIST).rpartition("Yours to do")[2].partition("With the field")[0]


def id_of(answer: TestResponse) -> str:
    return str(answer.location).rpartition("=")[2]


def moved(office: CallOffice, id: str, action: str, **said: str) -> TestResponse:
    """Press one of the buttons of an opportunity's page."""
    row = standing(office, id)
    fields = hidden(office.page(page_of(id)), "move") | {"action": action, "revision": str(row.revision)} | said
    url = f"/a/{AREA}/opportunity/move?id={quote(id)}"
    return office.client.post(url, data=fields, headers={"Origin": "http://localhost"})


def standing(office: CallOffice, id: str) -> HandoffRow:
    with office.store.read() as unit:
        row = unit.handoffs.get(AREA, id)
    assert row is not None
    return row


def deal(office: CallOffice, id: str) -> Opportunity:
    with office.store.read() as unit:
        found = unit.records(AREA).get(RecordKind.OPPORTUNITY, id)
    assert isinstance(found, Opportunity)
    return found


def with_settings(office: CallOffice, **changes: Any) -> None:
    office.app.extensions["settings"] = replace(office.app.extensions["settings"], **changes)


# --- the form ---------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_with_as_little_as_a_name(office: CallOffice) -> None:
    answer = sent(office, NEW, "draft", name="Pelican Inn")
    assert answer.status_code == 303
    kept = standing(office, id_of(answer))
    assert (kept.state, kept.side, kept.owner) == (HandoffState.DRAFT, Side.INSIDE, "ines@example.com")
    assert "Pelican Inn" in to_do(office)


def test_a_touch_calls_the_contact_or_writes_to_them(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    assert deal(office, id).contact_phone == "+44 (0)1632 960 001"
    page = office.page(page_of(id))
    assert 'href="tel:+441632960001"' in page
    assert 'href="mailto:pia@inn.example"' in page
    refused = sent(office, edit_of(id), "draft", **(KNOWN | {"contact_phone": "at the bar"}))
    assert "Their phone: 'at the bar' is not a phone number" in text_of(refused.get_data(as_text=True))


def test_each_answer_keeps_who_said_it_and_when(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    text = office.text(page_of(id))
    assert "Need yes Pia on Fri 27 Nov written down Mon 30 Nov 08:00" in text
    assert (deal(office, id).value, deal(office, id).probability) == (12_500, 0.4)
    sent(office, edit_of(id), "draft", **(KNOWN | {"budget": "no", "budget_by": "Her boss", "budget_on": MONDAY}))
    text = office.text(page_of(id))
    assert "Budget no Her boss on Mon 30 Nov" in text
    assert "Another answer: Budget: yes → no (said by Her boss on 2026-11-30)" in text


def test_what_is_typed_comes_back_with_what_is_wrong_beside_it_and_nothing_is_lost(office: CallOffice) -> None:
    typed = KNOWN | {"availability": "whenever", "value": "lots", "visit_minutes": "-5", "need_on": "2031-01-01"}
    answer = sent(office, NEW, "draft", **typed)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "4 fields need another look" in text_of(page)
    for name in ("value", "visit_minutes", "need_on", "availability"):
        assert f'href="#{name}"' in page
        assert f'id="{name}"' in page
    assert re.search(r'name="notes"[^>]*>\s*Two tills\.\r?\nBehind the bar\.</textarea>', page)
    for name in ("name", "street", "availability", "need_by"):
        assert f'value="{typed[name]}"' in page
    with office.store.read() as unit:
        assert len(unit.records(AREA).opportunities()) == 1


def test_hours_that_are_none_are_explained(office: CallOffice) -> None:
    answer = sent(office, NEW, "draft", **(KNOWN | {"availability": "whenever"}))
    text = text_of(answer.get_data(as_text=True))
    assert "When they have time cannot be read: write it like Mo-Fr 09:00-17:00." in text
    assert "Such as Mo-Fr 09:00-17:00" in text


def test_the_gate_is_shown_as_a_list_to_tick_off(office: CallOffice) -> None:
    with_settings(office, gate=GateSettings(least_value=5_000, needs_notes=True))
    text = office.text(NEW)
    for line in ("Missing: Need is yes", "Missing: At least 2 of budget, authority, timeline known (0 known)",
                 "Missing: Worth at least 5,000", "Missing: Notes for the field"):  # fmt: skip
        assert line in text
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    assert "Missing:" not in office.text(edit_of(id))


def test_nothing_is_handed_off_before_the_gate_lets_it_through(office: CallOffice) -> None:
    answer = sent(office, NEW, "hand_off", **(KNOWN | {"need": "unknown", "street": "5 Church Road"}))
    assert answer.status_code == 422
    assert "It cannot be handed off yet: need is unknown, must be yes" in text_of(answer.get_data(as_text=True))
    answer = sent(office, NEW, "review", **(KNOWN | {"street": ""}))
    assert "Address is empty" in text_of(answer.get_data(as_text=True))


def test_a_form_that_is_sent_twice_makes_one_opportunity(office: CallOffice) -> None:
    fields = hidden(office.page(NEW), "opportunity") | KNOWN | {"do": "draft"}
    answers = [office.client.post(NEW, data=fields) for _ in range(2)]
    assert id_of(answers[0]) == id_of(answers[1])
    with office.store.read() as unit:
        assert len(unit.records(AREA).opportunities()) == 2


def test_two_who_change_one_opportunity_hear_of_each_other_and_no_text_is_lost(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **KNOWN))
    hers = office.page(edit_of(id))
    sent(office, edit_of(id), "draft", **(KNOWN | {"name": "Pelican Hotel"}))
    answer = sent(office, hers, "draft", **(KNOWN | {"name": "Pelican Bar"}))
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Somebody else has changed Pelican Hotel meanwhile" in text_of(page)
    assert 'value="Pelican Bar"' in page
    assert sent(office, page, "draft", **(KNOWN | {"name": "Pelican Bar"})).status_code == 303
    assert deal(office, id).name == "Pelican Bar"


def test_a_place_that_the_page_offered_is_where_it_is(office: CallOffice) -> None:
    id = id_of(sent(office, NEW, "draft", **(KNOWN | {"street": "Behind the mill", "at": "60.171000,24.941000"})))
    assert "60.17100, 24.94100" not in office.text(page_of(id))
    with office.store.read() as unit:
        location = unit.records(AREA).location(RecordKind.OPPORTUNITY, id)
    assert location is not None
    assert location.place is not None
    assert (location.place.lat, location.place.lon) == (60.171, 24.941)


# --- before it is handed off ------------------------------------------------------------------------------------------


def test_before_a_handoff_the_page_says_who_should_handle_it_and_whether_a_visit_fits(office: CallOffice) -> None:
    text = text_of(review(office))
    assert "The field handles it by rule 2, “Large deals”: the deal is worth 12,500 (at least 10,000)." in text
    assert re.search(r"It fits: (Ann|Ben) can be there on (Mon|Tue|Wed) 2026-1[12]-\d\d", text)
    assert "Nothing is handed off until you say so below." in text
    with office.store.read() as unit:
        assert len(unit.records(AREA).opportunities()) == 1


def test_what_stays_inside_by_the_rules_says_so_and_can_be_handed_off_all_the_same(office: CallOffice) -> None:
    text = text_of(review(office, value="500"))
    assert "Inside sales handles it by rule 4, “Small deals”" in text
    assert "You can hand it off all the same." in text
    assert standing(office, handed_off(office, value="500")).state is HandoffState.HANDED_OFF


def test_hours_in_which_nobody_can_come_before_the_deadline_are_told_before_the_handoff(office: CallOffice) -> None:
    text = text_of(review(office, availability="Sa 03:00-03:30"))
    assert "It fits" not in text


def test_a_handoff_is_the_field_s_from_the_moment_it_is_confirmed(office: CallOffice) -> None:
    id = handed_off(office, note="Ask for Pia")
    row = standing(office, id)
    assert (row.state, row.side) == (HandoffState.HANDED_OFF, Side.FIELD)
    assert deal(office, id).qualified_at is not None
    text = office.text(page_of(id))
    assert "Handed off: Ask for Pia" in text
    assert "Waits for the field’s answer" in text
    assert "First visit by Mon 7 Dec, in 7 days" in text
    assert audited(office)[-2:] == ["handoff.drafted", "handoff.handed_off"]


def test_a_handoff_that_is_sent_twice_is_one(office: CallOffice) -> None:
    page = review(office)
    answers = [sent(office, page, "hand_off", same="none") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert id_of(answers[0]) == id_of(answers[1])
    assert audited(office).count("handoff.handed_off") == 1


def test_going_back_from_the_look_loses_nothing(office: CallOffice) -> None:
    page = sent(office, review(office), "back").get_data(as_text=True)
    for name in ("name", "street", "value", "need_by", "timeline"):
        assert f'value="{KNOWN[name]}"' in page
    assert "Behind the bar." in page


SECRET = {"name": "The Secret Bakery Ltd", "street": "4 Bridge Street", "city": "Toytown"}


def test_a_customer_who_is_there_already_is_shown_side_by_side(office: CallOffice) -> None:
    page = review(office, **SECRET)
    text = text_of(page)
    assert "Is it one of these?" in text
    assert "The same as Secret Bakery" in text
    assert "Secret Bakery is Ann Lindqvist's customer already" in text
    assert "Company (alike) The Secret Bakery Ltd Secret Bakery" in text
    answer = sent(office, page, "hand_off", shown=shown_on(page))
    assert answer.status_code == 422
    assert "Say whether it is somebody whom we know." in text_of(answer.get_data(as_text=True))


def test_the_same_customer_is_linked_and_its_rep_takes_it(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    row = standing(office, id)
    assert (row.side, row.owner) == (Side.FIELD, "ann")
    assert deal(office, id).account_id == "A1"
    assert "Ann Lindqvist takes it" in office.text(page_of(id))


def test_another_company_is_the_whole_field_s_and_the_history_says_that_they_were_told_apart(
    office: CallOffice,
) -> None:
    id = handed_off(office, same="none", **SECRET)
    assert (standing(office, id).owner, deal(office, id).account_id) == ("", "")
    assert "Not the same as Secret Bakery" in office.text(page_of(id))


def test_where_the_rule_is_that_a_manager_decides_nobody_else_has_it_until_they_have(office: CallOffice) -> None:
    with_settings(office, handoffs=HandoffSettings(conflict="manager"))
    id = handed_off(office, same="account:A1", **SECRET)
    assert standing(office, id).side is Side.MANAGER
    assert "A manager decides whose it is" in office.text(page_of(id))
    office.viewer = MONA
    assert "Decide whose it is" in office.text(LIST)
    assert moved(office, id, "assign", rep="b/1").status_code == 303
    assert standing(office, id).owner == "b/1"


def test_what_no_rep_has_is_a_managers_to_give_to_one(office: CallOffice) -> None:
    id = handed_off(office, same="none", **SECRET)
    office.viewer = MONA
    assert "Give it to a rep, or leave it to the next plan" in to_do(office)
    assert "Give it to a rep, or leave it to the next plan" in office.text(page_of(id))
    moved(office, id, "assign", rep="b/1")
    assert "The Secret Bakery Ltd" not in to_do(office)


# --- the page, and answers from the field -----------------------------------------------------------------------------


def test_a_field_rep_accepts_reports_and_returns_and_inside_sales_reads_what_was_learned(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    office.viewer = ANN
    assert "Accept or reject it" in office.text(LIST)
    assert moved(office, id, "accept").status_code == 303
    assert moved(office, id, "report", learned="They have tills until 2028").status_code == 303
    assert moved(office, id, "return", why="Too early", learned="Call again in 2027").status_code == 303
    office.viewer = INES
    text = office.text(page_of(id))
    assert "Find out more, or give it up" in text
    assert "Returned because: Too early" in text
    assert "What the field learned Call again in 2027" in text
    assert "The field learned: Call again in 2027" in to_do(office)
    history = text.partition("History")[2]
    assert history.index("Returned to inside sales") < history.index("Visit reported") < history.index("Accepted")


def test_what_has_to_be_said_is_asked_for_beside_the_button_and_what_was_typed_stays(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    office.viewer = ANN
    answer = moved(office, id, "reject", why="Nobody there of that name")
    assert answer.status_code == 422
    text = text_of(answer.get_data(as_text=True))
    assert "Say whether the reason is clerical" in text
    assert "Nobody there of that name" in text
    assert moved(office, id, "reject", why="Nobody there of that name", kind="clerical").status_code == 303
    office.viewer = INES
    assert "Rejected because: The record is wrong or incomplete: Nobody there" in office.text(LIST)


def test_the_page_offers_what_the_viewer_may_do_now_and_nothing_else(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    buttons = {
        INES: {"Take it back", "Book a visit…", "Change it"},
        ANN: {"Accept it", "Reject it", "Report the visit"},
        MONA: {"Give it to a rep", "Accept it", "Reject it", "Report the visit", "Take it back", "Change it"},
    }
    everything = set().union(*buttons.values())
    for who, may in buttons.items():
        office.viewer = who
        page = office.page(page_of(id))
        assert {text for text in everything if text in page.partition("<main")[2]} >= may
        assert not {text for text in everything - may if f">{text}<" in page and text != "Book a visit…"}


def test_another_rep_s_opportunity_is_answered_as_one_that_does_not_exist(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    for who in (BEN, IVAN):
        office.viewer = who
        assert office.text(page_of(id), 404).replace(id, "X") == office.text(page_of("O-none"), 404).replace(
            "O-none", "X"
        )
        assert id not in office.page(LIST)


def test_a_field_rep_writes_no_opportunity_and_an_inside_rep_accepts_none(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    answer = moved(office, id, "accept")
    assert answer.status_code == 422
    assert "only the field may do this" in text_of(answer.get_data(as_text=True))
    office.viewer = ANN
    for address in (NEW, edit_of(id)):
        office.page(address, 403)


def test_two_who_decide_at_once_hear_of_each_other(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    old = {"action": "reject", "revision": str(standing(office, id).revision), "why": "Too small", "kind": "wrong_fit"}
    office.viewer = ANN
    moved(office, id, "accept")
    fields = hidden(office.page(page_of(id)), "move") | old
    answer = office.client.post(f"/a/{AREA}/opportunity/move?id={id}", data=fields)
    assert answer.status_code == 409
    assert "Too small" in answer.get_data(as_text=True)
    assert standing(office, id).state is HandoffState.ACCEPTED


def test_a_promise_stands_on_the_page_and_in_the_list(office: CallOffice) -> None:
    promised(office)
    text = office.text(page_of("O1"))
    assert re.search(r"Promised \w{3} \d+ \w{3}, \d\d:\d\d–\d\d:\d\d", text)
    assert "Calendar file" in text
    assert "Promise for" in office.text(LIST)
    office.viewer = BEN
    seen = office.client.get(page_of("O1")).status_code
    office.viewer = ANN
    assert {seen, office.client.get(page_of("O1")).status_code} == {200, 404}


def promised(office: CallOffice) -> Booking:
    """What Ines has promised to Ostrich & Co, by the pages."""
    where = office.hold(address="7 Market Street", opportunity="O1")
    answer = office.client.post(f"{where}/confirm", data=hidden(office.page(where), "confirm"))
    assert answer.status_code == 303, text_of(answer.get_data(as_text=True))
    return office.booking(where)


def test_due_customers_near_it_are_told_in_road_minutes_and_to_whom_they_are_not_without_a_name(
    office: CallOffice,
) -> None:
    office.viewer = MONA
    text = office.text(page_of("O1"))
    assert re.search(r"Due customers near it .*Secret Florist A3 (under )?\d min away · due on", text)
    office.viewer = INES
    promise = promised(office)
    text = office.text(page_of("O1"))
    if promise.rep_id == "ann":
        assert re.search(r"Ann’s customer (under )?\d min away", text)
    assert "Secret Florist" not in text


def test_the_customer_whom_the_visit_is_to_does_not_ride_along_with_it(office: CallOffice) -> None:
    office.viewer = MONA
    assert "Secret Florist A3" in office.text(page_of("O1"))
    with office.store.write(audited=False) as unit:
        deal = unit.records(AREA).get(RecordKind.OPPORTUNITY, "O1")
        assert isinstance(deal, Opportunity)
        unit.records(AREA).save(replace(deal, account_id="A3"))
    assert "Secret Florist A3" not in office.text(page_of("O1"))


def test_a_customer_nearby_is_added_to_the_day_of_the_promise(office: CallOffice) -> None:
    promise = promised(office)
    page = office.page(page_of("O1"))
    (which, *_) = re.findall(r'name="which" value="(\w+)"', page)
    fields = hidden(page, "ride-along") | {"which": which}
    assert office.client.post(f"/a/{AREA}/opportunity/ride-along?id=O1", data=fields).status_code == 303
    assert "booking.ride_along_added" in audited(office)
    with office.store.read() as unit:
        (changed,) = unit.changed_days.find(rep_id=promise.rep_id, day=promise.day)
    assert "account:A3" in changed.order
    fields |= {"which": "0" * 24, "key": "another-key-of-a-form"}
    answer = office.client.post(f"/a/{AREA}/opportunity/ride-along?id=O1", data=fields)
    assert answer.status_code == 409
    assert "This customer is not free for a visit any more." in text_of(answer.get_data(as_text=True))


def test_the_day_of_a_rep_leads_to_its_opportunities(office: CallOffice) -> None:
    booking = promised(office)
    office.viewer = ANN if booking.rep_id == "ann" else BEN
    day = office.page(f"/a/{AREA}/day/{booking.day}/rep?rep={quote(booking.rep_id)}")
    links = [link for link in Skeleton(day).links if "/opportunity?" in link]
    assert links
    assert office.client.get(links[0]).status_code == 200


def test_texts_of_people_are_shown_as_they_are(office: CallOffice) -> None:
    nasty = "<script>x</script>\"{{ 7*7 }}'&"
    typed = KNOWN | dict.fromkeys(("name", "contact_name", "product", "need_by", "timeline", "notes"), nasty)
    page = review(office, **typed)
    assert "<script>x" not in page
    assert "&lt;script&gt;x&lt;/script&gt;&#34;{{ 7*7 }}&#39;&amp;" in page
    id = id_of(sent(office, page, "hand_off", same="none", shown=shown_on(page)))
    for address in (page_of(id), edit_of(id), LIST):
        assert "<script>x" not in office.page(address)
    assert deal(office, id).name == nasty


# --- the rules about who does what ------------------------------------------------------------------------------------


def rules(office: CallOffice, does: str, page: str | None = None, **changes: Any) -> TestResponse:
    """Fill in the rules' form as it stands, change something, and press a button."""
    shown = page or office.page(RULES)
    fields = hidden(shown, "team-rules") | _filled(shown) | changes | {"do": does}
    return office.client.post(RULES, data=fields, headers={"Origin": "http://localhost"})


def _filled(page: str) -> dict[str, Any]:
    inputs = dict(re.findall(r'<input id="([\w-]+)" name="[\w-]+" value="([^"]*)"', page))
    chosen = re.findall(r'<select id="([\w-]+)".*?</select>', page, re.DOTALL)
    for name in chosen:
        select = page[page.index(f'<select id="{name}"') :].partition("</select>")[0]
        inputs[name] = dict(re.findall(r'value="(\w*)"( selected)?', select)[::1]) and next(
            (value for value, on in re.findall(r'value="(\w*)"( selected)?', select) if on), ""
        )
    checked: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(activity-\d+)" value="(\w+)" checked', page):
        checked.setdefault(name, []).append(value)
    return inputs | checked


def test_a_manager_tries_the_rules_on_a_customer_and_hears_which_one_counts_and_why(office: CallOffice) -> None:
    office.viewer = MONA
    asked = {"try_annual": "40 000", "try_activity": "active", "try_value": "3000", "try_product": "X"}
    text = text_of(rules(office, "try", **asked).get_data(as_text=True))
    assert "The field handles it, since no rule is met." in text
    text = text_of(rules(office, "try", **(asked | {"try_activity": "dormant"})).get_data(as_text=True))
    assert "Inside sales handles it by rule 3, “Dormant customers are won back on the phone”" in text


def test_rules_are_changed_in_their_order_and_count_for_the_next_handoff(office: CallOffice) -> None:
    office.viewer = MONA
    page = rules(office, "add").get_data(as_text=True)
    page = rules(office, "up-5", page, **{"name-5": "Tills", "products-5": "tills", "handler-5": "inside"}).get_data(
        as_text=True
    )
    for place in (4, 3, 2):
        page = rules(office, f"up-{place}", page).get_data(as_text=True)
    assert rules(office, "save", page).status_code == 303
    assert "1. Tills Deals about tills. inside sales" in office.text(RULES)
    assert "team_rules.written" in audited(office)
    office.viewer = INES
    assert "Inside sales handles it by rule 1, “Tills”: it is about tills." in text_of(review(office))


def test_a_rule_that_makes_no_sense_is_kept_on_the_page_with_what_is_wrong(office: CallOffice) -> None:
    office.viewer = MONA
    answer = rules(
        office, "save", **{"name-1": "", "value_least-2": "much", "value_below-4": "1000", "value_least-4": "5000"}
    )
    assert answer.status_code == 422
    text = text_of(answer.get_data(as_text=True))
    assert "Rule 2: 'much' is not an amount of money" in text
    assert "Nothing is saved yet, and nothing is lost." in text
    assert 'value="much"' in answer.get_data(as_text=True)


def test_two_managers_who_change_the_rules_hear_of_each_other(office: CallOffice) -> None:
    office.viewer = MONA
    hers = office.page(RULES)
    assert rules(office, "remove-1").status_code == 200
    his = rules(office, "remove-1").get_data(as_text=True)
    assert rules(office, "save", his).status_code == 303
    answer = rules(office, "save", hers, **{"name-1": "Whales"})
    assert answer.status_code == 409
    text = text_of(answer.get_data(as_text=True))
    assert "Somebody else has changed these rules" in text
    page = answer.get_data(as_text=True)
    assert 'value="Whales"' in page
    assert rules(office, "save", page).status_code == 303
    assert "1. Whales" in office.text(RULES)


def test_only_managers_come_to_the_rules(office: CallOffice) -> None:
    for who in (INES, ANN):
        office.viewer = who
        office.page(RULES, 403)
        assert "Who handles what" not in office.page(LIST)
    office.viewer = MONA
    text = office.text(RULES)
    assert "Also agreed Handed off when need is yes; 2 of budget, authority, timeline are known" in text
    assert "the customer’s rep takes it" in text


def test_the_list_of_a_field_rep_has_what_is_theirs_and_of_others_nothing(office: CallOffice) -> None:
    id = handed_off(office, same="account:A1", **SECRET)
    office.viewer = ANN
    text = office.text(LIST)
    assert "What inside sales handed to you." in text
    assert id in text
    assert BAKERY.name not in text.replace("The Secret Bakery Ltd", "")
    office.viewer = BEN
    assert id not in office.text(LIST)


def test_a_customer_number_that_nobody_has_is_said_at_once(office: CallOffice) -> None:
    answer = sent(office, NEW, "draft", **(KNOWN | {"account_id": "A-nobody", "probability": "500"}))
    assert "Probability, % must be between 0 and 100." in text_of(answer.get_data(as_text=True))
    answer = sent(office, NEW, "draft", **(KNOWN | {"account_id": "A-nobody"}))
    assert answer.status_code == 422
    assert "Customer number is no customer’s; leave it empty for a new one." in text_of(answer.get_data(as_text=True))
