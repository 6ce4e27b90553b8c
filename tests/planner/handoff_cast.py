"""The cast of handoffs: Iris and Ines sell inside, Anna and Ben drive, Max manages; it is Monday, 30 November, 09:00.

The mill is Iris's, and everything about it is known; the bakery is Anna's customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cast import MONDAY, SETTINGS, account, door, located, opportunity, rep

from planner.access import Actor, Role, Scope
from planner.domain import Address, Opportunity, Record
from planner.handoffs.answering import Told, record_opportunity
from planner.handoffs.conflicts import Directories
from planner.handoffs.domain import HandoffEvent, HandoffRow, HandoffState, RejectReason
from planner.handoffs.handing import HandOff, hand_off
from planner.handoffs.moving import By, Move, booked, move, unbooked
from planner.handoffs.state import handoff_of, history, opportunity_of
from planner.handoffs.transitions import Action
from planner.plan_document import write_plan
from planner.repository import StoredPlan
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState, Meaning
from planner.storage import SqlStore
from routing.geo import LatLon

AREA = "town"
IRIS, INES = "iris@example.com", "ines@example.com"
SCOPES = {
    "iris": (Role.INSIDE_REP, Scope(AREA, frozenset(), unassigned=False, inside_rep=IRIS, drafts=False)),
    "ines": (Role.INSIDE_REP, Scope(AREA, frozenset(), unassigned=False, inside_rep=INES, drafts=False)),
    "anna": (Role.FIELD_REP, Scope(AREA, frozenset({"anna"}), unassigned=False, drafts=False)),
    "ben": (Role.FIELD_REP, Scope(AREA, frozenset({"ben"}), unassigned=False, drafts=False)),
    "max": (Role.MANAGER, Scope(AREA)),
}
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
LEARNED, WHY = "They buy in spring", "Nobody there decides"


def actor(who: str) -> Actor:
    return Actor(f"user:{who}", SCOPES[who][1])


def by(who: str) -> By:
    return By.person(actor(who), SCOPES[who][0])


def mill(**changes: Any) -> Opportunity:
    """Iris's, with everything known, and no customer so far."""
    usual: dict[str, Any] = {"inside_rep": IRIS, "notes": "Ask for the miller", "qualified_at": None}
    return opportunity("mill", **(usual | changes))


def booking(id_: str = "b1", **changes: Any) -> Booking:
    """An hour with Ben at the mill on Tuesday at ten."""
    begin = datetime(2026, 12, 1, 10, tzinfo=UTC)
    usual = Booking(
        AREA, id_, "ben", date(2026, 12, 1), BookingState.PROMISED, "mill", "Mill", "mill road", 0.0, 0.0, 60,
        begin, begin + timedelta(hours=1), Meaning.ARRIVE, "", frozenset(), IRIS, "user:iris", NINE, None,
    )  # fmt: skip
    return replace(usual, **changes)


