"""A small plan in Helsinki that tests change at will, and an installation that shows it.

Ann (id `ann`) works on Monday and Tuesday, Ben (id `b/1`, as some systems number people) on Monday only.
"""

from __future__ import annotations

import json
import re
import sqlite3
import weakref
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from planner.access import PERMISSIONS, Actor, Role
from planner.domain import Location, Record
from planner.people.domain import Session, User
from planner.plan_document import FORMAT
from planner.repository import StoredPlan
from planner.settings import MapSettings, Settings
from planner.storage import open_store
from routing.area import Areas
from webui.app import create_app
from webui.policy import Viewer

MONDAY, TUESDAY = "2026-11-30", "2026-12-01"
HOME = {"address": "Kaisaniemenkatu 1, Helsinki", "lat": 60.1702, "lon": 24.9447}
MORNING = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


def viewer(role: Role = Role.ADMIN, **changes: Any) -> Viewer:
    """Somebody who is logged in."""
    usual: dict[str, Any] = {
        "id": f"u-{role}",
        "email": f"{role}@example.com",
        "name": f"The {role}",
        "area": None,
        "reps": None,
        "password_hash": "",
        "totp_secret": "",
        "totp_step": 0,
        "recovery_hashes": (),
        "disabled": False,
        "epoch": 1,
        "created_at": MORNING,
    }
    user = User(role=role, **(usual | changes))
    session = Session(f"s-{user.id}", user.id, 1, "csrf", MORNING, MORNING, "127.0.0.1", "tests")
    return Viewer(user, PERMISSIONS[role], Actor(f"user:{user.id}", user.scope), session)


BOSS = viewer()
"""May do everything."""


def at(time: str, day: str = MONDAY, plus: int = 0) -> str:
    """A moment of the plan, some minutes later."""
    minutes = int(time[:2]) * 60 + int(time[3:]) + plus
    return f"{day}T{minutes // 60:02}:{minutes % 60:02}:00+02:00"


def stop(number: int = 1, begin: str = "09:15", leave: str = "09:45", **changes: Any) -> dict[str, Any]:
    """A visit: arrived at five minutes earlier, after five minutes of driving."""
    return {
        "stop": number,
        "visit_id": f"account:A{number}",
        "record_ids": [f"A{number}"],
        "kind": "due",
        "name": f"Customer {number}",
        "address": f"Unioninkatu {number}, Helsinki",
        "lat": 60.1640 + number * 0.0008,
        "lon": 24.9520,
        "drive_seconds": 300,
        "drive_metres": 1400,
        "arrive": at(begin, plus=-5),
        "parking_minutes": 5,
        "begin": at(begin),
        "leave": at(leave),
        "why": "due on 2026-11-30: last visit 2026-11-02, every 28 days",
        "worth_minutes": 50,
        "worth_because": "segment B",
        "late": False,
        "deadline": None,
        "rides_with": [],
        "handoff_missing": [],
    } | changes


def stops_in_a_row(number: int) -> list[dict[str, Any]]:
    """Stops of twelve minutes, one every twenty-two."""
    begins = [at("09:10", plus=22 * place)[11:16] for place in range(number)]
    return [
        stop(place, begin, at(begin, plus=12)[11:16], lat=60.1630 + place * 0.0006, lon=24.9460 + place % 4 * 0.002)
        for place, begin in enumerate(begins, start=1)
    ]


def rep_day(
    rep_id: str = "ann", stops: Sequence[dict[str, Any]] | None = None, day: str = MONDAY, **changes: Any
) -> dict[str, Any]:
    """A day of a rep: two visits and lunch after them, unless told otherwise."""
    chosen = [stop(), stop(2, "09:55", "10:25")] if stops is None else list(stops)
    last = chosen[-1]["leave"][11:16] if chosen else "09:00"
    back = at(last, day, plus=5)
    for entry in chosen:
        for key in ("arrive", "begin", "leave"):
            entry[key] = day + entry[key][10:]
    return {
        "rep_id": rep_id,
        "rep_name": rep_id.title(),
        "date": day,
        "timezone": "Europe/Helsinki",
        "work_start": at("09:00", day),
        "work_end": at("17:00", day),
        "start": {**HOME, "time": at("09:05", day) if chosen else None},
        "stops": chosen,
        "end": {**HOME, "time": back if chosen else None},
        "return_drive_seconds": 300 if chosen else 0,
        "return_drive_metres": 1400 if chosen else 0,
        "break": None,
        "totals": {
            "visits": len(chosen),
            "drive_seconds": 300 * (len(chosen) + 1) if chosen else 0,
            "drive_metres": 1400 * (len(chosen) + 1) if chosen else 0,
            "service_minutes": 30 * len(chosen),
            "waiting_seconds": 0,
        },
    } | changes


