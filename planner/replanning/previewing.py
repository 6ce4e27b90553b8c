"""What would come of a wish for the rest of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from planner.domain import _check
from planner.errors import NotFoundError
from planner.fieldwork.domain import DayProgress, EventKind
from planner.plan_document import RepDay
from planner.replanning.calling import lost_promises
from planner.replanning.domain import LeftOut, Preview, Statement, Wish
from planner.replanning.mending import mended
from planner.replanning.telling import broken_rules, call_of, home_s, sentence
from planner.replanning.wishing import left_out, ordered, said_too, stated
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.alternatives import AgendaVisit
from planner.slots.desk import Desk
from planner.slots.lookups import Asked
from planner.slots.working_order import AgendaDay
from routing.repairing import moved
from routing.solution import Route

AS_ASKED = frozenset({EventKind.ORDER, EventKind.SICK})
"""Wishes that are shown as they are: whoever drags a stop wants to see what that does."""


def preview(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, wish: Wish, settings: Settings, now: datetime
) -> Preview:
    """The rest of a rep's day as it would be, mended with as few changes as possible. Reads only.

    What is sent carries nothing of the search but what the rep accepts with it; whatever is booked meanwhile finds its
    place when the day is refreshed. `unit` sees the whole area; whether the asking person may see the rep is for the
    caller to check.

    Raises:
        NotFoundError: there is no such rep or visit, or nobody knows where it is.
        InvalidRecordError: the wish makes no sense on this day; it names the field.
        SlotGoneError: no way leads along the day any more.
    """
    told = unit.day_progress.get(area, rep_id, day) or DayProgress(area, rep_id, day, 0)

    lookup = Asked(unit, area, settings)

    def desk_after(statements: Sequence[Statement]) -> Desk:
        supposed = said_too(told, statements) if statements else None
        return Desk.of(unit, agendas, area, rep_id, day, settings, supposed=supposed, lookup=lookup)

    before = desk_after([])
    said = stated(unit, before, told, wish, now)
    after, statements = desk_after([said]), [said]
    if wish.kind in (EventKind.ADDED, EventKind.RESTORED) and wish.visit_id not in after.day.order:
        _check(not told.sick, "visit_id", "cannot be made by somebody who is off sick: say first that they are not")
        raise NotFoundError(f"area {area} has no {wish.visit_id}, or nobody knows where that is")
    gone: list[LeftOut] = []
    if wish.kind not in AS_ASKED or (wish.kind is EventKind.SICK and not wish.sick):
        loose = {wish.visit_id} & set(after.day.order)
        repair = mended(after, {*told.added, *loose}, loose)
        order = [visit.id for visit in repair.order]
        insisted = [visit.id for visit, _ in repair.left_out if visit.promised and visit.id in loose]
        order += insisted  # whoever wants to keep a promise after all may, and sees what that breaks
        gone = [
            LeftOut(each.id, each.name, each.address, why) for each, why in repair.left_out if each.id not in insisted
        ]
        if wish.visit_id in {each.visit_id for each in gone}:  # what does not fit is not begun with
            return _nothing_of_it(before, said, _named(after, wish), gone)
        statements += [left_out(EventKind.SKIPPED, each.visit_id, each.why) for each in gone]
        if [visit.id for visit in after.day.visits if visit.id in order] != order:
            statements.append(ordered(after, order))
        if len(statements) > 1:
            after = desk_after(statements)
    if wish.kind is EventKind.SICK and wish.sick:
        gone = [
            LeftOut(each.id, each.name, each.address, "sick")
            for each in before.day.visits
            if not each.held and not each.promised
        ]
    return _told(before, after, said_too(told, statements), statements, _named(before, wish, after), gone)


def _named(desk: Desk, wish: Wish, *more: Desk) -> str:
    """The name of the visit that a wish is about."""
    listed = [visit for each in (desk, *more) for visit in each.day.listed]
    return next((visit.name for visit in listed if visit.id == wish.visit_id), wish.visit_id)


@dataclass(frozen=True)
class _Look:
    """A day as it is shown, and its rest as it is timed."""

    day: AgendaDay
    shown: RepDay | None
    route: Route | None

    @classmethod
    def at(cls, desk: Desk) -> _Look:
        visits: list[AgendaVisit] = [visit for visit in desk.day.listed if not visit.held]
        if desk.day.begun is None and (desk.row is None or desk.row.route is None):
            return cls(desk.day, desk.day.shown, desk.timing(visits))
        shown = cast(RepDay | None, desk.changed(desk.day.listed, shown=True).route)
        return cls(desk.day, shown, desk.timing(visits))


def _told(
    before_desk: Desk,
    desk: Desk,
    told: DayProgress,
    statements: Sequence[Statement],
    name: str,
    gone: Sequence[LeftOut],
) -> Preview:
    before, after = _Look.at(before_desk), _Look.at(desk)
    to_call = tuple(call_of(desk, lost) for lost in lost_promises(desk, after.route, dict(told.left_out)))
    broken = tuple(broken_rules(desk.day, after.shown, after.route))
    drives = [look.shown["totals"]["drive_seconds"] if look.shown else 0 for look in (before, after)]
    homes = [home_s(look.shown) for look in (before, after)]
    home_won = round(homes[0] - homes[1]) if homes[0] is not None and homes[1] is not None else 0
    changes = moved(before.day.order, after.day.order), drives[0] - drives[1], home_won
    return Preview(
        before.day.revision,
        before.shown,
        after.shown,
        tuple(statements),
        tuple(gone),
        to_call,
        broken,
        *changes,
        sentence(desk.day, statements[0], name, after.shown, gone, to_call, broken, changes),
    )


def _nothing_of_it(desk: Desk, said: Statement, name: str, gone: Sequence[LeftOut]) -> Preview:
    """The day stays as it is, since what the rep wants to make has no place in it."""
    look = _Look.at(desk)
    why = next(each.why for each in gone if each.visit_id == said.visit_id)
    alone = tuple(each for each in gone if each.visit_id == said.visit_id)
    words = f"{name} has no room in this day: {why}"
    return Preview(desk.day.revision, look.shown, look.shown, (), alone, (), (), 0, 0, 0, words)
