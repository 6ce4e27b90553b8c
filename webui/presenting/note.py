"""The note on a rep's day as the page of that day shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from planner.access import Permission
from planner.domain import MAX_TEXT
from planner.errors import NotFoundError
from planner.rep_days import read_note
from planner.repository import Store
from webui.policy import Viewer


@dataclass(frozen=True, slots=True)
class NoteView:
    """`url` is where changes are sent; empty for those who may only read."""

    text: str
    revision: int
    url: str
    longest: int = MAX_TEXT


def note_view(store: Store, viewer: Viewer, area: str, rep_id: str, day: date, url: str) -> NoteView | None:
    """The note on a day; None where the plan's rep is no longer among those whom the viewer sees."""
    try:
        with store.read(viewer.scope) as unit:
            note = read_note(unit, area, rep_id, day)
    except NotFoundError:
        return None
    return NoteView(note.text, note.revision, url if viewer.may(Permission.WRITE_DAYS) else "")
