"""What every answer tells the browser, which names are answered to, and which addresses are believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from company_cast import HTTPS, PASSWORD, Company

from planner.errors import SettingsError
from planner.settings import WebSettings, read_settings


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture
def public(tmp_path: Path) -> Company:
    return Company(tmp_path, web=HTTPS)


def test_every_answer_carries_the_headers_whoever_asks_and_whatever_comes_of_it(public: Company) -> None:
    for browser in (public.browser(), public.browser(public.ann)):
        for address in ("/", "/login", "/nowhere", "/people", "/static/app.css", "/account", "/invitation/x"):
            headers = browser.get(address).headers
            policy = headers["Content-Security-Policy"]
            for directive in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
                assert directive in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "geolocation=()" in headers["Permissions-Policy"]
            assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_without_https_browsers_are_not_told_to_insist_on_it(company: Company) -> None:
    assert "Strict-Transport-Security" not in company.browser().get("/login").headers


def test_pages_with_secrets_on_them_are_stored_nowhere(company: Company) -> None:
    adele = company.browser(company.adele)
    answers = [
        company.browser().get("/login"),
        company.browser().log_in("nobody@example.com"),
        company.browser().get("/invitation/x"),
        adele.get("/account/second-factor"),
        adele.send(f"/people/{company.ann.id}/link"),
        adele.send("/account/tokens", name="t", permission="days:read", days="30", present=PASSWORD),
    ]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * len(answers)


def test_no_page_is_kept_by_a_cache_that_others_use(company: Company) -> None:
    adele = company.browser(company.adele)
    for address in ("/", "/people", "/audit", "/account", "/nowhere"):
        assert adele.get(address).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "127.0.0.1:8000", "visits.example.com.evil.example", "", "a b",
             "visits.example.com:8443", "visits.example.com:80", "x@visits.example.com", "visits.example.com,evil"]
)  # fmt: skip
def test_only_the_public_name_is_answered_to(public: Company, host: str) -> None:
    for address in ("/login", "/static/app.css", "/"):
        answer = public.browser().client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["visits.example.com", "VISITS.example.com", "visits.example.com:443"])
def test_the_public_name_is_answered_to(public: Company, host: str) -> None:
    assert public.browser().client.get("/login", headers={"Host": host}).status_code == 200


def test_what_a_proxy_says_is_believed_only_of_as_many_as_there_are(tmp_path: Path) -> None:
    seen = {}
    for proxies in (0, 1, 2):
        folder = tmp_path / str(proxies)
        folder.mkdir()
        company = Company(folder, web=WebSettings("https://visits.example.com", proxies))
        headers = {"X-Forwarded-For": "198.51.100.1, 198.51.100.2, 198.51.100.3", "Host": "visits.example.com"}
        company.app.test_client().get("/login", headers=headers)
        client = company.app.test_client()
        with client:
            client.get("/login", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"})
            from flask import request

            seen[proxies] = request.remote_addr
    assert seen == {0: "10.0.0.1", 1: "198.51.100.3", 2: "198.51.100.2"}


def test_a_forwarded_host_changes_nothing(tmp_path: Path) -> None:
    company = Company(tmp_path, web=WebSettings("https://visits.example.com", 1))
    client = company.app.test_client()
    forwarded = {"X-Forwarded-Host": "visits.example.com", "Host": "evil.example"}
    assert client.get("/login", headers=forwarded).status_code == 400
    forwarded = {"X-Forwarded-Host": "evil.example", "Host": "visits.example.com"}
    assert client.get("/login", headers=forwarded).status_code == 200


def test_links_that_are_sent_to_people_name_the_public_address_and_no_other(public: Company) -> None:
    page = public.browser(public.adele).send(f"/people/{public.ann.id}/link").text
    assert "https://visits.example.com/invitation/" in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://visits.example.com", "is not https://"),
        ("visits.example.com", "is no address such as"),
        ("ftp://visits.example.com", "is no address such as"),
        ("https://", "is no address such as"),
        ("https://user:secret@visits.example.com", "is no address such as"),
        ("https://visits.example.com/app", "behind the host"),
        ("https://visits.example.com/?x=1", "behind the host"),
    ],
)
def test_a_public_address_that_cannot_be_is_named_at_the_start(tmp_path: Path, address: str, sentence: str) -> None:
    (tmp_path / "settings.toml").write_text(f'[web]\npublic_url = "{address}"\n')
    with pytest.raises(SettingsError, match=sentence):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    "address", ["https://visits.example.com", "https://visits.example.com:8443/", "http://localhost:8000",
                "http://[::1]:8000", "https://Bücher.example"]
)  # fmt: skip
def test_a_public_address_may_be_by_https_or_on_this_machine(tmp_path: Path, address: str) -> None:
    (tmp_path / "settings.toml").write_text(f'[web]\npublic_url = "{address}"\n', encoding="utf-8")
    if address.isascii():
        assert read_settings(tmp_path, {}).web.public_url == address
    else:
        with pytest.raises(SettingsError, match="is no address"):
            read_settings(tmp_path, {})
