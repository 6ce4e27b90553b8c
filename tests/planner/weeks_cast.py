"""The cast of weeks that have passed: an office in town of which plans, visits, promises and handoffs are written down.

Anna and Ben drive, Iris and Otto sell inside, Max manages everybody and Mia only Anna; Ada administers. It is noon on
Tuesday 1 December 2026; the plans are those of `plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cast import account, opportunity, promise, rep

from planner.access import Role
from planner.domain import Record
from planner.fieldwork.domain import DayProgress, Disposition, FieldVisit
from planner.handoffs.domain import HandoffEvent, HandoffState
from planner.people.accounts import NewUser, add_user
from planner.people.domain import User
from planner.plan_document import RepDay, Stop, write_plan
from planner.repository import StoredPlan
from planner.settings import CalendarSettings, Settings, WebSettings
from planner.slots.domain import Booking
from planner.storage import SqlStore, open_store

TODAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PEOPLE = {
    "ada": (Role.ADMIN, None, None),
    "max": (Role.MANAGER, "town", None),
    "mia": (Role.MANAGER, "town", frozenset({"anna"})),
    "iris": (Role.INSIDE_REP, "town", None),
    "otto": (Role.INSIDE_REP, "town", None),
    "anna": (Role.FIELD_REP, "town", frozenset({"anna"})),
    "ben": (Role.FIELD_REP, "town", frozenset({"ben"})),
}


def stop(number: int, day: date, visit_id: str) -> Stop:
    begin = datetime(day.year, day.month, day.day, 8 + number, tzinfo=UTC)
    record, _, name = visit_id.partition(":")
    kind = "opportunity" if record == "opportunity" else "due"
    return Stop(
        stop=number, visit_id=visit_id, record_ids=[name], kind=kind, name=name.title(), address="Bridge Street",
        lat=51.5, lon=-3.0, drive_seconds=600, drive_metres=5000, arrive=begin.isoformat(), parking_minutes=5,
        begin=begin.isoformat(), leave=(begin + timedelta(minutes=30)).isoformat(), why="due", worth_minutes=None,
        worth_because=None, late=False, deadline=None, rides_with=[], handoff_missing=[],
    )  # fmt: skip


def rep_day(rep_id: str, day: date, *visits: str) -> RepDay:
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC).isoformat()
    ends: Any = {"address": "1 Office Park", "lat": 51.5, "lon": -3.0, "time": at}
    return {
        "rep_id": rep_id, "rep_name": rep_id.title(), "date": str(day), "timezone": "Europe/London",
        "work_start": at, "work_end": at.replace("08:", "17:"), "break": None, "start": ends,
        "stops": [stop(number, day, visit) for number, visit in enumerate(visits, 1)], "end": ends,
        "return_drive_seconds": 0, "return_drive_metres": 0,
        "totals": {"visits": len(visits), "drive_seconds": 0, "drive_metres": 0, "service_minutes": 0,
                   "waiting_seconds": 0},
    }  # fmt: skip


@lru_cache
def empty_database() -> bytes:
    """The file of a database without rows: migrating takes longer than most tests."""
    with TemporaryDirectory() as folder:
        open_store(f"sqlite:///{folder}/empty.sqlite").close()
        return Path(folder, "empty.sqlite").read_bytes()


@dataclass
class Weeks:
    """The office; `now` is moved at will."""

    folder: Path
    settings: Settings = field(init=False)
    store: SqlStore = field(init=False)
    now: datetime = NOON
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        (self.folder / "weeks.sqlite").write_bytes(empty_database())
        url = f"sqlite:///{self.folder}/weeks.sqlite"
        self.store = open_store(url, clock=lambda: self.now)
        self.settings = Settings(
            home=self.folder,
            database_url=url,
            calendar=CalendarSettings("GB", "WLS"),
            web=WebSettings(public_url="https://visits.example.com"),
        )
        with self.store.write(audited=False) as unit:
            for name, (role, area, reps) in PEOPLE.items():
                add_user(unit, NewUser(f"{name}@example.com", name.title(), role, area, reps), NOON, f"id-{name}")
        self.know(rep("anna"), rep("ben"))

    def user(self, name: str) -> User:
        with self.store.read() as unit:
            found = unit.users.get(f"id-{name}")
        assert found
        return found

    def change(self, name: str, **changes: Any) -> User:
        with self.store.write(audited=False) as unit:
            found = unit.users.get(f"id-{name}")
            assert found
            unit.users.put(changed := replace(found, **changes))
        return changed

    def know(self, *records: Record) -> None:
        with self.store.write(audited=False) as unit:
            unit.records("town").save_all(records)

    def customers(self, *names: str, **changes: Any) -> None:
        self.know(*(account(name, **changes) for name in names))

    def deals(self, *names: str, **changes: Any) -> None:
        usual = {"inside_rep": "iris@example.com"}
        self.know(*(opportunity(name, **(usual | changes)) for name in names))

    def plan(
        self,
        days: Mapping[tuple[str, date], Sequence[str]],
        published_at: datetime | None = None,
        unplanned: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Publish a plan of some reps' days, by the ids of their visits."""
        first, last = min(day for _, day in days), max(day for _, day in days)
        at = published_at or datetime(first.year, first.month, first.day, 5, tzinfo=UTC)
        left: Any = [
            {"record_ids": ["x"], "kind": "due", "name": "X", "reason": "no_time_left", "sentence": "x",
             "worth_minutes": None, "worth_because": None} | dict(entry)
            for entry in unplanned
        ]  # fmt: skip
        document = write_plan({
            "format": "fieldvisit-plan/1", "area": "town", "first_day": str(first), "last_day": str(last),
            "timezone": "Europe/London", "limits": {"seed": 1, "seconds": 1.0, "work": None},
            "totals": {"visits": 0, "promises": 0, "unplanned": 0, "drive_seconds": 0, "drive_metres": 0,
                       "cost_seconds": 0},
            "rep_days": [rep_day(rep_id, day, *visits) for (rep_id, day), visits in days.items()],
            "unplanned": left, "returned_to_inside": [], "dormant": [], "notes": [],
        })  # fmt: skip
        with self.store.write(audited=False) as unit:
            plan = StoredPlan(0, "town", first, (last - first).days + 1, at, at, 0, 0, 0, document)
            unit.plans("town").add(plan)

    def visit(self, rep_id: str, day: date, visit_id: str, clock: str | None = "09:00", **how: Any) -> None:
        """A visit that was made, met and reported, unless told otherwise; without a clock nobody checked in."""
        at = None if clock is None else datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC)
        kind, _, id_ = visit_id.partition(":")
        usual: dict[str, Any] = {
            "account_id": id_ if kind == "account" else "",
            "opportunity_id": id_ if kind == "opportunity" else "",
            "inside_rep": "iris@example.com",
            "arrived_at": at,
            "report_id": "report",
            "disposition": Disposition.MET,
        }
        with self.store.write(audited=False) as unit:
            unit.field_visits.put(FieldVisit("town", rep_id, day, visit_id, **(usual | how)))

    def says(self, rep_id: str, day: date, **what: Any) -> None:
        with self.store.write(audited=False) as unit:
            unit.day_progress.put(DayProgress("town", rep_id, day, 1, **what))

    def promises(self, *promises: Booking) -> None:
        with self.store.write(audited=False) as unit:
            for booking in promises:
                unit.bookings.put(booking)

    def happened(self, action: str, deal: str, at: datetime, actor: str = "user:id-iris", text: str = "") -> None:
        """Something that happened to an opportunity."""
        with self.store.write(audited=False) as unit:
            event = HandoffEvent("town", deal, next(self.numbers), at, actor, action, HandoffState.HANDED_OFF, text)
            unit.handoff_events.put(event)

    def write(self, what: Any) -> Any:
        """Something done in a transaction of its own, whose answer it is."""
        with self.store.write() as unit:
            return what(unit)

    def audited(self) -> list[str]:
        with self.store.read() as unit:
            return [entry.action for entry in unit.audit_log.entries()]

    def read(self, what: Any) -> Any:
        with self.store.read() as unit:
            return what(unit)


def booked(name: str, rep_id: str = "anna", day: date = TODAY, **changes: Any) -> Booking:
    """A promise that Iris made this morning, for ten to eleven."""
    who = changes.pop("who", "iris")
    usual = {"made_by": f"user:id-{who}", "inside_rep": f"{who}@example.com"}
    return promise(name, rep_id, day, **(usual | {"made_at": datetime(2026, 12, 1, 9, tzinfo=UTC)} | changes))
