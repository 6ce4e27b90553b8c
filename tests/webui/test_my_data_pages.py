"""People see what is stored about them and take it along; managers see check-ins, and are seen to look."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from company_cast import NOON, Company
from hostile import HOSTILE
from plan_cast import MONDAY, Skeleton

from planner.access import SYSTEM, Permission, Role
from planner.domain import Account, Address, Rep
from planner.fieldwork.domain import CheckIn, CheckInVerdict
from planner.rep_days import RepDayNote

WHERE = f"/a/helsinki/check-ins?rep=ann&day={MONDAY}"
DAY = date.fromisoformat(MONDAY)


def check_in(id_: str = "c1", rep_id: str = "ann", name: str = "A1") -> CheckIn:
    return CheckIn("helsinki", id_, rep_id, DAY, f"account:{name}", NOON, 60.16543, 24.94012, 9.0, 35.0,
                   CheckInVerdict.AT_THE_DOOR)  # fmt: skip


def rep(id_: str) -> Rep:
    return Rep(id_, id_.title(), "", Address("1"), None, "Europe/Helsinki", frozenset({0}), time(9), time(17))


@pytest.fixture
def company(tmp_path: Path) -> Company:
    company = Company(tmp_path)
    with company.store.write(SYSTEM, audited=False) as unit:
        for name in ("ann", "ben"):
            unit.records("helsinki").save(rep(name))
        unit.records("helsinki").save(Account("A1", "The Bakery", Address("Unioninkatu 1"), owner_rep_id="ann"))
        unit.check_ins.put(check_in())
    return company


def test_a_manager_sees_the_check_ins_of_a_day(company: Company) -> None:
    said = company.browser(company.mona).text(WHERE)
    for words in ("Ann, Monday 30 November 2026", "14:00", "The Bakery", "at the door", "40 m", "60.16543, 24.94012"):
        assert words in said, words


def test_a_coarse_position_is_said_to_be_one_and_a_forgotten_one_is_gone(company: Company) -> None:
    with company.store.write(SYSTEM, audited=False) as unit:
        unit.check_ins.put(replace(check_in("c2"), lat=60.17, lon=24.94, coarse=True))
        unit.check_ins.put(replace(check_in("c3"), lat=None, lon=None, coarse=True))
    said = company.browser(company.mona).text(WHERE)
    assert "about 60.17, 24.94" in said
    assert "40 m –" in said


def test_every_look_is_audited_and_the_rep_sees_it(company: Company) -> None:
    browser = company.browser(company.mona)
    browser.page("/a/helsinki/check-ins")
    assert company.audit()[-1].action != "check_ins.seen"  # nothing of anybody was shown
    browser.page(WHERE)
    browser.page(WHERE)
    looks = [entry for entry in company.audit() if entry.action == "check_ins.seen"]
    assert [(entry.actor, entry.subject) for entry in looks] == [(f"user:{company.mona.id}", f"ann {MONDAY}")] * 2
    said = company.browser(company.ann).text("/account/my-data")
    assert "Who looked at your check-ins" in said
    assert "By Mona Day 2026-11-30" in said


def test_reps_and_inside_reps_do_not_see_check_ins(company: Company) -> None:
    for who in (company.ann, company.ines):
        browser = company.browser(who)
        browser.page(WHERE, 403)
        assert "Check-ins</a>" not in browser.page("/account")


def test_a_manager_sees_nobody_beyond_the_team_and_leaves_no_trace(company: Company) -> None:
    cara = company.person("cara", Role.MANAGER, "helsinki", frozenset({"ben"}))
    browser = company.browser(cara)
    entries = len(company.audit())
    for asked in (WHERE, "/a/turku/check-ins", f"/a/helsinki/check-ins?day={MONDAY}", "/a/helsinki/check-ins?rep=ben"):
        browser.page(asked, 404)
    assert len(company.audit()) == entries
    assert "Ann" not in browser.text("/a/helsinki/check-ins")


def test_a_rep_reads_everything_that_is_stored_about_them(company: Company) -> None:
    browser = company.browser(company.ann)
    answer = browser.get("/account/my-data")
    assert answer.headers["Cache-Control"] == "no-store"
    said = browser.text("/account/my-data")
    for words in ("Your position is stored when you check in, and at no other time", "60.16543", "tests", "account:A1"):
        assert words in said, words


def test_a_rep_takes_it_along_as_a_file_and_a_program_gets_the_same(company: Company) -> None:
    browser = company.browser(company.ann)
    answer = browser.get("/account/my-data.json")
    assert "my-data.json" in answer.headers["Content-Disposition"]
    taken = json.loads(answer.get_data())
    assert [group["name"] for group in taken["groups"]][:4] == ["account", "sessions", "tokens", "record"]
    (place,) = next(group["rows"] for group in taken["groups"] if group["name"] == "check_ins")
    assert (place["lat"], place["lon"], place["verdict"]) == (60.16543, 24.94012, "at_the_door")
    by_api = json.loads(browser.get("/api/v1/me/data").get_data())
    assert by_api["groups"] == taken["groups"]


def test_a_token_that_may_little_is_not_told_all_about_its_owner(company: Company) -> None:
    headers = company.token(company.ann, Permission.SEE_DAYS)
    assert company.browser().get("/api/v1/me/data", headers=headers).status_code == 403
    assert company.browser().get("/account/my-data", headers=headers).status_code == 403


def test_everybody_has_a_page_of_their_data(company: Company) -> None:
    for who in (company.adele, company.mona, company.ann, company.ines):
        browser = company.browser(who)
        assert who.email in browser.text("/account/my-data")
        assert '<a href="/account/my-data"' in browser.page("/account")


def test_hostile_texts_stay_texts(company: Company) -> None:
    browser = company.browser(company.ann)
    tags = Skeleton(browser.page("/account/my-data")).tags
    for text in [text for text in HOSTILE if "\0" not in text][::8]:
        with company.store.write(SYSTEM, audited=False) as unit:
            unit.rep_day_notes.put(RepDayNote("helsinki", "ann", DAY, 1, text[:2000]))
        more = Skeleton(browser.page("/account/my-data")).tags
        assert {tag[0] for tag in more} <= {tag[0] for tag in tags}
