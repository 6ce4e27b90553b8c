"""An installation with people who really log in, on a real store, and a clock that tests set."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from plan_cast import empty_database, text_of
from werkzeug.test import TestResponse

from planner.access import SYSTEM, Permission, Role
from planner.audit import AuditEntry
from planner.people.accounts import NewUser, add_user
from planner.people.domain import User
from planner.people.fresh import new_id
from planner.people.keys import read_keys
from planner.people.passwords import hash_password
from planner.people.sessions import start_session
from planner.people.tokens import issue_token
from planner.settings import LoginSettings, OidcSettings, Settings, WebSettings
from planner.storage import open_store
from planner.storage.store import SqlStore
from routing.area import Areas
from webui.app import create_app
from webui.auth.authenticating import SESSION_COOKIE
from webui.policy import Policy, policy_of

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
PASSWORD = "five quiet herons"
_HASH = hash_password(PASSWORD)
HTTPS = WebSettings(public_url="https://visits.example.com")


@dataclass
class Clock:
    """Tells the time that it is set to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Browser:
    """A browser: its cookies, forms as a person sends them, and the headers that browsers send along."""

    def __init__(self, app: Flask, base: str = "http://localhost") -> None:
        self.base = base
        self.csrf = ""
        self.client: FlaskClient = app.test_client()

    def get(self, address: str, **options: Any) -> TestResponse:
        return self.client.get(address, base_url=self.base, **options)

    def page(self, address: str, status: int = 200) -> str:
        response = self.get(address)
        assert response.status_code == status, (response.status_code, response.headers.get("Location"))
        return response.get_data(as_text=True)

    def text(self, address: str, status: int = 200) -> str:
        return text_of(self.page(address, status))

    def send(self, address: str, **fields: Any) -> TestResponse:
        """Send a form of a page that was loaded with the present session."""
        return self.post(address, csrf=self.csrf, **fields)

    def open_and_send(self, page: str, address: str, **fields: Any) -> TestResponse:
        """Load a page, and send a form of it."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.get(page).get_data(as_text=True))
        assert csrf is not None
        return self.post(address, csrf=csrf[1], **fields)

    def post(self, address: str, **fields: Any) -> TestResponse:
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(address, data=fields, headers=headers, base_url=self.base)

    def log_in(self, email: str, password: str = PASSWORD, going: str = "/") -> TestResponse:
        return self.open_and_send("/login", "/login", email=email, password=password, next=going)

    def enter_code(self, answer: TestResponse, code: str) -> TestResponse:
        """The second step, on the page that the first one answered."""
        return self.post("/login/code", **_hidden(answer.get_data(as_text=True)), code=code)

    def is_in(self) -> bool:
        return self.get("/account").status_code == 200

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name, domain=self._host)
        return found.value if found else None

    def take(self, name: str, value: str) -> None:
        """Have a cookie, whoever it is from."""
        name = f"__Host-{name}" if self.base.startswith("https:") else name
        self.client.set_cookie(name, value, domain=self._host, secure=self.base.startswith("https:"))

    @property
    def _host(self) -> str:
        return self.base.partition("//")[2].partition(":")[0]


def _hidden(page: str) -> dict[str, str]:
    form = page[page.index("<form method") :].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


class Company:
    """Adele administers, Mona manages, Ann is a field rep in Helsinki, Ines an inside rep; or nobody is there yet."""

    adele: User
    mona: User
    ann: User
    ines: User

    def __init__(
        self,
        folder: Path,
        web: WebSettings | None = None,
        login: LoginSettings | None = None,
        oidc: OidcSettings | None = None,
        empty: bool = False,
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        database = folder / "fieldvisit.sqlite"
        database.write_bytes(empty_database())
        self.store: SqlStore = open_store(f"sqlite:///{database}")
        weakref.finalize(self, self.store.close)
        for area in ("helsinki", "turku"):
            (folder / "areas" / area).mkdir(parents=True)
            (folder / "areas" / area / "area.json").write_text("{}")
        self.settings = Settings(
            home=folder,
            database_url="",
            web=web or WebSettings(),
            login=login or LoginSettings(),
            oidc=oidc or OidcSettings(),
            **settings,
        )
        self.keys = read_keys(folder, {})
        self.app = create_app(self.store, Areas(folder / "areas"), self.settings, self.clock)
        if not empty:
            self.adele = self.person("adele", Role.ADMIN)
            self.mona = self.person("mona", Role.MANAGER)
            self.ann = self.person("ann", Role.FIELD_REP, "helsinki", frozenset({"ann"}))
            self.ines = self.person("ines", Role.INSIDE_REP)

    def person(self, name: str, role: Role, area: str | None = None, reps: frozenset[str] | None = None) -> User:
        new = NewUser(f"{name}@example.com", name.title(), role, area, reps)
        with self.store.write(SYSTEM) as unit:
            return add_user(unit, new, self.clock(), new_id(), _HASH)

    def browser(self, who: User | None = None) -> Browser:
        """A browser, with somebody logged in."""
        opened = Browser(self.app, self.settings.web.public_url or "http://localhost")
        if who is not None:
            with self.store.write(SYSTEM, audited=False) as unit:
                secret, session = start_session(unit, self.stored(who), self.clock(), "127.0.0.1", "tests")
            opened.take(SESSION_COOKIE, secret)
            opened.csrf = session.csrf
        return opened

    def token(self, owner: User, *permissions: Permission) -> dict[str, str]:
        """The header of a program of theirs."""
        with self.store.write(SYSTEM) as unit:
            text, _ = issue_token(unit, owner, "a program", permissions, None, self.clock(), self.settings.login)
        return {"Authorization": f"Bearer {text}"}

    def with_phone(self, user: User, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> pyotp.TOTP:
        """Give somebody a second factor."""
        sealed = self.keys.seal(f"second factor of {user.id}", secret, self.clock())
        with self.store.write(SYSTEM, audited=False) as unit:
            stored = unit.users.get(user.id)
            assert stored is not None
            unit.users.put(replace(stored, totp_secret=sealed))
        return pyotp.TOTP(secret)

    def stored(self, user: User) -> User:
        with self.store.read() as unit:
            found = unit.users.get(user.id)
        assert found is not None
        return found

    def sessions(self) -> int:
        with self.store.read() as unit:
            return len(unit.sessions.find())

    def audit(self) -> list[AuditEntry]:
        with self.store.read() as unit:
            return unit.audit_log.entries()


@dataclass(frozen=True)
class Call:
    """A way to call a route of the URL map."""

    method: str
    address: str
    endpoint: str
    policy: Policy


def calls(app: Flask, **values: object) -> list[Call]:
    """Every route and method that the app knows, with something that fits in the place of each variable."""
    known = {"area": "helsinki", "day": "2026-11-30", **values}
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        made = {name: known.get(name, "1") for name in rule.arguments}
        for name, converter in rule._converters.items():
            if name not in known and converter.regex.startswith(r"\d"):
                made[name] = 1
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append(Call(method, adapter.build(rule.endpoint, made, method=method), rule.endpoint, policy))
    return found
