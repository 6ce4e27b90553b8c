"""The cast of replanning: Anna's Tuesday in Flatland, and what her phone says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from cast import LONDON, TUESDAY, account, door, local, promise, rep
from slots_cast import IRENE, TOWN, SlotTown

from planner.fieldwork.domain import DayProgress, Disposition, FieldVisit
from planner.hours import instant
from planner.plan_document import RepDay
from planner.replanning.domain import Preview, Statement, Wish
from planner.replanning.previewing import preview
from planner.replanning.refreshing import refresh
from planner.replanning.wishing import said_too
from planner.slots.desk import Desk
from planner.slots.domain import Booking, ChangedDay


def at(clock: str, day: date = TUESDAY) -> datetime:
    """A time of the day in London."""
    return instant(local(f"{day} {clock}"), LONDON)


@dataclass
class Phone:
    """Anna's phone, whose statements are folded as `planner.fieldwork` folds them: into registers."""

    town: SlotTown
    day: date = TUESDAY
    rep_id: str = "anna"

    def visits(self, visit_id: str, arrived: str = "", left: str = "", disposition: Disposition | None = None) -> None:
        """What is known of a visit."""
        row = FieldVisit(
            TOWN,
            self.rep_id,
            self.day,
            visit_id,
            account_id="",
            opportunity_id="",
            inside_rep="",
            arrived_at=at(arrived, self.day) if arrived else None,
            left_at=at(left, self.day) if left else None,
            disposition=disposition,
        )
        with self.town.writing() as unit:
            unit.field_visits.put(row)
        self.refresh()

    def says(self, **registers: Any) -> None:
        """What is said of the rest of the day."""
        with self.town.writing() as unit:
            before = unit.day_progress.get(TOWN, self.rep_id, self.day)
            before = before or DayProgress(TOWN, self.rep_id, self.day, 0)
            unit.day_progress.put(replace(before, revision=before.revision + 1, **registers))
        self.refresh()

    def sends(self, statements: tuple[Statement, ...]) -> None:
        """What a preview has proposed."""
        with self.town.writing() as unit:
            before = unit.day_progress.get(TOWN, self.rep_id, self.day)
            before = before or DayProgress(TOWN, self.rep_id, self.day, 0)
            unit.day_progress.put(replace(said_too(before, statements), revision=before.revision + len(statements)))
        self.refresh()

    def refresh(self) -> ChangedDay | None:
        town = self.town
        return refresh(town.store, IRENE, town.agendas, TOWN, self.rep_id, self.day, town.settings)

    def asks(self, wish: Wish) -> Preview:
        town = self.town
        with town.reading() as unit:
            return preview(unit, town.agendas, TOWN, self.rep_id, self.day, wish, town.settings, town.now)

    def progress(self) -> DayProgress | None:
        with self.town.reading() as unit:
            return unit.day_progress.get(TOWN, self.rep_id, self.day)

    def stored(self) -> ChangedDay | None:
        with self.town.reading() as unit:
            return unit.changed_days.get(TOWN, self.rep_id, self.day)

    def shown(self) -> RepDay:
        """The day as everybody sees it."""
        for day in self.town.published()["rep_days"]:
            if (day["rep_id"], day["date"]) == (self.rep_id, str(self.day)):
                return day
        raise AssertionError("nothing is shown of this day")


def times(day: RepDay | None) -> list[str]:
    """Whom a day visits, by id, and when their visits begin."""
    stops = day["stops"] if day is not None else ()
    return [f"{stop['visit_id'].partition(':')[2]} {stop['begin'][11:16]}" for stop in stops]


def plan_a_tuesday(town: SlotTown) -> None:
    """Anna visits bakery, dairy and cafe, half an hour each, ten minutes' drive and five of parking apart; the plan is
    published for Tuesday alone."""
    town.add(
        (rep(), door()),
        (account("bakery"), door(10)),
        (account("cafe"), door(20)),
        (account("dairy"), door(30)),
    )
    town.publish(TUESDAY, days=1)


def promised(
    town: SlotTown, phone: Phone, id_: str, window: tuple[str, str], east: float, order: list[str], **more: Any
) -> Booking:
    """A promise to an opportunity that is there, in the order of the day."""
    booking = promise(id_, window=window, place=door(east), service_minutes=30, **more)
    town.book(booking, order)
    with town.writing() as unit:
        desk = Desk.of(unit, town.agendas, TOWN, booking.rep_id, booking.day, town.settings)
        unit.changed_days.put(desk.changed(desk.day.listed, shown=True))
    phone.refresh()
    return booking
