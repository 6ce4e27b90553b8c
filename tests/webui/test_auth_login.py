"""Logging in and out: who gets a session, for how long, and what its cookie is."""

from __future__ import annotations

from pathlib import Path

import pytest
from company_cast import HTTPS, PASSWORD, Browser, Company
from plan_cast import text_of

from planner.access import Permission, Role
from planner.errors import StorageUnavailableError
from planner.people.accounts import NewUser, change_user, reset_password
from planner.people.keys import setup_code
from planner.settings import LoginSettings


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_with_the_right_password_one_is_in_and_where_one_was_going(company: Company) -> None:
    browser = company.browser()
    sent = browser.get("/account?x=1")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/login?next=/account?x%3D1")
    assert 'name="next" value="/account?x=1"' in browser.page(sent.headers["Location"])
    answer = browser.log_in(" Adele@Example.com", going="/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?x=1")
    assert "Adele" in browser.text("/account")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("adele@example.com", "something else"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("a\0b@example.com", "x\0"),
    ],
)
def test_who_is_not_let_in_hears_the_same_whether_there_is_such_a_person(
    company: Company, email: str, password: str
) -> None:
    browser = company.browser()
    answer = browser.log_in(email, password)
    assert answer.status_code == 422
    assert "That e-mail address and password do not go together." in text_of(answer.text)
    assert not browser.is_in()
    assert company.sessions() == 0


def test_the_disabled_are_not_let_in(company: Company) -> None:
    company.browser(company.adele).send(f"/people/{company.ann.id}/disable")
    assert company.browser().log_in("ann@example.com").status_code == 422


def test_after_too_many_tries_one_waits_and_is_told_how_long(company: Company) -> None:
    stranger = company.browser()
    answers = [stranger.log_in("adele@example.com", "wrong again") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "30"
    assert "too many tries" in text_of(answers[-1].text)
    assert "possible in 30 s" in text_of(answers[-1].text)
    company.clock.pass_(seconds=31)
    assert stranger.log_in("adele@example.com").status_code == 303


def test_a_stranger_s_tries_do_not_keep_out_the_owner_s_own_browser(company: Company) -> None:
    own, stranger = company.browser(), company.browser()
    own.log_in("adele@example.com")
    own.open_and_send("/account", "/logout")
    for _ in range(8):
        stranger.log_in("adele@example.com", "wrong again")
    assert stranger.log_in("adele@example.com").status_code == 429
    assert own.log_in("adele@example.com").status_code == 303


@pytest.mark.parametrize(
    "going",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "///evil",
     "javascript:alert(1)", "evil", "http:evil", " //evil.example", "/a\r\nSet-Cookie: x=1", "//[", "/ok\\@evil"],
)  # fmt: skip
def test_nobody_is_led_to_another_site_by_logging_in(company: Company, going: str) -> None:
    browser = company.browser()
    assert 'name="next" value="/"' in browser.get("/login", query_string={"next": going}).text
    answer = browser.log_in("adele@example.com", going=going)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "x" not in answer.headers.getlist("Set-Cookie")[-1].partition("=")[0].split()


def test_a_session_that_somebody_planted_is_not_the_one_that_is_logged_in(company: Company) -> None:
    browser = company.browser()
    browser.take("fieldvisit", "planted")
    browser.log_in("adele@example.com")
    assert browser.cookie("fieldvisit") not in (None, "planted")


def test_logging_in_again_ends_the_session_that_the_browser_had(company: Company) -> None:
    browser = company.browser()
    browser.log_in("adele@example.com")
    first = browser.cookie("fieldvisit") or ""
    browser.log_in("mona@example.com")
    assert browser.cookie("fieldvisit") != first
    other = company.browser()
    other.take("fieldvisit", first)
    assert not other.is_in()
    assert company.sessions() == 1