def unplanned(record: str = "A9", **changes: Any) -> dict[str, Any]:
    return {
        "record_ids": [record],
        "kind": "due",
        "name": f"Left out {record}",
        "reason": "no_time_left",
        "sentence": "every day on which it could be is full",
        "worth_minutes": 40,
        "worth_because": "segment C",
    } | changes


def plan(rep_days: Sequence[dict[str, Any]] | None = None, **changes: Any) -> str:
    """plan.json."""
    days = list(rep_days) if rep_days is not None else [rep_day(), rep_day("b/1"), rep_day(day=TUESDAY)]
    stops = [entry for day in days for entry in day["stops"]]
    left_out = changes.get("unplanned", [])
    document = {
        "format": FORMAT,
        "area": "helsinki",
        "first_day": MONDAY,
        "last_day": TUESDAY,
        "timezone": "Europe/Helsinki",
        "limits": {"seed": 1, "seconds": 1.0, "work": None},
        "totals": {
            "visits": len(stops),
            "promises": sum(entry["kind"] == "appointment" for entry in stops),
            "unplanned": sum(entry.get("reason") != "seen_on_another_day" for entry in left_out),
            "drive_seconds": sum(day["totals"]["drive_seconds"] for day in days),
            "drive_metres": sum(day["totals"]["drive_metres"] for day in days),
            "cost_seconds": 0,
        },
        "rep_days": days,
        "unplanned": [],
        "returned_to_inside": [],
        "dormant": [],
        "notes": [],
    } | changes
    return json.dumps(document, ensure_ascii=False)


@lru_cache
def empty_database() -> bytes:
    """The file of a database without rows: migrating takes longer than most tests."""
    with TemporaryDirectory() as folder:
        open_store(f"sqlite:///{folder}/empty.sqlite").close()
        return Path(folder, "empty.sqlite").read_bytes()


class Office:
    """An installation: a store, areas, the app, and a client of it, with `viewer` logged in at `time.now`."""

    def __init__(
        self,
        folder: Path,
        map_settings: MapSettings | None = None,
        now: datetime = MORNING,
        viewer: Viewer | None = BOSS,
    ) -> None:
        self.folder = folder
        self.viewer = viewer
        self.database = folder / "fieldvisit.sqlite"
        self.database.write_bytes(empty_database())
        self.time = time = SimpleNamespace(now=now)  # not self: the store would keep it from ever being closed
        self.store = open_store(f"sqlite:///{self.database}", clock=lambda: time.now)
        weakref.finalize(self, self.store.close)
        settings = Settings(home=folder, database_url="", map=map_settings or MapSettings())
        self.app: Flask = create_app(self.store, Areas(folder), settings, lambda: time.now, lambda: self.viewer)
        self.client: FlaskClient = self.app.test_client()

    def keep(self, document: str, area: str = "helsinki", published_at: datetime | None = None) -> int:
        """Store a plan.json as the next version."""
        stored = StoredPlan(0, area, date(2026, 11, 30), 2, MORNING, published_at, 6, 0, 3600, document)
        with self.store.write(audited=False) as unit:
            return unit.plans(area).add(stored)

    def forget_plans(self) -> None:
        """As if no plan had ever been made, which nobody but a test can do."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute("DELETE FROM plans")

    def know(self, *values: Record | Location, area: str = "helsinki") -> None:
        """Store records and locations."""
        with self.store.write(audited=False) as unit:
            records = unit.records(area)
            records.save_locations([value for value in values if isinstance(value, Location)])
            for value in values:
                if not isinstance(value, Location):
                    records.save(value)

    def area(self, name: str = "helsinki") -> Path:
        """An area without streets or base map."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        (folder / "area.json").write_text("{}")
        return folder

    def text(self, address: str, status: int = 200) -> str:
        """What a page says to a reader: its text, white space made even."""
        return text_of(self.page(address, status))

    def page(self, address: str, status: int = 200) -> str:
        response = self.client.get(address)
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_data(as_text=True)


INLINE = frozenset({"a", "bdi", "i", "span", "strong", "small", "button", "code"})


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes, its text, its links and its identifiers."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self._silent = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        values = dict(attrs)
        self.links += [value for name in ("href", "src", "action") if (value := values.get(name))]
        self.ids += [value for name in ("id",) if (value := values.get(name))]
        self._silent = tag in ("script", "style")
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        self._apart(tag)

    def _apart(self, tag: str) -> None:
        if tag not in INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", "".join(Skeleton(page).words))
