"""A rep's secret calendar address: what it shows, who may make and end it, and that it opens for nothing else."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pytest
from company_cast import PASSWORD, Company
from icalendar import Calendar, Component
from plan_cast import TUESDAY, plan, rep_day, stop
from werkzeug.test import TestResponse

from planner.access import SYSTEM, Role
from planner.domain import Account, Address, Opportunity, Rep
from planner.observing import without_secrets
from planner.people.accounts import NewUser, change_user, disable_user, enable_user, reset_password
from planner.repository import StoredPlan
from planner.slots.domain import Booking, BookingState, ChangedDay, Meaning

PUBLISHED = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


class Street(Company):
    """Ann's customers, and a published plan of her Monday and Tuesday."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        with self.store.write(SYSTEM, audited=False) as unit:
            records = unit.records("helsinki")
            records.save(
                Rep("ann", "Ann Aalto", "ann@example.com", Address("Home 1"), None, "Europe/Helsinki",
                    frozenset(range(5)), clock_time(9), clock_time(17))
            )  # fmt: skip
            records.save(Account("A1", "Customer 1", Address("Unioninkatu 1"), owner_rep_id="ann",
                                 contact_name="Kim Lee", contact_phone="+358 40 123"))  # fmt: skip
            records.save(Opportunity("O2", "Deal 2", Address("Unioninkatu 2"), "A1", need="yes"))
        self.publish([monday(), rep_day(stops=[stop(lat=60.2)], day=TUESDAY), rep_day("ben")], PUBLISHED)

    def publish(self, days: Sequence[dict[str, Any]], at: datetime, **changes: Any) -> None:
        text = plan(days, **changes)
        first = date.fromisoformat(json.loads(text)["first_day"])
        with self.store.write(SYSTEM, audited=False) as unit:
            unit.plans("helsinki").add(StoredPlan(0, "helsinki", first, 2, at, at, 3, 0, 0, text))

    def address(self) -> str:
        """Ann's calendar address, as her account page tells it."""
        page = self.browser(self.ann).send("/account/feed", present=PASSWORD).get_data(as_text=True)
        found = re.search(r"http://localhost(/feeds/[^<\s]+\.ics)", page)
        assert found is not None
        return found[1]

    def read(self, address: str, **headers: str) -> TestResponse:
        return self.browser().get(address, headers=headers)


def monday() -> dict[str, Any]:
    deal = {"visit_id": "opportunity:O2", "record_ids": ["O2"], "kind": "opportunity", "name": "Deal 2"}
    return rep_day(stops=[stop(), stop(2, "09:55", "10:25", **deal)])


def events(answer: TestResponse) -> dict[str, Component]:
    """By what they are called."""
    assert answer.status_code == 200
    return {str(event["SUMMARY"]): event for event in Calendar.from_ical(answer.get_data()).walk("VEVENT")}


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path)


def test_a_calendar_reads_a_rep_s_published_days_without_a_session(street: Street) -> None:
    answer = street.read(street.address())
    assert answer.content_type == "text/calendar; charset=utf-8"
    found = events(answer)
    visit = found["Customer 1"]
    assert b"BEGIN:VCALENDAR" in answer.get_data()
    assert visit["DTSTART"].dt == datetime(2026, 12, 1, 7, 15, tzinfo=UTC)
    assert len(Calendar.from_ical(answer.get_data()).walk("VEVENT")) == 5  # two and one, and leaving on both days
    assert found["Deal 2"]["LOCATION"] == "Unioninkatu 2, Helsinki"
    assert found["Deal 2"]["GEO"].to_ical() == "60.1656;24.952"
    assert "Contact: Kim Lee, +358 40 123" in str(visit["DESCRIPTION"])
    assert "last visit Mon 2 Nov" in str(visit["DESCRIPTION"])
    assert "Contact: Kim Lee" in str(found["Deal 2"]["DESCRIPTION"])  # the customer's, where the deal has none
    assert visit["LAST-MODIFIED"].dt == PUBLISHED


def test_a_visit_stays_one_event_when_its_day_changes_and_tells_calendars_so(street: Street) -> None:
    address = street.address()
    before = events(street.read(address))["Deal 2"]
    route = rep_day(stops=[stop(2, "13:55", "14:25", visit_id="opportunity:O2", record_ids=["O2"], name="Deal 2")])
    made = PUBLISHED + timedelta(hours=3)
    start = datetime(2026, 11, 30, 11, 30, tzinfo=UTC)
    with street.store.write(SYSTEM, audited=False) as unit:
        unit.changed_days.put(ChangedDay("helsinki", "ann", start.date(), 4, 1, ("opportunity:O2",), route))
        unit.bookings.put(
            Booking("helsinki", "b1", "ann", start.date(), BookingState.PROMISED, "O2", "Deal 2", "Unioninkatu 2",
                    60.1656, 24.952, 30, start, start + timedelta(hours=1), Meaning.ARRIVE, "", frozenset(),
                    "ines@example.com", "user:ines", made, None)
        )  # fmt: skip
    after = events(street.read(address))["Deal 2"]
    assert after["UID"] == before["UID"]
    assert after["DTSTART"].dt != before["DTSTART"].dt
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt == made
    assert "Promised: arrive between 13:30 and 14:30" in str(after["DESCRIPTION"])
    assert (before["STATUS"], after["STATUS"]) == ("TENTATIVE", "CONFIRMED")


