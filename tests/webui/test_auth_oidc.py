"""Single sign-on: whom a provider vouches for is let in, and nothing that merely looks like it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from company_cast import NOON, Browser, Company
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from plan_cast import text_of
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from planner.errors import SettingsError
from planner.people.logging_in import Reason
from planner.settings import OidcSettings, Settings, WebSettings, read_settings
from routing.outgoing import OutgoingRules
from webui.auth import oidc

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
CLIENT = "fieldvisit-client"
SECRET = "secret-of-the-client"


@dataclass
class Provider:
    """A provider that vouches for Ann, unless a test has it say something else."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    signed_with: RSAKey = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    published: list[RSAKey] = field(default_factory=lambda: [KEY])
    description: dict[str, Any] = field(default_factory=dict)
    challenges: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    token: Callable[[dict[str, Any]], Any] = lambda token: token
    was_asked: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def authorize(self, address: str) -> dict[str, str]:
        """What a browser that is sent here brings back: somebody logs in at the provider and is sent on."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert query["scope"] == "openid email"
        code = f"code-{len(self.challenges)}"
        self.challenges[code] = query
        return {"code": code, "state": query["state"]}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        self.was_asked.set()
        self.answers.wait(10)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
                | self.description
            )
        if request.path == "/keys":
            return _json(KeySet(self.published).as_dict(private=False))
        if request.path == "/token" and request.method == "POST":
            asked = self.challenges.pop(request.form["code"], None)
            who = request.authorization
            if asked is None or who is None or (who.username, who.password) != (CLIENT, SECRET):
                return _json({"error": "invalid_grant"}, 400)
            assert create_s256_code_challenge(request.form["code_verifier"]) == asked["code_challenge"]
            assert request.form["redirect_uri"] == asked["redirect_uri"]
            now = int(NOON.timestamp())
            claims = {
                "iss": self.issuer,
                "sub": "ann-at-the-provider",
                "aud": CLIENT,
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
                "email": "ann@example.com",
                "email_verified": True,
            } | self.claims
            claims = {name: value for name, value in claims.items() if value is not None}
            header = {"alg": self.algorithm, "kid": "one"}
            signed = jwt.encode(header, claims, self.signed_with, algorithms=[self.algorithm])
            return _json(self.token({"access_token": "x", "token_type": "Bearer", "id_token": signed}))
        return _json({}, 404)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    server = make_server("127.0.0.1", 0, made, threaded=True)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def company(tmp_path: Path, provider: Provider) -> Company:
    return Company(
        tmp_path,
        oidc=OidcSettings(provider.issuer, CLIENT, "Log in with Example"),
        oidc_secret=SECRET,
        outgoing=OutgoingRules(private_hosts=(urlsplit(provider.issuer).netloc,)),
    )


def sign_on(company: Company, provider: Provider, browser: Browser | None = None, going: str = "/") -> TestResponse:
    """The whole way: to the provider and back."""
    browser = browser or company.browser()
    sent = browser.get("/login/sign-on", query_string={"next": going})
    assert sent.status_code == 303, text_of(sent.text)
    return browser.get("/login/sign-on/back", query_string=provider.authorize(sent.headers["Location"]))


def test_whom_the_provider_vouches_for_is_in_and_where_they_were_going(company: Company, provider: Provider) -> None:
    browser = company.browser()
    login = browser.page("/login?next=/account?x%3D1")
    assert "Log in with Example" in login
    assert 'href="/login/sign-on?next=/account?x%3D1"' in login
    answer = sign_on(company, provider, browser, "/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?x=1")
    assert "ann@example.com" in browser.text("/account")
    assert company.stored(company.ann).sign_on == f"{provider.issuer} ann-at-the-provider"
    assert browser.cookie("fieldvisit-sign-on") is None


def test_they_are_known_by_the_provider_s_name_for_them_from_then_on(company: Company, provider: Provider) -> None:
    assert sign_on(company, provider).status_code == 303
    provider.claims = {"email": "married@example.com", "email_verified": False}
    assert sign_on(company, provider).status_code == 303
    provider.claims = {"sub": "somebody-else"}
    assert sign_on(company, provider).status_code == 422


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": int(NOON.timestamp()) - 61},
        {"exp": None},
        {"nbf": int(NOON.timestamp()) + 600},
        {"sub": None},
    ],
)
def test_an_id_token_that_is_not_for_this_log_in_lets_nobody_in(
    company: Company, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    answer = sign_on(company, provider)
    assert answer.status_code == 502
    assert "Single sign-on did not work" in text_of(answer.text)
    assert company.sessions() == 0


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "true"},
               {"email": "nobody@example.com"}, {"email": None}, {"email": ["ann@example.com"]}]
)  # fmt: skip
def test_who_is_not_known_here_by_a_verified_address_is_not_let_in(
    company: Company, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    answer = sign_on(company, provider)
    assert answer.status_code == 422
    assert Reason.NO_ACCOUNT in text_of(answer.text)
    assert company.sessions() == 0


def test_the_disabled_are_not_let_in_whatever_the_provider_says(company: Company, provider: Provider) -> None:
    assert sign_on(company, provider).status_code == 303
    company.browser(company.adele).send(f"/people/{company.ann.id}/disable")
    assert sign_on(company, provider).status_code == 422


def test_a_signature_of_another_key_lets_nobody_in(company: Company, provider: Provider) -> None:
    provider.signed_with = OTHER_KEY
    assert sign_on(company, provider).status_code == 502


def test_a_token_without_a_signature_lets_nobody_in(company: Company, provider: Provider) -> None:
    def unsigned(token: dict[str, Any]) -> dict[str, Any]:
        _, body, _ = token["id_token"].split(".")
        return token | {"id_token": f"eyJhbGciOiJub25lIn0.{body}."}

    provider.token = unsigned
    assert sign_on(company, provider).status_code == 502
    provider.token = lambda token: {"access_token": "x", "token_type": "Bearer"}
    assert sign_on(company, provider).status_code == 502
    provider.token = lambda token: ["no", "object"]
    assert sign_on(company, provider).status_code == 502
    assert company.sessions() == 0


def test_a_key_that_the_provider_has_changed_is_looked_up_but_not_all_the_time(
    company: Company, provider: Provider
) -> None:
    assert sign_on(company, provider).status_code == 303
    newer = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    provider.published, provider.signed_with = [newer], newer
    provider.token = _with_kid("two", newer, provider)
    assert sign_on(company, provider).status_code == 502
    company.clock.pass_(minutes=2)
    assert sign_on(company, provider).status_code == 303
    assert provider.asked.count("/keys") == 2


def _with_kid(kid: str, key: RSAKey, provider: Provider) -> Callable[[dict[str, Any]], Any]:
    def signed_again(token: dict[str, Any]) -> dict[str, Any]:
        claims = jwt.decode(token["id_token"], key, algorithms=["RS256"]).claims
        return token | {"id_token": jwt.encode({"alg": "RS256", "kid": kid}, claims, key)}

    return signed_again


def test_a_return_works_once_and_only_in_the_browser_that_began(company: Company, provider: Provider) -> None:
    browser = company.browser()
    sent = browser.get("/login/sign-on")
    back = provider.authorize(sent.headers["Location"])
    victim = company.browser()
    assert victim.get("/login/sign-on/back", query_string=back).status_code == 502
    kept = browser.cookie("fieldvisit-sign-on") or ""
    assert browser.get("/login/sign-on/back", query_string=back).status_code == 303
    assert browser.get("/login/sign-on/back", query_string=back).status_code == 502
    browser.take("fieldvisit-sign-on", kept)
    assert browser.get("/login/sign-on/back", query_string=back).status_code == 502
    assert company.sessions() == 1


@pytest.mark.parametrize("state", ["", "another", "é"])
def test_a_return_with_another_state_lets_nobody_in(company: Company, provider: Provider, state: str) -> None:
    browser = company.browser()
    back = provider.authorize(browser.get("/login/sign-on").headers["Location"]) | {"state": state}
    assert browser.get("/login/sign-on/back", query_string=back).status_code == 502
    assert "/token" not in provider.asked


def test_a_return_after_ten_minutes_is_too_late(company: Company, provider: Provider) -> None:
    browser = company.browser()
    back = provider.authorize(browser.get("/login/sign-on").headers["Location"])
    company.clock.pass_(minutes=11)
    assert browser.get("/login/sign-on/back", query_string=back).status_code == 502


def test_who_says_no_at_the_provider_is_back_at_the_login_page(company: Company, provider: Provider) -> None:
    browser = company.browser()
    state = provider.authorize(browser.get("/login/sign-on").headers["Location"])["state"]
    answer = browser.get("/login/sign-on/back", query_string={"error": "access_denied", "state": state})
    assert answer.status_code == 502
    assert "log in with your password" in text_of(answer.text)


@pytest.mark.parametrize(
    "description",
    [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": "https://evil.example/keys"},
     {"authorization_endpoint": 1}],
)  # fmt: skip
def test_a_provider_that_is_not_what_was_set_up_is_not_used(
    company: Company, provider: Provider, description: dict[str, Any]
) -> None:
    provider.description = description
    answer = company.browser().get("/login/sign-on")
    assert answer.status_code == 502
    assert company.browser().log_in("ann@example.com").status_code == 303


def test_while_the_provider_hangs_one_request_waits_for_it_and_all_others_are_told_at_once(
    company: Company, provider: Provider
) -> None:
    provider.answers.clear()
    first: list[TestResponse] = []
    waiting = threading.Thread(target=lambda: first.append(company.browser().get("/login/sign-on")))
    waiting.start()
    try:
        assert provider.was_asked.wait(10)
        for _ in range(3):
            answer = company.browser().get("/login/sign-on")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert len(provider.asked) == 1
    finally:
        provider.answers.set()
        waiting.join()
    assert first[0].status_code == 303


def test_what_was_known_of_the_provider_serves_while_it_is_asked_again(company: Company, provider: Provider) -> None:
    assert company.browser().get("/login/sign-on").status_code == 303
    company.clock.pass_(minutes=61)
    provider.answers.clear()
    provider.was_asked.clear()
    waiting = threading.Thread(target=lambda: company.browser().get("/login/sign-on"))
    waiting.start()
    try:
        assert provider.was_asked.wait(10)
        assert company.browser().get("/login/sign-on").status_code == 303
    finally:
        provider.answers.set()
        waiting.join()


def test_a_provider_that_failed_is_left_alone_for_ten_seconds(company: Company, provider: Provider) -> None:
    provider.description = {"token_endpoint": None}
    assert company.browser().get("/login/sign-on").status_code == 502
    provider.description = {}
    company.clock.pass_(seconds=9)
    assert company.browser().get("/login/sign-on").status_code == 502
    assert len(provider.asked) == 1
    company.clock.pass_(seconds=2)
    assert company.browser().get("/login/sign-on").status_code == 303


def test_a_provider_that_is_not_on_the_list_of_hosts_is_not_called(tmp_path: Path, provider: Provider) -> None:
    company = Company(tmp_path, oidc=OidcSettings(provider.issuer, CLIENT))
    assert company.browser().get("/login/sign-on").status_code == 502
    assert provider.asked == []


def test_what_the_browser_keeps_meanwhile_is_out_of_reach_of_scripts(tmp_path: Path, provider: Provider) -> None:
    company = Company(
        tmp_path,
        web=WebSettings("https://visits.example.com"),
        oidc=OidcSettings(provider.issuer, CLIENT),
        oidc_secret=SECRET,
        outgoing=OutgoingRules(private_hosts=(urlsplit(provider.issuer).netloc,)),
    )
    answer = company.browser().get("/login/sign-on")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-fieldvisit-sign-on=")
    for flag in ("; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"):
        assert flag in cookie
    assert "redirect_uri=https%3A%2F%2Fvisits.example.com%2Flogin%2Fsign-on%2Fback" in answer.headers["Location"]
    assert sign_on(company, provider).status_code == 303


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    browser = Company(tmp_path).browser()
    assert "sign-on" not in browser.page("/login")
    assert browser.get("/login/sign-on").status_code == 404
    assert browser.get("/login/sign-on/back").status_code == 404


def test_the_client_s_secret_is_in_the_environment_and_shown_nowhere(tmp_path: Path) -> None:
    settings: Settings = read_settings(tmp_path, {"FIELDVISIT_OIDC_SECRET": SECRET})
    assert settings.oidc_secret == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("table", ['issuer = "https://x.example"', 'client_id = "x"', 'label = ""',
                                   'issuer = "x.example"\nclient_id = "x"'])  # fmt: skip
def test_half_a_provider_is_named_at_the_start(tmp_path: Path, table: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[oidc]\n{table}\n")
    with pytest.raises(SettingsError, match=r"\[oidc\]"):
        read_settings(tmp_path, {})


def test_only_signatures_that_nobody_but_the_provider_can_make_are_believed() -> None:
    assert not [name for name in oidc.ALGORITHMS if name.startswith("HS") or name == "none"]
