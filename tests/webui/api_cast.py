"""An installation with a real store, and programs that ask it with real tokens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from plan_cast import MONDAY, plan, rep_day, stop, unplanned

from planner.access import PERMISSIONS, Permission, Role
from planner.domain import Account, Address, Location, Opportunity, RecordKind, Rep
from planner.people.accounts import NewUser, add_user
from planner.people.fresh import new_id
from planner.people.tokens import issue_token
from planner.repository import StoredPlan
from planner.settings import LoginSettings, Settings
from planner.storage import SqlStore, open_store
from routing.area import Areas
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon
from webui.app import create_app
from webui.auth.authenticating import authenticate as by_session
from webui.policy import Authenticate

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
LOGIN = LoginSettings()
HARBOUR = LatLon(60.17, 24.95)


def rep(id: str = "ann", **changes: Any) -> Rep:
    usual: dict[str, Any] = {
        "name": id.title(),
        "email": f"{id}@example.com",
        "start_address": Address("Kaisaniemenkatu 1, Helsinki"),
        "end_address": None,
        "timezone": "Europe/Helsinki",
        "work_days": frozenset(range(5)),
        "work_start": time(9),
        "work_end": time(17),
    }
    return Rep(id=id, **(usual | changes))


def account(id: str = "A1", **changes: Any) -> Account:
    usual: dict[str, Any] = {"name": f"Customer {id}", "address": Address("Unioninkatu 1", "Helsinki")}
    return Account(id=id, **(usual | changes))


def opportunity(id: str = "O1", **changes: Any) -> Opportunity:
    usual: dict[str, Any] = {"name": f"Deal {id}", "address": Address("Unioninkatu 9", "Helsinki"), "need": "yes"}
    return Opportunity(id=id, **(usual | changes))


class Building:
    """An app for one test after the other, since making one takes a while; each brings its own store and clock."""

    store: SqlStore
    now: datetime

    def __init__(self, home: Path, authenticate: Authenticate = by_session) -> None:
        for area in ("helsinki", "porvoo"):
            (home / "areas" / area).mkdir(parents=True)
            (home / "areas" / area / "area.json").write_text("{}")
        self.template = home / "template.sqlite"
        open_store(f"sqlite:///{self.template}").close()
        settings = Settings(home=home, database_url="")
        self.app = create_app(self, Areas(settings.areas), settings, lambda: self.now, authenticate)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class Installation:
    """A store with the areas `helsinki` and `porvoo`, and the app."""

    def __init__(self, building: Building, folder: Path) -> None:
        shutil.copy(building.template, folder / "fieldvisit.sqlite")
        self.building = building
        self.store = building.store = open_store(f"sqlite:///{folder / 'fieldvisit.sqlite'}")
        self.now = NOW
        self.keys = count(1)
        self.app = building.app
        self.client = self.app.test_client()

    @property
    def now(self) -> datetime:
        return self.building.now

    @now.setter
    def now(self, moment: datetime) -> None:
        self.building.now = moment

    def keep(self, *records: Rep | Account | Opportunity, area: str = "helsinki") -> None:
        with self.store.write() as unit:
            unit.records(area).save_all(records)
            unit.audit("records.imported", area=area)

    def keep_plan(self, document: str = "", *, published: bool = True) -> int:
        """Ann visits A1 and A2, and A9 is left out, unless another plan is given."""
        usual = plan([rep_day(stops=[stop(), stop(2, "09:55", "10:25")]), rep_day("ben")], unplanned=[unplanned()])
        with self.store.write() as unit:
            number = unit.plans("helsinki").add(
                StoredPlan(0, "helsinki", date(2026, 11, 30), 2, NOW, None, 4, 1, 3600, document or usual)
            )
            if published:
                unit.plans("helsinki").publish(number, NOW)
            unit.audit("plan.made", str(number), area="helsinki")
        return number

    def keep_review(self, id: str = "A1") -> None:
        """The address of an account waits for a person, with two candidates."""
        candidates = tuple(Candidate(HARBOUR, f"Unioninkatu {n}", 0.5) for n in (1, 2))
        address = account(id).address
        with self.store.write() as unit:
            unit.records("helsinki").save_locations(
                [Location(RecordKind.ACCOUNT, id, address, Verdict.REVIEW, None, 0.5, "", "Two fit.", candidates)]
            )
            unit.audit("addresses.geocoded", area="helsinki")

    def program(
        self, role: Role = Role.ADMIN, *permissions: Permission, expires: timedelta | None = None, **scope: Any
    ) -> Program:
        """A program of a new person with this role, with some of their permissions or all."""
        new = NewUser(f"{role}-{next(self.keys)}@example.com", f"The {role}", role, **scope)
        with self.store.write() as unit:
            user = add_user(unit, new, self.now, new_id())
            text, token = issue_token(
                unit, user, "test", permissions or PERMISSIONS[role], expires and self.now + expires, self.now, LOGIN
            )
        return Program(self, text, user.id, token.id)


class Program:
    """Sends requests with a token."""

    def __init__(self, office: Installation, token: str, user_id: str = "", token_id: str = "") -> None:
        self.office = office
        self.user_id = user_id
        self.token_id = token_id
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, status: int = 0, key: str | None = "", **options: Any) -> Any:
        """The response to a request below /api/v1, with a new Idempotency-Key unless one is given."""
        headers = self.headers | options.pop("headers", {})
        if method != "GET" and key is not None:
            headers["Idempotency-Key"] = key or f"key-{next(self.office.keys)}"
        response = self.office.client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        assert status in (0, response.status_code), (response.status_code, response.get_data(as_text=True))
        if response.status_code >= 400:
            assert response.mimetype == "application/problem+json", response.get_data(as_text=True)
            assert response.get_json()["status"] == response.status_code
        return response

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        return self.ask("GET", path, status, **options).get_json()

    def put(self, path: str, json: Any, status: int = 200, **options: Any) -> Any:
        return self.ask("PUT", path, status, json=json, **options).get_json()

    def post(self, path: str, json: Any = None, status: int = 200, **options: Any) -> Any:
        body = {} if json is None else {"json": json}
        return self.ask("POST", path, status, **body, **options).get_json()

    def delete(self, path: str, status: int = 200, **options: Any) -> Any:
        return self.ask("DELETE", path, status, **options).get_json()

    def refused(self, path: str, json: Any, method: str = "PUT") -> dict[str, str]:
        """The pointers of the values that are refused, each with the reason."""
        problem = self.ask(method, path, 422, json=json).get_json()
        return {error["pointer"]: error["detail"] for error in problem["errors"]}


@pytest.fixture(scope="session")
def building(tmp_path_factory: pytest.TempPathFactory) -> Building:
    return Building(tmp_path_factory.mktemp("building"))


@pytest.fixture
def office(tmp_path: Path, building: Building) -> Iterator[Installation]:
    installation = Installation(building, tmp_path)
    yield installation
    installation.store.close()


@pytest.fixture
def admin(office: Installation) -> Program:
    return office.program()


__all__ = ["MONDAY", "Installation", "Program", "account", "admin", "building", "office", "opportunity", "rep"]
