"""A rep's day: the visits of the published plan, and the note on it."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import Field

from planner.access import Permission
from planner.domain import MAX_TEXT
from planner.errors import NotFoundError
from planner.rep_days import RepDayNote, read_note, write_note
from planner.repository import UnitOfWork
from webui.api.operation import Reply, Write, operation, store
from webui.api.plans import RepDayDocument, shown_plan
from webui.api.records import area_named
from webui.api.values import Model
from webui.policy import allow, viewer


class Note(Model):
    """What people wrote about a rep's day."""

    text: str
    revision: Annotated[int, Field(description="Goes up with every change, from 0 for none.")]


class NoteChange(Model):
    """What the note shall say, and the revision that this is a change of."""

    text: Annotated[str, Field(max_length=MAX_TEXT, examples=["Car in the garage until ten"])]
    revision: Annotated[int, Field(ge=0, lt=2**31)]


class RepDayShown(Model):
    """A rep's day in a plan, as in docs/plan-format.md."""

    version: int
    published: bool
    rep_day: RepDayDocument  # type: ignore[valid-type]
    note: Note


@operation("GET", "/areas/<area>/days/<day>/<anything:rep_id>", {200: RepDayShown}, tag="days")
@allow(Permission.SEE_DAYS)
def get_rep_day(area: str, day: str, rep_id: str) -> Reply:
    """A rep's day of the plan that was published last, or else of the newest."""
    on = day_named(day)
    with store().read(viewer().scope) as unit:
        stored, document = shown_plan(unit, area_named(area).name, None)
        note = read_note(unit, area, rep_id, on)
    for rep_day in document["rep_days"]:
        if (rep_day["rep_id"], rep_day["date"]) == (rep_id, day):
            return Reply(
                RepDayShown(
                    version=stored.version,
                    published=stored.published_at is not None,
                    rep_day=RepDayDocument.model_validate(rep_day),
                    note=_note(note),
                )
            )
    raise NotFoundError(f"rep {rep_id} has nothing on {day} in this plan")


@operation("GET", "/areas/<area>/notes/<day>/<anything:rep_id>", {200: Note}, tag="days")
@allow(Permission.SEE_DAYS)
def get_note(area: str, day: str, rep_id: str) -> Reply:
    """The note on a rep's day."""
    on = day_named(day)
    with store().read(viewer().scope) as unit:
        return Reply(_note(read_note(unit, area_named(area).name, rep_id, on)))


@operation("PUT", "/areas/<area>/notes/<day>/<anything:rep_id>", {200: Note}, tag="days")
@allow(Permission.WRITE_DAYS)
def put_note(area: str, day: str, rep_id: str, body: NoteChange) -> Write:
    """Write the note on a rep's day.

    Where somebody else has written meanwhile, the answer is 409 with their note as `present`.
    """
    known, on = area_named(area).name, day_named(day)

    def write(unit: UnitOfWork) -> Reply:
        return Reply(_note(write_note(unit, known, rep_id, on, body.text, body.revision)))

    return write


def day_named(text: str) -> date:
    """The day of an address. Raises NotFoundError."""
    try:
        if re.fullmatch(r"(19|20|21)\d\d-\d\d-\d\d", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotFoundError(f"there is no day {text}")


def _note(note: RepDayNote) -> Note:
    return Note.of(note)