def test_logging_out_ends_the_session_and_not_only_the_cookie(company: Company) -> None:
    browser = company.browser(company.adele)
    kept = browser.cookie("fieldvisit") or ""
    answer = browser.send("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert browser.cookie("fieldvisit") is None
    browser.take("fieldvisit", kept)
    assert not browser.is_in()
    assert company.audit()[-1].action == "session.ended"


def test_by_https_cookies_are_bound_to_the_host_secure_and_out_of_reach_of_scripts(tmp_path: Path) -> None:
    company = Company(tmp_path, web=HTTPS)
    browser = company.browser()
    answer = browser.log_in("adele@example.com")
    kept = [cookie for cookie in answer.headers.getlist("Set-Cookie") if "Max-Age=0" not in cookie]
    assert [cookie.partition("=")[0] for cookie in kept] == [
        "__Host-fieldvisit",
        "__Host-fieldvisit-device",
        "__Host-fieldvisit-who",
    ]
    for cookie in answer.headers.getlist("Set-Cookie"):
        for flag in ("; Secure", "; SameSite=Lax", "; Path=/"):
            assert flag in cookie
        assert ("; HttpOnly" in cookie) == (not cookie.startswith("__Host-fieldvisit-who="))
        assert "Domain" not in cookie
    assert browser.is_in()


def test_on_this_machine_cookies_work_without_https(company: Company) -> None:
    answer = company.browser().log_in("adele@example.com")
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert cookie.startswith("fieldvisit")
        assert "Secure" not in cookie
        assert ("; HttpOnly" in cookie) == (not cookie.startswith("fieldvisit-who="))
        assert "; SameSite=Lax" in cookie


def test_a_session_ends_when_nobody_uses_it(tmp_path: Path) -> None:
    company = Company(tmp_path, login=LoginSettings(idle_minutes=30))
    used, idle = company.browser(company.adele), company.browser(company.mona)
    for _ in range(3):
        company.clock.pass_(minutes=20)
        assert used.is_in()
    assert not idle.is_in()
    company.clock.pass_(minutes=30)
    assert not used.is_in()


def test_a_session_ends_however_much_it_is_used(tmp_path: Path) -> None:
    company = Company(tmp_path, login=LoginSettings(idle_minutes=600, absolute_hours=24))
    browser = company.browser(company.adele)
    for _ in range(3):
        company.clock.pass_(hours=7, minutes=59)
        assert browser.is_in()
    company.clock.pass_(minutes=3)
    assert not browser.is_in()


def test_another_role_ends_the_sessions(company: Company) -> None:
    browser = company.browser(company.mona)
    assert browser.is_in()
    with company.store.write() as unit:
        change_user(unit, company.mona.id, NewUser("mona@example.com", "Mona", Role.ADMIN))
    assert not browser.is_in()


def test_disabling_ends_sessions_and_tokens(company: Company) -> None:
    browser, header = company.browser(company.ann), company.token(company.ann, Permission.SEE_DAYS)
    assert company.browser().get("/", headers=header).status_code == 200
    company.browser(company.adele).send(f"/people/{company.ann.id}/disable")
    assert not browser.is_in()
    assert company.browser().get("/", headers=header).status_code == 401


def test_where_nothing_can_be_written_those_who_are_in_stay_in(company: Company) -> None:
    browser = company.browser(company.adele)
    company.clock.pass_(minutes=5)

    class Full:
        def __enter__(self) -> None:
            raise StorageUnavailableError("the disk is full")

        def __exit__(self, *_: object) -> None: ...

    company.store.write = lambda *_, **__: Full()  # type: ignore[method-assign,assignment,return-value]
    assert browser.is_in()
    answer = browser.send("/logout")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was changed" in text_of(answer.text)


# --- the second factor


def test_with_a_second_factor_the_password_alone_lets_nobody_in(company: Company) -> None:
    phone, browser = company.with_phone(company.adele), company.browser()
    first = browser.log_in("adele@example.com", going="/people")
    assert first.status_code == 200
    assert "Second step" in first.text
    assert not browser.is_in()
    wrong = browser.enter_code(first, "000000")
    assert wrong.status_code == 422
    assert "That code is not right" in text_of(wrong.text)
    right = browser.enter_code(wrong, phone.at(company.clock()))
    assert (right.status_code, right.headers["Location"]) == (303, "/people")
    assert browser.is_in()


def test_a_code_works_once(company: Company) -> None:
    phone, first, second = company.with_phone(company.adele), company.browser(), company.browser()
    code = phone.at(company.clock())
    assert first.enter_code(first.log_in("adele@example.com"), code).status_code == 303
    assert second.enter_code(second.log_in("adele@example.com"), code).status_code == 422


def test_the_second_step_comes_soon_after_the_first(company: Company) -> None:
    phone, browser = company.with_phone(company.adele), company.browser()
    first = browser.log_in("adele@example.com")
    company.clock.pass_(minutes=6)
    late = browser.enter_code(first, phone.at(company.clock()))
    assert late.status_code == 422
    assert "That took too long" in text_of(late.text)
    assert browser.enter_code(first, phone.at(company.clock())).status_code == 422


def test_a_ticket_that_was_made_up_is_good_for_nothing(company: Company) -> None:
    company.with_phone(company.adele)
    answer = company.browser().open_and_send("/login", "/login/code", ticket="made up", code="123456", next="/")
    assert answer.status_code == 422


def test_where_a_role_needs_a_second_factor_one_is_led_to_set_it_up_and_can_do_nothing_before(tmp_path: Path) -> None:
    company = Company(tmp_path, login=LoginSettings(second_factor=("admin",)))
    browser = company.browser(company.adele)
    for address in ("/", "/people", "/account", "/a/helsinki/basemap.pmtiles"):
        answer = browser.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/second-factor")
    assert browser.send(f"/people/{company.ann.id}/disable").headers["Location"] == "/account/second-factor"
    assert not company.stored(company.ann).disabled
    assert "Your role needs one" in browser.text("/account/second-factor")
    assert company.browser(company.mona).is_in()
    assert browser.send("/logout").headers["Location"] == "/login"


# --- the first admin, and invitations


def test_while_there_is_nobody_every_page_leads_to_the_first_run_page(tmp_path: Path) -> None:
    browser = Company(tmp_path, empty=True).browser()
    for address in ("/", "/people", "/a/helsinki/", "/account"):
        answer = browser.client.get(address, follow_redirects=True)
        assert answer.request.path == "/setup"
        assert "Make the first admin" in text_of(answer.text)


def test_the_first_admin_needs_the_setup_code(tmp_path: Path) -> None:
    company = Company(tmp_path, empty=True)
    browser = company.browser()
    fields = {"email": "first@example.com", "name": "First", "password": PASSWORD}
    for code in ("", "guessed", "AAAAA-AAAAA-AAAAA-AAAAA"):
        refused = browser.open_and_send("/setup", "/setup", code=code, **fields)
        assert refused.status_code == 422
        assert "The setup code is not the one that fieldvisit serve printed when it started." in text_of(refused.text)
    weak = browser.open_and_send("/setup", "/setup", **fields | {"code": setup_code(company.keys), "password": "short"})
    assert weak.status_code == 422
    assert "characters" in text_of(weak.text)
    assert 'value="first@example.com"' in weak.text
    done = browser.open_and_send("/setup", "/setup", code=setup_code(company.keys).lower(), **fields)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert browser.get("/people").status_code == 200
    for method in (browser.get, browser.send):
        assert method("/setup").status_code in (403, 404)
    again = Browser(browser.client.application)
    assert again.open_and_send("/login", "/setup", code=setup_code(company.keys), **fields).status_code == 404


def test_an_invitation_lets_its_holder_choose_a_password_once(company: Company) -> None:
    with company.store.write() as unit:
        link = f"/invitation/{reset_password(unit, company.ann.id, company.clock())}"
    browser = company.browser()
    assert "ann@example.com" in browser.page(link)
    weak = browser.open_and_send(link, link, password="ann@example.com")
    assert weak.status_code == 422
    chosen = browser.open_and_send(link, link, password="seven loud herons")
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/")
    assert browser.is_in()
    assert "no longer good" in company.browser().text(link, 404)
    assert company.browser().log_in("ann@example.com", "seven loud herons").status_code == 303
    assert company.browser().log_in("ann@example.com", PASSWORD).status_code == 422


@pytest.mark.parametrize("token", ["x", "x" * 43, "..", "%00", "é"])
def test_a_made_up_invitation_is_no_longer_good(company: Company, token: str) -> None:
    assert company.browser().get(f"/invitation/{token}").status_code == 404