def test_days_that_are_over_stay_for_two_weeks_also_when_the_next_plan_begins_after_them(street: Street) -> None:
    address, later = street.address(), {"first_day": "2026-12-07", "last_day": "2026-12-08"}
    street.publish([rep_day(stops=[stop(name="Next week")], day="2026-12-07")], PUBLISHED + timedelta(days=7), **later)
    found = events(street.read(address))
    assert {"Customer 1", "Deal 2", "Next week"} <= set(found)
    street.clock.pass_(days=14)
    assert "Deal 2" in events(street.read(address))
    street.clock.pass_(days=1)
    found = events(street.read(address))
    assert "Deal 2" not in found
    assert "Customer 1" in found


def test_a_calendar_that_has_read_it_is_told_that_nothing_is_new(street: Street) -> None:
    address = street.address()
    first = street.read(address)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    again = street.read(address, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_whatever_is_wrong_with_an_address_the_answer_is_the_same(street: Street) -> None:
    address = street.address()
    _, _, feed_id, secret = address.split("/")
    wrong = [f"/feeds/{'0' * 20}/{secret}", f"/feeds/{feed_id}/{'x' * 43}.ics", f"/feeds/{feed_id}/x.ics",
             f"/feeds/{feed_id}/%00.ics", f"/feeds/%00/{secret}"]  # fmt: skip
    answers = [street.read(each) for each in wrong]
    with street.store.write(SYSTEM) as unit:
        disable_user(unit, street.ann.id)
    answers.append(street.read(address))
    pages = {re.sub(r'nonce="[^"]*"', "", answer.get_data(as_text=True)) for answer in answers}
    assert {answer.status_code for answer in answers} == {404}
    assert len(pages) == 1


def test_an_address_ends_when_another_one_is_made_or_it_is_revoked(street: Street) -> None:
    first = street.address()
    second = street.address()
    assert [street.read(each).status_code for each in (first, second)] == [404, 200]
    assert street.browser(street.ann).send("/account/feed/revoke").status_code == 303
    assert street.read(second).status_code == 404
    assert [entry.action for entry in street.audit()][-3:] == ["feed.issued", "feed.issued", "feed.revoked"]


@pytest.mark.parametrize("ends", ["disabled", "other rep", "other role", "password reset"])
def test_an_address_ends_for_good_with_what_it_stands_on(street: Street, ends: str) -> None:
    address = street.address()
    rep = NewUser("ann@example.com", "Ann", Role.FIELD_REP, "helsinki", frozenset({"ann"}))
    with street.store.write(SYSTEM) as unit:
        if ends == "disabled":
            disable_user(unit, street.ann.id)
            enable_user(unit, street.ann.id)
        elif ends == "password reset":
            reset_password(unit, street.ann.id, street.clock())
        else:
            other = replace(rep, reps=frozenset({"ben"}))
            if ends == "other role":
                other = replace(rep, role=Role.MANAGER)
            change_user(unit, street.ann.id, other)
            change_user(unit, street.ann.id, rep)
    assert street.read(address).status_code == 404


def test_only_field_reps_have_a_calendar_to_share(street: Street) -> None:
    assert "Calendar" in street.browser(street.ann).text("/account")
    for who in (street.mona, street.ines, street.adele):
        browser = street.browser(who)
        assert "secret address" not in browser.text("/account")
        assert browser.send("/account/feed", present=PASSWORD).status_code == 422


def test_whoever_finds_a_browser_that_is_logged_in_makes_no_address(street: Street) -> None:
    answer = street.browser(street.ann).send("/account/feed", present="guessed")
    assert answer.status_code == 422
    assert "/feeds/" not in answer.get_data(as_text=True)


def test_nothing_of_the_secret_is_stored_or_logged(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = street.address()
    secret = address.split("/")[-1].removesuffix(".ics")
    street.read(address)
    street.read(address[:-6] + "x.ics")
    assert secret not in "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert secret not in without_secrets(f"GET {address} and {address.split('/')[-1]}")
    with street.store.read() as unit:
        assert secret not in str(unit.calendar_feeds.find())


def test_the_account_page_tells_when_a_calendar_has_read_it(street: Street) -> None:
    address, browser = street.address(), street.browser(street.ann)
    assert "never read" in browser.text("/account")
    entries = len(street.audit())
    street.read(address)
    assert "last read 2026-11-30 12:00 UTC" in browser.text("/account")
    street.clock.pass_(minutes=30)
    street.read(address)
    assert "last read 2026-11-30 12:00 UTC" in browser.text("/account")  # once an hour is enough
    assert len(street.audit()) == entries