@dataclass
class Desk:
    """A store with the cast's records in it, and a clock."""

    store: SqlStore
    settings: Settings = SETTINGS
    now: datetime = NINE
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    directories: Directories = field(default_factory=Directories)

    def know(self, *records: Record, place: LatLon | None = None) -> None:
        with self.store.write() as unit:
            unit.records(AREA).save_all(records)
            unit.records(AREA).save_locations([located(record, place or door()) for record in records])
            unit.audit("test.known", area=AREA)

    def locate(self, record: Record, place: LatLon) -> None:
        with self.store.write() as unit:
            unit.records(AREA).save_locations([located(record, place)])
            unit.audit("test.known", area=AREA)

    def writes(
        self, deal: Opportunity, told: Mapping[str, Told] | None = None, revision: int = 0, who: str = "iris"
    ) -> HandoffRow:
        """An inside rep writes an opportunity down, or changes it."""
        with self.store.write(actor(who)) as unit:
            return record_opportunity(unit, AREA, deal, told or {}, revision, by(who), self.settings.gate, self.now)

    def deal(self, id_: str = "mill") -> Opportunity:
        with self.store.read() as unit:
            return opportunity_of(unit, AREA, id_)

    def row(self, id_: str = "mill", who: str = "max") -> HandoffRow:
        with self.store.read(SCOPES[who][1]) as unit:
            return handoff_of(unit, AREA, opportunity_of(unit, AREA, id_), self.settings.gate)

    def state(self, id_: str = "mill") -> HandoffState:
        return self.row(id_).state

    def history(self, id_: str = "mill", who: str = "max") -> list[HandoffEvent]:
        with self.store.read(SCOPES[who][1]) as unit:
            return history(unit, AREA, id_)

    def told(self, id_: str = "mill") -> list[tuple[str, str]]:
        return [(event.action, event.text) for event in self.history(id_)]

    def hands_off(self, who: str = "iris", id_: str = "mill", **how: Any) -> HandoffRow:
        """Somebody hands off what they have looked at."""
        asked = HandOff(id_, how.pop("revision", self.row(id_).revision), **how)
        return hand_off(self.store, actor(who), self.directories, AREA, asked, by(who), self.settings, self.now)

    def does(self, who: str, action: Action, id_: str = "mill", **said: Any) -> HandoffRow:
        """Somebody does something, having seen the newest state, and says what is needed."""
        revision = said.pop("revision", None)
        wanted = Move(action, self.row(id_).revision if revision is None else revision, **said)
        with self.store.write(actor(who)) as unit:
            return move(unit, AREA, id_, wanted, by(who), self.settings.gate, self.zone, self.now)

    def promises(self, promise: Booking | None = None, who: str = "iris") -> HandoffRow:
        """A visit is booked as planner.slots does it."""
        promise = promise or booking()
        with self.store.write(actor(who)) as unit:
            unit.bookings.put(promise)
            booked(unit, promise, f"user:{who}", self.settings.gate)
            unit.audit("booking.promised", promise.id, area=AREA)
        return self.row()

    def cancels(self, promise: Booking | None = None, why: str = "They are away") -> HandoffRow:
        promise = promise or booking()
        with self.store.write(actor("iris")) as unit:
            unit.bookings.put(replace(promise, state=BookingState.CANCELLED, ended_at=self.now, reason=why))
            unbooked(unit, promise, why, "user:iris", self.settings.gate)
            unit.audit("booking.cancelled", promise.id, area=AREA)
        return self.row()

    def bring_to(self, state: HandoffState) -> HandoffRow:
        """The mill in a state, with Ben, by the shortest way there."""
        said = {"why": WHY, "learned": LEARNED, "kind": RejectReason.CLERICAL, "rep": "ben"}
        if state is not HandoffState.DRAFT:
            self.hands_off()
        way = {
            HandoffState.ACCEPTED: (Action.ACCEPT,),
            HandoffState.REJECTED: (Action.ASSIGN, Action.REJECT),
            HandoffState.VISITED: (Action.REPORT,),
            HandoffState.WON: (Action.ACCEPT, Action.WIN),
            HandoffState.LOST: (Action.ACCEPT, Action.LOSE),
            HandoffState.RETURNED: (Action.ACCEPT, Action.RETURN),
        }
        for action in way.get(state, ()):
            self.does("max", action, **said)
        if state is HandoffState.BOOKED:
            self.promises()
        assert self.state() is state
        return self.row()

    def publishes(self, plan: Any) -> int:
        """A plan becomes the one that reps see."""
        document = write_plan(plan)
        with self.store.write() as unit:
            plans = unit.plans(AREA)
            version = plans.add(StoredPlan(0, AREA, MONDAY, 5, self.now, None, 1, 0, 0, document))
            plans.publish(version, self.now)
            unit.audit("test.published", area=AREA)
        return version

    def audited(self) -> list[str]:
        with self.store.read() as unit:
            return [entry.action for entry in unit.audit_log.entries() if not entry.action.startswith("test.")]


def staff(store: SqlStore) -> None:
    """Anna, Ben, the bakery, and the mill, which Iris has written down."""
    desk = Desk(store)
    desk.know(rep("anna"), rep("ben"))
    desk.know(account("bakery", name="The Bakery Ltd", address=Address("1 Oven Lane")), place=door(3, 3))
    desk.writes(mill())
    desk.locate(mill(), door(20, 20))
