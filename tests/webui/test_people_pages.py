"""People look after their own account, and admins after everybody's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pyotp
import pytest
from company_cast import PASSWORD, Browser, Company
from hostile import HOSTILE
from plan_cast import Skeleton, text_of

from planner.access import SYSTEM, Permission, Role
from planner.domain import Address, Rep
from planner.people.domain import User


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


# --- one's own account


def test_a_new_password_ends_every_other_browser(company: Company) -> None:
    here, there = company.browser(company.ann), company.browser(company.ann)
    answer = here.send("/account/password", present=PASSWORD, password="seven loud herons")
    assert answer.status_code == 303
    assert "Your password is changed" in here.text(answer.headers["Location"])
    assert not there.is_in()


@pytest.mark.parametrize(
    ("present", "chosen", "said"),
    [
        ("wrong", "seven loud herons", "not your present password"),
        (PASSWORD, "short", "has between 10 and 200 characters"),
        (PASSWORD, "ann@example.com", "is the name or the e-mail address"),
    ],
)
def test_a_password_is_changed_only_by_its_owner_and_into_a_good_one(
    company: Company, present: str, chosen: str, said: str
) -> None:
    browser = company.browser(company.ann)
    answer = browser.send("/account/password", present=present, password=chosen)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert company.stored(company.ann) == company.ann


def test_a_second_factor_is_set_up_with_a_code_and_the_password_and_gives_recovery_codes_once(
    company: Company,
) -> None:
    browser = company.browser(company.mona)
    page = browser.page("/account/second-factor")
    assert "<svg" in page
    assert "style=" not in page
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert secret is not None
    assert sealed is not None
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(company.clock())
    for wrong in ({"code": "000000", "present": PASSWORD}, {"code": code, "present": "wrong"}):
        again = browser.send("/account/second-factor", sealed=sealed[1], **wrong)
        assert again.status_code == 422
        assert secret[1] in again.text
    done = browser.send("/account/second-factor", sealed=sealed[1], code=code, present=PASSWORD)
    codes = re.findall(r"<li><code>([\w-]+)</code>", done.text)
    assert len(codes) == 10
    assert codes[0] not in browser.page("/account")
    assert "10 recovery codes left" in browser.text("/account")
    other = company.browser()
    assert other.enter_code(other.log_in("mona@example.com"), codes[0].lower()).status_code == 303
    assert "9 recovery codes left" in other.text("/account")
    again = company.browser()
    assert again.enter_code(again.log_in("mona@example.com"), codes[0]).status_code == 422


def test_the_second_factor_is_turned_off_and_renewed_only_with_the_password(company: Company) -> None:
    company.with_phone(company.mona)
    browser = company.browser(company.mona)
    for address in ("/account/second-factor/remove", "/account/recovery-codes"):
        assert browser.send(address, present="wrong").status_code == 422
    assert company.stored(company.mona).totp_secret
    assert "New recovery codes" in browser.send("/account/recovery-codes", present=PASSWORD).text
    assert browser.send("/account/second-factor/remove", present=PASSWORD).status_code == 303
    assert not company.stored(company.mona).totp_secret


def test_one_sees_where_one_is_logged_in_and_ends_what_is_not_one_s_own(company: Company) -> None:
    here, there = company.browser(company.ann), company.browser(company.ann)
    page = here.page("/account")
    (other,) = re.findall(r'action="(/account/sessions/\w+/end)"', page)
    assert "this one" in page
    assert here.send(other).status_code == 303
    assert not there.is_in()
    assert here.is_in()
    assert here.send(other).status_code == 404


def test_nobody_ends_the_session_or_token_of_somebody_else(company: Company) -> None:
    ann, mona = company.browser(company.ann), company.browser(company.mona)
    company.token(company.mona, Permission.SEE_DAYS)
    company.browser(company.mona)
    page = mona.page("/account")
    theirs = re.findall(r'action="(/account/(?:sessions|tokens)/\w+/\w+)"', page)
    assert len(theirs) == 2
    for address in theirs:
        assert ann.send(address).status_code == 404
    assert mona.is_in()


def test_a_token_is_shown_once_and_is_good_until_it_is_revoked(company: Company) -> None:
    browser = company.browser(company.ann)
    made = browser.send("/account/tokens", name="Phone", permission=["days:read"], days="30", present=PASSWORD)
    text = re.search(r"fv_[\w-]+", made.text)
    assert text is not None
    header = {"Authorization": f"Bearer {text[0]}"}
    assert company.browser().get("/", headers=header).status_code == 200
    page = browser.page("/account")
    assert text[0] not in page
    assert "see days and visits · until 2026-12-30" in text_of(page)
    (revoke,) = re.findall(r'action="(/account/tokens/\w+/revoke)"', page)
    assert browser.send(revoke).status_code == 303
    assert company.browser().get("/", headers=header).status_code == 401


def test_a_token_ends_when_its_time_is_over(company: Company) -> None:
    browser = company.browser(company.ann)
    made = browser.send("/account/tokens", name="Phone", permission=["days:read"], days="30", present=PASSWORD)
    (text,) = re.findall(r"fv_[\w-]+", made.text)
    header = {"Authorization": f"Bearer {text}"}
    company.clock.now += timedelta(days=30)
    assert company.browser().get("/", headers=header).status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"permission": []},
        {"permission": ["plans:write"]},
        {"permission": ["days:read"], "name": ""},
        {"permission": ["days:read"], "present": "wrong"},
        {"permission": ["nonsense"]},
        {"permission": ["days:read"], "days": "100000"},
        {"permission": ["days:read"], "days": "-1"},
    ],
)
def test_a_token_that_makes_no_sense_or_goes_beyond_its_owner_is_not_made(
    company: Company, fields: dict[str, object]
) -> None:
    usual = {"name": "x", "days": "30", "present": PASSWORD}
    answer = company.browser(company.ann).send("/account/tokens", **usual | fields)
    assert answer.status_code in (400, 422)
    with company.store.read() as unit:
        assert unit.tokens.find() == []


# --- everybody's


def added(company: Company, **fields: object) -> tuple[Browser, str]:
    browser = company.browser(company.adele)
    answer = browser.send("/people", **fields)
    assert answer.status_code == 200, text_of(answer.text)
    link = re.search(r"http://localhost(/invitation/[\w-]+)", answer.text)
    assert link is not None
    return browser, link[1]


def test_an_admin_adds_somebody_who_then_chooses_a_password(company: Company) -> None:
    fields = {"name": "Ben", "email": "Ben@Example.com", "role": "field_rep", "area": "helsinki"}
    browser, link = added(company, **fields, rep=["helsinki/b/1"])
    assert "invited" in browser.text("/people")
    ben = company.browser()
    assert ben.open_and_send(link, link, password="seven loud herons").status_code == 303
    assert "ben@example.com" in ben.text("/account")
    with company.store.read() as unit:
        (stored,) = unit.users.find(email="ben@example.com")
    assert (stored.role, stored.area, stored.reps) == (Role.FIELD_REP, "helsinki", frozenset({"b/1"}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "ann@example.com"}, "somebody has the address"),
        ({"email": "no address"}, "is no e-mail address"),
        ({"name": " "}, "is empty"),
        ({"role": "field_rep", "area": ""}, "works in one area"),
        ({"role": "field_rep", "area": "helsinki"}, "exactly one of the area's reps"),
        ({"role": "admin", "area": "helsinki"}, "sees every area"),
        ({"role": "manager", "area": "turku", "rep": ["helsinki/ann"]}, "ann is a rep of helsinki"),
    ],
)
def test_who_makes_no_sense_is_not_added_and_the_form_keeps_what_was_typed(
    company: Company, fields: dict[str, object], said: str
) -> None:
    usual = {"name": "Ben", "email": "ben@example.com", "role": "manager", "area": ""}
    answer = company.browser(company.adele).send("/people", **usual | fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert f'value="{(usual | fields)["email"]}"' in answer.text


def test_a_change_of_role_logs_out_and_a_change_of_name_does_not(company: Company) -> None:
    admin, mona = company.browser(company.adele), company.browser(company.mona)
    address = f"/people/{company.mona.id}"
    fields = {"name": "Mona M.", "email": "mona@example.com", "role": "manager", "area": ""}
    assert "Changed." in admin.text(admin.send(address, **fields).headers["Location"])
    assert "Mona M." in mona.text("/account")
    admin.send(address, **fields | {"role": "inside_rep"})
    assert not mona.is_in()


def test_the_reps_of_an_area_are_there_to_tick(company: Company) -> None:
    home = Address("Street 1")
    rep = Rep("ann", "Ann Rep", "", home, None, "Europe/Helsinki", frozenset({0}), time(9), time(17))
    with company.store.write(SYSTEM, audited=False) as unit:
        unit.records("helsinki").save(rep)
    admin = company.browser(company.adele)
    assert re.search(r'value="helsinki/ann" checked> <bdi>Ann Rep<', admin.page(f"/people/{company.ann.id}"))
    assert re.search(r'value="helsinki/ann"> <bdi>Ann Rep<', admin.page("/people"))


def test_the_last_admin_stays(company: Company) -> None:
    admin = company.browser(company.adele)
    address = f"/people/{company.adele.id}"
    fields = {"name": "Adele", "email": "adele@example.com", "role": "manager", "area": ""}
    for answer in (admin.send(f"{address}/disable"), admin.send(address, **fields)):
        assert answer.status_code == 422
        assert "the only admin" in text_of(answer.text)
    assert admin.is_in()


def test_a_link_takes_the_old_password_and_ends_the_sessions(company: Company) -> None:
    admin, ann = company.browser(company.adele), company.browser(company.ann)
    answer = admin.send(f"/people/{company.ann.id}/link")
    assert "it works once, for 72 hours" in text_of(answer.text)
    assert not ann.is_in()
    assert company.browser().log_in("ann@example.com").status_code == 422


def test_an_admin_takes_a_lost_second_factor_and_ends_sessions(company: Company) -> None:
    company.with_phone(company.mona)
    admin, mona = company.browser(company.adele), company.browser(company.mona)
    address = f"/people/{company.mona.id}"
    admin.send(f"{address}/second-factor/remove")
    assert not company.stored(company.mona).totp_secret
    assert mona.is_in()
    admin.send(f"{address}/sessions/end")
    assert not mona.is_in()


@pytest.mark.parametrize("action", ["", "/disable", "/enable", "/link", "/second-factor/remove", "/sessions/end"])
def test_somebody_who_does_not_exist_is_not_found(company: Company, action: str) -> None:
    admin = company.browser(company.adele)
    fields = {"name": "x", "email": "x@example.com", "role": "manager", "area": ""}
    assert admin.send(f"/people/nobody{action}", **fields).status_code == 404


# --- the audit log


def test_the_audit_log_shows_who_did_what_the_newest_first(company: Company) -> None:
    admin = company.browser(company.adele)
    admin.send(f"/people/{company.ann.id}/disable")
    rows = re.findall(r"<tr>(.*?)</tr>", admin.page("/audit"), re.DOTALL)
    newest = text_of(rows[1])
    assert "adele@example.com user.disabled" in newest
    assert "ann@example.com" in newest


def test_the_audit_log_is_filtered_and_turned_page_by_page(company: Company) -> None:
    admin = company.browser(company.adele)
    with company.store.write(SYSTEM) as unit:
        for number in range(120):
            unit.audit("test.done" if number % 2 else "other.done", f"n{number}")
    pages, address = [], "/audit?action=test."
    while address:
        page = admin.page(address)
        pages.append(re.findall(r">(n\d+)<", page))
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    found = [name for page in pages for name in page]
    assert found == [f"n{number}" for number in range(119, 0, -2)]
    assert len(pages[0]) == 50
    assert re.findall(r">(n\d+)<", admin.page("/audit?actor=adele@example.com")) == []
    assert len(re.findall(r">(n\d+)<", admin.page("/audit?actor=system"))) == 50
    assert "There is nothing here" in admin.text("/audit?action=never")
    assert admin.get("/audit?before=x").status_code == 404


# --- hostile people


def test_a_hostile_name_or_browser_is_only_text(company: Company) -> None:
    admin = company.browser(company.adele)
    texts = [text for text in HOSTILE if len(text) < 100 and text.isprintable() and text.strip()][::5]
    plain: list[Skeleton] = []
    for text in ["Harmless", *texts]:
        with company.store.write(SYSTEM, audited=False) as unit:
            stored: User = unit.users.get(company.ann.id)  # type: ignore[assignment]
            unit.users.put(replace(stored, name=text.strip()))
        pages = [Skeleton(admin.page(address)) for address in ("/people", f"/people/{company.ann.id}")]
        plain = plain or pages
        assert [page.tags for page in pages] == [page.tags for page in plain], text
        assert text.strip() in "".join(pages[0].words)
    with company.store.write(SYSTEM, audited=False) as unit:
        for session in unit.sessions.find():
            unit.sessions.put(replace(session, agent="<script>alert(1)</script>", address="<b>"))
    assert "<script" not in admin.page("/account")
