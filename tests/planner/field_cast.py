"""The cast of the field: Anna and Ben with their phones, in the town of bookings, on Tuesday 1 December at six.

The bakery and the kiosk are Anna's customers, the dairy is Ben's. The mill is an opportunity at the bakery's, promised
for Anna's Tuesday between ten and eleven; the forge is an opportunity that she has accepted, and that is in nobody's
plan; the barn is one that nobody has yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from cast import MONDAY, SETTINGS, TUESDAY, account, door, opportunity, promise, rep
from slots_cast import TOWN, SlotTown, slot_town

from planner.access import Actor, Scope
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import CheckIn, DayProgress, FieldEvent, FieldVisit, VisitReport
from planner.fieldwork.noticing import FieldConflict, conflicts_of
from planner.fieldwork.taking import Taken, take
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.handoffs.moving import By, Move, booked, move
from planner.handoffs.state import handoff_of, opportunity_of
from planner.handoffs.transitions import Action
from planner.repository import UnitOfWork

IRIS = "iris@example.com"
BAKERY, KIOSK, DAIRY = "account:bakery", "account:kiosk", "account:dairy"
MILL, FORGE, BARN = "opportunity:mill", "opportunity:forge", "opportunity:barn"
AT_SIX = datetime(2026, 12, 1, 18, tzinfo=UTC)
ACTORS = {
    "anna": Actor("user:anna", Scope(TOWN, frozenset({"anna"}), unassigned=False, drafts=False)),
    "ben": Actor("user:ben", Scope(TOWN, frozenset({"ben"}), unassigned=False, drafts=False)),
    "iris": Actor("user:iris", Scope(TOWN, frozenset(), unassigned=False, inside_rep=IRIS, drafts=False)),
    "max": Actor("user:max", Scope(TOWN)),
}


def event_id(name: object) -> str:
    """The same UUID for the same name."""
    return str(uuid5(NAMESPACE_DNS, str(name)))


def at(clock: str, day: date = TUESDAY) -> datetime:
    """A time of a day in the town, whose clocks are UTC's in winter."""
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC)


def sent(kind: str, visit: str = "", clock: str = "10:00", **how: Any) -> SentEvent:
    """What a phone sends on Anna's Tuesday; `rep`, `day`, `on` (of the clock), `id` and `base` say otherwise, and all
    else is the body."""
    rep_id, day = how.pop("rep", "anna"), how.pop("day", TUESDAY)
    made_at = at(clock, how.pop("on", day))
    base = how.pop("base", 0)
    name = how.pop("id", None) or f"{kind} {visit} {made_at} {rep_id} {day} {sorted(how.items())}"
    return SentEvent(event_id(name), rep_id, str(day), visit, kind, made_at.isoformat(), base, how)


@dataclass
class Field:
    """The town with its phones."""

    town: SlotTown

    def take(self, *events: SentEvent, who: str = "anna") -> list[Taken]:
        town = self.town
        return take(town.store, ACTORS[who], town.agendas, TOWN, events, town.settings, town.now)

    @contextmanager
    def reading(self, who: str = "max") -> Iterator[UnitOfWork]:
        with self.town.store.read(ACTORS[who].scope) as unit:
            yield unit

    def events(self) -> list[FieldEvent]:
        with self.reading() as unit:
            return unit.field_events.find(area=TOWN)

    def event(self, sent: SentEvent) -> FieldEvent:
        return next(event for event in self.events() if event.id == sent.id)

    def visit(self, visit: str = BAKERY, rep_id: str = "anna", day: date = TUESDAY) -> FieldVisit | None:
        with self.reading() as unit:
            return unit.field_visits.get(TOWN, rep_id, day, visit)

    def progress(self, rep_id: str = "anna", day: date = TUESDAY) -> DayProgress | None:
        with self.reading() as unit:
            return unit.day_progress.get(TOWN, rep_id, day)

    def reports(self) -> list[VisitReport]:
        with self.reading() as unit:
            return unit.visit_reports.find(area=TOWN)

    def check_ins(self, who: str = "max") -> list[CheckIn]:
        with self.reading(who) as unit:
            return unit.check_ins.find(area=TOWN)

    def handoff(self, id_: str = "mill") -> HandoffRow:
        with self.reading() as unit:
            return handoff_of(unit, TOWN, opportunity_of(unit, TOWN, id_), self.town.settings.gate)

    def conflicts(self, rep_id: str = "anna") -> list[FieldConflict]:
        with self.reading(rep_id) as unit:
            return conflicts_of(unit, TOWN, rep_id)

    def does(self, action: Action, id_: str = "mill", **said: Any) -> HandoffRow:
        """Max does something with a handoff on a page."""
        town, wanted = self.town, Move(action, self.handoff(id_).revision, **said)
        with town.store.write(ACTORS["max"]) as unit:
            by = By("user:max", Side.MANAGER)
            return move(unit, TOWN, id_, wanted, by, town.settings.gate, rep().zone, town.now)

    def promises(self, id_: str, rep_id: str, day: date, **changes: Any) -> None:
        """Iris promises a visit on the phone."""
        booking = promise(id_, rep_id, day, inside_rep=IRIS, **changes)
        booking = replace(booking, id=f"b-{id_}-{day}", made_at=self.town.now)
        with self.town.writing() as unit:
            unit.bookings.put(booking)
            booked(unit, booking, "user:iris", self.town.settings.gate)

    def audited(self) -> list[tuple[str, str, dict[str, Any]]]:
        with self.reading() as unit:
            return [(entry.action, entry.subject, dict(entry.details)) for entry in unit.audit_log.entries()]


def make_field(file: Path, copy_of: Path) -> Field:
    """The town with its people and handoffs, and the week planned and published."""
    town = slot_town(file, copy_of=copy_of)
    town.add((rep(), door()), (rep("ben"), door()))
    town.add(
        (account("bakery"), door(10)),
        (account("kiosk", last_visit=date(2026, 10, 1)), door(20)),
        (account("dairy", owner_rep_id="ben", last_visit=date(2026, 10, 1)), door(0, 15)),
        (opportunity("mill", account_id="bakery", inside_rep=IRIS), door(10)),
    )
    field = Field(town)
    field.promises("mill", "anna", TUESDAY)
    town.publish(MONDAY)
    town.add(
        (opportunity("forge", inside_rep=IRIS, qualified_at=None), door(5, 5)),
        (opportunity("barn", inside_rep=IRIS, qualified_at=None), door(6, 6)),
    )
    with town.writing() as unit:
        unit.handoffs.put(
            HandoffRow(
                TOWN, "forge", 1, HandoffState.ACCEPTED, town.now, Side.FIELD, "anna", "anna", learned="They bake"
            )
        )
    town.now = AT_SIX
    return field


class Fields:
    """The field over and over: one engine, which knows its statements already, on a file that is overwritten."""

    def __init__(self, folder: Path, empty: Path) -> None:
        made = folder / "made.sqlite"
        make_field(made, empty).town.store.close()
        self._file = folder / "field.sqlite"
        self._bytes = made.read_bytes()
        self._field = Field(slot_town(self._file, copy_of=made))

    def anew(self) -> Field:
        """As `make_field` has made it; what was given before is over."""
        self.close()
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        self._file.write_bytes(self._bytes)
        town = self._field.town
        town.now, town.settings = AT_SIX, SETTINGS
        town.with_settings()
        return self._field

    def close(self) -> None:
        self._field.town.store.close()


def settings_with(field: Field, **fieldwork: Any) -> None:
    """The field under other settings for phones."""
    field.town.with_settings(fieldwork=replace(SETTINGS.fieldwork, **fieldwork))
