"""An installation with people who really log in, on a real store, and a clock that tests set."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from plan_cast import text_of
from werkzeug.test import TestResponse

from planner.access import SYSTEM, Role
from planner.audit import AuditEntry
from planner.people.accounts import NewUser, add_user
from planner.people.domain import User
from planner.people.fresh import new_id
from planner.people.keys import read_keys
from planner.people.passwords import hash_password
from planner.settings import LoginSettings, OidcSettings, Settings, WebSettings
from planner.storage import open_store
from planner.storage.store import SqlStore
from routing.area import Areas
from webui.app import create_app

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
    """A browser: cookies, forms as a person sends them, and the headers that browsers send along."""

    def __init__(self, app: Flask, base: str = "http://localhost") -> None:
        self.app = app
        self.base = base
        self.client: FlaskClient = app.test_client()

    def get(self, address: str, **options: Any) -> TestResponse:
        return self.client.get(address, base_url=self.base, **options)

    def page(self, address: str, status: int = 200) -> str:
        response = self.get(address)
        assert response.status_code == status, (response.status_code, response.headers.get("Location"))
        return response.get_data(as_text=True)

    def text(self, address: str, status: int = 200) -> str:
        return text_of(self.page(address, status))

    def send(self, page: str, action: str, **fields: Any) -> TestResponse:
        """Open a page, and send a form to `action` with what the page's forms carry."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.get(page).get_data(as_text=True))
        fields["csrf"] = csrf[1] if csrf else ""
        return self.post(action, **fields)

    def post(self, address: str, **fields: Any) -> TestResponse:
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(address, data=fields, headers=headers, base_url=self.base)

    def log_in(self, email: str, password: str = PASSWORD, going: str = "/") -> TestResponse:
        return self.send("/login", "/login", email=email, password=password, next=going)

    def cookie(self, name: str) -> str | None:
        host = self.base.partition("//")[2].partition(":")[0]
        found = self.client.get_cookie(name, domain=host)
        return found.value if found else None


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
        **options: Any,
    ) -> None:
        self.clock = Clock()
        self.store: SqlStore = open_store(f"sqlite:///{folder / 'fieldvisit.sqlite'}")
        for area in ("helsinki", "turku"):
            (folder / "areas" / area).mkdir(parents=True)
            (folder / "areas" / area / "area.json").write_text("{}")
        self.settings = Settings(
            home=folder,
            database_url="",
            web=web or WebSettings(),
            login=login or LoginSettings(),
            oidc=oidc or OidcSettings(),
        )
        self.keys = read_keys(folder, {})
        self.app = create_app(self.store, Areas(folder / "areas"), self.settings, self.clock, **options)
        if not empty:
            self.adele = self.person("adele", Role.ADMIN)
            self.mona = self.person("mona", Role.MANAGER)
            self.ann = self.person("ann", Role.FIELD_REP, "helsinki", frozenset({"ann"}))
            self.ines = self.person("ines", Role.INSIDE_REP)

    def person(self, name: str, role: Role, area: str | None = None, reps: frozenset[str] | None = None) -> User:
        new = NewUser(f"{name}@example.com", name.title(), role, area, reps)
        with self.store.write(SYSTEM) as unit:
            return add_user(unit, new, self.clock(), new_id(), _HASH)

    def browser(self, who: str = "") -> Browser:
        """A browser, with somebody logged in."""
        opened = Browser(self.app, self.settings.web.public_url or "http://localhost")
        if who:
            answer = opened.log_in(f"{who}@example.com")
            assert answer.status_code == 303, answer.get_data(as_text=True)
        return opened

    def with_phone(self, user: User, secret: str = "JBSWY3DPEHPK3PXP") -> pyotp.TOTP:
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

    def close(self) -> None:
        self.store.close()
